"""What a parameter or a loop's variable means: the argument or the item, where it is known how it was entered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...target import Cause, Unread
from .binding import Parameter
from .functions import method_class, receives_class
from .scope import Argument
from .values import Class, Instance, Opening, OpeningKind, Origin

if TYPE_CHECKING:
    import ast

    from .binding import Looped
    from .meaning import Names
    from .module import Module
    from .scope import Entered, Frame, FunctionNode, Scope
    from .values import Meaning

__all__ = ["Parameters"]


class Parameters:
    """Reads parameters; what is not known is noted as an opening of the current reading."""

    def __init__(self, names: Names) -> None:
        """Nothing is read yet."""
        self._names = names

    def meaning(
        self, scope: Scope, binding: Parameter, depth: int, attribute: str | None = None
    ) -> list[Meaning]:
        function, name = binding.function, binding.name
        frames = [scope.frame_of(function)]
        of = method_class(scope.module, function, name)
        if not _answers(frames[0], name, is_receiver=of is not None):
            frames.append(self._names.current.assumption(function))
        if of is not None:
            receiver = next((f.receiver for f in frames if f and f.receiver), None)
            if receiver is not None:
                return [receiver]
        known = [f.arguments for f in frames if f and f.arguments is not None]
        argument = next((arguments[name] for arguments in known if name in arguments), None)
        if argument is None and of is not None:
            return [self._receiver(Class(scope.module, of), function, attribute)]
        if isinstance(argument, Argument):
            found = self._names.meanings(argument.scope, argument.node, depth)
        elif argument is None and known:
            found = [Unread(f"{name} is given by no argument", Cause.PARAMETER)]
        elif argument is None:
            self._open(OpeningKind.PARAMETER, scope.module, function, name)
            found = [Unread(f"{name} comes in as a parameter", Cause.PARAMETER)]
        else:
            found = [argument]
        if any(isinstance(m, Unread) for m in found):
            return self._names.annotations.of_parameter(scope, function, name, depth) or found
        return found

    def _receiver(
        self, defined: Class, function: FunctionNode, attribute: str | None
    ) -> Instance | Class:
        """``self`` or ``cls`` of a method of a class, where no call says which of its heirs it is."""
        receiver: Instance | Class | None = None
        for frame in self._names.current.assumptions():
            exact = frame.receiver.of if isinstance(frame.receiver, Instance) else frame.receiver
            if exact is not None and defined in self._names.members.lineage(exact):
                receiver = frame.receiver
        if receiver is None:
            self._open(OpeningKind.RECEIVER, defined.module, defined.node, attribute)
            receiver = Instance(defined, Origin.RECEIVER)
        of = receiver.of if isinstance(receiver, Instance) else receiver
        if receives_class(function):
            return of
        return receiver if isinstance(receiver, Instance) else Instance(of, Origin.RECEIVER)

    def _open(
        self, kind: OpeningKind, module: Module, node: Entered | ast.ClassDef, name: str | None
    ) -> None:
        self._names.current.open(Opening(kind=kind, module=module, node=node, name=name))

    def in_round(self, scope: Scope, binding: Looped, depth: int) -> list[Meaning]:
        frame = scope.frame_of(binding.loop) or self._names.current.assumption(binding.loop)
        if frame is not None and frame.arguments is not None and binding.name in frame.arguments:
            argument = frame.arguments[binding.name]
            if isinstance(argument, Unread):
                return [argument]
            return self._names.meanings(argument.scope, argument.node, depth)
        self._open(OpeningKind.LOOP, scope.module, binding.loop, binding.name)
        return [Unread(f"{binding.name} goes through a loop", Cause.REBOUND)]

    def receiver_of(self, scope: Scope, method: FunctionNode, depth: int) -> list[Instance | Class]:
        """Return what the first parameter of a method is: an instance, or a class; empty: neither."""
        first = [*method.args.posonlyargs, *method.args.args][:1]
        found = [m for p in first for m in self.meaning(scope, Parameter(method, p.arg), depth)]
        return [m for m in found if isinstance(m, Instance | Class)]


def _answers(frame: Frame | None, name: str, *, is_receiver: bool) -> bool:
    """Whether a frame says what a parameter is, whatever is assumed."""
    if frame is None:
        return False
    if is_receiver:
        return frame.receiver is not None
    return frame.arguments is not None and name in frame.arguments
