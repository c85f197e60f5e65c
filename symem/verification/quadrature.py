"""Integrals of exp(log-density) over one, two or three real variables, many rows at once.

Each domain is brought to the whole line (identity, logarithm or logit), each integrand is centred at its
mode and scaled there, and u = mode + scale sinh(t) makes its tails fall double-exponentially, where the
trapezoidal rule converges geometrically (Takahasi & Mori 1974). The step is halved until the logarithm of
the integral stands still.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import log_expit

from symem.verification.enumeration import TooLargeError

Array = np.ndarray[Any, np.dtype[Any]]
Ends = tuple[float, float]
LogDensity = Callable[[Sequence[Array]], Array]  # one (rows, nodes) array per variable -> (rows, nodes)

MOST_VARIABLES = 3
_REACH = {1: 6.5, 2: 4.5, 3: 3.75}
_STEPS = {
    1: (1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64),
    2: (1 / 4, 1 / 6, 1 / 8, 1 / 16, 1 / 32, 1 / 48),
    3: (3 / 8, 1 / 4, 1 / 6, 1 / 8),
}
_STANDS_STILL = 2e-13
_OVERFLOW = 700.0
_NEGLIGIBLE = 37.0  # e^-37 is below rounding
_NOTHING = 100.0  # e^-100 of the heaviest node of a coarse grid: beyond, finer grids have no nodes
_SHARE = 1e-5  # of the accuracy asked for, that two grids may differ by
_WHOLE = 1e-9
#: Where the mode is looked for: all over the line, and then not far from where it was.
_FAR, _NEAR = 1e-2 * np.sinh(np.linspace(-26, 26, 401)), 1e-2 * np.sinh(np.linspace(-12, 12, 49))
_FLAT = 1e-2  # a fall of the log-integrand by less is not worth a closer look


@dataclass(frozen=True)
class Chart:
    """Domains (rows, variables) and, on the line they are mapped to, the mode and a scale matrix."""

    low: Array
    high: Array
    centre: Array
    scale: Array

    def repeated(self, points: int) -> Chart:
        """The same at every point."""
        return Chart(*(np.concatenate([each] * points) for each in vars(self).values()))

    def part(self, rows: int) -> Chart:
        """The first rows."""
        return Chart(*(each[:rows] for each in vars(self).values()))


@dataclass(frozen=True)
class Rule:
    """Nodes, one (rows, nodes) array per variable, and the logarithms of their weights."""

    nodes: tuple[Array, ...]
    log_weights: Array


def to_domain(u: Array, low: Array, high: Array) -> tuple[Array, Array]:
    """The point strictly inside (low, high) that u on the line stands for, and the log-Jacobian."""
    below, above = np.isfinite(low), np.isfinite(high)
    kinds = (below & above, below & ~above, above & ~below, ~below & ~above)
    with np.errstate(all="ignore"):
        found = [(kind, law(u, low, high)) for kind, law in zip(kinds, _LAWS, strict=True) if kind.any()]
        if len(found) == 1:
            return found[0][1]
        values, log_jacobians = zip(*(pair for _kind, pair in found), strict=True)
        here = [kind for kind, _pair in found]
        return np.select(here, values), np.select(here, log_jacobians)


def _between(u: Array, low: Array, high: Array) -> tuple[Array, Array]:
    span, rise, fall = high - low, log_expit(u), log_expit(-u)
    value = np.where(u > 0, high - span * np.exp(fall), low + span * np.exp(rise))
    return np.clip(value, np.nextafter(low, np.inf), np.nextafter(high, -np.inf)), np.log(span) + rise + fall


def _beyond(u: Array, low: Array, _high: Array) -> tuple[Array, Array]:
    value = np.clip(low + np.exp(u), np.nextafter(low, np.inf), np.finfo(float).max)
    return value, np.where(np.abs(u) < _OVERFLOW, u, -np.inf)


def _short_of(u: Array, _low: Array, high: Array) -> tuple[Array, Array]:
    value, log_jacobian = _beyond(u, -high, high)
    return -value, log_jacobian


def _as_it_is(u: Array, _low: Array, _high: Array) -> tuple[Array, Array]:
    return u, np.zeros(np.shape(u))


#: The maps from the line by what is finite: both ends, the lower, the upper, none.
_LAWS = (_between, _beyond, _short_of, _as_it_is)


def chart(density: LogDensity, low: Array, high: Array) -> Chart:
    """Find the mode and the scale of each row's integrand."""
    rows, variables = low.shape
    centre = np.zeros((rows, variables))
    flat = _on_the_line(density, low, high)
    for sweep in range(1 if variables == 1 else 25):
        before = centre.copy()
        for place in range(variables):
            centre[:, place] = _mode_along(flat, centre, place, _NEAR if sweep else _FAR)
        if sweep and np.allclose(before, centre, rtol=1e-3, atol=1e-3):
            break
    widths = np.stack([_width_along(flat, centre, place) for place in range(variables)], axis=1)
    return Chart(low, high, centre, _scale_matrix(flat, centre, widths))


