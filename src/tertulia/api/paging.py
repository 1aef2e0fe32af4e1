"""Lists by keyset: a cursor names the last row of a page, so the next one costs the same however far back it is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypeVar

from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _

from .errors import ApiError, invalid

Row = TypeVar("Row", bound=Model)


def bad_cursor() -> ApiError:
    return invalid({"after": _("This is no place in this list. Leave it out to begin, then send the answer's `next`.")})


def newest(rows: QuerySet[Row], column: str, *, after: str, limit: int) -> tuple[list[Row], str | None]:
    """One page by a moment, newest first, and the cursor of the next."""
    if after:
        moment, id = read(after)
        rows = rows.filter(Q(**{f"{column}__lte": moment}), Q(**{f"{column}__lt": moment}) | Q(id__lt=id))
    found = list(rows.order_by(f"-{column}", "-id")[: limit + 1])
    page = found[:limit]
    return page, _write(getattr(page[-1], column), page[-1].pk) if len(found) > limit else None


def _write(moment: datetime, id: int) -> str:
    return f"{int(moment.timestamp() * 1_000_000)}-{id}"


def read(text: str) -> tuple[datetime, int]:
    """Raises `ApiError` 422."""
    try:
        micros, id = (_number(part) for part in text.split("-"))
        seconds, rest = divmod(micros, 1_000_000)
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest), id
    except (ValueError, OverflowError, OSError):
        raise bad_cursor() from None


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise ValueError
    return int(text)
