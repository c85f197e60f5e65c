"""Probabilities sum to one: Σ_k Σ_i γ_ik = n, wherever a sum runs over all outcomes of a posterior.

Of rows that count c_i times it is Σ_k Σ_i c_i γ_ik = Σ_i c_i, which is a statistic: it gets a name where it is needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sympy import Add, Expr, Indexed, Integer, Mul, Sum, preorder_traversal

from symem.calculus.eliminated import Eliminated
from symem.calculus.fresh_names import Names
from symem.calculus.roots import simplified
from symem.calculus.separate import Term, fold, separate
from symem.derivation import NUMBERED, Definition, Tabulated
from symem.language.model import Model
from symem.language.plates import Axis
from symem.language.supports import Simplex
from symem.language.weights import count_of


class Collapse:
    """Replaces Σ_k S[k] by a number of observations, where S[k] sums a posterior's probability of k."""

    def __init__(
        self, statistics: Iterable[Definition], eliminated: Iterable[Eliminated], model: Model, names: Names
    ) -> None:
        self.statistics = tuple(statistics)
        self._values = {s.symbol.base: s for s in self.statistics if isinstance(s.symbol, Indexed)}
        records = (each.posterior for each in eliminated)
        tables = [each for each in records if isinstance(each, Tabulated)]
        symbols = [each.probability.symbol for each in tables]
        self._probabilities = {symbol.base for symbol in symbols if isinstance(symbol, Indexed)}
        simplexes = (each for each in model.parameters if each.support == Simplex() and each.sizes)
        self._shares = {each.symbol for each in simplexes}
        self._sizes = {size.symbol for size in model.sizes}
        self._weights, self._names = model.weights, names
        self._whole = list(self._complete_groups(tables))

    def __call__(self, expr: Expr) -> Expr:
        for symbols, count in self._whole:
            if set(symbols) <= expr.free_symbols:
                shorter = simplified(expr.xreplace({symbols[0]: count - Add(*symbols[1:])}))
                expr = shorter if shorter.count_ops() < expr.count_ops() else expr
        return self._over_sums(expr)

    def _complete_groups(self, posteriors: Iterable[Tabulated]) -> Iterator[tuple[list[Expr], Expr]]:
        """Scalar statistics Σ_i γ_i0, Σ_i γ_i1, … that name every outcome, and the count they add up to."""
        plain = {s.value: s.symbol for s in self.statistics if not s.axes and isinstance(s.value, Sum)}
        for posterior in posteriors:
            table = posterior.probability
            *places, outcome = table.symbol.indices if isinstance(table.symbol, Indexed) else (None,)
            if not places or not table.axes[-1].size.is_Integer:
                continue
            cells = [
                table.symbol.xreplace({outcome: cell})
                for cell in map(Integer, range(int(table.axes[-1].size)))
            ]
            limits = tuple(axis.limits for axis in table.axes[:-1])
            sums = [plain.get(Sum(posterior.count * cell, *limits)) for cell in cells]
            whole = self._number(fold(Term(posterior.count, table.axes[:-1])))
            if None not in sums and whole is not None:
                yield [s for s in sums if s is not None], whole

    def _number(self, rows: Term) -> Expr | None:
        """The number of rows, or how often they count together, by its name; None if data stand in it."""
        count = count_of(rows.factor, self._weights)
        rest = rows.factor / count
        if not rest.free_symbols <= self._sizes:
            return None
        return (
            rest * Mul(*(axis.size for axis in rows.axes))
            if count == 1
            else rest * self._total(count, rows.axes)
        )

    def _total(self, count: Expr, axes: tuple[Axis, ...]) -> Expr:
        """Σ c by the name that it has, or is given."""
        value = Sum(count, *(axis.limits for axis in axes))
        named = next((s.symbol for s in self.statistics if s.value == value), None)
        if named is None:
            plain = [s for s in self.statistics if str(s.symbol).startswith(NUMBERED)]
            named = self._names.entry(f"{NUMBERED}{len(plain)}", (), positive=True)
            self.statistics = (*self.statistics, Definition(named, (), value))
        return named

    def _over_sums(self, expr: Expr) -> Expr:
        rules = {s: self._sum(s) for s in preorder_traversal(expr) if isinstance(s, Sum)}
        changed = {old: new for old, new in rules.items() if old != new}
        return expr.xreplace(changed) if changed else expr

    def _sum(self, whole: Sum) -> Expr:
        if (number := self._of_whole_shares(whole)) is not None:
            return number
        if len(whole.limits) != 1:
            return whole
        index = whole.limits[0][0]
        parts = [self._part(part, index) for part in Add.make_args(whole.function)]
        if all(part is None for part in parts):
            return whole
        rest = [old for old, new in zip(Add.make_args(whole.function), parts, strict=True) if new is None]
        kept = Sum(Add(*rest), *whole.limits) if rest else 0
        return Add(kept, *(part for part in parts if part is not None))

    def _of_whole_shares(self, whole: Sum) -> Expr | None:
        """How many simplexes a sum of all shares of parameters is over: each adds 1."""
        share, sizes = whole.function, {index: high + 1 for index, _low, high in whole.limits}
        if not isinstance(share, Indexed) or share.base not in self._shares or share.indices[-1] not in sizes:
            return None
        sizes.pop(share.indices[-1])
        return Mul(*sizes.values()) if set(sizes) <= set(share.indices[:-1]) else None

    def _part(self, part: Expr, index: Expr) -> Expr | None:
        held = [f for f in Mul.make_args(part) if f.has(index)]
        if len(held) != 1 or not isinstance(held[0], Indexed) or held[0].base not in self._values:
            return None
        definition = self._values[held[0].base]
        places = dict(zip(definition.symbol.indices, held[0].indices, strict=True))
        collapsed = [self._term(term, index) for term in separate(definition.value.xreplace(places))]
        if any(each is None for each in collapsed):
            return None
        return part / held[0] * Add(*(each for each in collapsed if each is not None))

    def _term(self, term: Term, index: Expr) -> Expr | None:
        """A sum of γ[…, index] and nothing else that holds the index, without data."""
        held = [f for f in term.factors() if f.has(index)]
        if len(held) != 1 or not isinstance(held[0], Indexed) or held[0].base not in self._probabilities:
            return None
        if held[0].indices[-1] != index or any(place.has(index) for place in held[0].indices[:-1]):
            return None
        return self._number(fold(Term(Mul(*(f for f in term.factors() if f != held[0])), term.axes)))
