"""The sign of a polynomial in letters with bounds: factors, squares, cases, and the worst ends of intervals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from sympy import Add, Expr, Mul, Pow, S, expand, factor, nan, zoo

from symem.algebra.squares import squares
from symem.budget import look

Bounds = tuple[tuple[Expr, ...], tuple[Expr, ...]]
#: How many letters a polynomial may hold for its sign to be searched for at the ends of their intervals.
MANY = 7


@dataclass
class Polynomial:
    """The sign of a polynomial in letters with bounds."""

    bounds: Mapping[Expr, Bounds]
    brackets: frozenset[Expr] = frozenset()
    slacks: frozenset[Expr] = frozenset()

    def sign(self, body: Expr) -> int | None:
        """The sign, a case for each value of a bracket; None also where a case divides by zero."""
        if body.has(nan, zoo):
            return None
        if body.is_number:
            return int(bool(body > 0)) - int(bool(body < 0))
        for bracket in sorted(self.brackets & body.free_symbols, key=str):
            return self._by_cases(body, bracket)
        whole = factor(body) if isinstance(body, (Add, Mul, Pow)) else body
        sign = 1
        for part in Mul.make_args(whole):
            found = self._factor(part)
            if found is None:
                return self._grouped(whole) if isinstance(whole, Add) else None
            sign *= found
        return sign

    def _by_cases(self, body: Expr, bracket: Expr) -> int | None:
        """The sign that both values of a bracket leave: as many cases as there are sets of brackets."""
        look()
        known = 0
        for value in (0, 1):
            sign = self.sign(expand(body.xreplace({bracket: S(value)})))
            if sign is None or sign * known < 0:
                return None
            known = known or sign
        return known

    def _factor(self, part: Expr, depth: int = 4) -> int | None:
        if part.is_number:
            return int(bool(part > 0)) - int(bool(part < 0))
        if isinstance(part, Pow):
            if part.exp.is_even:
                return 1
            base = self._factor(part.base, depth)
            return base if part.exp.is_Integer or base == 1 else None
        if isinstance(part, Add):
            return self._add(part, depth)
        if isinstance(part, Mul):
            return self._known(part, depth) if depth else None
        return self._letter(part, depth)

    def _letter(self, letter: Expr, depth: int) -> int | None:
        lower, upper = self.bounds.get(letter, ((), ()))
        if depth and any(self._known(low, depth) in (0, 1) for low in lower):
            return 1
        return -1 if depth and any(self._known(high, depth) in (0, -1) for high in upper) else None

    def _known(self, expr: Expr, depth: int) -> int | None:
        signs = {self._factor(part, depth - 1) for part in Mul.make_args(expr)}
        return (
            None
            if None in signs
            else 0
            if 0 in signs
            else 1
            if signs == {1}
            else self._multiplied(expr, depth)
        )

    def _multiplied(self, expr: Expr, depth: int) -> int:
        sign = 1
        for part in Mul.make_args(expr):
            sign *= self._factor(part, depth - 1) or 0
        return sign

    def _add(self, part: Expr, depth: int) -> int | None:
        found = {self._known(each, depth) for each in part.args} - {0}
        if len(found) == 1 and None not in found:
            return found.pop()
        return self._bounded(part, depth) or self._grouped(part) if depth else None

    def _bounded(self, part: Expr, depth: int) -> int | None:
        """f ≥ f at the bound of a letter in which it is linear and falls (or rises)."""
        if len(part.free_symbols) > MANY:
            return None
        for letter in sorted(part.free_symbols & set(self.bounds), key=str):
            slope = expand(part).coeff(letter)
            if slope == 0 or slope.has(letter) or expand(part - slope * letter).has(letter):
                continue
            direction = self._known(slope, depth)
            for wanted in (1, -1):
                ends = self.bounds[letter][0 if direction == wanted else 1] if direction else ()
                for end in ends:
                    rest = expand(part.xreplace({letter: end}))
                    if self._factor(factor(rest), depth - 1) in (0, wanted) if rest != 0 else True:
                        return wanted
        return None

    def _grouped(self, whole: Expr) -> int | None:
        """Squares and what is left beside them, or groups that share a slack, each of the same sign."""
        told = squares(expand(whole))
        parts = {self._known(part, 4) for part in Add.make_args(told)} - {0} if told.has(Pow) else set()
        if len(parts) == 1 and None not in parts:
            return parts.pop()
        groups: dict[frozenset[Expr], list[Expr]] = defaultdict(list)
        for part in Add.make_args(expand(whole)):
            groups[frozenset(part.free_symbols & self.slacks)].append(part)
        if len(groups) < 2:
            return None
        found = {
            Polynomial(self.bounds, self.brackets, self.slacks).sign(Add(*parts)) for parts in groups.values()
        } - {0}
        return found.pop() if len(found) == 1 else None
