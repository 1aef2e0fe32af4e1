"""Hands one mail to the server that sends it on. What each answer means decides whether it may be tried again."""

from __future__ import annotations

import base64
import re
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

from tertulia.connectors.contract import Http, Outcome, Reconnect, Refused, Retry, Unknown, Wire

from . import texts
from .servers import Access, Server, quiet

SECONDS = 45.0
_WAIT = re.compile(r"\b(\d{1,5}) ?(s|sec|secs|seconds?|min|mins|minutes?|h|hours?)\b", re.IGNORECASE)
_UNITS = {"s": 1, "m": 60, "h": 3600}
_NOT_LET_IN: dict[int, type[Outcome]] = {454: Retry, 530: Reconnect, 534: Reconnect, 535: Reconnect, 538: Reconnect}


def send(http: Http, server: Server, access: Access, *, sender: str, to: str, mail: bytes) -> None:
    """Raises `Retry`, `Refused` or `Reconnect` when it certainly wasn't taken, `Unknown` when it may have been."""
    with _session(http, server, access) as session:
        session.ask("MAIL", f"FROM:<{sender}>{session.extras(sender + to, len(mail))}")
        session.ask("RCPT", f"TO:<{to}>")
        session.ask("DATA", expected=3)
        session.hand_over(mail)


def look(http: Http, server: Server, access: Access) -> None:
    """Get in, and leave again. Raises as `send` does."""
    with _session(http, server, access):
        pass


@contextmanager
def _session(http: Http, server: Server, access: Access) -> Iterator[_Session]:
    wire = server.dial(http, within=SECONDS)
    try:
        session = _Session(wire, access)
        session.begin(starts_tls=server.starts_tls)
        yield session
        with suppress(OSError):
            wire.sendall(b"QUIT\r\n")
    finally:
        wire.close()


class _Session:
    """smtplib knows the protocol; the connection is the house's."""

    def __init__(self, wire: Wire, access: Access) -> None:
        self._wire, self._access = wire, access
        self._smtp = smtplib.SMTP(local_hostname=access.user.rpartition("@")[2].encode("idna").decode() or "localhost")
        connection: Any = wire
        self._smtp.sock = self._smtp.file = connection

    def begin(self, *, starts_tls: bool) -> None:
        with _before_the_mail():
            self._judge(*self._smtp.getreply())
            self._judge(*self._smtp.ehlo())
            if starts_tls:
                self.ask("STARTTLS")
                try:
                    self._wire.start_tls()
                except OSError:
                    raise Retry(texts.NOT_ENCRYPTED) from None
                self._judge(*self._smtp.ehlo())
            self._sign_in()

    def _sign_in(self) -> None:
        ways = self._smtp.esmtp_features.get("auth", "").upper().split()
        user, password = self._access.user.encode(), self._access.password.encode()
        if self._access.token:
            code, said = self._smtp.docmd("AUTH", f"XOAUTH2 {_coded(self._access.bearer)}")
            if code == 334:  # the reason, in code; it waits for a word before it says no
                code, said = self._smtp.docmd("")
        elif "PLAIN" in ways:
            code, said = self._smtp.docmd("AUTH", f"PLAIN {_coded(bytes(1).join([b'', user, password]))}")
        elif "LOGIN" in ways:
            code, said = self._smtp.docmd("AUTH", f"LOGIN {_coded(user)}")
            code, said = self._smtp.docmd(_coded(password)) if code == 334 else (code, said)
        else:
            raise Refused(texts.NO_WAY_IN)
        if code == 235:
            return
        if 500 <= code < 600:
            raise Reconnect(f"{texts.NOT_LET_IN} {self._quiet(code, said)}")
        raise self._meaning(code, said)

    def ask(self, command: str, said: str = "", *, expected: int = 2) -> None:
        with _before_the_mail():
            code, answer = self._smtp.docmd(command, said)
            self._judge(code, answer, expected=expected)

    def extras(self, addresses: str, size: int) -> str:
        """What goes behind the sender's address."""
        said = f" SIZE={size}" if self._smtp.has_extn("size") else ""
        if addresses.isascii():
            return said
        if not self._smtp.has_extn("smtputf8"):
            raise Refused(texts.ADDRESS_TOO_NEW)
        return f"{said} SMTPUTF8 BODY=8BITMIME"

    def hand_over(self, mail: bytes) -> None:
        """From the first byte on it may have been taken, unless the server says otherwise."""
        lines = re.sub(rb"(?m)^\.", b"..", mail)
        try:
            self._wire.sendall(lines + (b"" if lines.endswith(b"\r\n") else b"\r\n") + b".\r\n")
            code, answer = self._smtp.getreply()
        except OSError:
            raise Unknown(texts.NO_RECEIPT) from None
        if not 200 <= code < 600:
            raise Unknown(texts.NO_RECEIPT)
        self._judge(code, answer)

    def _judge(self, code: int, said: bytes, *, expected: int = 2) -> None:
        if code // 100 != expected:
            raise self._meaning(code, said)

    def _meaning(self, code: int, said: bytes) -> Outcome:
        words = self._quiet(code, said)
        if code in _NOT_LET_IN:
            return _NOT_LET_IN[code](f"{texts.NOT_LET_IN} {words}")
        if 500 <= code < 600:
            return Refused(f"{texts.MAIL_REFUSED} {words}")
        if 400 <= code < 500:
            return Retry(f"{texts.MAIL_WAITS} {words}", after=_wait_in(words))
        return Retry(texts.MAIL_TROUBLE)

    def _quiet(self, code: int, said: bytes) -> str:
        return quiet(f"{code} {said.decode(errors='replace')}", self._access)


@contextmanager
def _before_the_mail() -> Iterator[None]:
    try:
        yield
    except OSError:  # smtplib's own errors are such, too
        raise Retry(texts.MAIL_SILENT) from None


def _wait_in(words: str) -> timedelta | None:
    """How long a server that holds back strangers' mail asks to wait, where it says so in words."""
    found = _WAIT.search(words)
    return timedelta(seconds=int(found[1]) * _UNITS[found[2][0].lower()]) if found else None


def _coded(said: bytes) -> str:
    return base64.b64encode(said).decode()
