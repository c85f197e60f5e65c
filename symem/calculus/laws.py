"""The laws by which one line of a derivation follows from the line before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sympy import Expr

from symem.calculus.climbing_laws import CLIMBING
from symem.calculus.field_laws import OF_FIELDS
from symem.calculus.information_laws import ROWS as OF_THE_INFORMATION
from symem.calculus.laws_of_states import ROWS as OF_STATES
from symem.calculus.maximisers import LAWS as OF_THE_M_STEP
from symem.calculus.quadrature_laws import OF_QUADRATURE
from symem.calculus.tree_laws import ROWS as OF_TREES
from symem.derivation import Definition, Relation, Rule, Step
from symem.language.plates import Axis

_ROWS = (
    Rule(
        "separation",
        "The logarithm of a product is a sum; what is multiplied out is a sum of products, each over its own plates.",
        "Dempster, Laird & Rubin 1977, section 1",
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
        "Bayes' rule",
        "Collect the terms that hold {latent}{given}. With all else fixed they are, up to a constant, the log-density",
        "Bayes' rule",
        Relation.POSTERIOR,
    ),
    Rule(
        "outcomes",
        "At {outcome} this is the log-weight",
        "Bayes' rule",
        Relation.EQUAL,
    ),
    Rule(
        "softmax",
        "It takes finitely many values, so the posterior is a {family} law whose probabilities, the responsibilities, "
        "are the weights over their sum:",
        "Bayes' rule",
        Relation.EQUAL,
    ),
    Rule(
        "coupled terms",
        "Collect the terms that hold {latent} at any place{given}: with all else fixed they are, up to a constant, the "
        "log-density of all places together.",
        "Bayes' rule",
        Relation.COUPLED,
    ),
    Rule(
        "links",
        "Along {along} each label stands beside its neighbours and no others. So the sum falls into what is said of the first "
        "label, $ρ$, of a label and the next, $λ$, and of each by itself, $η$: the logarithms of the first law, of the "
        "transitions, and of what is seen at a place, but for terms free of labels:",
        "Rabiner 1989, section II",
        Relation.EQUAL,
    ),
    Rule(
        "forward messages",
        "Summed out from the first place on, the labels before a place leave a table over its own label: $α$, the joint density "
        "of what is seen up to this place and of its label. It begins with the first law, and each step adds a transition, "
        "over which the label before is summed, and what is seen:",
        "Baum, Petrie, Soules & Weiss 1970; Rabiner 1989, equations 19 and 20; Bishop 2006, section 13.2.2",
        Relation.EQUAL,
    ),
    Rule(
        "end of a chain",
        "With the last label summed out too, the density of all that is seen is left, the normaliser of the labels:",
        "Rabiner 1989, equation 21",
        Relation.EQUAL,
    ),
    Rule(
        "backward messages",
        "Summed out from the last place on, the labels after a place leave a table too: $β$, the density of what is seen after "
        "this place given its label. It begins at the end, after which nothing is seen:",
        "Rabiner 1989, equations 24 and 25; Bishop 2006, section 13.2.2",
        Relation.EQUAL,
    ),
    Rule(
        "labels of a chain",
        "Given its label, what is seen up to a place and what is seen after it are independent, so that $αβ$ is the joint density "
        "of all that is seen and of that label. Over the density of all that is seen it is the posterior:",
        "Rabiner 1989, equation 27; Bishop 2006, section 13.2.2",
        Relation.EQUAL,
    ),
    Rule(
        "pairs of a chain",
        "So it is with two neighbours: what is seen up to the first with its label, the transition, what is seen at the second, "
        "and what is seen after it. The M-step will need their joint posterior, in which it counts the transitions,",
        "Rabiner 1989, equation 37; Bishop 2006, section 13.2.2",
        Relation.EQUAL,
    ),
    Rule(
        "scaled messages",
        "On long chains such products leave the range of numbers. So the module brings $α$ and $β$ to scale at each place, by "
        "which neither $γ$ nor $ξ$ changes; the logarithms of the scales of $α$ add up to that of the normaliser.",
        "Rabiner 1989, section V.A; Bishop 2006, section 13.2.4",
        Relation.EQUAL,
    ),
    Rule(
        "acting together",
        "All {latent} along a plate meet in the one product $P$ = {product}. What depends on it is, as an exponential, linear "
        "in $P$, which lies between 0 and 1:",
        "Pearl 1988, section 4.3; Heckerman & Breese 1996",
        Relation.EQUAL,
    ),
    Rule(
        "mean of a product",
        "By these weights alone they would be independent, and the mean of a product the product of the means; its logarithm "
        "is",
        "Heckerman 1989",
        Relation.EQUAL,
    ),
    Rule(
        "shares of causes",
        "Given how the product came out they are independent again: where it is 1 each has its own law times its factor; "
        "where it is 0 a factor failed, its own or another's. So {latent} has the probabilities",
        "Bayes' rule; Heckerman 1989",
        Relation.EQUAL,
    ),
    Rule(
        "weights",
        "Each count $u$ enters as $u η - log u!$, where $η$ is its log-weight:",
        "algebra",
        Relation.EQUAL,
    ),
    Rule(
        "known total",
        "The total is known to be {total}. Counts $u$ with a known total and log-density $u η - log u!$ are {family}: each "
        "has a share of the total in proportion to its weight $exp η$,",
        "Dempster, Laird & Rubin 1977, section 1",
        Relation.EQUAL,
    ),
    Rule(
        "natural form",
        "It is linear in {statistics}{base}, with natural parameter",
        "Wainwright & Jordan 2008, section 3",
        Relation.EQUAL,
    ),
    Rule(
        "recognition",
        "This is the log-density of a {family} law on {support}{arguments}:",
        "Wainwright & Jordan 2008, section 3",
        Relation.EQUAL,
    ),
    Rule(
        "Gaussian vector",
        "This is a quadratic form $-½ {latent}ᵀ𝚲{latent} + {latent}ᵀ𝐡$; its square completed, it is the log-density of a "
        "multivariate Normal law with covariance $𝚲⁻¹$ and mean $𝚲⁻¹𝐡$, here",
        "Bishop 2006, section 2.3",
        Relation.EQUAL,
    ),
    Rule(
        "Gaussian entries",
        "This is a quadratic form $-½ {latent}ᵀ𝚲{latent} + {latent}ᵀ𝐡$. The entries of {latent} that were seen are known, "
        "{observed} has them, and 0 in the places of the others; in those places, {missing}, the law is a multivariate "
        "Normal one, whose precision is their block of $𝚲$. With the inverse of that block in its place among zeros,",
        "Little & Rubin 2002, section 11.2",
        Relation.EQUAL,
    ),
    Rule(
        "log-normaliser",
        "With {latent} summed or integrated out, the log-normaliser is left:",
        "Wainwright & Jordan 2008, section 3",
        Relation.MARGINAL,
    ),
    Rule("moments", "The M-step will need", "Wainwright & Jordan 2008, section 3", Relation.MEAN),
    Rule(
        "elimination",
        "Nothing latent is left: every latent is summed or integrated out, and its log-normaliser stands in its place. "
        "Together they are the log-likelihood of the observed data,",
        "Koller & Friedman 2009, chapter 9",
        Relation.MARGINAL,
    ),
    Rule(
        "elimination of counted rows",
        "Nothing latent is left: every latent is summed or integrated out, and its log-normaliser stands in its place, as "
        "often as its row counts. Together they are the log-likelihood of the observed data,",
        "Koller & Friedman 2009, chapter 9",
        Relation.COUNTED,
    ),
    Rule(
        "expectation",
        "{Q_theta} is, up to a constant free of {theta}, the posterior mean of the complete-data log-likelihood, with the "
        "posterior at {old}{prior}.",
        "Dempster, Laird & Rubin 1977, section 2",
        Relation.MEAN,
    ),
    Rule(
        "sufficient statistics",
        "What holds no new parameter is gathered into expected sufficient statistics, which are all that the M-step needs "
        "of the data; {Q} is written in terms of them:",
        "Dempster, Laird & Rubin 1977, section 2",
        Relation.EQUAL,
    ),
    Rule(
        "about the mean",
        "Squares and products are summed about the means, where no digits cancel; about zero the sums are",
        "Chan, Golub & LeVeque 1983",
        Relation.EQUAL,
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
        "maximisation",
        "The next iterate {next} maximises {Q_theta}.",
        "Dempster, Laird & Rubin 1977, section 2",
        Relation.CLIMBS,
    ),
    Rule(
        "conditional maximisation",
        "The equations of {parameter} hold each other and have no closed solution together. Each is solved with the "
        "others held at their latest values, in this order (conditional maximisation, ECM): {Q_theta} does not fall "
        "with any, though one round need not reach its maximum.",
        "Meng & Rubin 1993",
        Relation.CLIMBS,
    ),
    *CLIMBING,
    Rule(
        "identified together",
        "Whatever the data are, {Q} holds {parameter} in the {kind} {forms} alone: no more of them is identified, and "
        "what each of them becomes depends on the start. Name one of them in known=, or make a parameter of what is identified.",
        "Rothenberg 1971, theorem 1",
        Relation.CLIMBS,
    ),
    Rule(
        "terms",
        "The terms of {Q_theta} that hold {parameter} are",
        "algebra",
        Relation.UP_TO_A_CONSTANT,
        detail=True,
    ),
    Rule(
        "multiplier",
        "On the simplex ${simplex} = 1$ a multiple of the constraint may be added; the Lagrangian is",
        "Lagrange",
        Relation.ON_THE_SIMPLEX,
    ),
    Rule(
        "stationarity",
        "The derivative with respect to {parameter} vanishes where",
        "Fermat",
        Relation.VANISHES,
    ),
    Rule(
        "matrix stationarity",
        "The derivative with respect to {parameter}, by {rules}, vanishes where",
        "Fermat",
        Relation.VANISHES,
    ),
    *(
        Rule(
            name,
            "",
            "Magnus & Neudecker 2019, chapter 9; Petersen & Pedersen 2012, section 2",
            Relation.EQUAL,
            formula=f,
        )
        for name, f in (
            ("derivative of a log-determinant", "∂ log det {parameter}/∂{parameter} = {parameter}⁻¹"),
            ("derivative at an inverse", "∂ tr({parameter}⁻¹𝐌)/∂{parameter} = −{parameter}⁻¹𝐌{parameter}⁻¹"),
            ("derivative of a linear form", "∂ 𝐚ᵀ{parameter}/∂{parameter} = 𝐚"),
            ("derivative of a quadratic form", "∂ {parameter}ᵀ𝐌{parameter}/∂{parameter} = 2𝐌{parameter}"),
            ("derivative of a linear trace", "∂ tr(𝐌{parameter})/∂{parameter} = 𝐌ᵀ"),
            (
                "derivative of a quadratic trace",
                "∂ tr(𝐌{parameter}𝐀{parameter}ᵀ)/∂{parameter} = 2𝐌{parameter}𝐀",
            ),
        )
    ),
    Rule("denominators", "Multiplied by {factors}, this is", "algebra", Relation.EQUAL, detail=True),
    Rule(
        "substitution",
        "With the parameters updated before put in, in the statistics alone,",
        "algebra",
        Relation.AT_THE_UPDATE,
        detail=True,
    ),
    Rule(
        "second order",
        "The update maximises {Q} ({status}): {argument}.",
        "see the certificate",
        Relation.MAXIMISER,
    ),
)

_MORE = (*OF_TREES, *OF_STATES, *OF_QUADRATURE, *OF_FIELDS, *OF_THE_INFORMATION)
#: Every law by its name; those that solve the equations of the M-step are the rows of `maximisers`.
LAWS: Mapping[str, Rule] = {**{row.name: row for row in (*_ROWS, *_MORE)}, **OF_THE_M_STEP}


def step(
    stage: str,
    law: str,
    before: Expr,
    after: Expr,
    about: tuple[Expr, ...] = (),
    defines: tuple[Definition, ...] = (),
    *,
    axes: tuple[Axis, ...] = (),
    **particulars: Any,
) -> Step:
    """A step by the law of that name."""
    return Step(stage, LAWS[law], before, after, about, particulars, defines, axes)
