"""Failures that other projects had in production: each is seen in the schema they had, and gone once mended.

Named after the issue it was told in. The schema is cut down to the key and what the key is about.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import (
    Boolean,
    Column,
    Date,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
    text,
)
from sqlalchemy.dialects.postgresql import insert

from alembic_upsert_guard import UpsertKey, conflict_target
from alembic_upsert_guard.catalog import TableName
from alembic_upsert_guard.migration.context import LOGGER
from alembic_upsert_guard.rows import RowsOfKey, read_rows
from alembic_upsert_guard.verdict.check import check_keys
from alembic_upsert_guard.verdict.inspected import inspect_keys

if TYPE_CHECKING:
    from alembic_upsert_guard.findings import RowsReport
    from tests.rules.answers import PostgreSQLRules


@dataclass
class Guard:
    """The guard on one database, and what it says of a model."""

    pg: PostgreSQLRules
    caplog: pytest.LogCaptureFixture

    def has(self, *ddl: str) -> None:
        """The database as it was."""
        self.pg.given(*ddl)

    def then(self, *ddl: str) -> None:
        """What happens to it next."""
        for statement in ddl:
            self.pg.connection.exec_driver_sql(statement)

    def sees(self, table: Table, *codes: str, answer: str = "42P10") -> None:
        """The upsert fails, the key is not served, and autogenerate says why."""
        assert self.upserts(table) == answer
        assert not self._is_served(table)
        assert self.told(table) == set(codes)

    def is_content(self, table: Table) -> None:
        """The upsert works, the key is served, and autogenerate has nothing to say or to do."""
        assert self.upserts(table) == "ok"
        assert self._is_served(table)
        assert self.told(table) == set()
        assert compare_metadata(self._context(), table.metadata) == []

    def upserts(self, table: Table) -> str:
        """The answer to the statement that the application sends."""
        values = {column.name: _SOME[type(column.type)] for column in table.columns}
        upsert = insert(table).values(values).on_conflict_do_nothing(**conflict_target(table))
        return self.pg.attempt(str(upsert.compile(self.pg.connection)))

    def told(self, table: Table) -> set[str]:
        """The codes that autogenerate logs."""
        self.caplog.clear()
        with self.caplog.at_level(logging.INFO, LOGGER):
            compare_metadata(self._context(), table.metadata)
        said = [r.getMessage() for r in self.caplog.records if r.name == LOGGER]
        first_words = {line.removeprefix("Detected ").split()[0].rstrip(":") for line in said}
        return {word for word in first_words if "-" in word}

    def rows(self, table: Table) -> RowsReport:
        """The preflight."""
        (key,) = inspect_keys(self.pg.connection, [table])[table]
        name = TableName(table.schema, table.name)
        # as declared: that is what a revision checks
        rows_of_key = RowsOfKey(
            table=name, target=key.declaration.target, nulls=key.declaration.nulls
        )
        return read_rows(self.pg.connection, rows_of_key, sample=5, reveal=True)

    def _is_served(self, table: Table) -> bool:
        (key,) = check_keys(self.pg.connection, [table.metadata], rows=False).keys
        return key.verdict.value == "satisfied"

    def _context(self) -> MigrationContext:
        return MigrationContext.configure(self.pg.connection)


_SOME: dict[Any, Any] = {
    Boolean: literal_column("true"),
    Date: literal_column("'2026-01-31'"),
    Integer: literal_column("1"),
    String: literal_column("'x'"),
    Text: literal_column("'x'"),
}
"""A value of each type."""


@pytest.fixture
def guard(pg: PostgreSQLRules, caplog: pytest.LogCaptureFixture) -> Guard:
    """A guard on a database of this test's."""
    return Guard(pg, caplog)


def model(name: str, *items: Any) -> Table:
    """A table of a model, alone in its metadata."""
    return Table(name, MetaData(), *items)


def key_column(name: str, kind: Any = Text) -> Column[Any]:
    """A column that cannot be NULL."""
    return Column(name, kind, nullable=False)


