"""Statistics that are a sum over rows and something else: two statistics, so that each part of the data has its own rows
and what belongs to no row is known apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from sympy import Add, Expr, Indexed, IndexedBase, Symbol

from symem.codegen.lowering.entrywise import EntryDerivation
from symem.derivation import Definition, Derivation, Update
from symem.language.leaves import name_of

#: Whether a term is a sum over rows, or as often there as there are rows.
ByRows = Callable[[Expr], bool]


def parted(derivation: Derivation, by_rows: ByRows) -> Derivation:
    """The derivation with each plain statistic that mixes such terms with others as the sum of two."""
    surrogate = derivation.surrogate
    kept = {*surrogate.of_moments}
    mixed = {
        name_of(each.symbol): _two(each, by_rows)
        for each in surrogate.statistics
        if name_of(each.symbol) not in kept and _mixes(each.value, by_rows)
    }
    if not mixed:
        return derivation
    scores = (replace(each, definition=_put_in([each.definition], mixed)[0]) for each in derivation.scores)
    statistics = [mixed.get(name_of(each.symbol), (each,)) for each in surrogate.statistics]
    updates = (_updated(each, mixed) for each in derivation.updates)
    found = replace(
        derivation,
        surrogate=replace(
            surrogate, statistics=_put_in((each for pair in statistics for each in pair), mixed)
        ),
        updates=tuple(updates),
        scores=tuple(scores),
    )
    if isinstance(found, EntryDerivation):
        factors = {symbol: _put_in(each, mixed) for symbol, each in found.factors.items()}
        return replace(found, factors=factors)
    return found


def _updated(update: Update, mixed: dict[str, tuple[Definition, Definition]]) -> Update:
    return update.rewritten(lambda part: _sums(part, mixed), lambda each: _put_in([each], mixed)[0])


def _mixes(value: Expr, by_rows: ByRows) -> bool:
    return len({bool(by_rows(term)) for term in Add.make_args(value)}) > 1


def _two(definition: Definition, by_rows: ByRows) -> tuple[Definition, Definition]:
    """The sum over rows, and the rest."""
    terms = Add.make_args(definition.value)
    rows = [term for term in terms if by_rows(term)]
    rest = [term for term in terms if not by_rows(term)]
    named = (_named(definition.symbol, "rows"), Add(*rows)), (_named(definition.symbol, "rest"), Add(*rest))
    one, other = (replace(definition, symbol=symbol, value=value) for symbol, value in named)
    return one, other


def _named(symbol: Expr, part: str) -> Expr:
    name = f"{name_of(symbol)}_{part}"
    if isinstance(symbol, Indexed):
        return IndexedBase(name, real=True)[symbol.indices]
    return Symbol(name, real=True)


def _put_in(
    definitions: Iterable[Definition], mixed: dict[str, tuple[Definition, Definition]]
) -> tuple[Definition, ...]:
    return tuple(replace(each, value=_sums(each.value, mixed)) for each in definitions)


def _sums(value: Expr, mixed: dict[str, tuple[Definition, Definition]]) -> Expr:
    """The value with the two parts of each mixed statistic in its place."""
    entries = {each for each in value.atoms(Indexed, Symbol) if name_of(each) in mixed}
    return value.xreplace({each: Add(*(_named(each, part) for part in ("rows", "rest"))) for each in entries})
