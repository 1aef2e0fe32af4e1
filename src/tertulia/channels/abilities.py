"""What can be done on a channel with each kind of message, in words: the connector's own table, line by line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tertulia.connectors import registry
from tertulia.connectors.contract import Can, Capabilities, Connector, Publishes
from tertulia.core import dates

from .forms import said
from .models import POSTING, Account

KINDS = {
    "comment": gettext_lazy("Comment under something of ours"),
    "mention": gettext_lazy("Mention elsewhere"),
    "review": gettext_lazy("Review"),
    "direct": gettext_lazy("Private message"),
    "chat": gettext_lazy("Chat"),
    "email": gettext_lazy("Mail"),
    "call": gettext_lazy("Call"),
    "visit": gettext_lazy("Talk in person"),
    "article": gettext_lazy("Article"),
}
"""What people call each kind of message, in the order they are shown."""


@dataclass(frozen=True, slots=True)
class Ability:
    """A line of the table. `cells` says of each kind shown, by its name, whether it is possible with it."""

    name: str
    cells: Sequence[tuple[Any, bool]]
    within: str = ""
    note: str = ""
    undo: str = ""


def kinds(account: Account) -> list[str]:
    """What comes in there, in the order of `KINDS`."""
    read = account.connector.noted_kinds(account)
    return [kind for kind in KINDS if kind in read]


def table(lines: Iterable[Can], shown: Sequence[str]) -> list[Ability]:
    """The lines in words, with each of the kinds shown."""
    return [
        Ability(
            words(line.act)[0], [(KINDS[kind], not line.on or kind in line.on) for kind in shown],
            _within(line), said(line.note),
            words(line.act)[1] if line.undoes else "",
        )
        for line in lines
    ]  # fmt: skip


def impossible(connector: type[Connector]) -> list[tuple[str, str]]:
    """What people would look for in vain, and why."""
    return [(words(act)[0], said(why)) for act, why in connector.capabilities.cannot.items()]


def capabilities(kind: str) -> Capabilities:
    """Of a connector; none of one that isn't installed."""
    try:
        return registry.get(kind).capabilities
    except registry.UnknownConnector:
        return Capabilities()


def memory(kind: str, act: str) -> Capabilities | Publishes:
    """What a network knows afterwards of such an act, by its key or by looking."""
    can = capabilities(kind)
    return can.publishes or Publishes() if act in POSTING else can


def once_restored(kind: str, act: str) -> Literal["leaves", "looked_for", "asked"]:
    """What becomes of a post or an answer that a backup brought back, when its time comes: it may have left since that
    was made. Our own page was restored, too, and what people do by hand they see themselves."""
    can = capabilities(kind)
    if memory(kind, act).finds:
        return "looked_for"
    return "leaves" if can.hosted or can.by_hand else "asked"


def _within(line: Can) -> str:
    if line.within is None:
        return ""
    time = dates.span(int(line.within.total_seconds() // 60))
    if line.since == "message":
        return _("within {time} of the message").format(time=time)
    return _("within {time} of the last thing the person wrote").format(time=time)


def words(act: str) -> tuple[str, str, str]:
    """What an act, its undoing and its having been done are called."""
    return {
        "reply": (_("Reply"), "", ""),
        "like": (_("Like"), _("Take the like back"), _("Liked")),
        "boost": (_("Share"), _("Stop sharing"), _("Shared")),
        "delete": (_("Delete it there"), _("Put it back"), _("Deleted there")),
        "remove": (_("Remove for everybody"), _("Put it back"), _("Removed")),
        "hide": (_("Hide"), _("Show again"), _("Hidden")),
        "approve": (_("Approve"), _("Hold back again"), _("Approved")),
        "hold": (_("Hold back"), _("Approve after all"), _("Held back")),
        "spam": (_("Mark as spam"), _("It isn't spam"), _("Marked as spam")),
        "report": (_("Report to the network"), "", _("Reported to the network")),
        "mute": (_("Mute the person"), _("Stop muting"), _("Person muted")),
        "block": (_("Block the person"), _("Unblock"), _("Person blocked")),
        "kick": (_("Put the person out"), "", _("Person put out")),
        "ban": (_("Ban the person"), _("Lift the ban"), _("Person banned")),
        "restrict": (_("Restrict the person"), _("Lift the restriction"), _("Person restricted")),
    }.get(act, (act, act, act))
