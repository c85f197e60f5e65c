"""The M-step: ∂Q/∂θ = 0, block by block, with multipliers for simplexes.

A block is a set of parameters that meet in terms of Q. Within it a parameter whose equation can be solved
without the others is solved first and put into the rest (a mean before its variance); equations that are
linear in several entries at once are solved together; what then remains has no closed form, and the outcome
says which parameters and which term stand in the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from math import prod

from sympy import Add, Expr, Indexed, Mul, Sum, Symbol, expand, oo

from symem.calculus.differentiate import Unknown, derivative, equation
from symem.calculus.fresh_names import Names
from symem.calculus.gathering import places_of
from symem.calculus.isolate import isolate, simplified
from symem.calculus.linear import coupled_over_axis, joint
from symem.calculus.separate import Term, gather, separate
from symem.calculus.unknowns import (
    cells_one_by_one,
    components,
    is_matrix_unknown,
    neighbouring,
    sides,
    unknowns_of,
)
from symem.derivation import Definition, NotDerived, Update
from symem.language.model import Variable
from symem.language.plates import reindex, total
from symem.language.supports import Simplex

MULTIPLIER = Symbol("lamda", real=True)
#: An update is written in earlier updates where putting them in makes it that many times longer.
LONG = 1.5
#: How a parameter must have been solved for its value to be put into later equations; a solution of several
#: equations at once stays a name there.
SUBSTITUTED = ("isolated", "multiplier")


@dataclass(frozen=True)
class Root:
    """A solved parameter: its value in statistics and earlier parameters, and how it was found."""

    unknown: Unknown
    value: Expr
    equation: Expr
    nested: Expr
    reason: str
    multiplier: tuple[Symbol, Expr] | None = None


@dataclass
class Block:
    """Parameters that meet in terms of Q, and their solution as far as it goes."""

    number: int
    terms: tuple[Term, ...]
    pending: list[Unknown]
    supports: dict[Unknown, Variable]
    simplexes: tuple[tuple[Unknown, ...], ...]
    collapse: Callable[[Expr], Expr]
    is_free_of_data: Callable[[Expr], bool] | None = None
    roots: list[Root] = field(default_factory=list)
    slopes: dict[Unknown, tuple[Term, ...]] = field(default_factory=dict)
    obstacle: str = ""

    def solve(self) -> None:
        """Solve until nothing more can be."""
        while self.pending and (
            self._one_alone()
            or self._simplex()
            or self._together()
            or self._by_elimination()
            or self._over_axis()
        ):
            pass
        self._conditionally()

    # -- substitution --------------------------------------------------------------------------------

    def _terms_of(self, unknown: Unknown) -> tuple[Term, ...]:
        if unknown not in self.slopes:
            self.slopes[unknown] = derivative(self.terms, unknown)
        return self.slopes[unknown]

    def _known(self, terms: Iterable[Term]) -> tuple[Term, ...]:
        """Terms with every parameter that was solved by itself at its value."""
        for root in reversed(self.roots):
            if root.reason in SUBSTITUTED:
                terms = [part for term in terms for part in _substituted(term, root)]
        return gather(terms)

    # -- ways to solve -------------------------------------------------------------------------------

    def _one_alone(self) -> bool:
        for unknown in self.pending:
            if self._constraint_of(unknown):
                continue
            raw = equation(self._terms_of(unknown))
            whole = self.collapse(equation(self._known(self._terms_of(unknown))))
            value = isolate(whole, unknown.atom, self.supports[unknown].support)
            if value is not None and self._is_free(value, unknown):
                value = self.collapse(value)
                nested = isolate(self.collapse(raw), unknown.atom, self.supports[unknown].support) or value
                simple = nested if self._is_clearer(nested, value) else value
                self._accept(Root(unknown, simple, raw, nested, "isolated"))
                return True
        return False

    def _is_clearer(self, nested: Expr, value: Expr) -> bool:
        """Whether an update reads better in earlier updates than with these put in."""
        alone = not any(root.unknown.entries(value) for root in self.roots)
        return bool(nested.count_ops() * (LONG if alone else 1) < value.count_ops())

    def _constraint_of(self, unknown: Unknown) -> tuple[Unknown, ...] | None:
        """The unknowns that form a simplex with this one; alone, it runs over the cells itself."""
        if isinstance(self.supports[unknown].support, Simplex):
            return next((group for group in self.simplexes if unknown in group), (unknown,))
        return None

    def _simplex(self) -> bool:
        """θ_k(λ) = g(λ) h_k, so θ_k = h_k / Σ h."""
        for unknown in self.pending:
            group = self._constraint_of(unknown)
            if group is None or not self._is_whole(group):
                continue
            raws = [equation(self._terms_of(member)) for member in group]
            shares = [self._share(raw, member) for raw, member in zip(raws, group, strict=True)]
            if None in shares or len({share[1] for share in shares if share}) != 1:
                continue
            whole = self._simplex_sum([share[0] for share in shares if share], group)
            for member, share, raw in zip(group, shares, raws, strict=True):
                assert share is not None
                value = simplified(share[0] / whole)
                self._accept(Root(member, value, raw - MULTIPLIER, value, "multiplier", (MULTIPLIER, whole)))
            return True
        return False

    def _is_whole(self, group: tuple[Unknown, ...]) -> bool:
        """Whether the group covers its simplex: all cells by name, or one index over all of them."""
        variable, support = self.supports[group[0]], self.supports[group[0]].support
        assert isinstance(support, Simplex)
        if not variable.sizes:
            return group in self.simplexes
        cells = places_of(group[0].atom)[-support.axes :]
        if any(cell.is_Integer for cell in cells):
            return bool(len(group) == prod(variable.sizes[-support.axes :]))
        return len(group) == 1

    def _share(self, raw: Expr, unknown: Unknown) -> tuple[Expr, Expr] | None:
        """(h, g) in θ = g(λ) h, where g is the same for all cells."""
        value = isolate(raw - MULTIPLIER, unknown.atom, self.supports[unknown].support)
        if value is None or not self._is_free(value, unknown):
            return None
        _, held = simplified(value).as_independent(MULTIPLIER, as_Add=False)
        share = simplified(value / held)
        if share.has(MULTIPLIER) or held.free_symbols != {MULTIPLIER}:
            return None
        return _expanded_share(share), held

    def _simplex_sum(self, shares: list[Expr], group: tuple[Unknown, ...]) -> Expr:
        if len(group) > 1 or not group[0].axes:
            return self.collapse(Add(*shares))
        support = self.supports[group[0]].support
        assert isinstance(support, Simplex)
        cells = group[0].axes[-support.axes :]
        parts = [total(part, cells) for part in Add.make_args(shares[0])]
        return self.collapse(Add(*(_folded(part) for part in parts)))

    def _together(self) -> bool:
        """A few entries at one position whose equations are jointly linear."""
        free = [u for u in self.pending if not self._constraint_of(u)]
        for size in range(2, min(len(free), 6) + 1):
            for group in neighbouring(free, size):
                raws = [equation(self._terms_of(unknown)) for unknown in group]
                wholes = [self.collapse(equation(self._known(self._terms_of(unknown)))) for unknown in group]
                values = joint(wholes, group, self.pending)
                if values:
                    for unknown, value, raw in zip(group, map(self.collapse, values), raws, strict=True):
                        self._accept(Root(unknown, value, raw, value, "jointly linear"))
                    return True
        return False

    def _over_axis(self) -> bool:
        for unknown in self.pending:
            if self._constraint_of(unknown):
                continue
            terms = self._known(self._terms_of(unknown))
            value = coupled_over_axis(terms, unknown, [u for u in self.pending if u != unknown])
            if value is not None:
                self._accept(Root(unknown, value, equation(self._terms_of(unknown)), value, "linear system"))
                return True
        return False

    def _by_elimination(self) -> bool:
        """A matrix whose equation can be solved when others are first put into it, the largest first."""
        for unknown in sorted(filter(is_matrix_unknown, self.pending), key=sides, reverse=True):
            value = self._with_others_eliminated(unknown)
            if value is not None:
                raw = equation(self._terms_of(unknown))
                self._accept(Root(unknown, self.collapse(value), raw, value, "jointly linear"))
                return True
        return False

    def _with_others_eliminated(self, unknown: Unknown) -> Expr | None:
        """The value of an unknown after those that stand in it were eliminated, each by its own equation."""
        waiting = [u for u in self.pending if u != unknown and (is_matrix_unknown(u) or self._is_linear(u))]
        value = self._isolated(self._terms_of(unknown), unknown)
        gone: list[Unknown] = []
        terms = self._terms_of(unknown)
        while value is not None and not self._is_free(value, unknown):
            other = next((u for u in waiting if u not in gone and u.entries(value)), None)
            inner = None if other is None else self._isolated(self._terms_of(other), other)
            if other is None or inner is None or any(u.entries(inner) for u in (other, *gone)):
                return None
            root = Root(other, inner, inner, inner, "isolated")
            terms = gather(part for term in terms for part in _substituted(term, root))
            gone.append(other)
            value = self._isolated(terms, unknown)
        return value

    def _is_linear(self, unknown: Unknown) -> bool:
        """Whether a number may be anything and its own equation is linear in it."""
        anything = self.supports[unknown].support.bounds == (-oo, oo)
        slopes = self._terms_of(unknown) if anything else ()
        return anything and not any(unknown.entries(t.factor) for t in derivative(slopes, unknown))

    def _isolated(self, terms: Iterable[Term], unknown: Unknown) -> Expr | None:
        whole = self.collapse(equation(self._known(terms)))
        return isolate(whole, unknown.atom, self.supports[unknown].support)

    def _conditionally(self) -> None:
        """Conditional maximisation (ECM): each of the rest given the others (Meng & Rubin 1993).

        An order counts only if every parameter that is left can be solved given the others.
        """
        found = []
        for unknown in self.pending:
            if self._constraint_of(unknown) or self.is_free_of_data is None:
                return
            raw = equation(self._terms_of(unknown))
            value = isolate(self.collapse(raw), unknown.atom, self.supports[unknown].support)
            if value is None or unknown.entries(value):
                return
            if not self.is_free_of_data(value):
                self.obstacle = f" Given the others it would be {value}, which no statistic gives: it needs all data again."
                return
            found.append(Root(unknown, self.collapse(value), raw, value, "conditional"))
        for root in found:
            self._accept(root)

    def _is_free(self, value: Expr, own: Unknown) -> bool:
        return not any(unknown.entries(value) for unknown in self.pending)

    def _accept(self, root: Root) -> None:
        self.roots.append(root)
        self.pending.remove(root.unknown)

    # -- outcome -------------------------------------------------------------------------------------

    def updates(self) -> list[Update]:
        return [
            Update(
                Definition(root.unknown.atom, root.unknown.axes, root.value),
                root.equation,
                root.nested,
                self.number,
                root.multiplier,
                root.reason,
                root.reason == "conditional",
            )
            for root in self.roots
        ]

    def not_derived(self) -> list[NotDerived]:
        if not self.pending:
            return []
        unknown = self.pending[0]
        whole = equation(self._terms_of(unknown))
        term = max(
            Add.make_args(whole),
            key=lambda part: (len(unknown.entries(part)) > 0, part.count_ops(), str(part)),
        )
        names = ", ".join(str(u.atom) for u in self.pending)
        reason = f"No closed form for {names}: in ∂Q/∂{unknown.atom} = 0 the term {term} cannot be isolated."
        reason += self.obstacle
        return [NotDerived(tuple(u.atom for u in self.pending), whole, term, reason)]


def solve_blocks(
    terms: tuple[Term, ...],
    parameters: Sequence[Variable],
    simplexes: Sequence[tuple[str, ...]],
    names: Names,
    collapse: Callable[[Expr], Expr] = lambda expr: expr,
    is_free_of_data: Callable[[Expr], bool] | None = None,
) -> list[Block]:
    """Solve ∂Q/∂θ = 0 for all parameters.

    Conditional maximisers (ECM) are taken where a block has no joint solution, if `is_free_of_data` says that they
    can be had from statistics; without it they are not.
    """
    unknowns = {unknown: v for v in parameters for unknown in unknowns_of(v, terms, names)}
    ties = [tuple(u for name in tie for u, v in unknowns.items() if v.name == name) for tie in simplexes]
    ties = [tie for tie, names_ in zip(ties, simplexes, strict=True) if len(tie) == len(names_)]
    groups = (*ties, *cells_one_by_one(unknowns))
    blocks = []
    for number, members in enumerate(components(terms, list(unknowns), groups)):
        own = tuple(t for t in terms if any(u.entries(t.factor) for u in members))
        block = Block(
            number, own, members, {u: unknowns[u] for u in members}, groups, collapse, is_free_of_data
        )
        block.solve()
        blocks.append(block)
    return blocks


def _substituted(term: Term, root: Root) -> list[Term]:
    factor = term.factor
    for entry in root.unknown.entries(factor):
        factor = factor.xreplace({entry: moved(root.value, root.unknown, entry)})
    if factor == term.factor:
        return [term]
    return [Term(part.factor, part.axes + term.axes) for part in separate(factor)]


def moved(value: Expr, unknown: Unknown, entry: Expr) -> Expr:
    """A value at generic indices, read at the indices of an entry."""
    if not isinstance(entry, Indexed):
        return value
    pairs = zip(unknown.atom.indices, entry.indices, strict=True)
    return reindex(value, {mine: yours for mine, yours in pairs if not mine.is_Integer})


def _expanded_share(share: Expr) -> Expr:
    return expand(share, deep=False) if isinstance(share, Mul) and share.has(Add) else share


def _folded(part: Expr) -> Expr:
    if isinstance(part, Sum) and not part.function.free_symbols & {limit[0] for limit in part.limits}:
        return Mul(part.function, *(limit[2] + 1 for limit in part.limits))
    return part
