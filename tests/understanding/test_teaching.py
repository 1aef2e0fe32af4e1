"""From corrections to what reads the next message: in the background, judged apart, never worse without being told."""

from __future__ import annotations

import itertools
import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conftest import NOON, envelope
from tertulia.channels.models import Message
from tertulia.core.models import Activity, Job
from tertulia.flows import inbound, schedule
from tertulia.inbox import understood
from tertulia.inbox.models import Conversation
from tertulia.team.models import Notification
from tertulia.understanding import actions, judging, layers, lessons, teaching
from tertulia.understanding.model import shipped
from tertulia.understanding.models import BrandLayer, Correction, Example, Import, MessageReading, Topic
from tertulia.understanding.reading import read

pytestmark = pytest.mark.django_db

CHEESE, NEXT = "¿Tenéis tarta de queso para el sábado?", "¿Tenéis tarta de queso para el domingo?"


def arrive(account, text, name) -> Message:
    ids = inbound.intake(account, [envelope(text, remote_id=name, thread=name)], at=NOON)
    inbound.process(conversation_ids=ids)
    return Message.objects.get(account=account, remote_id=name)


def taught(account, text, name, *, is_aside=False) -> Message:
    """A message whose id falls on the asked side."""
    for tries in range(100):
        message = arrive(account, text, f"{name}-{tries}")
        if teaching.is_aside(message.pk) == is_aside:
            return message
        Conversation.objects.filter(thread_id=message.thread_id).delete()
        message.delete()
    raise AssertionError("no message falls on this side")


def correct(message, by, field="kind", value="question"):
    return actions.correct(message=message, field=field, value=value, by=by.pk, at=NOON)


def learn(brand):
    teaching.learn(brand=brand.pk, at=NOON)


def kind_of(text, brand) -> str:
    [found] = actions.read([text], layers.of_one(brand.pk))
    return str(found.kind)


def test_a_correction_teaches_in_the_background_and_what_is_open_is_read_anew(site, brand, alba):
    waiting, other = arrive(site, NEXT, "b"), arrive(site, "Gracias por todo", "c")
    first = taught(site, CHEESE, "a")
    conversation = Conversation.objects.get(thread_id=first.thread_id)
    assert MessageReading.objects.get(pk=waiting.pk).kind == "purchase"
    understood.correct(conversation=conversation, message=first, field="kind", value="question", by=alba, at=NOON)
    assert Job.objects.filter(task="flows.learn").count() == 1
    schedule.run_due(NOON + timedelta(days=3650))
    assert MessageReading.objects.get(pk=waiting.pk).kind == "question"
    assert Conversation.objects.get(thread_id="b").kind == "question"
    assert MessageReading.objects.get(pk=other.pk).kind == "praise"
    layer = BrandLayer.objects.get()
    assert (layer.state, layer.lessons) == ("live", 1)
    assert MessageReading.objects.get(pk=waiting.pk).by == f"{shipped().name}+{layer.pk}"
    assert Activity.objects.filter(type="learning.taught").count() == 1


def test_learning_twice_changes_nothing_and_another_brand_nothing_at_all(site, brand, other_brand, alba):
    correct(taught(site, CHEESE, "a"), alba)
    learn(brand)
    before = list(BrandLayer.objects.values())
    learn(brand)
    learn(other_brand)
    assert list(BrandLayer.objects.values()) == before
    assert kind_of(NEXT, brand) == "question"
    assert kind_of(NEXT, other_brand) == "purchase"


def test_many_corrections_in_a_while_ask_for_one_job(site, brand):
    for seconds in (1, 2, 9):
        teaching.ask(brand.pk, at=NOON + timedelta(seconds=seconds))
    teaching.ask(brand.pk, at=NOON + timedelta(seconds=10))
    assert Job.objects.filter(task="flows.learn").count() == 2


def test_what_is_never_learnt_from_asks_for_no_job_nor_does_taking_it_back(site, brand, alba):
    message = taught(site, CHEESE, "a")
    correct(message, alba, "language", "fr")
    actions.undo_correction(message=message, field="language", by=alba.pk, at=NOON)
    assert not Job.objects.filter(task="flows.learn").exists()


def test_to_undo_a_correction_is_to_unlearn_it(site, brand, alba):
    message = taught(site, CHEESE, "a")
    correct(message, alba)
    learn(brand)
    actions.undo_correction(message=message, field="kind", by=alba.pk, at=NOON)
    learn(brand)
    assert kind_of(NEXT, brand) == "purchase"


