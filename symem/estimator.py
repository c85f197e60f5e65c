"""A model whose data share one row plate as an estimator of scikit-learn, which is an optional extra (symem[sklearn])."""

from __future__ import annotations

from functools import cached_property
from inspect import Parameter, Signature
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.utils import TransformerTags, check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from symem.errors import ModelError
from symem.language.supports import Binary

Array = np.ndarray[Any, np.dtype[Any]]
_OPTIONS = {"tol": 1e-6, "max_iter": 1000, "n_init": 1, "random_state": None}


def _has_label(estimator: Any) -> bool:
    return estimator.label is not None


def _has_means(estimator: Any) -> bool:
    return bool(estimator.means)


class EMEstimator(DensityMixin, BaseEstimator):  # type: ignore[misc]
    """EM for one model, with scikit-learn's conventions.

    X is the data array of the model, a row of X a row of its plate; what it estimates has the declared names, with an
    underscore behind: `mu_`. Sizes that X does not show, such as K, are parameters; where X is of 0 and 1, so is `binarize`:
    entries above it count as 1, as in `BernoulliNB`, and None takes 0 and 1 alone. Made by `EM.estimator`.
    """

    em: ClassVar[Any]
    X: ClassVar[str]
    label: ClassVar[str | None]
    means: ClassVar[tuple[str, ...]]
    sizes: ClassVar[tuple[str, ...]]
    #: The names and the defaults of all parameters.
    options: ClassVar[dict[str, Any]]

    def __init__(self, **given: Any) -> None:
        for name, default in self.options.items():
            setattr(self, name, given.pop(name, default))
        if given:
            raise TypeError(f"{type(self).__name__} has no parameter {next(iter(given))!r}.")

    def __reduce__(self) -> Any:
        """By the model, from which the class is made again."""
        return _made, (self.em, self.X, self.label), self.__dict__

    def fit(self, X: Any, y: Any = None) -> EMEstimator:
        """Fit by EM from `n_init` random starts.

        Args:
            X: (n, d) rows; of a model of one number a row, (n, 1).
            y: not used.
        """
        rows = self._rows(X, reset=True)
        seed = check_random_state(self.random_state).randint(2**31)
        sizes = {name: getattr(self, name) for name in self.sizes}
        options = {"tol": self.tol, "max_iter": self.max_iter, "n_init": self.n_init}
        self.fit_ = self.em.fit(**{self.X: rows}, **sizes, **options, seed=seed)
        for name, value in self.fit_.parameters._asdict().items():
            setattr(self, f"{name}_", value)
        self.converged_, self.n_iter_ = self.fit_.converged, max(self.fit_.n_iter, 1)
        return self

    def score_samples(self, X: Any) -> Array:
        """The log-likelihood of each row, (n)."""
        return np.asarray(self._fitted().score_samples(**self._given(X)))

    def score(self, X: Any, y: Any = None) -> float:
        """The mean of the rows' log-likelihoods."""
        return float(np.mean(self.score_samples(X)))

    def aic(self, X: Any) -> float:
        """2 p - 2 l of p free parameters on X: less is better."""
        return float(2 * self._fitted().n_parameters - 2 * np.sum(self.score_samples(X)))

    def bic(self, X: Any) -> float:
        """p log n - 2 l of p free parameters on the n rows of X: less is better."""
        scores = self.score_samples(X)
        return float(self._fitted().n_parameters * np.log(len(scores)) - 2 * np.sum(scores))

    @available_if(_has_label)
    def predict(self, X: Any) -> Array:
        """The most probable label of each row, (n), counted from 0."""
        return np.asarray(np.argmax(self.predict_proba(X), axis=1))

    @available_if(_has_label)
    def predict_proba(self, X: Any) -> Array:
        """The probabilities of the labels of each row, (n, K)."""
        posterior = self._fitted().posterior_of(**self._given(X))
        return np.asarray(getattr(posterior, str(self.label)))

    @available_if(_has_label)
    def fit_predict(self, X: Any, y: Any = None) -> Array:
        """Fit, then the most probable label of each row of X."""
        return np.asarray(self.fit(X, y).predict(X))

    @available_if(_has_means)
    def transform(self, X: Any) -> Array:
        """The posterior means of the latents that are no labels, (n, m), side by side."""
        found = self._fitted().predict(**self._given(X))
        columns = [getattr(found, name) if hasattr(found, "_fields") else found for name in self.means]
        return np.concatenate([np.reshape(each, (len(each), -1)) for each in columns], axis=1)

    @available_if(_has_means)
    def fit_transform(self, X: Any, y: Any = None) -> Array:
        """Fit, then the posterior means at the rows of X."""
        return np.asarray(self.fit(X, y).transform(X))

    def sample(self, n_samples: int = 1) -> Any:
        """Rows drawn from the fitted model, (n, d); where there is a label, also the labels behind them, (n)."""
        seed = np.random.default_rng(check_random_state(self.random_state).randint(2**31))
        rows = {str(self._variable.sizes[0]): n_samples}
        theta = self._fitted().parameters
        drawn = self.em.sample(theta, seed=seed, latents=True, **rows, **self._sizes_that_x_shows())
        X = np.reshape(drawn[self.X], (n_samples, -1))
        return X if self.label is None else (X, drawn[self.label] - drawn[self.label].min(initial=0))

    # -- what is read --------------------------------------------------------------------------------

    @cached_property
    def _variable(self) -> Any:
        return self.em.model.variables[self.X]

    def _rows(self, X: Any, *, reset: bool) -> Array:
        """X checked, as the model takes it; of one number a row, (n) and (n, 1) are the same."""
        checks: Any = {"reset": reset, "dtype": float, "ensure_min_samples": 2 if reset else 1}
        array = np.asarray(validate_data(self, X, ensure_2d=not self._is_of_numbers, **checks))
        if self._is_of_numbers and array.ndim == 2:
            if array.shape[1] != 1:
                raise ValueError(f"{self.X} is one number a row, but X has {array.shape[1]} columns.")
            array = array[:, 0]
        threshold = getattr(self, "binarize", None)
        return array if threshold is None else (array > threshold).astype(float)

    @property
    def _is_of_numbers(self) -> bool:
        """Whether a row is one number."""
        return len(self._variable.sizes) + len(self._variable.shape) == 1

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array, tags.input_tags.two_d_array = (
            self._is_of_numbers,
            not self._is_of_numbers,
        )
        tags.transformer_tags = TransformerTags(preserves_dtype=[]) if self.means else None
        return tags

    def _given(self, X: Any) -> dict[str, Array]:
        self._fitted()
        return {self.X: self._rows(X, reset=False)}

    def _fitted(self) -> Any:
        check_is_fitted(self, "fit_")
        return self.fit_

    def _sizes_that_x_shows(self) -> dict[str, int]:
        """The size of the columns, where no parameter shows it."""
        columns = (*self._variable.sizes[1:], *self._variable.shape)
        shown = {size for each in self.em.model.parameters for size in (*each.sizes, *each.shape)}
        return {str(size): self.n_features_in_ for size in columns if size not in shown and size.is_Symbol}


