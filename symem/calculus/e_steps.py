"""The steps of the E-step, latent by latent: what is gathered, what it is recognised as, what elimination leaves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, assert_never

from sympy import Add, Eq, Expr, Sum, Symbol, exp, log, loggamma

from symem.algebra.exponential import exponential
from symem.calculus.chain_steps import steps_along
from symem.calculus.laws import step
from symem.calculus.quadrature_steps import quadrature_steps, shares_of_nodes
from symem.derivation import (
    Causes,
    CellCounts,
    Definition,
    Derivation,
    DirichletShares,
    Ends,
    GaussianStates,
    GaussianVector,
    MemberCounts,
    Neighbours,
    Posterior,
    Quadrature,
    Recognised,
    Shared,
    Step,
    Table,
)
from symem.language.leaves import places_of
from symem.language.matrices import transpose
from symem.language.traces import inverse, trace

STAGE = "E-step"


def e_step(derivation: Derivation) -> Iterator[Step]:
    """The posterior of each latent, those together that share a normaliser; then ℓ, which is left."""
    for _, group in groupby(derivation.posteriors, key=lambda each: each.log_normaliser.symbol):
        posteriors = tuple(group)
        yield _gathered(posteriors)
        if isinstance(posteriors[0], Neighbours):
            yield from steps_along(posteriors[0], derivation.model.parameters)
            continue
        for posterior in posteriors:
            yield from _recognised(posterior)
        yield _normaliser(posteriors)
        for posterior in posteriors:
            if isinstance(posterior, Quadrature):
                yield from shares_of_nodes(posterior)
        for posterior in posteriors:
            yield from _moments(posterior)
    law = "elimination of counted rows" if derivation.model.weights else "elimination"
    law = "free energy" if derivation.mean_field else law
    yield step("likelihood", law, derivation.complete, derivation.log_likelihood)


def _gathered(posteriors: Sequence[Posterior]) -> Step:
    """The terms that hold the latents are their log-density."""
    first = posteriors[0]
    given = [Eq(label, axis.index, evaluate=False) for label, axis in first.labels]
    along = first.along if isinstance(first, Neighbours) else None
    return step(
        STAGE,
        "Bayes' rule" if along is None else "coupled terms",
        first.joint,
        Add(*(each.log_density for each in posteriors)),
        tuple(each.atom for each in posteriors),
        axes=tuple(axis for axis in first.axes if axis != along),
        given=(", given ", given) if given else "",
    )


def _recognised(posterior: Posterior) -> Iterator[Step]:
    match posterior:
        case Causes():
            yield from _causes(posterior)
        case Table():
            yield from _table(posterior)
        case CellCounts() | MemberCounts():
            yield from _counts(posterior)
        case Recognised():
            yield from _family(posterior)
        case GaussianVector():
            yield _vector(posterior)
        case Quadrature():
            yield from quadrature_steps(posterior)
        case GaussianStates():
            return
        case _:
            assert_never(posterior)


def _normaliser(posteriors: Sequence[Posterior]) -> Step:
    """log ∫ of the exponential: A, or of counts with a total A per count over the total's factorial."""
    first = posteriors[0]
    left, about = first.log_normaliser, tuple(each.atom for each in posteriors)
    whole = left.value
    if isinstance(first, Shared):
        whole = first.trials * whole - loggamma(first.trials + 1)
    density = Add(*(each.log_density for each in posteriors))
    return step(STAGE, "log-normaliser", density, whole, about, (left,), axes=first.axes)


def _moments(posterior: Posterior) -> Iterator[Step]:
    """Each mean that Q asks for."""
    about, axes = (posterior.atom,), posterior.axes
    for moment in posterior.moments:
        statistic = next(each for each, mean in posterior.expectations.items() if mean == moment.symbol)
        yield step(STAGE, "moments", statistic, moment.value, about, (moment,), axes=axes)
    if isinstance(posterior, GaussianVector):
        z, mean = posterior.atom, posterior.mean
        square = posterior.covariance + mean * transpose(mean)
        yield step(STAGE, "moments", z * transpose(z), square, about, axes=axes)


# tables and counts --------------------------------------------------------------------------------------


def _table(posterior: Table) -> Iterator[Step]:
    weight, probability, outcome = posterior.log_weight, posterior.probability, posterior.outcome
    at_outcome = posterior.log_density.xreplace({posterior.atom: posterior.value})
    about, axes = (posterior.atom,), weight.axes
    at = Eq(posterior.atom, posterior.value, evaluate=False)
    yield step(STAGE, "outcomes", at_outcome, weight.value, about, (weight,), axes=axes, outcome=at)
    share = exp(weight.symbol) / Sum(exp(weight.symbol), outcome.limits)
    family = posterior.family
    yield step(STAGE, "softmax", share, probability.value, about, (probability,), axes=axes, family=family)


