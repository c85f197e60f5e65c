"""Laws of a positive number that data have, and no posterior: one row each, named and parametrised as in `sympy.stats`."""

from __future__ import annotations

from sympy import log, loggamma, oo, pi

from symem.language.family import Family, Printed
from symem.language.real_families import inside
from symem.language.supports import Interval, Positive
from symem.runtime.samplers import (
    _draw_chi_squared,
    _draw_erlang,
    _draw_gaussian_inverse,
    _draw_maxwell,
    _draw_pareto,
    _draw_rayleigh,
)

_POSITIVE = Positive()

Rayleigh = Family(
    "Rayleigh",
    {"sigma": _POSITIVE},
    lambda x, s: log(x) - 2 * log(s) - x**2 / (2 * s**2),
    lambda *_: _POSITIVE,
    _draw_rayleigh,
)


Pareto = Family(
    "Pareto",
    {"xm": _POSITIVE, "alpha": _POSITIVE},
    lambda x, xm, a: log(a) + a * log(xm) - (a + 1) * log(x) + inside(x, xm, oo),
    lambda xm, _a: Interval(xm, oo),
    _draw_pareto,
)
GaussianInverse = Family(
    "GaussianInverse",
    {"mean": _POSITIVE, "shape": _POSITIVE},
    lambda x, m, s: log(s) / 2 - log(2 * pi) / 2 - 3 * log(x) / 2 - s * x / (2 * m**2) + s / m - s / (2 * x),
    lambda *_: _POSITIVE,
    _draw_gaussian_inverse,
    printed=Printed(words="inverse Gaussian", sign=r"\mathrm{InverseGaussian}"),
)
ChiSquared = Family(
    "ChiSquared",
    {"k": _POSITIVE},
    lambda x, k: (k / 2 - 1) * log(x) - x / 2 - k * log(2) / 2 - loggamma(k / 2),
    lambda *_: _POSITIVE,
    _draw_chi_squared,
)
Maxwell = Family(
    "Maxwell",
    {"a": _POSITIVE},
    lambda x, a: log(2 / pi) / 2 + 2 * log(x) - 3 * log(a) - x**2 / (2 * a**2),
    lambda *_: _POSITIVE,
    _draw_maxwell,
)
Erlang = Family(
    "Erlang",
    {"k": _POSITIVE, "l": _POSITIVE},
    lambda x, k, rate: (k - 1) * log(x) - rate * x + k * log(rate) - loggamma(k),
    lambda *_: _POSITIVE,
    _draw_erlang,
)
