"""Expected counts by their names in the field: N_k = Σ_i γ_ik, and beside it N_x,kv = Σ_i γ_ik [x_i = v]."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from sympy import Expr, Indexed, Sum

from symem.calculus.weighted_sums import Facts, Total
from symem.language.leaves import name_of
from symem.language.plates import Iverson

#: What stands before the name of a variable in those of its mask, its probabilities and its posterior moments.
_LETTERS = re.compile("^(observed|gamma|slope|E|m|v)_")


def is_count(whole: Total, facts: Facts) -> bool:
    """Whether a sum adds up probabilities of labels, of the rows that a condition picks, as often as they count."""
    return all(_is_probability(term.factors(), facts) for term in whole.terms)


def _is_probability(factors: Iterable[Expr], facts: Facts) -> bool:
    arrays = [getattr(each, "base", None) for each in factors if not isinstance(each, Iverson)]
    held = [array for array in arrays if array in facts.shares]
    return bool(held) and all(array in held or array in facts.counting for array in arrays)


def count_stems(wholes: Sequence[Total], facts: Facts) -> Iterator[list[str]]:
    """Names for counts side by side: N, N with what they do not share, and N with all that they hold."""
    words = [_told(whole, facts) for whole in wholes]
    shared = set.intersection(*map(set, words)) if words else set()
    apart = [[word for word in own if word not in shared] for own in words]
    for place, (own, short) in enumerate(zip(words, apart, strict=True)):
        number = [str(apart[:place].count(short))] if apart.count(short) > 1 else []
        yield ["_".join(["N", *each, *number]) for each in (short, own)]


def _told(whole: Total, facts: Facts) -> list[str]:
    """The variables that a count is about, without labels all of whose outcomes are counted, and outcomes by number."""
    entries = sorted(whole.value.atoms(Indexed), key=str)
    shares = [each for each in entries if each.base in facts.shares]
    bound = {limit[0] for each in whole.value.atoms(Sum) for limit in each.limits}
    summed = {name_of(each) for each in shares if each.indices[-1] in bound}
    words = sorted(
        {word_of(each) for each in entries if name_of(each) not in summed} or set(map(word_of, entries))
    )
    return [*words, *dict.fromkeys(str(each.indices[-1]) for each in shares if each.indices[-1].is_Integer)]


def word_of(entry: Expr) -> str:
    """The name of the variable that an entry is about."""
    return _LETTERS.sub("", name_of(entry)).removesuffix("_missing")
