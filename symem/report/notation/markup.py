"""How signs are set: the primitives of mathematical typography, in LaTeX and on a terminal.

Primitives take finished strings and return one; `builds_up` tells whether fractions have a line. The rules of notation
call these and know nothing of backslashes; a third medium is one more class here, with the methods of the others.
"""

from __future__ import annotations

from collections.abc import Sequence

from symem.report.notation.letters import Label, bold_word, latex_word, plain_word


class LatexMarkup:
    """Math mode of LaTeX with amsmath."""

    builds_up = True
    unequal = r" \neq "
    transpose = r"\mathsf{T}"

    signs = {"Sum": r"\sum", "Product": r"\prod"}  # noqa: RUF012
    functions = {name: rf"\{name}" for name in ("log", "cos", "sin", "Gamma", "gamma", "psi", "Phi")}  # noqa: RUF012

    def letter(self, label: Label, slots: Sequence[str], mark: str, power: str = "") -> str:
        """A named quantity with its slots, the iterate it belongs to, and what a matrix is raised to."""
        word = bold_word(label.head) if label.bold else latex_word(label.head)
        head = rf"\hat{{{word}}}" if label.hat else word
        below = joined([*map(latex_word, label.sub), *slots])
        own = self.letter(label.sup, (), "") if label.sup else ""
        marked = mark if mark.startswith("\\") else f"({mark})" if mark else ""
        above = r"\,".join(part for part in (own + marked, power) if part)
        return head + (f"_{{{below}}}" if below else "") + (f"^{{{above}}}" if above else "")

    def function(self, name: str, argument: str, *, bare: bool) -> str:
        """A function at an argument, without parentheses if `bare`."""
        stem = name.rstrip("'")
        head = self.functions.get(stem, rf"\operatorname{{{stem}}}") + name[len(stem) :]
        return f"{head} {argument}" if bare else head + self.group(argument)

    def exponential(self, exponent: str, *, short: bool) -> str:
        return f"e^{{{exponent}}}" if short else r"\exp" + self.group(exponent)

    def fraction(self, above: str, below: str, *, compound: tuple[bool, bool]) -> str:
        """above / below; `compound` says which of them would need parentheses on one line."""
        return rf"\frac{{{above}}}{{{below}}}"

    def root(self, radicand: str) -> str:
        return rf"\sqrt{{{radicand}}}"

    def power(self, base: str, exponent: str) -> str:
        return f"{base}^{{{exponent}}}"

    def group(self, body: str) -> str:
        return rf"\left({body}\right)" if _is_tall(body) else f"({body})"

    def bracket(self, body: str) -> str:
        return rf"\left[{body}\right]" if _is_tall(body) else f"[{body}]"

    def mean(self, body: str, given: Sequence[str]) -> str:
        """⟨body⟩, given the labels."""
        return rf"\left\langle {body} \right\rangle" + (f"_{{{joined(given)}}}" if given else "")

    def determinant(self, body: str) -> str:
        return rf"\left\lvert {body} \right\rvert" if _is_tall(body) else rf"\lvert {body} \rvert"

    def entry(self, body: str, slots: Sequence[str], power: str = "") -> str:
        """The entry, or the block, of a matrix at the slots."""
        return self.bracket(body) + f"_{{{joined(slots)}}}" + (f"^{{{power}}}" if power else "")

    def solution(self, matrix: str, row: str, column: str, vector: str, place: str) -> str:
        """One component of the solution of a linear system."""
        return rf"\left[\left({matrix}\right)_{{{joined([row, column])}}}^{{-1}} \left({vector}\right)_{{{row}}}\right]_{{{place}}}"

    def solving(self, unknown: str, equations: Sequence[str]) -> str:
        """The positive number at which an equation holds, and what else it needs."""
        inside = r",\quad ".join(equations)
        return rf"\operatorname*{{root}}_{{{unknown} > 0}} \left[{inside}\right]"

    def where(self, unknown: str, equation: str) -> str:
        """What solves an equation."""
        return rf"\operatorname*{{root}}_{{{unknown}}} \left[{equation}\right]"

    def towards(self, unknown: str, equation: str) -> str:
        """One step towards what solves an equation."""
        return rf"\operatorname*{{Newton\ step}}_{{{unknown}}} \left[{equation}\right]"

    def largest(self, letters: Sequence[str], function: str, own: str) -> str:
        """Where a function is largest; of several letters, the place of one's `own`."""
        told = rf"\operatorname*{{arg\,max}}_{{{', '.join(letters)}}} {self.bracket(function)}"
        return told if len(letters) == 1 else rf"{self.group(told)}_{{{own}}}"

    def slope(self, letter: str, function: str, at: str, order: int) -> str:
        """A derivative of a function in a letter, at a value."""
        power = f"^{order}" if order > 1 else ""
        told = rf"\frac{{\partial{power}}}{{\partial {letter}{power}}} {function}"
        return rf"{self.bracket(told)}_{{{letter} = {at}}}"

    def big(self, sign: str, index: str, lower: str, upper: str) -> str:
        """The head of a sum or product."""
        return rf"{self.signs[sign]}_{{{index}={lower}}}^{{{upper}}}"

    def big_where(self, sign: str, index: str, condition: str) -> str:
        """The head of one over the places where a condition holds."""
        return rf"{self.signs[sign]}_{{{index} : {condition}}}"

    def text(self, words: str) -> str:
        return rf"\ \text{{{words}}}"

    def juxtaposed(self, parts: Sequence[str]) -> str:
        return r" ".join(parts)


