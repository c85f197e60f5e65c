"""Numbers as an expert writes them: -_LOG_2PI / 2, np.log(2), and only what has no such form as its digits."""

from __future__ import annotations

from sympy import Expr, N, log, pi, sqrt

_PRODUCT, _UNARY, _ATOM = 2, 3, 5


def number_text(value: Expr) -> tuple[str, int]:
    """The text of a finite number, and how strongly it holds together."""
    coefficient, rest = value.as_coeff_Mul(rational=True)
    named = _named(rest)
    if named is None:
        text = str(value) if value.is_Integer else repr(float(N(value, 30)))
        return text, _UNARY if text.startswith("-") else _ATOM
    size = abs(coefficient)
    text = named if size.p == 1 else f"{size.p} * {named}"
    text += "" if size.q == 1 else f" / {size.q}"
    strength = _ATOM if text == named else _PRODUCT
    return (f"-{text}", min(_UNARY, strength)) if coefficient < 0 else (text, strength)


def _named(value: Expr) -> str | None:
    """A number that has a name."""
    if value == log(2 * pi):
        return "_LOG_2PI"
    if value == pi:
        return "np.pi"
    for function, name in ((log, "log"), (sqrt, "sqrt")):
        argument = value.args[0] if value.args else None
        if argument is not None and (argument.is_Integer or argument == pi) and value == function(argument):
            return f"np.{name}({'np.pi' if argument == pi else argument})"
    return None
