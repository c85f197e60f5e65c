"""The commands: each reads its options, does its work by `EM`, and returns the exit status."""

from __future__ import annotations

import argparse
import sys
import webbrowser
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from symem import candidates
from symem.arguments import Command
from symem.documents import Choices
from symem.em import EM
from symem.em import derive as derived
from symem.estimate import estimate
from symem.files import ModelFile, load_claims, load_file, read_sizes, read_values
from symem.flags import spelt
from symem.gallery import build
from symem.machine_forms import (
    as_csv,
    as_json,
    in_rows,
    of_audit,
    of_derivation,
    of_selection,
    of_verification,
    predictions,
)
from symem.option_values import (
    choices_of,
    choices_of_fit,
    data_to_check,
    fit_settings,
    form_asked,
    loading_of,
    refuse_exercise_alone,
    settings_of,
    table_of,
)
from symem.report import report as told
from symem.report.options import FORMS, form_of
from symem.saved import load
from symem.tables import read_table
from symem.writing import refuse_existing, write_whole

DONE, FAILED = 0, 1


def derive(options: argparse.Namespace) -> int:
    """Print the model, the E-step and the updates; write reports if asked."""
    refuse_exercise_alone(options)
    refuse_existing([options.latex, options.markdown], force=options.force)
    em = _derived(options)
    print(as_json(of_derivation(em)) if options.json else told.text(em.derivation), end="", flush=True)
    _write(options.latex, lambda: em.latex(exercise=options.exercise), options)
    _write(options.markdown, lambda: em.markdown(exercise=options.exercise), options)
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
    say(f"wrote {path}")
    return _named([path], options)


def fit(options: argparse.Namespace) -> int:
    """Estimate the parameters from a table."""
    refuse_existing([options.output, options.report, options.module], force=options.force)
    form = form_of(options.report) if options.report else ""
    stated = load_file(options.file)
    em = _derived_of(stated, options)
    found = em.fit(**table_of(options, em), **fit_settings(options))
    if options.json:
        print(found.as_text(), end="")
    else:
        print(told.updates(em.derivation))
        print(_estimate(found), end="")
    _write(options.report, lambda: em.told_in(form, **choices_of_fit(options, stated, found)), options)
    _emit(options.module, em, options)
    _write(options.output, found.as_text, options)
    return DONE if found.converged else FAILED


def select(options: argparse.Namespace) -> int:
    """Fit a model with every size of a range."""
    em = _derived(options)
    table = {**read_table(options.data, em.model).arrays, **read_values(options.set)}
    asked: dict[str, Any] = {
        **settings_of(options),
        "criterion": options.criterion,
        **read_sizes(options.size),
    }
    found = candidates.select(em, table, **asked)
    print(as_json(of_selection(found)) if options.json else f"{spelt(str(found))}\n", end="")
    return DONE if found.chosen_or_none else FAILED


def predict(options: argparse.Namespace) -> int:
    """Say what the latents of a table are, by a fit that was written."""
    refuse_existing([options.output], force=options.force)
    em = _derived(options)
    data = table_of(options, em)
    found = predictions(load(options.parameters, em), data)
    text = as_json(found) if options.json else as_csv(in_rows(em.model, found, data))
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
    text = as_json(found) if options.json else as_csv(in_rows(em.model, found, {}))
    if options.output is None:
        print(text, end="")
    _write(options.output, lambda: text, options)
    return DONE


def verify(options: argparse.Namespace) -> int:
    """Climb the ladder V0 to V6 and print every rung."""
    em = _derived(options)
    data, beside = data_to_check(options, em)
    found = em.verify(data, **beside)
    print(as_json(of_verification(found)) if options.json else f"{found}\n", end="")
    return DONE if found.passed else FAILED


def audit(options: argparse.Namespace) -> int:
    """Hold the updates of another file against the derivation."""
    stated = load_file(options.file)
    em = _derived_of(stated, options)
    data, beside = data_to_check(options, em)
    found = em.audit(**load_claims(options.updates, {**stated.names, "em": em}), data=data, **beside)
    print(as_json(of_audit(found)) if options.json else f"{found}\n", end="")
    return FAILED if found.verdict == "refuted" else DONE


def report(options: argparse.Namespace) -> int:
    """Write the derivation as a document."""
    form = form_asked(options)
    path = options.output or Path(options.file.partition(":")[0]).stem + FORMS[form]
    refuse_existing([path] if path != "-" else [], force=options.force)
    stated = load_file(options.file)
    em = _derived_of(stated, options)
    python = {"statement": stated.statement, "loading": loading_of(options, stated, path)}
    text = em.told_in(form, **python, **choices_of(options, stated, em))
    if path == "-":
        _print_document(as_json({"source": text}) if options.json else text)
    else:
        _write(path, lambda: text, options)
        _named([path], options)
        _show(path, options)
    return FAILED if em.derivation.not_derived else DONE


def gallery(options: argparse.Namespace) -> int:
    """Write a folder of reports, with an index."""
    choices: Choices = {"level": options.level or "paper", "notation": options.notation}
    pages = build(options.directory, choices, tell=say, budget=options.budget)
    targets = {Path(options.output) / name: text for name, text in pages.items()}
    refuse_existing(targets, force=options.force)
    for target, text in targets.items():
        write_whole(target, text, force=options.force)
    say(f"wrote {Path(options.output) / 'index.html'} and the {len(pages) - 1} files beside it")
    _show(Path(options.output) / "index.html", options)
    return _named(targets, options)


COMMANDS: dict[str, Command] = {
    each.__name__: each
    for each in (derive, emit, fit, select, predict, sample, verify, audit, report, gallery)
}


# what they print and write -----------------------------------------------------------------------------


def say(message: str) -> None:
    print(f"symem: {spelt(message)}", file=sys.stderr)


def _derived(options: argparse.Namespace) -> EM:
    return _derived_of(load_file(options.file), options)


def _derived_of(stated: ModelFile, options: argparse.Namespace) -> EM:
    approximate = options.approximate or stated.approximate
    return derived(stated.model, budget=options.budget, numeric=options.numeric, approximate=approximate)


def _write(path: str | None, text: Callable[[], str], options: argparse.Namespace) -> None:
    if path is not None:
        say(f"wrote {write_whole(path, text(), force=options.force)}")


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
        say(f"wrote {em.write(path, force=options.force, verify=options.verify)}")


def _show(path: str | Path, options: argparse.Namespace) -> None:
    if options.open:
        webbrowser.open(Path(path).resolve().as_uri())


def _estimate(found: Any) -> str:
    rows = estimate(found)
    wide = max(len(name) for name, _ in rows)
    lines = [f"  {name:<{wide}}  {value}" for name, value in rows]
    return "Estimate\n" + "\n".join(lines) + "\n"
