"""The nouns of the room, a file each theme."""

from .approval import ApprovalDecision, ApprovalRequest, ApprovalRule, ApprovalStep, GuestPass
from .links import Click, Conversion, Coupon, DayKey, Link, LinkChoice, LinkSettings, OrderFile
from .posts import Attachment, Draft, Media, Part, Post, Sending, Settings, Stop, Version, seed

__all__ = [
    "ApprovalDecision",
    "ApprovalRequest",
    "ApprovalRule",
    "ApprovalStep",
    "Attachment",
    "Click",
    "Conversion",
    "Coupon",
    "DayKey",
    "Draft",
    "GuestPass",
    "Link",
    "LinkChoice",
    "LinkSettings",
    "Media",
    "OrderFile",
    "Part",
    "Post",
    "Sending",
    "Settings",
    "Stop",
    "Version",
    "seed",
]
