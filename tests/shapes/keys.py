"""The one table that these projects have, before and after its key is declared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.project import Ran, Revision

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.project import Project

TABLE = "CREATE TABLE accounts (id serial PRIMARY KEY, tenant int NOT NULL, email varchar NOT NULL)"
WITHOUT_A_KEY = """
    class Account(Base):
        __tablename__ = "accounts"
        id: Mapped[int] = mapped_column(primary_key=True)
        tenant: Mapped[int]
        email: Mapped[str]

"""
ACCOUNTS = WITHOUT_A_KEY.replace(
    '"accounts"\n', '"accounts"\n        __table_args__ = (UpsertKey("tenant", "email"),)\n'
)
VALIDATE = "op.validate_upsert_key('accounts', ['tenant', 'email'])"
CREATE = "op.create_unique_constraint('uq_accounts_tenant_email', 'accounts', ['tenant', 'email'])"
DROP = "op.drop_constraint('uq_accounts_tenant_email', 'accounts', type_='unique')"
TWICE = "INSERT INTO accounts (tenant, email) VALUES (1, 'a'), (1, 'a')"
REFUSAL = "upsert key accounts (tenant, email) does not hold: 1 duplicate group, 1 surplus row"
ARBITER = (
    "CREATE UNIQUE INDEX uq_accounts_tenant_email ON public.accounts USING btree (tenant, email)"
    " / UNIQUE (tenant, email)"
)


def ran(project: Project, *arguments: str) -> Ran:
    """What an ``alembic`` command printed that has to go through."""
    done = project.alembic(*arguments)
    assert done.code == 0, done.said
    return done


def revised(project: Project, *arguments: str, options: Sequence[str] = ()) -> Revision:
    """The one revision that ``alembic revision`` wrote, wherever it put it.

    :param options: what comes before the command.
    """
    known = set(project.path.rglob("*.py"))
    done = ran(project, *options, "revision", *arguments)
    (path,) = set(project.path.rglob("*.py")) - known
    return Revision(path, path.read_text(), done)


def is_clean(project: Project) -> bool:
    """Whether ``alembic check`` and a second revision find nothing to do."""
    check = project.check()
    assert check.code == 0, check.said
    second = project.revise()
    second.path.unlink()
    return second.is_empty
