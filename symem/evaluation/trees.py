"""Trees over what stays unknown of an expression: entries of latents and parameters, and functions of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from symem.evaluation.scalar_functions import Head, function, multiply


@dataclass(frozen=True, slots=True)
class Constant:
    """A number."""

    value: Any


@dataclass(frozen=True, slots=True)
class Atom:
    """One entry of a latent array."""

    name: str
    index: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, a number or a matrix, of a parameter array, or of data at a position that a latent decides."""

    name: str
    index: tuple[Node, ...]
    matrix: bool = False


@dataclass(frozen=True, slots=True)
class Apply:
    """A function of nodes."""

    function: Head
    arguments: tuple[Node, ...]


Node = Constant | Atom | Entry | Apply

ZERO, ONE = Constant(0), Constant(1)


def children(node: Node) -> tuple[Node, ...]:
    match node:
        case Apply(arguments=arguments):
            return arguments
        case Entry(index=index):
            return index
        case _:
            return ()


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it."""
    yield node
    for child in children(node):
        yield from walk(child)


def atoms_of(node: Node) -> tuple[Atom, ...]:
    """The latent entries under a node, in order of appearance."""
    return tuple(dict.fromkeys(each for each in walk(node) if isinstance(each, Atom)))


def with_values(node: Node, values: Mapping[Atom, Any]) -> Node:
    """A node with numbers in place of some latents, evaluated as far as it is then known."""
    match node:
        case Atom():
            return Constant(values[node]) if node in values else node
        case Entry(name, index, matrix):
            return Entry(name, tuple(with_values(each, values) for each in index), matrix)
        case Apply(head, arguments):
            return applied(head, tuple(with_values(each, values) for each in arguments))
        case _:
            return node


def applied(head: Head, arguments: tuple[Node, ...]) -> Node:
    """A function of nodes, evaluated as far as they are known."""
    if head in _SIMPLER:
        return _SIMPLER[head](arguments)
    if all(isinstance(each, Constant) for each in arguments):
        with np.errstate(all="ignore"):
            return Constant(as_number(function(head)(*(each.value for each in arguments))))  # type: ignore[union-attr]
    return Apply(head, arguments)


def as_number(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic | np.ndarray) and np.ndim(value) == 0 else value


def sum_of(terms: Iterable[Node]) -> Node:
    """A flat sum whose constants are one."""
    constant, rest = 0, []
    for term in terms:
        for part in term.arguments if isinstance(term, Apply) and term.function == "Add" else (term,):
            if isinstance(part, Constant):
                constant += part.value
            else:
                rest.append(part)
    parts = (*rest, Constant(constant)) if constant != 0 or not rest else tuple(rest)
    return parts[0] if len(parts) == 1 else Apply("Add", parts)


def product_of(factors: Iterable[Node]) -> Node:
    """A product whose constants are one; a constant zero takes the whole product with it."""
    given = tuple(factors)
    constants = tuple(each.value for each in given if isinstance(each, Constant))
    rest = tuple(each for each in given if not isinstance(each, Constant))
    scale = as_number(multiply(1, *constants))
    if scale == 0 or not rest:
        return Constant(scale)
    parts = rest if scale == 1 else (Constant(scale), *rest)
    return parts[0] if len(parts) == 1 else Apply("Mul", parts)


def _connective(head: Head, *, absorbing: bool) -> Callable[[Iterable[Node]], Node]:
    """A conjunction or disjunction without the conditions that are settled."""

    def simpler(conditions: Iterable[Node]) -> Node:
        given = tuple(conditions)
        settled = [bool(each.value) for each in given if isinstance(each, Constant)]
        rest = tuple(each for each in given if not isinstance(each, Constant))
        if absorbing in settled or not rest:
            return Constant(absorbing if absorbing in settled else not absorbing)
        return rest[0] if len(rest) == 1 else Apply(head, rest)

    return simpler


_SIMPLER: Mapping[Head, Callable[[Iterable[Node]], Node]] = {
    "Add": sum_of,
    "Mul": product_of,
    "And": _connective("And", absorbing=False),
    "Or": _connective("Or", absorbing=True),
}


def split_terms(node: Node) -> Iterator[Node]:
    """The terms of a sum, also of a sum that stands under a factor free of latents."""
    if isinstance(node, Apply) and node.function == "Add":
        for part in node.arguments:
            yield from split_terms(part)
    elif isinstance(node, Apply) and node.function == "Mul":
        yield from _distributed(node)
    else:
        yield node


def _factors(node: Node) -> tuple[Node, ...]:
    return node.arguments if isinstance(node, Apply) and node.function == "Mul" else (node,)


def _distributed(node: Apply) -> Iterator[Node]:
    busy = [each for each in node.arguments if atoms_of(each)]
    if len(busy) == 1 and isinstance(busy[0], Apply) and busy[0].function == "Add":
        outside = tuple(each for each in node.arguments if each is not busy[0])
        for part in busy[0].arguments:
            yield from split_terms(product_of((*outside, *_factors(part))))
    else:
        yield node
