"""Lists of orders as shops and spreadsheets write them: read, looked at, taken over.

What stands in a list is text and nothing else: a formula is kept as the letters it is made of, and pages show it so.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from tertulia.brand.models import Brand
from tertulia.core import tables
from tertulia.core.html import tidy
from tertulia.team.models import User

from . import conversions, shortening
from .conversions import Order, Taken
from .models import OrderFile
from .problems import Problem

LARGEST = 5 * 1024 * 1024
COLUMNS = {
    "ref": ("ref", "reference", "order", "pedido", "referencia", "numero", "number"),
    "value": ("value", "amount", "total", "importe", "valor"),
    "date": ("date", "fecha", "day", "dia"),
    "currency": ("currency", "moneda", "divisa"),
    "coupon": ("coupon", "cupon", "discount code", "codigo"),
    "utm": ("utm", "landing", "url", "enlace"),
    "tt": ("tt", "click", "clic"),
}
"""What each is called, without accents. `ref` and `value` there must be."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the list that can't be used, by its number in the file, and why."""

    number: int
    why: str


@dataclass(frozen=True, slots=True)
class Read:
    orders: Sequence[Order]
    wrong: Sequence[Row]


def keep(*, brand: Brand, name: str, content: bytes, by: User, at: datetime) -> OrderFile:
    """Keep a list to be looked at; one that nobody took over goes. Raises `Problem`."""
    if len(content) > LARGEST:
        raise Problem(_("The file is too large: 5 MB at most."))
    try:
        text = tables.decoded(content)[0]
    except tables.Unreadable as problem:
        raise Problem(str(problem)) from None
    read(text, brand=brand, at=at)  # so that what is no list is said at once
    with transaction.atomic():
        OrderFile.objects.filter(brand=brand).delete()
        return OrderFile.objects.create(
            brand=brand, name=tidy(name).strip()[:200] or "csv", text=tidy(text), created_by_id=by.pk, created_at=at
        )


def read(text: str, *, brand: Brand, at: datetime) -> Read:
    """The orders of a list, and the lines that can't be used. Raises `Problem` when it is none."""
    try:
        table = tables.read(text)
    except tables.Unreadable as problem:
        raise Problem(str(problem)) from None
    columns = _columns(table.columns)
    default = shortening.settings_of(brand.pk).currency
    orders: list[Order] = []
    wrong: list[Row] = []
    for row in table.rows:
        told = {name: row.cells.get(column, "") for name, column in columns.items()}
        try:
            if row.problem:
                raise Problem(row.problem)
            orders.append(_order(told, default, brand=brand, at=at))
        except Problem as problem:
            wrong.append(Row(row.line, str(problem)))
    if not orders and not wrong:
        raise Problem(_("There is no order in this file."))
    return Read(orders, wrong)


def _columns(given: Sequence[str]) -> dict[str, str]:
    """By what we call it, the column of the file."""
    columns = {name: found for name, names in COLUMNS.items() if (found := next(filter(given.__contains__, names), ""))}
    if missing := [name for name in ("ref", "value") if name not in columns]:
        raise Problem(_("The first line must name the columns; missing: {names}").format(names=", ".join(missing)))
    return columns


def _order(told: dict[str, str], default: str, *, brand: Brand, at: datetime) -> Order:
    moment = _moment(told.get("date", ""), brand, at=at)
    return Order(
        conversions.reference(told["ref"]), conversions.cents(told["value"]),
        conversions.currency(told.get("currency", ""), default), moment, told.get("tt", "")[:100],
        told.get("coupon", "")[:100], told.get("utm", "")[:2000],
    )  # fmt: skip


_DAYS = ("%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y")
_DAY_ENDS = time(23, 59, 59)
_MOMENTS = ("%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S")


def _moment(text: str, brand: Brand, *, at: datetime) -> datetime:
    """When an order was: where only its day is known, at the end of it; never later than now."""
    zone = ZoneInfo(brand.time_zone)
    if not text:
        return at
    moment = _parsed(text)
    if moment is None or not 2000 <= moment.year < 2200:
        raise Problem(_("{date} is no date: write 2026-11-23 or 23/11/2026.").format(date=text[:40]))
    aware = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    if aware > at + timedelta(days=1):
        raise Problem(_("{date} is still to come.").format(date=text[:40]))
    return min(aware, at)


def _parsed(text: str) -> datetime | None:
    with suppress(ValueError):
        return datetime.combine(date.fromisoformat(text), _DAY_ENDS)
    with suppress(ValueError):
        return datetime.fromisoformat(text)
    for form in (*_DAYS, *_MOMENTS):
        with suppress(ValueError):
            moment = datetime.strptime(text, form)  # noqa: DTZ007 — on the wall
            return datetime.combine(moment, _DAY_ENDS) if form in _DAYS else moment
    return None


def look_at(file: OrderFile, *, by: User, at: datetime) -> tuple[Read, Taken]:
    """What taking it over would do. Raises `Problem`."""
    found = read(file.text, brand=file.brand, at=at)
    return found, conversions.foreseen(brand=file.brand, orders=found.orders, by=by, at=at)


@transaction.atomic
def take_over(*, file: OrderFile, by: User, at: datetime) -> tuple[Read, Taken]:
    """Take down its orders; then the file is gone. Raises `Problem`."""
    if not OrderFile.objects.select_for_update().filter(pk=file.pk).exists():
        raise Problem(_("Somebody has dealt with this file already."))
    found = read(file.text, brand=file.brand, at=at)
    taken = conversions.take_over(brand=file.brand, orders=found.orders, by=by, at=at)
    file.delete()
    return found, taken
