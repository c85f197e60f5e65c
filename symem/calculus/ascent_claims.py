"""What is known of a maximum that is found by ascent: that Q is concave there, whatever the data, or what trials say of it."""

from __future__ import annotations

from collections.abc import Iterator

from sympy import loggamma, oo

from symem.calculus.checker import Checker
from symem.calculus.differentiate import Unknown
from symem.calculus.gamma_pairs import is_concave, straightened
from symem.calculus.separate import separate
from symem.derivation import Ascent, Certificate, Chart, Claim, Climbed, Status
from symem.language.bessel_logarithms import LogBesselK
from symem.language.incomplete_gamma import LogIncompleteGamma
from symem.language.matrices import is_matrix
from symem.language.special import LogGammaRatio

_STATIONARY = (
    "where the ascent ends, by steps that are rounding, the derivative of a concave function vanishes"
)
_CONCAVE = (
    "Q is concave in {names}{together}: exponentials and logs of sums of exponentials of affine functions are convex "
    "(Boyd & Vandenberghe 2004, section 3.1.5), {more}and weights are not negative; every step raises Q, to its maximum where it "
    "has one"
)
_GAMMAS = (
    "so is the logarithm of the multivariate beta function, log Γ(u + x) - log Γ(u) is concave for x ≥ 0 "
    "(Wainwright & Jordan 2008, section 3.1), "
)
_FIXED_POINTS = Claim(
    "fixed points",
    Status.PROVED,
    "the step, a positive definite matrix times the derivative of Q, vanishes only where that does: the fixed points are those of EM "
    "(Lange 1995, section 2)",
)
_ASCENT = Claim(
    "ascent",
    Status.PROVED,
    "Q is not maximised: one step is taken, upwards, and halved until Q has not fallen, so that the likelihood never falls (Lange 1995)",
)
_BESSEL = (
    "log K_p(√(ab)) + p (log b - log a)/2 is the log-partition of a generalised inverse Gaussian law, convex in p, a and b "
    "(Barndorff-Nielsen 1978), "
)

_INCOMPLETE = "so is log ∫ t^(s - 1) e^-t dt between two ends in s, a log-partition (Wainwright & Jordan 2008, section 3.1), "


def ascent_certificate(checker: Checker, update: Ascent) -> Certificate:
    """The claims of an update by ascent, by this checker's own signs."""
    part = update.within
    axes = {each.parameter: each.definition.axes for each in checker.block_of(update)}
    unknowns = [Unknown(each, axes[each]) for each in part.parameters]
    charts = part.charts or (Chart(),) * len(unknowns)
    support = Claim("support", Status.PROVED, _support(checker, update))
    if part.one_step:
        return Certificate(update.parameter, (_FIXED_POINTS, _ASCENT, support))
    terms = separate(part.part.replace(LogGammaRatio, lambda a, d: LogGammaRatio(a, d).difference))
    coordinates = ", ".join(_coordinate(part, number) for number in range(len(unknowns)))
    if not is_concave(terms, unknowns, checker.signs, charts):
        if not is_concave(terms, unknowns, checker.signs, straightened(charts)):
            return Certificate(update.parameter, (*_of_trials(checker, update), support))
        coordinates = ", ".join(map(str, part.parameters))
    together = " together" if len(part.parameters) > 1 else ""
    incomplete = part.part.has(LogIncompleteGamma)
    more = _INCOMPLETE if incomplete else _GAMMAS if part.part.has(loggamma, LogGammaRatio) else ""
    more += _BESSEL if part.part.has(LogBesselK) else ""
    told = _CONCAVE.format(names=coordinates, together=together, more=more)
    proved = (
        Claim("stationarity", Status.PROVED, _STATIONARY),
        Claim("second order", Status.PROVED, told),
    )
    return Certificate(update.parameter, (*proved, support))


def _of_trials(checker: Checker, update: Ascent) -> Iterator[Claim]:
    """What is seen where ascents end, no step of which lowers Q."""
    what = "the derivative where the ascent ends, no step of which lowers Q,"
    yield checker.checked("stationarity", checker.trials.stationary(update), what)
    what = "the Hessian of the block where the ascent ends"
    yield checker.checked("second order", checker.trials.maximal(update), what)


def _coordinate(part: Climbed, number: int) -> str:
    """The coordinate that is climbed."""
    parameter = part.parameters[number]
    chart = part.charts[number] if part.charts else Chart()
    beside = f"{part.parameters[chart.beside]} " if chart.beside >= 0 else ""
    return (
        f"{beside}{parameter}" if chart.is_straight or chart.kind == "times" else f"{beside}log {parameter}"
    )


def _support(checker: Checker, update: Ascent) -> str:
    if checker.variable(update).support.bounds == (-oo, oo) or is_matrix(update.parameter):
        return "every real number is allowed"
    number = update.within.parameters.index(update.parameter)
    chart = update.within.charts[number]
    if chart.kind == "logit":
        return "its log odds may be anything"
    if chart.is_straight:
        held = "no step is taken that leads to 0" if update.within.part.has(LogBesselK) else ""
        return held or "Q falls without bound towards 0"
    return "its logarithm may be anything"
