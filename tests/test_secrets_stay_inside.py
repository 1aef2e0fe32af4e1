"""No secret in a log, an error, a page, an export, an answer of the API, nor in the open in the database.

Every connector's secrets are planted as canaries, and each account is connected to a server that says everything it
hears back to whoever asked, as an error. Then all that people and programs can reach is looked through.
"""

from __future__ import annotations

import json
import logging
import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.db import connection
from django.test import Client

from conftest import NOON, envelope
from tertulia.api import actions as api_actions
from tertulia.api.scopes import SCOPES
from tertulia.api.v1.api import api
from tertulia.channels.models import Account, Quarantine
from tertulia.connectors import registry
from tertulia.connectors.contract import Author, Outcome
from tertulia.core import clock, crypto, jobs
from tertulia.core.redact import redact
from tertulia.flows import connections, inbound, notify, outbound, polling
from tertulia.inbox import actions as inbox
from tertulia.inbox.models import Conversation
from tertulia.project import administering, doctor
from world import World, addresses, fill

pytestmark = [pytest.mark.proof, pytest.mark.django_db]

EXTRA = ("access", "refresh", "refresh_token", "client_secret", "token")
"""Secrets that networks grant beside those that are typed."""


def canary(kind: str, name: str) -> str:
    """No hyphen, no dot, no long run: nothing that `redact` would catch for its looks alone."""
    if (kind, name) == ("telegram", "token"):  # it has to look like one
        return "123456:KanariteletokenVogelVogel"
    return f"Kanari{kind[:4]}{name[:6]}Vogel"


class Parrot(BaseHTTPRequestHandler):
    """Whatever is asked is refused with all that was said."""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode(errors="replace")
        heard = f"You said {body} {self.headers.get('authorization')} {self.path}"
        said = {"error": heard, "error_description": heard, "message": heard, "description": heard, "ok": False}
        content = json.dumps({**said, "errcode": heard, "error_code": 400, "code": heard}).encode()
        self.send_response(400, "Bad")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = _answer

    def log_message(self, *_args: object) -> None:
        pass


class MailParrot(socketserver.StreamRequestHandler):
    """The same as IMAP and SMTP: it greets as both, and refuses each line with itself."""

    def handle(self) -> None:
        self.wfile.write(b"* OK [CAPABILITY IMAP4rev1] hi\r\n" if self.server.is_imap else b"220 hi\r\n")
        while line := self.rfile.readline(9_000).strip():
            tag, _, rest = line.partition(b" ")
            self.wfile.write(
                tag + b" NO You said " + rest + b"\r\n" if self.server.is_imap else b"535 " + line + b"\r\n"
            )


