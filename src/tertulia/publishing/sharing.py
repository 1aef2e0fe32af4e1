"""Passing on what somebody else made: with their name and a link to it, and with what is known of their permission.

A picture or film that was taken from somebody's message needs a permission that is recorded; words and links can do
without, if somebody says why. Whatever lets a post leave asks for it (`rights`), last when it is sent.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, BinaryIO
from urllib.parse import urljoin
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from tertulia.brand import zones
from tertulia.brand.models import Brand
from tertulia.channels import screening
from tertulia.channels.models import Delivery, Message, Original
from tertulia.connectors.contract import Outcome
from tertulia.core import activity, malware
from tertulia.core.html import tidy
from tertulia.core.http import Door
from tertulia.team.models import User

from . import actions, activities, checks, handles, library
from .models import Handle, Media, Post, Share
from .problems import NotHere, Problem
from .saying import Piece, Shown

MOST_FILES = 10
"""Pictures and films that one sharing takes along."""
MOST_HOPS = 3
SHOWN_ANSWERS = 20
MOST = 500
"""Questions that one run looks for."""
LIKE = 0.5
"""From this share of its runs of words on, what was sent is the question that was prepared."""
door = Door(total=20.0, largest=library.LARGEST + 1)
"""To where a network keeps the pictures of a message."""
S = Share.State


# What somebody's message brings along.


@dataclass(frozen=True, slots=True)
class File:
    """A picture or film that came with a message, by its place among its attachments."""

    number: int
    name: str
    alt: str


def files_of(message: Message | None) -> list[File]:
    """Those that can be fetched; what they are their bytes tell then."""
    found = []
    for number, one in enumerate(message.attachments if message else []):
        kind, url = str(one.get("type") or one.get("picture") or ""), str(one.get("url") or "")
        is_shown = kind.partition("/")[0] in {"image", "video", "gifv"} or bool(one.get("picture"))
        if is_shown and ("part" in one or url.startswith("https://")):
            found.append(File(number, str(one.get("name") or kind)[:120], str(one.get("alt") or "")))
    return found[:MOST_FILES]


def fetch(message: Message, number: int, *, at: datetime) -> BinaryIO:
    """One of `files_of`: out of the message as it arrived, or from where its network keeps it. Raises `Problem`."""
    one = message.attachments[number]
    try:
        if "part" in one:
            content = message.account.connector.open_part(screening.check(message.original, at=at), one["part"])
        else:
            content = _fetched(str(one["url"]))
    except (Outcome, malware.Found, malware.NotLooked, Original.DoesNotExist):
        raise Problem(
            _("{file} could not be fetched. Save it there by hand, then add it here as a file.").format(
                file=one.get("name") or number + 1
            )
        ) from None
    return io.BytesIO(content)


def _fetched(url: str) -> bytes:
    for _hop in range(MOST_HOPS):
        answer = door.request("GET", url)
        if answer.status not in {301, 302, 303, 307, 308}:
            break
        url = urljoin(url, answer.headers.get("location", ""))
    if answer.status != 200:
        raise Problem(_("The network doesn't give this file away any more ({status}).").format(status=answer.status))
    return answer.body


# Beginning.


def begin(
    *, brand: Brand, by: User, at: datetime, name: str, url: str = "", text: str = "", because: str = "",
    message: Message | None = None, files: Sequence[tuple[str, BinaryIO]] = (),
) -> tuple[Share, Post]:  # fmt: skip
    """A draft that says `text` and, below it, whose it is and where it stands; with the pictures and films in `files`,
    by their names. `because`: why no permission is needed, where nothing of theirs is shown.

    What was begun of this message before is gone on with, and so is what is known of its permission. Raises `Problem`,
    `NotAPicture`, `NotAFilm`.
    """
    name = _name(name)
    if not name:
        raise Problem(_("Say who made it: that is the credit."))
    with transaction.atomic():
        share = _of(message, brand) or Share(brand=brand, message=message, created_at=at, recorded_by_id=by.pk)
        share.name, share.url = name, url or share.url
        _settle(share, because=because, has_files=bool(files), by=by)
        share.changed_at = at
        share.save()
    # Fetching and copying large files holds up nobody who writes; what lies in the library by then is marked as theirs.
    media = [library.take(brand=brand, name=called, file=file, by=by, at=at, share=share) for called, file in files]
    with transaction.atomic():
        _know(brand, share, by=by, at=at)
        pieces = [Piece(_said(text, credit(share, media, brand)), pictures=tuple(Shown(one.pk) for one in media))]
        post = actions.create(
            brand=brand, title=_("{name}: shared").format(name=name), pieces=pieces, share=share, by=by, at=at
        )
        _record(activities.SHARED, share, by=by, at=at)
    return share, post


def _of(message: Message | None, brand: Brand) -> Share | None:
    mine = Share.objects.select_for_update().filter(brand=brand, message=message)
    return mine.order_by("-pk").first() if message else None


def _settle(share: Share, *, because: str, has_files: bool, by: User) -> None:
    """What is known of the permission when it begins: without pictures a reason will do, with them only their word."""
    because = " ".join(tidy(because).split())[:300]
    if has_files and share.state == S.FREE:
        share.state, share.because, share.recorded_by_id = S.NEEDED, "", by.pk
    elif because and not has_files and share.state == S.NEEDED and not _has_media(share):
        share.state, share.because, share.recorded_by_id = S.FREE, because, by.pk


def _has_media(share: Share) -> bool:
    return share.pk is not None and share.media.exists()


def _name(name: str) -> str:
    """As a credit and between the braces of a text can have it."""
    return " ".join(tidy(name).replace("{", "").replace("}", "").split())[: handles.LONGEST]


def _said(text: str, credit: str) -> str:
    return f"{tidy(text).strip()}\n\n{credit}".strip()


def credit(share: Share, media: Sequence[Media], brand: Brand) -> str:
    """Whose it is, in the brand's language, named as each network names them where that is known; and where it is."""
    known = Handle.objects.filter(brand=brand, folded=handles.folded(share.name)).exists()
    who = f"@{{{share.name}}}" if known else share.name
    with translation.override(brand.language):
        if any(one.is_film for one in media):
            says = _("Film by {who}")
        else:
            says = _("Picture by {who}") if media else pgettext("credit", "Via {who}")
        says = says.format(who=who)
    return f"{says}: {share.url}" if share.url else says


