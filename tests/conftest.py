"""One BLAS thread, set before NumPy is loaded: small problems, and the same sums on every machine."""

from __future__ import annotations

import gc
import math
import os
import sys
from collections.abc import Generator, Iterator
from typing import Any

import pytest

#: Tables and references: tests load what they name of them.
collect_ignore = ["models", "references", "trials"]

_LOADED = pytest.StashKey[frozenset[str]]()

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")


@pytest.fixture(autouse=True, scope="session")
def _unhurried() -> Iterator[None]:
    """What a test derives may take as long as it does: budgets are tested by themselves."""
    from symem import budget  # noqa: PLC0415 - NumPy is loaded after the threads are set

    usual, budget.SECONDS = budget.SECONDS, math.inf
    yield
    budget.SECONDS = usual


@pytest.fixture
def derived_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands derive each statement once a session."""
    from tests.derived import once  # noqa: PLC0415 - NumPy is loaded after the threads are set

    monkeypatch.setattr("symem.commands.derived", once)
    monkeypatch.setattr("symem.gallery.derive", once)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """What collection makes stays: the collector of garbage need not go through it again and again, then or later."""
    gc.disable()
    try:
        return (yield)
    finally:
        session.config.stash[_LOADED] = frozenset(sys.modules)
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)
        gc.enable()


@pytest.fixture
def loaded_by_collection(pytestconfig: pytest.Config) -> frozenset[str]:
    """The modules that were there before the first test ran."""
    return pytestconfig.stash[_LOADED]


def pytest_addoption(parser: pytest.Parser) -> None:
    """One flag writes every golden file anew."""
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of models that take long to derive are slow."""
    from tests.models import LONG  # noqa: PLC0415 - NumPy is loaded after the threads are set
    from tests.workers import model_of  # noqa: PLC0415

    for item in items:
        if model_of(item.nodeid) in LONG:
            item.add_marker(pytest.mark.slow)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With `-n`, tests go to workers as `tests/workers.py` says."""
    from tests.workers import ByModel  # noqa: PLC0415 - NumPy is loaded after the threads are set

    return ByModel(config, log)
