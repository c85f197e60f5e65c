"""What comes back from a derivation: formulas, documents, a module, and what is done with it: fits, draws, checks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from symem.blockwise import is_dask, read_blocks, reader_of
from symem.budget import deriving
from symem.derivation import Derivation
from symem.derive import check_ways, derive_records
from symem.emission import Emission
from symem.errors import DataError, ModelError
from symem.examination import Examination
from symem.language import model as stated
from symem.tables import Categories, arrays_of, names_columns, read_frame
from symem.user_formulas import Formulas

if TYPE_CHECKING:
    import numpy as np

    from symem.runtime.results import Fit
    from symem.runtime.standard_errors import Information
    from symem.solvers import EmittedModule

Style = Literal["module", "plain"]
Runtime = Literal["own", "shared"]
Numeric = bool | Literal["gradient"]

#: What a pickle has beside the model.
_KEPT = ("_numeric", "_approximate", "_source", "_first_look", "_remarks")


class Model(stated.Model):  # its two doors are those of the statement
    __doc__ = stated.Model.__doc__

    def derive(
        self, *, budget: float | None = None, numeric: Numeric = True, approximate: str | None = None
    ) -> EM:
        """Derive EM for this model.

        Parameters
        ----------
        budget : float, optional
            seconds of processor time, by default 10; `math.inf` for no limit.
        numeric : bool or "gradient", default True
            whether a parameter without a formula is found as a number: the root of a falling equation, or the
            maximum of a concave block by Newton's method. If not, it is in `derivation.not_derived`, with the reason.
            With "gradient" one of Newton's steps is taken, which raises Q and does not maximise it: the EM
            gradient algorithm (Lange 1995, Journal of the Royal Statistical Society B 57:425).
        approximate : {"quadrature", "mean field"}, optional
            what is done where no order of elimination works. With "quadrature" latents whose conditional is
            of no family, one or two at a position, are summed over the nodes of an adaptive Gauss-Hermite
            rule, or a window of whole numbers; a fit takes twice as many until these change nothing. With
            "mean field" some latents get factors of their own, and a free energy is raised (Saul & Jordan
            1996). All that follows is then an approximation, and said to be one.

        Returns
        -------
        EM
            its formulas, documents, module and fits. A parameter without an update is told there, not here.

        Raises
        ------
        NotDerivedError
            the E-step has no closed form; the message names the latent and its log-density.
        BudgetError
            it took longer; the message says where it stood.
        """
        return derive(self, budget=budget, numeric=numeric, approximate=approximate)


def derive(
    model: stated.Model,
    *,
    budget: float | None = None,
    numeric: Numeric = True,
    approximate: str | None = None,
) -> EM:
    """What `Model.derive` gives, of any statement."""
    check_ways(numeric, approximate)
    with deriving(budget):
        derivation = derive_records(model, numeric=numeric, approximate=approximate)
    return EM(derivation, numeric=numeric, approximate=approximate)


class EM(Formulas, Examination, Emission):
    """An EM algorithm: E-step, Q, M-step, likelihood, and what can be made of them.

    Formulas are in the user's symbols. In `posterior`, `explicit` and `log_likelihood` a parameter means its
    value at θ⁽ᵗ⁾; in `Q` it is the new one, θ⁽ᵗ⁾ being hidden in the statistics (`written_out` shows it).
    `Model.derive` makes it.

    Parameters
    ----------
    derivation : Derivation
        the record of what was derived.
    numeric : bool or "gradient", default True
        whether parameters without a formula are found as numbers, as in `Model.derive`.
    approximate : {"quadrature", "mean field"}, optional
        what is done where no order of elimination works, as in `Model.derive`.

    References
    ----------
    Dempster, Laird & Rubin 1977, Journal of the Royal Statistical Society B 39:1.
    """

    _approximate: str | None = None

    def __init__(
        self, derivation: Derivation, *, numeric: Numeric = True, approximate: str | None = None
    ) -> None:
        self._numeric, self._approximate = numeric, approximate
        self.derivation = derivation
        self.model = derivation.model
        self._module: EmittedModule | None = None

    def __getstate__(self) -> dict[str, Any]:
        """The model, and the text of the module with what a first look showed: all else follows when it is asked for."""
        if "derivation" in self.__dict__:
            _ = self._remarks
        return {"model": self.model, **{name: self.__dict__.get(name) for name in _KEPT}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        kept = {name: value for name, value in state.items() if value is not None}
        self.__dict__.update(kept, _module=None)

    @cached_property
    def derivation(self) -> Derivation:
        """The record of what was derived."""
        return derive_records(self.model, numeric=self._numeric, approximate=self._approximate)

    def fit(  # noqa: PLR0913  the options of a fit
        self,
        frame: Any = None,
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
        client: Any = None,
        **data: Any,
    ) -> Fit:
        """Fit by the emitted module: `fit(x=data, K=2, seed=0)`, or `fit(frame, x="eruptions", K=2)`.

        Parameters
        ----------
        frame : data frame or function, optional
            of pandas, polars or Dask; arrays are its columns of their own names, or the columns that
            `data` names; or a function that gives blocks of rows anew in every pass, as frames, dicts
            of arrays, or arrays: parts of a memory map, or `lambda: (b.to_pandas() for b in
            pyarrow.parquet.ParquetFile(path).iter_batches())`.
        start : dict or named tuple, optional
            the parameters to start from, by name; None for `n_init` random starts from `seed`.
        tol : float
            stop when the objective changes by at most this much per observation, and what is left is
            short.
        max_iter : int
            the most iterations; reaching it is not convergence.
        n_init : int
            how many random starts.
        seed : int or numpy.random.Generator, optional
            of the random starts.
        callback : function, optional
            called with (iteration, parameters, objective); where it returns True, the fit ends there.
        verbose : bool
            tell on stderr how far it has come: one line on a terminal, lines elsewhere.
        accelerate : {"anderson", "squarem", "auto"}, optional
            jump ahead where that does not lower the objective; None for EM alone.
        client : distributed.Client, optional
            of `dask.distributed` (symem[dask]): the rows stay on its workers, as partitions of a Dask
            frame or of Dask arrays, or as blocks that each worker reads of the function; Dask
            collections need not name it.
        **data : arrays and numbers
            the arrays and sizes of the model, by name; words in an array of labels become labels.

        Returns
        -------
        Fit
            a `Fit`: estimates with the shapes of the declared arrays, in the units of the data, and
            what follows from them.

        Raises
        ------
        DataError
            an array, size or start that the model cannot take.
        NotDerivedError
            a parameter has no update.
        VerificationError
            the module does not compute what the formulas say.
        """
        source, categories, arrays = self._read(frame, data, client)
        asked: Any = {"tol": tol, "max_iter": max_iter, "n_init": n_init, "seed": seed, "verbose": verbose}
        asked["accelerate"] = accelerate
        fit = self.solver().fit(source, start=start, callback=callback, **asked, **arrays)
        columns = {name: value for name, value in data.items() if names_columns(value)}
        return self._beside(fit, categories, {} if frame is None else columns)

    def _read(self, frame: Any, data: Mapping[str, Any], client: Any) -> tuple[Any, Categories, Any]:
        """Where the rows come from if they are not held, what labels mean, and the arrays that are held."""
        if client is not None or any(map(is_dask, [frame, *data.values()])):
            try:
                from symem.distributed import read_parts
            except ImportError:
                raise DataError("Data on a cluster need dask: pip install 'symem[dask]'.") from None
            source, reader, shared = read_parts(frame, self.model, data, self.solver(), client)
            return source, reader.categories, shared
        if callable(frame):
            reader, shared = reader_of(self.model, data)
            reader, source = read_blocks(frame, reader)
            return source, reader.categories, shared
        table = read_frame(frame, self.model, data)
        return None, table.categories, table.arrays

    def load(self, path: str | Path) -> Fit:
        """A fit of this model that `Fit.save` wrote.

        Parameters
        ----------
        path : str or Path
            the file.

        Returns
        -------
        Fit
            without data of its own.

        Raises
        ------
        DataError
            the file holds no fit, or that of another model.
        """
        fit = self.solver().load(path)
        return self._beside(fit, fit.categories, {})

    def _beside(self, fit: Fit, categories: Mapping[str, tuple[Any, ...]], columns: Mapping[str, Any]) -> Fit:
        """A fit that reads frames and words."""
        fit.categories, fit.remarks = categories, self._remarks
        fit.reader = partial(arrays_of, self.model, categories, columns)
        return fit

    def sample(
        self,
        theta: Any,
        /,
        *,
        seed: int | np.random.Generator | None = None,
        latents: bool = False,
        **given: Any,
    ) -> dict[str, Any]:
        """Data drawn from the declared model at θ, by the emitted module: `sample(fit.parameters, n=100, seed=0)`.

        Parameters
        ----------
        theta : dict or named tuple
            the parameters, by name.
        seed : int or numpy.random.Generator, optional
            of the draws.
        latents : bool
            whether the latents are among what comes back.
        **given : arrays and numbers
            known arrays, and the sizes that neither these nor the parameters show.

        Returns
        -------
        dict
            arrays by declared name, as `fit` takes them.

        Raises
        ------
        ModelError
            the model does not say how its data arise.
        DataError
            a size, a parameter or a known array is lacking, or is not what it must be.
        """
        if isinstance(self._drawing.MODEL.draws, str):
            raise ModelError(self._drawing.MODEL.draws)
        found: dict[str, Any] = self._drawing.sample(theta, seed=seed, latents=latents, **given)
        return found

    def information(self, at: Any, /, **data: Any) -> Information:
        """What the data say of the parameters at an estimate: standard errors, intervals, what is missing.

        Parameters
        ----------
        at : Any
            a fit, whose data are taken if none are given; or parameters by name.
        **data : Any
            arrays by declared name, and sizes that neither these nor the parameters show.

        Returns
        -------
        Information
            an `Information`: `standard_errors`, `intervals(0.95)` and `covariance`, the `complete`, the
            `missing` and the `observed` information, the `rate` of EM; as text a line for each entry.
            What lies at an end of its support is held and has no standard error, nor has what a flat
            direction moves: `notes` name both. At a saddle there are none at all: `message` says why.

        Raises
        ------
        DataError
            an array or a parameter is lacking, or the fit was read without data or of blocks.
        """
        if hasattr(at, "information_of"):
            found: Information = at.information_of(**data) if data else at.information
            return found
        return self.solver().information(at, **data)

    def estimator(self, *, X: str | None = None, label: str | None = None, **options: Any) -> Any:
        """The model with scikit-learn's conventions, `em.estimator(K=3, random_state=0).fit(X)`: the module's `Estimator`.

        Parameters
        ----------
        X : str, optional
            the array of the model that X is, where that is to be said.
        label : str, optional
            the latent that `predict` tells, if several are labels of the rows.
        **options : Any
            sizes that X does not show, such as K, and known numbers; tol, max_iter, n_init, random_state, accelerate; columns;
            binarize of 0/1 data.

        Returns
        -------
        Estimator
            not fitted: `fit`, `predict`, `predict_proba`, `score`, `sample`, `get_params`, as far as the model has them.

        Raises
        ------
        ModelError
            the model has no such array, or no such label.
        DataError
            the data of the model are not cut into independent rows.
        """
        made, data = self.solver().Estimator, [each.name for each in self.model.data]
        if X is not None and data != [X]:
            raise ModelError(f"X={X!r} is not all data of the model: it has {', '.join(data)}.")
        if label is not None and label not in made.labels:
            raise ModelError(
                f"{label!r} is no label of the rows; there are {', '.join(made.labels) or 'none'}."
            )
        return made(**options, **({} if label is None else {"label": label}))
