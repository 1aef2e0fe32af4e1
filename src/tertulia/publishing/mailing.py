"""Newsletters: who is on a list, how they came and went, and the letters that carry its posts to them.

A letter is a delivery of its own, written before anything leaves; of one post nobody has two, which the database holds.
They are let go at the pace of their list, so many in any hour, whatever happened in between. Who has left gets nothing
any more: what waits is taken back at once, and what is about to leave asks first.
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from tertulia.brand.models import Brand
from tertulia.channels.models import LETTER, Account, Delivery, RemotePost
from tertulia.connectors import registry
from tertulia.core import activity, due, tables
from tertulia.core import wake as wake_work
from tertulia.core.html import tidy
from tertulia.core.models import Activity
from tertulia.team.models import User

from . import activities, queries, rights, saying
from .models import Experiment, Letter, Post, Sending, Subscriber, Version
from .problems import Problem, Unfit

S, State = Delivery.State, Subscriber.State
GONE = (State.LEFT, State.BOUNCED, State.COMPLAINED)
ASK_AGAIN = timedelta(hours=1)
"""Until the same address is asked by mail once more: a form is no means to flood a stranger's mailbox."""
WRITTEN_AT_ONCE = 500
RELEASED_AT_ONCE = 2_000
PACE = 300
TESTS_KEPT = timedelta(days=30)
"""A test that ended longer ago goes with the next one of its list; until then a mail that comes back finds it."""
COLUMNS = ("email", "correo", "correo electronico", "e-mail", "mail", "direccion", "address")
_ADDRESS = re.compile(r"[^\s@<>()\[\]\\,;:\"]{1,64}@(?:[\w-]{1,63}\.)+[\w-]{2,63}")
_NO_SUCH = re.compile(r"\b5\.1\.\d\b|\b55[013]\b(?![ -]5\.)")
"""What servers say of an address that isn't there (RFC 3463), not of a mail they don't like."""


# Lists.


def lists(brand: Brand) -> QuerySet[Account]:
    able = [
        key
        for key, one in registry.all_connectors().items()
        if one.capabilities.publishes and one.capabilities.publishes.by_letter
    ]
    return Account.objects.filter(brand=brand, kind__in=able).order_by("name", "pk")


def is_list(account: Account) -> bool:
    connector = registry.all_connectors().get(account.kind)
    rule = connector.capabilities.publishes if connector else None
    return bool(rule and rule.by_letter)


def mailbox_of(list: Account) -> Account | None:
    """The mailbox that carries the letters of a list: the one its settings name, or the only one."""
    able = [key for key, one in registry.all_connectors().items() if one.capabilities.letters]
    boxes = [*Account.objects.filter(brand=list.brand_id, kind__in=able).defer("secrets").order_by("pk")]
    wanted = str(list.settings.get("mailbox") or "").strip().lower()
    if wanted:
        return next((box for box in boxes if str(box.settings.get("address", "")).strip().lower() == wanted), None)
    return boxes[0] if len(boxes) == 1 else None


def footer_of(list: Account) -> str:
    lines = list.settings.get("footer")
    return "\n".join(line.strip() for line in lines if str(line).strip()) if isinstance(lines, Sequence) else ""


def sender_of(list: Account) -> str:
    return str(list.settings.get("sender") or "").strip() or list.brand.name


def pace_of(list: Account) -> int:
    """Letters in any hour."""
    try:
        return max(int(list.settings.get("per_hour") or PACE), 1)
    except (TypeError, ValueError):
        return PACE


def consent_of(list: Account) -> str:
    """What somebody agrees to, in the language that is spoken just now."""
    says = _("I want “{list}” from {brand} by e-mail. A link in every mail takes me off the list.")
    return says.format(list=list.name, brand=list.brand.name)


def counted(brand: Brand) -> dict[int, dict[str, int]]:
    """By list, how many people are in which state."""
    rows = Subscriber.objects.filter(list__in=lists(brand)).values_list("list", "state").annotate(n=Count("pk"))
    found: dict[int, dict[str, int]] = {}
    for list_id, state, n in rows.order_by():
        found.setdefault(list_id, {})[state] = n
    return found


