"""The claim that an update lies in the support of its parameter."""

from __future__ import annotations

from sympy import Expr, S

from symem.calculus.checker import Checker
from symem.calculus.maxima import GIBBS
from symem.calculus.second_order_claims import argument_of
from symem.calculus.stationarity_claims import on_simplex
from symem.derivation import Claim, Status, Update
from symem.language.matrices import is_matrix
from symem.language.supports import Simplex


def support(checker: Checker, update: Update) -> Claim:
    name, variable = "support", checker.variable(update)
    if is_matrix(update.parameter):
        found = checker.matrices.support(update)
        return found or checker.checked(name, checker.trials.feasible(update), "whether it is in its support")
    low, high = variable.support.bounds
    if low == -S.Infinity and high == S.Infinity:
        return Claim(name, Status.PROVED, "every real number is allowed")
    values = [update.value] + ([update.nested] if _same(checker, update) else [])
    if isinstance(variable.support, Simplex):
        shared = argument_of(checker, update)[0] is GIBBS
        if (shared or any(checker.signs(value) in (0, 1) for value in values)) and on_simplex(
            checker, update
        ):
            return Claim(name, Status.PROVED, "the shares are not negative and sum to one")
    elif (joint := checker.joint(update)) is not None and (argument := joint.within(low, high)):
        return Claim(name, Status.PROVED, argument)
    elif all(
        any(_beyond(checker, value, end, way) for value in values) for end, way in ((low, 1), (high, -1))
    ):
        closed = f"from {low} on" if high == S.Infinity else f"between {low} and {high}"
        how = "by the signs of what its statistics are sums of"
        return Claim(name, Status.PROVED, f"the update lies {closed}, {how}")
    return checker.checked(name, checker.trials.feasible(update), "whether the update lies in its support")


def _beyond(checker: Checker, value: Expr, end: Expr, way: int) -> bool:
    return not end.is_finite or checker.signs(way * (value - end)) in (0, 1)


def _same(checker: Checker, update: Update) -> bool:
    """Whether the nested form is the update, the earlier ones being put in."""
    put = checker.solved_before(update).put
    return bool(update.nested == update.value or checker.vanishes(put(update.nested - update.value)))
