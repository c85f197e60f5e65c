"""An EM iteration on trees of several shapes beside a plain recursion, place by place, in one process: processor time in µs a place,
and the most memory of an iteration in bytes a place.

The recursion does less: it gives the posteriors of labels and of pairs, and no update. Places of one depth go side by side, so a
bushy tree costs little and one as deep as it has places several times the recursion.

OPENBLAS_NUM_THREADS=1 python benchmarks/bench_trees.py
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator
from typing import Any

import numpy as np
from sympy import Idx, IndexedBase, MatrixSymbol, symbols

from symem import Categorical, IndexedVector, Model, MultivariateNormal, Normal

PLACES, LABELS, SIZE, RUNS = 20_000, 3, 2, 3
n, K, d, root = *symbols("n K d", integer=True, positive=True), symbols("root")
v, k = Idx("v", n), Idx("k", K)
z, x, pi, A, mu, sigma, parent = map(IndexedBase, ["z", "x", "pi", "A", "mu", "sigma", "parent"])
h, y = IndexedVector("h", d), IndexedVector("y", d)
m, P, F, Q, R = (MatrixSymbol(name, d, 1 if name == "m" else d) for name in "mPFQR")

OF_LABELS = Model(
    {z[root]: Categorical(pi[k]), z[v]: Categorical(A[z[parent[v]], k]), x[v]: Normal(mu[z[v]], sigma[z[v]])},
    latent=[z],
    known=[parent],
)
OF_VECTORS = Model(
    {
        h[root]: MultivariateNormal(m, P),
        h[v]: MultivariateNormal(F * h[parent[v]], Q),
        y[v]: MultivariateNormal(h[v], R),
    },
    latent=[h],
    known=[parent],
)


def shapes() -> Iterator[tuple[str, Any]]:
    """Of each place its parent, a root's -1."""
    rng, places = np.random.default_rng(0), np.arange(1, PLACES)
    yield "stars of 100", np.r_[-1, np.where(places % 100, places // 100 * 100, -1)]
    yield "four children each", np.r_[-1, (places - 1) // 4]
    yield "random", np.r_[-1, [int(rng.integers(0, place)) for place in places]]
    yield "a leaf at each place of a path", np.r_[-1, np.where(places % 2, places - 1, places - 2)]
    yield "path", np.arange(-1, PLACES - 1)


def theta_of_labels() -> dict[str, Any]:
    moved = np.full((LABELS, LABELS), 0.1) + 0.7 * np.eye(LABELS)
    return {
        "pi": np.full(LABELS, 1 / LABELS),
        "A": moved,
        "mu": np.arange(LABELS) - 1.0,
        "sigma": np.ones(LABELS),
    }


def recursion(theta: dict[str, Any], data: Any, parents: Any) -> tuple[Any, Any]:
    """γ and the sum of ξ, up the tree and down, place by place."""
    children: list[list[int]] = [[] for _ in parents]
    for place, above in enumerate(parents):
        if above >= 0:
            children[above].append(place)
    order = [place for place, above in enumerate(parents) if above < 0]
    for place in order:
        order += children[place]
    away = (data[:, None] - theta["mu"]) / theta["sigma"]
    density = np.exp(-(away**2) / 2) / theta["sigma"] / np.sqrt(2 * np.pi)
    moved, message = theta["A"], np.ones(density.shape)
    for place in reversed(order):
        for child in children[place]:
            density[place] *= message[child]
            density[place] /= density[place].max()
        if parents[place] >= 0:
            message[place] = moved @ density[place]
    gamma, pairs = density.copy(), np.zeros(moved.shape)
    for place in order:
        if parents[place] < 0:
            gamma[place] = density[place] * theta["pi"]
            gamma[place] /= gamma[place].sum()
        else:
            pair = (gamma[parents[place]] / message[place])[:, None] * moved * density[place]
            pairs += pair
            gamma[place] = pair.sum(axis=0)
    return gamma, pairs


def took(run: Any) -> float:
    """The least processor time of some runs, in µs a place."""
    times = []
    for _ in range(RUNS):
        begin = time.process_time()
        run()
        times.append(time.process_time() - begin)
    return min(times) / PLACES * 1e6


def main() -> None:
    rng = np.random.default_rng(1)
    numbers, vectors = rng.normal(size=PLACES), rng.normal(size=(PLACES, SIZE))
    labels = OF_LABELS.derive(budget=float("inf")).solver(verify=False)
    states = OF_VECTORS.derive(budget=float("inf")).solver(verify=False)
    eye = np.eye(SIZE)
    start = {"m": np.zeros(SIZE), "P": eye, "F": 0.8 * eye, "Q": eye, "R": eye}
    print(f"{PLACES} places; {LABELS} labels, vectors of {SIZE} entries")
    print(f"{'':32}{'labels':>9}{'recursion':>11}{'vectors':>9}{'bytes a place':>15}")
    for name, parents in shapes():
        theta = theta_of_labels()
        gamma, pairs = recursion(theta, numbers, parents)
        found = labels.em_step(theta, x=numbers, parent=parents)
        np.testing.assert_allclose(found.A, pairs / pairs.sum(axis=1, keepdims=True), rtol=1e-8)
        np.testing.assert_allclose(found.mu, numbers @ gamma / gamma.sum(axis=0), rtol=1e-8, atol=1e-12)
        times = (
            took(lambda parents=parents: labels.em_step(theta_of_labels(), x=numbers, parent=parents)),
            took(lambda parents=parents: recursion(theta_of_labels(), numbers, parents)),
            took(lambda parents=parents: states.em_step(start, y=vectors, parent=parents)),
        )
        tracemalloc.start()
        states.em_step(start, y=vectors, parent=parents)
        most = tracemalloc.get_traced_memory()[1] / PLACES
        tracemalloc.stop()
        print(f"{name:32}{times[0]:9.2f}{times[1]:11.2f}{times[2]:9.2f}{most:15.0f}")


if __name__ == "__main__":
    main()
