"""One run of pytest with the recording on: what is recorded belongs to tests, and is written and judged at the end."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from .command.ignores import read_entries
from .command.suppression import suppress
from .errors import UpsertGuardError
from .findings import FindingCode, Severity, as_text, counted, summary
from .upserts.observed import ObservedUpserts
from .upserts.observed.observation import instruments_of
from .upserts.observed.recorder import Recorder
from .upserts.observed.suppression import is_suppressed

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from .command.ignores import IgnoreEntry
    from .findings import Finding

__all__ = ["start"]

_NAME = "upsert_guard_session"
_RECORDED = "upsert_guard_recorded"
"""What a worker of pytest-xdist hands over to the controller."""


def start(config: pytest.Config, record: str) -> None:
    """Record until pytest is done.

    :param record: the file that is written, from the root directory on.
    :raises pytest.UsageError: the parsers or a driver are not installed, or pyproject.toml has an entry that is none.
    """
    recorder = Recorder(config.rootpath)
    try:
        instruments = instruments_of(config.getini("upsert_guard_drivers"))
        ignored = read_entries(config.rootpath / "pyproject.toml")
    except UpsertGuardError as error:
        raise pytest.UsageError(str(error)) from error
    for instrument in instruments:
        config.add_cleanup(partial(instrument.detach, recorder))
        instrument.attach(recorder)
    session = (
        _Worker(config, recorder)
        if hasattr(config, "workerinput")
        else _Session(config, recorder, record, ignored)
    )
    config.pluginmanager.register(session, _NAME)


_PASSED = (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)


class _Recording:
    """Keeps the recorder told which test runs.

    A fixture that several tests share belongs to none of them: which one happens to set it up depends on the order, and
    under pytest-xdist on the worker.
    """

    def __init__(self, config: pytest.Config, recorder: Recorder) -> None:
        self._config = config
        self._recorder = recorder

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        with self._in_test(item.nodeid):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any]
    ) -> Generator[None, object, object]:
        if fixturedef.scope == "function":
            return (yield)
        test = self._recorder.test
        # finalizers run last in, first out: the first of these two runs behind those of the fixture, the last before
        fixturedef.addfinalizer(self._leave_shared)
        try:
            with self._in_test(None):
                return (yield)
        finally:
            self._recorder.test = test
            fixturedef.addfinalizer(self._enter_shared)

    def _enter_shared(self) -> None:
        self._torn_down, self._recorder.test = self._recorder.test, None

    def _leave_shared(self) -> None:
        self._recorder.test = self._torn_down

    _torn_down: str | None = None

    @contextmanager
    def _in_test(self, test: str | None) -> Iterator[None]:
        before, self._recorder.test = self._recorder.test, test
        try:
            yield
        finally:
            self._recorder.test = before


class _Worker(_Recording):
    """A worker of pytest-xdist: it writes nothing and says nothing."""

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        output: dict[str, Any] = self._config.workeroutput  # type: ignore[attr-defined] # it is xdist's
        output[_RECORDED] = self._recorder.as_text()


class _Session(_Recording):
    """The only process, or the controller of pytest-xdist's."""

    def __init__(
        self, config: pytest.Config, recorder: Recorder, record: str, ignored: Sequence[IgnoreEntry]
    ) -> None:
        super().__init__(config, recorder)
        self._record = record
        self._ignored = ignored
        self._lost = 0
        self._report: Sequence[str] = ()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        recorded = getattr(node, "workeroutput", {}).get(_RECORDED)
        if recorded is None:
            self._lost += 1
        else:
            self._recorder.add_text(recorded)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._config.option.collectonly:
            return
        upserts = ObservedUpserts(self._recorder)
        upserts.write(self._config.rootpath / self._record)
        findings, suppressed = self._findings(upserts)
        self._report = [
            *as_text(findings, coloured=self._config.get_terminal_writer().hasmarkup),
            *self._unread(upserts),
            summary(
                findings,
                f"{counted(len(upserts), 'upsert')} recorded in {self._record}",
                coloured=False,
                suppressed=suppressed,
                conclusion="none was refused",
            ),
        ]
        fails = any(finding.severity is Severity.ERROR for finding in findings)
        if fails and session.exitstatus in _PASSED:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._report:
            terminalreporter.section("upsert guard")
        for line in self._report:
            terminalreporter.write_line(line)

    def _findings(self, upserts: ObservedUpserts) -> tuple[Sequence[Finding], int]:
        """What is found and not suppressed, and how much is."""
        found = upserts.findings
        root = self._config.rootpath
        left = [finding for finding in found if not is_suppressed(finding, root)]
        outcome = suppress(left, self._ignored, ["pytest"])
        # an entry that nothing matched is not stale: tests that are left out of this run may match it
        unstale = [each for each in outcome.left if each.code is not FindingCode.STALE_IGNORE]
        return unstale, len(found) - len(unstale)

    def _unread(self, upserts: ObservedUpserts) -> Iterator[str]:
        for each in upserts.unread:
            statements = counted(each.count, "statement")
            yield f"not read: {statements} on {each.dialect}, beginning {each.beginning}"
        if self._lost:
            workers = counted(self._lost, "worker")
            yield f"not recorded: what {workers} of pytest-xdist ran that did not end as it should"
