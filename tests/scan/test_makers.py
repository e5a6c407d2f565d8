"""How a method makes one more of its class, however it is written: its bytes decide whether it is parsed."""

from __future__ import annotations

import ast

import pytest

from alembic_upsert_guard.upserts.scan.python.makers import makers_in
from alembic_upsert_guard.upserts.scan.python.module import Module


def makers(method: str) -> list[str]:
    """What the method of a class calls to make one more."""
    module = Module("store.py", f"class Store:\n{method}\n".encode())
    of = module.tree.body[0]
    assert isinstance(of, ast.ClassDef)
    return [ast.unparse(maker) for maker in makers_in(module, of)]


@pytest.mark.parametrize(
    ("call", "maker"),
    [
        ("self.__class__('t')", "self.__class__"),
        ("(self.__class__)('t')", "self.__class__"),
        ("type(self)('t')", "type(self)"),
        ("type ( self )('t')", "type(self)"),
        ("type((self))('t')", "type(self)"),
        ("type \\\n (self)('t')", "type(self)"),
        ("type(  # of it\n self)('t')", "type(self)"),
    ],
)
def test_a_method_makes_one_of_its_own_class(call: str, maker: str) -> None:
    """Brackets, comments and the ends of lines say nothing."""
    assert makers(f"    def copy(self):\n        return {call}") == [maker]


@pytest.mark.parametrize("call", ["cls('t')", "(cls)('t')", "cls ('t')", "cls \\\n ('t')"])
def test_a_method_of_the_class_calls_it(call: str) -> None:
    """Likewise."""
    assert makers(f"    @classmethod\n    def make(cls):\n        return {call}") == ["cls"]


def test_a_receiver_has_any_name() -> None:
    """Python takes letters of every script."""
    assert makers("    def copy(selbé):\n        return type(selbé)('t')") == ["type(selbé)"]


@pytest.mark.parametrize("call", ["type(other)()", "mytype(self)()", "cls()", "self()"])
def test_another_call_makes_none(call: str) -> None:
    """It is of another class, or of none."""
    assert makers(f"    def copy(self):\n        return {call}") == []
