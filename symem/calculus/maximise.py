"""The M-step: ∂Q/∂θ = 0, block by block, with multipliers for simplexes.

A block is a set of parameters that meet in terms of Q. Within it a parameter whose equation can be solved
without the others is solved first and put into the rest (a mean before its variance); then come the laws that
solve several equations together. What remains has no closed form, and the outcome says which parameters and
which term stand in the way. The laws are the rows of `maximisers`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sympy import Add, Expr

from symem.algebra.squares import as_squares
from symem.budget import look
from symem.calculus.concave import ascents
from symem.calculus.curvature import Sign
from symem.calculus.differentiate import Unknown
from symem.calculus.falling import falling_root_given_the_others
from symem.calculus.fresh_names import Names
from symem.calculus.maximisers import TOGETHER, confine, isolate
from symem.calculus.separate import Term
from symem.calculus.stationarity import Root, Stationarity
from symem.calculus.unknowns import cells_one_by_one, components, in_order, unknowns_of
from symem.derivation import Ascent, Closed, Conditional, Definition, NotDerived, Shares, Update
from symem.language.falling_root import FallingRoot
from symem.language.model import Variable

#: An update is written in earlier updates where putting them in makes it that many times longer.
LONG = 1.5


@dataclass(frozen=True)
class Constants:
    """What is known of what stands beside the parameters in Q.

    Args:
        collapse: writes sums over it in fewer statistics.
        is_free_of_data: whether it can be had from statistics; conditional maximisers (ECM) are taken where a block has no
            joint solution, if this says that they can. Without it they are not.
        sign: its sign; with it, blocks in which Q is concave are left to Newton's method.
        numeric: whether roots without a formula and those blocks count as solved.
        one_step: whether one of Newton's steps counts as a solution of those blocks, before roots as numbers do.
    """

    collapse: Callable[[Expr], Expr] = lambda expr: expr
    is_free_of_data: Callable[[Expr], bool] | None = None
    sign: Sign | None = None
    numeric: bool = True
    one_step: bool = False


@dataclass
class Block:
    """Parameters that meet in terms of Q, and their solution as far as it goes."""

    number: int
    problem: Stationarity
    names: Names
    constants: Constants
    again: Expr | None = None

    def solve(self) -> None:
        """Solve until nothing more can be, then each of the rest given the others."""
        exact = self.constants.numeric and not self.constants.one_step
        self._accept_all(numeric=exact)
        if self.constants.one_step:
            for root in [] if self._conditionally(numeric=False) else self._ascents(only_concave=False):
                self.problem.accept(root)
            self._accept_all(numeric=True)
        in_turn = self._conditionally(numeric=self.constants.numeric)
        if not in_turn or any(root.value.has(FallingRoot) for root in in_turn):
            in_turn = self._ascents(only_concave=bool(in_turn)) or in_turn
        for root in in_turn:
            self.problem.accept(root)

    def _accept_all(self, *, numeric: bool) -> None:
        while found := _next(self.problem, numeric=numeric):
            for root in found:
                self.problem.accept(root)

    def _conditionally(self, *, numeric: bool) -> list[Root]:
        """Conditional maximisation (ECM): each of the rest given the others (Meng & Rubin 1993), also as a number if `numeric`.

        An order counts only if every parameter that is left can be solved given the others.
        """
        found = []
        for unknown in self.problem.pending:
            look()
            if self.problem.constraint_of(unknown) or self.constants.is_free_of_data is None:
                return []
            root = self._given_the_others(unknown, numeric=numeric)
            if root is None:
                return []
            if not self.constants.is_free_of_data(root.nested):
                self.again = root.nested
                return []
            found.append(root)
        return found

    def _ascents(self, *, only_concave: bool) -> list[Root]:
        """What is left to Newton's method."""
        sign, of_statistics = self.constants.sign, self.constants.is_free_of_data
        if sign is None or of_statistics is None or not self.constants.numeric or not self.problem.pending:
            return []
        one_step = self.constants.one_step
        found = ascents(self.problem, self.names, sign, of_statistics, one_step=one_step)
        plain = found and found[0].within is not None and not found[0].within.concave
        return [] if only_concave and plain else found

    def _given_the_others(self, unknown: Unknown, *, numeric: bool) -> Root | None:
        found = _formula_given_the_others(unknown, self.problem)
        if found is None and numeric:
            return falling_root_given_the_others(unknown, self.problem)
        return found

    # -- outcome -------------------------------------------------------------------------------------

    def updates(self) -> list[Update]:
        return [_update(root, self.number) for root in self.problem.roots]

    def not_derived(self) -> list[NotDerived]:
        pending = self.problem.pending
        if not pending:
            return []
        numeric = self.constants.numeric
        stuck = [u for u in pending if self._given_the_others(u, numeric=numeric) is None] or pending
        unknown = stuck[0]
        whole = self.problem.reduced(self.problem.slope(unknown))
        term = max(
            Add.make_args(whole),
            key=lambda part: (len(unknown.entries(part)) > 0, part.count_ops(), str(part)),
        )
        waiting = [u for u in pending if u not in stuck]
        atoms = tuple(u.atom for u in (*stuck, *waiting))
        again = None if waiting else self.again
        put_in = tuple(u.atom for u in self.problem.put_into(self.problem.raw(unknown)))
        return [NotDerived(atoms, whole, term, waiting=atoms[len(stuck) :], again=again, put_in=put_in)]


