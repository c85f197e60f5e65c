"""A random intercept under Poisson counts: an EM step of the module, and one that is written by hand in NumPy.

By hand: Newton's method from 0 for the modes, the same nodes, the closed form of the spread, Newton's method for two
coefficients. Processor time, medians of interleaved runs in one process.

    python benchmarks/bench_quadrature.py
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from scipy.special import gammaln, logsumexp
from sympy import Idx, IndexedBase, exp, symbols

from symem import Model, Normal, Poisson

n, J = symbols("n J", integer=True, positive=True)
i, j = Idx("i", n), Idx("j", J)
x, y, u = map(IndexedBase, "xyu")
b0, b1, s = symbols("b0 b1 s")

ROWS, WIDTH, NODES, RUNS = 5_000, 5, 24, 9


def by_hand(theta: dict[str, float], data: dict[str, Any]) -> tuple[dict[str, float], float]:
    """The step, and the log-likelihood before it."""
    zeros, weights = np.polynomial.hermite.hermgauss(NODES)
    given, seen = data["x"], data["y"]
    rate = np.exp(theta["b0"] + theta["b1"] * given)
    total, sums, variance = seen.sum(axis=1), rate.sum(axis=1), theta["s"] ** 2
    mode = np.zeros(ROWS)
    for _ in range(100):
        bend = sums * np.exp(mode) + 1 / variance
        step = (total - sums * np.exp(mode) - mode / variance) / bend
        mode += np.clip(step, -1.0, 1.0)
        if np.max(np.abs(step)) < 1e-10:
            break
    scale = 1 / np.sqrt(sums * np.exp(mode) + 1 / variance)
    nodes = mode + np.sqrt(2.0) * scale * zeros[:, None]
    height = total * nodes - np.exp(nodes) * sums - nodes**2 / (2 * variance)
    height += (np.log(weights) + zeros**2)[:, None] + np.log(np.sqrt(2.0) * scale)
    whole = logsumexp(height, axis=0)
    share = np.exp(height - whole)
    constant = (seen * np.log(rate) - gammaln(seen + 1)).sum() - ROWS * np.log(2 * np.pi * variance) / 2
    grown = (share * np.exp(nodes)).sum(axis=0)
    point = np.array([theta["b0"], theta["b1"]])
    for _ in range(50):
        rate = np.exp(point[0] + point[1] * given) * grown[:, None]
        slope = np.array([(seen - rate).sum(), (given * (seen - rate)).sum()])
        cross = (given * rate).sum()
        step = np.linalg.solve([[rate.sum(), cross], [cross, (given**2 * rate).sum()]], slope)
        point += step
        if np.max(np.abs(step)) < 1e-12:
            break
    spread = np.sqrt((share * nodes**2).sum() / ROWS)
    return {"b0": point[0], "b1": point[1], "s": spread}, float(whole.sum() + constant)


def main() -> None:
    rng = np.random.default_rng(0)
    given = rng.normal(size=(ROWS, WIDTH))
    seen = rng.poisson(np.exp(0.3 + 0.5 * given + 0.7 * rng.normal(size=(ROWS, 1))))
    data, theta = {"x": given, "y": seen}, {"b0": 0.2, "b1": 0.4, "s": 0.6}
    laws = {u[i]: Normal(0, s), y[i, j]: Poisson(exp(b0 + b1 * x[i, j] + u[i]))}
    module = Model(laws, latent=[u], known=[x]).derive(approximate="quadrature").solver()
    ours, theirs = [], []
    for _ in range(RUNS):
        begin = time.process_time()
        found = module.em_step(theta, **data, Q=NODES)
        ours.append(time.process_time() - begin)
        begin = time.process_time()
        right, value = by_hand(theta, data)
        theirs.append(time.process_time() - begin)
    gap = max(abs(float(getattr(found, name)) - right[name]) for name in theta)
    apart = module.log_likelihood(theta, **data, Q=NODES) - value
    print(
        f"n = {ROWS}, J = {WIDTH}, Q = {NODES}: {np.median(ours) * 1e3:.1f} ms, by hand {np.median(theirs) * 1e3:.1f} ms; "
        f"parameters apart by {gap:.1e}, log-likelihoods by {apart:.1e}"
    )


if __name__ == "__main__":
    main()
