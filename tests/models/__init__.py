"""The table of models that every stage's test walks: adding a model is adding a row."""

from __future__ import annotations

from tests.models import beyond, continuous, counts, factors, mixtures, numeric, vectors
from tests.models.table import Row, example

#: Rows that stand in the table before the engine reaches them.
PENDING: frozenset[str] = frozenset()

MODELS: tuple[Row, ...] = tuple(
    row
    for family in (mixtures, counts, continuous, numeric, beyond, vectors, factors)
    for row in family.ROWS
    if row.name not in PENDING
)
DERIVED = tuple(row for row in MODELS if not row.blocked)
BY_NAME = {row.name: row for row in MODELS}

__all__ = ["BY_NAME", "DERIVED", "MODELS", "Row", "example"]
