"""What the law lets people ask for: a copy of all that is held of them, and that it is erased. And what is too old.

Where everything stands is declared by each room (`core.personal`); here somebody is found by it, read out of it and
taken out of it. Whoever is erased is put on the list that every intake asks (`channels.erasures`).
"""

from __future__ import annotations

import io
import json
import logging
import re
import zipfile
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from tertulia.channels import erasures, search
from tertulia.channels.models import Account, Delivery, Identity, Message, Original, Retention
from tertulia.community import activities, requests, testimonials
from tertulia.community.holdings import testimonials as testimonials_of
from tertulia.community.models import DataRequest, Erasure, Export, Joining, Member, MemberIdentity, Testimonial
from tertulia.core import activity, clock, jobs, personal
from tertulia.core.dates import months_after
from tertulia.core.personal import Naming, Person, declared
from tertulia.core.redact import describe
from tertulia.inbox import actions as inbox
from tertulia.inbox.models import Conversation
from tertulia.publishing import queries as posts
from tertulia.publishing.models import Sending
from tertulia.team.models import User
from tertulia.understanding.models import BrainCall

from . import readable
from .activities import FORGOTTEN, RETENTION_SET

log = logging.getLogger(__name__)

KEPT = timedelta(days=7)
"""How long a copy waits to be downloaded."""
NAME_WORDS, NAME_LENGTH = 2, 7
"""A name with fewer words or letters is anybody's: it isn't searched for in what others wrote."""
MARK_LENGTH = 6
OURS = ("member:", "note:")
"""Begin what we call somebody ourselves who has no address."""
_NOT_YET = [Delivery.State.QUEUED, Delivery.State.WAITING, Delivery.State.BY_HAND, Delivery.State.MISSED,
            Delivery.State.UNKNOWN]  # fmt: skip


class Underway(Exception):
    """Something is just leaving for the person: it is tried again in a moment."""


# ── who it is ──────────────────────────────────────────────────────────────


def known(member: Member, *, at: datetime) -> Person:
    """The person in all that is here."""
    links = MemberIdentity.objects.filter(member=member).values("identity")
    identities = list(Identity.objects.filter(pk__in=links).select_related("account").defer("account__secrets"))
    conversations = list(Conversation.objects.filter(member=member).values_list("pk", "account_id", "thread_id"))
    ids = [each.pk for each in identities]
    found = set(Message.objects.filter(identity__in=ids).values_list("pk", flat=True))
    for _pk, account, thread in conversations:
        found |= _ours(account, thread, ids)
    joined = list(Joining.objects.filter(kept=member).values_list("merged", flat=True))
    quotes = Testimonial.objects.filter(Q(member=member) | Q(message__in=found), brand=member.brand_id)
    said = {text for text in quotes.values_list("text", flat=True) if testimonials.is_telling(text)}
    return Person(
        brand=member.brand_id,
        at=at,
        member=member.pk,
        identities=tuple(each.pk for each in identities),
        conversations=tuple(pk for pk, *_thread in conversations),
        messages=tuple(sorted(found)),
        marks=tuple(sorted(_marks(member, identities, joined) | said)),
        names=tuple(sorted(_names(member, identities, joined))),
    )


def _ours(account: int, thread: str, identities: list[int]) -> set[int]:
    """What we wrote to them: all of a talk with them alone, and in one with others what answers them."""
    rows = Message.objects.filter(account=account, thread_id=thread)
    ours = rows.filter(direction=Message.Direction.OUT)
    theirs = rows.filter(direction=Message.Direction.IN)
    if theirs.exclude(identity__in=identities).exists():
        ours = ours.filter(in_reply_to__in=theirs.filter(identity__in=identities).values("remote_id"))
    return set(ours.values_list("pk", flat=True))


def _marks(member: Member, identities: Iterable[Identity], joined: Iterable[dict[str, Any]]) -> set[str]:
    """What is theirs alone, as texts may have it."""
    found: set[str] = set()
    for each in identities:
        if not each.remote_id.startswith(OURS):
            found.add(each.remote_id)
        found |= {each.handle, each.email, *_spellings(each.phone)}
        found.add(f"@{each.handle.lstrip('@')}" if each.handle else "")
    for email, phone in [(member.email, member.phone), *((each["email"], each["phone"]) for each in joined)]:
        found |= {email, *_spellings(phone)}
    return {mark for mark in found if _is_telling(mark)}


