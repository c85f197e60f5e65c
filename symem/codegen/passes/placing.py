"""Where every named array of the E-step is kept: its identifier, the order of its dimensions, what it depends on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sympy import Indexed, Symbol

from symem.codegen.ir.nodes import Source, Sources
from symem.codegen.ir.program import NOTHING, Program
from symem.codegen.lowering.entrywise import of_prior
from symem.codegen.lowering.layouts import Layout
from symem.codegen.lowering.row_plate import observed
from symem.derivation import Definition
from symem.language.leaves import name_of, places_of
from symem.language.model import Variable
from symem.language.supports import Labels


def placed(program: Program) -> Program:
    """Layouts for parameters, data, sizes and definitions; and which definitions are of parameters alone."""
    derivation = program.derivation
    layouts = {each.name: _of_variable(program, each) for each in _kept(program)}
    for extent in derivation.extents:
        name = program.names.take(extent.symbol.name)
        layouts[extent.symbol.name] = Layout(name, (), NOTHING, integer=True)
    fixed: set[str] = set()
    for definition in derivation.definitions:
        if _is_of_parameters(program, definition, layouts):
            fixed.add(name_of(definition.symbol))
        source = Source.THETA if name_of(definition.symbol) in fixed else Source.LATENT
        layouts[name_of(definition.symbol)] = _of_definition(program, definition, frozenset({source}))
    for definition in of_prior(derivation):
        layouts[name_of(definition.symbol)] = _of_definition(program, definition, frozenset({Source.THETA}))
    return replace(program, layouts=layouts, of_parameters=frozenset(fixed))


def _kept(program: Program) -> tuple[Variable, ...]:
    model = program.derivation.model
    return (*model.parameters, *observed(model), *program.sized)


def _is_of_parameters(program: Program, definition: Definition, layouts: Mapping[str, Layout]) -> bool:
    """Whether a definition in entries is the same for all rows, and so is computed once per iteration."""
    names = {name_of(each) for each in definition.value.atoms(Indexed, Symbol)}
    read = frozenset().union(*(layouts[name].sources for name in names if name in layouts))
    on_rows = any(axis.size == program.rows for axis in definition.axes)
    return program.in_entries and read <= {Source.THETA} and not on_rows


def _of_variable(program: Program, variable: Variable) -> Layout:
    whole = isinstance(variable.support, Labels) or variable.role.name == "SIZE"
    name = program.names.take(variable.name)
    return Layout(name, _stored(program, variable), _sources(program, variable), whole, variable.sizes)


def _stored(program: Program, variable: Variable) -> tuple[int, ...]:
    """As it was given; but a chunk of rows of vectors is kept with its rows last."""
    slots = tuple(range(len(variable.sizes)))
    plates = len(variable.sizes) - len(variable.shape)
    cut = program.rows is not None and program.rows in variable.sizes[:plates]
    return (*slots[plates:], *slots[:plates]) if cut else slots


def _sources(program: Program, variable: Variable) -> Sources:
    model, rows = program.derivation.model, program.rows
    if variable in model.parameters:
        return frozenset({Source.THETA})
    if variable in model.sizes or (rows is not None and rows not in variable.sizes):
        return NOTHING
    return frozenset({Source.ROWS})


def _of_definition(program: Program, definition: Definition, sources: Sources) -> Layout:
    axes = sorted((axis.index for axis in definition.axes), key=program.rank)
    lengths = {axis.index: axis.size for axis in definition.axes}
    sizes = tuple(lengths.get(slot, slot) for slot in places_of(definition.symbol))
    name = program.names.take(name_of(definition.symbol))
    return replace(Layout.along(name, definition.symbol, sources, axes), sizes=sizes)
