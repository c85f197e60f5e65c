"""The oracle against numbers that other people computed, and against integrals known in closed form."""

from __future__ import annotations

from itertools import combinations_with_replacement
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import scipy
from scipy.special import gammaln, logsumexp
from sympy import (
    And,
    Eq,
    Expr,
    Function,
    Ge,
    Idx,
    IndexedBase,
    Integer,
    Le,
    Sum,
    Symbol,
    exp,
    log,
    loggamma,
    pi,
    symbols,
)

from symem import Categorical, Model, Normal
from symem.errors import UnknownSymbolError
from symem.evaluation.arithmetic import Arithmetic
from symem.evaluation.coordinates import Coordinates, total_defect
from symem.evaluation.differences import gradient, hessian, units, without_plateaus
from symem.evaluation.trees import Apply, Atom, Constant
from symem.language.plates import Expectation, Iverson, LinearSolution, LogIverson, index_symbol
from symem.language.support import Support
from symem.language.supports import Binary, Counts, Interval, Labels, OneHot, Positive, Reals, UnitInterval
from symem.verification import Oracle, TooLargeError, prepare, situation
from symem.verification.beliefs import GroupBelief
from symem.verification.identities import of_free
from symem.verification.oracle import Belief
from tests.answers import direction, move
from tests.models import HALF, MODELS, Row, in_turn, slow_but_for

#: A sequence of so many places that its paths cannot be listed.
OUT_OF_REACH = {"hmm_categorical"}
WITH_LIKELIHOOD = [
    row for row in MODELS if "start_log_likelihood" in row.file and row.name not in OUT_OF_REACH
]
CLOSED = [row for row in WITH_LIKELIHOOD if not row.blocked and not row.conditional and row.file.get("first")]


def oracle_of(row: Row) -> tuple[Oracle, Any]:
    theta = row.theta(row.file["start"])
    model = row.model()
    return Oracle(model, situation(model, row.data, theta)), theta


@slow_but_for(in_turn(WITH_LIKELIHOOD, 0), HALF)
def test_the_likelihood_is_that_of_the_table(row: Row) -> None:
    oracle, theta = oracle_of(row)
    value = oracle.log_posterior(theta) if row.prior else oracle.log_likelihood(theta)
    expected = row.file["start_log_likelihood"] + row.constant(row.file["data"])
    assert value == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_steep_gates_keep_their_digits() -> None:
    """exp(a_k u) / Σ_m exp(a_m u) where the exponentials overflow: the mixture's density, row by row."""
    n, K = symbols("n K", integer=True, positive=True)
    i, k, m = Idx("i", n), Idx("k", K), Idx("m", K)
    x, z, u, a, mu = map(IndexedBase, ["x", "z", "u", "a", "mu"])
    gate = exp(a[k] * u[i]) / Sum(exp(a[m] * u[i]), (m, 0, K - 1))
    model = Model({z[i]: Categorical(gate), x[i]: Normal(mu[z[i]], 1)}, latent=[z], known=[u])
    data = {"x": np.array([0.3, -2.0, 1.5]), "u": np.array([1.0, -3.0, 0.2])}
    theta = {"a": np.array([-900.0, 1000.0, 20.0]), "mu": np.array([-1.0, 0.5, 2.0])}
    steep = data["u"][:, None] * theta["a"]
    near = -((data["x"][:, None] - theta["mu"]) ** 2) / 2 - np.log(2 * np.pi) / 2
    expected = np.sum(logsumexp(steep + near, axis=1) - logsumexp(steep, axis=1))
    found = Oracle(model, situation(model, data, theta)).log_likelihood(theta)
    assert found == pytest.approx(expected, rel=1e-12)


@slow_but_for(in_turn(CLOSED, 1), HALF)
def test_the_first_iterate_of_the_table_maximises_q(row: Row) -> None:
    oracle, theta = oracle_of(row)
    belief, first = oracle.at(theta), row.theta(row.file["first"])
    coordinates = Coordinates(row.model(), first)
    objective = of_free(lambda new: belief.surrogates(new) + oracle.log_priors(new), coordinates)
    at = coordinates.free()
    assert np.max(np.abs(gradient(objective, at, units(objective, at))), initial=0.0) < 1e-6


