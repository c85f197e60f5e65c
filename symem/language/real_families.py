"""The laws of a real number, and of a number in an interval: one row each, named and parametrised as in `sympy.stats`.

A face's arguments carry names of their own where those of `sympy.stats` are longer: m and v of a normal law.
"""

from __future__ import annotations

from collections.abc import Mapping

from sympy import (
    Abs,
    Add,
    And,
    Expr,
    Ge,
    Le,
    S,
    Sum,
    atan2,
    besseli,
    cos,
    digamma,
    exp,
    log,
    loggamma,
    oo,
    pi,
    sin,
    sqrt,
)

from symem.language.exponential_face import Argument, Arguments, Bounds, ExponentialFace
from symem.language.family import Family, Printed
from symem.language.plates import LogIverson, deviation
from symem.language.special import LogNormalInterval
from symem.language.supports import Circle, Interval, Positive, Reals, UnitInterval
from symem.runtime.samplers import (
    _draw_beta,
    _draw_cauchy,
    _draw_dirac,
    _draw_gumbel,
    _draw_laplace,
    _draw_logistic,
    _draw_normal,
    _draw_student_t,
    _draw_uniform,
    _draw_von_mises,
)

_POSITIVE, _REAL, _UNIT = Positive(), Reals(), UnitInterval()
LINE: Bounds = (-oo, oo)


def inside(value: Expr, lower: Expr, upper: Expr) -> Expr:
    """0 between the ends, -∞ elsewhere."""
    return LogIverson(And(Ge(value, lower), Le(value, upper)))


def log_beta(a: Expr, b: Expr) -> Expr:
    """log B(a, b); B(a, 1) = 1/a."""
    if S.One in (a, b):
        return -log(a * b)
    return loggamma(a) + loggamma(b) - loggamma(a + b)


# -- Normal, whole and cut ---------------------------------------------------------------------------------


def normal(x: Expr, mean: Expr, std: Expr) -> Expr:
    """log N(x; mean, std²)."""
    return -log(2 * pi) / 2 - log(std) - (x - mean) ** 2 / (2 * std**2)


def _normal_arguments(eta: tuple[Expr, ...], _bounds: Bounds) -> Arguments:
    precision = _scaled(-2, eta[1])
    return {"m": eta[0] / precision, "v": 1 / precision}


def _scaled(number: int, value: Expr) -> Expr:
    """A multiple of a sum, the factor inside: -2 Σ -t²/2 is Σ t²."""
    parts = Add.make_args(value)
    return Add(*(Sum(number * p.function, *p.limits) if isinstance(p, Sum) else number * p for p in parts))


def _normal_partition(a: Arguments, bounds: Bounds) -> Expr:
    whole = a["m"] ** 2 / (2 * a["v"]) + log(a["v"]) / 2 + log(2 * pi) / 2
    return whole if bounds == LINE else whole + LogNormalInterval(*_edges(a, bounds))


def _normal_moments(u: Expr, a: Arguments, bounds: Bounds) -> Mapping[Expr, Expr]:
    """Cut: Johnson, Kotz & Balakrishnan 1994, volume 1, section 13.10."""
    m, v = a["m"], a["v"]
    if bounds == LINE:
        return {u: m, u**2: m**2 + v, u**3: m**3 + 3 * m * v, u**4: m**4 + 6 * m**2 * v + 3 * v**2}
    low, high = _edges(a, bounds)
    mass = LogNormalInterval(low, high)
    at_low, at_high = _hazard(low, mass), _hazard(high, mass)
    edge_low, edge_high = (S.Zero if end in (oo, -oo) else end for end in bounds)
    mean = m + sqrt(v) * (at_low - at_high)
    inner_low, inner_high = (S.Zero if end in (oo, -oo) else end for end in (low, high))
    narrowed = 1 + inner_low * at_low - inner_high * at_high - (at_low - at_high) ** 2
    moments = [S.One, mean]
    for r in (1, 2, 3):
        ends = edge_low**r * at_low - edge_high**r * at_high
        moments.append(m * moments[r] + r * v * moments[r - 1] + sqrt(v) * ends)
    powers = {u**r: moments[r] for r in (1, 2, 3, 4)}
    return {**powers, deviation(u): v * narrowed}


def _edges(a: Arguments, bounds: Bounds) -> tuple[Expr, ...]:
    return tuple(end if end in (oo, -oo) else (end - a["m"]) / sqrt(a["v"]) for end in bounds)


def _hazard(edge: Expr, log_mass: Expr) -> Expr:
    return S.Zero if edge in (oo, -oo) else exp(-(edge**2) / 2 - log_mass) / sqrt(2 * pi)


def _with_variance(mean: Expr, std: Expr) -> tuple[Expr, ...]:
    return mean, std**2


NORMAL_FACE = ExponentialFace(
    statistics=lambda u: (u, u**2),
    arguments=_normal_arguments,
    log_partition=_normal_partition,
    moments=_normal_moments,
    natural=lambda a: (a["m"] / a["v"], -1 / (2 * a["v"])),
    parameters=lambda a, _bounds: (a["m"], sqrt(a["v"])),
    named={"m": Argument(_REAL, "m", "mean"), "v": Argument(_POSITIVE, "v", "variance")},
    on=lambda _bounds: True,
)
Normal = Family(
    "Normal",
    {"mean": _REAL, "std": _POSITIVE},
    normal,
    lambda *_: _REAL,
    _draw_normal,
    face=NORMAL_FACE,
    printed=Printed(sign=r"\mathcal{N}", shown=_with_variance),
)

# -- Beta and Uniform --------------------------------------------------------------------------------------


