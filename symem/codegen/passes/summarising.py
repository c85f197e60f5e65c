"""The statistics of one chunk of rows, and those of two parts together.

Totals, means and scatters come with one matrix product where the functions are features about a reference point:
m = c + Σ w u / N and C = Σ w u² - N (m - c)². Where that is a difference of much larger numbers, or no matrix product
has it, C is Σ w (f - m)² as it stands. Parts are pooled by the formula of Chan, Golub & LeVeque (1983).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sympy import Add, Expr, Indexed, IndexedBase, Sum, Symbol

from symem.codegen.ir.instructions import Assign, Column, Statistic
from symem.codegen.ir.nodes import Node, Source
from symem.codegen.ir.program import LENGTH, Program
from symem.codegen.lowering.entry_places import is_entry
from symem.codegen.lowering.lower import Layout, Lowering
from symem.codegen.lowering.means import Mean
from symem.derivation import Definition, Moments, Scatter
from symem.language.leaves import name_of

_STATISTIC = frozenset({Source.STATISTIC})
_LENGTH = Symbol("length of a chunk", integer=True, positive=True)


def summarised(program: Program) -> Program:
    """The lines that compute the statistics of a chunk, and those that pool two parts."""
    return _Summary(program).entered()


class _Summary:
    """Writes the statistics in their order, each by the name that later ones and the M-step read."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.surrogate = program.derivation.surrogate
        self.statistics = tuple(
            Statistic(program.names.take(name_of(each.symbol)), each, _slots(each.symbol))
            for each in self.surrogate.statistics
        )
        self.layouts = dict(program.layouts)
        self.layouts[_LENGTH.name] = Layout(LENGTH.name, (), LENGTH.origin)
        for each in self.statistics:
            self.place(each.definition.symbol, each.name)
        rows = (program.rows, LENGTH) if program.rows is not None else None
        self.lower = Lowering(self.layouts, program.rank, program.index_sizes, rows, program.lower.tables)
        self.lines: list[Column | Assign] = []
        self.lost: list[tuple[str, str]] = []
        self.exact: list[Assign] = []

    def place(self, symbol: Expr, name: str) -> None:
        self.layouts[name_of(symbol)] = Layout(name, tuple(range(len(_slots(symbol)))), _STATISTIC)

    def entered(self) -> Program:
        owners = {
            each.symbol: moments
            for moments in self.surrogate.moments
            for each in (*moments.means, *(scatter.definition for scatter in moments.scatters))
        }
        entered: list[Moments] = []
        for each in self.statistics:
            moments = owners.get(each.definition.symbol)
            if moments is None:
                self._plain(each.definition)
            elif moments not in entered:
                entered.append(moments)
                self._moments(moments)
        totals = [self.lower(each.total) for each in self.surrogate.moments]
        pooling = _Pooling(self.program, self.layouts, self.statistics)
        return replace(
            self.program, statistics=self.statistics, summarise=tuple(self.lines), lost=tuple(self.lost),
            exact=tuple(self.exact), merged=pooling.lines(), added=pooling.added(),
            sizes=self.program.sizes_read(totals),
        )  # fmt: skip

    # -- one chunk ---------------------------------------------------------------------------------------

    def _plain(self, definition: Definition) -> None:
        node = self.node(definition.value, definition)
        place = self.column(node)
        name = self.layouts[name_of(definition.symbol)].name
        if place is not None:
            self.lines.append(Column(name, place, node.axes))
        else:
            self._assign(definition, definition.value)

    def _moments(self, moments: Moments) -> None:
        """By matrix products if all of it can be, else as the record has it."""
        quick = _Quick(self, moments).lines()
        scatters = [each.definition for each in moments.scatters]
        if quick is None:
            for mean, function in zip(moments.means, moments.functions, strict=True):
                pooled = Mean(_total(moments, function), self.in_chunk(moments.total))
                self._assign(mean, mean.value if self.program.plain else pooled)
            for each in scatters:
                self._assign(each, each.value)
        else:
            self.lines += quick.lines
            self.lost += quick.lost
            self.exact += [self.line(each, each.value) for each in scatters]

    def _assign(self, definition: Definition, value: Expr) -> None:
        self.lines.append(self.line(definition, value))

    def line(self, definition: Definition, value: Expr) -> Assign:
        name = self.layouts[name_of(definition.symbol)].name
        return Assign(name, self.node(value, definition), _slots(definition.symbol))

    def node(self, value: Expr, definition: Definition) -> Node:
        return self.lower.over(self.in_chunk(value), self.program.axes(definition))

    def column(self, node: Node) -> int | None:
        features = self.program.features
        return features.moment(node) if features is not None else None

    def in_chunk(self, value: Expr) -> Expr:
        """A value with the number of rows of the chunk in place of that of all data."""
        rows = self.program.rows
        if rows is None:
            return value
        terms = Add.make_args(value)
        return Add(*(each if _sums_over(each, rows) else each.xreplace({rows: _LENGTH}) for each in terms))


