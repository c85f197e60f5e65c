"""The laws of a count: one row each, named and parametrised as in `sympy.stats`; a face serves shifted ranges too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import permutations

from sympy import Abs, Expr, Max, S, besseli, exp, log, loggamma, oo

from symem.language.exponential_face import Argument, Arguments, Bounds, ExponentialFace, ShapedFace
from symem.language.family import Family, Printed
from symem.language.incomplete_gamma import GammaIntervalMean, LogGammaInterval
from symem.language.logarithm import complement
from symem.language.supports import Binary, Counts, NonNegative, Positive, UnitInterval
from symem.runtime.samplers import (
    _draw_bernoulli,
    _draw_binomial,
    _draw_geometric,
    _draw_negative_binomial,
    _draw_poisson,
)

_POSITIVE, _UNIT, _COUNT = Positive(), UnitInterval(), Counts()


def _log_binomial(n: Expr, x: Expr) -> Expr:
    return loggamma(n + 1) - loggamma(x + 1) - loggamma(n - x + 1)


def _bernoulli(x: Expr, p: Expr) -> Expr:
    return x * log(p) + (1 - x) * log(1 - p)


def _poisson_origins(density: Mapping[Expr, Expr], u: Expr) -> Iterator[Expr]:
    """The a of each 1/(u - a)! in a log-density."""
    for g, coefficient in density.items():
        if isinstance(g, loggamma) and coefficient == -1 and not (u + 1 - g.args[0]).has(u):
            yield u + 1 - g.args[0]


_POISSON_FACE = ExponentialFace(
    statistics=lambda u: (u,),
    base_measure=lambda u, b: -loggamma(u - b[0] + 1),
    arguments=lambda eta, _b: {"rate": exp(eta[0])},
    log_partition=lambda a, b: b[0] * log(a["rate"]) + a["rate"],
    moments=lambda u, a, b: {u: b[0] + a["rate"], u**2: (b[0] + a["rate"]) ** 2 + a["rate"]},
    natural=lambda a: (log(a["rate"]),),
    parameters=lambda a, _b: (a["rate"],),
    named={"rate": Argument(letter="b")},
    on=lambda b: b[1] == oo,
    flat=True,
)


def _later_poisson_face(origin: Expr) -> ExponentialFace:
    """Counts beyond their origin: P(V ≥ m) of a Poisson law of mean b is P(T < b) of a Gamma law of shape m."""

    def missed(a: Arguments, bounds: Bounds) -> tuple[Expr, ...]:
        return bounds[0] - origin, S.Zero, a["rate"]

    return replace(
        _POISSON_FACE,
        base_measure=lambda u, _b: -loggamma(u - origin + 1),
        log_partition=lambda a, b: origin * log(a["rate"]) + a["rate"] + LogGammaInterval(*missed(a, b)),
        moments=lambda u, a, b: {u: b[0] + a["rate"] - GammaIntervalMean(*missed(a, b))},
    )


Poisson = Family(
    "Poisson",
    {"lamda": _POSITIVE},
    lambda x, lam: x * log(lam) - lam - loggamma(x + 1),
    lambda *_: _COUNT,
    _draw_poisson,
    face=(_POISSON_FACE, ShapedFace(_poisson_origins, _later_poisson_face)),
    closed=True,
)
Geometric = Family(
    "Geometric",
    {"p": _UNIT},
    lambda x, p: (x - 1) * log(1 - p) + log(p),
    lambda *_: Counts(1),
    _draw_geometric,
    face=ExponentialFace(
        statistics=lambda u: (u,),
        arguments=lambda eta, _b: {"ratio": exp(eta[0])},
        log_partition=lambda a, b: b[0] * log(a["ratio"]) - log(1 - a["ratio"]),
        moments=lambda u, a, b: {u: b[0] + a["ratio"] / (1 - a["ratio"])},
        natural=lambda a: (log(a["ratio"]),),
        parameters=lambda a, _b: (1 - a["ratio"],),
        named={"ratio": Argument(letter="r")},
        on=lambda b: b[1] == oo,
    ),
)
Binomial = Family(
    "Binomial",
    {"n": _COUNT, "p": _UNIT},
    lambda x, n, p: _log_binomial(n, x) + x * log(p) + (n - x) * log(1 - p),
    lambda n, _p: Counts(0, n),
    _draw_binomial,
    face=ExponentialFace(
        statistics=lambda u: (u,),
        base_measure=lambda u, b: -loggamma(u - b[0] + 1) - loggamma(b[1] - u + 1),
        arguments=lambda eta, _b: {"odds": exp(eta[0])},
        log_partition=lambda a, b: (
            b[0] * log(a["odds"]) + (b[1] - b[0]) * log(1 + a["odds"]) - loggamma(b[1] - b[0] + 1)
        ),
        moments=lambda u, a, b: {u: b[0] + (b[1] - b[0]) * a["odds"] / (1 + a["odds"])},
        natural=lambda a: (log(a["odds"]),),
        parameters=lambda a, b: (b[1], a["odds"] / (1 + a["odds"])),
        named={"odds": Argument(letter="o")},
        on=lambda b: b[1] != oo,
        flat=True,
    ),
    closed=True,
)


def _pairs_of_origins(density: Mapping[Expr, Expr], u: Expr) -> Iterable[tuple[Expr, Expr]]:
    """The two a of 1/((u - a)! (u - b)!)."""
    return permutations(_poisson_origins(density, u), 2)


def _bessel_face(origins: tuple[Expr, Expr]) -> ExponentialFace:
    """Counts by which two Poisson counts of a known difference exceed their least (Yuan & Kalbfleisch 2000).

    Σ b^v/(v! (v + d)!) = b^(-d/2) I_d(2√b), and E[v (v + d)] = b.
    """
    one, other = origins
    apart, least = Abs(one - other), Max(one, other)

    def mean(a: Arguments) -> Expr:
        return a["a"] * besseli(apart + 1, a["a"]) / (2 * besseli(apart, a["a"]))

    def moments(u: Expr, a: Arguments, _bounds: Bounds) -> Mapping[Expr, Expr]:
        square = a["a"] ** 2 / 4 - apart * mean(a)
        return {u: least + mean(a), u**2: least**2 + 2 * least * mean(a) + square}

    return ExponentialFace(
        statistics=lambda u: (u,),
        base_measure=lambda u, _b: -loggamma(u - one + 1) - loggamma(u - other + 1),
        arguments=lambda eta, _b: {"a": 2 * exp(eta[0] / 2)},
        log_partition=lambda a, _b: (one + other) * log(a["a"] / 2) + log(besseli(apart, a["a"])),
        moments=moments,
        natural=lambda a: (2 * log(a["a"] / 2),),
        parameters=lambda a, _b: (apart, a["a"]),
        on=lambda b: b == (least, oo),
    )


Bessel = Family(
    "Bessel",
    {"nu": NonNegative(), "a": _POSITIVE},
    lambda x, nu, a: (2 * x + nu) * log(a / 2) - loggamma(x + 1) - loggamma(x + nu + 1) - log(besseli(nu, a)),
    lambda *_: _COUNT,
    face=ShapedFace(_pairs_of_origins, _bessel_face),
)


def _successes(density: Mapping[Expr, Expr], u: Expr) -> Iterator[Expr]:
    """The r of each Γ(u + r) in a log-density."""
    for g, coefficient in density.items():
        if isinstance(g, loggamma) and coefficient == 1 and not (g.args[0] - u).has(u):
            yield g.args[0] - u


def _failures_face(size: Expr) -> ExponentialFace:
    """Failures before a known number of successes: Γ(u + r)/u! is the base measure."""
    return ExponentialFace(
        statistics=lambda u: (u,),
        base_measure=lambda u, _b: loggamma(u + size) - loggamma(u + 1),
        arguments=lambda eta, _b: {"ratio": exp(eta[0])},
        log_partition=lambda a, _b: loggamma(size) - size * log(1 - a["ratio"]),
        moments=lambda u, a, _b: {u: size * a["ratio"] / (1 - a["ratio"])},
        natural=lambda a: (log(a["ratio"]),),
        parameters=lambda a, _b: (size, 1 - a["ratio"]),
        named={"ratio": Argument(letter="r")},
        on=lambda b: b == (S.Zero, oo),
    )


NegativeBinomial = Family(
    "NegativeBinomial",
    {"r": _POSITIVE, "p": _UNIT},
    lambda x, r, p: loggamma(x + r) - loggamma(x + 1) - loggamma(r) + r * log(p) + x * log(complement(p)),
    lambda *_: _COUNT,
    _draw_negative_binomial,
    face=ShapedFace(_successes, _failures_face),
    printed=Printed(words="negative Binomial"),
)
Bernoulli = Family(
    "Bernoulli",
    {"p": _UNIT},
    _bernoulli,
    lambda *_: Binary(),
    _draw_bernoulli,
    closed=True,
)
