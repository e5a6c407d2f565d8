"""What is reported: the fact, the line to paste, the place; and how a comment suppresses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from alembic_upsert_guard.findings import Finding, FindingCode, Location
from alembic_upsert_guard.upserts.scan import IgnoreComment, Resolution, scan

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from alembic_upsert_guard.upserts.scan import DeclaredTables, ScanReport

IMPORTS = (
    "from sqlalchemy import text\n"
    "from sqlalchemy.dialects.postgresql import insert\n"
    "from shop.models import Account, Order, Status, Subscription, User, visits\n"
)


def described(report: ScanReport) -> list[tuple[str, str, str]]:
    """Code, fact and hint of each finding."""
    return [(f.code, f.fact, f.hint) for f in report.findings]


def saved(call: str) -> str:
    """A module that upserts."""
    return f"{IMPORTS}{call}\n"


def test_an_undeclared_target_is_reported_with_the_line_to_paste(
    scanned: Callable[..., ScanReport], folder: Path
) -> None:
    """Into which class it goes, and what the table declares already."""
    report = scanned(
        service_py=saved("insert(Account).on_conflict_do_nothing(index_elements=['status'])")
    )

    assert report.findings == (
        Finding(
            code=FindingCode.UNDECLARED_UPSERT,
            table="accounts",
            elements=("status",),
            fact="upsert key accounts (status) is declared by no model, and nothing in the models serves it; declared: "
            "upsert key accounts (tenant, email), upsert key accounts (email) WHERE deleted_at IS NULL",
            hint='add UpsertKey("status") to __table_args__ of class Account (shop.models)',
            location=Location(str(folder / "service.py"), 4),
        ),
    )


@pytest.mark.parametrize(
    ("call", "hint"),
    [
        (
            "insert(Account).on_conflict_do_nothing(index_elements=['status', 'active'])",
            'add UpsertKey("status", "active") to __table_args__ of class Account (shop.models)',
        ),
        (
            "insert(visits).on_conflict_do_nothing(index_elements=['page'])",
            'add UpsertKey("page") to Table("visits", ...)',
        ),
        (
            (
                "insert(Account).on_conflict_do_nothing(index_elements=[text('lower(status)')], "
                "index_where=text(\"status <> 'x'\"))"
            ),
            (
                'add UpsertKey(sa.text("lower(status)"), where=sa.text("status <> \'x\'")) '
                "to __table_args__ of class Account (shop.models)"
            ),
        ),
        (
            "insert(Order).on_conflict_do_nothing(index_elements=['nummer'])",
            "correct the upsert, or add the column; the model of orders has id, number",
        ),
        (
            "SQL = 'INSERT INTO oders (a) VALUES (1) ON CONFLICT (a) DO NOTHING'",
            "correct the table's name, or add a model of oders with its UpsertKey(...)",
        ),
    ],
)
def test_the_hint_says_what_to_write(
    scanned: Callable[..., ScanReport], call: str, hint: str
) -> None:
    """Ready to paste, where the source tells enough."""
    (finding,) = scanned(service_py=saved(call)).findings

    assert (finding.code, finding.severity, finding.hint) == ("undeclared-upsert", "error", hint)


def test_an_unresolved_call_site_says_why(scanned: Callable[..., ScanReport]) -> None:
    """A warning, with the reason as its fact."""
    report = scanned(
        service_py=saved("def save(key): insert(Order).on_conflict_do_nothing(index_elements=key)")
    )

    ((code, fact, _),) = described(report)
    assert (code, fact) == ("unresolved-upsert", "key comes in as a parameter")
    assert report.findings[0].severity == "warning"
    assert report.upserts[0].findings[0].fact == fact


def test_a_declared_call_site_says_nothing(scanned: Callable[..., ScanReport]) -> None:
    """No finding, no reason."""
    report = scanned(
        service_py=saved(
            "insert(Account).on_conflict_do_nothing(index_elements=['tenant', 'email'])"
        )
    )

    assert report.findings == ()
    assert report.upserts[0].resolution is Resolution.DECLARED
    assert report.upserts[0].findings == ()


@pytest.mark.parametrize(
    ("predicate", "binds"),
    [
        ("Subscription.status == 'open'", True),
        ("Subscription.status.in_(['open'])", True),
        ("Subscription.status != Status.OPEN", True),
        ("(Subscription.id > 0) & Subscription.status.is_(None)", True),
        ("text(\"status = 'open'\")", False),
        ("Subscription.status.is_(None)", False),
        ("Subscription.status == text(\"'open'\")", False),
        ("Subscription.status == status()", False),
    ],
)
def test_a_predicate_that_binds_is_a_finding(
    scanned: Callable[..., ScanReport], predicate: str, binds: bool
) -> None:
    """Whatever the call site is resolved to; what is not known to bind is not said to."""
    call = (
        "insert(Subscription).on_conflict_do_nothing(index_elements=['account_id'], index_where={})"
    )
    report = scanned(service_py=saved(call.format(predicate)))

    found = [f for f in report.findings if f.code == "bound-predicate"]
    assert bool(found) is binds
    assert all(f.severity == "warning" and "42P10" in f.fact for f in found)


@pytest.mark.parametrize(
    ("elements", "binds"),
    [
        ("[func.coalesce(User.email, '')]", True),
        ("['id', func.coalesce(User.email, 'x')]", True),
        ("(func.substr(User.email, 1),)", True),
        ("[*KEY, func.nullif(User.email, '')]", True),
        ("KEY + [func.nullif(User.email, '')]", True),
        ("list(BOUND)", True),
        ("[text(\"coalesce(email, '')\")]", False),
        ("[func.coalesce(User.email, text(\"''\"))]", False),
        ("[func.lower(User.email)]", False),
        ("['email']", False),
        ("KEY", False),
        ("list(KEY)", False),
        ("[NAME]", False),
    ],
)
def test_an_element_that_binds_is_a_finding(
    scanned: Callable[..., ScanReport], elements: str, *, binds: bool
) -> None:
    """A string is a column's name among the elements, and a value inside of a function."""
    given = "from sqlalchemy import func\nNAME = 'email'\nKEY = ['email']\nBOUND = [func.coalesce(User.email, '')]\n"
    call = f"insert(User).on_conflict_do_nothing(index_elements={elements})"
    report = scanned(service_py=saved(f"{given}{call}"))

    found = [f for f in report.findings if f.code == "bound-predicate"]
    assert bool(found) is binds
    assert all("on SQLite at once" in f.fact for f in found)