@pytest.mark.parametrize("row", [row for row in MODELS if row.conditional], ids=lambda row: row.name)
def test_the_first_iterate_of_the_table_maximises_q_part_by_part(row: Row) -> None:
    """Conditional maximisation: some parameters with the others at their old values, then the others."""
    oracle, old = oracle_of(row)
    belief, first = oracle.at(old), row.file["first"]
    halfway = {**row.file["start"], **{name: first[name] for name in row.conditional}}
    for at, moving in ((halfway, set(row.conditional)), (first, set(first) - set(row.conditional))):
        for seed in range(3):
            way = {name: value * (name in moving) for name, value in direction(at, seed).items()}
            ahead, behind = (
                belief.surrogate(row.theta(move(row.file, at, way, length))) for length in (1e-4, -1e-4)
            )
            assert abs(ahead - behind) / 2e-4 < 1e-5


def latent(name: str, support: Support, *sizes: Any) -> Any:
    return SimpleNamespace(name=name, support=support, sizes=sizes)


def brute(log_likelihood: Expr, *latents: Any, **arrays: Any) -> Oracle:
    """An oracle of a log-joint without parameters."""
    model = SimpleNamespace(
        log_likelihood=log_likelihood, log_prior=Symbol("zero"), latents=latents, parameters=()
    )
    return Oracle(model, {"zero": 0.0, **arrays})


def normal(x: Expr, mean: Expr, variance: Expr) -> Expr:
    return -log(2 * pi * variance) / 2 - (x - mean) ** 2 / (2 * variance)


u, v, x, y, a, b = symbols("u v x y a b")


def test_a_normal_latent() -> None:
    found = brute(normal(u, 3, 4) + normal(y, u, 1), latent("u", Reals()), y=1500.0).at({})
    assert found.log_likelihood == pytest.approx(scipy.stats.norm.logpdf(1500, 3, np.sqrt(5)), rel=1e-12)
    assert found.mean(Atom("u", ())) == pytest.approx(1 / 5 * 3 + 4 / 5 * 1500, rel=1e-11)
    assert found.entropy == pytest.approx(scipy.stats.norm.entropy(0, np.sqrt(4 / 5)), rel=1e-8)


def test_two_coupled_normal_latents() -> None:
    log_joint = normal(u, 1, 2) + normal(v, u, 3) + normal(y, u + v, 1)
    found = brute(log_joint, latent("u", Reals()), latent("v", Reals()), y=4.0).at({})
    assert found.log_likelihood == pytest.approx(
        scipy.stats.norm.logpdf(4, 2, np.sqrt(4 * 2 + 3 + 1)), rel=1e-9
    )


def test_three_coupled_normal_latents() -> None:
    w = symbols("w")
    log_joint = normal(u, 0, 1) + normal(v, u, 1) + normal(w, v, 1) + normal(y, u + v + w, 1)
    latents = (latent(name, Reals()) for name in "uvw")
    assert brute(log_joint, *latents, y=2.0).log_likelihood({}) == pytest.approx(
        scipy.stats.norm.logpdf(2, 0, np.sqrt(15)), rel=1e-8
    )


def test_six_coupled_normal_latents_are_no_harder() -> None:
    parts = symbols("p:6")
    log_joint = normal(y, sum(parts), 1) + sum(normal(part, 1, 2) for part in parts)
    found = brute(log_joint, *(latent(part.name, Reals()) for part in parts), y=9.0).at({})
    assert found.log_likelihood == pytest.approx(scipy.stats.norm.logpdf(9, 6, np.sqrt(13)), rel=1e-12)
    assert found.entropy == pytest.approx(
        scipy.stats.multivariate_normal(np.zeros(6), 2 * np.eye(6) - 4 / 13).entropy(), rel=1e-9
    )


