"""Whether a formula equals an update identically: for all sizes, data and θ⁽ᵗ⁾."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sympy import Add, Dummy, Expr, Indexed, Mul, S, Sum, Symbol, expand

from symem.calculus.separate import separate
from symem.calculus.vanishing import Vanishing
from symem.derivation import Definition, Derivation
from symem.language.leaves import array_of
from symem.language.plates import total


def is_identical(stated: Definition, derivation: Derivation) -> bool:
    """Whether a formula is the update of its parameter, new values of others being put in; False if not shown."""
    update = next((u for u in derivation.updates if u.definition.symbol == stated.symbol), None)
    if update is None or len(update.definition.axes) != len(stated.axes):
        return False
    rules = {u.parameter: u.value for u in derivation.updates if u.parameter != update.parameter}
    given, right = (_written(_put_in(each, rules), derivation) for each in (stated.value, update.value))
    vanishes = Vanishing(derivation)
    if vanishes(flat(given) - flat(right)):
        return True
    return all(map(_is_root, (given, right))) and vanishes(flat(_squared(given)) - flat(_squared(right)))


def _put_in(expr: Expr, rules: Mapping[Expr, Expr]) -> Expr:
    for _ in rules:
        expr = expr.xreplace(dict(rules))
    return expr


def _written(expr: Expr, derivation: Derivation) -> Expr:
    """An expression with its statistics written out in posteriors and data, scatters as their sums about zero."""
    known = {array_of(each.symbol): each for each in derivation.surrogate.statistics}
    for scatter in (scatter for moments in derivation.surrogate.moments for scatter in moments.scatters):
        about_zero = replace(scatter.definition, value=scatter.raw - scatter.excess)
        known[array_of(about_zero.symbol)] = about_zero
    while held := [atom for atom in expr.atoms(Indexed, Symbol) if array_of(atom) in known]:
        expr = expr.xreplace({atom: known[array_of(atom)].at(atom) for atom in held})
    return expr


def _is_root(expr: Expr) -> bool:
    """Whether it is a product of square roots and positive factors, so that its square tells it."""
    return all(f.is_positive or (f.is_Pow and abs(f.exp) == S.Half) for f in Mul.make_args(expr))


def _squared(expr: Expr) -> Expr:
    return Mul(*(factor**2 for factor in Mul.make_args(expr)))


def flat(expr: Expr) -> Expr:
    """An expression multiplied out, with sums that hold no index of a sum around them drawn out of it."""
    letters: dict[Expr, Dummy] = {}
    if isinstance(expr, Sum):
        own = {limit[0] for limit in expr.limits}
        opened = _drawn_out(Sum(_lettered(expr.function, own, letters), *expr.limits))
    else:
        opened = expand(_lettered(expr, set(), letters))
    return opened.xreplace({letter: flat(inner) for inner, letter in letters.items()})


def _lettered(expr: Expr, bound: set[Expr], letters: dict[Expr, Dummy]) -> Expr:
    """An expression with a letter for each sum that needs none of the indices bound around it."""
    if isinstance(expr, Sum):
        if not expr.free_symbols & bound:
            return letters.setdefault(expr, Dummy("total", real=True))
        own = {limit[0] for limit in expr.limits}
        return Sum(_lettered(expr.function, bound | own, letters), *expr.limits)
    if not expr.args or isinstance(expr, Indexed):
        return expr
    return expr.func(*(_lettered(argument, bound, letters) for argument in expr.args))


def _drawn_out(expr: Expr) -> Expr:
    terms = []
    for term in separate(expr):
        outer = [factor for factor in term.factors() if not factor.free_symbols & term.indices]
        inner = [factor for factor in term.factors() if factor not in outer]
        terms.append(Mul(*outer, total(Mul(*inner), term.axes)))
    return Add(*terms)
