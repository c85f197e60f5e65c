"""How long a derivation may take: a deadline that the expensive steps look at when they begin.

What counts is the processor time of the thread, so that a busy machine does not shorten it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from time import thread_time

from symem.errors import BudgetError

#: Seconds of processor time that a derivation has if nothing else is said.
SECONDS = 10.0


@dataclass
class _Budget:
    seconds: float
    deadline: float
    doing: str = "reading the model"


_RUNNING: ContextVar[_Budget | None] = ContextVar("running", default=None)


@contextmanager
def within(seconds: float | None) -> Iterator[None]:
    """What runs inside has that many seconds, by default `SECONDS`; what runs inside it shares them.

    Raises:
        BudgetError: they are over.
    """
    if _RUNNING.get() is not None:
        yield
        return
    given = SECONDS if seconds is None else float(seconds)
    token = _RUNNING.set(_Budget(given, thread_time() + given))
    try:
        yield
    finally:
        _RUNNING.reset(token)


def look(doing: str = "") -> None:
    """Whether there is time left; `doing` says what begins here.

    Raises:
        BudgetError: there is none.
    """
    running = _RUNNING.get()
    if running is None:
        return
    running.doing = doing or running.doing
    if thread_time() > running.deadline:
        raise BudgetError(
            f"The derivation was stopped after {running.seconds:g} s, while {running.doing}: give it longer with "
            f"derive(budget={6 * running.seconds:g}), or write the model in fewer terms, an index in place of terms that "
            f"are written out."
        )
