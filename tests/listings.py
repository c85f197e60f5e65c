"""The listings of a Markdown page: which there are, what they show, and the page with what they show written anew.

A ```python block runs after those before it, in one session; the value of its last expression is shown unless it is
None, as in an interactive session, and warnings before it. A ```text block right after it is what it shows. In a ```console block each line
`$ symem …` is a command, and what follows it is what it prints.
"""

from __future__ import annotations

import ast
import doctest
import io
import re
import shlex
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from typing import Any

from symem.__main__ import main
from symem.errors import SymemError

_BLOCK = re.compile(
    r"^```(?P<kind>python|console)\n(?P<code>.*?)^```\n(?:\n*```text\n(?P<shown>.*?)^```\n)?",
    re.MULTILINE | re.DOTALL,
)
_COMMAND = re.compile(r"^\$ (?P<line>symem .*)\n(?P<shown>(?:(?!\$ ).*\n)*)", re.MULTILINE)
_ALIKE = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Listing:
    """What a page says of one listing, and what it shows when it is run."""

    code: str
    said: str | None
    shown: str
    place: tuple[int, int]

    @property
    def is_true(self) -> bool:
        """Whether it shows what the page says; what the page leaves out is not asked."""
        return self.said is None or doctest.OutputChecker().check_output(self.said, self.shown, _ALIKE)


@dataclass
class Session:
    """The names that the listings of one page share."""

    names: dict[str, Any] = field(default_factory=lambda: {"__name__": "__main__"})

    def run(self, text: str) -> Iterator[Listing]:
        """Every listing of a page, in their order."""
        for block in _BLOCK.finditer(text):
            if block["kind"] == "python":
                said = block["shown"]
                yield Listing(block["code"], said, self.python(block["code"]), block.span("shown"))
                continue
            start = block.start("code")
            for command in _COMMAND.finditer(block["code"]):
                first, last = command.span("shown")
                shown = _console(command["line"])
                yield Listing(command["line"], command["shown"], shown, (start + first, start + last))

    def python(self, code: str) -> str:
        """Warnings, what is printed, and the value of a last expression or the error of symem that ended it."""
        with _heard() as heard, warnings.catch_warnings(record=True) as given:
            warnings.simplefilter("always")
            warnings.simplefilter("ignore", ResourceWarning)  # raised when, not where, garbage is collected
            tree = ast.parse(code)
            last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
            try:
                exec(compile(tree, "<page>", "exec"), self.names)
                if isinstance(last, ast.Expr):
                    value = eval(compile(ast.Expression(last.value), "<page>", "eval"), self.names)
                    if value is not None:
                        heard.write(f"{value!r}\n")
            except SymemError as error:
                heard.write(f"{type(error).__name__}: {error}\n")
        told = (f"{each.category.__name__}: {each.message}\n" for each in given)
        return _stripped("".join([*told, heard.getvalue()]))


def mended(text: str, listings: list[Listing]) -> str:
    """The page, saying what its listings show."""
    for listing in reversed(listings):
        if listing.said is not None and not listing.is_true:
            first, last = listing.place
            text = text[:first] + listing.shown + text[last:]
    return text


def _console(line: str) -> str:
    with _heard() as heard:
        main(shlex.split(line)[1:])
    return _stripped(heard.getvalue())


@contextmanager
def _heard() -> Iterator[io.StringIO]:
    heard = io.StringIO()
    with redirect_stdout(heard), redirect_stderr(heard):
        yield heard
    sys.stdout.flush()


def _stripped(text: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())
