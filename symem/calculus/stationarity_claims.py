"""The claim that ∂Q/∂θ vanishes at an update, alone or with what was solved before it and with it put in."""

from __future__ import annotations

from sympy import Add, Expr

from symem.calculus.checker import Checker
from symem.calculus.slopes import Solved, at_update, entries, holds_as_it_stands
from symem.calculus.systems import solves
from symem.derivation import Claim, Shares, Status, Update
from symem.language.falling_root import FallingRoot
from symem.language.matrices import is_matrix
from symem.language.plates import LinearSolution, total
from symem.language.supports import Simplex

_AT_THE_UPDATE = "the derivative at the update"


def stationarity(checker: Checker, update: Update) -> Claim:
    name = "stationarity"
    if is_matrix(update.parameter):
        found = checker.matrices.stationarity(update)
        return found or checker.checked(name, checker.trials.stationary(update), _AT_THE_UPDATE)
    if isinstance(update.value, LinearSolution):
        if checker.slope(update) is not None and solves(checker.vanishes, checker.slope(update), update):
            return Claim(name, Status.PROVED, "the derivative is the linear system that the update solves")
    elif is_stationary(checker, update):
        how = "equals λ" if isinstance(update, Shares) else "vanishes"
        return Claim(
            name, Status.PROVED, f"the derivative {how} at the update identically, for all sizes and data"
        )
    return checker.checked(name, checker.trials.stationary(update), _AT_THE_UPDATE)


def is_stationary(checker: Checker, update: Update) -> bool:
    """With the earlier updates put in; then, for parameters solved together, with later ones too."""
    raw = checker.slope(update)
    if raw is None:
        return False
    joint = checker.joint(update)
    if joint is not None:
        return joint.stated() is not None
    inner = checker.within(update)
    if inner and checker.vanishes_within(inner, update, raw):
        return on_simplex(checker, update)
    if not isinstance(update, Shares) and _vanishes_alone(checker, raw, update):
        return on_simplex(checker, update)
    block = checker.block_of(update)
    solved = Solved(checker.derivation.model)
    for each in block:
        solved.add(each)
        if block.index(each) >= block.index(update) and checker.vanishes(solved.put(raw)):
            return on_simplex(checker, update)
    return False


def on_simplex(checker: Checker, update: Update) -> bool:
    """λ is one number for the whole simplex, and the updates sum to one."""
    if not isinstance(update, Shares):
        return not isinstance(checker.variable(update).support, Simplex)
    support = checker.variable(update).support
    group = next((g for g in checker.derivation.model.simplexes if str(update.parameter) in g), None)
    if group:
        others = [u for u in checker.derivation.updates if str(u.parameter) in group]
        values = [u.value for u in others]
        alike = {u.multiplier for u in others if isinstance(u, Shares)} == {update.multiplier}
        return alike and len(values) == len(group) and checker.vanishes(Add(*values) - 1)
    assert isinstance(support, Simplex)
    cells = update.definition.axes[-support.axes :]
    shared = not update.multiplier[1].free_symbols & {axis.index for axis in cells}
    return shared and checker.vanishes(total(update.value, cells) - 1)


def profiled(checker: Checker, update: Update) -> bool:
    """Stationary for every value of the later parameters of the block."""
    raw = checker.slope(update)
    if raw is None:
        return False
    if isinstance(update.value, LinearSolution):
        return solves(checker.vanishes, raw, update)
    alone = not isinstance(update, Shares) and _settled_before(checker, update)
    if alone and _vanishes_alone(checker, raw, update):
        return True
    solved = checker.solved_before(update)
    if isinstance(update.value, FallingRoot):
        return checker.vanishes(solved.put(at_update(raw, update.parameter, update.value)))
    solved.add(update)
    return checker.vanishes(solved.put(raw)) and on_simplex(checker, update)


def _settled_before(checker: Checker, update: Update) -> bool:
    """Whether the earlier updates of the block, some of them matrices, hold for every value of this one."""
    earlier = checker.earlier(update)
    if not any(is_matrix(each.parameter) for each in earlier):
        return False
    solved = checker.solved_before(update)
    if any(entries(value, update.parameter) for _atom, value in solved.pairs):
        return False
    return all(_vanishes_with(checker, solved, each) for each in earlier)


def _vanishes_with(checker: Checker, solved: Solved, update: Update) -> bool:
    raw = checker.matrices.slope(update) if is_matrix(update.parameter) else checker.slope(update)
    return raw is not None and (_vanishes_alone(checker, raw, update) or checker.vanishes(solved.put(raw)))


def _vanishes_alone(checker: Checker, raw: Expr, update: Update) -> bool:
    """Whether the derivative vanishes at this update whatever the parameters are that it holds."""
    if not holds_as_it_stands(checker.derivation, update):
        return False
    absent = [u for u in checker.earlier(update) if not entries(update.value, u.parameter)]
    put_in = Solved(checker.derivation.model, [(u.parameter, u.value) for u in reversed(absent)])
    alone = at_update(raw, update.parameter, update.value)
    return checker.vanishes(alone) or (bool(absent) and checker.vanishes(put_in.put(alone)))
