"""Expanded squares as squares, of numbers, forms and products of vectors, for any number of parts.

c a² - 2 c a b + c b² is c (a - b)², x'Mx - 2 x'Mm + m'Mm is (x - m)'M(x - m), xx' - xm' - mx' + mm' is
(x - m)(x - m)', also across a sum over a plate. Each rule keeps the value at every point.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import combinations

from sympy import Add, Expr, Function, Indexed, Mul, Piecewise, Pow, S, Sum, Symbol, expand

from symem.algebra.matrix_words import halved, is_column, split
from symem.algebra.rewriting import bottom_up
from symem.language.leaves import name_of
from symem.language.matrices import is_matrix, transpose
from symem.language.traces import Tr, trace

Names = AbstractSet[str]


@dataclass(frozen=True)
class _Root:
    """A term scale · root², scale · root'·core·root, or scale · root·root'."""

    scale: Expr
    core: Expr
    root: Expr


@dataclass(frozen=True)
class _Kind:
    """How a square of this kind is read, which terms two of its parts are crossed in, and the square of a whole."""

    read: Callable[[Expr], _Root | None]
    crossed: Callable[[_Root, _Root, int], Sequence[Expr]]
    square: Callable[[_Root, Expr], Expr]


def _number(term: Expr) -> _Root | None:
    """term = scale * root**2, the root made of numerator factors that are letters, functions or forms of vectors."""
    root = _root_of_squares(term)
    whole = root != 1 or (not term.is_number and term.is_nonnegative)  # v, beside 2 v c and v c²
    return _Root(term / root**2, S.One, root) if whole else None


def _form(term: Expr) -> _Root | None:
    forms = [factor for factor in Mul.make_args(term) if isinstance(factor, Tr)]
    halves = halved(forms[0].word) if len(forms) == 1 and forms[0].is_form else None
    if not halves:
        return None
    number, (core, root) = term / forms[0], halves
    inner = _root_of_squares(number)
    return _Root(number / inner**2, core, inner * root)


def _root_of_squares(number: Expr) -> Expr:
    """The letters of a product that are squared in it."""
    powers = (f for f in Mul.make_args(number) if isinstance(f, Pow) and f.exp == 2)
    return Mul(*(f.base for f in powers if isinstance(f.base, Symbol | Indexed | Function | Tr)))


def _product(term: Expr) -> _Root | None:
    if not is_matrix(term) or isinstance(term, Sum):
        return None
    scale, word = split(term)
    core, root = halved(word) or (S.Zero, S.Zero)
    return _Root(scale, core, transpose(root)) if core == 1 and is_column(transpose(root)) else None


def _crossed_products(a: _Root, b: _Root, sign: int) -> tuple[Expr, ...]:
    pairs = ((a.root, b.root), (b.root, a.root))
    return tuple(sign * a.scale * one * transpose(other) for one, other in pairs)


NUMBERS = _Kind(
    _number,
    lambda a, b, sign: (2 * sign * a.scale * a.root * b.root,),
    lambda root, whole: root.scale * whole**2,
)
FORMS = _Kind(
    _form,
    lambda a, b, sign: (2 * sign * a.scale * trace(transpose(a.root) * a.core * b.root, 1),),
    lambda root, whole: root.scale * Tr(Mul(transpose(whole), root.core, whole)),
)
PRODUCTS = _Kind(
    _product,
    _crossed_products,
    lambda root, whole: root.scale * Mul(whole, transpose(whole)),
)


def squares(expr: Expr, lead: Names = frozenset()) -> Expr:
    """The squares of numbers, in every sum; the parts may be forms of vectors too: (y - x'b)**2.

    A part with an array of a name in `lead` has no minus before it.

    >>> from sympy.abc import a, b, c
    >>> squares(a**2/(2*c) - a*b/c + b**2/(2*c))
    (a - b)**2/(2*c)
    """
    return bottom_up(
        expr, lambda node: _of(node, NUMBERS, lead) if node.is_Add and not is_matrix(node) else node
    )


def completed(expr: Expr, lead: Names = frozenset()) -> Expr:
    """The forms and products that are squares, in every sum."""
    return bottom_up(
        expr, lambda node: _of(node, PRODUCTS if is_matrix(node) else FORMS, lead) if node.is_Add else node
    )


def as_squares(expr: Expr) -> Expr:
    """Numbers and matrices with the squares that there are in them; sums over the same plates are one if that shows more."""
    merged = merged_sums(expr)
    told = completed(squares(merged))
    return expr if told == merged else told


def _of(expr: Expr, kind: _Kind, lead: Names) -> Expr:
    terms = set(expr.args)
    roots = [(term, found) for term in expr.args if (found := kind.read(term))]
    roots.sort(key=lambda pair: lead.isdisjoint(map(name_of, pair[1].root.atoms(Indexed))))
    for scale, core in dict.fromkeys((root.scale, root.core) for _, root in roots):
        alike = [(term, root) for term, root in roots if (root.scale, root.core) == (scale, core)]
        signed = _run(alike, terms, kind)
        if len(signed) > 1:
            used = {term for _, term, _ in signed}
            for (s, _, a), (t, _, b) in combinations(signed, 2):
                used |= set(kind.crossed(a, b, s * t))
            rest = Add(*(term for term in expr.args if term not in used))
            whole = Add(*(sign * root.root for sign, _, root in signed))
            more = _of(rest, kind, lead) if rest.is_Add else rest
            return more + kind.square(signed[0][2], whole)
    return expr


def _run(alike: list[tuple[Expr, _Root]], terms: set[Expr], kind: _Kind) -> list[tuple[int, Expr, _Root]]:
    """The largest run of roots, with signs, all of whose cross terms are there."""
    best: list[tuple[int, Expr, _Root]] = []
    for start in range(len(alike)):
        signed: list[tuple[int, Expr, _Root]] = []
        for term, root in (*alike[start:], *alike[:start]):
            for sign in (1, -1) if signed else (1,):
                if all(set(kind.crossed(other, root, s * sign)) <= terms for s, _, other in signed):
                    signed.append((sign, term, root))
                    break
        best = max(best, signed, key=len)
    return best


# across sums --------------------------------------------------------------------------------------------


def merged_sums(expr: Expr) -> Expr:
    """Sums over the same plates as one, in every sum of sums."""
    return bottom_up(expr, lambda node: _one_sum(node) if node.is_Add else node)


def _one_sum(expr: Add) -> Expr:
    bodies: dict[tuple[Expr, frozenset[Expr]], list[Expr]] = {}
    limits: dict[tuple[Expr, frozenset[Expr]], tuple[Expr, ...]] = {}
    others = []
    for term in expr.args:
        number, rest = term.as_coeff_Mul()
        sums = [factor for factor in Mul.make_args(rest) if isinstance(factor, Sum)]
        outer = Mul(*(factor for factor in Mul.make_args(rest) if factor not in sums))
        if len(sums) != 1 or _is_in_parts(sums[0]) or not outer.is_commutative:
            others.append(term)
            continue
        key = outer, frozenset(sums[0].limits)
        bodies.setdefault(key, []).append(number * sums[0].function)
        limits.setdefault(key, sums[0].limits)
    return Add(*others, *(key[0] * Sum(Add(*parts), *limits[key]) for key, parts in bodies.items()))


def _is_in_parts(total: Sum) -> bool:
    """Whether it is over some places alone."""
    return isinstance(total.function, Piecewise)


def about_numbers(expr: Expr) -> Expr:
    """Σ_k (x_k² - 2 c x_k)/K + c² as Σ_k (x_k - c)²/K, in every sum."""
    return bottom_up(expr, lambda node: _about_numbers(node) if node.is_Add and node.has(Sum) else node)


def _about_numbers(expr: Expr) -> Expr:
    terms = [(term, _outer_and_sum(term)) for term in expr.args]
    for limits in dict.fromkeys(found[1].limits for _, found in terms if found and len(found[1].limits) == 1):
        ((index, _low, high),) = limits
        summed = {
            t: outer * total.function
            for t, found in terms
            if found
            for outer, total in [found]
            if total.limits == limits
        }
        inner = (high + 1) * Add(*summed.values())
        for number in (term for term, found in terms if not term.has(index, Sum)):
            told = squares(expand(inner + number))
            if len(Add.make_args(told)) < len(summed):
                return expr - Add(number, *summed) + Sum(told, *limits) / (high + 1)
    return expr


def _outer_and_sum(term: Expr) -> tuple[Expr, Sum] | None:
    sums = [factor for factor in Mul.make_args(term) if isinstance(factor, Sum)]
    return (term / sums[0], sums[0]) if len(sums) == 1 and not is_matrix(term) else None


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
    """The sum of forms over all places of an index in a term, a number before it or not."""
    sums = [factor for factor in Mul.make_args(term) if isinstance(factor, Sum)]
    if len(sums) != 1 or _is_in_parts(sums[0]):
        return None
    return sums[0] if sums[0].has(Tr) and len(sums[0].limits) == 1 else None


def _summand(term: Expr, limits: tuple[Expr, ...]) -> Expr | None:
    """A term as a summand over the limits, if it is one: a sum over them, or a form as often as they are long."""
    total = _sum_in(term)
    if total is not None and total.limits == limits:
        return (term / total * total.function).expand()
    size = limits[0][2] + 1
    return term / size if term.has(Tr) and size in Mul.make_args(term) else None
