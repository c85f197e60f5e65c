"""The command line: derive, emit, fit, verify, audit and report a model that a Python file defines.

Results go to stdout, messages to stderr. Exit status: 0 done; 1 a check failed, a parameter has no closed-form
update, or the fit did not converge; 2 the command, the model or the data are at fault; 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
import webbrowser
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from symem import candidates
from symem.arguments import Command, parser, spelt
from symem.documents import Choices
from symem.em import EM
from symem.em import derive as derived
from symem.errors import BudgetError, DataError, NotDerivedError, SymemError, VerificationError
from symem.estimate import estimate
from symem.files import (
    ModelFile,
    load_claims,
    load_file,
    load_model,
    read_sizes,
    read_values,
)
from symem.gallery import build
from symem.machine_forms import (
    as_csv,
    as_json,
    of_audit,
    of_derivation,
    of_selection,
    of_verification,
    predictions,
)
from symem.report import report as told
from symem.report.options import FORMS, form_of
from symem.runtime.wording import _Words
from symem.saved import load
from symem.tables import read_table
from symem.writing import refuse_existing, spell_out, write_whole

DONE, FAILED, MISUSED, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    options = parser(COMMANDS).parse_args(arguments)
    command: Command = options.command
    for stream in (sys.stdout, sys.stderr):
        spell_out(stream)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        warnings.showwarning = _show_warning  # type: ignore[assignment]
        try:
            return command(options)
        except KeyboardInterrupt:
            return _complain("interrupted; nothing more was written.", INTERRUPTED)
        except BrokenPipeError:  # the reader, such as `head`, has seen enough; Python must not flush into it
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return DONE
        except (BudgetError, NotDerivedError, VerificationError) as error:
            return _complain(error, FAILED)
        except (SymemError, OSError) as error:
            return _complain(error, MISUSED)


def _complain(error: BaseException | str, status: int) -> int:
    _say(_Words("error: ", str(error)))
    return status


def _say(message: str) -> None:
    print(f"symem: {spelt(message)}", file=sys.stderr)


def _show_warning(message: Warning | str, *_: Any) -> None:
    _say(_Words("warning: ", str(message)))


# commands --------------------------------------------------------------------------------------------


def derive(options: argparse.Namespace) -> int:
    """Print the model, the E-step and the updates; write reports if asked."""
    refuse_existing([options.latex, options.markdown], force=options.force)
    em = _derived(options)
    print(as_json(of_derivation(em)) if options.json else told.text(em.derivation), end="", flush=True)
    _write(options.latex, em.latex, options)
    _write(options.markdown, em.markdown, options)
    return FAILED if em.derivation.not_derived else DONE


def emit(options: argparse.Namespace) -> int:
    """Write the algorithm in NumPy: a module, or one plain function."""
    refuse_existing([options.output], force=options.force)
    em = _derived(options)
    form: dict[str, Any] = {"style": options.style, "runtime": options.runtime}
    if options.output is None:
        if options.verify:
            em.verify().require("Nothing was printed")
        _print_document(as_json({"source": em.source(**form)}) if options.json else em.source(**form))
        return DONE
    path = em.write(options.output, **form, force=options.force, verify=options.verify)
    _say(f"wrote {path}")
    return _named([path], options)


def fit(options: argparse.Namespace) -> int:
    """Estimate the parameters from a table."""
    refuse_existing([options.output, options.report, options.module], force=options.force)
    form = form_of(options.report) if options.report else ""
    stated = load_file(options.file)
    em = derived(stated.model, budget=options.budget)
    found = em.fit(**_table(options, em), **_fit_options(options))
    if options.json:
        print(found.as_text(), end="")
    else:
        print(told.updates(em.derivation))
        print(_estimate(found), end="")
    _write(options.report, lambda: em.told_in(form, **_of_fit(options, stated, found)), options)
    _emit(options.module, em, options)
    _write(options.output, found.as_text, options)
    return DONE if found.converged else FAILED


def select(options: argparse.Namespace) -> int:
    """Fit a model with every size of a range."""
    em = _derived(options)
    table = {**read_table(options.data, em.model).arrays, **read_values(options.set)}
    asked: dict[str, Any] = {**_settings(options), "criterion": options.criterion, **read_sizes(options.size)}
    found = candidates.select(em, table, **asked)
    print(as_json(of_selection(found)) if options.json else f"{spelt(str(found))}\n", end="")
    return DONE if found.chosen_or_none else FAILED


def predict(options: argparse.Namespace) -> int:
    """Say what the latents of a table are, by a fit that was written."""
    refuse_existing([options.output], force=options.force)
    em = _derived(options)
    found = predictions(load(options.parameters, em), _table(options, em))
    text = as_json(found) if options.json else as_csv(found)
    if options.output is None:
        print(text, end="")
    _write(options.output, lambda: text, options)
    return DONE


def sample(options: argparse.Namespace) -> int:
    """Draw data from the model, by a fit that was written or by parameters that are given."""
    refuse_existing([options.output], force=options.force)
    em = _derived(options)
    stated = load(options.parameters, em).parameters._asdict() if options.parameters else {}
    theta = {**stated, **read_values(options.theta)}
    given = {
        **read_values(options.set),
        **{name: int(size) for name, size in read_values(options.size).items()},
    }
    found = em.sample(theta, seed=options.seed, latents=options.latents, **given)
    text = as_json(found) if options.json else as_csv(found)
    if options.output is None:
        print(text, end="")
    _write(options.output, lambda: text, options)
    return DONE


def verify(options: argparse.Namespace) -> int:
    """Climb the ladder V0 to V5 and print every rung."""
    em = _derived(options)
    data, beside = _to_check(options, em)
    found = em.verify(data, **beside)
    print(as_json(of_verification(found)) if options.json else f"{found}\n", end="")
    return DONE if found.passed else FAILED


def audit(options: argparse.Namespace) -> int:
    """Hold the updates of another file against the derivation."""
    stated = load_file(options.file)
    em = derived(stated.model, budget=options.budget)
    data, beside = _to_check(options, em)
    found = em.audit(**load_claims(options.updates, {**stated.names, "em": em}), data=data, **beside)
    print(as_json(of_audit(found)) if options.json else f"{found}\n", end="")
    return FAILED if found.verdict == "refuted" else DONE


def report(options: argparse.Namespace) -> int:
    """Write the derivation as a document."""
    form = _form(options)
    path = options.output or Path(options.file.partition(":")[0]).stem + FORMS[form]
    refuse_existing([path] if path != "-" else [], force=options.force)
    stated = load_file(options.file)
    em = derived(stated.model, budget=options.budget)
    text = em.told_in(form, statement=stated.statement, **_choices(options, stated, em))
    if path == "-":
        _print_document(as_json({"source": text}) if options.json else text)
    else:
        _write(path, lambda: text, options)
        _named([path], options)
        _show(path, options)
    return FAILED if em.derivation.not_derived else DONE


def gallery(options: argparse.Namespace) -> int:
    """Write a folder of reports, with an index."""
    choices: Choices = {"level": options.level, "notation": options.notation}
    pages = build(options.directory, choices, tell=_say, budget=options.budget)
    targets = {Path(options.output) / name: text for name, text in pages.items()}
    refuse_existing(targets, force=options.force)
    for target, text in targets.items():
        write_whole(target, text, force=options.force)
    _say(f"wrote {Path(options.output) / 'index.html'} and the {len(pages) - 1} files beside it")
    _show(Path(options.output) / "index.html", options)
    return _named(targets, options)


COMMANDS: dict[str, Command] = {
    each.__name__: each
    for each in (derive, emit, fit, select, predict, sample, verify, audit, report, gallery)
}


def _derived(options: argparse.Namespace) -> EM:
    return derived(load_model(options.file), budget=options.budget)


def _write(path: str | None, text: Callable[[], str], options: argparse.Namespace) -> None:
    if path is not None:
        _say(f"wrote {write_whole(path, text(), force=options.force)}")


def _named(paths: Iterable[str | Path], options: argparse.Namespace) -> int:
    """The files that were written, for programs that ask."""
    if options.json:
        print(as_json({"wrote": [str(path) for path in paths]}), end="")
    return DONE


def _print_document(text: str) -> None:
    """A module or a report to stdout: as in a file, in UTF-8 whatever the terminal is."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8", errors="strict")
    print(text, end="", flush=True)


