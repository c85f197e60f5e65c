"""Shapes of lifetimes of which some are known to lie between ends only: Gamma, inverse Gamma and Weibull, against SciPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy
from sympy import And, Eq, Idx, IndexedBase, Or, symbols

from symem import EM, Gamma, GammaInverse, Model

n = symbols("n", integer=True, positive=True)
i = Idx("i", n)
c, d, h, r, u, x = map(IndexedBase, ["c", "d", "h", "r", "u", "x"])
a, b = symbols("a b")
#: d = 1: the value was seen, 0: it is above x, 2: it is below.
WAYS = [
    And(Eq(d[i], 1), Eq(x[i], u[i])), And(Eq(d[i], 0), u[i] > x[i]), And(Eq(d[i], 2), u[i] < x[i]),
]  # fmt: skip


def seen(law: Any, rows: int = 60) -> dict[str, Any]:
    """Lifetimes of a law, some of which are cut on one side or the other."""
    rng = np.random.default_rng(5)
    values, ends = law.rvs(rows, random_state=rng), law.rvs(rows, random_state=rng)
    kinds = rng.choice([1, 1, 0, 2], rows)
    low = (kinds == 0) & (ends < values) | (kinds == 2) & (ends > values)
    return {"d": np.where(low, kinds, 1), "x": np.where(low, ends, values)}


def likelihood(law: Any, given: dict[str, Any]) -> float:
    """Of those rows, by SciPy's density and tails."""
    x, d = given["x"], given["d"]
    return float(np.select([d == 1, d == 0], [law.logpdf(x), law.logsf(x)], law.logcdf(x)).sum())


def agrees(em: EM, law: Callable[..., Any], given: dict[str, Any], likelihood: Callable[..., float]) -> None:
    """ℓ at a point, and that a fit ends where no direct maximiser finds more."""
    at = em.solver().log_likelihood({"a": 1.3, "b": 0.7}, **given)
    assert at == pytest.approx(likelihood(law(1.3, 0.7), given), rel=1e-12)
    fit = em.fit(**given, seed=0, tol=1e-12, accelerate="auto")
    assert fit.converged
    found = scipy.optimize.minimize(
        lambda at: -likelihood(law(*np.exp(at)), given), np.log(list(fit.parameters)), tol=1e-9
    )
    assert fit.log_likelihood == pytest.approx(-found.fun, abs=1e-8)


LAWS: dict[str, tuple[Any, Callable[..., Any]]] = {
    "gamma": (Gamma, lambda a, b: scipy.stats.gamma(a, scale=b)),
    "inverse_gamma": (GammaInverse, lambda a, b: scipy.stats.invgamma(a, scale=b)),
}


@pytest.mark.parametrize("name", LAWS)
def test_seen_above_and_below(name: str) -> None:
    family, law = LAWS[name]
    em = Model({u[i]: family(a, b)}, latent=[u], given=[Or(*WAYS)]).derive(budget=float("inf"))
    agrees(em, law, seen(law(2.5, 1.3)), likelihood)
    assert em.verify(seed=0).passed


def test_between_ends() -> None:
    em = Model({u[i]: Gamma(a, b)}, latent=[u], given=[u[i] > h[i], u[i] < r[i]]).derive(budget=float("inf"))
    law = LAWS["gamma"][1]
    low = np.floor(law(2.5, 1.3).rvs(60, random_state=1))
    agrees(
        em,
        law,
        {"h": low, "r": low + 1},
        lambda law, rows: np.log(law.cdf(rows["r"]) - law.cdf(rows["h"])).sum(),
    )
