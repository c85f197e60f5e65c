"""What the data say of two parameters together, as formulas."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr, S

from symem.derivation.definition import Definition


@dataclass(frozen=True)
class InformationBlock:
    """The information on two parameters, at the places of both.

    `complete` is what complete data would have of it at θ = θ⁽ᵗ⁾, minus the second derivatives of Q with its statistics held
    (in MAP-EM of the log-prior too), in statistics and parameters; `missing` is the posterior covariance of the slopes of the
    complete-data log-likelihood, in data, posteriors and parameters. Where this has no closed form it is None, and `reason` says
    why. `slope` is ∂Q/∂θ of the first. The second parameter has its own indices. Of a vector or a matrix all are derivatives along
    a direction, of which `directions` has the letters; of a number it is 1.
    """

    parameters: tuple[Expr, Expr]
    slope: Expr
    complete: Definition
    missing: Definition | None = None
    reason: str = ""
    directions: tuple[Expr, Expr] = (S.One, S.One)
