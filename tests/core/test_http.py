"""The one door out: where it never goes, how long it waits, how much it takes, what it calls an outcome."""

from __future__ import annotations

import gzip
import logging
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import httpcore2
import pytest

from tertulia.core.addresses import is_allowed
from tertulia.core.http import NO_CONNECTION, NOT_ENCRYPTED, Answer, Door
from tertulia.core.outcomes import BadPayload, Outcome, Refused, Retry, Unknown

pytestmark = pytest.mark.proof

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n" + b'{"ok":true}'


class Listener:
    """A real socket that counts who came, keeps what they said and answers as told."""

    def __init__(self, address: str, port: int = 0, answer: bytes | Callable[[socket.socket], None] = OK):
        self.heard: list[bytes] = []
        self._answer = answer
        self._socket = socket.create_server((address, port))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                peer, _ = self._socket.accept()
            except OSError:
                return
            with peer, peer.makefile("rb") as lines:
                self.heard.append(b"".join(iter(lines.readline, b"\r\n")))
                with suppress(OSError):
                    self._answer(peer) if callable(self._answer) else peer.sendall(self._answer)

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(2)


@contextmanager
def listening(answer: bytes | Callable[[socket.socket], None] = OK, address: str = "127.0.0.1", port: int = 0):
    listener = Listener(address, port, answer)
    try:
        yield listener
    finally:
        listener.close()


@pytest.fixture(autouse=True)
def _own_servers_are_allowed(settings):
    settings.ALLOWED_ADDRESSES = ["127.0.0.0/8"]


@pytest.fixture
def inside(settings) -> Iterator[Listener]:
    """A server of the private network, which nobody is allowed to reach."""
    settings.ALLOWED_ADDRESSES = []
    with listening(address="0.0.0.0") as listener:
        yield listener


SPELLINGS = """
http://127.0.0.1:{p}/ http://localhost:{p}/ http://localhost.:{p}/ http://LOCALHOST:{p}/
http://127.0.0.2:{p}/ http://0.0.0.0:{p}/ http://0:{p}/ http://127.1:{p}/ http://127.0.1:{p}/
http://2130706433:{p}/ http://017700000001:{p}/ http://0x7f.1:{p}/ http://0x7f000001:{p}/
http://0x7f.0x0.0x0.0x1:{p}/ http://0177.0.0.1:{p}/ http://0177.0.0.01:{p}/ http://00000177.0.0.1:{p}/
http://127.0x0.1:{p}/ http://127.00000.0.1:{p}/ http://0X7F.1:{p}/ http://127.0.0.1.:{p}/
http://①②⑦.⓪.⓪.①:{p}/ http://１２７.０.０.１:{p}/ http://127。0。0。1:{p}/ http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:{p}/
http://١٢٧.٠.٠.١:{p}/ http://[::1]:{p}/ http://[::]:{p}/ http://[::ffff:127.0.0.1]:{p}/
http://[::ffff:7f00:1]:{p}/ http://[::127.0.0.1]:{p}/ http://[0:0:0:0:0:ffff:127.0.0.1]:{p}/
http://[64:ff9b::7f00:1]:{p}/ http://[64:ff9b::127.0.0.1]:{p}/ http://[64:ff9b:1::7f00:1]:{p}/
http://[2002:7f00:1::]:{p}/ http://[2001:0:7f00:1::]:{p}/ http://[::1%25lo]:{p}/
http://[fe80::1%25eth0]:{p}/ http://[fd00:ec2::254]:{p}/ http://[fc00::1]:{p}/ http://[ff02::1]:{p}/
http://10.0.0.1:{p}/ http://172.16.0.1:{p}/ http://192.168.1.1:{p}/
http://169.254.169.254:{p}/latest/meta-data/ http://100.64.0.1:{p}/ http://198.18.0.1:{p}/
http://224.0.0.1:{p}/ http://255.255.255.255:{p}/ http://168.63.129.16:{p}/
http://good.example@127.0.0.1:{p}/ http://127.0.0.1:{p}\\@good.example/ http://good.example#@127.0.0.1:{p}/x
y http://127.0.0.1:{p}#.good.example/ http://127.0.0.1:{p}?.good.example/ http:///127.0.0.1:{p}/
http:127.0.0.1:{p}/ //127.0.0.1:{p}/ file:///etc/passwd gopher://127.0.0.1:{p}/ ftp://127.0.0.1:{p}/
dict://127.0.0.1:{p}/ unix:///run/x.sock jar:http://127.0.0.1:{p}/!/ ws://127.0.0.1:{p}/ javascript:alert(1)
http://%31%32%37.0.0.1:{p}/
"""
FORBIDDEN = SPELLINGS.split()


