"""What a person sees of a build while it lasts: a bar, lines, or nothing; and who is in the way."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import make_url

from alembic_upsert_guard.catalog import TableName
from alembic_upsert_guard.inference import ConflictTarget, Element
from alembic_upsert_guard.online import OnlineArbiter, Reporter, Retries, create
from alembic_upsert_guard.online.progress import drawer_for
from alembic_upsert_guard.online.progress_watch import Observation
from alembic_upsert_guard.online.sessions import Session, format_seconds, sessions_of
from tests.online.faults import another_session
from tests.online.revisions import ANSWERS, MADE, made, revision
from tests.online.waiting import until, until_the_build_waits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alembic_upsert_guard.online.progress_watch import Drawer
    from tests.project import Project, Ran

ROWS = "INSERT INTO answers (user_id, question_id) SELECT 1, i FROM generate_series(1, 1000) i"
OLD_SNAPSHOT = ("BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT 'secret' FROM answers")
AN_UPDATE = ("BEGIN", "UPDATE answers SET note = 'secret' WHERE question_id = 7")
MIGRATES = "migrates"
WATCHING = (
    "query LIKE '%FROM pg_catalog.pg_stat_progress_create_index%' AND pid <> pg_backend_pid()"
)


WANTED = OnlineArbiter(
    table=TableName(None, "answers"),
    name="uq_answers",
    target=ConflictTarget((Element("user_id"), Element("question_id"))),
    constraint=True,
)


# -- sessions as messages show them


@pytest.mark.parametrize(
    ("session", "told"),
    [
        (
            Session(
                pid=7, role="app", application="web", state="idle in transaction",
                in_transaction=True, seconds=192.9, query="SELECT 1",
            ),
            "pid 7 (app, web), idle in transaction, transaction open for 3 min 12 s, last statement: SELECT 1",
        ),
        (
            Session(
                pid=7, role="app", application="", state="active",
                in_transaction=True, seconds=0.2, query="SELECT 1",
            ),
            "pid 7 (app), active, transaction open for 0 s, statement: SELECT 1",
        ),
        (
            Session(pid=7, role="app", application="", state="idle", seconds=7500),
            "pid 7 (app), idle for 2 h 5 min",
        ),
        # another role's, where pg_read_all_stats is not granted
        (Session(pid=7, role="app"), "pid 7 (app)"),
        (Session(pid=7), "pid 7"),
        (Session(pid=0), "a prepared transaction (listed in pg_prepared_xacts)"),
    ],
)  # fmt: skip
def test_a_session_as_messages_show_it(session: Session, told: str) -> None:
    """Pid, role, application, state, duration and statement, as far as the server shows them."""
    assert str(session) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (-0.1, "0 s"),
        (59.9, "59 s"),
        (60, "1 min 0 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h 0 min"),
        (86399, "23 h 59 min"),
        (90000, "1 d 1 h"),
    ],
)
def test_a_duration_has_its_two_largest_units(seconds: float, told: str) -> None:
    """Seconds are cut, and not rounded."""
    assert format_seconds(seconds) == told


def test_a_prepared_transaction_has_no_session(project: Project) -> None:
    """It is listed as pid 0, beside those that have one."""
    with project.engine.connect() as connection:
        ours = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        sessions = sessions_of(connection, [0, ours], reveal=True)
        assert {session.pid for session in sessions} == {0, ours}
        assert sessions_of(connection, [], reveal=True) == []


# -- lines and bars


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Shown:
    """A drawer, its lines and its clock."""

    def __init__(self, stream: io.StringIO | None = None) -> None:
        self.now = 0.0
        self.lines: list[str] = []
        self.stream = stream or io.StringIO()
        drawer = drawer_for(
            "uq on answers", self.lines.append, self.stream, quiet=False, clock=lambda: self.now
        )
        assert drawer is not None
        self.drawer: Drawer = drawer

    def at(self, seconds: float, observation: Observation) -> None:
        self.now = seconds
        self.drawer.show(observation)


SCANNING = Observation(phase="building index: scanning table", done=1234, total=24692)
READER, WRITER = Session(pid=7, role="app"), Session(pid=8, role="web")


def held_up_by(*sessions: Session) -> Observation:
    return Observation(
        phase="waiting for old snapshots", done=1, total=3, unit="sessions", blockers=sessions
    )


def test_a_log_has_a_line_every_ten_seconds() -> None:
    """Two in 20.4 seconds."""
    shown = Shown()
    for tenths in range(205):
        shown.at(tenths / 10, SCANNING)
    line = "uq on answers: building index: scanning table, 1,234 of 24,692 blocks (4 %)"
    assert shown.lines == [line, line]


def test_a_phase_that_counts_nothing_is_shown_without_numbers() -> None:
    """The server keeps the numbers of the phase before."""
    shown = Shown()
    shown.at(10, Observation(phase="building index: sorting live tuples"))
    assert shown.lines == ["uq on answers: building index: sorting live tuples"]


def test_who_is_in_the_way_is_reported_at_the_second_look_and_once() -> None:
    """And not again while the same session is."""
    shown = Shown()
    for tenths in range(0, 50, 5):
        shown.at(tenths / 10, held_up_by(READER, WRITER))
    assert shown.lines == [
        "uq on answers: waiting for old snapshots, 1 of 3 sessions (33 %), waits for pid 7 (app); pid 8 (web)"
    ]


def test_short_transactions_that_come_and_go_are_no_news() -> None:
    """Another session at each look is no reason for a line."""
    shown = Shown()
    for tenths in range(0, 50, 5):
        shown.at(tenths / 10, held_up_by(Session(pid=100 + tenths)))
    assert shown.lines == []


def test_a_drop_that_waits_is_reported_with_the_session_it_waits_for() -> None:
    """It has no phase."""
    shown = Shown()
    for seconds in (0.5, 1.0):
        shown.at(seconds, Observation(phase="", blockers=(READER,)))
    assert shown.lines == ["uq on answers: waits for pid 7 (app)"]


def test_quiet_shows_nothing() -> None:
    """Neither in a log nor on a terminal."""
    for stream in (io.StringIO(), Terminal()):
        assert drawer_for("uq", pytest.fail, stream, quiet=True) is None


@pytest.mark.parametrize("lacking", ["rich", "a terminal that can move its cursor"])
def test_a_terminal_without_a_bar_gets_lines(monkeypatch: pytest.MonkeyPatch, lacking: str) -> None:
    """And nothing is drawn."""
    monkeypatch.setenv("TERM", "xterm")
    if lacking == "rich":
        monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    else:
        monkeypatch.setenv("TERM", "dumb")
    shown = Shown(Terminal())
    shown.at(10, SCANNING)
    assert len(shown.lines) == 1
    assert shown.stream.getvalue() == ""


def drawn(monkeypatch: pytest.MonkeyPatch, *observations: Observation) -> list[str]:
    """What a bar draws, a frame each, on a terminal of 80 columns."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    frames = []
    for observation in observations:
        shown = Shown(Terminal())
        shown.at(192, observation)
        shown.drawer.close()
        first = shown.stream.getvalue().split("\r")[0]
        frames.append(re.sub(r"\x1b\[[?\d;]*[a-zA-Z]|━|╸|╺", "", first).strip())
    return frames


