"""The steps of a derivation: a law, the line before and the line after, and why one follows from the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from sympy import Equality, Expr

from symem.derivation.definition import Definition
from symem.language.plates import Axis


class Relation(Enum):
    """How the two sides of a step stand to each other."""

    EQUAL = "equal wherever both are defined"
    AT_THE_OLD = "equal at the current parameters θ⁽ᵗ⁾"
    AT_THE_UPDATE = "equal at the new parameters"
    VANISHES = "zero at the new parameters"
    UP_TO_A_CONSTANT = "equal but for what is free of that which the step is about"
    ON_THE_SIMPLEX = "equal where the constraint holds"
    POSTERIOR = "equal at each place of the latents, but for what is free of them"
    COUPLED = "equal at all places of the latents together, but for what is free of them"
    MARGINAL = "the logarithm of the integral of the exponential over the latents"
    COUNTED = "the same of every row alone, as often as it counts"
    MEAN = "the posterior mean, up to a constant"
    AT_LEAST = "at no θ less, with statistics and what the step defines held at θ⁽ᵗ⁾"
    RISES = "at the new parameters not less, with what the step defines held at θ⁽ᵗ⁾"
    CLIMBS = "the same, with the statistics held too"
    DIFFERENTIATED = "the derivative with respect to what the step is about"
    MAXIMISER = "the point at which the function is largest"
    COVARIES = "the posterior covariance of the derivatives with respect to what the step is about"
    BENDS = "minus its second derivatives are those of the other, less the posterior variance of the score of complete data"


@dataclass(frozen=True)
class Rule:
    """A law: its name, its sentence, its source, how it relates two lines, and the formula that it says.

    In the sentence {latent} and {parameter} stand for what a step is about, {Q}, {old} and the other names of
    `THEORY` for themselves, other {places} for the step's particulars; what stands between $ is a formula.
    A `detail` gives a line between, for those who want every line.
    """

    name: str
    sentence: str
    source: str
    relation: Relation
    formula: str = field(default="", kw_only=True)
    detail: bool = field(default=False, kw_only=True)


#: The names that any sentence may use, as they are written in plain text.
THEORY: Mapping[str, str] = {
    "theta": "θ",
    "old": "θ⁽ᵗ⁾",
    "next": "θ⁽ᵗ⁺¹⁾",
    "Q": "Q",
    "Q_theta": "Q(θ | θ⁽ᵗ⁾)",
    "Q_old": "Q(θ⁽ᵗ⁾ | θ⁽ᵗ⁾)",
    "Q_next": "Q(θ⁽ᵗ⁺¹⁾ | θ⁽ᵗ⁾)",
    "objective_theta": "ℓ(θ)",
    "objective_old": "ℓ(θ⁽ᵗ⁾)",
    "objective_next": "ℓ(θ⁽ᵗ⁺¹⁾)",
    "posterior": "p(latents | data, θ⁽ᵗ⁾)",
}


@dataclass(frozen=True)
class Ends:
    """Where a latent lies: between two ends, on the integers if it `counts`."""

    low: Expr
    high: Expr
    counts: bool

    def __str__(self) -> str:
        if not self.counts:
            return f"({self.low}, {self.high})"
        last = "" if self.high.is_infinite else f", {self.high}"
        return f"{self.low}, {self.low + 1}, …{last}"


@dataclass(frozen=True)
class Step:
    """One line of the derivation: by `law`, `before` becomes `after`.

    `about` are the latents or the parameters in question; `particulars` stand in the places of the law's sentence;
    `defines` are the names that the step brings in, `axes` the plates over which it holds.
    """

    stage: str
    law: Rule
    before: Expr
    after: Expr
    about: tuple[Expr, ...] = ()
    particulars: Mapping[str, Any] = field(default_factory=dict)
    defines: tuple[Definition, ...] = ()
    axes: tuple[Axis, ...] = ()

    @property
    def reason(self) -> str:
        """The law's sentence, and the formula that it says, in plain text."""
        told = " ".join(filter(None, (self.law.sentence, self.law.formula))).replace("$", "")
        particulars = {name: self._plain(value) for name, value in self.particulars.items()}
        return told.format(**{"latent": self._names, "parameter": self._names, **THEORY, **particulars})

    @property
    def _names(self) -> str:
        return ", ".join(map(str, self.about))

    def _plain(self, value: Any) -> str:
        """A particular: a list is told as a list, a tuple is words and formulas in their order."""
        if isinstance(value, Rule):
            return value.formula.format(parameter=self._names)
        if isinstance(value, list | tuple):
            return (", " if isinstance(value, list) else "").join(map(self._plain, value))
        return f"{value.lhs} = {value.rhs}" if isinstance(value, Equality) else str(value)
