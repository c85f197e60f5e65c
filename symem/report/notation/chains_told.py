"""The messages of chains and trees as the books write them: α and β themselves, where the record keeps their logarithms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, TypeAlias

from sympy import (
    Add,
    Expr,
    Ge,
    Indexed,
    IndexedBase,
    Integer,
    Mul,
    Not,
    Piecewise,
    Product,
    S,
    Sum,
    Symbol,
    exp,
    log,
    true,
)

from symem.algebra.rewriting import inlined
from symem.derivation import (
    Chain,
    Definition,
    Derivation,
    GaussianChain,
    Linked,
    Posterior,
    Step,
    Tree,
)
from symem.language.leaves import array_of, name_of
from symem.language.parents import says_of_parent

#: An index, and the first and the last of its values; or a condition on it.
Span: TypeAlias = tuple[Symbol, Expr, Expr] | Any


def with_messages(derivation: Derivation) -> Derivation:
    """The derivation with α, β, the normaliser Z of a chain, and γ and ξ as products of them."""
    told = {each.symbol: new for p in derivation.posteriors for each, new in _told(p)}
    if not told:
        return derivation
    bases = {array_of(p.log_normaliser.symbol) for p in derivation.posteriors if isinstance(p, Chain)}

    def by_normalisers(value: Expr) -> Expr:
        entries = (each for each in value.atoms(Indexed, Symbol) if array_of(each) in bases)
        return value.xreplace({each: log(_positive(each)) for each in entries})

    def definition(each: Definition) -> Definition:
        new = told.get(each.symbol, each)
        return replace(new, value=_joined(by_normalisers(new.value)))

    return replace(
        derivation,
        posteriors=tuple(each.rewritten(definition) for each in derivation.posteriors),
        log_likelihood=by_normalisers(derivation.log_likelihood),
        steps=tuple(_step(each, definition, by_normalisers) for each in derivation.steps),
    )


def _step(step: Step, change: Callable[[Definition], Definition], by: Callable[[Expr], Expr]) -> Step:
    defines = tuple(map(change, step.defines))
    return replace(step, before=by(step.before), after=by(step.after), defines=defines)


def _joined(value: Expr) -> Expr:
    """Terms that hold at the same places, and are 0 at the others, as one sum that holds there."""
    groups: dict[Any, list[Expr]] = {}
    for term in Add.make_args(value):
        inner, held = _where_it_holds(term) or (term, None)
        groups.setdefault(held, []).append(inner)
    if not any(held is not None and len(terms) > 1 for held, terms in groups.items()):
        return value
    return Add(
        *(
            Add(*terms) if held is None else Piecewise((Add(*terms), held), (S.Zero, true))
            for held, terms in groups.items()
        )
    )


def _where_it_holds(value: Expr) -> tuple[Expr, Any] | None:
    """A value and the condition outside which it is 0."""
    if isinstance(value, Piecewise) and len(value.args) == 2 and value.args[1] == (S.Zero, true):
        return value.args[0].expr, value.args[0].cond
    return None


def _told(posterior: Posterior) -> Iterator[tuple[Definition, Definition]]:
    if isinstance(posterior, Chain | Tree):
        yield from _messages(posterior)
    if isinstance(posterior, GaussianChain):
        yield from _predicted(posterior)


def _predicted(chain: GaussianChain) -> Iterator[tuple[Definition, Definition]]:
    """The predicted moments by the filtered ones of the place before."""
    t = chain.along.index
    for definition, filtered in (
        (chain.predicted_variance, chain.filtered_variance),
        (chain.predicted_mean, chain.filtered_mean),
    ):
        before = {each: each.xreplace({t: t - 1}) for each in (filtered.value, filtered.symbol)}
        value = definition.value.xreplace({before[filtered.value]: before[filtered.symbol]})
        yield definition, replace(definition, value=value)


def _messages(chain: Chain | Tree) -> Iterator[tuple[Definition, Definition]]:
    messages = {array_of(each.symbol) for each in chain.messages}
    short = [each for each in chain.said if each != chain.log_weight and isinstance(each.value, log)]

    def unlogged(value: Expr) -> Expr:
        entries = (each for each in value.atoms(Indexed) if each.base in messages)
        return inlined(value, short).xreplace({each: log(_positive(each)) for each in entries})

    for definition in chain.messages:
        short_of = (
            _by_messages(chain) if isinstance(chain, Tree) and definition is chain.upward else definition
        )
        yield definition, _message(short_of, unlogged)
    for definition in (chain.probability, chain.pair):
        yield definition, replace(definition, value=unlogged(definition.value))
    whole, value = chain.log_normaliser, unlogged(chain.log_normaliser.value)
    if isinstance(chain, Chain):
        yield whole, replace(whole, symbol=_positive(whole.symbol), value=exp(value))
    else:
        yield whole, replace(whole, value=value)


def _message(definition: Definition, unlogged: Callable[[Expr], Expr]) -> Definition:
    """A message itself, of the definition of its logarithm."""
    told = definition.recurrence
    if told is None:
        value = _product(unlogged(definition.value))
        return replace(definition, symbol=_positive(definition.symbol), value=value)
    first, following = exp(unlogged(told.first)), exp(unlogged(told.next))
    new = replace(told, symbol=_positive(told.symbol), first=first, next=following, beyond=S.Zero)
    return replace(definition, symbol=new.symbol, value=new.value)


def _by_messages(tree: Tree) -> Definition:
    """What is said at a place and below it, by what is said of its label by its children."""
    children = next(each for each in tree.upward.value.atoms(Sum) if isinstance(each.function, Piecewise))
    at = {tree.along.index: children.limits[0][0]}
    value = tree.upward.value.xreplace({tree.message.value.xreplace(at): tree.message.symbol.xreplace(at)})
    return replace(tree.upward, value=value)


def _product(value: Expr) -> Expr:
    """exp(a + Σ_c b_c) as exp(a) ∏_c exp(b_c)."""
    parts = Add.make_args(value)
    sums = [part for part in parts if isinstance(part, Sum)]
    factors = []
    for each in sums:
        (inside, condition), _ = each.function.args
        factors.append(Product(Piecewise((exp(inside), condition), (S.One, true)), *each.limits))
    return Mul(exp(Add(*(part for part in parts if part not in sums))), *factors)


def letters_of(posterior: Posterior) -> list[tuple[Definition, str]]:
    """The letters that the books have for what is known of a latent."""
    found = ((getattr(posterior, name), letter) for name, letter in posterior.letters.items())
    return [(definition, letter) for definition, letter in found if definition is not None]


def computed_along(posterior: Posterior) -> Iterator[Definition]:
    """The definitions of a posterior, less the logarithms in whose place the messages hold what they are of."""
    short = (
        {each for each in (posterior.log_first, posterior.log_step) if each is not None}
        if isinstance(posterior, Linked)
        else set()
    )
    read = (
        {array_of(a) for e in posterior.definitions for a in e.value.atoms(Indexed, Symbol)}
        if short
        else set()
    )
    return (e for e in posterior.definitions if e not in short or array_of(e.symbol) in read)


def normaliser_letter(posterior: Posterior) -> str:
    """Z of a chain, of which the density itself is told, A of what is a logarithm."""
    return "Z" if isinstance(posterior, Chain) else "A"


def _positive(entry: Expr) -> Expr:
    if isinstance(entry, Symbol):
        return Symbol(name_of(entry), nonnegative=True)
    return IndexedBase(name_of(entry), nonnegative=True)[tuple(entry.indices)]


def cases(definition: Definition) -> Iterable[tuple[Definition, Span | None]]:
    """A definition as it is told: a recurrence at the place where it begins, then at the others, from one to another; one over a
    tree at the roots, then at the others.
    """
    if _is_by_parent(definition.value):
        (following, parent), (first, _) = definition.value.args
        return (
            (replace(definition, value=first), Not(parent)),
            (replace(definition, value=following), parent),
        )
    told = definition.recurrence or definition.beginning
    if told is None:
        return _from_a_place_on(definition)
    index, size = told.axis.index, told.places
    axes = tuple(axis for axis in definition.axes if axis.index != index)
    start = definition.symbol.xreplace({index: told.start})
    span = (index, Integer(0), size - 2) if told.backward else (index, Integer(1), size - 1)
    first = told.first.xreplace({index: told.start})
    return (
        (replace(definition, symbol=start, axes=axes, value=first), None),
        (replace(definition, value=told.next), span),
    )


def _from_a_place_on(definition: Definition) -> Iterable[tuple[Definition, Span | None]]:
    """What is 0 before a place, there and from there on; any other definition as it stands."""
    found = _where_it_holds(definition.value)
    if found is not None and isinstance(found[1], Ge):
        following, held = found
        axis = next((each for each in definition.axes if held == Ge(each.index, held.args[-1])), None)
        if axis is not None and held.rhs.is_Integer and held.rhs.is_positive:
            first, rest = held.rhs, tuple(each for each in definition.axes if each != axis)
            only = definition.symbol.xreplace({axis.index: Integer(0)})
            before = replace(definition, symbol=only, axes=rest) if first == 1 else definition
            return (
                (replace(before, value=S.Zero), None if first == 1 else (axis.index, Integer(0), first - 1)),
                (replace(definition, value=following), (axis.index, first, axis.size - 1)),
            )
    return ((definition, None),)


def _is_by_parent(value: Expr) -> bool:
    """Whether it is one thing at places that have a parent and another at roots."""
    return (
        isinstance(value, Piecewise)
        and len(value.args) == 2
        and says_of_parent(value.args[0].cond) is not None
    )
