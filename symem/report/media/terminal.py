"""A derivation on one page of plain Unicode, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from symem.algebra.rewriting import matrix_valued
from symem.derivation import Definition, Derivation, Status, Tabulated
from symem.report.notation.lexicon import Lexicon
from symem.report.notation.matrix_updates import named_moments
from symem.report.notation.moments import Meanings
from symem.report.notation.notation import plain, plain_letter
from symem.report.notation.printed_form import (
    by_outcome,
    direct,
    over_common_denominators,
    printed,
    written_out,
)

WIDE = 90


def summary(derivation: Derivation) -> dict[str, Any]:
    lexicon = Lexicon.of(derivation)
    return {
        "model": str(derivation.model),
        "e_step": tuple(_line(each, lexicon) for each in _e_step(derivation)),
        "log_likelihood": plain(printed(derivation.log_likelihood), lexicon),
        "statistics": tuple(
            _line(_named(each, derivation), lexicon) for each in derivation.surrogate.statistics
        ),
        "updates": tuple(updates(derivation, lexicon)),
        "open": tuple(_claims(derivation, lexicon)),
        "not_derived": tuple(
            (", ".join(plain_letter(each, lexicon) for each in block.parameters), plain(block.term, lexicon))
            for block in derivation.not_derived
        ),
    }


def _e_step(derivation: Derivation) -> Iterator[Definition]:
    for posterior in derivation.posteriors:
        for definition in posterior.definitions:
            if isinstance(posterior, Tabulated) and definition is posterior.log_weight:
                yield from by_outcome(definition, posterior.outcome)
            else:
                yield definition


def _named(statistic: Definition, derivation: Derivation) -> Definition:
    """A sum of ⟨zzᵀ⟩ by that name."""
    return replace(statistic, value=named_moments(statistic.value, Meanings.of(derivation)))


def _line(definition: Definition, lexicon: Lexicon) -> str:
    scope = lexicon.within(definition.axes)
    value = printed(matrix_valued(definition.value, definition.symbol))
    return f"{plain_letter(definition.symbol, scope)} = {plain(value, scope)}"


def updates(derivation: Derivation, lexicon: Lexicon) -> Iterator[str]:
    """Each update with its statistics written out, as far as that fits a line of a terminal."""
    for update in derivation.updates:
        scope = lexicon.within(update.definition.axes)
        written = plain(written_out(update, derivation), scope)
        short = plain(over_common_denominators(direct(update)), scope)
        yield f"{plain_letter(update.parameter, scope)} = {written if len(written) <= WIDE else short}"


def _claims(derivation: Derivation, lexicon: Lexicon) -> Iterator[str]:
    """One line per update: what was proved, checked, or is open."""
    for certificate in derivation.certificates:
        found = {
            status.value: ", ".join(claim.name for claim in certificate.claims if claim.status is status)
            for status in Status
        }
        told = "; ".join(f"{status}: {names}" for status, names in found.items() if names)
        conditions = ", ".join(plain(condition, lexicon) for condition in certificate.conditions)
        yield f"{plain_letter(certificate.parameter, lexicon)}: {told}" + (
            f"; if {conditions}" if conditions else ""
        )