def test_what_is_set_aside_is_never_learnt_from(site, brand, alba):
    correct(taught(site, CHEESE, "a", is_aside=True), alba)
    lessons_there_are = teaching.lessons_of(brand.pk)
    assert (lessons_there_are.taught, len(lessons_there_are.aside)) == ([], 1)
    learn(brand)
    assert kind_of(CHEESE, brand) == "purchase"


def test_a_text_that_is_set_aside_is_not_learnt_from_under_another_id_either(site, brand, alba):
    correct(taught(site, CHEESE, "a", is_aside=True), alba)
    correct(taught(site, CHEESE, "b"), alba)
    assert teaching.lessons_of(brand.pk).taught == []


def test_what_was_left_as_it_was_counts_less_than_what_was_said(site, brand, alba):
    correct(taught(site, CHEESE, "a"), alba)
    [lesson] = teaching.lessons_of(brand.pk).taught
    assert (lesson.said["kind"], lesson.said["sentiment"]) == ("question", "neutral")
    assert (lesson.weight.get("kind"), lesson.weight["sentiment"]) == (None, teaching.LEFT_AS_IT_WAS)


def test_whether_it_needs_an_answer_is_learnt_and_a_language_is_not(site, brand, alba):
    message = taught(site, CHEESE, "a")
    correct(message, alba, "language", "ca")
    assert teaching.lessons_of(brand.pk).said == 0
    correct(message, alba, "sentiment", "positive")
    [lesson] = teaching.lessons_of(brand.pk).taught
    assert lesson.said["needs_answer"] is True
    assert "language" not in lesson.said
    correct(message, alba)
    [lesson] = teaching.lessons_of(brand.pk).taught
    assert "needs_answer" not in lesson.said, "it goes with what the message is"
    correct(message, alba, "needs_answer", False)
    [lesson] = teaching.lessons_of(brand.pk).taught
    assert lesson.said["needs_answer"] is False


@pytest.fixture
def worse(site, brand, alba, monkeypatch) -> BrandLayer:
    """What was taught of the one message is wrong for the set-aside one."""
    monkeypatch.setattr(judging, "ENOUGH", 1)
    correct(taught(site, NEXT, "aside", is_aside=True), alba, "sentiment", "positive")
    correct(taught(site, CHEESE, "a"), alba)
    learn(brand)
    return BrandLayer.objects.get(state="held")


def test_a_field_that_got_worse_is_held_back_and_told(worse, brand, alba, bruno):
    assert set(worse.figures) == {"kind"}
    assert (worse.figures["kind"]["shipped"], worse.figures["kind"]["now"]) == (1.0, 0.0)
    assert kind_of(NEXT, brand) == kind_of(CHEESE, brand) == "purchase"
    schedule.run_due(NOON + timedelta(days=3650))
    note = Notification.objects.get(reason="worse")
    assert (note.user, note.url) == (alba, "/b/horno-candela/settings/learning/")
    assert Activity.objects.get(type="learning.held").data == {"field": "What it is"}
    learn(brand)
    assert Activity.objects.filter(type="learning.held").count() == 1


def import_aside(brand, count: int, kind: str = "purchase") -> None:
    """So many texts that only judge, which the shipped model reads as purchases."""
    people = itertools.product(("Ana", "Luis", "Marta", "Pablo", "Sara", "Hugo", "Irene", "Juan"), repeat=2)
    texts = [f"¿Tenéis tarta de queso para {one} y {other}?" for one, other in people]
    texts = [text for text in texts if teaching.is_aside_text(text)]
    texts = [text for text, found in zip(texts, read(texts), strict=True) if found.kind == "purchase"]
    assert len(texts) >= count
    lines = [json.dumps({"text": text, "field": "kind", "value": kind}) for text in texts[:count]]
    lessons.import_lines(brand=brand, content="\n".join(lines).encode(), name="aside", by=None, at=NOON)


def test_what_ten_judge_is_held_back_and_what_nine_judge_is_used_and_told(site, brand, alba):
    import_aside(brand, 9)
    correct(taught(site, CHEESE, "a"), alba)
    learn(brand)
    assert BrandLayer.objects.get().figures["kind"] == {
        "judged": 9, "true": 9, "shipped": 1.0, "before": 1.0, "now": 0.0
    }  # fmt: skip
    assert kind_of(NEXT, brand) == "question"
    told = Activity.objects.get(type="learning.doubted")
    assert told.data == {"field": "What it is", "was": "9/9", "now": "0/9"}
    learn(brand)
    assert Activity.objects.filter(type="learning.doubted").count() == 1
    import_aside(brand, 10)
    learn(brand)
    assert BrandLayer.objects.get(state="held").figures["kind"] == {
        "judged": 10, "true": 10, "shipped": 1.0, "before": 1.0, "now": 0.0
    }  # fmt: skip
    assert kind_of(NEXT, brand) == "purchase"
    assert Activity.objects.filter(type="learning.doubted").count() == 1


