"""Derivations with vectors and matrices, written by hand: a Gaussian mixture, factor analysis, missing entries.

They come from the textbook (Bishop 2006, sections 9.2 and 12.2; Little & Rubin 2002, section 11.2), not from
the engine, so that a fault of the engine cannot hide one of the checker.
"""

from __future__ import annotations

from sympy import (
    Add,
    Expr,
    Identity,
    Idx,
    IndexedBase,
    Integer,
    MatrixSymbol,
    Pow,
    Sum,
    Symbol,
    ZeroMatrix,
    exp,
    log,
    pi,
)

from symem import Categorical, IndexedMatrix, IndexedVector, Model, MultivariateNormal, diag
from symem.derivation import Closed, Definition, Derivation, GaussianVector, Surrogate, Table, Update
from symem.language.matrices import ENTRY, BlockInverse, Diagonal, MatrixArray, transpose
from symem.language.plates import Axis, index_symbol
from symem.language.traces import BlockLogDet, element, log_det, trace

n, K, d, m = (Symbol(name, integer=True, positive=True) for name in ("n", "K", "d", "m"))
i, k = Axis(index_symbol("i"), n), Axis(index_symbol("k"), K)
item, label = i.index, k.index


def square(residual: Expr, precision: Expr) -> Expr:
    """rᵀΛr, in forms."""
    return trace(transpose(residual) * precision * residual, 1)


def define(symbol: Expr, axes: tuple[Axis, ...], value: Expr) -> Definition:
    return Definition(symbol, axes, value)


def update(symbol: Expr, axes: tuple[Axis, ...], value: Expr) -> Update:
    return Closed(definition=define(symbol, axes, value), equation=Integer(0), nested=value)


def full_mixture() -> Derivation:
    """K Gaussians with weights, means and full covariances."""
    rows, means = IndexedVector("x", d), IndexedVector("mu", d)
    labels, weights, spreads = IndexedBase("z"), IndexedBase("w"), IndexedMatrix("Sigma", d, d)
    one, which = Idx("i", n), Idx("k", K)
    normal = MultivariateNormal(means[labels[one]], spreads[labels[one]])
    model = Model({labels[one]: Categorical(weights[which]), rows[one]: normal}, latent=[labels])
    x, mu, Sigma, z, w = map(model.variable, ("x", "mu", "Sigma", "z", "w"))

    def log_joint(place: Expr) -> Expr:
        cell = Sigma.symbol[place]
        residual = x.symbol[item] - mu.symbol[place]
        normal = -d * log(2 * pi) / 2 - log_det(cell, d) / 2 - square(residual, Pow(cell, -1)) / 2
        return log(w.symbol[place]) + normal

    eta, A, gamma = map(IndexedBase, ["eta_z", "A_z", "gamma_z"])
    posterior = Table(
        latent=z,
        atom=z.symbol[item],
        axes=(i,),
        family="Categorical",
        log_normaliser=define(A[item], (i,), log(Sum(exp(eta[item, label]), k.limits))),
        log_density=eta[item, label],
        outcome=k,
        log_weight=define(eta[item, label], (i, k), log_joint(label)),
        probability=define(gamma[item, label], (i, k), exp(eta[item, label] - A[item])),
        value=label,
    )
    S_0, S_1 = IndexedBase("S_0", positive=True), MatrixArray("S_1", d, 1)
    S_2 = MatrixArray("S_2", d, d, "symmetric")
    share, row = gamma[item, label], x.symbol[item]
    N, total, squares = S_0[label], S_1[label], S_2[label]
    mean, cell = mu.symbol[label], Sigma.symbol[label]
    scatter = squares - mean * transpose(total) - total * transpose(mean) + N * mean * transpose(mean)
    q = N * log(w.symbol[label]) - N * log_det(cell, d) / 2 - trace(Pow(cell, -1) * scatter, d) / 2
    surrogate = Surrogate(
        value=Sum(q, k.limits),
        statistics=(
            define(N, (k,), Sum(share, i.limits)),
            define(total, (k,), Sum(share * row, i.limits)),
            define(squares, (k,), Sum(share * row * transpose(row), i.limits)),
        ),
        constant=-n * d * log(2 * pi) / 2,
        entropy=-Sum(share * (eta[item, label] - A[item]), i.limits, k.limits),
    )
    updates = (
        update(w.symbol[label], (k,), N / n),
        update(mean, (k,), total / N),
        update(cell, (k,), (squares - total * transpose(total) / N) / N),
    )
    return Derivation(
        model, model.log_likelihood, (posterior,), Sum(A[item], i.limits), surrogate, updates, ()
    )


