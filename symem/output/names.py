"""Identifiers of an emitted module: allowed, distinct, and the same in every run."""

from __future__ import annotations

import builtins
import keyword
import re

from symem.errors import NameClashError

#: What the frame of a solver calls its own things.
RESERVED = frozenset(
    [
        "np",
        "sys",
        "math",
        "warnings",
        "Any",
        "Callable",
        "Mapping",
        "NamedTuple",
        "Array",
        "Fit",
        "Parameters",
        "Statistics",
        "Posterior",
        "Data",
        "Rows",
        "theta",
        "data",
        "rows",
        "statistics",
        "posterior",
        "features",
        "natural",
        "buffer",
        "length",
        "total",
        "parts",
        "each",
        "given",
        "sizes",
        "start",
        "tol",
        "max_iter",
        "n_init",
        "seed",
        "callback",
        "verbose",
        "rng",
        "fit",
        "merge",
        "m_step",
        "em_step",
        "log_likelihood",
        "log_posterior",
        "known",
        "posteriors",
        "moments",
        "centre",
        "step",
        "peaks",
        "cut",
        "work",
        "chunks",
        "coefficients",
        "latents",
        "value",
        "part",
        "whole",
        "checked",
        "best",
        "history",
        "converged",
        "expected",
        "array",
        "spec",
        "name",
        "size",
        "first",
        "known",
        "annotations",
        "result",
        "arrays",
        "self",
        "cls",
    ]
)
FIT_KEYWORDS = frozenset(["start", "tol", "max_iter", "n_init", "seed", "callback", "verbose"])


class Names:
    """Hands out identifiers; a name that is taken or reserved gets a trailing underscore."""

    def __init__(self) -> None:
        self._taken = set(RESERVED) | set(dir(builtins)) | set(keyword.kwlist)

    def take(self, wanted: str) -> str:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", wanted):
            raise NameClashError(
                f"The name {wanted!r} cannot stand in a Python module: use letters, digits and underscores."
            )
        while wanted in self._taken:
            wanted += "_"
        self._taken.add(wanted)
        return wanted

    def numbered(self, stem: str) -> str:
        """The first of stem_1, stem_2, ... that is free."""
        number = 1
        while f"{stem}_{number}" in self._taken:
            number += 1
        return self.take(f"{stem}_{number}")
