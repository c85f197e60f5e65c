"""The rows of the table: one distribution of a scalar each, named and parametrised as in `sympy.stats`."""

from __future__ import annotations

from typing import Any

import numpy as np
from sympy import Abs, And, Expr, Ge, Le, besseli, cos, exp, log, loggamma, oo, pi

from symem.language.exponential_faces import (
    BETA_FACE,
    BINOMIAL_FACE,
    EXPONENTIAL_FACE,
    GAMMA_FACE,
    GEOMETRIC_FACE,
    INVERSE_GAMMA_FACE,
    LOG_NORMAL_FACE,
    NORMAL_FACE,
    POISSON_FACE,
    UNIFORM_FACE,
    log_beta,
)
from symem.language.family import Array, Family
from symem.language.plates import LogIverson
from symem.language.supports import Binary, Circle, Counts, Interval, Positive, Reals, UnitInterval


def _inside(value: Expr, lower: Expr, upper: Expr) -> Expr:
    return LogIverson(And(Ge(value, lower), Le(value, upper)))


def _log_binomial(n: Expr, x: Expr) -> Expr:
    return loggamma(n + 1) - loggamma(x + 1) - loggamma(n - x + 1)


def _bernoulli(x: Expr, p: Expr) -> Expr:
    return x * log(p) + (1 - x) * log(1 - p)


def _normal(x: Expr, mean: Expr, std: Expr) -> Expr:
    return -log(2 * pi) / 2 - log(std) - (x - mean) ** 2 / (2 * std**2)


_POSITIVE, _REAL, _UNIT = Positive(), Reals(), UnitInterval()
_COUNT = Counts()


def _pareto_sampler(rng: np.random.Generator, size: Any, xm: Any, alpha: Any) -> Array:
    return np.asarray(xm * (1 + rng.pareto(alpha, size)))


