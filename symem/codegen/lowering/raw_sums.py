"""Centred statistics as sums about zero, m = S_m / N and C = S_C - N m²: what the passes after this one centre by themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from sympy import Expr, Indexed, IndexedBase, Symbol

from symem.derivation import Definition, Derivation, Moments, Shares, Update
from symem.language.matrices import MatrixArray, MatrixEntry, shape
from symem.language.plates import reindex
from symem.language.traces import Element, Tr, element, trace


def about_zero(derivation: Derivation) -> Derivation:
    """The same derivation in Σ w f and Σ w f²."""
    surrogate = derivation.surrogate
    pairs = {pair[0].symbol: pair for moments in surrogate.moments for pair in _raw(moments)}
    if not pairs:
        return derivation
    raw = {
        symbol: Definition(made, definition.axes, value)
        for symbol, (definition, made, value, _) in pairs.items()
    }
    meaning = {
        symbol: Definition(symbol, definition.axes, told)
        for symbol, (definition, _, _, told) in pairs.items()
    }
    scatters = {s.definition.symbol for m in surrogate.moments for s in m.scatters}
    means = {symbol: each for symbol, each in meaning.items() if symbol not in scatters}

    def put(expr: Expr) -> Expr:
        return _put(_put(expr, meaning), means)

    return replace(
        derivation,
        surrogate=replace(
            surrogate,
            value=put(surrogate.value),
            statistics=tuple(raw.get(each.symbol, each) for each in surrogate.statistics),
            moments=(),
        ),
        updates=tuple(_update(each, put) for each in derivation.updates),
    )


def _raw(moments: Moments) -> Iterator[tuple[Definition, Expr, Expr, Expr]]:
    """A centred statistic, the symbol and the value of the sum about zero, and the statistic in terms of it."""
    for mean in moments.means:
        made = _like(mean.symbol)
        yield mean, made, mean.value * moments.total, made / moments.total
    for scatter in moments.scatters:
        made = _like(scatter.definition.symbol)
        yield scatter.definition, made, scatter.raw, made - scatter.excess


def _like(symbol: Expr) -> Expr:
    """A symbol for the sum about zero, at the same places."""
    if isinstance(symbol, MatrixEntry):
        kind = "symmetric" if symbol.base.kind else ""
        return MatrixArray(f"S_{symbol.base.label}", *symbol.dimensions, kind)[tuple(symbol.indices)]
    if isinstance(symbol, Indexed):
        return IndexedBase(f"S_{symbol.base.label}", real=True)[tuple(symbol.indices)]
    return Symbol(f"S_{symbol}", real=True)


def _put(expr: Expr, meaning: dict[Expr, Definition]) -> Expr:
    names = {getattr(symbol, "base", symbol): definition for symbol, definition in meaning.items()}
    rules = {e: _at(names[e.base], e) for e in expr.atoms(Indexed) if e.base in names}
    rules |= {s: names[s].value for s in expr.atoms(Symbol) if s in names}
    told = expr.xreplace(rules)
    told = told.replace(lambda e: isinstance(e, Tr), lambda e: trace(e.args[0], shape(e.args[0])[0]))
    return told.replace(lambda e: isinstance(e, Element), lambda e: element(*e.args)) if rules else expr


def _at(definition: Definition, entry: Expr) -> Expr:
    pairs = zip(definition.symbol.indices, entry.indices, strict=True)
    return reindex(definition.value, {own: place for own, place in pairs if own != place})


def _update(update: Update, put: Callable[[Expr], Expr]) -> Update:
    changed = replace(
        update,
        definition=replace(update.definition, value=put(update.value).expand()),
        equation=put(update.equation),
        nested=put(update.nested).expand(),
    )
    if isinstance(changed, Shares):
        symbol, value = changed.multiplier
        return replace(changed, multiplier=(symbol, put(value)))
    return changed
