"""Nodes as NumPy expressions: precedence, broadcasting and the names of functions, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sympy import Integer, Symbol

from symem.codegen.ir.functions import SCIPY
from symem.codegen.ir.nodes import (
    Apply,
    Axes,
    Contract,
    DiagonalOf,
    Factor,
    Fill,
    Item,
    Load,
    LogTotal,
    Messages,
    Node,
    Number,
    Path,
    Peak,
    Range,
    Root,
    Scatter,
    Smoother,
    Solve,
    Take,
    Total,
    TreeMessages,
    TreePath,
    TreeSmoother,
    without,
)
from symem.codegen.numpy.chain_spelling import (
    item,
    messages,
    path,
    smoother,
    tree_messages,
    tree_path,
    tree_smoother,
)
from symem.codegen.numpy.constants_spelling import number_text
from symem.codegen.numpy.entry_spelling import scatter, take
from symem.codegen.numpy.matrix_spelling import diagonal, factor, log_total, solve, stack, transposed
from symem.codegen.numpy.peak_spelling import peak
from symem.codegen.numpy.root_spelling import root
from symem.codegen.numpy.speller import ATOM
from symem.codegen.numpy.wrapping import tupled
from symem.errors import NotDerivedError

_ZERO, _ONE = Number((), Integer(0)), Number((), Integer(1))
_CONDITION, _SUM, _PRODUCT, _UNARY, _POWER, _ATOM = range(ATOM + 1)

_INFIX: Mapping[str, tuple[int, str]] = {
    "+": (_SUM, " + "), "*": (_PRODUCT, " * "), "/": (_PRODUCT, " / "), "**": (_POWER, "**"),
    "==": (_CONDITION, " == "), "!=": (_CONDITION, " != "), "<": (_CONDITION, " < "),
    "<=": (_CONDITION, " <= "), ">": (_CONDITION, " > "), ">=": (_CONDITION, " >= "),
    "&": (_CONDITION, " & "), "|": (_CONDITION, " | "),
}  # fmt: skip

NUMPY = frozenset(
    ["exp", "log", "sqrt", "abs", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "arctan2", "floor", "ceil",
     "sinh", "cosh", "tanh", "sign", "where", "maximum", "minimum", "logaddexp", "log1p", "expm1"]
)  # fmt: skip
#: Sums of log-gammas and logarithms in one piece.
PIECES = frozenset(["log_poisson", "log_binomial", "log_negative_binomial", "log_gamma_ratio"])
HELPERS: Mapping[str, str] = {
    "log_above_zero": "_log",
    "log_or_never": "_log_or_never",
    "log_one_less_exp": "_log_one_less_exp",
    "log_normal_interval": "_log_normal_interval",
    "log_gamma_interval": "_log_gamma_interval",
    "gamma_interval_mean": "_gamma_interval_mean",
    "log_incomplete_gamma": "_log_incomplete_gamma",
    "gamma_interval_log_mean": "_gamma_interval_log_mean",
    "gamma_interval_log_variance": "_gamma_interval_log_variance",
    "gamma_interval_logs": "_gamma_interval_logs",
    "tanh_ratio": "_tanh_ratio",
    "trigamma": "_trigamma",
    "log_besselk": "_log_besselk",
    "log_besselk_derivative": "_log_besselk_derivative",
    "log_scaled_besseli": "_log_scaled_besseli",
    "LogSubExp": "_log_sub_exp",
    "LogSoftplus": "_log_softplus",
    "LogComplement": "_log_complement",
    "counted": "_times_counts",
    "rule_node": "_rule_node",
    "rule_log_weight": "_rule_log_weight",
    **{name: f"_{name}" for name in (*PIECES, "mean_of", "determined")},
}


@dataclass
class Spelling:
    """Spells nodes, and remembers which helpers and equations it used."""

    rank: Callable[[Symbol], object]
    helpers: set[str] = field(default_factory=set)
    equations: dict[str, str] = field(default_factory=dict)

    def __call__(self, node: Node) -> str:
        return self._spelt(node)[0]

    def _spelt(self, node: Node) -> tuple[str, int]:
        return _SPELLINGS[type(node)](self, node)

    def tight(self, node: Node, least: int = _ATOM) -> str:
        """The node, in parentheses if it binds less than that; else it takes an attribute."""
        text, strength = self._spelt(node)
        return text if strength >= least else f"({text})"

    def aligned(self, node: Node, axes: Axes, least: int = _CONDITION) -> str:
        """The node with new axes where it lacks some, so that it broadcasts over `axes`."""
        held = [axis in node.axes for axis in axes]
        if not any(held) or all(held[held.index(True) :]):
            return self.tight(node, least)
        places = ", ".join(":" if each else "None" for each in held[held.index(True) :])
        return f"{self.tight(node)}[{places}]"

    def number(self, node: Number) -> tuple[str, int]:
        value = node.value
        if value.is_infinite:
            return ("np.inf", _ATOM) if value > 0 else ("-np.inf", _UNARY)
        return number_text(value)

    def load(self, node: Load) -> tuple[str, int]:
        return node.name + transposed(node.stored, node.axes), _ATOM

    def range(self, node: Range) -> tuple[str, int]:
        return f"np.arange({self(node.size)})", _ATOM

    def apply(self, node: Apply) -> tuple[str, int]:
        if node.operation == "neg":
            return f"-{self.tight(node.arguments[0], _PRODUCT)}", _UNARY
        if node.operation == "~":
            return f"~{self.tight(node.arguments[0])}", _UNARY
        if node.operation == "+":
            return self._sum(node), _SUM
        if node.operation in _INFIX:
            return self._infix(node)
        return self._identity(node) or self._call(node), _ATOM

    def _identity(self, node: Apply) -> str | None:
        """[a = b] as a number, for two indices of one size."""
        if node.operation != "where" or node.arguments[1:] != (_ONE, _ZERO):
            return None
        condition = node.arguments[0]
        sides = condition.arguments if isinstance(condition, Apply) and condition.operation == "==" else ()
        if len(sides) != 2 or not all(isinstance(side, Range) for side in sides):
            return None
        first, second = sides
        assert isinstance(first, Range)
        assert isinstance(second, Range)
        return f"np.eye({self(first.size)})" if first.size == second.size else None

    def _infix(self, node: Apply) -> tuple[str, int]:
        strength, sign = _INFIX[node.operation]
        first, *rest = node.arguments
        stronger = strength + 1
        left = self.aligned(first, node.axes, stronger if node.operation == "**" else max(strength, _SUM))
        tight = _UNARY if strength == _PRODUCT else stronger
        rights = [self.aligned(each, node.axes, tight) for each in rest]
        if node.operation == "**" and not all(map(_is_simple, [left, *rights])):
            sign = " ** "
        return sign.join([left, *rights]), strength

    def _sum(self, node: Apply) -> str:
        terms = [term for argument in node.arguments for term in _terms(argument, node.axes)]
        terms.sort(key=_is_negative)
        text = self.aligned(terms[0], node.axes, _SUM)
        for term in terms[1:]:
            if _is_negative(term):
                text += f" - {self.aligned(_positive(term), node.axes, _PRODUCT)}"
            else:
                text += f" + {self.aligned(term, node.axes, _PRODUCT)}"
        return text

    def _call(self, node: Apply) -> str:
        name = self._function(node.operation)
        texts = [self.aligned(argument, node.axes) for argument in node.arguments]
        if node.operation in ("maximum", "minimum"):
            while len(texts) > 2:
                texts = [f"{name}({texts[0]}, {texts[1]})", *texts[2:]]
        return f"{name}({', '.join(texts)})"

    def _function(self, operation: str) -> str:
        if operation in NUMPY:
            return f"np.{operation}"
        if operation in SCIPY:
            return operation
        if operation in HELPERS:
            self.helpers.add(HELPERS[operation])
            return HELPERS[operation]
        raise NotDerivedError(f"The operation {operation} has no spelling in NumPy.")

    def total(self, node: Total) -> tuple[str, int]:
        if len(node.over) == len(node.value.axes):
            return f"{self.tight(node.value)}.sum()", _ATOM
        places = [node.value.axes.index(axis) for axis in node.over]
        axis = str(places[0]) if len(places) == 1 else str(tuple(places))
        return f"{self.tight(node.value)}.sum(axis={axis})", _ATOM

    def contract(self, node: Contract) -> tuple[str, int]:
        left, right, over = node.left, node.right, node.over
        if set(without(left.axes, over)) & set(right.axes):
            return stack(self, node)
        got = (*without(left.axes, over), *without(right.axes, over))
        turn = transposed(got, node.axes)
        if len(over) == 1 and len(left.axes) <= 2 and len(right.axes) <= 2:
            first = self.tight(left) + ("" if left.axes[-1] == over[0] else ".T")
            second = self.tight(right) + ("" if right.axes[0] == over[0] else ".T")
            text = f"{first} @ {second}"
            return (f"({text}){turn}", _ATOM) if turn else (text, _PRODUCT)
        if len(over) == len(left.axes) == len(right.axes):
            return f"np.vdot({self(left)}, {self(right)})", _ATOM
        places = tuple(tuple(side.axes.index(axis) for axis in over) for side in (left, right))
        return f"np.tensordot({self(left)}, {self(right)}, {places}){turn}", _ATOM

    def fill(self, node: Fill) -> tuple[str, int]:
        return (
            f"np.broadcast_to({self.aligned(node.value, node.axes)}, {tupled(map(self, node.sizes))})",
            _ATOM,
        )

    def turned(self, node: Node, axes: Axes) -> str:
        if isinstance(node, Load):
            return node.name + transposed(node.stored, axes)
        turn = transposed(node.axes, axes)
        return self.tight(node) + turn if turn else self(node)


def _is_simple(text: str) -> bool:
    """Whether an operand stands close to the sign of a power, as formatters have it."""
    return re.fullmatch(r"-?[\w.]+(e-\d+)?", text) is not None


def _terms(node: Node, axes: Axes) -> list[Node]:
    """The terms of a sum that broadcast without help: those of smaller arrays stay together."""
    if isinstance(node, Apply) and node.operation == "+" and node.axes == axes:
        return [term for argument in node.arguments for term in _terms(argument, axes)]
    return [node]


def _is_negative(node: Node) -> bool:
    if isinstance(node, Number):
        return bool(node.value.is_extended_negative)
    if isinstance(node, Apply) and node.operation in ("*", "/"):
        return any(isinstance(part, Apply) and part.operation == "neg" for part in node.arguments)
    return isinstance(node, Apply) and node.operation == "neg"


def _positive(node: Node) -> Node:
    if isinstance(node, Number):
        return Number((), -node.value)
    assert isinstance(node, Apply)
    if node.operation == "neg":
        return node.arguments[0]
    parts = list(node.arguments)
    place = next(d for d, part in enumerate(parts) if isinstance(part, Apply) and part.operation == "neg")
    parts[place] = _positive(parts[place])
    return Apply(node.axes, node.operation, tuple(parts))


_SPELLINGS: Mapping[type[Node], Callable[..., tuple[str, int]]] = {
    Number: Spelling.number,
    Load: Spelling.load,
    Range: Spelling.range,
    Apply: Spelling.apply,
    Total: Spelling.total,
    LogTotal: log_total,
    Contract: Spelling.contract,
    Take: take,
    Scatter: scatter,
    Fill: Spelling.fill,
    Solve: solve,
    Root: root,
    Peak: peak,
    Factor: factor,
    DiagonalOf: diagonal,
    Messages: messages,
    Path: path,
    TreeMessages: tree_messages,
    TreePath: tree_path,
    Smoother: smoother,
    TreeSmoother: tree_smoother,
    Item: item,
}
