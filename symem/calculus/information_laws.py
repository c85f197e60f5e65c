"""The laws of what the data say of the parameters: the score, and the missing information principle."""

from __future__ import annotations

from symem.derivation import Relation, Rule

ROWS = (
    Rule(
        "Fisher's identity",
        "At ${theta} = {old}$ the slope of {Q} in {parameter} is that of the log-likelihood of the observed data{prior}, the score. "
        "It is the sum over rows of",
        "Fisher 1925; Dempster, Laird & Rubin 1977, section 3",
        Relation.EQUAL,
    ),
    Rule(
        "score of all data",
        "At ${theta} = {old}$ the slope of {Q} in {parameter} is that of the log-likelihood of the observed data{prior}, the score:",
        "Fisher 1925; Dempster, Laird & Rubin 1977, section 3",
        Relation.EQUAL,
    ),
    Rule(
        "complete information",
        "Minus the second derivatives of {Q} with its statistics held are the information that complete data would have:",
        "Orchard & Woodbury 1972; Louis 1982, section 3",
        Relation.DIFFERENTIATED,
    ),
    Rule(
        "missing information",
        "What of it is missing is the posterior covariance of the scores of complete data:",
        "Louis 1982, equation 3.1",
        Relation.COVARIES,
    ),
    Rule(
        "complete information along",
        "Of vectors and matrices the information of complete data is minus the second derivative of {Q}, its statistics held, along "
        "a direction of the first, $𝐡$ or $𝐇$, and one of the second, $𝐣$ or $𝐉$:",
        "Magnus & Neudecker 2019, chapter 10",
        Relation.BENDS,
    ),
    Rule(
        "missing information along",
        "Of vectors and matrices, along such directions, what is missing is the posterior covariance of the scores of complete data:",
        "Louis 1982, equation 3.1",
        Relation.COVARIES,
    ),
    Rule(
        "missing by differences",
        "Where no formula is shown, information is taken by differences of the exact slopes of {Q}: complete information by {theta} "
        "with the statistics held, what is missing by {old} alone (Oakes 1999).",
        "Louis 1982; Oakes 1999",
        Relation.BENDS,
    ),
    Rule(
        "observed information",
        "What is left was observed: minus the second derivatives of the log-likelihood{prior}. This is the missing information "
        "principle:",
        "Orchard & Woodbury 1972; Louis 1982; Oakes 1999",
        Relation.BENDS,
    ),
    Rule(
        "share missing",
        "Near the estimate each iteration leaves of the distance to it the share of the information that is missing:",
        "Dempster, Laird & Rubin 1977, section 3",
        Relation.BENDS,
    ),
)
