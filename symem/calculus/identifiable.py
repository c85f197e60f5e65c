"""What is proved of the parameters before any data are seen: what may change places, what has no maximum, what may end at an end."""

from __future__ import annotations

from dataclasses import replace

from symem.calculus.exchangeable import exchanges
from symem.calculus.unbounded import unbounded
from symem.derivation import Derivation
from symem.derivation.identifiability import Exchange, Identifiability, Unbounded
from symem.derivation.update_kinds import Unidentified
from symem.language.leaves import name_of
from symem.language.model import Model
from symem.language.supports import Simplex, UnitInterval


def identifiable(derivation: Derivation) -> Identifiability:
    """The record, in the symbols of the user, without ranks."""
    model = derivation.model
    in_prior = {name_of(each) for each in model.log_prior.free_symbols}
    ends = (
        each.name
        for each in model.parameters
        if isinstance(each.support, Simplex | UnitInterval) and each.name not in in_prior
    )
    return Identifiability(
        tuple(_exchange(each, model) for each in exchanges(model)),
        tuple(_unidentified(each, model) for each in derivation.unidentified),
        tuple(_unbounded(each, model) for each in unbounded(model)),
        tuple(ends),
    )


def _exchange(found: Exchange, model: Model) -> Exchange:
    swaps = tuple((model.declared(one), model.declared(other)) for one, other in found.swaps)
    return replace(found, size=model.declared(found.size), swaps=swaps)


def _unidentified(found: Unidentified, model: Model) -> Unidentified:
    parameters, forms = (tuple(map(model.declared, each)) for each in (found.parameters, found.forms))
    return replace(found, parameters=parameters, forms=forms)


def _unbounded(found: Unbounded, model: Model) -> Unbounded:
    return Unbounded(*(model.declared(each) for each in (found.spread, found.location, found.at)))
