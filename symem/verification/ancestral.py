"""Data drawn from the declared distributions, parents before children."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from sympy import Expr, Idx, Indexed, S, Sum

from symem.evaluation.arithmetic import Arithmetic, depths
from symem.language.declarations import OF_CELLS
from symem.language.leaves import name_of, places_of
from symem.language.matrices import is_matrix
from symem.language.supports import Positive
from symem.verification.observing import CannotSampleError, names_of_law, observed

Array = np.ndarray[Any, np.dtype[Any]]
Arrays = dict[str, Any]


def ancestral(
    model: Any, arrays: Mapping[str, Any], rng: np.random.Generator, *, strict: bool = False
) -> Arrays:
    """All variables of a model stated by distributions, labels counted from 0.

    Args:
        model: what was declared.
        arrays: sizes, parameters and known arrays by name. Known ends of intervals are moved to where the
            drawn values respect them.
        rng: the source of randomness.
        strict: whether a draw that has no density is refused.

    Returns:
        name -> array of every datum, known array and latent.

    Raises
    ------
    CannotSampleError
        A family has no sampler, or a datum has neither a distribution nor an equation.
    ImpossibleDrawError
        The draw has no density: relations between what was drawn do not hold.
    """
    known = dict(arrays)
    scope = Arithmetic(known)
    for name in (name_of(entry) for each in model.declarations for entry in each.entries):
        variable = model.variables[name]
        known[name] = np.zeros([scope.integer(size) for size in (*variable.sizes, *variable.shape)])
    for declaration in _parents_first(model.declarations):
        for line in _places(declaration, known):
            _draw(model, line, known, rng)
    return observed(model, known, rng, strict=strict)


def _parents_first(declarations: Sequence[Any]) -> Iterator[Any]:
    waiting = list(declarations)
    while waiting:
        unborn = {name_of(entry) for each in waiting for entry in each.entries}
        ready = [each for each in waiting if not (names_of_law(each.distribution) - _own_past(each)) & unborn]
        if not ready:
            raise CannotSampleError("the declarations refer to one another in a circle")
        yield from sorted(ready, key=lambda each: (each.back is not None, _first_place(each)))
        waiting = [each for each in waiting if each not in ready]


def _own_past(declaration: Any) -> set[str]:
    """The variable, where its law looks back, as that of a numbered place does at those before."""
    looks_back = declaration.back is not None or _first_place(declaration)
    return {name_of(entry) for entry in declaration.entries} if looks_back else set()


def _first_place(declaration: Any) -> tuple[int, ...]:
    """The numbers among the indices of what a law is of."""
    return tuple(int(place) for place in places_of(declaration.entries[0]) if place.is_Integer)


def _places(declaration: Any, known: Arrays) -> Iterator[Any]:
    """The line as it stands, or, if it looks back, at one place after another."""
    index = declaration.place_by_place
    if index is None:
        yield declaration
        return
    entry = declaration.entries[0]
    if declaration.parent is not None:
        above = depths(np.asarray(known[name_of(declaration.parent)], dtype=int))
        order = np.argsort(above, kind="stable")
        for place in order[(above[order] == 0) == declaration.at_roots]:
            yield declaration.at(index, index.lower + int(place))
        return
    length = known[name_of(entry)].shape[list(entry.indices).index(index)]
    for place in range(declaration.reach, length):
        yield declaration.at(index, index.lower + place)


def _draw(model: Any, declaration: Any, known: Arrays, rng: np.random.Generator) -> None:
    """Set the entries that a declaration gives, at all positions at once."""
    cell = declaration.cell
    own = [index for index in declaration.own if index != cell]
    values = _drawn(declaration.distribution, declaration, _Numbers(model, known, own, declaration), rng)
    if declaration.name not in OF_CELLS:
        _Numbers(model, known, own, declaration).set(declaration.entries[0], values)
    elif cell is not None:
        _Numbers(model, known, [*own, cell], declaration).set(declaration.entries[0], values)
    else:
        for entry, value in zip(declaration.entries, np.moveaxis(values, -1, 0), strict=True):
            _Numbers(model, known, own, declaration).set(entry, value)


class _Numbers:
    """Values of the user's expressions at all positions of the indices `own` of a declaration."""

    def __init__(self, model: Any, known: Arrays, own: Sequence[Any], declaration: Any) -> None:
        self.model, self.known, self.own = model, known, tuple(own)
        self.variable = model.variables[name_of(declaration.entries[0])]
        axes = model.formula(S.Zero, self.own, {}).axes
        self.indices = tuple(axis.index for axis in axes)
        self.shape = tuple(self._length(declaration.entries[0], place, axes) for place in range(len(axes)))

    def _length(self, entry: Any, place: int, axes: Sequence[Any]) -> int:
        """How many positions an index has; where that depends on those before it, as many as the array has places."""
        if not axes[place].size.free_symbols & set(self.indices):
            return Arithmetic(self.known).integer(axes[place].size)
        return int(self.known[name_of(entry)].shape[list(entry.indices).index(self.own[place])])

    def __call__(self, expression: Expr) -> Array:
        """An array with an axis for each index; of matrices these are followed by their own, a column being a vector."""
        formula = self.model.formula(expression, self.own, {})
        found = np.asarray(Arithmetic(self.known).table(formula.value, self.indices, self.shape))
        if not is_matrix(expression):
            return found
        return found[..., 0] if found.shape[-1] == 1 < self.width else found

    @property
    def width(self) -> int:
        """How many entries a vector has."""
        return Arithmetic(self.known).integer(self.variable.shape[0])

    def matrix(self, expression: Expr) -> Array:
        """A matrix, a column as a vector; a number is that multiple of the identity, zero a vector of zeros."""
        if is_matrix(expression):
            return self(expression)
        return (
            self(expression)[..., None, None] * np.eye(self.width)
            if expression != 0
            else np.zeros(self.width)
        )

    def set(self, entry: Any, values: Any) -> None:
        array = self.known[name_of(entry)]
        scope = Arithmetic(self.known)
        value = self.model.formula(entry, self.own, {}).value
        # A label that counts from 1 is the entry and 1.
        places = next((each for each in value.atoms(Indexed) if name_of(each) == name_of(entry)), value)
        bindings = scope.over(self.indices, self.shape)
        there = tuple(np.asarray(scope(each, bindings), dtype=int) for each in places_of(places))
        turned = np.transpose(
            values, (*range(len(self.shape))[::-1], *range(len(self.shape), np.ndim(values)))
        )
        array[there] = np.reshape(turned, np.shape(array[there]))


