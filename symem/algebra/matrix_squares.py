"""Expanded forms and products of vectors as squares.

x'Mx - 2 x'Mm + m'Mm is (x - m)'M(x - m), xx' - xm' - mx' + mm' is (x - m)(x - m)', also across a sum over a plate
and for any number of parts; forms with a common end are one form. Each rule keeps the value at every point.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

from sympy import Add, Expr, Mul, S, Sum

from symem.algebra.matrix_words import Word, is_column, split
from symem.algebra.rewriting import bottom_up, is_negative
from symem.algebra.squares import merged_sums, squares
from symem.language.matrices import is_matrix, is_symmetric, transpose
from symem.language.traces import Tr, trace


def as_squares(expr: Expr) -> Expr:
    """Numbers and matrices with the squares that there are in them; sums over the same plates are one if that shows more."""
    merged = merged_sums(expr)
    told = completed(squares(merged))
    return expr if told == merged else told


def completed(expr: Expr) -> Expr:
    """x'Mx - 2 x'Mm + m'Mm as (x - m)'M(x - m), and xx' - xm' - mx' + mm' as (x - m)(x - m)', in every sum."""
    return bottom_up(expr, lambda node: _completed(node) if node.is_Add else node)


def _completed(expr: Expr) -> Expr:
    if is_matrix(expr):
        return _one_square(expr, _as_product, _crossed_products, _product_of)
    return _one_square(expr, _as_form, _crossed_forms, _form_of) if expr.has(Tr) else expr


def absorbed(expr: Expr) -> Expr:
    """Σ_i f(x_i) + n c as Σ_i (f(x_i) + c) where that completes a square."""
    return bottom_up(expr, lambda node: _absorbed(node) if node.is_Add and node.has(Tr) else node)


def _absorbed(expr: Expr) -> Expr:
    for limits in dict.fromkeys(total.limits for term in expr.args if (total := _sum_in(term))):
        parts = {term: found for term in expr.args if (found := _summand(term, limits)) is not None}
        inner = completed(Add(*parts.values()))
        if len(Add.make_args(inner)) < sum(len(Add.make_args(part)) for part in parts.values()):
            rest = Add(*(term for term in expr.args if term not in parts))
            number, body = _constant_out(inner, limits)
            return rest + number * Sum(body, *limits)
    return expr


def _constant_out(body: Expr, limits: tuple[Expr, ...]) -> tuple[Expr, Expr]:
    bound = [limit[0] for limit in limits]
    outer, inner = body.as_independent(*bound, as_Add=False) if not body.is_Add else (S.One, body)
    return outer, inner


def _sum_in(term: Expr) -> Sum | None:
    """The sum of forms in a term, a number before it or not."""
    sums = [factor for factor in Mul.make_args(term) if isinstance(factor, Sum)]
    return sums[0] if len(sums) == 1 and sums[0].has(Tr) and len(sums[0].limits) == 1 else None


def _summand(term: Expr, limits: tuple[Expr, ...]) -> Expr | None:
    """A term as a summand over the limits, if it is one: a sum over them, or a form as often as they are long."""
    total = _sum_in(term)
    if total is not None and total.limits == limits:
        return (term / total * total.function).expand()
    size = limits[0][2] + 1
    return term / size if term.has(Tr) and size in Mul.make_args(term) else None


@dataclass(frozen=True)
class _Root:
    """A term scale · root'·core·root, or scale · root·root' (the core is then I)."""

    scale: Expr
    core: Expr
    root: Expr


def _one_square(
    expr: Expr,
    parse: Callable[[Expr], _Root | None],
    crossed: Callable[[_Root, _Root, int], Sequence[Expr]],
    square: Callable[[_Root, Expr], Expr],
) -> Expr:
    terms = set(expr.args)
    roots = [(term, found) for term in expr.args if (found := parse(term))]
    for scale, core in dict.fromkeys((root.scale, root.core) for _, root in roots):
        alike = [(term, root) for term, root in roots if (root.scale, root.core) == (scale, core)]
        signed = _run(alike, terms, crossed)
        if len(signed) > 1:
            used = {term for _, term, _ in signed}
            for (s, _, a), (t, _, b) in combinations(signed, 2):
                used |= set(crossed(a, b, s * t))
            rest = Add(*(term for term in expr.args if term not in used))
            whole = Add(*(sign * root.root for sign, _, root in signed))
            more = _one_square(rest, parse, crossed, square) if rest.is_Add else rest
            return more + square(signed[0][2], whole)
    return expr


