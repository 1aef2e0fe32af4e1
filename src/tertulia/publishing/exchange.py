"""Posts from a table and into one.

A file is looked through first, without a change: each row is a post or has a reason why not. Then its good rows are
taken in, some at a time, by a job. A row is known by what it says: bringing it again adds nothing.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tertulia.brand import zones
from tertulia.brand.models import Brand
from tertulia.channels.forms import said as told
from tertulia.channels.models import Account
from tertulia.core import activity, jobs, tables
from tertulia.core.html import tidy
from tertulia.core.tables import Row, Table
from tertulia.strategy.models import Campaign
from tertulia.team.models import User

from . import actions, activities, checks, evergreen, handles, queries, saying
from .models import Import, Imported, Media, Part, Post
from .problems import Problem, TooLate
from .saying import Piece, Shown, Wanted
from .writing import Sheet

TAKE_IN = "publishing.take_in"
BATCH = 25
"""Rows of one transaction: what others wait for meanwhile is a fraction of a second."""
MOST_WARNINGS, MOST_LOOKED_AT = 30, 500
"""Told of a file, and rows that are looked at for them: whoever brings it waits for that."""
KEEP_FILES = timedelta(days=14)
HEADINGS = {
    "es": ("Título", "Texto", "Cuentas", "Día", "Hora", "Zona horaria", "Enlace", "Imagen", "Campaña",
           "Primer comentario", "Estado"),
    "en": ("Title", "Text", "Accounts", "Day", "Time", "Time zone", "Link", "Picture", "Campaign", "First comment",
           "State"),
}  # fmt: skip
"""Of the columns, in the order in which they are written; the last is written only."""
_NAMES = {
    "title": ("title", "titulo"),
    "text": ("text", "texto"),
    "accounts": ("accounts", "account", "cuentas", "cuenta"),
    "day": ("day", "date", "dia", "fecha"),
    "time": ("time", "hora"),
    "zone": ("time zone", "zone", "zona horaria", "zona"),
    "link": ("link", "enlace"),
    "picture": ("picture", "pictures", "imagen", "imagenes"),
    "campaign": ("campaign", "campana"),
    "comment": ("first comment", "comment", "primer comentario", "comentario"),
}
_COLUMNS = {name: column for column, names in _NAMES.items() for name in names}
_WRITTEN_ONLY = {"state", "estado", "line", "linea", "what is wrong", "que pasa"}
_DAY = re.compile(r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})|(?P<d2>\d{1,2})/(?P<m2>\d{1,2})/(?P<y2>\d{4})")
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::\d{2})?")


@dataclass(frozen=True, slots=True)
class Wish:
    """A row as the post it asks for."""

    digest: str
    title: str = ""
    pieces: tuple[Piece, ...] = ()
    accounts: tuple[Account, ...] = ()
    wall: datetime | None = None
    zone: str = ""
    campaign: int | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """Of each row, in order: the post it asks for, or what is wrong. `known` was brought before, or stands twice."""

    rows: Sequence[tuple[Row, Wish | None, str]]
    known: frozenset[int]
    """Places in `rows`."""
    notes: Sequence[str]

    @property
    def problems(self) -> list[tuple[int, str]]:
        return [(row.line, why) for row, _wish, why in self.rows if why]


# Looking through.


def check(table: Table, *, brand: Brand, schedules: bool, at: datetime) -> Checked:
    """Look at every row; nothing is written. Raises `tables.Unreadable` where no column is one of ours."""
    columns = {name: column for name in table.columns if (column := _COLUMNS.get(name))}
    if "text" not in columns.values() and "picture" not in columns.values():
        ours = ", ".join(HEADINGS.get((translation.get_language() or "en")[:2], HEADINGS["en"])[:-1])
        says = _("No column is called “Text”. The first line has to name the columns: {names}.")
        raise tables.Unreadable(says.format(names=ours))
    if twice := next((one for one in columns.values() if list(columns.values()).count(one) > 1), ""):
        raise tables.Unreadable(_("Two columns mean the same: {name}.").format(name=twice))
    desk = _Desk(brand, schedules=schedules, at=at)
    rows = [(row, *desk.read(row, columns)) for row in table.rows]
    digests = {wish.digest for _row, wish, _why in rows if wish}
    before: set[str] = set()
    for some in _some(sorted(digests)):
        found = Imported.objects.filter(brand=brand, digest__in=some)
        before.update(found.values_list("digest", flat=True))
    known: set[int] = set()
    for place, (_row, wish, _why) in enumerate(rows):
        if wish and wish.digest in before:
            known.add(place)
        elif wish:
            before.add(wish.digest)
    foreign = [
        given for given, name in zip(table.header, table.columns, strict=True)
        if name and name not in columns and name not in _WRITTEN_ONLY
    ]  # fmt: skip
    notes = [_("These columns aren't used: {names}").format(names=", ".join(foreign)[:300])] if foreign else []
    return Checked(rows, frozenset(known), notes)


def _some(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(values), 500):
        yield values[first : first + 500]


class _Wrong(Exception):
    """Of one row; the message is for people."""


class _Desk:
    """All of a brand's that rows may name, read once for any number of them."""

    def __init__(self, brand: Brand, *, schedules: bool, at: datetime) -> None:
        self.brand, self.schedules, self.at = brand, schedules, at
        self.accounts = _by_name(queries.accounts(brand), lambda one: one.name)
        self.pictures = _by_name(queries.pictures(brand), lambda one: one.name)
        campaigns = list(Campaign.objects.filter(brand=brand))
        self.campaigns = _by_name(campaigns, lambda one: one.name) | _by_name(campaigns, lambda one: one.tag)
        self.zones = actions.zones_known()

    def read(self, row: Row, columns: Mapping[str, str]) -> tuple[Wish | None, str]:
        if row.problem:
            return None, row.problem
        cells = {columns[name]: tables.meant(cell) for name, cell in row.cells.items() if name in columns}
        try:
            return self._wish(cells), ""
        except _Wrong as wrong:
            return None, str(wrong)

    def _wish(self, cells: Mapping[str, str]) -> Wish:
        wall, zone = self._wall(cells)
        pictures = [self._one(self.pictures, name, "picture") for name in _names(cells.get("picture", ""))]
        pieces = self._pieces(cells, pictures)
        accounts = tuple(self._accounts(cells.get("accounts", "")))
        campaign = self._one(self.campaigns, name, "campaign") if (name := cells.get("campaign", "")) else None
        if campaign and campaign.ends_on and wall and wall.date() > campaign.ends_on:
            raise _Wrong(_("Its campaign ends on {day}.").format(day=f"{campaign.ends_on:%d/%m/%Y}"))
        if wall and (
            ended := evergreen.lapsed([(p.name, p.rights_until) for p in pictures if p.rights_until], wall.date())
        ):
            raise _Wrong(ended)
        if self.schedules:
            self._check_fit(accounts, pieces, pictures, cells.get("title", ""), wall)
        said = [cells.get(name, "") for name in _NAMES]
        digest = sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()
        campaign_id = campaign.pk if campaign else None
        return Wish(digest, cells.get("title", ""), pieces, accounts, wall, zone, campaign_id)

    def _wall(self, cells: Mapping[str, str]) -> tuple[datetime | None, str]:
        day, at, zone = cells.get("day", ""), cells.get("time", ""), cells.get("zone", "") or self.brand.time_zone
        if zone not in self.zones:
            raise _Wrong(_("This time zone isn't known: {zone}").format(zone=zone[:80]))
        if not day and not at:
            if self.schedules:
                raise _Wrong(_("What is scheduled needs a day and a time."))
            return None, zone
        if not day or not at:
            raise _Wrong(_("Day and time go together: one of them is missing."))
        wall = datetime.combine(_day(day), _time(at))
        if zones.moment(wall, ZoneInfo(zone)) <= self.at:
            raise _Wrong(_("Its time has passed: {day} {time}").format(day=day[:20], time=at[:20]))
        return wall, zone

    def _pieces(self, cells: Mapping[str, str], pictures: Sequence[Media]) -> tuple[Piece, ...]:
        text, link = cells.get("text", ""), cells.get("link", "")
        if link and not re.fullmatch(r"https?://[^\s<>\"]{4,1000}", link):
            raise _Wrong(_("This link looks broken: {link}").format(link=link[:80]))
        if link and link not in text:
            text = f"{text}\n{link}".strip()
        shown = tuple(Shown(one.pk) for one in pictures)
        pieces = Sheet([Piece(text, pictures=shown)], cells.get("comment", "")).said()
        if not pieces:
            raise _Wrong(_("It says nothing: text and picture are empty."))
        if len(pieces) > actions.MOST_PARTS:
            raise _Wrong(_("A post has {limit} parts at most.").format(limit=actions.MOST_PARTS))
        return pieces

    def _accounts(self, cell: str) -> Iterator[Account]:
        whole = self.accounts.get(cell.casefold())
        names = [cell] if whole else _names(cell, ",;" if "|" not in cell else "")
        for name in names:
            yield self._one(self.accounts, name, "account")

    def _one(self, some: Mapping[str, list], name: str, kind: str):  # type: ignore[no-untyped-def, type-arg]
        found = some.get(name.strip().casefold(), [])
        if len(found) == 1:
            return found[0]
        called = {
            "account": (_("No channel is called “{name}”."), _("Several channels are called “{name}”.")),
            "picture": (_("No picture is called “{name}”."), _("Several pictures are called “{name}”.")),
            "campaign": (_("No campaign is called “{name}”."), _("Several campaigns are called “{name}”.")),
        }[kind]
        raise _Wrong(called[bool(found)].format(name=name[:80]))

    def _check_fit(
        self, accounts: Sequence[Account], pieces: Sequence[Piece], pictures: Sequence[Media], title: str,
        wall: datetime | None,
    ) -> None:  # fmt: skip
        if not accounts:
            raise _Wrong(_("Choose where it is to be published."))
        by_id = {one.pk: one for one in pictures}
        for account in accounts:
            if account.state == Account.State.PAUSED:
                raise _Wrong(_("{account} is paused.").format(account=account.name))
            hints = dict(_hints(account, title))
            publishes = account.capabilities.publishes
            taken = publishes.pictures if publishes else None
            name = handles.on_account(account, handles.known(account.brand_id, [one.text for one in pieces]))
            for piece in pieces:
                shown = [saying.pictured(by_id[one.media], "", taken) for one in piece.pictures]
                draft = saying.draft_of({"kind": piece.kind, "text": name(piece.text), "pictures": shown, **hints})
                if misfits := account.connector.misfits(account, draft):
                    raise _Wrong(f"{account.name}: {' '.join(told(one.says) for one in misfits)}")


