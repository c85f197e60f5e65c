"""How long what is being computed may take: deadlines that the expensive steps look at when they begin.

What counts is the processor time of the thread, so that a busy machine does not shorten it. Deadlines nest: the
first that is over ends what runs inside it. A derivation may stand in one call into SymPy for minutes: it is watched
besides, and woken there.
"""

from __future__ import annotations

import ctypes
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import Event, Lock, Thread, get_ident
from time import perf_counter, thread_time

from sympy.core.cache import clear_cache

from symem.errors import BudgetError
from symem.runtime.wording import _Option, _Words

#: Seconds of processor time that a derivation has if nothing else is said.
SECONDS = 10.0
#: Seconds after which a derivation that is out of time and has not looked is woken, and again if that was to no avail.
_GRACE = 0.5
#: Longer is for ever: a thread cannot wait longer.
_LONGEST_WAIT = 1e6


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

    def is_over_for(self, thread: int) -> bool:
        """The same, asked from another thread than the one that it belongs to."""
        clock = getattr(time, "pthread_getcpuclockid", None)
        now = time.process_time() if clock is None else time.clock_gettime(clock(thread))
        return now - self.begun > self.seconds

    def look(self, doing: str) -> None:
        self.doing = doing or self.doing
        if self.is_over:
            raise self.error(self)
        if self.outer is not None:
            self.outer.look(doing)


class Woken(BaseException):
    """The time was over in the midst of a call; no `except Exception` on the way takes it for its own."""


class Watch:
    """Looks from another thread at the budget of this one, and wakes it where it does not look itself.

    The exception is CPython's asynchronous one: it is raised at the next step of the interpreter in that thread.
    """

    def __init__(self) -> None:
        self._budget, self._watched = _RUNNING.get(), get_ident()
        self._over, self._lock, self._sent = Event(), Lock(), False
        self._told = sys.unraisablehook

    def __enter__(self) -> None:
        if self._budget is not None and 0 < self._budget.seconds < _LONGEST_WAIT:
            Thread(target=self._watch, args=(self._budget,), daemon=True).start()

    def __exit__(self, *_: object) -> None:
        """What was sent arrives here at the latest: CPython would look for it for ever, and none of its profilers go on."""
        try:
            with self._lock:
                self._over.set()
                if self._sent:
                    _wake(self._watched, Woken)
                    for _step in range(1_000_000):
                        pass
        except Woken:
            self._over.set()
        if self._sent:
            sys.unraisablehook = self._told

    def _watch(self, budget: Budget) -> None:
        wait = budget.seconds + _GRACE
        while not self._over.wait(wait):
            with self._lock:
                if not self._over.is_set() and budget.is_over_for(self._watched):
                    self._send()
            wait = _GRACE

    def _send(self) -> None:
        """What arrives in a finalizer, or in a callback of the garbage collector, is lost there: it is sent again."""
        if not self._sent:
            self._sent, self._told, sys.unraisablehook = True, sys.unraisablehook, self._tell_of_others
        _wake(self._watched, Woken)

    def _tell_of_others(self, unraisable: sys.UnraisableHookArgs) -> None:
        if not issubclass(unraisable.exc_type, Woken):
            self._told(unraisable)


def _wake(thread: int, error: type[BaseException]) -> None:
    """Let that thread raise an error."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error))


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


@contextmanager
def deriving(seconds: float | None) -> Iterator[None]:
    """A derivation, which has that many seconds, by default `SECONDS`.

    Raises:
        BudgetError: they are over.
    """
    with _running(SECONDS if seconds is None else float(seconds), _stopped):
        watch = Watch()
        try:
            with watch:
                yield
        except Woken:
            clear_cache()  # what SymPy was about to remember is half done
            look()
            raise


def _stopped(budget: Budget) -> BudgetError:
    return BudgetError(
        _Words(
            f"The derivation was stopped after {budget.seconds:g} s, while {budget.doing}: give it longer with ",
            _Option("budget", f"{6 * budget.seconds:g}", function="derive"),
            ", or write the model in fewer terms, an index in place of terms that are written out.",
        )
    )


def look(doing: str = "") -> None:
    """Go on if there is time left; `doing` says what begins here.

    Raises:
        BudgetError: a derivation has none; OutOfTimeError: another computation has none.
    """
    running = _RUNNING.get()
    if running is not None:
        running.look(doing)
