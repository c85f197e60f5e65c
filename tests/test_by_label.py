"""What is told once for all values of a label is what was derived for each."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from sympy import Idx, IndexedBase, symbols

from symem import Bernoulli, Model, Normal
from symem.derivation import Definition, Derivation
from symem.language.leaves import name_of
from symem.report.notation.by_label import by_label
from symem.report.options import Level, Options
from symem.report.report import latex_fragment
from tests.derived import em
from tests.models import BY_NAME
from tests.test_report import run_e_step, tabulated

#: With the number of statistics and updates that are told.
TOLD = {
    "coin_do_batzoglou": (2, 1),
    "hui_walter": (4, 2),
    "gaussian_pair": (2, 3),
    "zip": (2, 2),
}


@pytest.mark.parametrize("name", TOLD)
def test_every_number_is_told(name: str) -> None:
    """Statistics, Q and updates of the label's arrays, in numbers, are those of its values."""
    derivation, run = em(name).derivation, run_e_step(BY_NAME[name])
    told = by_label(derivation)
    assert (len(told.surrogate.statistics), len(told.updates)) == TOLD[name]
    own = numbers(run.values[name_of(each.symbol)] for each in derivation.surrogate.statistics)
    for each in told.surrogate.statistics:
        run.define(each.symbol, each.axes, each.value)
    once = numbers(run.values[name_of(each.symbol)] for each in told.surrogate.statistics)
    np.testing.assert_allclose(once, own, rtol=1e-12)
    assert float(run(told.surrogate.value)) == pytest.approx(
        float(run(derivation.surrogate.value)), rel=1e-12
    )
    for each in (update.definition for update in told.updates):
        before = np.array(run.values[name_of(each.symbol)], dtype=float)
        for one in of(name_of(each.symbol), derivation):
            run.values[name_of(one.symbol)] = tabulated(run, one, one.value)
        wanted = np.array(run.values[name_of(each.symbol)], dtype=float)
        run.values[name_of(each.symbol)] = before
        np.testing.assert_allclose(tabulated(run, each, each.value), wanted, rtol=1e-9)


def numbers(arrays: Iterable[object]) -> np.ndarray:
    return np.sort(np.concatenate([np.ravel(np.asarray(each, dtype=float)) for each in arrays]))


def of(name: str, derivation: Derivation) -> list[Definition]:
    return [each.definition for each in derivation.updates if name_of(each.parameter) == name]


def test_means_and_scatters_are_told_once() -> None:
    n = symbols("n", integer=True, positive=True)
    i = Idx("i", n)
    x, z, m, s = map(IndexedBase, "xzms")
    w = symbols("w")
    found = Model({z[i]: Bernoulli(w), x[i]: Normal(m[z[i]], s[z[i]])}, latent=[z]).derive().derivation
    told = by_label(found)
    assert [str(update.parameter) for update in told.updates] == ["w", "m[k]", "s[k]"]
    assert len(told.surrogate.moments) == 1
    assert len(told.certificates) == 3
    text = latex_fragment(found, Options(level=Level.TEACHING))
    assert r"\subsection{The update of $m_{k}$ and $s_{k}$}" in text
    assert r"m_{k}^{(t+1)} &= m_{0k}" in text
    assert "_{1}^{(t+1)}" not in text


def test_a_symbolic_number_of_values_is_left() -> None:
    found = em("gmm1d_faithful").derivation
    assert by_label(found) is found
