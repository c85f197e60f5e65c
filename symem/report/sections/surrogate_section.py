"""Between the steps: the likelihood that the E-step leaves behind, and Q with its sufficient statistics."""

from __future__ import annotations

from collections.abc import Iterator

from sympy import Add, Expr, Indexed, Mul, Sum, expand_mul

from symem.algebra.rewriting import ScalarMean, bottom_up
from symem.algebra.squares import merged_sums, squares
from symem.derivation import Step
from symem.language.leaves import name_of
from symem.language.plates import Iverson
from symem.report.document import Block, Display, Exercise, Lines, Section, said
from symem.report.notation.matrix_updates import named_moments
from symem.report.notation.notation import latex
from symem.report.notation.printed_form import over_common_denominators, pulled_out
from symem.report.options import Level
from symem.report.sections.line_section import told_in_lines
from symem.report.sentence import formula, sentence, told
from symem.report.writer import Voice


def observed(voice: Voice) -> Section:
    """The log-likelihood of the observed data."""
    (step,) = voice.steps("likelihood")
    shown = Display((voice.equation(f"{voice.ell}({voice.old})", step.after, voice.now),))
    what = "free energy" if voice.derivation.mean_field else "log-likelihood of the observed data"
    blocks = (Exercise(said(f"Write down the {what}."), (sentence([step], voice), shown)),)
    title = "The free energy" if voice.derivation.mean_field else "The likelihood of the observed data"
    return Section(said(title), blocks, anchor="likelihood")


def surrogate(voice: Voice) -> Section:
    """Q and the expected sufficient statistics."""
    task = said(
        "Take the posterior mean of the complete-data log-likelihood, gather its terms, and write @ in expected sufficient "
        "statistics.",
        voice.surrogate,
    )
    return Section(said("The surrogate"), (Exercise(task, tuple(_surrogate(voice))),), anchor="surrogate")


def _surrogate(voice: Voice) -> Iterator[Block]:
    steps = {step.law.name: step for step in voice.steps("surrogate")}
    mean, gathered = steps["expectation"], steps.get("sufficient statistics")
    if "indicators" in steps:
        yield from told([steps["indicators"]], [_in_indicators(steps["indicators"].after, voice)], voice)
        means = [step for step in voice.steps("surrogate") if step.law.name == "mean of an indicator"]
        yield from told(means, [_mean(step, voice) for step in means], voice)
    full = (
        [_q(_in_full(mean.after, voice), voice)]
        if voice.options.level is Level.TEACHING or not gathered
        else []
    )
    yield from told([mean], full, voice)
    for step in [gathered] if gathered else []:
        lines = voice.definitions(step.defines, voice.now).equations
        yield from told([step], [*lines, _q(over_common_denominators(step.after), voice)], voice)
    if voice.options.level is Level.TEACHING:
        yield from _about_zero(voice)
        yield from _multiplied_out(voice)


def _mean(step: Step, voice: Voice) -> Lines:
    """⟨[z = k]⟩ = γ_k."""
    scope = voice.now.within(step.axes)
    return voice.equation(latex(ScalarMean(step.before), scope), step.after, scope)


def _q(value: Expr, voice: Voice) -> Lines:
    return voice.equation(voice.surrogate, value, voice.free)


def _about_zero(voice: Voice) -> Iterator[Block]:
    """What centred sums are about zero."""
    steps = [step for step in voice.steps("statistics") if step.law.name != "square multiplied out"]
    if steps:
        yield sentence(steps, voice)
        yield Display(tuple(_about_mean(step, voice) for step in steps))


def _about_mean(step: Step, voice: Voice) -> Lines:
    """Σ γ x² = V + N m²."""
    (symbol,) = step.about
    axes = next(each.axes for each in voice.derivation.surrogate.centred if each.symbol == symbol)
    scope = voice.now.within(axes)
    before = named_moments(pulled_out(step.before), voice.meanings)
    return voice.equation(latex(before, scope), step.after, scope)


def _multiplied_out(voice: Voice) -> Iterator[Block]:
    """Σ γ (x - m)² = Σ γ x² - 2 m Σ γ x + m² Σ γ = Σ γ x² - N m²."""
    steps = [step for step in voice.steps("statistics") if step.law.name == "square multiplied out"]
    yield from told_in_lines(steps, voice, voice.now)


def ascent(voice: Voice) -> Section:
    """Why an iteration does not lower the likelihood."""
    blocks: list[Block] = []
    for step in voice.steps("ascent"):
        blocks += [sentence([step], voice), formula(step, voice)]
    if voice.derivation.approximated:
        blocks.append(
            ("With the quadrature in the place of the posterior, all of this holds up to its error.",)
        )
    if voice.derivation.mean_field:
        blocks.append(
            said(
                "All of this holds of the free energy @, whatever the log-likelihood above it does.",
                voice.ell,
            )
        )
    task = said("Show that an iteration does not lower @.", voice.objective(voice.theta))
    return Section(said("The ascent"), (Exercise(task, tuple(blocks)),), anchor="ascent")


def _in_full(mean: Expr, voice: Voice) -> Expr:
    """Q before its sums have names."""
    return named_moments(weighted(merged_sums(expand_mul(inside(mean)))), voice.meanings)


def _in_indicators(whole: Expr, voice: Voice) -> Lines:
    """log p, the terms of one indicator together."""
    return voice.equation(rf"\log {voice.density}", weighted(merged_sums(inside(whole))), voice.free)


def inside(expr: Expr) -> Expr:
    """Factors of a sum as factors of its terms, sums of sums as double sums."""
    return bottom_up(expr, _inside)


def _inside(expr: Expr) -> Expr:
    if isinstance(expr, Sum):
        parts = Add.make_args(expand_mul(expr.function))
        return Add(*(_double(part, expr.limits) for part in parts))
    factors = Mul.make_args(expr)
    sums = [factor for factor in factors if isinstance(factor, Sum)]
    if not expr.is_Mul or len(sums) != 1:
        return expr
    place = factors.index(sums[0])
    before, behind = Mul(*factors[:place]), Mul(*factors[place + 1 :])
    bound = {limit[0] for limit in sums[0].limits}
    if (before.free_symbols | behind.free_symbols) & bound:
        return expr
    return Sum(before * sums[0].function * behind, *sums[0].limits)


def _double(part: Expr, limits: tuple[Expr, ...]) -> Expr:
    number, inner = part.as_coeff_Mul()
    if isinstance(inner, Sum):
        return Sum(number * inner.function, *inner.limits, *limits)
    return Sum(part, *limits)


def weighted(expr: Expr) -> Expr:
    """Sums whose terms share factors, with these before the rest: γ (log w - log σ), squares completed."""
    return bottom_up(
        expr, lambda node: Sum(_weighted(node.function), *node.limits) if isinstance(node, Sum) else node
    )


def _weighted(body: Expr) -> Expr:
    groups: dict[Expr, list[Expr]] = {}
    for term in Add.make_args(body):
        weight = Mul(*filter(_weighs, Mul.make_args(term)))
        groups.setdefault(weight, []).append(term / weight)
    return Add(*(_times(weight, squares(Add(*rest))) for weight, rest in groups.items()))


def _weighs(factor: Expr) -> bool:
    """Whether a factor is a posterior probability, or the indicator that has it for its mean."""
    if isinstance(factor, Iverson):
        return True
    return isinstance(factor, Indexed) and name_of(factor).startswith("gamma_")


def _times(weight: Expr, rest: Expr) -> Expr:
    """Their product, not multiplied out."""
    return Mul(weight, rest, evaluate=False) if rest.is_Add else weight * rest
