"""X, a table of rows, as the arrays of a model; its refusals are worded as scikit-learn words them."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from symem.runtime.description import Array
from symem.runtime.loop import DataError

#: Rows that count several times are repeated as long as they are no more numbers than these.
_MOST_NUMBERS = 20_000_000


class NotFittedError(ValueError, AttributeError):
    """An estimator was asked before it was fitted."""


def _not_fitted(name: str) -> Exception:
    """The error, that of scikit-learn where it is in use."""
    kind = getattr(sys.modules.get("sklearn.exceptions"), "NotFittedError", NotFittedError)
    found: Exception = kind(f"This {name} instance is not fitted yet: call fit first.")
    return found


class _Columns(NamedTuple):
    """Which columns of X each array has."""

    arrays: Mapping[str, Array]
    rows: Any
    chosen: Any
    names: Any = None

    @property
    def is_one(self) -> bool:
        """Whether X is one number a row."""
        return self.chosen is None and [len(spec.shape) for spec in self.arrays.values()] == [1]

    def apart(self, table: Any) -> dict[str, Any]:
        """The arrays, their rows where they are declared."""
        found = {}
        for name, places in self._places(table.shape[1]).items():
            spec = self.arrays[name]
            values = table[:, places] if len(spec.shape) == 2 else table[:, places[0]]
            found[name] = np.moveaxis(values, 0, spec.shape.index(self.rows))
        return found

    def together(self, drawn: Mapping[str, Any], count: int, width: int) -> Any:
        """The arrays in their columns of X, (count, width); columns of no array are NaN."""
        table = np.full((count, width), np.nan)
        for name, places in self._places(width).items():
            slot = self.arrays[name].shape.index(self.rows)
            table[:, places] = np.moveaxis(np.asarray(drawn[name]), slot, 0).reshape(count, -1)
        return table

    def sizes(self, width: int) -> dict[str, int]:
        """The sizes that columns show."""
        found = {}
        for name, places in self._places(width).items():
            found.update({size: len(places) for size in self.arrays[name].shape if isinstance(size, str)})
        return {size: length for size, length in found.items() if size != self.rows}

    def _places(self, width: int) -> dict[str, list[int]]:
        if self.chosen is not None:
            return self._as_chosen(width)
        wide = [name for name, spec in self.arrays.items() if self._width(spec) is None]
        single = sum(self._width(spec) or 0 for spec in self.arrays.values())
        if len(wide) > 1 or any(len(spec.shape) > 2 for spec in self.arrays.values()):
            raise DataError(
                f"X does not show where {wide[-1]} begins: say so by columns={{{wide[-1]!r}: […]}}."
            )
        if width < single + len(wide) or (not wide and width != single):
            told = ", ".join(self.arrays)
            what = "is one number a row" if self.is_one else f"take {single} columns"
            raise DataError(f"{told} {what}, but X has {width} columns: say which by columns=….")
        called, found = self._called(), {}
        free = iter(place for place in range(width) if place not in called.values())
        for name, spec in self.arrays.items():
            own = self._width(spec)
            length = width - single if own is None else own
            found[name] = [called[name]] if name in called else [next(free) for _ in range(length)]
        return found

    def _called(self) -> dict[str, int]:
        """The columns that are called as arrays of one column; either all of these are, or those that are stand in order."""
        listed = [] if self.names is None else list(self.names)
        flat = [name for name, spec in self.arrays.items() if len(spec.shape) == 1]
        called = {name: listed.index(name) for name in flat if name in listed}
        lacking = [name for name in flat if name not in called]
        if lacking and any(place != list(self.arrays).index(name) for name, place in called.items()):
            raise DataError(
                f"X has no column {lacking[0]!r}: it has {', '.join(listed)}. Say which by columns=…."
            )
        return {} if lacking else called

    def _width(self, spec: Array) -> int | None:
        """How many columns an array has, None where X shows it."""
        other = [size for size in spec.shape if size != self.rows]
        return 1 if not other else other[0] if isinstance(other[0], int) else None

    def _as_chosen(self, width: int) -> dict[str, list[int]]:
        chosen = self.chosen
        if not isinstance(chosen, Mapping):
            chosen = dict.fromkeys(list(self.arrays)[:1], chosen)
        if set(chosen) != set(self.arrays):
            raise DataError(f"columns= must say which columns of X are {', '.join(self.arrays)}.")
        found = {}
        for name, own in chosen.items():
            each = list(own) if isinstance(own, (list, tuple, range, np.ndarray)) else [own]
            found[name] = [_place(column, self.names) for column in each]
            if any(not -width <= place < width for place in found[name]):
                raise DataError(
                    f"columns= names column {max(found[name])} for {name}, but X has {width} columns."
                )
        return {name: found[name] for name in self.arrays}


def _place(column: Any, names: Any) -> int:
    """The number of a column that has a name."""
    if not isinstance(column, str):
        return int(column)
    listed = [] if names is None else list(names)
    if column not in listed:
        raise DataError(f"X has no column {column!r}: it has {', '.join(map(str, listed)) or 'no names'}.")
    return listed.index(column)


def _as_table(estimator: Any, X: Any, *, reset: bool, one: bool, missing: bool) -> Any:
    """X as (n, d) floats; a fit keeps how many columns it has and what they are called, others must have the same."""
    names = _names_of(X)
    if hasattr(X, "toarray"):
        raise TypeError("Sparse data was passed for X, but dense data is required: use X.toarray().")
    array = np.asarray(X)
    if np.iscomplexobj(array):
        raise ValueError(f"Complex data not supported: {array.dtype}.")
    array = np.asarray(array, dtype=float)
    if array.ndim == 1 and one:
        array = array[:, None]
    if array.ndim < 2:
        raise ValueError(
            f"Expected 2D array, got {'1D' if array.ndim else 'scalar'} array instead. Reshape your data: "
            "X.reshape(-1, 1) if it is one column, X.reshape(1, -1) if it is one row."
        )
    if array.ndim > 2:
        raise ValueError(f"Found array with dim {array.ndim}, while dim <= 2 is required.")
    for length, what, least in ((array.shape[0], "sample", 1 + reset), (array.shape[1], "feature", 1)):
        if length < least:
            told = f"Found array with {length} {what}(s) (shape={array.shape}) while a minimum of {least} is required."
            raise ValueError(told)
    if np.isinf(array).any() or (not missing and np.isnan(array).any()):
        raise ValueError(
            f"X contains {'NaN' if np.isnan(array).any() else 'infinity'}: NaN and inf are no numbers."
        )
    (_keep_columns if reset else _compare_columns)(estimator, array.shape[1], names)
    return array


def _names_of(X: Any) -> Any:
    """What the columns of a frame are called, None where not all have words for names."""
    names = list(getattr(X, "columns", ()))
    return np.array(names, dtype=object) if names and all(isinstance(each, str) for each in names) else None


def _keep_columns(estimator: Any, width: int, names: Any) -> None:
    estimator.n_features_in_ = width
    estimator.__dict__.pop("feature_names_in_", None)
    if names is not None:
        estimator.feature_names_in_ = names


def _compare_columns(estimator: Any, width: int, names: Any) -> None:
    kind, known = type(estimator).__name__, getattr(estimator, "feature_names_in_", None)
    if (names is None) != (known is None):
        has, fitted = ("does not have valid", "with") if names is None else ("has", "without")
        warnings.warn(
            f"X {has} feature names, but {kind} was fitted {fitted} feature names", UserWarning, stacklevel=6
        )
    elif names is not None and known is not None and list(names) != list(known):
        unseen, absent = sorted(set(names) - set(known)), sorted(set(known) - set(names))
        words = "The feature names should match those that were passed during fit.\n"
        words += _listed("Feature names unseen at fit time:", unseen)
        words += _listed("Feature names seen at fit time, yet now missing:", absent)
        if not unseen and not absent:
            words += "Feature names must be in the same order as they were in fit.\n"
        raise ValueError(words)
    if width != estimator.n_features_in_:
        raise ValueError(
            f"X has {width} features, but {kind} is expecting {estimator.n_features_in_} features as input."
        )


def _listed(title: str, names: list[str]) -> str:
    if not names:
        return ""
    shown = [f"- {each}" for each in names[:5]] + (["- ..."] if len(names) > 5 else [])
    return "\n".join([title, *shown, ""])


def _weights_of(sample_weight: Any, count: int) -> Any:
    """How often each row counts, (n)."""
    if sample_weight is None:
        return np.ones(count)
    weights = np.asarray(sample_weight, dtype=float)
    weights = np.full(count, float(weights)) if weights.ndim == 0 else weights
    if weights.shape != (count,):
        raise ValueError(
            f"sample_weight has shape {weights.shape}, but X has {count} rows: expected ({count},)."
        )
    if not np.all(np.isfinite(weights)) or np.any(weights < 0):
        raise ValueError("Sample weights must be 0 or more, and finite.")
    if not np.any(weights):
        raise ValueError("Sample weights must contain at least one non-zero number: all are zero.")
    return weights


def _in_one_order(table: Any, weights: Any) -> tuple[Any, Any]:
    """Rows that count, sorted, and how often they do, so that a fit does not depend on how they came; as often as that where
    it is a whole number and they are not too many.
    """
    table, weights = table[weights > 0], weights[weights > 0]
    order = np.lexsort(table.T[::-1])
    table, weights = table[order], weights[order]
    first = np.flatnonzero(np.r_[True, (table[1:] != table[:-1]).any(axis=1)])
    table, weights = table[first], np.add.reduceat(weights, first)
    if np.all(weights == np.rint(weights)) and weights.sum() * table.shape[1] <= _MOST_NUMBERS:
        return np.repeat(table, weights.astype(int), axis=0), np.ones(int(weights.sum()))
    return table, weights


def _seed_of(random_state: Any) -> int:
    """A whole number from whatever is random."""
    if random_state is None:
        return int(np.random.default_rng().integers(2**31))
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**31))
    if hasattr(random_state, "randint"):
        return int(random_state.randint(2**31))
    return int(random_state)
