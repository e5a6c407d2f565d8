"""The same on SQLite, MariaDB and MySQL, whose messages quote values as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.online.revisions import revision
from tests.rows.test_preflight import ACCOUNTS
from tests.trust.probes import ROWS, SECRET

if TYPE_CHECKING:
    from tests.project import Project

ON_SQLITE = "CREATE TABLE accounts (id integer PRIMARY KEY, tenant int, email varchar)"
ON_MYSQL = (
    "CREATE TABLE accounts (id int AUTO_INCREMENT PRIMARY KEY, tenant int, email varchar(50))"
)
MODEL = ACCOUNTS.replace("{key}", "").replace(
    "Mapped[str | None]", "Mapped[str | None] = mapped_column(String(50))"
)


@pytest.mark.parametrize("reveal", ["False", "True"])
def test_what_mysql_refuses_below_a_check_that_is_switched_off(
    mysql_project: Project, reveal: str
) -> None:
    """Error 1062 is ``Duplicate entry '1-...' for key``; it is shown where values are."""
    mysql_project.sql(ON_MYSQL, ROWS)
    mysql_project.models(MODEL)
    mysql_project.revise()
    mysql_project.configure(upsert_guard_reveal=reveal)

    ran = mysql_project.alembic("--raiseerr", "-x", "upsert_guard_validate=off", "upgrade", "head")
    assert ran.code != 0
    assert (SECRET in ran.said) == (reveal == "True")
    if reveal == "False":
        assert "1 duplicate group, 1 surplus row" in ran.said


@pytest.mark.parametrize("reveal", ["False", "True"])
def test_a_deduplication_that_a_trigger_refuses_on_sqlite(
    sqlite_project: Project, reveal: str
) -> None:
    """People chose the message of RAISE."""
    sqlite_project.sql(
        ON_SQLITE,
        ROWS,
        f"CREATE TRIGGER keeps BEFORE DELETE ON accounts BEGIN SELECT RAISE(ABORT, 'not {SECRET}'); END",
    )
    revision(
        sqlite_project,
        "op.deduplicate_upsert_key('accounts', ['tenant', 'email'], keep='last', order_by='id', "
        f"reveal={reveal})",
    )

    ran = sqlite_project.alembic("--raiseerr", "upgrade", "head")
    assert ran.code != 0
    assert "the rows could not be deduplicated, nothing was changed" in ran.said
    assert (SECRET in ran.said) == (reveal == "True")
