"""`verify`: choose data and θ⁽ᵗ⁾s, climb the ladder, report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sympy import Symbol

from symem.budget import OutOfTimeError, within
from symem.derivation import Claim, Derivation, Status
from symem.errors import DataError
from symem.evaluation.coordinates import Coordinates, total_defect
from symem.evaluation.differences import hessian, units
from symem.evaluation.situation import as_arrays, situation
from symem.evaluation.specialise import Specialiser
from symem.runtime.wording import _Option, _Words
from symem.verification.enumeration import TooLargeError
from symem.verification.ground import Ground
from symem.verification.identities import of_free
from symem.verification.ladder import SECONDS, climb, open_rungs
from symem.verification.nodes_taken import with_nodes
from symem.verification.records import Verification
from symem.verification.sampling import Values, draw, near, random_parameters
from symem.verification.scales import at_scale, unit
from symem.verification.sizes import default_sizes, hidden_sizes, other_sizes

POINTS = 3
MOST_ROWS = 40


def verify(
    em: Any,
    data: Mapping[str, Any] | None = None,
    *,
    theta: Mapping[str, Any] | None = None,
    sizes: Mapping[str, int] | None = None,
    seed: int = 0,
    seconds: float = SECONDS,
) -> Verification:
    """Climb the ladder V0 to V6.

    Args:
        em: an `EM`, or a bare `Derivation`: then V0 is open and the other rungs use the formulas.
        data: arrays by declared name; without them they are drawn from the declared model. Of a plate
            with more than forty positions forty are drawn.
        theta: parameters near which to check; without them they are drawn at random.
        sizes: of plates and labels, where data or theta do not show them.
        seed: of everything random.
        seconds: that a rung may take; one that takes longer is open.

    Raises
    ------
    DataError
        The data given do not fit the model. (Where none are given and none can be drawn, all rungs are open.)
    """
    try:
        with within(seconds), np.errstate(all="ignore"):
            ground, note = prepare(em, data, theta=theta, sizes=sizes, seed=seed)
            if data is None:
                ground = replace(ground, others=tuple(_others(em, sizes or {}, seed)))
    except DataError as reason:
        if data is not None:
            raise
        return Verification(open_rungs(str(reason)))
    except OutOfTimeError as reason:
        return Verification(open_rungs(f"data and parameters to check at are {reason}"))
    except Exception as reason:
        if data is not None:
            raise
        kind = type(reason).__name__
        return Verification(open_rungs(f"no data could be drawn: {kind}: {reason}. Give data."))
    return Verification(climb(ground, seconds=seconds), note)


def _others(em: Any, sizes: Mapping[str, int], seed: int) -> Iterator[Ground]:
    """Grounds with labels of another size, at one θ⁽ᵗ⁾: what is right for two outcomes may be wrong for three."""
    other = other_sizes(em.model)
    try:
        if other and not set(other) & set(sizes):
            ground, _note = prepare(em, sizes={**sizes, **other}, seed=seed + 1, points=1)
            yield ground
    except DataError:
        return


def prepare(
    em: Any,
    data: Mapping[str, Any] | None = None,
    *,
    theta: Mapping[str, Any] | None = None,
    sizes: Mapping[str, int] | None = None,
    seed: int = 0,
    points: int = POINTS,
) -> tuple[Ground, str]:
    """The ground that `verify` climbs from, and a sentence on its data."""
    derivation, solver = _taken_apart(em)
    rng = np.random.default_rng(seed)
    model = derivation.model
    if data is None:
        drawn = draw(model, rng, {**default_sizes(model), **(sizes or {})})
        data, theta, note = drawn.data, theta or drawn.theta, drawn.note
    else:
        data, note = _thinned(model, as_arrays(model, data), rng)
    sizes = hidden_sizes(model, data, theta, sizes or {})
    arrays = situation(model, data, {**sizes, **(theta or {})})
    ground = Ground(derivation, arrays, data, (), solver, seed, note.startswith("arbitrary"))
    ground = with_nodes(replace(ground, points=_points(ground, theta, rng, points)))
    return ground, f"{note}, seed {seed}"


def _taken_apart(em: Any) -> tuple[Derivation, Any]:
    """The records, and the emitted module where every parameter has an update."""
    if isinstance(em, Derivation):
        return em, None
    derivation: Derivation = em.derivation
    return derivation, None if derivation.not_derived else em.solver(verify=False)


def _thinned(model: Any, data: Values, rng: np.random.Generator) -> tuple[Values, str]:
    """At most forty positions of each plate of the data."""
    shaped = (*model.parameters, *model.latents)
    labels = {size for each in model.parameters for size in each.sizes}
    labels |= {size for each in shaped for size in each.shape}
    lengths = {
        size: np.shape(data[each.name])[place]
        for each in (*model.data, *model.known)
        if each.name in data and np.ndim(data[each.name]) == len(each.sizes) + len(each.shape)
        for place, size in enumerate((*each.sizes, *each.shape))
    }
    kept = {
        size: np.sort(rng.choice(length, MOST_ROWS, replace=False))
        for size, length in lengths.items()
        if length > MOST_ROWS and size not in labels and isinstance(size, Symbol)
    }
    for each in (*model.data, *model.known):
        for place, size in enumerate((*each.sizes, *each.shape)):
            if size in kept:
                data[each.name] = np.take(np.asarray(data[each.name]), kept[size], axis=place)
    cut = "".join(f"; {MOST_ROWS} positions of {size} drawn from {lengths[size]}" for size in kept)
    return data, f"the data given{cut}"


def _points(
    ground: Ground, theta: Mapping[str, Any] | None, rng: np.random.Generator, count: int
) -> Sequence[Values]:
    """Parameters at which ℓ is finite: near those given, or random ones after two steps of EM."""
    points: list[Values] = []
    for _attempt in range(20 * count):
        if len(points) == count:
            break
        start = {name: np.asarray(value, dtype=float) for name, value in theta.items()} if theta else None
        candidate = near(ground.model, start, rng, 0.15, unit(ground)) if start else _settled(ground, rng)
        if _usable(ground, candidate):
            points.append(candidate)
    if not points:
        raise DataError(
            _Words(
                "No parameters were found at which the data have a finite likelihood: give ",
                _Option("theta"),
                ".",
            )
        )
    return points


def _settled(ground: Ground, rng: np.random.Generator) -> Values:
    """A random point brought to the scale of the data by two steps of EM, where these stay in the support."""
    sizes = {each.name: Specialiser(ground.arrays).integer(each.symbol) for each in ground.model.sizes}
    theta = at_scale(ground, random_parameters(ground.model, rng, sizes), rng)
    for _ in range(2):
        after = ground.step(theta)
        if not total_defect(ground.model, after) <= 1e-6:
            return theta
        theta = after
    return near(ground.model, theta, rng, 0.1, unit(ground))


def _usable(ground: Ground, theta: Values) -> bool:
    if not total_defect(ground.model, theta) <= 1e-9:
        return False
    try:
        return bool(np.isfinite(ground.oracle.log_posterior(theta)))
    except TooLargeError:
        return True


def numeric_second_order(ground: Ground) -> Claim:
    """Whether Q bends down on the tangent space of the constraints at the updates of all points."""
    name = "second order"
    try:
        worst = max(_largest_curvature(ground, theta) for theta in ground.points)
    except TooLargeError as reason:
        return Claim(name, Status.OPEN, str(reason))
    count = len(ground.points)
    if worst < 0:
        return Claim(
            name, Status.CHECKED, f"the Hessian of Q at the update is negative definite at {count} points"
        )
    return Claim(
        name,
        Status.OPEN,
        f"the Hessian of Q at the update has a curvature of {worst:.1e} at one of {count} points",
    )


def _largest_curvature(ground: Ground, theta: Mapping[str, Any]) -> float:
    belief = ground.oracle.at(theta)
    coordinates = Coordinates(ground.model, ground.step(theta), ground.fixed)
    objective, at = of_free(ground.objective(belief), coordinates), coordinates.free()
    if not len(at):
        return -np.inf
    return float(np.linalg.eigvalsh(hessian(objective, at, units(objective, at))).max())
