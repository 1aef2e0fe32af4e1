"""What can happen to a reading, and the sentence that tells it."""

from django.utils.translation import gettext_lazy as _

from tertulia.core.activity import declare

CORRECTED = declare("reading.corrected", _("{who} corrected what was understood of a message"))
UNCORRECTED = declare("reading.uncorrected", _("{who} took back a correction of what was understood"))
