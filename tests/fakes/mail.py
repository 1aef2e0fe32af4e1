"""A mailbox on 127.0.0.1 that speaks IMAP and SMTP, misbehaves on request and keeps the true list of what is in it.

What people send is told through `write` and `deliver`; `posts` is what was taken by SMTP, with whom it was for.
`faults` are for sending, `read_faults` for reading, one word for each connection.
"""

from __future__ import annotations

import base64
import contextlib
import re
import socket
import socketserver
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from fakes.speaker import Speaker
from tertulia.connectors.contract import Target
from tertulia.connectors.mail.connector import MailBox

ME, DIEGO, TROL = "hola@horno.example", "diego@correo.example", "trol@correo.example"
PASSWORD, TOKEN, SIGNING = "clave-que-nadie-ve-8", "ya29.token-that-nobody-may-see", "s" * 43
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass
class Stored:
    raw: bytes
    arrived: datetime


@dataclass
class Folder:
    validity: int = 1
    next_uid: int = 1
    mails: dict[int, Stored] = field(default_factory=dict)


@dataclass
class Post:
    url: str = ""
    imap_port: int = 0
    folders: dict[str, Folder] = field(default_factory=lambda: {"INBOX": Folder(), "Enviados": Folder()})
    marks_sent: bool = True
    """Whether the folder for what was sent is marked as such."""
    posts: list[dict[str, Any]] = field(default_factory=list)
    acts: list[tuple[str, bool]] = field(default_factory=list)
    faults: deque[str] = field(default_factory=deque)
    read_faults: deque[str] = field(default_factory=deque)
    requests: list[str] = field(default_factory=list)
    withheld: set[int] = field(default_factory=set)
    """Mails of the inbox that are refused to whoever asks."""
    breaking: set[int] = field(default_factory=set)
    """Mails of the inbox at which the connection breaks when they are asked for whole."""
    capabilities: str = "IMAP4rev1 IDLE AUTH=PLAIN AUTH=XOAUTH2"
    honours_keys: bool = False
    hang_seconds: float = 2.2
    start: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    """When its clock starts: real time, since whoever reads a box asks for its last days."""
    _clock: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock)
    news: threading.Condition = field(default_factory=threading.Condition)

    # What people do.

    def write(
        self, person: str, text: str, *, id: str = "", subject: str = "Hola", to: str = ME, **headers: str
    ) -> str:
        """Send a mail to the inbox; gives its Message-ID, without brackets."""
        self._clock += 1
        id = id or f"m{self._clock}@correo.example"
        mail = EmailMessage(policy=SMTP)
        mail["From"], mail["To"], mail["Subject"] = person, to, subject
        mail["Message-ID"], mail["Date"] = f"<{id}>", format_datetime(self.now)
        for name, value in headers.items():
            mail[name.replace("_", "-")] = value
        mail.set_content(text)
        self.deliver(mail.as_bytes())
        return id

    def deliver(self, raw: bytes, *, folder: str = "INBOX", arrived: datetime | None = None) -> int:
        with self._lock:
            there = self.folders[folder]
            uid = there.next_uid
            there.mails[uid], there.next_uid = Stored(raw, arrived or self.now), uid + 1
        with self.news:
            self.news.notify_all()
        return uid

    def number_anew(self, folder: str) -> None:
        """As after a restore: other UIDs, another UIDVALIDITY."""
        with self._lock:
            there = self.folders[folder]
            mails = dict(enumerate(there.mails.values(), 1))
            self.folders[folder] = Folder(there.validity + 1, len(mails) + 1, mails)

    @property
    def now(self) -> datetime:
        return self.start + timedelta(seconds=self._clock)

    def take(self, sender: str, to: str, raw: bytes) -> None:
        mail = message_from_bytes(raw, policy=default)
        self.posts.append({"from": sender, "to": to, "mail": mail, "raw": raw})

    def next_fault(self, faults: deque[str]) -> str:
        with self._lock:
            return faults.popleft() if faults else ""


def letter(*headers: str, body: str = "Hola") -> bytes:
    """A mail as it comes over the line."""
    return "\r\n".join([*headers, "", body]).encode()


class _Cut(Exception):
    """The connection breaks here."""


