"""Reports of models of vectors and matrices: every form, level and notation; numbers, costs and diagrams."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest

from symem.derivation import Derivation
from symem.language.model import Role
from symem.report import report
from symem.report.document import Display, Section
from symem.report.figures.plate_graph import graph
from symem.report.notation.digits import as_matrix, in_numbers
from symem.report.options import Level, Notation, Options
from symem.report.outline import tell
from tests.derived import em
from tests.models import Row, factors, vectors
from tests.told import worked

FORMS: tuple[Callable[..., str], ...] = (report.latex, report.html, report.markdown, report.notebook)
#: A mixture, a latent vector, missing entries, random slopes, one update after the other.
FEW = ("gmm_mv_full", "factor_analysis_mean", "mvn_missing", "lmm_random_slope", "multivariate_regression")
over_few = pytest.mark.parametrize("name", FEW)
over = pytest.mark.parametrize("row", [*vectors.ROWS, *factors.ROWS], ids=lambda row: row.name)
#: Every form, the level being the one that says most; every level and every notation, in one form.
EVERY_FORM = tuple((form, Options(level=Level.TEACHING)) for form in FORMS)
OTHER_WAYS: tuple[tuple[Callable[..., str], Options], ...] = (
    *((report.latex, Options(level=level)) for level in (Level.BRIEF, Level.PAPER)),
    *((report.latex, Options(level=Level.TEACHING, notation=notation)) for notation in list(Notation)[1:]),
)


def lines(sections: tuple[Section, ...], anchor: str) -> list[str]:
    """The formulas on display in a section."""
    (section,) = [each for each in sections if each.anchor == anchor]
    displays = [block for block in section.blocks if isinstance(block, Display)]
    return [line for display in displays for equation in display.equations for line in equation]


# every form ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "ways"), [*((name, EVERY_FORM) for name in FEW), ("lmm_random_slope", OTHER_WAYS)]
)
def test_every_form_level_and_notation(
    name: str, ways: tuple[tuple[Callable[..., str], Options], ...]
) -> None:
    """Nothing of SymPy's own shows through: no unprinted node, no bare name of a class."""
    for form, options in ways:
        told = re.sub(
            r"<(script|style).*?</\1>", "", form(em(name).derivation.informed, options), flags=re.DOTALL
        )
        assert not re.search(r"MatrixEntry|BlockInverse|\bElement\(|\bTr\(|_a\b\]", told), (form, options)


@over_few
def test_numbers_in_every_form(name: str) -> None:
    """Each model in two forms, one after the other, so that every form is met by several."""
    options, place = Options(worked=worked(name)), FEW.index(name)
    for form in (FORMS[place % 4], FORMS[(place + 1) % 4]):
        told = form(em(name).derivation.informed, options)
        assert "One iteration in numbers" in told
        assert "dtype" not in told


# letters ------------------------------------------------------------------------------------------------


def test_each_book_has_its_letters_beside_bold_ones() -> None:
    def shown(notation: Notation) -> str:
        return report.latex_fragment(em("gmm_mv_full").derivation.informed, Options(notation=notation))

    assert r"\mathbf{m}_{k} &= \frac{1}{N_{k}} \sum_{i=1}^{n} \gamma_{ik} \mathbf{x}_{i}" in shown(
        Notation.SYMEM
    )
    assert r"\boldsymbol{\Sigma}_{k}^{\mathrm{new}}" in shown(Notation.BISHOP)
    assert r"N_{k} &= \sum_{n=1}^{N} \gamma(z_{nk})" in shown(Notation.BISHOP)
    mean = r"\mathbf{t}_{2i}^{(k)} &= \frac{1}{T_{1i}^{(k)}} \sum_{j=1}^{n} \tau_{ij}^{(k)} \mathbf{x}_{j}"
    assert mean in shown(Notation.MCLACHLAN)
    assert r"\boldsymbol{\Sigma}_{k}^{(p+1)}" in shown(Notation.DEMPSTER)


def test_psi_all_together_is_not_the_psi_of_factor_analysis() -> None:
    told = report.latex_fragment(
        em("factor_analysis_mean").derivation.informed, Options(notation=Notation.MCLACHLAN)
    )
    assert r"\Theta^{(k)}" in told
    assert r"\Psi^{(k)}" not in told
    assert r"\psi_{k}" not in told  # k counts iterations there


def test_a_renamed_matrix_stays_bold_and_its_diagonal_follows() -> None:
    derivation = em("factor_analysis_mean").derivation
    told = report.latex_fragment(derivation, Options(rename={"W": "Lambda", "psi": "phi"}))
    assert r"\boldsymbol{\Lambda} \mathbf{z}_{i}, \boldsymbol{\Phi}" in told
    assert r"\mathbf{W}" not in told


