"""Latents that depend on one another: who is eliminated first, what may be left, and on which plate each stands.

Values are those of quadrature, of closed forms of the truncated normal law, and of sums over configurations.
"""

from __future__ import annotations

import numpy as np
import pytest
import scipy
from sympy import (
    Eq,
    Identity,
    Idx,
    IndexedBase,
    MatrixSymbol,
    Sum,
    Symbol,
    ZeroMatrix,
    exp,
    sqrt,
    symbols,
)

from symem import (
    Bernoulli,
    Cases,
    Categorical,
    Exponential,
    GammaInverse,
    IndexedVector,
    Model,
    MultivariateNormal,
    Normal,
    NotDerivedError,
    Poisson,
    ShapeError,
)
from symem.codegen.numpy.undefined_names import undefined_names

n, A = symbols("n A", integer=True, positive=True)
i, a = Idx("i", n), Idx("a", A)
m, q, tau, cut = symbols("m q tau cut")
x, y, z, u = map(IndexedBase, ["x", "y", "z", "u"])
X = np.array([0.3, 2.0, -1.5])


def close(found: object, wanted: object) -> None:
    np.testing.assert_allclose(np.asarray(found, float), np.asarray(wanted, float), rtol=1e-8, atol=1e-10)


# -- a latent whose range depends on a label -------------------------------------------------------------------


def test_a_latent_with_an_end_in_one_branch_has_a_posterior_per_branch() -> None:
    """Exponential or Normal, seen with noise: cut at 0 where the label says so, on the whole line elsewhere."""
    law = Cases(z[i], {0: Exponential(1), 1: Normal(m, 1)})
    em = Model({z[i]: Bernoulli(q), u[i]: law, x[i]: Normal(u[i], 1)}, latent=[z, u]).derive()
    theta = {"q": 0.3, "m": 0.7}

    def inner(weight: object, low: float, value: float) -> float:
        return float(scipy.integrate.quad(lambda t: weight(t) * scipy.stats.norm.pdf(value, t), low, 30)[0])  # type: ignore[operator]

    below = np.array([inner(lambda t: np.exp(-t), 0, value) for value in X])
    above = np.array([inner(lambda t: scipy.stats.norm.pdf(t, 0.7), -30, value) for value in X])
    mean = np.array([inner(lambda t: t * scipy.stats.norm.pdf(t, 0.7), -30, value) for value in X])
    whole = 0.7 * below + 0.3 * above
    solver = em.solver()
    close(solver.log_likelihood(theta, x=X), np.log(whole).sum())
    step = solver.em_step(theta, x=X)
    close(step.q, (0.3 * above / whole).mean())
    close(step.m, (0.3 * mean / whole).sum() / (0.3 * above / whole).sum())


def test_branches_of_different_families_are_refused_by_name() -> None:
    law = Cases(z[i], {0: Exponential(1), 1: Normal(m, 1)})
    model = Model({z[i]: Bernoulli(q), u[i]: law, x[i]: Poisson(3)}, latent=[z, u])
    with pytest.raises(NotDerivedError, match=r"another family for each value of z\[i\]"):
        model.derive()


# -- a prior that holds a latent -----------------------------------------------------------------------------


def test_a_latent_scale_of_a_prior_is_integrated_out_given_the_parameter() -> None:
    """E[1/tau | m] = (3 + 1/2) / (2 + m²/2), and ℓ is log p(x, m)."""
    em = Model(
        {tau: GammaInverse(3, 2), x[i]: Normal(m, 1)}, latent=[tau], prior={m: Normal(0, sqrt(tau))}
    ).derive()
    solver = em.solver()
    close(solver.em_step({"m": 1.0}, x=X).m, X.sum() / (3 + 3.5 / 2.5))
    prior = scipy.integrate.quad(
        lambda t: scipy.stats.invgamma.pdf(t, 3, scale=2) * scipy.stats.norm.pdf(1, 0, t**0.5), 0, np.inf
    )
    close(solver.log_likelihood({"m": 1.0}, x=X), scipy.stats.norm.logpdf(X, 1).sum() + np.log(prior[0]))


# -- plates beside the rows' -------------------------------------------------------------------------------------


def test_latents_on_a_plate_of_their_own_beside_rows() -> None:
    """Four values are known only to lie above 3."""
    em = Model({x[i]: Normal(m, 1), u[a]: Normal(m, 1)}, latent=[u], given=[u[a] > 3]).derive()
    mean = scipy.stats.truncnorm(2, np.inf, loc=1).mean()
    solver = em.solver()
    close(solver.em_step({"m": 1.0}, x=X, A=4).m, (X.sum() + 4 * mean) / 7)
    seen = scipy.stats.norm.logpdf(X, 1).sum() + 4 * scipy.stats.norm.logsf(2)
    close(solver.log_likelihood({"m": 1.0}, x=X, A=4), seen)