def test_four_coupled_latents_that_are_not_normal_are_refused() -> None:
    parts = symbols("p:4")
    log_joint = normal(y, sum(parts), 1) - sum(part**4 for part in parts)
    oracle = brute(log_joint, *(latent(part.name, Reals()) for part in parts), y=2.0)
    with pytest.raises(TooLargeError, match="4 coupled continuous latents"):
        oracle.at({})


def listed(belief: Belief) -> GroupBelief:
    """The only group, of listed configurations."""
    (group,) = belief.groups
    assert isinstance(group, GroupBelief)
    return group


def test_normal_latents_beside_another_are_integrated_at_its_nodes() -> None:
    """Student's t by a Gamma precision, its mean the sum of two normal latents."""
    log_joint = normal(u, 1, 2) + normal(v, 0, 1) + 2 * log(a) - 3 * a + normal(y, u + v, 1 / a)
    found = brute(log_joint, latent("u", Reals()), latent("v", Reals()), latent("a", Positive()), y=2.5).at(
        {}
    )
    precision = np.geomspace(1e-7, 60, 400_001)
    density = precision**2 * np.exp(-3 * precision) * scipy.stats.norm.pdf(2.5, 1, np.sqrt(3 + 1 / precision))
    assert listed(found).mixed is not None
    assert found.log_likelihood == pytest.approx(
        np.log(scipy.integrate.trapezoid(density, precision)), rel=1e-8
    )


def test_a_product_of_normal_latents_is_normal_given_one_of_them() -> None:
    log_joint = normal(u, 0, 1) + normal(v, 0, 1) + normal(y, u * v, 1)
    found = brute(log_joint, latent("u", Reals()), latent("v", Reals()), y=0.5).at({})
    line = np.linspace(-9, 9, 20_001)
    expected = np.log(
        scipy.integrate.trapezoid(
            scipy.stats.norm.pdf(line) * scipy.stats.norm.pdf(0.5, 0, np.sqrt(1 + line**2)), line
        )
    )
    mixed = listed(found).mixed
    assert mixed is not None
    assert len(mixed.places) == 1
    assert found.log_likelihood == pytest.approx(expected, rel=1e-10)


def test_the_mean_of_what_is_no_quadratic_is_not_taken_for_one() -> None:
    found = brute(normal(u, 2, 1), latent("u", Reals())).at({})
    four = Apply("Pow", (Atom("u", ()), Constant(4)))
    assert found.mean(four) == pytest.approx(16 + 6 * 4 + 3, rel=1e-9)


@pytest.mark.parametrize("shape", [0.3, 1.0, 7.5])
def test_a_gamma_latent(shape: float) -> None:
    log_joint = (a - 1) * log(u) - b * u
    found = brute(log_joint, latent("u", Positive()), a=shape, b=2.5).log_likelihood({})
    assert found == pytest.approx(gammaln(shape) - shape * np.log(2.5), rel=1e-10)


def test_a_beta_latent() -> None:
    found = brute((a - 1) * log(u) + (b - 1) * log(1 - u), latent("u", UnitInterval()), a=2.5, b=1.5)
    assert found.log_likelihood({}) == pytest.approx(gammaln(2.5) + gammaln(1.5) - gammaln(4.0), rel=1e-11)


def test_a_latent_known_up_to_an_interval() -> None:
    bracket = LogIverson(And(Ge(u, a), Le(u, b)))
    found = brute(normal(u, 0, 1) + bracket, latent("u", Reals()), a=3.0, b=3.5).log_likelihood({})
    assert found == pytest.approx(np.log(scipy.stats.norm.sf(3) - scipy.stats.norm.sf(3.5)), rel=1e-10)


def test_a_density_that_breaks_inside_the_domain() -> None:
    step = Iverson(u > a) * log(3)
    found = brute(normal(u, 0, 1) + step, latent("u", Reals()), a=0.7).log_likelihood({})
    assert found == pytest.approx(np.log(scipy.stats.norm.cdf(0.7) + 3 * scipy.stats.norm.sf(0.7)), rel=1e-11)


