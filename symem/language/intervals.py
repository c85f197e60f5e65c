"""The supports that are sets of real numbers between two ends, and what two of them share."""

from __future__ import annotations

from sympy import Expr, Max, Min

from symem.language.support import Support
from symem.language.supports import Interval, NonNegative, Positive, Reals, UnitInterval

#: The sets of real numbers between two ends.
INTERVALS = (Reals, Positive, NonNegative, UnitInterval, Interval)


def interval(low: Expr, high: Expr) -> Support:
    """The set between two numbers, by its own name if it has one."""
    named = (each for each in (Reals(), Positive(), UnitInterval()) if each.bounds == (low, high))
    return next(named, Interval(low, high))


def meet(one: Support, other: Support) -> Support:
    """What two intervals with numbers as ends share; of any others, the one that is more often meant."""
    if one.bounds == other.bounds or not all(end.is_number for s in (one, other) for end in s.bounds):
        return max(one, other, key=lambda each: each.narrowness)
    (low, high), (least, most) = one.bounds, other.bounds
    return interval(Max(low, least), Min(high, most))
