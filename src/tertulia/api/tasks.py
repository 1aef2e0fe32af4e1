"""The jobs of the room."""

from tertulia.core import clock, jobs

from . import actions, webhooks


@jobs.periodic("webhooks.collect", seconds=5, when="SELECT 1 FROM api_webhook WHERE state <> 'off'")
def collect() -> None:
    """Turn new activities into events, and let what is due go out."""
    webhooks.collect(at=clock.now())


@jobs.task("webhooks.deliver", attempts=3)
def deliver(*, webhook_id: int) -> None:
    webhooks.deliver(webhook_id=webhook_id)


@jobs.periodic("api.prune", seconds=6 * 60 * 60)
def prune() -> None:
    """Forget delivered events and kept answers once nobody can ask for them any more."""
    at = clock.now()
    webhooks.prune(at=at)
    actions.forget_old_answers(at=at)
