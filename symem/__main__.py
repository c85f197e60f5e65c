"""The command line: derive, emit, fit and verify a model that a Python file defines.

Results go to stdout, messages to stderr. Exit status: 0 done; 1 a check failed, a parameter has no closed-form
update, or the fit did not converge; 2 the command, the model or the data are at fault.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from symem.em import EM
from symem.em import derive as derived
from symem.errors import NotDerivedError, SymemError, VerificationError
from symem.files import load_model, read_table, read_values, refuse_existing, write_whole
from symem.output import report

DONE, FAILED, MISUSED = 0, 1, 2

OVERVIEW = """\
examples:
  symem derive examples/old_faithful.py
  symem derive examples/old_faithful.py --latex report.tex
  symem emit   examples/old_faithful.py -o old_faithful_em.py
  symem fit    examples/old_faithful.py examples/data/old_faithful.csv --size K=2
  symem verify examples/old_faithful.py

FILE is a Python file with a symem.Model called `model` (or only one Model); FILE:NAME picks another.
It is run as Python, so use only files that you trust.
"""
DERIVE = """\
examples:
  symem derive examples/old_faithful.py
  symem derive examples/old_faithful.py --latex report.tex --markdown report.md
  symem derive models.py:coins
"""
EMIT = """\
examples:
  symem emit examples/old_faithful.py -o old_faithful_em.py
  symem emit examples/old_faithful.py -o old_faithful_em.py --force
"""
FIT = """\
examples:
  symem fit examples/old_faithful.py examples/data/old_faithful.csv --size K=2
  symem fit examples/old_faithful.py data.csv --start w=0.5,0.5 mu=55,80 sigma=5,5
  symem fit examples/two_coins.py tosses.csv --set N=10 --start th=0.6,0.5 --output fit.json

DATA.csv has a header. The column `x` is the array x[i]; `y[1]`, `y[2]`, … hold y[i, 1], y[i, 2], …
An empty cell or NA is a missing value. Rows of a matrix in --start are separated by `;`.
"""
VERIFY = """\
examples:
  symem verify examples/old_faithful.py
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        warnings.showwarning = _show_warning  # type: ignore[assignment]
        try:
            return command(options)
        except (NotDerivedError, VerificationError) as error:
            return _complain(error, FAILED)
        except (SymemError, OSError) as error:
            return _complain(error, MISUSED)


def _complain(error: BaseException, status: int) -> int:
    _say(f"error: {error}")
    return status


def _say(message: str) -> None:
    print(f"symem: {message}", file=sys.stderr)


def _show_warning(message: Warning | str, *_: Any) -> None:
    _say(f"warning: {message}")


# commands --------------------------------------------------------------------------------------------


def derive(options: argparse.Namespace) -> int:
    """Print the model, the E-step and the updates; write reports if asked."""
    refuse_existing([options.latex, options.markdown], force=options.force)
    em = _derived(options.file)
    print(report.text(em.derivation), end="")
    _write(options.latex, em.latex, options)
    _write(options.markdown, em.markdown, options)
    return FAILED if em.derivation.not_derived else DONE


def emit(options: argparse.Namespace) -> int:
    """Write the stand-alone module."""
    refuse_existing([options.output], force=options.force)
    em = _derived(options.file)
    if options.output is None:
        print(em.source(), end="")
    _emit(options.output, em, options)
    return DONE


def fit(options: argparse.Namespace) -> int:
    """Estimate the parameters from a table."""
    refuse_existing([options.output, options.report, options.module], force=options.force)
    em = _derived(options.file)
    data: dict[str, Any] = {
        **read_table(options.data, em.model),
        **read_values(options.set),
        **read_values(options.size),
    }
    found = em.fit(**data, **_fit_options(options))
    print(report.updates(em.derivation))
    print(_estimate(found), end="")
    _write(options.report, em.latex, options)
    _emit(options.module, em, options)
    _write(options.output, lambda: json.dumps(_as_json(found), indent=2) + "\n", options)
    return DONE if found.converged else FAILED


def verify(options: argparse.Namespace) -> int:
    """Climb the ladder V0 to V5 and print every rung."""
    found = _derived(options.file).verify()
    print(found)
    return DONE if found.passed else FAILED


def _derived(spec: str) -> EM:
    return derived(load_model(spec))


