"""What a hint says to write: the likelier fault first, and lines that do what they say when they are pasted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from alembic_upsert_guard.findings import as_lines
from alembic_upsert_guard.findings.calls import Call, Form
from alembic_upsert_guard.findings.causes import Cause, way_out
from alembic_upsert_guard.upserts.scan import Resolution

if TYPE_CHECKING:
    from collections.abc import Callable

    from alembic_upsert_guard.upserts.scan import ScanReport
    from tests.scan.garage import Garage

PARTIAL = 'Index("ux", "regno", unique=True, postgresql_where=text("NOT sold")),'
PARTIAL_KEY = 'UpsertKey("regno", where=text("NOT sold")),'
WIDER = 'UniqueConstraint("country", "regno", name="uq_cars"),'
NARROWER = 'UniqueConstraint("regno", name="uq_cars"),'
EXPRESSION = 'Index("ux", func.lower(text("regno")), unique=True),'
TWO_KEYS = 'UpsertKey("regno", "country"), UpsertKey("regno", where=text("NOT sold")),'
KEY_AND_TWIN = (
    'UpsertKey("regno"), UpsertKey("regno", where=text("country = \'\\u00a3:\\\\\\\\\' AND sold")),'
)

NEAR = [
    ("a partial index", PARTIAL, '"regno"'),
    ("a partial key", PARTIAL_KEY, '"regno"'),
    ("a partial key among several", TWO_KEYS, '"regno"'),
    ("a column more", WIDER, '"regno"'),
    ("an expression", EXPRESSION, '"regno"'),
    ("a column less", NARROWER, '"regno", "country"'),
    ("nothing", "", '"regno"'),
]
"""What is near, ``__table_args__``, and the elements of the call."""


def written(hint: str) -> str | None:
    """The target that a hint says to write; None: it says none."""
    found = re.search(r"\bwrite (.*?)(?:; or, |, as the |, or index_|, which |$)", hint)
    return found and found[1]


def declared(hint: str) -> str:
    """The key that a hint says to add."""
    (line,) = re.findall(r"add (UpsertKey\(.*\)) to __table_args__", hint)
    return line


@pytest.mark.parametrize(("arguments", "elements"), [n[1:] for n in NEAR], ids=[n[0] for n in NEAR])
def test_a_hint_points_both_ways_and_either_way_leads_out(
    garage: Garage, arguments: str, elements: str
) -> None:
    """The call fails; with the target that is offered, or with the key that is offered, it passes."""
    call = f"index_elements=[{elements}]"
    found = garage.python(arguments, call)
    assert (found.resolution, found.sqlstate) == (Resolution.UNDECLARED, "42P10")

    target = written(found.hint)
    if target is None:
        assert arguments == ""
    else:
        pasted = garage.python(arguments, target)
        assert (pasted.sqlstate, [f.severity for f in pasted.findings].count("error")) == (None, 0)
    with_key = garage.python(f"{arguments} {declared(found.hint)},", call)
    assert (with_key.resolution, with_key.sqlstate) == (Resolution.DECLARED, None)


@pytest.mark.parametrize(("arguments", "elements"), [n[1:] for n in NEAR], ids=[n[0] for n in NEAR])
def test_a_hint_for_sql_is_sql(garage: Garage, arguments: str, elements: str) -> None:
    """The clause to write; nothing of Python is in it but the key of the model."""
    listed = elements.replace('"', "")
    found = garage.sql(arguments, f"ON CONFLICT ({listed})")
    assert (found.resolution, found.sqlstate) == (Resolution.UNDECLARED, "42P10")

    assert "conflict_target" not in found.hint
    assert "index_elements" not in found.hint
    clause = written(found.hint)
    if clause is not None:
        assert garage.sql(arguments, clause).sqlstate is None


@pytest.mark.parametrize(
    ("arguments", "target", "first"),
    [
        (
            PARTIAL,
            'index_elements=["regno"]',
            'write index_elements=["regno"], index_where=sa.text(',
        ),
        (PARTIAL_KEY, 'index_elements=["regno"]', "write **conflict_target(Car); or, where"),
        (TWO_KEYS, 'index_elements=["regno"]', 'write **conflict_target(Car, "regno"); or, where'),
        (WIDER, 'index_elements=["regno"]', 'write index_elements=["country", "regno"]; or, where'),
        (NARROWER, 'index_elements=["regno", "country"]', 'add UpsertKey("regno", "country") to'),
        ("", 'index_elements=["id", "regno"]', 'write index_elements=["id"]; or, where the upsert'),
        ("", 'index_elements=["regno"]', 'add UpsertKey("regno") to'),
        (
            'UniqueConstraint("regno", name="u", deferrable=True),',
            'index_elements=["regno"]',
            "declare that constraint without deferrable=",
        ),
    ],
)
def test_the_likelier_fault_comes_first(
    garage: Garage, arguments: str, target: str, first: str
) -> None:
    """A slip in the call where the models come near, a missing key where they do not."""
    found = garage.python(arguments, target)

    assert found.sqlstate in ("42P10", "55000")
    assert found.hint.startswith(first)


LOOKS_UP = (
    "INSERT INTO cars SELECT 1, 'a', 'b', false "
    "WHERE NOT EXISTS (SELECT FROM cars WHERE regno = 'a' AND country = 'b')"
)


def test_what_keeps_looked_up_rows_apart_is_what_the_key_points_at(garage: Garage) -> None:
    """A key on all that is compared would make another index, where fewer columns are unique already."""
    found = garage.statement(NARROWER, LOOKS_UP)

    assert (found.resolution, declared(found.hint)) == (Resolution.MODELLED, 'UpsertKey("regno")')
    with_key = garage.statement(f'{NARROWER} UpsertKey("regno"),', LOOKS_UP)
    assert (with_key.resolution, with_key.findings) == (Resolution.DECLARED, ())


def test_no_key_is_offered_that_would_point_at_what_is_deferrable(garage: Garage) -> None:
    """It keeps the rows apart; a key on it is refused by `check`."""
    found = garage.statement('UniqueConstraint("regno", deferrable=True),', LOOKS_UP)

    (finding,) = found.findings
    assert (found.resolution, finding.offer) == (Resolution.MODELLED, None)
    assert "once it is not deferrable" in finding.hint


@pytest.mark.parametrize(
    ("arguments", "target"),
    [
        (PARTIAL_KEY, 'index_elements=["regno"], index_where=Car.sold == 0'),
        (TWO_KEYS, "index_elements=[\"regno\"], index_where=Car.country == 'x'"),
        (
            "UpsertKey(text(\"coalesce(regno, '')\")),",
            "index_elements=[func.coalesce(Car.regno, '')]",
        ),
        (
            'UpsertKey("regno", where=text("country = \'x\'")),',
            "index_elements=[\"regno\"], index_where=Car.country == 'x'",
        ),
        (
            'UpsertKey("regno"), UpsertKey("regno", where=text("country = \'x\'")),',
            "index_elements=[\"regno\"], index_where=Car.country == 'x'",
        ),
    ],
)
def test_the_way_out_of_a_bound_predicate_can_be_pasted(
    garage: Garage, arguments: str, target: str
) -> None:
    """It names the model, as ``conflict_target()`` wants it, and binds nothing."""
    found = garage.python(arguments, target)
    (bound,) = [f for f in found.findings if f.code == "bound-predicate"]

    lines = re.findall(r"(\*\*conflict_target\(.*?\)(?=, which|$)|index_where=.*$)", bound.hint)
    assert lines
    for line in lines:
        whole = line if line.startswith("**") else f'index_elements=["regno"], {line}'
        pasted = garage.python(arguments, whole)
        assert "bound-predicate" not in [f.code for f in pasted.findings]
        assert pasted.resolution is not Resolution.DECLARED or pasted.sqlstate is None
    if found.resolution is Resolution.DECLARED:
        assert lines[0].startswith("**conflict_target(Car")


UNRESOLVED = [
    ("def save(key): insert(Account).on_conflict_do_nothing(index_elements=key)", Cause.PARAMETER),
    ("insert(Account).on_conflict_do_nothing(index_elements=keys())", Cause.COMPUTED),
    ("for x in y: insert(x).on_conflict_do_nothing()", Cause.REBOUND),
    ("insert(Account).on_conflict_do_nothing(index_elements='email')", Cause.LETTERS),
    ("S = f'INSERT INTO {x} VALUES (1) ON CONFLICT (id) DO NOTHING'", Cause.FILLED_IN),
    ("S = 'INSERT INTO INTO t VALUES (1) ON CONFLICT (id) DO NOTHING'", Cause.NOT_SQL),
    (
        "S = 'INSERT INTO accounts VALUES (1) ON CONFLICT (email) WHERE status = %s DO NOTHING'",
        Cause.BOUND,
    ),
    ("insert(Account).on_conflict_do_nothing(index_elements=[Account.nobody])", Cause.NO_COLUMN),
    ("insert(Account).on_conflict_do_nothing(**conflict_target(Account))", Cause.SEVERAL_KEYS),
    ("S = 'INSERT INTO entries VALUES (1) ON CONFLICT (number) DO NOTHING'", Cause.OTHER_SCHEMA),
    (
        "S = f'INSERT INTO {x}.batches VALUES (1) ON CONFLICT (number) DO NOTHING'",
        Cause.SEVERAL_SCHEMAS,
    ),
    ("insert(Account).on_conflict_do_nothing(index_elements=['Email'])", Cause.OTHER_CASE),
    (
        (
            "insert(Account).on_conflict_do_nothing(index_elements=['email'], "
            "index_where=text('deleted_at IS NULL AND active'))"
        ),
        Cause.OTHER_SQL,
    ),
]


@pytest.mark.parametrize(("call", "cause"), UNRESOLVED)
def test_each_cause_has_a_way_out_of_its_own(
    scanned: Callable[..., ScanReport], call: str, cause: Cause
) -> None:
    """It fits what was written: constants are not asked of constants."""
    report = scanned(
        service_py=(
            "from sqlalchemy import text\nfrom sqlalchemy.dialects.postgresql import insert\n"
            "from alembic_upsert_guard import conflict_target\nfrom shop.models import Account, Order\n"
            f"{call}\n"
        )
    )
    (finding,) = [f for f in report.findings if f.code != "bound-predicate"]

    form = Form.SQL if call.startswith("S = ") else Form.SQLALCHEMY
    whatever = way_out(cause, Call(form, "?", None), "THE LINE").partition("THE LINE")[0]
    assert finding.code == "unresolved-upsert"
    assert finding.hint.startswith(whatever)
    assert finding.hint.endswith("suppress it with upsert-guard: ignore[unresolved-upsert]")


def test_a_key_that_is_pasted_without_its_import_says_what_to_import(
    scanned: Callable[..., ScanReport],
) -> None:
    """The call is right, and the name leads nowhere."""
    report = scanned(
        service_py=(
            "from sqlalchemy.dialects.postgresql import insert\nfrom shop.models import Order\n"
            "insert(Order).on_conflict_do_nothing(**conflict_target(Order))\n"
        )
    )

    (finding,) = report.findings
    imported = "from alembic_upsert_guard import conflict_target"
    assert finding.fact == f"conflict_target is not imported: {imported}"
    assert finding.hint.startswith("import the name in the file; ")


def test_no_two_causes_have_one_way_out() -> None:
    """But for what a reader does the same about; and none but Python's names ``conflict_target()``."""
    for form in Form:
        call = Call(form, "accounts", "Account")
        ways = [way_out(cause, call) for cause in Cause]
        assert len(set(ways)) == len(Cause)
        assert ("conflict_target" in " ".join(ways)) == form.is_python
        # LETTERS is a mistake that only SQLAlchemy takes
        others = [way_out(cause, call) for cause in Cause if cause is not Cause.LETTERS]
        assert ("index_where" in " ".join(others)) == form.is_python


