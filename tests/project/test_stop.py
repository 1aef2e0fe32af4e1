"""A polite request to stop, in the middle of everything: pages asked for, streams open, a network that hangs.

TERTULIA_TEST_STOPS repeats it, by default once (some 15 s each; 200 take an hour).
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from .conftest import wait_for

STOPS = int(os.environ.get("TERTULIA_TEST_STOPS", "1"))
BROKER = os.environ.get("TERTULIA_TEST_BROKER_URL", "")
HANGS = 60.0

pytestmark = pytest.mark.kill

WRITE = """
from datetime import timedelta
from django.utils.timezone import now
from tertulia.brand.models import Brand
from tertulia.channels.models import Account, Delivery
from tertulia.connectors.contract import Author, Envelope
from tertulia.core import wake
from tertulia.flows import inbound
from tertulia.inbox import actions
from tertulia.inbox.models import Conversation
from tertulia.team.models import Membership, User
at = now()
brand, _ = Brand.objects.get_or_create(slug="stop", defaults={{"name": "Stop", "created_at": at}})
alba, _ = User.objects.get_or_create(email="alba@stop.example", defaults={{"name": "Alba"}})
Membership.objects.get_or_create(user=alba, brand=brand, defaults={{"role": "manager", "created_at": at}})
for place in range(12):
    account = Account.objects.create(brand=brand, kind="mastodon", name=str(place), created_at=at,
        settings={{"server": "{url}"}}, secrets={{"token": "t"}}, next_poll_at=at if place > 8 else None)
    envelopes = [Envelope(f"{{place}}{{n}}", f"t{{place}}{{n}}", at, Author(f"a{{n}}", name="Ana"), text="¿Abrís?",
                          kind="direct") for n in range(5)]
    inbound.intake(account, envelopes, at=at)
    for one in Conversation.objects.filter(account=account).select_related("account", "brand"):
        actions.reply(conversation=one, text="Sí.", by=alba, turn=one.turn, at=at)
Delivery.objects.update(due_at=at)
wake.ring()
answer = Delivery.objects.count()
"""
LOOK = """
from tertulia.channels.models import Account, Delivery
answer = dict(Delivery.objects.values_list("key", "state"))
Delivery.objects.all().delete()
Account.objects.filter(kind="mastodon").delete()
"""


class Hanging(BaseHTTPRequestHandler):
    """Every other message is taken after half a second; nobody hears anything else for a minute."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.over.wait(HANGS)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        key, server = self.headers.get("Idempotency-Key"), self.server
        server.heard.append(key)
        if len(server.heard) % 2:
            server.over.wait(HANGS)
            return
        time.sleep(0.5)
        body = json.dumps({"id": str(len(server.heard)), "url": "", "created_at": "2026-11-29T10:00:00Z"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        server.answered.append(key)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def network():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hanging)
    server.daemon_threads, server.handle_error = True, lambda *_: None
    server.heard, server.answered, server.over = [], [], threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.over.set()
    server.shutdown()
    server.server_close()


def ask_for_pages(installation, over: threading.Event) -> None:
    while not over.is_set():
        try:
            with urllib.request.urlopen(f"{installation.url}/accounts/login/", timeout=5) as answer:
                answer.read()
        except OSError:
            over.wait(0.05)


@pytest.mark.parametrize("way", ["embedded", *(["broker"] if BROKER else [])])
def test_all_ends_within_ten_seconds_under_load_and_nothing_is_forgotten(installation, network, way):
    installation.environment |= {"TERTULIA_ALLOWED_ADDRESSES": "127.0.0.0/8", "TERTULIA_WORK_THREADS": "16"}
    installation.environment["TERTULIA_BROKER_URL"] = BROKER if way == "broker" else ""
    installation.tertulia("setup")  # a start waits for it no longer than a person would
    seconds = []
    for _ in range(STOPS):
        installation.start()
        wait_for(lambda: installation.get("/readyz")[0] == 200)
        network.heard.clear()
        network.answered.clear()
        over = threading.Event()
        for _ in range(4):
            threading.Thread(target=ask_for_pages, args=(installation, over), daemon=True).start()
        written = installation.ask(WRITE.format(url=f"http://127.0.0.1:{network.server_port}"))
        wait_for(lambda: len(network.heard) >= 6)
        seconds.append(installation.stop(signal.SIGTERM))
        over.set()
        states = installation.ask(LOOK)
        heard, answered = set(network.heard), set(network.answered)
        assert {states[key] for key in answered} == {"sent"}
        assert {states[key] for key in heard - answered} <= {"sending", "unknown"}
        assert (len(heard) == len(network.heard), len(states)) == (True, written)
    print(
        f"{way}: {len(seconds)} stops, longest {max(seconds):.1f} s, median {sorted(seconds)[len(seconds) // 2]:.1f} s"
    )
    assert max(seconds) < 10
