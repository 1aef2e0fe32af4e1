"""Figures of posts as a file: the one people bring from a platform's own statistics, and the one they take away.

Both have a heading and a row for each post and moment. A row names its post by its address, or by our number for it
and the account. An empty cell is a figure that nobody knows. Nothing of a file is kept before somebody has seen what it
would do, and then all of its good rows are, at once.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from tertulia.brand import zones
from tertulia.brand.models import Brand
from tertulia.channels import reactions as facts
from tertulia.channels.models import Account, PostMetric, RemotePost
from tertulia.core import activity, tables
from tertulia.team.models import User

from . import activities
from .models import Sending
from .problems import Problem

LARGEST: Final = 1024 * 1024
MOST_ROWS: Final = 5_000
HEADINGS: Final[Mapping[str, str]] = {
    **{name: name for name in ("post", "title", "account", "url", "published_at", "at", "how", *facts.NAMES)},
    **{"publicacion": "post", "titulo": "title", "cuenta": "account"},
    **{"direccion": "url", "enlace": "url", "link": "url", "fecha": "at", "date": "at"},
    **{"me gusta": "likes", "likes": "likes", "favoritos": "likes", "compartidos": "reposts", "shares": "reposts"},
    **{"comentarios": "replies", "respuestas": "replies", "comments": "replies", "citas": "quotes"},
    **{"visualizaciones": "views", "vistas": "views", "impressions": "views", "impresiones": "views"},
}
"""What a column may be called, in the languages of the desk and as platforms say it."""
COLUMNS: Final = ("post", "title", "account", "url", "published_at", "at", "how", *facts.NAMES)
_COUNT: Final = re.compile(r"\d{1,15}|\d{1,3}(?:[.,\u00a0\u202f ]\d{3}){1,4}")


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it would be kept, or what is wrong with it."""

    line: int
    says: str
    problem: str = ""
    remote: RemotePost | None = None
    at: datetime | None = None
    values: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class File:
    rows: list[Row]
    passed_over: list[str]
    """Columns that mean nothing here."""

    @property
    def good(self) -> list[Row]:
        return [row for row in self.rows if not row.problem]

    @property
    def bad(self) -> list[Row]:
        return [row for row in self.rows if row.problem]


def text_of(content: bytes) -> str:
    """In whatever encoding it came. Raises `Problem`."""
    if len(content) > LARGEST:
        raise Problem(_("The file is too large: a megabyte at most."))
    try:
        return tables.decoded(content)[0]
    except tables.Unreadable as problem:
        raise Problem(str(problem)) from None


def read(text: str, *, brand: Brand, now: datetime) -> File:
    """What a file says, row by row; nothing is kept. Raises `Problem` for what is no such file at all."""
    try:
        table = tables.read(text)
    except tables.Unreadable as problem:
        raise Problem(str(problem)) from None
    names = [HEADINGS.get(column, "") for column in table.columns]
    if "at" not in names or not {"url", "post"} & set(names) or not set(facts.NAMES) & set(names):
        raise Problem(
            _(
                "The first row has to name the columns: “at”, “url” or “post”, and at least one figure ({figures})."
            ).format(figures=", ".join(facts.NAMES))
        )
    twice = {name for name in names if name and names.count(name) > 1}
    if twice:
        raise Problem(_("Two columns mean the same: {names}").format(names=", ".join(sorted(twice))))
    if len(table.rows) > MOST_ROWS:
        raise Problem(_("The file has too many rows: {most} at most.").format(most=MOST_ROWS))
    known = _Known(brand)
    read = [_row(row, known=known, now=now) for row in table.rows]
    return File(read, [name for name, meaning in zip(table.header, names, strict=True) if not meaning and name.strip()])


class _Known:
    """The brand's posts that are out, by address and by number."""

    def __init__(self, brand: Brand) -> None:
        self.zone = ZoneInfo(brand.time_zone)
        self.by_url: dict[str, list[RemotePost]] = defaultdict(list)
        self.by_post: dict[str, list[RemotePost]] = defaultdict(list)
        mine = Sending.objects.filter(version__post__brand=brand, number=0, remote__published_at__isnull=False)
        rows = mine.select_related("remote__account", "version").defer("remote__account__secrets", "remote__draft")
        for sending in rows:
            if sending.remote.url:
                self.by_url[sending.remote.url.rstrip("/")].append(sending.remote)
            self.by_post[str(sending.version.post_id)].append(sending.remote)

    def find(self, said: Mapping[str, str]) -> RemotePost:
        """Raises `Problem`."""
        account = said.get("account", "").casefold()
        found = self.by_url.get(said.get("url", "").rstrip("/"), []) or self.by_post.get(said.get("post", ""), [])
        if account:
            found = [one for one in found if one.account.name.casefold() == account]
        if not found:
            raise Problem(_("No post of this brand that is out has this address or number there."))
        if len(found) > 1:
            raise Problem(_("The post is on several accounts: name one in the column “account”."))
        return found[0]


