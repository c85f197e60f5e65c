"""One BLAS thread, set before NumPy is loaded: small problems, and the same sums on every machine."""

from __future__ import annotations

import os

import pytest

#: Tables and references: tests load what they name of them.
collect_ignore = ["models", "references", "trials"]

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")


def pytest_addoption(parser: pytest.Parser) -> None:
    """One flag writes every golden file anew."""
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew")