def _is_telling(mark: str) -> bool:
    """Whether it can't be a word of a language."""
    return len(mark) >= MARK_LENGTH and re.search(r"[\d@:/_.]", mark) is not None


def _spellings(phone: str) -> set[str]:
    """A number as people write it down."""
    digits = re.sub(r"\D", "", phone)
    if len(digits) < MARK_LENGTH:
        return set()
    nine = digits[-9:]
    threes, twos = [nine[:3], nine[3:6], nine[6:]], [nine[:3], nine[3:5], nine[5:7], nine[7:]]
    return {phone, digits, nine} | {sign.join(parts) for parts in (threes, twos) for sign in " -."}


def _names(member: Member, identities: Iterable[Identity], joined: Iterable[dict[str, Any]]) -> set[str]:
    """Their whole names, unless somebody else of the brand is called the same."""
    called = {member.name, *(each.name for each in identities), *(each["name"] for each in joined)}
    whole = {name for name in called if len(name.split()) >= NAME_WORDS and len(name) >= NAME_LENGTH}
    others = Member.objects.filter(brand=member.brand_id).exclude(pk=member.pk)
    return {name for name in whole if not others.filter(name__iexact=name).exists()}


# ── what is held ───────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Held:
    """So many rows of one kind, or, with `is_named`, so many rows of others that name the person."""

    says: str | Promise
    count: int
    is_named: bool = False


def held(person: Person) -> list[Held]:
    """What is held of the person, by kind; of other people's texts it is looked up only when a copy is made."""
    own: Counter[str] = Counter()
    for each in declared.holdings:
        own[str(each.says)] += each.rows(person).count()
    return [Held(says, count) for says, count in own.items() if count]


def ask_export(*, member: Member, by: User, at: datetime) -> Export:
    """Have a copy made of all that is held of the person; it waits for `KEPT`."""
    with transaction.atomic():
        export = Export.objects.create(
            brand_id=member.brand_id, member=member, by_id=by.pk, at=at, expires_at=at + KEPT
        )
        activity.record(activities.EXPORTING, on=member, brand=member.brand_id, by=by.pk, at=at, export=export.pk)
        jobs.enqueue(make, export_id=export.pk)
    return export


@jobs.task("personal.export", attempts=3, at_once=1)
def make(*, export_id: int) -> None:
    at = clock.now()
    export = Export.objects.select_related("member", "brand").filter(pk=export_id, content=None).first()
    if export is None or export.expires_at <= at:
        return
    try:
        with translation.override(export.brand.language), timezone.override(export.brand.time_zone):
            content = written(export.member, at=at)
    except Exception as error:
        Export.objects.filter(pk=export.pk).update(trouble=describe(error)[:300])
        raise
    with transaction.atomic():
        Export.objects.filter(pk=export.pk).update(content=content, trouble="")
        activity.record(
            activities.EXPORTED, on=export.member, brand=export.brand_id, at=at, export=export.pk, size=len(content)
        )


def written(member: Member, *, at: datetime) -> bytes:
    """All that is held of the person as a ZIP: for programs (JSON), to be read (HTML), and the files."""
    person = known(member, at=at)
    parcel, names = io.BytesIO(), set[str]()
    own: list[dict[str, Any]] = []
    read: list[dict[str, Any]] = []
    with zipfile.ZipFile(parcel, "w", zipfile.ZIP_DEFLATED) as archive:
        for holding in declared.holdings:
            rows, told = [], []
            for row in holding.rows(person).order_by("pk").iterator(chunk_size=personal.BATCH):
                data = personal.as_data(row, holding.without)
                for name, content in holding.files(row) if holding.files else ():
                    name = _file_name(name, names)
                    archive.writestr(name, content)
                    data.setdefault("files", []).append(name)
                rows.append(data)
                pairs = readable.pairs(row, holding.without)
                told.append([*pairs, *((_("File"), name) for name in data.get("files", ()))])
            if rows:
                own.append({"kind": holding.model._meta.label, "says": str(holding.says), "rows": rows})
                read.append({"says": str(holding.says), "rows": [each for each in told if each]})
        named, quoted = [], []
        for one in declared.namings:
            found, told = [], []
            for row in personal.naming(one, person) if one.is_told else ():
                found.append(personal.passages(one, row, person))
                told.append(readable.pairs(row) if one.drops else readable.quotes(found[-1]))
            if found:
                named.append({"kind": one.model._meta.label, "says": str(one.says), "rows": found})
                quoted.append({"says": str(one.says), "rows": [each for each in told if each]})
        data = {
            "person": str(member),
            "brand": member.brand.name,
            "made_at": at.isoformat(),
            "own": own,
            "named": named,
        }
        archive.writestr("data.json", json.dumps(data, ensure_ascii=False, indent=1, default=str))
        archive.writestr(
            "index.html",
            render_to_string(
                "flows/personal_copy.html",
                {"person": member, "brand": member.brand, "made": at, "own": read, "named": quoted},
            ),
        )
    return parcel.getvalue()


