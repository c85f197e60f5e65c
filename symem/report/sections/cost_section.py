"""What an iteration costs: operations of the emitted program, part by part, and how they grow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sympy import Add, Expr, Integer, Mul, Poly, Symbol, expand

from symem.derivation import RunningCost
from symem.report.document import Block, Items, Prose, Section, Table, listed, said
from symem.report.line_breaking import LINE, width
from symem.report.notation.notation import latex
from symem.report.writer import Voice

WIDEST = LINE / 2
WIDEST_ROW = 0.8 * LINE


def cost(found: RunningCost, voice: Voice) -> Section:
    """Operations per iteration."""
    whole = expand(sum((each for _, each in found.parts), Integer(0)))
    blocks = [
        said("An iteration of the module takes @ operations.", _order(whole, voice)),
        *_once(found, voice),
    ]
    rows = tuple(_row(part, each, voice) for part, each in (*found.parts, ("an iteration", whole)))
    wide = max(sum(width(str(part)) for cell in row[1:] for part in cell) for row in rows)
    blocks.append(_table(rows) if wide <= WIDEST_ROW else _by_growth(found, voice))
    return Section(said("Cost"), tuple(blocks), anchor="cost")


def _once(found: RunningCost, voice: Voice) -> list[Block]:
    """What is read once, and does not count."""
    sizes = {size for _, each in found.parts for size in each.free_symbols}
    patterns = [voice.name(each) for each in sorted(sizes, key=str) if str(each).startswith("n_patterns")]
    if patterns:
        return [("Here ", *listed(patterns), " is how many patterns there are of entries that are missing.")]
    if not found.condensed or found.rows is None or found.standing is None:
        return []
    data = [
        voice.name(v.symbol.label if v.sizes else v.symbol)
        for v in voice.model.data
        if v.name in found.condensed
    ]
    words, alike = (
        (
            " enter through their mean and covariance alone: they are read once, and where there are many, ",
            *said(
                "@ rows that have these stand for all @.",
                latex(found.standing, voice.free),
                latex(found.rows, voice.free),
            ),
        ),
        "The data ",
    )
    return [(alike, *listed(data), *words)]


def _table(rows: Sequence[tuple[Prose, ...]]) -> Table:
    note = (
        "Counted in the lines of the module: an operation on arrays counts one for each entry; what depends on the data "
        "alone is computed once, and is not counted."
    )
    header = (("part",), ("operations",), ("growth",))
    return Table(
        header, tuple(rows), caption=("The cost of an iteration.",), note=(note,), align="lll", totals=1
    )


def _by_growth(found: RunningCost, voice: Voice) -> Items:
    """How the parts grow, where a table of them would be too wide."""
    return Items(tuple((f"{part}: ", *said("@.", _order(each, voice))) for part, each in found.parts))


def _row(part: str, operations: Expr, voice: Voice) -> tuple[Prose, ...]:
    return (part,), said("@", _operations(operations, voice)), said("@", _order(operations, voice))


def _operations(operations: Expr, voice: Voice) -> str:
    """All terms, or where these are many those that none of the others outgrows."""
    whole = _polynomial(operations, voice)
    if width(whole) <= WIDEST:
        return whole
    terms = {term.as_coeff_Mul()[1]: term for term in Add.make_args(operations)}
    return _polynomial(Add(*(terms[term] for term in growth(operations))), voice) + r" + \dots"


def _order(operations: Expr, voice: Voice) -> str:
    return f"O({_polynomial(Add(*growth(operations)), voice)})"


def growth(cost: Expr) -> tuple[Expr, ...]:
    """The terms that none of the others outgrows, without their factors.

    >>> from sympy.abc import n, K
    >>> growth(3*n*K + 2*n + 5*K**2 + 7)
    (K**2, K*n)
    """
    sizes = sorted(cost.free_symbols, key=str)
    if not sizes:
        return (Integer(1),)
    powers = Poly(cost, *sizes).monoms()
    largest = [each for each in powers if not any(_within(each, other) for other in powers if other != each)]
    return tuple(
        sorted((Mul(*(s**p for s, p in zip(sizes, each, strict=True))) for each in largest), key=str)
    )


def _within(small: Iterable[int], large: Iterable[int]) -> bool:
    return all(a <= b for a, b in zip(small, large, strict=True))


def _polynomial(expr: Expr, voice: Voice) -> str:
    """A polynomial in sizes, the fastest growing terms first, sizes of data before those of models, vectors' last: 29 n K + n."""
    sides = {size for each in voice.model.variables.values() for size in each.shape}
    sizes = sorted(expr.free_symbols, key=lambda size: (size in sides, str(size)[0].isupper(), str(size)))
    if not sizes:
        return latex(expr, voice.free)
    terms = sorted(
        Poly(expr, *sizes).terms(), key=lambda term: (-sum(term[0]), [-power for power in term[0]])
    )
    (highest, leading), *others = terms
    rest = (
        f" {'-' if number < 0 else '+'} {_monomial(powers, abs(number), sizes, voice)}"
        for powers, number in others
    )
    return "".join([_monomial(highest, leading, sizes, voice), *rest])


def _monomial(powers: Sequence[int], number: Expr, sizes: Sequence[Symbol], voice: Voice) -> str:
    factors = [
        voice.name(size) + (f"^{{{power}}}" if power > 1 else "")
        for size, power in zip(sizes, powers, strict=True)
        if power
    ]
    shown = [] if number == 1 and factors else [latex(number, voice.free)]
    return " ".join([*shown, *factors])
