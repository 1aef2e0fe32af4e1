"""A restore that was interrupted while it put things in place: nothing else runs here until it is repeated.

Until then there may be the old rows beside the new pictures, or no database at all, of which a start would make a new
one. A file in the data folder says so, with the names of what was put aside.
"""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from tertulia.core.backup import archive

from .sorry import Sorry


def _file() -> Path:
    return Path(settings.HOME) / "restore-unfinished"


def asides() -> list[str]:
    """The names under which what was here before lies, of each time it was begun; none where nothing is unfinished."""
    try:
        return _file().read_text().split()
    except FileNotFoundError:
        return []


def begin(aside: str) -> None:
    """From here on there is no way back; on the disk before anything is moved."""
    half = _file().with_suffix(".half")
    half.write_text("\n".join([*asides(), aside]))
    archive.sync(half)
    half.replace(_file())
    archive.sync(settings.HOME)


def end() -> None:
    archive.sync(settings.HOME)
    _file().unlink()


def refuse() -> None:
    """Raises `Sorry` where a restore has not come to its end."""
    if begun := asides():
        says = _(
            "A restore was interrupted here and is half done. Run it again: tertulia restore FILE --over. "
            "What was here before is in {folder}, under: {names}"
        )
        raise Sorry(says.format(folder=settings.HOME, names=", ".join(begun)))
