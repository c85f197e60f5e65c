"""Reports: what is printed equals what was derived, a plain TeX sets it, and it does not change unnoticed.

Golden files are in `tests/golden`; `pytest --update-golden` writes them anew.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sympy import Expr, Sum

from symem.derivation import Definition
from symem.language.leaves import name_of
from symem.report import report
from symem.report.notation.books import PACKS, counting_apart
from symem.report.notation.lexicon import Lexicon
from symem.report.notation.printed_form import over_common_denominators, printed, written_out
from symem.report.options import Notation
from tests.averaging import Averaging
from tests.derived import em
from tests.evaluate import Evaluator, situation, thinned
from tests.models import DERIVED, FEW, HALF, MODELS, Row, in_turn, over_all_at_once, slow_but_for
from tests.told import fragment, fragment_in_its_school

GOLDEN = Path(__file__).parent / "golden"
#: One of each kind: mixture, MAP by product form, simplex of scalars, random effects, censoring, two plates, matrices.
TOLD = (
    "gmm1d_faithful",
    "peppered_moths",
    "random_effects_dyestuff",
    "exp_right_censored",
    "ibm_model1",
    "student_t_known_nu",
    "gmm_mv_full",
    "factor_analysis_mean",
)
by_name = pytest.mark.parametrize("name", TOLD)
over = pytest.mark.parametrize("row", MODELS, ids=lambda row: row.name)
over_few = slow_but_for(FEW, HALF)


# golden ----------------------------------------------------------------------------------------------


@by_name
@pytest.mark.parametrize("kind", ["latex_fragment", "markdown", "text"])
def test_golden(name: str, kind: str, request: pytest.FixtureRequest) -> None:
    suffix = {"latex_fragment": "tex", "markdown": "md", "text": "txt"}[kind]
    path = GOLDEN / f"{name}.{suffix}"
    told = getattr(report, kind)(em(name).derivation.informed)
    if request.config.getoption("--update-golden"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(told, encoding="utf-8")
    assert told == path.read_text(encoding="utf-8")


# what is printed is what was derived --------------------------------------------------------------------


def run_e_step(row: Row) -> Evaluator:
    """An evaluator that knows data, start, posterior and statistics."""
    derivation = em(row.name).derivation
    finite = {
        name: np.where(np.isinf(value), np.sign(value) * 300.0, value)
        for name, value in thinned(derivation.model, row.data, 12).items()
    }
    values = situation(derivation.model, finite, row.theta(row.file["start"]), derivation.extents)
    run = Averaging(values, derivation=derivation)
    for definition in (*derivation.definitions, *derivation.surrogate.statistics):
        run.define(definition.symbol, definition.axes, definition.value)
    return run


def tabulated(run: Evaluator, definition: Definition, value: Expr) -> Any:
    """The array that the definition names, computed from another value; the name keeps its own."""
    name = name_of(definition.symbol)
    before = run.values.get(name)
    run.define(definition.symbol, definition.axes, value)
    found = np.asarray(run.values[name], dtype=float)
    if before is not None:
        run.values[name] = before
    return found


@pytest.mark.slow
@pytest.mark.parametrize("row", in_turn(DERIVED, 1), ids=lambda row: row.name)
def test_rewriting_for_the_reader_keeps_every_value(row: Row) -> None:
    """Squares, collected logs, merged sums, common denominators: none may change a number."""
    derivation, run = em(row.name).derivation, run_e_step(row)
    for definition in derivation.arrays:
        own = tabulated(run, definition, definition.value)
        told = tabulated(run, definition, printed(over_common_denominators(definition.value)))
        scale = np.max(np.abs(own[np.isfinite(own)]), initial=1.0)
        np.testing.assert_allclose(told, own, rtol=1e-9, atol=1e-9 * scale, equal_nan=True)
    for expr in (derivation.log_likelihood, derivation.surrogate.value, derivation.model.log_prior):
        assert float(run(printed(expr))) == pytest.approx(float(run(expr)), rel=1e-9, nan_ok=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    "row", in_turn([row for row in DERIVED if not row.climbed], 2), ids=lambda row: row.name
)
def test_updates_written_out_keep_their_values(row: Row) -> None:
    """Each update as the report writes it, one after the other, equals the derived one."""
    derivation, run = em(row.name).derivation, run_e_step(row)
    for update in derivation.updates:
        own = tabulated(run, update.definition, update.value)
        told = tabulated(run, update.definition, written_out(update, derivation))
        np.testing.assert_allclose(told, own, rtol=1e-8, atol=1e-9)
        run.values[name_of(update.parameter)] = own if own.ndim else float(own)


@over_few
def test_every_update_and_every_open_block_is_told(row: Row) -> None:
    derivation, told = em(row.name).derivation, fragment(row.name)
    counter = counting_apart(PACKS[Notation.SYMEM], derivation.model).counter
    assert told.count(f"({counter}+1)") >= len(derivation.updates)
    assert told.count(r"\subsection{Not derived: ") == len(derivation.not_derived)


@over
def test_no_index_is_bound_twice(row: Row) -> None:
    """In no sum do two indices print as the same letter."""
    derivation = em(row.name).derivation
    lexicon = Lexicon.of(derivation)
    for expr in (
        derivation.log_likelihood,
        derivation.surrogate.value,
        *(u.nested for u in derivation.updates),
    ):
        for sum_ in expr.atoms(Sum):
            bound = [limit[0] for each in (sum_, *sum_.function.atoms(Sum)) for limit in each.limits]
            letters = {lexicon.label(index.name) for index in bound}
            assert len(letters) == len(set(bound))


# TeX -------------------------------------------------------------------------------------------------


def raw(told: str) -> list[str]:
    """Names of the records, such as mu[k] or gamma_z, that are not set as formulas, and nodes left unprinted."""
    bare = told.replace(r"\left[", "").replace(r"\right]", "")
    return re.findall(r"[a-z]\w*\[[a-z]|gamma_z|MatrixEntry|BlockInverse|\bElement\(|\bTr\(|_a\b\]", bare)


@over_few
def test_nothing_raw_of_sympy_is_told(row: Row) -> None:
    assert raw(fragment(row.name)) == []


@over_few
def test_markup_is_balanced(row: Row) -> None:
    told = fragment(row.name)
    assert told.count("{") - told.count(r"\{") == told.count("}") - told.count(r"\}")
    assert told.count(r"\left") - told.count(r"\left\langle") == told.count(r"\right") - told.count(
        r"\right\rangle"
    )
    assert told.count(r"\Bigl") == told.count(r"\Bigr")
    assert told.count("$") % 2 == 0
    assert not re.search(r"_(?!\{)|\^(?![{])", re.sub(r"\\_", "", told))


FRAME = r"""\documentclass[11pt,a4paper]{article}
\usepackage{amsmath,amssymb}
\usepackage[margin=26mm]{geometry}
\setlength{\emergencystretch}{3em}
\allowdisplaybreaks
\begin{document}
%s
\end{document}
"""


NEEDS_TEX = pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no pdflatex here")


@pytest.fixture(scope="module")
def log_of_all(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What TeX says of all models in one document."""
    parts = [
        f"\\typeout{{MODEL {row.name}}}\n{fragment_in_its_school(row.name)}\n\\clearpage" for row in MODELS
    ]
    return _typeset(tmp_path_factory.mktemp("tex"), FRAME % "\n".join(parts))


