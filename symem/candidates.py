"""How many components: fits of every size side by side, and the one that a criterion prefers."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from symem.em import EM, derive
from symem.errors import DataError
from symem.language.model import Model
from symem.runtime.results import Fit
from symem.runtime.wording import _Option, _Words

#: Of a fit, what less is better of.
CRITERIA = ("bic", "aic")

_TITLES = ("log-likelihood", "parameters", "AIC", "BIC", "ended")


@dataclass(frozen=True)
class Candidate:
    """The fit at some sizes, or why there is none."""

    sizes: Mapping[str, int]
    fit: Fit | None
    failure: str = ""

    @property
    def ended(self) -> str:
        """How it ended, with the first warning where it did not converge."""
        if self.fit is None:
            return _Words("failed: ", self.failure)
        is_told = (
            self.fit.converged or not self.fit.warnings or self.fit.n_iter >= self.fit.settings["max_iter"]
        )
        return _Words(self.fit.message, *(() if is_told else (": ", self.fit.warnings[0])))

    @property
    def named(self) -> str:
        """The sizes in words: K = 2."""
        return ", ".join(f"{name} = {size}" for name, size in self.sizes.items())

    def cells(self) -> tuple[str, ...]:
        """A line of the table."""
        sizes = tuple(str(size) for size in self.sizes.values())
        fit = self.fit
        if fit is None:
            return (*sizes, "", "", "", "", self.ended)
        numbers = (f"{fit.log_likelihood:.2f}", str(fit.n_parameters), f"{fit.aic:.2f}", f"{fit.bic:.2f}")
        return (*sizes, *numbers, self.ended)


@dataclass(frozen=True)
class Selection:
    """Fits side by side: `table` has one for all sizes tried, `best` is the one that the criterion prefers."""

    table: tuple[Candidate, ...]
    criterion: str

    @property
    def chosen(self) -> Candidate:
        """The candidate with the least of the criterion among those that converged.

        Raises
        ------
        DataError
            none converged.
        """
        sound = [each for each in self.table if each.fit is not None and each.fit.converged]
        if not sound:
            more = (_Option("max_iter", ""), " or ", _Option("n_init", ""))
            raise DataError(_Words("No fit converged, so none is best: raise ", *more, ", or state a prior."))
        return min(sound, key=lambda each: float(getattr(each.fit, self.criterion)))

    @property
    def best(self) -> Fit:
        """The fit of `chosen`."""
        fit = self.chosen.fit
        assert fit is not None
        return fit

    def plot(self, ax: Any = None) -> Any:
        """The criterion over the sizes tried.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            where to draw; else on a figure of its own.

        Returns
        -------
        matplotlib.axes.Axes
            the axes on which it stands.
        """
        from symem.pictures import plot_selection  # noqa: PLC0415  matplotlib is imported when it is asked for

        return plot_selection(self, ax)

    def __str__(self) -> str:
        header = (*self.table[0].sizes, *_TITLES)
        rows = [header, *(each.cells() for each in self.table)]
        wide = [max(len(row[place]) for row in rows) for place in range(len(header))]
        marks = [" ", *("*" if each is self.chosen_or_none else " " for each in self.table)]
        lines = (_line(mark, row, wide) for mark, row in zip(marks, rows, strict=True))
        return _Words(*lines, self._verdict())

    __repr__ = __str__

    @property
    def chosen_or_none(self) -> Candidate | None:
        """The same, None if none converged."""
        try:
            return self.chosen
        except DataError:
            return None

    def _verdict(self) -> str:
        chosen = self.chosen_or_none
        if chosen is None:
            return "none converged, so none is best"
        return f"best: {chosen.named}, by {self.criterion.upper()}, of which less is better"


def select(
    model: EM | Model,
    data: Any,
    *,
    criterion: str = "bic",
    n_init: int = 5,
    seed: int | None = 0,
    verbose: bool = False,
    **sizes: Any,
) -> Selection:
    """Fit a model with every size of a range, each from several starts: `select(model, {"x": x}, K=range(1, 8))`.

    Parameters
    ----------
    model : EM or Model
        or what was derived of it.
    data : dict or data frame
        arrays by declared name, or a frame whose columns have these names.
    criterion : str
        "bic" or "aic"; less is better.
    n_init : int
        random starts of each fit.
    seed : int, optional
        of the starts of each fit.
    verbose : bool
        tell on stderr how far it has come.
    **sizes : range, list or int
        the sizes to try, by name: a range, a list, or one number; of several, all pairs. Options of
        `fit`, such as tol, max_iter and accelerate, may stand among them.

    Returns
    -------
    Selection
        a `Selection`: `table`, `best`, `plot()`. A size at which a fit fails is in the table with the
        reason.

    Raises
    ------
    DataError
        there is no such criterion, or no size to try.
    """
    if criterion not in CRITERIA:
        raise DataError(f"criterion = {criterion!r}, but it must be one of {', '.join(CRITERIA)}.")
    em = model if isinstance(model, EM) else derive(model)
    options: dict[str, Any] = {
        name: sizes.pop(name) for name in ("tol", "max_iter", "accelerate") if name in sizes
    }
    tried = _grid(em, sizes)
    table = []
    for each in tried:
        if verbose:
            sys.stderr.write(f"{', '.join(f'{name} = {size}' for name, size in each.items())}\n")
        asked = {**options, "n_init": n_init, "seed": seed, "verbose": verbose}
        table.append(_candidate(em, data, each, asked))
    return Selection(tuple(table), criterion)


def _grid(em: EM, sizes: Mapping[str, Any]) -> list[dict[str, int]]:
    """All sizes to try, by name."""
    known = {str(each.name) for each in em.model.sizes}
    for name in sizes:
        if name not in known:
            raise DataError(f"{name} is no size of the model; it has {', '.join(sorted(known))}.")
    ranges: dict[str, list[int]] = {}
    for name, each in sizes.items():
        ranges[name] = [*each] if isinstance(each, Iterable) else [each]
    if not ranges or not all(ranges.values()):
        size = _Option(next(iter(sorted(known)), "K"), "range(1, 8)", "range")
        raise DataError(_Words("There is no size to try: name one with its range, such as ", size, "."))
    names = list(ranges)
    return [dict(zip(names, values, strict=True)) for values in product(*ranges.values())]


def _candidate(em: EM, data: Any, sizes: Mapping[str, int], options: Mapping[str, Any]) -> Candidate:
    """The fit at these sizes; its warnings are kept with it."""
    frame, arrays = (None, data) if isinstance(data, Mapping) else (data, {})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Candidate(sizes, em.fit(frame, **{**arrays, **sizes}, **options))
    except DataError as error:
        return Candidate(sizes, None, str(error))


def _line(mark: str, row: tuple[str, ...], wide: list[int]) -> _Words:
    """Numbers to the right, words to the left."""
    *numbers, words = row
    cells = [f"{cell:>{width}}" for cell, width in zip(numbers, wide, strict=False)]
    return _Words("  ".join([f"{mark} {cells[0]}", *cells[1:], ""]), words, "\n")
