"""Data and parameters to verify on: drawn from the declared model itself.

Where the model can sample itself it does. Otherwise latents and data are drawn together, component by
component, from the brute-force joint; the support of a datum that nobody declared is the first of {0, 1},
the naturals, (0, 1), (0, oo) and the reals on which the joint has total mass one. Failing that the data are
arbitrary: the identities hold on any.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
from sympy import Indexed, Symbol

from symem.errors import DataError, UnknownSymbolError
from symem.evaluation.coordinates import Coordinates
from symem.evaluation.members import random_member, random_parameters, shape_of
from symem.evaluation.situation import extent_of, label_origin
from symem.language.leaves import labels_in, name_of
from symem.language.support import Support
from symem.language.supports import Labels
from symem.language.weights import once
from symem.verification.ancestral import ancestral
from symem.verification.beliefs import GroupBelief
from symem.verification.data_supports import candidate_supports
from symem.verification.enumeration import TooLargeError
from symem.verification.observing import CannotSampleError, ImpossibleDrawError
from symem.verification.oracle import Oracle
from symem.verification.recursions import RecursiveBelief
from symem.verification.sizes import LABEL_SIZES

Array = np.ndarray[Any, np.dtype[Any]]
Values = dict[str, Any]
#: Of data, sizes and masks by name, and of θ.
LogLikelihood = Callable[[Mapping[str, Any], Values], float]
_MISSING_SHARE = 0.25
#: How large known counts may be in one attempt after another: what is rarely possible is likelier of few.
_MOST_COUNTS = (1_000_000,) * 4 + (3,) * 4 + (1,) * 8
#: How far data that look back may go.
_FARTHEST = 1e3
_DRAWING = 1e-2  # of a joint density from which data are only drawn


@dataclass(frozen=True)
class Draw:
    """Data, the parameters behind them, and how they came about."""

    data: Values
    theta: Values
    note: str


def draw(
    model: Any,
    rng: np.random.Generator,
    sizes: Mapping[str, int],
    log_likelihood: LogLikelihood | None = None,
) -> Draw:
    """Parameters at random in their supports, and data given them; with `log_likelihood`, where the model is stated by
    its likelihood, any data on which that is finite: they are found sooner than drawn.

    Raises
    ------
    DataError
        Nothing says what the data look like: the message asks for them.
    """
    for most in _MOST_COUNTS[:-1] if model.declarations else ():
        with suppress(ImpossibleDrawError):
            return _draw(model, rng, sizes, (most, True), log_likelihood)
    return _draw(model, rng, sizes, (_MOST_COUNTS[-1], False), log_likelihood)


def _draw(
    model: Any,
    rng: np.random.Generator,
    sizes: Mapping[str, int],
    counts: tuple[int, bool],
    log_likelihood: LogLikelihood | None,
) -> Draw:
    """With counts of at most so many; whether a draw without a density is refused."""
    most, strict = counts
    lengths = {
        each.name: _known(model, each, rng, sizes) for each in model.known if each.name in _lengths(model)
    }
    wide = {**sizes, **_shown(model, {**sizes, **lengths})} if lengths else sizes
    others = (each for each in model.known if each.name not in lengths)
    known = {**lengths, **{each.name: _known(model, each, rng, wide) for each in others}}
    known = {
        name: np.minimum(value, most)
        if _is_count(model.variables[name], value) and name not in _lengths(model)
        else value
        for name, value in _in_order(known, model).items()
    }
    sizes = {**sizes, **_shown(model, {**sizes, **known})}
    theta = random_parameters(model, rng, sizes)
    if log_likelihood is not None and not model.declarations:
        data = _arbitrary(model, rng, {**sizes, **known}, theta, log_likelihood)
        note = "arbitrary data"
    else:
        data, note = _data(model, rng, {**sizes, **known}, theta, strict=strict)
    if strict and _runs_away(model, data):
        raise ImpossibleDrawError("data that look back grow without bound")
    names = {each.name for each in (*model.data, *model.known)}
    kept = {
        name: value + label_origin(model.variables[name]) for name, value in data.items() if name in names
    }
    shown = _shown(model, {**sizes, **data})
    if any(shown[name] != sizes[name] for name in shown):
        theta = random_parameters(model, rng, {**sizes, **shown})
    return Draw(with_missing(model, kept, rng), theta, note)


def _runs_away(model: Any, drawn: Mapping[str, Any]) -> bool:
    """Whether data that look back at themselves have left all scales: of such no digits are left to compare."""
    names = {name_of(entry) for each in model.declarations if each.back is not None for entry in each.entries}
    values = (np.asarray(drawn[each.name], dtype=float) for each in model.data if each.name in names)
    return any(not np.all(np.abs(value[~np.isnan(value)]) < _FARTHEST) for value in values)


def _is_count(variable: Any, value: Array) -> bool:
    """Whether a value is a whole number that is no label."""
    return np.issubdtype(np.asarray(value).dtype, np.integer) and not isinstance(variable.support, Labels)


def _shown(model: Any, arrays: Mapping[str, Any]) -> dict[str, int]:
    """The sizes that arrays show, as far as they are drawn."""
    drawn = (each for each in model.extents if {str(s) for s in labels_in(each.value)} <= set(arrays))
    return {each.symbol.name: extent_of(each, arrays) for each in drawn}


def _data(
    model: Any, rng: np.random.Generator, arrays: Mapping[str, Any], theta: Values, *, strict: bool
) -> tuple[Values, str]:
    if not model.declarations:
        return _joint_draw(model, rng, arrays, theta)
    try:
        return ancestral(
            model.stated or model, {**arrays, **theta}, rng, strict=strict
        ), "data drawn from the declared distributions"
    except CannotSampleError as reason:
        raise DataError(f"No data could be drawn from the model: {reason}. Give data.") from None


def _known(model: Any, variable: Any, rng: np.random.Generator, sizes: Mapping[str, int]) -> Array:
    """A known array; what only the prior holds is at least one, so that the prior has a mode inside; rows count a few
    times or not at all, and not by whole numbers alone.
    """
    if variable.name in {weight.name for weight in model.weights}:
        return rng.integers(0, 7, shape_of(variable, sizes)) / 2
    values = random_member(variable, rng, sizes)
    if variable.name in _lengths(model) and not isinstance(variable.support, Labels):
        return rng.integers(1, 3 + max(LABEL_SIZES), np.shape(values))
    symbols = {str(each) for each in model.log_likelihood.free_symbols}
    return (
        values if variable.shape or variable.name in symbols else 1.5 + rng.gamma(2.0, 0.5, np.shape(values))
    )


def _lengths(model: Any) -> set[str]:
    """The arrays that say how long a plate is."""
    return {str(symbol) for each in model.extents for symbol in each.value.free_symbols}


def _in_order(known: Values, model: Any) -> Values:
    """Known ends of a family's interval, the lower below the upper."""
    laws = (law for each in model.declarations for law in each.distribution.parts())
    for law in laws:
        if len(law.arguments) != len(law.family.parameters):
            continue
        low, high = map(_name, law.family.support(*law.arguments).bounds)
        if low in known and high in known:
            gap = 0.5 + np.abs(known[high] - known[low])
            fits = np.shape(gap) == np.shape(known[high])
            known |= {high: known[low] + gap} if fits else {low: known[high] - gap}
    return known