@pytest.mark.parametrize(
    ("element", "binds"), [("coalesce(email, %s)", True), ("coalesce(email, '')", False)]
)
@pytest.mark.parametrize("values", ["(%s)", "(%s) -- '"], ids=["both", "commented"])
def test_an_element_of_sql_that_binds_is_one(
    scanned: Callable[..., ScanReport], values: str, element: str, *, binds: bool
) -> None:
    """In SQL text it is a parameter, and which key it is depends on its value."""
    sql = f"INSERT INTO users (email) VALUES {values}\n ON CONFLICT ({element}) DO NOTHING"
    report = scanned(service_py=saved(f'execute("""{sql}""")'))

    assert bool([f for f in report.findings if f.code == "bound-predicate"]) is binds
    (judged,) = report.upserts
    assert ("holds a bound value" in judged.findings[0].fact) is binds


def test_one_that_binds_and_is_declared_is_reported_once(
    scanned: Callable[..., ScanReport],
) -> None:
    """The way out is the declared key itself."""
    report = scanned(
        service_py=saved(
            "insert(Subscription).on_conflict_do_nothing(index_elements=['account_id'], "
            "index_where=Subscription.status == 'open')"
        )
    )

    assert [judged.resolution for judged in report.upserts] == [Resolution.DECLARED]
    assert [(f.code, f.where) for f in report.findings] == [("bound-predicate", "status = 'open'")]


@pytest.mark.parametrize(
    "line",
    [
        "insert(Order).on_conflict_do_nothing(index_elements=['id'])  # upsert-guard: ignore[undeclared-upsert]",
        (
            "(  \n    insert(Order)\n    .on_conflict_do_nothing(\n"
            "        index_elements=['id'],  # why not; upsert-guard:ignore[bound-predicate, undeclared-upsert]\n    ))"
        ),
        (
            "execute('''\n    INSERT INTO orders (id)\n    VALUES (1) ON CONFLICT (id) DO NOTHING\n"
            "''')  # upsert-guard: ignore[undeclared-upsert]"
        ),
    ],
)
def test_a_comment_suppresses_the_finding(scanned: Callable[..., ScanReport], line: str) -> None:
    """On any line of the call or string; the call site itself stays in the report."""
    report = scanned(service_py=saved(line))

    assert report.findings == ()
    assert [judged.resolution for judged in report.upserts] == [Resolution.MODELLED]


