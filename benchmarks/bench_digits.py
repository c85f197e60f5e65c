"""How many digits EM keeps where data lie far from zero: one step against the same step in 50-digit arithmetic.

    python benchmarks/bench_digits.py

Components from 10⁴ to 10⁸ standard deviations apart, standard deviations in a ratio of 10⁻⁷, data whose mean is 10⁷
or 10⁸ times their spread, loadings of 10⁸ beside a noise of 1. Each line gives the largest relative error of a
variance, or the warning that names it; the last what one wild row changes in the posteriors of all others.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from mpmath import mp, mpf
from sympy import Identity, Idx, IndexedBase, MatrixSymbol, ZeroMatrix, symbols

from symem import (
    Categorical,
    GaussianInverse,
    IndexedMatrix,
    IndexedVector,
    LogNormal,
    Model,
    MultivariateNormal,
    Normal,
    diag,
)

mp.dps = 50
n, K, d, m, J, T = symbols("n K d m J T", integer=True, positive=True)
i, k, j, t = Idx("i", n), Idx("k", K), Idx("j", J), Idx("t", T)
z, w, x, y, mu, s, b, u = map(IndexedBase, ("z", "w", "x", "y", "mu", "s", "b", "u"))
sigma = symbols("sigma", positive=True)


class Case(NamedTuple):
    """A model, its data and start, and the value of one of its parameters after one exact step."""

    name: str
    model: Callable[[], Model]
    data: dict[str, Any]
    theta: dict[str, Any]
    parameter: str
    exact: Any
    stays: bool = True  #: labels are beyond doubt, so that further steps change nothing


def normals() -> list[Case]:
    """Mixtures of two scalar Normals, whose labels are beyond doubt."""
    cases = []
    for distance in (1e4, 1e6, 1e8):
        data, labels = two_groups(distance, (1.0, 1.0))
        theta = {"w": np.array([0.5, 0.5]), "mu": np.array([0.0, distance])}
        groups = [data[labels == g] for g in (0, 1)]
        own = np.array([float(spread(group)) for group in groups])
        shared = float(mp.sqrt(sum(scatter(group) for group in groups) / len(data)))
        far = f"{distance:.0e} sd apart"
        cases.append(
            Case(f"own variances, {far}", own_model, {"x": data}, {**theta, "s": np.ones(2)}, "s", own)
        )
        cases.append(
            Case(
                f"shared variance, {far}", shared_model, {"x": data}, {**theta, "sigma": 1.0}, "sigma", shared
            )
        )
    data, labels = two_groups(1.0, (1.0, 1e-7))
    theta = {"w": np.array([0.5, 0.5]), "mu": np.array([-10.0, 1.0]), "s": np.array([1.0, 1e-7])}
    data = np.where(labels == 0, data - 10.0, data)
    own = np.array([float(spread(data[labels == g])) for g in (0, 1)])
    return [*cases, Case("standard deviations 1 and 1e-7", own_model, {"x": data}, theta, "s", own)]


def vectors() -> list[Case]:
    """Mixtures of two Normals in the plane: full and tied covariances."""
    cases = []
    for distance in (1e4, 1e6, 1e8):
        rows = np.stack([two_groups(distance, (1.0, 2.0), seed=seed)[0] for seed in (1, 2)], axis=1)
        labels = two_groups(distance, (1.0, 2.0), seed=1)[1]
        groups = [rows[labels == g] for g in (0, 1)]
        scatters = [scatter_matrix(group) for group in groups]
        full = np.array([as_floats(c / mpf(len(g))) for c, g in zip(scatters, groups, strict=True)])
        tied = as_floats((scatters[0] + scatters[1]) / mpf(len(rows)))
        theta = {"w": np.array([0.5, 0.5]), "mu": np.array([[0.0, 0.0], [distance, distance]])}
        identities = np.array([np.eye(2)] * 2)
        far = f"{distance:.0e} sd apart"
        cases.append(
            Case(f"full covariances, {far}", full_model, {"x": rows}, {**theta, "S": identities}, "S", full)
        )
        cases.append(
            Case(f"tied covariance, {far}", tied_model, {"x": rows}, {**theta, "S": np.eye(2)}, "S", tied)
        )
    return cases


def far_from_zero() -> list[Case]:
    """One component whose mean is 10⁷ times its spread, or more."""
    rng = np.random.default_rng(3)
    one = {"w": np.array([1.0])}
    logs = 18 + 1e-7 * rng.normal(size=200)
    lengths = np.exp(logs)
    exact = spread([mp.log(mpf(each)) for each in lengths])
    cases = [
        Case(
            "log-normal, log x = 18 ± 1e-7", log_normal_model, {"x": lengths},
            {**one, "mu": np.array([18.0]), "s": np.array([1e-7])}, "s", np.array([float(exact)]),
        )
    ]  # fmt: skip
    times = 1e7 + rng.normal(size=200)
    mean = sum(map(mpf, times)) / len(times)
    inverse = sum((mpf(each) - mean) ** 2 / (mpf(each) * mean**2) for each in times) / len(times)
    return [
        *cases,
        Case(
            "inverse Gaussian, 1e7 ± 1", inverse_gaussian_model, {"x": times},
            {**one, "mu": np.array([1e7]), "s": np.array([1e21])}, "s", np.array([float(1 / inverse)]),
        ),
    ]  # fmt: skip


def regressions() -> list[Case]:
    """Responses at 10⁸: two lines 10⁴ apart, and groups with an effect of their own."""
    rng = np.random.default_rng(4)
    labels, u = np.arange(200) % 2, rng.uniform(0.0, 1.0, 200)
    response = 1e8 + np.array([0.0, 1e4])[labels] + np.array([2.0, -1.0])[labels] * u + rng.normal(size=200)
    residuals = np.array([float(line_spread(u[labels == g], response[labels == g])) for g in (0, 1)])
    theta = {
        "w": np.array([0.5, 0.5]), "mu": np.array([1e8, 1e8 + 1e4]),
        "b": np.array([2.0, -1.0]), "s": np.array([1.0, 1.0]),
    }  # fmt: skip
    groups = 1e8 + rng.normal(size=(20, 1)) * 2 + rng.normal(size=(20, 5))
    effects = {"sigma": 1.0, "mu_": 1e8, "tau": 2.0}
    return [
        Case("two regressions, y at 1e8", regression_model, {"y": response, "x": u}, theta, "s", residuals),
        Case(
            "random effects, y at 1e8", effects_model, {"y": groups}, effects, "sigma",
            float(effects_step(groups, effects)), stays=False,
        ),
    ]  # fmt: skip


def factors() -> list[Case]:
    """One factor whose loadings are 10⁴ to 10⁸ times the noise."""
    cases = []
    for loading in (1e2, 1e4, 1e8):
        rng = np.random.default_rng(6)
        rows = rng.normal(size=(200, 1)) * loading * np.array([1.0, 2.0, -1.0]) + rng.normal(size=(200, 3))
        theta = {"W": loading * np.array([[1.0], [2.0], [-1.0]]), "psi": np.ones(3), "mu": np.zeros(3)}
        exact = np.array([float(each) for each in factor_step(rows, theta)])
        cases.append(
            Case(
                f"loadings of {loading:.0e}, noise 1",
                factor_model,
                {"x": rows},
                theta,
                "psi",
                exact,
                stays=False,
            )
        )
    return cases


# -- models ---------------------------------------------------------------------------------------------


def own_model() -> Model:
    return Model({z[i]: Categorical(w[k]), x[i]: Normal(mu[z[i]], s[z[i]])}, latent=[z])


def shared_model() -> Model:
    return Model({z[i]: Categorical(w[k]), x[i]: Normal(mu[z[i]], sigma)}, latent=[z])


def log_normal_model() -> Model:
    return Model({z[i]: Categorical(w[k]), x[i]: LogNormal(mu[z[i]], s[z[i]])}, latent=[z])


def inverse_gaussian_model() -> Model:
    return Model({z[i]: Categorical(w[k]), x[i]: GaussianInverse(mu[z[i]], s[z[i]])}, latent=[z])


def full_model() -> Model:
    v, m, S = IndexedVector("x", d), IndexedVector("mu", d), IndexedMatrix("S", d, d)
    return Model({z[i]: Categorical(w[k]), v[i]: MultivariateNormal(m[z[i]], S[z[i]])}, latent=[z])


def tied_model() -> Model:
    v, m, S = IndexedVector("x", d), IndexedVector("mu", d), MatrixSymbol("S", d, d)
    return Model({z[i]: Categorical(w[k]), v[i]: MultivariateNormal(m[z[i]], S)}, latent=[z])


def regression_model() -> Model:
    mean = mu[z[i]] + b[z[i]] * x[i]
    return Model({z[i]: Categorical(w[k]), y[i]: Normal(mean, s[z[i]])}, latent=[z], known=[x])


def effects_model() -> Model:
    mean, tau = symbols("mu_", real=True), symbols("tau", positive=True)
    return Model({u[j]: Normal(0, tau), y[j, t]: Normal(mean + u[j], sigma)}, latent=[u])


def factor_model() -> Model:
    v, f = IndexedVector("x", d), IndexedVector("f", m)
    loadings, mean, psi = MatrixSymbol("W", d, m), MatrixSymbol("mu", d, 1), MatrixSymbol("psi", d, 1)
    standard = MultivariateNormal(ZeroMatrix(m, 1), Identity(m))
    return Model({f[i]: standard, v[i]: MultivariateNormal(mean + loadings * f[i], diag(psi))}, latent=[f])


# -- exact arithmetic -----------------------------------------------------------------------------------


def two_groups(distance: float, spreads: tuple[float, float], seed: int = 0) -> tuple[Any, Any]:
    """Rows of two groups, and which group each belongs to."""
    rng = np.random.default_rng(seed)
    labels = np.arange(200) % 2
    return rng.normal(size=200) * np.array(spreads)[labels] + distance * labels, labels


def scatter(values: Any) -> Any:
    """Σ (x - x̄)²."""
    exact = [mpf(each) for each in values]
    mean = sum(exact) / len(exact)
    return sum((each - mean) ** 2 for each in exact)


def spread(values: Any) -> Any:
    return mp.sqrt(scatter(values) / len(values))


def line_spread(first: Any, second: Any) -> Any:
    """The spread about the line of least squares."""
    across, up = [mpf(each) for each in first], [mpf(each) for each in second]
    means = sum(across) / len(across), sum(up) / len(up)
    products = sum((a - means[0]) * (b - means[1]) for a, b in zip(across, up, strict=True))
    return mp.sqrt((scatter(second) - products**2 / scatter(first)) / len(up))


def effects_step(groups: Any, theta: dict[str, Any]) -> Any:
    """σ after one step: every observation less the new mean and its group's posterior effect, squared."""
    rows = [[mpf(each) for each in row] for row in groups]
    noise, variance = mpf(theta["sigma"]) ** 2, mpf(theta["tau"]) ** 2
    left = 1 / (len(rows[0]) / noise + 1 / variance)
    means = [left * sum(each - mpf(theta["mu_"]) for each in row) / noise for row in rows]
    count = len(rows) * len(rows[0])
    centre = sum(each - mean for row, mean in zip(rows, means, strict=True) for each in row) / count
    squares = sum((each - centre - mean) ** 2 for row, mean in zip(rows, means, strict=True) for each in row)
    return mp.sqrt(squares / count + left)


