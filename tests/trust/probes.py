"""What fails on a row that holds a secret: one directive or one line below it, and the way in which it fails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import text

if TYPE_CHECKING:
    from collections.abc import Callable

    from alembic.operations import Operations

SECRET = "s3cret@example"  # noqa: S105 - of a row

TABLE = "CREATE TABLE accounts (id serial PRIMARY KEY, tenant int, email varchar)"
ROW = f"INSERT INTO accounts (tenant, email) VALUES (1, '{SECRET}')"
ROWS = f"INSERT INTO accounts (tenant, email) VALUES (1, '{SECRET}'), (1, '{SECRET}')"

# read at run time, so that no statement of the test has the secret in it
ELSEWHERE = "CREATE TABLE elsewhere AS SELECT tenant, email FROM accounts"
ARRIVES = "INSERT INTO accounts (tenant, email) SELECT tenant, email FROM elsewhere"
AWAY = "TRUNCATE accounts"
ARRIVE = (TABLE, ROWS, ELSEWHERE, AWAY)
ONE_ARRIVES = (TABLE, ROW, ELSEWHERE, AWAY)


def raising(body: str) -> str:
    """A function that an index may have, and that fails on a row with a message of its own."""
    return (
        "CREATE FUNCTION failing(value text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS "
        f"$$ BEGIN IF value LIKE 's3cret%' THEN {body}; END IF; RETURN value; END $$"
    )


RAISES = raising("RAISE EXCEPTION 'not with %', value")
RAISES_AS_THE_SERVER = raising(
    "RAISE insufficient_privilege USING MESSAGE = 'permission denied for ' || value"
)
RAISES_A_VIOLATION = raising("RAISE unique_violation USING MESSAGE = 'twice: ' || value")
RUNS_WHAT_IS_NO_SQL = raising("EXECUTE 'SELECT ' || quote_literal(value) || ' AND' || value")
LOOKS_A_TABLE_UP = (
    "CREATE FUNCTION failing(value text) RETURNS text LANGUAGE sql IMMUTABLE AS "
    "'SELECT CAST(CAST(value AS regclass) AS text)'"
)
LOOKS_A_TYPE_UP = LOOKS_A_TABLE_UP.replace("regclass", "regtype")
LOOKS_A_FUNCTION_UP = LOOKS_A_TABLE_UP.replace("regclass", "regproc")

TRIGGER = """
    CREATE FUNCTION refuses() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE {state} USING MESSAGE = 'not ' || {row}.email, DETAIL = {row}.email, HINT = {row}.email; END $$
