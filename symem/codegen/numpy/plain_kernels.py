"""What the plain style calls where NumPy has no name for it: copied as it stands, each as short as the idea."""

from __future__ import annotations

from typing import Any

import numpy as np

_LOG_2PI = np.log(2 * np.pi)


def _log(value: Any) -> Any:
    """Finite at 0, so that 0 log 0 = 0."""
    return np.log(np.maximum(value, 1e-308))


def _log_or_never(value: Any) -> Any:
    """Finite, and below all that data say, at 0."""
    return np.where(value > 0, _log(value), -1e290)


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


def _in_full(read: Any, places: int, links: int) -> list[Any]:
    """What is read of states over all places, or links between them, and plates."""
    leads = [(places,), (places,), (links,), (links,), (links,), (), ()]
    kinds, size = (2, 1, 2, 1, 2, 1, 2), np.shape(read[1])[-1]
    shapes = [np.shape(x)[len(lead) : np.ndim(x) - k] for x, lead, k in zip(read, leads, kinds, strict=True)]
    plates = np.broadcast_shapes(*shapes)
    return [
        np.broadcast_to(x, (*lead, *plates, *(size,) * k))
        for x, lead, k in zip(read, leads, kinds, strict=True)
    ]


def _as_vectors(read: Any) -> list[Any]:
    """What is read of states that are numbers, as of vectors of one entry."""
    return [np.asarray(x)[(..., *[None] * k)] for x, k in zip(read, (2, 1, 2, 1, 2, 1, 2), strict=True)]


def _smoothed_numbers(*read: Any) -> tuple[Any, ...]:
    """As `_smoothed_vectors`, of states that are numbers."""
    *moments, news = _smoothed_vectors(*_as_vectors(read))
    return (*(x[(..., *[0] * k)] for x, k in zip(moments, (1, 2, 1, 2, 1, 2, 2), strict=True)), news)


def _smoothed_vectors(*read: Any) -> tuple[Any, ...]:
    """Predicted, filtered and smoothed moments, C, and log det P/R + (η - Λa)ᵀP(η - Λa), place by place (Kalman 1960)."""
    count = len(read[1])
    links = count - 1
    precision, shift, spread, offset, noise, mean, variance = _in_full(read, count, links)
    a, m, E = (np.empty(shift.shape) for _ in range(3))
    R, P, V = (np.empty(precision.shape) for _ in range(3))
    C, unit, news = np.empty(spread.shape), np.eye(shift.shape[-1]), np.empty(shift.shape[:-1])
    for t in range(count):
        a[t], R[t] = mean, variance
        if t > 0:
            a[t] = (spread[t - 1] @ m[t - 1][..., None])[..., 0] + offset[t - 1]
            R[t] = spread[t - 1] @ P[t - 1] @ spread[t - 1].swapaxes(-1, -2) + noise[t - 1]
        P[t] = np.linalg.solve(unit + R[t] @ precision[t], R[t])
        new = shift[t] - (precision[t] @ a[t][..., None])[..., 0]
        m[t] = a[t] + (P[t] @ new[..., None])[..., 0]
        news[t] = ((m[t] - a[t]) * new).sum(axis=-1) - np.linalg.slogdet(unit + R[t] @ precision[t])[1]
    E[-1], V[-1] = m[-1], P[-1]
    for t in reversed(range(links)):
        gain = np.linalg.solve(R[t + 1], spread[t] @ P[t]).swapaxes(-1, -2)
        E[t] = m[t] + (gain @ (E[t + 1] - a[t + 1])[..., None])[..., 0]
        V[t] = P[t] + gain @ (V[t + 1] - R[t + 1]) @ gain.swapaxes(-1, -2)
        C[t] = V[t + 1] @ gain.swapaxes(-1, -2)
    return a, R, m, P, E, V, C, news


def _numbers_on_trees(*read: Any) -> tuple[Any, ...]:
    """As `_vectors_on_trees`, of states that are numbers."""
    *moments, volume = _vectors_on_trees(*_as_vectors(read[:-1]), read[-1])
    return (*(x[(..., *[0] * k)] for x, k in zip(moments, (2, 1, 2, 2), strict=True)), volume)


def _vectors_on_trees(*read: Any) -> tuple[Any, ...]:
    """S, E, V, C and log det S, place by place, parents first (Chou, Willsky & Benveniste 1994)."""
    *given, parent = read
    count = len(parent)
    precision, shift, spread, offset, noise, mean, variance = _in_full(given, count, count)
    J, h = np.array(precision), np.array(shift)[..., None]
    S, gain, E = np.empty(J.shape), np.zeros(J.shape), np.empty(h.shape)
    order = [v for v in range(count) if parent[v] < 0]
    for v in order:
        order += [child for child in range(count) if parent[child] == v]
    for v in reversed(order):
        start, spent = (offset[v], noise[v]) if parent[v] >= 0 else (mean, variance)
        sure, start = np.linalg.inv(spent), start[..., None]
        S[v] = np.linalg.inv(sure + J[v])
        E[v] = S[v] @ (sure @ start + h[v])
        if parent[v] >= 0:
            back = spread[v].swapaxes(-1, -2) @ sure
            gain[v] = S[v] @ sure @ spread[v]
            J[parent[v]] += back @ S[v] @ J[v] @ spread[v]
            h[parent[v]] += back @ (E[v] - start)
    V, C = S.copy(), np.zeros(S.shape)
    for v in order:
        if parent[v] >= 0:
            E[v] += gain[v] @ E[parent[v]]
            C[v] = gain[v] @ V[parent[v]]
            V[v] += C[v] @ gain[v].swapaxes(-1, -2)
    return S, E[..., 0], V, C, np.linalg.slogdet(S)[1]
