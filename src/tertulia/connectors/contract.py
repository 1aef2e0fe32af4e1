"""What a connector promises, in plain data.

A connector reads a network into `Envelope`s and writes `Draft`s to it. It answers with a value or raises one of the
outcomes of `core.outcomes`; nothing else may leave it. Times are aware and in UTC. `docs/connectors.md`
walks through one.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal, Protocol

from tertulia.core.outcomes import BadPayload as BadPayload
from tertulia.core.outcomes import ByHand as ByHand
from tertulia.core.outcomes import Outcome as Outcome
from tertulia.core.outcomes import Reconnect as Reconnect
from tertulia.core.outcomes import Refused as Refused
from tertulia.core.outcomes import Retry as Retry
from tertulia.core.outcomes import Unknown as Unknown
from tertulia.core.outcomes import Unsupported as Unsupported

Kind = Literal["chat", "direct", "comment", "mention", "review", "email", "call", "visit", "article"]
"""What somebody wrote to us, and to whom else they wrote it. An "article" was written to nobody in particular (a feed's
item): it is kept and found, for the reading list, and is no conversation."""
Verb = Literal["created", "edited", "judged", "deleted", "returned"]
"""What happened to it. "judged": it was approved or held back there; `hints` say so, nothing else is new. "returned":
what we sent came back (a bounce); `in_reply_to` names it, `text` says why."""
Act = Literal[
    "reply", "like", "boost", "delete", "remove", "hide", "approve", "hold", "spam", "report", "mute", "block", "kick",
    "ban", "restrict",
]  # fmt: skip
"""What we can do with a message or its writer. "delete" takes back our own message, "remove" somebody else's for
everybody, "hide" leaves it there for those who look; "mute" and "block" are between us and its writer, "kick", "ban"
and "restrict" concern the whole group or page."""
PartKind = Literal["post", "part", "comment"]
"""What of a post is said: its first text, what goes on below that in a thread, or the first comment under it."""
Counting = Literal["characters", "graphemes", "mastodon", "bluesky", "x", "utf16", "bytes"]
"""By which rule a network counts a text: see `core.counting`. "mastodon": graphemes, every address as long, of a name
only its first half. "bluesky": graphemes, and bytes ten to one. The connector's own `post_length` is what counts."""
Hint = Literal["title", "warning", "language", "visibility"]
Figure = Literal["likes", "reposts", "replies", "quotes", "views", "followers"]
"""What networks count, under one name whatever each of them calls it. "replies" are all comments and answers."""
VOTES, VOTERS, MOST_OPTIONS = "votes:", "votes:people", 20
"""What `poll_counts` names its figures by."""
Text = Mapping[str, str]
"""A text people read, by language: {"en": "Phone", "es": "Teléfono"}. Connectors carry both themselves."""


