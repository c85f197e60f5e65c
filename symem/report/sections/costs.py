"""What an iteration costs: operations counted in the formulas as they stand, array by array.

A formula over axes is computed once for each place; a sum costs its terms and as many additions. Every function,
product, power and sum of two counts one; an inner sum, an inverse and a determinant are computed once for the places
they depend on, matrices by their shapes (`matrix_costs`). The emitted module does no more than that, and mostly less:
what is free of the rows it does once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sympy import Expr, Indexed, Integer, Mul, Poly, Product, Sum, Symbol, expand

from symem.derivation import Definition, Derivation
from symem.language.matrices import is_matrix
from symem.language.plates import LinearSolution
from symem.report.sections.matrix_costs import extent, factorising, is_factorised, like, of_matrices


@dataclass(frozen=True)
class Cost:
    """Operations for the arrays of one part of an iteration, and how they grow."""

    part: str
    symbols: tuple[Expr, ...]
    operations: Expr
    order: tuple[Expr, ...]


def costs(derivation: Derivation) -> tuple[Cost, ...]:
    """The E-step, the statistics, the M-step and all together."""
    parts = {
        "E-step": list(derivation.definitions),
        "statistics": list(derivation.surrogate.statistics),
        "M-step": [update.definition for update in derivation.updates],
    }
    found = [_cost(part, definitions) for part, definitions in parts.items() if definitions]
    whole = expand(sum((each.operations for each in found), Integer(0)))
    return (*found, Cost("an iteration", (), whole, growth(whole)))


def _cost(part: str, definitions: list[Definition]) -> Cost:
    operations = expand(sum(map(operations_of, definitions), Integer(0)))
    return Cost(part, tuple(each.symbol for each in definitions), operations, growth(operations))


def operations_of(definition: Definition) -> Expr:
    """The operations of a definition, at all its places; a linear system is solved once for all its components."""
    axes = {axis.index: axis.size for axis in definition.axes}
    if isinstance(definition.value, LinearSolution):
        axes.pop(definition.value.args[0], None)
    return operations(definition.value, axes)


def operations(expr: Expr, axes: Mapping[Symbol, Expr] | None = None) -> Expr:
    """The operations of a formula at all places of its axes; an inner sum is computed once where it stands still.

    >>> from sympy.abc import a, i, n, k, K
    >>> operations(Sum(a**2, (i, 0, n - 1)))
    2*n
    >>> operations(k + Sum(a**2, (i, 0, n - 1)), {k: K})
    K + 2*n
    """
    places = {} if axes is None else axes
    sums = _outermost(expr)
    bare = expr.xreplace({each: _named(each, f"sum_{number}") for number, each in enumerate(sums)})
    here = _here(bare) * Mul(*places.values())
    return expand(here + sum((_summing(each, places) for each in sums), Integer(0)))


def _named(value: Expr, name: str) -> Expr:
    return like(value, name) if is_matrix(value) else Symbol(name)


def _outermost(expr: Expr) -> list[Expr]:
    """The sums, products, linear systems, inverses and determinants that stand in no other."""
    if isinstance(expr, Sum | Product | LinearSolution) or is_factorised(expr):
        return [expr]
    return list(dict.fromkeys(found for argument in expr.args for found in _outermost(argument)))


def _summing(expr: Expr, axes: Mapping[Symbol, Expr]) -> Expr:
    """A sum at the places it depends on: its terms, and an addition for each."""
    inner = {index: size for index, size in axes.items() if expr.has(index)}
    if isinstance(expr, LinearSolution):
        return _solving(expr, inner)
    if is_factorised(expr):
        return factorising(expr) * Mul(*inner.values()) + operations(expr.args[0], inner)
    inner |= {index: high - low + 1 for index, low, high in expr.limits}
    return operations(expr.function, inner) + Mul(*inner.values()) * extent(expr)


def _solving(expr: Expr, axes: Mapping[Symbol, Expr]) -> Expr:
    """Elimination, and the entries of the matrix and of the right side."""
    _component, row, column, matrix, vector, size = expr.args
    rows = {**axes, row: size}
    return (
        Mul(*axes.values()) * size**3 / 3
        + operations(matrix, {**rows, column: size})
        + operations(vector, rows)
    )


def _here(expr: Expr) -> Expr:
    if not expr.args or isinstance(expr, Indexed):
        return Integer(0)
    found = of_matrices(expr, _here)
    if found is not None:
        return found
    own = len(expr.args) - 1 if expr.is_Add or expr.is_Mul else 1
    return Integer(own) + sum(map(_here, expr.args), Integer(0))


def growth(cost: Expr) -> tuple[Expr, ...]:
    """The terms that none of the others outgrows, without their factors.

    >>> from sympy.abc import n, K
    >>> growth(3*n*K + 2*n + 5*K**2 + 7)
    (K**2, K*n)
    """
    sizes = sorted(cost.free_symbols, key=str)
    if not sizes:
        return (Integer(1),)
    powers = Poly(cost, *sizes).monoms()
    largest = [each for each in powers if not any(_within(each, other) for other in powers if other != each)]
    return tuple(
        sorted((Mul(*(s**p for s, p in zip(sizes, each, strict=True))) for each in largest), key=str)
    )


def _within(small: Iterable[int], large: Iterable[int]) -> bool:
    return all(a <= b for a, b in zip(small, large, strict=True))