def _name(end: Any) -> str | None:
    return name_of(end) if isinstance(end, Indexed | Symbol) else None


def near(model: Any, theta: Values, rng: np.random.Generator, distance: float, unit: float = 1.0) -> Values:
    """A point some way off in free coordinates, real parameters being measured in a unit of the data."""
    coordinates = Coordinates(model, theta)
    free = coordinates.free()
    moved = coordinates.point(free + distance * rng.normal(size=len(free)) * (1 + 0.1 * np.abs(free)))
    if unit == 1.0:
        return moved
    real = [
        each.name
        for each in model.parameters
        if not each.support.of_matrices and each.support.bounds[0] == -np.inf
    ]
    return {**moved, **{name: theta[name] + unit * (moved[name] - theta[name]) for name in real}}


def with_missing(model: Any, data: Values, rng: np.random.Generator) -> Values:
    """A quarter of the entries that may be missing made NaN, or a negative label; of vectors one whole and none too."""
    for variable in model.data:
        if variable.missing:
            values = np.array(data[variable.name], dtype=float)
            gone = rng.random(values.shape) < _MISSING_SHARE
            if variable.shape and len(values) > 1:
                gone[0], gone[-1] = True, False
            data = {**data, variable.name: np.where(gone, np.nan, values)}
    return data


