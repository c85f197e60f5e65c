"""The loop that a solver runs, and the checks on what it is given: NumPy only, and copied into every solver.

A solver hands over tables of its arrays (`Array`), and two functions: one EM step, which also gives the
log-likelihood at the point it started from, and starts for restarts. Convergence, the monotonicity guard,
restarts and the record of a fit live here, once.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from scipy.special import log_ndtr

# The part below is copied into every emitted module.


#: Log weights whose terms are larger than this would be wrong by more than 1e-9 in the expanded form.
_LOSES_DIGITS = 4.5e6


class DataError(ValueError):
    """Data, sizes or a start that the model cannot take; the message names the array and the row."""


class EMWarning(UserWarning):
    """Something to know about a fit that was not refused."""


class NotConvergedWarning(EMWarning):
    """The loop reached max_iter before the log-likelihood settled."""


class LikelihoodFellWarning(EMWarning):
    """The log-likelihood fell by more than rounding, which EM never does."""


class EmptyComponentWarning(EMWarning):
    """An outcome has no observations left, so its parameters have nothing to be estimated from."""


class BoundaryWarning(EMWarning):
    """A parameter has reached the edge of its support: a collapsing variance, an unbounded likelihood."""


class Array(NamedTuple):
    """What an array must be: its dimensions (names of sizes, or numbers) and the kind of its values."""

    shape: tuple[Any, ...]
    kind: str = "real"
    labels: Any = None
    origin: int = 0
    missing: bool = False
    simplex_axes: int = 1


class Fit(NamedTuple):
    """What `fit` returns: `history[t]` is the objective at the t-th iterate, the start included."""

    parameters: Any
    log_likelihood: float
    history: np.ndarray
    converged: bool
    posterior: Any
    n_iter: int


_KINDS: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "real": ("finite", np.isfinite),
    "extended": ("a number", lambda a: ~np.isnan(a)),
    "positive": ("positive", lambda a: np.isfinite(a) & (a > 0)),
    "unit": ("between 0 and 1", lambda a: (a >= 0) & (a <= 1)),
    "open unit": ("strictly between 0 and 1", lambda a: (a > 0) & (a < 1)),
    "binary": ("0 or 1", lambda a: (a == 0) | (a == 1)),
    "count": ("a whole number, 0 or more", lambda a: (a >= 0) & (a == np.floor(a)) & np.isfinite(a)),
    "label": ("a whole number", lambda a: (a == np.floor(a)) & np.isfinite(a)),
    "simplex": ("0 or more", lambda a: np.isfinite(a) & (a >= 0)),
}


def _position(name: str, wrong: np.ndarray, origin: int = 0) -> str:
    """The first wrong entry, as it is written: x[3]."""
    place = np.argwhere(np.atleast_1d(wrong))[0] if np.ndim(wrong) else ()
    return f"{name}[{', '.join(str(int(p) + origin) for p in place)}]" if len(place) else name


def _refuse_wrong(name: str, array: np.ndarray, good: np.ndarray, wanted: str) -> None:
    if not np.all(good):
        place = _position(name, ~good)
        value = array[~good].flat[0] if np.ndim(array) else array
        more = int(np.sum(~good)) - 1
        others = f" (and {more} more)" if more else ""
        raise DataError(f"{place} = {value!s}{others}, but every entry of {name} must be {wanted}.")


def _as_array(name: str, value: Any, spec: Array) -> np.ndarray:
    """The value as a float array of the right number of dimensions, its entries checked."""
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise DataError(f"{name} is not an array of numbers: {type(value).__name__} was given.") from None
    if array.ndim != len(spec.shape):
        wanted = f"({', '.join(map(str, spec.shape))})"
        raise DataError(f"{name} must have shape {wanted}, one dimension per index, but has {array.shape}.")
    if array.size == 0:
        raise DataError(f"{name} is empty: its shape is {array.shape}.")
    wanted, test = _KINDS[spec.kind]
    good = test(array)
    if spec.missing:
        good = good | np.isnan(array) | ((array < 0) if spec.kind == "label" else False)
    _refuse_wrong(name, array, good, wanted)
    return array


def _sizes_of(arrays: Mapping[str, np.ndarray], table: Mapping[str, Array], sizes: dict[str, int]) -> None:
    """Read the sizes off the arrays' dimensions; two arrays that disagree are both named."""
    owner = {size: f"{size}=" for size in sizes}
    for name, array in arrays.items():
        for length, size in zip(array.shape, table[name].shape, strict=True):
            known = sizes.setdefault(size, length) if isinstance(size, str) else size
            first = owner.setdefault(size, name) if isinstance(size, str) else "the model"
            if known != length:
                raise DataError(f"{first} says that {size} is {known}, but {name} has shape {array.shape}.")


