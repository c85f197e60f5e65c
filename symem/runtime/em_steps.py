"""One EM step: the E-step over chunks of rows, the M-step, the objective; and what they give of each row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from symem.runtime.chunks import _as_parameters, _cut, _prepare
from symem.runtime.climbing import Held, _climbs_rows, _is_endless, _kept, _risen, _with_risen
from symem.runtime.description import Cut, Data, Elsewhere, Model, Moments, Rows, Unheld
from symem.runtime.edges import _is_unbounded
from symem.runtime.kernels import _filled_in, _times_counts
from symem.runtime.loop import DataError
from symem.runtime.monomials import _by_feature, _natural, _put_features
from symem.runtime.reference import _warn_of_cancelled, _warn_of_lost
from symem.runtime.sequences import _in_sequences
from symem.runtime.wording import _counted_place

#: What gives the latents of a chunk, and its log-likelihood.
Infer = Callable[[Rows], tuple[tuple[Any, ...], Any]]

#: After a scatter has lost its digits, as many E-steps take them from the chunks before products are tried again.
_APART = 16


def _given(model: Model, theta: Any, data: Mapping[str, Any], *, every_row: bool = False) -> tuple[Any, Cut]:
    """Parameters and data, checked."""
    parameters = _as_parameters(model, theta)
    return parameters, _prepare(model, data, parameters, every_row=every_row)


def _first_row(model: Model, theta: Any, data: Data, lacks: Callable[[Any], Any]) -> str:
    """The first row whose log-likelihood lacks something, found by halving."""
    rows = model.plates.rows
    first, stop = 0, 1 if rows is None else data[rows]
    while rows is not None and stop - first > 1:
        middle = (first + stop) // 2
        half = Data(data)
        half.update(data.taken(range(first, middle)))
        half[rows] = middle - first
        half = _cut(model, half)
        first, stop = (first, middle) if lacks(_e_step(model, theta, half).log_likelihood) else (middle, stop)
    return _counted_place("Row", first)


def _refuse_no_value(model: Model, theta: Any, data: Cut) -> None:
    """The first row without a log-likelihood is named."""
    raise DataError(
        f"{_first_row(model, theta, data, np.isnan)} has no log-likelihood in floating-point numbers: it lies too far from what the parameters say. "
        "Leave it out, or scale the data."
    )


def _step(model: Model, theta: Any, data: Cut) -> tuple[Any, float]:
    """The parameters after one EM step, and the objective before it."""
    expected, infer = _remembered(model, theta, data)
    return _maximised(model, expected, theta, data, infer), _objective(model, theta, data, expected)


def _remembered(model: Model, theta: Any, data: Cut) -> tuple[Any, Infer | None]:
    """The expected statistics, and what gives the latents again, if anything is climbed over the rows, as the E-step left them."""
    if not _climbs_rows(model) or isinstance(data, Elsewhere | Unheld):
        return _e_step(model, theta, data), None
    infer, found = _inferring(model, theta, data), data.noted

    def noting(rows: Rows) -> tuple[tuple[Any, ...], Any]:
        latents, value = infer(rows)
        found[rows.first] = _noted(latents, found.get(rows.first))
        return latents, value

    return _e_step(model, theta, data, noting), lambda rows: (found[rows.first], 0.0)


def _noted(latents: tuple[Any, ...], room: tuple[Any, ...] | None) -> tuple[Any, ...]:
    """Copies of latents, in the room of earlier ones if they fit it."""
    if room is None or any(
        np.shape(one) != np.shape(other) for one, other in zip(latents, room, strict=True)
    ):
        return tuple(np.array(each) for each in latents)
    for one, other in zip(latents, room, strict=True):
        np.copyto(other, one)
    return room


def _maximised(model: Model, expected: Any, theta: Any, data: Cut, infer: Infer | None = None) -> Any:
    """The M-step: of statistics, then what is climbed over the rows, whose latents `infer` gives if not the E-step at theta."""
    after = _mirrored(model, _of_statistics(model.steps.m_step, model, expected, theta, data))
    if not model.rises:
        return after
    return _risen(model, expected, after, data, _latents(model, theta, data, infer))


def _mirrored(model: Model, theta: Any) -> Any:
    """Symmetric matrices without what rounding has left across their diagonals, which the next E-steps might enlarge."""
    names = [name for name, spec in model.parameters.items() if spec.kind in {"symmetric", "definite"}]
    if not names:
        return theta
    found = {name: getattr(theta, name) for name in names}
    return theta._replace(**{name: (each + each.swapaxes(-1, -2)) / 2 for name, each in found.items()})


def _latents(model: Model, theta: Any, data: Cut, infer: Infer | None = None) -> Held:
    """The latents of every chunk; those that `infer` gives are kept already."""
    if infer is not None and not isinstance(data, Unheld):
        return lambda rows: infer(rows)[0]
    asked = _inferring(model, theta, data)

    def of(rows: Rows) -> tuple[Any, ...]:
        _refill(rows)
        return asked(rows)[0]

    return _kept(model, data, of)


def _slopes(model: Model, theta: Any, at: Any, expected: Any, data: Data, rows: Cut) -> Any:
    """∂Q/∂θ at theta, the posterior of the rows and the statistics being those at another point."""
    assert model.slopes is not None
    found = model.slopes(theta, expected, data)
    if not model.rises:
        return found
    return _with_risen(model, found, theta, expected, rows, _latents(model, at, rows))


def _lost(
    model: Model, expected: Any, theta: Any, data: Cut, after: Any = None, infer: Infer | None = None
) -> bool:
    """Whether a parameter loses its digits in the M-step, or has no maximum there, sought from after it if that is known; it is
    named.
    """
    shares = model.parts.shares
    lost = shares is not None and _warn_of_lost(_of_statistics(shares, model, expected, theta, data))
    if not model.rises:
        return lost
    start = theta if after is None else after
    return _is_endless(model, expected, start, data, _latents(model, theta, data, infer)) or lost


def _has_cancelled(model: Model, data: Cut, value: float) -> bool:
    """Whether the log-likelihood has lost its digits beside constants of the data, where no exact form lacks them; it is
    said.
    """
    exact = model.natural is not None and model.natural.exact_form
    return not exact and _warn_of_cancelled(data.constant, value)


def _has_no_bound(model: Model, theta: Any, data: Cut) -> bool:
    """Whether the log-prior rises for ever towards the end of a support where a parameter stands; it is named."""
    prior = model.parts.log_prior
    if prior is None:
        return False
    return _is_unbounded(theta, model.parameters, lambda other: float(prior(other, data)))


def _of_statistics(function: Callable[..., Any], model: Model, expected: Any, theta: Any, data: Cut) -> Any:
    """What reads all that the M-step reads."""
    before = (theta,) if model.conditional else ()
    known = {name: data[name] for name in model.known} if model.known else {}
    return function(expected, *before, **known)


def _objective(model: Model, theta: Any, data: Cut, expected: Any) -> float:
    """The log-likelihood, plus the log-prior if there is one."""
    prior = 0.0 if model.parts.log_prior is None else float(model.parts.log_prior(theta, data))
    return float(expected.log_likelihood) + prior


def _e_step(model: Model, theta: Any, data: Cut, infer: Infer | None = None) -> Any:
    """The expected statistics, by what `infer` gives of each chunk, if not that at theta."""
    found = (
        data.ask("expected", theta) if isinstance(data, Elsewhere) else _of_rows(model, theta, data, infer)
    )
    if model.parts.constant is None:
        return found
    once = float(model.parts.constant(theta, data))
    return found._replace(log_likelihood=found.log_likelihood + once, once=once)


def _of_rows(model: Model, theta: Any, data: Cut, infer: Infer | None = None) -> Any:
    """The expected statistics, without what belongs to no row."""
    return _summarised(model, data, _inferring(model, theta, data) if infer is None else infer)


def _inferring(model: Model, theta: Any, data: Cut) -> Infer:
    """The E-step at theta."""
    coefficients = _coefficients(model, theta, data)

    def infer(rows: Rows) -> tuple[tuple[Any, ...], Any]:
        _, latents, value = model.steps.e_step(theta, rows, coefficients)
        return latents, value if isinstance(value, float) else _times_counts(value, rows).sum()

    return infer


def _summarised(model: Model, data: Cut, infer: Infer) -> Any:
    """The statistics of all rows: from products summed over chunks; where these lose digits, those of chunks pooled."""
    if model.moments is not None and not data.apart:
        found, lost = _gathered(model.moments, data, infer)
        if not lost:
            return found
        data.apart = _APART
    data.apart = max(data.apart - 1, 0)
    found = None
    for rows in data.chunks:
        _refill(rows)
        part = model.steps.summarise(rows, *infer(rows))
        found = part if found is None else model.steps.merge(found, part)
    return found


def _gathered(moments: Moments, data: Cut, infer: Infer) -> tuple[Any, bool]:
    """The statistics from weights times features, and whether they have lost their digits."""
    products, total = None, 0.0
    for rows in data.chunks:
        _refill(rows)
        latents, value = infer(rows)
        part = np.matmul(_times_counts(latents[moments.weights], rows), rows.features.T)
        products = part if products is None else np.add(products, part, out=part)
        total += value
    return moments.of_products(_by_feature(products, data.layout), data, total)


def _coefficients(model: Model, theta: Any, data: Cut) -> tuple[Any, ...]:
    """What the E-step needs of the parameters, once an iteration; the natural form last."""
    values = () if model.parts.coefficients is None else model.parts.coefficients(theta, data)
    if model.natural is None:
        return values
    return (*values, _natural(model.natural, theta, data))


def _refill(rows: Rows) -> None:
    """The features of a chunk, where another has written its own in their room."""
    if rows.shares_room:
        _put_features(rows)


def _inferred(model: Model, theta: Any, data: Cut) -> Iterator[tuple[Rows, Any, Any]]:
    """The chunks, each with its posterior and its log-likelihood."""
    coefficients = _coefficients(model, theta, data)
    for rows in data.chunks:
        _refill(rows)
        shown, _, value = model.steps.e_step(theta, rows, coefficients)
        yield rows, shown, value


def _posterior(model: Model, theta: Any, data: Cut) -> Any:
    """The posterior of every latent, the chunks put together."""
    whole: tuple[Any, ...] = ()
    shown: Any = None
    count = None if model.plates.rows is None else data[model.plates.rows]
    for rows, shown, _ in _inferred(model, theta, data):
        whole = _filled_in(whole, tuple(_arrays(shown)), model.plates.shown, rows.first, count)
    return _refilled(shown, whole)


def _by_row(model: Model, theta: Any, data: Cut) -> Any:
    """The log-likelihood of each row."""
    size = model.plates.rows
    if size is None:
        raise DataError(
            "The data of this model are not cut into independent rows, so no row has a log-likelihood of its own: ask for log_likelihood."
        )
    coefficients, of_rows = _coefficients(model, theta, data), model.parts.log_likelihoods
    found = np.empty(data[size])
    for rows in data.chunks:
        _refill(rows)
        part = slice(rows.first, rows.first + rows.length)
        given = (theta, rows, coefficients)
        found[part] = model.steps.e_step(*given)[2] if of_rows is None else of_rows(*given)
    return found


def _decoded(model: Model, theta: Any, data: Cut) -> dict[str, Any]:
    """The most probable labels of each chain or tree together, by name."""
    if model.parts.paths is None:
        raise DataError("No latent of this model is a chain or a tree of labels by itself: ask for predict.")
    coefficients, parts = _coefficients(model, theta, data), []
    for rows in data.chunks:
        _refill(rows)
        parts.append(model.parts.paths(theta, rows, coefficients))
    found = {name: np.concatenate([each[name] for each in parts]) for name in parts[0]}
    return _in_sequences(model.plates.ragged, {}, found, data.given)


def _blurred(model: Model, theta: Any, data: Cut, shown: Any) -> Any:
    """The log-likelihood of each row, where it tells that labels are lost in the size of their log weights: nothing where
    there are none, or where far rows are told apart.
    """
    apart = model.natural is not None and model.natural.exact_form
    labels = any(not isinstance(each, dict) for each in shown)
    if apart or not labels or model.plates.rows is None:
        return np.zeros(1)
    return _by_row(model, theta, data)


def _predicted(model: Model, shown: Any, theta: Any, data: Cut) -> Any:
    """Of each latent the most probable outcome, or the posterior mean: an array, or a record of several by name."""
    found, made = [], {} if model.means is None else model.means(shown, theta, {**data, **data.given})
    for each, (name, how) in zip(shown, _ways(model, shown), strict=True):
        if name in made:
            found.append(made[name])
            continue
        if how is None:
            raise DataError(
                f"The posterior of {name} is no single table and shows no mean: read it as it is."
            )
        found.append(each[how] if isinstance(how, str) else np.argmax(each, axis=how[0]) + how[1])
    whole = dict(zip(shown._fields, found, strict=True))
    found = list(_in_sequences(model.plates.ragged, {}, whole, data.given).values())
    return found[0] if len(found) == 1 else type(shown)(*found)


def _ways(model: Model, shown: Any) -> Iterator[tuple[str, Any]]:
    """Of each latent how it is predicted: the axis of its outcomes and the first of them, or the name of its mean."""
    from_0 = {name: (axis, 0) for name, axis in model.labels.components}
    known = model.predicted or tuple(from_0.get(name) for name in shown._fields)
    return zip(shown._fields, known, strict=True)


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


def _masses(model: Model, theta: Any, data: Cut) -> dict[str, dict[int, float]]:
    """How many rows the outcomes of each label hold that may be empty, by outcome as the model counts them."""
    if isinstance(data, Elsewhere):
        return dict(data.ask("masses", theta))
    found: dict[str, Any] = {}
    firsts: dict[str, int] = {}
    for rows, shown, _ in _inferred(model, theta, data) if model.labels.components else ():
        slots = {id(each): slot for each, slot in zip(_arrays(shown), model.plates.shown, strict=True)}
        firsts = {name: how[1] for name, how in _ways(model, shown) if isinstance(how, tuple)}
        for name, axis in model.labels.components:
            table, slot = getattr(shown, name), slots[id(getattr(shown, name))]
            if model.plates.rows is not None and slot is not None:
                table = np.moveaxis(_times_counts(np.moveaxis(table, slot, -1), rows), -1, slot)
            table = np.moveaxis(table, axis, 0)
            found[name] = found.get(name, 0.0) + table.reshape(len(table), -1).sum(axis=1)
    return {name: dict(enumerate(mass.tolist(), firsts.get(name, 0))) for name, mass in found.items()}
