"""Data drawn from the declared distributions, parents before children."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from sympy import Basic, Expr, Idx, Indexed, Integer, Sum, Symbol
from sympy.core.relational import Equality, Relational

from symem.errors import UnknownSymbolError
from symem.evaluation.arithmetic import Arithmetic
from symem.language.leaves import name_of
from symem.language.matrices import is_matrix
from symem.language.plates import LogIverson
from symem.language.supports import Positive

Array = np.ndarray[Any, np.dtype[Any]]
Arrays = dict[str, Any]


class CannotSampleError(Exception):
    """A family has no sampler, or the declarations do not say where a datum comes from."""


class ImpossibleDrawError(Exception):
    """What was drawn contradicts what the model says was observed of it."""


def ancestral(
    model: Any, arrays: Mapping[str, Any], rng: np.random.Generator, *, strict: bool = False
) -> Arrays:
    """All variables of a model stated by distributions.

    Args:
        model: what was declared.
        arrays: sizes, parameters and known arrays by name. Known ends of intervals are moved to where the
            drawn values respect them.
        rng: the source of randomness.
        strict: whether a draw that has no density is refused.

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
        for entry, value in _draws(model, declaration, known, rng):
            place = tuple(int(each) for each in getattr(model.internal(entry), "indices", ()))
            array = known[name_of(entry)]
            array[place] = np.reshape(value, np.shape(array[place]))
    return _observed(model, known, rng, strict=strict)


def _parents_first(declarations: Sequence[Any]) -> Iterator[Any]:
    waiting = list(declarations)
    while waiting:
        unborn = {name_of(entry) for each in waiting for entry in each.entries}
        ready = [each for each in waiting if not (_names(each.distribution) & unborn)]
        if not ready:
            raise CannotSampleError("the declarations refer to one another in a circle")
        yield from ready
        waiting = [each for each in waiting if each not in ready]


def _names(distribution: Any) -> set[str]:
    own = {name_of(atom) for each in distribution.arguments for atom in each.atoms(Indexed, Symbol)}
    return own.union(*(_names(branch) for branch in distribution.branches.values()))


def _draws(
    model: Any, declaration: Any, known: Arrays, rng: np.random.Generator
) -> Iterator[tuple[Basic, Any]]:
    """(entry, value) pairs, in the user's symbols."""
    distribution, own = declaration.distribution, declaration.own
    cell = _cell(declaration)
    plates = [index for index in own if index != cell]
    number = _Numbers(model, known)
    for here in _positions(number, plates):
        value = _drawn(distribution, declaration, number.at(here), rng)
        if distribution.name != "Multinomial":
            yield declaration.entries[0].xreplace(here), value
        elif cell is None:
            yield from zip((entry.xreplace(here) for entry in declaration.entries), value, strict=True)
        else:
            places = ({**here, cell: Integer(place)} for place in number.places(cell))
            yield from zip((declaration.entries[0].xreplace(each) for each in places), value, strict=True)


def _positions(number: _Numbers, plates: Sequence[Any]) -> Iterator[dict[Any, Integer]]:
    """All positions of the indices; the range of one may depend on those before it."""
    if not plates:
        yield {}
        return
    *outer, last = plates
    for here in _positions(number, outer):
        for place in number.at(here).places(last):
            yield {**here, last: Integer(place)}


def _cell(declaration: Any) -> Any:
    """The index over the cells of a Multinomial, where it is one of the variable's own."""
    if declaration.name != "Multinomial":
        return None
    inside = set().union(*(each.atoms(Idx) for each in declaration.distribution.arguments[1:]))
    cells = [index for index in declaration.own if index in inside and len(declaration.entries) == 1]
    return cells[-1] if cells and len(declaration.distribution.arguments) == 2 else None


class _Numbers:
    """Values of the user's expressions at a position."""

    def __init__(self, model: Any, known: Arrays, here: Mapping[Any, Integer] | None = None) -> None:
        self.model, self.known, self.here = model, known, dict(here or {})

    def at(self, here: Mapping[Any, Integer]) -> _Numbers:
        return _Numbers(self.model, self.known, {**self.here, **here})

    def places(self, index: Any) -> range:
        """The values of an index, counted as the user counts."""
        return range(round(self(index.lower)), round(self(index.upper)) + 1)

    def __call__(self, expression: Expr) -> float:
        return Arithmetic(self.known).number(self.model.internal(expression.xreplace(self.here)))

    def matrix(self, expression: Expr, width: int) -> Array:
        """A matrix, a column as a vector; a number is that multiple of the identity, zero a vector of zeros."""
        if not is_matrix(expression):
            return self(expression) * np.eye(width) if expression != 0 else np.zeros(width)
        found = np.asarray(Arithmetic(self.known)(self.model.internal(expression.xreplace(self.here))))
        return found[:, 0] if found.shape[-1] == 1 < width else found


