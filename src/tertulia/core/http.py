"""The one door out. Whoever wants to speak to another machine comes through here.

It speaks https (and opens connections for the protocols of mail, see `dial`), to public addresses alone, within a fixed
time, and takes a limited answer; plain http to this machine, to networks that were allowed, and to read what is open to
everybody. It follows no redirect, knows no proxy and keeps no connection (one that the other side has closed unseen
would turn a request that never arrived into an unknown). It never writes down a path, a header or a body: secrets
travel in all three.
"""

from __future__ import annotations

import json as codec
import logging
import queue
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, TypeVar

import httpcore2
import httpx2
from django.conf import settings
from django.utils.translation import gettext_noop as _

from . import clock
from .addresses import is_allowed, may_be_plain
from .outcomes import BadPayload, Outcome, Refused, Retry, Unknown
from .wire import Wire

log = logging.getLogger(__name__)
for _name in ("httpx2", "httpcore2"):
    logging.getLogger(_name).setLevel(logging.WARNING)  # below that they write whole addresses and headers

LONGEST_URL = 8_000
LONGEST_LINE = 1024 * 1024
SIGN_OF_LIFE = 15.0
"""Seconds of silence after which a stream yields an empty line."""
CHUNK = 65_536
SLOWEST = 125_000
"""Bytes a second: what is handed in gets time beyond `total` to travel, so much for its size (a film takes minutes)."""
AGENT = "Tertulia"

# Kept in English where they are stored; whoever shows them translates them.
NOT_AN_ADDRESS = _("The web address isn't valid.")
NOT_PUBLIC = _("The web address leads into a private network, which isn't allowed.")
NOT_ENCRYPTED = _(
    "The web address begins with http://, so that what goes there could be read on its way. Use https://, or have its "
    "network allowed by whoever runs Tertulia (TERTULIA_ALLOWED_ADDRESSES)."
)
NOT_FOUND = _("The name of the server can't be found.")
NO_CONNECTION = _("The server can't be reached.")
NOT_TRUSTED = _("The server's certificate isn't valid, or the connection isn't encrypted as it should be.")
NO_ANSWER = _("The server took the request but gave no whole answer.")
TOO_LARGE = _("The server's answer was too large.")
NOT_READABLE = _("The server's answer can't be read.")

Resolve = Callable[[str, int], list[str]]
Connected = TypeVar("Connected")


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """What the other side said, whatever its status. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Raises `BadPayload`."""
        try:
            return codec.loads(self.body)
        except (ValueError, RecursionError):
            raise BadPayload(NOT_READABLE) from None

    def __repr__(self) -> str:
        return f"<Answer {self.status}, {len(self.body)} bytes>"


