"""Each pair of a batch held against a server: the answer of ``scan``, and what the upsert itself does."""

from __future__ import annotations

import importlib
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from alembic_upsert_guard.errors import UndeclaredUpsertKeyError
from alembic_upsert_guard.upserts.models import declared_tables
from alembic_upsert_guard.upserts.scan import Resolution, scan
from tests.generated import counted

from .pairs import Batch, batch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from sqlalchemy.engine import Connection

    from alembic_upsert_guard.upserts.scan import JudgedUpsert

__all__ = ["Tally", "check"]

_REFUSED = {"42P10", "42704", "42809", "55000", "42703", "42P01", "raised"}
"""How an upsert fails for want of an arbiter; ``raised``: ``conflict_target()`` finds no key."""

_SERVED = (Resolution.DECLARED, Resolution.MODELLED)
_NOT_SERVED = (Resolution.UNDECLARED,)


@dataclass
class Tally:
    """What came of the pairs."""

    pairs: int = 0
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By resolution and what the upsert did."""
    contradicted: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> int:
        return len(self.contradicted)

    def lines(self, seconds: float) -> Iterator[str]:
        yield from (f"{each}\n" for each in self.contradicted[:10])
        yield from counted(
            Counter({f"{said}; the upsert: {done}": n for (said, done), n in self.outcomes.items()})
        )
        yield f"{self.pairs} pairs in {seconds:.0f} s; {self.wrong} wrong"


def check(connection: Connection, tally: Tally, *, size: int, seed: int) -> None:
    """Tally what comes of about `size` pairs; the connection's database is left as it was."""
    random = Random(seed)  # noqa: S311 - the same for the same seed
    number = 0
    while tally.pairs < size:
        _check_batch(connection, batch(random), f"{seed}_{number}", tally)
        number += 1


def _check_batch(connection: Connection, pairs: Batch, name: str, tally: Tally) -> None:
    models, service = f"modelled_models_{name}", f"modelled_service_{name}"
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / f"{models}.py").write_text(pairs.models)
        (Path(folder) / f"{service}.py").write_text(pairs.service(models))
        sys.path.insert(0, folder)
        try:
            importlib.invalidate_caches()
            module = importlib.import_module(models)
            upserts = importlib.import_module(service)
            report = scan([Path(folder) / f"{service}.py"], declared_tables(module.Base.metadata))
        finally:
            sys.path.remove(folder)
    assert len(report.upserts) == len(pairs.calls)
    codes = {f.location.line: f.code for f in report.findings if f.location is not None}
    transaction = connection.begin()
    for schema in ("s1", "s2"):
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    module.Base.metadata.create_all(connection)
    for judged in report.upserts:
        line = judged.upsert.place.line
        outcome = _outcome(connection, upserts, pairs.number_at(line))
        tally.pairs += 1
        tally.outcomes[str(judged.resolution), outcome] += 1
        if not _agree(judged, outcome, codes.get(line)):
            call, model = pairs.calls[pairs.number_at(line)]
            facts = "; ".join(finding.fact for finding in judged.findings)
            tally.contradicted.append(
                f"{judged.resolution} ({facts}), and the upsert: {outcome}\n{model.source}\n{call}"
            )
    transaction.rollback()
    module.Base.registry.dispose()
    for each in (models, service):
        del sys.modules[each]


def _agree(judged: JudgedUpsert, outcome: str, code: str | None) -> bool:
    if judged.resolution is Resolution.UNRESOLVED:
        return True
    if (code == "missing-constraint") != (outcome in ("42704", "42809")):
        return False
    return judged.resolution in (_SERVED if outcome == "served" else _NOT_SERVED)


def _outcome(connection: Connection, upserts: ModuleType, number: int) -> str:
    """``served``, or how it was refused."""
    try:
        upsert: Any = getattr(upserts, f"call_{number}")()
    except UndeclaredUpsertKeyError:
        return "raised"
    savepoint = connection.begin_nested()
    try:
        connection.execute(text(upsert) if isinstance(upsert, str) else upsert)
    except DBAPIError as error:
        state = str(getattr(error.orig, "pgcode", error))
        if state not in _REFUSED:
            raise
        return state
    else:
        return "served"
    finally:
        savepoint.rollback()
