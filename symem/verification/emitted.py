"""V0: every public function of the emitted module equals the formulas, in each of its numerical branches.

Beside the data of the ground it is asked on such as take another way through it: many rows, cut into chunks; one row far
from the others; rows in two clumps; rows that all but coincide; two halves, merged.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from types import SimpleNamespace
from typing import Any

import numpy as np

from symem.derivation import Ascent, reported
from symem.errors import DataError
from symem.evaluation.coordinates import Coordinates, total_defect
from symem.evaluation.situation import situation
from symem.language.leaves import name_of
from symem.verification.differences_found import apart, loosened, rounding, summed_apart
from symem.verification.formulas import Expectation
from symem.verification.ground import IDENTITY, Array, Finding, Ground, Theta

#: Steps of a fit that are followed, and of one that may stop where it thinks that it should.
_FOLLOWED, _LET_RUN = 3, 10
#: What the objective may still change by, for each number of the data, where a fit says that it has converged.
_AT_REST = 1e-6
#: Rows of which the runtime makes more than one chunk, however small its chunks are.
_SEVERAL_CHUNKS = 70
#: A row is far that many spreads from the others; rows coincide to that share of their spread.
_FAR, _NEAR = 1e4, 1e-3
#: How much more than by rounding alone numbers may differ on data as these.
_HARD = 1e4


class ModuleFailsError(Exception):
    """A function of the module raised; the message says which, and what."""


class ModuleRefusesError(ModuleFailsError):
    """It raised the error that says that data cannot be taken."""


def emitted_equals_formulas(ground: Ground) -> Iterator[Finding]:
    """V0: each function at each θ⁽ᵗ⁾; at the first of them every branch, a merge of two halves, and a fit."""
    if ground.solver is None:
        yield Finding(None, "no emitted module was given")
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield from _everywhere(ground)
        except ModuleFailsError as reason:
            yield Finding(np.inf, str(reason))


def _everywhere(ground: Ground) -> Iterator[Finding]:
    for theta in ground.points:
        yield from loosened(Asked(ground, theta, ground.solver).differences(), rounding(ground, theta))
    for words, asked, slack in _branches(ground, ground.points[0]):
        try:
            for found in loosened(asked.differences(), slack * rounding(ground, ground.points[0])):
                yield replace(found, detail=f"{found.detail} {words}")
        except ModuleRefusesError:
            continue
    yield from loosened(_followed(ground, ground.points[0]), rounding(ground, ground.points[0]))


def _call(function: Callable[..., Any], *arguments: Any, **data: Any) -> Any:
    try:
        return function(*arguments, **data)
    except Exception as reason:  # noqa: BLE001  whatever a module raises is what is wrong with it
        kind = ModuleRefusesError if type(reason).__name__ == "DataError" else ModuleFailsError
        name = getattr(function, "__name__", "a function")
        raise kind(f"{name} raises {type(reason).__name__}: {reason}") from None


@dataclass(frozen=True)
class Asked:
    """The functions of a module at θ, on the data of a ground."""

    ground: Ground
    theta: Theta
    functions: Any

    @cached_property
    def here(self) -> Expectation:
        """The formulas there."""
        return self.ground.formulas.at(self.theta)

    def differences(self) -> Iterator[Finding]:
        """How far each function is from the formulas, by what rounding costs these."""
        for found in self._differences(self.here):
            yield Finding(None if found.number is None else found.number / self.here.loss, found.detail)

    def _differences(self, here: Expectation) -> Iterator[Finding]:
        right = here.determined()
        yield apart(self.value("log_likelihood"), here.log_likelihood, "log_likelihood", 1.0)
        if hasattr(self.functions, "log_posterior"):
            whole = here.log_likelihood + self.ground.log_prior(self.theta)
            yield apart(self.value("log_posterior"), whole, "log_posterior", 1.0)
        yield from _parameters_apart(self.value("em_step"), right, "em_step")
        if hasattr(self.functions, "posterior"):
            yield from self._posteriors_apart(here)
        if hasattr(self.functions, "statistics"):
            yield from self._statistics_apart(here, right)

    def value(self, name: str) -> Any:
        return _call(getattr(self.functions, name), dict(self.theta), **self.ground.asked)

    def _posteriors_apart(self, here: Expectation) -> Iterator[Finding]:
        """Each array of each latent against the record that it shows."""
        shown = self.value("posterior")
        arrays = itertools.chain.from_iterable(
            each.values() if isinstance(each, Mapping) else (each,) for each in shown
        )
        records = [(each, record) for each in here.derivation.posteriors for record in reported(each)]
        for array, (posterior, record) in zip(arrays, records, strict=True):
            right = here.where_it_is(posterior, record)
            same = np.size(array) == right.size
            yield apart(
                np.reshape(array, right.shape) if same else array, right, f"posterior of {record.symbol}"
            )

    def _statistics_apart(self, here: Expectation, right: Mapping[str, Any]) -> Iterator[Finding]:
        """Those that have the shape of the record's, what `m_step` makes of them, and of two parts merged."""
        found = self.value("statistics")
        for name, value in found._asdict().items():
            known = here.with_statistics.get(name)
            if known is not None and np.shape(known) == np.shape(value):
                yield summed_apart(value, known, f"{name} in statistics", partial(here.lost, name))
        yield apart(found.log_likelihood, here.log_likelihood, "log_likelihood in statistics", 1.0)
        right = {**right, **self._climbed(here)}
        yield from _parameters_apart(self.maximised(found), right, "m_step")
        parts = [
            _call(self.functions.statistics, dict(self.theta), **data)
            for data in _halves(self.functions, self.ground)
        ]
        if parts:
            merged = _call(self.functions.merge, *parts)
            yield from _parameters_apart(self.maximised(merged), right, "m_step of merged halves")
            yield apart(merged.log_likelihood, here.log_likelihood, "log_likelihood of merged halves", 1.0)

    def _climbed(self, here: Expectation) -> dict[str, Any]:
        """What `m_step` leaves where it is, for `em_step` to climb over the rows."""
        updates = here.derivation.updates
        names = {name_of(each.parameter) for each in updates if isinstance(each, Ascent)}
        return {name: self.theta[name] for name in names}

    def maximised(self, statistics: Any) -> Any:
        """`m_step`, with what it needs beside statistics."""
        model = self.functions.MODEL
        before = (model.steps.Parameters(**self.theta),) if model.conditional else ()
        known = {name: self.ground.arrays[name] for name in model.known}
        return _call(self.functions.m_step, statistics, *before, **known)


