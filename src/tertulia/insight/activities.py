"""What people decide about what is counted, and the sentence that tells it."""

from django.utils.translation import gettext_lazy as _

from tertulia.core.activity import declare

DISMISSED = declare("question.dismissed", _("{who} said that a repeated question needs no saved reply"))
RESTORED = declare("question.restored", _("{who} put a repeated question back on the list"))
