"""The table of distributions: one row serves the declaration of a model and the recognition of a posterior.

A row gives a density in the names and the parameter order of `sympy.stats`. A row with an exponential
face also says which statistics of u its log-density is linear in, what natural parameters mean in terms
of its arguments, its log-partition and its moments (Wainwright & Jordan 2008, section 3). A family from
outside is one more `Family(...)`; calling it makes a distribution.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sympy import (
    Abs,
    Add,
    And,
    Expr,
    Function,
    Ge,
    Integer,
    Le,
    Rational,
    S,
    Symbol,
    Tuple,
    besseli,
    cos,
    digamma,
    erf,
    exp,
    log,
    loggamma,
    oo,
    pi,
    sqrt,
    sympify,
)

from symem.errors import ModelError
from symem.language.plates import LogIverson
from symem.language.supports import Binary, Counts, Interval, Positive, Reals, Simplex, Support, UnitInterval

Array = np.ndarray[Any, np.dtype[Any]]


class NormalCDF(Function):  # type: ignore[misc]
    """Phi(x), the standard normal distribution function."""

    nargs = 1
    is_positive = True

    def fdiff(self, _argindex: int = 1) -> Expr:
        return exp(-(self.args[0] ** 2) / 2) / sqrt(2 * pi)

    def _eval_evalf(self, prec: int) -> Expr:
        return ((1 + erf(self.args[0] / sqrt(2))) / 2)._eval_evalf(prec)


class LogNormalInterval(Function):  # type: ignore[misc]
    """log(Phi(b) - Phi(a)), kept whole because the difference loses every digit in the tails."""

    nargs = 2
    is_real = True

    def fdiff(self, argindex: int = 1) -> Expr:
        edge = self.args[argindex - 1]
        return (-1) ** argindex * exp(-(edge**2) / 2 - self) / sqrt(2 * pi)

    def _eval_evalf(self, prec: int) -> Expr:
        below, above = (1 if end == oo else 0 if end == -oo else (1 + erf(end / sqrt(2))) / 2 for end in self.args)
        return log(sympify(above) - below).evalf(prec)


@dataclass(frozen=True)
class ExponentialFace:
    """How a family is read off a log-density Σ ηᵣ Tᵣ(u) + log h(u).

    `statistics(u)` are the Tᵣ; `base_measure(u, support)` is log h; `arguments(η, bounds)` names the
    family's arguments as closed forms, in order; `log_partition(arguments, bounds)` is A, and
    `moments(u, arguments, bounds)` maps functions of u to their means.
    """

    statistics: Callable[[Expr], tuple[Expr, ...]]
    arguments: Callable[..., Mapping[str, Expr]]
    log_partition: Callable[..., Expr]
    moments: Callable[..., Mapping[Expr, Expr]]
    base_measure: Callable[[Expr, tuple[Expr, Expr]], Expr] = lambda _u, _bounds: S.Zero


@dataclass(frozen=True)
class Family:
    """One row of the table.

    Args:
        name: the name users write, and the one a recognised posterior carries.
        parameters: parameter name -> support, in the order of `sympy.stats`.
        log_density: (value, *parameters) -> log p, in SymPy; it must be normalised.
        support: parameters -> the set of values.
        sampler: (rng, size, *parameters) -> array, the parameters being arrays that broadcast to size.
        face: the exponential face, for rows that a posterior can be recognised as.

    Source of names and parameter order: `sympy.stats`.
    """

    name: str
    parameters: Mapping[str, Support]
    log_density: Callable[..., Expr]
    support: Callable[..., Support]
    sampler: Callable[..., Array] | None = None
    face: ExponentialFace | None = None

    def __call__(self, *arguments: Any) -> Distribution:
        if len(arguments) != len(self.parameters):
            wanted = ", ".join(self.parameters)
            raise ModelError(f"{self.name} takes ({wanted}), but {len(arguments)} arguments were given.")
        return Distribution(self, tuple(sympify(argument) for argument in arguments))


@dataclass(frozen=True)
class Distribution:
    """A family with its arguments: what stands behind the colon in a model."""

    family: Family
    arguments: tuple[Expr, ...]
    branches: Mapping[int, Distribution] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.family.name

    def __hash__(self) -> int:
        return hash((self.family.name, self.arguments))

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(str, self.arguments))})"

    __repr__ = __str__


def _inside(value: Expr, lower: Expr, upper: Expr) -> Expr:
    return LogIverson(And(Ge(value, lower), Le(value, upper)))


def _log_binomial(n: Expr, x: Expr) -> Expr:
    return loggamma(n + 1) - loggamma(x + 1) - loggamma(n - x + 1)


def _log_beta(a: Expr, b: Expr) -> Expr:
    return loggamma(a) + loggamma(b) - loggamma(a + b)


def _bernoulli(x: Expr, p: Expr) -> Expr:
    return x * log(p) + (1 - x) * log(1 - p)


def _normal(x: Expr, mean: Expr, std: Expr) -> Expr:
    return -log(2 * pi) / 2 - log(std) - (x - mean) ** 2 / (2 * std**2)


def _normal_arguments(eta: tuple[Expr, ...], _bounds: tuple[Expr, Expr]) -> Mapping[str, Expr]:
    return {"m": -eta[0] / (2 * eta[1]), "v": -1 / (2 * eta[1])}


def _normal_moments(u: Expr, a: Mapping[str, Expr], _bounds: tuple[Expr, Expr]) -> Mapping[Expr, Expr]:
    m, v = a["m"], a["v"]
    return {u: m, u**2: m**2 + v, u**3: m**3 + 3 * m * v, u**4: m**4 + 6 * m**2 * v + 3 * v**2}


def _edges(a: Mapping[str, Expr], bounds: tuple[Expr, Expr]) -> tuple[Expr, Expr]:
    return tuple(end if end in (oo, -oo) else (end - a["m"]) / sqrt(a["v"]) for end in bounds)  # type: ignore[return-value]


def _hazard(edge: Expr, log_mass: Expr) -> Expr:
    return S.Zero if edge in (oo, -oo) else exp(-(edge**2) / 2 - log_mass) / sqrt(2 * pi)


def _truncated_moments(u: Expr, a: Mapping[str, Expr], bounds: tuple[Expr, Expr]) -> Mapping[Expr, Expr]:
    """Johnson, Kotz & Balakrishnan 1994, volume 1, section 13.10."""
    low, high = _edges(a, bounds)
    mass = LogNormalInterval(low, high)
    at_low, at_high = _hazard(low, mass), _hazard(high, mass)
    edge_low, edge_high = (S.Zero if end in (oo, -oo) else end for end in bounds)
    mean = a["m"] + sqrt(a["v"]) * (at_low - at_high)
    square = a["v"] + a["m"] * mean + sqrt(a["v"]) * (edge_low * at_low - edge_high * at_high)
    return {u: mean, u**2: square}


def _exponential_length(bounds: tuple[Expr, Expr]) -> Expr:
    return bounds[1] - bounds[0]


def _truncated_exponential_partition(a: Mapping[str, Expr], bounds: tuple[Expr, Expr]) -> Expr:
    rate, length = a["rate"], _exponential_length(bounds)
    tail = S.Zero if length == oo else log(1 - exp(-rate * length))
    return -rate * bounds[0] - log(rate) + tail


def _truncated_exponential_moments(
    u: Expr, a: Mapping[str, Expr], bounds: tuple[Expr, Expr]
) -> Mapping[Expr, Expr]:
    rate, length = a["rate"], _exponential_length(bounds)
    if length == oo:
        mean = bounds[0] + 1 / rate
        return {u: mean, u**2: mean**2 + 1 / rate**2}
    return {u: bounds[0] + 1 / rate - length * exp(-rate * length) / (1 - exp(-rate * length))}


NORMAL_FACE = ExponentialFace(
    statistics=lambda u: (u, u**2),
    arguments=_normal_arguments,
    log_partition=lambda a, _b: a["m"] ** 2 / (2 * a["v"]) + log(a["v"]) / 2 + log(2 * pi) / 2,
    moments=_normal_moments,
)

TRUNCATED_NORMAL_FACE = ExponentialFace(
    statistics=lambda u: (u, u**2),
    arguments=_normal_arguments,
    log_partition=lambda a, b: (
        a["m"] ** 2 / (2 * a["v"]) + log(a["v"]) / 2 + log(2 * pi) / 2 + LogNormalInterval(*_edges(a, b))
    ),
    moments=_truncated_moments,
)

GAMMA_FACE = ExponentialFace(
    statistics=lambda u: (log(u), u),
    arguments=lambda eta, _b: {"shape": eta[0] + 1, "rate": -eta[1]},
    log_partition=lambda a, _b: loggamma(a["shape"]) - a["shape"] * log(a["rate"]),
    moments=lambda u, a, _b: {
        u: a["shape"] / a["rate"],
        log(u): digamma(a["shape"]) - log(a["rate"]),
        1 / u: a["rate"] / (a["shape"] - 1),
        u**2: a["shape"] * (a["shape"] + 1) / a["rate"] ** 2,
    },
)

EXPONENTIAL_FACE = ExponentialFace(
    statistics=lambda u: (u,),
    arguments=lambda eta, _b: {"rate": -eta[0]},
    log_partition=_truncated_exponential_partition,
    moments=_truncated_exponential_moments,
)

INVERSE_GAMMA_FACE = ExponentialFace(
    statistics=lambda u: (log(u), 1 / u),
    arguments=lambda eta, _b: {"shape": -eta[0] - 1, "scale": -eta[1]},
    log_partition=lambda a, _b: loggamma(a["shape"]) - a["shape"] * log(a["scale"]),
    moments=lambda u, a, _b: {
        1 / u: a["shape"] / a["scale"],
        log(u): log(a["scale"]) - digamma(a["shape"]),
        u: a["scale"] / (a["shape"] - 1),
    },
)

LOG_NORMAL_FACE = ExponentialFace(
    statistics=lambda u: (log(u), log(u) ** 2),
    arguments=lambda eta, bounds: _normal_arguments((eta[0] + 1, eta[1]), bounds),
    log_partition=lambda a, _b: a["m"] ** 2 / (2 * a["v"]) + log(a["v"]) / 2 + log(2 * pi) / 2,
    moments=lambda u, a, _b: {
        log(u): a["m"],
        log(u) ** 2: a["m"] ** 2 + a["v"],
        u: exp(a["m"] + a["v"] / 2),
        1 / u: exp(-a["m"] + a["v"] / 2),
    },
)

BETA_FACE = ExponentialFace(
    statistics=lambda u: (log(u), log(1 - u)),
    arguments=lambda eta, _b: {"alpha": eta[0] + 1, "beta": eta[1] + 1},
    log_partition=lambda a, _b: _log_beta(a["alpha"], a["beta"]),
    moments=lambda u, a, _b: {
        u: a["alpha"] / (a["alpha"] + a["beta"]),
        log(u): digamma(a["alpha"]) - digamma(a["alpha"] + a["beta"]),
        log(1 - u): digamma(a["beta"]) - digamma(a["alpha"] + a["beta"]),
        u**2: a["alpha"] * (a["alpha"] + 1) / ((a["alpha"] + a["beta"]) * (a["alpha"] + a["beta"] + 1)),
    },
)

POISSON_FACE = ExponentialFace(
    statistics=lambda u: (u,),
    base_measure=lambda u, b: -loggamma(u - b[0] + 1),
    arguments=lambda eta, _b: {"rate": exp(eta[0])},
    log_partition=lambda a, b: b[0] * log(a["rate"]) + a["rate"],
    moments=lambda u, a, b: {u: b[0] + a["rate"], u**2: (b[0] + a["rate"]) ** 2 + a["rate"]},
)

GEOMETRIC_FACE = ExponentialFace(
    statistics=lambda u: (u,),
    arguments=lambda eta, _b: {"ratio": exp(eta[0])},
    log_partition=lambda a, b: b[0] * log(a["ratio"]) - log(1 - a["ratio"]),
    moments=lambda u, a, b: {u: b[0] + a["ratio"] / (1 - a["ratio"])},
)

BINOMIAL_FACE = ExponentialFace(
    statistics=lambda u: (u,),
    base_measure=lambda u, b: -loggamma(u - b[0] + 1) - loggamma(b[1] - u + 1),
    arguments=lambda eta, _b: {"odds": exp(eta[0])},
    log_partition=lambda a, b: (
        b[0] * log(a["odds"]) + (b[1] - b[0]) * log(1 + a["odds"]) - loggamma(b[1] - b[0] + 1)
    ),
    moments=lambda u, a, b: {u: b[0] + (b[1] - b[0]) * a["odds"] / (1 + a["odds"])},
)

UNIFORM_FACE = ExponentialFace(
    statistics=lambda _u: (),
    arguments=lambda _eta, b: {"lower": b[0], "upper": b[1]},
    log_partition=lambda a, _b: log(a["upper"] - a["lower"]),
    moments=lambda u, a, _b: {
        u: (a["lower"] + a["upper"]) / 2,
        u**2: (a["lower"] ** 2 + a["lower"] * a["upper"] + a["upper"] ** 2) / 3,
    },
)

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
    lambda x, a, b: (a - 1) * log(x) + (b - 1) * log(1 - x) - _log_beta(a, b),
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
    lambda x, r, p: loggamma(x + r) - loggamma(x + 1) - loggamma(r) + r * log(1 - p) + x * log(p),
    lambda *_: _COUNT,
    lambda rng, size, r, p: rng.negative_binomial(r, 1 - np.asarray(p), size),
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
    {"mu": _REAL, "k": _POSITIVE},
    lambda x, mu, k: k * cos(x - mu) - log(2 * pi) - log(besseli(0, k)),
    lambda *_: Interval(-pi, pi),
    lambda rng, size, mu, k: rng.vonmises(mu, k, size),
)
Uniform = Family(
    "Uniform",
    {"left": _REAL, "right": _REAL},
    lambda x, a, b: -log(b - a) + _inside(x, a, b),
    lambda a, b: Interval(a, b),
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

#: The rows with one scalar value, by the name users write.
FAMILIES: dict[str, Family] = {
    row.name: row
    for row in (
        Normal, Gamma, GammaInverse, Exponential, Beta, LogNormal, Poisson, Geometric, Binomial,
        NegativeBinomial, Bernoulli, Weibull, Rayleigh, Laplace, Pareto, GaussianInverse, ChiSquared,
        Maxwell, VonMises, Uniform, Dirac, StudentT,
    )
}  # fmt: skip

_CATEGORICAL = Family("Categorical", {"p": Simplex()}, lambda *_: S.Zero, lambda *_: Binary())
_MULTINOMIAL = Family("Multinomial", {"n": _COUNT, "p": Simplex()}, lambda *_: S.Zero, lambda *_: _COUNT)
_DIRICHLET = Family("Dirichlet", {"alpha": _POSITIVE}, lambda *_: S.Zero, lambda *_: Simplex())
_CASES = Family("Cases", {"label": Binary()}, lambda *_: S.Zero, lambda *_: _REAL)


def _flat(arguments: tuple[Any, ...]) -> tuple[Expr, ...]:
    first = arguments[0] if len(arguments) == 1 else arguments
    entries = tuple(first) if isinstance(first, (tuple, list, Tuple)) else (first,)
    return tuple(sympify(entry) for entry in entries)


def Categorical(*p: Any) -> Distribution:
    """A label: `Categorical(w[k])` over the range of k, or `Categorical((p1, p2, ...))`."""
    return Distribution(_CATEGORICAL, _flat(p))


def Multinomial(n: Any, *p: Any) -> Distribution:
    """Counts with total n: `Multinomial(N[i], p[v])` over the range of v, or `Multinomial(n, p1, p2, ...)`."""
    return Distribution(_MULTINOMIAL, (sympify(n), *_flat(p)))


def Dirichlet(*alpha: Any) -> Distribution:
    """A point of a simplex: `Dirichlet(a)` (symmetric), `Dirichlet(a[k])` or `Dirichlet((a1, a2, ...))`."""
    return Distribution(_DIRICHLET, _flat(alpha))


def Cases(label: Any, branches: Mapping[int, Distribution]) -> Distribution:
    """A different family for each value of a label: `Cases(z[i], {0: Dirac(0), 1: Poisson(lam)})`."""
    read = {int(value): as_distribution(branch) for value, branch in branches.items()}
    return Distribution(_CASES, (sympify(label),), read)


def as_distribution(stated: Any) -> Distribution:
    """What stands behind a colon, as a `Distribution`; a `sympy.stats` random symbol is taken too.

    Raises:
        ModelError: it is neither, or the table has no row for it.
    """
    if isinstance(stated, Distribution):
        return stated
    inner = getattr(getattr(stated, "pspace", None), "distribution", None)
    if inner is None:
        raise ModelError(f"{stated!r} is not a distribution: write Normal(mean, std), Categorical(w[k]), …")
    name = type(inner).__name__.removesuffix("Distribution")
    if name == "Multinomial":
        return Multinomial(inner.args[0], *inner.args[1])
    if name == "MultivariateBeta":
        return Dirichlet(tuple(inner.args[0]))
    row = FAMILIES.get(name)
    if row is None:
        raise ModelError(f"sympy.stats' {name} has no row in the table: write Family({name!r}, …) for it.")
    return row(*inner.args[: len(row.parameters)])


def symmetric_dirichlet(alpha: Expr, size: Expr) -> Expr:
    """The log of the normalising constant of a symmetric Dirichlet over `size` cells."""
    return loggamma(size * alpha) - size * loggamma(alpha)


def log_multinomial(total: Expr, counts: tuple[Expr, ...]) -> Expr:
    """log of total! / Π counts!."""
    return Add(loggamma(total + 1), *(-loggamma(count + 1) for count in counts))


__all__ = [*FAMILIES, "FAMILIES", "Cases", "Categorical", "Dirichlet", "Distribution", "Family", "Multinomial"]
_ = (Integer, Rational, Symbol)
