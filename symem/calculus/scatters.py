"""Names for totals, means and scatters, and every other sum in terms of them: Σ w f = N m, Σ w f² = C + N m²."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sympy import Add, Expr, Function, Indexed, Sum, Symbol

from symem.calculus.centring import Second
from symem.calculus.common_sums import UNIFORM, completed, named
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

    def take(self, found: Sequence[Second]) -> None:
        """Name all that sums are read as."""
        ones = {one.whole: one for second in found for one in (second.first, second.other)}
        totals = dict.fromkeys(whole for one in ones.values() for whole, _number in one.totals)
        for number, whole in enumerate(totals):
            symbol = self._new(["N"] if len(totals) == 1 else [f"N_{number}"], whole.axes, whole.value)
            self.totals[whole] = Definition(symbol, whole.axes, self.lettered(whole.value, whole.axes))
        for one in ones.values():
            self._mean(one, ["m"] if len(ones) == 1 else [])
        for second in found:
            self._scatter(second, alone=len(found) == 1)
        groups = dict.fromkeys(second.first.group for second in found)
        self.moments += [self._group([s for s in found if s.first.group == group]) for group in groups]

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

    def _mean(self, one: First, short: list[str]) -> None:
        axes, label = one.whole.axes, label_of(one.function)
        stems = [*short, f"m_{label}", f"mean_{label}"]
        symbol = self._new(stems, axes, one.function)
        weighted = self.lettered(total(one.weight * one.function, one.axes), axes)
        self.means[one.whole] = Definition(symbol, axes, weighted / self.count(one))
        self.parts[one.whole] = self._new([f"{stem}_part" for stem in stems], axes, one.function)
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

    def _scatter(self, second: Second, *, alone: bool) -> None:
        whole, one, other = second.whole, second.first, second.other
        means = self.means[one.whole].symbol, self.means[other.whole].symbol
        parts, count = (self.parts[one.whole], self.parts[other.whole]), self.count(one)
        labels = dict.fromkeys((label_of(one.function), label_of(other.function)))
        own = one.whole == other.whole
        letter = "V" if own and not is_matrix(whole.value) else "C"
        stems = [*([letter] if alone else []), *("_".join((word, *labels)) for word in (letter, "scatter"))]
        symbol = self._new(stems, whole.axes, whole.value, "positive semidefinite" if own else "")
        excess = count * second.shape.at_means(*means)
        self.scatters[whole] = Scatter(
            Definition(symbol, whole.axes, self._about(second, means)),
            self.lettered(whole.value / second.number, whole.axes),
            total(excess, second.within),
            total(count * second.shape.about(*parts, *means), second.within),
        )
        self.pieces[whole.value] = ((second.number * symbol, ()), (second.number * excess, second.within))

    def _about(self, second: Second, means: tuple[Expr, Expr]) -> Expr:
        """Σ w ((f - m) (g - h) + v)."""
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
        ones = {one.whole: one for second in members for one in (second.first, second.other)}
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


def label_of(function: Expr) -> str:
    """A word for a function: the names of what it holds."""
    entries = function.atoms(Indexed) or function.free_symbols
    held = {name_of(entry) for entry in entries}
    words = sorted(name.removeprefix("E_") for name in held)
    outer = [type(function).__name__.lower()] if isinstance(function, Function) else []
    return "_".join((*outer, *words))
