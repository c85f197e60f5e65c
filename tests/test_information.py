"""Information at an estimate: published values, another log-likelihood, the same by its definition, and where there is none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy
from sympy import Idx, IndexedBase, symbols

from symem import EM, Categorical, DataError, Exponential, Model, Normal
from symem.derivation import Definition
from symem.evaluation.arithmetic import evaluate
from symem.evaluation.situation import situation
from symem.language.leaves import name_of, places_of
from symem.language.matrices import MatrixEntry
from symem.runtime.tangents import _flat, _unflat, _way_to_end
from symem.verification.formulas import Formulas
from symem.verification.oracle import Oracle
from symem.verification.sizes import hidden_sizes
from tests.derived import em
from tests.models import BY_NAME, DERIVED, HALF, Row, in_turn, slow_but_for

n = symbols("n", integer=True, positive=True)
K = symbols("K", integer=True, positive=True)
i, k = Idx("i", n), Idx("k", K)
x, y, u, z, w, mu = map(IndexedBase, ["x", "y", "u", "z", "w", "mu"])
rate = symbols("r", positive=True)


def at_the_estimate(name: str) -> tuple[EM, Any]:
    row, algorithm = BY_NAME[name], em(name)
    start = row.theta(row.file["fixed_point"])
    return algorithm, algorithm.fit(**row.data, start=start, tol=1e-13, max_iter=10_000)


def test_the_linkage_of_rao() -> None:
    """Information 377.5 = 435.3 - 57.8, so a standard error of 0.0515; each step leaves 13.28 % (Dempster et al. 1977)."""
    _algorithm, fit = at_the_estimate("rao_linkage")
    found = fit.information
    told = [each.item() for each in (found.observed, found.complete, found.missing)]
    assert told == pytest.approx([377.5, 435.3, 57.8], abs=0.05)
    assert fit.standard_errors.th == pytest.approx(0.0515, abs=5e-5)
    assert found.rate == pytest.approx(0.1328, abs=5e-5)


def test_the_peppered_moths() -> None:
    """The model is saturated, so that standard errors and correlations are known: √(n_C / 4n²) for C."""
    _algorithm, fit = at_the_estimate("peppered_moths")
    assert [*fit.standard_errors] == pytest.approx([0.0074112, 0.0122052, 0.0134751], abs=5e-8)
    spread = np.sqrt(np.diag(fit.covariance))
    correlations = (fit.covariance / np.outer(spread, spread))[np.tril_indices(3, -1)]
    assert correlations == pytest.approx([-0.1233, -0.4383, -0.8379], abs=5e-5)


def test_a_mixture_against_second_differences_of_another_likelihood() -> None:
    _algorithm, fit = at_the_estimate("gmm1d_faithful")
    rows = np.asarray(BY_NAME["gmm1d_faithful"].data["x"], dtype=float)
    theta = fit.parameters

    def less(free: Any) -> float:
        w, m, s = free[0], free[1:3], free[3:5]
        parts = scipy.stats.norm.pdf(rows[:, None], m, s) * np.array([w, 1 - w])
        return -float(np.log(parts.sum(axis=1)).sum())

    at = np.array([theta.w[0], *theta.mu, *theta.sigma])
    steps = 1e-3 * np.abs(at)
    bent = np.empty((5, 5))
    for a, one in enumerate(np.diag(steps)):
        for b, other in enumerate(np.diag(steps)):
            signs = ((1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1))
            ends = sum(sign * less(at + s * one + t * other) for s, t, sign in signs)
            bent[a, b] = ends / (4 * steps[a] * steps[b])
    errors = np.sqrt(np.diag(np.linalg.inv(bent)))
    found = fit.standard_errors
    assert [found.w[0], *found.mu, *found.sigma] == pytest.approx(errors, rel=2e-3)


def test_a_missing_value_leaves_half() -> None:
    """Of an exponential law with one of two values seen, half of the information is missing."""
    algorithm = Model({x[i]: Exponential(rate)}, missing=[x]).derive()
    fit = algorithm.fit(x=[2.0, np.nan], start={"r": 1.0}, tol=1e-14)
    found = algorithm.information(fit)
    assert [found.rate, found.fractions.r] == pytest.approx([0.5, 0.5], abs=1e-8)
    assert fit.standard_errors.r == pytest.approx(0.5, rel=1e-7)
    low, high = fit.intervals(0.9).r
    assert (low * high, low > 0) == (pytest.approx(0.25, rel=1e-6), True)
    assert found.iterations() == pytest.approx(np.log(10) / np.log(2), rel=1e-6)


def test_what_is_only_a_product_has_no_standard_errors() -> None:
    p, q = symbols("p q")
    algorithm = Model({u[i]: Normal(p + q, 1), y[i]: Normal(u[i], 1)}, latent=[u]).derive()
    found = algorithm.information({"p": 1.0, "q": 1.0}, y=np.array([1.0, 2.0, 3.0]))
    assert "flat along a direction that moves p, q" in found.message
    assert np.isnan(found.standard_errors.p)
    assert str(found).startswith("No standard errors: ")


def test_elsewhere_than_at_the_maximum_there_are_none() -> None:
    algorithm, _fit = at_the_estimate("rao_linkage")
    found = algorithm.information({"th": 0.3}, **BY_NAME["rao_linkage"].data)
    assert "still rises" in found.message


def test_what_lies_at_an_end_is_held_and_the_others_are_conditional_on_it() -> None:
    """A share that has gone to 0, or all but: the spread has the standard error that it has without that component."""
    rows = np.random.default_rng(0).normal(0, 1, 200)
    s = symbols("s", positive=True)
    mixture = Model({z[i]: Categorical(w[k]), x[i]: Normal(mu[z[i]], s)}, latent=[z], known=[mu]).derive()
    for share in (0.0, 1e-14, 1e-8):
        spread = np.sqrt(np.mean(rows**2))
        found = mixture.information({"w": [1 - share, share], "s": spread}, x=rows, mu=[0.0, 30.0])
        assert found.message == ""
        assert np.isnan(found.standard_errors.w).all()
        assert found.standard_errors.s == pytest.approx(spread / np.sqrt(2 * len(rows)), rel=1e-5)
        (note,) = found.notes
        assert note[0] == "held"
        assert note[1].startswith("w[0], w[1] lie at ends of their supports: no standard errors there")
        assert [line.split()[-3:] for line in str(found).splitlines()[1:3]] == [["–"] * 3] * 2


def test_where_all_lies_at_an_end_there_are_none() -> None:
    singh = em("hurdle_exponential")
    found = singh.information({"w": 1.0, "rate": 1.0}, **BY_NAME["hurdle_exponential"].data)
    assert (np.isnan(found.standard_errors.w), found.held.tolist()[:1]) == (True, [True])
    share = Model({z[i]: Categorical(w[k]), x[i]: Normal(mu[z[i]], 1)}, latent=[z], known=[mu]).derive()
    found = share.information({"w": [1.0, 0.0]}, x=np.array([0.1, -0.2]), mu=[0.0, 9.0])
    assert found.message == "w[0], w[1] lie at ends of their supports, and nothing else moves"


def test_of_a_variance_between_groups_that_is_0_the_others_are_conditional_on_it() -> None:
    """Groups more alike than chance would have them: the error of the mean is that of a sample, σ / √n."""
    rows = np.tile([-1.5, -0.5, 0.5, 1.5], (6, 1))
    for between in (1e-14, 1e-5, 1e-3):
        within = np.mean(rows**2)
        found = em("random_effects_dyestuff").information({"mu": 0.0, "s2a": between, "s2e": within}, y=rows)
        assert [name for name, _ in found.notes] == ["held"]
        assert found.standard_errors.mu == pytest.approx(np.sqrt(within / 24), rel=2e-3)
        assert found.standard_errors.s2e == pytest.approx(within * np.sqrt(2 / 24), rel=2e-3)


def test_of_shares_one_alone_is_known_and_one_that_rounding_hides_is_at_an_end() -> None:
    mixture = Model({z[i]: Categorical(w[k]), x[i]: Exponential(mu[z[i]])}, latent=[z]).derive()
    data = np.array([1.0, 2.0, 4.5])
    alone = mixture.information({"w": [1.0], "mu": [0.4]}, x=data)
    assert alone.standard_errors.w == 0
    assert alone.standard_errors.mu == pytest.approx(0.4 / np.sqrt(3), rel=1e-6)
    np.testing.assert_array_equal(alone.intervals().w, [[1.0, 1.0]])
    hidden = mixture.information({"w": [1 - 1e-40, 1e-40], "mu": [0.4, 1.0]}, x=data)
    assert [name for name, _ in hidden.notes] == ["held", "not identified"]
    assert hidden.standard_errors.mu == pytest.approx([0.4 / np.sqrt(3), np.nan], rel=1e-6, nan_ok=True)


def test_a_parameter_that_is_lacking_is_named() -> None:
    algorithm, _fit = at_the_estimate("rao_linkage")
    with pytest.raises(DataError, match="'theta' is not a parameter"):
        algorithm.information({"theta": 0.3}, **BY_NAME["rao_linkage"].data)


def test_every_line_and_its_interval_is_told() -> None:
    algorithm, fit = at_the_estimate("peppered_moths")
    lines = str(algorithm.information(fit)).splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["pC", "pI", "pT"]
    assert lines[4].startswith("Pace: each step of EM leaves 17.6 % of the distance")
    assert lines[5] == "Missing: 17.4 % of the information on pI, the most of all entries."
    with pytest.raises(DataError, match="level"):
        fit.intervals(95)


def test_a_summary_tells_them() -> None:
    _algorithm, fit = at_the_estimate("peppered_moths")
    lines = fit.summary().splitlines()
    assert lines[0].split() == ["estimate", "std.", "error", "95", "%", "interval", "missing"]
    assert lines[1].split() == ["pC", "0.0708369", "0.007411", "0.05762", "0.08681", "3.7", "%"]
    assert any(line.startswith("pace") and "17.6 %" in line for line in lines)


def test_a_summary_says_why_there_are_none() -> None:
    _algorithm, fit = at_the_estimate("bernoulli_singh")
    assert "no standard errors  ℓ is flat along 2 directions that move w, p, q" in fit.summary()
    assert "interval" not in fit.summary()


def test_rows_that_count_are_as_rows_that_are_there() -> None:
    """The sandwich of rows that count twice, and the information, are those of rows that are there twice."""
    algorithm = Model({x[i]: Exponential(rate)}, missing=[x]).derive()
    solver, rows, counts = algorithm.solver().MODEL, np.array([2.0, 1.0, 0.5, np.nan]), np.array([1, 2, 3, 2])
    own = algorithm.solver().SOLVER
    theta = {"r": 6 / 5.5}
    all_rows = np.repeat(rows, counts)
    one = own.information(theta, x=all_rows)
    other = own.information_counted(counts, theta, x=rows)
    assert solver.plates.rows == "n"
    assert other.observed == pytest.approx(one.observed, rel=1e-9)
    robust = one.robust_covariance(*own.row_scores(None, theta, x=all_rows))
    again = other.robust_covariance(*own.row_scores(counts, theta, x=rows))
    assert again == pytest.approx(robust, rel=1e-9)
    scores = all_rows[: 1 + 2 + 3]
    assert robust.item() == pytest.approx(
        np.sum((1 / theta["r"] - scores) ** 2) / one.observed.item() ** 2, rel=1e-8
    )


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Of 200 samples with half of the values missing, 95 % intervals hold the rate in 95 % (within 3 standard errors)."""
    algorithm, rng, held = Model({x[i]: Exponential(rate)}, missing=[x]).derive(), np.random.default_rng(0), 0
    for _ in range(200):
        rows = rng.exponential(0.5, 80)
        rows[:40] = np.nan
        low, high = algorithm.information({"r": 40 / np.nansum(rows)}, x=rows).intervals().r
        held += low < 2.0 < high
    assert 0.95 - 3 * 0.0154 < held / 200 <= 1


