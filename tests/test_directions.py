"""Mean directions: the law of a sine and a cosine, in models beside the table's, and what is no root of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy
from sympy import (
    Expr,
    Idx,
    IndexedBase,
    Product,
    Sum,
    atan,
    atan2,
    besseli,
    cos,
    exp,
    log,
    pi,
    sin,
    symbols,
    sympify,
)

from symem import (
    Bernoulli,
    Cases,
    Categorical,
    Circle,
    Interval,
    Labels,
    Model,
    NotDerivedError,
    Positive,
    Reals,
    Simplex,
    VonMises,
    maximise,
)
from symem.calculus import maximisers
from symem.calculus.certify import certify
from symem.derivation import Derivation, Status
from symem.derive import derive_records
from symem.verification import Verification, prepare
from symem.verification.ladder import climb
from tests.derived import em as derived
from tests.evaluate import Evaluator

n, K, J = symbols("n K J", integer=True, positive=True)
i, k, j = Idx("i", n), Idx("k", K), Idx("j", J)
x, z, w, mu, kappa = map(IndexedBase, ["x", "z", "w", "mu", "kappa"])
u, m, c, rate = symbols("u m c rate")
a, b = symbols("a b", positive=True)
label = Categorical(w[k])

rng = np.random.default_rng(3)
X = np.r_[rng.vonmises(-1, 4, 40), rng.vonmises(3, 3, 30)]
CONCENTRATIONS = np.array([4.0, 3.0])
WEIGHTS, MEANS = np.array([0.45, 0.55]), np.array([-0.4, 2.2])


# maximise -------------------------------------------------------------------------------------------------

TURNS = [
    (a * cos(u) + b * sin(u), Circle(), atan(b / a)),
    (-a * cos(u) - b * sin(u), Reals(), atan2(-b, -a)),
    (a * cos(u), Circle(), 0),
    (-a * cos(u), Circle(), pi),
    (a * cos(u - 2), Circle(), 2),
    (a * cos(u - 2), Interval(0, 2 * pi), 2),
    (a * cos(u - 5), Interval(0, 2 * pi), 5),
    (a * cos(u - 5), Positive(), 5),
    (a * cos(u + 1), Positive(), 2 * pi - 1),
    (a * cos(u + 1), Interval(upper=0), -1),
    (a * cos(3 * u - 2), Circle(), 2 / 3),
    (Sum(a * cos(x[i] - u), i), Circle(), atan2(Sum(sin(x[i]), i), Sum(cos(x[i]), i))),
    (Sum(cos(2 * (u - x[i])), i), Circle(), atan2(Sum(sin(2 * x[i]), i), Sum(cos(2 * x[i]), i)) / 2),
]


@pytest.mark.parametrize(("objective", "support", "expected"), TURNS, ids=lambda each: str(each)[:30])
def test_the_largest_point_of_a_wave(objective: Expr, support: Any, expected: Any) -> None:
    run = Evaluator({"a": 1.3, "b": 0.7, "n": 4, "x": np.array([0.3, 2.9, -2.8, 1.1])})
    found = run(maximise(objective, {u: support})[u])
    assert float(found) == pytest.approx(float(run(sympify(expected))), abs=1e-12)


@pytest.mark.parametrize(
    ("objective", "support"),
    [(a * cos(u - 2), Interval(0, pi)), (a * cos(u / 2 - 1), Circle()), (a * sin(u) + u, Circle())],
    ids=str,
)
def test_less_than_a_turn_and_other_terms_are_refused(objective: Expr, support: Any) -> None:
    with pytest.raises(NotDerivedError, match="No closed form was found for u"):
        maximise(objective, {u: support})


# models beside the table's ----------------------------------------------------------------------------------


def shared_mean() -> Model:
    return Model({z[i]: label, x[i]: VonMises(m, kappa[z[i]])}, latent=[z], known=[kappa])


def by_hand() -> Model:
    density = exp(kappa[z[i]] * cos(mu[z[i]] - x[i])) / (2 * pi * besseli(0, kappa[z[i]]))
    return Model.from_likelihood(
        Product(w[z[i]] * density, (i, 0, n - 1)),
        latent={z: Labels(K)},
        parameters={w: Simplex(), mu: Reals()},
        known={kappa: Positive()},
    )


def expanded_by_hand() -> Model:
    wave = cos(x[i]) * cos(mu[z[i]]) + sin(x[i]) * sin(mu[z[i]])
    return Model.from_likelihood(
        log_likelihood=Sum(log(w[z[i]]) + kappa[z[i]] * wave - log(2 * pi * besseli(0, kappa[z[i]])), i),
        latent={z: Labels(K)},
        parameters={w: Simplex(), mu: Circle()},
        known={kappa: Positive()},
    )


def two_angles() -> Model:
    branches = {0: VonMises(m, c), 1: VonMises(u, c)}
    return Model({z[i]: Bernoulli(rate), x[i]: Cases(z[i], branches)}, latent=[z], known=[c])


def directions_of_groups() -> Model:
    angles = {mu[j]: VonMises(m, c), x[j, i]: VonMises(mu[j], a)}
    return Model(angles, latent=[mu], known=[a, c])


def test_latent_directions_have_a_posterior_of_their_own_law() -> None:
    """Against quadrature: ⟨cos μ⟩ and ⟨sin μ⟩ of each group, and the direction of their sum."""
    algorithm = directions_of_groups().derive()
    groups, grid = X.reshape(7, 10), np.linspace(-np.pi, np.pi, 2000, endpoint=False)
    weight = scipy.stats.vonmises.logpdf(grid, 2.0, 0.5) + scipy.stats.vonmises.logpdf(
        groups[:, :, None], 3.0, grid
    ).sum(1)
    mass = np.exp(weight).mean(1) * 2 * np.pi
    means = (np.exp(weight) @ np.exp(1j * grid)) / np.exp(weight).sum(1)
    solver, data = algorithm.solver(), {"x": groups, "a": 3.0, "c": 2.0}
    assert solver.em_step({"m": 0.5}, **data).m == pytest.approx(np.angle(means.sum()), abs=1e-12)
    assert solver.log_likelihood({"m": 0.5}, **data) == pytest.approx(np.log(mass).sum(), rel=1e-12)
    posterior = algorithm.posterior[mu]
    assert posterior.family.name == "VonMises"
    assert {claim.status for one in algorithm.certificates for claim in one.claims} == {Status.PROVED}


def shares(density: Any) -> Any:
    return density / density.sum(axis=1, keepdims=True)


def own_means_step() -> dict[str, Any]:
    r = shares(WEIGHTS * scipy.stats.vonmises.pdf(X[:, None], CONCENTRATIONS, MEANS))
    return {"w": r.mean(0), "mu": np.angle(r.T @ np.exp(1j * X))}


def shared_mean_step() -> dict[str, Any]:
    r = shares(WEIGHTS * scipy.stats.vonmises.pdf(X[:, None], CONCENTRATIONS, 2.0))
    return {"w": r.mean(0), "m": np.angle((r @ CONCENTRATIONS) @ np.exp(1j * X))}


def two_angles_step() -> dict[str, Any]:
    r = shares(np.array([0.7, 0.3]) * scipy.stats.vonmises.pdf(X[:, None], 2.0, np.array([-0.4, 2.2])))
    first, second = np.angle(r.T @ np.exp(1j * X))
    return {"rate": r[:, 1].mean(), "m": first, "u": second}


@pytest.mark.parametrize(
    ("model", "theta", "known", "step"),
    [
        (shared_mean, {"w": WEIGHTS, "m": 2.0}, {"kappa": CONCENTRATIONS}, shared_mean_step),
        (by_hand, {"w": WEIGHTS, "mu": MEANS}, {"kappa": CONCENTRATIONS}, own_means_step),
        (expanded_by_hand, {"w": WEIGHTS, "mu": MEANS}, {"kappa": CONCENTRATIONS}, own_means_step),
        (two_angles, {"rate": 0.3, "m": -0.4, "u": 2.2}, {"c": 2.0}, two_angles_step),
    ],
)
def test_a_step_is_the_resultants_direction(
    model: Callable[[], Model], theta: Any, known: Any, step: Callable[[], dict[str, Any]]
) -> None:
    algorithm = model().derive()
    found = algorithm.solver().em_step(theta, x=X, **known)._asdict()
    for name, value in step().items():
        np.testing.assert_allclose(found[name], value, rtol=1e-12, atol=1e-12)
    assert {claim.status for one in algorithm.certificates for claim in one.claims} == {Status.PROVED}


def test_concentrations_beyond_the_range_of_the_bessel_function() -> None:
    solver, kappas = derived("vonmises_mean").solver(), np.array([1e5, 2000.0])
    data = np.array([-0.4, -0.401, 2.21, 2.19])
    expected = np.log((WEIGHTS * scipy.stats.vonmises.pdf(data[:, None], kappas, MEANS)).sum(1)).sum()
    theta = {"w": WEIGHTS, "mu": MEANS}
    assert solver.log_likelihood(theta, x=data, kappa=kappas) == pytest.approx(expected, rel=1e-9)


def test_concentrations_are_found_as_numbers() -> None:
    algorithm = derived("vonmises_mixture")
    laws = [update.law for update in algorithm.derivation.updates]
    assert laws == ["normalised shares", "mean direction", "falling equation"]
    x = np.random.default_rng(3).vonmises(1.0, 5.0, 400)
    fit = algorithm.fit(y=x, K=1, seed=0)
    shape, location, _scale = scipy.stats.vonmises.fit(x, fscale=1)
    assert fit.parameters.kappa[0] == pytest.approx(shape, rel=1e-4)
    assert fit.parameters.mu[0] == pytest.approx(location, abs=1e-4)


def test_a_shared_mean_is_found_beside_own_concentrations() -> None:
    found = derive_records(Model({z[i]: label, x[i]: VonMises(m, kappa[z[i]])}, latent=[z]))
    assert not found.not_derived
    assert {str(u.parameter): type(u).__name__ for u in found.updates} == {
        "w[k]": "Shares", "m": "Conditional", "kappa[k]": "Conditional",
    }  # fmt: skip


# what is no maximum -----------------------------------------------------------------------------------------


def spoilt(change: Callable[[Expr, Expr], Expr]) -> Derivation:
    """The derivation with another angle of the two sums."""
    whole: Derivation = derived("vonmises_mean").derivation
    weights, mean = whole.updates
    value = change(*mean.value.args)
    changed = replace(mean, definition=replace(mean.definition, value=value), nested=value)
    return replace(whole, updates=(weights, changed))


MUTANTS = {
    "lowest": (lambda s, c: atan2(-s, -c), "second order"),
    "swapped": (lambda s, c: atan2(c, s), "stationarity"),
    "reflected": (lambda s, c: atan2(-s, c), "stationarity"),
    "half a turn": (lambda s, c: atan(s / c), "second order"),
    "tangent": (lambda s, c: s / c, "stationarity"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_another_angle_is_rejected(name: str) -> None:
    change, claim = MUTANTS[name]
    broken = spoilt(change)
    found = {each.name: each for each in certify(broken).certificates[1].claims}
    assert found[claim].status is not Status.PROVED
    ground, note = prepare(broken)
    assert Verification(climb(ground, "V2", "V3"), note).blocks_emission


def test_a_row_whose_root_is_the_lowest_point_is_not_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    """The certificate reads the row's argument, and evaluates it with its own slope and signs."""

    def trough(row: Any) -> Any:
        return replace(row, root=lambda wave: row.root(replace(wave, a=-wave.a, b=-wave.b)))

    rows = tuple(trough(row) if row.name == "mean direction" else row for row in maximisers.NUMBERS)
    monkeypatch.setattr(maximisers, "NUMBERS", rows)
    whole = derive_records(Model({z[i]: label, x[i]: VonMises(mu[z[i]], c)}, latent=[z], known=[c]))
    claims = {claim.name: claim for claim in whole.certificates[1].claims}
    assert claims["stationarity"].status is Status.PROVED
    assert claims["second order"].status in {Status.OPEN, Status.REFUTED}