def test_nobody_is_told_twice_of_the_same(site, brand, alba):
    correct(taught(site, "Quiero poner una queja", "aside", is_aside=True), alba, "sentiment", "neutral")
    import_aside(brand, 1)
    correct(taught(site, CHEESE, "a"), alba)
    learn(brand)
    correct(taught(site, "Gracias por todo", "b"), alba, "sentiment", "neutral")
    learn(brand)
    assert BrandLayer.objects.filter(state="past").count() == 1
    assert Activity.objects.filter(type="learning.doubted", data__field="What it is").count() == 1


def test_a_person_may_put_it_to_use_all_the_same(worse, brand, alba):
    teaching.accept(held=worse, by=alba.pk, at=NOON)
    assert kind_of(NEXT, brand) == "question"
    learn(brand)
    assert kind_of(NEXT, brand) == "question"
    assert not BrandLayer.objects.filter(state="held").exists()


def test_or_leave_it_and_is_not_asked_again(worse, brand, alba):
    teaching.refuse(held=worse, by=alba.pk, at=NOON)
    learn(brand)
    assert kind_of(CHEESE, brand) == "purchase"
    assert not BrandLayer.objects.filter(state="held").exists()


def test_switched_off_the_shipped_model_reads_alone_until_it_is_switched_on(site, brand, alba):
    message = taught(site, CHEESE, "a")
    correct(message, alba)
    learn(brand)
    assert teaching.switch(brand=brand.pk, is_on=False, by=alba.pk, at=NOON)
    assert not teaching.switch(brand=brand.pk, is_on=False, by=alba.pk, at=NOON)
    learn(brand)
    assert kind_of(NEXT, brand) == "purchase"
    teaching.switch(brand=brand.pk, is_on=True, by=alba.pk, at=NOON)
    assert kind_of(NEXT, brand) == "question"


def test_to_forget_leaves_what_was_said_of_a_message(site, brand, alba):
    message = taught(site, CHEESE, "a")
    correct(message, alba)
    learn(brand)
    teaching.forget(brand=brand, by=alba.pk, at=NOON)
    learn(brand)
    assert kind_of(NEXT, brand) == "purchase"
    assert MessageReading.objects.get(pk=message.pk).kind == "question"
    assert not BrandLayer.objects.exists()


def test_another_shipped_model_leaves_the_layer_behind_until_it_is_learnt_anew(site, brand, alba):
    correct(taught(site, CHEESE, "a"), alba)
    learn(brand)
    BrandLayer.objects.update(model=f"{shipped().name}/1", content=b"a shape nobody can read any more")
    assert kind_of(NEXT, brand) == "purchase"
    assert list(teaching.layers_of_another_model()) == [BrandLayer.objects.get()]
    learn(brand)
    assert kind_of(NEXT, brand) == "question"


def test_of_another_model_it_is_learnt_anew_once_even_if_nothing_is_left_of_it(site, brand, alba):
    message = taught(site, CHEESE, "a")
    correct(message, alba)
    learn(brand)
    actions.undo_correction(message=message, field="kind", by=alba.pk, at=NOON)
    BrandLayer.objects.update(model="older")
    learn(brand)
    assert not teaching.layers_of_another_model().exists()


def between(monkeypatch, something):
    """Lets something happen while a layer is being learnt."""
    real = teaching.judged

    def judged(*args):
        monkeypatch.setattr(teaching, "judged", real)
        something()
        return real(*args)

    monkeypatch.setattr(teaching, "judged", judged)


def test_what_is_forgotten_while_it_is_learnt_stays_forgotten(site, brand, alba, monkeypatch):
    correct(taught(site, CHEESE, "a"), alba)
    between(monkeypatch, lambda: teaching.forget(brand=brand, by=alba.pk, at=NOON))
    learn(brand)
    assert not BrandLayer.objects.exists()


def test_who_learns_longer_does_not_overwrite_who_knows_more(site, brand, alba, monkeypatch):
    correct(taught(site, CHEESE, "a"), alba)
    more = taught(site, "Gracias por todo", "b")

    def somebody_quicker():
        correct(more, alba, "kind", "suggestion")
        learn(brand)

    between(monkeypatch, somebody_quicker)
    learn(brand)
    assert BrandLayer.objects.get(state="live").lessons == 2