def _file_name(name: str, taken: set[str]) -> str:
    name = re.sub(r"[^\w.@ -]", "_", name).strip(". ")[-120:] or "file"
    while name in taken:
        name = f"_{name}"
    taken.add(name)
    return f"files/{name}"


def take_along(*, export: Export, by: User, at: datetime) -> bytes:
    """The copy, for somebody to hand over; the feed tells who took it. Raises `Export.DoesNotExist` when it is gone."""
    export = Export.objects.select_related("member").get(pk=export.pk, content__isnull=False, expires_at__gt=at)
    activity.record(activities.TAKEN_ALONG, on=export.member, brand=export.brand_id, by=by.pk, at=at, export=export.pk)
    return bytes(export.content or b"")


@jobs.periodic("personal.prune", seconds=3600)
def prune() -> None:
    """Copies whose time is over."""
    Export.objects.filter(expires_at__lte=clock.now()).delete()


# ── erasing ────────────────────────────────────────────────────────────────


def ask_erasure(*, member: Member, why: str, by: User | None, at: datetime) -> Erasure:
    """Have all that is held of the person erased; it begins at once and can't be taken back."""
    who = by.pk if by else None
    with transaction.atomic():
        erasure, is_new = Erasure.objects.get_or_create(
            member=member, defaults={"why": why[:300], "by_id": who, "at": at}
        )
        if is_new:
            activity.record(activities.ERASING, on=member, brand=member.brand_id, by=who, at=at)
        if erasure.done_at is None:
            jobs.enqueue(erase, member_id=member.pk)
    return erasure


@jobs.task("personal.erase", attempts=20, at_once=1)
def erase(*, member_id: int) -> None:
    erasure = Erasure.objects.select_related("member").filter(pk=member_id, done_at=None).first()
    if erasure:
        erase_now(erasure, at=clock.now())


def erase_now(erasure: Erasure, *, at: datetime) -> None:
    """Take the person out of everything. Done twice, it changes nothing. Raises `Underway`."""
    member = erasure.member
    # Reading through what others wrote takes longest, and holds up nobody.
    person = known(member, at=at)
    named = [(one, [row.pk for row in personal.naming(one, person)]) for one in declared.namings]
    left = _left(person)
    with transaction.atomic():
        _hold(person)
        person = known(member, at=at)  # what came meanwhile included
        _stop_deliveries(person)
        _stop_quotes(person)
        _close(person, at=at)
        _remember(person)
        _mask(named, person)
        _erase_rows(person)
        Erasure.objects.filter(pk=member.pk).update(done_at=at, left=left)
        activity.record(activities.ERASED, on=member, brand=member.brand_id, at=at)
        jobs.enqueue(settle)


def _hold(person: Person) -> None:
    """Let nothing come in or leave for them meanwhile; in the order in which an intake takes them."""
    accounts = Message.objects.filter(pk__in=person.messages).values_list("account_id", flat=True).distinct()
    list(Account.objects.select_for_update(no_key=True).filter(pk__in=list(accounts)).order_by("pk").values_list("pk"))
    held = Conversation.objects.select_for_update().filter(pk__in=person.conversations)
    list(held.order_by("pk").values_list("pk"))


def _stop_deliveries(person: Person) -> None:
    mine = Delivery.objects.filter(Q(message__in=person.messages) | Q(on__in=person.messages))
    if mine.filter(state=Delivery.State.SENDING).exists():
        raise Underway
    mine.filter(state__in=_NOT_YET).update(state=Delivery.State.CANCELLED, finished_at=person.at)


