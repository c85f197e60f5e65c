"""What is refused is told in one sentence of the user's symbols that says what to write instead, and that does."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy
from scipy.special import gammaln, logsumexp
from sympy import Abs, And, Eq, Idx, IndexedBase, Or, Rational, cos, erf, exp, log, sqrt, symbols

from symem import (
    Bernoulli,
    Binomial,
    Cases,
    Categorical,
    Dirac,
    Exponential,
    Gamma,
    Laplace,
    Model,
    Normal,
    Poisson,
    maximise,
)
from symem.errors import DataError, NotDerivedError, PlateError
from symem.language.supports import Positive, Reals

n, K, J = symbols("n K J", integer=True, positive=True)
i, k, j = Idx("i", n), Idx("k", K), Idx("j", J)
x, y, z, u, v, w, a, b, c, mu, sigma = map(
    IndexedBase, ["x", "y", "z", "u", "v", "w", "a", "b", "c", "mu", "sigma"]
)
p, q, s, t, C = symbols("p q s t C")
label = Categorical(w[k])


def mixed(law: Any, **more: Any) -> Model:
    return Model({z[i]: label, x[i]: law}, latent=[z], **more)


def observed(law: Any, **more: Any) -> Model:
    return Model({u[i]: Normal(p, s), y[i]: law}, latent=[u], **more)


def gated(gate: Any) -> Model:
    return Model({z[i]: Bernoulli(gate), x[i]: Normal(mu[z[i]], s)}, latent=[z], known=[v])


REFUSED: dict[str, tuple[Callable[[], Model], str, str]] = {
    "probit gate": (lambda: gated(erf(p + q * v[i]) / 2 + Rational(1, 2)), r"erf\(p \+ q\*v\[i\]\)", "known=[p, q]"),
    "regression of a Laplace": (
        lambda: mixed(Laplace(a[z[i]] + b[z[i]] * v[i], s), known=[v]),
        r"sign\(a\[k\] \+ b\[k\]\*v\[i\] - x\[i\]\)",
        r"write x[i] as Normal(a[z[i]] + b[z[i]]*v[i], s*sqrt(2*u[i])) with a latent u[i]: Exponential(1)",
    ),
    "wave": (lambda: mixed(Normal(cos(a[z[i]] * v[i]), s), known=[v]), r"cos\(a\[k\]\*v\[i\]\)", "known=[a]"),
    "logistic-normal": (lambda: observed(Bernoulli(1 / (1 + exp(-u[i])))), r"log\(", "g[l[i]] for u[i], with w and g known"),
    "log-normal rate": (lambda: observed(Poisson(exp(u[i]))), r"exp\(u\[i\]\)", "g[l[i]] for u[i], with w and g known"),
    "square of a latent": (lambda: observed(Normal(u[i] ** 2, 1)), r"u\[i\]\*\*4/2", "g[l[i]] for u[i]"),
    "product of latents": (
        lambda: Model({u[i]: Normal(0, 1), v[i]: Normal(0, 1), y[i]: Normal(u[i] * v[i], s)}, latent=[u, v]),
        r"\[i\]\*\*2\*y\[i\]\*\*2",
        "with w and g known",
    ),
    "a point beside a density": (
        lambda: Model(
            {z[i]: Bernoulli(p), u[i]: Cases(z[i], {0: Dirac(0), 1: Exponential(q)})},
            latent=[z, u],
            given=[u[i] > c[i]],
            known=[c],
        ),
        r"u\[i\] is 0 in one case and has a density in another",
        "Or(And(Eq(z[i], 0), c[i] < 0), And(Eq(z[i], 1), u[i] > c[i]))",
    ),
    "no straight line": (
        lambda: Model({u[i]: Normal(p, s)}, latent=[u], given=[u[i] ** 2 > C], known=[C]),
        r"u\[i\]\*\*2 > C is not linear in u\[i\]",
        "Or(u < a, u > b)",
    ),
}  # fmt: skip

#: Names that no user wrote: classes of the engine and of SymPy, numbered statistics, masks, posterior moments.
INSIDE = re.compile(
    r"S_\d|Iverson|ExprCondPair|PowerExponential|polygamma|observed_|Derivative|Indexed|slope_|\bE_|Tuple"
)


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_is_a_sentence_of_the_users(name: str) -> None:
    statement, term, instead = REFUSED[name]
    try:
        reasons = [block.reason for block in statement().derive().derivation.not_derived]
    except NotDerivedError as refusal:
        reasons = [str(refusal)]
    (reason,) = reasons
    assert re.search(term, reason)
    assert instead in reason
    assert reason.endswith(".")
    assert ". " not in reason
    assert not INSIDE.search(reason)


def test_a_prior_on_a_scale_says_which_other_scale_has_a_closed_form() -> None:
    """Without numbers; with them it is climbed."""
    stated = mixed(Normal(mu[z[i]], sigma[z[i]]), prior={sigma[k]: Gamma(3, 2)})
    (block,) = stated.derive(numeric=False).derivation.not_derived
    assert re.search(r"sigma\[k\]\*\*3", block.reason)
    assert "write the law in v = sigma**2 or 1/sigma**2 and put the prior on v" in block.reason


def test_what_stays_open_in_maximise_is_told_too() -> None:
    with pytest.raises(
        NotDerivedError, match=r"^No closed form was found for p: the term -4\*p\*\*3 of ∂Q/∂p"
    ):
        maximise(-exp(p) - p**4 + log(q) - q, {p: Reals(), q: Positive()})


def test_the_shape_that_a_refusal_asks_for_may_be_given() -> None:
    found = mixed(Gamma(a[z[i]], b[z[i]]), known=[a]).derive()
    solver, data = found.solver(), np.array([0.3, 1.1, 2.5, 4.0])
    theta, shapes = {"w": [0.4, 0.6], "b": [0.5, 2.0]}, np.array([2.0, 3.0])
    logs = np.log(theta["w"]) + (shapes - 1) * np.log(data[:, None]) - data[:, None] / theta["b"]
    share = np.exp(logs - gammaln(shapes) - shapes * np.log(theta["b"]))
    share /= share.sum(1, keepdims=True)
    expected = (share * data[:, None]).sum(0) / (shapes * share.sum(0))
    np.testing.assert_allclose(solver.em_step(theta, x=data, a=shapes).b, expected, rtol=1e-12)


def test_the_grid_that_a_refusal_asks_for_is_derived() -> None:
    g, l = IndexedBase("g"), IndexedBase("l")  # noqa: E741 - the letters of the message
    model = Model({l[i]: label, y[i]: Poisson(t * exp(g[l[i]]))}, latent=[l], known=[w, g])
    solver, data = model.derive().solver(), np.array([0.0, 3.0, 9.0])
    weights, grid = np.array([0.25, 0.5, 0.25]), np.array([-1.0, 0.0, 1.0])
    rates = 2.0 * np.exp(grid)
    logs = np.log(weights) + data[:, None] * np.log(rates) - rates - gammaln(data + 1)[:, None]
    found = solver.log_likelihood({"t": 2.0}, y=data, w=weights, g=grid)
    assert found == pytest.approx(logsumexp(logs, axis=1).sum(), rel=1e-12)


def test_the_mixture_that_the_refusal_of_a_laplace_law_asks_for_is_that_law() -> None:
    model = Model(
        {u[i]: Exponential(1), x[i]: Normal(p + q * v[i], t * sqrt(2 * u[i]))}, latent=[u], known=[v]
    )
    data, at = np.array([0.3, -1.1, 2.5, 4.0]), np.array([0.0, 1.0, -0.5, 2.0])
    module, theta = model.derive().solver(), {"p": 0.4, "q": 1.2, "t": 0.7}
    law = scipy.stats.laplace(0.4 + 1.2 * at, 0.7)
    assert module.log_likelihood(theta, x=data, v=at) == pytest.approx(law.logpdf(data).sum(), rel=1e-12)
    weight = 1 / np.abs(data - 0.4 - 1.2 * at)
    line = np.polynomial.polynomial.polyfit(at, data, 1, w=np.sqrt(weight))
    new = module.em_step(theta, x=data, v=at)
    assert [new.p, new.q] == pytest.approx(list(line), rel=1e-10)


def test_a_point_beside_a_density_as_its_refusal_says() -> None:
    """P(no event before c) of a point at 0 with 1 - p, else exponential."""
    told = Or(And(Eq(z[i], 0), c[i] < 0), And(Eq(z[i], 1), u[i] > c[i]))
    model = Model({z[i]: Bernoulli(p), u[i]: Exponential(q)}, latent=[z, u], given=[told], known=[c])
    bounds, solver = np.array([1.0, 2.0, -1.0]), model.derive().solver()
    expected = np.log(0.3 * np.exp(-0.7 * bounds[:2])).sum()
    assert solver.log_likelihood({"p": 0.3, "q": 0.7}, c=bounds) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("relation", "mass"),
    [
        (Abs(u[i]) > C, lambda law: law.cdf(-1.3) + law.sf(1.3)),
        (Abs(2 * u[i] - 1) <= C, lambda law: law.cdf(1.15) - law.cdf(-0.15)),
    ],
    ids=["outside", "inside"],
)
def test_an_absolute_value_is_two_sides(relation: Any, mass: Any) -> None:
    solver = Model({u[i]: Normal(p, s)}, latent=[u], given=[relation], known=[C]).derive().solver()
    theta, expected = {"p": 0.4, "s": 1.7}, np.log(mass(scipy.stats.norm(0.4, 1.7)))
    assert solver.log_likelihood(theta, C=1.3, n=1) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("law", [Normal(p, 1), Exponential(p)], ids=str)
def test_ends_that_cross_are_refused_by_row(law: Any) -> None:
    both = [u[i] > b[i], u[i] < c[i]]
    found = Model({u[i]: law}, latent=[u], given=both, known=[b, c]).derive()
    low, high = np.array([0.0, 2.0, 1.0]), np.array([1.0, 1.5, 3.0])
    with pytest.raises(DataError, match=r"u\[1\] has no value to take"):
        found.fit(b=low, c=high)
    assert np.isfinite(found.solver().log_likelihood({"p": 1.0}, b=low, c=np.array([1.0, 2.5, 3.0])))


def test_an_array_without_an_index_is_refused() -> None:
    with pytest.raises(PlateError, match=r"The array a stands without an index: write a\[k\]"):
        mixed(Exponential(b[z[i]]), prior={b[k]: Gamma(a, 1)})


def test_counts_have_the_letters_of_the_field() -> None:
    r, P, V = IndexedBase("r"), IndexedBase("P"), symbols("V", integer=True, positive=True)
    raters = Model({z[i]: label, r[i, j]: Categorical(P[j, z[i], Idx("v", V)])}, latent=[z]).derive()
    assert {str(symbol) for symbol in raters.statistics} == {"N[k]", "N_r[j, k, v]"}
    two = Model({z[i]: label, y[i]: Categorical(c[j]), x[i]: Poisson(a[z[i], y[i]])}, latent=[z, y]).derive()
    assert {"N_z[k]", "N_y[j]", "N_y_z[k, j]"} <= {str(symbol) for symbol in two.statistics}
    trials = mixed(Binomial(IndexedBase("N")[i], mu[z[i]]), known=[IndexedBase("N")]).derive()
    assert {"N_z[k]", "S_0[k]", "S_1[k]"} == {str(symbol) for symbol in trials.statistics}
