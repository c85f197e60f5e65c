"""That every name which a source reads is there by then: nothing leaves that would stop with a NameError.

The names of a module stand before any of its functions runs. Within a function its statements are walked in the
order in which they run; what one branch of an `if` defines counts after it, so that only names which no path sets
are found.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable

from symem.codegen.ir.program import Program
from symem.derivation import Posterior
from symem.errors import SourceError
from symem.language.leaves import name_of

_Function = ast.FunctionDef | ast.Lambda
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def undefined_names(source: str, beside: Iterable[str] = ()) -> tuple[tuple[str, str], ...]:
    """(function, name) of every name that is read before anything sets it; `beside` are names from elsewhere."""
    tree = ast.parse(source)
    names = {*dir(builtins), *beside, *_set_by(tree.body)}
    found: dict[tuple[str, str], None] = {}
    for node in tree.body:
        _Reader("the module", names, found).visit(node)
    return tuple(found)


def refuse_undefined(program: Program, source: str, beside: Iterable[str] = ()) -> None:
    """Let no source leave that reads a name which nothing sets.

    Raises:
        SourceError: naming what of the model the name stands for.
    """
    for function, name in undefined_names(source, beside):
        stated = next((stated for stated, layout in program.layouts.items() if layout.name == name), name)
        owner = next((p.latent.name for p in program.derivation.posteriors if _defines(p, stated)), "")
        of = f", which belongs to the posterior of {owner}" if owner else ""
        raise SourceError(
            f"The source of this model would stop in {function}: nothing sets {stated}{of}. This is an error of symem's "
            f"own, not of the model: please report it with the model."
        )


def _defines(posterior: Posterior, name: str) -> bool:
    return any(name_of(each.symbol) == name for each in posterior.definitions)


def _set_by(body: Iterable[ast.stmt]) -> set[str]:
    """What statements of a module set, at whatever depth outside functions and classes."""
    reader = _Reader("", set(), {})
    for statement in body:
        reader.visit(statement)
    return reader.known


class _Reader(ast.NodeVisitor):
    """Walks statements in their order; `known` are the names set so far."""

    def __init__(self, where: str, known: Iterable[str], found: dict[tuple[str, str], None]) -> None:
        self.where, self.known, self.found = where, set(known), found

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            if node.id not in self.known:
                self.found[self.where, node.id] = None
        else:
            self.known.add(node.id)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.in_order(node.value, *node.targets)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.in_order(*([node.value] if node.value else []), node.target)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        read = ast.Name(node.target.id, ast.Load()) if isinstance(node.target, ast.Name) else node.target
        self.in_order(node.value, read)

    def visit_For(self, node: ast.For) -> None:
        self.in_order(node.iter, node.target, *node.body, *node.orelse)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.in_order(node.value, node.target)

    def visit_Import(self, node: ast.Import) -> None:
        self.known |= {(each.asname or each.name).partition(".")[0] for each in node.names}

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self.known |= {each.asname or each.name for each in node.names}

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        self.known |= {node.name} if node.name else set()
        self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.in_order(*node.decorator_list, *node.bases)
        self._inside(node.name, (), node.body)
        self.known.add(node.name)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.in_order(*node.decorator_list, *_defaults(node))
        self.known.add(node.name)
        self._inside(node.name, _arguments(node), node.body)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.in_order(*_defaults(node))
        self._inside(self.where, _arguments(node), [node.body])

    def _comprehended(self, node: _Comprehension) -> None:
        inner = _Reader(self.where, self.known, self.found)
        for each in node.generators:
            inner.in_order(each.iter, each.target, *each.ifs)
        inner.in_order(*([node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]))

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehended

    def in_order(self, *nodes: ast.AST) -> None:
        for node in nodes:
            self.visit(node)

    def _inside(self, where: str, arguments: Iterable[str], body: Iterable[ast.AST]) -> None:
        """A scope of its own. Its names are gone after it."""
        _Reader(where, self.known | set(arguments), self.found).in_order(*body)


def _defaults(node: _Function) -> list[ast.expr]:
    return [*node.args.defaults, *(each for each in node.args.kw_defaults if each is not None)]


def _arguments(node: _Function) -> list[str]:
    given = node.args
    stars = [each for each in (given.vararg, given.kwarg) if each is not None]
    return [each.arg for each in (*given.posonlyargs, *given.args, *given.kwonlyargs, *stars)]
