"""Standard errors by other ways: the supplemented EM algorithm, Louis' formula written out, refits, and how often intervals hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sympy import Idx, IndexedBase, symbols

from symem import EM, DataError, Exponential, Model, NotDerivedError
from symem.runtime import supplemented
from symem.runtime.tangents import _flat
from tests.derived import em
from tests.models import BY_NAME

n = symbols("n", integer=True, positive=True)
i = Idx("i", n)
x = IndexedBase("x")
rate = symbols("r", positive=True)


def estimated(name: str) -> tuple[EM, Any]:
    row, algorithm = BY_NAME[name], em(name)
    start = row.theta(row.file["fixed_point"])
    return algorithm, algorithm.fit(**row.data, start=start, tol=1e-14, max_iter=20_000)


@pytest.mark.parametrize(
    "name", ["rao_linkage", "peppered_moths", "gmm1d_faithful", "random_effects_dyestuff"]
)
def test_the_supplemented_algorithm_gives_the_same(name: str) -> None:
    _algorithm, fit = estimated(name)
    assert fit.supplemented_covariance == pytest.approx(
        fit.covariance, rel=1e-6, abs=1e-6 * np.abs(fit.covariance).max()
    )


def test_of_conditional_steps_it_says_that_it_does_not() -> None:
    _algorithm, fit = estimated("common_mean_ecm")
    with pytest.raises(DataError, match="conditional"):
        _ = fit.supplemented_covariance


def test_a_wrong_map_is_not_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison sees ψ′ of half the size, and that of other directions."""
    _algorithm, fit = estimated("gmm1d_faithful")
    module = em("gmm1d_faithful").solver()
    own = module.__dict__["_map_slopes"]
    assert own.__name__ == supplemented._map_slopes.__name__
    for spoilt in (lambda *given: own(*given) / 2, lambda *given: own(*given)[::-1, ::-1]):
        monkeypatch.setitem(module.__dict__, "_map_slopes", spoilt)
        assert not np.allclose(fit.supplemented_covariance, fit.covariance, rtol=1e-3)


def test_the_rate_of_one_number_is_a_formula() -> None:
    """Rao's linkage: 0.1328; exponential values of which one of two is missing: 1/2 (Dempster, Laird & Rubin 1977)."""
    algorithm, fit = estimated("rao_linkage")
    values = dict(BY_NAME["rao_linkage"].data)
    assert float(algorithm.rate.subs({**values, "th": float(fit.parameters.th)})) == pytest.approx(
        0.1328, abs=5e-5
    )
    algorithm, fit = estimated("exp_missing")
    at = {**BY_NAME["exp_missing"].data, "theta": float(fit.parameters.theta)}
    assert float(algorithm.rate.subs(at)) == pytest.approx(0.5, abs=1e-9)
    with pytest.raises(NotDerivedError, match="models of one number"):
        _ = em("peppered_moths").rate


def test_louis_is_oakes_for_a_mixture() -> None:
    """What is missing is the posterior covariance of the complete score, here of a label: Σ γ s sᵀ less that of the mean."""
    _algorithm, fit = estimated("gmm1d_faithful")
    rows = np.asarray(BY_NAME["gmm1d_faithful"].data["x"], dtype=float)
    w, mu, sigma = fit.parameters
    gamma = np.asarray(fit.posterior.z)
    missing = np.zeros((6, 6))
    for value, shares in zip(rows, gamma, strict=True):
        scores = np.zeros((2, 6))
        for k in range(2):
            away = (value - mu[k]) / sigma[k]
            scores[k, [k, 2 + k, 4 + k]] = 1 / w[k], away / sigma[k], (away**2 - 1) / sigma[k]
        mean = shares @ scores
        missing += (scores.T * shares) @ scores - np.outer(mean, mean)
    assert fit.information.missing == pytest.approx(missing, rel=1e-6, abs=1e-6 * np.abs(missing).max())


@pytest.mark.parametrize("by", ["rows", "model"])
def test_samples_like_the_data_vary_as_much(by: str) -> None:
    """Of 300 samples the spread of the estimates is the standard error within a fifth (three errors are an eighth)."""
    rows = np.random.default_rng(1).exponential(0.5, 200)
    rows[:50] = np.nan
    fit = Model({x[i]: Exponential(rate)}, missing=[x]).derive().fit(x=rows, start={"r": 2.0})
    drawn = fit.bootstrap(300, by=by, seed=0).r
    assert drawn.shape == (300,)
    assert np.std(drawn) == pytest.approx(fit.standard_errors.r, rel=0.2)
    with pytest.raises(DataError, match="'rows'"):
        fit.bootstrap(by="else")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_intervals_hold_the_truth_in_a_thousand_samples() -> None:
    """95 % intervals of a mixture, of counts with more zeros, and of values half of which are missing, within three Monte Carlo errors of 0.0069."""
    mixture = em("gmm1d_shared_var")
    spread = next(name for name in mixture.solver().Parameters._fields if name not in ("w", "mu"))
    _held(mixture, {"w": [0.4, 0.6], "mu": [-2.0, 1.5], spread: 1.0}, {"n": 300, "K": 2})
    zeros = em("zip")
    _held(zeros, dict(zip(zeros.solver().Parameters._fields, (0.3, 2.0), strict=True)), {"n": 300})
    values = Model({x[i]: Exponential(rate)}, missing=[x]).derive()
    rng, held = np.random.default_rng(0), 0
    for _ in range(1000):
        rows = np.where(rng.random(200) < 0.5, np.nan, rng.exponential(0.5, 200))
        low, high = values.fit(x=rows, start={"r": 2.0}).intervals().r
        held += low < 2.0 < high
    assert held / 1000 == pytest.approx(0.95, abs=0.021)


def _held(algorithm: EM, truth: dict[str, Any], sizes: dict[str, int]) -> None:
    solver: Any = algorithm.solver()
    rng = np.random.default_rng(0)
    right = _flat([np.asarray(truth[name], dtype=float) for name in solver.Parameters._fields])
    held, count = np.zeros(len(right)), 0
    for _ in range(1000):
        given = {name: size for name, size in sizes.items() if name in solver.MODEL.draws.sizes}
        drawn = solver.sample(truth, seed=rng, **given)
        fit = solver.fit(**drawn, start=truth)
        if fit.information.message:
            continue
        ends = np.concatenate([each.reshape(-1, 2) for each in fit.intervals()])
        held, count = held + ((ends[:, 0] < right) & (right < ends[:, 1])), count + 1
    assert count > 980
    assert held / count == pytest.approx(np.full(len(right), 0.95), abs=0.021)
