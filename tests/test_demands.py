"""Supports from where symbols stand: what all places demand, solved for the symbol."""

from __future__ import annotations

import pytest
from sympy import Eq, Idx, IndexedBase, Integer, Rational, Symbol, oo, symbols

from symem import (
    Bernoulli,
    Cases,
    Exponential,
    Interval,
    Model,
    Multinomial,
    Normal,
    Poisson,
    Positive,
    SupportError,
    UnitInterval,
)

n = Symbol("n", integer=True, positive=True)
i = Idx("i", n)
x, z = IndexedBase("x"), IndexedBase("z")
a, q, theta = symbols("a q theta")


def support_of(name: str, one: object, other: object) -> object:
    model = Model({z[i]: Bernoulli(q), x[i]: Cases(z[i], {0: one, 1: other})}, latent=[z])
    return model.variable(name).support


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [
        (Poisson(a), Poisson(2 * a - 1), Interval(Rational(1, 2), oo)),
        (Exponential(3 - a), Exponential(a), Interval(0, 3)),
        (Normal(0, 2 * a), Normal(0, 1 - a), UnitInterval()),
        (Exponential(3 * a), Exponential(a), Positive()),
        (Normal(0, -a), Normal(0, 4 + a), Interval(-4, 0)),
        (Normal(a, 1), Exponential(a + 2), Interval(-2, oo)),
    ],
)
def test_all_places_of_a_symbol_are_intersected(one: object, other: object, wanted: object) -> None:
    assert support_of("a", one, other) == wanted


def test_places_that_exclude_each_other_are_refused() -> None:
    with pytest.raises(SupportError, match="No value of a fits all the places"):
        support_of("a", Exponential(a), Exponential(-a - 1))


def cells() -> Model:
    x1, x2, x3, seen, total = symbols("x1 x2 x3 seen total")
    law = Multinomial(total, theta / 6, 1 - theta / 4, theta / 12)
    return Model({(x1, x2, x3): law}, latent=[x1, x2], known=[total], given=[Eq(x1 + x2, seen)])


def test_a_share_of_several_cells_ranges_as_far_as_all_cells_allow() -> None:
    """ℓ = 50 log(1 - θ/12) + 10 log θ is largest at θ/12 = 10/60."""
    model = cells()
    assert model.variable("theta").support == Interval(Integer(0), Integer(4))
    algorithm = model.derive()
    assert {c.status.value for each in algorithm.certificates for c in each.claims} == {"proved"}
    for start in (0.5, 1.5, 3.9):
        fit = algorithm.fit(total=60, seen=50, x3=10, start={"theta": start}, tol=1e-14)
        assert fit.parameters.theta == pytest.approx(2.0, abs=1e-5)