def on_list(list: Account) -> int:
    return Subscriber.objects.filter(list=list, state=State.CONFIRMED).count()


# Coming and going.


def is_address(text: str) -> bool:
    return len(text) <= 254 and text.isprintable() and bool(_ADDRESS.fullmatch(text))


def digest_of(list: Account, address: str) -> str:
    """The address as this list knows it again; nobody without its key can find out which it was."""
    return hmac.new(list.secrets.get("signing", "").encode(), _plain(address).encode(), sha256).hexdigest()


def _plain(address: str) -> str:
    return tidy(address).strip().lower()


@transaction.atomic
def ask(*, list: Account, address: str, at: datetime) -> None:
    """Somebody wrote an address into the form: it is asked by mail, unless it is on the list, was asked just now or has
    complained. Tells nobody which of these it was. Raises `Problem` for what is no address."""
    if not is_address(address := _plain(address)):
        raise Problem(_("This is no e-mail address. Look at it once more."))
    subscriber, is_new = Subscriber.objects.get_or_create(
        list=list, digest=digest_of(list, address),
        defaults={
            "address": address, "state": State.ASKED, "source": Subscriber.Source.FORM, "consent": consent_of(list),
            "asked_at": at,
        },
    )  # fmt: skip
    subscriber = Subscriber.objects.select_for_update().get(pk=subscriber.pk)
    if not is_new and (subscriber.state in {State.CONFIRMED, State.COMPLAINED} or subscriber.asked_at > at - ASK_AGAIN):
        return
    Subscriber.objects.filter(pk=subscriber.pk).update(
        address=address, state=State.ASKED, source=Subscriber.Source.FORM, consent=consent_of(list), asked_at=at,
        confirmed_at=None, ended_at=None, why="",
    )  # fmt: skip
    if box := mailbox_of(list):
        _write([subscriber], _welcome_of(list), box, key=f"{subscriber.token}:{at.isoformat()}", is_welcome=True, at=at)
        wake_work.after_commit()


def _welcome_of(list: Account) -> RemotePost:
    """What asks whether somebody wants to be on the list; its words are the house's."""
    said = {"kind": "post", "text": "", "is_welcome": True}
    return RemotePost.objects.filter(account=list, draft=said).first() or RemotePost.objects.create(
        account=list, draft=said
    )


def subscription(token: str) -> Subscriber:
    """Raises `Subscriber.DoesNotExist`."""
    return Subscriber.objects.select_related("list__brand").get(token=token)


@transaction.atomic
def confirm(*, subscriber: Subscriber, at: datetime) -> bool:
    """The address's owner says yes. Who left has to ask anew. Tells whether they are on the list."""
    joined = Subscriber.objects.filter(pk=subscriber.pk, state=State.ASKED).update(
        state=State.CONFIRMED, confirmed_at=at
    )
    if joined:
        _record(activities.JOINED, subscriber.list, at=at)
    return bool(joined) or Subscriber.objects.filter(pk=subscriber.pk, state=State.CONFIRMED).exists()


@transaction.atomic
def leave(*, subscriber: Subscriber, at: datetime, by: User | None = None) -> None:
    """Off the list, at once and for good; once more changes nothing."""
    _end(subscriber, State.LEFT, activities.TAKEN_OFF if by else activities.LEFT, by=by, at=at)


@transaction.atomic
def note_complaint(*, subscriber: Subscriber, by: User, at: datetime) -> None:
    _end(subscriber, State.COMPLAINED, activities.COMPLAINED, by=by, at=at)


def _end(subscriber: Subscriber, state: str, name: str, *, at: datetime, by: User | None = None, why: str = "") -> None:
    was = [State.ASKED, State.CONFIRMED] + ([State.LEFT, State.BOUNCED] if state == State.COMPLAINED else [])
    changed = Subscriber.objects.filter(pk=subscriber.pk, state__in=was)
    if changed.update(state=state, ended_at=at, why=tidy(why)[:300]):
        _record(name, subscriber.list, by=by, at=at)
    waiting = Delivery.objects.filter(
        pk__in=Letter.objects.filter(subscriber=subscriber).values("delivery"), state__in=[S.WAITING, S.QUEUED],
        in_doubt_since__isnull=True,
    )  # fmt: skip
    waiting.update(state=S.CANCELLED, finished_at=at)


