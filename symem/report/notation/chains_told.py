"""The messages of a chain as the books write them: α and β themselves, where the record keeps their logarithms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from sympy import Expr, Indexed, IndexedBase, Integer, Symbol, exp, log

from symem.algebra.rewriting import inlined
from symem.derivation import Chain, Definition, Derivation, Posterior, Recurrence, Step
from symem.language.leaves import array_of, name_of

#: An index, and the first and the last of its values.
Span = tuple[Symbol, Expr, Expr]


def with_messages(derivation: Derivation) -> Derivation:
    """The derivation with α, β, and γ and ξ as products of them."""
    chains = [each for each in derivation.posteriors if isinstance(each, Chain)]
    if not chains:
        return derivation
    told = {each.symbol: new for chain in chains for each, new in _told(chain)}
    return replace(
        derivation,
        posteriors=tuple(_posterior(each, told) for each in derivation.posteriors),
        steps=tuple(_step(each, told) for each in derivation.steps),
    )


def _posterior(posterior: Posterior, told: Mapping[Expr, Definition]) -> Posterior:
    if not isinstance(posterior, Chain):
        return posterior
    return posterior.rewritten(lambda each: told.get(each.symbol, each))


def _step(step: Step, told: Mapping[Expr, Definition]) -> Step:
    defines = tuple(told.get(each.symbol, each) for each in step.defines)
    return replace(step, defines=defines) if defines != step.defines else step


def _told(chain: Chain) -> Iterator[tuple[Definition, Definition]]:
    messages = {array_of(each.symbol) for each in (chain.forward, chain.backward)}
    short = [each for each in (chain.log_first, chain.log_last, chain.log_step) if each is not None]
    short = [each for each in short if isinstance(each.value, log)]

    def unlogged(value: Expr) -> Expr:
        entries = (each for each in value.atoms(Indexed) if each.base in messages)
        return inlined(value, short).xreplace({each: log(_positive(each)) for each in entries})

    for definition in (chain.forward, chain.backward):
        told = definition.recurrence
        assert told is not None
        first, following = exp(unlogged(told.first)), exp(unlogged(told.next))
        new = Recurrence(_positive(told.symbol), told.axis, first, following, told.backward)
        yield definition, replace(definition, symbol=new.symbol, value=new.value)
    for definition in (chain.log_normaliser, chain.probability, chain.pair):
        yield definition, replace(definition, value=unlogged(definition.value))


def letters_of(chain: Posterior) -> list[tuple[Definition, str]]:
    """The letters that Rabiner and Bishop have for what is known of a chain; of another posterior, none."""
    if not isinstance(chain, Chain):
        return []
    ends = ((chain.log_first, "rho"), (chain.log_last, "tau"))
    said = [(each, letter) for each, letter in ends if each is not None]
    messages = [(chain.forward, "alpha"), (chain.backward, "beta")]
    return [*said, (chain.log_step, "lambda"), (chain.pair, "xi"), *messages]


def _positive(entry: Expr) -> Expr:
    return IndexedBase(name_of(entry), nonnegative=True)[tuple(entry.indices)]


def cases(definition: Definition) -> Iterable[tuple[Definition, Span | None]]:
    """A definition as it is told: a recurrence at the place where it begins, then at the others, from one to another."""
    told = definition.recurrence
    if told is None:
        return ((definition, None),)
    index, size = told.axis.index, told.axis.size
    axes = tuple(axis for axis in definition.axes if axis.index != index)
    start = definition.symbol.xreplace({index: told.start})
    span = (index, Integer(0), size - 2) if told.backward else (index, Integer(1), size - 1)
    first = told.first.xreplace({index: told.start})
    return (
        (replace(definition, symbol=start, axes=axes, value=first), None),
        (replace(definition, value=told.next), span),
    )
