"""Moving computations out of the loop they do not need: what reads data alone, once per fit; parameters alone, once
per iteration where it costs more than a line of arithmetic for every chunk of rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from symem.codegen.ir.canonical import canonical
from symem.codegen.ir.features import Features
from symem.codegen.ir.instructions import Assign, reads, with_nodes
from symem.codegen.ir.nodes import ONE, Apply, Load, Node, Number, Range, Source, Total
from symem.codegen.ir.program import COUNT, LENGTH, ROWS, Program
from symem.codegen.ir.shared_values import described, is_leaf
from symem.codegen.lowering.entry_places import is_entry
from symem.codegen.lowering.row_plate import observed


class Hoist:
    """Replaces the largest sub-nodes that pass `test` by loads of new names, each computed once."""

    def __init__(self, program: Program, stem: str, test: Callable[[Node], bool]) -> None:
        self._program = program
        self._stem = stem
        self._test = test
        self._found: dict[Node, Assign] = {}

    def __call__(self, node: Node) -> Node:
        if is_leaf(node):
            return node
        if self._test(node):
            return self.named(node)
        return node.mapped(self)

    def named(self, node: Node) -> Node:
        """A load of what the node computes, under one name for all that are alike."""
        if isinstance(node, Apply) and node.operation == "neg":
            return node.mapped(self)
        names, key = self._program.names, canonical(node).form
        if key not in self._found:
            name = names.take(described(node)) if described(node) else names.numbered(self._stem)
            self._found[key] = Assign(name, node, node.axes)
        first = self._found[key]
        stored = canonical(first.node).renamed(first.axes, canonical(node))
        return Load(node.axes, first.name, stored, node.sources)

    @property
    def lines(self) -> tuple[Assign, ...]:
        """The lines that compute what was replaced."""
        return tuple(self._found.values())


def hoisted(program: Program) -> Program:
    """What reads data alone goes to `prepared`, what reads parameters alone to `coefficients`."""
    data = Hoist(program, "r", lambda node: not _are_few(program) and _is_of_data(program, node))
    theta = Hoist(program, "c", lambda node: _is_of_parameters(program, node))
    infer = tuple(with_nodes(each, lambda node: theta(data(node))) for each in program.infer)
    summarise = tuple(
        replace(each, node=data(each.node)) if isinstance(each, Assign) else each
        for each in program.summarise
    )
    features = program.features and _with_monomials(program.features, data)
    rises = tuple(
        replace(each, of_rows=tuple(replace(line, node=data(line.node)) for line in each.of_rows))
        for each in program.rises
    )
    value = data(program.log_likelihood)
    direct = data(program.direct) if program.direct is not None else None
    return replace(
        program, infer=infer, summarise=summarise, log_likelihood=value, direct=direct,
        features=features, rises=rises, prepared=(*program.prepared, *data.lines), coefficients=theta.lines,
    )  # fmt: skip


def _with_monomials(features: Features, data: Hoist) -> Features:
    """Every feature as a product of arrays that lie ready."""
    monomials = tuple(tuple(map(_name, _factors(node, data))) for node in features.features)
    shared = data(features.shared) if features.shared is not None else None
    return replace(features, monomials=monomials, shared=shared)


def _factors(node: Node, data: Hoist) -> list[Node]:
    """A feature as a product of arrays that have no entry in common, in the order of their entries."""
    if node == ONE:
        return []
    factors = [node]
    if isinstance(node, Apply) and node.operation == "*":
        factors = list(node.arguments)
    elif isinstance(node, Apply) and node.operation == "**":
        base, exponent = node.arguments
        small = isinstance(exponent, Number) and exponent.value in (2, 3, 4)
        factors = [base] * int(exponent.value) if isinstance(exponent, Number) and small else factors
    entries = [axis for each in factors for axis in each.axes if is_entry(axis)]
    if len(set(entries)) < len(entries):
        factors = [node]
    factors.sort(key=lambda each: [node.axes.index(axis) for axis in each.axes])
    return [each if isinstance(each, Load) else data.named(each) for each in factors]


def _name(node: Node) -> str:
    assert isinstance(node, Load)
    return node.name


def _is_of_data(program: Program, node: Node) -> bool:
    """Data alone, beyond their number, and no larger than data: label axes only where rows have been summed out."""
    if node.sources != {Source.ROWS} or reads(node) <= {LENGTH.name, COUNT.name, ROWS.name, *_sizes(program)}:
        return False
    on_rows = any(program.index_sizes.get(axis) == program.rows for axis in node.axes)
    entries = sum(map(is_entry, node.axes))
    return not on_rows or (
        entries <= 1 and all(program.rank.plate(axis) > 0 or is_entry(axis) for axis in node.axes)
    )


def _are_few(program: Program) -> bool:
    """Whether a few short rows stand for all, for which nothing is worth being kept."""
    arrays = [each for each in observed(program.derivation.model) if program.counted in each.sizes]
    short = all(len(each.sizes) - len(each.shape) == 1 for each in arrays)
    return short and {each.name for each in arrays} == set(program.condensed) != set()


def _sizes(program: Program) -> set[str]:
    """The names of sizes, with which a product is too cheap to keep."""
    return {program.layouts[each.name].name for each in program.sized}


def _is_of_parameters(program: Program, node: Node) -> bool:
    """Parameters alone, and more than arithmetic on a number or a vector of them, if there may be several chunks."""
    light = all(
        len(part.axes) < 2 and isinstance(part, Apply | Load | Number | Range | Total) for part in node.walk()
    )
    return program.rows is not None and not light and node.sources <= {Source.THETA}
