"""After a backup was put back: nothing leaves by itself, and what may have left since it was made is not sent again.

What was due is in doubt, with what waits behind it, and looked for where that can be done (`flows.outbound`). Nobody
can look into other people's mailboxes: of newsletters a person decides, before any mail is written, or of all that
wait. What is planned for later is held by the stop: somebody may have published it sooner. Before it leaves it is
looked for, and where nobody can look a person is asked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Greatest
from django.utils import translation
from django.utils.translation import gettext, ngettext

from tertulia.brand.models import Brand
from tertulia.channels.models import LETTER, POSTING, Account, Delivery
from tertulia.core import jobs
from tertulia.core.models import Heartbeat
from tertulia.inbox.models import AutomaticReply
from tertulia.publishing import actions as publishing
from tertulia.publishing import mailing as newsletters
from tertulia.publishing import queries, relays

from .mailing import write_letters
from .outbound import RESTORED

S = Delivery.State
STOPPABLE = (*POSTING, LETTER, "reply")
"""What a stop holds; other acts are left to people at once."""
SHOWN = 20
"""So many planned posts are named."""
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Waiting:
    """What leaves of one brand once somebody lets it go on, and what people decide about before."""

    brand: Brand
    planned: list[tuple[datetime, str, str]]
    """The next posts that are due later: when, on which account, their first words."""
    more: int
    """Planned posts that aren't named."""
    answers: int
    """Answers that were not due yet when the backup was put back."""
    ahead: queries.Restored
    """What becomes of these and of the planned posts."""
    doubtful: int
    """Posts and answers that were due since it was made, with what follows them: they are looked for where that can be
    done."""
    newsletters: int
    """Newsletters whose mails may have been written since: people decide."""
    letters: int
    """Mails of newsletters that may have left since: people decide, of all of a newsletter at once."""
    acts: int
    """Other acts that may have been done since: people decide."""


@transaction.atomic
def hold_everything(*, made_at: datetime, at: datetime) -> list[Waiting]:
    """Stop every brand, answers too, as of a database that was true at `made_at`; returns what waits in each."""
    Session.objects.all().delete()  # those that were ended since would live again
    Heartbeat.objects.all().delete()
    AutomaticReply.objects.update(since=at)  # what is read once more was answered then
    relays.begin_anew(at=at)
    open_rows = Delivery.objects.exclude(state__in=[S.SENT, S.CANCELLED])
    open_rows.exclude(act=LETTER).update(restored_at=at)
    under_way = Delivery.objects.filter(state__in=[S.QUEUED, S.SENDING])
    waiting = Delivery.objects.filter(state=S.WAITING)
    due = under_way.filter(Q(state=S.SENDING) | Q(due_at__lte=at))
    lists = [list.pk for brand in Brand.objects.all() for list in newsletters.lists(brand)]
    unwritten = [job["post_id"] for job in jobs.take_back(write_letters)]
    mailings = due.filter(account__in=lists) | Delivery.objects.filter(post__in=unwritten, state=S.SENT)
    asked = {
        "acts": _leave_to_people(under_way.exclude(act__in=STOPPABLE), at=at),
        "newsletters": _leave_to_people(mailings.filter(act__in=POSTING), at=at),
        "letters": _leave_to_people(under_way.filter(act=LETTER) | waiting.filter(act=LETTER), at=at),
    }
    doubtful = due.filter(act__in=STOPPABLE)
    doubtful.update(
        in_doubt_since=Coalesce("in_doubt_since", Greatest("due_at", Value(made_at))), why=RESTORED,
        attempts=Greatest("attempts", Value(1)), state=S.SENDING, lease_until=at, fence=F("fence") + 1,
    )  # fmt: skip
    before = Delivery.objects.filter(
        account=OuterRef("account"), thread_id=OuterRef("thread_id"), state__in=[S.SENDING, S.UNKNOWN], act__in=POSTING
    )
    waiting.filter(Exists(before), act__in=POSTING).update(in_doubt_since=made_at, why=RESTORED, attempts=1)
    Account.objects.filter(next_poll_at__isnull=False).update(next_poll_at=at)
    Account.objects.update(poll_lease_until=None, renew_lease_until=None, listen_lease_until=None)
    return [_held(brand, asked, at=at) for brand in Brand.objects.order_by("name", "pk")]


def _leave_to_people(deliveries: QuerySet[Delivery], *, at: datetime) -> Counter[int]:
    """Returns how many of each brand."""
    found = list(deliveries.order_by("pk").values_list("pk", "account__brand"))
    for first in range(0, len(found), AT_ONCE):
        some = [id for id, _brand in found[first : first + AT_ONCE]]
        Delivery.objects.filter(pk__in=some).update(
            state=S.UNKNOWN, why=RESTORED, lease_until=None, finished_at=at, fence=F("fence") + 1
        )
        jobs.enqueue("outbound.tell_inbox", delivery_ids=some)
    return Counter(brand for _id, brand in found)


def _held(brand: Brand, asked: Mapping[str, Counter[int]], *, at: datetime) -> Waiting:
    with translation.override(brand.language):
        because = gettext("A backup was restored.")
    publishing.stop(brand=brand, by=None, at=at, because=because, holds_answers=True)
    mine = Delivery.objects.filter(account__brand=brand)
    later = mine.filter(state=S.QUEUED)
    posts = later.filter(act="post").order_by("due_at", "pk")
    planned = posts.select_related("account", "post").defer("account__secrets")[:SHOWN]
    return Waiting(
        brand,
        [(each.due_at, each.account.name, _words(each)) for each in planned],
        max(posts.count() - SHOWN, 0),
        later.exclude(act__in=POSTING).count(),
        queries.restored(brand),
        mine.filter(restored_at=at, in_doubt_since__isnull=False, state__in=[S.SENDING, S.WAITING]).count(),
        **{name: counted[brand.pk] for name, counted in asked.items()},
    )


def _words(delivery: Delivery) -> str:
    text = str(delivery.post.draft.get("text", "")) if delivery.post else ""
    return " ".join(text.split())[:60]


def told(waiting: list[Waiting]) -> Iterator[str]:
    """In sentences, for whoever restored."""
    for each in waiting:
        yield gettext("{brand}: nothing leaves until somebody lets it go on.").format(brand=each.brand)
        for due_at, account, words in each.planned:
            yield f"  {due_at:%Y-%m-%d %H:%M} UTC  {account}: {words}"
        if each.more:
            yield "  " + gettext("and {n} more posts that are planned").format(n=each.more)
        if each.answers:
            yield "  " + ngettext("{n} answer waits", "{n} answers wait", each.answers).format(n=each.answers)
        for says in each.ahead.says:
            yield "  " + says
        if each.doubtful:
            says = gettext(
                "{n} that were due since the backup was made may be out already: they are looked for on the network,"
                " and where nobody can look a person is asked"
            )
            yield "  " + says.format(n=each.doubtful)
        if each.newsletters:
            says = ngettext(
                "{n} newsletter may be out already: a person is asked before anybody gets it",
                "{n} newsletters may be out already: a person is asked before anybody gets them",
                each.newsletters,
            )
            yield "  " + says.format(n=each.newsletters)
        if each.letters:
            says = gettext("{n} mails of newsletters may have left already: a person is asked, of all of one at once")
            yield "  " + says.format(n=each.letters)
        if each.acts:
            says = gettext("{n} other acts may have been done since: a person is asked")
            yield "  " + says.format(n=each.acts)
