"""An answer's way out: every ending a network can give, and what becomes of the delivery."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from conftest import NOON, envelope
from tertulia.channels.models import Account, Delivery, Message, RemotePost
from tertulia.connectors.contract import BadPayload, Receipt, Reconnect, Refused, Retry, Unknown, Unsupported
from tertulia.core import clock, due, jobs
from tertulia.core.models import Activity, Job
from tertulia.flows import inbound, outbound
from tertulia.inbox import actions

pytest_plugins = ("engine_cast",)
pytestmark = pytest.mark.django_db


def later(**amount):
    return NOON + timedelta(**amount)


def test_an_answer_is_sent_once_and_takes_the_networks_name(account_of, answer, network):
    delivery = answer(account_of("tests-memory"))
    assert outbound.run_due(NOON) == 1
    assert outbound.run_due(later(hours=1)) == 0
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts, delivery.finished_at) == ("sent", 1, NOON)
    message = delivery.message
    message.refresh_from_db()
    assert (message.remote_id, message.sent_at) == ("remote-1", later(seconds=9))
    assert network.sent == [(delivery.key, "Sí, de nueve a dos.")]
    assert Activity.objects.filter(type="delivery.sent").count() == 1


def test_nothing_leaves_before_its_moment(account_of, answer, network):
    answer(account_of("tests-memory"))
    assert outbound.run_due(later(seconds=-1)) == 0
    assert network.sent == []


def test_a_retry_waits_and_keeps_its_key(account_of, answer, network):
    delivery = answer(account_of("tests-memory"))
    network.script[:] = [Retry("The server can't be reached.")]
    outbound.run_due(NOON)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.why) == ("queued", "The server can't be reached.")
    assert timedelta(seconds=3) < delivery.due_at - NOON < timedelta(seconds=7)
    outbound.run_due(delivery.due_at)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts, delivery.why) == ("sent", 2, "")
    assert network.sent == [(delivery.key, "Sí, de nueve a dos.")]


def test_an_account_that_rests_holds_up_no_other(account_of, answer, network):
    resting, busy = account_of("tests-memory"), account_of("tests-repeating")
    first = answer(resting)
    network.script[:] = [Retry("Slower, please.", after=timedelta(minutes=30))]
    outbound.run_due(NOON)
    second, third = answer(resting, thread="elena"), answer(busy)
    assert outbound.run_due(later(seconds=1)) == 1
    for delivery in (first, second, third):
        delivery.refresh_from_db()
    assert [d.state for d in (first, second, third)] == ["queued", "queued", "sent"]
    assert first.due_at >= later(minutes=30)
    assert second.due_at == later(minutes=30)


def test_what_never_succeeds_is_refused_in_the_end(account_of, answer, network):
    delivery = answer(account_of("tests-memory"))
    network.script[:] = [Retry("Not now.")] * 50
    for hour in range(outbound.TRIES):
        outbound.run_due(later(hours=2 * hour))
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts, delivery.why) == ("refused", 12, "Not now.")
    assert network.sent == []


@pytest.mark.parametrize("ending", [[Retry("Not now.")] * 50, [Refused("Twice the same.")]])
def test_what_may_have_arrived_at_an_earlier_try_is_never_called_refused(account_of, answer, network, ending):
    delivery = answer(account_of("tests-repeating"))
    network.script[:] = [Unknown("The network fell silent."), *ending]
    for hour in range(outbound.TRIES + 1):
        outbound.run_due(later(hours=2 * hour))
    delivery.refresh_from_db()
    assert (delivery.state, delivery.why) == ("unknown", ending[0].why)


@pytest.mark.parametrize("refusal", [Refused("Too long."), Unsupported("Too long.")])
def test_a_refusal_is_final_and_told(account_of, answer, network, refusal):
    delivery = answer(account_of("tests-memory"))
    network.script[:] = [refusal]
    outbound.run_due(NOON)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.why) == ("refused", "Too long.")
    assert Activity.objects.filter(type="delivery.refused").count() == 1


def test_a_secret_that_the_network_echoes_is_not_stored(account_of, answer, network):
    delivery = answer(account_of("tests-memory"))
    network.script[:] = [
        Refused("500: Authorization: Bearer canary-0123456789 https://x.example/?key=canary-0123456789")
    ]
    outbound.run_due(NOON)
    delivery.refresh_from_db()
    assert delivery.state == "refused"
    assert "canary" not in delivery.why


def test_dead_credentials_stop_the_account_and_are_told_once(account_of, answer, network):
    account = account_of("tests-memory")
    first, second = answer(account), answer(account, thread="elena")
    network.script[:] = [Reconnect("The token is no longer valid.")] * 2
    outbound.run_due(NOON)
    waiting = answer(account, thread="flora")
    outbound.run_due(later(seconds=1))
    account.refresh_from_db()
    assert (account.state, account.trouble) == ("attention", "The token is no longer valid.")
    for delivery in (first, second, waiting):
        delivery.refresh_from_db()
    assert [d.state for d in (first, second, waiting)] == ["queued", "queued", "queued"]
    assert Activity.objects.filter(type="account.attention").count() == 1
    Account.objects.update(state="active")
    outbound.run_due(later(minutes=2))
    assert sorted(text for _key, text in network.sent) == ["Sí, de nueve a dos."] * 3


def test_silence_of_a_network_without_memory_is_for_a_person(account_of, answer, network):
    delivery = answer(account_of("tests-memory"))
    network.script[:] = [Unknown("No answer.")]
    outbound.run_due(NOON)
    outbound.run_due(later(hours=5))
    delivery.refresh_from_db()
    assert (delivery.state, delivery.why) == ("unknown", "No answer.")
    assert len(network.sent) == 1


@pytest.mark.parametrize("mistake", [ValueError("oops"), BadPayload("no JSON")])
def test_a_connectors_mistake_counts_as_silence(account_of, answer, network, mistake):
    delivery = answer(account_of("tests-memory"))
    network.script[:] = [mistake]
    outbound.run_due(NOON)
    delivery.refresh_from_db()
    assert delivery.state == "unknown"


def test_silence_of_a_network_that_knows_keys_is_repeated_with_the_same_key(account_of, answer, network):
    delivery = answer(account_of("tests-repeating"))
    network.script[:] = [Unknown("No answer.")]
    outbound.run_due(NOON)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.due_at >= later(seconds=10)) == ("queued", True)
    outbound.run_due(later(minutes=1))
    delivery.refresh_from_db()
    assert delivery.state == "sent"
    assert {key for key, _ in network.sent} == {delivery.key}


def test_silence_of_a_network_that_can_be_read_is_looked_into(account_of, answer, network):
    delivery = answer(account_of("tests-finding"))
    network.script[:] = [Unknown("No answer.")]
    network.found[:] = [None, Receipt("there-all-along")]
    outbound.run_due(NOON)
    outbound.run_due(later(seconds=30))
    delivery.refresh_from_db()
    assert (delivery.state, delivery.looks) == ("sending", 1)
    outbound.run_due(later(minutes=3, seconds=30))
    delivery.refresh_from_db()
    assert (delivery.state, delivery.message.remote_id) == ("sent", "there-all-along")
    assert len(network.sent) == 1


def test_three_looks_in_ten_minutes_that_find_nothing_are_for_a_person(account_of, answer, network):
    delivery = answer(account_of("tests-finding"))
    network.script[:] = [Unknown("No answer.")]
    for seconds in range(0, 630, 10):
        outbound.run_due(later(seconds=seconds))
        delivery.refresh_from_db()
        assert delivery.state == "sending"
    outbound.run_due(later(seconds=630))
    delivery.refresh_from_db()
    assert (delivery.state, delivery.looks, delivery.why) == ("unknown", 3, "No answer.")
    assert len(network.sent) == 1


def test_after_a_crash_it_is_looked_for_just_as_long(account_of, answer, network):
    delivery = answer(account_of("tests-finding"))
    outbound.claim(at=NOON, limit=5)
    outbound.run_due(later(seconds=60))
    outbound.run_due(later(seconds=240))
    assert outbound.run_due(later(seconds=659)) == 0
    assert outbound.run_due(later(seconds=660)) == 1
    delivery.refresh_from_db()
    assert (delivery.state, delivery.why, network.sent) == ("unknown", outbound.STOPPED, [])


def test_a_network_that_shows_all_it_has_is_sent_again_what_three_looks_did_not_find(account_of, answer, network):
    delivery = answer(account_of("tests-finding-at-once"))
    network.script[:] = [Unknown("No answer.")]
    for seconds in (0, 5, 40):
        outbound.run_due(later(seconds=seconds))
        delivery.refresh_from_db()
        assert delivery.state == "sending"
    outbound.run_due(later(seconds=120))
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts, delivery.looks) == ("sent", 2, 0)
    assert len(network.sent) == 2


@pytest.mark.parametrize("failure", [Retry("Closed."), Reconnect("Expired."), ValueError("oops")])
def test_a_look_that_cannot_be_made_is_none_of_the_three(account_of, answer, network, failure):
    delivery = answer(account_of("tests-finding-at-once"))
    network.script[:] = [Unknown("No answer.")]
    network.found[:] = [None, failure, failure, failure, None]
    seen = []
    for seconds in range(0, 400, 5):
        outbound.run_due(later(seconds=seconds))
        Account.objects.update(state="active")
        delivery.refresh_from_db()
        seen.append((delivery.state, delivery.looks, delivery.absences))
    assert ("sending", 5, 2) in seen
    assert (delivery.state, delivery.attempts, len(network.sent)) == ("sent", 2, 2)


def test_a_look_comes_no_sooner_than_the_network_says(account_of, answer, network):
    delivery = answer(account_of("tests-finding-at-once"))
    network.script[:] = [Unknown("No answer.")]
    network.found[:] = [Retry("Slower.", after=timedelta(minutes=20))]
    outbound.run_due(NOON)
    outbound.run_due(later(seconds=5))
    delivery.refresh_from_db()
    assert (delivery.state, delivery.lease_until) == ("sending", later(minutes=20, seconds=5))


def test_looks_that_come_to_nothing_end_with_a_person(account_of, answer, network):
    delivery = answer(account_of("tests-finding"))
    network.script[:] = [Unknown("No answer.")]
    network.found[:] = [Retry("Closed.")] * 50
    for minutes in range(0, 150, 3):
        outbound.run_due(later(minutes=minutes))
    delivery.refresh_from_db()
    assert (delivery.state, delivery.looks, len(network.sent)) == ("unknown", outbound.FRUITLESS_LOOKS, 1)


def test_a_key_is_repeated_only_while_the_network_knows_it(account_of, answer, network):
    delivery = answer(account_of("tests-forgetful"))
    network.script[:] = [Unknown("No answer.")] * 50
    for minutes in range(0, 180, 2):
        outbound.run_due(later(minutes=minutes))
    delivery.refresh_from_db()
    assert (delivery.state, delivery.why) == ("unknown", "No answer.")
    # a last try that comes too late for its key is not made
    assert 3 < len(network.sent) <= delivery.attempts < outbound.TRIES
    assert delivery.attempts - len(network.sent) <= 1


@pytest.mark.parametrize(("kind", "ends"), [("tests-forgetful", "unknown"), ("tests-repeating", "sent")])
def test_a_repetition_held_up_until_the_key_is_forgotten_does_not_leave(account_of, answer, network, kind, ends):
    account = account_of(kind)
    delivery = answer(account)
    network.script[:] = [Unknown("No answer."), Retry("Slower.", after=timedelta(minutes=90))]
    outbound.run_due(NOON)
    outbound.run_due(later(minutes=1))
    outbound.run_due(later(hours=2))
    delivery.refresh_from_db()
    assert (delivery.state, len(network.sent)) == (ends, 1 if ends == "unknown" else 2)


@pytest.mark.parametrize("nothing", [Retry("Busy.", after=timedelta(hours=2)), Reconnect("Expired.")])
def test_a_try_of_which_nothing_came_does_not_use_up_the_key(account_of, answer, network, nothing):
    delivery = answer(account_of("tests-forgetful"))
    network.script[:] = [nothing]
    outbound.run_due(NOON)
    delivery.refresh_from_db()
    assert delivery.in_doubt_since is None
    Account.objects.update(state="active")
    outbound.run_due(later(hours=3))
    delivery.refresh_from_db()
    assert (delivery.state, len(network.sent)) == ("sent", 1)


def test_a_crash_counts_as_the_keys_first_use(account_of, answer, network):
    delivery = answer(account_of("tests-forgetful"))
    outbound.claim(at=NOON, limit=5)
    outbound.run_due(later(minutes=59, seconds=30))
    delivery.refresh_from_db()
    assert (delivery.state, delivery.why, network.sent) == ("unknown", outbound.STOPPED, [])


@pytest.mark.parametrize(("until", "state"), [(10, "sent"), (70, "unknown")])
def test_what_was_not_found_is_repeated_only_while_its_key_is_known(account_of, answer, network, until, state):
    delivery = answer(account_of("tests-finding-forgetful"))
    network.script[:] = [Unknown("No answer.")]
    network.found[:] = [None, None]
    for seconds in (0, 30, 210):
        outbound.run_due(later(seconds=seconds))
    outbound.run_due(later(minutes=until, seconds=30))
    delivery.refresh_from_db()
    assert (delivery.state, len(network.sent)) == (state, 2 if state == "sent" else 1)


def test_a_person_may_send_what_the_network_has_forgotten(account_of, answer, alba, network):
    delivery = answer(account_of("tests-forgetful"))
    outbound.claim(at=NOON, limit=5)
    outbound.run_due(later(hours=2))
    delivery.refresh_from_db()
    actions.decide_unknown(delivery=delivery, was_sent=False, by=alba, at=later(hours=3))
    outbound.run_due(later(hours=3))
    delivery.refresh_from_db()
    assert (delivery.state, len(network.sent)) == ("sent", 1)


@pytest.mark.parametrize("kind", ["tests-memory", "tests-repeating"])
def test_of_an_answer_from_a_backup_a_person_is_asked_once_where_nobody_can_look(
    account_of, answer, alba, network, kind
):  # fmt: skip
    delivery = answer(account_of(kind))
    Delivery.objects.update(restored_at=NOON)
    outbound.run_due(NOON)
    delivery.refresh_from_db()
    assert (delivery.state, delivery.why, network.sent) == ("unknown", outbound.RESTORED, [])
    actions.decide_unknown(delivery=delivery, was_sent=False, by=alba, at=later(hours=1))
    outbound.run_due(later(hours=1))
    delivery.refresh_from_db()
    assert (delivery.state, len(network.sent)) == ("sent", 1)


@pytest.mark.parametrize(
    ("kind", "state"), [("tests-memory", "unknown"), ("tests-repeating", "queued"), ("tests-finding", "sending")]
)
def test_what_was_being_sent_when_a_worker_died(account_of, answer, network, kind, state):
    delivery = answer(account_of(kind))
    outbound.claim(at=NOON, limit=5)
    assert outbound.run_due(later(seconds=59)) == 0
    assert outbound.run_due(later(seconds=60)) == 1
    delivery.refresh_from_db()
    assert delivery.state == state
    assert network.sent == []


def test_the_fence_refuses_an_outcome_that_comes_too_late(account_of, answer, network):
    delivery = answer(account_of("tests-finding"))
    (late,) = outbound.claim(at=NOON, limit=5)
    (successor,) = outbound.claim(at=later(seconds=61), limit=5)
    assert outbound.settle([outbound.Result(late, Refused("No."))], at=later(seconds=62)) == 1
    delivery.refresh_from_db()
    assert delivery.state == "sending"
    assert outbound.settle([outbound.Result(successor, Receipt("r"))], at=later(seconds=63)) == 0
    delivery.refresh_from_db()
    assert delivery.state == "sent"


def test_a_renewed_lease_is_not_looked_into(account_of, answer):
    answer(account_of("tests-finding"))
    (claim,) = outbound.claim(at=NOON, limit=5)
    outbound.renew([(claim.id, claim.fence)], at=later(seconds=50))
    assert outbound.claim(at=later(seconds=70), limit=5) == []


def test_answers_of_one_thread_leave_in_their_order(account_of, answer, network):
    account = account_of("tests-memory")
    network.script[:] = [Retry("Not now.")]
    answer(account, "uno")
    outbound.run_due(NOON)
    answer(account, "dos")
    outbound.run_due(later(seconds=1))
    assert network.sent == []
    outbound.run_due(later(seconds=30))
    outbound.run_due(later(seconds=32))
    assert [text for _, text in network.sent] == ["uno", "dos"]


def test_an_account_keeps_its_gap(account_of, answer, network):
    account = account_of("tests-slow")
    for thread in ("diego", "elena", "flora"):
        answer(account, thread=thread)
    sent = []
    for seconds in (0, 1, 2, 3, 4):
        outbound.run_due(later(seconds=seconds))
        sent.append(len(network.sent))
    assert sent == [1, 1, 2, 2, 3]


def test_a_hanging_account_takes_two_hands_at_most(account_of, answer):
    slow, quick = account_of("tests-memory"), account_of("tests-repeating")
    for thread in ("a", "b", "c", "d"):
        answer(slow, thread=thread)
    answer(quick, thread="e")
    claims = outbound.claim(at=NOON, limit=8)
    claims += outbound.claim(at=NOON, limit=8, busy={slow.id: 2, quick.id: 1})
    assert sorted(claim.account_id for claim in claims) == [slow.id, slow.id, quick.id]


def test_a_paused_account_keeps_its_answers(account_of, answer, network):
    account = account_of("tests-memory")
    answer(account)
    Account.objects.update(state="paused")
    assert outbound.run_due(NOON) == 0
    Account.objects.update(state="active")
    assert outbound.run_due(later(seconds=30)) == 1


def test_an_answer_taken_back_in_time_never_leaves(account_of, answer, alba, network):
    delivery = answer(account_of("tests-memory"))
    (ticket,) = outbound.hold(at=NOON, limit=5)
    actions.withdraw(delivery=delivery, by=alba, at=NOON)
    assert outbound.take(ticket, at=NOON) is None
    assert outbound.run_due(later(minutes=5)) == 0
    assert network.sent == []


def test_a_ticket_that_comes_twice_is_used_once(account_of, answer):
    answer(account_of("tests-memory"))
    (ticket,) = outbound.hold(at=NOON, limit=5)
    assert outbound.hold(at=NOON, limit=5) == []
    claim = outbound.take(ticket, at=NOON)
    assert (claim.is_look, outbound.take(ticket, at=NOON)) == (False, None)


def test_a_lost_ticket_frees_itself(account_of, answer):
    answer(account_of("tests-memory"))
    (lost,) = outbound.hold(at=NOON, limit=5)
    (again,) = outbound.hold(at=later(seconds=60), limit=5)
    assert outbound.take(lost, at=later(seconds=60)) is None
    assert outbound.take(again, at=later(seconds=60)) is not None


def test_an_echo_that_came_first_leaves_one_message(account_of, answer, network):
    account = account_of("tests-memory")
    delivery = answer(account)
    echo = envelope("Sí, de nueve a dos.", remote_id="remote-1", is_ours=True, minutes=1)
    network.script[:] = [lambda: inbound.intake(account, [echo], at=NOON)]
    outbound.run_due(NOON)
    ours = Message.objects.filter(account=account, direction="out")
    assert [message.id for message in ours] == [delivery.message_id]
    assert ours[0].remote_id == "remote-1"


def test_two_answers_of_a_thread_that_end_in_the_same_moment_are_both_told(account_of, answer):
    account = account_of("tests-memory")
    pair = [answer(account, "uno"), answer(account, "dos")]
    Delivery.objects.update(state="sent", finished_at=NOON)
    outbound.tell_inbox(delivery_ids=[each.id for each in pair])
    told = Activity.objects.filter(type="delivery.sent").order_by("id")
    assert [line.data["message"] for line in told] == [each.message_id for each in pair]


def test_the_outcome_stands_even_while_the_inbox_is_not_told_and_is_told_once(account_of, answer):
    delivery = answer(account_of("tests-memory"))
    (claim,) = outbound.claim(at=NOON, limit=5)
    outbound.settle([outbound.run(claim)], at=NOON)
    delivery.refresh_from_db()
    assert delivery.state == "sent"
    assert Job.objects.filter(task="outbound.tell_inbox", args={"delivery_ids": [delivery.id]}).count() == 1
    assert Activity.objects.filter(type="delivery.sent").count() == 0
    for _ in range(2):
        outbound.tell_inbox(delivery_ids=[delivery.id])
    assert Activity.objects.filter(type="delivery.sent").count() == 1


def test_many_outcomes_are_settled_and_told_as_one_by_one(account_of, answer, network, monkeypatch):
    monkeypatch.setattr(outbound, "TOLD_AFTER", timedelta())
    account = account_of("tests-memory")
    late, good, same, echoed, bad = (answer(account, thread=name) for name in ("a", "b", "c", "d", "e"))
    claims = {claim.id: claim for claim in _claim_all(account)}
    inbound.intake(account, [envelope("Sí", remote_id="r3", thread="d", is_ours=True)], at=NOON)
    Delivery.objects.filter(pk=late.pk).update(fence=99)
    ended = {late: Receipt("r1"), good: Receipt("r2"), same: Receipt("r2"), echoed: Receipt("r3"), bad: Refused("No.")}
    results = [
        outbound.Result(claims[each.pk], how, Delivery.objects.select_related("account", "message").get(pk=each.pk))
        for each, how in ended.items()
    ]
    assert outbound.settle(results, at=NOON) == 1
    states = [Delivery.objects.get(pk=each.pk).state for each in ended]
    assert states == ["sending", "sent", "sent", "sent", "refused"]
    names = {row.pk: row.remote_id for row in Message.objects.filter(direction="out")}
    assert [names[each.message_id] for each in (good, echoed)] == ["r2", "r3"]
    assert names[same.message_id].startswith("pending:")
    assert len(names) == 5
    jobs.run_due(clock.now())
    assert _told() == sorted(
        [(each.message_id, "sent") for each in (good, same, echoed)] + [(bad.message_id, "refused")]
    )


def _claim_all(account):
    for _ in range(5):
        yield from outbound.claim(at=NOON, limit=5)


def _told():
    lines = Activity.objects.filter(type__in=["delivery.sent", "delivery.refused"])
    return sorted((line.data["message"], line.type.partition(".")[2]) for line in lines)


def test_who_tells_takes_along_what_waits_and_tells_it_once(account_of, answer, network, monkeypatch):
    monkeypatch.setattr(outbound, "TOLD_AFTER", timedelta())
    account = account_of("tests-memory")
    pair = [answer(account, thread=name) for name in ("a", "b")]
    for claim in outbound.claim(at=NOON, limit=5):
        outbound.settle([outbound.run(claim)], at=NOON)
    assert Job.objects.filter(task="outbound.tell_inbox", state="waiting").count() == 2
    (job,) = (job for job in jobs.claim(at=clock.now(), limit=50) if job.task == "outbound.tell_inbox")
    again = jobs.claim(at=clock.now(), limit=50, busy={"outbound.tell_inbox": 1})
    assert "outbound.tell_inbox" not in {each.task for each in again}
    outbound.tell_inbox(**job.args)
    assert Job.objects.filter(task="outbound.tell_inbox", state="done").count() == 1
    assert [message for message, _ in _told()] == [each.message_id for each in pair]
    outbound.tell_inbox(delivery_ids=[each.pk for each in pair])
    assert len(_told()) == 2


def test_what_cannot_be_told_keeps_no_other_from_being_told(account_of, answer, network, monkeypatch):
    account = account_of("tests-memory")
    good, bad = (answer(account, thread=name) for name in ("a", "b"))
    Delivery.objects.update(state="sent", finished_at=NOON)
    tell = actions.record_outcomes

    def stumble(*, deliveries, at, only_news):
        if bad in deliveries:
            raise LookupError
        tell(deliveries=deliveries, at=at, only_news=only_news)

    monkeypatch.setattr(actions, "record_outcomes", stumble)
    with pytest.raises(LookupError):
        outbound.tell_inbox(delivery_ids=[good.pk, bad.pk])
    assert _told() == [(good.message_id, "sent")]


def test_an_account_whose_credentials_cannot_be_read_sends_nothing(account_of, answer, network):
    account = account_of("tests-memory", secrets={"token": "t"})
    delivery = answer(account)
    unreadable = "UPDATE tertulia_channels_account SET secrets = 'gAAAA' WHERE id = %s"
    with connection.cursor() as cursor:
        cursor.execute(unreadable, [account.pk])
    outbound.run_due(NOON)
    delivery.refresh_from_db()
    assert (delivery.state, network.sent) == ("queued", [])


def test_a_claim_looks_at_what_is_under_way_and_not_at_all_that_ever_left(account_of, answer):
    """Of an account with a hundred thousand answers each claim would walk all of them."""
    answer(account_of("tests-memory"), thread="a")
    plan = _plan(outbound._CANDIDATES.format("TRUE"), [due.moment(NOON), due.moment(NOON), 5])
    assert "delivery_under_way" in plan
    assert "delivery_due" in plan


def test_names_of_posts_are_looked_up_and_not_all_posts_read(account_of):
    post = RemotePost.objects.create(account=account_of("tests-memory"), remote_id="1")
    delivery = Delivery(account=post.account)
    asked, params = outbound._known_posts([(delivery, post, Receipt("1")), (delivery, post, Receipt("2"))])
    assert due.rows(asked, params) == [(post.account_id, "1", post.pk)]
    assert "remote_post_unique" in _plan(asked, params)


def _plan(asked, params):
    """How the database goes about it."""
    explain = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")  # with one row it would read the table
        cursor.execute(explain + asked, params)
        return " ".join(str(line) for line in cursor.fetchall())
