"""A derivation with vectors and matrices as one of numbers: every array gets its entries as further slots.

What later stages see has no matrices left: variables whose sizes include the shapes of their entries, definitions in
entries, and the factorisations that they read as definitions of their own, each before the first that reads it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from itertools import count
from typing import assert_never

from sympy import Expr, Indexed, IndexedBase, Integer, Pow, S, Symbol, preorder_traversal

from symem.codegen.lowering.diagonal_statistics import Diagonals, Factors
from symem.codegen.lowering.entries import Entries
from symem.codegen.lowering.entry_places import place
from symem.codegen.lowering.product_order import ProductOrder
from symem.derivation import (
    Ascent,
    CellCounts,
    Definition,
    Derivation,
    GaussianStates,
    GaussianVector,
    MemberCounts,
    Moments,
    Posterior,
    Quadrature,
    Recognised,
    Scatter,
    Score,
    Table,
    Update,
    with_beside,
)
from symem.language.leaves import name_of
from symem.language.matrices import is_matrix, shape
from symem.language.model import Model, Variable
from symem.language.plates import Axis
from symem.language.support import Support
from symem.language.supports import Binary, Counts, Labels
from symem.language.variables import Role


@dataclass(frozen=True)
class EntryDerivation(Derivation):
    """A derivation in entries; `factors` are what definitions and updates read, by the name of the first reader.

    `ending` are those that only the log-likelihood or a statistic reads, `of_prior` those of the log-prior.
    """

    factors: Mapping[Expr, Factors] = None  # type: ignore[assignment]
    ending: Factors = ()
    of_prior: Factors = ()
    log_prior: Expr = S.Zero

    @property
    def definitions(self) -> tuple[Definition, ...]:
        found: dict[Expr, Definition] = {}
        for posterior in self.posteriors:
            for each in posterior.definitions:
                for definition in (*self.factors.get(each.symbol, ()), each):
                    found.setdefault(definition.symbol, definition)
        return (*found.values(), *self.ending)


def factors_of(derivation: Derivation, symbol: Expr) -> Factors:
    """What must be computed before a definition or an update."""
    return derivation.factors.get(symbol, ()) if isinstance(derivation, EntryDerivation) else ()


def ending(derivation: Derivation) -> Factors:
    """What only the log-likelihood or a statistic reads."""
    return derivation.ending if isinstance(derivation, EntryDerivation) else ()


def of_prior(derivation: Derivation) -> Factors:
    """What only the log-prior reads."""
    return derivation.of_prior if isinstance(derivation, EntryDerivation) else ()


def has_matrices(derivation: Derivation) -> bool:
    """Whether some variable is a vector or a matrix, or is read as one."""
    variables = derivation.model.variables.values()
    return any(each.shape for each in variables) or any(map(is_matrix, _parts(derivation)))


def _parts(derivation: Derivation) -> Iterable[Expr]:
    values = [each.value for each in derivation.definitions]
    values += [each.value for each in derivation.surrogate.statistics]
    values += [each.value for each in derivation.updates]
    return (part for value in (*values, derivation.log_likelihood) for part in preorder_traversal(value))


def in_entries(derivation: Derivation, sizes: dict[Symbol, Expr], log_prior: Expr) -> Derivation:
    """The derivation in entries, or itself if nothing in it is a matrix; `sizes` learns the new indices."""
    return _Rewriting(derivation, sizes).derivation(log_prior) if has_matrices(derivation) else derivation


class _Rewriting:
    def __init__(self, derivation: Derivation, sizes: dict[Symbol, Expr]) -> None:
        self.original, self.sizes = derivation, sizes
        self.taken = {
            name_of(each.symbol) for each in (*derivation.definitions, *derivation.surrogate.statistics)
        }
        self.taken |= set(derivation.model.variables)
        self.e_step = self._entries(solving=False)
        self.factors: dict[Expr, Factors] = {}

    def _entries(self, *, solving: bool) -> Entries:
        data = frozenset(each.name for each in (*self.original.model.data, *self.original.model.known))
        order = ProductOrder(self.sizes, self._guess, data)
        return Entries(self.sizes, self._free, order=order, solving=solving)

    def _free(self, wanted: str) -> str:
        names = (wanted if number == 1 else f"{wanted}_{number}" for number in count(1))
        name = next(each for each in names if each not in self.taken)
        self.taken.add(name)
        return name

    def _guess(self, size: Expr) -> int:
        """Many rows, tens of coordinates, a handful of anything else."""
        if isinstance(size, Integer):
            return int(size)
        data = self.original.model.data
        rows = {each.sizes[0] for each in data if each.sizes} | {v.shape[0] for v in data if len(v.shape) > 1}
        return 10_000 if size in rows else 30 if any(size in each.shape for each in data) else 4

    def derivation(self, log_prior: Expr) -> EntryDerivation:
        old = self.original
        model = self._model(old.model)
        posteriors = tuple(self._posterior(each, model) for each in old.posteriors)
        statistics = tuple(self._definition(each, self.e_step) for each in old.surrogate.statistics)
        moments = tuple(map(self._moments, old.surrogate.moments))
        likelihood = self.e_step.scalar(old.log_likelihood)
        ending = self._shared_out(posteriors, [likelihood, *(each.value for each in statistics)])
        model.variables = {**model.variables, **self._patterns(model)}
        updates, scores = self._updates(old.updates), self._scores(old.scores)
        readers = [each.definition for each in (*updates, *scores)]
        statistics, moments, changed = Diagonals(self.factors).told(statistics, moments, readers)
        updates = tuple(replace(each, definition=changed[each.definition]) for each in updates)
        scores = tuple(replace(each, definition=changed[each.definition]) for each in scores)
        prior = self._entries(solving=False)
        log_prior = prior.scalar(log_prior)
        return EntryDerivation(
            model, old.complete, posteriors, likelihood, replace(old.surrogate, statistics=statistics, moments=moments),
            updates, old.not_derived, old.certificates, old.steps, old.unidentified, scores, old.information,
            old.family, None, old.mean_field, self.factors, ending, tuple(prior.made), log_prior,
        )  # fmt: skip

    # -- variables --------------------------------------------------------------------------------------

    def _model(self, model: Model) -> Model:
        made = copy(model)
        made.variables = {name: _in_entries(each) for name, each in model.variables.items()}
        return made

    def _patterns(self, model: Model) -> dict[str, Variable]:
        """The patterns of missing entries that occur, which of them each row has, and how many there are."""
        made = []
        for name, rows in self.e_step.patterns.items():
            number = Symbol(f"n_patterns_{name}", integer=True, positive=True)
            width = model.variables[name].sizes[-1]
            made += [
                self._computed(f"patterns_{name}", Role.MASK, (number, width), Binary()),
                self._computed(f"pattern_{name}", Role.MASK, (rows,), Labels(number)),
                Variable(number.name, number, Role.SIZE, (), Counts(), None),
            ]
        return {each.name: each for each in made}

    def _computed(self, name: str, role: Role, sizes: tuple[Expr, ...], support: Support) -> Variable:
        """A variable that no one declared: the solver computes it."""
        return Variable(name, IndexedBase(name, **support.assumptions), role, sizes, support, None)

    # -- the E-step -------------------------------------------------------------------------------------

    def _posterior(self, posterior: Posterior, model: Model) -> Posterior:
        def rewritten(definition: Definition) -> Definition:
            return self._definition(definition, self.e_step)

        def first(value: Expr) -> Expr:
            return _first(value, self.e_step)

        common = {
            "latent": model.variables[posterior.latent.name],
            "atom": first(posterior.atom),
            "expectations": {first(key): first(value) for key, value in posterior.expectations.items()},
        }
        match posterior:
            case Recognised():
                arguments = {name: first(value) for name, value in posterior.arguments.items()}
                return posterior.rewritten(rewritten, **common, arguments=arguments)
            case GaussianVector():
                mean, covariance = first(posterior.mean), first(posterior.covariance)
                return posterior.rewritten(rewritten, **common, mean=mean, covariance=covariance)
            case Table() | CellCounts() | MemberCounts() | Quadrature() | GaussianStates():
                return posterior.rewritten(rewritten, **common)
            case _:
                assert_never(posterior)

    def _shared_out(self, posteriors: Iterable[Posterior], last: Sequence[Expr]) -> Factors:
        """Give every factorisation to the first definition that reads it; the rest of what `last` reads."""
        left = {name_of(each.symbol): each for each in self.e_step.made}
        for definition in (each for posterior in posteriors for each in posterior.definitions):
            if found := _needed([definition.value], left):
                self.factors[definition.symbol] = found
        return _needed(last, left)

    def _definition(self, definition: Definition, entries: Entries) -> Definition:
        """A definition in entries. One that is an inverse is that inverse wherever it occurs."""
        symbol, value = definition.symbol, definition.value
        if not is_matrix(symbol):
            return replace(definition, value=entries.scalar(value))
        rows, cols = symbol.dimensions
        places = tuple(
            place(size, number) for number, size in ((1, rows), (2, cols)) if number == 1 or size != 1
        )
        self.sizes.update(zip(places, (rows, cols), strict=False))
        at = (*places, S.Zero)[:2]
        axes = (*definition.axes, *(Axis(p, s) for p, s in zip(places, (rows, cols), strict=False)))
        made = entries.entry(symbol, *at)
        if isinstance(value, Pow) and value.exp == -1 and not entries.solving:
            return Definition(made, axes, entries.inverse_as(value.base, symbol, made))
        return Definition(made, axes, entries.entry(value, *at))

    def _moments(self, moments: Moments) -> Moments:
        entries = self.e_step
        return Moments(
            entries.scalar(moments.weight),
            moments.summed,
            entries.scalar(moments.total),
            tuple(_first(each, entries) for each in moments.functions),
            tuple(self._definition(each, entries) for each in moments.means),
            tuple(_first(each, entries) for each in moments.parts),
            tuple(
                Scatter(
                    self._definition(each.definition, entries),
                    *(_first(part, entries) for part in (each.raw, each.excess, each.between)),
                )
                for each in moments.scatters
            ),
        )

    # -- the M-step -------------------------------------------------------------------------------------

    def _updates(self, updates: Sequence[Update]) -> tuple[Update, ...]:
        entries, found = self._entries(solving=True), []
        for update in updates:
            before = len(entries.made)
            definition = self._definition(update.definition, entries)
            if entries.made[before:]:
                self.factors[definition.symbol] = tuple(entries.made[before:])
            entries.forget(name_of(definition.symbol))
            made = replace(update, definition=definition, nested=S.Zero)
            made = with_beside(made, lambda each: self._definition(each, entries))
            if isinstance(made, Ascent):
                within = made.within.rewritten(
                    self.e_step.scalar, lambda each: self._definition(each, self.e_step)
                )
                made = replace(made, within=within)
            found.append(made)
        return tuple(found)

    def _scores(self, scores: Sequence[Score]) -> tuple[Score, ...]:
        """The slopes of Q, at parameters that do not change meanwhile: what is factorised is so once."""
        entries, found = self._entries(solving=True), []
        for score in scores:
            before = len(entries.made)
            definition = self._definition(score.definition, entries)
            self.factors[definition.symbol] = tuple(entries.made[before:])
            found.append(replace(score, definition=definition))
        return tuple(found)


def _needed(values: Iterable[Expr], left: dict[str, Definition]) -> Factors:
    """Those of `left`, an order in which they can be computed, that values or each other read; they leave it."""
    read = {name_of(each) for value in values for each in value.atoms(Indexed, Symbol)}
    for name, definition in reversed(left.items()):
        if name in read:
            read |= {name_of(each) for each in definition.value.atoms(Indexed, Symbol)}
    return tuple(left.pop(name) for name in list(left) if name in read)


def _in_entries(variable: Variable) -> Variable:
    if not variable.shape:
        return variable
    symbol = IndexedBase(variable.name, real=True)
    return replace(variable, symbol=symbol, sizes=(*variable.sizes, *variable.shape))


def _first(expr: Expr, entries: Entries) -> Expr:
    """A vector or a matrix at its first row and column index."""
    if not is_matrix(expr):
        return entries.scalar(expr)
    rows, cols = shape(expr)
    entries.sizes.update({place(rows, 1): rows, place(cols, 2): cols})
    return entries.entry(expr, place(rows, 1), place(cols, 2) if cols != 1 else S.Zero)
