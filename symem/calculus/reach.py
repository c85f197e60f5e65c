"""Where a latent lies: the interval that hard constraints leave it, by its sign and by the branch that holds.

A constraint is linear in the latent, u > a, or an alternative of such for each branch of what is known, y = 1 and
u > 0 or y = 0 and u < 0. Its ends are then cases: the interval is one for each branch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sympy import (
    And,
    Dummy,
    Eq,
    Expr,
    Ge,
    Gt,
    Lt,
    Max,
    Min,
    Ne,
    Not,
    Or,
    Piecewise,
    S,
    Symbol,
    ceiling,
    expand,
    floor,
    oo,
)
from sympy.core.relational import Relational
from sympy.logic.inference import satisfiable

from symem.calculus.refusals import told
from symem.calculus.separate import Term
from symem.errors import NotDerivedError
from symem.language.exponential_face import Arguments, Bounds, ExponentialFace, GammaPower
from symem.language.plates import Iverson
from symem.language.selectors import where_holds

#: What has finitely many values, from 0 on -> how many.
Values = Mapping[Expr, int]


@dataclass(frozen=True)
class Reach:
    """The ends that a constraint leaves a latent, and what must hold of the rest for there to be any."""

    lower: Expr = -oo
    upper: Expr = oo
    demand: Any = S.true

    @property
    def bounds(self) -> Bounds:
        return self.lower, self.upper


def reach(
    u: Expr, home: Bounds, hard: tuple[Term, ...], condition: Expr, values: Values, *, counting: bool = False
) -> Reach:
    """The support of u narrowed by every constraint; on the integers, a strict bound moves by one.

    Raises:
        NotDerivedError: a constraint is not linear in u, or leaves several intervals at once.
    """
    found = [_constrained(u, _present(term.factor.args[0], condition), counting=counting) for term in hard]
    lower = _tightest(Max, home[0], [each.lower for each in found])
    upper = _tightest(Min, home[1], [each.upper for each in found])
    demand = And(*(each.demand for each in found))
    left = Reach(lower, upper, S.true if _always(demand, values) else demand)
    chosen = any(end.has(each) for each in values if each.is_Symbol for end in left.bounds)
    return left if counting or not chosen else _in_order(left, home)


def _in_order(left: Reach, home: Bounds) -> Reach:
    """Ends that a label chooses: where they cross the label has no probability, and the latent its support."""

    def end(place: int) -> Expr:
        return by_branch(left.bounds, lambda ends: _where(_ordered(*ends), ends[place], home[place]))

    ordered = _by_branch(left.bounds, lambda ends: _ordered(*ends), _as_truth)
    return left if ordered == True else Reach(end(0), end(1), And(left.demand, ordered))  # noqa: E712 - SymPy's


def _ordered(low: Expr, high: Expr) -> Any:
    """Whether there is room between two ends, one of which may be infinite."""
    return S.true if {-oo, oo} & {low, high} else Lt(low, high)


def _where(condition: Any, value: Expr, otherwise: Expr) -> Expr:
    return value if condition == True else Piecewise((value, condition), (otherwise, True))  # noqa: E712 - SymPy's


def _tightest(pick: type[Expr], home: Expr, ends: list[Expr]) -> Expr:
    """The tightest of several ends, branch by branch."""
    return by_branch((home, *ends), lambda at: pick(*at)) if any(map(_is_cases, ends)) else pick(home, *ends)


def _present(constraint: Any, condition: Expr) -> Any:
    """A constraint where the latent exists."""
    if not isinstance(condition, Iverson):
        return constraint
    for part in And.make_args(condition.args[0]):
        constraint = where_holds(constraint, part)
    return constraint


def _constrained(u: Expr, constraint: Any, *, counting: bool) -> Reach:
    if isinstance(constraint, And):
        parts = [_constrained(u, each, counting=counting) for each in constraint.args if each.has(u)]
        free = And(*(each for each in constraint.args if not each.has(u)))
        lower = _tightest(Max, -oo, [each.lower for each in parts])
        upper = _tightest(Min, oo, [each.upper for each in parts])
        return Reach(lower, upper, And(free, *(each.demand for each in parts)))
    if isinstance(constraint, Or):
        return _alternatives(u, constraint, counting=counting)
    return _linear(u, constraint, counting=counting)


def _alternatives(u: Expr, constraint: Or, *, counting: bool) -> Reach:
    """Alternatives of which what is known lets one hold."""
    free = Or(*(each for each in constraint.args if not each.has(u)))
    ways = []
    for each in (each for each in constraint.args if each.has(u)):
        own = And(Not(free), *(part for part in And.make_args(each) if not part.has(u)))
        here = And(*(part for part in And.make_args(each) if part.has(u)))
        ways.append((own, _constrained(u, here, counting=counting)))
    knowns = [own for own, _ in ways]
    if any(_may_meet(one, other) for place, one in enumerate(knowns) for other in knowns[:place]):
        raise NotDerivedError(
            f"The constraint {told(constraint)} holds alternatives that may hold at once: write them in one "
            f"entry of given=[…], Or(u < a, u > b)."
        )
    ends = [(own, way.lower, way.upper) for own, way in ways]
    if free != False:  # noqa: E712 - a SymPy truth value
        ends.append((free, -oo, oo))
    demand = Or(free, *(And(own, way.demand) for own, way in ways))
    lower = _cases([(low, own) for own, low, _high in ends])
    upper = _cases([(high, own) for own, _low, high in ends])
    return Reach(lower, upper, demand)


def _cases(pairs: list[tuple[Expr, Any]]) -> Expr:
    """The value of the branch that holds; the last where none of the others does."""
    values = {value for value, _ in pairs}
    if len(values) == 1:
        return values.pop()
    return Piecewise(*pairs[:-1], (pairs[-1][0], True))


def _may_meet(one: Any, other: Any) -> bool:
    return bool(satisfiable(_as_logic(And(one, other))))


def _always(demand: Any, values: Values) -> bool:
    one_of = (Or(*(Eq(atom, place) for place in range(size))) for atom, size in values.items())
    return not satisfiable(_as_logic(And(Not(demand), *one_of)))


def _as_logic(formula: Any) -> Any:
    """A formula with letters for its relations, of which x = a and x = b exclude each other."""
    letters: dict[Any, Any] = {}
    for place, each in enumerate(sorted(formula.atoms(Relational), key=str)):
        letters[each] = Not(letters[Not(each)]) if Not(each) in letters else Symbol(f"r_{place}")
    equal = [each for each in letters if isinstance(each, (Eq, Ne)) and each.rhs.is_number]
    apart = [
        Not(And(_holds(a, letters), _holds(b, letters)))
        for place, a in enumerate(equal)
        for b in equal[:place]
        if a.lhs == b.lhs and a.rhs != b.rhs
    ]
    return And(formula.xreplace(letters), *apart)


def _holds(relation: Any, letters: Mapping[Any, Any]) -> Any:
    """The letter of x = a, of which x ≠ a may be there."""
    return letters[relation] if isinstance(relation, Eq) else Not(letters[relation])


def _linear(u: Expr, relation: Any, *, counting: bool) -> Reach:
    """The end that u > a sets; where the slope's sign is not known, one for each sign."""
    if isinstance(relation, (Eq, Ne)) and not counting:
        raise NotDerivedError(
            f"{u} is {relation.rhs if relation.lhs == u else relation.lhs} in one case and has a density in another, and a "
            f"posterior of the two kinds is not derived; let {u} have its density in every case, and say in given=[…] what "
            f"each case tells of it, as in Or(And(Eq(z[i], 0), c[i] < 0), And(Eq(z[i], 1), u[i] > c[i]))."
        )
    if not isinstance(relation, Relational) or isinstance(relation, (Eq, Ne)):
        raise NotDerivedError(
            f"The constraint {told(relation)} on {u} is no inequality: write u > a, u <= b or both."
        )
    difference = expand(relation.lhs - relation.rhs)
    slope = difference.coeff(u)
    rest = expand(difference - slope * u)
    if rest.has(u) or slope == 0:
        raise NotDerivedError(
            f"The constraint {told(relation)} is not linear in {u}: write its ends, u > a, or alternatives, Or(u < a, u > b)."
        )
    above = isinstance(relation, (Gt, Ge))
    low = high = expand(-rest / slope)
    if counting:
        strict = isinstance(relation, (Gt, Lt))
        low, high = (floor(low) + 1, ceiling(high) - 1) if strict else (ceiling(low), floor(high))
    if slope.is_positive or slope.is_negative:
        return Reach(lower=low) if above == bool(slope.is_positive) else Reach(upper=high)
    up, down = (slope > 0, slope < 0) if above else (slope < 0, slope > 0)
    stays = Or(Ne(slope, 0), relation.func(rest, 0))
    if rest == 0:
        return Reach(Piecewise((low, up), (-oo, True)), Piecewise((oo, up), (high, True)), stays)
    return Reach(Piecewise((low, up), (-oo, True)), Piecewise((high, down), (oo, True)), stays)