@pytest.mark.parametrize(
    "lines",
    [
        "# upsert-guard: ignore[undeclared-upsert]\ninsert(Order).on_conflict_do_nothing(index_elements=['id'])",
        "insert(Order).on_conflict_do_nothing(index_elements=['id'])  # upsert-guard: ignore[unresolved-upsert]",
        "insert(Order).on_conflict_do_nothing(index_elements=['id'])  # upsert-guard: ignore",
        "insert(Order).on_conflict_do_nothing(index_elements=['id' '#upsert-guard: ignore[undeclared-upsert]'[:0]])",
    ],
)
def test_another_comment_suppresses_nothing(scanned: Callable[..., ScanReport], lines: str) -> None:
    """On another line, of another code, without a code, or no comment at all."""
    report = scanned(service_py=saved(lines))

    assert len(report.findings) == 1


def test_a_comment_in_sql_counts_for_its_statement(scanned: Callable[..., ScanReport]) -> None:
    """From the statement's first line to its last; in a function, those of the statement inside."""
    report = scanned(
        seed_sql=(
            "INSERT INTO orders (id) VALUES (1)\n"
            "ON CONFLICT (id) DO NOTHING; -- upsert-guard: ignore[undeclared-upsert]\n"
            "INSERT INTO orders (id) VALUES (2) ON CONFLICT (id) DO NOTHING;\n"
            "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$\nBEGIN\n"
            "    INSERT INTO orders (id) VALUES (1)\n"
            "    ON CONFLICT (id) DO NOTHING; -- upsert-guard: ignore[undeclared-upsert]\n"
            "    INSERT INTO orders (id) VALUES (1) ON CONFLICT (id) DO NOTHING;\n"
            "END $$;\n"
        )
    )

    assert [judged.upsert.place.line for judged in report.upserts] == [2, 3, 7, 8]
    assert [f.location.line for f in report.findings if f.location] == [3, 8]
    assert report.stale_ignores == ()


def test_a_comment_in_typescript_counts_for_its_call(scanned: Callable[..., ScanReport]) -> None:
    """Either form of comment, on any line of the chain."""
    report = scanned(
        save_ts=(
            "client\n  .from('orders')\n  .upsert(rows, {\n"
            "    onConflict: 'id', // upsert-guard: ignore[undeclared-upsert]\n  });\n"
            "client.from('orders').upsert(rows, { onConflict: 'id' }); /* upsert-guard: ignore[undeclared-upsert] */\n"
            "client.from('orders').upsert(rows, { onConflict: 'id' });\n"
        )
    )

    assert [judged.upsert.place.line for judged in report.upserts] == [3, 6, 7]
    assert [f.location.line for f in report.findings if f.location] == [7]


def test_comments_that_suppress_nothing_are_listed(
    scanned: Callable[..., ScanReport], folder: Path
) -> None:
    """File by file, code by code, whether the file upserts or not."""
    report = scanned(
        a_py=saved(
            "insert(Order).on_conflict_do_nothing(index_elements=['id'])  "
            "# upsert-guard: ignore[undeclared-upsert, bound-predicate]"
        ),
        b_py="x = 1  # upsert-guard: ignore[undeclared-upsert]\n",
    )

    assert report.stale_ignores == (
        IgnoreComment(str(folder / "a.py"), 4, "bound-predicate"),
        IgnoreComment(str(folder / "b.py"), 1, "undeclared-upsert"),
    )


def test_findings_come_in_the_order_of_the_source(folder: Path, shop: DeclaredTables) -> None:
    """By path, then by line."""
    for name in ("b.sql", "a.sql"):
        (folder / name).write_text(
            "INSERT INTO orders VALUES (1) ON CONFLICT (id) DO NOTHING;\n" * 2
        )

    report = scan([folder / "b.sql", folder / "a.sql"], shop)

    places = [(f.location.path[-5:], f.location.line) for f in report.findings if f.location]
    assert places == [("a.sql", 1), ("a.sql", 2), ("b.sql", 1), ("b.sql", 2)]
