"""The steps of a derivation in the textbook's order: law, before, after, why.

Nothing is derived here: the records are put side by side, so that every step can be evaluated on both sides.
In the E-step a parameter means θ⁽ᵗ⁾, in the M-step the new one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sympy import Symbol

from symem.algebra.about_zero import AboutZero
from symem.algebra.rewriting import inlined
from symem.calculus.e_steps import e_step
from symem.calculus.factor_steps import field_steps
from symem.calculus.information_steps import information
from symem.calculus.laws import step
from symem.calculus.m_steps import m_step
from symem.derivation import THEORY, Conditional, Definition, Derivation, InformationBlock, Step
from symem.language.traces import Tr


def steps(derivation: Derivation) -> Derivation:
    """The derivation with its steps, but for those of the information."""
    told = (
        *(_separated(derivation) if not derivation.mean_field else field_steps(derivation)),
        *e_step(derivation),
        *_surrogate(derivation),
        *m_step(derivation),
        *_ascent(derivation),
    )
    return replace(derivation, steps=told)


def with_information(derivation: Derivation, blocks: tuple[InformationBlock, ...]) -> Derivation:
    """The derivation with the information on its parameters, and the steps that tell of it."""
    found = replace(derivation, information=blocks, inform=None)
    return replace(found, steps=(*derivation.steps, *information(found)))


def _separated(derivation: Derivation) -> Iterator[Step]:
    law = "words" if derivation.complete.has(Tr) else "separation"
    yield step("model", law, derivation.model.log_likelihood, derivation.complete)


# Q ------------------------------------------------------------------------------------------------------


def _surrogate(derivation: Derivation) -> Iterator[Step]:
    q = derivation.surrogate
    whole = derivation.complete + derivation.model.log_prior
    prior = ", plus the log-prior" if derivation.model.log_prior != 0 else ""
    mean = inlined(AboutZero(q.moments)(q.value), q.statistics)
    yield step("surrogate", "expectation", whole, mean, prior=prior)
    if q.statistics:
        yield step("surrogate", "sufficient statistics", mean, q.value, defines=q.statistics)
    for scatter in (scatter for each in q.moments for scatter in each.scatters):
        told = scatter.definition.symbol + scatter.excess
        yield step("statistics", "about the mean", scatter.raw, told, (scatter.definition.symbol,))


# ascent -------------------------------------------------------------------------------------------------


def _ascent(derivation: Derivation) -> Iterator[Step]:
    """Q with H(q) is below the objective everywhere and meets it at θ⁽ᵗ⁾, so that raising Q raises the objective."""
    model, q = derivation.model, derivation.surrogate
    objective = derivation.log_likelihood + model.log_prior
    entropy = Definition(Symbol("H_q", real=True), (), q.constant + q.entropy)
    old = Definition(Symbol("L_old", real=True), (), objective)
    bound = q.value + entropy.symbol
    prior: dict[str, Any] = _names(derivation)
    rises = (
        "conditional ascent"
        if any(isinstance(update, Conditional) for update in derivation.updates)
        else "ascent"
    )
    yield step("ascent", "lower bound", objective, bound, defines=(entropy,), **prior)
    yield step("ascent", "tight bound", objective, bound, defines=(entropy,), **prior)
    yield step("ascent", rises, objective, old.symbol, defines=(old,), **prior)


def _names(derivation: Derivation) -> dict[str, str]:
    """The objective's names in MAP-EM, and of a mean field, where they differ from those of the log-likelihood."""
    letter = "F" if derivation.mean_field else "ℓ"
    prior = " + log p({})" if derivation.model.log_prior != 0 else ""
    if letter == "ℓ" and not prior:
        return {}
    names = {at: f"objective_{at}" for at in ("theta", "old", "next")}
    return {name: THEORY[name].replace("ℓ", letter) + prior.format(THEORY[at]) for at, name in names.items()}
