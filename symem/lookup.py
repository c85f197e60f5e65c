"""What an algorithm is asked for by a symbol, by an entry of an array, or by a name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sympy import Expr

from symem.algebra.rewriting import inlined
from symem.derivation import Ascent, Derivation, Update, defined_by
from symem.errors import NotDerivedError, UndeclaredSymbolError
from symem.language.leaves import array_of, name_of, places_of
from symem.language.operators import sized
from symem.language.plates import reindex
from symem.language.reading import stated_name


class ByName(Mapping[Any, Any]):
    """A mapping that takes a symbol, an entry of an array, or a name."""

    def __init__(self, entries: Mapping[str, tuple[Any, Any]]) -> None:
        self._entries = {
            stated_name(key) if not isinstance(key, str) else key: (key, v) for key, v in entries.values()
        }

    def __getitem__(self, key: Any) -> Any:
        name = key if isinstance(key, str) else stated_name(key)
        if name not in self._entries:
            raise UndeclaredSymbolError(f"{name!r} is not among {', '.join(sorted(self._entries))}.")
        return self._entries[name][1]

    def __iter__(self) -> Iterator[Any]:
        return iter(key for key, _ in self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return "{" + ", ".join(f"{key}: {value}" for key, value in self._entries.values()) + "}"


class Updates(Mapping[Any, Expr]):
    """parameter -> update, or another formula that belongs to it; parameters without one raise the reason."""

    def __init__(self, derivation: Derivation, formulas: Iterable[tuple[Expr, Expr]] | None = None) -> None:
        """`formulas` are pairs of a parameter and what belongs to it, by default its update."""
        pairs = ((u.parameter, _told(u)) for u in derivation.updates) if formulas is None else formulas
        self._found: dict[str, Expr] = {}
        self._keys: dict[str, Any] = {}
        self._indices: dict[str, Any] = {}
        for parameter, formula in pairs:
            atom = derivation.model.declared(parameter)
            whole = all(not p.is_Integer for p in places_of(parameter))
            key = array_of(atom) if whole else atom
            value = sized(derivation.model.declared(formula), atom)
            self._found[str(key)], self._keys[str(key)] = value, key
            self._indices[str(key)] = places_of(atom)
        self._refused = {name_of(p): o.reason for o in derivation.not_derived for p in o.parameters}

    def __getitem__(self, key: Any) -> Expr:
        for name in (str(key), key if isinstance(key, str) else stated_name(key)):
            if name in self._found:
                return self._at(name, key)
            if name in self._refused:
                raise NotDerivedError(self._refused[name])
        raise UndeclaredSymbolError(f"{key} has no update; the parameters are {', '.join(self._found)}.")

    def _at(self, name: str, key: Any) -> Expr:
        """The update at the indices of the key, where it has some."""
        if not places_of(key) or key == self._keys[name]:
            return self._found[name]
        return reindex(self._found[name], dict(zip(self._indices[name], places_of(key), strict=False)))

    def places(self, name: str) -> tuple[Any, ...]:
        """The indices under which the update of a parameter is shown."""
        return next((self._indices[key] for key, atom in self._keys.items() if name_of(atom) == name), ())

    def __iter__(self) -> Iterator[Any]:
        return iter(self._keys.values())

    def __len__(self) -> int:
        return len(self._found)

    def __repr__(self) -> str:
        return "{" + ", ".join(f"{self._keys[n]}: {v}" for n, v in self._found.items()) + "}"


class ByPair(Mapping[tuple[Any, Any], Expr]):
    """Two parameters -> a formula that belongs to both, at the places of each; those without one raise the reason."""

    def __init__(
        self, derivation: Derivation, formulas: Iterable[tuple[tuple[Expr, Expr], Expr | str]]
    ) -> None:
        """`formulas` are pairs of parameters with what belongs to them, or a sentence that says why there is nothing."""
        self._found: dict[tuple[str, str], Expr | str] = {}
        self._keys: dict[tuple[str, str], tuple[Any, Any]] = {}
        self._atoms: dict[tuple[str, str], tuple[Any, Any]] = {}
        for parameters, formula in formulas:
            atoms = tuple(map(derivation.model.declared, parameters))
            whole = [all(not p.is_Integer for p in places_of(each)) for each in parameters]
            keys = tuple(array_of(a) if w else a for a, w in zip(atoms, whole, strict=True))
            names = str(keys[0]), str(keys[1])
            self._keys[names], self._atoms[names] = (keys[0], keys[1]), (atoms[0], atoms[1])
            self._found[names] = formula if isinstance(formula, str) else derivation.model.declared(formula)

    def __getitem__(self, pair: Any) -> Expr:
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise UndeclaredSymbolError(f"Two parameters are asked for, as in [mu, sigma], not {pair}.")
        names = tuple(self._name(each) for each in pair)
        if names not in self._found and names[::-1] in self._found:
            pair, names = pair[::-1], names[::-1]
        if names not in self._found:
            raise UndeclaredSymbolError(
                f"{pair[0]} and {pair[1]} have none; these have: {', '.join(map(str, self._found))}."
            )
        found = self._found[names]
        if isinstance(found, str):
            raise NotDerivedError(found)
        moved = {
            own: place
            for atom, asked in zip(self._atoms[names], pair, strict=True)
            for own, place in zip(places_of(atom), places_of(asked), strict=False)
            if own != place
        }
        return reindex(found, moved) if moved else found

    def _name(self, key: Any) -> str:
        own = {name for names in self._found for name in names}
        return next(
            (n for n in (str(key), key if isinstance(key, str) else stated_name(key)) if n in own), str(key)
        )

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        return iter(self._keys.values())

    def __len__(self) -> int:
        return len(self._found)

    def __repr__(self) -> str:
        return "{" + ", ".join(f"{self._keys[n]}: {v}" for n, v in self._found.items()) + "}"


def _told(update: Update) -> Expr:
    """What an update is told by."""
    value = update.nested if isinstance(update, Ascent) else update.value
    for each in reversed(defined_by(update)[:-1]):
        value = inlined(value, [each])
    return value
