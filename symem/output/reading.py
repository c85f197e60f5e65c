"""Rewritings for the reader: the same value in the shape in which a textbook prints it.

Inside, indices and labels run from 0; in print, from 1. Log-densities are sums of logarithms; in print, a
weight is a product of powers. Expanded quadratics print as squares. None of this finds anything new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import combinations

from sympy import (
    Add,
    Expr,
    Indexed,
    Mul,
    Pow,
    Product,
    Rational,
    S,
    Sum,
    Symbol,
    exp,
    factorial,
    gamma,
    lcm,
    log,
    loggamma,
)
from sympy.core.relational import Relational

from symem.derivation import Definition
from symem.language.plates import Iverson, LogIverson


class FromOne:
    """Rewrites an expression so that indices, slots and labels count from 1.

    `indices` are the symbols that count plates, `labels` the names of arrays and scalars whose values count
    categories; `natural` names the indices that keep counting from 0, because their values are numbers
    (the outcomes of a coin), and `natural_slots` the array slots where such an index stands.
    """

    def __init__(
        self,
        indices: frozenset[Symbol] = frozenset(),
        labels: frozenset[str] = frozenset(),
        natural: frozenset[Symbol] = frozenset(),
        natural_slots: frozenset[tuple[str, int]] = frozenset(),
    ) -> None:
        self.indices = indices
        self.labels = labels
        self.natural = natural
        self.natural_slots = natural_slots

    def knowing(self, index: Symbol, *, like: Symbol) -> FromOne:
        """The same, with one more index that counts as `like` does."""
        natural = self.natural | ({index} if like in self.natural else set())
        return FromOne(self.indices | ({index} - natural), self.labels, natural, self.natural_slots)

    def __call__(self, expr: Expr) -> Expr:
        if isinstance(expr, Sum | Product):
            return self._bound(expr)
        if isinstance(expr, Indexed):
            return self._indexed(expr)
        if isinstance(expr, Symbol):
            return expr - 1 if expr in self.indices or expr.name in self.labels else expr
        if isinstance(expr, Relational):
            return self._relation(expr)
        if not expr.args:
            return expr
        return _rebuilt(expr, [self(argument) for argument in expr.args])

    def _bound(self, expr: Expr) -> Expr:
        inner = FromOne(
            self.indices.union(limit[0] for limit in expr.limits) - self.natural,
            self.labels,
            self.natural,
            self.natural_slots,
        )
        limits = [
            (index, lower, upper) if index in self.natural else (index, inner(lower) + 1, inner(upper) + 1)
            for index, lower, upper in expr.limits
        ]
        return expr.func(inner(expr.function), *limits)

    def _indexed(self, expr: Expr) -> Expr:
        name = str(expr.base.label)
        slots = [
            self(slot) + (0 if (name, place) in self.natural_slots else 1)
            for place, slot in enumerate(expr.indices)
        ]
        shifted = Indexed(expr.base, *slots)
        return shifted - 1 if name in self.labels else shifted

    def _relation(self, expr: Expr) -> Expr:
        sides = [self(side) for side in expr.args]
        if any(side.is_Add and side.as_coeff_Add()[0] == -1 for side in sides):
            sides = [side + 1 for side in sides]
        return expr.func(*sides, evaluate=False)


def _rebuilt(expr: Expr, arguments: list[Expr]) -> Expr:
    if tuple(arguments) == expr.args:
        return expr
    return expr.func(*arguments, evaluate=False) if isinstance(expr, Mul | Pow) else expr.func(*arguments)


def bottom_up(expr: Expr, rule: Callable[[Expr], Expr]) -> Expr:
    """The rule at every node, leaves first; slots of arrays and relations are left alone."""
    if not expr.args or isinstance(expr, Indexed | Relational):
        return rule(expr)
    return rule(_rebuilt(expr, [bottom_up(argument, rule) for argument in expr.args]))


def squares(expr: Expr) -> Expr:
    """c a**2 - 2 c a b + c b**2 as c (a - b)**2, in every sum, for any number of parts.

    >>> from sympy.abc import a, b, c
    >>> squares(a**2/(2*c) - a*b/c + b**2/(2*c))
    (a - b)**2/(2*c)
    """
    return bottom_up(expr, lambda node: _gathered(node) if node.is_Add else node)


def _gathered(expr: Add) -> Expr:
    terms = set(expr.args)
    roots = [(term, *split) for term in expr.args if (split := _as_square(term))]
    for scale in dict.fromkeys(scale for _, scale, _ in roots):
        parts = [root for _, other, root in roots if other == scale]
        signed = _signed(parts, scale, terms)
        if len(signed) > 1:
            used = {scale * root**2 for _, root in signed}
            used |= {2 * scale * s * t * a * b for (s, a), (t, b) in combinations(signed, 2)}
            rest = [term for term in expr.args if term not in used]
            square = scale * Add(*(sign * root for sign, root in signed)) ** 2
            return squares(Add(*rest)) + square
    return expr


def _as_square(term: Expr) -> tuple[Expr, Expr] | None:
    """term = scale * root**2, the root made of numerator factors that are symbols or arrays."""
    plain = [
        factor.base
        for factor in Mul.make_args(term)
        if isinstance(factor, Pow) and factor.exp == 2 and isinstance(factor.base, Symbol | Indexed)
    ]
    root = Mul(*plain)
    return (term / root**2, root) if root != 1 else None


def _signed(parts: list[Expr], scale: Expr, terms: set[Expr]) -> list[tuple[int, Expr]]:
    """The largest run of parts, with signs, all of whose cross terms are there."""
    signed: list[tuple[int, Expr]] = []
    for part in parts:
        for sign in (1, -1) if signed else (1,):
            if all(2 * scale * s * sign * other * part in terms for s, other in signed):
                signed.append((sign, part))
                break
    return signed


def merged_logs(expr: Expr) -> Expr:
    """c log 2 + c log pi as c log(2 pi), in every sum: the constant of a Normal density."""
    return bottom_up(expr, lambda node: _one_log(node) if node.is_Add else node)


def _one_log(expr: Add) -> Expr:
    by_factor: dict[Expr, list[Expr]] = {}
    for term in expr.args:
        factor, inner = term.as_independent(log, as_Add=False)
        if isinstance(inner, log) and inner.args[0].is_number:
            by_factor.setdefault(factor, []).append(inner)
    joint = {c: logs for c, logs in by_factor.items() if len(logs) > 1}
    used = {c * each for c, logs in joint.items() for each in logs}
    whole = [c * log(Mul(*(each.args[0] for each in logs))) for c, logs in joint.items()]
    return Add(*(term for term in expr.args if term not in used), *whole) if joint else expr


def over_common_number(expr: Expr) -> Expr:
    """nu/2 + 1/2 as (nu + 1)/2, in every sum without logarithms all of whose terms have that denominator."""
    return bottom_up(expr, lambda node: _over_number(node) if node.is_Add else node)


def _over_number(expr: Add) -> Expr:
    below = {term.as_coeff_Mul()[0].q for term in expr.args if term.as_coeff_Mul()[0].is_Rational}
    number = below.pop() if len(below) == 1 else 1
    if number == 1 or expr.has(log, loggamma):
        return expr
    return Mul(Rational(1, number), Add(*(number * term for term in expr.args)), evaluate=False)


def over_common_denominators(expr: Expr) -> Expr:
    """In every sum, terms over the same denominator as one fraction, the number 2 included.

    >>> from sympy.abc import a, b, c
    >>> over_common_denominators(a/(2*c**2) - b/c**2 + 1)
    (a - 2*b)/(2*c**2) + 1
    """
    return bottom_up(expr, lambda node: _grouped(node) if node.is_Add else node)


def _grouped(expr: Add) -> Expr:
    groups: dict[Expr, list[tuple[Expr, Expr]]] = {}
    for term in expr.args:
        above, below = term.as_numer_denom()
        number, rest = below.as_coeff_Mul()
        groups.setdefault(rest, []).append((above, number))
    return Add(*(_one_fraction(rest, parts) for rest, parts in groups.items()))


def _one_fraction(below: Expr, parts: list[tuple[Expr, Expr]]) -> Expr:
    if below == 1 or len(parts) == 1:
        return Add(*(above / (number * below) for above, number in parts))
    scale = lcm([number for _, number in parts])
    top = Add(*(above * scale / number for above, number in parts))
    negative = sum(1 for term in Add.make_args(top) if term.could_extract_minus_sign()) * 2 > len(parts)
    sign = -1 if negative else 1
    return Mul(sign / (scale * below), Add(*(sign * term for term in Add.make_args(top))), evaluate=False)


def merged_roots(expr: Expr) -> Expr:
    """Several square roots in a product as one, of a fraction if need be."""
    return bottom_up(expr, lambda node: _one_root(node) if node.is_Mul else node)


def _one_root(expr: Mul) -> Expr:
    roots = [f for f in expr.args if isinstance(f, Pow) and abs(f.exp) == S.Half and not f.base.is_number]
    if len(roots) < 2:
        return expr
    inside = Mul(*(root.base ** (2 * root.exp) for root in roots))
    return Mul(*(f for f in expr.args if f not in roots), Pow(inside, S.Half, evaluate=False), evaluate=False)


def exponentiated(expr: Expr) -> Expr:
    """exp(expr) as a product of powers, as a density is printed: log terms become factors.

    Left unevaluated, because SymPy would make sqrt(2)/(2*sqrt(pi)) of 1/sqrt(2*pi).

    >>> from sympy.abc import p, x
    >>> exponentiated(x*log(p) + (1 - x)*log(1 - p))
    p**x*(1 - p)**(1 - x)
    """
    factors: list[Expr] = []
    rest: list[Expr] = []
    for term in Add.make_args(expr):
        factor = _factor(term)
        (rest if factor is None else factors).append(term if factor is None else factor)
    tail = [exp(Add(*rest))] if rest else []
    product = [*factors, *tail]
    return product[0] if len(product) == 1 else Mul(*product, evaluate=False)


def _factor(term: Expr) -> Expr | None:
    """exp(term), if it reads better without exp."""
    if isinstance(term, Sum):
        inner = exponentiated(term.function)
        return None if inner.has(exp) else Product(inner, *term.limits)
    if isinstance(term, LogIverson):
        return Iverson(*term.args)
    if isinstance(term, loggamma):
        return _gamma(term.args[0])
    coefficient, logs = term.as_independent(log, loggamma, as_Add=False)
    if isinstance(logs, log) and not coefficient.has(Sum):
        return logs.args[0] if coefficient == 1 else Pow(logs.args[0], coefficient, evaluate=False)
    if isinstance(logs, loggamma) and coefficient.is_Integer:
        return Pow(_gamma(logs.args[0]), coefficient)
    return None


def _gamma(argument: Expr) -> Expr:
    if (argument - 1).is_Atom or isinstance(argument - 1, Indexed) or argument.as_coeff_Add()[0] == 1:
        return factorial(argument - 1)
    return gamma(argument)


def slots_of(expr: Expr) -> tuple[Expr, ...]:
    """The slots of an array element; none for a scalar."""
    return tuple(expr.indices) if isinstance(expr, Indexed) else ()


def name_of(expr: Expr) -> str:
    """The name of a scalar or of an array element's array."""
    return str(expr.base.label if isinstance(expr, Indexed) else expr)


def inlined(expr: Expr, definitions: Iterable[Definition]) -> Expr:
    """An expression with the names that `definitions` define replaced by what they stand for."""
    meaning = {name_of(each.symbol): each for each in definitions}
    entries = [e for e in expr.atoms(Indexed, Symbol) if name_of(e) in meaning and e not in _bases(expr)]
    return expr.xreplace({entry: _at(meaning[name_of(entry)], slots_of(entry)) for entry in entries})


def _bases(expr: Expr) -> set[Expr]:
    return {entry.base.label for entry in expr.atoms(Indexed)}


def _at(definition: Definition, slots: tuple[Expr, ...]) -> Expr:
    indices = (axis.index for axis in definition.axes)
    return definition.value.subs(dict(zip(indices, slots, strict=True)), simultaneous=True)
