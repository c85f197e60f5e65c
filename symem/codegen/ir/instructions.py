"""The statements of a program, and which of them are needed, in which order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sympy import Expr, Symbol

from symem.codegen.ir.nodes import Load, Node
from symem.derivation import Definition


@dataclass(frozen=True)
class Assign:
    """name := node; `axes` is the order in which its dimensions are kept."""

    name: str
    node: Node
    axes: tuple[Symbol, ...]


@dataclass(frozen=True)
class Entry:
    """name[place] := node, into an array that `fresh` says is to be made first, of these sizes."""

    name: str
    place: tuple[Expr, ...]
    node: Node
    fresh: tuple[Node, ...] | None


@dataclass(frozen=True)
class Weigh:
    """name := coefficients @ features (+ rest), into a buffer."""

    name: str
    rest: Node | None


@dataclass(frozen=True)
class Normalise:
    """`weight` becomes its softmax over `axis`, `normaliser` its log-sum-exp. `guarded`: -inf may occur."""

    weight: str
    normaliser: str
    axis: int
    guarded: bool


@dataclass(frozen=True)
class Column:
    """name := the sum over rows of the weight times the feature at that place."""

    name: str
    place: int
    axes: tuple[Symbol, ...]


@dataclass(frozen=True)
class Gathered:
    """Statistics of all rows from the products of weights and features: `lines` read these and `sums` of data alone.

    A pair of `lost` names a scatter and what was taken off it, which may leave it no digits.
    """

    lines: tuple[Column | Assign, ...] = ()
    lost: tuple[tuple[str, str], ...] = ()
    sums: tuple[Assign, ...] = ()

    def __add__(self, other: Gathered) -> Gathered:
        return Gathered(self.lines + other.lines, self.lost + other.lost, self.sums + other.sums)


@dataclass(frozen=True)
class Difference:
    """A sum of terms of either sign in the update of a parameter, of which little may be left; over matrices or not."""

    parameter: str
    node: Node
    matrix: bool


Statement = Assign | Weigh | Normalise


@dataclass(frozen=True)
class Statistic:
    """One expected sufficient statistic and its name."""

    name: str
    definition: Definition
    axes: tuple[Symbol, ...]


def woven(named: Sequence[tuple[str, Node]], lines: Sequence[Assign | Entry]) -> tuple[Assign | Entry, ...]:
    """Each shared value just before the first line that reads it."""
    done: list[Assign | Entry] = []
    waiting = [Assign(name, node, node.axes) for name, node in named]
    for line in lines:
        for each in _needed(waiting, reads(line.node)):
            waiting.remove(each)
            done.append(each)
        done.append(line)
    return tuple(done)


def taken_from(waiting: list[Assign], statement: Statement) -> list[Assign]:
    """Those of the waiting lines that a statement rests on, in order, taken out of the list."""
    wanted = set().union(*(reads(node) for node in nodes_of(statement)))
    found = _needed(waiting, wanted)
    for each in found:
        waiting.remove(each)
    return found


def _needed(waiting: Sequence[Assign], wanted: set[str]) -> list[Assign]:
    """Those of the waiting lines that the wanted names rest on, in order."""
    table = {line.name: line for line in waiting}
    found: list[Assign] = []

    def visit(names: Iterable[str]) -> None:
        for name in sorted(names):
            if name in table and table[name] not in found:
                visit(reads(table[name].node))
                found.append(table[name])

    visit(wanted)
    return found


def reads(node: Node) -> set[str]:
    return {part.name for part in node.walk() if isinstance(part, Load)}


def nodes_of(statement: Statement | Entry) -> list[Node]:
    """What a statement computes."""
    if isinstance(statement, Assign):
        return [statement.node]
    return [statement.rest] if isinstance(statement, Weigh) and statement.rest is not None else []


def with_nodes(statement: Statement, change: Any) -> Statement:
    if isinstance(statement, Assign):
        return replace(statement, node=change(statement.node))
    if isinstance(statement, Weigh) and statement.rest is not None:
        return replace(statement, rest=change(statement.rest))
    return statement


def live(statements: Sequence[Statement], wanted: Iterable[Node], reported: set[str]) -> list[Statement]:
    """The statements whose results something reads."""
    needed = set(reported).union(*(reads(node) for node in wanted))
    kept: list[Statement] = []
    for statement in reversed(statements):
        made = (
            {statement.weight, statement.normaliser} if isinstance(statement, Normalise) else {statement.name}
        )
        if made & needed:
            needed |= set().union(*map(reads, nodes_of(statement)))
            needed |= {statement.weight} if isinstance(statement, Normalise) else set()
            kept.append(statement)
    return kept[::-1]