def integrate(
    density: LogDensity, on: Chart, owner: Array, accuracy: float = 1e-8
) -> tuple[Rule, Array, float]:
    """A rule, the log-integrand at its nodes (weights included), and how far halving its step moves it.

    Rows of one owner are summed afterwards, so only those count that are heavy beside it.

    Raises:
    ------
    TooLargeError
        The logarithm of an integral does not settle to that accuracy.
    """
    steps = _STEPS[on.low.shape[1]]
    first = steps[0]
    ends: Sequence[Ends] = _reach(on, first)
    rule, values = _evaluated(density, on, _lines(ends, first), first)
    ends, (rule, values) = _carrying(ends, first, rule, values)
    whole, moved = _log_total(values), np.inf
    for last, step in itertools.pairwise(steps):
        before, coarse = whole, (rule, values)
        rule, values = _finer(density, on, coarse, ends, (last, step))
        whole = _log_total(values)
        moved = _moved(before, whole, owner)
        size = float(np.max(np.abs(whole[np.isfinite(whole)]), initial=0.0))
        if moved < max(_STANDS_STILL * max(1.0, size), _SHARE * accuracy):
            return *coarse, moved
    if moved > accuracy:
        raise TooLargeError(f"quadrature settles only to {moved:.0e}")
    return rule, values, moved


def _evaluated(density: LogDensity, on: Chart, lines: Sequence[Array], step: float) -> tuple[Rule, Array]:
    """A rule, and the log-integrand at its nodes."""
    rule = _rule(on, lines, step)
    with np.errstate(all="ignore"):
        return rule, finite(density(rule.nodes)) + rule.log_weights


def _carrying(
    ends: Sequence[Ends], step: float, rule: Rule, values: Array
) -> tuple[Sequence[Ends], tuple[Rule, Array]]:
    """The ends of each axis between which some row has mass, and what lies between them."""
    lines = _lines(ends, step)
    shape = tuple(map(len, lines))
    with np.errstate(all="ignore"):
        heavy = (values > values.max(axis=1, keepdims=True) - _NOTHING).any(axis=0).reshape(shape)
    if not heavy.any():
        return ends, (rule, values)
    kept, narrower = np.ones(shape, dtype=bool), []
    for axis, line in enumerate(lines):
        here = np.flatnonzero(heavy.any(axis=tuple(a for a in range(len(lines)) if a != axis)))
        low, high = max(here[0] - 1, 0), min(here[-1] + 1, len(line) - 1)
        narrower.append((line[low], line[high]))
        inside = (line >= line[low]) & (line <= line[high])
        kept &= inside.reshape([-1 if a == axis else 1 for a in range(len(lines))])
    nodes = tuple(each[:, kept.ravel()] for each in rule.nodes)
    return narrower, (Rule(nodes, rule.log_weights[:, kept.ravel()]), values[:, kept.ravel()])


def _finer(
    density: LogDensity,
    on: Chart,
    coarse: tuple[Rule, Array],
    ends: Sequence[Ends],
    steps: tuple[float, float],
) -> tuple[Rule, Array]:
    """The same on a finer grid; what is there already of a line whose step is halved is not computed again."""
    last, step = steps
    if on.low.shape[1] > 1:
        return _evaluated(density, on, _lines(ends, step), step)
    (line,) = _lines(ends, last)
    between, values = _evaluated(density, on, [line[:-1] + step], step)
    rule, known = coarse
    nodes = (np.concatenate([rule.nodes[0], between.nodes[0]], axis=1),)
    log_weights = np.concatenate([rule.log_weights + np.log(step / last), between.log_weights], axis=1)
    return Rule(nodes, log_weights), np.concatenate([known + np.log(step / last), values], axis=1)


def _log_total(values: Array) -> Array:
    """The logarithm of the sum of exponentials of each row."""
    with np.errstate(all="ignore"):
        peak = values.max(axis=1, keepdims=True)
        peak = np.where(np.isfinite(peak), peak, 0.0)
        return np.asarray(peak[:, 0] + np.log(np.exp(values - peak).sum(axis=1)))


def _moved(before: Array, after: Array, owner: Array) -> float:
    """The largest change in rows that carry mass beside the heaviest one of the same owner."""
    heaviest = np.full(int(owner.max(initial=0)) + 1, -np.inf)
    np.maximum.at(heaviest, owner, after)
    heavy = np.isfinite(after) & (after > heaviest[owner] - _NEGLIGIBLE)
    return float(np.max(np.abs(after - before)[heavy], initial=0.0))


def finite(values: Array) -> Array:
    return np.where(np.isnan(values) | (values == np.inf), -np.inf, values)


