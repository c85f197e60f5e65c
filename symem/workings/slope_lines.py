"""Derivatives term by term: the first of Q and of the Lagrangian, the second with its sign at the update.

The terms of Q that hold an unknown are gathered by the functions of it that they hold, Q = Σ c·g(θ) + rest, so that like
terms are differentiated as one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sympy import Add, Dummy, Expr, Mul, S, Sum, cancel, diff, expand, together

from symem.algebra.squares import as_squares
from symem.calculus.checker import Checker
from symem.calculus.differentiate import Unknown, derivative, equation
from symem.calculus.separate import Term, rename_apart
from symem.derivation import Ascent, Shares, Step, Update
from symem.language.falling_root import FallingRoot
from symem.language.leaves import places_of
from symem.language.matrices import is_matrix
from symem.language.plates import LinearSolution, reindex, total
from symem.workings.line_laws import line


def update_of(step: Step, checker: Checker) -> Update:
    """The update that a step of the M-step is about."""
    return next(each for each in checker.derivation.updates if each.parameter == step.about[0])


@dataclass(frozen=True)
class Part:
    """c·g(θ), or a term that is none, with its derivative."""

    before: Expr
    after: Expr
    coefficient: Expr = S.Zero
    function: Expr = S.Zero


def parts_of(update: Update, checker: Checker) -> list[Part]:
    """What of Q holds an unknown at its own place, like terms as one."""
    unknown = Unknown(update.parameter, update.definition.axes)
    alike: dict[Expr, list[Expr]] = {}
    others = []
    for term in checker.terms_in(unknown.atom):
        if unknown.entries(term.factor):
            own = _at_its_place(term, unknown)
            coefficient, function = (S.Zero, S.Zero) if own is None else _split(own, unknown.atom)
            if function == 0:
                others.append(Part(term.expr if own is None else own, equation(derivative((term,), unknown))))
            else:
                alike.setdefault(function, []).append(coefficient)
    return [*(_part(g, Add(*found), unknown.atom) for g, found in alike.items()), *others]


def _part(function: Expr, coefficient: Expr, atom: Expr) -> Part:
    c = as_squares(coefficient)
    return Part(c * function, c * slope(function, atom), c, function)


def slope(function: Expr, atom: Expr) -> Expr:
    """The derivative of a function of one letter."""
    letter = Dummy(**atom.assumptions0)
    return diff(function.xreplace({atom: letter}), letter).xreplace({letter: atom})


def _split(expr: Expr, atom: Expr) -> tuple[Expr, Expr]:
    """(c, g) of c·g(θ), of a sum whose index g does not touch too; no g where θ stands under a sum or is a matrix."""
    if is_matrix(atom):
        return S.Zero, S.Zero
    if isinstance(expr, Sum):
        coefficient, function = expr.function.as_independent(atom, as_Add=False)
        bound = {limit[0] for limit in expr.limits}
        within = function.has(Sum) or function.free_symbols & bound
        number, rest = coefficient.as_coeff_Mul()
        return (S.Zero, S.Zero) if within else (number * Sum(rest, *expr.limits), function)
    coefficient, function = expr.as_independent(atom, as_Add=False)
    return (S.Zero, S.Zero) if function.has(Sum) else (coefficient, function)


def _at_its_place(term: Term, unknown: Unknown) -> Expr | None:
    """What of a sum over places has to do with the unknown at its own: one term; None where it is all of it."""
    apart = rename_apart(term, {axis.index for axis in unknown.axes})
    entries = unknown.entries(apart.factor)
    pairs = zip(places_of(entries[0]), places_of(unknown.atom), strict=True)
    rules = {place: own for place, own in pairs if place != own}
    bound = {limit[0] for inner in apart.factor.atoms(Sum) for limit in inner.limits}
    if len(entries) > 1 or not rules.keys() <= apart.indices - bound:
        return None
    kept = tuple(axis for axis in apart.axes if axis.index not in rules)
    return total(reindex(apart.factor, rules), kept)


# the first ------------------------------------------------------------------------------------------------


def differentiated(steps: tuple[Step, ...], checker: Checker) -> Iterator[Step]:
    """∂/∂θ of every term that holds θ, and their sum."""
    found = [(step, _slopes(update_of(step, checker), checker)) for step in steps]
    for step, parts in found:
        yield from (line("derivative of a term", step, part.before, part.after) for part in parts)
    for step, parts in found:
        if len(parts) > 1:
            slopes = Add(*(part.after for part in parts), evaluate=False)
            yield line("sum of derivatives", step, slopes, step.before)


def _slopes(update: Update, checker: Checker) -> list[Part]:
    parts = parts_of(update, checker)
    if isinstance(update, Shares):
        multiplier = update.multiplier[0]
        parts.append(Part(-multiplier * update.parameter, -multiplier))
    return parts


# the second -----------------------------------------------------------------------------------------------


def curved(steps: tuple[Step, ...], checker: Checker) -> Iterator[Step]:
    """∂²Q/∂θ² of a number, and what it is at the update."""
    for step in steps:
        update = update_of(step, checker)
        parts = parts_of(update, checker)
        if is_matrix(update.parameter) or any(part.function == 0 for part in parts):
            continue
        axes, atom = update.definition.axes, update.parameter
        seconds = [part.coefficient * slope(slope(part.function, atom), atom) for part in parts]
        first, second = Add(*(part.after for part in parts)), Add(*seconds)
        if second == 0:
            continue
        sign = _sign(seconds, update, checker)
        yield line("second derivative", step, first, second, axes=axes, sign=sign)
        there = None if sign else _there(parts, update)
        if there is not None and (sign := _sign([there], update, checker)):
            yield line("curvature", step, second, there, axes=axes, sign=sign)


def _there(parts: list[Part], update: Update) -> Expr | None:
    """c g'' + d h'' where c g' + d h' = 0, without the longer of c and d."""
    found = update.nested.has(FallingRoot, LinearSolution)
    if len(parts) != 2 or isinstance(update, Shares | Ascent) or found:
        return None
    atom = update.parameter
    long, short = sorted(parts, key=lambda part: -part.coefficient.count_ops())
    gone, kept = (slope(part.function, atom) for part in (long, short))
    rest = slope(kept, atom) - kept / gone * slope(gone, atom)
    return short.coefficient * cancel(together(expand(rest)))


def _sign(terms: list[Expr], update: Update, checker: Checker) -> str:
    """Below 0, or nowhere above, by the signs of what it is made of; nothing where these do not tell."""
    held = [term for term in terms if term != 0]
    if not all(checker.signs(term) == -1 for term in held):
        return ""
    needed = {
        condition.lhs
        for each in checker.derivation.certificates
        if each.parameter == update.parameter
        for condition in each.conditions
    }
    strict = any(all(_is_there(factor, needed) for factor in Mul.make_args(term)) for term in held)
    return "< 0" if strict else r"\le 0"


def _is_there(factor: Expr, needed: set[Expr]) -> bool:
    """Whether a factor is not 0."""
    base = factor.as_base_exp()[0]
    return bool(base.is_nonzero) or base in needed
