"""Emitted modules of vectors and matrices against plain NumPy, written from the textbook's formulas."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from symem.derivation import Derivation
from symem.output.emit import emit, load
from tests import handmade_matrices

RNG = np.random.default_rng
Values = dict[str, Any]


@cache
def solver(name: str) -> ModuleType:
    derivation: Derivation = getattr(handmade_matrices, name)()
    return load(emit(derivation))


def covariances(rng: np.random.Generator, count: int, size: int) -> Any:
    roots = rng.normal(size=(count, size, size))
    return roots @ np.swapaxes(roots, 1, 2) + np.eye(size)


def log_normal(residual: Any, covariance: Any) -> Any:
    """log N(residual; 0, covariance), a row each."""
    whitened = np.linalg.solve(np.linalg.cholesky(covariance), residual.T)
    size = len(covariance)
    return -((whitened**2).sum(axis=0) + np.linalg.slogdet(covariance)[1] + size * np.log(2 * np.pi)) / 2


# -- the models, by hand ---------------------------------------------------------------------------------


def mixture_case(rng: np.random.Generator, rows: int = 60) -> tuple[Values, Values]:
    centres = rng.normal(scale=3.0, size=(3, 4))
    x = centres[rng.integers(3, size=rows)] + rng.normal(size=(rows, 4))
    theta = {"w": rng.dirichlet(np.ones(3) * 5), "mu": centres + 0.3, "Sigma": covariances(rng, 3, 4)}
    return theta, {"x": x}


def mixture_step(theta: Values, data: Values) -> tuple[Values, float]:
    x, w = data["x"], theta["w"]
    parts = zip(theta["mu"], theta["Sigma"], strict=True)
    log_joint = np.log(w)[:, None] + np.array([log_normal(x - mu, cell) for mu, cell in parts])
    marginal = np.logaddexp.reduce(log_joint, axis=0)
    gamma = np.exp(log_joint - marginal)
    count = gamma.sum(axis=1)
    mu = gamma @ x / count[:, None]
    residuals = x[None] - mu[:, None]
    Sigma = np.einsum("ki,kia,kib->kab", gamma, residuals, residuals) / count[:, None, None]
    return {"w": count / len(x), "mu": mu, "Sigma": Sigma}, float(marginal.sum())


def factor_case(rng: np.random.Generator, rows: int = 50) -> tuple[Values, Values]:
    W = rng.normal(size=(5, 2))
    x = rng.normal(size=(rows, 2)) @ W.T + rng.normal(size=(rows, 5)) + 2.0
    return {"mu": rng.normal(size=5), "W": rng.normal(size=(5, 2)), "psi": rng.uniform(0.5, 2.0, 5)}, {"x": x}


def factor_step(theta: Values, data: Values) -> tuple[Values, float]:
    x, mu, W, psi = data["x"], theta["mu"], theta["W"], theta["psi"]
    value = log_normal(x - mu, W @ W.T + np.diag(psi)).sum()
    V = np.linalg.inv(np.eye(W.shape[1]) + W.T @ (W / psi[:, None]))
    E = (x - mu) / psi @ W @ V
    A = np.hstack([E, np.ones((len(x), 1))])
    second = A.T @ A
    second[:-1, :-1] += len(x) * V
    joint = np.linalg.solve(second, A.T @ x).T
    fitted = joint @ (A.T @ x)
    psi = np.diag((x.T @ x) - fitted) / len(x)
    return {"mu": joint[:, -1], "W": joint[:, :-1], "psi": psi}, float(value)


def gaps_case(rng: np.random.Generator, rows: int = 40) -> tuple[Values, Values]:
    Sigma = covariances(rng, 1, 4)[0]
    x = rng.multivariate_normal(np.arange(4.0), Sigma, size=rows)
    x[rng.random(x.shape) < 0.3] = np.nan
    x[3] = np.nan
    return {"mu": rng.normal(size=4), "Sigma": covariances(rng, 1, 4)[0]}, {"x": x}


def gaps_step(theta: Values, data: Values) -> tuple[Values, float]:
    x, mu, Sigma = data["x"], theta["mu"], theta["Sigma"]
    mean, second, value = np.zeros(4), np.zeros((4, 4)), 0.0
    for row in x:
        o, h = np.flatnonzero(~np.isnan(row)), np.flatnonzero(np.isnan(row))
        full, spread = mu.copy(), np.zeros((4, 4))
        if len(o):
            gain = Sigma[np.ix_(h, o)] @ np.linalg.inv(Sigma[np.ix_(o, o)])
            full[o], full[h] = row[o], mu[h] + gain @ (row[o] - mu[o])
            spread[np.ix_(h, h)] = Sigma[np.ix_(h, h)] - gain @ Sigma[np.ix_(o, h)]
            value += float(log_normal((row[o] - mu[o])[None], Sigma[np.ix_(o, o)])[0])
        else:
            spread = Sigma
        mean += full
        second += np.outer(full, full) + spread
    mean /= len(x)
    return {"mu": mean, "Sigma": second / len(x) - np.outer(mean, mean)}, value


Case = tuple[Callable[..., tuple[Values, Values]], Callable[[Values, Values], tuple[Values, float]]]
CASES: dict[str, Case] = {
    "full_mixture": (mixture_case, mixture_step),
    "factor_analysis": (factor_case, factor_step),
    "missing_entries": (gaps_case, gaps_step),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("seed", [0, 1])
def test_a_step_is_that_of_the_textbook(name: str, seed: int) -> None:
    case, step = CASES[name]
    theta, data = case(RNG(seed))
    wanted, value = step(theta, data)
    got = solver(name).em_step(theta, **data)._asdict()
    assert solver(name).log_likelihood(theta, **data) == pytest.approx(value, rel=1e-11)
    for each, array in wanted.items():
        np.testing.assert_allclose(got[each], array, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("name", CASES)
def test_statistics_of_parts_merge(name: str) -> None:
    case, _ = CASES[name]
    theta, data = case(RNG(2))
    module = solver(name)
    parts = [{k: v[cut] for k, v in data.items()} for cut in (slice(0, 17), slice(17, None))]
    whole = module.merge(*(module.statistics(theta, **part) for part in parts))
    got, wanted = module.m_step(whole), module.em_step(theta, **data)
    for a, b in zip(got, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("name", CASES)
def test_many_rows_are_cut_into_chunks(name: str) -> None:
    case, step = CASES[name]
    theta, data = case(RNG(3), 21_003)
    wanted, value = step(theta, data)
    got = solver(name).em_step(theta, **data)._asdict()
    assert solver(name).log_likelihood(theta, **data) == pytest.approx(value, rel=1e-10)
    for each, array in wanted.items():
        np.testing.assert_allclose(got[each], array, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("name", CASES)
def test_a_fit_from_a_seed_is_the_same_twice_and_rises(name: str) -> None:
    case, _ = CASES[name]
    _, data = case(RNG(4))
    sizes = {"full_mixture": {"K": 3}, "factor_analysis": {"m": 2}}.get(name, {})
    first, second = (solver(name).fit(**data, **sizes, seed=5, tol=1e-6, max_iter=2000) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first.parameters, second.parameters, strict=True))
    assert np.all(np.diff(first.history) > -1e-7)
    assert np.isfinite(first.log_likelihood)
