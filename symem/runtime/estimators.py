"""A model with scikit-learn's conventions, without importing it: a row of X is a row of the data."""

from __future__ import annotations

import importlib
import inspect
from typing import Any, ClassVar

import numpy as np

from symem.runtime.loop import DataError
from symem.runtime.rows_of_x import (
    _as_table,
    _Columns,
    _in_one_order,
    _not_fitted,
    _seed_of,
    _weights_of,
)
from symem.runtime.solver import Solver

_SETTINGS = {"tol": 1e-6, "max_iter": 1000, "n_init": 1, "random_state": None, "accelerate": None}


class _Estimator:
    """EM for one model: `Estimator(K=3, random_state=0).fit(X)`, in pipelines, searches and clones as those of scikit-learn.

    The arrays of the data stand side by side in X, in the order in which they are declared, or where the columns of a frame
    have their names. `columns` says otherwise: the column of the one array, or {"x": 0, "y": ["b", "c"]}, by number or name. What a fit estimates has the declared names,
    with an underscore behind: `mu_`. Sizes that X does not show, such as K, and known numbers are parameters; so is
    `binarize` where X is of 0 and 1: entries above it count as 1. `random_state` is None, a whole number, a Generator or
    a RandomState. Rows in another order, repeated rows, and rows of that `sample_weight` give the same fit.
    """

    _solver: ClassVar[Solver]
    #: The labels of the rows.
    labels: ClassVar[tuple[str, ...]]
    _means: ClassVar[tuple[str, ...]]
    #: The names and the defaults of all parameters.
    _defaults: ClassVar[dict[str, Any]]

    def __init__(self, /, **given: Any) -> None:
        if self._solver.model.plates.rows is None:
            raise DataError("The data of this model are not cut into independent rows, so X has none.")
        if self._solver.model.plates.ragged:
            raise DataError(
                "Rows of X are of one length, and the sequences of this model of several: give them to fit."
            )
        for name, default in self._defaults.items():
            setattr(self, name, given.pop(name, default))
        if given:
            raise TypeError(f"{type(self).__name__} has no parameter {next(iter(given))!r}.")

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: FBT001, FBT002  the protocol
        """The parameters by name."""
        return {name: getattr(self, name) for name in self._defaults}

    def set_params(self, **given: Any) -> _Estimator:
        """Change parameters.

        Raises:
            ValueError: there is none of that name.
        """
        for name in given:
            if name not in self._defaults:
                valid = list(self._defaults)
                raise ValueError(
                    f"Invalid parameter {name!r} for estimator {self!r}. Valid parameters are: {valid!r}."
                )
        self.__dict__.update(given)
        return self

    def __repr__(self) -> str:
        changed = [(name, getattr(self, name)) for name in self._defaults]
        told = [f"{name}={value!r}" for name, value in changed if repr(value) != repr(self._defaults[name])]
        return f"{type(self).__name__}({', '.join(told)})"

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn asks of an estimator; it is only then imported."""
        utils, columns = importlib.import_module("sklearn.utils"), self._columns
        missing = any(spec.missing for spec in columns.arrays.values())
        return utils.Tags(
            estimator_type="density_estimator",
            target_tags=utils.TargetTags(required=False),
            transformer_tags=utils.TransformerTags(preserves_dtype=[]) if self._means else None,
            classifier_tags=None,
            regressor_tags=None,
            input_tags=utils.InputTags(
                one_d_array=columns.is_one, two_d_array=not columns.is_one, allow_nan=missing
            ),
        )

    # -- fitting -------------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Fit by EM from `n_init` random starts.

        Args:
            X: (n, d) rows; of a model of one number a row, also (n).
            y: not used.
            sample_weight: (n), how often each row counts; rows of 0 are as if absent.

        Raises:
            DataError: X is not what the model can take.
        """
        table = self._table(X, reset=True)
        weights = _weights_of(sample_weight, len(table))
        rows, counts = _in_one_order(table, weights)
        settings = {name: getattr(self, name) for name in ("tol", "max_iter", "n_init", "accelerate")}
        settings["seed"] = _seed_of(self.random_state)
        once = self._solver.model.weights or np.all(counts == 1)
        fit = self._solver.fit_counted(
            None if once else counts, settings=settings, **self._data(rows, counts)
        )
        self.fit_ = fit.beside(self._data(table, weights))
        for name, value in self.fit_.parameters._asdict().items():
            setattr(self, f"{name}_", value)
        self.converged_, self.n_iter_ = self.fit_.converged, max(self.fit_.n_iter, 1)
        return self

    def score_samples(self, X: Any) -> Any:
        """The log-likelihood of each row, (n)."""
        return np.asarray(self._fitted().score_samples(**self._given(X)))

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """The mean of the rows' log-likelihoods, each as often as it counts."""
        scores = self.score_samples(X)
        counts = _weights_of(sample_weight, len(scores))
        return float(np.average(scores[counts > 0], weights=counts[counts > 0]))

    def aic(self, X: Any) -> float:
        """2 p - 2 l of p free parameters on X: less is better."""
        return float(2 * self._fitted().n_parameters - 2 * np.sum(self.score_samples(X)))

    def bic(self, X: Any) -> float:
        """p log n - 2 l of p free parameters on the n rows of X: less is better."""
        scores = self.score_samples(X)
        return float(self._fitted().n_parameters * np.log(len(scores)) - 2 * np.sum(scores))

    def sample(self, n_samples: int = 1) -> Any:
        """Rows drawn from the fitted model, (n, d); where there is a label, also the labels behind them, (n)."""
        theta, model = self._fitted().parameters, self._solver.model
        shown = {
            str(model.plates.rows): n_samples,
            **self._columns.sizes(self.n_features_in_),
            **self._sizes(),
        }
        asked = model.draws if isinstance(model.draws, str) else model.draws.sizes
        sizes = {name: size for name, size in shown.items() if name in asked}
        drawn = self._solver.sample(
            theta, seed=_seed_of(self.random_state), latents=True, **sizes, **self._known()
        )
        X = self._columns.together(drawn, n_samples, self.n_features_in_)
        label = getattr(self, "label", None)
        return X if label is None else (X, drawn[label] - np.min(drawn[label], initial=0))

    # -- what is read --------------------------------------------------------------------------------

    n_features_in_: int
    fit_: Any
    random_state: Any

    @property
    def _columns(self) -> _Columns:
        model = self._solver.model
        rows = model.plates.rows
        arrays = {n: spec for n, spec in model.data.items() if rows in spec.shape and n not in model.weights}
        return _Columns(
            arrays, rows, getattr(self, "columns", None), getattr(self, "feature_names_in_", None)
        )

    def _known(self) -> dict[str, Any]:
        """What all rows share."""
        rows, data = self._solver.model.plates.rows, self._solver.model.data
        found = {name: getattr(self, name) for name, spec in data.items() if rows not in spec.shape}
        for name, value in found.items():
            if value is None:
                raise DataError(f"{name} is missing: give {name}=… to {type(self).__name__}.")
        return found

    def _sizes(self) -> dict[str, Any]:
        return {
            name: getattr(self, name) for name in self._solver.model.plates.sizes if name in self._defaults
        }

    def _table(self, X: Any, *, reset: bool) -> Any:
        """X checked; entries above `binarize` as 1."""
        columns = self._columns
        missing = any(spec.missing for spec in columns.arrays.values())
        table = _as_table(self, X, reset=reset, one=columns.is_one, missing=missing)
        threshold = getattr(self, "binarize", None)
        return table if threshold is None else (table > threshold).astype(float)

    def _given(self, X: Any) -> dict[str, Any]:
        self._fitted()
        table = self._table(X, reset=False)
        return self._data(table, np.ones(len(table)))

    def _data(self, table: Any, counts: Any) -> dict[str, Any]:
        """Rows as the model takes them, with all that they share."""
        rows = self._columns.apart(table)
        weights = dict.fromkeys(self._solver.model.weights, counts)
        return {**rows, **self._known(), **weights, **self._sizes()}

    def _fitted(self) -> Any:
        if not hasattr(self, "fit_"):
            raise _not_fitted(type(self).__name__)
        return self.fit_


