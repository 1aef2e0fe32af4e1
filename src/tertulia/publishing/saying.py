"""What a post says on one account: its parts in order, as plain data, and as the draft a connector is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tertulia.channels.models import Account
from tertulia.connectors.contract import Draft, Misfit, Picture, Pictures, Poll, Target

from . import handles, shortening
from .models import Experiment, Media, Part, Version

HINTS = ("title", "warning", "language", "visibility")
SHRUNK = "shrunk"
"""Of a picture that is sent smaller than it is kept: to how many `bytes` and `pixels`, as its network has it."""
SHRINKS = frozenset({"image/jpeg", "image/png"})
"""What can be made smaller without losing more than points: these don't move."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture of the library under a piece; `alt` where it says something else here."""

    media: int
    alt: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part as somebody writes it."""

    text: str
    kind: str = Part.Kind.PART
    pictures: tuple[Shown, ...] = ()
    poll: Poll | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """How one account is to say it: with pieces of its own, or without any as all the others; and its hints."""

    pieces: tuple[Piece, ...] = ()
    hints: tuple[tuple[str, str], ...] = ()


def headline(account: Account, title: str) -> tuple[tuple[str, str], ...]:
    """The hint that holds a title, where the account's network asks for one."""
    rule = account.connector.capabilities.publishes
    return (("title", title),) if rule and "title" in rule.needs else ()


def parts_of(version: Version) -> list[Part]:
    """Its own parts where it has any, else the common ones; with their pictures."""
    parts = version.post.parts.prefetch_related("attachments__media").order_by("number")
    own = [part for part in parts if part.version_id == version.pk]
    return own or [part for part in parts if part.version_id is None]


def pieces_of(parts: Iterable[Part]) -> tuple[Piece, ...]:
    """As they were written, to be compared."""
    return tuple(
        Piece(
            part.text, part.kind, tuple(Shown(one.media_id, one.alt) for one in _in_order(part)), poll_of(part.poll)
        )
        for part in parts
    )  # fmt: skip


def poll_of(plain: Mapping[str, Any] | None) -> Poll | None:
    return Poll(tuple(plain["options"]), plain["seconds"], plain["multiple"]) if plain else None


def plain_poll(poll: Poll | None) -> dict[str, Any] | None:
    """For the database."""
    return asdict(poll) if poll else None


def spoken(version: Version) -> list[dict[str, Any]]:
    """All that is to be published on its account, part after part: `RemotePost.draft` of each."""
    hints = {name: value for name in HINTS if (value := version.hints.get(name))}
    account, parts = version.account, parts_of(version)
    taken, has_polls = account.connector.pictures_taken(account), account.connector.polls_taken(account) is not None
    other = _other(version)
    texts = [*(part.text for part in parts), *([other.text_b] if other else [])]
    name = handles.on_account(account, handles.known(account.brand_id, texts))
    said = [
        {
            "kind": part.kind, "text": name(part.text), **hints,
            "pictures": [pictured(one.media, one.alt, taken) for one in _in_order(part)],
            **({"poll": part.poll} if part.poll and has_polls else {}),
        }
        for part in parts
    ]  # fmt: skip
    if other and said:
        first = said[0]
        text, title = name(other.text_b) or first["text"], other.title_b or first.get("title", "")
        first["b"] = {"text": text, "title": title, "seed": other.seed}
    return said


def _other(version: Version) -> Experiment | None:
    """The experiment in which half of a list gets another wording of a newsletter."""
    mine = Experiment.objects.filter(post=version.post_id, account=version.account_id, closed_at__isnull=True)
    return mine.filter(kind=Experiment.Kind.LETTER).first()


def as_read(said: Mapping[str, Any], arm: str) -> dict[str, Any]:
    """A `RemotePost.draft` as one half of its readers gets it."""
    other = said["b"] if arm == Experiment.Arm.B and "b" in said else {}
    return {name: value for name, value in {**said, **other}.items() if name not in {"b", "seed"}}


def pictured(media: Media, alt: str, taken: Pictures | None) -> dict[str, Any]:
    """A picture or film as `RemotePost.draft` has it; a picture made to fit what its network takes where that is a
    matter of size."""
    names = ("name", "type", "size", "width", "height", "digest")
    said = {"media": media.pk, "alt": alt or media.alt, **{name: getattr(media, name) for name in names}}
    if media.is_film:
        said["seconds"] = media.seconds
    points = media.width * media.height
    if not taken or media.type not in SHRINKS or media.type not in taken.types:
        return said
    is_heavy = taken.largest is not None and media.size > taken.largest
    is_wide = taken.most_pixels is not None and points > taken.most_pixels
    if is_heavy or is_wide:
        said[SHRUNK] = {"bytes": taken.largest, "pixels": taken.most_pixels, "from": media.size}
        said["size"] = min(media.size, taken.largest or media.size)
    if is_wide and taken.most_pixels:
        share = (taken.most_pixels / points) ** 0.5
        said |= {"width": int(media.width * share), "height": int(media.height * share)}
    return said


def _in_order(part: Part) -> list[Any]:
    return sorted(part.attachments.all(), key=lambda one: one.position)


def draft_of(
    said: Mapping[str, Any], *, above: Target | None = None, ids: Mapping[str, str] | None = None,
    content: Callable[[Mapping[str, Any]], bytes] = lambda picture: b"",
) -> Draft:  # fmt: skip
    """The draft of a `RemotePost.draft`; `ids` what the network calls its pictures by their digests, `content` reads
    one."""
    pictures = [
        Picture(
            name=one["name"], type=one["type"], size=len(read) or one["size"], width=one["width"],
            height=one["height"], alt=one["alt"], id=(ids or {}).get(one["digest"], ""), content=read,
            seconds=one.get("seconds", 0),
        )
        for one in said.get("pictures", [])
        for read in [content(one)]
    ]  # fmt: skip
    hints = {name: said.get(name, "") for name in HINTS}
    poll = poll_of(said.get("poll"))
    return Draft(said["text"], kind=said["kind"], pictures=pictures, above=above, poll=poll, **hints)


def misfits(
    versions: Iterable[Version], *, spoken: Callable[[Version], list[dict[str, Any]]]
) -> dict[str, list[Misfit]]:  # fmt: skip
    """Of each account that wouldn't take what it is to say (`spoken`), with its links as they will be, why not."""
    found: dict[str, list[Misfit]] = {}
    for version in versions:
        account = version.account
        connector = account.connector
        parts, post = spoken(version) or [_NOTHING], version.post
        parts = [*parts, *(as_read(said, Experiment.Arm.B) for said in parts if "b" in said)]
        texts = [said["text"] for said in parts]
        rewrite = shortening.foreseen(texts, brand_id=post.brand_id, post=post, account=account)
        parts = [{**said, "text": rewrite(said["text"])} for said in parts]
        some = [one for said in parts for one in connector.misfits(account, draft_of(said))]
        if some:
            found[account.name] = some
    return found


_NOTHING: dict[str, Any] = {"kind": "post", "text": "", "pictures": []}


def title_from(pieces: Sequence[Piece]) -> str:
    """What a post is called until somebody names it: how it begins."""
    words = handles.plain(pieces[0].text).split() if pieces else []
    title = ""
    for word in words:
        if len(title) + len(word) > 60:
            return f"{title or word[:60]}…"
        title = f"{title} {word}".strip()
    return title
