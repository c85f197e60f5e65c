"""Why a stationary point is a maximum: laws in one parameter, by the form of ∂Q/∂θ and the signs of its parts.

With the earlier parameters of a block at their solutions, which hold whatever the later ones are, each law shows
that one parameter's stationary point is the only one in its support and a maximum; together these make it the
global maximum of the block, by profiling.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sympy import Add, Expr, Mul, S, Sum, diff, expand

from symem.calculus.along import scalars_of_matrices
from symem.calculus.signs import Signs
from symem.calculus.slopes import entries

Parts = Mapping[Expr, Expr]


@dataclass(frozen=True)
class Law:
    """A form of ∂Q/∂u = Σ c g(u) for which the sign of the parts decides."""

    holds: Callable[[Parts, Expr, Signs], bool]
    sentence: str


def parts_of(slope: Expr, u: Expr) -> Parts | None:
    """{g(u): c} of ∂Q/∂u, or None where u also stands under a sum or at another place."""
    found: dict[Expr, Expr] = {}
    for part in Add.make_args(expand(slope, deep=False, power_base=False, power_exp=False, log=False)):
        g = Mul(*(f for f in Mul.make_args(part) if entries(f, u)))
        if g.has(Sum) or entries(g, u) not in ([u], []):
            return None
        found[g] = found.get(g, S.Zero) + part / g
    return found


def _gibbs(parts: Parts, w: Expr, signs: Signs) -> bool:
    """∂Q/∂w_k = c_k/w_k with c_k ≥ 0."""
    live = {g: c for g, c in parts.items() if c != 0}
    return set(live) == {1 / w} and signs(live[1 / w]) in (0, 1)


def _falling(parts: Parts, u: Expr, signs: Signs) -> bool:
    """Every part of the slope falls, so Q is concave."""
    return all(_falls(g, c, u, signs) for g, c in parts.items() if g != 1) and set(parts) != {S.One}


def _falls(g: Expr, coefficient: Expr, u: Expr, signs: Signs) -> bool:
    base, power = g.as_base_exp()
    if base == u and power.is_number and (u.is_positive or power == 1):
        direction = 1 if power > 0 else -1
    elif power == -1 and diff(base, u).is_number:
        direction = -diff(base, u)
    else:
        return False
    return signs(-direction * coefficient) in (0, 1)


def _two_powers(parts: Parts, u: Expr, signs: Signs) -> bool:
    """c₁ u^a + c₂ u^b with a < b and c₁ ≥ 0 or c₂ ≤ 0: positive below its root, negative above."""
    powers = {
        g.as_base_exp()[1] if g != 1 else S.Zero: c
        for g, c in parts.items()
        if g == 1 or g.as_base_exp()[0] == u
    }
    if len(powers) != 2 or len(parts) != 2 or not u.is_positive or not all(p.is_number for p in powers):
        return False
    low, high = sorted(powers)
    return signs(-powers[high]) in (0, 1) or signs(powers[low]) in (0, 1)


GIBBS = Law(
    _gibbs, "Gibbs' inequality: ∑ c log w with c ≥ 0 is largest on the simplex at w = c/∑c, and only there"
)
CONCAVE = Law(_falling, "every term of the derivative falls in the parameter, so Q is concave in it")
ONE_ROOT = Law(
    _two_powers,
    "the derivative is c₁ uᵃ + c₂ uᵇ, a < b, positive below its only root and negative above it",
)


def law_for(slope: Expr, u: Expr, signs: Signs, *, simplex: bool) -> Law | None:
    """The law by which a stationary point in u is the maximum; among matrices the one with fewer signs to find first."""
    parts = parts_of(slope, u)
    if parts is None:
        return None
    two_sided = (ONE_ROOT, CONCAVE) if scalars_of_matrices(slope) else (CONCAVE, ONE_ROOT)
    candidates = (GIBBS,) if simplex else two_sided
    return next((law for law in candidates if law.holds(parts, u, signs)), None)
