"""The invariant of elimination: no latent is left in the E-step's formulas, in the statistics, in Q or in ℓ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sympy import Expr

from symem.calculus.gathering import atoms_of
from symem.derivation import Definition, Posterior, Recognised, Surrogate
from symem.errors import NotDerivedError
from symem.language.model import Model


def check_latents_gone(
    model: Model, posteriors: Iterable[Posterior], log_likelihood: Expr, surrogate: Surrogate
) -> None:
    """Refuse a derivation in which elimination has left a latent behind.

    Raises:
        NotDerivedError: naming the latent and where it is left.
    """
    for where, value in _formulas(posteriors, log_likelihood, surrogate):
        left = [atom for latent in model.latents for atom in atoms_of(value, latent)]
        if left:
            raise NotDerivedError(
                f"The E-step was not derived: {left[0]} is left in {where}. Integrate it out by hand, or state the model so "
                f"that each latent's terms, the others given, are those of a family."
            )


def _formulas(
    posteriors: Iterable[Posterior], log_likelihood: Expr, surrogate: Surrogate
) -> Iterator[tuple[str, Expr]]:
    for posterior in posteriors:
        yield from _defined(f"the posterior of {posterior.atom}", posterior.definitions)
        if isinstance(posterior, Recognised):
            yield from ((f"the ends of the range of {posterior.atom}", end) for end in posterior.bounds)
    yield "the log-likelihood", log_likelihood
    yield from _defined("the expected statistics", surrogate.statistics)
    yield "Q", surrogate.value


def _defined(where: str, definitions: Iterable[Definition]) -> Iterator[tuple[str, Expr]]:
    return ((where, each.value) for each in definitions)
