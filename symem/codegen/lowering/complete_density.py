"""The E-step in the complete-data density as the model states it, in which every square is about its mean.

A label's log weight is the complete log-density at that label. A Gaussian latent leaves its density at the mode û times
its volume, ∫ exp f(u) du = exp f(û) · √(2πv), because f is a quadratic (Laplace's method, which is exact here). The
record has the same values multiplied out; of data far from zero those are small differences of large numbers.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from sympy import Add, Eq, Expr, Indexed, Mul, S, Sum, Symbol, expand, log, oo, pi

from symem.algebra.squares import completed, squares
from symem.codegen.lowering.selection import collapsed, parted
from symem.derivation import (
    Causes,
    Definition,
    Derivation,
    GaussianVector,
    Linked,
    Posterior,
    Quadrature,
    Recognised,
    Table,
)
from symem.language.leaves import name_of, places_of
from symem.language.matrices import is_matrix, letters, word_of
from symem.language.plates import Axis, Iverson, fresh_index, reindex
from symem.language.traces import Tr, trace, words
from symem.language.weights import Weight, count_of, once


@dataclass(frozen=True)
class Term:
    """A summand of the complete log-density, what it is summed over, and how often its row counts."""

    body: Expr
    axes: tuple[Axis, ...]
    count: Expr = S.One

    @property
    def held(self) -> tuple[Axis, ...]:
        """The axes of the sum: all of what may belong to the square of a vector, else those that the body has."""
        if self.body.has(Tr):
            return self.axes
        there = self.body.free_symbols | self.count.free_symbols
        return tuple(axis for axis in self.axes if axis.index in there)

    @property
    def summand(self) -> Expr:
        """The body, as many times as its row counts and as there are positions on other axes."""
        return Mul(self.body, self.count, *(axis.size for axis in self.axes if axis not in self.held))


class _Unsuited(Exception):  # noqa: N818 - no error: the record's own form is taken
    """A latent that neither has a mode nor is a label at one position by itself."""


def with_stated_densities(derivation: Derivation) -> Derivation:
    """The derivation with log weights and log-likelihood as stated, where every latent is Gaussian or a label; with
    squares completed in any case.
    """
    names = _moving(derivation)
    with contextlib.suppress(_Unsuited):
        derivation = _at_modes(derivation)

    def completed(definition: Definition) -> Definition:
        return replace(definition, value=_completed(definition.value, names))

    posteriors = tuple(each.rewritten(completed) for each in derivation.posteriors)
    value = _completed(derivation.log_likelihood, names)
    return replace(derivation, posteriors=posteriors, log_likelihood=value)


def _at_modes(derivation: Derivation) -> Derivation:
    terms = list(_terms(derivation.model.log_likelihood, derivation.model.weights))
    for posterior in derivation.posteriors:
        if isinstance(posterior, Quadrature):
            raise _Unsuited
        if not isinstance(posterior, Table):
            terms = [*_at_mode(posterior, terms), *_volume(posterior)]
    posteriors = []
    whole = True
    for posterior in derivation.posteriors:
        if isinstance(posterior, Table):
            # Where a condition does not hold the table weighs nothing, and has no logarithm.
            if posterior.condition is not None or isinstance(posterior, Causes | Linked):
                raise _Unsuited
            weight, terms = _weighed(posterior, terms, whole=whole)
            whole = False
            posterior = replace(posterior, log_weight=weight)  # noqa: PLW2901
        posteriors.append(posterior)
    value = _joined(terms)
    weights = [each.log_weight.value for each in posteriors if isinstance(each, Table)]
    hidden = {each.name for each in derivation.model.latents}
    if any(hidden & set(map(name_of, each.atoms(Indexed, Symbol))) for each in (value, *weights)):
        raise _Unsuited
    return replace(derivation, posteriors=tuple(posteriors), log_likelihood=value)


def _joined(terms: Iterable[Term]) -> Expr:
    """The sum of the terms, those over the same axes under one sum, as squares need them."""
    bodies: dict[tuple[Axis, ...], list[Expr]] = {}
    for term in terms:
        bodies.setdefault(term.held, []).append(term.summand)
    sums = [
        Sum(Add(*each), *(axis.limits for axis in axes)) if axes else Add(*each)
        for axes, each in bodies.items()
    ]
    return Add(*sums)


def _terms(value: Expr, weights: Sequence[Weight]) -> Iterator[Term]:
    """The summands of a sum of sums."""
    for part in Add.make_args(value):
        if isinstance(part, Sum):
            axes = tuple(Axis(index, upper + 1) for index, _, upper in part.limits)
            yield from _summands(part.function, axes, weights)
        else:
            yield Term(part, ())


def _summands(function: Expr, axes: tuple[Axis, ...], weights: Sequence[Weight]) -> Iterator[Term]:
    """What is added under a sum, the count of the row, which all of it has, apart."""
    count = count_of(function, weights)
    inner = once(function, weights) if count != 1 else function
    for each in Add.make_args(inner):
        own = count_of(each, weights)
        yield Term(once(each, weights) if own != 1 else each, axes, count * own)


# -- Gaussian latents ----------------------------------------------------------------------------------------


def _at_mode(posterior: Posterior, terms: Iterable[Term]) -> list[Term]:
    """The terms with the latent at its mode."""
    mode, found = _mode(posterior), []
    for term in terms:
        atoms = _atoms(term.body, posterior)
        rules = {atom: reindex(mode, _places(posterior, atom)) for atom in atoms}
        found.append(replace(term, body=_replaced(term.body, rules)) if rules else term)
    return found


def _mode(posterior: Posterior) -> Expr:
    """The mean of a vector, or of a number whose log-density is a quadratic on the whole line."""
    if isinstance(posterior, GaussianVector):
        return posterior.mean
    if not isinstance(posterior, Recognised) or set(posterior.arguments) != {"m", "v"}:
        raise _Unsuited
    if posterior.bounds != (-oo, oo):
        raise _Unsuited
    return posterior.arguments["m"]


def _replaced(body: Expr, rules: dict[Expr, Expr]) -> Expr:
    """The body with a latent replaced, forms of vectors turned as if they had been written so."""
    forms = {form: trace(reindex(form.args[0], rules), 1) for form in body.atoms(Tr) if form.has(*rules)}
    return reindex(body.xreplace(forms), rules)


def _places(posterior: Posterior, atom: Expr) -> dict[Expr, Expr]:
    """What a posterior's own indices are at that atom: its plates those of the atom, its label axes the labels there."""
    places = dict(zip(posterior.atom.indices, atom.indices, strict=True)) if _slots(posterior) else {}
    return {**places, **{axis.index: label.xreplace(places) for label, axis in posterior.labels}}


