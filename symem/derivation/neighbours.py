"""Which of two latents stands before the other: along a chain the one at the place before, on a tree that of the parent."""

from __future__ import annotations

from sympy import Expr

#: The one before and the one after, that at which their pair stands, and its place.
Pair = tuple[Expr, Expr, Expr, Expr]


def along_chain(one: Expr, other: Expr) -> Pair | None:
    """Neighbours along a chain, of which the pair stands at the first; None if they are none."""
    apart = [(a, b) for a, b in zip(one.indices, other.indices, strict=True) if a != b]
    if len(apart) != 1 or abs(apart[0][1] - apart[0][0]) != 1:
        return None
    ((place, following),) = apart
    return (one, other, one, place) if following - place == 1 else (other, one, other, following)


def on_tree(parent: Expr, one: Expr, other: Expr) -> Pair | None:
    """A parent and its child, at which the pair stands; None if they are none."""
    apart = [(a, b) for a, b in zip(one.indices, other.indices, strict=True) if a != b]
    if len(apart) == 1 and apart[0][1] == parent.base[apart[0][0]]:
        return other, one, one, apart[0][0]
    if len(apart) == 1 and apart[0][0] == parent.base[apart[0][1]]:
        return one, other, other, apart[0][1]
    return None