def _beta_moments(u: Expr, a: Arguments, _bounds: Bounds) -> Mapping[Expr, Expr]:
    alpha, beta = a["alpha"], a["beta"]
    whole = alpha + beta
    return {
        u: alpha / whole,
        log(u): digamma(alpha) - digamma(whole),
        log(1 - u): digamma(beta) - digamma(whole),
        u**2: alpha * (alpha + 1) / (whole * (whole + 1)),
    }


Beta = Family(
    "Beta",
    {"alpha": _POSITIVE, "beta": _POSITIVE},
    lambda x, a, b: (a - 1) * log(x) + (b - 1) * log(1 - x) - log_beta(a, b),
    lambda *_: _UNIT,
    _draw_beta,
    face=ExponentialFace(
        statistics=lambda u: (log(u), log(1 - u)),
        arguments=lambda eta, _b: {"alpha": eta[0] + 1, "beta": eta[1] + 1},
        log_partition=lambda a, _b: log_beta(a["alpha"], a["beta"]),
        moments=_beta_moments,
        natural=lambda a: (a["alpha"] - 1, a["beta"] - 1),
        named={"alpha": Argument(word="α"), "beta": Argument(word="β")},
        flat=True,
    ),
)
Uniform = Family(
    "Uniform",
    {"left": _REAL, "right": _REAL},
    lambda x, a, b: -log(b - a) + inside(x, a, b),
    Interval,
    _draw_uniform,
    face=ExponentialFace(
        statistics=lambda _u: (),
        arguments=lambda _eta, b: {"lower": b[0], "upper": b[1]},
        log_partition=lambda a, _b: log(a["upper"] - a["lower"]),
        moments=lambda u, a, _b: {
            u: (a["lower"] + a["upper"]) / 2,
            u**2: (a["lower"] ** 2 + a["lower"] * a["upper"] + a["upper"] ** 2) / 3,
        },
        natural=lambda _a: (),
        parameters=lambda a, _b: (a["lower"], a["upper"]),
        named={"lower": Argument(_REAL, "l"), "upper": Argument(_REAL, "u")},
        on=lambda b: b[0] != -oo and b[1] != oo,
    ),
)

# -- angles ------------------------------------------------------------------------------------------------


def _resultant(a: Arguments) -> tuple[Expr, Expr]:
    return a["k"] * cos(a["mu"]), a["k"] * sin(a["mu"])


def _direction_moments(u: Expr, a: Arguments, _bounds: Bounds) -> Mapping[Expr, Expr]:
    """Mardia & Jupp 2000, section 3.5.4."""
    length = besseli(1, a["k"]) / besseli(0, a["k"])
    return {cos(u): length * cos(a["mu"]), sin(u): length * sin(a["mu"])}


VonMises = Family(
    "VonMises",
    {"mu": Circle(), "k": _POSITIVE},
    lambda x, mu, k: k * cos(x - mu) - log(2 * pi) - log(besseli(0, k)),
    lambda *_: Interval(-pi, pi),
    _draw_von_mises,
    ExponentialFace(
        statistics=lambda u: (cos(u), sin(u)),
        arguments=lambda eta, _b: {"mu": atan2(eta[1], eta[0]), "k": sqrt(eta[0] ** 2 + eta[1] ** 2)},
        log_partition=lambda a, _b: log(2 * pi) + log(besseli(0, a["k"])),
        moments=_direction_moments,
        natural=_resultant,
        named={
            "mu": Argument(Circle(), "mu", "mean direction"),
            "k": Argument(_POSITIVE, "kappa", "concentration"),
        },
        flat=True,
    ),
    Printed("von Mises"),
)

# -- observed only -----------------------------------------------------------------------------------------

Laplace = Family(
    "Laplace",
    {"mu": _REAL, "b": _POSITIVE},
    lambda x, mu, b: -log(2) - log(b) - Abs(x - mu) / b,
    lambda *_: _REAL,
    _draw_laplace,
    mixture="Normal({mu}, {b}*sqrt(2*{latent})) with a latent {latent}: Exponential(1)",  # Andrews & Mallows 1974
)
Dirac = Family(
    "Dirac",
    {"point": _REAL},
    lambda x, point: inside(x, point, point),
    lambda point: Interval(point, point),
    _draw_dirac,
    printed=Printed(sign=r"\delta"),
)
StudentT = Family(
    "StudentT",
    {"nu": _POSITIVE},
    lambda x, nu: (
        loggamma((nu + 1) / 2) - loggamma(nu / 2) - log(pi * nu) / 2 - (nu + 1) * log(1 + x**2 / nu) / 2
    ),
    lambda *_: _REAL,
    _draw_student_t,
    printed=Printed(sign=r"\mathrm{Student\,t}"),
    more="About m with a scale s it is a Normal law whose precision is latent: u[i]: Gamma(nu/2, 2/nu) beside "
    "x[i]: Normal(m, s/sqrt(u[i])), latent=[u]",
)
Logistic = Family(
    "Logistic",
    {"mu": _REAL, "s": _POSITIVE},
    lambda x, mu, s: -(x - mu) / s - log(s) - 2 * log(1 + exp(-(x - mu) / s)),
    lambda *_: _REAL,
    _draw_logistic,
)
Cauchy = Family(
    "Cauchy",
    {"x0": _REAL, "gamma": _POSITIVE},
    lambda x, x0, gamma: log(gamma) - log(pi) - log(gamma**2 + (x - x0) ** 2),
    lambda *_: _REAL,
    _draw_cauchy,
)
Gumbel = Family(
    "Gumbel",
    {"beta": _POSITIVE, "mu": _REAL},
    lambda x, beta, mu: -log(beta) - (x - mu) / beta - exp(-(x - mu) / beta),
    lambda *_: _REAL,
    _draw_gumbel,
)
