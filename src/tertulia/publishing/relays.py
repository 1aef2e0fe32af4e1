"""Feeds whose new articles become posts: once each, so many a day, and never our own in a circle.

What a relay makes is a post like any other, made by the actions that people use: it leaves only as those do.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from urllib.parse import parse_qsl, urlencode, urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from tertulia.brand.models import Brand
from tertulia.channels.models import Account, Message, RemotePost
from tertulia.connectors import registry
from tertulia.core import activity
from tertulia.core.html import tidy
from tertulia.core.redact import describe
from tertulia.team.models import Membership, User

from . import activities, addresses, approval, checks, queries, rhythm, writing
from .actions import create
from .models import Post, Relay, Relayed, Stop
from .problems import Problem
from .saying import Piece, Wanted

log = logging.getLogger(__name__)

FRESH = timedelta(days=2)
"""What is older is no news any more: neither what waited for its day, nor what a stop held."""
AT_ONCE, TOGETHER = 50, 200
LONGEST_TITLE, LONGEST_SUMMARY = 300, 280
FIELDS = ("title", "summary", "link", "source")
_FIELD = re.compile(r"\{(" + "|".join(FIELDS) + r")\}")
_NOISE = re.compile(r"utm_\w+|fbclid|gclid|mc_[ce]id|ref")


# What people do with them.


@transaction.atomic
def keep(*, relay: Relay, accounts: Sequence[Account], is_on: bool, by: User, at: datetime) -> Relay:
    """Set one up, or change it. Switched on, it begins with what is published from now on."""
    is_new = relay.pk is None
    if is_new:
        relay.created_at = at
    before = None if is_new else Relay.objects.select_for_update().get(pk=relay.pk)
    is_other = before is None or before.source_id != relay.source_id
    if not is_on:
        relay.on_at = None
    elif is_other or before is None or before.on_at is None:
        relay.on_at, relay.seen_to = at, _newest(relay.source) if relay.source.cursor else None
    relay.changed_by_id, relay.changed_at = by.pk, at
    relay.save()
    relay.accounts.set(accounts)
    _record(activities.RELAY_KEPT, relay, by=by, at=at)
    return relay


@transaction.atomic
def remove(*, relay: Relay, by: User, at: datetime) -> None:
    """Its posts stay."""
    _record(activities.RELAY_GONE, relay, by=by, at=at)
    relay.delete()


@transaction.atomic
def begin_anew(*, at: datetime) -> None:
    """After a backup was put back: what was published since it was made may have been made posts of already."""
    Relay.objects.filter(on_at__isnull=False).update(on_at=at, seen_to=None)


def _record(name: str, relay: Relay, *, by: User | None, at: datetime, **facts: object) -> None:
    activity.record(
        name, on=relay, brand=relay.brand_id, by=by.pk if by else None, at=at, source=relay.source.name, **facts
    )


# Making posts.


def run(*, at: datetime) -> int:
    """Make posts of what is new, in each brand that isn't stopped. Returns how many."""
    waiting = Relay.objects.filter(on_at__isnull=False).exclude(brand__in=Stop.objects.values("brand"))
    return sum(_run_alone(relay, at=at) for relay in waiting.select_related("source", "brand").order_by("pk"))


def _run_alone(relay: Relay, *, at: datetime) -> int:
    """What nobody foresaw in one feed doesn't keep the others."""
    try:
        return _run(relay, at=at)
    except Exception as error:
        if isinstance(error, DatabaseError):
            raise
        log.error("Relay %s: %s", relay.pk, describe(error))
        return 0


def _run(relay: Relay, *, at: datetime) -> int:
    if relay.seen_to is None:
        _begin(relay)
        return 0
    made = 0
    for article in _fresh(relay, at=at):
        if _left_today(relay, at=at) <= 0:
            break
        made += _take(relay, article, at=at)
    return made


def _begin(relay: Relay) -> None:
    """All that its first reading brought is old."""
    read_at = relay.source.last_success_at
    if relay.on_at and read_at and read_at > relay.on_at:
        Relay.objects.filter(pk=relay.pk, seen_to=None, on_at=relay.on_at).update(seen_to=_newest(relay.source))


def _newest(source: Account) -> int:
    found = Message.objects.filter(account=source, kind="article").aggregate(newest=Max("pk"))
    return found["newest"] or 0


def _fresh(relay: Relay, *, at: datetime) -> list[Message]:
    """The articles that it has made nothing of, the oldest first."""
    since = max(relay.on_at or at, at - FRESH)
    some = Message.objects.filter(
        account=relay.source_id, kind="article", sent_at__gte=since, pk__gt=relay.seen_to, deleted_at__isnull=True
    )
    marks = {pk: _marks(url, id) for pk, url, id in some.order_by("pk").values_list("pk", "url", "remote_id")}
    known: set[str] = set()
    for first in range(0, len(marks), TOGETHER):
        links, guids = zip(*list(marks.values())[first : first + TOGETHER], strict=True)
        done = Relayed.objects.filter(Q(link__in=links) | Q(guid__in=guids), relay=relay)
        known.update(*done.values_list("link", "guid"))
    # A feed that numbers its articles anew each time brings the same ones ever again: they must not hold up the others.
    fresh = [pk for pk, both in marks.items() if known.isdisjoint(both)][:AT_ONCE]
    return list(Message.objects.filter(pk__in=fresh).defer("raw", "html").order_by("pk"))


def _marks(url: str, id: str) -> tuple[str, str]:
    """By what an article is known: digests of where it leads, however that is written, and of its id."""
    return _digest(_plain(url) or f"id {id}"), _digest(id)


