"""Data drawn from the declared distributions, parents before children."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from sympy import Basic, Expr, Idx, Indexed, Integer, Symbol
from sympy.core.relational import Equality, Relational

from symem.language.declarations import Declaration, categories
from symem.language.families import Distribution
from symem.language.plates import LogIverson
from symem.language.reading import base_name, own_range
from symem.verification.arithmetic import Arithmetic

Array = np.ndarray[Any, np.dtype[Any]]
Arrays = dict[str, Any]


class CannotSampleError(Exception):
    """A family has no sampler, or the declarations do not say where a datum comes from."""


def ancestral(model: Any, arrays: Mapping[str, Any], rng: np.random.Generator) -> Arrays:
    """All variables of a model stated by distributions.

    Args:
        model: what was declared.
        arrays: sizes, parameters and known arrays by name. Known ends of intervals are moved to where the
            drawn values respect them.
        rng: the source of randomness.

    Raises
    ------
    CannotSampleError
        A family has no sampler, or a datum has neither a distribution nor an equation.
    """
    known = dict(arrays)
    scope = Arithmetic(known)
    for name in (base_name(entry) for each in model.declarations for entry in each.entries):
        shape = tuple(scope.integer(size) for size in model.variables[name].sizes)
        known[name] = np.zeros(shape)
    for declaration in _parents_first(model.declarations):
        for entry, value in _draws(model, declaration, known, rng):
            place = model.internal(entry)
            known[base_name(entry)][tuple(int(each) for each in getattr(place, "indices", ()))] = value
    return _observed(model, known, rng)


def _parents_first(declarations: Sequence[Declaration]) -> Iterator[Declaration]:
    waiting = list(declarations)
    while waiting:
        unborn = {base_name(entry) for each in waiting for entry in each.entries}
        ready = [each for each in waiting if not (_names(each.distribution) & unborn)]
        if not ready:
            raise CannotSampleError("the declarations refer to one another in a circle")
        yield from ready
        waiting = [each for each in waiting if each not in ready]


def _names(distribution: Distribution) -> set[str]:
    own = {base_name(atom) for each in distribution.arguments for atom in each.atoms(Indexed, Symbol)}
    return own.union(*(_names(branch) for branch in distribution.branches.values()))


def _draws(
    model: Any, declaration: Declaration, known: Arrays, rng: np.random.Generator
) -> Iterator[tuple[Basic, Any]]:
    """(entry, value) pairs, in the user's symbols."""
    distribution, own = declaration.distribution, declaration.own
    cell = _cell(declaration)
    plates = [index for index in own if index != cell]
    number = _Numbers(model, known)
    spans = [own_range(index) for index in plates]
    ranges = [range(int(number(span.lower)), int(number(span.upper)) + 1) for span in spans]
    for position in itertools.product(*ranges):
        here = dict(zip(plates, map(Integer, position), strict=True))
        value = _drawn(distribution, declaration, number.at(here), rng)
        if distribution.name != "Multinomial":
            yield declaration.entries[0].xreplace(here), value
        elif cell is None:
            yield from zip((entry.xreplace(here) for entry in declaration.entries), value, strict=True)
        else:
            low = int(number(own_range(cell).lower))
            places = ({**here, cell: Integer(low + c)} for c in range(len(value)))
            yield from zip((declaration.entries[0].xreplace(each) for each in places), value, strict=True)


def _cell(declaration: Declaration) -> Any:
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

    def __call__(self, expression: Expr) -> float:
        return Arithmetic(self.known).number(self.model.internal(expression.xreplace(self.here)))


def _drawn(
    distribution: Distribution, declaration: Declaration, number: _Numbers, rng: np.random.Generator
) -> Any:
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
        return _drawn(distribution.branches[round(number(arguments[0]))], declaration, number, rng)
    if distribution.family.sampler is None:
        raise CannotSampleError(f"{distribution.name} has no sampler")
    return np.asarray(distribution.family.sampler(rng, (), *map(number, arguments))).item()


def _probabilities(arguments: tuple[Expr, ...], declaration: Declaration, number: _Numbers) -> Array:
    cell = _cell(declaration)
    own = tuple(index for index in declaration.own if index != cell)
    cells = categories(arguments, own, declaration.name)
    if cells.index is None:
        weights = np.array([number(each) for each in cells.probabilities])
    else:
        low, size = round(number(cells.origin)), round(number(cells.size))
        places = ({cells.index: Integer(low + c)} for c in range(size))
        weights = np.array([number.at(place)(cells.probabilities[0]) for place in places])
    return np.asarray(weights / weights.sum())


def _observed(model: Any, known: Arrays, rng: np.random.Generator) -> Arrays:
    """What the relations in `given` say was seen of the drawn values."""
    masks = {each.name: np.ones_like(known[each.name.removeprefix("observed_")]) for each in model.masks}
    true = {f"{each.name}_missing": known[each.name] for each in model.data if each.missing}
    declared = {base_name(entry) for each in model.declarations for entry in each.entries}
    arrays = {**known, **masks, **true}
    for relation in _relations(model):
        for entry, other in ((relation.lhs, relation.rhs), (relation.rhs, relation.lhs)):
            variable = model.variables.get(base_name(entry)) if isinstance(entry, Indexed | Symbol) else None
            if variable is None or variable.name in declared or variable.role.value not in {"data", "known"}:
                continue
            value = _table(variable, entry, other, arrays)
            arrays[variable.name] = _on_the_right_side(relation, entry, value, rng)
    undrawn = [each.name for each in model.data if each.name not in arrays]
    if undrawn:
        raise CannotSampleError(f"nothing says where {undrawn[0]} comes from")
    return {each.name: arrays[each.name] for each in (*model.data, *model.known)}


def _relations(model: Any) -> list[Relational]:
    brackets = sorted(model.log_likelihood.atoms(LogIverson), key=str)
    return sorted((each for bracket in brackets for each in bracket.atoms(Relational)), key=str)


def _table(variable: Any, entry: Any, value: Expr, arrays: Arrays) -> Array:
    """The value at every position of an array whose entry stands on the other side."""
    scope = Arithmetic(arrays)
    indices = tuple(getattr(entry, "indices", ()))
    return scope.table(value, indices, tuple(scope.integer(size) for size in variable.sizes))


def _on_the_right_side(relation: Relational, entry: Any, value: Array, rng: np.random.Generator) -> Array:
    """Equal to the value, or an end of an interval that holds it."""
    if isinstance(relation, Equality):
        return value
    below = entry == relation.lts
    room = (0.2 + np.abs(value)) * rng.random(value.shape)
    return value - room if below else value + room
