"""What is written leaves every other byte of a file as it is, whatever its encoding and line ends."""

from __future__ import annotations

import pytest

from alembic_upsert_guard.edits.arguments import Arguments
from alembic_upsert_guard.edits.declarations import File
from alembic_upsert_guard.edits.names import ModuleNames
from alembic_upsert_guard.edits.places import ClassPlace
from alembic_upsert_guard.edits.source import Source, UnwritableError
from alembic_upsert_guard.edits.spelling import KeyToWrite, escaped
from alembic_upsert_guard.inference import Element

NAMES = ModuleNames({}, {}, frozenset())
MODELS = """\
from sqlalchemy.orm import Mapped, mapped_column

class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
"""
DECLARED = MODELS.replace(
    "from sqlalchemy", "from alembic_upsert_guard import UpsertKey\nfrom sqlalchemy"
).replace('"users"\n', '"users"\n    __table_args__ = (UpsertKey("email"),)\n')


def written(content: bytes, column: str = "email", arguments: Arguments = Arguments.NONE) -> bytes:
    """The file with a key of the column in class User."""
    file = File(Source(content), NAMES)
    place = ClassPlace(
        path="models.py",
        names=NAMES,
        qualname="User",
        arguments=arguments,
        attributes=((column, column),),
    )
    file.declare_in_class(place, [KeyToWrite((Element(column=column),), None)])
    return file.changed()


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"], ids=["unix", "windows", "classic mac"])
def test_line_ends_stay(ending: str) -> None:
    """New lines end as those of the file do."""
    content = MODELS.replace("\n", ending).encode()

    assert written(content) == DECLARED.replace("\n", ending).encode()


def test_mixed_line_ends_stay() -> None:
    """A new line ends as the line that it pushes down."""
    content = MODELS.encode().replace(b'"users"\n', b'"users"\r\n')

    assert written(content) == DECLARED.encode().replace(b'"users"\n', b'"users"\r\n')


def test_a_byte_order_mark_stays() -> None:
    """In front of everything, the new import included."""
    assert written(b"\xef\xbb\xbf" + MODELS.encode()) == b"\xef\xbb\xbf" + DECLARED.encode()


def test_the_encoding_of_the_cookie_is_kept() -> None:
    """Characters in front of a place count as one, however many bytes they take."""
    cookie = "# -*- coding: latin-1 -*-\n"
    content = (cookie + MODELS.replace("email", "größe")).encode("latin-1")

    assert written(content, "größe") == (cookie + DECLARED.replace("email", "größe")).encode(
        "latin-1"
    )


def test_wide_characters_in_front_of_a_place() -> None:
    """The syntax tree counts bytes, and the text characters."""
    content = MODELS.replace('"users"', '"users"; "größe" "中文"; __table_args__ = ("ä", 1)')

    changed = written(content.encode(), arguments=Arguments.TUPLE).decode()

    assert '"größe" "中文"; __table_args__ = ("ä", 1, UpsertKey("email"))' in changed


def test_a_character_that_the_encoding_lacks_is_escaped() -> None:
    """A column of another script in a file of ASCII, where the class spells it as an escape."""
    cookie = "# coding: ascii\n"
    key = KeyToWrite((Element(column="中"),), None)
    file = File(Source((cookie + MODELS).encode()), NAMES)
    place = ClassPlace(
        path="models.py",
        names=NAMES,
        qualname="User",
        arguments=Arguments.NONE,
        attributes=(("email", "中"),),
    )

    file.declare_in_class(place, [key])

    assert b'UpsertKey("\\u4e2d")' in file.changed()


@pytest.mark.parametrize("last", ["", "\n", "\n\n", "\n    ", "\n\x0c\n"])
def test_the_end_of_the_file_stays(last: str) -> None:
    """With or without a line end, and with white space behind it."""
    content = MODELS.rstrip("\n") + last

    assert written(content.encode()) == (DECLARED.rstrip("\n") + last).encode()


def test_a_last_line_without_an_end_takes_a_line_behind_it() -> None:
    """The statement that was last has an end then, and the new last one has none."""
    content = b"from sqlalchemy.orm import Mapped\n\nclass User(Base, Email):\n    __tablename__ = 'users'"
    file = File(Source(content), NAMES)
    place = ClassPlace(
        path="models.py",
        names=NAMES,
        qualname="User",
        arguments=Arguments.NONE,
        attributes=(("email", "email"),),
        of_mixins=frozenset({"email"}),
    )

    file.declare_in_class(place, [KeyToWrite((Element(column="email"),), None)])

    assert file.changed().endswith(
        b"__tablename__ = 'users'\n    __table_args__ = (UpsertKey(\"email\"),)"
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"class User(:\n", "it does not parse"),
        (b"\xff\xfe", "it does not parse"),
        (b"# coding: nowhere\n", "it does not parse"),
        (b"x = '\x00'\n", "it does not parse"),
        (b"# coding: utf-7\nx = '+AOQ-'\n", "its bytes are no utf-7"),
    ],
)
def test_what_does_not_read_is_refused(content: bytes, reason: str) -> None:
    """And so is what would not be written back as it was."""
    with pytest.raises(UnwritableError, match=reason):
        Source(content)


@pytest.mark.parametrize(
    "sql",
    [
        "kind = 'a:b'",
        "(at::date)",
        "kind = 'a:b'::text",
        r"path ~ '\d:x'",
        r"path = 'C\:x'",
        "at > '12:30:45'",
        "x = ':::'",
        "a::int::text",
        "'::x'",
    ],
)
def test_text_reads_as_the_sql(sql: str) -> None:
    """A colon starts no parameter."""
    from sqlalchemy import text  # noqa: PLC0415

    assert str(text(escaped(sql))) == sql
