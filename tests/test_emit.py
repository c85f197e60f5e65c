"""What an emitted module promises beyond its formulas: digits, chunks, names, and refusals that say what is wrong."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from jinja2 import TemplateNotFound, UndefinedError
from sympy import Idx, IndexedBase, S, cos, symbols

from symem import (
    Bernoulli,
    Binomial,
    Cases,
    Categorical,
    Dirac,
    LogNormal,
    Model,
    NameClashError,
    Normal,
    NotDerivedError,
    Pareto,
    Poisson,
    Uniform,
)
from symem.codegen.emit import emit, load
from symem.derive import derive_records
from symem.runtime.checks import _sizes_of
from symem.runtime.description import Array
from symem.templating import render

n, K, J = symbols("n K J", integer=True, positive=True)
i, k = Idx("i", n), Idx("k", K)
x, z, w, mu, sigma, lam, p = map(IndexedBase, ["x", "z", "w", "mu", "sigma", "lam", "p"])
THETA = {"w": [0.4, 0.6], "mu": [-1.0, 2.0], "sigma": [1.0, 0.7]}
SAMPLE = np.concatenate(
    [np.random.default_rng(0).normal(-1, 1, 60), np.random.default_rng(1).normal(2, 0.5, 90)]
)


def mixture() -> Model:
    return Model({z[i]: Categorical(w[k]), x[i]: Normal(mu[z[i]], sigma[z[i]])}, latent=[z])


def poisson_mixture() -> Model:
    return Model({z[i]: Categorical(w[k]), x[i]: Poisson(lam[z[i]])}, latent=[z])


@cache
def solver() -> ModuleType:
    return load(emit(derive_records(mixture())))


@cache
def counting_solver() -> ModuleType:
    return load(emit(derive_records(poisson_mixture())))


def log_density(theta: dict[str, Any], values: Any) -> Any:
    """The mixture's log-likelihood, each log-density from its centred square."""
    weights, means, scales = (np.asarray(theta[name])[:, None] for name in ("w", "mu", "sigma"))
    each = np.log(weights / scales) - np.log(2 * np.pi) / 2 - (values - means) ** 2 / (2 * scales**2)
    return np.logaddexp.reduce(each, axis=0).sum()


def moved(theta: dict[str, Any], by: float) -> dict[str, Any]:
    return {**theta, "mu": np.asarray(theta["mu"]) + by}


# -- digits ------------------------------------------------------------------------------------------------


def test_data_far_from_zero_keep_their_variance() -> None:
    far = np.round(SAMPLE * 2**20) / 2**20 + 1e8
    near = far - 1e8
    one, other = solver().fit(x=near, start=THETA), solver().fit(x=far, start=moved(THETA, 1e8))
    np.testing.assert_allclose(other.parameters.sigma, one.parameters.sigma, rtol=1e-7)
    np.testing.assert_allclose(other.parameters.mu - 1e8, one.parameters.mu, atol=1e-7)
    assert other.log_likelihood == pytest.approx(one.log_likelihood, rel=1e-10)


def test_distant_components_keep_their_digits() -> None:
    rng = np.random.default_rng(3)
    values = np.concatenate([rng.normal(0, 1, 50), rng.normal(1e6, 1, 50)])
    theta = {"w": [0.5, 0.5], "mu": [0.1, 1e6], "sigma": [1.0, 1.2]}
    assert solver().log_likelihood(theta, x=values) == pytest.approx(log_density(theta, values), rel=1e-9)


def test_weights_that_underflow_still_normalise() -> None:
    table = solver().posterior(THETA, x=[1e3, -1e3]).z
    np.testing.assert_allclose(table.sum(axis=1), 1.0)


# -- chunks and streams ------------------------------------------------------------------------------------