def test_bulbs_that_still_burn() -> None:
    em = Model(
        {x[i]: Exponential(q), u[a]: Exponential(q)}, latent=[u], known=[cut], given=[u[a] > cut]
    ).derive()
    lives = np.array([1.0, 2.0, 0.5, 0.7])
    close(em.solver().em_step({"q": 1.0}, x=lives, A=6, cut=3.0).q, 10 / (lives.sum() + 6 * 4))


def test_a_latent_without_a_plate_beside_rows() -> None:
    single = Symbol("U")
    em = Model({x[i]: Normal(m, 1), single: Normal(m, 1)}, latent=[single], given=[single > 3]).derive()
    mean = scipy.stats.truncnorm(2, np.inf, loc=1).mean()
    close(em.solver().em_step({"m": 1.0}, x=X).m, (X.sum() + mean) / 4)


def test_data_on_another_plate_count_once_however_the_rows_are_cut() -> None:
    """So many rows that they make several chunks."""
    em = Model({z[i]: Bernoulli(q), x[i]: Normal(m * z[i], 1), y[a]: Normal(m, 1)}, latent=[z]).derive()
    rng = np.random.default_rng(0)
    many, few = rng.normal(size=60_001), rng.normal(3, 1, 50)
    share = 0.4 * scipy.stats.norm.pdf(many, 1)
    share /= share + 0.6 * scipy.stats.norm.pdf(many)
    step = em.solver().em_step({"q": 0.4, "m": 1.0}, x=many, y=few)
    close(step.m, (few.sum() + share @ many) / (50 + share.sum()))


# -- totals over arrays and numbers ------------------------------------------------------------------------------


def test_a_total_over_a_number_and_arrays_is_shared_out_among_all() -> None:
    """A background and two kinds of sources: each has its share of what was counted."""
    rng = np.random.default_rng(1)
    first, second = rng.uniform(0.2, 1, (4, 2)), rng.uniform(0.2, 1, (3, 4))
    counts, lam, nu = np.array([3, 2, 5, 1]), np.array([1.0, 2.0]), np.array([0.5, 0.6, 0.7])
    D, B, C = symbols("D B C", integer=True, positive=True)
    d, b, c = Idx("d", D), Idx("b", B), Idx("c", C)
    back, N, M, P, R, of_b, of_c = map(IndexedBase, ["back", "N", "M", "P", "R", "lam", "nu"])
    em = Model(
        {
            back[d]: Poisson(q),
            N[d, b]: Poisson(P[d, b] * of_b[b]),
            M[c, d]: Poisson(R[c, d] * of_c[c]),
        },
        latent=[back, N, M],
        known=[P, R],
        given=[Eq(back[d] + Sum(N[d, b], b) + Sum(M[c, d], c), y[d])],
    ).derive()
    theta, data = {"q": 0.5, "lam": lam, "nu": nu}, {"y": counts, "P": first, "R": second}
    rate = 0.5 + first @ lam + nu @ second
    solver = em.solver()
    close(solver.log_likelihood(theta, **data), scipy.stats.poisson.logpmf(counts, rate).sum())
    step = solver.em_step(theta, **data)
    close(step.q, (0.5 * counts / rate).mean())
    close(step.lam, (counts / rate) @ (first * lam) / first.sum(axis=0))
    close(step.nu, (second * nu[:, None]) @ (counts / rate) / second.sum(axis=1))


# -- a product over a latent's own plate ---------------------------------------------------------------------------


def test_what_couples_all_positions_of_a_latent_is_never_taken_apart() -> None:
    J = Symbol("J", integer=True, positive=True)
    j, p = Idx("j", J), IndexedBase("p")
    fading = Normal(exp(-Sum(z[i, j], (j, 0, J - 1))), 1)
    with pytest.raises(NotDerivedError, match="couples all of its positions"):
        Model({z[i, j]: Bernoulli(p[j]), x[i]: fading}, latent=[z]).derive()


# -- vectors -------------------------------------------------------------------------------------------------------


def test_a_vector_of_one_entry_is_refused_with_what_to_write() -> None:
    single = IndexedVector("f", 1)
    law = MultivariateNormal(ZeroMatrix(1, 1), Identity(1))
    with pytest.raises(ShapeError, match=r"IndexedBase\('f'\) with Normal"):
        Model({single[i]: law, x[i]: Normal(m, 1)}, latent=[single])


def test_one_vector_seen_in_part_has_its_documents() -> None:
    d = Symbol("d", integer=True, positive=True)
    whole, mean, spread = MatrixSymbol("Y", d, 1), MatrixSymbol("mu", d, 1), MatrixSymbol("S", d, d)
    em = Model({whole: MultivariateNormal(mean, spread)}, missing=[whole], known=[spread]).derive()
    assert "Y" in em.latex()
    step = em.solver().em_step(
        {"mu": [0.1, 0.2]}, Y=np.array([np.nan, 1.0]), S=np.array([[2.0, 1.0], [1.0, 3.0]])
    )
    close(step.mu, [0.1 + 0.8 / 3, 1.0])


