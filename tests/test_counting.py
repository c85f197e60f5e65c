"""One way of counting: from 0 wherever a place can be looked up or given, from 1 in the mathematics of reports alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sympy import Idx, IndexedBase, symbols

from symem import Categorical, DataError, Model, Normal
from symem.__main__ import main
from symem.em import EM
from symem.files import load_model
from symem.machine_forms import as_csv
from symem.report.writer import COUNTED
from symem.tables import read_table
from tests.derived import em
from tests.models import BY_NAME

ROOT = Path(__file__).parents[1]
FAITHFUL = str(ROOT / "examples" / "old_faithful.py")
VALUES = np.array([50.0, 51.0, 55.0, 80.0, 82.0, 85.0])
THETA: dict[str, Any] = {"w": [0.5, 0.5], "mu": [50.0, 80.0], "sigma": [5.0, 5.0]}

n, G = symbols("n G", integer=True, positive=True)
i, g = Idx("i", n), Idx("g", G)
y, s, m = map(IndexedBase, ["y", "s", "m"])
sigma = symbols("sigma", positive=True)


@pytest.fixture(scope="module")
def groups() -> EM:
    """Groups that are given, each with a mean of its own, beside a hidden one."""
    z, w = IndexedBase("z"), IndexedBase("w")
    k = Idx("k", 2)
    stated = {z[i]: Categorical(w[k]), y[i]: Normal(m[s[i]] + z[i], sigma)}
    return Model(stated, latent=[z], known=[s]).derive()


# errors --------------------------------------------------------------------------------------------------

WRONG = np.array([50.0, np.inf, 55.0])


@pytest.mark.parametrize(
    "call",
    [
        lambda em: em.fit(x=WRONG, K=2),
        lambda em: em.solver().log_likelihood(THETA, x=WRONG),
        lambda em: em.fit(lambda: iter([{"x": WRONG}]), K=2),
    ],
    ids=["fit", "solver", "blocks"],
)
def test_an_entry_is_named_as_it_is_indexed(call: Callable[[EM], Any]) -> None:
    with pytest.raises(
        DataError, match=r"x\[1\] = inf, but every entry of x must be finite; indices count from 0\."
    ):
        call(em("gmm1d_faithful"))


def test_what_is_missing_is_told_how_to_be_left_out_or_stated() -> None:
    with pytest.raises(
        DataError, match=r"x\[1\] = nan, .* Leave the row .*, or state the model with missing=\[x\]\."
    ):
        em("gmm1d_faithful").fit(x=[50.0, np.nan, 55.0], K=2)
    with pytest.raises(
        DataError, match=r"mu\[0\] = nan, but every entry of mu must be finite; indices count from 0\.$"
    ):
        em("gmm1d_faithful").fit(x=VALUES, start={**THETA, "mu": [np.nan, 1.0]})


def test_a_parameter_is_named_as_it_is_indexed() -> None:
    with pytest.raises(DataError, match=r"sigma\[1\] = -1\.0, but .*indices count from 0"):
        em("gmm1d_faithful").fit(x=VALUES, start={**THETA, "sigma": [1.0, -1.0]})


def test_a_cell_is_in_the_row_that_the_array_has(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.csv").write_text("x\n50\nmany\n")
    (tmp_path / "b.csv").write_text("x\n50\ninf\n")
    for name, told in (("a", "column x, row 1 (counted from 0): 'many'"), ("b", "x[1] = inf")):
        assert main(["fit", FAITHFUL, str(tmp_path / f"{name}.csv"), "--size", "K=2"]) == 2
        assert told in capsys.readouterr().err


def test_blocks_and_rows_say_from_where_they_are_counted() -> None:
    solver = em("gmm1d_faithful").solver()
    with pytest.raises(DataError, match=r"Block 1 \(counted from 0\): x\[0\] = inf"):
        solver.fit(lambda: iter([{"x": VALUES}, {"x": [np.inf]}]), K=2)


# headers ---------------------------------------------------------------------------------------------------


def test_headers_that_are_written_count_from_0() -> None:
    assert as_csv({"y": np.arange(4).reshape(2, 2), "z": [5, 6]}).splitlines()[0] == "y[0],y[1],z"


@pytest.mark.parametrize("header", ["y[0],y[1]", "y[1],y[2]"])
def test_headers_that_are_read_count_from_0_or_from_1(header: str, tmp_path: Path) -> None:
    (tmp_path / "y.csv").write_text(f"{header}\n2,7\n4,8\n")
    found = read_table(tmp_path / "y.csv", load_model(str(ROOT / "examples" / "random_effects.py"))).arrays
    np.testing.assert_array_equal(found["y"], [[2, 7], [4, 8]])


@pytest.mark.parametrize(
    ("header", "lacking"), [("y[0],y[2]", r"y\[1\].*from 0"), ("y[1],y[3]", r"y\[2\].*from 1")]
)
def test_a_column_that_lacks_is_named_as_the_others_are(header: str, lacking: str, tmp_path: Path) -> None:
    (tmp_path / "y.csv").write_text(f"{header}\n2,7\n")
    with pytest.raises(DataError, match=f"lacks the column {lacking}"):
        read_table(tmp_path / "y.csv", load_model(str(ROOT / "examples" / "random_effects.py")))


# what is found -----------------------------------------------------------------------------------------------


def test_a_summary_counts_as_the_arrays_do() -> None:
    fit = em("gmm1d_faithful").fit(x=VALUES, start=THETA)
    lines = dict(line.split()[:2] for line in fit.summary().splitlines() if line.startswith("mu["))
    assert lines == {"mu[0]": f"{fit.parameters.mu[0]:.6g}", "mu[1]": f"{fit.parameters.mu[1]:.6g}"}
    assert json.loads(fit.as_text())["parameters"]["mu"] == fit.parameters.mu.tolist()
    assert set(fit.predict()) == {0, 1}


def test_a_report_counts_from_1_and_says_so() -> None:
    told = em("gmm1d_faithful").markdown(data={"x": VALUES}, start=THETA)
    assert COUNTED in told
    assert r"$\mu_{1}$" in told or r"\mu_1" in told


# labels ------------------------------------------------------------------------------------------------------

HOW = r"The values of s are 1, 2, 3: give s - 1, or words, which are read as labels\."
FROM_1: dict[str, Any] = {"y": np.array([0.1, 0.2, 1.4, 1.5, 2.6, 2.7]), "s": np.array([1, 1, 2, 2, 3, 3])}


def test_labels_from_1_are_told_how_to_count() -> None:
    row = BY_NAME["random_intercept_ids"]
    wrong = (
        r"g\[3\] = 6 \(and 3 more\), but every entry of g must be one of 0, ..., 5; indices count from 0\. "
    )
    how = r"The values of g are 1, 2, 3, 4, 5, 6: give g - 1, or words, which are read as labels\."
    with pytest.raises(DataError, match=wrong + how):
        em(row.name).fit(**{**row.data, "g": row.data["g"] + 1})


def test_labels_that_alone_show_how_many_they_are(groups: EM) -> None:
    with pytest.raises(
        DataError, match=r"No entry of s is 0, the first label\. " + HOW + " .* give size_s=4"
    ):
        groups.fit(**FROM_1, seed=0)
    theta = {"w": [0.5, 0.5], "m": [0.0, 1.0, 2.0], "sigma": 1.0}
    with pytest.raises(DataError, match=rf"s\[4\] = 3 \(and 1 more\), .* one of 0, ..., 2; .* {HOW}"):
        groups.sample(theta, s=FROM_1["s"])
    with pytest.raises(DataError, match=HOW):
        groups.fit(**FROM_1, start=theta)
    assert groups.fit(y=FROM_1["y"], s=FROM_1["s"] - 1, seed=0).parameters.m.shape == (3,)


def test_labels_from_1_in_frames_and_files(
    groups: EM, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(FROM_1)
    with pytest.raises(DataError, match=HOW):
        groups.fit(frame)
    words = groups.fit(frame.astype({"s": "category"}), seed=0)
    assert words.categories == {"s": (1, 2, 3)}
    frame.to_csv(tmp_path / "rows.csv", index=False)
    monkeypatch.setattr("symem.commands.derived", lambda *_, **__: groups)
    assert main(["fit", FAITHFUL, str(tmp_path / "rows.csv")]) == 2
    told = capsys.readouterr().err
    assert "give s - 1, or words, which are read as labels." in told
    assert "give --size size_s=4." in told


def test_values_that_are_no_labels_at_all_are_shown(groups: EM) -> None:
    theta = {"w": [0.5, 0.5], "m": [0.0, 1.0, 2.0], "sigma": 1.0}
    with pytest.raises(DataError, match=r"The values of s are 0, 2, 7\."):
        groups.fit(y=FROM_1["y"][:3], s=[0, 2, 7], start=theta)
