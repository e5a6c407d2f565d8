"""What does not parse, and names an upsert all the same: a parser that skips it must not make it nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...target import Cause, Unread
from ...upsert import Source, Upsert
from .nodes import line_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .module import Module

__all__ = ["unparsed_upserts"]

_SIGNS = (b".upsert(", b"on conflict", b"on duplicate key", b"on_conflict", b"onconflict")
"""What an upsert has on a line of its own, in lower case."""

_UNREAD = Unread(
    "it does not parse as TypeScript or JavaScript, and names an upsert", Cause.NOT_PARSED
)


def unparsed_upserts(module: Module, read: Iterable[Upsert]) -> Iterator[Upsert]:
    """Return an upsert, unread, for each line that does not parse and has a sign of one.

    :param read: those that were read in the file: what holds them was understood.
    """
    if not module.root.has_error:
        return
    extents = {upsert.place.written.extent for upsert in read}
    known = {line for extent in extents if extent for line in range(extent[0], extent[1] + 1)}
    for node in module.nodes:
        if node.type != "ERROR":
            continue
        for line, text in enumerate((node.text or b"").lower().split(b"\n"), start=line_of(node)):
            if line not in known and any(sign in text for sign in _SIGNS):
                known.add(line)
                yield Upsert(
                    source=Source.CODE,
                    place=module.place(line, node),
                    table=_UNREAD,
                    target=_UNREAD,
                )
