"""One project through everything that sends statements to PostgreSQL, each step the real command."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.cli.commands import guard
from tests.online.revisions import revision
from tests.scenarios.test_names import in_psql

if TYPE_CHECKING:
    from pathlib import Path

    from tests.project import Project

# put beside env.py, Python imports it first: it writes down what each module of ours sends
RECORDER = """
import json, os, sys
from sqlalchemy import event
from sqlalchemy.engine import Engine

@event.listens_for(Engine, "before_cursor_execute", retval=True)
def record(connection, cursor, statement, parameters, context, executemany):
    frame = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "sqlalchemy":
        frame = frame.f_back
    sender = frame.f_globals.get("__name__", "") if frame else ""
    if sender.startswith("alembic_upsert_guard"):
        with open(os.environ["STATEMENTS"], "a") as file:
            file.write(json.dumps(statement) + "\\n")
        statement = "/* from upsert-guard */ " + statement
    return statement, parameters
"""

SCHEMA = """
    CREATE TABLE accounts (id serial PRIMARY KEY, tenant integer NOT NULL, email varchar NOT NULL, kind varchar);
    CREATE SCHEMA app;
    CREATE FUNCTION app.folded(varchar) RETURNS varchar LANGUAGE plpgsql IMMUTABLE
        AS 'BEGIN RETURN $1; END';
    CREATE TABLE orders (id serial PRIMARY KEY, account_id integer NOT NULL REFERENCES accounts (id));
    CREATE TABLE answers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, person integer, question text NOT NULL);
    CREATE TABLE events (id integer NOT NULL, day date NOT NULL, kind text NOT NULL) PARTITION BY RANGE (day);
    CREATE TABLE events_old PARTITION OF events FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
    INSERT INTO accounts (tenant, email, kind)
        VALUES (1, 'a', 'x'), (1, 'a', 'y'), (2, 'b', 'x'), (3, 'c', NULL), (4, 'c', 'x');
    INSERT INTO orders (account_id) SELECT id FROM accounts;
    INSERT INTO answers (person, question) SELECT n, 'q' FROM generate_series(1, 100) AS n;
    CREATE UNIQUE INDEX uq_wrong ON answers (person) WHERE question = 'q';
    INSERT INTO events VALUES (1, '2020-02-02', 'x');
    CREATE FUNCTION save(who integer) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO accounts (tenant, email) VALUES (who, 'x') ON CONFLICT (tenant, email) DO NOTHING;
    END $$;
"""

# what users wrote is looked up under their path, so they name it with its schema here
MODELS = """
    class Account(Base):
        __tablename__ = "accounts"
        __table_args__ = (
            UpsertKey("tenant", "email"),
            UpsertKey("email", where=text("kind IS NULL")),
            UpsertKey(text("app.folded(email)"), "tenant", name="uq_folded"),
        )
        id: Mapped[int] = mapped_column(primary_key=True)
        tenant: Mapped[int]
        email: Mapped[str]
        kind: Mapped[str | None]

    class Answer(Base):
        __tablename__ = "answers"
        __table_args__ = (UpsertKey("person", "question", nulls="forbid"),)
        id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
        person: Mapped[int | None]
        question: Mapped[str] = mapped_column(Text)

    class Event(Base):
        __tablename__ = "events"
        __table_args__ = (UpsertKey("id", "day"), {"postgresql_partition_by": "RANGE (day)"})
        __mapper_args__ = {"primary_key": ["id", "day"]}
        id: Mapped[int]
        day: Mapped[__import__("datetime").date]
        kind: Mapped[str] = mapped_column(Text)
