"""What values data may take that a likelihood says nothing of: tried in an order that its form suggests."""

from __future__ import annotations

import pytest
from sympy import Expr, Idx, IndexedBase, Sum, factorial, log, symbols

from symem import Binary, Counts, Labels, Model, Positive, Reals, Simplex, UnitInterval
from symem.language.support import Support
from symem.verification.data_supports import candidate_supports

n, K = symbols("n K", integer=True, positive=True)
i = Idx("i", n)
w, x, z, p = map(IndexedBase, ["w", "x", "z", "p"])


@pytest.mark.parametrize(
    ("row", "support", "first"),
    [
        (-((x[i] - p[z[i]]) ** 2) / 2, Reals(), Reals()),
        (x[i] * log(p[z[i]]) - p[z[i]] - log(factorial(x[i])), Positive(), Counts()),
        (x[i] * log(p[z[i]]) + (1 - x[i]) * log(1 - p[z[i]]), UnitInterval(), Binary()),
        (log(p[z[i]]) + log(x[i]) - p[z[i]] * x[i] ** 2 / 2, Positive(), Positive()),
    ],
    ids=["a square", "a factorial", "linear", "a logarithm"],
)
def test_the_likeliest_is_first_and_none_is_left_out(row: Expr, support: Support, first: Support) -> None:
    model = Model.from_likelihood(
        log_likelihood=Sum(log(w[z[i]]) + row, (i, 0, n - 1)),
        latent={z: Labels(K)},
        parameters={w: Simplex(), p: support},
    )
    found = [each["x"] for each in candidate_supports(model)]
    assert found[0] == first
    assert set(found) == {Binary(), Counts(), UnitInterval(), Positive(), Reals()}
