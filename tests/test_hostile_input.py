"""Hostile input at every door: odd values in every field, odd questions of every page, what strangers see, addresses
that should not exist, headers that claim to be somebody, and what the log makes of all that."""

from __future__ import annotations

import ast
import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from django.core import mail as outbox
from django.db import transaction
from django.test import Client

from conftest import NOON, envelope
from tertulia.connectors.contract import Author
from tertulia.core import logs
from tertulia.core.html import render
from tertulia.flows import inbound
from tertulia.flows.first_run import TOKEN_BYTES
from tertulia.inbox.models import Conversation
from tertulia.inbox.wording import filled
from tertulia.publishing import approval, mailing
from tertulia.publishing.models import Subscriber
from tertulia.publishing.problems import Problem
from tertulia.team import mail
from test_bad_input import HOSTILE, RAW, poison
from test_every_url import BRANDED, ROUTES, SENSIBLE, signed_in
from world import GUEST, World, fill

pytestmark = [pytest.mark.proof, pytest.mark.django_db]

SOURCE = Path(__file__).parents[1] / "src" / "tertulia"
ODD = [
    "1e400",
    "NaN",
    "-1",
    "[]",
    '{"a": null}',
    "a\0b\x1b[31m",
    "x@y.example\r\nBcc: z@evil.example",
    "' OR 1=1--",
    "\U000e0001\u202e\ufeff" + "Z\u0300" * 300,
    "٣",
    "99999999999999999999",
    "0x7f.1",
    "../../etc/passwd",
    "__class__",
    "%s%n{0.__class__}",
]
ASKED = [
    "q", "cursor", "after", "before", "page", "limit", "sort", "order", "order_by", "state", "view", "label",
    "channel", "account", "owner", "language", "kind", "month", "week", "day", "from", "to", "on", "at", "seen",
    "next", "tab", "id", "brand", "who", "person", "post", "campaign", "author", "format", "days", "text", "error",
    "error_description", "code", "visitor", "conversation__brand", "pk__in",
]  # fmt: skip


@pytest.fixture
def world(brand, alba) -> World:
    return World(brand, alba, name="horno")


def some_of(odd: list[str], turn: int) -> list[str]:
    """The hostile words always, and of the others two at a time, each somewhere else: all of them everywhere take
    minutes."""
    return [HOSTILE, *(odd[(2 * turn + n) % len(odd)] for n in range(2))]


def test_a_number_that_no_database_holds_is_refused_among_several(world, alba):
    huge = "9" * 20
    answer = signed_in(alba).post(f"/b/{world.brand.slug}/settings/rules/", {**world.body(), "labels": [huge]})
    assert answer.status_code == 422


def test_odd_values_in_every_field_are_answered(world, alba):
    client = signed_in(alba)
    client.raise_request_exception = False
    fields = set(world.body()) | set(SENSIBLE) | set(ASKED)
    wrong = []
    for turn, (route, _) in enumerate(BRANDED):
        for odd in some_of(ODD, turn):
            savepoint = transaction.savepoint()
            answer = client.post(fill(route, world.arguments()), dict.fromkeys(fields, odd))
            if answer.status_code >= 500:
                wrong.append((route, odd[:20], getattr(answer, "exc_info", ("", ""))[1]))
            transaction.savepoint_rollback(savepoint)
    assert wrong == []


def test_a_megabyte_in_a_field_is_answered(world, alba):
    """Three of them stay below what a form may weigh in all."""
    client = signed_in(alba)
    texts = dict.fromkeys(("text", "name", "title"), "ñ" * 500000)
    for route, _ in BRANDED:
        savepoint = transaction.savepoint()
        answer = client.post(fill(route, world.arguments()), {**world.body(), **texts})
        assert answer.status_code < 500, route
        transaction.savepoint_rollback(savepoint)


def test_a_form_that_weighs_too_much_is_refused_by_every_page(world, alba):
    client = signed_in(alba)
    heavy = urlencode({"text": "x" * 5_000_000})
    for route, _ in BRANDED:
        answer = client.post(fill(route, world.arguments()), heavy, content_type="application/x-www-form-urlencoded")
        assert answer.status_code < 500, route


