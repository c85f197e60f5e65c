"""What the data say of the parameters at an estimate: information, standard errors, what is missing, and how fast EM is.

The score is ∂Q(θ | θ⁽ᵗ⁾)/∂θ at θ = θ⁽ᵗ⁾ (Fisher's identity), so Q of the derivation gives all that is needed: minus its
second derivatives, the statistics being held, are the information of the complete data; minus the differences of the
score are that of the observed data; what lies between is missing (Orchard & Woodbury 1972; Louis 1982). In EM the distance to
the estimate shrinks by the fraction of information that is missing (Dempster, Laird & Rubin 1977, section 3).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.linalg import eigh
from scipy.special import ndtri
from sympy import oo

from symem.errors import DataError
from symem.evaluation.coordinates import Coordinates, entries_of
from symem.evaluation.differences import gradient, hessian, units
from symem.evaluation.situation import situation
from symem.evaluation.stacks import Array
from symem.verification.formulas import Formulas
from symem.verification.oracle import Oracle
from symem.verification.sampling import hidden_sizes

#: A share of the complete information below which a direction counts as flat; a slope, in standard errors, of no maximum.
_FLAT, _STEEP = 1e-6, 0.05


@dataclass(frozen=True)
class Information:
    """Information at an estimate, in free coordinates of the supports: log, logit, log-ratios, Cholesky factors.

    Args:
        parameters: the estimate, by name.
        coordinates: the entry that each coordinate moves, p of them.
        observed: minus the second derivatives of ℓ (in MAP estimation, of ℓ and the log-prior), p × p: differences of the
            exact score.
        complete: minus the second derivatives of Q with its statistics held, p × p.
        score: the slopes of ℓ at the estimate, p.
        jacobian: the derivatives of all entries, flattened in the order of the parameters, in the coordinates.
        scales: of each parameter, whether its intervals are those of its "logarithm", its "log-odds" or its "value".
        message: why there are no standard errors; empty where there are.
    """

    parameters: Mapping[str, Any]
    coordinates: tuple[str, ...]
    observed: Any
    complete: Any
    score: Any
    jacobian: Any
    scales: Mapping[str, str]
    message: str = ""

    @property
    def missing(self) -> Any:
        """The information that the latents take away: complete less observed."""
        return self.complete - self.observed

    @cached_property
    def fractions_missing(self) -> Any:
        """The eigenvalues of complete⁻¹ missing, the largest first: each step of EM leaves so much of the distance.

        NaN where there is no maximum.
        """
        if self.message:
            return np.full(len(self.complete), np.nan)
        return np.asarray(eigh(self.missing, self.complete, eigvals_only=True)[::-1])

    @property
    def rate(self) -> float:
        """The largest fraction: of the distance to the estimate an EM step leaves that share in the end."""
        return float(self.fractions_missing[0])

    @cached_property
    def covariance(self) -> Any:
        """The covariance of all entries, flattened in the order of the parameters (delta method); NaN without a maximum."""
        if self.message:
            return np.full((len(self.jacobian), len(self.jacobian)), np.nan)
        return np.asarray(self.jacobian @ np.linalg.solve(self.observed, self.jacobian.T))

    @cached_property
    def standard_errors(self) -> dict[str, Any]:
        """By name, each in the shape of its parameter."""
        return self._split(np.sqrt(np.maximum(np.diag(self.covariance), 0.0)))

    def intervals(self, level: float = 0.95) -> dict[str, tuple[Any, Any]]:
        """Lower and upper ends by name: of what is positive on the scale of its logarithm, of shares on that of log-odds.

        Raises:
            DataError: the level does not lie between 0 and 1.
        """
        if not 0 < level < 1:
            raise DataError(f"level={level!r} must lie between 0 and 1, as 0.95 does.")
        reach, errors = float(ndtri(0.5 + level / 2)), self.standard_errors
        return {
            name: _SCALES[self.scales[name]](np.asarray(value, dtype=float), reach * errors[name])
            for name, value in self.parameters.items()
        }

    def _split(self, flat: Array) -> dict[str, Any]:
        found, start = {}, 0
        for name, value in self.parameters.items():
            size = np.size(value)
            found[name] = flat[start : start + size].reshape(np.shape(value))[()]
            start += size
        return found

    def __str__(self) -> str:
        """A line for each entry: estimate, standard error, 95 % interval; then the rate."""
        if self.message:
            return f"No standard errors: {self.message}"
        ends, lines = self.intervals(), [f"{'':<16}{'estimate':>12}{'std. error':>12}{'95 % interval':>26}"]
        for name, value in self.parameters.items():
            columns = (value, self.standard_errors[name], *ends[name])
            rows = zip(*(np.ravel(np.asarray(each, dtype=float)) for each in columns), strict=True)
            for entry, (estimate, error, low, high) in zip(entries_of(name, value), rows, strict=True):
                lines.append(f"{entry:<16}{estimate:>12.6g}{error:>12.4g}{low:>14.6g}{high:>12.6g}")
        lines.append(
            f"Of the information {self.rate:.1%} is missing where most is: each step of EM leaves that share."
        )
        return "\n".join(lines)


def _by_value(value: Array, reach: Any) -> tuple[Any, Any]:
    return value - reach, value + reach


def _by_logarithm(value: Array, reach: Any) -> tuple[Any, Any]:
    return value * np.exp(-reach / value), value * np.exp(reach / value)


def _by_log_odds(value: Array, reach: Any) -> tuple[Any, Any]:
    odds, reach = np.log(value) - np.log1p(-value), reach / (value * (1 - value))
    return 1 / (1 + np.exp(reach - odds)), 1 / (1 + np.exp(-reach - odds))


#: The ends of an interval from an estimate and how far it reaches, both on the parameter's own scale.
_SCALES: Mapping[str, Callable[[Array, Any], tuple[Any, Any]]] = {
    "value": _by_value,
    "logarithm": _by_logarithm,
    "log-odds": _by_log_odds,
}


def information(em: Any, theta: Mapping[str, Any], data: Mapping[str, Any]) -> Information:
    """The information of data at an estimate.

    Args:
        em: what was derived.
        theta: the estimate, by declared name.
        data: arrays by declared name, and sizes that neither these nor theta show.

    Raises:
        DataError: an array or a parameter is lacking.
    """
    derivation = em.derivation
    model = derivation.model
    lacking = [each.name for each in model.parameters if each.name not in theta]
    if lacking:
        raise DataError(f"The estimate lacks {', '.join(lacking)}: give all parameters by name.")
    theta = {each.name: np.asarray(theta[each.name], dtype=float) for each in model.parameters}
    sizes = {name: value for name, value in data.items() if name in {each.name for each in model.sizes}}
    arrays = situation(model, data, {**hidden_sizes(model, data, theta, sizes), **theta})
    formulas, coordinates = Formulas(derivation, arrays, Oracle(model, arrays)), Coordinates(model, theta)
    at = coordinates.free()

    def surrogate(place: Array) -> Callable[[Array], Array]:
        here = formulas.at(coordinates.point(place))
        return lambda points: here.surrogates(coordinates.point(points))

    with np.errstate(all="ignore"):
        here = surrogate(at)
        unit = units(here, at)
        complete = -hessian(here, at, unit) / np.outer(unit, unit)
        observed = -_slopes(lambda place: gradient(surrogate(place), place, unit) / unit, at, unit)
        score = gradient(here, at, unit) / unit
        jacobian = _slopes(lambda place: _flat(coordinates.point(place)), at, np.full(len(at), 1e-2))
    observed = (observed + observed.T) / 2
    scales = {each.name: _scale(each.support) for each in model.parameters}
    labels = tuple(coordinates.labels)
    message = "" if coordinates.are_inside else "an estimate lies at the end of its support"
    message = message or _no_maximum(labels, observed, complete, score)
    return Information(theta, labels, observed, complete, score, jacobian, scales, message)


def _flat(theta: Mapping[str, Any]) -> Array:
    return np.concatenate([np.ravel(value) for value in theta.values()])


def _slopes(function: Callable[[Array], Array], at: Array, unit: Array) -> Array:
    """The derivatives of a vector in every coordinate, by central differences extrapolated once (Richardson 1911)."""
    columns = []
    for own, step in zip(np.eye(len(at)), unit.tolist(), strict=True):
        coarse, fine = (
            (function(at + share * step * own) - function(at - share * step * own)) / (2 * share * step)
            for share in (1 / 8, 1 / 16)
        )
        columns.append((4 * fine - coarse) / 3)
    return np.stack(columns, axis=1)


def _scale(support: Any) -> str:
    if support.bounds == (0, 1):
        return "log-odds"
    return "logarithm" if support.bounds == (0, oo) else "value"


def _no_maximum(labels: tuple[str, ...], observed: Array, complete: Array, score: Array) -> str:
    """Why the estimate is no strict maximum, by the entries that move along the way; empty if it is."""
    if not (np.all(np.isfinite(observed)) and np.all(np.isfinite(complete))):
        return "ℓ has no second derivatives there in floating-point numbers"
    scale = np.sqrt(np.abs(np.diag(complete)))
    shares, ways = np.linalg.eigh(complete / np.outer(scale, scale))
    if not shares[0] > _FLAT:
        return f"Q is flat along a direction that moves {_moved(labels, ways[:, 0])}, so that not even complete data tell"
    shares, ways = eigh(observed, complete)
    if shares[0] < _FLAT:
        how = "rises" if shares[0] < -_FLAT else "is flat"
        return f"ℓ {how} along a direction that moves {_moved(labels, ways[:, 0] * scale)}"
    if np.max(np.abs(score) / np.sqrt(np.diag(observed))) > _STEEP:
        return "ℓ still rises there: fit to the maximum first, with a smaller tol"
    return ""


def _moved(labels: tuple[str, ...], way: Array) -> str:
    """The entries that move most."""
    size = np.abs(way)
    return ", ".join(
        label for label, part in zip(labels, size.tolist(), strict=True) if part > size.max() / 4
    )
