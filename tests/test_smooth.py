"""Blocks in which Q is smooth and not known to be concave: negative binomial sizes; and gamma functions that are so in pairs."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
import scipy
from sympy import Expr, Idx, IndexedBase, Sum, Symbol, exp, loggamma, symbols

from symem import EM, Categorical, Dirichlet, Model, NegativeBinomial
from symem.calculus.differentiate import Unknown
from symem.calculus.gamma_pairs import in_ratios, is_concave
from symem.calculus.separate import rejoin, separate
from symem.derivation import Ascent, Chart, Status
from symem.errors import ModelError
from symem.language.demands import spread
from symem.language.plates import Axis
from symem.language.special import LogGammaRatio
from symem.language.supports import Positive, UnitInterval
from symem.runtime.newton import Place, _climbed
from symem.runtime.with_scipy import _trigamma

n, K = symbols("n K", integer=True, positive=True)
i, k = Idx("i", n), Idx("k", K)
x, z, t, w, r, p, a, b = map(IndexedBase, ["x", "z", "t", "w", "r", "p", "a", "b"])
size = symbols("p", positive=True)


@functools.cache
def sizes() -> EM:
    return Model({z[i]: Categorical(w[k]), x[i]: NegativeBinomial(r[z[i]], p[z[i]])}, latent=[z]).derive()


@functools.cache
def regression() -> EM:
    mean = exp(a[z[i]] + b[z[i]] * t[i])
    share = r[z[i]] / (r[z[i]] + mean)
    return Model(
        {z[i]: Categorical(w[k]), x[i]: NegativeBinomial(r[z[i]], share)}, latent=[z], known=[t]
    ).derive()


# what is concave in pairs -------------------------------------------------------------------------------------

u, v = symbols("u v", positive=True)
c = Symbol("c", positive=True)
m, j = Symbol("m", integer=True, positive=True), Symbol("j", integer=True, nonnegative=True)
alpha = IndexedBase("alpha", positive=True)
PAIRS: dict[Expr, bool] = {
    c * loggamma(u + 3) - c * loggamma(u): True,
    c * loggamma(u + 3) - 2 * c * loggamma(u): True,
    2 * c * loggamma(u + 3) - c * loggamma(u): False,
    c * loggamma(u - c) - c * loggamma(u): False,
    c * loggamma(u) - c * loggamma(u + 3): False,
    c * loggamma(u + v) - c * loggamma(u) - c * loggamma(v) + 2 * u: True,
    c * loggamma(u + v) - c * loggamma(u): False,
    c * loggamma(u + v + 1) - c * loggamma(u) - c * loggamma(v): False,
}


def sign(expr: Expr) -> int | None:
    """Of numbers and of positive letters."""
    return 0 if expr.is_zero else 1 if expr.is_nonnegative else -1 if expr.is_nonpositive else None


@pytest.mark.parametrize("number", range(len(PAIRS)))
def test_gamma_functions_are_concave_in_pairs(number: int) -> None:
    expr = list(PAIRS)[number]
    unknowns = (Unknown(u, ()), Unknown(v, ()))
    assert is_concave(separate(expr), unknowns, sign, (Chart("positive"),) * 2) == PAIRS[expr]
    assert not is_concave(separate(expr), unknowns, sign, (Chart("log"),) * 2)


def test_the_log_partition_of_a_dirichlet_law_is_convex() -> None:
    expr = c * loggamma(Sum(alpha[j], (j, 0, m - 1))) - c * Sum(loggamma(alpha[j]), (j, 0, m - 1))
    vector = (Unknown(alpha[j], (Axis(j, m),)),)
    assert is_concave(separate(expr), vector, sign, (Chart("positive"),))
    assert not is_concave(separate(-expr), vector, sign, (Chart("positive"),))


def test_a_pair_is_one_function_that_keeps_its_digits() -> None:
    unknown = (Unknown(u, ()),)
    found = rejoin(in_ratios(separate(c * loggamma(u + 3) - c * loggamma(u)), unknown, sign))
    assert found == c * LogGammaRatio(u, 3)
    assert LogGammaRatio(u, 3).diff(u).subs(u, 2).evalf() == pytest.approx(1 / 2 + 1 / 3 + 1 / 4)
    kept = c * loggamma(u + 3) - 2 * c * loggamma(u)
    assert rejoin(in_ratios(separate(kept), unknown, sign)) == kept


def test_trigamma() -> None:
    with mpmath.workdps(40):
        points = np.logspace(-8, 8, 65)
        right = [float(mpmath.psi(1, mpmath.mpf(each))) for each in points]
    np.testing.assert_allclose(_trigamma(points), right, rtol=1e-15)


def test_a_share_asks_for_positive_parts() -> None:
    assert dict(spread(u / (u + v), UnitInterval())) == {"u": Positive(), "v": Positive()}
    assert dict(spread(u * v, UnitInterval())) == {"u": UnitInterval(), "v": UnitInterval()}


# the ascent ---------------------------------------------------------------------------------------------------


def test_from_a_hollow_the_ascent_goes_upwards() -> None:
    """cos bends upwards around π; Newton's method alone would stay at the bottom."""

    def at(point: Any) -> Place:
        return Place(float(np.cos(point[0])), -np.sin(point), -np.diag(np.cos(point)))

    for start in (2.0, 3.0, 4.0):
        assert np.cos(_climbed(at, np.array([start])).point) == pytest.approx([1.0])


