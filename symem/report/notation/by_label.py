"""What is the same for every value of a label is told once: θ_k for k = 0, 1 instead of θ_0, and then θ_1.

Where a label has a known number of values the engine derives an update for each, since nothing says that they will be
alike. For the reader, statistics, updates, steps and certificates that differ in the value alone are one, with an
index. Nothing is computed: entries are replaced by the array that they are entries of. The module keeps its names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from sympy import Add, Expr, Indexed, IndexedBase, Integer, Product, S, Sum, Symbol
from sympy.core.relational import Relational

from symem.derivation import (
    Certificate,
    Definition,
    Derivation,
    Moments,
    NotDerived,
    Relation,
    Scatter,
    Shares,
    Step,
    Surrogate,
    Table,
    Update,
    with_beside,
)
from symem.language.leaves import name_of, places_of
from symem.language.plates import Axis

Told = TypeVar("Told")
Kept = tuple[Any, ...]


def by_label(derivation: Derivation) -> Derivation:
    """The derivation told once for all values of its label, if it has one with a known number of values."""
    tables = [
        each for each in derivation.posteriors if isinstance(each, Table) and each.outcome.size.is_Integer
    ]
    if len(tables) != 1:
        return derivation
    reader = Reader(tables[0].outcome, _slots(derivation, tables[0]))
    reader = replace(reader, members=_members(derivation.surrogate.statistics, reader))
    updates = tuple(reader.once(_blocked(derivation.updates, reader), _update))
    steps = tuple(reader.once(derivation.steps, _step))
    told = {update.parameter for update in updates}
    if not all(set(step.about) <= told for step in steps if step.stage == "M-step"):
        return derivation
    return replace(
        derivation,
        surrogate=_surrogate(derivation.surrogate, reader),
        updates=updates,
        not_derived=tuple(_not_derived(each, reader) for each in derivation.not_derived),
        certificates=tuple(reader.once(derivation.certificates, _certificate)),
        steps=steps,
    )


def _blocked(updates: Sequence[Update], reader: Reader) -> list[Update]:
    """Updates with the number of the block that is the first to hold one like them."""
    first: dict[Expr, int] = {}
    for each in updates:
        for value in range(int(reader.outcome.size)):
            first.setdefault(reader.at(each.parameter, value), each.block)
    alike = [
        [first[reader.at(each.parameter, v)] for v in range(int(reader.outcome.size))] for each in updates
    ]
    return [replace(each, block=min(blocks)) for each, blocks in zip(updates, alike, strict=True)]


def _slots(derivation: Derivation, table: Table) -> frozenset[tuple[str, int]]:
    """The places of arrays in which the label, or its outcome, stands."""
    named = [each.symbol for each in derivation.definitions]
    entries = sorted(derivation.model.log_likelihood.atoms(Indexed), key=str)
    return frozenset(
        (name_of(entry), place)
        for entry in (*named, *entries)
        for place, slot in enumerate(places_of(entry))
        if slot in (table.outcome.index, table.atom)
    )


@dataclass(frozen=True)
class Reader:
    """Formulas at one value of the label as formulas in its index; `members` are statistics that are entries of an array."""

    outcome: Axis
    slots: frozenset[tuple[str, int]]
    members: Mapping[str, tuple[IndexedBase, int]] = field(default_factory=dict)

    def values(self, *formulas: Expr) -> set[int]:
        """The values of the label at which these formulas have entries."""
        entries = {atom for each in formulas for atom in each.atoms(Indexed, Symbol)}
        found = {self.members[name_of(each)][1] for each in entries if name_of(each) in self.members}
        return found | {int(slot) for each in entries for slot in self._numbers(each)}

    def _numbers(self, entry: Expr) -> Iterator[Integer]:
        for place, slot in enumerate(places_of(entry)):
            if (name_of(entry), place) in self.slots and slot.is_Integer:
                yield slot

    def at(self, formula: Expr, value: int | None) -> Expr:
        """The formula with the index for that value; entries by their arrays."""
        if isinstance(formula, Relational):
            return formula.func(*(self.at(side, value) for side in formula.args), evaluate=False)
        entries = formula.atoms(Indexed, Symbol)
        return formula.xreplace({each: self._entry(each, value) for each in entries})

    def _entry(self, entry: Expr, value: int | None) -> Expr:
        index = self.outcome.index
        if name_of(entry) in self.members:
            base, own = self.members[name_of(entry)]
            return Indexed(base, *places_of(entry), index if own == value else Integer(own))
        numbers = list(self._numbers(entry))
        if not isinstance(entry, Indexed) or not numbers:
            return entry
        slots = (
            index if (name_of(entry), place) in self.slots and slot == value else slot
            for place, slot in enumerate(entry.indices)
        )
        return Indexed(entry.base, *slots)

    def once(self, records: Sequence[Told], read: Any) -> Iterator[Told]:
        """Records that are alike at every value once, where the first of them stands; others with their entries.

        `read(record, reader, value)` is the record as one in the index, or nothing if it is not of that value alone.
        """
        found: dict[int, tuple[Told, int]] = {}
        for place, record in enumerate(records):
            for value in range(int(self.outcome.size)):
                told = read(record, self, value)
                if told is not None:
                    found[place] = told, value
        whole = self._whole(found)
        seen: list[Told] = []
        for place, record in enumerate(records):
            told = found[place][0] if place in whole else read(record, self, None)
            if place not in whole or told not in seen:
                yield told
            seen.append(told)

    def _whole(self, found: Mapping[int, tuple[Any, int]]) -> set[int]:
        """The places of records that there are at every value."""
        wanted = set(range(int(self.outcome.size)))
        return {
            place
            for place, (told, _) in found.items()
            if {value for other, value in found.values() if other == told} == wanted
        }

    def binds(self, *formulas: Expr) -> bool:
        """Whether a formula sums over the index already."""
        bound = {
            limit[0] for each in formulas for inner in each.atoms(Sum, Product) for limit in inner.limits
        }
        return self.outcome.index in bound

    def is_at(self, value: int, *formulas: Expr) -> bool:
        """Whether formulas have entries at that value and at no other."""
        return self.values(*formulas) == {value} and not self.binds(*formulas)


# statistics ------------------------------------------------------------------------------------------


def _members(statistics: Sequence[Definition], reader: Reader) -> dict[str, tuple[IndexedBase, int]]:
    """The statistics that are entries of an array over the values of the label, with their places in it."""
    apart: set[str] = set()
    while True:
        members: dict[str, tuple[IndexedBase, int]] = {}
        arrays: dict[Kept, tuple[IndexedBase, dict[int, str]]] = {}
        for each in statistics:
            here, name = replace(reader, members=members), name_of(each.symbol)
            values = here.values(each.value)
            if name in apart or len(values) != 1 or here.binds(each.value):
                continue
            (value,) = values
            base, held = arrays.setdefault(
                (here.at(each.value, value), each.axes), (_named(name, arrays.values()), {})
            )
            held[value] = name
            members[name] = base, value
        partial = {
            n for _, held in arrays.values() if len(held) < int(reader.outcome.size) for n in held.values()
        }
        if not partial:
            return members
        apart |= partial


def _named(name: str, arrays: Iterable[tuple[IndexedBase, Any]]) -> IndexedBase:
    """S_2 as S_, or S__ if there is one: a label reads no word there."""
    stem, taken = re.sub(r"_\d+$", "_", name), {str(base) for base, _ in arrays}
    while stem in taken:
        stem += "_"
    return IndexedBase(stem)


def _definition(definition: Definition, reader: Reader, value: int | None) -> Definition | None:
    symbol = reader.at(definition.symbol, value)
    over = (reader.outcome,) if value is not None else ()
    if value is not None and not reader.is_at(value, definition.symbol, definition.value):
        return None
    return Definition(symbol, (*definition.axes, *over), reader.at(definition.value, value))


def _surrogate(surrogate: Surrogate, reader: Reader) -> Surrogate:
    return replace(
        surrogate,
        value=_summed(surrogate.value, reader),
        statistics=tuple(reader.once(surrogate.statistics, _definition)),
        moments=tuple(reader.once(surrogate.moments, _moments)),
    )


def _summed(expr: Expr, reader: Reader) -> Expr:
    """Terms that there are at every value as one sum over them."""
    index, size = reader.outcome.index, reader.outcome.size
    terms = list(Add.make_args(expr))
    own = [next((v for v in range(int(size)) if reader.is_at(v, term)), None) for term in terms]
    told = [reader.at(term, value) for term, value in zip(terms, own, strict=True)]
    whole = [
        {other for t, other in zip(told, own, strict=True) if t == each and other is not None}
        == set(range(int(size)))
        for each in told
    ]
    inside = list(dict.fromkeys(t for t, is_whole in zip(told, whole, strict=True) if is_whole))
    rest = [reader.at(term, None) for term, is_whole in zip(terms, whole, strict=True) if not is_whole]
    return Add(*rest, Sum(Add(*inside), (index, 0, size - 1))) if inside else Add(*rest)


def _moments(moments: Moments, reader: Reader, value: int | None) -> Moments | None:
    means = [told for each in moments.means if (told := _definition(each, reader, value))]
    scatters = [about for each in moments.scatters if (about := _scatter(each, reader, value))]
    if (len(means), len(scatters)) != (len(moments.means), len(moments.scatters)):
        return None
    return replace(
        moments,
        weight=reader.at(moments.weight, value),
        total=reader.at(moments.total, value),
        means=tuple(means),
        parts=moments.parts if value is None else (),
        scatters=tuple(scatters),
    )


def _scatter(scatter: Scatter, reader: Reader, value: int | None) -> Scatter | None:
    """The sum about its means; how parts of the data are put together concerns no reader."""
    definition = _definition(scatter.definition, reader, value)
    raw, excess = (reader.at(each, value) for each in (scatter.raw, scatter.excess))
    between = scatter.between if value is None else S.Zero
    return None if definition is None else Scatter(definition, raw, excess, between)


# updates, steps and certificates ---------------------------------------------------------------------


def _update(update: Update, reader: Reader, value: int | None) -> Update | None:
    definition = _definition(update.definition, reader, value)
    if definition is None or (value is not None and not reader.is_at(value, update.parameter, update.nested)):
        return None
    if isinstance(update, Shares):
        symbol, total = update.multiplier
        update = replace(update, multiplier=(symbol, reader.at(total, value)))
    return replace(
        with_beside(update, lambda each: _definition(each, reader, value) or each),
        definition=definition,
        equation=reader.at(update.equation, value),
        nested=reader.at(update.nested, value),
        eliminated=tuple(reader.at(each, value) for each in update.eliminated),
    )


def _step(step: Step, reader: Reader, value: int | None) -> Step | None:
    sides = step.before, step.after
    if step.law.relation is Relation.UP_TO_A_CONSTANT and value is not None:
        held = Add(*(term for term in Add.make_args(step.after) if term.has(*step.about)))
        sides = held, held  # terms at other values are constants to what the step is about
    if step.stage == "surrogate":
        sides = _summed(step.before, reader), _summed(step.after, reader)
    if value is not None and not (step.about and reader.is_at(value, *step.about, *sides)):
        return None
    before, after = (reader.at(side, value) for side in sides)
    particulars = {name: _particular(each, reader, value) for name, each in step.particulars.items()}
    return replace(
        step,
        before=before,
        after=after,
        about=tuple(reader.at(each, value) for each in step.about),
        particulars=particulars,
        defines=_defined(step, reader, value),
        axes=step.axes if value is None else (*step.axes, reader.outcome),
    )


def _defined(step: Step, reader: Reader, value: int | None) -> tuple[Definition, ...]:
    """What the step brings in: statistics, a multiplier, or the slope at that value."""
    if value is None:
        return tuple(reader.once(step.defines, _definition))
    return tuple(_brought_in(each, reader, value) for each in step.defines)


def _brought_in(definition: Definition, reader: Reader, value: int) -> Definition:
    symbol, found = definition.symbol, reader.at(definition.value, value)
    if places_of(symbol)[-1:] != (Integer(value),):
        return replace(definition, value=found)
    entry = Indexed(symbol.base, *places_of(symbol)[:-1], reader.outcome.index)
    return Definition(entry, (*definition.axes, reader.outcome), found)


def _particular(told: Any, reader: Reader, value: int | None) -> Any:
    match told:
        case str():
            return _words(told, reader, value)
        case list() | tuple():
            return type(told)(_particular(each, reader, value) for each in told)
        case Expr():
            return reader.at(told, value)
        case _:
            return told


def _words(words: str, reader: Reader, value: int | None) -> str:
    """A sentence that names parameters at a value."""
    if value is None:
        return words
    return re.sub(rf"(\w+\[(?:\w+, )*){value}\]", rf"\g<1>{reader.outcome.index}]", words)


def _certificate(certificate: Certificate, reader: Reader, value: int | None) -> Certificate | None:
    if value is not None and not reader.is_at(value, certificate.parameter, *certificate.conditions):
        return None
    claims = tuple(
        replace(each, argument=_words(each.argument, reader, value)) for each in certificate.claims
    )
    conditions = tuple(reader.at(each, value) for each in certificate.conditions)
    return Certificate(reader.at(certificate.parameter, value), claims, conditions, certificate.approximation)


def _not_derived(block: NotDerived, reader: Reader) -> NotDerived:
    return replace(block, equation=reader.at(block.equation, None), term=reader.at(block.term, None))
