"""How long what is being computed may take, by the clock of its thread: a busy machine takes nothing from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import thread_time

_END: ContextVar[tuple[float, float]] = ContextVar("end", default=(float("inf"), 0.0))


class OutOfTimeError(Exception):
    """What was asked for takes longer than it may; the message says how long that is."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """What is computed inside may take that long; `keep_time` raises where it does not."""
    token = _END.set((thread_time() + seconds, seconds))
    try:
        yield
    finally:
        _END.reset(token)


def keep_time() -> None:
    """Go on if there is time left.

    Raises:
        OutOfTimeError: there is none.
    """
    end, seconds = _END.get()
    if thread_time() > end:
        raise OutOfTimeError(f"out of reach in {seconds:g} s")
