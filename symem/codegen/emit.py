"""A program as the source of a NumPy module, and that source as a module."""

from __future__ import annotations
import __future__

import ast
import linecache
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, partialmethod
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any
from weakref import WeakValueDictionary
from zlib import crc32

from symem.codegen.ir.identifiers import FIT_KEYWORDS
from symem.codegen.ir.nodes import ZERO
from symem.codegen.ir.program import Program
from symem.codegen.numpy.description_text import completed, description, estimator_of
from symem.codegen.numpy.function_text import Function
from symem.codegen.numpy.model_functions import ModelFunctions
from symem.codegen.numpy.runtime_text import (
    definitions,
    from_scipy,
    of_quadrature,
    runtime,
    special_functions,
    standing_alone,
)
from symem.codegen.numpy.undefined_names import refuse_undefined
from symem.codegen.program_of import program_of
from symem.derivation import Derivation, Posterior, Probabilities, reported
from symem.errors import DataError, NameClashError
from symem.language.fingerprint import fingerprint
from symem.language.leaves import name_of
from symem.language.model import Variable
from symem.templating import render
from symem.version import __version__

_CREDIT = f"Derived by symem {__version__}. Indices count from 0 in the code, from 1 above."

#: The file that holds the runtime where modules share it.
RUNTIME_MODULE = "symem_runtime"
#: What a module offers, in the order in which linters want it; with what it takes from a shared runtime.
_OFFERED = (
    "DATA", "MODEL", "PARAMETERS", "SIZES", "SOLVER", "DataError", "Estimator", "Fit", "Parameters", "Posterior", "Statistics",
    "decode", "em_step", "fit", "information", "load", "log_likelihood", "log_posterior", "m_step", "merge", "posterior", "predict", "sample",
    "score", "score_samples", "statistics",
)  # fmt: skip


def emit(derivation: Derivation, told: str = "An EM algorithm.", *, shared: bool = False) -> str:
    """The source of a module that runs this EM algorithm with NumPy, and SciPy where a special function needs it.

    `told` is what its docstring says of the algorithm.
    It stands alone; `shared`: it takes its runtime from `symem_runtime.py`, which `emit_runtime` writes.

    Raises
    ------
        NotDerivedError: a block of parameters has no closed form, or a function has no NumPy spelling.
        NameClashError: a data array has a name that `fit` needs for itself.
        SourceError: the source would read a name that nothing sets; that is an error of symem's own.
    """
    _check_keywords(derivation)
    program = program_of(derivation)
    functions = ModelFunctions(program)
    written = list(functions)
    model = _with_equations(written, functions.lines.spell.equations.values())
    table = description(functions, [each.name for each in written])
    records, beside = _records(program), functions.beside
    described = completed(functions.drawing.told, {each.name for each in beside.values() if each is not None})
    special = special_functions(functions.lines.spell.helpers)
    rules = of_quadrature(functions.lines.spell.helpers)
    own = [
        *records.values(),
        *model,
        table,
        *special,
        *rules,
        *(str(each) for each in beside.values() if each),
        described,
    ]
    imports = _imports(own, shared=shared)
    refuse_undefined(program, "\n\n".join([*imports, *own]), definitions())
    return render(
        "solver.py.j2",
        docstring="\n".join([told, _CREDIT, *_needs(own)]),
        imports=imports,
        version=__version__,
        fingerprint=fingerprint(derivation.model),
        **records,
        functions=model,
        table=table,
        sections=_sections(special, rules, beside, "" if shared else runtime()),
        described=described,
        estimator=estimator_of(program, functions.predictions.names),
        adds="merge" not in {each.name for each in written},
        decodes="paths" in {each.name for each in written},
        shared=shared,
        offered=_offered(_without(program, {each.name for each in written})),
        prior=program.log_prior is not None,
    )


def _with_equations(functions: Sequence[Any], equations: Iterable[str]) -> list[str]:
    """The functions of a model, the equations that its M-step solves before it."""
    place = next(number for number, each in enumerate(functions) if each.name == "m_step")
    return [*map(str, functions[:place]), *equations, *map(str, functions[place:])]


