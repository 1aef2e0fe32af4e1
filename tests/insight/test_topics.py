"""The page of topics, the repeated questions, and the same for a program."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from urllib.parse import urlsplit

import pytest
import time_machine
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from conftest import NOON, envelope
from tertulia.brand import actions as brand_actions
from tertulia.channels.models import Account, Message
from tertulia.core import tables
from tertulia.core.models import Activity
from tertulia.flows import inbound
from tertulia.inbox import actions as inbox_actions
from tertulia.inbox.models import Conversation, SavedReply
from tertulia.insight import pages, topics
from tertulia.insight.models import DismissedQuestion
from tertulia.understanding import lessons
from tertulia.understanding.models import MessageReading, Topic

pytestmark = pytest.mark.django_db
PAGE = "/b/horno-candela/topics/"
QUESTIONS = "/b/horno-candela/questions/"
LATE = [
    "Otra vez retraso en la entrega, llegó a las once",
    "Hay mucho retraso en la entrega del pedido",
    "Qué retraso en la entrega, así no se puede",
]
BREAD = ["¿Tenéis pan de espelta?", "hola, teneis pan de espelta?", "¿Hay pan de espelta?"]


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOON, tick=False):
        yield


def write(account: Account, texts: list[str], *, days_ago: float = 0, name: str = "p") -> None:
    sent_at = NOON - timedelta(days=days_ago)
    said = [
        envelope(text, remote_id=f"{name}{n}", thread=f"{name}{n}", sent_at=sent_at + timedelta(minutes=n))
        for n, text in enumerate(texts)
    ]
    inbound.process(conversation_ids=inbound.intake(account, said, at=NOON))


def names(answer) -> list[str]:
    return [topic.name for topic in answer.context["topics"]]


def test_topics_come_with_figures_quotes_and_what_has_changed(as_alba, site):
    write(site, LATE, days_ago=1)
    write(site, LATE[:1], days_ago=40, name="before")
    answer = as_alba.get(PAGE)
    [late] = [topic for topic in answer.context["topics"] if topic.name == "Entrega"]
    assert (late.messages, late.people, late.change, late.trend) == (3, 3, "2 más que antes", "up")
    assert [part.name for part in late.parts] == ["Retraso en la entrega"]
    assert {text for _row, text, _alike in late.quotes} == set(LATE)
    html = answer.content.decode()
    for conversation in Conversation.objects.filter(account=site, thread_id__startswith="p"):
        assert f"/b/horno-candela/inbox/{conversation.pk}/#message-" in html


def test_only_the_chosen_days_channel_and_language_count(as_alba, site, phone):
    write(site, LATE, days_ago=20)
    assert as_alba.get(PAGE, {"days": 7}).context["total"] == 0
    days = {"first": "2026-11-03", "last": "2026-11-03"}
    assert as_alba.get(PAGE, days).context["total"] == 3
    assert as_alba.get(PAGE, {**days, "channel": phone.pk}).context["total"] == 0
    assert as_alba.get(PAGE, {**days, "language": "en"}).context["total"] == 0
    answer = as_alba.get(PAGE, {"first": "2026-11-03", "last": "2026-11-01"})
    assert (answer.status_code, answer.context["chosen"]) == (200, 30)
    assert answer.context["form"].errors["last"]


def test_days_begin_at_midnight_in_the_brands_zone(as_alba, brand, site):
    brand.time_zone = "America/Mexico_City"
    brand.save()
    write(site, LATE, days_ago=11 / 24)  # midnight UTC, the evening before in Mexico
    assert as_alba.get(PAGE, {"first": "2026-11-22", "last": "2026-11-22"}).context["total"] == 3
    assert as_alba.get(PAGE, {"first": "2026-11-23", "last": "2026-11-23"}).context["total"] == 0


def test_a_brands_own_word_names_its_topic(as_alba, brand, site):
    brand_actions.set_words(brand=brand, words=[("product", "Roscón", ["roscones"])], at=NOON)
    write(site, ["Los ROSCONES, secos", "¿Hay roscon grande?", "Las rosconerías de antes"])
    answer = as_alba.get(PAGE)
    [roscon] = [topic for topic in answer.context["topics"] if topic.is_own]
    assert (roscon.name, roscon.messages) == ("Roscón", 2)


def test_a_topic_opens_with_its_messages_page_by_page(as_alba, site, monkeypatch):
    monkeypatch.setattr(pages, "PAGE", 2)
    write(site, [*LATE, f"{LATE[0]}!!"])
    key = re.search(r"topic=(general-delivery)", as_alba.get(PAGE).content.decode())[1]
    first, last = (as_alba.get(PAGE, {"topic": key, "page": page}).context["page"] for page in (1, 99))
    shown = [(row.text, alike) for page in (first, last) for row, alike in page.rows]
    assert sorted(shown) == sorted([(f"{LATE[0]}!!", 1), (LATE[1], 0), (LATE[2], 0)])
    assert (first.previous, first.next, last.previous, last.next) == (0, 2, 1, 0)


def test_a_topic_called_otherwise_is_found_by_its_messages(as_alba, brand, site):
    write(site, LATE)
    html = as_alba.get(PAGE).content.decode()
    query = re.search(r'href="\?([^"]*of=[^"]*)"', html)[1]
    place = QueryDict(unescape(query))
    ids = {int(each) for each in place["of"].split("-")}
    assert ids == set(Message.objects.values_list("pk", flat=True))
    opened = as_alba.get(PAGE, {"topic": "said-other words", "of": place["of"]})
    assert (opened.status_code, opened.context["topic"].key) == (200, "general-delivery")
    settled = QueryDict(urlsplit(opened.context["here"]).query)
    assert (settled["topic"], settled["of"], settled["first"]) == ("general-delivery", place["of"], "2026-10-25")
    brand_actions.set_words(brand=brand, words=[("product", "Retraso", [])], at=NOON)
    opened = as_alba.get(PAGE, {"topic": "own-tardanza", "of": place["of"]})
    assert opened.context["topic"].key == "own-retraso", "of two that hold them all, the one of the same kind"


@pytest.mark.parametrize("of", ["", "999999999999", "9-8-7", "x", "-", "1" * 30])
def test_a_topic_that_is_gone_says_so_beside_what_there_is(as_alba, site, of):
    write(site, LATE)
    answer = as_alba.get(PAGE, {"topic": "said-nothing", "of": of})
    assert (answer.status_code, names(answer)) == (404, ["Entrega"])
    assert "Ese tema ya no está" in answer.content.decode()


def test_a_topic_says_by_which_channels_it_came_and_is_taken_along(as_alba, as_carla, site, phone):
    write(site, [*LATE, "=1+1 retraso en la entrega"])
    assert as_alba.get(PAGE).context["topics"][0].channels == []
    write(phone, LATE[:1], name="q")
    [late] = as_alba.get(PAGE).context["topics"]
    assert late.channels == [(site.name, 4), (phone.name, 1)]
    answer = as_alba.get(f"{PAGE}export/", {"days": 7})
    table = tables.read(answer.content)
    assert (answer["Content-Type"], answer["Content-Disposition"]) == (
        "text/csv; charset=utf-8", 'attachment; filename="horno-candela-topics.csv"'
    )  # fmt: skip
    first, part = (row.cells for row in table.rows)
    assert (first["tema"], first["que dicen"], first["mensajes"], first["personas"]) == ("Entrega", "", "5", "5")
    assert first["canales"] == f"{site.name}: 4, {phone.name}: 1"
    assert part["que dicen"] == "Retraso en la entrega"
    assert as_alba.get(first["enlace"]).context["topic"].key == "general-delivery"
    assert as_carla.get(f"{PAGE}export/").status_code == 404


def test_of_a_large_period_the_newest_count_and_it_says_so(as_alba, site, monkeypatch):
    monkeypatch.setattr(topics, "MOST", 2)
    monkeypatch.setattr(topics.messages, "__kwdefaults__", {"most": 3})
    write(site, LATE, days_ago=1)
    write(site, LATE, days_ago=40, name="before")
    answer = as_alba.get(PAGE)
    assert (answer.context["total"], answer.context["is_cut"]) == (2, True)
    found = topics.topics(site.brand, answer.context["period"])
    assert not found.is_compared
    assert {row.text for row in found.rows} == set(LATE[1:])


def test_spam_machines_and_what_was_deleted_stay_out(as_alba, site):
    write(site, LATE)
    out = [
        envelope("Me ausento", remote_id="x1", thread="x1", is_automatic=True),
        envelope("Gana dinero fácil con bitcoin, entra en http://x.example ya", remote_id="x2", thread="x2"),
        envelope("Borrado", remote_id="x3", thread="x3"),
    ]
    inbound.process(conversation_ids=inbound.intake(site, out, at=NOON))
    inbound.intake(site, [envelope("", remote_id="x3", thread="x3", verb="deleted", changed_at=NOON)], at=NOON)
    assert as_alba.get(PAGE).context["total"] == 3


def test_a_removed_topic_is_nobodys_any_more(as_alba, alba, brand, site):
    write(site, ["Una de nata", "Una de limón", "Otra de nata"], days_ago=1)
    MessageReading.objects.update(topics=["tartas"])
    topic = lessons.add_topic(brand=brand, name="Tartas", by=alba.pk, at=NOON)
    assert "Tartas" in names(as_alba.get(PAGE))
    lessons.remove_topic(topic=topic, by=alba.pk, at=NOON)
    assert names(as_alba.get(PAGE)) == []


def test_an_own_topic_is_compared_once_what_is_older_was_read_for_it(as_alba, alba, brand, site):
    write(site, LATE, days_ago=1)
    write(site, ["Una tarta de boda"], days_ago=40, name="before")
    topic = lessons.add_topic(brand=brand, name="Tartas", by=alba.pk, at=NOON)
    MessageReading.objects.filter(message__text__in=LATE).update(topics=[topic.slug])

    def told() -> tuple[str, str]:
        [own] = [each for each in as_alba.get(PAGE).context["topics"] if each.name == "Tartas"]
        [part] = own.parts
        assert (part.change, part.trend) == (own.change, own.trend)
        return own.change, own.trend

    def table() -> list[str]:
        rows = tables.read(as_alba.get(f"{PAGE}export/").content).rows
        return [row.cells["mensajes en el periodo anterior"] for row in rows if row.cells["tema"] == "Tartas"]

    untold = ("sin comparar: lo anterior no se ha leído para este tema", "")
    assert told() == untold
    assert table() == ["", ""]
    before = topics.Period(NOON.date() - timedelta(days=29), NOON.date(), brand.time_zone).before
    Topic.objects.update(read_since=before.since + timedelta(hours=1))
    assert told() == untold
    Topic.objects.update(read_since=before.since)
    assert told() == ("nuevo", "up")
    assert table() == ["0", "0"]


def test_it_costs_as_many_queries_for_many_as_for_few(as_alba, site):
    def cost() -> int:
        with CaptureQueriesContext(connection) as asked:
            as_alba.get(PAGE)
        return len(asked)

    write(site, LATE)
    cost()
    few = cost()
    write(site, [f"{text} {n}" for n in range(10) for text in LATE], name="more")
    assert cost() == few


def test_what_three_people_ask_is_listed_until_a_saved_reply_answers(as_alba, brand, site):
    write(site, [*BREAD, *(f"¿Tenéis pan de espelta? {n}" for n in ("Gracias.", "Un saludo.", "Besos.", "Ya diréis."))])
    answer = as_alba.get(QUESTIONS)
    [question] = answer.context["questions"]
    assert (question.text, question.people, question.waiting) == ("¿Tenéis pan de espelta?", 7, 7)
    html = answer.content.decode()
    for conversation in Conversation.objects.all():  # five, and the others in a fold
        assert f"/b/horno-candela/inbox/{conversation.pk}/#message-" in html
    link = unescape(re.search(r'href="([^"]*/saved-replies/\?title=[^"]*)#new"', html)[1])
    form = as_alba.get(link).context["form"]
    assert (form["title"].value(), form["language"].value()) == ("¿Tenéis pan de espelta?", "es")
    written = {"title": "Espelta", "language": "", "text": "Sí, pan de espelta los jueves."}
    back = as_alba.post(link, written)["Location"]
    assert back.startswith(f"{QUESTIONS}?first=")
    assert back.endswith("#answered")
    answer = as_alba.get(back)
    reply = SavedReply.objects.get()
    [answered] = answer.context["answered"]
    assert (answer.context["questions"], answered.reply, answered.waiting) == ([], reply, 7)
    assert "7 personas siguen esperando una respuesta que ya está escrita." in answer.content.decode()


def test_whom_nobody_has_answered_comes_first_with_the_reply_written_in(as_alba, alba, brand, site):
    write(site, BREAD)
    reply = SavedReply.objects.create(brand=brand, title="Espelta", text="Sí, pan de espelta los jueves.")
    SavedReply.objects.create(brand=brand, title="Pan", text="Pan de molde.")
    done = Conversation.objects.get(thread_id="p2")  # the newest
    inbox_actions.reply(conversation=done, text="Sí", by=alba, turn=done.turn, at=NOON + timedelta(minutes=9))
    answer = as_alba.get(QUESTIONS)
    [question] = answer.context["answered"]
    assert (question.reply, question.waiting, question.people) == (reply, 2, 3)
    assert [row.waits for row in question.rows] == [True, True, False]
    html = answer.content.decode()
    for conversation in Conversation.objects.exclude(pk=done.pk):
        assert f"/inbox/{conversation.pk}/?saved={reply.pk}#message-" in html
    assert f"/inbox/{done.pk}/#message-" in html


def test_a_question_is_dismissed_and_put_back(as_alba, as_bruno, brand, site):
    write(site, BREAD)
    dismissal = {"text": "¿Hay pan de espelta?", "language": "es"}
    assert as_bruno.post(f"{QUESTIONS}dismissals/", dismissal).status_code == 403
    as_alba.post(f"{QUESTIONS}dismissals/", dismissal)
    as_alba.post(f"{QUESTIONS}dismissals/", dismissal)
    dismissed = DismissedQuestion.objects.get()
    answer = as_alba.get(QUESTIONS)
    assert (answer.context["questions"], list(answer.context["dismissed"])) == ([], [dismissed])
    as_alba.post(f"{QUESTIONS}dismissals/{dismissed.pk}/removal/")
    assert len(as_alba.get(QUESTIONS).context["questions"]) == 1
    assert list(
        Activity.objects.filter(type__startswith="question.").values_list("type", flat=True).order_by("pk")
    ) == [
        "question.dismissed",
        "question.restored",
    ]


def test_another_brands_messages_never_count(as_carla, site, other_brand):
    write(site, LATE)
    assert as_carla.get("/b/ferreteria-ruiz/topics/").context["total"] == 0
    assert as_carla.get(PAGE).status_code == 404