def _joint_draw(
    model: Any, rng: np.random.Generator, arrays: Mapping[str, Any], theta: Values
) -> tuple[Values, str]:
    reasons = []
    masks = {each.name: np.ones(shape_of(each, arrays)) for each in model.masks}
    for supports in candidate_supports(model):
        try:
            joint = Oracle(_everything_latent(model, supports), {**arrays, **masks}, _DRAWING)
            belief = joint.at(theta)
        except (TooLargeError, UnknownSymbolError) as reason:
            reasons.append(str(reason))
            continue
        if abs(belief.log_likelihood) < _DRAWING:
            drawn = {name: value for group in belief.groups for name, value in _entries(group, rng)}
            data = {each.name: _assembled(each, arrays, drawn) for each in model.data}
            shown = ", ".join(f"{name}: {support}" for name, support in supports.items())
            return {**arrays, **data}, f"data drawn from the declared joint density ({shown})"
    why = f" ({reasons[-1]})" if reasons else ""
    data = _arbitrary(model, rng, arrays, theta, lambda a, t: Oracle(model, a).log_likelihood(t))
    return data, f"arbitrary data, for the joint density could not be drawn from{why}"


def _arbitrary(
    model: Any,
    rng: np.random.Generator,
    arrays: Mapping[str, Any],
    theta: Values,
    log_likelihood: LogLikelihood,
) -> Values:
    """Data in the first candidate support on which the likelihood is finite: an identity holds on any data."""
    masks = {each.name: np.ones(shape_of(each, arrays)) for each in model.masks}
    for supports in candidate_supports(model):
        data = {
            each.name: random_member(replace(each, support=supports[each.name]), rng, arrays)
            for each in model.data
        }
        try:
            if np.isfinite(log_likelihood({**arrays, **masks, **data}, theta)):
                return {**arrays, **data}
        except (TooLargeError, UnknownSymbolError):
            continue
    raise DataError("No data could be drawn from the model as declared: give data.")


def _everything_latent(model: Any, supports: Mapping[str, Support]) -> Any:
    data = tuple(replace(each, support=supports[each.name]) for each in model.data)
    return SimpleNamespace(
        latents=(*model.latents, *data),
        parameters=model.parameters,
        log_likelihood=once(model.log_likelihood, model.weights),
        log_prior=model.log_prior,
    )


def _entries(group: GroupBelief | RecursiveBelief, rng: np.random.Generator) -> Iterator[tuple[Any, float]]:
    """One draw of all latents of every component of a group."""
    for place, component in enumerate(group.group.components):
        yield from zip(component.atoms, group.drawn(place, rng), strict=True)


def _assembled(variable: Any, arrays: Mapping[str, Any], drawn: Mapping[Any, float]) -> Array:
    values = np.zeros(shape_of(variable, arrays))
    for atom, value in drawn.items():
        if atom.name == variable.name:
            values[atom.index] = value
    return values


__all__ = ["Draw", "draw", "near", "random_parameters", "with_missing"]
