"""Every row of the table of distributions against numbers, and against `sympy.stats`."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy
from sympy import Expr, Float, Idx, IndexedBase, S, Symbol, exp, lambdify, log, oo, stats, symbols

from symem import Categorical, Family, Model, Multinomial, NormalisationError, Positive
from symem.language.density_check import check_family, numeric_density, random_arguments, total_mass
from symem.language.exponential_face import ExponentialFace, ShapedFace
from symem.language.families import FAMILIES, as_distribution
from symem.language.family import Distribution
from symem.language.plates import Expectation
from symem.language.special import LogNormalInterval, NormalCDF

DENSE = [name for name in FAMILIES if name != "Dirac"]
THEIRS = [name for name in DENSE if hasattr(stats, name)]
n, K = symbols("n K", integer=True, positive=True)
i, k = Idx("i", n), Idx("k", K)
x, z, w, mu = map(IndexedBase, ["x", "z", "w", "mu"])


def drawn(name: str, seed: int) -> Distribution:
    row = FAMILIES[name]
    arguments = random_arguments(row, np.random.default_rng(seed))
    if name in ("ChiSquared", "NegativeBinomial"):  # sympy.stats wants whole numbers here, our rows do not
        arguments[0] = 3
    return row(*arguments)


@pytest.mark.parametrize("name", DENSE)
def test_density_has_mass_one(name: str) -> None:
    assert check_family(FAMILIES[name]) < 1e-6


@pytest.mark.parametrize("name", [name for name in DENSE if FAMILIES[name].sampler])
def test_sampler_follows_the_density(name: str) -> None:
    """The share of 4000 draws below each of nine deciles, within four standard errors."""
    law = drawn(name, 3)
    assert law.family.sampler is not None
    sample = law.family.sampler(np.random.default_rng(5), 4000, *map(float, law.arguments))
    assert sample.shape == (4000,)
    for point in np.unique(np.quantile(sample, np.arange(1, 10) / 10)):
        share = total_mass(law, Float(point))
        assert abs(np.mean(sample <= point) - share) < 4 * np.sqrt(0.25 / 4000)


def test_dirac_draws_its_point() -> None:
    sampler = FAMILIES["Dirac"].sampler
    assert sampler is not None
    np.testing.assert_array_equal(sampler(np.random.default_rng(0), (2, 3), 1.5), np.full((2, 3), 1.5))


@pytest.mark.parametrize("name", THEIRS)
def test_names_and_order_are_those_of_sympy(name: str) -> None:
    theirs = list(inspect.signature(getattr(stats, name)).parameters)[1:]
    own = list(FAMILIES[name].parameters)
    assert theirs[: len(own)] == own


@pytest.mark.parametrize("name", THEIRS)
def test_density_is_that_of_sympy(name: str) -> None:
    law = drawn(name, 1)
    theirs = stats.density(getattr(stats, name)("X", *law.arguments))
    ours = numeric_density(law)
    points = [2, 3] if law.family.support(*law.arguments).discrete else _inside(law)
    for point in [0, 1] if name == "Bernoulli" else points:
        value = theirs[point] if isinstance(theirs, dict) else theirs(point)
        assert ours(float(point)) == pytest.approx(float(S(value).evalf()), rel=1e-9)


def _inside(law: Distribution) -> list[Float]:
    low, high = law.family.support(*law.arguments).bounds
    if low == -oo:
        return [Float(-0.7), Float(1.3)]
    return [low + Float(share) * (1 if high == oo else high - low) for share in (0.3, 0.8)]


@pytest.mark.parametrize("name", THEIRS)
def test_a_random_symbol_of_sympy_is_taken(name: str) -> None:
    law = drawn(name, 2)
    taken = as_distribution(getattr(stats, name)("X", *law.arguments))
    assert taken.name == ("Gamma" if name == "Erlang" else name)
    point = 1 if law.family.support(*law.arguments).discrete else float(_inside(law)[1])
    assert numeric_density(taken)(point) == pytest.approx(numeric_density(law)(point), rel=1e-9)


def test_random_symbols_in_a_model() -> None:
    s = symbols("s", positive=True)
    p = symbols("p:3")
    ours = Model({z[i]: Categorical(w[k]), x[i]: FAMILIES["Normal"](mu[z[i]], s)}, latent=[z])
    theirs = Model({z[i]: Categorical(w[k]), x[i]: stats.Normal("X", mu[z[i]], s)}, latent=[z])
    assert theirs.log_likelihood == ours.log_likelihood
    cells = as_distribution(stats.Multinomial("M", 5, *p))
    assert cells == Multinomial(5, *p)
    assert as_distribution(stats.MultivariateBeta("D", 1, 2, 3)).arguments == (1, 2, 3)


# -- exponential faces ---------------------------------------------------------------------------------

LINE, HALF, UNIT = (-oo, oo), (S.Zero, oo), (S.Zero, S.One)
#: family, natural parameters, bounds, the shape where the face has one
FACES: dict[str, tuple[str, tuple[float, ...], tuple[Any, Any], Any]] = {
    "normal": ("Normal", (0.7, -0.9), LINE, None),
    "right of a point": ("Normal", (0.7, -0.9), (S(1) / 3, oo), None),
    "left of a point": ("Normal", (0.7, -0.9), (-oo, S(1) / 3), None),
    "between points": ("Normal", (0.7, -0.9), (-S(1) / 2, S(2)), None),
    "gamma": ("Gamma", (1.3, -2.1), HALF, None),
    "gamma of small shape": ("Gamma", (0.4, -2.1), HALF, None),
    "gamma from a point": ("Gamma", (1.3, -2.1), (S(3) / 2, oo), None),
    "gamma up to a point": ("Gamma", (1.3, -2.1), (S(0), S(1) / 2), None),
    "gamma between points": ("Gamma", (1.3, -2.1), (S(1) / 2, S(2)), None),
    "exponential": ("Exponential", (-1.7,), HALF, None),
    "exponential from a point": ("Exponential", (-1.7,), (S(3) / 2, oo), None),
    "exponential between points": ("Exponential", (-1.7,), (S(1) / 2, S(2)), None),
    "inverse gamma": ("GammaInverse", (-4.5, -1.2), HALF, None),
    "inverse gamma from a point": ("GammaInverse", (-4.5, -1.2), (S(1) / 2, oo), None),
    "inverse gamma between points": ("GammaInverse", (-4.5, -1.2), (S(1) / 4, S(1)), None),
    "generalised inverse Gaussian": ("GeneralisedInverseGaussian", (0.3, -1.1, -0.7), HALF, None),
    "inverse Gaussian": ("GeneralisedInverseGaussian", (-1.5, -1.1, -0.7), HALF, None),
    "Polya-Gamma": ("PolyaGamma", (-0.9,), HALF, S(1)),
    "log-normal": ("LogNormal", (0.4, -1.1), HALF, None),
    "log-normal between points": ("LogNormal", (0.4, -1.1), (S(1) / 2, S(3)), None),
    "Weibull": ("Weibull", (-0.8,), HALF, S(3)),
    "Weibull from a point": ("Weibull", (-0.8,), (S(1) / 2, oo), S(3)),
    "Weibull between points": ("Weibull", (-0.8,), (S(1) / 2, S(2)), S(3)),
    "beta": ("Beta", (0.8, 1.9), UNIT, None),
    "uniform": ("Uniform", (), (S(-1), S(2)), None),
    "poisson": ("Poisson", (0.6,), HALF, None),
    "poisson from a point": ("Poisson", (0.6,), (S(2), oo), None),
    "poisson beyond its origin": ("Poisson", (0.6,), (S(3), oo), S(1)),
    "differences of counts": ("Bessel", (0.6,), (S(2), oo), (S(0), S(2))),
    "geometric": ("Geometric", (-0.4,), HALF, None),
    "geometric from a point": ("Geometric", (-0.4,), (S(3), oo), None),
    "negative binomial": ("NegativeBinomial", (-0.5,), HALF, S(5) / 2),
    "binomial": ("Binomial", (0.3,), (S(0), S(7)), None),
    "binomial between points": ("Binomial", (0.3,), (S(2), S(6)), None),
}
u = Symbol("u", positive=True)


def face_of(name: str) -> ExponentialFace:
    family, _, bounds, shape = FACES[name]
    face = FAMILIES[family].face
    ways = face if isinstance(face, tuple) else (face,)
    shaped = [way for way in ways if isinstance(way, ShapedFace)]
    if shape is not None:
        return shaped[0].at(shape)
    return next(
        way
        for way in ways
        if isinstance(way, ExponentialFace) and way.reaches(bounds, FAMILIES[family].home.bounds)
    )


def arguments_of(name: str) -> Mapping[str, Expr]:
    _, eta, bounds, _ = FACES[name]
    return face_of(name).arguments(tuple(map(Float, eta)), bounds)


def integral(name: str, of: Expr) -> float:
    """∫ of · h(u) exp(Σ ηᵣ Tᵣ(u)) du by quadrature or summation."""
    family, eta, bounds, _ = FACES[name]
    value = Symbol("value", real=True)
    statistics, base = face_of(name).statistics(u), face_of(name).base_measure(u, bounds)
    exponent = sum((e * t for e, t in zip(eta, statistics, strict=True)), base)
    function = lambdify(value, (of * exp(exponent)).subs(u, value), ["scipy", "numpy"])
    low, high = (float(end) for end in bounds)
    if FAMILIES[family].home.discrete:
        return float(sum(np.real(function(int(v))) for v in range(int(low), int(min(high, low + 150)) + 1)))
    return float(scipy.integrate.quad(lambda v: np.real(function(v)), low, high, limit=300)[0])


def central_square(name: str, of: Expr) -> float:
    mean = integral(name, of) / integral(name, S.One)
    return integral(name, (of - mean) ** 2) / integral(name, S.One)


@pytest.mark.parametrize("name", FACES)
def test_log_partition_is_the_integral(name: str) -> None:
    found = face_of(name).log_partition(arguments_of(name), FACES[name][2])
    assert float(found.evalf()) == pytest.approx(np.log(integral(name, S.One)), abs=1e-7)


@pytest.mark.parametrize("name", FACES)
def test_moments_are_means(name: str) -> None:
    def average(function: Expr) -> float:
        inside = {mean: Float(average(mean.args[0])) for mean in function.atoms(Expectation)}
        return integral(name, function.xreplace(inside)) / integral(name, S.One)

    for function, mean in face_of(name).moments(u, arguments_of(name), FACES[name][2]).items():
        assert float(mean.evalf()) == pytest.approx(average(function), rel=1e-6), function


@pytest.mark.parametrize("name", FACES)
def test_natural_parameters_come_back(name: str) -> None:
    """Those that a row tells, and those solved for where it does not."""
    _, eta, bounds, _ = FACES[name]
    face = face_of(name)
    for each in (face, replace(face, natural=None)):
        back = each.natural_parameters(arguments_of(name), bounds)
        assert [float(e.evalf()) for e in back] == pytest.approx(list(eta))


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] * name.startswith("log-normal between")) for name in FACES],
)
def test_the_log_partition_gives_means_and_variances(name: str) -> None:
    """∂A/∂η and ∂²A/∂η² of a face that tells no moments."""
    face, bounds = replace(face_of(name), moments=lambda *_: {}), FACES[name][2]
    for statistic in face.statistics(u):
        mean = face.mean(u, statistic, arguments_of(name), bounds)
        variance = face.variance(u, statistic, arguments_of(name), bounds)
        if (
            mean is not None and variance is not None
        ):  # of the order of a Bessel function there is no derivative
            by_number = integral(name, statistic) / integral(name, S.One)
            assert float(mean.evalf()) == pytest.approx(by_number, rel=1e-6)
            assert float(variance.evalf()) == pytest.approx(central_square(name, statistic), rel=1e-5)


@pytest.mark.parametrize("name", FACES)
def test_the_density_in_arguments_is_normalised(name: str) -> None:
    face, bounds = face_of(name), FACES[name][2]
    told = face.log_density(u, arguments_of(name), bounds) - face.base_measure(u, bounds)
    linear = sum(e * t for e, t in zip(FACES[name][1], face.statistics(u), strict=True))
    gap = told - linear + np.log(integral(name, S.One))
    assert float(gap.subs(u, 2).evalf()) == pytest.approx(0, abs=1e-7)


def test_special_functions() -> None:
    assert float(NormalCDF(1).evalf()) == pytest.approx(0.8413447460685429)
    a, b = symbols("a b", real=True)
    slope = LogNormalInterval(a, b).diff(b).subs({a: -1, b: Float(0.5)}).evalf()
    ends = [LogNormalInterval(-1, Float(0.5 + h)).evalf() for h in (-1e-6, 1e-6)]
    assert float(slope) == pytest.approx(float(ends[1] - ends[0]) / 2e-6, rel=1e-6)


# -- a family from outside -----------------------------------------------------------------------------

Gompertz = Family(
    "Gompertz",
    {"b": Positive(), "eta": Positive()},
    lambda value, rate, eta: log(rate) + log(eta) + eta + rate * value - eta * exp(rate * value),
    lambda *_: Positive(),
    lambda rng, size, rate, eta: np.log1p(rng.exponential(size=size) / eta) / rate,
)
Lindley = Family(
    "Lindley",
    {"theta": Positive()},
    lambda value, theta: 2 * log(theta) - log(1 + theta) + log(1 + value) - theta * value,
    lambda *_: Positive(),
)


@pytest.mark.parametrize("family", [Gompertz, Lindley], ids=["Gompertz", "Lindley"])
def test_a_family_from_outside_is_checked(family: Family) -> None:
    assert check_family(family) < 1e-6


def test_a_wrong_family_is_refused() -> None:
    wrong = Family(
        "Wrong", Gompertz.parameters, lambda v, b, e: log(b) + b * v - e * exp(b * v), lambda *_: Positive()
    )
    with pytest.raises(NormalisationError, match=r"Wrong\(.*total mass"):
        check_family(wrong)


def test_a_mixture_of_a_family_from_outside() -> None:
    """Known shapes: the scale of a Gompertz has its textbook update; the E-step needs the density alone."""
    eta, b = IndexedBase("eta"), Symbol("b")
    model = Model({z[i]: Categorical(w[k]), x[i]: Gompertz(b, eta[z[i]])}, latent=[z], known=[b])
    em = model.derive()
    assert not em.derivation.not_derived
    data = np.log1p(np.random.default_rng(0).exponential(size=200) / np.repeat([0.3, 4.0], 100)) / 0.7
    theta = {"w": np.array([0.4, 0.6]), "eta": np.array([0.5, 3.0])}
    new = em.solver().em_step(theta, x=data, b=0.7)
    weight = theta["w"] * theta["eta"] * np.exp(theta["eta"] - theta["eta"] * np.exp(0.7 * data)[:, None])
    gamma = weight / weight.sum(1, keepdims=True)
    np.testing.assert_allclose(new.w, gamma.mean(0))
    np.testing.assert_allclose(new.eta, gamma.sum(0) / (gamma * np.expm1(0.7 * data)[:, None]).sum(0))
