"""The nouns of the room, a file each theme."""

from .approval import ApprovalDecision, ApprovalRequest, ApprovalRule, ApprovalStep, GuestPass
from .exchange import Feed, Import, Imported
from .experiments import FEWEST_PAIRS, Experiment, Turn
from .handles import Handle
from .ideas import Idea, Pillar
from .initiatives import Initiative, SpokenOf
from .links import Click, Conversion, Coupon, DayKey, Link, LinkChoice, LinkSettings, OrderFile
from .mailing import Letter, Subscriber
from .planned import PlannedDay
from .posts import Attachment, Draft, Media, Part, Post, Sending, Settings, Stop, Version, seed
from .preflight import LinkLook, SavedPiece
from .rhythm import BestHour, Promise, Slot
from .series import LAST_DAY, Evergreen, Occurrence, Repetition, Series

__all__ = [
    "ApprovalDecision",
    "ApprovalRequest",
    "ApprovalRule",
    "ApprovalStep",
    "Attachment",
    "BestHour",
    "Click",
    "Conversion",
    "Coupon",
    "DayKey",
    "Draft",
    "Evergreen",
    "Experiment",
    "FEWEST_PAIRS",
    "Feed",
    "GuestPass",
    "Handle",
    "Idea",
    "Import",
    "Imported",
    "Initiative",
    "LAST_DAY",
    "Letter",
    "Link",
    "LinkChoice",
    "LinkLook",
    "LinkSettings",
    "Media",
    "Occurrence",
    "OrderFile",
    "Part",
    "Pillar",
    "PlannedDay",
    "Post",
    "Promise",
    "Repetition",
    "SavedPiece",
    "Sending",
    "Series",
    "Settings",
    "Slot",
    "SpokenOf",
    "Stop",
    "Subscriber",
    "Turn",
    "Version",
    "seed",
]
