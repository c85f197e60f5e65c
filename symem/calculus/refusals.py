"""Refusals as one sentence: what was not found, the term that stands in the way, and what to write instead.

Terms are told in the user's symbols: statistics are written out as the sums that they are, functions by their names in
the field.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from sympy import Add, Expr, Function, Indexed, S, Symbol
from sympy.core.relational import Relational
from sympy.printing.str import StrPrinter

from symem.algebra.rewriting import inlined
from symem.calculus.roots import gathered
from symem.derivation import Ascent, Definition, Derivation, NotDerived, Table
from symem.language.leaves import name_of, places_of
from symem.language.matrices import is_matrix
from symem.language.model import Model
from symem.language.plates import Axis, rebind

#: A term is told up to that length.
LONG = 240

#: How the names of masks begin.
SEEN = "observed_"

_RELATIONS = {"==": "=", "!=": "≠"}


class _Words(StrPrinter):  # type: ignore[misc]
    """Brackets and functions as a paper writes them."""

    def _print_Iverson(self, expr: Expr) -> str:
        return f"[{self._print(expr.args[0])}]"

    def _print_LogIverson(self, expr: Expr) -> str:
        return f"log([{self._print(expr.args[0])}])"

    def _print_And(self, expr: Expr) -> str:
        return " and ".join(map(self._print, sorted(expr.args, key=str)))

    def _print_Or(self, expr: Expr) -> str:
        return " or ".join(map(self._print, sorted(expr.args, key=str)))

    def _print_Relational(self, expr: Relational) -> str:
        if name_of(expr.lhs).startswith(SEEN):
            entry = self._print(expr.lhs).removeprefix(SEEN)
            return f"{entry} {'seen' if expr.rel_op == '==' else 'missing'}"
        sign = _RELATIONS.get(expr.rel_op, expr.rel_op)
        return f"{self._print(expr.lhs)} {sign} {self._print(expr.rhs)}"

    def _print_Expectation(self, expr: Expr) -> str:
        return f"E({self._print(expr.args[0])})"

    def _print_polygamma(self, expr: Expr) -> str:
        order, x = expr.args
        name = {0: "digamma", 1: "trigamma"}.get(order)
        return f"{name}({self._print(x)})" if name else f"polygamma({self._print(order)}, {self._print(x)})"

    def _print_Piecewise(self, expr: Expr) -> str:
        cases = (f"{self._print(value)} where {self._print(at)}" for value, at in expr.args[:-1])
        last, at = expr.args[-1]
        rest = f"{self._print(last)} else" if at == True else f"{self._print(last)} where {self._print(at)}"  # noqa: E712
        return f"({', '.join((*cases, rest))})"


def told(expr: Any) -> str:
    """An expression as text, cut where it is long."""
    text = str(_Words().doprint(expr))
    return text if len(text) <= LONG else f"{text[:LONG].rsplit(' ', 1)[0]} …"


def written_out(expr: Expr, definitions: Sequence[Definition]) -> Expr:
    """An expression with every name that is defined replaced by what it stands for."""
    names = {name_of(each.symbol) for each in definitions}
    while any(name_of(each) in names for each in expr.atoms(Symbol, Indexed)):
        taken = expr.free_symbols
        expr = inlined(expr, [replace(each, value=rebind(each.value, taken)) for each in definitions])
    return expr


def with_reasons(derivation: Derivation) -> Derivation:
    """The derivation whose refused blocks say why, in the user's symbols."""
    model = derivation.model
    names = (*derivation.surrogate.statistics, *_means(derivation))

    def shown(expr: Expr) -> str:
        return told(model.declared(written_out(expr, names)))

    def reasoned(block: NotDerived) -> NotDerived:
        other = _other_scale(block, model)
        closed = _as_one(block, derivation, shown) or block.instead or other or _mixture(block, model)
        instead = closed or f"{_held(block)}{_waiting(block, shown)}"
        if block.numerically:
            instead = f"{other}, or {block.numerically}" if other else block.numerically
        return replace(block, reason=f"{obstacle(block, shown)}; {instead}.")

    return replace(derivation, not_derived=tuple(map(reasoned, derivation.not_derived)))


