"""Translations that a model does not notice, so that data far from zero can be centred.

If the complete-data log-likelihood stays the same when some data, some parameters and some latents all move
by c, then so does all of EM: an iteration on centred data gives the centred parameters. Second moments are
then taken about the centre, which is exact where E[x^2] - E[x]^2 loses every digit. Which quantities move
together is the null space of a linear system, found from the formulas; statistics about one centre follow
from those about another by expanding powers of x + c.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sympy import (
    Add,
    Expr,
    Indexed,
    IndexedBase,
    Mul,
    S,
    Symbol,
    cancel,
    diff,
    expand,
    together,
)

from symem.algebra.expansion import monomials, spread
from symem.codegen.ir.centre import Rate, Translation
from symem.codegen.lowering.row_plate import observed
from symem.codegen.passes.symmetry import STEP, directions, has_data
from symem.derivation import Definition, Derivation, Posterior
from symem.language.leaves import name_of
from symem.language.plates import Expectation


def translation(derivation: Derivation) -> Translation | None:
    """The translation that moves the most data, or None if the model notices every one."""
    found = [moving for moving in directions(derivation) if has_data(derivation, moving)]
    for moving in sorted(found, key=lambda names: (-len(names), sorted(names))):
        made = _translation(derivation, moving)
        if made is not None:
            return made
    return None


def _translation(derivation: Derivation, moving: frozenset[str]) -> Translation | None:
    moments = _moments(derivation, moving)
    arguments = _arguments(derivation, moving)
    if moments is None or arguments is None:
        return None
    step = Symbol("translation", real=True)
    closure = _Closure(derivation, moving, moments, arguments, step)
    recentred = closure.recentred()
    if recentred is None:
        return None
    model = derivation.model
    return Translation(
        step,
        next(each for each in model.data if each.name in moving and each.sizes),
        tuple(each.name for each in observed(model) if each.name in moving),
        tuple(each.name for each in model.parameters if each.name in moving),
        arguments,
        recentred,
        tuple(closure.added),
    )


def _moments(derivation: Derivation, moving: frozenset[str]) -> dict[str, dict[int, str]] | None:
    """For latents that move: the name of the mean of each power, by name of every moment."""
    found: dict[str, dict[int, str]] = {}
    for posterior in derivation.posteriors:
        if posterior.latent.name in moving:
            powers = _powers(posterior)
            if powers is None:
                return None
            found |= dict.fromkeys(powers.values(), powers)
    return found


def _powers(posterior: Posterior) -> dict[int, str] | None:
    powers: dict[int, str] = {}
    for statistic, value in posterior.expectations.items():
        if statistic.has(Expectation):
            continue
        base, power = statistic.as_base_exp()
        if (
            name_of(base) != posterior.latent.name
            or not power.is_Integer
            or not isinstance(value, Indexed | Symbol)
        ):
            return None
        powers[int(power)] = name_of(value)
    return powers


def _arguments(derivation: Derivation, moving: frozenset[str]) -> dict[str, Rate] | None:
    """How fast each posterior argument moves: 0, 1, or 1 less the share that the latent above it takes on."""
    rates: dict[str, Rate] = {}
    values: dict[Expr, Expr] = {}
    for posterior in derivation.posteriors:
        for definition in posterior.parameters:
            changes = _changes(definition.value, moving, rates, STEP)
            rate = diff(definition.value.xreplace(changes), STEP).subs(STEP, 0)
            wanted = [S.Zero, S.One, *(1 - other.symbol for other in posterior.parameters)]
            found = next((each for each in wanted if _vanishes(rate - each, values)), None)
            if found is None:
                return None
            rates[name_of(definition.symbol)] = (definition.symbol, found)
            values[definition.symbol] = definition.value.xreplace(values)
    return {name: rate for name, rate in rates.items() if rate[1] != 0}


def _vanishes(expr: Expr, values: Mapping[Expr, Expr]) -> bool:
    """Whether an expression is 0 once every posterior argument is written out."""
    return bool(cancel(together(spread(expr.xreplace(values)))) == 0)


def _changes(
    value: Expr, moving: frozenset[str], rates: Mapping[str, Rate], step: Symbol
) -> dict[Expr, Expr]:
    """Each entry that moves, with where it has moved to."""
    changes: dict[Expr, Expr] = {}
    arrays = {name_of(atom) for atom in value.atoms(Indexed)}
    for atom in value.atoms(Indexed, Symbol):
        name = name_of(atom)
        if isinstance(atom, Symbol) and name in arrays:
            continue
        if name in moving:
            changes[atom] = atom + step
        elif name in rates:
            symbol, rate = rates[name]
            places = getattr(symbol, "indices", ())
            changes[atom] = atom + step * rate.xreplace(
                dict(zip(places, getattr(atom, "indices", ()), strict=True))
            )
    return changes


class _Closure:
    """Statistics about another centre in terms of those about this one, adding the ones that lack."""

    def __init__(
        self,
        derivation: Derivation,
        moving: frozenset[str],
        moments: Mapping[str, Mapping[int, str]],
        rates: Mapping[str, Rate],
        step: Symbol,
    ) -> None:
        self.moving, self.moments, self.rates, self.step = moving, moments, rates, step
        self.sizes = {each.symbol for each in derivation.model.sizes}
        self.todo = list(derivation.surrogate.statistics)
        self.count = len(self.todo)
        self.table = [(each, monomials(each.value)) for each in self.todo]
        self.added: list[Definition] = []

    def recentred(self) -> dict[str, Expr] | None:
        found: dict[str, Expr] = {}
        while self.todo:
            definition = self.todo.pop(0)
            value = self._about_new_centre(definition)
            if value is None:
                return None
            found[name_of(definition.symbol)] = value
        return found

    def _about_new_centre(self, definition: Definition) -> Expr | None:
        change = spread(self._substituted(definition.value) - definition.value)
        shares: dict[Expr, dict[Expr, Expr]] = {}
        for product, number in monomials(change).items():
            power = product.as_coeff_exponent(self.step)[1]
            if power == 0:
                return None
            rest, sizes = _without_sizes(product / self.step**power, self.sizes)
            shares.setdefault(self.step**power * sizes, {})[rest] = number
        return definition.symbol + Add(
            *(factor * self._combined(share, definition) for factor, share in shares.items())
        )

    def _combined(self, share: dict[Expr, Expr], like: Definition) -> Expr:
        """A sum of products in terms of statistics; those of several products first."""
        found: Expr = S.Zero
        for definition, parts in sorted(self.table, key=lambda entry: -len(entry[1])):
            some = next(iter(parts), None)
            ratio = share.get(some, S.Zero) / parts[some] if some in parts else S.Zero
            if ratio != 0 and all(share.get(part) == ratio * number for part, number in parts.items()):
                found += ratio * definition.symbol
                share = {part: number for part, number in share.items() if part not in parts}
        rest = (number * (self._made(part, like) if part != 1 else S.One) for part, number in share.items())
        return found + Add(*rest)

    def _substituted(self, value: Expr) -> Expr:
        changes = _changes(value, self.moving, self.rates, self.step)
        for atom in value.atoms(Indexed, Symbol):
            if name_of(atom) in self.moments and isinstance(atom, Indexed | Symbol):
                changes[atom] = self._moved_moment(atom, name_of(atom))
        return value.xreplace(changes)

    def _moved_moment(self, atom: Expr, name: str) -> Expr:
        """E (u + c)^p by the binomial theorem."""
        powers = self.moments[name]
        power = next(p for p, each in powers.items() if each == name)
        whole = expand((Symbol("u_") + self.step) ** power)
        return Add(
            *(
                whole.coeff(Symbol("u_"), p) * (_renamed(atom, powers[p]) if p else 1)
                for p in range(power + 1)
                if p == 0 or p in powers
            )
        )

    def _made(self, product: Expr, like: Definition) -> Expr:
        """A new statistic that sums this product."""
        axes = tuple(axis for axis in like.axes if axis.index in product.free_symbols)
        name = f"S_{self.count}"
        places = tuple(axis.index for axis in axes)
        symbol = IndexedBase(name, real=True)[places] if places else Symbol(name, real=True)
        made = Definition(symbol, axes, product)
        self.count += 1
        self.table.append((made, monomials(product)))
        self.added.append(made)
        self.todo.append(made)
        return symbol


def _renamed(atom: Expr, name: str) -> Expr:
    return (
        IndexedBase(name, real=True)[tuple(atom.indices)]
        if isinstance(atom, Indexed)
        else Symbol(name, real=True)
    )


def _without_sizes(product: Expr, sizes: Iterable[Any]) -> tuple[Expr, Expr]:
    """(the product without plain sizes, the product of those sizes)."""
    allowed = set(sizes)
    plain = [
        factor for factor in Mul.make_args(product) if factor.free_symbols and factor.free_symbols <= allowed
    ]
    rest = [factor for factor in Mul.make_args(product) if factor not in plain]
    return Mul(*rest), Mul(*plain)
