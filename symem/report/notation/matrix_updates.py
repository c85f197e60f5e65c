"""Updates of vectors and matrices with their statistics written out, as one centred sum wherever they are one.

(S₂ - S₁μᵀ - μS₁ᵀ + Nμμᵀ)/N is a sum over the data again once its statistics are: of (x - μ)(x - μ)ᵀ, weighted.
Counts N keep their letter, as the literature has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sympy import Add, Expr, Mul, Pow, S, Sum, Symbol, expand, factor_terms, fraction

from symem.algebra.matrix_words import gathered_words, split
from symem.algebra.rewriting import MatrixMean, ScalarMean, bottom_up
from symem.algebra.squares import as_squares, completed, squares
from symem.language.matrices import MatrixEntry, is_matrix, transpose
from symem.language.traces import Element, Tr
from symem.report.notation.moments import Meanings, turned

Summand = tuple[Expr, frozenset[Expr]]


def written_out(formula: Expr, meanings: Meanings) -> Expr:
    """A formula with its statistics written out."""
    whole = over_one_number(entries_gathered(formula))
    for scale in _scales(whole):
        found = one_sum(_over(whole, scale), meanings)
        if found is not None:
            return scale * found
    return _by_parts(whole, meanings)


def _by_parts(whole: Expr, meanings: Meanings) -> Expr:
    """Entries and brackets, each as one sum if it is one; all else with its letters replaced."""

    def told(node: Expr) -> Expr:
        if isinstance(node, Pow) and is_matrix(node) and node.exp == -1:
            return _number_out(node)
        if isinstance(node, Element):
            return _entry(node, meanings)
        if not (node.is_Add and (is_matrix(node) or node.has(Tr, Sum) or meanings.holds_centred(node))):
            return node
        for scale in dict.fromkeys((S.One, *_scales(node))):
            found = one_sum(_over(node, scale), meanings)
            if found is not None:
                return scale * found
        return _partly(node, meanings)

    inlined = bottom_up(meanings.inlined(bottom_up(whole, told)), told)
    return named_moments(gathered_words(inlined), meanings)


def _number_out(power: Expr) -> Expr:
    """(c M)⁻¹ as M⁻¹/c."""
    commuting, word = power.base.args_cnc() if power.base.is_Mul else ([], ())
    return Mul(*(1 / each for each in commuting)) * Pow(Mul(*word), -1) if commuting else power


def _partly(node: Expr, meanings: Meanings) -> Expr:
    """What the data say as one sum, beside what a prior says."""
    terms = Add.make_args(expand(meanings.about_zero(node)))
    data = [term for term in terms if meanings.is_of_data(term)]
    found = one_sum(Add(*data), meanings) if 1 < len(data) < len(terms) else None
    return node if found is None else found + as_squares(Add(*(term for term in terms if term not in data)))


def _entry(entry: Expr, meanings: Meanings) -> Expr:
    """A diagonal entry: of the sum of products it is a sum of squares."""
    matrix, row, column = entry.args
    if row == column:
        matrix = expand((matrix + transpose(matrix)) / 2)
    found = one_sum(matrix, meanings)
    if found is None:
        return Element(meanings.inlined(entry.args[0]), row, column)
    return _squared_entry(found, row) or Element(found, row, column)


def _squared_entry(whole: Expr, row: Expr) -> Expr | None:
    """(Σ c rrᵀ)_aa as Σ c r_a²."""
    before, found = whole.as_coeff_Mul()
    body, limits = (found.function, found.limits) if isinstance(found, Sum) else (found, ())
    number, word = split(body)
    mean = word[0] if len(word) == 1 and isinstance(word[0], MatrixMean) else None
    product = split(mean.args[0])[1] if mean is not None else word
    if len(product) != 2 or transpose(product[0]) != product[1]:
        return None
    root = Add(*(c * Element(Mul(*w), row, S.Zero) for c, w in map(split, Add.make_args(product[0]))))
    square = Pow(root, 2, evaluate=False)
    told = number * (ScalarMean(square, *mean.args[1:]) if mean is not None else square)
    return before * (Sum(told, *limits) if limits else told)


# one sum ----------------------------------------------------------------------------------------------


def one_sum(expr: Expr, meanings: Meanings) -> Expr | None:
    """The expression as one sum of a square or of the mean of a square; nothing if it is none."""
    if len(Add.make_args(expr)) < 2:
        return None
    whole = expand(meanings.inlined(meanings.about_zero(expr)))
    free = frozenset(whole.free_symbols)
    terms = [each for term in Add.make_args(whole) for each in flattened(term, free)]
    limits = frozenset().union(*(each for _, each in terms))
    bodies = [meanings.spread(term, limits - own, limits) for term, own in terms]
    if any(body is None for body in bodies):
        return None
    square = told_square(Add(*bodies), meanings)
    if square is None or not limits:
        return square
    number, rest = square.as_coeff_Mul()
    return number * Sum(rest, *sorted(limits, key=str))


def flattened(term: Expr, taken: frozenset[Expr]) -> Iterator[Summand]:
    """A term as summands, each with the limits of the sums that it stood in.

    A sum over an index that is taken stays a number: neither Σᵢ aᵢ Σᵢ bᵢ nor aᵢ Σᵢ bᵢ is of aᵢ bᵢ.
    """
    sums = [each for each in Mul.make_args(term) if isinstance(each, Sum) and not taken & set(each.variables)]
    if not sums:
        yield term, frozenset()
        return
    body = turned(Mul(*(each.function if each is sums[0] else each for each in Mul.make_args(term))))
    for part in Add.make_args(expand(body)):
        for inner, limits in flattened(part, taken | set(sums[0].variables)):
            yield inner, limits | set(sums[0].limits)


def told_square(body: Expr, meanings: Meanings) -> Expr | None:
    """A summand as one square, or as the posterior mean of one."""
    whole = expand(body)
    inner, given = meanings.unaveraged(whole)
    parts = Add.make_args(_square(inner, meanings))
    if len(parts) > 1 and not all(any(f.is_Pow and f.base.is_Add for f in Mul.make_args(p)) for p in parts):
        return None
    if inner == whole:
        return Add(*parts) if whole.is_Add else None
    number, rest = Add(*parts).as_coeff_Mul()
    return number * Add(*(mean_of(part, given, meanings) for part in Add.make_args(rest)))


def mean_of(square: Expr, given: Sequence[Expr], meanings: Meanings) -> Expr:
    """⟨square⟩ given the labels, numbers before it; what holds no latent is its own mean."""
    if not meanings.is_latent(square):
        return square
    number, rest = _number_before(square, meanings)
    labels = (Symbol(each.name) if each.is_Symbol else each + 1 for each in given)
    return number * (MatrixMean if is_matrix(rest) else ScalarMean)(rest, *labels)


def _square(expr: Expr, meanings: Meanings) -> Expr:
    """(y - μ)² rather than (μ - y)², where y are data."""
    found = completed(expr, meanings.data)
    return found if is_matrix(expr) else factor_terms(squares(found, meanings.data))


def _number_before(square: Expr, meanings: Meanings) -> tuple[Expr, Expr]:
    if is_matrix(square):
        number, word = split(square)
        return number, Mul(*word)
    held = [f for f in Mul.make_args(square) if meanings.is_latent(f)]
    return square / Mul(*held), Mul(*held)


def named_moments(expr: Expr, meanings: Meanings) -> Expr:
    """V + ⟨z⟩⟨z⟩ᵀ as ⟨zzᵀ⟩, in every sum."""

    def named(node: Expr) -> Expr:
        if isinstance(node, Sum):
            number, rest = node.function.as_coeff_Mul()
            return number * Sum(rest, *node.limits)
        if not (node.is_Add and meanings.holds_covariance(node)):
            return node
        inner, given = meanings.unaveraged(expand(node))
        if inner == expand(node):
            return one_sum(node, meanings) or node
        square = _square(inner, meanings)
        return mean_of(square, given, meanings) if not square.is_Add else node

    return bottom_up(expr, named)


# numbers ----------------------------------------------------------------------------------------------


def over_one_number(whole: Expr) -> Expr:
    """S/N - ssᵀ/N² + … over one count, if that leaves none inside."""
    if not is_matrix(whole) or not whole.is_Add:
        return whole
    for scale in _scales(whole):
        inner = _over(whole, scale)
        if scale != 1 and inner.is_Add and all(_is_whole(term) for term in inner.args):
            return scale * inner
    return whole


def _over(whole: Expr, scale: Expr) -> Expr:
    """The terms with what stands before them divided."""
    if not is_matrix(whole):
        return expand(whole / scale)
    return Add(*(number / scale * Mul(*word) for number, word in map(split, Add.make_args(expand(whole)))))


def _is_whole(term: Expr) -> bool:
    return bool(fraction(split(term)[0])[1].is_Rational) if is_matrix(term) else True


def _scales(whole: Expr) -> Sequence[Expr]:
    """Numbers that may stand before the sum."""
    numbers = [split(term)[0] if is_matrix(term) else _outer(term) for term in Add.make_args(expand(whole))]
    bare = (Mul(*(f for f in Mul.make_args(number) if not f.is_Rational)) for number in numbers)
    below = ((number, 1 / fraction(number)[1]) for number in bare)
    return sorted(dict.fromkeys(each for pair in below for each in pair), key=lambda each: -each.count_ops())


def _outer(term: Expr) -> Expr:
    return Mul(*(factor for factor in Mul.make_args(term) if not factor.has(MatrixEntry, Sum)))


# entries ----------------------------------------------------------------------------------------------


def entries_gathered(expr: Expr) -> Expr:
    """A_aa + B_aa as (A + B)_aa, over one number."""
    found: dict[tuple[Expr, Expr, Expr], list[Expr]] = {}
    for term in Add.make_args(expand(expr)):
        apart = _entry_of(term)
        if apart is None:
            return expr
        number, matrix, places = apart
        bare = Mul(*(f for f in Mul.make_args(number) if f.is_Pow and f.exp.is_negative))
        found.setdefault((bare, *places), []).append(number / bare * matrix)
    if len({key[1:] for key in found}) != 1:
        return expr
    whole = max(found, key=lambda key: key[0].count_ops())
    matrix = Add(*(key[0] / whole[0] * part for key, parts in found.items() for part in parts))
    return whole[0] * Element(matrix, *whole[1:])


def _entry_of(term: Expr) -> tuple[Expr, Expr, tuple[Expr, Expr]] | None:
    """A term as (number, matrix, places): number times one entry, also of a sum of entries."""
    entries = [factor for factor in Mul.make_args(term) if isinstance(factor, Element | Sum)]
    if len(entries) != 1:
        return None
    number, entry = term / entries[0], entries[0]
    if isinstance(entry, Element):
        return number, entry.args[0], entry.args[1:]
    inner = _entry_of(entry.function)
    return inner and (number, Sum(inner[0] * inner[1], *entry.limits), inner[2])