def test_hints_for_typescript_are_typescript(scanned: Callable[..., ScanReport]) -> None:
    """The option as supabase-js takes it."""
    report = scanned(
        save_ts=(
            "client.from('accounts').upsert(rows, { onConflict: 'tenant' });\n"
            "client.from('accounts').upsert(rows, { onConflict: keys });\n"
        )
    )

    undeclared, unresolved = report.findings
    assert undeclared.hint.startswith("write onConflict: 'tenant,email'; or, where the upsert")
    assert unresolved.hint.startswith("write string literals, or one const each")
    assert "conflict_target" not in undeclared.hint + unresolved.hint


def test_a_library_without_predicates_is_offered_a_key(scanned: Callable[..., ScanReport]) -> None:
    """PostgREST infers by columns only: no line with a WHERE is offered."""
    (finding,) = scanned(
        save_py="client.table('accounts').upsert(rows, on_conflict='email')\n"
    ).findings

    assert finding.hint == (
        'add UpsertKey("email") to __table_args__ of class Account (shop.models): PostgREST infers by columns only'
    )


def test_one_key_is_offered_once_with_all_its_places(scanned: Callable[..., ScanReport]) -> None:
    """In text; each finding keeps its own line, and the whole hint in JSON."""
    call = "insert(Account).on_conflict_do_nothing(index_elements=['status'])\n"
    head = "from sqlalchemy.dialects.postgresql import insert\nfrom shop.models import Account\n"
    report = scanned(a_py=head + call + call, b_py=head + call)

    lines = as_lines(report.findings, coloured=False)
    (offer,) = {finding.hint for finding in report.findings}
    assert len(lines) == len(report.findings) == 3
    assert [line.count("UpsertKey(") for line in lines] == [1, 0, 0]
    assert offer == 'add UpsertKey("status") to __table_args__ of class Account (shop.models)'
    first, second, third = (
        f"{f.location.path}:{f.location.line}" for f in report.findings if f.location
    )
    assert lines[0].endswith(f"(also for {second}, {third})")
    assert [line.rpartition(". ")[2] for line in lines[1:]] == [
        f"Declare the key as at {first}"
    ] * 2


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (
            "knex('accounts').insert(row).onConflict('tenant').merge();",
            ".onConflict(['tenant', 'email'])",
        ),
        (
            "knex('users').insert(row).onConflict('email').merge();",
            ".onConflict(knex.raw('(lower(email))'))",
        ),
        (
            "db.insertInto('accounts').values(row).onConflict((oc) => oc.column('tenant').doNothing());",
            "oc.columns(['tenant', 'email'])",
        ),
        (
            "db.insertInto('users').values(row).onConflict((oc) => oc.column('email').doNothing());",
            "oc.expression(sql`lower(email)`)",
        ),
        (
            "db.insertInto('subscriptions').values(row).onConflict((oc) => oc.column('account_id').doNothing());",
            "oc.columns(['account_id']).where(sql`status = 'open'`)",
        ),
        (
            "fetch('/rest/v1/accounts?on_conflict=tenant', { method: 'POST' });",
            "on_conflict=tenant,email",
        ),
        (
            """
            import { pgTable, text } from 'drizzle-orm/pg-core';
            const t = pgTable('subscriptions', { id: text('account_id') });
            db.insert(t).values(row).onConflictDoNothing({ target: t.id });
            """,
            "target: [account_id], targetWhere: sql`status = 'open'` with the table's columns",
        ),
        (
            """
            import { Column, Entity } from 'typeorm';
            @Entity('accounts') class Account { @Column() tenant: number; }
            manager.upsert(Account, rows, ['tenant']);
            """,
            "conflictPaths: ['tenant', 'email'] with the entity's properties",
        ),
    ],
)
def test_hints_are_written_for_the_library(
    scanned: Callable[..., ScanReport], call: str, line: str
) -> None:
    """The target as Knex, Kysely, Drizzle, TypeORM or PostgREST takes it, and nothing of Python's."""
    (finding,) = scanned(save_ts=f"{call}\n").findings

    assert finding.hint.startswith(f"write {line}")
    assert "conflict_target" not in finding.hint
    assert "index_elements" not in finding.hint


