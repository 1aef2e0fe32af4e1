"""What this room holds of people (`core.personal`): of those who sign in, not of those who write."""

from tertulia.core.personal import none

from .models import Absence, Invitation, Membership, Notification, Shift, Skill, User

none(
    "People of the team, who sign in: their manager and they themselves see to it.",
    User, Membership, Skill, Shift, Absence, Invitation, "team.User_groups", "team.User_user_permissions",
    "account.EmailAddress", "account.EmailConfirmation", "mfa.Authenticator", "socialaccount.SocialAccount",
    "socialaccount.SocialToken", "usersessions.UserSession",
)  # fmt: skip
none("An id of the feed and an address of ours; the sentence is the activity's.", Notification)
none("Of the team's browsers; ends by itself.", "sessions.Session")
none(
    "Django's own tables; no people.",
    "auth.Permission", "auth.Group", "auth.Group_permissions", "contenttypes.ContentType", "socialaccount.SocialApp",
)  # fmt: skip