@pytest.mark.slow
@NEEDS_TEX
@over_all_at_once
def test_a_plain_tex_sets_every_report(log_of_all: str, rows: tuple[Row, ...]) -> None:
    assert {row.name for row in rows if raw(fragment_in_its_school(row.name))} == set()
    assert log_of_all.count("MODEL ") >= len(rows)


@pytest.mark.slow
@NEEDS_TEX
@over_all_at_once
def test_no_formula_runs_off_the_page_by_more_than_a_hair(log_of_all: str, rows: tuple[Row, ...]) -> None:
    _start, *told = log_of_all.split("MODEL ")
    wide = {
        text.split(maxsplit=1)[0]: max(map(float, points))
        for text in told
        if (points := re.findall(r"Overfull \\hbox \(([\d.]+)pt too wide\)", text))
    }
    assert {name: points for name, points in wide.items() if points >= 20} == {}


@pytest.mark.slow
@NEEDS_TEX
def test_the_whole_document_compiles(tmp_path: Path) -> None:
    assert "Overfull" not in _typeset(tmp_path, report.latex(em("gmm1d_faithful").derivation.informed))


def _typeset(folder: Path, document: str) -> str:
    (folder / "report.tex").write_text(document, encoding="utf-8")
    command = ["pdflatex", "-no-shell-escape", "-halt-on-error", "-interaction=nonstopmode", "report.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


# notebooks -------------------------------------------------------------------------------------------


def test_formulas_for_a_notebook() -> None:
    told = report.formulas(em("gmm1d_faithful").derivation)
    assert told.startswith("$$\\begin{aligned}\n")
    assert told.endswith("\n\\end{aligned}$$")
    assert r"\mu_{k}^{(t+1)} &= m_{k}" in told
    assert r"&= \frac{\sum_{i=1}^{n} \gamma_{ik} x_{i}}{N_{k}}" in told
