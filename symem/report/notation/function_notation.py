"""The rules of notation for functions, relations and what stands in brackets, for any medium."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sympy import (
    Add,
    Expr,
    Indexed,
    Integer,
    Mul,
    S,
    Symbol,
    besselk,
    exp,
    expand_mul,
    gamma,
    log,
    loggamma,
    tanh,
)
from sympy.core.function import AppliedUndef

from symem.algebra.rewriting import flat, is_negative
from symem.language.bessel_logarithms import bessel_slope
from symem.language.incomplete_gamma import LogIncompleteGamma, incomplete_gamma
from symem.language.leaves import name_of
from symem.language.special import NormalCDF
from symem.report.notation.letters import Label
from symem.report.notation.lexicon import Lexicon
from symem.report.notation.markup import Markup


class FunctionNotation:
    """What the printers must know of functions; mixed into the rules of the textbook."""

    lexicon: Lexicon
    markup: Markup
    doprint: Callable[[Any], str]
    centred: Callable[[Expr], Expr]
    seen: Callable[[Expr, str], str]

    def _print_log(self, expr: Expr, **_: Any) -> str:
        return self.named(expr, expr.args[0])

    def named(self, expr: Expr, argument: Expr) -> str:
        """A function by its name, without parentheses around one letter."""
        bare = isinstance(argument, Symbol | Indexed | Integer | AppliedUndef | gamma) or argument is S.Pi
        return self.markup.function(expr.func.__name__, self.doprint(argument), bare=bare)

    def _print_cos(self, expr: Expr, **_: Any) -> str:
        return self.named(expr, self.centred(expr.args[0]))

    def _print_sin(self, expr: Expr, **_: Any) -> str:
        return self.named(expr, expr.args[0])

    def _print_atan2(self, expr: Expr, **_: Any) -> str:
        return self.markup.function("atan2", ", ".join(map(self.doprint, expr.args)), bare=False)

    def _print_exp(self, expr: Expr, **_: Any) -> str:
        exponent = expr.args[0]
        if any(isinstance(part, LogIncompleteGamma) for part in Add.make_args(exponent)):
            return self.doprint(Mul(*map(_without_logarithm, Add.make_args(exponent))))
        short = isinstance(-exponent if is_negative(exponent) else exponent, Symbol | Indexed)
        return self.markup.exponential(self.doprint(exponent), short=short)

    _print_ExpBase = _print_exp

    def _print_gamma(self, expr: Expr, **_: Any) -> str:
        if expr.args[0].as_coeff_Add()[0] == 1:
            return self.factorial(expr.args[0] - 1)
        return self.markup.function("Gamma", self.doprint(expr.args[0]), bare=False)

    def _print_loggamma(self, expr: Expr, **_: Any) -> str:
        return self.markup.function("log", self._print_gamma(expr), bare=True)

    def factorial(self, argument: Expr) -> str:
        body = self.doprint(argument)
        return (
            f"{body}!" if isinstance(argument, Symbol | Indexed | Integer) else f"{self.markup.group(body)}!"
        )

    def _print_factorial(self, expr: Expr, **_: Any) -> str:
        return self.factorial(expr.args[0])

    def _print_polygamma(self, expr: Expr, **_: Any) -> str:
        order, argument = expr.args
        return self.markup.function("psi" + "'" * int(order), self.doprint(argument), bare=False)

    def _print_Iverson(self, expr: Expr, **_: Any) -> str:
        return self.markup.bracket(self.doprint(expr.args[0]))

    def _print_LogIverson(self, expr: Expr, **_: Any) -> str:
        return self.markup.function("log", self._print_Iverson(expr), bare=True)

    def _print_Expectation(self, expr: Expr, **_: Any) -> str:
        return self.markup.mean(self.doprint(expr.args[0]), ())

    def _print_LinearSolution(self, expr: Expr, **_: Any) -> str:
        place, row, column, matrix, vector, _size = expr.args
        if all(map(is_negative, (matrix, vector))) or all(map(_falls, (matrix, vector))):
            matrix, vector = expand_mul(-matrix), expand_mul(-vector)
        return self.markup.solution(*map(self.doprint, (matrix, row, column, vector, place)))

    def _print_FallingRoot(self, expr: Expr, **_: Any) -> str:
        """What moves with the unknown on one side; another root that stands in it has its own letter and equation."""
        rest, moving = expr.equation(expr.unknown).as_independent(expr.unknown, as_Add=True)
        inner = {root: root.unknown for root in sorted(moving.atoms(type(expr)), key=str)}
        equation = " = ".join(map(self.doprint, (moving.xreplace(inner), -rest)))
        beside = (f"{self.doprint(letter)} = {self.doprint(root)}" for root, letter in inner.items())
        return self.markup.solving(self.doprint(expr.unknown), (equation, *beside))

    def _print_WhereVanishing(self, expr: Expr, **_: Any) -> str:
        left, right = map(self.doprint, expr.sides)
        return self.markup.where(self.doprint(expr.args[0]), f"{left} = {right}")

    def _print_OneStepTowards(self, expr: Expr, **_: Any) -> str:
        left, right = map(self.doprint, expr.sides)
        return self.markup.towards(self.doprint(expr.args[0]), f"{left} = {right}")

    def _print_Mode(self, expr: Expr, **_: Any) -> str:
        """The letters at which a function is largest; of several, one of them."""
        letters = [self.doprint(each) for each in expr.unknowns]
        return self.markup.largest(letters, self.doprint(expr.height), letters[expr.component])

    def _print_RuleNode(self, expr: Expr, **_: Any) -> str:
        place, _size, dimensions, component = expr.args
        own = [str(int(component) + 1)] if dimensions != 1 else []
        return self.markup.letter(Label("z"), [*own, self.doprint(place + 1)], "")

    def _print_RuleLogWeight(self, expr: Expr, **_: Any) -> str:
        return self.markup.function(
            "log", self.markup.letter(Label("omega"), [self.doprint(expr.args[0] + 1)], ""), bare=True
        )

    def _print_FromLog(self, expr: Expr, **_: Any) -> str:
        return self.doprint(exp(expr.args[0]))

    def _print_NormalCDF(self, expr: Expr, **_: Any) -> str:
        return self.markup.function("Phi", self.doprint(expr.args[0]), bare=False)

    def _print_LogNormalInterval(self, expr: Expr, **_: Any) -> str:
        low, high = expr.args
        above = "1" if high is S.Infinity else self._print_NormalCDF(NormalCDF(high))
        below = "" if low is S.NegativeInfinity else " - " + self._print_NormalCDF(NormalCDF(low))
        return self.markup.function("log", above + below, bare=False)

    def _print_LogGammaInterval(self, expr: Expr, **_: Any) -> str:
        return self.doprint(log(incomplete_gamma(*expr.args) / gamma(expr.args[0], evaluate=False)))

    def _print_GammaIntervalMean(self, expr: Expr, **_: Any) -> str:
        shape, *ends = expr.args
        return self.doprint(incomplete_gamma(shape + 1, *ends) / incomplete_gamma(shape, *ends))

    def _print_LogGammaDensity(self, expr: Expr, **_: Any) -> str:
        return self.doprint(expr.written_out)

    def _print_LogBesselK(self, expr: Expr, **_: Any) -> str:
        return self.doprint(log(besselk(*expr.args)))

    def _print_LogBesselKDerivative(self, expr: Expr, **_: Any) -> str:
        order, x, i, j = expr.args
        if i == 0:
            return self.markup.group(self.doprint(bessel_slope(order, x, int(j))))
        letter = self._letter_beside(expr, ("nu", "q", "s", "nu_0"))
        whole = self.doprint(bessel_slope(letter, x, int(j)))
        return self.markup.slope(self.doprint(letter), whole, self.doprint(order), int(i))

    def _print_LogIncompleteGamma(self, expr: Expr, **_: Any) -> str:
        return self.doprint(log(incomplete_gamma(*expr.args)))

    def _print_GammaIntervalLogMean(self, expr: Expr, **_: Any) -> str:
        return self._slope_in_shape(expr, 1)

    def _print_GammaIntervalLogVariance(self, expr: Expr, **_: Any) -> str:
        return self._slope_in_shape(expr, 2)

    def _slope_in_shape(self, expr: Expr, order: int) -> str:
        """A derivative of log Γ(s, x) in s, at the shape."""
        shape, *ends = expr.args
        letter = self._letter_beside(expr, ("s", "t", "v", "s_0"))
        whole = self.doprint(log(incomplete_gamma(letter, *ends)))
        return self.markup.slope(self.doprint(letter), whole, self.doprint(shape), order)

    def _letter_beside(self, expr: Expr, letters: Iterable[str]) -> Symbol:
        """The first letter that stands for nothing in an expression."""
        taken = {name_of(each) for each in expr.atoms(Symbol)}
        return Symbol(next(each for each in letters if each not in taken))

    def _print_uppergamma(self, expr: Expr, **_: Any) -> str:
        return self.markup.function("Gamma", ", ".join(map(self.doprint, expr.args)), bare=False)

    def _print_lowergamma(self, expr: Expr, **_: Any) -> str:
        return self.markup.function("gamma", ", ".join(map(self.doprint, expr.args)), bare=False)

    def _print_TanhRatio(self, expr: Expr, **_: Any) -> str:
        return self.doprint(tanh(expr.args[0] / 2) / (2 * expr.args[0]))

    def _print_LogPolyaGamma(self, expr: Expr, **_: Any) -> str:
        shape, value = map(self.doprint, expr.args)
        law = self.markup.function("PG", f"{value}; {shape}, 0", bare=False)
        return self.markup.function("log", law, bare=True)

    def _print_Equality(self, expr: Expr, **_: Any) -> str:
        return self._compared(expr, " = ", 1)

    def _print_Unequality(self, expr: Expr, **_: Any) -> str:
        return self._compared(expr, self.markup.unequal, 0)

    def _compared(self, expr: Expr, sign: str, seen: int) -> str:
        """A relation; of a mask, whether the entry is observed or missing."""
        mask, value = expr.args
        if isinstance(mask, Symbol | Indexed) and name_of(mask) in self.lexicon.masks and value.is_Integer:
            return self.seen(mask, "observed" if value == seen else "missing")
        return sign.join(self.doprint(side) for side in expr.args)

    def _print_And(self, expr: Expr, **_: Any) -> str:
        return ", ".join(self.doprint(part) for part in sorted(expr.args, key=str))

    def _print_Or(self, expr: Expr, **_: Any) -> str:
        return self.markup.text("or ").join(self.doprint(part) for part in sorted(expr.args, key=str))

    def _print_AppliedUndef(self, expr: Expr, **_: Any) -> str:
        name = self.markup.letter(self.lexicon.label(expr.func.__name__), (), "")
        return name + self.markup.group(", ".join(self.doprint(argument) for argument in expr.args))


def _without_logarithm(part: Expr) -> Expr:
    """e to a summand: Γ(s, x)^±1 of its logarithm, a power of b of c log b."""
    number, bare = part.as_coeff_Mul()
    if isinstance(bare, LogIncompleteGamma) and number in (1, -1):
        return incomplete_gamma(*bare.args) ** number
    if isinstance(bare, loggamma) and number in (1, -1):
        return gamma(bare.args[0], evaluate=False) ** number
    logs = [factor for factor in Mul.make_args(bare) if isinstance(factor, log)]
    return logs[0].args[0] ** (part / logs[0]) if len(logs) == 1 else exp(part)


def _falls(expr: Expr) -> bool:
    """Whether every term of a sum, or of a sum over a number, has a minus."""
    terms = [term for factor in flat(expr) if factor.is_Add for term in factor.args]
    return bool(terms) and all(map(is_negative, terms)) and not is_negative(expr)