def _emit(path: str | None, em: EM, options: argparse.Namespace) -> None:
    """Write the module, unless a check of the derivation fails."""
    if path is not None:
        _say(f"wrote {em.write(path, force=options.force, verify=options.verify)}")


def _fit_options(options: argparse.Namespace) -> dict[str, Any]:
    chosen = _settings(options)
    return {**chosen, "start": read_values(options.start)} if options.start else chosen


def _settings(options: argparse.Namespace) -> dict[str, Any]:
    """What was given; the rest is the solver's to choose."""
    names = ("seed", "tol", "max_iter", "n_init")
    chosen = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    return {**chosen, "verbose": _is_watched(options)}


def _is_watched(options: argparse.Namespace) -> bool:
    """Whether progress is told: on a terminal unless it is not wanted, elsewhere if it is."""
    return bool(options.verbose or (sys.stderr.isatty() and not options.quiet))


def _table(options: argparse.Namespace, em: EM) -> dict[str, Any]:
    return {
        **read_table(options.data, em.model).arrays,
        **read_values(options.set),
        **read_values(options.size),
    }


def _to_check(options: argparse.Namespace, em: EM) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """The data to check with, if there are some, and parameters and sizes."""
    table = read_table(options.data, em.model).arrays if options.data else {}
    data = {**table, **read_values(options.set)}
    sizes = {name: int(size) for name, size in read_values(options.size).items()}
    return data or None, {"theta": read_values(options.theta) or None, "sizes": sizes or None}


