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

from symem.runtime.loop import DataError
from symem.runtime.tangents import _entry_names, _flat, _moved_on_scale, _scale_slope, _unflat

#: A share of the complete information below which a direction counts as flat.
_LEVEL = 1e-7

#: A share of a standard error that is no distance.
_CLOSE = 1e-3


class Information(NamedTuple):
    """Information at an estimate, over its p entries in the order of the parameters, arrays read row by row.

    `complete`, `missing` and `observed` = complete - missing are (p, p); `score` (p) are the slopes of what is raised, ℓ and
    the log-prior; `basis` (p, q) spans the q directions in which the parameters may move, shares keeping their sums and
    matrices their symmetry; `ends` (p, 2) are those of the supports.

    Entries that are `held` (p) lie at an end of their support and do not move: they are NaN in what follows, and the others are
    conditional on them. Of q directions the data tell of r, `told` (p, r); what they do not tell of moves the entries that are
    `unidentified` (p), which are NaN too. `notes` say both in words, by what they are called. `message` says why there are no
    standard errors at all, and is empty where there are some; then all that follows is NaN.
    """

    complete: Any
    missing: Any
    observed: Any
    score: Any
    parameters: Any
    basis: Any
    ends: Any
    told: Any
    held: Any
    unidentified: Any
    notes: tuple[tuple[str, str], ...] = ()
    message: str = ""

    @property
    def covariance(self) -> Any:
        """The covariance of all entries, (p, p): the inverse of what is observed in the directions of `told`."""
        return self.known(self._inverse(self.observed))

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
            left = np.where(left > 0, left, np.nan)
        return _unflat(self.parameters, 1 - left)

    @property
    def fractions_missing(self) -> Any:
        """The eigenvalues of complete⁻¹ missing in the directions of `told`, (r), the largest first: each step of EM leaves so
        much of the distance.
        """
        if self.message:
            return np.full(self.told.shape[1], np.nan)
        return _shares(_within(self.told, self.missing), _within(self.told, self.complete))[0][::-1]

    @property
    def rate(self) -> float:
        """The largest of them: of the distance to the estimate an EM step leaves that share in the end."""
        return float(self.fractions_missing[0]) if self.told.shape[1] else 0.0

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
        bread, rows = self._inverse(self.observed), np.where(self.held, 0.0, scores)
        return self.known(bread @ (rows.T * (1.0 if counts is None else counts)) @ rows @ bread)

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
        return _within(self.basis, matrix)

    def _inverse(self, matrix: Any) -> Any:
        """The inverse in the directions of `told`, over all entries."""
        if self.message:
            return np.full(matrix.shape, np.nan)
        return self.told @ np.linalg.solve(_within(self.told, matrix), self.told.T)

    def known(self, covariance: Any) -> Any:
        """A covariance of all entries, NaN for those that are held or not identified.

        Parameters
        ----------
        covariance : array
            (p, p).

        Returns
        -------
        array
            (p, p).
        """
        lacking = self.held | self.unidentified | bool(self.message)
        return np.where(lacking[:, None] | lacking, np.nan, covariance)

    def lines(self) -> Iterator[tuple[str, float, float, float, float, float]]:
        """Of every entry its name, estimate, standard error, 95 % interval, and the share of the information that is missing.

        Yields
        ------
        tuple
            a word and five numbers.
        """
        ends = np.concatenate([each.reshape(-1, 2) for each in self.intervals()])
        columns = (
            _flat(self.parameters),
            _flat(self.standard_errors),
            ends[:, 0],
            ends[:, 1],
            _flat(self.fractions),
        )
        yield from zip(_entry_names(self.parameters), *(each.tolist() for each in columns), strict=True)

    def __str__(self) -> str:
        """A line for each entry; then the rate."""
        if self.message:
            return f"No standard errors: {self.message}."
        rows = [
            f"{name:<16}{value:>12.6g}{_or_dash(error, 4):>12}{_or_dash(low, 6):>14}{_or_dash(high, 6):>12}{_percent(share):>12}"
            for name, value, error, low, high, share in self.lines()
        ]
        head = f"{'':<16}{'estimate':>12}{'std. error':>12}{'95 % interval':>26}{'missing':>12}"
        told = [*self.notes, *self.told_pace()]
        return "\n".join([head, *rows, *(f"{name[0].upper()}{name[1:]}: {what}." for name, what in told)])

    @property
    def distance(self) -> float:
        """How many standard errors the maximum is away, by a step of Newton's method, in the direction in which it is furthest."""
        moved = np.any(self.told, axis=1)
        slope = self.told[moved].T @ self.score[moved]
        away = (
            slope @ np.linalg.solve(_within(self.told, self.observed), slope)
            if not self.message
            else math.nan
        )
        return math.sqrt(away)

    @property
    def pace(self) -> str:
        """How fast EM is, in words."""
        what = " of what is not held" if np.any(self.held) else ""
        if self.rate < _LEVEL:
            return f"no information{what} is missing: EM is there in one step"
        often = f"{self.iterations():.3g} iterations for a further digit"
        return f"each step of EM leaves {_percent(self.rate)} of the distance{what}: {often}"

    def told_pace(self) -> Iterator[tuple[str, str]]:
        """How fast EM is, how far there is to go if that is not nothing, and of which entry most information is missing.

        Yields
        ------
        tuple
            two words.
        """
        yield "pace", self.pace
        if self.distance > _CLOSE:
            more = math.ceil(self.iterations(_CLOSE / self.distance))
            yield (
                "left",
                f"{self.distance:.2g} standard errors to the maximum: {more} more iterations to {_CLOSE:g} of one",
            )
        shares = _flat(self.fractions)
        if self.rate >= _LEVEL and not np.all(np.isnan(shares)):
            most = int(np.nanargmax(shares))
            name = _entry_names(self.parameters)[most]
            yield "missing", f"{_percent(shares[most])} of the information on {name}, the most of all entries"


def _or_dash(number: float, digits: int) -> str:
    """A number; a dash where there is none."""
    return "–" if math.isnan(number) else f"{number:.{digits}g}"


def _within(ways: Any, matrix: Any) -> Any:
    """A matrix over the entries as one over directions; what these do not move is not read."""
    moved = np.any(ways, axis=1)
    return ways[moved].T @ matrix[np.ix_(moved, moved)] @ ways[moved]


def _percent(share: float) -> str:
    """13.3 %, and of what is near 1 as many digits as tell it from that; a dash of nothing."""
    if math.isnan(share):
        return "–"
    share = max(share, 0.0)
    digits = 1 if share < 0.99 else min(8, 1 - math.floor(math.log10(max(1 - share, 1e-9))) - 2)
    return f"{100 * share:.{digits}f} %"


def _shares(part: Any, whole: Any) -> tuple[Any, Any]:
    """The eigenvalues of whole⁻¹ part, ascending, and its eigenvectors as columns."""
    half = np.linalg.cholesky(whole)
    inner = np.linalg.solve(half, np.linalg.solve(half, part).T)
    values, vectors = np.linalg.eigh((inner + inner.T) / 2)
    return values, np.linalg.solve(half.T, vectors)
