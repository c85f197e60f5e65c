"""Equations without closed form whose left side falls: the root, that it is the maximum, and what the data may do."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import scipy
from sympy import Expr, Idx, IndexedBase, Symbol, besseli, digamma, log, loggamma, sqrt, symbols

from symem import (
    EM,
    Beta,
    Categorical,
    ChiSquared,
    Exponential,
    Gamma,
    GammaInverse,
    Model,
    Normal,
    Poisson,
    Positive,
    maximise,
)
from symem.calculus.falling_functions import falls, is_of_known_functions, parts_of
from symem.derivation import Status
from symem.runtime.with_scipy import _falling_root
from tests.derived import em

n, K = symbols("n K", integer=True, positive=True)
i, k = Idx("i", n), Idx("k", K)
x, z, w, u, a, b, mu, s, nu = map(IndexedBase, ["x", "z", "w", "u", "a", "b", "mu", "s", "nu"])
A, B, c = symbols("A B c", positive=True)
v = Symbol("v", positive=True)


def sign(expr: Expr) -> int | None:
    """Of numbers and of positive letters."""
    return 1 if expr.is_nonnegative else -1 if expr.is_nonpositive else None


FALLING = [
    log(v) - digamma(v),
    log(v) / 2 - digamma(v / 2) / 2 - c,
    -digamma(v) + 3 / v,
    digamma(v + c) - digamma(v),
    digamma(2 * v) - digamma(v),
    -c * besseli(1, v) / besseli(0, v) - 2 * v,
]
NOT_KNOWN_TO_FALL = [
    digamma(v) - log(v),
    2 * log(v) - digamma(v),
    digamma(v) - digamma(v + c),
    besseli(1, v) / besseli(0, v) - 1,
    -digamma(v) + v,
]


@pytest.mark.parametrize("function", FALLING, ids=str)
def test_what_is_told_to_fall_falls(function: Expr) -> None:
    parts = parts_of(function, v)
    assert is_of_known_functions(parts, v)
    assert falls(parts, v, sign)
    values = [float(function.subs({c: 1.3, v: at}).evalf()) for at in np.geomspace(1e-3, 1e3, 60)]
    assert np.all(np.diff(values) < 0)


@pytest.mark.parametrize("function", NOT_KNOWN_TO_FALL, ids=str)
def test_what_rises_somewhere_is_not_told_to_fall(function: Expr) -> None:
    assert not falls(parts_of(function, v), v, sign)


def gamma_equation(at: Any, gap: Any) -> tuple[Any, Any]:
    return np.log(at) - scipy.special.digamma(at) - gap, 1 / at - scipy.special.polygamma(1, at)


def test_the_root_is_found_over_forty_orders_of_magnitude() -> None:
    roots = np.geomspace(1e-30, 1e6, 73)
    gaps = gamma_equation(roots, 0.0)[0]
    found = _falling_root(gamma_equation, gaps)
    np.testing.assert_array_less(np.abs(found / roots - 1), 1e-12 + 1e-14 * roots)


def test_where_there_is_no_root_it_lies_at_an_end() -> None:
    found = _falling_root(
        lambda at, level: (level - at / (1 + at), -1 / (1 + at) ** 2), np.array([-0.1, 0.5, 1.2, np.nan])
    )
    assert found[[0, 2]].tolist() == [0.0, np.inf]
    assert found[1] == pytest.approx(1.0, rel=1e-13)
    assert np.isnan(found[3])


def test_maximise_gives_a_root_that_sympy_can_use() -> None:
    found = maximise(A * v - B * loggamma(v), {v: Positive()})[v]
    at = found.subs({A: 1, B: 2})
    assert float(digamma(at.evalf())) == pytest.approx(0.5, rel=1e-12)
    slope = found.diff(A).subs({A: 1, B: 2}).xreplace({at: at.evalf()})
    step = (found.subs({A: 1.001, B: 2}).evalf() - found.subs({A: 0.999, B: 2}).evalf()) / 0.002
    assert float(slope) == pytest.approx(float(step), rel=1e-5)
    assert str(found).startswith("root(v > 0:")


def mixed(law: Any, **options: Any) -> EM:
    return Model({z[i]: Categorical(w[k]), x[i]: law}, latent=[z], **options).derive()


DERIVED: Mapping[str, Any] = {
    "inverse gamma": lambda: mixed(GammaInverse(a[z[i]], b[z[i]])),
    "one shape for all": lambda: mixed(Gamma(A, b[z[i]])),
    "one scale for all": lambda: mixed(Gamma(a[z[i]], B)),
    "prior on shapes": lambda: mixed(Gamma(a[z[i]], b[z[i]]), known=[c], prior={a[k]: Gamma(2, c)}),
    "degrees of freedom": lambda: mixed(ChiSquared(nu[z[i]])),
    "both of a beta": lambda: mixed(Beta(a[z[i]], b[z[i]])),
    "one of a beta": lambda: mixed(Beta(a[z[i]], B), known=[B]),
    "frailty": lambda: Model({u[i]: Gamma(A, 1 / A), x[i]: Exponential(B * u[i])}, latent=[u]).derive(),
    "t mixture": lambda: Model(
        {
            z[i]: Categorical(w[k]),
            u[i]: Gamma(nu[z[i]] / 2, 2 / nu[z[i]]),
            x[i]: Normal(mu[z[i]], s[z[i]] / sqrt(u[i])),
        },
        latent=[z, u],
    ).derive(),
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", DERIVED)
def test_models_climb_the_ladder(name: str) -> None:
    algorithm = DERIVED[name]()
    assert not algorithm.derivation.not_derived
    assert any(update.law == "falling equation" for update in algorithm.derivation.updates)
    for certificate in algorithm.certificates:
        assert {claim.status for claim in certificate.claims} <= {Status.PROVED, Status.UNDER, Status.CHECKED}
    found = algorithm.verify()
    assert {rung.name: rung.passed for rung in found.rungs if rung.name < "V5"} == dict.fromkeys(
        ["V0", "V1", "V2", "V3", "V4"], True
    )


def test_both_shapes_of_a_beta_are_proved_to_be_the_maximum() -> None:
    found = {str(each.parameter): each for each in em("betabinom_latent_beta").certificates}
    assert {claim.status for each in found.values() for claim in each.claims} == {Status.UNDER}
    (exists,) = found["a"].conditions
    letters = {each.name: each for each in exists.free_symbols}

    def holds(one: float, other: float) -> bool:
        """With the geometric means of q and 1 - q; by Jensen their sum is below 1 unless all q are equal."""
        at = {letters["n"]: 7, letters["S_0"]: 7 * log(one), letters["S_1"]: 7 * log(other)}
        return bool(exists.subs({name: float(value) for name, value in at.items()}))

    assert holds(0.3, 0.6)
    assert holds(0.6, 0.3)
    assert not holds(0.3, 0.8)


def test_one_component_is_the_maximum_likelihood_estimate() -> None:
    rows = np.random.default_rng(4).gamma(2.7, 3.1, 500)
    fit = em("gamma_mixture").fit(y=rows, K=1, seed=0)
    shape, _, scale = scipy.stats.gamma.fit(rows, floc=0)
    assert fit.parameters.a[0] == pytest.approx(shape, rel=1e-6)
    assert 1 / fit.parameters.b[0] == pytest.approx(scale, rel=1e-6)
    assert fit.log_likelihood == pytest.approx(
        scipy.stats.gamma.logpdf(rows, shape, 0, scale).sum(), rel=1e-10
    )


def test_the_plain_style_finds_the_same_root() -> None:
    algorithm = em("gamma_mixture")
    scope: dict[str, Any] = {}
    exec(algorithm.source(style="plain"), scope)
    rows = np.random.default_rng(5).gamma(2.0, 1.5, 200)
    start = (np.array([0.4, 0.6]), np.array([1.0, 3.0]), np.array([0.5, 2.0]))
    plain = scope["em"](*start, rows, tol=0.0, max_iter=3)
    theta = dict(zip(("w", "a", "b"), start, strict=True))
    for _ in range(3):
        theta = algorithm.solver().em_step(theta, y=rows)._asdict()
    np.testing.assert_allclose(plain[1], theta["a"], rtol=1e-10)


@pytest.mark.parametrize(
    "rows", [np.full(20, 3.0), np.array([2.0]), 3 + 1e-7 * np.arange(30)], ids=["equal", "one", "near"]
)
def test_rows_that_have_no_spread_are_named(rows: Any) -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        fit = em("gamma_mixture").fit(y=rows, K=1, seed=0)
    assert not fit.converged
    assert any(each.category.__name__ == "LostDigitsWarning" and "a[0]" in str(each.message) for each in told)


def test_counts_of_a_negative_binomial() -> None:
    rows = np.random.default_rng(6).negative_binomial(3, 0.4, 800)
    fit = (
        Model({u[i]: Gamma(A, 1 / B), x[i]: Poisson(u[i])}, latent=[u])
        .derive()
        .fit(x=rows, seed=0, max_iter=20_000)
    )

    def less(theta: Any) -> float:
        size, rate = np.exp(theta)
        return -float(scipy.stats.nbinom.logpmf(rows, size, rate / (1 + rate)).sum())

    best = scipy.optimize.minimize(less, [0.0, 0.0], method="BFGS", options={"gtol": 1e-8})
    assert fit.log_likelihood == pytest.approx(-best.fun, rel=1e-9)