def _form(options: argparse.Namespace) -> str:
    """The form that was asked for, or that the name of the output means."""
    suffix = Path(options.output or "").suffix
    return options.form or next((form for form, ending in FORMS.items() if ending == suffix), "html")


def _of_fit(options: argparse.Namespace, stated: ModelFile, found: Any) -> Any:
    """What the report of a fit is to hold."""
    titled = {"title": stated.title} if stated.title else {}
    return {**titled, "statement": stated.statement, "fit": found, "source": Path(options.data).name}


def _choices(options: argparse.Namespace, stated: ModelFile, em: EM) -> Choices:
    """What the report is to hold; the file's own numbers where no table is given."""
    choices: Choices = {
        "level": options.level,
        "notation": options.notation,
        "rename": dict(map(_pair, options.rename)),
    }
    title = options.title or stated.title
    if title:
        choices["title"] = title
    own = read_table(options.data, em.model).arrays if options.data else stated.data or {}
    data = {**own, **read_values(options.set), **read_values(options.size)}
    if data:
        choices["data"] = data
        start = read_values(options.start) or (None if options.data else stated.start)
        if start is not None:
            choices["start"] = start
    return choices


def _pair(text: str) -> tuple[str, str]:
    name, equals, new = text.partition("=")
    if not equals or not name or not new:
        raise DataError(f"--rename takes NAME=NEW, not {text!r}.")
    return name, new


def _show(path: str | Path, options: argparse.Namespace) -> None:
    if options.open:
        webbrowser.open(Path(path).resolve().as_uri())


def _estimate(found: Any) -> str:
    rows = estimate(found)
    wide = max(len(name) for name, _ in rows)
    lines = [f"  {name:<{wide}}  {value}" for name, value in rows]
    return "Estimate\n" + "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
