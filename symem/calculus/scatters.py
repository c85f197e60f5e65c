"""Names for totals, means and scatters, and every other sum in terms of them: Σ w f = N m, Σ w f² = C + N m²."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from sympy import Add, Expr, Function, Indexed, S, Sum, Symbol

from symem.calculus.centring import Second
from symem.calculus.common_sums import UNIFORM, completed, named
from symem.calculus.counts import count_stems, is_count, word_of
from symem.calculus.fresh_names import Names
from symem.calculus.separate import Term
from symem.calculus.weighted_sums import Facts, First, Total
from symem.derivation import Definition, Moments, Scatter
from symem.language.leaves import name_of
from symem.language.matrices import is_matrix, shape
from symem.language.plates import Axis, reindex, total

#: An expression, summed over axes that the sum it stands for has not.
Piece = tuple[Expr, tuple[Axis, ...]]


@dataclass
class Centred:
    """Sums as they are put in terms of totals, means and scatters; `pieces` says what each of them is."""

    names: Names
    facts: Facts
    totals: dict[Total, Definition] = field(default_factory=dict)
    means: dict[Total, Definition] = field(default_factory=dict)
    parts: dict[Total, Expr] = field(default_factory=dict)
    scatters: dict[Total, Scatter] = field(default_factory=dict)
    pieces: dict[Expr, tuple[Piece, ...]] = field(default_factory=dict)
    moments: list[Moments] = field(default_factory=list)

    @property
    def definitions(self) -> tuple[Definition, ...]:
        """Totals, means, scatters: each after what it refers to."""
        centred = (scatter.definition for scatter in self.scatters.values())
        return (*self.totals.values(), *self.means.values(), *centred)

    def take(self, found: Sequence[Second], sums: Sequence[Total]) -> None:
        """Name all that sums are read as, and the counts among the others."""
        ones = {one.whole: one for second in found for one in second.ones}
        means = {one.whole: one for second in found for one in second.about_means}
        totals = dict.fromkeys(whole for one in ones.values() for whole, _number in one.totals)
        centred = {*totals, *means, *(second.whole for second in found)}
        counts = [each for each in sums if each not in centred and is_count(each, self.facts)]
        letters = dict(zip((*totals, *counts), count_stems((*totals, *counts), self.facts), strict=True))
        for whole, stems in letters.items():
            self._total(whole, stems)
        beside = [one for one in ones.values() if one.whole not in means.keys() | self.totals.keys()]
        for one, stems in _named(beside, "S"):
            self._total(one.whole, stems)
        for one, stems in _named(means.values(), "m"):
            self._mean(one, stems)
        for second, stems in zip(
            found, _stems([(_letter(second), _label(second)) for second in found]), strict=True
        ):
            self._scatter(second, stems)
        groups = dict.fromkeys(second.first.group for second in found)
        self.moments += [self._group([s for s in found if s.first.group == group]) for group in groups]

    def _total(self, whole: Total, stems: Sequence[str]) -> None:
        symbol = self._new(stems, whole.axes, whole.value)
        self.totals[whole] = Definition(symbol, whole.axes, self.lettered(whole.value, whole.axes))

    def _new(self, stems: Sequence[str], axes: tuple[Axis, ...], like: Expr, kind: str = "") -> Expr:
        """A new array of what is like this, by the first name that is free."""
        stem = next((each for each in stems if each not in self.names.taken), stems[-1])
        places = tuple(axis.index for axis in axes)
        if is_matrix(like):
            return self.names.matrix(stem, places, shape(like), kind)
        sign = "nonnegative" if kind else "positive" if like.is_nonnegative else "real"
        return self.names.entry(stem, places, **{sign: True})

    # -- first sums ----------------------------------------------------------------------------------------

    def count(self, one: First) -> Expr:
        """N."""
        return Add(one.constant, *(number * self.totals[whole].symbol for whole, number in one.totals))

    def _mean(self, one: First, stems: Sequence[str]) -> None:
        axes = one.whole.axes
        symbol = self._new(stems, axes, one.function)
        weighted = self.lettered(total(one.weight * one.function, one.axes), axes)
        self.means[one.whole] = Definition(symbol, axes, weighted / self.count(one))
        self.parts[one.whole] = self._new([f"{name_of(symbol)}_part"], axes, one.function)
        self.pieces[one.whole.value] = ((one.sign * self.count(one) / one.copies * symbol, ()),)

    def lettered(self, expr: Expr, outer: Iterable[Axis]) -> Expr:
        """Sums with indices as the model names them."""
        if not isinstance(expr, Sum):
            return expr.func(*(self.lettered(each, outer) for each in expr.args)) if expr.has(Sum) else expr
        taken = {axis.index for axis in outer} | expr.free_symbols
        taken |= {limit[0] for inner in expr.atoms(Sum) for limit in inner.limits}
        rules: dict[Expr, Expr] = {}
        for index, _low, high in expr.limits:
            if index.name.startswith(UNIFORM):
                rules[index] = self.names.axis(high + 1, "m", taken | set(rules.values())).index
        axes = tuple(Axis(rules.get(index, index), high + 1) for index, _low, high in expr.limits)
        return total(reindex(expr.function, rules), axes)

    # -- second sums ---------------------------------------------------------------------------------------

    def _scatter(self, second: Second, stems: Sequence[str]) -> None:
        whole, kind = second.whole, "positive semidefinite" if second.is_square else ""
        symbol = self._new(stems, whole.axes, whole.value, kind)
        excess, between = self._excess(second)
        self.scatters[whole] = Scatter(
            Definition(symbol, whole.axes, self._about(second)),
            self.lettered(whole.value / second.number, whole.axes),
            total(excess, second.within),
            total(between, second.within),
        )
        self.pieces[whole.value] = ((second.number * symbol, ()), (second.number * excess, second.within))

    def _excess(self, second: Second) -> tuple[Expr, Expr]:
        """What the sum about zero has more: N m h, or m Σ w g; and what a part has between."""
        count, means = self.count(second.first), self._means(second)
        p, q = (self.parts.get(one.whole, S.Zero) for one in second.ones)
        if not second.as_they_stand:
            return count * second.shape.at_means(*means), count * second.shape.about(p, q, *means)
        sums = [self._sum(one) if one in second.as_they_stand else S.Zero for one in second.ones]

        def beside(centres: Sequence[Expr]) -> Expr:
            first, other = (
                centre if about else whole
                for about, centre, whole in zip(second.centred, centres, sums, strict=True)
            )
            return second.shape.plain(first, other)

        return beside(means), beside([part - mean for part, mean in zip((p, q), means, strict=True)])

    def _sum(self, one: First) -> Expr:
        """Σ w f of what is taken as it stands."""
        return one.sign * one.copies * self.totals[one.whole].symbol

    def _means(self, second: Second) -> tuple[Expr, Expr]:
        """The means that it is about, 0 where it is about none."""
        first, other = (
            self.means[one.whole].symbol if about else S.Zero
            for one, about in zip(second.ones, second.centred, strict=True)
        )
        return first, other

    def _about(self, second: Second) -> Expr:
        """Σ w ((f - m) (g - h) + v)."""
        means = self._means(second)
        one, other, outer = second.first, second.other, second.whole.axes
        axes = (*one.axes, *second.within)
        square = second.shape.about(one.function, other.function, *means)
        whole, weight = named(Term(one.weight * square, axes)), named(Term(one.weight, axes)).factor
        spread = completed([whole, *map(named, second.spread)], self.facts.shares)[1:]
        inside = [term for term in spread if set(term.axes) == set(whole.axes)]
        beside = [self.lettered(term.expr, outer) for term in spread if term not in inside]
        summand = weight * Add(named(Term(square, axes)).factor, *(term.factor / weight for term in inside))
        return Add(self.lettered(total(summand, whole.axes), outer), *beside)

    def _group(self, members: Sequence[Second]) -> Moments:
        """The record of scatters under one weight."""
        ones = {one.whole: one for second in members for one in second.about_means}
        outer = dict.fromkeys(axis for whole in ones for axis in whole.axes)
        first = members[0].first
        letters = self.lettered(total(first.weight + Symbol("_"), first.axes), outer)
        limits = letters.limits if first.axes else ()
        rules = {old.index: new[0] for old, new in zip(first.axes, limits, strict=True)}
        return Moments(
            reindex(first.weight, rules),
            tuple(Axis(rules[axis.index], axis.size) for axis in first.axes),
            self.count(first),
            tuple(reindex(one.function, rules) for one in ones.values()),
            tuple(self.means[whole] for whole in ones),
            tuple(self.parts[whole] for whole in ones),
            tuple(self.scatters[second.whole] for second in members),
        )


#: What a letter gives way to where the name is taken.
BESIDE = {"m": "M", "V": "C", "C": "S", "S": "T"}


def _stems(wanted: Sequence[tuple[str, str]]) -> Iterator[list[str]]:
    """Names for letters with labels: the letter alone, or with its label, or with a number."""
    for place, (letter, label) in enumerate(wanted):
        number = f"_{wanted[:place].count((letter, label))}" if wanted.count((letter, label)) > 1 else ""
        short = [letter + number] if len(set(wanted)) == 1 else []
        yield [*short, *(f"{each}_{label}{number}" for each in (letter, BESIDE[letter]))]


def _named(ones: Iterable[First], letter: str) -> Iterator[tuple[First, list[str]]]:
    ones = tuple(ones)
    return zip(ones, _stems([(letter, label_of(one.function)) for one in ones]), strict=True)


def _letter(second: Second) -> str:
    """V for variances of numbers, C for all else."""
    return "V" if second.is_square and not is_matrix(second.whole.value) else "C"


def _label(second: Second) -> str:
    return "_".join(dict.fromkeys(label_of(one.function) for one in second.ones))


def label_of(function: Expr) -> str:
    """A word for a function: the names of what it holds."""
    words = sorted({word_of(entry) for entry in function.atoms(Indexed) or function.free_symbols})
    outer = [type(function).__name__.lower()] if isinstance(function, Function) else []
    return "_".join((*outer, *words))
