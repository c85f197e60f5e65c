"""Signs of statistics, from what they are sums of.

A combination of statistics is written as one sum over their common axes (n f = Σ_i f, f = Σ_k γ_ik f) whose
summand is factored: Σ γ (1 - x) with x ≤ 1, Σ γ (x - μ)² and the like. Of means the rules know E[u²] ≥ E[u]²
(Jensen), and where they lie. Only ≥ 0 and ≤ 0 are found; that something does not vanish is a condition, no rule.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sympy import (
    Abs,
    Add,
    Dummy,
    Eq,
    Expr,
    Function,
    Ge,
    Indexed,
    Min,
    Mul,
    Ne,
    Pow,
    S,
    Sum,
    Symbol,
    atan2,
    fraction,
    log,
    oo,
    pi,
    together,
)

from symem.algebra.about_zero import AboutZero
from symem.algebra.squares import as_squares
from symem.calculus.along import scalars_of_matrices
from symem.calculus.common_sums import body_over, completed, named, shared_axes, twice
from symem.calculus.inequalities import Bounds, Polynomial
from symem.calculus.probes import is_nonnegative, probed, with_probes_for_entries
from symem.calculus.separate import Term, rejoin, separate
from symem.derivation import Definition, Derivation, Posterior, Probabilities, Shared, Table
from symem.language.leaves import array_of
from symem.language.matrices import is_matrix
from symem.language.model import Variable
from symem.language.plates import Iverson, reindex
from symem.language.support_ends import ends_of, indices_of

#: Operations, and terms of a combination, beyond which no sign is looked for.
TOO_LONG, MANY = 300, 24


@dataclass
class Letters:
    """Entries as letters with lower and upper bounds in other letters."""

    signs: Signs
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
                    self._mean(atom) if atom in self.signs.means(atom) else self._bounded(atom)
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
        lower, upper = self.signs.bounds(atom)
        self.bounds[letter] = tuple(self.of(e) for e in lower), tuple(self.of(e) for e in upper)
        return letter

    def slack(self) -> Expr:
        letter = Dummy("slack", real=True)
        self.bounds[letter] = (S.Zero,), ()
        self.slacks.add(letter)
        return letter

    def _mean(self, atom: Expr) -> Expr:
        """E[u] = lower + slack, E[u²] = E[u]² + slack."""
        posterior, statistic, places = self.signs.mean_of(atom)
        plain = self.signs.entry_of(posterior, posterior.atom, places)
        if statistic == posterior.atom**2 and plain is not None:
            return self._letter(plain) ** 2 + self.slack()
        low, _ = posterior.interval
        if statistic == posterior.atom and low not in (-oo, 0):
            return self.of(reindex(low, places)) + self.slack()
        return self._bounded(atom)


class Signs:
    """1 for ≥ 0, -1 for ≤ 0, 0 for zero, None where no rule tells.

    `unit` names data without a declared support that are taken to lie in [0, 1]; `constants` are those of priors.
    """

    def __init__(self, derivation: Derivation, unit: frozenset[str] = frozenset()) -> None:
        model = derivation.model
        self._model, self._unit = model, unit
        self.hypotheses: dict[Expr, None] = {}
        self._known: dict[Expr, tuple[int | None, tuple[Expr, ...]]] = {}
        of_prior = model.log_prior.free_symbols
        self.constants = {v.symbol for v in model.known if not v.sizes and v.symbol in of_prior}
        self._sizes = {v.symbol for v in model.sizes}
        self._variables: dict[Expr, Variable] = {v.symbol: v for v in model.variables.values()}
        self._statistics = {array_of(s.symbol): s for s in derivation.surrogate.statistics}
        self._means = {array_of(mean.symbol) for each in derivation.surrogate.moments for mean in each.means}
        self._about_zero = AboutZero(derivation.surrogate.moments)
        scatters = (s.definition.symbol for each in derivation.surrogate.moments for s in each.scatters)
        self._crossed = {array_of(s) for s in scatters if not is_matrix(s) and not s.is_nonnegative}
        self._shares = {
            array_of(p.probability.symbol): p for p in derivation.posteriors if isinstance(p, Probabilities)
        }
        self._moments = {array_of(d.symbol): (p, d) for p in derivation.posteriors for d in p.moments}
        self._reach = {
            p.outcome.index: p.extent.value - 1
            for p in derivation.posteriors
            if isinstance(p, Table) and p.extent
        }

    # -- expressions -------------------------------------------------------------------------------------

    def __call__(self, expr: Expr) -> int | None:
        if expr not in self._known:
            before = set(self.hypotheses)
            found = self._sign(expr)
            self._known[expr] = found, tuple(h for h in self.hypotheses if h not in before)
        found, supposed = self._known[expr]
        self.hypotheses.update(dict.fromkeys(supposed))
        return found

    def _sign(self, expr: Expr) -> int | None:
        if expr.is_number:
            return int((expr > 0) == True) - int((expr < 0) == True)  # noqa: E712
        if isinstance(expr, Mul):
            return self._product(expr.args)
        if isinstance(expr, Pow):
            return self._power(expr)
        if isinstance(expr, Sum):
            return self._either(expr, self(expr.function))
        if isinstance(expr, Add):
            return self._add(expr)
        if array_of(expr) in self._statistics:
            written = self._statistics[array_of(expr)].at(expr)
            return None if array_of(expr) in self._crossed else self(written)
        return self._combined(expr) if scalars_of_matrices(expr) else self._single(expr)

    def _product(self, parts: Iterable[Expr]) -> int | None:
        sign = 1
        for part in parts:
            found = self(part)
            if found is None:
                return None
            sign *= found
        return sign

    def _power(self, expr: Pow) -> int | None:
        if expr.exp.is_Integer and expr.exp.is_even:
            return 1
        base = self(expr.base)
        return base if expr.exp.is_Integer else 1 if base in (0, 1) or expr.base.is_positive else None

    def _add(self, expr: Expr) -> int | None:
        told = as_squares(expr)
        if told != expr and (sign := self._alike(Add.make_args(told))) is not None:
            return sign
        prior = Add(*(each for each in expr.args if each.free_symbols <= self.constants))
        if prior.free_symbols and prior != expr:
            rest = expr - prior
            taken = Add(*(e for e in Add.make_args(rest) if e.is_negative and e.free_symbols <= self._sizes))
            return self._supposed(rest, prior) or self._supposed(rest - taken, prior + taken)
        return self._either(expr, self._alike(expr.args))

    def _alike(self, parts: Iterable[Expr]) -> int | None:
        """The sign of a sum of parts of one sign."""
        found = {self(part) for part in parts} - {0}
        return found.pop() if len(found) == 1 else None

    def _supposed(self, rest: Expr, prior: Expr) -> int | None:
        """The prior's constants count as observations: that their part has the sign of the rest is supposed."""
        sign = self(rest)
        if sign in (1, -1):
            _, primitive = (sign * prior).as_content_primitive()
            if not primitive.is_nonnegative:
                self.hypotheses[Ge(primitive, 0, evaluate=False)] = None
        return sign

    def _either(self, expr: Expr, known: int | None) -> int | None:
        if known is not None:
            return known
        above, below = fraction(together(expr)) if expr.count_ops() < TOO_LONG else (expr, S.One)
        return self._combined(above) if below == 1 else self._product([above, below])

    def _single(self, atom: Expr) -> int | None:
        letters = Letters(self)
        return letters.polynomial().sign(letters.of(atom))

    # -- combinations ------------------------------------------------------------------------------------

    def _combined(self, expr: Expr) -> int | None:
        """The sign of a combination of statistics as one sum."""
        if expr.count_ops() > TOO_LONG or any(self._degree(part) > 1 for part in Add.make_args(expr)):
            return None
        about_zero = self._about_zero(expr)
        found = self._as_one_sum(self._written(expr))
        return self._as_one_sum(self._written(about_zero)) if found is None and about_zero != expr else found

    def _as_one_sum(self, written: Expr) -> int | None:
        written = with_probes_for_entries(written)
        found = self._summed(written)
        if found is None and scalars_of_matrices(written):
            against_each = probed(rejoin(separate(written)))
            found = None if against_each is None else self._summed(against_each)
        return self._axis_by_axis(written) if found is None and scalars_of_matrices(written) else found

    def _axis_by_axis(self, written: Expr) -> int | None:
        """Sums over different axes, each of one sign."""
        groups: dict[frozenset[Expr], list[Term]] = {}
        for term in separate(written):
            groups.setdefault(frozenset(axis.size for axis in term.axes), []).append(term)
        if len(groups) < 2:
            return None
        found = {self._summed(rejoin(terms)) for terms in groups.values()} - {0}
        return found.pop() if len(found) == 1 else None

    def _summed(self, written: Expr) -> int | None:
        terms = [named(term) for term in separate(written)]
        if len(terms) > MANY:
            return None
        once = {axis for axis in shared_axes(terms) if not any(twice(term, axis) for term in terms)}
        for whole, shared in ((completed(terms, self._shares), None), (terms, None), (terms, once)):
            letters = Letters(self)
            body = letters.of(body_over(whole, shared_axes(whole) if shared is None else shared))
            sign = letters.polynomial().sign(body)
            if sign is not None:
                return sign
        return None

    def _degree(self, part: Expr) -> int:
        """How many sums over data a product multiplies: products of sums have no common summand."""
        powers = [f.as_base_exp() for f in Mul.make_args(part)]
        sums = self._statistics.keys() - self._means
        return sum(abs(int(e)) if e.is_Integer else 2 for b, e in powers if array_of(b) in sums)

    def _written(self, expr: Expr) -> Expr:
        """Statistics but means as the sums that they stand for; counts with a known total as shares of it."""
        sums = self._statistics.keys() - self._means
        held = [a for a in expr.atoms(Indexed, Symbol) if array_of(a) in sums]
        expr = expr.xreplace({a: self._statistics[array_of(a)].at(a) for a in held})
        means = [
            a for a in expr.atoms(Indexed, Symbol) if self.means(a) and isinstance(self.mean_of(a)[0], Shared)
        ]
        return expr.xreplace({a: self._moments[array_of(a)][1].at(a) for a in means})

    # -- what is known of an entry -------------------------------------------------------------------------

    def bounds(self, atom: Expr) -> Bounds:
        """Lower and upper bounds of an entry, an index or a whole function value."""
        base = array_of(atom)
        if base in self._shares or isinstance(atom, Iverson):
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
        rules = dict(zip(indices_of(variable, self._model), getattr(atom, "indices", ()), strict=False))
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
        return (atom,) if array_of(atom) in self._moments else ()

    def mean_of(self, atom: Expr) -> tuple[Posterior, Expr, dict[Expr, Expr]]:
        """The posterior, the function whose mean an entry is, and where the entry stands."""
        posterior, definition = self._moments[array_of(atom)]
        statistic = next(s for s, symbol in posterior.expectations.items() if symbol == definition.symbol)
        return posterior, statistic, _places(definition, atom)

    def entry_of(self, posterior: Posterior, statistic: Expr, places: dict[Expr, Expr]) -> Expr | None:
        """The named mean of another function of the same latent, at the same place."""
        symbol = posterior.expectations.get(statistic)
        return None if symbol is None else reindex(symbol, places)


def _places(definition: Definition, atom: Expr) -> dict[Expr, Expr]:
    if not isinstance(atom, Indexed):
        return {}
    return dict(zip(definition.symbol.indices, atom.indices, strict=True))
