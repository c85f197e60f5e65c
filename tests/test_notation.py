"""Notation: formulas print in the field's letters, and no name reaches LaTeX unescaped."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sympy import (
    Eq,
    Expr,
    IndexedBase,
    Integer,
    Rational,
    Sum,
    Symbol,
    digamma,
    exp,
    log,
    loggamma,
    pi,
    polygamma,
    sqrt,
    symbols,
)

from symem.algebra.counting import FromOne
from symem.algebra.squares import squares
from symem.language.plates import Axis, Iverson, LogIverson, index_symbol
from symem.language.special import LogNormalInterval
from symem.report.line_breaking import LINE, broken, filled, width
from symem.report.notation.letters import Label, distinct, escape, latex_word, plain_word
from symem.report.notation.lexicon import Lexicon, Mean, Rank
from symem.report.notation.notation import latex, letter, plain
from symem.report.notation.printed_form import (
    exponentiated,
    merged_logs,
    merged_roots,
    over_common_denominators,
)

i, j, k, b = map(index_symbol, "ijkb")
n, K = symbols("n K", integer=True, positive=True)
x, y, z, E_u, th = (IndexedBase(name, real=True) for name in ("x", "y", "z", "E_u", "th"))
w, mu, sigma, gamma, S_0 = (
    IndexedBase(name, positive=True) for name in ("w", "mu", "sigma", "gamma_z", "S_0")
)
seen = IndexedBase("observed_x", integer=True)
a, c = symbols("a c", positive=True)

PARAMETERS = ("w", "mu", "sigma", "th", "a")
LEXICON = Lexicon(
    labels={"gamma_z": Label("gamma")},
    ranks={
        "gamma_z": Rank.WEIGHT,
        "S_0": Rank.STATISTIC,
        "n": Rank.SIZE,
        "E_u": Rank.WEIGHT,
        **dict.fromkeys(PARAMETERS, Rank.PARAMETER),
    },
    means={"E_u": Mean(log(IndexedBase("u")[i]), (i, k))},
    masks={"observed_x": "x"},
    from_one=FromOne(
        frozenset({i, j, k}), frozenset({"z"}), frozenset({Axis(b, Integer(2))}), frozenset({("th", 0)})
    ),
)

FORMULAS: tuple[tuple[str, Expr, str, str], ...] = (
    ("weights first", x[i] * gamma[i, k], r"\gamma_{ik} x_{i}", "γ_ik x_i"),
    ("parameters before data", x[i] * mu[k], r"\mu_{k} x_{i}", "μ_k x_i"),
    ("data first in a square", (mu[k] - x[i]) ** 2, r"(x_{i} - \mu_{k})^{2}", "(x_i - μ_k)²"),
    ("complement", 1 - a, "1 - a", "1 - a"),
    ("sums from one", Sum(x[i], (i, 0, n - 1)), r"\sum_{i=1}^{n} x_{i}", "Σ_i x_i"),
    (
        "one fraction",
        Sum(gamma[i, k] * x[i], (i, 0, n - 1)) / Sum(gamma[i, k], (i, 0, n - 1)),
        r"\frac{\sum_{i=1}^{n} \gamma_{ik} x_{i}}{\sum_{i=1}^{n} \gamma_{ik}}",
        "Σ_i γ_ik x_i / Σ_i γ_ik",
    ),
    ("brackets of labels", Iverson(Eq(z[i], k)), "[z_{i} = k]", "[z_i = k]"),
    ("labels from one", Iverson(Eq(z[i], 0)), "[z_{i} = 1]", "[z_i = 1]"),
    ("slots from one", mu[0] + mu[i + 1], r"\mu_{1} + \mu_{i+1}", "μ_1 + μ[i+1]"),
    ("an index as a number", k * a, "a (k - 1)", "a (k - 1)"),
    ("an index less", (1 - k) * a, "a (2 - k)", "a (2 - k)"),
    ("an index below", exp(-k), r"\exp(1 - k)", "exp(1 - k)"),
    ("coins from zero", th[0] + th[1], r"\theta_{0} + \theta_{1}", "θ_0 + θ_1"),
    ("a sum over a coin", Sum(th[b], (b, 0, 1)), r"\sum_{b=0}^{1} \theta_{b}", "Σ_(b=0..1) θ_b"),
    ("a label in a slot", mu[z[i]], r"\mu_{z_{i}}", "μ[z_i]"),
    ("commas where needed", gamma[i, z[i]], r"\gamma_{i,z_{i}}", "γ[i,z_i]"),
    ("means", E_u[i, k], r"\left\langle \log u_{i} \right\rangle_{k}", "⟨log u_i⟩_k"),
    ("masks", seen[i], r"[x_{i}\ \text{observed}]", "[x_i observed]"),
    ("digamma", digamma(a), r"\psi(a)", "ψ(a)"),
    ("trigamma", polygamma(1, a), r"\psi'(a)", "ψ'(a)"),
    ("log gamma", loggamma(a), r"\log \Gamma(a)", "log Γ(a)"),
    ("log factorial", loggamma(x[i] + 1), r"\log x_{i}!", "log x_i!"),
    ("hard constraint", LogIverson(x[i] > c), "\\log [x_{i} > c]", "log [x_i > c]"),
    ("tail", LogNormalInterval(a, float("inf")), r"\log(1 - \Phi(a))", "log(1 - Φ(a))"),
    ("half a log", log(2 * pi) / 2, r"\frac{1}{2} \log(2 \pi)", "log(2π)/2"),
    ("short exponentials", exp(-a), "e^{-a}", "exp(-a)"),
    ("one root", sqrt(S_0[k]) / sqrt(n), r"\sqrt{\frac{S_{0k}}{n}}", "√(S_0k/n)"),
    ("minus a fraction", -a / c, r"-\frac{a}{c}", "-a/c"),
    ("numbers last", S_0[k] + 1, "S_{0k} + 1", "S_0k + 1"),
    ("numbers first in products", Rational(1, 2) * a * c, r"\frac{a c}{2}", "a c / 2"),
)


@pytest.mark.parametrize(("expr", "tex"), [row[1:3] for row in FORMULAS], ids=[row[0] for row in FORMULAS])
def test_latex(expr: Expr, tex: str) -> None:
    assert latex(expr, LEXICON) == tex


@pytest.mark.parametrize(("expr", "text"), [row[1::2] for row in FORMULAS], ids=[row[0] for row in FORMULAS])
def test_plain(expr: Expr, text: str) -> None:
    assert plain(expr, LEXICON) == text


def test_iterates_stand_on_parameters_alone() -> None:
    now = LEXICON.marked("t")
    assert latex(gamma[i, k] * mu[k] ** 2 * x[i], now) == r"\gamma_{ik} (\mu_{k}^{(t)})^{2} x_{i}"
    assert letter(z[i], now) == "z_{i}"


# names -----------------------------------------------------------------------------------------------

NAMES = (
    ("x", "x"),
    ("mu", r"\mu"),
    ("mu_A", r"\mu_{A}"),
    ("nCC", r"n_{\mathrm{CC}}"),
    ("theta0", r"\theta_{0}"),
    ("rate", r"\mathrm{rate}"),
    ("x_obs", r"x_{\mathrm{obs}}"),
    ("lam", r"\lambda"),
)


@pytest.mark.parametrize(("name", "tex"), NAMES)
def test_identifiers_are_taken_apart(name: str, tex: str) -> None:
    assert letter(Symbol(name), Lexicon()) == tex


def test_no_two_names_print_alike() -> None:
    wanted = [("p_C", (Label.of("p_C"),)), ("pC", (Label.of("pC"),)), ("p", (Label.of("p"),))]
    labels = distinct(wanted)
    assert len(set(labels.values())) == 3
    assert labels["pC"] == Label.verbatim("pC")


HOSTILE = (
    r"\input{/etc/passwd}",
    r"}\write18{rm -rf /}{",
    "$x$",
    "a&b#c%d~e^f_g",
    "<script>",
    "\x1b[31mred",
    "a\nb",
)
COMMAND = re.compile(
    r"\\(?!ensuremath\{(?:-\}|\\[A-Za-z]+\}|\{\}[_^])|[`'^~\"rvc]\{[A-Za-z]\}|(?<=ensuremath\{\\)|text(?:backslash|asciicircum|asciitilde|less|greater|asciigrave)\{\}|[{}$&#%_]|text\{|mathrm\{)"
)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_set_as_text(name: str) -> None:
    """Names never reach LaTeX raw: no command of theirs, no brace that closes ours, no control character."""
    tex = letter(Symbol(name), Lexicon())
    assert not COMMAND.search(tex)
    assert _balanced(tex)
    assert all(sign.isprintable() for sign in plain(Symbol(name), Lexicon()))


def test_words_of_mathematics_are_set_as_mathematics() -> None:
    assert escape("c ≥ λ") == r"c \ensuremath{\ge} \ensuremath{\lambda}"
    assert escape("−1–2, Müller") == r"\ensuremath{-}1--2, M\"{u}ller"
    assert escape("u⁻ᵃ") == r"u\ensuremath{{}^{-}}\ensuremath{{}^{a}}"


@given(st.text(max_size=20))
def test_any_text_is_escaped(text: str) -> None:
    assert not COMMAND.search(escape(text))
    assert _balanced(escape(text))
    plain = re.sub(r"\\ensuremath\{\{\}[_^]|\\.", "", escape(text))
    assert not set(plain) & set("$&#%_^~<>")
    assert plain_word(text).isprintable()
    assert _balanced(latex_word(text))


def _balanced(tex: str) -> bool:
    depth = 0
    for sign in re.findall(r"[{}]", re.sub(r"\\[{}\\]", "", tex)):
        depth += 1 if sign == "{" else -1
        if depth < 0:
            return False
    return depth == 0


# rewritings keep the value ------------------------------------------------------------------------------

AT = {a: 1.7, c: 0.6}
REWRITINGS = (
    (squares, a**2 / 2 - a * c + c**2 / 2 + c),
    (squares, 3 * a**2 - 6 * a * c + 3 * c**2 + a),
    (merged_logs, -log(2) / 2 - log(pi) / 2 - log(a)),
    (merged_logs, -(a - 1) * log(2) / 2 - (a - 1) * log(pi) / 2 - log(a)),
    (merged_roots, sqrt(a) / sqrt(c) * (a + c)),
    (over_common_denominators, a / (2 * c**2) - c / c**2 - a**2 / c**2 + 1),
)


@pytest.mark.parametrize(("rule", "expr"), REWRITINGS)
def test_rewritings_keep_the_value(rule: object, expr: Expr) -> None:
    assert callable(rule)
    assert rule(expr) != expr
    assert float(rule(expr).subs(AT)) == pytest.approx(float(expr.subs(AT)), rel=1e-12)


def test_three_squares_become_one() -> None:
    u, v, t = (IndexedBase(name) for name in "uvt")
    whole = (u[i] - v[k] - t[j]) ** 2
    assert squares(whole.expand() / 2) in (whole / 2, (-u[i] + v[k] + t[j]) ** 2 / 2)


def test_a_log_density_prints_as_a_density() -> None:
    logs = log(w[k]) - log(2 * pi) / 2 - log(sigma[k]) - (x[i] - mu[k]) ** 2 / (2 * sigma[k] ** 2)
    assert latex(exponentiated(logs), LEXICON) == (
        r"\frac{w_{k}}{\sqrt{2 \pi} \sigma_{k}} \exp\left(-\frac{(x_{i} - \mu_{k})^{2}}{2 \sigma_{k}^{2}}\right)"
    )
    product = exponentiated(Sum(y[i, j] * log(mu[j]), (j, 0, n - 1)))
    assert latex(product, LEXICON) == r"\prod_{j=1}^{n} \mu_{j}^{y_{ij}}"


# lines -------------------------------------------------------------------------------------------------


def test_short_formulas_stay_on_one_line() -> None:
    assert broken("a", x[i] - mu[k], LEXICON) == [r"a &= x_{i} - \mu_{k}"]


@pytest.mark.parametrize("inside", [lambda e: e, lambda e: Sum(e, (i, 0, n - 1)), log, exp, lambda e: e / a])
def test_long_formulas_are_cut(inside: object) -> None:
    assert callable(inside)
    terms = sum(Symbol(f"alpha_{number}") * x[i] ** number for number in range(2, 40))
    lines = broken("a", inside(terms), LEXICON)
    assert len(lines) > 2
    assert all(width(line.replace("&", "")) <= LINE + 12 for line in lines)
    assert all(line.count("&") == 1 for line in lines)
    whole = "".join(lines)
    assert whole.count(r"\Bigl") == whole.count(r"\Bigr")


def test_pieces_are_packed_in_order() -> None:
    assert filled(["a", "+ b", "+ c"], 100) == ["a + b + c"]
    assert filled(["a", "+ b", "+ c"], 1) == ["a", "+ b", "+ c"]


def test_a_factor_with_decimals_is_printed() -> None:
    assert plain(0.3 * a * sqrt(2) / sqrt(pi), LEXICON).startswith("0.3")
