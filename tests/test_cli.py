"""The command line: what it prints and writes, its exit status, and how it answers a user's mistake."""

from __future__ import annotations

import io
import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symem.__main__ import main
from symem.errors import DataError, ExistingFileError, SymemError
from symem.files import load_model, read_values
from symem.tables import read_table
from symem.writing import write_whole
from tests.derived import once

pytestmark = pytest.mark.usefixtures("derived_once")
ROOT = Path(__file__).parents[1]
FAITHFUL = str(ROOT / "examples" / "old_faithful.py")
ERUPTIONS = str(ROOT / "examples" / "data" / "old_faithful.csv")
START = ["--start", "w=0.5,0.5", "mu=55,80", "sigma=5,5"]

COINS = """\
from sympy import Idx, IndexedBase, symbols
from symem import Binomial, Categorical, Model

n, K = symbols("n K", integer=True, positive=True)
N = symbols("N", integer=True, positive=True)
i, k = Idx("i", n), Idx("k", K)
x, z, w, th = map(IndexedBase, ["x", "z", "w", "th"])
coins = Model({z[i]: Categorical(w[k]), x[i]: Binomial(N, th[z[i]])}, latent=[z], known=[N])
"""
TOSSES = "x\n5\n9\n8\n4\n7\n"


@pytest.fixture
def coins(tmp_path: Path) -> Path:
    (tmp_path / "coins.py").write_text(COINS)
    (tmp_path / "tosses.csv").write_text(TOSSES)
    return tmp_path


# what the commands do ----------------------------------------------------------------------------------


def test_derive_prints_the_updates(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["derive", FAITHFUL]) == 0
    told = capsys.readouterr()
    assert "  μ_k = Σ_i γ_ik x_i / N_k\n" in told.out
    assert "  σ_k = √(Σ_i γ_ik (x_i - μ_k)² / N_k)\n" in told.out
    assert told.err == ""


def test_derive_writes_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tex, md = tmp_path / "report.tex", tmp_path / "new" / "report.md"
    assert main(["derive", FAITHFUL, "--latex", str(tex), "--markdown", str(md)]) == 0
    assert tex.read_text().startswith(r"\documentclass")
    assert md.read_text().startswith("# Derivation")
    assert capsys.readouterr().err == f"symem: wrote {tex}\nsymem: wrote {md}\n"


def test_emit_writes_a_module_that_stands_alone(tmp_path: Path) -> None:
    path = tmp_path / "faithful_em.py"
    assert main(["emit", FAITHFUL, "-o", str(path)]) == 0
    names = runpy.run_path(str(path))
    assert callable(names["fit"])
    assert "symem" not in [
        line.split()[1] for line in path.read_text().splitlines() if line.startswith(("import", "from"))
    ]


def test_emit_without_output_prints(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["emit", FAITHFUL]) == 0
    compile(capsys.readouterr().out, "emitted", "exec")


def test_fit_shows_updates_and_estimate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [str(tmp_path / name) for name in ("fit.json", "report.tex", "module.py")]
    files = ["--output", names[0], "--report", names[1], "--module", names[2]]
    assert main(["fit", FAITHFUL, ERUPTIONS, *START, *files]) == 0
    told = capsys.readouterr()
    assert "μ_k = Σ_i γ_ik x_i / N_k" in told.out
    assert "converged" in told.out
    assert "54.61" in told.out
    assert [line for line in told.err.splitlines() if "wrote" in line] == [
        f"symem: wrote {names[1]}",
        f"symem: wrote {names[2]}",
        f"symem: wrote {names[0]}",
    ]
    found = json.loads(Path(names[0]).read_text())
    assert found["parameters"]["mu"] == pytest.approx([54.615, 80.091], abs=0.01)
    assert found["log_likelihood"] == pytest.approx(-1034.0017, abs=1e-3)
    assert found["history"][-1] == pytest.approx(found["log_likelihood"])