@contextmanager
def running(server: socketserver.BaseServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def parrot() -> Iterator[dict[str, int]]:
    mail = [socketserver.ThreadingTCPServer(("127.0.0.1", 0), MailParrot) for _ in range(2)]
    for server, is_imap in zip(mail, (True, False), strict=True):
        server.is_imap = is_imap  # type: ignore[attr-defined]
        server.daemon_threads = True
    web = ThreadingHTTPServer(("127.0.0.1", 0), Parrot)
    with running(web) as http, running(mail[0]) as imap, running(mail[1]) as smtp:
        yield {"http": http, "imap": imap, "smtp": smtp}


def settings_of(connector, ports: dict[str, int]) -> dict[str, str]:
    special = {
        "imap_server": f"127.0.0.1:{ports['imap']}", "smtp_server": f"127.0.0.1:{ports['smtp']}", "encryption": "none",
        "address": "horno@parrot.example" if connector.key == "mail" else f"http://127.0.0.1:{ports['http']}",
    }  # fmt: skip
    given = {}
    for field in connector.fields:
        if field.kind == "url":
            given[field.name] = f"http://127.0.0.1:{ports['http']}"
        elif field.kind != "secret":
            given[field.name] = special.get(field.name) or field.default or "horno"
    return given


@pytest.fixture
def accounts(brand, alba, parrot) -> dict[str, Account]:
    """One of every connector, the one that answers back at its other end."""
    made = {}
    for kind, connector in registry.all_connectors().items():
        names = {field.name for field in connector.fields if field.kind == "secret"} | set(EXTRA)
        made[kind] = Account.objects.create(
            brand=brand, kind=kind, name=kind.capitalize(), created_at=NOON, next_poll_at=NOON,
            settings=settings_of(connector, parrot), secrets={name: canary(kind, name) for name in names},
        )  # fmt: skip
    return made


def planted(accounts: dict[str, Account]) -> set[str]:
    return {value for account in accounts.values() for value in account.secrets.values()}


def seen_in(text: str, secrets: set[str]) -> list[str]:
    return sorted(secret for secret in secrets if secret in text)


def everything_stored() -> str:
    """The whole database as it lies on the disk, but for what is encrypted."""
    with connection.cursor() as cursor:
        rows = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            rows += [(table, [bytes(one) if isinstance(one, memoryview) else one for one in row]) for row in cursor]
    return str(rows)


def live(accounts: dict[str, Account], alba) -> None:
    """A day in their life: looked at, read, answered, acted upon, told of."""
    for kind, account in accounts.items():
        kinds = sorted(registry.get(kind).capabilities.reads - {"article"})
        if not kinds:
            connections.look(account_id=account.pk)  # nobody writes there
            continue
        written = envelope(remote_id=f"{kind}-1", thread=kind, kind=kinds[0], author=Author("diego", name="Diego"))
        inbound.intake(account, [written], at=NOON)
        conversation = Conversation.objects.get(account=account)
        inbox.reply(conversation=conversation, text="Sí", by=alba, turn=conversation.turn, at=NOON)
        connections.look(account_id=account.pk)
    Account.objects.update(state="active")
    polling.run_due(NOON)
    Account.objects.update(state="active")
    outbound.run_due(NOON + timedelta(minutes=5))
    jobs.run_due(clock.now() + timedelta(hours=1), raises=False)
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM core_activity")
        notify.tell(activity_ids=[pk for (pk,) in cursor.fetchall()])


def test_canaries_are_such_that_only_care_can_hide_them(accounts):
    """They don't look like secrets, so nothing is masked by luck."""
    for secret in planted(accounts) - {accounts["telegram"].secrets["token"]}:
        assert secret in redact(f"You said {secret}")


def test_nothing_comes_out_whatever_the_network_answers(accounts, alba, as_alba, brand, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    secrets = planted(accounts)
    live(accounts, alba)
    assert seen_in(everything_stored(), secrets) == []
    assert everything_stored().count("You said") > 3  # the network's own words are kept, without the secrets in them
    for route, pattern in addresses():
        if "<int:account_id>" in route:
            for account in accounts.values():
                address = fill(route, {"brand": brand.slug, "account_id": account.pk})
                for answer in (as_alba.get(address, follow=False), as_alba.post(address)):
                    assert seen_in(f"{answer.content!r}{answer.headers}", secrets) == [], (address, pattern.name)
    assert seen_in(caplog.text, secrets) == []


def test_no_page_and_no_answer_of_the_api_holds_one(accounts, alba, as_alba, brand):
    world = World(brand, alba, name="horno")
    secrets = planted(accounts) | {"a" * 43} | set(world.webhook.secrets.values())
    live(accounts, alba)
    seen = 0
    for route, _pattern in addresses():
        answer = as_alba.get(fill(route, {**world.arguments(), "kind": "mail"}))
        seen += answer.status_code == 200
        assert seen_in(f"{b''.join(answer)!r}{answer.headers}", secrets) == [], route
    assert seen > 35
    _token, key = api_actions.create_token(user=alba, brand=brand, name="t", scopes=SCOPES, expires_at=None, at=NOON)
    known = {**world.arguments(), "channel_id": world.site.pk, "brand_id": brand.pk, "person_id": 1, "reply_id": 1,
             "approval_id": 1}  # fmt: skip
    asked = 0
    for path in api.document["paths"]:
        address = re.sub(r"{(\w+)}", lambda part: str(known[part[1]]), path)
        answer = Client().get(address, headers={"Authorization": f"Bearer {key}"})
        asked += answer.status_code == 200
        assert seen_in(answer.content.decode(), secrets) == [], path
    assert asked > 10


def test_form_that_is_refused_gives_back_no_secret(accounts, as_alba, caplog):
    caplog.set_level(logging.DEBUG)
    for kind, account in accounts.items():
        connector = registry.get(kind)
        typed = {f"field_{field.name}": "Getipptvogel" for field in connector.fields if field.kind == "secret"}
        given = {f"field_{name}": value for name, value in account.settings.items()}
        address = f"/b/horno-candela/channels/{account.pk}/"
        for form in ({"name": "", **given, **typed}, {"name": "X", **given, **typed}):
            answer = as_alba.post(address, form, follow=True)
            assert "Getipptvogel" not in answer.content.decode(), kind
        if connector.capabilities.consents:
            answer = as_alba.post(f"{address}consent/", {"name": "X", **given, **typed}, follow=True)
            assert "Getipptvogel" not in answer.content.decode(), kind
    assert seen_in(caplog.text, {"Getipptvogel"} | planted(accounts)) == []
    assert seen_in(everything_stored(), {"Getipptvogel"}) == []


def test_errors_and_what_shows_objects_hold_none(accounts, brand):
    secrets = planted(accounts)
    for account in accounts.values():
        shown = f"{account!r} {account} {account.secrets!r} {account.secrets} {account.secrets:}"
        assert seen_in(shown, secrets) == []
        if registry.get(account.kind).capabilities.polls:
            with pytest.raises(Outcome) as said:
                account.connector.check(account)
            assert seen_in(f"{said.value!r} {said.value}", secrets) == []
    shown = crypto.Secrets(token="Kanarivogel")
    assert "Kanarivogel" not in f"{shown!r} {shown} {[shown]} {ValueError(shown)}"


def test_delivery_that_is_kept_is_kept_without_the_secret_it_came_with(accounts):
    """A network proves itself by a secret in a header; what can't be read is kept with them."""
    account = accounts["telegram"]
    secret = account.secrets["secret"]
    address, header = f"/in/{account.public_key}/", {"X-Telegram-Bot-Api-Secret-Token": secret}
    answer = Client().post(address, b"no json", content_type="application/json", headers=header)
    assert (answer.status_code, Quarantine.objects.count()) == (200, 1)
    assert seen_in(everything_stored(), planted(accounts)) == []
    Quarantine.objects.update(body=b'{"update_id": 1}')
    inbound.read_again(Quarantine.objects.get(), by=None, at=NOON)
    assert Quarantine.objects.get().settled_at == NOON


def test_console_shows_none(accounts, alba, capsys):
    live(accounts, alba)
    administering.channel(administering.argparse.Namespace(verb="list"))
    for look in doctor.LOOKS:
        print(look(clock.now()).says)
    assert seen_in(capsys.readouterr().out, planted(accounts)) == []
