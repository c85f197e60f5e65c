"""A fit as a text of JSON, written whole or not at all, and read back: numbers and words, nothing that is run."""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from symem.runtime.description import Array
from symem.runtime.loop import DataError
from symem.runtime.wording import _Option, _Words

#: What the first line of a saved fit says; the number rises when what stands there changes.
_FORMAT = "symem fit 1"

#: What is written of a fit beside its parameters, in this order.
_FIELDS = (
    "log_likelihood", "objective", "converged", "message", "warnings", "n_iter", "n_evaluations", "n_parameters", "n_rows",
    "restarts", "settings", "categories", "history",
)  # fmt: skip


def _as_text(fit: Any, version: str, fingerprint: str) -> str:
    """A fit as JSON."""
    fields = {name: getattr(fit, name) for name in _FIELDS}
    whole = {
        "format": _FORMAT,
        "symem": version,
        "model": fingerprint,
        "parameters": fit.parameters._asdict(),
        "precision": fit.precision,
        "remarks": fit.remarks,
        **fields,
        **({"approximation": fit.approximation} if fit.approximation else {}),
    }
    return json.dumps(_as_json(whole), indent=2, allow_nan=False) + "\n"


def _as_json(value: Any) -> Any:
    """What JSON can hold, numbers to their last digit; those that are not finite as words."""
    if isinstance(value, Mapping):
        return {str(name): _as_json(each) for name, each in value.items()}
    if isinstance(value, (np.ndarray, np.generic)):
        return _as_json(value.tolist())
    if isinstance(value, (list, tuple)):
        return [_as_json(each) for each in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _write_whole(path: Any, text: str, *, force: bool) -> Path:
    """A text file, all of it or nothing; one that is there already is replaced only if asked for."""
    place = Path(path)
    wrong = _no_file(place)
    if wrong:
        raise DataError(wrong)
    if os.path.lexists(place) and not force:
        raise FileExistsError(_already(place))
    _put_whole(place, text.encode("utf-8"))
    return place


def _already(path: Path) -> _Words:
    """What is said of a file that is there."""
    replaced = _Option("force", "True")
    return _Words(f"{path} exists already: give another name, or ", replaced, " to replace it.")


def _no_file(path: Path) -> str:
    """Why nothing is written to a path; empty where a file is there, or nothing."""
    if path.is_dir():
        return f"{path} is a folder: give the name of a file."
    if path.exists() and not path.is_file():
        return f"{path} is a device, a pipe or a socket, not a file: give the name of a file."
    if _place_of(path).is_symlink():
        return f"{path} is a symbolic link that leads to itself: give the name of a file."
    return ""


def _place_of(path: Path) -> Path:
    """The path itself, or what a link names."""
    try:
        return path.resolve() if path.is_symlink() else path
    except (OSError, RuntimeError):
        return path


def _put_whole(path: Path, content: bytes) -> None:
    """First beside its place, then moved there: a link stays, and so do the rights of a file that is replaced."""
    place = _place_of(path)
    place.parent.mkdir(parents=True, exist_ok=True)
    beside = place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        with beside.open("xb") as stream:
            stream.write(content)
        if place.exists():
            shutil.copymode(place, beside)
        beside.replace(place)
    finally:
        beside.unlink(missing_ok=True)


def _read_saved(path: Any) -> dict[str, Any]:
    """What a file holds that `save` wrote."""
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError:
        found = None
    if not isinstance(found, dict) or not str(found.get("format", "")).startswith("symem fit "):
        raise DataError(f"{path} is no saved fit: fit.save(path), or symem fit --output, writes one.")
    if found["format"] != _FORMAT:
        raise DataError(
            f"{path} was written by symem {found.get('symem')}, in a form that this version does not read."
        )
    lacking = [name for name in ("model", "parameters", *_FIELDS) if name not in found]
    if lacking:
        raise DataError(f"{path} lacks {', '.join(lacking)}: it is no whole fit.")
    return found


def _found_in(saved: Mapping[str, Any]) -> dict[str, Any]:
    """What a `Fit` holds, of what stands in a file, but for the parameters."""
    found = {name: saved[name] for name in _FIELDS}
    found["history"] = np.array(saved["history"], dtype=float)
    found["precision"] = saved.get("precision") or {"entries": [], "facts": []}
    found["approximation"] = saved.get("approximation") or {}
    found["remarks"] = tuple(map(tuple, saved.get("remarks", ())))
    found["restarts"] = tuple(map(float, saved["restarts"]))
    found["warnings"] = tuple(saved["warnings"])
    found["categories"] = {name: tuple(words) for name, words in saved["categories"].items()}
    return found


def _refuse_other(path: Any, saved: Mapping[str, Any], table: Mapping[str, Array], fingerprint: str) -> None:
    """A fit is read beside the model that it is of."""
    if saved["model"] == fingerprint:
        return
    theirs, own = ", ".join(saved["parameters"]), ", ".join(table)
    words = (
        f"it has {theirs}, and this one has {own}" if theirs != own else f"{own} are stated in another way"
    )
    raise DataError(f"{path} is a fit of another model: {words}.")