def test_learn_to_cloud_432(guard: Guard) -> None:
    """The upsert's predicate is not the index's; rows that were never cleaned up stop the index that would do."""
    jobs = model(
        "verification_jobs",
        key_column("user_id", Integer),
        key_column("requirement_id"),
        key_column("status"),
        Column("result_submission_id", Integer),
        UpsertKey("user_id", "requirement_id", where=text("result_submission_id IS NULL")),
    )
    guard.has(
        "CREATE TABLE verification_jobs (user_id int NOT NULL, requirement_id text NOT NULL,"
        " status text NOT NULL, result_submission_id int)",
        "CREATE UNIQUE INDEX uq_verification_jobs_active_user_requirement"
        " ON verification_jobs (user_id, requirement_id) WHERE status IN ('queued', 'running')",
        "INSERT INTO verification_jobs SELECT 1, 'r', 'failed' FROM generate_series(1, 11)",
    )
    guard.sees(jobs, "predicate-mismatch", "arbiter-removed")
    found = guard.rows(jobs)
    assert (found.refuses, found.groups, found.surplus) == (True, 1, 10)

    guard.then(
        "DELETE FROM verification_jobs",
        "DROP INDEX uq_verification_jobs_active_user_requirement",
        "CREATE UNIQUE INDEX uq_verification_jobs_active_user_requirement_v2"
        " ON verification_jobs (user_id, requirement_id) WHERE result_submission_id IS NULL",
    )
    assert not guard.rows(jobs).refuses
    assert guard.upserts(jobs) == "ok"
    guard.is_content(jobs)


@pytest.mark.parametrize(
    "elements",
    [("source_id",), ("source_id", "target_id")],
    ids=["sprintable_4428", "asyncpg_1137"],
)
def test_bound_predicates(guard: Guard, elements: tuple[str, ...]) -> None:
    """With a bound value the upsert fails once its plan is generic; conflict_target() binds none."""
    form = Column("form", Text, nullable=False)
    references = model(
        "entity_references",
        key_column("source_id"),
        key_column("target_id"),
        form,
        UpsertKey(*elements, where=form != "proof"),
    )
    listed = ", ".join(elements)
    guard.has(
        "CREATE TABLE entity_references (source_id text NOT NULL, target_id text NOT NULL, form text NOT NULL)",
        f"CREATE UNIQUE INDEX uq ON entity_references ({listed})",
        "SET LOCAL plan_cache_mode = force_generic_plan",
    )
    # a full index would do, and is not what the key promises about its rows: Alembic drops it
    assert guard.upserts(references) == "ok"
    assert guard.told(references) == {"missing-arbiter", "arbiter-removed"}

    guard.then(
        "DROP INDEX uq",
        f"CREATE UNIQUE INDEX uq_non_proof ON entity_references ({listed}) WHERE form <> 'proof'",
    )
    guard.is_content(references)
    upsert = insert(references).values(source_id="s", target_id="t", form="f")
    sent = str(
        upsert.on_conflict_do_nothing(**conflict_target(references)).compile(
            guard.pg.connection, compile_kwargs={"literal_binds": True}
        )
    )
    assert "'proof'" in sent
    guard.then(f"PREPARE literal AS {sent}")
    guard.then(f"PREPARE bound (text) AS {sent.replace(chr(39) + 'proof' + chr(39), '$1')}")
    assert guard.pg.attempt("EXECUTE literal") == "ok"
    assert guard.pg.attempt("EXECUTE bound ('proof')") == "42P10"


def test_aleph_3058(guard: Guard) -> None:
    """The model has the constraint, one table of many lost it in a move, and create() never repairs."""
    entities = model(
        "ftm_dataset",
        key_column("id"),
        key_column("origin"),
        key_column("fragment"),
        UniqueConstraint("id", "origin", "fragment", name="ftm_dataset_key"),
        UpsertKey("id", "origin", "fragment"),
    )
    guard.has(
        "CREATE TABLE ftm_dataset (id text NOT NULL, origin text NOT NULL, fragment text NOT NULL)"
    )
    entities.metadata.create_all(guard.pg.connection, checkfirst=True)
    guard.sees(entities, "missing-arbiter")

    guard.then(
        "ALTER TABLE ftm_dataset ADD CONSTRAINT ftm_dataset_key UNIQUE (id, origin, fragment)"
    )
    guard.is_content(entities)


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("user_ips", ("user_id", "access_token", "ip")),
        ("device_lists_remote_cache", ("user_id", "device_id")),
        ("user_directory", ("user_id",)),
    ],
    ids=["synapse_4877_ips", "synapse_4877_devices", "synapse_9282"],
)
def test_synapse(guard: Guard, name: str, columns: tuple[str, ...]) -> None:
    """A port of the rows leaves out the unique indexes that a background job was to build."""
    table = model(name, *map(key_column, columns), UpsertKey(*columns, as_index=True))
    guard.has(f"CREATE TABLE {name} ({', '.join(f'{c} text NOT NULL' for c in columns)})")
    guard.sees(table, "missing-arbiter")

    guard.then(f"CREATE UNIQUE INDEX {name}_unique_index ON {name} ({', '.join(columns)})")
    guard.is_content(table)


