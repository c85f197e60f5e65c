"""Examples with vectors: the numbers that their sources print."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from tests.derived import em, named
from tests.models import MODELS, example
from tests.models.printed import PRINTED

ROW_OF = {row.example: row.name for row in MODELS if row.example in PRINTED}


@cache
def fitted(name: str) -> Any:
    """The limit on the example's own data, from its own start."""
    chosen = example(name)
    return em(ROW_OF[name]).fit(**chosen.data, start=chosen.start, tol=1e-13, max_iter=20000)


def limit(name: str) -> dict[str, Any]:
    fit = fitted(name)
    assert fit.converged
    return named(fit.parameters)


def test_old_faithful_of_mclust() -> None:
    """VVV, 2: log-likelihood -1130.264, weights .3559, .6441."""
    theta = limit("gaussian_mixture_full")
    assert fitted("gaussian_mixture_full").log_likelihood == pytest.approx(-1130.264, abs=5e-4)
    assert theta["w"] == pytest.approx([0.3559, 0.6441], abs=5e-5)
    assert theta["mu"] == pytest.approx(np.array([[2.0364, 54.4785], [4.2897, 79.9681]]), abs=1e-3)


def test_uniquenesses_of_factanal() -> None:
    psi = limit("factor_analysis")["psi"]
    assert psi == pytest.approx([0.455, 0.589, 0.218, 0.769, 0.052, 0.334], abs=1e-3)


def test_means_of_little_and_rubin() -> None:
    theta = limit("missing_normal")
    assert theta["mu"] == pytest.approx([6.655, 49.965, 11.769, 27.047, 95.423], abs=1e-3)


def test_sleep_of_lme4() -> None:
    """Fixed effects 251.405, 10.467; standard deviations 23.781, 5.717 and 25.592; log-likelihood -875.97."""
    theta = limit("random_slopes")
    assert fitted("random_slopes").log_likelihood == pytest.approx(-875.97, abs=5e-3)
    assert theta["beta"] == pytest.approx([251.405, 10.467], abs=1e-3)
    assert np.sqrt(np.diag(theta["D"])) == pytest.approx([23.781, 5.717], abs=2e-3)
    assert np.sqrt(float(theta["s2"])) == pytest.approx(25.592, abs=2e-3)


def test_lines_of_mixtools() -> None:
    theta = limit("mixture_of_regressions")
    assert theta["w"] == pytest.approx([0.490, 0.510], abs=5e-4)
    assert theta["beta"] == pytest.approx(np.array([[0.565, 0.085], [1.247, -0.083]]), abs=5e-4)


def test_directions_of_iris() -> None:
    """Tipping & Bishop 1999, equations (7) and (8), on Fisher's flowers."""
    theta, (x,) = limit("probabilistic_pca"), example("probabilistic_pca").data.values()
    sizes, axes = np.linalg.eigh(np.cov(x.T, bias=True))
    assert float(theta["s2"]) == pytest.approx(sizes[:2].mean(), rel=1e-5)
    leading = axes[:, 2:] * (sizes[2:] - sizes[:2].mean()) @ axes[:, 2:].T
    assert theta["W"] @ theta["W"].T == pytest.approx(leading, abs=1e-4)


def test_well_determined_weights() -> None:
    """MacKay 1992, eqs. (26), (27): alpha mᵀm = gamma and beta |y - X m|² = n - gamma at the maximum."""
    theta, data = limit("evidence_regression"), example("evidence_regression").data
    alpha, beta, X, y = float(theta["alpha"]), float(theta["beta"]), data["X"], data["y"]
    V = np.linalg.inv(alpha * np.eye(X.shape[1]) + beta * X.T @ X)
    m = beta * V @ X.T @ y
    gamma = X.shape[1] - alpha * np.trace(V)
    assert alpha * m @ m == pytest.approx(gamma, rel=1e-5)
    assert beta * ((y - X @ m) ** 2).sum() == pytest.approx(len(y) - gamma, rel=1e-5)


def test_location_of_a_t_is_a_weighted_mean() -> None:
    """Kent, Tyler & Vardi 1994: the weights of all observations add up to n at the maximum."""
    theta, data = limit("multivariate_t"), example("multivariate_t").data
    off = data["x"] - theta["mu"]
    weight = (4 + 4) / (4 + (off * np.linalg.solve(theta["Sigma"], off.T).T).sum(1))
    assert weight.sum() == pytest.approx(len(off), rel=1e-6)
    assert theta["mu"] == pytest.approx(weight @ data["x"] / weight.sum(), rel=1e-6)
