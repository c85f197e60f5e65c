"""The sentence of a law as a reader sees it: its places filled with formulas, what stands between $ set as one.

Laws are written in plain Unicode, for a terminal as for a page; here Λ⁻¹h becomes TeX.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from sympy import Indexed, Symbol, oo

from symem.derivation import Ends, Rule, Step
from symem.report.document import Block, Display, Lines, Maths, Prose, listed
from symem.report.notation.letters import GREEK, LETTERS, RAISED, bold_word, latex_word
from symem.report.notation.notation import Latex, latex
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


def told(steps: Sequence[Step], lines: Sequence[Lines], voice: Voice) -> Iterator[Block]:
    """Steps by one law: its sentence, and below it what is displayed of them, if anything."""
    *words, last = sentence(steps, voice)
    if isinstance(last, str):
        last = re.sub(r"[.:]$", ":", last) if lines else last.rstrip(".:,") + "."
    yield (*words, last)
    if lines:
        yield Display(tuple(dict.fromkeys(lines)))


def _place(name: str, steps: Sequence[Step], voice: Voice) -> Prose:
    first = steps[0]
    if name in ("latent", "parameter"):
        return listed([voice.name(each) for each in dict.fromkeys(a for step in steps for a in step.about)])
    if name in voice.theory:
        return (Maths(voice.theory[name]),)
    if name == "missing":
        return (Maths(Latex(voice.free).missing_entries(first.particulars[name])),)
    return _set(first.particulars[name], first, voice)


def _set(value: Any, step: Step, voice: Voice) -> Prose:
    """A particular: a list is told as a list, a tuple is words and formulas in their order."""
    match value:
        case str():
            return (value,)
        case list():
            return listed([_latex(each, step, voice) for each in value])
        case tuple():
            return tuple(part for each in value for part in _set(each, step, voice))
        case _:
            return (Maths(_latex(value, step, voice)),)


def _latex(value: Any, step: Step, voice: Voice) -> str:
    match value:
        case Rule():
            return _formula(value.formula, (step,), voice)
        case Ends():
            return _interval(value, voice)
        case Symbol() | Indexed():
            return voice.name(value)
        case _:
            return latex(value, voice.free.within(step.axes))


def _interval(ends: Ends, voice: Voice) -> str:
    """Where a latent lies."""
    low, high = ends.low, ends.high
    if ends.counts:
        last = [] if high == oo else [latex(high, voice.free)]
        return (
            r"\{" + ", ".join([latex(low, voice.free), latex(low + 1, voice.free), r"\dots", *last]) + r"\}"
        )
    if (low, high) == (-oo, oo):
        return r"\mathbb{R}"
    opening, closing = "(" if low in (-oo, 0) else "[", ")" if high in (oo, 1) else "]"
    return f"{opening}{latex(low, voice.free)}, {latex(high, voice.free)}{closing}"


def _formula(text: str, steps: Sequence[Step], voice: Voice) -> str:
    """A formula of a law in TeX."""
    pieces = (
        "".join(each.latex for each in _place(piece[1:-1], steps, voice) if isinstance(each, Maths))
        if _PLACE.fullmatch(piece)
        else mathematics(piece)
        for piece in re.split(r"(\{\w+\})", text)
    )
    return "".join(pieces).strip()


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
SIGNS = {
    "½": r"\tfrac{1}{2}",
    "|": r"\mid ",
    "−": "-",
    "tr": r"\operatorname{tr}",
    "{": r"\{",
    "}": r"\}",
    "∑": r"\sum",
}


def _sign(sign: str) -> str:
    plain = unicodedata.normalize("NFKC", sign)
    if sign in SIGNS:
        return SIGNS[sign]
    if plain != sign:
        return bold_word(LETTERS.get(plain, plain))
    if (word := LETTERS.get(sign)) in GREEK:
        return f"{latex_word(word)} "
    return rf"\{word or sign} " if word or len(sign) > 1 else sign
