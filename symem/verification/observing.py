"""What is observed of drawn latents: by equations, by sides of inequalities, by alternatives of which one holds."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from sympy import And, Expr, Indexed, Or, S, Symbol
from sympy.core.relational import Equality, Relational

from symem.errors import UnknownSymbolError
from symem.evaluation.arithmetic import Arithmetic
from symem.language.leaves import name_of, places_of
from symem.language.plates import Iverson, LogIverson
from symem.language.shown_latents import Shown

Array = np.ndarray[Any, np.dtype[Any]]
Arrays = dict[str, Any]


class CannotSampleError(Exception):
    """A family has no sampler, or the declarations do not say where a datum comes from."""


class ImpossibleDrawError(Exception):
    """What was drawn contradicts what the model says was observed of it."""


def names_of_law(distribution: Any) -> set[str]:
    """The names of what a law depends on."""
    own = {name_of(atom) for each in distribution.arguments for atom in each.atoms(Indexed, Symbol)}
    return own.union(*(names_of_law(branch) for branch in distribution.branches.values()))


def observed(model: Any, known: Arrays, rng: np.random.Generator, *, strict: bool) -> Arrays:
    """What the relations in `given` say was seen of the drawn values.

    Raises
    ------
    CannotSampleError
        A datum has neither a distribution nor an equation.
    ImpossibleDrawError
        The draw has no density, and is to have one.
    """
    masks = {each.name: np.ones_like(known[each.name.removeprefix("observed_")]) for each in model.masks}
    true = {f"{each.name}_missing": known[each.name] for each in model.data if each.missing}
    declared = {name_of(entry) for each in model.declarations for entry in each.entries}
    declared |= {name for each in model.declarations for name in names_of_law(each.distribution)}
    arrays = {**known, **masks, **true}
    chosen = _by_alternatives(model, arrays, declared, rng, strict=strict)
    arrays, declared = {**arrays, **chosen}, declared | chosen.keys()
    for relation, entry, other in _settled(model, _relations(model), declared):
        variable = model.variables[name_of(entry)]
        value = _table(variable, entry, other, arrays)
        arrays[variable.name] = _on_the_right_side(relation, entry, value, rng, _ends(variable, arrays))
    if strict and _has_no_density(model, arrays):
        raise ImpossibleDrawError
    undrawn = [each.name for each in model.data if each.name not in arrays]
    if undrawn:
        raise CannotSampleError(f"nothing says where {undrawn[0]} comes from")
    shown = (*model.data, *model.known, *model.latents)
    return {each.name: arrays[each.name] for each in shown if each.name in arrays}


def _has_no_density(model: Any, arrays: Arrays) -> bool:
    with np.errstate(all="ignore"), contextlib.suppress(UnknownSymbolError, IndexError):
        return Arithmetic(arrays).number(model.log_likelihood) == -np.inf
    return False


def _is_free(variable: Any, entry: Any, other: Expr) -> bool:
    """Whether a relation may settle an entry: data or known, with an index for each of the other side."""
    indices = {each for at in other.atoms(Indexed) for place in at.indices for each in place.free_symbols}
    unbound = indices & other.free_symbols
    return variable.role.value in {"data", "known"} and unbound <= set(places_of(entry))


def _relations(model: Any) -> list[Relational]:
    brackets = sorted(model.log_likelihood.atoms(LogIverson), key=str)
    return sorted((each for bracket in brackets for each in bracket.atoms(Relational)), key=str)


def _table(variable: Any, entry: Any, value: Expr, arrays: Arrays) -> Array:
    """The value at every position of an array whose entry stands on the other side."""
    scope = Arithmetic(arrays)
    indices = places_of(entry)
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


# alternatives ---------------------------------------------------------------------------------------------


def _by_alternatives(
    model: Any, arrays: Arrays, declared: set[str], rng: np.random.Generator, *, strict: bool
) -> Arrays:
    """Data that say which alternative holds, and what else they say there: of what is possible one is drawn at every position."""
    found: Arrays = {}
    brackets = sorted(model.log_likelihood.atoms(LogIverson), key=str)
    for ways in ([And.make_args(way) for way in Or.make_args(each.args[0])] for each in brackets):
        settled = [list(_settled(model, way, declared)) for way in ways]
        if len(ways) > 1 and any(other.is_number for way in settled for _relation, _entry, other in way):
            found |= _drawn_way(model, ways, settled, {**arrays, **found}, rng, strict=strict)
    for shown in model.shown:
        found |= _as_shown(model, shown, {**arrays, **found})
    return found


def _settled(model: Any, relations: Iterable[Any], declared: set[str]) -> Iterator[tuple[Any, Expr, Expr]]:
    """The relations that settle an entry of data, with the entry and the other side."""
    for relation in relations:
        for entry, other in (relation.args, relation.args[::-1]) if isinstance(relation, Relational) else ():
            variable = model.variables.get(name_of(entry)) if isinstance(entry, Indexed | Symbol) else None
            if variable is not None and variable.name not in declared and _is_free(variable, entry, other):
                yield relation, entry, other


def _drawn_way(
    model: Any,
    ways: Sequence[Sequence[Any]],
    settled: Sequence[Sequence[tuple[Any, Expr, Expr]]],
    arrays: Arrays,
    rng: np.random.Generator,
    *,
    strict: bool,
) -> Arrays:
    """Every datum of some alternatives by the one that was drawn at a position; by another where that does not say it."""
    scope = Arithmetic(arrays)
    entries = list(dict.fromkeys(entry for way in settled for _relation, entry, _other in way))
    indices = places_of(entries[0])
    shape = tuple(scope.integer(size) for size in model.variables[name_of(entries[0])].sizes)
    told = [
        And(
            *(
                each
                for each in way
                if each not in [relation for relation, _entry, _other in by] and _is_drawn(each, arrays)
            )
        )
        for way, by in zip(ways, settled, strict=True)
    ]
    possible = np.stack([scope.table(Iverson(each), indices, shape) > 0 for each in told])
    if strict and not possible.any(axis=0).all():
        raise ImpossibleDrawError
    choice = np.argmax(rng.random(possible.shape) * possible, axis=0)
    found = {}
    for entry in entries:
        variable = model.variables[name_of(entry)]
        values = [
            next(
                (
                    _on_the_right_side(
                        relation, entry, _table(variable, entry, other, arrays), rng, _ends(variable, arrays)
                    )
                    for relation, at, other in by
                    if at == entry
                ),
                None,
            )
            for by in settled
        ]
        first = next(each for each in values if each is not None)
        at = [choice == place for place in range(len(ways))]
        found[variable.name] = np.select(at, [first if each is None else each for each in values])
    return found


def _is_drawn(relation: Any, arrays: Arrays) -> bool:
    """Whether it is about what has values: no label of alternatives, which is what is drawn here."""
    return all(name_of(each) in arrays for each in relation.atoms(Indexed))


def _as_shown(model: Any, shown: Shown, arrays: Arrays) -> Arrays:
    """The datum that a latent is for some data; what else was said of it holds elsewhere."""
    own = places_of(shown.entry)
    axes = model.formula(S.Zero, own, {}).axes
    scope = Arithmetic(arrays)
    shape = tuple(scope.integer(axis.size) for axis in axes)

    def table(expression: Expr) -> Array:
        value = model.formula(expression, own, {}).value
        return np.asarray(scope.table(value, tuple(axis.index for axis in axes), shape))

    name, drawn = name_of(shown.value), table(shown.entry)
    if not isinstance(shown.value, Indexed | Symbol) or places_of(shown.value) != own:
        raise CannotSampleError(f"nothing says where {shown.value} comes from")
    return {name: np.where(table(Iverson(shown.where)) > 0, drawn, arrays.get(name, drawn))}