class StillAtIt(Retry):
    """What was handed in is there as `id`, and the network still works at it: `attach` is called again with that id."""

    def __init__(self, why: str, id: str, after: timedelta | None = None) -> None:
        super().__init__(why, after)
        self.id = id


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
class About:
    """What a message was written under: our post, or somebody's. `text` may be cut."""

    remote_id: str
    title: str = ""
    url: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One thing that happened to one message on the network.

    `remote_id`  the network's own id of the message, unique on the account
    `thread_id`  what it belongs to: the conversation with one person
    `sent_at`    the network's time, aware, UTC; decides the order
    `changed_at` for an edit or deletion, when that happened; a later one wins, a deletion always does. An edit counts
                 as later than the message itself, whatever it says
    `is_ours`    the account itself wrote it (an echo of what we sent, or sent from the network's own page)
    `person`     of what we wrote, to whom, where that can be known: a talk that we began is a talk with them
    `key`        the key given to `reply` when the network gives it back: matches the echo to its delivery
    `raw`        what the network said, unchanged, as JSON-able data; kept beside the message
    `quoted`     what they quote of earlier mail, apart from what they wrote themselves: shown folded
    `hints`      what the connector will want to know again to answer or act on it; comes back in `Target.hints`.
                 Its "status" is how the message stands there: shown beside it in the connector's `statuses`
    `about`      what it was written under (a post, an article); shown beside it
    `cannot`     acts that this very message does not allow, each with a code from the connector's `reasons`
    `is_automatic`  a machine wrote it (an absence note): filed like any other, but nobody waits for an answer
    `original`   the message as it arrived where that isn't JSON (a mail), to download and to open attachments from
    `attachments`  each {"name", "type", "size", "alt"} (all but name may be missing) with "url", or with "part": what
                 `open_part` finds in the original. Nothing of it is fetched before somebody asks. One with "part",
                 "cid" and "picture" (its type by `core.pictures`) is shown where `html` names it (`cid:`)
    `to`         the addresses it was sent to, where that tells where it belongs (a mail's plus-address)
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
    quoted: str = ""
    hints: Mapping[str, str] = field(default_factory=dict)
    about: About | None = None
    cannot: Mapping[Act, str] = field(default_factory=dict)
    is_automatic: bool = False
    original: bytes = b""
    to: Sequence[str] = ()
    person: Author | None = None


@dataclass(frozen=True, slots=True)
class Unread:
    """Something in a reading that can't be understood: kept whole and shown, so that it holds up nothing else."""

    raw: Any
    why: str


@dataclass(frozen=True, slots=True)
class Page:
    """One reading of the network: what was new, and the cursor to read on from (stored with the messages)."""

    envelopes: Sequence[Envelope]
    cursor: str
    more: bool = False
    unread: Sequence[Unread] = ()


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

    `key` is the same however often the note is handed in, `person_id` the same for the same person. `handle`, `url` and
    `about` as an `Envelope` has them, for what stands on a platform.
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
    handle: str = ""
    url: str = ""
    about: About | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """What a reply answers or an act concerns: the message, its writer, and what the connector noted of it.

    `subject`, `name` (its writer's), `kind` and `url` are the message's own; `is_ours` when we wrote it.
    `is_automatic` when nobody writes the answer: it says so where the network has a word for it.
    """

    thread_id: str
    remote_id: str = ""
    person_id: str = ""
    hints: Mapping[str, str] = field(default_factory=dict)
    kind: str = ""
    subject: str = ""
    name: str = ""
    url: str = ""
    is_ours: bool = False
    is_automatic: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture or film of a post, its `type` told by its bytes. `alt` says what it shows; `id` is what `attach` gave
    for it. Its `content` is only there when it is sent. `seconds` of a film; 0 where it doesn't say."""

    name: str
    type: str
    size: int
    width: int
    height: int
    alt: str = ""
    id: str = ""
    content: bytes = b""
    seconds: float = 0

    @property
    def is_film(self) -> bool:
        return self.type.startswith("video/")


@dataclass(frozen=True, slots=True)
class Poll:
    """What people are asked to choose from, for so many seconds; `multiple`: more than one of it."""

    options: tuple[str, ...]
    seconds: int
    multiple: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """What the page at the first link of a text says of itself."""

    address: str
    title: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be published, or a further part of it. `above` is what that goes below, `top` what all of it stands
    under; both carry the hints of their receipts. The rest is "" where nobody said anything."""

    text: str
    kind: PartKind = "post"
    pictures: Sequence[Picture] = ()
    title: str = ""
    warning: str = ""
    language: str = ""
    visibility: str = ""
    above: Target | None = None
    top: Target | None = None
    poll: Poll | None = None
    card: Card | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """What one subscriber of a list gets by mail. `html` shows its pictures as `cid:` and their `id`. `list_id` and
    `list_name` name the list; `leave` is the address that takes its reader off it by one POST. All three are "" for
    what only asks whether somebody wants to be on it, and for a test."""

    to: str
    subject: str
    text: str
    html: str
    sender: str = ""
    language: str = ""
    pictures: Sequence[Picture] = ()
    list_id: str = ""
    list_name: str = ""
    leave: str = ""


@dataclass(frozen=True, slots=True)
class Misfit:
    """Why a network doesn't take a draft as it is. `code` is for programs."""

    code: Literal[
        "empty",
        "kind",
        "long",
        "title",
        "many",
        "type",
        "large",
        "pixels",
        "alt",
        "visibility",
        "no_pictures",
        "poll",
        "no_films",
        "many_films",
        "mixed",
        "heavy",
        "lasting",
    ]
    says: Text


@dataclass(frozen=True, slots=True)
class Receipt:
    """The network has it: its id there, when, and where to see it. `hints` of an act: what it changed of those of the
    message it was done on; of what was published: what is needed to write below it or to delete it."""

    remote_id: str
    at: datetime | None = None
    url: str = ""
    hints: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Health:
    """How the connection stands, in a sentence for the person who runs it.

    `expires_at` when the credentials end; `scopes` what they allow; `quota_left` how many calls the network still takes
    until `quota_resets_at`; `facts` what the network said of itself that later calls need (its longest text, the name
    of the account): kept in the account's settings. Whatever it doesn't tell stays empty. `is_shut` when the
    credentials no longer work and a person has to connect the account again. `who` the network's own id of the account:
    new credentials that belong to another one are not taken, or two histories would run together.
    """

    is_ok: bool
    says: str = ""
    is_shut: bool = False
    expires_at: datetime | None = None
    scopes: Sequence[str] = ()
    quota_left: int | None = None
    quota_resets_at: datetime | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    who: str = ""


@dataclass(frozen=True, slots=True)
class Granted:
    """Credentials the network gave us. They replace those of the same name; the others stay, and all history."""

    secrets: Mapping[str, str]
    settings: Mapping[str, Any] = field(default_factory=dict)
    expires_at: datetime | None = None
    scopes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Consent:
    """Where somebody goes to allow us in, and what `finish_consent` will need again (kept secret meanwhile)."""

    url: str
    kept: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Field:
    """One setting of an account. Secrets are stored encrypted and never shown again.

    `is_generated` a secret that nobody types: the desk makes it when the account is added.
    `is_rare`      few need it: the form folds it away.
    """

    name: str
    label: Text
    kind: Literal["text", "url", "secret", "number", "choice", "lines", "flag"] = "text"
    help: Text = field(default_factory=dict)
    default: str = ""
    is_required: bool = True
    choices: Sequence[tuple[str, Text]] = ()
    is_generated: bool = False
    is_rare: bool = False


@dataclass(frozen=True, slots=True)
class Can:
    """One line of the table of what can be done here. The pages, the help and the tests are drawn from it.

    `act`      what
    `on`       kinds of message it can be done with; empty: all that are read
    `whose`    "theirs", or "ours" for what we wrote
    `within`   how long the network allows it, counted from `since`: the "message" itself, or the last time the
               "person" wrote in the thread (a reply window)
    `undoes`   `act(…, undo=True)` takes it back
    `is_once`  done twice it happens twice (a report): after silence a person decides. Other acts are repeated
    `note`     what people should know of it
    """

    act: Act
    on: frozenset[Kind] = frozenset()
    whose: Literal["theirs", "ours"] = "theirs"
    within: timedelta | None = None
    since: Literal["message", "person"] = "message"
    undoes: bool = False
    is_once: bool = False
    note: Text = field(default_factory=dict)


REPLY = Can("reply")


@dataclass(frozen=True, slots=True)
class Pictures:
    """What may hang on a post: how many, of which types, of how many bytes and points each, and how long their
    descriptions may be (0: it carries none). Without `uploads` they travel within the one call that publishes."""

    most: int
    types: frozenset[str] = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
    largest: int | None = None
    most_pixels: int | None = None
    alt: int = 0
    uploads: bool = True


@dataclass(frozen=True, slots=True)
class Films:
    """The same for films; `longest` in seconds, `mixes`: pictures may hang beside one. They are handed in as pictures
    are, or travel as those do."""

    most: int = 1
    types: frozenset[str] = frozenset({"video/mp4"})
    largest: int | None = None
    longest: float | None = None
    alt: int = 0
    mixes: bool = False


@dataclass(frozen=True, slots=True)
class Polls:
    """What may be asked in a poll: how many options, how long each, and for how many seconds. No poll goes with
    pictures."""

    most: int
    longest: int
    shortest_time: int
    longest_time: int


@dataclass(frozen=True, slots=True)
class Names:
    """How people are named in a text: `@` and an address of this form (a regular expression), such as `such_as`."""

    form: str
    such_as: str


@dataclass(frozen=True, slots=True)
class Look:
    """How a post looks there, so far as a preview needs to know. None of it is promised by any network.

    `shape`   a "post" among others, a "bubble" of a chat, a "page" with a headline
    `tint`    the colour of its links and marks
    `handle`  what stands beside the account's name
    `grid`    how several pictures lie: a "mosaic" (of three the first is tall), an "album" (of three it is wide), a
              "carousel" of which one sees the first, or one below the other in a "column"
    `card`    the network shows the page that the first link leads to, where there is no picture
    `signs`   a text of more signs is cut there until somebody asks for the rest; 0: it isn't
    `lines`   the same in lines of `wide` signs: of a text with more than `over` so many are shown
    """

    shape: Literal["post", "bubble", "page"] = "post"
    tint: Literal["violet", "blue", "sky", "green", "rose", "plain"] = "plain"
    handle: str = ""
    grid: Literal["mosaic", "album", "carousel", "column"] = "mosaic"
    card: bool = False
    signs: int = 0
    lines: int = 0
    over: int = 0
    wide: int = 70


@dataclass(frozen=True, slots=True)
class Publishes:
    """What can be published here, and what is known of it afterwards.

    `kinds`      a post; further "part"s below it; a first "comment" under it
    `counted`    by which rule a text is counted, up to `longest`
    `caption`    the longest text of a post with pictures, where that is another
    `pictures`, `films`  None: none
    `hints`      what else can be said of a post; without its `needs` it is not taken
    `visible`    who may see it, the commonest first; empty: everybody
    `deletes`    what was published can be taken away again
    `by_letter`  each subscriber of the account gets a letter of their own: the house writes them once it is published
    `polls`      None: none
    `names`      how people are named so that they hear of it; None: by their plain names alone
    `look`       how it looks there
    `cards`      shows the page of a link only when it is handed what that says of itself (`Draft.card`)
    `finds`, `shows_own_within`, `repeats_safely`, `keys_live`: of posts what `Capabilities` says of answers
    """

    kinds: frozenset[PartKind] = frozenset({"post"})
    counted: Counting = "characters"
    longest: int | None = None
    caption: int | None = None
    pictures: Pictures | None = None
    films: Films | None = None
    hints: frozenset[Hint] = frozenset()
    needs: frozenset[Hint] = frozenset()
    visible: Sequence[tuple[str, Text]] = ()
    deletes: bool = False
    by_letter: bool = False
    polls: Polls | None = None
    names: Names | None = None
    look: Look = Look()
    cards: bool = False
    finds: bool = False
    shows_own_within: float | None = None
    repeats_safely: bool = False
    keys_live: float | None = None


@dataclass(frozen=True, slots=True)
class Tells:
    """Which figures the network tells: of a post of ours, and of the account. `at_once` so many posts in one call of
    `figures`. `polls`: also how a poll of ours stands, as `poll_counts` names it."""

    of_posts: frozenset[Figure] = frozenset()
    of_account: frozenset[Figure] = frozenset()
    at_once: int = 20
    polls: bool = False


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What can be done here. Declared means covered by a sample; not declared means `Unsupported`.

    `reads`             kinds of message that come in
    `can`               what can be done with them, line by line
    `cannot`            what people would look for here in vain, and why
    `max_text`          longest reply in characters; None when the network sets no limit
    `webhook`, `polls`  how messages arrive
    `finds`             `find(key)` can tell whether something was sent: the way out of `Unknown`
    `shows_own_within`  for one that `finds`: so many seconds after a call, however it ended, all that came of it can be
                        found: what `find` doesn't show then was certainly not sent, and is sent again. Declare it only
                        where the network documents that one reads one's own writes; without it a person decides
    `repeats_safely`    sending twice with the same key makes one message there
    `keys_live`         for so many seconds after a key's first use; None: for ever. Later it is looked for instead, or
                        a person decides
    `poll_seconds`      how often to look, when it polls
    `send_gap`          the least seconds between two acts of one account
    `by_hand`           people write the messages down themselves (a call, a talk in the shop, what stands on a platform
                        without an API): see `write_down`, and a reply is somebody's own doing: they have called, or it
                        becomes a task (`ByHand`)
    `history`           how far back `reread` reaches; None where it can't
    `listens`           `listen` holds a connection that tells of news at once; the poll stays the net below it
    `renews`            `renew` gets fresh credentials before the old ones end
    `consents`          somebody allows us in on the network's own page: see `begin_consent`
    `consents_rarely`   … but most people write a password instead
    `publishes`         what we say to everybody: see `publish`
    `letters`           it carries the letters of a list to its subscribers, one by one: see `letter`
    `tells`             what it counts under a post and of the account: see `figures`. None: a person looks there
    `hosted`            there is no network: visitors come to the desk's own public door (`/site/…`), what they write
                        arrives through `receive` and what we answer is theirs to fetch: see `welcome`, `recognise`
    """

    reads: frozenset[str] = frozenset()
    can: tuple[Can, ...] = ()
    cannot: Mapping[Act, Text] = field(default_factory=dict)
    max_text: int | None = None
    webhook: bool = False
    polls: bool = False
    finds: bool = False
    shows_own_within: float | None = None
    repeats_safely: bool = False
    keys_live: float | None = None
    poll_seconds: int = 60
    send_gap: float = 0.0
    by_hand: bool = False
    hosted: bool = False
    history: timedelta | None = None
    listens: bool = False
    renews: bool = False
    consents: bool = False
    consents_rarely: bool = False
    publishes: Publishes | None = None
    letters: bool = False
    tells: Tells | None = None

    @property
    def writes(self) -> frozenset[str]:
        """The acts of the table."""
        return frozenset(line.act for line in self.can)

    @property
    def is_called(self) -> bool:
        """Somebody calls us, and has to prove who they are."""
        return self.hosted or self.webhook

    @property
    def is_aloud(self) -> bool:
        """By hand, and spoken: who writes an answer down has given it already."""
        return self.by_hand and not self.reads.isdisjoint(("call", "visit"))

    @property
    def is_posted(self) -> bool:
        """By hand, and written: on a platform where a person has to put the answer."""
        return self.by_hand and not self.is_aloud


@dataclass(frozen=True, slots=True)
class Item:
    """What has to be known of a message to say what can be done with it."""

    kind: str
    is_ours: bool
    sent_at: datetime
    person_wrote_at: datetime | None = None
    cannot: Mapping[str, str] = field(default_factory=dict)
    is_deleted: bool = False


@dataclass(frozen=True, slots=True)
class Possibility:
    """Whether an act is possible on an item: if so until when (None: no end), if not why not."""

    can: Can
    is_possible: bool
    until: datetime | None = None
    why_not: Text = field(default_factory=dict)


GONE: Text = {"en": "It was deleted there.", "es": "Allí ya está borrado."}
TIME_IS_UP: Text = {
    "en": "The time the network allows for it is over.",
    "es": "Ya ha pasado el plazo que da la red.",
}


NO_WORDS: Text = {"en": "There is nothing in it to publish.", "es": "No contiene nada que publicar."}
NOT_HERE: Text = {"en": "This can't be published here.", "es": "Esto no se puede publicar aquí."}
NO_PICTURES: Text = {"en": "No pictures can be published here.", "es": "Aquí no se pueden publicar imágenes."}
NO_TITLE: Text = {"en": "It needs a title here.", "es": "Aquí necesita un título."}
NOT_SEEN_SO: Text = {
    "en": "Nobody can choose here who sees it in this way.",
    "es": "Aquí no se puede elegir así quién lo ve.",
}
_TOO_LONG = ("It is too long: {} of {}.", "Es demasiado largo: {} de {}.")
_TOO_MANY = ("It has too many pictures: {} of {}.", "Lleva demasiadas imágenes: {} de {}.")
_ODD_TYPE = ("Pictures of this type aren't taken here: {}", "Aquí no se admiten imágenes de este tipo: {}")
_TOO_LARGE = ("A picture is too large, {} of {} bytes: {}", "Una imagen pesa demasiado, {} de {} bytes: {}")
_TOO_MANY_POINTS = ("A picture has too many points, {} of {}: {}", "Una imagen tiene demasiados puntos, {} de {}: {}")
_LONG_ALT = (
    "The description of a picture is too long, {} of {} characters: {}",
    "La descripción de una imagen es demasiado larga, {} de {} caracteres: {}",
)
NO_FILMS: Text = {"en": "No films can be published here.", "es": "Aquí no se pueden publicar vídeos."}
FILM_OR_PICTURES: Text = {
    "en": "It has a film and pictures: here only one of the two goes.",
    "es": "Lleva un vídeo e imágenes: aquí solo cabe una de las dos cosas.",
}
_MANY_FILMS = ("It has too many films: {} of {}.", "Lleva demasiados vídeos: {} de {}.")
_ODD_FILM = ("Films of this type aren't taken here: {}", "Aquí no se admiten vídeos de este tipo: {}")
_LARGE_FILM = ("A film is too large, {} of {} MB: {}", "Un vídeo pesa demasiado, {} de {} MB: {}")
_LONG_FILM = ("A film is too long, {} of {}: {}", "Un vídeo dura demasiado, {} de {}: {}")
_LONG_FILM_ALT = (
    "The description of a film is too long, {} of {} characters: {}",
    "La descripción de un vídeo es demasiado larga, {} de {} caracteres: {}",
)
NO_POLL: Text = {"en": "No poll can be published here.", "es": "Aquí no se pueden publicar encuestas."}
POLL_OR_PICTURES: Text = {
    "en": "It has a poll and pictures: here only one of the two goes.",
    "es": "Lleva una encuesta e imágenes: aquí solo cabe una de las dos cosas.",
}
FEW_OPTIONS: Text = {"en": "A poll needs two options at least.", "es": "Una encuesta necesita al menos dos opciones."}
SAME_OPTIONS: Text = {
    "en": "Two options of the poll say the same.",
    "es": "Dos opciones de la encuesta dicen lo mismo.",
}
_MANY_OPTIONS = ("The poll has too many options: {} of {}.", "La encuesta tiene demasiadas opciones: {} de {}.")
_LONG_OPTION = (
    "An option of the poll is too long, {} of {} characters: {}",
    "Una opción de la encuesta es demasiado larga, {} de {} caracteres: {}",
)
_SHORT_POLL = (
    "The poll is open for too short a time: it takes {} minutes at least.",
    "La encuesta dura demasiado poco: aquí necesita al menos {} minutos.",
)
_LONG_POLL = (
    "The poll is open for too long: it takes {} days at most.",
    "La encuesta dura demasiado: aquí admite como mucho {} días.",
)
SENTENCES: Mapping[str, str] = {
    **{
        text["en"]: text["es"]
        for text in (
            NO_WORDS, NOT_HERE, NO_PICTURES, NO_TITLE, NOT_SEEN_SO, NO_POLL, POLL_OR_PICTURES, FEW_OPTIONS,
            SAME_OPTIONS, NO_FILMS, FILM_OR_PICTURES,
        )
    },
    **dict(
        (
            _TOO_LONG, _TOO_MANY, _ODD_TYPE, _TOO_LARGE, _TOO_MANY_POINTS, _LONG_ALT, _MANY_OPTIONS, _LONG_OPTION,
            _SHORT_POLL, _LONG_POLL, _MANY_FILMS, _ODD_FILM, _LARGE_FILM, _LONG_FILM, _LONG_FILM_ALT,
        )
    ),
}  # fmt: skip
"""What the base of every connector says of a draft that doesn't fit."""


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


class Wire(Protocol):
    """An open connection; it passes for a socket and its file. Raises `OSError`."""

    def sendall(self, said: bytes) -> None: ...
    def read(self, size: int) -> bytes: ...
    def readline(self, limit: int = -1) -> bytes: ...
    def wait(self, seconds: float) -> bool:
        """Whether there is something to read within so many seconds."""
        ...

    def start_tls(self) -> None: ...
    def close(self) -> None: ...


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

    def stream(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        seconds: float,
        stop: Callable[[], bool] = ...,
        judge: Callable[[Answer], None] = ...,
    ) -> Iterator[bytes]:
        """The lines of an answer that goes on, for so long or until `stop`; empty ones are signs of life.

        `judge` is shown the answer before its first line and raises what its status means.
        """
        ...

    def dial(
        self, host: str, port: int, *, tls: bool = True, within: float | None = None, largest: int | None = None
    ) -> Wire:
        """Open a connection for what isn't HTTP; over `within` seconds, and after `largest` bytes read.

        Raises `Retry` or `Refused`; nothing has been said to anybody then.
        """
        ...


class Connector:
    """The base of every connector: everything is `Unsupported` until a folder says otherwise."""

    key: ClassVar[str]
    name: ClassVar[Text]
    named_by: ClassVar[str] = ""
    """The field whose value names an account that got no name of its own."""
    about: ClassVar[Text] = {}
    """What it brings, in a line, for whoever chooses among channels."""
    fields: ClassVar[Sequence[Field]] = ()
    capabilities: ClassVar[Capabilities] = Capabilities()
    reasons: ClassVar[Mapping[str, Text]] = {}
    """Why a single message doesn't allow an act, by the codes of `Envelope.cannot`."""
    statuses: ClassVar[Mapping[str, Text]] = {}
    """How a message can stand there, by the "status" of its hints."""
    sentences: ClassVar[Mapping[str, str]] = {}
    """What its outcomes, `Health.says` and `Unread.why` say: the Spanish by the English that is raised. `{}` in both
    stands for the network's own words."""
    scopes: ClassVar[Mapping[str, Text]] = {}
    """What each of the network's scopes allows, as people say it."""
    facts: ClassVar[Mapping[str, Text]] = {}
    """What those of `Health.facts` are called that people want to see."""
    reads_open: ClassVar[bool] = False
    """It asks for nothing but what is there for everybody and brings nothing along: plain http will do."""

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

    def listen(self, account: Account, stop: Callable[[], bool]) -> Iterator[bool]:
        """Hold a connection and yield True at every sign of news, and False now and then without one (at least every
        20 seconds, as a sign of life). Nothing is read here: news make `fetch` come at once. Ends when `stop` says so
        or the connection does, or raises an outcome."""
        raise Unsupported("listen")

    def reread(self, account: Account, since: datetime, until: datetime, cursor: str) -> Page:
        """All that still stands on the network from that time, page by page ("" at first): to find what was lost on the
        way. What `fetch` would give, whatever its cursor."""
        raise Unsupported("reread")

    def gone(self, account: Account, missing: Sequence[Target]) -> Iterable[str]:
        """Of messages that `reread` didn't show, those that were deleted there, by `remote_id`. What is only hidden
        from us (somebody is blocked or muted, a list was cleared, a room left) still stands. None where nobody can
        tell."""
        return ()

    def reply(self, account: Account, to: Target, text: str, key: str) -> Receipt:
        """Send an answer. `key` is the same on every try of the same answer. Raises `ByHand` where a person has to."""
        raise Unsupported("reply")

    def act(
        self, account: Account, act: Act, on: Target, key: str, *, undo: bool = False, because: str = ""
    ) -> Receipt:
        """Do something with a message or its writer, or take it back. `because` is told where the network asks."""
        raise Unsupported(act)

    def text_length(self, account: Account, text: str) -> int:
        """How long the network counts a text; compared with `longest_text`."""
        return len(text)

    def longest_text(self, account: Account) -> int | None:
        """The longest answer, as this account's server has it; None without a limit."""
        return self.capabilities.max_text

    def publish(self, account: Account, draft: Draft, key: str) -> Receipt:
        """Say it to everybody, by one call that can't be taken back. `key` as in `reply`. A draft that doesn't fit (see
        `misfits`) is `Refused` before anything leaves."""
        raise Unsupported("publish")

    def attach(self, account: Account, picture: Picture, key: str) -> str:
        """Hand a picture or film in beforehand; gives what `Draft.pictures` names it by. Nobody sees it before it is
        published: whatever goes wrong here can be done again. Raises `StillAtIt` to be asked again with the id."""
        raise Unsupported("attach")

    def find_post(self, account: Account, draft: Draft, key: str) -> Receipt | None:
        """As `find`, for what was published."""
        return self.find(account, key)

    def named(self, account: Account, url: str) -> Receipt | None:
        """What was published of the account, with the hints to write below it, as far as its address there alone tells:
        nobody is asked. None where that says too little, or is somebody else's."""
        return None

    def home(self, account: Account) -> str:
        """Where everybody sees what the account has published; "" where that has no address."""
        return ""

    def post_length(self, account: Account, draft: Draft) -> int:
        """How long the network counts what a draft says; compared with `longest_post`."""
        return self.text_length(account, draft.text)

    def longest_post(self, account: Account, draft: Draft) -> int | None:
        """The longest that this draft may be, as this account's server has it; None without a limit."""
        rule = self.capabilities.publishes
        if rule is None:
            return None
        return rule.caption if draft.pictures and rule.caption is not None else rule.longest

    def pictures_taken(self, account: Account) -> Pictures | None:
        """What pictures it takes, as this account's server has it."""
        rule = self.capabilities.publishes
        return rule.pictures if rule else None

    def films_taken(self, account: Account) -> Films | None:
        """What films it takes, as this account's server has it."""
        rule = self.capabilities.publishes
        return rule.films if rule else None

    def polls_taken(self, account: Account) -> Polls | None:
        """What polls it takes, as this account's server has it."""
        rule = self.capabilities.publishes
        return rule.polls if rule else None

    def network(self, account: Account) -> str:
        """What the network is called, for what is the same on all its accounts. Several may share a connector."""
        return self.key

    def look(self, account: Account) -> Look:
        """How its posts look there."""
        rule = self.capabilities.publishes
        return rule.look if rule else Look()

    def misfits(self, account: Account, draft: Draft) -> list[Misfit]:
        """All for which the network would not take a draft as it is."""
        rule = self.capabilities.publishes
        if rule is None or draft.kind not in rule.kinds:
            return [Misfit("kind", NOT_HERE)]
        found = []
        if not draft.text.strip() and not draft.pictures:
            found.append(Misfit("empty", NO_WORDS))
        if "title" in rule.needs and not draft.title.strip():
            found.append(Misfit("title", NO_TITLE))
        if draft.visibility and draft.visibility not in [name for name, _ in rule.visible]:
            found.append(Misfit("visibility", NOT_SEEN_SO))
        longest, length = self.longest_post(account, draft), self.post_length(account, draft)
        if longest is not None and length > longest:
            found.append(Misfit("long", _with(_TOO_LONG, length, longest)))
        found += _picture_misfits(draft.pictures, self.pictures_taken(account))
        found += _film_misfits(draft.pictures, self.films_taken(account))
        return found + _poll_misfits(draft, self.polls_taken(account))

    def doubts(self, account: Account, draft: Draft) -> list[Text]:
        """What its writer should see before a draft leaves that the network takes as it is, or a person completes."""
        return []

    def check_fit(self, account: Account, draft: Draft) -> None:
        """Raises `Refused` with the first of its misfits."""
        for one in self.misfits(account, draft):
            raise Refused(one.says["en"])

    def letter(self, account: Account, letter: Letter, key: str) -> Receipt:
        """Send one letter to one subscriber. `key` as in `reply`, and it is looked for with `find`."""
        raise Unsupported("letter")

    def figures(self, account: Account, posts: Sequence[Target]) -> Mapping[str, Mapping[str, int]]:
        """By `remote_id`, what the network counts under posts of ours now. Only what it gave: a figure it didn't tell
        is missing and never zero, and so is a post that it doesn't show any more."""
        raise Unsupported("figures")

    def account_figures(self, account: Account) -> Mapping[str, int]:
        """What the network counts of the account now. Only what it gave."""
        raise Unsupported("account_figures")

    def read_original(self, account: Account, original: bytes) -> Envelope:
        """What a message says that arrives as a file (a mail). Raises `BadPayload`."""
        raise Unsupported("read_original")

    def open_part(self, original: bytes, part: str) -> bytes:
        """The content of an attachment inside an original. Raises `BadPayload`."""
        raise Unsupported("open_part")

    def renew(self, account: Account) -> Granted:
        """Fresh credentials, before the old ones end or after they were refused. Called by one process at a time; what
        it gives is stored before it is used. Raises `Reconnect` when only a person can help."""
        raise Unsupported("renew")

    def begin_consent(self, account: Account, back_to: str, state: str) -> Consent:
        """Begin to ask for access; the network sends the person to `back_to` with `state` and a code."""
        raise Unsupported("begin_consent")

    def finish_consent(self, account: Account, back_to: str, kept: Mapping[str, str], code: str) -> Granted:
        """Exchange the code for credentials."""
        raise Unsupported("finish_consent")

    def find(self, account: Account, key: str) -> Receipt | None:
        """Look for what was sent under `key`; None when it is certainly not there."""
        raise Unsupported("find")

    def noted_kinds(self, account: Account) -> Sequence[str]:
        """By hand: what can be written down on this account, the likeliest first."""
        return sorted(self.capabilities.reads)

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
    def possibilities(cls, item: Item, at: datetime) -> list[Possibility]:
        """Every line of the table that concerns this item, with whether it is possible now and until when."""
        lines = [line for line in cls.capabilities.can if (line.whose == "ours") == item.is_ours]
        return [cls._possibility(line, item, at) for line in lines if not line.on or item.kind in line.on]

    @classmethod
    def _possibility(cls, line: Can, item: Item, at: datetime) -> Possibility:
        if item.is_deleted and line.act not in {"block", "ban", "mute", "kick", "restrict"}:
            return Possibility(line, False, why_not=GONE)
        if line.act in item.cannot:
            return Possibility(line, False, why_not=cls.reasons[item.cannot[line.act]])
        if line.within is None:
            return Possibility(line, True)
        start = item.sent_at if line.since == "message" else item.person_wrote_at or item.sent_at
        until = start + line.within
        return Possibility(line, at < until, until=until, why_not={} if at < until else TIME_IS_UP)

    @classmethod
    def generated_secrets(cls) -> dict[str, str]:
        """Fresh values for the secrets that nobody types, when an account is added."""
        return {field.name: secrets.token_urlsafe(32) for field in cls.fields if field.is_generated}


LARGEST_COUNT = 2**53


def counts(said: Mapping[str, Any], names: Mapping[str, Figure]) -> dict[str, int]:
    """Those figures of a network's answer that are there and are counts, under our names for them."""
    found = ((ours, said.get(theirs)) for theirs, ours in names.items())
    return {ours: value for ours, value in found if type(value) is int and 0 <= value < LARGEST_COUNT}


def poll_counts(votes: Sequence[object], voters: object = None) -> dict[str, int]:
    """How often each option of a poll was chosen, in their order (`votes:0`, `votes:1` …), and by how many people; with
    what isn't a count left out."""
    told = {f"{VOTES}{number}": value for number, value in enumerate(votes[:MOST_OPTIONS])} | {VOTERS: voters}
    return {name: value for name, value in told.items() if type(value) is int and 0 <= value < LARGEST_COUNT}


def _picture_misfits(media: Sequence[Picture], rule: Pictures | None) -> list[Misfit]:
    pictures = [one for one in media if not one.is_film]
    if not pictures:
        return []
    if rule is None:
        return [Misfit("no_pictures", NO_PICTURES)]
    found = [Misfit("many", _with(_TOO_MANY, len(pictures), rule.most))] if len(pictures) > rule.most else []
    for one in pictures:
        points = one.width * one.height
        if one.type not in rule.types:
            found.append(Misfit("type", _with(_ODD_TYPE, one.name)))
        if rule.largest is not None and one.size > rule.largest:
            found.append(Misfit("large", _with(_TOO_LARGE, one.size, rule.largest, one.name)))
        if rule.most_pixels is not None and points > rule.most_pixels:
            found.append(Misfit("pixels", _with(_TOO_MANY_POINTS, points, rule.most_pixels, one.name)))
        if rule.alt and len(one.alt) > rule.alt:
            found.append(Misfit("alt", _with(_LONG_ALT, len(one.alt), rule.alt, one.name)))
    return found


def _film_misfits(media: Sequence[Picture], rule: Films | None) -> list[Misfit]:
    films = [one for one in media if one.is_film]
    if not films:
        return []
    if rule is None:
        return [Misfit("no_films", NO_FILMS)]
    found = [Misfit("many_films", _with(_MANY_FILMS, len(films), rule.most))] if len(films) > rule.most else []
    if len(films) < len(media) and not rule.mixes:
        found.append(Misfit("mixed", FILM_OR_PICTURES))
    for one in films:
        if one.type not in rule.types:
            found.append(Misfit("type", _with(_ODD_FILM, one.name)))
        if rule.largest is not None and one.size > rule.largest:
            says = _with(_LARGE_FILM, -(-one.size // 1_000_000), rule.largest // 1_000_000, one.name)
            found.append(Misfit("heavy", says))
        if rule.longest is not None and one.seconds > rule.longest:
            found.append(Misfit("lasting", _with(_LONG_FILM, lasts(one.seconds), lasts(rule.longest), one.name)))
        if rule.alt and len(one.alt) > rule.alt:
            found.append(Misfit("alt", _with(_LONG_FILM_ALT, len(one.alt), rule.alt, one.name)))
    return found


def lasts(seconds: float) -> str:
    """As players show it: 0:07, 12:30, 1:02:03."""
    minutes, rest = divmod(int(-(-seconds // 1)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _poll_misfits(draft: Draft, rule: Polls | None) -> list[Misfit]:
    if not (poll := draft.poll):
        return []
    if rule is None:
        return [Misfit("poll", NO_POLL)]
    options, found = [one.strip() for one in poll.options], []
    if draft.pictures:
        found.append(POLL_OR_PICTURES)
    if len(options) < 2:
        found.append(FEW_OPTIONS)
    if len({one.casefold() for one in options}) < len(options):
        found.append(SAME_OPTIONS)
    if len(options) > rule.most:
        found.append(_with(_MANY_OPTIONS, len(options), rule.most))
    found += [_with(_LONG_OPTION, len(one), rule.longest, one) for one in options if len(one) > rule.longest]
    if poll.seconds < rule.shortest_time:
        found.append(_with(_SHORT_POLL, -(-rule.shortest_time // 60)))
    if poll.seconds > rule.longest_time:
        found.append(_with(_LONG_POLL, rule.longest_time // 86_400))
    return [Misfit("poll", says) for says in found]


def _with(sentence: tuple[str, str], *values: object) -> Text:
    english, spanish = sentence
    return {"en": english.format(*values), "es": spanish.format(*values)}
