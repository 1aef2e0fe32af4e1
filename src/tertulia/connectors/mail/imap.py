"""As much of IMAP as a mailbox is read with: by UID, over the house's wire, and without marking anything as read."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from tertulia.connectors.contract import Outcome, Reconnect, Refused, Retry, Wire

from . import texts
from .servers import Access, quiet

LONGEST_LINE = 4 * 1024 * 1024
"""The numbers of half a million mails stand in one line."""
SIGN_OF_LIFE = 10.0
SENT_NAMES = (
    "Sent", "Sent Items", "Sent Messages", "Sent Mail", "INBOX.Sent", "Enviados", "Elementos enviados",
    "Correo enviado", "INBOX.Enviados", "Gesendet", "Gesendete Elemente",
)  # fmt: skip
_PASSES = {b"UNAVAILABLE", b"INUSE", b"LIMIT", b"SERVERBUG", b"EXPUNGEISSUED"}
_PASSES_BY_ITSELF = re.compile(r"too many|try again|temporar|unavailable|not available|later", re.IGNORECASE)
_LITERAL = re.compile(rb"~?\{(\d{1,10})\+?\}\r?\n$")
_TOKEN = re.compile(rb'[ \r\n]*(?:([()])|"((?:[^"\\]|\\.)*)"|([^ ()"\r\n\[]*\[[^\]]*\][^ ()"\r\n]*|[^ ()"\r\n]+))')
_CODE = re.compile(rb"\[([A-Z-]+)(?: ([^\]]*))?\]", re.IGNORECASE)


class No(Exception):
    """The server said NO or BAD; its words and, in capitals, its code."""

    def __init__(self, said: bytes) -> None:
        code = _CODE.match(said)
        self.code = code[1].upper() if code else b""
        self.words = said[code.end() if code else 0 :].decode(errors="replace").strip()
        super().__init__(self.words)

    @property
    def passes(self) -> bool:
        return self.code in _PASSES or bool(_PASSES_BY_ITSELF.search(self.words))


@dataclass(frozen=True, slots=True)
class Literal:
    """An argument that is sent as counted bytes, whatever it holds."""

    content: bytes


@dataclass(frozen=True, slots=True)
class Fetched:
    """What the server told of one mail: when it arrived (UTC), its bytes in all, and those that were asked for."""

    uid: int
    size: int = 0
    arrived: datetime | None = None
    body: bytes | None = None


class Imap:
    """A session that is signed in. Raises `Retry`, `Refused` and `Reconnect`, and `No` where a command is refused."""

    def __init__(self, wire: Wire, access: Access) -> None:
        self._wire = wire
        self._access = access
        self._number = 0
        self._can: frozenset[bytes] = frozenset()

    @classmethod
    @contextmanager
    def opened(cls, wire: Wire, access: Access, *, starts_tls: bool) -> Iterator[Imap]:
        session = cls(wire, access)
        try:
            session._greet(starts_tls)
            session._sign_in()
            yield session
            session._leave()
        except No as no:
            raise session._meaning(no) from None
        finally:
            wire.close()

    def can(self, what: bytes) -> bool:
        return what in self._can

    # Folders.

    def folders(self) -> dict[str, set[str]]:
        """The names as the server writes them, each with its attributes in small letters."""
        found: dict[str, set[str]] = {}
        for said in self.ask(b"LIST", b'""', b'"*"'):
            if said[:1] == [b"LIST"] and len(said) >= 4 and isinstance(said[1], list) and isinstance(said[3], bytes):
                found[said[3].decode("latin-1")] = {one.decode("latin-1").lower() for one in said[1] if one}
        return found

    def status(self, folder: str) -> tuple[int, int] | None:
        """UIDVALIDITY and UIDNEXT; None where there is no such folder."""
        try:
            answers = self.ask(b"STATUS", _string(folder), b"(UIDVALIDITY UIDNEXT)")
        except No as no:
            if no.passes:
                raise
            return None
        for said in answers:
            if said[:1] == [b"STATUS"] and isinstance(said[-1], list):
                facts = _pairs(said[-1])
                return _number(facts.get(b"UIDVALIDITY")), _number(facts.get(b"UIDNEXT"))
        return None

    def examine(self, folder: str) -> None:
        """Look into a folder without leaving a trace there."""
        self.ask(b"EXAMINE", _string(folder))

    def search(self, *criteria: str | Literal) -> list[int]:
        """The UIDs, in order."""
        words = [one if isinstance(one, Literal) else one.encode() for one in criteria]
        charset = [b"CHARSET UTF-8"] if any(isinstance(one, Literal) for one in criteria) else []
        found: set[int] = set()
        for said in self.ask(b"UID SEARCH", *charset, *words):
            if said[:1] == [b"SEARCH"]:
                found.update(int(one) for one in said[1:] if isinstance(one, bytes) and one.isdigit())
        return sorted(found)

    def fetch(self, uids: Sequence[int], what: str) -> Iterator[Fetched]:
        """Each mail as it arrives, so that what came before a cut is not lost; those that are gone are missing."""
        if not uids:
            return
        for said in self._answers(b"UID FETCH", _set(uids), f"(UID {what})".encode()):
            if len(said) >= 3 and said[1] == b"FETCH" and isinstance(said[2], list):
                facts = _pairs(said[2])
                body = next((value for name, value in facts.items() if name.startswith(b"BODY[")), None)
                yield Fetched(
                    _number(facts.get(b"UID")),
                    _number(facts.get(b"RFC822.SIZE")),
                    moment(facts.get(b"INTERNALDATE")),
                    body if isinstance(body, bytes) else None,
                )

    def append(self, folder: str, mail: bytes) -> None:
        self.ask(b"APPEND", _string(folder), rb"(\Seen)", Literal(mail))

    def idle(self, stop: Callable[[], bool], *, seconds: float) -> Iterator[bool]:
        """True when a mail has come, False now and then; so long, or until `stop`, or until the server hangs up."""
        until = time.monotonic() + seconds
        with _as_retry():
            self._say(self._tag() + b" IDLE")
            while not stop() and (left := until - time.monotonic()) > 0:
                if not self._wire.wait(min(SIGN_OF_LIFE, left)):
                    yield False
                    continue
                line = self._line()
                if line.startswith((b"* BYE", b"t")):
                    return
                if line.startswith(b"+"):
                    continue
                yield line.rstrip().upper().endswith((b" EXISTS", b" RECENT"))
            self._say(b"DONE")

    # Signing in.

    def _greet(self, starts_tls: bool) -> None:
        with _as_retry():
            line = self._line()
        if not line.startswith((b"* OK", b"* PREAUTH")):
            raise Retry(texts.MAIL_TROUBLE)
        if starts_tls:
            self.ask(b"STARTTLS")
            with _as_retry(texts.NOT_ENCRYPTED):
                self._wire.start_tls()
        self._can = self._capabilities()

    def _sign_in(self) -> None:
        access = self._access
        try:
            if access.token:
                self._authenticate(b"XOAUTH2", access.bearer)
            elif b"AUTH=PLAIN" in self._can:
                self._authenticate(b"PLAIN", b"\0" + access.user.encode() + b"\0" + access.password.encode())
            else:
                self.ask(b"LOGIN", _argument(access.user), _argument(access.password))
        except No as no:
            if no.passes:
                raise Retry(texts.MAIL_TROUBLE) from None
            raise Reconnect(texts.TOKEN_ENDED if access.token else texts.WRONG_PASSWORD) from None
        self._can = self._capabilities()

    def _authenticate(self, mechanism: bytes, secret: bytes) -> None:
        """A second question of the server's is its reason to refuse, told in code; the empty line asks for the word."""
        replies = iter([base64.b64encode(secret)])
        list(self._answers(b"AUTHENTICATE", mechanism, reply=lambda: next(replies, b"")))

    def _capabilities(self) -> frozenset[bytes]:
        said = [one for one in self.ask(b"CAPABILITY") if one[:1] == [b"CAPABILITY"]]
        return frozenset(word.upper() for one in said for word in one[1:] if isinstance(word, bytes))

    def _leave(self) -> None:
        try:
            self._say(self._tag() + b" LOGOUT")
        except OSError:
            return

    # Asking.

    def ask(self, *words: bytes | Literal) -> list[list[Any]]:
        """The untagged answers to a command. Raises `No`."""
        return list(self._answers(*words))

    def _answers(self, *words: bytes | Literal, reply: Callable[[], bytes] = lambda: b"") -> Iterator[list[Any]]:
        tag = self._tag()
        with _as_retry():
            self._say_command(tag, words)
            while True:
                kind, _, rest = (line := self._line()).partition(b" ")
                if kind == b"+":
                    self._say(reply())
                elif kind == tag:
                    return _check(rest)
                elif rest[:3].upper() == b"BYE":
                    raise Retry(texts.MAIL_TROUBLE)
                elif kind == b"*" and not _is_status(rest):
                    yield self._parsed(line[2:])

    def _say_command(self, tag: bytes, words: Iterable[bytes | Literal]) -> None:
        said = tag
        for word in words:
            if isinstance(word, Literal):
                self._say(said + b" {%d}" % len(word.content))
                while not (line := self._line()).startswith(b"+"):
                    if line.startswith(tag):
                        _check(line.partition(b" ")[2])
                        raise No(line)
                said = word.content
            else:
                said += b" " + word
        self._say(said)

    def _parsed(self, line: bytes) -> list[Any]:
        """A response as nested lists of bytes, with the literals it holds."""
        nest: list[list[Any]] = [[]]
        while True:
            counted = _LITERAL.search(line)
            for bracket, quoted, atom in _TOKEN.findall(line[: counted.start()] if counted else line):
                if bracket == b"(":
                    nest.append([])
                elif bracket == b")" and len(nest) > 1:
                    inner = nest.pop()
                    nest[-1].append(inner)
                elif atom:
                    nest[-1].append(None if atom.upper() == b"NIL" else atom)
                elif not bracket:
                    nest[-1].append(re.sub(rb"\\(.)", rb"\1", quoted))
            if not counted:
                return nest[0]
            size = int(counted[1])
            content = self._wire.read(size)
            if len(content) < size:
                raise ConnectionError
            nest[-1].append(content)
            line = self._line()

    def _line(self) -> bytes:
        line = self._wire.readline(LONGEST_LINE)
        if not line.endswith(b"\n"):
            raise ConnectionError
        return line

    def _say(self, words: bytes) -> None:
        self._wire.sendall(words + b"\r\n")

    def _tag(self) -> bytes:
        self._number += 1
        return b"t%d" % self._number

    def _meaning(self, no: No) -> Outcome:
        if no.passes:
            return Retry(texts.MAIL_TROUBLE)
        return Refused(f"{texts.MAILBOX_REFUSED} {quiet(no.words, self._access) or 'NO'}")


