"""Rewritings for the reader: the same value in the shape in which a textbook prints it.

Log-densities are sums of logarithms; in print, a weight is a product of powers. Expanded quadratics print as
squares, factors free of an index stand before its sum. None of this finds anything new: each rule keeps the
value at every point.
"""

from __future__ import annotations

from sympy import (
    Add,
    Expr,
    Indexed,
    Integer,
    Mul,
    Pow,
    Product,
    Rational,
    S,
    Sum,
    Symbol,
    atan2,
    exp,
    expand_mul,
    factorial,
    fraction,
    gamma,
    lcm,
    log,
    loggamma,
    oo,
    pi,
    sqrt,
)

from symem.algebra.matrix_words import gathered_forms, gathered_words
from symem.algebra.rewriting import Det, angle, bottom_up, form, inlined
from symem.algebra.squares import absorbed, completed, merged_sums, squares
from symem.derivation import Ascent, Definition, Derivation, Update
from symem.language.matrices import is_matrix
from symem.language.plates import Axis, Iverson, LogIverson
from symem.language.special import LogNormalInterval, NormalCDF
from symem.language.traces import Element, LogDet, Tr
from symem.report.notation.matrix_updates import written_out as matrices_written_out
from symem.report.notation.moments import Meanings

FEW = 3


def merged_logs(expr: Expr) -> Expr:
    """c log 2 + c log pi as c log(2 pi), in every sum: the constant of a Normal density."""
    return bottom_up(expr, lambda node: _one_log(node) if node.is_Add else node)


def _one_log(expr: Add) -> Expr:
    by_factor: dict[Expr, dict[Expr, Expr]] = {}
    for term in expr.args:
        factor, inner = term.as_independent(log, as_Add=False)
        if isinstance(inner, log) and inner.args[0].is_number:
            by_factor.setdefault(factor, {})[term] = inner.args[0]
    joint = {c: numbers for c, numbers in by_factor.items() if len(numbers) > 1}
    used = {term for numbers in joint.values() for term in numbers}
    whole = [c * log(Mul(*numbers.values())) for c, numbers in joint.items()]
    return Add(*(term for term in expr.args if term not in used), *whole) if joint else expr


def over_common_number(expr: Expr) -> Expr:
    """nu/2 + 1/2 as (nu + 1)/2, in every sum without logarithms all of whose terms have a number below."""
    return bottom_up(expr, lambda node: _over_number(node) if node.is_Add else node)


def _over_number(expr: Add) -> Expr:
    numbers = [term.as_coeff_Mul()[0] for term in expr.args]
    if expr.has(log, loggamma, Tr, LogDet) or not all(
        number.is_Rational and number.q > 1 for number in numbers
    ):
        return expr
    number = lcm([number.q for number in numbers])
    above = [number * term for term in expr.args]
    if all(fraction(term, exact=True)[1] != 1 for term in above):
        return expr
    return Mul(Rational(1, number), Add(*above), evaluate=False)


def over_common_denominators(expr: Expr) -> Expr:
    """In every sum, terms over the same denominator as one fraction, the number 2 included.

    >>> from sympy.abc import a, b, c
    >>> over_common_denominators(a/(2*c**2) - b/c**2 + 1)
    (1/(2*c**2))*(a - 2*b) + 1
    """
    return bottom_up(expr, lambda node: _grouped(node) if node.is_Add else node)


def _grouped(expr: Add) -> Expr:
    groups: dict[Expr, list[tuple[Expr, Expr]]] = {}
    for term in expr.args:
        above, below = fraction(term, exact=True)
        number, rest = below.as_coeff_Mul()
        groups.setdefault(rest, []).append((above, number))
    return Add(*(_one_fraction(rest, parts) for rest, parts in groups.items()))


def _one_fraction(below: Expr, parts: list[tuple[Expr, Expr]]) -> Expr:
    if below == 1 or len(parts) == 1:
        return Add(*(above / (number * below) for above, number in parts))
    scale = lcm([number for _, number in parts])
    top = Add(*(above * scale / number for above, number in parts))
    negative = sum(1 for term in Add.make_args(top) if term.could_extract_minus_sign()) * 2 > len(parts)
    sign = -1 if negative else 1
    return Mul(sign / (scale * below), Add(*(sign * term for term in Add.make_args(top))), evaluate=False)


def pulled_out(expr: Expr) -> Expr:
    """Factors free of the index, and a minus sign, before the sum; away where an angle does not change with them."""
    told = expr.replace(lambda node: isinstance(node, Sum), _pulled)
    told = told.replace(lambda node: isinstance(node, atan2), lambda node: angle(*node.args))
    return told.replace(lambda node: isinstance(node, Tr), lambda node: form(node.args[0]))


