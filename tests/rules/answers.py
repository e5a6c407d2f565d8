"""Three answers to one conflict target: the real insert's, the witness's and the judge's."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from alembic_upsert_guard.catalog import TableName, catalog_for
from alembic_upsert_guard.catalog.reading import execute
from alembic_upsert_guard.inference import Candidate, ConflictTarget, Element, State, judge

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, NestedTransaction

    from alembic_upsert_guard.catalog import Inferred
    from alembic_upsert_guard.inference import Verdict

UNKNOWN = "unknown"
"""The judge's answer where text cannot tell, and the witness has to."""


NOT_THERE = "not there"
"""In the judge's place: the catalog knows no such table, and nothing is judged."""


class Answers(NamedTuple):
    """What each of the three says, in words that can be compared at a glance."""

    insert: str
    """``ok``, or what the database refuses the insert with: SQLSTATE, on SQLite ``no arbiter`` or its words."""
    witness: str
    """``ok``, ``refused``, ``deferrable`` or ``doubt``, with the arbiters where the database names them."""
    judge: str
    """``satisfied`` with its arbiters, ``unknown``, ``not there``, or the code of what is short."""


class Rules(ABC):
    """A database that is made anew for each :meth:`given`."""

    connection: Connection
    tells_names: bool
    """Whether the witness names the arbiters."""

    table: TableName
    row: str

    def given(self, *ddl: str, table: str = "t", schema: str | None = None, row: str = "") -> None:
        """Start over with this schema; what was there before is gone.

        :param table: what is inserted into, as the catalog spells it.
        :param row: what is inserted, from the column list on.
        """
        self._start_over()
        for statement in ddl:
            execute(self.connection, statement)
        self.table = TableName(schema, table)
        self.row = row or "(a, b, c, st) VALUES (1, 1, 1, 'x')"

    def serves(self, target: str, *by: str, judged: str = "") -> None:
        """All three find exactly these arbiters; where text cannot tell (`judged`), the other two do."""
        names = ", ".join(by)
        witness = f"ok: {names}" if self.tells_names else "ok"
        self._assert_all(target, Answers("ok", witness, judged or f"satisfied: {names}"))

    def refuses(
        self, target: str, judged: str, *, answer: str = "", witness: str = "refused"
    ) -> None:
        """None of the three finds an arbiter that will do.

        :param judged: the code of what is short, or ``unknown``.
        """
        self._assert_all(target, Answers(answer or self.no_arbiter, witness, judged))

    def _assert_all(self, target: str, wanted: Answers) -> None:
        found = self.answers(target)
        assert found == wanted, f"ON CONFLICT {target}: {found}, not {wanted}"

    def answers(self, target: str) -> Answers:
        """Ask the three about ``ON CONFLICT <target>``."""
        declared = target_of(target)
        catalog = catalog_for(self.connection.dialect)
        assert catalog is not None
        offered = catalog.read(self.connection, [self.table]).get(self.table)
        if offered is None:
            witness = _witness_in_words(catalog.infer(self.connection, self.table, declared))
            return Answers(self.insert(target), witness, NOT_THERE)
        # as the inspection does it: the model's arbiter and what is offered, in one spelling
        spelling = catalog.normalize(
            self.connection,
            self.table,
            Candidate(
                None,
                declared.elements,
                partial=declared.predicate is not None,
                predicate=declared.predicate,
            ),
            offered.candidates,
        )
        spelled = spelling.target
        verdict = judge(spelled, spelling.candidates, offered.traits)
        # revisions ask about the declared spelling, autogenerate about the database's
        witnesses = {
            _witness_in_words(catalog.infer(self.connection, self.table, asked))
            for asked in (declared, spelling.target)
        }
        return Answers(
            self.insert(target), " or ".join(sorted(witnesses)), self._judge_in_words(verdict)
        )

    def insert(self, target: str, action: str = "DO NOTHING") -> str:
        """Upsert for real and take it back; answer ``ok`` or what the database refuses with."""
        name = ".".join(f'"{part}"' for part in self.table if part is not None)
        return self.attempt(f"INSERT INTO {name} {self.row} ON CONFLICT {target} {action}")

    def attempt(self, statement: str) -> str:
        """Execute and take back; answer ``ok`` or what the database refuses with."""
        savepoint = self.connection.begin_nested()
        try:
            execute(self.connection, statement)
        except DBAPIError as error:
            return self._refusal(error)
        finally:
            savepoint.rollback()
        return "ok"

    def _judge_in_words(self, verdict: Verdict) -> str:
        if verdict.state is State.SATISFIED:
            return f"satisfied: {', '.join(str(arbiter.name) for arbiter in verdict.arbiters)}"
        assert verdict.shortfall is not None
        return UNKNOWN if verdict.state is State.UNKNOWN else str(verdict.shortfall.code)

    no_arbiter: str

    @abstractmethod
    def _start_over(self) -> None: ...

    @abstractmethod
    def _refusal(self, error: DBAPIError) -> str: ...


