"""What was understood, as the desk shows it, and how somebody says it is otherwise."""

from __future__ import annotations

import pytest
from django.test import Client

from conftest import NOON, envelope, person
from tertulia.channels.models import Message
from tertulia.flows import inbound
from tertulia.inbox.models import Conversation
from tertulia.team.permissions import Role
from tertulia.understanding.models import MessageReading
from tertulia.understanding.questions import field_of

pytestmark = pytest.mark.django_db

ANGRY = "Es una vergüenza, llevo tres semanas esperando y nadie me contesta. ¿Cuándo llega?"


@pytest.fixture
def message(site) -> Message:
    inbound.process(conversation_ids=inbound.intake(site, [envelope(ANGRY)], at=NOON))
    return Message.objects.get()


def page(client, **headers) -> str:
    conversation = Conversation.objects.get()
    return client.get(f"/b/horno-candela/inbox/{conversation.pk}/", headers=headers).content.decode()


def say(client, message, **data):
    headers = {"hx-request": "true"} if data.pop("by_script", False) else {}
    return client.post(f"/b/horno-candela/messages/{message.pk}/reading/", data, headers=headers, follow=True)


def test_a_message_says_what_it_is_and_why(as_alba, message):
    text = page(as_alba, hx_request="true")
    shown = text[text.index("menu--sheet reading") :]
    assert '<span class="badge">Queja</span><span class="badge">Descontento</span>' in shown
    assert "«vergüenza»" in shown  # as it is written
    assert '<span dir="auto">¿Cuándo llega?</span>' in shown
    assert 'value="language=es" aria-pressed="true">Español' in shown
    assert 'value="needs_answer=1" aria-pressed="true">Necesita respuesta' in shown
    assert 'value="kind=complaint" aria-pressed="true"' in shown


def test_only_what_matters_stands_under_a_message(as_alba, message):
    MessageReading.objects.update(kind="question", sentiment="neutral", urgency=49, offensive=False)
    assert '<span class="badge">Consulta</span></summary>' in page(as_alba)
    MessageReading.objects.update(urgency=50, offensive=True)
    marks = '<span class="badge" data-tone="soon">Urge hoy</span><span class="badge" data-tone="late">Ofensivo</span>'
    assert marks in page(as_alba)


def test_one_click_says_otherwise_and_another_takes_it_back(as_alba, as_bruno, message):
    said = say(as_alba, message, say="kind=support", by_script=True).content.decode()
    assert 'value="kind=support" aria-pressed="true"' in said
    assert "Lo dice Alba; se había leído como «Queja»." in said
    assert Conversation.objects.get().kind == "support"
    page_again = say(as_bruno, message, undo="kind")
    assert page_again.redirect_chain == [(f"/b/horno-candela/inbox/{Conversation.objects.get().pk}/", 302)]
    assert 'value="kind=complaint" aria-pressed="true"' in page_again.content.decode()


@pytest.mark.parametrize(
    "sent", ["kind=nonsense", "kind", "", "urgency=50", "language=xx", "x" * 500, "offensive=2", "question:0=1"]
)
def test_what_makes_no_sense_is_said_and_changes_nothing(as_alba, message, sent):
    before = MessageReading.objects.values().get()
    assert "no se puede decir de un mensaje." in say(as_alba, message, say=sent).content.decode()
    assert "No hay ninguna corrección que deshacer." in say(as_alba, message, undo="kind").content.decode()
    assert MessageReading.objects.values().get() == before


def test_a_topic_says_how_sure_it_is_and_because_of_which_words(as_alba, message):
    MessageReading.objects.update(
        topics=["delivery", "order"], why={"topic:delivery": ["llega"]},
        confidence={"topics": 0.3, "topic:delivery": 0.95, "topic:order": 0.3},
    )  # fmt: skip
    text = page(as_alba)
    assert "<span>seguro · <bdi>«llega»</bdi></span>" in text
    assert "<span>una suposición</span>" in text
    MessageReading.objects.update(brained={"topics": "big-1"})
    assert page(as_alba).count("<span>big-1</span>") == 2


def test_one_click_takes_a_question_off_and_another_puts_it_back(as_alba, message):
    [question] = MessageReading.objects.get().questions
    assert f'value="{field_of(question)}=0">No es una pregunta' in page(as_alba)
    said = say(as_alba, message, say=f"{field_of(question)}=0").content.decode()
    assert "Alba dice que «¿Cuándo llega?» no es una pregunta." in said
    assert MessageReading.objects.get().questions == []
    say(as_alba, message, undo=field_of(question))
    assert MessageReading.objects.get().questions == [question]


def test_the_language_is_corrected_for_the_whole_conversation(as_alba, message):
    assert Conversation.objects.get().language == "es"
    said = say(as_alba, message, say="language=ca").content.decode()
    assert "Lo dice Alba; se había leído como «Español»." in said
    assert Conversation.objects.get().language == "ca"
    say(as_alba, message, say="language=und")
    assert Conversation.objects.get().language == ""
    say(as_alba, message, undo="language")
    assert Conversation.objects.get().language == "es"


def test_a_language_that_nobody_learnt_is_named(as_alba, message):
    MessageReading.objects.update(language="ru")
    assert 'value="language=ru" aria-pressed="true">Ruso' in page(as_alba)


def test_whoever_may_not_answer_reads_it_only(brand, message):
    viewer = Client()
    viewer.force_login(person("Vera", brand, Role.READER))
    text = page(viewer)
    assert "<h4>Qué es: Queja" in text
    assert 'name="say"' not in text
    assert say(viewer, message, say="kind=other").status_code == 403


def test_the_list_marks_complaints_urgency_and_offence_while_open(as_alba, message):
    def row() -> str:
        return as_alba.get("/b/horno-candela/inbox/?view=all").content.decode()

    assert '<span class="badge">Queja</span>' in row()
    Conversation.objects.update(kind="praise", sentiment="positive", urgency=49)
    assert 'class="badge"' not in row()
    Conversation.objects.update(urgency=90, is_offensive=True)
    assert "Urge ya</span>" in row()
    assert '<span class="badge">Ofensivo</span>' in row()
    Conversation.objects.update(waiting_since=None)
    assert "Urge ya" not in row(), "it was answered"
    Conversation.objects.update(waiting_since=NOON, state="closed")
    assert "Urge ya" not in row()


def test_what_nobody_read_shows_nothing(as_alba, site):
    inbound.intake(site, [envelope(ANGRY)], at=NOON)
    assert "menu--sheet reading" not in page(as_alba)
