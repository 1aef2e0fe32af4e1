"""Whatever fetches, fetches through the one door, and the door leads nowhere inside.

What counts is which addresses the process connects to, told by the interpreter itself at the socket. Public addresses
are noted and refused there, so that nothing leaves this machine.
"""

from __future__ import annotations

import ast
import ipaddress
import itertools
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests

from core.test_http import SPELLINGS, listening
from tertulia.api import webhooks
from tertulia.channels.models import Account
from tertulia.connectors import registry
from tertulia.connectors.contract import Outcome
from tertulia.core.addresses import is_allowed
from tertulia.core.http import Door, open_http
from tertulia.publishing import looking, sharing
from tertulia.publishing.problems import Problem
from tertulia.team.accounts import SocialAccountAdapter
from tertulia.understanding import brains
from tertulia.understanding.models import Brain

pytestmark = [pytest.mark.proof, pytest.mark.django_db]

SOURCE = Path(__file__).parents[1] / "src" / "tertulia"
FORMS = sorted(set(SPELLINGS.split()) - {"y"})
PUBLIC = "93.184.215.14"
TO_THE_NET = {"socket", "ssl", "http", "urllib", "requests", "smtplib", "imaplib", "ftplib", "asyncio", "httpx2",
          "kombu"}  # fmt: skip
KNOWN = {
    # who imports something that can open a connection: why it is no fetcher
    "core/http.py": "the door",
    "core/wire.py": "what the door has opened",
    "core/wake.py": "rings the own machine's bell, a Unix socket",
    "core/malware.py": "clamd of the settings",
    "core/sandbox.py": "a pair of sockets between a process and its child",
    "connectors/mail/smtp.py": "smtplib speaks over the door's wire",
    "project/rsgi.py": "answers the web server",
    "project/live.py": "answers the web server",
    "project/celery.py": "the name of the own machine",
    "project/starting.py": "is the own port free?",
    "project/serve.py": "listens",
    "project/doctor.py": "is the broker of the settings there?",
    "team/accounts.py": "the company's sign-in, through the door",
    "team/company.py": "the company's sign-in, through the door",
}
HAS_A_DOOR = {
    "channels/models.py", "api/webhooks.py", "publishing/looking.py", "publishing/sharing.py",
    "understanding/brains.py", "team/accounts.py",
}  # fmt: skip
"""Who speaks through it: connectors by their account, webhooks, links of posts, what is shared of a message, a model of
the brand's choice, the sign-in."""