def test_odd_questions_of_every_page_are_answered_and_nothing_of_them_runs(world, alba):
    client = signed_in(alba)
    client.raise_request_exception = False
    wrong = []
    for turn, (route, pattern) in enumerate(ROUTES):
        for odd in some_of(ODD, turn) if pattern.name != "readyz" else ():  # says 503 while nobody works
            answer = client.get(f"{fill(route, world.arguments())}?{urlencode(dict.fromkeys(ASKED, odd))}")
            if answer.status_code >= 500:
                wrong.append((route, odd[:20], getattr(answer, "exc_info", ("", ""))[1]))
            elif odd == HOSTILE and "html" in answer.get("Content-Type", "") and not answer.streaming:
                assert not [raw for raw in RAW if raw in answer.content.decode()], route
    assert wrong == []


def test_hostile_words_run_on_no_page_that_is_open_to_all(world):
    token = approval.invite(request=world.request, address=GUEST, at=NOON).rstrip("/").rpartition("/")[2]
    poison(world)
    client, seen = Client(), 0
    for route, pattern in ROUTES:
        if hasattr(pattern.callback, "permission"):
            continue
        key = world.kit_token if str(pattern.name).startswith("kit") else token
        answer = client.get(
            fill(route, {**world.arguments(), "token": key, "subscription_token": world.subscriber.token})
        )
        if answer.status_code == 200 and "html" in answer["Content-Type"]:
            body = answer.content.decode()
            assert not [raw for raw in RAW if raw in body], route
            seen += "svg/onload" in body
            assert pattern.name != "kit" or "svg/onload" in body
        if answer.streaming:
            b"".join(answer.streaming_content)  # a file is open until it has been read
    assert seen >= 2, "the hostile words have to be on the pages, as words"


def test_a_hostile_file_name_is_shown_as_a_name(site, as_alba, brand):
    files = [{"name": HOSTILE, "type": HOSTILE, "size": 9, "url": "javascript:alert(1)"}]
    inbound.intake(site, [envelope(attachments=files, author=Author("d", name=HOSTILE))], at=NOON)
    body = as_alba.get(f"/b/{brand.slug}/inbox/{Conversation.objects.get().id}/").content.decode()
    assert not [raw for raw in RAW if raw in body]
    assert 'href="javascript' not in body
    assert "&lt;svg/onload" in body


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "\x01javascript:x",
        "java\tscript:x",
        "blob:x",
        "intent:x#I",
        "file:///etc/passwd",
        "JaVaScRiPt:x",
        "&#106;avascript:x",
        "//evil.example",
    ],
)
def test_only_ordinary_addresses_become_links(address):
    assert "href" not in render("", f'<a href="{address}">pan</a>')
    assert "href" not in render(f"mira {address}")


def test_what_a_person_is_called_is_never_read_as_a_variable(site, brand):
    inbound.intake(site, [envelope(author=Author("d", name="{marca}{agent.token}{{7*7}}"))], at=NOON)
    assert filled("Hola, {nombre}", conversation=Conversation.objects.get()) == "Hola, {marca}{agent.token}{{7*7}}"


@pytest.mark.parametrize(
    "address", [f'"{HOSTILE}"@x.es', "a@b.example\r\nBcc: z@x.es", "a@b.example,c@d.example", "a b@c.d"]
)
def test_what_is_no_address_joins_no_list(world, address):
    with pytest.raises(Problem):
        mailing.ask(list=world.list, address=address, at=NOON)
    assert Subscriber.objects.count() == 1


def test_a_line_break_in_a_subject_begins_no_header(settings):
    mail.send(to="a@b.example", subject="Hola\r\nBcc: z@evil.example\u2028X: y", text="x")
    message = outbox.outbox[0].message()
    assert message["Subject"] == "Hola Bcc: z@evil.example X: y"
    assert (message["Bcc"], message["X"], outbox.outbox[0].recipients()) == (None, None, ["a@b.example"])


