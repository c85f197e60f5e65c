"""What an emitted module offers, for editors that complete and checkers that check."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from symem.errors import DataError
from symem.runtime.blocks import Source
from symem.runtime.description import Model
from symem.runtime.results import Fit
from symem.runtime.standard_errors import Information


class EmittedModule(Protocol):
    """The functions of a module, loaded or imported: θ is a dict or a named tuple, data and sizes are given by name.

    Its records `Parameters`, `Statistics` and `Posterior` have the names of its model, so that they are known to it alone.
    """

    MODEL: Model
    DataError: type[DataError]
    Parameters: Any
    Statistics: Any
    Posterior: Any
    #: The model with scikit-learn's conventions.
    Estimator: Any
    #: Samplers of laws that are not symem's own.
    SAMPLERS: dict[str, Any]

    def log_likelihood(self, theta: Any, /, **data: Any) -> float:
        """ℓ(θ) of data."""

    def score_samples(self, theta: Any, /, **data: Any) -> Any:
        """The log-likelihood of each row, (n)."""

    def score(self, theta: Any, /, **data: Any) -> Any:
        """The slopes of the log-likelihood of each row in the entries of the parameters, (n, p)."""

    def information(self, theta: Any, /, **data: Any) -> Information:
        """Complete, missing and observed information over the entries of the parameters, (p, p)."""

    def posterior(self, theta: Any, /, **data: Any) -> Any:
        """The posterior of every latent, a record of arrays."""

    def predict(self, theta: Any, /, **data: Any) -> Any:
        """The most probable label, the posterior mean of other latents."""

    def sample(
        self, theta: Any, /, *, seed: Any = None, latents: bool = False, **given: Any
    ) -> dict[str, Any]:
        """Data drawn by the declared laws, by name."""

    def statistics(self, theta: Any, /, **data: Any) -> Any:
        """The E-step: expected sufficient statistics."""

    def merge(self, a: Any, b: Any, /) -> Any:
        """The statistics of two parts of the data together."""

    def m_step(self, statistics: Any, /, *before: Any, **known: Any) -> Any:
        """The parameters that maximise Q; `before` are those of θ⁽ᵗ⁾ where the maximisation is conditional."""

    def em_step(self, theta: Any, /, **data: Any) -> Any:
        """One step."""

    def load(self, path: Any, /) -> Fit:
        """A fit that was saved."""

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
        """Fit by EM."""

    def __getattr__(self, name: str) -> Any:
        """What else stands in it: `log_posterior` where there is a prior, warnings, the functions of its model."""
