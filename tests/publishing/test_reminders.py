"""What waits for somebody is told again, in time and once; and nothing waits for nobody."""

from datetime import timedelta

import pytest
from django.conf import settings
from publishing_cast import *  # noqa: F403

from conftest import NOON, person
from tertulia.channels.models import Account, Delivery
from tertulia.core import jobs
from tertulia.core.models import Activity, Job
from tertulia.flows import outbound, ticks
from tertulia.publishing import actions, approval, reminders
from tertulia.publishing.models import ApprovalRequest, ApprovalRule, GuestPass, Post
from tertulia.publishing.problems import NotHere
from tertulia.publishing.saying import Piece, Wanted
from tertulia.team.models import Membership, Notification

pytestmark = pytest.mark.django_db
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
AGENCY = "marta@agencia.example"


@pytest.fixture
def elsa(brand):
    return person("Elsa", brand, role="expert")


@pytest.fixture
def by_hand(brand):
    profile = "https://www.tiktok.example/@hornocandela"
    said = {"platform": "TikTok", "profile": profile}
    return Account.objects.create(brand=brand, kind="manual", name="TikTok", created_at=NOON, settings=said)


@pytest.fixture
def scheduled(brand, by_hand, bruno):
    """For three o'clock on a network by hand: two hours after `DUE`."""
    post = actions.create(brand=brand, by=bruno, at=NOON, pieces=[Piece("Pan")], versions={by_hand.pk: Wanted()})
    actions.plan(post=post, wall=ONE_O_CLOCK + 2 * HOUR, by=bruno, at=NOON)  # noqa: F405
    return actions.schedule(post=post, by=bruno, at=NOON)


LEAVES = NOON + 3 * HOUR


@pytest.fixture
def asked(brand, alba, bruno, elsa, by_hand):
    """`asked({"users": [alba]}, wall=…)`: a post of Elsa's under a rule with these steps, and her request."""

    def make(*steps, wall=ONE_O_CLOCK + 2 * HOUR, **said) -> ApprovalRequest:  # noqa: F405
        actions.save_rule(rule=ApprovalRule(brand=brand, **said), steps=steps, by=alba, at=NOON)
        post = actions.create(brand=brand, by=elsa, at=NOON, pieces=[Piece("Pan")], versions={by_hand.pk: Wanted()})
        if wall:
            actions.plan(post=post, wall=wall, by=elsa, at=NOON)
        return approval.ask(post=Post.objects.get(pk=post.pk), by=elsa, at=NOON)

    return make


def told(reason: str) -> list[str]:
    jobs.run_due(NOON + 99 * DAY)
    return sorted(Notification.objects.filter(reason=reason).values_list("user__name", flat=True))


def mails() -> list[dict]:
    return [job.args for job in Job.objects.filter(task="team.mail").order_by("pk")]


# By hand.


def test_a_post_by_hand_is_said_an_hour_before_and_twice_after_and_each_once(scheduled, alba):
    moments = [LEAVES - HOUR - MINUTE, LEAVES - HOUR, LEAVES - 59 * MINUTE, LEAVES - MINUTE]
    assert [reminders.remind_before_hand(at=at) for at in moments] == [0, 1, 0, 0]
    assert told("post_waits") == ["Bruno"]
    outbound.run_due(LEAVES)
    assert Delivery.objects.get().state == "by_hand"
    later = HOUR + outbound.LEASE  # behind a broker it counts from when the hand-over would have been given up
    after = [59 * MINUTE, later, 2 * HOUR, DAY, DAY + later, 9 * DAY]
    assert [reminders.remind_by_hand(at=LEAVES + one) for one in after] == [0, 1, 0, 0, 1, 0]
    assert told("post_waits") == ["Alba", "Alba", "Bruno", "Bruno", "Bruno"]
    assert ticks.remind_by_hand(at=LEAVES + 9 * DAY) == 0, "answers alone"


