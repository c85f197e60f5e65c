"""One EM iteration of a 1-D Gaussian mixture, against scikit-learn: same data, same start, one run.

    OPENBLAS_NUM_THREADS=1 python benchmarks/bench_gmm1d.py

Times are medians of interleaved repetitions, an iteration being the slope between a short and a long fit.
Memory is the peak of what a fit allocates beyond the data.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import statistics
import time
import tracemalloc
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.mixture import GaussianMixture
from sympy import Idx, IndexedBase, symbols

from symem import Categorical, Model, Normal

START = {"w": [0.5, 0.5], "mu": [0.5, 4.0], "sigma": [1.5, 1.5]}


def solver() -> Any:
    """The emitted module of the mixture."""
    n, K = symbols("n K", integer=True, positive=True)
    i, k = Idx("i", n), Idx("k", K)
    x, z, w, mu, sigma = map(IndexedBase, ["x", "z", "w", "mu", "sigma"])
    model = Model({z[i]: Categorical(w[k]), x[i]: Normal(mu[z[i]], sigma[z[i]])}, latent=[z])
    return model.derive().solver()


def sample(size: int) -> Any:
    rng = np.random.default_rng(0)
    first = rng.random(size) < 0.4
    return np.where(first, rng.normal(0.0, 1.0, size), rng.normal(3.0, 1.5, size))


def ours(module: Any, x: Any, iterations: int) -> Any:
    return module.fit(x=x, start=START, tol=-1.0, max_iter=iterations).parameters


def theirs(x: Any, iterations: int) -> Any:
    mixture = GaussianMixture(
        2,
        tol=0.0,
        reg_covar=0.0,
        max_iter=iterations,
        weights_init=START["w"],
        means_init=np.reshape(START["mu"], (2, 1)),
        precisions_init=np.reshape(np.array(START["sigma"]) ** -2.0, (2, 1, 1)),
    )
    return mixture.fit(x[:, None])


def seconds(run: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    run()
    return time.perf_counter() - begun


def compare(module: Any, size: int, short: int, long: int, repeats: int) -> None:
    x = sample(size)
    fits: dict[str, Callable[[int], Any]] = {
        "symem": lambda t: ours(module, x, t),
        "scikit-learn": lambda t: theirs(x, t),
    }
    slopes: dict[str, list[float]] = {name: [] for name in fits}
    for _ in range(repeats):
        for name, fit in fits.items():
            few, many = (seconds(lambda fit=fit, t=t: fit(t)) for t in (short, long))  # type: ignore[misc]
            slopes[name].append(1e3 * (many - few) / (long - short))
    mine, other = (statistics.median(slopes[name]) for name in fits)
    a, b = ours(module, x, long), theirs(x, long)
    gap = max(
        np.abs(a.w - b.weights_).max(),
        np.abs(a.mu - b.means_[:, 0]).max(),
        np.abs(a.sigma - np.sqrt(b.covariances_[:, 0, 0])).max(),
    )
    print(
        f"n = {size:>8}: symem {mine:8.4f} ms, scikit-learn {other:8.4f} ms an iteration: "
        f"{other / mine:5.1f} times; parameters differ by {gap:.1e}"
    )


def memory(module: Any, size: int) -> None:
    """The peak of what a fit allocates, the data not counted (NumPy tells tracemalloc of its arrays)."""
    x = sample(size)
    tracemalloc.start()
    module.fit(x=x, start=START, tol=-1.0, max_iter=3)
    added = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    print(f"n = {size:>8}: a fit adds {added:.0f} MB to the data's {x.nbytes / 1e6:.0f} MB")


def main() -> None:
    warnings.simplefilter("ignore")
    module = solver()
    compare(module, 272, 100, 1100, 9)
    compare(module, 1_000_000, 2, 12, 5)
    memory(module, 1_000_000)


if __name__ == "__main__":
    main()
