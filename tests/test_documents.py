"""What may be asked of a report, in Python and on the command line; and a gallery."""

from __future__ import annotations

import json
import re
import runpy
import shutil
import subprocess
from functools import partial
from itertools import cycle
from pathlib import Path

import pytest

from symem.__main__ import main
from symem.errors import DataError, SymemError, UndeclaredSymbolError
from symem.files import load_file
from tests.derived import em
from tests.test_media import HOSTILE, TEX, outline

pytestmark = pytest.mark.usefixtures("derived_once")
EXAMPLES = Path(__file__).parents[1] / "examples"
COINS = str(EXAMPLES / "two_coins.py")
FORMS = ("html", "latex", "markdown", "notebook")
#: A table, an open total, a prior, effects, three plates, matrices with labels, without, and with missing entries.
ONE_OF_EACH = (
    "two_coins", "peppered_moths", "singh_map", "random_effects", "dawid_skene", "mixture_of_factor_analysers",
    "evidence_regression", "missing_normal",
)  # fmt: skip
every_form = pytest.mark.parametrize("form", FORMS)


# in Python -------------------------------------------------------------------------------------------


@every_form
def test_a_report_is_the_same_every_time(form: str) -> None:
    found = em("gmm1d_faithful")
    assert getattr(found, form)() == getattr(found, form)()


@every_form
def test_what_there_is_not_is_refused(form: str) -> None:
    told = getattr(em("gmm1d_faithful"), form)
    with pytest.raises(DataError, match="'brief', 'paper', 'teaching', not 'long'"):
        told(level="long")
    with pytest.raises(DataError, match="'bishop'"):
        told(notation="knuth")
    with pytest.raises(UndeclaredSymbolError, match=r"'nu' cannot be renamed: the model has .*sigma"):
        told(rename={"nu": "x"})
    with pytest.raises(TypeError, match="not colour"):
        told(colour="red")


@every_form
def test_who_when_and_whence_are_told_if_they_are_given(form: str) -> None:
    told = getattr(em("gmm1d_faithful"), form)
    head = {"author": "A. Lecturer", "date": "May 2026", "reference": "Pearson 1894, page 84"}
    assert all(words in told(level=level, **head) for words in head.values() for level in ("brief", "paper"))
    assert "A. Lecturer, May 2026" in told(level="brief", **head)
    assert not any(words in told(level="brief") for words in head.values())
    with pytest.raises(DataError, match="date is a text, not 2026"):
        told(date=2026)


@pytest.mark.parametrize("form", FORMS[:3])
def test_the_module_is_listed_if_that_is_asked(form: str) -> None:
    told = getattr(em("gmm1d_faithful"), form)
    assert "def" in told(level="brief", listing=True)
    assert len(told(level="brief", listing=True)) > len(told(level="brief")) + 10_000
    assert "symem emit" in told(level="brief")
    assert "symem emit" not in told(level="brief", listing=True)


@pytest.mark.parametrize(("words", "form"), list(zip(HOSTILE, cycle(FORMS))), ids=range(len(HOSTILE)))
def test_hostile_names_are_shown_or_refused(words: str, form: str) -> None:
    """A symbol called so is refused by name, or its report holds no element and no command of its own.

    Each text in one form; how every form escapes every text: see test_media.
    """
    told = partial(getattr(em("gmm1d_faithful"), form), level="brief")
    try:
        text = told(rename={"mu": words}, title=words)
    except SymemError:
        text = told(title=words)
    if form == "html":
        assert all(link.startswith("#") for link in outline(text).links)
        assert outline(text).elements.count("script") == 1
    if form == "latex":
        assert not any(command in text for command in (r"\input{", r"\write18", r"\immediate"))
    if form == "notebook":
        cells = [json.loads(each)["cells"] for each in (text, told(title="x"))]
        assert [c["source"] for c in cells[0] if c["cell_type"] == "code"] == [
            c["source"] for c in cells[1] if c["cell_type"] == "code"
        ]


@pytest.mark.slow
@TEX
@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_tex_sets_an_example(name: str, tmp_path: Path) -> None:
    """With the numbers worked and the module in it, as a reader gets it."""
    said = typeset(name, tmp_path, "--listing")
    assert "Undefined control sequence" not in said


def typeset(name: str, folder: Path, *options: str) -> str:
    """What TeX says of the report of an example."""
    path = folder / "report.tex"
    assert main(["report", str(EXAMPLES / f"{name}.py"), "-o", str(path), *options]) in {0, 1}
    command = ["pdflatex", "-no-shell-escape", "-halt-on-error", "-interaction=nonstopmode", path.name]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    return done.stdout


#: Reports to hand out, with the most pages that they may have; no line of them leaves its page.
PAGES = [
    ("two_coins", "paper", 9),
    *((name, "brief", 1) for name in ("two_coins", "peppered_moths", "old_faithful", "factor_analysis")),
]


@pytest.mark.slow
@TEX
@pytest.mark.parametrize(
    ("name", "level", "most"), PAGES, ids=[f"{name}-{level}" for name, level, _ in PAGES]
)
def test_a_report_is_short_enough_to_hand_out(name: str, level: str, most: int, tmp_path: Path) -> None:
    said = typeset(name, tmp_path, "--level", level)
    (count,) = re.findall(r"Output written on report\.pdf \((\d+) page", said)
    assert int(count) <= most
    assert "Overfull" not in said


# on the command line -----------------------------------------------------------------------------------

SIGNS = {"html": "<!DOCTYPE html>", "latex": r"\documentclass", "markdown": "# Two coins", "notebook": "{"}


