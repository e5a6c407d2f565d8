"""Upserts whose schema only a run knows: what is reported, and where nothing is taken for known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from alembic_upsert_guard.upserts.declared import DeclaredTable, DeclaredTables
from alembic_upsert_guard.upserts.scan import Resolution, scan
from alembic_upsert_guard.upserts.target import NamedTable, TextInPart, Unread

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from alembic_upsert_guard.upserts.scan import JudgedUpsert, ScanReport

UPSERT = """\
def save(cursor, settings):
    cursor.execute(f"INSERT INTO {settings.schema}.entries (number) VALUES (1) ON CONFLICT (number) DO NOTHING")
"""

RUN_TIME = "the schema is a value of run time"


def tables(*schemas: str | None, name: str = "users") -> DeclaredTables:
    """Models that have the table in each schema."""
    return DeclaredTables(
        tuple(
            DeclaredTable(schema, name, columns=(("id", "id"),), primary_key=("id",))
            for schema in schemas
        )
    )


def only(report: ScanReport) -> tuple[JudgedUpsert, str | None]:
    """The one upsert, and the fact that is reported of it."""
    (judged,) = report.upserts
    facts = [finding.fact for finding in report.findings]
    assert len(facts) < 2
    return judged, facts[0] if facts else None


def test_a_declared_key_of_the_only_table_is_its_own(scanned: Callable[..., ScanReport]) -> None:
    """There is nothing to report, and the site names the schema of the models."""
    judged, fact = only(scanned(service_py=UPSERT))

    assert judged.resolution is Resolution.DECLARED
    assert (judged.upsert.schema, fact) == ("ledger", None)


def test_a_finding_says_how_the_table_was_found(scanned: Callable[..., ScanReport]) -> None:
    """The schema is a value of run time."""
    judged, fact = only(scanned(service_py=UPSERT.replace("(number) DO", "(id, number) DO")))

    assert judged.resolution is Resolution.UNDECLARED
    assert fact is not None
    assert fact.endswith(
        f"; {RUN_TIME}, and ledger.entries is the only table of that name in the models"
    )


def test_a_finding_of_a_schema_that_is_written_says_nothing_of_it(
    scanned: Callable[..., ScanReport],
) -> None:
    """The twin."""
    written = UPSERT.replace("{settings.schema}", "ledger").replace(
        "(number) DO", "(id, number) DO"
    )
    _, fact = only(scanned(service_py=written))

    assert fact is not None
    assert "run time" not in fact


@pytest.mark.parametrize(
    ("table", "fact"),
    [
        (
            "batches",
            f"{RUN_TIME}, and the models have several tables of that name: ledger.batches, archive.batches",
        ),
        ("nothing", f"{RUN_TIME}, and no model has a table nothing"),
        ('"Entries"', "whether Entries is the declared table ledger.entries is not known"),
        (
            '"Batches"',
            "whether Batches is one of the declared tables ledger.batches, archive.batches is not known",
        ),
    ],
)
def test_what_may_be_several_tables_or_none_is_unresolved(
    scanned: Callable[..., ScanReport], table: str, fact: str
) -> None:
    """With the reason; the name that is read is shown."""
    source = UPSERT.replace('f"', "f'''").replace('NOTHING"', "NOTHING'''")
    judged, found = only(scanned(service_py=source.replace("entries", table)))

    assert judged.resolution is Resolution.UNRESOLVED
    assert (judged.upsert.schema, judged.upsert.table_name) == ("?", table.strip('"'))
    assert found == fact


def test_a_table_without_a_schema_may_be_each_of_several(
    scanned: Callable[..., ScanReport],
) -> None:
    """All are named, and not the first one only."""
    _, fact = only(scanned(service_py=UPSERT.replace("{settings.schema}.entries", "batches")))

    assert (
        fact
        == "whether batches is one of the declared tables ledger.batches, archive.batches is not known"
    )


def test_a_migration_met_a_table_of_a_schema_that_is_not_known(tmp_path: Path) -> None:
    """What the migrations before it make in the default schema is not what it met."""
    (tmp_path / "migrations").mkdir()
    for number, sql in enumerate(
        (
            "CREATE TABLE entries (number int UNIQUE);",
            'INSERT INTO "${schema}".entries (number) VALUES (1) ON CONFLICT (number) DO NOTHING;',
            "INSERT INTO entries (number) VALUES (1) ON CONFLICT (number) DO NOTHING;",
        )
    ):
        (tmp_path / "migrations" / f"000{number}_x.sql").write_text(sql)

    report = scan([tmp_path], None)

    assert [str(judged.resolution) for judged in report.upserts] == ["unresolved", "served"]
    assert report.findings[0].fact == "the schema of entries is put in at run time"


@pytest.mark.parametrize(
    ("schemas", "schema", "found"),
    [
        (("crm",), Unread("?"), ["crm"]),
        ((None,), Unread("?"), [None]),
        (("crm", None), Unread("?"), ["crm", None]),
        (("crm", "hr"), TextInPart("?", begins="c"), ["crm"]),
        (("crm", "hr"), TextInPart("?", ends="r"), ["hr"]),
        (("crm", "hr"), TextInPart("?", begins="c", ends="r"), []),
        (("crm",), TextInPart("?", begins="cr", ends="rm"), []),
        ((None, "hr"), TextInPart("?", begins="c"), [None]),
        (("crm", "hr"), "crm", ["crm"]),
        (("crm", None), None, [None]),
        (("public", "crm"), None, ["public"]),
    ],
)
def test_which_tables_a_name_may_mean(
    schemas: tuple[str | None, ...], schema: str | Unread | None, found: list[str | None]
) -> None:
    """All of its name that the schema may be; a table without one is in whichever schema the connection is."""
    among = NamedTable("users", schema).among(tables(*schemas))

    assert [table.schema for table in among] == found


@pytest.mark.parametrize(
    ("parts", "begins", "ends"),
    [
        (("a", Unread("?"), "b"), "a", "b"),
        (("a", "b", Unread("?")), "ab", ""),
        ((Unread("?"), "x", Unread("?"), "b"), "", "b"),
        (("a", TextInPart("?", begins="b", ends="c"), "d"), "ab", "cd"),
        (("a", TextInPart("?", begins="b"), Unread("?"), "d"), "ab", "d"),
    ],
)
def test_how_a_text_begins_and_ends_of_which_a_part_is_unread(
    parts: tuple[str | Unread, ...], begins: str, ends: str
) -> None:
    """What is between does not count."""
    made = TextInPart.of(parts)

    assert isinstance(made, TextInPart)
    assert (made.begins, made.ends) == (begins, ends)


def test_a_text_of_which_nothing_is_unread_is_none_in_part() -> None:
    """And one of which nothing is written is unread as a whole."""
    whole = Unread("?")

    assert TextInPart.of(["a", "b"]) is None
    assert TextInPart.of([whole]) is whole