def test_reminders_that_were_missed_are_one_and_what_is_done_has_none(scheduled, bruno):
    outbound.run_due(LEAVES)
    assert [reminders.remind_by_hand(at=LEAVES + days * DAY) for days in (5, 6)] == [1, 0]
    actions.finish_by_hand(delivery=Delivery.objects.get(), by=bruno, at=LEAVES)
    Delivery.objects.update(reminders=0)
    assert reminders.remind_by_hand(at=LEAVES + 7 * DAY) == 0


def test_a_post_that_was_just_scheduled_moved_or_stopped_is_not_said_to_be_due(scheduled, brand, bruno):
    actions.plan(post=scheduled, wall=ONE_O_CLOCK - 30 * MINUTE, by=bruno, at=NOON)  # noqa: F405
    assert reminders.remind_before_hand(at=NOON + MINUTE) == 0, "half an hour after it was moved"
    actions.plan(post=scheduled, wall=ONE_O_CLOCK + 4 * HOUR, by=bruno, at=NOON)  # noqa: F405
    assert reminders.remind_before_hand(at=LEAVES - HOUR) == 0, "its old time"
    actions.stop(brand=brand, by=bruno, at=NOON)
    assert reminders.remind_before_hand(at=LEAVES + HOUR) == 0
    actions.resume(brand=brand, by=bruno, at=NOON)
    assert reminders.remind_before_hand(at=LEAVES + HOUR) == 1


def test_when_its_author_has_left_the_managers_are_told(scheduled, bruno, alba):
    Membership.objects.filter(user=bruno).delete()
    reminders.remind_before_hand(at=LEAVES - HOUR)
    assert told("post_waits") == ["Alba"]


def test_what_leaves_by_itself_is_not_said(network, account_of, post_on):
    post_on(account_of())
    assert reminders.remind_before_hand(at=DUE - 30 * MINUTE) == 0  # noqa: F405


# Approvals.


def test_an_approval_is_told_before_its_time_and_when_that_has_passed(asked, alba):
    asked({"users": [alba]})
    moments = [NOON + 89 * MINUTE, NOON + 90 * MINUTE, NOON + 2 * HOUR, LEAVES - MINUTE]
    assert [reminders.remind_of_approvals(at=at) for at in moments] == [0, 1, 0, 0]
    assert told("approval_waits") == ["Alba"]
    assert [reminders.remind_of_approvals(at=at) for at in (LEAVES, LEAVES + 9 * DAY)] == [1, 0]
    assert told("approval_waits") == ["Alba", "Alba", "Elsa"]
    lines = Activity.objects.filter(type__startswith="post.approval_").order_by("pk").values_list("type", flat=True)
    assert list(lines) == ["post.approval_asked", "post.approval_waits", "post.approval_late"]


def test_of_a_post_far_off_it_is_a_day_before_and_of_one_without_a_time_a_day_after(asked, alba):
    asked({"users": [alba]}, wall=ONE_O_CLOCK + 7 * DAY)  # noqa: F405
    moments = [NOON + HOUR + 6 * DAY - MINUTE, NOON + HOUR + 6 * DAY]
    assert [reminders.remind_of_approvals(at=at) for at in moments] == [0, 1]
    ApprovalRequest.objects.all().delete()
    ApprovalRule.objects.all().delete()
    asked({"users": [alba]}, wall=None)
    after = [DAY - MINUTE, DAY, 2 * DAY, 3 * DAY, 9 * DAY]
    assert [reminders.remind_of_approvals(at=NOON + one) for one in after] == [0, 1, 0, 1, 0]
    assert not Activity.objects.filter(type="post.approval_late").exists()


def test_what_is_moved_is_reminded_of_anew_and_what_is_decided_or_cancelled_no_more(asked, alba, elsa):
    request = asked({"users": [alba]})
    assert reminders.remind_of_approvals(at=LEAVES + 9 * DAY) == 1, "both at once"
    actions.plan(post=request.post, wall=ONE_O_CLOCK + 30 * DAY, by=elsa, at=LEAVES + 9 * DAY)  # noqa: F405
    assert reminders.remind_of_approvals(at=LEAVES + 9 * DAY) == 0
    assert reminders.remind_of_approvals(at=NOON + HOUR + 29 * DAY) == 1
    actions.cancel(post=request.post, by=elsa, at=NOON)
    assert reminders.remind_of_approvals(at=NOON + 40 * DAY) == 0


