"""Connections for line protocols: the same guard as for HTTP, one deadline for all of it, a limit to what is taken."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from core.test_http import FORBIDDEN
from tertulia.core.http import Door
from tertulia.core.outcomes import Refused, Retry

pytestmark = pytest.mark.proof


@contextmanager
def speaking(say: Callable[[socket.socket], None], address: str = "127.0.0.1"):
    """A server that says this to whoever comes; gives its port and the list of its visitors."""
    visitors: list[str] = []
    server = socket.create_server((address, 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                peer, who = server.accept()
                visitors.append(who[0])
                with peer, suppress(OSError):
                    say(peer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server.getsockname()[1], visitors
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(2)


def greet(peer: socket.socket) -> None:
    peer.sendall(b"220 hola\r\n{5}\r\nabcde)\r\nlast")
    peer.recv(100)


@pytest.fixture(autouse=True)
def _own_servers_are_allowed(settings):
    settings.ALLOWED_ADDRESSES = ["127.0.0.0/8"]


def test_lines_and_counted_bytes_are_read_to_the_end():
    with speaking(greet) as (port, _):
        wire = Door().dial("127.0.0.1", port, tls=False)
        assert wire.wait(2)
        assert wire.readline() == b"220 hola\r\n"
        assert wire.readline(3) == b"{5}"
        assert (wire.readline(), wire.read(5), wire.readline()) == (b"\r\n", b"abcde", b")\r\n")
        wire.sendall(b"bye")
        assert (wire.readline(), wire.readline(), wire.read(9)) == (b"last", b"", b"")
        wire.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0", "2130706433", "0x7f.1", "[::1]", "::ffff:127.0.0.1"])
def test_the_address_guard_is_the_same_as_for_http(settings, host):
    settings.ALLOWED_ADDRESSES = []
    with speaking(greet, "0.0.0.0") as (port, visitors):
        with pytest.raises((Refused, Retry)):
            Door(connect=0.5, total=1).dial(host, port, tls=False)
        assert visitors == []


def test_no_spelling_of_a_forbidden_host_is_dialled(settings):
    settings.ALLOWED_ADDRESSES = []
    hosts = {form.partition("//")[2].partition(":{p}")[0] for form in FORBIDDEN if form.startswith("http://")}
    assert len(hosts) > 40
    with speaking(greet, "0.0.0.0") as (port, visitors):
        for host in hosts:
            with pytest.raises((Refused, Retry)):
                Door(connect=0.3, total=1).dial(host, port, tls=False)
        assert visitors == []


@pytest.mark.parametrize(
    ("host", "port"), [("", 25), ("a b", 25), ("a\r\nb", 25), ("x.example", 0), ("x.example", 70_000)]
)
def test_what_is_no_address_is_refused(host, port):
    with pytest.raises(Refused):
        Door().dial(host, port)


def test_a_server_that_drips_holds_nobody_beyond_the_deadline():
    def drip(peer: socket.socket) -> None:
        while True:
            peer.sendall(b"x")
            time.sleep(0.05)

    with speaking(drip) as (port, _):
        wire = Door(total=5).dial("127.0.0.1", port, tls=False, within=0.5)
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            wire.readline()
        assert time.monotonic() - began < 1
        wire.close()


def test_a_silent_server_is_waited_for_no_longer_than_the_door_waits():
    with speaking(lambda peer: time.sleep(2)) as (port, _):
        wire = Door(total=0.3).dial("127.0.0.1", port, tls=False, within=60)
        began = time.monotonic()
        assert not wire.wait(0.1)
        with pytest.raises(TimeoutError):
            wire.readline()
        assert time.monotonic() - began < 1
        wire.close()


def test_a_server_that_reads_nothing_is_not_written_to_for_ever():
    with speaking(lambda peer: time.sleep(2)) as (port, _):
        wire = Door(total=0.3).dial("127.0.0.1", port, tls=False)
        with pytest.raises(TimeoutError):
            wire.sendall(b"x" * 50_000_000)
        wire.close()


def test_a_server_that_says_too_much_is_cut():
    with speaking(lambda peer: peer.sendall(b"x" * 10_000_000)) as (port, _):
        wire = Door().dial("127.0.0.1", port, tls=False, largest=1_000_000)
        with pytest.raises(ConnectionError):
            wire.read(10_000_000)
        wire.close()


@pytest.fixture
def certificate(tmp_path):
    """For localhost, signed by itself; the file and a context that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "server.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


def secured(peer: socket.socket, file, before: bytes = b"") -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    if before:
        peer.recv(100)
        peer.sendall(before)
    with suppress(ssl.SSLError), context.wrap_socket(peer, server_side=True) as inner:
        inner.sendall(b"* OK secret\r\n")
        inner.recv(100)


def test_a_trusted_certificate_opens_and_any_other_does_not(certificate):
    trusting = ssl.create_default_context(cafile=certificate)
    with speaking(lambda peer: secured(peer, certificate)) as (port, _):
        wire = Door(trust=trusting).dial("localhost", port)
        assert wire.readline() == b"* OK secret\r\n"
        wire.close()
        for door, host in ((Door(), "localhost"), (Door(trust=trusting), "127.0.0.1")):
            with pytest.raises(Retry, match="certificate"):
                door.dial(host, port)


def test_what_came_before_the_encryption_is_not_taken_for_what_comes_after(certificate):
    trusting = ssl.create_default_context(cafile=certificate)
    with speaking(lambda peer: secured(peer, certificate, b"ready\r\n")) as (port, _):
        wire = Door(trust=trusting).dial("localhost", port, tls=False)
        wire.sendall(b"go")
        assert wire.readline() == b"ready\r\n"
        wire.start_tls()
        assert wire.readline() == b"* OK secret\r\n"
        wire.close()
    with speaking(lambda peer: secured(peer, certificate, b"ready\r\n* OK injected\r\n")) as (port, _):
        wire = Door(trust=trusting).dial("localhost", port, tls=False)
        wire.sendall(b"go")
        assert wire.readline() == b"ready\r\n"
        with pytest.raises(ConnectionError):
            wire.start_tls()
        wire.close()
