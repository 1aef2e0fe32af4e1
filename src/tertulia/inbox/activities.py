"""What can happen to a conversation, and the sentence that tells it."""

from django.utils.translation import gettext_lazy as _

from tertulia.core.activity import declare

RECEIVED = declare("conversation.received", _("{person} wrote"))
REPLIED = declare("conversation.replied", _("{who} answered"))
WITHDRAWN = declare("conversation.withdrawn", _("{who} took an answer back before it left"))
SENT = declare("delivery.sent", _("The answer was delivered"))
REFUSED = declare("delivery.refused", _("The channel refused the answer"))
UNKNOWN = declare("delivery.unknown", _("It is not known whether the answer arrived"))
DECIDED = declare("delivery.decided", _("{who} settled whether the answer had arrived"))
RETRIED = declare("delivery.retried", _("{who} sent the answer again"))
ASSIGNED = declare("conversation.assigned", _("{who} gave it to {to_name}"))
ROUTED = declare("conversation.routed", _("Given to {to_name}"))
UNASSIGNED = declare("conversation.unassigned", _("{who} left it without anybody in charge"))
LABELLED = declare("conversation.labelled", _("{who} put on the label {label}"))
UNLABELLED = declare("conversation.unlabelled", _("{who} took off the label {label}"))
NOTED = declare("note.added", _("{who} wrote a note"))
SNOOZED = declare("conversation.snoozed", _("{who} put it aside until {until}"))
WOKEN = declare("conversation.woken", _("It came back"))
CLOSED = declare("conversation.closed", _("{who} closed it: {reason}"))
REOPENED = declare("conversation.reopened", _("{who} opened it again"))
EDITED = declare("message.edited", _("{person} changed a message"))
DELETED = declare("message.deleted", _("{person} deleted a message"))
AT_RISK = declare("promise.at_risk", _("The promised time is about to run out"))
BROKEN = declare("promise.broken", _("The promised time has passed"))
OWNERLESS = declare("conversation.ownerless", _("Nobody here may answer it: it has nobody in charge"))
PROMISED = declare("promise.made", _("{who} changed what is promised"))
UNPROMISED = declare("promise.dropped", _("{who} took a promise away"))