def numbers_of(host: str, port: int) -> list[str]:
    """The numeric addresses of a host, every odd spelling resolved as the system itself would."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Door:
    """`connect` and `total` seconds, `largest` answer in bytes once decompressed; `trust`: what to dial by.

    `named`: hosts that the installation's owner has named for this purpose, which may lie anywhere. `reads_open`: what
    is read is there for everybody and nothing of ours goes along, so it may be read over plain http, too.
    """

    def __init__(
        self,
        *,
        connect: float = 5.0,
        total: float = 15.0,
        largest: int = 5 * 1024 * 1024,
        resolve: Resolve = numbers_of,
        trust: ssl.SSLContext | None = None,
        named: frozenset[str] = frozenset(),
        reads_open: bool = False,
    ) -> None:
        self.total = total
        self.largest = largest
        self._trust = trust
        self._network = _GuardedNetwork(connect, resolve, named, reads_open)

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        json: Any = None,
        data: Mapping[str, str] | None = None,
        content: bytes | None = None,
        beginning: bool = False,
    ) -> Answer:
        """Send and return the answer, whatever its status; a redirect is an answer too.

        `params` take the place of the address's own query. `beginning`: of a body that is too large, never ends or
        breaks off, what came of its first `largest` bytes is enough. Raises `Retry` when no byte of the request can
        have been acted on, `Unknown` when it may have been, `Refused` for what this door never does.
        """
        address = _checked(url)
        began = time.monotonic()
        with _as_outcomes(), self._network.until(address, began + self.total + len(content or b"") / SLOWEST):
            said = {"accept-encoding": "gzip, deflate", "user-agent": AGENT, **_lower(headers)}
            request = self._client.build_request(
                method, address, headers=said, params=params, json=json, data=data, content=content
            )
            response = self._client.send(request, stream=True)
            try:
                answer = Answer(response.status_code, _lower(response.headers), self._body(response, beginning))
            finally:
                response.close()
        clock.hear(address.host, answer.headers.get("date", ""))
        took = (time.monotonic() - began) * 1000
        log.debug("%s %s: %s, %s bytes, %.0f ms", method, address.host, answer.status, len(answer.body), took)
        return answer

    def stream(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        seconds: float,
        stop: Callable[[], bool] = lambda: False,
        judge: Callable[[Answer], None] = lambda answer: None,
    ) -> Iterator[bytes]:
        """The lines of an answer that goes on, for `seconds` or until `stop` says so or the other side ends it.

        An empty line at least every 15 seconds is a sign of life; that often `stop` is asked. `judge` is shown the
        answer before its first line, with a body only when it isn't 200, and raises what that means. Else as `request`.
        """
        said: queue.Queue[Answer | bytes | Outcome | None] = queue.Queue(maxsize=1000)
        over = threading.Event()
        until = time.monotonic() + seconds
        reader = threading.Thread(
            target=self._read_lines, args=(method, url, headers, until, over, said), name="stream", daemon=True
        )
        reader.start()
        try:
            while not stop() and (left := until - time.monotonic()) > 0:
                try:
                    news = said.get(timeout=min(SIGN_OF_LIFE, left))
                except queue.Empty:
                    news = b""
                if news is None:
                    return
                if isinstance(news, Outcome):
                    if time.monotonic() >= until:  # the reader's time is over too: that it was cut off is the end
                        return
                    raise news
                if isinstance(news, Answer):
                    judge(news)
                else:
                    yield news
        finally:
            over.set()

    def _read_lines(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        until: float,
        over: threading.Event,
        said: queue.Queue[Answer | bytes | Outcome | None],
    ) -> None:
        """In a thread of its own: a read that waits for the other side can't look up from it."""
        tell = partial(_tell, said, over)
        try:
            address = _checked(url)
            with _as_outcomes(), self._network.until(address, until, over):
                asked = {"user-agent": AGENT, **_lower(headers), "accept-encoding": "identity"}
                response = self._client.send(self._client.build_request(method, address, headers=asked), stream=True)
                try:
                    is_open = response.status_code == 200
                    body = b"" if is_open else self._body(response)
                    tell(Answer(response.status_code, _lower(response.headers), body))
                    for line in _lines(response.iter_raw()) if is_open else ():
                        tell(line)
                finally:
                    response.close()
        except Outcome as outcome:
            tell(outcome)
        else:
            tell(None)

    def dial(
        self, host: str, port: int, *, tls: bool = True, within: float | None = None, largest: int | None = None
    ) -> Wire:
        """Open a connection for a protocol of lines (IMAP, SMTP).

        No step of it waits longer than the door's `total` seconds, and all of it is over `within` seconds (`total`
        without); it takes `largest` bytes in all. Raises `Retry` or `Refused`; nothing has been said to anybody then.
        """
        if not _is_host(host) or not 0 < port < 65_536:
            raise Refused(NOT_AN_ADDRESS)
        began = time.monotonic()
        wire = Wire(
            self._network.connect(host, port, began + self.total),
            host=host,
            trust=self._certificates,
            silence=self.total,
            deadline=began + (within or self.total),
            largest=largest or self.largest,
        )
        if tls:
            try:
                wire.start_tls()
            except (OSError, ValueError) as error:
                wire.close()
                raise Retry(NOT_TRUSTED if isinstance(error, ssl.SSLError) else NO_CONNECTION) from None
        return wire

    @cached_property
    def _certificates(self) -> ssl.SSLContext:
        return self._trust or httpx2.create_ssl_context(trust_env=False)

    @cached_property
    def _client(self) -> httpx2.Client:
        transport = httpx2.HTTPTransport(trust_env=False, limits=httpx2.Limits(max_keepalive_connections=0))
        transport._pool = httpcore2.ConnectionPool(
            ssl_context=httpx2.create_ssl_context(trust_env=False),
            max_connections=None,
            max_keepalive_connections=0,
            network_backend=self._network,
        )
        return httpx2.Client(transport=transport, timeout=self.total, trust_env=False, follow_redirects=False)

    def _body(self, response: httpx2.Response, beginning: bool = False) -> bytes:
        body = bytearray()
        try:
            expand = _expander(response.headers.get("content-encoding", ""))
            for chunk in response.iter_raw(None if beginning else CHUNK):  # which waits until it has so much
                body += expand(chunk, self.largest + 1 - len(body))
                if len(body) > self.largest:
                    raise Unknown(TOO_LARGE)
        except (httpx2.HTTPError, OSError, zlib.error, Unknown):
            if not beginning:
                raise
        return bytes(body[: self.largest])


