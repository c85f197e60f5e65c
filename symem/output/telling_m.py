"""The M-step told: Lagrangian, stationarity, the update, and what is known of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from sympy import Add, Expr, Sum

from symem.derivation import Certificate, NotDerived, Update
from symem.language.supports import Simplex
from symem.output.counting import name_of, slots_of
from symem.output.layout import LINE, broken, width
from symem.output.lexicon import Lexicon
from symem.output.notation import latex, letter
from symem.output.reading import over_common_denominators, written_out
from symem.output.story import Block, Display, Items, Lines, Prose, Section, listed, said
from symem.output.textbook import is_negative
from symem.output.voice import Voice

SHORT = 1.5 * LINE


def m_step(voice: Voice) -> Iterator[Section]:
    """The sections of the M-step: one for each block of parameters, then those without a closed form."""
    told = [said("The next iterate @ maximises @.", voice.next, voice.surrogate)]
    if voice.model.log_prior != 0:
        told.append(said("It holds the log-prior, so the iterates climb the posterior density."))
    yield Section(said("The M-step"), (tuple(part for prose in told for part in (*prose, " ")),))
    for _, updates in groupby(voice.derivation.updates, key=lambda update: update.block):
        yield _block(tuple(updates), voice)
    for block in voice.derivation.not_derived:
        yield _not_derived(block, voice)


def _block(updates: Sequence[Update], voice: Voice) -> Section:
    title = ("The update of ", *listed([voice.name(update.parameter) for update in updates]))
    parts = [tuple(part) for _, part in groupby(updates, key=lambda update: _family(update.parameter, voice))]
    return Section(title, tuple(told for part in parts for told in _updated(part, voice)), level=2)


def _family(parameter: Expr, voice: Voice) -> tuple[str, ...]:
    """The parameters that share a constraint with this one."""
    name = name_of(parameter)
    return next((simplex for simplex in voice.model.simplexes if name in simplex), (name,))


def _updated(updates: Sequence[Update], voice: Voice) -> Iterator[Block]:
    """Parameters told together: one, or the scalars of a simplex."""
    first = updates[0]
    parameters = listed([voice.name(update.parameter) for update in updates])
    if first.multiplier is not None:
        yield from _lagrangian(first, voice)
    yield ("The derivative with respect to ", *parameters, " vanishes where")
    yield Display(
        tuple(
            _vanishing(update.equation, voice.free.within(update.definition.axes), voice)
            for update in updates
        )
    )
    yield (*_multiplier(first, voice), "so that")
    yield Display(tuple(solved(update, voice) for update in updates))
    for certificate in voice.derivation.certificates:
        if any(certificate.parameter == update.parameter for update in updates):
            yield _certified(certificate, voice)


def _vanishing(equation: Expr, scope: Lexicon, voice: Voice) -> Lines:
    """equation = 0, without a minus in front."""
    left = over_common_denominators(equation)
    return voice.equation("", -left if is_negative(left) else left, scope, tail=" = 0")


def _lagrangian(update: Update, voice: Voice) -> Iterator[Block]:
    assert update.multiplier is not None
    whole = _whole(update.parameter, voice)
    yield said("On the simplex @ the Lagrangian is", f"{latex(whole, voice.free)} = 1")
    penalty = latex(update.multiplier[0] * (1 - whole), voice.free)
    yield Display(((rf"\mathcal{{L}} &= {voice.surrogate} + {penalty}",),))


def _multiplier(update: Update, voice: Voice) -> Prose:
    if update.multiplier is None:
        return ()
    symbol, value = update.multiplier
    return said("By the constraint @, ", f"{voice.name(symbol)} = {latex(value, voice.new)}")


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
    scope = voice.new.within(update.definition.axes)
    left = letter(update.parameter, scope)
    short = tuple(broken(left, over_common_denominators(update.nested), scope))
    explicit = written_out(update, voice.derivation.surrogate.statistics)
    first, *more = broken("", explicit, scope)
    widths = [width(line) for line in (first, *more)]
    if explicit == update.nested or sum(widths) > SHORT or max(widths) > LINE:
        return short
    return (*short, first.replace("& ", "&= ", 1), *more)


def _certified(certificate: Certificate, voice: Voice) -> Items:
    entries: list[Prose] = []
    for claim in certificate.claims:
        argument = f" ({claim.argument})" if claim.argument else ""
        entries.append((f"{claim.name[:1].upper()}{claim.name[1:]}: {claim.status.value}{argument}.",))
    entries += [said("The update exists if @.", latex(each, voice.free)) for each in certificate.conditions]
    return Items(tuple(entries))


def _not_derived(block: NotDerived, voice: Voice) -> Section:
    title = ("Not derived: ", *listed([voice.name(parameter) for parameter in block.parameters]))
    told: tuple[Block, ...] = (
        said("The derivative vanishes where"),
        Display((_vanishing(block.equation, voice.free, voice),)),
        said("and no closed form was found. In the way stands"),
        Display((voice.equation("", block.term, voice.free),)),
    )
    return Section(title, told, level=2)