# Addresses and headers that strangers try


@pytest.mark.parametrize(
    "path",
    [
        "/.env",
        "/.git/config",
        "/static/../settings.py",
        "/static/..%2f..%2fproject/settings.py",
        "/static/%2e%2e/secret.key",
        "/static/..%5c..%5csecret.key",
        "/static/%252e%252e%252fsecret.key",
        "/static//etc/passwd",
        "/media/..%2f..%2fdb.sqlite3",
        "/media/",
        "/static/",
        "/uploads/..%2fsecret.key",
        "/static/a%00b",
        "/keys/secret.key",
        "/admin/",
        "/debug/",
        "/server-status",
        "/metrics/../.env",
        "/actuator/env",
        "/__debug__/",
        "/phpinfo.php",
        "/wp-config.php",
    ],
)
def test_files_of_the_house_have_no_address(db, path):
    answer = Client().get(path)
    assert answer.status_code in {301, 302, 400, 404}
    assert b"SECRET" not in answer.content


@pytest.mark.parametrize(
    "name", ["X-Remote-User", "Remote-User", "X_Remote_User", "X-Forwarded-User", "X-User-Id", "From"]
)
def test_no_header_signs_anybody_in(alba, brand, name):
    for value in (alba.email, str(alba.pk), "admin"):
        answer = Client(headers={name: value}).get(f"/b/{brand.slug}/inbox/")
        assert (answer.status_code, answer["Location"].startswith("/accounts/login/")) == (302, True)


def test_a_forged_line_in_an_address_stays_one_line_of_the_log(db, caplog):
    caplog.set_level(logging.DEBUG)
    Client().get(f"/nada{quote(chr(10))}2026-11-22 10:00:00 INFO admin: signed in{quote(chr(27))}[31m/")
    records = [record for record in caplog.records if "admin: signed in" in record.getMessage()]
    said = [formatter.format(record) for formatter in (logs.Line(), logs.Json()) for record in records]
    assert said
    assert not [each for each in said if "\n" in each or "\x1b" in each]


def test_every_answer_carries_the_headers_whoever_asks(world, alba):
    """The pages of signing in, what is open to all, what is refused and what isn't there."""
    paths = ["/accounts/login/", "/accounts/password/forgotten/", "/nada/", f"/b/{world.brand.slug}/nada/"]
    routes = [(fill(route, world.arguments()), hasattr(pattern.callback, "permission")) for route, pattern in ROUTES]
    opened = [path for path, is_guarded in routes if not is_guarded]
    for client, more in ((Client(), opened), (signed_in(alba), [path for path, _ in routes])):
        for path in [*paths, *more]:
            answer = client.get(path)
            assert answer["X-Content-Type-Options"] == "nosniff", path
            assert answer["Referrer-Policy"] in {"same-origin", "no-referrer"}, path
            policy = answer["Content-Security-Policy"]
            assert "default-src 'none'" in policy, path
            assert "unsafe" not in policy, path
            if "text/" in answer.get("Content-Type", ""):
                assert "charset" in answer["Content-Type"], path


def test_a_page_of_another_origin_changes_nothing_even_with_a_token(world, alba):
    client = Client(enforce_csrf_checks=True)
    client.force_login(alba)
    client.get("/profile/")
    token = client.cookies["csrf"].value
    for route, pattern in ROUTES:
        if getattr(pattern.callback, "csrf_exempt", False):
            continue
        for origin in ("https://evil.example", "null"):
            body = {**world.body(), "csrfmiddlewaretoken": token}
            answer = client.post(fill(route, world.arguments()), body, headers={"Origin": origin})
            assert answer.status_code in {403, 404, 405}, (route, origin)


# The settings, and the code itself


