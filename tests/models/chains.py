"""Chains of labels and of numbers, and trees: latents that look back at a neighbour."""

from __future__ import annotations

import numpy as np
from sympy import Idx, IndexedBase, Piecewise, Sum, log, sqrt, symbols

from symem import Bernoulli, Categorical, Labels, Model, Normal, Parents, Simplex
from tests.answers import Values
from tests.models.table import Row, renamed

T, J, K, n, V = symbols("T J K n V", integer=True, positive=True)
t, j, k, v, u = Idx("t", T), Idx("j", J), Idx("k", K), Idx("v", n), Idx("u", V)
x, y, z, h, pi, A, B, a, last, parent = map(
    IndexedBase, ["x", "y", "z", "h", "pi", "A", "B", "a", "last", "parent"]
)
mu, s2 = IndexedBase("mu"), IndexedBase("s2")
m0, P0, s2n, s2e = symbols("m0 P0 s2n s2e")


def sequences() -> Model:
    steps = {z[j, 0]: Categorical(pi[k]), z[j, t]: Categorical(A[z[j, t - 1], k])}
    return Model({**steps, x[j, t]: Normal(mu[z[j, t]], sqrt(s2[z[j, t]]))}, latent=[z])


def diary() -> Model:
    """A chain that moves to STOP at its end: the data of each place whether it was the last."""
    steps = {z[0]: Categorical(pi[k]), z[t]: Categorical(A[z[t - 1], k])}
    emissions = {x[t]: Categorical(B[z[t], u]), last[t]: Bernoulli(a[z[t]])}
    return Model({**steps, **emissions}, latent=[z])


def ending(data: Values) -> Values:
    days = data["x"]
    return {"x": days, "last": (np.arange(len(days)) == len(days) - 1).astype(int)}


def stopping(theta: Values) -> Values:
    """Transitions to STOP apart from the others."""
    stop = theta["A"][:, 2]
    rest = theta["A"][:, :2] / (1 - stop[:, None])
    return {"pi": theta["start"], "B": theta["E"], "A": rest, "a": stop}


def level() -> Model:
    states = {h[0]: Normal(m0, sqrt(P0)), h[t]: Normal(h[t - 1], sqrt(s2n))}
    return Model({**states, y[t]: Normal(h[t], sqrt(s2e))}, latent=[h], known=[m0, P0])


def tree() -> Model:
    handed_down = Piecewise((log(pi[z[v]]), parent[v] < 0), (log(A[z[parent[v]], z[v]]), True))
    return Model.from_likelihood(
        log_likelihood=Sum(handed_down + log(B[z[v], y[v]]), (v, 0, n - 1)),
        latent={z: Labels(K)},
        parameters={pi: Simplex(), A: Simplex(), B: Simplex()},
        data={parent: Parents(n), y: Labels(V)},
    )


ROWS = [
    Row("hmm_gaussian", sequences, theta=renamed(de="pi")),
    Row("hmm_categorical", diary, arrays=ending, theta=stopping),
    Row("lds_local_level", level),
    Row("hidden_tree", tree),
]
