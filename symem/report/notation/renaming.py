r"""A reader's name for a symbol: an identifier, or a little TeX that is read before it is set.

What TeX may say here is a list: letters, digits, Greek, accents, fonts, scripts. It is parsed, so that braces
balance, every command has its argument and nothing can end the formula it stands in; all else is refused by name.
"""

from __future__ import annotations

import re

from symem.errors import NotationError
from symem.report.notation.letters import GREEK, Label, Tex

LONGEST = 80
FONTS = frozenset(
    {r"\mathrm", r"\mathbf", r"\mathit", r"\mathcal", r"\mathsf", r"\mathbb", r"\mathfrak", r"\boldsymbol"}
)
ACCENTS = frozenset(
    {r"\hat", r"\bar", r"\tilde", r"\dot", r"\ddot", r"\vec", r"\check", r"\widehat", r"\widetilde"}
)
SIGNS = frozenset(
    {r"\ell", r"\varepsilon", r"\vartheta", r"\varphi", r"\varrho", r"\varpi", r"\prime", r"\star", r"\ast", r"\circ",
     r"\dagger", r"\infty", r"\cdot", r"\top", r"\perp", r"\partial", r"\nabla", r"\hbar"}
) | {rf"\{name}" for name in GREEK}  # fmt: skip
PLAIN = re.compile(r"[A-Za-z0-9'*+\-,()|/!.]")
_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|.", re.DOTALL)
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


def renamed(name: str, new: str) -> Label:
    r"""The label of a renamed symbol.

    >>> renamed("m", "mu_max") == Label.of("mu_max")
    True
    >>> renamed("m", r"\boldsymbol\mu").head
    '\\boldsymbol{\\mu}'

    Raises:
        NotationError: it says more than a name may; the message shows where.
    """
    if not new.strip() or len(new) > LONGEST:
        raise NotationError(
            f"{name!r} cannot be renamed to {new[:LONGEST]!r}: a name has 1 to {LONGEST} characters."
        )
    if _IDENTIFIER.fullmatch(new):
        return Label.of(new)
    return Label(Tex(_Reader(name, new).whole()))


class _Reader:
    """A reader of names in TeX that writes what it has understood."""

    def __init__(self, name: str, new: str) -> None:
        self.name, self.new = name, new
        greek = {letter: f"\\{word}" for word, letter in GREEK.items()}
        self.tokens = [greek.get(token, token) for token in _TOKEN.findall(new) if token != " "]
        self.place = 0

    def whole(self) -> str:
        read = self.several(end=None)
        return f"{{{read}}}" if re.search(r"[_^']", read) else read

    def several(self, end: str | None) -> str:
        """Atoms with their scripts, up to the end."""
        parts: list[str] = []
        while self.place < len(self.tokens) and self.tokens[self.place] != end:
            parts.append(self.atom() + self.scripts())
        if not parts:
            raise self.refused("an empty group")
        return "".join(parts)

    def atom(self) -> str:
        token = self.take()
        if token == "{":
            return "{" + self.closed() + "}"
        if token in FONTS | ACCENTS:
            return f"{token}{{{self.argument()}}}"
        if token in SIGNS:
            return token + (
                " " if self.place < len(self.tokens) and self.tokens[self.place][0].isalpha() else ""
            )
        if PLAIN.fullmatch(token):
            return token
        raise self.refused(token)

    def argument(self) -> str:
        """One sign, or a group."""
        if self.place < len(self.tokens) and self.tokens[self.place] == "{":
            self.place += 1
            return self.closed()
        return self.atom().strip()

    def closed(self) -> str:
        inside = self.several(end="}")
        if self.place == len(self.tokens):
            raise self.refused("a brace that does not close")
        self.place += 1
        return inside

    def scripts(self) -> str:
        """At most one below and one above."""
        found: dict[str, str] = {}
        while self.place < len(self.tokens) and self.tokens[self.place] in "_^":
            sign = self.take()
            if sign in found:
                raise self.refused(f"a second {sign}")
            found[sign] = self.argument()
        return "".join(f"{sign}{{{script}}}" for sign, script in found.items())

    def take(self) -> str:
        if self.place == len(self.tokens):
            raise self.refused("an end where a letter is due")
        self.place += 1
        return str(self.tokens[self.place - 1])

    def refused(self, what: str) -> NotationError:
        return NotationError(
            f"{self.name!r} cannot be renamed to {self.new!r}: {what} has no place in a name. Names are letters, "
            rf"Greek such as \mu, scripts, accents such as \hat and fonts such as \boldsymbol."
        )
