"""The supplemented EM algorithm (Meng & Rubin 1991): the variance of the estimate from complete data and the rate of EM."""

from __future__ import annotations

from typing import Any

import numpy as np

from symem.runtime.description import Cut, Model
from symem.runtime.em_steps import _step
from symem.runtime.loop import DataError
from symem.runtime.standard_errors import Information
from symem.runtime.tangents import _flat, _unflat

#: Steps of differences, as shares of a standard error of complete data.
_ALONG = 1e-2


def _supplemented(model: Model, found: Information, data: Cut) -> Any:
    """var = i_Y⁻¹ (I + ψ′ᵀ (I - ψ′ᵀ)⁻¹), ψ′ the derivatives of the map of EM at the estimate, in the directions of `basis`;
    for all entries, (p, p).
    """
    if found.message:
        return np.full(found.complete.shape, np.nan)
    if model.conditional:
        raise DataError(
            "Of conditional maximisation (ECM) the map tells no variance so: fit.covariance comes from the observed information."
        )
    complete, turned = found.in_basis(found.complete), _map_slopes(model, found, data).T
    one = np.eye(len(complete))
    variance = np.linalg.solve(complete, one + turned @ np.linalg.inv(one - turned))
    return found.basis @ ((variance + variance.T) / 2) @ found.basis.T


def _map_slopes(model: Model, found: Information, data: Cut) -> Any:
    """ψ′, (q, q): by central differences of EM steps, extrapolated once."""
    at, basis = _flat(found.parameters), found.basis
    lengths = _ALONG / np.sqrt(np.diag(found.in_basis(found.complete)))

    def moved(way: Any) -> Any:
        return _flat(_step(model, _unflat(found.parameters, at + way), data)[0])

    columns = []
    for way, length in zip(basis.T, lengths, strict=True):
        coarse, fine = (
            (moved(share * length * way) - moved(-share * length * way)) / (2 * share * length)
            for share in (1.0, 0.5)
        )
        columns.append((4 * fine - coarse) / 3)
    return np.linalg.lstsq(basis, np.array(columns).T, rcond=None)[0]
