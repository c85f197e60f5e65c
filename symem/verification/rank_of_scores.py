"""How many directions of the parameters data can tell of: the rank of scores at random points.

A direction in which the score of every sample is 0 is one in which ℓ does not change, whatever the data (Rothenberg 1971,
theorem 1). Scores are those of the emitted module, without differences, of samples that are drawn from the model.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from sympy import Expr, Integer, Symbol, lambdify

from symem.budget import OutOfTimeError, within
from symem.derivation.identifiability import Entangled, Rank
from symem.errors import DataError
from symem.language.leaves import name_of
from symem.language.supports import UnitInterval
from symem.runtime.tangents import _basis, _entry_names, _flat, _places
from symem.verification.sizes import default_sizes
from symem.verification.verifying import prepare

Array = np.ndarray[Any, np.dtype[Any]]

#: What a letter stands for: a parameter by name, one place of it or None for all, and how it is written.
_Letter = tuple[str, tuple[int, ...] | None, Expr]

#: A singular value below this share of the largest is 0; entries that a flat direction moves by less, as a share, stand still.
_ZERO, _STILL = 1e-7, 1e-5
#: How many samples more than entries there are, and how many rows at most one gives.
_SPARE, _MOST_ROWS = 10, 400
#: How long vectors of data are.
_LENGTH = 6
#: Of more numbers than these no functions are tried.
_MOST = 4


def rank_of_scores(em: Any, sizes: Mapping[str, int], *, points: int, seed: int, seconds: float) -> Rank:
    """The rank at so many points, and what is entangled where it is not full; what takes longer is left, and it is said."""
    if em.derivation.not_derived:
        return Rank(reason="a parameter has no update, so there is no module whose scores could be taken")
    try:
        with within(seconds), np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = [_Point(em, sizes, seed + place) for place in range(points)]
    except (DataError, OutOfTimeError, np.linalg.LinAlgError) as reason:
        return Rank(reason=str(reason))
    if not all(each.is_finite for each in found):
        return Rank(reason="scores are not finite at random points")
    rank = max(each.rank for each in found)
    lasting = [each for each in found if each.rank == rank]
    return Rank(rank, found[0].free, points, found[0].sizes, tuple(_entangled(em.derivation, lasting)))


class _Point:
    """Scores of samples at one point, (samples, entries), and the directions in which they all are 0."""

    def __init__(self, em: Any, sizes: Mapping[str, int], seed: int) -> None:
        ground, _note = prepare(em, sizes={**_wide(em.model), **sizes}, seed=seed, points=1)
        solver = ground.solver.SOLVER
        model = solver.model
        self.theta = ground.solver.Parameters(
            **{n: np.asarray(ground.points[0][n]) for n in ground.solver.Parameters._fields}
        )
        self.basis = _basis(model, self.theta)
        scores = np.array([*_samples(em, ground, self.theta, seed)])
        self.sizes = {
            each.name: int(ground.arrays[each.name]) for each in em.model.sizes if each.name in ground.arrays
        }
        self.free = self.basis.shape[1]
        within = (
            (scores - scores[0]) @ self.basis if model.parts.log_prior is not None else scores @ self.basis
        )
        self.is_finite = bool(np.all(np.isfinite(within)))
        if self.is_finite:
            self._split(within)

    def _split(self, within: Array) -> None:
        size = np.sqrt(np.mean(within**2, axis=0))
        self.scale = np.where(size > _ZERO * np.max(size, initial=0.0), size, 1.0)
        _, values, ways = np.linalg.svd(within / self.scale, full_matrices=True)
        self.rank = int(np.sum(values > _ZERO * np.max(values, initial=0.0)))
        #: Flat directions, (entries, directions), of length 1 in units in which scores are of the order of 1.
        self.within = ways[self.rank :].T
        self.flat = self.basis @ (self.within / self.scale[:, None])

    def is_flat(self, way: Array) -> bool:
        """Whether a direction of the entries is one of them."""
        inside = np.linalg.lstsq(self.basis, way, rcond=None)[0] * self.scale
        left = inside - self.within @ (self.within.T @ inside)
        return bool(np.linalg.norm(left) <= _STILL * np.linalg.norm(inside))

    def tells(self, slope: Array) -> bool:
        """Whether a function with these slopes stays as it is in all of them."""
        reach = np.linalg.norm(self.basis.T @ slope / self.scale)
        return bool(np.linalg.norm(self.flat.T @ slope) <= _STILL * reach)


def _wide(model: Any) -> dict[str, int]:
    """Vectors of data are so long that their covariances tell of a few factors (Ledermann 1937)."""
    long = {size.name for each in model.data if each.sizes for size in each.shape if isinstance(size, Symbol)}
    return dict.fromkeys(long & default_sizes(model).keys(), _LENGTH)


def _samples(em: Any, ground: Any, theta: Any, seed: int) -> Iterator[Array]:
    """Scores, by row where rows are independent, else of whole samples, until there are more than entries."""
    solver, asked = ground.solver.SOLVER, ground.asked
    wanted, rows = len(_flat(theta)) + _SPARE, solver.model.plates.rows is not None
    draws = solver.model.draws
    given = (
        {} if isinstance(draws, str) else {n: asked[n] for n in (*draws.known, *draws.sizes) if n in asked}
    )
    given |= {} if isinstance(draws, str) else {n: ground.arrays[n] for n in draws.sizes if n not in given}
    count = 0
    for turn in itertools.count():
        if turn:
            asked = _again(em, ground, theta, given, seed + 1000 * turn)
        found = solver.score(theta, **asked) if rows else solver.slopes(theta, **asked)[None]
        yield from found[:_MOST_ROWS]
        count += len(found)
        if count >= wanted:
            return


def _again(em: Any, ground: Any, theta: Any, given: Mapping[str, Any], seed: int) -> Mapping[str, Any]:
    """Other data at the same parameters, as the module takes them."""
    solver = ground.solver.SOLVER
    if isinstance(solver.model.draws, str):
        other, _note = prepare(
            em, sizes={n: ground.arrays[n] for n in _sizes_of(em, ground)}, seed=seed, points=1
        )
        found: Mapping[str, Any] = other.asked
        return found
    return {**ground.asked, **solver.sample(theta, seed=seed, **given)}


def _sizes_of(em: Any, ground: Any) -> list[str]:
    return [each.name for each in em.model.sizes if each.name in ground.arrays]


# what is entangled --------------------------------------------------------------------------------------


def _entangled(derivation: Any, points: Sequence[_Point]) -> Iterator[Entangled]:
    """The entries that flat directions move, those of the same arrays as one, by name."""
    point, together = points[0], dict[tuple[str, ...], list[int]]()
    for group in _groups(points):
        arrays = tuple(n for n, place in _places(point.theta) if set(place.ravel()) & set(group))
        together.setdefault(arrays, []).extend(group)
    names = _entry_names(point.theta)
    for arrays, group in together.items():
        inside = np.any(point.basis[group] != 0, axis=0)
        directions = round(float(np.sum(point.within[inside] ** 2)))
        turned = tuple(name for name in arrays if _turns(name, points))
        turns = sum(_pairs(np.asarray(getattr(point.theta, name))) for name in turned)
        left = int(np.sum(inside)) - directions
        forms = () if turned else tuple(_forms(derivation, arrays, points, left))
        entries = tuple(names[each] for each in sorted(group))
        yield Entangled(entries, arrays, directions, turned, turns, forms)


def _groups(points: Sequence[_Point]) -> list[list[int]]:
    """Entries that share a flat direction at some point."""
    linked = np.zeros((len(_flat(points[0].theta)),) * 2, dtype=bool)
    for each in points:
        spread = (each.basis != 0) @ np.abs(each.within @ each.within.T) @ (each.basis != 0).T
        linked |= spread > _STILL
    left, found = [int(e) for e in np.flatnonzero(np.diag(linked))], []
    while left:
        group = {left[0]}
        while grown := {int(e) for one in group for e in np.flatnonzero(linked[one])} - group:
            group |= grown
        found.append(sorted(group))
        left = [each for each in left if each not in group]
    return found


def _turns(name: str, points: Sequence[_Point]) -> bool:
    """Whether columns of an array may be rotated: W A is flat for every skew A."""
    value = np.asarray(getattr(points[0].theta, name))
    if value.ndim < 2 or value.shape[-1] < 2 or value.shape[-2] < 2:
        return False
    pairs = list(itertools.combinations(range(value.shape[-1]), 2))
    return all(each.is_flat(_turned(name, each.theta, pair)) for each in points for pair in pairs)


def _pairs(value: Array) -> int:
    """How many pairs of columns there are, of all arrays that it holds."""
    columns = value.shape[-1]
    stacks = int(np.prod(value.shape[:-2], dtype=int))
    return stacks * (int(columns) * (int(columns) - 1) // 2)


def _turned(name: str, theta: Any, pair: tuple[int, int]) -> Array:
    """The direction in which two columns turn towards one another."""
    way = np.zeros(len(_flat(theta)))
    place, value = dict(_places(theta))[name], np.asarray(getattr(theta, name))
    one, other = pair
    way[place[..., one]], way[place[..., other]] = value[..., other], -value[..., one]
    return way


def _forms(derivation: Any, arrays: Sequence[str], points: Sequence[_Point], left: int) -> Iterator[Expr]:
    """Functions that stay as they are in all flat directions at all points, the simplest, as many as are `left` to tell."""
    model, slopes = derivation.model, np.zeros((0, len(points[0].basis)))
    variables = [each for each in model.parameters if each.name in arrays]
    if any(each.shape or len(each.sizes) > 1 for each in variables):
        return
    for letters in _letters(variables, derivation, points[0].theta):
        units = [
            a
            for a, (name, _, _) in letters.items()
            if isinstance(model.variables[name].support, UnitInterval)
        ]
        for candidate in _candidates(list(letters), units):
            ways = [_slopes_of(candidate, letters, each) for each in points]
            if not all(
                len(way) and all(map(each.tells, way)) for way, each in zip(ways, points, strict=True)
            ):
                continue
            more = np.vstack([slopes, ways[0]])
            if len(slopes) < left and np.linalg.matrix_rank(more @ points[0].basis, tol=_STILL) > len(slopes):
                slopes = more
                yield candidate.xreplace({a: written for a, (_, _, written) in letters.items()})


def _letters(variables: Sequence[Any], derivation: Any, theta: Any) -> Iterator[Mapping[Any, _Letter]]:
    """Letters for the numbers of a few parameters: each array at all of its places at once, then each entry by itself."""
    updated = {name_of(each.parameter): each.parameter for each in derivation.updates}
    if len(variables) <= _MOST:
        yield {Symbol(v.name): (v.name, None, updated[v.name]) for v in variables}
    shapes = {v.name: np.shape(getattr(theta, v.name)) for v in variables}
    places = [(v, place) for v in variables for place in np.ndindex(shapes[v.name])]
    if any(v.sizes for v in variables) and len(places) <= _MOST:
        yield {
            Symbol(f"{v.name}_{'_'.join(map(str, place))}"): (
                v.name, place, v.symbol[tuple(map(Integer, place))] if place else v.symbol,
            )
            for v, place in places
        }  # fmt: skip


def _candidates(letters: Sequence[Any], units: Sequence[Any]) -> Iterator[Expr]:
    """Sums, products, differences, ratios and mixtures."""
    for one, other in itertools.combinations(letters, 2):
        yield from (one + other, one * other, one - other, one / other, one**2 + other**2)
    for share in units:
        for one, other in itertools.combinations([each for each in letters if each != share], 2):
            yield from (share * one + (1 - share) * other, share * other + (1 - share) * one)
    for one, two, three in itertools.combinations(letters, 3):
        yield from (one + two + three, one * two * three)


def _slopes_of(candidate: Expr, letters: Mapping[Any, _Letter], point: _Point) -> Array:
    """Those of a function of numbers in all entries, at every place of the array that it may hold; none of two that differ."""
    symbols, places = sorted(candidate.free_symbols, key=str), dict(_places(point.theta))
    held = [letters[each][:2] for each in symbols]
    values = [np.asarray(getattr(point.theta, n), dtype=float)[() if at is None else at] for n, at in held]
    entries = [places[n][() if at is None else at] for n, at in held]
    shapes = {np.shape(value) for value in values if np.ndim(value)}
    if len(shapes) > 1:
        return np.zeros((0, len(point.basis)))
    slopes, found = [lambdify(symbols, candidate.diff(each)) for each in symbols], []
    for place in np.ndindex(shapes.pop() if shapes else ()):
        here = [place if np.ndim(value) else () for value in values]
        at = [value[where] for value, where in zip(values, here, strict=True)]
        way = np.zeros(len(point.basis))
        for entry, where, slope in zip(entries, here, slopes, strict=True):
            way[entry[where]] += slope(*at)
        found.append(way)
    return np.array(found)
