"""What the desk tells a person: the page, the bell and a mail now and then.

A notification is a line of the activity feed with a person's name on it. Its words are made when it is read, in the
reader's language.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from tertulia.core import activity, clock, jobs, sentences
from tertulia.core.models import Activity

from . import mail
from .models import Notification, User

GATHER = timedelta(minutes=2)
"""How long a mail waits for what else may come."""
REST = timedelta(minutes=10)
"""Nobody gets two mails in less."""
TOO_OLD = timedelta(days=1)
AT_ONCE = 20

WORDS: Mapping[str, str | Promise] = {
    "assigned": _("{who} gave you the conversation with {person}"),
    "routed": _("The conversation with {person} is yours"),
    "mention": _("{who} mentions you in a note about {person}"),
    "at_risk": _("The time promised to {person} is about to run out"),
    "broken": _("The time promised to {person} has passed"),
    "refused": _("Your answer to {person} did not go out"),
    "unknown": _("It is not known whether your answer to {person} arrived"),
    "by_hand": _("Your answer to {person} waits for you to send it by hand"),
    "reminded": _("The answer to {person} still waits to be sent by hand"),
    "act": _("What you did with a message of {person} did not work"),
    "post": _("Something is to be done about the post “{title}” on {account}"),
    "approval": _("{who} asks you to approve the post “{title}”"),
    "woken": _("The conversation with {person} that you put aside is back"),
    "rule": _("The rule “{rule}” calls you to the conversation with {person}"),
    "attention": _("The account {account} needs attention: {trouble}"),
}
"""By reason, as it is said to the person it concerns; for others the feed's own sentence does."""


@dataclass(frozen=True, slots=True)
class Line:
    id: int
    text: str
    reason: str
    url: str
    at: datetime
    is_new: bool


def tell(*, users: Iterable[int], line: Activity, reason: str, url: str, at: datetime) -> None:
    """Leave a notification for each; once a person and activity, however often it is asked."""
    Notification.objects.bulk_create(
        [
            Notification(
                user_id=user, brand_id=line.brand_id, activity_id=line.pk, reason=reason, url=url, created_at=at
            )
            for user in users
        ],
        ignore_conflicts=True,
    )


def lines(notifications: Sequence[Notification]) -> list[Line]:
    """The notifications in words, in the present language; two queries for any number."""
    feed = Activity.objects.in_bulk([one.activity_id for one in notifications])
    people = {line.by_id for line in feed.values() if line.by_id}
    names = dict(User.objects.filter(pk__in=people).values_list("pk", "name")) if people else {}
    return [
        Line(
            id=one.pk,
            text=sentence(feed.get(one.activity_id), one.reason, names),
            reason=one.reason,
            url=one.url,
            at=one.created_at,
            is_new=one.read_at is None,
        )
        for one in notifications
    ]


def sentence(line: Activity | None, reason: str, names: Mapping[int, str]) -> str:
    if line is None:
        return gettext("This is no longer there")
    facts = _Facts(line.data)
    facts["who"] = names.get(line.by_id or 0) or gettext("Somebody")
    facts["person"] = line.data.get("person") or gettext("somebody")
    kind = activity.types()[line.type]
    facts.update({name: sentences.told(str(facts[name])) for name in kind.says})
    return str(WORDS.get(reason) or kind.sentence).format_map(facts)


class _Facts(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "…"


@jobs.periodic("team.digest", seconds=60)
def digest() -> None:
    """Mail to each person what they have not read, all at once and not too often."""
    if mail.is_set_up():
        at = clock.now()
        waiting = (
            Notification.objects.unread()
            .filter(mailed_at=None, created_at__gt=at - TOO_OLD, created_at__lte=at - GATHER)
            .filter(user__is_active=True, user__notifies_by_mail=True)
            .select_related("user", "brand")
            .order_by("user_id", "id")
        )
        for user, mine in groupby(waiting, key=lambda one: one.user):
            if not Notification.objects.filter(user=user, mailed_at__gt=at - REST).exists():
                _mail(user, list(mine), at=at)


def _mail(user: User, waiting: list[Notification], *, at: datetime) -> None:
    with translation.override(user.language or waiting[0].brand.language):
        told = lines(waiting[:AT_ONCE])
        facts = {
            "user": user,
            "lines": told,
            "more": max(0, len(waiting) - AT_ONCE),
            "base": settings.PUBLIC_URL,
            "brand": waiting[0].brand,
        }
        subject = ngettext("{n} notification", "{n} notifications", len(waiting)).format(n=len(waiting))
        if len(waiting) == 1:
            subject = told[0].text
        mail.send(
            to=user.email,
            subject=f"{settings.EMAIL_SUBJECT_PREFIX}{subject}",
            text=render_to_string("team/mail/digest.txt", facts),
            html=render_to_string("team/mail/digest.html", facts),
        )
    Notification.objects.filter(pk__in=[one.pk for one in waiting]).update(mailed_at=at)
