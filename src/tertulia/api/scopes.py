"""What a token may be allowed. A scope never gives more than its user's role does: both must allow a call."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SCOPES: dict[str, str | Promise] = {
    "brand:read": _("See the brand and its team"),
    "channels:read": _("See the connected channels and how they are doing"),
    "conversations:read": _("Read conversations, messages, notes, labels and saved replies"),
    "conversations:write": _("Assign, label, put aside, close and reopen conversations, and write notes"),
    "replies:write": _("Answer people in the brand's name"),
    "people:read": _("Read who the people are, with their e-mail and phone"),
    "readings:create": _("Have texts read: language, feeling, kind, urgency"),
    "conversions:write": _("Report orders, so that the link or post that earned them is known"),
    "ideas:read": _("Read the board of ideas"),
    "ideas:write": _("Put ideas on the board"),
    "posts:read": _("See the posts, how far they have come, and the library"),
    "posts:write": _("Write posts, bring pictures and ask for approval"),
    "posts:publish": _("Schedule posts, publish them, cancel, settle and delete them"),
    "posts:approve": _("Approve posts in your name, or ask for changes"),
    "webhooks:manage": _("Add, change and remove webhooks"),
}