def test_a_standard_normal_vector_has_zero_and_identity() -> None:
    told = report.latex_fragment(em("factor_analysis_mean").derivation.informed)
    assert r"\mathbf{z}_{i} &\sim \mathcal{N}(\mathbf{0}, \mathbf{I})" in told


def test_before_the_e_step_a_vector_partly_seen_is_whole() -> None:
    told = report.latex_fragment(em("mvn_missing").derivation.informed)
    model, e_step = told.split(r"\section{The E-step}")
    assert r"\mathbf{x}_{i} &\sim \mathcal{N}" in model
    assert r"\log p(\mathbf{x} \mid \theta)" in model
    assert r"\mathbf{x}_{i}^{o} + \hat{\mathbf{V}}_{i}" in e_step


# the algorithm ------------------------------------------------------------------------------------------


def test_the_box_has_second_moments() -> None:
    told = report.latex_fragment(em("factor_analysis_mean").derivation.informed)
    box = told[told.index(r"\textbf{Algorithm.}") :]
    assert r"\left\langle \mathbf{z}_{i} \mathbf{z}_{i}^{\mathsf{T}} \right\rangle &= \hat{\mathbf{V}}" in box


# diagrams -----------------------------------------------------------------------------------------------


def node_kinds(derivation: Derivation) -> dict[str, str]:
    return {name: node.kind.value for node in graph(derivation).nodes for name in node.names}


def test_a_vector_with_missing_entries_is_one_node_half_shaded() -> None:
    assert node_kinds(em("mvn_missing").derivation) == {
        "x": "partly observed", "mu": "parameter", "Sigma": "parameter"
    }  # fmt: skip


def test_what_runs_along_a_vector_has_no_plate() -> None:
    found = graph(em("factor_analysis_mean").derivation)
    assert {str(plate.size) for plate in found.plates} == {"n"}


@over
def test_every_random_variable_is_drawn(row: Row) -> None:
    derivation = em(row.name).derivation
    drawn = node_kinds(derivation)
    hidden = {v.name for v in derivation.model.latents if v.seen is not None}
    random = {v.name for v in derivation.model.variables.values() if v.role in (Role.DATA, Role.LATENT)}
    assert random - hidden <= set(drawn)


# numbers ------------------------------------------------------------------------------------------------


def test_matrices_in_numbers() -> None:
    assert in_numbers(np.eye(2)) == r"\begin{pmatrix} 1 & 0 \cr 0 & 1 \end{pmatrix}"
    assert in_numbers(np.arange(6.0).reshape(6, 1)) == r"(0, 1, \dots, 5)^{\mathsf{T}}"
    shown = in_numbers(np.arange(36.0).reshape(6, 6))
    assert shown.count(r"\cr") == 3
    assert r"\ddots" in shown
    assert in_numbers([[2.5]]) == "2.500"
    assert as_matrix(np.ones((3, 2)), (1,)).shape == (2, 1)


def test_the_step_in_numbers_is_the_step() -> None:
    found = worked("gmm_mv_full")
    told = lines(tell(em("gmm_mv_full").derivation, Options(worked=found)), "numbers")
    (line,) = [each for each in told if each.startswith(r"\boldsymbol{\mu}_{1}^{(1)}")]
    assert line.endswith(rf"\approx {in_numbers(as_matrix(found.new['mu'], (0,)))}")


def test_missing_entries_are_called_missing() -> None:
    told = report.markdown(em("mvn_missing").derivation, Options(worked=worked("mvn_missing")))
    table = told[told.index("row by row") :]
    assert "| missing |" in table


def test_what_is_held_in_a_conditional_update_has_its_old_value() -> None:
    """The common mean is found with the covariances of the start, these with the new mean (ECM)."""
    told = lines(
        tell(em("common_mean_vector").derivation, Options(worked=worked("common_mean_vector"))), "numbers"
    )
    (mean,) = [each for each in told if each.startswith(r"\boldsymbol{\mu}^{(1)} &=")]
    assert r"\boldsymbol{\Sigma}_{k}^{(0)\,-1}" in mean
    (first,) = [each for each in told if each.startswith(r"\boldsymbol{\Sigma}_{1}^{(1)} &=")]
    assert r"\boldsymbol{\mu}^{(1)}" in first
    assert r"^{(0)}" not in first


def test_the_box_tells_conditional_updates_in_order() -> None:
    derivation = em("common_mean_vector").derivation
    told = report.latex_fragment(derivation)
    box = told[told.index(r"\textbf{Algorithm.}") : told.index(r"\section{Certificates}")]
    assert "Set, in this order," in box
    assert box.index(r"\boldsymbol{\Sigma}_{k}^{(t)\,-1}") < box.rindex(r"\boldsymbol{\Sigma}_{k}^{(t+1)} &=")
    assert "conditional maximisation, ECM" in told
