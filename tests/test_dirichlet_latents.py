"""Latent shares of a whole under multinomial counts and labels, against SciPy's Dirichlet-multinomial law."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pytest
import scipy
from sympy import Idx, IndexedBase, Sum, log, loggamma, symbols

from symem import (
    EM,
    Categorical,
    Counts,
    Dirichlet,
    Model,
    Multinomial,
    NotDerivedError,
    PlateError,
    Poisson,
    Positive,
    Simplex,
)

n, J, K, L = symbols("n J K L", integer=True, positive=True)
i, j, k, m = Idx("i", n), Idx("j", J), Idx("k", K), Idx("m", L)
a, b, c, p, w, x, y, z, total = map(IndexedBase, ["a", "b", "c", "p", "w", "x", "y", "z", "total"])
u = symbols("u")

SHARES = {p[i, k]: Dirichlet(a[k])}
COUNTED = {y[i, k]: Multinomial(total[i], p[i, k])}
MODELS = {
    "counts": Model({**SHARES, **COUNTED}, latent=[p], known=[total]),
    "labels": Model({**SHARES, x[i, j]: Categorical(p[i, k])}, latent=[p], missing=[x]),
    "symmetric": Model({p[i, k]: Dirichlet(u), **COUNTED}, latent=[p], known=[total], weights={i: c[i]}),
    "mixture": Model(
        {z[i]: Categorical(w[m]), p[i, k]: Dirichlet(b[z[i], k]), **COUNTED}, latent=[z, p], known=[total]
    ),
}


@cache
def derived(name: str) -> EM:
    return MODELS[name].derive(budget=math.inf)


@cache
def counted() -> dict[str, Any]:
    rng = np.random.default_rng(1)
    totals = rng.integers(2, 12, size=40)
    shares = rng.dirichlet([0.8, 2.0, 3.0], size=40)
    return {"y": np.stack(list(map(rng.multinomial, totals, shares))), "total": totals}


def rows(alpha: Any) -> Any:
    """ℓ of each row, the shares integrated out."""
    data = counted()
    return scipy.stats.dirichlet_multinomial(np.asarray(alpha), data["total"]).logpmf(data["y"])


def test_the_shares_are_integrated_out() -> None:
    alpha = [0.7, 1.5, 2.5]
    found = derived("counts").solver().log_likelihood({"a": alpha}, **counted())
    assert found == pytest.approx(rows(alpha).sum(), abs=1e-10)
    assert str(derived("counts").posterior[p]) == "Dirichlet(a[k] + y[i, k])"


def test_the_fit_is_the_direct_maximum() -> None:
    fit = derived("counts").fit(**counted(), seed=0, tol=1e-13)
    direct = scipy.optimize.minimize(lambda at: -rows(np.exp(at)).sum(), np.zeros(3), method="BFGS", tol=1e-8)
    assert fit.log_likelihood == pytest.approx(-direct.fun, abs=1e-8)
    assert fit.parameters.a == pytest.approx(np.exp(direct.x), rel=1e-4)
    mean = fit.predict()
    assert mean.sum(axis=1) == pytest.approx(1.0)


def test_a_mixture_of_such_rows() -> None:
    theta = {"w": [0.4, 0.6], "b": [[0.7, 1.5, 2.5], [3.0, 1.0, 1.0]]}
    right = np.logaddexp(*(math.log(share) + rows(each) for share, each in zip(*theta.values(), strict=True)))
    found = derived("mixture").solver().log_likelihood(theta, **counted())
    assert found == pytest.approx(right.sum(), abs=1e-10)


def test_rows_that_count() -> None:
    """A symmetric law, each row several times."""
    count = np.arange(40) % 3 + 1
    found = derived("symmetric").solver().log_likelihood({"u": 1.3}, **counted(), c=count)
    assert found == pytest.approx((count * rows([1.3] * 3)).sum(), abs=1e-9)


def test_labels_that_are_missing_are_left_out() -> None:
    labels = np.random.default_rng(2).integers(0, 3, size=(6, 4)).astype(float)
    labels[0, 1] = labels[3, 2] = np.nan
    alpha = np.array([0.7, 1.5, 2.5])
    seen = (labels[:, :, None] == np.arange(3)).sum(axis=1)
    right = scipy.special.gammaln(alpha + seen).sum(axis=1) - scipy.special.gammaln(
        alpha.sum() + seen.sum(axis=1)
    )
    right += scipy.special.gammaln(alpha.sum()) - scipy.special.gammaln(alpha).sum()
    found = derived("labels").solver().log_likelihood({"a": alpha}, x=labels)
    assert found == pytest.approx(right.sum(), abs=1e-10)


def test_both_doors_give_the_same() -> None:
    law = loggamma(Sum(a[k], k)) + Sum((a[k] - 1) * log(p[i, k]) - loggamma(a[k]), k)
    counts = loggamma(Sum(y[i, k], k) + 1) + Sum(y[i, k] * log(p[i, k]) - loggamma(y[i, k] + 1), k)
    stated = Model.from_likelihood(
        log_likelihood=Sum(law + counts, i),
        latent={p: Simplex()},
        parameters={a: Positive()},
        data={y: Counts()},
    )
    found = stated.derive(budget=math.inf).solver().log_likelihood({"a": [0.7, 1.5, 2.5]}, y=counted()["y"])
    assert found == pytest.approx(rows([0.7, 1.5, 2.5]).sum(), abs=1e-10)


def test_what_is_missing_of_the_information() -> None:
    """The covariance of the logarithms of the shares: ψ′(α_k) on the diagonal less ψ′(Σ α) everywhere."""
    found = derived("counts").missing_information[a, a]
    assert "polygamma(1, Sum(alpha_p[i, k], (k, 0, K - 1)))" in str(found)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["counts", "labels", "symmetric", "mixture"])
def test_verified(name: str) -> None:
    found = derived(name).verify(seconds=60.0)
    assert found.passed, str(found)


def test_other_functions_of_shares_are_refused() -> None:
    stated = Model({**SHARES, y[i, k]: Poisson(2 * p[i, k])}, latent=[p])
    with pytest.raises(NotDerivedError, match="Dirichlet posterior"):
        stated.derive()


def test_the_category_is_the_last_index() -> None:
    with pytest.raises(PlateError, match="write the category last"):
        Model({p[k, i]: Dirichlet(a[k]), x[i, j]: Categorical(p[k, i])}, latent=[p])
