"""What others made: passed on with their name, and never shown before they have said yes."""

from __future__ import annotations

import io
from datetime import date, timedelta
from zipfile import ZipFile

import pytest
from django.urls import reverse
from django.utils import translation
from publishing_cast import *  # noqa: F403 — its fixtures

from conftest import NOON, envelope
from tertulia.channels.models import Account, Delivery, Message
from tertulia.connectors.contract import Author
from tertulia.core import sentences
from tertulia.core.models import Activity
from tertulia.flows import inbound, personal
from tertulia.inbox import actions as inbox
from tertulia.inbox.models import Conversation
from tertulia.inbox.models import Draft as Answer
from tertulia.publishing import (
    actions,
    approval,
    evergreen,
    exchange,
    handles,
    library,
    queries,
    rights,
    saying,
    series,
    sharing,
)
from tertulia.publishing.models import ApprovalRule, Handle, Media, Post, Share
from tertulia.publishing.problems import Problem
from tertulia.publishing.saying import Piece, Shown, Wanted

pytestmark = pytest.mark.django_db
S = Share.State
LUCIA = Author("lucia", name="Lucía Sanz")
LATER = NOON + timedelta(minutes=30)


@pytest.fixture
def wrote(network, site):
    """Lucía has written of her sandwich, and there is a picture of it."""
    said = envelope("Mirad qué bocadillo con vuestra hogaza", thread="lucia", author=LUCIA)
    inbound.intake(site, [said], at=NOON)
    return Message.objects.get(account=site)


@pytest.fixture
def shared(brand, alba, wrote):
    """Her picture, in a draft of Alba's."""
    return sharing.begin(
        brand=brand, by=alba, at=NOON, name="Lucía Sanz", text="¡Qué bocadillo!", message=wrote,
        files=[("suya.png", io.BytesIO(png(3)))],  # noqa: F405
    )  # fmt: skip


def yes(share, alba, words="Sí, claro", at=NOON) -> None:
    sharing.note_answer(share=share, is_yes=True, answer=words, answered_at=at, by=alba, at=at)
    share.refresh_from_db()


def planned(post, account, alba, *, wall=ONE_O_CLOCK):  # noqa: F405
    post = queries.whole(post.brand).get(pk=post.pk)
    pieces = [Piece(part.text, pictures=tuple(Shown(one.media_id) for one in part.attachments.all()))
              for part in post.parts.all()]  # fmt: skip
    actions.save(
        post=post,
        seen=post.revision,
        title=post.title,
        pieces=pieces,
        versions={account.pk: Wanted()},
        by=alba,
        at=NOON,
    )
    actions.plan(post=post, wall=wall, by=alba, at=NOON)
    post.refresh_from_db()
    return post


# Every door.


def test_the_page_the_queue_and_publishing_now_refuse_it_and_say_what_to_do(
    as_alba, brand, alba, shared, account_of, network, go_on
):
    post = planned(shared[1], account_of(), alba)
    for name in ("schedule", "publication", "queue"):
        given = {"on": "2026-11-23", "time": "13:00", "known": "x"}
        page = as_alba.post(reverse(f"publishing:{name}", args=[brand.slug, post.pk]), given, follow=True)
        assert "suya.png es de Lucía Sanz" in page.content.decode() or name == "queue"
    assert not Delivery.objects.filter(post__isnull=False).exists()
    go_on(DUE, minutes=2)  # noqa: F405
    assert network.posts == []


def test_the_composer_scheduling_shows_it_as_standing_in_the_way(as_alba, brand, alba, shared, account_of):
    post = planned(shared[1], account_of(), alba)
    page = as_alba.get(reverse("publishing:text", args=[brand.slug, post.pk])).content.decode()
    assert "suya.png es de Lucía Sanz y todavía no se le ha pedido permiso" in page