def _as_labels(name: str, array: np.ndarray, spec: Array, sizes: Mapping[str, int]) -> np.ndarray:
    """Labels as integers counted from 0, checked against the number of categories; missing ones become -1."""
    count = spec.labels if isinstance(spec.labels, int) else sizes.get(spec.labels, np.iinfo(np.intp).max)
    missing = np.isnan(array) | (array < 0) if spec.missing else np.zeros(array.shape, dtype=bool)
    labels = np.where(missing, -1, array - spec.origin)
    good = missing | ((labels >= 0) & (labels < count))
    _refuse_wrong(name, array, good, f"one of {spec.origin}, ..., {spec.origin + count - 1}")
    return labels.astype(np.intp)


def _check_names(given: Mapping[str, Any], wanted: Mapping[str, Any], what: str) -> None:
    for name in given:
        if name not in wanted:
            raise DataError(f"{name!r} is not {what} of this model: it takes {', '.join(wanted) or 'none'}.")
    for name in wanted:
        if name not in given:
            raise DataError(f"{name} is missing: pass {name}=....")


def _check_simplex(name: str, array: np.ndarray, axes: int) -> None:
    sums = array.sum(axis=tuple(range(-axes, 0))) if array.ndim else array
    wrong = ~np.isclose(sums, 1.0, rtol=0.0, atol=1e-6)
    if np.any(wrong):
        place = _position(name, wrong)
        worst = float(np.atleast_1d(sums)[np.atleast_1d(wrong)][0])
        raise DataError(f"{place} must sum to 1 over its last {axes} index(es), but sums to {worst:.6g}.")


def _better(a: tuple[Any, list[float], bool], b: tuple[Any, list[float], bool] | None) -> bool:
    return b is None or not np.isfinite(b[1][-1]) or a[1][-1] > b[1][-1]


def _iterate(
    step: Callable[[Any], tuple[Any, float]],
    theta: Any,
    *,
    scale: int,
    tol: float,
    max_iter: int,
    tell: Callable[[int, Any, float], None] | None = None,
) -> tuple[Any, list[float], bool]:
    """Repeat `step` until the objective changes by at most tol * scale.

    `step(theta)` gives (next theta, objective at theta). Returns the last theta whose objective is known,
    the objective at every iterate, and whether it settled.
    """
    history: list[float] = []
    following, value = step(theta)
    for iteration in range(max_iter + 1):
        history.append(value)
        if tell is not None:
            tell(iteration, theta, value)
        if iteration > 0 and _settled(history, scale, tol, iteration):
            return theta, history, True
        if iteration < max_iter:
            theta, following, value = _advance(step, theta, following)
    return theta, history, False


def _advance(step: Callable[[Any], tuple[Any, float]], theta: Any, following: Any) -> tuple[Any, Any, float]:
    """One step on. A parameter that the statistics leave undetermined (0/0) keeps its value, and is named."""
    after, value = step(following)
    if not np.isfinite(value):
        following = _repaired(theta, following)
        after, value = step(following)
        if not np.isfinite(value):
            raise DataError(
                f"The log-likelihood became {value} at {following}: start elsewhere, or scale the data."
            )
    return following, after, value


def _repaired(theta: Any, following: Any) -> Any:
    kept = []
    for name, old, new in zip(theta._fields, theta, following, strict=True):
        bad = ~np.isfinite(new)
        if np.any(bad):
            warnings.warn(
                f"{_position(name, bad)} is undetermined: no observations are left for it. It keeps its value "
                f"{np.asarray(old)[bad].flat[0] if np.ndim(old) else old}.",
                EmptyComponentWarning,
                stacklevel=5,
            )
        kept.append(np.where(bad, old, new) if np.ndim(new) else (old if bad else new))
    return type(theta)(*kept)


