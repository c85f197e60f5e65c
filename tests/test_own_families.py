"""Families that a user brings, as priors of latents: each comes back as the posterior, with its step, print and numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest
import scipy
from sympy import (
    Expr,
    Float,
    Idx,
    Indexed,
    IndexedBase,
    Rational,
    Symbol,
    diff,
    exp,
    expand_log,
    gamma,
    lambdify,
    log,
    loggamma,
    nsimplify,
    pi,
    sqrt,
    symbols,
)  # fmt: skip

from symem import (
    Counts,
    Exponential,
    ExponentialFace,
    Family,
    Model,
    Normal,
    Positive,
    ShapedFace,
    check_family,
)
from symem.codegen.emit import load
from symem.language.family import Array, Distribution

Nakagami = Family(
    "Nakagami",
    {"m": Positive(), "omega": Positive()},
    lambda u, m, omega: log(2) + m * log(m / omega) - loggamma(m) + (2 * m - 1) * log(u) - m * u**2 / omega,
    lambda *_: Positive(),
    lambda rng, size, m, omega: np.sqrt(rng.gamma(m, omega / m, size)),
    ExponentialFace(
        statistics=lambda u: (log(u), u**2),
        arguments=lambda eta, _b: {"m": (eta[0] + 1) / 2, "omega": (eta[0] + 1) / (-2 * eta[1])},
        log_partition=lambda a, _b: loggamma(a["m"]) - a["m"] * log(a["m"] / a["omega"]) - log(2),
    ),
)


def _lindley_sampler(rng: np.random.Generator, size: Any, s: Any, theta: Any) -> Any:
    return rng.gamma(s + (rng.random(size) < s / (s + theta)), 1 / np.asarray(theta))


#: Zakerzadeh & Dolati 2009; no moments are told, so that they come of the log-partition.
Lindley = Family(
    "Lindley",
    {"s": Positive(), "theta": Positive()},
    lambda u, s, t: (s - 1) * log(u) + log(1 + u) - t * u - log(gamma(s)) + (s + 1) * log(t) - log(s + t),
    lambda *_: Positive(),
    _lindley_sampler,
    ExponentialFace(
        statistics=lambda u: (log(u), u),
        base_measure=lambda u, _b: log(1 + u),
        arguments=lambda eta, _b: {"s": eta[0] + 1, "theta": -eta[1]},
        log_partition=lambda a, _b: (
            loggamma(a["s"]) - (a["s"] + 1) * log(a["theta"]) + log(a["theta"] + a["s"])
        ),
    ),
)


def _log_transform(k: Expr, theta: Expr) -> Expr:
    """log ∫ uᵏ e^{-θu} f(u) du of the positive stable law of index ½, whose Laplace transform is e^{-√(2θ)}."""
    t = Symbol("t", positive=True)
    rest = ((-1) ** k * diff(exp(-sqrt(2 * t)), t, k) * exp(sqrt(2 * t))).simplify()
    return -sqrt(2 * theta) + expand_log(log(rest), force=True).xreplace({t: theta})


def _stable_base(u: Expr, k: Expr) -> Expr:
    return (k - Rational(3, 2)) * log(u) - 1 / (2 * u) - log(2 * pi) / 2


def _powers(density: Mapping[Expr, Expr], u: Expr) -> Iterator[Expr]:
    k = density.get(log(u), 0) + Rational(3, 2)
    if k.is_Integer and k >= 0:
        yield k


TiltedStable = Family(
    "TiltedStable",
    {"k": Counts(), "theta": Positive()},
    lambda u, k, theta: _stable_base(u, k) - theta * u - _log_transform(k, theta),
    lambda *_: Positive(),
    lambda rng, size, k, theta: rng.wald(1 / np.sqrt(2 * np.asarray(theta)), 1.0, size),
    ShapedFace(
        _powers,
        lambda k: ExponentialFace(
            statistics=lambda u: (u,),
            base_measure=lambda u, _b: _stable_base(u, k),
            arguments=lambda eta, _b: {"theta": -eta[0]},
            log_partition=lambda a, _b: _log_transform(k, a["theta"]),
            parameters=lambda a, _b: (k, a["theta"]),
        ),
    ),
)

n = symbols("n", integer=True, positive=True)
i = Idx("i", n)
u, x, y = map(IndexedBase, ["u", "x", "y"])
mu, sigma, m, omega, s, theta, lam = symbols("mu sigma m omega s theta lam")
RNG = np.random.default_rng(0)
TAILS, OTHERS, WAITS = RNG.standard_t(3, 30) + 1, RNG.standard_t(3, 30) + 1, RNG.exponential(size=30)


@dataclass(frozen=True)
class Case:
    """A latent's law with a datum's, numbers for all, and what a textbook says of the posterior and of one step."""

    law: Distribution
    observed: Mapping[Any, Distribution]
    data: Mapping[str, Any]
    start: Mapping[str, float]
    posterior: tuple[Any, ...]
    weight: Any
    step: Callable[[Any], tuple[float, ...]]

    @property
    def known(self) -> list[Symbol]:
        return sorted((each for a in self.law.arguments for each in a.free_symbols), key=str)


def _normal_step(rows: Array, weight: Array) -> tuple[float, ...]:
    """Location and scale of rows of deviations with precisions `weight`."""
    centre = np.sum(weight * rows) / np.sum(weight * np.ones_like(rows))
    return float(centre), float(np.sqrt(np.mean(weight * (rows - centre) ** 2)))


_RATE = 1.5 / 2 + (TAILS - 0.5) ** 2 / 2
_TILT = 2 + ((TAILS - 0.5) ** 2 + (OTHERS - 0.5) ** 2) / 2
_HAZARD = 2 + 0.5 * WAITS
CASES = {
    "Nakagami precision": Case(
        law=Nakagami(m, omega),
        observed={x[i]: Normal(mu, sigma / u[i])},
        data={"x": TAILS, "m": 1.5, "omega": 2.0},
        start={"mu": 0.5, "sigma": 1.0},
        posterior=(2.0, 2.0 / _RATE),
        weight=2.0 / _RATE,
        step=lambda weight: _normal_step(TAILS, weight),
    ),
    "tilted stable precision of pairs": Case(
        law=TiltedStable(0, theta),
        observed={each[i]: Normal(mu, sigma / sqrt(u[i])) for each in (x, y)},
        data={"x": TAILS, "y": OTHERS, "theta": 2.0},
        start={"mu": 0.5, "sigma": 1.0},
        posterior=(1, _TILT),
        weight=1 / np.sqrt(2 * _TILT) + 1 / (2 * _TILT),
        step=lambda weight: _normal_step(np.stack([TAILS, OTHERS]), weight),
    ),
    "Lindley frailty": Case(
        law=Lindley(s, theta),
        observed={x[i]: Exponential(lam * u[i])},
        data={"x": WAITS, "s": 1.5, "theta": 2.0},
        start={"lam": 0.5},
        posterior=(2.5, _HAZARD),
        weight=2.5 * (3.5 + _HAZARD) / (_HAZARD * (2.5 + _HAZARD)),
        step=lambda weight: (float(30 / np.sum(weight * WAITS)),),
    ),
}
EACH = pytest.mark.parametrize("name", CASES)


@cache
def em_of(name: str) -> Any:
    case = CASES[name]
    return Model({u[i]: case.law, **case.observed}, latent=[u], known=case.known).derive()


@pytest.mark.parametrize("law", [Nakagami(1.5, 2), Lindley(1.5, 2), TiltedStable(0, 2), TiltedStable(2, 0.7)])
def test_the_rows_are_normalised(law: Distribution) -> None:
    assert check_family(law.family, [law.arguments]) < 1e-6


@EACH
def test_the_posterior_is_the_family_with_new_parameters(name: str) -> None:
    case = CASES[name]
    found = em_of(name).posterior[u]
    assert found.family is case.law.family
    entries = {each: case.data[str(each.base)] for a in found.arguments for each in a.atoms(Indexed)}
    numbers = {
        Symbol(str(key)): value for key, value in {**case.data, **case.start}.items() if np.ndim(value) == 0
    }
    for argument, expected in zip(found.arguments, case.posterior, strict=True):
        names = {each: Symbol(f"row_{place}") for place, each in enumerate(entries)}
        own = argument.xreplace(names).subs(
            {
                each: numbers[Symbol(str(each))]
                for each in argument.free_symbols
                if Symbol(str(each)) in numbers
            }
        )
        value = lambdify(list(names.values()), own)(*entries.values())
        np.testing.assert_allclose(value, expected, rtol=1e-12)


@EACH
def test_the_mean_is_that_of_the_density(name: str) -> None:
    """E[T] of the record against a quadrature of the row's own density."""
    record = em_of(name).derivation.posteriors[0]
    row, given = record.row, [float(np.ravel(each)[0]) for each in CASES[name].posterior]
    arguments = {key: Float(given[list(row.parameters).index(key)]) for key in record.arguments}
    value = Symbol("value", positive=True)
    density = lambdify(value, exp(row.log_density(value, *map(nsimplify, given))), ["scipy", "numpy"])
    for statistic in record.statistics:
        function = lambdify(value, statistic.xreplace({record.atom: value}), "numpy")
        mean = _integral(function, density)
        told = record.face.mean(record.atom, statistic, arguments, record.bounds)
        assert float(told.evalf()) == pytest.approx(mean, rel=1e-6)
        spread = record.face.variance(record.atom, statistic, arguments, record.bounds)
        square = _integral(lambda v, f=function: f(v) ** 2, density)
        assert float(spread.evalf()) == pytest.approx(square - mean**2, rel=1e-5)


