"""The one door out. Whoever wants to speak to another machine comes through here.

It speaks http and https, to public addresses alone, within a fixed time, and takes a limited answer; it follows no
redirect, knows no proxy and keeps no connection (one that the other side has closed unseen would turn a request that
never arrived into an unknown). It never writes down a path, a header or a body: secrets travel in all three.
"""

from __future__ import annotations

import json as codec
import logging
import queue
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import httpcore2
import httpx2
from django.conf import settings
from django.utils.translation import gettext_noop as _

from .addresses import is_allowed
from .outcomes import BadPayload, Outcome, Refused, Retry, Unknown

log = logging.getLogger(__name__)
for _name in ("httpx2", "httpcore2"):
    logging.getLogger(_name).setLevel(logging.WARNING)  # below that they write whole addresses and headers

LONGEST_URL = 8_000
CHUNK = 65_536
AGENT = "Tertulia"

# Kept in English where they are stored; whoever shows them translates them.
NOT_AN_ADDRESS = _("The web address isn't valid.")
NOT_PUBLIC = _("The web address leads into a private network, which isn't allowed.")
NOT_FOUND = _("The name of the server can't be found.")
NO_CONNECTION = _("The server can't be reached.")
NO_ANSWER = _("The server took the request but gave no whole answer.")
TOO_LARGE = _("The server's answer was too large.")
NOT_READABLE = _("The server's answer can't be read.")

Resolve = Callable[[str, int], list[str]]


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
    """`connect` and `total` seconds, `largest` answer in bytes once decompressed."""

    def __init__(
        self,
        *,
        connect: float = 5.0,
        total: float = 15.0,
        largest: int = 5 * 1024 * 1024,
        resolve: Resolve = numbers_of,
    ) -> None:
        self.total = total
        self.largest = largest
        self._network = _GuardedNetwork(connect, resolve)

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
    ) -> Answer:
        """Send and return the answer, whatever its status; a redirect is an answer too.

        `params` take the place of the address's own query. Raises `Retry` when no byte of the request can have been
        acted on, `Unknown` when it may have been, `Refused` for what this door never does.
        """
        address = _checked(url)
        began = time.monotonic()
        with _as_outcomes(), self._network.until(began + self.total):
            said = {"accept-encoding": "gzip, deflate", "user-agent": AGENT, **_lower(headers)}
            request = self._client.build_request(
                method, address, headers=said, params=params, json=json, data=data, content=content
            )
            response = self._client.send(request, stream=True)
            try:
                answer = Answer(response.status_code, _lower(response.headers), self._body(response))
            finally:
                response.close()
        took = (time.monotonic() - began) * 1000
        log.debug("%s %s: %s, %s bytes, %.0f ms", method, address.host, answer.status, len(answer.body), took)
        return answer

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

    def _body(self, response: httpx2.Response) -> bytes:
        expand = _expander(response.headers.get("content-encoding", ""))
        body = bytearray()
        for chunk in response.iter_raw(CHUNK):
            body += expand(chunk, self.largest + 1 - len(body))
            if len(body) > self.largest:
                raise Unknown(TOO_LARGE)
        return bytes(body)


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

    def __init__(self, connect: float, resolve: Resolve) -> None:
        self._connect = connect
        self._resolve = resolve
        self._plain = httpcore2.SyncBackend()
        self._present = threading.local()

    @contextmanager
    def until(self, deadline: float) -> Iterator[None]:
        """Everything this thread sends and reads inside has to be over by then."""
        self._present.deadline = deadline
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
        give_up = min(time.monotonic() + self._connect, deadline)
        numbers = _in_time(lambda: self._resolve(host, port), give_up)
        if not all(is_allowed(number, tuple(settings.ALLOWED_ADDRESSES)) for number in numbers):
            raise Refused(NOT_PUBLIC)
        for number in numbers:
            left = give_up - time.monotonic()
            if left <= 0:
                break
            try:
                stream = self._plain.connect_tcp(number, port, left, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
            return _TimedStream(stream, deadline)
        raise Retry(NO_CONNECTION)

    def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore2.NetworkStream:
        raise Refused(NOT_AN_ADDRESS)


class _TimedStream(httpcore2.NetworkStream):
    """A connection whose every step ends by one deadline, however small the steps are."""

    def __init__(self, stream: httpcore2.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def _left(self, error: type[Exception]) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise error
        return left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._left(httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._left(httpcore2.WriteTimeout))

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        left = self._left(httpcore2.ConnectTimeout)
        return _TimedStream(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline)

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
