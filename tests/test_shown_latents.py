"""Latents that some data show, an event or that there was none yet: [d = 1] f(x) + [d = 0] f(u), against the densities."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy
from sympy import And, Eq, Idx, IndexedBase, Max, Ne, Or, Rational, symbols

from symem import (
    Bernoulli,
    Categorical,
    DataError,
    Exponential,
    Gamma,
    Model,
    ModelError,
    Normal,
    NotDerivedError,
)

n, m, K = symbols("n m K", integer=True, positive=True)
i, j, k = Idx("i", n), Idx("j", m), Idx("k", K)
a, c, d, p, r, u, v, x, y, z = map(IndexedBase, ["a", "c", "d", "p", "r", "u", "v", "x", "y", "z"])
q, s, t, b = symbols("q s t b")
SEEN, TIMES = np.array([1.0, 0, 1, 1, 0, 0]), np.array([0.7, 0.9, 0.2, 1.4, 2.0, 0.1])
AT = np.array([0.3, -1.0, 2.0, 0.5, 0.0, 1.0])

event = Or(And(Eq(d[i], 1), Eq(x[i], u[i])), And(Eq(d[i], 0), u[i] > x[i]))


def test_events_and_censored_lifetimes() -> None:
    em = Model({u[i]: Exponential(t)}, latent=[u], given=[event]).derive()
    module, theta = em.solver(), {"t": 1.3}
    expected = 3 * np.log(1.3) - 1.3 * TIMES.sum()
    assert module.log_likelihood(theta, d=SEEN, x=TIMES) == pytest.approx(expected, rel=1e-14)
    new = module.em_step(theta, d=SEEN, x=TIMES)
    assert new.t == pytest.approx(6 / (TIMES.sum() + 3 / 1.3), rel=1e-14)
    assert em.fit(d=SEEN, x=TIMES, start=theta, tol=1e-12).parameters.t == pytest.approx(
        3 / TIMES.sum(), rel=1e-6
    )
    assert em.verify(seed=0).passed


def test_the_condition_may_be_written_by_what_it_is_not() -> None:
    other = Or(And(Eq(d[i], 1), Eq(u[i], x[i])), And(Ne(d[i], 1), u[i] > x[i]))
    module = Model({u[i]: Exponential(t)}, latent=[u], given=[other]).derive().solver()
    expected = 3 * np.log(1.3) - 1.3 * TIMES.sum()
    assert module.log_likelihood({"t": 1.3}, d=SEEN, x=TIMES) == pytest.approx(expected, rel=1e-14)


def test_a_value_outside_the_support_is_impossible() -> None:
    module = Model({u[i]: Exponential(t)}, latent=[u], given=[event]).derive().solver()
    assert module.log_likelihood({"t": 1.3}, d=SEEN[:1], x=[0.0]) == -np.inf
    assert module.log_likelihood({"t": 1.3}, d=SEEN[1:2], x=[0.0]) == 0
    with pytest.raises(DataError, match=r"x\[0\] = -0.5, but every entry of x must be 0 or more"):
        module.log_likelihood({"t": 1.3}, d=SEEN[1:2], x=[-0.5])
    line = Model({u[i]: Normal(q, s)}, latent=[u], given=[event]).derive().solver()
    assert np.isfinite(line.log_likelihood({"q": 0.1, "s": 1.3}, d=SEEN[:2], x=[-0.5, -0.1]))


def test_a_mixture_of_lifetimes() -> None:
    model = Model({z[i]: Categorical(p[k]), u[i]: Exponential(r[z[i]])}, latent=[z, u], given=[event])
    module, share, rate = model.derive().solver(), np.array([0.3, 0.7]), np.array([0.8, 2.0])
    joint = share * np.where(SEEN[:, None] == 1, rate, 1) * np.exp(-rate * TIMES[:, None])
    theta = {"p": share, "r": rate}
    assert module.log_likelihood(theta, d=SEEN, x=TIMES) == pytest.approx(
        np.log(joint.sum(1)).sum(), rel=1e-14
    )
    weight = joint / joint.sum(1, keepdims=True)
    length = TIMES[:, None] + np.where(SEEN[:, None] == 1, 0, 1 / rate)
    new = module.em_step(theta, d=SEEN, x=TIMES)
    np.testing.assert_allclose(new.r, weight.sum(0) / (weight * length).sum(0), rtol=1e-13)


def test_a_share_that_is_cured_has_no_events() -> None:
    """What holds of a label where the latent is shown still holds: z is 1."""
    held = Or(And(Eq(d[i], 1), Eq(z[i], 1), Eq(x[i], u[i])), And(Eq(d[i], 0), Or(Eq(z[i], 0), u[i] > x[i])))
    em = Model({z[i]: Bernoulli(q), u[i]: Exponential(t)}, latent=[z, u], given=[held]).derive()
    module, theta = em.solver(), {"q": 0.6, "t": 1.3}
    alive = 0.6 * np.exp(-1.3 * TIMES)
    rows = np.where(SEEN == 1, 1.3 * alive, 0.4 + alive)
    assert module.log_likelihood(theta, d=SEEN, x=TIMES) == pytest.approx(np.log(rows).sum(), rel=1e-14)
    share = np.where(SEEN == 1, 1, alive / (0.4 + alive))
    length = np.where(SEEN == 1, TIMES, share * TIMES + 1 / 1.3)
    new = module.em_step(theta, d=SEEN, x=TIMES)
    assert [new.q, new.t] == pytest.approx([share.mean(), 6 / length.sum()], rel=1e-13)
    assert not em.verify(seed=0).failed


@pytest.mark.parametrize("sides", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_a_regression_with_a_floor_and_with_a_ceiling(sides: int) -> None:
    """Tobin's model, and with rows of which only an upper end is known."""
    ways = [
        And(Eq(d[i], 1), Eq(y[i], u[i])),
        And(Eq(d[i], 0), u[i] < y[i]),
        And(Eq(d[i], 2), u[i] > y[i]),
    ]
    em = Model({u[i]: Normal(q + b * c[i], s)}, latent=[u], known=[c], given=[Or(*ways[:sides])]).derive()
    law, seen = scipy.stats.norm(0.1 + 0.5 * AT, 0.8), np.minimum(np.array([1, 0, 2, 1, 0, 2]), sides)
    seen = seen if sides == 3 else SEEN
    rows = np.select([seen == 1, seen == 0], [law.logpdf(TIMES), law.logcdf(TIMES)], law.logsf(TIMES))
    module, theta = em.solver(), {"q": 0.1, "b": 0.5, "s": 0.8}
    assert module.log_likelihood(theta, c=AT, d=seen, y=TIMES) == pytest.approx(rows.sum(), rel=1e-12)
    ends = [np.where(seen == 2, TIMES, -np.inf), np.where(seen == 0, TIMES, np.inf)]
    low, high = ((end - law.mean()) / 0.8 for end in ends)
    mean = np.where(seen == 1, TIMES, scipy.stats.truncnorm(low, high, law.mean(), 0.8).mean())
    new = module.em_step(theta, c=AT, d=seen, y=TIMES)
    assert [new.b, new.q] == pytest.approx(list(np.polyfit(AT, mean, 1)), rel=1e-10)
    assert em.verify(seed=0).passed


