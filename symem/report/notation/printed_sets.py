"""Supports and ranges as sets, in LaTeX: x_i ∈ ℝ, i = 1, …, n."""

from __future__ import annotations

from sympy import Expr, Integer, Sum, Symbol

from symem.language.model import Variable
from symem.language.support import Support
from symem.language.supports import OneHot, Simplex
from symem.report.notation.lexicon import Lexicon
from symem.report.notation.notation import Latex, latex, letter


def members(variable: Variable, indices: tuple[Symbol, ...], lexicon: Lexicon) -> str:
    """What an entry of the variable may be: in a set, or the simplex condition."""
    support = variable.support
    if variable.shape:
        return _matrices(variable, lexicon)
    if isinstance(support, Simplex):
        return _simplex(variable, indices, support, lexicon)
    if isinstance(support, OneHot):
        return r"\in \{0, 1\} \text{, one in each row}"
    return rf"\in {set_of(support, lexicon)}"


def _matrices(variable: Variable, lexicon: Lexicon) -> str:
    """∈ ℝ^d, ∈ ℝ^{d×m}."""
    sizes = [size for size in variable.shape if size != 1] or [Integer(1)]
    power = r" \times ".join(latex(size, lexicon) for size in sizes)
    return rf"\in \mathbb{{R}}^{{{power}}}"


def set_of(support: Support, lexicon: Lexicon) -> str:
    """A support as a set; its ends are in the user's symbols, and print as they stand."""
    return support.in_latex(Latex(lexicon).doprint)


def counted(index: Symbol, size: Expr, lexicon: Lexicon, *, name: str, place: int) -> str:
    """The range of an index that stands in the slot `place` of `name`."""
    natural = (name, place) in lexicon.from_one.natural_slots
    first, last = (Integer(0), size - 1) if natural else (Integer(1), size)
    body, upper = letter(index, lexicon), latex(last.xreplace(dict(lexicon.lengths)), lexicon)
    if last.is_Integer and last - first <= 1:
        return f"{body} = {first}" if last == first else f"{body} = {first}, {upper}"
    return rf"{body} = {first}, \dots, {upper}"


def _simplex(variable: Variable, indices: tuple[Symbol, ...], support: Simplex, lexicon: Lexicon) -> str:
    axes = list(zip(indices, variable.sizes, strict=True))[-support.axes :]
    total = Sum(variable.symbol[indices], *((index, 0, size - 1) for index, size in axes))
    return rf"> 0,\ \textstyle {latex(total, lexicon)} = 1"