def _integral(function: Callable[..., float], density: Callable[[float], float]) -> float:
    return float(scipy.integrate.quad(lambda v: function(v) * density(v), 0, np.inf, limit=400)[0])


@EACH
def test_one_step_of_the_module_is_the_textbook_one(name: str) -> None:
    case = CASES[name]
    new = em_of(name).solver().em_step(dict(case.start), **case.data)
    assert [float(each) for each in new] == pytest.approx(list(case.step(case.weight)), rel=1e-12)


@EACH
def test_everything_is_verified(name: str) -> None:
    found = em_of(name).verify()
    assert all(rung.passed for rung in found.rungs), found


@EACH
def test_the_step_and_the_report_name_the_family(name: str) -> None:
    em, word = em_of(name), CASES[name].law.name
    step = next(each for each in em.derivation.steps if each.law.name == "recognition")
    assert f"log-density of a {word} law" in step.reason
    assert f"a {word} law" in em.markdown()
    assert rf"\mathrm{{{word}}}" in em.latex()


def test_data_are_drawn_by_the_sampler_that_it_brings() -> None:
    laws = {u[i]: Nakagami(m, omega), x[i]: Normal(mu, 1 / u[i])}
    em = Model(laws, latent=[u], known=[m]).derive()
    drawn = em.sample({"omega": 2.0, "mu": 0.0}, m=1.5, n=20_000, seed=0, latents=True)["u"]
    assert np.mean(drawn**2) == pytest.approx(2.0, rel=0.03)
    assert np.mean(drawn**4) == pytest.approx(4.0 * (1 + 1 / 1.5), rel=0.06)
    alone = load(em.source())
    alone.SAMPLERS.clear()
    with pytest.raises(
        alone.DataError, match=r"Nakagami is drawn by a function of its own: put it into SAMPLERS"
    ):
        alone.sample({"omega": 2.0, "mu": 0.0}, m=1.5, n=3)
