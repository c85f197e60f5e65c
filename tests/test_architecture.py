"""The house: imports point down and never in a circle, each name stands once, nothing is long, each file has its idea.

Read from the source, so that imports inside functions and for type checkers count like any other. Every rule returns
what offends it; that it can is shown on packages made up to offend.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

#: From the ground up. A folder or a file imports of itself and of lower floors, never of a neighbour.
FLOORS = (
    {"errors", "statement", "templating", "runtime", "version"},
    {"language", "budget"},
    {"derivation"},
    {"algebra", "evaluation"},
    {"calculus", "verification", "codegen", "report"},
    {"workings"},
    {
        "derive",
        "documents",
        "posteriors",
        "estimate",
        "files",
        "command_examples",
        "flags",
        "lookup",
        "explicit",
        "writing",
        "pictures",
        "solvers",
        "readers",
        "cells",
    },
    {"auditing", "tables", "emission", "user_formulas", "arguments"},
    {"examination"},
    {"blockwise"},
    {"distributed"},
    {"em"},
    {"gallery", "saved", "candidates"},
    {"machine_forms", "option_values"},
    {"commands"},
    {"__main__", "__init__"},
)
FLOOR_OF = {place: height for height, places in enumerate(FLOORS) for place in places}
LONGEST_FILE, LONGEST_BODY = 350, 40
#: Files that still wait to be cut; the list only gets shorter.
WAITING: set[str] = set()

#: Names of families that are names of letters too.
LETTERS = {"Beta", "Gamma"}


@dataclass(frozen=True)
class House:
    """A package by the dotted names of its modules, `__init__` among them."""

    root: Path

    @cached_property
    def texts(self) -> Mapping[str, str]:
        paths = sorted(self.root.rglob("*.py"))
        return {self._name(path): path.read_text(encoding="utf-8") for path in paths}

    def _name(self, path: Path) -> str:
        return ".".join(path.relative_to(self.root.parent).with_suffix("").parts)

    @cached_property
    def trees(self) -> Mapping[str, ast.Module]:
        return {name: ast.parse(text) for name, text in self.texts.items()}

    @cached_property
    def imports(self) -> Mapping[str, set[str]]:
        """module -> the modules of the package that it imports, wherever it does."""
        return {name: set(self._imported(tree)) - {name} for name, tree in self.trees.items()}

    def _imported(self, tree: ast.Module) -> Iterator[str]:
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                candidates = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, "a relative import does not say where it points"
                candidates = [f"{node.module}.{alias.name}" for alias in node.names]
            else:
                continue
            for candidate in candidates:
                yield from self._module_of(candidate)

    def _module_of(self, name: str) -> Iterator[str]:
        """The module of that name, or the one that holds it."""
        for place in (
            name,
            f"{name}.__init__",
            name.rpartition(".")[0],
            f"{name.rpartition('.')[0]}.__init__",
        ):
            if place in self.texts:
                yield place
                return


SYMEM = House(Path(__file__).parents[1] / "symem")


# rules --------------------------------------------------------------------------------------------------


def place_of(module: str) -> str:
    """The folder or the file of the package's ground floor that a module belongs to."""
    return module.split(".")[1]


def upward_imports(house: House) -> list[str]:
    return [
        f"{module} imports {other}"
        for module, others in house.imports.items()
        for other in sorted(others)
        if place_of(module) != place_of(other) and FLOOR_OF[place_of(other)] >= FLOOR_OF[place_of(module)]
    ]


def places_without_floor(house: House) -> list[str]:
    return sorted({place_of(module) for module in house.texts} - set(FLOOR_OF))


def circles(house: House) -> list[str]:
    """A circle of imports, if there is one."""
    try:
        TopologicalSorter(house.imports).prepare()
    except CycleError as error:
        return [" imports ".join(reversed(error.args[1]))]
    return []


def equal_names(house: House) -> list[str]:
    """Files of one name in two folders: what each says is then not to be told by its name."""
    homes = defaultdict(list)
    for module in house.texts:
        home, _, name = module.rpartition(".")
        homes[name].append(home)
    return [
        f"{name} in {', '.join(found)}"
        for name, found in homes.items()
        if len(found) > 1 and name != "__init__"
    ]


def long_files(house: House) -> list[str]:
    lengths = {module: len(text.splitlines()) for module, text in house.texts.items()}
    return [
        f"{module}: {length} lines"
        for module, length in lengths.items()
        if length > LONGEST_FILE and module not in WAITING
    ]


def long_functions(house: House) -> list[str]:
    return [
        f"{module}.{function.name}: {length} lines"
        for module, tree in house.trees.items()
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for length in [_body_length(function)]
        if length > LONGEST_BODY
    ]


def _body_length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """From the first statement to the last, the docstring apart."""
    body = function.body[ast.get_docstring(function) is not None :]
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def files_without_an_idea(house: House) -> list[str]:
    """Modules that do not open with a sentence."""
    ideas = {module: ast.get_docstring(tree) or "" for module, tree in house.trees.items()}
    return [module for module, idea in ideas.items() if len(idea.split()) < 3]


