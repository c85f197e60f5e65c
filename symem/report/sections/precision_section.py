"""How sure a fit is: standard errors and intervals beside the estimate, and how fast EM was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from symem.report.document import Block, Prose, said
from symem.report.writer import Voice
from symem.runtime.results import Fit


def precision_columns(fit: Fit) -> tuple[tuple[Prose, Mapping[str, Any]], ...]:
    """Beside the estimate its standard error and the ends of its interval, if there are."""
    told = np.array(fit.precision["entries"])
    heads = ("standard error",), ("from",), ("to (95 %)",), ("missing share",)
    columns = zip(heads, told.astype(float).T, strict=False)
    return tuple((head, _by_name(fit.parameters, column)) for head, column in columns)


def _by_name(theta: Any, flat: Any) -> dict[str, Any]:
    """Numbers of the entries in the shapes of the parameters."""
    sizes = [np.size(value) for value in theta]
    parts = np.split(flat, np.cumsum(sizes)[:-1])
    shaped = (part.reshape(np.shape(value)) for part, value in zip(parts, theta, strict=True))
    return dict(zip(theta._fields, shaped, strict=True))


def precision(fit: Fit, voice: Voice) -> Iterator[Block]:
    """What the numbers are, and how fast EM is, entry by entry and in all; or why there are none."""
    told = dict(fit.precision["facts"])
    if not fit.precision["entries"]:
        yield from ((f"{name[0].upper()}{name[1:]}: {why}.",) for name, why in told.items())
        return
    yield said(
        "Standard errors are roots of the diagonal of the inverse of the observed information @, the information @ that complete "
        "data would have less what is missing, @, at the estimate, both by central differences of the slopes of @; intervals "
        "are taken where a support has no ends, by the logarithm of what is positive and the log-odds of what lies between "
        "two ends.",
        rf"i_{{X}}({voice.theta}) = i_{{Y}}({voice.theta}) - i_{{Z \mid X}}({voice.theta})",
        f"i_{{Y}}({voice.theta})",
        rf"i_{{Z \mid X}}({voice.theta})",
        "Q",
    )
    yield from (
        (f"{name[0].upper()}{name[1:]}: {told[name]}.",)
        for name in ("held", "not identified")
        if name in told
    )
    yield said(
        "The distance to the estimate shrinks by the share of information that is missing, the largest eigenvalue of @: "
        f"{told['pace']}.{_further(told)} The missing share of an entry is 1 less the ratio of its variances from complete data "
        "and from those that there are.",
        r"i_{Y}^{-1}\, i_{Z \mid X}",
    )


def _further(told: Mapping[str, str]) -> str:
    return f" Left: {told['left']}." if "left" in told else ""