def test_a_topic_is_put_on_and_taken_off_and_undone(site, brand, alba):
    message = arrive(site, CHEESE, "a")
    topic = lessons.add_topic(brand=brand, name=" Tartas  por encargo", by=alba.pk, at=NOON)
    assert (topic.slug, topic.name) == ("tartas-por-encargo", "Tartas por encargo")
    assert lessons.add_topic(brand=brand, name="tartas por encargo", by=alba.pk, at=NOON) == topic
    actions.read_messages([message], at=NOON)
    before = MessageReading.objects.values().get()
    for field in ("topic:tartas-por-encargo", "topic:price"):
        correct(message, alba, field, True)
    read = [f"topic:{topic}" for topic in before["topics"]]
    assert read
    for field in read:
        correct(message, alba, field, False)
    actions.read_messages([message], at=NOON)
    assert MessageReading.objects.get().topics == ["tartas-por-encargo", "price"]
    for field in ("topic:tartas-por-encargo", "topic:price", *read):
        actions.undo_correction(message=message, field=field, by=alba.pk, at=NOON)
    assert MessageReading.objects.values().get() == before


@pytest.mark.parametrize(("field", "value"), [("topic:nonsense", True), ("topic:price", 1), ("topic:price", "True")])
def test_only_topics_that_there_are_are_taken(site, other_brand, alba, field, value):
    Topic.objects.create(brand=other_brand, slug="nonsense", name="Nonsense", at=NOON)
    with pytest.raises(actions.NotUnderstood):
        correct(arrive(site, CHEESE, "a"), alba, field, value)
    assert not Correction.objects.exists()


def test_a_topic_goes_with_all_that_was_said_of_it_and_no_other(site, brand, alba):
    message = arrive(site, CHEESE, "a")
    topic = lessons.add_topic(brand=brand, name="Tartas", by=alba.pk, at=NOON)
    correct(message, alba, "topic:tartas", True)
    correct(message, alba, "topic:price", True)
    lessons.remove_topic(topic=topic, by=alba.pk, at=NOON)
    found = MessageReading.objects.get()
    assert (found.corrected, "tartas" in found.topics, "price" in found.topics) == (["topic:price"], False, True)
    assert Correction.objects.get(undone_at=None).field == "topic:price"


def test_a_removed_topic_comes_back_as_it_was_and_teaches_again(site, brand, alba):
    on, off, undone = (arrive(site, text, text) for text in (CHEESE, NEXT, "Gracias"))
    topic = lessons.add_topic(brand=brand, name="Tartas", by=alba.pk, at=NOON)
    line = '{"text": "Una tarta", "field": "topic:tartas", "value": true}'
    lessons.import_lines(brand=brand, content=line.encode(), name="a", by=alba.pk, at=NOON)
    correct(on, alba, "topic:tartas", True)
    correct(undone, alba, "topic:tartas", True)
    MessageReading.objects.filter(pk=off.pk).update(topics=["tartas"])
    correct(off, alba, "topic:tartas", False)
    actions.undo_correction(message=undone, field="topic:tartas", by=alba.pk, at=NOON - timedelta(hours=1))
    before, exported = list(MessageReading.objects.order_by("pk").values()), list(lessons.exported(brand))
    assert len(exported) == teaching.lessons_of(brand.pk).said == 3
    for _twice in range(2):
        lessons.remove_topic(topic=topic, by=alba.pk, at=NOON)
    assert [list(lessons.exported(brand)), teaching.lessons_of(brand.pk).said, teaching.own_topics(brand.pk)] == [
        [],
        0,
        {},
    ]
    assert not actions.can_be_said(brand.pk, "topic:tartas", True)
    for _twice in range(2):
        lessons.restore_topic(topic=topic, by=alba.pk, at=NOON)
    assert list(MessageReading.objects.order_by("pk").values()) == before
    assert list(lessons.exported(brand)) == exported
    assert list(Activity.objects.filter(type__startswith="topic.").order_by("pk").values_list("type", flat=True)) == [
        "topic.added", "topic.removed", "topic.restored",
    ]  # fmt: skip


def test_to_add_a_removed_topic_again_brings_it_back(site, brand, alba):
    topic = lessons.add_topic(brand=brand, name="Tartas", by=alba.pk, at=NOON)
    message = arrive(site, CHEESE, "a")
    correct(message, alba, "topic:tartas", True)
    lessons.remove_topic(topic=topic, by=alba.pk, at=NOON)
    assert lessons.add_topic(brand=brand, name="tartas", by=alba.pk, at=NOON) == topic
    assert "tartas" in MessageReading.objects.get().topics