def _sections(
    special: Sequence[str], rules: Sequence[str], beside: Mapping[str, Function | None], of_all: str
) -> list[tuple[str, list[str]]]:
    """What stands below a model, each under its title."""
    return [
        ("special functions of this model, which need SciPy", list(special)),
        ("adaptive quadrature", list(rules)),
        *((title, [str(each)]) for title, each in beside.items() if each is not None),
        ("symem runtime, verbatim, the same in every module", [of_all] if of_all else []),
    ]


def emit_runtime() -> str:
    """The source of the module that modules with a shared runtime import."""
    title = "What every solver that symem writes runs: checks, chunks, starts, the loop."
    return f'"""{title}"""\n\n{standing_alone()}\n'


def runtime_beside(path: Path) -> dict[Path, str]:
    """The file that a module with a shared runtime needs beside it, unless that is there already."""
    place, text = path.with_name(f"{RUNTIME_MODULE}.py"), emit_runtime()
    return {} if place.is_file() and place.read_text(encoding="utf-8") == text else {place: text}


#: The modules that `load` made and that are in use, by their texts.
_LOADED: WeakValueDictionary[str, ModuleType] = WeakValueDictionary()


class LoadedModule(ModuleType):
    """A module that was loaded from a text, and that is pickled and copied with it."""

    source: str

    def __reduce__(self) -> tuple[Any, ...]:
        return _loaded, (self.source,)


def load(source: str, name: str = "symem_solver") -> ModuleType:
    """The module of that source text; it behaves as if it had been imported from a file.

    It, its records and its fits are pickled with that text, which gives them their class where they are read back.
    What it refuses is a `DataError` of symem too.
    """
    module = LoadedModule(name)
    module.source = source
    for code in _codes(source, name):
        exec(code, module.__dict__)  # noqa: S102  text that `emit` wrote
    for each in [*vars(module).values()]:
        if isinstance(each, type) and each.__module__ == name:
            _set_apart(each, module)
    _LOADED[source] = module
    return module


def _codes(source: str, name: str) -> Iterator[CodeType]:
    """The source compiled; the runtime, which is the same in every module, once for all."""
    above, same, below = source.partition(runtime())
    yield _compiled(above, name, source)
    if same:
        yield _runtime_code()
        yield _compiled("\n" * (above + same).count("\n") + below, name, source)


@cache
def _runtime_code() -> CodeType:
    return _compiled(runtime(), "symem runtime", runtime())


def _compiled(text: str, name: str, source: str) -> CodeType:
    """A part of a source at its own lines, which tracebacks and debuggers find."""
    file = f"<{name} {crc32(source.encode()):08x}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    code: CodeType = compile(text, file, "exec", __future__.annotations.compiler_flag, dont_inherit=True)
    return code


def _set_apart(each: type, module: LoadedModule) -> None:
    """A class of the module: how its objects are pickled; what it refuses is refused as symem does."""
    if each.__name__ == "DataError":
        both = type("DataError", (each, DataError), {"__module__": module.__name__, "__doc__": each.__doc__})
        module.__dict__["DataError"] = both
    kinds = {"Solver": _of_solver, "Fit": _of_object, "Estimator": _of_object}
    reduced = _of_record if issubclass(each, tuple) else kinds.get(each.__name__)
    if reduced is not None:
        setattr(each, "__reduce__", partialmethod(reduced, module.source))  # noqa: B010  no method of the class as it stands


def _of_record(record: Any, source: str) -> tuple[Any, ...]:
    """A record as pickle takes it apart; below, an object and the solver itself."""
    return _record_of, (source, type(record).__name__, tuple(record))


def _of_object(each: Any, source: str) -> tuple[Any, ...]:
    return _blank, (source, type(each).__name__), each.__dict__


def _of_solver(_solver: Any, source: str) -> tuple[Any, ...]:
    return _attribute, (source, "SOLVER")


def _loaded(source: str) -> ModuleType:
    return _LOADED.get(source) or load(source)


def _attribute(source: str, name: str) -> Any:
    """What the module of that text calls so."""
    return getattr(_loaded(source), name)


def _record_of(source: str, name: str, values: tuple[Any, ...]) -> Any:
    return _attribute(source, name)(*values)


def _blank(source: str, name: str) -> Any:
    """An object of that class, to be given its state."""
    of = _attribute(source, name)
    return of.__new__(of)


