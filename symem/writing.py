"""Files written whole or not at all, never in the place of what is no file; words on terminals that lack letters."""

from __future__ import annotations

import codecs
import os
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from symem.errors import DataError, ExistingFileError
from symem.runtime.saving import _already, _no_file, _put_whole


def refuse_existing(paths: Iterable[str | Path | None], *, force: bool) -> None:
    """Before any work is done: nothing that is there already is going to be written over, unless asked for.

    With `force` a file is replaced; a symbolic link stays, and the file that it names is written. A folder, a device,
    a pipe or a socket is never written to.

    Raises:
        ExistingFileError: a file or a link is there and `force` is not given.
        DataError: what is there is no file.
    """
    for path in (Path(each) for each in paths if each is not None):
        wrong = _no_file(path)
        if wrong:
            raise DataError(wrong)
        if os.path.lexists(path) and not force:
            raise ExistingFileError(_already(path))


def write_whole(path: str | Path, text: str, *, force: bool = False) -> Path:
    """Write a text file, all of it or nothing.

    Raises:
        ExistingFileError: the file exists and `force` is not given.
        DataError: what is there is no file, or the text cannot be written in UTF-8.
    """
    refuse_existing([path], force=force)
    content = _encoded(text, path)
    _put_whole(Path(path), content)
    return Path(path)


def _encoded(text: str, path: str | Path) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        wrong = error.object[error.start : error.end]
        raise DataError(
            f"Nothing was written to {path}: {wrong!r} is half a character, which no file in UTF-8 can hold."
        ) from None


#: How what has no letter in the encoding of a terminal is written there.
_SPELT = {
    "√": "sqrt", "−": "-", "·": "*", "²": "^2", "³": "^3", "⁻": "^-", "¹": "1", "≥": ">=",
    "≤": "<=", "≠": "!=", "→": "->", "∞": "oo", "∈": "in", "∂": "d", "ℓ": "l", "…": "...", "½": "1/2", "⁽": "^(", "⁾": ")",
    "ᵗ": "t", "⁺": "+", "ᵀ": "^T", "×": "x", "–": "-", "—": "-", "’": "'", "“": '"', "”": '"', "∫": "int", "∏": "prod", "∑": "sum",
}  # fmt: skip


def _spelt(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_name_of, error.object[error.start : error.end])), error.end


def _name_of(letter: str) -> str:
    """`mu` for μ, `Gamma` for Γ; else its code."""
    *greek, name = unicodedata.name(letter, "").split(" LETTER ")
    if greek and greek[0].startswith("GREEK"):
        name = name.partition(" ")[0].replace("LAMDA", "LAMBDA")
        return name.capitalize() if "CAPITAL" in greek[0] else name.lower()
    return _SPELT.get(letter) or letter.encode("ascii", "backslashreplace").decode()


def spell_out(stream: TextIO) -> None:
    """From now on letters that the stream's encoding lacks are spelt out: mu for μ."""
    codecs.register_error("symem.spelt", _spelt)
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="symem.spelt")
