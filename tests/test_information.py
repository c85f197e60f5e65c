"""Information at an estimate: published values, second derivatives of another log-likelihood, and where there are none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy
from sympy import Idx, IndexedBase, symbols

from symem import EM, DataError, Exponential, Model, Normal
from symem.evaluation.coordinates import Coordinates
from tests.derived import em
from tests.models import BY_NAME, MODELS, Row

n = symbols("n", integer=True, positive=True)
i = Idx("i", n)
x, y, u = map(IndexedBase, ["x", "y", "u"])
rate = symbols("r", positive=True)


def at_the_estimate(name: str) -> tuple[EM, Any]:
    row, algorithm = BY_NAME[name], em(name)
    start = row.theta(row.file["fixed_point"])
    return algorithm, algorithm.fit(**row.data, start=start, tol=1e-13, max_iter=10_000)


def test_the_linkage_of_rao() -> None:
    """Information 377.5 = 435.3 - 57.8, so a standard error of 0.0515; each step leaves 13.28 % (Dempster et al. 1977)."""
    algorithm, fit = at_the_estimate("rao_linkage")
    found = algorithm.information(fit)
    (slope,) = found.jacobian.ravel()
    told = [float(each.item()) / slope**2 for each in (found.observed, found.complete, found.missing)]
    assert told == pytest.approx([377.5, 435.3, 57.8], abs=0.05)
    assert found.standard_errors["th"] == pytest.approx(0.0515, abs=5e-5)
    assert found.rate == pytest.approx(0.1328, abs=5e-5)


def test_the_peppered_moths() -> None:
    """The model is saturated, so that standard errors and correlations are known: √(n_C / 4n²) for C."""
    algorithm, fit = at_the_estimate("peppered_moths")
    found = algorithm.information(fit)
    errors = [found.standard_errors[name] for name in ("pC", "pI", "pT")]
    assert errors == pytest.approx([0.0074112, 0.0122052, 0.0134751], abs=5e-7)
    spread = np.sqrt(np.diag(found.covariance))
    correlations = (found.covariance / np.outer(spread, spread))[np.tril_indices(3, -1)]
    assert correlations == pytest.approx([-0.1233, -0.4383, -0.8379], abs=5e-5)


def test_a_mixture_against_second_differences_of_another_likelihood() -> None:
    algorithm, fit = at_the_estimate("gmm1d_faithful")
    rows = np.asarray(BY_NAME["gmm1d_faithful"].data["x"], dtype=float)
    theta = fit.parameters

    def less(free: Any) -> float:
        w, m, s = free[0], free[1:3], free[3:5]
        parts = scipy.stats.norm.pdf(rows[:, None], m, s) * np.array([w, 1 - w])
        return -float(np.log(parts.sum(axis=1)).sum())

    names = list(theta._asdict())
    spread = next(name for name in names if name not in ("w", "mu"))
    at = np.array([theta.w[0], *theta.mu, *getattr(theta, spread)])
    steps = 1e-3 * np.abs(at)
    bent = np.empty((5, 5))
    for a, one in enumerate(np.diag(steps)):
        for b, other in enumerate(np.diag(steps)):
            ends = (
                less(at + one + other)
                - less(at + one - other)
                - less(at - one + other)
                + less(at - one - other)
            )
            bent[a, b] = ends / (4 * steps[a] * steps[b])
    errors = np.sqrt(np.diag(np.linalg.inv(bent)))
    found = algorithm.information(fit).standard_errors
    mine = [found["w"][0], *found["mu"], *found[spread]]
    assert mine == pytest.approx(errors, rel=2e-3)


def test_a_missing_value_leaves_half() -> None:
    """Of an exponential law with one of two values seen, half of the information is missing."""
    algorithm = Model({x[i]: Exponential(rate)}, missing=[x]).derive()
    fit = algorithm.fit(x=[2.0, np.nan], start={"r": 1.0}, tol=1e-14)
    found = algorithm.information(fit)
    assert found.rate == pytest.approx(0.5, abs=1e-6)
    assert found.standard_errors["r"] == pytest.approx(0.5, rel=1e-5)
    low, high = found.intervals(0.9)["r"]
    assert (low * high, low > 0) == (pytest.approx(0.25, rel=1e-6), True)


def test_what_is_only_a_product_has_no_standard_errors() -> None:
    p, q = symbols("p q")
    algorithm = Model({u[i]: Normal(p + q, 1), y[i]: Normal(u[i], 1)}, latent=[u]).derive()
    found = algorithm.information({"p": 1.0, "q": 1.0}, y=np.array([1.0, 2.0, 3.0]))
    assert "flat along a direction that moves p, q" in found.message
    assert np.isnan(found.standard_errors["p"])
    assert str(found).startswith("No standard errors: ")


def test_elsewhere_than_at_the_maximum_there_are_none() -> None:
    algorithm, _fit = at_the_estimate("rao_linkage")
    found = algorithm.information({"th": 0.3}, **BY_NAME["rao_linkage"].data)
    assert "still rises" in found.message


def test_a_parameter_that_is_lacking_is_named() -> None:
    algorithm, _fit = at_the_estimate("rao_linkage")
    with pytest.raises(DataError, match="lacks th"):
        algorithm.information({"theta": 0.3}, **BY_NAME["rao_linkage"].data)


def test_every_line_and_its_interval_is_told() -> None:
    algorithm, fit = at_the_estimate("peppered_moths")
    lines = str(algorithm.information(fit)).splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["pC", "pI", "pT"]
    assert lines[-1].startswith("Of the information 17.6% is missing")
    with pytest.raises(DataError, match="level"):
        algorithm.information(fit).intervals(95)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Of 200 samples with half of the values missing, 95 % intervals hold the rate in 95 % (within 3 standard errors)."""
    algorithm, rng, held = Model({x[i]: Exponential(rate)}, missing=[x]).derive(), np.random.default_rng(0), 0
    for _ in range(200):
        rows = rng.exponential(0.5, 80)
        rows[:40] = np.nan
        low, high = algorithm.information({"r": 40 / np.nansum(rows)}, x=rows).intervals()["r"]
        held += low < 2.0 < high
    assert 0.95 - 3 * 0.0154 < held / 200 <= 1


ESTIMATED = [row for row in MODELS if not row.blocked and row.file and row.file.get("fixed_point")]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("row", ESTIMATED, ids=lambda row: row.name)
def test_it_is_what_the_likelihood_bends_by(row: Row) -> None:
    """Minus second differences of the module's ℓ along each coordinate, or a sentence why there are no errors."""
    algorithm = em(row.name)
    fit = algorithm.fit(**row.data, start=row.theta(row.file["fixed_point"]), tol=1e-13, max_iter=3000)
    found = algorithm.information(fit)
    if found.message:
        assert np.isnan(found.covariance).all()
        return
    solver = algorithm.solver()
    height = getattr(solver, "log_posterior", solver.log_likelihood)
    coordinates = Coordinates(algorithm.model, {name: np.asarray(v) for name, v in found.parameters.items()})
    at = coordinates.free()
    for place, curvature in enumerate(np.diag(found.observed)[:4].tolist()):
        step = np.zeros(len(at))
        step[place] = 0.05 / np.sqrt(curvature)
        bend = sum(
            k * height(coordinates.point(at + j * step), **row.data) for j, k in ((-1, 1), (0, -2), (1, 1))
        )
        assert -bend / 0.0025 == pytest.approx(1.0, rel=2e-2)
    assert 0 <= found.fractions_missing[0] < 1