def _pulled(expr: Sum) -> Expr:
    bound = [limit[0] for limit in expr.limits]
    outer, inner = expr.function.as_independent(*bound, as_Add=False)
    number = inner.as_coeff_Mul()[0]
    sign = -1 if number.is_negative else 1
    free = {symbol for limit in expr.limits for symbol in limit[1].free_symbols | limit[2].free_symbols}
    if inner == 1 or (outer == 1 and sign == 1) or outer.free_symbols & free & set(bound):
        return expr
    return sign * outer * Sum(sign * inner, *expr.limits)


def collected_logs(expr: Expr) -> Expr:
    """N log(1 - p) - x log(1 - p) as (N - x) log(1 - p), in every sum.

    >>> from sympy.abc import p, x, N
    >>> collected_logs(x*log(p) + N*log(1 - p) - x*log(1 - p))
    x*log(p) + (N - x)*log(1 - p)
    """
    return bottom_up(expr, lambda node: _collected(node) if node.is_Add else node)


def _collected(expr: Add) -> Expr:
    coefficients: dict[Expr, list[Expr]] = {}
    rest = []
    for term in expr.args:
        logs = [f for f in Mul.make_args(term) if isinstance(f, log) and not f.is_number]
        if len(logs) == 1:
            coefficients.setdefault(logs[0], []).append(term / logs[0])
        else:
            rest.append(term)
    found = Add(*rest, *(Add(*parts) * each for each, parts in coefficients.items()))
    return _fewer_numbers(found) if found.is_Add else found


def _fewer_numbers(expr: Add) -> Expr:
    """- z log 2 - (1 - z) log 2 as - log 2: logarithms of numbers together, where that leaves fewer terms."""
    coefficients: dict[Expr, list[Expr]] = {}
    for term in expr.args:
        logs = [factor for factor in Mul.make_args(term) if isinstance(factor, log) and factor.is_number]
        if len(logs) == 1:
            coefficients.setdefault(logs[0], []).append(term)
    for each, terms in coefficients.items():
        whole = expand_mul(Add(*(term / each for term in terms)))
        if len(Add.make_args(whole)) < len(terms):
            expr = Add(expr, *(-term for term in terms), whole * each)
    return expr


def printed(expr: Expr) -> Expr:
    """A log-density, or a sum of such, in the shape of a textbook."""
    return collected_logs(
        squares(
            gathered_words(gathered_forms(completed(absorbed(pulled_out(merged_sums(pulled_out(expr)))))))
        )
    )


def by_outcome(weight: Definition, outcome: Axis) -> tuple[Definition, ...]:
    """A log-weight; value by value where there are few of them and its formula counts with the outcome."""
    if not (outcome.size.is_Integer and outcome.size <= FEW and stands_outside(weight.value, outcome.index)):
        return (weight,)
    return tuple(
        Definition(
            weight.symbol.subs(outcome.index, value),
            weight.axes,
            at_outcome(weight.value, outcome.index, value),
        )
        for value in range(int(outcome.size))
    )


def stands_outside(expr: Expr, index: Symbol) -> bool:
    """Whether an index occurs as a number, not only in slots."""
    return bool(expr.xreplace(dict.fromkeys(expr.atoms(Indexed), S.One)).has(index))


def at_outcome(expr: Expr, index: Symbol, value: int) -> Expr:
    """A log-density at one value of a label, its brackets settled."""
    return expr.subs(index, value).doit(deep=False)


def merged_roots(expr: Expr) -> Expr:
    """Several square roots in a product as one, of a fraction if need be."""
    return bottom_up(expr, lambda node: _one_root(node) if node.is_Mul else node)


def _one_root(expr: Mul) -> Expr:
    roots = [f for f in expr.args if isinstance(f, Pow) and abs(f.exp) == S.Half and not f.base.is_number]
    if len(roots) < 2:
        return expr
    inside = Mul(*(root.base ** (2 * root.exp) for root in roots))
    return Mul(*(f for f in expr.args if f not in roots), Pow(inside, S.Half, evaluate=False), evaluate=False)


def density_constants(expr: Expr) -> Expr:
    """sqrt(2)/(2 sqrt(pi)) as 1/sqrt(2 pi), as it stands in the density of a Normal law."""
    return bottom_up(expr, lambda node: _density_constant(node) if node.is_Mul else node)


def _density_constant(expr: Mul) -> Expr:
    number = expr.as_coeff_Mul()[0]
    parts = (sqrt(2), 1 / sqrt(pi))
    if not number.is_Rational or number.q % 2 or not all(part in expr.args for part in parts):
        return expr
    rest = [factor for factor in expr.args if factor not in (*parts, number)]
    return Mul(2 * number, *rest, Pow(2 * pi, -S.Half, evaluate=False), evaluate=False)


