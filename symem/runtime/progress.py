"""How far a fit has come, told while it runs: one line that is written over on a terminal, lines of their own elsewhere."""

from __future__ import annotations

import math
import sys
import time
from typing import Any

import numpy as np

from symem.runtime.settings import Settings

#: Seconds between two lines on a terminal.
_PAUSE = 0.1


class _Progress:
    """Called after every iteration; where lines stay, they become rare as iterations become many."""

    def __init__(self, asked: Settings) -> None:
        self.is_wanted = asked.callback is not None or asked.verbose
        self._asked = asked
        self._restart = self._width = 0
        self._line, self._last = "", -math.inf

    def __call__(self, iteration: int, theta: Any, value: float, left: float) -> bool:
        """Whether the callback asks for an end."""
        if self._asked.verbose:
            self._tell(iteration, value, left)
        answer = None if self._asked.callback is None else self._asked.callback(iteration, theta, value)
        return isinstance(answer, (bool, np.bool_)) and bool(answer)

    def close(self) -> None:
        """The last iteration is shown, whichever it is."""
        if self._line:
            self._write(self._line)
        if self._width:
            sys.stderr.write("\n")

    def _tell(self, iteration: int, value: float, left: float) -> None:
        if iteration == 0:
            if self._line:
                self._write(self._line)
            self._restart += 1
        count = self._asked.n_init
        where = f"restart {self._restart} of {count}, " if 1 < count >= self._restart else ""
        beyond = f", {left:.1e} left" if math.isfinite(left) else ""
        self._line = f"{where}iteration {iteration}: {value:.10g}{beyond}"
        if self._is_due(iteration):
            self._write(self._line)
            self._line = ""

    def _is_due(self, iteration: int) -> bool:
        if sys.stderr.isatty():
            return time.monotonic() - self._last >= _PAUSE
        return len(str(iteration).rstrip("0")) <= 1

    def _write(self, line: str) -> None:
        if not sys.stderr.isatty():
            sys.stderr.write(f"{line}\n")
            return
        sys.stderr.write(f"\r{line:<{self._width}}")
        sys.stderr.flush()
        self._width, self._last = len(line), time.monotonic()
