"""Elimination, and what is done where no order of it works: quadrature, or a mean field, if one is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from symem.calculus.eliminate import eliminate, in_some_order
from symem.calculus.eliminated import Elimination
from symem.calculus.gathering import check_counts
from symem.calculus.mean_field import Field, fields
from symem.calculus.separate import Term
from symem.errors import NotDerivedError
from symem.language.model import Model

#: What `approximate=` may be.
QUADRATURE, MEAN_FIELD = "quadrature", "mean field"
APPROXIMATIONS = (QUADRATURE, MEAN_FIELD)


@dataclass(frozen=True)
class Gone:
    """All latents are gone: what is left, by `rest`, of the `stated` model, and the field of the factors that stand for some.

    `complete` are the terms of which Q is the mean, `lettered` the model in whose parameters.
    """

    rest: Elimination
    stated: Model
    complete: tuple[Term, ...]
    lettered: Model
    field: Field | None = None


def eliminate_or_approximate(state: Elimination, approximate: str | None) -> Gone:
    """What is left when every latent is gone, and the factors of a mean field, where these stand for some.

    Raises:
        NotDerivedError: no order works, nor does the approximation that was asked for; where none was, the message says which does.
    """
    exact = Gone(state, state.model, state.terms, state.model)
    if approximate == MEAN_FIELD:
        check_counts(state.terms, state.model.latents, state.model.weights)
        refusals: list[NotDerivedError] = []
        return exact if in_some_order(state, refusals) else _by_factors(state, refusals[0])
    try:
        eliminate(state, approximate=approximate == QUADRATURE)
    except NotDerivedError as refusal:
        if approximate is not None or "approximate=" in str(refusal):
            raise
        raise _with_hint(state, refusal) from None
    return exact


def _by_factors(state: Elimination, refusal: NotDerivedError) -> Gone:
    """The first field of which the rest is eliminated.

    Raises:
        NotDerivedError: there is none; what stands in the way of a factor, and of elimination.
    """
    before, refusals = set(state.names.taken), list[NotDerivedError]()
    for field in fields(state.model, state.names, state.terms, refusals):
        rest = Elimination(field.model, state.names, field.explicit(field.terms), state.groups, [])
        if in_some_order(rest, refusals):
            return Gone(rest, state.model, field.terms, field.lettered, field)
        state.names.taken = set(before)
    why = next((each for each in refusals if "factor" in str(each) or "coupled" in str(each)), refusal)
    raise NotDerivedError(f"No mean field was derived. {why}")


def _with_hint(state: Elimination, refusal: NotDerivedError) -> NotDerivedError:
    """A refusal that tells of a mean field where there is one."""
    try:
        field = _by_factors(state, refusal).field
    except (
        NotDerivedError,
        ArithmeticError,
        AttributeError,
        NotImplementedError,
        RecursionError,
        TypeError,
        ValueError,
    ):
        return refusal
    names = " and ".join(each.latent.name for each in field.factors) if field is not None else ""
    return NotDerivedError(
        f'{str(refusal).removesuffix(".")}; derive(approximate="{MEAN_FIELD}") gives {names} factors of a mean field, an approximation.'
    )
