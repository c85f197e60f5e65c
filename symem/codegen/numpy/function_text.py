"""A function of a module: the types of its arguments and of what it gives, its sentence, its lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from symem.codegen.numpy.wrapping import WIDTH

THETA, ROWS, DATA = ("theta", "Parameters"), ("rows", "Rows"), ("data", "Data")
LATENTS, COEFFICIENTS = ("latents", "Latents"), ("coefficients", "tuple[Any, ...]")


@dataclass(frozen=True)
class Function:
    """A function by its parts; `quiet`: 0/0 is met without a warning."""

    name: str
    arguments: Sequence[tuple[str, str]]
    gives: str
    sentence: str
    lines: Sequence[str]
    quiet: bool = False

    def __str__(self) -> str:
        head = ['@np.errstate(all="ignore")'] if self.quiet else []
        arguments = [self._argument(name, kind) for name, kind in self.arguments]
        flat = f"def {self.name}({', '.join(arguments)}) -> {self.gives}:"
        if len(flat) > WIDTH:
            head += [f"def {self.name}(", f"    {', '.join(arguments)}", f") -> {self.gives}:"]
        else:
            head.append(flat)
        body = [f'"""{self.sentence}"""', *self.lines]
        return "\n".join([*head, *(f"    {line}" for line in body)])

    def _argument(self, name: str, kind: str) -> str:
        """An argument that the body does not read has a name that says so."""
        if not kind:
            return name
        used = any(re.search(rf"\b{name.lstrip('*')}\b", line) for line in self.lines)
        return f"{name}: {kind}" if used or name.startswith("*") else f"_{name}: {kind}"
