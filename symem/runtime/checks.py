"""What a solver is given, checked: names, shapes, values, sizes; every refusal names the array and the row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from symem.runtime.ancestry import _as_parents
from symem.runtime.conversion import _as_floats
from symem.runtime.description import Array, Model
from symem.runtime.distinct import _distinct_rows
from symem.runtime.kernels import _FEW, _cholesky
from symem.runtime.loop import DataError, _position
from symem.runtime.settings import _whole
from symem.runtime.wording import _Option, _Words

_ROUNDING = 1e-12

#: So many rows are tested at a time.
_AT_ONCE = 65_536

_KINDS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "real": ("finite", np.isfinite),
    "symmetric": ("finite", np.isfinite),
    "definite": ("finite", np.isfinite),
    "extended": ("a number", lambda a: ~np.isnan(a)),
    "extended nonnegative": ("0 or more", lambda a: a >= 0),
    "positive": ("positive", lambda a: np.isfinite(a) & (a > 0)),
    "nonnegative": ("0 or more", lambda a: np.isfinite(a) & (a >= 0)),
    "unit": ("between 0 and 1", lambda a: (a >= -_ROUNDING) & (a <= 1 + _ROUNDING)),
    "open unit": ("strictly between 0 and 1", lambda a: (a > 0) & (a < 1)),
    "binary": ("0 or 1", lambda a: (a == 0) | (a == 1)),
    "count": ("a whole number, 0 or more", lambda a: (a >= 0) & (a == np.floor(a)) & np.isfinite(a)),
    "integer": ("a whole number", lambda a: (a == np.floor(a)) & np.isfinite(a)),
    "label": ("a whole number", lambda a: (a == np.floor(a)) & np.isfinite(a)),
    "parent": ("a whole number", lambda a: (a == np.floor(a)) & np.isfinite(a)),
    "simplex": ("0 or more", lambda a: np.isfinite(a) & (a >= -_ROUNDING)),
}

#: How labels may be given too.
_AS_WORDS = ", or words, which are read as labels"

#: Of what has no ends; and the least positive number.
_NO_ENDS, _TINIEST = (-np.inf, np.inf), 5e-324

#: The ends that values of a kind may reach but not pass.
_ENDS: Mapping[str, tuple[float, float]] = {
    "unit": (0.0, 1.0),
    "nonnegative": (0.0, np.inf),
    "simplex": (0.0, 1.0),
}


def _refuse_wrong(name: str, array: np.ndarray, good: np.ndarray, wanted: str, hint: str = "") -> None:
    if not np.all(good):
        place = _position(name, ~good)
        value = array[~good].flat[0] if np.ndim(array) else array
        more = int(np.sum(~good)) - 1
        others = f" (and {more} more)" if more else ""
        counting = "; indices count from 0" if np.ndim(array) else ""
        told = f"{place} = {value!s}{others}, but every entry of {name} must be {wanted}{counting}."
        raise DataError(f"{told}{hint}")


def _refuse_asymmetric(name: str, array: np.ndarray) -> None:
    """Matrices over the last two axes that differ from their transposes by more than rounding."""
    gap = np.abs(array - np.swapaxes(array, -1, -2)).max(axis=(-1, -2))
    wrong = gap > 1e-9 * np.abs(array).max(axis=(-1, -2))
    if np.any(wrong):
        worst = float(np.max(gap))
        raise DataError(
            f"{_position(name, wrong)} is not symmetric: entries across its diagonal differ by {worst:.3g}."
        )


def _refuse_indefinite(name: str, array: np.ndarray) -> None:
    """Symmetric matrices over the last two axes that are not positive definite, or singular up to rounding."""
    wrong = np.isnan(_cholesky(array)).any(axis=(-1, -2))
    if np.any(wrong):
        least = float(np.linalg.eigvalsh(array[wrong] if wrong.ndim else array).flat[0])
        what = "singular" if least > -1e-9 * np.abs(array).max() else "not positive definite"
        raise DataError(f"{_position(name, wrong)} is {what}: its smallest eigenvalue is {least:.3g}.")


def _refuse_no_covariances(table: Mapping[str, Array], arrays: Mapping[str, np.ndarray]) -> None:
    """Matrices that are not what their kind says."""
    for name, spec in table.items():
        if spec.kind in ("symmetric", "definite"):
            _refuse_asymmetric(name, arrays[name])
        if spec.kind == "definite":
            _refuse_indefinite(name, arrays[name])


def _outside(spec: Array, value: Any, least: float | None) -> Any:
    """Where a parameter is beyond an end of its support; of what must be positive, also where it is at most that share of
    the largest of its array; of shares, all of a simplex with a negative one.
    """
    if spec.kind == "positive":
        return np.less_equal(value, least * np.max(value) if least and np.ndim(value) else 0.0)
    low, high = spec.ends or _ENDS.get(spec.kind, _NO_ENDS)
    beyond = np.less(value, low - _ROUNDING) | np.greater(value, high + _ROUNDING)
    if spec.kind == "simplex" and np.ndim(value):
        over = tuple(range(-spec.simplex_axes, 0))
        beyond = np.broadcast_to(beyond.any(axis=over, keepdims=True), np.shape(value))
    return beyond


class _Ranges:
    """The supports of parameters, with the least and the largest number of each that has ends."""

    def __init__(self, table: Mapping[str, Array]) -> None:
        self._table = table
        ends = ((place, _ends(spec)) for place, spec in enumerate(table.values()))
        self._ends = [(place, *each) for place, each in ends if each != _NO_ENDS]

    def hold(self, theta: Any) -> bool:
        """Whether every entry surely is inside, for the objective may be finite and wrong outside."""
        return all(_is_between(theta[place], low, high) for place, low, high in self._ends)

    def left(self, name: str, value: Any, least: float | None) -> Any:
        """`_outside`; of an array of covariances, which of them are finite but not positive definite, or have a
        coordinate of which the others leave at most that share unexplained.
        """
        if self._table[name].kind != "definite":
            return _outside(self._table[name], value, least)
        if least is None:
            return False
        pivots = np.diagonal(_cholesky(value), 0, -2, -1) ** 2
        sound = (pivots > least * np.diagonal(value, 0, -2, -1)).all(axis=-1)
        return ~sound & np.isfinite(value).all(axis=(-1, -2))


def _infimum_supremum(spec: Array) -> tuple[float, float]:
    """Of every entry of a parameter."""
    return (0.0, np.inf) if spec.kind == "positive" else spec.ends or _ENDS.get(spec.kind, _NO_ENDS)


def _ends(spec: Array) -> tuple[float, float]:
    """The least and the largest number that an entry may be."""
    return (_TINIEST, np.inf) if spec.kind == "positive" else _infimum_supremum(spec)


def _is_between(value: Any, low: float, high: float) -> bool:
    """Whether all entries surely are: of few numbers, Python's own minimum is the quickest."""
    if isinstance(value, np.ndarray):
        few = value.size <= _FEW
        numbers = value.ravel().tolist() if few else (value.min(), value.max())
        return bool(low <= min(numbers) and max(numbers) <= high)
    return bool(low <= value <= high)


