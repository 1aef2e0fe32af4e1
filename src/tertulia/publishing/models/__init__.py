"""The nouns of the room, a file each theme."""

from .exchange import Feed, Import, Imported
from .initiatives import Initiative
from .posts import Attachment, Draft, Media, Part, Post, Sending, Settings, Stop, Version, seed
from .series import LAST_DAY, Evergreen, Occurrence, Repetition, Series

__all__ = [
    "LAST_DAY",
    "Attachment",
    "Draft",
    "Evergreen",
    "Feed",
    "Import",
    "Imported",
    "Initiative",
    "Media",
    "Occurrence",
    "Part",
    "Post",
    "Repetition",
    "Sending",
    "Series",
    "Settings",
    "Stop",
    "Version",
    "seed",
]
