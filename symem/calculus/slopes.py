"""∂Q/∂θ at a place, and the M-step put into it: the checker's own rules.

An entry θ[m] stands in Σ_k f(θ[k]) exactly once, at k = m, so the derivative is f'(θ[m]): what holds for the
representative entry holds for all, whatever the sizes. Nothing here is shared with the solver.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sympy import Add, Dummy, Expr, Indexed, IndexedBase, Integer, Mul, Sum, Symbol, diff

from symem.calculus.falling_functions import is_multiple
from symem.calculus.separate import Term, rename_apart
from symem.derivation import Conditional, Derivation, Update
from symem.language.falling_root import FallingRoot
from symem.language.leaves import name_of, places_of
from symem.language.matrices import MatrixArray, MatrixEntry
from symem.language.model import Model
from symem.language.plates import LinearSolution, reindex, total


class EntangledError(Exception):
    """A parameter stands where the rule for entries does not reach: under an inner sum, or behind data."""


def entries(expr: Expr, atom: Expr) -> list[Expr]:
    """The entries of the atom's array in an expression, fixed places being equal."""
    if not isinstance(atom, Indexed):
        return [atom] if atom in expr.free_symbols else []
    return sorted((e for e in expr.atoms(Indexed) if e.base == atom.base and _alike(e, atom)), key=str)


def _alike(entry: Expr, atom: Expr) -> bool:
    pairs = list(zip(entry.indices, atom.indices, strict=True))
    return all(not (a.is_Integer and b.is_Integer) or a == b for a, b in pairs)


def slope(terms: Iterable[Term], atom: Expr) -> Expr:
    """∂/∂atom of a sum of terms, at the atom's own indices.

    Raises:
        EntangledError: an entry stands at a place that is neither a bound index nor the atom's own.
    """
    found = [_by(term, entry, atom) for term in terms for entry in entries(term.factor, atom)]
    return Add(*found)


def _by(term: Term, entry: Expr, atom: Expr) -> Expr:
    apart = rename_apart(term, atom.free_symbols)
    entry = entry.xreplace({a.index: b.index for a, b in zip(term.axes, apart.axes, strict=True)})
    if any(entry in whole.atoms(Indexed, Symbol) for whole in apart.factor.atoms(Sum)):
        raise EntangledError(str(entry))
    letter = Dummy(**atom.assumptions0)
    derived = diff(apart.factor.xreplace({entry: letter}), letter).xreplace({letter: entry})
    rules = _placed(entry, atom, apart)
    return _pulled(Term(reindex(derived, rules), tuple(a for a in apart.axes if a.index not in rules)))


def _pulled(term: Term) -> Expr:
    """A sum with what no bound index touches in front of it."""
    inner = Mul(*(f for f in term.factors() if f.free_symbols & term.indices))
    return term.factor / inner * total(inner, term.axes)


def _placed(entry: Expr, atom: Expr, term: Term) -> dict[Expr, Expr]:
    """Each bound index of the entry, and the place of the atom it stands for."""
    rules: dict[Expr, Expr] = {}
    for mine, wanted in zip(places_of(entry), places_of(atom), strict=True):
        if mine == wanted:
            continue
        if mine not in term.indices or mine in rules:
            raise EntangledError(str(entry))
        rules[mine] = wanted
    return rules


def holds_as_it_stands(derivation: Derivation, update: Update) -> bool:
    """Whether the parameters in an update are those that ∂Q/∂θ means: updated before it, or held by it.

    A parameter that is updated after it stands there at its old value, while the derivative is at the new one.
    """
    if isinstance(update, Conditional):
        return True
    earlier = [u.parameter for u in derivation.updates[: derivation.updates.index(update)]]
    constant = derivation.model.arguments_of_factors
    others = (each for each in derivation.model.parameters if each.name not in constant)
    held = (e for v in others for e in _entries_of(v.symbol, update.value))
    return all(any(e in entries(e, atom) for atom in earlier) for e in held)


@dataclass
class Solved:
    """The updates so far, each with the earlier ones put in.

    A parameter in an update that was not updated before it can only mean θ⁽ᵗ⁾, and is renamed so.
    """

    model: Model
    pairs: list[tuple[Expr, Expr]] = field(default_factory=list)

    def add(self, update: Update) -> None:
        value = self.put(self.dated(update.value))
        self.pairs.append((update.parameter, value))

    def put(self, expr: Expr, *, with_roots: bool = False) -> Expr:
        """An expression with every solved parameter at its value; what no formula gives stays a letter, unless asked."""
        for atom, value in self.pairs:
            if not value.has(LinearSolution) and (with_roots or not value.has(FallingRoot)):
                rules = {entry: _moved(value, atom, entry) for entry in entries(expr, atom)}
                expr = expr.xreplace(rules) if rules else expr
        return expr

    def dated(self, value: Expr) -> Expr:
        """A value in which parameters that are not updated yet read θ⁽ᵗ⁾."""
        done = [atom for atom, _ in self.pairs]
        rules = {}
        for variable in self.model.parameters:
            if variable.name in self.model.arguments_of_factors:
                continue
            for held in _entries_of(variable.symbol, value):
                if not any(held in entries(held, atom) for atom in done):
                    rules[held] = old(held)
        return value.xreplace(rules)


def at_update(slope: Expr, parameter: Expr, value: Expr) -> Expr:
    """What vanishes if a value is where a slope does: the slope there, or what it has beside the equation of a root."""
    if isinstance(value, FallingRoot):
        found, meant = is_multiple(slope, value, parameter)
        return found - meant
    return slope.xreplace({parameter: value})


def old(entry: Expr) -> Expr:
    """θ⁽ᵗ⁾ beside θ."""
    if isinstance(entry, MatrixEntry):
        return MatrixArray(f"{name_of(entry)}__t", *entry.dimensions, entry.base.kind)[tuple(entry.indices)]
    if isinstance(entry, Indexed):
        base = IndexedBase(f"{name_of(entry)}__t", **_plain(entry.base))
        return base[entry.indices]
    return Symbol(f"{entry}__t", **_plain(entry))


def _plain(symbol: Expr) -> dict[str, bool]:
    return {"positive": True} if symbol.is_positive else {"real": True}


def _entries_of(symbol: Expr, expr: Expr) -> list[Expr]:
    found = [e for e in expr.atoms(Indexed) if e.base == symbol]
    return sorted(found, key=str) or [s for s in expr.free_symbols if s == symbol]


def _moved(value: Expr, atom: Expr, entry: Expr) -> Expr:
    if not isinstance(entry, Indexed):
        return value
    pairs = zip(atom.indices, entry.indices, strict=True)
    return reindex(
        value, {own: place for own, place in pairs if not isinstance(own, Integer) and own != place}
    )