class PlainMarkup:
    """One line of Unicode."""

    builds_up = False
    unequal = " ≠ "
    transpose = "ᵀ"

    signs = {"Sum": "Σ", "Product": "Π"}  # noqa: RUF012
    functions = {"Gamma": "Γ", "gamma": "γ", "psi": "ψ", "Phi": "Φ"}  # noqa: RUF012
    raised = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")

    def letter(self, label: Label, slots: Sequence[str], mark: str, power: str = "") -> str:
        head = plain_word(label.head) + ("\N{COMBINING CIRCUMFLEX ACCENT}" if label.hat else "")
        above = self.letter(label.sup, (), "") if label.sup else ""
        above = f"^{above}" if above.isalnum() else f"({above})" if above not in ("", "*") else above
        below = self.subscript([*map(plain_word, label.sub), *slots])
        return head + above + below + power.translate(self.raised)

    def subscript(self, parts: Sequence[str]) -> str:
        """μ_k, S_0k; as soon as a part is more than a word, μ[z_i]."""
        if all(part.isalnum() for part in parts):
            return f"_{joined(parts)}" if parts else ""
        return f"[{','.join(parts)}]"

    def function(self, name: str, argument: str, *, bare: bool) -> str:
        stem = name.rstrip("'")
        head = self.functions.get(stem, stem) + name[len(stem) :]
        return f"{head} {argument}" if bare else f"{head}({argument})"

    def exponential(self, exponent: str, *, short: bool) -> str:
        return f"exp({exponent})"

    def fraction(self, above: str, below: str, *, compound: tuple[bool, bool]) -> str:
        above, below = (self.group(s) if c else s for s, c in zip((above, below), compound, strict=True))
        return f"{above} / {below}" if " " in above + below else f"{above}/{below}"

    def root(self, radicand: str) -> str:
        return f"√({radicand})" if len(radicand) > 1 else f"√{radicand}"

    def power(self, base: str, exponent: str) -> str:
        if exponent.lstrip("-").isdecimal() or exponent.endswith(self.transpose):
            return base + exponent.translate(self.raised)
        return f"{base}^{exponent}" if exponent.isalnum() else f"{base}^({exponent})"

    def group(self, body: str) -> str:
        return f"({body})"

    def bracket(self, body: str) -> str:
        return f"[{body}]"

    def mean(self, body: str, given: Sequence[str]) -> str:
        return f"⟨{body}⟩{self.subscript(given)}"

    def determinant(self, body: str) -> str:
        return f"|{body}|"

    def entry(self, body: str, slots: Sequence[str], power: str = "") -> str:
        return f"[{body}]{self.subscript(slots)}{power.translate(self.raised)}"

    def solution(self, matrix: str, row: str, column: str, vector: str, place: str) -> str:
        return f"[({matrix})⁻¹{self.subscript([row, column])} ({vector}){self.subscript([row])}]{self.subscript([place])}"

    def solving(self, unknown: str, equations: Sequence[str]) -> str:
        return f"the {unknown} > 0 with {', '.join(equations)}"

    def where(self, unknown: str, equation: str) -> str:
        return f"the {unknown} with {equation}"

    def towards(self, unknown: str, equation: str) -> str:
        return f"one Newton step towards the {unknown} with {equation}"

    def largest(self, letters: Sequence[str], function: str, own: str) -> str:
        """Where a function is largest."""
        beside = [each for each in letters if each != own]
        return f"the {own} at which {function} is largest" + (f", with {', '.join(beside)}" if beside else "")

    def slope(self, letter: str, function: str, at: str, order: int) -> str:
        """A derivative of a function in a letter, at a value."""
        power = "²" if order > 1 else ""
        return f"[∂{power}/∂{letter}{power} {function} at {letter} = {at}]"

    def big(self, sign: str, index: str, lower: str, upper: str) -> str:
        whole = lower == "1" and upper.isidentifier()
        return f"{self.signs[sign]}_{index}" if whole else f"{self.signs[sign]}_({index}={lower}..{upper})"

    def big_where(self, sign: str, index: str, condition: str) -> str:
        return f"{self.signs[sign]}_({index}: {condition})"

    def text(self, words: str) -> str:
        return f" {words}"

    def juxtaposed(self, parts: Sequence[str]) -> str:
        return "".join(part if part.isdecimal() else part + " " for part in parts).rstrip()


#: What a printer of formulas may set in.
Markup = LatexMarkup | PlainMarkup


def _is_tall(body: str) -> bool:
    return any(sign in body for sign in (r"\frac", r"\sum", r"\prod", r"\sqrt", r"\left"))


def joined(parts: Sequence[str]) -> str:
    """Subscripts side by side, with commas as soon as one of them is more than a single sign.

    >>> joined(["i", "k"]), joined(["k", "x_{i}"]), joined(["max"])
    ('ik', 'k,x_{i}', 'max')
    """
    return ("" if all(len(part) == 1 for part in parts) else ",").join(parts)
