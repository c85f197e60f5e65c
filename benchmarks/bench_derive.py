"""How long a derivation takes: every model of the tests' table, from the statement to the emitted source.

    python benchmarks/bench_derive.py [MODEL ...]

A process of its own for the import; the models then share one process, as they would in a session. Each is
timed once, with SymPy's cache emptied before it.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from sympy.core.cache import clear_cache

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from symem.codegen.emit import emit  # noqa: E402
from symem.errors import SymemError  # noqa: E402  the tests' table lies beside this folder
from tests.models import MODELS, Row  # noqa: E402


def import_seconds() -> float:
    """The time that `import symem` takes, the interpreter's own start not counted."""
    script = "import time; begun = time.perf_counter(); import symem; print(time.perf_counter() - begun)"
    run = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, check=True, text=True)
    return float(run.stdout)


def timed(row: Row) -> tuple[float, float]:
    """Seconds for stating and deriving the model, and for emitting its solver."""
    clear_cache()
    begun = time.perf_counter()
    derivation = row.model().derive().derivation
    derived = time.perf_counter()
    if not derivation.not_derived:
        emit(derivation)
    return derived - begun, time.perf_counter() - derived


def main() -> None:
    wanted = set(sys.argv[1:])
    derive, write = {}, {}
    for row in MODELS:
        if not wanted or row.name in wanted:
            try:
                derive[row.name], write[row.name] = timed(row)
            except SymemError as error:
                print(f"{row.name:30} {type(error).__name__}: {error}")
                continue
            print(f"{row.name:30} derive {derive[row.name]:6.3f} s   emit {write[row.name]:6.3f} s")
    for what, seconds in (("derive", derive), ("emit", write)):
        worst = max(seconds, key=lambda name: seconds[name])
        print(
            f"{what}: median {statistics.median(seconds.values()):.3f} s, worst {seconds[worst]:.3f} s ({worst})"
        )
    print(f"import symem: {import_seconds():.3f} s")


if __name__ == "__main__":
    main()
