"""Values that differ in the names of their indices alone are named once, and each is read as it lies."""

from __future__ import annotations

from sympy import Symbol

from symem.codegen.ir.canonical import canonical
from symem.codegen.ir.identifiers import Names
from symem.codegen.ir.nodes import Apply, Contract, Load, Node, Source
from symem.codegen.ir.shared_values import shared

A, B, C, D = (Symbol(name) for name in "abcd")
THETA = frozenset({Source.THETA})


def load(name: str, *stored: Symbol) -> Load:
    return Load(tuple(sorted(stored, key=str)), name, stored, THETA)


def gram(first: Symbol, second: Symbol, over: Symbol) -> Node:
    """The sum of w[over, first] * w[over, second]."""
    axes = tuple(sorted((first, second), key=str))
    return Contract(axes, load("w", over, first), load("w", over, second), (over,))


def test_products_are_the_same_under_other_indices_and_in_either_order() -> None:
    assert canonical(gram(A, B, C)).form == canonical(gram(B, D, A)).form
    assert canonical(gram(A, B, C)).form == canonical(gram(B, A, C)).form
    other = Contract((A, B), load("w", A, C), load("w", B, C), (C,))
    assert canonical(gram(A, B, C)).form != canonical(other).form
    assert canonical(load("w", A, B)).form != canonical(load("v", A, B)).form


def test_operands_that_may_not_be_exchanged_stay_in_their_order() -> None:
    quotients = [
        Apply((A, B), "/", pair) for pair in ((load("u", A), load("u", B)), (load("u", B), load("u", A)))
    ]
    assert canonical(quotients[0]).form == canonical(quotients[1]).form
    one = Apply((A, B), "/", (load("u", A), load("v", B)))
    assert canonical(one).form != canonical(Apply((A, B), "/", (load("v", B), load("u", A)))).form


def test_what_is_shared_is_read_along_its_own_indices() -> None:
    first = Apply((A, B), "exp", (Apply((A, B), "/", (load("u", A), load("v", B))),))
    second = Apply((A, B), "exp", (Apply((A, B), "/", (load("u", B), load("v", A))),))
    named, (one, other) = shared(Names(), "c", [first, second])
    ((name, node),) = named
    assert node == first
    assert one == Load((A, B), name, (A, B), THETA)
    assert other == Load((A, B), name, (B, A), THETA)
