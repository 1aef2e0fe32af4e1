"""What happens by itself as time passes, each thing once however often the clock ticks."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from conftest import NOON, envelope, person
from tertulia.api.models import Webhook
from tertulia.brand.models import OpeningHours
from tertulia.core import jobs
from tertulia.core.models import Activity, Job
from tertulia.flows import inbound, ticks
from tertulia.inbox import actions
from tertulia.inbox.models import Conversation, Promise
from tertulia.team.models import Absence, Membership
from tertulia.team.permissions import Role

MINUTE = timedelta(minutes=1)


def write(account, thread="diego", *, minutes=0) -> Conversation:
    message = envelope("¿Abrís?", remote_id=f"{thread}-{minutes}", thread=thread, minutes=minutes)
    [pk] = inbound.intake(account, [message], at=NOON + minutes * MINUTE)
    return Conversation.objects.get(pk=pk)


def told(name: str) -> list[int]:
    return list(Activity.objects.filter(type=name).order_by("id").values_list("on_id", flat=True))


@pytest.fixture
def hour(brand) -> Promise:
    return Promise.objects.create(brand=brand, first_response_minutes=60, in_business_hours=False)


# Promises


def test_a_promise_at_risk_is_told_in_time_and_once(site, hour):
    conversation = write(site)

    assert [ticks.tell_at_risk(at=NOON + minutes * MINUTE) for minutes in (0, 44, 45, 46, 59)] == [0, 0, 1, 0, 0]
    line = Activity.objects.get(type="promise.at_risk")
    assert line.on_id == conversation.id
    assert (line.data["promise"], line.data["due"]) == ("first_response", "2026-11-23T12:00:00+00:00")


def test_a_broken_promise_is_told_once(site, hour):
    conversation = write(site)

    assert [ticks.tell_broken(at=NOON + minutes * MINUTE) for minutes in (59, 60, 61)] == [0, 1, 0]
    assert told("promise.broken") == [conversation.id]
    assert ticks.tell_at_risk(at=NOON + 61 * MINUTE) == 0


def test_an_answered_or_closed_one_is_told_of_no_more(site, hour, bruno):
    answered, closed = write(site), write(site, "eva")
    actions.reply(conversation=answered, text="Sí", by=bruno, turn=1, at=NOON + MINUTE)
    actions.close(conversation=closed, reason="spam", by=bruno, at=NOON + MINUTE)

    assert ticks.tell_broken(at=NOON + 600 * MINUTE) == ticks.tell_at_risk(at=NOON + 50 * MINUTE) == 0


def test_the_resolution_is_told_after_the_first_response(site, brand, bruno):
    Promise.objects.create(brand=brand, first_response_minutes=60, resolution_minutes=600, in_business_hours=False)
    conversation = write(site)
    ticks.tell_broken(at=NOON + 60 * MINUTE)
    actions.reply(conversation=conversation, text="Sí", by=bruno, turn=1, at=NOON + 70 * MINUTE)

    assert ticks.tell_at_risk(at=NOON + 449 * MINUTE) == 0
    assert ticks.tell_at_risk(at=NOON + 450 * MINUTE) == 1
    assert ticks.tell_broken(at=NOON + 600 * MINUTE) == 1
    lines = Activity.objects.filter(type="promise.broken").order_by("id")
    assert [line.data["promise"] for line in lines] == ["first_response", "resolution"]


def test_what_little_is_left_is_counted_in_opening_hours(site, brand):
    OpeningHours.objects.create(brand=brand, weekday=0, opens=time(9), closes=time(12, 20))
    OpeningHours.objects.create(brand=brand, weekday=1, opens=time(9), closes=time(14))
    Promise.objects.create(brand=brand, first_response_minutes=30)
    write(site)

    tuesday = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
    moments = [NOON + 14 * MINUTE, NOON + 300 * MINUTE, tuesday - MINUTE, tuesday]
    assert [ticks.tell_at_risk(at=at) for at in moments] == [0, 0, 0, 1]


def test_a_promise_is_told_again_when_a_new_wait_begins(site, hour, bruno):
    conversation = write(site)
    ticks.tell_at_risk(at=NOON + 50 * MINUTE)
    actions.reply(conversation=conversation, text="Sí", by=bruno, turn=1, at=NOON + 55 * MINUTE)
    write(site, minutes=100)

    assert ticks.tell_at_risk(at=NOON + 150 * MINUTE) == 1


def test_more_than_one_batch_is_told(site, hour):
    messages = [envelope(remote_id=f"m{n}", thread=f"t{n}") for n in range(450)]
    inbound.intake(site, messages, at=NOON)

    assert ticks.tell_broken(at=NOON + 60 * MINUTE) == 450
    assert len(set(told("promise.broken"))) == 450


def test_promises_of_another_brand_are_told_in_their_own_feed(site, hour, other_brand):
    write(site)
    ticks.tell_broken(at=NOON + 60 * MINUTE)

    assert not Activity.objects.filter(brand_id=other_brand.id).exists()


# What was put aside


def test_what_was_put_aside_comes_back_on_time_and_once(site, bruno):
    conversation = write(site)
    actions.snooze(conversation=conversation, until=NOON + 60 * MINUTE, by=bruno, at=NOON)

    assert [ticks.wake_snoozed(at=NOON + minutes * MINUTE) for minutes in (59, 60, 61)] == [0, 1, 0]
    assert Conversation.objects.get().state == "open"
    assert told("conversation.woken") == [conversation.id]


# Nothing without an owner


def test_nothing_is_ownerless_after_one_tick(site, phone, alba, bruno, other_brand, carla):
    for number in range(30):
        write(site if number % 2 else phone, f"t{number}")

    assert ticks.route_ownerless(at=NOON) == 30
    assert not Conversation.objects.filter(owner__isnull=True).exists()
    assert ticks.route_ownerless(at=NOON) == 0


def test_a_brand_without_people_holds_up_no_other(site, alba, other_brand, monkeypatch):
    monkeypatch.setattr(ticks, "MOST", 3)
    other_site = type(site).objects.create(brand=other_brand, kind="site", name="Web", created_at=NOON)
    theirs = [write(other_site, f"x{number}") for number in range(5)]
    ours = write(site, minutes=5)

    for _ in range(3):
        ticks.route_ownerless(at=NOON)

    assert Conversation.objects.get(pk=ours.pk).owner == alba
    assert sorted(told("conversation.ownerless")) == [each.id for each in theirs]


def test_closed_and_put_aside_ones_need_no_owner(site, alba):
    closed, aside = write(site), write(site, "eva")
    actions.close(conversation=closed, reason="spam", by=alba, at=NOON)
    actions.snooze(conversation=aside, until=NOON + 60 * MINUTE, by=alba, at=NOON)

    assert ticks.route_ownerless(at=NOON) == 0


def test_what_waits_with_somebody_away_is_handed_on(site, alba, bruno):
    conversation = write(site)
    actions.assign(conversation=conversation, to=bruno, by=alba, at=NOON)
    membership = Membership.objects.get(user=bruno)
    Absence.objects.create(membership=membership, starts_on=date(2026, 11, 24), ends_on=date(2026, 11, 24))

    assert ticks.hand_on(at=NOON) == 0
    assert ticks.hand_on(at=NOON + timedelta(days=1)) == 1
    assert Conversation.objects.get().owner == alba
    assert ticks.hand_on(at=NOON + timedelta(days=1)) == 0


def test_what_nobody_waits_for_stays_with_whoever_is_away(site, alba, bruno):
    conversation = write(site)
    actions.assign(conversation=conversation, to=bruno, by=alba, at=NOON)
    actions.reply(conversation=conversation, text="Sí", by=bruno, turn=1, at=NOON)
    membership = Membership.objects.get(user=bruno)
    Absence.objects.create(membership=membership, starts_on=date(2026, 11, 23), ends_on=date(2026, 11, 23))

    assert ticks.hand_on(at=NOON) == 0


@pytest.mark.parametrize("change", [{"role": Role.READER}, None])
def test_what_waits_with_somebody_who_left_is_handed_on(site, alba, bruno, change):
    conversation = write(site)
    actions.assign(conversation=conversation, to=bruno, by=alba, at=NOON)
    membership = Membership.objects.filter(user=bruno)
    if change:
        membership.update(**change)
    else:
        membership.delete()

    assert ticks.hand_on(at=NOON) == 1
    assert Conversation.objects.get().owner == alba


def test_the_only_person_there_is_keeps_it_even_when_away(site, alba):
    conversation = write(site)
    actions.assign(conversation=conversation, to=alba, by=None, at=NOON)
    membership = Membership.objects.get(user=alba)
    Absence.objects.create(membership=membership, starts_on=date(2026, 11, 23), ends_on=date(2026, 11, 23))

    assert ticks.hand_on(at=NOON) == 0
    assert Conversation.objects.get().owner == alba


def test_work_of_one_brand_is_never_given_to_people_of_another(site, other_brand, carla):
    person("Rosa", site.brand, Role.READER)
    write(site)
    ticks.route_ownerless(at=NOON)
    ticks.hand_on(at=NOON)

    assert Conversation.objects.get().owner is None


def test_what_ticks_have_to_do_is_asked_before_each(site, hour, bruno):
    """What asks never misses what its job would find."""

    def wanted(minutes: float) -> set[str]:
        Job.objects.all().delete()
        jobs.tick(at=NOON + minutes * MINUTE)
        asking = {name for name, each in jobs.periodics.items() if each.when}
        return asking & set(Job.objects.values_list("task", flat=True))

    assert wanted(0) == set()
    conversation = write(site)
    assert wanted(1) == {"promises.tick", "inbox.ownerless"}
    actions.assign(conversation=conversation, to=bruno, by=bruno, at=NOON + MINUTE)
    ticks.tell_at_risk(at=NOON + 45 * MINUTE)
    assert (wanted(45), wanted(60)) == (set(), {"promises.tick"})
    ticks.tell_broken(at=NOON + 60 * MINUTE)
    actions.snooze(conversation=conversation, until=NOON + 90 * MINUTE, by=bruno, at=NOON + 61 * MINUTE)
    assert (wanted(89.9), wanted(90)) == (set(), {"inbox.wake"})
    Webhook.objects.create(brand=site.brand, url="https://hook.example/", created_at=NOON, since=NOON)
    assert wanted(80) == {"webhooks.collect"}


def test_the_ticks_run_as_periodic_work():
    names = {"promises.tick", "inbox.wake", "inbox.ownerless", "inbox.hand_on"}

    assert names <= set(jobs.periodics)
