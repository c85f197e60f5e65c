"""Adaptive Gauss-Hermite quadrature: where a log-density is largest, and the nodes and weights of the rule about there.

With m the mode of a log-density h and s = (-h''(m))^(-1/2), ∫ exp h(v) dv ≈ s Σ_q ω_q exp h(m + s z_q), where z_q are √2 times
the zeros of the Hermite polynomial of degree Q and log ω_q its log-weights with exp(z_q²/2) (Liu & Pierce 1994; Pinheiro & Bates
1995). In d dimensions the Q = r^d nodes are those of a product of d rules of r nodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sympy import Expr, Function, Sum, Symbol, diff

from symem.language.special import by_logs
from symem.runtime.gauss_hermite import _rule_log_weight, _rule_node


class Mode(Expr):  # type: ignore[misc]
    """Component c of the place at which h(v₁, …, v_d) is largest.

    Args: (c, h, name, v₁, …, v_d); the letters v are bound, the name is that of the latents.
    """

    is_real = True
    is_commutative = True

    @property
    def free_symbols(self) -> set[Any]:
        return set(self.height.free_symbols - set(self.unknowns))

    @property
    def name(self) -> str:
        """What the function is called after."""
        return str(self.args[2])

    @property
    def bound_symbols(self) -> list[Any]:
        return list(self.unknowns)

    def _sympystr(self, printer: Any) -> str:
        letters = ", ".join(map(printer.doprint, self.unknowns))
        place = f"[{self.component}]" if len(self.unknowns) > 1 else ""
        return f"argmax({letters}: {printer.doprint(self.height)}){place}"

    @property
    def component(self) -> int:
        """c."""
        return int(self.args[0])

    @property
    def height(self) -> Expr:
        """h."""
        return self.args[1]

    @property
    def unknowns(self) -> tuple[Symbol, ...]:
        """v₁, …, v_d."""
        return tuple(self.args[3:])

    @property
    def slopes(self) -> tuple[Expr, ...]:
        """∂h/∂v_a."""
        return tuple(by_logs(slope(self.height, each)) for each in self.unknowns)

    @property
    def bends(self) -> tuple[Expr, ...]:
        """∂²h/∂v_a∂v_b, a ≤ b, row by row."""
        slopes = [slope(self.height, each) for each in self.unknowns]
        pairs = ((first, each) for place, first in enumerate(slopes) for each in self.unknowns[place:])
        return tuple(by_logs(slope(first, each)) for first, each in pairs)


def slope(height: Expr, unknown: Symbol) -> Expr:
    """The derivative, term by term and under sums."""
    if isinstance(height, Sum):
        inner = slope(height.function, unknown)
        return Sum(inner, *height.limits) if inner != 0 else inner
    if height.is_Add:
        return height.func(*(slope(each, unknown) for each in height.args))
    return diff(height, unknown)


class RuleNode(Function):  # type: ignore[misc]
    """Coordinate c of node q of the rule of Q nodes in d dimensions: args (q, Q, d, c)."""

    nargs = 4
    is_real = True


class RuleLogWeight(Function):  # type: ignore[misc]
    """Its log-weight: args (q, Q, d)."""

    nargs = 3
    is_real = True


def rule_node(place: Any, count: Any, dimensions: Any, coordinate: Any) -> Any:
    """`RuleNode` in numbers."""
    return _rule_node(np.asarray(place, dtype=int), *map(np.max, (count, dimensions, coordinate)))


def rule_log_weight(place: Any, count: Any, dimensions: Any) -> Any:
    """`RuleLogWeight` in numbers."""
    return _rule_log_weight(np.asarray(place, dtype=int), *map(np.max, (count, dimensions)))


def climbed(function: Any, start: Sequence[Any]) -> list[Any]:
    """Where a function is largest, for all its entries at once: Newton's method, each step halved until it does not fall.

    `function(v)` gives the values, the slopes and the bends row by row; a direction in which it is no hill is climbed by its slope.
    """
    place = [np.array(each, dtype=float) for each in start]
    count = len(place)
    value, slopes, bends = function(place)
    for _ in range(200):
        matrix, at = np.empty((*place[0].shape, count, count)), iter(bends)
        for a in range(count):
            for b in range(a, count):
                matrix[..., a, b] = matrix[..., b, a] = -np.broadcast_to(next(at), place[0].shape)
        sizes, turns = np.linalg.eigh(np.where(np.isfinite(matrix), matrix, np.eye(count)))
        along = np.einsum(
            "...ab,...a->...b", turns, np.stack([np.broadcast_to(s, place[0].shape) for s in slopes], -1)
        )
        step = np.einsum("...ab,...b->...a", turns, along / np.maximum(np.abs(sizes), 1e-12))
        factor = np.ones(place[0].shape)
        for _ in range(60):
            tried = [each + factor * step[..., a] for a, each in enumerate(place)]
            found = function(tried)
            rising = (found[0] >= value - 1e-12 * (1.0 + np.abs(value))) & np.isfinite(found[0])
            if np.all(rising):
                break
            factor = np.where(rising, factor, factor / 2)
        done = np.max(np.abs(factor[..., None] * step)) < 1e-11
        place, (value, slopes, bends) = tried, found
        if done:
            break
    return place
