"""Where a fit ends: near its limit by what is left, never on a saddle or beside a value that was only kept; and the
start is in the units of the data.
"""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
import pytest
import scipy
from sympy import Identity, Idx, IndexedBase, MatrixSymbol, ZeroMatrix, symbols

from symem import (
    Bernoulli,
    Categorical,
    DataError,
    IndexedVector,
    Model,
    MultivariateNormal,
    Normal,
    Poisson,
    diag,
)
from symem.codegen.emit import load
from symem.em import EM
from symem.runtime.convergence import _Distance
from symem.runtime.loop import _iterate
from symem.runtime.outcome import _warn_of_edges

n, K = symbols("n K", integer=True, positive=True)
i, k = Idx("i", n), Idx("k", K)
x, z, w, mu, sigma = map(IndexedBase, ["x", "z", "w", "mu", "sigma"])


class Point(NamedTuple):
    a: Any


# the distance that is left ----------------------------------------------------------------------------------


def path(steps: list[float]) -> list[Point]:
    """Points so far apart, as shares of their largest entry, which is 1."""
    return [Point(np.array([1.0, place])) for place in np.cumsum([0.0, *steps]) - 1]


@pytest.mark.parametrize("rate", [0.1, 0.9, 0.999])
def test_what_is_left_of_a_geometric_series(rate: float) -> None:
    left, points = _Distance(), path([rate, rate**2])
    for power in (1, 2):
        left.moved(rate ** (2 * power), *points[power - 1 : power + 1])
    assert left.parameters == pytest.approx(rate**3 / (1 - rate))
    assert left.objective == pytest.approx(rate**6 / (1 - rate**2))


def test_steps_that_grow_are_no_end() -> None:
    left, steps = _Distance(), [1e-9, 1.01e-9]
    points = path(steps)
    for place, step in enumerate(steps):
        left.moved(step**2, *points[place : place + 2])
    assert not left.is_short(1e-10, 1)


@pytest.mark.parametrize("rate", [0.5, 0.99, 0.999])
@pytest.mark.parametrize("unit", [1e-8, 1.0, 1e8])
def test_the_limit_is_as_near_as_the_tolerance_says(rate: float, unit: float) -> None:
    """A step that takes the same share of the way, whatever the rate and the unit: to the root of tol."""
    limit = 3.0 * unit

    def step(theta: Point) -> tuple[Point, float]:
        return Point(limit + rate * (theta.a - limit)), -(((theta.a - limit) / unit) ** 2)

    last, history, converged, *_ = _iterate(step, Point(unit), scale=1, tol=1e-8, max_iter=100_000)
    assert converged
    assert abs(last.a / limit - 1) < 1.5e-4
    assert len(history) < 12 / (1 - rate)


def test_steps_that_fade_like_a_power_end_by_the_tolerance() -> None:
    """Towards the edge of a support: a_t is near 1 / t, and no two steps tell how far it is to 0."""

    def step(theta: Point) -> tuple[Point, float]:
        return Point(theta.a / (1 + theta.a)), -theta.a

    last, history, converged, *_ = _iterate(step, Point(1.0), scale=1, tol=1e-6, max_iter=10_000)
    assert converged
    assert last.a == pytest.approx(1 / len(history))
    assert 900 < len(history) < 1100


# Deaths of women of 80 and more in The Times, by day (Hasselblad 1969): how many days had 0, 1, ..., 9.
DAYS = np.array([162, 267, 271, 185, 111, 61, 27, 8, 3, 1])


def direct_maximum() -> Any:
    """Two Poisson rates by Newton's method on the likelihood of the table, apart from EM."""
    deaths = np.arange(10)

    def loss(theta: np.ndarray) -> float:
        share, rates = scipy.special.expit(theta[0]), np.exp(theta[1:])
        log_p = deaths * np.log(rates)[:, None] - rates[:, None] - scipy.special.gammaln(deaths + 1)
        return -float(DAYS @ np.logaddexp(np.log(share) + log_p[0], np.log1p(-share) + log_p[1]))

    found = scipy.optimize.minimize(
        loss, [-0.5, 0.2, 1.0], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-13, "maxiter": 9000}
    )
    return np.exp(found.x[1:])


