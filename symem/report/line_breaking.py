"""Breaking long formulas: nothing may run off the page, and plain amsmath breaks no line by itself.

A formula is cut where a reader would cut it, before a plus or minus of its outermost sum, and only if that
does not do inside its largest part; parentheses that span lines get a fixed size, fractions a slash. Widths
are estimates in letters of the text font.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sympy import Add, Expr, Mul, Pow, Product, S, Sum, exp, log

from symem.algebra.rewriting import ScalarMean, is_negative
from symem.language.matrices import is_matrix
from symem.report.document import Lines
from symem.report.notation.lexicon import Lexicon
from symem.report.notation.markup import joined
from symem.report.notation.matrix_notation import taken_apart
from symem.report.notation.notation import Latex, readable
from symem.report.notation.textbook import outermost_first

LINE = 78.0
_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|[{}_^&]|\s+|.")
_WIDTHS = {
    r"\sum": 2.4, r"\prod": 2.4, r"\log": 3.0, r"\exp": 3.2, r"\left": 0.6, r"\right": 0.6, r"\text": 0.0,
    r"\mathrm": 0.0, r"\frac": 0.5, r"\sqrt": 1.4, r"\hat": 0.0, r"\qquad": 4.0, r"\,": 0.3, r"\ ": 0.6,
    r"\Bigl": 0.3, r"\Bigr": 0.3, r"\operatorname": 0.0, "+": 2.4, "-": 2.4, "=": 2.6, ",": 0.8, "(": 0.8, ")": 0.8,
}  # fmt: skip


def width(latex: str) -> float:
    r"""An estimate of how wide a formula sets, in letters.

    >>> width("a + b") < width("a + b + c")
    True
    >>> width(r"\frac{a + b}{c}") < width("a + b + c")
    True
    """
    return _Measure(_MATRIX.sub(_widest_row, latex)).run()


_MATRIX = re.compile(r"\\begin\{pmatrix\}(.*?)\\end\{pmatrix\}", re.DOTALL)


def _widest_row(matrix: re.Match[str]) -> str:
    """A matrix as the widest of its rows in parentheses."""
    rows = matrix[1].split(r"\cr")
    return f"( {max(rows, key=width)} )"


class _Measure:
    """A reader of LaTeX that only adds up widths: scripts are small, a fraction is as wide as its wider half."""

    def __init__(self, latex: str) -> None:
        self.tokens = [token for token in _TOKEN.findall(latex) if not token.isspace()]
        self.place = 0

    def run(self) -> float:
        total = 0.0
        while self.place < len(self.tokens) and self.tokens[self.place] != "}":
            total += self.one()
        return total

    def one(self) -> float:
        token = self.tokens[self.place]
        self.place += 1
        if token == "{":
            inner = self.run()
            self.place += 1
            return inner
        if token in "_^":
            return 0.7 * self.one()
        if token == r"\frac":
            return 0.5 + max(self.one(), self.one())
        return _WIDTHS.get(token, 1.1)


@dataclass(frozen=True)
class Breaker:
    """Cuts expressions (already counting from 1) into pieces that fit a line."""

    lexicon: Lexicon
    room: float = LINE

    def latex(self, expr: Expr) -> str:
        return Latex(self.lexicon).doprint(expr)

    def pieces(self, expr: Expr, room: float) -> list[str]:
        """Strings that make up the formula, each no wider than the room if a cut can make it so."""
        whole = self.latex(expr)
        if width(whole) <= room:
            return [whole]
        for kind, cut in self._cuts():
            if isinstance(expr, kind):
                return cut(expr, room)
        return [whole]

    def _cuts(self) -> tuple[tuple[type, Callable[[Expr, float], list[str]]], ...]:
        return (
            (Add, self._sum_of_terms),
            (Sum, self._big_sum),
            (Pow, self._power),
            (Mul, self._product),
            (ScalarMean, self._mean),
            (log, lambda e, room: self._wrapped(r"\log", e.args[0], room, always=True)),
            (exp, lambda e, room: self._wrapped(r"\exp", e.args[0], room, always=True)),
        )

    def _sum_of_terms(self, expr: Expr, room: float) -> list[str]:
        pieces: list[str] = []
        for term in Latex(self.lexicon).terms(expr):
            negative = is_negative(term)
            first, *rest = self.pieces(-term if negative else term, room - 3)
            sign = ("-" if negative else "+") if pieces or negative else ""
            pieces += [f"{sign} {first}".strip(), *rest]
        return pieces

    def _big_sum(self, expr: Expr, room: float) -> list[str]:
        printer = Latex(self.lexicon)
        head = " ".join(printer.markup.big("Sum", *map(self.latex, limit)) for limit in outermost_first(expr))
        return self._wrapped(head, expr.function, room)

    def _power(self, expr: Expr, room: float) -> list[str]:
        """A sum to a power that is a number."""
        if not (expr.base.is_Add and expr.exp.is_Integer and expr.exp > 0) or is_matrix(expr):
            return [self.latex(expr)]
        *lines, last = self._wrapped("", expr.base, room)
        return [*lines, f"{last}^{{{self.latex(expr.exp)}}}"]

    def _wrapped(self, head: str, body: Expr, room: float, *, always: bool = False) -> list[str]:
        """Behind a head, in parentheses if it is a sum, or always."""
        inner = self.pieces(body, room - width(head) - 2)
        if not (body.is_Add or always):
            return [f"{head} {inner[0]}", *inner[1:]]
        return (
            [rf"{head} \Bigl( {inner[0]}", *inner[1:-1], rf"{inner[-1]} \Bigr)"]
            if len(inner) > 1
            else [rf"{head} \left( {inner[0]} \right)"]
        )

    def _mean(self, expr: Expr, room: float) -> list[str]:
        """⟨…⟩, given the labels."""
        body, *given = expr.args
        below = f"_{{{joined([*map(self.latex, given)])}}}" if given else ""
        first, *rest = self.pieces(body, room - 2)
        if not rest:
            return [self.latex(expr)]
        return [rf"\Bigl\langle {first}", *rest[:-1], rf"{rest[-1]} \Bigr\rangle{below}"]

    def _product(self, expr: Expr, room: float) -> list[str]:
        """The widest factor is cut, the others stand before it; below a wide fraction line a slash is set."""
        if is_matrix(expr):
            return self._word(expr, room)
        ratio = Latex(self.lexicon).ratio(expr)
        if ratio.below:
            return self._slashed(expr, room)
        widest = max(ratio.above, key=lambda factor: width(self.latex(factor)))
        rest = Mul(*(factor for factor in Mul.make_args(expr) if factor != widest))
        head = self._head(rest)
        return self._wrapped(head, widest, room) if not isinstance(widest, Product) else [self.latex(expr)]

    def _word(self, expr: Expr, room: float) -> list[str]:
        """Of a word the widest sum is cut; what stands before and behind it stays where it is."""
        numbers, word = taken_apart(expr)
        sums = [each for each in word if each.is_Add or isinstance(each, Sum)]
        if not sums:
            return [self.latex(expr)]
        widest = max(sums, key=lambda each: width(self.latex(each)))
        place = word.index(widest)
        before = Mul(*numbers, *word[:place])
        behind = self.latex(Mul(*word[place + 1 :])) if word[place + 1 :] else ""
        first, *rest = self._wrapped(self._head(before), widest, room - width(behind))
        lines = [first, *rest]
        return [*lines[:-1], f"{lines[-1]} {behind}".strip()]

    def _head(self, before: Expr) -> str:
        shown = {S.One: "", S.NegativeOne: "-"}
        return shown[before] if before in shown else self.latex(before)

    def _slashed(self, expr: Expr, room: float) -> list[str]:
        ratio = Latex(self.lexicon).ratio(expr)
        above, below = Mul(*ratio.above), Mul(*ratio.below)
        if width(self.latex(above)) <= room:
            sign = -1 if ratio.negative else 1
            front = self.latex(Mul(sign * ratio.number, above))
            return [rf"{front} \Big/", *self._below(below, room)]
        if width(self.latex(below)) > room / 2:
            front = (-1 if ratio.negative else 1) * ratio.number
            *lines, last = self._wrapped(self._head(front), above, room)
            return [*lines, rf"{last} \Big/", *self._below(below, room)]
        front = self.latex((-1 if ratio.negative else 1) * ratio.number / below)
        return self._wrapped(front, above, room)

    def _below(self, below: Expr, room: float) -> list[str]:
        """What a slash divides by, in parentheses if it is a product."""
        first, *more = self._wrapped("", below, room)
        if not below.is_Mul:
            return [first, *more]
        if not more:
            return [rf"\Bigl( {first} \Bigr)"]
        return [rf"\Bigl( {first}", *more[:-1], rf"{more[-1]} \Bigr)"]


def filled(pieces: list[str], room: float) -> list[str]:
    """Pieces packed into lines."""
    lines: list[str] = []
    used = 0.0
    for piece in pieces:
        needed = width(piece)
        if lines and used + needed <= room:
            lines[-1] += " " + piece
            used += needed
        else:
            lines.append(piece)
            used = needed
    return lines


def broken(left: str, right: Expr, lexicon: Lexicon, room: float = LINE, tail: str = "") -> list[str]:
    """The lines of `left = right`, an alignment mark in each; `right` has 0-based indices.

    A left side too wide to stand before the sign gets a line of its own.
    """
    breaker = Breaker(lexicon, room)
    indent = width(left) + 3 if left else 0.0
    expr = readable(right, lexicon)
    start = f"{left} &= " if left else "& "
    lines = filled(breaker.pieces(expr, room - min(indent, room / 2)), room - min(indent, room / 2))
    lines[-1] += tail
    return list(_aligned(start, lines))


def abreast(equations: Sequence[Lines]) -> tuple[Lines, ...]:
    """Equations of one display whose wide left sides push no other off the page: these are not aligned at their sign.

    >>> abreast([("a" * 50 + " &= b",), ("c &= " + "d" * 40,)])[0] == ("& " + "a" * 50 + " = b",)
    True
    """
    told = list(equations)
    for _ in equations:
        lefts = [width(each[0].partition("&")[0]) for each in told]
        rights = [max(width(line.partition("&")[2]) for line in each) for each in told]
        widest = lefts.index(max(lefts))
        if lefts[widest] + max(rights) <= LINE + SLACK or not lefts[widest]:
            break
        first, *more = told[widest]
        told[widest] = ("& " + first.replace("&", "", 1), *more)
    return tuple(told)


#: What a line may be estimated too wide, as tests of lines allow.
SLACK = 4.0


def _aligned(start: str, lines: list[str]) -> Iterator[str]:
    yield start + lines[0]
    for line in lines[1:]:
        yield rf"& \qquad {line}"