def test_a_series_a_text_that_does_not_age_a_file_and_a_copy_do_not_leave_with_it(
    brand, alba, shared, account_of, network, go_on
):
    share, post = shared
    account, media = account_of(), share.media.get()
    copied = evergreen.copy(post, by=alba, at=NOON)
    assert copied.share == share
    with pytest.raises(rights.Unallowed):
        actions.schedule(post=planned(copied, account, alba), by=alba, at=NOON)
    model = planned(evergreen.copy(post, by=alba, at=NOON), account, alba, wall=None)
    pooled = evergreen.add(post=model, by=alba, at=NOON)
    with pytest.raises(rights.Unallowed):
        evergreen.repeat(evergreen=pooled, wall=ONE_O_CLOCK, by=alba, at=NOON, schedules=True)  # noqa: F405
    again = planned(evergreen.copy(post, by=alba, at=NOON), account, alba, wall=None)
    rule = series.Rule(time=ONE_O_CLOCK.time(), zone="Europe/Madrid", starts_on=date(2026, 11, 24))  # noqa: F405
    made = series.begin(brand=brand, post=again, rule=rule, by=alba, at=NOON)
    assert {one.post.share for one in made.occurrences.select_related("post__share") if one.post} == {share}
    content = f"Texto;Cuentas;Día;Hora;Imagen\nPan;{account.name};2026-11-23;13:00;{media.name}\n".encode()
    brought = exchange.bring(brand=brand, name="a.csv", content=content, schedules=True, by=alba, at=NOON)
    exchange.start(brought=brought, by=alba, at=NOON)
    exchange.take_in(import_id=brought.pk, at=NOON)
    brought.refresh_from_db()
    assert "suya.png" in brought.problems[0][1]
    assert not Delivery.objects.filter(post__isnull=False).exists()
    go_on(DUE + timedelta(days=2), minutes=2)  # noqa: F405
    assert network.posts == []


def test_an_approval_schedules_nothing_that_is_not_allowed(brand, alba, bruno, shared, account_of):
    rule = ApprovalRule(brand=brand, allows_own=True)
    actions.save_rule(rule=rule, steps=[{"users": [bruno]}], by=alba, at=NOON)
    post = planned(shared[1], account_of(), alba)
    asked = approval.ask(post=post, by=alba, at=NOON)
    actions.approve(request=asked, is_approved=True, by=bruno, at=NOON)
    assert not Delivery.objects.filter(post__isnull=False).exists()


def test_cut_turned_and_put_in_its_place_it_is_still_theirs(brand, alba, shared, picture):
    share, media = shared[0], shared[0].media.get()
    turned = library.reshape(media=media, turn=90, by=alba, at=NOON)
    made, _posts = library.replace(
        media=media, name="otra.png", file=io.BytesIO(png(9)), by=alba, at=NOON  # noqa: F405
    )  # fmt: skip
    assert (turned.share, made.share, picture.share) == (share, share, None)
    library.describe(media=made, by=alba, at=NOON, is_customers=False, permission="Nadie")
    made.refresh_from_db()
    assert (made.is_customers, made.is_allowed) == (True, False)


def test_the_same_file_brought_by_hand_before_becomes_theirs_too(brand, alba, picture, wrote):
    content = library.content(picture)
    share, _post = sharing.begin(
        brand=brand, by=alba, at=NOON, name="Lucía", message=wrote, files=[("x.png", io.BytesIO(content))]
    )
    picture.refresh_from_db()
    assert (picture.share, picture.is_allowed, Media.objects.count()) == (share, False, 1)


# With their permission.


def test_allowed_it_leaves_with_their_name_and_withdrawn_what_is_scheduled_stays(
    brand, alba, shared, account_of, network, go_on
):
    share, post = shared
    account = account_of()
    other = planned(evergreen.copy(post, by=alba, at=NOON), account, alba, wall=ONE_O_CLOCK + timedelta(days=1))  # noqa: F405
    yes(share, alba)
    for each in (planned(post, account, alba), other):
        actions.schedule(post=each, by=alba, at=NOON)
    go_on(DUE, minutes=2)  # noqa: F405
    assert [one["text"] for one in network.posts] == ["¡Qué bocadillo!\n\nFoto de Lucía Sanz"]
    sharing.end(share=share, because="Ha cambiado de idea", by=alba, at=DUE)  # noqa: F405
    go_on(DUE + timedelta(days=1), minutes=2)  # noqa: F405
    assert (len(network.posts), state(other)) == (1, "failed")  # noqa: F405
    [row] = deliveries(other)  # noqa: F405
    with translation.override("es"):
        assert sentences.told(row.why).startswith("Lucía Sanz ya no permite que se")
    kinds = Activity.objects.filter(type__startswith="share.").order_by("pk").values_list("type", flat=True)
    assert list(kinds) == ["share.begun", "share.given", "share.ended"]


