"""Effects of groups that cross, nest or share a label: likelihoods and steps by the joint Normal law of the data, in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
import scipy
from sympy import Identity, Idx, IndexedBase, MatrixSymbol, Sum, ZeroMatrix, log, pi, symbols

from symem import (
    Binary,
    Labels,
    Model,
    MultivariateNormal,
    Normal,
    NotDerivedError,
    Positive,
    Reals,
)
from symem.derivation import Status
from symem.em import EM
from symem.language.leaves import IndexedVector

Array = np.ndarray[Any, np.dtype[Any]]
n, J, K, L, R, d = symbols("n J K L R d", integer=True, positive=True)
i, j, k, q, r = Idx("i", n), Idx("j", J), Idx("k", K), Idx("q", L), Idx("r", R)
y, a, b, c, g, h, f, x = map(IndexedBase, ["y", "a", "b", "c", "g", "h", "f", "x"])
w, X = MatrixSymbol("w", d, 1), IndexedVector("X", d)
mu, s, ta, tb, tc, m = symbols("mu s ta tb tc m")

rng = np.random.default_rng(7)
G, H, F = rng.integers(0, 3, 25), rng.integers(0, 4, 25), rng.integers(0, 2, 25)
ROWS, WIDE = rng.normal(size=25), rng.normal(size=(25, 2))
SEEN = rng.normal(size=25) + G - 0.5 * H
GRID = rng.normal(size=(3, 4)) + np.arange(3)[:, None]
first, second, third, cells = np.eye(3)[G], np.eye(4)[H], np.eye(2)[F], np.eye(12)[4 * G + H]

#: The standard deviations at which a step is taken, the mean and the noise.
SPREADS = {"ta": 0.8, "tb": 0.5, "tc": 0.6}
MEAN, NOISE = 0.3, 1.1

TWO = {a[j]: Normal(0, ta), b[k]: Normal(0, tb)}


def rows(mean: Any, laws: Any = None, **more: Any) -> Model:
    laws = TWO if laws is None else laws
    latent = [getattr(each, "base", each) for each in laws]
    return Model({**laws, y[i]: Normal(mean, s)}, latent=latent, **more)


def by_likelihood() -> Model:
    def square(value: Any, spread: Any) -> Any:
        return -log(spread) - log(2 * pi) / 2 - value**2 / (2 * spread**2)

    whole = Sum(square(y[i] - mu - a[g[i]] - b[h[i]], s), (i, 0, n - 1))
    whole += Sum(square(a[j], ta), (j, 0, J - 1)) + Sum(square(b[k], tb), (k, 0, K - 1))
    return Model.from_likelihood(
        log_likelihood=whole,
        latent={a: Reals(), b: Reals()},
        parameters={mu: Reals(), s: Positive(), ta: Positive(), tb: Positive()},
        known={g: Labels(J), h: Labels(K)},
    )


#: A model, its data, the design of each of its effects.
CASES: dict[str, tuple[Callable[[], Model], dict[str, Any], list[Array]]] = {
    "crossed": (
        lambda: rows(mu + a[g[i]] + b[h[i]], known=[g, h]),
        {"y": SEEN, "g": G, "h": H, "J": 3, "K": 4},
        [first, second],
    ),
    "crossed, by likelihood": (by_likelihood, {"y": SEEN, "g": G, "h": H, "J": 3, "K": 4}, [first, second]),
    "a grid": (
        lambda: Model({**TWO, y[j, k]: Normal(mu + a[j] + b[k], s)}, latent=[a, b]),
        {"y": GRID},
        [np.kron(np.eye(3), np.ones((4, 1))), np.kron(np.ones((3, 1)), np.eye(4))],
    ),
    "a slope that crosses": (
        lambda: rows(mu + a[g[i]] * x[i] + b[h[i]], known=[g, h, x]),
        {"y": SEEN, "g": G, "h": H, "x": ROWS, "J": 3, "K": 4},
        [first * ROWS[:, None], second],
    ),
    "intercept and slope by one label": (
        lambda: rows(mu + a[g[i]] + b[g[i]] * x[i], {a[j]: Normal(0, ta), b[j]: Normal(0, tb)}, known=[g, x]),
        {"y": SEEN, "g": G, "x": ROWS, "J": 3},
        [first, first * ROWS[:, None]],
    ),
    "nested": (
        lambda: rows(
            mu + a[g[i]] + b[g[i], h[i]], {a[j]: Normal(0, ta), b[j, k]: Normal(0, tb)}, known=[g, h]
        ),
        {"y": SEEN, "g": G, "h": H, "J": 3, "K": 4},
        [first, cells],
    ),
    "beside a vector": (
        lambda: rows(
            mu + a[g[i]] + X[i].T * w,
            {a[j]: Normal(0, ta), w: MultivariateNormal(ZeroMatrix(d, 1), tb**2 * Identity(d))},
            known=[g, X],
        ),
        {"y": SEEN, "g": G, "X": WIDE, "J": 3},
        [first, WIDE],
    ),
    "three that cross": (
        lambda: rows(mu + a[g[i]] + b[h[i]] + c[f[i]], {**TWO, c[q]: Normal(0, tc)}, known=[g, h, f]),
        {"y": SEEN, "g": G, "h": H, "f": F, "J": 3, "K": 4, "L": 2},
        [first, second, third],
    ),
}


def truth(designs: list[Array], seen: Array) -> tuple[float, dict[str, float]]:
    """The log-likelihood at the standard deviations above, and the step from there."""
    spreads = list(SPREADS.values())[: len(designs)]
    design = np.hstack(designs)
    prior = np.repeat(np.square(spreads), [each.shape[1] for each in designs])
    law = scipy.stats.multivariate_normal(
        np.full(len(seen), MEAN), NOISE**2 * np.eye(len(seen)) + (design * prior) @ design.T
    )
    spread = np.linalg.inv(design.T @ design / NOISE**2 + np.diag(1 / prior))
    mean = spread @ design.T @ (seen - MEAN) / NOISE**2
    level = (seen - design @ mean).mean()
    left = ((seen - level - design @ mean) ** 2).sum() + np.trace(design @ spread @ design.T)
    ends = np.cumsum([each.shape[1] for each in designs])[:-1]
    squares = np.split(mean**2 + np.diag(spread), ends)
    step = {name: each.mean() ** 0.5 for name, each in zip(SPREADS, squares, strict=False)}
    return float(law.logpdf(seen)), {**step, "mu": level, "s": (left / len(seen)) ** 0.5}


@cache
def derived(name: str) -> EM:
    return CASES[name][0]().derive()


#: The others are met where slow tests are.
QUICK = {"crossed", "a grid", "intercept and slope by one label"}


@pytest.mark.parametrize(
    "name",
    [
        each if each in QUICK else pytest.param(each, marks=pytest.mark.slow)
        for each in CASES
        if not each.startswith("three")  # they climb the ladder below
    ],
)
def test_the_step_is_that_of_the_joint_law(name: str) -> None:
    _, data, designs = CASES[name]
    em = derived(name)
    likelihood, step = truth(designs, data["y"].ravel())
    theta = {each: {**SPREADS, "mu": MEAN, "s": NOISE}[each] for each in step}
    solver = em.solver(verify=False)
    assert solver.log_likelihood(theta, **data) == pytest.approx(likelihood, rel=1e-12)
    after = solver.em_step(theta, **data)
    assert {each: float(getattr(after, each)) for each in step} == pytest.approx(step, rel=1e-10)
    assert {claim.status for each in em.certificates for claim in each.claims} == {Status.PROVED}


def test_a_mean_given_other_effects_is_predicted_on_average() -> None:
    _, data, designs = CASES["crossed"]
    em = derived("crossed")
    theta = {"ta": 0.8, "tb": 0.5, "mu": MEAN, "s": NOISE}
    design, prior = np.hstack(designs), np.repeat([0.64, 0.25], [3, 4])
    spread = np.linalg.inv(design.T @ design / NOISE**2 + np.diag(1 / prior))
    mean = spread @ design.T @ (SEEN - MEAN) / NOISE**2
    found = em.solver(verify=False).predict(theta, **data)
    np.testing.assert_allclose([*found.a, *found.b], mean, rtol=1e-10)


def test_what_was_written_is_what_is_told() -> None:
    """b is read as a vector; its entries are b_k, and it is drawn as the numbers that were declared."""
    em = derived("crossed")
    assert "b       latent     K       Reals" in str(em.model)
    assert "⟨(b_k)²⟩" in str(em)
    drawn = em.sample({"ta": 0.8, "tb": 0.5, "mu": 0.3, "s": 1.1}, g=G, h=H, J=3, K=4, seed=0)
    assert np.shape(drawn["y"]) == (25,)
    assert "E_b[h[i], 0]" in str(em.statistics)


def test_a_mean_of_its_own_is_drawn_for_every_number() -> None:
    em = rows(a[g[i]] + b[h[i]], {a[j]: Normal(0, ta), b[k]: Normal(m, tb)}, known=[g, h]).derive()
    theta = {"ta": 0.8, "tb": 0.5, "m": MEAN, "s": NOISE}
    likelihood, _ = truth([first, second], SEEN)
    found = em.solver(verify=False).log_likelihood(theta, y=SEEN, g=G, h=H, J=3, K=4)
    assert found == pytest.approx(likelihood, rel=1e-12)


def test_a_number_that_is_0_or_1_chooses_between_two_effects() -> None:
    """e² = e: no row holds both, so neither stands in the other's mean."""
    chosen = (ROWS > 0).astype(float)
    laws = {**TWO, y[i]: Normal(mu + x[i] * a[g[i]] + (1 - x[i]) * b[h[i]], s)}
    em = Model(laws, latent=[a, b], known={x: Binary(), g: Labels(J), h: Labels(K)}).derive()
    designs = [first * chosen[:, None], second * (1 - chosen)[:, None]]
    likelihood, step = truth(designs, SEEN)
    theta = {"ta": 0.8, "tb": 0.5, "mu": MEAN, "s": NOISE}
    data = {"y": SEEN, "g": G, "h": H, "x": chosen, "J": 3, "K": 4}
    solver = em.solver()
    assert solver.log_likelihood(theta, **data) == pytest.approx(likelihood, rel=1e-12)
    after = solver.em_step(theta, **data)
    assert {each: float(getattr(after, each)) for each in step} == pytest.approx(step, rel=1e-10)


