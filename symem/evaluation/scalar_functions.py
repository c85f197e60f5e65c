"""What each SymPy function means in numbers: one row per function, on floats and NumPy arrays alike.

The emitter does not read it, so a mistake in its numerics cannot hide here. Zero wins in a product: 0 * log 0 = 0,
and a term under a bracket that does not hold vanishes whatever stands beside it. A function without a row is worth
what SymPy says, number by number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial, reduce
from typing import Any

import mpmath
import numpy as np
from scipy import special
from sympy import Basic, Dummy, Function, Lambda, lambdify
from sympy.core.function import UndefinedFunction

from symem.errors import UnknownSymbolError
from symem.evaluation.bessel_moments import besselk_moments, log_besselk
from symem.evaluation.stacks import MATRIX_FUNCTIONS
from symem.language import polya_gamma
from symem.language.falling_root import FallingRoot
from symem.language.quadrature_rule import rule_log_weight, rule_node

Value = Any  # a float, an int, or an array of either


@dataclass(frozen=True)
class Root:
    """Where a function that falls in its first argument vanishes, as a function of the others."""

    function: Lambda


Head = str | type | Root  # a row of the table, or a function of SymPy's that has none


def multiply(*factors: Value) -> Value:
    """The product in which a zero wins over infinities and undefined values."""
    with np.errstate(all="ignore"):
        product = reduce(np.multiply, factors)
    if np.all(np.isfinite(product)):
        return product
    vanishing = reduce(np.logical_or, (np.equal(factor, 0) for factor in factors))
    return np.where(vanishing, 0.0, product)


def power(base: Value, exponent: Value) -> Value:
    return np.power(np.asarray(base, dtype=float), exponent)


def log_bracket(holds: Value) -> Value:
    return np.where(holds, 0.0, -np.inf)


def log_normal_interval(low: Value, high: Value) -> Value:
    """log(Phi(high) - Phi(low)) from the tail in which the difference keeps its digits."""
    low, high = np.broadcast_arrays(np.asarray(low, dtype=float), np.asarray(high, dtype=float))
    flip = low > 0
    near, far = np.where(flip, -low, high), np.where(flip, -high, low)
    above, below = special.log_ndtr(near), special.log_ndtr(far)
    return above + np.log1p(-np.exp(below - above))


def log_gamma_density(shape: Value, place: Value) -> Value:
    """Of rate 1; -∞ at infinity."""
    with np.errstate(all="ignore"):
        there = (np.subtract(shape, 1)) * np.log(place) - place - special.gammaln(shape)
        return np.where(np.isposinf(place), -np.inf, np.where(np.equal(shape, 1), -place, there))


@cache
def _pieces() -> tuple[Value, Value]:
    """Nodes and weights between 0 and 1, the nearer together the nearer to 0."""
    cuts = np.linspace(0, 1, 49) ** 6
    nodes, weights = np.polynomial.legendre.leggauss(16)
    place = (cuts[:-1, None] + np.diff(cuts)[:, None] * (1 + nodes) / 2).ravel()
    return place, (np.diff(cuts)[:, None] * weights / 2).ravel()


def gamma_between(shape: Value, low: Value, high: Value) -> tuple[Value, ...]:
    """log ∫ t^(s - 1) e^-t dt between two ends, and of T with that law the mean, and mean and variance of log T: the moments of
    v = log t under exp(sv - e^v) on either side of its peak, by 48 pieces of 16 nodes, the longer the further, to e^-45 of it.
    NaN where there is no interval.
    """
    s, a, b = np.broadcast_arrays(*map(np.float64, (shape, low, high)))
    place, weights = _pieces()
    with np.errstate(all="ignore"):
        at, drop = np.clip(s, a, b), 45 / s
        down = np.minimum(drop + np.sqrt(drop * (drop + 8)), np.where(at < s, 45 / (s - at), np.inf))
        up = np.minimum(drop + np.sqrt(drop * (drop + 2)), np.where(at > s, 45 / (at - s), np.inf))
        reach = np.stack(
            [-np.minimum(down, np.log1p((at - a) / a)), np.log1p(np.minimum(up, (b - at) / at))], -1
        )[..., None]
        step = reach * place
        t, way = at[..., None, None], (s - at)[..., None, None]
        mass = weights * np.abs(reach) * np.exp(way * step - t * (np.expm1(step) - step))
        total = np.where(a < b, mass.sum((-2, -1)), np.nan)
        mean = (mass * step).sum((-2, -1)) / total
        spread = (mass * (step - mean[..., None, None]) ** 2).sum((-2, -1)) / total
        own = (mass * np.exp(step)).sum((-2, -1)) / total
        return np.log(total) + s * np.log(at) - at, at * own, np.log(at) + mean, spread


def _unless_at_zero(function: Callable[..., Value]) -> Callable[..., Value]:
    """A function of a Gamma law between ends; of shape 0, the law is at 0."""
    return lambda shape, *ends: np.where(np.equal(shape, 0), 0.0, function(shape, *ends))


def log_difference(above: Value, below: Value) -> Value:
    """log(exp a - exp b) for a ≥ b."""
    with np.errstate(all="ignore"):
        gap = np.where(np.isneginf(below), -np.inf, np.subtract(below, above))
        return above + np.log(-np.expm1(np.minimum(gap, 0.0)))


def _or_itself(power: Value, function: Callable[[Value], Value]) -> Value:
    """A function of a that is a where exp a is small."""
    with np.errstate(all="ignore"):
        return np.where(power < -37, power, function(power))


def piecewise(*branches: Value) -> Value:
    """Value of the first branch (value, condition) whose condition holds."""
    values, conditions = branches[::2], branches[1::2]
    arrays = np.broadcast_arrays(*values, *conditions)
    count = len(values)
    return np.select([c.astype(bool) for c in arrays[count:]], arrays[:count], default=np.nan)


def conjunction(*conditions: Value) -> Value:
    return np.logical_and.reduce(np.broadcast_arrays(*conditions))


def disjunction(*conditions: Value) -> Value:
    return np.logical_or.reduce(np.broadcast_arrays(*conditions))


def polygamma(order: Value, argument: Value) -> Value:
    return special.polygamma(np.asarray(order, dtype=int), np.asarray(argument, dtype=float))


def log_gamma_ratio(a: Value, d: Value) -> Value:
    """log Γ(a + d) - log Γ(a) by the beta function, which keeps its digits for a large a; 0 for d = 0."""
    some = np.where(np.greater(d, 0), d, 1.0)
    return np.where(np.greater(d, 0), special.gammaln(some) - special.betaln(a, some), 0.0)


def log_bessel(
    scaled: Callable[..., Value], exact: Callable[..., Any], growth: float
) -> Callable[..., Value]:
    """The logarithm of a Bessel function that is `scaled` times exp(growth · x); number by number where that is lost."""

    def logarithm(order: Value, argument: Value) -> Value:
        order, argument = np.broadcast_arrays(
            np.asarray(order, dtype=float), np.asarray(argument, dtype=float)
        )
        with np.errstate(all="ignore"):
            value = np.array(np.log(scaled(order, argument)) + growth * argument)
        lost = ~np.isfinite(value) & (argument > 0) & np.isfinite(argument)
        pairs = zip(order[lost], argument[lost], strict=True)
        value[lost] = [float(mpmath.log(exact(p, x))) for p, x in pairs]
        return value

    return logarithm


def log_binomial(total: Value, chosen: Value) -> Value:
    return (
        special.gammaln(total + 1.0) - special.gammaln(chosen + 1.0) - special.gammaln(total - chosen + 1.0)
    )


#: The logarithms between which roots are looked for, and how often that range is halved.
_FURTHEST, _HALVINGS = 700.0, 64


def falling_root(function: Lambda) -> Callable[..., Value]:
    """What is given ↦ the u > 0 at which a function vanishes that falls in u."""
    letters = function.variables
    inner = [each for each in function.expr.atoms(FallingRoot) if each.free_symbols <= {*letters}]
    names = {each: Dummy("root") for each in sorted(inner, key=str)}
    whole = lambdify(
        (*letters, *names.values()), function.expr.xreplace(names), modules=[_NUMERIC, "scipy", "numpy"]
    )
    roots = [(lambdify(letters, each.given), falling_root(each.function)) for each in names]
    return partial(_halved, lambda *values: whole(*values, *(root(*given(*values)) for given, root in roots)))


def _halved(function: Callable[..., Value], *given: Value) -> Value:
    """Its root, by halving a range of log u."""
    arrays = np.broadcast_arrays(*(np.asarray(each, dtype=float) for each in given))
    low = np.full(arrays[0].shape, -_FURTHEST)
    high = -low
    with np.errstate(all="ignore"):
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            value = function(np.exp(middle), *arrays)
            low, high = np.where(value > 0, middle, low), np.where(value > 0, high, middle)
        return np.where(np.isnan(value), np.nan, np.exp((low + high) / 2))


#: Ratios of the scaled functions of Bessel are finite where theirs are not.
_NUMERIC = {"iv": special.ive}


FUNCTIONS: Mapping[str, Callable[..., Value]] = {
    "Add": lambda *terms: reduce(np.add, terms),
    "Mul": multiply,
    "Pow": power,
    "exp": np.exp,
    "log": lambda argument: np.log(np.asarray(argument, dtype=float)),
    "LogAddExp": lambda *exponents: reduce(np.logaddexp, exponents),
    "LogSubExp": log_difference,
    "LogSoftplus": lambda power: _or_itself(power, lambda a: np.log(np.logaddexp(0, a))),
    "LogComplement": lambda power: _or_itself(power, lambda a: np.log(-np.expm1(-np.exp(a)))),
    "Abs": np.abs,
    "sign": np.sign,
    "Max": lambda *values: reduce(np.maximum, values),
    "Min": lambda *values: reduce(np.minimum, values),
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "atan2": np.arctan2,
    "floor": np.floor,
    "ceiling": np.ceil,
    "loggamma": special.gammaln,
    "LogGammaRatio": log_gamma_ratio,
    "gamma": special.gamma,
    "factorial": lambda argument: special.gamma(np.asarray(argument, dtype=float) + 1.0),
    "binomial": lambda total, chosen: np.exp(log_binomial(total, chosen)),
    "beta": special.beta,
    "digamma": special.digamma,
    "polygamma": polygamma,
    "erf": special.erf,
    "erfc": special.erfc,
    "besseli": special.iv,
    "besselk": special.kv,
    "LogScaledBesselI": log_bessel(special.ive, lambda p, x: mpmath.besseli(p, x) * mpmath.exp(-x), 0.0),
    "LogBesselK": log_besselk,
    "LogBesselKDerivative": besselk_moments,
    "FromLog": np.exp,
    "NormalCDF": special.ndtr,
    "LogNormalInterval": log_normal_interval,
    "LogPolyaGamma": polya_gamma.log_density,
    "TanhRatio": lambda c: np.where(
        np.equal(c, 0), 0.25, np.tanh(c / 2) / np.where(np.equal(c, 0), 1, 2 * c)
    ),
    "LogGammaInterval": _unless_at_zero(lambda s, *ends: gamma_between(s, *ends)[0] - special.gammaln(s)),
    "GammaIntervalMean": _unless_at_zero(lambda *given: gamma_between(*given)[1]),
    "LogGammaDensity": log_gamma_density,
    "LogIncompleteGamma": lambda *given: gamma_between(*given)[0],
    "GammaIntervalLogMean": lambda *given: gamma_between(*given)[2],
    "GammaIntervalLogVariance": lambda *given: gamma_between(*given)[3],
    "Iverson": lambda holds: np.where(holds, 1.0, 0.0),
    "LogIverson": log_bracket,
    "KroneckerDelta": lambda a, b: np.where(np.equal(a, b), 1.0, 0.0),
    "Heaviside": np.heaviside,
    "Piecewise": piecewise,
    "Equality": np.equal,
    "Unequality": np.not_equal,
    "StrictLessThan": np.less,
    "LessThan": np.less_equal,
    "StrictGreaterThan": np.greater,
    "GreaterThan": np.greater_equal,
    "And": conjunction,
    "Or": disjunction,
    "Not": np.logical_not,
    "RuleNode": rule_node,
    "RuleLogWeight": rule_log_weight,
    **MATRIX_FUNCTIONS,
}


def head_of(expression: Basic) -> Head:
    """What stands for the head of an expression.

    Raises:
        UnknownSymbolError: it has no row, and SymPy knows no numbers of it either.
    """
    kind = type(expression)
    if isinstance(expression, FallingRoot):
        return Root(expression.function)
    if kind.__name__ in FUNCTIONS:
        return kind.__name__
    if issubclass(kind, Function) and not isinstance(kind, UndefinedFunction):
        return kind
    raise UnknownSymbolError(f"No numeric meaning for the function {kind.__name__}.")


@cache
def function(head: Head) -> Callable[..., Value]:
    """The function of numbers and arrays that a head stands for."""
    if isinstance(head, str):
        return FUNCTIONS[head]
    if isinstance(head, Root):
        return falling_root(head.function)
    return np.vectorize(lambda *arguments: float(head(*arguments)), otypes=[float])
