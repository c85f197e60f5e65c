"""What the plain style calls where NumPy has no name for it: copied as it stands, each as short as the idea."""

from __future__ import annotations

from typing import Any

import numpy as np

_LOG_2PI = np.log(2 * np.pi)


def _log(value: Any) -> Any:
    """Finite at 0, so that 0 log 0 = 0."""
    return np.log(np.maximum(value, 1e-308))


def _log_one_less_exp(power: Any) -> Any:
    """log(1 - exp(a))."""
    return np.log(np.maximum(-np.expm1(power), 1e-308))


def _inverse_from_cholesky(factor: Any) -> Any:
    return np.linalg.inv(factor @ np.swapaxes(factor, -1, -2))


def _solve(matrix: Any, vector: Any) -> Any:
    return np.linalg.solve(matrix, vector[..., None])[..., 0]


def _scatter(value: Any, places: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
    table = np.zeros(shape)
    np.add.at(table, places, value)
    return table


def _forward_backward(weight: Any, step: Any, first: Any, last: Any) -> tuple[Any, ...]:
    """Scaled, place by place (Rabiner 1989, section V.A): γ, log-likelihood, and φ, π, ω whose product is ξ."""
    count, labels, *chains = weight.shape
    moved = np.exp(step)
    table = moved if moved.ndim > 2 else moved.reshape(1, labels, labels, *(1 for _ in chains))
    table = np.broadcast_to(table, (count - 1, labels, labels, *chains))
    peak = weight.max(axis=1, keepdims=True)
    density, alpha, beta = np.exp(weight - peak), np.empty(weight.shape), np.empty(weight.shape)
    scale = np.empty((count, 1, *chains))
    for t in range(count):
        before = (
            np.exp(0.0 if first is None else first)
            if t == 0
            else (alpha[t - 1][:, None] * table[t - 1]).sum(axis=0)
        )
        alpha[t] = before * density[t]
        scale[t] = alpha[t].sum(axis=0)
        alpha[t] /= scale[t]
    beta[-1] = np.exp(0.0 if last is None else last)
    end = (alpha[-1] * beta[-1]).sum(axis=0)
    beta[-1] /= end
    for t in reversed(range(count - 1)):
        beta[t] = (table[t] * (density[t + 1] * beta[t + 1] / scale[t + 1])).sum(axis=1)
    total = (np.log(scale) + peak).sum(axis=(0, 1)) + np.log(end)
    return alpha * beta, total, alpha[:-1], moved, density[1:] * beta[1:] / scale[1:]