def test_words_alone_go_with_a_reason_or_their_yes_and_a_picture_never_with_a_reason(
    brand, alba, wrote, shared, account_of, network, go_on
):
    share, post = sharing.begin(brand=brand, by=alba, at=NOON, name="Panadero", url="https://p.example/a", text="Leed")
    post = planned(post, account_of(), alba)
    with pytest.raises(rights.Unallowed):
        actions.schedule(post=post, by=alba, at=NOON)
    with pytest.raises(Problem):
        sharing.exempt(share=share, because=" ", by=alba, at=NOON)
    sharing.exempt(share=share, because="Un enlace", by=alba, at=NOON)
    actions.schedule(post=post, by=alba, at=NOON)
    with pytest.raises(Problem):
        sharing.exempt(share=shared[0], because="Es pública", by=alba, at=NOON)
    go_on(DUE, minutes=2)  # noqa: F405
    assert [one["text"] for one in network.posts] == ["Leed\n\nVía Panadero: https://p.example/a"]


def test_words_whose_permission_ends_stay_here_when_they_are_due(brand, alba, account_of, network, go_on):
    share, post = sharing.begin(brand=brand, by=alba, at=NOON, name="Panadero", text="Leed", because="Un enlace")
    actions.schedule(post=planned(post, account_of(), alba), by=alba, at=NOON)
    sharing.end(share=share, because="Lo pide", by=alba, at=NOON)
    go_on(DUE, minutes=2)  # noqa: F405
    assert (network.posts, state(post)) == ([], "failed")  # noqa: F405


def test_with_a_picture_of_theirs_a_reason_that_was_given_holds_no_longer(brand, alba, wrote):
    share, _post = sharing.begin(brand=brand, by=alba, at=NOON, name="Lucía", message=wrote, because="Una frase")
    assert share.is_allowed
    again, _post = sharing.begin(
        brand=brand, by=alba, at=NOON, name="Lucía", message=wrote, because="Una frase",
        files=[("suya.png", io.BytesIO(png(3)))],  # noqa: F405
    )  # fmt: skip
    assert (again, again.state, again.because) == (share, S.NEEDED, "")


def test_each_network_names_them_as_it_knows_them(brand, alba, network):
    account = Account.objects.create(brand=brand, kind="manual", name="Instagram", created_at=NOON)
    key = handles.network_of(account)
    handles.keep(brand=brand, handle=None, name="Lucía Sanz", addresses={key: "luciapan"}, by=alba, at=NOON)
    _share, post = sharing.begin(brand=brand, by=alba, at=NOON, name="Lucía Sanz", text="Leed", because="Un enlace")
    post = planned(post, account, alba)
    [said] = saying.spoken(post.versions.get())
    assert said["text"] == "Leed\n\nVía @luciapan"


def test_the_name_their_network_calls_them_by_is_taken_down_once(brand, alba, network, site):
    fediverse = Account.objects.create(brand=brand, kind="mastodon", name="Mastodon", created_at=NOON)
    author = Author("7", name="Lucía Sanz", handle="lucia@pan.example")
    inbound.intake(fediverse, [envelope("Pan", remote_id="t1", thread="t1", kind="mention", author=author)], at=NOON)
    message = Message.objects.get(account=fediverse)
    for _again in range(2):
        _share, post = sharing.begin(brand=brand, by=alba, at=NOON, name="Lucía Sanz", message=message, because="Cita")
    assert Handle.objects.get().addresses == {"mastodon": "lucia@pan.example"}
    assert post.parts.get().text == "Vía @{Lucía Sanz}"


# Asking.


def test_the_question_lies_ready_and_counts_once_it_has_been_sent(as_alba, brand, alba, shared, wrote, monkeypatch):
    share = shared[0]
    conversation = Conversation.objects.get()
    inbox.save_draft(conversation=conversation, user=alba, text="¡Qué pinta!", at=NOON)
    answer = as_alba.post(reverse("share_asking", args=[brand.slug, share.pk]))
    assert answer["Location"] == reverse("inbox:conversation", args=[brand.slug, conversation.pk])
    text = Answer.objects.get().text
    assert text.startswith("¡Qué pinta!\n\n¡Hola, Lucía! Nos encanta lo que has hecho.")
    as_alba.post(reverse("share_asking", args=[brand.slug, share.pk]))
    assert Answer.objects.get().text == text
    later = Share.objects.get().prepared_at + timedelta(minutes=1)
    assert sharing.note_questions(at=later) == 0
    delivery = inbox.reply(conversation=conversation, text=f"{text} ¡Gracias!", by=alba, turn=1, at=later)
    assert sharing.note_questions(at=later) == 0
    Delivery.objects.filter(pk=delivery.pk).update(state="sent")
    assert (sharing.note_questions(at=later), sharing.note_questions(at=later)) == (1, 0)
    share.refresh_from_db()
    assert (share.state, share.asked_on, share.question[-9:]) == (S.ASKED, "Nuestra página", "¡Gracias!")