def _drawn(distribution: Any, declaration: Any, number: _Numbers, rng: np.random.Generator) -> Any:
    """One value at one position; of a label the place of the category, of a Multinomial all counts."""
    arguments = distribution.arguments
    if distribution.name == "Categorical":
        weights = _probabilities(arguments, declaration, number)
        return rng.choice(len(weights), p=weights)
    if distribution.name == "Multinomial":
        return rng.multinomial(
            round(number(arguments[0])), _probabilities(arguments[1:], declaration, number)
        )
    if distribution.name == "Cases":
        return _drawn(distribution.branch(round(number(arguments[0]))), declaration, number, rng)
    if distribution.family.sampler is None:
        raise CannotSampleError(f"{distribution.name} has no sampler")
    variable = number.model.variables[name_of(declaration.entries[0])]
    if variable.shape:
        return distribution.family.sampler(rng, (), *_of_vector(distribution, arguments, variable, number))
    return np.asarray(distribution.family.sampler(rng, (), *map(number, arguments))).item()


def _of_vector(
    distribution: Any, arguments: Sequence[Expr], variable: Any, number: _Numbers
) -> Iterator[Any]:
    """The arguments of a law of vectors: its mean, a matrix, numbers."""
    width = Arithmetic(number.known).integer(variable.shape[0])
    for argument, support in zip(arguments, distribution.family.parameters.values(), strict=True):
        is_number = not is_matrix(argument) and isinstance(support, Positive)
        yield number(argument) if is_number else number.matrix(argument, width)


def _probabilities(arguments: tuple[Expr, ...], declaration: Any, number: _Numbers) -> Array:
    """Of cells that are written one by one, or that an index runs over which nothing else binds."""
    if len(arguments) > 1:
        weights = np.array([number(each) for each in arguments])
    else:
        bound = {limit[0] for inner in arguments[0].atoms(Sum) for limit in inner.limits}
        (index,) = arguments[0].atoms(Idx) - bound - (set(declaration.own) - {_cell(declaration)})
        at = [number.at({index: Integer(place)}) for place in number.places(index)]
        weights = np.array([each(arguments[0]) for each in at])
    return np.asarray(weights / weights.sum())


def _observed(model: Any, known: Arrays, rng: np.random.Generator, *, strict: bool) -> Arrays:
    """What the relations in `given` say was seen of the drawn values."""
    masks = {each.name: np.ones_like(known[each.name.removeprefix("observed_")]) for each in model.masks}
    true = {f"{each.name}_missing": known[each.name] for each in model.data if each.missing}
    declared = {name_of(entry) for each in model.declarations for entry in each.entries}
    declared |= {name for each in model.declarations for name in _names(each.distribution)}
    arrays = {**known, **masks, **true}
    for relation in _relations(model):
        for entry, other in ((relation.lhs, relation.rhs), (relation.rhs, relation.lhs)):
            variable = model.variables.get(name_of(entry)) if isinstance(entry, Indexed | Symbol) else None
            if variable is None or variable.name in declared or not _is_free(variable, entry, other):
                continue
            value = _table(variable, entry, other, arrays)
            arrays[variable.name] = _on_the_right_side(relation, entry, value, rng, _ends(variable, arrays))
    if strict and _has_no_density(model, arrays):
        raise ImpossibleDrawError
    undrawn = [each.name for each in model.data if each.name not in arrays]
    if undrawn:
        raise CannotSampleError(f"nothing says where {undrawn[0]} comes from")
    return {each.name: arrays[each.name] for each in (*model.data, *model.known)}


def _has_no_density(model: Any, arrays: Arrays) -> bool:
    with np.errstate(all="ignore"), contextlib.suppress(UnknownSymbolError, IndexError):
        return Arithmetic(arrays).number(model.log_likelihood) == -np.inf
    return False


def _is_free(variable: Any, entry: Any, other: Expr) -> bool:
    """Whether a relation may settle an entry: data or known, with an index for each of the other side."""
    indices = {each for at in other.atoms(Indexed) for place in at.indices for each in place.free_symbols}
    unbound = indices & other.free_symbols
    return variable.role.value in {"data", "known"} and unbound <= set(getattr(entry, "indices", ()))


def _relations(model: Any) -> list[Relational]:
    brackets = sorted(model.log_likelihood.atoms(LogIverson), key=str)
    return sorted((each for bracket in brackets for each in bracket.atoms(Relational)), key=str)


def _table(variable: Any, entry: Any, value: Expr, arrays: Arrays) -> Array:
    """The value at every position of an array whose entry stands on the other side."""
    scope = Arithmetic(arrays)
    indices = tuple(getattr(entry, "indices", ()))
    return np.asarray(scope.table(value, indices, tuple(scope.integer(size) for size in variable.sizes)))


def _ends(variable: Any, arrays: Arrays) -> tuple[float, float]:
    scope = Arithmetic(arrays)
    low, high = (scope.number(end) if end.is_number else np.nan for end in variable.support.bounds)
    return np.nan_to_num(low, nan=-np.inf, neginf=-np.inf), np.nan_to_num(high, nan=np.inf, posinf=np.inf)


def _on_the_right_side(
    relation: Relational, entry: Any, value: Array, rng: np.random.Generator, ends: tuple[float, float]
) -> Array:
    """Equal to the value, or an end of an interval that holds it, inside the support."""
    if isinstance(relation, Equality):
        return value
    below = entry == relation.lts
    room = (0.2 + np.abs(value)) * rng.random(value.shape)
    return np.maximum(value - room, ends[0]) if below else np.minimum(value + room, ends[1])
