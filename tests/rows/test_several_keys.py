"""Rows that break several keys: one refusal says them all, with the lines in the order that works."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.rows.test_any_revision import write

if TYPE_CHECKING:
    from tests.project import Project

SHOP = (
    "CREATE TABLE products (id serial PRIMARY KEY, sku text)",
    "CREATE TABLE order_lines (id serial PRIMARY KEY, order_id int, product_id int REFERENCES products)",
    "INSERT INTO products (sku) VALUES ('a'), ('a'), ('b')",
    "INSERT INTO order_lines (order_id, product_id) VALUES (1, 1), (1, 2), (2, 3), (2, 3)",
)
MODELS = """
    class OrderLine(Base):
        __tablename__ = "order_lines"
        __table_args__ = (UpsertKey("order_id", "product_id", nulls="distinct"),)
        id: Mapped[int] = mapped_column(primary_key=True)
        order_id: Mapped[int | None]
        product_id: Mapped[int | None] = mapped_column(ForeignKey("products.id"))

    class Product(Base):
        __tablename__ = "products"
        __table_args__ = (UpsertKey("sku", nulls="distinct"),)
        id: Mapped[int] = mapped_column(primary_key=True)
        sku: Mapped[str | None] = mapped_column(Text)
"""
PRODUCTS = (
    "op.deduplicate_upsert_key('products', ['sku'], keep='last', order_by=['id'], "
    "archive_table='products_duplicates', repoint=True)"
)
ORDER_LINES = (
    "op.deduplicate_upsert_key('order_lines', ['order_id', 'product_id'], keep='last', order_by=['id'], "
    "archive_table='order_lines_duplicates')"
)


def test_one_refusal_says_every_key_and_its_lines_work_in_their_order(project: Project) -> None:
    """Parents first: rows of the child that become equal with the parent's are gone by the child's own line.

    Whichever is checked first: here somebody has put the child's check above the parent's.
    """
    project.sql(*SHOP)
    project.models(MODELS)
    revision = project.revise()
    of_parent, of_child = (line for line in revision.lines("upgrade") if "validate" in line)
    text = revision.text.replace(of_parent, "{}").replace(of_child, of_parent).format(of_child)
    revision.path.write_text(text)
    out = project.alembic("upgrade", "head").out

    assert "upsert key order_lines (order_id, product_id) does not hold: 1 duplicate group" in out
    assert (
        "upsert key products (sku) does not hold either: 1 duplicate group, 1 surplus row\n" in out
    )
    assert "  sku = 'a': 2 rows, id 1, 2\n" in out
    lines = [line.strip() for line in out.splitlines() if line.strip().startswith("op.dedup")]
    assert lines == [PRODUCTS, ORDER_LINES]

    first = "    op.validate_upsert_key("
    pasted = "".join(f"    {line}\n" for line in lines)
    revision.path.write_text(text.replace(first, pasted + first, 1))
    project.upgrade()
    assert project.rows("SELECT order_id, product_id FROM order_lines ORDER BY id") == [
        (1, 2),
        (2, 3),
    ]


def test_the_lines_offered_in_a_revision_are_in_the_order_that_works(project: Project) -> None:
    """Each with what it needs: taken out of their comments as they are, the upgrade goes through."""
    project.sql(*SHOP)
    project.models(MODELS)
    revision = project.revise()
    lines = [line for line in revision.written("upgrade") if line.startswith("# op.dedup")]
    assert lines == [f"# {PRODUCTS}", f"# {ORDER_LINES}"]

    revision.path.write_text(revision.text.replace("# op.", "op."))
    project.upgrade()
    project.downgrade()
    assert project.rows("SELECT sku FROM products ORDER BY id") == [("a",), ("a",), ("b",)]


def test_a_refusal_of_one_revision_says_the_keys_of_the_next(project: Project) -> None:
    """Of an upgrade over two; a key that the database serves is not read again."""
    project.sql(*SHOP)
    project.models(MODELS)
    write(project, "op.create_unique_constraint('uq_products', 'products', ['sku'])", name="r01")
    write(
        project,
        "op.validate_upsert_key('order_lines', ['order_id', 'product_id'])",
        name="r02",
        after="r01",
    )
    out = project.alembic("upgrade", "head").out

    assert (
        "unique constraint uq_products on products (sku) cannot be created: 1 duplicate group"
        in out
    )
    assert (
        "upsert key order_lines (order_id, product_id) does not hold either: 1 duplicate group"
        in out
    )


def test_a_key_that_nothing_breaks_is_not_said(project: Project) -> None:
    """The twin: the other table's rows are unique."""
    project.sql(*SHOP, "DELETE FROM order_lines", "DELETE FROM products WHERE id = 1")
    project.models(MODELS)
    project.sql("INSERT INTO order_lines (order_id, product_id) VALUES (2, 3), (2, 3)")
    project.revise()

    assert "either" not in project.alembic("upgrade", "head").out


STOCK = (
    "CREATE TABLE stock (product_id int PRIMARY KEY REFERENCES products, n int)",
    "INSERT INTO stock VALUES (1, 5), (2, 7), (3, 1)",
)
DEDUPLICATE = (
    "op.deduplicate_upsert_key('products', ['sku'], keep='last', order_by=['id'], repoint=True{})"
)
EQUAL = (
    "FAILED: upsert key products (sku) cannot be deduplicated: the foreign key stock (product_id) is in stock_pkey, "
    "and moving its references makes rows equal that this keeps apart; nothing was changed. Merge these rows or "
    "delete one of them first"
)


def test_a_reference_in_the_childs_own_key_is_named_with_the_two_rows(project: Project) -> None:
    """No order works there; the rows are values, which are kept back where it is asked for."""
    project.sql(*SHOP, *STOCK)
    write(project, DEDUPLICATE.format(""))
    assert project.alembic("upgrade", "head").out.strip() == (
        f"{EQUAL}. The rows product_id = 1 and product_id = 2 would be equal"
    )
    write(project, DEDUPLICATE.format(", reveal=False"))
    assert project.alembic("upgrade", "head").out.strip() == EQUAL

    project.sql("DELETE FROM stock WHERE product_id = 2")
    project.upgrade()
    assert project.rows("SELECT product_id FROM stock ORDER BY 1") == [(2,), (3,)]


def test_on_sqlite_the_foreign_key_is_named(sqlite_project: Project) -> None:
    """As on PostgreSQL, without the rows."""
    shop = (each.replace("serial", "integer NOT NULL") for each in SHOP)
    sqlite_project.sql(*shop, *STOCK)
    write(sqlite_project, DEDUPLICATE.format(""))

    assert (
        "the foreign key stock (product_id) is in a key of its table"
        in sqlite_project.alembic("upgrade", "head").out
    )
