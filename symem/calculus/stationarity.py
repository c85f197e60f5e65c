"""A block of the M-step on the way to its solution: the equations ∂Q/∂θ = 0, what is solved and what is open."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from sympy import Expr, Indexed, Symbol, oo

from symem.calculus.differentiate import Unknown, derivative, equation
from symem.calculus.separate import Term, gather, separate
from symem.derivation import Climbed
from symem.language.model import Variable
from symem.language.plates import reindex
from symem.language.support import Support
from symem.language.supports import Simplex

#: (the law's name, the root) of one equation in one unknown on its support, or None.
Isolate = Callable[[Expr, Expr, Support], tuple[str, Expr] | None]


@dataclass(frozen=True)
class Root:
    """A solved parameter: its value in statistics and earlier parameters, and the law that gave it.

    `nested` is the value with the earlier parameters standing in it. Only where it is `explicit` is it put into
    later equations; a solution of several equations at once stays a name there. What was `eliminated` from its own
    equation is solved after it. Where it is found as a number `within` a part of Q, the value is where that starts from.
    """

    unknown: Unknown
    value: Expr
    equation: Expr
    nested: Expr
    multiplier: tuple[Symbol, Expr] | None = None
    explicit: bool = True
    law: str = ""
    conditional: bool = False
    eliminated: tuple[Unknown, ...] = ()
    within: Climbed | None = None


@dataclass
class Stationarity:
    """The equations of parameters that meet in terms of Q; `isolate` solves one of them alone.

    Those that an end of their support may confine are `ended`, and `confine` solves them.
    """

    terms: tuple[Term, ...]
    pending: list[Unknown]
    supports: dict[Unknown, Variable]
    simplexes: tuple[tuple[Unknown, ...], ...]
    collapse: Callable[[Expr], Expr]
    isolate: Isolate
    confine: Isolate
    ended: frozenset[str] = frozenset()
    roots: list[Root] = field(default_factory=list)
    slopes: dict[Unknown, tuple[Term, ...]] = field(default_factory=dict)

    def accept(self, root: Root) -> None:
        """Take a root for solved."""
        self.roots.append(root)
        self.pending.remove(root.unknown)

    # -- equations -----------------------------------------------------------------------------------

    def slope(self, unknown: Unknown) -> tuple[Term, ...]:
        """∂Q/∂θ as terms."""
        if unknown not in self.slopes:
            self.slopes[unknown] = derivative(self.terms, unknown)
        return self.slopes[unknown]

    def raw(self, unknown: Unknown) -> Expr:
        """The equation with all parameters standing in it."""
        return equation(self.slope(unknown))

    def known(self, terms: Iterable[Term]) -> tuple[Term, ...]:
        """Terms with every parameter that was solved by itself at its value."""
        for root in reversed(self.roots):
            if root.explicit:
                terms = [part for term in terms for part in put_in(term, root.unknown, root.value)]
        return gather(terms)

    def put_into(self, whole: Expr) -> list[Unknown]:
        """The parameters that were solved by themselves and stand in an equation, or in what is put into it."""
        met: list[Root] = []
        for root in reversed(self.roots):
            if root.explicit and any(root.unknown.entries(e) for e in (whole, *(r.value for r in met))):
                met.append(root)
        return [root.unknown for root in reversed(met)]

    def reduced(self, terms: Iterable[Term]) -> Expr:
        """The equation with what is solved put in."""
        return self.collapse(equation(self.known(terms)))

    def alone(self, whole: Expr, unknown: Unknown) -> tuple[str, Expr] | None:
        """(law, value) of one equation solved for one unknown."""
        support = self.supports[unknown].support
        solve = self.confine if self.is_ended(unknown) and not isinstance(support, Simplex) else self.isolate
        return solve(whole, unknown.atom, support)

    def solution(self, whole: Expr, unknown: Unknown) -> Expr | None:
        """The value of one unknown by one equation."""
        found = self.alone(whole, unknown)
        return None if found is None else found[1]

    def own(self, unknown: Unknown) -> Expr | None:
        """The value of an unknown by its own equation, the other open ones standing in it."""
        return self.solution(self.reduced(self.slope(unknown)), unknown)

    # -- unknowns ------------------------------------------------------------------------------------

    @property
    def free(self) -> list[Unknown]:
        """The open unknowns that lie on no simplex."""
        return [unknown for unknown in self.pending if not self.constraint_of(unknown)]

    def constraint_of(self, unknown: Unknown) -> tuple[Unknown, ...] | None:
        """The unknowns that form a simplex with this one; alone, it runs over the cells itself."""
        if isinstance(self.supports[unknown].support, Simplex):
            return next((group for group in self.simplexes if unknown in group), (unknown,))
        return None

    def is_ended(self, unknown: Unknown) -> bool:
        """Whether an end of its support may confine an unknown."""
        return self.supports[unknown].name in self.ended

    def is_free(self, value: Expr, but: Sequence[Unknown] = ()) -> bool:
        """Whether no open unknown, but those, stands in a value."""
        return not any(unknown.entries(value) for unknown in self.pending if unknown not in but)

    def is_linear(self, unknown: Unknown) -> bool:
        """Whether a number may be anything and its own equation is linear in it."""
        if self.supports[unknown].support.bounds != (-oo, oo):
            return False
        return not any(unknown.entries(t.factor) for t in derivative(self.slope(unknown), unknown))


def put_in(term: Term, unknown: Unknown, value: Expr) -> list[Term]:
    """A term with an unknown at its value, wherever it stands."""
    factor = term.factor
    for entry in unknown.entries(factor):
        factor = factor.xreplace({entry: _moved(value, unknown, entry)})
    if factor == term.factor:
        return [term]
    return [Term(part.factor, part.axes + term.axes) for part in separate(factor)]


def _moved(value: Expr, unknown: Unknown, entry: Expr) -> Expr:
    """A value at generic indices, read at the indices of an entry."""
    if not isinstance(entry, Indexed):
        return value
    pairs = zip(unknown.atom.indices, entry.indices, strict=True)
    return reindex(value, {mine: yours for mine, yours in pairs if not mine.is_Integer})
