"""How far a fit has come: lines that become rare, one line on a terminal, nothing unless it is asked for."""

from __future__ import annotations

import io
import re
import sys
from typing import Any

import numpy as np
import pytest

from tests.derived import solver

ROWS = np.concatenate([np.random.default_rng(0).normal(m, 1, 40) for m in (0, 2)])


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def told(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, **options: Any) -> tuple[str, Any]:
    monkeypatch.setattr(sys, "stderr", stream)
    fit = solver("gmm1d_faithful").fit(x=ROWS, K=2, seed=0, **options)
    return stream.getvalue(), fit


def test_nothing_is_told_unless_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(monkeypatch, io.StringIO())[0] == ""


def test_elsewhere_lines_become_rare_and_the_last_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    text, fit = told(monkeypatch, io.StringIO(), verbose=True)
    lines = text.splitlines()
    numbers = [int(re.findall(r"iteration (\d+)", line)[0]) for line in lines]
    assert numbers[:11] == list(range(11))
    assert numbers[-1] == fit.n_iter > 30
    assert all(len(str(number).rstrip("0")) <= 1 for number in numbers[:-1])
    assert lines[5].startswith(f"iteration 5: {fit.history[5]:.10g}, ")
    assert lines[-1].endswith(" left")


def test_each_restart_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    text, _ = told(monkeypatch, io.StringIO(), verbose=True, n_init=2)
    starts = [line.partition(",")[0] for line in text.splitlines() if "iteration 0:" in line]
    assert starts == ["restart 1 of 2", "restart 2 of 2"]


def test_on_a_terminal_one_line_is_written_over(monkeypatch: pytest.MonkeyPatch) -> None:
    text, fit = told(monkeypatch, Terminal(), verbose=True)
    assert text.count("\n") == 1
    assert text.endswith("\n")
    last = text.rstrip("\n").split("\r")[-1]
    assert last.startswith(f"iteration {fit.n_iter}: {fit.history[-1]:.10g}")