def _by_name(some: Iterable, name):  # type: ignore[no-untyped-def, type-arg]
    found = defaultdict(list)
    for one in some:
        found[name(one).strip().casefold()].append(one)
    return dict(found)


def _names(cell: str, more: str = "") -> list[str]:
    """Several names in a cell, with a bar or a line break between them."""
    return [name.strip() for name in re.split(f"[|\n{more}]", cell) if name.strip()]


def _hints(account: Account, title: str) -> tuple[tuple[str, str], ...]:
    """Where a network asks for a headline, it is the title."""
    rule = account.capabilities.publishes
    return (("title", title),) if rule and "title" in rule.needs and title else ()


def _day(text: str) -> date:
    if found := _DAY.fullmatch(text.strip()):
        year, month, day = (int(found[name] or found[f"{name}2"]) for name in "ymd")
        try:
            if year in actions.YEARS:
                return date(year, month, day)
        except ValueError:
            raise _Wrong(_("There is no such day: {day}").format(day=text[:20])) from None
    raise _Wrong(_("The day is written 2026-11-24 or 24/11/2026, not “{day}”.").format(day=text[:40]))


def _time(text: str) -> time:
    if (found := _TIME.fullmatch(text.strip())) and int(found[1]) < 24 and int(found[2]) < 60:
        return time(int(found[1]), int(found[2]))
    raise _Wrong(_("The time is written 09:30, not “{time}”.").format(time=text[:40]))


