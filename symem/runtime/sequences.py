"""Sequences of several lengths: lists of arrays, or one array with a column that says whose row it is, as rectangles.

What stands beyond the end of a sequence is not read; it repeats the last place, so that every entry is one that can be.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from symem.runtime.conversion import _as_floats
from symem.runtime.loop import DataError, _position


class Ragged(NamedTuple):
    """A plate whose size differs between sequences: the array of its sizes, the largest, the size and the index of the
    sequences, the latents on it, and how many places a sequence has at least.
    """

    lengths: str
    largest: str
    sequences: str
    owner: str
    latents: tuple[str, ...] = ()
    least: int = 0


def _as_rectangles(
    plates: Iterable[Ragged], table: Mapping[str, Any], given: Mapping[str, Any]
) -> dict[str, Any]:
    """What was given, with what is ragged as arrays over (sequence, place, …) and their lengths.

    Raises:
        DataError: arrays of one sequence differ in length, or are shorter than is said.
    """
    found = dict(given)
    for ragged in plates:
        along = {n: s for n, s in table.items() if s.shape[:2] == (ragged.sequences, ragged.largest)}
        if ragged.owner in found:
            _by_owner(ragged, along, table, found)
        lists = {
            name: _each_sequence(ragged, name, found[name], spec)
            for name, spec in along.items()
            if name in found
        }
        seen = _lengths_seen(lists)
        lengths = _lengths_said(ragged, found, seen)
        if lengths is None:
            continue
        found[ragged.lengths] = lengths
        width = int(found.get(ragged.largest, np.max(lengths)))
        if width >= np.max(lengths):
            found |= {name: _rectangle(name, each, lengths, width) for name, each in lists.items()}
    return found


def _in_sequences(
    plates: Iterable[Ragged], table: Mapping[str, Any], arrays: Mapping[str, Any], given: Any
) -> dict[str, Any]:
    """Arrays by name, those over (sequence, place, …) as a list of arrays, one for each sequence."""
    found = dict(arrays)
    for ragged in plates:
        along = {n for n, s in table.items() if s.shape[:2] == (ragged.sequences, ragged.largest)}
        for name in along.union(ragged.latents) & found.keys():
            pairs = zip(found[name], np.asarray(given[ragged.lengths]).astype(int), strict=True)
            found[name] = [each[:length] for each, length in pairs]
    return found


def _by_owner(
    ragged: Ragged, along: Mapping[str, Any], table: Mapping[str, Any], found: dict[str, Any]
) -> None:
    """Columns parted by whose row each is, in the order in which sequences appear; one number a sequence stands for itself.

    Raises:
        DataError: columns differ in length, or what belongs to a sequence differs within it.
    """
    owner = np.asarray(found.pop(ragged.owner))
    _, first, which = np.unique(owner, return_index=True, return_inverse=True)
    place = np.argsort(np.argsort(first))[which.reshape(-1)]
    order = np.argsort(place, kind="stable")
    cuts = np.flatnonzero(np.diff(place[order])) + 1
    for name, value in list(found.items()):
        spec = table.get(name)
        if spec is None or spec.shape[:1] != (ragged.sequences,) or len(value) != len(owner):
            if name in along:
                raise DataError(
                    f"{name} has {len(value)} rows, but {ragged.owner} says of {len(owner)} whose they are."
                )
            continue
        column = _as_floats(name, value, missing=spec.missing)
        parts = np.split(column[order], cuts)
        if name in along:
            found[name] = parts
            continue
        found[name] = np.array([part[0] for part in parts])
        for part in parts:
            if not np.array_equal(part, np.broadcast_to(part[0], part.shape), equal_nan=True):
                raise DataError(f"{name} belongs to a sequence, but has several values in one: {part[:3]}.")


def _each_sequence(ragged: Ragged, name: str, value: Any, spec: Any) -> list[Any]:
    """The arrays of the sequences, one by one.

    Raises:
        DataError: it is not said where each begins.
    """
    alone = f"{name} is one array: give a list of arrays, one a sequence, or say whose row each is, {ragged.owner}=[…]."
    if isinstance(value, np.ndarray) and value.dtype.kind != "O":
        if value.ndim != len(spec.shape):
            raise DataError(alone)
        return list(_as_floats(name, value, missing=spec.missing))
    try:
        parts = [_as_floats(f"{name}[{at}]", each, missing=spec.missing) for at, each in enumerate(value)]
    except TypeError:
        raise DataError(alone) from None
    if not all(part.ndim == len(spec.shape) - 1 for part in parts):
        raise DataError(alone)
    return parts


def _lengths_seen(lists: Mapping[str, list[Any]]) -> Any:
    """How long the arrays of each sequence are.

    Raises:
        DataError: they differ between arrays.
    """
    found: Any = None
    first = ""
    for name, parts in lists.items():
        lengths = np.array([len(part) for part in parts])
        if found is None:
            found, first = lengths, name
        elif len(lengths) != len(found) or np.any(lengths != found):
            alike = len(lengths) == len(found)
            where = int(np.argmax(lengths != found)) if alike else 0
            told = f"{first}[{where}] has {found[where]} places, but {name}[{where}] has {lengths[where]}"
            raise DataError(
                f"{told}." if alike else f"{first} has {len(found)} sequences, {name} {len(lengths)}."
            )
    return found


def _lengths_said(ragged: Ragged, found: Mapping[str, Any], seen: Any) -> Any:
    """The lengths, as they are given or else seen.

    Raises:
        DataError: one is no whole number of places that are there.
    """
    name = ragged.lengths
    if name not in found and (seen is None or np.all(seen >= ragged.least)):
        return seen
    lengths = _as_floats(name, found.get(name, seen), missing=False)
    if seen is not None and lengths.shape != seen.shape:
        raise DataError(f"{name} has the shape {lengths.shape}, but there are {len(seen)} sequences.")
    good = (lengths >= ragged.least) & (lengths == np.floor(lengths))
    good &= lengths <= (np.inf if seen is None else seen)
    if not np.all(good):
        where, at = _position(name, ~good), int(np.argmin(good))
        has = "" if seen is None else f", and here there are {seen[at]}"
        whole = f"a whole number of places, {ragged.least} or more{has}"
        raise DataError(f"{where} = {lengths.flat[at]:g}, but a sequence has {whole}.")
    return lengths.astype(int)


def _rectangle(name: str, parts: list[Any], lengths: Any, width: int) -> Any:
    """An array over (sequence, place, …), whose places beyond an end repeat the last."""
    kept = [part[:length] for part, length in zip(parts, lengths, strict=True)]
    shape = {part.shape[1:] for part in kept}
    if len(shape) > 1:
        raise DataError(f"{name} has entries of several shapes: {', '.join(map(str, sorted(shape)))}.")
    whole = np.empty((len(kept), width, *shape.pop()))
    some = next((part for part in kept if len(part)), np.zeros((1, *whole.shape[2:])))
    for row, part in zip(whole, kept, strict=True):
        row[: len(part)], row[len(part) :] = part, part[-1] if len(part) else some[0]
    return whole


def _as_wide(arrays: list[Any], rows: int) -> list[Any]:
    """Arrays of one shape but for their rows: those of shorter sequences go on with what stands at their ends."""
    shapes = [(*array.shape[:rows], 0, *array.shape[rows + 1 :]) for array in arrays]
    if len(set(shapes)) == 1:
        return arrays
    widest = np.max(shapes, axis=0)
    gaps = [np.where(np.arange(len(widest)) == rows, 0, widest - shape) for shape in shapes]
    return [
        np.pad(array, [(0, int(gap)) for gap in own], mode="edge")
        for array, own in zip(arrays, gaps, strict=True)
    ]
