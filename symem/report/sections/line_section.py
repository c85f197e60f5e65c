"""Lines of algebra set below each other: left = right, then each next line by its = alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from sympy import Add, Expr, Mul

from symem.algebra.rewriting import bottom_up, is_negative
from symem.derivation import Shares, Step
from symem.language.matrices import is_matrix
from symem.report.document import Block, Lines
from symem.report.line_breaking import LINE, Breaker, broken, filled, width
from symem.report.notation.lexicon import Lexicon
from symem.report.notation.matrix_updates import entries_gathered
from symem.report.notation.notation import latex, readable
from symem.report.notation.printed_form import over_common_denominators, printed
from symem.report.sentence import told
from symem.report.writer import Voice

#: How wide a left side may be that shares its line.
SIDE = LINE / 2


def shaped(expr: Expr) -> Expr:
    """Like denominators once, a minus of all terms before them; nothing is multiplied out or gathered."""
    return bottom_up(over_common_denominators(expr), _sign_out)


def _sign_out(node: Expr) -> Expr:
    if not node.is_Mul or is_matrix(node):
        return node
    turned = [f for f in node.args if f.is_Add and all(map(is_negative, f.args))]
    if len(turned) != 1:
        return node
    others = [f for f in node.args if f is not turned[0]]
    return Mul(-1, *others, Add(*(-term for term in turned[0].args)), evaluate=False)


def lines(left: str, right: Expr, scope: Lexicon, tail: str = "") -> Lines:
    """left = right, the entries of one place together if that fits the line."""
    told = tuple(broken(left, shaped(entries_gathered(right)), scope, tail=tail))
    return told if max(map(width, told)) <= LINE else tuple(broken(left, shaped(right), scope, tail=tail))


def told_in_lines(steps: Sequence[Step], voice: Voice, lexicon: Lexicon) -> Iterator[Block]:
    """Steps by one law as a chain of lines."""
    if steps:
        scope = lexicon.within(steps[0].axes)
        yield from told(steps[:1], list(equalities(steps, scope)), voice)


def equalities(steps: Sequence[Step], scope: Lexicon, *, tail: str = "") -> Iterator[Lines]:
    """left = right of each; a step that goes on from the last one has its right side alone."""
    last: Expr | None = None
    for step in steps:
        if step.before != last:
            yield opened(step.before, step.after, scope, tail)
        else:
            yield continued(step.after, scope)
        last = step.after


def opened(before: Expr, after: Expr, scope: Lexicon, tail: str = "") -> Lines:
    left = latex(shaped(before), scope)
    if width(left) <= SIDE:
        return lines(left, after, scope, tail)
    right = latex(shaped(after), scope)
    if width(left) + width(right) < LINE:
        return (f"& {left} = {right}{tail}",)
    return (*lines("", before, scope), *continued(after, scope, tail))


def continued(after: Expr, scope: Lexicon, tail: str = "") -> Lines:
    first, *rest = lines("", after, scope, tail)
    return (first.replace("& ", "&= ", 1), *rest)


# what is displayed of the lines of the M-step -------------------------------------------------------------


def operator(step: Step, voice: Voice, of: str = "", order: str = "") -> str:
    r"""\partial/\partial\mu of something."""
    below = latex(step.about[0], voice.free.within(step.axes)).replace("\n", " ")
    power = f"^{{{order}}}" if order else ""
    return rf"\frac{{\partial{power} {of}}}{{\partial {below}{power}}}"


def of_a_term(step: Step, voice: Voice) -> Iterator[Lines]:
    """∂/∂μ (term) = derivative."""
    scope, head = voice.free.within(step.axes), operator(step, voice)
    inside = readable(shaped(step.before), scope)
    room = LINE - width(head) - 6
    first, *rest = filled(Breaker(scope).pieces(inside, room), room)
    if not rest and width(first) <= SIDE:
        yield lines(rf"{head} \left( {first} \right)", step.after, scope)
    elif not rest:
        yield (rf"& {head} \left( {first} \right)", *continued(step.after, scope))
    else:
        between = [rf"& \qquad {piece}" for piece in rest[:-1]]
        ends = rf"& {head} \Bigl( {first}", rf"& \qquad {rest[-1]} \Bigr)"
        yield (ends[0], *between, ends[1], *continued(step.after, scope))


def of_all_terms(step: Step, voice: Voice) -> Iterator[Lines]:
    """∂Q/∂μ = the sum, where that is not yet the equation."""
    scope = voice.free.within(step.axes)
    told = lines(slope_of(step, voice), step.before, scope)
    after = printed(step.after)
    as_many = len(Add.make_args(shaped(step.before))) == len(Add.make_args(shaped(after)))
    if len(told) == 1 and not as_many:
        yield told


def vanishing_slope(step: Step, voice: Voice) -> Lines:
    """∂Q/∂μ = … = 0."""
    scope = voice.free.within(step.axes)
    return lines(slope_of(step, voice), printed(step.before), scope, " = 0")


def slope_of(step: Step, voice: Voice) -> str:
    """∂Q/∂μ, or ∂L/∂μ where a multiple of a constraint was added."""
    update = next(each for each in voice.derivation.updates if each.parameter == step.about[0])
    return operator(step, voice, r"\mathcal{L}" if isinstance(update, Shares) else "Q")


def gathered(step: Step, voice: Voice) -> Iterator[Lines]:
    yield lines("", step.before, voice.free.within(step.axes), " = 0")


def sides(step: Step, voice: Voice) -> Iterator[Lines]:
    yield opened(step.before, step.after, voice.free.within(step.axes))


def second(step: Step, voice: Voice) -> Iterator[Lines]:
    """∂²Q/∂μ² = …, and its sign."""
    left, scope = operator(step, voice, "Q", order="2"), voice.free.within(step.axes)
    sign = step.particulars["sign"]
    yield lines(left, step.after, scope, f" {sign}" if sign else "")


#: By the name of its law.
SHOWN: Mapping[str, Callable[[Step, Voice], Iterator[Lines]]] = {
    "derivative of a term": of_a_term,
    "sum of derivatives": of_all_terms,
    "gathered powers": gathered,
    "gathered words": gathered,
    "isolated": sides,
    "others put in": sides,
    "share over the multiplier": sides,
    "constraint": sides,
    "second derivative": second,
    "curvature": second,
}
