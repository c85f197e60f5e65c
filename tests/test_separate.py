"""The separated form keeps the value: every law of it is checked on numbers, sums written out."""

from __future__ import annotations

import pytest
from sympy import And, Eq, Expr, IndexedBase, Ne, Not, Or, S, Sum, Symbol, exp, log, sqrt

from symem.calculus.brackets import collapse_to_index
from symem.calculus.separate import Term, fold, gather, rejoin, separate, tidy
from symem.language.logarithm import expand_logs
from symem.language.plates import Axis, Iverson, LogIverson, index_symbol, rebind, reindex

n = Symbol("n", integer=True, positive=True)
i, j, k = map(index_symbol, "ijk")
x = IndexedBase("x", real=True)
p, q, s = (Symbol(name, positive=True) for name in "pqs")
OVER_I, OVER_J = Axis(i, S(3)), Axis(j, S(2))
VALUES = {x[0]: S(2) / 3, x[1]: S(-1) / 5, x[2]: S(7) / 4, p: S(2) / 7, q: S(3) / 5, s: S(5) / 3, n: S(3)}


def value(expr: Expr) -> float:
    """The number that an expression over concrete ranges stands for."""
    written_out = expr.doit()
    while written_out.has(Sum):
        written_out = written_out.doit()
    return float(written_out.xreplace(VALUES).evalf())


@pytest.mark.parametrize(
    "expr",
    [
        Sum((x[i] - p) ** 2 / (2 * s**2), (i, 0, 2)),
        Sum(x[i] * q, (i, 0, 2)) ** 2,
        Sum((Sum(x[i] * p, (i, 0, 2)) - x[j]) ** 3, (j, 0, 1)),
        log(p**2 * q / s),
        log(sqrt(2) * exp(-((x[0] - p) ** 2)) / s),
        Sum(log(p * q ** (x[i] ** 2)), (i, 0, 2)) - 3 * log(p),
        (p / s) ** 2 * log(p * s + q * s),
        log(-1 / (-p - q)),
        log(S(1) / 4 - p / 4),
    ],
)
def test_separation_keeps_the_value(expr: Expr) -> None:
    assert value(rejoin(separate(expr))) == pytest.approx(value(expr), rel=1e-12)


def test_what_holds_or_does_not_is_added_to_what_stands_there() -> None:
    """[c] f + [not c] f is one more f."""
    there = Iverson(Eq(x[i], p))
    other = Iverson(Ne(x[i], p))
    (found,) = gather(Term(q * each, (OVER_I,)) for each in (S.One, there, other))
    assert found.factor == 2 * q


def test_every_term_is_a_product() -> None:
    for term in separate(Sum((x[i] - p) ** 2 * (q + 1), (i, 0, 2))):
        assert not term.factor.is_Add
        assert not term.factor.has(Sum)


def test_a_square_of_a_sum_runs_over_two_indices() -> None:
    (term,) = separate(Sum(x[i], (i, 0, 2)) ** 2)
    assert len(term.indices) == 2


def test_logarithms_of_sums_stay_whole() -> None:
    assert expand_logs(log(1 + exp(p))) == log(1 + exp(p))
    assert expand_logs(log(1 - p)) == log(1 - p)


def test_brackets_merge_and_contradict() -> None:
    both = tidy(Term(Iverson(Eq(x[i], 1)) * Iverson(Eq(k, 0)) * p, (OVER_I,)))
    assert both.factor == p * Iverson(And(Eq(x[i], 1), Eq(k, 0)))
    assert tidy(Term(Iverson(Eq(x[i], 1)) * Iverson(Eq(x[i], 0)), (OVER_I,))).factor == 0


def test_a_bracket_before_a_hard_constraint_is_an_alternative() -> None:
    guarded = tidy(Term(Iverson(Eq(k, 1)) * LogIverson(x[0] > 0)))
    assert guarded.factor == LogIverson(Or(Not(Eq(k, 1)), x[0] > 0))


def test_complementary_brackets_add_up() -> None:
    seen, unseen = (Term(Iverson(condition) * p, (OVER_I,)) for condition in (Eq(x[i], 1), Ne(x[i], 1)))
    assert gather([seen, unseen]) == (Term(p, (OVER_I,)),)


def test_a_bracket_that_pins_a_summed_index_takes_the_sum_away() -> None:
    term = Term(Iverson(Eq(j, k)) * x[j], (OVER_J,))
    assert collapse_to_index(term, k) == Term(x[k])


def test_an_unused_axis_contributes_its_size() -> None:
    assert fold(Term(p, (Axis(i, n),))) == Term(n * p)


def test_reindexing_does_not_capture() -> None:
    inner = Sum(x[i] * x[j], (j, 0, 1))
    moved = reindex(inner, {i: j})
    assert value(moved.xreplace({j: S(2)})) == pytest.approx(value(x[2] * (x[0] + x[1])))
    assert rebind(inner, {k}) == inner
