"""What values the data of a likelihood may take where nobody said it: candidates, the likeliest first."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

from sympy import Pow, log, loggamma

from symem.language.support import Support
from symem.language.supports import Binary, Counts, Positive, Reals, UnitInterval

CANDIDATES: Sequence[Support] = (Binary(), Counts(), UnitInterval(), Positive(), Reals())


def candidate_supports(model: Any) -> Iterator[dict[str, Support]]:
    """The declared supports, or every choice of candidates for data whose support nobody declared."""
    names = [each.name for each in model.data]
    if model.declarations:
        yield {each.name: each.support for each in model.data}
        return
    fixed = {each.name: each.support for each in model.data if each.shape or type(each.support) is not Reals}
    unknown = [name for name in names if name not in fixed]
    likely = [_by_form(model, name) for name in unknown]
    together = (tuple(each[0] for each in likely), *((each,) * len(unknown) for each in CANDIDATES))
    for choice in itertools.product(*likely) if len(unknown) < 3 else together:
        yield {**fixed, **dict(zip(unknown, choice, strict=True))}


def _by_form(model: Any, name: str) -> list[Support]:
    """The candidates, that first which the functions of a datum in the likelihood speak for: only the right one has mass 1."""
    whole, symbol = model.log_likelihood, model.variables[name].symbol

    def stands(*kinds: Any) -> bool:
        return any(node.has(symbol) for node in whole.atoms(*kinds))

    squared = any(node.exp == 2 and node.has(symbol) for node in whole.atoms(Pow))
    spoken = Counts if stands(loggamma) else Positive if stands(log) else Reals if squared else Binary
    return sorted(CANDIDATES, key=lambda each: type(each) is not spoken)
