"""The E-step in the order of elimination: the definitions of each posterior, a finite one as a softmax of log weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sympy import Add, Expr, Pow, Sum, Symbol, exp, log

from symem.algebra.squares import squares
from symem.algebra.squares_of_ratios import squares_of_ratios
from symem.codegen.ir.features import Features
from symem.codegen.ir.instructions import Assign, Normalise, Statement, Weigh
from symem.codegen.ir.nodes import (
    Apply,
    Axes,
    Item,
    Load,
    Messages,
    Node,
    Smoother,
    Source,
    TreeMessages,
    TreeSmoother,
)
from symem.codegen.ir.program import Program
from symem.codegen.lowering.entry_places import is_entry
from symem.codegen.lowering.entrywise import ending, factors_of
from symem.codegen.lowering.log_gammas import is_separable, with_whole_probabilities
from symem.codegen.lowering.scanned_chains import Scanned
from symem.codegen.lowering.scanned_states import ScannedStates
from symem.codegen.passes.natural_form import separated
from symem.derivation import (
    Chain,
    Definition,
    OnTree,
    Posterior,
    Quadrature,
    Tabulated,
    Tree,
)
from symem.language.leaves import array_of, name_of


def inferred(program: Program) -> Program:
    """The statements on a chunk of rows; those of parameters alone apart; the first log weight that separates."""
    lines = _Lines(program)
    for posterior in program.derivation.posteriors:
        lines.enter(posterior)
    lines.compute(ending(program.derivation))
    return replace(
        program,
        infer=tuple(lines.rows),
        fixed=tuple(lines.fixed),
        features=lines.features,
        direct=lines.direct,
    )


def assigned(program: Program, definition: Definition) -> Assign:
    """A definition as a line, its squares gathered where it is one of numbers."""
    axes = program.axes(definition)
    value = definition.value if program.in_entries else squares(definition.value)
    return Assign(program.layouts[name_of(definition.symbol)].name, program.lower.over(value, axes), axes)


class _Lines:
    """The lines of the posteriors entered so far, in an order in which they can be computed."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.rows: list[Statement] = []
        self.fixed: list[Assign] = []
        self.features: Features | None = None
        self.direct: Node | None = None
        self._done: set[Expr] = set()
        self._of_steps: set[Expr] = set()

    def enter(self, posterior: Posterior) -> None:
        if isinstance(posterior, Quadrature):
            self.compute(posterior.about)
        if isinstance(posterior, Tabulated) and _is_softmax(self.program, posterior):
            self._softmax(posterior)
        elif isinstance(posterior, Scanned):
            self._chain(posterior)
        elif isinstance(posterior, ScannedStates):
            self._states(posterior)
        else:
            self.compute(posterior.definitions)

    def compute(self, definitions: Sequence[Definition]) -> None:
        """Definitions that no earlier posterior has brought in, each after what it reads."""
        fresh = [each for each in definitions if each.symbol not in self._done]
        self._done |= {each.symbol for each in fresh}
        for each in fresh:
            self.compute(factors_of(self.program.derivation, each.symbol))
            of_parameters = name_of(each.symbol) in self.program.of_parameters
            line = assigned(self.program, each)
            if each.symbol in self._of_steps:
                line = replace(line, node=_or_never(line.node))
            (self.fixed if of_parameters else self.rows).append(line)

    def _softmax(self, posterior: Tabulated) -> None:
        if posterior.probability.symbol in self._done:
            self.compute(posterior.definitions)
            return
        weight, probability = posterior.log_weight, posterior.probability
        self.compute(factors_of(self.program.derivation, weight.symbol))
        axes = self.program.axes(probability)
        count = _renamed(weight, probability, posterior.count)
        self.rows.append(self._weighed(weight, probability, axes, count))
        layouts = self.program.layouts
        normaliser = layouts[name_of(posterior.log_normaliser.symbol)].name
        place, guarded = axes.index(posterior.outcome.index), bool(self.program.lower.tables)
        self.rows.append(Normalise(layouts[name_of(probability.symbol)].name, normaliser, place, guarded))
        self._done |= {each.symbol for each in (weight, posterior.log_normaliser, probability)}
        self.compute(posterior.definitions)

    def _chain(self, chain: Scanned) -> None:
        """The tables of a chain or a tree from its messages."""
        program = self.program
        self._of_steps |= {each.symbol for each in chain.said if each is not chain.log_weight}
        self.compute(chain.said)
        label, chains = chain.outcome.index, tuple(axis.index for axis in chain.log_normaliser.axes)
        places = (chain.along.index, label, *chains)
        pairs = (chain.steps.index, label, chain.following.index, *chains)
        node = self._messages(chain, places, pairs)
        name = program.names.take(f"messages_{chain.latent.name}")
        self.rows.append(Assign(name, node, ()))
        base = Load((), name, (), frozenset({Source.LATENT}))
        filtered = (pairs[0], label, *chains)
        coming = (pairs[0], pairs[2], *chains)
        held = tuple(axis for axis in pairs if axis in node.step.axes)
        kept = held if set(held) == {pairs[1], pairs[2]} else pairs
        parts = ((chain.probability, places), (chain.log_normaliser, chains), (chain.filtered, filtered))
        for number, (definition, stored) in enumerate((*parts, (chain.moved, kept), (chain.coming, coming))):
            axes = program.axes(definition)
            local = program.layouts[name_of(definition.symbol)].name
            self.rows.append(Assign(local, Item(axes, base, number, stored), axes))
        self._done |= {each.symbol for each in chain.definitions}
        self.compute(chain.moments)

    def _messages(self, chain: Scanned, places: Axes, pairs: Axes) -> Messages | TreeMessages:
        lower = self.program.lower
        weight, step = (lower(each.symbol) for each in (chain.log_weight, chain.log_step))
        first = () if chain.log_first is None else (lower(chain.log_first.symbol),)
        if isinstance(chain, Tree):
            return TreeMessages((), weight, step, first, lower(chain.parent), places, pairs)
        assert isinstance(chain, Chain)
        last = () if chain.log_last is None else (lower(chain.log_last.symbol),)
        length = () if chain.length == chain.along.size else (lower(chain.length),)
        return Messages((), weight, step, first, last, length, places, pairs, places[1:])

    def _states(self, chain: ScannedStates) -> None:
        """The moments of states from one scan forward and back."""
        program, vectors = self.program, bool(chain.latent.shape)
        self.compute(chain.read)
        chains = tuple(axis.index for axis in chain.log_normaliser.axes)
        places, steps = ((axis.index, *chains) for axis in (chain.along, chain.steps))
        ends = [_entries(each, vectors) for each in chain.read]
        over = tuple(
            (*lead, *end)
            for lead, end in zip((places,) * 2 + (steps,) * 3 + (chains,) * 2, ends, strict=True)
        )
        read = tuple(program.lower(each.symbol) for each in chain.read)
        name = program.names.take(f"moments_{chain.latent.name}")
        node = Smoother((), read, over, vectors)
        if isinstance(chain, OnTree):
            node = TreeSmoother((), read, over, vectors, program.lower(chain.parent))
        self.rows.append(Assign(name, node, ()))
        base = Load((), name, (), frozenset({Source.LATENT}))
        for number, definition in enumerate(chain.given):
            lead = steps if definition == chain.neighbours else places
            axes, local = program.axes(definition), program.layouts[name_of(definition.symbol)].name
            stored = (*lead, *_entries(definition, vectors and definition != chain.given[-1]))
            self.rows.append(Assign(local, Item(axes, base, number, stored), axes))
        self._done |= {each.symbol for each in chain.given}
        self.compute([chain.log_normaliser, *chain.moments])

    def _weighed(
        self, weight: Definition, probability: Definition, axes: tuple[Symbol, ...], count: Expr
    ) -> Assign | Weigh:
        """The log weights: coefficients times features if they separate over rows, for one posterior of a program."""
        program = self.program
        name = program.layouts[name_of(probability.symbol)].name
        value = _renamed(weight, probability, weight.value)
        value = value if program.in_entries else squares_of_ratios(value)
        whole = value if program.plain else with_whole_probabilities(value)
        value = whole if is_separable(whole) else value
        plates = [axis for axis in axes if program.rank.plate(axis) > 0]
        on_rows = [program.index_sizes[axis] for axis in plates] == [program.rows] and axes[-1] == plates[0]
        found = (
            separated(program.lower, name, program.points.centred(value), axes, plates[0], count)
            if self.features is None and on_rows and not program.plain
            else None
        )
        if found is None:
            return Assign(name, program.lower.over(whole, axes), axes)
        self.features = found
        if _has_residuals(value) or whole != value:
            self.direct = program.lower.over(whole, axes)
        return Weigh(name, found.rest)


