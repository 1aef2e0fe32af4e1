"""What can happen to a person's record, and the sentence that tells it."""

from django.utils.translation import gettext_lazy as _

from tertulia.core.activity import declare

CHANGED = declare("member.changed", _("{who} changed the person's details"))
JOINED = declare("member.joined", _("{who} joined two records of one person"))
PARTED = declare("member.parted", _("{who} took two people apart again"))