# models -------------------------------------------------------------------------------------------------------

THETA = {"w": [0.4, 0.6], "r": [2.0, 9.0], "p": [0.2, 0.5]}


@functools.cache
def counts() -> Any:
    rng = np.random.default_rng(3)
    return np.concatenate([rng.negative_binomial(3, 0.3, 150), rng.negative_binomial(20, 0.4, 100)])


def test_a_step_is_the_maximum_of_q() -> None:
    """Q by SciPy's own probabilities, climbed without derivatives of ours."""
    rows = counts()
    logs = np.log(THETA["w"]) + scipy.stats.nbinom.logpmf(rows[:, None], THETA["r"], THETA["p"])
    share = np.exp(logs - scipy.special.logsumexp(logs, axis=1, keepdims=True))
    found = sizes().solver().em_step(THETA, x=rows)
    np.testing.assert_allclose(found.w, share.mean(0), rtol=1e-12)
    for label in range(2):

        def fall(free: Any, weight: Any = share[:, label]) -> float:
            at = np.exp(free[0]), 1 / (1 + np.exp(-free[1]))
            return -float(weight @ scipy.stats.nbinom.logpmf(rows, *at))

        best = scipy.optimize.minimize(fall, [0.0, 0.0], method="BFGS", options={"gtol": 1e-7})
        here = np.array([np.log(found.r[label]), np.log(found.p[label] / (1 - found.p[label]))])
        np.testing.assert_allclose(here, best.x, rtol=1e-4)
        assert fall(here) <= best.fun + 1e-10 * abs(best.fun)


def test_what_is_told_of_it() -> None:
    found = sizes()
    assert {each.parameter.base.name for each in found.derivation.updates if isinstance(each, Ascent)} == {
        "p",
        "r",
    }
    text = str(found)
    assert "p_k = N_k r_k / (S_0k + N_k r_k)" in text
    assert "r_k: proved: support; checked: stationarity, second order" in text
    assert "climbs from the old values to a maximum, which need not be the highest" in found.markdown()


def test_with_a_known_probability_it_is_proved() -> None:
    model = Model({z[i]: Categorical(w[k]), x[i]: NegativeBinomial(r[z[i]], size)}, latent=[z], known=[size])
    (found,) = [each for each in model.derive().derivation.certificates if each.parameter.base.name == "r"]
    assert {claim.status for claim in found.claims} == {Status.PROVED}


def test_a_regression_is_the_maximum_likelihood_estimate() -> None:
    rng = np.random.default_rng(1)
    covariate = rng.normal(size=300)
    mean = np.exp(1 + 0.5 * covariate)
    rows = rng.negative_binomial(3, 3 / (3 + mean))

    def fall(free: Any) -> float:
        rate = np.exp(free[0] + free[1] * covariate)
        return -float(
            scipy.stats.nbinom.logpmf(rows, np.exp(free[2]), 1 / (1 + rate / np.exp(free[2]))).sum()
        )

    best = scipy.optimize.minimize(fall, [0.0, 0.0, 0.0], method="BFGS", options={"gtol": 1e-6})
    fit = regression().fit(x=rows, t=covariate, K=1, seed=0)
    assert fit.converged
    assert fit.log_likelihood == pytest.approx(-best.fun, rel=1e-10)
    assert fit.parameters.r[0] == pytest.approx(np.exp(best.x[2]), rel=1e-4)


def test_a_fit_never_falls_and_finds_what_was_drawn() -> None:
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.negative_binomial(3, 0.3, 3000), rng.negative_binomial(20, 0.4, 2000)])
    fit = sizes().fit(x=rows, K=2, seed=0, accelerate="auto")
    assert fit.converged
    assert np.all(np.diff(fit.history) > -1e-9)
    assert sorted(fit.parameters.r) == pytest.approx([3, 20], rel=0.2)


