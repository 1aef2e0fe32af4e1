"""What the operations answer: the same as the pages, strictly, and once."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from callers import program

from conftest import NOON, envelope, person
from tertulia.api import actions, allowance
from tertulia.api.models import KeptAnswer
from tertulia.api.v1.shapes import ClosureBody, ConversationParameters
from tertulia.channels.models import Account, Delivery, Message
from tertulia.flows import inbound
from tertulia.inbox import actions as inbox
from tertulia.inbox import queries
from tertulia.inbox.models import Conversation, Label, Note, SavedReply
from tertulia.understanding import learning
from tertulia.understanding.layers import belongs_to
from tertulia.understanding.model import shipped
from tertulia.understanding.models import BrandLayer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def conversation(site) -> Conversation:
    inbound.intake(site, [envelope("¿Abrís el domingo?")], at=NOON)
    return Conversation.objects.get()


@pytest.fixture
def api(alba, brand):
    return program(alba, brand)


def answer(api, conversation, text="Sí, de 9 a 14.", *, turn=1, key="k1"):
    return api.post(
        f"/conversations/{conversation.id}/replies", {"text": text, "turn": turn}, **{"Idempotency-Key": key}
    )


def test_a_conversation_is_told_whole(api, conversation):
    told = api.get("/conversations").data["items"][0]
    assert told == api.get(f"/conversations/{conversation.id}").data
    assert (told["preview"], told["person_name"], told["channel"]) == ("¿Abrís el domingo?", "Diego", "site")
    assert (told["waiting_since"], told["turn"], told["is_unread"]) == ("2026-11-23T11:00:00Z", 1, True)


def test_lists_are_read_on_by_cursor(api, site):
    for number in range(7):
        inbound.intake(site, [envelope(thread=f"p{number}", remote_id=f"m{number}", minutes=number)], at=NOON)
    for path in ("/conversations", "/people"):
        seen, after = [], ""
        while after is not None:
            page = api.get(f"{path}?limit=3&after={after}").data
            seen += [item["id"] for item in page["items"]]
            after = page["next"]
        assert len(seen) == len(set(seen)) == 7


def test_messages_come_newest_first_with_the_fate_of_answers(api, conversation):
    answer(api, conversation)
    page = api.get(f"/conversations/{conversation.id}/messages?limit=1").data
    assert [(m["text"], m["direction"], m["reply_state"]) for m in page["items"]] == [
        ("Sí, de 9 a 14.", "out", "queued")
    ]
    older = api.get(f"/conversations/{conversation.id}/messages?after={page['next']}").data
    assert [(m["text"], m["author_name"]) for m in older["items"]] == [("¿Abrís el domingo?", "Diego")]


def test_what_a_machine_wrote_is_told_apart(api, conversation, site):
    away = envelope("Estoy fuera", remote_id="away", minutes=2, is_automatic=True)
    inbound.intake(site, [away], at=NOON)
    page = api.get(f"/conversations/{conversation.id}/messages").data
    said = {m["text"]: m["is_automatic"] for m in page["items"]}
    assert said == {"¿Abrís el domingo?": False, "Estoy fuera": True}


def test_what_was_deleted_upstream_is_not_told(api, conversation, site):
    inbound.intake(site, [envelope(verb="deleted", changed_at=NOON + timedelta(minutes=1))], at=NOON)
    told = api.get(f"/conversations/{conversation.id}/messages").data["items"][0]
    assert (told["text"], told["deleted_at"]) == ("", "2026-11-23T11:01:00Z")


@pytest.mark.parametrize(
    ("verb", "status", "told"), [("judged", "hold", "hold"), ("judged", "odd", ""), ("deleted", "hold", "")]
)
def test_how_a_comment_stands_is_told_where_its_channel_tells(api, brand, verb, status, told):
    blog = Account.objects.create(brand=brand, kind="wordpress", name="Blog", created_at=NOON)
    inbound.intake(blog, [envelope(kind="comment", hints={"status": status})], at=NOON)
    later = NOON + timedelta(minutes=1)
    inbound.intake(blog, [envelope(kind="comment", verb=verb, hints={"status": status}, changed_at=later)], at=later)
    [message] = api.get(f"/conversations/{Conversation.objects.get().id}/messages").data["items"]
    assert message["status"] == told


def test_a_reply_waits_for_its_moment(api, conversation, alba):
    told = answer(api, conversation)
    assert told.status_code == 201
    assert (told.data["state"], told.data["due_at"]) == ("queued", "2026-11-23T11:00:10Z")
    assert Delivery.objects.get().created_by_id == alba.id
    assert api.get(f"/replies/{told.data['id']}").data == told.data


def test_the_same_reply_again_is_the_same_answer_and_one_message(api, conversation):
    first, again = answer(api, conversation), answer(api, conversation)
    assert (again.status_code, again.data) == (201, first.data)
    assert Message.objects.filter(direction="out").count() == 1


def test_a_repeat_is_recognised_although_somebody_answered_meanwhile(api, conversation, bruno):
    first = answer(api, conversation)
    inbox.reply(conversation=conversation, text="Y el lunes también", by=bruno, turn=2, at=NOON)
    assert answer(api, conversation).data == first.data


def test_a_key_used_for_something_else_is_a_mistake(api, conversation):
    answer(api, conversation)
    told = answer(api, conversation, "Otra cosa", turn=2)
    assert (told.status_code, told.data["error"]["code"]) == (409, "idempotency_key_reused")
    assert Delivery.objects.count() == 1


def test_two_tokens_may_use_the_same_key(api, conversation, bruno, brand):
    answer(api, conversation)
    assert answer(program(bruno, brand), conversation, "Y el lunes", turn=2).status_code == 201


def test_what_failed_may_be_tried_again_under_its_key(api, conversation):
    assert answer(api, conversation, "").status_code == 422
    assert KeptAnswer.objects.count() == 0
    assert answer(api, conversation).status_code == 201


def test_kept_answers_are_forgotten_after_a_week(api, conversation):
    answer(api, conversation)
    actions.forget_old_answers(at=NOON + timedelta(days=6))
    assert KeptAnswer.objects.count() == 1
    actions.forget_old_answers(at=NOON + timedelta(days=8))
    assert KeptAnswer.objects.count() == 0


@pytest.mark.parametrize("key", [None, "", "é", "x" * 256, "a\tb"])
def test_a_reply_needs_a_plain_key(api, conversation, key):
    headers = {} if key is None else {"Idempotency-Key": key}
    told = api.post(f"/conversations/{conversation.id}/replies", {"text": "Sí", "turn": 1}, **headers)
    assert (told.status_code, told.data["error"]["code"][-15:]) == (400, "idempotency_key")
    assert Delivery.objects.count() == 0


def test_who_answers_second_is_told_who_was_first(api, conversation, bruno):
    inbox.reply(conversation=conversation, text="Claro", by=bruno, turn=1, at=NOON)
    told = answer(api, conversation)
    assert told.status_code == 409
    error = told.data["error"]
    assert (error["code"], error["by"], error["at"]) == ("answered", "Bruno", "2026-11-23T11:00:00Z")
    assert Delivery.objects.count() == 1


def test_a_turn_that_has_not_come_cannot_jump_the_queue(api, conversation, bruno):
    inbox.reply(conversation=conversation, text="Claro", by=bruno, turn=1, at=NOON)
    told = answer(api, conversation, turn=99)
    assert (told.status_code, list(told.data["error"]["fields"])) == (422, ["turn"])


def test_a_reply_can_be_taken_back_until_it_leaves(api, conversation):
    id = answer(api, conversation).data["id"]
    assert api.delete(f"/replies/{id}").data["state"] == "cancelled"
    told = api.delete(f"/replies/{id}")
    assert (told.status_code, told.data["error"]["code"]) == (409, "too_late")


def test_a_channel_that_cannot_answer_says_so(api, conversation, site):
    site.state = "paused"
    site.save()
    told = answer(api, conversation)
    assert (told.status_code, told.data["error"]["code"]) == (409, "cannot_reply")


def test_organising_is_putting_and_taking_away(api, conversation, bruno, brand):
    label = Label.objects.create(brand=brand, name="pan")
    at = f"/conversations/{conversation.id}"
    assert api.put(f"{at}/assignment", {"to": bruno.id}).data["owner_id"] == bruno.id
    assert api.put(f"{at}/assignment", {"to": None}).data["owner_id"] is None
    assert api.put(f"{at}/labels/{label.id}").data["label_ids"] == [label.id]
    assert api.delete(f"{at}/labels/{label.id}").data["label_ids"] == []
    assert (
        api.put(f"{at}/snooze", {"until": "2026-11-24T10:00:00+01:00"}).data["snoozed_until"] == "2026-11-24T09:00:00Z"
    )
    assert api.delete(f"{at}/snooze").data["state"] == "open"
    assert api.put(f"{at}/closure", {"reason": "spam"}).data["close_reason"] == "spam"
    assert api.delete(f"{at}/closure").data["state"] == "open"


def test_the_past_is_no_time_to_put_aside_to(api, conversation):
    told = api.put(f"/conversations/{conversation.id}/snooze", {"until": "2026-11-23T10:00:00Z"})
    assert (told.status_code, told.data["error"]["code"]) == (422, "refused")


def test_somebody_who_cannot_answer_is_not_put_in_charge(api, conversation, brand):
    reader = person("Lola", brand, "reader")
    told = api.put(f"/conversations/{conversation.id}/assignment", {"to": reader.id})
    assert (told.status_code, told.data["error"]["code"]) == (422, "not_allowed_here")


def test_notes_tell_those_they_name(api, conversation, bruno):
    told = api.post(f"/conversations/{conversation.id}/notes", {"text": "@Bruno mira esto"})
    assert (told.status_code, told.data["mentions"]) == (201, [bruno.id])
    assert api.get(f"/conversations/{conversation.id}/notes").data == {"items": [told.data], "next": None}
    assert Note.objects.get().text == "@Bruno mira esto"


def test_people_are_found_and_told_with_their_identities(api, conversation, site):
    found = api.get("/people?q=dieg").data["items"]
    assert [each["name"] for each in found] == ["Diego"]
    told = api.get(f"/people/{found[0]['id']}").data
    assert [(each["channel_id"], each["channel"]) for each in told["identities"]] == [(site.id, "site")]
    assert api.get("/people?q=nadie").data == {"items": [], "next": None}


def test_channels_never_tell_their_secrets(api, site, phone):
    told = api.get("/channels").data["items"]
    assert {each["kind"] for each in told} == {"site", "phone"}
    for path in ("/channels", f"/channels/{site.id}", "/health"):
        assert "a" * 43 not in api.get(path).content.decode()


def test_saved_replies_and_the_team_are_told(api, alba, bruno, brand):
    SavedReply.objects.create(brand=brand, title="Horario", text="De 9 a 14, {nombre}.")
    assert api.get("/saved-replies").data["items"][0]["text"] == "De 9 a 14, {nombre}."
    assert [(each["name"], each["can_reply"]) for each in api.get("/team").data["items"]] == [
        ("Alba", True), ("Bruno", True)
    ]  # fmt: skip


def test_health_is_attention_when_the_work_is_silent_or_a_channel_fails(api, site):
    told = api.get("/health").data
    assert (told["status"], told["work"]["is_running"]) == ("attention", False)


def test_a_token_tells_what_it_is(api, alba):
    told = api.get("/token").data
    assert (told["user_name"], told["role"], told["prefix"]) == ("Alba", "manager", api.secret[:12])
    assert api.secret not in str(told)


# Strictness


@pytest.mark.parametrize(
    ("verb", "path", "body", "field"),
    [
        ("PUT", "/assignment", {"to": "1"}, "to"),
        ("PUT", "/assignment", {"to": True}, "to"),
        ("PUT", "/assignment", {"to": 1.0}, "to"),
        ("PUT", "/assignment", {"to": 10**25}, "to"),
        ("PUT", "/assignment", {"to": []}, "to"),
        ("PUT", "/assignment", {}, "to"),
        ("PUT", "/assignment", {"to": None, "owner": 1}, "owner"),
        ("PUT", "/assignment", {"to": None, "brand_id": 2}, "brand_id"),
        ("PUT", "/closure", {"reason": "bored"}, "reason"),
        ("PUT", "/closure", {"reason": None}, "reason"),
        ("PUT", "/closure", {"reason": ["spam"]}, "reason"),
        ("PUT", "/snooze", {"until": 1795514400}, "until"),
        ("PUT", "/snooze", {"until": "2026-11-24T10:00:00"}, "until"),
        ("PUT", "/snooze", {"until": "9999-12-31T23:59:59-14:00"}, "until"),
        ("PUT", "/snooze", {"until": "mañana"}, "until"),
        ("POST", "/notes", {"text": 7}, "text"),
        ("POST", "/notes", {"text": None}, "text"),
        ("POST", "/notes", {"text": {"a": "b"}}, "text"),
        ("POST", "/replies", {"text": "Sí", "turn": "1"}, "turn"),
        ("POST", "/replies", {"text": "Sí", "turn": -1}, "turn"),
        ("POST", "/replies", {"text": "Sí", "turn": 1, "by": 2}, "by"),
        ("POST", "/replies", {"text": "Sí", "turn": 1, "state": "sent"}, "state"),
    ],
)
def test_bodies_are_read_strictly(api, conversation, verb, path, body, field):
    told = api.call(verb, f"/conversations/{conversation.id}{path}", body, **{"Idempotency-Key": "k"})
    assert (told.status_code, list(told.data["error"]["fields"])) == (422, [field])
    conversation.refresh_from_db()
    assert (conversation.state, conversation.owner_id, conversation.turn) == ("open", None, 1)


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=101", "limit=x", "limit=1e2", "limit=" + "9" * 5000, "view=everything", "label_id=-1",
        "label_id=" + "9" * 30, "owner_id=me", "after=x", "after=1-x", "after=9999999999999999999-1", "state=open",
        "member__user__password=x", "__class__=1", "limit=1&limit=2", "q=" + "x" * 201, "sort=-id", "after=٣-٣",
        "kind=nonsense", "sentiment=mixed", "urgent=perhaps", "language=xx", "offensive=perhaps", "needs_answer=2",
        "topic=" + "x" * 61,
    ],
)  # fmt: skip
def test_parameters_that_make_no_sense_are_refused(api, conversation, query):
    told = api.get(f"/conversations?{query}")
    assert (told.status_code, told.data["error"]["code"]) == (422, "invalid")
    assert len(told.data["error"]["fields"]) == 1


def test_conversations_are_found_by_what_their_newest_message_says(api, conversation):
    Conversation.objects.update(kind="complaint", sentiment="negative", urgency=67, is_offensive=True, language="en-GB")
    for query in (
        "kind=complaint", "sentiment=negative", "urgent=true", "kind=complaint&sentiment=negative&urgent=1",
        "language=en", "offensive=true",
    ):  # fmt: skip
        [found] = api.get(f"/conversations?{query}").data["items"]
        assert (found["kind"], found["sentiment"], found["urgency"]) == ("complaint", "negative", 67)
        assert found["is_offensive"]
    assert api.get("/conversations?kind=praise").data["items"] == []
    for query in ("sentiment=positive", "sentiment=neutral", "language=es", "topic=refund", "needs_answer=true"):
        assert api.get(f"/conversations?{query}").data["items"] == []


@pytest.mark.parametrize("q", ["' OR 1=1--", '"', "*", "a AND", "%00", "%ED%A0%80", "NEAR(", "{}", "😀", "\\"])
def test_odd_searches_find_nothing_and_break_nothing(api, conversation, q):
    for path in ("/conversations", "/people"):
        told = api.get(f"{path}?q={q}")
        assert told.status_code == 200


BODIES = {
    "deep list": b"[" * 100_000,
    "deep object": b'{"text":' * 100_000,
    "closed deep list": b"[" * 5_000 + b"]" * 5_000,
    "NaN": b'{"text": "a", "turn": NaN}',
    "infinity": b'{"text": "a", "turn": 1e999}',
    "minus infinity": b'{"text": "a", "turn": -Infinity}',
    "lone surrogate": b'{"text": "\\ud800", "turn": 1}',
    "surrogate in a name": b'{"\\udfff": 1}',
    "digits": b'{"text": "a", "turn": ' + b"9" * 5_000 + b"}",
    "long float": b'{"text": "a", "turn": 1.' + b"9" * 5_000 + b"}",
    "twice": b'{"text": "a", "text": "b", "turn": 1}',
    "UTF-16": '{"text": "a", "turn": 1}'.encode("utf-16"),
    "UTF-32": '{"text": "a", "turn": 1}'.encode("utf-32"),
    "BOM": b'\xef\xbb\xbf{"text": "a", "turn": 1}',
    "Latin-1": '{"text": "mañana", "turn": 1}'.encode("latin-1"),
    "empty": b"",
    "space": b"   ",
    "null": b"null",
    "text": b'"text"',
    "number": b"7",
    "list": b'[{"text": "a", "turn": 1}]',
    "half": b'{"text": "a", "tur',
    "more": b'{"text": "a", "turn": 1} {}',
    "comment": b'{"text": "a", /* */ "turn": 1}',
    "single quotes": b"{'text': 'a', 'turn': 1}",
    "control in a text": b'{"text": "a\nb", "turn": 1}',
    "XML": b"<text>a</text>",
    "too large": b'{"text": "' + b"x" * 1_600_000 + b'", "turn": 1}',
    "far too large": b'{"text": "' + b"x" * 5_000_000 + b'", "turn": 1}',
}


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("path", ["replies", "notes"])
def test_an_odd_body_is_refused_and_nothing_happens(api, conversation, path, name):
    told = api.post(f"/conversations/{conversation.id}/{path}", BODIES[name], **{"Idempotency-Key": "k"})
    assert told.status_code in {400, 413, 422}
    assert told.data["error"]["code"] in {"bad_json", "invalid", "too_large"}
    assert (Message.objects.filter(direction="out").count(), Note.objects.count()) == (0, 0)


ODD_TEXTS = ["\x00a\x00", "\u202eabc", "a\u200bb", "<script>alert(1)</script>", "x" * 19_000, "😀" * 500, "a\r\nb\x07"]


@pytest.mark.parametrize("text", ODD_TEXTS)
def test_an_odd_text_is_stored_safely(api, conversation, text):
    told = api.post(f"/conversations/{conversation.id}/notes", {"text": text})
    assert told.status_code == 201
    kept = text.replace("\x00", "").replace("\r\n", "\n").replace("\x07", "")
    assert Note.objects.get().text == told.data["text"] == kept


def test_a_megabyte_of_text_is_too_long_for_a_note(api, conversation):
    told = api.post(f"/conversations/{conversation.id}/notes", {"text": "x" * 1_000_000})
    assert told.status_code == 422


def test_a_body_that_is_not_declared_json_is_refused(api, conversation):
    url = f"/api/v1/conversations/{conversation.id}/notes"
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        headers = {"Authorization": f"Bearer {api.secret}"}
        told = api.client.generic("POST", url, b'{"text": "a"}', content_type=kind, headers=headers)
        assert (told.status_code, told.json()["error"]["code"]) == (415, "not_json")


def test_errors_speak_the_readers_language(api):
    spanish = api.get("/people/9", **{"Accept-Language": "es"}).data["error"]["message"]
    english = api.get("/people/9", **{"Accept-Language": "en"}).data["error"]["message"]
    assert english == "There is nothing here."
    assert spanish


# How often


def test_a_token_has_so_many_calls_a_minute(api, monkeypatch):
    monkeypatch.setattr(allowance, "CALLS_PER_MINUTE", 40)
    allowance.forget()
    assert [api.get("/token").status_code for _ in range(40)] == [200] * 40
    told = api.get("/token")
    assert (told.status_code, told["Retry-After"], told.data["error"]["code"]) == (429, "60", "too_many_calls")
    with time_machine.travel(NOON + timedelta(minutes=1), tick=False):
        assert api.get("/token").status_code == 200


def test_the_limit_holds_across_processes(api, monkeypatch):
    monkeypatch.setattr(allowance, "CALLS_PER_MINUTE", 40)
    passed = 0
    for _ in range(5):  # five processes that know nothing of each other
        allowance.forget()
        while passed < 1_000 and api.get("/token").status_code == 200:
            passed += 1
    assert passed == 40


def test_calls_of_one_token_do_not_weigh_on_another(api, bruno, brand, monkeypatch):
    monkeypatch.setattr(allowance, "CALLS_PER_MINUTE", 20)
    other = program(bruno, brand)
    while api.get("/token").status_code == 200:
        pass
    assert other.get("/token").status_code == 200


def test_the_last_use_of_a_token_is_known(api):
    api.get("/token")
    api.token.refresh_from_db()
    assert api.token.last_used_at == NOON


# The document


def test_the_documents_choices_are_those_of_the_inbox():
    views = ConversationParameters.model_json_schema()["properties"]["view"]["enum"]
    reasons = ClosureBody.model_json_schema()["properties"]["reason"]["enum"]
    assert tuple(views) == queries.VIEWS
    assert reasons == Conversation.Reason.values


def test_the_document_names_every_kind_of_event(api):
    document = api.get("/openapi.json").data
    assert document["openapi"] == "3.1.0"
    assert {"conversation.received", "conversation.closed", "delivery.sent"} <= document["webhooks"].keys()
    assert not {name for name in document["webhooks"] if name.startswith(("token.", "webhook."))}


def test_the_page_of_the_document_loads_nothing_from_elsewhere(client, db):
    page = client.get("/api/v1/docs").content.decode()
    assert "//" not in page.replace("http://www.w3.org", "")
    assert "<script>" not in page


def test_every_operation_has_a_line_that_says_what_it_does(api):
    summaries = [
        operation["summary"]
        for methods in api.get("/openapi.json").data["paths"].values()
        for operation in methods.values()
    ]
    assert "Answer the person, once" in summaries
    assert all(6 < len(summary) < 100 and not summary.endswith(".") for summary in summaries)


def test_texts_are_read_by_what_the_brand_has_taught(api, brand):
    text = "¿Tenéis tarta de queso para el sábado?"
    assert api.post("/readings", {"texts": [text]}).data["items"][0]["kind"] == "purchase"
    layer = learning.fit([learning.Example(text, {"kind": "support"})], [], [], shipped())
    BrandLayer.objects.create(brand=brand, state="live", model=belongs_to(), content=layer.packed(), lessons=1, at=NOON)
    assert api.post("/readings", {"texts": [text]}).data["items"][0]["kind"] == "support"
