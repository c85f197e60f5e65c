"""How many digits EM keeps where data lie far from zero: one step against the same step in 50-digit arithmetic.

    python benchmarks/bench_digits.py

Components from 10⁴ to 10⁸ standard deviations apart, standard deviations in a ratio of 10⁻⁷, data whose mean is 10⁷
or 10⁸ times their spread. Each line gives the largest relative error of a variance, or the warning that names it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from mpmath import mp, mpf
from sympy import Idx, IndexedBase, MatrixSymbol, symbols

from symem import (
    Categorical,
    GaussianInverse,
    IndexedMatrix,
    IndexedVector,
    LogNormal,
    Model,
    MultivariateNormal,
    Normal,
)

mp.dps = 50
n, K, d = symbols("n K d", integer=True, positive=True)
i, k, a = Idx("i", n), Idx("k", K), Idx("a", d)
z, w, x, y, mu, s = map(IndexedBase, ("z", "w", "x", "y", "mu", "s"))
sigma = symbols("sigma", positive=True)


class Case(NamedTuple):
    """A model, its data and start, and the value of one of its parameters after one exact step."""

    name: str
    model: Callable[[], Model]
    data: dict[str, Any]
    theta: dict[str, Any]
    parameter: str
    exact: Any


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
        fit = module.fit(start=case.theta, max_iter=50, **case.data)
    texts = [relative(step, case.exact), relative(getattr(fit.parameters, case.parameter), case.exact)]
    told = f"   {'converged' if fit.converged else 'not converged'}: {said[0].message}" if said else ""
    return f"after a step {texts[0]:.0e}, after a fit {texts[1]:.0e}{told}"


def relative(found: Any, exact: Any) -> float:
    """The largest error, of matrices as a share of the standard deviations."""
    found, exact = np.asarray(found), np.asarray(exact)
    scale = np.abs(exact)
    if exact.ndim > 1:
        roots = np.sqrt(np.diagonal(exact, 0, -2, -1))
        scale = roots[..., :, None] * roots[..., None, :]
    return float(np.max(np.abs(found - exact) / scale))


def main() -> None:
    modules: dict[Any, Any] = {}
    for case in [*normals(), *vectors(), *far_from_zero()]:
        if case.model not in modules:
            modules[case.model] = case.model().derive().solver()
        print(f"{case.name:40s} {error(case, modules[case.model])}", flush=True)


if __name__ == "__main__":
    main()
