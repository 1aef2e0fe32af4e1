"""What a connector promises, in plain data.

A connector reads a network into `Envelope`s and writes `Draft`s to it. It answers with a value or raises one of the
five outcomes below; nothing else may leave it. Times are aware and in UTC. `docs/connectors.md` walks through one.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal, Protocol

from tertulia.core.outcomes import BadPayload as BadPayload
from tertulia.core.outcomes import Outcome as Outcome
from tertulia.core.outcomes import Reconnect as Reconnect
from tertulia.core.outcomes import Refused as Refused
from tertulia.core.outcomes import Retry as Retry
from tertulia.core.outcomes import Unknown as Unknown
from tertulia.core.outcomes import Unsupported as Unsupported

Kind = Literal["chat", "direct", "comment", "mention", "review", "email", "call", "visit"]
Verb = Literal["created", "edited", "deleted"]
Text = Mapping[str, str]
"""A text people read, by language: {"en": "Phone", "es": "Teléfono"}. Connectors carry both themselves."""


class TurnedAway(BadPayload):
    """A visitor's message that was not taken, for a reason they can do something about.

    `code` is for programs, `says` for the visitor, in each language. Nothing is kept: the visitor still has the text.
    """

    def __init__(self, code: str, says: Text) -> None:
        super().__init__(says["en"])
        self.code = code
        self.says = says


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote, as the network knows them. `remote_id` is stable on the account; the rest may change."""

    remote_id: str
    name: str = ""
    handle: str = ""
    email: str = ""
    phone: str = ""
    language: str = ""
    avatar_url: str = ""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One thing that happened to one message on the network.

    `remote_id`  the network's own id of the message, unique on the account
    `thread_id`  what it belongs to: the conversation with one person
    `sent_at`    the network's time, aware, UTC; decides the order
    `changed_at` for an edit or deletion, when that happened; a later one wins, a deletion always does
    `is_ours`    the account itself wrote it (an echo of what we sent, or sent from the network's own page)
    `key`        the key given to `reply` when the network gives it back: matches the echo to its delivery
    `raw`        what the network said, unchanged, as JSON-able data; kept beside the message
    """

    remote_id: str
    thread_id: str
    sent_at: datetime
    author: Author
    kind: Kind = "direct"
    verb: Verb = "created"
    text: str = ""
    html: str = ""
    subject: str = ""
    in_reply_to: str = ""
    changed_at: datetime | None = None
    is_ours: bool = False
    key: str = ""
    url: str = ""
    attachments: Sequence[Mapping[str, Any]] = ()
    raw: Any = None


@dataclass(frozen=True, slots=True)
class Page:
    """One reading of the network: what was new, and the cursor to read on from (stored with the messages)."""

    envelopes: Sequence[Envelope]
    cursor: str
    more: bool = False


@dataclass(frozen=True, slots=True)
class Inbound:
    """A request that arrived at the webhook door, untouched. Header names are lower case."""

    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    at: datetime
    remote_address: str = ""


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody at a hosted channel. `token` proves later that they are the same visitor, `ticket` when they came."""

    token: str
    thread_id: str
    ticket: str


@dataclass(frozen=True, slots=True)
class Noted:
    """What somebody of the team wrote down about a contact made by hand.

    `key` is the same however often the note is handed in, `person_id` the same for the same person.
    """

    key: str
    person_id: str
    kind: Kind
    text: str
    happened_at: datetime
    is_ours: bool = False
    name: str = ""
    phone: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """What a reply answers."""

    thread_id: str
    remote_id: str = ""
    person_id: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The network has it: its id there, when, and where to see it."""

    remote_id: str
    at: datetime | None = None
    url: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """How the connection stands, in a sentence for the person who runs it."""

    is_ok: bool
    says: str = ""
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """One setting of an account. Secrets are stored encrypted and never shown again.

    `is_generated` a secret that nobody types: the desk makes it when the account is added.
    """

    name: str
    label: Text
    kind: Literal["text", "url", "secret", "number", "choice", "lines", "flag"] = "text"
    help: Text = field(default_factory=dict)
    default: str = ""
    is_required: bool = True
    choices: Sequence[tuple[str, Text]] = ()
    is_generated: bool = False


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What can be done here. Declared means covered by a sample; not declared means `Unsupported`.

    `reads`, `writes`   kinds of message that come in, acts that go out ("reply")
    `max_text`          longest reply in characters; None when the network sets no limit
    `webhook`, `polls`  how messages arrive
    `finds`             `find(key)` can tell whether something was sent: the way out of `Unknown`
    `shows_own_within`  for one that `finds`: so many seconds after a call, however it ended, all that came of it can be
                        found: what `find` doesn't show then was certainly not sent, and is sent again. Declare it only
                        where the network documents that one reads one's own writes; without it a person decides
    `repeats_safely`    sending twice with the same key makes one message there
    `poll_seconds`      how often to look, when it polls
    `send_gap`          the least seconds between two acts of one account
    `by_hand`           people write the messages down themselves (a call, a talk in the shop): see `write_down`,
                        and a reply means that somebody did it themselves
    `hosted`            there is no network: visitors come to the desk's own public door (`/site/…`), what they write
                        arrives through `receive` and what we answer is theirs to fetch: see `welcome`, `recognise`
    """

    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    max_text: int | None = None
    webhook: bool = False
    polls: bool = False
    finds: bool = False
    shows_own_within: float | None = None
    repeats_safely: bool = False
    poll_seconds: int = 60
    send_gap: float = 0.0
    by_hand: bool = False
    hosted: bool = False


class Account(Protocol):
    """What a connector may know of the account it works for."""

    @property
    def id(self) -> int: ...
    @property
    def settings(self) -> Mapping[str, Any]: ...
    @property
    def secrets(self) -> Mapping[str, str]: ...


class Answer(Protocol):
    """An HTTP answer as `Http` gives it."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def body(self) -> bytes: ...
    def json(self) -> Any: ...


class Http(Protocol):
    """The one door out, handed to connectors so that they need not know the house (`core.http`)."""

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
        """Send and return the answer, whatever its status.

        Raises `Retry` when no byte of the request can have been acted on, `Unknown` when it may have been.
        """
        ...


class Connector:
    """The base of every connector: everything is `Unsupported` until a folder says otherwise."""

    key: ClassVar[str]
    name: ClassVar[Text]
    fields: ClassVar[Sequence[Field]] = ()
    capabilities: ClassVar[Capabilities] = Capabilities()

    def __init__(self, http: Http) -> None:
        self.http = http

    def check(self, account: Account) -> Health:
        """Say whether the account works, without changing anything on the network."""
        return Health(is_ok=True)

    def fetch(self, account: Account, cursor: str) -> Page:
        """Read on from the cursor ("" at first), oldest first."""
        raise Unsupported("fetch")

    def receive(self, account: Account, inbound: Inbound) -> list[Envelope]:
        """Verify the raw body, then parse it. Raises `BadPayload`; a missing secret means closed, not open."""
        raise Unsupported("receive")

    def reply(self, account: Account, to: Target, text: str, key: str) -> Receipt:
        """Send an answer. `key` is the same on every try of the same answer."""
        raise Unsupported("reply")

    def find(self, account: Account, key: str) -> Receipt | None:
        """Look for what was sent under `key`; None when it is certainly not there."""
        raise Unsupported("find")

    def write_down(self, account: Account, noted: Noted) -> Envelope:
        """By hand: what a teammate noted, as a message like any other."""
        raise Unsupported("write_down")

    def welcome(self, account: Account, token: str, at: datetime) -> Visit:
        """Hosted: who comes to the door. A token that isn't ours makes a new visitor, never an error."""
        raise Unsupported("welcome")

    def recognise(self, account: Account, token: str) -> str:
        """Hosted: the thread this token may read. Raises `BadPayload`, forged, for any other."""
        raise Unsupported("recognise")

    def origins(self, account: Account) -> frozenset[str]:
        """Hosted: the origins (scheme, host and port) whose pages may talk to the door."""
        raise Unsupported("origins")

    @classmethod
    def widget(cls) -> bytes:
        """Hosted: the script a page embeds."""
        raise Unsupported("widget")

    @classmethod
    def widget_texts(cls, language: str, *, is_formal: bool) -> Mapping[str, str]:
        """Hosted: what the script says, in the visitor's language and with the brand's tú or usted."""
        raise Unsupported("widget_texts")

    @classmethod
    def generated_secrets(cls) -> dict[str, str]:
        """Fresh values for the secrets that nobody types, when an account is added."""
        return {field.name: secrets.token_urlsafe(32) for field in cls.fields if field.is_generated}