def test_parts_merge_into_the_whole() -> None:
    whole = solver().statistics(THETA, x=SAMPLE)
    parts = [solver().statistics(THETA, x=part) for part in np.array_split(SAMPLE, 3)]
    merged = solver().merge(solver().merge(parts[2], parts[0]), parts[1])
    assert merged.log_likelihood == pytest.approx(whole.log_likelihood)
    for one, other in zip(solver().m_step(merged), solver().em_step(THETA, x=SAMPLE), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_long_data_are_cut_into_chunks_and_shown_whole() -> None:
    long = np.tile(SAMPLE, 400)
    assert solver().log_likelihood(THETA, x=long) == pytest.approx(
        400 * log_density(THETA, SAMPLE), rel=1e-11
    )
    np.testing.assert_allclose(
        solver().posterior(THETA, x=long).z,
        np.tile(solver().posterior(THETA, x=SAMPLE).z, (400, 1)),
        atol=1e-12,
    )


# -- the text ----------------------------------------------------------------------------------------------


def test_the_module_stands_alone(tmp_path: Path) -> None:
    (tmp_path / "solver.py").write_text(emit(derive_records(mixture())), encoding="utf-8")
    script = (
        "import sys, solver\n"
        "fit = solver.fit(x=[0.0, 0.1, 5.0, 5.2, 5.1], start={'w': [.5, .5], 'mu': [0, 5], 'sigma': [1, 1]}, max_iter=3, tol=0)\n"
        "assert not {'symem', 'sympy', 'scipy', 'jinja2'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", script], cwd=tmp_path, check=True)


#: Words that the module uses for itself, each of them a legal name in a model; three at a time.
WORDS = """
scale centre theta statistics Parameters np data count x_1 c_1 iv known Statistics Data Rows natural
features buffer rows length index fit r_1 d_1 i_ lambda_ A_z S_0 gamma_z eta_z drawn_z digamma gammaln
sizes given posterior chunks peaks total value step K_ print float self Any Fit log_likelihood translation
observed_x prototypes a b u_
"""
NAMES = WORDS.split()
THREES = list(zip(NAMES[::3], NAMES[1::3], NAMES[2::3], strict=True))


@pytest.mark.parametrize(
    "names",
    [pytest.param(names, marks=[pytest.mark.slow] * (place > 3)) for place, names in enumerate(THREES)],
    ids="-".join,
)
def test_any_name_may_be_a_parameter_a_datum_or_known(names: tuple[str, str, str]) -> None:
    """Each name in two of these parts, beside others of its kind."""
    one, two, three = names
    theta, values = {"w": [0.5, 0.5], "mu": [1.0, 6.0], "sigma": [1.0, 2.0]}, [0.0, 1.0, 7.0, 8.5]
    plain = solver().em_step(theta, x=values)
    mean, spread, seen = map(IndexedBase, names)
    tied = load(emit(derive_records(
        Model({z[i]: Categorical(w[k]), seen[i]: Normal(mean[z[i]], spread[z[i]])}, latent=[z])
    )))  # fmt: skip
    start = {"w": theta["w"], one: theta["mu"], two: theta["sigma"]}
    first = tied.em_step(start, **{three: values})
    np.testing.assert_allclose((getattr(first, one), getattr(first, two)), (plain.mu, plain.sigma))
    with pytest.warns(tied.NotConvergedWarning):
        assert tied.fit(K=2, seed=0, max_iter=3, tol=-1.0, **{three: values}).n_iter == 3
    centre, width, datum = symbols(one), symbols(three), IndexedBase(two)
    prior = load(emit(derive_records(
        Model({z[i]: Categorical(w[k]), datum[i]: Normal(mu[z[i]], 1)}, latent=[z], known=[centre, width],
              prior={mu[k]: Normal(centre, width)})
    )))  # fmt: skip
    free, given = {"w": theta["w"], "mu": theta["mu"]}, {two: values, one: 0.0}
    whole = prior.em_step(free, **given, **{three: 0.5})
    again = prior.m_step(prior.statistics(free, **given, **{three: 0.5}), **{one: 0.0, three: 0.5})
    np.testing.assert_allclose(again.mu, whole.mu)
    assert prior.em_step(free, **given, **{three: 1e8}).mu[1] > whole.mu[1]


