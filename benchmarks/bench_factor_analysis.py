"""One iteration of factor analysis, against scikit-learn: same data, and the same maximum reached, one run.

    OPENBLAS_NUM_THREADS=1 python benchmarks/bench_factor_analysis.py

scikit-learn alternates a singular value decomposition of the scaled data with the uniquenesses; the emitted EM needs
more iterations, but none of them reads the data: both times to the maximum are printed. An iteration is the slope
between a short and a long fit.

Seen on a 2-core x86-64 server: 0.17 to 0.56 ms against 330 to 690 ms, 1200 to 1900 times; to the same maximum 20 times.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.decomposition import FactorAnalysis
from sympy import Identity, Idx, MatrixSymbol, ZeroMatrix, symbols

from symem import IndexedVector, Model, MultivariateNormal, diag


def solver() -> Any:
    """The emitted module of factor analysis with a mean."""
    n, d, m = symbols("n d m", integer=True, positive=True)
    i = Idx("i", n)
    x, z = IndexedVector("x", d), IndexedVector("z", m)
    mu, W, psi = MatrixSymbol("mu", d, 1), MatrixSymbol("W", d, m), MatrixSymbol("psi", d, 1)
    model = Model(
        {
            z[i]: MultivariateNormal(ZeroMatrix(m, 1), Identity(m)),
            x[i]: MultivariateNormal(mu + W * z[i], diag(psi)),
        },
        latent=[z],
    )
    return model.derive().solver()


def sample(rows: int, size: int, factors: int) -> tuple[Any, dict[str, Any]]:
    rng = np.random.default_rng(0)
    loadings, spread = rng.normal(size=(size, factors)), rng.uniform(0.7, 1.4, size)
    x = rng.normal(size=(rows, factors)) @ loadings.T + rng.normal(size=(rows, size)) * spread
    start = {"mu": x.mean(axis=0), "W": rng.normal(size=(size, factors)), "psi": np.ones(size)}
    return x, start


def seconds(run: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    run()
    return time.perf_counter() - begun


def slope(fit: Callable[[int], Any], short: int, long: int) -> float:
    few, many = (seconds(lambda t=t: fit(t)) for t in (short, long))  # type: ignore[misc]
    return 1e3 * (many - few) / (long - short)


def compare(module: Any, rows: int, size: int, factors: int, repeats: int) -> None:
    x, start = sample(rows, size, factors)

    def ours(iterations: int, tol: float = -1.0) -> Any:
        return module.fit(x=x, start=start, tol=tol, max_iter=iterations)

    def theirs(iterations: int, tol: float = 0.0) -> Any:
        return FactorAnalysis(factors, tol=tol, max_iter=iterations, random_state=0).fit(x)

    mine, other = [], []
    for _ in range(repeats):
        mine.append(slope(ours, 50, 1050))
        other.append(slope(theirs, 2, 7))
    a, b = statistics.median(mine), statistics.median(other)
    times = [seconds(lambda: ours(5000, 1e-11)), seconds(lambda: theirs(1000, 1e-6 * rows))]
    gap = abs(ours(5000, 1e-13).log_likelihood - float(theirs(200, 1e-9).loglike_[-1])) / rows
    print(
        f"n = {rows}, d = {size}, m = {factors}: symem {a:.3f} ms, scikit-learn {b:.1f} ms an iteration: "
        f"{b / a:.0f} times; to the maximum {times[0]:.2f} s and {times[1]:.2f} s; "
        f"log-likelihoods differ by {gap:.1e} an observation"
    )


def main() -> None:
    warnings.simplefilter("ignore")
    compare(solver(), 100_000, 50, 5, 3)


if __name__ == "__main__":
    main()