PAGES = "CREATE TABLE pages (brain_id int NOT NULL, source_id int NOT NULL, slug text NOT NULL)"
ON_PAGES = "ALTER TABLE pages ADD CONSTRAINT pages_source_slug_key UNIQUE"


@pytest.mark.parametrize(
    ("ddl", "codes", "answer"),
    [
        ([f"{ON_PAGES} (brain_id, slug)"], "missing-arbiter arbiter-removed", "42P10"),
        ([f"{ON_PAGES} (source_id, slug) DEFERRABLE"], "deferrable-arbiter", "55000"),
        (
            [
                f"{ON_PAGES} (source_id, slug)",
                "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'pages_source_slug_key'::regclass",
            ],
            "invalid-arbiter",
            "42P10",
        ),
        (
            [
                "CREATE SCHEMA old",
                PAGES.replace("pages", "old.pages"),
                ON_PAGES.replace("pages ADD", "old.pages ADD") + " (source_id, slug)",
            ],
            "missing-arbiter",
            "42P10",
        ),
    ],
    ids=["other columns", "deferrable", "invalid", "other schema"],
)
def test_gbrain_550_and_4504(guard: Guard, ddl: list[str], codes: str, answer: str) -> None:
    """The constraint's name is there, and a check by name passes; what it stands for is not there."""
    pages = model(
        "pages",
        key_column("brain_id", Integer),
        key_column("source_id", Integer),
        key_column("slug"),
        UpsertKey("source_id", "slug", name="pages_source_slug_key"),
    )
    guard.has(PAGES, *ddl)
    guard.sees(pages, *codes.split(), answer=answer)

    guard.then(
        "ALTER TABLE pages DROP CONSTRAINT IF EXISTS pages_source_slug_key",
        f"{ON_PAGES} (source_id, slug)",
    )
    guard.is_content(pages)


def test_evolution_api_2152(guard: Guard) -> None:
    """Names in mixed case; the schema for the other database had the key, this one had an index alone."""
    chats = model(
        "Chat",
        key_column("instanceId"),
        key_column("remoteJid"),
        UpsertKey("instanceId", "remoteJid", name="Chat_instanceId_remoteJid_key", as_index=True),
    )
    guard.has(
        'CREATE TABLE "Chat" ("instanceId" text NOT NULL, "remoteJid" text NOT NULL)',
        "CREATE TABLE chat (instanceid text UNIQUE)",
    )
    guard.sees(chats, "missing-arbiter")

    guard.then("DROP TABLE chat")
    guard.then(
        'CREATE UNIQUE INDEX "Chat_instanceId_remoteJid_key" ON "Chat" ("instanceId", "remoteJid")'
    )
    guard.is_content(chats)


def test_chiwei_platform_8(guard: Guard) -> None:
    """The index covers what is active, the upsert names no predicate."""

    def bindings(**predicate: Any) -> Table:
        return model(
            "lane_bindings",
            key_column("route_type"),
            key_column("route_key"),
            key_column("is_active", Boolean),
            UpsertKey("route_type", "route_key", **predicate),
        )

    guard.has(
        "CREATE TABLE lane_bindings (route_type text NOT NULL, route_key text NOT NULL, is_active bool NOT NULL)",
        "CREATE UNIQUE INDEX uq_active ON lane_bindings (route_type, route_key) WHERE is_active = true",
    )
    guard.sees(bindings(), "predicate-mismatch")

    guard.is_content(bindings(where=text("is_active = true")))


def test_akb_581(guard: Guard) -> None:
    """The primary key gave way to a partial index for each arm; the upsert still names columns alone."""
    links = model(
        "links",
        key_column("owner_id", Integer),
        Column("page_id", Integer),
        Column("file_id", Integer),
        UpsertKey("owner_id", "page_id", nulls="distinct"),
    )
    guard.has(
        "CREATE TABLE links (owner_id int NOT NULL, page_id int, file_id int)",
        "CREATE UNIQUE INDEX uq_page ON links (owner_id, page_id) WHERE page_id IS NOT NULL",
        "CREATE UNIQUE INDEX uq_file ON links (owner_id, file_id) WHERE file_id IS NOT NULL",
    )
    guard.sees(links, "predicate-mismatch", "arbiter-removed")

    arms = model(
        "links",
        key_column("owner_id", Integer),
        Column("page_id", Integer),
        Column("file_id", Integer),
        UpsertKey(
            "owner_id",
            "page_id",
            where=text("page_id IS NOT NULL"),
            nulls="distinct",
            name="uq_page",
        ),
    )
    guard.then("DROP INDEX uq_file")
    guard.is_content(arms)


