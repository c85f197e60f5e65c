"""Complete and missing information as formulas: published values, the module's differences, and mutants of each formula."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sympy import Expr, Idx, IndexedBase, Integer, Rational, symbols

from symem import Categorical, Model, Normal, NotDerivedError, Poisson, UndeclaredSymbolError
from symem.derivation import InformationBlock
from symem.evaluation.situation import situation
from symem.language.plates import Iverson
from symem.language.traces import Element, Tr
from symem.verification.formulas import Formulas
from symem.verification.ground import Ground
from symem.verification.information_formulas import along
from symem.verification.ladder import climb
from symem.verification.oracle import Oracle
from symem.verification.sizes import hidden_sizes
from symem.verification.verifying import prepare
from tests.derived import em
from tests.models import BY_NAME, DERIVED, Row, in_turn, slow_but_for

n, K = symbols("n K", integer=True, positive=True)
t, k = Idx("t", n), Idx("k", K)
r, s = symbols("r s")
x, z, pi, A, mu = map(IndexedBase, ["x", "z", "pi", "A", "mu"])

#: Labels, counts of one total, a Gamma latent, a Normal one over groups, labels with latents inside, values between ends, matrices.
VARIED = {
    "gmm_mv_full", "mvn_missing_murray", "gmm1d_faithful", "peppered_moths", "negbin_gamma_poisson", "random_intercept_ids", "lca_missing_items", "exp_interval_censored",
}  # fmt: skip


def at_the_estimate(name: str) -> dict[Any, Any]:
    """What stands for the data and the parameters of a model of scalars."""
    row = BY_NAME[name]
    given = {**row.data, **row.theta(row.file["fixed_point"])}
    own = em(name).model.variables
    return {em(name).model.declared(own[each].symbol): value for each, value in given.items()}


def test_the_linkage_of_rao() -> None:
    """377.5 = 435.3 - 57.8, of which 13.28 % is missing (Dempster, Laird & Rubin 1977, section 1)."""
    algorithm, here = em("rao_linkage"), at_the_estimate("rao_linkage")
    complete, missing, observed = (
        float(algorithm.written_out(found["th", "th"]).subs(here))
        for found in (
            algorithm.complete_information,
            algorithm.missing_information,
            algorithm.observed_information,
        )
    )
    assert [complete, missing, observed] == pytest.approx([435.3, 57.8, 377.5], abs=0.05)
    assert missing / complete == pytest.approx(0.1328, abs=5e-5)
    assert str(algorithm.missing_information["th", "th"]) == "gamma_x2*y1*(1 - gamma_x2)/th**2"


def test_a_missing_value_leaves_half() -> None:
    algorithm = em("exp_missing")
    (pair,) = algorithm.missing_information
    assert algorithm.missing_information[pair] / algorithm.complete_information[pair] == Rational(1, 2)


def test_of_one_number_the_rate_is_told() -> None:
    (step,) = (each for each in em("rao_linkage").steps if each.law.name == "share missing")
    shown = em("rao_linkage").written_out(em("rao_linkage").model.declared(step.after))
    assert float(shown.subs(at_the_estimate("rao_linkage"))) == pytest.approx(0.1328, abs=5e-5)
    (step,) = (each for each in em("exp_missing").steps if each.law.name == "share missing")
    assert step.after == Rational(1, 2)


def test_a_mixture_as_it_is_written() -> None:
    """γ_ik (δ_kl - γ_il), times the scores of both (Louis 1982, section 5)."""
    algorithm = em("gmm1d_faithful")
    assert str(algorithm.missing_information["mu", "w"]) == (
        "Sum((Iverson(Eq(k, l)) - gamma_z[i, l])*(-mu[l] + x[i])*gamma_z[i, k], (i, 0, n - 1))/(sigma[l]**2*w[k])"
    )
    assert str(algorithm.complete_information["mu", "mu"]) == "Iverson(Eq(k, l))*N[k]/sigma[k]**2"
    assert algorithm.complete_information["w", "mu"] == 0


def test_places_are_those_that_are_asked_for() -> None:
    algorithm = em("gmm1d_faithful")
    own = algorithm.model.declared(algorithm.model.variables["mu"].symbol)
    found = algorithm.complete_information[own[0], own[0]]
    assert "mu" not in str(found)
    assert found.xreplace({each: Integer(1) for each in found.atoms(Iverson)}).free_symbols
    with pytest.raises(UndeclaredSymbolError, match="Two parameters"):
        algorithm.complete_information["mu"]
    with pytest.raises(UndeclaredSymbolError, match="have none"):
        algorithm.complete_information["mu", "tau"]


def test_along_a_chain_it_is_said_why_there_is_no_formula() -> None:
    algorithm = Model(
        {z[0]: Categorical(pi[k]), z[t]: Categorical(A[z[t - 1], k]), x[t]: Poisson(mu[z[t]])}, latent=[z]
    ).derive()
    assert str(algorithm.complete_information["mu", "mu"]) == "Iverson(Eq(k, l))*S_1[k]/mu[k]**2"
    with pytest.raises(NotDerivedError, match=r"several places.*fit\.information has it as a number"):
        algorithm.missing_information["mu", "mu"]
    laws = [step.law.name for step in algorithm.steps if step.stage == "information"]
    assert "missing by differences" in laws
    assert "missing information" not in laws


@pytest.mark.slow
def test_indices_of_two_parameters_have_letters_of_their_own() -> None:
    """A table and a row of it at once, where the first free letter is one of the table's."""
    law = {
        z[0]: Categorical(pi[k]),
        z[t]: Categorical(A[z[t - 1], k]),
        x[t]: Normal(mu[z[t]] + r * x[t - 1], s),
    }
    algorithm = Model(law, latent=[z]).derive()
    for block in algorithm.derivation.informed.information:
        indices = [axis.index for axis in block.complete.axes]
        assert len(set(indices)) == len(indices)
        assert block.missing is None
        assert "several places" in block.reason
    assert "V6" not in {rung.name for rung in algorithm.verify(seed=0).failed}


