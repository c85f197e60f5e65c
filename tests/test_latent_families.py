"""Posteriors that need a special function, each against a sum or an integral of the declared densities."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sympy import Idx, IndexedBase, cos, pi, sin, symbols

from symem import Model, Normal, Uniform

n = symbols("n", integer=True, positive=True)
i = Idx("i", n)
x, y, a = map(IndexedBase, ["x", "y", "a"])
r, s = symbols("r s", positive=True)


def test_points_near_a_circle_have_a_von_mises_angle() -> None:
    """r²(cos² + sin²) is no part of the angle's density; the posterior against 4000 angles of a full turn."""
    point = {x[i]: Normal(r * cos(a[i]), s), y[i]: Normal(r * sin(a[i]), s)}
    em = Model({a[i]: Uniform(-pi, pi), **point}, latent=[a]).derive()
    assert em.posterior[a].family.name == "VonMises"
    rng = np.random.default_rng(2)
    turn = rng.uniform(-3, 3, 12)
    data = {"x": 2 * np.cos(turn) + rng.normal(size=12), "y": 2 * np.sin(turn) + rng.normal(size=12)}
    grid = np.linspace(-np.pi, np.pi, 4000, endpoint=False)
    columns = data["x"][:, None], data["y"][:, None]
    density = stats.norm.pdf(columns[0], 1.5 * np.cos(grid), 0.8) * stats.norm.pdf(
        columns[1], 1.5 * np.sin(grid), 0.8
    )
    share = density / density.sum(1, keepdims=True)
    along = (share * (columns[0] * np.cos(grid) + columns[1] * np.sin(grid))).sum(1)
    radius = along.mean()
    spread = np.mean(data["x"] ** 2 + data["y"] ** 2 - 2 * radius * along + radius**2) / 2
    module, theta = em.solver(), {"r": 1.5, "s": 0.8}
    assert module.log_likelihood(theta, **data) == pytest.approx(np.log(density.mean(1)).sum(), rel=1e-12)
    new = module.em_step(theta, **data)
    assert [new.r, new.s] == pytest.approx([radius, np.sqrt(spread)], rel=1e-12)
