"""log Γ(a + d) - log Γ(a) among the terms of a sum as one function, since for a large a the difference loses its digits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from symem.evaluation.trees import Apply, Constant, Node, product_of, sum_of


def with_gamma_ratios(terms: Iterable[Node]) -> list[Node]:
    """The terms, those c log Γ(a + d) beside -c log Γ(a) with a number d > 0 being taken together."""
    kept: list[Node] = []
    rising: list[tuple[Node, Node, Node, float]] = []
    falling: dict[tuple[Node, Node], list[Node]] = defaultdict(list)
    for term in terms:
        found = _of_log_gamma(term)
        if found is None:
            kept.append(term)
        elif found[2] == 0:
            falling[product_of((Constant(-1), found[0])), found[1]].append(term)
        else:
            rising.append((term, *found))
    for term, weight, rest, number in rising:
        beside = falling[weight, rest] if number > 0 else []
        ratio = Apply("LogGammaRatio", (rest, Constant(number)))
        kept.append(product_of((weight, ratio)) if beside else term)
        del beside[-1:]
    return [*kept, *(term for left in falling.values() for term in left)]


def _of_log_gamma(term: Node) -> tuple[Node, Node, float] | None:
    """(c, a, d) of c log Γ(a + d), d a number."""
    factors = term.arguments if isinstance(term, Apply) and term.function == "Mul" else (term,)
    held = [each for each in factors if isinstance(each, Apply) and each.function == "loggamma"]
    if len(held) != 1:
        return None
    (inside,) = held[0].arguments
    parts = inside.arguments if isinstance(inside, Apply) and inside.function == "Add" else (inside,)
    numbers = [each.value for each in parts if isinstance(each, Constant)]
    weight = product_of(each for each in factors if each is not held[0])
    return weight, sum_of(each for each in parts if not isinstance(each, Constant)), sum(numbers)
