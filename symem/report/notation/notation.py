"""SymPy to print in the field's letters, in LaTeX and in plain Unicode: the rules of `textbook`, set in either.

What goes in counts from 0; what comes out counts from 1.
"""

from __future__ import annotations

from typing import ClassVar

from sympy import Eq, Expr, Indexed, Symbol
from sympy.core.relational import Relational
from sympy.printing.latex import LatexPrinter
from sympy.printing.str import StrPrinter

from symem.language.leaves import name_of
from symem.language.parents import says_of_parent
from symem.report.notation.lexicon import Lexicon
from symem.report.notation.markup import LatexMarkup, PlainMarkup
from symem.report.notation.printed_form import (
    density_constants,
    merged_logs,
    merged_roots,
    over_common_number,
)
from symem.report.notation.sums_along import sums_along
from symem.report.notation.textbook import Textbook


class Latex(Textbook, LatexPrinter):  # type: ignore[misc]
    """LaTeX in math mode."""

    def __init__(self, lexicon: Lexicon) -> None:
        super().__init__()
        self.lexicon = lexicon
        self.markup = LatexMarkup()


class Plain(Textbook, StrPrinter):  # type: ignore[misc]
    """One line of Unicode for a terminal."""

    printmethod = "_textbook"
    relations: ClassVar = {"<=": "≤", ">=": "≥", "!=": "≠"}

    def __init__(self, lexicon: Lexicon) -> None:
        super().__init__()
        self.lexicon = lexicon
        self.markup = PlainMarkup()

    def _print_Pi(self, _expr: Expr) -> str:
        return "π"

    def _print_besseli(self, expr: Expr) -> str:
        return self._of_order("I", expr)

    def _print_besselk(self, expr: Expr) -> str:
        return self._of_order("K", expr)

    def _of_order(self, letter: str, expr: Expr) -> str:
        order, argument = map(self.doprint, expr.args)
        return f"{letter}_{f'({order})' if expr.args[0].is_Add else order}({argument})"

    def _print_Abs(self, expr: Expr) -> str:
        return f"|{self.doprint(expr.args[0])}|"

    def _print_Max(self, expr: Expr) -> str:
        return f"max({self._ends_first(expr)})"

    def _print_Min(self, expr: Expr) -> str:
        return f"min({self._ends_first(expr)})"

    def _ends_first(self, expr: Expr) -> str:
        return ", ".join(map(self.doprint, sorted(expr.args, key=lambda e: (not e.is_number, str(e)))))

    def _print_Infinity(self, _expr: Expr) -> str:
        return "∞"

    def _print_Relational(self, expr: Expr) -> str:
        left, right = (self.doprint(side) for side in expr.args)
        return f"{left} {self.relations.get(expr.rel_op, expr.rel_op)} {right}"


def readable(expr: Expr, lexicon: Lexicon) -> Expr:
    """The shape in which an expression with 0-based indices is printed."""
    told = lexicon.from_one(sums_along(_at_roots(expr, lexicon), lexicon.lengths, lexicon.pairs))
    return density_constants(over_common_number(merged_roots(merged_logs(told))))


def _at_roots(expr: Expr, lexicon: Lexicon) -> Expr:
    """[parent_v < 0] of a place without a parent as [parent_v = -1], which in print is 0."""
    if not lexicon.parents:
        return expr
    said = {each: says_of_parent(each) for each in expr.atoms(Relational)}
    roots = {
        each: Eq(found[0], -1, evaluate=False)
        for each, found in said.items()
        if found is not None and not found[1] and name_of(found[0]) in lexicon.parents
    }
    return expr.xreplace(roots)


def latex(expr: Expr, lexicon: Lexicon) -> str:
    """An expression with 0-based indices, in LaTeX that counts from 1."""
    return Latex(lexicon).doprint(readable(expr, lexicon))


def letter(expr: Expr, lexicon: Lexicon) -> str:
    """A symbol or array entry as a name: an index in a slot stands for itself, a number counts from 1."""
    return Latex(lexicon).doprint(_as_name(expr, lexicon))


def plain_letter(expr: Expr, lexicon: Lexicon) -> str:
    """The same in Unicode."""
    return Plain(lexicon).doprint(_as_name(expr, lexicon))


def _as_name(expr: Expr, lexicon: Lexicon) -> Expr:
    if not isinstance(expr, Indexed):
        return expr
    shifted = lexicon.from_one(expr)
    shifted = shifted + 1 if name_of(expr) in lexicon.from_one.labels else shifted
    slots = zip(expr.indices, shifted.indices, strict=True)
    return expr.func(expr.base, *(old if isinstance(old, Symbol) else new for old, new in slots))


def plain(expr: Expr, lexicon: Lexicon) -> str:
    """An expression with 0-based indices, in one line of Unicode that counts from 1."""
    return Plain(lexicon).doprint(readable(expr, lexicon))
