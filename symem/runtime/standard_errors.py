"""What the data say of an estimate: information, complete, missing and observed; standard errors, and how fast EM is.

The score is the slope of Q at the parameters of the E-step (Fisher's identity). Minus its derivatives with the statistics held
are the information of the complete data; what it gains by the parameters of the E-step alone is what is missing (Oakes 1999,
which is Louis 1982); observed = complete - missing (Orchard & Woodbury 1972).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np

from symem.runtime.chunks import _cut
from symem.runtime.collapse import _collapsed, _weighing
from symem.runtime.description import Cut, Data, Model
from symem.runtime.em_steps import _coefficients, _e_step, _slopes
from symem.runtime.loop import DataError
from symem.runtime.tangents import (
    _at_an_end,
    _basis,
    _bounds,
    _derivative,
    _entry_names,
    _first_steps,
    _flat,
    _moved_on_scale,
    _moves,
    _scale_slope,
    _steps,
    _unflat,
    _way_to_end,
)

#: A share of the complete information below which a direction counts as flat; a slope, in standard errors, of no maximum.
_FLAT, _STEEP = 1e-7, 0.05

#: Of more entries than these no information is computed.
_MOST = 5000


class Information(NamedTuple):
    """Information at an estimate, over its p entries in the order of the parameters, arrays read row by row.

    `complete`, `missing` and `observed` = complete - missing are (p, p); `score` (p) are the slopes of what is raised, ℓ and
    the log-prior; `basis` (p, q) spans the q directions in which the parameters may move, shares keeping their sums and
    matrices their symmetry; `ends` (p, 2) are those of the supports. `message` says why there are no standard errors, and is
    empty where there are; then all that follows is NaN.
    """

    complete: Any
    missing: Any
    observed: Any
    score: Any
    parameters: Any
    basis: Any
    ends: Any
    message: str = ""

    @property
    def covariance(self) -> Any:
        """The covariance of all entries, (p, p): the inverse of what is observed in the directions of `basis`."""
        return self._inverse(self.observed)

    @property
    def standard_errors(self) -> Any:
        """Parameters with the standard error of every entry."""
        return _unflat(self.parameters, np.sqrt(np.maximum(np.diag(self.covariance), 0.0)))

    @property
    def fractions(self) -> Any:
        """Parameters with the share of the information on every entry that is missing: 1 less its variance from complete
        data over that from those that there are.
        """
        with np.errstate(all="ignore"):
            left = np.diag(self._inverse(self.complete)) / np.diag(self.covariance)
        return _unflat(self.parameters, 1 - left)

    @property
    def fractions_missing(self) -> Any:
        """The eigenvalues of complete⁻¹ missing, (q), the largest first: each step of EM leaves so much of the distance."""
        if self.message:
            return np.full(self.basis.shape[1], np.nan)
        return _shares(self.in_basis(self.missing), self.in_basis(self.complete))[0][::-1]

    @property
    def rate(self) -> float:
        """The largest of them: of the distance to the estimate an EM step leaves that share in the end."""
        return float(self.fractions_missing[0]) if self.basis.shape[1] else 0.0

    def iterations(self, share: float = 0.1) -> float:
        """How many EM steps bring the distance to the estimate to a share of it, in the end.

        Parameters
        ----------
        share : float
            by default a tenth: a further digit.

        Returns
        -------
        float
            NaN where there is no maximum.
        """
        return (
            math.log(share) / math.log(self.rate) if 0 < self.rate < 1 else math.nan if self.message else 1.0
        )

    def intervals(self, level: float = 0.95) -> Any:
        """Parameters with the lower and upper ends of every entry: by the logarithm of what is positive, the log-odds of
        what lies between two ends.

        Parameters
        ----------
        level : float
            the share of samples in which an interval holds its parameter, between 0 and 1.

        Returns
        -------
        named tuple
            of each parameter an array of its shape with two more entries, (…, 2).

        Raises
        ------
        DataError
            the level does not lie between 0 and 1.
        """
        if not 0 < level < 1:
            raise DataError(f"level={level!r} must lie between 0 and 1, as 0.95 does.")
        at, errors = _flat(self.parameters), _flat(self.standard_errors)
        with np.errstate(all="ignore"):
            by = NormalDist().inv_cdf(0.5 + level / 2) * errors * _scale_slope(at, self.ends)
            moved = [np.where(errors == 0, at, _moved_on_scale(at, side, self.ends)) for side in (-by, by)]
        lower, upper = (_unflat(self.parameters, each) for each in moved)
        return type(self.parameters)(*(np.stack(pair, axis=-1) for pair in zip(lower, upper, strict=True)))

    def robust_covariance(self, scores: Any, counts: Any = None) -> Any:
        """The sandwich: right where the model is not.

        Parameters
        ----------
        scores : array
            of the rows, (n, p).
        counts : array, optional
            how often each row counts, (n).

        Returns
        -------
        array
            (p, p).

        References
        ----------
        Huber 1967; White 1982.
        """
        bread = self.covariance
        return bread @ (scores.T * (1.0 if counts is None else counts)) @ scores @ bread

    def in_basis(self, matrix: Any) -> Any:
        """A matrix over the entries as one over the directions of `basis`.

        Parameters
        ----------
        matrix : array
            (p, p).

        Returns
        -------
        array
            (q, q).
        """
        return self.basis.T @ matrix @ self.basis

    def _inverse(self, matrix: Any) -> Any:
        if self.message:
            return np.full(matrix.shape, np.nan)
        return self.basis @ np.linalg.solve(self.in_basis(matrix), self.basis.T)

    def lines(self) -> Iterator[tuple[str, float, float, float, float]]:
        """Of every entry its name, estimate, standard error, and 95 % interval.

        Yields
        ------
        tuple
            a word and four numbers.
        """
        ends = np.concatenate([each.reshape(-1, 2) for each in self.intervals()])
        columns = _flat(self.parameters), _flat(self.standard_errors), ends[:, 0], ends[:, 1]
        yield from zip(_entry_names(self.parameters), *(each.tolist() for each in columns), strict=True)

    def __str__(self) -> str:
        """A line for each entry; then the rate."""
        if self.message:
            return f"No standard errors: {self.message}."
        rows = [
            f"{name:<16}{value:>12.6g}{error:>12.4g}{low:>14.6g}{high:>12.6g}"
            for name, value, error, low, high in self.lines()
        ]
        head = f"{'':<16}{'estimate':>12}{'std. error':>12}{'95 % interval':>26}"
        told = [f"Missing: {what}." for _, what in self.told_missing()]
        return "\n".join([head, *rows, f"{self.pace[0].upper()}{self.pace[1:]}.", *told])

    @property
    def pace(self) -> str:
        """How fast EM is, in words."""
        if self.rate < _FLAT:
            return "no information is missing: EM is there in one step"
        often = f"{self.iterations():.3g} iterations for a further digit"
        return f"each step of EM leaves {_percent(self.rate)} of the distance: {often}"

    def told_missing(self) -> Iterator[tuple[str, str]]:
        """Of which entry most of the information is missing.

        Yields
        ------
        tuple
            two words.
        """
        shares = _flat(self.fractions)
        if self.rate >= _FLAT:
            most = int(np.argmax(shares))
            name = _entry_names(self.parameters)[most]
            yield "missing", f"{_percent(shares[most])} of the information on {name}, the most of all entries"


def _percent(share: float) -> str:
    """13.3 %, and of what is near 1 as many digits as tell it from that."""
    digits = 1 if share < 0.99 else min(8, 1 - math.floor(math.log10(max(1 - share, 1e-9))) - 2)
    return f"{100 * share:.{digits}f} %"


def _shares(part: Any, whole: Any) -> tuple[Any, Any]:
    """The eigenvalues of whole⁻¹ part, ascending, and its eigenvectors as columns."""
    half = np.linalg.cholesky(whole)
    inner = np.linalg.solve(half, np.linalg.solve(half, part).T)
    values, vectors = np.linalg.eigh((inner + inner.T) / 2)
    return values, np.linalg.solve(half.T, vectors)


def _information(model: Model, theta: Any, data: Cut) -> Information:
    """The information of data, cut, at parameters."""
    if model.slopes is None:
        raise DataError("The slopes of Q of this model have no formula, so there is no information.")
    if len(_flat(theta)) > _MOST:
        raise DataError(
            f"The parameters have {len(_flat(theta))} entries, too many for a table of each beside each."
        )
    at, moves, basis, ends = _flat(theta), _moves(model, theta), _basis(model, theta), _bounds(model, theta)
    room, expected = (
        np.where(np.any(basis, axis=1), _way_to_end(model, theta), np.inf),
        _e_step(model, theta, data),
    )

    def held(flat: Any) -> Any:
        return _flat(_slopes(model, _unflat(theta, flat), theta, expected, data, data))

    def taken(flat: Any) -> Any:
        there = _unflat(theta, flat)
        return _flat(_slopes(model, theta, there, _e_step(model, there, data), data, data))

    steps = _first_steps(at, room)
    complete = missing = np.full((len(at), len(at)), np.nan)
    message = _at_an_end(theta, room, ends[:, 1] - ends[:, 0])
    if not message:
        for _ in range(3):
            complete = -_derivative(held, at, moves, steps)
            steps = _steps(np.diag(complete), steps, room)
        missing = _derivative(taken, at, moves, steps)
        complete, missing = (complete + complete.T) / 2, (missing + missing.T) / 2
    found = Information(complete, missing, complete - missing, held(at), theta, basis, ends)
    return found._replace(message=message or _no_maximum(found))


def _no_maximum(found: Information) -> str:
    """Why an estimate is no strict maximum, by the entries that move along the way; empty if it is."""
    complete, observed = found.in_basis(found.complete), found.in_basis(found.observed)
    if not (np.all(np.isfinite(observed)) and np.all(np.isfinite(complete))):
        return "what is raised has no second derivatives there in floating-point numbers"
    size = np.sqrt(np.abs(np.diag(complete)))
    scale = np.where(size > 0, size, 1.0)
    shares, ways = np.linalg.eigh(complete / np.outer(scale, scale))
    if not shares[0] > _FLAT:
        return f"Q is flat along a direction that moves {_moved(found, ways[:, 0] / scale)}, so that not even complete data tell"
    shares, ways = _shares(observed, complete)
    if shares[0] < _FLAT:
        how = "rises" if shares[0] < -_FLAT else "is flat"
        return f"ℓ {how} along a direction that moves {_moved(found, ways[:, 0])}"
    slope = found.basis.T @ found.score
    if slope @ np.linalg.solve(observed, slope) > _STEEP**2:
        return "ℓ still rises there: fit to the maximum first, with a smaller tol"
    return ""


def _moved(found: Information, way: Any) -> str:
    """The entries that move most, each measured by what complete data say of it."""
    size = np.abs(found.basis @ way) * np.sqrt(np.abs(np.diag(found.complete)))
    names = zip(_entry_names(found.parameters), size, strict=True)
    return ", ".join(name for name, part in names if part > size.max() / 4)


def _few_rows(model: Model, data: Data, counts: Any) -> Cut:
    """Data that were checked, rows that are the same once, cut."""
    return _collapsed(model, data if counts is None else _weighing(model, data, counts))


def _times(model: Model, data: Data, counts: Any) -> Any:
    """How often each row counts, (n)."""
    weights = [data.given[name] for name in model.weights]
    return np.prod([np.ones(data[str(model.plates.rows)]) if counts is None else counts, *weights], axis=0)


def _row_scores(model: Model, theta: Any, data: Data) -> tuple[Any, Any]:
    """The score of each row, (n, p), the slopes of Q at the statistics of that row alone; and what belongs to no row, such as
    the slope of the log-prior, (p), which stands in each of these slopes.
    """
    if model.plates.rows is None or model.slopes is None:
        raise DataError(
            "The data of this model are not cut into independent rows, so no row has a score of its own."
        )
    singly = _by_single_rows(model, theta, data)
    found = np.array([_flat(_slopes(model, theta, theta, each, data, one)) for one, each in singly])
    every = _cut(model, data)
    whole = _flat(_slopes(model, theta, theta, _e_step(model, theta, every), data, every))
    beside = (found.sum(axis=0) - whole) / max(len(found) - 1, 1)
    beside = np.where(np.abs(beside) > 1e-8 * np.abs(found).max(axis=0), beside, 0.0)
    return found - beside, beside


def _by_single_rows(model: Model, theta: Any, data: Data) -> Iterator[tuple[Cut, Any]]:
    """The statistics of each row, with the data that it is, a chunk of one."""
    rows = str(model.plates.rows)
    for first in range(data[rows]):
        one = Data(data)
        one.update(data.taken([first]))
        one[rows] = one.scale = 1
        cut = _cut(model, one)
        coefficients = _coefficients(model, theta, cut)
        for chunk in cut.chunks:
            _, latents, value = model.steps.e_step(theta, chunk, coefficients)
            yield cut, model.steps.summarise(chunk, latents, value)
