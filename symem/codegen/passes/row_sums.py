"""The log-likelihood: what of it is summed over rows, chunk by chunk, and what belongs to no row."""

from __future__ import annotations

from dataclasses import replace

from sympy import Add, Expr, Indexed, Mul, S, Sum, Symbol

from symem.codegen.ir.instructions import Assign, live
from symem.codegen.ir.nodes import Node
from symem.codegen.ir.program import Program
from symem.codegen.lowering.log_gammas import with_whole_probabilities
from symem.language.leaves import name_of


def summed(program: Program) -> Program:
    """The log-likelihood of a chunk, and the E-step without statements that nothing reads."""
    value, once = _counted(program, *_split(program, program.derivation.log_likelihood))
    value = value if program.plain else with_whole_probabilities(value)
    node = program.lower(value)
    lines = [each for each in program.summarise if isinstance(each, Assign)]
    infer = tuple(
        live(program.infer, [*(each.node for each in lines), node, *program.nodes_of_rises], program.reported)
    )
    found = replace(program, log_likelihood=node, infer=infer, log_likelihood_once=program.lower(once))
    return found if program.rows is None else replace(found, log_likelihoods=_of_each_row(program, value))


def _of_each_row(program: Program, value: Expr) -> Node:
    """What each row adds: a term is a number times one sum over rows, whose terms these are."""
    row = _row_index(program)
    share = Add(*(_summand(program, term, row) for term in Add.make_args(value)))
    return program.lower.over(share, (row,))


def _summand(program: Program, term: Expr, row: Symbol) -> Expr:
    factors = Mul.make_args(term)
    (whole,) = (each for each in factors if _sums_over_rows(program, each))
    (own,) = (limit[0] for limit in whole.limits if limit[2] + 1 == program.rows)
    others = [limit for limit in whole.limits if limit[0] != own]
    inner = Sum(whole.function, *others) if others else whole.function
    return Mul(inner.xreplace({own: row}), *(each for each in factors if each is not whole))


def _split(program: Program, value: Expr) -> tuple[Expr, Expr]:
    """(what is summed over rows, what is not)."""
    if program.rows is None:
        return value, S.Zero
    terms = Add.make_args(value)
    inside = [term for term in terms if _sums_over_rows(program, term)]
    rest = [term for term in terms if term not in inside]
    inside += [_per_row(program, term) for term in rest if _reads_definitions(program, term)]
    return Add(*inside), Add(*(term for term in rest if not _reads_definitions(program, term)))


def _counted(program: Program, inside: Expr, once: Expr) -> tuple[Expr, Expr]:
    """Terms that only count the rows belong to each of them."""
    rows = program.rows
    if rows is None:
        return inside, once
    pairs = [(term, _share(term, rows)) for term in Add.make_args(once)]
    shares = [share for _, share in pairs if share is not None]
    rest = [term for term, share in pairs if share is None]
    return inside + _over_rows(program, Add(*shares)), Add(*rest)


def _share(term: Expr, rows: Expr) -> Expr | None:
    """A term without the number of rows as its factor, which may stand inside a sum; None where it is none."""
    if term.has(rows) and not (term / rows).has(rows):
        return term / rows
    if isinstance(term, Sum):
        inner = None if any(limit.has(rows) for limit in term.limits) else _share(term.function, rows)
        return None if inner is None else Sum(inner, *term.limits)
    counting = [each for each in Mul.make_args(term) if each.has(rows)]
    if term.is_Mul and len(counting) == 1:
        inner = _share(counting[0], rows)
        return None if inner is None else Mul(inner, *(each for each in term.args if each is not counting[0]))
    return None


def _sums_over_rows(program: Program, term: Expr) -> bool:
    return any(limit[2] + 1 == program.rows for each in term.atoms(Sum) for limit in each.limits)


def _reads_definitions(program: Program, term: Expr) -> bool:
    return bool(program.of_parameters & {name_of(each) for each in term.atoms(Indexed, Symbol)})


def _per_row(program: Program, term: Expr) -> Expr:
    """A term with the number of rows as a factor, as a sum over rows."""
    return _over_rows(program, term / program.rows)


def _over_rows(program: Program, share: Expr) -> Expr:
    """What every row has, summed over rows."""
    assert program.rows is not None
    return Sum(share, (_row_index(program), 0, program.rows - 1)) if share != 0 else S.Zero


def _row_index(program: Program) -> Symbol:
    return next(index for index, size in program.index_sizes.items() if size == program.rows)
