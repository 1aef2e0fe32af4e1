"""What goes wrong in the world: hostile words in every field, giant texts, a full disk, a database that is gone."""

from __future__ import annotations

import re

import pytest
from django.apps import apps
from django.db import OperationalError, connection, models
from django.test import Client

from conftest import NOON, PASSWORD, envelope
from tertulia.channels.models import Delivery, Message
from tertulia.flows import inbound
from tertulia.inbox.models import Conversation, Draft
from test_every_url import BRANDED, path_to_brand, signed_in
from world import World, fill

pytestmark = [pytest.mark.proof, pytest.mark.django_db]

HOSTILE = '"><svg/onload=alert(1)><script>alert(2)</script>{{7*7}}{% debug %}\u202e\u200b'
RAW = ("<svg/onload", "<script>alert", '"><svg/')
KEPT = {
    *("public_key", "kind", "slug", "key", "hash", "token_hash", "prefix", "password", "remote_id", "thread_id"),
    *("channel", "url", "target", "on_kind", "type", "task", "time_zone", "colour", "digest", "cursor", "zone"),
}
"""Texts with a meaning to the program, which no person types."""


@pytest.fixture
def world(brand, alba) -> World:
    return World(brand, alba, name="horno")


def poison(world: World) -> int:
    """Put the hostile text into every free text of every row of the brand; returns how many fields it reached."""
    reached = 0
    for model in apps.get_models():
        path = path_to_brand(model)
        rows = model.objects.filter(pk=world.brand.pk) if model is type(world.brand) else None
        if path and model.__module__.startswith("tertulia"):
            rows = model.objects.filter(**{path: world.brand})
        if rows is None:
            continue
        for field in model._meta.fields:
            is_text = isinstance(field, models.CharField | models.TextField) and type(field).__name__ != "SecretsField"
            if not is_text or field.choices or field.name in KEPT:
                continue
            for row in rows:
                text = f"{row.pk}{HOSTILE}"[: field.max_length or None]
                model.objects.filter(pk=row.pk).update(**{field.name: text})
                reached += 1
    return reached


def test_hostile_words_in_every_field_run_on_no_page(world, alba):
    assert poison(world) > 30
    type(alba).objects.filter(pk=alba.pk).update(name=f"A{HOSTILE}"[:100])
    client = signed_in(alba)
    seen = 0
    for route, _ in BRANDED:
        answer = client.get(fill(route, world.arguments()))
        if answer.status_code == 200 and "html" in answer["Content-Type"]:
            body = answer.content.decode()
            assert not [body[max(0, body.index(raw) - 200) : body.index(raw) + 80] for raw in RAW if raw in body], route
            assert "49" not in body.split("{{7*7}}")[0][-3:], route
            assert not re.search(r"<time(?![^>]*\btitle=)", body), (route, "a moment without its zone")
            seen += "svg/onload" in body
    assert seen > 10, "the hostile words have to be on the pages, as words"


@pytest.mark.parametrize(
    "text",
    [
        "ñ" * 1_000_000,
        "x" * 100_000,
        "\u202eabc\u202d \u2066def",
        "a\u200b\u200cb",
        "Z" + "\u0300" * 2_000,
        "👨\u200d👩\u200d👧" * 500,
    ],
)
def test_odd_texts_are_kept_and_their_pages_stay_small(site, as_alba, brand, text):
    inbound.intake(site, [envelope(text)], at=NOON)
    conversation = Conversation.objects.get()
    assert Message.objects.get().text == text
    listed = as_alba.get(f"/b/{brand.slug}/inbox/")
    opened = as_alba.get(f"/b/{brand.slug}/inbox/{conversation.id}/")
    assert (listed.status_code, opened.status_code) == (200, 200)
    assert len(opened.content) < 200_000
    assert "<bdi>" in listed.content.decode()


def test_a_draft_of_a_million_signs_is_refused_in_words_and_the_last_one_stays(site, as_alba, alba, brand):
    inbound.intake(site, [envelope()], at=NOON)
    url = f"/b/{brand.slug}/inbox/{Conversation.objects.get().id}/"
    as_alba.post(f"{url}draft/", {"text": "lo de antes"})
    text = "x" * 1_000_000
    answer = as_alba.post(f"{url}replies/", {"text": text, "turn": 1})
    page = answer.content.decode()
    assert (answer.status_code, text in page) == (422, True)
    assert "Este canal admite 10000 caracteres como máximo." in page
    assert Draft.objects.get().text == "lo de antes"
    assert not Delivery.objects.exists()


@pytest.fixture
def full_disk(site):
    """SQLite says what it says on a full disk once a database may not grow any more."""
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL's disk can't be filled from here; its error is the same class")
    inbound.intake(site, [envelope()], at=NOON)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")  # pages that earlier tests have left empty
        cursor.execute("PRAGMA page_count")
        cursor.execute(f"PRAGMA max_page_count = {cursor.fetchone()[0]}")
    yield Conversation.objects.get()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA max_page_count = 1073741823")


def quiet(user) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


@pytest.mark.django_db(transaction=True)
def test_a_full_disk_is_said_and_nothing_that_was_there_is_lost(alba, brand, full_disk):
    client = quiet(alba)
    url = f"/b/{brand.slug}/inbox/{full_disk.id}/"
    answer = client.post(f"{url}notes/", {"text": "nota " * 4_000}, headers={"HX-Request": "true"})
    assert answer.status_code == 503
    assert "disco" in answer.content.decode() or "disk" in answer.content.decode()
    assert client.get(url).status_code == 200
    assert Message.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_delivery_on_a_full_disk_is_not_acknowledged(site, full_disk):
    many = [envelope("x" * 3_000, remote_id=f"n{n}") for n in range(50)]
    with pytest.raises(OperationalError, match="full"):
        inbound.intake(site, many, at=NOON)


def test_a_database_that_is_gone_is_said_on_every_kind_of_page(alba, brand, monkeypatch):
    client = quiet(alba)

    def gone(*args, **kwargs):
        raise OperationalError("connection to server failed: Connection refused")

    monkeypatch.setattr("django.db.backends.utils.CursorWrapper.execute", gone)
    page = client.get(f"/b/{brand.slug}/inbox/")
    part = client.post(f"/b/{brand.slug}/inbox/1/replies/", {"text": "x"}, headers={"HX-Request": "true"})
    assert (page.status_code, part.status_code) == (503, 503)
    assert page["Retry-After"] == "10"
    assert part["Content-Type"].startswith("text/plain")
    assert "Connection refused" not in page.content.decode() + part.content.decode()


def test_an_unforeseen_error_shows_nothing_of_the_inside(alba, brand, monkeypatch):
    def broken(*args, **kwargs):
        raise RuntimeError(f"secret {PASSWORD}")

    monkeypatch.setattr("tertulia.inbox.queries.page", broken)
    answer = quiet(alba).get(f"/b/{brand.slug}/inbox/")
    assert answer.status_code == 500
    assert PASSWORD not in answer.content.decode()
    assert "Traceback" not in answer.content.decode()