class _Labelled(_Estimator):
    """A model whose rows have a label."""

    label: str

    def predict(self, X: Any) -> Any:
        """The most probable label of each row, (n), counted from 0."""
        return np.argmax(self.predict_proba(X), axis=1)

    def predict_proba(self, X: Any) -> Any:
        """The probabilities of the labels of each row, (n, K)."""
        return np.asarray(getattr(self._fitted().posterior_of(**self._given(X)), self.label))

    def fit_predict(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Fit, then the most probable label of each row of X."""
        self.fit(X, y, sample_weight)
        return self.predict(X)


class _Transformer(_Estimator):
    """A model whose rows have latents that are no labels."""

    def transform(self, X: Any) -> Any:
        """The posterior means of the latents that are no labels, (n, m), side by side."""
        found = self._fitted().predict(**self._given(X))
        columns = [getattr(found, name) if hasattr(found, "_fields") else found for name in self._means]
        return np.concatenate([np.reshape(each, (len(each), -1)) for each in columns], axis=1)

    def fit_transform(self, X: Any, y: Any = None, sample_weight: Any = None) -> Any:
        """Fit, then the posterior means at the rows of X."""
        self.fit(X, y, sample_weight)
        return self.transform(X)


def _estimator(solver: Solver, labels: tuple[str, ...] = (), means: tuple[str, ...] = ()) -> type[Any]:
    """The class for one model: the labels of its rows, and the other latents that they have."""
    model = solver.model
    rows = [spec for spec in model.data.values() if model.plates.rows in spec.shape]
    shared = {name: spec for name, spec in model.data.items() if model.plates.rows not in spec.shape}
    shown = {size for spec in model.data.values() for size in spec.shape}
    defaults: dict[str, Any] = {name: 1 for name in model.plates.sizes if name not in shown}
    defaults |= {**dict.fromkeys(shared), **_SETTINGS, "columns": None}
    if labels:
        defaults["label"] = labels[0]
    if rows and all(spec.kind == "binary" for spec in rows):
        defaults["binarize"] = None
    bases = (*((_Labelled,) if labels else ()), *((_Transformer,) if means else ())) or (_Estimator,)
    own = {"_solver": solver, "labels": labels, "_means": means, "_defaults": defaults}
    made = type("Estimator", bases, {**own, "__doc__": _Estimator.__doc__, "__module__": solver.__module__})
    made.__init__ = _with_signature(defaults)  # type: ignore[misc]
    return made


def _with_signature(defaults: dict[str, Any]) -> Any:
    """The constructor, with its parameters where those look who ask for them."""

    def __init__(self: Any, /, **given: Any) -> None:  # noqa: N807
        _Estimator.__init__(self, **given)

    keywords = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=each)
        for name, each in defaults.items()
    ]
    own = inspect.Parameter("own" if "self" in defaults else "self", inspect.Parameter.POSITIONAL_ONLY)
    __init__.__dict__["__signature__"] = inspect.Signature([own, *keywords])
    return __init__