def _check_keywords(derivation: Derivation) -> None:
    for variable in (*derivation.model.data, *derivation.model.known, *derivation.model.sizes):
        if variable.name in FIT_KEYWORDS:
            raise NameClashError(
                f"The name {variable.name!r} is a keyword of fit(...): rename that array, for example to {variable.name}_data."
            )


def _needs(texts: Sequence[str]) -> list[str]:
    """What the module needs beside NumPy."""
    special = from_scipy(texts)
    return [f"Needs NumPy, and SciPy for {', '.join(special)}."] if special else []


def _imports(texts: Sequence[str], *, shared: bool) -> list[str]:
    special = from_scipy(texts)
    lines = [
        "from __future__ import annotations",
        "",
        "from typing import Any, NamedTuple",
        "",
        "import numpy as np",
    ]
    lines += [f"from scipy.special import {', '.join(special)}"] if special else []
    if not shared:
        return lines
    read = set().union(*(_words(text) for text in texts))
    names = sorted(
        read & set(definitions()) | {"DataError", "Fit", "Model", "Solver", "_estimator"}, key=_as_imported
    )
    return [
        *lines,
        "",
        f"from {RUNTIME_MODULE} import (",
        *(f"    {name}," for name in names),
        ")",
    ]


def _without(program: Program, written: set[str]) -> set[str]:
    """What this module does not offer: it has no prior, or no chains of labels."""
    prior = {"log_posterior"} if program.log_prior is None else set()
    return prior | (set() if "paths" in written else {"decode"})


def _offered(without: set[str]) -> str:
    names = (name for name in _OFFERED if name not in without)
    return "\n".join(["[", *(f'    "{name}",' for name in names), "]"])


def _as_imported(name: str) -> tuple[int, str]:
    """Constants first, then classes, then functions, as linters sort imports."""
    bare = name.lstrip("_")
    return (0 if name.isupper() else 1 if bare[0].isupper() else 2, name)


def _words(text: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}


# records ---------------------------------------------------------------------------------------------


def _records(program: Program) -> dict[str, Any]:
    """The named tuples of the model's own: parameters, statistics, posterior."""
    model = program.derivation.model
    parameters = [(each.name, _parameter_text(each)) for each in model.parameters]
    statistics = [
        (each.name, _axes_text(axis.size for axis in each.definition.axes)) for each in program.statistics
    ]
    sizes = {each.name for each in program.sized}
    statistics += [
        (program.layouts[name].name, "the size" if name in sizes else "known") for name in program.sizes
    ]
    fields = [*(("Any", *pair) for pair in statistics), ("float", "log_likelihood", "")]
    if program.log_likelihood_once != ZERO:
        fields.append(("float = 0.0", "once", "what of it belongs to no row, in each part again"))
    posterior = [("Any", each.latent.name, _posterior_text(each)) for each in program.derivation.posteriors]
    return {
        "parameters": _record("Parameters", "", [("Any", *pair) for pair in parameters]),
        "statistics": _record(
            "Statistics",
            "expected sufficient statistics; those of two parts of the data: merge",
            fields,
        ),
        "posterior": _record("Posterior", "", posterior),
    }


def _record(name: str, sentence: str, fields: Iterable[tuple[str, str, str]]) -> str:
    lines = [f"class {name}(NamedTuple):" + (f"  # {sentence}" if sentence else "")]
    lines += [f"    {field}: {kind}" + (f"  # {words}" if words else "") for kind, field, words in fields]
    return "\n".join(lines)


def _parameter_text(variable: Variable) -> str:
    words = variable.support.words
    shape = f"({', '.join(map(str, variable.sizes))})" if variable.sizes else "a number"
    return f"{shape}, {words}" if words else shape


def _posterior_text(posterior: Posterior) -> str:
    shown = reported(posterior)
    if isinstance(posterior, Probabilities):
        return f"probabilities {_axes_text(axis.size for axis in shown[0].axes)}"
    return f"{', '.join(f'{name_of(each.symbol)} {_axes_text(axis.size for axis in each.axes)}' for each in shown)}"


def _axes_text(sizes: Iterable[Any]) -> str:
    listed = [str(size) for size in sizes]
    return f"({', '.join(listed)})" if listed else "a number"
