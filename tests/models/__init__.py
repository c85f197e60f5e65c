"""The table of models that every stage's test walks: adding a model is adding a row."""

from __future__ import annotations

from tests.models import beyond, continuous, counts, mixtures, numeric
from tests.models.table import Row, example

MODELS: tuple[Row, ...] = (*mixtures.ROWS, *counts.ROWS, *continuous.ROWS, *numeric.ROWS, *beyond.ROWS)
DERIVED = tuple(row for row in MODELS if not row.blocked)
BY_NAME = {row.name: row for row in MODELS}

__all__ = ["BY_NAME", "DERIVED", "MODELS", "Row", "example"]
