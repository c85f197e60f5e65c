"""Student's t of very many degrees of freedom keeps its digits, and comes to the Normal; against 60 digits."""

from __future__ import annotations

import warnings

import mpmath
import numpy as np
import pytest
from sympy import Idx, IndexedBase, symbols

from symem import Cases, Categorical, Model, Normal, StudentT
from symem.runtime import with_scipy

n = symbols("n", integer=True, positive=True)
a, s, nu = symbols("a s nu")
i, k = Idx("i", n), Idx("k", 2)
y, z, w = map(IndexedBase, ["y", "z", "w"])

LAW = Cases(z[i], {0: StudentT(nu), 1: Normal(a, s)})
MODEL = Model({z[i]: Categorical(w[k]), y[i]: LAW}, latent=[z], known=[nu])


@pytest.mark.parametrize("size", [0.3, 4.0, 15.9, 16.1, 40.0, 1e3, 1e8, 1e15])
@pytest.mark.parametrize("apart", [0.5, 3.0])
def test_the_ratio_of_gamma_functions_keeps_its_digits(size: float, apart: float) -> None:
    with mpmath.workdps(60):
        right = mpmath.loggamma(mpmath.mpf(size) + apart) - mpmath.loggamma(size)
        assert np.isclose(with_scipy._log_gamma_ratio(size, apart), float(right), rtol=2e-14, atol=2e-14)


def test_the_likelihood_of_a_student_t_keeps_its_digits() -> None:
    solver = MODEL.derive().solver()
    data, theta = np.array([-1.3, 0.2, 2.5, 40.0]), {"w": np.array([0.5, 0.5]), "a": 0.3, "s": 1.7}
    for degrees in (1e3, 1e6, 1e10, 1e15):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = solver.log_likelihood(theta, y=data, nu=degrees)
        assert np.isclose(found, _log_likelihood(data, degrees), rtol=1e-13)


def _log_likelihood(data: np.ndarray, degrees: float) -> float:
    with mpmath.workdps(60):
        v, spread, whole = mpmath.mpf(degrees), mpmath.mpf(1.7), mpmath.mpf(0)
        scale = mpmath.loggamma((v + 1) / 2) - mpmath.loggamma(v / 2) - mpmath.log(mpmath.pi * v) / 2
        for x in map(mpmath.mpf, data.tolist()):
            student = mpmath.exp(scale - (v + 1) / 2 * mpmath.log(1 + x**2 / v))
            whole += mpmath.log((student + mpmath.npdf(x, mpmath.mpf(0.3), spread)) / 2)
        return float(whole)