# values by branch -----------------------------------------------------------------------------------------


def by_branch(ends: Iterable[Expr], value: Callable[[tuple[Expr, ...]], Expr]) -> Expr:
    """A function of ends, of which some are cases: the cases of its values."""
    return _by_branch(ends, value, _as_cases)


def _by_branch(
    ends: Iterable[Expr],
    value: Callable[[tuple[Expr, ...]], Any],
    joined: Callable[[list[tuple[Any, Any]]], Any],
) -> Any:
    ends = tuple(ends)
    cases = next((end for end in ends if _is_cases(end)), None)
    if cases is None:
        return value(ends)
    pairs: list[tuple[Any, Any]] = []
    before: list[Any] = []
    for branch, condition in cases.args:
        told = {condition: S.true, Not(condition): S.false}
        told |= dict.fromkeys(before, S.false) | {Not(each): S.true for each in before}
        there = tuple(branch if end == cases else _under(end, told, condition) for end in ends)
        pairs.append((_by_branch(there, value, joined), condition))
        before.append(condition)
    return joined(pairs)


def _as_cases(pairs: list[tuple[Expr, Any]]) -> Expr:
    return pairs[0][0] if len({each for each, _ in pairs}) == 1 else Piecewise(*pairs)


def _as_truth(pairs: list[tuple[Any, Any]]) -> Any:
    """What holds in the branch that holds."""
    return (
        pairs[0][0]
        if len({each for each, _ in pairs}) == 1
        else Or(
            *(
                And(value, condition, *(Not(other) for _, other in pairs[:place]))
                for place, (value, condition) in enumerate(pairs)
            )
        )
    )