def exponentiated(expr: Expr) -> Expr:
    """exp(expr) as a product of powers, as a density is printed: log terms become factors.

    Left unevaluated, because SymPy would make sqrt(2)/(2*sqrt(pi)) of 1/sqrt(2*pi).

    >>> from sympy.abc import p, x
    >>> exponentiated(x*log(p) + (1 - x)*log(1 - p))
    p**x*(1 - p)**(1 - x)
    """
    factors: list[Expr] = []
    rest: list[Expr] = []
    for term in Add.make_args(expr):
        factor = _factor(term)
        (rest if factor is None else factors).append(term if factor is None else factor)
    tail = [exp(Add(*rest))] if rest else []
    product = [*factors, *tail]
    return product[0] if len(product) == 1 else Mul(*product, evaluate=False)


def _factor(term: Expr) -> Expr | None:
    """exp(term), if it reads better without exp."""
    number, whole = term.as_coeff_Mul()
    if isinstance(whole, Sum):
        inner = exponentiated(number * whole.function)
        return None if inner.has(exp) else Product(inner, *whole.limits)
    if isinstance(term, LogIverson):
        return Iverson(*term.args)
    if isinstance(term, loggamma):
        return _gamma(term.args[0])
    coefficient, logs = term.as_independent(log, loggamma, LogDet, as_Add=False)
    if isinstance(logs, LogDet):
        return Pow(Det(logs.args[0]), coefficient, evaluate=False)
    if isinstance(logs, log) and not coefficient.has(Sum):
        return logs.args[0] if coefficient == 1 else Pow(logs.args[0], coefficient, evaluate=False)
    if isinstance(logs, loggamma) and not coefficient.has(Sum):
        return Pow(_gamma(logs.args[0]), coefficient)
    return _raised(term)


def _raised(term: Expr) -> Expr | None:
    """exp(z (a log p + b log q)) as the product to the power z."""
    sums = [factor for factor in Mul.make_args(term) if factor.is_Add and factor.has(log)]
    if len(sums) != 1 or term.has(Sum):
        return None
    inner = exponentiated(sums[0])
    return None if inner.has(exp) else Pow(inner, term / sums[0], evaluate=False)


def _gamma(argument: Expr) -> Expr:
    if (argument - 1).is_Atom or isinstance(argument - 1, Indexed) or argument.as_coeff_Add()[0] == 1:
        return factorial(argument - 1)
    return gamma(argument)


def written_out(update: Update, derivation: Derivation) -> Expr:
    """An update with its statistics written out, a variance as one centred sum."""
    if isinstance(update, Ascent):
        return update.nested
    meanings = Meanings.of(derivation)
    told = _written(update.nested, meanings)
    return _written(direct(update), meanings) if meanings.holds_centred(told) else told


def direct(update: Update) -> Expr:
    """The formula by which an update is computed: in earlier updates where that is no longer than without them."""
    if isinstance(update, Ascent):
        return update.nested
    return min(update.nested, update.value, key=lambda formula: formula.count_ops())


def _written(formula: Expr, meanings: Meanings) -> Expr:
    held = [each.value for each in meanings.statistics if formula.has(each.symbol)]
    if any(
        is_matrix(each)
        or each.has(Tr, Element)
        or meanings.holds_covariance(each)
        or meanings.holds_centred(each)
        for each in (formula, *held)
    ):
        return matrices_written_out(formula, meanings)
    return pulled_out(inlined(over_common_denominators(formula), meanings.statistics))


# truncated Normal laws --------------------------------------------------------------------------------


def ratios(expr: Expr) -> Expr:
    """exp(-t²/2 - log(Φ(b) - Φ(a))) as a ratio, as books print the means of a truncated Normal law.

    Inside, the logarithm of the probability of an interval is one function, so that far tails keep their digits.
    """
    if not expr.has(LogNormalInterval):
        return expr
    return expr.replace(lambda node: isinstance(node, exp) and node.args[0].has(LogNormalInterval), _ratio)


def _ratio(expr: Expr) -> Expr:
    terms = Add.make_args(expr.args[0])
    found = [term for term in terms if isinstance(-term, LogNormalInterval)]
    if len(found) != 1:
        return expr
    low, high = (-found[0]).args
    above = Integer(1) if high == oo else NormalCDF(high)
    below = Integer(0) if low == -oo else NormalCDF(low)
    return exp(Add(*(term for term in terms if term is not found[0]))) / (above - below)