@transaction.atomic
def erase(*, subscriber: Subscriber, by: User | None, at: datetime) -> None:
    """Forget who it was. That this address gets nothing any more stays known by its digest."""
    _end(subscriber, State.LEFT, activities.TAKEN_OFF, by=by, at=at)
    Subscriber.objects.filter(pk=subscriber.pk).update(address="", consent="", why="")
    _record(activities.ERASED, subscriber.list, by=by, at=at)


@dataclass(frozen=True, slots=True)
class Brought:
    added: int
    known: int
    gone: int
    unreadable: Sequence[int]
    """Lines."""


@transaction.atomic
def bring(*, list: Account, content: bytes, basis: str, by: User, at: datetime) -> Brought:
    """Put people on the list who have agreed elsewhere, as `basis` says. Who is here stays as they are: nobody who left
    comes back by a file. Raises `Problem`, `tables.Unreadable`."""
    basis = tidy(basis).strip()
    if not basis:
        raise Problem(_("Say on what basis you have these addresses: when and where they agreed."))
    table = tables.read(content)
    column = next((name for name in table.columns if name in COLUMNS), "")
    if not column:
        raise Problem(_("No column is called “Email”. The first line names the columns."))
    unreadable, addresses = [], {}
    for row in table.rows:
        address = _plain(row.cells.get(column, ""))
        if is_address(address):
            addresses[digest_of(list, address)] = address
        else:
            unreadable.append(row.line)
    # Two files at once are taken one after the other; who fills in the form meanwhile is passed over.
    Account.objects.select_for_update().only("pk").get(pk=list.pk)
    there = dict(Subscriber.objects.filter(list=list).values_list("digest", "state"))
    fresh = [
        Subscriber(
            list=list, address=address, digest=digest, state=State.CONFIRMED, source=Subscriber.Source.FILE,
            consent=basis[:2_000], asked_at=at, confirmed_at=at,
        )
        for digest, address in addresses.items()
        if digest not in there
    ]  # fmt: skip
    Subscriber.objects.bulk_create(fresh, batch_size=WRITTEN_AT_ONCE, ignore_conflicts=True)
    gone = sum(there.get(digest) in GONE for digest in addresses)
    if fresh:
        _record(activities.BROUGHT, list, by=by, at=at, added=len(fresh))
    return Brought(len(fresh), len(addresses) - len(fresh) - gone, gone, unreadable)


def taken_along(list: Account) -> bytes:
    """Everybody on the list, as a table."""
    header = [_("Email"), _("State"), _("Source"), _("Agreed to"), _("Asked"), _("Confirmed"), _("Ended")]
    rows = Subscriber.objects.filter(list=list).exclude(address="").order_by("pk").iterator(chunk_size=2_000)
    return tables.write(
        header,
        (
            [
                one.address, one.get_state_display(), one.get_source_display(), one.consent,
                *(moment.isoformat(timespec="seconds") if moment else ""
                  for moment in (one.asked_at, one.confirmed_at, one.ended_at)),
            ]
            for one in rows
        ),
    )  # fmt: skip


# Letters.


@transaction.atomic
def write(*, post: RemotePost, at: datetime) -> int:
    """Write the letters of a post that is out, for who was on the list when it was published and has none yet.

    Twice changes nothing: the post is held, and the database knows each pair only once. Returns how many.
    """
    post = RemotePost.objects.select_for_update(of=("self",)).select_related("account__brand").get(pk=post.pk)
    box = mailbox_of(post.account)
    if box is None or post.published_at is None:
        return 0
    # Of an earlier run something may be there already.
    have = Letter.objects.filter(post=post, is_welcome=False, subscriber__isnull=False).values("subscriber")
    people = Subscriber.objects.filter(list=post.account, state=State.CONFIRMED, confirmed_at__lte=post.published_at)
    missing = [*people.exclude(pk__in=have).order_by("pk")]
    for first in range(0, len(missing), WRITTEN_AT_ONCE):
        _write(missing[first : first + WRITTEN_AT_ONCE], post, box, key=post.remote_id, is_welcome=False, at=at)
    if missing:
        _record(activities.MAILED, post.account, at=at, letters=len(missing))
    return len(missing)