@every_form
def test_report_writes_each_form(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "coins.out"
    assert main(["report", COINS, "--form", form, "-o", str(path)]) == 0
    assert path.read_text(encoding="utf-8").startswith(SIGNS[form])
    assert capsys.readouterr().err == f"symem: wrote {path}\n"


@pytest.mark.parametrize(
    ("name", "form"), [("a.tex", "latex"), ("a.md", "markdown"), ("a.ipynb", "notebook"), ("a", "html")]
)
def test_the_name_says_the_form(name: str, form: str, tmp_path: Path) -> None:
    assert main(["report", COINS, "-o", str(tmp_path / name)]) == 0
    assert (tmp_path / name).read_text(encoding="utf-8").startswith(SIGNS[form])


def test_report_is_named_after_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["report", COINS]) == 0
    assert main(["report", COINS]) == 2
    assert main(["report", COINS, "--force"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["two_coins.html"]


def test_report_goes_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", COINS, "--form", "markdown", "-o", "-"]) == 0
    assert capsys.readouterr().out.startswith("# Two coins")


def test_open_shows_what_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr("webbrowser.open", shown.append)
    path = tmp_path / "coins.html"
    assert main(["report", COINS, "-o", str(path), "--open"]) == 0
    assert shown == [path.as_uri()]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--rename", "q=x"], "'q' cannot be renamed"),
        (["--rename", "q"], "--rename takes NAME=NEW"),
        (["--start", "th=0.5"], "th"),
        (["--start", "th"], "name=value"),
        (["nothing.csv"], "nothing.csv"),
    ],
)
def test_report_answers_mistakes(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "coins.html"
    assert main(["report", "-o", str(path), COINS, *arguments]) == 2
    assert words in capsys.readouterr().err
    assert not path.exists()


def test_a_statement_is_what_the_model_depends_on() -> None:
    """No data, no start; and it runs by itself."""
    statement = load_file(str(EXAMPLES / "old_faithful.py")).statement
    assert statement is not None
    assert "loadtxt" not in statement
    assert statement.splitlines()[-1] == "print(model)"
    exec(compile(statement, "statement", "exec"), {})


# the gallery -----------------------------------------------------------------------------------------

HOSTILE_FILE = '''"""</script><script>alert(1)</script> $\\\\input{/etc/passwd}$"""
from sympy import Idx, IndexedBase, symbols
from symem import Exponential, Model
n = symbols("n", integer=True, positive=True)
i = Idx("i", n)
x, rate = IndexedBase("x"), symbols("rate")
model = Model({x[i]: Exponential(rate)}, missing=[x])
data = {"x": [1.0, 2.0, float("nan")]}
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    for name in ("two_coins", "free_energy"):
        shutil.copy(EXAMPLES / f"{name}.py", tmp_path / "models")
    (tmp_path / "models" / "javascript:alert(1).py").write_text(HOSTILE_FILE)
    (tmp_path / "models" / "no_model.py").write_text("x = 1\n")
    return tmp_path


def test_a_gallery(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = folder / "out"
    assert main(["gallery", str(folder / "models"), "-o", str(out)]) == 0
    assert "left out no_model.py" in capsys.readouterr().err
    names = sorted(str(path.relative_to(out)) for path in out.rglob("*.*"))
    assert names == [
        "assets/symem.css",
        "assets/symem.js",
        "free_energy.html",
        "free_energy.py",
        "index.html",
        "javascript:alert(1).html",
        "javascript:alert(1).py",
        "javascript:alert(1)_em.py",
        "two_coins.html",
        "two_coins.py",
        "two_coins_em.py",
    ]
    told = (out / "index.html").read_text(encoding="utf-8")
    links = [link for link in outline(told).links if not link.startswith("#")]
    assert all(link.startswith(("./", "assets/")) for link in links)
    assert "log-likelihood" in told
    assert callable(runpy.run_path(str(out / "two_coins_em.py"))["fit"])


def test_a_gallery_is_the_same_every_time(folder: Path) -> None:
    """Nothing of the time or the place of the build is in it."""

    def built(name: str) -> dict[str, bytes]:
        out = folder / name
        assert main(["gallery", str(folder / "models"), "-o", str(out)]) == 0
        return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*.*")}

    first = built("a")
    assert first == built("b")
    assert not any(str(folder).encode() in text for text in first.values())


def test_a_gallery_replaces_nothing_unasked(folder: Path) -> None:
    out = folder / "out"
    out.mkdir()
    (out / "index.html").write_text("mine")
    assert main(["gallery", str(folder / "models"), "-o", str(out)]) == 2
    assert [path.name for path in out.iterdir()] == ["index.html"]
    assert (out / "index.html").read_text() == "mine"


@pytest.mark.parametrize("directory", ["nowhere", "."])
def test_a_gallery_of_nothing(directory: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["gallery", directory, "-o", "out"]) == 2
    assert not (tmp_path / "out").exists()


def test_a_table_beside_the_file_is_fitted(tmp_path: Path) -> None:
    text = (EXAMPLES / "two_coins_tosses.py").read_text()
    start = text.index("data = {")
    (tmp_path / "tosses.py").write_text(text[:start] + 'start = {"w": [0.5, 0.5], "th": [0.6, 0.4]}\n')
    (tmp_path / "tosses.csv").write_text("x,N\n9,12\n3,10\n14,18\n2,9\n")
    assert main(["gallery", str(tmp_path), "-o", str(tmp_path / "out")]) == 0
    assert "log-likelihood" in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
