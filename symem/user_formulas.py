"""The formulas of a derivation in the user's symbols: the posterior, Q, the updates, the log-likelihood."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from sympy import Expr, diff, factor_terms

from symem.budget import deriving
from symem.calculus.exponential_families import family_of, in_symbols
from symem.derivation import (
    Certificate,
    Derivation,
    ExponentialFamily,
    InformationBlock,
    NoExponentialFamily,
    Step,
)
from symem.errors import NotDerivedError
from symem.explicit import Explicit
from symem.language.family import Distribution
from symem.language.model import Model
from symem.language.operators import sized
from symem.lookup import ByName, ByPair, Updates
from symem.posteriors import as_distribution, of_factor


class Formulas:
    """What has a derivation, as formulas."""

    model: Model

    @property
    def derivation(self) -> Derivation:
        """The record of what was derived."""
        raise NotImplementedError

    @cached_property
    def _explicit(self) -> Explicit:
        return Explicit(self.derivation)

    @cached_property
    def posterior(self) -> Mapping[Any, Distribution]:
        """latent -> its posterior, a `Distribution` with arguments in data and θ⁽ᵗ⁾, at each place of its plates.

        A symbol, an entry of an array or a name is taken: `em.posterior[z]`, `em.posterior["z"]`. Where a factor of a mean
        field stands for it, it is that.
        """
        found, shown = self.derivation.posteriors, (self._explicit.internal, self._explicit.user)
        laws = {p.latent.name: (p.latent.declared, as_distribution(p, *shown)) for p in found}
        factors = self.derivation.mean_field
        return ByName(laws | {f.latent.name: (f.latent.declared, of_factor(f, shown[0])) for f in factors})

    @property
    def approximation(self) -> str:
        """What of all this is an approximation, in a sentence; empty where nothing is."""
        return self.derivation.approximation

    @cached_property
    def Q(self) -> Expr:
        """The surrogate of θ given θ⁽ᵗ⁾: new parameters against the expected statistics of `statistics`.

        References
        ----------
        Dempster, Laird & Rubin 1977, section 2.
        """
        return self._explicit.user(self.derivation.surrogate.value + self.derivation.surrogate.constant)

    @cached_property
    def entropy(self) -> Expr:
        """H(q) of q = p(z|x, θ⁽ᵗ⁾); Q(θ⁽ᵗ⁾|θ⁽ᵗ⁾) + H(q) = ℓ(θ⁽ᵗ⁾)."""
        return self._explicit.user(self.derivation.surrogate.entropy)

    @cached_property
    def free_energy(self) -> Expr:
        """F(q, θ) = Q + H(q) (Neal & Hinton 1998); its M-step is that of Q."""
        return self.Q + self.entropy

    @cached_property
    def statistics(self) -> Mapping[Any, Expr]:
        """statistic -> its sum over data and posterior means; squares are about means (Chan, Golub & LeVeque 1983)."""
        shown = {
            self._explicit.user(s.symbol): self._explicit.user(s.value)
            for s in self.derivation.surrogate.statistics
        }
        return {symbol: sized(value, symbol) for symbol, value in shown.items()}

    @cached_property
    def updates(self) -> Mapping[Any, Expr]:
        """parameter -> θ⁽ᵗ⁺¹⁾ in terms of the statistics, at each place of its plates.

        Keys are whole arrays, or entries where each has an update of its own.

        Raises
        ------
        NotDerivedError
            on asking for a parameter without a closed form; the message says why.
        """
        return Updates(self.derivation)

    @cached_property
    def score(self) -> Mapping[Any, Expr]:
        """parameter -> the slope of ℓ in it that one row adds, in data, posterior means and θ, at each place of its plates; of
        all data, in their statistics, where these are no independent rows. In MAP-EM the slope of the log-prior comes beside.

        By Fisher's identity it is that of Q(θ|θ⁽ᵗ⁾) at θ = θ⁽ᵗ⁾; `written_out` shows it in data and θ alone. Of a symmetric
        matrix Σ it is the symmetric G of dℓ = tr(G dΣ).

        Source: Dempster, Laird & Rubin 1977, section 3; Louis 1982.
        """
        told = ((each.parameter, (each.row or each.definition).value) for each in self.derivation.scores)
        return Updates(self.derivation, told)

    @cached_property
    def complete_information(self) -> Mapping[tuple[Any, Any], Expr]:
        """Two parameters -> the information on them that complete data would have, -∂²Q/∂θ∂θ' at θ = θ⁽ᵗ⁾ with its statistics
        held, at the places of both; in MAP-EM that of the log-prior is part of it.

        Source: Orchard & Woodbury 1972; Louis 1982, section 3.
        """
        told = ((each.parameters, each.complete.value) for each in self._informed.information)
        return ByPair(self.derivation, told)

    @cached_property
    def missing_information(self) -> Mapping[tuple[Any, Any], Expr]:
        """Two parameters -> what of it is missing: the posterior covariance of the scores of complete data, in data, posteriors
        and θ. `written_out` shows it in data and θ alone.

        Raises
        ------
        NotDerivedError
            on asking for two parameters of which it has no closed form; `fit.information` has it as a number.

        References
        ----------
        Louis 1982, equation 3.1.
        """
        told = ((each.parameters, _missing(each)) for each in self._informed.information)
        return ByPair(self.derivation, told)

    @cached_property
    def observed_information(self) -> Mapping[tuple[Any, Any], Expr]:
        """Two parameters -> what is left, -∂²ℓ/∂θ∂θ': complete less missing information.

        Source: Orchard & Woodbury 1972; Louis 1982.
        """
        told = ((each.parameters, _observed(each)) for each in self._informed.information)
        return ByPair(self.derivation, told)

    @cached_property
    def exponential_family(self) -> ExponentialFamily | NoExponentialFamily:
        """The complete data as an exponential family, p(y; θ) = exp(Σ tr(ηᵀ s(y)) - A(θ)) h(y), y being data and latents together.

        Its `statistics` have each a `function` s(y), a `natural` parameter η(θ), the mean given the data `expected`, s⁽ᵗ⁾, and the
        mean under the model, `mean`, E_θ[s]; A is `log_partition`. In a full family the M-step solves E_θ[s] = s⁽ᵗ⁾; in a `curved`
        one, or with a prior, it does in the directions of the parameters alone. `claim` says how far that was established. Where
        there is no such form a `NoExponentialFamily` has the `terms` that stand in the way.

        Raises:
            BudgetError: it took longer than ten seconds.

        Source: Dempster, Laird & Rubin 1977, section 2; Sundberg 1974.
        """
        with deriving(None):
            return in_symbols(family_of(self.derivation), self._explicit.user)

    @cached_property
    def rate(self) -> Expr:
        """Of a model of one number θ the derivative of the map of EM, ψ′(θ): at the estimate, the share of the distance that
        each step leaves, and of the information that is missing.

        Raises:
            NotDerivedError: there are several numbers, whose rate is that of `fit.information`.

        Source: Dempster, Laird & Rubin 1977, section 3.
        """
        first, *others = self.model.parameters
        if others or first.sizes or first.shape:
            raise NotDerivedError(
                "The rate is a formula of models of one number; of others, fit.information has it as a number."
            )
        symbol = self.model.declared(first.symbol)
        return factor_terms(diff(self.explicit(symbol), symbol))

    @cached_property
    def log_likelihood(self) -> Expr:
        """The observed-data log-likelihood ℓ(θ), latents eliminated, written out."""
        return self._explicit.internal(self.derivation.log_likelihood)

    @cached_property
    def log_posterior(self) -> Expr:
        """ℓ(θ) plus the log-prior: what MAP-EM raises."""
        return self.log_likelihood + self._explicit.user(self.model.log_prior)

    def explicit(self, parameter: Any) -> Expr:
        """The update of a parameter with every statistic and posterior written out in data and θ⁽ᵗ⁾.

        Parameters
        ----------
        parameter : Symbol, IndexedBase or str
            the parameter, or one entry that has an update of its own.

        Returns
        -------
        Expr
            a SymPy expression at each place of the parameter's plates.

        Raises
        ------
        NotDerivedError
            it has no closed form.
        UndeclaredSymbolError
            the model has no such parameter.
        """
        return self._explicit(self.updates[parameter])

    def written_out(self, expr: Any) -> Expr:
        """An expression with its statistics and posterior means in data and θ⁽ᵗ⁾.

        Parameters
        ----------
        expr : Expr
            such as `em.Q`.

        Returns
        -------
        Expr
            the same in the user's symbols alone.
        """
        return self._explicit(expr)

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """Of each update a `Certificate`: `parameter`, `claims` (name, status, argument), `conditions`."""
        return self.derivation.certificates

    @property
    def steps(self) -> tuple[Step, ...]:
        """The derivation: law, before, after, why it is allowed."""
        return self._informed.steps

    @cached_property
    def _informed(self) -> Derivation:
        """The record with the information, and its steps."""
        with deriving(None):
            return self.derivation.informed


def _missing(block: InformationBlock) -> Expr | str:
    if block.missing is None:
        return f"{block.reason} fit.information has it as a number."
    return block.missing.value


def _observed(block: InformationBlock) -> Expr | str:
    missing = _missing(block)
    return missing if isinstance(missing, str) else block.complete.value - missing
