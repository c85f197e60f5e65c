"""Vectors and matrices in print: letters, words, squares; and what a rewriting keeps."""

from __future__ import annotations

import pytest
from sympy import Add, Expr, IndexedBase, Integer, Mul, Pow, S, Sum, symbols

from symem.algebra.counting import FromOne
from symem.algebra.matrix_words import gathered_forms, gathered_words
from symem.algebra.rewriting import Det, MatrixMean, matrix_valued
from symem.algebra.squares import absorbed, completed
from symem.language.matrices import ENTRY, BlockInverse, Diagonal, MatrixArray, T, transpose
from symem.language.plates import Axis, index_symbol
from symem.language.traces import Element, LogDet, log_det, trace
from symem.report.notation.letters import Label
from symem.report.notation.lexicon import Lexicon, Mean, Rank
from symem.report.notation.matrix_notation import inverse_first
from symem.report.notation.matrix_updates import mean_of
from symem.report.notation.moments import Meanings, Moments
from symem.report.notation.notation import latex, letter, plain
from symem.report.notation.printed_form import exponentiated, printed

n, K, d, m = symbols("n K d m", integer=True, positive=True)
i, k = map(index_symbol, "ik")
x, z, mu = MatrixArray("x", d, 1), MatrixArray("z", m, 1), MatrixArray("mu", d, 1)
E, V = MatrixArray("E_z", m, 1), MatrixArray("V_z", m, m, "positive definite")()
Sigma = MatrixArray("Sigma", d, d, "positive definite")
W = MatrixArray("W", d, m)()
s = symbols("s", positive=True)
psi, gamma, S_0 = (IndexedBase(name, positive=True) for name in ("psi", "gamma", "S_0"))
seen = IndexedBase("observed_x", integer=True)
Psi, Lambda = Diagonal(psi[ENTRY], d), Pow(Sigma[k], -1)

BOLD = {name: Label.of(name).in_bold() for name in ("x", "z", "mu", "Sigma", "W")}
LEXICON = Lexicon(
    labels={**BOLD, "V_z": Label("V", hat=True, bold=True), "S_0": Label("N")},
    ranks={
        **dict.fromkeys(("mu", "Sigma", "W", "psi", "s"), Rank.PARAMETER),
        **dict.fromkeys(("gamma", "E_z", "V_z"), Rank.WEIGHT),
        "S_0": Rank.STATISTIC,
    },
    means={"E_z": Mean(z[i], (i,))},
    masks={"observed_x": "x"},
    from_one=FromOne(frozenset({i, k, ENTRY})),
    diagonals={"psi": Label("Psi")},
)
square = trace(T(x[i] - mu[k]) * Lambda * (x[i] - mu[k]), 1)

DIFFERENCE = r"\mathbf{x}_{i} - \boldsymbol{\mu}_{k}"
MEAN = r"\left\langle \mathbf{z}_{i} \right\rangle"

FORMULAS: tuple[tuple[str, Expr, str, str], ...] = (
    ("letters", x[i] * T(mu[k]), r"\mathbf{x}_{i} \boldsymbol{\mu}_{k}^{\mathsf{T}}", "x_i μ_kᵀ"),
    ("inverses", Lambda * x[i], r"\boldsymbol{\Sigma}_{k}^{-1} \mathbf{x}_{i}", "Σ_k⁻¹ x_i"),
    ("multiples of I", W * T(W) + s, r"\mathbf{W} \mathbf{W}^{\mathsf{T}} + s \mathbf{I}", "W Wᵀ + s I"),
    ("I first", 1 + T(W) * W, r"\mathbf{I} + \mathbf{W}^{\mathsf{T}} \mathbf{W}", "I + Wᵀ W"),
    ("diagonals", Psi**-1 * x[i], r"\boldsymbol{\Psi}^{-1} \mathbf{x}_{i}", "Ψ⁻¹ x_i"),
    ("log-determinants", LogDet(Sigma[k], d), r"\log \lvert \boldsymbol{\Sigma}_{k} \rvert", "log |Σ_k|"),
    (
        "quadratic forms",
        completed(square),
        rf"({DIFFERENCE})^{{\mathsf{{T}}}} \boldsymbol{{\Sigma}}_{{k}}^{{-1}} ({DIFFERENCE})",
        "(x_i - μ_k)ᵀ Σ_k⁻¹ (x_i - μ_k)",
    ),
    (
        "an inverse leads a trace",
        trace(W * T(W) * Lambda, d),
        r"\operatorname{tr}(\boldsymbol{\Sigma}_{k}^{-1} \mathbf{W} \mathbf{W}^{\mathsf{T}})",
        "tr(Σ_k⁻¹ W Wᵀ)",
    ),
    (
        "means of vectors",
        V + E[i] * T(E[i]),
        rf"\hat{{\mathbf{{V}}}} + {MEAN} {MEAN}^{{\mathsf{{T}}}}",
        "V̂ + ⟨z_i⟩ ⟨z_i⟩ᵀ",
    ),
    (
        "means of squares",
        MatrixMean(z[i] * T(z[i])),
        r"\left\langle \mathbf{z}_{i} \mathbf{z}_{i}^{\mathsf{T}} \right\rangle",
        "⟨z_i z_iᵀ⟩",
    ),
    ("vectors over a count", x[i] / S_0[k], r"\frac{\mathbf{x}_{i}}{N_{k}}", "x_i/N_k"),
    (
        "sums beside the line",
        Sum(gamma[i, k] * x[i], (i, 0, n - 1)) / S_0[k],
        r"\frac{1}{N_{k}} \sum_{i=1}^{n} \gamma_{ik} \mathbf{x}_{i}",
        "(1/N_k) Σ_i γ_ik x_i",
    ),
    ("entries", Element(W, Integer(0), Integer(1)), "W_{12}", "W_12"),
    ("entries of vectors", Element(x[i], k, S.Zero), "x_{ik}", "x_ik"),
    (
        "blocks of what is missing",
        BlockInverse(Lambda, seen[i, ENTRY], d),
        r"[\boldsymbol{\Sigma}_{k}^{-1}]_{m_{i} m_{i}}^{-1}",
        "[Σ_k⁻¹][m_i m_i]⁻¹",
    ),
)