def _under(end: Expr, told: Mapping[Any, Any], condition: Any) -> Expr:
    """An end where one condition holds and those before it do not."""
    if not _is_cases(end):
        return end
    return Piecewise(*((value, at.xreplace(told)) for value, at in end.args if not _excluded(at, condition)))


def _excluded(one: Any, other: Any) -> bool:
    """Whether two conditions cannot hold together, x > 0 and x < 0 included."""
    if isinstance(one, Relational) and isinstance(other, Relational):
        strict = {Gt: Lt, Lt: Gt}
        if one.args == other.args and strict.get(type(one)) is type(other):
            return True
    return one not in (True, False) and other not in (True, False) and not _may_meet(one, other)


def _is_cases(end: Any) -> bool:
    return isinstance(end, Piecewise)


def on_branches(face: ExponentialFace) -> ExponentialFace:
    """A face whose values are told branch by branch."""

    def moments(u: Expr, arguments: Arguments, bounds: Bounds) -> Mapping[Expr, Expr]:
        told = {each: None for ends in _branches(bounds) for each in face.moments(u, arguments, ends)}
        means = {}
        for function in told:
            at = [face.mean(u, function, arguments, ends) for ends in _branches(bounds)]
            if None not in at:
                means[function] = _in_turn(bounds, at)
        return means

    def as_power(arguments: Arguments, bounds: Bounds) -> GammaPower:
        assert face.as_power is not None
        first, *others = (face.as_power(arguments, ends) for ends in _branches(bounds))
        low, high = (
            _in_turn(bounds, [getattr(each, side) for each in (first, *others)]) for side in ("low", "high")
        )
        return replace(first, low=low, high=high)

    return replace(
        face,
        as_power=as_power if face.as_power else None,
        log_partition=lambda arguments, bounds: by_branch(
            bounds, lambda ends: face.log_partition(arguments, (ends[0], ends[1]))
        ),
        moments=moments,
        on=lambda bounds: face.on is not None and all(map(face.on, _branches(bounds))),
    )


def _in_turn(bounds: Bounds, values: Iterable[Expr]) -> Expr:
    """Values that are told branch after branch."""
    left = iter(values)
    return by_branch(bounds, lambda _ends: next(left))


def _branches(bounds: Bounds) -> list[Bounds]:
    """The ends in each branch."""
    ends: list[Bounds] = []

    def note(at: tuple[Expr, ...]) -> Expr:
        ends.append((at[0], at[1]))
        return Dummy()

    by_branch(bounds, note)
    return ends
