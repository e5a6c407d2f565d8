"""What is said of Django's upserts that a real database refuses: unique_fields and Meta.constraints, and no SQL."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest

from alembic_upsert_guard.upserts.code import CheckedCode
from alembic_upsert_guard.upserts.scan import scan
from tests.served.judging import statements_in

if TYPE_CHECKING:
    from tests.served.judging import Database

TABLE = "CREATE TABLE crm_user (id serial PRIMARY KEY, tenant_id int, email text, phone text, live bool)"
SERVICE = """
    from django.db import models
    class User(models.Model):
        tenant = models.ForeignKey("Tenant", models.CASCADE)
        mail = models.TextField(db_column="email")
        phone = models.TextField()
        class Meta:
            app_label = "crm"
    def save(users):
        User.objects.bulk_create(users, update_conflicts=True, unique_fields=["tenant", "mail"], update_fields=["live"])
"""
UPSERT = "INSERT INTO crm_user (tenant_id) VALUES (1) ON CONFLICT(tenant_id, email) DO UPDATE SET live = EXCLUDED.live"
CONSTRAINED = (
    "ALTER TABLE crm_user ADD CONSTRAINT uq_crm_user_tenant_id_email UNIQUE (tenant_id, email)"
)
OFFER = (
    'add models.UniqueConstraint(fields=["tenant", "mail"], name="uq_crm_user_tenant_id_email") to Meta.constraints of '
    "class User, then run makemigrations and migrate"
)


def hint_of(database: Database, source: str = SERVICE) -> str:
    """What is said of the one upsert, which fails."""
    _, finding = database.only(source, "service.py")
    assert finding is not None
    return finding.hint


def test_a_constraint_is_offered_by_the_names_of_fields(database: Database) -> None:
    """Where nothing is near; with what makemigrations makes of it, the upsert passes."""
    database.run(TABLE)

    assert (hint_of(database), database.answer(UPSERT)) == (OFFER, "42P10")
    database.run(CONSTRAINED)
    assert (database.only(SERVICE, "service.py")[1], database.answer(UPSERT)) == (None, None)


def test_an_upsert_with_too_few_fields_is_corrected_first(database: Database) -> None:
    """The constraint that has them and more is likelier meant; what is offered passes."""
    database.run(TABLE, "CREATE UNIQUE INDEX i ON crm_user (tenant_id, email, phone)")
    line = 'unique_fields=["tenant", "mail", "phone"]'

    assert hint_of(database) == f"write {line}; or, where the upsert is right, {OFFER}"
    corrected = SERVICE.replace('unique_fields=["tenant", "mail"]', line)
    assert database.only(corrected, "service.py")[1] is None


def test_a_model_with_too_few_fields_is_corrected_first(database: Database) -> None:
    """A constraint that has some of the upsert's fields: it is the model that lags."""
    database.run(TABLE, "CREATE UNIQUE INDEX i ON crm_user (email)")

    line = 'unique_fields=["mail"]'
    assert hint_of(database) == f"{OFFER}; or, where the model is right, write {line}"


def test_a_primary_key_among_the_fields_is_all_that_is_needed(database: Database) -> None:
    """Nobody makes a second constraint around a primary key."""
    database.run(TABLE)
    source = SERVICE.replace('["tenant", "mail"]', '["pk", "mail"]')

    assert hint_of(database, source).startswith('write unique_fields=["id"]; or, where the upsert')


@pytest.mark.parametrize(
    "index",
    [
        "CREATE UNIQUE INDEX i ON crm_user (tenant_id, lower(email))",
        "CREATE UNIQUE INDEX i ON crm_user (tenant_id) WHERE live",
        "CREATE INDEX i ON crm_user (tenant_id)",
        "CREATE UNIQUE INDEX i ON crm_user (tenant_id, phone)",
    ],
)
def test_what_unique_fields_cannot_mean_is_not_offered(database: Database, index: str) -> None:
    """An expression, other rows, nothing unique; and half of other columns is no likelier than those that are named."""
    database.run(TABLE, index)

    assert hint_of(database) == OFFER


def test_a_condition_is_never_offered(database: Database) -> None:
    """``UniqueConstraint(condition=...)`` makes a partial index, and Django's upsert states no predicate."""
    database.run(TABLE, "CREATE UNIQUE INDEX i ON crm_user (tenant_id, email) WHERE live")

    reason = (
        "a UniqueConstraint with condition= serves no unique_fields, for Django states no predicate"
    )
    assert (hint_of(database), database.answer(UPSERT)) == (f"{OFFER}: {reason}", "42P10")


