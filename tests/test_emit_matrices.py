"""Emitted modules of vectors and matrices against plain NumPy, written from the textbook's formulas."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from symem.codegen.emit import emit, load
from symem.derivation import Derivation
from tests import handmade_matrices
from tests.derived import solver as derived_solver
from tests.models import BY_NAME, MODELS
from tests.trials.derived import algorithm, built

RNG = np.random.default_rng
Values = dict[str, Any]


@cache
def solver(name: str) -> ModuleType:
    derivation: Derivation = getattr(handmade_matrices, name)()
    return load(emit(derivation))


def covariances(rng: np.random.Generator, count: int, size: int) -> Any:
    roots = rng.normal(size=(count, size, size))
    return roots @ np.swapaxes(roots, 1, 2) + np.eye(size)


def log_normal(residual: Any, covariance: Any) -> Any:
    """log N(residual; 0, covariance), a row each."""
    whitened = np.linalg.solve(np.linalg.cholesky(covariance), residual.T)
    size = len(covariance)
    return -((whitened**2).sum(axis=0) + np.linalg.slogdet(covariance)[1] + size * np.log(2 * np.pi)) / 2


# -- the models, by hand ---------------------------------------------------------------------------------


def mixture_case(rng: np.random.Generator, rows: int = 60) -> tuple[Values, Values]:
    centres = rng.normal(scale=3.0, size=(3, 4))
    x = centres[rng.integers(3, size=rows)] + rng.normal(size=(rows, 4))
    theta = {"w": rng.dirichlet(np.ones(3) * 5), "mu": centres + 0.3, "Sigma": covariances(rng, 3, 4)}
    return theta, {"x": x}


def mixture_step(theta: Values, data: Values) -> tuple[Values, float]:
    x, w = data["x"], theta["w"]
    parts = zip(theta["mu"], theta["Sigma"], strict=True)
    log_joint = np.log(w)[:, None] + np.array([log_normal(x - mu, cell) for mu, cell in parts])
    marginal = np.logaddexp.reduce(log_joint, axis=0)
    gamma = np.exp(log_joint - marginal)
    count = gamma.sum(axis=1)
    mu = gamma @ x / count[:, None]
    residuals = x[None] - mu[:, None]
    Sigma = np.einsum("ki,kia,kib->kab", gamma, residuals, residuals) / count[:, None, None]
    return {"w": count / len(x), "mu": mu, "Sigma": Sigma}, float(marginal.sum())


def factor_case(rng: np.random.Generator, rows: int = 50) -> tuple[Values, Values]:
    W = rng.normal(size=(5, 2))
    x = rng.normal(size=(rows, 2)) @ W.T + rng.normal(size=(rows, 5)) + 2.0
    return {"mu": rng.normal(size=5), "W": rng.normal(size=(5, 2)), "psi": rng.uniform(0.5, 2.0, 5)}, {"x": x}


def factor_step(theta: Values, data: Values) -> tuple[Values, float]:
    x, mu, W, psi = data["x"], theta["mu"], theta["W"], theta["psi"]
    value = log_normal(x - mu, W @ W.T + np.diag(psi)).sum()
    V = np.linalg.inv(np.eye(W.shape[1]) + W.T @ (W / psi[:, None]))
    E = (x - mu) / psi @ W @ V
    A = np.hstack([E, np.ones((len(x), 1))])
    second = A.T @ A
    second[:-1, :-1] += len(x) * V
    joint = np.linalg.solve(second, A.T @ x).T
    fitted = joint @ (A.T @ x)
    psi = np.diag((x.T @ x) - fitted) / len(x)
    return {"mu": joint[:, -1], "W": joint[:, :-1], "psi": psi}, float(value)


def gaps_case(rng: np.random.Generator, rows: int = 40) -> tuple[Values, Values]:
    Sigma = covariances(rng, 1, 4)[0]
    x = rng.multivariate_normal(np.arange(4.0), Sigma, size=rows)
    x[rng.random(x.shape) < 0.3] = np.nan
    x[3] = np.nan
    return {"mu": rng.normal(size=4), "Sigma": covariances(rng, 1, 4)[0]}, {"x": x}


def gaps_step(theta: Values, data: Values) -> tuple[Values, float]:
    x, mu, Sigma = data["x"], theta["mu"], theta["Sigma"]
    mean, second, value = np.zeros(4), np.zeros((4, 4)), 0.0
    for row in x:
        o, h = np.flatnonzero(~np.isnan(row)), np.flatnonzero(np.isnan(row))
        full, spread = mu.copy(), np.zeros((4, 4))
        if len(o):
            gain = Sigma[np.ix_(h, o)] @ np.linalg.inv(Sigma[np.ix_(o, o)])
            full[o], full[h] = row[o], mu[h] + gain @ (row[o] - mu[o])
            spread[np.ix_(h, h)] = Sigma[np.ix_(h, h)] - gain @ Sigma[np.ix_(o, h)]
            value += float(log_normal((row[o] - mu[o])[None], Sigma[np.ix_(o, o)])[0])
        else:
            spread = Sigma
        mean += full
        second += np.outer(full, full) + spread
    mean /= len(x)
    return {"mu": mean, "Sigma": second / len(x) - np.outer(mean, mean)}, value


Case = tuple[Callable[..., tuple[Values, Values]], Callable[[Values, Values], tuple[Values, float]]]
CASES: dict[str, Case] = {
    "full_mixture": (mixture_case, mixture_step),
    "factor_analysis": (factor_case, factor_step),
    "missing_entries": (gaps_case, gaps_step),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("seed", [0, 1])
def test_a_step_is_that_of_the_textbook(name: str, seed: int) -> None:
    case, step = CASES[name]
    theta, data = case(RNG(seed))
    wanted, value = step(theta, data)
    got = solver(name).em_step(theta, **data)._asdict()
    assert solver(name).log_likelihood(theta, **data) == pytest.approx(value, rel=1e-11)
    for each, array in wanted.items():
        np.testing.assert_allclose(got[each], array, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("name", CASES)
def test_statistics_of_parts_merge(name: str) -> None:
    case, _ = CASES[name]
    theta, data = case(RNG(2))
    module = solver(name)
    parts = [{k: v[cut] for k, v in data.items()} for cut in (slice(0, 17), slice(17, None))]
    whole = module.merge(*(module.statistics(theta, **part) for part in parts))
    got, wanted = module.m_step(whole), module.em_step(theta, **data)
    for a, b in zip(got, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("name", CASES)
def test_many_rows_are_cut_into_chunks(name: str) -> None:
    case, step = CASES[name]
    theta, data = case(RNG(3), 21_003)
    wanted, value = step(theta, data)
    got = solver(name).em_step(theta, **data)._asdict()
    assert solver(name).log_likelihood(theta, **data) == pytest.approx(value, rel=1e-10)
    for each, array in wanted.items():
        np.testing.assert_allclose(got[each], array, rtol=1e-8, atol=1e-9)


def test_what_has_no_rows_does_not_shorten_chunks() -> None:
    """An inverse for each component is not part of a row."""
    theta, data = mixture_case(RNG(3), 30_000)
    module = solver("full_mixture")
    prepared = module._prepare(module.MODEL, data, module.Parameters(**theta))
    assert len(prepared.chunks[0]["x"][0]) > 1000


@pytest.mark.parametrize("name", CASES)
def test_a_fit_from_a_seed_is_the_same_twice_and_rises(name: str) -> None:
    case, _ = CASES[name]
    _, data = case(RNG(4))
    sizes = {"full_mixture": {"K": 3}, "factor_analysis": {"m": 2}}.get(name, {})
    first, second = (solver(name).fit(**data, **sizes, seed=5, tol=1e-6, max_iter=2000) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first.parameters, second.parameters, strict=True))
    assert np.all(np.diff(first.history) > -1e-7)
    assert np.isfinite(first.log_likelihood)


# -- models that the engine derived ------------------------------------------------------------------------


def halves(module: ModuleType, data: Values, rows: str) -> list[Values]:
    """The data of the first rows and of the others; what has no rows goes with both."""
    cut = (
        next(
            np.shape(v)[spec.shape.index(rows)]
            for (n, spec), v in _specified(module, data)
            if rows in spec.shape
        )
        // 2
    )
    parts: list[Values] = [{}, {}]
    for (name, spec), value in _specified(module, data):
        for part, place in zip(parts, (slice(0, cut), slice(cut, None)), strict=True):
            part[name] = np.asarray(value)[place] if rows in spec.shape else value
    return parts


def _specified(module: ModuleType, data: Values) -> list[tuple[tuple[str, Any], Any]]:
    return [((name, module.DATA[name]), value) for name, value in data.items()]


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("lmm_random_slope", "G"),
        ("common_mean_vector", "n"),
        ("gmm_mv_tied", "n"),
        ("mvn_missing_murray", "n"),
    ],
)
def test_statistics_of_derived_models_merge(name: str, rows: str) -> None:
    row = next(each for each in MODELS if each.name == name)
    module, theta = derived_solver(name), row.theta(row.file["start"])
    whole = module.merge(*(module.statistics(theta, **part) for part in halves(module, row.data, rows)))
    conditional = "theta" in inspect.signature(module.m_step).parameters
    got = module.m_step(whole, theta) if conditional else module.m_step(whole)
    for a, b in zip(got, module.em_step(theta, **row.data), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize(
    "name", ["factor_analysis_mean", "ppca", "canonical_correlation", "lmm_random_slope"]
)
def test_a_few_rows_stand_for_all_where_mean_and_covariance_suffice(name: str) -> None:
    """Statistics, log-likelihood and the next parameters are those of all rows."""
    row, module = BY_NAME[name], derived_solver(name)
    theta, rng = row.theta(row.file["start"]), RNG(4)
    data = {key: np.tile(each, (20, 1)) + 0.1 * rng.normal(size=(20 * len(each), len(each[0])))
            if module.DATA[key].axes.startswith(module.MODEL.plates.rows) else each for key, each in row.data.items()}  # fmt: skip
    parameters, checked = module._given(module.MODEL, theta, data)
    few = module._collapsed(module.MODEL, module._uncut(module.MODEL, data, parameters))
    assert few.chunks[0].length < checked.chunks[0].length / 2
    for one, other in zip(
        module._e_step(module.MODEL, parameters, few),
        module._e_step(module.MODEL, parameters, checked),
        strict=True,
    ):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ["gmm_mv_full", "mvt_known_nu", "mixture_fa"])
def test_all_rows_are_read_where_these_do_not_suffice(name: str) -> None:
    assert derived_solver(name).MODEL.condensed == ()


def asked_sizes(module: ModuleType, theta: Values) -> dict[str, int]:
    """The sizes that data do not show, read off parameters."""
    pairs = [
        pair
        for name, spec in module.PARAMETERS.items()
        for pair in zip(spec.shape, np.shape(theta[name]), strict=True)
    ]
    return {size: extent for size, extent in pairs if size in module.SIZES}


@pytest.mark.filterwarnings("ignore:EM has not converged")
@pytest.mark.parametrize(
    "name",
    [
        *(
            pytest.param(name, marks=pytest.mark.slow)
            for name in ("factors_behind_factors", "factors_with_heavy_tails", "two_sets_of_factors")
        ),
        "heavy_tails_with_gaps",
        "known_low_rank_covariance",
        "size_of_a_known_shape",
    ],
)
def test_a_fit_begins_by_itself_where_factorisations_stand_anywhere(name: str) -> None:
    """Log-determinants of names in ℓ itself, inverses of known matrices, slopes on other latents."""
    trial, module = built(name), algorithm(name).solver()
    fit = module.fit(**trial.data, **asked_sizes(module, trial.theta), seed=0, max_iter=20, tol=0.1)
    assert fit.log_likelihood >= trial.log_likelihood(trial.theta, trial.data)
    assert trial.log_likelihood(fit.parameters._asdict(), trial.data) == pytest.approx(fit.log_likelihood)


# -- digits ------------------------------------------------------------------------------------------------


def rounded(array: Any) -> Any:
    """To multiples of 2^-10, so that moving far away loses nothing of the data themselves."""
    return np.round(np.asarray(array) * 1024) / 1024


@pytest.mark.parametrize("name", ["gmm_mv_full", "gmm_mv_diag_vector", "gmm_mv_spherical_vector"])
def test_statistics_of_derived_mixtures_come_of_the_features_alone(name: str) -> None:
    """One matrix product for all, and the rows themselves only where a difference would lose its digits."""
    module = derived_solver(name)
    assert "rows" not in inspect.signature(module.moments).parameters
    assert "= products" in inspect.getsource(module.moments)
    assert "_loses_digits(" in inspect.getsource(module.moments)
    assert "gamma_z" in inspect.getsource(module.summarise)


@pytest.mark.parametrize("distance", [1e3, 1e4, 1e6, 1e8])
def test_derived_components_far_apart_keep_the_digits_of_their_covariances(distance: float) -> None:
    rng = RNG(6)
    centres = np.array([[0.0, 0.0], [distance, 0.0], [0.0, distance]])
    labels, noise = rng.integers(3, size=300), rounded(rng.normal(size=(300, 2)))
    theta = {"w": np.full(3, 1 / 3), "mu": centres + 0.125, "Sigma": np.array([np.eye(2)] * 3)}
    got = derived_solver("gmm_mv_full").em_step(theta, x=centres[labels] + noise)
    wanted = np.array([np.cov(noise[labels == k].T, bias=True) for k in range(3)])
    np.testing.assert_allclose(got.Sigma, wanted, rtol=0, atol=2e-9)


def test_parts_of_components_far_apart_merge() -> None:
    rng = RNG(7)
    centres = np.array([[0.0, 0.0], [1e6, 0.0]])
    x = centres[rng.integers(2, size=200)] + rounded(rng.normal(size=(200, 2)))
    theta = {"w": np.full(2, 0.5), "mu": centres, "Sigma": np.array([np.eye(2)] * 2)}
    module = derived_solver("gmm_mv_full")
    whole = module.merge(module.statistics(theta, x=x[:90]), module.statistics(theta, x=x[90:]))
    for a, b in zip(module.m_step(whole), module.em_step(theta, x=x), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-9)


# -- bad input ---------------------------------------------------------------------------------------------


def broken(values: Any, place: Any, by: Any) -> Any:
    values = np.array(values)
    values[place] += by
    return values


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Sigma": lambda s: broken(s, (1, 0, 1), 0.1)}, r"Sigma\[1\] is not symmetric"),
        ({"Sigma": lambda s: broken(s, 2, -30 * np.eye(4))}, r"Sigma\[2\] is not positive definite"),
        ({"Sigma": lambda s: broken(s * 0, slice(None), 1.0)}, r"Sigma\[0\] is singular"),
        ({"mu": lambda m: m[:, :3]}, r"mu says that d is 3, but Sigma has shape \(3, 4, 4\)"),
    ],
)
def test_a_start_that_is_none_is_refused_by_name(change: Values, message: str) -> None:
    theta, data = mixture_case(RNG(8))
    start = {name: change.get(name, np.asarray)(value) for name, value in theta.items()}
    with pytest.raises(ValueError, match=message):
        solver("full_mixture").fit(**data, start=start)


def test_a_gap_that_was_not_declared_is_refused_by_place() -> None:
    theta, data = mixture_case(RNG(8))
    with pytest.raises(ValueError, match=r"x\[7, 2\] = nan, but every entry of x must be finite"):
        solver("full_mixture").fit(x=broken(data["x"], (7, 2), np.nan), start=theta)


# Digits that are lost, and a spread that is none, are one to arithmetic: both may be said.
@pytest.mark.filterwarnings("ignore:.*has lost its digits")
@pytest.mark.parametrize("spoil", ["constant", "duplicated", "few"])
@pytest.mark.parametrize("name", ["full_mixture", "missing_entries"])
def test_a_covariance_that_becomes_singular_keeps_its_value_and_is_named(name: str, spoil: str) -> None:
    x = mixture_case(RNG(9))[1]["x"]
    x = x[:3] if spoil == "few" else x
    if spoil != "few":
        x[:, 2] = 5.0 if spoil == "constant" else x[:, 1]
    sizes = {"K": 2} if name == "full_mixture" else {}
    with pytest.warns(UserWarning, match=r"Sigma(\[\d\])? became singular"):
        fit = solver(name).fit(x=x, **sizes, seed=0, max_iter=300)
    assert np.isfinite(fit.log_likelihood)
    assert all(np.all(np.isfinite(value)) for value in fit.parameters)


def test_a_row_without_entries_adds_nothing_to_the_likelihood() -> None:
    theta, data = gaps_case(RNG(10))
    without = np.delete(data["x"], 3, axis=0)
    module = solver("missing_entries")
    assert np.isnan(data["x"][3]).all()
    assert module.log_likelihood(theta, **data) == pytest.approx(module.log_likelihood(theta, x=without))
