"""From what a reader asks of a report to the choices that `output` understands: names checked, numbers worked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypedDict

from symem.errors import UndeclaredSymbolError
from symem.language.reading import base_name
from symem.report.options import Level, Notation, Options, chosen

if TYPE_CHECKING:
    from symem.em import EM


class Choices(TypedDict, total=False):
    """The keywords of `EM.html`, `EM.latex`, `EM.markdown` and `EM.notebook`.

    `level` is brief (the updates), paper, or teaching (every line between); `notation` is symem, bishop, mclachlan
    or dempster; `rename` gives a symbol, or its name, another name; with `data` (arrays and sizes) and `start` one
    iteration is worked in numbers.
    """

    level: str
    notation: str
    rename: Mapping[Any, str]
    title: str
    data: Mapping[str, Any]
    start: Mapping[str, Any]


def options_of(em: EM, choices: Choices) -> Options:
    """The choices, checked.

    Raises:
        DataError: a level or a notation that there is not; data or a start that the model cannot take.
        UndeclaredSymbolError: a renamed symbol that the model does not have.
    """
    unknown = ", ".join(sorted(set(choices) - Choices.__optional_keys__))
    if unknown:
        raise TypeError(f"A report takes {', '.join(sorted(Choices.__optional_keys__))}, not {unknown}.")
    return Options(
        level=chosen(Level, choices.get("level", "paper")),
        notation=chosen(Notation, choices.get("notation", "symem")),
        rename=_renamed(em, choices.get("rename", {})),
        title=choices.get("title"),
        worked=_worked(em, choices),
        code=None if em.derivation.not_derived else em.source(),
    )


def _renamed(em: EM, rename: Mapping[Any, str]) -> dict[str, str]:
    names = {key if isinstance(key, str) else base_name(key): str(new) for key, new in rename.items()}
    for name in names:
        if name not in em.model.variables:
            known = ", ".join(em.model.variables)
            raise UndeclaredSymbolError(f"{name!r} cannot be renamed: the model has {known}.")
    return names


def _worked(em: EM, choices: Choices) -> Any:
    """One iteration with the reader's numbers; none without data, or where an update is missing."""
    data = choices.get("data")
    if data is None or em.derivation.not_derived:
        return None
    from symem.report.iteration import work

    return work(em, data, choices.get("start"))
