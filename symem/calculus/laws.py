"""The laws by which one line of a derivation follows from the line before."""

from __future__ import annotations

from collections.abc import Mapping

from symem.calculus.maximisers import LAWS as OF_THE_M_STEP
from symem.derivation import Relation, Rule

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
        "Nothing latent is left: every latent is summed or integrated out, and its log-normaliser stands in its place. "
        "Together they are the log-likelihood of the observed data,",
        "Koller & Friedman 2009, chapter 9",
        Relation.MARGINAL,
    ),
    Rule(
        "expectation",
        "{Q_theta} is the posterior mean of the complete-data log-likelihood, with the posterior at {old}{prior}.",
        "Dempster, Laird & Rubin 1977, section 2",
        Relation.MEAN,
    ),
    Rule(
        "lower bound",
        "Let $q = {posterior}$, let $H(q)$ be its entropy, and let {Q} keep its constant. The logarithm of a mean is not "
        "less than the mean of the logarithm (Jensen's inequality), so at every {theta}",
        "Dempster, Laird & Rubin 1977, lemma 1; Neal & Hinton 1998, lemmas 1 and 2",
        Relation.AT_LEAST,
        formula="{objective_theta} ≥ {Q_theta} + H(q)",
    ),
    Rule(
        "tight bound",
        "At {old} the two are equal, as $q$ is the posterior there:",
        "Neal & Hinton 1998, lemma 2",
        Relation.AT_THE_OLD,
        formula="{objective_old} = {Q_old} + H(q)",
    ),
    Rule(
        "ascent",
        "An M-step that does not lower {Q} therefore does not lower {objective_theta}:",
        "Dempster, Laird & Rubin 1977, theorem 1",
        Relation.RISES,
        formula="{objective_next} ≥ {Q_next} + H(q) ≥ {Q_old} + H(q) = {objective_old}",
    ),
    Rule(
        "conditional ascent",
        "Each conditional step raises {Q} in its own parameters, the others being held, so the round does not lower "
        "{Q}, and therefore not {objective_theta}:",
        "Meng & Rubin 1993",
        Relation.RISES,
        formula="{objective_next} ≥ {Q_next} + H(q) ≥ {Q_old} + H(q) = {objective_old}",
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
        "conditional",
        "Not closed together with the others that are left; with these held at their latest values, {parameter} is "
        "(conditional maximisation, ECM: Q does not fall, but one round is not its maximum).",
        "Meng & Rubin 1993",
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

#: Every law by its name; those that solve the equations of the M-step are the rows of `maximisers`.
LAWS: Mapping[str, Rule] = {**{row.name: row for row in _ROWS}, **OF_THE_M_STEP}
