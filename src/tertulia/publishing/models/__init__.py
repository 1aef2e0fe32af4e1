"""The nouns of the room, a file each theme."""

from .approval import ApprovalDecision, ApprovalRequest, ApprovalRule, ApprovalStep, GuestPass
from .exchange import Feed, Import, Imported
from .experiments import FEWEST_PAIRS, Experiment, Turn
from .handles import Handle
from .ideas import Idea, Pillar
from .initiatives import Initiative, SpokenOf
from .kits import Kit, KitLink
from .links import Click, Conversion, Coupon, DayKey, Link, LinkChoice, LinkSettings, OrderFile
from .mailing import Letter, Subscriber
from .planned import PlannedDay
from .posts import Attachment, Draft, Media, Part, Post, Sending, Settings, Stop, Version, seed
from .preflight import LinkLook, SavedPiece
from .relays import Relay, Relayed
from .rhythm import BestHour, Promise, Slot
from .series import LAST_DAY, Evergreen, Occurrence, Repetition, Series
from .sharing import Share

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
    "Kit",
    "KitLink",
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
    "Relay",
    "Relayed",
    "Repetition",
    "SavedPiece",
    "Sending",
    "Series",
    "Settings",
    "Share",
    "Slot",
    "SpokenOf",
    "Stop",
    "Subscriber",
    "Turn",
    "Version",
    "seed",
]