@pytest.mark.filterwarnings("ignore")
@slow_but_for(in_turn(DERIVED, 3), VARIED)
def test_formulas_are_what_differences_of_the_exact_score_are(row: Row) -> None:
    """Louis = Oakes = differences, in the directions in which the parameters may move."""
    algorithm, theta = em(row.name), row.theta(row.file["start"])
    found = algorithm.solver().information(theta, **row.data)
    if not np.all(np.isfinite(found.observed)):
        return
    derivation = algorithm.derivation
    sizes = hidden_sizes(derivation.model, row.data, theta, {})
    arrays = situation(derivation.model, row.data, {**sizes, **theta})
    here = Formulas(derivation, arrays, Oracle(derivation.model, arrays)).at(theta)
    rng = np.random.default_rng(1)
    for _ in range(3):
        way = found.basis @ rng.normal(size=found.basis.shape[1])
        length = way @ found.complete @ way
        way = way / np.sqrt(abs(length)) if length != 0 else way
        told = along(derivation, here.with_statistics, found.parameters, way)
        for mine, true in zip(told, (found.complete, found.missing), strict=True):
            assert mine is None or mine == pytest.approx(way @ true @ way, abs=1e-6)


# mutants --------------------------------------------------------------------------------------------------


def _ground(name: str) -> Ground:
    row = BY_NAME[name]
    return prepare(em(name), row.data, theta=row.theta(row.file["start"]), points=1)[0]


def _spoilt(value: Expr) -> list[Expr]:
    """Another sign, twice as much, the covariance of independent places for that of one, another share."""
    listed = [-value, 2 * value]
    if not value.has(Tr, Element):  # of which another reading of the same form is no mutant
        brackets = {each: Integer(1) for each in value.atoms(Iverson)}
        listed += [value.xreplace(brackets), value.xreplace({Integer(1): Integer(2)})]
    return [each for each in listed if each != value]


def _with(block: InformationBlock, field: str, value: Expr) -> InformationBlock:
    changed: dict[str, Any] = {field: replace(getattr(block, field), value=value)}
    return replace(block, **changed)


@pytest.mark.parametrize(
    "name",
    [
        *("gmm1d_faithful", "rao_linkage", "peppered_moths", "negbin_gamma_poisson"),
        *(pytest.param(each, marks=pytest.mark.slow) for each in ("gmm_mv_full", "factor_analysis_vector")),
    ],
)
def test_every_formula_of_the_information_counts(name: str) -> None:
    ground = _ground(name)
    (right,) = climb(ground, "V6")
    assert right.passed, right
    blocks = ground.derivation.informed.information
    for place, block in enumerate(blocks):
        for field in ("complete", "missing"):
            for value in _spoilt(getattr(block, field).value):
                spoilt = (*blocks[:place], _with(block, field, value), *blocks[place + 1 :])
                derivation = replace(ground.derivation, information=spoilt, inform=None)
                (rung,) = climb(replace(ground, derivation=derivation), "V6")
                assert rung.passed is False, (block.parameters, field, value)
                assert field in rung.detail
