"""The separated form: a log-likelihood as a list of terms, each a product of factors over axes.

Sums and products are multiplied out until no sum stands inside a term, squares of sums becoming double
sums; what cannot be multiplied out (log(1 + exp(β)), 1/(σ² + v)) stays whole as one factor. Brackets are
absorbed: [a][b] = [a and b], and [a] log [b] = log [not a or b].
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from itertools import product as cartesian

from sympy import Add, And, Eq, Expr, Mul, Not, Or, Pow, Product, S, Sum, Symbol, expand, expand_power_base

from symem.budget import look
from symem.language.logarithm import expand_logs
from symem.language.matrices import is_matrix, shape
from symem.language.plates import Axis, Iverson, LogIverson, fresh_index, total
from symem.language.traces import Element, Tr, element, trace


@dataclass(frozen=True)
class Term:
    """factor, summed over axes."""

    factor: Expr
    axes: tuple[Axis, ...] = ()

    @property
    def expr(self) -> Expr:
        return total(self.factor, self.axes)

    @property
    def indices(self) -> frozenset[Symbol]:
        return frozenset(axis.index for axis in self.axes)

    def factors(self) -> tuple[Expr, ...]:
        return tuple(Mul.make_args(self.factor))

    def replace(self, rules: dict[Expr, Expr]) -> Term:
        return Term(self.factor.xreplace(rules), self.axes)


def separate(expr: Expr) -> tuple[Term, ...]:
    """The separated form of an expression, equal terms gathered."""
    return gather(_terms(expand_logs(expr)))


def rejoin(terms: Iterable[Term]) -> Expr:
    """The expression that terms add up to, sums over the same axes written as one."""
    groups: dict[tuple[Axis, ...], list[Expr]] = defaultdict(list)
    for term in terms:
        groups[term.axes].append(term.factor)
    return Add(*(total(Add(*factors), axes) for axes, factors in groups.items()))


def gather(terms: Iterable[Term]) -> tuple[Term, ...]:
    """Add up terms that differ in a number only, and drop those that are zero."""
    look()
    sums: dict[tuple[Expr, frozenset[Axis]], Expr] = {}
    axes: dict[tuple[Expr, frozenset[Axis]], tuple[Axis, ...]] = {}
    for term in map(tidy, terms):
        coefficient, factor = term.factor.as_coeff_Mul()
        key = (factor, frozenset(term.axes))
        sums[key] = sums.get(key, S.Zero) + coefficient
        axes.setdefault(key, term.axes)
    return _complements(Term(sums[key] * key[0], axes[key]) for key in sums if sums[key] != 0)


def _complements(terms: Iterable[Term]) -> tuple[Term, ...]:
    """[c] f + [not c] f = f."""
    kept: dict[Term, None] = {}
    merged: list[Term] = []
    for term in terms:
        partner = next(
            (p for p in map(partial(_opposite, term), conditions_of(term.factor)) if p in kept), None
        )
        if partner is None:
            kept[term] = None
        else:
            shared = conditions_of(term.factor) & conditions_of(partner.factor)
            del kept[partner]
            merged.append(Term(Iverson(And(*shared)) * _without_brackets(term.factor), term.axes))
    return gather([*kept, *merged]) if merged else tuple(kept)


def _opposite(term: Term, condition: Expr) -> Term:
    conditions = conditions_of(term.factor) - {condition} | {Not(condition)}
    return Term(Iverson(And(*conditions)) * _without_brackets(term.factor), term.axes)


def inner_indices(factor: Expr) -> set[Expr]:
    """The indices of the sums and products that stand inside a factor, such as log(1 + exp(Σ_j x_j v_j))."""
    return {limit[0] for inner in factor.atoms(Sum, Product) for limit in inner.limits}


def conditions_of(factor: Expr) -> set[Expr]:
    """The conditions in the brackets of a product."""
    brackets = [each.args[0] for each in Mul.make_args(factor) if isinstance(each, Iverson)]
    return {part for bracket in brackets for part in And.make_args(bracket)}


def _without_brackets(factor: Expr) -> Expr:
    return Mul(*(each for each in Mul.make_args(factor) if not isinstance(each, Iverson)))


def tidy(term: Term) -> Term:
    """The same term with its brackets merged into one."""
    return Term(_merge_brackets(term.factor), term.axes)


def fold(term: Term) -> Term:
    """Sum over the axes that nothing in the term depends on: they contribute their size."""
    unused = [axis.size for axis in term.axes if axis.index not in term.factor.free_symbols]
    kept = tuple(axis for axis in term.axes if axis.index in term.factor.free_symbols)
    return Term(Mul(term.factor, *unused), kept)


def _merge_brackets(factor: Expr) -> Expr:
    if not factor.has(Iverson, LogIverson):
        return factor
    factors = Mul.make_args(factor)
    brackets = [each for each in factors if isinstance(each, Iverson)]
    logs = [each for each in factors if isinstance(each, LogIverson)]
    if not logs:
        rest = [each for each in factors if not isinstance(each, Iverson)]
        conditions = {part for b in brackets for part in And.make_args(b.args[0])}
        return S.Zero if _contradictory(conditions) else Mul(Iverson(And(*conditions)), *rest)
    return LogIverson(Or(Not(And(*(b.args[0] for b in brackets))), logs[0].args[0]))


def _contradictory(conditions: Iterable[Expr]) -> bool:
    """Whether one quantity is asked to equal two numbers."""
    values: dict[Expr, set[Expr]] = defaultdict(set)
    for condition in conditions:
        if isinstance(condition, Eq) and condition.rhs.is_number:
            values[condition.lhs].add(condition.rhs)
    return any(len(each) > 1 for each in values.values())


def _terms(expr: Expr) -> list[Term]:
    if isinstance(expr, Add):
        return [term for part in expr.args for term in _terms(part)]
    if isinstance(expr, Sum):
        outer = tuple(Axis(index, high + 1) for index, _low, high in expr.limits)
        names = {axis.index for axis in outer}
        inner = (rename_apart(term, names) for term in _terms(expr.function))
        return [Term(term.factor, term.axes + outer) for term in inner]
    if isinstance(expr, Mul):
        return _multiply([_terms(part) for part in expr.args])
    if isinstance(expr, Pow) and not is_matrix(expr):
        return _power(expr)
    if isinstance(expr, (Tr, Element)):
        return _words(expr)
    return [Term(expr)]


def _words(expr: Expr) -> list[Term]:
    """A scalar of matrices multiplied out into words, each turned in the one way."""
    if isinstance(expr, Tr):
        whole = trace(expr.args[0], shape(expr.args[0])[0])
    else:
        whole = element(*expr.args)
    return [Term(expr)] if whole == expr else _terms(whole)


def _power(expr: Pow) -> list[Term]:
    base, exponent = expr.args
    if exponent.is_Integer and exponent > 1 and (isinstance(base, (Add, Mul, Tr)) or base.has(Sum)):
        return _whole_power(_terms(base), int(exponent))
    if isinstance(base, Mul) or (isinstance(base, Pow) and base.base.is_positive):
        spread = expand_power_base(Pow(base, exponent), force=True)
        return _terms(spread) if spread != expr else [Term(expr)]
    if isinstance(exponent, Add) and base.is_positive:
        return _multiply([_terms(Pow(base, part)) for part in exponent.args])
    return [Term(expr)]


def _multiply(lists: list[list[Term]]) -> list[Term]:
    if all(len(each) == 1 for each in lists) and not any(each[0].axes for each in lists):
        return [Term(Mul(*(each[0].factor for each in lists)))]
    return [_product(combination) for combination in _looked_at(cartesian(*lists))]


def _looked_at(combinations: Iterable[tuple[Term, ...]]) -> Iterable[tuple[Term, ...]]:
    for combination in combinations:
        look()
        yield combination


def _whole_power(terms: list[Term], exponent: int) -> list[Term]:
    """A power of a sum by the multinomial theorem; of one with sums in it, as a product."""
    if any(term.axes or is_matrix(term.factor) for term in terms):
        return _multiply([terms] * exponent)
    whole = expand(Pow(Add(*(term.factor for term in terms)), exponent), deep=False)
    return [Term(part) for part in Add.make_args(whole)]


def _product(terms: Iterable[Term]) -> Term:
    """The product of sums as one sum, bound indices renamed apart."""
    factor: Expr = S.One
    axes: tuple[Axis, ...] = ()
    for term in terms:
        apart = rename_apart(term, {axis.index for axis in axes} | factor.free_symbols)
        factor, axes = factor * apart.factor, axes + apart.axes
    return Term(factor, axes)


def rename_apart(term: Term, taken: set[Symbol]) -> Term:
    """The same term with bound indices that avoid the names taken."""
    rules: dict[Expr, Expr] = {}
    for axis in term.axes:
        if axis.index in taken:
            rules[axis.index] = fresh_index(
                axis.index, taken | term.factor.free_symbols | set(rules.values())
            )
    axes = tuple(Axis(rules.get(axis.index, axis.index), axis.size) for axis in term.axes)
    return Term(term.factor.xreplace(rules), axes)
