"""SQLAlchemy-Continuum: a versioned table has the key, and the table of its versions has not."""

from __future__ import annotations

from tests.neighbours.installed import needs
from tests.project import Project, goes_red, goes_round
from tests.shapes.keys import ARBITER, CREATE, TABLE, VALIDATE

needs("sqlalchemy-continuum")

VERSIONED = """
    from sqlalchemy.orm import configure_mappers
    from sqlalchemy_continuum import make_versioned

    make_versioned(user_cls=None)

    class Account(Base):
        __versioned__ = {}
        __tablename__ = "accounts"
        __table_args__ = (UpsertKey("tenant", "email"),)
        id: Mapped[int] = mapped_column(primary_key=True)
        tenant: Mapped[int]
        email: Mapped[str]

    configure_mappers()
"""
CHANGE_TWICE = """
    import os
    from sqlalchemy import create_engine
    from sqlalchemy.orm import Session
    from models import Account

    with Session(create_engine(os.environ["PROJECT_URL"])) as session:
        account = Account(tenant=1, email="a")
        session.add(account)
        session.commit()
        account.email = "b"
        session.commit()
        account.email = "a"
        session.commit()
        print(account.versions.count())
"""


def test_a_versioned_table(project: Project) -> None:
    """All goes round, and versions that share the key stand beside each other."""
    project.sql(TABLE)
    project.models(VERSIONED)

    revision = goes_red(project, "'accounts', ('tenant', 'email'), 'missing-arbiter'")
    lines = revision.lines("upgrade")
    assert lines.index(VALIDATE) + 1 == lines.index(CREATE)
    assert revision.calls("upgrade").count("op.create_table") == 2  # accounts_version, transaction
    goes_round(project, revision)
    assert [unique for unique in project.uniques() if "UNIQUE (" in unique] == [ARBITER]
    assert project.application(CHANGE_TWICE).out == "3\n"
