"""The laws of the variables of complete data, each given those that come before it: the last go first.

p(y; θ) is a product of conditional laws. What the last variable leaves behind when it is summed or integrated out is its total
given the others, which is one: nothing. What any other leaves is a function of those that depend on it. So that is the
last which leaves least. (Lauritzen 1996, section 3.2.)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from sympy import Dummy, Eq, Expr, Indexed, IndexedBase, Piecewise, S, Sum, exp, log, true

from symem.algebra.exponential import readable
from symem.algebra.rewriting import inlined
from symem.budget import look
from symem.calculus.angles import angles_apart
from symem.calculus.data_readings import counting_readings, read_as
from symem.calculus.eliminate import eliminate_next
from symem.calculus.eliminated import Eliminated, Elimination
from symem.calculus.fresh_names import Names
from symem.calculus.gathering import atoms_of
from symem.calculus.separate import Term, fold, gather, rejoin, separate
from symem.calculus.sufficient import terms_of
from symem.calculus.whole_totals import Ones
from symem.derivation import Chain, Definition, GaussianStates, Posterior, Tree
from symem.errors import NotDerivedError
from symem.language.model import Model, Variable
from symem.language.plates import reindex
from symem.language.supports import Binary, Reals

#: What a latent with a flat law is given for a log-density: nothing, in the end.
_FLAT = Dummy("flat", real=True)


def readings(law: Model) -> Iterator[Model]:
    """The law with its data as they are, then as what else they could be."""
    yield law
    unsaid = [v for v in law.latents if type(v.support) is Reals and not v.shape]
    if len(unsaid) == 1:
        yield from (read_as(law, unsaid[0], reading) for reading in counting_readings(law, unsaid[0]))


@dataclass
class LastFirst:
    """Looks for the order of variables in which each leaves least behind."""

    law: Model

    def __post_init__(self) -> None:
        whole = self.law.log_likelihood + self.law.free_counts
        latents = [latent for latent in self.law.latents if not latent.support.discrete]
        terms = [part for t in terms_of(whole, self.law) for part in angles_apart(t, latents)]
        self.ones = Ones(self.law)
        self.numbers: list[Term] = []
        self.state = Elimination(
            self.law, Names(self.law), self._of_latents(gather(terms), self.numbers), (), []
        )

    def _of_latents(self, terms: Iterable[Term], rest: list[Term]) -> tuple[Term, ...]:
        """The terms that hold latents; the others go to the rest."""
        found = {term: any(atoms_of(term.factor, latent) for latent in self.law.latents) for term in terms}
        rest += [term for term, holds in found.items() if not holds]
        return tuple(term for term, holds in found.items() if holds)

    def done(self, *, whole: bool = False) -> list[Eliminated]:
        """The laws of all variables; `whole`, if their total is one.

        Raises:
            NotDerivedError: a variable's law given the others is that of no family in the table, or the total is not one.
        """
        while waiting := self.waiting:
            self.take_last(waiting)
        left = gather(self.numbers)
        if whole and any(atoms_of(term.factor, v) for term in left for v in self.law.parameters):
            raise NotDerivedError("the likelihood is no density of the complete data")
        return self.state.done

    @property
    def waiting(self) -> list[Variable]:
        """The variables that are still there; a label that no term holds takes all its values alike."""
        gone = {one.posterior.latent.name for one in self.state.done}
        held = [v for v in self.law.latents if any(atoms_of(t.factor, v) for t in self.state.terms)]
        flat = [v for v in self.law.latents if v.support.finite and v.name not in gone and not held]
        for latent in flat:
            places = tuple(axis.index for axis in latent.axes)
            entry = latent.symbol[places] if places else latent.symbol
            self.state.terms = (*self.state.terms, Term(_FLAT * entry, latent.axes))
        return sorted(held or flat, key=lambda variable: (-len(variable.sizes), variable.name))

    def take_last(self, waiting: Sequence[Variable]) -> None:
        """Eliminate the variable on which the others depend least."""
        look()
        best: tuple[int, Elimination, list[Term]] | None = None
        for variable in waiting:
            state = replace(self.state, done=list(self.state.done))
            numbers: list[Term] = []
            try:
                eliminate_next(state, variable)
                left = self._left(state, numbers)
            except NotDerivedError:
                continue
            if best is None or left < best[0]:
                best = left, state, numbers
            if left == 0:
                break
        if best is None:
            names = ", ".join(variable.name for variable in waiting)
            raise NotDerivedError(
                f"the law of none of {names} given the others is that of a family in the table"
            )
        self.state = best[1]
        self.numbers += best[2]

    def _left(self, state: Elimination, numbers: list[Term]) -> int:
        """Operations of the functions of latents that were not there before; what is left is put in order."""
        before = len(self.state.done)
        state.done[before:] = [_drawn(one, self.ones) for one in state.done[before:]]
        definitions = [d for one in state.done[before:] for d in named(one.posterior)]
        left = self.ones(written_out(rejoin(state.terms), definitions))
        told = gather(part for term in separate(left) for part in self._by_values(term))
        state.terms = self._of_latents(told, numbers)
        old = set(map(_function, self.state.terms))
        return int(sum(1 + t.factor.count_ops() for t in map(_function, state.terms) if t not in old))

    def _by_values(self, term: Term) -> Iterable[Term]:
        """A logarithm that holds a label of two values by these: f(z) = z f(1) + (1 - z) f(0)."""
        binary = [v for v in self.law.latents if isinstance(v.support, Binary)]
        for atom in (a for v in binary for a in atoms_of(term.factor, v)):
            if any(_shielded(each).has(atom) for each in term.factor.atoms(log)):
                one, other = (self.ones(term.factor.xreplace({atom: value})) for value in (S.One, S.Zero))
                parts = separate(atom * one + (1 - atom) * other)
                return [
                    each for t in parts for each in self._by_values(replace(t, axes=(*t.axes, *term.axes)))
                ]
        return [term]


def _shielded(expr: Expr) -> Expr:
    """An expression without what its arrays are indexed by: but for labels on their own."""
    held = (e for e in expr.atoms(Indexed) if any(isinstance(place, Indexed) for place in e.indices))
    return expr.xreplace({each: Dummy() for each in held})


def _drawn(one: Eliminated, ones: Ones) -> Eliminated:
    """What has gone, of a chain with the law of each label by that of the one before: p_t = p_{t-1} A; its total is one."""
    chain = one.posterior
    if isinstance(chain, Tree | GaussianStates):
        raise NotDerivedError("laws along a tree, and of states, are not written out")
    if not isinstance(chain, Chain):
        return one
    t, k, m, s = (axis.index for axis in (chain.along, chain.outcome, chain.following, chain.steps))
    entry = IndexedBase(f"p_{chain.latent.name}", nonnegative=True)[chain.probability.symbol.indices]
    weight = chain.log_weight.value + (chain.log_first.value if chain.log_first else 0)
    first, step = readable(exp(weight)).xreplace({t: S.Zero}), readable(exp(chain.log_step.value))
    before = entry.xreplace({t: t - 1, k: m}) * reindex(step, {s: t - 1, k: m, m: k})
    law = Piecewise(
        (ones.in_short(first / Sum(first, chain.outcome.limits)), Eq(t, 0)),
        (Sum(before, chain.following.limits), true),
    )
    told = replace(
        chain,
        probability=replace(chain.probability, symbol=entry, value=law),
        pair=replace(chain.pair, value=entry.xreplace({t: s}) * step),
        log_normaliser=replace(chain.log_normaliser, value=S.Zero),
    )
    return replace(one, posterior=told)


def named(posterior: Posterior) -> tuple[Definition, ...]:
    """The names that are written out: all but those of recurrences."""
    found = (*posterior.parameters, *posterior.definitions)
    return tuple(each for each in found if each.recurrence is None)


def _function(term: Term) -> Term:
    """A term without its number."""
    folded = fold(term)
    return replace(folded, factor=folded.factor.as_coeff_Mul()[1])


def written_out(expr: Expr, definitions: Iterable[Definition]) -> Expr:
    """An expression with names written out, those that hold others first."""
    found = tuple(definitions)
    while (after := inlined(expr, found)) != expr:
        expr = after
    return expr.xreplace({_FLAT: S.Zero})
