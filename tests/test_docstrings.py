"""Docstrings of the public API follow numpydoc: every parameter, what comes back, in sections of the known names and order."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import pytest

import symem
from symem.candidates import Selection
from symem.runtime.results import Fit
from symem.runtime.standard_errors import Information

validator = pytest.importorskip(
    "numpydoc.validate", reason="SKIPPED: there is no numpydoc here: pip install '.[dev]'"
)

#: Sections: unknown, out of order, underlined wrongly; parameters: not told, unknown, out of order, without a type; what
#: comes back is not told; none at all.
HELD = {"GL06", "GL07", "GL08", "PR01", "PR02", "PR03", "PR04", "RT01", "RT03", "YD01"}
#: What other modules ask of these classes, and no user does.
INSIDE = {
    "declared",
    "formula",
    "internal",
    "of_objective",
    "origin",
    "shape",
    "variable",
    "options",
    "count",
    "index",
    "told_in",
    "recorded",
}
CLASSES = (symem.Model, symem.EM, Fit, Selection, Information)


def public() -> Iterator[str]:
    """The dotted names of functions, classes and their methods."""
    for name in symem.__all__:
        found = getattr(symem, name)
        if inspect.isfunction(found) or (inspect.isclass(found) and not issubclass(found, Exception)):
            yield f"{found.__module__}.{found.__qualname__}"
    for each in CLASSES:
        for name in sorted(dir(each)):
            if not name.startswith("_") and name not in INSIDE and callable(getattr(each, name)):
                yield f"{each.__module__}.{each.__qualname__}.{name}"


@pytest.mark.parametrize("name", sorted(set(public())))
def test_a_docstring_says_all_that_is_taken_and_given(name: str) -> None:
    errors = validator.validate(name)["errors"]
    assert [each for each in errors if each[0] in HELD] == []
