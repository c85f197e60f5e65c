"""Generalised inverse Gaussian laws: log K_p(x) and its derivatives in the order, of which the index is found."""

from __future__ import annotations

import functools
import warnings
from typing import Any

import mpmath
import numpy as np
import pytest
import scipy
from sympy import Idx, IndexedBase, symbols

from symem import EM, Categorical, GeneralisedInverseGaussian, Model
from symem.derivation import Ascent, Status
from symem.evaluation.bessel_moments import besselk_moments
from symem.language.bessel_logarithms import LogBesselK, bessel_slope
from symem.runtime.bessel_orders import _log_besselk, _log_besselk_derivative
from symem.runtime.samplers import _draw_generalised_inverse_gaussian

n, K = symbols("n K", integer=True, positive=True)
i, k = Idx("i", n), Idx("k", K)
x, z, w, p, a, b = map(IndexedBase, ["x", "z", "w", "p", "a", "b"])
TIMES = [(1, 0), (0, 1), (2, 0), (1, 1), (0, 2)]


@functools.cache
def mixture() -> EM:
    laws = {z[i]: Categorical(w[k]), x[i]: GeneralisedInverseGaussian(p[z[i]], a[z[i]], b[z[i]])}
    return Model(laws, latent=[z]).derive()


# log K_p(x) ---------------------------------------------------------------------------------------------------


def moments(order: float, argument: float) -> list[Any]:
    """The derivatives in `TIMES`, to thirty digits, by the trapezoidal rule on ∫ exp(pt - x cosh t) dt over all of it."""
    p, x = mpmath.mpf(order), mpmath.mpf(argument)
    peak, r = mpmath.asinh(p / x), mpmath.sqrt(p * p + x * x)
    right = 2 * mpmath.asinh(mpmath.sqrt(40 / r))
    left = min(2 * mpmath.asinh(mpmath.sqrt(40 / (r - p))), 80 / p + mpmath.sqrt(160 / p))
    count = 1600 if left + right > 20 else 300
    places = [peak - left + (left + right) * each / count for each in range(count + 1)]
    weights = [mpmath.exp(p * (t - peak) - x * (mpmath.cosh(t) - mpmath.cosh(peak))) for t in places]
    heights = list(map(mpmath.cosh, places))

    def mean(values: Any) -> Any:
        return sum(weight * value for weight, value in zip(weights, values, strict=True)) / sum(weights)

    t, c = mean(places), mean(heights)
    pairs = [(t, places), (c, heights)]
    (_, tt), (_, cc) = ((at, mean([(each - at) ** 2 for each in values])) for at, values in pairs)
    both = mean([(one - t) * (other - c) for one, other in zip(places, heights, strict=True)])
    return [t, -c, tt, -both, cc]


@pytest.mark.parametrize("order", [1e-6, 0.3, 1e3])
@pytest.mark.parametrize("argument", [1e-6, 3.0, 1e8])
def test_derivatives_keep_their_digits(order: float, argument: float) -> None:
    with mpmath.workdps(40):
        right = moments(order, argument)
        spread = {1: np.sqrt(float(right[2])), 2: np.sqrt(float(right[2] * right[4]))}
        for (one, other), value in zip(TIMES, right, strict=True):
            found = float(_log_besselk_derivative(order, argument, one, other))
            size = abs(value) + (spread[one + other] if one == 1 else 0.0)
            assert float(abs(found - value) / size) < 1e-13
            assert abs(float(besselk_moments(order, argument, one, other)) - found) < 1e-9 * float(size)
            turned = float(_log_besselk_derivative(-order, argument, one, other))
            assert turned == (-found if one == 1 else found)


def test_the_logarithm_keeps_its_digits() -> None:
    with mpmath.workdps(40):
        for order, argument in ((1e5, 1e-3), (300.0, 2.0), (0.3, 2e8), (1e6, 3e8)):
            t = mpmath.asinh(mpmath.mpf(order) / argument)
            r = mpmath.sqrt(mpmath.mpf(order) ** 2 + mpmath.mpf(argument) ** 2)
            v = order / r
            beyond = (
                1
                - (3 * v - 5 * v**3) / (24 * order)
                + (81 * v**2 - 462 * v**4 + 385 * v**6) / (1152 * order**2)
            )
            beyond -= (30375 * v**3 - 369603 * v**5 + 765765 * v**7 - 425425 * v**9) / (414720 * order**3)
            right = float(order * t - r + mpmath.log(mpmath.pi / (2 * r)) / 2 + mpmath.log(beyond))
            assert float(_log_besselk(order, argument)) == pytest.approx(
                right, rel=1e-14 if order > 1 else 1e-9
            )


