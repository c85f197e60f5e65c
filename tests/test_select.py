"""Fits of every size side by side: the criterion decides among those that converged, what fails is named in its row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sympy import Idx, IndexedBase, symbols

from symem import EM, Categorical, DataError, Model, Normal, select
from symem.__main__ import main
from symem.candidates import Selection
from symem.files import read_sizes
from tests.derived import once

pytestmark = pytest.mark.usefixtures("derived_once")
n, K = symbols("n K", integer=True, positive=True)
i, k = Idx("i", n), Idx("k", K)
x, z, w, mu, sigma = map(IndexedBase, ["x", "z", "w", "mu", "sigma"])
ROWS = np.concatenate([np.random.default_rng(0).normal(c, 0.6, 60) for c in (-4, 0, 4)])
FILE = """
from sympy import Idx, IndexedBase, symbols
from symem import Categorical, Model, Normal
n, K = symbols("n K", integer=True, positive=True)
i, k = Idx("i", n), Idx("k", K)
x, z, w, mu, sigma = map(IndexedBase, ["x", "z", "w", "mu", "sigma"])
model = Model({z[i]: Categorical(w[k]), x[i]: Normal(mu[z[i]], sigma[z[i]])}, latent=[z])
"""


@pytest.fixture(scope="module")
def mixture() -> EM:
    return once(Model({z[i]: Categorical(w[k]), x[i]: Normal(mu[z[i]], sigma[z[i]])}, latent=[z]))


@pytest.fixture(scope="module")
def found(mixture: EM) -> Selection:
    return select(mixture, {"x": ROWS}, K=range(1, 5), n_init=2)


def test_three_clumps_are_three_components(found: Selection) -> None:
    assert found.chosen.sizes == {"K": 3}
    assert found.best.n_parameters == 8
    assert [each.sizes["K"] for each in found.table] == [1, 2, 3, 4]
    bics = [each.fit.bic for each in found.table if each.fit is not None and each.fit.converged]
    assert found.best.bic == min(bics)


def test_one_component_is_the_normal_law(found: Selection) -> None:
    one = found.table[0].fit
    assert one is not None
    value = -len(ROWS) / 2 * (np.log(2 * np.pi * ROWS.var()) + 1)
    assert one.log_likelihood == pytest.approx(value)
    assert one.bic == pytest.approx(2 * np.log(len(ROWS)) - 2 * value)


def test_the_table_is_read(found: Selection) -> None:
    header, *lines, verdict = str(found).splitlines()
    assert header.split() == ["K", "log-likelihood", "parameters", "AIC", "BIC", "ended"]
    assert lines[2].startswith("* 3 ")
    assert f"{found.best.bic:.2f}" in lines[2]
    assert verdict == "best: K = 3, by BIC, of which less is better"


def test_what_fails_or_collapses_is_named_and_never_best(mixture: EM) -> None:
    tried = select(mixture, {"x": [1.0, 2.0]}, K=[1, 2], n_init=1)
    assert tried.chosen.sizes == {"K": 1}
    assert "sigma" in tried.table[1].ended
    failed = select(mixture, {"x": ["a", 2.0]}, K=1)
    assert failed.table[0].fit is None
    assert "failed: x" in str(failed)
    with pytest.raises(DataError, match="No fit converged"):
        _ = failed.best


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "no size to try"),
        ({"K": []}, "no size to try"),
        ({"J": [1]}, "J is no size"),
        ({"K": 1, "criterion": "c"}, "criterion"),
    ],
)
def test_what_cannot_be_tried_is_refused(mixture: EM, options: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        select(mixture, {"x": ROWS}, **options)


def test_ranges_are_read() -> None:
    assert read_sizes(["K=2..4", "m=3"]) == {"K": range(2, 5), "m": range(3, 4)}
    for wrong in ("K", "K=4..2", "K=a", "K=1...3"):
        with pytest.raises(DataError, match=r"K=1\.\.7"):
            read_sizes([wrong])


def test_from_the_shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Select, fit, save, and predict other rows."""
    model, table, fit = (str(tmp_path / name) for name in ("model.py", "rows.csv", "fit.json"))
    Path(model).write_text(FILE)
    Path(table).write_text("\n".join(["x", *map(str, ROWS)]))
    assert main(["select", model, table, "--size", "K=2..3", "--n-init", "1", "--seed", "0", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["best"] == {"K": 3}
    assert [row["n_parameters"] for row in told["table"]] == [5, 8]
    assert main(["fit", model, table, "--size", "K=3", "--seed", "0", "--output", fit, "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == json.loads(Path(fit).read_text())
    assert "iteration" not in err
    (tmp_path / "new.csv").write_text("x\n-4\n4\n-4.1\n")
    assert main(["predict", model, str(tmp_path / "new.csv"), "--parameters", fit]) == 0
    header, *rows = [line.split(",") for line in capsys.readouterr().out.splitlines()]
    assert header == ["z", "log_likelihood"]
    assert rows[0][0] == rows[2][0] != rows[1][0]
    theta = json.loads(out)["parameters"]
    scaled = (np.array([-4, 4, -4.1])[:, None] - theta["mu"]) / theta["sigma"]
    density = (theta["w"] * np.exp(-(scaled**2) / 2) / np.array(theta["sigma"])).sum(axis=1) / np.sqrt(
        2 * np.pi
    )
    np.testing.assert_allclose([float(row[1]) for row in rows], np.log(density))
    assert main(["derive", model, "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["updates"]) == {"w", "mu", "sigma"}
