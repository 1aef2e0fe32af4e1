"""What could not be read, read again once its connector was mended."""

from __future__ import annotations

import hmac
import json
from datetime import timedelta

import pytest

from conftest import NOON
from fakes.connector import Blind
from tertulia.channels.models import Account, Message, Quarantine
from tertulia.connectors import registry
from tertulia.connectors.contract import BadPayload, Inbound
from tertulia.core import clock, jobs
from tertulia.core.activity import Activity
from tertulia.flows import inbound

pytestmark = pytest.mark.django_db
UNREAD = "/b/horno-candela/channels/unread/"
LATER = NOON + timedelta(hours=5)


class Broken(Blind):
    def receive(self, account, inbound):
        super().receive(account, inbound)
        raise BadPayload("Not yet.")


@pytest.fixture
def mend(monkeypatch):
    """Installs the connector that reads; until it is called, the broken one is there."""
    installed = registry.all_connectors()
    monkeypatch.setattr(clock, "now", lambda: LATER)
    monkeypatch.setattr(registry, "all_connectors", lambda: {**installed, Blind.key: Broken})
    return lambda: monkeypatch.setattr(registry, "all_connectors", lambda: {**installed, Blind.key: Blind})


@pytest.fixture
def network(brand, mend) -> Account:
    return Account.objects.create(
        brand=brand, kind=Blind.key, name="Red de prueba", created_at=NOON, secrets={"signing": "s"}
    )


def arrives(network, number) -> Quarantine:
    message = {
        "id": f"m{number}", "thread": "diego", "text": f"Pregunta {number}", "deleted": False,
        "sent_at": NOON.isoformat(), "changed_at": NOON.isoformat(),
    }  # fmt: skip
    body = json.dumps({"events": [{"verb": "created", "message": message}]}).encode()
    headers = {"x-signature": hmac.new(b"s", body, "sha256").hexdigest()}
    inbound.receive(network, Inbound(headers, {}, body, NOON))
    return Quarantine.objects.latest("pk")


def texts():
    return list(Message.objects.order_by("remote_id").values_list("text", flat=True))


def test_it_goes_through_and_is_settled_once(network, alba, mend):
    kept = arrives(network, 1)
    mend()
    for _ in range(2):
        inbound.read_again(kept, by=alba.id, at=LATER)
    kept.refresh_from_db()
    assert (kept.settled_at, texts(), Message.objects.get().received_at) == (LATER, ["Pregunta 1"], LATER)
    assert Activity.objects.filter(type="quarantine.settled", by_id=alba.id).count() == 1


def test_what_still_makes_no_sense_stays_with_the_new_reason(network, alba, as_alba):
    kept = arrives(network, 1)
    Quarantine.objects.update(why="An older reason.")
    page = as_alba.post(f"{UNREAD}{kept.pk}/reading/", follow=True).content.decode()
    kept.refresh_from_db()
    assert (kept.why, kept.settled_at, texts()) == ("Not yet.", None, [])
    assert "Not yet." in page


def test_one_whose_signature_fits_no_longer_stays(network, alba, mend):
    kept = arrives(network, 1)
    mend()
    Account.objects.update(secrets={"signing": "another"})
    with pytest.raises(inbound.NotReadable, match="signature"):
        inbound.read_again(kept, by=alba.id, at=LATER)
    assert texts() == []


def test_a_message_set_aside_by_itself_is_no_delivery(network, alba, mend):
    kept = Quarantine.objects.create(account=network, received_at=NOON, why="x", body=b"{}", digest="d")
    mend()
    with pytest.raises(inbound.NotReadable):
        inbound.read_again(kept, by=alba.id, at=LATER)
    kept.refresh_from_db()
    assert (kept.settled_at, kept.why) == (None, inbound.NO_DELIVERY)


def test_a_message_that_can_not_be_stored_keeps_the_whole_delivery(network, alba, mend, monkeypatch):
    kept = arrives(network, 1)
    mend()

    def fails(*_args, **_more):
        raise ValueError

    monkeypatch.setattr(inbound, "intake", fails)
    with pytest.raises(inbound.NotReadable):
        inbound.read_again(kept, by=alba.id, at=LATER)
    kept.refresh_from_db()
    assert (kept.settled_at, kept.why) == (None, inbound.UNREAD)


def test_all_of_an_account_the_rest_in_the_background(network, as_alba, mend, site, monkeypatch):
    monkeypatch.setattr(inbound, "READ_AT_ONCE", 2)
    for number in range(5):
        arrives(network, number)
    other = Quarantine.objects.create(
        account=site, received_at=NOON, why="x", body=b"x", digest="d", headers={"host": "x"}
    )
    mend()
    page = as_alba.get(UNREAD).content.decode()
    assert f"channels/{network.pk}/unread/reading/" in page
    as_alba.post(f"/b/horno-candela/channels/{network.pk}/unread/reading/")
    assert texts() == ["Pregunta 0", "Pregunta 1"]
    jobs.run_due(LATER)
    assert texts() == [f"Pregunta {number}" for number in range(5)]
    assert list(Quarantine.objects.filter(settled_at=None)) == [other]


def test_the_page_asks_as_much_for_one_as_for_many(network, as_alba, mend, django_assert_max_num_queries):
    for number in range(5):
        arrives(network, number)
    with django_assert_max_num_queries(9):
        assert as_alba.get(UNREAD).content.decode().count("/reading/") == 5 + 2  # all at once, and the rail's own
