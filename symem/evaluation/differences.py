"""Derivatives by central differences with Richardson extrapolation, in units of the function's own curvature.

A function takes a table of points, one a row, and gives a value for each: all moves are made at once.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from symem.evaluation.stacks import Array

Function = Callable[[Array], Array]

_SETTLED = 1e-8
#: Below this second difference a step is short; how often it may be made longer, by 64 at most.
_BENT, _WIDEST = 0.1, 6
#: From how many shorter steps on a plateau is looked for.
_HIGH = 4


def units(function: Function, at: Array) -> Array:
    """For each coordinate, the step over which the function bends by about one: a standard error.

    For a log-likelihood this makes every tolerance free of the scale of the data. A coordinate along which
    the function is flat gets a step of about one.
    """
    here = function(at[None])[0]
    steps = _widened(function, at, here, 1.0 + np.abs(at) / 10)
    waiting = np.arange(len(at))
    for _ in range(40):
        if not len(waiting):
            break
        ahead, behind = _both_ways(function, at, np.diag(steps)[waiting])
        bend = np.abs(ahead - 2 * here + behind)
        settled, bent = bend <= 2.0, np.where(np.isfinite(bend), bend, 4.0)
        steps[waiting] *= np.where(settled, 1.0, np.clip(bent, 1.5, 16.0) ** -0.5)
        waiting = waiting[~settled]
    return steps


def _widened(function: Function, at: Array, here: float, steps: Array) -> Array:
    """Steps made longer where the function hardly bends over them: a spread of millions is seen from one million off."""
    wider, waiting = steps.copy(), np.arange(len(at))
    for _ in range(_WIDEST):
        ahead, behind = _both_ways(function, at, np.diag(wider)[waiting])
        bend = np.abs(ahead - 2 * here + behind)
        waiting, bend = waiting[bend < _BENT], bend[bend < _BENT]
        if not len(waiting):
            return wider
        wider[waiting] *= np.clip(bend, 1 / 64**2, 1 / 16) ** -0.5
    return np.where(np.isin(np.arange(len(at)), waiting), steps, wider)


def without_plateaus(function: Function, at: Array, steps: Array) -> Array:
    """Steps made shorter where the function bends nearly as much over a shorter one: the longer leads to a plateau.

    A likelihood is one far from all data, where log-densities still bend as parabolas (a quarter of the step bends
    a parabola by a sixteenth).
    """
    ladders = [
        np.array([step, *(h for h in step / 4.0 ** np.arange(1, 24) if h > base)])
        for step, base in zip(steps.tolist(), ((1.0 + np.abs(at) / 10) / 4).tolist(), strict=True)
    ]
    if all(len(ladder) < _HIGH for ladder in ladders):
        return steps
    moves = np.concatenate([h[:, None] * own for h, own in zip(ladders, np.eye(len(at)), strict=True)])
    ahead, behind = _both_ways(function, at, moves)
    bends = np.abs(ahead - 2 * function(at[None])[0] + behind)
    bends[~np.isfinite(bends)] = 0.0
    each = np.split(bends, np.cumsum([len(ladder) for ladder in ladders])[:-1])
    return np.array(
        [
            ladder[np.flatnonzero(bend >= bend.max() / 4)[-1]]
            for ladder, bend in zip(ladders, each, strict=True)
        ]
    )


def _both_ways(function: Function, at: Array, moves: Array) -> tuple[Array, Array]:
    """The values at `at` plus and minus each move."""
    values = function(np.concatenate([at + moves, at - moves]))
    return values[: len(moves)], values[len(moves) :]


def gradient(function: Function, at: Array, unit: Array) -> Array:
    """Derivatives times the units, to about nine digits of the function's rounding.

    Three central differences, extrapolated twice (Richardson 1911), on ever smaller steps (Ridders 1982).
    """
    best, doubt = np.full(len(at), np.nan), np.full(len(at), np.inf)
    waiting = np.arange(len(at))
    for fraction in (1 / 8, 1 / 32, 1 / 128, 1 / 512, 1 / 2048):
        if not len(waiting):
            break
        coarse, fine = _extrapolated(function, at, fraction * np.diag(unit)[waiting])
        spread, scale = np.abs(fine - coarse), unit[waiting]
        better = waiting[~(spread >= doubt[waiting])]
        slopes = (16 * fine - coarse) / 15 * scale
        best[better] = slopes[np.isin(waiting, better)]
        doubt[waiting] = np.where(spread >= doubt[waiting], doubt[waiting], spread)
        waiting = waiting[~(spread * scale <= _SETTLED * (1 + np.abs(fine) * scale))]
    return best


def _extrapolated(function: Function, at: Array, moves: Array) -> tuple[Array, Array]:
    """Slopes along moves, of which each is one coordinate: from steps h and h/2, and from h/2 and h/4."""
    lengths = moves.sum(axis=1)
    shares = np.array([1.0, 0.5, 0.25])
    ahead, behind = _both_ways(function, at, (shares[:, None, None] * moves).reshape(-1, len(at)))
    rough = ((ahead - behind) / np.outer(shares, 2 * lengths).ravel()).reshape(3, -1)
    return (4 * rough[1] - rough[0]) / 3, (4 * rough[2] - rough[1]) / 3


def hessian(function: Function, at: Array, unit: Array) -> Array:
    """Second derivatives in the units, by fourth-order differences."""
    coarse, fine = (_bent(function, at, unit * step) / step**2 for step in (1 / 4, 1 / 8))
    return np.asarray((4 * fine - coarse) / 3)


def _bent(function: Function, at: Array, step: Array) -> Array:
    """The second differences of every pair of coordinates."""
    rows, columns = np.tril_indices(len(at))
    share = np.where(rows == columns, 0.5, 1.0)
    one, other = (share[:, None] * np.diag(step)[places] for places in (rows, columns))
    ahead, behind = _both_ways(function, at, one + other)
    aside, opposite = _both_ways(function, at, one - other)
    values = (ahead - aside - opposite + behind) / (2 * share) ** 2
    whole = np.empty((len(at), len(at)))
    whole[rows, columns] = whole[columns, rows] = values
    return whole
