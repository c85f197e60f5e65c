"""Signs, cases and 0/1 numbers are read into one form: a finite selector and its branches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy
from sympy import (
    And,
    Eq,
    Heaviside,
    Idx,
    IndexedBase,
    Or,
    Piecewise,
    Product,
    Sum,
    exp,
    false,
    sign,
    symbols,
)

from symem import (
    Bernoulli,
    Binary,
    Binomial,
    Cases,
    Categorical,
    Exponential,
    Model,
    ModelError,
    NonNegative,
    Normal,
    Poisson,
    Positive,
    Uniform,
    UnitInterval,
)

n, K, J = symbols("n K J", integer=True, positive=True)
i, j, k = Idx("i", n), Idx("j", J), Idx("k", K)
a, b, c, f, m, s, lam, p = symbols("a b c f m s lam p")
C, D, E, P, d, g, q, t, u, mu, w, x, y, z = map(
    IndexedBase, ["C", "D", "E", "P", "d", "g", "q", "t", "u", "mu", "w", "x", "y", "z"]
)

X = np.array([-1.3, -0.2, 0.4, 0.9, 1.6, -0.7])
Y = np.array([0, 1, 1, 0, 1, 0])


def _probit(relation: Any, known: Any) -> Any:
    return Model({u[i]: Normal(a + b * x[i], 1)}, latent=[u], known=known, given=[relation]).derive()


@pytest.mark.parametrize(
    ("relation", "known", "seen"),
    [
        ((2 * y[i] - 1) * u[i] > 0, [x, y], Y),
        (Eq(y[i], Heaviside(u[i])), [x], Y),
        (Eq(y[i], sign(u[i])), [x], 2 * Y - 1),
        (Eq(y[i], Piecewise((1, u[i] > 0), (0, True))), [x], Y),
        (Or(And(Eq(y[i], 1), u[i] > 0), And(Eq(y[i], 0), u[i] <= 0)), [x], Y),
    ],
    ids=["product", "step", "sign", "pieces", "alternatives"],
)
def test_signs_of_a_latent(relation: Any, known: Any, seen: Any) -> None:
    """Probit regression: the mean of a normal number cut at 0 is regressed on x (Albert & Chib 1993)."""
    solver = _probit(relation, known).solver()
    theta = {"a": 0.3, "b": -0.4}
    mean, signs = 0.3 - 0.4 * X, 2 * Y - 1
    assert solver.log_likelihood(theta, x=X, y=seen) == pytest.approx(
        scipy.stats.norm.logcdf(signs * mean).sum()
    )
    cut = mean + signs * scipy.stats.norm.pdf(mean) / scipy.stats.norm.cdf(signs * mean)
    slope, start = np.polyfit(X, cut, 1)
    step = solver.em_step(theta, x=X, y=seen)
    assert [step.a, step.b] == pytest.approx([start, slope])


def test_three_ordered_outcomes() -> None:
    ordered = Eq(y[i], Piecewise((0, u[i] < 0), (1, u[i] < 1), (2, True)))
    solver = _probit(ordered, [x]).solver()
    mean, seen = 0.1 + 0.2 * X, np.array([0, 1, 2, 2, 1, 0])
    low, high = scipy.stats.norm.cdf(-mean), scipy.stats.norm.cdf(1 - mean)
    masses = np.choose(seen, [low, high - low, 1 - high])
    assert solver.log_likelihood({"a": 0.1, "b": 0.2}, x=X, y=seen) == pytest.approx(np.log(masses).sum())


def test_a_latent_outside_an_interval() -> None:
    """Both tails together: their masses add, and the mean is that of the mixture of the two."""
    em = Model({u[i]: Normal(m, 1)}, latent=[u], given=[Or(u[i] < -1, u[i] > 2)]).derive()
    at = 0.4
    mass = scipy.stats.norm.cdf(-1, at) + scipy.stats.norm.sf(2, at)
    mean = scipy.stats.norm.expect(lambda v: v, loc=at, ub=-1) + scipy.stats.norm.expect(
        lambda v: v, loc=at, lb=2
    )
    solver = em.solver()
    assert solver.log_likelihood({"m": at}, n=5) == pytest.approx(5 * np.log(mass))
    assert solver.em_step({"m": at}, n=5).m == pytest.approx(mean / mass)


def test_tails_that_meet_are_counted_once() -> None:
    em = Model({u[i]: Normal(m, 1)}, latent=[u], given=[Or(u[i] > -1, u[i] > 2)]).derive()
    assert em.solver().log_likelihood({"m": 0.4}, n=3) == pytest.approx(3 * scipy.stats.norm.logsf(-1, 0.4))


def test_censored_on_the_side_that_the_data_say() -> None:
    side = Or(And(Eq(d[i], 1), u[i] > C[i]), And(Eq(d[i], 0), u[i] < C[i]))
    known = {d: Binary(), C: NonNegative()}
    em = Model({u[i]: Exponential(lam)}, latent=[u], known=known, given=[side]).derive()
    after, ends = np.array([1, 0, 1, 0]), np.array([1.0, 2.0, 0.5, 3.0])
    right = np.where(after == 1, -0.7 * ends, np.log(-np.expm1(-0.7 * ends))).sum()
    assert em.solver().log_likelihood({"lam": 0.7}, d=after, C=ends) == pytest.approx(right)


# 0/1 numbers that choose ---------------------------------------------------------------------------------

MASTERED = np.array([[0, 0, 1], [1, 0, 1], [1, 1, 0]])
RIGHT = np.array([[1, 0, 1], [1, 1, 0], [0, 0, 1], [1, 1, 1]])


@pytest.mark.parametrize(
    ("chance", "known"),
    [
        (E[z[i], j] * (1 - q[j]) + g[j] * (1 - E[z[i], j]), [E]),
        (E[z[i], j] * (1 - q[j]) + g[j] * (1 - E[z[i], j]), {E: Binary()}),
        (Piecewise((1 - q[j], Eq(E[z[i], j], 1)), (g[j], True)), [E]),
        ((1 - q[j]) ** E[z[i], j] * g[j] ** (1 - E[z[i], j]), {E: Binary()}),
    ],
    ids=["weights", "said to be binary", "pieces", "powers"],
)
def test_a_known_number_chooses_a_probability(chance: Any, known: Any) -> None:
    """The DINA model: slips q where an item is mastered, guesses g where it is not (de la Torre 2009)."""
    em = Model({z[i]: Categorical(w[k]), D[i, j]: Bernoulli(chance)}, latent=[z], known=known).derive()
    theta = {"w": [0.2, 0.5, 0.3], "q": [0.1, 0.2, 0.15], "g": [0.3, 0.2, 0.25]}
    chances = np.where(MASTERED == 1, 1 - np.array(theta["q"]), np.array(theta["g"]))
    joint = theta["w"] * np.prod(np.where(RIGHT[:, None] == 1, chances, 1 - chances), axis=2)
    shares = joint / joint.sum(axis=1, keepdims=True)
    step = em.solver().em_step(theta, D=RIGHT, E=MASTERED)
    yes, no = shares @ MASTERED, shares @ (1 - MASTERED)
    assert step.q == pytest.approx((yes * (1 - RIGHT)).sum(axis=0) / yes.sum(axis=0))
    assert step.g == pytest.approx((no * RIGHT).sum(axis=0) / no.sum(axis=0))


def test_what_weighs_two_parameters_in_a_logarithm_is_0_or_1() -> None:
    chance = E[i] * (1 - p) + s * (1 - E[i])
    model = Model({z[i]: Bernoulli(f), D[i]: Bernoulli(chance)}, latent=[z], known=[E])
    assert model.variable(E).support == Binary()


def test_a_known_number_chooses_a_scale() -> None:
    law = Normal(0, Piecewise((a, Eq(d[i], 1)), (b, True)))
    em = Model({z[i]: Bernoulli(f), x[i]: law}, latent=[z], known={d: Binary()}).derive()
    theta = {"a": 1.5, "b": 0.7, "f": 0.5}
    right = scipy.stats.norm.logpdf(X, 0, np.where(Y == 1, 1.5, 0.7)).sum()
    assert em.solver().log_likelihood(theta, x=X, d=Y) == pytest.approx(right)


# labels ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "law",
    [Normal(mu[u[i]], s), Cases(u[i], {0: Normal(a, s), 1: Normal(b, s), 2: Normal(c, s)})],
    ids=["index", "cases"],
)
def test_a_bounded_count_is_a_label(law: Any) -> None:
    """Genotypes: the number of alleles selects the mean."""
    solver = Model({u[i]: Binomial(2, f), x[i]: law}, latent=[u]).derive().solver()
    means = {"mu": [-1.0, 0.0, 1.5]} if "mu" in str(law) else {"a": -1.0, "b": 0.0, "c": 1.5}
    joint = scipy.stats.binom.pmf([0, 1, 2], 2, 0.4) * scipy.stats.norm.pdf(X[:, None], [-1, 0, 1.5], 1.3)
    theta = {"f": 0.4, "s": 1.3, **means}
    assert solver.log_likelihood(theta, x=X) == pytest.approx(np.log(joint.sum(axis=1)).sum())
    shares = joint / joint.sum(axis=1, keepdims=True)
    assert solver.em_step(theta, x=X).f == pytest.approx((shares @ [0, 1, 2]).mean() / 2)


def test_any_other_value_of_a_label() -> None:
    law = Cases(z[i], {0: Uniform(-5, 5)}, otherwise=Normal(m, s))
    em = Model({z[i]: Categorical(w[k]), x[i]: law}, latent=[z]).derive()
    theta = {"w": [0.2, 0.3, 0.5], "m": 0.3, "s": 0.8}
    joint = np.column_stack([np.full(6, 0.02), *(v * scipy.stats.norm.pdf(X, 0.3, 0.8) for v in (0.3, 0.5))])
    solver = em.solver()
    assert solver.log_likelihood(theta, x=X) == pytest.approx(np.log(joint.sum(axis=1)).sum())
    inside = 1 - joint[:, 0] / joint.sum(axis=1)
    assert solver.em_step(theta, x=X).m == pytest.approx((inside * X).sum() / inside.sum())


def test_an_entry_that_no_value_of_a_label_chooses_is_named() -> None:
    law = Cases(z[i], {0: Uniform(-5, 5)}, otherwise=Normal(mu[z[i]], s))
    with pytest.raises(ModelError, match=r"mu\[0\] stands in no law, as z\[i\] = 0 has a branch of its own"):
        Model({z[i]: Categorical(w[k]), x[i]: law}, latent=[z])
    held = {z[i]: Categorical(w[k]), x[i]: law, y[i]: Normal(mu[z[i]], 1)}
    assert Model(held, latent=[z]).variable("mu").sizes == (K,)


def test_a_branch_is_a_whole_number() -> None:
    with pytest.raises(ModelError, match="otherwise=law"):
        Cases(z[i], {0: Uniform(-5, 5), "rest": Normal(m, s)})


# zeros ----------------------------------------------------------------------------------------------------


def test_zero_to_a_number_is_an_indicator() -> None:
    """Who is cured has no event: the factor 0**d, which is 1 where d = 0."""
    cured = (p * lam ** d[i] * exp(-lam * t[i])) ** z[i] * ((1 - p) * 0 ** d[i]) ** (1 - z[i])
    em = Model.from_likelihood(
        Product(cured, (i, 0, n - 1)),
        latent={z: Binary()},
        parameters={lam: Positive(), p: UnitInterval()},
        data={d: Binary(), t: Positive()},
    ).derive()
    times, events = np.array([0.5, 2.0, 1.0, 3.0]), np.array([1, 0, 1, 0])
    alive = 0.6 * 0.8**events * np.exp(-0.8 * times)
    cure = 0.4 * (events == 0)
    solver, theta = em.solver(), {"lam": 0.8, "p": 0.6}
    assert solver.log_likelihood(theta, d=events, t=times) == pytest.approx(np.log(alive + cure).sum())
    shares = alive / (alive + cure)
    step = solver.em_step(theta, d=events, t=times)
    assert [step.p, step.lam] == pytest.approx([shares.mean(), (shares @ events) / (shares @ times)])


def test_known_zeros_under_a_poisson_mean() -> None:
    """Emission tomography: what a detector cannot see has probability 0 (Shepp & Vardi 1982)."""
    em = Model(
        {u[i, k]: Poisson(P[i, k] * f_k[k])},
        latent=[u],
        known=[P],
        given=[Eq(Sum(u[i, k], (k, 0, K - 1)), y[i])],
    ).derive()
    sees, counts, theta = np.array([[1, 0], [0.5, 0.5], [0, 1]]), np.array([3, 2, 4]), [1.0, 2.0]
    rates = sees * theta
    shares = rates / rates.sum(axis=1, keepdims=True)
    step = em.solver().em_step({"f": theta}, P=sees, y=counts)
    assert step.f == pytest.approx(counts @ shares / sees.sum(axis=0))


f_k = IndexedBase("f")


def test_a_statement_that_sympy_decides_is_refused_with_what_to_write() -> None:
    with pytest.raises(ModelError, match="Heaviside"):
        Model({u[i]: Normal(m, 1)}, latent=[u], given=[false])