# Taking in.


def bring(*, brand: Brand, name: str, content: bytes, schedules: bool, by: User, at: datetime) -> Import:
    """Look a file through and keep what was found. Raises `tables.Unreadable`."""
    found = check(tables.read(content), brand=brand, schedules=schedules, at=at)
    if not found.rows:
        raise tables.Unreadable(_("The file has no rows below its first line."))
    return Import.objects.create(
        brand=brand, name=tidy(name).strip()[:200] or "csv", content=content, schedules=schedules,
        total=len(found.rows), known=len(found.known), problems=found.problems,
        notes=[*found.notes, *(_warnings(found, brand) if schedules else ())],
        created_by_id=by.pk, created_at=at,
    )  # fmt: skip


def _warnings(found: Checked, brand: Brand) -> list[str]:
    """What may not be meant so in rows that are to be scheduled, with their lines."""
    rows = [(row.line, wish) for place, (row, wish, _why) in enumerate(found.rows) if wish and place not in found.known]
    shown = {one.media for _line, wish in rows for piece in wish.pieces for one in piece.pictures}
    silent = Media.objects.filter(brand=brand, pk__in=shown, alt="").in_bulk()
    told = []
    for line, wish in rows[:MOST_LOOKED_AT]:
        amiss = [one.says for one in checks.of_texts([piece.text for piece in wish.pieces], brand)]
        media = [silent.get(one.media) for piece in wish.pieces for one in piece.pictures]
        amiss += [checks.says_nothing_of(one.name) for one in media if one]
        told += [_("Line {line}: {what}").format(line=line, what=says) for says in dict.fromkeys(amiss)]
    if (more := len(told) - MOST_WARNINGS) > 0:
        told[MOST_WARNINGS:] = [ngettext("and %(n)s more", "and %(n)s more", more) % {"n": more}]
    if len(rows) > MOST_LOOKED_AT:
        told.append(_("What may not be meant so is told of the first {n} rows alone.").format(n=MOST_LOOKED_AT))
    return told


