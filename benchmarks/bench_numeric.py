"""What a numeric M-step adds to an iteration: the same mixture with its shapes to be found, and with them known.

Where shapes are climbed over the rows, the rest of the iteration is that of the same module without the ascent: were they known,
the powers of data that the E-step takes would lie ready too.

Processor time of an iteration of `fit`, medians of interleaved runs in one process, of the iterations after the second up to the
52nd; "added" is asked to be at most twice the rest.

    python benchmarks/bench_numeric.py
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from sympy import Idx, IndexedBase, exp, symbols

from symem import Beta, Categorical, Gamma, Model, Poisson, VonMises, Weibull

n, K = symbols("n K", integer=True, positive=True)
i, k = Idx("i", n), Idx("k", K)
x, z, w, a, b = map(IndexedBase, ["x", "z", "w", "a", "b"])

ROWS, RUNS = 100_000, 5
START = {"w": np.full(3, 1 / 3), "a": np.array([1.0, 2.0, 4.0]), "b": np.array([1.0, 0.5, 2.0])}
MODELS: dict[str, tuple[Any, str, Callable[[np.random.Generator], Any]]] = {
    "gamma, shapes and scales": (Gamma, "a", lambda rng: rng.gamma(rng.choice([1.0, 3.0, 9.0], ROWS))),
    "von Mises, means and concentrations": (VonMises, "b", lambda rng: rng.vonmises(0.5, 2.0, ROWS)),
    "Weibull, powers and scales": (
        Weibull,
        "ab",
        lambda rng: rng.choice([1.0, 3.0], ROWS) * rng.weibull(2.0, ROWS),
    ),
    "beta, both shapes": (Beta, "ab", lambda rng: rng.beta(rng.choice([1.0, 4.0], ROWS), 2.0)),
}


def seconds(module: Any, theta: dict[str, Any], data: dict[str, Any]) -> float:
    """What an iteration takes: how much longer fits of 52 take than those of two."""
    taken = []
    for count in (2, 52):
        begin = time.process_time()
        module.fit(start=theta, max_iter=count, tol=0.0, **data)
        taken.append(time.process_time() - begin)
    return (taken[1] - taken[0]) / 50


def regression(rng: np.random.Generator) -> None:
    """A Poisson regression of one component, which is one M-step, beside statsmodels'."""
    glm = importlib.import_module("statsmodels.api")
    t, y = IndexedBase("t"), IndexedBase("y")
    laws = {z[i]: Categorical(w[k]), y[i]: Poisson(exp(a[z[i]] + b[z[i]] * t[i]))}
    module = Model(laws, latent=[z], known=[t]).derive().solver()
    covariate = rng.normal(size=ROWS)
    counts = rng.poisson(np.exp(0.5 + 0.7 * covariate))
    start = {"w": np.ones(1), "a": np.zeros(1), "b": np.zeros(1)}
    design, theirs, ours = glm.add_constant(covariate), [], []
    for _ in range(5):
        begin = time.process_time()
        peer = glm.GLM(counts, design, family=glm.families.Poisson()).fit(tol=1e-12)
        theirs.append(time.process_time() - begin)
        begin = time.process_time()
        after = module.em_step(start, y=counts, t=covariate)
        ours.append(time.process_time() - begin)
    gap = module.log_likelihood(after, y=counts, t=covariate) - peer.llf
    print(
        f"Poisson regression, n = {ROWS}: {np.median(ours) * 1e3:.1f} ms, statsmodels {np.median(theirs) * 1e3:.1f} ms; "
        f"log-likelihoods apart by {gap:.1e}"
    )


def main() -> None:
    rng = np.random.default_rng(0)
    print(f"{'n = 100000, K = 3':<38} {'rest':>9} {'whole':>9} {'added / rest':>13}")
    for name, (law, known, draw) in MODELS.items():
        laws, data = {z[i]: Categorical(w[k]), x[i]: law(a[z[i]], b[z[i]])}, {"x": draw(rng)}
        found = Model(laws, latent=[z]).derive().solver()
        told, theta, given = found, START, data
        if found.MODEL.rises:
            told = found.Solver(found.MODEL._replace(rises=()), version="", fingerprint="")
        else:
            told = Model(laws, latent=[z], known=[{"a": a, "b": b}[each] for each in known]).derive().solver()
            theta = {each: START[each] for each in "wab" if each not in known}
            given = data | {each: START[each] for each in known}
        times = [(seconds(told, theta, given), seconds(found, START, data)) for _ in range(RUNS)]
        rest, whole = np.median(times, axis=0)
        print(f"{name:<38} {rest * 1e3:>6.2f} ms {whole * 1e3:>6.2f} ms {(whole - rest) / rest:>13.2f}")
    regression(rng)


if __name__ == "__main__":
    main()