def test_an_answer_about_something_else_has_not_asked(brand, alba, shared):
    share, conversation = shared[0], Conversation.objects.get()
    sharing.prepare(share=share, question=sharing.question_for(share, language="es"), at=NOON)
    delivery = inbox.reply(conversation=conversation, text="Abrimos a las ocho.", by=alba, turn=1, at=LATER)
    Delivery.objects.filter(pk=delivery.pk).update(state="sent")
    assert sharing.note_questions(at=LATER) == 0


@pytest.mark.parametrize(("language", "treatment", "says"), [("en", "tu", "Hello, Lucía! We love"),
                                                             ("es", "usted", "lo que ha hecho")])  # fmt: skip
def test_they_are_asked_in_their_language_and_as_the_brand_addresses_people(brand, shared, language, treatment, says):
    share = shared[0]
    share.brand.treatment = treatment
    assert says in sharing.question_for(share, language=language)


def test_their_message_is_taken_as_the_answer_by_one_press_and_kept(as_alba, brand, alba, site, shared):
    share = shared[0]
    sharing.note_question(share=share, question="¿Podemos?", asked_at=NOON, asked_on="Página", by=alba, at=NOON)
    told = envelope("¡Pues claro que sí!", thread="lucia", remote_id="m2", author=LUCIA, minutes=5)
    inbound.intake(site, [told], at=LATER)
    message = Message.objects.get(remote_id="m2")
    page = as_alba.get(reverse("publishing:share", args=[brand.slug, share.pk])).content.decode()
    assert "¡Pues claro que sí!" in page
    where = reverse("publishing:share_answer", args=[brand.slug, share.pk])
    as_alba.post(where, {"message": message.pk, "verdict": "yes"})
    share.refresh_from_db()
    assert (share.state, share.answer, share.evidence) == (S.GIVEN, "¡Pues claro que sí!", message)
    assert share.answered_at == message.sent_at
    message.delete()
    share.refresh_from_db()
    assert (share.is_allowed, share.answer) == (True, "¡Pues claro que sí!")


def test_beside_the_conversation_stands_what_of_it_is_shared(as_alba, brand, shared):
    where = reverse("running", args=[brand.slug, Conversation.objects.get().pk])
    page = as_alba.get(where, headers={"HX-Request": "true"}).content.decode()
    assert reverse("publishing:share", args=[brand.slug, shared[0].pk]) in page


def test_nobody_elses_message_is_their_answer(as_alba, brand, alba, site, shared):
    share = shared[0]
    inbound.intake(site, [envelope("Sí", thread="otro", remote_id="m3")], at=LATER)
    stranger = Message.objects.get(remote_id="m3")
    where = reverse("publishing:share_answer", args=[brand.slug, share.pk])
    as_alba.post(where, {"message": stranger.pk, "verdict": "yes"})
    as_alba.post(where, {"message": share.message_id, "verdict": "yes"})
    share.refresh_from_db()
    assert (share.state, share.answer) == (S.NEEDED, "")


def test_what_they_said_elsewhere_is_written_down_with_its_day(as_alba, brand, alba, shared):
    share = shared[0]
    where = reverse("publishing:share_answer", args=[brand.slug, share.pk])
    empty = as_alba.post(where, {"verdict": "yes", "on": "2026-11-23", "answer": " "})
    ahead = as_alba.post(where, {"verdict": "yes", "on": "2031-01-01", "answer": "Sí"})
    assert (empty.status_code, ahead.status_code) == (422, 422)
    as_alba.post(where, {"verdict": "no", "on": "2026-11-22", "answer": "En la tienda: mejor que no"})
    share.refresh_from_db()
    assert (share.state, share.recorded_by_id, share.is_allowed) == (S.REFUSED, alba.pk, False)


# Its pages.


