"""From a survey to a `Reader` and the table of variables: the internal symbol of every name, the sizes of its slots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sympy import Expr, Idx, Indexed, IndexedBase, S, Symbol, sympify

from symem.errors import PlateError, SupportError
from symem.language.matrices import COORDINATE, MatrixArray
from symem.language.plates import Axis, index_symbol
from symem.language.ranges import Range
from symem.language.reading import Extent, Reader, Shape, extent_symbol
from symem.language.statements import Statement
from symem.language.support import Support
from symem.language.supports import Binary, Counts, Interval, Labels, Reals
from symem.language.survey import Slot, Survey, order
from symem.language.symbol_names import check_name, stated_name
from symem.language.transcription import dimensions
from symem.language.variables import Role, Variable


def reader_of(survey: Survey, roles: Mapping[str, Role], supports: Mapping[str, Support]) -> Reader:
    """The reader of a model.

    Raises:
        NameClashError: a name cannot stand in Python code.
        PlateError: a slot has no range.
    """
    shapes, symbols, origins = {}, {}, {}
    for name, slots in survey.slots.items():
        check_name(name)
        support = supports[name]
        size = roles[name] is Role.SIZE
        symbols[name] = internal(name, survey.declared[name], support, size=size)
        shapes[name] = Shape(tuple(S.Zero for _ in slots), tuple(origin_of(slot, supports) for slot in slots))
        if isinstance(support, Labels) and support.origin:
            origins[name] = support.origin
    lengths = frozenset(survey.size_names | survey.bounding)
    reader = Reader(symbols, shapes, origins, {}, reserved=_reserved(survey), lengths=lengths)
    for name, slots in survey.slots.items():
        sizes = tuple(_slot_size(name, p, slot, supports, reader, survey) for p, slot in enumerate(slots))
        reader.shapes[name] = replace(shapes[name], sizes=sizes)
    for name, (index, span) in survey.indices.items():
        label = reader.label(name)
        reader.spans.setdefault(label, (span, index_symbol(label)))
        if span.lower.is_Integer:
            reader.user_indices.setdefault(index_symbol(label), (index, span.lower))
    return reader


def variables_of(
    survey: Survey,
    roles: Mapping[str, Role],
    supports: Mapping[str, Support],
    reader: Reader,
    statement: Statement,
    missing: frozenset[str],
) -> dict[str, Variable]:
    """Every symbol, in the order in which the user stated them."""
    order = {name: position for position, name in enumerate(statement.order)}
    table = {}
    for name in sorted(reader.symbols, key=lambda each: order.get(each, len(order))):
        symbol = reader.symbols[name]
        support = read_support(supports.get(name, Reals()), reader)
        declared = survey.stated(name, symbol)
        role = roles.get(name, Role.KNOWN)
        sizes = reader.shapes[name].sizes
        table[name] = Variable(
            name,
            entry_symbol(symbol, sizes),
            role,
            sizes,
            support,
            declared,
            name in missing,
            shape_of(symbol),
        )
    return table


def _reserved(survey: Survey) -> frozenset[str]:
    """The label of the entries of a diagonal, in a model with matrices."""
    matrices = any(isinstance(each, MatrixArray) for each in survey.declared.values())
    return frozenset({str(COORDINATE)}) if matrices or survey.diagonals else frozenset()


def internal(name: str, declared: Any, support: Support, *, size: bool = False) -> Any:
    """The internal symbol of what a user wrote: a number, an array of numbers, an array of matrices."""
    check_matrix_support(name, declared, support)
    if isinstance(declared, MatrixArray):
        return _matrices(name, declared, support)
    assumptions = {"integer": True, "positive": True} if size else support.assumptions
    return (
        IndexedBase(name, **assumptions) if isinstance(declared, IndexedBase) else Symbol(name, **assumptions)
    )


def check_matrix_support(name: str, declared: Any, support: Support) -> None:
    """Vectors and matrices lie in Reals(), square ones in Symmetric() or PositiveDefinite() too, numbers in neither.

    Raises:
        SupportError: they do not.
    """
    shape = declared.dimensions if isinstance(declared, MatrixArray) else None
    of_matrices = support.of_matrices
    if of_matrices and (shape is None or shape[0] != shape[1]):
        what = "holds numbers" if shape is None else f"is {dimensions(shape)}"
        raise SupportError(
            f"{name} {what}, so it cannot be {support}: what stands in diag({name}) is Positive(), and a covariance is d × d."
        )
    if shape and not of_matrices and not isinstance(support, Reals):
        raise SupportError(
            f"{name} is {dimensions(shape)}, and its entries are real numbers, not {support}: write Reals() or "
            f"PositiveDefinite(), or give its entries as an array of numbers, {name}[i, j]."
        )


def _matrices(name: str, declared: MatrixArray, support: Support) -> MatrixArray:
    rows, cols = map(dimension, declared.dimensions)
    return MatrixArray(name, rows, cols, str(support) if support.of_matrices else "")


def entry_symbol(symbol: Any, sizes: tuple[Expr, ...]) -> Any:
    """The symbol of a variable: an array of matrices over no plates is its one matrix."""
    return symbol() if isinstance(symbol, MatrixArray) and not sizes else symbol


def shape_of(symbol: Any) -> tuple[Expr, ...]:
    """(d,) of vectors, (r, c) of matrices, () of numbers."""
    if not isinstance(symbol, MatrixArray):
        return ()
    rows, cols = symbol.dimensions
    return (rows,) if cols == 1 else (rows, cols)


def dimension(stated: Expr) -> Expr:
    """A dimension that a user wrote, in the internal symbols of sizes."""
    return stated.xreplace(
        {symbol: Symbol(str(symbol), integer=True, positive=True) for symbol in stated.free_symbols}
    )


def origin_of(slot: Slot, supports: Mapping[str, Support]) -> int:
    """What a slot counts from: its range, its label, or its literals."""
    if slot.range is not None:
        return int(slot.range.lower) if slot.range.lower.is_Integer else 0
    for label in slot.labels:
        support = supports.get(stated_name(label))
        if isinstance(support, Labels):
            return support.origin
    return 1 if min(slot.literals, default=0) == 1 else 0


def _slot_size(
    name: str, position: int, slot: Slot, supports: Mapping[str, Support], reader: Reader, survey: Survey
) -> Expr:
    found = _plain_size(slot, supports, reader, survey)
    if found is not None:
        beyond = [
            reader.read(end) - origin_of(slot, supports) + 1 for end in slot.ends if not end.has(Indexed)
        ]
        return max(found, *beyond, key=lambda size: order(size - found)) if beyond else found
    if slot.literals:
        return sympify(max(slot.literals) - origin_of(slot, supports) + 1)
    raise PlateError(f"Slot {position + 1} of {name} has no range.")


def _plain_size(slot: Slot, supports: Mapping[str, Support], reader: Reader, survey: Survey) -> Expr | None:
    """The size that a range or a label gives a slot."""
    if slot.range is not None:
        return range_size(slot.range, reader)
    for label in slot.labels:
        support = supports.get(stated_name(label))
        if isinstance(support, Binary):
            return sympify(2)
        if isinstance(support, Labels):
            return _label_size(support, label, supports, reader, survey)
    return None


def range_size(span: Range, reader: Reader) -> Expr:
    """The internal size of a range."""
    return extent_symbol(span.upper) if span.upper.atoms(Indexed) else reader.read(span.size)


def index_sizes(reader: Reader) -> dict[str, Expr]:
    """The internal size of every index whose range depends on no other index."""
    spans = ((label, span) for label, (span, _symbol) in reader.spans.items())
    return {label: range_size(span, reader) for label, span in spans if _plain(span)}


def longest_sizes(reader: Reader) -> dict[str, Expr]:
    """The largest size of every index whose range hangs on another, where that is the entry of an array."""
    spans = ((label, span) for label, (span, _symbol) in reader.spans.items() if not _plain(span))
    parts = ((label, span.size.as_coeff_Add()) for label, span in spans if span.lower.is_Integer)
    found = {
        label: extent_symbol(varying) + offset for label, (offset, varying) in parts if varying.atoms(Indexed)
    }
    return {label: size for label, size in found.items() if size.free_symbols <= reader.extents.keys()}


def _plain(span: Range) -> bool:
    return not any(isinstance(atom, Idx) for atom in span.lower.free_symbols | span.upper.free_symbols)


def _label_size(
    support: Labels, label: Expr, supports: Mapping[str, Support], reader: Reader, survey: Survey
) -> Expr:
    """The size of a slot that only labels index; where nothing declares it, the data show it."""
    if all(str(symbol) in reader.symbols for symbol in support.size.free_symbols):
        return reader.read(support.size)
    inner = stated_name(label)
    symbol = Symbol(f"size_{inner}", integer=True, positive=True)
    sizes = (
        _slot_size(inner, p, slot, supports, reader, survey) for p, slot in enumerate(survey.slots[inner])
    )
    axes = tuple(Axis(index_symbol(f"{inner}_{p}"), size) for p, size in enumerate(sizes))
    entry = reader.symbols[inner][tuple(a.index for a in axes)] if axes else reader.symbols[inner]
    reader.extents.setdefault(symbol, Extent(symbol, entry + 1, axes))
    return symbol


def read_support(support: Support, reader: Reader) -> Support:
    """A support whose size or ends are in internal symbols; an `Idx` in them is the variable's own index."""
    if isinstance(support, Labels):
        known = all(str(symbol) in reader.symbols for symbol in support.size.free_symbols)
        return replace(support, size=reader.read(support.size)) if known else support
    if isinstance(support, (Interval, Counts)):
        return type(support)(*(_read_end(end, reader) for end in support.bounds))
    return support


def _read_end(end: Expr, reader: Reader) -> Expr:
    spans = {index: reader.spans.get(reader.label(stated_name(index))) for index in end.atoms(Idx)}
    env = {index: span[1] + span[0].lower for index, span in spans.items() if span}
    return reader.read(end, env)
