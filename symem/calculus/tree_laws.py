"""The laws by which labels and states on trees are summed out, from the leaves to the roots, and known again, from there down."""

from __future__ import annotations

from symem.derivation import Relation, Rule

_OF_STATES = "Chou, Willsky & Benveniste 1994"
_SOURCE = "Crouse, Nowak & Baraniuk 1998; Durand, Gonçalvès & Guédon 2004"

ROWS = (
    Rule(
        "branches",
        "Along {along} each label stands beside that of its parent, {parent}, and no others. So the sum falls into what is said "
        "of the labels of roots, $ρ$, of a parent's label and a child's, $λ$, and of each by itself, $η$:",
        _SOURCE,
        Relation.EQUAL,
    ),
    Rule(
        "upward messages",
        "Summed out after its own children, a label leaves a table over that of its parent. So all that is said at a place and "
        "below it is a table over its label, $β$, to which each child adds a factor; at a leaf none does:",
        f"Felsenstein 1981; {_SOURCE}",
        Relation.EQUAL,
    ),
    Rule(
        "messages to parents",
        "That factor is what is said there of the label of the parent, $ε$:",
        _SOURCE,
        Relation.EQUAL,
    ),
    Rule(
        "roots of a tree",
        "With the label of a root summed out too, what is said of its tree is left, $κ$, and the log-normaliser is a sum over the "
        "trees:",
        _SOURCE,
        Relation.EQUAL,
    ),
    Rule(
        "labels of a tree",
        "Given the label of its parent, a label depends on what is said at its place and below it alone. So its posterior follows "
        "from that of its parent, and all do from those of the roots:",
        _SOURCE,
        Relation.EQUAL,
    ),
    Rule(
        "pairs of a tree",
        "What stands under that sum is the joint posterior of a label and its parent's, which the M-step will need:",
        _SOURCE,
        Relation.EQUAL,
    ),
    Rule(
        "states on trees",
        "Along {along} each state stands beside that of its parent, {parent}, and no others, in a quadratic. A child is Normal about "
        "{mean} with variance {variance}, a root about {start} with variance {spread}; what each place says of its state $h$ by itself "
        "is $−Λ h²/2 + η h$, where",
        _OF_STATES,
        Relation.EQUAL,
    ),
    Rule(
        "vectors on trees",
        "Along {along} each state stands beside that of its parent, {parent}, and no others, in a quadratic form. A child is Normal "
        "about {mean} with covariance {variance}, a root about {start} with covariance {spread}; what each place says of its state $h$ "
        "by itself is $−hᵀΛh/2 + ηᵀh$, where",
        _OF_STATES,
        Relation.EQUAL,
    ),
    Rule(
        "gathered precisions",
        "Integrated out after its own children, a child leaves a quadratic over the state of its parent. So the precision of all "
        "that is said at a place and below it is",
        f"Felsenstein 1973; {_OF_STATES}",
        Relation.EQUAL,
    ),
    Rule(
        "variances given parents",
        "Given all data and the state of its parent, a state has the variance",
        _OF_STATES,
        Relation.EQUAL,
    ),
    Rule("gathered shifts", "and what pulls it is gathered alike:", _OF_STATES, Relation.EQUAL),
    Rule(
        "means of a tree",
        "Down from the roots each state follows that of its parent, corrected by what is said below it:",
        _OF_STATES,
        Relation.EQUAL,
    ),
    Rule(
        "variances of a tree",
        "and its variance is that given its parent, with what the parent's adds:",
        _OF_STATES,
        Relation.EQUAL,
    ),
    Rule(
        "parents and children",
        "The M-step will need the covariance of a state with that of its parent:",
        _OF_STATES,
        Relation.EQUAL,
    ),
    Rule(
        "volume of a tree",
        "The log-normaliser is the logarithm of the joint density at the means, with that of the volume about them, to which each "
        "state adds its own given its parent:",
        "Rue & Held 2005",
        Relation.EQUAL,
    ),
)
