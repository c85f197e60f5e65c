"""Jumps ahead of EM steps: they lead to the same estimates in fewer steps, in coordinates of the supports, never downhill."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
import pytest
from sympy import Idx, IndexedBase, symbols

from symem import Categorical, Model, Normal
from symem.em import EM
from symem.runtime.acceleration import _ACCELERATORS
from symem.runtime.description import Array
from symem.runtime.free_vector import _FreeVector
from symem.runtime.loop import DataError, _iterate
from tests.derived import once, solver
from tests.models import BY_NAME, DERIVED, FEW, Row, example, in_turn, slow_but_for

n, K = symbols("n K", integer=True, positive=True)
i, k = Idx("i", n), Idx("k", K)
x, z, w, mu, sigma = map(IndexedBase, ["x", "z", "w", "mu", "sigma"])
WAYS = ("anderson", "squarem", "auto")
_rng = np.random.default_rng(0)
#: Two Normal laws that overlap so much that EM takes thousands of steps.
OVERLAP = np.where(_rng.random(2000) < 0.5, _rng.normal(0, 1, 2000), _rng.normal(1.5, 1, 2000))
APART = {"w": np.array([0.4, 0.6]), "mu": np.array([-1.0, 2.0]), "sigma": np.array([1.0, 1.0])}


@pytest.fixture(scope="module")
def mixture() -> EM:
    return once(Model({z[i]: Categorical(w[k]), x[i]: Normal(mu[z[i]], sigma[z[i]])}, latent=[z]))


# coordinates --------------------------------------------------------------------------------------------


class Theta(NamedTuple):
    real: Any
    positive: Any
    between: Any
    chance: Any
    weights: Any
    table: Any
    covariance: Any
    p: Any
    q: Any


class Spoken(NamedTuple):
    """What coordinates ask of a model."""

    parameters: dict[str, Array]
    simplexes: tuple[tuple[str, ...], ...]


MODEL: Any = Spoken(
    {
        "real": Array("K"), "positive": Array("K", "positive"), "between": Array(ends=(0.0, 4.0)), "chance": Array(kind="unit"),
        "weights": Array("K, 3", "simplex"), "table": Array("2, 2", "simplex", simplex_axes=2),
        "covariance": Array("K, 2, 2", "definite", entries=2), "p": Array(kind="unit"), "q": Array(kind="unit"),
    },
    (("p", "q"),),
)  # fmt: skip


def drawn(seed: int) -> Theta:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(2, 2, 3))
    return Theta(
        rng.normal(size=2), rng.gamma(1, size=2), np.float64(4 * rng.random()), np.float64(rng.random()),
        rng.dirichlet(np.ones(3), 2), rng.dirichlet(np.ones(4)).reshape(2, 2), root @ np.swapaxes(root, 1, 2),
        *rng.dirichlet(np.ones(2)),
    )  # fmt: skip


def test_every_point_has_coordinates_and_comes_back() -> None:
    free, other = _FreeVector(MODEL, drawn(0)), drawn(1)
    vector = free.of(other)
    assert vector.shape == (2 + 2 + 1 + 1 + 2 * 2 + 3 + 2 * 3 + 1,)
    for name, value in free.point(vector)._asdict().items():
        assert value == pytest.approx(getattr(other, name), rel=1e-12), name


def test_whatever_the_coordinates_the_point_is_in_the_supports() -> None:
    free = _FreeVector(MODEL, drawn(0))
    there = free.point(5 * np.random.default_rng(2).normal(size=free.of(drawn(0)).shape))
    assert (there.positive > 0).all()
    assert 0 <= there.between <= 4
    assert 0 <= there.chance <= 1
    assert (there.weights >= 0).all()
    assert there.weights.sum(axis=-1) == pytest.approx(1)
    assert there.table.sum() == pytest.approx(1)
    assert there.p + there.q == pytest.approx(1)
    assert (np.linalg.eigvalsh(there.covariance) > 0).all()


def test_what_stands_on_an_edge_stays_and_what_reaches_it_has_no_coordinates() -> None:
    inside, edge = drawn(0), drawn(1)._replace(weights=np.array([[0.0, 0.4, 0.6], [0.2, 0.3, 0.5]]))
    free = _FreeVector(MODEL, edge)
    vector = free.of(edge)
    assert np.isfinite(vector).all()
    assert free.point(vector + 1).weights[0, 0] == 0
    assert not np.isfinite(free.of(inside)).any()
    assert not np.isfinite(_FreeVector(MODEL, inside).of(edge)).all()


# runs ---------------------------------------------------------------------------------------------------


class Pair(NamedTuple):
    a: Any


PAIR: Any = Spoken({"a": Array("2")}, ())
RATES = np.array([0.999, 0.5])


def slowly(point: Pair) -> tuple[Pair, float]:
    """A linear step towards 0, of which the objective is the distance."""
    return Pair(RATES * point.a), -float(point.a @ point.a)


@pytest.mark.parametrize("way", WAYS)
def test_a_linear_step_is_at_its_end_at_once(way: str) -> None:
    run = _iterate(
        slowly, Pair(np.ones(2)), scale=1, tol=1e-12, max_iter=10_000, jumps=_ACCELERATORS[way](PAIR)
    )
    assert run.converged
    assert np.abs(run.theta.a).max() < 1e-5
    assert len(run.history) < (20 if way != "squarem" else 100)


@pytest.mark.parametrize("way", WAYS)
def test_a_jump_to_where_there_is_no_value_is_not_taken(way: str) -> None:
    """Every point but those of EM itself is refused: the run is that of EM."""
    reached = [np.ones(2)]

    def step(point: Pair) -> tuple[Pair, float]:
        if not any(np.array_equal(point.a, each) for each in reached):
            raise DataError("elsewhere")
        reached.append(RATES * point.a)
        return slowly(point)

    plain = _iterate(slowly, Pair(np.ones(2)), scale=1, tol=1e-6, max_iter=200)
    run = _iterate(step, Pair(np.ones(2)), scale=1, tol=1e-6, max_iter=200, jumps=_ACCELERATORS[way](PAIR))
    assert run.history == plain.history


# fits ---------------------------------------------------------------------------------------------------


def test_deaths_of_the_london_times_in_twenty_steps() -> None:
    stated = example("london_times")
    em = once(stated.model)
    asked: Any = {**stated.data, "start": {"w": [0.3, 0.7], "lam": [1.0, 2.5]}, "tol": 1e-10 / 1096}
    fit = em.fit(**asked, accelerate="anderson")
    assert fit.converged
    assert fit.n_evaluations <= 20
    assert fit.log_likelihood == pytest.approx(-1989.945859883, abs=1e-8)


def test_a_mixture_that_overlaps_in_forty_steps_in_any_unit(mixture: EM) -> None:
    ends = []
    for unit in (1.0, 1e8, 1e-8):
        start = {"w": APART["w"], "mu": unit * APART["mu"], "sigma": unit * APART["sigma"]}
        fit = mixture.fit(x=unit * OVERLAP, start=start, tol=1e-10 / 2000, accelerate="anderson")
        assert fit.converged
        assert fit.n_evaluations <= 40
        ends.append(np.array([fit.parameters.mu / unit, fit.parameters.sigma / unit, fit.parameters.w]))
    assert ends[1] == pytest.approx(ends[0], rel=1e-5)
    assert ends[2] == pytest.approx(ends[0], rel=1e-5)


def test_factors_in_a_quarter_of_the_steps() -> None:
    rng = np.random.default_rng(7)
    rows = rng.normal(size=(500, 4)) @ rng.normal(size=(4, 20)) + rng.normal(size=(500, 20)) * rng.uniform(
        0.5, 2, 20
    )
    em, start = (
        once(example("factor_analysis").model),
        {"mu": np.zeros(20), "W": rng.normal(size=(20, 4)), "psi": np.ones(20)},
    )
    plain, jumping = (em.fit(x=rows, start=start, accelerate=way) for way in (None, "anderson"))
    assert jumping.converged
    assert jumping.n_evaluations < plain.n_evaluations / 4
    assert jumping.log_likelihood > plain.log_likelihood - 1e-6


STARTED = [row for row in DERIVED if "start" in row.file]


@slow_but_for(in_turn(STARTED, 0), {row.name for row in FEW[::3]})
def test_every_model_ends_no_lower_and_never_falls(row: Row) -> None:
    """Each model one way, in turn."""
    way = WAYS[STARTED.index(row) % len(WAYS)]
    asked: Any = {**row.data, "start": row.theta(row.file["start"]), "max_iter": 3000, "tol": 1e-9}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plain = solver(row.name).fit(**asked)
        jumping = solver(row.name).fit(**asked, accelerate=way)
    assert np.diff(jumping.history).min(initial=0.0) >= -1e-9 * (1 + abs(jumping.objective))
    assert jumping.objective >= plain.objective - 1e-5 * (1 + abs(plain.objective) * 1e-3)


def test_a_run_is_not_drawn_to_a_saddle(mixture: EM) -> None:
    """Where steps grow, their affine model ends at the saddle behind: jumps lead away from it, as EM does."""
    near = {"w": np.array([0.5, 0.5]), "mu": np.array([0.6, 0.9]), "sigma": np.array([1.2, 1.2])}
    ends = [mixture.fit(x=OVERLAP, start=near, accelerate=way).objective for way in WAYS]
    assert ends == pytest.approx([-3280.969414] * len(WAYS), abs=1e-4)


def test_a_fit_says_how_it_was_asked_and_how_many_steps_it_took(mixture: EM) -> None:
    plain, jumping = (mixture.fit(x=OVERLAP, start=APART, accelerate=way) for way in (None, "auto"))
    assert plain.n_evaluations == plain.n_iter + 1
    assert jumping.n_evaluations > jumping.n_iter
    assert jumping.settings["accelerate"] == "auto"
    assert plain.settings["accelerate"] is None
    assert f"{jumping.n_iter} iterations of {jumping.n_evaluations} EM steps" in jumping.summary()
    assert "EM steps" not in plain.summary()
    with pytest.raises(ValueError, match="accelerate='fast', but it must be 'anderson', 'squarem' or 'auto'"):
        mixture.fit(x=OVERLAP, start=APART, accelerate="fast")


def test_quick_models_are_left_alone_by_auto() -> None:
    row = BY_NAME["gmm1d_faithful"]
    asked: Any = {**row.data, "start": row.theta(row.file["start"])}
    plain, jumping = (solver(row.name).fit(**asked, accelerate=way) for way in (None, "auto"))
    assert jumping.history.tolist() == plain.history.tolist()


def test_estimators_take_it(mixture: EM) -> None:
    plain, jumping = (
        mixture.estimator(K=2, random_state=0, tol=1e-10, max_iter=9999, accelerate=way).fit(OVERLAP)
        for way in (None, "anderson")
    )
    assert jumping.n_iter_ < plain.n_iter_ / 5
    assert np.sort(jumping.mu_) == pytest.approx(np.sort(plain.mu_), abs=1e-3)