@pytest.mark.parametrize(
    "form", [*FORBIDDEN, "http://127.0.0.1:{p}/\r\nHost: good.example", "", " http://127.0.0.1:{p}/"]
)
def test_no_spelling_of_a_forbidden_address_is_connected_to(inside, form):
    door = Door(connect=0.5, total=1)
    with pytest.raises((Refused, Retry)):
        door.request("GET", form.format(p=inside.port))
    assert inside.heard == []


def test_the_list_of_spellings_is_long_enough():
    assert len(set(FORBIDDEN)) >= 60


def test_a_name_that_leads_inside_is_refused_whole(inside):
    door = Door(resolve=lambda host, port: ["93.184.215.14", "127.0.0.1"])
    with pytest.raises(Refused):
        door.request("GET", f"http://two.example:{inside.port}/")
    assert inside.heard == []


def test_the_address_that_was_checked_is_the_one_connected_to(settings):
    settings.ALLOWED_ADDRESSES = ["127.0.0.2/32"]
    answers = iter([["127.0.0.2"], ["127.0.0.1"]])
    with listening(address="127.0.0.2") as checked, listening(port=checked.port) as other:
        door = Door(resolve=lambda host, port: next(answers))
        assert door.request("GET", f"http://rebind.example:{checked.port}/").json() == {"ok": True}
        with pytest.raises(Refused):
            door.request("GET", f"http://rebind.example:{checked.port}/")
        assert (len(checked.heard), len(other.heard)) == (1, 0)
        assert b"\r\nHost: rebind.example" in checked.heard[0]


@pytest.fixture
def dialled(monkeypatch) -> list[str]:
    """Whom the door would have connected to; it never does."""
    called = []

    def connect(self, number, *_):
        called.append(number)
        raise httpcore2.ConnectError

    monkeypatch.setattr(httpcore2.SyncBackend, "connect_tcp", connect)
    return called


@pytest.mark.parametrize(
    ("numbers", "allowed", "is_spoken"),
    [
        (["93.184.215.14"], [], False),
        (["93.184.215.14"], ["93.184.215.0/24"], True),
        (["93.184.215.14", "2606:4700::1111"], ["93.184.215.0/24"], False),
        (["127.0.0.1"], ["10.0.0.0/8"], True),
        (["10.0.0.1"], ["10.0.0.0/8"], True),
        (["10.0.0.1"], [], False),
    ],
)
def test_plain_http_goes_to_the_own_machine_and_to_networks_that_were_allowed(
    numbers, allowed, is_spoken, settings, dialled
):
    """Where the owner named the host, so that private networks are no obstacle by themselves."""
    settings.ALLOWED_ADDRESSES = allowed
    door = Door(resolve=lambda host, port: numbers, named=frozenset({"x.example"}))
    with pytest.raises(Retry if is_spoken else Refused) as told:
        door.request("GET", "http://x.example/")
    assert (told.value.why, dialled) == ((NO_CONNECTION, numbers) if is_spoken else (NOT_ENCRYPTED, []))
    with pytest.raises(Retry):
        door.request("GET", "https://x.example/")


def test_what_is_open_is_read_over_plain_http_and_never_inside(settings, dialled):
    settings.ALLOWED_ADDRESSES = []
    for number in ("93.184.215.14", "10.0.0.1"):
        with pytest.raises(Outcome):
            Door(resolve=lambda host, port, number=number: [number], reads_open=True).request("GET", "http://x.example")
    assert dialled == ["93.184.215.14"]