@pytest.mark.parametrize(
    "rows",
    [np.zeros(20, dtype=int), np.full(20, 4), np.array([3]), np.array([3, 4, 5, 4, 6])],
    ids=["zeros", "equal", "one", "less spread than Poisson's"],
)
def test_counts_without_a_size_are_named(rows: Any) -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        fit = sizes().fit(x=rows, K=1, seed=0)
    assert not fit.converged
    assert np.isfinite(fit.log_likelihood)
    assert any(each.category.__name__ == "BoundaryWarning" and "r[0]" in str(each.message) for each in told)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("model", [sizes, regression])
def test_models_climb_the_ladder(model: Callable[[], EM]) -> None:
    found = model().verify(seed=0)
    assert {rung.name: rung.passed for rung in found.rungs if rung.name < "V5"} == dict.fromkeys(
        ["V0", "V1", "V2", "V3", "V4"], True
    )
    assert not any(rung.name == "V6" and rung.passed is False for rung in found.rungs)


# Dirichlet laws -----------------------------------------------------------------------------------------------

d = symbols("d", integer=True, positive=True)
cell, shares = Idx("j", d), IndexedBase("alpha")


@functools.cache
def compositions() -> EM:
    laws = {z[i]: Categorical(w[k]), x[i, cell]: Dirichlet(shares[z[i], cell])}
    return Model(laws, latent=[z]).derive()


def log_dirichlet(rows: Any, alpha: Any) -> Any:
    """log p of each row by SciPy's log Γ."""
    whole = scipy.special.gammaln(alpha.sum()) - scipy.special.gammaln(alpha).sum()
    return whole + np.log(rows) @ (alpha - 1)


def drawn_shares() -> Any:
    rng = np.random.default_rng(5)
    return np.vstack([rng.dirichlet([2, 3, 5], 60), rng.dirichlet([10, 1, 4], 40)])


def test_a_step_of_dirichlet_laws_is_the_maximum_of_q() -> None:
    rows, before = drawn_shares(), np.array([[1.0, 2.0, 3.0], [5.0, 1.0, 2.0]])
    logs = np.stack([log_dirichlet(rows, each) for each in before]) + np.log([[0.3], [0.7]])
    share = np.exp(logs - scipy.special.logsumexp(logs, axis=0))
    found = compositions().solver().em_step({"w": [0.3, 0.7], "alpha": before}, x=rows)
    for weight, after in zip(share, found.alpha, strict=True):
        mean = (weight @ np.log(rows)) / weight.sum()
        left = scipy.special.digamma(after) - scipy.special.digamma(after.sum()) - mean
        assert np.abs(left).max() < 1e-10


def test_dirichlet_laws_need_statistics_alone_and_are_proved() -> None:
    found = compositions()
    (update,) = [each for each in found.derivation.updates if isinstance(each, Ascent)]
    assert not update.within.over_rows
    (certificate,) = [each for each in found.derivation.certificates if each.parameter == update.parameter]
    assert {claim.status for claim in certificate.claims} == {Status.PROVED}
    assert "multivariate beta function" in certificate.claims[1].argument
    assert "statistics are all that its steps need" in found.markdown()


def test_shares_side_by_side_are_climbed_together() -> None:
    parts, arrays = map(IndexedBase, ["y1", "y2", "y3"]), map(IndexedBase, ["a1", "a2", "a3"])
    law = Dirichlet(*(each[z[i]] for each in arrays))
    model = Model({z[i]: Categorical(w[k]), tuple(each[i] for each in parts): law}, latent=[z])
    found, rows = model.derive(), drawn_shares()
    assert sum(isinstance(each, Ascent) for each in found.derivation.updates) == 3
    fit = found.fit(y1=rows[:, 0], y2=rows[:, 1], y3=rows[:, 2], K=1, seed=0)
    same = compositions().fit(x=rows, K=1, seed=0)
    assert fit.log_likelihood == pytest.approx(same.log_likelihood, rel=1e-12)
    assert [fit.parameters.a1[0], fit.parameters.a3[0]] == pytest.approx(
        same.parameters.alpha[0, ::2], rel=1e-7
    )


def test_compositions_are_drawn() -> None:
    theta = {"w": [0.5, 0.5], "alpha": [[20.0, 30.0, 50.0], [20.0, 30.0, 50.0]]}
    rows = compositions().sample(theta, n=400, seed=1)["x"]
    np.testing.assert_allclose(rows.sum(1), 1)
    np.testing.assert_allclose(rows.mean(0), [0.2, 0.3, 0.5], atol=0.01)


def test_latent_shares_are_refused() -> None:
    laws = {z[i]: Categorical(w[k]), x[i, cell]: Dirichlet(shares[z[i], cell])}
    with pytest.raises(ModelError, match=r"is read of what is observed"):
        Model(laws, latent=[z], missing=[x])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_dirichlet_laws_climb_the_ladder() -> None:
    assert compositions().verify(seed=0).passed