def _stop_quotes(person: Person) -> None:
    """What is still to leave with words of theirs doesn't: these are about to be taken out of it."""
    quoting = posts.quoting(testimonials_of(person))
    mine = Delivery.objects.filter(post__in=Sending.objects.filter(version__post__in=quoting).values("remote"))
    if mine.filter(state=Delivery.State.SENDING).exists():
        raise Underway
    mine.filter(state__in=_NOT_YET).update(state=Delivery.State.CANCELLED, finished_at=person.at)


def _close(person: Person, *, at: datetime) -> None:
    rows = Conversation.objects.filter(pk__in=person.conversations).exclude(state=Conversation.State.CLOSED)
    for conversation in rows.select_related("brand", "account"):
        inbox.close(conversation=conversation, reason=Conversation.Reason.NO_ANSWER_NEEDED, by=None, at=at)


def _remember(person: Person) -> None:
    people = Identity.objects.filter(pk__in=person.identities).select_related("account").defer("account__secrets")
    messages = Message.objects.filter(pk__in=person.messages).exclude(remote_id__startswith=erasures.ERASED)
    rows = messages.select_related("account").defer("account__secrets", "raw")
    said = [(row.account, row.remote_id) for row in rows]
    erasures.remember(brand=person.brand, people=list(people), messages=said, at=person.at)


def _mask(named: Iterable[tuple[Naming, list[int]]], person: Person) -> None:
    for one, found in named:
        if found:
            personal.mask(one, list(one.within(person).filter(pk__in=found)), person)


@jobs.task("personal.settle", attempts=20, at_once=1)
def settle() -> None:
    """What follows in the files: the index forgets its words, the log of the database what stood in it, and the list
    of the erased is written beside it. Raises `Underway` while somebody reads what was before."""
    search.settle()
    erasures.write_down()
    if connection.vendor == "sqlite" and not connection.in_atomic_block:  # inside of one there is nothing to cut yet
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            [(is_busy, *_pages)] = cursor.fetchall()
        if is_busy:
            raise Underway


# ── what can't be erased here ──────────────────────────────────────────────


def _left(person: Person) -> dict[str, Any]:
    """What of the person is elsewhere, or in what others sent: for the desk to see to, without saying who they were."""
    rows = Message.objects.filter(pk__in=person.messages)
    accounts = Account.objects.filter(pk__in=rows.values("account")).order_by("name")
    network = [account.name for account in accounts if account.kind not in {"mail", "phone", "site"}]
    mail = [account.name for account in accounts if account.kind == "mail"]
    calls = BrainCall.objects.filter(brain__brand=person.brand).values_list("messages", "brain__address")
    mine = set(person.messages)
    models = sorted({address for messages, address in calls if address and not mine.isdisjoint(messages)})
    told = next(each for each in declared.holdings if each.model._meta.label == "api.Event")
    quoting = posts.quoting(testimonials_of(person)).filter(versions__sendings__remote__published_at__isnull=False)
    others = [row.pk for one in declared.namings if one.model is Message for row in personal.naming(one, person)]
    return {
        "network": network,
        "mail": mail,
        "models": models,
        "quotes": list(quoting.distinct().values_list("pk", flat=True)),
        "programs": told.rows(person).count(),
        "originals": list(Original.objects.filter(message__in=others).values_list("message", flat=True)),
        "backups": person.at.isoformat(),
    }


# ── after a backup was put back ────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many people were erased again, and the members of whom a person has to decide."""

    erased: int
    undecided: list[int]


def replay(content: str, *, at: datetime) -> Replayed:
    """Take over a list of erasures and erase again who is on it and was brought back by a backup.

    Somebody who is joined to a person that is not on the list is left to a person to decide. Raises
    `erasures.NotThisList`, `Underway`.
    """
    listed = {each.pk for each in erasures.read(content)}
    links = MemberIdentity.objects.filter(identity__in=listed).values_list("member_id", flat=True)
    undecided, erased = [], 0
    for member in Member.objects.filter(pk__in=set(links)).order_by("pk"):
        if MemberIdentity.objects.filter(member=member).exclude(identity__in=listed).exists():
            undecided.append(member.pk)
            continue
        Erasure.objects.update_or_create(member=member, defaults={"at": at, "done_at": None})
        erase_now(Erasure.objects.select_related("member").get(pk=member.pk), at=at)
        erased += 1
    return Replayed(erased, undecided)


