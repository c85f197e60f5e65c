"""The oracle of many coupled labels: sums label by label against sums over all configurations and against densities written here."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import scipy
from sympy import Idx, IndexedBase, Rational, sqrt, symbols

from symem import Bernoulli, Categorical, Gamma, Model, Normal, Poisson
from symem.evaluation.situation import situation
from symem.evaluation.trees import Apply, Atom
from symem.verification import Oracle, TooLargeError
from symem.verification.cliques import Summation
from symem.verification.recursions import Recursion
from symem.verification.sampling import draw
from symem.verification.splits import Split

T, K, R = symbols("T K R", integer=True, positive=True)
s = symbols("s", positive=True)
t, k, r = Idx("t", T), Idx("k", K), Idx("r", R)
y, z, c, u, pi, A, B, C, mu, lam, q = map(
    IndexedBase, ["y", "z", "c", "u", "pi", "A", "B", "C", "mu", "lam", "q"]
)
w = symbols("w")
parent, root = IndexedBase("parent"), symbols("root")
CHAIN = {z[0]: Categorical(pi[k]), z[t]: Categorical(A[z[t - 1], k])}

STATED: Mapping[str, Callable[[], Model]] = {
    "chain": lambda: Model({**CHAIN, y[t]: Normal(mu[z[t]], s)}, latent=[z]),
    "two labels back": lambda: Model(
        {
            z[0]: Categorical(pi[k]),
            z[1]: Categorical(A[z[0], k]),
            z[t]: Categorical(B[z[t - 1], z[t - 2], k]),
            y[t]: Poisson(lam[z[t]]),
        },
        latent=[z],
    ),
    "mixture emissions": lambda: Model(
        {**CHAIN, c[t]: Categorical(C[z[t], r]), y[t]: Normal(mu[z[t], c[t]], s)}, latent=[c, z]
    ),
    "tree": lambda: Model(
        {z[root]: Categorical(pi[k]), z[t]: Categorical(A[z[parent[t]], k]), y[t]: Normal(mu[z[t]], s)},
        latent=[z],
        known=[parent],
    ),
    "a label behind all": lambda: Model(
        {w: Bernoulli(q[0]), z[t]: Categorical(A[w, k]), y[t]: Normal(mu[z[t]], s)}, latent=[w, z]
    ),
    "scales": lambda: Model(
        {**CHAIN, u[t]: Gamma(2, Rational(1, 2)), y[t]: Normal(mu[z[t]], s / sqrt(u[t]))}, latent=[u, z]
    ),
}
ENUMERATED = [name for name in STATED if name != "scales"]


def drawn(name: str, places: int, seed: int = 0) -> tuple[Oracle, dict[str, Any], dict[str, Any]]:
    """An oracle with data, and two θs."""
    model, rng = STATED[name](), np.random.default_rng(seed)
    sizes = {"T": places, "K": 2, "R": 2}
    first, other = (draw(model, rng, sizes) for _ in range(2))
    arrays = situation(model, first.data, {**sizes, **first.theta})
    return Oracle(model, arrays), first.theta, other.theta


def facts(oracle: Oracle, theta: Any, other: Any) -> list[Any]:
    belief = oracle.at(theta)
    both = {name: np.stack([theta[name], other[name]]) for name in theta}
    return [
        oracle.log_likelihoods(both),
        belief.log_likelihoods(both),
        belief.surrogates(both),
        belief.entropy,
        belief.size(theta),
    ]


@pytest.mark.parametrize("name", ENUMERATED)
def test_label_by_label_is_the_sum_over_all_configurations(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    oracle, theta, other = drawn(name, 8)
    assert all(isinstance(group, Recursion) for group in oracle.groups)
    found = facts(oracle, theta, other)
    monkeypatch.setattr(Split, "pays", lambda _: False)
    listed, *_ = drawn(name, 8)
    assert not any(isinstance(group, Recursion) for group in listed.groups)
    for one, wanted in zip(found, facts(listed, theta, other), strict=True):
        np.testing.assert_allclose(one, wanted, rtol=1e-12)
    one, two = (Atom("z", (place,)) for place in (2, 3))
    same, both = Apply("Equality", (one, two)), Apply("Mul", (one, two))
    for value, given in ((both, None), (one, same)):
        assert oracle.at(theta).mean(value, given) == pytest.approx(
            listed.at(theta).mean(value, given), rel=1e-12
        )


def test_scales_are_integrated_where_each_stands() -> None:
    """A chain of t laws, by a forward recursion over their densities."""
    oracle, theta, _ = drawn("scales", 40)
    rows = oracle.scope.arrays["y"][:, None]
    weight = scipy.stats.t.logpdf(rows, 4, theta["mu"], theta["s"])
    message = np.log(theta["pi"]) + weight[0]
    for own in weight[1:]:
        message = own + np.logaddexp.reduce(message[:, None] + np.log(theta["A"]), axis=0)
    assert oracle.log_likelihood(theta) == pytest.approx(np.logaddexp.reduce(message), rel=1e-10)
    belief, place = oracle.at(theta), 7
    at_label = Apply("Mul", (Atom("z", (place,)), Atom("u", (place,))))
    share = belief.mean(Atom("z", (place,)))
    apart = (rows[place, 0] - theta["mu"][1]) / theta["s"]
    assert belief.mean(at_label) == pytest.approx(share * 5 / (4 + apart**2), rel=1e-7)
    with pytest.raises(TooLargeError, match="no neighbours"):
        belief.mean(Apply("Mul", (Atom("u", (3,)), Atom("u", (4,)))))


def test_messages_and_draws_of_any_couplings() -> None:
    """A ring with a tail, of which no order is free of fill-in."""
    rng, scopes = np.random.default_rng(0), ((0, 1), (1, 2), (2, 3), (3, 0), (3, 4), (2,))
    summation = Summation((2, 3, 2, 2, 3), scopes)
    tables = [rng.normal(size=[summation.counts[label] for label in scope]) for scope in scopes]
    weights = np.zeros(summation.counts)
    for values in itertools.product(*map(range, summation.counts)):
        weights[values] = np.exp(
            sum(t[tuple(values[i] for i in scope)] for t, scope in zip(tables, scopes, strict=True))
        )
    total, wholes, messages = summation.up(tables)
    assert total == pytest.approx(np.log(weights.sum()), rel=1e-13)
    marginals = summation.down(wholes, messages)
    weights /= weights.sum()
    for scope in ((3, 4), (1,), (0, 3)):
        others = tuple(label for label in range(5) if label not in scope)
        np.testing.assert_allclose(marginals.of(scope), weights.sum(axis=others), rtol=1e-12)
    draws = [summation.drawn(wholes, messages, rng) for _ in range(4000)]
    share = np.mean([each[1] == 2 and each[3] == 1 for each in draws])
    assert share == pytest.approx(weights[:, 2, :, 1].sum(), abs=0.03)


def test_a_label_with_no_way_to_be_has_no_mass() -> None:
    summation = Summation((2, 2), ((0, 1), (1,)))
    total, wholes, messages = summation.up([np.zeros((2, 2)), np.array([-np.inf, -np.inf])])
    assert total == -np.inf
    assert not np.any(summation.down(wholes, messages).of((1,)))
