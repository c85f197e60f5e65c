"""Notation: whose letters a report is in, and that a reader's names are read before they are set."""

from __future__ import annotations

import re

import pytest

from symem.errors import NotationError
from symem.report.notation.letters import Label
from symem.report.notation.renaming import renamed
from symem.report.options import Notation, Options
from symem.report.report import latex_fragment
from symem.report.writer import Voice
from tests.derived import em
from tests.models import FEW, MODELS, Row
from tests.told import SCHOOL

#: Every row in one school's letters.
IN_ITS_SCHOOL = pytest.mark.parametrize(
    "row",
    [pytest.param(row, marks=[] if row in FEW else [pytest.mark.slow], id=row.name) for row in MODELS],
)


def told(name: str, notation: Notation, **rename: str) -> str:
    return latex_fragment(em(name).derivation.informed, Options(notation=notation, rename=rename))


def test_bishops_letters() -> None:
    """PRML (9.23) to (9.27)."""
    text = told("gmm1d_faithful", Notation.BISHOP)
    assert r"N_{k} &= \sum_{n=1}^{N} \gamma(z_{nk})" in text
    assert r"\mu_{k}^{\mathrm{new}} &= m_{k}" in text
    assert r"m_{k} &= \frac{\sum_{n=1}^{N} \gamma(z_{nk}) x_{n}}{N_{k}}" in text
    assert r"\pi_{k}^{\mathrm{new}} &= \frac{N_{k}}{N}" in text
    assert r"Q(\theta, \theta^{\mathrm{old}})" in text


def test_mclachlans_letters() -> None:
    """McLachlan & Krishnan, section 2.7: components i, observations j, T_i1 for the sums, Ψ and (k)."""
    text = told("gmm1d_faithful", Notation.MCLACHLAN)
    assert r"T_{1i}^{(k)} &= \sum_{j=1}^{n} \tau_{ij}^{(k)}" in text
    assert r"\pi_{i}^{(k+1)} &= \frac{T_{1i}^{(k)}}{n}" in text
    assert r"Q(\Psi; \Psi^{(k)})" in text
    assert r"\sum_{i=1}^{g}" in text


def test_dempsters_letters() -> None:
    text = told("gmm1d_faithful", Notation.DEMPSTER)
    assert r"t_{1k}^{(p)} &= \sum_{i=1}^{n} w_{ik}^{(p)}" in text
    assert r"Q(\phi \mid \phi^{(p)})" in text


def test_a_letter_that_is_taken_is_left() -> None:
    """The two coins toss N times, so that n stays the number of runs."""
    text = told("coin_mixing_weight", Notation.BISHOP)
    assert r"\sum_{i=1}^{n}" in text
    assert "N_{i}" in text


@IN_ITS_SCHOOL
def test_no_two_names_print_alike(row: Row) -> None:
    voice = Voice(em(row.name).derivation, Options(notation=SCHOOL[row.name]))
    sizes = {size.name for size in voice.model.sizes}
    printed: dict[Label, str] = {}
    for name in (*voice.model.variables, *(n for n in voice.free.ranks if n not in voice.model.variables)):
        label = voice.free.label(name)
        if name not in sizes and name not in voice.free.means:
            assert printed.setdefault(label, name) == name, (label, name, printed[label])


@pytest.mark.parametrize(
    ("new", "head"),
    [
        (r"\boldsymbol\mu", r"\boldsymbol{\mu}"),
        (r"\mathbf{m}", r"\mathbf{m}"),
        (r"\hat{\theta}_{0}", r"{\hat{\theta}_{0}}"),
        (r"\sigma^2", r"{\sigma^{2}}"),
        ("μ", r"\mu"),
        (r"\mu x", r"\mu x"),
        (r"x^{\ast}", r"{x^{\ast}}"),
    ],
)
def test_a_name_in_tex_is_set_as_it_was_read(new: str, head: str) -> None:
    assert renamed("m", new) == Label(head)


HOSTILE = (
    r"\input{/etc/passwd}", r"\write18{rm -rf /}", r"\def\x{y}", r"\mu$", "$$", r"\mu}", r"{\mu", r"\begin{verbatim}",
    r"\mathrm{a}\par", "a\nb", r"\hat", "x^", r"\mu_1_2", r"\href{javascript:alert(1)}{x}", "<script>", "a&b", "100%",
    "#1", "~", r"\\", r"\mathrm{\input{x}}", "", " ", "x" * 200, r"\csname input\endcsname", "^^5cinput", r"\%",
    r"\htmlClass{a}{b}", r"\url{x}", "{}", "a;b", '"', "`", r"\left(", r"\text{x}", r"\u0024",
)  # fmt: skip


@pytest.mark.parametrize("new", HOSTILE)
def test_a_hostile_name_is_refused_by_name(new: str) -> None:
    with pytest.raises(NotationError, match="'mu'"):
        told("gmm1d_faithful", Notation.SYMEM, mu=new)


def test_a_renamed_symbol_prints_so_everywhere() -> None:
    text = told("gmm1d_faithful", Notation.SYMEM, mu=r"\boldsymbol\mu", sigma="tau")
    assert r"\boldsymbol{\mu}_{k}^{(t+1)} &= m_{k}" in text
    assert not re.search(r"(?<!\{)\\mu_", text)
    assert r"\tau_{k}" in text
    assert r"\sigma" not in text


def test_two_names_may_not_be_made_alike() -> None:
    with pytest.raises(NotationError, match="'sigma'"):
        told("gmm1d_faithful", Notation.SYMEM, mu="sigma")


def test_a_reader_goes_before_a_pack() -> None:
    assert r"\omega_{k}^{\mathrm{new}}" in told("gmm1d_faithful", Notation.BISHOP, w=r"\omega")
