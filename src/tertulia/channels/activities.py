"""What the feed can tell about accounts."""

from django.utils.translation import gettext_lazy as _

from tertulia.core import activity

CONNECTED = activity.declare("account.connected", _("{who} connected the account {account}"))
CHANGED = activity.declare("account.changed", _("{who} changed the settings of the account {account}"))
RECONNECTED = activity.declare("account.reconnected", _("{who} connected the account {account} again"))
PAUSED = activity.declare("account.paused", _("{who} paused the account {account}"))
RESUMED = activity.declare("account.resumed", _("{who} resumed the account {account}"))
ATTENTION = activity.declare(
    "account.attention", _("The account {account} needs attention: {trouble}"), says=("trouble",)
)
EXPIRING = activity.declare(
    "account.expiring", _("The access of the account {account} ends on {ends}: connect it again")
)
MALWARE = activity.declare(
    "message.malware",
    _("Malware came with a message on {account} ({found}): nobody gets its files from here"),
    is_public=False,
)
SETTLED = activity.declare(
    "quarantine.settled", _("{who} dealt with a delivery of {account} that could not be read"), is_public=False
)