def _refuse_outside(name: str, arrays: Mapping[str, Any], low: Any, high: Any, wanted: str) -> None:
    """Data beyond what other data allow, such as a count above its known total."""
    array = arrays[name]
    missing = arrays.get(f"observed_{name}", 1.0) == 0
    _refuse_wrong(name, array, missing | ((array >= low) & (array <= high)), wanted)


def _refuse_crossed(name: str, good: Any) -> None:
    """Entries of a latent that the ends of their interval leave no value."""
    if not np.all(good):
        raise DataError(
            f"{_position(name, ~np.asarray(good))} has no value to take: the ends of its interval cross there."
        )


def _as_array(
    name: str, value: Any, spec: Array, *, looked_at: bool = False, of_data: bool = True
) -> np.ndarray:
    """The value as a float array of the right number of dimensions, its entries checked unless they were before."""
    array = _as_floats(name, value, missing=spec.missing)
    if array.ndim != len(spec.shape):
        wanted = f"({', '.join(map(str, spec.shape))})"
        raise DataError(f"{name} must have shape {wanted}, one dimension per index, but has {array.shape}.")
    if array.size == 0:
        raise DataError(f"{name} is empty: its shape is {array.shape}.")
    if not looked_at:
        _refuse_entries(name, array, spec, of_data=of_data)
    return array


