"""States along an axis, each Gaussian given its neighbours: the Kalman filter and the Rauch-Tung-Striebel smoother.

All terms that hold a state are quadratic in it. What its place says is -½ hᵀΛh + ηᵀh; the next state given it is
Normal(F h + b, Q). Integrated out, a state leaves a message to the next, again a Gaussian: the predicted one. Back from
the last place come the moments given all data, and those of neighbours. (Kalman 1960; Rauch, Tung & Striebel 1965;
Shumway & Stoffer 1982.)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from sympy import Expr, Integer, Lt, Piecewise, S, Sum, true

from symem.calculus.eliminated import Elimination, Labelling
from symem.calculus.gathering import atoms_of
from symem.calculus.links import Links
from symem.calculus.quadratics_of_states import Forms, of_states
from symem.calculus.separate import Term, rejoin
from symem.derivation import Definition, GaussianChain, Recurrence
from symem.errors import NotDerivedError
from symem.language.leaves import name_of
from symem.language.model import Variable
from symem.language.plates import Axis, LogIverson
from symem.language.real_families import Normal


def eliminate_states(state: Elimination, variable: Variable, waiting: list[Variable]) -> None:
    """Integrate the states of a chain out, from its first place to its last.

    Raises:
        NotDerivedError: states are coupled with others than their neighbours along one axis, with labels along the chain,
            or with another chain; or a term is no quadratic in them.
    """
    if variable.seen is not None:
        seen = name_of(variable.seen[0])
        raise NotDerivedError(
            f"{seen} depends on the one before, and of each some entries may be missing, others seen, which is not derived. Let states carry it, "
            f"x[t]: MultivariateNormal(F*x[t - 1], Q), and say what is seen of each entry, {seen}[t, k]: Normal(e[k].T*x[t], s), e[k] the rows "
            f"of the identity and s small, both known; what is NaN is then skipped."
        )
    others = [other for other in waiting if other is not variable]
    links = Links.of(state, variable)
    links.check_alone(others)
    links = with_companions(state, links)
    chain = _States(state, links, state.labels(links.whole, others))
    there = replace(links.whole, position=links.position, terms=())
    state.leave(chain.record(), there, chain.normaliser.symbol + chain.volume, links.terms)


def with_companions(state: Elimination, links: Any) -> Any:
    """With the terms of each place that hold no latent: what data say by themselves."""
    position = set(links.position)
    found = [term for term in links.rest if position <= set(term.axes) and not _holds_latent(state, term)]
    plates = {axis.index for axis in links.plates}
    own = [Term(t.factor, tuple(a for a in t.axes if a.index not in plates)) for t in found]
    rest = tuple(term for term in links.rest if term not in found)
    return replace(links, terms=(*links.terms, *own), rest=rest)


def _holds_latent(state: Elimination, term: Term) -> bool:
    return term.factor.has(LogIverson) or any(atoms_of(term.factor, each) for each in state.model.latents)


@dataclass(frozen=True)
class _States:
    """The definitions of a chain of states, at its plates and the labels that it depends on."""

    state: Elimination
    links: Links
    labels: Labelling

    def record(self) -> GaussianChain:
        links = self.links
        return GaussianChain(
            latent=links.variable, atom=links.atom, axes=(*links.position, *self.label_axes), labels=self.labels,
            condition=links.condition,
            family="MultivariateNormal" if links.variable.shape else Normal.name, log_density=rejoin(links.terms),
            log_normaliser=self.normaliser, along=links.along, steps=links.steps, first=self.first, link=self.link,
            precision=self.precision, shift=self.shift, predicted_variance=self.predicted_variance,
            filtered_variance=self.filtered_variance, predicted_mean=self.predicted_mean,
            filtered_mean=self.filtered_mean, smoothed_mean=self.smoothed_mean,
            smoothed_variance=self.smoothed_variance, neighbours=self.neighbours,
        )  # fmt: skip

    @property
    def label_axes(self) -> tuple[Axis, ...]:
        return tuple(axis for _, axis in self.labels)

    @property
    def plates(self) -> tuple[Axis, ...]:
        return (*self.links.plates, *self.label_axes)

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        return (*self.links.position, *self.label_axes)

    @cached_property
    def forms(self) -> Forms:
        return of_states(self.links, {atom: axis.index for atom, axis in self.labels})

    # -- what is said of states ------------------------------------------------------------------------

    @cached_property
    def first(self) -> tuple[Expr, Expr]:
        """Mean and variance of the first state."""
        if self.forms.first.square == 0:
            raise NotDerivedError(
                f"Nothing says how spread the first of {self.links.atom} is: give it a law, {self.links.variable.name}[0]: Normal(m, s)."
            )
        return self.forms.start

    @cached_property
    def link(self) -> tuple[Expr, Expr, Expr]:
        """F, b and Q of the next state, Normal(F h + b, Q)."""
        if self.forms.step.later.square == 0:
            raise NotDerivedError(
                f"Nothing says how spread the next of {self.links.atom} is, given the one before."
            )
        return self.forms.link

    @cached_property
    def precision(self) -> Definition:
        """Λ, of what a place says by itself, over no more axes than it depends on."""
        return self._evidence("Lambda", "square", columns=self.forms.algebra.size)

    @cached_property
    def shift(self) -> Definition:
        """η."""
        return self._evidence("eta", "line", columns=Integer(1))

    def _evidence(self, stem: str, part: str, columns: Expr) -> Definition:
        value = self._at_place(part)
        always = {self.links.along.index} if part == "line" else set()
        axes = tuple(axis for axis in self.axes if axis.index in value.free_symbols | always)
        return self._named(stem, axes, value, columns, "symmetric" if part == "square" else "")

    def _at_place(self, part: str) -> Expr:
        """A part of what a place says: of its own terms, of the last place's, and of what a link says more of its first."""
        links, forms = self.links, self.forms
        t, s = links.along.index, links.steps.index
        own = getattr(forms.place, part)
        last = getattr(forms.last, part)
        more = getattr(forms.beyond, part).xreplace({s: t})
        own += Piecewise((last, Lt(links.along.size - 2, t)), (S.Zero, true)) if last != 0 else S.Zero
        return own + (Piecewise((more, Lt(t, links.along.size - 1)), (S.Zero, true)) if more != 0 else S.Zero)

    # -- forward ---------------------------------------------------------------------------------------

    @cached_property
    def predicted_variance(self) -> Definition:
        before = self.forms.algebra.inverse(
            self.forms.algebra.inverse(self.letters["R"]) + self.precision.symbol
        )
        spread, _, noise = self.link
        following = self.forms.algebra.around(spread, before) + noise
        return self._recurrence("R", self.first[1], self._after(following), backward=False)

    @cached_property
    def filtered_variance(self) -> Definition:
        algebra = self.forms.algebra
        value = algebra.inverse(algebra.inverse(self.predicted_variance.symbol) + self.precision.symbol)
        return self._named("P", self.axes, value, algebra.size, kind="positive definite")

    @cached_property
    def predicted_mean(self) -> Definition:
        spread, offset, _ = self.link
        following = spread * self._updated(self.letters["a"]) + offset
        return self._recurrence("a", self.first[0], self._after(following), backward=False)

    @cached_property
    def filtered_mean(self) -> Definition:
        value = self._updated(self.predicted_mean.symbol)
        return self._named("m", self.axes, value, Integer(1))

    def _updated(self, mean: Expr) -> Expr:
        """m + P (η - Λ m), of the mean of what came before."""
        return mean + self.filtered_variance.symbol * (self.shift.symbol - self.precision.symbol * mean)

    def _after(self, value: Expr) -> Expr:
        """A value at a link, told at the place behind it."""
        t, s = self.links.along.index, self.links.steps.index
        return value.xreplace({t: t - 1, s: t - 1})

    # -- backward --------------------------------------------------------------------------------------

    @cached_property
    def gain(self) -> Expr:
        """G, of the smoother, at a place before another."""
        algebra, t = self.forms.algebra, self.links.along.index
        spread = self.link[0].xreplace({self.links.steps.index: t})
        ahead = algebra.inverse(self._next(self.predicted_variance.symbol))
        return self.filtered_variance.symbol * algebra.transpose(spread) * ahead

    @cached_property
    def smoothed_mean(self) -> Definition:
        surprise = self._next(self.letters["E"]) - self._next(self.predicted_mean.symbol)
        following = self.filtered_mean.symbol + self.gain * surprise
        return self._recurrence("E", self.filtered_mean.symbol, following, backward=True)

    @cached_property
    def smoothed_variance(self) -> Definition:
        known = self._next(self.letters["V"]) - self._next(self.predicted_variance.symbol)
        following = self.filtered_variance.symbol + self.forms.algebra.around(self.gain, known)
        return self._recurrence("V", self.filtered_variance.symbol, following, backward=True)

    @cached_property
    def neighbours(self) -> Definition:
        """C, the covariance of a state with the one before."""
        algebra, links = self.forms.algebra, self.links
        value = self._next(self.smoothed_variance.symbol) * algebra.transpose(self.gain)
        places = (links.steps if axis == links.along else axis for axis in links.position)
        axes = (*places, *self.label_axes)
        return self._named("C", axes, value.xreplace({links.along.index: links.steps.index}), algebra.size)

    def _next(self, value: Expr) -> Expr:
        t = self.links.along.index
        return value.xreplace({t: t + 1})

    # -- what is left ----------------------------------------------------------------------------------

    @cached_property
    def normaliser(self) -> Definition:
        """Σ_t of the log-densities of what each place says given those before: its log-density at the predicted mean, and what
        the spread about that adds.
        """
        algebra, mean = self.forms.algebra, self.predicted_mean.symbol
        slope = self.shift.symbol - self.precision.symbol * mean
        at_mean = self._at_place("constant") + self.forms.at(self._at_place, mean)
        spread = algebra.form(slope, self.filtered_variance.symbol, slope) / 2
        size = self.links.along
        volume = algebra.log_det(self.filtered_variance.symbol) - algebra.log_det(
            self.predicted_variance.symbol
        )
        value = Sum(at_mean + spread + volume / 2, size.limits)
        return self.state.normaliser(self.links.variable, self.plates, value)

    @property
    def volume(self) -> Expr:
        """What the laws of the first state and of the links lack to be densities."""
        algebra = self.forms.algebra
        said, (_, variance) = self.forms.first, self.first
        first = (algebra.form(said.line, variance, said.line) + algebra.log_volume(variance)) / 2
        later, (_, _, noise) = self.forms.step.later, self.link
        link = (algebra.form(later.line, noise, later.line) + algebra.log_volume(noise)) / 2
        return first + self.links.over_pairs(link)

    # -- names -----------------------------------------------------------------------------------------

    @cached_property
    def letters(self) -> dict[str, Expr]:
        """Of the moments that recur: predicted ones R and a, smoothed ones V and E."""
        size = self.forms.algebra.size
        squares = {stem: self._symbol(stem, self.axes, size, "positive definite") for stem in "RV"}
        return squares | {stem: self._symbol(stem, self.axes, Integer(1), "") for stem in "aE"}

    def _symbol(self, stem: str, axes: tuple[Axis, ...], columns: Expr, kind: str) -> Expr:
        places, name = tuple(axis.index for axis in axes), f"{stem}_{self.links.variable.name}"
        if self.links.variable.shape:
            return self.state.names.matrix(name, places, (self.forms.algebra.size, columns), kind)
        sign = {"positive": True} if kind == "positive definite" else {"real": True}
        return self.state.names.entry(name, places, **sign)

    def _named(
        self, stem: str, axes: tuple[Axis, ...], value: Expr, columns: Expr, kind: str = ""
    ) -> Definition:
        return Definition(self._symbol(stem, axes, columns, kind), axes, value)

    def _recurrence(self, stem: str, first: Expr, following: Expr, *, backward: bool) -> Definition:
        told = Recurrence(self.letters[stem], self.links.along, first, following, backward)
        return Definition(told.symbol, self.axes, told.value)