def test_a_bar_fits_eighty_columns_with_phase_count_and_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The longest phase included."""

    def without_bar(line: str) -> list[str]:
        return re.split(r"\s{2,}", line)

    frames = drawn(
        monkeypatch,
        SCANNING,
        Observation(
            phase="waiting for readers before marking dead", done=0, total=12, unit="sessions"
        ),
        Observation(phase="index validation: sorting tuples"),
        Observation(phase=""),
    )
    assert [without_bar(frame) for frame in frames] == [
        ["building index: scanning table", "4 % 3 min 12 s"],
        ["waiting for readers before marking dead", "0 of 12 3 min 12 s"],
        ["index validation: sorting tuples", "3 min 12 s"],
        ["uq on answers", "3 min 12 s"],
    ]


# -- the command


class Seen:
    """Everything that a drawer is shown."""

    def __init__(self) -> None:
        self.shown: list[Observation] = []

    def show(self, observation: Observation) -> None:
        self.shown.append(observation)

    def close(self) -> None:
        pass


@pytest.fixture
def answers(project: Project) -> Project:
    """A table with rows, and a revision that makes the key."""
    project.sql(ANSWERS, ROWS)
    revision(project)
    return project


def upgrade_held_up(project: Project, *statements: str, seen: bool = True) -> tuple[Ran, int]:
    """Upgrade while `statements` hold the build up until that is logged; what it said, and who held it up.

    :param seen: False: nobody can see it, as long as two looks would take.
    """
    with another_session(project, *statements) as pid:
        run = project.begin("upgrade", "head")
        if seen:
            run.until_it_logs(f"waits for pid {pid} (")
        else:
            until_the_build_waits(project, seconds=2.5)
    ran = run.result()
    assert ran.code == 0, ran.said
    assert made(project) == [MADE]
    return ran, pid


def on_a_terminal(project: Project, *arguments: str, **environment: str) -> str:
    """What ``alembic upgrade head`` sends to a terminal of 80 columns."""
    ours, theirs = pty.openpty()
    kept = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    process = subprocess.Popen(
        [sys.executable, "-m", "alembic", *arguments, "upgrade", "head"],
        cwd=project.path,
        env={**kept, "PROJECT_URL": project.url, "PYTHONPATH": ".", "TERM": "xterm",
             "COLUMNS": "80", **environment},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    sent = b""
    with suppress(OSError):  # Linux ends a terminal so
        while part := os.read(ours, 65536):
            sent += part
    os.close(ours)
    assert process.wait() == 0, sent.decode()
    return sent.decode()


def screen(sent: str) -> list[str]:
    """The lines that are on the screen in the end; rich moves up, back to the margin, and erases lines."""
    lines, row, column = [""], 0, 0
    for control, letter, character in re.findall(r"\x1b\[([?\d;]*)([a-zA-Z])|(.|\r|\n)", sent):
        if letter == "A":
            row -= int(control or 1)
        elif letter == "K":
            lines[row] = ""
        elif character == "\r":
            column = 0
        elif character == "\n":
            row += 1
            lines += [""] * (row == len(lines))
        elif character:
            lines[row] = lines[row][:column].ljust(column) + character + lines[row][column + 1 :]
            column += 1
    return "\n".join(lines).rstrip().splitlines()


def test_a_bar_is_drawn_on_a_terminal_and_spares_the_log(answers: Project) -> None:
    """A line of the log begins a line of its own."""
    with ThreadPoolExecutor(1) as pool:
        with another_session(answers, *AN_UPDATE) as pid:
            run = pool.submit(on_a_terminal, answers)
            until_the_build_waits(answers, seconds=2.5)
        sent = run.result()
    assert re.search("waiting for writers before build .*━.* 0 of 1 [12] s", sent)
    shown = screen(sent)
    assert [line[:60] for line in shown] == [
        "INFO  [alembic.runtime.migration] Context impl PostgresqlImp",
        "INFO  [alembic.runtime.migration] Will assume transactional ",
        "INFO  [alembic.runtime.migration] Running upgrade  -> h01",
        "INFO  [alembic.autogenerate.upsert_guard] building uq_answer",
        "INFO  [alembic.autogenerate.upsert_guard] uq_answers on publ",
    ]
    assert f"uq_answers on public.answers: waits for pid {pid} (" in shown[4]
    assert "idle in transaction, transaction open for" in shown[4]


def test_a_quiet_upgrade_draws_nothing_on_a_terminal(answers: Project) -> None:
    """``alembic -q``, while it waits."""
    with ThreadPoolExecutor(1) as pool:
        with another_session(answers, *AN_UPDATE):
            run = pool.submit(on_a_terminal, answers, "-q")
            until_the_build_waits(answers, seconds=2.5)
        sent = run.result()
    assert "━" not in sent
    assert "waiting" not in sent
    assert "waits for" not in sent


def test_an_old_snapshot_is_reported_with_its_session_and_statement(answers: Project) -> None:
    """With the phase and how many sessions are waited for."""
    ran, pid = upgrade_held_up(answers, *OLD_SNAPSHOT)
    assert re.search(
        rf"waiting for old snapshots, 0 of 1 sessions \(0 %\), waits for pid {pid} \(\w+\), "
        r"idle in transaction, transaction open for \d s, last statement: SELECT 'secret' FROM answers\n",
        ran.err,
    )


def test_a_long_statement_is_cut_short_and_on_one_line(answers: Project) -> None:
    """80 characters of it are shown."""
    ran, _ = upgrade_held_up(answers, "BEGIN", f"UPDATE answers\nSET note = '{'x' * 200}'")
    told = re.findall(r"last statement: (.*)", ran.err)
    assert told == ["UPDATE answers SET note = '".ljust(80, "x") + "..."]


def test_statements_are_kept_back_with_the_values(answers: Project) -> None:
    """``upsert_guard_reveal=False``: the session is shown without its statement."""
    answers.configure(upsert_guard_reveal="False")
    ran, pid = upgrade_held_up(answers, *OLD_SNAPSHOT)
    assert f"waits for pid {pid} (" in ran.err
    assert "secret" not in ran.said


def test_a_drop_names_the_session_it_waits_for(answers: Project) -> None:
    """DROP INDEX CONCURRENTLY waits for writers as well."""
    answers.sql("CREATE UNIQUE INDEX ix ON answers (note)")
    revision(answers, "op.drop_unique_index_concurrently('ix', 'answers')")
    with another_session(answers, *AN_UPDATE) as pid:
        run = answers.begin("upgrade", "head")
        run.until_it_logs(f"dropping ix: waits for pid {pid} (")
    assert run.result().code == 0


HELD_HALFWAY = """
    CREATE FUNCTION held_halfway(number int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$
    BEGIN
        IF number = 150000 THEN PERFORM pg_advisory_xact_lock_shared(1); END IF;
        RETURN number;
    END $$
"""


def test_what_a_real_build_counts_goes_up_to_its_total(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In every phase that counts; sorting counts nothing."""
    monkeypatch.setattr("alembic_upsert_guard.online.progress_watch._EVERY", 0.002)
    project.sql(ANSWERS, ROWS.replace("1000", "300000"), HELD_HALFWAY)
    elements = (Element("user_id"), Element(expression="held_halfway(question_id)"))
    wanted = replace(WANTED, target=ConflictTarget(elements), constraint=False)
    with another_session(project, "SELECT pg_advisory_lock(1)") as holder:

        class Releasing(Seen):
            def show(self, observation: Observation) -> None:
                super().show(observation)
                if observation.phase == SCANNING.phase and observation.done:
                    project.rows(f"SELECT pg_terminate_backend({holder})")

        seen = Releasing()
        with project.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            create(connection, wanted, Retries(), Reporter(print, lambda _: seen))

    counted = {phase: list(shown) for phase, shown in groupby(seen.shown, lambda o: o.phase)}
    assert 0 < counted[SCANNING.phase][0].done < counted[SCANNING.phase][0].total
    for shown in counted.values():
        done = [observation.done for observation in shown]
        assert done == sorted(done)
        assert all(observation.done <= observation.total for observation in shown)
    sorting = [o for phase, shown in counted.items() if "sorting" in phase for o in shown]
    assert {observation.total for observation in sorting} <= {0}
    loading = counted.get("building index: loading tuples in tree", [])
    assert {(o.total, o.unit) for o in loading} <= {(300_000, "rows")}


# -- the second connection


def test_who_watches_is_never_waited_for(answers: Project) -> None:
    """Between two looks it is in no transaction and has no snapshot; the build ends when what it waits for does."""
    with another_session(answers, *OLD_SNAPSHOT):
        run = answers.begin("upgrade", "head")
        until(answers, f"SELECT count(*) = 1 FROM pg_stat_activity WHERE {WATCHING}")
        seen = [
            answers.rows(
                f"SELECT state, xact_start, backend_xmin FROM pg_stat_activity WHERE {WATCHING}"
            )
            for _ in range(100)
        ]
    ran = run.result()
    assert ran.code == 0, ran.said
    # a look takes a moment: nearly every time there is none under way
    assert seen.count([("idle", None, None)]) > 80


def test_a_short_build_takes_no_second_connection(answers: Project) -> None:
    """One connection is made in all."""
    answers.edit(
        "migrations/env.py",
        "import models\n",
        "import models\nfrom sqlalchemy import event, pool\n"
        "event.listen(pool.Pool, 'connect', lambda *a: print('connected'))\n",
    )
    assert answers.upgrade().out.count("connected") == 1


@pytest.mark.parametrize(
    "pool",
    [
        "pool.StaticPool",
        "pool.AssertionPool",
        "pool.QueuePool, pool_size=1, max_overflow=0",
    ],
)
def test_where_no_second_connection_is_to_be_had_the_build_goes_unseen(
    answers: Project, pool: str
) -> None:
    """Pools that have one connection only."""
    answers.edit("migrations/env.py", "poolclass=pool.NullPool", f"poolclass={pool}")
    ran, _ = upgrade_held_up(answers, *AN_UPDATE, seen=False)
    assert "Traceback" not in ran.said
    assert "waits for" not in ran.said


@contextmanager
def migrated_by_another_role(project: Project, driver: str, limit: int = -1) -> Iterator[None]:
    """The table is a role's that may not see others' statements, and may connect so often; -1: as it likes."""
    project.sql(
        f"CREATE ROLE {MIGRATES} LOGIN PASSWORD '{MIGRATES}' CONNECTION LIMIT {limit}",
        f"ALTER TABLE answers OWNER TO {MIGRATES}",
        f"GRANT ALL ON SCHEMA public TO {MIGRATES}",
    )
    theirs = make_url(project.url).set(
        drivername=f"postgresql+{driver}", username=MIGRATES, password=MIGRATES
    )
    url = theirs.render_as_string(hide_password=False)
    project.edit("migrations/env.py", 'os.environ["PROJECT_URL"]', repr(url))
    try:
        yield
    finally:
        project.sql(
            f"REASSIGN OWNED BY {MIGRATES} TO CURRENT_USER",
            f"DROP OWNED BY {MIGRATES}",
            f"DROP ROLE {MIGRATES}",
        )


@pytest.mark.parametrize("driver", ["psycopg2", "psycopg"])
def test_a_server_that_is_full_lets_the_build_go_on(answers: Project, driver: str) -> None:
    """The role may connect once, and the build runs unseen."""
    with migrated_by_another_role(answers, driver, limit=1):
        ran, _ = upgrade_held_up(answers, *AN_UPDATE, seen=False)
    assert "Traceback" not in ran.said
    assert "waits for" not in ran.said


def test_what_the_role_may_not_see_is_not_shown(answers: Project) -> None:
    """Another role's statement and state."""
    with migrated_by_another_role(answers, "psycopg2"):
        ran, pid = upgrade_held_up(answers, *AN_UPDATE)
    assert re.search(rf"waits for pid {pid} \(\w+\)\n", ran.err), ran.err
