"""The steps that say what the data tell of the parameters: the score, complete information, what of it is missing, what is left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sympy import Symbol, factor_terms, together

from symem.calculus.laws import step
from symem.derivation import Definition, Derivation, InformationBlock, Score, Step
from symem.language.plates import total

#: Of more operations than these no ratio is written out.
_SHORT = 60


def information(derivation: Derivation) -> Iterator[Step]:
    """Of every parameter its score, of every two the information, and the missing information principle."""
    prior = ", the log-prior added" if derivation.model.log_prior != 0 else ""
    for score in derivation.scores:
        yield _score(score, prior)
    if not derivation.scores:
        return
    blocks = sorted(derivation.information, key=lambda block: block.directions != (1, 1))
    yield from _complete(blocks)
    yield from _missing(derivation, blocks)
    raised, q = derivation.log_likelihood + derivation.model.log_prior, derivation.surrogate.value
    pairs = len(derivation.scores) * (len(derivation.scores) + 1) // 2
    if sum(block.missing is not None for block in derivation.information) < pairs:
        yield step("information", "missing by differences", raised, q)
    yield step("information", "observed information", raised, q, prior=prior)
    yield from _rate(blocks)


def _score(score: Score, prior: str) -> Step:
    own, slope = score.row or score.definition, score.definition
    rows = own.axes[: len(own.axes) - len(slope.axes)]
    law = "Fisher's identity" if rows else "score of all data"
    whole = total(own.value, rows) + score.beside
    told: dict[str, Any] = {"defines": (own,), "axes": slope.axes, "prior": prior}
    return step("information", law, slope.value, whole, (score.parameter,), **told)


def _complete(blocks: Sequence[InformationBlock]) -> Iterator[Step]:
    """Blocks that vanish are not told."""
    for block in blocks:
        if block.complete.value != 0:
            told: dict[str, Any] = {"defines": (block.complete,), "axes": block.complete.axes}
            one, other = block.parameters
            law = "complete information" if block.directions == (1, 1) else "complete information along"
            yield step(
                "information",
                law,
                -block.slope,
                block.complete.value,
                (other, one),
                **told,
            )


def _missing(derivation: Derivation, blocks: Sequence[InformationBlock]) -> Iterator[Step]:
    for block in blocks:
        if block.missing is not None and block.missing.value != 0:
            told: dict[str, Any] = {"defines": (block.missing,), "axes": block.missing.axes}
            law = "missing information" if block.directions == (1, 1) else "missing information along"
            yield step(
                "information",
                law,
                derivation.complete,
                block.missing.value,
                block.parameters,
                **told,
            )


def _rate(blocks: Sequence[InformationBlock]) -> Iterator[Step]:
    """Of a model of one number the share that is missing, if it is short."""
    if len(blocks) != 1 or blocks[0].complete.axes or blocks[0].directions != (1, 1):
        return
    block = blocks[0]
    if block.missing is not None and (block.complete.value + block.missing.value).count_ops() <= _SHORT:
        share = factor_terms(block.missing.value / together(block.complete.value))
        rate = Definition(Symbol("rate", real=True), (), share)
        yield step("information", "share missing", block.missing.value, share, block.parameters[:1], (rate,))
