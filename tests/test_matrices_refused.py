"""What does not fit is refused by name: dimensions, covariances, diagonals, supports, names; tables of vectors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sympy import (
    BlockMatrix,
    Eq,
    Identity,
    Idx,
    IndexedBase,
    Matrix,
    MatrixSymbol,
    Rational,
    Symbol,
    ZeroMatrix,
    exp,
    hadamard_product,
    symbols,
)

from symem import (
    Categorical,
    DataError,
    IndexedMatrix,
    IndexedVector,
    InverseWishart,
    Model,
    ModelError,
    MultivariateNormal,
    NameClashError,
    Normal,
    PlateError,
    Poisson,
    Positive,
    PositiveDefinite,
    Reals,
    ShapeError,
    Simplex,
    SupportError,
    Wishart,
    diag,
)
from symem.files import read_values
from symem.tables import read_table

n, d, m, K, p = symbols("n d m K p", integer=True, positive=True)
i, k = Idx("i", n), Idx("k", K)
z, w, y = map(IndexedBase, ["z", "w", "y"])
x, mu, v, f = IndexedVector("x", d), IndexedVector("mu", d), IndexedVector("v", d), IndexedVector("f", m)
Sigma, L = IndexedMatrix("Sigma", d, d), IndexedMatrix("L", d, m)
c, W, S = MatrixSymbol("c", d, 1), MatrixSymbol("W", d, m), MatrixSymbol("S", d, d)
s, t, nu = symbols("s t nu")
label = {z[i]: Categorical(w[k])}
mixture = {**label, x[i]: MultivariateNormal(mu[z[i]], Sigma[z[i]])}


# tables ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["x[1],x[2],x[3]", "x1,x2,x3", "x3,x2,x1"])
def test_columns_of_a_table_are_the_entries_of_a_vector(header: str, tmp_path: Path) -> None:
    (table := tmp_path / "data.csv").write_text(f"{header}\n1,2,3\n4,5,6\n")
    found = read_table(table, Model(mixture, latent=[z])).arrays["x"]
    order = slice(None, None, -1) if header.startswith("x3") else slice(None)
    np.testing.assert_array_equal(found, np.array([[1, 2, 3], [4, 5, 6]])[:, order])


def test_tables_of_vectors_with_gaps_and_of_single_matrices(tmp_path: Path) -> None:
    (table := tmp_path / "gaps.csv").write_text("x1,x2\n1,\n,\n3,4\n,\n")
    found = read_table(table, Model({x[i]: MultivariateNormal(c, S)}, missing=[x])).arrays["x"]
    np.testing.assert_array_equal(found, [[1, np.nan], [np.nan, np.nan], [3, 4], [np.nan, np.nan]])
    X, Y, b = MatrixSymbol("X", n, p), MatrixSymbol("yv", n, 1), MatrixSymbol("b", p, 1)
    weights = MultivariateNormal(ZeroMatrix(p, 1), Identity(p) / s)
    regression = Model({b: weights, Y: MultivariateNormal(X * b, Identity(n) / t)}, latent=[b], known=[X])
    (table := tmp_path / "design.csv").write_text("yv,X[1],X[2]\n1,2,3\n4,5,6\n7,8,9\n")
    data = read_table(table, regression).arrays
    np.testing.assert_array_equal(data["yv"], [1, 4, 7])
    np.testing.assert_array_equal(data["X"], [[2, 3], [5, 6], [8, 9]])


def test_a_column_too_few_is_named(tmp_path: Path) -> None:
    (table := tmp_path / "data.csv").write_text("x1,x3\n1,2\n")
    with pytest.raises(DataError, match=r"x lacks the column x\[2\]"):
        read_table(table, Model(mixture, latent=[z]))


def test_matrices_on_the_command_line() -> None:
    found = read_values(["Sigma=1,0;0,1|2,0;0,2"])["Sigma"]
    np.testing.assert_array_equal(found, [np.eye(2), 2 * np.eye(2)])
    with pytest.raises(DataError, match="differ in shape"):
        read_values(["Sigma=1,0;0,1|2"])


# what is refused ------------------------------------------------------------------------------------------

A, B, U = MatrixSymbol("A", d, d), MatrixSymbol("B", d, d), MatrixSymbol("U", m, m)


def law(distribution: Callable[[], Any], **options: Any) -> Callable[[], Any]:
    return lambda: Model({**label, x[i]: distribution()}, latent=[z], **options)


own = mu[z[i]]
REFUSED: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    # dimensions
    "a sum": (lambda: x[i] + f[i], ShapeError, "d × 1 and m × 1 do not add up"),
    "a number added": (lambda: x[i] + 1, ShapeError, "a number do not add up.*s\\*Identity"),
    "a product": (lambda: W * x[i], ShapeError, "d × m times d × 1 is no product; transpose"),
    "a power": (lambda: x[i] ** 2, ShapeError, "only a square matrix has powers"),
    "an inverse": (lambda: L[k].I, ShapeError, "only a square matrix has an inverse"),
    "a mean of another length": (law(lambda: MultivariateNormal(f[i], U)), ShapeError, "m × 1 matrices"),
    "a covariance of another size": (law(lambda: MultivariateNormal(own, U)), ShapeError, "d × d, but U is m × m"),
    "a covariance that is a number": (law(lambda: MultivariateNormal(own, s)), ShapeError, r"s\*Identity\(d\)"),
    "a mean that is a number": (law(lambda: MultivariateNormal(0, A)), ShapeError, "ZeroMatrix"),
    "a mean that is a row": (law(lambda: MultivariateNormal(own.T, A)), ShapeError, "a vector is a column"),
    "one name, two shapes": (
        law(lambda: MultivariateNormal(own + L[z[i]] * MatrixSymbol("L", m, 1), A)),
        ShapeError,
        "one name, one shape",
    ),
    "no dimension": (lambda: IndexedVector("x", 0), ShapeError, "positive whole number"),
    "half a dimension": (lambda: IndexedMatrix("x", 1.5, 2), ShapeError, "positive whole number"),
    "a dimension that is a parameter": (
        law(lambda: MultivariateNormal(own, d * A), parameters={d: Positive()}), PlateError, "a size is known",
    ),
    # numbers and vectors
    "a vector as a number": (law(lambda: Normal(own, 1)), ShapeError, "must be a number, but .* is d × 1"),
    "a vector in exp": (
        lambda: Model({**label, y[i]: Poisson(exp(own))}, latent=[z]), ShapeError, "a number is needed",
    ),
    "a law of numbers": (law(lambda: Normal(0, 1)), ShapeError, "write MultivariateNormal"),
    "a law of vectors": (
        lambda: Model({**label, y[i]: MultivariateNormal(c, A)}, latent=[z]),
        ShapeError,
        r"y = IndexedVector\('y', d\)",
    ),
    "a law of matrices": (
        lambda: Model({**label, Sigma[i]: Wishart(nu, A)}, latent=[z]), ModelError, "prior=",
    ),
    # covariances
    "a product of two": (law(lambda: MultivariateNormal(own, A * B)), SupportError, "not symmetric by its form"),
    "an outer product of two": (
        law(lambda: MultivariateNormal(own, A + c * own.T)), SupportError, "not symmetric by its form",
    ),
    "a negative one": (law(lambda: MultivariateNormal(own, -Identity(d))), SupportError, "positive definite"),
    "any matrix": (
        law(lambda: MultivariateNormal(own, A), parameters={A: Reals()}), SupportError, "PositiveDefinite",
    ),
    "a root": (law(lambda: MultivariateNormal(own, A ** Rational(1, 2))), ModelError, "whole powers"),
    "two spreads": (law(lambda: MultivariateNormal(own, A, precision=A)), ModelError, "one of the two"),
    "no spread": (law(lambda: MultivariateNormal(own)), ModelError, "one of the two"),
    "written out": (law(lambda: MultivariateNormal(c, Matrix([[2, 1], [1, 2]]))), ShapeError, "d × d"),
    "written out, of the right size": (
        lambda: Model({IndexedVector("x", 2)[i]: MultivariateNormal(ZeroMatrix(2, 1), Matrix([[2, 1], [1, 2]]))}),
        ModelError,
        "is written out: name it",
    ),
    "blocks": (law(lambda: MultivariateNormal(own, BlockMatrix([[A]]))), ModelError, "matrix of blocks"),
    "entry by entry": (
        law(lambda: MultivariateNormal(own, hadamard_product(A, B))), ModelError, "HadamardProduct.* is not read",
    ),
    # diagonals
    "diag of a number": (lambda: diag(s), ShapeError, "takes a vector"),
    "diag of two numbers": (lambda: diag(s, t), ShapeError, "takes a vector"),
    "diag of a matrix": (lambda: diag(A), ShapeError, "takes a vector"),
    "diag of a product": (law(lambda: MultivariateNormal(own, diag(A * c))), ModelError, "inside diag stands"),
    "inside and outside": (
        law(lambda: MultivariateNormal(v[z[i]], diag(v[z[i]]))), ShapeError, "a name of their own",
    ),
    # supports
    "positive matrices": (
        law(lambda: MultivariateNormal(own, A), parameters={A: Positive()}), SupportError, "real numbers, not Positive",
    ),
    "a vector on a simplex": (
        law(lambda: MultivariateNormal(own, A), parameters={mu: Simplex()}), SupportError, "not Simplex",
    ),
    "a definite vector": (
        law(lambda: MultivariateNormal(own, A), parameters={mu: PositiveDefinite()}), SupportError, "is d × 1",
    ),
    "a definite diagonal": (
        law(lambda: MultivariateNormal(own, diag(c)), parameters={c: PositiveDefinite()}),
        SupportError,
        "holds numbers",
    ),
    # indices and names
    "a free index": (law(lambda: MultivariateNormal(mu[k], A)), PlateError, "index k is free"),
    "two indices and one": (law(lambda: MultivariateNormal(own + mu[z[i], i], A)), PlateError, "1 indices in one"),
    "no index": (lambda: x[()], PlateError, "MatrixSymbol"),
    "code as an index": (lambda: x["print(1)"], PlateError, "an index is"),
    "code as a dimension": (lambda: IndexedVector("x", "print(1)"), ShapeError, "a dimension is"),
    "code as a name": (
        law(lambda: MultivariateNormal(IndexedVector("mu; import os", d)[z[i]], A)), NameClashError, "cannot stand",
    ),
    "code as a size": (
        law(lambda: MultivariateNormal(MatrixSymbol("R", d, Symbol("a;b")) * MatrixSymbol("r", Symbol("a;b"), 1), A)),
        NameClashError,
        "cannot stand",
    ),
    # missing entries and priors
    "missing in a matrix": (
        lambda: Model({x[i]: MultivariateNormal(L[i] * MatrixSymbol("r", m, 1), A)}, known=[L], missing=[L]),
        ModelError,
        "missing entries are read in vectors",
    ),
    "missing in what is known": (
        lambda: Model({x[i]: MultivariateNormal(W * f[i], A)}, known=[f], missing=[f]), ModelError, "have no law",
    ),
    "a prior of numbers": (
        law(lambda: MultivariateNormal(own, A), prior={mu[k]: Normal(0, 1)}), ShapeError, "MultivariateNormal",
    ),
    "a prior of another size": (
        law(lambda: MultivariateNormal(own, A), prior={A: InverseWishart(nu, U)}), ShapeError, "m × m",
    ),
    "a prior of definite matrices": (
        law(lambda: MultivariateNormal(own, A * A.T + Identity(d)), prior={A: InverseWishart(nu, B)}),
        SupportError,
        "not positive definite in the model",
    ),
    "a scale that is not square": (lambda: Wishart(nu, W), ShapeError, "square and symmetric"),
    "a relation of vectors": (
        law(lambda: MultivariateNormal(own, A), given=[Eq(x[i], own)]), ShapeError, "a number is needed",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_is_refused_by_name(name: str) -> None:
    state, error, words = REFUSED[name]
    with pytest.raises(error, match=words):
        state()
