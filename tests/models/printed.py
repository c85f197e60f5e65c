"""The updates of the examples with vectors as their sources print them: named lines, read from top to bottom.

A line is a name, its indices and its value, in the letters of `symem.language.matrices`; a parameter on the left
is the new one from there on. What runs these lines is `tests/evaluate.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sympy import Indexed, IndexedBase, Sum, Symbol, exp, log, pi, sqrt, symbols

from symem.derivation import Definition
from symem.language.matrices import ENTRY, BlockInverse, Diagonal, MatrixArray, T, transpose
from symem.language.plates import Axis, index_symbol
from symem.language.traces import LogDet, element, inverse, trace

Lines = tuple[Definition, ...]
n, d, m, p, K, G, J = symbols("n d m p K G J", integer=True, positive=True)
i, k, h, a, g = map(index_symbol, ["i", "k", "h", "a", "g"])
SIZES = {i: n, k: K, h: K, a: d, g: G}
w, N, r, q = map(IndexedBase, ["w", "N", "r", "q"])
x = MatrixArray("x", d, 1)


def line(symbol: Any, value: Any) -> Definition:
    places = symbol.indices if isinstance(symbol, Indexed) else ()
    return Definition(symbol, tuple(Axis(place, SIZES[place]) for place in places), value)


def over(index: Any, value: Any) -> Any:
    return Sum(value, (index, 0, SIZES[index] - 1))


def vector(name: str, size: Any) -> Any:
    return MatrixArray(name, size, 1)


def square(name: str, size: Any) -> Any:
    return MatrixArray(name, size, size, "positive definite")


def log_normal(value: Any, mean: Any, covariance: Any) -> Any:
    off = value - mean
    form = trace(transpose(off) * inverse(covariance) * off, 1)
    return -(d * log(2 * pi) + LogDet(covariance, d) + form) / 2


def responsibilities(density: Callable[[Any], Any]) -> Lines:
    """r[i, k], N[k] and the new w[k], of components whose densities are given."""
    joint = w[k] * density(k)
    return (
        line(r[i, k], joint / over(h, joint.subs(k, h))),
        line(N[k], over(i, r[i, k])),
        line(w[k], N[k] / n),
    )


def gaussian_mixture_full() -> Lines:
    """Bishop 2006, equations (9.23) to (9.27)."""
    mu, Sigma = vector("mu", d), square("Sigma", d)
    off = x[i] - mu[k]
    return (
        *responsibilities(lambda c: exp(log_normal(x[i], mu[c], Sigma[c]))),
        line(mu[k], over(i, r[i, k] * x[i]) / N[k]),
        line(Sigma[k], over(i, r[i, k] * off * transpose(off)) / N[k]),
    )


def _scores(mean: Any, loadings: Any, noise: Any) -> Lines:
    """E z[i] = (I + WᵀΨ⁻¹W)⁻¹ WᵀΨ⁻¹(x[i] - μ), and the sum of E z[i]z[i]ᵀ."""
    e, V, second = vector("e", m), square("V", m), square("second", m)
    back = T(loadings) * inverse(noise)
    return (
        line(V(), inverse(1 + back * loadings)),
        line(e[i], V() * back * (x[i] - mean)),
        line(second(), n * V() + over(i, e[i] * T(e[i]))),
    )


def _joint_line(mean: Any, loadings: Any) -> Lines:
    """W and μ together: centred scores on centred rows."""
    e, V, top, mid = vector("e", m), square("V", m), vector("top", d), vector("mid", m)
    cross = over(i, (x[i] - top()) * T(e[i] - mid()))
    spread = n * V() + over(i, (e[i] - mid()) * T(e[i]))
    return (
        line(top(), over(i, x[i]) / n),
        line(mid(), over(i, e[i]) / n),
        line(loadings, cross * inverse(spread)),
        line(mean, top() - loadings * mid()),
    )


def factor_analysis() -> Lines:
    """Rubin & Thayer 1982, with the mean among the unknowns (Ghahramani & Hinton 1996, equations (5), (6))."""
    mu, W, psi, e = vector("mu", d)(), MatrixArray("W", d, m)(), IndexedBase("psi"), vector("e", m)
    off = x[i] - mu
    left = over(i, off * transpose(off) - W * e[i] * transpose(off)) / n
    return (
        *_scores(mu, W, Diagonal(psi[ENTRY], d)),
        *_joint_line(mu, W),
        line(psi[a], element(left, a, a)),
    )


def probabilistic_pca() -> Lines:
    """Tipping & Bishop 1999, equations (26) to (28), the mean found together with W."""
    mu, W, s2 = vector("mu", d)(), MatrixArray("W", d, m)(), Symbol("s2")
    e, second = vector("e", m), square("second", m)
    off = x[i] - mu
    total = over(i, trace(T(x[i] - mu) * (x[i] - mu), 1) - 2 * trace(T(e[i]) * T(W) * off, 1))
    return (
        *_scores(mu, W, s2),
        *_joint_line(mu, W),
        line(s2, (total + trace(second() * T(W) * W, m)) / (n * d)),
    )


def multivariate_t() -> Lines:
    """McLachlan & Krishnan 2008, equations (2.37), (2.41), (2.42)."""
    mu, Sigma, nu, u = vector("mu", d)(), square("Sigma", d)(), Symbol("nu"), IndexedBase("u")
    off = x[i] - mu
    return (
        line(u[i], (nu + d) / (nu + trace(transpose(off) * inverse(Sigma) * off, 1))),
        line(mu, over(i, u[i] * x[i]) / over(i, u[i])),
        line(Sigma, over(i, u[i] * off * transpose(off)) / n),
    )


def random_slopes() -> Lines:
    """Laird & Ware 1982, section 4."""
    y, b, beta = vector("y", J), vector("e", p), vector("beta", p)()
    X, D, V, s2 = MatrixArray("X", J, p)(), square("D", p)(), square("V", p)(), Symbol("s2")
    rest = y[g] - X * beta - X * b[g]
    return (
        line(V, inverse(inverse(D) + T(X) * X / s2)),
        line(b[g], V * T(X) * (y[g] - X * beta) / s2),
        line(beta, inverse(T(X) * X) * T(X) * over(g, y[g] - X * b[g]) / G),
        line(D, V + over(g, b[g] * T(b[g])) / G),
        line(s2, (over(g, trace(transpose(rest) * rest, 1)) + G * trace(X * V * T(X), J)) / (G * J)),
    )


def evidence_regression() -> Lines:
    """Bishop 2006, equations (9.63) and (9.68)."""
    y, X = vector("y", n)(), MatrixArray("X", n, p)()
    mean, V, alpha, beta = vector("e", p)(), square("V", p)(), Symbol("alpha"), Symbol("beta")
    rest = y - X * mean
    return (
        line(V, inverse(alpha + beta * T(X) * X)),
        line(mean, beta * V * T(X) * y),
        line(alpha, p / (trace(T(mean) * mean, 1) + trace(V, p))),
        line(beta, n / (trace(transpose(rest) * rest, 1) + trace(X * V * T(X), n))),
    )


def mixture_of_regressions() -> Lines:
    """DeSarbo & Cron 1988, equations (14) to (17); Bishop 2006, equations (14.42) to (14.44) with own variances."""
    y, row, beta, s2 = IndexedBase("y"), vector("x", p), vector("beta", p), IndexedBase("s2")

    def off(label: Any) -> Any:
        return y[i] - trace(T(row[i]) * beta[label], 1)

    return (
        *responsibilities(lambda c: exp(-(off(c) ** 2) / (2 * s2[c])) / sqrt(s2[c])),
        line(
            beta[k],
            inverse(over(i, r[i, k] * row[i] * T(row[i]))) * over(i, r[i, k] * y[i] * row[i]),
        ),
        line(s2[k], over(i, r[i, k] * off(k) ** 2) / N[k]),
    )


def mixture_of_factor_analysers() -> Lines:
    """Ghahramani & Hinton 1996, equations (11), (13) and appendix B, means and loadings written apart."""
    mu, W, psi = vector("mu", d), MatrixArray("W", d, m), IndexedBase("psi")
    V, e, top, mid = square("V", m), vector("e", m), vector("top", d), vector("mid", m)
    noise = Diagonal(psi[ENTRY], d)
    cross = over(i, r[i, k] * (x[i] - top[k]) * T(e[i, k] - mid[k]))
    spread = N[k] * V[k] + over(i, r[i, k] * (e[i, k] - mid[k]) * T(e[i, k]))
    off = x[i] - mu[k]
    left = over(k, over(i, r[i, k] * (off - W[k] * e[i, k]) * transpose(off))) / n
    return (
        *responsibilities(lambda c: exp(log_normal(x[i], mu[c], W[c] * T(W[c]) + noise))),
        line(V[k], inverse(1 + T(W[k]) * inverse(noise) * W[k])),
        line(e[i, k], V[k] * T(W[k]) * inverse(noise) * off),
        line(top[k], over(i, r[i, k] * x[i]) / N[k]),
        line(mid[k], over(i, r[i, k] * e[i, k]) / N[k]),
        line(W[k], cross * inverse(spread)),
        line(mu[k], top[k] - W[k] * mid[k]),
        line(psi[a], element(left, a, a)),
    )


def missing_normal() -> Lines:
    """Little & Rubin 2002, equations (11.4) to (11.6); what is missing has the precision's block for its own."""
    mu, Sigma, seen = vector("mu", d)(), square("Sigma", d)(), IndexedBase("observed_x")
    C, e = square("C", d), vector("e", d)
    off = e[i] - mu
    return (
        line(C[i], BlockInverse(inverse(Sigma), seen[i, ENTRY], d)),
        line(e[i], x[i] + C[i] * inverse(Sigma) * (mu - x[i])),
        line(mu, over(i, e[i]) / n),
        line(Sigma, over(i, off * transpose(off) + C[i]) / n),
    )


PRINTED: dict[str, Callable[[], Lines]] = {
    each.__name__: each
    for each in (
        gaussian_mixture_full,
        factor_analysis,
        probabilistic_pca,
        multivariate_t,
        missing_normal,
        random_slopes,
        evidence_regression,
        mixture_of_regressions,
        mixture_of_factor_analysers,
    )
}
