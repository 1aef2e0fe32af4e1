"""The page of what was taught, and topics in a message's own menu."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from conftest import NOON, envelope, person
from tertulia.channels.models import Message
from tertulia.flows import inbound
from tertulia.inbox.models import Conversation
from tertulia.team.permissions import Role
from tertulia.understanding import actions, lessons, teaching
from tertulia.understanding.layers import belongs_to
from tertulia.understanding.learning import NOTHING
from tertulia.understanding.models import BrandLayer, Correction, Example, Import, MessageReading, Topic
from tertulia.understanding.questions import field_of

pytestmark = pytest.mark.django_db

PAGE = "/b/horno-candela/settings/learning/"
CHEESE = "¿Tenéis tarta de queso para el sábado?"


@pytest.fixture
def message(site) -> Message:
    inbound.process(conversation_ids=inbound.intake(site, [envelope(CHEESE)], at=NOON))
    return Message.objects.get()


def page(client) -> str:
    return client.get(PAGE).content.decode()


def say(client, message, **data) -> str:
    address = f"/b/horno-candela/messages/{message.pk}/reading/"
    return client.post(address, data, headers={"hx-request": "true"}).content.decode()


def test_a_new_topic_is_put_on_by_its_name_and_taken_off_by_a_click(as_bruno, message):
    shown = say(as_bruno, message, topic="Tartas de encargo")
    assert 'value="topic:tartas-de-encargo=0"' in shown
    assert Topic.objects.get().name == "Tartas de encargo"
    assert "precios" in say(as_bruno, message, topic="precios")
    assert MessageReading.objects.get().topics[-2:] == ["tartas-de-encargo", "price"]
    [read, *_] = set(MessageReading.objects.get().topics) - {"tartas-de-encargo", "price"}
    say(as_bruno, message, say=f"topic:{read}=0")
    shown = say(as_bruno, message, say="topic:tartas-de-encargo=0")
    assert f'name="undo" value="topic:{read}"' in shown
    assert not {read, "tartas-de-encargo"} & set(MessageReading.objects.get().topics)
    say(as_bruno, message, undo=f"topic:{read}")
    assert read in MessageReading.objects.get().topics


def test_an_empty_page_says_how_to_begin(as_alba):
    assert "Todavía no se le ha enseñado nada." in page(as_alba)


def test_the_page_tells_what_was_taught_by_whom_and_one_click_undoes_it(as_alba, as_bruno, message):
    say(as_bruno, message, say="kind=support")
    teaching.learn(brand=Correction.objects.get().brand_id, at=NOON)
    shown = page(as_alba)
    assert CHEESE in shown
    assert '<s class="muted">Compra</s> Incidencia' in shown
    assert "<span>Bruno</span>" in shown
    assert "Aún no se puede juzgar: " in shown
    as_alba.post(f"{PAGE}corrections/{Correction.objects.get().pk}/undoing/")
    assert Conversation.objects.get().kind == MessageReading.objects.get().kind == "purchase"
    assert CHEESE not in page(as_alba)


def test_figures_are_drawn_once_there_are_enough(as_alba, brand, message):
    say(as_alba, message, say="kind=support")
    figure = {"judged": 10, "true": 10, "shipped": 0.5, "before": 0.5}
    for n, (state, now) in enumerate([("past", 0.6), ("live", 0.8)]):
        BrandLayer.objects.create(
            brand=brand, state=state, model=belongs_to(), content=NOTHING.packed(), lessons=n, at=NOON,
            figures={"kind": {**figure, "now": now}},
        )  # fmt: skip
    shown = page(as_alba)
    assert '<rect class="is-so" width="50" height="8"/>' in shown
    assert '<rect class="is-so" width="80" height="8"/>' in shown
    assert "<strong>80 % con lo enseñado, 50 % sin ello</strong>" in shown


def test_what_few_messages_say_got_worse_is_told_until_it_is_made_good(as_alba, brand, message):
    say(as_alba, message, say="kind=support")
    few = {"judged": 8, "true": 8, "shipped": 0.5}
    told = "antes acertaba 6/8, ahora 5/8: son pocos, échale un vistazo"
    for state, before, now in [("past", 0.75, 0.625), ("live", 0.625, 0.625)]:
        BrandLayer.objects.create(
            brand=brand, state=state, model=belongs_to(), content=NOTHING.packed(), lessons=1, at=NOON,
            figures={"kind": {**few, "before": before, "now": now}},
        )  # fmt: skip
    assert told in page(as_alba)
    BrandLayer.objects.filter(state="live").update(figures={"kind": {**few, "before": 0.625, "now": 0.75}})
    assert "antes acertaba" not in page(as_alba)


def test_a_correction_that_is_set_aside_says_so_at_the_click(as_bruno, message, monkeypatch):
    told = "Guardado para comprobar"
    monkeypatch.setattr(teaching, "is_aside", lambda pk: False)
    assert told not in say(as_bruno, message, say="kind=support")
    monkeypatch.setattr(teaching, "is_aside", lambda pk: pk == message.pk)
    assert told not in say(as_bruno, message, say="kind=support")
    assert told in say(as_bruno, message, topic="Tartas")
    assert told not in say(as_bruno, message, undo="topic:tartas")
    assert told not in say(as_bruno, message, say="language=fr")
    assert told not in say(as_bruno, message, say=f"{field_of(CHEESE)}=0")


@pytest.fixture
def held(brand) -> BrandLayer:
    return BrandLayer.objects.create(
        brand=brand, state="held", model=belongs_to(), content=NOTHING.packed(), lessons=1, at=NOON,
        figures={"kind": {"judged": 10, "true": 10, "shipped": 0.5, "before": 0.9, "now": 0.7}},
    )  # fmt: skip


def test_what_got_worse_waits_for_a_managers_word(as_alba, as_bruno, held):
    assert "Qué es: ahora acierta el 90 %; con lo aprendido, el 70 %" in page(as_bruno)
    assert as_bruno.post(f"{PAGE}decision/", {"layer": held.pk, "use": "1"}).status_code == 403
    as_alba.post(f"{PAGE}decision/", {"layer": held.pk + 1, "use": "1"})
    assert BrandLayer.objects.get().state == "held"
    as_alba.post(f"{PAGE}decision/", {"layer": held.pk, "use": "1"})
    assert BrandLayer.objects.get().state == "live"


def test_it_is_switched_off_and_on_and_forgotten_only_when_meant(as_alba, brand, message):
    say(as_alba, message, say="kind=support")
    BrandLayer.objects.create(
        brand=brand, state="live", model=belongs_to(), content=NOTHING.packed(), lessons=1, at=NOON
    )
    for is_on, state in (("0", "off"), ("1", "live")):
        as_alba.post(f"{PAGE}switch/", {"is_on": is_on})
        assert BrandLayer.objects.get().state == state
    as_alba.post(f"{PAGE}forgetting/")
    assert BrandLayer.objects.exists()
    as_alba.post(f"{PAGE}forgetting/", {"sure": "1"})
    assert not BrandLayer.objects.exists()
    assert MessageReading.objects.get().kind == "support"


def test_topics_are_added_renamed_removed_and_brought_back(as_alba):
    as_alba.post(f"{PAGE}topics/", {"name": "Tartas"})
    topic = Topic.objects.get()
    as_alba.post(f"{PAGE}topics/{topic.pk}/", {"name": "Tartas de encargo"})
    assert 'value="Tartas de encargo"' in page(as_alba)
    said = as_alba.post(f"{PAGE}topics/{topic.pk}/", {"name": " "}, follow=True).content.decode()
    assert "60 caracteres como mucho" in said
    said = as_alba.post(f"{PAGE}topics/{topic.pk}/removal/", follow=True).content.decode()
    assert "El tema «Tartas de encargo» está eliminado." in said
    assert 'value="Tartas de encargo"' not in said
    assert "1 tema eliminado" in said
    as_alba.post(f"{PAGE}topics/{topic.pk}/removal/undoing/")
    assert 'value="Tartas de encargo"' in page(as_alba)
    assert "tema eliminado" not in page(as_alba)


def test_only_whoever_manages_the_settings_brings_a_removed_topic_back_by_its_name(as_alba, as_bruno, message):
    say(as_bruno, message, topic="Tartas")
    topic = Topic.objects.get()
    as_alba.post(f"{PAGE}topics/{topic.pk}/removal/")
    assert "«tartas» se eliminó. Quien lleva los ajustes puede recuperarlo." in say(as_bruno, message, topic="tartas")
    assert teaching.own_topics(topic.brand_id) == {}
    say(as_alba, message, topic="tartas")
    assert teaching.own_topics(topic.brand_id) == {"tartas": "Tartas"}


def test_a_topic_isn_t_called_like_a_removed_one(as_alba):
    for name in ("Tartas", "Panes"):
        as_alba.post(f"{PAGE}topics/", {"name": name})
    removed, other = Topic.objects.order_by("pk")
    as_alba.post(f"{PAGE}topics/{removed.pk}/removal/")
    said = as_alba.post(f"{PAGE}topics/{other.pk}/", {"name": "tartas"}, follow=True).content.decode()
    assert "«Tartas» es un tema eliminado: recupéralo o elige otro nombre." in said


def test_what_is_exported_can_be_imported_and_taken_back(as_alba, brand, message, alba):
    actions.correct(message=message, field="kind", value="support", by=alba.pk, at=NOON)
    exported = as_alba.get(f"{PAGE}examples/")
    assert exported["Content-Disposition"] == 'attachment; filename="horno-candela.jsonl"'
    as_alba.post(f"{PAGE}examples/", {"file": SimpleUploadedFile("a.jsonl", exported.content)})
    assert Example.objects.get().text == CHEESE
    assert "a.jsonl" in page(as_alba)
    as_alba.post(f"{PAGE}imports/{Import.objects.get().pk}/undoing/")
    assert not Example.objects.exists()


def test_a_file_with_a_mistake_is_told_line_by_line(as_alba):
    answer = as_alba.post(f"{PAGE}examples/", {"file": SimpleUploadedFile("a.jsonl", b"{}\nx")})
    assert answer.status_code == 422
    assert "Línea 2: esto no es JSON." in answer.content.decode()
    assert as_alba.post(f"{PAGE}examples/").status_code == 422
    assert not Import.objects.exists()


def test_whoever_only_reads_sees_it_and_can_change_nothing(brand, message, alba):
    actions.correct(message=message, field="kind", value="support", by=alba.pk, at=NOON)
    lessons.add_topic(brand=brand, name="Tartas", by=alba.pk, at=NOON)
    viewer = Client()
    viewer.force_login(person("Vera", brand, Role.READER))
    shown = page(viewer)
    assert CHEESE in shown
    main = shown[shown.index("<h1") :]
    assert "<button" not in main
    assert viewer.get(f"{PAGE}examples/").status_code == 403
