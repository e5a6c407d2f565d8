"""A folder of TypeScript in several libraries against PostgreSQL: one upsert of each is broken, and fails in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic_upsert_guard.upserts.code import CheckedCode
from alembic_upsert_guard.upserts.scan import scan
from tests.served.judging import statements_in

if TYPE_CHECKING:
    from tests.served.judging import Database

DDL = (
    "CREATE TABLE users (id int PRIMARY KEY, tenant int, email text, deleted_at timestamptz)",
    "CREATE UNIQUE INDEX users_email ON users (email) WHERE deleted_at IS NULL",
    "CREATE TABLE tags (id int PRIMARY KEY, account_id int, name text, UNIQUE (account_id, name))",
)

FILES = {
    "db/schema.ts": """\
import { integer, pgTable, text, timestamp } from 'drizzle-orm/pg-core';
export const users = pgTable('users', {
  id: integer().primaryKey(),
  email: text('email'),
  deletedAt: timestamp('deleted_at'),
});
export const tags = pgTable('tags', { accountId: integer('account_id'), name: text('name') });
""",
    "drizzle.ts": """\
import { isNull } from 'drizzle-orm';
import { tags, users } from './db/schema';
await db.insert(tags).values(row).onConflictDoNothing({ target: [tags.accountId, tags.name] });
await db.insert(users).values(row).onConflictDoNothing({ target: users.email, where: isNull(users.deletedAt) });
await db.insert(users).values(row).onConflictDoUpdate({ target: users.email, set });
""",
    "kysely.ts": """\
await db.insertInto('tags').values(row).onConflict((oc) => oc.columns(['account_id', 'name']).doNothing()).execute();
await db.insertInto('tags').values(row).onConflict((oc) => oc.column('name').doNothing()).execute();
""",
    "pages/Save.vue": """\
<template><button @click="save">save</button></template>
<script setup lang="ts">
const save = () => supabase.from('tags').upsert(rows, { onConflict: 'account_id,name' });
const broken = () => supabase.from('tags').upsert(rows, { onConflict: 'account_id' });
</script>
""",
    "sql.ts": """\
await sql`INSERT INTO tags ${sql(row)} ON CONFLICT (account_id, name) DO NOTHING`;
await pool.query(
  `INSERT INTO users (id, tenant, email) VALUES ($1, $2, $3)
   ON CONFLICT (tenant, email) DO NOTHING`,
  [1, 2, 'a'],
);
""",
}

BROKEN = {
    ("drizzle.ts", 5): "INSERT INTO users (id) VALUES (1) ON CONFLICT (email) DO NOTHING",
    ("kysely.ts", 2): "INSERT INTO tags (id) VALUES (1) ON CONFLICT (name) DO NOTHING",
    ("pages/Save.vue", 4): "INSERT INTO tags (id) VALUES (1) ON CONFLICT (account_id) DO NOTHING",
    ("sql.ts", 4): "INSERT INTO users (id) VALUES (1) ON CONFLICT (tenant, email) DO NOTHING",
}
"""Place, and the same upsert in SQL."""


def checked(database: Database) -> CheckedCode:
    for name, source in FILES.items():
        path = database.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
    code = CheckedCode(scan([database.folder], None), None)
    with database.engine.connect() as connection:
        code.judge(connection)
    return code


def test_each_library_is_judged_at_its_line(database: Database) -> None:
    """What fails in PostgreSQL is an error in its file and line, and nothing else is reported."""
    database.run(*DDL)
    code = checked(database)

    found = {
        (str(f.location.path).removeprefix(f"{database.folder}/"), f.location.line): f.code
        for f in code.findings()
        if f.location is not None
    }

    assert len(code.upserts) == 9
    assert found == dict.fromkeys(BROKEN, "unserved-upsert")
    assert {database.answer(statement) for statement in BROKEN.values()} == {"42P10"}


def test_what_the_hints_say_to_run_serves_them(database: Database) -> None:
    """The SQL of all hints, run, leaves nothing to report; the real upserts pass."""
    database.run(*DDL)
    hints = [finding.hint for finding in checked(database).findings()]

    for hint in hints:
        database.run(*statements_in(hint))

    assert checked(database).findings() == []
    assert {database.answer(statement) for statement in BROKEN.values()} == {None}
