"""The exponential faces of the table: what a posterior is recognised by, and what then replaces its latent.

The arguments carry names of their own, apart from those users write: m and v of a normal, shape and rate
of a gamma. `bounds` are the ends of the latent's range, so one face serves the truncated and shifted cases.
"""

from __future__ import annotations

from collections.abc import Mapping

from sympy import Add, Expr, Rational, S, Sum, besselk, digamma, exp, factorial, log, loggamma, oo, pi, sqrt

from symem.language.family import ExponentialFace
from symem.language.special import LogNormalInterval


def log_beta(a: Expr, b: Expr) -> Expr:
    """log B(a, b)."""
    return loggamma(a) + loggamma(b) - loggamma(a + b)


def _normal_arguments(eta: tuple[Expr, ...], _bounds: tuple[Expr, Expr]) -> Mapping[str, Expr]:
    precision = _scaled(-2, eta[1])
    return {"m": eta[0] / precision, "v": 1 / precision}


def _scaled(number: int, value: Expr) -> Expr:
    """A multiple of a sum, the factor inside: -2 Σ -t²/2 is Σ t²."""
    parts = Add.make_args(value)
    return Add(*(Sum(number * p.function, *p.limits) if isinstance(p, Sum) else number * p for p in parts))


def _normal_moments(u: Expr, a: Mapping[str, Expr], _bounds: tuple[Expr, Expr]) -> Mapping[Expr, Expr]:
    m, v = a["m"], a["v"]
    return {u: m, u**2: m**2 + v, u**3: m**3 + 3 * m * v, u**4: m**4 + 6 * m**2 * v + 3 * v**2}


def _edges(a: Mapping[str, Expr], bounds: tuple[Expr, Expr]) -> tuple[Expr, Expr]:
    return tuple(end if end in (oo, -oo) else (end - a["m"]) / sqrt(a["v"]) for end in bounds)


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
    log_partition=lambda a, _b: log_beta(a["alpha"], a["beta"]),
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

TRUNCATED_LOG_NORMAL_FACE = ExponentialFace(
    statistics=lambda u: (log(u), log(u) ** 2),
    arguments=lambda eta, bounds: _normal_arguments((eta[0] + 1, eta[1]), bounds),
    log_partition=lambda a, b: TRUNCATED_NORMAL_FACE.log_partition(a, _log_bounds(b)),
    moments=lambda u, a, b: _truncated_moments(log(u), a, _log_bounds(b)),
)


def _log_bounds(bounds: tuple[Expr, Expr]) -> tuple[Expr, Expr]:
    return tuple(-oo if end == 0 else oo if end == oo else log(end) for end in bounds)


def _tail(order: Expr, z: Expr) -> Expr:
    """K_order(z) · e^z · √(2z/π) at a half-integer order: a polynomial in 1/z (Abramowitz & Stegun 10.2.15)."""
    n = int(abs(order) - Rational(1, 2))
    return Add(*(factorial(n + k) / (factorial(k) * factorial(n - k)) / (2 * z) ** k for k in range(n + 1)))


def _ratio(above: Expr, order: Expr, z: Expr) -> Expr:
    """K_above(z) / K_order(z)."""
    if (2 * order).is_Integer and not order.is_Integer:
        return _tail(above, z) / _tail(order, z)
    return besselk(above, z) / besselk(order, z)


def _gig_partition(a: Mapping[str, Expr], _bounds: tuple[Expr, Expr]) -> Expr:
    p, z = a["p"], sqrt(a["a"] * a["b"])
    power = p * (log(a["b"]) - log(a["a"])) / 2
    if (2 * p).is_Integer and not p.is_Integer:
        return log(2 * pi) / 2 - log(z) / 2 - z + log(_tail(p, z)) + power
    return log(2) + log(besselk(p, z)) + power


def _gig_moments(u: Expr, a: Mapping[str, Expr], _bounds: tuple[Expr, Expr]) -> Mapping[Expr, Expr]:
    """Jørgensen 1982, Statistical Properties of the Generalized Inverse Gaussian Distribution, section 2."""
    p, z = a["p"], sqrt(a["a"] * a["b"])
    scale = sqrt(a["b"] / a["a"])
    return {u: scale * _ratio(p + 1, p, z), 1 / u: _ratio(p - 1, p, z) / scale}


GENERALISED_INVERSE_GAUSSIAN_FACE = ExponentialFace(
    statistics=lambda u: (log(u), u, 1 / u),
    arguments=lambda eta, _b: {"p": eta[0] + 1, "a": -2 * eta[1], "b": -2 * eta[2]},
    log_partition=_gig_partition,
    moments=_gig_moments,
)


def power_exponential_face(power: Expr) -> ExponentialFace:
    """u to a known power is exponential: a Weibull or Rayleigh law, whole or beyond a lower bound."""

    def partition(a: Mapping[str, Expr], bounds: tuple[Expr, Expr]) -> Expr:
        return -a["rate"] * bounds[0] ** power - log(a["rate"]) - log(power)

    return ExponentialFace(
        statistics=lambda u: (u**power,),
        base_measure=lambda u, _b: (power - 1) * log(u),
        arguments=lambda eta, _b: {"rate": -eta[0]},
        log_partition=partition,
        moments=lambda u, a, b: {u**power: b[0] ** power + 1 / a["rate"]},
    )


def negative_binomial_face(size: Expr) -> ExponentialFace:
    """Failures before a known number of successes: Γ(u + r)/u! is the base measure."""
    return ExponentialFace(
        statistics=lambda u: (u,),
        base_measure=lambda u, _b: loggamma(u + size) - loggamma(u + 1),
        arguments=lambda eta, _b: {"ratio": exp(eta[0])},
        log_partition=lambda a, _b: loggamma(size) - size * log(1 - a["ratio"]),
        moments=lambda u, a, _b: {u: size * a["ratio"] / (1 - a["ratio"])},
    )