def _tell(
    said: queue.Queue[Answer | bytes | Outcome | None], over: threading.Event, news: Answer | bytes | Outcome | None
) -> None:
    """Hand it to whoever listens, waiting for a slow one, but not for one that has left."""
    while not over.is_set():
        try:
            return said.put(news, timeout=1.0)
        except queue.Full:
            continue


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line.rstrip(b"\r")
        if len(rest) > LONGEST_LINE:
            raise Unknown(TOO_LARGE)


def _checked(url: str) -> httpx2.URL:
    if len(url) > LONGEST_URL or "\\" in url or any(sign <= " " or sign == "\x7f" for sign in url):
        raise Refused(NOT_AN_ADDRESS)
    try:
        address = httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError):
        raise Refused(NOT_AN_ADDRESS) from None
    if address.scheme not in {"http", "https"} or not address.host or address.userinfo or "%" in address.host:
        raise Refused(NOT_AN_ADDRESS)
    return address


def _is_host(host: str) -> bool:
    return 0 < len(host) < 254 and not any(sign <= " " or sign in "\\/@%?#\x7f" for sign in host)


@contextmanager
def _as_outcomes() -> Iterator[None]:
    """Nothing but an outcome leaves the door; causes are cut off, they hold the request."""
    try:
        yield
    except Outcome as outcome:
        raise outcome from None
    except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout):
        raise Retry(NO_CONNECTION) from None
    except (httpx2.InvalidURL, httpx2.UnsupportedProtocol, httpx2.LocalProtocolError, ValueError, TypeError):
        raise Refused(NOT_AN_ADDRESS) from None
    except zlib.error:
        raise Unknown(NOT_READABLE) from None
    except (httpx2.HTTPError, OSError):
        raise Unknown(NO_ANSWER) from None


def _lower(headers: Mapping[str, str] | None) -> dict[str, str]:
    return {name.lower(): value for name, value in (headers or {}).items()}


def _expander(encoding: str) -> Callable[[bytes, int], bytes]:
    """A function that decompresses chunk by chunk and never gives back much more than is asked for."""
    encoding = encoding.strip().lower()
    if encoding in {"", "identity"}:
        return lambda chunk, most: chunk
    if encoding not in {"gzip", "x-gzip", "deflate"}:
        raise Unknown(NOT_READABLE)
    box = zlib.decompressobj(zlib.MAX_WBITS | 32)  # gzip or zlib, whichever its first bytes say
    return lambda chunk, most: box.decompress(chunk, max(most, 1))