def _settled(history: list[float], scale: int, tol: float, iteration: int) -> bool:
    change = history[-1] - history[-2]
    rounding = 1e-9 * (1.0 + abs(history[-2])) + 1e-12 * scale
    if change < -rounding:
        warnings.warn(
            f"The log-likelihood fell by {-change:.3g} in iteration {iteration}: EM never does this, so the "
            "statistics have lost their digits or the derivation is wrong.",
            LikelihoodFellWarning,
            stacklevel=4,
        )
    return abs(change) <= tol * scale


def _best(
    step: Callable[[Any], tuple[Any, float]],
    starts: list[Any],
    scale: int,
    tol: float,
    max_iter: int,
    tell: Callable[[int, Any, float], None] | None,
) -> tuple[Any, list[float], bool]:
    """The run with the highest objective of those from all starts."""
    best: tuple[Any, list[float], bool] | None = None
    with np.errstate(all="ignore"):
        for theta in starts:
            run = _iterate(step, theta, scale=scale, tol=tol, max_iter=max_iter, tell=tell)
            best = run if _better(run, best) else best
    assert best is not None
    if not best[2]:
        warnings.warn(
            f"EM has not converged after {max_iter} iterations: raise max_iter=, or loosen tol=.",
            NotConvergedWarning,
            stacklevel=3,
        )
    return best


def _checked_sizes(sizes: Mapping[str, Any]) -> dict[str, int]:
    for name, size in sizes.items():
        if size != int(size) or size < 1:
            raise DataError(f"{name} = {size}, but a size must be a whole number of at least 1.")
    return {name: int(size) for name, size in sizes.items()}


def _require_sizes(sizes: Mapping[str, int], wanted: tuple[str, ...]) -> None:
    for name in wanted:
        if name not in sizes:
            raise DataError(f"The data do not show {name}: pass {name}=....")


def _show_size(sizes: dict[str, int], name: str, value: Any) -> None:
    """A size that the data show, unless the parameters or the caller say that it is larger."""
    shown = int(np.max(value))
    if sizes.setdefault(name, shown) < shown:
        raise DataError(f"{name} is {sizes[name]}, but the data have a value that needs {shown}.")


def _finish(arrays: dict[str, np.ndarray], table: Mapping[str, Array], sizes: Mapping[str, int]) -> None:
    """Labels to integers from 0; missing entries to a mask and a harmless value."""
    for name, spec in table.items():
        array = arrays[name]
        if spec.kind == "label":
            arrays[name] = array = _as_labels(name, array, spec, sizes)
        if spec.missing:
            seen = array >= 0 if spec.kind == "label" else ~np.isnan(array)
            arrays[f"observed_{name}"] = seen.astype(float)
            harmless = {"positive": 1.0, "unit": 0.5, "open unit": 0.5}.get(spec.kind, 0)
            arrays[name] = np.where(seen, array, harmless).astype(array.dtype)
        if spec.kind == "extended":
            arrays[name] = np.clip(arrays[name], -1e100, 1e100)


def _centre(arrays: dict[str, np.ndarray], name: str, moving: tuple[str, ...]) -> float:
    """Measure the arrays that move together from the mean of one of them; the mean."""
    seen = arrays.get(f"observed_{name}", np.ones(()))
    centre = float(np.mean(arrays[name], where=np.broadcast_to(seen > 0, arrays[name].shape)))
    centre = centre if np.isfinite(centre) else 0.0
    for each in moving:
        arrays[each] = (arrays[each] - centre) * arrays.get(f"observed_{each}", 1.0)
    return centre


