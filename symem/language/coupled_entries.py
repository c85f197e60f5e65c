"""Latent numbers that a sum couples, w[q] in Σ_q w[q] X[i, q] with w[q] ~ Normal(0, τ), read as the vector they are.

Given the data such numbers are jointly normal (Bishop 2006, section 3.3): w is then MultivariateNormal(0, τ² I) and the sum
the form X[i]ᵀw; names and shapes of the arrays stay. What is no such sum, or holds an entry by itself, stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sympy import (
    Add,
    Basic,
    Expr,
    Function,
    Identity,
    Idx,
    Indexed,
    IndexedBase,
    MatrixSymbol,
    Mul,
    Pow,
    Sum,
    Trace,
    ZeroMatrix,
    expand,
)

from symem.errors import ModelError
from symem.language.families import as_distribution
from symem.language.family import Distribution
from symem.language.leaves import IndexedVector
from symem.language.logarithm import expand_logs
from symem.language.ranges import own_range
from symem.language.real_families import Normal
from symem.language.supports import Reals
from symem.language.symbol_names import names_in, stated_name
from symem.language.vectors import MultivariateNormal


def lines_with_vectors(declarations: Any, latent: Iterable[Any], known: Any, *beside: Any) -> Any:
    """The lines of a model with the latents that sums couple as vectors. `beside` is what else was said: whatever is named
    there, or has its support in known=, stays an array of numbers.
    """
    lines = isinstance(declarations, Mapping) and isinstance(latent, (list, tuple, set, frozenset))
    if not lines or not any(_holds_sum(value) for value in declarations.values()):
        return declarations
    named = _beside(known, beside)
    hidden = {_name_of(each) for each in latent} - named
    for key, value in list(declarations.items()):
        if isinstance(key, Indexed) and _name_of(key) in hidden and _is_centred(value, key):
            declarations = _with_vector(declarations, key, value, named) or declarations
    return declarations


def likelihood_with_vectors(whole: Expr, latent: Any, known: Any, *beside: Any) -> tuple[Expr, Any]:
    """A log-likelihood, and the supports of its latents, with those that sums couple as vectors."""
    for key, support in list(latent.items()) if isinstance(latent, Mapping) else ():
        held = sorted((each for each in whole.atoms(Indexed) if _name_of(each) == _name_of(key)), key=str)
        real = isinstance(support, Reals) or support is Reals
        entries = _Entries.of(held[0]) if real and held and isinstance(key, IndexedBase) else None
        if entries is None or not any(entries.summed(part) for part in whole.atoms(Pow, Function)):
            continue
        told = entries.told_in(expand_logs(whole))
        if told is not None and entries.are_gone([told], _beside(known, beside)):
            whole = told
            latent = {entries.whole if each == key else each: value for each, value in latent.items()}
    return whole, latent


def _beside(known: Any, beside: Any) -> set[str]:
    return _named(beside) | (_named(known) if isinstance(known, Mapping) else set())


def _is_centred(stated: Any, key: Indexed) -> bool:
    """Whether a line says Normal(0, τ), one τ for all entries."""
    law = as_distribution(stated)
    return law.family is Normal and law.arguments[0] == 0 and not law.arguments[1].has(key.indices[-1])


def _with_vector(lines: Any, key: Indexed, stated: Any, named: set[str]) -> Any:
    entries, law = _Entries.of(key), as_distribution(stated)
    others = {each: as_distribution(value) for each, value in lines.items() if each != key}
    coupled = (
        any(entries.summed(each) for law_ in others.values() for each in law_.arguments) if entries else False
    )
    if entries is None or not coupled:
        return None
    told = {each: _mapped(value, entries) for each, value in others.items()}
    stay = [part for each, value in told.items() for part in (each, *_arguments(value))]
    if None in stay or not entries.are_gone(stay, named):
        return None
    own = MultivariateNormal(ZeroMatrix(entries.size, 1), law.arguments[1] ** 2 * Identity(entries.size))
    return {
        entries.vector(each) if each == key else each: own if each == key else told[each] for each in lines
    }


def _mapped(law: Distribution, entries: _Entries) -> Distribution:
    arguments = tuple(entries.dotted(each) for each in law.arguments)
    return Distribution(
        law.family, arguments, {v: _mapped(each, entries) for v, each in law.branches.items()}
    )


def _arguments(law: Distribution) -> list[Any]:
    return [*law.arguments, *(each for branch in law.branches.values() for each in _arguments(branch))]


@dataclass
class _Entries:
    """The entries along the last index of an array: `whole` is the array with them as vectors, `met` the names of the arrays
    that have become such.
    """

    name: str
    size: Expr
    whole: Any
    met: set[str]

    @classmethod
    def of(cls, entry: Indexed) -> _Entries | None:
        """None if the last index is no plate."""
        index, name = entry.indices[-1], _name_of(entry)
        if not isinstance(index, Idx) or index.lower is None:
            return None
        size = own_range(index).size
        several = len(entry.indices) > 1
        return cls(name, size, IndexedVector(name, size) if several else MatrixSymbol(name, size, 1), {name})

    def vector(self, entry: Indexed) -> Any:
        """An array at all places of its last index."""
        places = entry.indices[:-1]
        name = _name_of(entry)
        return IndexedVector(name, self.size)[places] if places else MatrixSymbol(name, self.size, 1)

    def _own(self, expr: Any) -> list[Indexed]:
        return sorted((each for each in expr.atoms(Indexed) if _name_of(each) == self.name), key=str)

    def summed(self, expr: Expr) -> list[Sum]:
        """The sums over the entries."""
        return [each for each in expr.atoms(Sum) if self._couples(each)]

    def _couples(self, expr: Any) -> bool:
        return (
            isinstance(expr, Sum)
            and len(expr.limits) == 1
            and expand(_size(expr.limits[0]) - self.size) == 0
            and bool(self._own(expr))
            and all(each.indices[-1] == expr.limits[0][0] for each in self._own(expr))
        )

    def dotted(self, expr: Expr) -> Expr:
        """The sums as forms uᵀw, where they are."""
        return expr.replace(self._couples, self._dot)

    def _dot(self, whole: Sum) -> Expr:
        index = whole.limits[0][0]
        forms, rest = [], []
        for part in Add.make_args(expand(whole.function)):
            own = [
                each for each in Mul.make_args(part) if isinstance(each, Indexed) and each in self._own(part)
            ]
            if not self._own(part):
                rest.append(part)
                continue
            beside = part / own[0] if len(own) == 1 else part
            meets = [f for f in Mul.make_args(beside) if f.has(index)]
            if len(own) != 1 or len(meets) != 1 or not _is_row(meets[0], index):
                return whole
            self.met.add(_name_of(meets[0]))
            forms.append(beside / meets[0] * (self.vector(meets[0]).T * self.vector(own[0])))
        return Add(*forms, Sum(Add(*rest), whole.limits[0]) if rest else 0)

    # -- likelihoods ---------------------------------------------------------------------------------------

    def told_in(self, whole: Expr) -> Expr | None:
        """A log-likelihood, of which sums over the entries are no more than quadratic in them; None where one is."""
        told = [self._term(part) for part in Add.make_args(expand(self.dotted(whole)))]
        return None if None in told else Add(*told)

    def _term(self, part: Expr) -> Expr | None:
        """A term of a log-likelihood without entries."""
        if not self._own(part):
            return part
        (total, *more), beside = _sums_apart(part)
        own = self._own(total)
        places = {each.indices[-1] for each in own}
        limits = [limit for limit in total.limits if limit[0] in places]
        if more or beside.has(*own) or len(limits) != 1 or expand(_size(limits[0]) - self.size) != 0:
            return None
        rest = [limit for limit in total.limits if limit != limits[0]]
        values = [self._entry_term(each, limits[0]) for each in Add.make_args(expand(total.function))]
        return None if None in values else Add(*(beside * (Sum(v, *rest) if rest else v) for v in values))

    def _entry_term(self, part: Expr, limit: Any) -> Expr | None:
        """Σ_q of a term that is of degree 0, 1 or 2 in the entry q."""
        own = self._own(part)
        if not own:
            return Sum(part, limit)
        degree = Mul.make_args(part)
        if len(own) == 1 and own[0] ** 2 in degree and not (part / own[0] ** 2).has(limit[0]):
            vector = self.vector(own[0])
            return part / own[0] ** 2 * Trace(vector.T * vector)
        dotted = self._dot(Sum(part, limit))
        return None if self._own(dotted) else dotted

    def are_gone(self, left: Iterable[Any], named: set[str]) -> bool:
        """Whether none of the arrays stands anywhere with an entry by itself."""
        entries = {_name_of(each) for part in left for each in _atoms(part, Indexed)}
        return not self.met & (entries | named)


def _sums_apart(part: Expr) -> tuple[list[Sum], Expr]:
    """The sums among the factors of a term, and the rest."""
    factors = Mul.make_args(part)
    sums = [each for each in factors if isinstance(each, Sum)]
    return sums, Mul(*(each for each in factors if each not in sums))


def _is_row(factor: Expr, index: Expr) -> bool:
    """X[…, q], q in its last place alone."""
    return (
        isinstance(factor, Indexed)
        and factor.indices[-1] == index
        and not any(each.has(index) for each in factor.indices[:-1])
    )


def _size(limit: Any) -> Expr:
    return limit[2] - limit[1] + 1


def _name_of(symbol: Any) -> str:
    try:
        return stated_name(symbol)
    except ModelError:
        return ""


def _holds_sum(stated: Any) -> bool:
    """Whether a sum stands in what is written behind a colon."""
    return isinstance(stated, Distribution) and any(
        isinstance(each, Basic) and each.has(Sum) for each in _arguments(stated)
    )


def _atoms(stated: Any, *kinds: Any) -> set[Any]:
    parts = stated if isinstance(stated, tuple) else (stated,)
    return {each for part in parts if isinstance(part, Basic) for each in part.atoms(*kinds)}


def _named(stated: Any) -> set[str]:
    """The names in what may be nested in dicts, lists and laws."""
    if isinstance(stated, Mapping):
        return {name for pair in stated.items() for each in pair for name in _named(each)}
    if isinstance(stated, (list, tuple, set, frozenset)):
        return {name for each in stated for name in _named(each)}
    if isinstance(stated, Distribution):
        return _named(_arguments(stated))
    if isinstance(stated, IndexedBase):
        return {_name_of(stated)}
    return names_in(stated) if isinstance(stated, Basic) else set()
