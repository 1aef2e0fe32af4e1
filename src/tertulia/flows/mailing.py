"""From a post on a list to a mail in somebody's mailbox: what its letters say, and what is told of them.

The letters' rows are written and released by `publishing.mailing`, and leave as every delivery does (`flows.outbound`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from tertulia.channels.models import LETTER, Account, Delivery, RemotePost
from tertulia.connectors.contract import Envelope, Letter, Picture, Refused
from tertulia.core import clock, jobs
from tertulia.core.html import render
from tertulia.publishing import dealing, mailing, saying
from tertulia.publishing.models import Letter as Row
from tertulia.publishing.models import Post, Subscriber
from tertulia.team.models import Membership

NO_MAILBOX = gettext_noop("No mailbox is known that could send this newsletter. Name one in the channel's settings.")
NO_FOOTER = gettext_noop("The newsletter doesn't say who sends it. Add a postal address in the channel's settings.")
NO_POST = gettext_noop("The post is no longer there.")
NOT_IN_THE_TEAM = gettext_noop("They are no longer in the team.")
NOT_ON_THE_LIST = gettext_noop("They are no longer on the list.")


@jobs.task("mailing.write", at_once=1)
def write_letters(*, post_id: int) -> None:
    at = clock.now()
    mailing.write(post=RemotePost(pk=post_id), at=at)
    mailing.release(at=at)


_LETTERS = (
    "SELECT 1 FROM tertulia_channels_delivery WHERE state = 'waiting' AND act = 'letter'"
    " UNION ALL SELECT 1 FROM tertulia_channels_delivery WHERE state = 'queued' AND act = 'letter'"
)


@jobs.periodic("mailing.release", seconds=30, when=_LETTERS)
def release_tick() -> None:
    mailing.release(at=clock.now())


def check(list: Account) -> None:
    """Raises `Refused` for a list whose letters could not leave, before anything is published."""
    if mailing.mailbox_of(list) is None:
        raise Refused(NO_MAILBOX)
    if not mailing.footer_of(list):
        raise Refused(NO_FOOTER)


def begin(delivery: Delivery) -> None:
    """It is published: its letters are written, by a job that leaves with the caller's transaction."""
    if mailing.is_list(delivery.account):
        jobs.enqueue(write_letters, post_id=delivery.post_id)


def letter_of(delivery: Delivery, content: Callable[[Mapping[str, Any]], bytes]) -> Letter:
    """What it says, to a person who is still to get it. Raises `Refused`."""
    if delivery.post and delivery.post.draft.get("is_test"):
        return _test(delivery, delivery.post, content)
    row = Row.objects.select_related("subscriber__list__brand").filter(delivery=delivery).first()
    person = row.subscriber if row else None
    wanted = Subscriber.State.ASKED if row and row.is_welcome else Subscriber.State.CONFIRMED
    if row is None or person is None or person.state != wanted or not person.address or delivery.post is None:
        raise Refused(NOT_ON_THE_LIST)
    with translation.override(person.list.brand.language):
        if row.is_welcome:
            return _welcome(person)
        leave = _address("subscription_end", person)
        said = dealing.letter_for(delivery.post.draft, person.token)
        return replace(_news(person.list, said, content, leave=leave), to=person.address, leave=leave)


def _test(delivery: Delivery, post: RemotePost, content: Callable[[Mapping[str, Any]], bytes]) -> Letter:
    """To whoever asked for it, as long as the post is there and they are in the team."""
    list = Account.objects.select_related("brand").get(pk=post.account_id)
    team = Membership.objects.filter(brand=list.brand, user=delivery.created_by_id, user__is_active=True)
    member = team.select_related("user").first()
    if member is None:
        raise Refused(NOT_IN_THE_TEAM)
    if not Post.objects.filter(pk=post.draft["of"]).exists():
        raise Refused(NO_POST)
    with translation.override(list.brand.language):
        letter = _news(list, post.draft, content, leave="")
        subject = _("Test: {subject}").format(subject=letter.subject)
        return replace(letter, to=member.user.email, subject=subject, list_id="", list_name="")


def _welcome(person: Subscriber) -> Letter:
    list = person.list
    about = {
        "list": list, "brand": list.brand, "url": _address("subscription", person), "consent": person.consent,
        "footer": mailing.footer_of(list),
    }  # fmt: skip
    return Letter(
        to=person.address,
        subject=_("Do you want “{list}” by e-mail?").format(list=list.name),
        text=_plain(render_to_string("flows/mail/welcome.txt", about)),
        html=render_to_string("flows/mail/welcome.html", about),
        sender=mailing.sender_of(list),
        language=list.brand.language,
    )


def _news(
    list: Account, said: Mapping[str, Any], content: Callable[[Mapping[str, Any]], bytes], *, leave: str
) -> Letter:  # fmt: skip
    """What everybody gets; to whom, and that they can leave with one press, is the caller's to say. Without `leave` it
    says that it is a test."""
    kept = saying.draft_of(said, content=content).pictures
    pictures = [
        Picture(one.name, one.type, one.size, one.width, one.height, one.alt, f"p{n}.{list.pk}", one.content)
        for n, one in enumerate(kept)
    ]
    about = {
        "list": list, "brand": list.brand, "title": said.get("title", ""), "text": said["text"],
        "html": render(said["text"]), "pictures": [(f"cid:{one.id}", one) for one in pictures],
        "leave": leave, "footer": mailing.footer_of(list),
    }  # fmt: skip
    return Letter(
        to="",
        subject=said.get("title", ""),
        text=_plain(render_to_string("flows/mail/letter.txt", about)),
        html=render_to_string("flows/mail/letter.html", about),
        sender=mailing.sender_of(list),
        language=list.brand.language,
        pictures=pictures,
        list_id=f"{list.public_key}.newsletter",
        list_name=list.name,
    )


def _plain(text: str) -> str:
    return text.strip()


def _address(name: str, person: Subscriber) -> str:
    return f"{settings.PUBLIC_URL}{reverse(name, args=[person.token])}"


def sort_out(account: Account, envelopes: Sequence[Envelope], *, at: datetime) -> list[Envelope]:
    """What of a reading is no business of the inbox: letters that came back, which their subscriber bears from now on,
    and our own letters, which some servers put among what was sent."""
    returned = {one.in_reply_to: one.text for one in envelopes if one.verb == "returned" and one.in_reply_to}
    keys = [one.key for one in envelopes if one.is_ours and one.key]
    ours = set(Delivery.objects.filter(key__in=keys, act=LETTER).values_list("key", flat=True)) if keys else set()
    back = mailing.came_back(letters=returned, box=account, at=at) if returned else set()
    return [one for one in envelopes if not (one.is_ours and one.key in ours) and not (
        one.verb == "returned" and one.in_reply_to in back
    )]  # fmt: skip