def test_a_library_that_takes_columns_only_is_offered_a_key(
    scanned: Callable[..., ScanReport],
) -> None:
    """Drizzle has no form for an expression in the target."""
    (finding,) = scanned(
        save_ts=(
            "import { pgTable, text } from 'drizzle-orm/pg-core';\n"
            "const users = pgTable('users', { email: text('email') });\n"
            "db.insert(users).values(row).onConflictDoNothing({ target: users.email });\n"
        )
    ).findings

    assert finding.hint.startswith('add UpsertKey("email") to __table_args__')
    assert finding.hint.endswith(": Drizzle infers by columns only")


def test_what_is_not_read_names_its_library(scanned: Callable[..., ScanReport]) -> None:
    """Whether the table or the target is unread, and whether the library is read at all."""
    report = scanned(
        save_ts=(
            "db.insertInto(table).values(row).onConflict((oc) => oc.column('a').doNothing());\n"
            "knex('orders').insert(row).onConflict(key).merge();\n"
            "User.bulkCreate(rows, { updateOnDuplicate: ['name'] });\n"
            "const save = gql`mutation { insert_tags(object: $tag, on_conflict: { constraint: tags_pkey }) { id } }`;\n"
        )
    )

    assert [finding.fact for finding in report.findings] == [
        "the table of Kysely's upsert is not read: what table is cannot be read",
        "the conflict target of Knex's upsert is not read: what key is cannot be read",
        "the table of Sequelize's upsert is not read: the models of Sequelize are not read",
        "the table of Hasura's upsert is not read: which table insert_tags stands for is in its metadata",
    ]


