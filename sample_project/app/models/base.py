"""The base of all models, and how Python types become types of the database."""

import datetime as dt
from typing import Any, ClassVar

from sqlalchemy import DateTime, Float, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase

from .. import on_sqlite  # noqa: F401 - what a connection and a table need there


class Base(DeclarativeBase):
    type_annotation_map: ClassVar = {
        str: Text,
        float: Float,
        dt.datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
        list[dict[str, Any]]: ARRAY(JSONB),
    }
