"""What a model says of its complete data before anything is seen: E_θ[s(Y)].

Any mean is had from the law of each variable given those before it (law of total expectation), by the same elimination that
gives the posteriors, in a model of which all is latent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sympy import Add, Expr, Indexed, Sum

from symem.calculus.brackets import collapse_pinned
from symem.calculus.eliminated import Eliminated
from symem.calculus.expectation import Expectations
from symem.calculus.fresh_names import Names
from symem.calculus.gradients import gradient
from symem.calculus.last_first import LastFirst, named, readings, written_out
from symem.calculus.separate import Term, fold, separate
from symem.calculus.statistics import joined
from symem.calculus.sufficient import over_sums
from symem.calculus.whole_totals import Ones
from symem.derivation import Chain, Definition
from symem.errors import NotDerivedError
from symem.language.leaves import name_of
from symem.language.matrices import MatrixArray, is_matrix, is_symmetric, shape, transpose
from symem.language.model import Model, Variable
from symem.language.traces import Element, element, trace

#: Operations beyond which a mean has no short form.
LONGEST = 200


@dataclass(frozen=True)
class CompleteLaw:
    """The laws of all variables of a model, each given those that are eliminated after it."""

    model: Model
    eliminated: tuple[Eliminated, ...]
    stated: Mapping[str, Variable]

    @classmethod
    def of(cls, law: Model) -> CompleteLaw:
        """Take the law of complete data apart; data of which a likelihood does not say where they lie, where its total is one.

        Raises:
            NotDerivedError: a variable's law given the others is that of no family in the table, or the total is not one.
        """
        if law.declarations:
            return cls(law, tuple(LastFirst(law).done()), law.variables)
        if law.constraints:
            raise NotDerivedError("a likelihood does not say of counts what they total, where that is given")
        for read in readings(law):
            try:
                search = LastFirst(read)
                return cls(read, tuple(search.done(whole=True)), law.variables)
            except NotDerivedError:
                continue
        raise NotDerivedError("the likelihood does not say what values the data may take")

    def mean(self, function: Expr) -> Expr:
        """E_θ of a function of the complete data, a number or a matrix, whose open indices stand nowhere else.

        Raises:
            NotDerivedError: it has no closed form, or none that is short.
        """
        own = self.model.variables
        read = {v.symbol: own[name].symbol for name, v in self.stated.items() if name in own}
        taken = Expectations(list(self.eliminated), Names(self.model))
        raw = mean_of(function.xreplace(read), taken)
        told = Ones(self.model).in_short(written_out(raw, [*taken.moments.values(), *self._named]))
        strange = _names(told) - _names(function) - {name_of(each.symbol) for each in self.definitions}
        if told.count_ops() > LONGEST or not strange <= own.keys():
            raise NotDerivedError(f"the mean of {function} has no short form")
        return told

    @property
    def _named(self) -> list[Definition]:
        return [each for one in self.eliminated for each in named(one.posterior)]

    @property
    def definitions(self) -> tuple[Definition, ...]:
        """The laws of labels along chains, which means are told by."""
        chains = (one.posterior for one in self.eliminated if isinstance(one.posterior, Chain))
        laws = (chain.probability for chain in chains)
        return tuple(replace(each, value=written_out(each.value, self._named)) for each in laws)


def _names(expr: Expr) -> set[str]:
    return {name_of(symbol) for symbol in expr.free_symbols if not isinstance(symbol, Indexed)}


def mean_of(function: Expr, expectations: Expectations) -> Expr:
    """The mean of a function of latents; of a matrix M it is the gradient of the mean of tr(HᵀM), of its entries those of its mean."""
    entries = function.atoms(Element)
    if entries:
        (_matrix, *places) = min(entries, key=str).args
        whole = mean_of(function.xreplace({each: each.args[0] for each in entries}), expectations)
        return over_sums(whole, lambda matrix: element(matrix, *places))
    if not is_matrix(function):
        means = (each for term in separate(function) for each in expectations.of(term))
        return joined(fold(collapse_pinned(each)).expr for each in means)
    kind = "symmetric" if is_symmetric(function) else ""
    letter = MatrixArray("_H", *shape(function), kind)()
    terms = [e for t in separate(contracted(function, letter)) for e in expectations.of(t)]
    return Add(*(fold(Term(gradient(t.factor, letter), t.axes)).expr for t in terms))


def contracted(function: Expr, letter: Expr) -> Expr:
    """tr(HᵀM), sums outside."""
    if isinstance(function, Add):
        return Add(*(contracted(each, letter) for each in function.args))
    if isinstance(function, Sum):
        return Sum(contracted(function.function, letter), *function.limits)
    return trace(transpose(letter) * function, shape(letter)[1])