def _update(root: Root, block: int) -> Update:
    found: dict[str, Any] = {
        "definition": Definition(root.unknown.atom, root.unknown.axes, as_squares(root.value)),
        "equation": root.equation,
        "nested": as_squares(root.nested),
        "block": block,
        "law": root.law,
        "eliminated": tuple(unknown.atom for unknown in root.eliminated),
    }
    if root.multiplier is not None:
        return Shares(**found, multiplier=root.multiplier)
    if root.within is not None:
        return Ascent(**found, within=root.within)
    return Conditional(**found) if root.conditional else Closed(**found)


def _next(problem: Stationarity, *, numeric: bool) -> list[Root]:
    """What can be solved next: one unknown by itself, or else several by the first law that has them."""
    alone = next(filter(None, (_alone(unknown, problem) for unknown in problem.free)), None)
    if alone:
        return [alone]
    found = ((law.name, law.solve(problem)) for law in TOGETHER if numeric or not law.numeric)
    return next(([replace(root, law=name) for root in solved] for name, solved in found if solved), [])


def _alone(unknown: Unknown, problem: Stationarity) -> Root | None:
    """An unknown from its own equation, the earlier ones put in, or in terms of these where that is clearer."""
    raw = problem.raw(unknown)
    ways = (problem.reduced(problem.slope(unknown)), problem.collapse(raw))
    tried = (problem.alone(each, unknown) for each in ways)
    found = next((each for each in tried if each is not None and problem.is_free(each[1])), None)
    if found is None:
        return None
    law, value = found[0], problem.collapse(found[1])
    nested_law, nested = problem.alone(problem.collapse(raw), unknown) or (law, value)
    if problem.is_ended(unknown):
        return Root(unknown, value, raw, nested, explicit=False, law=law)
    nested, value = as_squares(nested), as_squares(value)
    if _is_clearer(nested, value, problem):
        return Root(unknown, nested, raw, nested, law=nested_law)
    return Root(unknown, value, raw, nested, law=law)


def _is_clearer(nested: Expr, value: Expr, problem: Stationarity) -> bool:
    """Whether an update reads better in earlier updates than with these put in."""
    alone = not any(root.unknown.entries(value) for root in problem.roots)
    return bool(nested.count_ops() * (LONG if alone else 1) < value.count_ops())


def _formula_given_the_others(unknown: Unknown, problem: Stationarity) -> Root | None:
    raw = problem.raw(unknown)
    found = problem.alone(problem.collapse(raw), unknown)
    if found is None or unknown.entries(found[1]):
        return None
    law, value = found
    return Root(unknown, problem.collapse(value), raw, value, law=law, conditional=True)


def solve_blocks(
    terms: tuple[Term, ...],
    parameters: Sequence[Variable],
    simplexes: Sequence[tuple[str, ...]],
    names: Names,
    constants: Constants = Constants(),
    ended: frozenset[str] = frozenset(),
) -> list[Block]:
    """Solve ∂Q/∂θ = 0 for all parameters.

    Of the parameters that are `ended` the maximum over the support is taken, with its ends.
    """
    unknowns = {unknown: v for v in parameters for unknown in unknowns_of(v, terms, names)}
    ties = [tuple(u for name in tie for u, v in unknowns.items() if v.name == name) for tie in simplexes]
    ties = [tie for tie, names_ in zip(ties, simplexes, strict=True) if len(tie) == len(names_)]
    groups = (*ties, *cells_one_by_one(unknowns))
    blocks = []
    for number, members in enumerate(components(terms, list(unknowns), groups)):
        own = tuple(t for t in terms if any(u.entries(t.factor) for u in members))
        supports = in_order({u: unknowns[u] for u in members})
        problem = Stationarity(
            own, list(supports), supports, groups, constants.collapse, isolate, confine, ended
        )
        block = Block(number, problem, names, constants)
        block.solve()
        blocks.append(block)
    return blocks
