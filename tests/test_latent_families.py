"""Posteriors that need a special function, each against a sum or an integral of the declared densities."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy
from sympy import Eq, Gt, Idx, IndexedBase, Lt, Product, Rational, cos, exp, factorial, oo, pi, sin, symbols

from symem import (
    EM,
    Binary,
    Counts,
    Gamma,
    Interval,
    Model,
    Normal,
    Poisson,
    PolyaGamma,
    Positive,
    Reals,
    Uniform,
    Weibull,
)
from symem.language.family import Distribution

n = symbols("n", integer=True, positive=True)
i = Idx("i", n)
x, y, a, c, h, u, v = map(IndexedBase, ["x", "y", "a", "c", "h", "u", "v"])
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
    density = scipy.stats.norm.pdf(columns[0], 1.5 * np.cos(grid), 0.8) * scipy.stats.norm.pdf(
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


ENDS = np.array([0.4, 1.3, 2.0, 5.5]), np.array([0.9, 4.0, 2.25, 9.0])


def mean_between(law: Any, low: Any, high: Any, of: Any = lambda t: t) -> Any:
    """(E[f(T) | low < T < high], P(low < T < high)) by quadrature."""
    pairs = list(zip(*np.broadcast_arrays(low, high), strict=True))
    mass = [scipy.integrate.quad(law.pdf, *pair)[0] for pair in pairs]
    whole = [scipy.integrate.quad(lambda t: of(t) * law.pdf(t), *pair)[0] for pair in pairs]
    return np.array(whole) / mass, np.array(mass)


@pytest.mark.parametrize("side", ["right", "left", "between"])
@pytest.mark.parametrize("name", ["Gamma", "Weibull"])
def test_lifetimes_seen_between_ends_only(name: str, side: str) -> None:
    """A Gamma law of shape 3, a Weibull law of power 2: the scale after a step, and ℓ."""
    gamma = name == "Gamma"
    law: Distribution = Gamma(3, r) if gamma else Weibull(r, 2)
    given = {"right": [Gt(x[i], c[i])], "left": [Lt(x[i], h[i])], "between": [Gt(x[i], c[i]), Lt(x[i], h[i])]}
    em = Model({x[i]: law}, latent=[x], given=given[side]).derive()
    assert em.posterior[x].family.name == f"Truncated{name}"
    theirs = scipy.stats.gamma(3, scale=1.7) if gamma else scipy.stats.weibull_min(2, scale=1.7)
    low, high = (
        (ENDS[0] if side != "left" else np.zeros(4)),
        (ENDS[1] if side != "right" else np.full(4, 60.0)),
    )
    mean, mass = mean_between(theirs, low, high, (lambda t: t) if gamma else (lambda t: t**2))
    data = {
        name: each
        for name, each in zip("ch", ENDS, strict=True)
        if name in ("c" * (side != "left") + "h" * (side != "right"))
    }
    module = em.solver()
    assert module.log_likelihood({"r": 1.7}, **data) == pytest.approx(np.log(mass).sum(), rel=1e-9)
    wanted = mean.mean() / 3 if gamma else np.sqrt(mean.mean())
    assert module.em_step({"r": 1.7}, **data).r == pytest.approx(wanted, rel=1e-9)


def test_counts_of_which_it_is_known_that_they_are_more() -> None:
    em = Model({x[i]: Poisson(r)}, latent=[x], given=[x[i] > c[i]]).derive()
    passed = np.array([0, 2, 3, 40])
    counts = np.arange(400)
    weight = scipy.stats.poisson.pmf(counts, 3.2) * (counts > passed[:, None])
    module = em.solver()
    assert module.log_likelihood({"r": 3.2}, c=passed) == pytest.approx(
        np.log(weight.sum(1)).sum(), rel=1e-12
    )
    mean = weight @ counts / weight.sum(1)
    assert module.em_step({"r": 3.2}, c=passed).r == pytest.approx(mean.mean(), rel=1e-12)


def test_differences_of_counts() -> None:
    """Goals of home and guest, of which the difference was kept: both means after a step, by all pairs of counts."""
    em = Model({u[i]: Poisson(r), v[i]: Poisson(s)}, latent=[u, v], given=[Eq(y[i], u[i] - v[i])]).derive()
    assert em.posterior[v].family.name == "Bessel"
    seen, counts = np.array([-9, -2, 0, 1, 30]), np.arange(200)
    guests = counts * np.ones((5, 1))
    weight = scipy.stats.poisson.pmf(guests + seen[:, None], 2.5) * scipy.stats.poisson.pmf(guests, 1.5)
    mean = (weight * guests).sum(1) / weight.sum(1)
    module, theta = em.solver(), {"r": 2.5, "s": 1.5}
    ours = module.log_likelihood(theta, y=seen)
    assert ours == pytest.approx(scipy.stats.skellam.logpmf(seen, 2.5, 1.5).sum(), rel=1e-9)
    assert ours == pytest.approx(np.log(weight.sum(1)).sum(), rel=1e-12)
    new = module.em_step(theta, y=seen)
    assert [new.r, new.s] == pytest.approx([(mean + seen).mean(), mean.mean()], rel=1e-12)


def test_differences_far_apart_keep_their_digits() -> None:
    """1e5 more of one than of the other, of a mean of 1e-3: the other is E[V] = b / (d + 1) but for 1e-13."""
    em = Model({u[i]: Poisson(r), v[i]: Poisson(s)}, latent=[u, v], given=[Eq(y[i], u[i] - v[i])]).derive()
    new = em.solver().em_step({"r": 1e-3, "s": 1e-3}, y=np.array([100000]))
    assert new.s == pytest.approx(1e-6 / 100001, rel=1e-9)


def test_logistic_regression_by_polya_gamma_weights() -> None:
    """Each step is a weighted least-squares fit, and the last is the maximum that Newton's method finds."""
    w, (t, b) = IndexedBase("w"), symbols("t b")
    line = t + b * x[i]
    kernel = exp((y[i] - Rational(1, 2)) * line - w[i] * line**2 / 2 + PolyaGamma.log_density(w[i], 1, 0)) / 2
    em = Model.from_likelihood(
        Product(kernel, i),
        latent={w: Positive()},
        parameters={t: Reals(), b: Reals()},
        known={x: Reals()},
        data={y: Binary()},
    ).derive()
    assert em.posterior[w].family.name == "PolyaGamma"
    rng = np.random.default_rng(4)
    at = rng.normal(size=200)
    seen = (rng.random(200) < 1 / (1 + np.exp(0.4 - 1.3 * at))).astype(float)
    design, beta, module = np.stack([np.ones(200), at], 1), np.zeros(2), em.solver()
    for theta in (np.zeros(2), np.array([0.3, -2.0])):
        new = module.em_step({"t": theta[0], "b": theta[1]}, x=at, y=seen)
        tilt = np.abs(design @ theta)
        weight = np.array([0.25 if c == 0 else np.tanh(c / 2) / (2 * c) for c in tilt])
        wanted = np.linalg.solve(design.T @ (weight[:, None] * design), design.T @ (seen - 0.5))
        assert [new.t, new.b] == pytest.approx(list(wanted), rel=1e-10)
    for _ in range(30):
        share = 1 / (1 + np.exp(-design @ beta))
        slope = (share * (1 - share))[:, None] * design
        beta = beta + np.linalg.solve(design.T @ slope, design.T @ (seen - share))
    fit = em.fit(x=at, y=seen, start={"t": 0.0, "b": 0.0}, tol=1e-13)
    assert [fit.parameters.t, fit.parameters.b] == pytest.approx(list(beta), abs=1e-5)
    share = 1 / (1 + np.exp(-design @ beta))
    assert fit.log_likelihood == pytest.approx(np.log(np.where(seen == 1, share, 1 - share)).sum(), rel=1e-10)


