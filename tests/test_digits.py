"""Variances keep their digits however far apart components are: an EM step against the same step in exact arithmetic.

Labels are beyond doubt, so that a step is a mean and a scatter of each group, which fractions give exactly.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from tests.derived import named, solver

DISTANCES = (1e4, 1e6, 1e8)


def groups(distance: float, spreads: tuple[float, float] = (1.0, 2.0), seed: int = 0) -> list[Any]:
    """Numbers of two groups, whose means are that far apart."""
    rng = np.random.default_rng(seed)
    return [rng.normal(size=60) * spreads[0], rng.normal(size=40) * spreads[1] + distance]


def scatter(values: Any, others: Any = None) -> Fraction:
    """Σ (x - x̄)(y - ȳ)."""
    x, y = (
        [Fraction(float(each)) for each in some] for some in (values, values if others is None else others)
    )
    means = sum(x) / len(x), sum(y) / len(y)
    return Fraction(sum((a - means[0]) * (b - means[1]) for a, b in zip(x, y, strict=True)))


def own_variances(parts: list[Any]) -> list[float]:
    return [float(scatter(part) / len(part)) for part in parts]


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("chunks", [1, 3])
def test_own_and_shared_variances_of_numbers(distance: float, chunks: int) -> None:
    parts = groups(distance)
    data = np.concatenate(parts)
    theta = {"w": np.array([0.5, 0.5]), "mu": np.array([0.0, distance])}
    own, shared = solver("gmm1d_own_var"), solver("gmm1d_shared_var")
    for _ in range(2):
        step = stepped(own, {**theta, "s2": np.ones(2)}, "y", data, chunks)
        np.testing.assert_allclose(step["s2"], own_variances(parts), rtol=1e-9)
        exact = float(sum(map(scatter, parts)) / len(data)) ** 0.5
        np.testing.assert_allclose(
            stepped(shared, {**theta, "sigma": 1.0}, "x", data, chunks)["sigma"], exact, rtol=1e-9
        )
        data = data[::-1]


@pytest.mark.parametrize("distance", DISTANCES)
def test_full_tied_and_diagonal_covariances(distance: float) -> None:
    columns = [groups(distance, seed=seed) for seed in (1, 2)]
    parts = [np.stack([columns[0][g], columns[1][g]], axis=1) for g in (0, 1)]
    rows = np.concatenate(parts)
    theta = {"w": np.array([0.5, 0.5]), "mu": np.array([[0.0, 0.0], [distance, distance]])}
    scatters = [[[scatter(p[:, a], p[:, b]) for b in (0, 1)] for a in (0, 1)] for p in parts]
    full = [np.array(s, dtype=float) / len(p) for s, p in zip(scatters, parts, strict=True)]
    tied = sum(np.array(s, dtype=float) for s in scatters) / len(rows)
    identities = np.array([np.eye(2)] * 2)
    found = named(solver("gmm_mv_full").em_step({**theta, "Sigma": identities}, x=rows))["Sigma"]
    np.testing.assert_allclose(found, full, rtol=1e-11)
    found = named(solver("gmm_mv_tied").em_step({**theta, "S": np.eye(2)}, y=rows))["S"]
    np.testing.assert_allclose(found, tied, rtol=1e-11)
    found = named(solver("gmm_mv_diag_vector").em_step({**theta, "v": np.ones((2, 2))}, y=rows))["v"]
    np.testing.assert_allclose(found, np.diagonal(full, 0, 1, 2), rtol=1e-11)


def test_a_spread_of_a_ten_millionth_beside_one_of_one() -> None:
    parts = groups(30.0, (1.0, 1e-7))
    theta = {"w": np.array([0.5, 0.5]), "mu": np.array([0.0, 30.0]), "s2": np.array([1.0, 1e-14])}
    found = named(solver("gmm1d_own_var").em_step(theta, y=np.concatenate(parts)))["s2"]
    np.testing.assert_allclose(found, own_variances(parts), rtol=1e-9)


def test_known_variances_far_apart_leave_labels_beyond_doubt() -> None:
    parts = groups(1e8)
    theta = {"w": np.array([0.5, 0.5]), "mu": np.array([0.0, 1e8])}
    row = solver("gmm1d_known_var")
    known = {"sigma": 1.0}
    found = named(row.em_step(theta, x=np.concatenate(parts), **known))["mu"]
    exact = [float(sum(map(Fraction, map(float, part))) / len(part)) for part in parts]
    np.testing.assert_allclose(found, exact, rtol=1e-15, atol=1e-7)


def test_one_wild_row_leaves_the_posteriors_of_all_others() -> None:
    rng = np.random.default_rng(5)
    calm = np.concatenate([rng.normal(size=50), rng.normal(size=50) + 3.0])
    theta = {"w": np.array([0.4, 0.6]), "mu": np.array([0.0, 3.0]), "s2": np.array([1.0, 2.0])}
    module = solver("gmm1d_own_var")
    with_it = module.posterior(theta, y=np.concatenate([calm, [1e20]])).z[:-1]
    np.testing.assert_allclose(with_it, module.posterior(theta, y=calm).z, rtol=1e-12)


def test_statistics_are_what_they_are_called() -> None:
    """Totals, means and scatters, about no hidden centre; those of two parts pool to those of the whole."""
    parts = groups(1e6)
    data = np.concatenate(parts)
    theta = {"w": np.array([0.5, 0.5]), "mu": np.array([0.0, 1e6]), "s2": np.ones(2)}
    module = solver("gmm1d_own_var")
    whole = module.statistics(theta, y=data)
    np.testing.assert_allclose(whole.N, [60, 40], rtol=1e-14)
    np.testing.assert_allclose(whole.m, [part.mean() for part in parts], rtol=1e-13, atol=1e-9)
    np.testing.assert_allclose(whole.V, [float(scatter(part)) for part in parts], rtol=1e-12)
    pooled = module.merge(module.statistics(theta, y=data[:33]), module.statistics(theta, y=data[33:]))
    for one, other in zip(pooled, whole, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-9)


def stepped(module: Any, theta: dict[str, Any], datum: str, data: Any, chunks: int) -> dict[str, Any]:
    """One EM step, from statistics of as many parts of the data."""
    parts = [module.statistics(theta, **{datum: part}) for part in np.array_split(data, chunks)]
    found = parts[0]
    for part in parts[1:]:
        found = module.merge(found, part)
    return named(module.m_step(found))
