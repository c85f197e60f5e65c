"""The table of the M-step's laws: every row is used, says what it is, and is the one that the certificate asks."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from sympy import Expr, Idx, IndexedBase, LambertW, Symbol, exp, log, symbols

from symem import Categorical, Model, NotDerivedError, Poisson, Positive, Reals, maximise
from symem.calculus import maximisers
from symem.calculus.certify import certify
from symem.calculus.maximisers import LAWS, Law, isolate
from symem.calculus.roots import Equation
from symem.derivation import Relation, Status
from symem.derive import derive_records
from tests.derived import em

a, b, c = symbols("a b c", positive=True)
n, K = symbols("n K", integer=True, positive=True)
i, k = Idx("i", n), Idx("k", K)
x, z, w, theta = map(IndexedBase, ["x", "z", "w", "theta"])
u, v = Symbol("u", positive=True), Symbol("v", real=True)

ALONE = [
    ("two powers", a / u - b, u),
    ("two powers", a - b * v**3, v),
    ("two powers", a / u - b / (1 + u), u),
    ("three powers", a - b * u - c * u**2, u),
    ("inverse function", a - b * exp(2 * v), v),
    ("inverse function", a * log(u) - b, u),
]

TOGETHER = [
    ("normalised shares", "gmm1d_own_var", "w"),
    ("mean direction", "vonmises_mean", "mu"),
    ("covariance", "gmm_mv_full", "Sigma"),
    ("matrix equation", "factor_analysis_mean", "mu"),
    ("put in", "factor_analysis_mean", "W"),
    ("jointly linear", "errors_in_variables", "b1"),
    ("linear system", "mix_linreg", "b"),
    ("falling equation", "gamma_mixture", "a"),
]


@pytest.mark.parametrize(("law", "equation", "unknown"), ALONE, ids=str)
def test_a_root_is_found_by_its_law_and_solves_the_equation(
    law: str, equation: Expr, unknown: Symbol
) -> None:
    found = isolate(equation, unknown, Positive() if unknown.is_positive else Reals())
    assert found is not None
    assert found[0] == law
    at_root = equation.subs(unknown, found[1]).subs({a: 0.7, b: 1.9, c: 0.4})
    assert abs(float(at_root)) < 1e-12


@pytest.mark.parametrize(("law", "model", "parameter"), TOGETHER, ids=str)
def test_updates_know_their_law(law: str, model: str, parameter: str) -> None:
    laws = {
        str(getattr(each.parameter, "base", each.parameter)): each.law
        for each in em(model).derivation.updates
    }
    assert laws[parameter] == law


@pytest.mark.parametrize(
    ("model", "parameter", "eliminated"),
    [
        ("errors_in_variables", "b1", ("b0",)),
        ("gamma_mixture", "a[k]", ("b[k]",)),
        ("betabinom_latent_beta", "a", ("b",)),
        ("factor_analysis_mean", "W", ("mu",)),
        ("gmm1d_own_var", "mu[k]", ()),
    ],
)
def test_an_update_knows_what_was_eliminated_before_it(
    model: str, parameter: str, eliminated: tuple[str, ...]
) -> None:
    updates = list(em(model).derivation.updates)
    names = [str(each.parameter) for each in updates]
    place = names.index(parameter)
    assert tuple(map(str, updates[place].eliminated)) == eliminated
    assert set(eliminated) <= set(names[place + 1 :])


def test_every_row_is_tried_here() -> None:
    elsewhere = {
        "nearest point",
        "shares above zero",
        "numbers put in",
        "scales of a covariance",
    }  # test_constrained, test_closed_forms, test_joint_blocks
    assert {each[0] for each in (*ALONE, *TOGETHER)} | elsewhere == set(LAWS)


def test_a_row_says_its_form_its_sentence_its_source_and_why_a_maximum() -> None:
    assert len({row.form for row in LAWS.values()}) == len(LAWS)
    for row in LAWS.values():
        assert set(re.findall(r"\{(\w+)\}", row.sentence)) in ({"parameter"}, {"multiplier"})
        assert row.source
        assert row.maxima
        assert row.relation is Relation.AT_THE_UPDATE


def second_order(law: str) -> Any:
    """The claim on the mean of a mixture, as if that law had solved it."""
    whole = em("gmm1d_own_var").derivation
    weights, mean, variance = whole.updates
    spoilt = replace(whole, updates=(weights, replace(mean, law=law), variance))
    return next(claim for claim in certify(spoilt).certificates[1].claims if claim.name == "second order")


def test_the_certificate_asks_the_row_that_solved() -> None:
    assert second_order("two powers").status is Status.PROVED
    assert second_order("normalised shares").status is Status.CHECKED
    assert second_order("mean direction").status is Status.CHECKED


def test_a_logarithm_of_a_ratio_is_a_maximum_where_both_are_positive() -> None:
    law = Poisson(exp(theta[z[i]]))
    whole = derive_records(Model({z[i]: Categorical(w[k]), x[i]: law}, latent=[z]))
    certificate = whole.certificates[1]
    assert {claim.status for claim in certificate.claims} == {Status.PROVED}
    assert {str(each) for each in certificate.conditions} == {"N[k] > 0", "S_0[k] > 0"}


def test_a_new_law_is_a_new_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """a - b u eᵘ = 0 at u = W(a/b)."""
    objective = a * u - b * (u - 1) * exp(u)
    with pytest.raises(NotDerivedError, match="No closed form was found for u"):
        maximise(objective, {u: Positive()})
    row = Law(
        "Lambert",
        "The equation says u eᵘ = c of {parameter}.",
        "Corless et al. 1996",
        Relation.AT_THE_UPDATE,
        form="c₁ + c₂ u eᵘ = 0",
        reads=_lambert,
        root=LambertW,
        maxima=(),
    )
    monkeypatch.setattr(maximisers, "NUMBERS", (*maximisers.NUMBERS, row))
    monkeypatch.setattr(maximisers, "LAWS", {**maximisers.LAWS, row.name: row})
    assert maximise(objective, {u: Positive()}) == {u: LambertW(a / b)}


def _lambert(equation: Equation) -> list[Expr]:
    parts, product = equation.parts, equation.unknown * exp(equation.unknown)
    return [-parts[1] / parts[product]] if set(parts) == {1, product} else []