def test_counts_of_which_zeros_were_never_seen() -> None:
    """Each count stands for u[i] more that were 0: the fixed point is that of the law without 0, r/(1 - e^-r) = mean."""
    rows = exp(-r) ** u[i] * r ** x[i] * exp(-r) / factorial(x[i])
    em = Model.from_likelihood(
        Product(rows, i), latent={u: Counts()}, parameters={r: Positive()}, data={x: Counts(1, oo)}
    ).derive()
    seen = np.array([1, 1, 2, 1, 4, 3, 1])
    step = em.solver().em_step({"r": 1.2}, x=seen)
    unseen = 7 * np.exp(-1.2) / (1 - np.exp(-1.2))
    assert step.r == pytest.approx(seen.sum() / (7 + unseen), rel=1e-12)
    found = em.fit(x=seen, start={"r": 1.2}, tol=1e-14).parameters.r
    assert found / -np.expm1(-found) == pytest.approx(seen.mean(), rel=1e-6)


def truncated_lifetimes() -> EM:
    """Exponential lifetimes x above L, each standing for u that were shorter."""
    at = IndexedBase("L")
    return Model.from_likelihood(
        Product((1 - exp(-r * at[i])) ** u[i] * r * exp(-r * x[i]), i),
        latent={u: Counts()},
        parameters={r: Positive()},
        known={at: Positive()},
        data={x: Interval(at[i], oo)},
    ).derive()


def test_lifetimes_of_which_the_short_ones_were_never_seen() -> None:
    """Each stands for u[i] more that were under L[i]: the fixed point is n / Σ(x - L), also of one row far away."""
    em = truncated_lifetimes()
    rng = np.random.default_rng(3)
    low = rng.uniform(0.2, 1.0, 50)
    seen = low + rng.exponential(0.4, 50)
    found = em.fit(x=seen, L=low, start={"r": 1.0}, tol=1e-13).parameters.r
    assert found == pytest.approx(50 / (seen - low).sum(), rel=1e-5)
    seen[7] = 1e8

    def slope(new: float) -> float:
        return float(50 / new - seen.sum() + (np.expm1(1.3 * low) * low / np.expm1(new * low)).sum())

    root = scipy.optimize.brentq(slope, 1e-9, 1.3, xtol=1e-25, rtol=1e-15)
    assert em.solver().em_step({"r": 1.3}, x=seen, L=low).r == pytest.approx(root, rel=1e-12)


@pytest.mark.slow
def test_lifetimes_that_were_never_seen_climb_the_ladder() -> None:
    """Short of V5: the counts of a fit reach beyond what is summed, which is said."""
    held = truncated_lifetimes().verify(seed=0)
    assert not held.failed
    assert [rung.name for rung in held.open] == ["V5"]
