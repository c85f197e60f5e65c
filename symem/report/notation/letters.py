"""From identifiers to the letters of the field: names are data, so nothing is printed before it is taken apart.

A `Label` is a name taken apart into words: a head, subscripts and a superscript. Each word is set on its own,
Greek names as Greek letters, single letters in italics, longer words upright, every other character escaped.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from sympy import Expr, Symbol

from symem.language.plates import Axis

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η",
    "theta": "θ", "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ",
    "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "φ", "chi": "χ", "psi": "ψ",
    "omega": "ω", "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π",
    "Sigma": "Σ", "Upsilon": "Υ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω", "ell": "ℓ",
}  # fmt: skip
SPELLINGS = {
    "th": "theta",
    "lamda": "lambda",
    "lam": "lambda",
    "lambda_": "lambda",
    "Lamda": "Lambda",
    "eps": "epsilon",
}
ESCAPES = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%",
    "_": r"\_", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "`": r"\textasciigrave{}",
}  # fmt: skip

_GREEK_HEAD = "|".join(sorted(GREEK, key=len, reverse=True))
_COMPOUND = re.compile(rf"(?P<head>{_GREEK_HEAD}|[A-Za-z])(?P<tail>[A-Z]+[0-9]*|[0-9]+[a-z]?)")


def anchored(name: str) -> str:
    """A name as part of an anchor: lower-case words, different for different names.

    >>> anchored("s2_e"), anchored("pH"), anchored("ph")
    ('s2-e', 'p-cap-h', 'ph')
    """
    words = re.sub(r"[A-Z]", lambda letter: f"-cap-{letter[0].lower()}-", name)
    return re.sub(r"[^a-z0-9]+", "-", words).strip("-")


class Tex(str):
    """A word that is TeX already, and was checked."""

    __slots__ = ()


@dataclass(frozen=True)
class Label:
    """A name taken apart: head, subscript words and the name above; `hat` marks a posterior's argument.

    With an `argument` it is written as a function of it, γ(z), and subscripts go to the argument. `bold` letters are
    vectors and matrices; two names do not differ by it, for a terminal has no bold.
    """

    head: str
    sub: tuple[str, ...] = ()
    sup: Label | None = None
    hat: bool = False
    argument: Label | None = field(default=None, repr=False)
    bold: bool = field(default=False, compare=False)

    def in_bold(self) -> Label:
        """The same for a vector or a matrix."""
        return replace(self, bold=True)

    @classmethod
    def verbatim(cls, name: str) -> Label:
        """The whole name as one upright word."""
        return cls(name)

    @classmethod
    def of(cls, name: str) -> Label:
        """The textbook's reading of an identifier.

        >>> Label.of("mu_max")
        Label(head='mu', sub=('max',), sup=None, hat=False, bold=False)
        >>> Label.of("nCC").sub, Label.of("theta0").sub
        (('CC',), ('0',))
        """
        name = SPELLINGS.get(name, name)
        head, *sub = [word for word in name.split("_") if word] or [name]
        head = SPELLINGS.get(head, head)
        compound = None if head in GREEK else _COMPOUND.fullmatch(head)
        if compound:
            head, sub = compound["head"], [compound["tail"], *sub]
        return cls(head, tuple(sub))


SIGNS = {
    "≥": "ge", "≤": "le", "≠": "ne", "∞": "infty", "∂": "partial", "·": "cdot", "×": "times", "−": "-",
    "→": "to", "∈": "in", "√": "surd", "…": "dots", "⟨": "langle", "⟩": "rangle", "∑": "sum",
}  # fmt: skip
LETTERS = {letter: word for word, letter in GREEK.items()} | SIGNS


DASHES = {"–": "--", "—": "---", "‘": "`", "’": "'", "“": "``", "”": "''"}
#: Commands that set an accent, by the code of the accent.
ACCENTS = {
    "0300": "`",
    "0301": "'",
    "0302": "^",
    "0303": "~",
    "0308": '"',
    "030A": "r",
    "030C": "v",
    "0327": "c",
}
RAISED = {"<super>": "^", "<sub>": "_"}


def escape(text: str) -> str:
    """Text that LaTeX sets as it stands, whatever characters it holds; Greek letters and signs as mathematics."""
    return "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    if character in ESCAPES:
        return ESCAPES[character]
    if character in LETTERS:
        return r"\ensuremath{-}" if character == "−" else rf"\ensuremath{{\{LETTERS[character]}}}"
    if character in DASHES:
        return DASHES[character]
    place, _, code = unicodedata.decomposition(character).partition(" ")
    if code in ACCENTS and place.isalnum() and chr(int(place, 16)).isascii():
        return rf"\{ACCENTS[code]}{{{chr(int(place, 16))}}}"
    if place in RAISED and len(code) == 4:
        return rf"\ensuremath{{{{}}{RAISED[place]}{{{_below(chr(int(code, 16)))}}}}}"
    return character if character.isascii() and (character.isprintable() or character == " ") else "?"


def _below(character: str) -> str:
    """A character that is raised or lowered stands in a formula already."""
    return "-" if character == "−" else _escaped(character)


def latex_word(word: str) -> str:
    r"""One word of a label in math mode.

    >>> latex_word("sigma"), latex_word("x"), latex_word("obs"), latex_word("12")
    ('\\sigma', 'x', '\\mathrm{obs}', '12')
    """
    if isinstance(word, Tex):
        return str(word)
    if word == "epsilon":
        return r"\varepsilon"
    if word in GREEK:
        return f"\\{word}"
    if re.fullmatch(r"[A-Za-z]|[0-9]+", word):
        return word
    return rf"\mathrm{{{word}}}" if word.isalnum() and word.isascii() else rf"\text{{{escape(word)}}}"


def bold_word(word: str) -> str:
    r"""The head of a vector's or a matrix's name: Greek in bold italics, other words in bold.

    >>> bold_word("Sigma"), bold_word("x")
    ('\\boldsymbol{\\Sigma}', '\\mathbf{x}')
    """
    body = latex_word(word)
    return rf"\boldsymbol{{{body}}}" if word in GREEK or not body.isalnum() else rf"\mathbf{{{body}}}"


def plain_word(word: str) -> str:
    """One word of a label for a terminal: Greek as Unicode, control characters never."""
    return GREEK.get(word) or "".join(character if character.isprintable() else "?" for character in word)


def distinct(choices: Iterable[tuple[str, tuple[Label, ...]]]) -> dict[str, Label]:
    """A label for every name, so that no two print alike: the first of its choices that is still free.

    Names are served in order; the last resort is the name itself, upright, and that is unique.
    """
    labels: dict[str, Label] = {}
    taken: set[Label] = set()
    for name, wanted in choices:
        if name in labels:
            continue
        free = [label for label in wanted if label not in taken] or [Label.verbatim(name)]
        labels[name] = free[0]
        taken.add(free[0])
    return labels


def index_names(sizes: Iterable[Expr], axes: tuple[Axis, ...]) -> tuple[Symbol, ...]:
    """An index for each slot of an array, the model's own where it has one of that size."""
    chosen: list[Symbol] = []
    for size in sizes:
        known = [axis.index for axis in axes if axis.size == size and axis.index not in chosen]
        spare = (Symbol(letter) for letter in "abcdefgh")
        chosen.append(known[0] if known else next(each for each in spare if each not in chosen))
    return tuple(chosen)
