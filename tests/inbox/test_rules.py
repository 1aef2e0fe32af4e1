"""If … then …: each condition and act, once on a message, in order, and never in another brand."""

from __future__ import annotations

from datetime import timedelta

import pytest

from conftest import NOON, envelope
from tertulia.brand.models import Brand
from tertulia.channels.models import Message
from tertulia.core import clock, jobs
from tertulia.core.models import Activity
from tertulia.flows import inbound
from tertulia.inbox import actions, activities, rules
from tertulia.inbox.models import Conversation, Label, Note, Rule, RuleAct
from tertulia.team.models import Notification
from tertulia.understanding import lessons
from tertulia.understanding.models import MessageReading

pytestmark = pytest.mark.django_db

READ = {"kind": "complaint", "sentiment": "negative", "urgency": 67, "offensive": True, "language": "en"}


@pytest.fixture(autouse=True)
def at_noon(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOON)


def rule(brand, name="Urge", conditions=None, stops=False, position=1, **acts) -> Rule:
    return Rule.objects.create(
        brand=brand, name=name, conditions=conditions or {}, acts=acts, stops=stops, on_at=NOON, position=position
    )


def arrive(account, text="Mi pedido no llega", thread="diego", number=1, **read) -> Conversation:
    """Taken in, and read as `read` says; the rules have not been asked."""
    new = envelope(text, thread=thread, remote_id=f"{thread}{number}", minutes=number)
    [id] = inbound.intake(account, [new], at=NOON)
    said = {"kind": "other", "sentiment": "neutral", "urgency": 0, "offensive": False, "language": "es", "topics": []}
    MessageReading.objects.create(
        message=Message.objects.get(account=account, remote_id=f"{thread}{number}"), brand=account.brand, spam=False,
        needs_answer=True, at=NOON, **{"confidence": {"kind": 0.8, "topics": 0.6}} | said | read,
    )  # fmt: skip
    return Conversation.objects.select_related("brand", "account").get(pk=id)


def run(conversation, at=NOON) -> Conversation:
    rules.apply([conversation.pk], at=at)
    conversation.refresh_from_db()
    return conversation


@pytest.mark.parametrize(
    ("condition", "value", "other"),
    [
        *((name, value, {"kind": "praise", "sentiment": "positive", "urgency": 33, "offensive": False,
                         "language": "es"}[name]) for name, value in READ.items()),
        ("topic", "delivery", "invoice"),
        ("words", ["no llega"], ["lleg"]),
        ("person", "new", "known"),
        ("channel", "site", "phone"),
    ],
)  # fmt: skip
def test_each_condition(brand, site, condition, value, other):
    arrive(site, thread="x", number=0, **READ | ({"topics": ["delivery"]}))
    [case] = rules.tried(Rule(brand=brand, conditions={}))[1]

    assert rules.holds(Rule(conditions={condition: value}), case)
    if condition == "urgency":
        assert rules.holds(Rule(conditions={condition: other}), case)
        assert not rules.holds(Rule(conditions={condition: 100}), case)
    else:
        assert not rules.holds(Rule(conditions={condition: other}), case)


def test_account_confidence_and_what_nobody_knows(brand, site):
    arrive(site, **READ | ({"topics": ["delivery"]}))
    [case] = rules.tried(Rule(brand=brand))[1]
    for conditions, is_met in [
        ({"account": site.pk}, True), ({"account": 0}, False), ({"nonsense": 1}, False),
        ({"kind": "complaint", "confidence": 70}, True), ({"kind": "complaint", "confidence": 90}, False),
        ({"kind": "complaint", "topic": "delivery", "confidence": 70}, False),
    ]:  # fmt: skip
        assert rules.holds(Rule(conditions=conditions), case) is is_met


def test_each_topic_counts_as_sure_as_it_is_and_fully_when_somebody_said_so(brand, site):
    sure = {"topics": 0.3, "topic:delivery": 0.95, "topic:order": 0.3}
    arrive(site, topics=["delivery", "order", "price"], confidence=sure, corrected=["topic:price"])
    [case] = rules.tried(Rule(brand=brand))[1]
    for topic, is_met in [("delivery", True), ("order", False), ("price", True)]:
        assert rules.holds(Rule(conditions={"topic": topic, "confidence": 90}), case) is is_met


