"""A fit, that which an iteration begins or one that was given: its numbers, how the objective rises, the fitted density,
the posterior of each row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from symem.report.document import Block, Figure, Items, Prose, Section, Table, said
from symem.report.figures.chart import Bars, Chart
from symem.report.figures.chart_svg import svg
from symem.report.figures.data_charts import data_chart
from symem.report.figures.latent_charts import rows_chart
from symem.report.figures.path_charts import ascent, components, likelihood_path
from symem.report.figures.sequence_charts import along_chart, sequence_chart, states_chart
from symem.report.figures.shown import Shown
from symem.report.fitted import Fitted
from symem.report.iteration import Worked
from symem.report.notation.digits import fixed, in_formula, single
from symem.report.sections.drawn_letters import Letters
from symem.report.sections.em_step_figure import iteration
from symem.report.sections.estimates import parameters_table
from symem.report.sections.precision_section import precision, precision_columns
from symem.report.writer import COUNTED, Voice
from symem.runtime.results import Fit

#: Rows that make a picture of the data.
LEAST_ROWS = 12

#: Entries of an array of estimates that are shown.
MOST_ESTIMATES = 20


def fit(found: Worked, voice: Voice) -> Section:
    """The section."""
    return Section(said("The fit"), tuple(_fit(found, voice)), anchor="fit")


def this_fit(found: Fitted, voice: Voice) -> Section:
    """The section on a fit that was given: what was asked, how it ended, the estimate, and what it looks like."""
    return Section(said("The fit"), tuple(_told(found, voice)), anchor="fit")


def _told(found: Fitted, voice: Voice) -> Iterator[Block]:
    fit = found.fit
    data = found.source or "the data given"
    starts = (
        "the start given" if fit.settings.get("seed") is None and len(fit.restarts) == 1 else _starts(fit)
    )
    yield said(
        f"EM ran on {data} from {starts}, to a tolerance of {fit.settings['tol']:g}, with at most "
        f"{fit.settings['max_iter']} iterations. It ended after {fit.n_iter} of them: {fit.message}."
    )
    yield (
        Items(tuple((f"Warning: {each}",) for each in fit.warnings))
        if fit.warnings
        else said("It gave no warnings.")
    )
    yield Table(
        (("",), ("value",)), tuple(_facts(found, voice)), caption=("The fit in numbers.",), align="lr"
    )
    for name, words in fit.categories.items():
        named = ", ".join(f"{number} is {word}" for number, word in enumerate(words, _first(found, name)))
        yield (f"The labels of {name}: {named}.",)
    columns = ((("estimate",), found.fitted), *precision_columns(fit))
    yield (COUNTED,)
    yield parameters_table(columns, ("The estimate.",), voice, most=MOST_ESTIMATES)
    yield from precision(fit, voice)
    yield from _figures(found, voice, "at the estimate")


def _starts(fit: Fit) -> str:
    near = sum(abs(each - fit.objective) <= 1e-6 * (1 + abs(fit.objective)) for each in fit.restarts)
    seed = fit.settings.get("seed")
    seeded = "" if seed is None else f" by seed {seed}"
    count = len(fit.restarts)
    return (
        f"a random start{seeded}"
        if count == 1
        else f"{count} random starts{seeded}, of which {near} led here"
    )


def _first(found: Fitted, name: str) -> int:
    """What labels count from in print."""
    return max(1, int(getattr(found.derivation.model.variables[name].support, "first", 0)))


def _facts(found: Fitted, voice: Voice) -> Iterator[tuple[Prose, ...]]:
    """The log-likelihood and what is made of it."""
    fit = found.fit
    yield ("log-likelihood",), (fixed(fit.log_likelihood, 4),)
    if voice.model.log_prior != 0:
        yield ("log-posterior",), (fixed(fit.objective, 4),)
    yield ("rows",), (f"{fit.n_rows:.10g}",)
    yield ("free parameters",), (str(fit.n_parameters),)
    yield ("AIC",), (fixed(fit.aic, 2),)
    yield ("BIC",), (fixed(fit.bic, 2),)


def _fit(found: Worked, voice: Voice) -> Iterator[Block]:
    history = found.history
    last = in_formula(history[-1], 6)
    steps = len(history) - 1
    if steps:
        settled = "has settled" if found.fit.converged else "has not settled yet"
        words = f"This step takes @ from @ to @. After {steps} iterations it is @ and {settled}."
        yield said(words, _plain_objective(voice), *(in_formula(each, 6) for each in history[:2]), last)
    yield from _figures(found, voice, "at the start")


def _figures(found: Fitted, voice: Voice, where: str) -> Iterator[Figure]:
    names = Letters(voice)
    rises = f"The objective at each iterate{_monotone(found)}."
    yield from _figure(ascent(found.history, names), rises, _table_of(found, voice))
    if not found.given:
        return
    solver, theta = found.solver, found.fit.parameters
    shown = Shown(solver, theta, found.given, found.fit.categories, names)
    yield from _figure(_over_data(shown), _of_the_data(shown))
    at = replace(shown, theta=found.path[0]) if isinstance(found, Worked) else shown
    seen = (
        isinstance(found, Worked) and iteration(found, voice) is not None
    )  # in the picture of the iteration
    of_each = "place" if at.sequence else "row"
    beliefs = None if seen else along_chart(at) or rows_chart(at)
    yield from _figure(beliefs, f"The posterior of the label of each {of_each}, {where}.")
    if isinstance(found, Worked):
        yield from _figure(_moving(shown, found.path), "The components as they move, the later the stronger.")
        way = likelihood_path(solver, found.given, found.path, names)
        yield from _figure(way, "The iterates on lines of equal log-likelihood.")


def over_data(found: Fitted, voice: Voice) -> Chart | None:
    """The picture of the data at the estimate, if there is one."""
    fit = found.fit
    return _over_data(Shown(found.solver, fit.parameters, found.given, fit.categories, Letters(voice)))


def _over_data(shown: Shown) -> Chart | None:
    """The data along a chain; else if they are many enough and rows are alike, or hang on one number."""
    if (along := sequence_chart(shown) or states_chart(shown)) is not None:
        return along
    if shown.number is None or len(shown.of_rows[shown.number]) < LEAST_ROWS:
        return None
    chart = data_chart(shown)
    plain = chart is not None and isinstance(chart.marks[0], Bars) and not shown.alone
    return None if plain else chart


def _of_the_data(shown: Shown) -> str:
    """The caption of their picture."""
    if shown.sequence is not None:
        which = "The data" if shown.sequence.of == 1 else "The first sequence"
        return f"{which}, each place in the ink of its label on the most probable path."
    if shown.states is not None:
        which = "" if shown.states.of == 1 else " of the first sequence"
        return f"The mean of each state{which} given all data, and two standard deviations to both sides, over the data."
    if shown.number is not None and shown.of_rows[shown.number].ndim == 2:
        lines = ", and around each component the lines that hold half of it and 95 %" if shown.alone else ""
        inks = "The data, each row in the ink of its most probable label" if shown.table else "The data"
        return f"{inks}{lines}."
    return (
        "The fitted density over a histogram of the data; components dashed." if shown.alone else "The data."
    )


def _moving(shown: Shown, path: Sequence[Any]) -> Chart | None:
    """Pairs alone: of numbers the density is drawn at the estimate."""
    pairs = shown.number is not None and shown.of_rows[shown.number].ndim == 2
    return components(shown, path) if pairs else None


def _monotone(found: Fitted) -> str:
    """What is said of an objective that never falls by more than rounding."""
    history = np.array(found.history)
    rises = bool(np.all(np.diff(history) >= -1e-9 * (1 + np.abs(history[1:]))))
    return "; it never falls" if rises else ""


def _plain_objective(voice: Voice) -> str:
    return rf"{voice.ell} + \log p({voice.theta})" if voice.model.log_prior != 0 else voice.ell


def _figure(chart: Chart | None, caption: str, instead: Table | None = None) -> Iterator[Figure]:
    if chart is not None:
        yield Figure(svg(chart), (caption,), chart.words, instead)


def _table_of(found: Fitted, voice: Voice) -> Table:
    """A few iterates as numbers."""
    steps = len(found.history) - 1
    tens = {factor * 10**power for power in range(1, 6) for factor in (1, 2, 5)}
    kept = sorted(({0, 1, 2, 3, 5, steps} | tens) & set(range(steps + 1)))
    lines = tuple(((str(t),), (single(found.history[t], 8),)) for t in kept)
    return Table((("iteration",), said("@", voice.objective(voice.old))), lines, align="rr")
