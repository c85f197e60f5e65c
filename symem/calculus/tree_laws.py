"""The laws by which labels on trees are summed out, from the leaves to the roots, and known again, from the roots down."""

from __future__ import annotations

from symem.derivation import Relation, Rule

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
)
