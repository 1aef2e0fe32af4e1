"""Who is told of what."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.core import mail as outbox

from conftest import NOON, person
from tertulia.core import activity, jobs
from tertulia.core.models import Job
from tertulia.flows import notify
from tertulia.team import notices
from tertulia.team.models import Membership, Notification, User
from tertulia.team.permissions import Role


@pytest.fixture(autouse=True)
def _addresses(monkeypatch):
    monkeypatch.setattr(notify, "_address", lambda line: f"/b/x/{line.on_id}/")


def happen(name: str, brand, by=None, on=None, **data) -> activity.Activity:
    line = activity.record(name, on=on or brand, brand=brand.pk, by=by.pk if by else None, at=NOON, **data)
    notify.tell(activity_ids=[line.pk])
    return line


def told() -> set[tuple[str, str]]:
    return set(Notification.objects.values_list("user__name", "reason"))


def test_assigned_person_is_told(brand, alba, bruno):
    happen("conversation.assigned", brand, by=alba, to=bruno.pk, to_name="Bruno", person="Diego")
    assert told() == {("Bruno", "assigned")}


def test_nobody_is_told_of_what_they_did_themselves(brand, alba):
    happen("conversation.assigned", brand, by=alba, to=alba.pk, to_name="Alba", person="Diego")
    happen("note.added", brand, by=alba, mentions=[alba.pk], person="Diego")
    assert told() == set()


def test_routing_tells_too(brand, bruno):
    happen("conversation.routed", brand, to=bruno.pk, to_name="Bruno", person="Diego")
    assert told() == {("Bruno", "routed")}


def test_mentioned_people_of_the_brand_are_told(brand, alba, bruno, carla):
    happen("note.added", brand, by=alba, mentions=[bruno.pk, carla.pk], person="Diego")
    assert told() == {("Bruno", "mention")}


def test_somebody_who_left_is_not_told(brand, alba, bruno):
    Membership.objects.filter(user=bruno).delete()
    happen("conversation.assigned", brand, by=alba, to=bruno.pk, to_name="Bruno", person="Diego")
    assert told() == set()


def test_promise_without_an_owner_is_the_managers_worry(brand, alba, bruno):
    happen("promise.at_risk", brand, person="Diego", promise="first_response")
    assert told() == {("Alba", "at_risk")}


def test_refused_answer_is_told_to_who_wrote_it(brand, alba, bruno):
    happen("delivery.refused", brand, author=bruno.pk, person="Diego")
    assert told() == {("Bruno", "refused")}


def test_change_of_an_account_is_told_to_the_other_managers(brand, site, alba, bruno):
    person("Teo", brand, Role.MANAGER)
    happen("account.changed", brand, by=alba, on=site, account="Nuestra página")
    assert told() == {("Teo", "settings")}


def test_told_twice_is_told_once(brand, alba, bruno):
    line = happen("conversation.assigned", brand, by=alba, to=bruno.pk, to_name="Bruno", person="Diego")
    notify.tell(activity_ids=[line.pk])
    assert Notification.objects.count() == 1


def test_words_are_in_the_readers_language_and_plain(brand, alba, bruno, as_bruno):
    User.objects.filter(pk=bruno.pk).update(language="en")
    happen("note.added", brand, by=alba, mentions=[bruno.pk], person="<b>Diego</b> {who}")
    page = as_bruno.get("/b/horno-candela/notifications/").content.decode()
    assert "Alba mentions you in a note about &lt;b&gt;Diego&lt;/b&gt; {who}" in page


def test_reading_is_ones_own_affair(brand, alba, bruno, as_alba, as_bruno):
    happen("conversation.routed", brand, to=bruno.pk, to_name="Bruno", person="Diego")
    mine = Notification.objects.get()
    assert as_alba.post(f"/b/horno-candela/notifications/{mine.pk}/").status_code == 404
    as_alba.post("/b/horno-candela/notifications/reading/")
    assert Notification.objects.get().read_at is None
    answer = as_bruno.post(f"/b/horno-candela/notifications/{mine.pk}/")
    assert answer["Location"] == mine.url
    assert Notification.objects.get().read_at is not None


def test_bell_counts_only_this_brands(brand, other_brand, bruno, as_bruno):
    Membership.objects.create(user=bruno, brand=other_brand, role=Role.READER, created_at=NOON)
    happen("conversation.routed", brand, to=bruno.pk, to_name="Bruno", person="Diego")
    happen("conversation.routed", other_brand, to=bruno.pk, to_name="Bruno", person="Diego")
    page = as_bruno.get("/b/horno-candela/notifications/")
    assert page.context["unread_notifications"] == 1
    assert [one.name for one in page.context["brands"]] == ["Ferretería Ruiz", "Horno Candela"]


# Mail


@pytest.fixture
def with_mail(settings):
    settings.EMAIL_HOST, settings.PUBLIC_URL = "smtp.example", "https://mesa.example"


def minutes_later(minutes: float) -> None:
    with time_machine.travel(NOON + timedelta(minutes=minutes)):
        notices.digest()


@pytest.fixture
def three(brand, bruno, with_mail):
    with time_machine.travel(NOON):
        for n in range(3):
            happen("conversation.routed", brand, to=bruno.pk, to_name="Bruno", person=f"<i>Diego {n}</i>")


def test_what_waits_goes_out_in_one_mail(three, bruno):
    minutes_later(1)
    assert outbox.outbox == []
    minutes_later(3)
    minutes_later(4)
    mail = outbox.outbox[0]
    assert (len(outbox.outbox), mail.to) == (1, [bruno.email])
    assert mail.extra_headers["Auto-Submitted"] == "auto-generated"
    assert "<i>Diego 2</i>" in mail.body
    assert "https://mesa.example/b/x/" in mail.body
    assert "&lt;i&gt;Diego 2&lt;/i&gt;" in mail.alternatives[0].content


def test_what_was_read_is_not_mailed(three, as_bruno):
    as_bruno.post("/b/horno-candela/notifications/reading/")
    minutes_later(3)
    assert outbox.outbox == []


def test_who_wants_no_mail_gets_none(three):
    User.objects.update(notifies_by_mail=False)
    minutes_later(3)
    assert outbox.outbox == []


def test_next_mail_waits_a_while(three, brand, bruno):
    minutes_later(3)
    with time_machine.travel(NOON + timedelta(minutes=4)):
        happen("conversation.routed", brand, to=bruno.pk, to_name="Bruno", person="Diego")
    minutes_later(7)
    assert len(outbox.outbox) == 1
    minutes_later(14)
    assert len(outbox.outbox) == 2


def test_feed_enqueues_the_telling(brand, alba, bruno):
    activity.record(
        "conversation.assigned", on=brand, brand=brand.pk, by=alba.pk, at=NOON, to=bruno.pk, to_name="Bruno", person="D"
    )
    jobs.run_due(NOON + timedelta(days=365 * 50))
    assert told() == {("Bruno", "assigned")}


def test_all_lines_that_wait_are_told_along_with_one(brand, alba, bruno):
    facts = {"by": alba.pk, "to": bruno.pk, "to_name": "Bruno", "person": "Diego"}
    lines = [activity.record("conversation.assigned", on=brand, brand=brand.pk, at=NOON, **facts) for _ in range(3)]
    notify.tell(activity_ids=[lines[0].pk])
    assert set(Notification.objects.values_list("activity_id", flat=True)) == {line.pk for line in lines}
    assert not Job.objects.filter(task="flows.tell", state=Job.State.WAITING).exists()
