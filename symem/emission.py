"""A derivation as a module: its text, written and loaded, after a look at whether it computes what was derived."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack, cast

from symem.documents import Choices, Documents
from symem.errors import DataError, NotDerivedError, VerificationError
from symem.report.options import form_of
from symem.writing import refuse_existing, write_whole

if TYPE_CHECKING:
    from symem.solvers import EmittedModule
    from symem.verification import Rung

Style = Literal["module", "plain"]
Runtime = Literal["own", "shared"]


class Emission(Documents):
    """What has a derivation and can be verified, as a module."""

    model: Any
    _module: EmittedModule | None

    def verify(self) -> Any:
        """The ladder of identities, climbed."""
        raise NotImplementedError

    @cached_property
    def _told(self) -> str:
        from symem.report.media.docstring import docstring

        return docstring(self.derivation)

    @cached_property
    def _source(self) -> str:
        from symem.codegen.emit import emit

        return emit(self.derivation, self._told)

    def source(self, *, style: Style = "module", runtime: Runtime = "own") -> str:
        """The algorithm in NumPy.

        Parameters
        ----------
        style : {"module", "plain"}
            a module with checks, chunks, starts and a fit, or one short function to read and paste.
        runtime : {"own", "shared"}
            where a module has what is the same in all: in itself, or in `symem_runtime.py` beside it.

        Returns
        -------
        str
            Python that needs NumPy, and SciPy where it says so.

        Raises
        ------
        NotDerivedError
            a parameter has no closed-form update.
        VerificationError
            as `solver`.
        """
        from symem.codegen.emit import emit
        from symem.codegen.numpy.plain_style import plain_source

        self.solver()
        if style == "plain":
            return plain_source(self.derivation, self._told)
        return emit(self.derivation, self._told, shared=True) if runtime == "shared" else self._source

    def write(
        self,
        path: str | Path,
        *,
        style: Style = "module",
        runtime: Runtime = "own",
        force: bool = False,
        verify: bool = True,
    ) -> Path:
        """Write `source` to a file, whole or not at all; a shared runtime beside it, unless it is there already.

        Parameters
        ----------
        path : str or Path
            the file.
        style : {"module", "plain"}
            as of `source`.
        runtime : {"own", "shared"}
            as of `source`.
        force : bool
            whether a file that is there is replaced.
        verify : bool
            whether the ladder is climbed first.

        Returns
        -------
        Path
            the file.

        Raises
        ------
        VerificationError
            a rung V0 to V3 of the ladder failed, or none could be climbed; nothing was written.
        ExistingFileError
            the file exists, or another `symem_runtime.py`, and `force` is not set.
        """
        from symem.codegen.emit import runtime_beside

        text = self.source(style=style, runtime=runtime)
        files = {Path(path): text}
        if runtime == "shared" and style == "module":
            files |= runtime_beside(Path(path))
        refuse_existing(files, force=force)
        if verify:
            self.verify().require(f"Nothing was written to {path}")
        for target, each in files.items():
            write_whole(target, each, force=force)
        return Path(path)

    def report(
        self,
        path: str | Path,
        *,
        statement: str | None = None,
        loading: str | None = None,
        force: bool = False,
        **choices: Unpack[Choices],
    ) -> Path:
        """Write the derivation as the document that the name asks for: .html, .tex, .md or .ipynb.

        Parameters
        ----------
        path : str or Path
            the file; its ending says the form.
        statement : str, optional
            Python that states the model, for a notebook.
        loading : str, optional
            Python that reads `data`, for a notebook.
        force : bool
            whether a file that is there is replaced.
        **choices : Choices
            as of `html`; `fit=` tells of a fit too.

        Returns
        -------
        Path
            the file.

        Raises
        ------
        ExistingFileError
            the file exists, and `force` is not set.
        DataError
            the name ends otherwise, or a choice is none; the fit is of another model.
        """
        form = form_of(path)
        refuse_existing([path], force=force)
        return write_whole(
            path, self.told_in(form, statement=statement, loading=loading, **choices), force=force
        )

    def plot(self, theta: Any = None, /, *, what: str | None = None, ax: Any = None, **data: Any) -> Any:
        """The model as plates, as in a report; with parameters and data, what these say of them: `plot(theta, x=data)`.

        Parameters
        ----------
        theta : dict or named tuple, optional
            the parameters.
        what : str, optional
            one picture: "data", "posterior" or "latents", as in `Fit.plot`; "step", one iteration from theta in tables;
            "iterations", the components as EM moves them; "likelihood", its path on lines of equal log-likelihood,
            where two numbers are free.
        ax : matplotlib.axes.Axes, optional
            where one picture is drawn.
        **data : arrays and numbers
            arrays and sizes by name.

        Returns
        -------
        matplotlib.axes.Axes or matplotlib.figure.Figure
            the axes; of several pictures the figure.

        Raises
        ------
        DataError
            matplotlib is not installed, or parameters or data are lacking or wrong; there is no such picture of them.

        References
        ----------
        The picture of a step is after Do & Batzoglou 2008, Nature Biotechnology 26:897, figure 1.
        """
        from symem.pictures import plot_at, plot_plates

        if theta is None and not data:
            from symem.report.figures.plate_diagram import plate_diagram

            return plot_plates(plate_diagram(self.derivation), ax)
        if theta is None or not data:
            raise DataError(
                "A picture over data takes both: em.plot(theta, x=data). Without either it is of the model."
            )
        return plot_at(self.solver().SOLVER, theta, data, lambda: self._first_step(theta, data), what, ax)

    def _first_step(self, theta: Any, data: Mapping[str, Any]) -> str | None:
        """The drawing of one iteration, if its tables are small."""
        from symem.report.report import first_step

        return first_step(self.derivation, self.solver(), data, theta)

    def solver(self, *, verify: bool = True) -> EmittedModule:
        """The emitted module itself, loaded, after a first look: that its functions compute what the formulas say.

        Parameters
        ----------
        verify : bool
            whether a module that fails the first look is refused.

        Returns
        -------
        module
            with `fit`, `em_step`, `log_likelihood`, `posterior`, `statistics`, `merge`, `m_step`, `sample` and others.

        Raises
        ------
        NotDerivedError
            a parameter has no update.
        VerificationError
            its functions do not compute the formulas (V0).
        """
        from symem.codegen.emit import load

        if self._module is None:
            self._module = cast("EmittedModule", load(self._source))
            self._give_samplers(self._module)
        if verify and self._first_look.passed is False:
            raise VerificationError(
                f"The solver is not what was derived, and is not used.\n{self._first_look}"
            )
        return self._module

    @cached_property
    def _drawing(self) -> Any:
        """The module; where a parameter has no update, one that draws data alone."""
        from symem.codegen.draws_alone import draws_alone
        from symem.codegen.emit import load

        try:
            return self.solver()
        except NotDerivedError:
            return self._give_samplers(load(draws_alone(self.derivation)))

    def _give_samplers(self, module: Any) -> Any:
        """Those of families from outside."""
        own = {each.name: each.sampler for each in self.model.own_families if each.sampler is not None}
        module.SAMPLERS.update(own)
        return module

    @cached_property
    def _first_look(self) -> Rung:
        from symem.verification import first_look

        return first_look(self.derivation, self.solver(verify=False))
