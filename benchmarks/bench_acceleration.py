"""How many EM steps a fit takes until the log-likelihood changes by less than 1e-10, alone and with jumps.

Steps that were tried from jumps that were refused count; in brackets, processor time as a share of EM's, in one process.

    python benchmarks/bench_acceleration.py
"""

from __future__ import annotations

import importlib.util
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from sympy import Idx, IndexedBase, symbols

from symem import Categorical, Model, Normal

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
WAYS = (None, "squarem", "anderson", "auto")
NAMES = (
    "london_times",
    "factor_analysis",
    "random_effects",
    "random_slopes",
    "latent_classes",
    "student_t",
    "missing_normal",
)


def stated(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def overlapping() -> tuple[Model, dict[str, Any], dict[str, Any]]:
    n, K = symbols("n K", integer=True, positive=True)
    i, k = Idx("i", n), Idx("k", K)
    x, z, w, mu, sigma = map(IndexedBase, ["x", "z", "w", "mu", "sigma"])
    rng = np.random.default_rng(0)
    rows = np.where(rng.random(2000) < 0.5, rng.normal(0, 1, 2000), rng.normal(1.5, 1, 2000))
    model = Model({z[i]: Categorical(w[k]), x[i]: Normal(mu[z[i]], sigma[z[i]])}, latent=[z])
    return model, {"x": rows}, {"w": [0.4, 0.6], "mu": [-1.0, 2.0], "sigma": [1.0, 1.0]}


def factors() -> tuple[Model, dict[str, Any], dict[str, Any]]:
    rng = np.random.default_rng(7)
    rows = rng.normal(size=(1000, 4)) @ rng.normal(size=(4, 20)) + rng.normal(size=(1000, 20)) * rng.uniform(
        0.5, 2, 20
    )
    start = {"mu": np.zeros(20), "W": rng.normal(size=(20, 4)), "psi": np.ones(20)}
    return stated("factor_analysis").model, {"x": rows}, start


def problems() -> Iterator[tuple[str, Model, dict[str, Any], dict[str, Any]]]:
    yield "Normal mixture that overlaps", *overlapping()
    yield "factors, d = 20, m = 4", *factors()
    for name in NAMES:
        module = stated(name)
        yield name.replace("_", " "), module.model, module.data, module.start


def main() -> None:
    warnings.simplefilter("ignore")
    print(f"{'':<30}" + "".join(f"{way or 'EM':>16}" for way in WAYS))
    for name, model, data, start in problems():
        em = model.derive()
        rows = max(np.size(each) for each in data.values())
        em.fit(**data, start=start, max_iter=1)
        cells, alone = [], 0.0
        for way in WAYS:
            begin = time.process_time()
            fit = em.fit(**data, start=start, tol=1e-10 / rows, accelerate=way, max_iter=20_000)
            took = time.process_time() - begin
            alone = alone or took
            cells.append(f"{fit.n_evaluations} ({took / alone:.2f})")
        print(f"{name:<30}" + "".join(f"{cell:>16}" for cell in cells))


if __name__ == "__main__":
    main()