def test_a_deferrable_constraint_is_made_immediate(database: Database) -> None:
    """55000, until ``deferrable=`` goes."""
    database.run(TABLE, f"{CONSTRAINED} DEFERRABLE")

    assert (hint_of(database), database.answer(UPSERT)) == (
        (
            'take deferrable= out of the UniqueConstraint named "uq_crm_user_tenant_id_email" in Meta.constraints of '
            "class User, then run makemigrations and migrate"
        ),
        "55000",
    )


def test_rows_that_share_a_key_come_first(database: Database) -> None:
    """No migration makes a constraint over them; the query lists them."""
    row = "INSERT INTO crm_user (tenant_id, email) VALUES (1, 'a')"
    database.run(TABLE, row, row)

    first, listing, then = hint_of(database).splitlines()
    assert first.startswith("merge or delete the duplicate rows first: 1 key is in several rows")
    assert (database.answer(listing), database.answer(CONSTRAINED)) == (None, "23505")
    assert then == f"Then {OFFER}"


def test_an_index_whose_build_failed_is_built_again(database: Database) -> None:
    """The model has what it needs: the hint stays SQL, and its statement serves."""
    row = "INSERT INTO crm_user (tenant_id, email) VALUES (1, 'a')"
    database.run(TABLE, row, row)
    database.tries("CREATE UNIQUE INDEX CONCURRENTLY i ON crm_user (tenant_id, email)")
    database.run("DELETE FROM crm_user")

    statements = statements_in(hint_of(database))
    assert statements == ["REINDEX INDEX CONCURRENTLY i;"]
    database.run(*statements)
    assert database.answer(UPSERT) is None


def test_columns_of_fields_that_are_not_read_are_called_columns(database: Database) -> None:
    """A field of a class that is not read may have any name."""
    database.run(TABLE, "CREATE UNIQUE INDEX i ON crm_user (tenant_id, email, phone)")
    source = SERVICE.replace("phone = models.TextField()", "mobile = Phone()")

    line = 'unique_fields=["tenant_id", "email", "phone"] with the model\'s fields of these columns'
    assert hint_of(database, source).startswith(f"write {line}; or, ")


def test_the_constraints_of_a_proxy_are_its_models(database: Database) -> None:
    """A proxy has no table to constrain."""
    database.run(TABLE)
    proxy = "class Person(User):\n        class Meta:\n            proxy = True\n    def save"
    source = SERVICE.replace("User.objects", "Person.objects").replace("def save", proxy)

    assert hint_of(database, source) == OFFER


def test_conflicts_that_are_ignored_with_nothing_unique(database: Database) -> None:
    """``ignore_conflicts=True`` meets none: no conflict target is asked for, since Django has no word for it."""
    database.run(TABLE.replace(" PRIMARY KEY", ""))

    assert hint_of(database, SERVICE.replace("update_conflicts", "ignore_conflicts")) == (
        "add models.UniqueConstraint(...), with the fields that rows are matched by, to Meta.constraints of "
        "class User, then run makemigrations and migrate"
    )


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_each_upsert_of_one_target_has_its_own_hint(
    database: Database, order: tuple[str, str]
) -> None:
    """Whichever is judged first."""
    database.run(TABLE)
    django, sql = order
    (database.folder / f"{django}.py").write_text(textwrap.dedent(SERVICE))
    (database.folder / f"{sql}.sql").write_text(f"{UPSERT};")
    code = CheckedCode(scan([database.folder], None), None)
    with database.engine.connect() as connection:
        code.judge(connection)

    hints = {f.location.path[-3:]: f.hint for f in code.findings() if f.location is not None}
    assert hints == {".py": OFFER, "sql": f"run:\n{CONSTRAINED};"}


def test_a_deferrable_primary_key_is_made_again_in_sql(database: Database) -> None:
    """No constraint of Meta's is one; the statements of the hint serve the upsert."""
    key = "ALTER TABLE crm_user ADD CONSTRAINT k PRIMARY KEY (id) DEFERRABLE"
    database.run(TABLE.replace(" PRIMARY KEY", ""), key)
    upsert = UPSERT.replace("(tenant_id, email)", "(id)")

    statements = statements_in(hint_of(database, SERVICE.replace('["tenant", "mail"]', '["id"]')))
    assert database.answer(upsert) == "55000"
    database.run(*statements)
    assert database.answer(upsert) is None
