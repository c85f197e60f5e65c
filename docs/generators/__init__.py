"""What the pages take from the package itself: formulas set by KaTeX, and tables made of the rows they tell of."""

from __future__ import annotations

from sphinx.application import Sphinx

from generators import commands, distributions, docstrings, errors, formulas, laws, shown
from generators.written import add

WRITERS = {
    "distributions": distributions.distributions,
    "conjugacy": distributions.conjugacy,
    "supports": distributions.table_of_supports,
    "errors": errors.errors,
    "commands": commands.commands,
    "gallery": shown.gallery,
    "laws": laws.laws,
    "maxima": laws.arguments_for_a_maximum,
}


def setup(app: Sphinx) -> dict[str, bool]:
    """What Sphinx calls."""
    formulas.setup(app)
    docstrings.setup(app)
    app.connect("build-finished", shown.write_reports)
    for name, writer in WRITERS.items():
        add(app, name, writer)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
