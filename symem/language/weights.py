"""Rows that count several times: of `weights={i: c[i]}` row i, with all that stands on its plate, counts c[i] times.

c[i] rows that are alike and independent have c[i] times the log-density of one, so every sum over the plate in the
complete-data log-likelihood gets the factor c[i]; it need not be whole. What stands under a known label, y[i] in group
g[i] of plate j, is on the plate too: its row counts c[g[i]] times. (Rows alike: McLachlan & Krishnan 2008, section 2.8.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sympy import Add, Expr, Idx, Indexed, Mul, Product, S, Sum

from symem.errors import ModelError, PlateError
from symem.language.leaves import name_of
from symem.language.plates import Axis, index_symbol
from symem.language.ranges import Range, limit_ranges, own_range
from symem.language.reading import Reader, Shape
from symem.language.shapes import range_size
from symem.language.statements import Statement
from symem.language.supports import NonNegative
from symem.language.symbol_names import names_in, stated_name
from symem.language.variables import Role


@dataclass(frozen=True)
class Weight:
    """How often a row counts: an entry c[i], and the axis i of the rows."""

    entry: Expr
    axis: Axis

    @property
    def name(self) -> str:
        return name_of(self.entry)

    @property
    def array(self) -> Expr:
        return self.entry.base

    def at(self, place: Expr) -> Expr:
        """How often the row at a place counts."""
        return self.entry.xreplace({self.axis.index: place})


def with_weights(statement: Statement, weights: Mapping[Any, Expr]) -> Statement:
    """The statement with the weights of rows among what is known.

    Raises:
        ModelError: one of them stands elsewhere in the model.
    """
    names = tuple(stated_name(entry) for entry in weights.values())
    for name, entry in zip(names, weights.values(), strict=True):
        stands = any(name in names_in(piece) for piece in statement.pieces)
        if stands or statement.roles.get(name, Role.KNOWN) is not Role.KNOWN or names.count(name) > 1:
            raise ModelError(
                f"weights=: {entry} counts rows, and {name!r} stands elsewhere in the model: give it a name of its own."
            )
    roles = {**statement.roles, **dict.fromkeys(names, Role.KNOWN)}
    return replace(
        statement, roles=roles, supports={**statement.supports, **dict.fromkeys(names, NonNegative())}
    )


def range_of(index: Any, pieces: Iterable[Expr]) -> Range:
    """The range of the index of a plate: its own, or that of a sum or product over it.

    Raises:
        PlateError: nothing in the model runs over it.
    """
    if isinstance(index, Idx) and index.lower is not None:
        return own_range(index)
    for piece in pieces:
        for node in piece.atoms(Sum, Product):
            for own, span in limit_ranges(node):
                if stated_name(own) == stated_name(index):
                    return span
    raise PlateError(f"weights={{{index}: …}}: nothing in the model runs over {index}.")


def weighed(
    log_likelihood: Expr, reader: Reader, statement: Statement, weights: Mapping[Any, Expr]
) -> tuple[tuple[Weight, ...], Expr]:
    """The weights in internal symbols, and the log-likelihood in which every row counts as often as they say.

    Raises:
        ModelError: rows do not stand in a sum over their plate, so that they cannot be counted.
    """
    latents = frozenset(name for name, role in statement.roles.items() if role is Role.LATENT)
    found, whole = [], log_likelihood
    for index, entry in weights.items():
        span = range_of(index, statement.pieces)
        axis = Axis(index_symbol(reader.label(stated_name(index))), range_size(span, reader))
        weight = Weight(reader.read(entry, {index: axis.index + span.lower}), axis)
        weighing = _Weighing(weight, reader.shapes, latents)
        if not weighing.spans(whole):
            raise PlateError(f"weights={{{index}: {entry}}}: nothing in the model runs over {index}.")
        found.append(weight)
        whole = weighing.of(whole)
    return tuple(found), whole


def count_of(factor: Expr, weights: Iterable[Weight]) -> Expr:
    """How often a product counts: the weights among its factors."""
    arrays = {weight.array for weight in weights}
    return Mul(*(f for f in Mul.make_args(factor) if isinstance(f, Indexed) and f.base in arrays))


def once(expr: Expr, weights: Iterable[Weight]) -> Expr:
    """An expression as it is where every row counts once."""
    arrays = {weight.array for weight in weights}
    return expr.xreplace({entry: S.One for entry in expr.atoms(Indexed) if entry.base in arrays})


@dataclass(frozen=True)
class _Weighing:
    weight: Weight
    shapes: Mapping[str, Shape]
    latents: frozenset[str]

    def of(self, expr: Expr) -> Expr:
        """What adds up, each part with its weight; parts of the same rows are one sum."""
        if isinstance(expr, Add):
            rows: dict[Any, list[Expr]] = {}
            for part in expr.args:
                rows.setdefault(part.limits if isinstance(part, Sum) else None, []).append(part)
            alone = rows.pop(None, [])
            sums = (Sum(Add(*(each.function for each in alike)), *limits) for limits, alike in rows.items())
            return Add(*map(self.of, (*alone, *sums)))
        if isinstance(expr, Sum):
            count = self._count(expr)
            return Sum(self.of(expr.function) if count is None else count * expr.function, *expr.limits)
        if not self.spans(expr):
            return expr
        holding = [factor for factor in Mul.make_args(expr) if self.spans(factor)]
        if expr.is_Mul and len(holding) == 1:
            return expr / holding[0] * self.of(holding[0])
        raise self._refusal(expr, "does not add up over the rows")

    def spans(self, expr: Expr) -> bool:
        """Whether rows stand in an expression."""
        inside = any(self._count(each) is not None for each in expr.atoms(Sum))
        return inside or bool(self._labels(expr))

    def _count(self, whole: Sum) -> Expr | None:
        """How often what a sum adds counts, or None if it does not run over the rows."""
        axis = self.weight.axis
        alike = [index for index, _low, high in whole.limits if high + 1 == axis.size]
        if axis.index in alike:
            return self.weight.at(axis.index)
        if alike and not axis.size.is_number:
            return self._only(whole, alike)
        labels = self._labels(whole.function)
        return self._only(whole, labels) if labels else None

    def _only(self, whole: Expr, places: list[Expr]) -> Expr:
        """The weight at the one place where a summand stands."""
        place, *others = places
        if others or any(name_of(entry) in self.latents for entry in place.atoms(Indexed)):
            raise self._refusal(whole, f"stands on more than one row of {self.weight.axis.index}")
        return self.weight.at(place)

    def _labels(self, expr: Expr) -> list[Expr]:
        """What stands in slots of the plate without being an index: labels, and rows by number."""
        found = {
            place
            for entry in expr.atoms(Indexed)
            if name_of(entry) in self.shapes
            for place, size in zip(entry.indices, self.shapes[name_of(entry)].sizes, strict=True)
            if size == self.weight.axis.size
            and not size.is_number
            and (place.is_Integer or place.atoms(Indexed))
        }
        return sorted(found, key=str)

    def _refusal(self, expr: Expr, reason: str) -> ModelError:
        index, entry = self.weight.axis.index, self.weight.entry
        return ModelError(
            f"weights={{{index}: {entry}}}: {expr} {reason}, so it cannot count {entry} times: state the rows in one sum or "
            f"product over {index}."
        )
