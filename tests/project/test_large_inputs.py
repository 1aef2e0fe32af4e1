"""1 MB is kept or refused in words; 1 GB is refused long before it has all come, and costs no memory."""

from __future__ import annotations

import json
import select
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from .conftest import wait_for

pytestmark = pytest.mark.proof_heavy

SECRET = "a" * 43
LAY_OUT = f"""
from tertulia.brand.models import Brand
from tertulia.channels.models import Account
from tertulia.core import clock
brand = Brand.objects.create(slug="horno", name="Horno", created_at=clock.now())
made = [
    Account.objects.create(brand=brand, kind=kind, name=kind, created_at=clock.now(), secrets=secrets)
    for kind, secrets in (("telegram", {{"token": "1:x", "secret": "{SECRET}"}}), ("site", {{"signing": "{SECRET}"}}))
]
answer = [account.public_key for account in made]
"""
PIECE = b" " * (1 << 20)
GIGABYTE = 1 << 30
MOST_TAKEN = 48 << 20
"""Bytes: more than the largest body, with what lies in buffers on the way."""
MOST_MEMORY = 64 << 20


@pytest.fixture(scope="module")
def doors(installation) -> list[str]:
    installation.start()
    wait_for(lambda: is_up(installation), 30)
    telegram, site = installation.ask(LAY_OUT)
    return [f"/in/{telegram}/", f"/site/{site}/messages", "/accounts/login/", "/api/v1/messages"]


def is_up(installation) -> bool:
    try:
        return installation.get("/healthz")[0] == 200
    except OSError:
        return False


def most_memory(installation) -> int:
    """The most that any process of the web server ever held, in bytes."""
    texts = [Path(f"/proc/{pid}/status").read_text() for pid in installation.children("web")]
    return max(int(text.split("VmHWM:")[1].split()[0]) * 1024 for text in texts)


def head(installation, path: str, *more: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", f"Host: localhost:{installation.port}", "Content-Type: application/json", *more]
    return "\r\n".join([*lines, "", ""]).encode()


def pour(installation, path: str, size: int, *, is_chunked: bool) -> tuple[int, int]:
    """Send so many bytes; returns how many were taken, and the status (0: the line was cut)."""
    taken, answer = 0, b""
    with socket.create_connection(("localhost", installation.port), timeout=20) as line:
        length = "Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {size}"
        line.sendall(head(installation, path, length))
        with suppress(OSError):
            while taken < size and not select.select([line], [], [], 0)[0]:
                piece = PIECE[: size - taken]
                line.sendall(b"%x\r\n%s\r\n" % (len(piece), piece) if is_chunked else piece)
                taken += len(piece)
            if is_chunked and taken == size:
                line.sendall(b"0\r\n\r\n")
        with suppress(OSError):
            answer = line.recv(100)
    return taken, int(answer[9:12] or 0)


@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_gigabyte_is_refused_early_and_costs_no_memory(installation, doors, is_chunked, record_property):
    before, found = most_memory(installation), {}
    for path in doors:
        found[path] = pour(installation, path, GIGABYTE, is_chunked=is_chunked)
    record_property("tried", len(found))
    for path, (taken, status) in found.items():
        assert taken <= MOST_TAKEN, (path, taken)
        assert status in {0, 400, 411, 413}, (path, status)
    assert most_memory(installation) - before < MOST_MEMORY
    wait_for(lambda: is_up(installation))


@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_megabyte_of_nothing_is_answered_in_words(installation, doors, is_chunked, record_property):
    record_property("tried", len(doors))
    for path in doors:
        taken, status = pour(installation, path, 1 << 20, is_chunked=is_chunked)
        assert taken == 1 << 20
        assert 200 <= status < 500, (path, status)


def test_a_message_of_a_megabyte_is_kept_whole(installation, doors):
    text = "ñandú " * 150_000
    update = {
        "update_id": 1,
        "message": {
            "message_id": 5, "date": 1_795_000_000, "text": text,
            "chat": {"id": 7, "type": "private", "first_name": "Diego"},
            "from": {"id": 7, "is_bot": False, "first_name": "Diego"},
        },
    }  # fmt: skip
    body = json.dumps(update).encode()
    with socket.create_connection(("localhost", installation.port), timeout=20) as line:
        secret = f"X-Telegram-Bot-Api-Secret-Token: {SECRET}"
        line.sendall(head(installation, doors[0], secret, f"Content-Length: {len(body)}") + body)
        assert line.recv(100).split(b"\r\n")[0].endswith(b"200 OK")
    kept = "from tertulia.channels.models import Message; answer = [len(m.text) for m in Message.objects.all()]"
    assert installation.ask(kept) == [len(text)]
