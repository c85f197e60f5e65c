"""Reference points for the functions of data whose squares a log weight holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sympy import Add, Expr, Function, Indexed, IndexedBase, Mul, Pow, Symbol

from symem.codegen.ir.nodes import Load, Source
from symem.codegen.ir.program import NOTHING, Program
from symem.codegen.lowering.contraction import level
from symem.codegen.lowering.layouts import Layout
from symem.codegen.lowering.reference_points import Points, Reference, letter_of
from symem.derivation import Tabulated
from symem.language.leaves import name_of


def referred(program: Program) -> Program:
    """A point for every function of data in a square of data less parameters, in the log weights of labels on rows."""
    rows = frozenset(index for index, size in program.index_sizes.items() if size == program.rows)
    for value in _expanded(program) if program.rows is not None and not program.plain else ():
        for letter in _letters(program, value, rows):
            program = _with_point(program, letter, rows)
    return replace(program, points=replace(program.points, rows=rows))


def _expanded(program: Program) -> list[Expr]:
    """What is multiplied out into products of parameters and data: log weights."""
    posteriors = program.derivation.posteriors
    return [each.log_weight.value for each in posteriors if isinstance(each, Tabulated)]


def _letters(program: Program, value: Expr, rows: frozenset[Symbol]) -> Iterator[Expr]:
    for square in sorted(value.atoms(Pow), key=str):
        for residual in sorted(square.base.atoms(Add), key=str) if square.exp == 2 else ():
            yield from _of_residual(program, residual, rows)


def _of_residual(program: Program, residual: Expr, rows: frozenset[Symbol]) -> Iterator[Expr]:
    """The functions of data that the terms of a residual hold, one each, beside a term free of data."""
    terms = [Mul.make_args(term) for term in residual.args]
    data = [[each for each in term if level(program.lower(each)) == 1] for term in terms]
    if not all(data):
        yield from (each[0] for each in data if len(each) == 1 and _is_letter(each[0], rows))


def _is_letter(value: Expr, rows: frozenset[Symbol]) -> bool:
    atoms = value.atoms(Indexed)
    plain = isinstance(value, Indexed) or (isinstance(value, Function) and len(atoms) == 1)
    shifted = any(place not in atom.free_symbols for atom in atoms for place in atom.indices)
    return plain and not shifted and any(index in rows for atom in atoms for index in atom.indices)


def _with_point(program: Program, letter: Expr, rows: frozenset[Symbol]) -> Program:
    key, (atom,) = letter_of(letter), letter.atoms(Indexed)
    if any(each.letter == key for each in program.points.references):
        return program
    stem = name_of(atom) if letter == atom else f"{letter.func.__name__}_{name_of(atom)}"
    about, point = program.names.take(f"{stem}_about"), program.names.take(f"{stem}_point")
    places = tuple(index for index in atom.indices if index not in rows)
    layouts = {
        **program.layouts,
        about: Layout(about, program.layouts[name_of(atom)].order, frozenset({Source.ROWS})),
        point: Layout(point, tuple(range(len(places))), NOTHING),
    }
    program = replace(program, layouts=layouts)
    load = program.lower(IndexedBase(about, real=True)[atom.indices])
    base = program.lower(IndexedBase(point, real=True)[places] if places else Symbol(point, real=True))
    assert isinstance(load, Load)
    assert isinstance(base, Load)
    reference = Reference(key, name_of(atom), program.lower(letter), base, load)
    return replace(program, points=Points((*program.points.references, reference)))
