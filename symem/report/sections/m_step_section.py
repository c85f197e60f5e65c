"""The M-step told: Lagrangian, stationarity, the update, and how far each is established."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby

from sympy import Expr, Sum, Symbol, factor_terms

from symem.algebra.matrix_words import gathered_words
from symem.algebra.rewriting import is_negative, matrix_valued
from symem.algebra.squares import completed
from symem.derivation import Ascent, Conditional, Definition, NotDerived, Relation, Shares, Step, Update
from symem.language.leaves import name_of
from symem.report.document import Block, Display, Exercise, Lines, Prose, Section, listed, said
from symem.report.line_breaking import LINE, broken, width
from symem.report.notation.lexicon import Lexicon
from symem.report.notation.matrix_names import is_count
from symem.report.notation.matrix_updates import entries_gathered, over_one_number
from symem.report.notation.notation import latex, letter
from symem.report.notation.printed_form import direct, over_common_denominators, written_out
from symem.report.options import Level
from symem.report.sections import line_section
from symem.report.sections import matrix_section as matrices
from symem.report.sections.certificates import marks, open_conditions
from symem.report.sentence import sentence, told
from symem.report.writer import Voice

SHORT = 1.5 * LINE


def m_step(voice: Voice) -> Iterator[Section]:
    """The sections of the M-step: one for each block of parameters, then those without a closed form."""
    steps = voice.steps("M-step")
    yield Section(said("The M-step"), tuple(sentence([step], voice) for step in steps[:1]), anchor="m-step")
    blocks = {update.parameter: update.block for update in voice.derivation.updates}
    for number, block in groupby(steps[1:], key=lambda step: blocks[step.about[0]]):
        names = [voice.name(parameter) for parameter, own in blocks.items() if own == number]
        yield Section(("The update of ", *listed(names)), tuple(_tasks(tuple(block), voice)), level=2)
    for open_block in voice.derivation.not_derived:
        yield _not_derived(open_block, voice)


def _tasks(block: Sequence[Step], voice: Voice) -> Iterator[Block]:
    """What is to be found of the parameters that are solved side by side."""
    together = {name: simplex for simplex in voice.model.simplexes for name in simplex}

    def companions(step: Step) -> tuple[str, ...]:
        name = name_of(step.about[0])
        return () if step.law.relation is Relation.CLIMBS else together.get(name, (name,))

    for names, group in groupby(block, key=companions):
        steps = tuple(group)
        told = tuple(_told(steps, voice))
        if names:
            yield Exercise(_task(steps, voice), told)
        else:
            yield from told


def _task(steps: Sequence[Step], voice: Voice) -> Prose:
    """Differentiate, and so on."""
    atoms = list(dict.fromkeys(each for step in steps for each in step.about))
    names = listed([voice.name(each) for each in atoms])
    solved = [update for update in voice.derivation.updates if update.parameter in atoms]
    lead = said("Differentiate @ with respect to ", voice.surrogate)
    if any(isinstance(update, Shares) for update in solved):
        lead = said("Add a multiple of the constraint to @, differentiate with respect to ", voice.surrogate)
    held = ", the others being held" if any(isinstance(update, Conditional) for update in solved) else ""
    return (*lead, *names, f"{held}, set it to zero and solve. Show that this is a maximum.")


def _told(block: Sequence[Step], voice: Voice) -> Iterator[Block]:
    """The steps of a block, those by one law together."""
    for _, group in groupby(block, key=lambda step: step.law.name):
        steps = tuple(group)
        relation = steps[0].law.relation
        if steps[0].law.detail and voice.options.level is not Level.TEACHING:
            continue
        if relation is Relation.MAXIMISER:
            yield from marks([step.about[0] for step in steps], voice)
        elif relation is Relation.CLIMBS:
            yield from (sentence([step], voice) for step in steps)
        else:
            show = line_section.SHOWN.get(steps[0].law.name, _SHOWN.get(relation, _zero))
            lines = [lines for step in steps for lines in show(step, voice)]
            if lines:
                yield from told(steps, lines, voice)


def _lagrangian(step: Step, voice: Voice) -> Iterator[Lines]:
    penalty = latex(step.after - step.before, voice.free)
    yield (rf"\mathcal{{L}} &= {voice.surrogate} + {penalty}",)


def _some_terms(step: Step, voice: Voice) -> Iterator[Lines]:
    yield voice.equation("", over_common_denominators(step.after), voice.free)


def _zero(step: Step, voice: Voice) -> Iterator[Lines]:
    if step.law.relation is not Relation.VANISHES:
        yield _vanishing(step.after, voice.free.within(step.axes), voice)
    elif voice.options.level is Level.TEACHING:
        yield line_section.vanishing_slope(step, voice)
    else:
        yield _vanishing(step.before, voice.free.within(step.axes), voice)


def _solution(step: Step, voice: Voice) -> Iterator[Lines]:
    """λ and the update; where earlier parameters are put in, the update in the statistics alone."""
    update = next(each for each in voice.derivation.updates if each.parameter == step.about[0])
    yield from (tuple(broken(voice.name(d.symbol), factor_terms(d.value), voice.new)) for d in step.defines)
    if step.before == update.parameter:
        yield solved(update, voice)
    elif not step.after.has(Sum) and direct(update) != update.value:
        scope = voice.new.within(step.axes)
        yield tuple(broken(letter(update.parameter, scope), over_common_denominators(step.after), scope))


def _factor(step: Step, voice: Voice) -> Iterator[Lines]:
    """The arguments of a factor of a mean field, after what they are read off."""
    updates = {update.parameter: update for update in voice.derivation.updates}
    for each in step.defines:
        if each.symbol in updates:
            yield solved(updates[each.symbol], voice)
        else:
            yield defined_beside(each, updates[step.about[0]], voice)


def defined_beside(definition: Definition, update: Update, voice: Voice) -> Lines:
    """What an update reads, defined before it."""
    scope = matrices.scope_of(update, voice).within(definition.axes)
    return tuple(broken(letter(definition.symbol, scope), definition.value, scope))


#: What is displayed of a step, by the relation that its law states.
_SHOWN: Mapping[Relation, Callable[[Step, Voice], Iterator[Lines]]] = {
    Relation.UP_TO_A_CONSTANT: _some_terms,
    Relation.ON_THE_SIMPLEX: _lagrangian,
    Relation.VANISHES: _zero,
    Relation.EQUAL: _zero,
    Relation.AT_THE_UPDATE: _solution,
    Relation.POSTERIOR: _factor,
}


def brief_m_step(voice: Voice) -> Iterator[Block]:
    """The updates, and what has none."""
    if voice.derivation.updates:
        found = [at_length(update, voice) for update in voice.derivation.updates]
        yield Display(tuple(lines for _, lines in found))
        asked = (each for one in voice.derivation.certificates for each in open_conditions(one))
        named = _named([*(formula for formula, _ in found), *asked], voice)
        if named:
            yield said("with")
            yield voice.definitions(named, voice.now)
    for block in voice.derivation.not_derived:
        names = [voice.name(parameter) for parameter in block.parameters]
        yield (f"There is no {'update' if block.refuted else 'closed form'} for ", *listed(names), ".")


def _vanishing(equation: Expr, scope: Lexicon, voice: Voice) -> Lines:
    """equation = 0, without a minus in front."""
    left = over_common_denominators(equation)
    return voice.equation("", -left if is_negative(left) else left, scope, tail=" = 0")


def solved(update: Update, voice: Voice) -> Lines:
    """The update in the statistics, and once more with the statistics written out."""
    short, (_, (first, *more)) = in_statistics(update, voice), _explicit(update, voice, "")
    return (*short, first.replace("& ", "&= ", 1), *more) if first else short


def at_length(update: Update, voice: Voice) -> tuple[Expr, Lines]:
    """The update with its statistics written out, where that fits a line; else in the statistics."""
    formula, lines = _explicit(update, voice, letter(update.parameter, matrices.scope_of(update, voice)))
    return (
        (formula, lines) if len(lines) == 1 and lines[0] else (direct(update), in_statistics(update, voice))
    )


def _explicit(update: Update, voice: Voice, left: str) -> tuple[Expr, Lines]:
    """A formula with its statistics written out; an empty line where it says no more, or is too long."""
    formula = _counted(written_out(update, voice.derivation), voice)
    lines = tuple(broken(left, formula, matrices.scope_of(update, voice)))
    widths = [width(line) for line in lines]
    says_no_more = formula in (direct(update), over_common_denominators(direct(update)))
    return formula, ("",) if says_no_more or sum(widths) > SHORT or max(widths) > LINE else lines


def _named(formulas: Sequence[Expr], voice: Voice) -> list[Definition]:
    """The statistics that these formulas are made of, each after those that it is made of."""
    used, found = set().union(*(each.free_symbols for each in formulas)), []
    for statistic in reversed(voice.derivation.surrogate.statistics):
        if used & {
            statistic.symbol,
            getattr(statistic.symbol, "base", None),
            Symbol(name_of(statistic.symbol)),
        }:
            used |= statistic.value.free_symbols
            found.append(statistic)
    return found[::-1]


def _counted(expr: Expr, voice: Voice) -> Expr:
    """A sum of posterior probabilities by its name, as in Σ γ x / N."""
    statistics = voice.derivation.surrogate.statistics
    return expr.xreplace({each.value: each.symbol for each in statistics if is_count(each, voice.derivation)})


def gathered(update: Update) -> Expr:
    """The formula of an update, its words gathered over one number."""
    nested = matrix_valued(entries_gathered(over_one_number(direct(update))), update.parameter)
    return gathered_words(completed(over_common_denominators(nested)))


def in_statistics(update: Update, voice: Voice) -> Lines:
    """The update in the statistics alone."""
    scope = matrices.scope_of(update, voice)
    left = letter(update.parameter, scope)
    if isinstance(update, Ascent):
        return tuple(broken(left, update.nested, scope))
    told = tuple(broken(left, gathered(update), scope))
    if max(map(width, told)) <= LINE:
        return told
    return tuple(broken(left, over_common_denominators(direct(update)), scope))


def _not_derived(block: NotDerived, voice: Voice) -> Section:
    title = ("Not derived: ", *listed([voice.name(parameter) for parameter in block.parameters]))
    solved = [voice.name(parameter) for parameter in block.put_in]
    told: tuple[Block, ...] = (
        ("With ", *listed(solved), " put in, the derivative vanishes where")
        if solved
        else said("The derivative vanishes where"),
        Display((_vanishing(block.equation, voice.free, voice),)),
        said("Its root" if block.refuted else "and no closed form was found. In the way stands"),
        Display((voice.equation("", block.term, voice.free),)),
        *([said(f"{block.refuted}: it is refuted.")] if block.refuted else []),
        *([said(f"But {block.numerically}.")] if block.numerically else []),
    )
    return Section(title, told, level=2)
