"""The functions that a program may call under their own names."""

from __future__ import annotations

#: Those of scipy.special.
SCIPY = frozenset(["gammaln", "gamma", "digamma", "polygamma", "erf", "erfc", "ndtr"])
