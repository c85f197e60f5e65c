"""One step of Newton's method in the place of a maximum that no formula gives: the EM gradient algorithm (Lange 1995)."""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy
from sympy import Idx, IndexedBase, symbols

from symem import EM, Categorical, Gamma, Model, ModelError
from symem.__main__ import main
from symem.derivation import Ascent, Status

n, K = symbols("n K", integer=True, positive=True)
i, k = Idx("i", n), Idx("k", K)
x, z, w, a, b = map(IndexedBase, ["x", "z", "w", "a", "b"])
LAWS = {z[i]: Categorical(w[k]), x[i]: Gamma(a[z[i]], b[z[i]])}


@functools.cache
def both() -> EM:
    return Model(LAWS, latent=[z]).derive(numeric="gradient")


@functools.cache
def shape() -> EM:
    return Model(LAWS, latent=[z], known=[b]).derive(numeric="gradient")


@functools.cache
def rows() -> Any:
    rng = np.random.default_rng(4)
    return np.concatenate([rng.gamma(2.0, 1.0, 150), rng.gamma(20.0, 0.5, 250)])


def test_a_step_is_newtons() -> None:
    theta, scale = {"w": np.array([0.3, 0.7]), "a": np.array([1.5, 12.0])}, np.array([1.2, 0.8])
    logs = np.log(theta["w"]) + scipy.stats.gamma.logpdf(rows()[:, None], theta["a"], scale=scale)
    share = np.exp(logs - scipy.special.logsumexp(logs, axis=1, keepdims=True))
    slope = share.T @ np.log(rows()) - share.sum(0) * (np.log(scale) + scipy.special.digamma(theta["a"]))
    bend = share.sum(0) * scipy.special.polygamma(1, theta["a"])
    after = shape().solver().em_step(theta, x=rows(), b=scale)
    np.testing.assert_allclose(after.a, theta["a"] + slope / bend, rtol=1e-12)


def test_the_likelihood_rises_to_the_fixed_point_of_em() -> None:
    exact = Model(LAWS, latent=[z]).derive()
    assert not any(isinstance(each, Ascent) for each in exact.derivation.updates)
    found, right = (em.fit(x=rows(), K=2, seed=0) for em in (both(), exact))
    assert found.converged
    assert np.all(np.diff(found.history) > -1e-9)
    assert found.log_likelihood == pytest.approx(right.log_likelihood, abs=1e-7)
    np.testing.assert_allclose(sorted(found.parameters.a), sorted(right.parameters.a), rtol=1e-4)
    still = both().solver().em_step(right.parameters, x=rows())
    np.testing.assert_allclose(still.a, right.parameters.a, rtol=1e-4)


def test_it_is_told_that_q_is_not_maximised() -> None:
    found = both()
    assert [str(each) for each in found.derivation.one_step] == ["a[k]", "b[k]"]
    text = str(found)
    assert "a_k = one Newton step towards the a_k with" in text
    assert "a_k: proved: fixed points, ascent, support" in text
    told = " ".join(found.source().split())
    assert "a_k, b_k: one Newton step, which raises Q and does not maximise it (Lange 1995)." in told
    assert "one step is taken, turned upwards and halved until" in found.markdown()
    assert "Newton\\ step" in found.latex()
    statuses = {claim.status for each in found.certificates for claim in each.claims}
    assert statuses == {Status.PROVED}


@pytest.mark.filterwarnings("ignore")
def test_it_climbs_the_ladder() -> None:
    found = both().verify(seed=0)
    assert all(rung.passed for rung in found.rungs if rung.name != "V5")
    (third,) = (rung for rung in found.rungs if rung.name == "V3")
    assert third.detail == "the step of a, b does not lower Q, and ∂Q/∂θ = 0 where such steps end"


@pytest.mark.filterwarnings("ignore")
def test_a_wrong_slope_fails() -> None:
    derivation = shape().derivation
    (update,) = (each for each in derivation.updates if isinstance(each, Ascent))
    (slope,) = update.within.slopes
    wrong = replace(update.within, slopes=(replace(slope, value=slope.value + 1),))
    updates = tuple(
        replace(each, within=wrong) if isinstance(each, Ascent) else each for each in derivation.updates
    )
    found = EM(replace(derivation, updates=updates), numeric="gradient").verify(seed=0)
    assert any(rung.name == "V3" and rung.passed is False for rung in found.rungs)


def test_from_the_shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "gammas.py"
    path.write_text(
        "from sympy import Idx, IndexedBase, symbols\nfrom symem import Gamma, Model, Exponential\n"
        'n = symbols("n", integer=True, positive=True)\ni = Idx("i", n)\na = symbols("a")\n'
        'x, u = IndexedBase("x"), IndexedBase("u")\n'
        "model = Model({u[i]: Gamma(a, 1), x[i]: Exponential(u[i])}, latent=[u])\n"
    )
    assert main(["derive", str(path), "--gradient"]) == 0
    assert "a = one Newton step towards the a with" in capsys.readouterr().out


def test_another_grade_is_refused() -> None:
    with pytest.raises(ModelError, match="numeric='newton' is not known"):
        Model(LAWS, latent=[z]).derive(numeric="newton")  # type: ignore[arg-type]
