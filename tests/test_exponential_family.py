"""The complete data as an exponential family: its form, its two means and the moment equation, each against numbers of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from sympy import Expr, Idx, IndexedBase, Rational, Sum, log, symbols

from symem import Categorical, Cauchy, Exponential, Laplace, Model
from symem.calculus.exponential_families import family_of
from symem.calculus.moment_equation import MomentEquation
from symem.calculus.trials import Trial
from symem.derivation import Derivation, ExponentialFamily, NoExponentialFamily, Status, SufficientStatistic
from symem.evaluation.arithmetic import evaluate
from symem.evaluation.coordinates import Coordinates
from symem.evaluation.members import random_parameters
from symem.language.matrices import is_matrix, shape
from tests.derived import em, once
from tests.evaluate import Evaluator
from tests.models import DERIVED, FEW, Row, in_turn, slow_but_for
from tests.test_chains import STATED

#: Quick ones: every fourth of the few.
QUICK = {row.name for row in FEW[::4]} - {"ibm_model1"}
STEP = 1e-5
FAMILIES = [row for row in DERIVED if row.name != "weibull_mixture"]


@cache
def family(name: str) -> ExponentialFamily:
    derivation = STATED[name]().derive().derivation if name in STATED else em(name).derivation
    found = family_of(derivation)
    assert isinstance(found, ExponentialFamily)
    return found


def derivation_of(row: Row) -> Derivation:
    found: Derivation = em(row.name).derivation
    return found


# numbers ------------------------------------------------------------------------------------------------


def tables(
    statistics: tuple[SufficientStatistic, ...], formulas: list[Expr], values: Mapping[str, Any]
) -> list[Any]:
    """Every formula at each place of its statistic, a number that stands for a matrix being a multiple of I."""
    run, found = Evaluator(dict(values)), []
    for each, formula in zip(statistics, formulas, strict=True):
        spans = [range(int(run(axis.size))) for axis in each.axes]
        names = [str(axis.index) for axis in each.axes]
        for places in itertools.product(*spans):
            scope = dict(zip(names, places, strict=True))
            value = run(formula, scope)
            if is_matrix(each.function) and not is_matrix(formula):
                height, width = (int(run(size)) for size in shape(each.function))
                value = float(value) * np.eye(height, width)
            found.append(np.asarray(value, dtype=float))
    return found


def product(
    told: ExponentialFamily, formulas: list[Expr], values: Mapping[str, Any], theta: Mapping[str, Any]
) -> float:
    """η(θ) · s - A(θ), s being the formulas at some values."""
    at = {**values, **theta}
    natural = tables(told.statistics, [each.natural for each in told.statistics], at)
    pairs = zip(natural, tables(told.statistics, formulas, values), strict=True)
    return float(sum(np.sum(one * other) for one, other in pairs)) - float(Evaluator(at)(told.log_partition))


def complete_data(derivation: Derivation, trial: Trial) -> dict[str, Any]:
    law = derivation.model.of_complete_data()
    return {**trial.arrays, **{each.name: trial.given(each) for each in law.latents}}


def points(derivation: Derivation, trial: Trial) -> list[dict[str, Any]]:
    rng = np.random.default_rng(5)
    return [random_parameters(derivation.model, rng, trial.arrays) for _ in range(2)]


# the form -----------------------------------------------------------------------------------------------


@slow_but_for(in_turn(FAMILIES, 0), QUICK)
def test_it_is_the_law_of_the_complete_data(row: Row) -> None:
    """log p(y; θ) - log p(y; θ') = η(θ)·s(y) - A(θ) - η(θ')·s(y) + A(θ')."""
    derivation = derivation_of(row)
    told, trial = family_of(derivation), Trial(derivation, 7)
    if isinstance(told, NoExponentialFamily):
        assert told.terms
        return
    y = complete_data(derivation, trial)
    functions = [each.function for each in told.statistics]
    whole = derivation.model.of_complete_data().log_likelihood
    try:
        densities = [float(Evaluator({**y, **theta})(whole)) for theta in points(derivation, trial)]
    except ValueError:  # a logarithm of what is negative
        densities = [-np.inf]
    if not np.all(np.isfinite(densities)):
        pytest.skip("drawn where the density is zero")
    found = [product(told, functions, y, theta) for theta in points(derivation, trial)]
    assert found[0] - found[1] == pytest.approx(densities[0] - densities[1], rel=1e-8, abs=1e-8)


@slow_but_for(in_turn(FAMILIES, 1), QUICK)
def test_its_mean_given_the_data_is_q(row: Row) -> None:
    """Q(θ | θ⁽ᵗ⁾) - Q(θ' | θ⁽ᵗ⁾) = η(θ)·s⁽ᵗ⁾ - A(θ) - …, but for the prior."""
    derivation = derivation_of(row)
    told, trial = family_of(derivation), Trial(derivation, 7)
    if isinstance(told, NoExponentialFamily):
        assert derivation.model.log_likelihood.has(*told.terms[0].free_symbols)
        return
    expected = [each.expected for each in told.statistics]
    q, prior = derivation.surrogate.value, derivation.model.log_prior
    thetas = points(derivation, trial)
    surrogate = [float(Evaluator({**trial.arrays, **theta})(q - prior)) for theta in thetas]
    found = [product(told, expected, trial.arrays, theta) for theta in thetas]
    assert found[0] - found[1] == pytest.approx(surrogate[0] - surrogate[1], rel=1e-8, abs=1e-8)


@slow_but_for(in_turn(FAMILIES, 2), QUICK)
def test_means_under_the_model_are_slopes_of_the_log_partition(row: Row) -> None:
    """E[∂ log p(Y; θ)/∂θ] = 0: ∂η/∂θ · E_θ[s] = ∂A/∂θ, the slopes being differences."""
    derivation = derivation_of(row)
    told, trial = family_of(derivation), Trial(derivation, 7)
    if isinstance(told, NoExponentialFamily) or any(each.mean is None for each in told.statistics):
        assert row.name in WITHOUT_MEANS or isinstance(told, NoExponentialFamily)
        return
    theta = points(derivation, trial)[0]
    coordinates = Coordinates(derivation.model, theta)
    means = [each.mean for each in told.statistics]
    values = evaluate(told.definitions, {**trial.arrays, **theta})
    for move in STEP * np.eye(len(coordinates.free())):
        ends = (coordinates.point(coordinates.free() + sign * move) for sign in (1, -1))
        ahead, behind = (product(told, means, values, end) for end in ends)
        size = abs(product(told, means, values, theta))
        assert (ahead - behind) / (2 * STEP) == pytest.approx(0, abs=1e-6 * (1 + size))


#: Where a mean has no short form: laws of two kinds at once, laws that no posterior is recognised as.
WITHOUT_MEANS = {
    "zip", "hurdle_exponential", "zero_inflated_binomial", "partially_classified_table", "bradley_terry",
    "competing_risks_masked", "laplace_known_location", "pareto_mixture", "contaminated_vector", "factorial_mixture",
    "lds_local_level", "hidden_tree",
}  # fmt: skip


# means that are counted -----------------------------------------------------------------------------------


def paths(places: int, labels: int) -> Iterator[tuple[int, ...]]:
    return itertools.product(range(labels), repeat=places)


def test_the_mean_of_a_chain_is_its_mean_over_all_paths() -> None:
    told = family("one sequence")
    T, K, rng = 4, 2, np.random.default_rng(1)
    pi, A = rng.dirichlet(np.ones(K)), rng.dirichlet(np.ones(K), K)
    values: dict[str, Any] = {
        "T": T,
        "K": K,
        "pi": pi,
        "A": A,
        "mu": rng.normal(size=K),
        "sigma": rng.uniform(1, 2, K),
    }
    transitions, sums = np.zeros((K, K)), np.zeros(K)
    for path in paths(T, K):
        chance = pi[path[0]] * np.prod([A[a, b] for a, b in itertools.pairwise(path)])
        for a, b in itertools.pairwise(path):
            transitions[a, b] += chance
        for label in path:
            sums[label] += chance * values["mu"][label]
    run = Evaluator(evaluate(told.definitions, values))
    by_natural = {each.natural: each for each in told.statistics}
    moved = next(each for natural, each in by_natural.items() if natural.has(log) and len(each.axes) == 2)
    (of_y,) = (each for each in told.statistics if str(each.natural).startswith("mu"))
    for places in itertools.product(range(K), range(K)):
        scope = dict(zip((str(axis.index) for axis in moved.axes), places, strict=True))
        assert run(moved.mean, scope) == pytest.approx(transitions[places])
    for place in range(K):
        assert run(of_y.mean, {str(of_y.axes[0].index): place}) == pytest.approx(sums[place])


def test_means_of_factors_are_those_of_a_joint_normal_law() -> None:
    told, rng = family("factor_analysis_mean"), np.random.default_rng(2)
    d, m, n = 3, 2, 5
    W, mu, psi = rng.normal(size=(d, m)), rng.normal(size=d), rng.uniform(1, 2, d)
    values = {
        "d": d,
        "m": m,
        "n": n,
        "W": W,
        "mu": mu,
        "psi": psi,
        "x": np.zeros((n, d)),
        "z": np.zeros((n, m)),
    }
    found = tables(told.statistics, [each.mean for each in told.statistics], values)
    squares = (W @ W.T + np.outer(mu, mu) + np.diag(psi)).diagonal()
    expected = [mu[:, None], np.zeros((m, 1)), W.T, np.eye(m), *squares]
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, n * other, atol=1e-12)


