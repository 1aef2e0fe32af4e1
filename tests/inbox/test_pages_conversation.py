"""A conversation on the desk: answering, arranging, and what comes back when it can't be done."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from conftest import NOON, envelope, person
from tertulia.channels.models import Delivery, Message
from tertulia.core import clock
from tertulia.flows import inbound
from tertulia.inbox import actions
from tertulia.inbox.models import Conversation, Draft, Label, Note, Presence, SavedReply
from tertulia.team.permissions import Role

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _noon(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOON + timedelta(minutes=5))


@pytest.fixture
def conversation(site) -> Conversation:
    inbound.intake(site, [envelope("¿Abrís el domingo?")], at=NOON)
    return Conversation.objects.get()


@pytest.fixture
def base(conversation) -> str:
    return f"/b/horno-candela/inbox/{conversation.pk}/"


def shown(client, address):
    return client.get(address).content.decode()


def text_of(html):
    return re.search(r"<textarea[^>]*>(.*?)</textarea>", html, re.DOTALL)[1]


def test_an_answer_needs_no_script(as_alba, base):
    answer = as_alba.post(f"{base}replies/", {"text": "Sí, de 9 a 14.", "turn": 1})
    assert (answer.status_code, answer.url) == (302, base)
    html = shown(as_alba, base)
    assert "Sí, de 9 a 14." in html
    assert 'data-left="10.0"' in html


def test_with_htmx_only_what_changed_comes_back(as_alba, base):
    html = as_alba.post(f"{base}replies/", {"text": "Sí", "turn": 1}, headers=HTMX).content.decode()
    assert html.startswith('<div id="composer">')
    assert 'id="conversation-thread" hx-swap-oob="innerHTML"' in html
    assert text_of(html) == ""


def test_send_and_close_needs_no_script_and_goes_back_together(as_alba, base, conversation):
    assert 'name="closes" value="1"' in shown(as_alba, base)
    assert as_alba.post(f"{base}replies/", {"text": "Sí", "turn": 1, "closes": "1"}).status_code == 302
    conversation.refresh_from_db()
    assert conversation.state == "closed"
    assert 'name="closes"' not in shown(as_alba, base)
    as_alba.post(f"/b/horno-candela/deliveries/{Delivery.objects.get().pk}/withdrawal/")
    conversation.refresh_from_db()
    assert conversation.state == "open"
    assert text_of(shown(as_alba, base)) == "Sí"


def test_a_double_click_sends_once(as_alba, base):
    for _click in range(2):
        assert as_alba.post(f"{base}replies/", {"text": "Sí", "turn": 1}).status_code == 302
    assert Delivery.objects.count() == 1


@pytest.mark.parametrize(("headers", "status"), [({}, 409), (HTMX, 200)])
def test_who_comes_second_keeps_what_they_wrote(as_alba, as_bruno, base, headers, status):
    as_alba.post(f"{base}replies/", {"text": "Sí", "turn": 1})
    answer = as_bruno.post(f"{base}replies/", {"text": "Claro que sí", "turn": 1}, headers=headers)
    html = answer.content.decode()
    assert answer.status_code == status
    assert text_of(html) == "Claro que sí"
    assert 'name="turn" value="2"' in html  # having read it, they may send theirs all the same
    assert Delivery.objects.count() == 1


@pytest.mark.parametrize("body", [{"text": " ", "turn": 1}, {"text": "Sí"}, {"text": "Sí", "turn": "x"}, {}])
def test_an_answer_that_makes_no_sense_is_given_back(as_alba, base, body):
    answer = as_alba.post(f"{base}replies/", body)
    assert answer.status_code == 422
    assert text_of(answer.content.decode()).strip() == body.get("text", "").strip()
    assert not Delivery.objects.exists()


def test_too_long_an_answer_is_given_back_whole(as_alba, base):
    text = "ñ" * 100_000
    answer = as_alba.post(f"{base}replies/", {"text": text, "turn": 1})
    assert (answer.status_code, text_of(answer.content.decode())) == (422, text)


def test_taking_an_answer_back_returns_its_text(as_alba, base, monkeypatch):
    as_alba.post(f"{base}replies/", {"text": "Si, bale", "turn": 1})
    address = f"/b/horno-candela/deliveries/{Delivery.objects.get().pk}/withdrawal/"
    html = as_alba.post(address, headers=HTMX).content.decode()
    assert text_of(html) == "Si, bale"
    assert Delivery.objects.get().state == "cancelled"
    assert as_alba.post(address).status_code == 302  # once more: said, and nothing breaks
    assert text_of(shown(as_alba, base)) == "Si, bale"


@pytest.mark.parametrize(("said", "state"), [("yes", "sent"), ("no", "queued")])
def test_a_person_settles_what_nobody_knows(as_alba, base, conversation, alba, said, state):
    delivery = actions.reply(conversation=conversation, text="Sí", by=alba, turn=1, at=NOON)
    Delivery.objects.update(state="unknown")
    assert 'data-state="unknown"' in shown(as_alba, base)
    as_alba.post(f"/b/horno-candela/deliveries/{delivery.pk}/decision/", {"was_sent": said})
    assert Delivery.objects.get().state == state


def test_a_refused_answer_says_why_and_can_go_again(as_alba, base, conversation, alba):
    delivery = actions.reply(conversation=conversation, text="Sí", by=alba, turn=1, at=NOON)
    Delivery.objects.update(state="refused", why="La visita ya no existe.")
    assert "La visita ya no existe." in shown(as_alba, base)
    as_alba.post(f"/b/horno-candela/deliveries/{delivery.pk}/retry/")
    assert Delivery.objects.get().state == "queued"


def test_a_note_calls_people_and_looks_like_no_answer(as_alba, base, bruno):
    as_alba.post(f"{base}notes/", {"text": "@Bruno ¿queda pan?"})
    assert Note.objects.get().mentions == [bruno.pk]
    html = shown(as_alba, base)
    assert '<span class="mention">@Bruno</span> ¿queda pan?' in html
    assert 'class="note"' in html
    assert not Message.objects.filter(direction="out").exists()


def test_a_draft_survives_the_closed_tab(as_alba, as_bruno, base):
    assert as_alba.post(f"{base}draft/", {"text": "Estimado <b>"}).status_code == 204
    assert text_of(shown(as_alba, base)) == "Estimado &lt;b&gt;"
    assert text_of(shown(as_bruno, base)) == ""
    as_alba.post(f"{base}draft/", {"text": ""})
    assert not Draft.objects.exists()


def test_a_note_that_was_begun_comes_back_as_a_note(as_alba, base):
    as_alba.post(f"{base}draft/", {"text": "Con este, cuidado", "kind": "note"})
    html = shown(as_alba, base)
    assert text_of(html) == "Con este, cuidado"
    assert re.search(r'value="note"[^>]* checked', html)
    assert not re.search(r'value="reply"[^>]* checked', html)


def test_an_answer_and_a_note_are_begun_side_by_side(as_alba, base):
    as_alba.post(f"{base}draft/", {"text": "Hola, Diego", "kind": "reply"})
    as_alba.post(f"{base}draft/", {"text": "@Bruno ¿que", "kind": "note"})
    html = shown(as_alba, base)
    assert text_of(html) == "Hola, Diego"
    assert 'data-other="@Bruno ¿que"' in html
    assert re.search(r'value="reply"[^>]* checked', html)


def test_a_note_that_is_kept_leaves_no_draft_behind_and_the_answer_where_it_was(as_alba, base):
    as_alba.post(f"{base}draft/", {"text": "Hola, Diego", "kind": "reply"})
    as_alba.post(f"{base}draft/", {"text": "@Bruno ¿que", "kind": "note"})
    as_alba.post(f"{base}notes/", {"text": "@Bruno ¿queda pan?"})
    html = shown(as_alba, base)
    assert text_of(html) == "Hola, Diego"
    assert "data-other" not in html


def test_an_answer_that_is_sent_leaves_the_note_that_was_begun(as_alba, base):
    as_alba.post(f"{base}draft/", {"text": "Hola, Diego", "kind": "reply"})
    as_alba.post(f"{base}draft/", {"text": "@Bruno ¿que", "kind": "note"})
    turn = Conversation.objects.get().turn
    sent = {"text": "Hola, Diego: sí", "turn": turn}
    html = as_alba.post(f"{base}replies/", sent, headers=HTMX).content.decode()
    assert text_of(html) == ""
    assert 'data-other="@Bruno ¿que"' in html
    assert not re.search(r'value="note"[^>]* checked', html)
    assert Draft.objects.get().is_note


def test_the_others_see_who_is_here(as_alba, as_bruno, base, alba):
    as_alba.post(f"{base}presence/", {"typing": "1"})
    assert Presence.objects.get().typing_at is not None
    assert f"[[{alba.pk}, &quot;Alba&quot;, true]]" in shown(as_bruno, base)
    assert "Alba&quot;, true" not in shown(as_alba, base)


def test_given_to_a_colleague_and_to_nobody(as_alba, base, bruno):
    as_alba.post(f"{base}assignment/", {"to": bruno.pk})
    assert Conversation.objects.get().owner == bruno
    as_alba.post(f"{base}assignment/", {"to": ""})
    assert Conversation.objects.get().owner is None


def test_nobody_of_another_brand_can_be_given_anything(as_alba, base, carla):
    as_alba.post(f"{base}assignment/", {"to": carla.pk})
    assert Conversation.objects.get().owner is None


def test_labels_go_on_and_off(as_alba, base, brand, other_brand):
    ours, theirs = (Label.objects.create(brand=one, name="Pan") for one in (brand, other_brand))
    as_alba.post(f"{base}labels/", {"add": ours.pk})
    as_alba.post(f"{base}labels/", {"add": theirs.pk})
    assert Conversation.objects.get().labels == [ours.pk]
    as_alba.post(f"{base}labels/", {"remove": ours.pk})
    assert Conversation.objects.get().labels == []


def test_put_aside_in_the_brands_own_time(as_alba, base):
    as_alba.post(f"{base}snooze/", {"until": "2026-11-24T09:00"})
    conversation = Conversation.objects.get()
    assert (conversation.state, conversation.snoozed_until) == ("snoozed", datetime(2026, 11, 24, 8, tzinfo=UTC))
    whole = "martes, 24 de noviembre de 2026, 09:00 (Europe/Madrid)"
    assert f'<span class="badge" title="{whole}">' in shown(as_alba, "/b/horno-candela/inbox/?view=snoozed")
    as_alba.post(f"{base}waking/")
    assert Conversation.objects.get().state == "open"
    assert f'title="{whole}">mañana 09:00</time>' in as_alba.get(base).content.decode()


@pytest.mark.parametrize("until", ["", "ayer", "2026-13-45T99:00", "2020-01-01T00:00", "9" * 500])
def test_a_moment_that_makes_no_sense_puts_nothing_aside(as_alba, base, until):
    assert as_alba.post(f"{base}snooze/", {"until": until}).status_code == 302
    assert Conversation.objects.get().state == "open"


def test_closed_with_a_reason_and_opened_again(as_alba, base):
    as_alba.post(f"{base}closure/", {"reason": "because"})
    assert Conversation.objects.get().state == "open"
    as_alba.post(f"{base}closure/", {"reason": "answered"})
    assert Conversation.objects.get().close_reason == "answered"
    as_alba.post(f"{base}reopening/")
    assert Conversation.objects.get().state == "open"


def test_a_saved_reply_comes_filled(as_alba, base, brand):
    reply = SavedReply.objects.create(
        brand=brand, title="Horario", text="Hola, {nombre}: soy {agente}, de {marca}. {x}"
    )
    filled = "Hola, Diego: soy Alba, de Horno Candela. {x}"
    assert f'data-insert="{filled}"' in shown(as_alba, f"{base}saved-replies/")
    assert text_of(shown(as_alba, f"{base}?saved={reply.pk}")) == filled


def test_what_speaks_of_what_was_asked_is_offered_first(as_alba, base, brand, site):
    for title, text in (
        ("Alérgenos", "Todo lleva trigo y no podemos asegurar nada sin gluten."),
        ("Bizum", "Sí, puedes pagar con Bizum en la tienda."),
        ("Horario", "Abrimos de ocho a ocho y media."),
    ):
        SavedReply.objects.create(brand=brand, title=title, text=text)
    Message.objects.filter(direction="in").update(text="Hola, ¿se puede pagar con bizum?")
    html = shown(as_alba, f"{base}saved-replies/")
    order = [html.index(f"<span>{title}") for title in ("Bizum", "Alérgenos", "Horario")]
    assert order == sorted(order)
    assert html.count("encaja con lo que escribe") == 1


def test_an_answer_is_kept_as_a_saved_reply(as_alba, base, brand, alba):
    turn = Conversation.objects.get().turn
    as_alba.post(f"{base}replies/", {"text": "Hola, Diego: soy Alba. Sí, con Bizum.", "turn": turn})
    sent = Message.objects.get(direction="out")
    address = f"/b/{brand.slug}/settings/saved-replies/?of={sent.pk}"
    assert f'href="{address}#new"' in shown(as_alba, base)
    assert "Hola, {nombre}: soy {agente}. Sí, con Bizum.</textarea>" in shown(as_alba, address)


def test_nobody_begins_with_what_a_customer_or_another_brand_wrote(as_alba, base, brand):
    theirs = Message.objects.get(direction="in")
    assert as_alba.get(f"/b/{brand.slug}/settings/saved-replies/?of={theirs.pk}").status_code == 404


def test_another_brands_saved_reply_is_not_there(as_alba, base, other_brand):
    reply = SavedReply.objects.create(brand=other_brand, title="Horario", text="Ajeno")
    assert text_of(shown(as_alba, f"{base}?saved={reply.pk}")) == ""


def test_what_was_changed_and_deleted_upstream_is_marked(as_alba, base, site):
    changed = {"changed_at": NOON + timedelta(minutes=1)}
    inbound.intake(site, [envelope("¿Abrís el lunes?", verb="edited", **changed)], at=NOON)
    html = shown(as_alba, base)
    assert "¿Abrís el lunes?" in html
    assert "¿Abrís el domingo?" in html  # the earlier version, folded
    inbound.intake(site, [envelope("", verb="deleted", changed_at=NOON + timedelta(minutes=2))], at=NOON)
    assert "message--deleted" in shown(as_alba, base)


def test_a_megabyte_is_shown_in_part_and_whole_on_asking(as_alba, base, site):
    inbound.intake(site, [envelope("pan " * 250_000, remote_id="m2", minutes=1)], at=NOON)
    message = Message.objects.get(remote_id="m2")
    assert len(shown(as_alba, base)) < 120_000
    assert len(shown(as_alba, f"{base}?whole={message.pk}")) > 900_000


def test_earlier_messages_come_on_asking(as_alba, base, site):
    for n in range(60):
        inbound.intake(site, [envelope(f"Frase {n}.", remote_id=f"x{n}", minutes=n + 1)], at=NOON)
    html = shown(as_alba, base)
    assert "Frase 59." in html
    assert "Frase 5." not in html
    before = re.search(r'hx-get="[^"]*\?before=([^"]+)"', html)[1]
    assert "Frase 5." in as_alba.get(f"{base}?before={before}", headers=HTMX).content.decode()


def test_a_reader_reads_and_is_offered_nothing_else(base, brand, client):
    client.force_login(person("Lola", brand, Role.READER))
    html = shown(client, base)
    assert "¿Abrís el domingo?" in html
    assert "<textarea" not in html
    assert f"{base}closure/" not in html
    assert client.post(f"{base}replies/", {"text": "Sí", "turn": 1}).status_code == 403
    assert not Delivery.objects.exists()


def test_an_adviser_writes_notes_only(base, brand, client):
    client.force_login(person("Ana", brand, Role.ADVISER))
    html = shown(client, base)
    assert f"{base}notes/" in html
    assert 'value="reply"' not in html


def test_another_brands_delivery_is_not_there(as_carla, base, conversation, alba, other_brand):
    delivery = actions.reply(conversation=conversation, text="Sí", by=alba, turn=1, at=NOON)
    for act in ("withdrawal", "decision", "retry"):
        answer = as_carla.post(f"/b/{other_brand.slug}/deliveries/{delivery.pk}/{act}/", {"was_sent": "yes"})
        assert answer.status_code == 404
    assert Delivery.objects.get().state == "queued"


def test_who_takes_it_does_not_give_it_to_themselves(as_alba, conversation, alba):
    actions.assign(conversation=conversation, to=alba, by=alba, at=NOON)
    page = as_alba.get(f"/b/horno-candela/inbox/{conversation.pk}/").content.decode()
    assert "Alba took it" in page or "Alba se la ha quedado" in page


def test_the_page_says_what_it_showed_and_news_keep_that_up(as_alba, base, conversation, site, alba):
    assert 'name="seen" id="composer-seen" value="1">' in shown(as_alba, base)
    inbound.intake(site, [envelope("¿Y el lunes?", remote_id="m2", minutes=1)], at=NOON)
    answer = as_alba.post(f"{base}replies/", {"text": "Sí", "turn": 1, "seen": 1}, follow=True).content.decode()
    assert "sigue esperando respuesta" in answer or "still waits for an answer" in answer
    conversation.refresh_from_db()
    assert conversation.waiting_since == NOON + timedelta(minutes=1)
    news = as_alba.get(f"{base}news/", headers=HTMX).content.decode()
    assert f'id="composer-seen" value="{conversation.turn}" hx-swap-oob="true"' in news
