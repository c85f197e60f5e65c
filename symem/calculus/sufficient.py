"""The complete-data log-likelihood as Σ ηᵣ(θ) sᵣ(y) - A(θ) + log h(y): natural parameters and sufficient statistics.

After separation each term is a number, a function of θ and one of y = (x, z). Terms that meet in a function of one or of the
other belong together; of these as many statistics are made as there are functions of y, or of θ where these are fewer: the
counts of alleles, not those of genotypes. What holds no y is -A. (Dempster, Laird & Rubin 1977, section 2.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from string import ascii_lowercase

from sympy import Add, And, Eq, Expr, Indexed, Mul, Ne, S, Sum

from symem.calculus.angles import angles_apart
from symem.calculus.brackets import collapse_brackets
from symem.calculus.exponents import exponents_apart
from symem.calculus.fresh_names import Names
from symem.calculus.gathering import atoms_of
from symem.calculus.gradients import gradient
from symem.calculus.matrix_terms import fill, is_hole, matrix_scalars
from symem.calculus.separate import Term, fold, rejoin, separate
from symem.calculus.simplex_sums import with_whole_shares
from symem.calculus.statistics import (
    Place,
    SplitTerm,
    Statistics,
    canonical_axes,
    joined,
    merge,
    whole_squares,
)
from symem.calculus.surrogate import plain_indices, running_slots
from symem.calculus.weighted_sums import Facts
from symem.language.leaves import array_of
from symem.language.matrices import Diagonal, is_matrix, shape
from symem.language.model import Model
from symem.language.plates import Axis, Iverson, index_symbol, total
from symem.language.supports import Binary
from symem.language.traces import Tr, element, trace


@dataclass(frozen=True)
class Pair:
    """A statistic s of the complete data at each place of `axes`, and its natural parameter η, of the same shape."""

    axes: tuple[Axis, ...]
    function: Expr
    natural: Expr


@dataclass(frozen=True)
class Canonical:
    """The pairs, and A(θ); `whole` are the terms in which θ and y are not a product, `by_entries` if they are in the entries
    of their matrices. A prior is `conjugate` if its logarithm is in functions of θ that stand beside statistics or in A.
    """

    pairs: tuple[Pair, ...]
    log_partition: Expr
    whole: tuple[Expr, ...]
    by_entries: bool = False
    conjugate: bool | None = None


def canonical(law: Model, log_prior: Expr = S.Zero) -> Canonical:
    """Read the law of the complete data, all of whose data are latents, as an exponential family, and a prior beside it."""
    statistics = Statistics(law, Names(law))
    terms = _held(terms_of(law.log_likelihood, law), law)
    prior = _held(separate(log_prior), law)
    running = running_slots((*terms, *prior), law.parameters)
    for term in (*terms, *prior):
        statistics.take(plain_indices(term, law.parameters, running))
    splits = canonical_axes(statistics.splits, statistics.names)
    own, of_prior = splits[: len(terms)], splits[len(terms) :]
    whole = [split for split in own if _holds_data(split.parameter, law)]
    constant = [split for split in own if split not in whole and not _holds_data(split.data, law)]
    held = [split for split in own if split not in whole and split not in constant]
    pairs = [pair for group in _together(_squared(held, statistics)) for pair in _pairs(group)]
    conjugate = {_place(split, law) for split in of_prior} <= {split.place for split in (*held, *constant)}
    return Canonical(
        tuple(sorted(pairs, key=lambda pair: (pair.function.count_ops(), str(pair.function)))),
        Add(*map(_constant, constant)),
        tuple(total(split.number * split.parameter, split.axes) for split in whole),
        bool(whole) and all(_is_word(split.parameter) for split in whole),
        conjugate if prior else None,
    )


def _held(terms: Iterable[Term], law: Model) -> list[Term]:
    """The terms that hold parameters, functions of these taken apart."""
    return [
        exponents_apart(part, law.parameters)
        for term in terms
        if any(atoms_of(term.factor, each) for each in law.parameters)
        for part in angles_apart(with_whole_shares(term, law.parameters), law.parameters)
    ]


def _place(split: SplitTerm, law: Model) -> Place:
    """Where a term of the prior would stand if its known matrices were data."""
    factors = Mul.make_args(split.parameter)
    scalars = matrix_scalars(factors)
    filled = fill(scalars, lambda letter: any(atoms_of(letter, each) for each in law.parameters))
    if filled is None:
        return split.place
    return Mul(filled.around, *(f for f in factors if f not in scalars)), split.axes


def _is_word(factor: Expr) -> bool:
    """Whether y stands in words of matrices alone, which are products of entries."""
    words, parts = factor.atoms(Tr), Mul.make_args(factor)
    return bool(words) and all(isinstance(each, Tr) or not each.has(*words) for each in parts)


def terms_of(whole: Expr, law: Model) -> tuple[Term, ...]:
    """A log-density of complete data in separated form; [z = 1] is z and [z = 0] is 1 - z where z is one of the two."""
    binary = {v.symbol for v in law.latents if isinstance(v.support, Binary)}
    whole = whole.replace(lambda e: isinstance(e, Iverson), lambda e: _in_numbers(e, binary))
    return collapse_brackets(separate(whole), law)


def _in_numbers(bracket: Expr, binary: set[Expr]) -> Expr:
    told, left = S.One, []
    for each in And.make_args(bracket.args[0]):
        if isinstance(each, Eq | Ne) and array_of(each.lhs) in binary and each.rhs in (0, 1):
            is_one = (each.rhs == 1) == isinstance(each, Eq)
            told *= each.lhs if is_one else 1 - each.lhs
        else:
            left.append(each)
    return told * Iverson(And(*left))


def _holds_data(expr: Expr, law: Model) -> bool:
    return any(atoms_of(expr, latent) for latent in law.latents)


def _squared(splits: list[SplitTerm], statistics: Statistics) -> list[SplitTerm]:
    """Split terms, squares of data being whole."""
    data = frozenset(variable.symbol for variable in statistics.model.latents)
    return whole_squares(splits, Facts(frozenset(statistics.fixed), {}, {}, data))


def _together(splits: list[SplitTerm]) -> list[list[SplitTerm]]:
    """Split terms in groups that share no function of the data and no place."""
    groups: list[list[SplitTerm]] = []
    for split in splits:
        meet = [g for g in groups if any(split.data == s.data or split.place == s.place for s in g)]
        groups = [g for g in groups if g not in meet] + [[*(s for g in meet for s in g), split]]
    return groups


def _pairs(group: list[SplitTerm]) -> Iterator[Pair]:
    merged = merge(group, lambda _data: True)
    places = dict.fromkeys(split.place for split in merged)
    data = dict.fromkeys(split.data for split in merged)
    if len(places) < len(data):
        yield from (_by_place(place, [s for s in group if s.place == place]) for place in places)
    else:
        yield from (_by_data(each, [s for s in merged if s.data == each]) for each in data)


def _by_place(place: Place, splits: list[SplitTerm]) -> Pair:
    parameter, axes = place
    return _scaled(axes, joined(split.number * split.data for split in splits), _natural(parameter))


def _by_data(data: Expr, splits: list[SplitTerm]) -> Pair:
    """The natural parameter sums over the axes that the statistic has not."""
    own = tuple(axis for axis in splits[0].axes if axis.index in data.free_symbols)
    parts = []
    for split in splits:
        beside = tuple(axis for axis in split.axes if axis not in own)
        parts.append(total(_natural(split.number * split.parameter), beside))
    return _reduced(_scaled(own, data, Add(*parts)))


def _reduced(pair: Pair) -> Pair:
    """A matrix of which only the diagonal counts, told by that, or by its trace where all of it counts alike."""
    natural = pair.natural
    if not is_matrix(pair.function) or shape(pair.function)[1] == 1:
        return pair
    numbers, word = natural.args_cnc()
    if not word or word == [S.One]:
        return Pair(pair.axes, over_sums(pair.function, lambda m: trace(m, shape(m)[0])), natural)
    if len(word) > 1 or not isinstance(word[0], Diagonal):
        return pair
    taken = {str(symbol) for symbol in (*natural.free_symbols, *pair.function.free_symbols)}
    place = next(index_symbol(name) for name in ascii_lowercase if name not in taken)
    axis = Axis(place, word[0].args[1])
    entry = Mul(*numbers) * word[0].at(place)
    return Pair((*pair.axes, axis), over_sums(pair.function, lambda m: element(m, place, place)), entry)


def over_sums(function: Expr, told: Callable[[Expr], Expr]) -> Expr:
    """What is told of a matrix, told of the summands of a sum."""
    if isinstance(function, Add):
        return Add(*(over_sums(each, told) for each in function.args))
    return Sum(told(function.function), *function.limits) if isinstance(function, Sum) else told(function)


def _natural(around: Expr) -> Expr:
    """What a statistic that fills a hole is multiplied by: M of tr(Mᵀ s)."""
    holes = [letter for letter in around.atoms(Indexed) if is_hole(letter)]
    return gradient(around, holes[0]) if holes else around


def _scaled(axes: tuple[Axis, ...], function: Expr, natural: Expr) -> Pair:
    """A number before all of a sum belongs to the natural parameter."""
    number, bare = S.One, function
    if isinstance(function, Sum):
        number, inner = (
            function.function.primitive() if not is_matrix(function) else (S.One, function.function)
        )
        if _is_negative(inner):
            number, inner = -number, (-inner).expand()
        bare = Sum(inner, *function.limits)
    return Pair(axes, bare, number * natural)


def _is_negative(expr: Expr) -> bool:
    """Whether a minus stands before most of a sum."""
    signs = [bool(part.as_coeff_Mul()[0].is_negative) for part in Add.make_args(expr)]
    return not is_matrix(expr) and 2 * sum(signs) > len(signs)


def _constant(split: SplitTerm) -> Expr:
    """What a term without data adds to A, its known matrices back in their place."""
    holes = [letter for letter in split.parameter.atoms(Indexed) if is_hole(letter)]
    whole = split.parameter.xreplace({holes[0]: split.data}) if holes else split.parameter * split.data
    return rejoin(fold(replace(t, axes=(*t.axes, *split.axes))) for t in separate(-split.number * whole))
