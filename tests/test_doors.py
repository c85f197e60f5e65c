"""Nothing that fails leaves by any door: a wrong module is not used, wrong formulas are neither written nor shown."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from symem import DataError, VerificationError
from symem.__main__ import main
from symem.derivation import NotDerived
from symem.em import EM
from symem.verification import first_look, verify
from tests.derived import em
from tests.models import BY_NAME

NAME = "gmm1d_own_var"
EXAMPLE = Path(__file__).parents[1] / "examples" / "two_coins.py"


def with_module(text: str, instead: str) -> EM:
    """The derivation of that row with its module broken in one place."""
    broken = EM(em(NAME).derivation)
    source = em(NAME).source()
    assert text in source
    broken.__dict__["_source"] = source.replace(text, instead)
    return broken


def with_formulas() -> EM:
    """The derivation of that row with one update twice as large: the module is emitted from it, and agrees with it."""
    derivation = em(NAME).derivation
    first, *others = derivation.updates
    definition = replace(first.definition, value=2 * first.definition.value)
    return EM(replace(derivation, updates=(replace(first, definition=definition), *others)))


@pytest.mark.parametrize(
    ("text", "instead", "says"),
    [
        ("w=s.N / s.n", "w=s.N / (s.n + 1)", "w of"),
        ("return Posterior(gamma_z.T)", "return Posterior(gamma_z.T**2)", "posterior of gamma_z"),
        ("return _added(a, b)._replace(m=m,", "return _added(a, b)._replace(n=a.n, m=m,", "merged halves"),
        ("w=s.N / s.n", "w=s.N / total", "raises NameError"),
    ],
)
def test_a_module_that_is_not_what_was_derived_is_not_used(text: str, instead: str, says: str) -> None:
    broken = with_module(text, instead)
    data = {"y": BY_NAME[NAME].data["y"], "K": 2}
    for door in (lambda: broken.fit(**data), broken.solver, broken.source):
        with pytest.raises(VerificationError, match=rf"(?s)not what was derived.*V0  FAILED.*{says}"):
            door()


def test_it_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh, asked = EM(em(NAME).derivation), []

    def counted(*arguments: Any) -> Any:
        asked.append(arguments)
        return first_look(*arguments)

    monkeypatch.setattr("symem.verification.first_look", counted)
    for _ in range(2):
        fresh.solver()
        fresh.source()
    kept = pickle.loads(pickle.dumps(fresh))
    kept.solver()
    assert len(asked) == 1
    assert "derivation" not in kept.__dict__


def test_a_look_that_takes_too_long_stops_no_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = with_module("w=s.N / s.n", "w=s.N / (s.n + 1)")
    monkeypatch.setattr("symem.verification.module_check.SECONDS", -1.0)
    rung = first_look(broken.derivation, broken.solver(verify=False))
    assert rung.passed is None
    assert "out of reach in -1 s" in rung.detail
    assert broken.solver() is broken.solver(verify=False)


def test_data_that_cannot_be_drawn_stop_no_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_: Any) -> Any:
        raise DataError("No data could be drawn")

    monkeypatch.setattr("symem.verification.module_check.draw", nothing)
    rung = first_look(em(NAME).derivation, em(NAME).solver(verify=False))
    assert rung.passed is None
    assert "No data could be drawn" in rung.detail


@pytest.fixture
def wrong(monkeypatch: pytest.MonkeyPatch) -> EM:
    """Wrong formulas behind every command."""
    found = with_formulas()
    monkeypatch.setattr("symem.commands._derived", lambda _file: found)
    monkeypatch.setattr("symem.gallery.derive", lambda _model, **_budget: found)
    return found


def test_wrong_formulas_are_not_written(wrong: EM, tmp_path: Path) -> None:
    with pytest.raises(VerificationError, match=r"(?s)Nothing was written.*V3  FAILED"):
        wrong.write(tmp_path / "wrong.py")
    assert list(tmp_path.iterdir()) == []


def test_wrong_formulas_are_not_printed(wrong: EM, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["emit", str(EXAMPLE)]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Nothing was printed, because verification failed" in printed.err


def test_a_gallery_does_not_show_wrong_formulas(
    wrong: EM, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "two_coins.py").write_text(EXAMPLE.read_text())
    assert main(["gallery", str(tmp_path / "models"), "-o", str(tmp_path / "out")]) == 2
    assert "left out two_coins.py: its updates are not shown" in capsys.readouterr().err


def test_what_nobody_could_check_is_not_in_a_gallery_as_a_module(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("symem.em.EM.verify", lambda self: verify(self, seconds=-1.0))
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "two_coins.py").write_text(EXAMPLE.read_text())
    assert main(["gallery", str(tmp_path / "models"), "-o", str(tmp_path / "out")]) == 0
    assert "no module for two_coins.py" in capsys.readouterr().err
    assert not (tmp_path / "out" / "two_coins_em.py").exists()
    index = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "not passed: V0, V1, V2, V3, V4, V5, V6 open." in index


def test_an_update_that_is_missing_is_no_success(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The ladder holds as far as it can be climbed, and the exit status says that not all was there."""
    derivation = em(NAME).derivation
    first, *others = derivation.updates
    block = NotDerived((first.parameter,), first.parameter, first.parameter, "none was found")
    without = EM(replace(derivation, updates=tuple(others), not_derived=(block,)))
    monkeypatch.setattr("symem.commands._derived", lambda _file: without)
    assert main(["verify", "model.py"]) == 1
    told = capsys.readouterr().out
    assert "V0  open" in told
    assert told.endswith("Not passed: V0, V6 open.\n")
