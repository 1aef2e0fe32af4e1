"""What docs/api.md says is so."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from callers import program
from time_machine import travel

from conftest import NOON
from publishing.publishing_cast import account_of, network, picture  # noqa: F401
from tertulia.api import actions, allowance, body, webhooks
from tertulia.api.models import Event, Webhook
from tertulia.api.scopes import SCOPES
from tertulia.api.v1.api import api
from tertulia.core import clock
from tertulia.core.crypto import Secrets
from tertulia.publishing import library

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
    assert TEXT.count(f"{library.LARGEST // 1024**2} MB") == 2


def test_every_call_about_posts_is_documented_with_its_scope():
    named = re.findall(r"^\| `([A-Z]+ /[^`]+)` \|.+\| `(posts:\w+)` \|$", TEXT, re.MULTILINE)
    assert sorted(named) == sorted(
        (f"{method.upper()} {path.removeprefix('/api/v1')}", operation["x-scope"])
        for path, methods in api.document["paths"].items()
        for method, operation in methods.items()
        if operation["tags"] in (["Posts"], ["Library"])
    )


@pytest.mark.django_db
def test_the_documented_post_is_taken_as_it_stands(alba, brand, account_of, picture):  # noqa: F811
    at, other = account_of(), account_of(name="Blog")
    key = {"Idempotency-Key": "k"}
    body = json.loads(re.search(r"\$P -d '(\{.+?\})'", TEXT, re.DOTALL)[1])
    ids = {12: picture.pk, 3: at.pk, 5: other.pk}
    body["parts"][0]["pictures"][0]["id"] = ids[body["parts"][0]["pictures"][0]["id"]]
    for version in body["versions"]:
        version["channel_id"] = ids[version["channel_id"]]
    calls = program(alba, brand)
    made = calls.post("/posts", body, **key)
    assert (made.status_code, len(made.data["versions"])) == (201, 2)
    when = json.loads(re.search(r"-d '(\{\"on\".+?\})'", TEXT)[1])
    with travel(NOON, tick=False):
        answer = calls.put(f"/posts/{made.data['id']}/schedule", when, **{"Idempotency-Key": "other"})
    assert (answer.status_code, answer.data["publish_at"]) == (200, "2026-12-24T08:30:00Z")


def test_the_example_of_verification_works():
    given: dict = {}
    exec(re.search(r"```python\n(.+?)```", TEXT, re.DOTALL)[1], given)
    secret, at = "whsec_" + "A" * 44, clock.now()
    event = Event(key="msg_1", type="webhook.test", body='{"type":"webhook.test"}', due_at=at, created_at=NOON)
    headers = webhooks.headers(Webhook(secrets=Secrets(current=secret)), event, at=at)
    assert given["read_event"](secret, headers, event.body.encode()) == {"type": "webhook.test"}
    assert given["read_event"](secret, headers, b'{"type":"forged"}') is None