def imported(path: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((name.name, "") for name in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from ((node.module or "", name.name) for name in node.names)


def test_nobody_else_can_open_a_connection():
    """And whoever comes to speak through the door has to be told to this file."""
    able, speaks = set(), set()
    for path in SOURCE.rglob("*.py"):
        here = str(path.relative_to(SOURCE))
        for module, name in imported(path):
            harmless = module.startswith(("urllib.parse", "http.HTTPStatus")) or (module, name) == (
                "http",
                "HTTPStatus",
            )
            if module.split(".")[0] in TO_THE_NET and not harmless:
                able.add(here)
            if module == "tertulia.core.http" and name in {"Door", "http"}:
                speaks.add(here)
    assert able == set(KNOWN)
    assert speaks == HAS_A_DOOR


# Who connected where


CONNECTED: list[str] = []
WATCHING: list[Callable[[str], bool]] = []


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.connect" and WATCHING and isinstance(arguments[1], tuple):
        CONNECTED.append(str(arguments[1][0]))
        if not WATCHING[-1](CONNECTED[-1]):
            raise ConnectionRefusedError("The tests connect to nobody outside")


sys.addaudithook(_watch)


@contextmanager
def watching(let: Callable[[str], bool] = lambda address: False) -> Iterator[list[str]]:
    """The addresses connected to meanwhile; only those that may be `let` through are."""
    CONNECTED.clear()
    WATCHING.append(let)
    try:
        yield CONNECTED
    finally:
        WATCHING.pop()


@pytest.fixture(autouse=True)
def names(monkeypatch) -> SimpleNamespace:
    """A resolver of our own: numbers as the system reads them, names as told; how often each name was asked for."""
    told = SimpleNamespace(answers={}, asked=[])
    system = socket.getaddrinfo

    def getaddrinfo(host, port, family=0, type=0, proto=0, flags=0):
        name = (host.decode() if isinstance(host, bytes) else str(host)).rstrip(".").lower()
        with suppress(socket.gaierror):
            return system(host, port, family, type or socket.SOCK_STREAM, proto, flags | socket.AI_NUMERICHOST)
        told.asked.append(name)
        number = next(told.answers[name]) if name in told.answers else "127.0.0.1" if name == "localhost" else ""
        if not number:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return system(number, port, family, socket.SOCK_STREAM, proto, socket.AI_NUMERICHOST)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return told


@pytest.fixture(autouse=True)
def _nothing_inside_is_allowed(settings):
    settings.ALLOWED_ADDRESSES = []


# Every fetcher, given an address


def webhook(url: str) -> None:
    with suppress(webhooks.BadAddress):
        webhooks.check_address(url)
    webhooks.door.request("POST", url, content=b"{}")


def link(url: str) -> None:
    looking.answer_of(url)


def picture(url: str) -> None:
    with suppress(Problem):
        sharing._fetched(url)


def brain(url: str) -> None:
    said = brains._call(Brain(address=url, model="m", fields=["kind"], seconds=1), {"messages": []}, lambda content: {})
    assert said.why


def sign_in(url: str) -> None:
    """An address that the company's sign-in names for the next step; its own is the owner's."""
    with pytest.raises(requests.RequestException):
        SocialAccountAdapter().get_requests_session().get(url, timeout=1)


DOOR = Door(connect=0.3, total=1)


def channel(kind: str) -> Callable[[str], None]:
    connector = registry.get(kind)

    def look(url: str) -> None:
        host = url.partition("//")[2].partition("/")[0]
        given = {field.name: url for field in connector.fields if field.kind == "url"}
        given |= {"user": "u", "handle": "h.example", "address": given.get("address", "a@b.example"), "kind": "feed"}
        if kind == "mail":
            given |= {"imap_server": host, "smtp_server": host, "encryption": "tls"}
        secrets = {field.name: "123456:" + "A" * 35 for field in connector.fields if field.kind == "secret"}
        account = SimpleNamespace(id=1, settings=given, secrets=secrets)
        one = connector(DOOR)
        for act in (one.renew, one.check):
            with suppress(Outcome, ValueError):
                act(account)

    return look


ADDRESSED = sorted(
    kind
    for kind, one in registry.all_connectors().items()
    if one.__module__.startswith("tertulia.") and one.capabilities.polls
)
FETCHERS: dict[str, Callable[[str], None]] = {
    "webhook": webhook, "link": link, "picture": picture, "brain": brain, "sign-in": sign_in,
    **{kind: channel(kind) for kind in ADDRESSED}
}  # fmt: skip


def fetched(name: str, url: str) -> None:
    with suppress(Outcome, ValueError):
        FETCHERS[name](url)


def test_every_connector_that_goes_out_is_among_them():
    assert set(ADDRESSED) == {"bluesky", "feed", "mail", "mastodon", "matrix", "telegram", "wordpress"}
    assert len(FORMS) >= 60


@pytest.mark.parametrize("name", FETCHERS)
def test_no_fetcher_connects_inside_however_it_is_spelt(name, names, record_property):
    record_property("tried", len(FORMS))
    names.answers = {"good.example": itertools.repeat(PUBLIC)}
    with listening(address="0.0.0.0") as inside, watching() as connected:
        for form in FORMS:
            fetched(name, form.format(p=inside.port))
        assert [address for address in connected if not is_allowed(address)] == []
        assert inside.heard == []


@pytest.mark.parametrize("name", FETCHERS)
def test_a_name_that_changes_between_two_looks_leads_nowhere_inside(name, names):
    """Public when it is looked at, inside when it is gone to; and the other way round."""
    with listening(address="0.0.0.0") as inside:
        for answers in ([PUBLIC, "127.0.0.1"], ["127.0.0.1", PUBLIC], [PUBLIC, "169.254.169.254"], [PUBLIC, "::1"]):
            names.answers = {"rebind.example": itertools.cycle(answers)}
            names.asked.clear()
            with watching() as connected:
                for _ in range(3):
                    fetched(name, f"https://rebind.example:{inside.port}/")
                    fetched(name, f"http://rebind.example:{inside.port}/")
            assert "rebind.example" in names.asked
            assert {ipaddress.ip_address(address) for address in connected} <= {ipaddress.ip_address(PUBLIC)}
        assert inside.heard == []


@pytest.mark.parametrize("name", sorted(set(FETCHERS) - {"mail"}))
@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_no_redirect_leads_inside(name, code, settings, names):
    settings.ALLOWED_ADDRESSES = ["127.0.0.9/32"]
    with listening(address="127.0.0.1") as inside:
        moved = f"HTTP/1.1 {code} X\r\nLocation: http://127.0.0.1:{inside.port}/\r\nContent-Length: 0\r\n\r\n"
        with (
            listening(moved.encode(), address="127.0.0.9") as outside,
            watching(lambda address: address == "127.0.0.9") as connected,
        ):
            fetched(name, f"http://127.0.0.9:{outside.port}")
            assert set(connected) <= {"127.0.0.9"}
        assert inside.heard == []


def test_only_what_is_there_for_everybody_is_read_over_plain_http(names):
    names.answers = {"good.example": itertools.repeat(PUBLIC)}
    for name in ("webhook", "link", "picture", "brain", "sign-in"):
        with watching() as connected:
            fetched(name, "http://good.example/")
        assert set(connected) == ({PUBLIC} if name == "link" else set()), name
    kinds = {kind for kind in registry.all_connectors() if Account(kind=kind).connector.http is open_http}
    assert kinds == {"feed"}


def test_the_companys_own_server_may_stand_inside_and_what_it_names_may_not(settings):
    with listening() as own, listening(address="127.0.0.2") as other:
        app = {"provider_id": "oidc", "settings": {"server_url": f"http://127.0.0.1:{own.port}"}}
        settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app]}}
        with SocialAccountAdapter().get_requests_session() as session:
            assert session.get(f"http://127.0.0.1:{own.port}/x", timeout=1).json() == {"ok": True}
            with pytest.raises(requests.RequestException):
                session.get(f"http://127.0.0.2:{other.port}/", timeout=1)
        assert (len(own.heard), other.heard) == (1, [])


def test_the_watch_sees_a_connection():
    with listening() as listener, watching(lambda address: True) as connected:
        socket.create_connection(("127.0.0.1", listener.port), 1).close()
        assert connected == ["127.0.0.1"]
