"""What a picture shows: parameters, the model as the runtime sees it, and the data, asked for what is drawn."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from symem.runtime.em_steps import _ways
from symem.runtime.sequences import _as_rectangles

#: The kinds of data that are labels, and the ends of those that have some.
LABELS = frozenset({"label", "binary"})
_SUPPORTS = {
    "positive": (0.0, np.inf), "nonnegative": (0.0, np.inf), "count": (0.0, np.inf), "unit": (0.0, 1.0),
    "open unit": (0.0, 1.0),
}  # fmt: skip

#: Rows that are drawn as points, and of which posteriors are asked.
_MOST_ROWS = 5_000


class Names:
    """What a picture calls what it shows: as its user named it, counted from 0. Reports give their own letters."""

    objective = "log-likelihood"
    iteration = "iteration"
    row = "row"
    place = "place"
    #: What rows and entries are counted from.
    first_row = 0

    def number(self, name: str) -> str:
        return name

    def entry(self, name: str, place: tuple[int, ...]) -> str:
        """An entry of an array, of a row if it has some."""
        return f"{name}[{', '.join(map(str, place))}]" if place else name

    def outcome(self, name: str, place: int, word: Any) -> str:
        """A label at its outcome of that place, which is called so."""
        return f"{name} = {word}"

    def probability(self, name: str) -> str:
        return f"P({name} | data)"

    def index_of(self, name: str) -> str:
        return f"index of {name}, from {self.first_row}"

    def mean(self, name: str) -> str:
        return f"E[{name} | data]"


class Sequence(NamedTuple):
    """A sequence of labels: the data beside it if some are numbers, the most probable path and the probabilities of each
    place, by outcome, what these are called, and of how many sequences it is the first.
    """

    data: str
    values: Any
    label: str
    path: Any
    table: Any
    called: list[str]
    of: int


class States(NamedTuple):
    """A sequence of states: their means given all data and their standard deviations by place, of vectors those of the first
    entry; the data beside it if some are numbers, and of how many sequences it is the first.
    """

    name: str
    mean: Any
    spread: Any
    data: str
    values: Any
    of: int


@dataclass(frozen=True)
class Shown:
    """What is drawn: a solver and parameters, the data of which they say something, the words that labels stand for, and
    what all is called.
    """

    solver: Any
    theta: Any
    data: Mapping[str, Any]
    categories: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    names: Names = field(default_factory=Names)

    def __post_init__(self) -> None:
        given = (
            _as_rectangles(self.model.plates.ragged, self.model.data, self.data)
            if self.model.plates.ragged
            else self.data
        )
        object.__setattr__(self, "data", given)

    @property
    def model(self) -> Any:
        """The model as the runtime sees it."""
        return self.solver.model

    @cached_property
    def rows(self) -> str | None:
        """The size along which the data have rows; where they are not cut, that of the first array."""
        sized = (spec.shape[0] for spec in self.model.data.values() if spec.shape)
        first = next((size for size in sized if isinstance(size, str)), None)
        return self.model.plates.rows or first

    @cached_property
    def of_rows(self) -> dict[str, Any]:
        """The arrays along the rows, weights apart, as numbers."""
        rows = self.rows
        names = (name for name, spec in self.model.data.items() if rows and spec.shape[:1] == (rows,))
        return {name: plain(self.data[name]) for name in names if name not in self.model.weights}

    @cached_property
    def weights(self) -> Any:
        """How often each row counts; None for once."""
        counts = [plain(self.data[name]) for name in self.model.weights]
        return np.prod(counts, axis=0) if counts else None

    @cached_property
    def number(self) -> str | None:
        """The first array of numbers that the rows have a law for, or just have."""
        kinds = {name: self.model.data[name] for name in self.of_rows}
        fit = [n for n, spec in kinds.items() if spec.kind not in LABELS and self.of_rows[n].ndim < 3]
        declared = getattr(self.model.draws, "data", ())
        lawful = [n for n in fit if n in declared] or [n for n in fit if n not in self.model.known] or fit
        return next((n for n in lawful if self.of_rows[n].ndim == 1), next(iter(lawful), None))

    @property
    def alone(self) -> bool:
        """Whether a row holds nothing but that array, and has a law of its own."""
        return len(self.of_rows) == 1 and self.model.plates.rows is not None

    @cached_property
    def few(self) -> dict[str, Any]:
        """The data, of many rows some that are spread over all."""
        count = len(next(iter(self.of_rows.values()), ()))
        step = max(1, -(-count // _MOST_ROWS))
        if step == 1 or self.model.plates.rows is None:
            return dict(self.data)
        some = {name: np.asarray(self.data[name])[::step] for name in (*self.of_rows, *self.model.weights)}
        return {**{name: value for name, value in self.data.items() if name != self.rows}, **some}

    @cached_property
    def posterior(self) -> Any:
        return self.solver.posterior(self.theta, **self.few)

    @cached_property
    def table(self) -> tuple[str, Any, list[str]] | None:
        """The first label of the rows: its name, its probabilities (rows, outcomes), and what the outcomes are called."""
        count = len(next(iter(self.few[name] for name in self.of_rows), ()))
        for name, how in _ways(self.model, self.posterior):
            found = getattr(self.posterior, name)
            fits = (
                isinstance(how, tuple) and np.ndim(found) == 2 and how[0] in (1, -1) and len(found) == count
            )
            if fits:
                return name, np.asarray(found), self._called(name, how[1], found.shape[1])
        return None

    @cached_property
    def labels(self) -> Any:
        """The most probable outcome of each of the few rows; 0 for all without a label."""
        count = len(next(iter(self.few[name] for name in self.of_rows), ()))
        return np.zeros(count, dtype=int) if self.table is None else np.argmax(self.table[1], axis=1)

    @cached_property
    def sequence(self) -> Sequence | None:
        """The first sequence of a chain of labels."""
        model, rows = self.model, self.model.plates.rows
        if model.parts.paths is None or any(spec.kind == "parent" for spec in model.data.values()):
            return None
        cut = {name for name, spec in model.data.items() if rows and spec.shape[:1] == (rows,)}
        first = self._first
        decoded, posterior = (ask(self.theta, **first) for ask in (self.solver.decode, self.solver.posterior))
        path = np.asarray(next(iter(decoded.values())) if isinstance(decoded, dict) else decoded)
        path = path.reshape(-1)[:_MOST_ROWS]
        for name, how in _ways(model, posterior):
            found = getattr(posterior, name)
            if isinstance(how, tuple) and np.ndim(found) > 1:
                table = np.asarray(found).reshape(-1, found.shape[-1])[: len(path)]
                called = self._called(name, how[1], table.shape[1])
                count = len(self.data[min(cut)]) if cut else 1
                return Sequence(*self._along(first, len(path)), name, path - how[1], table, called, count)
        return None

    @cached_property
    def states(self) -> States | None:
        """The first sequence of states that look back at one another."""
        if any(spec.kind == "parent" for spec in self.model.data.values()):
            return None
        for name in self.posterior._fields:
            found = getattr(self.posterior, name)
            mean, variance = (
                found.get(f"{letter}_{name}") if isinstance(found, dict) else None for letter in "EV"
            )
            if mean is None or variance is None:
                continue
            mean, variance, count = _first_sequence(mean, variance)
            for ragged in (each for each in self.model.plates.ragged if name in each.latents):
                length = int(np.asarray(self.data[ragged.lengths])[0])
                mean, variance = mean[:length], variance[:length]
            if vectors := variance.ndim > mean.ndim:
                mean, variance = mean[..., 0], variance[..., 0, 0]
            if mean.ndim != 1 or mean.shape != variance.shape:
                continue
            data, values = ("", None) if vectors else self._along(self._first, len(mean))
            called = self.names.entry(name, (0,)) if vectors else name
            return States(called, mean, np.sqrt(np.maximum(variance, 0.0)), data, values, count)
        return None

    @property
    def _first(self) -> dict[str, Any]:
        """The data of the first sequence."""
        rows = self.model.plates.rows
        cut = {n for n, spec in self.model.data.items() if rows and spec.shape[:1] == (rows,)}
        return {n: self.data[n][:1] if n in cut else v for n, v in self.data.items() if n != rows}

    def _along(self, data: Mapping[str, Any], places: int) -> tuple[str, Any]:
        """The first array of numbers that has so many places, and its values."""
        laws = getattr(self.model.draws, "data", ())
        for name in sorted(data.keys() & self.model.data.keys(), key=lambda each: each not in laws):
            values = plain(data[name]).reshape(-1) if np.size(data[name]) >= places else np.empty(0)
            if (
                name not in self.model.known
                and len(self.model.data[name].shape) == np.ndim(data[name])
                and len(values)
            ):
                return name, values[:places]
        return "", None

    def _called(self, name: str, first: int, count: int) -> list[str]:
        """What the outcomes of a label are called."""
        plain_name = name.removesuffix("_missing")
        words = self.categories.get(plain_name, range(first, first + count))
        return [self.names.outcome(plain_name, k, word) for k, word in enumerate(words)]

    def _at(self, points: Any) -> tuple[Any, dict[str, Any]]:
        """Which points lie in the support, and these as data; for rows that hold nothing else."""
        assert self.number is not None
        spec = self.model.data[self.number]
        low, high = spec.ends or _SUPPORTS.get(spec.kind, (-np.inf, np.inf))
        closed = spec.kind not in {"positive", "open unit"}
        inside = (points >= low) & (points <= high) if closed else (points > low) & (points < high)
        inside = inside.all(axis=1) if inside.ndim > 1 else inside
        inside &= self._is_allowed(points)
        once = {name: np.ones(int(inside.sum())) for name in self.model.weights}
        others = {n: v for n, v in self.data.items() if n != self.rows and n not in self.of_rows}
        return inside, {**others, **once, self.number: points[inside]}

    def _is_allowed(self, points: Any) -> Any:
        """Where numbers may lie of which the module checks more than their kind: as far as the data reach."""
        if self.number is None or points.ndim > 1 or self.model.parts.check is None:
            return np.ones(len(points), dtype=bool)
        seen = self.of_rows[self.number]
        return (points >= np.nanmin(seen)) & (points <= np.nanmax(seen))

    def shares(self, points: Any) -> Any:
        """P(outcome | point) of the label (points, outcomes), NaN outside the support and where no outcome gives the point."""
        assert self.table is not None
        inside, given = self._at(points)
        found = np.full((len(points), self.table[1].shape[1]), np.nan)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found[inside] = getattr(self.solver.posterior(self.theta, **given), self.table[0])
        return found

    def density(self, points: Any) -> tuple[Any, list[Any]]:
        """p(point) and, with a label, p(point, outcome) of each, NaN outside the support."""
        inside, given = self._at(points)
        whole = np.full(len(points), np.nan)
        whole[inside] = np.exp(self.solver.score_samples(self.theta, **given))
        return whole, [] if self.table is None else list(whole * self.shares(points).T)


def _first_sequence(mean: Any, variance: Any) -> tuple[Any, Any, int]:
    """Means and variances of the first sequence, and of how many it is; numbers or vectors."""
    if isinstance(mean, list):
        return np.asarray(mean[0], dtype=float), np.asarray(variance[0], dtype=float), len(mean)
    mean, variance = np.asarray(mean, dtype=float), np.asarray(variance, dtype=float)
    if (
        2 * mean.ndim - variance.ndim == 2
    ):  # over sequences and places, of which a vector has one axis and a variance two
        return mean[0], variance[0], len(mean)
    return mean, variance, 1


def plain(value: Any) -> Any:
    """Numbers with what is missing as NaN."""
    return np.ma.filled(np.ma.asarray(value, dtype=float), np.nan)


def means(shown: Shown) -> tuple[str, Any, Any] | None:
    """The first latent that is no label: its name, its means (places, entries), and its standard deviations if they are
    known.
    """
    names, predicted = shown.posterior._fields, shown.solver.predict(shown.theta, **shown.few)
    values = (predicted,) if len(names) == 1 else tuple(predicted)
    for (name, how), value in zip(_ways(shown.model, shown.posterior), values, strict=True):
        if isinstance(how, tuple) or isinstance(value, list):
            continue
        mean = np.asarray(value, dtype=float)
        if name.endswith("_missing") or not mean.ndim or mean.dtype.kind != "f":
            continue
        found = getattr(shown.posterior, name)
        variance = found.get(f"v_{name}") if isinstance(found, dict) else None
        table = mean.reshape(len(mean), -1)
        if variance is None or np.shape(variance) != mean.shape:
            return name, table, None
        return name, table, np.sqrt(np.asarray(variance, dtype=float)).reshape(table.shape)
    return None
