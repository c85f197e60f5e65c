"""What is proved of the parameters before any data are seen: what may change places, what has no maximum, what may end at an end."""

from __future__ import annotations

from dataclasses import replace

from sympy import Expr

from symem.calculus.exchangeable import exchanges
from symem.calculus.unbounded import unbounded
from symem.derivation import Derivation
from symem.derivation.identifiability import Exchange, Identifiability, Rank, Unbounded
from symem.language.leaves import name_of
from symem.language.model import Model
from symem.language.supports import Simplex, UnitInterval


class _Outward:
    """Internal expressions in the symbols of the user, and which was which."""

    def __init__(self, model: Model) -> None:
        self._model, self.inward = model, dict[Expr, Expr]()

    def __call__(self, expr: Expr) -> Expr:
        told: Expr = self._model.declared(expr)
        self.inward[told] = expr
        return told


def identifiable(derivation: Derivation, rank: Rank | None = None) -> Identifiability:
    """The record, in the symbols of the user, with the rank if it was taken."""
    model, told = derivation.model, _Outward(derivation.model)
    in_prior = {name_of(each) for each in model.log_prior.free_symbols}
    ends = (
        each.name
        for each in model.parameters
        if isinstance(each.support, Simplex | UnitInterval) and each.name not in in_prior
    )
    unidentified = (
        replace(each, parameters=tuple(map(told, each.parameters)), forms=tuple(map(told, each.forms)))
        for each in derivation.unidentified
    )
    return Identifiability(
        tuple(_exchange(each, told) for each in exchanges(model)),
        tuple(unidentified),
        tuple(Unbounded(*map(told, (each.spread, each.location, each.at))) for each in unbounded(model)),
        tuple(ends),
        None if rank is None else _rank(rank, told),
        told.inward,
    )


def _exchange(found: Exchange, told: _Outward) -> Exchange:
    swaps = tuple((told(one), told(other)) for one, other in found.swaps)
    return replace(found, size=told(found.size), swaps=swaps)


def _rank(found: Rank, told: _Outward) -> Rank:
    entangled = (replace(each, forms=tuple(map(told, each.forms))) for each in found.entangled)
    return replace(found, entangled=tuple(entangled))