def factor_step(rows: Any, theta: dict[str, Any]) -> list[Any]:
    """ψ after one step of factor analysis with one factor."""
    loadings = [mpf(float(each)) for each in theta["W"][:, 0]]
    noise, centre = [mpf(float(each)) for each in theta["psi"]], [mpf(float(each)) for each in theta["mu"]]
    left = 1 / (1 + sum(a * a / p for a, p in zip(loadings, noise, strict=True)))
    exact = [[mpf(float(each)) for each in row] for row in rows]
    scores = [
        left * sum(a * (e - c) / p for a, e, c, p in zip(loadings, row, centre, noise, strict=True))
        for row in exact
    ]
    mean = sum(scores) / len(scores)
    spread_of_scores = sum((each - mean) ** 2 for each in scores) + len(scores) * left
    found = []
    for column in zip(*exact, strict=True):
        level = sum(column) / len(column)
        slope = sum((e - level) * (f - mean) for e, f in zip(column, scores, strict=True)) / spread_of_scores
        residuals = (e - level - slope * (f - mean) for e, f in zip(column, scores, strict=True))
        found.append(sum(each**2 for each in residuals) / len(column) + slope**2 * left)
    return found


def scatter_matrix(rows: Any) -> Any:
    exact = mp.matrix(rows.tolist())
    means = [sum(exact[r, c] for r in range(exact.rows)) / exact.rows for c in range(exact.cols)]
    centred = mp.matrix(exact.rows, exact.cols)
    for r in range(exact.rows):
        for c in range(exact.cols):
            centred[r, c] = exact[r, c] - means[c]
    return centred.T * centred


