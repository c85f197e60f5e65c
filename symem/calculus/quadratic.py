"""A quadratic form in a vector: -½ zᵀΛz + hᵀz, read off products of bilinear forms."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sympy import Add, Eq, Expr, Mul, Pow, S, Sum, factor_terms

from symem.calculus.eliminated import Case
from symem.calculus.gathering import atoms_of
from symem.calculus.separate import Term, fold, separate
from symem.errors import NotDerivedError
from symem.language.matrices import ENTRY, Diagonal, T, Unit, letters, transpose, word_of
from symem.language.model import Variable
from symem.language.plates import Axis, Iverson, LogIverson, total
from symem.language.traces import Tr, words


@dataclass(frozen=True)
class Quadratic:
    """-½ zᵀ precision z + shiftᵀ z."""

    precision: Expr
    shift: Expr


def gathered_form(case: Case) -> Quadratic:
    precision, shift = S.Zero, S.Zero
    for term in case.terms:
        for each in separate(term.expr):
            p, h = _read(each, case)
            precision, shift = precision + p, shift + h
    if precision == 0:
        raise NotDerivedError(f"The conditional of {case.atom} has no quadratic term: it is no Gaussian.")
    return Quadratic(precision, shift)


def _read(term: Term, case: Case) -> tuple[Expr, Expr]:
    """What one term adds to (precision, shift)."""
    coefficient, forms = split_forms(term.factor, case.atom)
    ends = [form_ends(form, case.atom) for form in forms]
    if len(forms) == 1 and ends[0] is not None:
        middle, rest = ends[0]
        if rest is None:
            return -summed(coefficient * (middle + transpose(middle)), term.axes), S.Zero
        return S.Zero, _shift(coefficient, middle, term.axes, case)
    if len(forms) == 2 and all(end is not None and end[1] is not None for end in ends):
        (a, _), (b, _) = ends  # type: ignore[misc]
        outer = a * transpose(b)
        return -summed(coefficient * (outer + transpose(outer)), term.axes), S.Zero
    if isinstance(term.factor, LogIverson):
        raise NotDerivedError(
            f"The covariance of {case.atom} has noise in fewer directions than there are entries, which is read of the states of a chain: "
            f"let the noise be the latent, e[i]: MultivariateNormal(0, M), and write G*e[i] in its place."
        )
    raise NotDerivedError(
        f"The term {term.factor} is no quadratic form in {case.atom}: its posterior has no closed form here."
    )


def _shift(coefficient: Expr, column: Expr, axes: tuple[Axis, ...], case: Case) -> Expr:
    """Σ c a, where c holds a form uᵀb in another vector that stays as the axes run: (Σ c a uᵀ) b."""
    others = [v for v in case.waiting if v is not case.variable]
    found = _form_apart(coefficient, axes, others)
    if found is None:
        return summed(coefficient * column, axes)
    rest, row, vector = found
    return summed(rest * column * transpose(row), axes) * vector


def summed_form(factor: Expr, axes: tuple[Axis, ...], others: Iterable[Variable]) -> tuple[Expr, Expr] | None:
    """(Σ c u, b) of Σ c uᵀb; None if the factor holds no such form in a vector that stays as the axes run."""
    found = _form_apart(factor, axes, others)
    if found is None:
        return None
    rest, row, vector = found
    return summed(factor_terms(rest) * row, axes), vector


def _form_apart(
    factor: Expr, axes: tuple[Axis, ...], others: Iterable[Variable]
) -> tuple[Expr, Expr, Expr] | None:
    """(c, u, b) of c uᵀb, no other latent being in c."""
    held = [(form, atom) for v in others for form in Mul.make_args(factor) for atom in atoms_of(form, v)]
    if len(held) != 1:
        return None
    form, vector = held[0]
    ends = form_ends(form, vector)
    if ends is None or ends[1] is None or vector.free_symbols & {axis.index for axis in axes}:
        return None
    return factor / form, ends[0], vector


def split_forms(factor: Expr, atom: Expr) -> tuple[Expr, list[Expr]]:
    """(the factors without a vector, the forms that hold it), squares of a form written twice."""
    coefficient: Expr = S.One
    forms: list[Expr] = []
    for each in Mul.make_args(factor):
        if not each.has(atom):
            coefficient *= each
        elif isinstance(each, Pow) and each.exp.is_Integer and each.exp > 0:
            forms += [each.base] * int(each.exp)
        else:
            forms.append(each)
    return coefficient, forms


def form_ends(form: Expr, atom: Expr) -> tuple[Expr, Expr | None] | None:
    """(M, None) of zᵀMz; (a, 1) of aᵀz or zᵀa with a as a column; None of anything else."""
    if not isinstance(form, Tr):
        return None
    word = form.word
    held = [position for position, letter in enumerate(word) if letter.has(atom)]
    if any(word[position] not in (atom, T(atom)) for position in held):
        return None
    if held == [0, len(word) - 1]:
        return word_of(word[1:-1]), None
    if held == [0]:
        return word_of(word[1:]), S.One
    if held == [len(word) - 1]:
        return transpose(word_of(word[:-1])), S.One
    return None


def summed(matrix: Expr, axes: tuple[Axis, ...]) -> Expr:
    """Σ over the axes of a matrix expression; what no axis touches stands in front, bare axes count."""
    return Add(*(_summed_word(c, word, axes) for c, word in words(matrix)))


def _summed_word(coefficient: Expr, word: Expr, axes: tuple[Axis, ...]) -> Expr:
    product = coefficient * word
    folded = fold(Term(product, axes))
    if not folded.axes:
        return folded.factor
    if len(letters(word)) == 2 and isinstance(letters(word)[0], Unit) and word == _square(letters(word)[0]):
        return _on_diagonal(folded)
    bound = {axis.index for axis in folded.axes}
    outer = Mul(*(f for f in Mul.make_args(folded.factor) if f.is_commutative and not f.free_symbols & bound))
    return outer * Sum(folded.factor / outer, *(axis.limits for axis in folded.axes))


def _square(letter: Expr) -> Expr:
    return letter * transpose(letter)


def _on_diagonal(term: Term) -> Expr:
    """Σ c e_p e_pᵀ, the diagonal matrix whose entry at a is Σ [p = a] c."""
    commuting, (unit, _row) = term.factor.args_cnc()
    place, size = unit.args
    own = next((axis for axis in term.axes if axis.index == place), None)
    if own is None:
        entry = total(Mul(Iverson(Eq(place, ENTRY)), *commuting), term.axes)
    else:
        entry = total(Mul(*commuting), tuple(a for a in term.axes if a != own)).xreplace({place: ENTRY})
    return Diagonal(entry, size)


def common_scale(case: Case, quadratic: Quadratic) -> tuple[Expr, Quadratic]:
    """A scalar latent that multiplies the whole precision is taken out: the covariance is V/u."""
    others = [v for v in case.waiting if v is not case.variable and not v.shape]
    parts = [_latent_part(c, others) for c, _word in words(quadratic.precision)]
    scale = parts[0] if len(set(parts)) == 1 else S.One
    precision = Add(*(c / scale * word for c, word in words(quadratic.precision)))
    if any(atoms_of(precision, other) for other in case.waiting if not is_label(case, other)):
        raise NotDerivedError(
            f"The precision of {case.atom}, {quadratic.precision}, depends on other latents: its log-determinant has no "
            f"closed-form mean."
        )
    shift = Add(*(c / scale * word for c, word in words(quadratic.shift)))
    return scale, Quadratic(precision, shift)


def _latent_part(coefficient: Expr, others: list[Variable]) -> Expr:
    return Mul(*(f for f in Mul.make_args(coefficient) if any(atoms_of(f, v) for v in others)))


def is_label(case: Case, other: Variable) -> bool:
    return any(atom in atoms_of(atom, other) for atom, _axis in case.labels)
