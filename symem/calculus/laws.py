"""The laws by which one line of a derivation follows from the line before."""

from __future__ import annotations

from collections.abc import Mapping
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


_ROWS = (
    Rule(
        "separation",
        "The logarithm of a product is a sum; what is multiplied out is a sum of products, each over its own plates.",
        "Dempster, Laird & Rubin 1977, section 1",
        Relation.EQUAL,
    ),
    Rule(
        "outcomes",
        "The terms that hold {latent}, at its outcome {outcome}: the log-weight of that outcome.",
        "Bayes' rule",
        Relation.EQUAL,
    ),
    Rule(
        "softmax",
        "Weights over finitely many outcomes of {latent} become probabilities when divided by their sum.",
        "Bayes' rule",
        Relation.EQUAL,
    ),
    Rule(
        "recognition",
        "As a function of {latent} the terms are the log-density of a {family} law plus a number free of {latent}, "
        "the log-normaliser, which stays behind.",
        "Wainwright & Jordan 2008, section 3",
        Relation.EQUAL,
    ),
    Rule(
        "known total",
        "Counts with the known total {total} are {family} with shares in proportion to their weights.",
        "Dempster, Laird & Rubin 1977, section 1",
        Relation.EQUAL,
    ),
    Rule(
        "elimination",
        "With every latent summed or integrated out, what the normalisers leave behind is the observed ℓ.",
        "Koller & Friedman 2009, chapter 9",
        Relation.MARGINAL,
    ),
    Rule(
        "expectation",
        "Q is the posterior mean of the complete-data log-likelihood, at θ⁽ᵗ⁾, plus the log-prior if there is one.",
        "Dempster, Laird & Rubin 1977, section 2",
        Relation.MEAN,
    ),
    Rule(
        "free energy",
        "With the new parameters at θ⁽ᵗ⁾, Q and the entropy of the posterior add up to ℓ and the log-prior.",
        "Neal & Hinton 1998",
        Relation.AT_THE_UPDATE,
    ),
    Rule(
        "multiplier",
        "On the simplex of {parameter} a multiple of the constraint may be added to Q.",
        "Lagrange",
        Relation.ON_THE_SIMPLEX,
    ),
    Rule(
        "stationarity",
        "At a maximum inside the support the derivative with respect to {parameter} vanishes.",
        "Fermat",
        Relation.AT_THE_UPDATE,
    ),
    Rule("isolated", "The equation is solved for {parameter}.", "algebra", Relation.AT_THE_UPDATE),
    Rule(
        "jointly linear",
        "The equations are linear in {parameter} and its companions, and are solved together (Cramer).",
        "algebra",
        Relation.AT_THE_UPDATE,
    ),
    Rule(
        "linear system",
        "The equations are a linear system in the entries of {parameter}.",
        "algebra",
        Relation.AT_THE_UPDATE,
    ),
    Rule(
        "normalised shares",
        "Each {parameter} is its share over λ; since they sum to one, λ is the sum of the shares, {multiplier}.",
        "Lagrange",
        Relation.AT_THE_UPDATE,
    ),
    Rule(
        "substitution",
        "The parameters solved before are put in: {earlier}.",
        "algebra",
        Relation.AT_THE_UPDATE,
    ),
    Rule(
        "second order",
        "The update maximises Q ({status}): {argument}.",
        "see the certificate",
        Relation.MAXIMISER,
    ),
)

LAWS: Mapping[str, Rule] = {row.name: row for row in _ROWS}
