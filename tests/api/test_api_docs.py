"""What docs/api.md says is so."""

import re
from datetime import timedelta
from pathlib import Path

from conftest import NOON
from tertulia.api import actions, allowance, body, webhooks
from tertulia.api.models import Event, Webhook
from tertulia.api.scopes import SCOPES
from tertulia.core import clock
from tertulia.core.crypto import Secrets

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text()


def test_every_scope_and_every_kind_of_event_is_documented():
    named = re.findall(r"^\| `([a-z_.:]+)`", TEXT, re.MULTILINE)
    assert [name for name in named if ":" in name] == list(SCOPES)
    assert [name for name in named if "." in name] == list(webhooks.offered_types())


def test_the_documented_limits_are_those_of_the_code():
    assert f"more than {allowance.CALLS_PER_MINUTE} calls" in TEXT
    assert f"larger than {body.MAX_BODY / 1_000_000} MB" in TEXT
    assert (timedelta(days=7), timedelta(hours=24)) == (actions.ANSWERS_KEPT, actions.OLD_SECRET_SIGNS)
    assert [wait.total_seconds() for wait in webhooks.WAITS] == [5, 60, 300, 1800, 3600, 10800, 21600]
    assert webhooks.door.total == 10


def test_the_example_of_verification_works():
    given: dict = {}
    exec(re.search(r"```python\n(.+?)```", TEXT, re.DOTALL)[1], given)
    secret, at = "whsec_" + "A" * 44, clock.now()
    event = Event(key="msg_1", type="webhook.test", body='{"type":"webhook.test"}', due_at=at, created_at=NOON)
    headers = webhooks.headers(Webhook(secrets=Secrets(current=secret)), event, at=at)
    assert given["read_event"](secret, headers, event.body.encode()) == {"type": "webhook.test"}
    assert given["read_event"](secret, headers, b'{"type":"forged"}') is None
