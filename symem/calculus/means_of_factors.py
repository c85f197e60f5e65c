"""The factors of a mean field: a family of the table, a table of probabilities, or a Dirichlet law, at each place of a latent.

A factor gives every function of its latent that stands in log p(x, z; θ) a letter for its mean, says what these means and the
entropy are in its arguments, and which arguments are best where the expected coefficients of those functions are known: log q*(u)
= E[log p(x, z; θ)] over the other factors, up to a constant, is of the same family (Wainwright & Jordan 2008, section 5.3).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sympy import Add, Expr, IndexedBase, Symbol

from symem.calculus.density import split_factor
from symem.calculus.fresh_names import Names
from symem.calculus.gathering import Conditional, atoms_of
from symem.calculus.refusals import told
from symem.calculus.separate import Term, separate
from symem.derivation import Definition, Factor
from symem.errors import NotDerivedError
from symem.language.leaves import places_of
from symem.language.model import Model, Role, Variable
from symem.language.plates import Axis, reindex
from symem.language.support import Support
from symem.language.supports import Reals


@dataclass(frozen=True)
class Letter:
    """The mean of a `function` of a latent, by a `symbol` over `axes`, and its `value` in the arguments of the factor."""

    function: Expr
    symbol: Expr
    axes: tuple[Axis, ...]
    value: Expr

    def at(self, places: Sequence[Expr]) -> Expr:
        return entry_at(self.symbol, places)


class Mean:
    """What all factors have: a latent at its places, letters for its means, arguments that are parameters."""

    family: str
    #: What its best arguments are read off, once they are asked for.
    beside: tuple[Definition, ...] = ()

    def __init__(self, model: Model, names: Names, conditional: Conditional) -> None:
        self.model, self.names, self.conditional = model, names, conditional
        self.latent, self.atom = conditional.variable, conditional.atom
        self.position = conditional.position
        self.places = tuple(axis.index for axis in self.position)

    @cached_property
    def arguments(self) -> dict[str, Expr]:
        """The arguments at the places of the latent, which are parameters from now on."""
        return {name: entry_at(each.symbol, self.places) for name, each in self._named.items()}

    @cached_property
    def _named(self) -> dict[str, Variable]:
        return {name: self._array(f"{name}_{self.latent.name}", s) for name, s in self._supports.items()}

    @property
    def variables(self) -> tuple[Variable, ...]:
        return tuple(self._named.values())

    @cached_property
    def letters(self) -> tuple[Letter, ...]:
        raise NotImplementedError

    @property
    def _supports(self) -> dict[str, Support]:
        raise NotImplementedError

    def _array(self, stem: str, support: Support, more: tuple[Expr, ...] = ()) -> Variable:
        name, sizes = self.names.fresh(stem), (*self.latent.sizes, *more)
        kind = IndexedBase if sizes else Symbol
        return Variable(name, kind(name, **support.assumptions), Role.PARAMETER, sizes, support, kind(name))

    def _letter(self, stem: str, function: Expr, value: Expr, more: tuple[Axis, ...] = ()) -> Letter:
        axes = (*self.position, *more)
        sign = "positive" if function.is_positive else "nonnegative" if function.is_nonnegative else "real"
        symbol = self.names.entry(stem, tuple(axis.index for axis in axes), **{sign: True})
        return Letter(function, symbol, axes, value)

    def letter_variables(self) -> Iterator[Variable]:
        """The letters as if they were parameters of Q."""
        for each in self.letters:
            base = getattr(each.symbol, "base", each.symbol)
            sizes = tuple(axis.size for axis in each.axes)
            yield Variable(str(base), base, Role.PARAMETER, sizes, Reals(), base)

    def means(self, term: Term) -> list[Term]:
        """The mean of a term over this factor, in letters.

        Raises:
            NotDerivedError: it is that of no function in the table.
        """
        atoms = atoms_of(term.factor, self.latent)
        if not atoms:
            return [term]
        return self._mean(term, atoms[0])

    def _mean(self, term: Term, atom: Expr) -> list[Term]:
        coefficient, function = split_factor(term.factor, atom)
        own = function.xreplace({atom: self.atom})
        for each in self.letters:
            if each.function == own:
                return [Term(coefficient * each.at(places_of(atom)), term.axes)]
        raise NotDerivedError(
            f"A factor for {self.latent.name} needs the mean of {told(self.model.declared(function))}, which is not in the table."
        )

    @property
    def natural(self) -> tuple[Expr, ...]:
        """The coefficients of the functions in log q, in the arguments."""
        raise NotImplementedError

    def partition(self) -> list[Term]:
        """What is left of -log q: the log-partition, summed over all places."""
        raise NotImplementedError

    def entropy(self) -> list[Term]:
        """H = A - Σ η E[T] of the factors at all places, in letters.

        What of log q and of log p is the same, as the factorial of a count, is left out of both.
        """
        pairs = zip(self.natural, self.letters, strict=True)
        linear = [Term(-eta * each.symbol, each.axes) for eta, each in pairs]
        return [
            Term(p.factor, p.axes + t.axes) for t in (*self.partition(), *linear) for p in separate(t.factor)
        ]

    def best(self, natural: Sequence[Expr]) -> dict[str, Expr]:
        """The arguments at which the free energy is largest, of the expected coefficients of the letters."""
        raise NotImplementedError

    def explicit(self, expr: Expr) -> Expr:
        """An expression with the letters at their values."""
        rules = {}
        for each in self.letters:
            base = getattr(each.symbol, "base", each.symbol)
            for entry in expr.atoms(type(each.symbol)):
                if getattr(entry, "base", entry) == base:
                    moved = dict(zip((a.index for a in each.axes), places_of(entry), strict=True))
                    rules[entry] = reindex(each.value, {a: b for a, b in moved.items() if a != b})
        return expr.xreplace(rules)

    def expected(self, natural: Sequence[Expr]) -> Expr:
        """E[log p(x, z; θ)] over the others as a function of the latent, of the expected coefficients."""
        return Add(*(eta * each.function for eta, each in zip(natural, self.letters, strict=True)))

    def log_law(self) -> Expr:
        """log q at a place, up to a constant."""
        raise NotImplementedError

    def record(self, natural: Sequence[Expr], **of_table: Any) -> Factor:
        """What is told of it."""
        return Factor(
            self.latent,
            self.atom,
            self.position,
            self.family,
            self.arguments,
            Add(*(term.expr for term in self.conditional.terms)),
            self.expected(natural),
            self.log_law(),
            tuple((each.function, each.value) for each in self.letters),
            **{"own": tuple(self.arguments.values()), **of_table},
        )


def entry_at(symbol: Any, places: Sequence[Expr]) -> Expr:
    base = getattr(symbol, "base", symbol)
    return base[tuple(places)] if places else base