def _volume(posterior: Posterior) -> list[Term]:
    """log √(2πv), or its like for vectors, at every position."""
    if isinstance(posterior, GaussianVector):
        value = posterior.log_volume
    else:
        assert isinstance(posterior, Recognised)
        value = log(posterior.arguments["v"]) / 2 + log(2 * pi) / 2
    if posterior.condition is not None:
        value = posterior.condition * value
    labels = {axis.index: label for label, axis in posterior.labels}
    own = tuple(axis for axis in posterior.axes if axis.index not in labels)
    return [Term(reindex(each, labels), own, posterior.count) for each in Add.make_args(value)]


# -- labels --------------------------------------------------------------------------------------------------


def _weighed(posterior: Table, terms: list[Term], *, whole: bool) -> tuple[Definition, list[Term]]:
    """The log weight of a label, and the terms that are left with its normaliser. `whole`: with terms of its rows that
    are free of it, which its squares may lack.
    """
    labels = {label: axis.index for label, axis in posterior.labels}
    indices = {axis.index for axis in posterior.axes} - set(labels.values())
    own = tuple(axis for axis in posterior.axes if axis.index in indices)
    inside, left = [], []
    for term in terms:
        if _atoms(term.body, posterior):
            inside.append(_at_label(posterior, term, own))
        elif whole and own and _lies_on(term, own) and _renamed_count(term, own) == posterior.count:
            inside.append(_at_position(term, _onto(term, own)))
        else:
            left.append(term)
    value = _joined(replace(each, body=reindex(each.body, labels)) for each in inside)
    normaliser = reindex(posterior.log_normaliser.symbol, {index: label for label, index in labels.items()})
    return replace(posterior.log_weight, value=value), [*left, Term(normaliser, own, posterior.count)]


def _at_label(posterior: Table, term: Term, own: tuple[Axis, ...]) -> Term:
    """A term at the label's value, what is summed over other positions picked out."""
    term = _apart(term, {axis.index for axis in own} | posterior.value.free_symbols)
    atoms = _atoms(term.body, posterior)
    if len(atoms) != 1:
        raise _Unsuited
    (atom,) = atoms
    if _is_impossible_somewhere(term.body, [atom, *(label for label, _axis in posterior.labels)]):
        raise _Unsuited
    bound = {axis.index: axis for axis in term.axes}
    body, renamed = term.body, {}
    for place, axis in zip(places_of(atom), own, strict=True):
        if place in bound:
            renamed[bound[place]] = axis
        else:
            body = Iverson(Eq(place, axis.index)) * body
    places = {old.index: new.index for old, new in renamed.items()}
    found = reindex(body, {**places, atom: posterior.value})
    over = [axis.index for axis in term.axes if axis not in renamed]
    parts = [part for factor in Mul.make_args(found) for part in parted(factor)]
    factors = collapsed(parts, over, ())
    return Term(Mul(*factors), tuple(axis for axis in term.axes if axis.index in over))


