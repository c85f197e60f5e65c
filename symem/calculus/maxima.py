"""Why a stationary point is a maximum: arguments from the form of ∂Q and the signs of its parts.

The checker works out ∂Q/∂θ and the signs by its own means and asks the law that solved the equation for its
argument. With the earlier parameters of a block at their solutions, which hold whatever the later ones are, each
shows that one parameter's stationary point is the only one in its support and a maximum; together these make it
the global maximum of the block, by profiling.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

from sympy import Add, Expr, Mul, S, Sum, cos, diff, exp, expand, factor_terms, sin

from symem.calculus.covariance_claims import CovarianceClaims
from symem.calculus.falling_functions import falls, parts_of
from symem.calculus.matrix_certificates import MatrixClaims
from symem.calculus.signs import Signs
from symem.calculus.slopes import entries
from symem.calculus.systems import concave
from symem.derivation import Update
from symem.language.falling_root import FallingRoot

Parts = Mapping[Expr, Expr]
#: What the checker found, of a number or of a matrix.
Seen = TypeVar("Seen")


@dataclass(frozen=True)
class Slope:
    """∂Q/∂u of a number, the update that is claimed for it, and what is known of signs."""

    value: Expr
    update: Update
    signs: Signs

    @property
    def unknown(self) -> Expr:
        return self.update.parameter

    @property
    def names(self) -> str:
        return str(self.unknown)

    @cached_property
    def parts(self) -> Parts:
        """{g(u): c}; nothing where u also stands under a sum or at another place."""
        found: dict[Expr, Expr] = {}
        for part in Add.make_args(
            expand(self.value, deep=False, power_base=False, power_exp=False, log=False)
        ):
            g = Mul(*(f for f in Mul.make_args(part) if entries(f, self.unknown)))
            if g.has(Sum) or entries(g, self.unknown) not in ([self.unknown], []):
                return {}
            found[g] = found.get(g, S.Zero) + part / g
        return found


@dataclass(frozen=True)
class MatrixSlope:
    """The claims that can be proved of a matrix, and the update that is claimed for it."""

    claims: MatrixClaims
    update: Update

    @property
    def names(self) -> str:
        """The matrices that are solved together."""
        return ", ".join(dict.fromkeys(map(str, self.claims.together(self.update))))


@dataclass(frozen=True)
class Maximum(Generic[Seen]):
    """An argument, as it is told, and whether it holds of what the checker found; `unique`: where the update exists, no
    other value is as good.
    """

    sentence: str
    holds: Callable[[Seen], bool]
    unique: bool = False


# of numbers -----------------------------------------------------------------------------------------------


def _gibbs(slope: Slope) -> bool:
    """∂Q/∂w_k = c_k/w_k with c_k ≥ 0."""
    w = slope.unknown
    live = {g: c for g, c in slope.parts.items() if c != 0}
    return set(live) == {1 / w} and slope.signs(live[1 / w]) in (0, 1)


def _falling(slope: Slope) -> bool:
    """Every part of the slope falls, so Q is concave."""
    moving = {g: c for g, c in slope.parts.items() if g != 1}
    return bool(moving) and all(_falls(g, c, slope.unknown, slope.signs) for g, c in moving.items())


def _falls(g: Expr, coefficient: Expr, u: Expr, signs: Signs) -> bool:
    base, power = g.as_base_exp()
    rises_everywhere = power.is_odd and power.is_positive
    if base == u and power.is_number and (u.is_positive or rises_everywhere):
        direction = 1 if power > 0 else -1
    elif isinstance(g, exp) and not diff(power, u).has(u):
        direction = diff(power, u)
    elif power == -1 and diff(base, u).is_number:
        direction = -diff(base, u)
    else:
        return False
    return signs(-direction * coefficient) in (0, 1)


def _powers(slope: Slope) -> Parts:
    """{a: c} of a sum c₁ vᵃ + c₂ vᵇ, a < b, in v = u or, where exponentials stand, in v = exp u; nothing of any other."""
    u, parts = slope.unknown, {g: c for g, c in slope.parts.items() if c != 0}
    if any(isinstance(g, exp) for g in parts):
        found = {
            diff(g.exp, u) if isinstance(g, exp) else S.Zero if g == 1 else S.NaN: c for g, c in parts.items()
        }
    else:
        found = {
            S.Zero if g == 1 else g.as_base_exp()[1] if g.as_base_exp()[0] == u else S.NaN: c
            for g, c in parts.items()
        }
    plain = len(found) == len(parts) == 2 and all(a.is_number and a.is_real for a in found)
    return {a: found[a] for a in sorted(found)} if plain else {}


def _one_change(slope: Slope) -> bool:
    """Powers of u > 0 whose coefficients, but for one between them, are at least 0 and then at most 0."""
    parts = {g: c for g, c in slope.parts.items() if c != 0}
    found = {S.Zero if g == 1 else g.as_base_exp()[1]: c for g, c in parts.items()}
    plain = all(g == 1 or g.as_base_exp()[0] == slope.unknown for g in parts)
    if len(found) != 3 or not plain or not slope.unknown.is_positive or not all(a.is_number for a in found):
        return False
    first, _between, last = (found[a] for a in sorted(found))
    return slope.signs(first) in (0, 1) and slope.signs(-last) in (0, 1)


def _one_root(slope: Slope) -> bool:
    """c₁ vᵃ + c₂ vᵇ with v > 0, a < b and c₁ ≥ 0 or c₂ ≤ 0: positive below its root, negative above."""
    found, signs = list(_powers(slope).values()), slope.signs
    positive = slope.unknown.is_positive or any(isinstance(g, exp) for g in slope.parts)
    return bool(found and positive) and (signs(-found[1]) in (0, 1) or signs(found[0]) in (0, 1))


def _odd(slope: Slope) -> bool:
    """uᵃ (c₁ + c₂ uˢ) with a even, s odd and c₂ ≤ 0."""
    found = list(_powers(slope).items())
    if not found or any(isinstance(g, exp) for g in slope.parts):
        return False
    (a, _c), (b, d) = found
    return bool(a.is_even and b.is_odd) and slope.signs(-d) in (0, 1)


def _crest(slope: Slope) -> bool:
    """c₁ sin(m u) + c₂ cos(m u), whose own slope at the update is not positive."""
    angles = {g.args[0] for g in slope.parts if isinstance(g, sin | cos)}
    if len(angles) != 1 or not set(slope.parts) <= {f(*angles) for f in (sin, cos)}:
        return False
    bend = Add(*(factor_terms(c) * diff(g, slope.unknown) for g, c in slope.parts.items()))
    return slope.signs(bend.xreplace({slope.unknown: slope.update.value})) == -1


def _falls_to_root(slope: Slope) -> bool:
    """The slope falls, and so does the function whose root the update is."""
    root, u = slope.update.value, slope.unknown
    functions = (slope.value, root.equation(u)) if isinstance(root, FallingRoot) else ()
    return bool(functions) and all(falls(parts_of(each, u), u, slope.signs) for each in functions)


GIBBS: Maximum[Slope] = Maximum(
    "Gibbs' inequality: ∑ c log w with c ≥ 0 is largest on the simplex at w = c/∑c, and only there",
    _gibbs,
    unique=True,
)
FALLING: Maximum[Slope] = Maximum(
    "every term of the derivative falls in the parameter, so Q is concave in it", _falling, unique=True
)
FALLS_TO_ROOT: Maximum[Slope] = Maximum(
    "the derivative falls in the parameter, as ψ'(v) ≥ 1/v + 1/(2v²), log B(u, v) is convex and ratios of successive Bessel functions rise, so Q is concave in it",
    _falls_to_root,
    unique=True,
)
ONE_ROOT: Maximum[Slope] = Maximum(
    "the derivative is c₁ uᵃ + c₂ uᵇ, a < b, positive below its only root and negative above it",
    _one_root,
    unique=True,
)
ONE_CHANGE: Maximum[Slope] = Maximum(
    "by powers of the parameter the coefficients of the derivative change their sign once (Descartes), so it is positive "
    "below its only root and negative above it",
    _one_change,
    unique=True,
)
ODD: Maximum[Slope] = Maximum(
    "the derivative is uᵃ (c₁ + c₂ uˢ), a even, s odd and c₂ ≤ 0, nowhere negative below the root of the bracket and nowhere "
    "positive above it",
    _odd,
    unique=True,
)
CREST: Maximum[Slope] = Maximum(
    "a cos u + b sin u = √(a² + b²) cos(u - φ), whose second derivative at the update is -√(a² + b²); at the one other "
    "stationary point of a turn it is lowest",
    _crest,
)
SYSTEM_CURVED: Maximum[Slope] = Maximum(
    "Q is a quadratic function of the parameter that curves downwards in every direction",
    lambda slope: concave(slope.value, slope.update, slope.signs),
)

CORRELATED: Maximum[CovarianceClaims] = Maximum(
    "-N log det Σ - tr(Σ⁻¹S) with N > 0 and S positive semidefinite has one maximum, at S/N, if S is regular, and the "
    "parameters are one to one with Σ",
    lambda seen: seen.holds(),
    unique=True,
)

# of matrices ----------------------------------------------------------------------------------------------

CURVED: Maximum[MatrixSlope] = Maximum(
    "Q is quadratic in {names} and curves downwards",
    lambda slope: slope.claims.curves_downwards(slope.update),
)
SCATTER: Maximum[MatrixSlope] = Maximum(
    "-a log det Σ - tr(Σ⁻¹S) with a > 0 and S positive semidefinite has one maximum, at S/a, if S is regular",
    lambda slope: slope.claims.is_scatter(slope.update),
)
