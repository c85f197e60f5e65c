"""What is told of vectors and matrices beside numbers: rules of differentiation, ECM, Ψ = diag(ψ)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from sympy import Expr, Pow

from symem.algebra.matrix_words import gathered_words, split
from symem.derivation import Conditional, Update
from symem.language.leaves import name_of
from symem.language.matrices import Diagonal, MatrixEntry, T, is_matrix, is_positive_definite, shape
from symem.language.model import Variable
from symem.language.traces import LogDet, Tr
from symem.report.document import Part, Prose, listed, said
from symem.report.notation.lexicon import Lexicon, index_names
from symem.report.notation.notation import Latex, latex
from symem.report.writer import Voice

# the model --------------------------------------------------------------------------------------------


def remarks(variable: Variable, voice: Voice) -> Prose:
    """What a reader must know of a variable's letters."""
    partly = {name_of(v.seen[0]) for v in voice.model.variables.values() if v.seen is not None}
    if variable.name in partly:
        indices = index_names(variable.sizes, voice.free.axes)
        seen = voice.name(variable.symbol[indices] if indices else variable.symbol)
        return said("; @ has 0 where it is missing", seen)
    if variable.name in voice.free.diagonals:
        return said(", the diagonal of @", _diagonal(variable, voice))
    words = dict.fromkeys(("symmetric", variable.support.words))
    return (f", {' and '.join(words)}",) if variable.support.of_matrices else ()


def _diagonal(variable: Variable, voice: Voice) -> str:
    """Ψ = diag(ψ_1, …, ψ_d), at the plates before the last slot."""
    *plates, size = (latex(each, voice.free) for each in variable.sizes)
    slots = [axis.index.name for axis in voice.free.axes if latex(axis.size, voice.free) in plates][
        : len(plates)
    ]
    markup, label = Latex(voice.free).markup, voice.free.label(variable.name)
    first, last = (markup.letter(label, [*slots, end], "") for end in ("1", size))
    whole = markup.letter(voice.free.diagonals[variable.name].in_bold(), slots, "")
    return rf"{whole} = \operatorname{{diag}}({first}, \dots, {last})"


# the M-step -------------------------------------------------------------------------------------------


def rules(update: Update, voice: Voice) -> Prose:
    """The rules of differentiation that were used, for a vector or a matrix."""
    if not is_matrix(update.parameter):
        return ()
    found = [row(voice.name(update.parameter)) for row in _rules(update.parameter, voice)]
    return (", by ", *listed(list(dict.fromkeys(found))), ",") if found else ()


def _rules(parameter: Expr, voice: Voice) -> Iterator[Callable[[str], str]]:
    q = voice.derivation.surrogate.value
    name = name_of(parameter)
    words = [form.word for form in q.atoms(Tr)]
    column = shape(parameter)[1] == 1
    if any(_names(each.args[0]) == {name} for each in q.atoms(LogDet)):
        yield lambda u: rf"\frac{{\partial \log \lvert {u} \rvert}}{{\partial {u}}} = {u}^{{-1}}"
    if any(isinstance(each, Pow) and _names(each.base) == {name} for word in words for each in word):
        yield (
            lambda u: (
                rf"\frac{{\partial \operatorname{{tr}}({u}^{{-1}} \mathbf{{M}})}}{{\partial {u}}} = "
                rf"-{u}^{{-1}} \mathbf{{M}} {u}^{{-1}}"
            )
        )
    counts = {sum(_is_letter(each, name) for each in word) for word in words}
    if 1 in counts:
        yield _linear_form if column else _linear
    if 2 in counts:
        yield _quadratic_form if column else _quadratic


def _linear_form(u: str) -> str:
    return rf"\frac{{\partial\, \mathbf{{a}}^{{\mathsf{{T}}}} {u}}}{{\partial {u}}} = \mathbf{{a}}"


def _quadratic_form(u: str) -> str:
    return rf"\frac{{\partial\, {u}^{{\mathsf{{T}}}} \mathbf{{M}} {u}}}{{\partial {u}}} = 2 \mathbf{{M}} {u}"