def test_fit_chooses_its_own_start(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fit", FAITHFUL, ERUPTIONS, "--size", "K=2", "--seed", "1"]) == 0
    assert "-1034.0" in capsys.readouterr().out


def test_fit_takes_what_the_table_lacks(coins: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Do & Batzoglou's limits, the weight of the coins left free."""
    model, table = str(coins / "coins.py:coins"), str(coins / "tosses.csv")
    assert main(["fit", model, table, "--set", "N=10", "--start", "w=0.5,0.5", "th=0.6,0.5"]) == 0
    assert "θ_k = Σ_i γ_ik x_i / (N Σ_i γ_ik)" in capsys.readouterr().out


def test_fit_that_does_not_converge_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fit", FAITHFUL, ERUPTIONS, *START, "--max-iter", "2"]) == 1
    told = capsys.readouterr()
    assert "NOT converged" in told.out
    assert "symem: warning:" in told.err


def test_fit_writes_nothing_unless_asked(coins: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(coins)
    before = sorted(coins.rglob("*.*"))
    assert main(["fit", "coins.py", "tosses.csv", "--set", "N=10", "--start", "w=0.5,0.5", "th=0.6,0.5"]) == 0
    assert [path for path in sorted(coins.rglob("*.*")) if path not in before] == []


@pytest.mark.slow
def test_verify_prints_every_rung(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", FAITHFUL]) == 0
    assert all(
        f"\nV{rung}  passed" in capsys_out for capsys_out in [capsys.readouterr().out] for rung in range(6)
    )


@pytest.mark.slow
def test_the_program_runs() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "symem", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("symem ")


@pytest.mark.parametrize("command", [[], ["derive"], ["emit"], ["fit"], ["verify"]])
def test_help_has_examples(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([*command, "--help"])
    assert end.value.code == 0
    assert "examples:\n  symem " in capsys.readouterr().out


# a user's mistakes ---------------------------------------------------------------------------------------

MISTAKES = (
    ("no such file", None, "There is no file"),
    ("syntax", "x = (\n", "model.py:1: "),
    ("a name that is not there", "import math\nmath.nothing\n", "model.py:2: AttributeError"),
    ("no model", "x = 1\n", "has no Model called 'model' (found: none)"),
    ("two models", COINS + "other = coins\n", "(found: coins, other)"),
    ("a bad model", COINS.replace("latent=[z]", "latent=[y]").replace("x, z", "x, y, z").replace('["x"', '["x", "y"'),
     "model.py:8: "),
)  # fmt: skip


@pytest.mark.parametrize(("text", "words"), [row[1:] for row in MISTAKES], ids=[row[0] for row in MISTAKES])
def test_a_bad_file_is_named(
    text: str | None, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "model.py"
    if text is not None:
        path.write_text(text)
    assert main(["derive", str(path)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("symem: error: ")
    assert words in told.err
    assert "Traceback" not in told.err


TABLES = (
    ("a word", "x\n5\nmany\n", "column x, row 1 (counted from 0): 'many' is not a number"),
    ("another column", "y\n5\n", "has the columns y, but the model's data are"),
    ("a ragged row", "x\n5,6\n", "line 2: 2 cells, but the header has 1"),
    ("no rows", "x\n", "no rows below its header"),
    ("a slice too many", "x[1]\n5\n", "x has 1 indices, so its columns are headed x."),
    ("half a head", "x\n5\n4.5\n", "x[1] = 4.5"),
)


@pytest.mark.parametrize(("table", "words"), [row[1:] for row in TABLES], ids=[row[0] for row in TABLES])
def test_a_bad_table_is_named(
    table: str, words: str, coins: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (coins / "bad.csv").write_text(table)
    start = ["--start", "w=0.5,0.5", "th=0.6,0.5"]
    assert main(["fit", str(coins / "coins.py"), str(coins / "bad.csv"), "--set", "N=10", *start]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--start", "w"], "'w' is not of the form"),
        (["--start", "w=a,b"], "w: 'a' is not a number"),
        (["--start", "w=1,2;3"], "differ in length"),
        (["--start", "w=0.5,0.5", "th=0.6,1.5"], "th"),
        (["--start", "w=0.9,0.5", "th=0.6,0.5"], "w"),
        (["--size", "K=0"], "K"),
    ],
)
def test_a_bad_option_is_named(
    arguments: list[str], words: str, coins: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fit", str(coins / "coins.py"), str(coins / "tosses.csv"), "--set", "N=10", *arguments]) == 2
    told = capsys.readouterr()
    assert words in told.err
    assert "Traceback" not in told.err


def test_existing_files_are_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.py"
    path.write_text("mine\n")
    assert main(["emit", FAITHFUL, "-o", str(path)]) == 2
    assert path.read_text() == "mine\n"
    assert "--force" in capsys.readouterr().err
    assert main(["emit", FAITHFUL, "-o", str(path), "--force"]) == 0
    assert path.read_text() != "mine\n"


def test_data_are_drawn_by_parameters_or_by_a_fit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    theta = ["--theta", "w=0.4,0.6", "mu=55,80", "sigma=6,5"]
    assert (
        main(["sample", FAITHFUL, *theta, "--size", "n=40", "--seed", "1", "-o", str(tmp_path / "x.csv")])
        == 0
    )
    rows = np.loadtxt(tmp_path / "x.csv", skiprows=1)
    assert rows.shape == (40,)
    assert main(["sample", FAITHFUL, *theta, "--size", "n=40", "--seed", "1", "--latents"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "x,z"
    assert [float(line.split(",")[0]) for line in shown[1:]] == rows.tolist()
    assert main(["sample", FAITHFUL, *theta]) == 2
    assert "Nothing shows n: give --size n=…" in capsys.readouterr().err


# tables and files ----------------------------------------------------------------------------------------


def test_slices_are_put_in_order(tmp_path: Path) -> None:
    path = tmp_path / "y.csv"
    path.write_text("y[2],id,y[1]\n2,7,1\n4,8,3\n")
    data = read_table(path, load_model(str(ROOT / "examples" / "random_effects.py"))).arrays
    np.testing.assert_array_equal(data["y"], [[1, 2], [3, 4]])
    assert list(data) == ["y"]


def test_shorter_columns_end_in_empty_cells(tmp_path: Path, coins: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("x,other\n5,1\n9,2\n,3\nNA,4\n")
    data = read_table(path, load_model(str(coins / "coins.py"))).arrays
    np.testing.assert_array_equal(data["x"], [5, 9])
    assert data["x"].dtype == np.int64


def test_a_missing_entry_in_the_middle_stays(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("t,c\n1.5,0\nNA,2\n0.5,0\n,3\n")
    data = read_table(path, load_model(str(ROOT / "examples" / "exponential_censored.py"))).arrays
    np.testing.assert_array_equal(data["t"], [1.5, np.nan, 0.5, np.nan])


def test_values_of_every_shape() -> None:
    found = read_values(["K=2", "s=0.5", "w=1,2", "A=1,2;3,4"])
    assert {"K": found["K"], "s": found["s"]} == {"K": 2, "s": 0.5}
    np.testing.assert_array_equal(found["A"], [[1, 2], [3, 4]])
    assert found["w"].tolist() == [1, 2]


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with pytest.raises(DataError, match="half a character"):
        write_whole(path, "\ud800")
    assert list(tmp_path.iterdir()) == []
    write_whole(path, "one")
    with pytest.raises(ExistingFileError, match="force=True"):
        write_whole(path, "two")
    assert path.read_text() == "one"


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is a folder"):
        write_whole(tmp_path, "text", force=True)


@pytest.fixture
def placed(tmp_path: Path) -> Path:
    """A folder with a file, links to it, to nothing, in a circle, and a pipe."""
    (tmp_path / "target.py").write_text("mine")
    for name, target in (("link", "target.py"), ("dangling", "nowhere.py"), ("round", "round")):
        (tmp_path / name).symlink_to(tmp_path / target)
    os.mkfifo(tmp_path / "pipe")
    return tmp_path


@pytest.mark.parametrize("name", ["link", "dangling", "target.py"])
def test_what_is_there_is_kept(name: str, placed: Path) -> None:
    with pytest.raises(ExistingFileError, match=name):
        write_whole(placed / name, "new")
    assert (placed / "target.py").read_text() == "mine"
    assert not (placed / "nowhere.py").exists()


@pytest.mark.parametrize("name", ["pipe", "/dev/null"])
@pytest.mark.parametrize("force", [False, True])
def test_a_device_is_never_replaced(name: str, force: bool, placed: Path) -> None:
    with pytest.raises(DataError, match="not a file"):
        write_whole(placed / name, "new", force=force)
    assert not (placed / name).is_file()


def test_a_link_stays_and_its_file_is_written(placed: Path) -> None:
    (placed / "target.py").chmod(0o640)
    for name, target in (("link", "target.py"), ("dangling", "nowhere.py")):
        write_whole(placed / name, "new", force=True)
        assert (placed / name).is_symlink()
        assert (placed / target).read_text() == "new"
    assert (placed / "target.py").stat().st_mode & 0o777 == 0o640
    for force in (False, True):
        with pytest.raises(DataError, match="leads to itself"):
            write_whole(placed / "round", "new", force=force)


@pytest.mark.parametrize("header", ["x,x", "x,id,x"])
def test_two_columns_of_one_name_are_refused(header: str, coins: Path) -> None:
    path = coins / "twice.csv"
    path.write_text(header + "\n" + ",".join("1" * len(header.split(","))) + "\n")
    with pytest.raises(DataError, match="two columns for x"):
        read_table(path, load_model(str(coins / "coins.py")))


def test_two_titles_of_one_slice_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "y.csv"
    path.write_text("y[1],y[2],y[ 2 ]\n2,7,1\n")
    with pytest.raises(DataError, match=r"two columns for y\[2\]"):
        read_table(path, load_model(str(ROOT / "examples" / "random_effects.py")))


def test_long_cells_of_other_columns_are_left_alone(coins: Path) -> None:
    path = coins / "long.csv"
    path.write_text(f"x,note\n5,{'a' * 300_000}\n")
    model = load_model(str(coins / "coins.py"))
    assert read_table(path, model).arrays["x"].tolist() == [5]
    path.write_text(f"x\n{'a' * 300_000}\n")
    with pytest.raises(DataError, match="a…' is not a number") as told:
        read_table(path, model)
    assert len(str(told.value)) < 200


@pytest.mark.parametrize("choice", [{"title": "a\ud800b"}, {"rename": {"w": "\udc80"}}, {"title": 3}])
def test_half_a_character_is_named(choice: dict[str, Any]) -> None:
    with pytest.raises(SymemError, match=next(iter(choice))):
        once(load_model(FAITHFUL)).markdown(**choice)


@pytest.mark.parametrize(
    ("encoding", "words"), [("ascii", "mu_k = Sigma_i gamma_ik x_i / N_k"), ("utf-8", "μ_k = Σ_i γ_ik")]
)
def test_a_terminal_without_greek_letters(encoding: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", out)
    assert main(["derive", FAITHFUL]) == 0
    out.flush()
    assert words in out.buffer.getvalue().decode(encoding)


def test_a_module_is_the_same_on_every_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", out)
    assert main(["emit", FAITHFUL]) == 0
    assert out.buffer.getvalue().decode("utf-8") == once(load_model(FAITHFUL)).source()


def test_an_interrupt_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("symem.commands.load_file", interrupt)
    assert main(["derive", FAITHFUL]) == 130
    assert capsys.readouterr().err.startswith("symem: error: interrupted")
