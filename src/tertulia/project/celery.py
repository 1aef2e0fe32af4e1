"""Background work on any number of machines: Celery workers do it, the due tables still say what.

Every machine's `tertulia work` claims what is due and sends a message of three small facts (the table, the row and
its fence) to Redis or RabbitMQ; whichever worker receives it begins the row if that fence still stands. So a message
that is lost costs a minute, after which the row is due again, and one that comes twice is refused. More workers are
`tertulia work` on more machines, or Celery's own command where its pools, limits and monitors are wanted:

    celery --app tertulia.project.celery worker --pool threads
"""

from __future__ import annotations

import hashlib
import logging
import os
import socket
import threading
from collections.abc import Sequence

import django
from celery import Celery
from celery.worker import state
from django.apps import apps
from django.conf import settings
from kombu import Queue  # type: ignore[attr-defined]

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tertulia.project.settings")
if not apps.ready:  # Celery's own command begins here
    django.setup()

from tertulia.core import crypto, due, jobs, worker
from tertulia.flows import schedule

log = logging.getLogger(__name__)

STOP_SECONDS = 7.0
DAY = 24 * 60 * 60 * 1000
# Installations that share a broker must not take each other's work; what all machines of one share is this key.
QUEUE = "tertulia-" + hashlib.sha256(crypto.key_ring()[0].encode()).hexdigest()[:12]

app = Celery("tertulia", broker=settings.BROKER_URL or None, set_as_current=False)
app.conf.update(
    task_default_queue=QUEUE,
    # RabbitMQ forgets a queue that nobody has used for a day.
    task_queues=[Queue(QUEUE, queue_arguments={"x-expires": DAY})],  # type: ignore[no-untyped-call]
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    # What isn't begun within its claim is handed out anew, so that the old message may be forgotten.
    task_default_expires=jobs.LEASE.total_seconds(),
    task_publish_retry=False,
    worker_prefetch_multiplier=2,
    worker_hijack_root_logger=False,
    worker_enable_remote_control=False,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_connection_timeout=2,
    broker_transport_options={"socket_timeout": 5, "socket_connect_timeout": 2},
)


@app.task(name="tertulia.perform")  # type: ignore[untyped-decorator]
def perform(lane: str, id: int, fence: int) -> None:
    worker.perform(schedule.LANES[lane], (id, fence))


def hand_over(lane: str, tickets: Sequence[due.Ticket]) -> None:
    """Send claims to whichever machine has a hand free. Raises what the broker raises; nothing is lost by it."""
    with app.producer_or_acquire() as producer:
        for id, fence in tickets:
            perform.apply_async((lane, id, fence), producer=producer, expires=jobs.LEASE.total_seconds())


def work(stop: threading.Event) -> None:
    """This machine's share: a Celery worker, and the loop that claims. Ends within ten seconds after `stop`."""
    consumer = app.WorkController(
        app=app,
        hostname=f"work-{os.getpid()}@{socket.gethostname()}",
        pool="threads",
        concurrency=settings.WORK_THREADS * 2,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    state.should_stop = state.should_terminate = None
    consumer.timer.call_repeatedly(1.0, lambda: None)  # its loop sees a request to stop only when something happens
    thread = threading.Thread(target=consumer.start, name="celery", daemon=True)
    thread.start()
    schedule.work(stop, hand_over=hand_over)
    state.should_stop = os.EX_OK
    thread.join(STOP_SECONDS)
    if thread.is_alive():
        log.warning("Work that takes too long is left to its lease.")
        os._exit(os.EX_OK)
