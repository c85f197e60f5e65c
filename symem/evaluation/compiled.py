"""A specialised tree as a NumPy function: numbers and latents become columns, so that many plate positions
that have the same tree are evaluated at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from symem.evaluation.points import Lookup
from symem.evaluation.scalar_functions import function
from symem.evaluation.trees import Apply, Atom, Constant, Entry, Node

Columns = tuple[Any, ...]  # one array per constant, or per latent
Closure = Callable[[Columns, Columns, Lookup], Any]


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of a number in a template."""

    place: int


@dataclass(frozen=True, slots=True)
class Local:
    """The place of a latent entry among those of its component."""

    place: int


@dataclass(frozen=True)
class Template:
    """A tree whose numbers and latents are numbered places, and the numbers of this instance."""

    tree: Any
    constants: tuple[Any, ...]


def template(node: Node, places: Mapping[Atom, int]) -> Template:
    """Take the numbers out of a tree."""
    constants: list[Any] = []

    def taken(part: Node) -> Any:
        match part:
            case Constant(value):
                constants.append(value)
                return Slot(len(constants) - 1)
            case Atom():
                return Local(places[part])
            case Entry(name, index, matrix):
                return Entry(name, tuple(map(taken, index)), matrix)
            case Apply(head, arguments):
                return Apply(head, tuple(map(taken, arguments)))

    return Template(taken(node), tuple(constants))


@lru_cache(maxsize=4096)
def compiled(tree: Any) -> Closure:
    """The function (constants, latents, lookup) -> value of a template's tree."""
    match tree:
        case Slot(place):
            return lambda constants, _latents, _lookup: constants[place]
        case Local(place):
            return lambda _constants, latents, _lookup: latents[place]
        case Entry(name, index, matrix):
            return (_letter_closure if matrix else _entry_closure)(name, tuple(map(compiled, index)))
        case Apply(head, arguments):
            return _apply_closure(function(head), tuple(map(compiled, arguments)))
    raise TypeError(f"{tree!r} is no template.")


def _entry_closure(name: str, index: tuple[Closure, ...]) -> Closure:
    def value(constants: Columns, latents: Columns, lookup: Lookup) -> Any:
        return lookup.entry(name, tuple(place(constants, latents, lookup) for place in index))

    return value


def _letter_closure(name: str, index: tuple[Closure, ...]) -> Closure:
    def value(constants: Columns, latents: Columns, lookup: Lookup) -> Any:
        return lookup.letter(name, tuple(place(constants, latents, lookup) for place in index))

    return value


def _apply_closure(applied: Callable[..., Any], arguments: tuple[Closure, ...]) -> Closure:
    def value(constants: Columns, latents: Columns, lookup: Lookup) -> Any:
        return applied(*(argument(constants, latents, lookup) for argument in arguments))

    return value