class _Line(socketserver.StreamRequestHandler):
    post: Post

    def handle(self) -> None:
        with contextlib.suppress(_Cut, OSError):
            self.talk()

    def talk(self) -> None:
        raise NotImplementedError

    def say(self, words: str | bytes) -> None:
        self.wfile.write((words.encode() if isinstance(words, str) else words) + b"\r\n")

    def hear(self) -> str:
        line = self.rfile.readline()
        if not line:
            raise _Cut
        return line.decode("utf-8", "surrogateescape").rstrip("\r\n")


class _Smtp(_Line):
    REFUSALS = {
        "429": "450 4.2.0 Greylisted, try again in 90 seconds",
        "500": "451 4.3.0 Trouble",
        "503": "421 4.3.2 Closing",
        "400": "550 5.7.1 No",
        "full": "552 5.2.2 Mailbox full",
    }

    def talk(self) -> None:
        post = self.post
        fault = post.next_fault(post.faults)
        if fault == "html_502":
            return self.say("<html><h1>Bad gateway</h1></html>")
        self.say("220 mail.horno.example ESMTP")
        sender, to, said = "", "", ""
        while True:
            line = self.hear()
            post.requests.append(f"SMTP {line.split(' ')[0]}")
            match line.split(" ")[0].upper():
                case "EHLO":
                    self.say("250-mail.horno.example\r\n250-SIZE 30000000\r\n250-8BITMIME\r\n250 AUTH PLAIN XOAUTH2")
                case "AUTH":
                    said = line
                    if fault == "401" or not self._lets_in(line):
                        self.say(f"535 5.7.8 No, {line}")
                    else:
                        self.say("235 Welcome")
                case "MAIL":
                    sender = line.partition("<")[2].partition(">")[0]
                    self.say("250 OK")
                case "RCPT":
                    to = line.partition("<")[2].partition(">")[0]
                    if fault == "cut_before":
                        raise _Cut
                    if fault == "echo_secret_500":
                        self.say(f"451 4.3.0 Trouble after {said}, {PASSWORD}")
                    else:
                        self.say(self.REFUSALS.get(fault, "250 OK"))
                case "DATA":
                    self.say("354 Go on")
                    self._take(sender, to, fault)
                case "QUIT":
                    return self.say("221 Bye")
                case _:
                    self.say("502 What?")

    def _lets_in(self, line: str) -> bool:
        way, coded = line.split(" ")[1:3]
        said = base64.b64decode(coded).decode()
        if way == "PLAIN":
            return said == f"\0{ME}\0{PASSWORD}"
        return said == f"user={ME}\x01auth=Bearer {TOKEN}\x01\x01"

    def _take(self, sender: str, to: str, fault: str) -> None:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                raise _Cut
            lines.append(line[1:] if line.startswith(b".") else line)
        if fault == "refused_mail":
            return self.say("554 5.7.1 Looks like spam")
        self.post.take(sender, to, b"".join(lines))
        if fault == "accept_then_hang":
            time.sleep(self.post.hang_seconds)
            raise _Cut
        if fault == "accept_then_cut":
            raise _Cut
        if fault == "accept_then_half":
            self.wfile.write(b"25")
            raise _Cut
        if fault == "accept_then_html":
            return self.say("<html>Your session has expired</html>")
        return self.say("250 2.0.0 Queued")


