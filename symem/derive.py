"""The pipeline on one page: it alone knows the order of the stages.

separate → condition → eliminate (E-step, ℓ) → expected (Q, statistics) → solve_blocks (M-step) → certify → steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache, partial
from typing import Any

from sympy import Add, Expr, Integer

from symem.budget import look
from symem.calculus.angles import angles_apart
from symem.calculus.approximations import APPROXIMATIONS, Gone, eliminate_or_approximate
from symem.calculus.brackets import collapse_brackets
from symem.calculus.certify import certify, leaving, without_refuted
from symem.calculus.conditioning import condition
from symem.calculus.covariances import Covariances, PlainExpectations
from symem.calculus.data_letters import DataLetters
from symem.calculus.eliminated import Elimination
from symem.calculus.entropies import entropy
from symem.calculus.expectation import Expectations, posteriors
from symem.calculus.factor_updates import beside_factors, without_letters
from symem.calculus.final_form import final_form
from symem.calculus.fresh_names import Names
from symem.calculus.identified import with_unidentified
from symem.calculus.information import information_blocks
from symem.calculus.known_totals import as_known_totals, with_known_totals
from symem.calculus.latents_gone import check_latents_gone
from symem.calculus.maximise import Block, Constants, solve_blocks
from symem.calculus.normalisation import check_normalised
from symem.calculus.refusals import obstacle, told, with_numeric, with_reasons
from symem.calculus.scores import with_scores
from symem.calculus.separate import Term, fold, gather, rejoin, separate
from symem.calculus.shared_latents import warn_of_shared
from symem.calculus.signs import Signs
from symem.calculus.statistics import Named
from symem.calculus.steps import steps, with_information
from symem.calculus.surrogate import Reach, expected
from symem.calculus.totalling import Collapse
from symem.derivation import Definition, Derivation, InformationBlock, Posterior, Surrogate, Update
from symem.errors import ModelError, NotDerivedError
from symem.language.leaves import array_of, places_of
from symem.language.model import Model
from symem.language.support import Support

#: What `numeric=` may be beside True and False.
GRADIENT = "gradient"


def check_ways(numeric: bool | str, approximate: str | None) -> None:  # noqa: FBT001
    """What `numeric=` and `approximate=` may be.

    Raises:
        ModelError: one is something else.
    """
    if approximate not in (None, *APPROXIMATIONS):
        known = " or ".join(map(repr, APPROXIMATIONS))
        raise ModelError(f"approximate={approximate!r} is not known: it is None, or {known}.")
    if numeric not in (True, False, GRADIENT):
        raise ModelError(f"numeric={numeric!r} is not known: it is True, False or {GRADIENT!r}.")


def derive_records(model: Model, *, numeric: bool | str = True, approximate: str | None = None) -> Derivation:
    """Derive E-step, observed-data likelihood, surrogate and M-step; without `numeric`, in closed forms alone, and with
    `numeric="gradient"` by one of Newton's steps where there are none; where no order of elimination
    works, with `approximate="quadrature"` latents without a family by quadrature, with "mean field" by factors.

    Raises:
        NormalisationError: the likelihood's total over data and latents depends on a parameter.
        NotDerivedError: the E-step has no closed form; the message names the latent and its log-density.
    """
    look("checking that the likelihood is normalised")
    check_normalised(model)
    try:
        return _told(model, numeric=numeric, approximate=approximate)
    except NotDerivedError:
        fewer = model.without_unseen()
        if fewer is None:
            raise
    return _told(fewer, numeric=numeric, approximate=approximate)


def _told(model: Model, *, numeric: bool | str, approximate: str | None) -> Derivation:
    """The record with its steps."""
    letters = DataLetters.of(model)
    record, blocks = _derived(letters.lettered, numeric=numeric, approximate=approximate)

    def inform(derivation: Derivation) -> Derivation:
        return with_information(derivation, letters.told(blocks()))

    found = with_reasons(letters.told(record))
    return steps(found if found.mean_field else replace(found, inform=inform))


def _derived(
    model: Model, *, numeric: bool | str, approximate: str | None
) -> tuple[Derivation, Callable[[], tuple[InformationBlock, ...]]]:
    """The record, before its steps are told, and what finds the information."""
    look("taking the E-step")
    names = Names(model)
    terms = collapse_brackets(separate(model.log_likelihood), model)
    latents = [latent for latent in model.latents if not latent.support.discrete]
    apart = (part for term in terms for part in angles_apart(term, latents))
    conditioned, groups = condition(model, gather(apart))
    model = with_known_totals(model, groups)
    gone = eliminate_or_approximate(Elimination(model, names, conditioned, groups, []), approximate)
    warn_of_shared(gone.rest.model, gone.rest.done)
    expectations = Expectations(gone.rest.done, names)
    kept = _maximised(gone, terms, expectations, numeric=numeric)
    if gone.field is not None:
        return final_form(kept, names), tuple
    scored = with_scores(final_form(as_known_totals(kept), names), names)
    means = PlainExpectations(gone.rest.done, names, expectations.moments)
    return scored, partial(information_blocks, scored, conditioned, Covariances(means, model.weights), names)


def _maximised(
    gone: Gone, terms: tuple[Term, ...], expectations: Expectations, *, numeric: bool | str
) -> Derivation:
    """Q and its maximum, with what is established of it; `terms` are those of the log-likelihood of complete data."""
    rest, model, names = gone.rest, gone.rest.model, gone.rest.names
    look("gathering Q")
    surrogate = expected(gone.lettered, gone.complete, separate(model.log_prior), expectations, names)
    reach = Reach(model, rest.done)
    collapse = Collapse(surrogate.named.statistics, rest.done, model, names)
    look("taking the M-step")
    factored = without_letters(gone.field, surrogate.named, collapse)
    named = factored.named
    sign = _sign(model, lambda: posteriors(rest.done, expectations), named)
    constants = Constants(collapse, reach, sign, one_step=numeric == GRADIENT)
    any_way = partial(
        solve_blocks, named.terms, gone.stated.parameters, model.simplexes, names, constants=constants
    )
    solve = any_way if numeric else partial(any_way, constants=replace(constants, numeric=False))
    blocks = solve()
    look("writing the entropy")
    disorder = entropy(rest.done, expectations)
    found = Surrogate(rejoin(named.terms), collapse.statistics, surrogate.constant, disorder, named.moments)
    left = Add(*(fold(term).expr for term in rest.terms))
    eliminated = posteriors(rest.done, expectations)
    check_latents_gone(model, eliminated, left, found)
    complete = rejoin(map(fold, terms if gone.field is None else gone.field.plain))
    record = Derivation(
        model, complete, eliminated, left, found, factored.updates, (), mean_field=factored.factors
    )
    look("certifying the updates")
    kept = _certified(record, blocks, solve, collapse)
    if kept.not_derived and not numeric:
        kept = with_numeric(kept, _certified(record, any_way(), any_way, collapse))
    return kept


def _certified(
    record: Derivation, blocks: list[Block], solve: Callable[..., list[Block]], collapse: Collapse
) -> Derivation:
    """The updates that hold, those that may leave their supports as the maximum over these."""
    derivation = certify(_with(record, blocks, collapse.statistics))
    if ended := leaving(derivation):
        derivation = certify(_with(record, solve(ended=ended), collapse.statistics))
    return without_refuted(with_unidentified(derivation))


def _sign(
    model: Model, eliminated: Callable[[], tuple[Posterior, ...]], named: Named
) -> Callable[[Expr], int | None]:
    """The signs of what stands in Q, worked out once they are asked for."""

    @cache
    def signs() -> Signs:
        before = Surrogate(rejoin(named.terms), named.statistics, Integer(0), Integer(0), named.moments)
        return Signs(Derivation(model, Integer(0), eliminated(), Integer(0), before, (), ()))

    def sign(expr: Expr) -> int | None:
        return signs()(expr)

    return sign


def _with(record: Derivation, blocks: list[Block], statistics: tuple[Definition, ...]) -> Derivation:
    return replace(
        record,
        surrogate=replace(record.surrogate, statistics=statistics),
        updates=beside_factors([block.updates() for block in blocks], record.updates),
        not_derived=tuple(outcome for block in blocks for outcome in block.not_derived()),
    )


def maximise(objective: Any, parameters: dict[Any, Support]) -> dict[Any, Expr]:
    """Maximise an expression over parameters: the M-step's solver on its own.

    Parameters
    ----------
    objective : Expr
        a SymPy expression; `Sum`s over `Idx` ranges are read as in a model.
    parameters : dict[Any, Support]
        each parameter with its support, `{p: Simplex()}`.

    Returns
    -------
    dict[Any, Expr]
        parameter -> its maximiser, in the user's symbols: an end of its support where the objective is
        finite there and its derivative may vanish beyond.

    Raises
    ------
    NotDerivedError
        a block has no closed form; the message names the parameters and the term.
    """
    model = Model.of_objective(objective, parameters)
    names = Names(model)
    terms = gather(
        part for term in separate(model.log_likelihood) for part in angles_apart(term, model.parameters)
    )
    solve = partial(solve_blocks, terms, model.parameters, model.simplexes, names)
    value = rejoin(terms)
    surrogate = Surrogate(value, (), Integer(0), Integer(0))
    record = Derivation(model, value, (), value, surrogate, (), ())
    found = _with(record, solve(), ())
    if ended := leaving(certify(found), of_data=False):
        found = _with(record, solve(ended=ended), ())
    refused = [obstacle(outcome, lambda expr: told(model.declared(expr))) for outcome in found.not_derived]
    if refused:
        raise NotDerivedError(f"{'. '.join(refused)}.")
    return _by_parameter(model, found.updates)


def _by_parameter(model: Model, updates: Iterable[Update]) -> dict[Any, Expr]:
    found = {}
    for update in updates:
        atom = model.declared(update.parameter)
        whole = all(not place.is_Integer for place in places_of(update.parameter))
        found[array_of(atom) if whole else atom] = model.declared(update.value)
    return found
