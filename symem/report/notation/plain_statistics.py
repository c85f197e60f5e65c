"""Statistics that are only another name for one expectation or datum, told by that: n_CC, not S_0.

The module keeps their names, since statistics are what adds up over chunks; a reader needs none. Nothing is
computed: a name is replaced by what it stands for.
"""

from __future__ import annotations

from dataclasses import replace

from sympy import Expr, Indexed, Symbol

from symem.algebra.rewriting import inlined
from symem.derivation import (
    Certificate,
    Definition,
    Derivation,
    NotDerived,
    Shares,
    Step,
    Surrogate,
    Update,
    with_beside,
)

Names = tuple[Definition, ...]


def plainly(derivation: Derivation) -> Derivation:
    """The derivation without such names."""
    statistics = derivation.surrogate.statistics
    names = tuple(each for each in statistics if isinstance(each.value, Symbol | Indexed))
    if not names:
        return derivation
    return replace(
        derivation,
        surrogate=_surrogate(derivation.surrogate, names),
        updates=tuple(_update(each, names) for each in derivation.updates),
        not_derived=tuple(_not_derived(each, names) for each in derivation.not_derived),
        certificates=tuple(_certificate(each, names) for each in derivation.certificates),
        steps=tuple(filter(None, (_step(each, names) for each in derivation.steps))),
    )


def _put(expr: Expr, names: Names) -> Expr:
    return inlined(expr, names)


def _step(step: Step, names: Names) -> Step | None:
    """The step without such names; none that only brought them in."""
    defines = tuple(
        replace(each, value=_put(each.value, names)) for each in step.defines if each not in names
    )
    if step.defines and not defines:
        return None
    return replace(step, before=_put(step.before, names), after=_put(step.after, names), defines=defines)


def _surrogate(surrogate: Surrogate, names: Names) -> Surrogate:
    kept = tuple(each for each in surrogate.statistics if each not in names)
    return replace(surrogate, value=_put(surrogate.value, names), statistics=kept)


def _update(update: Update, names: Names) -> Update:
    if isinstance(update, Shares):
        symbol, total = update.multiplier
        update = replace(update, multiplier=(symbol, _put(total, names)))
    return replace(
        with_beside(update, lambda each: replace(each, value=_put(each.value, names))),
        definition=replace(update.definition, value=_put(update.value, names)),
        equation=_put(update.equation, names),
        nested=_put(update.nested, names),
    )


def _not_derived(block: NotDerived, names: Names) -> NotDerived:
    return replace(block, equation=_put(block.equation, names), term=_put(block.term, names))


def _certificate(certificate: Certificate, names: Names) -> Certificate:
    conditions = tuple(
        each.func(*(_put(side, names) for side in each.args), evaluate=False)
        for each in certificate.conditions
    )
    return replace(certificate, conditions=conditions)