def _row(row: tables.Row, *, known: _Known, now: datetime) -> Row:
    said = {HEADINGS[column]: _plain(cell) for column, cell in row.cells.items() if column in HEADINGS}
    says = said.get("url") or said.get("title") or said.get("post", "")
    try:
        if row.problem:
            raise Problem(row.problem)
        remote = known.find(said)
        at = _moment(said.get("at", ""), known.zone)
        if at > now:
            raise Problem(_("That moment is still to come."))
        if remote.published_at and at < remote.published_at:
            raise Problem(_("The post wasn't out then."))
        values = {name: _count(said[name]) for name in facts.NAMES if said.get(name)}
        if not values:
            raise Problem(_("It has no figure."))
    except Problem as problem:
        return Row(row.line, says, str(problem))
    return Row(row.line, says, "", remote, at, values)


def _plain(cell: str) -> str:
    return " ".join(tables.meant(cell).split())


def _count(cell: str) -> int:
    if not _COUNT.fullmatch(cell):
        raise Problem(_("This is no whole number: {said}").format(said=cell[:40]))
    value = int(re.sub(r"\D", "", cell))
    if value >= facts.MOST:
        raise Problem(_("This is no whole number: {said}").format(said=cell[:40]))
    return value


def _moment(cell: str, zone: ZoneInfo) -> datetime:
    """A day, or a day and a time on the brand's clock where it names no other. A day alone means its end."""
    for form in ("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y"):
        for clock in (" %H:%M", " %H:%M:%S", "T%H:%M", "T%H:%M:%S"):
            try:
                return zones.moment(datetime.strptime(cell, form + clock), zone)  # noqa: DTZ007 — on the wall
            except ValueError:
                continue
        try:
            day = datetime.strptime(cell, form)  # noqa: DTZ007 — on the wall
        except ValueError:
            continue
        return zones.moment(day.replace(hour=23, minute=59), zone)
    try:
        told = datetime.fromisoformat(cell)
    except ValueError:
        raise Problem(_("This is no date: {said}").format(said=cell[:40])) from None
    return told if told.tzinfo else zones.moment(told, zone)


@transaction.atomic
def bring(*, file: File, brand: Brand, by: User, at: datetime) -> int:
    """Keep the good rows; returns how many said something new. Brought again they change nothing."""
    new = 0
    for row in file.good:
        if row.remote and row.at:
            how = PostMetric.How.FILE
            new += bool(facts.keep(post=row.remote, values=row.values, at=row.at, how=how, by=by.pk))
    if new:
        activity.record(activities.FIGURES_BROUGHT, on=brand, brand=brand.pk, by=by.pk, at=at, rows=new)
    return new


def written(brand: Brand, *, since: datetime, until: datetime, account: Account | None = None) -> bytes:
    """A row for each post and moment of a period, as a file has it that can be brought again."""
    return tables.write(COLUMNS, _written(brand, since, until, account))


def _written(brand: Brand, since: datetime, until: datetime, account: Account | None) -> Iterator[tuple[str, ...]]:
    mine = (
        Sending.objects.filter(
            version__post__brand=brand, number=0, remote__published_at__gte=since, remote__published_at__lt=until
        )
        .select_related("remote__account", "version__post")
        .defer("remote__account__secrets", "remote__draft")
    )
    if account:
        mine = mine.filter(remote__account=account)
    zone = ZoneInfo(brand.time_zone)
    for sending in mine.order_by("remote__published_at", "pk"):
        remote, post = sending.remote, sending.version.post
        moments: dict[tuple[datetime, str], dict[str, int]] = defaultdict(dict)
        for row in PostMetric.objects.filter(post=remote).order_by("at", "pk"):
            moments[row.at, row.how][row.name] = row.value
        for (moment, how), values in moments.items():
            facts_of_post = (str(post.pk), post.title, remote.account.name, remote.url, _iso(remote.published_at, zone))
            figures = (str(values.get(name, "")) for name in facts.NAMES)
            yield (*facts_of_post, _iso(moment, zone), how, *figures)


def _iso(moment: datetime | None, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).isoformat() if moment else ""