def factor_analysis() -> Derivation:
    """Mean, loadings and a diagonal of variances; mean and loadings are updated together."""
    rows, factors = IndexedVector("x", d), IndexedVector("z", m)
    centre, loadings, noises = MatrixSymbol("mu", d, 1), MatrixSymbol("W", d, m), MatrixSymbol("psi", d, 1)
    one = Idx("i", n)
    model = Model(
        {
            factors[one]: MultivariateNormal(ZeroMatrix(m, 1), Identity(m)),
            rows[one]: MultivariateNormal(centre + loadings * factors[one], diag(noises)),
        },
        latent=[factors],
    )
    x, z, mu, W, psi = map(model.variable, ("x", "z", "mu", "W", "psi"))
    Psi = Diagonal(psi.symbol[ENTRY], d)
    row, factor = x.symbol[item], z.symbol[item]
    noise = -d * log(2 * pi) / 2 - log_det(Psi, d) / 2
    V, E = MatrixArray("V_z", m, m, "positive definite")(), MatrixArray("E_z", m, 1)
    A = IndexedBase("A_z")
    mean, field = E[item], transpose(W.symbol) * Psi**-1 * (row - mu.symbol)
    second = V + mean * transpose(mean)
    posterior = GaussianVector(
        latent=z,
        atom=factor,
        axes=(i,),
        family="MultivariateNormal",
        parameters=(
            define(V, (), Pow(1 + transpose(W.symbol) * Psi**-1 * W.symbol, -1)),
            define(mean, (i,), V * field),
        ),
        expectations={factor: mean, factor * transpose(factor): second},
        log_normaliser=define(
            A[item], (i,), m * log(2 * pi) / 2 + log_det(V, m) / 2 + trace(transpose(field) * mean, 1) / 2
        ),
        log_density=Integer(0),
        mean=mean,
        covariance=V,
    )
    S_x, S_z = MatrixArray("S_x", d, 1)(), MatrixArray("S_z", m, 1)()
    S_xx, S_zz = MatrixArray("S_xx", d, d, "symmetric")(), MatrixArray("S_zz", m, m, "symmetric")()
    S_xz = MatrixArray("S_xz", d, m)()
    statistics = (
        define(S_x, (), Sum(row, i.limits)),
        define(S_z, (), Sum(mean, i.limits)),
        define(S_xx, (), Sum(row * transpose(row), i.limits)),
        define(S_xz, (), Sum(row * transpose(mean), i.limits)),
        define(S_zz, (), Sum(second, i.limits)),
    )
    errors = _expected_errors(mu.symbol, W.symbol, S_x, S_z, S_xx, S_xz, S_zz)
    surrogate = Surrogate(
        value=-n * log_det(Psi, d) / 2 - trace(Psi**-1 * errors, d) / 2,
        statistics=statistics,
        constant=-n * (d + m) * log(2 * pi) / 2 - trace(S_zz, m) / 2,
        entropy=Sum(m * (1 + log(2 * pi)) / 2 + log_det(V, m) / 2, i.limits),
    )
    a = Axis(index_symbol("a"), d)
    updates = (
        update(
            W.symbol,
            (),
            (S_xz - S_x * transpose(S_z) / n) * Pow(S_zz - S_z * transpose(S_z) / n, -1),
        ),
        update(mu.symbol, (), (S_x - W.symbol * S_z) / n),
        update(psi.symbol[a.index], (a,), element(errors, a.index, a.index) / n),
    )
    rest = noise - square(row - mu.symbol, Psi**-1) / 2 - m * log(2 * pi) / 2
    likelihood = Sum(A[item] + rest, i.limits)
    return Derivation(model, model.log_likelihood, (posterior,), likelihood, surrogate, updates, ())