def _write(
    people: Sequence[Subscriber], post: RemotePost, box: Account, *, key: str, is_welcome: bool, at: datetime
) -> None:  # fmt: skip
    keys = [_key(f"{key}:{one.token}") for one in people]
    deliveries = Delivery.objects.bulk_create(
        Delivery(
            account=box, thread_id=f"letter:{key}", post=post, act=LETTER, key=key, due_at=at, created_at=at,
            state=S.QUEUED if is_welcome else S.WAITING,
        )
        for key in keys
    )  # fmt: skip
    Letter.objects.bulk_create(
        Letter(
            post=post, subscriber=one, delivery=delivery, is_welcome=is_welcome, released_at=at if is_welcome else None
        )
        for one, delivery in zip(people, deliveries, strict=True)
    )


@transaction.atomic
def try_out(*, version: Version, by: User, at: datetime) -> None:
    """Send the letter as it stands now, in each of its wordings, to whoever asks, and to nobody else: with the links
    that were written, not yet the short ones that count. Nothing of the post changes. Raises `Problem` where it
    couldn't leave now, and `Unfit` for what the list doesn't take."""
    list, box = version.account, mailbox_of(version.account)
    if box is None or not footer_of(list):
        raise Problem(
            _("“{list}” can't leave yet. Its settings need the mailbox that sends it and a postal address.").format(
                list=list.name
            )
        )
    if box.state != Account.State.ACTIVE or queries.stopped(list.brand):
        raise Problem(_("Nothing leaves just now: publishing is stopped, or the mailbox needs attention."))
    if found := saying.misfits([version], spoken=saying.spoken):
        raise Unfit(found)
    tests = RemotePost.objects.filter(account=list, draft__is_test=True)
    tests.filter(deliveries__finished_at__lt=at - TESTS_KEPT).delete()
    said = saying.spoken(version)[0]
    for arm in Experiment.Arm if "b" in said else [Experiment.Arm.A]:
        draft = saying.as_read(said, arm) | {"is_test": True, "of": version.post_id}
        post = RemotePost.objects.create(account=list, draft=draft)
        delivery = Delivery.objects.create(
            account=box, thread_id=f"letter:test:{post.pk}", post=post, act=LETTER, key=token_urlsafe(24), due_at=at,
            created_by_id=by.pk, created_at=at,
        )  # fmt: skip
        Letter.objects.create(post=post, delivery=delivery, is_welcome=True, released_at=at)
    told = {"account": list.name, "title": version.post.title}
    activity.record(activities.TESTED, on=version.post, brand=list.brand_id, by=by.pk, at=at, **told)
    wake_work.after_commit()


_LET_GO = (
    "SELECT DISTINCT post.account_id FROM tertulia_channels_delivery mine JOIN tertulia_channels_remotepost post"
    " ON post.id = mine.post_id WHERE mine.state = 'queued' AND mine.act = 'letter'"
)
"""Lists with letters that may leave and have not yet: the rights of their pictures may end meanwhile."""


def _key(name: str) -> str:
    return urlsafe_b64encode(sha256(name.encode()).digest()).rstrip(b"=").decode()


def release(*, at: datetime) -> int:
    """Let go what waits, as many of each list as its pace allows in the hour before now."""
    waiting = Letter.objects.filter(released_at__isnull=True, delivery__state=S.WAITING)
    lists = Q(pk__in=waiting.values("post__account")) | Q(pk__in=[id for (id,) in due.rows(_LET_GO)])
    released = 0
    for list in Account.objects.filter(lists).select_related("brand").order_by("pk"):
        released += _release(list, at=at)
    return released


