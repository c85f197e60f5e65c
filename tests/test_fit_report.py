"""A report that tells of a fit: in every form, from Python and from the command line, only of its own model's fits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symem
from symem import DataError, ExistingFileError
from symem.__main__ import main
from symem.em import EM
from tests.derived import em
from tests.models import BY_NAME

ROOT = Path(__file__).parents[1]
FAITHFUL = [str(ROOT / "examples" / "old_faithful.py"), str(ROOT / "examples" / "data" / "old_faithful.csv")]
VALUES = np.array([50.0, 51.0, 55.0, 57.0, 61.0, 63.0, 75.0, 77.0, 80.0, 82.0, 85.0, 88.0, 90.0])
THETA = {"w": [0.5, 0.5], "mu": [50.0, 80.0], "sigma": [5.0, 5.0]}


@pytest.fixture(scope="module")
def fit() -> Any:
    return em("gmm1d_faithful").fit(x=VALUES, start=THETA)


def of(name: str) -> Any:
    """The fit of a row of the table from the start of its file."""
    row = BY_NAME[name]
    return em(name).fit(**row.data, start=row.theta(row.file["start"]))


@pytest.mark.parametrize("form", ["html", "latex", "markdown", "notebook"])
def test_every_form_tells_of_a_fit(form: str, fit: Any) -> None:
    text = em("gmm1d_faithful").told_in(form, fit=fit, source="rows.csv", level="brief")
    told = text if form != "notebook" else "".join("".join(c["source"]) for c in json.loads(text)["cells"])
    for words in ("The fit", "rows.csv", "converged", f"{fit.bic:.2f}", f"{fit.parameters.mu[0]:.2f}"):
        assert words in told
    assert "One iteration in numbers" not in told


def test_the_name_of_the_file_says_the_form(fit: Any, tmp_path: Path) -> None:
    model: EM = em("gmm1d_faithful")
    path = model.report(tmp_path / "r.md", fit=fit, level="brief")
    assert path.read_text(encoding="utf-8").startswith("# ")
    with pytest.raises(ExistingFileError, match="force=True"):
        model.report(path, fit=fit)
    with pytest.raises(DataError, match=r"ends in \.html, \.tex, \.md, \.ipynb"):
        model.report(tmp_path / "r.pdf")


def test_a_fit_of_another_model_is_refused(fit: Any) -> None:
    with pytest.raises(DataError, match="The fit is of another model: it has w, mu, sigma"):
        em("coins_weight").html(fit=fit)
    with pytest.raises(DataError, match="not dict"):
        em("gmm1d_faithful").html(fit=THETA)


def test_a_fit_that_was_read_has_its_numbers_and_no_pictures_of_data(fit: Any, tmp_path: Path) -> None:
    read = symem.load(fit.save(tmp_path / "fit.json"), em("gmm1d_faithful"))
    text = em("gmm1d_faithful").html(fit=read, level="brief")
    assert f"{fit.aic:.2f}" in text
    assert "Likelihood by iteration" in text
    assert "histogram" not in text


def test_warnings_words_and_ends_are_told() -> None:
    model = em("gmm1d_faithful")
    with pytest.warns(match="has not converged"):
        short = model.fit(x=VALUES, start=THETA, max_iter=2)
    told = model.markdown(fit=short, level="brief")
    assert "It ended after 2 of them: not converged after 2 iterations, the most allowed." in told
    assert "- Warning: EM has not converged after 2 iterations" in told


def test_pairs_are_scattered_in_the_ink_of_their_label() -> None:
    found = of("gmm_mv_full")
    told = em("gmm_mv_full").html(fit=found, level="brief")
    plot = next(part for part in told.split("<svg")[1:] if "Scatter of the data" in part).split("</svg>")[0]
    dots = [part.split("/>")[0] for part in plot.split("<circle")[1:]]
    labels = found.predict()
    inks = [part.split('fill="')[1].split('"')[0] for part in dots]
    counts = sorted(inks.count(ink) for ink in set(inks))
    assert counts == sorted(np.bincount(labels).tolist())


@pytest.mark.parametrize(
    "name", ["gmm_missing", "factor_analysis_mean", "random_intercept_ids", "exp_censored_nan"]
)
def test_every_kind_of_model_has_its_section(name: str) -> None:
    found = of(name)
    told = em(name).markdown(fit=found, level="brief")
    assert f"| BIC | {found.bic:.2f} |".replace("-", "−").replace("| −", "| −") in told.replace("\\", "")


def test_the_command_writes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "r.html"
    assert main(["fit", *FAITHFUL, "--size", "K=2", "--seed", "0", "--report", str(path)]) == 0
    text = path.read_text(encoding="utf-8")
    assert "EM ran on old_faithful.csv from a random start by seed 0" in text
    assert "2096.03" in text
    assert main(["fit", *FAITHFUL, "--size", "K=2", "--report", "r.txt"]) == 2
    assert "the name of a report ends in .html" in capsys.readouterr().err
