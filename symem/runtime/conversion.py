"""What was given as numbers, and nothing else: no dates, no text, no complex numbers; None and masked entries as NaN."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

from symem.runtime.loop import DataError, _position

#: What arrays hold that are not numbers, by NumPy's letter for their kind.
_OTHER_KINDS = {
    "M": "dates",
    "m": "spans of time",
    "c": "complex numbers",
    "S": "text",
    "U": "text",
    "T": "text",
}


def _as_floats(name: str, value: Any, *, missing: bool) -> np.ndarray:
    """The value as an array of floats; masked entries are NaN where entries may be missing."""
    try:
        value = np.ma.stack([np.ma.asarray(each) for each in value]) if _holds_masks(value) else value
        array = value if isinstance(value, np.ma.MaskedArray) else np.asarray(value)
    except (TypeError, ValueError):
        raise DataError(f"{name} is not an array of numbers: its rows differ in length or kind.") from None
    if isinstance(array, np.ma.MaskedArray):
        return _unmasked(name, array, missing=missing)
    if array.dtype.kind == "O":
        return _from_objects(name, array)
    if array.dtype.kind not in "biuf":
        what = _OTHER_KINDS.get(array.dtype.kind, f"entries of type {array.dtype}")
        raise DataError(
            f"{name} is not an array of numbers: it holds {what}. Give the numbers that are meant."
        )
    return array.astype(float, copy=False)


def _holds_masks(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and any(isinstance(each, np.ma.MaskedArray) for each in value)


def _unmasked(name: str, value: np.ma.MaskedArray, *, missing: bool) -> np.ndarray:
    masked = np.ma.getmaskarray(value)
    if np.any(masked) and not missing:
        raise DataError(
            f"{_position(name, masked)} is masked, but no entry of {name} may be missing: leave its row out, or state "
            f"the model with missing=[{name}]."
        )
    array = _as_floats(name, np.where(masked, 0, value.data), missing=missing)
    return np.where(masked, np.nan, array)


def _from_objects(name: str, array: np.ndarray) -> np.ndarray:
    """Python objects as floats: numbers of every library, and None as NaN."""
    wrong = np.ones(array.shape, dtype=bool)
    found = np.full(array.shape, np.nan)
    for place in np.ndindex(array.shape):
        entry: Any = array[place]
        if entry is None or (isinstance(entry, (numbers.Number, np.bool_)) and not _is_complex(entry)):
            found[place] = np.nan if entry is None else entry  # NumPy makes it a float
            wrong[place] = False
    if np.any(wrong):
        where = _position(name, wrong)
        raise DataError(
            f"{where} = {str(array[wrong].flat[0])[:40]!r} is not a number: every entry of {name} must be."
        )
    return found


def _is_complex(entry: Any) -> bool:
    return isinstance(entry, numbers.Complex) and not isinstance(entry, numbers.Real)
