"""SQLite's cases for hypothesis to choose from: fewer kinds of tables, and rows that its typing makes odd."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from .cases import (
    ARCHIVE_IS_SHORT,
    Case,
    Column,
    Element,
    Held,
    Order,
    Predicate,
    Reference,
    quoted,
)
from .postgresql import LISTED, ODD, mostly

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["sqlite_cases"]

KEY_TYPES = {
    # type: kind, literals; many of them equal without being the same
    "INTEGER": ("dynamic", ("1", "2", "3")),
    "TEXT": ("dynamic", ("'a'", "'b'", "'A'", "''")),
    "VARCHAR(9) COLLATE NOCASE": ("fold", ("'a'", "'A'", "'b'")),
    "TEXT COLLATE RTRIM": ("trimmed", ("'a'", "'a '", "'b'")),
    "BLOB": ("dynamic", ("1", "1.0", "'1'", "x'31'", "2.5")),
    "NUMERIC": ("dynamic", ("1", "'1.0'", "'x'", "2.5")),
    "REAL": ("dynamic", ("1", "1.0", "2.5")),
}
PRIMARY_KEYS = {
    # what it is called: columns, whether a row may have NULL in them
    "none": ((), False),
    "integer": ((Column("id", "INTEGER", "dynamic"),), False),
    "text": ((Column("id", "TEXT", "dynamic"),), True),
    "composite": (
        (Column("tenant", "INTEGER", "dynamic"), Column("id", "INTEGER", "dynamic")),
        False,
    ),
}
ACTIONS = ("NO ACTION", "CASCADE", "SET NULL", "SET DEFAULT", "RESTRICT")


@st.composite
def sqlite_cases(draw: Callable[..., Any]) -> Case:
    """A case that SQLite can hold."""
    return _Drawing(draw).case()


class _Drawing:
    def __init__(self, draw: Callable[..., Any]) -> None:
        self.draw = draw
        self.style = ODD[draw(mostly("plain", "mixed", "strange", "long"))]
        self.kind = draw(st.sampled_from(("integer", "none", "text", "composite")))
        of_key, self.may_lack = PRIMARY_KEYS[self.kind]
        self.without_rowid = bool(of_key) and draw(mostly(False, True))
        self.of_key = [replace(column, name=self.word(column.name)) for column in of_key]
        self.primary_key = [column.name for column in self.of_key]
        self.has_code = draw(st.booleans())
        self.statements: list[str] = []
        self.held: list[Held] = []
        self.references: list[Reference] = []
        self.key_columns = [self._key_column(n) for n in range(draw(st.sampled_from((1, 1, 2, 3))))]
        self.self_reference = self._self_reference()
        self.elements = [self._element(column) for column in self.key_columns]
        if self.self_reference is not None and len(self.self_reference) > 1:
            self.elements.append(Element(self.word("tenant"), "dynamic"))
        if self.self_reference is not None and draw(mostly(False, True)):
            self.elements.append(Element(self.word("parent"), "dynamic"))
        self.columns = self._columns()
        self.rows = self._rows()

    def case(self) -> Case:
        self._make_table()
        targets = self._targets()
        if targets:
            for n in range(self.draw(st.sampled_from((1, 0, 1, 2)))):
                self._make_child(n, targets)
        held = self._hold()
        archive = self.word("archive") if self.draw(mostly(True, False)) else None
        stands = None
        if archive is not None:
            stands = self.draw(st.sampled_from((*[None] * 8, "shared", ARCHIVE_IS_SHORT)))
            self._make_archive(archive, stands)
        state, n = self.word("state"), self.word("n")
        return Case(
            dialect="sqlite",
            statements=tuple(self.statements),
            schema=None,
            name=self.word("t"),
            tables=tuple(self.held),
            primary_key=tuple(self.primary_key),
            has_places=not self.without_rowid and self.kind in ("none", "text"),
            elements=tuple(self.draw(st.permutations(self.elements))),
            keep=self.draw(st.sampled_from(("first", "last"))),
            order_by=self._order(n),
            predicate=self.draw(
                mostly(
                    None,
                    Predicate(f"{quoted('sqlite', state)} = 'live'", state, "live"),
                    Predicate(f"{quoted('sqlite', n)} IS NULL", n, "null"),
                )
            ),
            archive=archive,
            archive_stands=stands,
            repoint=self.draw(mostly(True, False)),
            references=tuple(self.references),
            delete_held=held,
            payload=self.word("payload"),
            fresh=self._fresh(),
            enforced=self.draw(mostly(True, False)),
        )

    def word(self, name: str) -> str:
        return self.style.format(name)

    def listed(self, names: Any) -> str:
        return ", ".join(quoted("sqlite", name) for name in names)

    def relation(self, name: str) -> str:
        return quoted("sqlite", self.word(name))

    # the table

    def _key_column(self, n: int) -> Column:
        type_ = self.draw(st.sampled_from(list(KEY_TYPES)))
        kind, literals = KEY_TYPES[type_]
        if self.draw(st.booleans()):
            return Column(self.word(f"k{n}"), type_, kind, "", (*literals, "NULL"))
        return Column(self.word(f"k{n}"), type_, kind, "NOT NULL", literals)

    def _element(self, column: Column) -> Element:
        if column.type == "TEXT" and self.draw(mostly(False, True)):
            return Element(column.name, "fold", f"lower({quoted('sqlite', column.name)})")
        return Element(column.name, column.kind)

    def _targets(self) -> list[tuple[str, ...]]:
        code = (self.word("code"),) if self.has_code else ()
        return [target for target in (tuple(self.primary_key), code) if target]

    def _self_reference(self) -> tuple[str, ...] | None:
        targets = self._targets()
        if not targets or self.draw(mostly(True, False)):
            return None
        return self.draw(st.sampled_from(targets))

    def _own(self, referred: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(c if c == self.word("tenant") else self.word("parent") for c in referred)

    def _columns(self) -> list[Column]:
        word, n = self.word, quoted("sqlite", self.word("n"))
        columns = [
            *self.of_key,
            *self.key_columns,
            Column(word("n"), "INTEGER", "exact", "", ("1", "2", "-2", "NULL")),
            Column(word("state"), "TEXT", "exact", "", ("'live'", "'live'", "'dead'", "NULL")),
            Column(word("payload"), "", "exact", "", ("'x'", "x'00ff'", "1.5", "'1'", "NULL")),
        ]
        if self.has_code:
            columns.append(Column(word("code"), "INTEGER", "dynamic"))
        if self.self_reference is not None:
            referred = next(c for c in columns if c.name == self.self_reference[-1])
            columns.append(Column(word("parent"), referred.type, referred.kind))
        for kind in ("STORED", "VIRTUAL"):
            if self.draw(mostly(False, True)):
                clause = f"AS ({n} * 2) {kind}"
                columns.append(
                    Column(word(kind.lower()), "INTEGER", "exact", clause, written=False)
                )
        odd = (
            Column("place", "DECIMAL(9,2)", "exact", "", ("'1.50'", "'x'")),
            Column("gone", "DATETIME", "exact", "", ("'2024-01-01 00:00:00'", "5")),
        )
        columns += self.draw(st.lists(st.sampled_from(odd), max_size=2, unique=True))
        return self.draw(st.permutations(columns))

    def _rows(self) -> list[dict[str, str]]:
        count = self.draw(st.sampled_from((6, 7, 8, 9, 5, 4, 3, 2, 0)))
        rows: list[dict[str, str]] = []
        for place in self.draw(st.permutations(range(count))):
            row = {
                c.name: self.draw(st.sampled_from(c.literals)) for c in self.columns if c.written
            }
            if rows and self.draw(mostly(True, False)):
                other = self.draw(st.sampled_from(rows))
                row |= {c.name: other[c.name] for c in self.key_columns}
            row.update(self._identity(place))
            if self.has_code:
                row[self.word("code")] = self.draw(mostly(str(100 + place), "NULL"))
            rows.append(row)
        if self.self_reference is not None:
            *shared, last = self.self_reference
            for row in rows:
                possible = [
                    other[last]
                    for other in rows
                    if all(other[c] == row[c] for c in shared) and other[last] != "NULL"
                ]
                row[self.word("parent")] = self.draw(st.sampled_from((*possible, "NULL")))
        return rows

    def _identity(self, place: int) -> dict[str, str]:
        word = self.word
        if self.kind == "composite":
            return {word("tenant"): str(place % 2 + 1), word("id"): str(place // 2 + 1)}
        if self.kind == "text":
            lacks = self.may_lack and not self.without_rowid and self.draw(mostly(False, True))
            return {word("id"): "NULL" if lacks else f"'{chr(ord('a') + place)}'"}
        return {word("id"): str(place + 1)} if self.kind == "integer" else {}

    def _make_table(self) -> None:
        lines = [f"{quoted('sqlite', c.name)} {c.type} {c.clause}".strip() for c in self.columns]
        if self.primary_key:
            lines.append(f"PRIMARY KEY ({self.listed(self.primary_key)})")
        if self.has_code:
            lines.append(f"UNIQUE ({quoted('sqlite', self.word('code'))})")
        if self.self_reference is not None:
            own = self._own(self.self_reference)
            lines.append(self._foreign_key(own, self.self_reference))
        without = " WITHOUT ROWID" if self.without_rowid else ""
        self.statements.append(
            f"CREATE TABLE {self.relation('t')} (\n    {LISTED.join(lines)}\n){without}"
        )
        # rows refer to others that come later
        self.statements.append("PRAGMA defer_foreign_keys = ON")
        self._insert("t", self.rows)
        self.statements.append("PRAGMA defer_foreign_keys = OFF")
        self.held.append(Held("t", self.relation("t"), tuple(self.columns)))
        if self.self_reference is not None:
            own = self._own(self.self_reference)
            told = f"{self.relation('t')} ({self.listed(own)})"
            self.references.append(Reference(told, "t", own, "t", self.self_reference))

    def _foreign_key(self, own: tuple[str, ...], referred: tuple[str, ...]) -> str:
        implied = referred == tuple(self.primary_key) and self.draw(st.booleans())
        columns = "" if implied else f" ({self.listed(referred)})"
        when = self.draw(mostly("", " DEFERRABLE INITIALLY DEFERRED"))
        return (
            f"FOREIGN KEY ({self.listed(own)}) REFERENCES {self.relation('t')}{columns} "
            f"ON DELETE {self.draw(st.sampled_from(ACTIONS))}{when}"
        )

    def _insert(self, name: str, rows: list[dict[str, str]]) -> None:
        if rows:
            values = LISTED.join(f"({', '.join(row.values())})" for row in rows)
            self.statements.append(
                f"INSERT INTO {self.relation(name)} ({self.listed(rows[0])}) VALUES\n    {values}"
            )

    # what refers to it, and what holds on to it

    def _make_child(self, n: int, targets: list[tuple[str, ...]]) -> None:
        draw, name = self.draw, f"c{n}"
        of_type = {column.name: column for column in self.columns}
        columns = [
            Column("id", "INTEGER", "dynamic"),
            Column("no", "INTEGER", "exact", "", ("1", "2")),
        ]
        lines, foreign_keys = ["PRIMARY KEY (id)"], []
        for m in range(draw(st.sampled_from((1, 1, 2)))):
            referred = draw(st.sampled_from(targets))
            own = tuple(self.word(f"r{m}_{place}") for place in range(len(referred)))
            columns += [
                Column(mine, of_type[theirs].type, of_type[theirs].kind)
                for mine, theirs in zip(own, referred, strict=True)
            ]
            lines.append(self._foreign_key(own, referred))
            foreign_keys.append((own, referred))
        unique = draw(mostly(None, (*foreign_keys[0][0], "no"), foreign_keys[0][0]))
        if unique is not None:
            lines.append(f"UNIQUE ({self.listed(unique)})")
        made = [f"{quoted('sqlite', c.name)} {c.type}" for c in columns]
        self.statements.append(
            f"CREATE TABLE {self.relation(name)} (\n    {LISTED.join((*made, *lines))}\n)"
        )
        rows = self._rows_of_child(columns, foreign_keys, unique)
        self._insert(name, rows)
        held = None
        if draw(st.sampled_from((*[False] * 5, True))):
            held = "no"
            self.statements.append(
                f"CREATE TRIGGER {name}_keeps BEFORE UPDATE ON {self.relation(name)} WHEN OLD.no = 1 "
                "BEGIN SELECT RAISE(IGNORE); END"
            )
        uniques = () if unique is None else (unique,)
        self.held.append(Held(name, self.relation(name), tuple(columns), uniques))
        self.references += [
            Reference(
                f"{self.relation(name)} ({self.listed(own)})", name, own, "t", referred, held=held
            )
            for own, referred in foreign_keys
        ]
        if unique is not None and draw(st.booleans()):
            self._make_grandchild(name, columns, rows, unique)

    def _rows_of_child(
        self,
        columns: list[Column],
        foreign_keys: list[tuple[tuple[str, ...], tuple[str, ...]]],
        unique: tuple[str, ...] | None,
    ) -> list[dict[str, str]]:
        rows: list[dict[str, str]] = []
        for place in range(self.draw(st.integers(0, 5))):
            row = {c.name: self.draw(st.sampled_from(c.literals)) for c in columns}
            row["id"] = str(place + 1)
            for own, referred in foreign_keys:
                targets = [tuple(parent[c] for c in referred) for parent in self.rows]
                targets = [values for values in targets if "NULL" not in values]
                nothing = ("NULL",) * len(own)
                row.update(zip(own, self.draw(st.sampled_from((*targets, nothing))), strict=True))
            if unique is None or not any(
                all(other[c] == row[c] != "NULL" for c in unique) for other in rows
            ):
                rows.append(row)
        return rows

    def _make_grandchild(
        self,
        name: str,
        columns: list[Column],
        rows: list[dict[str, str]],
        unique: tuple[str, ...],
    ) -> None:
        by_name = {column.name: column for column in columns}
        own = tuple(f"g{n}" for n in range(len(unique)))
        made = [
            Column(mine, by_name[c].type, by_name[c].kind)
            for mine, c in zip(own, unique, strict=True)
        ]
        on_update = self.draw(st.sampled_from(("NO ACTION", "CASCADE", "SET NULL")))
        self.statements.append(
            f"CREATE TABLE {self.relation(f'{name}g')} ({', '.join(f'{c.name} {c.type}' for c in made)}, "
            f"FOREIGN KEY ({self.listed(own)}) REFERENCES {self.relation(name)} ({self.listed(unique)}) "
            f"ON DELETE CASCADE ON UPDATE {on_update})"
        )
        parents = [row for row in rows if all(row[c] != "NULL" for c in unique)]
        chosen = self.draw(st.lists(st.sampled_from(parents), max_size=3)) if parents else []
        self._insert(
            f"{name}g", [dict(zip(own, (row[c] for c in unique), strict=True)) for row in chosen]
        )
        self.held.append(Held(f"{name}g", self.relation(f"{name}g"), tuple(made)))
        told = f"{self.relation(f'{name}g')} ({self.listed(own)})"
        self.references.append(Reference(told, f"{name}g", own, name, unique, on_update))

    def _hold(self) -> str | None:
        if not self.draw(st.sampled_from((*[False] * 9, True))):
            return None
        n = self.word("n")
        self.statements.append(
            f"CREATE TRIGGER keeps BEFORE DELETE ON {self.relation('t')} WHEN OLD.{quoted('sqlite', n)} = 1 "
            "BEGIN SELECT RAISE(IGNORE); END"
        )
        return n

    def _make_archive(self, archive: str, stands: str | None) -> None:
        name, own = quoted("sqlite", archive), "upsert_guard_reason TEXT, upsert_guard_kept TEXT"
        if stands == ARCHIVE_IS_SHORT:
            self.statements.append(f"CREATE TABLE {name} ({own})")
        elif stands == "shared":
            columns = ", ".join(f"{quoted('sqlite', c.name)} {c.type}" for c in self.columns)
            self.statements += [
                f"CREATE TABLE {name} ({own}, upsert_guard_archived_at TEXT, {columns})",
                f"INSERT INTO {name} (upsert_guard_reason) VALUES ('another key')",
            ]

    def _order(self, n: str) -> tuple[Order, ...]:
        sql = quoted("sqlite", n)
        return self.draw(
            st.sampled_from(
                (
                    (),
                    (Order(sql, n, "number"),),
                    (Order(f"-{sql}", n, "negated"),),
                    (Order(f"abs({sql})", n, "absolute"), Order(sql, n, "number")),
                    (Order(f"coalesce({sql}, 0)", n, "or zero"),),
                )
            )
        )

    def _fresh(self) -> dict[str, str]:
        fresh = {}
        if self.primary_key:
            fresh[self.word("id")] = "'zz'" if self.kind == "text" else "9999"
        if self.has_code:
            fresh[self.word("code")] = "NULL"
        return fresh
