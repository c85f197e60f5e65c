"""The sentence of a law as a reader sees it: its places filled with formulas, what stands between $ set as one.

Laws are written in plain Unicode, for a terminal as for a page; here Λ⁻¹h becomes TeX.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from sympy import Expr

from symem.derivation import Step
from symem.report.document import Display, Maths, Prose, listed
from symem.report.notation.letters import LETTERS, RAISED, bold_word
from symem.report.notation.notation import latex
from symem.report.writer import Voice

_PIECE = re.compile(r"(\$[^$]*\$|\{\w+\})")
_PLACE = re.compile(r"\{(\w+)\}")


def sentence(steps: Sequence[Step], voice: Voice) -> Prose:
    """What the law of these steps says of all that they are about."""
    words: list[Any] = []
    for piece in _PIECE.split(steps[0].law.sentence):
        place = _PLACE.fullmatch(piece)
        if place:
            words += _place(place[1], steps, voice)
        else:
            words.append(Maths(_formula(piece[1:-1], steps, voice)) if piece.startswith("$") else piece)
    return tuple(words)


def formula(step: Step, voice: Voice) -> Display:
    """The formula of a step's law, a line for each relation."""
    left, *right = re.split(r" (?==|≥)", step.law.formula)
    lines = [f"&{_formula(part, (step,), voice)}" for part in right]
    return Display(((f"{_formula(left, (step,), voice)} {lines[0]}", *lines[1:]),))


def _place(name: str, steps: Sequence[Step], voice: Voice) -> Prose:
    if name in ("latent", "parameter"):
        return listed([voice.name(each) for step in steps for each in step.about])
    if name in voice.theory:
        return (Maths(voice.theory[name]),)
    value = steps[0].particulars[name]
    if isinstance(value, tuple):
        return listed([latex(each, voice.free) for each in value])
    return (Maths(latex(value, voice.free)) if isinstance(value, Expr) else str(value),)


def _formula(text: str, steps: Sequence[Step], voice: Voice) -> str:
    """A formula of a law in TeX."""
    pieces = re.split(r"(\{\w+\})", text)
    return "".join(
        "".join(each.latex for each in _place(piece[1:-1], steps, voice) if isinstance(each, Maths))
        if _PLACE.fullmatch(piece)
        else mathematics(piece)
        for piece in pieces
    )


def mathematics(text: str) -> str:
    r"""A formula of plain Unicode in TeX.

    >>> mathematics("-½ 𝐳ᵀ𝚲𝐳 ≥ log x⁻¹")
    '-\\tfrac{1}{2} \\mathbf{z}^{\\mathsf{T}}\\boldsymbol{\\Lambda}\\mathbf{z} \\ge \\log x^{-1}'
    """
    told = "".join(_run(level, "".join(run)) for level, run in groupby(text, key=_level))
    return re.sub("  +", " ", told)


def _level(character: str) -> str:
    """^ or _ for what is raised or lowered."""
    return RAISED.get(unicodedata.decomposition(character).partition(" ")[0], "")


def _run(level: str, run: str) -> str:
    if not level:
        return re.sub("log|exp|tr|det|.", lambda found: _sign(found[0]), run)
    inner = "".join(_sign(unicodedata.normalize("NFKC", character)) for character in run)
    return f"{level}{{{inner.replace('T', TRANSPOSE)}}}"


TRANSPOSE = r"\mathsf{T}"
SIGNS = {"½": r"\tfrac{1}{2}", "|": r"\mid ", "−": "-", "tr": r"\operatorname{tr}", "{": r"\{", "}": r"\}"}


def _sign(sign: str) -> str:
    plain = unicodedata.normalize("NFKC", sign)
    if sign in SIGNS:
        return SIGNS[sign]
    if plain != sign:
        return bold_word(LETTERS.get(plain, plain))
    return rf"\{LETTERS.get(sign, sign)} " if sign in LETTERS or len(sign) > 1 else sign
