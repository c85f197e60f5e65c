"""Finite selectors and their branches: the one form into which signs, cases and 0/1 choices are read.

A selector takes one of finitely many branches: a `Piecewise`, the sign of a number, an indicator 0**d, a known
0/1 number that weighs two terms inside a logarithm. A summand that holds one is Σ [branch] · (the summand
there), and a relation is an alternative for each branch. Here both are written out, in the user's symbols.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sympy import (
    Add,
    And,
    Basic,
    Dummy,
    Eq,
    Expr,
    Ge,
    Gt,
    Heaviside,
    Idx,
    Indexed,
    Le,
    Lt,
    Mul,
    Ne,
    Not,
    Or,
    Piecewise,
    Pow,
    Product,
    S,
    Sum,
    Symbol,
    log,
    sign,
)
from sympy.core.relational import Relational

from symem.errors import ModelError
from symem.language.leaves import labels_in
from symem.language.logarithm import expand_logs
from symem.language.plates import Iverson, LogIverson
from symem.language.symbol_names import stated_name

Branches = tuple[tuple[Expr, Any], ...]

_STEPS: Mapping[type[Expr], Callable[[Expr], Branches]] = {
    Heaviside: lambda x: ((S.One, x > 0), (S.Zero, x < 0), (S.Half, Eq(x, 0))),
    sign: lambda x: ((S.One, x > 0), (S.NegativeOne, x < 0), (S.Zero, Eq(x, 0))),
}


@dataclass
class Selectors:
    """The selectors of one expression, each with a letter that stands for its value.

    Args:
        binary: the names of data and known numbers that are 0 or 1.
    """

    binary: frozenset[str] = frozenset()
    found: dict[Dummy, Branches] = field(default_factory=dict)

    def lettered(self, expr: Any) -> Any:
        """An expression with a letter in the place of each selector."""
        if not isinstance(expr, Basic) or not expr.args:
            return expr
        if isinstance(expr, Piecewise):
            return self._letter(tuple((self.lettered(value), at) for value, at in expr.args))
        if type(expr) in _STEPS and not expr.args[0].is_number:
            return self._letter(_STEPS[type(expr)](self.lettered(expr.args[0])), exclusive=True)
        if isinstance(expr, Pow) and expr.base == 0:
            return self._letter(((S.One, Eq(expr.exp, 0)), (S.Zero, Ne(expr.exp, 0))), exclusive=True)
        if isinstance(expr, Indexed):
            return expr
        arguments = tuple(self.lettered(each) for each in expr.args)
        return expr if arguments == expr.args else expr.func(*arguments)

    def chosen(self, expr: Any) -> Any:
        """The same for 0/1 numbers, in sums of which a logarithm or a power is taken."""
        if not isinstance(expr, Basic) or not expr.args or isinstance(expr, (Indexed, Relational)):
            return expr
        rebuilt = [self.chosen(each) for each in expr.args]
        whole = isinstance(expr, Pow) and expr.exp.is_Integer and expr.exp.is_nonnegative
        if isinstance(expr, (log, Pow)) and isinstance(rebuilt[0], Add) and not whole:
            rules = {atom: self._binary(atom) for atom in sorted(_atoms(rebuilt[0], self.binary), key=str)}
            rebuilt[0] = rebuilt[0].xreplace(rules)
        return expr if tuple(rebuilt) == expr.args else expr.func(*rebuilt)

    def _binary(self, atom: Expr) -> Dummy:
        return self._letter(((S.One, Eq(atom, 1)), (S.Zero, Eq(atom, 0))), exclusive=True)

    def _letter(self, branches: Branches, *, exclusive: bool = False) -> Dummy:
        """The letter of a selector; of one whose conditions may hold together, the first that does decides."""
        if not exclusive:
            before = [
                S.true,
                *(Not(Or(*(at for _, at in branches[:place]))) for place in range(1, len(branches))),
            ]
            branches = tuple((value, and_(at, no)) for (value, at), no in zip(branches, before, strict=True))
        known = next((letter for letter, each in self.found.items() if each == branches), None)
        letter = known or Dummy(f"branch_{len(self.found)}")
        self.found[letter] = branches
        return letter

    # -- what a selector makes of a summand, and of a relation -----------------------------------------------

    def summed(self, expr: Expr) -> Expr:
        """Σ [branch] · (the expression there), summand by summand."""
        if not self._held(expr):
            return expr
        if isinstance(expr, Add):
            return Add(*map(self.summed, expr.args))
        if isinstance(expr, Sum):
            return Sum(self.summed(expr.function), *expr.limits)
        spread = [each for each in Mul.make_args(expr) if isinstance(each, (Sum, Add)) and self._held(each)]
        if isinstance(expr, Mul) and spread:
            first, others = spread[0], Mul(*(each for each in expr.args if each is not spread[0]))
            if isinstance(first, Sum):
                return self.summed(Sum(others * first.function, *first.limits))
            return Add(*(self.summed(others * part) for part in first.args))
        return Add(*(_placed(held, factors) for held, factors in self._cases(And(), Mul.make_args(expr))))

    def stated(self, relation: Any) -> Any:
        """A relation or a formula of them, each an alternative for every branch."""
        if isinstance(relation, Relational):
            sides = relation.args
            return Or(*(And(held, relation.func(*at)) for held, at in self._cases(And(), sides)))
        return relation.func(*map(self.stated, relation.args)) if relation.args else relation

    def _held(self, expr: Expr) -> list[Any]:
        return sorted(expr.free_symbols & set(self.found), key=lambda each: list(self.found).index(each))

    def _cases(self, held: Any, parts: tuple[Expr, ...]) -> Iterator[tuple[Any, tuple[Expr, ...]]]:
        """(condition, the parts there) for each combination of branches; conditions that contradict are left out."""
        letters = {letter for part in parts for letter in self._held(part)}
        if not letters:
            yield held, parts
            return
        first = min(letters, key=lambda each: list(self.found).index(each))
        for value, condition in self.found[first]:
            here = and_(held, self.stated(self.lettered(condition)))
            if here != False:  # noqa: E712 - a SymPy truth value
                yield from self._cases(here, tuple(part.xreplace({first: value}) for part in parts))


def _atoms(expr: Expr, names: frozenset[str]) -> set[Expr]:
    """The entries of arrays and the scalars of these names, but for those that a sum or a product runs over."""
    labels = labels_in(expr)
    inner = {limit[0] for each in expr.atoms(Sum, Product) for limit in each.limits}
    atoms = {
        each
        for each in expr.atoms(Indexed, Symbol)
        if each not in labels and not isinstance(each, (Dummy, Idx)) and not each.free_symbols & inner
    }
    return {each for each in atoms if stated_name(each) in names}


def _placed(held: Any, factors: tuple[Expr, ...]) -> Expr:
    """[held] times a product; where log 0 stands in it, it is a hard constraint unless it counts 0 times."""
    none = [each for each in factors if each.has(S.ComplexInfinity, S.NegativeInfinity)]
    if not none:
        return Iverson(held) * expand_logs(Mul(*factors))
    times = Mul(*(each for each in factors if each not in none))
    return LogIverson(Or(Not(held), _vanishes(times)))


def _vanishes(times: Expr) -> Any:
    """times = 0; of 1 - z as z = 1."""
    if times.is_number:
        return S.false
    number, rest = times.as_coeff_Add()
    scale, letter = rest.as_coeff_Mul()
    return Eq(letter, -number / scale) if isinstance(letter, (Indexed, Symbol)) else Eq(times, 0)


# formulas of relations -----------------------------------------------------------------------------------


def and_(*conditions: Any) -> Any:
    """A conjunction in which x = a makes x ≠ b needless and x = b false; bounds that leave nothing are false."""
    parts = [part for each in conditions for part in And.make_args(each)]
    equal: dict[Expr, Expr] = {}
    for part in parts:
        if isinstance(part, Eq) and part.rhs.is_number and equal.setdefault(part.lhs, part.rhs) != part.rhs:
            return S.false
    for part in parts:
        if isinstance(part, Ne) and part.rhs.is_number and equal.get(part.lhs) == part.rhs:
            return S.false
    if _is_empty(parts):
        return S.false
    needless = [p for p in parts if isinstance(p, Ne) and p.rhs.is_number and p.lhs in equal]
    return And(*(part for part in parts if part not in needless))


def _is_empty(parts: list[Any]) -> bool:
    """Whether bounds by numbers leave no interval."""
    above = [p for p in parts if isinstance(p, (Gt, Ge)) and p.rhs.is_number]
    below = [p for p in parts if isinstance(p, (Lt, Le)) and p.rhs.is_number]
    return any(
        low.lhs == high.lhs and (low.rhs > high.rhs or (low.rhs == high.rhs and isinstance(low, Gt)))
        for low in above
        for high in below
    )


def alternatives(relation: Any, is_latent: Callable[[Any], bool], binary: frozenset[str]) -> list[list[Any]]:
    """A formula of relations as conjunctions of which no two hold together: what is known of decides first.

    Raises:
        ModelError: it holds too many relations.
    """
    atoms = sorted(relation.atoms(Relational), key=lambda each: (is_latent(each), str(each)))
    if len(atoms) > MANY:
        raise ModelError(f"given=[{relation}] holds {len(atoms)} relations: write several, each of fewer.")
    return list(_decided(relation, atoms, [], binary))


#: How many relations a formula may hold.
MANY = 10


def _decided(relation: Any, atoms: list[Any], path: list[Any], binary: frozenset[str]) -> Iterator[list[Any]]:
    if relation in (True, False):
        if relation:
            yield path
        return
    first, *rest = atoms
    sides = [where_holds(relation, each, binary) for each in (first, Not(first))]
    if sides[0] == sides[1]:
        yield from _decided(sides[0], rest, path, binary)
        return
    for side, literal in zip(sides, (first, Not(first)), strict=True):
        told = and_(*path, plain(literal, binary))
        if told != False:  # noqa: E712 - a SymPy truth value
            yield from _decided(side, rest, list(And.make_args(told)), binary)


def where_holds(relation: Any, literal: Any, binary: frozenset[str] = frozenset()) -> Any:
    """A formula where a relation holds."""
    rules = {literal: S.true, Not(literal): S.false}
    told = plain(literal, binary)
    if isinstance(told, Eq) and told.rhs.is_number:
        for each in relation.atoms(Eq, Ne):
            if each.lhs == told.lhs and each.rhs.is_number:
                rules[each] = S(isinstance(each, Eq) == (each.rhs == told.rhs))
    return relation.xreplace(rules)


def plain(literal: Any, binary: frozenset[str]) -> Any:
    """Of a 0/1 number, x ≠ 0 as x = 1."""
    if isinstance(literal, Ne) and literal.rhs in (0, 1) and isinstance(literal.lhs, (Indexed, Symbol)):
        return Eq(literal.lhs, 1 - literal.rhs) if stated_name(literal.lhs) in binary else literal
    return literal