DJANGO = """
from django.db import models
class Row(models.Model):
    id = models.AutoField(primary_key=True)
    owner = models.IntegerField(db_column="tenant")
    email = models.TextField()
    class Meta:
        db_table = "{}"
def save(rows, keys):
    Row.objects.bulk_create(rows, update_conflicts=True, unique_fields={}, update_fields=["id"])
"""


@pytest.mark.parametrize(
    ("table", "fields", "start"),
    [
        (
            "accounts",
            '["owner"]',
            'write unique_fields=["owner", "email"]; or, where the upsert is',
        ),
        (
            "orders",
            '["id", "email"]',
            "correct the upsert, or add the column; the model of orders has",
        ),
        (
            "users",
            '["email"]',
            'add UpsertKey("email") to __table_args__ of class User (shop.models): Django infers',
        ),
        ("elsewhere", '["email"]', "ask a database, upsert-guard check --database URL --code PATH"),
        ("accounts", "[keys]", "call it with the model and the names of the fields themselves"),
        ("accounts", "keys()", "write the model, and the names of its fields as literals"),
    ],
)
def test_hints_for_django_are_djangos(
    scanned: Callable[..., ScanReport], table: str, fields: str, start: str
) -> None:
    """Its fields, and no predicate or SQL; a key where the tables are the models' and Django cannot say it."""
    (finding,) = scanned(save_py=DJANGO.format(table, fields)).findings

    assert finding.hint.startswith(start)
    assert "conflict_target" not in finding.hint
    assert "ON CONFLICT" not in finding.hint
