"""`audit` acquits what is right however it is written, and convicts known mistakes by name with a counterexample."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.special import log_softmax, logsumexp
from sympy import Expr, Idx, IndexedBase, Sum, sqrt, symbols

from symem import (
    EM,
    Bernoulli,
    Beta,
    Categorical,
    DataError,
    Model,
    ModelError,
    Normal,
    UndeclaredSymbolError,
)
from symem.__main__ import main
from tests.derived import once

pytestmark = pytest.mark.usefixtures("derived_once")
n, K, J = symbols("n K J", integer=True, positive=True)
i, k, j = Idx("i", n), Idx("k", K), Idx("j", J)
x, y, z, w, mu, sigma, gamma = map(IndexedBase, ["x", "y", "z", "w", "mu", "sigma", "gamma"])
N = Sum(gamma[i, k], i)
MEAN = Sum(gamma[i, k] * x[i], i) / N


@cache
def mixture() -> EM:
    return once(Model({z[i]: Categorical(w[k]), x[i]: Normal(mu[z[i]], sigma[z[i]])}, latent=[z]))


@cache
def regressions() -> EM:
    a, b = IndexedBase("a"), IndexedBase("b")
    law = Normal(a[z[i]] + b[z[i]] * x[i], sigma[z[i]])
    return Model({z[i]: Categorical(w[k]), y[i]: law}, latent=[z], known=[x]).derive()


@cache
def with_prior() -> EM:
    p, m, a, b = symbols("p m a b")
    model = Model(
        {z[i]: Bernoulli(p), x[i]: Normal(m * z[i], 1)}, latent=[z], known=[a, b], prior={p: Beta(a, b)}
    )
    return model.derive()


@cache
def intercepts() -> EM:
    u = IndexedBase("u")
    m, tau, s = symbols("m tau s")
    return Model({u[j]: Normal(0, tau), y[i, j]: Normal(m + u[j], s)}, latent=[u]).derive()


# -- formulas ----------------------------------------------------------------------------------------------

FORMS = {
    "about its own mean": lambda: sqrt(Sum(gamma[i, k] * (x[i] - MEAN) ** 2, i) / N),
    "mean square less square mean": lambda: sqrt(Sum(gamma[i, k] * x[i] ** 2, i) / N - MEAN**2),
    "about μ, as printed": lambda: sqrt(Sum(gamma[i, k] * (x[i] - mu[k]) ** 2, i) / N),
    "in statistics": lambda: mixture().updates[sigma],
    "the posterior written out": lambda: sqrt(
        Sum(_posterior() * (x[i] - mu[k]) ** 2, i) / Sum(_posterior(), i)
    ),
}


def _posterior() -> Expr:
    return mixture().posterior[z].arguments[0]


@pytest.mark.parametrize("form", FORMS)
def test_a_right_formula_is_proved_in_every_form(form: str) -> None:
    assert mixture().audit({sigma: FORMS[form]()}).verdict == "proved"


def test_a_formula_all_at_the_old_parameters_agrees_and_says_at_how_many_points() -> None:
    found = mixture().audit({sigma: mixture().explicit(sigma)})
    assert (found.verdict, found.points >= 3) == ("agrees", True)


old_mu = IndexedBase("mu_old")
WRONG_FORMS = {
    "N - 1": {sigma: sqrt(Sum(gamma[i, k] * (x[i] - MEAN) ** 2, i) / (N - 1))},
    "old mean": {sigma: sqrt(Sum(gamma[i, k] * (x[i] - old_mu[k]) ** 2, i) / N)},
    "number of rows": {mu: Sum(gamma[i, k] * x[i], i) / n},
}


@pytest.mark.parametrize("mistake", ["N - 1", "old mean", "number of rows"])
def test_a_wrong_formula_is_refuted_by_name_with_few_rows(mistake: str) -> None:
    found = mixture().audit(WRONG_FORMS[mistake])
    assert found.verdict == "refuted"
    assert mistake in (found.mistake or "")
    assert found.counterexample is not None
    assert len(found.counterexample.data["x"]) <= 3


def test_the_counterexample_is_what_numpy_gives() -> None:
    found = mixture().audit(WRONG_FORMS["number of rows"]).counterexample
    assert found is not None
    theta = mixture().solver().Parameters(**found.theta)
    shares = _shares(theta, found.data["x"])
    np.testing.assert_allclose(found.given, shares.T @ found.data["x"] / len(shares))
    np.testing.assert_allclose(found.right, shares.T @ found.data["x"] / shares.sum(axis=0))


# -- steps ------------------------------------------------------------------------------------------------


def _shares(theta: Any, x: Any) -> Any:
    return np.exp(log_softmax(_joint(theta, x), axis=1))


def _joint(theta: Any, x: Any) -> Any:
    return np.log(theta.w) - np.log(theta.sigma) - (x[:, None] - theta.mu) ** 2 / 2 / theta.sigma**2


def _log_likelihood(theta: Any, x: Any) -> Any:
    return logsumexp(_joint(theta, x), axis=1).sum() - len(x) * np.log(2 * np.pi) / 2


def _step(theta: Any, x: Any, change: str = "") -> Any:
    shares = _shares(theta, x)
    if change == "hard assignment":
        shares = np.eye(shares.shape[1])[shares.argmax(axis=1)]
    counts = shares.sum(axis=0)
    means = shares.T @ x / counts
    centre = theta.mu if change == "old mean" else means
    squares = (shares * (x[:, None] - centre) ** 2).sum(axis=0)
    variances = squares / (counts - 1 if change == "N - 1" else counts)
    if change == "tied":
        variances = np.full(len(counts), squares.sum() / len(x))
    weights = counts / len(x)
    if change == "extra factor":
        weights = theta.w * counts / (theta.w * counts).sum()
    if change == "variance where":
        return weights, means, variances
    found = (weights, means, np.sqrt(variances))
    if change == "damped":
        return tuple(old + 0.6 * (new - old) for old, new in zip(theta, found, strict=True))
    return found


def test_a_right_step_agrees() -> None:
    assert mixture().audit(step=_step).verdict == "agrees"


@pytest.mark.parametrize(
    "mistake",
    ["hard assignment", "old mean", "N - 1", "tied", "extra factor", "variance where", "damped"],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_wrong_step_is_refuted_by_name(mistake: str) -> None:
    found = mixture().audit(step=lambda theta, x: _step(theta, x, mistake))
    assert found.verdict == "refuted"
    assert mistake in (found.mistake or "")


def _regression_step(theta: Any, x: Any, y: Any, *, response_only: bool) -> Any:
    residuals = y[:, None] - theta.a - theta.b * x[:, None]
    shares = np.exp(
        log_softmax(np.log(theta.w) - np.log(theta.sigma) - residuals**2 / 2 / theta.sigma**2, axis=1)
    )
    design = np.stack([np.ones_like(x), x], axis=1)
    both = [
        np.linalg.solve(design.T @ (design if response_only else design * r[:, None]), design.T @ (r * y))
        for r in shares.T
    ]
    return {"a": np.array(both)[:, 0], "b": np.array(both)[:, 1]}


@pytest.mark.parametrize(("response_only", "verdict"), [(False, "agrees"), (True, "refuted")])
def test_a_regression_that_weights_the_response_only(response_only: bool, verdict: str) -> None:
    found = regressions().audit(
        step=lambda theta, x, y: _regression_step(theta, x, y, response_only=response_only)
    )
    assert found.verdict == verdict
    assert ("response only" in (found.mistake or "")) is response_only


@pytest.mark.parametrize(
    ("share", "mistake"),
    [
        (lambda s, m, a, b: (s + a - 1) / (m + a + b - 2), None),
        (lambda s, m, a, b: (s + a) / (m + a + b), "mean of a posterior"),
        (lambda s, m, _a, _b: s / m, "forgotten prior"),
    ],
)
def test_priors_forgotten_or_taken_for_means(share: Callable[..., Any], mistake: str | None) -> None:
    def step(theta: Any, x: Any, a: Any, b: Any) -> Any:
        odds = np.log(theta.p / (1 - theta.p)) + theta.m * x - theta.m**2 / 2
        return {"p": share((1 / (1 + np.exp(-odds))).sum(), len(x), a, b)}

    found = with_prior().audit(step=step)
    assert found.verdict == ("refuted" if mistake else "agrees")
    assert (mistake or "") in (found.mistake or "")


@pytest.mark.parametrize(("spread", "verdict"), [(1, "agrees"), (0, "refuted")])
def test_the_square_of_a_mean_for_the_mean_of_a_square(spread: int, verdict: str) -> None:
    def step(theta: Any, y: Any) -> Any:
        precision = len(y) / theta.s**2 + 1 / theta.tau**2
        means = (y - theta.m).sum(axis=0) / theta.s**2 / precision
        return {"tau": np.sqrt(np.mean(means**2 + spread / precision))}

    found = intercepts().audit(step=step)
    assert found.verdict == verdict
    assert ("E[x]²" in (found.mistake or "")) is (not spread)


# -- likelihoods --------------------------------------------------------------------------------------------


def test_likelihoods() -> None:
    assert mixture().audit(log_likelihood=_log_likelihood).verdict == "agrees"
    wrong = {
        "terms that hold no parameter": lambda theta, x: _log_likelihood(theta, x) + len(x),
        "mean over the rows": lambda theta, x: _log_likelihood(theta, x) / len(x),
    }
    for mistake, function in wrong.items():
        found = mixture().audit(log_likelihood=function)
        assert found.verdict == "refuted"
        assert mistake in (found.mistake or "")


def test_a_likelihood_reported_before_the_update() -> None:
    after = mixture().audit(step=lambda theta, x: (_step(theta, x), _log_likelihood(_new(theta, x), x)))
    assert after.verdict == "agrees"
    before = mixture().audit(step=lambda theta, x: (_step(theta, x), _log_likelihood(theta, x)))
    assert before["log-likelihood"].mistake == "the log-likelihood before the update"
    assert before[sigma].verdict == "agrees"


def _new(theta: Any, x: Any) -> Any:
    return mixture().solver().Parameters(*_step(theta, x))


# -- what is refused, and the command -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claim", "error", "words"),
    [
        ({}, ModelError, "Nothing to audit"),
        ({"updates": {"rho": N}}, UndeclaredSymbolError, "'rho' is no parameter"),
        ({"updates": {mu: "__import__('os')"}}, ModelError, "no SymPy expression"),
        ({"updates": {mu: symbols("other") * N}}, UndeclaredSymbolError, "other"),
        ({"step": 3}, ModelError, "step= takes a function"),
        ({"step": lambda _theta, x: x / (0 * x[0]).item()}, DataError, "ZeroDivision|returned"),
        ({"step": lambda _theta, x: {"mu": x}}, DataError, "mu of shape"),
        ({"log_likelihood": lambda _theta, x: x}, DataError, "one number"),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_cannot_be_audited_is_said(claim: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        mixture().audit(**claim)


def test_the_command_convicts_and_acquits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    example = str(Path(__file__).parents[1] / "examples" / "old_faithful.py")
    claims = tmp_path / "claims.py"
    opening = "from sympy import *\ng = IndexedBase('gamma')\nN = Sum(g[i, k], i)\n"
    claims.write_text(f"{opening}updates = {{mu: Sum(g[i, k]*x[i], i)/N}}\n")
    assert main(["audit", example, str(claims)]) == 0
    assert "mu  proved" in capsys.readouterr().out
    claims.write_text(f"{opening}updates = {{mu: Sum(g[i, k]*x[i], i)/n}}\n")
    assert main(["audit", example, str(claims)]) == 1
    assert "mu  refuted" in capsys.readouterr().out
    claims.write_text("other = 1\n")
    assert main(["audit", example, str(claims)]) == 2
    assert "updates" in capsys.readouterr().err
