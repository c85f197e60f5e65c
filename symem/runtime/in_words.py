"""A fit in words: on a line or two, as a table, and in full."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from symem.runtime.precision import Precision
from symem.runtime.standard_errors import _or_dash, _percent

#: An array of more entries than these is shown by its first ones.
_MOST_SHOWN = 100


#: What is said of a mean field.
_BY_FACTORS = (
    "by a mean field: the free energy is at most the log-likelihood, and how far below it is not known"
)


class InWords(Precision):
    """What has estimates, and tells of them."""

    log_likelihood: float
    objective: float
    message: str
    warnings: tuple[str, ...]
    n_iter: int
    n_evaluations: int
    settings: Mapping[str, Any]
    restarts: tuple[float, ...]
    n_parameters: int
    approximation: Mapping[str, Any]
    remarks: tuple[tuple[str, str], ...]

    @property
    def aic(self) -> float:
        """2 p - 2 l for p free parameters (Akaike 1974): less is better; NaN of a mean field, whose l is a bound."""
        if "factors" in self.approximation:
            return math.nan
        return 2 * self.n_parameters - 2 * self.log_likelihood

    @property
    def bic(self) -> float:
        """p log n - 2 l for p free parameters and n rows (Schwarz 1978): less is better, and mclust shows its negative; NaN of a mean field."""
        if "factors" in self.approximation:
            return math.nan
        return self.n_parameters * math.log(self.n_rows) - 2 * self.log_likelihood

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
        count = _counted(self.n_iter, "iteration")
        return f"{self.message}{steps}" if count in self.message else f"{self.message}, {count}{steps}"

    def _told(self) -> list[tuple[str, str]]:
        """The estimates on a line each, and their likelihood."""
        rows = [(name, _numbers(value)) for name, value in self.parameters._asdict().items()]
        return [*rows, (self._objective_name, f"{self.log_likelihood:.10g}")]

    @property
    def _objective_name(self) -> str:
        """What is raised: of a mean field a bound of the log-likelihood."""
        return "free energy" if "factors" in self.approximation else "log-likelihood"

    def summary(self) -> str:
        """The estimates entry by entry with standard errors and 95 % intervals, the likelihood and what is made of it, how
        the fit ended, how fast EM was, its warnings.

        Returns
        -------
        str
            lines to print.
        """
        table = [self._columns, *self._entries()]
        wide = [max(map(len, column)) for column in zip(*table, strict=True)]
        entries = ["  ".join([f"{row[0]:<{wide[0]}}", *map(str.rjust, row[1:], wide[1:])]) for row in table]
        facts = [
            f"{name}  {value}"
            for name, value in _beside_one_another(
                [*self._facts(), *map(tuple, self.precision["facts"]), *self.remarks]
            )
        ]
        given = [f"warning: {each}" for each in self.warnings]
        return "\n".join([*entries, "", *facts, *([""] if given else []), *given])

    @property
    def _columns(self) -> tuple[str, ...]:
        beside = max(map(len, self.precision["entries"]), default=0)
        return ("", "    estimate", *("std. error", "95 %", "interval", "missing")[:beside])

    def _entries(self) -> Iterator[tuple[str, ...]]:
        blank = ("",) * (len(self._columns) - 2)
        told = iter(self.precision["entries"])
        for name, value in self.parameters._asdict().items():
            if name in self.approximation.get("factors", ()):
                continue
            array = np.asarray(value)
            for number, place in enumerate(np.ndindex(array.shape)):
                beside = _precisely(map(float, next(told, ())))
                if number < _MOST_SHOWN:
                    yield f"{name}{list(place) if place else ''}", f"{array[place]:.6g}", *beside
            if array.size > _MOST_SHOWN:
                yield name, f"and {array.size - _MOST_SHOWN} more", *blank

    def _facts(self) -> Iterator[tuple[str, str]]:
        yield self._objective_name, f"{self.log_likelihood:.10g}"
        if self.objective != self.log_likelihood:
            yield "log-posterior", f"{self.objective:.10g}"
        yield "rows", f"{self.n_rows:.10g}"
        yield "free parameters", str(self.n_parameters)
        if "factors" in self.approximation:
            yield "ended", self._ending
            yield "approximated", _BY_FACTORS
        else:
            yield "AIC", f"{self.aic:.10g}"
            yield "BIC", f"{self.bic:.10g}"
            yield "ended", self._ending
        if "nodes" in self.approximation:
            nodes = ", ".join(f"{name} = {number}" for name, number in self.approximation["nodes"].items())
            change = max(self.approximation["change"].values())
            yield (
                "approximated",
                f"by quadrature, {nodes} nodes: twice as many change it by {change:.1e} of its size",
            )
        if len(self.restarts) > 1:
            near = np.abs(np.array(self.restarts) - self.objective) <= 1e-6 * (1 + abs(self.objective))
            yield "starts", f"{len(self.restarts)}, of which {int(np.sum(near))} led here"


def _precisely(told: Iterable[float]) -> tuple[str, ...]:
    """Standard error, interval and missing share of an entry; none where none is known."""
    numbers = list(told)
    return *(_or_dash(each, 4) for each in numbers[:3]), *map(_percent, numbers[3:])


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
