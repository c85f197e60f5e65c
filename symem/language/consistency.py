"""What must hold of a model once every symbol has its role and support."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

from sympy import Expr, Indexed, Integer, Symbol

from symem.errors import ModelError, NameClashError, PlateError, ShapeError, SupportError
from symem.language.declarations import Declaration
from symem.language.family import OTHERWISE, Distribution
from symem.language.leaves import name_of
from symem.language.plates import LogIverson
from symem.language.ranges import free_indices
from symem.language.support import Support
from symem.language.supports import Binary, Labels, Simplex
from symem.language.symbol_names import check_keyword, names_in, stated_name
from symem.language.traces import Tr
from symem.language.variables import Role, Variable


def check_names(table: Mapping[str, Variable], taken: Iterable[str]) -> None:
    """The emitted module takes data by name, and symem names companions of data: neither may clash.

    Raises:
        NameClashError: a datum is called as an option of `fit`, or a symbol as a name that symem brings in.
    """
    for variable in table.values():
        if variable.role in (Role.DATA, Role.KNOWN, Role.SIZE):
            check_keyword(variable.name)
    for name in taken:
        if name in table:
            raise NameClashError(
                f"{name!r} is a name that symem brings in for this model: rename your symbol."
            )


def check_presence(latents: tuple[Variable, ...], parameters: tuple[Variable, ...]) -> None:
    """There is something to infer and something to estimate.

    Raises:
        ModelError: there is no latent, or no parameter.
    """
    if not latents:
        raise ModelError(
            "The model has no latent variable: name one in latent=[...], or use maximise() directly."
        )
    if not parameters:
        raise ModelError("The model has no parameter: everything is data, known or latent.")


def check_supports(table: Mapping[str, Variable], log_likelihood: Expr) -> None:
    """No support depends on a parameter, and no parameter is a whole number.

    Raises:
        SupportError: naming the parameter, with what to write instead.
    """
    parameters = {v.name for v in table.values() if v.role is Role.PARAMETER}
    for variable in table.values():
        if variable.name in parameters and variable.support.discrete:
            raise SupportError(
                f"The parameter {variable.name!r} lies in {variable.support}, where nothing can be differentiated: "
                f"if it is given with the data, name it in known=[{variable.name}]."
            )
    for variable in table.values():
        for end in variable.support.bounds:
            _check_free(end, parameters, f"{variable.name} in {variable.support}")
    for constraint in log_likelihood.atoms(LogIverson):
        _check_reach(constraint, parameters)
        _check_free(constraint, parameters, str(constraint.args[0]))


def _check_reach(constraint: Expr, parameters: set[str]) -> None:
    """What the noise of a law does not reach holds no parameter."""
    if not constraint.has(Tr):
        return
    for name in sorted(parameters & {name_of(atom) for atom in constraint.free_symbols}):
        raise SupportError(
            f"A covariance G*M*G.T has noise in fewer directions than there are entries, and {name!r} moves the others too, where "
            f"nothing can be estimated: give {name!r} in known=[...], or let the noise reach what is free, F + G*Phi with F known; "
            f"G is known too."
        )


def _check_free(expr: Expr, parameters: set[str], where: str) -> None:
    for name in sorted(parameters & {name_of(atom) for atom in expr.free_symbols}):
        raise SupportError(
            f"The support of a variable depends on the parameter {name!r} ({where}): the likelihood then has no "
            f"stationary point in it, so EM does not apply. Give {name!r} in known=[...]."
        )


def check_shares(declarations: Iterable[Declaration], table: Mapping[str, Variable]) -> None:
    """What has a Dirichlet law is observed, or an array of latent shares.

    Raises:
        ModelError: it may be missing, or its shares are latents one by one.
        PlateError: labels or counts have their cells elsewhere.
    """
    declarations = tuple(declarations)
    _check_cells(declarations, table)
    for line in declarations:
        for entry in line.entries if line.name == "Dirichlet" else ():
            variable = table.get(stated_name(entry))
            latent = variable is not None and variable.role is Role.LATENT and line.cell is None
            if latent or (variable is not None and variable.missing):
                raise ModelError(
                    f"{entry}: {line.distribution} is read of what is observed, or of an array of latent shares. Of two shares that are "
                    f"latent one by one, or missing, the first has a Beta law, and the other is one less it; as a prior of a parameter "
                    f"write prior={{w: Dirichlet(a)}}."
                )


def _check_cells(declarations: Iterable[Declaration], table: Mapping[str, Variable]) -> None:
    """Labels and counts have their cells where latent shares add up to 1.

    Raises:
        PlateError: they run over another index of them.
    """
    for line in declarations:
        laws = [line.distribution, *line.distribution.branches.values()]
        for entry in (each.arguments[-1] for each in laws if each.name in ("Categorical", "Multinomial")):
            shares = table.get(stated_name(entry)) if isinstance(entry, Indexed) else None
            if shares is None or shares.role is not Role.LATENT or not isinstance(shares.support, Simplex):
                continue
            if not free_indices(entry.indices[-1], line.own) and entry.indices[-1] != line.cell:
                raise PlateError(
                    f"{line.variable}: the shares {entry} add up to 1 over their last index: write the category last."
                )


def check_vectors(table: Mapping[str, Variable]) -> None:
    """A vector has several entries.

    Raises:
        ShapeError: one with a single entry is a number.
    """
    for variable in table.values():
        if variable.shape and all(size == 1 for size in variable.shape):
            array, entry = (
                ("IndexedBase", f"{variable.name}[i]") if variable.sizes else ("Symbol", variable.name)
            )
            raise ShapeError(
                f"{variable.name} has one entry, so it is a number: declare {array}({variable.name!r}) with Normal(mean, "
                f"std); beside vectors it stands as W*{entry}, W a vector."
            )


def check_cases(
    declarations: tuple[Declaration, ...], roles: Mapping[str, Role], supports: Mapping[str, Support]
) -> None:
    """Every `Cases` has a branch for each value of its label.

    Raises:
        SupportError: the label is no label, or has another range than the branches.
    """
    for declaration in declarations:
        for cases in (part for part in declaration.distribution.parts() if part.name == "Cases"):
            (label,) = cases.arguments
            if not isinstance(label, (Symbol, Indexed)):
                raise SupportError(f"Cases({label}, …): the first argument is a label, z[i].")
            if roles[stated_name(label)] is Role.PARAMETER:
                raise SupportError(
                    f"Cases({label}, …): nothing declares the label; name it in known=[{label}]."
                )
            if roles[stated_name(label)] is not Role.KNOWN:
                _check_branches(cases, label, supports[stated_name(label)])


def _check_branches(cases: Distribution, label: Expr, support: Support) -> None:
    if isinstance(support, Binary):
        wanted = {0, 1}
    elif isinstance(support, Labels) and support.size.is_Integer:
        wanted = set(range(support.origin, support.origin + int(support.size)))
    elif isinstance(support, Labels) and OTHERWISE in cases.branches:
        return
    else:
        raise SupportError(
            f"Cases({label}, …): {label} lies in {support}; the label must be binary, or have a number of values "
            f"that is written out, Idx('k', 3)."
        )
    if OTHERWISE in cases.branches and set(cases.branches) - {OTHERWISE} < wanted:
        return
    if set(cases.branches) != wanted:
        raise SupportError(
            f"Cases({label}, …) has branches for {sorted(cases.branches, key=str)}, but {label} takes the values {sorted(wanted)}: "
            f"write one branch for each, or Cases(…, otherwise=law) for those left."
        )


def check_otherwise(
    declarations: tuple[Declaration, ...], roles: Mapping[str, Role], elsewhere: Container[str]
) -> None:
    """Every entry of a parameter is in use: none of an array that only the other values of a label choose from.

    Args:
        declarations: what was declared.
        roles: of every symbol.
        elsewhere: the names that stand in priors.

    Raises:
        ModelError: an entry stands in no law, so that nothing determines it.
    """
    parts = [part for declaration in declarations for part in declaration.distribution.parts()]
    for cases in (part for part in parts if OTHERWISE in part.branches):
        (label,) = cases.arguments
        others = list(cases.branches[OTHERWISE].parts())
        beside = [argument for part in parts if part not in others for argument in part.arguments]
        for entry in sorted(
            {a for part in others for b in part.arguments for a in b.atoms(Indexed)}, key=str
        ):
            name = stated_name(entry)
            used = name in elsewhere or any(name in names_in(argument) for argument in beside)
            if label in entry.indices and roles[name] is Role.PARAMETER and not used:
                own = next(value for value in cases.branches if value != OTHERWISE)
                unused = entry.xreplace({label: Integer(own)})
                raise ModelError(
                    f"{unused} stands in no law, as {label} = {own} has a branch of its own, so nothing determines it: let a "
                    f"label of its own choose the branch, Cases(b, {{0: …, 1: …{entry}…}}) with b a Bernoulli latent, and "
                    f"{label} the component in it."
                )
