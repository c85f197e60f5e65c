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


def _smoothed_numbers(*read: Any) -> tuple[Any, ...]:
    """As `_smoothed_vectors`, of states that are numbers."""
    kinds = (2, 1, 2, 1, 2, 1, 2)
    lifted = (np.asarray(each)[(..., *[None] * kind)] for each, kind in zip(read, kinds, strict=True))
    *moments, volume = _smoothed_vectors(*lifted)
    kinds = (1, 2, 1, 2, 1, 2, 2)
    return (*(each[(..., *[0] * kind)] for each, kind in zip(moments, kinds, strict=True)), volume)


def _smoothed_vectors(
    precision: Any, shift: Any, spread: Any, offset: Any, noise: Any, mean: Any, variance: Any
) -> tuple[Any, ...]:
    """Predicted, filtered and smoothed moments, C, and log det P/R, place by place (Kalman 1960; Rauch, Tung & Striebel 1965)."""
    count, size = len(shift), np.shape(shift)[-1]
    kinds = (
        (precision, 1, 2),
        (shift, 1, 1),
        (spread, 1, 2),
        (offset, 1, 1),
        (noise, 1, 2),
        (mean, 0, 1),
        (variance, 0, 2),
    )
    chains = np.broadcast_shapes(
        *(np.shape(x)[lead : np.ndim(x) - k] for x, lead, k in kinds if np.ndim(x) >= lead + k)
    )
    square, column, links = (*chains, size, size), (*chains, size), count - 1
    precision, shift = np.broadcast_to(precision, (count, *square)), np.broadcast_to(shift, (count, *column))
    spread, noise = np.broadcast_to(spread, (links, *square)), np.broadcast_to(noise, (links, *square))
    offset = np.broadcast_to(offset, (links, *column))
    a, m, E = (np.empty((count, *column)) for _ in range(3))
    R, P, V = (np.empty((count, *square)) for _ in range(3))
    C = np.empty((links, *square))
    for t in range(count):
        a[t], R[t] = mean, variance
        if t > 0:
            a[t] = (spread[t - 1] @ m[t - 1][..., None])[..., 0] + offset[t - 1]
            R[t] = spread[t - 1] @ P[t - 1] @ spread[t - 1].swapaxes(-1, -2) + noise[t - 1]
        P[t] = np.linalg.solve(np.eye(size) + R[t] @ precision[t], R[t])
        new = shift[t] - (precision[t] @ a[t][..., None])[..., 0]
        m[t] = a[t] + (P[t] @ new[..., None])[..., 0]
    E[-1], V[-1] = m[-1], P[-1]
    for t in reversed(range(links)):
        gain = np.linalg.solve(R[t + 1], spread[t] @ P[t]).swapaxes(-1, -2)
        E[t] = m[t] + (gain @ (E[t + 1] - a[t + 1])[..., None])[..., 0]
        V[t] = P[t] + gain @ (V[t + 1] - R[t + 1]) @ gain.swapaxes(-1, -2)
        C[t] = V[t + 1] @ gain.swapaxes(-1, -2)
    volume = -np.linalg.slogdet(np.eye(size) + R @ precision)[1]
    return a, R, m, P, E, V, C, volume
