"""What a latent is predicted to be: the most probable outcome of a table, else the mean where the posterior shows it."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sympy import Expr

from symem.derivation import Posterior, Shared, Table, reported
from symem.language.leaves import name_of
from symem.language.supports import Labels


def predicted(posterior: Posterior) -> tuple[int, int] | str | None:
    """(axis of the outcomes, the first of them), or the name of the mean; None where the posterior shows neither."""
    if isinstance(posterior, Shared) or posterior.labels:
        return None
    if isinstance(posterior, Table):
        # Of data that may be missing what was seen is told, not what its table says.
        return None if posterior.latent.name.endswith("_missing") else _outcome(posterior)
    mean = posterior.expectations.get(posterior.atom)
    shown = {each.symbol: name_of(each.symbol) for each in reported(posterior)}
    return shown.get(mean)


def of_each_row(
    posteriors: Iterable[Posterior], rows: Expr | None, made: Collection[str] = ()
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The labels of rows, and the other latents of rows that have a prediction; `made` are those computed for it."""
    own = [each for each in posteriors if rows is not None and each.latent.sizes[:1] == (rows,)]
    tables = [each for each in own if isinstance(each, Table) and not each.labels and _outcome(each)]
    labels = [each for each in tables if len(each.latent.sizes) == 1]
    shown = [each for each in own if predicted(each) or each.latent.name in made]
    others = [each for each in shown if not isinstance(each, Table)]
    return tuple(each.latent.name for each in labels), tuple(each.latent.name for each in others)


def _outcome(posterior: Table) -> tuple[int, int] | None:
    axis, first = (
        list(posterior.probability.symbol.indices).index(posterior.outcome.index),
        first_outcome(posterior),
    )
    return None if first is None else (axis, first)


def first_outcome(posterior: Table) -> int | None:
    """The first of the outcomes, where they are whole numbers that follow one another."""
    first = posterior.value - posterior.outcome.index
    support = posterior.latent.support
    origin = support.origin or 0 if isinstance(support, Labels) else 0
    return int(first) + int(origin) if first.is_Integer else None