def test_somebody_who_wrote_before_is_known(brand, site):
    first = arrive(site, number=0)
    arrive(site, number=60)
    cases = rules.tried(Rule(brand=brand, conditions={"person": "known"}))[1]
    assert [case.message.remote_id for case in cases] == ["diego60"]
    assert first.member_id


def test_each_act_with_the_rule_in_the_feed(brand, site, alba, bruno):
    label = Label.objects.create(brand=brand, name="Urge")
    rule(brand, labels=[label.pk], owner=bruno.pk, tell=[bruno.pk], managers=True, note="Llamar", close="no_answer")

    conversation = run(arrive(site))
    jobs.run_due(NOON)

    assert conversation.labels == [label.pk]
    assert conversation.owner == bruno
    assert Note.objects.get().text == "Llamar"
    assert (conversation.state, conversation.close_reason) == ("closed", "no_answer")
    assert set(Notification.objects.filter(reason="rule").values_list("user", flat=True)) == {alba.pk, bruno.pk}
    line = Activity.objects.get(type=activities.RULED)
    assert (line.on_id, line.data["rule"]) == (conversation.pk, "Urge")
    assert set(RuleAct.objects.get().did) == {"labels", "owner", "tell", "managers", "note", "close"}


def test_as_spam_only_what_was_read_so_or_as_nothing(brand, site):
    rule(brand, close="spam")
    assert run(arrive(site, thread="a", kind="question")).state == "open"
    assert run(arrive(site, thread="b", kind="spam")).close_reason == "spam"
    assert run(arrive(site, thread="c", kind="other")).close_reason == "spam"


def test_once_on_a_message_whatever_happens(brand, site, alba):
    rule(brand, conditions={"kind": "complaint"}, note="x")
    conversation = run(arrive(site, kind="complaint"))
    run(conversation)
    MessageReading.objects.update(kind="praise")
    run(conversation)
    MessageReading.objects.update(kind="complaint")
    run(conversation)
    assert Note.objects.count() == 1

    run(arrive(site, number=2, kind="complaint"))
    assert Note.objects.count() == 2


def test_what_somebody_opened_again_stays_open(brand, site, alba):
    rule(brand, close="no_answer")
    conversation = run(arrive(site))
    actions.reopen(conversation=conversation, by=alba, at=NOON)
    assert run(conversation).state == "open"


def test_in_order_until_one_stops(brand, site):
    rule(brand, "b", note="second", position=2, stops=True)
    rule(brand, "a", note="first", position=1)
    rule(brand, "c", note="third", position=3)
    conversation = run(run(arrive(site)))
    assert list(Note.objects.order_by("pk").values_list("text", flat=True)) == ["first", "second"]
    assert conversation.notes.count() == 2


def test_not_on_what_came_before_nor_late_nor_switched_off(brand, site, alba):
    one = rule(brand, note="x")
    rules.switch(rule=one, is_on=True, by=alba, at=NOON + timedelta(minutes=1))
    conversation = run(arrive(site))
    rules.switch(rule=one, is_on=True, by=alba, at=NOON)
    run(conversation, at=NOON + timedelta(days=3))
    rules.switch(rule=one, is_on=False, by=alba, at=NOON)
    run(conversation)
    assert not Note.objects.exists()


def test_another_brand_s_rules_people_and_labels_are_not_touched(brand, site, alba, carla):
    other = Brand.objects.exclude(pk=brand.pk).get()
    label = Label.objects.create(brand=other, name="Ajena")
    rule(other, note="theirs")
    rule(brand, labels=[label.pk], owner=carla.pk)
    conversation = run(arrive(site))
    assert (conversation.labels, conversation.owner, Note.objects.count()) == ([], None, 0)
    assert RuleAct.objects.get().did == []


def test_they_run_in_the_job_before_the_routing(brand, site, alba, bruno):
    rule(brand, owner=bruno.pk)
    [id] = inbound.intake(site, [envelope("Hola")], at=NOON)
    inbound.process(conversation_ids=[id])
    assert Conversation.objects.get().owner == bruno


