"""What monitors are told of this installation: numbers alone, no names and no texts.

Every statement here reads an index that holds only what is open, or a fixed number of rows, so that a scrape costs the
same whatever has piled up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Count

from tertulia.channels.models import Account, Delivery, Message, Quarantine
from tertulia.core import due, jobs, metrics, worker
from tertulia.core.backup import keeping
from tertulia.core.metrics import Family, Sample
from tertulia.core.models import Heartbeat

from . import outbound, polling

DAY = timedelta(days=1)
LATE = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)
NEWEST = 1_000
"""So many messages are looked at for how late they come in."""
# Words, not params, and in the order of the indexes: only then SQLite sees that one of some rows alone will do.
_ACTS = "'post', 'part', 'comment'"
_TABLE = Delivery._meta.db_table
_OPEN = " UNION ALL ".join(
    f"SELECT '{state}', count(*), 0 FROM {_TABLE} WHERE state = '{state}' AND act IN ({_ACTS})"  # noqa: S608 — our own
    for state in ("queued", "sending", "waiting", "by_hand")
)
_TROUBLE = (
    f"SELECT state, sum(CASE WHEN act IN ({_ACTS}) THEN 1 ELSE 0 END), count(*) FROM {_TABLE}"  # noqa: S608 — our own
    " WHERE state IN ('unknown', 'refused', 'missed') GROUP BY state"
)
_SENT = (
    f"SELECT due_at, finished_at FROM {_TABLE} WHERE state = 'sent' AND act IN ({_ACTS})"  # noqa: S608 — our own
    " AND finished_at > %s"
)


def families(at: datetime) -> Iterator[Family]:
    """All figures at this moment."""
    yield from _posts(at)
    yield from _channels(at)
    yield _queues(at)
    yield from _signs_of_life(at)
    yield from metrics.of_web()


def _posts(at: datetime) -> Iterator[Family]:
    found = due.rows(f"{_OPEN} UNION ALL {_TROUBLE}")
    sent = due.rows(_SENT, [at - DAY])
    posts = Counter({state: int(count) for state, count, _ in found}) + Counter({"sent": len(sent)})
    states = ("queued", "sending", "waiting", "by_hand", "unknown", "refused", "missed", "sent")
    says = "Parts of posts, one for each account, by state; sent: within the last 24 hours."
    yield Family("tertulia_posts", "gauge", says, [("", {"state": state}, posts[state]) for state in states])
    late = [_seconds(due.read_moment(ended), due.read_moment(was_due)) for was_due, ended in sent]
    samples = metrics.buckets(LATE, metrics.sorted_into(LATE, late), {})
    samples += [("_gcount", {}, len(late)), ("_gsum", {}, sum(late))]
    says = (
        "How long after its time each was sent that was within the last 24 hours; a repetition has a time of its own."
    )
    yield Family("tertulia_post_lateness_seconds", "gaugehistogram", says, samples)
    says = "Answers, acts and posts of which nobody knows whether they arrived."
    unknown = sum(int(count) for state, _, count in found if state == "unknown")
    yield Family("tertulia_deliveries_unknown", "gauge", says, [("", {}, unknown)])


def _channels(at: datetime) -> Iterator[Family]:
    accounts = {account.pk: account for account in Account.objects.defer("settings", "secrets", "cursor", "health")}
    labels = {pk: {"channel": str(pk), "kind": account.kind} for pk, account in accounts.items()}
    newest = Message.objects.order_by("-id").values_list("account_id", "direction", "sent_at", "received_at")[:NEWEST]
    lags: dict[int, float] = {}
    for account_id, direction, sent_at, received_at in newest:
        if direction == Message.Direction.IN:
            lags.setdefault(account_id, _seconds(received_at, sent_at))
    says = f"From writing to here, for the newest message among the last {NEWEST}."
    samples = [("", labels[pk], lag) for pk, lag in sorted(lags.items()) if pk in labels]
    yield Family("tertulia_channel_intake_lag_seconds", "gauge", says, samples)
    says = "Since the channel was last known to work."
    heard = [("", labels[pk], _seconds(at, one.last_success_at)) for pk, one in accounts.items() if one.last_success_at]
    yield Family("tertulia_channel_last_success_seconds", "gauge", says, heard)
    says = "Whether the channel needs attention (1) or not (0)."
    trouble = [("", labels[pk], one.state == Account.State.ATTENTION) for pk, one in accounts.items()]
    yield Family("tertulia_channel_needs_attention", "gauge", says, trouble)
    says = "Days until the access that the network granted ends."
    ends = [("", labels[pk], (one.expires_at - at) / DAY) for pk, one in accounts.items() if one.expires_at]
    yield Family("tertulia_channel_access_days", "gauge", says, ends)
    kept = Quarantine.objects.filter(settled_at=None).values_list("account").annotate(n=Count("pk")).order_by("account")
    says = "Mails and deliveries that could not be read and wait for somebody."
    yield Family("tertulia_quarantined", "gauge", says, [("", labels[pk], n) for pk, n in kept if pk in labels])


def _queues(at: datetime) -> Family:
    lanes = {"jobs": jobs.NEXT[0], "deliveries": outbound.NEXT[0], "accounts": polling.NEXT[0]}
    moments = due.moments(list(lanes.values()))
    says = "How long the oldest row waits that is due."
    samples = [("", {"queue": name}, _seconds(at, moment)) for name, moment in zip(lanes, moments, strict=True)]
    return Family("tertulia_queue_age_seconds", "gauge", says, samples)


def _signs_of_life(at: datetime) -> Iterator[Family]:
    beat = Heartbeat.objects.filter(name=worker.HEARTBEAT).first()
    says = "Since background work last gave a sign of life."
    heard: list[Sample] = [("", {}, _seconds(at, beat.at))] if beat else []
    yield Family("tertulia_work_silence_seconds", "gauge", says, heard)
    newest = keeping.newest_at()
    says = "Since the newest of the daily backups was made."
    kept: list[Sample] = [("", {}, _seconds(at, newest))] if newest else []
    yield Family("tertulia_backup_age_seconds", "gauge", says, kept)


def _seconds(later: datetime | None, earlier: datetime | None) -> float:
    return max((later - earlier).total_seconds(), 0.0) if later and earlier else 0.0