def test_an_allowed_network_is_reached_however_it_is_spelt(settings):
    settings.ALLOWED_ADDRESSES = ["127.0.0.0/8"]
    with listening() as listener:
        assert Door().request("GET", f"http://0x7f.1:{listener.port}/").status == 200


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_is_not_followed(inside, settings, code):
    settings.ALLOWED_ADDRESSES = ["127.0.0.9/32"]
    moved = f"HTTP/1.1 {code} Moved\r\nLocation: http://127.0.0.1:{inside.port}/\r\nContent-Length: 0\r\n\r\n"
    with listening(moved.encode(), address="127.0.0.9", port=0) as listener:
        assert Door().request("GET", f"http://127.0.0.9:{listener.port}/").status == code
    assert inside.heard == []


def test_proxies_of_the_environment_are_not_used(inside, settings, monkeypatch):
    settings.ALLOWED_ADDRESSES = ["127.0.0.0/8"]
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{inside.port}")
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{inside.port}")
    with pytest.raises(Retry):
        Door(resolve=lambda *_: ["127.0.0.9"]).request("GET", "http://x.example:9/")
    assert inside.heard == []


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "2606:2800:21f:cb07::1", "64:ff9b::5db8:d70e", "::ffff:93.184.215.14"]
)
def test_public_addresses_are_allowed(address):
    assert is_allowed(address)


def test_a_slow_answer_ends_at_the_time_limit():
    def drip(peer):
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            peer.sendall(b"x")
            time.sleep(0.05)

    with listening(drip) as listener:
        began = time.monotonic()
        with pytest.raises(Unknown):
            Door(total=0.5).request("POST", f"http://127.0.0.1:{listener.port}/")
        assert time.monotonic() - began < 1


def test_never_ending_headers_end_at_the_time_limit():
    def drip(peer):
        peer.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            peer.sendall(b"X-A: b\r\n")
            time.sleep(0.02)

    with listening(drip) as listener, pytest.raises(Unknown):
        Door(total=0.5).request("GET", f"http://127.0.0.1:{listener.port}/")


def test_an_endless_answer_is_cut_at_the_size_limit():
    def pour(peer):
        peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            peer.sendall(b"x" * 65_536)

    with listening(pour) as listener, pytest.raises(Unknown, match="too large"):
        Door().request("GET", f"http://127.0.0.1:{listener.port}/")


def test_a_compressed_bomb_is_cut_at_the_size_limit():
    bomb = gzip.compress(b"\0" * 50_000_000)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n".encode()
    with listening(head + bomb) as listener, pytest.raises(Unknown, match="too large"):
        Door().request("GET", f"http://127.0.0.1:{listener.port}/")


def test_a_compressed_answer_is_read():
    body = gzip.compress(b'{"hola": "\xc3\xb1"}')
    head = f"HTTP/1.1 201 Created\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\nX-A: B\r\n\r\n".encode()
    with listening(head + body) as listener:
        answer = Door().request("GET", f"http://127.0.0.1:{listener.port}/")
    assert (answer.status, answer.json(), answer.headers["x-a"]) == (201, {"hola": "ñ"}, "B")


def test_a_refused_connection_certainly_did_nothing():
    with listening() as listener:
        port = listener.port
    with pytest.raises(Retry):
        Door().request("POST", f"http://127.0.0.1:{port}/")


def test_a_name_that_cannot_be_found_in_time_certainly_did_nothing():
    began = time.monotonic()
    with pytest.raises(Retry):
        Door(connect=0.2, resolve=lambda *_: time.sleep(2) or []).request("POST", "http://slow.example/")
    assert time.monotonic() - began < 1


