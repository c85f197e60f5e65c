"""How a message that names options spells them on the command line: `--size K=…` for `K=…`."""

from __future__ import annotations

from typing import Any

#: The flag behind which what a table, a size or a known array may be is given.
_FLAGS = {"size": "--size", "range": "--size", "array": "--set", "known": "--set"}

#: Options that take the numbers of several parameters.
_OF_PARAMETERS = frozenset({"start", "theta"})


def spelt(message: Any) -> str:
    """A message with the options that it names as they are written here: `--size K=…` for `K=…`."""
    parts = getattr(message, "parts", (str(message),))
    return "".join(part if isinstance(part, str) else _spelt_option(part) for part in parts)


def _spelt_option(option: Any) -> str:
    name, value, of, _ = option
    if of in _FLAGS:
        value = "1..7" if of == "range" else value
        column = f", or a column {name} of the table" if of == "array" else ""
        return f"{_FLAGS[of]} {name}" + (f"={value}" if value else "") + column
    flag = f"--{name.replace('_', '-')}"
    if name in _OF_PARAMETERS:
        return f"{flag} NAME=…"
    return {"": flag, "True": flag, "False": f"--no-{name}"}.get(value, f"{flag} {value}")
