"""The steps of a derivation in the textbook's order: law, before, after, why.

Nothing is derived here: the records are put side by side, so that every step can be evaluated on both sides.
In the E-step a parameter means θ⁽ᵗ⁾, in the M-step the new one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from typing import Any, assert_never

from sympy import Add, Expr, Integer, Mul, Sum, Symbol, exp, log, loggamma, pi

from symem.calculus.laws import LAWS
from symem.derivation import (
    THEORY,
    CellCounts,
    Conditional,
    Definition,
    Derivation,
    GaussianVector,
    MemberCounts,
    Posterior,
    Recognised,
    Shared,
    Shares,
    Step,
    Table,
    Update,
)
from symem.language.leaves import name_of
from symem.language.matrices import (
    COORDINATE,
    ENTRY,
    BlockInverse,
    Diagonal,
    is_matrix,
    transpose,
)
from symem.language.plates import total
from symem.language.supports import Simplex
from symem.language.traces import Tr, block_log_det, inverse, log_det, trace

Arguments = Mapping[str, Expr]
Ends = tuple[Expr, Expr]


def steps(derivation: Derivation) -> Derivation:
    """The derivation with its steps."""
    told = (
        *_separated(derivation),
        *_e_step(derivation),
        *_surrogate(derivation),
        *_m_step(derivation),
        *_ascent(derivation),
    )
    return replace(derivation, steps=told)


def _step(
    stage: str,
    law: str,
    before: Expr,
    after: Expr,
    about: tuple[Expr, ...] = (),
    defines: tuple[Definition, ...] = (),
    **particulars: Any,
) -> Step:
    return Step(stage, LAWS[law], before, after, about, particulars, defines)


def _separated(derivation: Derivation) -> Iterator[Step]:
    law = "words" if derivation.complete.has(Tr) else "separation"
    yield _step("model", law, derivation.model.log_likelihood, derivation.complete)


# E-step -----------------------------------------------------------------------------------------------


def _e_step(derivation: Derivation) -> Iterator[Step]:
    for posterior in derivation.posteriors:
        match posterior:
            case Table():
                yield from _finite(posterior)
            case CellCounts() | MemberCounts():
                yield _shares(posterior)
            case GaussianVector():
                yield _gaussian(posterior)
            case Recognised():
                yield _recognised(posterior)
            case _:
                assert_never(posterior)
    yield _step("likelihood", "elimination", derivation.complete, derivation.log_likelihood)


def _finite(posterior: Table) -> Iterator[Step]:
    weight, probability, outcome = posterior.log_weight, posterior.probability, posterior.outcome
    gathered = _tabulated(posterior).xreplace({posterior.atom: posterior.value})
    about = (posterior.atom,)
    yield _step("E-step", "outcomes", gathered, weight.value, about, outcome=posterior.value)
    whole = Sum(exp(weight.symbol), outcome.limits)
    yield _step("E-step", "softmax", exp(weight.symbol) / whole, probability.value, about)


def _tabulated(posterior: Posterior) -> Expr:
    """The gathered terms with an axis for each label that they depend on."""
    return posterior.log_density.xreplace({atom: axis.index for atom, axis in posterior.labels})


def _shares(posterior: Shared) -> Step:
    """weight·u - log u! = u (log γ + A) - log u!."""
    u, probability = posterior.atom, posterior.probability
    after = u * (log(probability.symbol) + posterior.log_normaliser.symbol) - loggamma(u + 1)
    return _step(
        "E-step",
        "known total",
        posterior.log_density,
        after,
        (u,),
        total=posterior.trials,
        family=posterior.family,
    )


def _recognised(posterior: Recognised) -> Step:
    u, normaliser = posterior.atom, posterior.log_normaliser
    left = normaliser.value if posterior.inline else normaliser.symbol
    after = posterior.in_arguments + left
    return _step("E-step", "recognition", _tabulated(posterior), after, (u,), family=posterior.words)


def _gaussian(posterior: GaussianVector) -> Step:
    """A vector's quadratic form and the Gaussian that it is, in the entries not seen if some were."""
    u, normaliser = posterior.atom, posterior.log_normaliser
    mean, covariance = posterior.mean, posterior.covariance
    left = normaliser.value if posterior.inline else normaliser.symbol
    law = "Gaussian entries" if posterior.latent.seen else "Gaussian vector"
    density = _seen_density if posterior.latent.seen else _vector_density
    after = density(posterior, mean, covariance) + left
    return _step("E-step", law, _tabulated(posterior), after, (u,), family="multivariate Normal")


def _vector_density(posterior: GaussianVector, mean: Expr, covariance: Expr) -> Expr:
    size = posterior.latent.shape[0]
    constant = -(size * log(2 * pi) + log_det(covariance, size)) / 2
    return constant - _form(posterior.atom - mean, inverse(covariance)) / 2


def _seen_density(posterior: GaussianVector, mean: Expr, covariance: Expr) -> Expr:
    """The density of the entries not seen: the others are those of the mean."""
    precision, mask, size = _unseen_block(posterior, covariance)
    number = 1 / Mul(*covariance.args_cnc()[0])
    unseen = Sum(1 - mask.xreplace({ENTRY: COORDINATE}), (COORDINATE, 0, size - 1))
    constant = (block_log_det(precision, mask, size) + unseen * (log(number) - log(2 * pi))) / 2
    return constant - number * _form(posterior.atom - mean, precision) / 2