class PostgreSQLRules(Rules):
    """One transaction of a database that the module shares; nothing in it is ever committed."""

    no_arbiter = "42P10"
    tells_names = True

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._savepoint: NestedTransaction | None = None

    def since(self, version: int) -> None:
        """Skip the rule on an older server."""
        if self.version < version:
            pytest.skip(f"PostgreSQL {version} brought it, this is {self.version}")

    def before(self, version: int) -> None:
        """Skip the rule on a server that has another one."""
        if self.version >= version:
            pytest.skip(f"PostgreSQL {version} changed it, this is {self.version}")

    @property
    def version(self) -> int:
        """The server's major version."""
        info: tuple[Any, ...] = self.connection.dialect.server_version_info or ()
        return int(info[0])

    def _start_over(self) -> None:
        if self._savepoint is not None:
            self._savepoint.rollback()
        self._savepoint = self.connection.begin_nested()

    def _refusal(self, error: DBAPIError) -> str:
        return str(getattr(error.orig, "pgcode", None))


class SQLiteRules(Rules):
    """A database in memory for each schema."""

    no_arbiter = "no arbiter"
    tells_names = False

    def __init__(self) -> None:
        self._start_over()

    def close(self) -> None:
        """Leave nothing open."""
        self.connection.close()

    def _start_over(self) -> None:
        if hasattr(self, "connection"):
            self.close()
        self.connection = create_engine("sqlite://", poolclass=NullPool).connect()

    def _refusal(self, error: DBAPIError) -> str:
        words = str(error.orig)
        ending = "ON CONFLICT clause does not match any PRIMARY KEY or UNIQUE constraint"
        return self.no_arbiter if words.endswith(ending) else words


def target_of(text: str) -> ConflictTarget:
    """Return what stands after ON CONFLICT as a model declares it: a bare name is a column, all else is SQL."""
    listed, _, predicate = text.removeprefix("(").partition(") WHERE ")
    if not predicate:
        listed = listed.removesuffix(")")
    return ConflictTarget(tuple(map(_element_of, _split(listed))), predicate or None)


def _split(listed: str) -> list[str]:
    parts, depth = [""], 0
    for character in listed:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def _element_of(sql: str) -> Element:
    if sql.isidentifier():
        return Element(column=sql)
    if sql.startswith('"') and sql.endswith('"'):
        return Element(column=sql[1:-1].replace('""', '"'))
    return Element(expression=sql)


def _witness_in_words(inferred: Inferred) -> str:
    names = ", ".join(sorted(inferred.deferrable or inferred.arbiters))
    if inferred.refusal is not None:
        return "refused"
    if inferred.doubt is not None:
        return "doubt"
    word = "deferrable" if inferred.deferrable else "ok"
    return f"{word}: {names}" if names else word
