"""A fit goes to a file and comes back: all of it, beside its own model alone, without anything that is run."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sympy import Idx, IndexedBase, symbols

import symem
from symem import EM, Categorical, DataError, Model, Normal, Poisson
from symem.language.fingerprint import fingerprint
from symem.runtime.results import Fit

n, K = symbols("n K", integer=True, positive=True)
i, k = Idx("i", n), Idx("k", K)
x, z, w, mu, sigma = map(IndexedBase, ["x", "z", "w", "mu", "sigma"])
ROWS = np.concatenate([np.random.default_rng(0).normal(c, s, m) for c, s, m in [(-2, 1, 60), (3, 0.5, 40)]])


def stated(scale: Any = sigma[z[i]]) -> Model:
    return Model({z[i]: Categorical(w[k]), x[i]: Normal(mu[z[i]], scale)}, latent=[z])


@pytest.fixture(scope="module")
def mixture() -> EM:
    return stated().derive()


@pytest.fixture(scope="module")
def fit(mixture: EM) -> Fit:
    return mixture.fit(x=ROWS, K=2, seed=0, n_init=2)


def test_everything_comes_back(mixture: EM, fit: Fit, tmp_path: Path) -> None:
    path = fit.save(tmp_path / "fit.json")
    for again in (symem.load(path), symem.load(path, mixture), symem.load(path, mixture.model)):
        for name, value in fit.parameters._asdict().items():
            np.testing.assert_array_equal(getattr(again.parameters, name), value)
        np.testing.assert_array_equal(again.history, fit.history)
        assert (again.restarts, again.settings, again.warnings) == (fit.restarts, fit.settings, fit.warnings)
        assert (again.summary(), repr(again), again.bic) == (fit.summary(), repr(fit), fit.bic)
        assert again.as_text() == fit.as_text()


def test_beside_its_model_it_speaks_of_rows(mixture: EM, fit: Fit, tmp_path: Path) -> None:
    again = symem.load(fit.save(tmp_path / "fit.json"), mixture)
    new = np.array([-2.0, 3.0, 0.5])
    assert again.log_likelihood_of(x=new) == fit.log_likelihood_of(x=new)
    assert again.predict(x=new).tolist() == fit.predict(x=new).tolist()
    with pytest.raises(DataError, match="has no rows of its own"):
        _ = again.posterior
    alone = symem.load(tmp_path / "fit.json")
    for ask in (alone.posterior_of, alone.log_likelihood_of, alone.score_samples, alone.predict):
        with pytest.raises(DataError, match="without its model"):
            ask(x=new)


@pytest.mark.parametrize("force", [False, True])
def test_it_takes_no_place_of_a_pipe_or_a_folder(force: bool, fit: Fit, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, said in ((tmp_path / "pipe", "not a file"), (tmp_path, "is a folder")):
        with pytest.raises(ValueError, match=said):
            fit.save(path, force=force)
    assert (tmp_path / "pipe").is_fifo()


def test_a_link_stays_and_the_fit_is_written_where_it_leads(fit: Fit, tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to(tmp_path / "fit.json")
    with pytest.raises(FileExistsError, match="force=True"):
        fit.save(tmp_path / "link.json")
    fit.save(tmp_path / "link.json", force=True)
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "fit.json").read_text() == fit.as_text()


def test_it_holds_words_and_numbers_only(fit: Fit, tmp_path: Path) -> None:
    read = json.loads(fit.save(tmp_path / "fit.json").read_text())
    assert read["symem"] == symem.__version__
    assert set(read["parameters"]) == {"w", "mu", "sigma"}
    assert len(read["history"]) == fit.n_iter + 1


def test_numbers_that_are_not_finite_come_back(fit: Fit, tmp_path: Path) -> None:
    failed = pickle.loads(pickle.dumps(fit))
    failed.restarts = (np.nan, fit.objective)
    path = failed.save(tmp_path / "fit.json")
    assert np.isnan(symem.load(path).restarts[0])
    assert "NaN" not in path.read_text()


def test_another_model_is_refused_by_name(fit: Fit, tmp_path: Path) -> None:
    path = fit.save(tmp_path / "fit.json")
    rate = IndexedBase("rate")
    counts = Model({z[i]: Categorical(w[k]), x[i]: Poisson(rate[z[i]])}, latent=[z])
    with pytest.raises(DataError, match="another model: it has w, mu, sigma, and this one has w, rate"):
        symem.load(path, counts)
    with pytest.raises(DataError, match="another model: w, mu, sigma are stated in another way"):
        symem.load(path, stated(2 * sigma[z[i]]))


@pytest.mark.parametrize(
    "text", ["", "[1, 2]", '{"a": 1}', '{"format": "symem fit 99"}', '{"format": "symem fit 1"}']
)
def test_what_is_no_fit_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(DataError, match=r"a\.json"):
        symem.load(tmp_path / "a.json")


def test_a_file_is_replaced_only_if_asked_and_never_spoilt(fit: Fit, tmp_path: Path) -> None:
    path = fit.save(tmp_path / "fit.json")
    with pytest.raises(FileExistsError, match="exists already"):
        fit.save(path)
    broken = pickle.loads(pickle.dumps(fit))
    broken.settings = {"tol": object()}
    with pytest.raises(TypeError):
        broken.save(path, force=True)
    assert symem.load(path).bic == fit.bic
    assert [each.name for each in tmp_path.iterdir()] == ["fit.json"]


def test_another_statement_has_another_fingerprint() -> None:
    assert fingerprint(stated()) == fingerprint(stated())
    assert fingerprint(stated()) != fingerprint(stated(2 * sigma[z[i]]))


def test_the_version_stands_in_every_module(mixture: EM) -> None:
    words = f"Derived by symem {symem.__version__}."
    assert words in mixture.source()
    assert words in mixture.source(style="plain")
    assert mixture.solver().SOLVER.version == symem.__version__
