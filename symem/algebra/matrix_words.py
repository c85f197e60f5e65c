"""Words of matrices taken apart and gathered: A a - A b is A(a - b), a x - b x is (a - b) x, forms likewise."""

from __future__ import annotations

from sympy import Add, Expr, Mul, Pow, S, Sum

from symem.algebra.rewriting import bottom_up, is_negative, shape_of
from symem.language.matrices import Diagonal, is_matrix, is_symmetric, letters, transpose
from symem.language.traces import Tr

Word = tuple[Expr, ...]


def split(term: Expr) -> tuple[Expr, Word]:
    """A matrix term as its number and its letters."""
    commuting, word = term.args_cnc()
    return Mul(*commuting), letters(Mul(*word))


def is_column(expr: Expr) -> bool:
    return is_matrix(expr) and bool(shape_of(expr)[1] == 1)


def halved(word: Word) -> tuple[Expr, Expr] | None:
    """(M, u) of a word u'Mu with a symmetric M, or M = 1; nothing if it is none."""
    half = len(word) // 2
    core = word[half] if len(word) % 2 else S.One
    root = Mul(*word[-half:])
    symmetric = core == 1 or (is_matrix(core) and is_symmetric(core))
    return (core, root) if symmetric and half and transpose(root) == Mul(*word[:half]) else None


def gathered_words(expr: Expr) -> Expr:
    """A a - A b as A(a - b), in sums of vectors, and in all sums if A is an inverse."""
    return bottom_up(expr, lambda node: _gathered(node) if node.is_Add and is_matrix(node) else node)


def _gathered(expr: Expr) -> Expr:
    expr = _same_words(expr)
    if not expr.is_Add:
        return expr
    common = _common_number(expr)
    if common != 1:
        return common * _gathered(Add(*(_over(term, common) for term in expr.args)))
    groups: dict[Expr, list[Expr]] = {}
    for term in expr.args:
        scale, word = split(term) if is_matrix(term) else (term, ())
        head = word[0] if len(word) > 1 and _may_lead(word) else S.One
        groups.setdefault(head, []).append(scale * Mul(*word[1:]) if head != 1 else term)
    parts = []
    for head, terms in groups.items():
        inner = Add(*terms)
        joint = head != 1 and len(terms) > 1 and (len(groups) == 1 or is_symmetric(head))
        parts.append(
            head * _gathered(inner) if joint and inner.is_Add else Add(*(head * each for each in terms))
        )
    return _ended_alike(Add(*parts))


def _same_words(expr: Expr) -> Expr:
    """a x - b x as (a - b) x, for vectors and inverses."""
    numbers: dict[Expr, list[Expr]] = {}
    rest = []
    for term in expr.args:
        number, word = split(term) if is_matrix(term) else (term, ())
        if word and (is_column(term) or (len(word) == 1 and isinstance(word[0], Pow))):
            numbers.setdefault(Mul(*word), []).append(number)
        else:
            rest.append(term)
    return Add(*rest, *(_times(Add(*parts), word) for word, parts in numbers.items()))


def _times(number: Expr, word: Expr) -> Expr:
    """A number before a word, a minus of all its terms before both."""
    if number.is_Add and all(map(is_negative, number.args)):
        return Mul(-1, Add(*(-term for term in number.args)), word)
    return number * word


def _ended_alike(expr: Expr) -> Expr:
    """a A⁻¹ - b A⁻¹ as (a - b)A⁻¹, if all terms end so."""
    found = [split(term) for term in Add.make_args(expr) if is_matrix(term)]
    ends = {word[-1] for _, word in found}
    alike = (
        len(found) == len(Add.make_args(expr)) > 1 and len(ends) == 1 and all(len(w) > 1 for _, w in found)
    )
    if not (alike and isinstance(next(iter(ends)), Pow | Diagonal)):
        return expr
    return Add(*(scale * Mul(*word[:-1]) for scale, word in found)) * ends.pop()


def _common_number(expr: Expr) -> Expr:
    """The numbers, but for signs and rationals, that stand before every term."""
    numbers = [split(term)[0] if is_matrix(term) else term for term in expr.args]
    first, *rest = [[f for f in Mul.make_args(number) if not f.is_Rational] for number in numbers]
    return Mul(*(factor for factor in first if all(factor in other for other in rest)))


def _over(term: Expr, number: Expr) -> Expr:
    if not is_matrix(term):
        return term / number
    before, word = split(term)
    return before / number * Mul(*word)


def _may_lead(word: Word) -> bool:
    head = word[0]
    inverse = isinstance(head, Pow | Diagonal)
    return inverse or (is_column(Mul(*word)) and not is_column(head) and not isinstance(head, Sum))


# forms with a common end --------------------------------------------------------------------------------


def gathered_forms(expr: Expr) -> Expr:
    """c u'Ma - c u'Mb as c u'M(a - b), in every sum."""
    return bottom_up(expr, lambda node: _joint_forms(node) if node.is_Add and node.has(Tr) else node)


def _joint_forms(expr: Expr) -> Expr:
    """The longest common run that leads two forms or more is taken out, as long as there is one."""
    if is_matrix(expr):
        return expr
    turns = _turns(expr)
    starts = {(scale, word[:cut]) for _, word, scale in turns for cut in range(1, len(word))}
    runs = {start: _led_by(turns, *start) for start in starts}
    best = max(
        runs,
        key=lambda s: (len(runs[s]), len(s[1]), str(s)) if len(runs[s]) > 1 else (0, 0, ""),
        default=None,
    )
    if best is None or len(runs[best]) < 2:
        return expr
    scale, start = best
    ends = Add(
        *((-1 if is_negative(term) else 1) * Mul(*word[len(start) :]) for term, word in runs[best].items())
    )
    rest = Add(*(term for term in expr.args if term not in runs[best]))
    joint = scale * Tr(Mul(*start, ends))
    return joint + (_joint_forms(rest) if rest.is_Add else rest)


def _led_by(turns: list[tuple[Expr, Word, Expr]], scale: Expr, start: Word) -> dict[Expr, Word]:
    """The forms that this run leads."""
    cut = len(start)
    return {t: w for t, w, s in turns if s == scale and w[:cut] == start and len(w) > cut}


def _turns(expr: Expr) -> list[tuple[Expr, Word, Expr]]:
    """Each form of a sum but squares, read in both directions: (term, word, what stands before it, less its sign)."""
    found = []
    for term in expr.args:
        forms = [factor for factor in Mul.make_args(term) if isinstance(factor, Tr) and factor.is_form]
        if (
            len(forms) == 1
            and not halved(forms[0].word)
            and not any(each.has(Add) for each in forms[0].word if is_column(each))
        ):
            word = forms[0].word
            number, scale = (term / forms[0]).as_coeff_Mul()
            scale *= abs(number)
            backwards = tuple(transpose(each) for each in reversed(word))
            found += [
                (term, each, scale) for each in dict.fromkeys((word, backwards)) if not each[-1].has(Add)
            ]
    return found
