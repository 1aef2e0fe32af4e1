"""The nouns of the room, a file each theme."""

from .looks import LinkLook
from .posts import Attachment, Draft, Media, Part, Post, Sending, Settings, Stop, Version, seed
from .words import AvoidedWord, Handle, Snippet

__all__ = [
    "Attachment", "AvoidedWord", "Draft", "Handle", "LinkLook", "Media", "Part", "Post", "Sending", "Settings", "Snippet",
    "Stop", "Version", "seed",
]  # fmt: skip
