"""Labels along an axis, each coupled with its neighbour: elimination place by place, the forward-backward recursions.

With its neighbours given, a label is a table; summed out, it leaves a message to the next place, again a table, and so
on to the end of the chain. The messages of both directions give every label's posterior and that of every pair of
neighbours. (Baum, Petrie, Soules & Weiss 1970; Rabiner 1989, section III; Bishop 2006, section 13.2.)
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

from sympy import Expr, S, Sum, exp, log

from symem.calculus.eliminated import Elimination, Labelling
from symem.calculus.links import Links
from symem.calculus.separate import rejoin
from symem.derivation import Chain, Definition, Recurrence
from symem.language.counting_families import Bernoulli
from symem.language.model import Variable
from symem.language.plates import Axis
from symem.language.supports import Binary


def eliminate_chain(state: Elimination, variable: Variable, waiting: list[Variable]) -> None:
    """Sum the labels of a chain out, from its first place to its last.

    Raises:
        NotDerivedError: labels are coupled with others than their neighbours along one axis, or with those of another chain.
    """
    links = Links.of(state, variable)
    others = [other for other in waiting if other is not variable]
    links.check_alone(others)
    chain = _Messages(state, links, state.labels(links.whole, others)).chain()
    there = replace(links.whole, position=links.position, terms=())
    state.leave(chain, there, chain.log_normaliser.symbol, links.terms)


class _Messages:
    """The definitions of a chain, at its plates and the labels that it depends on."""

    def __init__(self, state: Elimination, links: Links, labels: Labelling) -> None:
        self.state, self.links, self.labels = state, links, labels
        used = {*links.inner, links.steps.index, *(axis.index for axis in links.position)}
        used |= {axis.index for _, axis in labels}
        self.outcome = state.outcome_axis(links.variable, used)
        self.following = state.names.axis(self.outcome.size, links.variable.name, used | {self.outcome.index})
        self.plates = (*links.plates, *(axis for _, axis in labels))

    def chain(self) -> Chain:
        links, family = self.links, "Categorical"
        if isinstance(links.variable.support, Binary):
            family = Bernoulli.name
        return Chain(
            latent=links.variable, atom=links.atom, axes=(*links.position, *(axis for _, axis in self.labels)),
            labels=self.labels, condition=links.condition, family=family, log_density=rejoin(links.terms),
            log_normaliser=self.normaliser, outcome=self.outcome, log_weight=self.weight, probability=self.table,
            value=self.outcome.index, along=links.along, steps=links.steps, following=self.following,
            log_first=self.first, log_last=self.last, log_step=self.step,
            forward=self.forward, backward=self.backward, pair=self.pair, length=links.length,
        )  # fmt: skip

    # -- what is said of labels ------------------------------------------------------------------------

    @cached_property
    def weight(self) -> Definition:
        """η, of a label at a place."""
        axes = (*self.links.position, *self.label_axes, self.outcome)
        return self._named("eta", axes, self._of_labels(self.links.weight(self.outcome)), real=True)

    @cached_property
    def first(self) -> Definition | None:
        return self._at_end("rho", self.links.first(self.outcome))

    @cached_property
    def last(self) -> Definition | None:
        return self._at_end("tau", self.links.last(self.outcome))

    @cached_property
    def step(self) -> Definition:
        """λ, of a label and the next one, over no more axes than it depends on."""
        value = self._of_labels(self.links.step(self.outcome, self.following))
        plates = (*self.links.plates, self.links.steps, *self.label_axes)
        axes = (*(a for a in plates if a.index in value.free_symbols), self.outcome, self.following)
        return self._named("lambda", axes, value, extended_real=True)

    def _at_end(self, stem: str, value: Expr) -> Definition | None:
        value = self._of_labels(value)
        if value == 0:
            return None
        axes = (*(a for a in self.plates if a.index in value.free_symbols), self.outcome)
        return self._named(stem, axes, value, extended_real=True)

    # -- messages --------------------------------------------------------------------------------------

    @cached_property
    def forward(self) -> Definition:
        """log α, of all that is said up to a place."""
        k, m, t = self.outcome.index, self.following.index, self.links.along.index
        symbol, weight = self._message("alpha"), self.weight.symbol
        before = symbol.xreplace({t: t - 1, k: m}) + self._step(t - 1, m, k)
        following = weight + log(Sum(exp(before), self.following.limits))
        first = weight + (self.first.symbol if self.first else 0)
        return self._recurrence(symbol, first, following, backward=False)

    @cached_property
    def backward(self) -> Definition:
        """log β, of all that is said after a place."""
        k, m, t = self.outcome.index, self.following.index, self.links.along.index
        symbol = self._message("beta")
        after = (symbol + self.weight.symbol).xreplace({t: t + 1, k: m}) + self._step(t, k, m)
        following = log(Sum(exp(after), self.following.limits))
        return self._recurrence(symbol, self.last.symbol if self.last else S.Zero, following, backward=True)

    @cached_property
    def normaliser(self) -> Definition:
        end = self.forward.symbol.xreplace({self.links.along.index: self.links.length - 1})
        whole = end + (self.last.symbol if self.last else 0)
        return self.state.normaliser(
            self.links.variable, self.plates, log(Sum(exp(whole), self.outcome.limits))
        )

    @cached_property
    def table(self) -> Definition:
        """γ."""
        value = exp(self.forward.symbol + self.backward.symbol - self.normaliser.symbol)
        return self._named("gamma", self.forward.axes, value, nonnegative=True)

    @cached_property
    def pair(self) -> Definition:
        """ξ."""
        k, m, t = self.outcome.index, self.following.index, self.links.along.index
        s = self.links.steps.index
        after = (self.weight.symbol + self.backward.symbol).xreplace({t: s + 1, k: m})
        before = self.forward.symbol.xreplace({t: s})
        value = exp(before + self.step.symbol + after - self.normaliser.symbol)
        places = (self.links.steps if axis == self.links.along else axis for axis in self.links.position)
        axes = (*places, *self.label_axes, self.outcome, self.following)
        return self._named("xi", axes, value, nonnegative=True)

    # -- names -----------------------------------------------------------------------------------------

    @property
    def label_axes(self) -> tuple[Axis, ...]:
        return tuple(axis for _, axis in self.labels)

    def _of_labels(self, value: Expr) -> Expr:
        return value.xreplace({atom: axis.index for atom, axis in self.labels})

    def _message(self, stem: str) -> Expr:
        places = (axis.index for axis in self.weight.axes)
        return self.state.names.entry(f"{stem}_{self.links.variable.name}", tuple(places), extended_real=True)

    def _named(self, stem: str, axes: tuple[Axis, ...], value: Expr, **assumptions: bool) -> Definition:
        places = tuple(axis.index for axis in axes)
        name = f"{stem}_{self.links.variable.name}"
        return Definition(self.state.names.entry(name, places, **assumptions), axes, value)

    def _recurrence(self, symbol: Expr, first: Expr, following: Expr, *, backward: bool) -> Definition:
        told = Recurrence(symbol, self.links.along, first, following, backward, self.links.length)
        return Definition(symbol, self.weight.axes, told.value)

    def _step(self, place: Expr, k: Expr, m: Expr) -> Expr:
        """λ between a place and the next."""
        rules = {self.links.steps.index: place, self.outcome.index: k, self.following.index: m}
        return self.step.symbol.xreplace(rules)
