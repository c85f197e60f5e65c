"""A derivation as a program over arrays: what is computed once per fit, per iteration, and per chunk of rows.

What depends on parameters alone is computed once per iteration, what depends on data alone once per fit.
Log weights that separate into parameters times data become one matrix product with a feature matrix, and so
do the statistics of the same features.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from sympy import Expr, S, Symbol

from symem.codegen.ir.features import Features
from symem.codegen.ir.identifiers import Names
from symem.codegen.ir.instructions import (
    Assign,
    Column,
    Difference,
    Entry,
    Gathered,
    Statement,
    Statistic,
    reads,
)
from symem.codegen.ir.nodes import ZERO, Load, Node, Source, Sources
from symem.codegen.lowering.entry_places import is_entry
from symem.codegen.lowering.entrywise import EntryDerivation
from symem.codegen.lowering.layouts import Layout
from symem.codegen.lowering.lower import Lowering
from symem.codegen.lowering.reference_points import Points
from symem.codegen.lowering.row_plate import observed
from symem.derivation import (
    Definition,
    Derivation,
    Neighbours,
    Probabilities,
    Tabulated,
    reported,
)
from symem.language.leaves import name_of
from symem.language.model import Variable
from symem.language.plates import LogIverson

NOTHING: Sources = frozenset()

#: How many rows a chunk has.
LENGTH = Load((), "length", (), frozenset({Source.ROWS}))
#: For how many rows these count; and the chunk itself, which knows how often each of its rows does.
COUNT, ROWS = (Load((), name, (), frozenset({Source.ROWS})) for name in ("count", "rows"))


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
        for chain in (each for each in derivation.posteriors if isinstance(each, Neighbours)):
            self._slots[chain.steps.size] = self._slots.get(chain.along.size, 0)
        outcomes = {each.outcome.size for each in derivation.posteriors if isinstance(each, Tabulated)}
        self._labels = outcomes - {each.axes[0].size for each in derivation.posteriors if each.axes}

    def __call__(self, index: Symbol) -> tuple[int, bool, str]:
        return (self.plate(index), is_entry(index), index.name)

    def plate(self, index: Symbol) -> int:
        """0 for a label, a parameter's axis or entries, else one more than the slot in which data have it."""
        if is_entry(index):
            return 0
        size = self._sizes.get(index)
        return 0 if size is None or size in self._labels else self._slots.get(size, -1) + 1


@dataclass(frozen=True)
class Rise:
    """A concave part of Q: the parameters by name and place, how many of each one's axes are plates; its value, slopes and
    second derivatives as lines: what a chunk of rows adds to them, if any does, and what belongs to none; whether one step is taken.
    """

    parameters: tuple[tuple[str, tuple[int | None, ...]], ...]
    plates: tuple[int, ...]
    of_rows: tuple[Assign, ...]
    once: tuple[Assign, ...]
    charts: tuple[tuple[str, int], ...] = ()
    one_step: bool = False


