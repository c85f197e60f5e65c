"""An iteration on rows that stand for many, against the same module by all rows: processor time, medians over the
iterations in the second half of interleaved fits in one process; the estimates and log-likelihoods are compared. Then the memory of a fit
beyond its data, and what it costs to find that no rows are alike.

    python benchmarks/bench_collapse.py
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np
from sympy import Idx, IndexedBase, MatrixSymbol, sqrt, symbols

from symem import Categorical, IndexedVector, Model, MultivariateNormal, Normal, Poisson
from symem.codegen.emit import load

n, K, d, G, J = symbols("n K d G J", integer=True, positive=True)
i, k, g, j = Idx("i", n), Idx("k", K), Idx("g", G), Idx("j", J)
x, z, w, lam, c, y, a, h, m, s = map(IndexedBase, ["x", "z", "w", "lam", "c", "y", "a", "h", "m", "s"])
v, mu, Sigma = IndexedVector("v", d), MatrixSymbol("mu", d, 1), MatrixSymbol("Sigma", d, d)
center, s2a, s2e = symbols("center s2a s2e")

COUNTS = {z[i]: Categorical(w[k]), x[i]: Poisson(lam[z[i]])}
MODELS = {
    "counts": Model(COUNTS, latent=[z]),
    "weights": Model(COUNTS, latent=[z], weights={i: c[i]}),
    "missing": Model({v[i]: MultivariateNormal(mu, Sigma)}, missing=[v]),
    "groups": Model({a[g]: Normal(0, sqrt(s2a)), y[i]: Normal(center + a[h[i]], sqrt(s2e))}, latent=[a], known=[h]),
    "table": Model({a[g]: Normal(0, sqrt(s2a)), y[g, j]: Normal(center + a[g], sqrt(s2e))}, latent=[a]),
    "numbers": Model({z[i]: Categorical(w[k]), x[i]: Normal(m[z[i]], s[z[i]])}, latent=[z]),
}  # fmt: skip


#: Iterations on few rows are so short that a fit of so many times as many tells how long they take.
_MORE = 30


def cases(rng: np.random.Generator) -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any]]]:
    """What is fitted: its name, the model, data and a start."""
    counts = rng.poisson(np.where(rng.random(1_000_000) < 0.4, 1.3, 6.0)).astype(float)
    start: dict[str, Any] = {"w": np.full(3, 1 / 3), "lam": [1.0, 3.0, 6.0]}
    yield "Poisson mixture, 10⁶ counts, K = 3", "counts", {"x": counts}, start
    weights = rng.integers(1, 4, 1_000_000).astype(float)
    parts = np.split(counts, 10)
    yield "the same in 10 blocks", "counts", {"source": lambda: ({"x": each} for each in parts)}, start
    yield "the same with weights", "weights", {"x": counts, "c": weights}, start
    for rows in (10_000, 100_000):
        normal = rng.normal(size=(rows, 10)) @ rng.normal(size=(10, 10)) + 3
        normal[rng.random(normal.shape) < 0.1] = np.nan
        start = {"mu": np.zeros(10), "Sigma": 5 * np.eye(10)}
        yield f"Normal with missing entries, {rows} × 10", "missing", {"v": normal}, start
    start = {"center": 0.0, "s2a": 1.0, "s2e": 3.0}
    for rows, groups in ((100_000, 5000), (1_000_000, 10_000)):
        which = rng.integers(0, groups, rows)
        values = 5 + rng.normal(0, 2, groups)[which] + rng.normal(size=rows)
        yield (
            f"random intercepts, {rows} rows in {groups} groups",
            "groups",
            {"y": values, "h": which, "G": groups},
            start,
        )
    table = 5 + rng.normal(0, 2, (50_000, 1)) + rng.normal(size=(50_000, 20))
    yield "random intercepts, a table of 50000 × 20", "table", {"y": table}, start


def by_all_rows(source: str) -> ModuleType:
    """The same module, with collapse switched off."""
    module = load(source, "by_all_rows")
    module._Stock.may_be_few = lambda *_: False  # noqa: SLF001
    return module


def timed(module: ModuleType, data: dict[str, Any], start: Any, steps: int) -> tuple[Any, list[float], float]:
    """A fit of so many iterations, the seconds of each, and those of all."""
    ticks: list[float] = []
    begun = time.process_time()
    arrays = dict(data)
    found = module.fit(
        arrays.pop("source", None),
        **arrays,
        start=start,
        tol=-1,
        max_iter=steps,
        callback=lambda *_: ticks.append(time.process_time()) or False,
    )
    return found, list(np.diff(ticks)), time.process_time() - begun


def gap(one: Any, other: Any) -> float:
    """The largest difference of parameters and log-likelihoods, as a share of the largest entry of each."""
    pairs = [*zip(one.parameters, other.parameters, strict=True), (one.log_likelihood, other.log_likelihood)]
    return max(float(np.max(np.abs(p - q)) / np.max(np.abs(q))) for p, q in pairs)


def compare(name: str, source: str, data: dict[str, Any], start: Any, steps: int = 10) -> None:
    """Print the ratio of an iteration by all rows to one by few, that of the fits, and how far the results lie apart."""
    ways = {"few": load(source), "all": by_all_rows(source)}
    ticks: dict[str, list[float]] = {way: [] for way in ways}
    fits: dict[str, list[float]] = {way: [] for way in ways}
    found = {}
    for _ in range(3):
        for way, module in ways.items():
            found[way], each, whole = timed(module, data, start, steps)
            more = timed(module, data, start, _MORE * steps)[1] if way == "few" else each
            ticks[way] += more[len(more) // 2 :]
            fits[way].append(whole)
    few, whole = (float(np.median(ticks[way])) for way in ways)
    ratio = np.median(fits["all"]) / np.median(fits["few"])
    print(
        f"{name}: {whole / few:.0f} times as fast an iteration ({1e3 * whole:.2f} ms by rows, {1e3 * few:.3f} ms), "
        f"{ratio:.1f} times a fit of {steps}; results within {gap(found['few'], found['all']):.0e}"
    )


def beyond(run: Callable[[], Any]) -> int:
    """The bytes that are taken at the peak."""
    tracemalloc.start()
    run()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def memory(name: str, source: str, data: dict[str, Any], start: Any, rows: int) -> None:
    """Print the bytes a row that a fit takes beyond its data."""
    module = load(source)
    taken = beyond(lambda: module.fit(**data, start=start, tol=-1, max_iter=3))
    print(f"{name}: {taken / rows:.1f} bytes a row beyond the data")


def main() -> None:
    """The ratios, the memory."""
    rng = np.random.default_rng(0)
    sources = {name: model.derive().source() for name, model in MODELS.items()}
    for name, model, data, start in cases(rng):
        compare(name, sources[model], data, start)
    counts, values = rng.poisson(3.0, 1_000_000), rng.normal(size=1_000_000)
    start = {"w": [0.5, 0.5], "lam": [1.0, 4.0]}
    memory("Poisson mixture, 10⁶ counts", sources["counts"], {"x": counts.astype(float)}, start, 1_000_000)
    memory("the same, given as integers", sources["counts"], {"x": counts}, start, 1_000_000)
    start = {"w": [0.5, 0.5], "m": [-1.0, 1.0], "s": [1.0, 1.0]}
    memory("Normal mixture, 10⁶ numbers", sources["numbers"], {"x": values}, start, 1_000_000)


if __name__ == "__main__":
    main()