def test_an_answer_cut_short_is_unknown():
    for answer in (b"", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf"):
        with listening(answer) as listener, pytest.raises(Unknown):
            Door().request("POST", f"http://127.0.0.1:{listener.port}/", json={"a": 1})


def test_what_is_no_json_is_a_bad_payload():
    for body in (b"<html>", b"[" * 100_000, b"\xff"):
        with pytest.raises(BadPayload):
            Answer(200, {}, body).json()


def test_the_request_carries_what_it_was_given():
    with listening() as listener:
        url = f"http://127.0.0.1:{listener.port}/post?old=1"
        Door().request("POST", url, headers={"X-Key": "k"}, params={"a": "ñ"}, data={"text": "hola"})
    said = listener.heard[0].decode()
    assert said.startswith("POST /post?a=%C3%B1 HTTP/1.1\r\n")
    assert "x-key: k\r\n" in said.lower()


def test_no_secret_is_in_a_log_an_error_or_a_repr(caplog):
    caplog.set_level(logging.DEBUG)
    secret = "s3cret-canary-0123456789"
    with listening(b"HTTP/1.1 500 X\r\nContent-Length: 24\r\n\r\n" + secret.encode()) as listener:
        url = f"http://127.0.0.1:{listener.port}/{secret}?token={secret}"
        answer = Door().request("POST", url, headers={"Authorization": f"Bearer {secret}"}, json={"s": secret})
    said = [repr(answer), caplog.text]
    for bad in (f"http://u:{secret}@x.example/", f"http://127.0.0.1:{listener.port}/{secret}", f"ftp://{secret}/"):
        with pytest.raises((Refused, Retry)) as caught:
            Door().request("POST", bad, headers={"Authorization": secret})
        said += [repr(caught.value), str(caught.value)]
    with pytest.raises(Refused) as caught:
        Door().request("GET", "http://127.0.0.1:1/", headers={"Authorization": f"{secret}\r\n☃"})
    said += [repr(caught.value), repr(caught.value.__cause__)]
    assert secret not in " ".join(said)


# What goes on and on.


def telling(*parts: bytes | float, ends: bool = True) -> Callable[[socket.socket], None]:
    """Lines as they come, and seconds of silence between them."""

    def answer(peer: socket.socket) -> None:
        peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        for part in parts:
            time.sleep(part) if isinstance(part, float) else peer.sendall(part)
        while not ends and peer.recv(4096):  # what is left of the request, and then until they hang up
            pass

    return answer


def streamed(answer: bytes | Callable[[socket.socket], None], **said) -> list[bytes]:
    with listening(answer) as listener:
        return list(Door(total=2).stream("GET", f"http://127.0.0.1:{listener.port}/", **{"seconds": 5, **said}))


def test_a_stream_gives_whole_lines_however_they_arrive():
    assert streamed(telling(b"event: up", 0.1, b"date\r\nda", 0.1, b"ta: 1\n\nhalf")) == [
        b"event: update",
        b"data: 1",
        b"",
    ]


def test_a_silent_stream_gives_signs_of_life_and_ends_in_time(monkeypatch):
    monkeypatch.setattr("tertulia.core.http.SIGN_OF_LIFE", 0.2)
    began = time.monotonic()
    lines = streamed(telling(b"a\n", ends=False), seconds=1.5)
    assert [line for line in lines if line] == [b"a"]
    assert 3 <= lines.count(b"") <= 8
    assert time.monotonic() - began < 4


def test_a_stream_cut_off_at_its_end_has_ended(monkeypatch):
    def waits_longer(self, timeout):  # who listens wakes late, as on a busy machine
        time.sleep(timeout + 0.3)
        return get(self, timeout=0.1)

    get = queue.Queue.get
    monkeypatch.setattr(queue.Queue, "get", waits_longer)
    assert streamed(lambda peer: time.sleep(1.5), seconds=0.5) == []


def test_a_stream_ends_when_it_is_told_to_and_its_thread_with_it(monkeypatch):
    monkeypatch.setattr("tertulia.core.http.SIGN_OF_LIFE", 0.1)
    asked = iter([False, False, True])
    assert len(streamed(telling(b"a\n", ends=False), stop=lambda: next(asked), seconds=60)) <= 2
    time.sleep(1.5)
    assert "stream" not in {thread.name for thread in threading.enumerate()}


def test_a_stream_that_is_refused_is_judged_by_its_answer():
    def judge(answer: Answer) -> None:
        raise Refused(f"{answer.status} {answer.body.decode()}")

    with pytest.raises(Refused, match="401 no"):
        streamed(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno", judge=judge)


def test_a_stream_knows_the_same_addresses(inside):
    with pytest.raises(Refused):
        list(Door().stream("GET", f"http://127.0.0.1:{inside.port}/", seconds=2))
    assert inside.heard == []


def test_a_line_that_never_ends_is_too_large(monkeypatch):
    monkeypatch.setattr("tertulia.core.http.LONGEST_LINE", 1000)
    with pytest.raises(Unknown):
        streamed(telling(b"x" * 5000, ends=False))