def _parameters_apart(after: Any, right: Mapping[str, Any], what: str) -> Iterator[Finding]:
    for name, value in right.items():
        yield apart(getattr(after, name), value, f"{name} of {what}")


# other data -------------------------------------------------------------------------------------------


def _row_axes(module: Any) -> dict[str, int]:
    """The data that have rows, with the axis of these."""
    rows = module.MODEL.plates.rows
    table = module.MODEL.data
    return {} if rows is None else {n: table[n].shape.index(rows) for n in table if rows in table[n].shape}


def _taken(module: Any, data: Mapping[str, Any], places: Any) -> dict[str, Any]:
    """These rows of the data."""
    axes, rows = _row_axes(module), module.MODEL.plates.rows
    found = {
        name: np.take(np.asarray(value), places, axes[name]) if name in axes else value
        for name, value in data.items()
    }
    return {name: len(places) if name == rows else value for name, value in found.items()}


def _halves(module: Any, ground: Ground) -> Iterator[dict[str, Any]]:
    """Two parts of the data, where all have rows; with the sizes that only the whole data show."""
    axes = _row_axes(module) if hasattr(module, "merge") else {}
    if not axes or not {each.name for each in ground.model.data} <= set(axes):
        return
    model = module.MODEL
    count = ground.arrays[model.plates.rows]
    shown = {name: ground.formulas.sized[name] for name in model.plates.shown_sizes}
    if count > 1:
        for places in (range(count // 2), range(count // 2, count)):
            yield {**_taken(module, ground.asked, np.array(places)), **shown}


def _branches(ground: Ground, theta: Theta) -> Iterator[tuple[str, Asked, float]]:
    """Data that are computed in another way: in words, the functions asked on them, how much more is rounding."""
    module = ground.solver
    if not hasattr(module, "MODEL") or not _row_axes(module):
        return
    count = ground.arrays[module.MODEL.plates.rows]
    again = np.arange(max(_SEVERAL_CHUNKS, count)) % count
    several = _with_data(ground, theta, _taken(module, ground.data, again))
    if several is not None:
        yield "over several chunks", Asked(several, theta, _in_small_chunks(module)), 1.0
    rng = np.random.default_rng(ground.seed)
    for words, change, steps in _HARD_DATA:
        changed = change(ground, rng)
        hard = None if changed is None else _with_data(ground, theta, changed)
        if hard is not None:
            here = theta
            for _ in range(steps):
                here = hard.step(here)
            yield words, Asked(hard, here, module), _HARD


def _with_data(ground: Ground, theta: Theta, data: Mapping[str, Any]) -> Ground | None:
    """The same ground with other data; None where these do not fit."""
    rows = ground.solver.MODEL.plates.rows
    sizes = {each.name: ground.arrays[each.name] for each in ground.model.sizes if each.name != rows}
    try:
        arrays = situation(ground.model, data, {**sizes, **theta})
    except DataError:
        return None
    return replace(ground, data=data, arrays=arrays, others=())


def _in_small_chunks(module: Any) -> Any:
    """The functions of a module that believes that its rows take a lot of memory."""
    plates = module.MODEL.plates
    huge = plates._replace(tables=(*plates.tables, (2**40,)))
    solver = module.Solver(module.MODEL._replace(plates=huge))
    own = {name: getattr(module, name) for name in ("merge", "m_step", "MODEL")}
    names = ("log_likelihood", "posterior", "statistics", "em_step", "fit")
    return SimpleNamespace(**own, **{name: getattr(solver, name) for name in names})


def _numbers_of_rows(ground: Ground) -> Iterator[tuple[str, Array, tuple[Any, ...], tuple[Any, ...], float]]:
    """The data with rows that are real or positive: name, values, the places of the first and the last row, spread."""
    axes = _row_axes(ground.solver)
    for each in ground.model.data:
        low, high = each.support.bounds
        if each.name in axes and not each.support.discrete and high == np.inf and (low in (0, -np.inf)):
            values = np.array(ground.data[each.name], dtype=float)
            seen = values[np.isfinite(values)]
            if len(seen) > 1:
                before = (slice(None),) * axes[each.name]
                yield each.name, values, (*before, 0), (*before, slice(-1, None)), float(seen.std())


def _far_row(ground: Ground, _rng: np.random.Generator) -> dict[str, Any] | None:
    """The data with the first row far from the others."""
    moved = {}
    for name, values, first, _last, spread in _numbers_of_rows(ground):
        values[first] = np.abs(values[first]) + _FAR * spread
        moved[name] = values
    return {**ground.data, **moved} if moved else None


def _two_clumps(ground: Ground, _rng: np.random.Generator) -> dict[str, Any] | None:
    """The data with every third row moved far away together."""
    moved = {}
    for name, values, first, _last, spread in _numbers_of_rows(ground):
        values[(*first[:-1], slice(None, None, 3))] += _FAR * spread
        moved[name] = values
    return {**ground.data, **moved} if moved else None


def _coinciding(ground: Ground, rng: np.random.Generator) -> dict[str, Any] | None:
    """The data with all rows next to the last."""
    moved = {}
    for name, values, _first, last, spread in _numbers_of_rows(ground):
        moved[name] = values[last] + _NEAR * spread * rng.normal(size=values.shape)
    return {**ground.data, **moved} if moved else None


#: In words, what is done to the data, and how many steps θ takes towards them.
_HARD_DATA = (
    ("with one row far away", _far_row, 0),
    ("with rows in two clumps", _two_clumps, 2),
    ("where rows all but coincide", _coinciding, 0),
)


# fits -------------------------------------------------------------------------------------------------


def _followed(ground: Ground, theta: Theta) -> Iterator[Finding]:
    """A short fit takes the steps of the formulas, tells the objective at each, climbs, and stops at rest."""
    fit = getattr(ground.solver, "fit", None)
    if fit is None:
        return
    iterates = [theta]
    for _ in range(_FOLLOWED):
        iterates.append(ground.step(iterates[-1]))
    claimed = all(ground.formulas.at(each).claims_maximum for each in iterates[:-1])
    if not claimed or not all(_is_inside(ground, each) for each in iterates):
        return
    found = _call(fit, start=dict(theta), tol=0.0, max_iter=_FOLLOWED, **ground.asked)
    yield from _parameters_apart(found.parameters, iterates[found.n_iter], "fit")
    told = [ground.formulas.at(each).log_likelihood + ground.log_prior(each) for each in iterates]
    yield apart(found.history, told[: found.n_iter + 1], "history of fit", 1.0)
    yield apart(
        found.log_likelihood,
        told[found.n_iter] - ground.log_prior(iterates[found.n_iter]),
        "log_likelihood of fit",
        1.0,
    )
    yield from _climbing(found.history)
    free = _call(fit, start=dict(theta), max_iter=_LET_RUN, **ground.asked)
    yield from _climbing(free.history)
    if free.converged and len(free.history) > 1:
        numbers = 1 + sum(np.size(ground.data[each.name]) for each in ground.model.data)
        change = abs(free.history[-1] - free.history[-2]) / numbers
        yield Finding(change / _AT_REST * IDENTITY, "fit says that it has converged while it moves")


def _is_inside(ground: Ground, theta: Theta) -> bool:
    return total_defect(ground.model, theta) <= IDENTITY and Coordinates(ground.model, theta).are_inside


def _climbing(history: Iterable[float]) -> Iterator[Finding]:
    for before, after in itertools.pairwise(history):
        yield Finding(max(0.0, (before - after) / (1 + abs(before))), "history of fit falls")
