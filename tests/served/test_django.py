"""Django's upserts before a real database: Django holds the fields against nothing, PostgreSQL does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.served.judging import Database

TABLE = "CREATE TABLE crm_user (id serial PRIMARY KEY, tenant_id int, email text, live bool)"
SERVICE = """
    from django.db import models
    class User(models.Model):
        tenant = models.ForeignKey("Tenant", models.CASCADE)
        mail = models.TextField(db_column="email")
        class Meta:
            app_label = "crm"
    def save(users):
        User.objects.bulk_create(users, update_conflicts=True, unique_fields=["tenant", "mail"], update_fields=["live"])
"""
UPSERT = "INSERT INTO crm_user (tenant_id) VALUES (1) ON CONFLICT(tenant_id, email) DO UPDATE SET live = EXCLUDED.live"


@pytest.mark.parametrize(
    "index",
    [
        "CREATE UNIQUE INDEX i ON crm_user (tenant_id)",
        "CREATE UNIQUE INDEX i ON crm_user (tenant_id, email) WHERE live",
    ],
)
def test_unique_fields_without_an_arbiter_are_unserved(database: Database, index: str) -> None:
    """Neither fewer columns nor the index of a UniqueConstraint with a condition serve them: 42P10."""
    database.run(TABLE, index)

    site, finding = database.only(SERVICE, "service.py")

    assert (site["table"], site["elements"]) == ("crm_user", ["tenant_id", "email"])
    assert database.answer(UPSERT) == "42P10"
    assert finding is not None
    assert finding.code == "unserved-upsert"


def test_unique_fields_with_a_unique_constraint_are_served(database: Database) -> None:
    """The same with what ``UniqueConstraint(fields=["tenant", "mail"])`` makes."""
    database.run(TABLE, "ALTER TABLE crm_user ADD CONSTRAINT u UNIQUE (tenant_id, email)")

    site, finding = database.only(SERVICE, "service.py")

    assert database.answer(UPSERT) is None
    assert (site["resolution"], finding) == ("served", None)


def test_conflicts_that_are_ignored_need_no_target(database: Database) -> None:
    """``ignore_conflicts=True`` names none, whatever the fields."""
    database.run(TABLE)
    ignoring = SERVICE.replace("update_conflicts", "ignore_conflicts")

    site, finding = database.only(ignoring, "service.py")

    assert (site["table"], site["elements"], finding) == ("crm_user", [], None)