@pytest.mark.parametrize("name", ["start", "tol", "seed", "verbose"])
def test_a_datum_called_like_a_keyword_of_fit_is_refused(name: str) -> None:
    array = IndexedBase(name)
    with pytest.raises(NameClashError, match=name):
        emit(derive_records(Model({z[i]: Categorical(w[k]), array[i]: Poisson(lam[z[i]])}, latent=[z])))


def test_an_open_block_is_named() -> None:
    turn, v = map(IndexedBase, ["turn", "v"])
    laws = {z[i]: Categorical(w[k]), x[i]: Normal(cos(turn[z[i]] * v[i]), 1)}
    model = Model(laws, latent=[z], known=[v])
    with pytest.raises(NotDerivedError, match="turn"):
        emit(derive_records(model))


def test_a_template_asks_for_nothing_in_vain() -> None:
    with pytest.raises(UndefinedError):
        render("solver.py.j2")
    with pytest.raises(TemplateNotFound):
        render("no_such_template.j2")


# -- what is refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, "x is missing: give x="),
        ({"x": [1.0, 2.0], "y": [1.0]}, "'y' is not an array of this model"),
        ({"x": [1.0, np.nan, 2.0]}, r"x\[1\] = nan"),
        ({"x": [1.0, 2.0, np.inf]}, r"x\[2\] = inf"),
        ({"x": [[1.0], [2.0]]}, r"x must have shape \(n\).*\(2, 1\)"),
        ({"x": []}, "x is empty"),
        ({"x": ["a", "b"]}, "x is not an array of numbers"),
    ],
)
def test_bad_data_are_named(data: dict[str, Any], words: str) -> None:
    with pytest.raises(solver().DataError, match=words):
        solver().log_likelihood(THETA, **data)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"w": [0.5, 0.6]}, "w must sum to 1"),
        ({"w": [-0.5, 1.5]}, r"w\[0\] = -0.5"),
        ({"sigma": [1.0, 0.0]}, r"sigma\[1\] = 0.0, but every entry of sigma must be positive"),
        ({"mu": [0.0]}, "w says that K is 2, but mu"),
        ({"mu": [0.0, np.nan]}, r"mu\[1\] = nan"),
        ({"tau": 1.0}, "'tau' is not a parameter"),
    ],
)
def test_bad_parameters_are_named(change: dict[str, Any], words: str) -> None:
    with pytest.raises(solver().DataError, match=words):
        solver().fit(x=SAMPLE, start={**THETA, **change})


@pytest.mark.parametrize(("counts", "words"), [([1, -2], r"x\[1\] = -2"), ([1.5, 2], r"x\[0\] = 1.5")])
def test_counts_are_counts(counts: list[float], words: str) -> None:
    with pytest.raises(counting_solver().DataError, match=words):
        counting_solver().fit(x=counts, K=2)


@pytest.mark.parametrize(("sizes", "words"), [({}, "give K="), ({"K": 0}, "K=0"), ({"K": 1.5}, "K=1.5")])
def test_a_size_that_no_array_shows_is_asked_for(sizes: dict[str, Any], words: str) -> None:
    with pytest.raises(solver().DataError, match=words):
        solver().fit(x=SAMPLE, **sizes)


@pytest.mark.parametrize("total", [10, symbols("N"), IndexedBase("N")[i]])
def test_a_count_above_its_total_is_named(total: Any) -> None:
    known = [each for each in (symbols("N"), IndexedBase("N")) if S(total).has(each)]
    model = Model({z[i]: Categorical(w[k]), x[i]: Binomial(total, p[z[i]])}, latent=[z], known=known)
    module, theta = model.derive().solver(), {"w": [0.5, 0.5], "p": [0.2, 0.6]}
    totals: dict[str, Any] = {} if not known else {"N": 10 if total == symbols("N") else [10, 10, 12]}
    with pytest.raises(module.DataError, match=r"x\[1\] = 11.0, but every entry of x must be at most (N|10)"):
        module.fit(start=theta, x=[3, 11, 10], **totals)
    assert np.isfinite(module.log_likelihood(theta, x=[3, 10, 10], **totals))


