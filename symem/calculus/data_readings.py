"""What the data of a stated likelihood could be, as it does not say where they lie: 0 or 1, counts, numbers on a half-line."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from sympy import Expr, IndexedBase, Symbol, loggamma

from symem.calculus.gathering import gather_latent
from symem.calculus.separate import Term, separate
from symem.language.model import Model, Role, Variable
from symem.language.support import Support
from symem.language.supports import Binary, Counts, Positive


@dataclass(frozen=True)
class Reading:
    """The datum on a support, with the log of a base measure that the likelihood may have left out."""

    support: Support
    base: Callable[[Expr], Expr] | None = None


def counting_readings(model: Model, variable: Variable) -> Iterator[Reading]:
    """What a datum may be whose log-density is linear in it."""
    yield from (Reading(Binary()), Reading(Counts()), Reading(Positive()))
    yield Reading(Counts(), lambda u: -loggamma(u + 1))
    for total in (*model.known, *model.data):
        if total.name != variable.name and total.sizes in ((), variable.sizes):
            yield Reading(Counts(), partial(_binomial, total))


def _binomial(total: Variable, u: Expr) -> Expr:
    size = total.symbol[u.indices] if total.sizes else total.symbol
    return -loggamma(u + 1) - loggamma(size - u + 1)


def read_as(model: Model, variable: Variable, reading: Reading) -> Model:
    """The model with a datum as a latent on that support; a vector may be any."""
    if variable.shape:
        return _with(model, replace(variable, role=Role.LATENT))
    assumptions = reading.support.assumptions
    array = isinstance(variable.symbol, IndexedBase)
    symbol = IndexedBase(variable.name, **assumptions) if array else Symbol(variable.name, **assumptions)
    latent = replace(variable, symbol=symbol, role=Role.LATENT, support=reading.support)
    trial = _with(model, latent)
    trial.log_likelihood = model.log_likelihood.xreplace({variable.symbol: symbol})
    if reading.base is not None:
        conditional = gather_latent(separate(trial.log_likelihood), latent)
        base = Term(reading.base(conditional.atom) * conditional.condition, conditional.position)
        trial.log_likelihood += base.expr
    return trial


def _with(model: Model, latent: Variable) -> Model:
    trial = copy.copy(model)
    trial.variables = {**model.variables, latent.name: latent}
    return trial