Normal = Family(
    "Normal",
    {"mean": _REAL, "std": _POSITIVE},
    _normal,
    lambda *_: _REAL,
    lambda rng, size, mean, std: rng.normal(mean, std, size),
    NORMAL_FACE,
)
Gamma = Family(
    "Gamma",
    {"k": _POSITIVE, "theta": _POSITIVE},
    lambda x, k, theta: (k - 1) * log(x) - x / theta - k * log(theta) - loggamma(k),
    lambda *_: _POSITIVE,
    lambda rng, size, k, theta: rng.gamma(k, theta, size),
    GAMMA_FACE,
)
GammaInverse = Family(
    "GammaInverse",
    {"a": _POSITIVE, "b": _POSITIVE},
    lambda x, a, b: a * log(b) - loggamma(a) - (a + 1) * log(x) - b / x,
    lambda *_: _POSITIVE,
    lambda rng, size, a, b: b / rng.gamma(a, 1.0, size),
    INVERSE_GAMMA_FACE,
)
Exponential = Family(
    "Exponential",
    {"rate": _POSITIVE},
    lambda x, rate: log(rate) - rate * x,
    lambda *_: _POSITIVE,
    lambda rng, size, rate: rng.exponential(1 / rate, size),
    EXPONENTIAL_FACE,
)
Beta = Family(
    "Beta",
    {"alpha": _POSITIVE, "beta": _POSITIVE},
    lambda x, a, b: (a - 1) * log(x) + (b - 1) * log(1 - x) - log_beta(a, b),
    lambda *_: _UNIT,
    lambda rng, size, a, b: rng.beta(a, b, size),
    BETA_FACE,
)
LogNormal = Family(
    "LogNormal",
    {"mean": _REAL, "std": _POSITIVE},
    lambda x, mean, std: _normal(log(x), mean, std) - log(x),
    lambda *_: _POSITIVE,
    lambda rng, size, mean, std: rng.lognormal(mean, std, size),
    LOG_NORMAL_FACE,
)
Poisson = Family(
    "Poisson",
    {"lamda": _POSITIVE},
    lambda x, lam: x * log(lam) - lam - loggamma(x + 1),
    lambda *_: _COUNT,
    lambda rng, size, lam: rng.poisson(lam, size),
    POISSON_FACE,
)
Geometric = Family(
    "Geometric",
    {"p": _UNIT},
    lambda x, p: (x - 1) * log(1 - p) + log(p),
    lambda *_: Counts(1),
    lambda rng, size, p: rng.geometric(p, size),
    GEOMETRIC_FACE,
)
Binomial = Family(
    "Binomial",
    {"n": _COUNT, "p": _UNIT},
    lambda x, n, p: _log_binomial(n, x) + x * log(p) + (n - x) * log(1 - p),
    lambda n, _p: Counts(0, n),
    lambda rng, size, n, p: rng.binomial(np.asarray(n).astype(int), p, size),
    BINOMIAL_FACE,
)
NegativeBinomial = Family(
    "NegativeBinomial",
    {"r": _POSITIVE, "p": _UNIT},
    lambda x, r, p: loggamma(x + r) - loggamma(x + 1) - loggamma(r) + r * log(p) + x * log(1 - p),
    lambda *_: _COUNT,
    lambda rng, size, r, p: rng.negative_binomial(r, p, size),
)
Bernoulli = Family(
    "Bernoulli",
    {"p": _UNIT},
    _bernoulli,
    lambda *_: Binary(),
    lambda rng, size, p: (rng.random(size) < p).astype(int),
)
Weibull = Family(
    "Weibull",
    {"alpha": _POSITIVE, "beta": _POSITIVE},
    lambda x, a, b: log(b) - b * log(a) + (b - 1) * log(x) - x**b / a**b,
    lambda *_: _POSITIVE,
    lambda rng, size, a, b: a * rng.weibull(b, size),
)
Rayleigh = Family(
    "Rayleigh",
    {"sigma": _POSITIVE},
    lambda x, s: log(x) - 2 * log(s) - x**2 / (2 * s**2),
    lambda *_: _POSITIVE,
    lambda rng, size, s: rng.rayleigh(s, size),
)
Laplace = Family(
    "Laplace",
    {"mu": _REAL, "b": _POSITIVE},
    lambda x, mu, b: -log(2) - log(b) - Abs(x - mu) / b,
    lambda *_: _REAL,
    lambda rng, size, mu, b: rng.laplace(mu, b, size),
)
Pareto = Family(
    "Pareto",
    {"xm": _POSITIVE, "alpha": _POSITIVE},
    lambda x, xm, a: log(a) + a * log(xm) - (a + 1) * log(x) + _inside(x, xm, oo),
    lambda xm, _a: Interval(xm, oo),
    _pareto_sampler,
)
GaussianInverse = Family(
    "GaussianInverse",
    {"mean": _POSITIVE, "shape": _POSITIVE},
    lambda x, m, s: log(s) / 2 - log(2 * pi) / 2 - 3 * log(x) / 2 - s * x / (2 * m**2) + s / m - s / (2 * x),
    lambda *_: _POSITIVE,
    lambda rng, size, m, s: rng.wald(m, s, size),
)
ChiSquared = Family(
    "ChiSquared",
    {"k": _POSITIVE},
    lambda x, k: (k / 2 - 1) * log(x) - x / 2 - k * log(2) / 2 - loggamma(k / 2),
    lambda *_: _POSITIVE,
    lambda rng, size, k: rng.chisquare(k, size),
)
Maxwell = Family(
    "Maxwell",
    {"a": _POSITIVE},
    lambda x, a: log(2 / pi) / 2 + 2 * log(x) - 3 * log(a) - x**2 / (2 * a**2),
    lambda *_: _POSITIVE,
    lambda rng, size, a: a * np.sqrt(rng.chisquare(3, size)),
)
VonMises = Family(
    "VonMises",
    {"mu": Circle(), "k": _POSITIVE},
    lambda x, mu, k: k * cos(x - mu) - log(2 * pi) - log(besseli(0, k)),
    lambda *_: Interval(-pi, pi),
    lambda rng, size, mu, k: rng.vonmises(mu, k, size),
)
Uniform = Family(
    "Uniform",
    {"left": _REAL, "right": _REAL},
    lambda x, a, b: -log(b - a) + _inside(x, a, b),
    Interval,
    lambda rng, size, a, b: rng.uniform(a, b, size),
    UNIFORM_FACE,
)
Dirac = Family(
    "Dirac",
    {"point": _REAL},
    lambda x, point: _inside(x, point, point),
    lambda point: Interval(point, point),
    lambda _rng, size, point: np.broadcast_to(np.asarray(point, float), size).copy(),
)
StudentT = Family(
    "StudentT",
    {"nu": _POSITIVE},
    lambda x, nu: (
        loggamma((nu + 1) / 2) - loggamma(nu / 2) - log(pi * nu) / 2 - (nu + 1) * log(1 + x**2 / nu) / 2
    ),
    lambda *_: _REAL,
    lambda rng, size, nu: rng.standard_t(nu, size),
)
Logistic = Family(
    "Logistic",
    {"mu": _REAL, "s": _POSITIVE},
    lambda x, mu, s: -(x - mu) / s - log(s) - 2 * log(1 + exp(-(x - mu) / s)),
    lambda *_: _REAL,
    lambda rng, size, mu, s: rng.logistic(mu, s, size),
)
Cauchy = Family(
    "Cauchy",
    {"x0": _REAL, "gamma": _POSITIVE},
    lambda x, x0, gamma: log(gamma) - log(pi) - log(gamma**2 + (x - x0) ** 2),
    lambda *_: _REAL,
    lambda rng, size, x0, gamma: x0 + gamma * rng.standard_cauchy(size),
)
Gumbel = Family(
    "Gumbel",
    {"beta": _POSITIVE, "mu": _REAL},
    lambda x, beta, mu: -log(beta) - (x - mu) / beta - exp(-(x - mu) / beta),
    lambda *_: _REAL,
    lambda rng, size, beta, mu: rng.gumbel(mu, beta, size),
)
Erlang = Family(
    "Erlang",
    {"k": _POSITIVE, "l": _POSITIVE},
    lambda x, k, rate: (k - 1) * log(x) - rate * x + k * log(rate) - loggamma(k),
    lambda *_: _POSITIVE,
    lambda rng, size, k, rate: rng.gamma(k, 1 / np.asarray(rate), size),
)
