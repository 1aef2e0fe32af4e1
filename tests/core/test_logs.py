"""What is logged: with the request it belongs to, as one object a line, without a secret, in files that stay small."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from multiprocessing import get_context

import pytest
from django.db import IntegrityError
from django.test import Client
from django.urls import path

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


# Canaries: secrets that don't look like any, so that only care hides them, and some that do.

ROLES = (
    "session", "csrf", "bearer", "telegram", "signature", "apikey", "visitor", "token", "code", "key", "password",
    "old", "new", "secret", "smtp", "otp",
)  # fmt: skip
PLANTED = {role: f"Kanari{role}Vogel" for role in ROLES}
LOOKS = (
    "Basic S2FuYXJpOlZvZ2Vs", "https://ana:Kanarivogelpass@shop.example/", '"api_key": "Kv-1"',
    "https://x.example/hook?sig=Kanariquery", "client_secret=Kanarics", "Cookie: a=Kanarick",
    "3f9c1e77aa02b4d5e6f708192a3b4c5d", "eyJhbGciOiJIUzI1NiJ9eyJzdWIiOiIxMjM0NTY3ODkwIn0", "Digest Kanaridigest1",
)  # fmt: skip
NAKED = (
    "S2FuYXJpOlZvZ2Vs", "Kanarivogelpass", "Kv-1", "Kanariquery", "Kanarics", "Kanarick",
    "3f9c1e77aa02b4d5e6f708192a3b4c5d", "eyJzdWIiOiIxMjM0NTY3ODkwIn0", "Kanaridigest1",
)  # fmt: skip


def crash(request, token: str):
    """A page that fails with all it was given in its hands."""
    raise RuntimeError(f"{token} {request.headers} {request.COOKIES} {request.GET} {request.POST}")


urlpatterns = [path("crash/<str:token>/", crash)]


@jobs.task("tests.leaks", attempts=1)
def leaks(*, what: str) -> None:
    log.debug("working with %s", what)
    raise RuntimeError(what)


@pytest.mark.django_db
def test_none_of_25_canaries_gets_into_a_log_through_pages_and_jobs(lines, settings, tmp_path):
    assert len(PLANTED) + len(NAKED) == 25
    for_people = logging.FileHandler(tmp_path / "line")
    for_people.setFormatter(logs.Line())
    logging.getLogger().addHandler(for_people)
    settings.ROOT_URLCONF = __name__
    own = dict(PLANTED)
    client = Client(raise_request_exception=False)
    client.cookies.load({settings.SESSION_COOKIE_NAME: own.pop("session"), settings.CSRF_COOKIE_NAME: own.pop("csrf")})
    headers = {
        "Authorization": f"Bearer {own.pop('bearer')}", "X-Telegram-Bot-Api-Secret-Token": own.pop("telegram"),
        "X-Hub-Signature-256": own.pop("signature"), "X-Api-Key": own.pop("apikey"),
    }  # fmt: skip
    asked = f"/crash/{own.pop('token')}/?visitor_token={own.pop('visitor')}&code={own.pop('code')}&key={own.pop('key')}"
    typed = {"password": own.pop("password"), "oldpassword": own.pop("old"), "password1": own.pop("new")}
    typed |= {"field_secret": own.pop("secret"), "smtp_password": own.pop("smtp"), "otp_code": own.pop("otp")}
    assert not own
    assert client.post(asked, typed, headers=headers).status_code == 500
    client.get("/elsewhere/Kanaritoken1Vogel2Kanaritoken3/", headers=headers)
    for what in LOOKS:
        jobs.enqueue(leaks, what=f"sent {what} there")
    jobs.run_due(clock.now() + timedelta(seconds=1), raises=False)
    logging.getLogger().removeHandler(for_people)
    for_people.close()
    written = (tmp_path / "log").read_text() + (tmp_path / "line").read_text()
    assert written.count("RuntimeError") >= 2 * (1 + len(LOOKS))
    assert [one for one in [*PLANTED.values(), *NAKED] if one in written] == []


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


REFUSED = "no such row\nDETAIL:  Failing row contains (7, Soy Ana\ny vivo en Lugo)."


def test_a_traceback_does_not_quote_the_row_that_the_database_refused():
    try:
        try:
            raise ValueError(REFUSED)  # the driver's
        except ValueError as error:
            raise IntegrityError(*error.args) from error
    except IntegrityError as error:
        said = logging.LogRecord("x", 40, "x.py", 1, "oh", (), (IntegrityError, error, error.__traceback__))
    traceback = json.loads(logs.Json().format(said))["traceback"]
    assert [word for word in ("no such row", "DETAIL", "Ana", "Lugo") if word in traceback] == ["no such row"]


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