@dataclass(frozen=True)
class Program:
    """Everything that emission spells, as far as the passes have found it.

    The first eight fields are what the passes start from; `names` and `index_sizes` grow as names are taken and sums
    entered. The others are grouped by the pass that finds them.
    """

    derivation: Derivation
    names: Names
    index_sizes: dict[Symbol, Expr]
    rank: Order
    rows: Expr | None
    sized: tuple[Variable, ...]
    prior: Expr
    #: Whether formulas stay as they are: no features of the data.
    plain: bool = False

    # where arrays are kept, and which definitions are of parameters alone
    layouts: Mapping[str, Layout] = field(default_factory=dict)
    of_parameters: frozenset[str] = frozenset()
    points: Points = Points()

    # the E-step: once per fit, once per iteration, and for every chunk of rows
    prepared: tuple[Assign, ...] = ()
    coefficients: tuple[Assign, ...] = ()
    infer: tuple[Statement, ...] = ()
    fixed: tuple[Assign, ...] = ()
    features: Features | None = None
    direct: Node | None = None
    handed_on: tuple[str, ...] = ()

    # what it gives: the statistics of a chunk, and those of all rows from products where these suffice
    statistics: tuple[Statistic, ...] = ()
    summarise: tuple[Column | Assign, ...] = ()
    gathered: Gathered | None = None
    merged: tuple[Assign, ...] = ()
    #: The statistics that are sums: of two parts, both together.
    added: frozenset[str] = frozenset()
    #: What of Q is climbed over the rows.
    rises: tuple[Rise, ...] = ()
    log_likelihood: Node = ZERO
    #: What each row adds to it; None where there are no rows.
    log_likelihoods: Node | None = None
    log_likelihood_once: Node = ZERO
    log_prior: Node | None = None
    of_prior: tuple[Assign, ...] = ()
    #: The size of the plate whose rows count, and the data of it that enter through their mean and covariance alone
    #: where all other data of a row are the same.
    counted: Expr | None = None
    condensed: tuple[str, ...] = ()

    # the M-step, and the names of the sizes it reads
    m_step: tuple[Assign | Entry, ...] = ()
    m_step_layouts: Mapping[str, Layout] = field(default_factory=dict)
    sizes: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()

    # the slopes of Q in the parameters, and the name of each
    slopes: tuple[Assign | Entry, ...] = ()
    slope_names: Mapping[str, str] = field(default_factory=dict)

    @property
    def in_entries(self) -> bool:
        """Whether the model has vectors or matrices."""
        return isinstance(self.derivation, EntryDerivation)

    @cached_property
    def lower(self) -> Lowering:
        """What reads formulas of the E-step as arrays."""
        rows = (self.rows, LENGTH) if self.rows is not None else None
        return Lowering(self.layouts, self.rank, self.index_sizes, rows, self._uncertain())

    def _uncertain(self) -> frozenset[str]:
        """The tables of probabilities, if outcomes may be impossible at a row."""
        posteriors = self.derivation.posteriors
        weights = [each.log_weight.value for each in posteriors if isinstance(each, Tabulated)]
        if not any(weight.has(LogIverson, S.NegativeInfinity) for weight in weights):
            return frozenset()
        tables = [each.probability for each in posteriors if isinstance(each, Probabilities)]
        return frozenset(self.layouts[name_of(each.symbol)].name for each in tables)

    @property
    def nodes_of_chunk(self) -> list[Node]:
        """What statistics and log-likelihood of a chunk are computed from."""
        lines = [each.node for each in self.summarise if isinstance(each, Assign)]
        shared = [self.features.shared] if self.features and self.features.shared else []
        return [*lines, self.log_likelihood, *shared, *self.nodes_of_rises]

    @property
    def nodes_of_rises(self) -> list[Node]:
        """What a chunk of rows adds to what is climbed."""
        return [line.node for rise in self.rises for line in rise.of_rows]

    @property
    def sums_of_data(self) -> tuple[Assign, ...]:
        """What is summed over the rows once, of the data alone."""
        return self.gathered.sums if self.gathered is not None else ()

    @property
    def reported(self) -> set[str]:
        """The names of what is shown of the latents."""
        kept = [each.symbol for posterior in self.derivation.posteriors for each in reported(posterior)]
        return {self.layouts[name_of(symbol)].name for symbol in kept}

    def axes(self, definition: Definition) -> tuple[Symbol, ...]:
        """The axes of a definition in the order in which they are kept."""
        return tuple(sorted((axis.index for axis in definition.axes), key=self.rank))

    def sizes_read(self, nodes: Iterable[Node]) -> tuple[str, ...]:
        """The names of the sizes that the nodes read."""
        read = set().union(*(reads(node) for node in nodes))
        names = [*(each.name for each in self.sized), *(each.symbol.name for each in self.derivation.extents)]
        names += [each.name for each in self.derivation.model.known if self.rows not in each.sizes]
        return tuple(sorted(name for name in names if self.layouts[name].name in read))
