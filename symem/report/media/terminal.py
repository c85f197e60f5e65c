"""A derivation on one page of plain Unicode, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sympy import Indexed, Symbol, preorder_traversal
from sympy.core.relational import Relational

from symem.algebra.rewriting import matrix_valued
from symem.derivation import (
    THEORY,
    Ascent,
    Definition,
    Derivation,
    NotDerived,
    Status,
    Tabulated,
    Update,
    defined_by,
)
from symem.language.leaves import name_of
from symem.report.notation.chains_told import cases, computed_along, with_messages
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
    """The algorithm, its updates with the statistics written out, and how far they are established."""
    lexicon = Lexicon.of(derivation)
    return algorithm(derivation) | {
        "model": str(derivation.model),
        "updates": tuple(updates(derivation, lexicon)),
        "notes": tuple(_notes(derivation, lexicon)),
        "open": tuple(_claims(derivation, lexicon)),
        "not_derived": tuple(
            (", ".join(plain_letter(each, lexicon) for each in block.parameters), _obstacle(block, lexicon))
            for block in derivation.not_derived
        ),
    }


def algorithm(derivation: Derivation) -> dict[str, Any]:
    """E-step, likelihood, statistics, and the updates in terms of these."""
    derivation = with_messages(derivation)
    lexicon = Lexicon.of(derivation)
    statistics = (_named(each, derivation) for each in derivation.surrogate.statistics)
    return {
        "e_step": tuple(
            dict.fromkeys(line for each in _e_step(derivation) for line in _lines(each, lexicon))
        ),
        "objective": "F" if derivation.mean_field else "ℓ",
        "log_likelihood": plain(printed(derivation.log_likelihood), lexicon),
        "statistics": tuple(_line(each, lexicon) for each in statistics),
        "updates": tuple(
            line
            for update in derivation.updates
            for line in (
                *_beside(update, lexicon),
                f"{plain_letter(update.parameter, lexicon.within(update.definition.axes))} = {_short(update, lexicon)}",
            )
        ),
    }


def _beside(update: Update, lexicon: Lexicon) -> Iterator[str]:
    """What an update reads that is defined before it."""
    return (_line(each, lexicon) for each in defined_by(update)[:-1])


def _short(update: Update, lexicon: Lexicon) -> str:
    """An update in terms of its statistics."""
    if isinstance(update, Ascent):
        return plain(update.nested, lexicon.within(update.definition.axes))
    return plain(over_common_denominators(direct(update)), lexicon.within(update.definition.axes))


def _e_step(derivation: Derivation) -> Iterator[Definition]:
    for posterior in derivation.posteriors:
        for definition in computed_along(posterior):
            if isinstance(posterior, Tabulated) and definition is posterior.log_weight:
                yield from by_outcome(definition, posterior.outcome)
            else:
                yield definition


def _named(statistic: Definition, derivation: Derivation) -> Definition:
    """A sum of ⟨zzᵀ⟩ by that name."""
    return replace(statistic, value=named_moments(statistic.value, Meanings.of(derivation)))


def _lines(definition: Definition, lexicon: Lexicon) -> Iterator[str]:
    """A definition; of a recurrence, how it begins and how it goes on."""
    for each, span in cases(definition):
        tail = ""
        if isinstance(span, Relational):
            tail = f", {plain(span, lexicon.within(definition.axes))}"
        elif span is not None:
            shift = int(span[0] in lexicon.from_one.indices)
            tail = f", {plain_letter(span[0], lexicon)} = {plain(span[1] + shift, lexicon)}, …, {plain(span[2] + shift, lexicon)}"
        yield _line(each, lexicon) + tail


def _line(definition: Definition, lexicon: Lexicon) -> str:
    scope = lexicon.within(definition.axes)
    value = printed(matrix_valued(definition.value, definition.symbol))
    return f"{plain_letter(definition.symbol, scope)} = {plain(value, scope)}"


def updates(derivation: Derivation, lexicon: Lexicon) -> Iterator[str]:
    """Each update with its statistics written out, as far as that fits a line of a terminal."""
    for update in derivation.updates:
        yield from _beside(update, lexicon)
        scope = lexicon.within(update.definition.axes)
        written = plain(written_out(update, derivation), scope) if _may_fit(update, derivation) else None
        told = written if written and len(written) <= WIDE else _short(update, lexicon)
        yield f"{plain_letter(update.parameter, scope)} = {told}"


def _may_fit(update: Update, derivation: Derivation) -> bool:
    """Whether the statistics of an update, written out, have few enough letters for a line to be thought of."""
    values = {each.symbol: each.value for each in derivation.surrogate.statistics}
    names = {name_of(symbol): value for symbol, value in values.items()}
    held = [name_of(atom) for atom in preorder_traversal(update.value) if isinstance(atom, Indexed | Symbol)]
    return sum(len(list(preorder_traversal(names[name]))) for name in held if name in names) <= 10 * WIDE


def _notes(derivation: Derivation, lexicon: Lexicon) -> Iterator[str]:
    """What is an approximation, and what is not identified but together."""
    if derivation.approximation:
        yield derivation.approximation
    for step in derivation.steps:
        if step.law.name == "identified together":
            names = ", ".join(plain_letter(each, lexicon) for each in step.about)
            forms = ", ".join(plain(each, lexicon) for each in step.particulars["forms"])
            told = {**THEORY, "parameter": names, "kind": step.particulars["kind"], "forms": forms}
            yield step.law.sentence.format(**told)


_NONE = "no closed form was found; in the way stands"


def _obstacle(block: NotDerived, lexicon: Lexicon) -> str:
    term = plain(block.term, lexicon)
    told = f"the root {term} {block.refuted}" if block.refuted else f"{_NONE} {term}"
    return f"{told}; {block.numerically}" if block.numerically else told


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