@pytest.mark.parametrize(("expr", "tex"), [row[1:3] for row in FORMULAS], ids=[row[0] for row in FORMULAS])
def test_latex(expr: Expr, tex: str) -> None:
    assert latex(expr, LEXICON) == tex


@pytest.mark.parametrize(("expr", "text"), [row[1::2] for row in FORMULAS], ids=[row[0] for row in FORMULAS])
def test_plain(expr: Expr, text: str) -> None:
    assert plain(expr, LEXICON) == text


def test_an_iterate_and_an_exponent_share_a_superscript() -> None:
    now = LEXICON.marked("t")
    assert latex(Lambda * mu[k], now) == (r"\boldsymbol{\Sigma}_{k}^{(t)\,-1} \boldsymbol{\mu}_{k}^{(t)}")
    assert letter(W, now) == r"\mathbf{W}^{(t)}"


def test_a_diagonal_without_a_free_capital_is_spelt_out() -> None:
    bare = Lexicon(from_one=FromOne(frozenset({ENTRY})))
    assert latex(Psi, bare) == r"\operatorname{diag}(\boldsymbol{\psi})"
    assert latex(Diagonal(psi[ENTRY] + s, d), bare) == r"\mathrm{diag}_{a}(\psi_{a} + s)"


# squares ---------------------------------------------------------------------------------------------


def test_three_vectors_become_one_square() -> None:
    residual = x[i] - mu[k] - W * z[i]
    whole = completed(trace(transpose(residual) * Psi**-1 * residual, 1))
    assert not whole.is_Add
    assert plain(whole, LEXICON) == "(x_i - μ_k - W z_i)ᵀ Ψ⁻¹ (x_i - μ_k - W z_i)"


def test_products_become_centred() -> None:
    product = (x[i] - mu[k]) * T(x[i] - mu[k])
    assert plain(completed(product.expand()), LEXICON) == "(x_i - μ_k) (x_i - μ_k)ᵀ"


def test_an_incomplete_square_stays() -> None:
    loose = x[i] * T(x[i]) - 2 * x[i] * T(mu[k]) + mu[k] * T(mu[k])
    assert completed(loose) == loose
    assert completed(trace(T(x[i]) * x[i] - T(x[i]) * mu[k] + T(mu[k]) * mu[k], 1)).is_Add


def test_a_square_is_found_across_a_sum() -> None:
    whole = Sum(square, (i, 0, n - 1))
    parts = Add(*(Sum(term, (i, 0, n - 1)) if term.has(i) else n * term for term in Add.make_args(square)))
    assert plain(printed(parts), LEXICON) == plain(printed(whole), LEXICON)
    assert absorbed(parts).func is Sum


def test_common_letters_stand_before_the_bracket() -> None:
    assert gathered_words(Lambda * x[i] - Lambda * mu[k]) == Lambda * (x[i] - mu[k])
    forms = trace(T(z[i]) * T(W) * (x[i] - mu[k]), 1)
    assert plain(gathered_forms(forms), LEXICON) in ("z_iᵀ Wᵀ (x_i - μ_k)", "(x_i - μ_k)ᵀ W z_i")


def test_a_trace_is_led_by_an_inverse() -> None:
    assert inverse_first((W, T(W), Lambda))[0] == Lambda
    assert inverse_first((W, T(W))) == (W, T(W))


# what a letter stands for ------------------------------------------------------------------------------


MOMENTS = Meanings(moments=(Moments(E[i], V, z[i]),))


def test_the_mean_of_a_square_is_read_backwards() -> None:
    mean = (x[i] - W * E[i]) * T(x[i] - W * E[i]) + W * V * T(W)
    inner, given = MOMENTS.unaveraged(mean.expand())
    assert given == ()
    assert plain(mean_of(completed(inner), given, MOMENTS), LEXICON) == "⟨(x_i - W z_i) (x_i - W z_i)ᵀ⟩"


def test_a_covariance_without_its_mean_is_no_mean() -> None:
    assert MOMENTS.unaveraged(W * V * T(W))[0] == W * V * T(W)
    assert MOMENTS.unaveraged(V + 2 * E[i] * T(E[i]))[0] == V + 2 * E[i] * T(E[i])


def test_numbers_that_define_matrices_are_multiples_of_the_identity() -> None:
    assert latex(matrix_valued(s, Sigma[k]), LEXICON) == r"s \mathbf{I}"
    assert matrix_valued(s, s) == s


def test_a_density_holds_a_determinant() -> None:
    density = exponentiated(-log_det(Sigma[k], d) / 2)
    assert density == Pow(Det(Sigma[k]), -S.Half)
    assert latex(density, LEXICON) == r"\frac{1}{\sqrt{\lvert \boldsymbol{\Sigma}_{k} \rvert}}"


def test_axes_of_entries_count_from_one() -> None:
    lexicon = LEXICON.within([Axis(k, d)])
    assert latex(Element(Mul(W, T(W)), k, k), lexicon) == r"[\mathbf{W} \mathbf{W}^{\mathsf{T}}]_{kk}"
