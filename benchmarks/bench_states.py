"""An EM iteration of a linear dynamical system beside pykalman's, and a pass of statsmodels' compiled filter and smoother on the
same matrices, in one process: processor time in ms.

pip install pykalman statsmodels
OPENBLAS_NUM_THREADS=1 python benchmarks/bench_states.py
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from pykalman import KalmanFilter
from statsmodels.tsa.statespace.kalman_smoother import KalmanSmoother
from sympy import Idx, MatrixSymbol, symbols

from symem import IndexedVector, Model, MultivariateNormal

PLACES, SIZE, STEPS, RUNS = 2000, 4, 10, 5
T, d, p = symbols("T d p", integer=True, positive=True)
t = Idx("t", T)
h, y = IndexedVector("h", d), IndexedVector("y", p)
m, P = MatrixSymbol("m", d, 1), MatrixSymbol("P", d, d)
F, Q, H, R = (MatrixSymbol(*each) for each in (("F", d, d), ("Q", d, d), ("H", p, d), ("R", p, p)))

MODEL = Model(
    {
        h[0]: MultivariateNormal(m, P),
        h[t]: MultivariateNormal(F * h[t - 1], Q),
        y[t]: MultivariateNormal(H * h[t], R),
    },
    latent=[h],
)


def system(seed: int = 0) -> tuple[dict[str, Any], Any]:
    """A start, and a sequence drawn from a system beside it."""
    rng = np.random.default_rng(seed)
    turn = 0.9 * np.linalg.qr(rng.normal(size=(SIZE, SIZE)))[0]
    loadings = rng.normal(size=(SIZE, SIZE))
    states = np.zeros((PLACES, SIZE))
    for place in range(1, PLACES):
        states[place] = turn @ states[place - 1] + 0.7 * rng.normal(size=SIZE)
    eye = np.eye(SIZE)
    start = {"m": np.zeros(SIZE), "P": eye, "F": 0.8 * eye, "Q": eye, "H": loadings + 0.1, "R": 2 * eye}
    return start, states @ loadings.T + rng.normal(size=(PLACES, SIZE))


def of_symem(start: dict[str, Any], data: Any) -> Callable[[int], Any]:
    solver = MODEL.derive(budget=float("inf")).solver(verify=False)
    return lambda steps: solver.fit(y=data, start=start, max_iter=steps, tol=0.0)


def of_pykalman(start: dict[str, Any], data: Any) -> Callable[[int], Any]:
    def run(steps: int) -> Any:
        fitted = KalmanFilter(
            transition_matrices=start["F"], transition_covariance=start["Q"], observation_matrices=start["H"],
            observation_covariance=start["R"], initial_state_mean=start["m"], initial_state_covariance=start["P"],
            transition_offsets=np.zeros(SIZE), observation_offsets=np.zeros(SIZE),
        )  # fmt: skip
        wanted = [
            "transition_matrices",
            "transition_covariance",
            "observation_matrices",
            "observation_covariance",
        ]
        return fitted.em(
            data, n_iter=steps, em_vars=[*wanted, "initial_state_mean", "initial_state_covariance"]
        )

    return run


def of_statsmodels(start: dict[str, Any], data: Any) -> Callable[[int], Any]:
    smoother = KalmanSmoother(SIZE, SIZE)
    smoother.bind(np.array(data, order="C"))
    named = {"transition": "F", "state_cov": "Q", "design": "H", "obs_cov": "R"}
    for name, letter in named.items():
        smoother[name] = start[letter]
    smoother["selection"] = np.eye(SIZE)
    smoother.initialize_known(start["m"], start["P"])

    def run(passes: int) -> Any:
        return [smoother.smooth() for _ in range(passes)][-1]

    return run


def once(run: Callable[[int], Any], steps: int) -> float:
    begin = time.process_time()
    run(steps)
    return 1e3 * (time.process_time() - begin)


def iterations(runs: dict[str, Callable[[int], Any]], steps: dict[str, int]) -> dict[str, float]:
    """ms of an iteration each, taken in turn: the difference of long and short runs, the median of several."""
    found: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(RUNS):
        for name, run in runs.items():
            more = steps.get(name, STEPS)
            found[name].append((once(run, 1 + more) - once(run, 1)) / more)
    return {name: float(np.median(each)) for name, each in found.items()}


def main() -> None:
    warnings.simplefilter("ignore")
    start, data = system()
    runs = {
        "symem": of_symem(start, data),
        "pykalman": of_pykalman(start, data),
        "statsmodels": of_statsmodels(start, data),
    }
    ours, theirs = runs["symem"](1), runs["pykalman"](1)
    apart = max(
        np.abs(ours.parameters.F - theirs.transition_matrices).max(),
        np.abs(ours.parameters.R - theirs.observation_covariance).max(),
    )
    density = runs["statsmodels"](1).llf - ours.history[0]
    ms = iterations(runs, {"pykalman": 1})
    print(f"T = {PLACES}, d = {SIZE}: " + ", ".join(f"{name} {each:.2f} ms" for name, each in ms.items()))
    print(
        f"pykalman's EM iteration / symem's: {ms['pykalman'] / ms['symem']:.0f}; first iterates differ by {apart:.0e}"
    )
    print(
        f"statsmodels' pass / symem's iteration: {ms['statsmodels'] / ms['symem']:.1f}; "
        f"log-likelihoods differ by {density:.0e}"
    )


if __name__ == "__main__":
    main()
