"""A fit beside its derivation, as a report tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from symem.derivation import Derivation, Table
from symem.errors import DataError
from symem.runtime.results import Fit

Values = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """What a fit found.

    Args:
        derivation: the records of the model.
        fit: the fit.
        given: data, constants and sizes by name; none if the fit has none.
        source: what the data are called, such as the name of their file.
    """

    derivation: Derivation
    fit: Fit
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

    def shares(self, posterior: Table) -> Any:
        """The posterior of a label that is shown."""
        return self.estimated_shares(posterior)

    def estimated_shares(self, posterior: Table) -> Any:
        """The posterior of a label at the estimate, with its outcomes last; nothing without data."""
        if not self.given:
            return np.zeros(0)
        found = np.asarray(getattr(self.fit.posterior, posterior.latent.name), dtype=float)
        return np.stack([1 - found, found], axis=1) if found.ndim == 1 else found


def fitted(derivation: Derivation, fit: Any, fingerprint: str, source: str = "") -> Fitted:
    """A fit that somebody gives, beside the derivation of its model.

    Raises:
        DataError: it is no fit, or that of another model.
    """
    if not all(hasattr(fit, name) for name in ("parameters", "history", "fingerprint")):
        raise DataError(f"fit is what em.fit(...) or symem.load(...) gives, not {type(fit).__name__}.")
    if fit.fingerprint != fingerprint:
        raise DataError(f"The fit is of another model: it has {', '.join(fit.parameters._asdict())}.")
    return Fitted(derivation=derivation, fit=fit, given=dict(fit.data or {}), source=source)


def by_name(theta: Any) -> dict[str, Any]:
    """Parameters as arrays."""
    return {name: np.asarray(value, dtype=float) for name, value in theta._asdict().items()}
