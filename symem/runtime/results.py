"""What a fit found, in numbers and in words, and what it says of other rows."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from symem.runtime.description import Array
from symem.runtime.loop import DataError
from symem.runtime.precision import Precision
from symem.runtime.saving import _as_text, _write_whole

#: An array of more entries than these is shown by its first ones.
_MOST_SHOWN = 100


class Fit(Precision):
    """The result of `fit`.

    Functions of data take them by name, or a frame with columns of these names, as `fit` does; numbers that all rows share are those of the fit unless they are
    given. Without any, they speak of the rows of the fit, which are not copied. Indices count from 0, as those of the
    arrays do.
    """

    #: The estimates, by declared name.
    parameters: Any
    #: The log-likelihood of the observed data at them, and what the fit raised: with a prior, the log-posterior.
    log_likelihood: float
    objective: float
    #: The objective at every iterate of the best run, the start included.
    history: np.ndarray
    converged: bool
    #: How the fit ended, and the warnings that it gave, in words.
    message: str
    warnings: tuple[str, ...]
    n_iter: int
    #: How many EM steps were tried in the best run: those from jumps that were not taken among them.
    n_evaluations: int
    #: The objective at the end of the run from each start, nan where it failed.
    restarts: tuple[float, ...]
    #: The numbers that are free: K - 1 of a simplex, d (d + 1) / 2 of a symmetric matrix.
    n_parameters: int
    #: The observations that BIC counts: the rows, each as often as its weight says.
    n_rows: float
    #: tol, max_iter, n_init, seed and accelerate.
    settings: Mapping[str, Any]
    #: Of data that came as words, what its labels stand for, the first label's first.
    categories: Mapping[str, tuple[Any, ...]] = {}
    #: What symem gives a fit that it made: it reads frames and words as data; a module alone does not.
    reader: Callable[[Any, Mapping[str, Any]], Mapping[str, Any]] | None = None

    def __init__(
        self, solver: Any, data: Mapping[str, Any] | None, found: Mapping[str, Any], counts: Any = None
    ) -> None:
        kept = dict(found)
        self._kept_precision = kept.pop("precision", None)
        self.__dict__.update(kept)
        self._solver, self._data, self._counts = solver, data, counts
        self._posterior: Any = None

    def beside(self, data: Mapping[str, Any]) -> Fit:
        """The same fit with these rows for its own, such as the same ones in another order."""
        found = {name: value for name, value in self.__dict__.items() if not name.startswith("_")}
        return type(self)(self._solver, data, found)

    def save(self, path: Any, *, force: bool = False) -> Path:
        """Write the fit as JSON, whole or not at all, without data: `symem.load(path, model)` reads it.

        Raises:
            FileExistsError: the file is there, and `force` is not set.
        """
        return _write_whole(path, self.as_text(), force=force)

    def as_text(self) -> str:
        """What `save` writes."""
        return _as_text(self, self._solver.version, self._solver.fingerprint)

    @property
    def data(self) -> Mapping[str, Any] | None:
        """The data of the fit as they were given, not copied; None if it was read from a file or had them in blocks."""
        return self._data

    @property
    def fingerprint(self) -> str:
        """What tells the statement of its model from others."""
        return str(self._solver.fingerprint)

    @property
    def aic(self) -> float:
        """2 p - 2 l for p free parameters (Akaike 1974): less is better."""
        return 2 * self.n_parameters - 2 * self.log_likelihood

    @property
    def bic(self) -> float:
        """p log n - 2 l for p free parameters and n rows (Schwarz 1978): less is better, and mclust shows its negative."""
        return self.n_parameters * math.log(self.n_rows) - 2 * self.log_likelihood

    @property
    def posterior(self) -> Any:
        """The posterior of every latent at the rows of the fit, computed when it is first asked for."""
        if self._posterior is None:
            self._posterior = self.posterior_of()
        return self._posterior

    def posterior_of(self, frame: Any = None, /, **data: Any) -> Any:
        """The posterior of every latent at rows of data, whose weights need not be given."""
        return self._solver.posterior(self.parameters, **self._given(frame, data))

    def log_likelihood_of(self, frame: Any = None, /, **data: Any) -> float:
        """The log-likelihood of data."""
        return float(self._solver.log_likelihood(self.parameters, **self._given(frame, data)))

    def predict(self, frame: Any = None, /, **data: Any) -> Any:
        """The most probable value of a label at rows of data, the posterior mean of other latents, counts among them.

        An array where there is one latent, else a record of arrays by name. What was seen of data that may be missing is
        told as it was.
        """
        return self._solver.predict(self.parameters, **self._given(frame, data))

    def score_samples(self, frame: Any = None, /, **data: Any) -> Any:
        """The log-likelihood of each row, (n); of a row that counts c times, c times that of one."""
        return self._solver.score_samples(self.parameters, **self._given(frame, data))

    def plot(self, /, *, what: str | None = None, ax: Any = None, **data: Any) -> Any:
        """Pictures of the fit beside one another, each if there is something to draw.

        "objective": the objective over the iterations. "data": a histogram under the density and its components, lines
        around the components of pairs, a number over the one that it hangs on. "posterior": the probabilities of a label,
        by value or by row. "latents": posterior means.

        Args:
            what: the one that is wanted.
            ax: the axes of matplotlib on which one is drawn, that of the data if `what` does not say.
            data: other data than those of the fit.

        Returns:
            the figure of matplotlib; of one picture its axes.

        Raises:
            DataError: symem or matplotlib is not installed; there is no such picture.
        """
        try:
            plots = importlib.import_module("symem.pictures")
        except ImportError:
            raise DataError("Plots need symem and matplotlib: pip install 'symem[plot]'.") from None
        given = self._given(None, data) if data or self._data else None
        return plots.plot_fit(self, self._solver, given, what, ax)

    def sample(
        self, frame: Any = None, /, *, seed: Any = None, latents: bool = False, **given: Any
    ) -> dict[str, Any]:
        """Data drawn from the model at the estimate: `fit.sample(n=100, seed=0)`; numbers that all rows share are those
        of the fit unless they are given.

        Raises:
            DataError: a size or a known array is lacking; the model does not say how its data arise.
        """
        if frame is not None:
            raise DataError(
                "Data are drawn of what is known, given by name, and of sizes: fit.sample(n=100, x=frame['x'])."
            )
        draws = self._solver.model.draws
        takes = () if isinstance(draws, str) else (*draws.known, *draws.sizes)
        shared = {
            name: value
            for name, value in (self._data or {}).items()
            if name in takes and self._is_shared(name)
        }
        return dict(self._solver.sample(self.parameters, seed=seed, latents=latents, **{**shared, **given}))

    def _given(self, frame: Any, data: Mapping[str, Any]) -> Mapping[str, Any]:
        if self.reader is not None and (frame is not None or data):
            data = self.reader(frame, data)
        elif frame is not None:
            raise DataError("A module alone reads no frames: give arrays, by name.")
        if not data and self._data is None:
            raise DataError(
                "A fit that was read from a file, or whose data came in blocks, has no rows of its own: give data, by name."
            )
        if not data or self._data is None:
            return data or self._data or {}
        return {**{name: value for name, value in self._data.items() if self._is_shared(name)}, **data}

    def _is_shared(self, name: str) -> bool:
        """Whether it is one number for all rows, and so for those of other data too: a known one, a size."""
        model = self._solver.model
        return name != model.plates.rows and (name not in model.data or not model.data[name].shape)

    # -- in words ------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        lines = [f"{name}  {value}" for name, value in _beside_one_another(self._told())]
        return "\n".join([f"Fit: {self._ending}", *(f"  {line}" for line in lines)])

    def _repr_html_(self) -> str:
        rows = [f"<tr><th>{name}</th><td>{value}</td></tr>" for name, value in self._told()]
        return f"<table><caption>Fit: {_escaped_text(self._ending)}</caption>{''.join(rows)}</table>"

    @property
    def _ending(self) -> str:
        """How the fit ended, in a few words."""
        steps = f" of {self.n_evaluations} EM steps" if self.settings["accelerate"] else ""
        return f"{self.message}, {_counted(self.n_iter, 'iteration')}{steps}"

    def _told(self) -> list[tuple[str, str]]:
        """The estimates on a line each, and their likelihood."""
        rows = [(name, _numbers(value)) for name, value in self.parameters._asdict().items()]
        return [*rows, ("log-likelihood", f"{self.log_likelihood:.10g}")]

    def summary(self) -> str:
        """The estimates entry by entry with standard errors and 95 % intervals, the likelihood and what is made of it, how
        the fit ended, how fast EM was, its warnings.
        """
        table = [self._columns, *self._entries()]
        wide = [max(map(len, column)) for column in zip(*table, strict=True)]
        entries = ["  ".join([f"{row[0]:<{wide[0]}}", *map(str.rjust, row[1:], wide[1:])]) for row in table]
        facts = [
            f"{name}  {value}"
            for name, value in _beside_one_another([*self._facts(), *map(tuple, self.precision["facts"])])
        ]
        given = [f"warning: {each}" for each in self.warnings]
        return "\n".join([*entries, "", *facts, *([""] if given else []), *given])

    @property
    def _columns(self) -> tuple[str, ...]:
        return (
            "",
            "    estimate",
            *(("std. error", "95 %", "interval") if self.precision["entries"] else ()),
        )

    def _entries(self) -> Iterator[tuple[str, ...]]:
        blank = ("",) * (len(self._columns) - 2)
        told = iter(self.precision["entries"])
        for name, value in self.parameters._asdict().items():
            array = np.asarray(value)
            for number, place in enumerate(np.ndindex(array.shape)):
                beside = tuple(f"{each:.4g}" for each in next(told, ()))
                if number < _MOST_SHOWN:
                    yield f"{name}{list(place) if place else ''}", f"{array[place]:.6g}", *beside
            if array.size > _MOST_SHOWN:
                yield name, f"and {array.size - _MOST_SHOWN} more", *blank

    def _facts(self) -> Iterator[tuple[str, str]]:
        yield "log-likelihood", f"{self.log_likelihood:.10g}"
        if self.objective != self.log_likelihood:
            yield "log-posterior", f"{self.objective:.10g}"
        yield "rows", f"{self.n_rows:.10g}"
        yield "free parameters", str(self.n_parameters)
        yield "AIC", f"{self.aic:.10g}"
        yield "BIC", f"{self.bic:.10g}"
        yield "ended", self._ending
        if len(self.restarts) > 1:
            near = np.abs(np.array(self.restarts) - self.objective) <= 1e-6 * (1 + abs(self.objective))
            yield "starts", f"{len(self.restarts)}, of which {int(np.sum(near))} led here"


def _free_parameters(table: Mapping[str, Array], theta: Any, simplexes: tuple[tuple[str, ...], ...]) -> int:
    """How many numbers the parameters are free to be: sums of 1 and symmetry take theirs away."""
    found = 0
    for name, spec in table.items():
        shape = np.shape(getattr(theta, name))
        size = math.prod(shape)
        if spec.kind == "simplex" and shape:
            size -= math.prod(shape[: -spec.simplex_axes])
        if spec.kind in {"symmetric", "definite"}:
            size -= math.prod(shape[:-1]) * (shape[-1] - 1) // 2
        found += size
    return found - len(simplexes)


def _numbers(value: Any) -> str:
    """An array on one line."""
    array = np.asarray(value)
    if array.ndim == 0:
        return f"{float(array):.6g}"
    if array.size > _MOST_SHOWN:
        return f"{_numbers(array.ravel()[:4])}  … {array.size} numbers of shape {array.shape}"
    if array.ndim == 1:
        return "  ".join(f"{entry:<10.6g}" for entry in array).rstrip()
    return "; ".join(_numbers(row) for row in array)


def _beside_one_another(rows: Iterator[tuple[str, str]] | list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Names made as wide as the widest."""
    listed = list(rows)
    wide = max(len(name) for name, _ in listed)
    return [(f"{name:<{wide}}", value) for name, value in listed]


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _escaped_text(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
