"""Labels on trees, each coupled with that of its parent: elimination from the leaves to the roots, and the way back.

With its parent's given, a label is a table; summed out after its children, it leaves a message to its parent, again a table.
From the roots down, these messages give every label's posterior and that of every pair of a parent and its child. A chain is
the tree in which the parent of t is t - 1. (Crouse, Nowak & Baraniuk 1998; Durand, Gonçalvès & Guédon 2004; with leaves
observed alone the way up is the pruning of Felsenstein 1981.)
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

from sympy import Eq, Expr, Not, Piecewise, S, Sum, exp, log, true

from symem.calculus.branches import Branches
from symem.calculus.eliminated import Elimination, Labelling
from symem.calculus.gaussian_trees import eliminate_state_tree
from symem.calculus.separate import rejoin
from symem.derivation import Definition, Tree
from symem.errors import NotDerivedError
from symem.language.counting_families import Bernoulli
from symem.language.model import Variable
from symem.language.parents import has_parent
from symem.language.plates import Axis, index_symbol
from symem.language.supports import Binary


def eliminate_tree(state: Elimination, variable: Variable, waiting: list[Variable]) -> None:
    """Sum the labels of a tree out, each after its children.

    Raises:
        NotDerivedError: these are no labels, or stand beside others than their parents', or beside those of another tree.
    """
    branches = Branches.of(state, variable)
    others = [other for other in waiting if other is not variable]
    branches.check_alone(others)
    _check_determined(branches, state)
    if not variable.support.finite:
        eliminate_state_tree(state, branches, others)
        return
    tree = _Messages(state, branches, state.labels(branches.whole, others)).tree()
    there = replace(branches.whole, position=branches.position, terms=())
    state.leave(tree, there, tree.log_normaliser.symbol, branches.terms)


def _check_determined(branches: Branches, state: Elimination) -> None:
    """Every entry of a parameter is in use.

    Raises:
        NotDerivedError: roots have entries of one that only steps from parents read.
    """
    model = state.model
    entry = branches.of_steps_alone(each for each in model.parameters if not model.log_prior.has(each.symbol))
    if entry is not None:
        index, parent = branches.along.index, branches.parent
        others = ", ".join("b[" + str(p) + "]" if p == index else str(p) for p in entry.indices)
        raise NotDerivedError(
            f"{entry} has entries for the roots too, and they stand in no law, as {parent} leads to no label there: number the branches "
            f"by a known array, b = IndexedBase('b') with known={{b: Labels(M)}}, and write {entry.base}[{others}], whatever b is at a root."
        )


#: Which places of a tree are not called by.
_LETTERS_OF_LABELS = "klmrs"


class _Messages:
    """The definitions of a tree, at its plates and the labels that it depends on."""

    def __init__(self, state: Elimination, branches: Branches, labels: Labelling) -> None:
        self.state, self.branches, self.labels = state, branches, labels
        used = {
            *branches.inner,
            *(axis.index for axis in branches.position),
            *(axis.index for _, axis in labels),
        }
        self.outcome = state.outcome_axis(branches.variable, used)
        self.following = state.names.axis(
            self.outcome.size, branches.variable.name, used | {self.outcome.index}
        )
        used |= {self.outcome.index, self.following.index}
        used |= {index_symbol(letter) for letter in _LETTERS_OF_LABELS}
        self.child = state.names.axis(branches.along.size, str(branches.along.index), used)
        self.plates = (*branches.plates, *(axis for _, axis in labels))
        self.axes = (*branches.position, *(axis for _, axis in labels), self.outcome)

    def tree(self) -> Tree:
        branches, family = self.branches, "Categorical"
        if isinstance(branches.variable.support, Binary):
            family = Bernoulli.name
        return Tree(
            latent=branches.variable, atom=branches.atom, axes=self.axes[:-1], labels=self.labels, family=family,
            log_density=rejoin(branches.terms), log_normaliser=self.normaliser, outcome=self.outcome,
            log_weight=self.weight, probability=self.table, value=self.outcome.index, along=branches.along,
            steps=branches.along, following=self.following, log_first=self.first, log_step=self.step,
            parent=branches.parent, upward=self.upward, message=self.message, whole=self.whole, pair=self.pair,
        )  # fmt: skip

    # -- what is said of labels ------------------------------------------------------------------------

    @cached_property
    def weight(self) -> Definition:
        """η, of a label at a place."""
        return self._named("eta", self.axes, self._of_labels(self.branches.weight(self.outcome)), real=True)

    @cached_property
    def first(self) -> Definition | None:
        """ρ, of the label of a root."""
        value = self._of_labels(self.branches.first(self.outcome))
        if value == 0:
            return None
        axes = (*(a for a in self.axes[:-1] if a.index in value.free_symbols), self.outcome)
        return self._named("rho", axes, value, extended_real=True)

    @cached_property
    def step(self) -> Definition:
        """λ, of the labels of a parent and of its child, over no more axes than it depends on."""
        value = self._of_labels(self.branches.step(self.outcome, self.following))
        axes = (*(a for a in self.axes[:-1] if a.index in value.free_symbols), self.outcome, self.following)
        return self._named("lambda", axes, value, extended_real=True)

    # -- messages --------------------------------------------------------------------------------------

    @cached_property
    def upward(self) -> Definition:
        """log β, of all that is said at a place and below it."""
        v, k, c, m = (axis.index for axis in (self.branches.along, self.outcome, self.child, self.following))
        places = tuple(axis.index for axis in self.axes)
        symbol = self.state.names.entry(f"beta_{self.branches.variable.name}", places, extended_real=True)
        below = symbol.xreplace({v: c, k: m}) + self.step.symbol.xreplace({v: c})
        message = log(Sum(exp(below), self.following.limits))
        child = Eq(self.branches.parent.xreplace({v: c}), v)
        children = Sum(Piecewise((message, child), (S.Zero, true)), self.child.limits)
        return Definition(symbol, self.axes, self.weight.symbol + children)

    @cached_property
    def message(self) -> Definition:
        """log ε, of all that is said at a place and below it, of the label of its parent."""
        m = self.following.index
        below = self.step.symbol + self.upward.symbol.xreplace({self.outcome.index: m})
        value = log(Sum(exp(below), self.following.limits))
        return self._named("epsilon", self.axes, value, extended_real=True)

    @cached_property
    def whole(self) -> Definition:
        """log κ, of all that is said of the tree below a root."""
        value = log(Sum(exp(self._at_root), self.outcome.limits))
        return self._named("kappa", self.axes[:-1], value, extended_real=True)

    @cached_property
    def normaliser(self) -> Definition:
        """The sum over the roots of what is left there."""
        at_root = Piecewise((self.whole.symbol, Not(has_parent(self.branches.parent))), (S.Zero, true))
        value = Sum(at_root, self.branches.along.limits)
        return self.state.normaliser(self.branches.variable, self.plates, value)

    @property
    def _at_root(self) -> Expr:
        return self.upward.symbol + (self.first.symbol if self.first else 0)

    @cached_property
    def table(self) -> Definition:
        """γ, from that of the parent."""
        places = tuple(axis.index for axis in self.axes)
        symbol = self.state.names.entry(f"gamma_{self.branches.variable.name}", places, nonnegative=True)
        k, m = self.outcome.index, self.following.index
        below = Sum(self._pair(symbol).xreplace({k: m, m: k}), self.following.limits)
        at_root = exp(self._at_root - self.whole.symbol)
        value = Piecewise((below, has_parent(self.branches.parent)), (at_root, true))
        return Definition(symbol, self.axes, value)

    @cached_property
    def pair(self) -> Definition:
        """ξ."""
        value = self._pair(self.table.symbol)
        return self._named("xi", (*self.axes, self.following), value, nonnegative=True)

    def _pair(self, table: Expr) -> Expr:
        """γ of the parent times the share that the child's label has of what is said below, given the parent's."""
        below = self.step.symbol + self.upward.symbol.xreplace({self.outcome.index: self.following.index})
        above = table.xreplace({self.branches.along.index: self.branches.parent})
        return above * exp(below - self.message.symbol)

    # -- names -----------------------------------------------------------------------------------------

    def _of_labels(self, value: Expr) -> Expr:
        return value.xreplace({atom: axis.index for atom, axis in self.labels})

    def _named(self, stem: str, axes: tuple[Axis, ...], value: Expr, **assumptions: bool) -> Definition:
        places = tuple(axis.index for axis in axes)
        name = f"{stem}_{self.branches.variable.name}"
        return Definition(self.state.names.entry(name, places, **assumptions), axes, value)