def test_data_below_a_known_least_value_are_named() -> None:
    least = symbols("least")
    model = Model({z[i]: Categorical(w[k]), x[i]: Pareto(least, lam[z[i]])}, latent=[z], known=[least])
    with pytest.raises(ValueError, match=r"x\[2\] = 0.5, but every entry of x must be at least least"):
        model.derive().solver().fit(x=[1.0, 2.0, 0.5], least=1.0, K=2)


def test_what_an_impossible_outcome_weighs_counts_for_nothing() -> None:
    """At 0 the log-normal branch has log 0, in its weight and in its statistics."""
    share, mean, sd = symbols("share mean sd")
    branches = {1: Dirac(0), 0: LogNormal(mean, sd)}
    model = Model({z[i]: Bernoulli(share), x[i]: Cases(z[i], branches)}, latent=[z])
    module, theta = model.derive().solver(), {"share": 0.5, "mean": 1.0, "sd": 1.0}
    logs = np.log([1.0, 2.0, 3.0])
    after = module.em_step(theta, x=[0.0, 1.0, 2.0, 0.0, 3.0])
    assert tuple(after) == pytest.approx((0.4, logs.mean(), logs.std()))
    value = np.sum(np.log(0.5) - logs - np.log(2 * np.pi) / 2 - (logs - 1) ** 2 / 2) + 2 * np.log(0.5)
    assert module.log_likelihood(theta, x=[0.0, 1.0, 2.0, 0.0, 3.0]) == pytest.approx(value)
    np.testing.assert_array_equal(module.posterior(theta, x=[0.0, 1.0]).z, [[0, 1], [1, 0]])


def test_two_arrays_that_disagree_are_both_named() -> None:
    y, b = IndexedBase("y"), IndexedBase("b")
    t = symbols("t")
    model = Model({b[i]: Normal(0, t), x[i]: Normal(b[i], y[i])}, latent=[b], known=[y])
    module = load(emit(derive_records(model)))
    with pytest.raises(module.DataError, match="x says that n is 3, but y"):
        module.log_likelihood({"t": 1.0}, x=[1.0, 2.0, 3.0], y=[1.0, 1.0])


def test_what_steps_take_is_one_shorter() -> None:
    """An input of steps alone, u[t] for t from 1, has T - 1 entries: it shows T, and one of T entries is refused."""
    table, sizes = {"u": Array("T - 1"), "x": Array("T")}, dict[str, int]()
    _sizes_of({"u": np.zeros(4)}, table, sizes)
    assert sizes == {"T": 5, "T - 1": 4}
    with pytest.raises(
        ValueError, match=r"x says that T is 4, but u has shape \(4,\), where T - 1 are wanted"
    ):
        _sizes_of({"x": np.zeros(4), "u": np.zeros(4)}, table, {})


def test_labels_count_from_where_their_index_does() -> None:
    one, seen = Idx("v", (1, J)), IndexedBase("B")
    model = Model({z[i]: Categorical(w[k]), x[i]: Categorical(seen[z[i], one])}, latent=[z])
    module = load(emit(derive_records(model)))
    theta = {"w": [0.5, 0.5], "B": [[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]]}
    expected = np.log([0.4, 0.3]).sum()
    assert module.log_likelihood(theta, x=[1, 3]) == pytest.approx(expected)
    with pytest.raises(module.DataError, match=r"x\[1\] = 0, but every entry of x must be one of 1, ..., 3"):
        module.log_likelihood(theta, x=[1, 0])


def test_an_impossible_row_is_named() -> None:
    low, high = IndexedBase("low"), IndexedBase("high")
    model = Model(
        {z[i]: Categorical(w[k]), x[i]: Uniform(low[z[i]], high[z[i]])}, latent=[z], known=[low, high]
    )
    module = load(emit(derive_records(model)))
    ranges = {"low": [0.0, 2.0], "high": [1.0, 3.0]}
    assert module.em_step({"w": [0.5, 0.5]}, x=[0.5, 0.7, 2.5], **ranges).w == pytest.approx([2 / 3, 1 / 3])
    with pytest.raises(module.DataError, match=r"Row 1 \(counted from 0\) is impossible"):
        module.log_likelihood({"w": [0.5, 0.5]}, x=[0.5, 1.5], **ranges)