def test_what_was_removed_is_gone_once_everything_is_forgotten(brand, alba):
    topic = lessons.add_topic(brand=brand, name="Tartas", by=alba.pk, at=NOON)
    lessons.remove_topic(topic=topic, by=alba.pk, at=NOON)
    teaching.forget(brand=brand, by=alba.pk, at=NOON)
    assert not Topic.objects.exists()


@pytest.mark.parametrize("name", ["", "  ", "x" * 61])
def test_a_topic_needs_a_name(brand, alba, name):
    with pytest.raises(lessons.NoTopic):
        lessons.add_topic(brand=brand, name=name, by=alba.pk, at=NOON)


def test_a_topic_called_like_a_shipped_one_is_another(brand, alba):
    assert lessons.add_topic(brand=brand, name="Price", by=alba.pk, at=NOON).slug == "price-2"
    assert lessons.add_topic(brand=brand, name="🥐", by=alba.pk, at=NOON).slug


def test_what_leaves_one_brand_teaches_another(site, brand, other_brand, alba, carla):
    lessons.add_topic(brand=brand, name="Tartas", by=alba.pk, at=NOON)
    message = taught(site, CHEESE, "a")
    correct(message, alba)
    correct(message, alba, "topic:tartas", True)
    lines = list(lessons.exported(brand))
    assert [json.loads(line) for line in lines] == [
        {"text": CHEESE, "field": "kind", "value": "question", "at": NOON.isoformat()},
        {"text": CHEESE, "field": "topic:tartas", "value": True, "at": NOON.isoformat(), "name": "Tartas"},
    ]
    content = "".join(lines).encode()
    source = lessons.import_lines(brand=other_brand, content=content, name="a.jsonl", by=carla.pk, at=NOON)
    assert (source.size, Topic.objects.get(brand=other_brand).name) == (2, "Tartas")
    assert "".join(lessons.exported(other_brand)).encode() == content
    learn(other_brand)
    assert kind_of(NEXT, other_brand) == ("purchase" if teaching.is_aside_text(CHEESE) else "question")
    lessons.undo_import(source=source, by=carla.pk, at=NOON)
    learn(other_brand)
    assert kind_of(NEXT, other_brand) == "purchase"


GOOD = '{"text": "Hola", "field": "kind", "value": "question"}'


@pytest.mark.parametrize(
    "line",
    [
        "nonsense", "[]", "3", "{}", GOOD.replace("Hola", ""), GOOD.replace("kind", "language"),
        GOOD.replace('"question"', "true"), GOOD.replace('"question"', "[]"), GOOD.replace("question", "nonsense"),
        '{"text": "Hola", "field": "urgency", "value": 50}', '{"text": "Hola", "field": "topic:x", "value": 1}',
        '{"text": "Hola", "field": "topic:a b", "value": true}', '{"text": "Hola", "field": "offensive", "value": 1}',
        '{"text": "Hola", "field": "needs_answer", "value": 1}',
        '{"text": "Hola", "field": "kind", "value": "question", "at": "yesterday"}', "[" * 100_000,
        '{"text": "a\\u0000b", "field": "kind", "value": "question"}', '{"text": 3, "field": null, "value": null}',
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_read_is_told_and_nothing_is_half_done(brand, line):
    with pytest.raises(lessons.NotReadable) as caught:
        lessons.import_lines(brand=brand, content=f"{GOOD}\n{line}\n".encode(), name="a", by=None, at=NOON)
    assert "2" in caught.value.problems[0]
    assert not Import.objects.exists()
    assert not Example.objects.exists()


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xff\xfe\x00", b"x" * (lessons.LARGEST + 1)])
def test_a_file_that_cannot_be_read_is_told(brand, content):
    with pytest.raises(lessons.NotReadable):
        lessons.import_lines(brand=brand, content=content, name="a", by=None, at=NOON)


def test_a_layer_costs_one_question_a_batch(site, brand, alba):
    def cost() -> int:
        with CaptureQueriesContext(connection) as asked:
            actions.read_messages([message], at=NOON)
        return len(asked)

    message = taught(site, CHEESE, "a")
    correct(message, alba)
    learn(brand)
    actions.read_messages([message], at=NOON)
    with_layer = cost()
    teaching.switch(brand=brand.pk, is_on=False, by=alba.pk, at=NOON)
    assert with_layer == cost()
