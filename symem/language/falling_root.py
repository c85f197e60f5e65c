"""The place where a falling function vanishes: the value of an update that no formula gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from zlib import crc32

import mpmath
from sympy import Dummy, Expr, Float, Function, Lambda, Symbol, diff, expand, lambdify

#: The logarithm beyond which no root is looked for.
FURTHEST = 700


def unknown_letter(name: str) -> Dummy:
    """What a falling function is a function of, as it is written inside `FallingRoot`: by the name of the parameter."""
    return Dummy(name, dummy_index=_of(name), positive=True)


def given_letter(name: str, number: int) -> Dummy:
    """The letter by which that function knows what it is given as number 0, 1, …; another one in every function."""
    return Dummy(f"c_{number}", dummy_index=_of(name) + 1 + number, real=True)


def _of(name: str) -> int:
    """A number of its own for every name, the same in every process."""
    return (1 << 40) + (crc32(name.encode()) << 8)


class FallingRoot(Function):  # type: ignore[misc]
    """The u > 0 at which f(u, c₀, c₁, …) = 0, f falling in u; the one such place.

    Args: (Lambda((u, c₀, c₁, …), f), the values of c₀, c₁, …).
    """

    @classmethod
    def of(cls, function: Expr, unknown: Dummy, given: Mapping[Dummy, Expr]) -> FallingRoot:
        """By f and the values of its letters."""
        return cls(Lambda((unknown, *given), function), *given.values())

    def _eval_is_positive(self) -> bool:
        return True

    @property
    def function(self) -> Lambda:
        """(u, c₀, c₁, …) ↦ f."""
        return self.args[0]

    @property
    def given(self) -> tuple[Expr, ...]:
        """What the function is given."""
        return tuple(self.args[1:])

    @property
    def unknown(self) -> Dummy:
        """u."""
        return self.function.variables[0]

    @property
    def slope(self) -> Lambda:
        """(u, c₀, c₁, …) ↦ ∂f/∂u."""
        return Lambda(self.function.signature, expand(diff(self.function.expr, self.unknown)))

    def written_in(self, names: Sequence[str]) -> tuple[Expr, Expr]:
        """f and ∂f/∂u in symbols of those names."""
        letters = dict(zip(self.function.variables, map(Symbol, names), strict=True))
        return self.function.expr.xreplace(letters), self.slope.expr.xreplace(letters)

    def equation(self, unknown: Expr) -> Expr:
        """f at an expression, with what it is given."""
        letters = dict(zip(self.function.variables, (unknown, *self.given), strict=True))
        return self.function.expr.xreplace(letters)

    def fdiff(self, argindex: int = 2) -> Expr:
        """Its derivative in what the function is given, by that of the function (implicit differentiation)."""
        letter = self.function.variables[argindex - 1]
        ratio = -diff(self.function.expr, letter) / diff(self.function.expr, self.unknown)
        return ratio.xreplace(dict(zip(self.function.variables, (self, *self.given), strict=True)))

    def _eval_evalf(self, prec: int) -> Expr:
        """The root as a number, once all that the function is given is one."""
        if not all(each.is_number for each in self.given):
            return self
        equation = lambdify(self.unknown, self.equation(self.unknown), "mpmath")
        with mpmath.workprec(prec + 10):
            low, high = mpmath.mpf(-1), mpmath.mpf(1)
            while equation(mpmath.exp(low)) < 0 and low > -FURTHEST:
                low *= 2
            while equation(mpmath.exp(high)) > 0 and high < FURTHEST:
                high *= 2
            found = mpmath.findroot(lambda place: equation(mpmath.exp(place)), (low, high), solver="anderson")
            return Float(mpmath.exp(found), precision=prec)

    def _sympystr(self, printer: Any) -> str:
        return self._told(printer, "root({0} > 0: {1})")

    def _latex(self, printer: Any) -> str:
        return self._told(printer, r"\operatorname*{{root}}_{{{0} > 0}} \left[{1}\right]")

    def _told(self, printer: Any, form: str) -> str:
        """As a printer has it, or else by the unknown and the function."""
        own = getattr(printer, "_print_FallingRoot", None)
        if own:
            return str(own(self))
        unknown = Symbol(self.unknown.name)
        return form.format(printer.doprint(unknown), printer.doprint(self.equation(unknown)))