def _or_never(node: Node) -> Node:
    """Logarithms of chances, below all others where a chance is 0: a step that cannot be is not taken, whatever data say."""
    if isinstance(node, Apply) and node.operation == "log_above_zero":
        return Apply(node.axes, "log_or_never", node.arguments)
    return node.mapped(_or_never)


def _entries(definition: Definition, vectors: bool) -> tuple[Symbol, ...]:  # noqa: FBT001
    """The indices of the entries of a vector or of a matrix."""
    return tuple(axis.index for axis in definition.axes if is_entry(axis.index)) if vectors else ()


def _has_residuals(value: Expr) -> bool:
    """Whether squares of differences stand in the value, which lose digits where they are multiplied out."""
    return any(each.exp == 2 and each.base.has(Add) for each in value.atoms(Pow))


def _is_softmax(program: Program, posterior: Tabulated) -> bool:
    """Whether the three definitions are a softmax of log weights that no other reads."""
    weight, outcome = posterior.log_weight, posterior.outcome
    normaliser, probability = posterior.log_normaliser, posterior.probability
    partition = normaliser.value == log(Sum(exp(weight.symbol), outcome.limits))
    if not partition or probability.value != exp(weight.symbol - normaliser.symbol):
        return False
    derivation, own = program.derivation, {id(weight), id(normaliser), id(probability)}
    others = (e for e in (*derivation.definitions, *derivation.surrogate.statistics) if id(e) not in own)
    return not any(each.value.has(array_of(weight.symbol)) for each in others)


def _renamed(weight: Definition, probability: Definition, value: Expr) -> Expr:
    """A form of the log weight over the probability's index symbols."""
    pairs = dict(zip([a.index for a in weight.axes], [a.index for a in probability.axes], strict=True))
    return value.xreplace(pairs)
