"""What is there before any table: schemas, types, collations, functions, as far as the server has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

__all__ = [
    "LONG",
    "ODD_SCHEMA",
    "execute",
    "is_done",
    "major_version",
    "prelude_of",
    "prepare",
    "quoted",
]

ODD_SCHEMA = 'Od"d %:s'
LONG = "l" * 60

_RESERVED = frozenset(("select", "user", "order", "group", "default", "all"))


def quoted(name: str) -> str:
    """Return the name as SQL: in quotes where it needs them."""
    plain = name.isascii() and name.isidentifier() and name == name.lower()
    if plain and name not in _RESERVED:
        return name
    return '"' + name.replace('"', '""') + '"'


PRELUDE = (
    "CREATE SCHEMA tools",
    f"CREATE SCHEMA {quoted(ODD_SCHEMA)}",
    "CREATE EXTENSION btree_gist",
    "CREATE EXTENSION citext",
    "CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')",
    "CREATE TYPE pair AS (x int, y text)",
    "CREATE DOMAIN posint AS int CHECK (VALUE > 0)",
    "CREATE DOMAIN email AS text CHECK (VALUE ~ '@')",
    'CREATE DOMAIN code AS text COLLATE "C"',
    "CREATE DOMAIN moods AS mood",
    "CREATE DOMAIN subint AS posint CHECK (VALUE < 1000)",
    "CREATE DOMAIN ints AS int[]",
    "CREATE TYPE floatrange AS RANGE (subtype = float8)",
    "CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
    "CREATE COLLATION icu (provider = icu, locale = 'und')",
    "CREATE COLLATION \"Own\" (provider = libc, locale = 'C')",
    "CREATE COLLATION tools.own (provider = libc, locale = 'C')",
    "CREATE COLLATION built (provider = builtin, locale = 'C.UTF-8')",
    "CREATE FUNCTION fold(x text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower(x)'",
    "CREATE FUNCTION tools.fold(x text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower(x)'",
    "CREATE FUNCTION tools.\"Fold %\"(x text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower(x)'",
    "CREATE FUNCTION strict_fold(x text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS 'SELECT lower(x)'",
    "CREATE FUNCTION modern_fold(x text) RETURNS text LANGUAGE sql IMMUTABLE RETURN lower(x)",
    "CREATE FUNCTION slow_fold(x text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN lower(x); END'",
    "CREATE FUNCTION same(x text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT x'",
    "CREATE FUNCTION same(x int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT x'",
    "CREATE FUNCTION cut(x text, n int DEFAULT 3) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT left(x, n)'",
    "CREATE FUNCTION always() RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true'",
    "CREATE FUNCTION is_set(x text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT x IS NOT NULL'",
    "CREATE FUNCTION plus(x int, y int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT x + y'",
    "CREATE OPERATOR tools.+++ (LEFTARG = int, RIGHTARG = int, FUNCTION = plus)",
    "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "CREATE FUNCTION upper(x varchar) RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT pg_catalog.upper(x) || '!'$$",
    "CREATE FUNCTION lower(x text) RETURNS text LANGUAGE sql IMMUTABLE AS $$SELECT pg_catalog.upper(x)$$",
    "CREATE TABLE journal (n int)",
    "CREATE FOREIGN DATA WRAPPER nowhere",
    "CREATE SERVER elsewhere FOREIGN DATA WRAPPER nowhere",
)
"""In the order of need; what a server does not know (ICU, extensions, later syntax) is left out."""


_OTHERS = (
    "CREATE ROLE application",
    f"GRANT USAGE ON SCHEMA tools, {quoted(ODD_SCHEMA)} TO application",
)
"""A role that owns nothing; it is there for the whole server, and stays."""


def execute(connection: Connection, sql: str) -> None:
    """Execute SQL as it is."""
    connection.exec_driver_sql(sql, execution_options={"no_parameters": True})


def major_version(connection: Connection) -> int:
    """Return the server's major version."""
    version = connection.exec_driver_sql("SHOW server_version_num").scalar_one()
    return int(version) // 10_000


def prepare(connection: Connection, *, others: bool = False) -> None:
    """Make the prelude in the connection's database, and commit it.

    :param others: make the role that is there for the whole server, too, which is to be ours.
    """
    for statement in (*PRELUDE, *(_OTHERS if others else ())):
        is_done(connection, statement)
    connection.commit()


def is_done(connection: Connection, *statements: str) -> bool:
    """Execute all of them, or none where the server refuses one; return whether it took them."""
    try:
        with connection.begin_nested():
            for statement in statements:
                execute(connection, statement)
    except DBAPIError:
        return False
    return True


def prelude_of(texts: list[str]) -> list[str]:
    """Return the statements of the prelude that define what `texts` name."""
    said = "\n".join(texts)
    needed: list[str] = []
    for statement in reversed(PRELUDE):
        name = statement.split("(")[0].split(" AS ")[0].split()[2].split(".")[-1].strip('"')
        if name in said:
            needed.append(statement)
            said += statement
    return needed[::-1]
