"""Signs of statistics, from what they are sums of.

A combination of statistics is written as one sum over their common axes (n f = Σ_i f, f = Σ_k γ_ik f) whose
summand is factored: Σ γ (1 - x) with x ≤ 1, Σ γ (x - μ)² and the like. Of means the rules know E[u²] ≥ E[u]²
(Jensen), and where they lie. Only ≥ 0 and ≤ 0 are found; that something does not vanish is a condition, no rule.
"""

from __future__ import annotations

from collections.abc import Iterable

from sympy import (
    Add,
    Expr,
    Ge,
    Indexed,
    Mul,
    Pow,
    S,
    Sum,
    Symbol,
    fraction,
    together,
)

from symem.algebra.about_zero import AboutZero
from symem.algebra.squares import as_squares
from symem.calculus.along import scalars_of_matrices
from symem.calculus.common_sums import body_over, completed, named, shared_axes, twice
from symem.calculus.entry_bounds import EntryBounds, Letters
from symem.calculus.probes import probed, with_probes_for_entries
from symem.calculus.separate import Term, rejoin, separate
from symem.derivation import Derivation, Shared
from symem.language.leaves import array_of
from symem.language.matrices import is_matrix

#: Operations, and terms of a combination, beyond which no sign is looked for.
TOO_LONG, MANY = 300, 24


class Signs:
    """1 for ≥ 0, -1 for ≤ 0, 0 for zero, None where no rule tells.

    `unit` names data without a declared support that are taken to lie in [0, 1]; `constants` are those of priors.
    """

    def __init__(self, derivation: Derivation, unit: frozenset[str] = frozenset()) -> None:
        model = derivation.model
        self._entries = EntryBounds(derivation, unit)
        self.hypotheses: dict[Expr, None] = {}
        self._known: dict[Expr, tuple[int | None, tuple[Expr, ...]]] = {}
        of_prior = model.log_prior.free_symbols
        self.constants = {v.symbol for v in model.known if not v.sizes and v.symbol in of_prior}
        self._sizes = {v.symbol for v in model.sizes}
        self._statistics = {array_of(s.symbol): s for s in derivation.surrogate.statistics}
        self._means = {array_of(mean.symbol) for each in derivation.surrogate.moments for mean in each.means}
        self._about_zero = AboutZero(derivation.surrogate.moments)
        scatters = (s.definition.symbol for each in derivation.surrogate.moments for s in each.scatters)
        self._crossed = {array_of(s) for s in scatters if not is_matrix(s) and not s.is_nonnegative}

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
        letters = Letters(self._entries)
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
        for whole, shared in ((completed(terms, self._entries.shares), None), (terms, None), (terms, once)):
            letters = Letters(self._entries)
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
            a
            for a in expr.atoms(Indexed, Symbol)
            if self._entries.means(a) and isinstance(self._entries.mean_of(a)[0], Shared)
        ]
        return expr.xreplace({a: self._entries.moments[array_of(a)][1].at(a) for a in means})