"""
ON_DELETE = (
    "CREATE TRIGGER refuses BEFORE DELETE ON accounts FOR EACH ROW EXECUTE FUNCTION refuses()"
)
ON_INSERT = (
    "CREATE TRIGGER refuses BEFORE INSERT ON accounts FOR EACH ROW EXECUTE FUNCTION refuses()"
)
ARCHIVE = (
    "CREATE TABLE gone (id int, tenant int, email varchar, upsert_guard_archived_at timestamptz DEFAULT now(), "
    "upsert_guard_reason text, upsert_guard_kept text"
)


@dataclass(frozen=True)
class Probe:
    """One way to fail."""

    name: str
    database: tuple[str, ...]
    run: Callable[[Operations, bool], None]
    """Called with what ``reveal=`` is to be."""
    shows: str
    """What the error says where values are held back."""


def validate(
    operations: Operations, reveal: bool, *elements: str, where: str | None = None
) -> None:
    operations.validate_upsert_key(  # type: ignore[attr-defined]
        "accounts",
        [text(e) if "(" in e else e for e in elements or ("tenant", "email")],
        where=where,
        reveal=reveal,
    )


def of_key(*elements: str, where: str | None = None) -> Callable[[Operations, bool], None]:
    """A check of the rows."""
    return lambda operations, reveal: validate(operations, reveal, *elements, where=where)


def arriving(
    create: Callable[[Operations], None], *elements: str, where: str | None = None
) -> Callable[[Operations, bool], None]:
    """A check that passes, rows that arrive, and a creation that fails."""

    def run(operations: Operations, reveal: bool) -> None:
        validate(operations, reveal, *elements, where=where)
        operations.execute(ARRIVES)
        create(operations)

    return run


def constraint(operations: Operations) -> None:
    operations.create_unique_constraint("uq_accounts", "accounts", ["tenant", "email"])


def index(sql: str) -> Callable[[Operations], None]:
    return lambda operations: operations.create_index(
        "uq_accounts", "accounts", [text(sql)], unique=True
    )


def deduplicate(
    order_by: str = "id", *, archive: str | None = None, repoint: bool = False
) -> Callable[[Operations, bool], None]:
    def run(operations: Operations, reveal: bool) -> None:
        operations.deduplicate_upsert_key(  # type: ignore[attr-defined]
            "accounts",
            ["tenant", "email"],
            keep="last",
            order_by=[text(order_by) if "(" in order_by else order_by],
            archive_table=archive,
            repoint=repoint,
            reveal=reveal,
        )

    return run


def restore(
    before: Callable[[Operations], None],
) -> Callable[[Operations, bool], None]:
    """A deduplication, something in the way, and the way back."""

    def run(operations: Operations, reveal: bool) -> None:
        deduplicate(archive="gone")(operations, reveal)
        before(operations)
        operations.restore_deduplicated_rows(  # type: ignore[attr-defined]
            "accounts", ["tenant", "email"], archive_table="gone", reveal=reveal
        )

    return run


def deduplicated_and_created(operations: Operations, reveal: bool) -> None:
    """No check of the rows comes between."""
    deduplicate()(operations, reveal)
    operations.execute(ARRIVES)
    constraint(operations)


def concurrently(*elements: str, where: str | None = None) -> Callable[[Operations, bool], None]:
    def run(operations: Operations, reveal: bool) -> None:
        operations.create_unique_index_concurrently(  # type: ignore[attr-defined]
            "uq_accounts",
            "accounts",
            [text(e) if "(" in e else e for e in elements],
            where=where,
            reveal=reveal,
        )

    return run


def constraint_concurrently(operations: Operations, reveal: bool) -> None:
    operations.create_unique_constraint_concurrently(  # type: ignore[attr-defined]
        "uq_accounts", "accounts", ["tenant", "email"], reveal=reveal
    )


ONE_GROUP = "1 duplicate group, 1 surplus row"
CAST = "(CAST(email AS int))"
FAILING = "failing(email)"
BAD_TEXT = "SQLSTATE 22P02 (invalid_text_representation)"
RAISED = "SQLSTATE P0001 (raise_exception)"

PROBES = (
    Probe("validate: duplicates", (TABLE, ROWS), of_key(), ONE_GROUP),
    Probe("validate: a cast", (TABLE, ROWS), of_key(CAST), BAD_TEXT),
    Probe(
        "validate: a cast in the predicate",
        (TABLE, ROWS),
        of_key("tenant", where="CAST(email AS int) > 0"),
        BAD_TEXT,
    ),
    Probe("validate: RAISE", (TABLE, ROWS, RAISES), of_key(FAILING), RAISED),
    Probe(
        "validate: RAISE under the server's own state",
        (TABLE, ROWS, RAISES_AS_THE_SERVER),
        of_key(FAILING),
        "SQLSTATE 42501 (insufficient_privilege)",
    ),
    Probe(
        "validate: RAISE as a violation",
        (TABLE, ROWS, RAISES_A_VIOLATION),
        of_key(FAILING),
        "SQLSTATE 23505 (unique_violation)",
    ),
    Probe(
        "validate: dynamic SQL",
        (TABLE, ROWS, RUNS_WHAT_IS_NO_SQL),
        of_key(FAILING),
        "SQLSTATE 42",
    ),
    Probe(
        "validate: a value as a table's name",
        (TABLE, ROWS, LOOKS_A_TABLE_UP),
        of_key(FAILING),
        "SQLSTATE 42P01 (undefined_table)",
    ),
    Probe(
        "validate: a value as a type's name",
        (TABLE, ROWS, LOOKS_A_TYPE_UP),
        of_key(FAILING),
        "SQLSTATE 42",
    ),
    Probe(
        "validate: a value as a function's name",
        (TABLE, ROWS, LOOKS_A_FUNCTION_UP),
        of_key(FAILING),
        "SQLSTATE 42883 (undefined_function)",
    ),
    Probe("a constraint below a check", ARRIVE, arriving(constraint), ONE_GROUP),
    Probe(
        "an index whose expression fails below a check",
        ONE_ARRIVES,
        arriving(index(CAST), CAST),
        BAD_TEXT,
    ),
    Probe(
        "an index whose function raises below a check",
        (*ONE_ARRIVES, RAISES),
        arriving(index(FAILING), FAILING),
        RAISED,
    ),
    Probe(
        "an index whose function raises a violation below a check",
        (*ONE_ARRIVES, RAISES_A_VIOLATION),
        arriving(index(FAILING), FAILING),
        "SQLSTATE 23505 (unique_violation)",
    ),
    Probe("deduplicate: a cast in the order", (TABLE, ROWS), deduplicate(CAST), BAD_TEXT),
    Probe(
        "deduplicate: a trigger",
        (TABLE, ROWS, TRIGGER.format(state="raise_exception", row="OLD"), ON_DELETE),
        deduplicate(),
        RAISED,
    ),
    Probe(
        "deduplicate: a trigger under the server's own state",
        (TABLE, ROWS, TRIGGER.format(state="check_violation", row="OLD"), ON_DELETE),
        deduplicate(),
        "SQLSTATE 23514 (check_violation)",
    ),
    Probe(
        "deduplicate: a check of the archive",
        (TABLE, ROWS, f"{ARCHIVE}, CHECK (email <> '{SECRET}'))"),
        deduplicate(archive="gone"),
        'violates check constraint "gone_email_check"',
    ),
    Probe(
        "deduplicate: references that meet",
        (
            TABLE,
            ROWS,
            "CREATE TABLE logins (token varchar PRIMARY KEY, account_id int UNIQUE REFERENCES accounts)",
            "INSERT INTO logins SELECT id || email, id FROM accounts",
        ),
        deduplicate(repoint=True),
        "cannot be deduplicated: the foreign key logins (account_id)",
    ),
    Probe(
        "restore: a unique index in the way",
        (TABLE, ROWS),
        restore(constraint),
        'violates unique constraint "uq_accounts"',
    ),
    Probe(
        "restore: a trigger",
        (TABLE, ROWS, TRIGGER.format(state="raise_exception", row="NEW")),
        restore(lambda operations: operations.execute(ON_INSERT)),
        RAISED,
    ),
    Probe(
        "a constraint below a deduplication",
        ARRIVE,
        deduplicated_and_created,
        ONE_GROUP,
    ),
    Probe("concurrently: duplicates", (TABLE, ROWS), constraint_concurrently, ONE_GROUP),
    Probe("concurrently: a cast", (TABLE, ROWS), concurrently(CAST), BAD_TEXT),
    Probe(
        "concurrently: a cast in the predicate",
        (TABLE, ROWS),
        concurrently("tenant", where="CAST(email AS int) > 0"),
        BAD_TEXT,
    ),
    Probe("concurrently: RAISE", (TABLE, ROWS, RAISES), concurrently(FAILING), RAISED),
    Probe(
        "concurrently: RAISE as a violation",
        (TABLE, ROWS, RAISES_A_VIOLATION),
        concurrently(FAILING),
        "SQLSTATE 23505 (unique_violation)",
    ),
)