@transaction.atomic
def _release(list: Account, *, at: datetime) -> int:
    Account.objects.select_for_update().only("pk").get(pk=list.pk)
    mine, an_hour_ago = Letter.objects.filter(post__account=list), at - timedelta(hours=1)
    _take_back(mine.filter(released_at__lte=an_hour_ago, is_welcome=False))
    if queries.stopped(list.brand):
        return 0
    for post in RemotePost.objects.filter(pk__in=mine.filter(_STILL_HERE).values("post")).order_by("pk"):
        _hold_unallowed(post, list, at=at)
    lately = mine.filter(released_at__gt=an_hour_ago).count()
    room = min(max(pace_of(list) - lately, 0), RELEASED_AT_ONCE)
    next_ones = mine.filter(released_at__isnull=True, delivery__state=S.WAITING).order_by("pk")
    next_ones = next_ones.filter(delivery__account__state=Account.State.ACTIVE)
    chosen = [*next_ones.values_list("pk", "delivery")[:room]]
    Letter.objects.filter(pk__in=[letter for letter, _delivery in chosen]).update(released_at=at)
    let_go = Delivery.objects.filter(pk__in=[delivery for _letter, delivery in chosen], state=S.WAITING)
    let_go.update(state=S.QUEUED, due_at=at)
    if chosen:
        wake_work.after_commit()
    return len(chosen)


_STILL_HERE = Q(is_welcome=False, delivery__state__in=[S.WAITING, S.QUEUED])


def _hold_unallowed(post: RemotePost, list: Account, *, at: datetime) -> None:
    """The rights to a picture of it have ended, or its permission is gone: what has not left stays here, and whoever
    scheduled it is told. Of what may have left already a person decides."""
    with translation.override("en"):  # as every outcome is stored
        found = rights.against(post, at=at)
    if not found:
        return
    letters = Letter.objects.filter(_STILL_HERE, post=post).values_list("delivery", flat=True)
    mine = Delivery.objects.filter(pk__in=[*letters], state__in=[S.WAITING, S.QUEUED])
    ended = {"why": tidy(found[0])[:300], "finished_at": at}
    n = mine.filter(in_doubt_since__isnull=True).update(state=S.REFUSED, **ended)
    n += mine.filter(in_doubt_since__isnull=False).update(state=S.UNKNOWN, **ended)
    told = Post.objects.filter(versions__sendings__remote=post).first()
    if n and told:
        activity.record(
            activities.UNALLOWED, on=told, brand=list.brand_id, at=at, account=list.name, letters=n,
            title=told.title, why=ended["why"], author=told.scheduled_by_id or told.created_by_id,
        )  # fmt: skip


def _take_back(letters: QuerySet[Letter]) -> None:
    """What was let go and could not leave (a stop, a mailbox that needs attention, no worker) waits for its turn again:
    else it would leave beside those whose hour it is by then."""
    stuck = [*letters.filter(delivery__state=S.QUEUED, delivery__attempts=0).values_list("delivery", flat=True)]
    mine = Delivery.objects.filter(pk__in=stuck, state=S.QUEUED, attempts=0, in_doubt_since__isnull=True)
    held = [*mine.select_for_update().values_list("pk", flat=True)]
    Delivery.objects.filter(pk__in=held, state=S.QUEUED).update(state=S.WAITING)
    Letter.objects.filter(delivery__in=held).update(released_at=None)


@transaction.atomic
def record_outcomes(*, deliveries: Sequence[Delivery], at: datetime) -> None:
    """What follows from how letters ended: an address that isn't there gets nothing any more, and whoever wanted a test
    hears that it didn't come."""
    _tell_of_tests([row for row in deliveries if row.created_by_id and row.state in {S.REFUSED, S.UNKNOWN}], at=at)
    dead = [row for row in deliveries if row.state == S.REFUSED and _NO_SUCH.search(row.why)]
    whys = {row.pk: row.why for row in dead}
    for letter in Letter.objects.filter(delivery__in=whys).select_related("subscriber__list__brand"):
        if letter.subscriber:
            _end(letter.subscriber, State.BOUNCED, activities.BOUNCED, at=at, why=whys[letter.delivery_id])


