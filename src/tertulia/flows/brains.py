"""After the shipped model has read a message the brand's bigger brains may say more, and the conversation shows it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from tertulia.channels.models import Message
from tertulia.core import clock, jobs
from tertulia.inbox import understood
from tertulia.understanding import brains
from tertulia.understanding.models import MessageReading


def ask_for_more(message_ids: Sequence[int]) -> None:
    """Let brains read these messages, in a job of their own: nothing waits for it."""
    brands = set(MessageReading.objects.filter(pk__in=message_ids).values_list("brand_id", flat=True))
    if brands and brains.on(brands):
        jobs.enqueue(read, message_ids=list(message_ids))


@jobs.task("brains.read", attempts=2, at_once=2)
def read(*, message_ids: list[int]) -> None:
    at = clock.now()
    known = Message.objects.filter(
        pk__in=message_ids, reading__isnull=False, deleted_at__isnull=True, identity__restriction__isnull=True
    )
    of_brand: dict[int, list[Message]] = defaultdict(list)
    for message in known.select_related("identity", "reading").order_by("pk"):
        of_brand[message.reading.brand_id].append(message)
    changed: set[int] = set()
    for brain in brains.on(of_brand):
        changed.update(brains.read_more(brain, of_brand[brain.brand_id], at=at))
    understood.note_messages(changed)


@jobs.periodic("brains.prune", seconds=6 * 3600)
def prune() -> None:
    brains.prune(at=clock.now())