def test_derivatives_are_those_of_besselk() -> None:
    with mpmath.workdps(30):
        for times in TIMES:
            right = mpmath.diff(lambda p, x: mpmath.log(mpmath.besselk(p, x)), (1.7, 0.6), times)
            assert float(_log_besselk_derivative(1.7, 0.6, *times)) == pytest.approx(float(right), rel=1e-12)
    order, argument = symbols("p x", positive=True)
    at = {order: 1.7, argument: 0.6}
    for often in (1, 2):
        slope = LogBesselK(order, argument).diff(argument, often)
        assert float(slope.subs(at).evalf()) == pytest.approx(
            float(bessel_slope(order, argument, often).subs(at).evalf()), rel=1e-12
        )


# the law ------------------------------------------------------------------------------------------------------


def test_draws_have_the_moments_of_the_law() -> None:
    for order, rate, scale in ((2.0, 3.0, 4.0), (-3.0, 1.0, 60.0), (0.1, 1e-3, 1e-3), (-20.0, 1e-8, 1.0)):
        logs = np.log(
            _draw_generalised_inverse_gaussian(np.random.default_rng(1), (40_000,), order, rate, scale)
        )
        middle = np.sqrt(rate * scale)
        mean = float(_log_besselk_derivative(order, middle, 1, 0)) + np.log(scale / rate) / 2
        variance = float(_log_besselk_derivative(order, middle, 2, 0))
        assert abs(logs.mean() - mean) < 4 * np.sqrt(variance / len(logs))
        assert logs.var() == pytest.approx(variance, rel=0.05)


def drawn() -> Any:
    return _draw_generalised_inverse_gaussian(np.random.default_rng(0), (200,), 1.5, 3.0, 4.0)


def log_density(rows: Any, order: float, rate: float, scale: float) -> Any:
    return scipy.stats.geninvgauss.logpdf(rows, order, np.sqrt(rate * scale), scale=np.sqrt(scale / rate))


def test_the_index_is_found_by_climbing() -> None:
    assert {str(each.parameter) for each in mixture().derivation.updates if isinstance(each, Ascent)} == {
        "p[k]",
        "a[k]",
        "b[k]",
    }
    assert "[∂/∂ν log(K_ν(√(a_k b_k))) at ν = p_k]" in str(mixture())
    assert {claim.status for each in mixture().certificates for claim in each.claims} == {Status.PROVED}
    assert (
        "log-partition of a generalised inverse Gaussian law" in mixture().certificates[1].claims[1].argument
    )


def test_a_fit_is_the_maximum_of_the_likelihood() -> None:
    rows = drawn()
    fit = mixture().fit(x=rows, K=1, seed=0)
    assert fit.converged
    at = [float(each[0]) for each in (fit.parameters.p, fit.parameters.a, fit.parameters.b)]
    assert fit.log_likelihood == pytest.approx(log_density(rows, *at).sum(), rel=1e-10)

    def fall(free: Any) -> float:
        return -float(log_density(rows, free[0], *np.exp(free[1:])).sum())

    best = scipy.optimize.minimize(
        fall, [at[0], *np.log(at[1:])], method="Nelder-Mead", options={"fatol": 1e-9}
    )
    assert -best.fun <= fit.log_likelihood + 1e-7


@pytest.mark.parametrize("rows", [np.full(20, 3.0), np.array([2.5])], ids=["equal", "one"])
def test_rows_without_spread_are_named(rows: Any) -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        fit = mixture().fit(x=rows, K=1, seed=0, max_iter=200)
    assert not fit.converged
    assert np.isfinite(fit.log_likelihood)
    assert any("has no maximum in reach" in str(each.message) for each in told)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_it_climbs_the_ladder() -> None:
    found = mixture().verify(seed=0, seconds=20)
    # V0 is left out: on clumps far apart a scale goes to 0, where ascents that differ in rounding end apart
    assert all(rung.passed for rung in found.rungs if rung.name not in ("V0", "V5"))
