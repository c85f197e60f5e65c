"""The value of a parameter where its equation holds, beside others that have theirs: what no formula gives."""

from __future__ import annotations

from typing import Any

from sympy import Add, Expr


class WhereVanishing(Expr):  # type: ignore[misc]
    """The u at which an expression in it vanishes: args (u, the expression), over numbers or vectors."""

    def __new__(cls, parameter: Expr, equation: Expr) -> Expr:
        made: Expr = Expr.__new__(cls, parameter, equation)
        return made

    @property
    def is_commutative(self) -> bool:
        return bool(self.args[0].is_commutative)

    @property
    def dimensions(self) -> tuple[Expr, Expr]:
        """Rows and columns, where the parameter is a vector."""
        found: tuple[Expr, Expr] = self.args[0].dimensions
        return found

    @property
    def sides(self) -> tuple[Expr, Expr]:
        """The terms that hold the parameter, and less the others: they are equal."""
        parameter, equation = self.args
        terms = Add.make_args(equation)
        moving = Add(*(term for term in terms if term.has(parameter)))
        rest = Add(*(-term for term in terms if not term.has(parameter)))
        return (-moving, -rest) if moving.could_extract_minus_sign() else (moving, rest)

    #: How it is written.
    operator = latex_operator = "root"

    def _sympystr(self, printer: Any) -> str:
        parameter, equation = map(printer.doprint, self.args)
        return f"{self.operator}({parameter}: {equation})"

    def _latex(self, printer: Any) -> str:
        parameter, equation = map(printer.doprint, self.args)
        return rf"\operatorname*{{{self.latex_operator}}}_{{{parameter}}} \left[{equation}\right]"


class OneStepTowards(WhereVanishing):
    """Where one step of Newton's method from the old u leads, towards where the expression vanishes."""

    operator, latex_operator = "step", r"Newton\ step"
