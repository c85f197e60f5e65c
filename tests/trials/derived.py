"""Each trial is built, and derived, once a session."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from tests.trials import TRIALS, Trial

for family in ("labels", "continuous", "vectors", "gaps", "effects", "designs"):
    import_module(f"tests.trials.{family}")


@cache
def built(name: str) -> Trial:
    return TRIALS[name]()


@cache
def algorithm(name: str) -> Any:
    return built(name).model.derive()


__all__ = ["TRIALS", "algorithm", "built"]
