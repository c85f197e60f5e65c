"""∂/∂a[m, l] of functions of sums, against SymPy's derivative by one entry of the expression written out."""

from __future__ import annotations

import numpy as np
import pytest
from sympy import Expr, Float, IndexedBase, Integer, N, Sum, exp, log, symbols

from symem.calculus.differentiate import Unknown, derivative, equation
from symem.calculus.separate import separate
from symem.language.plates import Axis, index_symbol

K, J = symbols("K J", integer=True, positive=True)
a, s = IndexedBase("a", positive=True), IndexedBase("s", positive=True)
k, j, h, p, row, column = map(index_symbol, ["k", "j", "h", "p", "m", "m_2"])
ROWS, COLUMNS = (k, 0, K - 1), (j, 0, J - 1)
SIZES = {K: 2, J: 3}


@pytest.mark.parametrize(
    "value",
    [
        Sum(s[k] * log(Sum(a[k, j], COLUMNS)), ROWS),
        Sum(s[j] * log(Sum(a[k, j], ROWS)), COLUMNS),
        Sum(s[k] * log(1 + exp(Sum(s[j] * a[k, j], COLUMNS))), ROWS),
        Sum(a[k, p] * log(Sum(a[k, j] * a[h, j], COLUMNS)), ROWS, (h, 0, K - 1), (p, 0, J - 1)),
        log(Sum(s[k] * log(Sum(a[k, j], COLUMNS)), ROWS)),
        Sum(log(Sum(log(1 + Sum(a[k, j] * s[j] + s[p], COLUMNS)), (p, 0, J - 1))), ROWS),
        Sum(s[k] * log(a[k, k]), ROWS),
    ],
    ids=str,
)
def test_a_sum_inside_a_function_keeps_its_outer_place(value: Expr) -> None:
    rng = np.random.default_rng(3)
    numbers = {a[r, c]: Float(rng.uniform(0.5, 2)) for r in range(2) for c in range(3)}
    numbers |= {s[c]: Float(rng.uniform(0.5, 2)) for c in range(3)}
    unknown = Unknown(a[row, column], (Axis(row, K), Axis(column, J)))
    found = equation(derivative(separate(value), unknown)).xreplace(SIZES)
    whole = value.xreplace(SIZES).doit()
    for place in ((0, 0), (1, 1), (1, 2), (0, 1)):
        here = found.xreplace(dict(zip((row, column), map(Integer, place), strict=True))).doit()
        assert abs(N((here - whole.diff(a[place])).xreplace(numbers))) < 1e-12