@transaction.atomic
def start(*, brought: Import, by: User, at: datetime) -> None:
    """Let its good rows be taken in, by a job. Raises `TooLate`."""
    if not Import.objects.filter(pk=brought.pk, state=Import.State.CHECKED).update(state=Import.State.RUNNING):
        raise TooLate(_("It is being imported already."))
    jobs.enqueue(TAKE_IN, import_id=brought.pk)


def take_in(*, import_id: int, at: datetime) -> None:
    """Make posts of the good rows, some at a time; whoever is interrupted goes on where it stopped."""
    brought = Import.objects.select_related("brand").filter(pk=import_id, state=Import.State.RUNNING).first()
    if brought is None:
        return
    by = User.objects.filter(pk=brought.created_by_id).first() or User(pk=brought.created_by_id)
    with translation.override(by.language or brought.brand.language):
        found = check(tables.read(bytes(brought.content)), brand=brought.brand, schedules=brought.schedules, at=at)
        for first in range(brought.next_row, brought.total, BATCH):
            _take_some(brought, found, first, by=by, at=at)


@transaction.atomic
def _take_some(brought: Import, found: Checked, first: int, *, by: User, at: datetime) -> None:
    held = Import.objects.select_for_update().defer("content").get(pk=brought.pk)
    if held.next_row != first or held.state != Import.State.RUNNING:
        return  # somebody else goes on with it
    wrong: dict[int, str] = dict(held.problems)
    for row, wish, why in found.rows[first : first + BATCH]:
        if why:
            wrong[row.line] = why
        if wish is None:
            continue
        try:
            with transaction.atomic():
                held.added += _add(wish, held, by=by, at=at)
                wrong.pop(row.line, None)
        except Problem as problem:
            wrong[row.line] = str(problem)
    held.next_row = min(first + BATCH, held.total)
    held.problems = sorted(wrong.items())
    if held.next_row == held.total:
        held.state, held.known = Import.State.DONE, held.total - held.added - len(wrong)
        facts = {"file": held.name, "added": held.added}
        activity.record(activities.POSTS_IMPORTED, on=held, brand=held.brand_id, by=by.pk, at=at, **facts)
    held.save(update_fields=["state", "known", "added", "problems", "next_row"])