def test_a_count_that_nothing_bounds() -> None:
    log_joint = (a - 1) * log(v) - b * v + u * log(v) - v - loggamma(u + 1) + a * log(b) - loggamma(a)
    found = brute(
        log_joint + normal(y, u, 9), latent("u", Counts()), latent("v", Positive()), a=20.0, b=0.5, y=60.0
    )
    counts = np.arange(600)
    expected = logsumexp(
        scipy.stats.nbinom.logpmf(counts, 20, 0.5 / 1.5) + scipy.stats.norm.logpdf(60, counts, 3)
    )
    assert found.log_likelihood({}) == pytest.approx(expected, rel=1e-9)


def test_counts_with_a_known_total_are_compositions() -> None:
    p, q, r = symbols("p q r")
    log_joint = -loggamma(p + 1) - loggamma(q + 1) - loggamma(r + 1) + LogIverson(Eq(p + q + r, y))
    found = brute(log_joint, *(latent(each, Counts()) for each in "pqr"), y=9)
    rows = listed(found.at({})).rows
    assert len(rows.discrete) == len(list(combinations_with_replacement(range(3), 9)))
    assert found.log_likelihood({}) == pytest.approx(9 * np.log(3) - gammaln(10), rel=1e-12)


def test_too_many_configurations_are_refused() -> None:
    many = symbols("p:30")
    log_joint = sum(many) * log(2) + LogIverson(sum(many) >= 3)
    oracle = brute(log_joint, *(latent(each.name, Binary()) for each in many))
    with pytest.raises(TooLargeError, match="configurations of 30 coupled discrete latents"):
        oracle.at({})


def test_one_hot_rows_are_labels() -> None:
    i, k = index_symbol("i"), index_symbol("k")
    hot, label, weight = IndexedBase("hot"), IndexedBase("label"), IndexedBase("weight")
    arrays = {"n": 3, "K": 4, "weight": np.arange(1.0, 13.0).reshape(3, 4)}
    n, K = symbols("n K")
    one = brute(
        Sum(hot[i, k] * log(weight[i, k]), (k, 0, K - 1), (i, 0, n - 1)),
        latent("hot", OneHot(), n, K),
        **arrays,
    )
    other = brute(Sum(log(weight[i, label[i]]), (i, 0, n - 1)), latent("label", Labels(K), n), **arrays)
    assert one.log_likelihood({}) == pytest.approx(other.log_likelihood({}), rel=1e-14)
    assert other.log_likelihood({}) == pytest.approx(np.log(arrays["weight"].sum(axis=1)).sum(), rel=1e-14)  # type: ignore[attr-defined]


def test_latents_that_share_no_term_are_kept_apart() -> None:
    i = index_symbol("i")
    z = IndexedBase("z")
    oracle = brute(Sum(z[i] * log(2), (i, 0, 999)), latent("z", Binary(), 1000))
    assert oracle.log_likelihood({}) == pytest.approx(1000 * np.log(3))
    assert len(oracle.groups) == 1


def test_a_masked_term_takes_no_part() -> None:
    seen = symbols("seen")
    log_joint = seen * normal(x, 0, 1) + (1 - seen) * normal(u, 0, 1)
    assert brute(log_joint, latent("u", Reals()), x=1.0, seen=1.0).log_likelihood({}) == pytest.approx(
        scipy.stats.norm.logpdf(1)
    )
    assert brute(log_joint, latent("u", Reals()), x=0.0, seen=0.0).log_likelihood({}) == pytest.approx(
        0.0, abs=1e-12
    )


def test_an_interval_support_may_depend_on_data() -> None:
    found = brute(normal(u, 0, 1), latent("u", Interval(a, b)), a=-1.0, b=2.0).log_likelihood({})
    assert found == pytest.approx(np.log(scipy.stats.norm.cdf(2) - scipy.stats.norm.cdf(-1)), rel=1e-11)


def test_a_function_without_meaning_is_named() -> None:
    with pytest.raises(UnknownSymbolError, match="mystery"):
        brute(Function("mystery")(u), latent("u", Reals())).at({})


# -- the evaluator of formulas -----------------------------------------------------------------------


