"""How the lab's tests tell what they do: see `lines`."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from lab.lines import Lines

ENDED = pytest.StashKey[pytest.TestReport]()


@pytest.fixture(scope="module")
def lines(request: pytest.FixtureRequest) -> Lines:
    """Those of the module's CHANNEL."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def say(line: str) -> None:
        with capture.global_and_fixture_disabled():
            print(line, flush=True)

    return Lines(request.module.CHANNEL, say)


@pytest.fixture(autouse=True)
def line(request: pytest.FixtureRequest) -> Iterator[None]:
    """Of a test that is marked as one operation."""
    mark = request.node.get_closest_marker("line")
    if mark is None:
        yield
        return
    lines = request.getfixturevalue("lines")
    began = time.monotonic()
    yield
    report = request.node.stash.get(ENDED, None)
    if report is None:
        return  # its server isn't there
    ended = {"passed": "ok", "failed": "FAILED", "skipped": f"not possible: {_reason(report)}"}[report.outcome]
    lines.line(*mark.args, ended, began=began)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.when == "call":
        item.stash[ENDED] = report
    return report


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """The lines tell; no dots between them."""
    is_ours = "tests/lab/" in report.nodeid and report.when == "call" and report.outcome != "failed"
    return (report.outcome, "", "") if is_ours else None


def _reason(report: pytest.TestReport) -> str:
    return report.longrepr[2].removeprefix("Skipped: ") if isinstance(report.longrepr, tuple) else ""