def _expected_errors(mu: Expr, W: Expr, S_x: Expr, S_z: Expr, S_xx: Expr, S_xz: Expr, S_zz: Expr) -> Expr:
    """E[Σ (x - μ - W z)(x - μ - W z)ᵀ] in statistics."""
    halves = S_xx / 2 - S_x * transpose(mu) - S_xz * transpose(W) + mu * transpose(S_z) * transpose(W)
    squares = n * mu * transpose(mu) + W * S_zz * transpose(W)
    return Add(halves, transpose(halves), squares)


def missing_entries() -> Derivation:
    """A multivariate normal of which some entries were not seen."""
    rows, one = IndexedVector("x", d), Idx("i", n)
    law = MultivariateNormal(MatrixSymbol("mu", d, 1), MatrixSymbol("Sigma", d, d))
    model = Model({rows[one]: law}, missing=[rows])
    x, z, mask, mu, Sigma = map(model.variable, ("x", "x_missing", "observed_x", "mu", "Sigma"))
    precision = Pow(Sigma.symbol, -1)
    true, row = z.symbol[item], x.symbol[item]
    constant = -d * log(2 * pi) / 2 - log_det(Sigma.symbol, d) / 2
    V, E = MatrixArray("V_x", d, d, "symmetric")[item], MatrixArray("E_x", d, 1)[item]
    A, a = IndexedBase("A_x"), Axis(index_symbol("a"), d)
    hidden = mask.symbol[item, ENTRY]
    unseen = d - Sum(mask.symbol[item, a.index], a.limits)
    block_log_det = BlockLogDet(precision, hidden, d)
    peak = constant - square(E - mu.symbol, precision) / 2
    posterior = GaussianVector(
        latent=z,
        atom=true,
        axes=(i,),
        family="MultivariateNormal",
        parameters=(
            define(V, (i,), BlockInverse(precision, hidden, d)),
            define(E, (i,), row + V * precision * (mu.symbol - row)),
        ),
        expectations={true: E, true * transpose(true): V + E * transpose(E)},
        log_normaliser=define(A[item], (i,), peak + unseen * log(2 * pi) / 2 - block_log_det / 2),
        log_density=Integer(0),
        mean=E,
        covariance=V,
        natural=(precision * mu.symbol, precision),
    )
    S_1, S_2 = MatrixArray("S_1", d, 1)(), MatrixArray("S_2", d, d, "symmetric")()
    mean = mu.symbol
    scatter = S_2 - mean * transpose(S_1) - S_1 * transpose(mean) + n * mean * transpose(mean)
    surrogate = Surrogate(
        value=-n * log_det(Sigma.symbol, d) / 2 - trace(precision * scatter, d) / 2,
        statistics=(
            define(S_1, (), Sum(E, i.limits)),
            define(S_2, (), Sum(V + E * transpose(E), i.limits)),
        ),
        constant=-n * d * log(2 * pi) / 2,
        entropy=Sum(unseen * (1 + log(2 * pi)) / 2 - block_log_det / 2, i.limits),
    )
    updates = (
        update(mean, (), S_1 / n),
        update(Sigma.symbol, (), (S_2 - S_1 * transpose(S_1) / n) / n),
    )
    return Derivation(
        model, model.log_likelihood, (posterior,), Sum(A[item], i.limits), surrogate, updates, ()
    )
