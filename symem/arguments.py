"""What the command line takes: the commands and their arguments."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping

from symem.command_examples import (
    AUDIT,
    DERIVE,
    EMIT,
    FIT,
    GALLERY,
    OVERVIEW,
    PREDICT,
    REPORT,
    SAMPLE,
    SELECT,
    VERIFY,
)
from symem.report.options import FORMS, Level, Notation
from symem.version import __version__

Command = Callable[[argparse.Namespace], int]


def parser(commands: Mapping[str, Command]) -> argparse.ArgumentParser:
    """The parser; `commands` gives each name what it runs."""
    parser = argparse.ArgumentParser(
        prog="symem",
        description="From the statement of a model to a verified EM algorithm.",
        epilog=OVERVIEW,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"symem {__version__}")
    subparsers = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name, words, epilog, add in COMMANDS:
        command = subparsers.add_parser(
            name,
            help=words,
            description=f"{words[0].upper()}{words[1:]}.",
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.set_defaults(command=commands[name])
        add(command)
        _json(command)
    return parser


def _file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a Python file that defines a Model, or FILE:NAME")
    _approximate(parser)
    _gradient(parser)
    _budget(parser)


def _approximate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--approximate",
        choices=["quadrature", "mean field"],
        help="what is done where no order of elimination works: a sum over nodes, or factors of a mean field, said to be an approximation",
    )


def _budget(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--budget", type=float, metavar="SECONDS", help="of processor time for a derivation (default: 10)"
    )


def _gradient(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--gradient",
        dest="numeric",
        action="store_const",
        const="gradient",
        default=True,
        help="where an update has no closed form, one step of Newton's method that raises Q, not its maximum (EM gradient)",
    )


def _numeric(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--no-numeric",
        dest="numeric",
        action="store_false",
        help="closed forms alone: say of a parameter without one that it is not derived",
    )


def _force(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--force", action="store_true", help="replace files that exist")


def _derive(parser: argparse.ArgumentParser) -> None:
    _file(parser)
    _numeric(parser)
    parser.add_argument("--latex", metavar="OUT.tex", help="write the whole derivation as LaTeX")
    parser.add_argument("--markdown", metavar="OUT.md", help="write the whole derivation as Markdown")
    parser.add_argument(
        "--exercise",
        action="store_true",
        help="in what is written, tasks with their solutions folded or at the end",
    )
    _force(parser)


def _emit(parser: argparse.ArgumentParser) -> None:
    _file(parser)
    parser.add_argument("-o", "--output", metavar="OUT.py", help="the module to write (default: stdout)")
    parser.add_argument(
        "--style", choices=["module", "plain"], default="module", help="plain: one short function to read"
    )
    parser.add_argument(
        "--runtime",
        choices=["own", "shared"],
        default="own",
        help="shared: in symem_runtime.py beside the modules",
    )
    _unverified(parser)
    _force(parser)


def _unverified(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--no-verify",
        dest="verify",
        action="store_false",
        help="write a module also where nothing of it could be verified",
    )


def _fit(parser: argparse.ArgumentParser) -> None:
    _file(parser)
    parser.add_argument("data", metavar="DATA.csv", help="a table with a header")
    _numbers(parser)
    _settings(parser)
    parser.add_argument("--output", metavar="FIT.json", help="write the fit, in full precision")
    parser.add_argument(
        "--report", metavar="OUT", help="write the derivation and this fit: .html, .tex, .md or .ipynb"
    )
    parser.add_argument("--module", metavar="OUT.py", help="write the stand-alone module")
    _unverified(parser)
    _force(parser)


def _settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, help="of the random starts")
    parser.add_argument("--n-init", type=int, metavar="N", help="number of random starts")
    parser.add_argument("--tol", type=float, help="stop when the log-likelihood per observation gains less")
    parser.add_argument("--max-iter", type=int, metavar="N", help="give up after so many iterations")
    parser.add_argument(
        "--accelerate",
        metavar="WAY",
        help="jump ahead where that does not lower the log-likelihood: anderson, squarem, or auto, which begins where EM is slow",
    )
    parser.add_argument(
        "--verbose", action="store_true", help="progress on stderr, also where it is no terminal"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress on a terminal")


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--json",
        action="store_true",
        help="print JSON, for programs: what was found, or the files that were written",
    )


def _select(parser: argparse.ArgumentParser) -> None:
    _file(parser)
    parser.add_argument("data", metavar="DATA.csv", help="a table with a header")
    _several(parser, "--size", "NAME=LOW..HIGH", "sizes to try: K=1..7")
    _several(parser, "--set", "NAME=V", "data that the table lacks: N=10")
    parser.add_argument("--criterion", choices=["bic", "aic"], default="bic", help="less is better")
    _settings(parser)


def _predict(parser: argparse.ArgumentParser) -> None:
    _file(parser)
    parser.add_argument("data", metavar="DATA.csv", help="a table with a header")
    parser.add_argument(
        "--parameters", metavar="FIT.json", required=True, help="what symem fit --output wrote"
    )
    _several(parser, "--size", "NAME=N", "sizes that no array shows")
    _several(parser, "--set", "NAME=V", "data that the table lacks: N=10")
    parser.add_argument("-o", "--output", metavar="OUT.csv", help="default: stdout")
    _force(parser)


def _sample(parser: argparse.ArgumentParser) -> None:
    _file(parser)
    parser.add_argument("--parameters", metavar="FIT.json", help="what symem fit --output wrote")
    _several(parser, "--theta", "NAME=V,…", "parameters, also in the place of those of a fit: w=0.4,0.6")
    _several(parser, "--size", "NAME=N", "how many rows, and other sizes that nothing shows: n=100")
    _several(parser, "--set", "NAME=V", "known numbers and arrays: N=10")
    parser.add_argument("--seed", type=int, help="of the draws")
    parser.add_argument("--latents", action="store_true", help="with the latents behind the data")
    parser.add_argument("-o", "--output", metavar="OUT.csv", help="default: stdout")
    _force(parser)


def _verify(parser: argparse.ArgumentParser) -> None:
    _file(parser)
    _to_check(parser)


def _audit(parser: argparse.ArgumentParser) -> None:
    _file(parser)
    parser.add_argument("updates", metavar="UPDATES.py", help="formulas or functions to hold against it")
    _to_check(parser)


def _to_check(parser: argparse.ArgumentParser) -> None:
    """Where to check, if not at data and parameters that are drawn."""
    parser.add_argument("data", metavar="DATA.csv", nargs="?", help="a table with a header")
    _several(parser, "--size", "NAME=N", "sizes that no array shows: K=2")
    _several(parser, "--set", "NAME=V", "data that the table lacks: N=10")
    _several(parser, "--theta", "NAME=V,…", "parameters near which to check: w=0.4,0.6")


def _numbers(parser: argparse.ArgumentParser) -> None:
    """What a table cannot say."""
    for flag, metavar, words in (
        ("--size", "NAME=N", "sizes that no array shows: K=2"),
        ("--set", "NAME=V", "data that the table lacks: N=10"),
        ("--start", "NAME=V,…", "where to start: w=0.5,0.5"),
    ):
        _several(parser, flag, metavar, words)


def _several(parser: argparse.ArgumentParser, flag: str, metavar: str, words: str) -> None:
    parser.add_argument(flag, nargs="+", action="extend", default=[], metavar=metavar, help=words)


def _report(parser: argparse.ArgumentParser) -> None:
    _file(parser)
    _numeric(parser)
    parser.add_argument("data", metavar="DATA.csv", nargs="?", help="a table with a header")
    _numbers(parser)
    parser.add_argument("--form", choices=FORMS, help="default: by the name of the output, else html")
    _reading(parser)
    _several(parser, "--rename", "NAME=NEW", "other names for symbols: w=pi")
    parser.add_argument("--title", help="default: the first line of the file's docstring")
    parser.add_argument("--author", help="who hands it out")
    parser.add_argument("--date", help="of the report; none if it is not given")
    parser.add_argument("--listing", action="store_true", help="with the module at the end")
    parser.add_argument(
        "--exercise", action="store_true", help="tasks, the algebra folded away or at the end"
    )
    parser.add_argument("--slides", action="store_true", help="a step a page: HTML to print, or LaTeX beamer")
    parser.add_argument("-o", "--output", metavar="OUT", help="default: the name of FILE; - for stdout")
    parser.add_argument("--open", action="store_true", help="show it")
    _force(parser)


def _reading(parser: argparse.ArgumentParser) -> None:
    levels, notations = ([str(each) for each in kind] for kind in (Level, Notation))
    parser.add_argument(
        "--level", choices=levels, help="how much algebra (default: paper; teaching for exercises and slides)"
    )
    parser.add_argument("--notation", choices=notations, default=notations[0], help="whose letters")


def _gallery(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("directory", metavar="DIRECTORY", help="a folder of Python files, each with a Model")
    parser.add_argument("-o", "--output", metavar="FOLDER", required=True, help="where the pages go")
    _budget(parser)
    _reading(parser)
    parser.add_argument("--open", action="store_true", help="show it")
    _force(parser)


COMMANDS = (
    ("derive", "derive the E-step and the M-step", DERIVE, _derive),
    ("emit", "write a stand-alone NumPy module", EMIT, _emit),
    ("fit", "estimate the parameters from a table", FIT, _fit),
    ("select", "fit every size of a range, and choose by BIC or AIC", SELECT, _select),
    ("predict", "say what the latents of a table are, by a fit", PREDICT, _predict),
    ("sample", "draw data from the model", SAMPLE, _sample),
    ("verify", "check the derivation by the ladder V0 to V6", VERIFY, _verify),
    ("audit", "hold somebody else's updates against the derivation", AUDIT, _audit),
    ("report", "write the derivation as HTML, LaTeX, Markdown or a notebook", REPORT, _report),
    ("gallery", "write a browsable HTML gallery of the models in a folder", GALLERY, _gallery),
)
