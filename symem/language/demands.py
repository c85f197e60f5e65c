"""What the places of symbols in distributions demand of them: a scale is positive, weights lie on a simplex."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sympy import Add, Expr, Indexed, Mul, Piecewise, Pow, Product, Sum, Symbol, Tuple, fraction

from symem.errors import NormalisationError, SupportError
from symem.language.categories import told_sum
from symem.language.declarations import Declaration
from symem.language.intervals import INTERVALS, interval, meet
from symem.language.matrices import Diagonal, MatrixEntry, is_matrix
from symem.language.matrix_supports import PositiveDefinite
from symem.language.support import Support
from symem.language.supports import (
    Circle,
    Interval,
    NonNegative,
    Positive,
    Reals,
    Simplex,
    UnitInterval,
)
from symem.language.symbol_names import names_in, stated_name
from symem.language.variables import Role

_TOLERANCE = 1e-9


def spread(expr: Expr, support: Support) -> Iterator[tuple[str, Support]]:
    """What a demand on an expression means for the symbols in it.

    Of one symbol and numbers, 1 - p/4, an interval is solved for the symbol; a share a/(a + b) is one if its parts are positive. Else
    a product is positive if its factors are; what an angle is made of may be anything; inside exp or log nothing is asked. These are sufficient
    conditions; `parameters=` overrides them.
    """
    if isinstance(support, PositiveDefinite):
        yield from _spread_definite(expr)
    elif isinstance(support, Positive | UnitInterval) and (solved := _solved(expr, support)):
        yield from solved
    elif isinstance(expr, (Symbol, Indexed)):
        yield stated_name(expr), support
    elif isinstance(support, Circle):
        yield from spread(expr, Reals())
    elif isinstance(expr, (Add, Mul)):
        for argument in expr.args:
            yield from spread(argument, support)
    elif isinstance(expr, (Pow, Sum, Product, Piecewise)):
        inside = [value for value, _ in expr.args] if isinstance(expr, Piecewise) else expr.args[:1]
        for part in inside:
            yield from spread(part, support)


def _solved(expr: Expr, support: Support) -> list[tuple[str, Support]]:
    """Where the symbol of a multiple of it plus a number must lie, and those in a share; nothing of any other expression."""
    above, below = fraction(expr)
    if isinstance(support, UnitInterval) and isinstance(below, Add) and above in below.args:
        return [pair for part in below.args for pair in spread(part, Positive())]
    offset, part = expr.as_coeff_Add()
    slope, atom = part.as_coeff_Mul()
    if not isinstance(atom, (Symbol, Indexed)) or expr == atom:
        return []
    return [(stated_name(atom), interval(*sorted((end - offset) / slope for end in support.bounds)))]


def _spread_definite(expr: Expr) -> Iterator[tuple[str, Support]]:
    """A sum is positive definite if its summands are, A P Aᵀ if P is; c I if c is positive."""
    if not is_matrix(expr):
        yield from spread(expr, Positive())
    elif isinstance(expr, MatrixEntry):
        yield stated_name(expr), PositiveDefinite()
    elif isinstance(expr, Diagonal):
        yield from spread(expr.args[0], Positive())
    elif isinstance(expr, Add):
        for argument in expr.args:
            yield from _spread_definite(argument)
    elif isinstance(expr, (Pow, Sum)):
        yield from _spread_definite(expr.args[0])
    elif isinstance(expr, Mul):
        commuting, word = expr.args_cnc()
        yield from spread(Mul(*commuting), Positive())
        if len(word) % 2:
            yield from _spread_definite(word[len(word) // 2])


def narrower(one: Support | None, other: Support) -> Support:
    """What two demands on one symbol leave: of two intervals what they share, else the smaller set."""
    if one is None:
        return other
    if isinstance(one, INTERVALS) and isinstance(other, INTERVALS):
        return meet(one, other)
    return other if other.narrowness > one.narrowness else one


class Demands:
    """The supports and simplexes that the declarations of a model ask for, gathered one after another."""

    def __init__(
        self,
        roles: Mapping[str, Role],
        supports: Mapping[str, Support],
        simplexes: tuple[tuple[str, ...], ...],
    ) -> None:
        self.roles = roles
        self.supports = dict(supports)
        self.simplexes = list(simplexes)
        self._strict: set[str] = set()

    def take(self, declaration: Declaration) -> None:
        """What the arguments of one declaration ask of the symbols in them.

        Raises:
            SupportError: an argument is a number outside the set it must lie in.
            NormalisationError: probabilities do not sum to one.
        """
        for expr, support in declaration.requirements():
            if isinstance(expr, Tuple):
                self._take_simplex(tuple(expr), declaration)
            elif expr.is_number:
                _check_number(expr, support, declaration)
            elif not isinstance(support, Simplex) or isinstance(expr, Indexed):
                self._take(expr, support, declaration)

    def _take(self, expr: Expr, support: Support, declaration: Declaration) -> None:
        for name, wanted in spread(expr, support):
            if self.roles.get(name, Role.KNOWN) is Role.KNOWN:
                self.supports[name] = narrower(self.supports.get(name), wanted)
                _refuse_empty(name, self.supports[name], expr, support)
                if not declaration.distribution.family.closed:
                    self._strict.add(name)

    def demanded_of_known(self) -> dict[str, Support]:
        """What is asked of known numbers, with the ends at which a law is that of a point: a Poisson mean may be 0."""
        known = (name for name, role in self.roles.items() if role is Role.KNOWN and name in self.supports)
        ends = {Positive(): NonNegative(), UnitInterval(): Interval(0, 1)}
        closed = {name for name in known if name not in self._strict}
        return {n: ends[self.supports[n]] for n in closed if self.supports[n] in ends}

    def _take_simplex(self, entries: tuple[Expr, ...], declaration: Declaration) -> None:
        """Plain symbols form a simplex; other entries must sum to one where the declared simplexes do."""
        for entry in entries:
            if entry.is_number:
                _check_number(entry, UnitInterval(), declaration)
        names = tuple(stated_name(entry) for entry in entries if isinstance(entry, Symbol))
        fresh = not any(name in self.supports or name in self.roles for name in names)
        if len(names) == len(entries) and len(set(names)) == len(names) and fresh:
            self.simplexes.append(names)
            self.supports |= {name: Simplex() for name in names}
        else:
            self._check_sum(entries)

    def _check_sum(self, entries: tuple[Expr, ...]) -> None:
        rest = told_sum(self._on_simplexes(Add(*entries)) - 1)
        off = abs(float(rest)) > _TOLERANCE if rest.is_number else not self._all_known(rest)
        if off:
            raise NormalisationError(
                f"The probabilities {entries} sum to {Add(*entries)}, not to 1: write the last as 1 - …, or declare the "
                f"simplex, parameters={{(p, q, r): Simplex()}}."
            )

    def _all_known(self, expr: Expr) -> bool:
        return all(self.roles.get(name) is Role.KNOWN for name in names_in(expr))

    def _on_simplexes(self, whole: Expr) -> Expr:
        """Write the last member of each simplex as one minus the others."""
        scalars = {str(symbol): symbol for symbol in whole.free_symbols if isinstance(symbol, Symbol)}
        for names in self.simplexes:
            if all(name in scalars for name in names):
                *others, last = (scalars[name] for name in names)
                whole = whole.subs(last, 1 - Add(*others))
        for base in sorted({entry.base for entry in whole.atoms(Indexed)}, key=str):
            if isinstance(self.supports.get(stated_name(base)), Simplex):
                *rest, end = sorted((e for e in whole.atoms(Indexed) if e.base == base), key=str)
                whole = whole.subs(end, 1 - Add(*rest))
        return whole


def _refuse_empty(name: str, left: Support, expr: Expr, support: Support) -> None:
    if isinstance(left, INTERVALS) and left.bounds[0] >= left.bounds[1]:
        raise SupportError(
            f"No value of {name} fits all the places where it stands: {expr} must be in {support}, which rules out what "
            f"the others ask."
        )


def _check_number(number: Expr, support: Support, declaration: Declaration) -> None:
    if not support.admits(number):
        raise SupportError(
            f"{declaration.variable}: {declaration.distribution} — {number} must lie in {support}."
        )