def test_a_sum_may_use_the_name_of_an_open_index() -> None:
    k = index_symbol("k")
    s = IndexedBase("s")
    values = np.array([1.0, 2.0, 5.0])
    found = Arithmetic({"s": values}).table(s[k] / Sum(s[k], (k, 0, 2)), (k,), (3,))
    assert found == pytest.approx(values / values.sum())


def test_a_linear_solution() -> None:
    c, j, m = map(index_symbol, "cjm")
    G, h = IndexedBase("G"), IndexedBase("h")
    rng = np.random.default_rng(0)
    matrix, right = rng.normal(size=(3, 3)), rng.normal(size=3)
    found = Arithmetic({"G": matrix, "h": right}).table(
        LinearSolution(c, j, m, G[j, m], h[j], Integer(3)), (c,), (3,)
    )
    assert found == pytest.approx(np.linalg.solve(matrix, right))


def test_a_mean_left_standing_is_taken_by_brute_force() -> None:
    oracle = brute(normal(u, 2, 1), latent("u", Reals()))
    scope = Arithmetic({}, lambda value, here: oracle.at({}).mean(oracle.scope(value, here)))
    assert scope.number(Expectation(exp(u))) == pytest.approx(np.exp(2.5), rel=1e-10)


# -- derivatives and coordinates -----------------------------------------------------------------------


def test_derivatives_in_units_of_curvature() -> None:
    precision = np.array([[4e6, 1e3], [1e3, 1.0]])

    def function(points: Any) -> Any:
        return np.array([-0.5 * at @ precision @ at + at[0] for at in points])

    at = np.array([1e-3, 0.2])
    unit = units(function, at)
    assert gradient(function, at, unit) / unit == pytest.approx(
        np.array([1.0, 0.0]) - precision @ at, rel=1e-9
    )
    assert hessian(function, at, unit) / np.outer(unit, unit) == pytest.approx(-precision, rel=1e-6)


def test_a_slope_before_a_plateau_is_seen() -> None:
    """A component of weight 1e-10 in a mixture: as a part of Q it bends over 10^5, in ℓ over 1."""

    def function(points: Any) -> Any:
        return np.log(1.0 + np.exp(-0.5 * (points[:, 0] - 1.0) ** 2) * 1e-10) * 1e10 - points[:, 1] ** 2

    at, unit = np.array([0.3, 0.5]), np.array([2e5, 1.0])
    near = without_plateaus(function, at, unit)
    assert near[1] == 1.0
    slopes = gradient(function, at, near) / near
    assert slopes == pytest.approx([0.7 * np.exp(-0.5 * 0.7**2), -1.0], rel=1e-4)
    assert without_plateaus(lambda points: -(points**2).sum(1), at, unit) == pytest.approx(unit)


def test_coordinates_come_back_and_keep_the_support() -> None:
    row = next(each for each in MODELS if each.name == "gmm1d_own_var")
    model, theta = row.model(), row.theta(row.file["first"])
    coordinates = Coordinates(model, theta)
    back = coordinates.point(coordinates.free())
    assert all(back[name] == pytest.approx(theta[name]) for name in theta)
    moved = coordinates.point(coordinates.free() + 3.0)
    assert total_defect(model, moved) < 1e-12


def test_two_latents_of_one_integral_against_scipy() -> None:
    log_joint = normal(u, 0, 1) + normal(v, 0, 1) - (u * v - y) ** 2 / 2
    found = brute(log_joint, latent("u", Reals()), latent("v", Reals()), y=0.5).log_likelihood({})
    grid = np.linspace(-9, 9, 1201)
    mesh = np.meshgrid(grid, grid)
    points = np.stack(mesh, axis=-1)
    values = scipy.stats.multivariate_normal([0, 0]).logpdf(points) - (mesh[0] * mesh[1] - 0.5) ** 2 / 2
    assert found == pytest.approx(logsumexp(values) + 2 * np.log(grid[1] - grid[0]), rel=1e-7)


def test_the_oracle_is_reached_from_a_row() -> None:
    row = next(each for each in MODELS if each.name == "coin_mixing_weight")
    ground, note = prepare(row.model().derive(), row.data)
    assert "the data given" in note
    assert len(ground.points) == 3
