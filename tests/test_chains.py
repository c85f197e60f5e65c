"""Chains of labels: what is stated, the messages, the module, and what is refused, against sums over all paths."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy
from sympy import Eq, Idx, IndexedBase, Piecewise, Rational, Sum, exp, log, sqrt, symbols

from symem import (
    Bernoulli,
    Categorical,
    DataError,
    Dirichlet,
    Gamma,
    Labels,
    Model,
    ModelError,
    Normal,
    NormalisationError,
    NotDerivedError,
    PlateError,
    Poisson,
    Simplex,
    UndeclaredSymbolError,
)
from symem.derivation import Chain
from symem.em import EM
from symem.evaluation.arithmetic import evaluate
from symem.evaluation.situation import situation
from symem.runtime.messages import _forward_backward
from symem.verification.ground import IDENTITY, Ground
from symem.verification.identities import free_energy_equals_likelihood

FILE = json.loads((Path(__file__).parent / "zoo" / "hmm_gaussian.json").read_text())
T, K, J, M, V, s, p0 = symbols("T K J M V s p0", positive=True)
T, K, J, M, V = symbols("T K J M V", integer=True, positive=True)
t, k, j, r, v = Idx("t", T), Idx("k", K), Idx("j", J), Idx("r", M), Idx("v", V)
t1, k1 = Idx("t", (1, T)), Idx("k", (1, K))
y, z, c, u, pi, A, B, C, w, mu, sigma, lam, phi, a, alpha = map(
    IndexedBase, ["y", "z", "c", "u", "pi", "A", "B", "C", "w", "mu", "sigma", "lam", "phi", "a", "alpha"]
)
ONE = {z[0]: Categorical(pi[k]), z[t]: Categorical(A[z[t - 1], k])}
MANY = {z[j, 0]: Categorical(pi[k]), z[j, t]: Categorical(A[z[j, t - 1], k])}
MANY_FIRST = {z[j, 0]: Categorical(pi[k])}
ONWARD = Piecewise(
    (1 - a[z[j, t - 1]], Eq(k, z[j, t - 1]) & (z[j, t - 1] < K - 1)),
    (a[z[j, t - 1]], Eq(k, z[j, t - 1] + 1)),
    (1, Eq(k, z[j, t - 1])),
    (0, True),
)
GAUSSIAN = {**MANY, y[j, t]: Normal(mu[z[j, t]], sigma[z[j, t]])}

STATED: Mapping[str, Callable[[], Model]] = {
    "one sequence": lambda: Model({**ONE, y[t]: Normal(mu[z[t]], sigma[z[t]])}, latent=[z]),
    "many sequences": lambda: Model(GAUSSIAN, latent=[z]),
    "places from 1": lambda: Model(
        {
            z[1]: Categorical(pi[k1]),
            z[t1]: Categorical(A[z[t1 - 1], k1]),
            y[t1]: Normal(mu[z[t1]], sigma[z[t1]]),
        },
        latent=[z],
    ),
    "transitions by a category": lambda: Model(
        {z[0]: Categorical(pi[k]), z[t]: Categorical(A[c[t], z[t - 1], k]), y[t]: Normal(mu[z[t]], s)},
        latent=[z],
        known={c: Labels(M)},
    ),
    "poisson": lambda: Model({**ONE, y[t]: Poisson(lam[z[t]])}, latent=[z]),
    "categorical": lambda: Model({**MANY, y[j, t]: Categorical(B[z[j, t], v])}, latent=[z]),
    "binary states": lambda: Model(
        {z[j, 0]: Bernoulli(p0), z[j, t]: Bernoulli(a[z[j, t - 1]]), y[j, t]: Normal(mu[z[j, t]], s)},
        latent=[z],
    ),
    "covariate": lambda: Model(
        {**MANY, y[j, t]: Normal(mu[z[j, t]] + phi[z[j, t]] * u[j, t], s)}, latent=[z], known=[u]
    ),
    "autoregression": lambda: Model(
        {**MANY, y[j, t]: Normal(mu[z[j, t]] + phi[z[j, t]] * y[j, t - 1], s)}, latent=[z]
    ),
    "missing": lambda: Model({**ONE, y[t]: Normal(mu[z[t]], s)}, latent=[z], missing=[y]),
    "mixture of chains": lambda: Model(
        {
            c[j]: Categorical(w[r]),
            z[j, 0]: Categorical(pi[k]),
            z[j, t]: Categorical(A[c[j], z[j, t - 1], k]),
            y[j, t]: Poisson(lam[z[j, t]]),
        },
        latent=[c, z],
    ),
    "mixture emissions": lambda: Model(
        {**ONE, c[t]: Categorical(C[z[t], r]), y[t]: Normal(mu[z[t], c[t]], s)}, latent=[c, z]
    ),
    "known transitions": lambda: Model({**ONE, y[t]: Normal(mu[z[t]], s)}, latent=[z], known=[A]),
    "rows with priors": lambda: Model(GAUSSIAN, latent=[z], prior={A: Dirichlet(alpha[k])}),
    "two chains": lambda: Model(
        {
            **ONE,
            c[0]: Categorical(w[r]),
            c[t]: Categorical(C[c[t - 1], r]),
            y[t]: Normal(mu[z[t]], s),
            u[t]: Poisson(lam[c[t]]),
        },
        latent=[z, c],
    ),
    "a law at the end": lambda: Model(
        {**ONE, y[t]: Poisson(lam[z[t]]), p0: Bernoulli(a[z[T - 1]])}, latent=[z]
    ),
    "an end that is known": lambda: Model(
        {**ONE, y[t]: Poisson(lam[z[t]])}, latent=[z], given=[Eq(z[T - 1], 0)]
    ),
    "labels partly seen": lambda: Model({**MANY, y[j, t]: Normal(mu[z[j, t]], s)}, missing=[z]),
    "two data back": lambda: Model(
        {
            **MANY,
            y[j, t]: Normal(
                mu[z[j, t]] + phi[z[j, t]] * y[j, t - 1] + a[z[j, t]] * y[j, t - 2], sigma[z[j, t]]
            ),
        },
        latent=[z],
    ),
    "deviations": lambda: Model(
        {**ONE, y[t]: Normal(mu[z[t]] + phi[0] * (y[t - 1] - mu[z[t - 1]]), s)}, latent=[z]
    ),
    "scales": lambda: Model(
        {**ONE, u[t]: Gamma(2, Rational(1, 2)), y[t]: Normal(mu[z[t]], sigma[z[t]] / sqrt(u[t]))},
        latent=[u, z],
    ),
    "only onward": lambda: Model(
        {**MANY_FIRST, z[j, t]: Categorical(ONWARD), y[j, t]: Normal(mu[z[j, t]], s)}, latent=[z]
    ),
    "gates": lambda: Model(
        {
            z[j, 0]: Bernoulli(p0),
            z[j, t]: Bernoulli(1 / (1 + exp(-phi[z[j, t - 1]] - lam[z[j, t - 1]] * u[j, t]))),
            y[j, t]: Normal(mu[z[j, t]], s),
        },
        latent=[z],
        known=[u],
    ),
    "likelihood": lambda: Model.from_likelihood(
        log_likelihood=log(pi[z[0]])
        + Sum(log(A[z[t - 1], z[t]]), (t, 1, T - 1))
        + Sum(log(B[z[t], y[t]]), (t, 0, T - 1)),
        latent={z: Labels(K)},
        parameters={pi: Simplex(), A: Simplex(), B: Simplex()},
        data={y: Labels(V)},
    ),
}
#: Of which a parameter is read nowhere, as the move from the last label: EM does not determine it.
FREE = ("only onward",)
QUICK = ("one sequence", "many sequences", "missing")


@cache
def derived(name: str) -> EM:
    return STATED[name]().derive(budget=float("inf"))


# -- messages ---------------------------------------------------------------------------------------------


def over_paths(weight: Any, step: Any, first: Any, last: Any) -> tuple[Any, Any, Any]:
    """γ, ξ and the logarithm of the total by all paths of one chain; `step` over (place, label, next)."""
    places, count = weight.shape
    paths = list(itertools.product(range(count), repeat=places))
    logs = [
        first[p[0]]
        + last[p[-1]]
        + sum(weight[at, k] for at, k in enumerate(p))
        + sum(step[at, k, m] for at, (k, m) in enumerate(itertools.pairwise(p)))
        for p in paths
    ]
    shares = np.exp(np.array(logs) - max(logs))
    total = float(np.log(shares.sum()) + max(logs))
    gamma, xi = np.zeros((places, count)), np.zeros((places - 1, count, count))
    for path, share in zip(paths, shares / shares.sum(), strict=True):
        for at, k in enumerate(path):
            gamma[at, k] += share
        for at, (k, m) in enumerate(itertools.pairwise(path)):
            xi[at, k, m] += share
    return gamma, xi, total


@pytest.mark.parametrize("varying", [False, True], ids=["one table", "a table a place"])
@pytest.mark.parametrize("places", [1, 2, 7], ids="T={}".format)
def test_messages_are_those_of_all_paths(places: int, varying: bool) -> None:
    rng = np.random.default_rng(places)
    weight = rng.normal(size=(places, 3, 2)) * 4 - 500
    step = rng.normal(size=(places - 1, 3, 3, 2) if varying else (3, 3)) * 2
    step[..., 0, 1] = -np.inf
    first, last = rng.normal(size=(2, 3, 2))
    gamma, total, before, moved, after = _forward_backward(weight, step, first, last)
    table = moved if varying else moved[None, :, :, None]
    for chain in range(2):
        own = step[..., chain] if varying else np.broadcast_to(step, (places - 1, 3, 3))
        wanted, pairs, value = over_paths(weight[..., chain], own, first[:, chain], last[:, chain])
        np.testing.assert_allclose(gamma[..., chain], wanted, atol=1e-12)
        np.testing.assert_allclose(total[chain], value, rtol=1e-13)
        found = before[:, :, None, chain] * (table * after[:, None])[..., chain]
        np.testing.assert_allclose(found, pairs, atol=1e-12)


def test_blocks_side_by_side_say_what_one_place_after_another_says(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    weight, step = rng.normal(size=(200, 3, 1)) * 9, np.log(rng.dirichlet(np.ones(3), 3))
    found = _forward_backward(weight, step, None, None)
    monkeypatch.setattr("symem.runtime.messages._blocks_along", lambda *_: 1)
    wanted = _forward_backward(weight, step, None, None)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-14)


def test_a_chain_that_no_path_can_give_has_no_likelihood() -> None:
    weight = np.zeros((4, 2, 1))
    weight[2] = -np.inf
    assert _forward_backward(weight, np.zeros((2, 2)), None, None)[1] == -np.inf


# -- the record -------------------------------------------------------------------------------------------


def test_record_holds_messages_as_recurrences_and_sums_over_transitions() -> None:
    derivation = derived("many sequences").derivation
    (chain,) = derivation.posteriors
    assert isinstance(chain, Chain)
    forward, backward = chain.forward.recurrence, chain.backward.recurrence
    assert forward is not None
    assert backward is not None
    assert (forward.backward, backward.backward) == (False, True)
    assert forward.axis == backward.axis == chain.along
    assert backward.first == 0
    transitions = [each for each in derivation.surrogate.statistics if each.value.has(chain.pair.symbol.base)]
    assert len(transitions) == 1
    assert {update.parameter.base.name for update in derivation.updates} == {"pi", "A", "mu", "sigma"}


def test_record_is_that_of_all_paths() -> None:
    derivation = derived("one sequence").derivation
    (chain,) = derivation.posteriors
    assert isinstance(chain, Chain)
    rng = np.random.default_rng(2)
    theta = {
        "pi": rng.dirichlet(np.ones(3)),
        "A": rng.dirichlet(np.ones(3), 3),
        "mu": rng.normal(size=3),
        "sigma": rng.gamma(2.0, size=3),
    }
    data = rng.normal(size=6)
    arrays = evaluate(derivation.definitions, {**theta, "y": data, "T": 6, "K": 3})
    weight = -np.log(theta["sigma"]) - (data[:, None] - theta["mu"]) ** 2 / (2 * theta["sigma"] ** 2)
    step = np.broadcast_to(np.log(theta["A"]), (5, 3, 3))
    gamma, xi, total = over_paths(weight, step, np.log(theta["pi"]), np.zeros(3))
    np.testing.assert_allclose(arrays["gamma_z"], gamma, atol=1e-13)
    np.testing.assert_allclose(arrays["xi_z"], xi, atol=1e-13)
    np.testing.assert_allclose(arrays["A_z"], total, rtol=1e-13)


# -- through every door -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", [pytest.param(n, id=n, marks=[] if n in QUICK else [pytest.mark.slow]) for n in STATED]
)
def test_every_statement_is_verified(name: str) -> None:
    rungs = {each.name: each for each in derived(name).verify(seconds=60).rungs}
    assert not derived(name).derivation.not_derived
    asked = ("V0", "V1", "V2", "V3", "V4")[: 4 if name in FREE else 5]
    assert [n for n in asked if rungs[n].passed is not True] == []


def test_terms_that_cancel_are_measured_by_their_size() -> None:
    """With counts near 10⁵ the parts of y log λ - λ - log y! are a hundred times what is left of them."""
    size, derivation = 1e5, derived("poisson").derivation
    data = {"y": np.array([size, size + 20, 1, 0, 2 * size, 3])}
    points = [
        {"pi": np.array([0.4, 0.6]), "A": np.array([[0.7, 0.3], [0.2, 0.8]]), "lam": np.array([rate, 2.5])}
        for rate in (size, 1.01 * size)
    ]
    ground = Ground(derivation, situation(derivation.model, data, points[0]), data, points)
    found = [each.number for each in free_energy_equals_likelihood(ground)]
    assert len(found) == 10
    assert max(each for each in found if each is not None) < IDENTITY
    belief = ground.oracle.at(points[0])
    assert belief.size(points[0]) > 100 * abs(belief.surrogate(points[0]))


def test_counts_near_a_million_lose_digits_of_messages_and_no_more() -> None:
    """Messages are logarithms of size 10⁸, of whose difference a posterior is the exponential; the module is right to rounding."""
    em, rng = derived("poisson"), np.random.default_rng(0)
    theta = {
        "pi": np.array([0.4, 0.6]),
        "A": np.array([[0.7, 0.3], [0.2, 0.8]]),
        "lam": np.array([1e6, 1.002e6]),
    }
    data = {"y": rng.poisson(theta["lam"][rng.integers(0, 2, 12)])}
    rungs = {each.name: each for each in em.verify(data=data, theta=theta, seconds=30).rungs}
    assert [rungs[name].passed for name in ("V0", "V1", "V2")] == [True] * 3
    weight = scipy.stats.poisson.logpmf(data["y"][:, None], theta["lam"])
    message = np.log(theta["pi"]) + weight[0]
    for own in weight[1:]:
        message = own + np.logaddexp.reduce(message[:, None] + np.log(theta["A"]), axis=0)
    assert em.solver().log_likelihood(theta, **data) == pytest.approx(np.logaddexp.reduce(message), abs=1e-7)


@cache
def published() -> EM:
    s2 = IndexedBase("s2")
    return Model({**MANY, y[j, t]: Normal(mu[z[j, t]], sqrt(s2[z[j, t]]))}, latent=[z]).derive(
        budget=float("inf")
    )


def theta_of(values: Mapping[str, Any]) -> dict[str, Any]:
    return {("pi" if name == "de" else name): np.array(value) for name, value in values.items()}


def test_labels_that_are_seen_are_kept() -> None:
    theta = {"pi": [0.5, 0.5], "A": [[0.9, 0.1], [0.1, 0.9]], "mu": [-1.0, 1.0], "s": 1.0}
    labels = np.array([[1, np.nan, np.nan, 0, np.nan]])
    solver = derived("labels partly seen").solver(verify=False)
    posterior = solver.posterior(theta, y=np.zeros((1, 5)), z=labels)[0][0]
    np.testing.assert_array_equal(posterior[[0, 3], 1], [1.0, 0.0])
    assert posterior[1, 1] == pytest.approx(1 - posterior[2, 1])


def test_one_sequence_has_no_rows() -> None:
    solver = derived("one sequence").solver(verify=False)
    theta = {"pi": [0.5, 0.5], "A": [[0.9, 0.1], [0.1, 0.9]], "mu": [-1.0, 1.0], "sigma": [1.0, 1.0]}
    with pytest.raises(DataError, match="not cut into independent rows"):
        solver.score_samples(theta, y=[0.0, 1.0])
    with pytest.raises(DataError, match="not cut into independent rows"):
        solver.Estimator(K=2)


def test_statistics_of_parts_add_up_over_sequences() -> None:
    solver, data = published().solver(), np.array(FILE["data"]["x"])
    start = theta_of(FILE["start"])
    both = solver.merge(solver.statistics(start, y=data[:1]), solver.statistics(start, y=data[1:]))
    whole = solver.statistics(start, y=data)
    for one, other in zip(both, whole, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_decode_gives_the_most_probable_path() -> None:
    """By all paths, where each place by itself would tell another."""
    rng = np.random.default_rng(3)
    theta = {
        "pi": rng.dirichlet(np.ones(3)),
        "A": rng.dirichlet(np.ones(3), 3),
        "mu": rng.normal(size=3),
        "sigma": rng.gamma(2.0, size=3),
    }
    data = rng.normal(size=(4, 5)) * 2
    found = derived("many sequences").solver().decode(theta, y=data)
    assert found.shape == data.shape
    weight = -np.log(theta["sigma"]) - (data[..., None] - theta["mu"]) ** 2 / (2 * theta["sigma"] ** 2)
    for chain, labels in enumerate(found):
        logs = {
            path: np.log(theta["pi"][path[0]])
            + sum(weight[chain, at, label] for at, label in enumerate(path))
            + sum(np.log(theta["A"][pair]) for pair in itertools.pairwise(path))
            for path in itertools.product(range(3), repeat=5)
        }
        assert tuple(labels) == max(logs, key=lambda path: logs[path])


def test_chains_beside_each_other_are_decoded_by_name() -> None:
    rng = np.random.default_rng(0)
    theta = {
        "pi": [0.5, 0.5], "A": [[0.9, 0.1], [0.1, 0.9]], "mu": [-5.0, 5.0], "s": 1.0,
        "w": [0.5, 0.5], "C": [[0.5, 0.5], [0.5, 0.5]], "lam": [1.0, 50.0],
    }  # fmt: skip
    labels = rng.integers(0, 2, (2, 20))
    data = {"y": np.where(labels[0], 5.0, -5.0), "u": np.where(labels[1], 50, 1)}
    found = derived("two chains").solver(verify=False).decode(theta, **data)
    np.testing.assert_array_equal(found["z"], labels[0])
    np.testing.assert_array_equal(found["c"], labels[1])


def test_sample_draws_chains() -> None:
    theta = {"pi": [1.0, 0.0], "A": [[0.0, 1.0], [1.0, 0.0]], "mu": [-9.0, 9.0], "sigma": [0.1, 0.1]}
    drawn = derived("many sequences").sample(theta, J=3, T=5, seed=0)
    np.testing.assert_array_equal(np.sign(drawn["y"]), np.tile([-1, 1, -1, 1, -1], (3, 1)))


def test_plain_style_runs() -> None:
    space: dict[str, Any] = {}
    exec(published().source(style="plain"), space)
    start = theta_of(FILE["start"])
    *_, value = space["em"](*(start[n] for n in ("pi", "A", "mu", "s2")), np.array(FILE["data"]["x"]))
    assert value == pytest.approx(FILE["fixed_point_log_likelihood"], abs=1e-6)


def test_reports_tell_the_messages_as_the_books_do() -> None:
    text = derived("one sequence").markdown()
    for formula in (
        r"\alpha_{1k} &= \pi_{k}^{(s)} e^{\eta_{1k}}",
        r"\alpha_{tk} &= e^{\eta_{tk}} \sum_{l=1}^{K} \alpha_{t-1,l} A_{lk}^{(s)},\qquad t = 2, \dots, T",
        r"\beta_{Tk} &= 1",
        r"Z &= \sum_{k=1}^{K} \alpha_{Tk}",
        r"\gamma_{tk} &= \frac{\alpha_{tk} \beta_{tk}}{Z}",
        r"\xi_{tkl} &= \frac{\alpha_{tk} \beta_{t+1,l} A_{kl}^{(s)}}{Z} e^{\eta_{t+1,l}}",
        r"\sum_{t=2}^{T} \log A_{z_{t-1},z_{t}}",
        r"z_{t} \mid z_{t-1} &\sim",
    ):
        assert formula in text
    assert "α_tk = exp(η_tk) Σ_l α[t-1,l] A_lk, t = 2, …, T" in str(derived("one sequence"))


def test_what_looks_back_is_told_from_the_second_place_on() -> None:
    """η of an autoregression is one sum, not one for each term, and ℓ has the constant of each place once."""
    text = str(derived("autoregression"))
    assert "η_j1k = 0" in text
    assert "η_jtk = -log s - (μ_k + φ_k y[j,t-1] - y_jt)² / (2s²), t = 2, …, T" in text
    constants = "- J (T - 1) log(2π) / 2"
    assert f"ℓ = Σ_j log Z_j {constants}" in text


def test_states_that_are_numbers_count_from_zero_before_and_after() -> None:
    text = str(derived("binary states"))
    assert "λ_kl = l log a_k + (1 - l) log(1 - a_k)" in text
    assert "α_jtk = exp(η_jtk) Σ_(l=0..1) α[j,t-1,l] exp(λ_lk), t = 2, …, T" in text


def test_one_sequence_has_no_robust_standard_errors() -> None:
    fit = derived("one sequence").fit(y=[-1.0, -1.1, 1.0, 1.2, -0.9, 1.1], K=2, seed=0)
    with pytest.raises(DataError, match="not cut into independent rows"):
        fit.robust_standard_errors  # noqa: B018


# -- what is refused --------------------------------------------------------------------------------------

REFUSED: Mapping[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "no first law": (
        lambda: Model({z[t]: Categorical(A[z[t - 1], k]), y[t]: Normal(mu[z[t]], s)}, latent=[z]),
        UndeclaredSymbolError,
        r"nothing says how z\[0\] arises: add z\[0\]: Categorical",
    ),
    "a first law alone": (
        lambda: Model({z[0]: Categorical(pi[k]), y[t]: Normal(mu[z[t]], s)}, latent=[z]),
        PlateError,
        r"z\[0\] .* is the first place of a chain, and nothing says how the next arises",
    ),
    "a place that is none of the first": (
        lambda: Model({z[3]: Categorical(pi[k]), z[t]: Categorical(A[z[t - 1], k])}, latent=[z]),
        ModelError,
        r"its first places are z\[0\]",
    ),
    "looking ahead": (
        lambda: Model({z[0]: Categorical(pi[k]), z[t]: Categorical(A[z[t + 1], k])}, latent=[z]),
        ModelError,
        "which looks back at none",
    ),
    "a row that forgets the last label": (
        lambda: Model(
            {
                z[0]: Categorical(pi[k]),
                z[t]: Categorical(
                    Piecewise(
                        (a[z[t - 1]], Eq(k, z[t - 1] + 1)), (1 - a[z[t - 1]], Eq(k, z[t - 1])), (0, True)
                    )
                ),
                y[t]: Normal(mu[z[t]], s),
            },
            latent=[z],
        ),
        NormalisationError,
        r"z\[t\]: where z\[t - 1\] = K - 1, the probabilities sum to 1 - a\[2\], not to 1",
    ),
    "order two": (
        lambda: Model(
            {
                z[0]: Categorical(pi[k]),
                z[1]: Categorical(C[z[0], k]),
                z[t]: Categorical(A[z[t - 1], z[t - 2], k]),
                y[t]: Normal(mu[z[t]], s),
            },
            latent=[z],
        ).derive(),
        NotDerivedError,
        "one label stand for a pair",
    ),
    "two chains behind one datum": (
        lambda: Model(
            {
                **ONE,
                c[0]: Categorical(w[r]),
                c[t]: Categorical(C[c[t - 1], r]),
                y[t]: Normal(mu[z[t]] + phi[c[t]], s),
            },
            latent=[z, c],
        ).derive(),
        NotDerivedError,
        "labels c and z are coupled.*one label stand for each combination",
    ),
    "an end that is a column of the transitions": (
        lambda: Model.from_likelihood(
            log_likelihood=log(pi[z[0]])
            + Sum(log(A[z[t - 1], z[t]]), (t, 1, T - 1))
            + log(A[z[T - 1], K])
            + Sum(log(B[z[t], y[t]]), (t, 0, T - 1)),
            latent={z: Labels(K)},
            parameters={pi: Simplex(), A: Simplex(), B: Simplex()},
            data={y: Labels(V)},
        ).derive(),
        NotDerivedError,
        r"K of K \+ 1 entries alone.*That a chain ends, say, is data",
    ),
    "a state-space model that switches": (
        lambda: Model(
            {**ONE, c[0]: Normal(0, 1), c[t]: Normal(phi[z[t]] * c[t - 1], s), y[t]: Normal(c[t], s)},
            latent=[z, c],
        ).derive(),
        NotDerivedError,
        "switch",
    ),
}


@pytest.mark.parametrize("case", [pytest.param(name, id=name) for name in REFUSED])
def test_what_is_no_chain_is_refused_by_name(case: str) -> None:
    stated, error, message = REFUSED[case]
    with pytest.raises(error, match=message):
        stated()


def test_bic_counts_the_places_of_a_chain_however_it_is_stated() -> None:
    rows = np.array([0.1, -0.3, 2.2, 1.9, 0.0, 2.4, 2.1, -0.2])
    start = {"pi": [0.6, 0.4], "A": [[0.7, 0.3], [0.4, 0.6]], "mu": [0.0, 2.0], "sigma": [1.0, 1.0]}
    one = derived("one sequence").fit(y=rows, start=start)
    many = derived("many sequences").fit(y=rows[None], start=start)
    assert one.n_rows == many.n_rows == len(rows)
    assert one.bic == pytest.approx(many.bic)
