"""States on trees, each Gaussian given that of its parent: what is said below gathered upward, then moments downward.

What a place says by itself is -½ hᵀΛh + ηᵀh; a child given its parent is Normal(F h + b, Q). Integrated out, a child adds to
what is said of its parent, again a quadratic. Down from the roots come the moments given all data, and those of a parent and
its child. (Chou, Willsky & Benveniste 1994; without evidence but at leaves, Felsenstein 1973.)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from sympy import Eq, Expr, Integer, Not, Piecewise, S, Sum, log, pi, true

from symem.calculus.branches import Branches
from symem.calculus.eliminated import Elimination, Labelling
from symem.calculus.gathering import atoms_of
from symem.calculus.gaussian_chains import with_companions
from symem.calculus.quadratics_of_states import Forms
from symem.calculus.quadratics_on_trees import of_states_on_trees
from symem.calculus.separate import Term, conditions_of, rejoin
from symem.derivation import Definition, GaussianTree
from symem.errors import NotDerivedError
from symem.language.model import Variable
from symem.language.parents import has_parent, says_of_parent
from symem.language.plates import Axis, Iverson
from symem.language.real_families import Normal


def eliminate_state_tree(state: Elimination, branches: Branches, others: list[Variable]) -> None:
    """Integrate the states of trees out, each after its children.

    Raises:
        NotDerivedError: a term is no quadratic in them.
    """
    branches = _less_of_laws(with_companions(state, branches))
    tree = _States(state, branches, state.labels(branches.whole, others))
    there = replace(branches.whole, position=branches.position, terms=())
    state.leave(tree.record(), there, tree.normaliser.symbol + tree.volume, branches.terms)


def _less_of_laws(branches: Branches) -> Branches:
    """Without what the laws of roots and of children say of no state: it is no part of their quadratics."""
    constant = [
        term
        for term in branches.terms
        if not atoms_of(term.factor, branches.variable)
        and any(map(says_of_parent, conditions_of(term.factor)))
    ]
    terms = tuple(term for term in branches.terms if term not in constant)
    back = (Term(term.factor, (*term.axes, *branches.plates)) for term in constant)
    return replace(branches, terms=terms, rest=(*branches.rest, *back))


@dataclass(frozen=True)
class _States:
    """The definitions of trees of states, at their plates and the labels that they depend on."""

    state: Elimination
    branches: Branches
    labels: Labelling

    def record(self) -> GaussianTree:
        branches = self.branches
        return GaussianTree(
            latent=branches.variable, atom=branches.atom, axes=self.axes, labels=self.labels,
            family="MultivariateNormal" if branches.variable.shape else Normal.name,
            log_density=rejoin(branches.terms), log_normaliser=self.normaliser, along=branches.along,
            steps=branches.along, first=self.first, link=self.link, precision=self.precision, shift=self.shift,
            smoothed_mean=self.mean, smoothed_variance=self.variance, neighbours=self.neighbours,
            parent=branches.parent, gathered=self.gathered, pull=self.pull, given_parent=self.given_parent,
        )  # fmt: skip

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        return (*self.branches.position, *(axis for _, axis in self.labels))

    @cached_property
    def forms(self) -> Forms:
        return of_states_on_trees(self.branches, {atom: axis.index for atom, axis in self.labels})

    @property
    def _there(self) -> Expr:
        return has_parent(self.branches.parent)

    # -- what is said of states ------------------------------------------------------------------------

    @cached_property
    def first(self) -> tuple[Expr, Expr]:
        """Mean and variance of the state of a root."""
        if self.forms.first.square == 0:
            raise NotDerivedError(
                f"Nothing says how spread {self.branches.atom} is at a root: give roots a law, {self.branches.variable.name}[root]: "
                f"Normal(m, s)."
            )
        return self.forms.start

    @cached_property
    def link(self) -> tuple[Expr, Expr, Expr]:
        """F, b and Q of a child, Normal(F h + b, Q)."""
        if self.forms.step.later.square == 0:
            raise NotDerivedError(
                f"Nothing says how spread {self.branches.atom} is, given its parent's state."
            )
        return self.forms.link

    @cached_property
    def precision(self) -> Definition:
        """Λ, of what a place says by itself, over no more axes than it depends on."""
        return self._evidence("Lambda", self.forms.place.square, self.forms.algebra.size, "symmetric")

    @cached_property
    def shift(self) -> Definition:
        """η."""
        return self._evidence("eta", self.forms.place.line, Integer(1))

    def _evidence(self, stem: str, value: Expr, columns: Expr, kind: str = "") -> Definition:
        axes = tuple(axis for axis in self.axes if axis.index in value.free_symbols)
        return self._named(stem, axes, value, columns, kind)

    # -- upward ----------------------------------------------------------------------------------------

    @cached_property
    def child(self) -> Axis:
        used = {axis.index for axis in self.axes} | self.branches.inner
        return self.state.names.axis(self.branches.along.size, str(self.branches.along.index), used)

    def _children(self, value: Expr) -> Expr:
        """A value summed over the children of a place, told at a child."""
        v, c = self.branches.along.index, self.child.index
        child = Eq(self.branches.parent.xreplace({v: c}), v)
        return Sum(Piecewise((value.xreplace({v: c}), child), (S.Zero, true)), self.child.limits)

    @cached_property
    def gathered(self) -> Definition:
        """J, the precision of all that is said at a place and below it."""
        algebra, (spread, _, noise) = self.forms.algebra, self.link
        symbol = self._symbol("J", self.axes, algebra.size, "symmetric")
        back, sure = algebra.transpose(spread), algebra.inverse(noise)
        told = back * sure * algebra.inverse(sure + symbol) * symbol * spread
        return Definition(symbol, self.axes, self.precision.symbol + self._children(told))

    @cached_property
    def given_parent(self) -> Definition:
        """S, the variance of a state given all data and the state of its parent."""
        algebra, below = self.forms.algebra, self.gathered.symbol
        at_root, at_child = (
            algebra.inverse(algebra.inverse(each) + below) for each in (self.first[1], self.link[2])
        )
        value = Piecewise((at_child, self._there), (at_root, true))
        return self._named("S", self.axes, value, algebra.size, "positive definite")

    @cached_property
    def pull(self) -> Definition:
        """The shift of all that is said at a place and below it."""
        algebra, (spread, offset, noise) = self.forms.algebra, self.link
        symbol = self._symbol("h", self.axes, Integer(1), "")
        sure = algebra.inverse(noise)
        known = self.given_parent.symbol * (sure * offset + symbol) - offset
        told = algebra.transpose(spread) * sure * known
        return Definition(symbol, self.axes, self.shift.symbol + self._children(told))

    # -- downward --------------------------------------------------------------------------------------

    @cached_property
    def gain(self) -> Expr:
        """By how much a state moves with that of its parent, given all data."""
        spread, _, noise = self.link
        return self.given_parent.symbol * self.forms.algebra.inverse(noise) * spread

    def _above(self, value: Expr) -> Expr:
        return value.xreplace({self.branches.along.index: self.branches.parent})

    @cached_property
    def mean(self) -> Definition:
        algebra, (_, offset, noise), (start, variance) = self.forms.algebra, self.link, self.first
        symbol = self._symbol("E", self.axes, Integer(1), "")
        below = self.given_parent.symbol
        own = below * (algebra.inverse(noise) * offset + self.pull.symbol)
        at_root = below * (algebra.inverse(variance) * start + self.pull.symbol)
        value = Piecewise((self.gain * self._above(symbol) + own, self._there), (at_root, true))
        return Definition(symbol, self.axes, value)

    @cached_property
    def variance(self) -> Definition:
        algebra = self.forms.algebra
        symbol = self._symbol("V", self.axes, algebra.size, "positive definite")
        below = self.given_parent.symbol
        value = below + algebra.around(self.gain, self._above(symbol))
        return Definition(symbol, self.axes, Piecewise((value, self._there), (below, true)))

    @cached_property
    def neighbours(self) -> Definition:
        """C, the covariance of a state with that of its parent."""
        return self._named(
            "C", self.axes, self.gain * self._above(self.variance.symbol), self.forms.algebra.size
        )

    # -- what is left ----------------------------------------------------------------------------------

    @cached_property
    def normaliser(self) -> Definition:
        """The logarithm of the joint density at the means, and of how large the volume about them is."""
        algebra, (spread, offset, noise), (start, variance) = self.forms.algebra, self.link, self.first
        mean = self.mean.symbol
        said = self.forms.place.constant + self.forms.at(lambda part: getattr(self.forms.place, part), mean)
        gap, at_root = mean - spread * self._above(mean) - offset, mean - start
        volume = algebra.log_det(self.given_parent.symbol)
        child = (-algebra.form(gap, algebra.inverse(noise), gap) - algebra.log_det(noise)) / 2
        root = (-algebra.form(at_root, algebra.inverse(variance), at_root) - algebra.log_det(variance)) / 2
        laws = (
            Piecewise((law, at), (S.Zero, true))
            for law, at in ((child, self._there), (root, Not(self._there)))
        )
        value = sum((Sum(each, self.branches.along.limits) for each in (said + volume / 2, *laws)), S.Zero)
        plates = (*self.branches.plates, *(axis for _, axis in self.labels))
        return self.state.normaliser(self.branches.variable, plates, value)

    @property
    def volume(self) -> Expr:
        """What the laws of roots and of children lack to be densities."""
        algebra, size = self.forms.algebra, self.forms.algebra.size
        said, later = self.forms.first, self.forms.step.later
        parts = ((said.line, self.first[1], Not(self._there)), (later.line, self.link[2], self._there))
        values = (
            Iverson(where)
            * (algebra.form(line, variance, line) + algebra.log_det(variance) + size * log(2 * pi))
            / 2
            for line, variance, where in parts
        )
        return sum((Sum(value, self.branches.along.limits) for value in values), S.Zero)

    # -- names -----------------------------------------------------------------------------------------

    def _symbol(self, stem: str, axes: tuple[Axis, ...], columns: Expr, kind: str) -> Expr:
        places, name = tuple(axis.index for axis in axes), f"{stem}_{self.branches.variable.name}"
        if self.branches.variable.shape:
            return self.state.names.matrix(name, places, (self.forms.algebra.size, columns), kind)
        sign = {"positive": True} if kind == "positive definite" else {"real": True}
        return self.state.names.entry(name, places, **sign)

    def _named(
        self, stem: str, axes: tuple[Axis, ...], value: Expr, columns: Expr, kind: str = ""
    ) -> Definition:
        return Definition(self._symbol(stem, axes, columns, kind), axes, value)
