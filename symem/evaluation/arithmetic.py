"""Formulas in numbers: expressions on NumPy arrays, every open index an axis of its own.

The newest index is the leading axis, so that a `Sum` is a sum over axis 0; the points of `Moving` arrays, the oldest
plate, are the last one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import logsumexp
from sympy import Basic, Dummy, Expr, Product, Sum, Symbol

from symem.derivation import Definition, Recurrence, TreeRecurrence
from symem.evaluation.points import Lookup, Moving
from symem.evaluation.rules import Algebra, Bindings
from symem.evaluation.scalar_functions import Head, function
from symem.evaluation.stacks import Array
from symem.language.leaves import name_of, places_of
from symem.language.matrices import MatrixEntry, is_matrix
from symem.language.quadrature_rule import Mode, climbed

Arrays = dict[str, Any]

#: The index of the points.
_POINT = Dummy("point")


@dataclass(frozen=True)
class Arithmetic(Algebra[Any]):
    """Evaluates expressions.

    Args:
        arrays: name -> number, array, or `Moving` array.
        posterior_mean: E[f | data, θ⁽ᵗ⁾] of a function of latents at one position, for means that a derivation
            leaves unevaluated.
    """

    arrays: Mapping[str, Any]
    posterior_mean: Callable[[Expr, Mapping[Symbol, int]], float] | None = None

    @cached_property
    def _lookup(self) -> Lookup:
        return Lookup(self.arrays)

    @property
    def points(self) -> int | None:
        """The number of points, if anything moves."""
        return self._lookup.points

    @property
    def unbound(self) -> Bindings:
        return {} if self.points is None else {_POINT: np.arange(self.points)}

    def opened(self, index: Symbol, size: int, bindings: Bindings, low: int = 0) -> Bindings:
        """The bindings with one more index, over `size` places from `low` on."""
        return {**bindings, index: np.arange(low, low + size).reshape((size,) + (1,) * _depth(bindings))}

    def over(self, indices: Iterable[Symbol], shape: Iterable[int]) -> Bindings:
        """The bindings in which these indices are open."""
        bindings = self.unbound
        for index, size in zip(indices, shape, strict=True):
            bindings = self.opened(index, size, bindings)
        return bindings

    def number(self, expression: Basic) -> float:
        """The value of an expression without open indices."""
        return float(self(expression))

    def numbers(self, expression: Basic) -> Array:
        """Its value at each point."""
        return np.broadcast_to(np.asarray(self(expression), dtype=float), (self.points or 1,))

    def integer(self, expression: Basic) -> int:
        return round(self.number(expression))

    def table(self, value: Expr, indices: tuple[Symbol, ...], shape: tuple[int, ...]) -> Any:
        """An array of values over the indices, in their order; of matrices those axes are followed by their own."""
        bindings = self.over(indices, shape)
        found = np.asarray(self(value, bindings), dtype=float)
        own = found.shape[-2:] if is_matrix(value) else ()
        return self._set(np.empty((*shape, *own)), tuple(bindings[each] for each in indices), found)

    def defined(self, definition: Definition) -> Any:
        """The array that a definition defines, or the one it sets entries of, such as mu[0], with these set."""
        symbol, lengths = definition.symbol, {axis.index: self.integer(axis.size) for axis in definition.axes}
        if (told := definition.recurrence) is not None:
            return self._recurred(told, lengths)
        if (tree := definition.over_tree) is not None:
            return self._over_tree(tree, lengths)
        bindings, indices = self.over(lengths, lengths.values()), places_of(symbol)
        found, own = self._values(symbol, definition.value, bindings), self._own_shape(symbol)
        places = tuple(np.asarray(self(place, bindings), dtype=int) for place in indices)
        if set(indices) <= set(lengths):
            return self._set(np.empty((*(lengths[place] for place in indices), *own)), places, found)
        return self._set(self.arrays[name_of(symbol)], places, found)

    def _recurred(self, told: Recurrence, lengths: Mapping[Symbol, int]) -> Any:
        """The array of a recurrence, place after place."""
        along = told.axis.index
        order = range(lengths[along])[:: -1 if told.backward else 1]
        alike = told.places == told.axis.size
        formulas = (told.first, told.next) if alike else (told.value_at_end, told.value)
        return self._place_by_place(told.symbol, along, lengths, order, lambda n: formulas[n != order[0]])

    def _over_tree(self, told: TreeRecurrence, lengths: Mapping[Symbol, int]) -> Any:
        """The array of a recurrence over a tree, parents before or after their children."""
        order = np.argsort(depths(np.asarray(self.arrays[name_of(told.parent)], dtype=int)), kind="stable")
        order = order[:: -1 if told.upward else 1]
        return self._place_by_place(told.symbol, told.axis.index, lengths, order, lambda _place: told.value)

    def _place_by_place(
        self,
        symbol: Expr,
        along: Symbol,
        lengths: Mapping[Symbol, int],
        order: Iterable[int],
        value: Callable[[int], Expr],
    ) -> Any:
        """An array whose value at a place reads it at those that come before in the order."""
        others = {index: size for index, size in lengths.items() if index != along}
        array: Any = np.zeros([*(lengths[place] for place in symbol.indices), *self._own_shape(symbol)])
        for place in order:
            here = Arithmetic({**self.arrays, name_of(symbol): array}, self.posterior_mean)
            bindings = {along: np.asarray(place), **here.over(others, others.values())}
            found = here._values(symbol, value(place), bindings)
            array = here._set(array, tuple(bindings[each] for each in symbol.indices), found)
        return array

    def _own_shape(self, symbol: Expr) -> tuple[int, ...]:
        """That of the entries of a vector or of a matrix."""
        if not isinstance(symbol, MatrixEntry):
            return ()
        rows, columns = map(self.integer, symbol.dimensions)
        return (rows,) if symbol.dimensions[1] == 1 else (rows, columns)

    def _values(self, symbol: Expr, value: Expr, bindings: Bindings) -> Array:
        """The values of a letter: a column without its axis of columns; a number is that multiple of the identity, or zeros."""
        found = np.asarray(self(value, bindings), dtype=float)
        if not isinstance(symbol, MatrixEntry):
            return found
        column = symbol.dimensions[1] == 1
        if not is_matrix(value):
            rows = self.integer(symbol.dimensions[0])
            return found[..., None] * np.ones(rows) if column else found[..., None, None] * np.eye(rows)
        return found[..., 0] if column else found

    def _set(self, array: Any, places: tuple[Any, ...], values: Array) -> Any:
        """An array with values in these places; it moves where there are points."""
        whole: Any = array.values if isinstance(array, Moving) else np.asarray(array, dtype=float)
        if self.points is not None and not isinstance(array, Moving):
            whole = np.broadcast_to(whole, (self.points, *whole.shape))
        whole = np.array(whole, dtype=float)
        whole[(*self.unbound.values(), *places)] = values
        return whole if self.points is None else Moving(whole)

    # -- the algebra -----------------------------------------------------------------------------------

    def constant(self, value: Any) -> Any:
        return value

    def entry(self, name: str, places: tuple[Any, ...]) -> Any:
        return self._lookup.entry(name, places)

    def letter(self, name: str, places: tuple[Any, ...]) -> Array:
        return self._lookup.letter(name, places)

    def apply(self, head: Head, *arguments: Any) -> Any:
        return function(head)(*arguments)

    def repeated(self, expression: Sum | Product, bindings: Bindings) -> Any:
        whole, count = self._spread(expression.function, expression.limits, bindings)
        reduced: Any = whole.prod if isinstance(expression, Product) else whole.sum
        return reduced(axis=tuple(range(count)))

    def log_sum_exp(self, exponent: Expr, limits: Any, bindings: Bindings) -> Any:
        """About the largest exponent, so that it neither overflows nor vanishes."""
        whole, count = self._spread(exponent, limits, bindings)
        return logsumexp(whole, axis=tuple(range(count)))

    def _spread(self, function: Basic, limits: Any, bindings: Bindings) -> tuple[Array, int]:
        """What stands in a sum, its indices the first axes; and their number. SymPy's last limit is the outermost."""
        inner, sizes = bindings, []
        for index, low, high in reversed(limits):
            first, last = self.integer(low), self.integer(high)
            sizes.append(last + 1 - first)
            inner = self.opened(index, sizes[-1], inner, first)
        value = np.asarray(self(function, inner))
        own = value.shape[-2:] if is_matrix(function) else ()
        lead = value.shape[: value.ndim - len(own)]
        padded = (1,) * (_depth(inner) - len(lead)) + lead
        return np.broadcast_to(value, (*reversed(sizes), *padded[len(sizes) :], *own)), len(sizes)

    def mode(self, mode: Mode, bindings: Bindings) -> Any:
        shape = np.broadcast_shapes(*(np.shape(each) for each in bindings.values()))
        formulas = (mode.height, mode.slopes, mode.bends)

        def at(place: list[Any]) -> tuple[Any, Any, Any]:
            here = {**bindings, **dict(zip(mode.unknowns, place, strict=True))}
            height, slopes, bends = formulas
            with np.errstate(all="ignore"):
                value = np.broadcast_to(self(height, here), shape)
                return value, [self(each, here) for each in slopes], [self(each, here) for each in bends]

        return climbed(at, [np.zeros(shape)] * len(mode.unknowns))[mode.component]

    def mean(self, expression: Expr, bindings: Bindings) -> Any:
        """Position by position, by brute force."""
        if self.posterior_mean is None:
            return super().mean(expression, bindings)
        shape = np.broadcast_shapes(*(np.shape(each) for each in bindings.values()))
        places = {index: np.broadcast_to(each, shape) for index, each in bindings.items()}
        values = np.empty(shape)
        for place in np.ndindex(*shape):
            here = {index: int(each[place]) for index, each in places.items() if index != _POINT}
            values[place] = self.posterior_mean(expression, here)
        return values


def _depth(bindings: Bindings) -> int:
    """The number of axes opened so far; an index that another shadows has left its axis behind."""
    return max((np.ndim(each) for each in bindings.values()), default=0)


def evaluate(definitions: Iterable[Definition], arrays: Mapping[str, Any]) -> Arrays:
    """All arrays, the defined ones included, in order of definition: a record as the straight-line program it is."""
    known = dict(arrays)
    for definition in definitions:
        known[name_of(definition.symbol)] = Arithmetic(known).defined(definition)
    return known


def depths(parents: Array) -> Array:
    """How many places stand above each place of a tree; a root, of which there are none, has a negative parent."""
    found, at = np.zeros(len(parents), dtype=int), parents
    while np.any(at >= 0):
        found += at >= 0
        at = np.where(at >= 0, parents[at], -1)
    return found
