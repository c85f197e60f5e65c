"""Gamma laws between two ends keep their digits: the kernels of modules against 60 digits, in the tails too."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
from sympy import oo, symbols

from symem.language.incomplete_gamma import (
    GammaIntervalLogMean,
    GammaIntervalLogVariance,
    GammaIntervalMean,
    LogGammaInterval,
    LogIncompleteGamma,
)
from symem.runtime.gamma_intervals import (
    _gamma_interval_logs,
    _gamma_interval_mean,
    _log_gamma_interval,
)

#: (low, high) as shares of the shape and more, for shapes of any size.
ENDS = [
    (0.0, 1e-6), (0.0, 0.3), (0.0, 2.0), (1e-9, 1e-3), (0.2, 0.2000001), (0.9, 1.1), (0.5, np.inf), (1.0, 1.5),
    (3.0, np.inf), (30.0, np.inf), (30.0, 31.0), (30.0, 30.0000001), (1e5, np.inf),
]  # fmt: skip


def exact(shape: float, low: float, high: float) -> tuple[Any, ...]:
    """log P(low < T < high), E[T | low < T < high], and mean and variance of log T, by tails that hold the interval."""

    def between(s: Any) -> Any:
        if low > shape:
            return mpmath.gammainc(s, low) - (mpmath.gammainc(s, high) if high < np.inf else 0)
        return mpmath.gammainc(s, low, high)

    s, step = mpmath.mpf(shape), mpmath.mpf(10) ** -25
    before, here, after = (mpmath.log(between(s + each)) for each in (-step, 0, step))
    logs = (after - before) / (2 * step), (after - 2 * here + before) / step**2
    return here - mpmath.loggamma(s), between(s + 1) / between(s), *logs


@pytest.mark.parametrize("shape", [1e-4, 0.3, 1.0, 2.5, 40.0, 3000.0])
@pytest.mark.parametrize(("low", "high"), ENDS)
def test_ends_anywhere(shape: float, low: float, high: float) -> None:
    low, high = low * max(shape, 1.0), high * max(shape, 1.0)
    with mpmath.workdps(110):
        log_mass, mean, log_mean, log_variance = exact(shape, low, high)
        assert float(_log_gamma_interval(shape, low, high) - log_mass) == pytest.approx(
            0, abs=2e-13 * max(1.0, abs(float(log_mass)))
        )
        assert float(_gamma_interval_mean(shape, low, high)) == pytest.approx(float(mean), rel=2e-13)
        whole, *logs = _gamma_interval_logs(shape, low, high)
        exactly = log_mass + mpmath.loggamma(shape), log_mean
        for value, right in zip((whole, logs[0]), exactly, strict=True):
            assert float(value - right) == pytest.approx(0, abs=1e-13 * max(1, abs(float(right))))
        assert logs[1] == pytest.approx(float(log_variance), rel=1e-13)


def test_a_law_of_shape_zero_is_at_zero() -> None:
    assert _log_gamma_interval(0.0, 0.0, [0.5, 3.0]).tolist() == [0.0, 0.0]
    assert _gamma_interval_mean(0.0, 0.0, [0.5, 3.0]).tolist() == [0.0, 0.0]


FUNCTIONS: dict[str, Any] = {
    "mass": LogGammaInterval,
    "mean": GammaIntervalMean,
    "whole": LogIncompleteGamma,
    "log_mean": GammaIntervalLogMean,
    "log_variance": GammaIntervalLogVariance,
}


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name != "log_variance"])
@pytest.mark.parametrize("high", [4.0, np.inf])
def test_slopes_in_the_shape(name: str, high: float) -> None:
    """The third moments of log T are asked for by nothing."""
    shape, step = symbols("shape", positive=True), 1e-6
    formula = FUNCTIONS[name](shape, 0.5, oo if high == np.inf else high)
    beside = [formula.subs(shape, 2.5 + each).evalf(20) for each in (-step, step)]
    slope = formula.diff(shape).subs(shape, 2.5).evalf()
    assert float(slope) == pytest.approx(float(beside[1] - beside[0]) / (2 * step), rel=1e-6)


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_slopes_in_the_ends(function: Any) -> None:
    low, high = symbols("low high", positive=True)
    for end, moved in ((low, (0.5, 1e-6)), (high, (2.0, 1e-6))):
        at = {low: 0.5, high: 2.0}
        slope = function(2.5, low, high).diff(end).subs(at).evalf()
        ends = [
            function(2.5, *{**at, end: moved[0] + step}.values()).evalf() for step in (-moved[1], moved[1])
        ]
        assert float(slope) == pytest.approx(float(ends[1] - ends[0]) / 2e-6, rel=1e-6)
    assert float(LogGammaInterval(1, 2.0, oo).evalf()) == pytest.approx(-2)