def _refuse_entries(name: str, array: np.ndarray, spec: Array, *, of_data: bool) -> None:
    """Entries that are not what their kind says."""
    wanted, test = _KINDS[spec.kind]
    good = _tested(test, array)
    if spec.missing:
        good = good | np.isnan(array) | ((array < 0) if spec.kind == "label" else False)
    hint = ""
    if of_data and not np.all(good):
        if np.isnan(array[~good].flat[0] if array.ndim else array):
            hint = f" Leave the row of what is missing out, or state the model with missing=[{name}]."
        elif spec.kind == "binary" and np.all(_KINDS["label"][1](array)):
            hint = f" {_counted_elsewhere(name, array, 0, 2, '')}"
    _refuse_wrong(name, array, good, wanted, hint)
    if spec.ends:
        low, high = spec.ends
        _refuse_wrong(name, array, (array >= low) & (array <= high), f"between {low} and {high}")


def _tested(test: Callable[[Any], Any], array: np.ndarray) -> Any:
    """Where entries are good, some rows at a time, so that what it takes does not grow with their number."""
    if not array.ndim or len(array) <= _AT_ONCE:
        return test(array)
    return np.concatenate([test(array[first : first + _AT_ONCE]) for first in range(0, len(array), _AT_ONCE)])


def _check_names(
    given: Mapping[str, Any], wanted: Mapping[str, Any], what: str, sizes: Iterable[str] = ()
) -> None:
    """That nothing else is given, and nothing lacks; `sizes` may be given too."""
    for name in given:
        if name not in wanted:
            takes = ", ".join([*wanted, *sizes]) or "none"
            raise DataError(f"{name!r} is not {what} of this model: it takes {takes}.")
    for name in wanted:
        if name not in given and what == "a parameter":
            raise DataError(f"The parameter {name} is missing: the model has {', '.join(wanted)}.")
        if name not in given:
            raise DataError(_Words(f"{name} is missing: give ", _Option(name, of="array"), "."))


def _check_simplex(name: str, array: np.ndarray, axes: int) -> None:
    sums = array.sum(axis=tuple(range(-axes, 0))) if array.ndim else array
    wrong = ~np.isclose(sums, 1.0, rtol=0.0, atol=1e-6)
    if np.any(wrong):
        place = _position(name, wrong)
        worst = float(np.atleast_1d(sums)[np.atleast_1d(wrong)][0])
        raise DataError(f"{place} must sum to 1 over its last {axes} index(es), but sums to {worst:.6g}.")


def _sizes_of(arrays: Mapping[str, np.ndarray], table: Mapping[str, Array], sizes: dict[str, int]) -> None:
    """Read the sizes off the arrays' dimensions; two arrays that disagree are both named."""
    owner: dict[Any, Any] = {size: _Option(size, "", "size") for size in sizes}
    for name, array in arrays.items():
        for length, told in zip(array.shape, table[name].shape, strict=True):
            size, less = _with_less(told)
            known = sizes.setdefault(size, length + less) if isinstance(size, str) else size
            first = owner.setdefault(size, name) if isinstance(size, str) else "the model"
            if known != length + less:
                own = f", where {told} are wanted" if less else ""
                other = f": {first} has shape {arrays[first].shape}" if first in arrays else ""
                words = f" says that {size} is {known}, but {name} has shape {array.shape}{own}{other}."
                raise DataError(_Words(first, words))
            if less:
                sizes[told] = length


def _with_less(size: Any) -> tuple[Any, int]:
    """Of a dimension "T - 1", T and 1; of others themselves and 0."""
    letter, minus, less = size.partition(" - ") if isinstance(size, str) else (size, "", "")
    return (letter, int(less)) if minus and less.isdigit() else (size, 0)


def _checked_sizes(sizes: Mapping[str, Any]) -> dict[str, int]:
    return {name: _whole(name, size, 1, of="size") for name, size in sizes.items()}


def _require_sizes(sizes: Mapping[str, int], wanted: tuple[str, ...]) -> None:
    for name in wanted:
        if name not in sizes:
            raise DataError(_Words(f"The data do not show {name}: give ", _Option(name, of="size"), "."))


def _show_size(sizes: dict[str, int], name: str, value: Any) -> None:
    """A size that the data show, unless the parameters or the caller say that it is larger."""
    shown = int(np.max(value))
    if sizes.setdefault(name, shown) < shown:
        raise DataError(f"{name} is {sizes[name]}, but the data have a value that needs {shown}.")


