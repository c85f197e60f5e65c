"""Constants of densities in one spelling: log π is written log 2π - log 2, so that halves and thirds of it add up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sympy import Add, Expr, Sum, expand_mul, log, pi

from symem.derivation import Definition, Derivation

_LOG_PI = {log(pi): log(2 * pi) - log(2)}


def with_folded_constants(derivation: Derivation) -> Derivation:
    """The derivation with the constants of every sum as one term."""

    def rewritten(definition: Definition) -> Definition:
        return replace(definition, value=folded(definition.value))

    posteriors = tuple(each.rewritten(rewritten) for each in derivation.posteriors)
    return replace(derivation, posteriors=posteriors, log_likelihood=folded(derivation.log_likelihood))


def folded(value: Expr) -> Expr:
    """The value with the logarithms of π in its sums gathered."""
    if not value.has(pi):
        return value
    if isinstance(value, Add):
        return Add(*(_apart(each) for each in value.args))
    if isinstance(value, Sum):
        return value.func(folded(value.function), *value.limits)
    return _mapped(value, folded)


def _apart(term: Expr) -> Expr:
    """A term of a sum, without log π."""
    if isinstance(term, Sum) or not term.has(log(pi)):
        return folded(term)
    return expand_mul(term.xreplace(_LOG_PI), deep=False)


def _mapped(value: Expr, change: Callable[[Expr], Expr]) -> Expr:
    return value.func(*map(change, value.args)) if value.args else value
