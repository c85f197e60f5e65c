"""The laws of quadrature: what stands for an integral that no family gives."""

from __future__ import annotations

from symem.derivation import Relation, Rule

OF_QUADRATURE = (
    Rule(
        "mode",
        "This is of no family. In a coordinate without ends, $v$, it is largest, by Newton's method, at",
        "Liu & Pierce 1994",
        Relation.EQUAL,
    ),
    Rule(
        "curvature at the mode",
        "By its second derivatives there a normal law with the same peak has the scale",
        "Liu & Pierce 1994",
        Relation.EQUAL,
    ),
    Rule(
        "nodes",
        "The integral is approximated by a sum over the nodes $q$ of the Gauss-Hermite rule, moved to that peak; there {latent} is",
        "Liu & Pierce 1994; Pinheiro & Bates 1995",
        Relation.EQUAL,
    ),
    Rule(
        "window",
        "This is of no family. Its sum is cut off after $Q$ whole numbers, so many that twice as many do not change it:",
        "algebra",
        Relation.EQUAL,
    ),
    Rule(
        "weights at nodes",
        "A node weighs as much as the density there and the rule say together; the logarithm is",
        "Pinheiro & Bates 1995",
        Relation.EQUAL,
    ),
    Rule(
        "shares of nodes",
        "So the posterior is approximated by weights at nodes, its means by sums over them:",
        "Pinheiro & Bates 1995",
        Relation.EQUAL,
    ),
)
