"""A fit of data in blocks, and of data on the workers of a cluster, as a multiple of one of the same data in memory: ten
iterations, the quickest of interleaved runs; the estimates are compared. Processor time for blocks, where at most 1.15 is
asked for; wall time for two workers of dask (symem[dask]), whose start is not counted.

    python benchmarks/bench_chunks.py
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from sympy import Idx, IndexedBase, symbols

from symem import EM, Categorical, IndexedMatrix, IndexedVector, Model, MultivariateNormal, Normal

distributed: Any
try:
    import dask.array as dask_array
    import distributed
except ImportError:
    distributed = None

n, K, d = symbols("n K d", integer=True, positive=True)
i, k = Idx("i", n), Idx("k", K)
x, z, w, mu, s = map(IndexedBase, ["x", "z", "w", "mu", "s"])
v, m, S = IndexedVector("v", d), IndexedVector("m", d), IndexedMatrix("S", d, d)
label = {z[i]: Categorical(w[k])}

ASKED, ITERATIONS, RUNS = 1.15, 10, 7

#: A way to fit: it takes the options of the fit.
Way = Callable[..., Any]


def blocks_of(array: Any, length: int) -> Callable[[], Iterator[Any]]:
    """The rows of an array, so many at a time."""
    return lambda: (array[first : first + length] for first in range(0, len(array), length))


def compared(
    memory: Way, other: Way, clock: Callable[[], float], start: dict[str, Any]
) -> tuple[float, float]:
    """The ratio of times, and the largest difference of an estimate as a share of the largest of its array."""
    times: dict[Way, list[float]] = {memory: [], other: []}
    found = {}
    for _ in range(RUNS):
        for way, taken in times.items():
            begun = clock()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # ten iterations are no convergence
                found[way] = way(start=start, tol=0, max_iter=ITERATIONS)
            taken.append(clock() - begun)
    pairs = zip(found[memory].parameters, found[other].parameters, strict=True)
    gap = max(float(np.max(np.abs(a - b)) / np.max(np.abs(a))) for a, b in pairs)
    return min(times[other]) / min(times[memory]), gap


def compare(name: str, em: EM, array: Any, start: dict[str, Any], length: int) -> None:
    """Print the ratio for blocks and, where dask is there, for two workers."""
    variable = em.model.data[0].name
    memory = _with(em, None, {variable: array})
    ratio, gap = compared(memory, _with(em, blocks_of(array, length), {}), time.process_time, start)
    print(
        f"{name}, blocks of {length}: {ratio:.2f} times as long (asked {ASKED}), estimates within {gap:.0e}"
    )
    with two_workers() as client:
        if client is None:
            print(f"{name}, two workers: dask is not installed")
            return
        parts = dask_array.from_array(array, chunks=(len(array) // 2, *array.shape[1:]))
        on_workers = _with(em, None, {variable: client.persist(parts), "client": client})
        ratio, gap = compared(memory, on_workers, time.perf_counter, start)
        print(f"{name}, two workers: {ratio:.2f} times as long, estimates within {gap:.0e}")


def _with(em: EM, source: Any, data: dict[str, Any]) -> Way:
    return lambda **options: em.fit(source, **data, **options)


@contextmanager
def two_workers() -> Iterator[Any]:
    """A client of two processes on this machine, None without dask."""
    if distributed is None:
        yield None
        return
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield client


def main() -> None:
    """Scalar and vector mixtures."""
    rng = np.random.default_rng(0)
    values = np.where(rng.random(1_000_000) < 0.4, rng.normal(0, 1, 1_000_000), rng.normal(3, 1.5, 1_000_000))
    start: dict[str, Any] = {"w": [0.5, 0.5], "mu": [-1.0, 4.0], "s": [1.0, 1.0]}
    scalar = Model({**label, x[i]: Normal(mu[z[i]], s[z[i]])}, latent=[z]).derive()
    compare("Normal mixture, 1000000 rows", scalar, values, start, 100_000)
    rows = rng.normal(size=(100_000, 10)) + 0.5 * rng.integers(0, 5, (100_000, 1))
    start = {
        "w": np.full(5, 0.2),
        "m": 0.5 * np.arange(5)[:, None] * np.ones(10),
        "S": np.tile(np.eye(10), (5, 1, 1)),
    }
    vector = Model({**label, v[i]: MultivariateNormal(m[z[i]], S[z[i]])}, latent=[z]).derive()
    compare("full covariances, d = 10, 100000 rows", vector, rows, start, 10_000)


if __name__ == "__main__":
    main()