def _write(path: str | None, text: Callable[[], str], options: argparse.Namespace) -> None:
    if path is not None:
        _say(f"wrote {write_whole(path, text(), force=options.force)}")


def _emit(path: str | None, em: EM, options: argparse.Namespace) -> None:
    """Write the module, unless a check of the derivation fails."""
    if path is not None:
        _say(f"wrote {em.write(path, force=options.force)}")


def _fit_options(options: argparse.Namespace) -> dict[str, Any]:
    """What was given; the rest is the solver's to choose."""
    names = ("seed", "tol", "max_iter", "n_init", "verbose")
    chosen = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    return {**chosen, "start": read_values(options.start)} if options.start else chosen


def _estimate(found: Any) -> str:
    rows = [(name, _numbers(value)) for name, value in found.parameters._asdict().items()]
    rows.append(("log-likelihood", f"{found.log_likelihood:.10g}"))
    end = "converged" if found.converged else "NOT converged"
    rows.append(("iterations", f"{found.n_iter}, {end}"))
    wide = max(len(name) for name, _ in rows)
    lines = [f"  {name:<{wide}}  {value}" for name, value in rows]
    return "Estimate\n" + "\n".join(lines) + "\n"


def _numbers(value: Any) -> str:
    array = np.asarray(value)
    if array.ndim == 0:
        return f"{float(array):.6g}"
    if array.ndim == 1:
        return "  ".join(f"{entry:<10.6g}" for entry in array).rstrip()
    return "; ".join(_numbers(row) for row in array)


def _as_json(found: Any) -> dict[str, Any]:
    return {
        "parameters": {
            name: np.asarray(value).tolist() for name, value in found.parameters._asdict().items()
        },
        "log_likelihood": float(found.log_likelihood),
        "converged": bool(found.converged),
        "n_iter": int(found.n_iter),
        "history": np.asarray(found.history).tolist(),
    }


# arguments -------------------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="symem",
        description="From the statement of a model to a verified EM algorithm.",
        epilog=OVERVIEW,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"symem {version('symem')}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _derive_arguments(_command(commands, derive, "derive the E-step and the M-step", DERIVE))
    _emit_arguments(_command(commands, emit, "write a stand-alone NumPy module", EMIT))
    _fit_arguments(_command(commands, fit, "estimate the parameters from a table", FIT))
    _command(commands, verify, "check the derivation by the ladder V0 to V5", VERIFY)
    return parser


def _command(commands: Any, function: Callable[..., int], words: str, epilog: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        function.__name__,
        help=words,
        description=f"{words[0].upper()}{words[1:]}.",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", metavar="FILE", help="a Python file that defines a Model, or FILE:NAME")
    parser.set_defaults(command=function)
    return parser


def _force(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--force", action="store_true", help="replace files that exist")


def _derive_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--latex", metavar="OUT.tex", help="write the whole derivation as LaTeX")
    parser.add_argument("--markdown", metavar="OUT.md", help="write the whole derivation as Markdown")
    _force(parser)


def _emit_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", metavar="OUT.py", help="the module to write (default: stdout)")
    _force(parser)


def _fit_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", metavar="DATA.csv", help="a table with a header")
    parser.add_argument(
        "--size",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME=N",
        help="sizes that no array shows: K=2",
    )
    parser.add_argument(
        "--set",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME=V",
        help="data that the table lacks: N=10",
    )
    parser.add_argument(
        "--start",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME=V,…",
        help="where to start: w=0.5,0.5",
    )
    parser.add_argument("--seed", type=int, help="of the random starts")
    parser.add_argument("--n-init", type=int, metavar="N", help="number of random starts")
    parser.add_argument("--tol", type=float, help="stop when the log-likelihood per observation gains less")
    parser.add_argument("--max-iter", type=int, metavar="N", help="give up after so many iterations")
    parser.add_argument("--verbose", action="store_true", default=None, help="progress on stderr")
    parser.add_argument("--output", metavar="FIT.json", help="write the estimate, in full precision")
    parser.add_argument("--report", metavar="OUT.tex", help="write the derivation as LaTeX")
    parser.add_argument("--module", metavar="OUT.py", help="write the stand-alone module")
    _force(parser)


if __name__ == "__main__":
    sys.exit(main())
