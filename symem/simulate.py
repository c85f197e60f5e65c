"""Data drawn from a model as it is declared, parents before children, all rows at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sympy.core.relational import Equality, Relational

from symem.errors import DataError, ModelError, UnknownSymbolError
from symem.evaluation.coordinates import outside
from symem.evaluation.situation import extents_shown, label_origin, sizes_shown
from symem.language.leaves import name_of
from symem.language.model import Model
from symem.language.plates import LogIverson
from symem.language.supports import Labels
from symem.language.variables import Variable
from symem.runtime import description, loop
from symem.runtime.checks import _as_labels
from symem.runtime.conversion import _as_floats
from symem.runtime.settings import _given_as
from symem.runtime.wording import _Option, _Words
from symem.verification.ancestral import CannotSampleError, ImpossibleDrawError, ancestral

Array = np.ndarray[Any, np.dtype[Any]]


def simulate(
    model: Model,
    theta: Any,
    given: Mapping[str, Any],
    seed: int | np.random.Generator | None,
    *,
    latents: bool = False,
) -> dict[str, Any]:
    """Arrays by declared name.

    Args:
        model: stated by how the data arise.
        theta: the parameters, a dict or a named tuple.
        given: known arrays, and the sizes that neither these nor the parameters show.
        seed: of the draws, or a generator.
        latents: whether the latents are among what comes back.

    Raises:
        ModelError: the model does not say how its data arise.
        DataError: a size or a known array is lacking, or is not what it must be.
    """
    _refuse_unsaid(model)
    theta = _checked(model, theta)
    sizes, known = _sorted_out(model, theta, given)
    try:
        arrays = ancestral(
            model, {**sizes, **known, **theta}, np.random.default_rng(seed), strict=bool(_relations(model))
        )
    except CannotSampleError as reason:
        raise ModelError(f"No data can be drawn from this model: {reason}.") from None
    except ImpossibleDrawError:
        raise ModelError(
            "What was drawn contradicts what given= says was observed of it: draw from the model without that, and apply "
            "it to what was drawn."
        ) from None
    except ValueError as error:
        raise DataError(f"No data can be drawn from these parameters: {error}.") from None
    shown = (*model.data, *(each for each in model.latents if latents and not each.name.endswith("_missing")))
    return {each.name: _counted(each, arrays[each.name]) for each in shown}


def simulate_beside(
    model: Model, theta: Any, beside: Mapping[str, Any], given: Mapping[str, Any], seed: Any, *, latents: bool
) -> dict[str, Any]:
    """As `simulate`, with the sizes and known arrays that stand in `beside`, unless they are given."""
    wanted = {each.name for each in (*model.sizes, *model.known)}
    kept = {name: value for name, value in beside.items() if name in wanted}
    return simulate(model, theta, {**kept, **given}, seed, latents=latents)


def _checked(model: Model, stated: Any) -> dict[str, Array]:
    """The parameters as arrays in their supports."""
    theta: Mapping[str, Any] = stated._asdict() if hasattr(stated, "_asdict") else stated
    wanted = {each.name: each for each in model.parameters}
    for name in theta:
        if name not in wanted:
            raise DataError(f"{name!r} is not a parameter of this model: it has {', '.join(wanted)}.")
    for name in wanted:
        if name not in theta:
            raise DataError(f"The parameter {name} is missing: the model has {', '.join(wanted)}.")
    arrays = {name: np.asarray(value, dtype=float) for name, value in theta.items()}
    for name, variable in wanted.items():
        axes = (*variable.sizes, *variable.shape)
        if arrays[name].ndim != len(axes):
            raise DataError(
                f"{name} has shape {arrays[name].shape}, but its axes are ({', '.join(map(str, axes))})."
            )
    if wrong := outside(model, arrays, 1e-6):
        raise DataError(f"{wrong[0]} is not in its support: {wrong[1]}.")
    return arrays


def _relations(model: Model) -> list[Relational]:
    """What the model says holds of its variables."""
    brackets = model.log_likelihood.atoms(LogIverson)
    return sorted((each for bracket in brackets for each in bracket.atoms(Relational)), key=str)


def _refuse_unsaid(model: Model) -> None:
    if not model.declarations:
        raise ModelError(
            "The model is stated by its likelihood, which does not say how data arise: state it by distributions, "
            "Model({x[i]: Normal(mu, sigma), …})."
        )
    said = {name_of(entry) for each in model.declarations for entry in each.entries}
    said |= {name_of(side) for each in _relations(model) if isinstance(each, Equality) for side in each.args}
    for datum in model.data:
        if datum.name not in said:
            raise ModelError(
                f"Nothing says how {datum.name} arises: the model only bounds by it what is latent. Draw from the model "
                f"without it, and make {datum.name} from what was drawn."
            )


def _sorted_out(
    model: Model, theta: Mapping[str, Any], given: Mapping[str, Any]
) -> tuple[dict[str, int], dict[str, Any]]:
    """The sizes and the known arrays, labels counted from 0."""
    weights = {weight.name for weight in model.weights}
    known = {each.name: each for each in model.known}
    sizes = {each.name for each in model.sizes}
    for name in given:
        if name not in known and name not in sizes:
            names = ", ".join([*sorted(sizes), *known])
            raise DataError(f"{name!r} is neither a size nor a known array of this model: it takes {names}.")
    arrays = {name: _numbers(name, given[name]) for name in known if name in given}
    for name in known:
        if name not in arrays and name not in weights:
            raise DataError(_Words(f"{name} is missing: give ", _Option(name, of="known"), "."))
    for name in sizes & set(given):
        if not isinstance(given[name], int | np.integer) or isinstance(given[name], bool) or given[name] < 1:
            wrong = _given_as(name, given[name], "size")
            raise DataError(_Words(wrong, ", but it must be a whole number of at least 1."))
    found = sizes_shown(model, {**theta, **given, **arrays})
    lacking = [name for name in sorted(sizes) if name not in found and _is_read(model, name)]
    if lacking:
        raise DataError(_Words(f"Nothing shows {lacking[0]}: give ", _Option(lacking[0], of="size"), "."))
    arrays = {name: _from_0(known[name], array, found) for name, array in arrays.items()}
    try:
        return {**found, **extents_shown(model, {**found, **arrays})}, arrays
    except UnknownSymbolError:
        return found, arrays


def _numbers(name: str, value: Any) -> Array:
    """What was given as an array of numbers."""
    try:
        return _as_floats(name, value, missing=False)
    except loop.DataError as error:
        raise DataError(str(error)) from None


def _from_0(variable: Variable, array: Array, sizes: Mapping[str, int]) -> Array:
    """Labels counted from 0, each checked to be one; other numbers as they are."""
    if not isinstance(variable.support, Labels):
        return array
    size = variable.support.size
    size = size.subs({each: sizes[each.name] for each in size.free_symbols if each.name in sizes})
    origin = label_origin(variable)
    label = description.Array(kind="label", labels=int(size) if size.is_Integer else None, origin=origin)
    try:
        return _as_labels(variable.name, array, label, {})
    except loop.DataError as error:
        raise DataError(str(error)) from None


def _is_read(model: Model, size: str) -> bool:
    """Whether an array of the model has that size."""
    arrays = (*model.data, *model.known, *model.latents, *model.parameters)
    return any(size in {str(s) for each in (*a.sizes, *a.shape) for s in each.free_symbols} for a in arrays)


def _counted(variable: Variable, array: Array) -> Array:
    """Labels as the model counts them; what is discrete as whole numbers."""
    if not variable.support.discrete:
        return array
    return np.rint(array).astype(np.int64) + label_origin(variable)