def test_lifetimes_that_share_a_frailty() -> None:
    held = Or(And(Eq(d[i, j], 1), Eq(x[i, j], u[i, j])), And(Eq(d[i, j], 0), u[i, j] > x[i, j]))
    lives = {a[i]: Gamma(2, Rational(1, 2)), u[i, j]: Exponential(a[i] * t)}
    module = Model(lives, latent=[a, u], given=[held]).derive().solver()
    seen, times = SEEN.reshape(3, 2), TIMES.reshape(3, 2)
    events, exposed = seen.sum(1), 1.3 * times.sum(1)
    rows = events * np.log(1.3) + np.log(4) + scipy.special.gammaln(2 + events)
    expected = (rows - (2 + events) * np.log(2 + exposed)).sum()
    assert module.log_likelihood({"t": 1.3}, d=seen, x=times) == pytest.approx(expected, rel=1e-13)


def test_what_is_not_read_is_refused() -> None:
    two = Or(
        And(Eq(d[i], 1), Eq(x[i], u[i])), And(Eq(d[i], 2), Eq(y[i], u[i])), And(Eq(d[i], 0), u[i] > x[i])
    )
    lives: dict[Any, Any] = {u[i]: Exponential(t), v[i]: Exponential(s)}
    with pytest.raises(ModelError, match=r"cannot be read as what is seen of one latent"):
        Model({u[i]: Exponential(t)}, latent=[u], given=[two])
    with pytest.raises(ModelError, match=r"cannot be read as what is seen of one latent"):
        Model(
            lives,
            latent=[u, v],
            given=[Or(And(Eq(d[i], 1), Eq(x[i], u[i] + v[i])), And(Eq(d[i], 0), u[i] > x[i]))],
        )
    scaled = Or(And(Eq(d[i], 1), Eq(2 * x[i], u[i])), And(Eq(d[i], 0), u[i] > x[i]))
    with pytest.raises(ModelError, match=r"cannot be read as what is seen of one latent"):
        Model({u[i]: Exponential(t)}, latent=[u], given=[scaled])
    with pytest.raises(NotDerivedError):
        Model(lives, latent=[u, v], given=[Eq(x[i], Max(u[i], v[i]))]).derive()