def _run(
    alike: list[tuple[Expr, _Root]],
    terms: set[Expr],
    crossed: Callable[[_Root, _Root, int], Sequence[Expr]],
) -> list[tuple[int, Expr, _Root]]:
    """The largest run of roots, with signs, all of whose cross terms are there."""
    best: list[tuple[int, Expr, _Root]] = []
    for start in range(len(alike)):
        signed: list[tuple[int, Expr, _Root]] = []
        for term, root in (*alike[start:], *alike[:start]):
            for sign in (1, -1) if signed else (1,):
                if all(set(crossed(other, root, s * sign)) <= terms for s, _, other in signed):
                    signed.append((sign, term, root))
                    break
        best = max(best, signed, key=len)
    return best


# forms ------------------------------------------------------------------------------------------------


def _as_form(term: Expr) -> _Root | None:
    forms = [factor for factor in Mul.make_args(term) if isinstance(factor, Tr)]
    if len(forms) != 1 or not forms[0].is_form:
        return None
    word = forms[0].word
    half = len(word) // 2
    core = word[half] if len(word) % 2 else S.One
    root = Mul(*word[-half:])
    symmetric = core == 1 or (is_matrix(core) and is_symmetric(core))
    if not symmetric or transpose(root) != Mul(*word[:half]):
        return None
    return _Root(term / forms[0], core, root)


def _crossed_forms(a: _Root, b: _Root, sign: int) -> tuple[Expr, ...]:
    return (2 * sign * a.scale * trace(transpose(a.root) * a.core * b.root, 1),)


def _form_of(root: _Root, whole: Expr) -> Expr:
    return root.scale * Tr(Mul(transpose(whole), root.core, whole))


# products ---------------------------------------------------------------------------------------------


def _as_product(term: Expr) -> _Root | None:
    if not is_matrix(term) or isinstance(term, Sum):
        return None
    scale, word = split(term)
    root = Mul(*word[: len(word) // 2])
    if len(word) % 2 or not is_column(root) or transpose(root) != Mul(*word[len(word) // 2 :]):
        return None
    return _Root(scale, S.One, root)


def _crossed_products(a: _Root, b: _Root, sign: int) -> tuple[Expr, ...]:
    pairs = ((a.root, b.root), (b.root, a.root))
    return tuple(sign * a.scale * one * transpose(other) for one, other in pairs)


def _product_of(root: _Root, whole: Expr) -> Expr:
    return root.scale * Mul(whole, transpose(whole))


# forms with a common end --------------------------------------------------------------------------------


def gathered_forms(expr: Expr) -> Expr:
    """c u'Ma - c u'Mb as c u'M(a - b), in every sum."""
    return bottom_up(expr, lambda node: _joint_forms(node) if node.is_Add and node.has(Tr) else node)


def _joint_forms(expr: Expr) -> Expr:
    """The longest common run that leads two forms or more is taken out, as long as there is one."""
    if is_matrix(expr):
        return expr
    turns = _turns(expr)
    starts = {(scale, word[:cut]) for _, word, scale in turns for cut in range(1, len(word))}
    runs = {start: _led_by(turns, *start) for start in starts}
    best = max(
        runs,
        key=lambda s: (len(runs[s]), len(s[1]), str(s)) if len(runs[s]) > 1 else (0, 0, ""),
        default=None,
    )
    if best is None or len(runs[best]) < 2:
        return expr
    scale, start = best
    ends = Add(
        *((-1 if is_negative(term) else 1) * Mul(*word[len(start) :]) for term, word in runs[best].items())
    )
    rest = Add(*(term for term in expr.args if term not in runs[best]))
    joint = scale * Tr(Mul(*start, ends))
    return joint + (_joint_forms(rest) if rest.is_Add else rest)


def _led_by(turns: list[tuple[Expr, Word, Expr]], scale: Expr, start: Word) -> dict[Expr, Word]:
    """The forms that this run leads."""
    cut = len(start)
    return {t: w for t, w, s in turns if s == scale and w[:cut] == start and len(w) > cut}


def _turns(expr: Expr) -> list[tuple[Expr, Word, Expr]]:
    """Each form of a sum but squares, read in both directions: (term, word, what stands before it, less its sign)."""
    found = []
    for term in expr.args:
        forms = [factor for factor in Mul.make_args(term) if isinstance(factor, Tr) and factor.is_form]
        if (
            len(forms) == 1
            and not _as_form(term)
            and not any(each.has(Add) for each in forms[0].word if is_column(each))
        ):
            word = forms[0].word
            number, scale = (term / forms[0]).as_coeff_Mul()
            scale *= abs(number)
            backwards = tuple(transpose(each) for each in reversed(word))
            found += [
                (term, each, scale) for each in dict.fromkeys((word, backwards)) if not each[-1].has(Add)
            ]
    return found
