"""Errors and warnings name what to give as it is written where they are read: `K=…` in Python, `--size K=…` in a shell."""

from __future__ import annotations

import ast
import copy
import json
import pickle
import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symem
from symem import select
from symem.__main__ import main
from symem.em import EM
from symem.flags import spelt
from symem.runtime.wording import _Option, _Words
from tests.derived import em

ROOT = Path(__file__).parents[1]
FAITHFUL = str(ROOT / "examples" / "old_faithful.py")
ROWS = np.array([50.0, 51.0, 55.0, 80.0, 82.0, 85.0])
THETA = {"w": [0.5, 0.5], "mu": [50.0, 80.0], "sigma": [5.0, 5.0]}
NAMED = [f"{name}={','.join(map(str, value))}" for name, value in THETA.items()]

#: A call in Python, the command that does the same, and how each door names what to give.
DOORS: dict[str, tuple[Callable[[EM, Path], Any], list[str], str, str]] = {
    "a size": (
        lambda em, _: em.fit(x=ROWS),
        ["fit", FAITHFUL, "rows.csv"],
        "The data do not show K: give K=….",
        "The data do not show K: give --size K=….",
    ),
    "a wrong size": (
        lambda em, _: em.fit(x=ROWS, K=0),
        ["fit", FAITHFUL, "rows.csv", "--size", "K=0"],
        "K=0, but it must be a whole number",
        "--size K=0, but it must be a whole number",
    ),
    "a size that the start contradicts": (
        lambda em, _: em.fit(x=ROWS, K=3, start=THETA),
        ["fit", FAITHFUL, "rows.csv", "--size", "K=3", "--start", *NAMED],
        "K= says that K is 3",
        "--size K says that K is 3",
    ),
    "another size": (
        lambda em, _: em.fit(x=ROWS, J=2),
        ["fit", FAITHFUL, "rows.csv", "--size", "J=2"],
        "'J' is not an array of this model: it takes x, ",
        "'J' is not an array of this model: it takes x, ",
    ),
    "a parameter that lacks": (
        lambda em, _: em.fit(x=ROWS, start={"w": [0.5, 0.5], "mu": [1.0, 2.0]}),
        ["fit", FAITHFUL, "rows.csv", "--start", *NAMED[:2]],
        "The parameter sigma is missing: the model has w, mu, sigma.",
        "The parameter sigma is missing: the model has w, mu, sigma.",
    ),
    "a setting": (
        lambda em, _: em.fit(x=ROWS, K=2, n_init=0),
        ["fit", FAITHFUL, "rows.csv", "--size", "K=2", "--n-init", "0"],
        "n_init=0, but it must be",
        "--n-init 0, but it must be",
    ),
    "no number": (
        lambda em, _: em.fit(x=ROWS, K=2, tol=np.nan),
        ["fit", FAITHFUL, "rows.csv", "--size", "K=2", "--tol", "nan"],
        "tol=nan, but it must be a finite number, such as tol=1e-10;",
        "--tol nan, but it must be a finite number, such as --tol 1e-10;",
    ),
    "iterations": (
        lambda em, _: em.fit(x=ROWS, K=2, seed=0, max_iter=0),
        ["fit", FAITHFUL, "rows.csv", "--size", "K=2", "--seed", "0", "--max-iter", "0"],
        "raise max_iter=, loosen tol=, or jump ahead by accelerate=auto.",
        "raise --max-iter, loosen --tol, or jump ahead by --accelerate auto.",
    ),
    "a file": (
        lambda em, folder: em.fit(x=ROWS, start=THETA).save(folder / "rows.csv"),
        ["fit", FAITHFUL, "rows.csv", "--start", *NAMED, "--output", "rows.csv"],
        "or force=True to replace it",
        "or --force to replace it",
    ),
    "how many to draw": (
        lambda em, _: em.sample(THETA),
        ["sample", FAITHFUL, "--theta", *NAMED],
        "Nothing shows n: give n=….",
        "Nothing shows n: give --size n=….",
    ),
    "what to select": (
        lambda em, _: select(em, {"x": ROWS}),
        ["select", FAITHFUL, "rows.csv"],
        "such as K=range(1, 8).",
        "such as --size K=1..7.",
    ),
}


def _told(call: Callable[[], Any]) -> str:
    """What a call raises or warns of."""
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        try:
            call()
        except (ValueError, OSError) as error:
            return str(error)
    return "\n".join(str(each.message) for each in given)


@pytest.mark.parametrize("case", DOORS)
def test_each_door_speaks_its_language(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rows.csv").write_text("\n".join(["x", *map(str, ROWS)]))
    model = em("gmm1d_faithful")
    monkeypatch.setattr("symem.commands.derived", lambda *_, **__: model)
    call, command, python, shell = DOORS[case]
    assert python in _told(lambda: call(model, tmp_path))
    assert main(command) > 0
    assert shell in capsys.readouterr().err


#: Where a message may name options as Python does, or a shell: what has one door only, and statements of models.
ONE_DOOR = {"arguments", "estimator", "explicit", "files", "option_values"}
IN_PYTHON = re.compile(r"\b(start|tol|max_iter|n_init|seed|force|budget|verify|theta|criterion|data|sizes)=")
IN_A_SHELL = re.compile(r"--[a-z]+")


def _messages() -> Iterator[tuple[str, str]]:
    """Every text that is raised or warned of, with the module that says it."""
    for path in sorted((ROOT / "symem").rglob("*.py")):
        if path.stem in ONE_DOOR or "language" in path.parts:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            is_warning = isinstance(node, ast.Call) and "warn" in ast.unparse(node.func)
            if isinstance(node, ast.Raise) or is_warning:
                texts = (each for each in ast.walk(node) if isinstance(each, ast.Constant))
                yield from ((path.stem, each.value) for each in texts if isinstance(each.value, str))


def test_no_message_spells_an_option_for_one_door() -> None:
    found = list(_messages())
    assert len(found) > 300
    both = {"saving"}  # names fit.save and symem fit --output, for either reader
    assert [each for each in found if IN_PYTHON.search(each[1])] == []
    assert [each for each in found if IN_A_SHELL.search(each[1]) and each[0] not in both] == []


def test_words_keep_their_parts() -> None:
    words = _Words("Block 1: ", _Words("give ", _Option("K", of="size"), "."))
    assert words == "Block 1: give K=…."
    for each in (words, str(symem.DataError(words)), copy.copy(words), pickle.loads(pickle.dumps(words))):
        assert spelt(each) == "Block 1: give --size K=…."
    assert spelt("plain words") == "plain words"
    assert str(_Option("budget", "60", function="derive")) == "derive(budget=60)"


@pytest.mark.parametrize("command", ["emit", "report", "emit -", "report -"])
def test_commands_that_write_say_in_json_what(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("symem.commands.derived", lambda *_, **__: em("gmm1d_faithful"))
    name, *shown = command.split()
    path = str(tmp_path / ("a.py" if name == "emit" else "a.md"))
    checked = ["--no-verify"] if name == "emit" else []
    target = ["-o", "-"] if shown and name == "report" else [] if shown else ["-o", path]
    assert main([name, FAITHFUL, *target, *checked, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == (["source"] if shown else ["wrote"])
    assert shown or found == {"wrote": [path]}
