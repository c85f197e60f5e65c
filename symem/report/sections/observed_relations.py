"""What was observed of the latents: totals of counts, ends of what was cut off. Lines of the model, not terms of a likelihood."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sympy import Eq, Expr, Ge, Gt, Indexed, Le, Lt, Ne, Or, S, Sum, Symbol
from sympy.core.relational import Relational

from symem.algebra.rewriting import bottom_up
from symem.language.leaves import name_of
from symem.language.model import Model
from symem.language.plates import Axis, LogIverson
from symem.report.document import Lines
from symem.report.notation.notation import latex
from symem.report.notation.printed_sets import counted
from symem.report.writer import Voice


@dataclass(frozen=True)
class Observed:
    """A relation that holds at every place of its axes; of entries that may be missing, where they are."""

    term: LogIverson
    relation: Relational
    axes: tuple[Axis, ...]
    where_missing: bool


def observed_of(model: Model) -> tuple[Observed, ...]:
    """The relations between latents and data that the likelihood holds as conditions, in the order of the latents."""
    latents = {each.name: place for place, each in enumerate(model.latents)}
    found = [
        Observed(term, relation, axes, where_missing)
        for term, axes in _terms(model.log_likelihood, ())
        for relation, where_missing in _relation(term.args[0], set(latents))
    ]
    return tuple(
        sorted(found, key=lambda each: min(latents[name] for name in _names(each.relation) & set(latents)))
    )


def _terms(expr: Expr, axes: tuple[Axis, ...]) -> Iterator[tuple[LogIverson, tuple[Axis, ...]]]:
    """Conditions that stand as terms, also within sums over plates."""
    if isinstance(expr, LogIverson):
        yield expr, axes
    elif isinstance(expr, Sum):
        over = tuple(Axis(index, upper + 1) for index, _, upper in reversed(expr.limits))
        yield from _terms(expr.function, (*axes, *over))
    elif expr.is_Add:
        for term in expr.args:
            yield from _terms(term, axes)


def _relation(condition: Expr, latents: set[str]) -> Iterator[tuple[Relational, bool]]:
    """The relation in a condition, and whether it is asked of missing entries alone."""
    if isinstance(condition, Relational) and _names(condition) & latents:
        yield condition, False
    elif isinstance(condition, Or) and len(condition.args) == 2:
        seen = [each for each in condition.args if isinstance(each, Eq) and _is_mask(each)]
        rest = [each for each in condition.args if each not in seen]
        if len(seen) == 1 and isinstance(rest[0], Relational) and _names(rest[0]) & latents:
            yield rest[0], True


def _is_mask(relation: Eq) -> bool:
    return any(name.startswith("observed_") for name in _names(relation))


def _names(expr: Expr) -> set[str]:
    return {name_of(each) for each in expr.atoms(Symbol, Indexed)}


def without(expr: Expr, observed: Sequence[Observed]) -> Expr:
    """A likelihood where these relations hold."""
    bare = expr.xreplace({each.term: S.Zero for each in observed})
    return bottom_up(bare, lambda node: S.Zero if isinstance(node, Sum) and node.function == 0 else node)


def lines(observed: Sequence[Observed], voice: Voice) -> Iterator[Lines]:
    """n_C = n_CC + n_CI + n_CT, and over which plates."""
    for each in observed:
        scope = voice.complete.within(each.axes)
        left, right = each.relation.args
        if isinstance(each.relation, Eq) and right.is_Atom | isinstance(right, Indexed):
            left, right = right, left
        sign = _SIGNS[type(each.relation)]
        ranges = [counted(axis.index, axis.size, scope, name="", place=0) for axis in each.axes]
        if each.where_missing:
            whole = {f"{v.name}_missing": scope.label(v.name) for v in voice.model.data if v.missing}
            scope = replace(scope, labels={**scope.labels, **whole})
            ranges = [r"\text{where it is missing}"]
        tail = rf",\quad {', '.join(ranges)}" if ranges else ""
        yield (f"{latex(left, scope)} &{sign} {latex(right, scope)}{tail}",)


_SIGNS = {Eq: "=", Ne: r"\neq", Gt: ">", Ge: r"\ge", Lt: "<", Le: r"\le"}
