"""How long a CSV of 10⁶ rows takes to be read, as a multiple of polars reading it alone: processor time, best of five.

python benchmarks/bench_tables.py
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
from sympy import Idx, IndexedBase, symbols

from symem import Categorical, Model, Normal, readers
from symem.tables import read_table

n, K = symbols("n K", integer=True, positive=True)
i, k = Idx("i", n), Idx("k", K)
x, z, w, mu, sigma = map(IndexedBase, ["x", "z", "w", "mu", "sigma"])
MODEL = Model({z[i]: Categorical(w[k]), x[i]: Normal(mu[z[i]], sigma[z[i]])}, latent=[z])


def best(function: Callable[[], object]) -> float:
    """Seconds of processor time."""
    times = []
    for _ in range(5):
        start = time.process_time()
        function()
        times.append(time.process_time() - start)
    return min(times)


def main() -> None:
    """Each reader that symem may use, on one file with a column that the model reads and one that it does not."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        table = np.random.default_rng(0).normal(size=(1_000_000, 2))
        np.savetxt(path, table, delimiter=",", header="x,y", comments="", fmt="%.17g")
        peer = best(lambda: pl.read_csv(path))
        print(f"polars alone: {peer:.2f} s")
        for reader in (readers._polars, readers._pandas, readers._numpy):  # noqa: SLF001
            readers._fast_reader = lambda reader=reader: reader  # noqa: SLF001
            print(
                f"symem by {reader.__name__[1:]}: {best(lambda: read_table(path, MODEL)) / peer:.1f} times that"
            )


if __name__ == "__main__":
    main()
