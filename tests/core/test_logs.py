"""What is logged: with the request it belongs to, as one object a line, without a secret, in files that stay small."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from multiprocessing import get_context

import pytest
from django.test import Client

from tertulia.core import clock, jobs, logs
from tertulia.core.models import Job

log = logging.getLogger("tertulia.tests")


@jobs.task("tests.follows")
def follows() -> None:
    log.warning("followed")
    jobs.enqueue(ends)


@jobs.task("tests.ends", attempts=1)
def ends() -> None:
    raise ValueError("password=Jobvogel")


@pytest.fixture
def lines(tmp_path):
    """Everything that is logged, as programs get it."""
    handler = logging.FileHandler(tmp_path / "log")
    handler.setFormatter(logs.Json())
    root, requests = logging.getLogger(), logging.getLogger("tertulia.requests")
    levels = root.level, requests.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    requests.setLevel(logging.INFO)
    yield lambda: [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    root.removeHandler(handler)
    handler.close()
    root.setLevel(levels[0])
    requests.setLevel(levels[1])


@pytest.mark.django_db
def test_an_id_goes_from_the_request_to_its_answer_its_lines_and_its_jobs(lines):
    answer = Client().get("/invitation/Einladungsvogel/")
    with logs.following(answer.headers["X-Request-ID"]):
        jobs.enqueue(follows)
    jobs.run_due(clock.now() + timedelta(seconds=1), raises=False)
    ours = ("tertulia.requests", "django.request", "tertulia.tests", "tertulia.core.jobs")
    said = [line for line in lines() if line["logger"] in ours]
    assert {line["request"] for line in said} == {answer.headers["X-Request-ID"]}
    first, second, third, last = [line["message"] for line in said]
    assert first.startswith("GET /invitation/<str:token>/: 404 in ")
    assert (second, third) == ("Not Found: /invitation/•••/", "followed")
    assert "ValueError: password=•••" in last
    assert Job.objects.filter(task="tests.ends", request=answer.headers["X-Request-ID"]).exists()
    assert logs.request_id.get() == ""


@pytest.mark.django_db
def test_an_id_from_outside_counts_only_behind_our_own_proxy(settings):
    given = {"X-Request-ID": "edge-0001"}
    assert Client().get("/healthz", headers=given).headers["X-Request-ID"] != "edge-0001"
    settings.IS_BEHIND_PROXY = True
    assert Client().get("/healthz", headers=given).headers["X-Request-ID"] == "edge-0001"
    for forged in ("a b", "x" * 65, 'x"y'):
        assert Client().get("/healthz", headers={"X-Request-ID": forged}).headers["X-Request-ID"] != forged


def record(message: str, *args: object) -> logging.LogRecord:
    return logging.LogRecord("tertulia", logging.ERROR, "x.py", 1, message, args, None)


def test_a_line_can_not_be_made_into_two():
    assert "\n" not in logs.Line().format(record("hi\nERROR forged\x1b[2J"))
    assert json.loads(logs.Json().format(record("hi\nthere")))["message"] == "hi\nthere"


def test_a_traceback_keeps_its_places_and_loses_its_secrets():
    try:
        raise ValueError("sent Authorization: Bearer abcdefgh12345678")
    except ValueError as error:
        said = logging.LogRecord("x", 40, "x.py", 1, "oh", (), (ValueError, error, error.__traceback__))
    traceback = json.loads(logs.Json().format(said))["traceback"]
    assert ("test_logs.py" in traceback, "abcdefgh12345678" in traceback) == (True, False)


def _write(path: str, who: int) -> None:
    handler = logs.RotatedFile(path)
    handler.setFormatter(logging.Formatter("%(message)s"))
    for number in range(400):
        handler.emit(record("%s", f"{who} {number} {'x' * 80}"))


def test_several_processes_fill_one_file_and_no_line_is_lost(tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "LARGEST", 20_000)
    path = tmp_path / "log"
    writers = [get_context("fork").Process(target=_write, args=(str(path), who)) for who in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    files = [each for each in tmp_path.iterdir() if not each.name.endswith(".lock")]
    written = {tuple(line.split()[:2]) for each in files for line in each.read_text().splitlines()}
    assert len(written) == 1200
    assert (len(files) > 3, max(each.stat().st_size for each in files) < 21_000) == (True, True)


def test_the_oldest_file_goes(tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "LARGEST", 100)
    handler = logs.RotatedFile(str(tmp_path / "log"))
    for number in range(60):
        handler.emit(record("%s", f"{number} {'x' * 120}"))
    handler.close()
    assert len([each for each in tmp_path.iterdir() if not each.name.endswith(".lock")]) == logs.FILES
