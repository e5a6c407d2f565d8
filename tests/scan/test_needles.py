"""Which files are looked into at all: the bytes of most say that nothing of theirs upserts."""

from __future__ import annotations

import pytest

from alembic_upsert_guard.upserts.scan.needles import may_upsert


@pytest.mark.parametrize(
    "source",
    [
        "INSERT INTO t VALUES (1) On Conflict (a) DO NOTHING",
        "stmt.on_conflict_do_nothing()",
        'sql = "INSERT ... ON "\n    "CONFLICT (a) DO NOTHING"',
        "insert into t values (1) on duplicate key update a = 1",
        "Model.objects.bulk_create(rows, ignore_conflicts=True)",
        "prisma.user.createMany({ data, skipDuplicates: true })",
        "query.insert().values(rows).orUpdate(['a'], ['b'])",
        "query.insert().values(rows)\n  .orIgnore()",
        "MERGE INTO t USING s ON t.a = s.a WHEN NOT MATCHED THEN INSERT VALUES (1)",
        "INSERT INTO t SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM t)",
        "INSERT OR REPLACE INTO t VALUES (1)",
        "REPLACE INTO t VALUES (1)",
        "hook.insert_rows('t', rows, replace=True)",
        "repository.upsert_many(rows, match_fields=['a'])",
        "fetch(url, { headers: { Prefer: 'resolution=merge-duplicates' } })",
        "db.replaceInto('t').values(row)",
        "db.insertInto('t').values(row).ignore()",
        "db.insertInto('t').orReplace().values(row)",
        "users(db).insertOrUpdate(['a'], row)",
        "users(db).insertOrIgnore(row)",
    ],
)
def test_a_file_that_may_upsert_is_looked_into(source: str) -> None:
    """Whatever its case, and whatever is around it."""
    assert may_upsert(f"x = 1\n{source}\n".encode())


@pytest.mark.parametrize(
    "source",
    [
        "raise ConflictError('two rows conflict')",
        "const errorUpdate = select(forUpdate)",
        "rows.insert(0, duplicate(row))",
        "git merge: not a match",
        "fetch(url, { headers: { Prefer: 'return=minimal' } })",
        "linter.ignore(rule)",
        "forOrReplace(row)",
        "if not exists(path): names.append(path)",
    ],
)
def test_a_file_of_other_words_is_not(source: str) -> None:
    """A word of an upsert by itself is none."""
    assert not may_upsert(f"x = 1\n{source}\n".encode())
