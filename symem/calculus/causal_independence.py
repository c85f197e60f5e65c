"""Latents that act together through a product of one factor each: an OR, an AND, a noisy-or.

What depends on all latents of a plate at once is a function of P = ∏_j g_j(z_j), 0 ≤ P ≤ 1, that is affine in P once it is
exponentiated: exp f(P) = (1 - P) exp f(0) + P exp f(1). That is so wherever P is 0 or 1, and of a yes or no that has
probability 1 - P. Its mean over independent z_j needs only E P = ∏_j E g_j, so all z_j are summed out in one pass, where
the table of their configurations has 2ᴶ rows; both weights are positive, so no digits cancel. (Noisy-or: Pearl 1988,
section 4.3; the mean of a product of causes: Heckerman 1989.)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product as cartesian

from sympy import (
    Add,
    Dummy,
    Expr,
    Integer,
    Poly,
    PolynomialError,
    Product,
    S,
    Symbol,
    cancel,
    exp,
    expand,
    log,
)

from symem.calculus.eliminated import Case, Elimination
from symem.calculus.finite_tables import at_value, by_value, definite, with_companions
from symem.calculus.gathering import Conditional, atoms_of, gather_latent
from symem.calculus.separate import Term, gather, rejoin
from symem.derivation import Causes, Definition
from symem.errors import NotDerivedError
from symem.language.counting_families import Bernoulli
from symem.language.leaves import places_of
from symem.language.logarithm import log_of
from symem.language.model import Model, Variable
from symem.language.plates import Axis, fresh_index, total
from symem.language.supports import Binary
from symem.language.weights import once

_P = Dummy("P", nonnegative=True)


def acting_together(terms: Iterable[Term], variable: Variable) -> tuple[Term, ...]:
    """The terms in which a latent stands inside a product over its own plate."""
    return tuple(term for term in terms if products_of(term.factor, variable))


def products_of(expr: Expr, variable: Variable) -> list[Expr]:
    """The products over the positions of a variable."""
    return sorted((p for p in expr.atoms(Product) if atoms_of(p.function, variable)), key=str)


def eliminate_causes(state: Elimination, variable: Variable, waiting: Sequence[Variable]) -> None:
    """Sum the latents of a plate that act together out.

    Raises:
        NotDerivedError: they act through more than one product, or not by a function that is affine in it, or their
            own log weights depend on other latents of their plate.
    """
    coupled = acting_together(state.terms, variable)
    own = gather_latent([t for t in state.terms if t not in coupled], variable, state.model.weights)
    own = with_companions(state, own)
    gate = _gate(coupled, own, state.model)
    joint = with_companions(state, replace(own, position=gate.plates, terms=gate.terms))
    everything = (*own.terms, *joint.terms, Term(gate.factor))
    labels = state.labels(replace(own, position=gate.plates, terms=everything), list(waiting))
    beside = Case(replace(own, terms=everything), (), tuple(waiting)).others()
    if beside:
        raise NotDerivedError(
            f"What {own.atom} does depends on {', '.join(map(str, beside))}, which must be eliminated before."
        )
    gate = replace(gate, terms=joint.terms)
    _leave(state, Case(replace(own, rest=joint.rest), labels, tuple(waiting)), gate)


# what the latents do together -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Gate:
    """f(P), the `terms` in P, with P = ∏ `factor` over the `coupled` axes of a latent, on the `plates` that are left."""

    atom: Expr
    factor: Expr
    coupled: tuple[Axis, ...]
    plates: tuple[Axis, ...]
    terms: tuple[Term, ...]
    binary: frozenset[Expr]

    @property
    def product(self) -> Expr:
        """P as it stands."""
        return Product(self.factor, *(axis.limits for axis in self.coupled))

    @property
    def in_product(self) -> tuple[Term, ...]:
        """The terms with the product in them."""
        return tuple(term.replace({_P: self.product}) for term in self.terms)

    def at(self, labels: tuple[tuple[Expr, Axis], ...]) -> Gate:
        """The same with every label at its axis."""
        rules = {atom: axis.index for atom, axis in labels}
        return replace(
            self, factor=self.factor.xreplace(rules), terms=gather(t.replace(rules) for t in self.terms)
        )

    def holds(self, value: int) -> Expr:
        """g at a value of the latent."""
        return expand(self.factor.xreplace({self.atom: Integer(value)}))

    @cached_property
    def is_event(self) -> bool:
        """Whether P is 0 or 1."""
        found = (
            self.holds(value).xreplace(rules) for value in (0, 1) for rules in self._choices(self.factor)
        )
        return all(each in (0, 1) for each in found)

    @property
    def is_affine(self) -> bool:
        """Whether exp f(P) is affine in P."""
        whole = Add(*(term.factor for term in self.terms))
        alone = not any(term.axes for term in self.terms)
        return self.is_event or (alone and all(_is_affine(whole.xreplace(r)) for r in self._choices(whole)))

    def _choices(self, expr: Expr) -> Iterator[dict[Expr, Expr]]:
        """The values of what is known to be 0 or 1 in an expression."""
        held = sorted((a for a in expr.atoms(Symbol, type(self.atom)) if _array(a) in self.binary), key=str)
        for values in cartesian((S.Zero, S.One), repeat=len(held)):
            yield dict(zip(held, values, strict=True))


def _array(atom: Expr) -> Expr:
    return getattr(atom, "base", atom)


def _is_affine(power: Expr) -> bool:
    try:
        return bool(Poly(cancel(exp(power)), _P).degree() <= 1)
    except PolynomialError:
        return False


def _gate(coupled: Sequence[Term], own: Conditional, model: Model) -> Gate:
    """What the terms say of the latents together.

    Raises:
        NotDerivedError: it is no function of one product over whole plates of theirs that is affine in it.
    """
    found = [_aligned(term, own) for term in coupled]
    if own.condition != 1 or len({(factor, axes) for factor, axes, _term in found}) != 1:
        raise _refused(own, coupled)
    factor, axes, _term = found[0]
    plates = tuple(axis for axis in own.position if axis not in axes)
    terms = gather(Term(once(term.factor, model.weights), term.axes) for *_same, term in found)
    terms = gather(Term(t.factor, tuple(a for a in t.axes if a not in plates)) for t in terms)
    binary = frozenset(v.symbol for v in model.variables.values() if isinstance(v.support, Binary))
    gate = Gate(own.atom, factor, axes, plates, terms, binary)
    if not isinstance(own.variable.support, Binary) or not gate.is_affine:
        raise _refused(own, coupled)
    return gate


def _refused(own: Conditional, coupled: Sequence[Term]) -> NotDerivedError:
    return NotDerivedError(
        f"All {own.atom} stand together in {coupled[0].factor}: they are summed out where they are 0 or 1 and all that depends on "
        f"several at once is a function of one product of theirs that is 0 or 1, or a yes or no with a probability that is "
        f"linear in a product; else write one latent for what stands there, with a law of its own."
    )


def _aligned(term: Term, own: Conditional) -> tuple[Expr, tuple[Axis, ...], Term]:
    """g at the latent's position, the axes of the product, and the term in P."""
    found = products_of(term.factor, own.variable)
    atoms = atoms_of(found[0].function, own.variable)
    inside = {index: high + 1 for index, low, high in found[0].limits if low == 0}
    places = places_of(atoms[0])
    outer = {axis.index: axis.size for axis in term.axes}
    sizes = inside | outer
    whole = len(set(places)) == len(places) and all(
        place in sizes and expand(sizes[place] - axis.size) == 0
        for place, axis in zip(places, own.position, strict=True)
    )
    factor = term.factor.xreplace({found[0]: _P})
    plain = len(found) == len(atoms) == 1 and not atoms_of(factor, own.variable)
    if not (whole and plain and len(inside) == len(found[0].limits) and set(inside) <= set(places)):
        raise _refused(own, [term])
    rules = {place: axis.index for place, axis in zip(places, own.position, strict=True)}
    taken = term.factor.free_symbols | set(rules.values())
    for axis in term.axes:
        if axis.index in rules.values() and axis.index not in rules:
            rules[axis.index] = fresh_index(axis.index, taken)
            taken.add(rules[axis.index])
    axes = tuple(Axis(rules.get(axis.index, axis.index), axis.size) for axis in term.axes)
    coupled = tuple(axis for place, axis in zip(places, own.position, strict=True) if place in inside)
    g, beside = found[0].function.xreplace(rules), {a.index for a in axes} - {a.index for a in own.position}
    if g.free_symbols & beside:
        raise _refused(own, [term])
    return g, coupled, Term(factor.xreplace(rules), axes)


