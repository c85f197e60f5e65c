"""What may be asked of an algorithm: whether it is right, and whether somebody else's is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from symem.auditing.audit import Audit
    from symem.derivation.identifiability import Identifiability


class Examination:
    """Questions to an algorithm, answered with numbers."""

    def verify(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        theta: Mapping[str, Any] | None = None,
        sizes: Mapping[str, int] | None = None,
        seed: int = 0,
        seconds: float = 10.0,
    ) -> Any:
        """Climb the ladder of identities V0 to V6 at random θ⁽ᵗ⁾, against the declared model.

        Parameters
        ----------
        data : dict, optional
            arrays by declared name; without them they are drawn from the model.
        theta : dict, optional
            parameters near which to check.
        sizes : dict, optional
            sizes that neither data nor theta show, such as K.
        seed : int
            of everything random.
        seconds : float
            that a rung may take; one that takes longer is open.

        Returns
        -------
        Any
            a `Verification`: `passed`, `verdict`, `rungs`, and as text a line for each with its number.
        """
        from symem.verification import verify

        return verify(self, data, theta=theta, sizes=sizes, seed=seed, seconds=seconds)

    @cached_property
    def _remarks(self) -> tuple[tuple[str, str], ...]:
        """What summaries of fits say of the parameters before any data are seen."""
        return tuple(replace(self.identifiability(points=0), ends=()).lines())

    def identifiability(
        self,
        *,
        sizes: Mapping[str, int] | None = None,
        points: int = 3,
        seed: int = 0,
        seconds: float = 10.0,
    ) -> Identifiability:
        """What data can tell of the parameters, and what not: labels that may be permuted, sums and products that alone are
        identified, rotations, likelihoods without a maximum.

        Permutations, and what has no maximum, are read off the formulas and proved. The rank is checked: at random points the
        scores of samples from the model are 0 in those directions in which ℓ does not change.

        Parameters
        ----------
        sizes : dict, optional
            sizes at which the rank is taken, such as K; small ones by default.
        points : int
            how many random points; of 0 nothing is checked, and it does not take long.
        seed : int
            of everything random.
        seconds : float
            that the rank may take.

        Returns
        -------
        Identifiability
            an `Identifiability`: `exchanges`, `unidentified`, `unbounded`, `ends`, `rank`; as text a line for each finding.

        References
        ----------
        Rothenberg 1971, Econometrica 39:577; Stephens 2000, Journal of the Royal Statistical Society B 62:795.
        """
        from symem.calculus.identifiable import identifiable
        from symem.verification.rank_of_scores import rank_of_scores

        algorithm: Any = self
        rank = (
            rank_of_scores(self, sizes or {}, points=points, seed=seed, seconds=seconds) if points else None
        )
        return identifiable(algorithm.derivation, rank)

    def audit(
        self,
        updates: Mapping[Any, Any] | None = None,
        *,
        step: Callable[..., Any] | None = None,
        log_likelihood: Callable[..., Any] | None = None,
        data: Mapping[str, Any] | None = None,
        theta: Mapping[str, Any] | None = None,
        sizes: Mapping[str, int] | None = None,
        seed: int = 0,
    ) -> Audit:
        """Hold somebody else's algebra or code against the derivation.

        Parameters
        ----------
        updates : dict, optional
            parameter -> its update, in the user's symbols, data and responsibilities:
            `em.posterior[z]`, or `gamma[i, k]` as in a report. Other parameters have the values that
            they have there in a report, which are the new ones unless the maximisation is conditional;
            `mu_old` is that of θ⁽ᵗ⁾.
        step : function, optional
            a function `(theta, **data)` -> the parameters of θ⁽ᵗ⁺¹⁾ as a named tuple, a dict or a tuple
            in the declared order, or a pair of these and the log-likelihood at θ⁽ᵗ⁺¹⁾. theta is a named
            tuple.
        log_likelihood : function, optional
            a function `(theta, **data)` -> ℓ(θ).
        data : dict, optional
            as in `verify`, and so the others.
        theta : dict, optional
            parameters near which to try.
        sizes : dict, optional
            sizes that neither data nor theta show, such as K.
        seed : int
            of everything random.

        Returns
        -------
        Audit
            an `Audit`: `verdict` is "proved" (formulas only), "agrees" (at so many `points`) or
            "refuted", then with the smallest `counterexample` found, and with the `mistake` if a known
            one gives these very values.

        Raises
        ------
        DataError
            a function raises, or returns something else; no data could be drawn.
        ModelError
            a formula holds a symbol that the model has not.
        """
        from symem.auditing.audit import audit, claims_of

        return audit(self, claims_of(self, updates, step, log_likelihood), data, theta, sizes, seed)
