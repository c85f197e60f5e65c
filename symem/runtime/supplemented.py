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
    """var = i_Y⁻¹ (I + ψ′ᵀ (I - ψ′ᵀ)⁻¹), ψ′ the derivatives of the map of EM at the estimate, in the directions of `told`, in
    which i_Y is I; for all entries, (p, p).
    """
    if found.message:
        return np.full(found.complete.shape, np.nan)
    if model.conditional:
        raise DataError(
            "Of conditional maximisation (ECM) the map tells no variance so: fit.covariance comes from the observed information."
        )
    turned = _map_slopes(model, found, data).T
    one = np.eye(len(turned))
    variance = one + turned @ np.linalg.inv(one - turned)
    return found.known(found.told @ ((variance + variance.T) / 2) @ found.told.T)


def _map_slopes(model: Model, found: Information, data: Cut) -> Any:
    """ψ′, (r, r): by central differences of EM steps, extrapolated once."""
    at, told = _flat(found.parameters), found.told
    moved = np.any(told, axis=1)

    def stepped(way: Any) -> Any:
        return _flat(_step(model, _unflat(found.parameters, at + way), data)[0])[moved]

    columns = []
    for way in told.T:
        coarse, fine = (
            (stepped(share * _ALONG * way) - stepped(-share * _ALONG * way)) / (2 * share * _ALONG)
            for share in (1.0, 0.5)
        )
        columns.append((4 * fine - coarse) / 3)
    return told[moved].T @ found.complete[np.ix_(moved, moved)] @ np.array(columns).T
