"""The log-likelihood: what of it is summed over rows, chunk by chunk, and what belongs to no row."""

from __future__ import annotations

from dataclasses import replace

from sympy import Add, Expr, Indexed, S, Sum, Symbol

from symem.codegen.ir.instructions import Assign, live
from symem.codegen.ir.program import Program
from symem.language.leaves import name_of


def summed(program: Program) -> Program:
    """The log-likelihood of a chunk, and the E-step without statements that nothing reads."""
    value, once = _counted(program, *_split(program, program.derivation.log_likelihood))
    node = program.lower(value)
    lines = [each for each in program.summarise if isinstance(each, Assign)]
    infer = tuple(live(program.infer, [*(each.node for each in lines), node], program.reported))
    return replace(program, log_likelihood=node, infer=infer, log_likelihood_once=program.lower(once))


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
    terms = [term for term in Add.make_args(once) if term.has(rows) and not (term / rows).has(rows)]
    shares = [term / rows for term in terms]
    return inside + _over_rows(program, Add(*shares)), Add(
        *(t for t in Add.make_args(once) if t not in terms)
    )


def _sums_over_rows(program: Program, term: Expr) -> bool:
    return any(limit[2] + 1 == program.rows for each in term.atoms(Sum) for limit in each.limits)


def _reads_definitions(program: Program, term: Expr) -> bool:
    return bool(program.of_parameters & {name_of(each) for each in term.atoms(Indexed, Symbol)})


def _per_row(program: Program, term: Expr) -> Expr:
    """A term with the number of rows as a factor, as a sum over rows."""
    return _over_rows(program, term / program.rows)


def _over_rows(program: Program, share: Expr) -> Expr:
    """What every row has, summed over rows."""
    index = next(index for index, size in program.index_sizes.items() if size == program.rows)
    assert program.rows is not None
    return Sum(share, (index, 0, program.rows - 1)) if share != 0 else S.Zero