def _causes(posterior: Causes) -> Iterator[Step]:
    """What latents that act together say at the two values of their product, its mean, and the share of each."""
    weight, about, axes = posterior.log_weight, (posterior.atom,), posterior.axes
    product, (zero, one) = posterior.product, map(exponential, posterior.says)
    free, failed, mean, every, short, *others = posterior.parts
    at = Eq(posterior.atom, posterior.value, evaluate=False)
    alone = posterior.alone.xreplace({posterior.atom: posterior.value})
    yield step(STAGE, "outcomes", alone, weight.value, about, (weight,), axes=weight.axes, outcome=at)
    mixed = log((1 - product) * zero + product * one)
    yield step(STAGE, "acting together", posterior.together, mixed, about, axes=axes, product=product)
    share = exp(weight.symbol) / Sum(exp(weight.symbol), posterior.outcome.limits)
    one_mean = log(Sum(share * posterior.factor, posterior.outcome.limits))
    whole = Sum(one_mean, *(axis.limits for axis in posterior.coupled))
    told, all_log = (free, failed, mean, every, short), -exp(every.symbol)
    yield step(STAGE, "mean of a product", whole, all_log, about, told, axes=axes, product=product)
    there, all_there = exp(all_log + exp(mean.symbol)), exp(all_log)
    given = (1 - there) * zero + there * one
    kept = posterior.factor * given + (1 - posterior.factor) * zero
    known = share * kept / ((1 - all_there) * zero + all_there * one)
    own = posterior.probability
    yield step(STAGE, "shares of causes", known, own.value, about, (*others, own), axes=own.axes)


def _counts(posterior: Shared) -> Iterator[Step]:
    """u η - log u! = u (log γ + A) - log u!."""
    u, probability, axes = posterior.atom, posterior.probability, posterior.axes
    if isinstance(posterior, CellCounts):
        weight, weighted = posterior.log_weight, u * posterior.log_weight.symbol - loggamma(u + 1)
        yield step(STAGE, "weights", posterior.log_density, weighted, (u,), (weight,), axes=axes)
    after = u * (log(probability.symbol) + posterior.log_normaliser.symbol) - loggamma(u + 1)
    told: dict[str, Any] = {"total": posterior.trials, "family": posterior.family}
    yield step(STAGE, "known total", posterior.log_density, after, (u,), (probability,), axes=axes, **told)


# families -----------------------------------------------------------------------------------------------


def _family(posterior: Recognised) -> Iterator[Step]:
    """Σ ηᵣ Tᵣ(u) + log h(u), then the same as the density at its arguments and the normaliser."""
    axes, about, statistics = posterior.axes, (posterior.atom,), posterior.statistics
    base = posterior.face.base_measure(posterior.atom, posterior.bounds)
    natural = base + Add(*(eta * each for eta, each in zip(posterior.natural, statistics, strict=True)))
    if statistics:
        names = [f"eta_{place + 1}" for place in range(len(statistics))] if len(statistics) > 1 else ["eta"]
        pairs = zip(names, posterior.natural, strict=True)
        etas = tuple(Definition(Symbol(name), axes, value) for name, value in pairs)
        beside = (" (beside the fixed ", base, ")") if base != 0 else ""
        told: dict[str, Any] = {"statistics": list(statistics), "base": beside}
        yield step(STAGE, "natural form", posterior.log_density, natural, about, etas, axes=axes, **told)
    left = posterior.log_normaliser
    after = posterior.in_arguments + (left.value if posterior.inline else left.symbol)
    support = Ends(*posterior.bounds, posterior.row.home.discrete)
    told = {"family": posterior.words, "support": support, "arguments": _arguments(posterior)}
    yield step(STAGE, "recognition", natural, after, about, posterior.parameters, axes=axes, **told)


def _arguments(posterior: Recognised) -> tuple[Any, ...]:
    """The arguments by their names in the literature."""
    if isinstance(posterior, DirichletShares):
        return (" of shares that add up to 1, each with its α, here ", posterior.arguments["alpha"])
    known = {name: posterior.face.argument(name).word or name for name in posterior.arguments}
    told = [(f"{known[name]} ", value) for name, value in posterior.arguments.items()]
    cut = ", cut from one with " if posterior.is_cut else " with "
    return (cut, *told[0], *(part for each in told[1:] for part in (" and ", *each))) if told else ()


# vectors ------------------------------------------------------------------------------------------------


def _vector(posterior: GaussianVector) -> Step:
    """A vector's quadratic form and the Gaussian that it is, in the entries not seen if some were."""
    normaliser, seen = posterior.log_normaliser, posterior.latent.seen
    law = "Gaussian entries" if seen else "Gaussian vector"
    precision = posterior.natural[1] if seen else inverse(posterior.covariance)
    density = -posterior.log_volume - _square(posterior, precision) / 2
    after = density + (normaliser.value if posterior.inline else normaliser.symbol)
    places = places_of(posterior.atom)
    companions = {"observed": seen[0], "missing": seen[1]} if seen else {}
    told: dict[str, Any] = {name: each[places] if places else each for name, each in companions.items()}
    about, axes = (posterior.atom,), posterior.axes
    return step(STAGE, law, posterior.log_density, after, about, posterior.parameters, axes=axes, **told)


def _square(posterior: GaussianVector, precision: Expr) -> Expr:
    residual = posterior.atom - posterior.mean
    return trace(transpose(residual) * precision * residual, 1)
