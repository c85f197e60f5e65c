"""Messages that name what a caller may give: Python's spelling is the text, and another door has the parts for its own."""

from __future__ import annotations

from typing import Any, NamedTuple, Self


def _counted_place(what: str, number: Any) -> str:
    """A row or a block by its number: as arrays do, all of symem but printed mathematics counts from 0, and says so."""
    return f"{what} {int(number)} (counted from 0)"


class _Option(NamedTuple):
    """What a caller gives, `name=value`, in a call of `function` if that must be said; without a value only its name is.

    `of` is "setting", "size" or "array".
    """

    name: str
    value: str = "…"
    of: str = "setting"
    function: str = ""

    def __str__(self) -> str:
        given = f"{self.name}={self.value}"
        return f"{self.function}({given})" if self.function else given


class _Words(str):
    """Words and options, one after the other."""

    __slots__ = ("parts",)
    parts: tuple[Any, ...]

    def __new__(cls, *parts: Any) -> Self:
        """A message among the parts gives its own."""
        made = super().__new__(cls, "".join(map(str, parts)))
        made.parts = tuple(inner for part in parts for inner in getattr(part, "parts", (part,)))
        return made

    def __str__(self) -> str:
        """Itself: what is raised with it tells it with its parts."""
        return self
