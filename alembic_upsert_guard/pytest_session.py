"""One run of pytest with the recording on: what is recorded belongs to tests, and is written and judged at the end."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from .errors import UpsertGuardError
from .upserts.observed import ObservedUpserts
from .upserts.observed.observation import instruments_of
from .upserts.observed.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

__all__ = ["start"]

_NAME = "upsert_guard_session"
_RECORDED = "upsert_guard_recorded"
"""What a worker of pytest-xdist hands over to the controller."""


def start(config: pytest.Config, record: str) -> None:
    """Record until pytest is done.

    :param record: the file that is written, from the root directory on.
    :raises pytest.UsageError: the parsers or a driver are not installed.
    """
    recorder = Recorder(config.rootpath)
    try:
        instruments = instruments_of(config.getini("upsert_guard_drivers"))
    except UpsertGuardError as error:
        raise pytest.UsageError(str(error)) from error
    for instrument in instruments:
        config.add_cleanup(partial(instrument.detach, recorder))
        instrument.attach(recorder)
    session = (
        _Worker(config, recorder)
        if hasattr(config, "workerinput")
        else _Session(config, recorder, record)
    )
    config.pluginmanager.register(session, _NAME)


_PASSED = (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)


class _Recording:
    """Tells the recorder which test runs.

    A fixture that several tests share belongs to none of them: which one happens to set it up depends on the order, and
    under pytest-xdist on the worker.
    """

    def __init__(self, config: pytest.Config, recorder: Recorder) -> None:
        self._config = config
        self._recorder = recorder

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        test, self._recorder.test = self._recorder.test, item.nodeid
        try:
            return (yield)
        finally:
            self._recorder.test = test

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any]
    ) -> Generator[None, object, object]:
        if fixturedef.scope == "function":
            return (yield)
        # finalizers run last in, first out: the first of these two runs behind those of the fixture, the last before
        fixturedef.addfinalizer(self._leave_shared)
        test, self._recorder.test = self._recorder.test, None
        try:
            return (yield)
        finally:
            self._recorder.test = test
            fixturedef.addfinalizer(self._enter_shared)

    def _enter_shared(self) -> None:
        self._torn_down, self._recorder.test = self._recorder.test, None

    def _leave_shared(self) -> None:
        self._recorder.test = self._torn_down

    _torn_down: str | None = None


class _Worker(_Recording):
    """A worker of pytest-xdist: it writes nothing and says nothing."""

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        output: dict[str, Any] = self._config.workeroutput  # type: ignore[attr-defined] # it is xdist's
        output[_RECORDED] = self._recorder.as_text()


class _Session(_Recording):
    """The only process, or the controller of pytest-xdist's."""

    def __init__(self, config: pytest.Config, recorder: Recorder, record: str) -> None:
        super().__init__(config, recorder)
        self._record = record
        self._lost = 0
        self._lines: Sequence[str] = ()

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
        from .pytest_report import report_on  # noqa: PLC0415 - once there is something to say

        report = report_on(
            upserts,
            self._config.rootpath,
            self._record,
            lost=self._lost,
            coloured=self._config.get_terminal_writer().hasmarkup,
        )
        self._lines = report.lines
        if report.fails and session.exitstatus in _PASSED:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._lines:
            terminalreporter.section("upsert guard")
        for line in self._lines:
            terminalreporter.write_line(line)
