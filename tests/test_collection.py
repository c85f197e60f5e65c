"""Collection is quick: what takes long to load waits for the test that needs it."""

from __future__ import annotations

import pytest

#: Optional packages, and parts of SciPy that `import scipy` loads when they are asked for.
SLOW = (
    *(
        "dask",
        "distributed",
        "joblib",
        "matplotlib",
        "nbformat",
        "pandas",
        "polars",
        "pyarrow",
        "scipy.integrate",
    ),
    *("scipy.stats", "sklearn", "sphinx", "statsmodels"),
)


@pytest.mark.parametrize("package", SLOW)
def test_collection_does_not_load_it(package: str, loaded_by_collection: frozenset[str]) -> None:
    """In a test file write `import scipy` and `scipy.stats.norm`; `pytest.importorskip` inside the test or a fixture."""
    assert package not in loaded_by_collection
