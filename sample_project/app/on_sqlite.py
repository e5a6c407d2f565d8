"""What SQLite lacks and this application needs, for each connection and each CREATE TABLE."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from typing import Any
from uuid import uuid4

from sqlalchemy import event
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.engine import Engine
from sqlalchemy.ext.compiler import compiles


@event.listens_for(Engine, "connect")
def register_functions(connection: Any, _: Any) -> None:
    """The functions of PostgreSQL that defaults and upserts call."""
    if isinstance(connection, sqlite3.Connection):
        connection.create_function("gen_random_uuid", 0, lambda: uuid4().hex)
        connection.create_function("now", 0, lambda: f"{dt.datetime.now(dt.timezone.utc):%F %T.%f}")
        connection.create_function("jsonb_concat", 2, _concatenated, deterministic=True)


def _concatenated(one: str, other: str) -> str:
    return json.dumps(json.loads(one) + json.loads(other))


@compiles(JSONB, "sqlite")
@compiles(ARRAY, "sqlite")
def _as_json(*_: Any, **__: Any) -> str:
    return "JSON"
