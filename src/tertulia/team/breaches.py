"""Passwords that were stolen elsewhere: a file of them, as Have I Been Pwned hands it out "ordered by hash".

Each line is the SHA-1 of one in hexadecimal, a colon and how often it was seen. It is looked up where it lies, line by
line of its tens of gigabytes: nobody outside is asked, and little of it is read.
"""

from __future__ import annotations

import re
from hashlib import sha1
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

LONGEST_LINE = 80
SAMPLES = 1_000
_LINE = re.compile(rb"([0-9A-Fa-f]{40})(?::[0-9]+)?\s*")


class NotThisFile(Exception):
    """It isn't such a file, or not the whole of it. Says what is wrong."""


class Breached:
    """As Django's own checks of passwords; without a file it finds nothing."""

    def validate(self, password: str, user: object = None) -> None:
        if not settings.BREACHED_PASSWORDS:
            return
        try:
            is_known = has(settings.BREACHED_PASSWORDS, password)
        except (OSError, NotThisFile):
            # Whoever set it wants no password unseen, also not on the day when the disk is away.
            says = _(
                "Whether it was stolen elsewhere can't be looked up now, so it isn't taken. Tell whoever runs the desk."
            )
            raise ValidationError(says, code="password_not_looked_up") from None
        if is_known:
            says = _("It is on the lists of passwords stolen elsewhere, which are tried first. Take another one.")
            raise ValidationError(says, code="password_breached")

    def get_help_text(self) -> str:
        return _("Not one that was stolen elsewhere.")


def has(path: Path, password: str) -> bool:
    """Whether the file holds it. Raises OSError, `NotThisFile`."""
    wanted = sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
    with path.open("rb") as file:
        low, high = 0, _size(file)
        while low < high:  # the line, if it is there, begins at or after `low`, and none before `high` comes after it
            middle = (low + high) // 2
            found = _hash_after(file, middle)
            low, high = (middle + 1, high) if found and found < wanted else (low, middle)
        return _hash_after(file, low) == wanted


def check(path: Path) -> None:
    """Look at lines from its beginning to its end. Raises OSError, `NotThisFile`."""
    with path.open("rb") as file:
        size = _size(file)
        seen = [_hash_after(file, size * number // SAMPLES) for number in range(SAMPLES)]
        seen = [each for each in [*seen, _last(file, size)] if each]
    if not seen:
        raise NotThisFile(_("It is empty."))
    if any(one > other for one, other in pairwise(seen)):
        raise NotThisFile(_("Its lines aren't ordered by hash."))
    if not (seen[0].startswith(b"00") and seen[-1].startswith(b"FF")):
        raise NotThisFile(_("It isn't whole: the lines at its beginning or its end are missing."))


def _size(file: BinaryIO) -> int:
    return file.seek(0, 2)


def _hash_after(file: BinaryIO, offset: int) -> bytes:
    """Of the first line that begins at `offset` or later; empty at the end."""
    file.seek(max(offset - 1, 0))
    if offset:
        file.readline(LONGEST_LINE)
    return _hash(file.readline(LONGEST_LINE))


def _last(file: BinaryIO, size: int) -> bytes:
    file.seek(max(size - 2 * LONGEST_LINE, 0))
    return _hash(file.read().splitlines()[-1]) if size else b""


def _hash(line: bytes) -> bytes:
    if not line:
        return b""
    found = _LINE.fullmatch(line)
    if found is None:
        raise NotThisFile(_("Its lines aren't SHA-1 hashes in hexadecimal, each with a colon and a number."))
    return found[1].upper()