@pytest.mark.filterwarnings("ignore")
@slow_but_for(in_turn(DERIVED, 0), HALF)
def test_information_is_what_the_likelihood_bends_by(row: Row) -> None:
    """Score and information against differences of the module's ℓ along lines, and the sum of the rows' scores."""
    solver, theta = em(row.name).solver(), row.theta(row.file["start"])
    found = solver.information(theta, **row.data)
    if np.any(found.held):
        return
    height = getattr(solver, "log_posterior", solver.log_likelihood)
    theta = found.parameters
    at, room = _flat(theta), _way_to_end(solver.SOLVER.model, theta)
    for move in (found.basis @ np.random.default_rng(0).normal(size=(found.basis.shape[1], 2))).T:
        way = move / np.sqrt(move @ found.complete @ move)
        moved = way != 0
        step = min(0.05, 0.1 * np.min(room[moved] / np.abs(way[moved])))
        f = [height(_unflat(theta, at + k * step * way), **row.data) for k in range(-2, 3)]
        bend = (-f[0] + 16 * f[1] - 30 * f[2] + 16 * f[3] - f[4]) / (12 * step**2)
        slope = (f[0] - 8 * f[1] + 8 * f[3] - f[4]) / (12 * step)
        rounding = 1e-13 * (1 + abs(f[2])) / step
        assert bend == pytest.approx(-way @ found.observed @ way, abs=1e-4 + rounding / step)
        assert slope == pytest.approx(way @ found.score, abs=1e-4 + rounding)


