"""Every statement that SQLAlchemy sends: on all engines, synchronous or not, whatever it was made of."""

from __future__ import annotations

import sys
from functools import wraps
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import Connection

from .instruments import Instrument, Patch, began, ended
from .recorder import Sent
from .statement import may_upsert

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.engine import Compiled, Dialect

__all__ = ["SQLALCHEMY"]


def _around_execute(execute: Callable[..., Any]) -> Callable[..., Any]:
    """``Connection._execute_context``, which every statement goes through: Core's, the ORM's, text and strings."""

    @wraps(execute)
    def _execute_context(
        connection: Connection,
        dialect: Dialect,
        constructor: Any,
        statement: Any,
        *args: Any,
        **kw: Any,
    ) -> Any:
        recorders = SQLALCHEMY.recorders
        try:
            result = execute(connection, dialect, constructor, statement, *args, **kw)
        except Exception as raised:
            error = getattr(raised, "orig", None) or raised.__cause__ or raised
            # not what failed on the way to the server, as a value that the driver does not take
            if isinstance(error, dialect.loaded_dbapi.Error):
                text = getattr(raised, "statement", None) or str(statement)
                if may_upsert(text):
                    sent = _sent(connection, dialect, statement, text)
                    ended(began(recorders, sent, sys._getframe(1)), error, raised)  # noqa: SLF001 - as below
            raise
        text = getattr(result.context, "statement", None)
        if text is not None and may_upsert(text):
            sent = _sent(connection, dialect, statement, text)
            ended(began(recorders, sent, sys._getframe(1)))  # noqa: SLF001 - inspect.stack() reads source files
        return result

    return _execute_context


def _sent(connection: Connection, dialect: Dialect, statement: Any, text: str) -> Sent:
    """What was sent; its text names the schemas that ``schema_translate_map`` leads to."""
    compiled: Compiled | None = None if isinstance(statement, str) else statement
    schemas: Mapping[str | None, str | None] | None = None
    if compiled is not None:
        schemas = connection.get_execution_options().get("schema_translate_map")
    return Sent(text, compiled, schemas, dialect, dialect.driver)


SQLALCHEMY = Instrument()
SQLALCHEMY.patches = (Patch(Connection, "_execute_context", _around_execute),)