class _Imap(_Line):
    def talk(self) -> None:
        fault = self.post.next_fault(self.post.read_faults)
        self.fault, self.folder = fault, Folder()
        if fault == "html_502":
            return self.say("<html><h1>Bad gateway</h1></html>")
        self.say("* OK [CAPABILITY IMAP4rev1] Ready (almost)")
        while True:
            tag, _, rest = self._command().partition(" ")
            name, _, rest = rest.partition(" ")
            if name.upper() == "UID":
                name, _, rest = rest.partition(" ")
            self.post.requests.append(f"IMAP {name.upper()}")
            if name.upper() == "LOGOUT":
                return self.say(f"* BYE\r\n{tag} OK")
            with self.post._lock if name.upper() != "IDLE" else contextlib.nullcontext():
                answer = getattr(self, f"do_{name.lower()}", lambda rest: "BAD What?")(rest)
            self.say(f"{tag} {answer}")

    def _command(self) -> str:
        """A line, with the literals in it as quoted strings of surrogate-escaped bytes."""
        line = self.hear()
        self.literal = b""
        while found := re.search(r"\{(\d+)\}$", line):
            self.say("+ Go on")
            self.literal = self.rfile.read(int(found[1]))
            inside = self.literal.decode("utf-8", "surrogateescape").replace('"', '\\"') if found else ""
            line = f'{line[: found.start()]}"{inside if len(inside) < 1000 else ""}"{self.hear()}'
        return line

    def do_capability(self, rest: str) -> str:
        self.say(f"* CAPABILITY {self.post.capabilities}")
        return "OK"

    def do_authenticate(self, way: str) -> str:
        self.say("+ ")
        said = base64.b64decode(self.hear()).decode()
        if self.fault in {"429", "500", "503"}:
            return "NO [UNAVAILABLE] Try again later"
        if self.fault == "cut_before":
            raise _Cut
        if self.fault != "401" and said in {f"\0{ME}\0{PASSWORD}", f"user={ME}\x01auth=Bearer {TOKEN}\x01\x01"}:
            return "OK Welcome"
        if way == "XOAUTH2":
            self.say("+ eyJzdGF0dXMiOiI0MDAifQ==")
            self.hear()
        return f"NO [AUTHENTICATIONFAILED] No, {said}"

    def do_login(self, rest: str) -> str:
        return "OK" if rest == f'"{ME}" "{PASSWORD}"' else "NO No"

    def do_list(self, rest: str) -> str:
        for name in self.post.folders:
            mark = r" \Sent" if name == "Enviados" and self.post.marks_sent else ""
            self.say(rf'* LIST (\HasNoChildren{mark}) "/" "{name}"')
        return "OK"

    def do_status(self, rest: str) -> str:
        name = rest.split('"')[1]
        if name not in self.post.folders:
            return "NO [NONEXISTENT] No such folder"
        there = self.post.folders[name]
        self.say(f'* STATUS "{name}" (UIDNEXT {there.next_uid} UIDVALIDITY {there.validity})')
        return "OK"

    def do_examine(self, rest: str) -> str:
        name = rest.split('"')[1]
        if name not in self.post.folders:
            return "NO [NONEXISTENT] No such folder"
        self.folder = self.post.folders[name]
        self.say(f"* {len(self.folder.mails)} EXISTS\r\n* OK [UIDVALIDITY {self.folder.validity}] (Sic")
        return "OK [READ-ONLY] Done"

    def do_search(self, rest: str) -> str:
        words = re.findall(r'"((?:[^"\\]|\\.)*)"|([()])|([^\s()"]+)', rest.removeprefix("CHARSET UTF-8 "))
        tokens = deque(quoted.replace('\\"', '"') or bracket or atom for quoted, bracket, atom in words)
        found = set(self.folder.mails)
        while tokens:
            found &= self._matching(tokens)
        self.say("* SEARCH" + "".join(f" {uid}" for uid in sorted(found)))
        return "OK"

    def _matching(self, tokens: deque[str]) -> set[int]:
        match tokens.popleft():
            case "(":
                found = set(self.folder.mails)
                while tokens[0] != ")":
                    found &= self._matching(tokens)
                tokens.popleft()
                return found
            case "OR":
                return self._matching(tokens) | self._matching(tokens)
            case "UID":
                first = int(tokens.popleft().partition(":")[0])
                return {uid for uid in self.folder.mails if uid >= first} | {max(self.folder.mails, default=0)} - {0}
            case "SINCE":
                day = _day(tokens.popleft())
                return {uid for uid, mail in self.folder.mails.items() if mail.arrived.date() >= day}
            case "BEFORE":
                day = _day(tokens.popleft())
                return {uid for uid, mail in self.folder.mails.items() if mail.arrived.date() < day}
            case "SENTSINCE":
                day = _day(tokens.popleft())
                return {uid for uid, mail in self.folder.mails.items() if _written(mail).date() >= day}
            case "SENTBEFORE":
                day = _day(tokens.popleft())
                return {uid for uid, mail in self.folder.mails.items() if _written(mail).date() < day}
            case "HEADER":
                return self._with(tokens.popleft(), tokens.popleft())
            case "FROM" | "SUBJECT" as name:
                return self._with(name, tokens.popleft())
            case other:
                raise AssertionError(f"{other} isn't known here")

    def _with(self, header: str, words: str) -> set[int]:
        heads = {uid: message_from_bytes(mail.raw, policy=default) for uid, mail in self.folder.mails.items()}
        return {uid for uid, head in heads.items() if words.lower() in str(head.get(header, "")).lower()}

    def do_fetch(self, rest: str) -> str:
        uids, _, what = rest.partition(" ")
        asked = [uid for uid in map(int, uids.split(",")) if uid in self.folder.mails]
        is_inbox = self.folder is self.post.folders["INBOX"]
        if is_inbox and "BODY.PEEK[]" in what and self.post.withheld.intersection(asked):
            return "NO [SERVERBUG] Corrupt" if self.fault == "bug" else "NO Some mails can't be handed out"
        for number, uid in enumerate(asked):
            if is_inbox and uid in self.post.breaking and "BODY.PEEK[]" in what and "<0." not in what:
                raise _Cut
            if self.fault == "cut_in_fetch" and number and "BODY.PEEK" in what:
                raise _Cut
            self._show(uid, what)
        return "OK"

    def _show(self, uid: int, what: str) -> None:
        mail = self.folder.mails[uid]
        facts = [f"UID {uid}".encode()]
        if "RFC822.SIZE" in what:
            at = mail.arrived.astimezone(UTC)
            day = f"{at.day:2}-{MONTHS[at.month - 1]}-{at.year}"
            facts.append(f'RFC822.SIZE {len(mail.raw)} INTERNALDATE "{day} {at:%H:%M:%S} +0000"'.encode())
        if found := re.search(r"BODY\.PEEK(\[.*\])(?:<(\d+)\.(\d+)>)?", what):
            body, name = mail.raw, found[1]
            if "HEADER" in name:
                body = body.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
            if found[3]:
                body, name = body[: int(found[3])], f"{name}<{found[2]}>"
            facts.append(f"BODY{name} {{{len(body)}}}\r\n".encode() + body)
        self.say(b"* %d FETCH (" % uid + b" ".join(facts) + b")")

    def do_append(self, rest: str) -> str:
        self.post.deliver(self.literal, folder=rest.split('"')[1])
        return "OK [APPENDUID 1 1] Done"

    def do_idle(self, rest: str) -> str:
        self.say("+ idling")
        with self.post.news:
            if self.post.news.wait(self.post.hang_seconds):
                self.say(f"* {len(self.folder.mails)} EXISTS")
        self.hear()
        return "OK"