def _know(brand: Brand, share: Share, *, by: User, at: datetime) -> None:
    """Take down how the network of their message calls them, where nobody has: then texts name them there."""
    message = share.message
    if message is None or message.identity is None or not message.identity.handle or message.kind == "article":
        return
    rule = message.account.capabilities.publishes
    if rule is None or rule.names is None:
        return
    handle = Handle.objects.filter(brand=brand, folded=handles.folded(share.name)).first()
    network = handles.network_of(message.account)
    if handle and handle.addresses.get(network):
        return
    try:
        address = handles.tidied(message.identity.handle, rule.names)
        handles.keep(brand=brand, handle=handle, name=share.name, addresses={network: address}, by=by, at=at)
    except Problem:
        return  # the plain name it is


# What is known of the permission.


@transaction.atomic
def exempt(*, share: Share, because: str, by: User, at: datetime) -> None:
    """Nobody has to be asked, because. Raises `Problem` without a reason, and where something of theirs is shown."""
    share, because = _lock(share), " ".join(tidy(because).split())[:300]
    if not because:
        raise Problem(_("Say why no permission is needed."))
    if share.media.exists():
        raise Problem(_("A picture or film of theirs is never shown without their permission: ask them."))
    _become(share, S.FREE, activities.SHARE_FREE, by=by, at=at, because=because)


