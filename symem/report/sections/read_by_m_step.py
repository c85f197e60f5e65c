"""What of the E-step is told: the names that the M-step reads, and of an approximation that it is one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sympy import Symbol

from symem.derivation import Definition, Derivation, Posterior, Quadrature
from symem.language.leaves import name_of
from symem.report.document import Prose
from symem.report.notation.chains_told import computed_along
from symem.report.writer import Voice


def needed(derivation: Derivation) -> frozenset[str]:
    """The names that the statistics are made of, and what these are made of."""
    meaning = {name_of(each.symbol): each.value for each in derivation.definitions}
    waiting = [*(each.value for each in derivation.surrogate.statistics), derivation.surrogate.value]
    found: set[str] = set()
    while waiting:
        names = {str(atom) for atom in waiting.pop().atoms(Symbol)} & set(meaning) - found
        found |= names
        waiting += [meaning[name] for name in sorted(names)]
    return frozenset(found)


def needed_at_nodes(posteriors: Sequence[Posterior], voice: Voice) -> list[Definition]:
    """All definitions of chains; of weights at nodes those that the M-step or the likelihood reads."""
    found = dict.fromkeys(each for posterior in posteriors for each in computed_along(posterior))
    moments = {part for each in posteriors if isinstance(each, Quadrature) for part in each.parameters}
    used = needed(voice.derivation)
    return [each for each in found if each not in moments or name_of(each.symbol) in used]


def approximated(voice: Voice) -> Iterator[Prose]:
    """What of the derivation is an approximation, if anything is."""
    if voice.derivation.approximation:
        yield (voice.derivation.approximation,)