def families_told_twice(house: House) -> list[str]:
    """A row of the table of distributions has one place: no string elsewhere is its name, a letter's apart."""
    rows = {name: module for module, tree in house.trees.items() for name in _rows_in(tree)}
    strings = {module: _strings_in(tree) for module, tree in house.trees.items()}
    return [
        f"{name} of {home} in {module}"
        for name, home in rows.items()
        for module, found in strings.items()
        if name not in LETTERS and module not in (home, "symem.__init__") and name in found
    ]


def _rows_in(tree: ast.Module) -> Iterator[str]:
    """The names of the public rows that a module holds: Normal = Family(…)."""
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id="Family"))):
                if not name.startswith("_"):
                    yield name


def runtime_names_told_twice(house: House) -> list[str]:
    """The files of the runtime become one module, so that of two constants of one name the later would be both."""
    homes = defaultdict(list)
    for module, tree in house.trees.items():
        if place_of(module) == "runtime":
            for name in {each for node in tree.body for each in _defined_by(node)}:
                homes[name].append(module)
    return [
        f"{name} in {', '.join(sorted(found))}" for name, found in sorted(homes.items()) if len(found) > 1
    ]


def _defined_by(node: ast.stmt) -> set[str]:
    """What a statement of a module gives a name to, imports apart."""
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.Assign() | ast.AnnAssign():
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            return {each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)}
    return set()


def _strings_in(tree: ast.Module) -> set[str]:
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


RULES: tuple[Callable[[House], list[str]], ...] = (
    places_without_floor,
    upward_imports,
    circles,
    equal_names,
    long_files,
    long_functions,
    files_without_an_idea,
    families_told_twice,
    runtime_names_told_twice,
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps_its_rules(rule: Callable[[House], list[str]]) -> None:
    assert rule(SYMEM) == []


# each rule can fail -------------------------------------------------------------------------------------

OFFENDERS: dict[str, tuple[Callable[[House], list[str]], dict[str, str], str]] = {
    "a folder that has no floor": (places_without_floor, {"attic/a.py": ""}, "attic"),
    "a neighbour": (
        upward_imports,
        {"codegen/a.py": "from symem.report import b", "report/b.py": ""},
        "symem.codegen.a imports symem.report.b",
    ),
    "a higher floor, by a name": (
        upward_imports,
        {"language/a.py": "from symem.em import EM", "em.py": "EM = 1"},
        "symem.language.a imports symem.em",
    ),
    "the door of the house": (
        upward_imports,
        {"language/a.py": "import symem", "__init__.py": ""},
        "symem.language.a imports symem.__init__",
    ),
    "what it verifies": (
        upward_imports,
        {"verification/a.py": "import symem.calculus.b", "calculus/b.py": ""},
        "symem.verification.a imports symem.calculus.b",
    ),
    "anything of a runtime that is copied": (
        upward_imports,
        {"runtime/a.py": "from symem.errors import DataError", "errors.py": ""},
        "symem.runtime.a imports symem.errors",
    ),
    "a circle by an import inside a function": (
        circles,
        {"a.py": "from symem import b", "b.py": "def f():\n    import symem.a"},
        "symem.a imports symem.b imports symem.a",
    ),
    "a circle for a type checker alone": (
        circles,
        {
            "a.py": "from symem.b import B",
            "b.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from symem.a import A",
        },
        "symem.a imports symem.b imports symem.a",
    ),
    "two files of one name": (
        equal_names,
        {"language/names.py": "", "calculus/names.py": ""},
        "names in symem.calculus, symem.language",
    ),
    "a long file": (long_files, {"a.py": "x = 1\n" * 351}, "symem.a: 351 lines"),
    "a long function": (
        long_functions,
        {"a.py": 'class A:\n    def f(self):\n        """Long."""\n' + "        x = 1\n" * 41},
        "symem.a.f: 41 lines",
    ),
    "a family in a table beside its row": (
        families_told_twice,
        {"language/a.py": 'Normal = Family("Normal", {})', "report/b.py": 'SIGNS = {"Normal": "N"}'},
        "Normal of symem.language.a in symem.report.b",
    ),
    "a constant of the runtime in two files": (
        runtime_names_told_twice,
        {"runtime/a.py": "_FLAT, _STEEP = 1, 2", "runtime/b.py": "_FLAT: int = 3"},
        "_FLAT in symem.runtime.a, symem.runtime.b",
    ),
    "no docstring": (files_without_an_idea, {"a.py": "x = 1"}, "symem.a"),
    "a docstring that only repeats the name": (files_without_an_idea, {"a.py": '"""A."""'}, "symem.a"),
}


@pytest.mark.parametrize("offence", OFFENDERS)
def test_an_offence_is_seen(offence: str, tmp_path: Path) -> None:
    rule, files, said = OFFENDERS[offence]
    for name, text in files.items():
        path = tmp_path / "symem" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert rule(House(tmp_path / "symem")) == [said]
