"""What an iteration costs is counted in the program that is emitted."""

from __future__ import annotations

from functools import cache

import pytest
from sympy import Expr, Poly

from symem.codegen.program_of import program_of
from symem.codegen.running_costs import running_cost
from symem.derivation import RunningCost
from symem.report.sections.cost_section import growth
from tests.derived import em
from tests.models import DERIVED, HALF, Row, slow_but_for


@cache
def cost(name: str) -> RunningCost:
    return running_cost(program_of(em(name).derivation))


def part(name: str, wanted: str) -> Expr:
    return dict(cost(name).parts)[wanted]


def grows(name: str, wanted: str) -> set[str]:
    return set(map(str, growth(part(name, wanted))))


def test_a_mixture_takes_a_factorisation_for_each_component_not_for_each_row() -> None:
    assert grows("gmm_mv_full", "E-step") == {"K*d**2*n", "K*d**3"}
    assert grows("gmm_mv_full", "statistics") == {"K*d**2*n"}


def test_factor_analysis_takes_nothing_in_the_rows() -> None:
    """What the data are is read once; (I + W'Ψ⁻¹W)⁻¹ is m × m, Ψ is a diagonal (Bishop 2006, section 12.2.4)."""
    assert not {"n"} & {
        size.name for _, each in cost("factor_analysis_mean").parts for size in each.free_symbols
    }
    assert str(cost("factor_analysis_mean").standing) == "d + 1"
    assert grows("factor_analysis_mean", "E-step") == {"d**2*m", "d*m**2", "m**3"}


def test_entries_missing_take_a_factorisation_a_pattern() -> None:
    assert "d**3*n_patterns_x" in grows("mvn_missing", "E-step")
    assert cost("mvn_missing").standing is None


def test_a_product_of_features_and_weights_takes_two_operations_an_entry() -> None:
    """Weights, 1, x and x² of K components and n rows, and a softmax of four operations."""
    n, K = (next(s for s in part("gmm1d_faithful", "E-step").free_symbols if s.name == name) for name in "nK")
    assert part("gmm1d_faithful", "E-step").coeff(n).coeff(K) == 2 * 3 + 4
    assert part("gmm1d_faithful", "statistics").coeff(n).coeff(K) == 2 * 3


@slow_but_for(DERIVED[::8], HALF)
def test_costs_are_polynomials_in_the_sizes(row: Row) -> None:
    for _, each in cost(row.name).parts:
        sizes = sorted(each.free_symbols, key=str)
        assert each.is_positive is not False
        assert not sizes or Poly(each, *sizes).total_degree() >= 1


@pytest.mark.parametrize("level", ["brief", "paper"])
def test_a_report_tells_it_but_where_it_is_brief(level: str) -> None:
    told = em("factor_analysis_mean").markdown(level=level)
    assert ("stand for all $n$" in told) == (level == "paper")