def test_written_tried_switched_on_moved_and_removed_on_its_pages(brand, site, as_alba, alba):
    arrive(site, kind="complaint")
    base = "/b/horno-candela/settings/rules/"
    as_alba.post(base, {"name": "Otra", "note": "y"})
    answer = as_alba.post(base, {"name": "Quejas", "kind": "complaint", "urgency": "", "managers": "on"}, follow=True)
    one = Rule.objects.get(name="Quejas")
    assert (one.conditions, one.acts, one.on_at) == ({"kind": "complaint"}, {"managers": True}, None)
    assert "Hay un mensaje con el que probarla. Habría actuado sobre 1." in answer.content.decode()

    as_alba.post(f"{base}{one.pk}/switch/", {"on": "1"})
    as_alba.post(f"{base}{one.pk}/place/")
    assert list(Rule.objects.order_by("position").values_list("name", flat=True)) == ["Quejas", "Otra"]
    one.refresh_from_db()
    assert one.on_at == NOON
    assert as_alba.post(base, {"name": "Nada"}).status_code == 422

    as_alba.post(f"{base}{one.pk}/removal/")
    told = Activity.objects.filter(on_kind="inbox.rule", on_id=one.pk).order_by("pk").values_list("type", flat=True)
    assert list(told) == ["rule.kept", "rule.on", "rule.kept", "rule.gone"]


def test_the_feed_names_the_rule(brand, site, as_alba):
    rule(brand, note="x")
    conversation = run(arrive(site))
    page = as_alba.get(f"/b/horno-candela/inbox/{conversation.pk}/").content.decode()
    assert "Se ha aplicado la regla «Urge»" in page


def test_what_cannot_be_done_keeps_neither_the_rest_nor_the_others(brand, site, alba):
    rule(brand, note="\x01", close="no_answer")
    rule(brand, "b", note="second", position=2)
    assert run(arrive(site)).state == "closed"
    assert RuleAct.objects.order_by("pk").first().did == ["close"]
    assert Note.objects.get().text == "second"


def test_many_messages_cost_no_more_questions(brand, site, django_assert_num_queries):
    rule(brand, conditions={"person": "known", "kind": "spam"}, note="x")
    conversation = arrive(site)
    for number in range(2, 12):
        arrive(site, number=number)
    with django_assert_num_queries(5):
        rules.apply([conversation.pk], at=NOON)
    arrive(site, number=99, thread="eva")
    with django_assert_num_queries(3):
        assert rules.tried(Rule(brand=brand, conditions={"person": "new"}))[0] == 12


def test_own_topics_can_be_asked_for_and_a_language_by_its_name(brand, site, as_alba, alba):
    lessons.add_topic(brand=brand, name="Tartas de encargo", by=alba.pk, at=NOON)
    said = {"name": "Tartas", "topic": "tartas-de-encargo", "language": "eu", "note": "x"}
    assert ">Euskera</option>" in as_alba.get("/b/horno-candela/settings/rules/").content.decode()
    assert as_alba.post("/b/horno-candela/settings/rules/", said).status_code == 302
    assert Rule.objects.get().conditions == {"language": "eu", "topic": "tartas-de-encargo"}


def test_a_rule_of_a_removed_topic_keeps_it_and_holds_for_nothing(brand, site, as_alba, alba):
    topic = lessons.add_topic(brand=brand, name="Tartas de encargo", by=alba.pk, at=NOON)
    one = rule(brand, conditions={"topic": topic.slug}, note="x")
    lessons.remove_topic(topic=topic, by=alba.pk, at=NOON)
    page = as_alba.get(f"/b/horno-candela/settings/rules/{one.pk}/").content.decode()
    assert '<option value="tartas-de-encargo" selected>Tartas de encargo, eliminado</option>' in page
    said = {"name": "Encargos", "topic": topic.slug, "note": "x"}
    assert as_alba.post(f"/b/horno-candela/settings/rules/{one.pk}/", said).status_code == 302
    one.refresh_from_db()
    assert (one.name, one.conditions) == ("Encargos", {"topic": topic.slug})

    conversation = run(arrive(site, topics=[topic.slug]))  # as a layer reads that has not been learnt anew yet
    assert not conversation.notes.exists()
    assert rules.tried(one) == (1, [])
    lessons.restore_topic(topic=topic, by=alba.pk, at=NOON)
    assert run(conversation).notes.count() == 1
