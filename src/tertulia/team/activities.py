"""What the feed can tell about the team."""

from django.utils.translation import gettext_lazy as _

from tertulia.core import activity

INVITED = activity.declare("team.invited", _("{who} invited {email}"), is_public=False)
INVITATION_WITHDRAWN = activity.declare(
    "team.invitation_withdrawn", _("{who} withdrew the invitation of {email}"), is_public=False
)
JOINED = activity.declare("team.joined", _("{who} joined the team"))
CHANGED = activity.declare("team.changed", _("{who} changed the role of {person} to {role}"))
REMOVED = activity.declare("team.removed", _("{who} took {person} off the team"))