@transaction.atomic
def prepare(*, share: Share, question: str, at: datetime) -> None:
    """An answer that asks lies ready in the conversation; what somebody sends of it has asked (`note_questions`)."""
    share = _lock(share)
    share.question, share.prepared_at, share.changed_at = tidy(question)[:2_000], at, at
    share.save(update_fields=["question", "prepared_at", "changed_at"])


@transaction.atomic
def note_question(
    *, share: Share, question: str, asked_at: datetime, asked_on: str, by: User, at: datetime
) -> None:  # fmt: skip
    """They were asked, there and in these words. What they have answered already stands. Raises `Problem`."""
    share = _lock(share)
    if share.state in {S.GIVEN, S.REFUSED}:
        raise Problem(_("They have answered already."))
    _become(
        share, S.ASKED, activities.SHARE_ASKED, by=by, at=at, because="", question=tidy(question).strip()[:2_000],
        asked_at=asked_at, asked_on=tidy(asked_on).strip()[:100], prepared_at=None,
    )  # fmt: skip


@transaction.atomic
def note_answer(
    *, share: Share, is_yes: bool, answer: str, answered_at: datetime, by: User, at: datetime,
    evidence: Message | None = None,
) -> None:  # fmt: skip
    """They have said yes, or no, then and in these words; `evidence` is the message. Raises `Problem` without words."""
    share, answer = _lock(share), tidy(answer).strip()[:2_000]
    if not answer:
        raise Problem(_("Write down what they said: that is what shows it later."))
    state, name = (S.GIVEN, activities.SHARE_GIVEN) if is_yes else (S.REFUSED, activities.SHARE_REFUSED)
    _become(
        share, state, name, by=by, at=at, because="", answer=answer, answered_at=answered_at, evidence=evidence,
        ended_at=None, prepared_at=None,
    )  # fmt: skip


def take_answer(*, share: Share, message_id: int, is_yes: bool, by: User, at: datetime) -> None:
    """One of `answers` is their answer. Raises `NotHere`, `Problem`."""
    message = next((one for one in answers(share) if one.pk == message_id), None)
    if message is None:
        raise NotHere(_("This message isn't one of theirs, or is gone."))
    note_answer(
        share=share, is_yes=is_yes, answer=message.text, answered_at=message.sent_at, evidence=message, by=by, at=at
    )


@transaction.atomic
def end(*, share: Share, because: str, by: User, at: datetime) -> None:
    """It isn't allowed any more: what is scheduled with it stays here. Raises `Problem`."""
    share, because = _lock(share), " ".join(tidy(because).split())[:300]
    if not share.is_allowed:
        raise Problem(_("It isn't allowed as it is."))
    _become(share, S.ENDED, activities.SHARE_ENDED, by=by, at=at, because=because, ended_at=at)


def _become(share: Share, state: Share.State, name: str, *, by: User | None, at: datetime, **facts: Any) -> None:
    for field, value in facts.items():
        setattr(share, field, value)
    share.state, share.changed_at = state, at
    share.recorded_by_id = by.pk if by else share.recorded_by_id
    share.save(update_fields=[*facts, "state", "changed_at", "recorded_by_id"])
    _record(name, share, by=by, at=at)


def _lock(share: Share) -> Share:
    return Share.objects.select_for_update().get(pk=share.pk)


def _record(name: str, share: Share, *, by: User | None, at: datetime) -> None:
    activity.record(name, on=share, brand=share.brand_id, by=by.pk if by else None, at=at, whom=share.name)


def moment_of(on: Any, brand: Brand) -> datetime:
    """A day that somebody names, as the moment at which it begins where the brand is."""
    return zones.moment(datetime.combine(on, time()), ZoneInfo(brand.time_zone))


# Asking.


