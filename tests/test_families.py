"""Every row of the table of distributions against numbers, and against `sympy.stats`."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad
from sympy import Expr, Float, Idx, IndexedBase, S, Symbol, exp, lambdify, log, oo, stats, symbols

from symem import Categorical, Family, Model, Multinomial, NormalisationError, Positive
from symem.language import exponential_faces as faces
from symem.language.density_check import check_family, numeric_density, random_arguments, total_mass
from symem.language.families import FAMILIES, as_distribution
from symem.language.family import Distribution, ExponentialFace
from symem.language.special import LogNormalInterval, NormalCDF

DENSE = [name for name in FAMILIES if name != "Dirac"]
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


@pytest.mark.parametrize("name", DENSE)
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


@pytest.mark.parametrize("name", DENSE)
def test_names_and_order_are_those_of_sympy(name: str) -> None:
    theirs = list(inspect.signature(getattr(stats, name)).parameters)[1:]
    own = list(FAMILIES[name].parameters)
    assert theirs[: len(own)] == own


@pytest.mark.parametrize("name", DENSE)
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


@pytest.mark.parametrize("name", DENSE)
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
#: face, natural parameters, bounds, whether the values are whole numbers
FACES: dict[str, tuple[ExponentialFace, tuple[float, ...], tuple[Any, Any], bool]] = {
    "normal": (faces.NORMAL_FACE, (0.7, -0.9), LINE, False),
    "right of a point": (faces.TRUNCATED_NORMAL_FACE, (0.7, -0.9), (S(1) / 3, oo), False),
    "left of a point": (faces.TRUNCATED_NORMAL_FACE, (0.7, -0.9), (-oo, S(1) / 3), False),
    "between points": (faces.TRUNCATED_NORMAL_FACE, (0.7, -0.9), (-S(1) / 2, S(2)), False),
    "gamma": (faces.GAMMA_FACE, (1.3, -2.1), HALF, False),
    "gamma of small shape": (faces.GAMMA_FACE, (0.4, -2.1), HALF, False),
    "exponential": (faces.EXPONENTIAL_FACE, (-1.7,), HALF, False),
    "exponential from a point": (faces.EXPONENTIAL_FACE, (-1.7,), (S(3) / 2, oo), False),
    "exponential between points": (faces.EXPONENTIAL_FACE, (-1.7,), (S(1) / 2, S(2)), False),
    "inverse gamma": (faces.INVERSE_GAMMA_FACE, (-4.5, -1.2), HALF, False),
    "log-normal": (faces.LOG_NORMAL_FACE, (0.4, -1.1), HALF, False),
    "beta": (faces.BETA_FACE, (0.8, 1.9), UNIT, False),
    "uniform": (faces.UNIFORM_FACE, (), (S(-1), S(2)), False),
    "poisson": (faces.POISSON_FACE, (0.6,), HALF, True),
    "poisson from a point": (faces.POISSON_FACE, (0.6,), (S(2), oo), True),
    "geometric": (faces.GEOMETRIC_FACE, (-0.4,), HALF, True),
    "geometric from a point": (faces.GEOMETRIC_FACE, (-0.4,), (S(3), oo), True),
    "binomial": (faces.BINOMIAL_FACE, (0.3,), (S(0), S(7)), True),
    "binomial between points": (faces.BINOMIAL_FACE, (0.3,), (S(2), S(6)), True),
}
u = Symbol("u", positive=True)


def integral(name: str, of: Expr) -> float:
    """∫ of · h(u) exp(Σ ηᵣ Tᵣ(u)) du by quadrature or summation."""
    face, eta, bounds, discrete = FACES[name]
    value = Symbol("value", real=True)
    exponent = sum(
        (e * t for e, t in zip(eta, face.statistics(u), strict=True)), face.base_measure(u, bounds)
    )
    function = lambdify(value, (of * exp(exponent)).subs(u, value), ["scipy", "numpy"])
    low, high = (float(end) for end in bounds)
    if discrete:
        return float(sum(np.real(function(int(v))) for v in range(int(low), int(min(high, low + 150)) + 1)))
    return float(quad(lambda v: np.real(function(v)), low, high, limit=300)[0])


def log_partition(name: str, eta: tuple[float, ...]) -> float:
    face, _, bounds, _ = FACES[name]
    return float(face.log_partition(face.arguments(tuple(map(Float, eta)), bounds), bounds).evalf())


@pytest.mark.parametrize("name", FACES)
def test_log_partition_is_the_integral(name: str) -> None:
    assert log_partition(name, FACES[name][1]) == pytest.approx(np.log(integral(name, S.One)), abs=1e-7)


@pytest.mark.parametrize("name", FACES)
def test_moments_are_means(name: str) -> None:
    face, eta, bounds, _ = FACES[name]
    moments = face.moments(u, face.arguments(tuple(map(Float, eta)), bounds), bounds)
    for function, mean in moments.items():
        by_number = integral(name, function) / integral(name, S.One)
        assert float(mean.evalf()) == pytest.approx(by_number, rel=1e-6), function


@pytest.mark.parametrize("name", FACES)
def test_mean_statistics_are_the_gradient_of_the_log_partition(name: str) -> None:
    face, eta, bounds, _ = FACES[name]
    moments = face.moments(u, face.arguments(tuple(map(Float, eta)), bounds), bounds)
    for r, statistic in enumerate(face.statistics(u)):
        step = 1e-5
        ends = [
            log_partition(name, tuple(e + side * step * (q == r) for q, e in enumerate(eta)))
            for side in (-1, 1)
        ]
        if statistic in moments:
            assert float(moments[statistic].evalf()) == pytest.approx(
                (ends[1] - ends[0]) / (2 * step), rel=1e-5
            )


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
