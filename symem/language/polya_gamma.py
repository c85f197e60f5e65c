"""Functions of the Pólya–Gamma law, which is known by its Laplace transform cosh(c/2)^-b: a step needs its mean alone.

Polson, Scott & Windle 2013, Bayesian inference for logistic models using Pólya–Gamma latent variables.
"""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
from mpmath.libmp import prec_to_dps
from sympy import Expr, Function, Rational, exp, log, tanh

#: Up to so many terms of a series in doubles.
_TERMS = 30


def log_cosh_of_half(c: Expr) -> Expr:
    """log cosh(c/2) for c ≥ 0."""
    return c / 2 + log(1 + exp(-c)) - log(2)


class TanhRatio(Function):  # type: ignore[misc]
    """tanh(c/2)/(2c), which is 1/4 at 0."""

    nargs = 1
    is_positive = True

    def fdiff(self, _argindex: int = 1) -> Expr:
        c = self.args[0]
        return (Rational(1, 4) - self - c**2 * self**2) / c

    def _eval_evalf(self, prec: int) -> Expr:
        c = self.args[0]
        return (tanh(c / 2) / (2 * c)).evalf(prec_to_dps(prec)) if c != 0 else Rational(1, 4)


def log_density(b: Any, x: Any) -> Any:
    """log of the density at x of the law of shape b without tilt, of arrays.

    By its series (section 2 there) in doubles; for b = 1 far out by the dual one of Jacobi's theta function; where digits
    cancel in these, number by number; and where it is below e^-296, by its leading term (2π)^b x^(b - 1) e^(-π²x/2)/Γ(b).
    """
    b, x = np.broadcast_arrays(np.asarray(b, dtype=float), np.asarray(x, dtype=float))
    n = np.arange(_TERMS)
    with np.errstate(all="ignore"):
        shares = np.cumprod(np.where(n > 0, (b[..., None] + n - 1) / np.maximum(n, 1), 1.0), axis=-1)
        less = n * (n + b[..., None]) / (2 * x[..., None])
        size = shares * (2 * n + b[..., None]) * np.exp(-less)
        total = (size * (-1.0) ** n).sum(-1)
        near = (b - 1) * np.log(2) - np.log(2 * np.pi * x**3) / 2 - b**2 / (8 * x) + np.log(total)
        dual = (-1.0) ** n * (n + 0.5) * np.exp(-2 * np.pi**2 * x[..., None] * n * (n + 1))
        far = (b == 1) & (x > 0.2)
        value = np.array(np.where(far, np.log(4 * np.pi * dual.sum(-1)) - np.pi**2 * x / 2, near))
        leading = b * np.log(2 * np.pi) + (b - 1) * np.log(x) - np.pi**2 * x / 2
    beyond = ~far & (x > 60 + b)
    lost = ~far & ~beyond & (x > 0) & ~(total > 1e-5 * size.max(-1))
    value[beyond] = leading[beyond] - np.array([math.lgamma(each) for each in b[beyond]])
    value[lost] = [_by_number(*pair) for pair in zip(b[lost], x[lost], strict=True)]
    return value[()]


def _by_number(b: float, x: float) -> float:
    """The series with as many digits as cancel in it."""
    with mpmath.workdps(40 + int(3 * x)):
        total, share, place = mpmath.mpf(0), mpmath.mpf(1), 0
        while True:
            term = share * (2 * place + b) * mpmath.exp(-(mpmath.mpf(2 * place + b) ** 2) / (8 * x))
            total += term
            if place > b and abs(term) < abs(total) * mpmath.mpf(10) ** -30:
                break
            share, place = -share * (b + place) / (place + 1), place + 1
        scale = (b - 1) * mpmath.log(2) - mpmath.log(2 * mpmath.pi * mpmath.mpf(x) ** 3) / 2
        return float(scale + mpmath.log(total)) if total > 0 else -np.inf


class LogPolyaGamma(Function):  # type: ignore[misc]
    """log of the density at x of the law of shape b without tilt: args (b, x)."""

    nargs = 2
    is_real = True
    _imp_ = staticmethod(log_density)
