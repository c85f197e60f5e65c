"""Models that no table has, held to the ladder: what was found by trying stays found."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from sympy import Eq, Idx, IndexedBase, MatrixSymbol, Pow, Sum, Symbol, log, loggamma, symbols

from symem import (
    Categorical,
    Counts,
    Exponential,
    GaussianInverse,
    IndexedVector,
    LogNormal,
    Model,
    MultivariateNormal,
    NegativeBinomial,
    Normal,
    Poisson,
    Simplex,
    Weibull,
)
from symem.language.plates import Iverson
from tests.models import BY_NAME

n, m, K, C = symbols("n m K C", integer=True, positive=True)
i, h, k, c = Idx("i", n), Idx("h", m), Idx("k", K), Idx("c", C)
x, y, z, u, t, w, mu, lam, p, e, limit = (
    IndexedBase(name) for name in ("x", "y", "z", "u", "t", "w", "mu", "lam", "p", "e", "limit")
)
a, b, s, q, r = symbols("a b s q r")


def frailty() -> Model:
    """The posterior is generalised inverse Gaussian."""
    return Model({u[i]: GaussianInverse(1, a), x[i]: Exponential(u[i] * b)}, latent=[u])


def weibull_beyond_a_limit() -> Model:
    return Model({t[i]: Weibull(a, s)}, missing=[t], known=[s, limit], given=[t[i] > limit[i]])


def lognormal_below_a_limit() -> Model:
    return Model({t[i]: LogNormal(a, s)}, missing=[t], known=[limit], given=[t[i] < limit[i]])


def missing_failures() -> Model:
    return Model({x[i]: NegativeBinomial(r, q)}, missing=[x], known=[r])


def control_sample() -> Model:
    """mu[0] stands beside mu[z[i]]."""
    return Model({z[i]: Categorical(w[k]), x[i]: Normal(mu[z[i]], s), y[h]: Normal(mu[0], s)}, latent=[z])


def haplotypes() -> Model:
    """The cells of a simplex by name."""
    both, n0, n1, n2, n3 = symbols("both n0 n1 n2 n3")
    singles = n0 * log(p[0]) + n1 * log(p[1]) + n2 * log(p[2]) + n3 * log(p[3])
    phases = a * log(2 * p[0] * p[3]) + b * log(2 * p[1] * p[2]) - loggamma(a + 1) - loggamma(b + 1)
    return Model.from_likelihood(
        log_likelihood=singles + phases + loggamma(both + 1),
        latent={a: Counts(), b: Counts()},
        parameters={p: Simplex()},
        data=dict.fromkeys((n0, n1, n2, n3), Counts()),
        given=[Eq(a + b, both)],
    )


def sources_of_a_total() -> Model:
    return Model({u[i, c]: Poisson(e[i] * lam[c])}, latent=[u], known=[e], given=[Eq(Sum(u[i, c], c), y[i])])


def missing_on_both_sides() -> Model:
    return Model({x[i]: Normal(a, s), y[i]: Normal(b + q * x[i], r)}, missing=[x, y])


@pytest.mark.parametrize(
    "model",
    [
        frailty,
        weibull_beyond_a_limit,
        lognormal_below_a_limit,
        missing_failures,
        control_sample,
        haplotypes,
        sources_of_a_total,
        pytest.param(missing_on_both_sides, marks=pytest.mark.slow),
    ],
)
def test_an_unseen_model_climbs_the_ladder(model: Callable[[], Model]) -> None:
    em = model().derive()
    assert not em.derivation.not_derived
    found = em.verify(seed=1)
    assert not found.failed, str(found)
    assert found["V3"].passed


def test_a_missing_number_is_known_of_a_vector_by_the_old_loadings() -> None:
    d = symbols("d", integer=True, positive=True)
    h, v, mean, cov = (
        IndexedVector("h", d),
        *(MatrixSymbol(*each) for each in (("v", d, 1), ("mean", d, 1), ("cov", d, d))),
    )
    laws = {h[i]: MultivariateNormal(mean, cov), x[i]: Normal(v.T * h[i], s)}
    solver = Model(laws, latent=[h], missing=[x], known=[mean, cov]).derive().solver(verify=False)
    old, start, spread = np.array([0.5, -1.0]), np.array([1.0, 2.0]), np.diag([1.0, 0.5])
    data = np.array([1.0, np.nan, -0.5])
    lift = spread @ old / (old @ spread @ old + 0.7**2)
    seen = start + np.outer(data[[0, 2]] - old @ start, lift)
    unseen = spread + np.outer(start, start)
    squares = 2 * (spread - np.outer(lift, old) @ spread) + seen.T @ seen + unseen
    beside = data[[0, 2]] @ seen + unseen @ old
    found = solver.em_step({"v": old, "s": 0.7}, x=data, mean=start, cov=spread)
    np.testing.assert_allclose(found.v, np.linalg.solve(squares, beside))


@pytest.mark.slow
def test_a_regression_with_gaps_on_both_sides_is_told_in_centred_sums() -> None:
    """q = C_xy / V_x, b = ȳ - q x̄, s² = V_x / n; and no bracket stands below a line, where it may be 0."""
    derivation = missing_on_both_sides().derive().derivation
    (moments,) = derivation.surrogate.moments
    mean_y, mean_x = (mean.symbol for mean in moments.means)
    _, scatter_x, crossed = (scatter.definition.symbol for scatter in moments.scatters)
    told = {str(update.parameter): update.value for update in derivation.updates}
    slope = next(each.parameter for each in derivation.updates if str(each.parameter) == "q")
    assert told["a"] == mean_x
    assert told["q"] == crossed / scatter_x
    assert (told["b"] - mean_y + slope * mean_x).expand() == 0
    assert (told["s"] ** 2 - scatter_x / Symbol("n", integer=True, positive=True)).expand() == 0
    below = [each.value.atoms(Pow) for each in derivation.surrogate.statistics]
    assert not any(power.base.has(Iverson) for powers in below for power in powers if power.exp.is_negative)


@pytest.mark.parametrize("share", [1.0, 1.0 + 2.3e-16])
def test_a_probability_on_the_edge_gives_numbers(share: float) -> None:
    row = BY_NAME["hui_walter"]
    solver = row.model().derive().solver()
    theta = {**row.theta(row.file["start"]), "pr": np.array([share, 0.5])}
    assert np.isfinite(solver.log_likelihood(theta, **row.data))
    assert all(np.all(np.isfinite(value)) for value in solver.em_step(theta, **row.data))
