"""What the journeys themselves add to the feed."""

from django.utils.translation import gettext_lazy as _

from tertulia.core.activity import declare

CALL_NOTED = declare("call.noted", _("{who} wrote down a call"))
VISIT_NOTED = declare("visit.noted", _("{who} wrote down a talk in the shop"))
MESSAGE_NOTED = declare("message.noted", _("{who} wrote down what {person} wrote there"))
RETENTION_SET = declare(
    "retention.set",
    _("{who} decided that {account} keeps conversations for {months} months (0: for ever)"),
    is_public=False,
)
FORGOTTEN = declare("retention.applied", _("{n} old conversations of {account} were erased"), is_public=False)