@dataclass
class _Lines:
    lines: list[Column | Assign]
    lost: list[tuple[str, str]]


class _Quick:
    """Moments of features about their points."""

    def __init__(self, summary: _Summary, moments: Moments) -> None:
        self.summary, self.moments = summary, moments
        self.points = summary.program.points
        self.found = _Lines([], [])
        self.offsets: dict[str, str] = {}

    def lines(self) -> _Lines | None:
        moments = self.moments
        firsts = [_total(moments, self.points.about(each)) for each in moments.functions]
        places = [self._place_of(value, mean) for value, mean in zip(firsts, moments.means, strict=True)]
        points = [self.points.point(each) for each in moments.functions]
        seconds = [self._raw(each) for each in moments.scatters]
        if None in places or None in points or None in seconds:
            return None
        for mean, place, point in zip(moments.means, places, points, strict=True):
            self._mean(mean, place, point)
        for scatter, raw in zip(moments.scatters, seconds, strict=True):
            self._scatter(scatter, raw)
        return self.found

    def _place_of(self, value: Expr, like: Definition) -> int | None:
        return self.summary.column(self.summary.node(value, like))

    def _raw(self, scatter: Scatter) -> Node | None:
        """Σ w u², of features or of data alone."""
        node = self.summary.node(self.points.about(scatter.raw), scatter.definition)
        quick = self.summary.column(node) is not None or node.sources == {Source.ROWS}
        return node if quick else None

    def _mean(self, mean: Definition, place: int | None, point: Expr | None) -> None:
        assert place is not None
        assert point is not None
        total = self.summary.in_chunk(self.moments.total)
        first = self._named("s", mean)
        features = self.summary.program.features
        assert features is not None
        axes = (*features.labels, *features.entries[place])
        self.found.lines.append(Column(name_of(first), place, axes))
        offset = self._named("d", mean)
        self.offsets[name_of(mean.symbol)] = name_of(offset)
        self.found.lines.append(self._line(offset, mean, Mean(first, total)))
        self.found.lines.append(self.summary.line(mean, point + offset))

    def _scatter(self, scatter: Scatter, raw: Node | None) -> None:
        assert raw is not None
        definition = scatter.definition
        second, excess = self._named("s", definition), self._named("e", definition)
        place = self.summary.column(raw)
        if place is not None:
            self.found.lines.append(Column(name_of(second), place, raw.axes))
        else:
            self.found.lines.append(Assign(name_of(second), raw, _slots(definition.symbol)))
        self.found.lines.append(self._line(excess, definition, self._about(scatter.excess)))
        self.found.lines.append(self.summary.line(definition, second - excess))
        if len({name_of(each) for each in _entries_of(scatter.excess, self.offsets)}) == 1:
            name = self.summary.layouts[name_of(definition.symbol)].name
            self.found.lost.append((_diagonal(name, definition), _diagonal(name_of(excess), definition)))

    def _about(self, value: Expr) -> Expr:
        """The value in offsets from the points rather than in means."""
        entries = _entries_of(value, self.offsets)
        return value.xreplace({each: _like(each, self.offsets[name_of(each)]) for each in entries})

    def _named(self, stem: str, definition: Definition) -> Expr:
        """A name for an array like a statistic."""
        name = self.summary.program.names.numbered(stem)
        self.summary.place(_like(definition.symbol, name), name)
        return _like(definition.symbol, name)

    def _line(self, symbol: Expr, like: Definition, value: Expr) -> Assign:
        return Assign(name_of(symbol), self.summary.node(value, like), _slots(symbol))


