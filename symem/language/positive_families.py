"""The laws of a positive number: one row each, named and parametrised as in `sympy.stats`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from sympy import Add, Expr, Rational, S, besselk, digamma, exp, factorial, log, loggamma, oo, pi, sqrt

from symem.language.bessel_logarithms import LogBesselK, LogBesselKDerivative
from symem.language.exponential_face import (
    Argument,
    Arguments,
    Bounds,
    ExponentialFace,
    GammaPower,
    ShapedFace,
)
from symem.language.family import Family, Printed
from symem.language.incomplete_gamma import GammaIntervalLogMean, GammaIntervalMean, LogGammaInterval
from symem.language.polya_gamma import LogPolyaGamma, TanhRatio, log_cosh_of_half
from symem.language.real_families import LINE, NORMAL_FACE, normal
from symem.language.supports import NonNegative, Positive, Reals
from symem.runtime.samplers import (
    _draw_exponential,
    _draw_gamma,
    _draw_gamma_inverse,
    _draw_generalised_inverse_gaussian,
    _draw_log_normal,
    _draw_polya_gamma,
    _draw_weibull,
)

_POSITIVE, _REAL = Positive(), Reals()
HALF_LINE: Bounds = (S.Zero, oo)

# -- Exponential, LogNormal, Weibull: whole and cut --------------------------------------------------------


def _exponential_partition(a: Arguments, bounds: Bounds) -> Expr:
    rate, length = a["rate"], bounds[1] - bounds[0]
    tail = S.Zero if length == oo else log(1 - exp(-rate * length))
    return -rate * bounds[0] - log(rate) + tail


def _exponential_moments(u: Expr, a: Arguments, bounds: Bounds) -> Mapping[Expr, Expr]:
    rate, length = a["rate"], bounds[1] - bounds[0]
    if length == oo:
        mean = bounds[0] + 1 / rate
        return {u: mean, u**2: mean**2 + 1 / rate**2}
    return {u: GammaIntervalMean(1, rate * bounds[0], rate * bounds[1]) / rate}


def _log_bounds(bounds: Bounds) -> Bounds:
    low, high = (-oo if end == 0 else oo if end == oo else log(end) for end in bounds)
    return low, high


def _log_normal_moments(u: Expr, a: Arguments, bounds: Bounds) -> Mapping[Expr, Expr]:
    of_logs, (m, v) = NORMAL_FACE.moments(log(u), a, _log_bounds(bounds)), (a["m"], a["v"])
    own = {u: exp(m + v / 2), 1 / u: exp(-m + v / 2)} if _log_bounds(bounds) == LINE else {}
    return {**of_logs, **own}


def _with_variance(mean: Expr, std: Expr) -> tuple[Expr, ...]:
    return mean, std**2


Exponential = Family(
    "Exponential",
    {"rate": _POSITIVE},
    lambda x, rate: log(rate) - rate * x,
    lambda *_: _POSITIVE,
    _draw_exponential,
    face=ExponentialFace(
        statistics=lambda u: (u,),
        arguments=lambda eta, _b: {"rate": -eta[0]},
        log_partition=_exponential_partition,
        moments=_exponential_moments,
        natural=lambda a: (-a["rate"],),
        named={"rate": Argument(letter="b")},
        on=lambda b: b[0] != -oo,
    ),
)
LogNormal = Family(
    "LogNormal",
    {"mean": _REAL, "std": _POSITIVE},
    lambda x, mean, std: normal(log(x), mean, std) - log(x),
    lambda *_: _POSITIVE,
    _draw_log_normal,
    face=ExponentialFace(
        statistics=lambda u: (log(u), log(u) ** 2),
        arguments=lambda eta, b: NORMAL_FACE.arguments((eta[0] + 1, eta[1]), b),
        log_partition=lambda a, b: NORMAL_FACE.log_partition(a, _log_bounds(b)),
        moments=_log_normal_moments,
        natural=lambda a: (a["m"] / a["v"] - 1, -1 / (2 * a["v"])),
        parameters=lambda a, _b: (a["m"], sqrt(a["v"])),
        named=NORMAL_FACE.named,
        on=lambda b: b[0] != -oo,
    ),
    printed=Printed(shown=_with_variance),
)


def _powers(density: Mapping[Expr, Expr], u: Expr) -> Iterator[Expr]:
    """The powers of u in a log-density, but for those of other families."""
    found = (g.as_base_exp() for g in density)
    return (power for base, power in found if base == u and power not in (1, -1))


def _power_face(power: Expr) -> ExponentialFace:
    """u to a power is exponential, whole or between ends."""

    def powers(bounds: Bounds) -> Bounds:
        return bounds[0] ** power, oo if bounds[1] == oo else bounds[1] ** power

    def as_power(a: Arguments, bounds: Bounds) -> GammaPower:
        low, high = (_stretched(a["rate"], end, a["power"]) for end in bounds)
        return GammaPower(-log(a["rate"]) / a["power"], 1 / a["power"], S.One, low, high)

    def moments(u: Expr, a: Arguments, bounds: Bounds) -> Mapping[Expr, Expr]:
        own = as_power(a, bounds)
        log_mean = own.offset + own.slope * GammaIntervalLogMean(S.One, own.low, own.high)
        return {u**power: _exponential_moments(u**power, a, powers(bounds))[u**power], log(u): log_mean}

    return ExponentialFace(
        statistics=lambda u: (u**power,),
        base_measure=lambda u, _b: (power - 1) * log(u),
        arguments=lambda eta, _b: {"rate": -eta[0], "power": power},
        log_partition=lambda a, b: _exponential_partition(a, powers(b)) - log(power),
        moments=moments,
        natural=lambda a: (-a["rate"],),
        parameters=lambda a, _b: (a["rate"] ** (-1 / a["power"]), a["power"]),
        named={"rate": Argument(letter="b"), "power": Argument(letter="p")},
        on=lambda b: b[0] != -oo,
        as_power=as_power,
    )


def _stretched(rate: Expr, end: Expr, power: Expr = S.One) -> Expr:
    """An end of the rate times what lies between ends, to a power."""
    return end if end in (0, oo) else rate * end**power


Weibull = Family(
    "Weibull",
    {"alpha": _POSITIVE, "beta": _POSITIVE},
    lambda x, a, b: log(b) - b * log(a) + (b - 1) * log(x) - x**b / a**b,
    lambda *_: _POSITIVE,
    _draw_weibull,
    face=ShapedFace(_powers, _power_face),
)

# -- Gamma, its inverse and what lies between --------------------------------------------------------------

_GAMMA_FACE = ExponentialFace(
    statistics=lambda u: (log(u), u),
    arguments=lambda eta, _b: {"shape": eta[0] + 1, "rate": -eta[1]},
    log_partition=lambda a, _b: loggamma(a["shape"]) - a["shape"] * log(a["rate"]),
    moments=lambda u, a, _b: {
        u: a["shape"] / a["rate"],
        log(u): digamma(a["shape"]) - log(a["rate"]),
        1 / u: a["rate"] / (a["shape"] - 1),
        u**2: a["shape"] * (a["shape"] + 1) / a["rate"] ** 2,
    },
    natural=lambda a: (a["shape"] - 1, -a["rate"]),
    parameters=lambda a, _b: (a["shape"], 1 / a["rate"]),
    named={"shape": Argument(letter="a"), "rate": Argument(letter="b")},
    flat=True,
    as_power=lambda a, b: GammaPower(-log(a["rate"]), S.One, *_scaled_ends(a, b)),
)


def _scaled_ends(a: Arguments, bounds: Bounds) -> tuple[Expr, ...]:
    return a["shape"], *(_stretched(a["rate"], end) for end in bounds)


#: Between ends, by incomplete gamma functions.
_CUT_GAMMA_FACE = replace(
    _GAMMA_FACE,
    log_partition=lambda a, b: _GAMMA_FACE.log_partition(a, b) + LogGammaInterval(*_scaled_ends(a, b)),
    moments=lambda u, a, b: {
        u: GammaIntervalMean(*_scaled_ends(a, b)) / a["rate"],
        log(u): GammaIntervalLogMean(*_scaled_ends(a, b)) - log(a["rate"]),
    },
    on=lambda b: b[0] != -oo and b != HALF_LINE,
    flat=False,
)
Gamma = Family(
    "Gamma",
    {"k": _POSITIVE, "theta": _POSITIVE},
    lambda x, k, theta: (k - 1) * log(x) - x / theta - k * log(theta) - loggamma(k),
    lambda *_: _POSITIVE,
    _draw_gamma,
    face=(_GAMMA_FACE, _CUT_GAMMA_FACE),
)
_GAMMA_INVERSE_FACE = ExponentialFace(
    statistics=lambda u: (log(u), 1 / u),
    arguments=lambda eta, _b: {"shape": -eta[0] - 1, "scale": -eta[1]},
    log_partition=lambda a, _b: loggamma(a["shape"]) - a["shape"] * log(a["scale"]),
    moments=lambda u, a, _b: {
        1 / u: a["shape"] / a["scale"],
        log(u): log(a["scale"]) - digamma(a["shape"]),
        u: a["scale"] / (a["shape"] - 1),
    },
    natural=lambda a: (-a["shape"] - 1, -a["scale"]),
    parameters=lambda a, _b: (a["shape"], a["scale"]),
    named={"shape": Argument(letter="a"), "scale": Argument(letter="b")},
    as_power=lambda a, b: GammaPower(log(a["scale"]), S.NegativeOne, *_inverted_ends(a, b)),
)


def _inverted_ends(a: Arguments, bounds: Bounds) -> tuple[Expr, ...]:
    """Of scale/u, whose law is Gamma."""
    low, high = bounds
    return a["shape"], S.Zero if high == oo else a["scale"] / high, oo if low == 0 else a["scale"] / low


_CUT_GAMMA_INVERSE_FACE = replace(
    _GAMMA_INVERSE_FACE,
    log_partition=lambda a, b: (
        _GAMMA_INVERSE_FACE.log_partition(a, b) + LogGammaInterval(*_inverted_ends(a, b))
    ),
    moments=lambda u, a, b: {
        1 / u: GammaIntervalMean(*_inverted_ends(a, b)) / a["scale"],
        log(u): log(a["scale"]) - GammaIntervalLogMean(*_inverted_ends(a, b)),
    },
    on=lambda b: b[0] != -oo and b != HALF_LINE,
)
GammaInverse = Family(
    "GammaInverse",
    {"a": _POSITIVE, "b": _POSITIVE},
    lambda x, a, b: a * log(b) - loggamma(a) - (a + 1) * log(x) - b / x,
    lambda *_: _POSITIVE,
    _draw_gamma_inverse,
    face=(_GAMMA_INVERSE_FACE, _CUT_GAMMA_INVERSE_FACE),
    printed=Printed(words="inverse Gamma", sign=r"\mathrm{InverseGamma}"),
)


def _tail(order: Expr, z: Expr) -> Expr:
    """K_order(z) · e^z · √(2z/π) at a half-integer order: a polynomial in 1/z (Abramowitz & Stegun 10.2.15)."""
    n = int(abs(order) - Rational(1, 2))
    return Add(*(factorial(n + k) / (factorial(k) * factorial(n - k)) / (2 * z) ** k for k in range(n + 1)))


def _ratio(above: Expr, order: Expr, z: Expr) -> Expr:
    """K_above(z) / K_order(z)."""
    if (2 * order).is_Integer and not order.is_Integer:
        return _tail(above, z) / _tail(order, z)
    return besselk(above, z) / besselk(order, z)


def _gig_partition(a: Arguments, _bounds: Bounds) -> Expr:
    p, z = a["p"], sqrt(a["a"] * a["b"])
    power = p * (log(a["b"]) - log(a["a"])) / 2
    if (2 * p).is_Integer and not p.is_Integer:
        return log(2 * pi) / 2 - log(z) / 2 - z + log(_tail(p, z)) + power
    return log(2) + LogBesselK(p, z) + power


def _gig_moments(u: Expr, a: Arguments, _bounds: Bounds) -> Mapping[Expr, Expr]:
    """Jørgensen 1982, Statistical Properties of the Generalized Inverse Gaussian Distribution, section 2."""
    p, z = a["p"], sqrt(a["a"] * a["b"])
    scale = sqrt(a["b"] / a["a"])
    return {
        u: scale * _ratio(p + 1, p, z),
        1 / u: _ratio(p - 1, p, z) / scale,
        log(u): LogBesselKDerivative(p, z, 1, 0) + log(scale),
    }


def _gig(x: Expr, p: Expr, a: Expr, b: Expr) -> Expr:
    return (p - 1) * log(x) - (a * x + b / x) / 2 - _gig_partition({"p": p, "a": a, "b": b}, HALF_LINE)


GeneralisedInverseGaussian = Family(
    "GeneralisedInverseGaussian",
    {"p": _REAL, "a": _POSITIVE, "b": _POSITIVE},
    _gig,
    lambda *_: _POSITIVE,
    _draw_generalised_inverse_gaussian,
    face=ExponentialFace(
        statistics=lambda u: (log(u), u, 1 / u),
        arguments=lambda eta, _b: {"p": eta[0] + 1, "a": -2 * eta[1], "b": -2 * eta[2]},
        log_partition=_gig_partition,
        moments=_gig_moments,
        natural=lambda a: (a["p"] - 1, -a["a"] / 2, -a["b"] / 2),
        named={"p": Argument(_REAL)},
    ),
    printed=Printed("generalised inverse Gaussian", r"\mathrm{GIG}"),
)

# -- Pólya–Gamma -------------------------------------------------------------------------------------------


def _polya_gamma_shapes(density: Mapping[Expr, Expr], u: Expr) -> Iterator[Expr]:
    """The b of a density of shape b without tilt."""
    return (g.args[0] for g in density if isinstance(g, LogPolyaGamma) and g.args[1] == u)


def _tilted_face(shape: Expr) -> ExponentialFace:
    """E[e^(-c² u/2)] = cosh(c/2)^-b, of which the mean is the slope (Polson, Scott & Windle 2013)."""
    return ExponentialFace(
        statistics=lambda u: (u,),
        base_measure=lambda u, _b: LogPolyaGamma(shape, u),
        arguments=lambda eta, _b: {"c": sqrt(-2 * eta[0])},
        log_partition=lambda a, _b: -shape * log_cosh_of_half(a["c"]),
        moments=lambda u, a, _b: {u: shape * TanhRatio(a["c"])},
        natural=lambda a: (-(a["c"] ** 2) / 2,),
        parameters=lambda a, _b: (shape, a["c"]),
        named={"c": Argument(NonNegative(), "c", "tilt")},
        flat=True,
    )


PolyaGamma = Family(
    "PolyaGamma",
    {"b": _POSITIVE, "c": NonNegative()},
    lambda x, b, c: LogPolyaGamma(b, x) - c**2 * x / 2 + b * log_cosh_of_half(c),
    lambda *_: _POSITIVE,
    _draw_polya_gamma,
    face=ShapedFace(_polya_gamma_shapes, _tilted_face),
    printed=Printed("Pólya–Gamma", r"\mathrm{PG}"),
)
