"""The nouns of the room, a file each theme."""

from .approval import ApprovalDecision, ApprovalRequest, ApprovalRule, ApprovalStep, GuestPass
from .posts import Attachment, Draft, Media, Part, Post, Sending, Settings, Stop, Version, seed

__all__ = [
    "ApprovalDecision", "ApprovalRequest", "ApprovalRule", "ApprovalStep", "Attachment", "Draft", "GuestPass", "Media",
    "Part", "Post", "Sending", "Settings", "Stop", "Version", "seed",
]  # fmt: skip
