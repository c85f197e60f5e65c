"""How long `verify` takes: processor seconds of the whole ladder, for every model of the tests' table and every example.

    python benchmarks/bench_verify.py [MODEL ...]

Each is derived and its module loaded before the clock starts; data are drawn from the model, as where nothing is given.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from symem.errors import SymemError  # noqa: E402  the tests' table lies beside this folder
from symem.files import load_file  # noqa: E402
from tests.models import MODELS  # noqa: E402


def models() -> Iterator[tuple[str, Callable[[], Any]]]:
    """The name and the statement of each: rows of the table, then files of examples that no row shows."""
    shown = {row.example for row in MODELS}
    yield from ((row.name, row.model) for row in MODELS)
    for path in sorted((ROOT / "examples").glob("*.py")):
        if path.stem not in shown:
            yield path.name, lambda path=path: load_file(str(path)).model


def timed(state: Callable[[], Any]) -> tuple[float, Any]:
    """Processor seconds, and what was found."""
    em = state().derive(budget=float("inf"))
    if not em.derivation.not_derived:
        em.solver()
    begun = time.process_time()
    found = em.verify()
    return time.process_time() - begun, found


def main() -> None:
    wanted, seconds = set(sys.argv[1:]), {}
    for name, state in models():
        if not wanted or name in wanted:
            try:
                seconds[name], found = timed(state)
            except SymemError as error:
                print(f"{name:30} {type(error).__name__}: {error}", flush=True)
                continue
            rungs = " ".join(f"{rung.name}:{rung.verdict}" for rung in (*found.failed, *found.open))
            print(f"{name:30} {seconds[name]:7.3f} s   {found.verdict} {rungs}", flush=True)
    slowest = sorted(seconds, key=seconds.__getitem__)[-5:]
    print(f"median {statistics.median(seconds.values()):.3f} s; slowest: ", end="")
    print(", ".join(f"{name} {seconds[name]:.3f} s" for name in reversed(slowest)))


if __name__ == "__main__":
    main()
