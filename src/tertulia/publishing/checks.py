"""What is looked at before a post is scheduled: how each account would show it, and what is amiss. Nothing is asked of
any network, and nothing is written."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Exists, OuterRef, Q
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from tertulia.brand import zones
from tertulia.brand.models import Brand
from tertulia.channels.forms import said as told
from tertulia.channels.models import Account
from tertulia.community import testimonials
from tertulia.connectors.contract import Look
from tertulia.core import films

from . import (
    actions,
    addresses,
    approval,
    dealing,
    handles,
    looking,
    mailing,
    preflight,
    previews,
    queries,
    rights,
    saying,
    shortening,
)
from .dealing import Wording
from .models import Media, Occurrence, Part, Post, Repetition, Sending
from .preflight import Line
from .problems import Problem
from .saying import Piece
from .writing import Writing

LOOKS_BACK = timedelta(days=30)
LIKE = 0.6
"""From this share of common words on, of three at a time, two texts say the same."""
MOST_COMPARED = 1_000


@dataclass(frozen=True, slots=True)
class Shown:
    """A part as an account shows it, and how long its network counts it; `longest` None without a limit."""

    said: Mapping[str, Any]
    length: int
    longest: int | None
    misfits: Sequence[str]
    view: previews.View
    doubts: Sequence[str] = ()

    @property
    def is_long(self) -> bool:
        return self.longest is not None and self.length > self.longest


@dataclass(frozen=True, slots=True)
class Preview:
    account: Account
    network: str
    parts: Sequence[Shown]
    title: str
    warning: str
    look: Look
    at: datetime | None = None
    """When it leaves; None: now."""
    pollless: bool = False
    """The post has a poll, and this network has none."""

    @property
    def fullest(self) -> Shown | None:
        """The part that is nearest to its limit."""
        limited = [one for one in self.parts if one.longest]
        return max(limited, key=lambda one: one.length / (one.longest or 1), default=None)


@dataclass(frozen=True, slots=True)
class Worded:
    """What one of the other wordings looks like wherever it is said."""

    name: str
    previews: Sequence[Preview]


@dataclass(frozen=True, slots=True)
class Checked:
    """All that is to be seen of what somebody writes."""

    previews: Sequence[Preview]
    lines: Sequence[Line]
    links: Sequence[tuple[str, bool]] = ()
    """Each address that can be shortened, and whether it will be."""
    looks: Sequence[looking.Seen] = ()
    is_blank: bool = False
    """Nothing was written nor chosen yet: there is nothing to find fault with."""
    worded: Sequence[Worded] = ()

    @property
    def stops(self) -> bool:
        return any(line.tone == "late" for line in self.lines)

    @property
    def warns(self) -> bool:
        tones = [line.tone for line in self.lines] + [one.tone for one in self.looks]
        return "soon" in tones

    @property
    def is_clean(self) -> bool:
        return not self.lines and not self.warns and not self.is_blank

    @property
    def waiting(self) -> bool:
        """Addresses are still to be asked."""
        return any(one.is_waiting for one in self.looks)

    def of_wording(self, sign: str) -> Checked:
        """What is amiss with one of the wordings alone."""
        lines = [line for line in self.lines if line.wording == sign]
        return Checked([], lines, looks=[one for one in self.looks if one.wording == sign])

    @property
    def known(self) -> str:
        """Names all that is amiss, to tell whether its reader has seen it."""
        amiss = [line.says for line in self.lines if line.tone != "note"]
        amiss += [one.address for one in self.looks if one.tone == "soon"]
        return ".".join(dict.fromkeys(sha256(one.encode()).hexdigest()[:8] for one in amiss))

    def is_seen(self, known: str) -> bool:
        """Whether who has seen what `known` names has seen all of it."""
        return set(self.known.split(".")) <= {"", *known.split(".")}


def check(
    writing: Writing, *, brand: Brand, post: Post | None, at: datetime, others: Sequence[Brand] = (), here: str = "",
    by: int | None = None, wordings: Sequence[Wording] | None = None,
) -> Checked:  # fmt: skip
    """Look at what would be scheduled. `by`: the id of who writes; `others`: their other brands; `here`: the time zone
    they are in; `wordings`: what some say in its place, None: as it is kept with the post."""
    if wordings is None:
        wordings = dealing.wordings(post) if post else []
    accounts = [one for one in queries.accounts(brand) if one.pk in writing.accounts]
    media = _media(writing, brand)
    known = handles.known(brand.pk, [*writing.texts, *(one.text for one in wordings)])
    shown = [_preview(account, writing, media, known, brand, post) for account in accounts]
    lines = [
        *_where(accounts, is_blank=writing.is_blank), *_letters(accounts, brand), *_fits(shown), *_alts(shown),
        *_rights(writing, media.values(), brand, post, at=at), *_quotes(writing.texts, writing, brand, at=at),
        *_films(media.values()),
        *_smaller(shown), *_time(writing, brand, post, here=here, at=at), *_links(writing.texts),
        *_again(_opening(writing), brand, post, at=at), *preflight.words(writing.texts, brand),
        *preflight.strangers(writing.texts, brand, others), 
        *(line for one in accounts for line in _named([piece.text for piece in writing.said_on(one.pk)], one, known)),
        *_polls(shown), *_approval(writing, brand, post, post.created_by_id if post else by),
    ]  # fmt: skip
    looks, usual = looking.seen(writing.texts, brand, at=at), set(_fits(shown))
    worded = []
    for one in wordings:
        mine = [each for each in accounts if _is_said(one, writing, each)]
        seen = [_preview(each, writing, media, known, brand, post, one) for each in mine]
        worded.append(Worded(one.name, seen))
        fits, texts = _fits(seen), list(filter(None, [one.title, one.text]))
        found = [
            *(line for line in fits if line not in usual), *_quotes(texts, writing, brand, at=at),
            *of_texts(texts, brand), *preflight.strangers(texts, brand, others),
            *_again(one.text, brand, post, at=at), *(line for each in mine for line in _named(texts, each, known)),
        ]  # fmt: skip
        lines += [Line(line.tone, f"{one.name}: {line.says}", one.sign) for line in found]
        there = {each.address for each in looks}
        asked = [replace(each, wording=one.sign) for each in looking.seen(texts, brand, at=at)]
        looks += [each for each in asked if each.address not in there or each.tone == "soon"]
    return Checked(shown, list(dict.fromkeys(lines)), _choices(writing, brand), looks, writing.is_blank, worded)


def _is_said(wording: Wording, writing: Writing, account: Account) -> bool:
    """Another wording takes the place of the common text, or of whatever its list gets."""
    if wording.account:
        return account.pk == wording.account
    return writing.said_on(account.pk) == writing.pieces


def _approval(writing: Writing, brand: Brand, post: Post | None, author: int | None) -> Iterator[Line]:
    if writing.accounts:
        found = approval.rules_ahead(
            brand, accounts=writing.accounts, texts=writing.words, post=post, campaign=writing.campaign or None,
            author=author,
        )  # fmt: skip
        for rule in found:
            yield Line("note", _("It has to be approved first: {rule}.").format(rule=approval.summary(rule)))


def _media(writing: Writing, brand: Brand) -> dict[int, Media]:
    sheets = writing.sheets.values()
    ids = {one.media for sheet in sheets for piece in sheet.pieces for one in piece.pictures}
    return queries.pictures(brand).in_bulk(ids)


def _choices(writing: Writing, brand: Brand) -> list[tuple[str, bool]]:
    listed = [one for text in writing.texts for one in addresses.listed(text) if addresses.may_lead_to(one)]
    if not listed:
        return []
    settings = shortening.settings_of(brand.pk)
    plain = dict.fromkeys(addresses.plain(one) for one in listed)
    return [(one, shortening.is_short(one, settings, writing.links)) for one in plain]


def _preview(
    account: Account, writing: Writing, media: Mapping[int, Media], known: handles.Known, brand: Brand,
    post: Post | None, wording: Wording | None = None,
) -> Preview:  # fmt: skip
    hints = writing.hints.get(account.pk, {})
    pieces = writing.said_on(account.pk) or (Piece("", Part.Kind.POST),)
    if wording:
        pieces, hints = (
            dealing.worded(pieces, wording.text),
            {**hints, "title": wording.title or hints.get("title", "")},
        )
    name, look = handles.on_account(account, known), account.connector.look(account)
    pieces = tuple(replace(one, text=name(one.text)) for one in pieces)
    rewrite = shortening.foreseen(
        [one.text for one in pieces], brand_id=brand.pk, post=post, account=account, choices=writing.links
    )
    parts = [_shown(account, one, rewrite(one.text), look, hints, media) for one in pieces]
    poll = None if account.connector.polls_taken(account) else writing.poll
    lines = [line.rstrip() for line in pieces[0].text.splitlines()]
    pollless = bool(poll and not all(any(line.endswith(one) for line in lines) for one in poll.options))
    title, warning = hints.get("title", ""), hints.get("warning", "")
    return Preview(account, told(account.connector.name), parts, title, warning, look, _moment(writing), pollless)


def _shown(
    account: Account, piece: Piece, text: str, look: Look, hints: Mapping[str, str], media: Mapping[int, Media]
) -> Shown:  # fmt: skip
    """`text` is how the piece leaves, its links shortened."""
    connector = account.connector
    taken = connector.pictures_taken(account)
    pictures = [saying.pictured(media[one.media], one.alt, taken) for one in piece.pictures if one.media in media]
    said: dict[str, Any] = {"kind": piece.kind, "text": text, "pictures": pictures, **hints}
    if connector.polls_taken(account):
        said["poll"] = saying.plain_poll(piece.poll)
    draft = saying.draft_of(said)
    misfits = [told(one.says) for one in connector.misfits(account, draft)]
    doubts = [told(one) for one in connector.doubts(account, draft)]
    length, longest = connector.post_length(account, draft), connector.longest_post(account, draft)
    page = looking.card_of(piece.text, account.brand_id) if look.card and not pictures else None
    return Shown(said, length, longest, misfits, previews.view(said, look, leads_to=piece.text, page=page), doubts)


# What may be amiss.


def _where(accounts: Sequence[Account], *, is_blank: bool) -> Iterator[Line]:
    if not accounts and not is_blank:
        yield Line("late", _("Choose where it is to be published."))
    for account in accounts:
        if account.state == Account.State.PAUSED:
            yield Line("late", _("{account} is paused.").format(account=account.name))


def _letters(accounts: Sequence[Account], brand: Brand) -> Iterator[Line]:
    for account in filter(mailing.is_list, accounts):
        account.brand = brand
        if mailing.mailbox_of(account) is None:
            says = _("{list}: no mailbox is known that could send it. Name one in the channel's settings.")
            yield Line("late", says.format(list=account.name))
        if not mailing.footer_of(account):
            yield Line(
                "late", _("{list}: it doesn't say who sends it, with a postal address.").format(list=account.name)
            )
        if not mailing.on_list(account):
            yield Line("soon", _("{list}: nobody is on the list yet.").format(list=account.name))
        if not settings.PUBLIC_URL.startswith("https://"):
            says = _("{list}: without https mail programs offer no button to leave it. The link in the mail works.")
            yield Line("soon", says.format(list=account.name))


def _fits(shown: Sequence[Preview]) -> Iterator[Line]:
    for preview in shown:
        for number, part in enumerate(preview.parts, 1):
            where = preview.account.name if number == 1 else f"{preview.account.name}, {_called(part, number)}"
            for misfit in part.misfits:
                yield Line("late", f"{where}: {misfit}")
            for doubt in part.doubts:
                yield Line("soon", f"{where}: {doubt}")


def _called(part: Shown, number: int) -> str:
    return _("first comment") if part.said["kind"] == Part.Kind.COMMENT else _("part {n}").format(n=number)


def _alts(shown: Sequence[Preview]) -> Iterator[Line]:
    pictures = [picture for preview in shown for part in preview.parts for picture in part.said["pictures"]]
    for name in dict.fromkeys(one["name"] for one in pictures if not one["alt"].strip()):
        yield Line("soon", says_nothing_of(name))


def says_nothing_of(picture: str) -> str:
    """What is told of a picture without a description."""
    return _("Say what {picture} shows: who can't see it hears nothing of it.").format(picture=picture)


def _rights(
    writing: Writing, media: Iterable[Media], brand: Brand, post: Post | None, *, at: datetime
) -> Iterator[Line]:  # fmt: skip
    on = rights.day_of(max(_moment(writing) or at, at), brand)
    if post and post.share:
        yield from (Line("late", why) for why in rights.forbids_sharing(post.share))
    for one in media:
        yield from (Line("late", why) for why in rights.forbids(one, on))
        yield from (Line("soon", why) for why in rights.warns(one, on))


def _quotes(texts: Sequence[str], writing: Writing, brand: Brand, *, at: datetime) -> Iterator[Line]:
    on = rights.day_of(max(_moment(writing) or at, at), brand)
    yield from (Line("late", why) for why in testimonials.against(texts, brand=brand.pk, on=on))
    yield from (Line("soon", why) for why in testimonials.ending(texts, brand=brand.pk, on=on))


def _films(media: Iterable[Media]) -> Iterator[Line]:
    for one in media:
        if one.is_film and one.codecs.partition(" ")[0] not in films.COMMON:
            says = _("{film} isn't coded as H.264, VP8 or VP9: some phones and browsers won't play it.")
            yield Line("soon", says.format(film=one.name))


def _moment(writing: Writing) -> datetime | None:
    """When it would leave; None while no time can be read."""
    try:
        wall = writing.wall()
    except Problem:
        return None
    return zones.moment(wall, ZoneInfo(writing.zone)) if wall and writing.zone in actions.zones_known() else None


def _smaller(shown: Sequence[Preview]) -> Iterator[Line]:
    for preview in shown:
        for picture in (picture for part in preview.parts for picture in part.said["pictures"]):
            if limit := picture.get(saying.SHRUNK):
                says = _("{account}: {picture} is sent smaller, as the network takes no more than {limit}.")
                most = filesizeformat(limit["bytes"]) if limit["bytes"] else _("so many points")
                yield Line("note", says.format(account=preview.account.name, picture=picture["name"], limit=most))


def _time(writing: Writing, brand: Brand, post: Post | None, *, here: str, at: datetime) -> Iterator[Line]:
    try:
        wall = writing.wall()
    except Problem as problem:
        yield Line("late", str(problem))
        return
    is_past = post and writing.leaves_as(post) and _is_out(post)
    if wall is None or is_past or writing.zone not in actions.zones_known():
        return
    zone = ZoneInfo(writing.zone)
    if zones.moment(wall, zone) <= at:
        yield Line("late", _("Its time has passed. Choose another one, or publish it now."))
    if odd := zones.oddity(wall, zone):
        yield Line("soon", clock_says(odd))
    here = here if here in actions.zones_known() else ""
    moment = zones.moment(wall, zone)
    yield from preflight.hours(moment, zone=writing.zone, brand=brand, here=here, is_odd=bool(odd), at=at)


def _is_out(post: Post) -> bool:
    return Sending.objects.filter(version__post=post, remote__published_at__isnull=False).exists()


def clock_says(odd: str) -> str:
    """What clocks do with a time."""
    if odd == "skipped":
        return _("Clocks skip that time on that day: it leaves as soon as they go on.")
    return _("That time comes twice on that day: it leaves the first time.")


def _named(texts: Iterable[str], account: Account, known: handles.Known) -> Iterator[Line]:
    names = [name for text in texts for name in handles.named(text)]
    for name in dict.fromkeys(one for one in names if not handles.address_of(one, account, known)):
        if handles.folded(name) not in known:
            says = _("Nobody is called {name} among the names on the networks: the plain name is published.")
            yield Line("soon", says.format(name=name))
        else:
            says = _("{account}: {name} has no name there, so the plain name is published.")
            yield Line("note", says.format(account=account.name, name=name))


def _polls(shown: Sequence[Preview]) -> Iterator[Line]:
    for one in shown:
        if one.pollless:
            says = _("{account} has no polls: it goes out there without it. Its options can be written into the text.")
            yield Line("soon", says.format(account=one.account.name))


_ADDRESS = re.compile(r"(?<![\w@])(?:[a-z]{3,6}:/{1,3}|https?[:/]{2,}|www\.)\S*", re.IGNORECASE)
_HOST = re.compile(r"(?:[\w-]{1,63}\.)+[^\W\d_][\w-]{1,62}")


def of_texts(texts: Sequence[str], brand: Brand) -> Iterator[Line]:
    """What the words alone tell: broken links, and what the brand wouldn't say."""
    yield from _links(texts)
    yield from preflight.words(texts, brand)


