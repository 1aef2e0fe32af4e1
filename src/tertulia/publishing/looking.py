"""Whether the addresses in a post answer, and what their pages say of themselves. They are asked by a job, never by a
page, and the answer is kept a day.

No more than the beginning of a page is read; redirects are followed, each through the one door. That nobody answers is
our line, or theirs, or a name that doesn't exist: it is told as it is, not as a dead link.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import urljoin, urlsplit

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from tertulia.brand.models import Brand
from tertulia.connectors.contract import Card
from tertulia.core import dates, jobs
from tertulia.core.http import NO_ANSWER, Door
from tertulia.core.outcomes import Outcome

from . import addresses, heads, writing
from .models import Draft, Link, LinkLook

LOOK = "publishing.look_at_link"
HOLDS = timedelta(days=1)
TRIES_AGAIN = timedelta(hours=1)
"""After no answer, or one that the server could not give."""
KEPT = timedelta(days=180)
MOST = 20
"""Addresses of a text that are asked."""
HOPS = 5
GONE = frozenset({404, 410})
ELSEWHERE = frozenset({301, 302, 303, 307, 308})
TOO_MANY = gettext_noop("It leads from one address to the next without an end.")
SETTLES = timedelta(seconds=4)
"""An address that is still being typed is not asked."""

door = Door(connect=4.0, total=8.0, largest=256 * 1024, reads_open=True)


Tone = Literal["good", "note", "soon"]


@dataclass(frozen=True, slots=True)
class Seen:
    """How an address of a text answered, as the list before leaving shows it. `row`: where that is kept, 0 nowhere."""

    address: str
    tone: Tone
    says: str
    row: int = 0
    is_waiting: bool = False
    wording: str = ""
    """The sign of the only one that it stands in."""

    @property
    def where(self) -> str:
        return _("Wording {sign}").format(sign=self.wording) if self.wording else ""


def seen(texts: Iterable[str], brand: Brand, *, at: datetime) -> list[Seen]:
    """What is known of the addresses in these texts. Asks nobody."""
    targets = _targets(texts, brand)
    known = {one.target: one for one in LinkLook.objects.filter(brand=brand, target__in=targets.values())}
    return [
        _as_seen(address, known.get(target), brand, at=at) if target else _ended(address)
        for address, target in targets.items()
    ]


def waiting(asked: Sequence[tuple[int, str]], brand: Brand, *, at: datetime) -> list[Seen]:
    """How these stand by now, by the ids of their rows, each with the wording it stands in ("" for the usual one)."""
    found = LinkLook.objects.filter(brand=brand).in_bulk([row for row, _wording in asked[:MOST]])
    return [
        replace(_as_seen(one.target, one, brand, at=at), wording=wording)
        for row, wording in asked[:MOST]
        if (one := found.get(row))
    ]


def _targets(texts: Iterable[str], brand: Brand | int) -> dict[str, str]:
    """Each address of the texts and where it leads: our own short links to their target, or "" when they have ended."""
    found = [one for text in texts for one in addresses.listed(text) if addresses.is_ours(one) or _is_whole(one)]
    found = list(dict.fromkeys(found))[:MOST]
    codes = {one: one.rstrip("/").rsplit("/", 1)[-1] for one in found if addresses.is_ours(one)}
    ours = dict(
        Link.objects.filter(brand=brand, code__in=codes.values(), ended_at__isnull=True).values_list("code", "target")
        if codes
        else ()
    )
    return {one: ours.get(codes[one], "") if one in codes else addresses.plain(one) for one in found}


def _is_whole(address: str) -> bool:
    try:
        host = urlsplit(address).hostname or ""
        return "." in host.strip(".") and "…" not in address and len(addresses.plain(address)) <= addresses.LONGEST
    except ValueError:
        return False


def _as_seen(address: str, look: LinkLook | None, brand: Brand, *, at: datetime) -> Seen:
    if look is None or look.asked_at is None:
        return Seen(address, "note", _("not asked yet"), look.pk if look else 0, is_waiting=look is not None)
    when = dates.short(look.asked_at, now=at, zone=brand.time_zone)
    tone: Tone = "soon"
    if not look.status:
        says = _("no answer: {why} ({when})").format(why=_(look.trouble), when=when)
    elif look.status < 400:
        tone, says = "good", _("answers ({when})").format(when=when)
    elif look.status in GONE:
        says = _("nothing is there ({status}, {when})").format(status=look.status, when=when)
    elif look.status >= 500:
        says = _("its server has trouble ({status}, {when})").format(status=look.status, when=when)
    else:
        tone = "note"
        says = _("lets no program look ({status}, {when}): open it yourself").format(status=look.status, when=when)
    return Seen(address, tone, says, look.pk)


def _ended(address: str) -> Seen:
    return Seen(address, "soon", _("this short link of yours leads nowhere any more"))


# Asking.


def ask(texts: Iterable[str], brand: Brand, *, draft: Draft | None, at: datetime) -> None:
    """Have the addresses asked that nobody has asked today. With a draft only if they still stand in it some seconds
    later: until then they may be half typed."""
    targets = list(dict.fromkeys(filter(None, _targets(texts, brand).values())))
    if not targets:
        return
    known = {one.target: one for one in LinkLook.objects.filter(brand=brand, target__in=targets)}
    fresh = [one for one in targets if one not in known]
    if fresh:
        LinkLook.objects.bulk_create([LinkLook(brand=brand, target=one) for one in fresh], ignore_conflicts=True)
        known = {one.target: one for one in LinkLook.objects.filter(brand=brand, target__in=targets)}
    for look in known.values():
        if _is_old(look, at=at):
            key = f"{LOOK}.{look.pk}.{draft.pk if draft else 0}.{at:%Y%m%d%H%M}"
            due_at = at + SETTLES if draft else at
            jobs.enqueue(LOOK, due_at=due_at, key=key, look_id=look.pk, draft_id=draft.pk if draft else None)


def _is_old(look: LinkLook, *, at: datetime) -> bool:
    holds = HOLDS if 0 < look.status < 500 else TRIES_AGAIN
    return look.asked_at is None or at - look.asked_at >= holds


def look_at(*, look_id: int, draft_id: int | None, at: datetime) -> None:
    """Ask an address and keep how it answered; forget one that was only on its way to another."""
    look = LinkLook.objects.filter(pk=look_id).select_related("brand").first()
    if look is None or not _is_old(look, at=at):
        return
    if draft_id and not _still_stands(look, draft_id):
        if look.asked_at is None:
            look.delete()
        return
    found = answer_of(look.target)
    LinkLook.objects.filter(pk=look.pk).update(asked_at=at, **asdict(found))


def _still_stands(look: LinkLook, draft_id: int) -> bool:
    """Also when the draft is gone: it has been handed in."""
    draft = Draft.objects.filter(pk=draft_id, brand=look.brand).first()
    return draft is None or look.target in _targets(writing.from_plain(draft.written).texts, look.brand).values()


@dataclass(frozen=True, slots=True)
class Found:
    """How an address answers: its status, redirects followed, and what the page says of itself; or 0 and why not."""

    status: int
    trouble: str = ""
    title: str = ""
    about: str = ""


def answer_of(address: str) -> Found:
    for _hop in range(HOPS + 1):
        try:
            answer = door.request("GET", address, beginning=True)
        except Outcome as outcome:
            return Found(0, (outcome.why or NO_ANSWER)[:200])
        if answer.status not in ELSEWHERE or not answer.headers.get("location"):
            kind, _semicolon, rest = answer.headers.get("content-type", "").partition(";")
            is_page = answer.status == 200 and "html" in kind
            charset = rest.partition("charset=")[2].strip(" \"'")
            return Found(answer.status, "", *(heads.said(answer.body, charset) if is_page else ()))
        try:
            address = urljoin(address, answer.headers["location"])
        except ValueError:
            return Found(0, NO_ANSWER)
    return Found(0, TOO_MANY)


def card_of(text: str, brand_id: int) -> Card | None:
    """What is known of the page that a text's first link leads to, as it is written or as it leaves. Asks nobody."""
    first = next((one for one in addresses.listed(text) if addresses.is_ours(one) or _is_whole(one)), "")
    if not first:
        return None
    target = next(iter(_targets([first], brand_id).values()))
    looks = LinkLook.objects.filter(brand=brand_id, target__in=addresses.untagged(target)).exclude(title="")
    look = max(looks, key=lambda one: len(one.target), default=None) if target else None
    return Card(addresses.plain(first), look.title, look.about) if look else None


def forget(*, at: datetime) -> None:
    """What nobody has asked about for so long."""
    LinkLook.objects.filter(asked_at__lt=at - KEPT).delete()
