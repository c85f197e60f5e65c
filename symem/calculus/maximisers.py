"""The laws of the M-step, one row each: how ∂Q/∂u = 0 is solved, and why what solves it is the maximum.

A law is a form of the equation, the side condition under which it has one root in the support, that root, the
sentence that a report prints, what must not vanish, and the arguments for a maximum. The solver walks the rows in
their order and notes on every update which one gave it; the certificate asks that very row, with ∂Q/∂u and the
signs worked out by its own means. A new law is a new row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sympy import Expr

from symem.calculus import constrained, correlations, existence, falling, linear, maxima, roots, shares
from symem.calculus.covariance_claims import CovarianceClaims
from symem.calculus.matrix_equations import any_words, in_words, linear_root, scatter_over_count, scattered
from symem.calculus.putting_in import matrices_alone, numbers_alone
from symem.calculus.stationarity import Root, Stationarity
from symem.derivation import Relation, Rule
from symem.language.matrices import is_matrix
from symem.language.support import Support

Equations = TypeVar("Equations")
Form = TypeVar("Form")
Solution = TypeVar("Solution")


@dataclass(frozen=True)
class Law(Rule, Generic[Equations, Form, Solution]):
    """A row.

    Args:
        form: the equation as a reader writes it.
        reads: the equations -> the ways in which they are of this form and meet its side condition.
        root: the form -> its solution; None where there is none in closed form.
        maxima: why the root is a maximum, the argument that needs the fewest signs first.
        exists: (root, support) -> what must not vanish.
        positive: root -> what must be positive for it to exist.
        joint: the claims of parameters that are one only together, as the checker makes them; None where each has its own.
        numeric: whether the root is a number that is sought, no formula.
    """

    form: str
    reads: Callable[[Equations], Iterable[Form]]
    root: Callable[[Form], Solution | None]
    maxima: tuple[maxima.Maximum[Any], ...]
    exists: Callable[[Expr, Support], Iterable[Expr]] = existence.of_ratio
    positive: Callable[[Expr], Iterable[Expr]] = existence.anyway
    joint: type[CovarianceClaims] | None = None
    numeric: bool = False

    def solve(self, equations: Equations) -> Solution | None:
        """The solution, if the equations are of this form."""
        found = (self.root(form) for form in self.reads(equations))
        return next((solution for solution in found if solution is not None), None)


#: One equation, one unknown number.
NUMBERS: tuple[Law[roots.Equation, Any, Expr], ...] = (
    Law(
        "two powers",
        "With its denominators cleared the equation holds two powers of {parameter}; its root is",
        "algebra",
        Relation.AT_THE_UPDATE,
        form="c₁ uᵃ + c₂ uᵇ = 0 with u > 0, or b - a odd",
        reads=roots.two_powers,
        root=roots.ratio,
        maxima=(maxima.FALLING, maxima.ONE_ROOT, maxima.ODD),
    ),
    Law(
        "three powers",
        "The equation is quadratic in a power of {parameter}; as its first and last coefficients differ in sign, "
        "one of the two roots is positive.",
        "algebra",
        Relation.AT_THE_UPDATE,
        form="c + b uˢ + a u²ˢ = 0 with u > 0 and ac < 0",
        reads=roots.three_powers,
        root=roots.positive_root,
        maxima=(maxima.FALLING, maxima.ONE_CHANGE),
    ),
    Law(
        "mean direction",
        "a cos u + b sin u = √(a² + b²) cos(u - φ) with φ the angle of (a, b), and is largest at u = φ: this is "
        "{parameter}.",
        "Mardia & Jupp 2000, section 5.3.1",
        Relation.AT_THE_UPDATE,
        form="c₁ sin(m u) + c₂ cos(m u) = 0 with u over a whole turn",
        reads=roots.waves,
        root=roots.crest,
        maxima=(maxima.CREST,),
        exists=existence.of_direction,
    ),
    Law(
        "inverse function",
        "Of the two terms of the equation one is a function of {parameter} times the other; the function is undone.",
        "algebra",
        Relation.AT_THE_UPDATE,
        form="c₁ g(u) + c₂ h(u) = 0, h/g made of logarithms, exponentials and powers",
        reads=roots.two_terms,
        root=roots.undone,
        maxima=(maxima.FALLING, maxima.ONE_ROOT),
        exists=existence.of_inverse,
        positive=existence.logarithms,
    ),
)

#: The same where an end of the support may confine the root.
ENDED: tuple[Law[roots.Equation, Any, Expr], ...] = (
    Law(
        "nearest point",
        "The derivative changes its sign once; where its root is not in the support, {parameter} is the end that is "
        "nearest to it.",
        "Boyd & Vandenberghe 2004, section 4.2.3",
        Relation.AT_THE_UPDATE,
        form="c₁ uᵃ + c₂ uᵇ = 0, falling, with low ≤ u ≤ high",
        reads=constrained.two_powers_within,
        root=lambda found: constrained.nearest(*found),
        maxima=(maxima.FALLING, maxima.ONE_ROOT, maxima.ODD),
    ),
)

#: One equation between matrices, one unknown matrix.
MATRICES: tuple[Law[Any, Any, Expr], ...] = (
    Law(
        "covariance",
        "a log det Σ + tr(Σ⁻¹M) is least at Σ = M/a, as its derivative aΣ⁻¹ - Σ⁻¹MΣ⁻¹ vanishes there: this is "
        "{parameter}.",
        "Anderson 2003, lemma 3.2.2",
        Relation.AT_THE_UPDATE,
        form="c X⁻¹ + X⁻¹ M X⁻¹ = 0, or c X⁻¹ + M = 0",
        reads=scattered,
        root=scatter_over_count,
        maxima=(maxima.SCATTER,),
        exists=existence.of_matrix,
    ),
    Law(
        "matrix equation",
        "What stands on both sides of every term is taken away, and the linear equation that is left is solved for "
        "{parameter}.",
        "Magnus & Neudecker 2019, chapter 2",
        Relation.AT_THE_UPDATE,
        form="Σ Aⱼ X = C, Σ X Bⱼ = C, Σ Aⱼ X B = C or Σ A X Bⱼ = C",
        reads=any_words,
        root=linear_root,
        maxima=(maxima.CURVED,),
        exists=existence.of_matrix,
    ),
)

#: Several equations, several unknowns.
TOGETHER: tuple[Law[Stationarity, Any, list[Root]], ...] = (
    Law(
        "shares above zero",
        "So each is a share over {multiplier}, those that would be negative being 0; as the shares sum to one, "
        "{multiplier} is the sum of what is shared:",
        "Figueiredo & Jain 2002, equation 17",
        Relation.AT_THE_UPDATE,
        form="∂Q/∂u_k = λ at u_k = h_k/λ where h_k > 0, and Σ u = 1",
        reads=shares.ended_shares_of,
        root=shares.normalised,
        maxima=(maxima.GIBBS,),
    ),
    Law(
        "normalised shares",
        "So each is a share over {multiplier}, and as the shares sum to one, {multiplier} is the sum of what is shared:",
        "Lagrange",
        Relation.AT_THE_UPDATE,
        form="∂Q/∂u_k = λ at u_k = g(λ) h_k, and Σ u = 1",
        reads=shares.shares_of,
        root=shares.normalised,
        maxima=(maxima.GIBBS,),
    ),
    Law(
        "jointly linear",
        "The equations are linear in {parameter} and its companions; these are eliminated one after another (Gauss).",
        "algebra",
        Relation.AT_THE_UPDATE,
        form="A u = b in a few numbers",
        reads=linear.jointly_linear,
        root=linear.by_elimination,
        maxima=(maxima.FALLING, maxima.ONE_ROOT),
    ),
    Law(
        "put in",
        "The matrices that stand in the equation of {parameter} are put in, each from its own equation; the linear "
        "equation that is left is solved.",
        "Magnus & Neudecker 2019, chapter 2",
        Relation.AT_THE_UPDATE,
        form="Σ Aⱼ X Bⱼ = C(Y) and Y = Y(X)",
        reads=matrices_alone,
        root=lambda root: [root],
        maxima=(maxima.CURVED,),
        exists=existence.of_matrix,
    ),
    Law(
        "linear system",
        "The equations are a linear system in the entries of {parameter}.",
        "algebra",
        Relation.AT_THE_UPDATE,
        form="Σ_m G[j, m] u[m] = h[j]",
        reads=linear.coupled,
        root=lambda root: [root],
        maxima=(maxima.SYSTEM_CURVED,),
        exists=existence.of_system,
    ),
    Law(
        "scales of a covariance",
        "The covariance Σ that {parameter} and its companions make up is that which maximises Q as a whole, S/N; they are "
        "read back from it.",
        "Anderson 2003, corollary 3.2.1",
        Relation.AT_THE_UPDATE,
        form="∂/∂u of -N/2 log det Σ(u) - tr(Σ(u)⁻¹S)/2 = 0, u ↦ Σ one to one",
        reads=correlations.correlated,
        root=correlations.by_scales,
        maxima=(maxima.CORRELATED,),
        joint=CovarianceClaims,
    ),
    Law(
        "numbers put in",
        "The numbers that stand in the equation of {parameter} are put in, each from its own equation; the linear equation "
        "that is left is solved.",
        "algebra",
        Relation.AT_THE_UPDATE,
        form="c u + Σ aₖ vₖ = d and vₖ = vₖ(u)",
        reads=numbers_alone,
        root=lambda root: [root],
        maxima=(maxima.FALLING,),
    ),
    Law(
        "falling equation",
        "No formula gives the root of this equation. Its left side falls in {parameter}, so that it has one root at most, "
        "which is found as a number, by Newton's method between bounds.",
        "Minka 2002",
        Relation.AT_THE_UPDATE,
        form="Σ c g(u) = 0 with u > 0, falling; g powers, logarithms, digammas, ratios of Bessel functions",
        reads=falling.falling_equations,
        root=falling.falling_root,
        maxima=(maxima.FALLS_TO_ROOT,),
        exists=falling.of_given,
        positive=falling.of_root,
        numeric=True,
    ),
)

LAWS: Mapping[str, Law[Any, Any, Any]] = {row.name: row for row in (*NUMBERS, *ENDED, *MATRICES, *TOGETHER)}


def law_of(name: str) -> Law[Any, Any, Any]:
    """The row of that name."""
    return LAWS[name]


def isolate(equation: Expr, unknown: Expr, support: Support) -> tuple[str, Expr] | None:
    """(law, root) of one equation in one unknown that lies in the support, by the first law that has it."""
    if is_matrix(unknown):
        return _first(MATRICES, in_words(equation, unknown))
    return _first(NUMBERS, roots.gathered(equation, unknown, support))


def confine(equation: Expr, unknown: Expr, support: Support) -> tuple[str, Expr] | None:
    """(law, root) of one equation in one number, an end of the support where the root lies beyond it."""
    return None if is_matrix(unknown) else _first(ENDED, roots.gathered(equation, unknown, support))


def _first(rows: Iterable[Law[Equations, Any, Expr]], equation: Equations | None) -> tuple[str, Expr] | None:
    found = ((law.name, law.solve(equation)) for law in rows) if equation is not None else ()
    return next(((name, root) for name, root in found if root is not None), None)
