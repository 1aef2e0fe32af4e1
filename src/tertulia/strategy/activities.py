"""What can happen to a campaign, and the sentence that tells it."""

from django.utils.translation import gettext_lazy as _

from tertulia.core.activity import declare

BEGUN = declare("campaign.begun", _("{who} began the campaign “{campaign}”"))
CHANGED = declare("campaign.changed", _("{who} changed the campaign “{campaign}”"))
CLOSED = declare("campaign.closed", _("{who} closed the campaign “{campaign}”"))
REOPENED = declare("campaign.reopened", _("{who} opened the campaign “{campaign}” again"))
