"""A log-density in one latent → its family and natural parameters.

The log-density is a list of coefficient · g(u). A family is matched when its base measure is there and
every other g(u) is one of its sufficient statistics; the coefficients are the natural parameters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sympy import Add, Dummy, Expr, Max, Min, S, expand, loggamma, oo

from symem.errors import NormalisationError
from symem.language.exponential_faces import (
    BETA_FACE,
    BINOMIAL_FACE,
    EXPONENTIAL_FACE,
    GAMMA_FACE,
    GENERALISED_INVERSE_GAUSSIAN_FACE,
    GEOMETRIC_FACE,
    INVERSE_GAMMA_FACE,
    LOG_NORMAL_FACE,
    NORMAL_FACE,
    POISSON_FACE,
    TRUNCATED_LOG_NORMAL_FACE,
    TRUNCATED_NORMAL_FACE,
    UNIFORM_FACE,
    negative_binomial_face,
    power_exponential_face,
)
from symem.language.families import FAMILIES
from symem.language.family import ExponentialFace, Family

Bounds = tuple[Expr, Expr]
LINE, HALF_LINE, UNIT = (-oo, oo), (S.Zero, oo), (S.Zero, S.One)

#: What a posterior may be recognised as: name, the supports it lives on (None: any interval), face.
CONTINUOUS: tuple[tuple[str, Bounds | None, ExponentialFace], ...] = (
    ("Normal", LINE, NORMAL_FACE),
    ("Exponential", HALF_LINE, EXPONENTIAL_FACE),
    ("Gamma", HALF_LINE, GAMMA_FACE),
    ("GammaInverse", HALF_LINE, INVERSE_GAMMA_FACE),
    ("LogNormal", HALF_LINE, LOG_NORMAL_FACE),
    ("GeneralisedInverseGaussian", HALF_LINE, GENERALISED_INVERSE_GAUSSIAN_FACE),
    ("Beta", UNIT, BETA_FACE),
    ("Uniform", None, UNIFORM_FACE),
    ("TruncatedExponential", None, EXPONENTIAL_FACE),
    ("TruncatedNormal", None, TRUNCATED_NORMAL_FACE),
    ("TruncatedLogNormal", None, TRUNCATED_LOG_NORMAL_FACE),
)
COUNTING: tuple[tuple[str, bool, ExponentialFace], ...] = (
    ("Poisson", False, POISSON_FACE),
    ("Geometric", False, GEOMETRIC_FACE),
    ("Binomial", True, BINOMIAL_FACE),
)


@dataclass(frozen=True)
class Match:
    """A family with its arguments as expressions, and what it contributes to the rest."""

    family: str
    face: ExponentialFace
    bounds: Bounds
    arguments: Mapping[str, Expr]
    natural: tuple[Expr, ...]

    def log_partition(self, arguments: Mapping[str, Expr]) -> Expr:
        return self.face.log_partition(arguments, self.bounds)

    def moments(self, u: Expr, arguments: Mapping[str, Expr]) -> Mapping[Expr, Expr]:
        return self.face.moments(u, arguments, self.bounds)


def recognise_continuous(
    density: Mapping[Expr, Expr], u: Expr, bounds: Bounds, families: Iterable[Family] = ()
) -> Match | None:
    """The first family on that interval whose statistics span the log-density; `families` come from outside."""
    outside = ((row.name, home, face) for row, home, face in _outside(families))
    for name, home, face in (*CONTINUOUS, *_powers(density, u, bounds), *outside):
        if home == bounds or (home is None and bounds != LINE):
            found = _match(name, face, density, u, bounds)
            if found:
                return found
    return None


def _outside(families: Iterable[Family]) -> Iterator[tuple[Family, Bounds, ExponentialFace]]:
    """Rows that the user brought, each on the support that it declares."""
    for row in families:
        if row.face and row.name not in FAMILIES:
            yield row, row.support(*(Dummy() for _ in row.parameters)).bounds, row.face


def _powers(
    density: Mapping[Expr, Expr], u: Expr, bounds: Bounds
) -> Iterator[tuple[str, Bounds | None, ExponentialFace]]:
    """Rows for the powers of u that the density itself shows, on a half-line."""
    for g in density:
        base, power = g.as_base_exp()
        if base == u and bounds[1] == oo and bounds[0] != -oo and power not in (1, -1):
            yield "PowerExponential", None, power_exponential_face(power)


def _sizes(density: Mapping[Expr, Expr], u: Expr) -> Iterator[tuple[str, bool, ExponentialFace]]:
    """Rows for the Γ(u + r) that the density itself shows."""
    for g, coefficient in density.items():
        if isinstance(g, loggamma) and coefficient == 1 and not (g.args[0] - u).has(u):
            yield "NegativeBinomial", False, negative_binomial_face(g.args[0] - u)


def recognise_counting(
    density: Mapping[Expr, Expr], u: Expr, bounds: Bounds, families: Iterable[Family] = ()
) -> Match | None:
    """The same on the integers of a range; `bounds` come from `counting_bounds`."""
    outside = ((row.name, home[1] != oo, face) for row, home, face in _outside(families) if home == bounds)
    for name, finite, face in (*COUNTING, *_sizes(density, u), *outside):
        if finite == (bounds[1] != oo):
            found = _match(name, face, density, u, bounds)
            if found:
                return found
    return None


def _match(
    name: str, face: ExponentialFace, density: Mapping[Expr, Expr], u: Expr, bounds: Bounds
) -> Match | None:
    rest = dict(density)
    for part in Add.make_args(face.base_measure(u, bounds)):
        g, coefficient = _in_latent(part, u)
        if coefficient != 0 and expand(rest.pop(g, S.Zero) - coefficient) != 0:
            return None
    statistics = face.statistics(u)
    if not set(rest) <= set(statistics):
        return None
    natural = tuple(rest.get(each, S.Zero) for each in statistics)
    if natural and natural[-1] == 0 and name not in ("Poisson", "Binomial", "Gamma", "Beta"):
        return None
    arguments = face.arguments(natural, bounds)
    _check_signs(name, u, arguments)
    return Match(name, face, bounds, arguments, natural)


def _in_latent(part: Expr, u: Expr) -> tuple[Expr, Expr]:
    """(g(u), coefficient) of a summand of a base measure."""
    coefficient, g = part.as_independent(u, as_Add=False)
    return g, coefficient


def _check_signs(name: str, u: Expr, arguments: Mapping[str, Expr]) -> None:
    for argument in ("v", "rate"):
        if argument in arguments and arguments[argument].is_nonpositive:
            raise NormalisationError(
                f"The density of {u} has the form of a {name} with {argument} = {arguments[argument]}, which is not "
                f"positive: it cannot be normalised. Check the signs in the likelihood."
            )


def counting_bounds(density: Mapping[Expr, Expr], u: Expr, bounds: Bounds) -> Bounds:
    """The range of a count, narrowed where 1/(a ± u)! makes the density vanish."""
    lowers, uppers = [bounds[0]], [bounds[1]]
    for g, coefficient in density.items():
        if isinstance(g, loggamma) and coefficient == -1:
            argument = expand(g.args[0] - 1)
            slope = argument.coeff(u)
            if slope == 1:
                lowers.append(u - argument)
            elif slope == -1:
                uppers.append(argument + u)
    return _tightest(Max, lowers), _tightest(Min, uppers)


def _tightest(pick: type[Expr], ends: list[Expr]) -> Expr:
    distinct = [end for end in dict.fromkeys(map(expand, ends)) if end not in (oo, -oo)]
    if pick is Max and len(distinct) > 1:
        distinct = [
            end for end in distinct if not (end == 0 and any(o.is_nonnegative for o in distinct if o != 0))
        ]
    return pick(*distinct) if distinct else ends[0]
