"""The letters of indices: one for a range and for some places of it, and another only where both are in sight."""

from __future__ import annotations

from collections.abc import Iterator

from sympy import Expr, Product, Sum, Symbol, preorder_traversal

from symem.derivation import Derivation, Tabulated
from symem.language.leaves import places_of
from symem.language.plates import Axis, LinearSolution
from symem.report.notation.letters import Label


def index_letters(derivation: Derivation) -> Iterator[tuple[str, Label]]:
    """A letter for every index that has a long name: one letter for one range, two where both are in sight."""
    axes = tuple(dict.fromkeys(axes_of(derivation)))
    letters = {axis.index.name: axis.index.name for axis in axes if len(axis.index.name) == 1}
    taken = set(derivation.model.variables) | set(letters)
    sights = [set(map(_name_of_index, sight)) for sight in _sights(derivation)]
    declared = {label: size for label, size in derivation.model.longest_sizes.items() if len(label) == 1}
    for axis in [each for each in axes if each.index.name not in declared]:
        name = axis.index.name
        near = {letters.get(other, other) for sight in sights if name in sight for other in sight - {name}}
        stem = name.rstrip("0123456789").removesuffix("_")
        longer = (label for label, size in declared.items() if (size - axis.size).is_positive)
        plate = next((each for each in (*({stem} & declared.keys()), *longer) if each not in near), None)
        if plate is not None:  # some places of a plate have the letter of its places
            letters[name] = plate
            yield name, Label.of(plate)
    for axis in axes:
        name = axis.index.name
        if name not in letters:
            near = {other for sight in sights if name in sight for other in sight}
            used = {letters[other] for other in near if other in letters}
            same = [
                letters[each.index.name]
                for each in axes
                if each.size == axis.size and each.index.name in letters
            ]
            spare = [letter for letter in "klmrstuvabcdefgh" if letter not in taken]
            letters[name] = next((letter for letter in (*same, *spare) if letter not in used), name)
            taken.add(letters[name])
            yield name, Label.of(letters[name])


def _name_of_index(index: Symbol) -> str:
    return str(index.name)


def _sights(derivation: Derivation) -> Iterator[set[Symbol]]:
    """The indices that are seen together in one formula."""
    for definition in derivation.arrays:
        yield from _nested(definition.value, {axis.index for axis in definition.axes})
    for update in derivation.updates:
        own = {axis.index for axis in update.definition.axes}
        yield from (*_nested(update.equation, own), *_nested(update.nested, own))
    for expr in _whole_formulas(derivation):
        yield from _nested(expr, set())
    for block in derivation.not_derived:
        places = {place for each in block.parameters for place in places_of(each)}
        yield from _nested(block.equation, {index for place in places for index in place.free_symbols})


def _whole_formulas(derivation: Derivation) -> tuple[Expr, ...]:
    surrogate, model = derivation.surrogate, derivation.model
    return (model.log_likelihood, model.log_prior, derivation.log_likelihood, surrogate.value)


def _nested(expr: Expr, outer: set[Symbol]) -> Iterator[set[Symbol]]:
    """The indices in scope, where no further ones are."""
    inner = list(_binding(expr))
    if not inner:
        yield outer
    for each in inner:
        bound = (
            set(each.args[1:3]) if isinstance(each, LinearSolution) else {limit[0] for limit in each.limits}
        )
        for part in each.args[3:5] if isinstance(each, LinearSolution) else (each.function,):
            yield from _nested(part, outer | bound)


def _binding(expr: Expr) -> Iterator[Expr]:
    """The outermost nodes that bind indices."""
    if isinstance(expr, Sum | Product | LinearSolution):
        yield expr
        return
    for each in expr.args:
        yield from _binding(each)


def axes_of(derivation: Derivation) -> Iterator[Axis]:
    """Every axis that occurs, in a stable order."""
    for expr in _whole_formulas(derivation):
        yield from _axes_in(expr)
    for definition in derivation.arrays:
        yield from (*definition.axes, *_axes_in(definition.value))
    for posterior in derivation.posteriors:
        yield from (*posterior.axes, *([posterior.outcome] if isinstance(posterior, Tabulated) else []))
    for update in derivation.updates:
        yield from (*_axes_in(update.equation), *_axes_in(update.nested))
    for block in derivation.not_derived:
        yield from _axes_in(block.equation)


def _axes_in(expr: Expr) -> Iterator[Axis]:
    """The axes that a formula sums over, in a stable order."""
    for node in preorder_traversal(expr):
        if isinstance(node, Sum | Product):
            yield from (Axis(index, upper + 1) for index, lower, upper in node.limits if lower == 0)
        if isinstance(node, LinearSolution):
            yield from (Axis(index, node.args[5]) for index in node.args[1:3])