def test_an_effect_whose_mean_is_another_of_the_same_label() -> None:
    laws = {a[j]: Normal(0, ta), b[j]: Normal(m * a[j], tb), y[i]: Normal(b[g[i]], s)}
    em = Model(laws, latent=[a, b], known=[g]).derive()
    theta = {"ta": 0.8, "tb": 0.5, "m": 0.6, "s": NOISE}
    covariance = (0.36 * 0.64 + 0.25) * first @ first.T + NOISE**2 * np.eye(25)
    law = scipy.stats.multivariate_normal(np.zeros(25), covariance)
    found = em.solver(verify=False).log_likelihood(theta, y=SEEN, g=G, J=3)
    assert found == pytest.approx(law.logpdf(SEEN), rel=1e-12)


def test_one_array_at_two_labels_is_refused() -> None:
    with pytest.raises(NotDerivedError, match=r"a\[g\[i\]\] and a\[h\[i\]\] stand in one term"):
        rows(mu + a[g[i]] + a[h[i]], {a[j]: Normal(0, ta)}, known=[g, h]).derive()


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_the_ladder_passes(name: str) -> None:
    report = derived(name).verify()
    assert report.passed, str(report)


@pytest.mark.slow
def test_whole_plates_may_cross() -> None:
    laws = {a[r, j]: Normal(0, ta), b[r, k]: Normal(0, tb), y[r, j, k]: Normal(mu + a[r, j] + b[r, k], s)}
    report = Model(laws, latent=[a, b]).derive().verify()
    assert report.passed, str(report)
