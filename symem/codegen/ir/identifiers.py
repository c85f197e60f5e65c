"""Identifiers of an emitted module: allowed, distinct, and the same in every run.

A keyword of `fit` cannot be renamed: a datum of that name is refused.
"""

from __future__ import annotations

import builtins
import keyword
import re
from functools import cache

from symem.codegen.numpy.spelling import SCIPY
from symem.errors import NameClashError

FIT_KEYWORDS = frozenset(["start", "tol", "max_iter", "n_init", "seed", "callback", "verbose"])


#: What the functions of a model call their own things: their names, their arguments, the records they read.
_WRITTEN = frozenset(
    [
        "Parameters",
        "Statistics",
        "Posterior",
        "Any",
        "Mapping",
        "NamedTuple",
        "Rows",
        "Data",
        "Model",
        "NaturalForm",
        "Sums",
        "Moments",
        "moments",
        "shares",
        "found",
        "Array",
        "np",
        "math",
        "check",
        "prepare",
        "points",
        "products",
        "exact",
        "length",
        "features",
        "width",
        "log_joint",
        "natural_form",
        "coefficients",
        "e_step",
        "constant",
        "sums",
        "e_step_of_sums",
        "log_prior",
        "summarise",
        "merge",
        "m_step",
        "show",
        "impute",
        "model",
        "theta",
        "rows",
        "data",
        "latents",
        "natural",
        "natural_form",
        "total",
        "log_likelihood",
        "statistics",
        "known",
        "arrays",
        "sizes",
        "rng",
        "prototypes",
        "parts",
        "mean",
        "weights",
        "pairs",
        "part",
    ]
)


#: What the function of the plain style calls its own things.
_WRITTEN_PLAINLY = frozenset(["np", "Any", "em", "tol", "max_iter", "length", "before", "log_likelihood"])


@cache
def reserved(*, plain: bool = False) -> frozenset[str]:
    """Words that no variable may be called: those of the functions around it, SciPy's and Python's own."""
    written = _WRITTEN_PLAINLY if plain else _WRITTEN
    return frozenset({*written, *SCIPY, *dir(builtins), *keyword.kwlist})


class Names:
    """Hands out identifiers; a name that is taken or reserved gets a trailing underscore."""

    def __init__(self, *, plain: bool = False) -> None:
        self._taken = set(reserved(plain=plain))

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
