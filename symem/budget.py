"""How long what is being computed may take: deadlines that the expensive steps look at when they begin.

What counts is the processor time of the thread, so that a busy machine does not shorten it. Deadlines nest: the
first that is over ends what runs inside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import perf_counter, thread_time

from symem.errors import BudgetError

#: Seconds of processor time that a derivation has if nothing else is said.
SECONDS = 10.0


class OutOfTimeError(Exception):
    """What was asked for takes longer than it may; the message says how long that is."""


@dataclass
class Budget:
    """Seconds from now on, within those of an outer budget; `error` is what is raised when they are over."""

    seconds: float
    error: Callable[[Budget], Exception]
    outer: Budget | None
    doing: str = "reading the model"
    wall: float = field(default_factory=perf_counter)
    begun: float = field(default_factory=thread_time)

    @property
    def is_over(self) -> bool:
        """The clock on the wall, which a thread's own never overtakes, is by far the cheaper to read."""
        return perf_counter() - self.wall > self.seconds and thread_time() - self.begun > self.seconds

    def look(self, doing: str) -> None:
        self.doing = doing or self.doing
        if self.is_over:
            raise self.error(self)
        if self.outer is not None:
            self.outer.look(doing)


_RUNNING: ContextVar[Budget | None] = ContextVar("running", default=None)


@contextmanager
def _running(seconds: float, error: Callable[[Budget], Exception]) -> Iterator[None]:
    token = _RUNNING.set(Budget(seconds, error, _RUNNING.get()))
    try:
        yield
    finally:
        _RUNNING.reset(token)


def within(seconds: float) -> AbstractContextManager[None]:
    """What is computed inside may take that long.

    Raises:
        OutOfTimeError: it takes longer.
    """
    return _running(seconds, lambda budget: OutOfTimeError(f"out of reach in {budget.seconds:g} s"))


def deriving(seconds: float | None) -> AbstractContextManager[None]:
    """A derivation, which has that many seconds, by default `SECONDS`.

    Raises:
        BudgetError: they are over.
    """
    return _running(SECONDS if seconds is None else float(seconds), _stopped)


def _stopped(budget: Budget) -> BudgetError:
    return BudgetError(
        f"The derivation was stopped after {budget.seconds:g} s, while {budget.doing}: give it longer with "
        f"derive(budget={6 * budget.seconds:g}), or write the model in fewer terms, an index in place of terms that "
        f"are written out."
    )


def look(doing: str = "") -> None:
    """Go on if there is time left; `doing` says what begins here.

    Raises:
        BudgetError: a derivation has none; OutOfTimeError: another computation has none.
    """
    running = _RUNNING.get()
    if running is not None:
        running.look(doing)
