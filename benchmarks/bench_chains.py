"""An EM iteration of hidden Markov models beside hmmlearn's, at equal iterates, in one process: processor time in ms.

pip install hmmlearn
OPENBLAS_NUM_THREADS=1 python benchmarks/bench_chains.py
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from hmmlearn.hmm import GaussianHMM
from sympy import Idx, IndexedBase, symbols

from symem import Categorical, Model, Normal

LABELS, STEPS, RUNS = 5, 4, 5
T, K, J = symbols("T K J", integer=True, positive=True)
t, k, j = Idx("t", T), Idx("k", K), Idx("j", J)
y, z, pi, A, mu, sigma = map(IndexedBase, ["y", "z", "pi", "A", "mu", "sigma"])

ONE = Model(
    {z[0]: Categorical(pi[k]), z[t]: Categorical(A[z[t - 1], k]), y[t]: Normal(mu[z[t]], sigma[z[t]])},
    latent=[z],
)
MANY = Model(
    {
        z[j, 0]: Categorical(pi[k]),
        z[j, t]: Categorical(A[z[j, t - 1], k]),
        y[j, t]: Normal(mu[z[j, t]], sigma[z[j, t]]),
    },
    latent=[z],
)
START = {
    "pi": np.full(LABELS, 1 / LABELS),
    "A": np.full((LABELS, LABELS), 0.05) + 0.75 * np.eye(LABELS),
    "mu": 2.0 * np.arange(LABELS),
    "sigma": np.ones(LABELS),
}


def series(length: int) -> Any:
    """A sequence drawn from the start."""
    rng = np.random.default_rng(0)
    steps = np.cumsum(START["A"], axis=1)
    labels = [0]
    for chance in rng.random(length - 1):
        labels.append(int(np.searchsorted(steps[labels[-1]], chance)))
    return rng.normal(START["mu"][labels], 1.0)


def of_hmmlearn(rows: Any, lengths: list[int], implementation: str) -> Callable[[int], Any]:
    def run(steps: int) -> Any:
        fitted = GaussianHMM(
            LABELS, "diag", n_iter=steps, tol=-np.inf, init_params="", implementation=implementation,
            covars_prior=0, covars_weight=0, means_weight=0, min_covar=0,
        )  # fmt: skip
        fitted.startprob_, fitted.transmat_ = START["pi"], START["A"]
        fitted.means_, fitted.covars_ = START["mu"][:, None], START["sigma"][:, None] ** 2
        return fitted.fit(rows.reshape(-1, 1), lengths)

    return run


def of_symem(model: Model, data: Any) -> Callable[[int], Any]:
    solver = model.derive().solver(verify=False)
    return lambda steps: solver.fit(y=data, start=START, max_iter=steps, tol=0.0)


def once(run: Callable[[int], Any], steps: int) -> float:
    begin = time.process_time()
    run(steps)
    return 1e3 * (time.process_time() - begin)


def iteration(runs: dict[str, Callable[[int], Any]]) -> dict[str, float]:
    """ms of an iteration each, taken in turn: the difference of long and short fits, the median of several."""
    found: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(RUNS):
        for name, run in runs.items():
            found[name].append((once(run, 1 + STEPS) - once(run, 1)) / STEPS)
    return {name: float(np.median(each)) for name, each in found.items()}


def main() -> None:
    warnings.simplefilter("ignore")
    rows = series(100_000)
    cases = (
        ("1 sequence of 100,000", ONE, rows, [100_000]),
        ("1,000 sequences of 100", MANY, rows.reshape(1000, 100), [100] * 1000),
    )
    print(f"{'K = 5':<24}{'symem':>8}{'scaling':>9}{'log':>8}{'ratios':>16}{'means differ':>15}")
    for name, model, data, lengths in cases:
        runs = {
            "symem": of_symem(model, data),
            **{way: of_hmmlearn(rows, lengths, way) for way in ("scaling", "log")},
        }
        apart = np.abs(runs["symem"](STEPS).parameters.mu - runs["scaling"](STEPS).means_[:, 0]).max()
        ms = iteration(runs)
        ratios = f"{ms['scaling'] / ms['symem']:.1f}, {ms['log'] / ms['symem']:.1f}"
        print(
            f"{name:<24}{ms['symem']:>8.1f}{ms['scaling']:>9.1f}{ms['log']:>8.1f}{ratios:>16}{apart:>15.0e}"
        )


if __name__ == "__main__":
    main()
