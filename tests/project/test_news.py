"""What a look at the feed finds."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.conf import settings

from conftest import NOON, envelope
from tertulia.core.models import Activity, Heartbeat
from tertulia.flows import inbound
from tertulia.inbox import actions
from tertulia.inbox.models import Conversation
from tertulia.project import doors, news
from tertulia.team.models import User

pytestmark = pytest.mark.django_db


def happen(brand, *, id: int | None = None, at=NOON) -> int:
    return Activity.objects.create(
        id=id, brand_id=brand.pk, type="note.added", on_kind="inbox.conversation", on_id=1, at=at
    ).pk


def told(chunk: bytes) -> list[int]:
    return [json.loads(line[6:])["id"] for line in chunk.decode().splitlines() if line.startswith("data: ")]


@pytest.fixture
def reader(brand) -> news.Reader:
    reader = news.Reader()
    reader.look(frozenset(), NOON)
    return reader


def test_each_line_is_told_once_to_its_own_brand(reader, brand, other_brand):
    first, second = happen(brand), happen(other_brand)
    found = reader.look(frozenset(), NOON)

    assert {brand: told(chunk) for brand, chunk in found.desk.items()} == {brand.pk: [first], other_brand.pk: [second]}
    assert not reader.look(frozenset(), NOON)


def test_a_line_that_becomes_visible_late_is_told_all_the_same(reader, brand):
    base = happen(brand)
    happen(brand, id=base + 3)
    assert told(reader.look(frozenset(), NOON).desk[brand.pk]) == [base, base + 3]
    happen(brand, id=base + 1)

    assert told(reader.look(frozenset(), NOON).desk[brand.pk]) == [base + 1]


def test_after_a_minute_a_gap_is_given_up(reader, brand):
    base = happen(brand)
    happen(brand, id=base + 2)
    reader.look(frozenset(), NOON)
    happen(brand, id=base + 5)
    reader.look(frozenset(), NOON + timedelta(seconds=61))

    assert set(reader._gaps) == {base + 3, base + 4}


def test_a_flood_is_one_event(reader, brand):
    ids = [happen(brand) for _ in range(news.ONE_BY_ONE + 1)]
    (line,) = [line for line in reader.look(frozenset(), NOON).desk[brand.pk].decode().splitlines() if "data" in line]

    assert json.loads(line[6:])["type"] == "many"
    assert json.loads(line[6:])["id"] == ids[-1]


def test_a_text_cannot_begin_an_event_of_its_own():
    assert news.event("activity", {"person": "x\n\nevent: bye\u2028"}).count(b"\n") == 3


def test_a_page_hears_what_happened_since_it_was_drawn(brand, other_brand):
    happen(brand, at=NOON - timedelta(minutes=5))
    recent = happen(brand, at=NOON - timedelta(seconds=2))
    happen(other_brand, at=NOON)

    assert told(news.missed(brand.pk, "", "4", NOON)) == [recent]
    assert news.missed(brand.pk, "nonsense", "-1", NOON) == b""
    assert news.missed(brand.pk, "9" * 40, "", NOON) == b""


def test_who_is_looking_is_told_when_it_changes(reader, brand, site, alba):
    conversation = _conversation(brand, site)
    reader.look(frozenset(), NOON)
    actions.look(conversation=conversation, user=alba, is_typing=True, at=NOON)
    found = reader.look(frozenset(), NOON).desk[brand.pk].decode()

    assert json.loads(found.splitlines()[1][6:]) == {
        "conversation": conversation.pk,
        "user": alba.pk,
        "name": "Alba",
        "typing": True,
    }
    assert not reader.look(frozenset(), NOON)


def test_the_sign_of_life_of_a_brand_moves_on(brand):
    news.sign_of_life(frozenset({brand.pk}), NOON)
    news.sign_of_life(frozenset({brand.pk}), NOON + timedelta(seconds=20))

    assert list(Heartbeat.objects.values_list("name", "at")) == [(f"desk:{brand.pk}", NOON + timedelta(seconds=20))]


def knock(client, brand) -> doors.Place:
    cookie = f"{settings.SESSION_COOKIE_NAME}={client.session.session_key}"
    return doors.knock(f"/live/desk/{brand.slug}/", {"cookie": cookie}, {}, NOON)


def test_the_door_closes_when_somebody_signs_out(as_alba, brand):
    place = knock(as_alba, brand)
    assert place.still_open(NOON)
    as_alba.logout()
    assert not place.still_open(NOON)


def test_the_door_closes_when_somebody_leaves_the_brand(as_alba, alba, brand):
    place = knock(as_alba, brand)
    alba.memberships.all().delete()
    assert not place.still_open(NOON)


def test_the_door_closes_for_a_disabled_person_and_for_a_new_password(as_alba, alba, as_bruno, bruno, brand):
    places = [knock(as_alba, brand), knock(as_bruno, brand)]
    User.objects.filter(pk=alba.pk).update(is_active=False)
    bruno.set_password("otra frase bien larga")
    bruno.save()

    assert [place.still_open(NOON) for place in places] == [False, False]


def _conversation(brand, site):
    inbound.intake(site, [envelope()], at=NOON)
    return Conversation.objects.get()
