"""From a derivation to its program, stage by stage: layouts, E-step, what is computed when, M-step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sympy import Add, Expr, Indexed, S, Sum, Symbol, exp, log

from symem.algebra.squares import squares
from symem.codegen.ir.identifiers import Names
from symem.codegen.ir.instructions import (
    Assign,
    Normalise,
    Statement,
    Statistic,
    Weigh,
    live,
    nodes_of,
    reads,
    with_nodes,
)
from symem.codegen.ir.nodes import Load, Node, Range, Source, Sources
from symem.codegen.ir.program import NOTHING, Order, Program, reported
from symem.codegen.lowering.distinct_indices import distinct
from symem.codegen.lowering.entries import is_entry
from symem.codegen.lowering.entrywise import EntryDerivation, factors_of, in_entries
from symem.codegen.lowering.lower import Layout, Lowering
from symem.codegen.lowering.row_plate import base_of, observed, row_size, used_sizes
from symem.codegen.passes.apart import Apart, apart
from symem.codegen.passes.hoisting import Hoist, shared
from symem.codegen.passes.maximisation import Maximisation
from symem.codegen.passes.natural_form import Features, separated
from symem.codegen.passes.scheduling import ordered, shared_by_rows
from symem.codegen.passes.sums_of_data import collapsed
from symem.codegen.passes.translation import translation
from symem.codegen.passes.vector_translation import vector_translation
from symem.derivation import Definition, Derivation, Posterior
from symem.errors import NotDerivedError
from symem.language.model import Variable
from symem.language.plates import LogIverson
from symem.language.supports import Labels


class Builder:
    """Builds the program of one derivation, stage by stage."""

    def __init__(self, derivation: Derivation) -> None:
        _refuse_open_blocks(derivation)
        derivation, indices = distinct(derivation)
        self.names = Names()
        self.log_prior = indices.expr(derivation.model.log_prior, {})
        self.sizes = indices.sizes
        stated, derivation = derivation, in_entries(derivation, self.sizes, self.log_prior)
        self.derivation = derivation
        self.model = derivation.model
        self.in_entries = isinstance(derivation, EntryDerivation)
        self.rank = Order(derivation, self.sizes)
        self.rows = row_size(derivation)
        self.sized = used_sizes(derivation)
        self.translation = (
            vector_translation(stated, derivation, self.log_prior, self.sizes)
            if self.in_entries
            else translation(derivation)
        )
        self.statistics = (
            *derivation.surrogate.statistics,
            *(self.translation.added if self.translation else ()),
        )
        self.length = Load((), "length", (), frozenset({Source.ROWS}))
        self.of_parameters: set[str] = set()
        self.layouts = self._layouts()
        rows = (self.rows, self.length) if self.rows is not None else None
        self.lower = Lowering(self.layouts, self.rank, self.sizes, rows, self._uncertain())
        self.direct: Node | None = None
        self.apart: Apart | None = None
        self.fixed: list[Statement] = []
        self._done: set[Expr] = set()

    # -- where things are kept ------------------------------------------------------------------------

    def _layouts(self) -> dict[str, Layout]:
        kept = (*self.model.parameters, *observed(self.model), *self.sized)
        layouts = {each.name: self._variable(each) for each in kept}
        for extent in self.derivation.extents:
            layouts[extent.symbol.name] = Layout(
                self.names.take(extent.symbol.name), (), NOTHING, integer=True
            )
        for definition in self.derivation.definitions:
            fixed = self._is_of_parameters(definition, layouts)
            layouts[base_of(definition.symbol)] = self._definition(
                definition, frozenset({Source.THETA if fixed else Source.LATENT})
            )
        for definition in self._of_prior():
            layouts[base_of(definition.symbol)] = self._definition(definition, frozenset({Source.THETA}))
        return layouts

    def _of_prior(self) -> tuple[Definition, ...]:
        return self.derivation.of_prior if isinstance(self.derivation, EntryDerivation) else ()

    def _is_of_parameters(self, definition: Definition, layouts: Mapping[str, Layout]) -> bool:
        """Whether a definition in entries is the same for all rows, and so is computed once per iteration."""
        names = {base_of(each) for each in definition.value.atoms(Indexed, Symbol)}
        read = frozenset().union(*(layouts[name].sources for name in names if name in layouts))
        on_rows = any(axis.size == self.rows for axis in definition.axes)
        fixed = self.in_entries and read <= {Source.THETA} and not on_rows
        if fixed:
            self.of_parameters.add(base_of(definition.symbol))
        return fixed

    def _variable(self, variable: Variable) -> Layout:
        name = self.names.take(variable.name)
        return Layout(name, self._stored(variable), self._sources(variable), _is_whole(variable))

    def _stored(self, variable: Variable) -> tuple[int, ...]:
        """As it was given; but a chunk of rows of vectors is kept with its rows last."""
        slots = tuple(range(len(variable.sizes)))
        plates = len(variable.sizes) - len(variable.shape)
        cut = self.rows is not None and self.rows in variable.sizes[:plates]
        return (*slots[plates:], *slots[:plates]) if cut else slots

    def _sources(self, variable: Variable) -> Sources:
        if variable in self.model.parameters:
            return frozenset({Source.THETA})
        if variable in self.model.sizes or (self.rows is not None and self.rows not in variable.sizes):
            return NOTHING
        return frozenset({Source.ROWS})

    def _definition(self, definition: Definition, sources: Sources) -> Layout:
        indices = [axis.index for axis in definition.axes]
        slots = tuple(getattr(definition.symbol, "indices", ()))
        order = tuple(slots.index(index) for index in sorted(indices, key=self.rank))
        return Layout(self.names.take(base_of(definition.symbol)), order, sources)

    def axes(self, definition: Definition) -> tuple[Symbol, ...]:
        return tuple(sorted((axis.index for axis in definition.axes), key=self.rank))

    # -- the E-step -----------------------------------------------------------------------------------

    def build(self) -> Program:
        statements: list[Statement] = []
        features: Features | None = None
        for posterior in self.derivation.posteriors:
            found, part = self._posterior(posterior, allowed=features is None)
            features = features or found
            statements += part
        statements += self._computed(self._ending())
        statistics = [self._statistic(each, features) for each in self.statistics]
        value, once = self._split_rows(self.derivation.log_likelihood)
        value_node = self.lower(value)
        statements = live(statements, [s.rows for s in statistics if s.rows] + [value_node], self._reported())
        return self._hoisted(statements, features, statistics, value_node, self.lower(once))

    def _ending(self) -> tuple[Definition, ...]:
        return self.derivation.ending if isinstance(self.derivation, EntryDerivation) else ()

    def _reported(self) -> set[str]:
        kept = [each.symbol for p in self.derivation.posteriors for each in reported(p)]
        return {self.layouts[base_of(symbol)].name for symbol in kept}

    def _posterior(self, posterior: Posterior, *, allowed: bool) -> tuple[Features | None, list[Statement]]:
        if posterior.inline or not _is_softmax(posterior) or self._used_elsewhere(posterior):
            return None, self._computed(posterior.definitions)
        weight, normaliser, probability = (
            posterior.log_weight,
            posterior.log_normaliser,
            posterior.probability,
        )
        assert weight is not None
        assert probability is not None
        assert posterior.outcome is not None
        axes = self.axes(probability)
        name = self.layouts[base_of(probability.symbol)].name
        plates = [axis for axis in axes if self.rank.plate(axis) > 0]
        value = _renamed(weight, probability, weight.value)
        before = self._computed(factors_of(self.derivation, weight.symbol))
        found = (
            separated(self.lower, name, value, axes, plates[0])
            if allowed and [self.sizes[axis] for axis in plates] == [self.rows] and axes[-1] == plates[0]
            else None
        )
        self.direct = self._centred_weight(weight, probability, axes) if found else self.direct
        first = Weigh(name, found.rest) if found else Assign(name, self.lower.over(value, axes), axes)
        guarded = bool(self.lower.tables)
        softmax = Normalise(
            name, self.layouts[base_of(normaliser.symbol)].name, axes.index(posterior.outcome.index), guarded
        )
        return found, [*before, first, softmax, *self._computed((*posterior.parameters, *posterior.moments))]

    def _uncertain(self) -> frozenset[str]:
        """The tables of probabilities, if outcomes may be impossible at a row."""
        weights = [
            each.log_weight.value for each in self.derivation.posteriors if each.log_weight is not None
        ]
        if not any(weight.has(LogIverson, S.NegativeInfinity) for weight in weights):
            return frozenset()
        tables = [each.probability for each in self.derivation.posteriors if each.probability is not None]
        return frozenset(self.layouts[base_of(each.symbol)].name for each in tables)

    def _computed(self, definitions: Sequence[Definition]) -> list[Statement]:
        """Definitions with what they read, in order; those of parameters alone are put aside."""
        found: list[Statement] = []
        for each in self._new(definitions):
            found += self._computed(factors_of(self.derivation, each.symbol))
            line = self._assign(each)
            (self.fixed if base_of(each.symbol) in self.of_parameters else found).append(line)
        return found

    def _new(self, definitions: Sequence[Definition]) -> list[Definition]:
        """Those that no earlier posterior has brought in."""
        fresh = [each for each in definitions if each.symbol not in self._done]
        self._done |= {each.symbol for each in fresh}
        return fresh

    def _centred_weight(
        self, weight: Definition, probability: Definition, axes: tuple[Symbol, ...]
    ) -> Node | None:
        """The log weight with its squares completed, which keeps its digits where the expanded form loses them."""
        if isinstance(self.derivation, EntryDerivation):
            gathered = self.derivation.centred.get(weight.symbol, weight.value)
        else:
            gathered = squares(weight.value)
        if gathered == weight.value:
            return None
        return self.lower.over(_renamed(weight, probability, gathered), axes)

    def _used_elsewhere(self, posterior: Posterior) -> bool:
        """Whether the log weight itself is read by anything but its own normaliser and probability."""
        weight = posterior.log_weight
        assert weight is not None
        own = {id(weight), id(posterior.log_normaliser), id(posterior.probability)}
        readers = [
            d
            for d in (*self.derivation.definitions, *self.derivation.surrogate.statistics)
            if id(d) not in own
        ]
        return any(each.value.has(getattr(weight.symbol, "base", weight.symbol)) for each in readers)

    def _assign(self, definition: Definition) -> Assign:
        axes = self.axes(definition)
        return Assign(
            self.layouts[base_of(definition.symbol)].name,
            self.lower.over(definition.value if self.in_entries else squares(definition.value), axes),
            axes,
        )

    def _split_rows(self, value: Expr) -> tuple[Expr, Expr]:
        """(what is summed over rows, what is not)."""
        if self.rows is None:
            return value, S.Zero
        terms = Add.make_args(value)
        inside = [
            term
            for term in terms
            if any(limit[2] == self.rows - 1 for each in term.atoms(Sum) for limit in each.limits)
        ]
        rest = [term for term in terms if term not in inside]
        inside += [self._per_row(term) for term in rest if self._reads_definitions(term)]
        return Add(*inside), Add(*(term for term in rest if not self._reads_definitions(term)))

    def _reads_definitions(self, term: Expr) -> bool:
        return bool(self.of_parameters & {base_of(each) for each in term.atoms(Indexed, Symbol)})

    def _per_row(self, term: Expr) -> Expr:
        """A term with the number of rows as a factor, as a sum over rows."""
        index = next(index for index, size in self.sizes.items() if size == self.rows)
        assert self.rows is not None
        return Sum(term / self.rows, (index, 0, self.rows - 1))

    def _statistic(self, definition: Definition, features: Features | None) -> Statistic:
        name = self.names.take(base_of(definition.symbol))
        value, once = self._split_rows(definition.value)
        axes = self.axes(definition)
        node = self.lower.over(value, axes) if value != 0 else None
        rest = self.lower.over(once, axes) if once != 0 else None
        moment = features.moment(node) if features and node else None
        return Statistic(name, definition, axes, moment, None if moment is not None else node, rest)

    # -- what is computed when ------------------------------------------------------------------------

    def _hoisted(
        self,
        statements: Sequence[Statement],
        features: Features | None,
        statistics: Sequence[Statistic],
        value: Node,
        once: Node,
    ) -> Program:
        data = Hoist(self.names, "r", self._depends_on_data)
        theta = Hoist(self.names, "c", _depends_on_theta)

        def lift(node: Node) -> Node:
            return theta(data(node))

        infer = tuple(with_nodes(each, lift) for each in statements)
        stats = tuple(replace(each, rows=data(each.rows) if each.rows else None) for each in statistics)
        value = data(value)
        direct = data(self.direct) if self.direct is not None else None
        if self.in_entries:
            infer = tuple(shared_by_rows(self.names, infer))
        prepared = tuple(Assign(load.name, node, node.axes) for node, load in data.found.items())
        coefficients = [Assign(load.name, node, node.axes) for node, load in theta.found.items()]
        coefficients = [*self._live_fixed(infer, features, coefficients, [*stats, value]), *coefficients]
        if features:
            named, nodes = shared(
                self.names, "c", [*(each.node for each in coefficients), *features.coefficients]
            )
            rest = [
                Assign(each.name, node, node.axes) for each, node in zip(coefficients, nodes, strict=False)
            ]
            features = replace(features, coefficients=tuple(nodes[len(rest) :]))
            coefficients = ordered(named, rest)
        names = {name: layout.name for name, layout in self.layouts.items()}
        self.apart = (
            apart(self.derivation, self.translation, features, stats, names) if direct is not None else None
        )
        maximisation = Maximisation(self)
        m_step, layouts, sizes = maximisation.lines(statistics)
        recentred, more = maximisation.recentred(layouts)
        prior = (
            self.log_prior if not isinstance(self.derivation, EntryDerivation) else self.derivation.log_prior
        )
        return Program(
            self.derivation, self.names, self.rows, self.layouts, self.lower, prepared, features,
            tuple(coefficients), infer, stats, value, once, m_step, layouts,
            self.lower(prior) if prior != 0 else None, tuple(sorted({*sizes, *more})), self.sized,
            self.translation, recentred, direct, self._handed_on(infer, stats, value, coefficients),
            tuple(map(self._assign, self._of_prior())),
            collapsed(self) if self.in_entries else None, self.apart,
        )  # fmt: skip

    def _live_fixed(
        self,
        infer: Sequence[Statement],
        features: Features | None,
        coefficients: Sequence[Assign],
        last: Sequence[Any],
    ) -> list[Assign]:
        """Those definitions of parameters alone that something reads."""
        nodes = [node for each in infer for node in nodes_of(each)]
        nodes += [each.node for each in coefficients]
        nodes += list(features.coefficients) if features else []
        nodes += [each.rows for each in last if isinstance(each, Statistic) and each.rows]
        nodes += [each for each in last if isinstance(each, Node)]
        nodes += [self.direct] if self.direct is not None else []
        return [each for each in live(self.fixed, nodes, self._reported()) if isinstance(each, Assign)]

    def _handed_on(
        self, infer: Sequence[Statement], stats: Sequence[Statistic], value: Node, lines: Sequence[Assign]
    ) -> tuple[str, ...]:
        """The definitions of parameters alone that rows, statistics or the posterior read."""
        nodes = [*(each.rows for each in stats if each.rows), value]
        read = set().union(*(reads(node) for node in nodes)) | self._reported()
        own = {self.layouts[name].name for name in self.of_parameters}
        return tuple(line.name for line in lines if line.name in own & read)

    def _depends_on_data(self, node: Node) -> bool:
        """Data alone, and no larger than data: label axes only where rows have been summed out."""
        if node.sources != {Source.ROWS}:
            return False
        on_rows = any(self.sizes.get(axis) == self.rows for axis in node.axes)
        entries = sum(map(is_entry, node.axes))
        return not on_rows or (
            entries <= 1 and all(self.rank.plate(axis) > 0 or is_entry(axis) for axis in node.axes)
        )


def _is_softmax(posterior: Posterior) -> bool:
    """Whether the three definitions are a softmax of log weights, as they are for a finite posterior."""
    weight, outcome, probability = posterior.log_weight, posterior.outcome, posterior.probability
    if weight is None or outcome is None or probability is None:
        return False
    partition = posterior.log_normaliser.value == log(Sum(exp(weight.symbol), outcome.limits))
    return bool(partition and probability.value == exp(weight.symbol - posterior.log_normaliser.symbol))


def _renamed(weight: Definition, probability: Definition, value: Expr) -> Expr:
    """A form of the log weight over the probability's index symbols."""
    pairs = dict(zip([a.index for a in weight.axes], [a.index for a in probability.axes], strict=True))
    return value.xreplace(pairs)


def _depends_on_theta(node: Node) -> bool:
    return node.sources <= {Source.THETA} and not isinstance(node, Range)


def _is_whole(variable: Variable) -> bool:
    return isinstance(variable.support, Labels) or variable.role.name == "SIZE"


def _refuse_open_blocks(derivation: Derivation) -> None:
    if derivation.not_derived:
        block = derivation.not_derived[0]
        names = ", ".join(str(each) for each in block.parameters)
        raise NotDerivedError(
            f"No solver can be emitted: there is no closed form for {names}, because {block.reason or block.term}."
        )
    updated = {base_of(update.parameter) for update in derivation.updates}
    missing = [each.name for each in derivation.model.parameters if each.name not in updated]
    if missing:
        raise NotDerivedError(
            f"No solver can be emitted: the derivation has no update for {', '.join(missing)}."
        )