def _left_today(relay: Relay, *, at: datetime) -> int:
    """Of the brand's day."""
    midnight = at.astimezone(ZoneInfo(relay.brand.time_zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    return relay.most_a_day - Relayed.objects.filter(relay=relay, post__isnull=False, at__gte=midnight).count()


@transaction.atomic
def _take(relay: Relay, article: Message, *, at: datetime) -> bool:
    """Make the post of an article, unless it was made, is our own, or the relay was changed meanwhile."""
    held = Relay.objects.select_for_update(of=("self",)).select_related("source", "brand").get(pk=relay.pk)
    if held.on_at is None or held.changed_at != relay.changed_at:
        return False
    link, guid = _marks(article.url, article.remote_id)
    if Relayed.objects.filter(Q(link=link) | Q(guid=guid), relay=held).exists():
        return False
    one = Relayed(relay=held, link=link, guid=guid, message=article, at=at)
    with translation.override(held.brand.language):
        if _is_ours(article.url, held.brand):
            one.why = _("It leads to what the brand has published itself.")
        else:
            _make(one, article, at=at)
    one.save()
    return one.post is not None


def _make(one: Relayed, article: Message, *, at: datetime) -> None:
    relay = one.relay
    by = User.objects.filter(pk=relay.changed_by_id).first() or User(pk=relay.changed_by_id)
    able = {account.pk for account in queries.accounts(relay.brand)}
    versions = {pk: Wanted() for pk in relay.accounts.values_list("pk", flat=True) if pk in able}
    pieces = [Piece(written(relay.template, article, source=relay.source.name))]
    post = create(brand=relay.brand, title=article.subject, pieces=pieces, versions=versions, by=by, at=at)
    one.post = post
    if relay.then == Relay.Then.QUEUE:
        one.why = _why_not_queued(post, relay, by=by, at=at)
    _record(activities.RELAYED, relay, by=None, at=at, title=post.title, post=post.pk, author=by.pk)


def _why_not_queued(post: Post, relay: Relay, *, by: User, at: datetime) -> str:
    """Queue it, or ask for the approval it lacks; what stands in the way of that, or anybody should look at first."""
    place = Membership.objects.filter(user=by.pk, brand=relay.brand_id).select_related("user").first()
    if place is None or not place.may("publishing.publish"):
        return _("Who set this up may not publish here any more.")
    found = checks.check(
        writing.from_post(queries.whole(relay.brand).get(pk=post.pk)), brand=relay.brand, post=post, at=at, by=by.pk
    )
    if amiss := [line.says for line in found.lines if line.tone != "note"]:
        return " ".join(amiss)[:500]
    try:
        with transaction.atomic():
            if approval.lacks(post):
                approval.ask(post=post, by=by, at=at, schedules=False)
                return _("Its approval is asked for. Then somebody has to queue it.")
            rhythm.enqueue(post=post, by=by, at=at)
    except Problem as problem:
        return str(problem)[:500]
    return ""


def written(template: str, article: Message, *, source: str) -> str:
    """The text of an article's post. What the article says is text: it fills nothing in and names nobody."""
    said = {
        "title": _short(article.subject or article.text, LONGEST_TITLE), "link": article.url,
        "summary": _short(article.text, LONGEST_SUMMARY), "source": source,
    }  # fmt: skip
    filled = _FIELD.sub(lambda found: said[found[1]].replace("@{", "{"), template)
    return re.sub(r"\n{3,}", "\n\n", filled).strip()


def _short(text: str, most: int) -> str:
    """So many signs at most, cut between words."""
    words = " ".join(tidy(text).split())
    return words if len(words) <= most else f"{words[:most].rpartition(' ')[0] or words[: most - 1]}…"


# The same address.


def _plain(url: str) -> str:
    """Where an address leads, however it is written; "" for none."""
    try:
        parts = urlsplit(url.strip())
        host, port = (parts.hostname or "").removeprefix("www."), parts.port
    except ValueError:
        return ""
    if not host:
        return ""
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if not _NOISE.fullmatch(pair[0].lower())]
    place = f"{host}:{port}" if port and port not in {80, 443} else host
    return f"{place}{parts.path.rstrip('/')}?{urlencode(sorted(query))}".rstrip("?")


def _is_ours(url: str, brand: Brand) -> bool:
    """It leads to a post of the brand, or to this installation: made a post of, it would come back as the next one."""
    plain = _plain(url)
    if not plain:
        return False
    home = _plain(settings.PUBLIC_URL)
    if addresses.is_ours(url) or plain == home or plain.startswith(f"{home}/"):
        return True
    host = urlsplit(url).hostname or ""
    mine = RemotePost.objects.filter(account__brand=brand, url__icontains=host.removeprefix("www."))
    return plain in {_plain(one) for one in mine.values_list("url", flat=True).iterator()}


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


# Reading.


def relays(brand: Brand) -> QuerySet[Relay]:
    return Relay.objects.filter(brand=brand).select_related("source", "brand").defer("source__secrets").order_by("pk")


def sources(brand: Brand) -> list[Account]:
    """The brand's feeds of articles, whether they have brought any yet or not."""
    kinds = [key for key, one in registry.all_connectors().items() if "article" in one.capabilities.reads]
    mine = Account.objects.filter(brand=brand, kind__in=kinds).defer("secrets").order_by("name", "pk")
    return [account for account in mine if not account.settings.get("comments")]


def newest(relay: Relay, most: int) -> Iterable[Relayed]:
    """What it made last."""
    mine = Relayed.objects.filter(relay=relay).select_related("message", "post").defer("message__raw", "message__html")
    return mine.order_by("-at", "-pk")[:most]
