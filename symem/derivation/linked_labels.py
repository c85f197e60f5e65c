"""Posteriors of labels that are coupled: along a chain each with the one before, on a tree each with its parent's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sympy import Expr

from symem.derivation.definition import Definition
from symem.derivation.neighbours import Neighbours, OnChain, OnTree
from symem.derivation.posterior_kinds import Table
from symem.language.plates import Axis


@dataclass(frozen=True, kw_only=True)
class Linked(Neighbours, Table):
    """A label given one before it: its table γ, and ξ of the `pair` of both.

    `log_weight` η is what a place says of its label by itself, `log_first` ρ what is said of a label that has none before it,
    `log_step` λ what a label says of one after it. Pairs have the axes of the plates, then `steps`, which numbers them, then
    `outcome` and `following`, the labels of the two places.
    """

    following: Axis
    log_first: Definition | None
    log_step: Definition
    pair: Definition

    evidence: ClassVar[tuple[str, ...]] = ("log_first", "log_step", "log_weight")
    axial: ClassVar[tuple[str, ...]] = ("along", "steps", "outcome", "following")
    letters: ClassVar[dict[str, str]] = {"log_first": "rho", "log_step": "lambda", "pair": "xi"}
    #: The fields of the logarithms of what is said of a label by those before it or after it.
    message_names: ClassVar[tuple[str, ...]]

    @property
    def messages(self) -> tuple[Definition, ...]:
        return tuple(getattr(self, name) for name in self.message_names)


@dataclass(frozen=True, kw_only=True)
class Chain(OnChain, Linked):
    """A label along a chain, each given the one before.

    `log_last` τ is what is said of the last place alone. `forward` is log α and `backward` log β (Baum, Petrie, Soules & Weiss
    1970; Rabiner 1989, equations 19-25): recurrences along the chain. `steps` has one place fewer than the chain. A chain has
    so many places as `length` says, which may differ between chains.
    """

    log_last: Definition | None
    forward: Definition
    backward: Definition
    length: Expr

    evidence = ("log_first", "log_last", "log_step", "log_weight")
    letters: ClassVar[dict[str, str]] = {
        **Linked.letters,
        "log_last": "tau",
        "forward": "alpha",
        "backward": "beta",
    }
    message_names = ("forward", "backward")
    told = (
        ("forward messages", ("forward",)),
        ("end of a chain", ("log_normaliser",)),
        ("backward messages", ("backward",)),
        ("labels of a chain", ("probability",)),
        ("pairs of a chain", ("pair",)),
        ("scaled messages", ()),
    )

    @property
    def present(self) -> Expr:
        """The terms of a chain say themselves where they hold."""
        return self.count


@dataclass(frozen=True, kw_only=True)
class Tree(OnTree, Linked):
    """A label at each place of a tree, or of many, given that of its parent.

    `upward` is log β, of all that is said at a place and below it, as a recurrence from the leaves to the roots, `message`
    log ε, the same of the label of the parent, and `whole` log κ, of a root, of its tree; `probability` is a recurrence from
    the roots to the leaves (Crouse, Nowak & Baraniuk 1998; Durand, Gonçalvès & Guédon 2004).
    """

    upward: Definition
    message: Definition
    whole: Definition

    letters: ClassVar[dict[str, str]] = {
        **Linked.letters,
        "upward": "beta",
        "message": "epsilon",
        "whole": "kappa",
    }
    message_names = ("upward", "message", "whole")
    told = (
        ("upward messages", ("upward",)),
        ("messages to parents", ("message",)),
        ("roots of a tree", ("whole", "log_normaliser")),
        ("labels of a tree", ("probability",)),
        ("pairs of a tree", ("pair",)),
    )
