"""PostgreSQL's cases for hypothesis to choose from."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError

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

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.engine import Engine

__all__ = ["postgresql_cases", "set_up"]

ROLE = "dedup_owner"

SETUP = (
    f"""
    DO $$ BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{ROLE}') THEN CREATE ROLE {ROLE}; END IF;
    END $$
    """,
    f"GRANT ALL ON SCHEMA public TO {ROLE}",
    """
    CREATE OR REPLACE FUNCTION keep_away() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$
    """,
    """
    CREATE OR REPLACE FUNCTION keep_as_it_was() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$
    """,
    """
    CREATE OR REPLACE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN NEW.touched := OLD.touched + 1; RETURN NEW; END $$
    """,
)
"""What every case finds; committed once."""

FEATURES = {
    "citext": "CREATE EXTENSION IF NOT EXISTS citext",
    "ci": "CREATE COLLATION IF NOT EXISTS ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
}
"""What some builds of the server lack."""

KEY_TYPES = {
    # type: kind, literals; many of them equal without being the same
    "int": ("exact", ("1", "2", "3")),
    "text": ("exact", ("'a'", "'b'", "'A'", "''")),
    "numeric": ("number", ("1", "1.0", "1.00", "2", "'NaN'")),
    "char(3)": ("padded", ("'a'", "'a '", "'b'")),
    "bpchar": ("padded", ("'a'", "'a  '", "'b'")),
    "double precision": ("number", ("0", "'-0'", "1.5", "'NaN'")),
    "interval": ("interval", ("'1 month'", "'30 days'", "'720 hours'", "'1 day'")),
    "jsonb": ("document", ("""'{"a": 1}'""", """'{"a": 1.0}'""", "'[]'")),
    "numeric[]": ("numbers", ("'{1}'", "'{1.0}'", "'{}'")),
    "boolean": ("exact", ("true", "false")),
    "date": ("exact", ("'2024-02-29'", "'2024-03-01'")),
    "citext": ("fold", ("'a'", "'A'", "'b'")),
    'text COLLATE "ci"': ("fold", ("'a'", "'A'", "'b'")),
}

EXPRESSIONS = {
    "text": ("lower({})", "fold"),
    "citext": ("lower({})", "fold"),
    "int": ("coalesce({}, 0)", "or zero"),
    "numeric": ("round({})", "rounded"),
}

ODD = {
    "plain": "{}",
    "mixed": "Mixed Case {}",
    "strange": 'it\'s "{}" 100%(s)s :x ü',
    "long": "n" * 50 + "_{}",
}
"""Names: how each word is written."""

LISTED = ",\n    "

ACTIONS = ("NO ACTION", "CASCADE", "SET NULL", "SET DEFAULT", "RESTRICT")


def mostly(common: Any, *rare: Any) -> st.SearchStrategy[Any]:
    """The common value three times in four; hypothesis shrinks towards it."""
    return st.sampled_from((*[common] * (3 * len(rare)), *rare))


@dataclass
class Draft:
    """A case that is being drawn."""

    draw: Callable[..., Any]
    version: int
    features: frozenset[str]
    statements: list[str] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)
    deferred: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        draw = self.draw
        self.style = ODD[draw(mostly("plain", "mixed", "strange", "long"))]
        self.schema: str | None = draw(mostly(None, "other schema", "s"))
        self.shape: str = draw(
            st.sampled_from(
                ("table", "table", "table", "partitioned", "partition", "parent", "heir")
            )
        )
        self.key_of_rows: str = draw(
            st.sampled_from(("int", "none", "uuid", "text", "composite", "identity"))
        )
        if self.is_partitioned and self.key_of_rows == "identity":
            self.key_of_rows = "int"
        self.security: str | None = draw(
            st.sampled_from((*[None] * 10, "owner", "owner", "forced"))
        )
        self.repoint: bool = draw(mostly(True, False))

    @property
    def is_partitioned(self) -> bool:
        return self.shape in ("partitioned", "partition")

    def word(self, name: str) -> str:
        """A name in the style of the case."""
        return self.style.format(name)

    def sql(self, name: str) -> str:
        """A column's name as SQL."""
        return quoted("postgresql", self.word(name))

    def listed(self, names: Sequence[str]) -> str:
        return ", ".join(quoted("postgresql", name) for name in names)

    def relation(self, name: str) -> str:
        """A table's name as SQL."""
        return quoted("postgresql", self.schema, self.word(name))

    def say(self, *statements: str) -> None:
        self.statements.extend(statements)