def _linear(u: str) -> str:
    return rf"\frac{{\partial \operatorname{{tr}}(\mathbf{{M}} {u})}}{{\partial {u}}} = \mathbf{{M}}^{{\mathsf{{T}}}}"


def _quadratic(u: str) -> str:
    return (
        rf"\frac{{\partial \operatorname{{tr}}(\mathbf{{M}} {u} \mathbf{{A}} {u}^{{\mathsf{{T}}}})}}{{\partial {u}}} = "
        rf"2 \mathbf{{M}} {u} \mathbf{{A}}"
    )


def _names(expr: Expr) -> set[str]:
    return {name_of(each) for each in expr.atoms(MatrixEntry)}


def _is_letter(expr: Expr, name: str) -> bool:
    bare = expr.args[0] if isinstance(expr, T) else expr
    return isinstance(bare, MatrixEntry) and name_of(bare) == name


def bridge(update: Update, later: Sequence[Update], voice: Voice) -> Prose:
    """How the equation was solved: what was put in, what it was multiplied by."""
    parameter = update.parameter
    if isinstance(update, Conditional) or not is_matrix(parameter):
        return ()
    factor, rest = _common_factor(gathered_words(update.equation))
    held = _names(rest) - _names(update.nested)
    put_in = [voice.name(each.parameter) for each in later if name_of(each.parameter) in held]
    clauses = []
    if factor is not None:
        clauses.append(said("the common factor @ falls away", latex(factor, voice.free)))
    if is_positive_definite(parameter) and any(each.base == parameter for each in update.equation.atoms(Pow)):
        clauses.append(said("multiplied by @ from both sides this is linear", voice.name(parameter)))
    if put_in:
        clauses.append(
            (*listed(put_in), " is put in from its own equation" if len(put_in) == 1 else " are put in")
        )
    return _sentence(clauses)


def _common_factor(equation: Expr) -> tuple[Expr | None, Expr]:
    """A⁻¹ and the rest of A⁻¹(…)."""
    _, word = split(equation) if is_matrix(equation) and equation.is_Mul else (equation, ())
    if len(word) == 2 and isinstance(word[0], Pow | Diagonal) and word[1].is_Add:
        return word[0], word[1]
    return None, equation


def _sentence(clauses: Sequence[Prose]) -> Prose:
    """Clauses joined by and, the first with a capital, before what follows."""
    words: list[Part] = []
    for clause in clauses:
        words += [*([" and "] if words else []), *clause]
    if not words:
        return ()
    first = words[0]
    start = first[:1].upper() + first[1:] if isinstance(first, str) else first
    return (start, *words[1:], ", ")


def conditionally(updates: Sequence[Update], voice: Voice) -> Prose:
    """Where a block is not closed: which parameters, in which order they are maximised over."""
    held = [voice.name(update.parameter) for update in updates if isinstance(update, Conditional)]
    if not held:
        return ()
    return (
        *(
            "The equations of ",
            *listed(held),
            " hold each other and have no closed solution together. Each is ",
        ),
        *(
            "solved with the others held at their latest values, in this order (conditional maximisation, ECM; "
        ),
        *said(
            "Meng & Rubin 1993): @ does not fall with any, though one round need not reach its maximum.",
            voice.surrogate,
        ),
    )


def scope_of(update: Update, voice: Voice) -> Lexicon:
    """New parameters at t + 1; of a conditional update, those that come later still at t."""
    new = voice.new.within(update.definition.axes)
    return with_held(new, update, voice, voice.pack.now)


def with_held(lexicon: Lexicon, update: Update, voice: Voice, mark: str) -> Lexicon:
    """A lexicon in which the parameters that a conditional update holds carry another mark."""
    marks = dict.fromkeys(held_by(update, voice.derivation.updates), mark)
    return replace(lexicon, marks={**lexicon.marks, **marks})


def held_by(update: Update, updates: Sequence[Update]) -> frozenset[str]:
    """The names of the parameters that a conditional update still finds at their old values."""
    if not isinstance(update, Conditional):
        return frozenset()
    place = next(p for p, each in enumerate(updates) if each is update)
    return frozenset(name_of(each.parameter) for each in updates[place + 1 :]) - {name_of(update.parameter)}