def test_codecov_shared_414(guard: Guard) -> None:
    """Sixteen duplicates in one installation: the migration that adds the key is told of them first."""
    bridge = model(
        "reports_test_results_flag_bridge",
        key_column("test_id"),
        key_column("flag_id", Integer),
        UpsertKey("test_id", "flag_id"),
    )
    guard.has(
        "CREATE TABLE reports_test_results_flag_bridge (test_id text NOT NULL, flag_id int NOT NULL)",
        "INSERT INTO reports_test_results_flag_bridge SELECT 'test', n % 16 FROM generate_series(0, 31) AS n",
        "INSERT INTO reports_test_results_flag_bridge VALUES ('test', 99)",
    )
    guard.sees(bridge, "missing-arbiter")
    found = guard.rows(bridge)
    assert (found.refuses, found.groups, found.surplus) == (True, 16, 16)
    add = "ALTER TABLE reports_test_results_flag_bridge ADD UNIQUE (test_id, flag_id)"
    assert guard.pg.attempt(add) == "23505"

    guard.then(
        "DELETE FROM reports_test_results_flag_bridge a USING reports_test_results_flag_bridge b"
        " WHERE (a.test_id, a.flag_id) = (b.test_id, b.flag_id) AND a.ctid > b.ctid"
    )
    assert not guard.rows(bridge).refuses
    guard.then(add)
    guard.is_content(bridge)


def test_vexa_1186(guard: Guard) -> None:
    """The index on meetings that are not over was never made, as stale rows stood against it."""
    condition = "status NOT IN ('completed', 'failed')"
    meetings = model(
        "meetings",
        key_column("user_id", Integer),
        key_column("platform"),
        key_column("native_id"),
        key_column("status"),
        UpsertKey("user_id", "platform", "native_id", where=text(condition), name="uq_active"),
    )
    guard.has(
        "CREATE TABLE meetings (user_id int NOT NULL, platform text NOT NULL, native_id text NOT NULL,"
        " status text NOT NULL)",
        "INSERT INTO meetings SELECT 1, 'meet', 'abc', 'active' FROM generate_series(1, 4)",
        "INSERT INTO meetings SELECT 1, 'meet', 'old', 'completed' FROM generate_series(1, 4)",
    )
    guard.sees(meetings, "missing-arbiter")
    found = guard.rows(meetings)
    assert (found.refuses, found.groups, found.surplus) == (True, 1, 3)

    guard.then(
        "UPDATE meetings SET status = 'failed'",
        f"CREATE UNIQUE INDEX uq_active ON meetings (user_id, platform, native_id) WHERE {condition}",
    )
    assert not guard.rows(meetings).refuses
    guard.is_content(meetings)


def test_tokscale_910(guard: Guard) -> None:
    """The key grows by a column while the old deployment still upserts on the old one."""
    breakdown = model(
        "daily_breakdown",
        key_column("submission_id"),
        key_column("submitted_device_id"),
        key_column("date", Date),
        UpsertKey("submission_id", "submitted_device_id", "date"),
    )
    guard.has(
        "CREATE TABLE daily_breakdown (submission_id text NOT NULL, submitted_device_id text NOT NULL,"
        " date date NOT NULL)",
        "ALTER TABLE daily_breakdown ADD CONSTRAINT daily_breakdown_key UNIQUE (submission_id, date)",
    )
    guard.sees(breakdown, "missing-arbiter", "arbiter-removed")

    guard.then(
        "ALTER TABLE daily_breakdown DROP CONSTRAINT daily_breakdown_key",
        "ALTER TABLE daily_breakdown ADD UNIQUE (submission_id, submitted_device_id, date)",
    )
    guard.is_content(breakdown)


