"""What a fit found, and what it says of other rows."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from symem.runtime.description import Array
from symem.runtime.in_words import InWords
from symem.runtime.loop import DataError
from symem.runtime.saving import _as_text, _write_whole


class Fit(InWords):
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
    #: The observations that BIC counts: the rows, each as often as its weight says, or the places of chains.
    n_rows: float
    #: tol, max_iter, n_init, seed and accelerate.
    settings: Mapping[str, Any]
    #: Of a fit whose E-step is a quadrature: how many `nodes` it took, and by how much twice as many `change` log-likelihood and
    #: statistics, relative to their sizes.
    approximation: Mapping[str, Any] = {}
    #: Of data that came as words, what its labels stand for, the first label's first.
    categories: Mapping[str, tuple[Any, ...]] = {}
    #: What is known of the parameters whatever the data, by a word and a sentence: labels that may be permuted, and the like.
    remarks: tuple[tuple[str, str], ...] = ()
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
        """The same fit with these rows for its own, such as the same ones in another order.

        Parameters
        ----------
        data : dict
            arrays by declared name.

        Returns
        -------
        Fit
            another one.
        """
        found = {name: value for name, value in self.__dict__.items() if not name.startswith("_")}
        return type(self)(self._solver, data, found)

    def save(self, path: Any, *, force: bool = False) -> Path:
        """Write the fit as JSON, whole or not at all, without data: `symem.load(path, model)` reads it.

        Parameters
        ----------
        path : str or Path
            the file.
        force : bool
            whether a file that is there is replaced.

        Returns
        -------
        Path
            the file.

        Raises
        ------
        FileExistsError
            the file is there, and `force` is not set.
        """
        return _write_whole(path, self.as_text(), force=force)

    def as_text(self) -> str:
        """What `save` writes.

        Returns
        -------
        str
            JSON.
        """
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
    def posterior(self) -> Any:
        """The posterior of every latent at the rows of the fit, computed when it is first asked for."""
        if self._posterior is None:
            self._posterior = self.posterior_of()
        return self._posterior

    def posterior_of(self, frame: Any = None, /, **data: Any) -> Any:
        """The posterior of every latent at rows of data, whose weights need not be given.

        Parameters
        ----------
        frame : data frame, optional
            with columns of the declared names; of a fit that symem made.
        **data : arrays and numbers
            by declared name; none for the rows of the fit.

        Returns
        -------
        named tuple
            of each latent the probabilities (rows, outcomes), or the arguments of its law by name.
        """
        return self._solver.posterior(self.parameters, **self._given(frame, data))

    def log_likelihood_of(self, frame: Any = None, /, **data: Any) -> float:
        """The log-likelihood of data.

        Parameters
        ----------
        frame : data frame, optional
            with columns of the declared names; of a fit that symem made.
        **data : arrays and numbers
            by declared name; none for the rows of the fit.

        Returns
        -------
        float
            the sum over the rows.
        """
        return float(self._solver.log_likelihood(self.parameters, **self._given(frame, data)))

    def predict(self, frame: Any = None, /, **data: Any) -> Any:
        """The most probable value of a label at rows of data, the posterior mean of other latents, counts among them.

        Parameters
        ----------
        frame : data frame, optional
            with columns of the declared names; of a fit that symem made.
        **data : arrays and numbers
            by declared name; none for the rows of the fit.

        Returns
        -------
        array or named tuple
            an array where there is one latent, else a record of arrays by name. What was seen of data that may be
            missing is told as it was.
        """
        return self._solver.predict(self.parameters, **self._given(frame, data))

    def decode(self, frame: Any = None, /, **data: Any) -> Any:
        """The most probable labels of each chain or tree together (Viterbi 1967).

        Parameters
        ----------
        frame : data frame, optional
            with columns of the declared names; of a fit that symem made.
        **data : arrays and numbers
            by declared name; none for the rows of the fit.

        Returns
        -------
        array or named tuple
            labels, as the model counts them, in the shape of the chain: an array where there is one, else a record by name.
        """
        return self._solver.decode(self.parameters, **self._given(frame, data))

    def score_samples(self, frame: Any = None, /, **data: Any) -> Any:
        """The log-likelihood of each row.

        Parameters
        ----------
        frame : data frame, optional
            with columns of the declared names; of a fit that symem made.
        **data : arrays and numbers
            by declared name; none for the rows of the fit.

        Returns
        -------
        array
            (n); of a row that counts c times, c times that of one.
        """
        return self._solver.score_samples(self.parameters, **self._given(frame, data))

    def plot(self, /, *, what: str | None = None, ax: Any = None, **data: Any) -> Any:
        """Pictures of the fit beside one another, each if there is something to draw.

        Parameters
        ----------
        what : str, optional
            the one that is wanted: "objective", over the iterations; "data", a histogram under the density and its
            components, lines around the components of pairs, a number over the one that it hangs on; "posterior", the
            probabilities of a label by value or by row; "latents", posterior means.
        ax : matplotlib.axes.Axes, optional
            where one is drawn, that of the data if `what` does not say.
        **data : arrays and numbers
            other data than those of the fit.

        Returns
        -------
        matplotlib.figure.Figure or matplotlib.axes.Axes
            the figure; of one picture its axes.

        Raises
        ------
        DataError
            symem or matplotlib is not installed; there is no such picture.
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
        """Data drawn from the model at the estimate: `fit.sample(n=100, seed=0)`.

        Parameters
        ----------
        frame : None
            what is known is given by name.
        seed : int or numpy.random.Generator, optional
            of the draws.
        latents : bool
            whether the latents are among what comes back.
        **given : arrays and numbers
            sizes and known arrays; numbers that all rows share are those of the fit unless they are given.

        Returns
        -------
        dict
            arrays by declared name.

        Raises
        ------
        DataError
            a size or a known array is lacking; the model does not say how its data arise.
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
