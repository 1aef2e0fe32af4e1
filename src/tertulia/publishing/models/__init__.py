"""The nouns of the room, a file each theme."""

from .posts import Attachment, Draft, Media, Part, Post, Sending, Settings, Stop, Version, seed
from .rhythm import Promise, Slot

__all__ = ["Attachment", "Draft", "Media", "Part", "Post", "Sending", "Settings", "Stop", "Version", "seed"]
__all__ += ["Promise", "Slot"]
