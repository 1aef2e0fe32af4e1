"""The record of processing (GDPR, Art. 30), read from how the brand is really set up; and what erasing can't reach."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from tertulia.brand.models import Brand
from tertulia.channels.forms import said
from tertulia.channels.models import Account, Erased, Message, Retention
from tertulia.community.models import Consent, Erasure, Member
from tertulia.connectors import registry
from tertulia.core import dates
from tertulia.publishing.models import Subscriber
from tertulia.team.models import Membership
from tertulia.understanding.models import Brain

from . import personal


def now_at(brand: Brand, at: datetime) -> datetime:
    """The moment as clocks at the brand show it, for a form."""
    return at.astimezone(ZoneInfo(brand.time_zone)).replace(tzinfo=None, second=0, microsecond=0)


def record(brand: Brand, *, at: datetime) -> dict[str, Any]:
    """What the page of the record shows."""
    accounts = list(Account.objects.filter(brand=brand).defer("secrets").order_by("name", "pk"))
    kept = dict(Retention.objects.filter(account__brand=brand).values_list("account", "months"))
    connectors = registry.all_connectors()
    channels = [
        {
            "account": account,
            "name": said(connectors[account.kind].name) if account.kind in connectors else account.kind,
            "months": kept.get(account.pk),
            "since": account.created_at,
        }
        for account in accounts
    ]
    brains = list(Brain.objects.filter(brand=brand, is_on=True).order_by("pk"))
    listed = Erased.objects.filter(brand=brand)
    return {
        "at": at,
        "channels": channels,
        "models": [(brain.model, urlsplit(brain.address).hostname or _("this machine")) for brain in brains],
        "people": Member.objects.filter(brand=brand, erasure__isnull=True).count(),
        "team": Membership.objects.filter(brand=brand, user__is_active=True).count(),
        "consents": Consent.objects.filter(member__brand=brand, withdrawn_at=None).count(),
        "subscribers": Subscriber.objects.filter(list__brand=brand, state="confirmed").count(),
        "has_newsletters": any(account.capabilities.letters for account in accounts if account.kind in connectors),
        "erased": listed.filter(is_person=True).count(),
        "kept_out": sum(listed.values_list("kept_out", flat=True)),
        "copies_days": personal.KEPT.days,
        "erasures": Erasure.objects.filter(member__brand=brand, done_at=None).count(),
    }


def left(erasure: Erasure) -> list[str]:
    """What of an erased person is where we can't reach, and what to do about it, in sentences."""
    found, sentences = erasure.left, list[str]()
    if names := found.get("network"):
        sentences.append(
            _("What they wrote stands on the network itself ({channels}) until they or you delete it there.").format(
                channels=", ".join(names)
            )
        )
    if names := found.get("mail"):
        sentences.append(
            _("Their mails, and our answers, are still on the mail server of {channels}. Delete them there.").format(
                channels=", ".join(names)
            )
        )
    if addresses := found.get("models"):
        hosts = sorted({urlsplit(each).hostname or each for each in addresses})
        sentences.append(
            _("Masked texts of theirs left for {models} in the last 30 days. Ask there how long they are kept.").format(
                models=", ".join(hosts)
            )
        )
    if ids := found.get("quotes"):
        text = ngettext(
            "{n} post that is out quotes them. Delete it there, or take the quote out of it.",
            "{n} posts that are out quote them. Delete them there, or take the quotes out of them.",
            len(ids),
        )
        sentences.append(text.format(n=len(ids)))
    if count := found.get("programs"):
        text = ngettext(
            "{n} message to other programs (webhooks) told of them, by numbers. Tell whoever runs those programs.",
            "{n} messages to other programs (webhooks) told of them, by numbers. Tell whoever runs those programs.",
            count,
        )
        sentences.append(text.format(n=count))
    if ids := found.get("originals"):
        shown = Message.objects.filter(pk__in=ids).count()
        if shown:
            text = ngettext(
                "{n} mail of somebody else named them. Its text was cleaned here; the mail as it arrived was kept, "
                "because it is that other person's.",
                "{n} mails of others named them. Their texts were cleaned here; the mails as they arrived were kept, "
                "because they are those other people's.",
                shown,
            )
            sentences.append(text.format(n=shown))
    moment = parse_datetime(found.get("backups", "")) or erasure.at
    day = dates.day(moment.astimezone(ZoneInfo(erasure.member.brand.time_zone)).date())
    sentences.append(
        _(
            "Backups made up to {day} still hold them until you throw those away. "
            "If one is put back, the list of erasures takes them out again."
        ).format(day=day)
    )
    return sentences
