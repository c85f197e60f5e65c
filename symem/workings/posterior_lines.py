"""The E-step line by line: numerator, evidence and their ratio; coefficients compared; squares completed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sympy import Add, Expr, Mul, Pow, Sum, exp

from symem.algebra.exponential import exponential
from symem.algebra.rewriting import form
from symem.calculus.checker import Checker
from symem.derivation import Causes, Definition, GaussianVector, Posterior, Recognised, Step, Table
from symem.language.matrices import is_matrix, transpose
from symem.language.traces import inverse
from symem.report.notation.printed_form import by_outcome
from symem.workings.line_laws import line

#: Operations up to which a weight is written out under the fraction line.
SHORT = 80


def posterior_of(step: Step, checker: Checker) -> Posterior:
    """The posterior that a step of the E-step is about."""
    return next(each for each in checker.derivation.posteriors if each.atom == step.about[0])


def weighed(steps: tuple[Step, ...], checker: Checker) -> Iterator[Step]:
    """exp η, Σ exp η and their ratio, as products of powers; value by value where the formula counts with the value."""
    for step in steps:
        table = posterior_of(step, checker)
        if isinstance(table, Table) and not isinstance(table, Causes):
            weights = by_outcome(table.log_weight, table.outcome)
            if not any(each.value.has(exp) or each.value.count_ops() > SHORT for each in weights):
                yield from _of_weights(step, table, weights)


def _of_weights(step: Step, table: Table, weights: Sequence[Definition]) -> Iterator[Step]:
    axes, outcome = table.probability.axes, table.outcome
    above = [exponential(each.value) for each in weights]
    for weight, power in zip(weights, above, strict=True):
        yield line("numerator and evidence", step, exp(weight.symbol), power, axes=axes)
    whole = Sum(exp(table.log_weight.symbol), outcome.limits)
    apart = len(weights) > 1
    below = Add(*above) if apart else Sum(above[0], outcome.limits)
    yield line("numerator and evidence", step, whole, below, axes=axes)
    share = table.probability.symbol
    if not apart:
        yield line("ratio", step, share, above[0] / below, axes=axes)


def matched(steps: tuple[Step, ...], checker: Checker) -> Iterator[Step]:
    """η of the family at its arguments, and η as it was gathered."""
    for step in steps:
        found = posterior_of(step, checker)
        if not isinstance(found, Recognised) or found.inline or not found.natural:
            continue
        own = found.face.natural_parameters(found.arguments, found.bounds)
        told: dict[str, Any] = {"family": found.words, "statistics": list(found.statistics)}
        for mine, gathered in zip(own, found.natural, strict=True):
            yield line("coefficients", step, mine, gathered, **told)


def completed_square(steps: tuple[Step, ...], checker: Checker) -> Iterator[Step]:
    """m u/v - u²/(2v) = -(u - m)²/(2v) + m²/(2v), of numbers and of vectors."""
    for step in steps:
        found = posterior_of(step, checker)
        if isinstance(found, GaussianVector) and found.latent.seen is None and not found.inline:
            yield line("completed square", step, *_of_vectors(found))
        elif isinstance(found, Recognised) and _is_quadratic(found):
            linear, square = found.face.natural_parameters(found.arguments, found.bounds)
            mean, u = -linear / (2 * square), found.atom
            before = linear * u + square * u**2
            yield line("completed square", step, before, square * (u - mean) ** 2 - square * mean**2)


def _is_quadratic(found: Recognised) -> bool:
    u = found.atom
    return not found.inline and found.statistics == (u, Pow(u, 2)) and not is_matrix(u)


def _of_vectors(found: GaussianVector) -> tuple[Expr, Expr]:
    z, mean, precision = found.atom, found.mean, inverse(found.covariance)

    def within(left: Expr, right: Expr) -> Expr:
        return form(Mul(transpose(left), precision, right))

    residual = z - mean
    return within(mean, z) - within(z, z) / 2, within(mean, mean) / 2 - within(residual, residual) / 2