class _GuardedNetwork(httpcore2.NetworkBackend):
    """Connects to exactly the address that was checked: between the check and the socket no name is asked again."""

    def __init__(self, connect: float, resolve: Resolve, named: frozenset[str], reads_open: bool) -> None:
        self._connect = connect
        self._resolve = resolve
        self._named = named
        self._reads_open = reads_open
        self._plain = httpcore2.SyncBackend()
        self._present = threading.local()

    @contextmanager
    def until(self, address: httpx2.URL, deadline: float, over: threading.Event | None = None) -> Iterator[None]:
        """Everything this thread sends and reads inside has to be over by then, or soon after `over` is set."""
        self._present.deadline, self._present.over = deadline, over
        self._present.is_plain = address.scheme == "http" and not self._reads_open
        yield

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        deadline: float = self._present.deadline

        def connect(number: str, left: float) -> httpcore2.NetworkStream:
            return self._plain.connect_tcp(number, port, left, local_address, socket_options)

        stream = self._first(host, port, deadline, connect, is_plain=self._present.is_plain)
        return _TimedStream(stream, deadline, self._present.over)

    def connect(self, host: str, port: int, deadline: float) -> socket.socket:
        return self._first(host, port, deadline, lambda number, left: socket.create_connection((number, port), left))

    def _first(
        self,
        host: str,
        port: int,
        deadline: float,
        connect: Callable[[str, float], Connected],
        *,
        is_plain: bool = False,
    ) -> Connected:
        """A connection to the first address of the host that takes one."""
        give_up = min(time.monotonic() + self._connect, deadline)
        numbers = _in_time(lambda: self._resolve(host, port), give_up)
        allowed = tuple(settings.ALLOWED_ADDRESSES)
        if host not in self._named and not all(is_allowed(number, allowed) for number in numbers):
            raise Refused(NOT_PUBLIC)
        if is_plain and not all(may_be_plain(number, allowed) for number in numbers):
            raise Refused(NOT_ENCRYPTED)
        for number in numbers:
            left = give_up - time.monotonic()
            if left <= 0:
                break
            with suppress(OSError, httpcore2.ConnectError, httpcore2.ConnectTimeout):
                return connect(number, left)
        raise Retry(NO_CONNECTION)

    def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore2.NetworkStream:
        raise Refused(NOT_AN_ADDRESS)


class _TimedStream(httpcore2.NetworkStream):
    """A connection whose every step ends by one deadline, however small the steps are."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: float, over: threading.Event | None = None) -> None:
        self._stream = stream
        self._deadline = deadline
        self._over = over

    def _left(self, error: type[Exception]) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise error
        return left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._over is None:
            return self._stream.read(max_bytes, self._left(httpcore2.ReadTimeout))
        while not self._over.is_set():
            try:
                return self._stream.read(max_bytes, min(self._left(httpcore2.ReadTimeout), 1.0))
            except httpcore2.ReadTimeout:
                self._left(httpcore2.ReadTimeout)
        raise httpcore2.ReadTimeout

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._left(httpcore2.WriteTimeout))

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        left = self._left(httpcore2.ConnectTimeout)
        return _TimedStream(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline, self._over)

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _in_time(resolve: Callable[[], list[str]], deadline: float) -> list[str]:
    """The system's resolver knows no time-out, so it works in a thread that may be left behind."""
    answer: queue.SimpleQueue[list[str]] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answer.put(resolve())
        except (OSError, UnicodeError):
            answer.put([])

    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        numbers = answer.get(timeout=max(deadline - time.monotonic(), 0.01))
    except queue.Empty:
        numbers = []
    if not numbers:
        raise Retry(NOT_FOUND)
    return numbers


http = Door()
open_http = Door(reads_open=True)
