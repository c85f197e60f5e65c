"""The M-step told: Lagrangian, stationarity, the update, and how far each is established."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from sympy import Add, Expr, Sum, factor_terms, fraction, together

from symem.algebra.counting import slots_of
from symem.algebra.matrix_squares import completed
from symem.algebra.matrix_words import gathered_words
from symem.algebra.rewriting import is_negative, matrix_valued
from symem.derivation import NotDerived, Probabilities, Shares, Update
from symem.language.leaves import name_of
from symem.language.matrices import MatrixEntry, is_matrix
from symem.language.supports import Simplex
from symem.report.document import Block, Display, Lines, Prose, Section, listed, said
from symem.report.line_breaking import LINE, broken, width
from symem.report.notation.lexicon import Lexicon
from symem.report.notation.matrix_updates import entries_gathered, over_one_number
from symem.report.notation.notation import latex, letter
from symem.report.notation.printed_form import direct, over_common_denominators, written_out
from symem.report.options import Level
from symem.report.sections import matrix_section as matrices
from symem.report.sections.certificates import marks
from symem.report.writer import Voice

SHORT = 1.5 * LINE


def m_step(voice: Voice) -> Iterator[Section]:
    """The sections of the M-step: one for each block of parameters, then those without a closed form."""
    yield Section(
        said("The M-step"),
        (said("The next iterate @ maximises @.", voice.next, voice.surrogate),),
        anchor="m-step",
    )
    for _, updates in groupby(voice.derivation.updates, key=lambda update: update.block):
        yield _block(tuple(updates), voice)
    for block in voice.derivation.not_derived:
        yield _not_derived(block, voice)


def brief_m_step(voice: Voice) -> Iterator[Block]:
    """The updates, and what has none."""
    if voice.derivation.updates:
        yield Display(tuple(solved(update, voice) for update in voice.derivation.updates))
    for block in voice.derivation.not_derived:
        names = [voice.name(parameter) for parameter in block.parameters]
        yield ("There is no closed form for ", *listed(names), ".")


def _block(updates: Sequence[Update], voice: Voice) -> Section:
    title = ("The update of ", *listed([voice.name(update.parameter) for update in updates]))
    parts = [tuple(part) for _, part in groupby(updates, key=lambda update: _family(update.parameter, voice))]
    told: list[Block] = [block for part in parts for block in _updated(part, voice)]
    conditional = matrices.conditionally(updates, voice)
    return Section(title, (conditional, *told) if conditional else tuple(told), level=2)


def _family(parameter: Expr, voice: Voice) -> tuple[str, ...]:
    """The parameters that share a constraint with this one."""
    name = name_of(parameter)
    return next((simplex for simplex in voice.model.simplexes if name in simplex), (name,))


def _updated(updates: Sequence[Update], voice: Voice) -> Iterator[Block]:
    """Parameters told together: one, or the scalars of a simplex."""
    first = updates[0]
    parameters = listed([voice.name(update.parameter) for update in updates])
    teaching = voice.options.level is Level.TEACHING
    if teaching:
        yield from _held(updates, voice)
    if isinstance(first, Shares):
        yield from _lagrangian(first, voice)
    rules = matrices.rules(first, voice)
    yield ("The derivative with respect to ", *parameters, *rules, " vanishes where")
    yield Display(
        tuple(
            _vanishing(update.equation, voice.free.within(update.definition.axes), voice)
            for update in updates
        )
    )
    if teaching:
        yield from _cleared(updates, voice)
    later = [each for each in voice.derivation.updates if each.block == first.block and each is not first]
    bridge = matrices.bridge(first, later, voice)
    if bridge:
        yield (*bridge, "so that")
    else:
        yield from _solving(first, parameters, voice)
    yield Display(tuple(solved(update, voice) for update in updates))
    if teaching:
        yield from _put_in(updates, voice)
    yield from marks([update.parameter for update in updates], voice)


def _vanishing(equation: Expr, scope: Lexicon, voice: Voice) -> Lines:
    """equation = 0, without a minus in front."""
    left = over_common_denominators(equation)
    return voice.equation("", -left if is_negative(left) else left, scope, tail=" = 0")


# when teaching ------------------------------------------------------------------------------------------


def _held(updates: Sequence[Update], voice: Voice) -> Iterator[Block]:
    """The terms of Q that hold the parameters."""
    names = {name_of(update.parameter) for update in updates}
    whole = voice.derivation.surrogate.value
    terms = [term for term in _apart(whole) if names & {name_of(atom) for atom in _entries(term)}]
    if len(terms) < len(_apart(whole)):
        yield ("The terms of ", *said("@", voice.surrogate), " that hold ", *_letters(updates, voice), " are")
        yield Display((voice.equation("", over_common_denominators(Add(*terms)), voice.free),))


def _apart(expr: Expr) -> list[Expr]:
    """The terms of a sum, those inside its sums over plates each on its own."""
    found: list[Expr] = []
    for term in Add.make_args(expr):
        inner = Add.make_args(term.function) if isinstance(term, Sum) else ()
        found += [Sum(part, *term.limits) for part in inner] if inner else [term]
    return found


def _entries(expr: Expr) -> set[Expr]:
    return {atom for atom in expr.atoms() if atom.is_Symbol}


def _letters(updates: Sequence[Update], voice: Voice) -> Prose:
    return listed([voice.name(update.parameter) for update in updates])


def _cleared(updates: Sequence[Update], voice: Voice) -> Iterator[Block]:
    """The equations without denominators, where that makes them simpler."""
    lines, factors = [], []
    for update in updates:
        if is_matrix(update.equation) or update.equation.has(MatrixEntry):
            continue
        above, below = fraction(together(update.equation))
        if below.free_symbols and not update.equation.has(Sum):
            scope = voice.free.within(update.definition.axes)
            lines.append(_vanishing(above, scope, voice))
            factors.append(latex(below, scope))
    if lines:
        distinct = list(dict.fromkeys(factors))
        yield ("Multiplied by ", *listed(distinct), (", this is" if len(lines) == 1 else ", these are"))
        yield Display(tuple(lines))


def _put_in(updates: Sequence[Update], voice: Voice) -> Iterator[Block]:
    """An update that uses parameters updated before it, with those put in."""
    nested = [update for update in updates if direct(update) != update.value and not update.value.has(Sum)]
    if nested:
        yield said("With the parameters updated before put in, in the statistics alone,")
        yield Display(tuple(_statistical(update, voice) for update in nested))


def _statistical(update: Update, voice: Voice) -> Lines:
    scope = voice.new.within(update.definition.axes)
    return tuple(broken(letter(update.parameter, scope), over_common_denominators(update.value), scope))


# solving ------------------------------------------------------------------------------------------------


def _lagrangian(update: Shares, voice: Voice) -> Iterator[Block]:
    whole = _whole(update.parameter, voice)
    yield said("On the simplex @ the Lagrangian is", f"{latex(whole, voice.free)} = 1")
    penalty = latex(update.multiplier[0] * (1 - whole), voice.free)
    yield Display(((rf"\mathcal{{L}} &= {voice.surrogate} + {penalty}",),))


def _solving(update: Update, parameters: Prose, voice: Voice) -> Iterator[Block]:
    """By which law the equation is solved."""
    if isinstance(update, Shares):
        yield from _shared(update, parameters, voice)
    elif update.law == "linear system":
        yield ("This is a linear system in the entries of ", *parameters, ", with the solution")
    elif update.law == "jointly linear":
        yield ("The equations of this block are linear; solved together, they give ", *parameters, " as")
    else:
        yield ("Solved for ", *parameters, ", this is")


def _shared(update: Shares, parameters: Prose, voice: Voice) -> Iterator[Block]:
    """Shares on a simplex: the multiplier is their sum."""
    symbol, value = update.multiplier
    name, whole = voice.name(symbol), latex(factor_terms(value), voice.new)
    many = len(_family(update.parameter, voice)) > 1
    start = ("Each of " if many else "Each ", *parameters, *said(" is its share over @,", name))
    if width(whole) <= LINE / 3:
        yield (*start, *said(" and since they sum to one, @. So", f"{name} = {whole}"))
    else:
        yield (*start, " and since they sum to one,")
        yield Display((tuple(broken(name, factor_terms(value), voice.new)),))
        yield ("So",)


def _whole(parameter: Expr, voice: Voice) -> Expr:
    """The sum that is one on the simplex of a parameter."""
    family = _family(parameter, voice)
    if not slots_of(parameter):
        return Add(*(voice.model.variables[each].symbol for each in family))
    variable = voice.model.variables[name_of(parameter)]
    last = variable.support.axes if isinstance(variable.support, Simplex) else 1
    axes = list(zip(slots_of(parameter), variable.sizes, strict=True))[-last:]
    return Sum(parameter, *((index, 0, size - 1) for index, size in axes))


def solved(update: Update, voice: Voice) -> Lines:
    """The update in the statistics, and once more with the statistics written out."""
    scope = matrices.scope_of(update, voice)
    short = in_statistics(update, voice)
    explicit = _counted(written_out(update, voice.derivation), voice)
    first, *more = broken("", explicit, scope)
    widths = [width(line) for line in (first, *more)]
    if (
        explicit in (direct(update), over_common_denominators(direct(update)))
        or sum(widths) > SHORT
        or max(widths) > LINE
    ):
        return short
    return (*short, first.replace("& ", "&= ", 1), *more)


def _counted(expr: Expr, voice: Voice) -> Expr:
    """A sum of posterior probabilities by its name, as in Σ γ x / N."""
    probabilities = {
        p.probability.symbol for p in voice.derivation.posteriors if isinstance(p, Probabilities)
    }
    names = {name_of(symbol) for symbol in probabilities}
    counts = {
        each.value: each.symbol
        for each in voice.derivation.surrogate.statistics
        if isinstance(each.value, Sum) and name_of(each.value.function) in names
    }
    return expr.xreplace(counts)


def gathered(update: Update) -> Expr:
    """The formula of an update, its words gathered over one number."""
    nested = matrix_valued(entries_gathered(over_one_number(direct(update))), update.parameter)
    return gathered_words(completed(over_common_denominators(nested)))


def in_statistics(update: Update, voice: Voice) -> Lines:
    """The update in the statistics alone."""
    scope = matrices.scope_of(update, voice)
    left = letter(update.parameter, scope)
    told = tuple(broken(left, gathered(update), scope))
    if max(map(width, told)) <= LINE:
        return told
    return tuple(broken(left, over_common_denominators(direct(update)), scope))


def _not_derived(block: NotDerived, voice: Voice) -> Section:
    title = ("Not derived: ", *listed([voice.name(parameter) for parameter in block.parameters]))
    told: tuple[Block, ...] = (
        said("The derivative vanishes where"),
        Display((_vanishing(block.equation, voice.free, voice),)),
        said("and no closed form was found. In the way stands"),
        Display((voice.equation("", block.term, voice.free),)),
    )
    return Section(title, told, level=2)
