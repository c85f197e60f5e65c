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
        "words",
        "The logarithm of a product is a sum; a trace is multiplied out into words, each turned by rotation, "
        "tr(AB) = tr(BA), so that equal ones meet.",
        "Magnus & Neudecker 2019, section 1.10",
        Relation.EQUAL,
    ),
    Rule(
        "Gaussian vector",
        "As a function of {latent} the terms are a quadratic form, -½ zᵀΛz + zᵀh: with its square completed they are "
        "the log-density of a {family} law with covariance Λ⁻¹ and mean Λ⁻¹h plus a number free of {latent}, the "
        "log-normaliser, which stays behind.",
        "Bishop 2006, section 2.3",
        Relation.EQUAL,
    ),
    Rule(
        "Gaussian entries",
        "Of {latent} some entries were seen. In the others the terms are a quadratic form whose precision is their "
        "block of Λ: with its square completed they are the log-density of a {family} law plus a number free of "
        "these entries, the log-normaliser, which stays behind.",
        "Little & Rubin 2002, section 11.2",
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
    Rule(
        "matrix stationarity",
        "At a maximum inside the support the derivative with respect to {parameter} vanishes: ∂ tr(MW)/∂W = Mᵀ, "
        "∂ log det Σ/∂Σ = Σ⁻¹, ∂ tr(MΣ⁻¹)/∂Σ = -Σ⁻¹MΣ⁻¹.",
        "Magnus & Neudecker 2019, chapter 9; Petersen & Pedersen 2012, section 2",
        Relation.AT_THE_UPDATE,
    ),
    Rule(
        "matrix equation",
        "What stands on both sides of every term is taken away, and the linear equation that is left is solved for "
        "{parameter}.",
        "Magnus & Neudecker 2019, chapter 2",
        Relation.AT_THE_UPDATE,
    ),
    Rule(
        "covariance",
        "a log det Σ + tr(Σ⁻¹M) is least at Σ = M/a, as its derivative aΣ⁻¹ - Σ⁻¹MΣ⁻¹ vanishes there: this is "
        "{parameter}.",
        "Anderson 2003, lemma 3.2.2",
        Relation.AT_THE_UPDATE,
    ),
    Rule(
        "conditional",
        "Not closed together with the others that are left; with these held at their latest values, {parameter} is "
        "(conditional maximisation, ECM: Q does not fall, but one round is not its maximum).",
        "Meng & Rubin 1993",
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