def _finish(arrays: dict[str, np.ndarray], table: Mapping[str, Array], sizes: Mapping[str, int]) -> None:
    """Labels to integers from 0; missing entries to a mask and a harmless value."""
    for name, spec in table.items():
        array = arrays[name]
        if spec.kind == "label":
            arrays[name] = array = _as_labels(name, array, spec, sizes)
        if spec.kind == "parent":
            arrays[name] = array = _as_parents(name, array, spec)
        if spec.missing:
            seen = array >= 0 if spec.kind == "label" else ~np.isnan(array)
            arrays[f"observed_{name}"] = seen.astype(float)
            harmless = {"positive": 1.0, "unit": 0.5, "open unit": 0.5}.get(spec.kind, 0)
            arrays[name] = np.where(seen, array, harmless).astype(array.dtype)
        if spec.kind.startswith("extended"):
            arrays[name] = np.clip(arrays[name], -1e100, 1e100)


def _find_patterns(name: str, arrays: dict[str, Any], sizes: dict[str, int], known: Any = None) -> None:
    """The patterns in which entries of an array are missing, and which of them each row has; or which of `known` ones."""
    patterns, which = _distinct_rows(arrays[f"observed_{name}"])
    if known is not None:
        places = {each.tobytes(): place for place, each in enumerate(known[f"patterns_{name}"])}
        which = np.array([places[each.tobytes()] for each in patterns])[which]
        patterns = known[f"patterns_{name}"]
    arrays[f"patterns_{name}"], arrays[f"pattern_{name}"] = patterns, which.reshape(-1)
    sizes[f"n_patterns_{name}"] = len(patterns)


def _as_labels(name: str, array: np.ndarray, spec: Array, sizes: Mapping[str, int]) -> np.ndarray:
    """Labels as integers counted from 0, checked against the number of categories; missing ones become -1."""
    count = spec.labels if isinstance(spec.labels, int) else sizes.get(spec.labels, np.iinfo(np.intp).max)
    missing = np.isnan(array) | (array < 0) if spec.missing else np.zeros(array.shape, dtype=bool)
    labels = np.where(missing, -1, array - spec.origin).astype(np.intp)
    good = missing | ((labels >= 0) & (labels < count))
    wanted = f"one of {spec.origin}, ..., {spec.origin + count - 1}"
    seen = labels + spec.origin
    hint = "" if np.all(good) else " " + _counted_elsewhere(name, seen[~missing], spec.origin, count)
    _refuse_wrong(name, seen, good, wanted, hint)
    return labels


def _counted_elsewhere(
    name: str, labels: np.ndarray, first: int, count: int, otherwise: str = _AS_WORDS
) -> str:
    """What labels were seen, and how to give them if they only count from elsewhere."""
    seen = np.unique(labels)
    shown = ", ".join(f"{each:g}" for each in seen[:6]) + (f", ..., {seen[-1]:g}" if len(seen) > 6 else "")
    shift = int(seen[0]) - first
    moved = f": give {name} {'-' if shift > 0 else '+'} {abs(shift)}{otherwise}"
    how = moved if shift and seen[-1] - seen[0] < count else ""
    return f"The values of {name} are {shown}{how}."


def _refuse_first_unseen(model: Model, said: Iterable[str], data: Mapping[str, np.ndarray]) -> None:
    """Labels whose number the data alone show, none of which is the first: they may count from elsewhere."""
    for name, spec in model.data.items():
        unsaid = spec.kind == "label" and spec.labels in model.plates.shown_sizes and spec.labels not in said
        if unsaid and name in data and np.min(data[name]) > 0:
            first, seen = spec.origin, data[name] + spec.origin
            size = _Option(spec.labels, str(int(np.max(data[name])) + 1), "size")
            told = _counted_elsewhere(name, seen, first, int(np.max(seen)) + 1)
            begin = f"No entry of {name} is {first}, the first label. {told} If {first} may occur, give "
            raise DataError(_Words(begin, size, "."))


def _chunk_length(rows: int, width: int) -> int:
    """Rows per chunk: buffers of about 3/4 MiB, so that a chunk stays in cache; small data stay whole.

    Of rows of over a hundred numbers up to 1024, for matrix products of fewer are slow, but never over 12 MB.
    """
    if rows <= 20_000 and rows * width <= 2_000_000:
        return rows
    return min(rows, max(98_304 // width, min(1024, 1_500_000 // width), 32))
