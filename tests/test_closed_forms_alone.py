"""`derive(numeric=False)`: closed forms alone, and what says that a number could be had."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from sympy import Idx, IndexedBase, cos, exp, symbols

from symem import EM, Bernoulli, Categorical, Gamma, Model, Normal
from symem.__main__ import main
from symem.errors import NotDerivedError

n, K = symbols("n K", integer=True, positive=True)
i, k = Idx("i", n), Idx("k", K)
x, y, z, t, w, a, b, s = map(IndexedBase, ["x", "y", "z", "t", "w", "a", "b", "s"])
SHAPES = Model({z[i]: Categorical(w[k]), x[i]: Gamma(a[z[i]], s[z[i]])}, latent=[z])
LOGISTIC = Model(
    {z[i]: Categorical(w[k]), y[i]: Bernoulli(1 / (1 + exp(-a[z[i]] - b[z[i]] * t[i])))},
    latent=[z],
    known=[t],
)
NORMAL = Model({z[i]: Categorical(w[k]), x[i]: Normal(a[z[i]], s[z[i]])}, latent=[z])


def derived_names(em: EM) -> list[str]:
    return [str(update.parameter) for update in em.derivation.updates]


@pytest.mark.parametrize(
    ("model", "missing", "way"),
    [
        (SHAPES, {"a[k]", "s[k]"}, "numeric=True finds the root as a number"),
        (LOGISTIC, {"a[k]", "b[k]"}, "numeric=True climbs to the maximum by Newton's method"),
    ],
    ids=["root", "climb"],
)
def test_what_has_no_closed_form_is_not_derived(model: Model, missing: set[str], way: str) -> None:
    em = model.derive(numeric=False)
    (block,) = em.derivation.not_derived
    assert {str(each) for each in block.parameters} == missing
    assert block.reason.startswith("No closed form was found for ")
    assert block.reason.endswith(f"; {way}.")
    assert derived_names(em) == ["w[k]"]
    with pytest.raises(NotDerivedError, match="numeric=True"):
        em.fit(K=2)
    assert pickle.loads(pickle.dumps(em)).derivation.not_derived == em.derivation.not_derived
    assert set(derived_names(model.derive())) == {"w[k]"} | missing


def test_closed_forms_are_the_same() -> None:
    assert str(NORMAL.derive(numeric=False)) == str(NORMAL.derive())


def test_what_no_number_solves_is_not_told_to_have_one() -> None:
    """An angle of a wave: Q goes up and down in it."""
    mean = cos(a[z[i]] * t[i])
    model = Model({z[i]: Categorical(w[k]), x[i]: Normal(mean, s[z[i]])}, latent=[z], known=[t])
    reasons = [
        [block.reason for block in model.derive(numeric=way).derivation.not_derived] for way in (True, False)
    ]
    assert reasons[0]
    assert reasons[0] == reasons[1]


FILE = """
from sympy import Idx, IndexedBase, symbols
from symem import Categorical, Gamma, Model

n, K = symbols("n K", integer=True, positive=True)
i, k = Idx("i", n), Idx("k", K)
x, z, w, a, s = map(IndexedBase, ["x", "z", "w", "a", "s"])
model = Model({z[i]: Categorical(w[k]), x[i]: Gamma(a[z[i]], s[z[i]])}, latent=[z])
"""


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], derived_once: None) -> None:
    path = tmp_path / "shapes.py"
    path.write_text(FILE, encoding="utf-8")
    assert main(["derive", str(path), "--no-numeric"]) == 1
    assert "ψ(a_k); numeric=True finds the root as a number\n" in capsys.readouterr().out
    assert main(["report", str(path), "--no-numeric", "-o", "-", "--form", "markdown"]) == 1
    assert "But numeric=True finds the root as a number." in capsys.readouterr().out
    assert main(["derive", str(path)]) == 0