def _drawn(distribution: Any, declaration: Any, number: _Numbers, rng: np.random.Generator) -> Any:
    """A value at every position; of a label the place of the category, of a Multinomial all counts, on the last axis."""
    arguments, shape = distribution.arguments, number.shape
    if distribution.name == "Categorical":
        steps = np.cumsum(_probabilities(arguments, declaration, number), axis=-1)[..., :-1]
        return (rng.random(shape)[..., None] >= steps).sum(axis=-1)
    if distribution.name == "Multinomial":
        total = np.rint(number(arguments[0])).astype(int)
        return rng.multinomial(total, _probabilities(arguments[1:], declaration, number))
    if distribution.name == "Dirichlet":
        shares = rng.standard_gamma(_cells(arguments, declaration, number))
        return shares / shares.sum(axis=-1, keepdims=True)
    if distribution.name == "Cases":
        return _of_branch(distribution, declaration, number, rng)
    if distribution.family.sampler is None:
        raise CannotSampleError(f"{distribution.name} has no sampler")
    if number.variable.shape and not number.variable.of_numbers:
        return distribution.family.sampler(rng, shape, *_of_vector(distribution, arguments, number))
    return np.asarray(distribution.family.sampler(rng, shape, *map(number, arguments)))


def _of_branch(distribution: Any, declaration: Any, number: _Numbers, rng: np.random.Generator) -> Any:
    """At each position a value from the branch that the label selects there."""
    labels = np.rint(number(distribution.arguments[0])).astype(int)
    branches = {value: distribution.branch(value) for value in np.unique(labels).tolist()}
    values = {value: _drawn(branch, declaration, number, rng) for value, branch in branches.items()}
    return np.select([labels == value for value in values], list(values.values()))


def _of_vector(distribution: Any, arguments: Sequence[Expr], number: _Numbers) -> Iterator[Any]:
    """The arguments of a law of vectors: its mean, a matrix, numbers."""
    for argument, support in zip(arguments, distribution.family.parameters.values(), strict=True):
        is_number = not is_matrix(argument) and isinstance(support, Positive)
        yield number(argument) if is_number else number.matrix(argument)


def _probabilities(arguments: tuple[Expr, ...], declaration: Any, number: _Numbers) -> Array:
    weights = _cells(arguments, declaration, number)
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def _cells(arguments: tuple[Expr, ...], declaration: Any, number: _Numbers) -> Array:
    """Of cells that are written one by one, or that an index runs over which nothing else binds; on the last axis."""
    if len(arguments) > 1:
        return np.stack(np.broadcast_arrays(*map(number, arguments)), axis=-1)
    bound = {limit[0] for inner in arguments[0].atoms(Sum) for limit in inner.limits}
    open_ones = arguments[0].atoms(Idx) - bound - (set(declaration.own) - {declaration.cell})
    (index,) = open_ones or {declaration.cell}
    return np.asarray(_Numbers(number.model, number.known, [*number.own, index], declaration)(arguments[0]))