def question_for(share: Share, *, language: str) -> str:
    """How they are asked, in Spanish the way the brand addresses people. `language`: one this house speaks."""
    with translation.override(language):
        name = "" if "@" in share.name else share.name.split(" ")[0]
        hello = _("Hello, {name}!").format(name=name) if name else _("Hello!")
        asks = (
            _("We love what you have made. May we share it on our networks, with your name? We do it only if you say "
              "yes, and you can change your mind whenever you like.")
            if share.brand.treatment != Brand.Treatment.FORMAL
            else pgettext(
                "usted",
                "We love what you have made. May we share it on our networks, with your name? We do it only if you say "
                "yes, and you can change your mind whenever you like.",
            )
        )  # fmt: skip
    return f"{hello} {asks}\n{share.url}".strip()


def note_questions(*, at: datetime) -> int:
    """Of what was prepared, write down what has really been sent. Returns how many."""
    waiting = Share.objects.filter(state=S.NEEDED, prepared_at__isnull=False, message__isnull=False)
    noted = 0
    for share in waiting.select_related("message__account").order_by("prepared_at", "pk")[:MOST]:
        if sent := _sent(share):
            with transaction.atomic():
                share = Share.objects.select_for_update().get(pk=share.pk)
                if share.state == S.NEEDED:
                    _become(
                        share, S.ASKED, activities.SHARE_ASKED, by=None, at=at, question=sent.text[:2_000],
                        asked_at=sent.sent_at, asked_on=sent.account.name, prepared_at=None,
                    )  # fmt: skip
                    noted += 1
    return noted


def _sent(share: Share) -> Message | None:
    """The answer that asked, once it has left, whatever somebody has changed in it before."""
    mine = checks.grams(share.question)
    ours = _talk(share).filter(
        direction=Message.Direction.OUT, received_at__gte=share.prepared_at, delivery__state=Delivery.State.SENT
    )
    for message in ours.order_by("pk")[:SHOWN_ANSWERS]:
        if mine and len(mine & checks.grams(message.text)) >= LIKE * len(mine):
            return message
    return None


def _talk(share: Share) -> QuerySet[Message]:
    """All that was written to and fro where it was made."""
    made = share.message
    if made is None or not made.thread_id or made.kind == "article":
        return Message.objects.none()
    mine = Message.objects.filter(account=made.account_id, thread_id=made.thread_id, deleted_at__isnull=True)
    return mine.select_related("account").defer("raw", "account__secrets")


def answers(share: Share) -> list[Message]:
    """What they have written there since they were asked, the newest first."""
    theirs = _talk(share).filter(direction=Message.Direction.IN)
    if share.message:
        theirs = theirs.filter(identity=share.message.identity_id).exclude(pk=share.message.pk)
    since = share.asked_at or share.created_at
    return list(theirs.filter(sent_at__gte=since).order_by("-sent_at", "-pk")[:SHOWN_ANSWERS])


# Reading.


def shares(brand: Brand) -> QuerySet[Share]:
    return Share.objects.filter(brand=brand).select_related("brand", "message__account").defer(
        "message__raw", "message__account__secrets"
    )  # fmt: skip


def posts_of(share: Share) -> QuerySet[Post]:
    """What passes it on, or shows a picture of it, the newest first."""
    showing = Post.objects.filter(parts__attachments__media__share=share).values("pk")
    mine = Post.objects.filter(brand=share.brand_id)
    return (mine.filter(share=share) | mine.filter(pk__in=showing)).order_by("-changed_at", "-pk")


def of_talk(brand: Brand, *, account_id: int, thread_id: str) -> QuerySet[Share]:
    """What was made in a conversation and is shared, the newest first."""
    mine = Share.objects.filter(brand=brand, message__account=account_id, message__thread_id=thread_id)
    return mine.order_by("-changed_at", "-pk")


def offered(message: Message) -> dict[str, str]:
    """What the form of a new one begins with: who, where, their words."""
    is_article = message.kind == "article"
    name = str(message.account) if is_article else message.author_name
    words = " ".join((message.subject if is_article else message.text).split())[:1_000]
    because = _("A link with a few words about it, on a page that anybody may read.") if is_article else ""
    quoted = _("“{words}”").format(words=words) if words and not is_article else words
    return {"name": _name(name), "url": message.url, "text": quoted, "because": because}