def _tell_of_tests(failed: Iterable[Delivery], *, at: datetime) -> None:
    for row in failed:
        said = row.post.draft if row.post else {}
        post = Post.objects.filter(pk=said["of"]).select_related("brand").first() if said.get("is_test") else None
        if post is None:
            continue
        name = activities.TEST_REFUSED if row.state == S.REFUSED else activities.TEST_UNKNOWN
        lines = Activity.objects.filter(on_kind=Post._meta.label_lower, on_id=post.pk, type=name)
        if not lines.filter(data__delivery=row.pk).exists():
            told = {"title": post.title, "author": row.created_by_id, "why": row.why, "delivery": row.pk}
            activity.record(name, on=post, brand=post.brand_id, by=None, at=at, **told)


@transaction.atomic
def came_back(*, letters: Mapping[str, str], box: Account, at: datetime) -> set[str]:
    """Mails that came back for good, by name with what the server said; returns which of them were letters."""
    found = Letter.objects.filter(remote_id__in=letters, delivery__account=box)
    for letter in found.select_related("subscriber__list__brand"):
        why = letters[letter.remote_id]
        mine = Delivery.objects.filter(pk=letter.delivery_id)
        mine.filter(state__in=[S.SENT, S.UNKNOWN]).update(state=S.REFUSED, why=tidy(why)[:300], finished_at=at)
        _tell_of_tests(mine.filter(created_by_id__isnull=False, state=S.REFUSED), at=at)
        if letter.subscriber:
            _end(letter.subscriber, State.BOUNCED, activities.BOUNCED, at=at, why=why)
    return {letter.remote_id for letter in found}


# How a mailing goes, and what needs somebody.


@dataclass(frozen=True, slots=True)
class Progress:
    """Of the letters of a post: how many there are and how they stand; `unknown` those that a person has to settle."""

    post: int
    total: int
    sent: int
    waiting: int
    refused: int
    cancelled: int
    why: str
    """Of what was refused last."""
    unknown: Sequence[Letter]
    unknown_count: int

    @property
    def is_over(self) -> bool:
        return not self.waiting


SHOWN_UNKNOWN = 50


def progress_of(post: Post) -> dict[int, Progress]:
    """By version, how the letters of a post go."""
    remotes = {one.remote_id: one.version_id for one in Sending.objects.filter(version__post=post)}
    return {remotes[remote]: one for remote, one in progress(tuple(remotes)).items()}


def progress(posts: Sequence[int]) -> dict[int, Progress]:
    """By `RemotePost`, of those that have letters."""
    mine = Letter.objects.filter(post__in=posts, is_welcome=False)
    counts: dict[int, dict[str, int]] = {}
    for post, state, n in mine.values_list("post", "delivery__state").annotate(n=Count("pk")).order_by():
        counts.setdefault(post, {})[state] = n
    return {post: _progress(post, each, mine) for post, each in counts.items()}


def _progress(post: int, counts: Mapping[str, int], mine: QuerySet[Letter]) -> Progress:
    unknown: Sequence[Letter] = ()
    if counts.get(S.UNKNOWN):
        stuck = mine.filter(post=post, delivery__state=S.UNKNOWN).select_related("subscriber", "delivery")
        unknown = [*stuck.order_by("pk")[:SHOWN_UNKNOWN]]
    waiting = sum(counts.get(state, 0) for state in (S.WAITING, S.QUEUED, S.SENDING))
    whys = mine.filter(post=post, delivery__state=S.REFUSED).order_by("-delivery__finished_at", "-pk")
    why = whys.values_list("delivery__why", flat=True).first() or "" if counts.get(S.REFUSED) else ""
    return Progress(
        post, sum(counts.values()), counts.get(S.SENT, 0), waiting, counts.get(S.REFUSED, 0),
        counts.get(S.CANCELLED, 0), why, unknown, counts.get(S.UNKNOWN, 0),
    )  # fmt: skip


def letters_of(brand: Brand) -> QuerySet[Letter]:
    return Letter.objects.filter(post__account__brand=brand, is_welcome=False)


