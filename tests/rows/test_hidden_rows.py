"""Row level security: an index would hold the rows that the role does not see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.rows.test_obstacles import refused_untouched, role
from tests.rows.test_preflight import TWICE, revised
from tests.rows.test_scripts import script
from tests.scenarios.test_names import in_psql

if TYPE_CHECKING:
    from tests.project import Project, Ran

SECURED = (
    "ALTER TABLE accounts ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY tenants ON accounts USING (tenant = 1 AND email = 'b')",
)
FORCED = "ALTER TABLE accounts FORCE ROW LEVEL SECURITY"
CLEAN = "INSERT INTO accounts (tenant, email) VALUES (1, 'a'), (1, 'b')"


def refused_in_psql(project: Project) -> Ran:
    """The script stops with an error; no index, no version."""
    before = project.uniques()
    ran = in_psql(project, script(project))
    assert ran.code != 0
    assert project.uniques() == before
    return ran


@pytest.mark.parametrize("rows", [TWICE, CLEAN], ids=["duplicates", "clean rows"])
def test_rows_that_are_hidden_from_the_owner_are_refused(project: Project, rows: str) -> None:
    """FORCE: the owner's SELECT sees a part, and a check of that part would be worth nothing."""
    revised(project, rows)
    project.sql(*SECURED, FORCED)
    with role(project) as name:
        assert project.rows(f"SELECT rolbypassrls FROM pg_roles WHERE rolname = '{name}'") == [
            (False,)
        ]
        ran = refused_untouched(project)

    assert ran.out.split("FAILED: ")[1] == (
        "upsert key accounts (tenant, email): the rows could not be checked: row level security hides rows of "
        f"accounts from the role {name}, and an index would hold them all. Run the upgrade as a role with "
        "BYPASSRLS, or as the table's owner without FORCE ROW LEVEL SECURITY\n"
    )


def test_a_member_of_the_owner_is_refused(project: Project) -> None:
    """Being allowed to alter the table is not being allowed to see its rows."""
    revised(project, TWICE)
    project.sql(*SECURED, FORCED)
    with role(project) as owner:
        project.sql(f"CREATE ROLE {owner}_member LOGIN PASSWORD '{owner}' IN ROLE {owner} INHERIT")
        try:
            project.url = project.url.replace(f"{owner}:", f"{owner}_member:")
            ran = refused_untouched(project)
        finally:
            project.sql(f"DROP ROLE {owner}_member")

    assert f"row level security hides rows of accounts from the role {owner}_member" in ran.out


def test_an_owner_who_is_not_forced_sees_all_rows(project: Project) -> None:
    """Without FORCE the policies are not the owner's: the check counts every row."""
    revised(project, TWICE)
    project.sql(*SECURED)
    with role(project):
        ran = refused_untouched(project)

    assert "does not hold: 2 duplicate groups, 3 surplus rows; nothing was changed" in ran.out


def test_an_owner_who_is_not_forced_upgrades(project: Project) -> None:
    """Clean rows go through, and the policy is as it was."""
    revised(project, CLEAN)
    project.sql(*SECURED)
    with role(project):
        project.upgrade()
        assert "uq_accounts_tenant_email" in "".join(project.uniques())
        assert project.rows("SELECT polname FROM pg_policy") == [("tenants",)]


def test_a_role_that_bypasses_row_security_upgrades(project: Project) -> None:
    """The first way out that the refusal names."""
    revised(project, CLEAN)
    project.sql(*SECURED, FORCED)
    with role(project, "ALTER ROLE {role} BYPASSRLS"):
        project.upgrade()
        assert "uq_accounts_tenant_email" in "".join(project.uniques())


def test_no_force_is_a_way_out_that_works(project: Project) -> None:
    """The second way out that the refusal names."""
    revised(project, CLEAN)
    project.sql(*SECURED, FORCED)
    with role(project):
        refused_untouched(project)
        project.sql("ALTER TABLE accounts NO FORCE ROW LEVEL SECURITY")
        project.upgrade()


def test_a_setting_that_turns_row_security_off_shows_no_row_that_is_hidden(
    project: Project,
) -> None:
    """``row_security = off`` makes the database refuse; so do we, and without a traceback."""
    revised(project, TWICE)
    project.sql(*SECURED, FORCED)
    with role(project, "ALTER ROLE {role} SET row_security = off"):
        ran = refused_untouched(project)

    assert "upsert key accounts (tenant, email): the rows could not be checked" in ran.out


def test_a_script_is_refused_where_rows_are_hidden(project: Project) -> None:
    """psql stops before any DDL, with the key and the way out in its message."""
    revised(project, CLEAN)
    project.sql(*SECURED, FORCED)
    with role(project) as name:
        ran = refused_in_psql(project)

    assert "upsert key accounts (tenant, email) cannot be checked: " in ran.err
    assert f"row level security hides rows from {name}; nothing was changed" in ran.err


def test_a_script_names_the_ways_out_where_rows_are_hidden(project: Project) -> None:
    """The same two as online."""
    revised(project, CLEAN)
    project.sql(*SECURED, FORCED)
    with role(project):
        ran = refused_in_psql(project)

    assert "BYPASSRLS" in ran.err
    assert "without FORCE ROW LEVEL SECURITY" in ran.err


def test_a_script_counts_all_rows_for_an_owner_who_is_not_forced(project: Project) -> None:
    """The twin of the refusal: it is the report, with the numbers of all rows."""
    revised(project, TWICE)
    project.sql(*SECURED)
    with role(project):
        ran = refused_in_psql(project)

    assert "does not hold: 2 duplicate groups, 3 surplus rows; nothing was changed" in ran.err


def test_a_script_runs_to_the_end_for_an_owner_who_is_not_forced(project: Project) -> None:
    """On clean rows the index is made."""
    revised(project, CLEAN)
    project.sql(*SECURED)
    with role(project):
        ran = in_psql(project, script(project))
        assert ran.code == 0, ran.err
        assert "uq_accounts_tenant_email" in "".join(project.uniques())


@pytest.mark.parametrize("reveal", ["True", "False"])
def test_the_race_is_reported_where_rows_are_not_hidden(project: Project, reveal: str) -> None:
    """The build meets rows that came late, under row level security that does not bind the owner."""
    project.configure(upsert_guard_reveal=reveal)
    revised(project)
    project.sql(*SECURED)
    validate = "op.validate_upsert_key('accounts', ['tenant', 'email'])"
    (path,) = (project.path / "migrations" / "versions").glob("*.py")
    project.edit(str(path), validate, f"{validate}\n    op.execute({TWICE!r})")
    with role(project, "GRANT USAGE ON SEQUENCE accounts_id_seq TO {role}"):
        ran = refused_untouched(project)

    assert "The rows arrived after the check" in ran.out
    assert ("email = 'a'" in ran.out) == (reveal == "True")
