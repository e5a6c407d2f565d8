"""Which package what is called on comes from, over a file of the project's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .bindings import BindingKind
from .meaning import Expression, Namespace
from .nodes import arguments_of, called_name, string_in, unwrapped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .module import Module
    from .modules import Modules
    from .values import Values

__all__ = ["Origins"]


class Origins:
    """Looks where names are imported from."""

    def __init__(self, modules: Modules, values: Values) -> None:
        """Nothing is read yet."""
        self._modules = modules
        self._values = values

    def is_from(self, owner: Expression, *packages: str) -> bool:
        """Return whether the file of an expression, or the one that its name is imported from, imports a package."""
        return any(module.imports_from(*packages) for module in self._files(owner))

    def _files(self, owner: Expression) -> Iterator[Module]:
        yield owner.module
        meaning = self._values.meaning(owner)
        if isinstance(meaning, Expression | Namespace):
            yield meaning.module
        node = unwrapped(owner.node)
        while node.type in ("member_expression", "subscript_expression"):
            inner = node.child_by_field_name("object")
            if inner is None:
                return
            node = unwrapped(inner)
        binding = owner.module.binding(node) if node.type == "identifier" else None
        if binding is None:
            return
        source = binding.source
        if binding.kind is BindingKind.VALUE and called_name(unwrapped(binding.node)) == "require":
            said = [string_in(argument) for argument in arguments_of(unwrapped(binding.node))]
            source = (said[0] or "") if said else ""
        origin = self._modules.imported(owner.module, source) if source else None
        if origin is not None:
            yield origin
