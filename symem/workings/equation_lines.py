"""An equation on the way to its root: gathered by the unknown, what holds it on one side; a multiplier from its constraint."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sympy import Add, Expr, Integer, Mul, Pow, expand, factor_terms, fraction, lcm, together

from symem.algebra.rewriting import is_negative
from symem.algebra.squares import as_squares
from symem.calculus.checker import Checker
from symem.calculus.m_steps import companions
from symem.calculus.matrix_equations import in_words
from symem.calculus.roots import Powers, gathered, simplified
from symem.derivation import Shares, Step, Update
from symem.language.leaves import name_of
from symem.language.matrices import is_matrix, word_of
from symem.language.plates import total
from symem.language.supports import Simplex
from symem.workings.line_laws import line
from symem.workings.slope_lines import update_of


def isolated(steps: tuple[Step, ...], checker: Checker) -> Iterator[Step]:
    """The lines between ∂Q/∂θ = 0 and its root."""
    updates = [(step, update_of(step, checker)) for step in steps]
    shares = [(step, update) for step, update in updates if isinstance(update, Shares)]
    if len(shares) == len(updates):
        yield from _shared(shares, checker)
        return
    for step, update in updates:
        found = _of_words(step, update) if is_matrix(update.parameter) else _of_powers(step, update, checker)
        yield from found
        yield from _put_in(step, update, checker)


# numbers --------------------------------------------------------------------------------------------------


def _of_powers(step: Step, update: Update, checker: Checker) -> Iterator[Step]:
    """Σ c uᵉ = 0; of two powers, c u = d."""
    powers = _powers(update, checker)
    if powers is None or not all(e.is_number for e in powers.exponents):
        return
    unknown, lowest = update.parameter, min(powers.exponents)
    sides = [(e - lowest, c) for e, c in zip(powers.exponents, powers.coefficients, strict=True)]
    sides = _without_denominators(sides)
    if _is_gathered_by(update.equation) or len(sides) > 2:
        whole = Add(*(c * Pow(unknown, exponent) for exponent, c in sides))
        yield line("gathered powers", step, whole, Integer(0))
    if len(sides) == 2:
        (_, low), (exponent, high) = sides
        yield line("isolated", step, high * Pow(unknown, exponent), -low)


def _is_gathered_by(equation: Expr) -> bool:
    """Whether like terms meet when an equation is multiplied out."""
    above, _ = fraction(together(equation))
    apart = [part for each in Add.make_args(above) for part in Add.make_args(expand(each))]
    return len(apart) > len(Add.make_args(expand(above)))


def _without_denominators(sides: list[tuple[Expr, Expr]]) -> list[tuple[Expr, Expr]]:
    """Both coefficients times the denominators that they share, the last without a minus sign."""
    coefficients = [factor_terms(c) for _, c in sides]
    shared = set.intersection(*(_below(c) for c in coefficients))
    number = lcm([term.as_coeff_Mul()[0].q for c in coefficients for term in Add.make_args(expand(c))])
    scale = number * Mul(*shared) * (-1 if is_negative(coefficients[-1]) else 1)
    return [(e, as_squares(expand(scale * c))) for (e, _), c in zip(sides, coefficients, strict=True)]


def _below(expr: Expr) -> set[Expr]:
    """The factors under the fraction line."""
    return {1 / each for each in Mul.make_args(expr) if each.is_Pow and is_negative(each.exp)}


def _powers(update: Update, checker: Checker) -> Powers | None:
    """The equation in powers of its unknown, if it is one in powers."""
    support = checker.variable(update).support
    if not update.equation.has(update.parameter):
        return None
    read = gathered(update.equation, update.parameter, support)
    return None if read is None else read.powers


def _put_in(step: Step, update: Update, checker: Checker) -> Iterator[Step]:
    """The equation with the parameters that were eliminated from it at their own solutions."""
    inner = [each for each in checker.block_of(update) if each.parameter in update.eliminated]
    if not inner:
        return
    whole = expand(checker.put_in(inner, update.equation))
    others = [each.parameter for each in inner]
    sides = _of_words(step, update, whole) if is_matrix(update.parameter) else ()
    for found in sides:
        if found.law.name == "isolated":
            yield line("others put in", step, found.before, found.after, others=others)


# shares ---------------------------------------------------------------------------------------------------


def _shared(updates: Sequence[tuple[Step, Shares]], checker: Checker) -> Iterator[Step]:
    """θ = h/λ of each, then Σ h/λ = 1."""
    shares = []
    for step, update in updates:
        share = _share(update, checker)
        if share is None:
            return
        shares.append(share)
        yield line("share over the multiplier", step, update.parameter, share)
    step, update = updates[0]
    whole = _summed(shares, update, checker)
    yield line("constraint", step, whole, Integer(1))
    multiplier = update.multiplier[0]
    alone = _summed([multiplier * share for share in shares], update, checker)
    if not alone.has(multiplier):
        yield line("constraint", step, multiplier, alone)


def _share(update: Update, checker: Checker) -> Expr | None:
    """h/λ of one share, from its own equation."""
    powers = _powers(update, checker)
    if powers is None or len(powers.exponents) != 2 or powers.step != 1:
        return None
    low, high = powers.coefficients
    return simplified(-low / high)


def _summed(shares: Sequence[Expr], update: Update, checker: Checker) -> Expr:
    """What is one: the sum of the shares over the cells."""
    model = checker.derivation.model
    if companions(update.parameter, model) in model.simplexes or len(shares) > 1:
        return Add(*shares, evaluate=False)
    support = model.variables[name_of(update.parameter)].support
    assert isinstance(support, Simplex)
    return total(shares[0], update.definition.axes[-support.axes :])


# matrices -------------------------------------------------------------------------------------------------


def _of_words(step: Step, update: Update, whole: Expr | None = None) -> Iterator[Step]:
    """Σ A X B = C, a common invertible factor taken away."""
    whole = update.equation if whole is None else whole
    words = in_words(whole, update.parameter)
    if words is None or not words.rest:
        return
    held, rest = (_added(each) for each in (words.held, words.rest))
    if is_negative(Add.make_args(held)[0]):
        held, rest = expand(-held), expand(-rest)
    if expand(held + rest) not in (expand(whole), expand(-whole)):
        yield line("gathered words", step, held + rest, Integer(0))
    yield line("isolated", step, held, expand(-rest))


def _added(words: Sequence[tuple[Expr, tuple[Expr, ...]]]) -> Expr:
    return Add(*(c * word_of(w) for c, w in words))