@st.composite
def postgresql_cases(draw: Callable[..., Any], version: int, features: frozenset[str]) -> Case:
    """A case that a server of that major version can hold.

    :param features: those of FEATURES that its build has.
    """
    draft = Draft(draw, version, features)
    if draft.security is not None:
        draft.say(f"SET LOCAL ROLE {ROLE}")
    if draft.schema is not None:
        schema = quoted("postgresql", draft.schema)
        draft.statements[:0] = [
            f"CREATE SCHEMA {schema}",
            *([f"GRANT ALL ON SCHEMA {schema} TO {ROLE}"] if draft.security else []),
        ]
    return _Drawing(draft).case()


class _Drawing:
    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.draw = draft.draw
        self.word = draft.word
        self.partitioning = [self.word("p")] if draft.is_partitioned else []
        self.primary_key = self._primary_key()
        self.key_columns = self._key_columns()
        self.has_code = self.draw(st.booleans())
        self.self_reference = self._self_reference()
        self.elements = self._elements()
        self.columns = self._columns()
        self.rows: list[dict[str, str]] = []

    def case(self) -> Case:
        self.rows = self._rows()
        self._make_table()
        self._make_children()
        holds = self._hold()
        archive, stands = self._archive()
        draft = self.draft
        hidden = self._secure()
        draft.held[0] = replace(draft.held[0], hidden=hidden)
        name = "t1" if draft.shape == "partition" else "t"
        predicate = self._predicate()
        nulls = "warn"
        if draft.version >= 15:
            nulls = self.draw(mostly("warn", "not_distinct"))
        plain = predicate is None and all(e.sql is None for e in self.elements)
        return Case(
            dialect="postgresql",
            statements=tuple(draft.statements),
            schema=draft.schema,
            name=self.word(name),
            tables=tuple(draft.held),
            primary_key=tuple(self.primary_key),
            has_places=not self.primary_key,
            elements=tuple(self.elements),
            keep=self.draw(st.sampled_from(("first", "last"))),
            order_by=self._order(),
            predicate=predicate,
            nulls=nulls,
            archive=archive,
            archive_stands=stands,
            repoint=draft.repoint,
            references=tuple(draft.references),
            deferred=tuple(draft.deferred),
            role=None if draft.security is None else ROLE,
            secured=draft.security is not None,
            payload=self.word("payload"),
            fresh=self._fresh(),
            as_constraint=plain and nulls == "warn" and self.draw(st.booleans()),
            **holds,
        )

    # the table

    def _primary_key(self) -> list[str]:
        own = {"none": [], "composite": ["tenant", "id"]}.get(self.draft.key_of_rows, ["id"])
        return [*self.partitioning, *map(self.word, own)] if own else []

    def _key_columns(self) -> list[Column]:
        lacking = {"citext": "citext", "ci": 'text COLLATE "ci"'}
        types = [
            type_
            for type_ in KEY_TYPES
            if type_ not in {lacking[f] for f in lacking if f not in self.draft.features}
        ]
        columns = []
        for n in range(self.draw(st.sampled_from((1, 1, 2, 2, 3)))):
            type_ = self.draw(st.sampled_from(types))
            kind, literals = KEY_TYPES[type_]
            # few values: rows are meant to share them
            literals = literals[: self.draw(st.integers(2, len(literals)))]
            if self.draw(st.booleans()):
                columns.append(Column(self.word(f"k{n}"), type_, kind, "", (*literals, "NULL")))
            else:
                columns.append(Column(self.word(f"k{n}"), type_, kind, "NOT NULL", literals))
        return columns

    def _self_reference(self) -> tuple[str, ...] | None:
        """The columns that a reference of the table to itself refers to."""
        targets = [target for target in (tuple(self.primary_key), self._code()) if target]
        if not targets or self.draw(st.sampled_from((True, True, False))):
            return None
        return self.draw(st.sampled_from(targets))

    def _code(self) -> tuple[str, ...] | None:
        return (*self.partitioning, self.word("code")) if self.has_code else None

    def _own(self, referred: tuple[str, ...]) -> tuple[str, ...]:
        """The columns of the table's reference to itself: the tenant and the partition are its own."""
        shared = {self.word("p"), self.word("tenant")}
        return tuple(c if c in shared else self.word("parent") for c in referred)

    def _elements(self) -> list[Element]:
        elements = []
        for column in self.key_columns:
            spelled = EXPRESSIONS.get(column.type)
            if spelled is not None and not self.partitioning and self.draw(mostly(False, True)):
                sql, kind = spelled
                elements.append(
                    Element(column.name, kind, sql.format(quoted("postgresql", column.name)))
                )
            else:
                elements.append(Element(column.name, column.kind))
        more = list(self.partitioning) if self.draft.shape == "partitioned" else []
        if self.self_reference is not None:
            # a row that moves to another tenant's is another row: the key keeps them apart
            own = self._own(self.self_reference)
            more += [c for c in own if c in self.self_reference and c not in more]
            if self.draw(mostly(False, True)):
                more.append(self.word("parent"))
        elif self.draft.key_of_rows == "composite" and self.draw(st.booleans()):
            more.append(self.word("tenant"))
        elements += [Element(column, "exact") for column in more]
        return self.draw(st.permutations(elements))

    def _columns(self) -> list[Column]:
        draft, word = self.draft, self.word
        of_key = {
            "none": [],
            "uuid": [Column(word("id"), "uuid")],
            "text": [Column(word("id"), "text")],
            "composite": [Column(word("tenant"), "int"), Column(word("id"), "int")],
            "identity": [Column(word("id"), "bigint", "exact", "GENERATED ALWAYS AS IDENTITY")],
        }.get(draft.key_of_rows, [Column(word("id"), "int")])
        if draft.key_of_rows in ("int", "composite", "identity"):
            of_key = [replace(column, kind="number") for column in of_key]
        columns = [
            *of_key,
            *self.key_columns,
            Column(word("n"), "int", "exact", "", ("1", "2", "-2", "NULL")),
            Column(
                word("at"),
                "timestamp",
                "exact",
                "",
                ("'2024-01-01'", "'2024-01-01 00:00:01'", "'infinity'", "'-infinity'", "NULL"),
            ),
            Column(
                word("state"), "varchar(8)", "exact", "", ("'live'", "'live'", "'dead'", "NULL")
            ),
            Column(word("payload"), "text", "exact", "", ("'x'", "''", "E'\\\\'' \"%'", "NULL")),
            Column("touched", "int", "exact", "NOT NULL DEFAULT 0", ("0",)),
        ]
        columns += [
            Column(c, "int", "exact", "NOT NULL", ("1", "2", "3")) for c in self.partitioning
        ]
        if self.has_code:
            columns.append(Column(word("code"), "int", "number"))
        if self.self_reference is not None:
            referred = next(c for c in columns if c.name == self.self_reference[-1])
            columns.append(Column(word("parent"), referred.type, referred.kind))
        columns += self.draw(
            st.lists(st.sampled_from(self._odd_columns()), max_size=3, unique=True)
        )
        return self.draw(st.permutations(columns))

    def _odd_columns(self) -> list[Column]:
        n = quoted("postgresql", self.word("n"))
        columns = [
            Column(
                self.word("stored"),
                "int",
                "exact",
                f"GENERATED ALWAYS AS ({n} * 2) STORED",
                written=False,
            ),
            Column("gone_1", "json", "exact", "", ("""'{"a":  1, "a": 2}'""", "NULL")),
            Column("place", "bytea", "exact", "NOT NULL DEFAULT ''", (r"'\x00ff'",)),
            Column("surplus", "int4range", "exact", "", ("'[1,3)'", "'empty'")),
            Column("archive", "text[]", "exact", "", ("'{a,NULL}'", "'{}'")),
            Column("kept", "timestamptz", "exact", "DEFAULT now()", ("'2024-01-01 00:00+02'",)),
            Column("columns", "char(4)", "exact", "", ("'a'",)),
        ]
        if self.draft.version >= 18:
            virtual = f"GENERATED ALWAYS AS ({n} + 1) VIRTUAL"
            columns.append(Column(self.word("virtual"), "int", "exact", virtual, written=False))
        return columns

    def _rows(self) -> list[dict[str, str]]:
        count = self.draw(st.sampled_from((6, 7, 8, 9, 5, 4, 3, 2, 0)))
        places = self.draw(st.permutations(range(count)))
        rows = []
        for place in places:
            row = {
                column.name: self.draw(st.sampled_from(column.literals))
                for column in self.columns
                if column.written
            }
            if rows and self.draw(mostly(True, False)):
                # rows are meant to share keys, though not to the letter
                other = self.draw(st.sampled_from(rows))
                wholly = self.draw(mostly(True, False))
                row |= {
                    c.name: other[c.name]
                    for c in self.key_columns
                    if wholly or self.draw(st.booleans())
                }
            row.update(self._identity(place))
            if self.has_code:
                row[self.word("code")] = self.draw(mostly(str(100 + place), "NULL"))
            rows.append(row)
        if self.self_reference is not None:
            for row in rows:
                row[self.word("parent")] = self._parent_of(row, rows)
        return rows

    def _identity(self, place: int) -> dict[str, str]:
        word = self.word
        if self.draft.key_of_rows == "composite":
            return {word("tenant"): str(place % 2 + 1), word("id"): str(place // 2 + 1)}
        if self.draft.key_of_rows == "uuid":
            return {word("id"): f"'{place * 37 % 256:02x}000000-0000-0000-0000-00000000000{place}'"}
        if self.draft.key_of_rows == "text":
            return {word("id"): f"'{chr(ord('a') + place)}'"}
        return {} if self.draft.key_of_rows == "none" else {word("id"): str(place + 1)}

    def _parent_of(self, row: dict[str, str], rows: list[dict[str, str]]) -> str:
        assert self.self_reference is not None
        *shared, last = self.self_reference
        possible = [
            other[last]
            for other in rows
            if all(other[c] == row[c] for c in shared) and other[last] != "NULL"
        ]
        return self.draw(st.sampled_from((*possible, "NULL")))

    def _make_table(self) -> None:
        draft = self.draft
        lines = [
            f"{quoted('postgresql', column.name)} {column.type} {column.clause}".rstrip()
            for column in self.columns
        ]
        if dropped := self.draw(mostly(False, True)):
            lines.insert(len(lines) // 2, "dropped int")
        if self.primary_key:
            lines.append(f"PRIMARY KEY ({draft.listed(self.primary_key)})")
        if (code := self._code()) is not None:
            lines.append(f"UNIQUE ({draft.listed(code)})")
        if self.self_reference is not None:
            own = draft.listed(self._own(self.self_reference))
            lines.append(
                f"CONSTRAINT of_itself FOREIGN KEY ({own}) REFERENCES {draft.relation('t')} "
                f"({draft.listed(self.self_reference)}){self._action('of_itself', nullable=not self.partitioning)}"
            )
        after = ""
        if draft.is_partitioned:
            after = f" PARTITION BY LIST ({draft.sql('p')})"
        elif draft.shape == "heir":
            draft.say(f"CREATE TABLE {draft.relation('base')} ({draft.sql('payload')} text)")
            draft.say(f"INSERT INTO {draft.relation('base')} VALUES ('of the base')")
            after = f" INHERITS ({draft.relation('base')})"
        draft.say(f"CREATE TABLE {draft.relation('t')} (\n    {LISTED.join(lines)}\n){after}")
        if dropped:
            draft.say(f"ALTER TABLE {draft.relation('t')} DROP COLUMN dropped")
        self._make_relatives()
        overriding = "OVERRIDING SYSTEM VALUE " if draft.key_of_rows == "identity" else ""
        self._insert("t", self.rows, overriding)
        if draft.shape == "parent":
            self._insert("heir", self.rows[:2], "")
        self._hold_tables()

    def _insert(self, name: str, rows: list[dict[str, str]], overriding: str) -> None:
        if not rows:
            return
        names = list(rows[0])
        values = LISTED.join(f"({', '.join(row[name] for name in names)})" for row in rows)
        self.draft.say(
            f"INSERT INTO {self.draft.relation(name)} ({self.draft.listed(names)}) {overriding}VALUES\n    {values}"
        )

    def _make_relatives(self) -> None:
        draft = self.draft
        if draft.is_partitioned:
            for n, bounds in enumerate(("FOR VALUES IN (1)", "FOR VALUES IN (2)", "DEFAULT"), 1):
                draft.say(
                    f"CREATE TABLE {draft.relation(f't{n}')} PARTITION OF {draft.relation('t')} {bounds}"
                )
        if draft.shape == "parent":
            draft.say(f"CREATE TABLE {draft.relation('heir')} () INHERITS ({draft.relation('t')})")

    def _hold_tables(self) -> None:
        """What is read before and after; the table that is deduplicated first."""
        draft = self.draft
        uniques = tuple(
            tuple(columns) for columns in (self.primary_key, self._code() or ()) if columns
        )
        columns = tuple(self._as_created())
        touched = "touched" if self._touches("t") else None
        names = {"partition": ("t1", "t2", "t3"), "parent": ("t", "heir"), "heir": ("t", "base")}
        for name in names.get(draft.shape, ("t",)):
            only = "" if draft.shape == "partitioned" else "ONLY "
            of_base = (Column(self.word("payload"), "text"),)
            draft.held.append(
                Held(
                    name,
                    f"{only}{draft.relation(name)}",
                    of_base if name == "base" else columns,
                    uniques if name.startswith("t") else (),
                    touched if name.startswith("t") else None,
                )
            )
        if self.self_reference is None:
            return
        own = self._own(self.self_reference)
        told = f"{draft.relation('t')} ({draft.listed(own)})"
        rows_of_it = [held.label for held in draft.held if held.label.startswith("t")]
        draft.references += [
            Reference(told, child, own, parent, self.self_reference)
            for child in rows_of_it
            for parent in rows_of_it
        ]

    def _as_created(self) -> list[Column]:
        if self.draft.shape != "heir":
            return self.columns
        payload = self.word("payload")
        return sorted(self.columns, key=lambda column: column.name != payload)

    def _touches(self, name: str) -> bool:
        if not self.draw(mostly(False, True)):
            return False
        self.draft.say(
            f"CREATE TRIGGER touched BEFORE UPDATE ON {self.draft.relation(name)} "
            "FOR EACH ROW EXECUTE FUNCTION touch()"
        )
        return True

    # what refers to it

    def _action(self, name: str, *, nullable: bool) -> str:
        action = self.draw(st.sampled_from(ACTIONS))
        if not nullable and action.startswith("SET"):
            action = "CASCADE"
        when = self.draw(mostly("", " DEFERRABLE", " DEFERRABLE INITIALLY DEFERRED"))
        if when.endswith("DEFERRED"):
            self.draft.deferred.append(quoted("postgresql", self.draft.schema, name))
        return f" ON DELETE {action}{when}"

    def _make_children(self) -> None:
        targets = [target for target in (tuple(self.primary_key), self._code()) if target]
        if not targets:
            return
        for n in range(self.draw(st.sampled_from((1, 0, 1, 2, 2, 3)))):
            self._make_child(n, targets)

    def _make_child(self, n: int, targets: list[tuple[str, ...]]) -> None:
        draft, draw = self.draft, self.draw
        name, label = f"c{n}", f"c{n}"
        of_type = {column.name: column for column in self.columns}
        partitioned = draw(mostly(False, True))
        columns = [
            Column("id", "int", "number"),
            Column(self.word("no"), "int", "exact", "NOT NULL", ("1", "2")),
            Column("touched", "int", "exact", "NOT NULL DEFAULT 0", ("0",)),
        ]
        lines, foreign_keys = [], []
        for m in range(draw(st.sampled_from((1, 1, 2)))):
            referred = draw(st.sampled_from(targets))
            own = tuple(self.word(f"r{m}_{place}") for place in range(len(referred)))
            nullable = draw(mostly(True, False))
            columns += [
                Column(
                    mine,
                    self._referring_type(of_type[theirs]),
                    of_type[theirs].kind,
                    "" if nullable else "NOT NULL",
                )
                for mine, theirs in zip(own, referred, strict=True)
            ]
            full = " MATCH FULL" if draw(mostly(False, True)) else ""
            constraint = f"{name}_fk{m}"
            lines.append(
                f"CONSTRAINT {constraint} FOREIGN KEY ({draft.listed(own)}) REFERENCES {draft.relation('t')} "
                f"({draft.listed(referred)}){full}{self._action(constraint, nullable=nullable)}"
            )
            foreign_keys.append((own, referred, nullable, bool(full)))
        first = foreign_keys[0][0]
        no = self.word("no")
        unique = None if partitioned else draw(mostly(None, (no, *first), first))
        if unique is not None:
            lines.append(f"UNIQUE ({draft.listed(unique)})")
        lines.append("PRIMARY KEY (id)")
        columns = draw(st.permutations(columns))
        made = [f"{quoted('postgresql', c.name)} {c.type} {c.clause}".rstrip() for c in columns]
        by = " PARTITION BY HASH (id)" if partitioned else ""
        draft.say(
            f"CREATE TABLE {draft.relation(name)} (\n    {LISTED.join((*made, *lines))}\n){by}"
        )
        if partitioned:
            for remainder in (0, 1):
                draft.say(
                    f"CREATE TABLE {draft.relation(f'{name}_{remainder}')} PARTITION OF {draft.relation(name)} "
                    f"FOR VALUES WITH (MODULUS 2, REMAINDER {remainder})"
                )
        rows = self._rows_of_child(columns, foreign_keys, unique)
        self._insert(name, rows, "")
        touched = "touched" if self._touches(name) else None
        held = self._held_reference(name)
        only = "" if partitioned else "ONLY "
        hidden = draft.security == "forced" and draw(st.booleans())
        if hidden:
            self._force(name)
        uniques = (unique,) if unique is not None else ()
        draft.held.append(
            Held(label, f"{only}{draft.relation(name)}", tuple(columns), uniques, touched, hidden)
        )
        parents = [h.label for h in draft.held if h.label in ("t", "t1", "t2", "t3")]
        draft.references += [
            Reference(
                f"{draft.relation(name)} ({draft.listed(own)})",
                label,
                own,
                parent,
                referred,
                held=held,
            )
            for own, referred, _, _ in foreign_keys
            for parent in parents
        ]
        if rows and draw(st.booleans()):
            self._make_grandchild(name, columns, rows, unique)

    def _referring_type(self, referred: Column) -> str:
        return self.draw(mostly("int", "bigint")) if referred.type == "int" else referred.type

    def _rows_of_child(
        self,
        columns: Sequence[Column],
        foreign_keys: list[tuple[tuple[str, ...], tuple[str, ...], bool, bool]],
        unique: tuple[str, ...] | None,
    ) -> list[dict[str, str]]:
        rows: list[dict[str, str]] = []
        for place in range(self.draw(st.integers(0, 5))):
            row = {c.name: self.draw(st.sampled_from(c.literals)) for c in columns} | {
                "id": str(place + 1)
            }
            for own, referred, nullable, full in foreign_keys:
                targets = [
                    values
                    for parent in self.rows
                    if "NULL" not in (values := tuple(parent[c] for c in referred))
                ]
                if nullable:
                    partly = [("NULL", *values[1:]) for values in targets[:1] if not full]
                    targets += [("NULL",) * len(own), *partly]
                if not targets:
                    return rows
                row.update(zip(own, self.draw(st.sampled_from(targets)), strict=True))
            taken = unique is not None and any(
                tuple(other[c] for c in unique) == tuple(row[c] for c in unique)
                for other in rows
                if "NULL" not in [other[c] for c in unique]
            )
            if not taken:
                rows.append(row)
        return rows

    def _held_reference(self, name: str) -> str | None:
        """A trigger that keeps references where they are, now and then."""
        kind = self.draw(mostly(None, "some", "every"))
        if kind is None:
            return None
        function = self.draw(st.sampled_from(("keep_away", "keep_as_it_was")))
        no = self.word("no")
        when = f" WHEN (OLD.{quoted('postgresql', no)} = 1)" if kind == "some" else ""
        self.draft.say(
            f"CREATE TRIGGER keeps BEFORE UPDATE ON {self.draft.relation(name)} FOR EACH ROW{when} "
            f"EXECUTE FUNCTION {function}()"
        )
        return no if kind == "some" else ""

    def _make_grandchild(
        self,
        name: str,
        columns: Sequence[Column],
        rows: list[dict[str, str]],
        unique: tuple[str, ...] | None,
    ) -> None:
        draft = self.draft
        referred = unique or ("id",)
        by_name = {column.name: column for column in columns}
        mine = tuple(f"g{n}" for n in range(len(referred)))
        own = [
            Column(m, by_name[c].type, by_name[c].kind) for m, c in zip(mine, referred, strict=True)
        ]
        on_update = self.draw(st.sampled_from(("NO ACTION", "CASCADE", "SET NULL")))
        grandchild = f"{name}g"
        made = ", ".join(f"{c.name} {c.type}" for c in own)
        draft.say(
            f"CREATE TABLE {draft.relation(grandchild)} ({made}, FOREIGN KEY ({draft.listed(mine)}) "
            f"REFERENCES {draft.relation(name)} ({draft.listed(referred)}) "
            f"ON DELETE CASCADE ON UPDATE {on_update})"
        )
        parents = [row for row in rows if all(row[c] != "NULL" for c in referred)]
        chosen = self.draw(st.lists(st.sampled_from(parents), max_size=3)) if parents else []
        self._insert(
            grandchild,
            [dict(zip(mine, (row[c] for c in referred), strict=True)) for row in chosen],
            "",
        )
        draft.held.append(Held(grandchild, f"ONLY {draft.relation(grandchild)}", tuple(own)))
        draft.references.append(
            Reference(
                f"{draft.relation(grandchild)} ({draft.listed(mine)})",
                grandchild,
                mine,
                name,
                referred,
                on_update,
            )
        )

    # what holds on to it

    def _hold(self) -> dict[str, Any]:
        draft = self.draft
        holds: dict[str, Any] = {}
        if self.draw(st.sampled_from((*[False] * 9, True))):
            n = self.word("n")
            draft.say(
                f"CREATE TRIGGER keeps BEFORE DELETE ON {draft.relation('t')} FOR EACH ROW "
                f"WHEN (OLD.{quoted('postgresql', n)} = 1) EXECUTE FUNCTION keep_away()"
            )
            holds["delete_held"] = n
        if self.draw(mostly(False, True)):
            payload = self.word("payload")
            audit, column = draft.relation("audit"), quoted("postgresql", payload)
            draft.say(
                f"CREATE TABLE {audit} ({column} text)",
                f"CREATE FUNCTION {draft.relation('audit')}() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN INSERT INTO {audit} VALUES (OLD.{column}); RETURN NULL; END $$",
                f"CREATE TRIGGER audited AFTER DELETE ON {draft.relation('t')} FOR EACH ROW "
                f"EXECUTE FUNCTION {draft.relation('audit')}()",
            )
            draft.held.append(Held("audit", audit, (Column(payload, "text"),)))
            holds |= {"audit": "audit", "audited": payload}
        return holds

    def _archive(self) -> tuple[str | None, str | None]:
        draft = self.draft
        if not self.draw(mostly(True, False)):
            return None, None
        stands = self.draw(st.sampled_from((*[None] * 8, "shared", "shared", ARCHIVE_IS_SHORT)))
        like = draft.relation("t1" if draft.shape == "partition" else "t")
        reason = "upsert_guard_reason text, upsert_guard_kept text"
        if stands == "shared":
            draft.say(
                f"CREATE TABLE {draft.relation('archive')} ({reason}, "
                f"upsert_guard_archived_at timestamptz DEFAULT now(), LIKE {like})",
                *(
                    f"ALTER TABLE {draft.relation('archive')} ALTER {quoted('postgresql', c.name)} DROP NOT NULL"
                    for c in self.columns
                    if c.clause.startswith(("NOT NULL", "GENERATED ALWAYS AS IDENTITY"))
                    or c.name in self.primary_key
                ),
                f"INSERT INTO {draft.relation('archive')} (upsert_guard_reason) VALUES ('another key')",
            )
        elif stands == ARCHIVE_IS_SHORT:
            draft.say(f"CREATE TABLE {draft.relation('archive')} ({reason})")
        return self.word("archive"), stands

    def _secure(self) -> bool:
        draft = self.draft
        if draft.security is None:
            return False
        name = "t1" if draft.shape == "partition" else "t"
        draft.say("SET CONSTRAINTS ALL IMMEDIATE")
        draft.say(f"ALTER TABLE {draft.relation(name)} ENABLE ROW LEVEL SECURITY")
        if draft.security == "forced" and self.draw(st.booleans()):
            draft.say(f"ALTER TABLE {draft.relation(name)} FORCE ROW LEVEL SECURITY")
            return True
        return False

    def _force(self, name: str) -> None:
        self.draft.say(
            "SET CONSTRAINTS ALL IMMEDIATE",
            f"ALTER TABLE {self.draft.relation(name)} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
        )

    # the question

    def _order(self) -> tuple[Order, ...]:
        n, at = self.word("n"), self.word("at")
        n_sql, at_sql = quoted("postgresql", n), quoted("postgresql", at)
        return self.draw(
            st.sampled_from(
                (
                    (),
                    (Order(n_sql, n, "number"),),
                    (Order(at_sql, at, "moment"),),
                    (Order(n_sql, n, "number"), Order(at_sql, at, "moment")),
                    (Order(f"-{n_sql}", n, "negated"),),
                    (Order(f"abs({n_sql})", n, "absolute"), Order(at_sql, at, "moment")),
                    (Order(f"coalesce({n_sql}, 0)", n, "or zero"),),
                )
            )
        )

    def _predicate(self) -> Predicate | None:
        state, n = self.word("state"), self.word("n")
        return self.draw(
            mostly(
                None,
                Predicate(f"{quoted('postgresql', state)} = 'live'", state, "live"),
                Predicate(f"{quoted('postgresql', n)} IS NULL", n, "null"),
                Predicate(f"{quoted('postgresql', n)} > 0", n, "positive"),
            )
        )

    def _fresh(self) -> dict[str, str]:
        literals = {"uuid": "'ff000000-0000-0000-0000-00000000ffff'", "text": "'zz'"}
        fresh = {}
        if self.primary_key:
            fresh[self.word("id")] = literals.get(self.draft.key_of_rows, "9999")
        if self.has_code:
            fresh[self.word("code")] = "NULL"
        return fresh


def set_up(engine: Engine) -> frozenset[str]:
    """Make what every case finds; return the features that this server has."""
    found = set()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in SETUP:
            connection.exec_driver_sql(statement)
        for feature, statement in FEATURES.items():
            with suppress(DBAPIError):
                connection.exec_driver_sql(statement)
                found.add(feature)
    return frozenset(found)