def _chunk_length(rows: int, width: int) -> int:
    """Rows per chunk: buffers of about 3/4 MiB, so that a chunk stays in cache; small data stay whole."""
    return rows if rows <= 20_000 else min(rows, max(1024, 98_304 // width))


def _log(value: Any) -> Any:
    """log, finite at 0: a parameter on the edge of its support gives a weight of 1e-308, and 0 log 0 = 0."""
    return np.log(np.maximum(value, 2.2250738585072014e-308))


def _softmax(weight: Any, axis: int) -> Any:
    """Replace log weights by probabilities along an axis, in place; the log-sum-exp that normalised them."""
    peak = np.maximum.reduce(weight, axis, keepdims=True)
    np.subtract(weight, peak, out=weight)
    np.exp(weight, out=weight)
    total = np.add.reduce(weight, axis, keepdims=True)
    np.divide(weight, total, out=weight)
    np.log(total, out=total)
    total += peak
    return total.squeeze(axis)


def _guarded_softmax(weight: Any, axis: int) -> Any:
    """`_softmax` where outcomes may be impossible (-inf): where all are, every probability is 0."""
    peak = np.maximum.reduce(weight, axis, keepdims=True)
    peak = np.where(np.isneginf(peak), 0.0, peak)
    np.exp(np.subtract(weight, peak, out=weight), out=weight)
    total = np.add.reduce(weight, axis, keepdims=True)
    weight /= np.where(total > 0, total, 1.0)
    return (np.log(total) + peak).squeeze(axis)


def _refuse_impossible(log_normaliser: Any, first: int) -> None:
    """An observation that no outcome of the latents can explain has no likelihood."""
    wrong = np.isneginf(log_normaliser)
    if np.any(wrong):
        row = first + int(np.argwhere(np.atleast_1d(wrong))[0][0])
        raise DataError(
            f"Row {row} is impossible: under these parameters no value of the latents can give it."
        )


def _log_normal_interval(low: Any, high: Any) -> Any:
    """log(Phi(high) - Phi(low)), from the tail in which the difference keeps its digits."""
    flip = np.asarray(low) > 0
    low, high = np.where(flip, -np.asarray(high), low), np.where(flip, -np.asarray(low), high)
    upper = log_ndtr(high)
    return upper + np.log(-np.expm1(log_ndtr(low) - upper))


def _filled_in(
    whole: tuple[Any, ...], part: tuple[Any, ...], axes: tuple[int, ...], first: int, rows: int | None
) -> tuple[Any, ...]:
    """The arrays of all rows, with those of one chunk put in their place."""
    if rows is None:
        return tuple(np.array(each) for each in part)
    if not whole:
        shapes = [(*each.shape[:axis], rows, *each.shape[axis + 1 :]) for each, axis in zip(part, axes, strict=True)]
        whole = tuple(np.empty(shape) for shape in shapes)
    for array, each, axis in zip(whole, part, axes, strict=True):
        np.moveaxis(array, axis, 0)[first : first + each.shape[axis]] = np.moveaxis(each, axis, 0)
    return whole


def _solve(matrix: Any, vector: Any) -> Any:
    """The solution of linear systems over the last axes; the shortest one where a system is singular."""
    try:
        return np.linalg.solve(matrix, vector[..., None])[..., 0]
    except np.linalg.LinAlgError:
        return (np.linalg.pinv(matrix) @ vector[..., None])[..., 0]


def _scatter(value: Any, places: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
    """The array of that shape in which every value is added at its place."""
    flat: Any = 0
    for place, size in zip(places, shape, strict=True):
        flat = flat * size + place
    flat, value = np.broadcast_arrays(flat, value)
    return np.bincount(flat.ravel(), value.ravel(), math.prod(shape)).reshape(shape)


def _random_starts(
    draw: Callable[[np.random.Generator], Any],
    step: Callable[[Any], tuple[Any, float]],
    seed: int | None,
    n_init: int,
) -> list[Any]:
    """For each restart, the best of several draws after a few EM steps."""
    rng = np.random.default_rng(seed)
    return [_promising([draw(rng) for _ in range(6)], step) for _ in range(n_init)]


def _promising(candidates: list[Any], step: Callable[[Any], tuple[Any, float]]) -> Any:
    best, highest = None, -np.inf
    for theta in candidates:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                last, history, _ = _iterate(step, theta, scale=0, tol=0.0, max_iter=5)
        except DataError:
            continue
        if history[-1] > highest:
            best, highest = last, history[-1]
    if best is None:
        raise DataError("No start was found from which the log-likelihood is finite: pass start=....")
    return best


def _profiles(chunks: tuple[Any, ...], profile: Callable[[Any], Any], rng: np.random.Generator) -> Any:
    """Up to 2000 rows as columns of numbers."""
    columns = np.concatenate([profile(rows) for rows in chunks[:: 1 + len(chunks) // 8]], axis=1)
    return columns[:, rng.permutation(columns.shape[1])[:2000]]


def _far_apart(rng: np.random.Generator, columns: Any, count: int) -> tuple[Any, Any]:
    """Prototypes as in k-means++ (Arthur & Vassilvitskii 2007), and the scale of each coordinate."""
    scale = columns.std(axis=1, keepdims=True)
    scale = np.where(scale > 0, scale, 1.0)
    columns = columns / scale
    chosen = [columns[:, rng.integers(columns.shape[1])]]
    nearest = np.full(columns.shape[1], np.inf)
    while len(chosen) < count:
        nearest = np.minimum(nearest, ((columns - chosen[-1][:, None]) ** 2).sum(axis=0))
        total = nearest.sum()
        weights = nearest / total if total > 0 else None
        chosen.append(columns[:, rng.choice(columns.shape[1], p=weights)])
    return np.array(chosen), scale


def _near(rng: np.random.Generator, prototypes: tuple[Any, Any], columns: Any, axis: int) -> Any:
    """A table of labels that favours the nearest prototype."""
    chosen, scale = prototypes
    distance = np.array([((columns / scale - each[:, None]) ** 2).sum(axis=0) for each in chosen])
    width = np.mean(distance.min(axis=0)) + 1e-12
    table = np.exp(-np.minimum((distance - distance.min(axis=0)) / (2 * width), 700.0))
    table += rng.uniform(0.0, 0.02, table.shape)
    table /= table.sum(axis=0)
    return table if axis == 0 else np.ascontiguousarray(table.T)


def _random_table(rng: np.random.Generator, shape: tuple[int, ...], axis: int) -> Any:
    """Random probabilities along an axis."""
    table = rng.exponential(size=shape) + 0.1
    return table / table.sum(axis=axis, keepdims=True)


def _restricted(table: Any, possible: Any, axis: int) -> Any:
    """The table with impossible outcomes at 0."""
    table = np.where(possible > 0, table + 1e-12, 0.0)
    total = table.sum(axis=axis, keepdims=True)
    return table / np.where(total > 0, total, 1.0)


def _drawn(
    rng: np.random.Generator, kind: str, shape: tuple[int, ...], pool: Any, low: Any, high: Any, trials: Any
) -> Any:
    """Values for a latent: at the scale of observed ones, inside its bounds, of its kind."""
    spread, middle = (float(np.std(pool)), float(np.mean(pool))) if pool is not None else (1.0, 0.0)
    if trials is not None:
        return trials * rng.uniform(0.2, 0.8, shape)
    if kind == "unit":
        return rng.uniform(0.2, 0.8, shape)
    bounded = low is not None or high is not None
    if kind == "real":
        values = (middle if bounded else 0.0) + (spread or 1.0) * rng.normal(size=shape)
    else:
        values = rng.exponential(size=shape) * (abs(middle) or 1.0 if bounded else 1.0) + 1e-3
    below = -np.inf if low is None else np.where(np.abs(low) >= 1e99, -np.inf, low)
    above = np.inf if high is None else np.where(np.abs(high) >= 1e99, np.inf, high)
    return _inside(rng, values, below, above, spread or 1.0)


def _inside(rng: np.random.Generator, values: Any, low: Any, high: Any, spread: float) -> Any:
    """Values outside their bounds moved to a random place within, near the bound that they missed."""
    share = rng.uniform(0.05, 0.95, np.shape(values))
    width = np.where(np.isfinite(low) & np.isfinite(high), high - low, spread)
    up = np.where(np.isfinite(low), low, 0.0) + share * width
    down = np.where(np.isfinite(high), high, 0.0) - share * width
    return np.where(values <= low, up, np.where(values >= high, down, values))
