"""Draws from each law: of a generator and a shape, and of parameters that broadcast to it.

Parameters are named and ordered as in `sympy.stats`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symem.runtime.loop import DataError

Rng = np.random.Generator

#: Of laws that are not symem's own: name -> (rng, size, *parameters) -> array.
SAMPLERS: dict[str, Callable[..., Any]] = {}


def _draw_own(name: str, rng: Rng, size: Any, *parameters: Any) -> Any:
    """By a sampler from outside."""
    if name not in SAMPLERS:
        raise DataError(f"{name} is drawn by a function of its own: put it into SAMPLERS[{name!r}] first.")
    return SAMPLERS[name](rng, size, *parameters)


def _draw_normal(rng: Rng, size: Any, mean: Any, std: Any) -> Any:
    return rng.normal(mean, std, size)


def _draw_log_normal(rng: Rng, size: Any, mean: Any, std: Any) -> Any:
    return rng.lognormal(mean, std, size)


def _draw_beta(rng: Rng, size: Any, alpha: Any, beta: Any) -> Any:
    return rng.beta(alpha, beta, size)


def _draw_uniform(rng: Rng, size: Any, left: Any, right: Any) -> Any:
    return rng.uniform(left, right, size)


def _draw_von_mises(rng: Rng, size: Any, mu: Any, k: Any) -> Any:
    return rng.vonmises(mu, k, size)


def _draw_laplace(rng: Rng, size: Any, mu: Any, b: Any) -> Any:
    return rng.laplace(mu, b, size)


def _draw_dirac(_rng: Rng, size: Any, point: Any) -> Any:
    return np.broadcast_to(point, size).copy()


def _draw_student_t(rng: Rng, size: Any, nu: Any) -> Any:
    return rng.standard_t(nu, size)


def _draw_logistic(rng: Rng, size: Any, mu: Any, s: Any) -> Any:
    return rng.logistic(mu, s, size)


def _draw_cauchy(rng: Rng, size: Any, x0: Any, gamma: Any) -> Any:
    return x0 + gamma * rng.standard_cauchy(size)


def _draw_gumbel(rng: Rng, size: Any, beta: Any, mu: Any) -> Any:
    return rng.gumbel(mu, beta, size)


def _draw_exponential(rng: Rng, size: Any, rate: Any) -> Any:
    return rng.exponential(1 / np.asarray(rate), size)


def _draw_weibull(rng: Rng, size: Any, alpha: Any, beta: Any) -> Any:
    return alpha * rng.weibull(beta, size)


def _draw_gamma(rng: Rng, size: Any, k: Any, theta: Any) -> Any:
    return rng.gamma(k, theta, size)


def _draw_polya_gamma(rng: Rng, size: Any, b: Any, c: Any) -> Any:
    """Of Σ g_k / (2π² ((k - 1/2)² + c²/(4π²))), g_k ~ Gamma(b, 1), 200 terms and the mean of the others."""
    b, c = np.broadcast_arrays(*(np.broadcast_to(each, size).astype(float) for each in (b, c)))
    halves = (np.arange(200) + 0.5) ** 2 + (c[..., None] / (2 * np.pi)) ** 2
    drawn = (rng.gamma(b[..., None], 1.0, halves.shape) / halves).sum(-1)
    return (drawn + b / 200) / (2 * np.pi**2)


def _draw_erlang(rng: Rng, size: Any, k: Any, rate: Any) -> Any:
    return rng.gamma(k, 1 / np.asarray(rate), size)


def _draw_gamma_inverse(rng: Rng, size: Any, a: Any, b: Any) -> Any:
    return b / rng.gamma(a, 1.0, size)


def _draw_chi_squared(rng: Rng, size: Any, k: Any) -> Any:
    return rng.chisquare(k, size)


def _draw_maxwell(rng: Rng, size: Any, a: Any) -> Any:
    return a * np.sqrt(rng.chisquare(3, size))


def _draw_rayleigh(rng: Rng, size: Any, sigma: Any) -> Any:
    return rng.rayleigh(sigma, size)


def _draw_pareto(rng: Rng, size: Any, xm: Any, alpha: Any) -> Any:
    return xm * (1 + rng.pareto(alpha, size))


def _draw_generalised_inverse_gaussian(rng: Rng, size: Any, p: Any, a: Any, b: Any) -> Any:
    """√(b/a) e^t, t of log-density pt - √(ab) cosh t, by rejection from a constant around its peak and an exponential beyond on
    either side (Devroye 1986, section 7.2).
    """
    p, a, b = (np.broadcast_to(each, size).astype(float).ravel() for each in (p, a, b))
    z = np.sqrt(a) * np.sqrt(b)
    peak = np.arcsinh(p / z)

    def fall(t: Any, z: Any, p: Any, peak: Any) -> Any:
        return z * (np.cosh(t) - np.cosh(peak)) - p * (t - peak)

    low, high = (_where_fallen(fall, (z, p, peak), side) for side in (-1.0, 1.0))
    down, up = (z * np.sinh(end) - p for end in (low, high))
    masses = np.stack(
        [-np.exp(-fall(low, z, p, peak)) / down, high - low, np.exp(-fall(high, z, p, peak)) / up]
    )
    cuts = np.cumsum(masses, axis=0) / masses.sum(axis=0)
    drawn, left = np.empty(len(p)), np.arange(len(p))
    while len(left):
        place, share, tail = rng.random(len(left)), rng.random(len(left)), rng.exponential(size=len(left))
        first, second = (place < cut[left] for cut in cuts[:2])
        middle = low[left] + (high - low)[left] * rng.random(len(left))
        t = np.where(
            first, low[left] + tail / down[left], np.where(second, middle, high[left] + tail / up[left])
        )
        lines = (low[left], down[left]), (high[left], up[left])
        one, other = (
            fall(end, *(each[left] for each in (z, p, peak))) + slope * (t - end) for end, slope in lines
        )
        cover = np.where(first, one, np.where(second, 0.0, other))
        taken = np.log(share) <= cover - fall(t, *(each[left] for each in (z, p, peak)))
        drawn[left[taken]] = t[taken]
        left = left[~taken]
    return (np.sqrt(b / a) * np.exp(drawn)).reshape(size)


def _where_fallen(fall: Any, given: Any, side: float) -> Any:
    """About where a log-concave density has fallen to 1/e of its peak on one side, by halving."""
    peak = given[-1]
    near, far = np.zeros(len(peak)), np.full(len(peak), 1.0)
    for _ in range(20):
        far = np.where(fall(peak + side * far, *given) < 1.0, 2.0 * far, far)
    for _ in range(60):
        middle = (near + far) / 2.0
        inside = fall(peak + side * middle, *given) < 1.0
        near, far = np.where(inside, middle, near), np.where(inside, far, middle)
    return peak + side * far


def _draw_gaussian_inverse(rng: Rng, size: Any, mean: Any, shape: Any) -> Any:
    return rng.wald(mean, shape, size)


def _draw_poisson(rng: Rng, size: Any, lamda: Any) -> Any:
    return rng.poisson(lamda, size)


def _draw_geometric(rng: Rng, size: Any, p: Any) -> Any:
    return rng.geometric(p, size)


def _draw_binomial(rng: Rng, size: Any, n: Any, p: Any) -> Any:
    return rng.binomial(np.asarray(n).astype(int), p, size)


def _draw_negative_binomial(rng: Rng, size: Any, r: Any, p: Any) -> Any:
    return rng.negative_binomial(r, p, size)


def _draw_bernoulli(rng: Rng, size: Any, p: Any) -> Any:
    return (rng.random(size) < p).astype(int)


# Plates are `size`; means (…, d) and matrices (…, d, d) broadcast to them.


def _draw_multivariate_normal(rng: Rng, size: Any, mean: Any, covariance: Any) -> Any:
    try:
        root = np.linalg.cholesky(np.asarray(covariance, float))
    except np.linalg.LinAlgError:  # some directions have no spread
        spreads, axes = np.linalg.eigh(np.asarray(covariance, float))
        root = axes * np.sqrt(np.maximum(spreads, 0.0))[..., None, :]
    noise = rng.standard_normal((*size, root.shape[-1]))
    return mean + np.einsum("...ab,...b->...a", root, noise)


def _draw_multivariate_t(rng: Rng, size: Any, mean: Any, scale: Any, nu: Any) -> Any:
    centred = _draw_multivariate_normal(rng, size, 0.0, scale)
    shrink = np.sqrt(np.asarray(nu) / rng.chisquare(nu, np.shape(centred)[:-1]))
    return mean + centred * shrink[..., None]


# Labels, counts and branches: what a law has over its categories stands on the last axis.


def _draw_labels(rng: Rng, size: Any, probabilities: Any) -> Any:
    """The place of a category."""
    shares = np.cumsum(probabilities / np.sum(probabilities, axis=-1, keepdims=True), axis=-1)
    return (rng.random(size)[..., None] >= shares[..., :-1]).sum(axis=-1)


def _draw_counts(rng: Rng, size: Any, total: Any, probabilities: Any) -> Any:
    """How often each category comes in so many trials."""
    shares = probabilities / np.sum(probabilities, axis=-1, keepdims=True)
    trials = np.broadcast_to(np.rint(total).astype(int), size)
    return rng.multinomial(trials, shares)


def _draw_shares(rng: Rng, size: Any, alphas: Any) -> Any:
    """Points of a simplex under Dirichlet laws."""
    made = rng.standard_gamma(np.broadcast_to(alphas, (*np.atleast_1d(size), np.shape(alphas)[-1])))
    return made / np.sum(made, axis=-1, keepdims=True)


def _beside(*values: Any) -> Any:
    """Numbers of categories one by one, side by side."""
    return np.stack(np.broadcast_arrays(*values), axis=-1)


def _of_label(label: Any, branches: Mapping[Any, Any]) -> Any:
    """At each position what was drawn in the branch of its label; of labels without one, in the last."""
    *first, last = branches.items()
    return np.select([label == value for value, _ in first], [drawn for _, drawn in first], default=last[1])


def _refuse_contradicted(holds: Any, relation: str) -> None:
    """What is drawn must agree with what the model says was observed of it."""
    if not np.all(holds):
        raise DataError(
            f"What was drawn contradicts {relation}, which given= says of it: draw from the model without that, and apply it "
            "to what was drawn."
        )