class _Pooling:
    """The statistics of two parts, `a` and `b`, together."""

    def __init__(
        self, program: Program, layouts: Mapping[str, Layout], statistics: tuple[Statistic, ...]
    ) -> None:
        self.program, self.statistics = program, statistics
        self.layouts = dict(layouts)
        kept = [
            *program.sized,
            *(each for each in program.derivation.model.known if program.rows not in each.sizes),
        ]
        sizes = {each.name: layouts[each.name] for each in kept}
        for part in "ab":
            for each in statistics:
                key = name_of(each.definition.symbol)
                self.layouts[f"{part}.{key}"] = replace(layouts[key], name=f"{part}.{each.name}")
            for key, layout in sizes.items():
                self.layouts[f"{part}.{key}"] = replace(layout, name=f"{part}.{layout.name}")
        self.names = {name_of(each.definition.symbol) for each in statistics} | sizes.keys()
        self.lower = Lowering(self.layouts, program.rank, dict(program.index_sizes))

    def lines(self) -> tuple[Assign, ...]:
        values = {each.definition.symbol: self._sum(each.definition) for each in self.statistics}
        for moments in self.program.derivation.surrogate.moments:
            for mean in moments.means:
                values[mean.symbol] = self._mean(moments, mean)
            for scatter in moments.scatters:
                values[scatter.definition.symbol] = self._scatter(moments, scatter)
        return tuple(
            Assign(
                each.name,
                self.lower.over(values[each.definition.symbol], self.program.axes(each.definition)),
                each.axes,
            )
            for each in self.statistics
        )

    def added(self) -> frozenset[str]:
        """The names of those that are sums over rows, and no more."""
        pooled = [
            each.symbol
            for moments in self.program.derivation.surrogate.moments
            for each in (*moments.means, *(scatter.definition for scatter in moments.scatters))
        ]
        own = (each for each in self.statistics if each.definition.symbol not in pooled)
        return frozenset(each.name for each in own if self._adds_up(each.definition))

    def _adds_up(self, definition: Definition) -> bool:
        rows = self.program.rows
        return rows is None or _sums_over(definition.value, rows) or definition.value.has(rows)

    def _sum(self, definition: Definition) -> Expr:
        """The sum of both parts; of what is summed over no rows, either."""
        one, other = (self._of(part, definition.symbol) for part in "ab")
        return one + other if self._adds_up(definition) else one

    def _mean(self, moments: Moments, mean: Definition) -> Expr:
        a, b = (self._of(part, moments.total) for part in "ab")
        first, second = (self._of(part, mean.symbol) for part in "ab")
        return first + Mean(b, a + b) * (second - first)

    def _scatter(self, moments: Moments, scatter: Scatter) -> Expr:
        symbol = scatter.definition.symbol
        return Add(
            *(self._of(part, symbol) for part in "ab"),
            *(self._between(part, moments, scatter) for part in "ab"),
        )

    def _between(self, part: str, moments: Moments, scatter: Scatter) -> Expr:
        means = {name_of(each.symbol) for each in moments.means}
        letters = {
            name_of(letter): f"{part}.{name_of(mean.symbol)}"
            for letter, mean in zip(moments.parts, moments.means, strict=True)
        }
        names = {name: f"{part}.{name}" for name in self.names - means} | letters
        return _renamed(scatter.between, names)

    def _of(self, part: str, value: Expr) -> Expr:
        return _renamed(value, {name: f"{part}.{name}" for name in self.names})


def _total(moments: Moments, function: Expr) -> Expr:
    """Σ w f."""
    return Sum(moments.weight * function, *(axis.limits for axis in moments.summed))


def _slots(symbol: Expr) -> tuple[Symbol, ...]:
    return tuple(getattr(symbol, "indices", ()))


def _like(symbol: Expr, name: str) -> Expr:
    """A symbol of that name at the same places."""
    return IndexedBase(name, real=True)[_slots(symbol)] if _slots(symbol) else Symbol(name, real=True)


def _entries_of(value: Expr, names: Mapping[str, str]) -> set[Expr]:
    entries = {each for each in value.atoms(Indexed) if name_of(each) in names}
    bases = {name_of(each) for each in entries}
    return entries | {each for each in value.atoms(Symbol) if each.name in names and each.name not in bases}


def _renamed(value: Expr, names: Mapping[str, str]) -> Expr:
    return value.xreplace({each: _like(each, names[name_of(each)]) for each in _entries_of(value, names)})


def _sums_over(value: Expr, rows: Expr) -> bool:
    return any(limit[2] + 1 == rows for each in value.atoms(Sum) for limit in each.limits)


def _diagonal(name: str, definition: Definition) -> str:
    """The array, of matrices the diagonals."""
    entries = [each for each in _slots(definition.symbol) if is_entry(each)]
    return f"np.diagonal({name}, 0, -2, -1)" if len(entries) == 2 else name