def test_civitai_3641(guard: Guard) -> None:
    """A constraint that writers still name is about to go: a declared key keeps it, and misses it once it is gone."""
    activity = model(
        "ModActivity",
        key_column("activity"),
        key_column("entityType"),
        key_column("entityId", Integer),
        UpsertKey("activity", "entityType", "entityId"),
    )
    key = '"ModActivity" ADD CONSTRAINT theirs UNIQUE (activity, "entityType", "entityId")'
    guard.has(
        'CREATE TABLE "ModActivity" (activity text NOT NULL, "entityType" text NOT NULL, "entityId" int NOT NULL)',
        f"ALTER TABLE {key}",
    )
    guard.is_content(activity)

    guard.then('ALTER TABLE "ModActivity" DROP CONSTRAINT theirs')
    guard.sees(activity, "missing-arbiter")


def test_hypothesis_3495(guard: Guard) -> None:
    """Nothing fails: two columns of the key can be NULL, and such rows double."""

    def uris(*, nullable: bool = True) -> Table:
        return model(
            "document_uri",
            key_column("claimant_normalized"),
            key_column("uri_normalized"),
            Column("type", Text, nullable=nullable),
            Column("content_type", Text, nullable=nullable),
            UpsertKey("claimant_normalized", "uri_normalized", "type", "content_type"),
        )

    guard.has(
        "CREATE TABLE document_uri (claimant_normalized text NOT NULL, uri_normalized text NOT NULL,"
        " type text, content_type text,"
        " UNIQUE (claimant_normalized, uri_normalized, type, content_type))",
        "INSERT INTO document_uri VALUES ('c', 'u', NULL, NULL), ('c', 'u', NULL, NULL)",
    )
    assert guard.upserts(uris()) == "ok"
    assert guard.told(uris()) == {"nullable-key"}
    assert guard.rows(uris()).null_rows == 2

    guard.then(
        "DELETE FROM document_uri",
        "ALTER TABLE document_uri ALTER type SET NOT NULL, ALTER content_type SET NOT NULL",
    )
    assert guard.rows(uris(nullable=False)).null_rows == 0
    guard.is_content(uris(nullable=False))


def test_icinga_core_86(guard: Guard) -> None:
    """KEY is not UNIQUE KEY. On MySQL that inserts in silence; here it fails."""
    hosts = model(
        "icinga_hosts",
        key_column("instance_id", Integer),
        key_column("host_object_id", Integer),
        UpsertKey("instance_id", "host_object_id", as_index=True),
    )
    guard.has(
        "CREATE TABLE icinga_hosts (instance_id int NOT NULL, host_object_id int NOT NULL)",
        "CREATE INDEX theirs ON icinga_hosts (instance_id, host_object_id)",
    )
    # the plain index is Alembic's to drop: no model has it
    guard.sees(hosts, "missing-arbiter")

    guard.then(
        "DROP INDEX theirs",
        "CREATE UNIQUE INDEX theirs ON icinga_hosts (instance_id, host_object_id)",
    )
    guard.is_content(hosts)


def test_ctms_api_832(guard: Guard) -> None:
    """The constraint's migration broke on pending records that were queued twice."""
    pending = model(
        "pending_acoustic",
        Column("id", Integer, primary_key=True, autoincrement=False),
        key_column("email_id", String),
        UpsertKey("email_id", name="uix_pr_email_id"),
    )
    guard.has(
        "CREATE TABLE pending_acoustic (id int PRIMARY KEY, email_id varchar NOT NULL)",
        "INSERT INTO pending_acoustic VALUES (1, 'x'), (2, 'x'), (3, 'y')",
    )
    guard.sees(pending, "missing-arbiter")
    found = guard.rows(pending)
    assert (found.refuses, found.groups) == (True, 1)
    assert found.sample[0].identities == ((1,), (2,))

    guard.then(
        "DELETE FROM pending_acoustic WHERE id = 1",
        "ALTER TABLE pending_acoustic ADD CONSTRAINT uix_pr_email_id UNIQUE (email_id)",
    )
    assert not guard.rows(pending).refuses
    guard.is_content(pending)


def test_freehire_2165(guard: Guard) -> None:
    """The build died with the session; IF NOT EXISTS then takes the INVALID index for done."""
    users = model(
        "users",
        key_column("talent_network_public_id"),
        UpsertKey("talent_network_public_id", name="users_public_id", as_index=True),
    )
    build = "CREATE UNIQUE INDEX IF NOT EXISTS users_public_id ON users (talent_network_public_id)"
    guard.has(
        "CREATE TABLE users (talent_network_public_id text NOT NULL)",
        build,
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'users_public_id'::regclass",
        build,
    )
    guard.sees(users, "invalid-arbiter")

    guard.then("DROP INDEX users_public_id", build)
    guard.is_content(users)