# full and curved -------------------------------------------------------------------------------------------

KINDS = {
    "gmm1d_faithful": (False, Status.PROVED),
    "exp_missing": (False, Status.PROVED),
    "peppered_moths": (False, Status.PROVED),
    "coins_weight": (False, Status.PROVED),
    "lca_missing_items": (False, Status.PROVED),
    "random_effects_dyestuff": (False, Status.PROVED),
    "gmm_missing": (False, Status.PROVED),
    "gmm_mv_diag_vector": (False, Status.PROVED),
    "rao_linkage": (True, Status.CHECKED),
    "factor_analysis_mean": (True, Status.CHECKED),
    "student_t_known_nu": (True, Status.CHECKED),
    "dawid_skene": (True, Status.CHECKED),
    "map_gamma_poisson": (False, Status.CHECKED),
    "common_mean_ecm": (True, Status.OPEN),
    "many sequences": (True, Status.CHECKED),
}


@pytest.mark.parametrize("name", KINDS)
def test_kinds(name: str) -> None:
    curved, status = KINDS[name]
    assert family(name).curved is curved
    assert family(name).claim.status is status


@slow_but_for(in_turn(DERIVED, 3), ())
def test_no_moment_equation_is_refuted(row: Row) -> None:
    found = family_of(derivation_of(row))
    assert isinstance(found, NoExponentialFamily) or found.claim.status is not Status.REFUTED


