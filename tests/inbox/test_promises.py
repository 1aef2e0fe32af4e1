"""What is promised: which rule holds, and how the clocks of a conversation run, stop and go on."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from django.utils import translation

from conftest import NOON, envelope
from tertulia.brand.models import OpeningHours
from tertulia.core.models import Activity
from tertulia.flows import inbound
from tertulia.inbox import actions, promises
from tertulia.inbox.models import Conversation, Label, Promise
from tertulia.inbox.promises import FIRST_RESPONSE, Term

HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def office(brand):
    """Weekdays from nine to seven in Madrid: NOON is two hours into a Monday."""
    for weekday in range(5):
        OpeningHours.objects.create(brand=brand, weekday=weekday, opens=time(9), closes=time(19))


def promise(brand, first=None, resolution=None, *, in_business_hours=False, **scope) -> Promise:
    return Promise.objects.create(
        brand=brand, first_response_minutes=first, resolution_minutes=resolution,
        in_business_hours=in_business_hours, **scope,
    )  # fmt: skip


def label(brand, name="Quejas") -> Label:
    return Label.objects.create(brand=brand, name=name)


def write(account, text="¿Abrís?", *, minutes=0, id="m1") -> Conversation:
    at = NOON + minutes * MINUTE
    [pk] = inbound.intake(account, [envelope(text, remote_id=id, minutes=minutes)], at=at)
    return Conversation.objects.get(pk=pk)


def answer(conversation, by, *, minutes) -> Conversation:
    at = NOON + minutes * MINUTE
    actions.reply(conversation=conversation, text=f"Sí {minutes}", by=by, turn=conversation.turn, at=at)
    return Conversation.objects.get(pk=conversation.pk)


def fresh(conversation) -> Conversation:
    return Conversation.objects.get(pk=conversation.pk)


# Which promise holds


def test_the_most_specific_promise_holds(brand, site, phone):
    complaints = label(brand)
    promise(brand, 240)
    promise(brand, 60, account=site)
    promise(brand, 30, label=complaints)
    promise(brand, 10, account=phone, label=complaints)
    clocks = promises.clocks_for(brand)

    def minutes(account, labels):
        return clocks.term(FIRST_RESPONSE, account, labels).minutes

    assert minutes(999, []) == 240
    assert minutes(site.id, []) == 60
    assert minutes(site.id, [complaints.id]) == 30
    assert minutes(phone.id, [complaints.id]) == 10


def test_each_time_comes_from_the_most_specific_promise_that_names_it(brand, site):
    promise(brand, 60, 2880)
    promise(brand, None, 600, account=site)
    clocks = promises.clocks_for(brand)

    assert clocks.due(site.id, [], NOON) == (NOON + HOUR, NOON + 10 * HOUR)


def test_of_several_labels_the_shortest_time_counts(brand, site):
    complaints, orders = label(brand), label(brand, "Pedidos")
    promise(brand, 30, label=complaints)
    promise(brand, 20, label=orders)

    due = promises.clocks_for(brand).due(site.id, [complaints.id, orders.id], NOON)

    assert due == (NOON + 20 * MINUTE, None)


def test_without_promises_nothing_is_due(brand, site):
    assert promises.clocks_for(brand).due(site.id, [], NOON) == (None, None)


def test_a_promise_counts_opening_hours_or_all_hours_as_it_says(brand, site, phone, office):
    promise(brand, 600, in_business_hours=True)
    promise(brand, 600, account=phone)
    clocks = promises.clocks_for(brand)

    assert clocks.due(site.id, [], NOON)[0] == datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
    assert clocks.due(phone.id, [], NOON)[0] == NOON + 10 * HOUR


def test_clocks_are_loaded_with_three_queries_and_then_none(brand, site, office, django_assert_num_queries):
    promise(brand, 60, in_business_hours=True)

    with django_assert_num_queries(3):
        clocks = promises.clocks_for(brand)
        for day in range(100):
            clocks.due(site.id, [1, 2], NOON + day * DAY)


# The clocks of a conversation


def test_a_message_starts_both_clocks(brand, site):
    promise(brand, 60, 600)

    conversation = write(site)

    assert conversation.first_response_due_at == NOON + HOUR
    assert conversation.resolution_due_at == NOON + 10 * HOUR
    assert conversation.promise_due_at == NOON + HOUR


def test_a_second_message_and_a_doubled_one_restart_nothing(brand, site):
    promise(brand, 60, 600)
    write(site)
    write(site, minutes=20, id="m2")

    assert inbound.intake(site, [envelope("¿Abrís?", remote_id="m1")], at=NOON + HOUR) == []
    assert Conversation.objects.get().promise_due_at == NOON + HOUR


def begin(conversation):
    """A wait begins, unless it has."""
    since, clocks = conversation.waiting_since or NOON, promises.clocks_for(conversation.brand)
    promises.start(conversation, *clocks.due(conversation.account_id, conversation.labels, since))


def test_a_wait_that_begins_twice_begins_once(brand, site):
    conversation = write(site)
    promise(brand, 60, 600)

    for _ in range(2):
        begin(conversation)

    assert (conversation.promise_due_at, conversation.resolution_due_at) == (NOON + HOUR, NOON + 10 * HOUR)


def test_an_answer_leaves_the_resolution(brand, site, bruno):
    promise(brand, 60, 600)

    conversation = answer(write(site), bruno, minutes=30)

    assert conversation.first_responded_at == NOON + 30 * MINUTE
    assert conversation.promise_due_at == NOON + 10 * HOUR


def test_an_answer_without_a_promised_resolution_leaves_nothing(brand, site, bruno):
    promise(brand, 60)

    assert answer(write(site), bruno, minutes=30).promise_due_at is None


def test_an_answer_taken_back_was_never_given(brand, site, bruno):
    promise(brand, 60, 600)
    conversation = write(site)
    delivery = actions.reply(conversation=conversation, text="Sí", by=bruno, turn=1, at=NOON + MINUTE)
    actions.withdraw(delivery=delivery, by=bruno, at=NOON + MINUTE)

    conversation = fresh(conversation)

    assert conversation.first_responded_at is None
    assert conversation.promise_due_at == NOON + HOUR


def test_each_wait_has_its_own_first_response_and_one_resolution(brand, site, bruno):
    promise(brand, 60, 600)
    answer(write(site), bruno, minutes=30)

    conversation = write(site, minutes=120, id="m2")

    assert conversation.first_response_due_at == NOON + 3 * HOUR
    assert conversation.resolution_due_at == NOON + 10 * HOUR


def test_closing_ends_every_promise(brand, site, bruno):
    promise(brand, 60, 600)
    conversation = write(site)
    actions.close(conversation=conversation, reason="no_answer", by=bruno, at=NOON + MINUTE)

    conversation = fresh(conversation)

    assert conversation.promise_due_at is None
    assert conversation.resolution_due_at == NOON + 10 * HOUR


def test_reopening_by_hand_goes_on_from_where_it_was_closed(brand, site, bruno):
    promise(brand, 60, 600)
    conversation = answer(write(site), bruno, minutes=30)
    actions.close(conversation=conversation, reason="answered", by=bruno, at=NOON + HOUR)
    actions.reopen(conversation=conversation, by=bruno, at=NOON + 3 * HOUR)

    assert fresh(conversation).promise_due_at == NOON + 12 * HOUR


def test_a_message_after_the_closing_begins_anew(brand, site, bruno):
    promise(brand, 60, 600)
    conversation = answer(write(site), bruno, minutes=30)
    actions.close(conversation=conversation, reason="answered", by=bruno, at=NOON + HOUR)

    conversation = write(site, minutes=3000, id="m2")
    begun = NOON + 3000 * MINUTE
    again = fresh(conversation)
    promises.recompute(again, at=begun + 5 * MINUTE)

    assert (conversation.first_response_due_at, conversation.resolution_due_at) == (begun + HOUR, begun + 10 * HOUR)
    assert (again.first_response_due_at, again.resolution_due_at) == (begun + HOUR, begun + 10 * HOUR)


def test_what_was_closed_unanswered_is_not_owed_when_the_person_returns(brand, site, bruno):
    promise(brand, 60)
    conversation = write(site)
    actions.close(conversation=conversation, reason="no_answer", by=bruno, at=NOON + MINUTE)
    conversation = write(site, minutes=3000, id="m2")
    actions.add_label(conversation=conversation, label=label(brand), by=bruno, at=NOON + 3001 * MINUTE)

    assert fresh(conversation).promise_due_at == NOON + 3060 * MINUTE


def test_putting_aside_what_nobody_answered_stops_no_clock(brand, site, bruno):
    promise(brand, 60, 600)
    conversation = write(site)
    actions.snooze(conversation=conversation, until=NOON + DAY, by=bruno, at=NOON + MINUTE)

    assert fresh(conversation).promise_due_at == NOON + HOUR


def test_putting_aside_what_was_answered_stops_the_resolution(brand, site, bruno):
    promise(brand, 60, 600)
    conversation = answer(write(site), bruno, minutes=30)
    actions.snooze(conversation=conversation, until=NOON + DAY, by=bruno, at=NOON + HOUR)
    aside = fresh(conversation)
    actions.wake(conversation=conversation, at=NOON + DAY)

    assert aside.promise_due_at == NOON + DAY + 9 * HOUR
    assert fresh(conversation).promise_due_at == NOON + DAY + 9 * HOUR


def test_coming_back_early_gives_back_only_the_time_put_aside(brand, site, bruno):
    promise(brand, 60, 600)
    conversation = answer(write(site), bruno, minutes=30)
    actions.snooze(conversation=conversation, until=NOON + DAY, by=bruno, at=NOON + HOUR)
    actions.wake(conversation=conversation, at=NOON + 3 * HOUR)

    assert fresh(conversation).promise_due_at == NOON + 12 * HOUR


def test_putting_aside_again_counts_once(brand, site, bruno):
    promise(brand, 60, 600)
    conversation = answer(write(site), bruno, minutes=30)
    actions.snooze(conversation=conversation, until=NOON + DAY, by=bruno, at=NOON + HOUR)
    actions.snooze(conversation=conversation, until=NOON + 2 * DAY, by=bruno, at=NOON + 2 * HOUR)

    assert fresh(conversation).promise_due_at == NOON + 2 * DAY + 9 * HOUR


def test_a_label_brings_its_own_promise_and_takes_it_away_again(brand, site, bruno):
    complaints = label(brand)
    promise(brand, 240, 600)
    promise(brand, 30, label=complaints)
    conversation = write(site)

    actions.add_label(conversation=conversation, label=complaints, by=bruno, at=NOON + MINUTE)
    assert fresh(conversation).promise_due_at == NOON + 30 * MINUTE

    actions.remove_label(conversation=conversation, label=complaints, by=bruno, at=NOON + 2 * MINUTE)
    assert fresh(conversation).promise_due_at == NOON + 4 * HOUR


def test_reckoning_again_changes_nothing(brand, site, bruno):
    promise(brand, 60, 600)
    conversation = answer(write(site), bruno, minutes=30)
    actions.snooze(conversation=conversation, until=NOON + DAY, by=bruno, at=NOON + HOUR)
    conversation = fresh(conversation)
    before = [getattr(conversation, name) for name in promises.FIELDS]

    for minutes in (60, 90, 300):
        promises.recompute(conversation, at=NOON + minutes * MINUTE)
        assert [getattr(conversation, name) for name in promises.FIELDS] == before


def test_a_new_due_time_may_be_told_again_and_the_same_may_not(brand, site):
    promise(brand, 60)
    conversation = write(site)
    conversation.warned_at = NOON
    promises.recompute(conversation, at=NOON)
    assert conversation.warned_at == NOON

    Promise.objects.update(first_response_minutes=90)
    promises.recompute(conversation, at=NOON)
    assert conversation.warned_at is None


def test_nothing_here_is_saved(brand, site):
    conversation = write(site)
    promise(brand, 60, 600)
    begin(conversation)

    assert fresh(conversation).promise_due_at is None


# What people see


@pytest.mark.parametrize(
    ("minutes", "text", "spoken", "tone"),
    [
        (35, "35 min", "35 minutes left", "calm"),
        (30, "30 min", "30 minutes left", "soon"),
        (1, "1 min", "1 minute left", "soon"),
        (0.2, "1 min", "1 minute left", "soon"),
        (60, "1 h", "1 hour left", "calm"),
        (118, "2 h", "2 hours left", "calm"),
        (47 * 60, "47 h", "47 hours left", "calm"),
        (72 * 60, "3 d", "3 days left", "calm"),
        (0, "−1 min", "1 minute late", "late"),
        (-20, "−20 min", "20 minutes late", "late"),
        (-60, "−1 h", "1 hour late", "late"),
        (-6000, "−4 d", "4 days late", "late"),
    ],
)
def test_time_left(minutes, text, spoken, tone):
    with translation.override("en"):
        assert promises.left(NOON + minutes * MINUTE, NOON) == promises.Left(text, spoken, tone)


def test_time_left_is_soon_once_somebody_was_warned():
    assert promises.left(NOON + 5 * HOUR, NOON, is_warned=True).tone == "soon"


def test_nothing_promised_shows_nothing():
    assert promises.left(None, NOON) == promises.Left("", "", "none")


@pytest.mark.parametrize(("minutes", "warns"), [(10, 5), (20, 10), (40, 15), (60, 15), (240, 60)])
def test_risk_begins_with_a_quarter_or_fifteen_minutes_left_but_never_before_half(minutes, warns):
    assert Term(minutes, True).warns_at == warns * MINUTE


# Making promises


def test_a_promise_for_the_same_scope_replaces_the_old_one(brand, site, alba):
    for minutes in (60, 30):
        promises.save_promise(
            brand=brand, account=site, first_response_minutes=minutes, resolution_minutes=None, by=alba, at=NOON
        )

    assert Promise.objects.get().first_response_minutes == 30
    assert Activity.objects.filter(type="promise.made", by_id=alba.id).count() == 2


def test_what_runs_already_keeps_its_promise(brand, site, alba):
    promise(brand, 60)
    conversation = write(site)
    promises.save_promise(brand=brand, first_response_minutes=5, resolution_minutes=None, by=alba, at=NOON)

    assert fresh(conversation).promise_due_at == NOON + HOUR


@pytest.mark.parametrize("minutes", [None, 0, -5, 366 * 24 * 60 + 1])
def test_a_promise_of_nothing_or_of_more_than_a_year_is_none(brand, alba, minutes):
    with pytest.raises(promises.NoPromise):
        promises.save_promise(brand=brand, first_response_minutes=minutes, resolution_minutes=None, by=alba, at=NOON)

    assert not Promise.objects.exists()


def test_another_brands_account_or_label_is_refused(other_brand, site, brand, alba):
    for scope in ({"account": site}, {"label": label(brand)}):
        with pytest.raises(promises.ForeignPromise):
            promises.save_promise(
                brand=other_brand, first_response_minutes=5, resolution_minutes=None, by=alba, at=NOON, **scope
            )

    assert not Promise.objects.exists()


def test_a_promise_can_be_dropped(brand, alba):
    promises.drop_promise(promise=promise(brand, 60), by=alba, at=NOON)

    assert not Promise.objects.exists()
    assert Activity.objects.get().type == "promise.dropped"


def test_another_brands_promises_are_not_ours(brand, other_brand, site):
    promise(other_brand, 60)

    assert write(site).promise_due_at is None
