"""A fit beside its derivation, as a report tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from symem.derivation import Derivation
from symem.errors import DataError
from symem.runtime.results import Fit

Values = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """What a fit found.

    Args:
        derivation: the records of the model.
        fit: the fit.
        solver: what it was made by, the `Solver` of the emitted module.
        given: data, constants and sizes by name; none if the fit has none.
        source: what the data are called, such as the name of their file.
    """

    derivation: Derivation
    fit: Fit
    solver: Any
    given: Values
    source: str = ""

    @property
    def fitted(self) -> dict[str, Any]:
        """The estimates by name."""
        return by_name(self.fit.parameters)

    @property
    def history(self) -> tuple[float, ...]:
        """The objective at every iterate, the start included."""
        return tuple(float(value) for value in self.fit.history)


def fitted(derivation: Derivation, fit: Any, solver: Any, source: str = "") -> Fitted:
    """A fit that somebody gives, beside the derivation of its model.

    Raises:
        DataError: it is no fit, or that of another model.
    """
    if not all(hasattr(fit, name) for name in ("parameters", "history", "fingerprint")):
        raise DataError(f"fit is what em.fit(...) or symem.load(...) gives, not {type(fit).__name__}.")
    if fit.fingerprint != solver.fingerprint:
        raise DataError(f"The fit is of another model: it has {', '.join(fit.parameters._asdict())}.")
    return Fitted(derivation=derivation, fit=fit, solver=solver, given=dict(fit.data or {}), source=source)


def by_name(theta: Any) -> dict[str, Any]:
    """Parameters as arrays."""
    return {name: np.asarray(value, dtype=float) for name, value in theta._asdict().items()}
