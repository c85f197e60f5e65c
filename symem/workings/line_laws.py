"""The laws of the lines between: what is said of them, and how the two sides stand to each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sympy import Expr

from symem.derivation import Relation, Rule, Step
from symem.language.plates import Axis

_ROWS = (
    Rule(
        "joint density",
        "The density of the complete data is the product of what was declared,",
        "the chain rule of probability",
        Relation.EQUAL,
    ),
    Rule(
        "indicators",
        "A function of a variable with finitely many values is $f(z) = ∑ₖ [z = k] f(k)$; so the complete-data "
        "log-likelihood is linear in the indicators:",
        "algebra",
        Relation.EQUAL,
    ),
    Rule(
        "numerator and evidence",
        "By Bayes' rule the numerator is the weight of one value, and the evidence the sum over all of them:",
        "Bayes' rule",
        Relation.EQUAL,
    ),
    Rule(
        "ratio",
        "The posterior is their ratio; what all values share cancels:",
        "Bayes' rule",
        Relation.EQUAL,
    ),
    Rule(
        "coefficients",
        "The {family} law has, at {statistics}, the coefficients on the left; found were those on the right. They agree where",
        "algebra",
        Relation.EQUAL,
    ),
    Rule(
        "completed square",
        "With its square completed, it is seen to be largest at the mean:",
        "algebra",
        Relation.EQUAL,
    ),
    Rule(
        "mean of an indicator",
        "The posterior mean of an indicator is a probability,",
        "Dempster, Laird & Rubin 1977, section 2",
        Relation.MEAN,
    ),
    Rule(
        "square multiplied out",
        "To see it, multiply the squares out; a mean times its total is the sum that it was made of:",
        "algebra",
        Relation.EQUAL,
    ),
    Rule(
        "derivative of a term",
        "Differentiate by {parameter}, term by term:",
        "calculus",
        Relation.DIFFERENTIATED,
    ),
    Rule(
        "sum of derivatives",
        "Added up, the derivative with respect to {parameter} is",
        "calculus",
        Relation.EQUAL,
    ),
    Rule(
        "gathered powers",
        "Multiplied out and gathered by the powers of {parameter}, the equation is",
        "algebra",
        Relation.VANISHES,
    ),
    Rule(
        "gathered words",
        "What stands on the same side of every term is invertible and is taken away; the equation is",
        "algebra",
        Relation.VANISHES,
    ),
    Rule(
        "isolated",
        "What holds {parameter} goes to one side, the rest to the other:",
        "algebra",
        Relation.AT_THE_UPDATE,
    ),
    Rule(
        "others put in",
        "With {others} put in, from its own equation, this is",
        "algebra",
        Relation.AT_THE_UPDATE,
    ),
    Rule(
        "share over the multiplier",
        "Solved for {parameter}, with the multiplier still unknown,",
        "Lagrange",
        Relation.AT_THE_UPDATE,
    ),
    Rule(
        "constraint",
        "Put into the constraint, this is an equation for the multiplier alone,",
        "Lagrange",
        Relation.AT_THE_UPDATE,
    ),
    Rule(
        "second derivative",
        "Differentiated once more by {parameter},",
        "calculus",
        Relation.DIFFERENTIATED,
    ),
    Rule(
        "curvature",
        "and at the update, where this is",
        "calculus",
        Relation.AT_THE_UPDATE,
    ),
)

LINE_LAWS: Mapping[str, Rule] = {row.name: row for row in _ROWS}


def line(
    law: str, like: Step, before: Expr, after: Expr, *, axes: tuple[Axis, ...] | None = None, **told: Any
) -> Step:
    """A line by the law of that name, about the same and in the same stage as a step that was recorded."""
    held = like.axes if axes is None else axes
    return Step(like.stage, LINE_LAWS[law], before, after, like.about, told, axes=held)
