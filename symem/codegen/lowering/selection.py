"""Brackets under a sum, and what stands beside a probability of 0: which terms of a sum count.

[v = e] takes the index v out of a sum over v, and scatters where v is free; a conjunction is the product of its parts.
"""

from __future__ import annotations

from collections.abc import Container

from sympy import And, Eq, Expr, Indexed, Symbol

from symem.codegen.ir.nodes import Apply, Load, Node, Source, Take
from symem.language.plates import Iverson, reindex


def parted(factor: Expr) -> list[Expr]:
    """A bracket of a conjunction as brackets of its parts."""
    if isinstance(factor, Iverson) and isinstance(factor.args[0], And):
        return [Iverson(part) for part in sorted(factor.args[0].args, key=str)]
    return [factor]


def collapsed(factors: list[Expr], over: list[Symbol], indices: Container[Symbol]) -> list[Expr]:
    """Sum over v of [v = e] f(v) is f(e): the index v leaves `over`, unless e is another index moved, k + 1, which may leave the range."""
    for factor in factors:
        if not (isinstance(factor, Iverson) and isinstance(factor.args[0], Eq)):
            continue
        for index, value in (factor.args[0].args, factor.args[0].args[::-1]):
            moved = value.is_Add and any(symbol in indices for symbol in value.free_symbols)
            if index in over and not value.has(index) and not moved:
                over.remove(index)
                others = [other for other in factors if other is not factor]
                return collapsed([reindex(other, {index: value}) for other in others], over, indices)
    return factors


def key_of(factor: Expr, over: list[Symbol]) -> tuple[Symbol, Expr] | None:
    """(v, e) for a bracket [e = v] in which e runs with the sum and v does not."""
    if not (isinstance(factor, Iverson) and isinstance(factor.args[0], Eq)):
        return None
    for index, value in (factor.args[0].args, factor.args[0].args[::-1]):
        free = isinstance(index, Symbol) and index not in over
        if free and isinstance(value, Indexed) and value.free_symbols & set(over) and not value.has(index):
            return index, value
    return None


def read_by(node: Node) -> str:
    """The name of an array as it is read, whole or in part."""
    load = node.base if isinstance(node, Take) else node
    return load.name if isinstance(load, Load) else ""


def is_finite(node: Node) -> bool:
    """Whether a node is made of parameters and data by operations that keep numbers finite."""
    parts = list(node.walk())
    safe = {"+", "*", "neg", "where", "==", "!=", "<", "<=", ">", ">=", "&", "|", "~", "maximum", "minimum"}
    computed = any(isinstance(part, Apply) and part.operation not in safe for part in parts)
    return not computed and not any(Source.LATENT in part.sources for part in parts if isinstance(part, Load))
