"""The statistics of one chunk of rows, those of all rows, and those of two parts together.

Of a chunk, a scatter is C = Σ w (f - m)² as it stands; parts are pooled by the formula of Chan, Golub & LeVeque (1983).
Where all functions are features about a reference point, totals, means and scatters of all rows follow from one matrix
product, summed over the chunks: m = c + Σ w u / N and C = Σ w u² - N (m - c)². That is what is used unless it is a
difference of much larger numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from sympy import Add, Expr, Indexed, IndexedBase, Sum, Symbol

from symem.codegen.ir.instructions import Assign, Column, Gathered, Statistic
from symem.codegen.ir.nodes import Node, Source
from symem.codegen.ir.program import LENGTH, Program
from symem.codegen.lowering.entry_places import is_entry
from symem.codegen.lowering.layouts import Layout
from symem.codegen.lowering.lower import Lowering
from symem.codegen.lowering.means import Mean
from symem.derivation import Definition, Moments, Scatter
from symem.language.leaves import name_of, places_of
from symem.language.plates import total

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
            Statistic(program.names.take(name_of(each.symbol)), each, places_of(each.symbol))
            for each in self.surrogate.statistics
        )
        self.layouts = dict(program.layouts)
        self.layouts[_LENGTH.name] = Layout(LENGTH.name, (), LENGTH.origin)
        for each in self.statistics:
            self.place(each.definition.symbol, each.name)
        rows = (program.rows, LENGTH) if program.rows is not None else None
        self.lower = Lowering(self.layouts, program.rank, program.index_sizes, rows, program.lower.tables)
        self.lines: list[Column | Assign] = []
        self.alone: list[Assign] = []
        self.quick: Gathered | None = Gathered()

    def place(self, symbol: Expr, name: str) -> None:
        self.layouts[name_of(symbol)] = Layout.along(name, symbol, _STATISTIC)

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
        gathered = self.quick if self.quick is not None and self.quick.lost else None
        return replace(
            self.program, statistics=self.statistics, gathered=gathered,
            summarise=tuple(self.lines if gathered is None else self.alone),
            merged=pooling.lines(),
            added=pooling.added(),
            sizes=self.program.sizes_read(totals),
        )  # fmt: skip

    # -- one chunk ---------------------------------------------------------------------------------------

    def _plain(self, definition: Definition) -> None:
        """As the record has it, or a column of the products: of all rows, or of a chunk where not all is one."""
        line = self.line(definition, definition.value)
        node = self.node(definition.value, definition)
        place = self.column(node)
        column = None if place is None else Column(line.name, place, node.axes)
        self.lines.append(column or line)
        self.alone.append(line)
        self._gather(None if column is None else Gathered((column,)))

    def _gather(self, quick: Gathered | None) -> None:
        """All of the statistics follow from products, or none do."""
        self.quick = None if quick is None or self.quick is None else self.quick + quick

    def _moments(self, moments: Moments) -> None:
        for mean, function in zip(moments.means, moments.functions, strict=True):
            pooled = Mean(_total(moments, function), self.in_chunk(moments.total))
            self._assign(mean, mean.value if self.program.plain else pooled)
        for each in moments.scatters:
            self._assign(each.definition, each.definition.value)
        self._gather(_Quick(self, moments).found)

    def _assign(self, definition: Definition, value: Expr) -> None:
        line = self.line(definition, value)
        self.lines.append(line)
        self.alone.append(line)

    def line(self, definition: Definition, value: Expr) -> Assign:
        name = self.layouts[name_of(definition.symbol)].name
        return Assign(name, self.node(value, definition), places_of(definition.symbol))

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


class _Quick:
    """Moments of features about their points."""

    def __init__(self, summary: _Summary, moments: Moments) -> None:
        self.summary, self.moments = summary, moments
        self.points = summary.program.points
        self.firsts: list[tuple[Definition, int, Expr, Expr, Expr]] = []
        self.offsets: dict[str, str] = {}
        self.found = self._gathered()

    def _gathered(self) -> Gathered | None:
        """All of them from the products, None where they are of something else."""
        moments = self.moments
        firsts = [_total(moments, self.points.about(each)) for each in moments.functions]
        places = [self._place_of(value, mean) for value, mean in zip(firsts, moments.means, strict=True)]
        points = [self.points.point(each) for each in moments.functions]
        seconds = [self._raw(each) for each in moments.scatters]
        for mean, place, point in zip(moments.means, places, points, strict=True):
            if place is None or point is None:
                return None
            self._enter(mean, place, point)
        if None in seconds:
            return None
        found = Gathered(tuple(self.means(moments.total)))
        for scatter, raw in zip(moments.scatters, seconds, strict=True):
            assert raw is not None
            found += self._scatter(scatter, raw)
        return found

    def _place_of(self, value: Expr, like: Definition) -> int | None:
        return self.summary.column(self.summary.node(value, like))

    def _raw(self, scatter: Scatter) -> Node | None:
        """Σ w u², of features or of data alone."""
        node = self.summary.node(self.points.about(scatter.raw), scatter.definition)
        quick = self.summary.column(node) is not None or node.sources == {Source.ROWS}
        return node if quick else None

    def _enter(self, mean: Definition, place: int, point: Expr) -> None:
        first, offset = self._named("s", mean), self._named("d", mean)
        self.offsets[name_of(mean.symbol)] = name_of(offset)
        self.firsts.append((mean, place, point, first, offset))

    def means(self, total: Expr) -> Iterator[Column | Assign]:
        """The lines of the means of so many observations."""
        features = self.summary.program.features
        assert features is not None
        for mean, place, point, first, offset in self.firsts:
            yield Column(name_of(first), place, (*features.labels, *features.entries[place]))
            yield self._line(offset, mean, Mean(first, total))
            yield self.summary.line(mean, point + offset)

    def _scatter(self, scatter: Scatter, raw: Node) -> Gathered:
        definition = scatter.definition
        second, excess = self._named("s", definition), self._named("e", definition)
        place = self.summary.column(raw)
        rest = self._line(excess, definition, self._about(scatter.excess))
        whole = self.summary.line(definition, second - excess)
        single = len({name_of(each) for each in _entries_of(scatter.excess, self.offsets)}) == 1
        lost = ((_diagonal(whole.name, definition), _diagonal(rest.name, definition)),) if single else ()
        if place is None:
            of_data = Assign(name_of(second), raw, places_of(definition.symbol))
            return Gathered((rest, whole), lost, (of_data,))
        return Gathered((Column(name_of(second), place, raw.axes), rest, whole), lost)

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
        return Assign(name_of(symbol), self.summary.node(value, like), places_of(symbol))


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
    return total(moments.weight * function, moments.summed)


def _like(symbol: Expr, name: str) -> Expr:
    """A symbol of that name at the same places."""
    return IndexedBase(name, real=True)[places_of(symbol)] if places_of(symbol) else Symbol(name, real=True)


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
    entries = [each for each in places_of(definition.symbol) if is_entry(each)]
    return f"np.diagonal({name}, 0, -2, -1)" if len(entries) == 2 else name
