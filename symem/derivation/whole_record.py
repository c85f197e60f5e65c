"""All that was found, in the order of the theory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from sympy import Expr

from symem.derivation.definition import Definition
from symem.derivation.expected_statistics import Surrogate
from symem.derivation.exponential_family import ExponentialFamily, NoExponentialFamily
from symem.derivation.factors import Factor
from symem.derivation.information_blocks import InformationBlock
from symem.derivation.posterior_kinds import Posterior, Quadrature, Table
from symem.derivation.told_steps import Step
from symem.derivation.update_kinds import (
    Ascent,
    Certificate,
    NotDerived,
    Score,
    Unidentified,
    Update,
    defined_by,
)
from symem.language.model import Model
from symem.language.reading import Extent


@dataclass(frozen=True)
class Derivation:
    """Everything that was found; `family` once it was asked for, `information` and its steps in `informed`.

    With factors of a `mean_field` the log-likelihood is a free energy, in which their arguments are parameters.
    """

    model: Model
    complete: Expr
    posteriors: tuple[Posterior, ...]
    log_likelihood: Expr
    surrogate: Surrogate
    updates: tuple[Update, ...]
    not_derived: tuple[NotDerived, ...]
    certificates: tuple[Certificate, ...] = ()
    steps: tuple[Step, ...] = field(default=())
    unidentified: tuple[Unidentified, ...] = ()
    scores: tuple[Score, ...] = ()
    information: tuple[InformationBlock, ...] = ()
    family: ExponentialFamily | NoExponentialFamily | None = None
    inform: Callable[[Derivation], Derivation] | None = field(default=None, compare=False, repr=False)
    mean_field: tuple[Factor, ...] = ()

    @cached_property
    def informed(self) -> Derivation:
        """The record with the information on the parameters and its steps, which are found when they are asked for."""
        return self if self.inform is None else self.inform(self)

    @property
    def definitions(self) -> tuple[Definition, ...]:
        """The E-step as a straight-line program; names that two posteriors share come once."""
        found = {each.symbol: each for posterior in self.posteriors for each in posterior.definitions}
        return tuple(found.values())

    @property
    def arrays(self) -> tuple[Definition, ...]:
        """Every named array: of the E-step, the statistics, the updates, and of the exponential family."""
        updates = (each for update in self.updates for each in defined_by(update))
        family = () if self.family is None else self.family.lines
        return (*self.definitions, *self.surrogate.statistics, *updates, *family)

    @property
    def own_extents(self) -> tuple[Extent, ...]:
        """Sizes of the tables of latents, where data show them, and the numbers of nodes."""
        tables = (each for each in self.posteriors if isinstance(each, Table | Quadrature))
        found = (each.extent for each in tables if each.extent is not None)
        return tuple({each.symbol: each for each in found}.values())

    @property
    def approximated(self) -> tuple[Quadrature, ...]:
        """The posteriors that are approximations."""
        return tuple(each for each in self.posteriors if isinstance(each, Quadrature))

    @property
    def one_step(self) -> tuple[Expr, ...]:
        """The parameters for which Q is raised by one step of Newton's method, and not maximised (Lange 1995)."""
        return tuple(
            each.parameter for each in self.updates if isinstance(each, Ascent) and each.within.one_step
        )

    @property
    def approximation(self) -> str:
        """What of it is no identity, in a sentence; empty where all are."""
        if self.mean_field:
            return _of_factors(self.mean_field)
        if not self.approximated:
            return ""
        latents = list(dict.fromkeys(each.latent.name for each in self.approximated))
        names, verb = " and ".join(latents), "is" if len(latents) == 1 else "are"
        return (
            f"This is an approximation: {names} {verb} summed over nodes, and all that follows holds up to the error of that "
            "quadrature, which a fit measures by twice as many nodes."
        )

    @property
    def extents(self) -> tuple[Extent, ...]:
        """Sizes that data show."""
        return (*self.model.extents, *self.own_extents)


def _of_factors(factors: Sequence[Factor]) -> str:
    """What a mean field says of itself."""
    names = " and ".join(each.latent.name for each in factors)
    them = "a factor of its own" if len(factors) == 1 else "factors of their own"
    return (
        f"This is an approximation, a mean field: {names} {'has' if len(factors) == 1 else 'have'} {them} in place of the posterior, and what "
        "is raised is the free energy F, which is at most the log-likelihood."
    )