def _add(wish: Wish, brought: Import, *, by: User, at: datetime) -> int:
    """The post of a row; none for a row that was one before. Raises `Problem`."""
    mark, is_new = Imported.objects.get_or_create(brand_id=brought.brand_id, digest=wish.digest, defaults={"at": at})
    if not is_new:
        return 0
    versions = {account.pk: Wanted(hints=_hints(account, wish.title)) for account in wish.accounts}
    post = actions.create(
        brand=brought.brand, title=wish.title, pieces=wish.pieces, versions=versions, by=by, at=at
    )  # fmt: skip
    evergreen.join_campaign(post, wish.campaign)
    if wish.wall:
        actions.plan(post=post, wall=wish.wall, zone=wish.zone, by=by, at=at)
    if brought.schedules:
        actions.schedule_or_ask(post=post, by=by, at=at)
    mark.post = post
    mark.save(update_fields=["post"])
    return 1


def wrong_rows(brought: Import) -> bytes:
    """The rows in which something is wrong, as they came, with their line and what it is."""
    table, wrong = tables.read(bytes(brought.content)), dict(brought.problems)
    header = [_("Line"), _("What is wrong"), *table.header]
    return tables.write(header, ([row.line, wrong[row.line], *row.given] for row in table.rows if row.line in wrong))


def forget_files(*, at: datetime) -> int:
    """Files that were brought some time ago; what was made of them stays, and so does that their rows are known."""
    old = Import.objects.filter(created_at__lt=at - KEEP_FILES).exclude(state=Import.State.RUNNING)
    return old.delete()[0]


# Taking along.


def export(brand: Brand, since: date, until: date) -> bytes:
    """The posts of these days, the last one included, in columns that can be brought back."""
    zone, day = ZoneInfo(brand.time_zone), timedelta(days=1)
    starts, ends = (zones.moment(datetime.combine(on, time()), zone) for on in (since, until + day))
    posts = list(
        queries.whole(brand).filter(publish_at__gte=starts, publish_at__lt=ends).select_related("campaign")
        .order_by("publish_at", "pk")
    )  # fmt: skip
    standings = queries.standings(posts)
    headings = HEADINGS.get((translation.get_language() or "en")[:2], HEADINGS["en"])
    return tables.write(headings, (_written(post, Post.State(standings[post.pk].state)) for post in posts))


def _written(post: Post, state: Post.State) -> list[str]:
    parts = [part for part in post.parts.all() if part.version_id is None]
    if not parts:  # every account has a text of its own: the first one's
        own = next((part.version_id for part in post.parts.all()), None)
        parts = [part for part in post.parts.all() if part.version_id == own]
    texts = [part.text for part in parts if part.kind != Part.Kind.COMMENT]
    comments = [part.text for part in parts if part.kind == Part.Kind.COMMENT]
    pictures = [one.media.name for part in parts[:1] for one in part.attachments.all()]
    return [
        post.title, "\n---\n".join(texts), "|".join(version.account.name for version in post.versions.all()),
        post.on.isoformat() if post.on else "", f"{post.time:%H:%M}" if post.time else "", post.zone, "",
        "|".join(pictures), post.campaign.tag if post.campaign else "", "\n\n".join(comments), str(state.label),
    ]  # fmt: skip