@pytest.mark.filterwarnings("ignore")
@slow_but_for(
    in_turn(DERIVED, 1),
    {"gmm1d_faithful", "lca_missing_items", "random_effects_dyestuff", "map_gamma_poisson"},
)
def test_scores_of_rows_add_up_to_the_score(row: Row) -> None:
    """Together with the slope of the log-prior, found by differences, they are the score of all."""
    solver, theta = em(row.name).solver(), row.theta(row.file["start"])
    model = solver.MODEL
    if model.plates.rows is None or model.parts.constant is not None:
        return
    found = solver.information(theta, **row.data)
    if np.any(found.held):
        return
    each = solver.score(theta, **row.data)
    at, way = _flat(found.parameters), found.basis @ np.ones(found.basis.shape[1])
    prior = 0.0
    if model.parts.log_prior is not None:
        step = 1e-4 * np.min(at[at > 0])
        ends = [
            solver.log_posterior(p, **row.data) - solver.log_likelihood(p, **row.data)
            for p in (_unflat(found.parameters, at + k * step * way) for k in (-1, 1))
        ]
        prior = (ends[1] - ends[0]) / (2 * step)
    assert each.sum(axis=0) @ way + prior == pytest.approx(
        found.score @ way, rel=1e-5, abs=1e-5 * np.abs(each).max()
    )


