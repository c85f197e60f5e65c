"""A derivation as a program over arrays: what is computed once per fit, per iteration, and per chunk of rows.

What depends on parameters alone is computed once per iteration, what depends on data alone once per fit.
Log weights that separate into parameters times data become one matrix product with a feature matrix, and so
do the statistics of the same features.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sympy import Expr, Symbol

from symem.codegen.ir.identifiers import Names
from symem.codegen.ir.instructions import (
    Assign,
    Entry,
    Statement,
    Statistic,
)
from symem.codegen.ir.nodes import Node, Sources
from symem.codegen.lowering.entries import is_entry
from symem.codegen.lowering.lower import Layout, Lowering
from symem.codegen.lowering.row_plate import observed
from symem.codegen.passes.natural_form import Features
from symem.codegen.passes.translation import Translation
from symem.derivation import Definition, Derivation, Posterior
from symem.language.model import Variable

NOTHING: Sources = frozenset()


@dataclass(frozen=True)
class Program:
    """Everything that emission spells. `layouts` tells where every named array of the E-step is kept."""

    derivation: Derivation
    names: Names
    rows: Expr | None
    layouts: Mapping[str, Layout]
    lower: Lowering
    prepared: tuple[Assign, ...]
    features: Features | None
    coefficients: tuple[Assign, ...]
    infer: tuple[Statement, ...]
    statistics: tuple[Statistic, ...]
    log_likelihood: Node
    log_likelihood_once: Node
    m_step: tuple[Assign | Entry, ...]
    m_step_layouts: Mapping[str, Layout]
    log_prior: Node | None
    sizes: tuple[str, ...]
    sized: tuple[Variable, ...]
    translation: Translation | None
    recentred: tuple[Assign, ...]
    direct: Node | None
    handed_on: tuple[str, ...] = ()
    of_prior: tuple[Assign, ...] = ()
    collapsed: Any = None
    apart: Any = None

    def axes(self, definition: Definition) -> tuple[Symbol, ...]:
        """The axes of a definition in the order in which they are kept."""
        return tuple(sorted((axis.index for axis in definition.axes), key=self.lower.rank))


class Order:
    """The order of axes: labels and parameters, entries of vectors and matrices, data plates as the data has them."""

    def __init__(self, derivation: Derivation, sizes: Mapping[Symbol, Expr]) -> None:
        self._sizes = sizes
        variables = (*observed(derivation.model), *derivation.model.latents)
        self._slots: dict[Expr, int] = {}
        for variable in variables:
            for slot, size in enumerate(variable.sizes[: len(variable.sizes) - len(variable.shape)]):
                if isinstance(size, Symbol):
                    self._slots[size] = min(slot, self._slots.get(size, slot))
        outcomes = {each.outcome.size for each in derivation.posteriors if each.outcome}
        self._labels = outcomes - {each.axes[0].size for each in derivation.posteriors if each.axes}

    def __call__(self, index: Symbol) -> tuple[int, bool, str]:
        return (self.plate(index), is_entry(index), index.name)

    def plate(self, index: Symbol) -> int:
        """0 for a label, a parameter's axis or entries, else one more than the slot in which data have it."""
        if is_entry(index):
            return 0
        size = self._sizes.get(index)
        return 0 if size is None or size in self._labels else self._slots.get(size, -1) + 1


def reported(posterior: Posterior) -> tuple[Definition, ...]:
    """What `posterior` shows of a latent: its probabilities, its arguments, or failing both its moments."""
    if posterior.inline:
        return posterior.moments or posterior.parameters
    return (posterior.probability,) if posterior.probability else posterior.parameters
