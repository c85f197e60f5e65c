"""What `help` and `repr` say of a distribution, a user's own included, and arguments by their names."""

from __future__ import annotations

import pydoc

import pytest
from sympy import exp, log

from symem import Categorical, Dirichlet, Family, ModelError, Multinomial, Normal, Positive
from symem.language.family import Distribution

Gompertz = Family(
    "Gompertz",
    {"b": Positive(), "eta": Positive()},
    lambda x, b, eta: log(b) + log(eta) + eta + b * x - eta * exp(b * x),
    lambda *_: Positive(),
)


def test_help_and_repr_of_a_row_say_its_parameters_its_support_and_its_density() -> None:
    for told in (repr(Gompertz), pydoc.render_doc(Gompertz)):
        assert "Gompertz(b, eta)" in told
        assert "Positive" in told
        assert "b*x - eta*exp(b*x) + eta + log(b) + log(eta)" in told
    assert "cannot be recognised" in pydoc.render_doc(Gompertz)
    assert "can be recognised" in pydoc.render_doc(Normal)
    assert (Family.__doc__ or "").startswith("One row")


@pytest.mark.parametrize(
    ("in_order", "by_name"),
    [
        (Normal(1, 2), Normal(std=2, mean=1)),
        (Normal(1, 2), Normal(1, std=2)),
        (Categorical(1, 2), Categorical(p=(1, 2))),
        (Multinomial(5, 1, 2), Multinomial(n=5, p=(1, 2))),
        (Dirichlet(1, 2), Dirichlet(alpha=(1, 2))),
    ],
    ids=["all", "one", "Categorical", "Multinomial", "Dirichlet"],
)
def test_arguments_go_by_name(in_order: Distribution, by_name: Distribution) -> None:
    assert by_name == in_order


@pytest.mark.parametrize(
    ("given", "named"), [((1,), {}), ((1,), {"sd": 2}), ((1, 2), {"std": 3}), ((1, 2, 3), {})]
)
def test_other_arguments_are_refused_by_the_names_of_the_parameters(
    given: tuple[int, ...], named: dict[str, int]
) -> None:
    with pytest.raises(ModelError, match=r"^Normal takes \(mean, std\), but"):
        Normal(*given, **named)
