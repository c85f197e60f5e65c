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


def _upward_downward(weight: Any, step: Any, first: Any, parent: Any) -> tuple[Any, ...]:
    """Place by place, parents first: γ, log-likelihood, and φ, π, ω whose product is ξ (Durand, Gonçalvès & Guédon 2004)."""
    count, labels, *plates = weight.shape
    moved = np.exp(step)
    table = moved if moved.ndim > 2 else moved.reshape(1, labels, labels, *(1 for _ in plates))
    table = np.broadcast_to(table, (count, labels, labels, *plates))
    order = [v for v in range(count) if parent[v] < 0]
    for v in order:
        order += [child for child in range(count) if parent[child] == v]
    log_beta, beta, message = np.array(weight, dtype=float), np.empty(weight.shape), np.ones(weight.shape)
    total = np.zeros(plates)
    for v in reversed(order):
        if parent[v] < 0 and first is not None:
            log_beta[v] += first[v if len(first) > 1 else 0]
        peak = log_beta[v].max(axis=0)
        beta[v] = np.exp(log_beta[v] - peak)
        scale = beta[v].sum(axis=0)
        beta[v] /= scale
        total += np.log(scale) + peak
        if parent[v] >= 0:
            message[v] = (table[v] * beta[v]).sum(axis=1)
            log_beta[parent[v]] += np.log(message[v])
    gamma, phi = beta.copy(), np.zeros(weight.shape)
    for v in order:
        if parent[v] >= 0:
            phi[v] = gamma[parent[v]] / message[v]
            gamma[v] = beta[v] * (phi[v][:, None] * table[v]).sum(axis=0)
    return gamma, total, phi, moved, beta
