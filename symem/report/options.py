"""What a reader may choose about a report: how much algebra, whose letters, which names, which numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from symem.derivation import RunningCost
from symem.derivation.identifiability import Identifiability
from symem.errors import DataError

if TYPE_CHECKING:
    from symem.report.fitted import Fitted
    from symem.report.iteration import Worked

Choice = TypeVar("Choice", bound=StrEnum)


class Level(StrEnum):
    """How much algebra stands between two results."""

    BRIEF = "brief"  # the updates only
    PAPER = "paper"  # what a paper would print
    TEACHING = "teaching"  # every line between


#: The forms of a report, and how the name of a file in that form ends.
FORMS = {"html": ".html", "latex": ".tex", "markdown": ".md", "notebook": ".ipynb"}


class Notation(StrEnum):
    """Whose letters."""

    SYMEM = "symem"
    BISHOP = "bishop"
    MCLACHLAN = "mclachlan"
    DEMPSTER = "dempster"


@dataclass(frozen=True)
class Options:
    """The choices for one report.

    `rename` gives a declared name another one, which is taken apart and set like any identifier; `worked` is an
    iteration with the user's numbers (`iteration.work`); `fitted` a fit to tell of; `code` the text of the emitted module,
    which is shown if there is to be a `listing`, and `cost` what it takes; `identifiability` is told if it is there; `reference` says where the model is from. In an
    `exercise` what is to be found is folded away, or stands at the end; `slides` have one step each.
    """

    level: Level = Level.PAPER
    notation: Notation = Notation.SYMEM
    rename: Mapping[str, str] = field(default_factory=dict)
    title: str | None = None
    author: str | None = None
    date: str | None = None
    reference: str | None = None
    worked: Worked | None = None
    fitted: Fitted | None = None
    code: str | None = None
    cost: RunningCost | None = None
    identifiability: Identifiability | None = None
    listing: bool = False
    exercise: bool = False
    slides: bool = False


PLAIN = Options()


def form_of(path: str | Path) -> str:
    """The form that the name of a file asks for.

    Raises:
        DataError: none.
    """
    ending = Path(path).suffix.lower()
    forms = [form for form, own in FORMS.items() if own == ending]
    if not forms:
        raise DataError(f"{path}: the name of a report ends in {', '.join(FORMS.values())}.")
    return forms[0]


def chosen(kind: type[Choice], value: str) -> Choice:
    """The member of that value.

    Raises:
        DataError: there is none; the message lists them.

    >>> chosen(Level, "brief") is Level.BRIEF is chosen(Level, Level.BRIEF)
    True
    """
    try:
        return kind(value)
    except ValueError:
        known = ", ".join(repr(member.value) for member in kind)
        raise DataError(f"{kind.__name__.lower()} is one of {known}, not {value!r}.") from None
