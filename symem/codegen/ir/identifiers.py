"""Identifiers of an emitted module: allowed, distinct, and the same in every run.

A keyword of `fit` cannot be renamed: a datum of that name is refused.
"""

from __future__ import annotations

import builtins
import keyword
import re
from functools import cache

from symem.codegen.ir.functions import SCIPY
from symem.errors import NameClashError

FIT_KEYWORDS = frozenset(
    ["start", "tol", "max_iter", "n_init", "seed", "callback", "verbose", "accelerate", "client"]
)


#: What the functions of a model call their own things: their names, their arguments, the records they read.
_WRITTEN = """
    Parameters Statistics Posterior Any NamedTuple Rows Data Latents Model NaturalForm Reference Sums Array np math
    check prepare exact length count log_joint log_joint_expanded coefficients e_step constant log_prior Moments moments shares sums products found
    summarise merge m_step impute model theta rows data s latents natural posterior value log_likelihood log_likelihoods once statistics
    paths known arrays sizes rng prototypes draw given Draws means shown slopes Rise rise rise_once
    """


#: What the function of the plain style calls its own things.
_WRITTEN_PLAINLY = "np Any em tol max_iter length before log_likelihood"


@cache
def reserved(*, plain: bool = False) -> frozenset[str]:
    """Words that no variable may be called: those of the functions around it, SciPy's and Python's own."""
    written = _WRITTEN_PLAINLY if plain else _WRITTEN
    return frozenset({*re.findall(r"\w+", written), *SCIPY, *dir(builtins), *keyword.kwlist})


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
