"""The steps of a mean field: the factors, and the best of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from symem.calculus.laws import step
from symem.calculus.separate import fold, rejoin, separate
from symem.derivation import Derivation, Step, Update, defined_by


def field_steps(derivation: Derivation) -> Iterator[Step]:
    """From the log-likelihood of complete data to the free energy of the factors."""
    stated = derivation.model.stated
    if stated is not None:
        before = rejoin(map(fold, separate(stated.log_likelihood)))
        yield step("model", "separation", stated.log_likelihood, before)
        about = tuple(each.atom for each in derivation.mean_field)
        yield step("model", "mean field", before, derivation.complete, about)


def factor_step(derivation: Derivation, updates: Sequence[Update]) -> Step:
    """The best factor: the expected log-density as a function of the latent, and the arguments."""
    parameters = {update.parameter for update in updates}
    factor = next(each for each in derivation.mean_field if parameters & set(each.arguments.values()))
    about = tuple(update.parameter for update in updates)
    defines = tuple(each for update in updates for each in defined_by(update))
    told: dict[str, Any] = {"family": factor.family, "u": factor.atom}
    return step("M-step", "factor", factor.expected, factor.log_law, about, defines, axes=factor.axes, **told)
