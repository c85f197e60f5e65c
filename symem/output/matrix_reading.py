"""Vectors and matrices rewritten for the reader: the same value in the shape in which a textbook prints it.

Expanded forms print as squares, (x - μ)ᵀM(x - μ), expanded products as centred ones, (x - μ)(x - μ)ᵀ, a common
matrix stands before its bracket, and V + ⟨z⟩⟨z⟩ᵀ is ⟨zzᵀ⟩. Each rule keeps the value at every point.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

from sympy import Add, Expr, Mul, Pow, S, Sum

from symem.language.matrices import (
    Diagonal,
    T,
    Tr,
    is_matrix,
    is_symmetric,
    letters,
    trace,
    transpose,
)
from symem.output.rewriting import Identity, bottom_up, form, is_negative, shape_of

Word = tuple[Expr, ...]


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


def split(term: Expr) -> tuple[Expr, Word]:
    """A matrix term as its number and its letters."""
    commuting, word = term.args_cnc()
    return Mul(*commuting), letters(Mul(*word))


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


def is_column(expr: Expr) -> bool:
    return is_matrix(expr) and bool(shape_of(expr)[1] == 1)


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


# common letters ---------------------------------------------------------------------------------------


def gathered_words(expr: Expr) -> Expr:
    """A a - A b as A(a - b), in sums of vectors, and in all sums if A is an inverse."""
    return bottom_up(expr, lambda node: _gathered(node) if node.is_Add and is_matrix(node) else node)


def _gathered(expr: Expr) -> Expr:
    expr = _same_words(expr)
    if not expr.is_Add:
        return expr
    common = _common_number(expr)
    if common != 1:
        return common * _gathered(Add(*(_over(term, common) for term in expr.args)))
    groups: dict[Expr, list[Expr]] = {}
    for term in expr.args:
        scale, word = split(term) if is_matrix(term) else (term, ())
        head = word[0] if len(word) > 1 and _may_lead(word) else S.One
        groups.setdefault(head, []).append(scale * Mul(*word[1:]) if head != 1 else term)
    parts = []
    for head, terms in groups.items():
        inner = Add(*terms)
        joint = head != 1 and len(terms) > 1 and (len(groups) == 1 or is_symmetric(head))
        parts.append(
            head * _gathered(inner) if joint and inner.is_Add else Add(*(head * each for each in terms))
        )
    return _ended_alike(Add(*parts))


def _same_words(expr: Expr) -> Expr:
    """a x - b x as (a - b) x, for vectors and inverses."""
    numbers: dict[Expr, list[Expr]] = {}
    rest = []
    for term in expr.args:
        number, word = split(term) if is_matrix(term) else (term, ())
        if word and (is_column(term) or (len(word) == 1 and isinstance(word[0], Pow))):
            numbers.setdefault(Mul(*word), []).append(number)
        else:
            rest.append(term)
    return Add(*rest, *(_times(Add(*parts), word) for word, parts in numbers.items()))


def _times(number: Expr, word: Expr) -> Expr:
    """A number before a word, a minus of all its terms before both."""
    if number.is_Add and all(map(is_negative, number.args)):
        return Mul(-1, Add(*(-term for term in number.args)), word)
    return number * word


def _ended_alike(expr: Expr) -> Expr:
    """a A⁻¹ - b A⁻¹ as (a - b)A⁻¹, if all terms end so."""
    found = [split(term) for term in Add.make_args(expr) if is_matrix(term)]
    ends = {word[-1] for _, word in found}
    alike = (
        len(found) == len(Add.make_args(expr)) > 1 and len(ends) == 1 and all(len(w) > 1 for _, w in found)
    )
    if not (alike and isinstance(next(iter(ends)), Pow | Diagonal)):
        return expr
    return Add(*(scale * Mul(*word[:-1]) for scale, word in found)) * ends.pop()


def _common_number(expr: Expr) -> Expr:
    """The numbers, but for signs and rationals, that stand before every term."""
    numbers = [split(term)[0] if is_matrix(term) else term for term in expr.args]
    first, *rest = [[f for f in Mul.make_args(number) if not f.is_Rational] for number in numbers]
    return Mul(*(factor for factor in first if all(factor in other for other in rest)))


def _over(term: Expr, number: Expr) -> Expr:
    if not is_matrix(term):
        return term / number
    before, word = split(term)
    return before / number * Mul(*word)


def _may_lead(word: Word) -> bool:
    head = word[0]
    inverse = isinstance(head, Pow | Diagonal)
    return inverse or (is_column(Mul(*word)) and not is_column(head) and not isinstance(head, Sum))


# quadratics in a latent ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Quadratic:
    """-z'Λz/2 + z'h."""

    precision: Expr
    field: Expr

    def in_terms_of(self, atom: Expr) -> Expr:
        square = -form(Mul(transpose(atom), self.precision, atom)) / 2
        return square + (form(Mul(transpose(atom), self.field)) if self.field != 0 else 0)


def quadratic_in(expr: Expr, atom: Expr) -> Quadratic | None:
    """A log-density as a quadratic in a vector, up to what is free of it; nothing if it is none."""
    precision: list[Expr] = []
    field: list[Expr] = []
    for term in Add.make_args(expr):
        if not term.has(atom):
            continue
        found = _parts(term, atom)
        if found is None:
            return None
        if found.precision.has(atom) or found.field.has(atom):
            return None
        precision.append(found.precision)
        field.append(found.field)
    return Quadratic(gathered_words(Add(*precision)), gathered_words(Add(*field)))


def _parts(term: Expr, atom: Expr) -> Quadratic | None:
    if isinstance(term, Sum):
        inner = quadratic_in(term.function, atom)
        return inner and Quadratic(_summed(inner.precision, term), _summed(inner.field, term))
    ends: list[Expr] = []
    scale = S.One
    for factor in Mul.make_args(term):
        base, power = factor.as_base_exp() if not is_matrix(factor) else (factor, S.One)
        if not factor.has(atom):
            scale *= factor
        elif isinstance(base, Tr) and base.is_form and power in (1, 2):
            ends += [base] * int(power)
        else:
            return None
    return _of_forms(scale, ends, atom)


def _of_forms(scale: Expr, forms: list[Expr], atom: Expr) -> Quadratic | None:
    if len(forms) == 1:
        word = forms[0].word
        if word[0] == T(atom) and word[-1] == atom:
            middle = Mul(*word[1:-1])
            return Quadratic(-scale * (middle + transpose(middle)), S.Zero)
        return Quadratic(S.Zero, scale * _other_end(word, atom))
    if len(forms) == 2:
        a, b = (_other_end(form.word, atom) for form in forms)
        return Quadratic(-scale * (a * transpose(b) + b * transpose(a)), S.Zero)
    return None


def _other_end(word: Word, atom: Expr) -> Expr:
    """h of z'h or h'z."""
    return Mul(*word[1:]) if word[0] == T(atom) else transpose(Mul(*word[:-1]))


def _summed(expr: Expr, like: Sum) -> Expr:
    return Sum(expr, *like.limits) if expr != 0 else S.Zero


# definitions --------------------------------------------------------------------------------------------


def matrix_valued(value: Expr, symbol: Expr) -> Expr:
    """A number as the multiple of I that it is where a matrix is defined."""
    if not is_matrix(symbol) or is_matrix(value):
        return value
    return Mul(value, Identity(), evaluate=False) if value != 1 else Identity()