# -- names in sources ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def f(a):\n    b = a + c\n    return b\n", {("f", "c")}),
        ("def f(a):\n    b = b + a\n    return b\n", {("f", "b")}),
        ("def f(a):\n    a += 1\n    d += a\n    return a\n", {("f", "d")}),
        ("def f(a):\n    return [b for b in a] + [b]\n", {("f", "b")}),
        ("def f(a):\n    return g(a)\n\n\ndef g(a):\n    return len(a)\n", set()),
        ("def f(a):\n    for k in range(a):\n        pass\n    return k, lambda t: t + s\n", {("f", "s")}),
    ],
)
def test_names_that_nothing_sets_are_found(source: str, found: set[tuple[str, str]]) -> None:
    assert set(undefined_names(source)) == found


# -- entries that are updated one by one -----------------------------------------------------------------------------


def test_an_update_reads_an_entry_as_it_was_until_it_is_set() -> None:
    """Two rates for each value of a binary label, of which the product alone shows: S / (J N other)."""
    J = Symbol("J", integer=True, positive=True)
    j, first, second = Idx("j", J), IndexedBase("first"), IndexedBase("second")
    em = Model({z[i]: Bernoulli(q), y[i, j]: Poisson(first[z[i]] * second[z[i]])}, latent=[z]).derive()
    counts = np.array([[1, 2, 0], [6, 8, 5], [2, 1, 3], [9, 6, 7]])
    theta = {"q": 0.5, "first": [1.0, 2.0], "second": [1.5, 3.0]}
    weights = np.array([scipy.stats.poisson.pmf(counts, rate).prod(axis=1) for rate in (1.5, 6.0)])
    share = weights / weights.sum(axis=0)
    mean = (share @ counts).sum(axis=1) / (3 * share.sum(axis=1))
    step = em.solver().em_step(theta, y=counts)
    close(np.asarray(step.first) * step.second, mean)
    close(
        np.minimum(abs(step.first - mean / theta["second"]), abs(step.second - mean / theta["first"])), [0, 0]
    )
    values = em.fit(y=counts, start=theta).history
    assert np.all(np.diff(values) >= -1e-12 * abs(values[-1]))


# -- two offsets of one array ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("values", [[0.5, 1.2], [0.5, 1.2, -0.3, 0.9]], ids=["two", "four"])
def test_a_series_and_the_same_series_one_step_before(values: list[float]) -> None:
    """A mixture of two autoregressions: each reads its own slice of the series."""
    T, K = symbols("T K", integer=True, positive=True)
    t, k = Idx("t", (1, T)), Idx("k", K)
    w, phi = IndexedBase("w"), IndexedBase("phi")
    em = Model({z[t]: Categorical(w[k]), y[t]: Normal(phi[z[t]] * y[t - 1], 1)}, latent=[z]).derive()
    series = np.array(values)
    now, before = series[1:], series[:-1]
    slopes, weights = np.array([[0.5], [-0.5]]), np.array([[0.4], [0.6]])
    joint = weights * scipy.stats.norm.pdf(now, slopes * before)
    theta, solver = {"w": weights[:, 0], "phi": slopes[:, 0]}, em.solver()
    sizes = {"T": len(now)}
    close(solver.log_likelihood(theta, y=series, **sizes), np.log(joint.sum(axis=0)).sum())
    share = joint / joint.sum(axis=0)
    step = solver.em_step(theta, y=series, **sizes)
    close(step.phi, share @ (now * before) / (share @ before**2))
    close(step.w, share.mean(axis=1))


def test_increments_of_a_known_path() -> None:
    em = Model(
        {z[i]: Bernoulli(q), y[i]: Normal(m * z[i] * (x[i + 1] - x[i]), 1)}, latent=[z], known=[x]
    ).derive()
    path, seen = np.array([0.0, 1.0, 3.0, 4.0]), np.array([0.5, 1.2, -0.3])
    joint = 0.4 * scipy.stats.norm.pdf(seen, 0.5 * np.diff(path)) + 0.6 * scipy.stats.norm.pdf(seen)
    close(em.solver().log_likelihood({"q": 0.4, "m": 0.5}, y=seen, x=path), np.log(joint).sum())


def test_a_known_scale_in_the_prior_of_a_parameter_of_each_row() -> None:
    theta, scale = IndexedBase("theta"), Symbol("scale")
    em = Model(
        {z[i]: Bernoulli(q), x[i]: Normal(theta[i] * z[i], 1)},
        latent=[z],
        known=[scale],
        prior={theta[i]: Normal(0, scale)},
    ).derive()
    share = 0.4 * scipy.stats.norm.pdf(X, 1)
    share /= share + 0.6 * scipy.stats.norm.pdf(X)
    start = {"q": 0.4, "theta": np.ones(3)}
    close(em.solver().em_step(start, x=X, scale=2.0).theta, share * X / (share + 0.25))
    whole = np.log(
        0.4 * scipy.stats.norm.pdf(X, 1) + 0.6 * scipy.stats.norm.pdf(X)
    ) + scipy.stats.norm.logpdf(1, 0, 2)
    close(em.solver().log_posterior(start, x=X, scale=2.0), whole.sum())