# ── what is too old ────────────────────────────────────────────────────────

AT_ONCE = 50
"""Conversations of one transaction."""


def keep_for(*, account: Account, months: int | None, by: User, at: datetime) -> None:
    """Say how long a channel keeps its conversations; None: for ever."""
    with transaction.atomic():
        if months is None:
            Retention.objects.filter(account=account).delete()
        else:
            Retention.objects.update_or_create(account=account, defaults={"months": months, "by_id": by.pk, "at": at})
        activity.record(
            RETENTION_SET, on=account, brand=account.brand_id, by=by.pk, at=at, account=account.name, months=months or 0
        )


@jobs.periodic("personal.warn", seconds=3600)
def warn() -> None:
    """Tell who is in charge of what the law sets a term for, before the term is over: once each."""
    at = clock.now()
    for request in requests.to_warn(at):
        with transaction.atomic():
            if DataRequest.objects.filter(pk=request.pk, warned_at=None, done_at=None).update(warned_at=at):
                activity.record(activities.REQUEST_DUE, on=request, brand=request.brand_id, at=at)


@jobs.periodic("personal.forget", seconds=24 * 3600)
def forget() -> None:
    """Each channel that keeps what was written for a time only, by a job of its own."""
    for account_id in Retention.objects.values_list("account", flat=True):
        jobs.enqueue(forget_of, account_id=account_id)


@jobs.task("personal.forget_of", attempts=3, at_once=1)
def forget_of(*, account_id: int) -> None:
    kept = Retention.objects.select_related("account").filter(account=account_id).first()
    if kept:
        forget_old(kept.account, kept.months, at=clock.now())


def too_old(account: Account, months: int, *, at: datetime) -> QuerySet[Conversation]:
    """The closed conversations of a channel whose last word is older; nothing that is open or put aside."""
    rows = Conversation.objects.filter(
        account=account, state=Conversation.State.CLOSED, last_activity_at__lt=months_after(at, -months)
    )
    return rows.exclude(thread_id__startswith=erasures.ERASED)


def forget_old(account: Account, months: int, *, at: datetime) -> int:
    """Erase what is too old on a channel, some at a time. Returns how many conversations went."""
    gone = 0
    while found := list(too_old(account, months, at=at).order_by("last_activity_at", "pk")[:AT_ONCE]):
        with transaction.atomic():
            gone += _forget(account, found, at=at)
        if len(found) < AT_ONCE:
            break
    if gone:
        jobs.enqueue(settle)
    return gone


def _forget(account: Account, conversations: Collection[Conversation], *, at: datetime) -> int:
    threads = [row.thread_id for row in conversations]
    person = Person(
        brand=account.brand_id,
        at=at,
        conversations=tuple(row.pk for row in conversations),
        messages=tuple(Message.objects.filter(account=account, thread_id__in=threads).values_list("pk", flat=True)),
    )
    _hold(person)
    _remember(person)
    _erase_rows(person)
    agreed = Testimonial.objects.filter(consent__in=[Testimonial.State.GIVEN, Testimonial.State.UNNEEDED])
    members = Member.objects.filter(pk__in={row.member_id for row in conversations})
    for member in members.exclude(testimonials__in=agreed):  # of these something is kept with their consent
        if not Conversation.objects.filter(member=member).exclude(thread_id__startswith=erasures.ERASED).exists():
            _forget_member(member, at=at)
    activity.record(FORGOTTEN, on=account, brand=account.brand_id, at=at, account=account.name, n=len(conversations))
    return len(conversations)


def _forget_member(member: Member, *, at: datetime) -> None:
    """Of whom nothing is kept any more; what they write later is new."""
    links = MemberIdentity.objects.filter(member=member).values_list("identity", flat=True)
    _erase_rows(Person(brand=member.brand_id, at=at, member=member.pk, identities=tuple(links)))
    Erasure.objects.get_or_create(member=member, defaults={"at": at, "done_at": at})


def _erase_rows(person: Person) -> None:
    # All are looked for first: some are found by what others hold.
    found = [(each, list(each.rows(person).values_list("pk", flat=True))) for each in declared.holdings]
    for holding, keys in found:
        if keys:
            holding.erase(holding.model._default_manager.filter(pk__in=keys), person)
