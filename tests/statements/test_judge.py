"""What the database at hand makes of what a server recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import NullPool, create_engine

from alembic_upsert_guard.findings import FindingCode
from alembic_upsert_guard.upserts.scan.sql.executed import executed_upserts
from alembic_upsert_guard.upserts.statements.judge import judge_recorded
from alembic_upsert_guard.upserts.statements.recorded import Occurrence, add_up
from alembic_upsert_guard.upserts.upsert import Place, Resolution

if TYPE_CHECKING:
    from alembic_upsert_guard.upserts.upsert import JudgedUpsert

NOWHERE = Place(path=None, line=None)
IN_LOG = Place(path="server.csv", line=7)


def judged(url: str, ddl: str, sql: str, *, place: Place = NOWHERE) -> JudgedUpsert:
    """What a database of this DDL makes of one recorded statement."""
    occurrences = [Occurrence(upsert=each, calls=3, place=place) for each in executed_upserts(sql)]
    recorded = add_up(occurrences, is_normalized=place is NOWHERE)
    with create_engine(url, poolclass=NullPool).connect() as connection:
        connection.exec_driver_sql(ddl)
        (answer,) = judge_recorded(connection, recorded).values()
    return answer


def said(answer: JudgedUpsert) -> str:
    return " ".join(f"{each.fact}. {each.hint}" for each in answer.findings)


UPSERT = "INSERT INTO account (email) VALUES ($1) ON CONFLICT {} DO NOTHING"
TABLE = "CREATE TABLE account (id int PRIMARY KEY, email text, status text, payload jsonb); "
EMAIL = "CREATE UNIQUE INDEX uq_email ON account (email); "
ACTIVE = "CREATE UNIQUE INDEX uq_active ON account (email) WHERE status = 'active'; "
CLOSED = "CREATE UNIQUE INDEX uq_closed ON account (email) WHERE status = 'closed'; "
PAYLOAD = "CREATE UNIQUE INDEX uq_payload ON account ((payload->>'id')); "
KEY = "CREATE UNIQUE INDEX uq_key ON account ((payload->>'key')); "


def test_an_upsert_with_its_arbiter_names_it(url: str) -> None:
    """Which arbiter production uses has an answer."""
    answer = judged(url, TABLE + EMAIL, UPSERT.format("(email)"))

    assert (answer.resolution, answer.arbiters) == (Resolution.SERVED, ("uq_email",))


def test_an_upsert_without_its_arbiter_is_unserved(url: str) -> None:
    """The finding says how often it ran, and has no place."""
    answer = judged(url, TABLE, UPSERT.format("(email)"))

    assert answer.resolution is Resolution.UNSERVED
    assert "that ran 3 times fails with 42P10" in said(answer)
    assert answer.findings[0].location is None


@pytest.mark.parametrize(
    ("target", "indexes", "resolution", "arbiters"),
    [
        ("(email) WHERE status = $2", ACTIVE, Resolution.SERVED, ("uq_active",)),
        ("(email) WHERE status = $2", EMAIL, Resolution.SERVED, ("uq_email",)),
        ("(email) WHERE status = $2", ACTIVE + CLOSED, Resolution.UNRESOLVED, ()),
        ("(email) WHERE status <> $2", ACTIVE, Resolution.UNRESOLVED, ()),
        ("(email) WHERE status = $2", "", Resolution.UNSERVED, ()),
        ("((payload->>$2))", PAYLOAD, Resolution.SERVED, ("uq_payload",)),
        ("((payload->>$2))", PAYLOAD + KEY, Resolution.UNRESOLVED, ()),
        ("((payload->$2))", PAYLOAD, Resolution.UNRESOLVED, ()),
    ],
)
def test_a_lost_value_is_that_of_the_only_index_that_it_can_be_of(
    url: str, target: str, indexes: str, resolution: Resolution, arbiters: tuple[str, ...]
) -> None:
    """The statistics have ``$2`` for a literal: one index of its shape tells it, two do not."""
    answer = judged(url, TABLE + indexes, UPSERT.format(target))

    assert (answer.resolution, answer.arbiters) == (resolution, arbiters)


def test_a_deferrable_constraint_is_told_by_its_sqlstate(url: str) -> None:
    """The same rules as for code: it is inferred, and refuses."""
    ddl = TABLE + "ALTER TABLE account ADD CONSTRAINT uq_late UNIQUE (email) DEFERRABLE"

    assert "fails with 55000" in said(judged(url, ddl, UPSERT.format("(email)")))


def test_a_name_without_a_schema_is_looked_up_in_all(url: str) -> None:
    """The search path of the program is not known: the only schema with such a table is meant."""
    ddl = "CREATE SCHEMA shop; CREATE TABLE shop.account (email text CONSTRAINT uq_shop UNIQUE)"

    answer = judged(url, ddl, UPSERT.format("(email)"))

    assert (answer.resolution, answer.arbiters) == (Resolution.SERVED, ("uq_shop",))
    assert answer.upsert.schema == "shop"


def test_schemas_that_disagree_leave_it_open(url: str) -> None:
    """One of them serves the upsert, and which one was meant is not known."""
    ddl = TABLE + "CREATE SCHEMA shop; CREATE TABLE shop.account (email text UNIQUE)"

    answer = judged(url, ddl, UPSERT.format("(email)"))

    assert answer.resolution is Resolution.UNRESOLVED
    assert "shop would serve it and public would not" in said(answer)


def test_schemas_that_agree_answer_for_each_other(url: str) -> None:
    """Whichever is meant, the upsert is served."""
    ddl = TABLE + EMAIL + "CREATE SCHEMA shop; CREATE TABLE shop.account (email text UNIQUE)"

    answer = judged(url, ddl, UPSERT.format("(email)"))

    assert answer.resolution is Resolution.SERVED
    assert answer.upsert.schema is None


def test_a_schema_that_is_named_is_the_only_one(url: str) -> None:
    """The twin: the statement says which table it is into."""
    ddl = TABLE + "CREATE SCHEMA shop; CREATE TABLE shop.account (email text UNIQUE)"
    sql = UPSERT.format("(email)").replace("account", "public.account")

    assert judged(url, ddl, sql).resolution is Resolution.UNSERVED


def test_a_table_that_is_not_there_is_unresolved(url: str) -> None:
    """It was temporary, or is dropped since: the record is of the past."""
    answer = judged(url, "SELECT 1", UPSERT.format("(email)"))

    assert answer.resolution is Resolution.UNRESOLVED
    assert "no table account is in the database" in said(answer)


def test_a_literal_of_the_log_is_judged_and_not_shown(url: str) -> None:
    """The server knew it, and so does the judge; the report does not have it."""
    served = judged(
        url, TABLE + ACTIVE, UPSERT.format("(email) WHERE status = 'active'"), place=IN_LOG
    )
    refused = judged(
        url, TABLE + ACTIVE, UPSERT.format("(email) WHERE status = 's3cret'"), place=IN_LOG
    )

    assert served.resolution is Resolution.SERVED
    assert refused.resolution is Resolution.UNSERVED
    assert refused.upsert.where == "status = $1"
    assert "s3cret" not in repr(refused)


def test_a_parameter_of_the_log_was_bound(url: str) -> None:
    """A plan for any value finds no partial index: the one that differs in a value is no answer."""
    target = UPSERT.format("(email) WHERE status = $2")

    answer = judged(url, TABLE + ACTIVE, target, place=IN_LOG)

    assert answer.resolution is Resolution.UNSERVED
    assert [each.code for each in answer.findings] == [FindingCode.BOUND_PREDICATE]
    assert "its predicate compares with a bound value" in said(answer)


def test_a_bound_value_does_not_matter_where_any_is_served(url: str) -> None:
    """The twin: an index without a predicate serves the upsert today, whatever is bound."""
    target = UPSERT.format("(email) WHERE status = $2")

    assert judged(url, TABLE + EMAIL, target, place=IN_LOG).resolution is Resolution.SERVED


def test_equal_upserts_are_one(url: str) -> None:
    """Their calls are added up, whatever the rows and the action are."""
    one = "INSERT INTO account (email) VALUES ($1) ON CONFLICT (email) DO NOTHING"
    other = "INSERT INTO account VALUES ($1), ($2) ON CONFLICT (email) DO UPDATE SET status = $3"

    assert judged(url, TABLE, f"{one}; {other}").upsert.calls == 6
