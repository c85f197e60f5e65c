"""Data drawn by the declared laws, at parameters: sizes and known arrays are given, labels count as the model's do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from symem.runtime.checks import _as_array, _checked_sizes, _finish, _sizes_of
from symem.runtime.chunks import _as_parameters
from symem.runtime.description import Model
from symem.runtime.loop import DataError
from symem.runtime.sequences import _in_sequences
from symem.runtime.wording import _Option, _Words


def _drawn_data(
    model: Model, theta: Any, seed: Any, given: Mapping[str, Any], *, latents: bool
) -> dict[str, Any]:
    """Arrays by name: the data, and on request the latents behind them."""
    draws = model.draws
    if isinstance(draws, str):
        raise DataError(draws)
    parameters = _as_parameters(model, theta)
    table = {name: spec for name, spec in model.data.items() if name not in draws.data}
    scope = _given_to_draws(model, parameters, table, given)
    drawn = draws.draw(np.random.default_rng(seed), parameters, scope)
    hidden = [name for name in drawn if name not in draws.data] if latents else []
    found = {name: drawn[name] for name in (*draws.data, *hidden)}
    return _in_sequences(model.plates.ragged, model.data, found, scope)


def _given_to_draws(
    model: Model, theta: Any, table: Mapping[str, Any], given: Mapping[str, Any]
) -> dict[str, Any]:
    """Sizes and known arrays, checked; of these the laws read those that `draws` names."""
    draws = model.draws
    assert not isinstance(draws, str)
    asked = (*draws.sizes, *model.plates.shown_sizes)
    for name in given:
        if name not in table and name not in asked:
            takes = ", ".join([*asked, *table]) or "none"
            raise DataError(f"{name!r} is neither a size nor a known array of this model: it takes {takes}.")
    for name in draws.known:
        if name not in given:
            raise DataError(_Words(f"{name} is missing: give ", _Option(name, of="known"), "."))
    known = {name: table[name]._replace(missing=False) for name in table if name in given}
    arrays = {name: _as_array(name, given[name], spec) for name, spec in known.items()}
    sizes = _checked_sizes({name: given[name] for name in given if name not in table})
    laws = {name: spec for name, spec in model.parameters.items() if name not in model.factors}
    shown = {name: np.asarray(getattr(theta, name)) for name in laws}
    _sizes_of({**shown, **arrays}, {**laws, **known}, sizes)
    for name in draws.sizes:
        if name not in sizes:
            raise DataError(_Words(f"Nothing shows {name}: give ", _Option(name, of="size"), "."))
    _finish(arrays, known, sizes)
    return {**sizes, **arrays}