# what they leave ------------------------------------------------------------------------------------------------


def _leave(state: Elimination, case: Case, stated: Gate) -> None:
    """The posterior of each latent, and the log of what all configurations weigh together."""
    gate = stated.at(case.labels)
    axes = (*case.axes, state.outcome_axis(case.variable, case.used_indices))
    line = _Lines(state, case, gate, tuple(axis for axis in case.axes if axis not in gate.coupled), [])
    own, outcome = definite(case.terms, case.yes_or_no), axes[-1].index
    zero, one = (at_value(definite(gate.terms, (_P, *case.yes_or_no)), _P, value) for value in (0, 1))
    eta = line.new("eta", axes, by_value(outcome, [at_value(own, case.atom, value) for value in (0, 1)]))
    weights = [eta.xreplace({outcome: Integer(value)}) for value in (0, 1)]
    left, event, shares = _summed_out(line, weights, (zero, one))
    normaliser = state.normaliser(case.variable, line.shared, left)
    line.new("gamma", axes, by_value(outcome, shares), nonnegative=True)
    weight, *parts, probability = line.parts
    alone = tuple(Term(t.factor, t.axes + gate.coupled) for t in case.terms)
    posterior = Causes(
        **{**case.shared, "axes": line.shared},
        family=Bernoulli.name,
        log_density=rejoin((*alone, *gate.in_product)),
        log_normaliser=normaliser,
        outcome=axes[-1],
        log_weight=weight,
        probability=probability,
        value=outcome,
        parts=tuple(parts),
        coupled=gate.coupled,
        product=gate.product,
        factor=by_value(outcome, [gate.holds(0), gate.holds(1)]),
        alone=rejoin(case.terms),
        together=rejoin(gate.in_product),
        says=(zero, one),
        event=event if gate.is_event else None,
    )
    state.leave(posterior, case.conditional, normaliser.symbol, stated.in_product)


