"""Functions of data alone are one number of a row: they are not multiplied out, however high their powers."""

from __future__ import annotations

import numpy as np
import pytest
from sympy import Expr, Idx, IndexedBase, symbols

from symem import Categorical, Model, Normal, Poisson
from symem.verification import verify

n = symbols("n", integer=True, positive=True)
s = symbols("s")
i, k = Idx("i", n), Idx("k", 2)
y, z, w, mu, be, t, x = map(IndexedBase, ["y", "z", "w", "mu", "be", "t", "x"])


def test_a_power_of_data_in_a_mean_is_derived_and_stands_in_the_record() -> None:
    em = Model(
        {z[i]: Categorical(w[k]), y[i]: Normal(mu[z[i]] * (1 + 2 * t[i]) ** 8, s)}, latent=[z], known=[t]
    )
    derived = em.derive(budget=10)
    assert set(derived.model.variables) == {"z", "n", "w", "y", "t", "mu", "s"}
    told = str(derived)
    assert "(y_i - μ_k (2t_i + 1)⁸)²" in told
    assert "μ_k = Σ_i γ_ik y_i (2t_i + 1)⁸ / Σ_i γ_ik (2t_i + 1)¹⁶" in told


def test_its_steps_are_those_of_the_covariate() -> None:
    """The oracle: the same regression on f = (1 + 2t)³, computed beforehand."""
    rng = np.random.default_rng(0)
    covariate = rng.uniform(-1, 1, 40)
    f = (1 + 2 * covariate) ** 3
    response = np.where(rng.random(40) < 0.4, 1.0, -0.7) * f + 0.1 * rng.normal(size=40)
    shares, means = np.array([0.5, 0.5]), np.array([0.8, -0.2])
    model = Model(
        {z[i]: Categorical(w[k]), y[i]: Normal(mu[z[i]] * (1 + 2 * t[i]) ** 3, s)}, latent=[z], known=[t]
    )
    found = model.derive().solver().em_step({"w": shares, "mu": means, "s": 0.5}, y=response, t=covariate)
    density = shares * np.exp(-((response[:, None] - f[:, None] * means) ** 2) / (2 * 0.25))
    gamma = density / density.sum(axis=1, keepdims=True)
    after = (gamma * (response * f)[:, None]).sum(axis=0) / (gamma * (f**2)[:, None]).sum(axis=0)
    spread = np.sqrt((gamma * (response[:, None] - f[:, None] * after) ** 2).sum() / 40)
    assert np.allclose(found.mu, after, rtol=1e-12)
    assert np.isclose(found.s, spread, rtol=1e-10)


@pytest.mark.parametrize(
    "mean",
    [
        mu[z[i]] * (1 + 2 * t[i]) ** 4,
        mu[z[i]] * (1 + 2 * t[i]) ** 3 + be[z[i]] * (1 - x[i]) ** 3 + x[i],
        mu[z[i]] * (1 + t[i]) * (2 + t[i]) * (3 - t[i]) + x[i],
    ],
    ids=["power", "two powers", "product"],
)
def test_what_is_derived_of_it_is_verified(mean: Expr) -> None:
    known = [each for each in (t, x) if mean.has(each)]
    derived = Model({z[i]: Categorical(w[k]), y[i]: Normal(mean, s)}, latent=[z], known=known).derive()
    assert verify(derived, seed=1).passed


def test_its_sign_is_known() -> None:
    """A rate is positive, since (1 + t²)⁴ is."""
    laws = {z[i]: Categorical(w[k]), y[i]: Poisson(mu[z[i]] * (1 + t[i] ** 2) ** 4)}
    derived = Model(laws, latent=[z], known=[t]).derive()
    assert not derived.derivation.not_derived
    assert "μ_k = Σ_i γ_ik y_i / Σ_i γ_ik (t_i² + 1)⁴" in str(derived)