def as_floats(matrix: Any) -> Any:
    return np.array(matrix.tolist(), dtype=float)


# -- what is printed ------------------------------------------------------------------------------------


def error(case: Case, module: Any) -> str:
    """The error after one step and after a fit, or the warnings that say why there is one."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        step = getattr(module.em_step(case.theta, **case.data), case.parameter)
        fit = module.fit(start=case.theta, max_iter=50 if case.stays else 2000, tol=1e-8, **case.data)
    told = f"   {'converged' if fit.converged else 'not converged'}: {said[0].message}" if said else ""
    after = f", after a fit {relative(getattr(fit.parameters, case.parameter), case.exact):.0e}"
    return f"after a step {relative(step, case.exact):.0e}{after if case.stays else ''}{told}"


def relative(found: Any, exact: Any) -> float:
    """The largest error, of matrices as a share of the standard deviations."""
    found, exact = np.asarray(found), np.asarray(exact)
    scale = np.abs(exact)
    if exact.ndim > 1:
        roots = np.sqrt(np.diagonal(exact, 0, -2, -1))
        scale = roots[..., :, None] * roots[..., None, :]
    return float(np.max(np.abs(found - exact) / scale))


def wild(module: Any) -> float:
    """What one row at 10²⁰ changes in the posteriors of all others."""
    calm = two_groups(3.0, (1.0, 1.0))[0]
    theta = {"w": np.array([0.5, 0.5]), "mu": np.array([0.0, 3.0]), "s": np.ones(2)}
    beside = module.posterior(theta, x=np.append(calm, 1e20)).z[:-1]
    return float(np.max(np.abs(beside - module.posterior(theta, x=calm).z)))


def main() -> None:
    modules: dict[Any, Any] = {}
    for case in [*normals(), *vectors(), *far_from_zero(), *regressions(), *factors()]:
        if case.model not in modules:
            modules[case.model] = case.model().derive().solver()
        print(f"{case.name:40s} {error(case, modules[case.model])}", flush=True)
    print(
        f"{'a row at 1e20 beside 200 at 0 and 3':40s} moves others' posteriors by {wild(modules[own_model]):.0e}"
    )


if __name__ == "__main__":
    main()
