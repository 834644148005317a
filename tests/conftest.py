"""What holds for every run of tests: a skipped or expectedly failing test fails the run, with its reason told."""

from __future__ import annotations

import os
import signal

import pytest

MANIFESTS_VARIABLE = "KNATIVE_RELEASE_MANIFESTS"
"""Environment variable: a folder of release manifests (`v1.10.2/serving-core.yaml`, …) for the graph tests, too."""


class NoSkips:
    """Collects what was skipped, and makes the run fail for it: a test that did not run proves nothing."""

    def __init__(self) -> None:
        self.skipped: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test's setup, call or end; an xfail is reported as skipped, an unexpected pass as passed."""
        if hasattr(report, "wasxfail"):
            self.skipped.append(f"{report.nodeid}: xfail: {report.wasxfail or 'no reason given'}")
        elif report.skipped:
            self.skipped.append(f"{report.nodeid}: {_reason(report)}")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A module that skips itself when it is imported."""
        if report.skipped:
            self.skipped.append(f"{report.nodeid}: {_reason(report)}")

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Turn success into failure."""
        if self.skipped and exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Name each of them."""
        if self.skipped:
            terminalreporter.section("not run, so the run fails", red=True)
            for line in self.skipped:
                terminalreporter.line(line)


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    return str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else report.longreprtext


def pytest_configure(config: pytest.Config) -> None:
    """Install the check, and have ctrl-C end what a test interrupts: a run in the background begins with it ignored."""
    config.pluginmanager.register(NoSkips())
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_report_header() -> str:
    """Say whether the real release manifests take part."""
    folder = os.environ.get(MANIFESTS_VARIABLE)
    if folder:
        return f"release manifests: those of {folder}, and small ones"
    return f"release manifests: small ones only; {MANIFESTS_VARIABLE}=<folder with v1.10.2/*.yaml> adds the real ones"
