"""Who somebody is on a platform, from how they are called there."""

from __future__ import annotations

import re

from tertulia.core.html import tidy

_HANDLE = re.compile(r"(?<![.@-])[.-]*+(@(?:[.@-]*+\w++)++)")
"""Begins where a run of signs does, so that each is read once."""


def called(who: str) -> tuple[str, str]:
    """Name and handle of «Marina Lee (@marina.lee)»; either may be missing."""
    who = " ".join(tidy(who).split())
    found = _HANDLE.search(who)
    if found is None:
        return who, ""
    return " ".join(who.replace(found[1], "").translate({ord(sign): " " for sign in "()·|<>"}).split()), found[1]


def person_id(name: str, handle: str) -> str:
    """The same for the same person, however it is typed."""
    return (handle.casefold() or f"name:{name.casefold()}")[:255]