def test_it_begins_from_a_message_an_article_and_by_hand(as_alba, brand, wrote, other_brand):
    new = reverse("publishing:new_share", args=[brand.slug])
    page = as_alba.get(new, {"message": wrote.pk}).content.decode()
    assert "Lucía Sanz" in page
    assert "bocadillo" in page
    given = {"message": wrote.pk, "name": "Lucía Sanz", "text": "«Qué bocadillo»", "url": "https://r.example/1"}
    done = as_alba.post(new, {**given, "file": file_of("suya.png")})
    share = Share.objects.get()
    assert done["Location"] == reverse("publishing:share", args=[brand.slug, share.pk])
    assert (share.message, share.url, share.state, share.media.count()) == (wrote, "https://r.example/1", S.NEEDED, 1)
    text = Post.objects.get().parts.get().text
    assert text == "«Qué bocadillo»\n\nFoto de Lucía Sanz: https://r.example/1"
    wrong = as_alba.post(new, {"name": "", "url": "javascript:alert(1)", "text": "No lo pierdas"})
    assert (wrong.status_code, "No lo pierdas" in wrong.content.decode(), Share.objects.count()) == (422, True, 1)
    blank = as_alba.post(new, {"name": "Ana", "file": file_of("a.txt", b"hola")})
    assert (blank.status_code, Post.objects.count()) == (422, 1)
    elsewhere = Account.objects.create(brand=other_brand, kind="site", name="Otra", created_at=NOON)
    inbound.intake(elsewhere, [envelope("Un secreto", remote_id="x1")], at=NOON)
    foreign = Message.objects.get(account=elsewhere)
    assert "Un secreto" not in as_alba.get(new, {"message": foreign.pk}).content.decode()


def test_an_article_is_shared_with_the_reason_written_already(as_alba, brand, wrote):
    blog = Account.objects.create(brand=brand, kind="feed", name="Panes del mundo", created_at=NOON)
    inbound.intake(blog, [envelope("Largo texto", kind="article", remote_id="a1", thread="articles")], at=NOON)
    article = Message.objects.get(account=blog)
    page = as_alba.get(reverse("publishing:new_share", args=[brand.slug]), {"message": article.pk}).content.decode()
    assert "Panes del mundo" in page
    assert "que puede leer cualquiera" in page


def test_the_library_says_whose_it_is_and_what_is_known_and_finds_by_it(as_alba, brand, alba, shared, picture):
    share, where = shared[0], reverse("publishing:media", args=[brand.slug])
    theirs = share.media.get()
    page = as_alba.get(where, {"which": "unallowed"}).content.decode()
    assert "Lucía Sanz" in page
    assert "Permiso: sin pedir" in page
    assert f"media/{theirs.pk}/" in page
    assert f"media/{picture.pk}/" not in page
    assert f"media/{theirs.pk}/" not in as_alba.get(where, {"which": "allowed"}).content.decode()
    yes(share, alba)
    assert f"media/{theirs.pk}/" in as_alba.get(where, {"which": "allowed"}).content.decode()
    assert f"media/{theirs.pk}/" not in as_alba.get(where, {"which": "unallowed"}).content.decode()


# The person.


def test_a_copy_and_an_erasure_of_the_person_know_it(
    brand, alba, shared, account_of, django_capture_on_commit_callbacks
):
    share, post = shared
    yes(share, alba, "Sí, usadla")
    media, member = share.media.get(), Conversation.objects.get().member
    with ZipFile(io.BytesIO(personal.written(member, at=LATER))) as archive:
        assert "Sí, usadla" in archive.read("data.json").decode()
        assert any(name.endswith("suya.png") for name in archive.namelist())
    actions.schedule(post=planned(post, account_of(), alba), by=alba, at=NOON)
    erasure = personal.ask_erasure(member=member, why="Lo pide", by=alba, at=LATER)
    with django_capture_on_commit_callbacks(execute=True):
        personal.erase_now(erasure, at=LATER)
    share.refresh_from_db()
    assert (share.state, share.name, share.answer, share.message) == (S.ENDED, "▒▒▒", "", None)
    with pytest.raises(rights.Unallowed):
        actions.schedule(post=post, by=alba, at=NOON)
    assert "bocadillo" not in post.parts.get(version=None).text
    assert not library.is_kept(brand.pk, media.digest)


def file_of(name: str, content: bytes = b"") -> io.BytesIO:
    file = io.BytesIO(content or png(5))  # noqa: F405
    file.name = name
    return file