def test_somebody_from_outside_gets_a_mail_whose_link_opens_and_so_does_the_one_before(asked, monkeypatch):
    monkeypatch.setattr(settings, "EMAIL_HOST", "localhost")
    asked({"outside": [AGENCY]})
    reminders.remind_of_approvals(at=NOON + 2 * HOUR)
    first, second = mails()
    assert second["to"] == AGENCY
    assert second["subject"] != first["subject"]
    for mail in (first, second):
        token = mail["text"].split("/approval/")[1].split("/")[0]
        assert approval.guest_of(token, at=NOON + 2 * HOUR).address == AGENCY
    reminders.remind_of_approvals(at=NOON + 2 * HOUR)
    assert len(mails()) == GuestPass.objects.count() == 2


# Who may approve.


def test_who_loses_the_role_leaves_and_whoever_has_it_now_is_asked(asked, brand, elsa, bruno):
    dora = person("Dora", brand, role="approver")
    request = asked({"role": "approver"})
    Membership.objects.filter(user=dora).update(role="reader")
    with pytest.raises(NotHere):
        actions.approve(request=request, is_approved=True, by=dora, at=NOON)
    before = approval.place_of(request).users
    flora = person("Flora", brand, role="approver")
    actions.follow_roles(at=NOON)
    request.refresh_from_db()
    assert approval.place_of(request).users == (before - {dora.pk}) | {flora.pk}
    line = Activity.objects.filter(type="post.approval_asked").last()
    assert line.data["approvers"] == [flora.pk]
    asked_before = Activity.objects.count()
    actions.follow_roles(at=NOON)
    assert Activity.objects.count() == asked_before
    actions.approve(request=request, is_approved=True, by=flora, at=NOON)
    assert ApprovalRequest.objects.get().outcome == "approved"


def test_where_nobody_is_left_the_request_ends_and_whoever_asked_hears_of_it(asked, alba, bruno):
    request = asked({"users": [bruno]})
    Membership.objects.filter(user=bruno).delete()
    actions.follow_roles(at=NOON)
    request.refresh_from_db()
    assert (request.outcome, state(request.post)) == ("nobody", "draft")  # noqa: F405
    assert told("approval_told") == ["Alba", "Elsa"]
    assert not approval.may_decide(request, bruno)
    assert approval.lacks(request.post)


def test_when_the_last_that_all_waited_for_leaves_it_goes_on_with_what_the_others_said(asked, alba, bruno):
    request = asked({"users": [alba, bruno], "needs_all": True})
    actions.approve(request=request, is_approved=True, by=alba, at=NOON)
    assert state(request.post) == "approval"  # noqa: F405
    Membership.objects.filter(user=bruno).delete()
    actions.follow_roles(at=NOON)
    assert state(request.post) == "scheduled"  # noqa: F405


def test_a_step_whose_people_have_all_gone_before_its_turn_ends_it_then(asked, alba, bruno):
    request = asked({"users": [alba]}, {"users": [bruno]})
    Membership.objects.filter(user=bruno).delete()
    actions.follow_roles(at=NOON)
    actions.approve(request=request, is_approved=True, by=alba, at=NOON)
    request.refresh_from_db()
    assert (request.outcome, Delivery.objects.count()) == ("nobody", 0)


def test_the_clock_does_all_of_it(scheduled, monkeypatch):
    monkeypatch.setattr("tertulia.core.clock.now", lambda: LEAVES - HOUR)
    ticks.reminders_tick()
    assert Activity.objects.filter(type="post.by_hand_soon").count() == 1
    assert "publishing.reminders" in jobs.periodics
