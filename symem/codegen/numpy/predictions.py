"""What a latent is predicted to be: the most probable outcome of a table, else the mean where the posterior shows it."""

from __future__ import annotations

from collections.abc import Iterable

from sympy import Expr

from symem.derivation import Posterior, Shared, Table, reported
from symem.language.leaves import name_of
from symem.language.supports import Labels


def predicted(posterior: Posterior) -> tuple[int, int] | str | None:
    """(axis of the outcomes, the first of them), or the name of the mean; None where the posterior shows neither."""
    if isinstance(posterior, Shared) or posterior.labels:
        return None
    if isinstance(posterior, Table):
        return _outcome(posterior)
    mean = posterior.expectations.get(posterior.atom)
    shown = {each.symbol: name_of(each.symbol) for each in reported(posterior)}
    return shown.get(mean)


def of_each_row(
    posteriors: Iterable[Posterior], rows: Expr | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The labels of rows, and the other latents of rows that have a prediction."""
    own = [
        each
        for each in posteriors
        if rows is not None and each.latent.sizes[:1] == (rows,) and predicted(each)
    ]
    labels = [each for each in own if isinstance(each, Table) and len(each.latent.sizes) == 1]
    others = [each for each in own if not isinstance(each, Table)]
    return tuple(each.latent.name for each in labels), tuple(each.latent.name for each in others)


def _outcome(posterior: Table) -> tuple[int, int] | None:
    first = posterior.value - posterior.outcome.index
    support = posterior.latent.support
    origin = support.origin or 0 if isinstance(support, Labels) else 0
    axis = list(posterior.probability.symbol.indices).index(posterior.outcome.index)
    return (axis, int(first) + int(origin)) if first.is_Integer else None
