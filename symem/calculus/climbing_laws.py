"""The laws by which a part of Q is climbed: where it is concave, where it is smooth, over the rows or in statistics alone."""

from __future__ import annotations

from symem.derivation import Climbed, Relation, Rule

_UPWARDS = (
    "Newton's method, its steps turned upwards and halved until {Q} has not fallen, climbs from the old values to a maximum, which "
    "need not be the highest"
)
_ROWS = "every step is a pass over the rows"

CONCAVE = Rule(
    "concave",
    "No formula gives {parameter}: what holds them is another function at every row, so that no statistics would do. But {Q} is "
    f"concave there, so that Newton's method climbs to its maximum; {_ROWS}.",
    "McCullagh & Nelder 1989, section 2.5",
    Relation.CLIMBS,
)
CONCAVE_IN_STATISTICS = Rule(
    "concave in statistics",
    "No formula gives {parameter}. But {Q} is concave there, so that Newton's method climbs to its maximum; statistics are all that "
    "its steps need.",
    "Boyd & Vandenberghe 2004, section 9.5",
    Relation.CLIMBS,
)
SMOOTH = Rule(
    "smooth",
    f"No formula gives {{parameter}}. {{Q}} is smooth there, though not known to be concave: {_UPWARDS}; {_ROWS}.",
    "Nocedal & Wright 2006, section 3.4",
    Relation.CLIMBS,
)
SMOOTH_IN_STATISTICS = Rule(
    "smooth in statistics",
    f"No formula gives {{parameter}}. {{Q}} is smooth there, though not known to be concave: {_UPWARDS}; statistics are all that its "
    "steps need.",
    "Nocedal & Wright 2006, section 3.4",
    Relation.CLIMBS,
)
_ONE_STEP = (
    "No formula gives {parameter}. Of Newton's method for the maximum of {Q} one step is taken, turned upwards and halved until {Q} has "
    "not fallen: {Q} rises, so that EM climbs as ever, and the step vanishes only where its derivative does, so that the fixed points are "
    "those of EM"
)
ONE_STEP = Rule("one step", f"{_ONE_STEP}; it is a pass over the rows.", "Lange 1995", Relation.CLIMBS)
ONE_STEP_IN_STATISTICS = Rule(
    "one step in statistics", f"{_ONE_STEP}; statistics are all that it needs.", "Lange 1995", Relation.CLIMBS
)
CLIMBING = (
    CONCAVE,
    CONCAVE_IN_STATISTICS,
    SMOOTH,
    SMOOTH_IN_STATISTICS,
    ONE_STEP,
    ONE_STEP_IN_STATISTICS,
)


def climbing_law(part: Climbed) -> Rule:
    """The law by which a part is climbed."""
    if part.one_step:
        return ONE_STEP if part.over_rows else ONE_STEP_IN_STATISTICS
    if part.over_rows:
        return CONCAVE if part.concave else SMOOTH
    return CONCAVE_IN_STATISTICS if part.concave else SMOOTH_IN_STATISTICS
