"""From what a reader asks of a report to the choices that it understands: names checked, numbers worked."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import Any, TypedDict, Unpack

from symem.budget import deriving
from symem.calculus.exponential_families import family_of
from symem.derivation import Derivation, RunningCost
from symem.derivation.identifiability import Identifiability
from symem.errors import BudgetError, DataError, NotDerivedError, UndeclaredSymbolError
from symem.language.reading import stated_name
from symem.report.options import Level, Notation, Options, chosen
from symem.runtime.results import Fit
from symem.workings.every_line import line_by_line


class Choices(TypedDict, total=False):
    """The keywords of `EM.html`, `EM.latex`, `EM.markdown` and `EM.notebook`.

    `level` is brief (the updates), paper, or teaching (every line between); `notation` is symem, bishop, mclachlan
    or dempster; `rename` gives a symbol, or its name, another name; with `data` (arrays and sizes) and `start` one
    iteration is worked in numbers; with `fit` the report tells of that fit, and of its data by the name `source`.
    `title`, `author` and `date` stand at the head, as they are given and only if they are; `reference` says where the
    model is from; with `listing` the emitted module stands at the end, and with `identifiability`, what `em.identifiability()` gives, that is told. With `exercise` each step is a task whose
    algebra is folded away, or stands at the end of a LaTeX document; with `slides` HTML and LaTeX (beamer) have a step a
    page. Both tell every line unless another `level` is asked for.
    """

    level: str
    notation: str
    rename: Mapping[Any, str]
    title: str
    author: str
    date: str
    reference: str
    listing: bool
    exercise: bool
    slides: bool
    data: Mapping[str, Any]
    start: Mapping[str, Any]
    fit: Fit
    source: str
    identifiability: Identifiability


class Documents:
    """What has a derivation and a solver, told in every form."""

    @property
    def derivation(self) -> Derivation:
        """The record of what was derived."""
        raise NotImplementedError

    def source(self) -> str:
        """The emitted module as text."""
        raise NotImplementedError

    def solver(self) -> Any:
        """The same, loaded."""
        raise NotImplementedError

    def latex(self, **choices: Unpack[Choices]) -> str:
        """The derivation as a LaTeX article.

        Parameters
        ----------
        **choices : Choices
            level, notation, rename, title, data, start, fit, source and the others of `Choices`.

        Returns
        -------
        str
            the text; it needs amsmath, amssymb, geometry and hyperref, as `slides` beamer.

        Raises
        ------
        DataError
            a level or a notation that there is not; data or a start that the model cannot take.
        UndeclaredSymbolError
            a renamed symbol that the model does not have.
        """
        from symem.report.report import beamer, latex

        told = beamer if choices.get("slides") else latex
        return told(self.recorded(choices), self.options(choices))

    def html(self, **choices: Unpack[Choices]) -> str:
        """The derivation as a web page that needs nothing but itself.

        Parameters
        ----------
        **choices : Choices
            level, notation, rename, title, data, start, fit, source and the others of `Choices`.

        Returns
        -------
        str
            the page, with KaTeX and its fonts inside.

        Raises
        ------
        DataError
            a level or a notation that there is not; data or a start that the model cannot take.
        UndeclaredSymbolError
            a renamed symbol that the model does not have.
        """
        from symem.report.report import html, slides

        told = slides if choices.get("slides") else html
        return told(self.recorded(choices), self.options(choices))

    def markdown(self, **choices: Unpack[Choices]) -> str:
        """The derivation in Markdown.

        Parameters
        ----------
        **choices : Choices
            level, notation, rename, title, data, start, fit, source and the others of `Choices`.

        Returns
        -------
        str
            the text, with formulas between dollars.

        Raises
        ------
        DataError
            a level or a notation that there is not; data or a start that the model cannot take.
        UndeclaredSymbolError
            a renamed symbol that the model does not have.
        """
        _on_paper(choices, "Markdown")
        from symem.report.report import markdown

        return markdown(self.recorded(choices), self.options(choices))

    def told_in(
        self,
        form: str,
        *,
        statement: str | None = None,
        loading: str | None = None,
        **choices: Unpack[Choices],
    ) -> str:
        """The derivation as html, latex, markdown or notebook."""
        if form == "notebook":
            return self.notebook(statement=statement, loading=loading, **choices)
        forms = {"html": self.html, "latex": self.latex, "markdown": self.markdown}
        return forms[form](**choices)

    def notebook(
        self, *, statement: str | None = None, loading: str | None = None, **choices: Unpack[Choices]
    ) -> str:
        """The derivation as a Jupyter notebook, which states, derives, fits and plots the model.

        Parameters
        ----------
        statement : str, optional
            Python that states the model, the last name that it assigns; without it nothing is run.
        loading : str, optional
            Python that reads the data as `data`. Without it data of few rows stand in a cell, and in the place of
            others as many are drawn.
        **choices : Choices
            as of `html`.

        Returns
        -------
        str
            JSON in nbformat 4.5.

        Raises
        ------
        DataError
            as of `html`.
        """
        from symem.report.report import notebook

        _on_paper(choices, "a notebook")
        fit = choices.get("fit")
        return notebook(
            self.recorded(choices),
            self.options(choices),
            statement=statement,
            loading=loading,
            data=choices.get("data") or (fit.data if fit is not None else None),
            start=choices.get("start"),
        )

    def recorded(self, choices: Choices) -> Derivation:
        """The record with the information and the exponential family, and every line between its steps where these are asked for."""
        if _level(choices) is Level.BRIEF:
            return self.derivation
        whole = self._whole
        return line_by_line(whole) if _level(choices) is Level.TEACHING else whole

    @cached_property
    def _whole(self) -> Derivation:
        """The record with the information and the exponential family, where these are found and do not take too long."""
        whole = self.derivation
        with suppress(BudgetError), deriving(None):
            whole = whole.informed
        with suppress(BudgetError, NotDerivedError), deriving(None):
            whole = replace(whole, family=family_of(whole))
        return whole

    def options(self, choices: Choices) -> Options:
        """What a report is asked for, checked."""
        if self.derivation.not_derived:
            return options_of(self.derivation, choices)
        return options_of(self.derivation, choices, self.source(), self.solver())

    def _repr_latex_(self) -> str:
        from symem.report.report import formulas

        return formulas(self.derivation)

    def _repr_markdown_(self) -> str:
        from symem.report.report import markdown

        return markdown(self.derivation)

    def __str__(self) -> str:
        from symem.report.report import text

        return text(self.derivation)


def options_of(
    derivation: Derivation, choices: Choices, source: str | None = None, solver: Any = None
) -> Options:
    """The choices, checked; `source` and `solver` are the emitted module, its text and loaded, if there is one.

    Raises:
        DataError: a level or a notation that there is not; data or a start that the model cannot take.
        UndeclaredSymbolError: a renamed symbol that the model does not have.
    """
    unknown = ", ".join(sorted(set(choices) - Choices.__optional_keys__))
    if unknown:
        raise TypeError(f"A report takes {', '.join(sorted(Choices.__optional_keys__))}, not {unknown}.")
    return Options(
        level=_level(choices),
        notation=chosen(Notation, choices.get("notation", "symem")),
        rename=_renamed(derivation, choices.get("rename", {})),
        title=_text(choices.get("title"), "title"),
        author=_text(choices.get("author"), "author"),
        date=_text(choices.get("date"), "date"),
        reference=_text(choices.get("reference"), "reference"),
        worked=_worked(derivation, choices, solver),
        fitted=_fitted(derivation, choices, solver),
        code=source,
        cost=None if source is None else _cost(derivation, choices),
        identifiability=choices.get("identifiability"),
        listing=choices.get("listing", False),
        exercise=choices.get("exercise", False),
        slides=choices.get("slides", False),
    )


def _cost(derivation: Derivation, choices: Choices) -> RunningCost | None:
    """What the emitted module takes, for a report that says so."""
    if choices.get("level") == Level.BRIEF:
        return None
    from symem.codegen.program_of import program_of
    from symem.codegen.running_costs import running_cost

    return running_cost(program_of(derivation))


def _on_paper(choices: Choices, form: str) -> None:
    if choices.get("slides"):
        raise DataError(
            f"Slides are LaTeX or HTML, not {form}: em.latex(slides=True) or em.html(slides=True)."
        )


def _level(choices: Choices) -> Level:
    """How much algebra: what was asked for, else every line where a reader is to be taught, else a paper's."""
    taught = [name for name in ("exercise", "slides") if choices.get(name)]
    level = chosen(Level, choices.get("level") or (Level.TEACHING if taught else Level.PAPER))
    if taught and level is Level.BRIEF:
        raise DataError(
            f"{taught[0]}=True needs steps, which level='brief' leaves out: level='paper' has them."
        )
    return level


