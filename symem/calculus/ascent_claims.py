"""What is proved of a maximum that is found by ascent: Q is concave there, whatever the data."""

from __future__ import annotations

from sympy import oo

from symem.calculus.checker import Checker
from symem.calculus.curvature import Curvature
from symem.calculus.differentiate import Unknown
from symem.derivation import Ascent, Certificate, Chart, Claim, Concave, Status
from symem.language.matrices import is_matrix

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
    axes = {each.parameter: each.definition.axes for each in checker.block_of(update)}
    unknowns = [Unknown(each, axes[each]) for each in part.parameters]
    concave = Curvature(unknowns, checker.signs, part.charts)(part.part).concave
    coordinates = ", ".join(_coordinate(part, number) for number in range(len(unknowns)))
    told = _CONCAVE.format(names=coordinates, together=" together" if len(part.parameters) > 1 else "")
    claims = (
        Claim("stationarity", Status.PROVED if concave else Status.OPEN, _STATIONARY),
        Claim(
            "second order",
            Status.PROVED if concave else Status.OPEN,
            told if concave else "not known to be concave",
        ),
        Claim("support", Status.PROVED, _support(checker, update)),
    )
    return Certificate(update.parameter, claims)


def _coordinate(part: Concave, number: int) -> str:
    """The coordinate that is climbed."""
    parameter = part.parameters[number]
    chart = part.charts[number] if part.charts else Chart()
    beside = f"{part.parameters[chart.beside]} " if chart.kind == "power" else ""
    return f"{beside}log {parameter}" if chart.kind else str(parameter)


def _support(checker: Checker, update: Ascent) -> str:
    if checker.variable(update).support.bounds == (-oo, oo) or is_matrix(update.parameter):
        return "every real number is allowed"
    number = update.within.parameters.index(update.parameter)
    if update.within.charts and update.within.charts[number].kind:
        return "its logarithm may be anything"
    return "the logarithm in Q falls without bound towards 0"
