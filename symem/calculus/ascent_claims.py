"""What is proved of a maximum that is found by ascent: Q is concave there, whatever the data."""

from __future__ import annotations

from symem.calculus.checker import Checker
from symem.calculus.curvature import Curvature
from symem.calculus.differentiate import Unknown
from symem.derivation import Ascent, Certificate, Claim, Status

_STATIONARY = (
    "where the ascent ends, by steps that are rounding, the derivative of a concave function vanishes"
)
_CONCAVE = (
    "Q is concave in {names}{together}: exponentials and logs of sums of exponentials of affine functions are convex "
    "(Boyd & Vandenberghe 2004, section 3.1.5), and weights are not negative; every step raises Q, to its maximum where it "
    "has one"
)


def ascent_certificate(checker: Checker, update: Ascent) -> Certificate:
    """The claims of an update by ascent, by this checker's own signs."""
    part = update.within
    unknowns = [
        Unknown(each.parameter, each.definition.axes)
        for each in checker.block_of(update)
        if each.parameter in part.parameters
    ]
    concave = Curvature(unknowns, checker.signs)(part.part).concave
    names = ", ".join(map(str, part.parameters))
    told = _CONCAVE.format(names=names, together=" together" if len(part.parameters) > 1 else "")
    claims = (
        Claim("stationarity", Status.PROVED if concave else Status.OPEN, _STATIONARY),
        Claim(
            "second order",
            Status.PROVED if concave else Status.OPEN,
            told if concave else "not known to be concave",
        ),
        Claim("support", Status.PROVED, "every real number is allowed"),
    )
    return Certificate(update.parameter, claims)
