"""Both forms of a directive, ``op.<name>`` and ``batch_op.<name>``, from the constructor of its operation."""

from __future__ import annotations

from inspect import Parameter, Signature, signature
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from alembic.operations import BatchOperations, Operations

_Operation = TypeVar("_Operation", bound=type[Any])

_OF_THE_BLOCK = frozenset({"table_name", "schema"})

_IN_A_BLOCK = """
    In a batch block it is about the table as it is before the block: what the block changes is not there yet.
    """


def directive(name: str) -> Callable[[_Operation], _Operation]:
    """Give an operation the classmethods ``<name>`` and ``batch_<name>``, which Alembic registers.

    Both take what the constructor takes and have the documentation of the class; the batch form has the table from its
    block. Parameters that begin with an underscore are autogenerate's, as in Alembic's own operations: no directive
    takes them.
    """

    def give(operation: _Operation) -> _Operation:
        stated = list(signature(operation).parameters.values())
        public = [parameter for parameter in stated if not parameter.name.startswith("_")]
        in_block = [parameter for parameter in public if parameter.name not in _OF_THE_BLOCK]
        doc = str(operation.__doc__)
        operation.directive = name
        setattr(operation, name, _form(name, doc, public, _nothing_more))
        batch = _form(f"batch_{name}", f"{doc}{_IN_A_BLOCK}", in_block, _table_of_the_block)
        setattr(operation, f"batch_{name}", batch)
        return operation

    return give


def _form(
    name: str,
    doc: str,
    parameters: Iterable[Parameter],
    more: Callable[[Any], dict[str, Any]],
) -> classmethod[Any, ..., None]:
    leading = [Parameter(each, Parameter.POSITIONAL_OR_KEYWORD) for each in ("cls", "operations")]
    stated = Signature([*leading, *parameters], return_annotation="None")

    def invoke(cls: type[Any], operations: Operations, *args: Any, **kwargs: Any) -> None:
        try:
            arguments = stated.bind(cls, operations, *args, **kwargs).arguments
        except TypeError as error:
            raise TypeError(f"{cls.directive}() {error}") from None
        given = {key: value for key, value in arguments.items() if key not in ("cls", "operations")}
        operations.invoke(cls(**given, **more(operations)))

    invoke.__name__ = name
    invoke.__doc__ = doc
    vars(invoke)["__signature__"] = stated
    return classmethod(invoke)


def method_signature(form: Callable[..., None]) -> Signature:
    """Return the signature of the method of ``op`` or ``batch_op`` that Alembic makes of one form of a directive."""
    _, *parameters = signature(form).parameters.values()
    own = Parameter("self", Parameter.POSITIONAL_OR_KEYWORD)
    return Signature([own, *parameters], return_annotation="None")


def _nothing_more(_: Operations) -> dict[str, Any]:
    return {}


def _table_of_the_block(operations: BatchOperations) -> dict[str, Any]:
    return {"table_name": operations.impl.table_name, "schema": operations.impl.schema}


def is_number(value: object) -> bool:
    """Return whether an argument is a number; True and False are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)
