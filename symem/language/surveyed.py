"""The survey of all that a model states: its pieces, supports, relations, priors and weights."""

from __future__ import annotations

from sympy import S

from symem.language.ranges import free_indices, own_range
from symem.language.statements import Extras, Statement
from symem.language.supports import Counts, Interval, Labels
from symem.language.survey import Survey
from symem.language.transcription import names_on_diagonals
from symem.language.weights import range_of


def surveyed(statement: Statement, extra: Extras) -> Survey:
    """Every symbol with where it stands, and every index with its range."""
    survey = Survey(indices=dict(statement.indices), index_names=set(statement.indices))
    survey.on_diagonals = {name for piece in statement.pieces for name in names_on_diagonals(piece)}
    for piece in (*statement.pieces, extra.log_prior):
        survey.take(piece, {})
    for support in statement.supports.values():
        survey.take_size(support.size if isinstance(support, Labels) else S.One)
        for end in support.bounds if isinstance(support, (Interval, Counts)) else ():
            survey.take(end, {index: own_range(index) for index in free_indices(end)})
    for relation in extra.relations:
        survey.take(relation, {index: own_range(index) for index in free_indices(relation)})
    for index, entry in extra.weights.items():
        survey.take(entry, {index: range_of(index, statement.pieces)})
    survey.part_ends()
    survey.check_indices()
    return survey