@pytest.mark.parametrize("name", ["gmm1d_faithful", "gmm_mv_full", "poisson_mixture_hasselblad"])
def test_scores_of_many_rows_are_those_of_each(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By products of weights and features, and by rows that are the same once, against one row after the other."""
    solver, row = em(name).solver(), BY_NAME[name]
    theta = row.theta(row.file["start"])
    data = {key: value[:120] if np.ndim(value) else value for key, value in row.data.items()}
    quick = solver.score(theta, **data)
    monkeypatch.setitem(solver.__dict__, "_scores_of_products", lambda *_: None)
    monkeypatch.setitem(solver.__dict__, "_kinds", lambda _, length: (np.arange(length), np.arange(length)))
    each = solver.score(theta, **data)
    assert quick.shape == (120, each.shape[1])
    assert quick == pytest.approx(each, rel=1e-10, abs=1e-12 * np.abs(each).max())


@pytest.mark.filterwarnings("ignore")
@slow_but_for(
    in_turn(DERIVED, 2),
    {"gmm1d_faithful", "random_effects_dyestuff", "gmm_missing", "t_mixture", "normal_missing_both"},
)
def test_the_formula_of_a_row_is_the_score_of_that_row(row: Row) -> None:
    """`em.score` in numbers against the module, which takes the statistics of each row alone."""
    algorithm, theta = em(row.name), row.theta(row.file["start"])
    solver, derivation = algorithm.solver(), algorithm.derivation
    told = [_whole(score.row) for score in derivation.scores if score.row is not None]
    if not told or solver.MODEL.plates.rows != str(told[0].axes[0].size):
        return
    arrays = situation(
        derivation.model, row.data, {**hidden_sizes(derivation.model, row.data, theta, {}), **theta}
    )
    here = Formulas(derivation, arrays, Oracle(derivation.model, arrays)).at(theta)
    with np.errstate(all="ignore"):
        found = evaluate(told, here.with_statistics)
    own = solver.information(theta, **row.data).parameters
    scores = [_unflat(own, each) for each in solver.score(theta, **row.data)]
    for definition, score in zip(told, derivation.scores, strict=True):
        name, places = name_of(score.parameter), places_of(score.parameter)
        chosen = tuple(int(place) if place.is_Integer else slice(None) for place in places)
        mine = np.array([np.asarray(getattr(each, name))[chosen] for each in scores])
        right = np.asarray(found[name_of(definition.symbol)], dtype=float).reshape(mine.shape)
        held = np.isfinite(right) & np.isfinite(mine)
        assert mine[held] == pytest.approx(
            right[held], rel=1e-8, abs=1e-8 * np.abs(right[held]).max(initial=1.0)
        )


def _whole(definition: Definition) -> Definition:
    """A score of an entry at a fixed place, th[0], as an array over its axes."""
    symbol = definition.symbol
    if isinstance(symbol, MatrixEntry) or not any(place.is_Integer for place in places_of(symbol)):
        return definition
    fixed = "_".join(str(place) for place in places_of(symbol) if place.is_Integer)
    indices = tuple(axis.index for axis in definition.axes)
    return replace(definition, symbol=IndexedBase(f"{name_of(symbol)}_at_{fixed}", real=True)[indices])


def test_scores_are_formulas_in_the_symbols_of_the_user() -> None:
    algorithm = Model({x[i]: Exponential(rate)}, missing=[x]).derive()
    assert set(algorithm.score) == {rate}
    assert str(em("gmm1d_faithful").score["mu"]) == "(-mu[k] + x[i])*gamma_z[i, k]/sigma[k]**2"
    assert [step.law.name for step in algorithm.steps if step.stage == "information"] == [
        "Fisher's identity",
        "complete information",
        "missing information",
        "observed information",
        "share missing",
    ]


def test_a_summary_of_what_takes_long_says_where_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    _algorithm, fit = at_the_estimate("peppered_moths")
    monkeypatch.setitem(em("peppered_moths").solver().__dict__, "_QUICK", 8)
    assert "take long: fit.standard_errors" in fit.summary()
    assert fit.standard_errors.pC == pytest.approx(0.0074112, abs=5e-8)


def test_a_summary_does_without_where_there_can_be_none(monkeypatch: pytest.MonkeyPatch) -> None:
    _algorithm, fit = at_the_estimate("peppered_moths")
    monkeypatch.setitem(em("peppered_moths").solver().__dict__, "_MOST", 2)
    assert "standard errors  none: The parameters have 3 entries, too many" in fit.summary()
