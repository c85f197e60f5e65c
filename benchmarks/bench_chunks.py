"""An iteration over data that come in blocks, as a multiple of one over the same data in memory: processor time,
medians of interleaved runs in one process; the estimates are compared.

    python benchmarks/bench_chunks.py
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from sympy import Idx, IndexedBase, symbols

from symem import Categorical, IndexedMatrix, IndexedVector, Model, MultivariateNormal, Normal

n, K, d = symbols("n K d", integer=True, positive=True)
i, k = Idx("i", n), Idx("k", K)
x, z, w, mu, s = map(IndexedBase, ["x", "z", "w", "mu", "s"])
v, m, S = IndexedVector("v", d), IndexedVector("m", d), IndexedMatrix("S", d, d)
label = {z[i]: Categorical(w[k])}


def blocks_of(array: Any, length: int) -> Callable[[], Iterator[Any]]:
    """The rows of an array, so many at a time."""
    return lambda: (array[first : first + length] for first in range(0, len(array), length))


def compare(name: str, model: Model, array: Any, start: dict[str, Any], length: int) -> None:
    """Print the ratio of times for ten iterations, and the largest difference of the estimates."""
    em = model.derive()
    variable = model.data[0].name
    times: dict[str, list[float]] = {"memory": [], "blocks": []}
    found = {}
    for _ in range(5):
        for way, taken in times.items():
            begun = time.process_time()
            data = {variable: array} if way == "memory" else {}
            source = None if way == "memory" else blocks_of(array, length)
            found[way] = em.fit(source, **data, start=start, tol=0, max_iter=10)
            taken.append(time.process_time() - begun)
    gap = max(
        float(np.max(np.abs(a - b) / np.abs(a)))
        for a, b in zip(found["memory"].parameters, found["blocks"].parameters, strict=True)
    )
    ratio = np.median(times["blocks"]) / np.median(times["memory"])
    print(f"{name}: {ratio:.2f} times as long, estimates within {gap:.1e}")


def main() -> None:
    """Scalar and vector mixtures."""
    rng = np.random.default_rng(0)
    values = np.where(rng.random(1_000_000) < 0.4, rng.normal(0, 1, 1_000_000), rng.normal(3, 1.5, 1_000_000))
    start: dict[str, Any] = {"w": [0.5, 0.5], "mu": [-1.0, 4.0], "s": [1.0, 1.0]}
    scalar = Model({**label, x[i]: Normal(mu[z[i]], s[z[i]])}, latent=[z])
    compare("Normal mixture, 10⁶ rows in blocks of 10⁵", scalar, values, start, 100_000)
    rows = rng.normal(size=(100_000, 10)) + 3 * rng.integers(0, 5, (100_000, 1))
    start = {
        "w": np.full(5, 0.2),
        "m": 3 * np.arange(5)[:, None] * np.ones(10),
        "S": np.tile(np.eye(10), (5, 1, 1)),
    }
    vector = Model({**label, v[i]: MultivariateNormal(m[z[i]], S[z[i]])}, latent=[z])
    compare("full covariances, d = 10, 10⁵ rows in blocks of 10⁴", vector, rows, start, 10_000)


if __name__ == "__main__":
    main()
