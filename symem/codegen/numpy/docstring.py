"""A derivation in plain text, as the docstring of the module that runs it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from sympy import Add, Expr, Sum
from sympy.printing.str import StrPrinter

from symem.derivation import Definition, Derivation
from symem.language.plates import LinearSolution


class _Plain(StrPrinter):  # type: ignore[misc]
    """Formulas as they are typed in a comment: sum_{i} gamma_z[i, k]*x[i], [z = 1], log Gamma(a)."""

    def _print_Sum(self, expr: Sum) -> str:
        indices = ", ".join(str(limit[0]) for limit in reversed(expr.limits))
        body = self._print(expr.function)
        return f"sum_{{{indices}}}({body})" if isinstance(expr.function, Add) else f"sum_{{{indices}}} {body}"

    def _print_Mul(self, expr: Expr) -> str:
        """Sums last, so that what stands behind the sign is summed."""
        sums = [factor for factor in expr.args if isinstance(factor, Sum)]
        if not sums:
            return str(super()._print_Mul(expr))
        rest = expr.func(*(factor for factor in expr.args if factor not in sums))
        shown = "-" if rest == -1 else "" if rest == 1 else f"{self.parenthesize(rest, 50)}*"
        return shown + "*".join(f"({self._print(each)})" for each in sums)

    def _print_Iverson(self, expr: Expr) -> str:
        return f"[{self._print(expr.args[0])}]"

    def _print_LogIverson(self, expr: Expr) -> str:
        return f"log[{self._print(expr.args[0])}]"

    def _print_loggamma(self, expr: Expr) -> str:
        return f"log Gamma({self._print(expr.args[0])})"

    def _print_polygamma(self, expr: Expr) -> str:
        name = "digamma" if expr.args[0] == 0 else f"polygamma_{expr.args[0]}"
        return f"{name}({self._print(expr.args[1])})"

    def _print_BlockInverse(self, expr: Expr) -> str:
        matrix, mask = map(self._print, expr.args[:2])
        return f"inverse({matrix} where {mask} = 0)"

    def _print_BlockLogDet(self, expr: Expr) -> str:
        matrix, mask = map(self._print, expr.args[:2])
        return f"logdet({matrix} where {mask} = 0)"

    def _print_LinearSolution(self, expr: LinearSolution) -> str:
        component, row, column, matrix, vector, _size = map(self._print, expr.args)
        return (
            f"b[{component}] that solves sum_{{{column}}} ({matrix})*b[{column}] = {vector} for every {row}"
        )


def docstring(derivation: Derivation, notes: Sequence[str] = ()) -> str:
    """The model, the posteriors, the statistics, the updates and the likelihood, a line each; then notes."""
    updates = [update.definition for update in derivation.updates]
    parts = [
        ("Complete-data log-likelihood", [_plain(term) for term in Add.make_args(derivation.complete)]),
        ("E-step, at the current parameters", _equations(derivation.definitions)),
        ("Expected sufficient statistics", _equations(derivation.surrogate.statistics)),
        ("M-step", _equations(updates)),
        ("Log-likelihood of the observed data", [_plain(derivation.log_likelihood)]),
    ]
    if derivation.model.log_prior != 0:
        parts.append(("Log-prior", [_plain(derivation.model.log_prior)]))
    if notes:
        parts.append(("Digits", list(notes)))
    blocks = [f"{title}:\n\n{_lines(title, lines)}" for title, lines in parts]
    text = "\n\n".join(["An EM algorithm, derived by symem. Indices count from 0.", *blocks])
    return text.replace("\\", "\\\\").replace('"""', "'''")


def _lines(title: str, lines: Iterable[str]) -> str:
    joint = (
        [lines_ if k == 0 else f"+ {lines_}" for k, lines_ in enumerate(lines)]
        if title.startswith("Complete")
        else lines
    )
    return "\n".join(
        textwrap.fill(line, 100, initial_indent="    ", subsequent_indent=" " * 8, break_long_words=False)
        for line in joint
    )


def _equations(definitions: Iterable[Definition]) -> list[str]:
    return [f"{_plain(each.symbol)} = {_plain(each.value)}" for each in definitions]


def _plain(expr: Expr) -> str:
    return str(_Plain().doprint(expr))
