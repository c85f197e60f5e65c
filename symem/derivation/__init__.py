"""The waist: frozen records of what was found, on which every later stage feeds.

A derivation is a straight-line program in SymPy: a list of `Definition`s, each a named array over axes
whose value refers only to data, parameters and earlier names. Reports print it, `program` turns it into
array operations, `certify` and `verify` check it; none of them derives anything again.
"""

from __future__ import annotations

from symem.derivation.definition import Definition, Recurrence, TreeRecurrence
from symem.derivation.expected_statistics import NUMBERED, Moments, Scatter, Surrogate
from symem.derivation.exponential_family import (
    ExponentialFamily,
    NoExponentialFamily,
    Spans,
    SufficientStatistic,
)
from symem.derivation.factors import Factor
from symem.derivation.information_blocks import InformationBlock
from symem.derivation.linked_labels import Chain, Linked, Tree
from symem.derivation.neighbours import Neighbours, OnChain, OnTree
from symem.derivation.posterior_kinds import (
    Causes,
    CellCounts,
    DirichletShares,
    GaussianVector,
    MemberCounts,
    Posterior,
    Probabilities,
    Quadrature,
    Recognised,
    Shared,
    Table,
    Tabulated,
    reported,
)
from symem.derivation.running_cost import RunningCost
from symem.derivation.state_posteriors import GaussianChain, GaussianStates, GaussianTree
from symem.derivation.told_steps import THEORY, Ends, Relation, Rule, Step
from symem.derivation.update_kinds import (
    Ascent,
    Certificate,
    Chart,
    Claim,
    Climbed,
    Closed,
    Conditional,
    NotDerived,
    OfFactor,
    Score,
    Shares,
    Status,
    Unidentified,
    Update,
    defined_by,
    with_beside,
)
from symem.derivation.whole_record import Derivation

__all__ = [
    "NUMBERED",
    "THEORY",
    "Ascent",
    "Causes",
    "CellCounts",
    "Certificate",
    "Chain",
    "Chart",
    "Claim",
    "Climbed",
    "Closed",
    "Conditional",
    "Definition",
    "Derivation",
    "DirichletShares",
    "Ends",
    "ExponentialFamily",
    "Factor",
    "GaussianChain",
    "GaussianStates",
    "GaussianTree",
    "GaussianVector",
    "InformationBlock",
    "Linked",
    "MemberCounts",
    "Moments",
    "Neighbours",
    "NoExponentialFamily",
    "NotDerived",
    "OfFactor",
    "OnChain",
    "OnTree",
    "Posterior",
    "Probabilities",
    "Quadrature",
    "Recognised",
    "Recurrence",
    "Relation",
    "Rule",
    "RunningCost",
    "Scatter",
    "Score",
    "Shared",
    "Shares",
    "Spans",
    "Status",
    "Step",
    "SufficientStatistic",
    "Surrogate",
    "Table",
    "Tabulated",
    "Tree",
    "TreeRecurrence",
    "Unidentified",
    "Update",
    "defined_by",
    "reported",
    "with_beside",
]