"""

FIX = (
    "op.deduplicate_upsert_key('accounts', ['tenant', 'email'], keep='last', order_by=['id'], "
    "archive_table='accounts_duplicates', repoint=True)"
)


def prepare(project: Project) -> Path:
    """The schema, the models, and the file that takes the statements."""
    project.sql(SCHEMA)
    project.models(MODELS)
    project.edit(
        "models.py",
        "pass",
        'metadata = MetaData(); orders = Table("orders", metadata, '
        'Column("id", Integer, primary_key=True), '
        'Column("account_id", ForeignKey("accounts.id"), nullable=False))',
    )
    (project.path / "sitecustomize.py").write_text(RECORDER)
    statements = project.path / "statements.jsonl"
    statements.touch()
    project.environment["STATEMENTS"] = str(statements)
    return statements


def travel(project: Project, *, concurrently: bool) -> list[str]:
    """Go through it all; return the scripts that were made on the way."""
    hidden = {
        "include_name": "lambda name, kind, parents: name != 'events_old'"
    }  # partitions are no models
    project.configure(**hidden, **({"upsert_guard_concurrently": "True"} if concurrently else {}))
    assert guard(project, "check", "--rows").code == 1
    guard(project, "functions")
    red = project.check()
    assert red.code != 0, red.said
    assert "missing-arbiter" in red.said, red.said
    assert project.alembic("revision", "--autogenerate", "-m", "r").code == 0
    refused = project.alembic("upgrade", "head")
    assert "1 duplicate group" in refused.said, refused.said
    first = "op.validate_upsert_key('accounts', ['tenant', 'email']"
    written = sorted((project.path / "migrations" / "versions").glob("*.py"))
    (path,) = [path for path in written if first in path.read_text()]
    line = next(each for each in path.read_text().splitlines() if each.strip().startswith(first))
    indent = line[: len(line) - len(line.lstrip())]
    text = path.read_text().replace(line, f"{indent}{FIX}\n{line}")
    verify = f"{indent}op.verify_upsert_key('accounts', ['tenant', 'email'])\n"
    text = text.replace("\n\n\ndef downgrade():\n", f"\n{verify}\n\ndef downgrade():\n")
    back = "op.restore_deduplicated_rows('accounts', ['tenant', 'email'], archive_table='accounts_duplicates')"
    path.write_text(f"{text.rstrip()}\n    {back}\n")
    script = project.alembic("upgrade", "head", "--sql")
    assert script.code == 0, script.said
    project.upgrade()
    clean = project.check()
    assert clean.code == 0, clean.said
    clean = guard(project, "check", "--rows")
    assert clean.code == 0, clean.said
    for _ in written:
        project.downgrade()
    undone = project.alembic("upgrade", "head", "--sql")
    if not concurrently:  # a script knows no partitions, and refuses them
        project.sql("DROP TABLE alembic_version")  # base has none, as far as a script knows
        ran = in_psql(
            project,
            undone.out.replace(
                "CALL pg_temp.upsert_guard_", "/* from upsert-guard */ CALL pg_temp.upsert_guard_"
            ),
        )
        assert ran.code == 0, ran.said
    return [script.out, undone.out]


def work_on_large_table(project: Project, keyed_by: str) -> None:
    """An index over new rows, batches, a build, and back; then a column of the key is dropped.

    :param keyed_by: of which type the column is that grows.
    """
    project.sql(
        f"CREATE TABLE marks (id serial PRIMARY KEY, grows {keyed_by}, k integer, s varchar)",
        "ALTER TABLE marks ADD up integer REFERENCES marks",
        "CREATE TABLE remarks (mark integer REFERENCES marks DEFERRABLE)",
        f"INSERT INTO marks (grows, k, s) SELECT {_GROWING[keyed_by]}, pg_catalog.mod(n, 2), 'a' "
        "FROM pg_catalog.generate_series(1, 9) AS n",
        "INSERT INTO remarks SELECT id FROM marks",
    )
    key = "'marks', ['k', sa.text('pg_catalog.lower(s)')]"
    revision(
        project,
        f"""
        op.create_unique_index_concurrently('uq_new', {key}, new_rows_by='grows')
        op.deduplicate_upsert_key(
            {key}, keep='last', order_by=['k'], archive_table='gone', repoint=True, batch_size=2, max_lag=60
        )
        op.create_unique_index_concurrently('uq_marks', {key}, attempts_on_duplicates=2)
        op.drop_unique_index_concurrently('uq_new', 'marks')
        op.verify_upsert_key({key})
        """,
        f"""
        op.drop_unique_index_concurrently('uq_marks', 'marks')
        op.restore_deduplicated_rows({key}, archive_table='gone')
        """,
    )
    project.upgrade()
    project.downgrade()
    project.upgrade()
    revision(project, "op.drop_column('marks', 'k')", number=2)
    project.upgrade()


_GROWING = {
    "integer": "n",
    "timestamptz": "pg_catalog.to_timestamp(n)",
}


def recorded(statements: Path) -> list[str]:
    """Each statement of ours once."""
    return list(dict.fromkeys(json.loads(line) for line in statements.read_text().splitlines()))