@transaction.atomic
def decide(*, letter: Letter, was_sent: bool, by: User, at: datetime) -> None:
    """A person looked whether it arrived: it did, or it is sent again. Raises `Problem`."""
    undecided = Delivery.objects.filter(pk=letter.delivery_id, state=S.UNKNOWN)
    ended = {"state": S.SENT if was_sent else S.QUEUED, "finished_at": at if was_sent else None}
    if not undecided.update(**ended, why="", due_at=at, looks=0, absences=0, in_doubt_since=None):
        raise Problem(_("Somebody has settled this already."))
    _record(activities.LETTER_DECIDED, letter.post.account, by=by, at=at, was_sent=was_sent)
    wake_work.after_commit()


@transaction.atomic
def decide_all(*, brand: Brand, post: int, was_sent: bool, by: User, at: datetime) -> int:
    """The same of all letters of a mailing of which nobody knows; what is sent again leaves at the pace of its list.
    Returns how many. Raises `Problem` when somebody has settled them."""
    stuck = letters_of(brand).filter(post=post, delivery__state=S.UNKNOWN)
    ids = [*stuck.values_list("pk", "delivery")]
    mine = Delivery.objects.filter(pk__in=[delivery for _letter, delivery in ids], state=S.UNKNOWN)
    ended = {"state": S.SENT if was_sent else S.WAITING, "finished_at": at if was_sent else None}
    n = mine.update(**ended, why="", due_at=at, looks=0, absences=0, in_doubt_since=None)
    if not n:
        raise Problem(_("Somebody has settled this already."))
    if not was_sent:
        Letter.objects.filter(pk__in=[letter for letter, _delivery in ids]).update(released_at=None)
    list = Account.objects.get(pk=RemotePost.objects.values_list("account", flat=True).get(pk=post))
    _record(activities.LETTERS_DECIDED, list, by=by, at=at, was_sent=was_sent, letters=n)
    return n


@transaction.atomic
def again(*, brand: Brand, post: int, by: User, at: datetime) -> int:
    """Let go once more what was refused, to whoever is still on the list. Raises `Problem` when that is nobody, and
    `rights.Unallowed`."""
    rights.check_again(RemotePost.objects.get(pk=post), at=at)
    refused = letters_of(brand).filter(post=post, subscriber__state=State.CONFIRMED, delivery__state=S.REFUSED)
    ids = [*refused.values_list("pk", "delivery")]
    mine = Delivery.objects.filter(pk__in=[delivery for _letter, delivery in ids], state=S.REFUSED)
    n = mine.update(state=S.WAITING, why="", finished_at=None, looks=0, absences=0, in_doubt_since=None)
    if not n:
        raise Problem(_("There is nothing left to send again."))
    Letter.objects.filter(pk__in=[letter for letter, _delivery in ids]).update(released_at=None)
    list = Account.objects.get(pk=RemotePost.objects.values_list("account", flat=True).get(pk=post))
    _record(activities.LETTERS_AGAIN, list, by=by, at=at, letters=n)
    return n


@transaction.atomic
def cut_off(*, brand: Brand, post: int, by: User, at: datetime) -> int:
    """Take back what has not left of a mailing; what has can't be. Raises `Problem` when nothing was left."""
    waiting = letters_of(brand).filter(post=post, delivery__state__in=[S.WAITING, S.QUEUED])
    mine = Delivery.objects.filter(pk__in=[*waiting.values_list("delivery", flat=True)], in_doubt_since__isnull=True)
    n = mine.filter(state__in=[S.WAITING, S.QUEUED]).update(state=S.CANCELLED, finished_at=at)
    if not n:
        raise Problem(_("All of it has left already."))
    list = Account.objects.get(pk=RemotePost.objects.values_list("account", flat=True).get(pk=post))
    _record(activities.CUT_OFF, list, by=by, at=at, letters=n)
    return n


def search(list: Account, *, words: str = "", state: str = "") -> QuerySet[Subscriber]:
    found = Subscriber.objects.filter(list=list)
    if words := _plain(words):
        found = found.filter(Q(address__icontains=words) | Q(digest=digest_of(list, words)))
    if state in State.values:
        found = found.filter(state=state)
    return found.order_by("-pk")


def _record(name: str, list: Account, *, at: datetime, by: User | None = None, **facts: Any) -> None:
    activity.record(name, on=list, brand=list.brand_id, by=by.pk if by else None, at=at, account=list.name, **facts)
