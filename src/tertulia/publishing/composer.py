"""The context of the composer's page, built in one place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import ngettext

from tertulia.brand.models import Brand
from tertulia.channels.forms import said
from tertulia.channels.models import Account

from . import actions, queries
from .models import Media
from .writing import COMMON, Writing

OFFERED, OFFERED_NAMES = 24, 200
"""So many pictures of the library are offered at once, and so many names."""


@dataclass(frozen=True, slots=True)
class PictureField:
    media: Media
    place: str
    alt: str


@dataclass(frozen=True, slots=True)
class PartField:
    """A part of a sheet as fields. `place` names it in buttons: ".7-1" is the second part of account 7."""

    number: int
    place: str
    text: str
    pictures: Sequence[PictureField]
    is_fresh: bool


@dataclass(frozen=True, slots=True)
class SheetFields:
    """`scope` ends the name of each field: "" on the common sheet, ".7" on that of account 7."""

    scope: str
    parts: Sequence[PartField]
    comment: str


@dataclass(frozen=True, slots=True)
class AccountFields:
    """An account, whether it is chosen, its own sheet where it has one, and what else its network asks for."""

    account: Account
    network: str
    is_chosen: bool
    sheet: SheetFields | None
    hints: frozenset[str]
    needs: frozenset[str]
    values: dict[str, str]
    visible: Sequence[tuple[str, str]]

    @property
    def is_open(self) -> bool:
        missing = any(not self.values.get(name) for name in self.needs)
        return self.sheet is not None or bool(self.values) or missing


def common_sheet(written: Writing, brand: Brand, *, fresh: str = "") -> SheetFields:
    return _sheet(written, COMMON, _media(written, brand), fresh)


def account_fields(written: Writing, brand: Brand, *, fresh: str = "") -> list[AccountFields]:
    media = _media(written, brand)
    fields = []
    for account in queries.accounts(brand):
        rule = account.capabilities.publishes
        if rule is None:
            continue
        own = _sheet(written, account.pk, media, fresh) if account.pk in written.sheets else None
        fields.append(
            AccountFields(
                account,
                said(account.connector.name),
                account.pk in written.accounts,
                own,
                rule.hints,
                rule.needs,
                written.hints.get(account.pk, {}),
                [(name, said(text)) for name, text in rule.visible],
            )  # fmt: skip
        )
    return fields


def _media(written: Writing, brand: Brand) -> dict[int, Media]:
    ids = {one.media for sheet in written.sheets.values() for piece in sheet.pieces for one in piece.pictures}
    return queries.pictures(brand).in_bulk(ids)


def _sheet(written: Writing, id: int, media: dict[int, Media], fresh: str) -> SheetFields:
    sheet, scope = written.sheets[id], f".{id}" if id else ""
    parts = []
    for number, piece in enumerate(sheet.pieces):
        place = f"{scope}-{number}"
        pictures = [
            PictureField(media[one.media], f"{place}-{one.media}", one.alt or media[one.media].alt)
            for one in piece.pictures
            if one.media in media
        ]
        is_fresh = fresh == f"part{scope}" and number == len(sheet.pieces) - 1
        parts.append(
            PartField(number, place, piece.text, pictures, is_fresh or (fresh == f"own{scope}" and not number))
        )
    return SheetFields(scope, parts, sheet.comment)


POLL_TIMES = (300, 1_800, 3_600, 21_600, 43_200, 86_400, 259_200, 604_800)


def poll_times() -> list[tuple[int, str]]:
    """For how long a poll may be open, as people say it."""
    return [(seconds, _lasting(seconds // 60)) for seconds in POLL_TIMES]


def _lasting(minutes: int) -> str:
    if minutes < 60:
        return ngettext("{n} minute", "{n} minutes", minutes).format(n=minutes)
    hours = minutes // 60
    if hours < 24:
        return ngettext("{n} hour", "{n} hours", hours).format(n=hours)
    return ngettext("{n} day", "{n} days", hours // 24).format(n=hours // 24)


def poll_fields(written: Writing, *, more: bool = False) -> list[str]:
    """The options as fields, with an empty one to go on in."""
    said = list(written.poll.options) if written.poll else []
    return said + [""] * max(3 - len(said), 1 + more)


def place_of(name: str) -> tuple[int, int] | None:
    """Sheet and part that a file was chosen for: "file.7-1"."""
    found = re.fullmatch(r"file(?:\.(\d{1,18}))?-(\d{1,4})", name)
    return (int(found[1] or COMMON), int(found[2])) if found else None


def zones() -> list[str]:
    return sorted(actions.zones_known())
