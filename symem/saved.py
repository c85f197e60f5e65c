"""Fits read back from files, with their model or without."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from symem.em import EM, derive
from symem.errors import DataError
from symem.language.model import Model
from symem.runtime import loop
from symem.runtime.results import Fit
from symem.runtime.saving import _found_in, _read_saved


class Estimates(dict[str, Any]):
    """Parameters by name, as entries or as attributes, of a fit that was read without its model."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def _asdict(self) -> dict[str, Any]:
        return dict(self)


@dataclass(frozen=True)
class Absent:
    """In the place of the solver of a fit that was read without its model."""

    version: str
    fingerprint: str
    model: None = None

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise DataError(
            "This fit was read without its model: symem.load(path, model) gives one that says more."
        )

    posterior = log_likelihood = score_samples = predict = _refuse


def load(path: str | Path, model: EM | Model | None = None) -> Fit:
    """A fit that `fit.save` wrote.

    Parameters
    ----------
    path : str or Path
        the file.
    model : EM or Model, optional
        of which it is, or what was derived of it. Without, the fit has its numbers and its words, but
        says nothing of rows.

    Returns
    -------
    Fit
        the fit, as `em.fit` gave it, without its data.

    Raises
    ------
    DataError
        the file holds no fit, or that of another model.
    """
    if model is not None:
        em = model if isinstance(model, EM) else derive(model)
        return em.load(path)
    try:
        saved = _read_saved(path)
    except loop.DataError as error:
        raise DataError(str(error)) from None
    parameters = Estimates(
        {name: np.array(value, dtype=float) for name, value in saved["parameters"].items()}
    )
    return Fit(Absent(saved["symem"], saved["model"]), {}, {**_found_in(saved), "parameters": parameters})
