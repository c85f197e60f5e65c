"""The EM algorithm of a model: what a module offers."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from symem.runtime.blocks import Source
from symem.runtime.chunks import _as_parameters, _uncut
from symem.runtime.description import Model
from symem.runtime.em_steps import (
    _arrays,
    _blurred,
    _by_row,
    _decoded,
    _e_step,
    _given,
    _has_cancelled,
    _lost,
    _maximised,
    _objective,
    _posterior,
    _predicted,
    _refuse_no_value,
    _remembered,
)
from symem.runtime.loop import DataError, EMWarning
from symem.runtime.observed_information import _information
from symem.runtime.outcome import _warn_of_blurred, _warn_of_undetermined, _warn_of_unknown
from symem.runtime.refining import _refined
from symem.runtime.results import Fit
from symem.runtime.row_scores import _few_rows, _row_scores, _times, _total_score
from symem.runtime.saving import _found_in, _read_saved, _refuse_other
from symem.runtime.settings import Settings, _checked_settings
from symem.runtime.simulation import _drawn_data
from symem.runtime.standard_errors import Information
from symem.runtime.supplemented import _supplemented


class Solver:
    """EM for one model. `theta` is a dict or a named tuple; data and sizes are passed by name."""

    def __init__(self, model: Model, *, version: str = "", fingerprint: str = "") -> None:
        #: The version of symem that wrote the model, and what tells its statement from others.
        self.version, self.fingerprint = version, fingerprint
        bare = getattr(model.steps.m_step, "__wrapped__", model.steps.m_step)
        self.__module__ = bare.__module__
        self._model = model._replace(steps=model.steps._replace(m_step=bare))

    @property
    def model(self) -> Model:
        """The model as the runtime sees it."""
        return self._model

    def __reduce__(self) -> str:
        """Pickle takes it from its module, where it has this name."""
        return "SOLVER"

    def load(self, path: Any, /) -> Fit:
        """A fit of this model that `fit.save` wrote; it has no rows of its own.

        Raises:
            DataError: the file holds no fit, or that of another model.
        """
        model, saved = self._model, _read_saved(path)
        _refuse_other(path, saved, model.parameters, self.fingerprint)
        found = {**_found_in(saved), "parameters": _as_parameters(model, saved["parameters"])}
        return Fit(self, None, found)

    @np.errstate(all="ignore")
    def log_likelihood(self, theta: Any, /, **data: Any) -> float:
        """The log-likelihood of the observed data."""
        inside, checked = _given(self._model, theta, data)
        value = float(_e_step(self._model, inside, checked).log_likelihood)
        if np.isnan(value):
            _refuse_no_value(self._model, inside, checked)
        _has_cancelled(self._model, checked, value)
        return value

    @np.errstate(all="ignore")
    def predict(self, theta: Any, /, **data: Any) -> Any:
        """The most probable value of a label, the posterior mean of other latents, counts and what is missing among them:
        an array, or several by name. What was seen of data that may be missing is told as it was.

        Raises:
            DataError: the posterior of a latent shows no mean.
        """
        given = _given(self._model, theta, data, every_row=True)
        return _predicted(self._model, self._shown(*given), *given)

    @np.errstate(all="ignore")
    def decode(self, theta: Any, /, **data: Any) -> Any:
        """The most probable labels of each chain or tree together, an array, or several by name (Viterbi 1967): a path that the
        transitions allow, where `predict` tells of each place its own most probable label.

        Raises:
            DataError: no latent is a chain or a tree.
        """
        found = _decoded(self._model, *_given(self._model, theta, data, every_row=True))
        return next(iter(found.values())) if len(found) == 1 else found

    @np.errstate(all="ignore")
    def sample(
        self, theta: Any, /, *, seed: Any = None, latents: bool = False, **given: Any
    ) -> dict[str, Any]:
        """Data drawn by the declared laws, by name, as `fit` takes them: `sample(theta, n=100, seed=0)`.

        Args:
            theta: the parameters, a dict or a named tuple.
            seed: of the draws, a whole number or a NumPy generator.
            latents: whether the latents are among what comes back.
            given: known arrays, and the sizes that neither these nor the parameters show.

        Raises:
            DataError: a size, a parameter or a known array is lacking, or is not what it must be; the model does not say
                how its data arise.
        """
        return _drawn_data(self._model, theta, seed, given, latents=latents)

    @np.errstate(all="ignore")
    def score_samples(self, theta: Any, /, **data: Any) -> Any:
        """The log-likelihood of each row; what belongs to no row is left out.

        Raises:
            DataError: the rows of the model are not independent.
        """
        return _by_row(self._model, *_given(self._model, theta, data))

    @np.errstate(all="ignore")
    def score(self, theta: Any, /, **data: Any) -> Any:
        """The slopes of the log-likelihood of each row in the p entries of the parameters, (n, p), arrays read row by row: by
        Fisher's identity those of Q. Of a row that counts c times, c times that of one; what belongs to no row is left out.

        Raises:
            DataError: the rows of the model are not independent.
        """
        inside = _as_parameters(self._model, theta)
        return _row_scores(self._model, inside, _uncut(self._model, data, inside))[0]

    @np.errstate(all="ignore")
    def slopes(self, theta: Any, /, **data: Any) -> Any:
        """The slopes of what EM raises, the log-likelihood and the log-prior, in the p entries of the parameters, (p)."""
        inside, checked = _given(self._model, theta, data)
        return _total_score(self._model, inside, checked)

    def information(self, theta: Any, /, **data: Any) -> Information:
        """The information of data on the parameters: complete, missing and observed, (p, p) over their p entries, arrays read
        row by row; with standard errors and intervals, if theta is an estimate.
        """
        return self.information_counted(None, theta, **data)

    @np.errstate(all="ignore")
    def information_counted(self, counts: Any, theta: Any, /, **data: Any) -> Information:
        """The same of rows of which each counts so often, (n)."""
        inside = _as_parameters(self._model, theta)
        return _information(
            self._model, inside, _few_rows(self._model, _uncut(self._model, data, inside), counts)
        )

    @np.errstate(all="ignore")
    def supplemented_covariance(self, counts: Any, theta: Any, /, **data: Any) -> Any:
        """The covariance of all entries by the supplemented EM algorithm, (p, p), rows counting so often (None: once).

        Raises:
            DataError: the maximisation is conditional.
        """
        inside = _as_parameters(self._model, theta)
        few = _few_rows(self._model, _uncut(self._model, data, inside), counts)
        return _supplemented(self._model, _information(self._model, inside, few), few)

    @np.errstate(all="ignore")
    def row_scores(self, counts: Any, theta: Any, /, **data: Any) -> tuple[Any, Any]:
        """The score of each row as if it counted once, and how often it counts.

        Raises:
            DataError: the rows are not independent, or not all of the data.
        """
        inside = _as_parameters(self._model, theta)
        checked = _uncut(self._model, data, inside)
        scores, beside = _row_scores(self._model, inside, checked)
        weights, times = _times(self._model, checked, None), _times(self._model, checked, counts)
        if self._model.parts.log_prior is None and np.any(beside):
            raise DataError(
                "Some of the data belong to no row, so that the rows do not tell how much scores vary."
            )
        return scores / np.where(weights > 0, weights, 1.0)[:, None], times

    @np.errstate(all="ignore")
    def log_posterior(self, theta: Any, /, **data: Any) -> float:
        """The log-likelihood plus the log-prior, which MAP-EM raises."""
        inside, checked = _given(self._model, theta, data)
        return _objective(self._model, inside, checked, _e_step(self._model, inside, checked))

    @np.errstate(all="ignore")
    def statistics(self, theta: Any, /, **data: Any) -> Any:
        """The E-step: expected sufficient statistics at theta."""
        found = _e_step(self._model, *_given(self._model, theta, data))
        return found._replace(log_likelihood=float(found.log_likelihood))

    @np.errstate(all="ignore")
    def em_step(self, theta: Any, /, **data: Any) -> Any:
        """One EM step from theta."""
        inside, checked = _given(self._model, theta, data)
        expected, infer = _remembered(self._model, inside, checked)
        after = _maximised(self._model, expected, inside, checked, infer)
        _lost(self._model, expected, inside, checked, after, infer)
        _warn_of_undetermined(after)
        return after

    @np.errstate(all="ignore")
    def posterior(self, theta: Any, /, **data: Any) -> Any:
        """The posterior of every latent at theta."""
        return self._shown(*_given(self._model, theta, data, every_row=True))

    def _shown(self, inside: Any, checked: Any) -> Any:
        shown = _posterior(self._model, inside, checked)
        _warn_of_unknown(list(_arrays(shown)), self._model.plates.shown)
        _warn_of_blurred(_blurred(self._model, inside, checked, shown))
        return shown

    @np.errstate(all="ignore")
    def fit(  # noqa: PLR0913  the options of a fit
        self,
        source: Source | None = None,
        /,
        *,
        start: Any = None,
        tol: float = 1e-10,
        max_iter: int = 10_000,
        n_init: int = 1,
        seed: int | np.random.Generator | None = None,
        callback: Callable[[int, Any, float], Any] | None = None,
        verbose: bool = False,
        accelerate: str | None = None,
        **data: Any,
    ) -> Fit:
        """Fit by EM.

        Args:
            source: for data that come in blocks: a function that gives them anew in every pass, each a dict of arrays.
            start: the parameters to start from, a dict or Parameters; None for `n_init` random starts from `seed`.
            tol: stop when the objective changes by at most this much per observation, and the parameters, by the rate at
                which they change, are right to its root.
            max_iter: the most iterations; reaching it is not convergence.
            n_init: how many random starts.
            seed: of the random starts, a whole number or a NumPy generator.
            callback: called with (iteration, parameters, objective); where it returns True, the fit ends there.
            verbose: tell on stderr how far it has come.
            accelerate: jump ahead where that does not lower the objective: by "anderson" (Henderson & Varadhan 2019) or
                "squarem" (Varadhan & Roland 2008), or by "auto", which begins where EM is slow; None for EM alone.
            data: the arrays and sizes of the model, by name.
        """
        asked = _checked_settings(tol, max_iter, n_init, seed, callback, verbose, accelerate)
        return self._fitted(source, start, asked, data)

    @np.errstate(all="ignore")
    def fit_counted(
        self, counts: Any, /, *, settings: Mapping[str, Any], start: Any = None, **data: Any
    ) -> Fit:
        """Fit rows of which each counts so often, (n); `settings` are tol, max_iter, n_init, seed and accelerate."""
        asked = _checked_settings(**settings, callback=None, verbose=False)
        return self._fitted(None, start, asked, data, counts)

    def _fitted(
        self, source: Any, start: Any, asked: Settings, data: Mapping[str, Any], counts: Any = None
    ) -> Fit:
        with warnings.catch_warnings(record=True) as given:
            warnings.simplefilter("always")
            found, nodes = _refined(self._model, source, start, asked, data, counts)
        own = [each.message.args[0] for each in given if isinstance(each.message, EMWarning)]
        kept = {**data, **nodes} if source is None else None
        fit = Fit(self, kept, {**found, "warnings": tuple(dict.fromkeys(own))}, counts)
        for each in given:
            warnings.warn(each.message, each.category, stacklevel=_level_of_caller())
        return fit


def _level_of_caller() -> int:
    """How far up whoever asked stands, who is neither of this module nor of symem."""
    own, frame, level = {__name__.partition(".")[0], "symem", "numpy"}, sys._getframe(1), 1  # noqa: SLF001
    while frame.f_back and str(frame.f_globals.get("__name__")).partition(".")[0] in own:
        frame, level = frame.f_back, level + 1
    return level