def _text(text: str | None, what: str) -> str | None:
    if text is not None and not isinstance(text, str):
        raise DataError(f"{what} is a text, not {text!r}.")
    return text if text is None else _writable(text, what)


def _writable(text: str, what: str) -> str:
    """The text, if a document in UTF-8 can hold it."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        wrong = error.object[error.start : error.end]
        raise DataError(
            f"{what} = {text!r}: {wrong!r} is half a character, which no document can hold."
        ) from None
    return text


def _renamed(derivation: Derivation, rename: Mapping[Any, str]) -> dict[str, str]:
    names = {
        key if isinstance(key, str) else stated_name(key): _writable(str(new), "rename")
        for key, new in rename.items()
    }
    for name in names:
        if name not in derivation.model.variables:
            known = ", ".join(derivation.model.variables)
            raise UndeclaredSymbolError(f"{name!r} cannot be renamed: the model has {known}.")
    return names


def _fitted(derivation: Derivation, choices: Choices, solver: Any) -> Any:
    """The fit that is to be told of, if there is one."""
    fit = choices.get("fit")
    if fit is None or solver is None:
        return None
    from symem.report.fitted import fitted

    return fitted(derivation, fit, solver.SOLVER, _writable(choices.get("source", ""), "source"))


def _worked(derivation: Derivation, choices: Choices, solver: Any) -> Any:
    """One iteration with the reader's numbers; none without data, or without a solver."""
    data = choices.get("data")
    if data is None or solver is None:
        return None
    from symem.report.iteration import work

    return work(derivation, solver, data, choices.get("start"))
