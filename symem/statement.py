"""A model's statement taken out of its file: the assignment, and before it what it depends on."""

from __future__ import annotations

import ast
from collections.abc import Sequence


def statement_of(source: str, name: str) -> str | None:
    r"""The statements of a file on which a name depends, as they stand there; None if nothing assigns it.

    >>> print(statement_of("import math\nx = 1\ny = x + 1\nmodel = Model(y)\nprint(x)", "model"))
    x = 1
    y = x + 1
    model = Model(y)
    """
    statements = ast.parse(source).body
    binding = [each for each in statements if name in _bound(each)]
    if not binding:
        return None
    lines = source.splitlines()
    kept = _needed(statements, binding[-1])
    return "\n".join("\n".join(lines[each.lineno - 1 : each.end_lineno]) for each in kept)


def _needed(statements: Sequence[ast.stmt], last: ast.stmt) -> list[ast.stmt]:
    """A statement and those before it that bind a name it needs, directly or not."""
    kept, wanted = [last], _used(last)
    for statement in reversed(statements[: statements.index(last)]):
        if _bound(statement) & wanted:
            kept.append(statement)
            wanted |= _used(statement)
    return kept[::-1]


def _used(statement: ast.AST) -> set[str]:
    return {each.id for each in ast.walk(statement) if isinstance(each, ast.Name)}


def _bound(statement: ast.stmt) -> set[str]:
    match statement:
        case ast.Import() | ast.ImportFrom():
            return {(each.asname or each.name).split(".")[0] for each in statement.names}
        case ast.FunctionDef() | ast.ClassDef():
            return {statement.name}
        case _:
            names = (each for each in ast.walk(statement) if isinstance(each, ast.Name))
            return {each.id for each in names if isinstance(each.ctx, ast.Store)}
