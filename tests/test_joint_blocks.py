"""Parameters that are maximised together: intercepts and slopes, scales and a correlation; against least squares and NumPy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import scipy
from sympy import Expr, Idx, IndexedBase, Matrix, Sum, log, pi, sqrt, symbols, sympify

from symem import Categorical, Interval, Labels, Model, Normal, Positive, Reals, Simplex, maximise
from symem.derivation import Conditional, Status

n, K, G = symbols("n K G", integer=True, positive=True)
s = symbols("s", positive=True)
i, k = Idx("i", n), Idx("k", K)
w, x, y, z, u, al, be = map(IndexedBase, ["w", "x", "y", "z", "u", "al", "be"])

SEEN = np.array([0.3, 2.1, 1.4, -0.7, 3.0, 2.2, 0.9, 1.1, -1.2])
COVARIATE = np.array([0.1, 1.0, -0.4, 0.6, 1.7, 0.2, -0.9, 0.5, 2.0])
GROUP = np.array([0, 1, 0, 0, 1, 1, 0, 1, 0])


def by_distribution() -> Model:
    law = Normal(al[z[i], u[i]] + be[u[i]] * x[i], s)
    return Model({z[i]: Categorical(w[k]), y[i]: law}, latent=[z], known=[x, u])


def by_likelihood() -> Model:
    residual = y[i] - al[z[i], u[i]] - be[u[i]] * x[i]
    row = log(w[z[i]]) - log(s) - log(2 * pi) / 2 - residual**2 / (2 * s**2)
    return Model.from_likelihood(
        log_likelihood=Sum(row, (i, 0, n - 1)),
        latent={z: Labels(K)},
        parameters={w: Simplex(), al: Reals(), be: Reals(), s: Positive()},
        known={x: Reals(), u: Labels(G)},
    )


def least_squares(design: np.ndarray, weights: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, float]:
    root = np.sqrt(weights)
    best = np.linalg.lstsq(root[:, None] * design, root * seen, rcond=None)[0]
    return best, float(np.sqrt(weights @ (seen - design @ best) ** 2 / weights.sum()))


@pytest.mark.parametrize("door", [by_distribution, pytest.param(by_likelihood, marks=pytest.mark.slow)])
def test_intercepts_by_label_and_group_with_a_slope_by_group(door: Callable[[], Model]) -> None:
    """Sums over [u_i = l] are means and scatters of the rows of a group, and V_y is pooled over labels and groups."""
    em = door().derive()
    assert not any(isinstance(update, Conditional) for update in em.derivation.updates)
    assert {claim.status for each in em.certificates for claim in each.claims} == {Status.PROVED}
    theta = {"w": [0.3, 0.7], "al": [[0.2, 1.0], [1.5, -0.4]], "be": [0.4, -0.2], "s": 0.9}
    means = np.array(theta["al"])[:, GROUP] + np.array(theta["be"])[GROUP] * COVARIATE
    joint = np.array(theta["w"])[:, None] * scipy.stats.norm.pdf(SEEN, means, 0.9)
    weights = np.concatenate(list(joint / joint.sum(axis=0)))
    cells = [np.eye(4)[2 * label + GROUP] for label in (0, 1)]
    slopes = np.eye(2)[GROUP] * COVARIATE[:, None]
    design = np.vstack([np.column_stack([cell, slopes]) for cell in cells])
    best, left = least_squares(design, weights, np.tile(SEEN, 2))
    step = em.solver().em_step(theta, y=SEEN, x=COVARIATE, u=GROUP)
    np.testing.assert_allclose([*np.ravel(step.al), *step.be], best, rtol=1e-9)
    assert step.s == pytest.approx(left)


# scales and a correlation -----------------------------------------------------------------------------------

mx, my, a, b, r, c = map(IndexedBase, ["mx", "my", "a", "b", "r", "c"])


def by_scales() -> Model:
    label = z[i]
    first, second = (x[i] - mx[label]) / a[label], (y[i] - my[label]) / b[label]
    form = (first**2 - 2 * r[label] * first * second + second**2) / (1 - r[label] ** 2)
    volume = log(2 * pi * a[label] * b[label]) + log(1 - r[label] ** 2) / 2
    return Model.from_likelihood(
        log_likelihood=Sum(log(w[label]) - volume - form / 2, (i, 0, n - 1)),
        latent={z: Labels(K)},
        parameters={
            w: Simplex(),
            **dict.fromkeys((mx, my), Reals()),
            **dict.fromkeys((a, b), Positive()),
            r: Interval(-1, 1),
        },
    )


@pytest.mark.slow
def test_two_scales_and_a_correlation_by_label_are_read_off_their_covariance() -> None:
    em = by_scales().derive()
    assert {claim.status for each in em.certificates for claim in each.claims} == {Status.PROVED}
    assert {u.law for u in em.derivation.updates if str(u.parameter)[0] in "abr"} == {
        "scales of a covariance"
    }
    theta = {
        "w": [0.4, 0.6],
        "mx": [0.0, 1.0],
        "my": [1.0, 0.2],
        "a": [1.0, 0.7],
        "b": [0.8, 1.5],
        "r": [0.3, -0.5],
    }
    both = np.column_stack([SEEN, COVARIATE])
    densities = [
        share * scipy.stats.multivariate_normal([m, q], [[f**2, t * f * g], [t * f * g, g**2]]).pdf(both)
        for share, m, q, f, g, t in zip(*theta.values(), strict=True)
    ]
    shares = np.array(densities) / np.sum(densities, axis=0)
    step = em.solver().em_step(theta, x=SEEN, y=COVARIATE)
    for label, weights in enumerate(shares):
        covariance = np.cov(both.T, aweights=weights, ddof=0)
        scales = np.sqrt(np.diag(covariance))
        np.testing.assert_allclose([step.a[label], step.b[label]], scales, rtol=1e-12)
        assert step.r[label] == pytest.approx(covariance[0, 1] / scales.prod(), rel=1e-12)


def test_a_correlation_with_gaps_in_one_coordinate() -> None:
    """y given x, where some y are missing: Anderson 1957 gives the maximum, at which a step stays."""
    f, g, t, m, q = symbols("f g t m q")
    law = Normal(q + t * g / f * (x[i] - m), g * sqrt(1 - t**2))
    model = Model({x[i]: Normal(m, f), y[i]: law}, parameters={t: Interval(-1, 1)}, missing=[y])
    em = model.derive()
    assert not em.derivation.not_derived
    seen = np.where(np.arange(9) < 6, COVARIATE, np.nan)
    slope, _ = np.polyfit(SEEN[:6], seen[:6], 1)
    spread = np.var(seen[:6] - slope * SEEN[:6])
    second = np.sqrt(spread + slope**2 * np.var(SEEN))
    mean = seen[:6].mean() + slope * (SEEN.mean() - SEEN[:6].mean())
    top = {"m": SEEN.mean(), "f": SEEN.std(), "q": mean, "g": second, "t": slope * SEEN.std() / second}
    step = em.solver().em_step(top, x=SEEN, y=seen)
    assert {name: float(getattr(step, name)) for name in top} == pytest.approx(top, rel=1e-9)


@pytest.mark.parametrize(
    ("covariance", "expected"),
    [
        (lambda f, g, t: ((f, sqrt(f * g) * t), (sqrt(f * g) * t, g)), (2, 3, 1 / sqrt(6))),
        (lambda f, g, t: ((f, t), (t, g)), (2, 3, 1)),
    ],
    ids=["variances and a correlation", "entries"],
)
def test_a_covariance_by_variances(
    covariance: Callable[..., tuple[tuple[Expr, Expr], ...]], expected: tuple[Expr, ...]
) -> None:
    f, g = symbols("f g", positive=True)
    t = symbols("t", real=True)
    whole = Matrix(covariance(f, g, t))
    surrogate = -7 * log(whole.det()) / 2 - 7 * (whole.inv() * Matrix([[2, 1], [1, 3]])).trace() / 2
    found = maximise(surrogate, {f: Positive(), g: Positive(), t: Reals()})
    assert [found[f], found[g], found[t]] == list(map(sympify, expected))
