"""The algorithm in a box: every formula that an iteration evaluates, in the order in which it does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sympy import Add, Expr, Poly, Symbol

from symem.derivation import Causes, Tabulated
from symem.derivation import Table as Outcomes
from symem.report.document import (
    Algorithm,
    Block,
    Instruction,
    Items,
    Lines,
    Maths,
    Prose,
    Section,
    Table,
    said,
)
from symem.report.line_breaking import LINE, width
from symem.report.notation.notation import latex
from symem.report.sections.costs import Cost, costs
from symem.report.sections.e_step_section import computed, grouped, probabilities, second_moments
from symem.report.sections.m_step_section import in_statistics
from symem.report.writer import Voice

WIDEST = LINE / 2
WIDEST_ROW = 0.8 * LINE


def algorithm(voice: Voice) -> Section:
    """The section with the box."""
    return Section(said("The algorithm"), (box(voice),), anchor="algorithm")


def box(voice: Voice) -> Algorithm:
    """The iteration, formula by formula."""
    kind = "MAP-EM" if voice.model.log_prior != 0 else "EM"
    return Algorithm((f"{kind} for this model",), tuple(_lines(voice)))


def _lines(voice: Voice) -> Iterator[Instruction]:
    derivation, counter = voice.derivation, voice.pack.counter
    start = said("Choose @.", voice.at(voice.pack.start))
    yield Instruction((*start[:-1], *said("; set @.", f"{counter} = 0")) if counter else start)
    yield Instruction(("Repeat:",))
    yield Instruction(("E-step. Compute",), 1, tuple(_expectations(voice)))
    statistics = derivation.surrogate.statistics
    if statistics:
        told = "Compute, in this order," if derivation.surrogate.moments else "Add up"
        yield Instruction((told,), 1, voice.definitions(statistics, voice.now).equations)
    if derivation.updates:
        told = "M-step. Set" if len(derivation.updates) == 1 else "M-step. Set, in this order,"
        yield Instruction((told,), 1, tuple(in_statistics(update, voice) for update in derivation.updates))
    for block in derivation.not_derived:
        names = ", ".join(voice.name(each) for each in block.parameters)
        yield Instruction(said("Raise @ in @ by a numerical method: there is no closed form.", "Q", names), 1)
    yield Instruction(_advance(voice), 1)
    yield Instruction(said("until @ no longer rises.", voice.objective(voice.old)))


def _expectations(voice: Voice) -> Iterator[Lines]:
    for posteriors in grouped(voice):
        tables = [each for each in posteriors if isinstance(each, Outcomes) and not isinstance(each, Causes)]
        for table in tables[:1]:
            yield from probabilities(table, voice)
        told = {each.probability for each in tables}
        cells = [each for each in posteriors[:1] if isinstance(each, Tabulated) and not tables]
        weights = [part for each in cells for part in (each.log_weight, each.log_normaliser)]
        for definition in (*weights, *computed(posteriors, voice)):
            if definition not in told:
                yield voice.definition(definition, voice.now)
        for each in posteriors:
            yield from second_moments(each, voice)


def _advance(voice: Voice) -> Prose:
    if voice.pack.counter:
        return said("Add 1 to @.", voice.pack.counter)
    return said("Let @ be @.", voice.old, voice.next)


# cost --------------------------------------------------------------------------------------------------


def cost(voice: Voice) -> Section:
    """Operations per iteration."""
    found = costs(voice.derivation)
    rows = tuple(_row(each, voice) for each in found)
    note = (
        "Counted in the formulas as they stand: each sum, product, power and function of one entry is one operation; "
        "sums, inverses and determinants that stand still are computed once."
    )
    header = (("part",), ("operations",), ("growth",))
    table = Table(header, rows, caption=("The cost of an iteration.",), note=(note,), align="lll", totals=1)
    whole = found[-1]
    wide = max(
        sum(width(part.latex) for cell in row[1:] for part in cell if isinstance(part, Maths)) for row in rows
    )
    blocks: tuple[Block, ...] = (
        said("An iteration takes @ operations.", _order(whole, voice)),
        table if wide <= WIDEST_ROW else _by_growth(found, voice),
    )
    return Section(said("Cost"), blocks, anchor="cost")


def _by_growth(found: Sequence[Cost], voice: Voice) -> Items:
    """How the parts grow, where a table of them would be too wide."""
    return Items(tuple((f"{each.part}: ", *said("@.", _order(each, voice))) for each in found[:-1]))


def _row(each: Cost, voice: Voice) -> tuple[Prose, ...]:
    return (each.part,), said("@", _operations(each, voice)), said("@", _order(each, voice))


def _operations(each: Cost, voice: Voice) -> str:
    """All terms, or where these are many those that none of the others outgrows."""
    whole = _polynomial(each.operations, voice)
    if width(whole) <= WIDEST:
        return whole
    terms = {term.as_coeff_Mul()[1]: term for term in Add.make_args(each.operations)}
    return _polynomial(Add(*(terms[term] for term in each.order)), voice) + r" + \dots"


def _order(each: Cost, voice: Voice) -> str:
    return f"O({_polynomial(Add(*each.order), voice)})"


def _polynomial(expr: Expr, voice: Voice) -> str:
    """A polynomial in sizes, the fastest growing terms first, sizes of data before those of models, vectors' last: 29 n K + n."""
    sides = {size for each in voice.model.variables.values() for size in each.shape}
    sizes = sorted(expr.free_symbols, key=lambda size: (size in sides, str(size)[0].isupper(), str(size)))
    if not sizes:
        return latex(expr, voice.free)
    terms = sorted(
        Poly(expr, *sizes).terms(), key=lambda term: (-sum(term[0]), [-power for power in term[0]])
    )
    return " + ".join(_monomial(powers, number, sizes, voice) for powers, number in terms)


def _monomial(powers: Sequence[int], number: Expr, sizes: Sequence[Symbol], voice: Voice) -> str:
    factors = [
        voice.name(size) + (f"^{{{power}}}" if power > 1 else "")
        for size, power in zip(sizes, powers, strict=True)
        if power
    ]
    shown = [] if number == 1 and factors else [latex(number, voice.free)]
    return " ".join([*shown, *factors])
