"""Identifiers of an emitted module: allowed, distinct, and the same in every run.

What the solver's frame calls its own things is read off the frame itself, so that no list can fall behind it.
A keyword of `fit` cannot be renamed: a datum of that name is refused.
"""

from __future__ import annotations

import builtins
import keyword
import re
from functools import cache

from symem.codegen.numpy.spelling import SCIPY
from symem.errors import NameClashError
from symem.templating import text_of

FIT_KEYWORDS = frozenset(["start", "tol", "max_iter", "n_init", "seed", "callback", "verbose"])


#: What the lines that are written into the frame call their own things.
_WRITTEN = frozenset(["natural", "buffer", "math", "warnings"])


@cache
def reserved() -> frozenset[str]:
    """Words that no variable may be called: those of the frame's code, SciPy's and Python's own.

    One letter is free: the frame uses single letters only where no name of a model is read.
    """
    frame = re.sub(r"{{.*?}}|{%.*?%}", " ", text_of("solver.py.j2"), flags=re.DOTALL)
    code = re.sub(r'(?s:""".*?""")|"[^"\n]*"|#.*', " ", frame)
    words = re.findall(r"[A-Za-z]\w+", code)
    return frozenset({*words, *_WRITTEN, *SCIPY, *dir(builtins), *keyword.kwlist})


class Names:
    """Hands out identifiers; a name that is taken or reserved gets a trailing underscore."""

    def __init__(self) -> None:
        self._taken = set(reserved())

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
