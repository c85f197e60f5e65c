"""The EM algorithm of a model: E-step over chunks, starts, and what a module offers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from symem.runtime.checks import _outside_or_singular
from symem.runtime.chunks import _as_parameters, _cut, _prepare, _row_slots
from symem.runtime.convergence import _escaped
from symem.runtime.description import Data, Model, Moments, Rows
from symem.runtime.draws import _far_apart, _mended, _plain, _profiles
from symem.runtime.edges import _is_unbounded
from symem.runtime.few_rows import _condensed
from symem.runtime.kernels import _filled_in
from symem.runtime.loop import DataError, Fit, _best, _random_starts, _rounding
from symem.runtime.monomials import _by_feature, _natural, _put_features
from symem.runtime.outcome import (
    _say_saddle,
    _stays_inside,
    _warn_of_edges,
    _warn_of_empty,
    _warn_of_undetermined,
    _warn_of_unknown,
)
from symem.runtime.reference import _warn_of_lost
from symem.runtime.settings import _checked_settings, _told

#: What gives the latents of a chunk, and its log-likelihood.
Infer = Callable[[Rows], tuple[tuple[Any, ...], Any]]

#: After a scatter has lost its digits, as many E-steps take them from the chunks before products are tried again.
_APART = 16


class Solver:
    """EM for one model. `theta` is a dict or a named tuple; data and sizes are passed by name."""

    def __init__(self, model: Model) -> None:
        bare = getattr(model.steps.m_step, "__wrapped__", model.steps.m_step)
        self._model = model._replace(steps=model.steps._replace(m_step=bare))

    @np.errstate(all="ignore")
    def log_likelihood(self, theta: Any, /, **data: Any) -> float:
        """The log-likelihood of the observed data."""
        inside, checked = _given(self._model, theta, data)
        value = float(_e_step(self._model, inside, checked).log_likelihood)
        if np.isnan(value):
            _refuse_no_value(self._model, inside, checked)
        return value

    @np.errstate(all="ignore")
    def log_posterior(self, theta: Any, /, **data: Any) -> float:
        """The log-likelihood plus the log-prior, which MAP-EM raises."""
        inside, checked = _given(self._model, theta, data)
        return _objective(self._model, inside, checked, _e_step(self._model, inside, checked))

    @np.errstate(all="ignore")
    def statistics(self, theta: Any, /, **data: Any) -> Any:
        """The E-step: expected sufficient statistics at theta."""
        found = _e_step(self._model, *_given(self._model, theta, data))
        return found._replace(log_likelihood=float(found.log_likelihood))

    @np.errstate(all="ignore")
    def em_step(self, theta: Any, /, **data: Any) -> Any:
        """One EM step from theta."""
        inside, checked = _given(self._model, theta, data)
        expected = _e_step(self._model, inside, checked)
        _lost(self._model, expected, inside, checked)
        after = _maximised(self._model, expected, inside, checked)
        _warn_of_undetermined(after)
        return after

    @np.errstate(all="ignore")
    def posterior(self, theta: Any, /, **data: Any) -> Any:
        """The posterior of every latent at theta."""
        inside, checked = _given(self._model, theta, data)
        shown = _posterior(self._model, inside, checked)
        _warn_of_unknown(list(_arrays(shown)), self._model.plates.shown)
        return shown

    @np.errstate(all="ignore")
    def fit(
        self,
        /,
        *,
        start: Any = None,
        tol: float = 1e-10,
        max_iter: int = 10_000,
        n_init: int = 1,
        seed: int | None = None,
        callback: Callable[[int, Any, float], Any] | None = None,
        verbose: bool = False,
        **data: Any,
    ) -> Fit:
        """Fit by EM.

        Args:
            start: the parameters to start from, a dict or Parameters; None for `n_init` random starts from `seed`.
            tol: stop when the objective changes by at most this much per observation, and the parameters, by the rate at
                which they change, are right to its root.
            max_iter: the most iterations; reaching it is not convergence.
            n_init: how many random starts.
            seed: of the random starts, a whole number or a NumPy generator.
            callback: called with (iteration, parameters, objective).
            verbose: report every iteration on stderr.
            data: the arrays and sizes of the model, by name.
        """
        model = self._model
        asked = _checked_settings(tol, max_iter, n_init, seed, callback, verbose)
        given = None if start is None else _as_parameters(model, start)
        checked = _prepare(model, data, given)

        few = _condensed(model, checked)

        def step(theta: Any) -> tuple[Any, float]:
            return _step(model, theta, few)

        def draw(rng: np.random.Generator) -> Any:
            return _drawn_start(model, rng, checked)

        def collapsed(name: str, value: Any, least: float | None) -> Any:
            return _outside_or_singular(model.parameters, name, value, least)

        def run(starts: list[Any]) -> tuple[Any, list[float], bool]:
            return _best(step, starts, checked.scale, asked.tol, asked.max_iter, _told(asked), collapsed)

        starts = [given] if given else _random_starts(draw, step, asked.seed, asked.n_init, collapsed)
        best, history, converged = run(starts)
        short = asked.tol * checked.scale
        beside = _beside(draw, step, best, history, short) if given and converged else None
        if beside is not None:
            _say_saddle(len(history) - 1)
            best, further, converged = run([beside])
            history += further
        shown = _posterior(model, best, checked)
        _warn_of_edges(starts[0], best, model.parameters, lambda theta: step(theta)[1])
        for name, axis in model.labels.components:
            _warn_of_empty(name, getattr(shown, name), axis)
        expected = _e_step(model, best, checked)
        lost = _lost(model, expected, best, checked) | _has_no_bound(model, best, few)
        sound = all([converged, not lost, _stays_inside(model, best)])
        return Fit(best, float(expected.log_likelihood), np.array(history), sound, shown, len(history) - 1)


def _given(model: Model, theta: Any, data: Mapping[str, Any]) -> tuple[Any, Data]:
    """Parameters and data, checked."""
    parameters = _as_parameters(model, theta)
    return parameters, _prepare(model, data, parameters)


def _refuse_no_value(model: Model, theta: Any, data: Data) -> None:
    """The first row without a log-likelihood, found by halving."""
    rows, slots = model.plates.rows, _row_slots(model, data.given)
    first, stop = 0, 1 if rows is None else data[rows]
    while rows is not None and stop - first > 1:
        middle = (first + stop) // 2
        half = Data(data)
        half.update(
            {name: np.take(data.given[name], range(first, middle), slot) for name, slot in slots.items()}
        )
        half[rows] = middle - first
        half = _cut(model, half)
        first, stop = (
            (first, middle) if np.isnan(_e_step(model, theta, half).log_likelihood) else (middle, stop)
        )
    raise DataError(
        f"Row {first} has no log-likelihood in floating-point numbers: it lies too far from what the parameters say. "
        "Leave it out, or scale the data."
    )


def _step(model: Model, theta: Any, data: Data) -> tuple[Any, float]:
    """The parameters after one EM step, and the objective before it."""
    expected = _e_step(model, theta, data)
    return _maximised(model, expected, theta, data), _objective(model, theta, data, expected)


def _maximised(model: Model, expected: Any, theta: Any, data: Data) -> Any:
    """The M-step."""
    return _of_statistics(model.steps.m_step, model, expected, theta, data)


def _lost(model: Model, expected: Any, theta: Any, data: Data) -> bool:
    """Whether a parameter loses its digits in the M-step; it is named."""
    shares = model.parts.shares
    return shares is not None and _warn_of_lost(_of_statistics(shares, model, expected, theta, data))


def _has_no_bound(model: Model, theta: Any, data: Data) -> bool:
    """Whether the log-prior rises for ever towards the end of a support where a parameter stands; it is named."""
    prior = model.parts.log_prior
    if prior is None:
        return False
    return _is_unbounded(theta, model.parameters, lambda other: float(prior(other, data)))


def _of_statistics(function: Callable[..., Any], model: Model, expected: Any, theta: Any, data: Data) -> Any:
    """What reads all that the M-step reads."""
    before = (theta,) if model.conditional else ()
    known = {name: data[name] for name in model.known} if model.known else {}
    return function(expected, *before, **known)


def _objective(model: Model, theta: Any, data: Data, expected: Any) -> float:
    """The log-likelihood, plus the log-prior if there is one."""
    prior = 0.0 if model.parts.log_prior is None else float(model.parts.log_prior(theta, data))
    return float(expected.log_likelihood) + prior


def _e_step(model: Model, theta: Any, data: Data) -> Any:
    """The expected statistics, those of the chunks pooled."""
    coefficients = _coefficients(model, theta, data)
    found = _summarised(model, data, lambda rows: model.steps.e_step(theta, rows, coefficients)[1:])
    found = _weighted(model, found, data.weight)
    if model.parts.constant is None:
        return found
    once = float(model.parts.constant(theta, data))
    return found._replace(log_likelihood=found.log_likelihood + once, once=once)


def _summarised(model: Model, data: Data, infer: Infer) -> Any:
    """The statistics of all rows: from products summed over chunks; where these lose digits, those of chunks pooled."""
    if model.moments is not None and not data.apart:
        found, lost = _gathered(model.moments, data, infer)
        if not lost:
            return found
        data.apart = _APART
    data.apart = max(data.apart - 1, 0)
    found = None
    for rows in data.chunks:
        _refill(rows, data)
        part = model.steps.summarise(rows, *infer(rows))
        found = part if found is None else model.steps.merge(found, part)
    return found


def _weighted(model: Model, found: Any, weight: float) -> Any:
    """The statistics of rows that count so many times."""
    if weight == 1.0 or model.averages is None:
        return found
    pairs = zip(found._fields, found, strict=True)
    return type(found)(*(value if name in model.averages else weight * value for name, value in pairs))


def _gathered(moments: Moments, data: Data, infer: Infer) -> tuple[Any, bool]:
    """The statistics from weights times features, and whether they have lost their digits."""
    products, total = 0.0, 0.0
    for rows in data.chunks:
        _refill(rows, data)
        latents, value = infer(rows)
        part = np.matmul(latents[moments.weights], rows.features.T)
        products = part if rows.first == 0 else np.add(products, part, out=part)
        total += value
    return moments.of_products(_by_feature(products, data.chunks[0].blocks), data, total)


def _coefficients(model: Model, theta: Any, data: Data) -> tuple[Any, ...]:
    """What the E-step needs of the parameters, once an iteration; the natural form last."""
    values = () if model.parts.coefficients is None else model.parts.coefficients(theta, data)
    if model.natural is None:
        return values
    return (*values, _natural(model.natural, theta, data))


def _refill(rows: Rows, data: Data) -> None:
    """The features of a chunk, where another has written its own in their room."""
    if rows.shares_room and len(data.chunks) > 1:
        _put_features(rows)


def _posterior(model: Model, theta: Any, data: Data) -> Any:
    """The posterior of every latent, the chunks put together."""
    coefficients = _coefficients(model, theta, data)
    whole: tuple[Any, ...] = ()
    shown: Any = None
    count = None if model.plates.rows is None else data[model.plates.rows]
    for rows in data.chunks:
        _refill(rows, data)
        shown, _, _ = model.steps.e_step(theta, rows, coefficients)
        whole = _filled_in(whole, tuple(_arrays(shown)), model.plates.shown, rows.first, count)
    return _refilled(shown, whole)


def _arrays(shown: Any) -> Iterator[Any]:
    """The arrays of a posterior: of each latent one, or several by name."""
    for each in shown:
        yield from each.values() if isinstance(each, dict) else (each,)


def _refilled(shown: Any, arrays: tuple[Any, ...]) -> Any:
    """A posterior of the same form with these arrays."""
    left = iter(arrays)
    return type(shown)(
        *({name: next(left) for name in each} if isinstance(each, dict) else next(left) for each in shown)
    )


def _beside(
    draw: Callable[[np.random.Generator], Any],
    step: Callable[[Any], tuple[Any, float]],
    theta: Any,
    history: list[float],
    tolerance: float,
) -> Any:
    """A point near theta that is higher by more than what was left to go, where theta is a saddle; else None."""
    margin = 10 * tolerance + _rounding(history[-1], 0) + len(history) * abs(history[-1] - history[-2])
    try:
        towards, _ = step(draw(np.random.default_rng(0)))
        return _escaped(step, theta, history[-1], towards, margin)
    except DataError:
        return None


def _drawn_start(model: Model, rng: np.random.Generator, data: Data) -> Any:
    """The M-step at imputed latents."""
    prototypes: Any = None
    if model.labels.prototypes is not None:
        size, _ = model.labels.prototypes
        columns = _profiles(data.chunks, lambda rows: _profile(model, rows), rng)
        prototypes = _far_apart(rng, columns, data.get(size, size))

    def imputed(rows: Rows) -> tuple[tuple[Any, ...], float]:
        profile = None if prototypes is None else (prototypes, _profile(model, rows))
        return model.steps.impute(rng, rows, profile), 0.0

    expected = _summarised(model, data, imputed)
    theta = model.steps.Parameters(**_plain(model.parameters, data))
    theta = _maximised(model, expected, theta, data) if model.conditional else theta
    return _mended(_maximised(model, expected, theta, data), model.parameters)


def _profile(model: Model, rows: Rows) -> Any:
    """The rows of a chunk as columns of numbers, by which they are near or far."""
    columns = []
    for name in model.labels.prototypes[1] if model.labels.prototypes is not None else ():
        spec = model.data[name]
        slot = spec.shape.index(model.plates.rows) + spec.entries
        columns.append(np.moveaxis(rows[name], slot, -1).reshape(-1, rows.length))
    return np.concatenate(columns).astype(float)