def _on_the_line(density: LogDensity, low: Array, high: Array) -> Callable[[Array], Array]:
    """The log-integrand as a function of points (rows, nodes, variables) of the line."""

    def flat(points: Array) -> Array:
        pairs = [to_domain(points[:, :, v], low[:, v, None], high[:, v, None]) for v in range(low.shape[1])]
        with np.errstate(all="ignore"):
            return finite(density([value for value, _ in pairs]) + sum(jacobian for _, jacobian in pairs))

    return flat


def _along(flat: Callable[[Array], Array], centre: Array, place: int, offsets: Array) -> Array:
    """Values at centre with one coordinate replaced by (rows, nodes) offsets."""
    points = np.repeat(centre[:, None, :], offsets.shape[1], axis=1)
    points[:, :, place] = offsets
    return flat(points)


def _mode_along(flat: Callable[[Array], Array], centre: Array, place: int, around: Array) -> Array:
    """Where the log-integrand is highest along one axis, to a small part of its width."""
    rows = np.arange(len(centre))
    line = centre[:, place, None] + around
    for _ in range(16):
        heights = _along(flat, centre, place, line)
        best = np.clip(np.argmax(heights, axis=1), 1, line.shape[1] - 2)
        left, right = line[rows, best - 1], line[rows, best + 1]
        with np.errstate(invalid="ignore"):
            lowest = np.minimum(heights[rows, best - 1], heights[rows, best + 1])
            if np.all(heights[rows, best] - lowest < _FLAT):
                break
        line = np.linspace(left, right, 17, axis=1)
    return np.asarray((left + right) / 2)


def _width_along(flat: Callable[[Array], Array], centre: Array, place: int) -> Array:
    """The distance at which the log-integrand has fallen by one on its steeper side."""
    distances = np.geomspace(1e-9, 1e9, 109) * np.maximum(1.0, 1e-6 * np.abs(centre[:, place, None]))
    middle = centre[:, place, None]
    peak = _along(flat, centre, place, middle)
    lowest = np.minimum(
        _along(flat, centre, place, middle + distances), _along(flat, centre, place, middle - distances)
    )
    with np.errstate(all="ignore"):
        fallen = ~(peak - lowest < 1.0)
    return np.take_along_axis(distances, np.argmax(fallen, axis=1)[:, None], axis=1)[:, 0]


def _scale_matrix(flat: Callable[[Array], Array], centre: Array, widths: Array) -> Array:
    """A Cholesky factor of the inverse negative Hessian; the widths alone where that is not positive definite."""
    rows, variables = centre.shape
    diagonal = np.stack([np.diag(each) for each in widths])
    if variables == 1:
        return diagonal
    step = 0.5 * widths
    hessian = np.empty((rows, variables, variables))
    for a, b in itertools.product(range(variables), repeat=2):
        hessian[:, a, b] = _mixed_difference(flat, centre, step, a, b)
    for row in range(rows):
        negative = -(hessian[row] + hessian[row].T) / 2
        if np.all(np.isfinite(negative)) and np.all(np.linalg.eigvalsh(negative) > 0):
            diagonal[row] = np.linalg.cholesky(np.linalg.inv(negative))
    return diagonal


def _mixed_difference(flat: Callable[[Array], Array], centre: Array, step: Array, a: int, b: int) -> Array:
    total = np.zeros(len(centre))
    for sign_a, sign_b in itertools.product((1, -1), repeat=2):
        point = centre.copy()
        point[:, a] += sign_a * step[:, a]
        point[:, b] += sign_b * step[:, b]
        total += sign_a * sign_b * flat(point[:, None, :])[:, 0]
    return np.asarray(total / (4 * step[:, a] * step[:, b]))


def _reach(on: Chart, step: float) -> list[Ends]:
    """How far the nodes of each axis reach at first."""
    variables = on.low.shape[1]
    most = float(np.ceil(_REACH[variables] / step) * step)
    return [(-most, most)] * variables


def _lines(ends: Sequence[Ends], step: float) -> list[Array]:
    """The places of a trapezoidal rule on each axis."""
    return [
        low
        + step
        * np.arange(np.ceil((high - low) / step - _WHOLE) + 1)  # ends are whole steps apart but for rounding
        for low, high in ends
    ]


def _rule(on: Chart, lines: Sequence[Array], step: float) -> Rule:
    variables = on.low.shape[1]
    mesh = np.stack([each.ravel() for each in np.meshgrid(*lines, indexing="ij")])
    log_weights = np.sum(np.log(np.cosh(mesh)) + np.log(step), axis=0)
    line = on.centre[:, :, None] + np.einsum("rab,bn->ran", on.scale, np.sinh(mesh))
    log_scale = np.log(np.abs(np.linalg.det(on.scale)))[:, None]
    pairs = [to_domain(line[:, v], on.low[:, v, None], on.high[:, v, None]) for v in range(variables)]
    return Rule(
        tuple(value for value, _ in pairs), log_weights + log_scale + sum(jacobian for _, jacobian in pairs)
    )
