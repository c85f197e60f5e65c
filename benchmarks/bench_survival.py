"""Lifetimes of which some are censored: fits of emitted modules beside lifelines', the log-likelihoods of both in one run.

EM takes many steps where lifelines climbs the likelihood itself: that is what the ratios say. Processor time of a fit, medians of
interleaved runs in one process; a line is left out where lifelines is not there.

    python benchmarks/bench_survival.py
"""

from __future__ import annotations

import importlib
import importlib.util
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sympy import And, Eq, Idx, IndexedBase, Or, exp, symbols

from symem import Bernoulli, Gamma, Model, Weibull

n = symbols("n", integer=True, positive=True)
i = Idx("i", n)
c, d, h, r, u, x, z = map(IndexedBase, ["c", "d", "h", "r", "u", "x", "z"])
a, b, f, g, q = symbols("a b f g q")
EVENTS = Or(And(Eq(d[i], 1), Eq(x[i], u[i])), And(Eq(d[i], 0), u[i] > x[i]))
CURED = Or(And(Eq(d[i], 1), Eq(z[i], 1), Eq(x[i], u[i])), And(Eq(d[i], 0), Or(Eq(z[i], 0), u[i] > x[i])))
ROWS, RUNS = 2000, 3
MODELS = {
    "Weibull": Model({u[i]: Weibull(b, a)}, latent=[u], given=[EVENTS]),
    "Weibull between ends": Model({u[i]: Weibull(b, a)}, latent=[u], given=[u[i] > h[i], u[i] < r[i]]),
    "Weibull, a covariate": Model(
        {u[i]: Weibull(exp(f + g * c[i]), a)}, latent=[u], known=[c], given=[EVENTS]
    ),
    "Weibull, a share cured": Model({z[i]: Bernoulli(q), u[i]: Weibull(b, a)}, latent=[z, u], given=[CURED]),
    "Gamma": Model({u[i]: Gamma(a, b)}, latent=[u], given=[EVENTS]),
}


def data_of(name: str, rng: np.random.Generator) -> dict[str, Any]:
    """Lifetimes of the law, ends beside them."""
    covariate = rng.normal(size=ROWS)
    values = np.exp(0.5 + 0.4 * covariate * ("covariate" in name)) * rng.weibull(1.7, ROWS)
    if "between" in name:
        low = np.floor(2 * values) / 2
        return {"h": low, "r": low + 0.5}
    ends = rng.exponential(4.0, ROWS)
    cured = rng.random(ROWS) < 0.3 * ("cured" in name)
    seen = (values < ends) & ~cured
    given = {"d": seen.astype(float), "x": np.where(seen, values, ends)}
    return given | ({"c": covariate} if "covariate" in name else {})


def peer(name: str, given: dict[str, Any]) -> Callable[[], float] | None:
    """What fits the same by lifelines and gives the log-likelihood."""
    if importlib.util.find_spec("lifelines") is None or name == "Gamma":
        return None
    lines, frames = importlib.import_module("lifelines"), importlib.import_module("pandas")
    if "between" in name:
        return lambda: lines.WeibullFitter().fit_interval_censoring(given["h"], given["r"]).log_likelihood_
    if "covariate" in name:
        frame = frames.DataFrame(given)
        return lambda: lines.WeibullAFTFitter().fit(frame, "x", "d").log_likelihood_
    if "cured" in name:
        made = lines.MixtureCureFitter
        return lambda: made(base_fitter=lines.WeibullFitter()).fit(given["x"], given["d"]).log_likelihood_
    return lambda: lines.WeibullFitter().fit(given["x"], given["d"]).log_likelihood_


def timed(fit: Callable[[], float]) -> tuple[float, float]:
    begin = time.process_time()
    found = fit()
    return time.process_time() - begin, found


def main() -> None:
    rng = np.random.default_rng(0)
    print(
        f"{f'n = {ROWS}':<24} {'symem':>10} {'iterations':>11} {'lifelines':>10} {'ratio':>6} {'ℓ apart by':>11}"
    )
    warnings.simplefilter("ignore")
    for name, model in MODELS.items():
        module, given = model.derive(budget=float("inf")).solver(), data_of(name, rng)
        other = peer(name, given)

        def fit(module: Any = module, given: dict[str, Any] = given) -> Any:
            return module.fit(**given, seed=0, tol=1e-10, accelerate="auto")

        found = fit()
        ours, theirs = [], []
        for _ in range(RUNS):
            ours.append(timed(lambda: fit().log_likelihood))
            theirs += [timed(other)] if other else []
        mine = np.median([each for each, _ in ours])
        line = f"{name:<24} {mine * 1e3:>7.0f} ms {len(found.history) - 1:>11}"
        if theirs:
            yours = np.median([each for each, _ in theirs])
            apart = ours[0][1] - theirs[0][1]
            line += f" {yours * 1e3:>7.0f} ms {mine / yours:>6.1f} {apart:>11.1e}"
        print(line)


if __name__ == "__main__":
    main()
