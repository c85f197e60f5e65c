"""What is known of an entry of Q: bounds of data, parameters, shares and posterior means, and these as letters.

Of means the rules know E[u²] ≥ E[u]² (Jensen), and where they lie.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sympy import Abs, Dummy, Eq, Expr, Function, Indexed, Min, Ne, Pow, S, Sum, Symbol, atan2, log, oo, pi

from symem.calculus.along import scalars_of_matrices
from symem.calculus.inequalities import Bounds, Polynomial
from symem.calculus.probes import is_nonnegative
from symem.derivation import Definition, Derivation, Posterior, Probabilities, Table
from symem.language.leaves import array_of, places_of
from symem.language.model import Variable
from symem.language.plates import Iverson, reindex
from symem.language.support_ends import ends_of, indices_of


class EntryBounds:
    """Bounds of the entries of one derivation.

    `unit` names data without a declared support that are taken to lie in [0, 1].
    """

    def __init__(self, derivation: Derivation, unit: frozenset[str] = frozenset()) -> None:
        self._model, self._unit = derivation.model, unit
        self._variables: dict[Expr, Variable] = {v.symbol: v for v in self._model.variables.values()}
        self.shares = {
            array_of(p.probability.symbol): p for p in derivation.posteriors if isinstance(p, Probabilities)
        }
        self.moments = {array_of(d.symbol): (p, d) for p in derivation.posteriors for d in p.moments}
        self._reach = {
            p.outcome.index: p.extent.value - 1
            for p in derivation.posteriors
            if isinstance(p, Table) and p.extent
        }

    def bounds(self, atom: Expr) -> Bounds:
        """Lower and upper bounds of an entry, an index or a whole function value."""
        base = array_of(atom)
        if base in self.shares or isinstance(atom, Iverson):
            return (S.Zero,), (S.One,)
        if base in self._variables:
            return self._support(atom, self._variables[base])
        if isinstance(atom, Min):
            return (), tuple(atom.args)
        if isinstance(atom, atan2):
            return (-pi,), (pi,)
        if isinstance(atom, log):
            return self._log(atom)
        if self.means(atom):
            return self._mean(atom)
        if base in self._reach:
            return (S.Zero,), (self._reach[base],)
        return ((S.Zero,) if atom.is_nonnegative or isinstance(atom, Abs) else ()), ()

    def _support(self, atom: Expr, variable: Variable) -> Bounds:
        if variable.name in self._unit:
            return (S.Zero,), (S.One,)
        rules = dict(zip(indices_of(variable, self._model), places_of(atom), strict=False))
        low, high = (end.xreplace(rules) for end in ends_of(variable, self._model))
        return (() if low == -oo else (low,)), (() if high == oo else (high,))

    def _log(self, atom: Expr) -> Bounds:
        inner = atom.args[0]
        lower, upper = self.bounds(inner) if inner.is_Atom or isinstance(inner, Indexed) else ((), ())
        return tuple(log(e) for e in lower if e.is_positive), tuple(log(e) for e in upper if e.is_positive)

    def _mean(self, atom: Expr) -> Bounds:
        posterior, statistic, _places = self.mean_of(atom)
        low, _high = posterior.interval
        square = isinstance(statistic, Pow) and statistic.exp.is_even
        monotone = statistic == posterior.atom or isinstance(statistic, Pow)
        return ((S.Zero,) if square or (monotone and low.is_nonnegative) else ()), ()

    def means(self, atom: Expr) -> tuple[Expr, ...]:
        return (atom,) if array_of(atom) in self.moments else ()

    def mean_of(self, atom: Expr) -> tuple[Posterior, Expr, dict[Expr, Expr]]:
        """The posterior, the function whose mean an entry is, and where the entry stands."""
        posterior, definition = self.moments[array_of(atom)]
        statistic = next(s for s, symbol in posterior.expectations.items() if symbol == definition.symbol)
        return posterior, statistic, _places(definition, atom)

    def entry_of(self, posterior: Posterior, statistic: Expr, places: dict[Expr, Expr]) -> Expr | None:
        """The named mean of another function of the same latent, at the same place."""
        symbol = posterior.expectations.get(statistic)
        return None if symbol is None else reindex(symbol, places)


@dataclass
class Letters:
    """Entries as letters with lower and upper bounds in other letters."""

    entries: EntryBounds
    letters: dict[Expr, Expr] = field(default_factory=dict)
    bounds: dict[Expr, Bounds] = field(default_factory=dict)
    slacks: set[Expr] = field(default_factory=set)

    def of(self, expr: Expr) -> Expr:
        """An expression in letters, posterior means being written by what bounds them."""
        expr = expr.xreplace({scalar: self._scalar(scalar) for scalar in scalars_of_matrices(expr)})
        held = [a for a in expr.atoms(Indexed, Symbol, Function, Sum) if not isinstance(a, Dummy)]
        inner = {
            b
            for a in held
            if not isinstance(a, Symbol)
            for b in a.atoms(Indexed, Symbol, Function, Sum)
            if b != a
        }
        rules = {a: self._letter(a) for a in held if a not in inner}
        direct = {s for s in expr.free_symbols if s in inner and expr.xreplace(rules).has(s)}
        return expr.xreplace(rules | {s: self._letter(s) for s in direct})

    def _scalar(self, scalar: Expr) -> Expr:
        """A form or a trace as a letter, not negative where it is a square by its form."""
        if scalar not in self.letters:
            letter = Dummy(str(scalar), real=True)
            self.letters[scalar] = letter
            self.bounds[letter] = ((S.Zero,) if is_nonnegative(scalar) else ()), ()
        return self.letters[scalar]

    def _letter(self, atom: Expr) -> Expr:
        if atom not in self.letters:
            if isinstance(atom, Iverson) and isinstance(atom.args[0], Ne):
                self.letters[atom] = 1 - self._letter(Iverson(Eq(*atom.args[0].args)))
            else:
                self.letters[atom] = (
                    self._mean(atom) if atom in self.entries.means(atom) else self._bounded(atom)
                )
        return self.letters[atom]

    def polynomial(self) -> Polynomial:
        """The rules for polynomials in these letters."""
        held = (letter for atom, letter in self.letters.items() if isinstance(atom, Iverson))
        brackets = frozenset(letter for letter in held if letter.is_Symbol)
        return Polynomial(self.bounds, brackets, frozenset(self.slacks))

    def _bounded(self, atom: Expr) -> Expr:
        letter = Dummy(str(atom), real=True)
        self.letters[atom] = letter
        lower, upper = self.entries.bounds(atom)
        self.bounds[letter] = tuple(self.of(e) for e in lower), tuple(self.of(e) for e in upper)
        return letter

    def slack(self) -> Expr:
        letter = Dummy("slack", real=True)
        self.bounds[letter] = (S.Zero,), ()
        self.slacks.add(letter)
        return letter

    def _mean(self, atom: Expr) -> Expr:
        """E[u] = lower + slack, E[u²] = E[u]² + slack."""
        posterior, statistic, places = self.entries.mean_of(atom)
        plain = self.entries.entry_of(posterior, posterior.atom, places)
        if statistic == posterior.atom**2 and plain is not None:
            return self._letter(plain) ** 2 + self.slack()
        low, _ = posterior.interval
        if statistic == posterior.atom and low not in (-oo, 0):
            return self.of(reindex(low, places)) + self.slack()
        return self._bounded(atom)


def _places(definition: Definition, atom: Expr) -> dict[Expr, Expr]:
    if not isinstance(atom, Indexed):
        return {}
    return dict(zip(definition.symbol.indices, atom.indices, strict=True))
