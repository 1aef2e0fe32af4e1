"""A kept question answers like the ORM it was composed by, whatever values it is asked with."""

from datetime import timedelta

import pytest

from conftest import NOON, envelope
from tertulia.brand.models import Brand
from tertulia.channels.models import Message
from tertulia.core.kept import Among, Kept, Slot, columns, moment, record, spread, word
from tertulia.flows import inbound
from tertulia.inbox.models import Conversation

pytestmark = pytest.mark.django_db


@pytest.fixture
def five(site):
    inbound.intake(
        site, [envelope(f"pan {n}", remote_id=f"m{n}", thread=f"p{n}", minutes=n) for n in range(5)], at=NOON
    )


def test_values_come_back_as_the_orm_gives_them(five, brand):
    names = ("id", "labels", "has_trouble", "last_activity_at", "snoozed_until", "preview")
    rows = Conversation.objects.filter(brand=brand).order_by("id")
    kept = Kept(Conversation.objects.filter(brand_id=Slot("brand")).order_by("id"), *names)
    assert kept.dicts(brand=brand.pk) == list(rows.values(*names))
    assert kept.dicts(brand=brand.pk + 1) == []


def test_each_asking_has_its_own_values(five):
    kept = Kept(Message.objects.filter(sent_at__gte=moment("since"), remote_id__gt=word("after")), "remote_id")
    assert len(kept.ask(since=NOON, after="")) == 5
    assert [id for (id,) in kept.ask(since=NOON + timedelta(minutes=2), after="m3")] == ["m4"]


def test_one_of_several(five):
    ids = list(Message.objects.order_by("id").values_list("id", flat=True))[1:4]
    kept = Kept(Message.objects.filter(Among("id", "ids", 3)).order_by("id"), "id")
    assert [id for (id,) in kept.ask(**spread("ids", ids))] == ids


def test_a_record_is_the_one_that_is_stored(brand):
    (row,) = Kept(Brand.objects.filter(pk=Slot("id")), *columns(Brand)).ask(id=brand.pk)
    again = record(Brand, row)
    assert (again, again.created_at, again._state.adding) == (brand, brand.created_at, False)