def _day(said: str) -> date:
    day, month, year = said.split("-")
    return date(int(year), MONTHS.index(month) + 1, int(day))


def _written(mail: Stored) -> datetime:
    return parsedate_to_datetime(message_from_bytes(mail.raw)["Date"])


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Connections cut on purpose."""


@contextmanager
def running(post: Post) -> Iterator[Post]:
    servers = [_Server(("127.0.0.1", 0), type("Line", (kind,), {"post": post})) for kind in (_Smtp, _Imap)]
    post.url, post.imap_port = f"smtp://127.0.0.1:{servers[0].server_address[1]}", servers[1].server_address[1]
    threads = [
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True) for server in servers
    ]
    for thread in threads:
        thread.start()
    try:
        yield post
    finally:
        for server in servers:
            server.shutdown()
            with contextlib.suppress(OSError):
                server.socket.shutdown(socket.SHUT_RDWR)
            server.server_close()


@dataclass
class _Account:
    id: int
    settings: dict[str, Any]
    secrets: dict[str, str]


def settings_of(post: Post) -> dict[str, Any]:
    smtp = urlsplit(post.url)
    return {
        "address": ME,
        "sender": "Horno Candela",
        "imap_server": f"127.0.0.1:{post.imap_port}",
        "smtp_server": f"{smtp.hostname}:{smtp.port}",
        "encryption": "none",
    }


def account(post: Post) -> _Account:
    return _Account(1, settings_of(post), {"password": PASSWORD, "signing": SIGNING})


TARGET = Target(
    "0123456789abcdef0123",
    "m1@correo.example#0",
    DIEGO,
    {"reply_to": DIEGO, "message_id": "m1@correo.example", "references": "m0@correo.example m1@correo.example"},
    kind="email",
    subject="¿Abrís el domingo?",
    name="Diego",
)
SPEAKER = Speaker(MailBox, lambda: running(Post()), account, TARGET, (PASSWORD, SIGNING))