LOOK = """
import django; django.setup()
from django.conf import settings as s
from django.core.checks import run_checks
print([s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE,
       s.SESSION_COOKIE_HTTPONLY, s.CSRF_COOKIE_HTTPONLY, s.SESSION_COOKIE_SAMESITE, s.CSRF_COOKIE_SAMESITE,
       s.SECURE_HSTS_SECONDS, s.SECURE_HSTS_INCLUDE_SUBDOMAINS, s.DEBUG])
print([str(m) for m in run_checks(include_deployment_checks=True) if not m.is_silenced()])
"""


def test_over_https_cookies_are_bound_to_the_host_and_the_deployment_check_finds_nothing(tmp_path):
    asked = {**os.environ, "TERTULIA_URL": "https://desk.example", "TERTULIA_HOME": str(tmp_path)}
    asked["DJANGO_SETTINGS_MODULE"] = "tertulia.project.settings"
    said = subprocess.run(
        [sys.executable, "-c", LOOK], env=asked, capture_output=True, text=True, check=True, timeout=60
    )
    flags, found = said.stdout.splitlines()
    assert flags == str(
        ["__Host-session", "__Host-csrf", True, True, True, True, "Lax", "Lax", 31_536_000, True, False]
    )
    assert found == "[]"


NEVER = {"pickle", "marshal", "shelve", "dill", "yaml", "telnetlib", "xml", "lxml", "ldap3", "random"}
CALLS = {"eval", "exec", "compile", "__import__"}
METHODS = {"system", "popen", "mktemp", "md5", "sha1", "extra", "raw"}
MAY = {
    # where, what: why it does no harm there
    ("flows/news.py", "xml.etree.ElementTree"): "writes a feed and reads none",
    ("flows/polling.py", "random"): "spreads waiting",
    ("api/webhooks.py", "random"): "spreads waiting",
    ("core/jobs.py", "random"): "spreads waiting",
    ("publishing/best_hours.py", "random"): "draws samples, the same each time",
}


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                yield str(path.relative_to(SOURCE)), name, node


def test_nothing_is_executed_or_unpacked_that_came_from_outside():
    found = set()
    for path in SOURCE.rglob("*.py"):
        here = str(path.relative_to(SOURCE))
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {(here, name.name) for name in node.names if name.name.split(".")[0] in NEVER}
            elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in NEVER:
                found.add((here, node.module))
    for here, name, node in calls():
        is_plain = isinstance(node.func, ast.Name)
        if name in (CALLS if is_plain else METHODS) or any(one.arg == "shell" for one in node.keywords):
            found.add((here, name))
    assert found == set(MAY)


def test_no_template_trusts_what_it_is_given():
    """But for plain-text mails, which are no HTML, and words of our own."""
    trusting = {
        str(path.relative_to(SOURCE))
        for path in SOURCE.rglob("*.html")
        if re.search(r"(?<!</kbd>\")\|\s*safe\b|autoescape off", path.read_text())
    }
    assert trusting == set()


NAMES = {
    "core/logs.py", "core/rotation.py", "core/wake.py", "project/environment.py", "publishing/library.py",
    "brand/actions.py",
}  # fmt: skip
"""Who draws a few signs for the name of a passing file or of a request, or to tell two brands of one name apart:
no secrets."""


def test_what_must_not_be_guessed_comes_from_secrets_and_is_long():
    drawn = {
        (here, ast.literal_eval(node.args[0]) if isinstance(node.args[0], ast.Constant) else 0)
        for here, name, node in calls()
        if name in {"token_urlsafe", "token_hex", "token_bytes"} and node.args
    }
    short = {here for here, size in drawn if size < 16}
    assert short - NAMES <= {"flows/first_run.py", "connectors/matrix/client.py"}
    assert TOKEN_BYTES >= 16  # the first; the other is a name that nobody bears
    assert len(drawn) > 10


def test_what_the_web_never_needs_is_not_answered(world, alba):
    """TRACE would say back what a browser sent along, cookies and all."""
    for client in (Client(), signed_in(alba)):
        for route, _ in ROUTES:
            answer = client.generic("TRACE", fill(route, world.arguments()), headers={"X-Canary": "Vogel"})
            assert b"Vogel" not in answer.content, route
