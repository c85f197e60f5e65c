"""How many nodes quadratures take where they are checked: so many that twice as many change next to nothing.

What is left of the change is the stated error of the approximation, by which identities may fail.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from symem.derivation import Derivation
from symem.evaluation.situation import extent_of
from symem.language.leaves import name_of
from symem.verification.formulas import Expectation, Formulas
from symem.verification.ground import Ground

#: The change with which no more are taken, how often they are doubled at most, and the most.
_SETTLED, _DOUBLINGS, _MOST = 1e-12, 4, 4096


def first_nodes(derivation: Derivation, arrays: Mapping[str, Any]) -> dict[str, int]:
    """The numbers of nodes that are begun with, by name."""
    found = (each.extent for each in derivation.approximated)
    return {each.symbol.name: extent_of(each, arrays) for each in found}


def with_nodes(ground: Ground) -> Ground:
    """The ground with as many nodes as its points ask for, and with what is left of the error."""
    numbers = first_nodes(ground.derivation, ground.arrays)
    if not numbers or not ground.points:
        return ground
    more = {each.extent.symbol.name: 2**each.dimensions for each in ground.derivation.approximated}
    found = _at(ground, numbers)
    for _ in range(_DOUBLINGS):
        coarse, before = numbers, found
        numbers = {name: count * more[name] for name, count in numbers.items()}
        found = _at(ground, numbers)
        error = max(_change(one, other) for one, other in zip(before, found, strict=True))
        if error <= _SETTLED:
            return replace(ground, arrays={**ground.arrays, **coarse}, error=error)
        if max(numbers.values()) >= _MOST:
            break
    return replace(ground, arrays={**ground.arrays, **numbers}, error=error)


def _at(ground: Ground, numbers: Mapping[str, int]) -> Sequence[Expectation]:
    formulas = Formulas(ground.derivation, {**ground.arrays, **numbers}, ground.oracle)
    return [formulas.at(theta) for theta in ground.points]


def _change(before: Expectation, after: Expectation) -> float:
    """The relative change of ℓ and of the mean and the variance of each latent."""
    gaps = [abs(after.log_likelihood - before.log_likelihood) / (1.0 + abs(after.log_likelihood))]
    for posterior in after.derivation.approximated:
        spread = np.sqrt(after.arrays[name_of(posterior.variance.symbol)])
        for each, unit in ((posterior.mean, spread), (posterior.variance, spread**2)):
            name = name_of(each.symbol)
            gaps.append(float(np.max(np.abs(after.arrays[name] - before.arrays[name]) / unit, initial=0.0)))
    return max(gaps)
