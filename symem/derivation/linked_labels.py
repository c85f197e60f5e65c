"""Posteriors of labels that are coupled: along a chain each with the one before, on a tree each with its parent's."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr

from symem.derivation.definition import Definition
from symem.derivation.neighbours import Pair, along_chain, on_tree
from symem.derivation.posterior_kinds import Table
from symem.language.plates import Axis


@dataclass(frozen=True, kw_only=True)
class Linked(Table):
    """A label along the axis `along`, each given one before it: its table γ, and ξ of the `pair` of both.

    `log_weight` η is what a place says of its label by itself, `log_first` ρ what is said of a label that has none before it,
    `log_step` λ what a label says of one after it. Pairs have the axes of the plates, then `steps`, which numbers them, then
    `outcome` and `following`, the labels of the two places.
    """

    along: Axis
    steps: Axis
    following: Axis
    log_first: Definition | None
    log_step: Definition
    pair: Definition

    @property
    def messages(self) -> tuple[Definition, ...]:
        """The logarithms of what is said of a label by those before it or after it."""
        raise NotImplementedError

    def in_order(self, one: Expr, other: Expr) -> Pair | None:
        """Of two labels, the one before and the one after, that at which their pair stands, and its place; None if they are no
        pair.
        """
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Chain(Linked):
    """A label along the axis `along`, each given the one before: its table γ, and ξ of the `pair` of neighbours.

    `log_weight` η is what a place says of its label by itself, `log_first` ρ and `log_last` τ what is said of the first
    and of the last place alone, `log_step` λ what a label says of the next. `forward` is log α and `backward` log β (Baum,
    Petrie, Soules & Weiss 1970; Rabiner 1989, equations 19-25): recurrences along the chain. Pairs have the axes of the
    plates, then `steps`, one place fewer than the chain, then `outcome` and `following`, the labels of the two places. A
    chain has so many places as `length` says, which may differ between chains.
    """

    log_last: Definition | None
    forward: Definition
    backward: Definition
    length: Expr

    @property
    def present(self) -> Expr:
        """The terms of a chain say themselves where they hold."""
        return self.count

    @property
    def messages(self) -> tuple[Definition, ...]:
        return self.forward, self.backward

    def in_order(self, one: Expr, other: Expr) -> Pair | None:
        return along_chain(one, other)

    @property
    def defining(self) -> tuple[str, ...]:  # type: ignore[override]
        firsts = [name for name in ("log_first", "log_last") if getattr(self, name) is not None]
        return (
            *firsts, "log_step", "log_weight", "forward", "log_normaliser", "backward", "probability", "pair", "moments",
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Tree(Linked):
    """A label at each place of a tree, or of many, given the one at its `parent`, an entry of an array of places.

    `upward` is log β, of all that is said at a place and below it, as a recurrence from the leaves to the roots, `message`
    log ε, the same of the label of the parent, and `whole` log κ, of a root, of its tree; `probability` is a recurrence from
    the roots to the leaves (Crouse, Nowak & Baraniuk 1998; Durand, Gonçalvès & Guédon 2004). A pair has the
    place of the child.
    """

    parent: Expr
    upward: Definition
    message: Definition
    whole: Definition

    @property
    def messages(self) -> tuple[Definition, ...]:
        return self.upward, self.message, self.whole

    def in_order(self, one: Expr, other: Expr) -> Pair | None:
        return on_tree(self.parent, one, other)

    @property
    def defining(self) -> tuple[str, ...]:  # type: ignore[override]
        first = ("log_first",) if self.log_first is not None else ()
        return (
            *first,
            "log_step",
            "log_weight",
            "upward",
            "message",
            "whole",
            "log_normaliser",
            "probability",
            "pair",
            "moments",
        )