def test_the_rates_of_the_times_are_right_to_their_digits() -> None:
    em = Model({z[i]: Categorical(w[k]), x[i]: Poisson(mu[z[i]])}, latent=[z]).derive()
    start = {"w": [0.3, 0.7], "mu": [1.0, 2.5]}
    found = em.fit(x=np.repeat(np.arange(10), DAYS), start=start)
    assert found.converged
    np.testing.assert_allclose(found.parameters.mu, direct_maximum(), rtol=3e-5)
    np.testing.assert_allclose(found.parameters.mu, [1.2561, 2.6634], atol=6e-5)


# saddles --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mixture() -> EM:
    return Model({z[i]: Categorical(w[k]), x[i]: Normal(mu[z[i]], sigma[z[i]])}, latent=[z]).derive()


TWO = np.random.default_rng(1).normal([[-2.0], [1.5]], 1.0, (2, 60)).ravel()


def test_equal_components_are_left(mixture: EM) -> None:
    """The likelihood at equal components is that of one Normal; two that differ are far above it."""
    with pytest.warns(UserWarning, match="stood still at iteration .* not at a maximum"):
        found = mixture.fit(x=TWO, start={"w": [0.5, 0.5], "mu": [0.0, 0.0], "sigma": [1.0, 1.0]})
    other = mixture.fit(x=TWO, start={"w": [0.5, 0.5], "mu": [-1.0, 1.0], "sigma": [1.0, 1.0]})
    assert found.converged
    assert found.log_likelihood == pytest.approx(other.log_likelihood, abs=1e-6)
    assert np.all(np.diff(found.history) > -1e-9)


