"""What the pages take from the package itself: formulas set by KaTeX, and tables made of the rows they tell of."""

from __future__ import annotations

from typing import Any

from generators import formulas


def setup(app: Any) -> dict[str, bool]:
    """What Sphinx calls."""
    formulas.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