def _is_impossible_somewhere(body: Expr, choices: Sequence[Expr]) -> bool:
    """Whether a value of a latent makes a logarithm one of 0; the record says in brackets where it may."""
    inside = [(each.args[0], name_of(choice)) for each in body.atoms(log) for choice in choices]
    return any(
        arg.xreplace({entry: value}) == 0
        for arg, name in inside
        for entry in arg.atoms(Indexed, Symbol)
        if name_of(entry) == name
        for value in (S.Zero, S.One)
    )


def _apart(term: Term, taken: set[Expr]) -> Term:
    """The same term, its axes named by indices that are not taken."""
    rules: dict[Expr, Expr] = {}
    for axis in term.axes:
        if axis.index in taken:
            others = taken | term.body.free_symbols | set(rules.values())
            rules[axis.index] = fresh_index(axis.index, others)
    axes = tuple(Axis(rules.get(axis.index, axis.index), axis.size) for axis in term.axes)
    return Term(reindex(term.body, rules), axes, reindex(term.count, rules))


def _at_position(term: Term, renamed: dict[Axis, Axis]) -> Term:
    rest = tuple(axis for axis in term.axes if axis not in renamed)
    return Term(reindex(term.body, {old.index: new.index for old, new in renamed.items()}), rest)


def _onto(term: Term, own: tuple[Axis, ...]) -> dict[Axis, Axis]:
    """Which axis of a term is which position of a label."""
    return dict(zip(_matching(term, own), own, strict=True))


def _renamed_count(term: Term, own: tuple[Axis, ...]) -> Expr:
    """How often the row of a term counts, at the positions of a label."""
    return reindex(term.count, {old.index: new.index for old, new in _onto(term, own).items()})


def _matching(term: Term, own: tuple[Axis, ...]) -> list[Axis]:
    return [axis for place in own for axis in term.axes if axis.size == place.size]


def _lies_on(term: Term, own: tuple[Axis, ...]) -> bool:
    """Whether a term is summed over the positions of a label, each plate once."""
    sizes = [axis.size for axis in term.axes]
    return all(sizes.count(axis.size) == 1 for axis in own) and len({axis.size for axis in own}) == len(own)


def _slots(posterior: Posterior) -> bool:
    return isinstance(posterior.atom, Indexed)


def _atoms(body: Expr, posterior: Posterior) -> set[Expr]:
    name = name_of(posterior.atom)
    if not _slots(posterior):
        return {each for each in body.atoms(Symbol) if each == posterior.atom}
    return {each for each in body.atoms(Indexed) if name_of(each) == name}


# -- squares -------------------------------------------------------------------------------------------------


def _moving(derivation: Derivation) -> frozenset[str]:
    """The names of vectors that squares are of: data, and means of vectors that are seen in part."""
    vectors = [each for each in derivation.posteriors if isinstance(each, GaussianVector)]
    means = [name_of(each.mean) for each in vectors if each.latent.seen]
    return frozenset({*(each.name for each in derivation.model.data), *means})


def _completed(value: Expr, names: frozenset[str]) -> Expr:
    """Squares of numbers, and quadratic forms of vectors, completed in every sum; differences of vectors taken first."""
    if is_matrix(value):
        return _gathered(value)
    if not value.has(Tr):
        return squares(value)
    if isinstance(value, Add):
        sums = [each for each in value.args if each.has(Sum)]
        return Add(
            completed(expand(Add(*(each for each in value.args if each not in sums)), log=False), names),
            *(_completed(each, names) for each in sums),
        )
    if isinstance(value, Sum):
        return value.func(_completed(value.function, names), *value.limits)
    if isinstance(value, Mul):
        return value.func(*(_completed(each, names) if each.has(Sum) else each for each in value.args))
    return value


def _gathered(value: Expr) -> Expr:
    """M x - M y as M (x - y)."""
    parts = words(value) if isinstance(value, Add) and not value.has(Sum) else ()
    groups: dict[tuple[Expr, ...], list[Expr]] = {}
    for number, word in parts:
        *before, last = letters(word)
        groups.setdefault(tuple(before), []).append(number * last)
    if not any(len(each) > 1 and before for before, each in groups.items()):
        return value
    return Add(*(word_of((*before, Add(*each))) for before, each in groups.items()))
