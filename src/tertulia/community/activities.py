"""What can happen to a person's record, and the sentence that tells it."""

from django.utils.translation import gettext_lazy as _

from tertulia.core.activity import declare

CHANGED = declare("member.changed", _("{who} changed the person's details"))
JOINED = declare("member.joined", _("{who} joined two records of one person"))
RESTRICTED = declare("member.restricted", _("{who} restricted the person's data"), is_public=False)
UNRESTRICTED = declare("member.unrestricted", _("{who} lifted the restriction of the person's data"), is_public=False)
CONSENTED = declare("member.consented", _("{who} wrote down that the person agreed"), is_public=False)
WITHDREW = declare("member.withdrew", _("{who} wrote down that the person no longer agrees"), is_public=False)
EXPORTING = declare("member.exporting", _("{who} asked for a copy of the person's data"), is_public=False)
EXPORTED = declare("member.exported", _("A copy of the person's data was made"), is_public=False)
TAKEN_ALONG = declare("member.taken_along", _("{who} downloaded a copy of the person's data"), is_public=False)
ERASING = declare("member.erasing", _("{who} asked to erase the person's data"), is_public=False)
REQUEST_NOTED = declare("data_request.noted", _("{who} wrote down what is asked about data"), is_public=False)
REQUEST_DUE = declare("data_request.due", _("What was asked about data is to be answered soon"), is_public=False)
REQUEST_SETTLED = declare("data_request.settled", _("{who} settled what was asked about data"), is_public=False)
ERASED = declare("member.erased", _("The person's data was erased"))
TESTIMONIAL_ADDED = declare("testimonial.added", _("{who} added what somebody says of the brand"), is_public=False)
TESTIMONIAL_CHANGED = declare(
    "testimonial.changed", _("{who} changed what somebody says of the brand"), is_public=False
)
TESTIMONIAL_REMOVED = declare(
    "testimonial.removed", _("{who} removed what somebody said of the brand"), is_public=False
)
TESTIMONIAL_CONSENT = declare(
    "testimonial.consent", _("{who} wrote down whether a testimonial may be quoted"), is_public=False
)
TESTIMONIAL_ENDED = declare(
    "testimonial.ended", _("A testimonial that is in use may not be quoted any more"), is_public=False
)
PARTED = declare("member.parted", _("{who} took two people apart again"))
