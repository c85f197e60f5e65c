"""Latents that stand beside their neighbours: along a chain beside those before and after, on a tree beside the parent's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sympy import Expr

from symem.derivation.definition import Definition
from symem.derivation.posterior_record import PosteriorRecord
from symem.language.plates import Axis

#: The one before and the one after, that at which their pair stands, and its place.
Pair = tuple[Expr, Expr, Expr, Expr]


@dataclass(frozen=True, kw_only=True)
class Neighbours(PosteriorRecord):
    """A latent along the axis `along`, which stands beside its neighbours; `steps` numbers the pairs of them.

    `evidence` are the fields of what is said of them, of which some may be None, `told` the laws by which the others follow, each
    with the fields that it defines: none, if it says how the log-normaliser is computed.
    """

    along: Axis
    steps: Axis

    evidence: ClassVar[tuple[str, ...]]
    told: ClassVar[tuple[tuple[str, tuple[str, ...]], ...]]
    line_by_line: ClassVar[bool] = True
    axial: ClassVar[tuple[str, ...]] = ("along", "steps")

    @property
    def said(self) -> tuple[Definition, ...]:
        """What is said of latents and of neighbours."""
        return tuple(getattr(self, name) for name in self._evidence)

    @property
    def _evidence(self) -> tuple[str, ...]:
        return tuple(name for name in self.evidence if getattr(self, name) is not None)

    @property
    def defining_fields(self) -> tuple[str, ...]:
        return (*self._evidence, *(name for _, names in self.told for name in names), "moments")

    @property
    def joint_axes(self) -> tuple[Axis, ...]:
        return (self.along,)

    def in_order(self, one: Expr, other: Expr) -> Pair | None:
        """Two such latents as a pair; None if they are no neighbours."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class OnChain(Neighbours):
    """Each stands beside the one before and the one after; a pair has the place of the first."""

    def in_order(self, one: Expr, other: Expr) -> Pair | None:
        apart = [(a, b) for a, b in zip(one.indices, other.indices, strict=True) if a != b]
        if len(apart) != 1 or abs(apart[0][1] - apart[0][0]) != 1:
            return None
        ((place, following),) = apart
        return (one, other, one, place) if following - place == 1 else (other, one, other, following)


@dataclass(frozen=True, kw_only=True)
class OnTree(Neighbours):
    """Each stands beside the one at its `parent`, an entry of an array of places; a pair has the place of the child."""

    parent: Expr

    def in_order(self, one: Expr, other: Expr) -> Pair | None:
        apart = [(a, b) for a, b in zip(one.indices, other.indices, strict=True) if a != b]
        if len(apart) == 1 and apart[0][1] == self.parent.base[apart[0][0]]:
            return other, one, one, apart[0][0]
        if len(apart) == 1 and apart[0][0] == self.parent.base[apart[0][1]]:
            return one, other, other, apart[0][1]
        return None
