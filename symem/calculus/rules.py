"""What a law of the derivation is: a name, a sentence, a source, and how it relates two lines."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Relation(Enum):
    """How the two sides of a step stand to each other."""

    EQUAL = "equal wherever both are defined"
    AT_THE_UPDATE = "equal at the new parameters"
    ON_THE_SIMPLEX = "equal where the constraint holds"
    MARGINAL = "the logarithm of the integral of the exponential over the latents"
    MEAN = "the posterior mean, up to a constant"
    MAXIMISER = "the point at which the function is largest"


@dataclass(frozen=True)
class Rule:
    """A law: its name, its sentence with {places} for particulars, its source, and what it relates."""

    name: str
    sentence: str
    source: str
    relation: Relation