def with_numeric(closed: Derivation, numeric: Derivation) -> Derivation:
    """The closed forms; the blocks without one that are derived as numbers say how."""
    lost = {name_of(each) for block in numeric.not_derived for each in block.parameters}
    climbed = {name_of(update.parameter) for update in numeric.updates if isinstance(update, Ascent)}

    def referred(block: NotDerived) -> NotDerived:
        names = set(map(name_of, block.parameters))
        if names & lost:
            return block
        way = "climbs to the maximum by Newton's method" if names & climbed else "finds the root as a number"
        return replace(block, numerically=f"numeric=True {way}")

    return replace(closed, not_derived=tuple(map(referred, closed.not_derived)))


def _means(derivation: Derivation) -> Iterator[Definition]:
    """The names of posterior means, by the functions whose means they are."""
    for posterior in derivation.posteriors:
        means = {} if isinstance(posterior, Table) else posterior.expectations
        for function, value in means.items():
            if isinstance(value, Symbol | Indexed) and not is_matrix(value):
                axes = tuple(Axis(place, S.One) for place in places_of(value))
                yield Definition(value, axes, Function("E")(function))


def obstacle(block: NotDerived, shown: Callable[[Expr], str]) -> str:
    """What was not found, and the term in the way."""
    first = block.parameters[0]
    slope, names = f"∂Q/∂{shown(first)}", ", ".join(map(shown, block.stuck))
    if block.refuted:
        return f"No update was found for {shown(first)}: the root {shown(block.term)} of {slope} = 0 {block.refuted}"
    if block.again is not None:
        root = f"{shown(first)} would be {shown(block.again)}, which needs all data again"
        return f"No closed form was found for {names}: given the others {root}"
    return f"No closed form was found for {names}: the term {shown(block.term)} of {slope} = 0 cannot be isolated"


def _held(block: NotDerived) -> str:
    names = ", ".join(dict.fromkeys(map(name_of, block.stuck)))
    return f"give {names} in known=[{names}]"


def _waiting(block: NotDerived, shown: Callable[[Expr], str]) -> str:
    """What would have a closed form then."""
    names = ", ".join(map(shown, block.waiting))
    return f", and {names} {'have' if len(block.waiting) > 1 else 'has'} one" if names else ""


def _as_one(block: NotDerived, derivation: Derivation, shown: Callable[[Expr], str]) -> str:
    """Of a parameter that is identified with others only, what to write for them."""
    for each in derivation.unidentified:
        if block.parameters[0] in each.parameters:
            forms, whole = ", ".join(map(shown, each.forms)), len(each.forms) == 1
            instead = (
                "is identified: write one parameter for it"
                if whole
                else "are identified: write these as parameters"
            )
            return f"only the {each.kind} {forms} {instead}"
    return ""


def _other_scale(block: NotDerived, model: Model) -> str:
    """Of a scale under a prior by which its equation is of a degree above two, the scale to put that prior on."""
    first, name = block.parameters[0], name_of(block.parameters[0])
    if is_matrix(first) or name not in map(name_of, model.log_prior.atoms(Indexed, Symbol)):
        return ""
    equation = gathered(block.equation, first, model.variables[name].support)
    powers = equation.powers if equation is not None else None
    if powers is None or not powers.is_positive or len(powers.exponents) < 3:
        return ""
    return f"write the law in v = {name}**2 or 1/{name}**2 and put the prior on v"


def _mixture(block: NotDerived, model: Model) -> str:
    """Of a parameter of a law that is a mixture over a latent, by which its equation has a closed form, that mixture."""
    names = {name_of(each) for each in block.stuck}
    letter = next(each for each in "vuqr" if each not in map(str, model.variables))
    for line in model.declarations:
        latent = f"{letter}[{', '.join(map(str, line.own))}]" if line.own else letter
        for law in line.distribution.parts():
            held = {name_of(each) for each in Add(*law.arguments).atoms(Indexed, Symbol)}
            if law.family.mixture and names & held:
                words = dict(zip(law.family.parameters, map(told, law.arguments), strict=True))
                written = law.family.mixture.format(latent=latent, **words)
                return f"write {told(line.entries[0])} as {written}, which is the same law"
    return ""
