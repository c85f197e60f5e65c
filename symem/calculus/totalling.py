"""Probabilities sum to one: Σ_k Σ_i γ_ik = n, wherever a sum runs over all outcomes of a posterior."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sympy import Add, Expr, Indexed, Integer, Mul, Sum, preorder_traversal

from symem.calculus.eliminated import Eliminated
from symem.calculus.roots import simplified
from symem.calculus.separate import Term, fold, separate
from symem.derivation import Definition, Tabulated


class Collapse:
    """Replaces Σ_k S[k] by a number of observations, where S[k] sums a posterior's probability of k."""

    def __init__(
        self, statistics: Iterable[Definition], eliminated: Iterable[Eliminated], sizes: set[Expr]
    ) -> None:
        statistics, eliminated = tuple(statistics), tuple(eliminated)
        self._values = {s.symbol.base: s for s in statistics if isinstance(s.symbol, Indexed)}
        records = (each.posterior for each in eliminated)
        tables = [each.probability for each in records if isinstance(each, Tabulated)]
        self._probabilities = {table.symbol.base for table in tables if isinstance(table.symbol, Indexed)}
        self._sizes = sizes
        self._whole = list(self._complete_groups(statistics, tables))

    def __call__(self, expr: Expr) -> Expr:
        for symbols, count in self._whole:
            if set(symbols) <= expr.free_symbols:
                shorter = simplified(expr.xreplace({symbols[0]: count - Add(*symbols[1:])}))
                expr = shorter if shorter.count_ops() < expr.count_ops() else expr
        return self._over_sums(expr)

    def _complete_groups(
        self, statistics: Iterable[Definition], tables: Iterable[Definition]
    ) -> Iterator[tuple[list[Expr], Expr]]:
        """Scalar statistics Σ_i γ_i0, Σ_i γ_i1, … that name every outcome, and the count they add up to."""
        plain = {s.value: s.symbol for s in statistics if not s.axes and isinstance(s.value, Sum)}
        for table in tables:
            *places, outcome = table.symbol.indices if isinstance(table.symbol, Indexed) else (None,)
            if not places or not table.axes[-1].size.is_Integer:
                continue
            cells = [
                table.symbol.xreplace({outcome: cell})
                for cell in map(Integer, range(int(table.axes[-1].size)))
            ]
            limits = tuple(axis.limits for axis in table.axes[:-1])
            sums = [plain.get(Sum(cell, *limits)) for cell in cells]
            if None not in sums:
                yield [s for s in sums if s is not None], Mul(*(axis.size for axis in table.axes[:-1]))

    def _over_sums(self, expr: Expr) -> Expr:
        rules = {s: self._sum(s) for s in preorder_traversal(expr) if isinstance(s, Sum)}
        changed = {old: new for old, new in rules.items() if old != new}
        return expr.xreplace(changed) if changed else expr

    def _sum(self, whole: Sum) -> Expr:
        if len(whole.limits) != 1:
            return whole
        index = whole.limits[0][0]
        parts = [self._part(part, index) for part in Add.make_args(whole.function)]
        if all(part is None for part in parts):
            return whole
        rest = [old for old, new in zip(Add.make_args(whole.function), parts, strict=True) if new is None]
        kept = Sum(Add(*rest), *whole.limits) if rest else 0
        return Add(kept, *(part for part in parts if part is not None))

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
        left = fold(Term(Mul(*(f for f in term.factors() if f != held[0])), term.axes))
        return left.expr if left.expr.free_symbols <= self._sizes else None
