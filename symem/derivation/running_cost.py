"""What an iteration of the algorithm costs, as it is run."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr


@dataclass(frozen=True)
class RunningCost:
    """Operations of the parts of an iteration, as polynomials in the sizes.

    `condensed` are the data that enter through their mean and covariance alone; where no other data tell the rows
    apart, `standing` rows stand for all `rows` of them, which are read once, and the parts are counted with these.
    """

    parts: tuple[tuple[str, Expr], ...]
    condensed: tuple[str, ...] = ()
    rows: Expr | None = None
    standing: Expr | None = None
