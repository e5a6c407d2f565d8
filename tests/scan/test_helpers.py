"""Where an upsert of a helper is reported, and which comments count for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic_upsert_guard.findings.output.text import as_text
from alembic_upsert_guard.upserts.upsert import call_site_member

if TYPE_CHECKING:
    from collections.abc import Callable

    from alembic_upsert_guard.upserts.scan import ScanReport

HELPER = """
from sqlalchemy.dialects.postgresql import insert
def upsert(model, keys):
    return insert(model).on_conflict_do_nothing(index_elements=keys){comment}
"""
CALLS = """
from helper import upsert
from shop.models import Account
upsert(Account, ["tenant"]){comment}
upsert(Account, ["email"])
"""


def lines(report: ScanReport) -> list[int]:
    """The lines that findings are at."""
    return [finding.location.line for finding in report.findings if finding.location is not None]


def test_the_place_is_the_call_and_the_helper_is_beside_it(
    scanned: Callable[..., ScanReport],
) -> None:
    """Path and line of both, as the JSON has them."""
    report = scanned(helper_py=HELPER.format(comment=""), calls_py=CALLS.format(comment=""))

    members = [call_site_member(judged) for judged in report.upserts]
    assert [(m["path"].rpartition("/")[2], m["line"]) for m in members] == [
        ("calls.py", 4),
        ("calls.py", 5),
    ]
    assert {(m["helper"]["path"].rpartition("/")[2], m["helper"]["line"]) for m in members} == {
        ("helper.py", 4)
    }


def test_an_upsert_that_is_written_at_its_place_has_no_helper(
    scanned: Callable[..., ScanReport],
) -> None:
    """The member is left out."""
    direct = HELPER.format(comment="").replace("=keys", '=["tenant"]')
    report = scanned(direct_py=direct.replace("(model)", "(Account)"), calls_py="")

    assert ["helper" in call_site_member(judged) for judged in report.upserts] == [False]


def test_a_statement_that_goes_by_a_name_is_where_it_is_written(
    scanned: Callable[..., ScanReport],
) -> None:
    """Its conflict clause, and not the line that executes it."""
    report = scanned(
        save_py="def save(connection, table):\n"
        "    sql = (f'INSERT INTO {table} (name) VALUES (1) '\n"
        "           'ON CONFLICT (name) DO NOTHING')\n"
        "    connection.execute(text(sql))\n"
    )

    assert [judged.upsert.place.line for judged in report.upserts] == [3]


def test_the_text_names_the_line_of_the_helper(scanned: Callable[..., ScanReport]) -> None:
    """Beside what is so at the call."""
    report = scanned(helper_py=HELPER.format(comment=""), calls_py=CALLS.format(comment=""))

    assert [finding.helper is not None for finding in report.findings] == [True, True]
    text = "\n".join(as_text(report.findings, coloured=False))
    assert text.count("helper.py:4") == 2


def test_a_comment_at_the_helper_counts_for_every_call(scanned: Callable[..., ScanReport]) -> None:
    """And is not stale."""
    comment = "  # upsert-guard: ignore[undeclared-upsert]"
    report = scanned(helper_py=HELPER.format(comment=comment), calls_py=CALLS.format(comment=""))

    assert lines(report) == []
    assert report.stale_ignores == ()


def test_a_comment_at_a_call_counts_for_that_call(scanned: Callable[..., ScanReport]) -> None:
    """In another file than the one that the upsert is written in."""
    comment = "  # upsert-guard: ignore[undeclared-upsert]"
    report = scanned(helper_py=HELPER.format(comment=""), calls_py=CALLS.format(comment=comment))

    assert lines(report) == [5]
    assert report.stale_ignores == ()
