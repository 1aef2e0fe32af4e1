"""What can happen to a campaign or a plan, and the sentence that tells it."""

from django.utils.translation import gettext_lazy as _

from tertulia.core.activity import declare

BEGUN = declare("campaign.begun", _("{who} began the campaign “{campaign}”"))
CHANGED = declare("campaign.changed", _("{who} changed the campaign “{campaign}”"))
CLOSED = declare("campaign.closed", _("{who} closed the campaign “{campaign}”"))
REOPENED = declare("campaign.reopened", _("{who} opened the campaign “{campaign}” again"))
PLAN_BEGUN = declare("plan.begun", _("{who} began the plan “{plan}”"))
PLAN_CHANGED = declare("plan.changed", _("{who} changed the plan “{plan}”"))
PLAN_AT_WORK = declare("plan.at_work", _("{who} put the plan “{plan}” to work"))
PLAN_REMOVED = declare("plan.removed", _("{who} removed the plan “{plan}”"))