def _unseen_block(posterior: GaussianVector, covariance: Expr) -> tuple[Expr, Expr, Expr]:
    """(Λ, mask, size) of the covariance of the entries not seen, which is a diagonal where Λ is one."""
    values = (covariance, *(each.value for each in posterior.parameters))
    blocks = [block for value in values for block in value.atoms(BlockInverse)]
    if blocks:
        precision, mask, size = blocks[0].args
        return precision, mask, size
    assert posterior.latent.seen is not None
    mask = posterior.latent.seen[1][(*getattr(posterior.atom, "indices", ()), ENTRY)]
    entry, size = next(d for value in values for d in value.atoms(Diagonal) if d.has(mask)).args
    return Diagonal((1 - mask) / entry, size), mask, size


def _form(residual: Expr, precision: Expr) -> Expr:
    return trace(transpose(residual) * precision * residual, 1)


# Q ------------------------------------------------------------------------------------------------------


def _surrogate(derivation: Derivation) -> Iterator[Step]:
    q = derivation.surrogate
    whole = derivation.complete + derivation.model.log_prior
    prior = ", plus the log-prior" if derivation.model.log_prior != 0 else ""
    yield _step("surrogate", "expectation", whole, q.value, defines=q.statistics, prior=prior)


# M-step -------------------------------------------------------------------------------------------------


def _m_step(derivation: Derivation) -> Iterator[Step]:
    for _, block in groupby(derivation.updates, key=lambda update: update.block):
        earlier: list[Update] = []
        for update in block:
            yield from _update(derivation, update, earlier)
            earlier.append(update)


def _update(derivation: Derivation, update: Update, earlier: list[Update]) -> Iterator[Step]:
    parameter = update.parameter
    if isinstance(update, Shares):
        q = derivation.surrogate.value
        yield _step("M-step", "multiplier", q, q + _penalty(derivation, update), (parameter,))
    vanishing = "matrix stationarity" if is_matrix(parameter) else "stationarity"
    yield _step("M-step", vanishing, update.equation, Integer(0), (parameter,))
    law = "conditional" if isinstance(update, Conditional) else update.law
    multiplier = update.multiplier[1] if isinstance(update, Shares) else None
    yield _step("M-step", law, parameter, update.nested, (parameter,), multiplier=multiplier)
    if update.nested != update.value:
        used = [
            u.parameter
            for u in earlier
            if name_of(u.parameter) in {name_of(a) for a in _atoms(update.nested)}
        ]
        names = ", ".join(map(str, used))
        yield _step("M-step", "substitution", update.nested, update.value, (parameter,), earlier=names)
    for certificate in derivation.certificates:
        if certificate.parameter == parameter:
            claim = next(each for each in certificate.claims if each.name == "second order")
            yield _step(
                "M-step",
                "second order",
                parameter,
                update.value,
                (parameter,),
                status=claim.status.value,
                argument=claim.argument,
            )


# ascent -------------------------------------------------------------------------------------------------


def _ascent(derivation: Derivation) -> Iterator[Step]:
    """Q with H(q) is below the objective everywhere and meets it at θ⁽ᵗ⁾, so that raising Q raises the objective."""
    model, q = derivation.model, derivation.surrogate
    objective = derivation.log_likelihood + model.log_prior
    entropy = Definition(Symbol("H_q", real=True), (), q.constant + q.entropy)
    old = Definition(Symbol("L_old", real=True), (), objective)
    bound = q.value + entropy.symbol
    prior: dict[str, Any] = _with_prior() if model.log_prior != 0 else {}
    rises = (
        "conditional ascent"
        if any(isinstance(update, Conditional) for update in derivation.updates)
        else "ascent"
    )
    yield _step("ascent", "lower bound", objective, bound, defines=(entropy,), **prior)
    yield _step("ascent", "tight bound", objective, bound, defines=(entropy,), **prior)
    yield _step("ascent", rises, objective, old.symbol, defines=(old,), **prior)


def _with_prior() -> dict[str, str]:
    """The objective's names in MAP-EM."""
    names = {at: f"objective_{at}" for at in ("theta", "old", "next")}
    return {name: f"{THEORY[name]} + log p({THEORY[at]})" for at, name in names.items()}


def _penalty(derivation: Derivation, update: Shares) -> Expr:
    """λ (1 - Σ θ), at one row of the array."""
    model = derivation.model
    multiplier = update.multiplier[0]
    group = next((each for each in model.simplexes if str(update.parameter) in each), None)
    if group:
        return multiplier * (1 - Add(*(model.variables[name].symbol for name in group)))
    support = model.variables[name_of(update.parameter)].support
    assert isinstance(support, Simplex)
    return multiplier * (1 - total(update.parameter, update.definition.axes[-support.axes :]))


def _atoms(expr: Expr) -> set[Expr]:
    return {entry for entry in expr.atoms() if entry.is_Symbol}
