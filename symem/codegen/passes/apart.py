"""Statistics of each component about its own mean, for components so far apart that no common centre serves.

About a common centre a covariance loses eps·(distance/sd)² of its digits. If every update stays the same, or moves
with its mean, when the statistics of one label are taken about a centre of their own, then each label may have one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sympy import Expr, Indexed, IndexedBase, S, Symbol

from symem.algebra.expansion import monomials
from symem.codegen.ir.centre import Apart, Translation
from symem.codegen.ir.features import Features
from symem.codegen.ir.instructions import Statistic, reads
from symem.codegen.ir.program import Program
from symem.derivation import Conditional, Definition, Derivation
from symem.language.leaves import name_of
from symem.language.model import Variable


def centred_apart(program: Program) -> Program:
    """How the statistics of each label are taken about its own mean, where log weights have a centred form."""
    if program.direct is None:
        return program
    names = {name: layout.name for name, layout in program.layouts.items()}
    return replace(
        program,
        apart=_apart(program.derivation, program.translation, program.features, program.statistics, names),
    )


def _apart(
    derivation: Derivation,
    translation: Translation | None,
    features: Features | None,
    statistics: Sequence[Statistic],
    names: Mapping[str, str],
) -> Apart | None:
    """How the statistics of each label are taken about its own mean, or None if the updates do not allow it.

    `names` are the local names of the data.
    """
    if translation is None or features is None or not features.has_entries or len(features.labels) != 1:
        return None
    moving = [each for each in derivation.model.parameters if each.name in translation.parameters]
    data = [each for each in derivation.model.data if each.name in translation.data]
    if len(moving) != 1 or len(data) != 1 or len(translation.data) != 1 or len(moving[0].sizes) != 2:
        return None
    read = set().union(*(reads(node) for node in features.features))
    if not read <= {names[data[0].name]} or any(each.moment is None for each in statistics):
        return None
    recentred = _labelled(translation, [each.definition for each in statistics])
    if any(isinstance(update, Conditional) for update in derivation.updates) or not _allows(
        derivation, moving[0], recentred, [each.definition for each in statistics]
    ):
        return None
    return Apart(moving[0], data[0], recentred)


def _labelled(translation: Translation, statistics: Sequence[Definition]) -> dict[str, Expr]:
    """The statistics about another centre, the step having the label as its first index."""
    step = IndexedBase(translation.step.name, real=True)
    found = {}
    for each in statistics:
        value, label = translation.recentred[name_of(each.symbol)], each.symbol.indices[0]
        steps = {entry: step[(label, *entry.indices)] for entry in value.atoms(Indexed) if _is(entry, step)}
        found[name_of(each.symbol)] = value.xreplace(steps)
    return found


def _is(entry: Expr, base: IndexedBase) -> bool:
    return name_of(entry) == name_of(base)


def _allows(
    derivation: Derivation, mean: Variable, recentred: Mapping[str, Expr], statistics: Sequence[Definition]
) -> bool:
    """Whether the mean moves with its own centre, and nothing else moves."""
    if any(_reads(update.value, mean.name) for update in derivation.updates):
        return False
    symbols = {name_of(each.symbol): each.symbol for each in statistics}
    for update in derivation.updates:
        changes: dict[Expr, Expr] = {}
        for entry in update.value.atoms(Indexed):
            if name_of(entry) in symbols:
                pairs = dict(zip(symbols[name_of(entry)].indices, entry.indices, strict=True))
                changes[entry] = recentred[name_of(entry)].xreplace(pairs)
        rate = S.Zero
        if name_of(update.parameter) == mean.name:
            rate = IndexedBase("translation", real=True)[tuple(update.parameter.indices)]
        if monomials(update.value.xreplace(changes) - update.value - rate):
            return False
    return True


def _reads(value: Expr, name: str) -> bool:
    """Whether an update reads the mean itself, which has moved."""
    return any(name_of(each) == name for each in value.atoms(Indexed, Symbol))
