"""Reading and taking logs apart, checked by value."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sympy import (
    Expr,
    Idx,
    IndexedBase,
    Pow,
    Product,
    Symbol,
    binomial,
    exp,
    factorial,
    gamma,
    log,
    symbols,
)

from symem.errors import NameClashError, PlateError
from symem.language.logarithm import expand_logs, log_of
from symem.language.plates import Iverson, LogIverson, index_symbol, rebind, reindex
from symem.language.ranges import Range, checked, free_indices, own_range, split_index
from symem.language.stated import as_sympy
from symem.language.symbol_names import check_keyword, check_name, names_in, stated_name

a, b, c = symbols("a b c", positive=True)
n = symbols("n", integer=True, positive=True)
i = Idx("i", n)
x = IndexedBase("x")

FACTORS = [
    a,
    b,
    a + b,
    a * b + a * c,
    exp(a - b),
    a**b,
    factorial(3) * a,
    gamma(a),
    binomial(5, 2) * c,
    2 / a,
    (a + b) ** 2,
]


@given(st.lists(st.sampled_from(FACTORS), min_size=1, max_size=4), st.integers(-2, 3))
def test_the_log_of_a_product_keeps_its_value(factors: list[Expr], power: int) -> None:
    values = {a: 0.7, b: 1.3, c: 2.1}
    whole = Pow(factors[0], power)
    for factor in factors[1:]:
        whole *= factor
    assert float(log_of(whole).subs(values)) == pytest.approx(float(log(whole).subs(values)))


def test_two_signs_cancel() -> None:
    d = symbols("d", negative=True)
    assert float(log_of(-2 * d).subs(d, -3)) == pytest.approx(float(log(6)))


def test_logs_of_products_over_plates() -> None:
    assert expand_logs(log(Product(a * exp(-b * x[i]), i))).has(log) is True
    assert expand_logs(log(Product(exp(x[i]), i))).function == x[i]


@pytest.mark.parametrize("name", ["x", "x_1", "alpha"])
def test_good_names(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize("name", ["lambda", "1x", "x y", "_x", "__init__", "é", "x;y", "", "None"])
def test_bad_names(name: str) -> None:
    with pytest.raises(NameClashError):
        check_name(name)


@pytest.mark.parametrize("name", ["start", "tol", "max_iter", "n_init", "seed", "callback", "verbose"])
def test_options_of_fit(name: str) -> None:
    with pytest.raises(NameClashError):
        check_keyword(name)


def test_names() -> None:
    assert stated_name(x[i]) == stated_name(x) == "x"
    assert names_in(a * x[i] + b) == {"a", "b", "x"}


def test_ranges() -> None:
    assert own_range(i) == Range(0, n - 1)
    assert own_range(i).size == n
    assert split_index(i + 2, {i: own_range(i)}) == (i, 2)
    assert split_index(2 * i, {i: own_range(i)}) is None
    assert free_indices(x[i] * a) == (i,)
    with pytest.raises(PlateError):
        checked(i, Range(symbols("m"), symbols("m") - 1))


def test_reindexing_captures_nothing() -> None:
    r, s = index_symbol("r"), index_symbol("s")
    total: Any = Product(x[r] * x[s], (s, 0, n - 1))
    assert reindex(total, {r: s}) == Product(x[s] * x[index_symbol("s_2")], (index_symbol("s_2"), 0, n - 1))
    assert rebind(a, {a}) == a


def test_brackets() -> None:
    assert Iverson(a > 0) == 1
    assert Iverson(Symbol("t") > 0).diff(Symbol("t")) == 0
    assert LogIverson(a < 0).is_infinite


@pytest.mark.parametrize("stated", ["a", None, object(), int, [1]])
def test_text_and_objects_are_not_read(stated: Any) -> None:
    assert as_sympy(stated) is None
