"""Rows that count several times: the same as so many rows written out, and as a weighted likelihood maximised directly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest
import scipy
from sympy import Eq, Identity, Idx, IndexedBase, MatrixSymbol, Product, Sum, ZeroMatrix, log, symbols

from symem import (
    Bernoulli,
    Binary,
    Cases,
    Categorical,
    Dirac,
    Exponential,
    IndexedMatrix,
    IndexedVector,
    Model,
    ModelError,
    MultivariateNormal,
    Normal,
    NotDerivedError,
    PlateError,
    Poisson,
    SharedLatentWarning,
    UnitInterval,
    diag,
)

n, K, J, d, m = symbols("n K J d m", integer=True, positive=True)
i, k, j = Idx("i", n), Idx("k", K), Idx("j", J)
x, y, z, w, mu, sigma, c, p, b, g = map(IndexedBase, ["x", "y", "z", "w", "mu", "sigma", "c", "p", "b", "g"])
tau, beta, s = symbols("tau beta s")
X, F, M, Sigma = (
    IndexedVector("x", d),
    IndexedVector("f", m),
    IndexedVector("mu", d),
    IndexedMatrix("Sigma", d, d),
)
W, LOC, COV, PSI = (
    MatrixSymbol("W", d, m),
    MatrixSymbol("mu", d, 1),
    MatrixSymbol("Sigma", d, d),
    MatrixSymbol("psi", d, 1),
)

RNG = np.random.default_rng(12)
COUNTS = np.array([2, 0, 1, 3, 1, 0, 2, 1])
ROWS = len(COUNTS)
Start = Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """A model, the index of the rows that count and their axis in each array of data, data, and a start."""

    declarations: Mapping[Any, Any]
    data: Mapping[str, Any]
    start: Start
    latent: tuple[Any, ...] = (z,)
    missing: tuple[Any, ...] = ()
    index: Any = i
    axis: int = 0

    def model(self, **weights: Any) -> Model:
        return Model(self.declarations, latent=list(self.latent), missing=list(self.missing), **weights)

    def expanded(self) -> dict[str, Any]:
        """Every row as often as it counts."""
        return {name: np.repeat(values, COUNTS, axis=self.axis) for name, values in self.data.items()}


def _holes(values: Any) -> Any:
    gone = RNG.random(values.shape) < 0.3
    gone[:, 0] = False
    return np.where(gone, np.nan, values)


CASES = {
    "Normal mixture": Case(
        {z[i]: Categorical(w[k]), x[i]: Normal(mu[z[i]], sigma[z[i]])},
        {"x": RNG.normal(size=ROWS) * 2},
        {"w": [0.4, 0.6], "mu": [-1.0, 1.0], "sigma": [1.0, 1.5]},
    ),
    "common spread": Case(
        {z[i]: Categorical(w[k]), x[i]: Normal(mu[z[i]], s)},
        {"x": RNG.normal(size=ROWS) * 2},
        {"w": [0.4, 0.6], "mu": [-1.0, 1.0], "s": 1.3},
    ),
    "Poisson mixture": Case(
        {z[i]: Categorical(w[k]), x[i]: Poisson(mu[z[i]])},
        {"x": RNG.poisson(4, ROWS)},
        {"w": [0.4, 0.6], "mu": [2.0, 5.0]},
    ),
    "latent classes": Case(
        {z[i]: Categorical(w[k]), x[i, j]: Bernoulli(p[z[i], j])},
        {"x": RNG.integers(0, 2, (ROWS, 4))},
        {"w": [0.4, 0.6], "p": [[0.3, 0.4, 0.6, 0.5], [0.7, 0.5, 0.2, 0.6]]},
    ),
    "vectors": Case(
        {z[i]: Categorical(w[k]), X[i]: MultivariateNormal(M[z[i]], Sigma[z[i]])},
        {"x": RNG.normal(size=(ROWS, 2))},
        {"w": [0.4, 0.6], "mu": [[0.0, 1.0], [1.0, 0.0]], "Sigma": [np.eye(2), 2 * np.eye(2)]},
    ),
    "factor analysis": Case(
        {F[i]: MultivariateNormal(ZeroMatrix(m, 1), Identity(m)), X[i]: MultivariateNormal(LOC + W * F[i], diag(PSI))},
        {"x": RNG.normal(size=(ROWS, 3))},
        {"W": [[0.5], [-0.4], [1.0]], "mu": [0.0, 0.1, -0.1], "psi": [1.0, 0.7, 0.9]},
        latent=(F,),
    ),
    "missing entries": Case(
        {X[i]: MultivariateNormal(LOC, COV)},
        {"x": _holes(RNG.normal(size=(ROWS, 3)))},
        {"mu": [0.0, 0.1, -0.1], "Sigma": np.eye(3) + 0.3},
        latent=(),
        missing=(X,),
    ),
    "missing responses": Case(
        {z[i]: Categorical(w[k]), y[i, j]: Normal(mu[z[i], j], s)},
        {"y": _holes(RNG.normal(size=(ROWS, 3)))},
        {"w": [0.4, 0.6], "mu": [[0.0, 1.0, 0.5], [1.0, 0.0, -0.5]], "s": 1.1},
        missing=(y,),
    ),
    "random intercepts": Case(
        {b[j]: Normal(0, tau), y[i, j]: Normal(beta + b[j], s)},
        {"y": RNG.normal(size=(4, ROWS)) + 2 * RNG.normal(size=ROWS)},
        {"beta": 0.3, "tau": 1.2, "s": 0.8},
        latent=(b,),
        index=j,
        axis=1,
    ),
    "zero inflation": Case(
        {z[i]: Bernoulli(tau), x[i]: Cases(z[i], {0: Dirac(0), 1: Poisson(beta)})},
        {"x": RNG.poisson(1.0, ROWS)},
        {"tau": 0.5, "beta": 1.4},
    ),
    "labels on two plates": Case(
        {z[i, j]: Categorical(w[k]), x[i, j]: Normal(mu[z[i, j]], s)},
        {"x": RNG.normal(size=(ROWS, 3))},
        {"w": [0.4, 0.6], "mu": [-0.5, 0.5], "s": 1.1},
    ),
}  # fmt: skip
#: Two that take long to derive show what the others do, of vectors and of gaps.
LONG = {"factor analysis", "missing responses"}
EVERY = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in LONG)) for name in CASES]
)


@cache
def _weighted(name: str) -> Any:
    case = CASES[name]
    return case.model(weights={case.index: c[case.index]}).derive()


@cache
def _solvers(name: str) -> tuple[Any, Any]:
    return _weighted(name).solver(), CASES[name].model().derive().solver()


def _same(one: Any, other: Any, tolerance: float = 1e-9) -> None:
    if isinstance(one, dict):
        one, other = (tuple(each[key] for key in sorted(one)) for each in (one, other))
    if not isinstance(one, tuple):
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)
        return
    for mine, theirs in zip(one, other, strict=True):
        _same(mine, theirs, tolerance)


@EVERY
def test_as_rows_written_out(name: str) -> None:
    case, (weighted, plain) = CASES[name], _solvers(name)
    start = {key: np.asarray(value, dtype=float) for key, value in case.start.items()}
    _same(weighted.em_step(start, **case.data, c=COUNTS), plain.em_step(start, **case.expanded()))
    found = weighted.log_likelihood(start, **case.data, c=COUNTS)
    assert found == pytest.approx(plain.log_likelihood(start, **case.expanded()), rel=1e-11)


def _alike(name: str) -> list[tuple[str, str]]:
    """The statistics that are the same where each row counts once, by their names in the two modules.

    S_0, S_1, … are counted in each module: they are told by their meaning.
    """
    weighted, plain = (
        {
            str(each.symbol): each.value.replace(_is_count, lambda _count: 1)
            for each in em.derivation.surrogate.statistics
            if str(each.symbol).startswith("S_")
        }
        for em in (_weighted(name), CASES[name].model().derive())
    )
    found, expanded = (module.Statistics._fields for module in _solvers(name))
    named = [(each, each) for each in found if each in expanded and not each.startswith("S_")]
    return named + [
        (one.split("[")[0], other.split("[")[0])
        for one, meant in weighted.items()
        for other, same in plain.items()
        if str(meant) == str(same)
    ]


def _is_count(expr: Any) -> bool:
    return expr.is_Indexed and str(expr.base) == "c"


@EVERY
def test_statistics_and_their_merger(name: str) -> None:
    """Statistics are those of rows written out; parts of the rows put together give the same step."""
    case, (weighted, plain) = CASES[name], _solvers(name)
    found = weighted.statistics(case.start, **case.data, c=COUNTS)
    expanded = plain.statistics(case.start, **case.expanded())
    for field, meant in _alike(name):
        np.testing.assert_allclose(getattr(found, field), getattr(expanded, meant), rtol=1e-9, atol=1e-9)
    halves = [
        weighted.statistics(
            case.start,
            **{key: np.take(of, at, axis=case.axis) for key, of in case.data.items()},
            c=COUNTS[at],
        )
        for at in (np.arange(3), np.arange(3, ROWS))
    ]
    whole = weighted.m_step(weighted.merge(*halves))
    _same(whole, weighted.em_step(case.start, **case.data, c=COUNTS))


@EVERY
def test_posterior_of_one_row(name: str) -> None:
    case, (weighted, plain) = CASES[name], _solvers(name)
    _same(weighted.posterior(case.start, **case.data, c=COUNTS), plain.posterior(case.start, **case.data))


@EVERY
def test_weights_of_one_and_their_scale(name: str) -> None:
    """All rows once is no weights; ℓ is linear in the weights, and the updates do not see their scale."""
    case, (weighted, plain) = CASES[name], _solvers(name)
    ones = np.ones(ROWS)
    _same(weighted.em_step(case.start, **case.data, c=ones), plain.em_step(case.start, **case.data))
    real = np.linspace(0.2, 1.7, ROWS)
    _same(
        weighted.em_step(case.start, **case.data, c=real),
        weighted.em_step(case.start, **case.data, c=10 * real),
    )
    one, ten = (weighted.log_likelihood(case.start, **case.data, c=scale * real) for scale in (1, 10))
    assert ten == pytest.approx(10 * one, rel=1e-11)


@pytest.mark.parametrize(
    "name",
    [
        "Normal mixture",
        "random intercepts",
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("latent classes", "factor analysis", "missing responses", "zero inflation")
        ),
    ],
)
def test_verified(name: str) -> None:
    shown = str(_weighted(name).verify(seed=3))
    assert "FAILED" not in shown
    assert shown.count("passed") >= 5


@pytest.mark.parametrize("name", ["Poisson mixture", "random intercepts"])
def test_fit(name: str) -> None:
    case, (weighted, plain) = CASES[name], _solvers(name)
    found, expanded = (
        solver.fit(**data, start=case.start, tol=1e-11, max_iter=20000)
        for solver, data in ((weighted, {**case.data, "c": COUNTS}), (plain, case.expanded()))
    )
    _same(found.parameters, expanded.parameters, 1e-4)
    assert found.log_likelihood == pytest.approx(expanded.log_likelihood, rel=1e-10)


def test_the_shares_are_divided_by_the_weights_together() -> None:
    em = _weighted("Normal mixture")
    assert "w_k = Σ_i γ_ik c_i / Σ_i c_i" in str(em)
    assert "c[i]" not in str(em.posterior[z])
    assert "Row i counts c[i] times." in em.source()
    assert "counts $c_{i}$ times, as that many independent rows would" in " ".join(em.latex().split())


def test_steps_tell_the_posterior_of_one_row() -> None:
    steps = _weighted("Normal mixture").steps
    rule = next(step for step in steps if step.law.name == "Bayes' rule")
    assert "c" not in {str(each) for each in rule.before.free_symbols | rule.after.free_symbols}
    assert any("as often as its row counts" in step.law.sentence for step in steps)


def test_audit_sees_forgotten_weights() -> None:
    em, gamma = _weighted("Poisson mixture"), IndexedBase("gamma")
    counted = Sum(c[i] * gamma[i, k], i)
    assert (
        em.audit({w: counted / Sum(c[i], i), mu: Sum(c[i] * gamma[i, k] * x[i], i) / counted}).verdict
        == "proved"
    )
    assert em.audit({w: counted / n}).verdict == "refuted"
    assert em.audit({mu: Sum(gamma[i, k] * x[i], i) / Sum(gamma[i, k], i)}).verdict == "refuted"


def test_plain_style() -> None:
    """The short function stops where the solver does, at the same likelihood."""
    space: dict[str, Any] = {}
    exec(_weighted("Poisson mixture").source(style="plain"), space)
    case, (weighted, _plain) = CASES["Poisson mixture"], _solvers("Poisson mixture")
    start = {name: np.asarray(value) for name, value in case.start.items()}
    *_, reached = space["em"](**start, **case.data, c=COUNTS, tol=1e-13, max_iter=20000)
    fit = weighted.fit(**case.data, c=COUNTS, start=case.start, tol=1e-11, max_iter=20000)
    assert reached == pytest.approx(fit.log_likelihood, rel=1e-8)


def test_real_weights_climb_the_weighted_likelihood() -> None:
    """A mixture of exponentials with real weights against Σ c log Σ_k w_k f_k maximised as it stands."""
    times, counts = RNG.exponential(2.0, 30) * np.where(np.arange(30) % 2, 1.0, 6.0), RNG.uniform(0, 2, 30)
    em = Model({z[i]: Categorical(w[k]), x[i]: Exponential(mu[z[i]])}, latent=[z], weights={i: c[i]}).derive()
    fit = em.fit(x=times, c=counts, start={"w": [0.5, 0.5], "mu": [0.2, 1.0]}, tol=1e-13, max_iter=20000)

    def loss(free: Any) -> float:
        share, rates = 1 / (1 + np.exp(-free[0])), np.exp(free[1:])
        density = share * rates[0] * np.exp(-rates[0] * times) + (1 - share) * rates[1] * np.exp(
            -rates[1] * times
        )
        return float(-counts @ np.log(density))

    best = scipy.optimize.minimize(loss, [0.0, np.log(0.2), 0.0], method="BFGS", options={"gtol": 1e-8})
    assert fit.log_likelihood == pytest.approx(-best.fun, rel=1e-8)
    np.testing.assert_allclose(np.sort(fit.parameters.mu), np.sort(np.exp(best.x[1:])), rtol=1e-3)


@pytest.mark.slow
def test_a_table_of_candies_with_multiplicities() -> None:
    """Russell & Norvig 2010, section 20.3.2: two bags, three binary features, a thousand candies in eight kinds."""
    flavour, wrapper, hole, bag = map(IndexedBase, ("F", "W", "H", "B"))
    th, f1, f2, w1, w2, h1, h2 = parameters = symbols("theta f1 f2 w1 w2 h1 h2")

    def kind(f: Any, v: Any, h: Any) -> Any:
        return (
            Product(1, (i, 0, 0)).doit()
            * f ** flavour[i]
            * (1 - f) ** (1 - flavour[i])
            * v ** wrapper[i]
            * (1 - v) ** (1 - wrapper[i])
            * h ** hole[i]
            * (1 - h) ** (1 - hole[i])
        )

    rows = (th * kind(f1, w1, h1)) ** bag[i] * ((1 - th) * kind(f2, w2, h2)) ** (1 - bag[i])
    stated: dict[str, Any] = {
        "latent": {bag: Binary()},
        "parameters": dict.fromkeys(parameters, UnitInterval()),
    }
    em = Model.from_likelihood(Product(rows, (i, 0, n - 1)), **stated, weights={i: c[i]}).derive()
    table = np.array(
        [(1, 1, 1, 273), (1, 1, 0, 93), (1, 0, 1, 104), (1, 0, 0, 90), (0, 1, 1, 79), (0, 1, 0, 100), (0, 0, 1, 94),
         (0, 0, 0, 167)]
    )  # fmt: skip
    data = dict(zip(("F", "W", "H", "c"), table.T, strict=True))
    start = {"theta": 0.6, "f1": 0.6, "f2": 0.4, "w1": 0.6, "w2": 0.4, "h1": 0.6, "h2": 0.4}
    after = em.solver().em_step(start, **data)
    expected = {
        "theta": 0.6124,
        "f1": 0.6684,
        "w1": 0.6483,
        "h1": 0.6558,
        "f2": 0.3887,
        "w2": 0.3817,
        "h2": 0.3827,
    }
    for name, value in expected.items():
        assert float(getattr(after, name)) == pytest.approx(value, abs=1e-4)
    with pytest.warns(SharedLatentWarning, match=r"write weights=\{i: c\[i\]\}"):
        Model.from_likelihood(Product(rows ** c[i], (i, 0, n - 1)), **stated).derive()
    likely = bag[i] * th_log(th, f1, flavour) + (1 - bag[i]) * th_log(1 - th, f2, flavour)
    by_logs = Model.from_likelihood(
        log_likelihood=Sum(c[i] * likely, (i, 0, n - 1)),
        latent={bag: Binary()},
        parameters=dict.fromkeys((th, f1, f2), UnitInterval()),
    )
    with pytest.warns(SharedLatentWarning, match="share one"):
        by_logs.derive()


def th_log(share: Any, f: Any, flavour: Any) -> Any:
    """The log-density of one candy of a bag, its flavour alone."""
    return log(share) + flavour[i] * log(f) + (1 - flavour[i]) * log(1 - f)


MIXTURE: dict[Any, Any] = {z[i]: Categorical(w[k]), x[i]: Normal(mu[z[i]], s)}


@pytest.mark.parametrize("shared", [b[j], symbols("b")])
def test_rows_that_share_a_latent_are_refused(shared: Any) -> None:
    declared = {shared: Normal(0, tau), y[i, j]: Normal(beta + shared, s)}
    with pytest.raises(NotDerivedError, match="share a latent"):
        Model(declared, latent=[shared], weights={i: c[i]}).derive()


def test_a_total_over_the_rows_is_refused() -> None:
    counts = IndexedBase("N")
    with pytest.raises(NotDerivedError, match="share a total"):
        Model(
            {counts[i]: Poisson(mu[i])},
            latent=[counts],
            given=[Eq(Sum(counts[i], i), symbols("T"))],
            weights={i: c[i]},
        ).derive()


@pytest.mark.parametrize(
    ("weights", "error", "words"),
    [
        ([c[i]], ModelError, "takes a dict"),
        ({i: c}, ModelError, "entry of an array"),
        ({i: 2 * c[i]}, ModelError, "entry of an array"),
        ({i: c[k]}, ModelError, "entry of an array"),
        ({i: x[i]}, ModelError, "stands elsewhere"),
        ({j: c[j]}, PlateError, "nothing in the model runs over j"),
    ],
)  # fmt: skip
def test_what_is_no_weight_is_refused(weights: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        Model(MIXTURE, latent=[z], weights=weights)


def test_weights_are_not_negative() -> None:
    case, (weighted, _plain) = CASES["Normal mixture"], _solvers("Normal mixture")
    with pytest.raises(ValueError, match="c"):
        weighted.em_step(case.start, **case.data, c=-COUNTS)


def test_posteriors_need_no_weights() -> None:
    case, (weighted, _plain) = CASES["Normal mixture"], _solvers("Normal mixture")
    for ask in (weighted.posterior, weighted.predict):
        with_weights, without = ask(case.start, **case.data, c=COUNTS), ask(case.start, **case.data)
        np.testing.assert_array_equal(np.asarray(with_weights), np.asarray(without))
    with pytest.raises(ValueError, match="c is missing"):
        weighted.score_samples(case.start, **case.data)


def test_groups_by_a_known_label_count_with_all_their_rows() -> None:
    """y[i] in group g[i]: group j counts c[j] times, with its intercept and all its rows."""
    declared = {b[j]: Normal(0, tau), y[i]: Normal(beta + b[g[i]], s)}
    em = Model(declared, latent=[b], known=[g], weights={j: c[j]}).derive()
    plain = Model(declared, latent=[b], known=[g]).derive().solver()
    values, groups, counts = RNG.normal(size=9), np.array([0, 0, 1, 1, 1, 2, 2, 2, 2]), np.array([2, 1, 3])
    copies = [(group, copy) for group in range(3) for copy in range(counts[group])]
    rows = [(values[groups == group], number) for number, (group, _copy) in enumerate(copies)]
    expanded = {
        "y": np.concatenate([own for own, _ in rows]),
        "g": np.concatenate([[at] * len(own) for own, at in rows]),
    }
    start = {"beta": 0.2, "tau": 1.1, "s": 0.9}
    _same(em.solver().em_step(start, y=values, g=groups, c=counts), plain.em_step(start, **expanded, J=6))
    found = em.solver().log_likelihood(start, y=values, g=groups, c=counts)
    assert found == pytest.approx(plain.log_likelihood(start, **expanded, J=6), rel=1e-11)