def on(day: date) -> str:
    """A day as IMAP writes it."""
    return f"{day.day}-{_MONTHS[day.month - 1]}-{day.year}"


def moment(said: Any) -> datetime | None:
    if not isinstance(said, bytes):
        return None
    try:
        found = parsedate_to_datetime(said.decode("ascii").strip().replace("-", " ", 2))
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError, TypeError):
        return None


def encoded(name: str) -> str:
    """A folder's name as IMAP spells it: what isn't ASCII in a base64 of its own."""

    def spell(found: re.Match[str]) -> str:
        if found[0] == "&":
            return "&-"
        coded = base64.b64encode(found[0].encode("utf-16-be")).rstrip(b"=").replace(b"/", b",")
        return f"&{coded.decode()}-"

    return re.sub(r"&|[^\x20-\x7e]+", spell, name)


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@contextmanager
def _as_retry(why: str = texts.MAIL_SILENT) -> Iterator[None]:
    try:
        yield
    except OSError:
        raise Retry(why) from None


def _is_status(rest: bytes) -> bool:
    return rest.partition(b" ")[0].upper().rstrip() in {b"OK", b"NO", b"BAD", b"PREAUTH"}


def _check(rest: bytes) -> None:
    word, _, said = rest.strip().partition(b" ")
    if word.upper() != b"OK":
        raise No(said)


def _string(name: str) -> bytes:
    return b'"' + name.encode("latin-1", "replace").replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def _argument(value: str) -> bytes | Literal:
    plain = value.isascii() and value.isprintable()
    return _string(value) if plain else Literal(value.encode())


def _set(uids: Sequence[int]) -> bytes:
    return ",".join(map(str, uids)).encode()


def _pairs(said: list[Any]) -> dict[bytes, Any]:
    return {name.upper(): value for name, value in zip(said[::2], said[1::2], strict=False) if isinstance(name, bytes)}


def _number(said: Any) -> int:
    return int(said) if isinstance(said, bytes) and said.isdigit() and len(said) < 20 else 0
