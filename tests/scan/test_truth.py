"""What `python -m tests.benchmarks.upserts` holds a scan against: the format of its files, and the comparison."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.comparison import Comparison, Report, compare
from tests.benchmarks.truth import Answer, Place, parse, read_packages

PACKAGES = Path(__file__).parents[1] / "benchmarks" / "packages"

SHOP = """\
shop 1.0
# a package

shop/orders.py
    3 orders (number) WHERE deleted_at IS NULL
    9 - (id) # named at run time
    12 carts? (id)

shop/helper.py
    5, 8 helper
        via 20
        shop/users.py:30 users (email) | users ()
        shop/teams.py:40 - (name)
"""

USERS = Report(Place("shop/users.py", 30), Answer("users", "(email)"))


def compared(*reports: Report, last_line: int = 0) -> Comparison:
    """The shop, and what is reported of it; every call ends at a line."""
    return compare(parse(SHOP), reports, lambda place: max(place.line, last_line))


def test_the_packages_hold_150_upserts_that_can_be_known() -> None:
    """The truth is large enough to mean something, and no two files are about one package."""
    packages = read_packages(PACKAGES)
    known = [site for package in packages for site in package.sites if site.is_known]
    assert len(known) > 150
    assert len({package.name for package in packages}) == len(packages) >= 14


def test_no_line_of_a_package_has_two_sites() -> None:
    """An upsert is listed once."""
    for package in read_packages(PACKAGES):
        places = [site.place for site in package.sites]
        assert len(set(places)) == len(places), package.name


def test_a_site_is_known_where_table_and_target_are() -> None:
    """`-` on either side is none that a scan can be asked for."""
    known = {str(site.place): site.is_known for site in parse(SHOP).sites}
    assert known == {
        "shop/orders.py:3": True,
        "shop/orders.py:9": False,
        "shop/orders.py:12": True,
        "shop/helper.py:5": True,
        "shop/helper.py:8": True,
    }


def test_a_line_that_is_none_of_the_format_is_refused() -> None:
    """A mistake in a file is not a site less."""
    with pytest.raises(ValueError, match="orders"):
        parse("shop 1.0\nshop/orders.py\n  3 orders (number)\n")


def test_what_is_reported_as_it_was_read_is_right() -> None:
    """Table, elements and predicate agree."""
    answer = Answer("orders", "(number) WHERE deleted_at IS NULL")
    comparison = compared(Report(Place("shop/orders.py", 3), answer))
    assert [str(site.place) for site in comparison.read_sites] == ["shop/orders.py:3"]
    assert not comparison.wrong


@pytest.mark.parametrize(
    "answer",
    [
        Answer("orders", "(number)"),
        Answer("order", "(number) WHERE deleted_at IS NULL"),
        Answer("orders", "(id) WHERE deleted_at IS NULL"),
    ],
)
def test_what_differs_in_one_word_is_wrong(answer: Answer) -> None:
    """A predicate that is left out, another table, another element."""
    comparison = compared(Report(Place("shop/orders.py", 3), answer))
    assert [each.report.answer for each in comparison.wrong] == [answer]
    assert not comparison.read_sites


def test_the_default_of_a_name_is_a_right_answer() -> None:
    """Which is what a program that configures nothing inserts into."""
    comparison = compared(Report(Place("shop/orders.py", 12), Answer("carts", "(id)")))
    assert [site.place.line for site in comparison.read_sites] == [12]


def test_an_answer_where_none_can_be_known_is_wrong() -> None:
    """A guess is a fault even where nobody can say that it is a wrong one."""
    comparison = compared(Report(Place("shop/orders.py", 9), Answer("items", "(id)")))
    assert len(comparison.wrong) == 1


def test_an_answer_where_the_truth_has_no_upsert_is_wrong() -> None:
    """It is either no upsert, or one that the truth lacks; a person has to look."""
    comparison = compared(Report(Place("shop/orders.py", 4), Answer("items", "(id)")))
    assert [each.right for each in comparison.wrong] == [frozenset()]


def test_a_helper_is_read_at_its_calls() -> None:
    """Both of its lines are, by one report at the only call that can be known."""
    comparison = compared(USERS)
    assert [site.place.line for site in comparison.read_sites] == [5, 8]
    assert comparison.share == pytest.approx(2 / 4)
    assert comparison.share_of_all == pytest.approx(2 / 5)


def test_a_report_on_the_way_is_about_the_call_that_means_it() -> None:
    """The place may be a call in which table and keys are still parameters."""
    on_the_way = Report(Place("shop/helper.py", 20), Answer("users", "()"))
    assert len(compared(on_the_way).read_sites) == 2


def test_a_report_within_a_call_is_about_that_call() -> None:
    """And one line further it is not."""
    inside = Report(Place("shop/users.py", 31), USERS.answer)
    assert compared(inside, last_line=31).read_sites
    assert compared(inside, last_line=30).wrong


def test_what_is_not_read_has_the_reason_that_was_reported() -> None:
    """And a call that no report is about has a reason of its own."""
    comparison = compared(Report(Place("shop/helper.py", 5), "table: a parameter"))
    assert dict(comparison.unread) == {"table: a parameter": 1, "nothing is reported": 2}