def _summed_out(
    line: _Lines, weights: Sequence[Expr], says: tuple[Expr, Expr]
) -> tuple[Expr, Expr, list[Expr]]:
    """What all configurations weigh together, the probability π that P came out as 1, and those of the values of a latent.

    Given how P came out the latents are independent again: where it is 1 each has its own law times g; where it is 0,
    either its own factor failed or that of another did.
    """
    gate, each, shared = line.gate, line.case.axes, line.shared
    free = line.new("L", each, _log_sum(weights))
    kept = line.new("k", each, _log_sum(_weighed(weights, gate, kept=True)))
    lost = _log_sum(_weighed(weights, gate, kept=False))
    fails = line.new("l", each, log(log(1 + exp(lost - kept))))
    some = line.new("t", shared, log(line.summed(exp(fails))))
    every, short = -exp(some), line.new("c", shared, log(1 - exp(-exp(some))))
    others = line.new("d", each, log(1 - exp(exp(fails) - exp(some))))
    ratio = line.new("r", shared, expand(says[1] - says[0], log=False))
    whole = line.new("B", shared, _log_sum([short, ratio + every]))
    event = line.new("pi", shared, 1 / (1 + exp(short - every - ratio)), nonnegative=True)
    shares = []
    for value, own in enumerate(weights):
        g, unknown = gate.holds(value), own - free - whole
        known = exp(unknown + others) + event * exp(own - kept)
        shares.append(_times(1 - g, exp(unknown)) + _times(g, known))
    return line.summed(free) + _log_sum([says[0] + short, says[1] + every]), event, shares


@dataclass
class _Lines:
    """The definitions of a straight-line program, named after the latent."""

    state: Elimination
    case: Case
    gate: Gate
    shared: tuple[Axis, ...]
    parts: list[Definition]

    def new(self, stem: str, axes: tuple[Axis, ...], value: Expr, **sign: bool) -> Expr:
        """A new name for a value."""
        name = f"{stem}_{self.case.variable.name}"
        symbol = self.state.names.entry(name, tuple(axis.index for axis in axes), **(sign or {"real": True}))
        self.parts.append(Definition(symbol, axes, value))
        return symbol

    def summed(self, entry: Expr) -> Expr:
        """The sum over all latents that act together."""
        return total(entry, self.gate.coupled)


def _log_sum(logs: Iterable[Expr]) -> Expr:
    """log Σ exp."""
    return log(Add(*map(exp, logs)))


def _weighed(weights: Sequence[Expr], gate: Gate, *, kept: bool) -> Iterator[Expr]:
    """The log weights of the values, times g or 1 - g."""
    for value, weight in enumerate(weights):
        share = gate.holds(value) if kept else expand(1 - gate.holds(value))
        if share != 0:
            yield weight + log_of(share)


def _times(share: Expr, value: Expr) -> Expr:
    share = expand(share)
    return S.Zero if share == 0 else share * value