def test_the_linkage_of_rao_has_one_parameter_and_two_statistics() -> None:
    """x₂ + y₄ and y₂ + y₃ vary by themselves, as their sum is a binomial count of which θ says nothing."""
    told = family("rao_linkage")
    assert told.spans is not None
    assert (told.spans.statistics, told.spans.parameters) == (2, 1)
    found: ExponentialFamily = em("rao_linkage").exponential_family
    assert [str(each.natural) for each in found.statistics] == ["log(th)", "log(1 - th)"]
    assert [str(each.mean) for each in found.statistics] == ["n*th/2", "n*(1 - th)/2"]


def test_alleles_are_counted_where_genotypes_need_more_statistics() -> None:
    pC, nCC, nCI, nCT, n = symbols("pC nCC nCI nCT n")
    found = em("peppered_moths").exponential_family.statistics
    assert len(found) == 3
    own = {str(key): value for each in found for key, value in [(each.natural, each)]}["log(pC)"]
    names = {each: symbols(str(each)) for each in own.function.free_symbols | own.mean.free_symbols}
    assert own.function.xreplace(names) == 2 * nCC + nCI + nCT
    assert own.mean.xreplace(names) == 2 * n * pC


def test_a_conjugate_prior_is_known() -> None:
    assert family("map_gamma_poisson").conjugate is True
    assert family("gmm_mv_map").conjugate is True
    assert family("gmm1d_faithful").conjugate is None


