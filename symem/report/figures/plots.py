"""What a fit looks like: the likelihood over the iterations, the density over the data, the posterior of each row.

Numbers come from a fit and the data behind it; nothing is fitted here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sympy import Indexed

from symem.derivation import Table
from symem.language.model import Role, Variable
from symem.report.figures.plot_axes import INKS, Axes, legend
from symem.report.fitted import Fitted
from symem.report.notation.digits import single

GRID = 161
MOST_BARS = 40
LEAST_FOR_A_HISTOGRAM = 12
MOST_COMPONENTS = 6


@dataclass(frozen=True)
class Plot:
    """A drawing and the words that say the same."""

    svg: str
    words: str


def ascent(found: Fitted, name: str) -> Plot | None:
    """The objective at every iterate."""
    history = found.history
    if len(history) < 2:
        return None
    low, high = min(history), max(history)
    room = (high - low or abs(high) or 1.0) * 0.06
    axes = Axes(
        (0.0, float(len(history) - 1)), (low - room, high + room), r"\text{iteration}\ t", name, whole=True
    )
    points = list(enumerate(history))
    parts = [axes.curve([(float(t), value) for t, value in points], INKS[0])]
    parts += [axes.dot(float(t), value, INKS[0]) for t, value in points if len(points) <= MOST_BARS]
    words = (
        f"The objective rises from {single(history[0], 6)} at the start to {single(history[1], 6)} after one "
        f"iteration and {single(history[-1], 6)} after {len(history) - 1}."
    )
    return Plot(axes.plot(parts, title="Likelihood by iteration", description=words), words)


# density over the data ---------------------------------------------------------------------------------


def density(found: Fitted, name: str, component: str) -> Plot | None:
    """The fitted density over a histogram of the data, with its components if there is one label.

    Drawn where the rows are independent and alike: one datum each, and no other array along the plate.
    """
    datum = single_datum(found)
    if datum is None:
        return None
    values = np.asarray(found.given[datum.name], dtype=float)
    if len(values) < LEAST_FOR_A_HISTOGRAM or not np.all(np.isfinite(values)) or np.ptp(values) == 0:
        return None
    return Density(found, datum, values).plot(name, component)


def single_datum(found: Fitted) -> Variable | None:
    """The only array along its plate, if it is one real or count a row and never missing."""
    datum = only_datum(found)
    plain = datum is not None and len(datum.sizes) == 1 and not datum.missing and not datum.shape
    return datum if plain else None


def first_in_print(found: Fitted) -> int:
    """What the label counts from in print."""
    posterior = next((p for p in found.derivation.posteriors if isinstance(p, Table)), None)
    return 0 if posterior is not None and str(posterior.latent.support) == "Binary" else 1


def only_datum(found: Fitted) -> Variable | None:
    """The only array along its plate, if it is data that are no labels and were given."""
    model = found.derivation.model
    arrays = [
        each for each in model.variables.values() if each.role in (Role.DATA, Role.KNOWN) and each.sizes
    ]
    along = {size for each in model.data for size in each.sizes}
    rows = [each for each in arrays if set(each.sizes) & along]
    plain = len(rows) == 1 and rows[0].role is Role.DATA and rows[0].name in found.given
    outcomes = all(own.size in along for each in found.derivation.posteriors for own in each.axes[:1])
    return rows[0] if plain and outcomes and not _is_label(rows[0]) else None


def _is_label(variable: Variable) -> bool:
    return str(variable.support).startswith(("Labels", "Binary"))


@dataclass(frozen=True)
class Density:
    """One kind of datum with its fitted density."""

    found: Fitted
    datum: Variable
    values: Any

    def plot(self, name: str, component: str) -> Plot | None:
        grid = self.grid()
        heights = np.array([self.at(value) for value in grid])
        if not np.all(np.isfinite(heights)):
            return None
        bars = list(self.bars())
        parts_of = self.components(grid, heights)
        top = max(*(height for *_, height in bars), float(heights.max())) * 1.05
        across = min(bars[0][0], float(grid[0])), max(bars[-1][1], float(grid[-1]))
        axes = Axes(across, (0.0, top), name, r"\text{density}")
        parts = [axes.bar(low, high, height, "currentColor", 0.17) for low, high, height in bars]
        parts += list(self._curves(axes, grid, heights, parts_of))
        first = first_in_print(self.found)
        names = [(rf"{component} = {k + first}", INKS[k]) for k in range(len(parts_of))]
        words = (
            f"A histogram of {len(self.values)} values of {self.datum.name} with the fitted density over it"
            + (f" and its {len(parts_of)} components." if parts_of else ".")
        )
        return Plot(axes.plot([*parts, *legend(names)], title="Fitted density", description=words), words)

    def _curves(self, axes: Axes, grid: Any, heights: Any, parts_of: Sequence[Any]) -> Iterator[str]:
        if self.datum.support.discrete:
            yield from (
                axes.dot(float(a), float(b), "currentColor", 3.2) for a, b in zip(grid, heights, strict=True)
            )
        else:
            yield axes.curve(list(zip(grid, heights, strict=True)), "currentColor", wide=1.6)
        for k, part in enumerate(parts_of):
            yield axes.curve(list(zip(grid, part, strict=True)), INKS[k], wide=2.0, dashed=True)

    # numbers ------------------------------------------------------------------------------------

    def grid(self) -> Any:
        low, high = float(self.values.min()), float(self.values.max())
        if self.datum.support.discrete:
            return np.arange(low, high + 1)
        room = 0.06 * (high - low)
        ends = [
            float(end) if end.is_finite else end for end in self.datum.support.bounds if end.is_number
        ] or [None]
        least = (
            low - room if not isinstance(ends[0], float) else max(low - room, ends[0] + 1e-3 * (high - low))
        )
        return np.linspace(least, high + room, GRID)

    def bars(self) -> Iterator[tuple[float, float, float]]:
        """From, to and height of each bar: one a count, or the root of their number, and no fewer than Freedman and Diaconis advise."""
        if self.datum.support.discrete:
            for value in self.grid():
                yield value - 0.46, value + 0.46, float(np.mean(self.values == value))
            return
        heights, ends = np.histogram(self.values, bins=self._bins(), density=True)
        yield from zip(map(float, ends[:-1]), map(float, ends[1:]), map(float, heights), strict=True)

    def _bins(self) -> int:
        spread = float(np.subtract(*np.percentile(self.values, [75, 25]))) or float(np.ptp(self.values)) / 4
        advised = np.ptp(self.values) * len(self.values) ** (1 / 3) / (2 * spread)
        return int(np.clip(np.ceil(max(advised, np.sqrt(len(self.values)))), 6, 40))

    def _data(self, value: float) -> Mapping[str, Any]:
        return {**self.found.given, self.datum.name: np.array([value])}

    def at(self, value: float) -> float:
        """p(x | θ) at the fitted parameters: the likelihood of a single row."""
        try:
            return float(np.exp(self.found.fit.log_likelihood_of(**self._data(value))))
        except ValueError:  # what the module refuses: a place outside the support
            return float("nan")

    def label(self) -> Table | None:
        """The only latent, if it is a label of few values."""
        match self.found.derivation.posteriors:
            case [Table(axes=[_]) as label]:
                return label
            case _:
                return None

    def components(self, grid: Any, heights: Any) -> list[Any]:
        """p(x, z = k | θ) for each k: the density times the posterior."""
        posterior = self.label()
        if posterior is None:
            return []
        solved = self.found.fit.posterior_of(**{**self.found.given, self.datum.name: np.array(grid)})
        shares = np.asarray(getattr(solved, posterior.latent.name), dtype=float)
        if shares.ndim == 1:
            shares = np.stack([1 - shares, shares], axis=1)
        fits = shares.shape[0] == len(grid) and shares.shape[1] <= MOST_COMPONENTS
        return [heights * shares[:, k] for k in range(shares.shape[1])] if fits else []


# posterior of each row -----------------------------------------------------------------------------------


def shares(found: Fitted, name: str, row: str, component: str) -> Plot | None:
    """The posterior of a label, a bar for each row."""
    posterior = next((p for p in found.derivation.posteriors if isinstance(p, Table)), None)
    if posterior is None or len(posterior.axes) != 1:
        return None
    if found.fit.n_rows > MOST_BARS:
        return None
    values = found.shares(posterior)
    if values.ndim != 2 or len(values) > MOST_BARS or values.shape[1] > MOST_COMPONENTS:
        return None
    assert isinstance(posterior.probability.symbol, Indexed)
    axes = Axes((0.5, len(values) + 0.5), (0.0, 1.0), row, name, whole=True)
    parts, base = [], np.zeros(len(values))
    for k in range(values.shape[1]):
        for at, height in enumerate(values[:, k]):
            parts.append(axes.bar(at + 0.58, at + 1.42, float(height), INKS[k], 0.75, float(base[at])))
        base = base + values[:, k]
    first = first_in_print(found)
    names = [(rf"{component} = {k + first}", INKS[k]) for k in range(values.shape[1])]
    words = f"For each of {len(values)} rows the posterior probabilities of {posterior.latent.name}, stacked to one."
    return Plot(axes.plot([*parts, *legend(names)], title="Posterior by row", description=words), words)
