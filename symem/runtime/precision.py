"""What a fit says of its own precision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from symem.runtime.bootstrap import _refits
from symem.runtime.loop import DataError
from symem.runtime.standard_errors import Information
from symem.runtime.tangents import _flat, _unflat

#: A summary tells the standard errors of a fit of which rows, times the square of the entries, are no more.
_QUICK = 100_000_000


class Precision:
    """Standard errors, intervals and how fast EM is, from the information of the rows of a fit."""

    parameters: Any
    n_rows: float
    _solver: Any
    _data: Mapping[str, Any] | None
    _counts: Any = None
    _known_information: Any = None
    _kept_precision: Any = None

    def _given(self, frame: Any, data: Mapping[str, Any]) -> Mapping[str, Any]:
        raise NotImplementedError

    @property
    def information(self) -> Information:
        """Complete, missing and observed information at the estimate, from the rows of the fit, computed when it is first
        asked for.
        """
        if self._known_information is None:
            self._known_information = self.information_of()
        found: Information = self._known_information
        return found

    def information_of(self, frame: Any = None, /, **data: Any) -> Information:
        """The information of data on the parameters, at the estimate.

        Parameters
        ----------
        frame : data frame, optional
            with columns of the declared names; of a fit that symem made.
        **data : arrays and numbers
            by declared name; none for the rows of the fit.

        Returns
        -------
        Information
            complete, missing and observed, and what follows from them.
        """
        counts = None if frame is not None or data else self._counts
        found: Information = self._solver.information_counted(
            counts, self.parameters, **self._given(frame, data)
        )
        return found

    @property
    def standard_errors(self) -> Any:
        """Parameters with the standard error of every entry; NaN where there is none, and `information` says why in its `notes`
        and its `message`.
        """
        return self.information.standard_errors

    @property
    def covariance(self) -> Any:
        """The covariance of all entries of the estimate, in the order of the parameters, arrays read row by row."""
        return self.information.covariance

    def intervals(self, level: float = 0.95) -> Any:
        """Parameters with the lower and upper ends of every entry, on the scale on which its support has no ends.

        Parameters
        ----------
        level : float
            the share of samples in which an interval holds its parameter, between 0 and 1.

        Returns
        -------
        named tuple
            of each parameter an array of its shape with two more entries, (…, 2).
        """
        return self.information.intervals(level)

    @property
    def precision(self) -> Mapping[str, Any]:
        """What `summary` tells, and `save` keeps: of the `entries` standard error, 95 % interval and the share of the information that is missing, if there are some that do
        not take long, NaN of what has none; and as `facts` which have none, how fast EM is and of which entry most information
        is missing, or why there is nothing.
        """
        if self._kept_precision is None:
            self._kept_precision = {"entries": [*self._told_entries()], "facts": [*self._told_facts()]}
        kept: Mapping[str, Any] = self._kept_precision
        return kept

    @property
    def _is_quick(self) -> bool:
        return len(_flat(self.parameters)) ** 2 * self.n_rows <= _QUICK

    def _told_entries(self) -> Iterator[list[float]]:
        found = self._quick_information()
        if isinstance(found, Information) and not found.message:
            yield from ([*each[2:]] for each in found.lines())

    def _told_facts(self) -> Iterator[list[str]]:
        found = self._quick_information()
        if isinstance(found, str):
            yield from ([["standard errors", found]] if found else [])
        elif found.message:
            yield ["no standard errors", found.message]
        else:
            yield from map(list, found.notes)
            yield from map(list, found.told_pace())

    def _quick_information(self) -> Information | str:
        """The information, or why a summary has none: nothing where there are no rows."""
        if self._data is None:
            return ""
        if not self._is_quick:
            return "of so many entries and rows they take long: fit.standard_errors"
        try:
            return self.information
        except (DataError, np.linalg.LinAlgError) as reason:
            return f"none: {reason}"

    @property
    def robust_covariance(self) -> Any:
        """The same where the model need not be right: the sandwich (Huber 1967; White 1982)."""
        return self.information.robust_covariance(
            *self._solver.row_scores(self._counts, self.parameters, **self._given(None, {}))
        )

    @property
    def robust_standard_errors(self) -> Any:
        """Parameters with standard errors from it."""
        return _unflat(self.parameters, np.sqrt(np.maximum(np.diag(self.robust_covariance), 0.0)))

    @property
    def supplemented_covariance(self) -> Any:
        """The covariance by another way, the supplemented EM algorithm (Meng & Rubin 1991): from the information of complete
        data and the slopes of the map of EM; NaN where there are no standard errors.
        """
        return self._solver.supplemented_covariance(self._counts, self.parameters, **self._given(None, {}))

    def bootstrap(self, times: int = 200, *, by: str = "rows", seed: Any = None) -> Any:
        """Estimates of so many samples like the data.

        `np.std(fit.bootstrap(seed=0).mu, axis=0)` is a standard error.

        Parameters
        ----------
        times : int
            how many samples.
        by : {"rows", "model"}
            whether rows are drawn anew from those of the fit, or from the laws of the model at the estimate.
        seed : int or numpy.random.Generator, optional
            of the draws.

        Returns
        -------
        named tuple
            parameters whose arrays have the samples as first axis.

        Raises
        ------
        DataError
            there are no independent rows, or the model does not say how its data arise.

        References
        ----------
        Efron 1979.
        """
        asked = {"times": times, "by": by, "seed": seed}
        return _refits(self._solver, self.parameters, self._given(None, {}), self._counts, asked)