# none --------------------------------------------------------------------------------------------------------

n, K = symbols("n K", integer=True, positive=True)
i, k = Idx("i", n), Idx("k", K)
x, z, w, mu = map(IndexedBase, ["x", "z", "w", "mu"])


@pytest.mark.parametrize(
    ("law", "word"), [(Laplace(mu[z[i]], 1), "Abs"), (Cauchy(mu[z[i]], 1), "log")], ids=["laplace", "cauchy"]
)
def test_there_is_none_where_parameters_and_data_do_not_part(law: Any, word: str) -> None:
    found = family_of(once(Model({z[i]: Categorical(w[k]), x[i]: law}, latent=[z])).derivation)
    assert isinstance(found, NoExponentialFamily)
    assert not found.split
    assert word in str(found.terms)


def test_matrices_that_do_not_part_are_told_apart_from_that() -> None:
    found = family_of(em("seemingly_unrelated").derivation)
    assert isinstance(found, NoExponentialFamily)
    assert found.split


# what is wrong is seen ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["gmm1d_faithful", "rao_linkage", "map_gamma_poisson", "factor_analysis_mean"]
)
def test_a_wrong_mean_is_refuted(name: str) -> None:
    derivation: Derivation = em(name).derivation
    first, *others = family(name).statistics
    wrong = (replace(first, mean=first.mean * Rational(11, 10)), *others)
    law = derivation.model.of_complete_data()
    assert MomentEquation(derivation, law, wrong, ()).claim.status is Status.REFUTED


def test_a_wrong_update_is_refuted() -> None:
    derivation: Derivation = em("gmm1d_faithful").derivation
    first, *others = derivation.updates
    wrong = replace(first, definition=replace(first.definition, value=first.value * Rational(9, 10)))
    spoilt = replace(derivation, updates=(wrong, *others))
    law = derivation.model.of_complete_data()
    assert MomentEquation(spoilt, law, family("gmm1d_faithful").statistics, ()).claim.status is Status.REFUTED


# told ------------------------------------------------------------------------------------------------------------


def test_in_the_symbols_of_the_user() -> None:
    rate = symbols("r", positive=True)
    found = once(Model({x[i]: Exponential(rate)}, missing=[x])).exponential_family
    assert isinstance(found, ExponentialFamily)
    (only,) = found.statistics
    assert only.function == Sum(x[i], (i, 0, n - 1))
    assert only.natural == -rate
    assert only.mean == n / rate
    assert found.log_partition == -n * log(rate)


@pytest.mark.parametrize("form", ["latex", "html", "markdown"])
def test_the_report_has_a_section(form: str) -> None:
    text = getattr(em("gmm1d_faithful"), form)()
    assert "The exponential family" in text
    assert "Sundberg" in text
    assert r"\eta_{1,k}" in text


def test_brief_reports_leave_it_out() -> None:
    assert "exponential family" not in em("gmm1d_faithful").markdown(level="brief")


def test_letters_that_the_model_has_are_not_used_again() -> None:
    text = em("random_effects_dyestuff").markdown()
    assert r"T_{1} &= \sum_{g=1}^{G} a_{g}^{2}" in text
