"""Certificates: what is established of each update, and which updates must not leave this house.

An update that an end of its support may confine is judged by its interior value and by how the derivative changes its
sign; of the others `update_claims` knows all. A block with an update that is refuted is not derived.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby

from sympy import Expr, expand

from symem.calculus.checker import Checker
from symem.calculus.constrained import Crossing, crossing, interior
from symem.calculus.factor_claims import factor_certificate
from symem.calculus.maxima import Slope
from symem.calculus.stationarity_claims import is_stationary, profiled
from symem.calculus.update_claims import certificate
from symem.derivation import Certificate, Claim, Derivation, NotDerived, OfFactor, Shares, Status, Update
from symem.language.intervals import INTERVALS
from symem.language.leaves import name_of
from symem.language.matrices import is_matrix
from symem.language.support import Support
from symem.language.supports import Interval, NonNegative, Simplex

_ESTABLISHED = (Status.PROVED, Status.UNDER)


def certify(derivation: Derivation) -> Derivation:
    """The derivation with a certificate for each update."""
    checker = Checker(derivation)
    found = (certified(checker, update) for update in derivation.updates)
    told = derivation.approximation
    return replace(derivation, certificates=tuple(replace(each, approximation=told) for each in found))


def leaving(derivation: Derivation, *, of_data: bool = True) -> frozenset[str]:
    """The parameters whose updates may lie outside their supports, the maximum over these being known.

    What stands in an objective that is not `of_data` may be related in ways that no random numbers are: there only what
    its form shows is told.
    """
    checker = Checker(derivation)
    judged = zip(derivation.updates, derivation.certificates, strict=True)
    found = frozenset(
        name_of(update.parameter)
        for update, certificate in judged
        if certificate.claims[-1].status not in _ESTABLISHED
        and not isinstance(update, OfFactor)
        and _is_confinable(
            checker, update, refuted=of_data and certificate.claims[-1].status is Status.REFUTED
        )
    )
    return found.union(*(members for members in derivation.model.simplexes if found & set(members)))


def without_refuted(derivation: Derivation) -> Derivation:
    """The derivation with the blocks of which an update is refuted among what was not derived."""
    refuted = {each.parameter: wrong for each in derivation.certificates if (wrong := each.refuted)}
    kept: list[Update] = []
    lost: list[NotDerived] = []
    for _number, block in groupby(derivation.updates, key=lambda update: update.block):
        updates = list(block)
        first = next((update for update in updates if update.parameter in refuted), None)
        if first is None:
            kept += updates
        else:
            others = [update for update in updates if update is not first]
            lost.append(_refused(first, others, refuted[first.parameter], derivation))
    return replace(derivation, updates=tuple(kept), not_derived=(*derivation.not_derived, *lost))


_INSTEAD = {
    "support": "declare a support that holds it, parameters={{{name}: …}}, or write the parameter as a function of one "
    "that may be anything",
    "second order": "a prior that is a density, or a parameter that the data determine, gives it one",
    "stationarity": "please report this model",
}
_WRONG = {
    "support": "can lie outside {support}, and no maximum over that support was found",
    "second order": "is no maximum of Q for some data",
    "stationarity": "does not solve it for some data",
}


def _refused(update: Update, others: Iterable[Update], claim: Claim, derivation: Derivation) -> NotDerived:
    variable = derivation.model.variables[name_of(update.parameter)]
    told = {"name": variable.name, "support": variable.support}
    wrong, instead = _WRONG[claim.name].format(**told), _INSTEAD[claim.name].format(**told)
    parameters = (update.parameter, *(other.parameter for other in others))
    return NotDerived(parameters, update.equation, update.nested, refuted=wrong, instead=instead)


# where an end may confine ---------------------------------------------------------------------------------


def _is_confinable(checker: Checker, update: Update, *, refuted: bool) -> bool:
    """Whether the maximum over the support is known, and the root can be outside: a point was found, somebody set the
    ends, Q is finite at one, or a prior takes a number from what points inwards.
    """
    if isinstance(update, Shares):
        return _with_constants_taken(checker, update) is not None
    found = _crossing(checker, update)
    if found is None or not found.is_downwards(checker.signs):
        return False
    stated = isinstance(found.support, Interval | NonNegative)
    reached = any(end.is_finite and end not in found.open_ends for end in found.support.bounds)
    return refuted or stated or reached or any(_is_short_of(each, checker) for each in found.inward())


def _crossing(checker: Checker, update: Update) -> Crossing | None:
    """How ∂Q/∂u of a number changes its sign on its interval, the earlier parameters being at their solutions."""
    support = checker.variable(update).support
    bounded = isinstance(support, INTERVALS) and any(end.is_finite for end in support.bounds)
    if not bounded or is_matrix(update.parameter):
        return None
    raw = checker.raw_slope(update)
    if raw is None or not profiled(checker, update):
        return None
    return crossing(checker.solved_before(update).put(raw), update.parameter, support, checker.signs)


def _with_constants_taken(checker: Checker, update: Update) -> Expr | None:
    """c of ∂Q/∂w = c/w, if a prior takes a number from it."""
    raw = checker.raw_slope(update)
    parts = (
        {} if raw is None else {g: c for g, c in Slope(raw, update, checker.signs).parts.items() if c != 0}
    )
    if set(parts) != {1 / update.parameter}:
        return None
    count = expand(parts[1 / update.parameter])
    return count if _is_short_of(count, checker) else None


def _is_short_of(count: Expr, checker: Checker) -> bool:
    """Whether a number is taken from a count, and no constant of a prior may give it back."""
    return bool(count.as_coeff_Add()[0].is_negative) and not count.free_symbols & checker.signs.constants


def certified(checker: Checker, update: Update) -> Certificate:
    """What is established of one update."""
    if isinstance(update, OfFactor):
        return factor_certificate(checker, update)
    support = None if is_matrix(update.parameter) else checker.variable(update).support
    inner = update.value if support is None else interior(update.value, support)
    if support is None or inner == update.value:
        return certificate(checker, update)
    bare = _bare(update, support)
    together = isinstance(update, Shares)  # the scalars of a simplex sum to one without their ends
    updates = tuple(
        bare if each is update else _bare(each, support) if together and isinstance(each, Shares) else each
        for each in checker.derivation.updates
    )
    inside = Checker(replace(checker.derivation, updates=updates))
    claims = _claims_on_simplex if isinstance(support, Simplex) else _claims_on_interval
    conditions, found = claims(inside, bare)
    return Certificate(update.parameter, found, conditions)


def _bare(update: Update, support: Support) -> Update:
    """An update without the ends that confine it."""
    definition = replace(update.definition, value=interior(update.value, support))
    bare = replace(update, definition=definition, nested=interior(update.nested, support))
    if isinstance(bare, Shares):
        letter, value = bare.multiplier
        bare = replace(bare, multiplier=(letter, interior(value, support)))
    return bare


def _claims_on_interval(checker: Checker, update: Update) -> tuple[tuple[Expr, ...], tuple[Claim, ...]]:
    """The constrained maximum: one change of sign, from + to -."""
    found = _crossing(checker, update)
    low, high = checker.variable(update).support.bounds
    points = () if found is None else found.inward()
    inside = [checker.conditions.is_positive(each) for each in points if checker.signs(each) not in (0, 1)]
    status = Status.UNDER if inside else Status.PROVED
    exists = checker.conditions.of(update, Interval(low, high))
    conditions = (*inside, *(each for each in exists if each.lhs not in {other.lhs for other in inside}))
    if found is None or not found.is_downwards(checker.signs):
        status = Status.OPEN
    closed = f"at {low} or above" if high.is_infinite else f"at {high} or below"
    closed = f"between {low} and {high}" if low.is_finite and high.is_finite else closed
    return conditions, (
        Claim("stationarity", status, "the derivative vanishes at the update, or points outwards at an end"),
        Claim(
            "second order",
            status,
            "the derivative changes its sign once, from + to -, so the update is the constrained maximum: the root, or the "
            "end of the support nearest to it",
            unique=True,
        ),
        Claim("support", Status.PROVED, f"the update lies {closed} by its form"),
    )


def _claims_on_simplex(checker: Checker, update: Update) -> tuple[tuple[Expr, ...], tuple[Claim, ...]]:
    """Shares whose coefficients a prior may make negative."""
    count = _with_constants_taken(checker, update)
    status = Status.OPEN if count is None or not is_stationary(checker, update) else Status.UNDER
    return () if count is None else (checker.conditions.is_positive(count),), (
        Claim("stationarity", status, "the derivative equals λ at the update where every share is positive"),
        Claim(
            "second order",
            status,
            "Gibbs' inequality: ∑ c log w with c ≥ 0 is largest on the simplex at w = c/∑c; with a c below 0 it has no "
            "maximum and rises without bound as that share goes to 0, which is what it then gets",
        ),
        Claim("support", Status.PROVED, "the shares are not negative and sum to one"),
    )
