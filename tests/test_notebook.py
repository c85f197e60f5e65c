"""Notebooks: valid, the same every time, and they run from top to bottom."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symem.__main__ import main
from symem.em import derive
from symem.files import load_file
from symem.report.media.notebook import _entries
from tests.derived import em

EXAMPLES = Path(__file__).parents[1] / "examples"
ONE_OF_EACH = ("two_coins", "old_faithful", "peppered_moths")


@pytest.fixture
def nbformat() -> Any:
    return pytest.importorskip("nbformat", reason="SKIPPED: there is no nbformat here: pip install '.[dev]'")


def notebook(name: str, folder: Path) -> str:
    path = folder / f"{name}.ipynb"
    assert main(["report", str(EXAMPLES / f"{name}.py"), "-o", str(path)]) == 0
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["gmm1d_faithful", "ibm_model1", "student_t_known_nu"])
def test_a_notebook_is_valid(nbformat: Any, name: str) -> None:
    """By the format's own schema, of which the cell ids are part since 4.5."""
    book = nbformat.reads(em(name).notebook(), as_version=4)
    nbformat.validate(book)
    assert (book.nbformat, book.nbformat_minor) == (4, 5)
    ids = [cell.id for cell in book.cells]
    assert len(set(ids)) == len(ids)


def test_a_notebook_is_the_same_every_time(tmp_path: Path) -> None:
    first, second = (notebook("two_coins", tmp_path / part) for part in "ab")
    assert first == second
    assert str(tmp_path) not in first


@pytest.mark.slow
@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_a_notebook_runs(nbformat: Any, name: str, tmp_path: Path) -> None:
    """Every cell, in a kernel of its own; the numbers it prints are those of the fit."""
    nbclient = pytest.importorskip(
        "nbclient", reason="SKIPPED: there is no nbclient here: pip install '.[dev]'"
    )
    pytest.importorskip("ipykernel", reason="SKIPPED: there is no ipykernel here: pip install '.[dev]'")
    book = nbformat.reads(notebook(name, tmp_path), as_version=4)
    nbclient.NotebookClient(book, timeout=120, kernel_name="python3").execute()
    outputs = [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    printed = "".join(output.text for output in outputs if output.output_type == "stream")
    drawn = [output.data["image/svg+xml"] for output in outputs if "image/svg+xml" in output.get("data", {})]
    file = load_file(str(EXAMPLES / f"{name}.py"))
    fit = derive(file.model).fit(**(file.data or {}), start=file.start, seed=0)
    assert f"log-likelihood {fit.log_likelihood:.6f} after {fit.n_iter} iterations" in printed
    assert "iterations</text>" in drawn[-1]


def test_numbers_go_into_a_notebook_whole() -> None:
    """Missing values, infinities and full precision come back from the cell as they went in."""
    data = {"x": np.array([0.1, np.nan, -np.inf, 1 / 3]), "N": np.array([[1, 2], [3, 4]]), "K": 2}
    cell = "\n".join(_entries(data))
    found = eval(f"{{{cell}}}", {"np": np})
    for name, value in data.items():
        np.testing.assert_array_equal(found[name], value)
        assert np.asarray(found[name]).dtype == np.asarray(value).dtype
