"""What this room holds of people (`core.personal`): of those who sign in, and in mails to them of those who write."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from tertulia.brand.models import Brand
from tertulia.core.models import Job
from tertulia.core.personal import Person, named, none

from .models import Absence, Invitation, Membership, Notification, Shift, Skill, User

_OVER = [Job.State.DONE, Job.State.FAILED]


def _mails(person: Person) -> QuerySet[Job]:
    """Mails to the brand's team: each leads to its pages. A job belongs to no brand by itself."""
    slug = Brand.objects.values_list("slug", flat=True).get(pk=person.brand)
    args = Q(args__icontains=f"/b/{slug}/")
    return Job.objects.filter(args).exclude(state=Job.State.RUNNING)


named(Job, _("Mails to the team"), "args", "error", within=_mails, drops=True)
named(
    Job, _("Background work"), "args", "error", drops=True, is_told=False,
    within=lambda p: Job.objects.filter(state__in=_OVER),
)  # fmt: skip
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
