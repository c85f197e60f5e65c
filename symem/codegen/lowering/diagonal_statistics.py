"""Statistics of which only the diagonal is read: matrices as vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sympy import Expr, Indexed

from symem.codegen.lowering.entry_places import is_entry
from symem.derivation import Definition, Moments, Scatter
from symem.language.leaves import name_of, places_of

Factors = tuple[Definition, ...]


@dataclass
class Diagonals:
    """Rewrites statistics and what reads them; `factors` are what is computed before each reader, which are changed too."""

    factors: dict[Expr, Factors]

    def told(
        self, statistics: Factors, moments: tuple[Moments, ...], readers: Sequence[Definition]
    ) -> tuple[Factors, tuple[Moments, ...], Mapping[Definition, Definition]]:
        """Statistics and moments, a matrix of which M-step and score read the diagonal alone being that vector; and
        every reader as it reads them.
        """
        found = {statistic.symbol: statistic for statistic in statistics}
        now = {reader: reader for reader in readers}
        for statistic in statistics:
            if _is_square(statistic) and self._reads_diagonal(name_of(statistic.symbol), [*now.values()]):
                found[statistic.symbol], changed = self._as_diagonal(statistic, [*now.values()])
                now = {reader: changed[each] for reader, each in now.items()}
        kept = tuple(
            replace(each, scatters=tuple(_as_found(scatter, found) for scatter in each.scatters))
            for each in moments
        )
        return tuple(found.values()), kept, now

    def _entries_read(self, name: str, readers: Sequence[Definition]) -> list[Indexed]:
        values = [each.value for each in readers]
        values += [each.value for reader in readers for each in self.factors.get(reader.symbol, ())]
        return [entry for value in values for entry in value.atoms(Indexed) if name_of(entry) == name]

    def _reads_diagonal(self, name: str, readers: Sequence[Definition]) -> bool:
        read = self._entries_read(name, readers)
        return bool(read) and all(entry.indices[-1] == entry.indices[-2] for entry in read)

    def _as_diagonal(
        self, statistic: Definition, readers: Sequence[Definition]
    ) -> tuple[Definition, dict[Definition, Definition]]:
        """The statistic as a vector, and its readers as they read it then."""
        base = statistic.symbol.base
        read = self._entries_read(name_of(base), readers)
        changes = {entry: base[tuple(entry.indices[:-1])] for entry in read}
        row, column = statistic.symbol.indices[-2:]
        vector = Definition(
            base[tuple(statistic.symbol.indices[:-1])],
            statistic.axes[:-1],
            statistic.value.xreplace({column: row}),
        )
        for reader in readers:
            factors = self.factors.get(reader.symbol, ())
            self.factors[reader.symbol] = tuple(_changed(each, changes) for each in factors)
        return vector, {each: _changed(each, changes) for each in readers}


def _changed(definition: Definition, changes: Mapping[Expr, Expr]) -> Definition:
    return replace(definition, value=definition.value.xreplace(changes))


def _as_found(scatter: Scatter, found: Mapping[Expr, Definition]) -> Scatter:
    """A scatter with its definition as it is now: of a diagonal, all that belongs to it is at row = column."""
    definition = found[scatter.definition.symbol]
    if definition == scatter.definition:
        return scatter
    row, column = scatter.definition.symbol.indices[-2:]
    parts = (each.xreplace({column: row}) for each in (scatter.raw, scatter.excess, scatter.between))
    return Scatter(definition, *parts)


def _is_square(statistic: Definition) -> bool:
    slots = places_of(statistic.symbol)
    return len(slots) > 1 and is_entry(slots[-1]) and statistic.axes[-1].size == statistic.axes[-2].size
