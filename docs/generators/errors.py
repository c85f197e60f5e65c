"""The errors and warnings, from their classes."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import symem
from symem import errors as module
from symem.runtime import loop


def errors(_: str) -> str:
    """An entry for each class: its name, what it also is, and its cause."""
    return "\n".join(["```{eval-rst}", *map(_entry, _classes()), "```"])


def _classes() -> Iterator[type[BaseException]]:
    """Those of symem, and those that the modules have which it writes."""
    found: dict[str, type[BaseException]] = {}
    for home in (module, loop):
        for each in vars(home).values():
            if inspect.isclass(each) and issubclass(each, Exception) and each.__module__ == home.__name__:
                found.setdefault(each.__name__, each)
    yield from found.values()


def _entry(kind: type[BaseException]) -> str:
    bases = " and a ".join(f"``{base.__name__}``" for base in kind.__bases__)
    words = " ".join((kind.__doc__ or "").split())
    name = f"symem.{kind.__name__}" if hasattr(symem, kind.__name__) else kind.__name__
    return f".. py:exception:: {name}\n\n   {words} A {bases}.\n"