def _links(texts: Sequence[str]) -> Iterator[Line]:
    for text in texts:
        for found in _ADDRESS.finditer(text):
            if looks_broken(address := found[0].rstrip(".,;:!?'\"»”’)]}")):
                yield Line("soon", _("This link looks broken: {link}").format(link=address[:80]))


def looks_broken(address: str) -> bool:
    """By its form alone: another scheme, no host, a name that ends in nothing, cut off, or two in one."""
    if address.lower().startswith("www."):
        address = f"https://{address}"
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return True
    is_cut = "…" in address or "..." in address or "//" in parts.path
    return parts.scheme.lower() not in {"http", "https"} or not _HOST.fullmatch(host) or is_cut


def _opening(writing: Writing) -> str:
    return " ".join(piece.text for piece in writing.pieces[:1])


def _again(text: str, brand: Brand, post: Post | None, *, at: datetime) -> Iterator[Line]:
    if found := published_like(text, brand=brand, other_than=post, at=at):
        title, on = found
        says = _("Very like “{title}”, published on {day}.")
        yield Line("soon", says.format(title=title, day=on.astimezone(ZoneInfo(brand.time_zone)).strftime("%d/%m/%Y")))


def published_like(text: str, *, brand: Brand, other_than: Post | None, at: datetime) -> tuple[str, datetime] | None:
    """Title and moment of the newest post of the last 30 days that says nearly the same, among the newest thousand."""
    mine = grams(text)
    if not mine:
        return None
    is_out = Exists(Sending.objects.filter(version__post=OuterRef("post"), remote__published_at__isnull=False))
    parts = Part.objects.filter(
        is_out, post__brand=brand, post__publish_at__gt=at - LOOKS_BACK, post__publish_at__lte=at, number=0
    )
    if other_than:
        parts = parts.exclude(post__in=[other_than.pk, *_kin(other_than)])
    rows = parts.order_by("-post__publish_at", "-pk").values_list("text", "post__title", "post__publish_at")
    for other, title, on in rows[:MOST_COMPARED]:
        theirs = grams(other)
        if on and theirs and len(mine & theirs) >= LIKE * len(mine | theirs):
            return title, on
    return None


def _kin(post: Post) -> list[int]:
    """Posts that say the same on purpose: the other days of its series, the other turns of its text."""
    days = Occurrence.objects.filter(Q(series__model=post) | Q(series__occurrences__post=post))
    turns = Repetition.objects.filter(Q(evergreen__model=post) | Q(evergreen__repetitions__post=post))
    return [*filter(None, days.values_list("post", flat=True)), *turns.values_list("post", flat=True)]


def grams(text: str) -> set[tuple[str, ...]]:
    """A text's words, three at a time, without accents; of a short one each word."""
    plain = "".join(sign for sign in unicodedata.normalize("NFD", text.casefold()) if not unicodedata.combining(sign))
    words = re.findall(r"\w+", plain)
    size = 3 if len(words) > 5 else 1
    return {tuple(words[at : at + size]) for at in range(len(words) - size + 1)}
