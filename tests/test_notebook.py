"""Notebooks: valid, the same every time, and they run from top to bottom."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symem.__main__ import main
from symem.em import EM
from symem.files import load_file
from symem.report.media.notebook import _entries
from tests.derived import em, once

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
def test_a_notebook_runs_in_a_kernel(nbformat: Any, name: str, tmp_path: Path) -> None:
    """Every cell; the numbers it prints are those of the fit, and its pictures are drawn."""
    nbclient = pytest.importorskip(
        "nbclient", reason="SKIPPED: there is no nbclient here: pip install '.[dev]'"
    )
    pytest.importorskip("ipykernel", reason="SKIPPED: there is no ipykernel here: pip install '.[dev]'")
    book = nbformat.reads(notebook(name, tmp_path), as_version=4)
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(book, timeout=120, kernel_name="python3", resources=resources).execute()
    outputs = [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    printed = "".join(output.text for output in outputs if output.output_type == "stream")
    assert summary_of(name) in printed
    pytest.importorskip("matplotlib", reason="SKIPPED: there is no matplotlib here: pip install '.[dev]'")
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 2


def summary_of(name: str) -> str:
    file = load_file(str(EXAMPLES / f"{name}.py"))
    return once(file.model).fit(**(file.data or {}), start=file.start, seed=0).summary()


def run(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The names that the code cells leave, run one after the other in that folder; pictures are drawn unseen."""
    pytest.importorskip(
        "matplotlib", reason="SKIPPED: there is no matplotlib here: pip install '.[dev]'"
    ).use("Agg")
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {}
    for cell in json.loads(text)["cells"]:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), "<cell>", "exec"), names)
    return names


@pytest.mark.parametrize("name", ["two_coins", "old_faithful"])
def test_a_notebook_states_derives_and_fits(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = notebook(name, tmp_path)
    names = run(text, tmp_path, monkeypatch)
    assert isinstance(names["em"], EM)
    assert summary_of(name) in capsys.readouterr().out


def test_a_notebook_pastes_neither_the_solver_nor_long_data(tmp_path: Path) -> None:
    for name in ("two_coins", "old_faithful"):
        code = [
            "".join(c["source"])
            for c in json.loads(notebook(name, tmp_path))["cells"]
            if c["cell_type"] == "code"
        ]
        assert max(text.count("\n") for text in code) < 25
        assert not any("def e_step" in text for text in code)
        assert ("[5, 9, 8, 4, 7]" in "".join(code)) == (name == "two_coins")
        assert len("".join(code)) < 3000


def test_long_data_without_a_file_are_drawn_from_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = load_file(str(EXAMPLES / "old_faithful.py"))
    assert file.data is not None
    assert file.start is not None
    text = once(file.model).notebook(statement=file.statement, data=file.data, start=file.start)
    names = run(text, tmp_path, monkeypatch)
    assert len(names["data"]["x"]) == len(file.data["x"])
    assert names["fit"].converged


def test_without_a_statement_a_notebook_says_so() -> None:
    book = json.loads(em("gmm1d_faithful").notebook())
    assert not [cell for cell in book["cells"] if cell["cell_type"] == "code"]
    assert "statement=" in "".join(book["cells"][1]["source"])


def test_numbers_go_into_a_notebook_whole() -> None:
    """Missing values, infinities and full precision come back from the cell as they went in."""
    data = {"x": np.array([0.1, np.nan, -np.inf, 1 / 3]), "N": np.array([[1, 2], [3, 4]]), "K": 2}
    cell = "\n".join(_entries(data))
    found = eval(f"{{{cell}}}", {"np": np})
    for name, value in data.items():
        np.testing.assert_array_equal(found[name], value)
        assert np.asarray(found[name]).dtype == np.asarray(value).dtype