def test_a_maximum_is_not_called_a_saddle(mixture: EM) -> None:
    near = mixture.fit(x=TWO, K=2, seed=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = mixture.fit(x=TWO, start=near.parameters)
    assert again.n_iter < 5
    np.testing.assert_allclose(again.parameters.mu, near.parameters.mu, rtol=1e-5)


def test_equal_classes_are_left() -> None:
    """Latent classes: with equal classes the items are independent, which they are not in these answers."""
    d = symbols("d", integer=True, positive=True)
    j = Idx("j", d)
    p, y = IndexedBase("p"), IndexedBase("y")
    em = Model({z[i]: Categorical(w[k]), y[i, j]: Bernoulli(p[z[i], j])}, latent=[z]).derive()
    answers = np.repeat([[0, 0, 0], [1, 1, 1], [0, 1, 0], [1, 0, 1]], [20, 25, 3, 4], axis=0)
    shares = answers.mean(axis=0)
    independent = (answers * np.log(shares) + (1 - answers) * np.log1p(-shares)).sum()
    with pytest.warns(UserWarning, match="stood still"):
        found = em.fit(y=answers, start={"w": [0.5, 0.5], "p": np.full((2, 3), 0.4)})
    assert found.log_likelihood > independent + 5


# factor analysis: W = 0 is a saddle, and the units are the data's -----------------------------------------------


def factors() -> EM:
    d, m = symbols("d m", integer=True, positive=True)
    rows, f = IndexedVector("x", d), IndexedVector("f", m)
    W, centre, psi = MatrixSymbol("W", d, m), MatrixSymbol("mu", d, 1), MatrixSymbol("psi", d, 1)
    return Model(
        {
            f[i]: MultivariateNormal(ZeroMatrix(m, 1), Identity(m)),
            rows[i]: MultivariateNormal(centre + W * f[i], diag(psi)),
        },
        latent=[f],
    ).derive()


def test_factors_are_found_in_every_unit_and_from_no_loadings() -> None:
    rng = np.random.default_rng(3)
    table = rng.normal(size=(150, 1)) @ rng.normal(size=(1, 4)) + rng.normal(size=(150, 4))
    em = factors()
    plain = em.fit(x=table, m=1, seed=0)
    for unit in (1e-8, 1e8):
        scaled = em.fit(x=table * unit, m=1, seed=0)
        assert scaled.log_likelihood + table.size * np.log(unit) == pytest.approx(
            plain.log_likelihood, abs=1e-4
        )
        np.testing.assert_allclose(scaled.parameters.psi / unit**2, plain.parameters.psi, rtol=1e-3)
    with pytest.warns(UserWarning, match="stood still"):
        found = em.fit(x=table, start={"W": np.zeros((4, 1)), "mu": np.zeros(4), "psi": np.ones(4)})
    assert found.log_likelihood == pytest.approx(plain.log_likelihood, abs=1e-4)


# kept values and edges -----------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore")
def test_a_value_that_was_kept_is_not_convergence(mixture: EM) -> None:
    assert not mixture.fit(x=np.ones(20), K=2, seed=0).converged
    assert not mixture.fit(
        x=np.r_[np.zeros(9), 5.0], start={"w": [0.5, 0.5], "mu": [0, 5], "sigma": [1, 1]}
    ).converged


def test_a_small_rate_that_is_well_determined_is_no_edge() -> None:
    """One event in 10⁷: the likelihood falls on both sides."""

    class Rates(NamedTuple):
        rate: Any

    table = {"rate": type("Spec", (), {"kind": "positive"})()}
    found = Rates(np.array([1e-7, 5.0]))

    def likelihood(theta: Rates) -> float:
        return float(
            np.sum(np.array([100.0, 100.0]) * np.log(theta.rate) - theta.rate * np.array([1e9, 20.0]))
        )

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _warn_of_edges(Rates(np.array([1.0, 1.0])), found, table, likelihood)


def test_parameters_outside_their_supports_are_no_fit(mixture: EM) -> None:
    """A module whose update of the scale has the wrong sign: the likelihood does not see it, the support does."""
    right = mixture.source()
    wrong = right.replace("sigma=np.sqrt(s.V / s.N)", "sigma=-np.sqrt(s.V / s.N)")
    assert wrong != right
    start = {"w": [0.5, 0.5], "mu": [-1.0, 1.0], "sigma": [1.0, 1.0]}
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = load(wrong).fit(x=TWO, start=start, max_iter=50)
    assert not found.converged
    assert any("sigma" in str(each.message) for each in said)


def test_a_warning_stands_at_the_line_of_whoever_asked(mixture: EM) -> None:
    """Not inside symem, whether the algorithm or its module is asked."""
    rows: Any = {"x": np.array([1.0, 1.2, 3.0, 3.1, 5.0]), "K": 2, "seed": 0, "max_iter": 2, "tol": 0.0}
    for door in (mixture, mixture.solver()):
        with pytest.warns(match="not converged after 2 iterations") as given:
            door.fit(**rows)
        assert {each.filename for each in given} == {__file__}


def test_a_row_that_no_start_explains_is_named() -> None:
    """Four counts where none can be: exposure 0."""
    N, lam = IndexedBase("N"), IndexedBase("lam")
    laws = {z[i]: Categorical(w[k]), x[i]: Poisson(N[i] * lam[z[i]])}
    em = Model(laws, latent=[z], known=[N]).derive()
    exposures, counts = np.ones(12), np.array([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8])
    exposures[7] = 0
    with pytest.raises(DataError, match=r"log-likelihood is finite; row 7 .* has none"):
        em.fit(x=counts, N=exposures, K=2, seed=0)


def test_a_frame_is_no_argument_of_a_draw(mixture: EM) -> None:
    fit = mixture.fit(x=[1.0, 1.2, 3.0, 3.1, 5.0], K=2, seed=0)
    with pytest.raises(DataError, match=r"fit\.sample\(n=100"):
        fit.sample({"x": [1.0]})
