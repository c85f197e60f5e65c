"""No derivation hangs: it has a budget, says where it stood when that was over, and takes a larger one."""

from __future__ import annotations

import math
import subprocess
import sys
from time import perf_counter, thread_time

import pytest
from sympy import Idx, IndexedBase, expand, symbols

from symem import Bernoulli, BudgetError, Categorical, Model, Normal, Poisson
from symem.budget import OutOfTimeError, deriving, look, within
from symem.calculus.separate import rejoin, separate

n = symbols("n", integer=True, positive=True)
i = Idx("i", n)
x, y, z, mu = map(IndexedBase, ["x", "y", "z", "mu"])
a, b, p, s = symbols("a b p s")
MIXTURE = Model({z[i]: Bernoulli(p), x[i]: Normal(mu[z[i]], s)}, latent=[z])


def test_a_derivation_that_takes_too_long_is_stopped_and_says_how_to_go_on() -> None:
    with pytest.raises(BudgetError, match=r"after 1e-09 s, while .*derive\(budget=6e-09\)"):
        MIXTURE.derive(budget=1e-9)


def test_a_larger_budget_is_enough() -> None:
    assert MIXTURE.derive(budget=math.inf).updates[p] is not None


def test_no_budget_outside_a_derivation() -> None:
    with deriving(-1), pytest.raises(BudgetError):
        look("here")
    look("there")


def test_what_is_inside_ends_with_what_is_around_it() -> None:
    with deriving(-1), within(100), pytest.raises(BudgetError, match="while there"):
        look("there")
    with deriving(100), within(-1), pytest.raises(OutOfTimeError, match="out of reach in -1 s"):
        look()


def test_a_long_call_into_sympy_is_woken() -> None:
    """Nothing in it looks at the budget."""
    letters = symbols("u0:12")
    began = thread_time()
    with pytest.raises(BudgetError, match=r"stopped after 0\.2 s, while reading"), deriving(0.2):
        expand(sum(letters) ** 9)
    assert thread_time() - began < 5
    assert expand((a + b) ** 2) == a**2 + 2 * a * b + b**2


def test_what_wakes_a_call_may_arrive_where_it_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a finalizer: nothing is said of it, what others lose there is told, and the call is woken again."""
    told: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda lost: told.append(lost.exc_type.__name__))

    class Dying:
        def __del__(self) -> None:
            began = perf_counter()
            while perf_counter() - began < 0.9:
                pass

    class Failing:
        def __del__(self) -> None:
            raise ValueError

    def lose_and_go_on() -> None:
        Dying()
        Failing()
        while True:
            pass

    with pytest.raises(BudgetError), deriving(0.1):
        lose_and_go_on()
    Failing()
    assert told == ["ValueError", "ValueError"]


def test_what_ends_in_time_is_left_alone() -> None:
    for _ in range(3):
        with deriving(0.05):
            pass
    began = perf_counter()
    while perf_counter() - began < 0.7:
        look()


def test_a_power_of_a_sum_has_the_terms_of_the_multinomial_theorem() -> None:
    terms = separate((a + b * s) ** 16)
    assert len(terms) == 17
    assert expand(rejoin(terms) - (a + b * s) ** 16) == 0


def test_written_out_weights_are_derived_within_the_budget() -> None:
    weights = symbols("p0:8")
    model = Model({z[i]: Categorical(weights), x[i]: Poisson(mu[z[i]])}, latent=[z])
    assert len(model.derive(budget=60).updates) == 9


def test_a_profiler_goes_on_after_a_deadline_met_or_missed() -> None:
    code = """if True:
        import cProfile
        from symem import BudgetError
        from symem.budget import deriving
        for seconds in (5.0, 0.01):
            try:
                with deriving(seconds):
                    while seconds < 1: pass
            except BudgetError:
                print("stopped")
            profile = cProfile.Profile()
            print(profile.runcall(lambda: "went on"))
    """
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert ended.stdout.split("\n")[:3] == ["went on", "stopped", "went on"]