# -- the fit -----------------------------------------------------------------------------------------------


def test_a_fit_is_the_same_for_the_same_seed_and_finds_the_components() -> None:
    one, two = (solver().fit(x=SAMPLE, K=2, seed=5, n_init=2) for _ in range(2))
    for a, b in zip(one.parameters, two.parameters, strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_allclose(np.sort(one.parameters.mu), [-1, 2], atol=0.3)
    assert one.converged
    assert one.posterior.z.shape == (150, 2)
    assert one.history[-1] == pytest.approx(one.log_likelihood)


def test_reaching_max_iter_is_not_convergence() -> None:
    with pytest.warns(solver().NotConvergedWarning, match="max_iter"):
        fit = solver().fit(x=SAMPLE, start=THETA, max_iter=2)
    assert not fit.converged
    assert fit.n_iter == 2


def test_every_iteration_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    told: list[tuple[int, float, float]] = []
    far = SAMPLE + 1000.0
    fit = solver().fit(
        x=far, start=moved(THETA, 1000.0), verbose=True, callback=lambda t, p, v: told.append((t, p.mu[0], v))
    )
    assert [t for t, _, _ in told] == list(range(fit.n_iter + 1))
    assert all(mean > 900 for _, mean, _ in told)
    assert "iteration 0" in capsys.readouterr().err


def test_a_collapsing_component_is_named() -> None:
    values = np.concatenate([np.zeros(5), SAMPLE[60:] + 50.0])
    with pytest.warns(solver().EMWarning, match="sigma"):
        solver().fit(x=values, start={"w": [0.5, 0.5], "mu": [0.0, 50.0], "sigma": [1.0, 1.0]})


def test_an_empty_component_is_named() -> None:
    values = np.random.default_rng(1).normal(0, 1, 40)
    start = {"w": [0.5, 0.5], "mu": [0.0, 1e5], "sigma": [1.0, 1.0]}
    with pytest.warns(solver().EmptyComponentWarning, match=r"mu\[1\]|sigma\[1\]|z = 1"):
        solver().fit(x=values, start=start)


ONE_FAR = np.append(np.random.default_rng(0).normal(0, 1, 50), 30.0)


@pytest.mark.parametrize(
    ("values", "size", "words"),
    [
        ([1.0, 1, 2, 2, 2, 3], 5, r"sigma\[\d\]|z = \d"),
        ([1.0, 2.0], 5, r"sigma\[\d\]|z = \d"),
        (ONE_FAR, 2, r"sigma\[\d\]"),
        (np.ones(10), 2, r"sigma\[0\]"),
        ([3.0], 1, r"sigma\[0\]"),
    ],
)
def test_more_components_than_points_are_named(values: Any, size: int, words: str) -> None:
    with pytest.warns(solver().EMWarning, match=words):
        fit = solver().fit(x=values, K=size, seed=0, max_iter=2000)
    assert np.all(np.isfinite(fit.history))
    assert all(np.all(np.isfinite(each)) for each in (*fit.parameters, fit.posterior.z))


def test_more_starts_are_never_worse() -> None:
    values = np.concatenate([np.random.default_rng(k).normal(5 * k, 1, 30) for k in range(4)])
    one, many = (solver().fit(x=values, K=4, seed=1, n_init=starts, tol=1e-8) for starts in (1, 6))
    assert many.log_likelihood >= one.log_likelihood - 1e-6


def test_no_runs_are_refused() -> None:
    for wrong in ({"n_init": 0}, {"max_iter": -1}):
        with pytest.raises(solver().DataError, match="at least"):
            solver().fit(x=SAMPLE, K=2, **wrong)
