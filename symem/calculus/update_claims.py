"""The claims of a certificate: checks of a derivation that these modules did not make.

For each update: that ∂Q/∂θ vanishes there, that it is a maximum and not merely stationary, that it lies in the
support, and what must not vanish for it to exist. A claim is proved where an identity or a law holds for all
sizes and all data; otherwise it is evaluated at random attainable statistics, and then it is only checked.
"""

from __future__ import annotations

from dataclasses import replace

from sympy import Expr, Gt, Ne

from symem.calculus.ascent_claims import ascent_certificate
from symem.calculus.checker import Checker
from symem.calculus.second_order_claims import second_order
from symem.calculus.stationarity_claims import stationarity
from symem.calculus.support_claims import support
from symem.derivation import Ascent, Certificate, Status, Update


def certificate(checker: Checker, update: Update) -> Certificate:
    """The three claims of an update, and the conditions under which they hold."""
    if isinstance(update, Ascent):
        return ascent_certificate(checker, update)
    supposed: dict[Expr, None] = {}
    claims = []
    needed = tuple(checker.conditions.needed(update))
    for claim in (stationarity, second_order, support):
        checker.signs.hypotheses.clear()
        found = claim(checker, update)
        if found.status is Status.PROVED:
            supposed |= checker.signs.hypotheses
            found = replace(found, status=Status.UNDER) if checker.signs.hypotheses or needed else found
        claims.append(found)
    conditions = dict.fromkeys(
        (*needed, *checker.conditions.of(update, checker.variable(update).support), *supposed)
    )
    positive = {each.lhs for each in conditions if isinstance(each, Gt)}
    kept = tuple(each for each in conditions if not (isinstance(each, Ne) and each.lhs in positive))
    return Certificate(update.parameter, tuple(claims), kept)