def made_for(em: Any, X: str | None, label: str | None) -> type[EMEstimator]:
    """The class of estimators of one model.

    Raises:
        ModelError: the model has data beside X, known arrays, or no rows; `label` is none of its labels.
    """
    model = em.model
    names = [each.name for each in model.data]
    X = names[0] if X is None and len(names) == 1 else X
    if X not in names or len(names) > 1:
        raise ModelError(f"An estimator has one array of data, X=; the model has {', '.join(names)}.")
    if model.known:
        raise ModelError(f"An estimator has no known arrays; the model has {model.known[0].name}.")
    variable = model.variables[X]
    labels = [each.name for each in model.latents if each.support.finite and each.sizes == variable.sizes[:1]]
    if label is not None and label not in labels:
        raise ModelError(
            f"{label!r} is no label of the rows of {X}; there are {', '.join(labels) or 'none'}."
        )
    label = labels[0] if label is None and len(labels) == 1 else label
    means = tuple(
        each.name for each in model.latents if not each.support.finite and each.sizes == variable.sizes[:1]
    )
    shown = {str(size) for size in (*variable.sizes, *variable.shape)}
    sizes = tuple(name for name in em.solver().MODEL.plates.sizes if name not in shown)
    options = {**dict.fromkeys(sizes, 1), **_OPTIONS}
    if isinstance(variable.support, Binary):
        options["binarize"] = None
    keywords = [Parameter(name, Parameter.KEYWORD_ONLY, default=default) for name, default in options.items()]

    def start(self: EMEstimator, **given: Any) -> None:
        EMEstimator.__init__(self, **given)

    start.__dict__["__signature__"] = Signature(
        [Parameter("self", Parameter.POSITIONAL_OR_KEYWORD), *keywords]
    )
    own = {"em": em, "X": X, "label": label, "means": means, "sizes": sizes, "options": options}
    return type("EMEstimator", (EMEstimator,), {**own, "__init__": start, "__module__": __name__})


def _made(em: Any, X: str, label: str | None) -> EMEstimator:
    """An estimator of that model, before its state is restored."""
    found = made_for(em, X, label)
    return found.__new__(found)
