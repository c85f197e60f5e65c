"""The E-step told: what is gathered, what it is recognised as and why, its expectations, what it leaves behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from sympy import Add, Expr, Mul, Sum, exp

from symem.algebra.matrix_words import gathered_words
from symem.algebra.rewriting import form, inlined
from symem.derivation import (
    Causes,
    Definition,
    GaussianVector,
    MemberCounts,
    Posterior,
    Probabilities,
    Step,
    Table,
    Tabulated,
)
from symem.language.leaves import name_of, places_of
from symem.language.matrices import transpose
from symem.report.document import Block, Display, Exercise, Lines, Prose, Section, listed, said
from symem.report.line_breaking import LINE, width
from symem.report.notation.letters import anchored
from symem.report.notation.matrix_updates import mean_of
from symem.report.notation.notation import latex, letter
from symem.report.notation.printed_form import (
    by_outcome,
    exponentiated,
    over_common_denominators,
    printed,
    pulled_out,
)
from symem.report.options import Level
from symem.report.sections.line_section import equalities
from symem.report.sections.read_by_m_step import approximated, needed, needed_at_nodes
from symem.report.sentence import told
from symem.report.writer import Voice


def e_step(voice: Voice) -> Iterator[Section]:
    """The sections of the E-step: one for each latent, or for the counts that share a total."""
    told_first = said("For each latent, its posterior given the data and the current iterate @.", voice.old)
    yield Section(
        said("The E-step"),
        (told_first, *approximated(voice)),
        anchor="e-step",
    )
    for posteriors in grouped(voice):
        title = listed([voice.name(each.atom) for each in posteriors])
        latent = "The latent " if len(posteriors) == 1 else "The latents "
        anchor = f"latent-{anchored(posteriors[0].latent.name)}"
        blocks = (Exercise(_task(title, voice), tuple(_told(posteriors, voice))),)
        yield Section((latent, *title), blocks, level=2, anchor=anchor)


def _task(names: Prose, voice: Voice) -> Prose:
    """What is asked of latents."""
    first, last = "Collect the terms that hold ", " and find the posterior given the data, at the current @. "
    more = "Sum or integrate out, and give the means that the M-step needs."
    return (first, *names, *said(last + more, voice.old))


def _told(posteriors: Sequence[Posterior], voice: Voice) -> Iterator[Block]:
    """The steps that are about these latents, those by one law together."""
    own = {each.atom: each for each in posteriors}
    steps = [step for step in voice.steps("E-step") if own.keys() >= set(step.about)]
    for law, group in groupby(steps, key=lambda step: step.law.name):
        same = tuple(group)
        if law == "moments" and all(map(is_part, posteriors)):
            continue
        if law == "Bayes' rule" and voice.options.level is not Level.TEACHING and _has_outcomes(posteriors):
            yield from told(same, [], voice)  # the next line has the same at an outcome
            continue
        show = _SHOWN.get(law, _defined)
        lines = [line for step in same for line in show(step, own[step.about[0]], voice)]
        if lines or law not in WITH_LINES:
            yield from told(same, lines, voice)


def _has_outcomes(posteriors: Sequence[Posterior]) -> bool:
    return all(isinstance(each, Table) and not isinstance(each, Causes) for each in posteriors)


def _defined(step: Step, _posterior: Posterior, voice: Voice) -> Iterator[Lines]:
    yield from voice.definitions(step.defines, voice.now).equations


def _log_density(step: Step, posterior: Posterior, voice: Voice) -> Iterator[Lines]:
    atoms = ", ".join(map(voice.name, step.about))
    value = _quadratic(posterior) if isinstance(posterior, GaussianVector) else step.after
    yield voice.equation(rf"\log p({atoms} \mid \cdot)", value, voice.now.within(step.axes))


def _quadratic(posterior: GaussianVector) -> Expr:
    """hᵀz - ½ zᵀΛz."""
    z, (field, precision) = posterior.atom, map(gathered_words, posterior.natural)
    linear = form(Mul(transpose(z), field)) if field != 0 else field
    return linear - form(Mul(transpose(z), precision, z)) / 2


def _weights(step: Step, posterior: Posterior, voice: Voice) -> Iterator[Lines]:
    assert isinstance(posterior, Tabulated)
    weights = by_outcome(step.defines[0], posterior.outcome)
    yield from voice.definitions(weights, voice.now).equations


def _shares(step: Step, posterior: Posterior, voice: Voice) -> Iterator[Lines]:
    """The probabilities written out; where that is too long, by the log-normaliser."""
    written = tuple(_bayes(posterior, voice)) if isinstance(posterior, Tabulated) else ()
    yield from written or _defined(step, posterior, voice)


def _expected(step: Step, posterior: Posterior, voice: Voice) -> Iterator[Lines]:
    """Counts by their expectations, in which the shares are written out; cells of an array by their shares."""
    if is_part(posterior):
        yield from voice.definitions(expected(posterior), voice.now).equations
    else:
        yield from _shares(step, posterior, voice)


def is_part(posterior: Posterior) -> bool:
    """Whether a count has a share of a total, and nothing but its expectation is asked for."""
    return isinstance(posterior, MemberCounts) and bool(posterior.moments)


def expected(posterior: Posterior) -> list[Definition]:
    """Its expectation, the share of the total written out."""
    assert isinstance(posterior, MemberCounts)
    return [replace(each, value=inlined(each.value, [posterior.probability])) for each in posterior.moments]


def _together(step: Step, _posterior: Posterior, voice: Voice) -> Iterator[Lines]:
    """What depends on a product, as it stands and by the two values of the product."""
    scope = voice.now.within(step.axes)
    yield voice.equation(latex(step.before, scope), step.after, scope)


def _natural(step: Step, _posterior: Posterior, voice: Voice) -> Iterator[Lines]:
    scope = voice.now.within(step.axes)
    yield from (
        voice.equation(latex(each.symbol, scope), _tidied(each.value), scope) for each in step.defines
    )


def _arguments(_step: Step, posterior: Posterior, voice: Voice) -> Iterator[Lines]:
    yield from voice.definitions(arguments(posterior), voice.now).equations


def _moments(step: Step, posterior: Posterior, voice: Voice) -> Iterator[Lines]:
    used = needed(voice.derivation)
    for moment in step.defines:
        if name_of(moment.symbol) in used:
            yield voice.definition(moment, voice.now)
    if isinstance(posterior, GaussianVector):
        yield from second_moments(posterior, voice)


def _equal_sides(step: Step, _posterior: Posterior, voice: Voice) -> Iterator[Lines]:
    yield from equalities([step], voice.now.within(step.axes))


def _coefficients(step: Step, _posterior: Posterior, voice: Voice) -> Iterator[Lines]:
    scope = voice.now.within(step.axes)
    yield voice.equation(latex(step.before, scope), _tidied(step.after), scope)


def _weighed(step: Step, posterior: Posterior, voice: Voice) -> Iterator[Lines]:
    """exp η of one value, or the sum over all, as densities; none where that fits no line."""
    assert isinstance(posterior, Tabulated)
    outcome, weights = posterior.outcome, by_outcome(posterior.log_weight, posterior.outcome)
    own = [each for each in weights if step.before == exp(each.symbol)]
    if own:
        shown = _density(own[0].value)
    elif len(weights) > 1:
        shown = Add(*(_density(each.value) for each in weights))
    else:
        shown = Sum(_density(weights[0].value), outcome.limits)
    scope = voice.now.within(step.axes)
    line = f"{latex(step.before, scope)} &= {latex(shown, scope)}"
    if width(line) <= LINE:
        yield (line,)


def _written_out(step: Step, posterior: Posterior, voice: Voice) -> Iterator[Lines]:
    """The ratio, where something cancels."""
    assert isinstance(posterior, Tabulated)
    if any(
        not term.has(posterior.outcome.index) for term in Add.make_args(printed(posterior.log_weight.value))
    ):
        yield from _ratio(step, voice)


def _ratio(step: Step, voice: Voice) -> Iterator[Lines]:
    """A numerator over the evidence, in one line."""
    lines = tuple(equalities([step], voice.now.within(step.axes)))
    yield from lines if max(width(line) for each in lines for line in each) <= LINE else ()


#: What is displayed of a step where that is more than the names that it defines.
_SHOWN: Mapping[str, Callable[[Step, Posterior, Voice], Iterator[Lines]]] = {
    "Bayes' rule": _log_density,
    "outcomes": _weights,
    "weights": _weights,
    "acting together": _together,
    "softmax": _shares,
    "known total": _expected,
    "natural form": _natural,
    "recognition": _arguments,
    "moments": _moments,
    "numerator and evidence": _weighed,
    "ratio": _written_out,
    "coefficients": _coefficients,
    "completed square": _equal_sides,
}


#: Laws of which nothing is said where nothing is displayed.
WITH_LINES = frozenset({"ratio", "numerator and evidence"})


def grouped(voice: Voice) -> Iterator[tuple[Posterior, ...]]:
    """The posteriors, those together that share a normaliser."""
    for _, group in groupby(voice.derivation.posteriors, key=lambda each: each.log_normaliser.symbol):
        yield tuple(group)


def brief_e_step(voice: Voice) -> Iterator[Block]:
    """What the E-step computes, and no more."""
    for posteriors in grouped(voice):
        first = posteriors[0]
        if first.line_by_line:
            yield voice.definitions(needed_at_nodes(posteriors, voice), voice.now)
        elif isinstance(first, Table) and not isinstance(first, Causes):
            yield Display(tuple(probabilities(first, voice)))
        else:
            squares = [lines for each in posteriors for lines in second_moments(each, voice)]
            yield Display((*voice.definitions(computed(posteriors, voice), voice.now).equations, *squares))


def arguments(posterior: Posterior) -> list[Definition]:
    """The arguments of a posterior, one as a multiple of another where that is shorter: a mean by its variance."""
    tidy = [_tidy(each) for each in posterior.parameters]
    for place, each in enumerate(posterior.parameters):
        for other in posterior.parameters[place + 1 :]:
            rest = each.value / other.value
            if (
                each.axes == other.axes
                and 1 < rest.count_ops() < each.value.count_ops() - other.value.count_ops() / 2
            ):
                tidy[place] = replace(each, value=other.symbol * _tidied(rest))
                return [*tidy[place + 1 :], *tidy[: place + 1]]
    return tidy


def computed(posteriors: Sequence[Posterior], voice: Voice) -> list[Definition]:
    """What of these posteriors the M-step uses, and what that is made of."""
    used = needed(voice.derivation)
    found = [each for p in posteriors if not is_part(p) for each in (*arguments(p), *_probability(p))]
    found += [each for p in posteriors for each in (expected(p) if is_part(p) else p.moments)]
    return [each for each in found if name_of(each.symbol) in used]


def probabilities(posterior: Table, voice: Voice) -> Iterator[Lines]:
    """The probabilities in one formula, or where that is too long by the weights and the log-normaliser."""
    written = tuple(_bayes(posterior, voice))
    named = (posterior.log_weight, posterior.log_normaliser, posterior.probability)
    yield from written or (voice.definition(_tidy(each), voice.now) for each in named)


def _probability(posterior: Posterior) -> tuple[Definition, ...]:
    return (posterior.probability,) if isinstance(posterior, Probabilities) else ()


def _bayes(posterior: Tabulated, voice: Voice) -> Iterator[Lines]:
    """The probabilities with the weights written out, less what cancels, if that fits a line."""
    weight, probability, outcome = posterior.log_weight, posterior.probability, posterior.outcome
    logs = Add(*(term for term in Add.make_args(printed(weight.value)) if term.has(outcome.index)))
    weights = by_outcome(replace(weight, value=logs), outcome)
    shared = (
        set.intersection(*(set(Add.make_args(each.value)) for each in weights)) if len(weights) > 1 else ()
    )
    weights = tuple(replace(each, value=each.value - Add(*shared)) for each in weights)
    other, lexicon = voice.now.within(weight.axes).fresh(outcome)
    symbol = probability.symbol
    if len(weights) > 1:
        symbol = symbol.subs(outcome.index, int(outcome.size) - 1)
        below = " + ".join(latex(_density(each.value), lexicon) for each in weights)
    else:
        cells = _density(logs.xreplace({outcome.index: other.index}))
        below = latex(Sum(cells, other.limits), lexicon)
    above = latex(_density(weights[-1].value), lexicon)
    left, right = letter(symbol, voice.now), rf"\frac{{\displaystyle {above}}}{{\displaystyle {below}}}"
    if width(left + right) <= LINE:
        yield (f"{left} &= {right}",)
        if len(weights) == 2:
            yield (f"{letter(probability.symbol.subs(outcome.index, 0), voice.now)} &= 1 - {left}",)


def _density(logs: Expr) -> Expr:
    return exponentiated(printed(logs))


def _tidied(value: Expr) -> Expr:
    return over_common_denominators(pulled_out(value))


def _tidy(definition: Definition) -> Definition:
    return replace(definition, value=_tidied(definition.value))


def second_moments(posterior: Posterior, voice: Voice) -> Iterator[Lines]:
    """⟨zzᵀ⟩ = V + ⟨z⟩⟨z⟩ᵀ, if the M-step needs it."""
    if not isinstance(posterior, GaussianVector) or not _needs_square(posterior, voice):
        return
    mean, covariance = posterior.mean, posterior.covariance
    given = [s for s in places_of(mean) if s not in places_of(posterior.atom)]
    square = mean_of(posterior.atom * transpose(posterior.atom), given, voice.meanings)
    scope = voice.now.within(posterior.axes)
    value = covariance + mean * transpose(mean)
    yield voice.equation(latex(square, scope), value, scope)


def _needs_square(posterior: GaussianVector, voice: Voice) -> bool:
    covariance = posterior.covariance
    held = covariance.atoms(type(posterior.atom)) or {covariance}
    return any(
        each.value.has(*(h.base for h in held if hasattr(h, "base")))
        for each in voice.derivation.surrogate.statistics
    )
