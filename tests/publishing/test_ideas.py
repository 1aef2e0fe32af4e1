"""Ideas: from where they come to the post that is made of them, and nothing lost on the way."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from django.urls import reverse
from publishing_cast import *  # noqa: F403 — its fixtures

from conftest import NOON, envelope
from tertulia.channels.models import Account, Message
from tertulia.core.models import Activity
from tertulia.flows import inbound
from tertulia.inbox.models import Conversation, Rule
from tertulia.publishing import actions, ideas
from tertulia.publishing.ideas import Filters
from tertulia.publishing.models import Idea, Pillar, Post
from tertulia.publishing.problems import Problem
from tertulia.publishing.saying import Piece, Wanted

pytestmark = pytest.mark.django_db


@pytest.fixture
def idea(brand, alba) -> Idea:
    return ideas.add(brand=brand, by=alba, at=NOON, title="Masa madre", brief="Contar la espera", owner=alba)


def place(brand, idea, *, now=NOON) -> str:
    return next(c.key for c in ideas.board(brand, Filters(), now=now) for card in c.cards if card.idea.pk == idea.pk)


def test_it_stands_where_it_was_put_and_setting_aside_needs_a_reason(brand, alba, idea):
    assert place(brand, idea) == "new"
    ideas.put(idea=idea, to="chosen", by=alba, at=NOON)
    assert place(brand, idea) == "chosen"
    with pytest.raises(Problem):
        ideas.put(idea=idea, to="aside", because="  ", by=alba, at=NOON)
    ideas.put(idea=idea, to="aside", because="Ya lo contamos", by=alba, at=NOON)
    ideas.put(idea=idea, to="aside", because="Ya lo contamos", by=alba, at=NOON)
    assert place(brand, idea) == "aside"
    ideas.put(idea=idea, to="new", by=alba, at=NOON)
    assert Idea.objects.get().because == ""
    told = Activity.objects.filter(type__startswith="idea.").order_by("pk").values_list("type", flat=True)
    assert list(told) == ["idea.added", "idea.chosen", "idea.set_aside", "idea.returned"]


def test_a_post_is_made_of_it_once_and_shows_how_far_it_has_come(network, account_of, go_on, brand, alba, idea):
    post = ideas.write(idea=idea, by=alba, at=NOON)
    assert ideas.write(idea=idea, by=alba, at=NOON) == post
    assert (place(brand, idea), Post.objects.count(), ideas.of_post(post)) == ("post", 1, idea)
    with pytest.raises(Problem):
        ideas.put(idea=idea, to="new", by=alba, at=NOON)
    said = {"pieces": [Piece("Pan")], "versions": {account_of().pk: Wanted()}}
    actions.save(post=post, seen=post.revision, title="Pan", by=alba, at=NOON, **said)
    post.refresh_from_db()
    actions.publish_now(post=post, by=alba, at=NOON)
    go_on(NOON, minutes=1)
    later = NOON + timedelta(hours=1)
    assert place(brand, idea, now=later) == "published"
    post.refresh_from_db()
    actions.delete(post=post, by=alba, at=later)
    go_on(later, minutes=1)
    assert place(brand, idea, now=later) == "chosen"
    again = ideas.write(idea=idea, by=alba, at=later)
    assert again != post
    assert place(brand, idea, now=later) == "post"


def test_a_cancelled_post_gives_it_back(brand, alba, idea):
    post = ideas.write(idea=idea, by=alba, at=NOON)
    actions.cancel(post=post, by=alba, at=NOON)
    assert place(brand, idea) == "chosen"
    ideas.put(idea=idea, to="aside", because="Nadie lo echa de menos", by=alba, at=NOON)
    assert place(brand, idea) == "aside"


def test_a_page_shares_itself_and_what_is_no_address_comes_back_in_words(as_alba, brand):
    new = reverse("publishing:new_idea", args=[brand.slug])
    page = as_alba.get(
        new, {"title": "Harinas viejas", "url": "https://pan.example/a?b=1", "text": "Trigo <b>duro</b>"}
    )
    assert b"https://pan.example/a?b=1" in page.content
    assert b"Trigo &lt;b&gt;duro" in page.content
    assert not Idea.objects.exists()
    wrong = as_alba.post(new, {"title": "Harinas", "url": "javascript:alert(1)", "brief": "No lo pierdas"})
    assert (wrong.status_code, b"No lo pierdas" in wrong.content, Idea.objects.count()) == (422, True, 0)
    foreign = as_alba.post(new, {"title": "Harinas", "url": "/b/otra-marca/inbox/"})
    assert foreign.status_code == 422
    as_alba.post(new, {"title": "Harinas", "url": "https://pan.example/a"})
    assert Idea.objects.get().source == "link"


def test_a_message_is_its_source_and_is_not_copied(as_alba, brand, site, other_brand):
    inbound.intake(site, [envelope("¿Tenéis pan sin sal? Es para mi padre.")], at=NOON)
    message, new = Message.objects.get(), reverse("publishing:new_idea", args=[brand.slug])
    assert b"pan sin sal" in as_alba.get(new, {"message": message.pk}).content
    as_alba.post(new, {"title": "Pan sin sal", "message": message.pk})
    idea = Idea.objects.get()
    assert (idea.source, idea.message, idea.brief) == ("message", message, "")
    page = as_alba.get(reverse("publishing:idea", args=[brand.slug, idea.pk])).content.decode()
    link = reverse("inbox:message", args=[brand.slug, message.pk])
    assert "Es para mi padre" in page
    assert link in page
    assert as_alba.get(link)["Location"].endswith(f"#message-{message.pk}")
    assert (
        reverse("publishing:idea", args=[brand.slug, idea.pk])
        in as_alba.get(new, {"message": message.pk}).content.decode()
    )
    elsewhere = Account.objects.create(brand=other_brand, kind="site", name="Otra", created_at=NOON)
    inbound.intake(elsewhere, [envelope("Un secreto", remote_id="x1")], at=NOON)
    foreign = Message.objects.get(account=elsewhere)
    assert b"Un secreto" not in as_alba.get(new, {"message": foreign.pk}).content


def test_a_rule_makes_an_idea_once_of_what_begins_with_the_word(brand, site):
    Rule.objects.create(
        brand=brand, name="Ideas", position=1, on_at=NOON, conditions={"subject": "idea:"}, acts={"idea": True}
    )
    inbound.intake(site, [envelope("Lo que cuenta mi tía", subject="Idea: pan de patata")], at=NOON)
    inbound.intake(site, [envelope("Nada", subject="Una idea", remote_id="m2", thread="eva")], at=NOON)
    threads = list(Conversation.objects.values_list("pk", flat=True))
    for _twice in range(2):
        inbound._process(threads, at=NOON)
    idea = Idea.objects.get()
    assert (idea.title, idea.source, idea.message.text) == ("pan de patata", "rule", "Lo que cuenta mi tía")
    assert Activity.objects.get(type="idea.by_rule").data["rule"] == "Ideas"


def test_the_board_moves_filters_and_hands_out_a_table(as_alba, brand, alba, idea):
    pillar = Pillar.objects.create(brand=brand, name="El oficio")
    ideas.add(brand=brand, by=alba, at=NOON, title="=Pan de ayer", pillar=pillar)
    board, stage = (
        reverse("publishing:ideas", args=[brand.slug]),
        reverse("publishing:idea_stage", args=[brand.slug, idea.pk]),
    )
    shown = as_alba.get(board, {"owner": "none"}).content
    assert b"Pan de ayer" in shown
    assert b"Masa madre" not in shown
    shown = as_alba.get(board, {"pillar": "none", "stage": "new"}).content
    assert b"Masa madre" in shown
    assert b"Pan de ayer" not in shown
    moved = as_alba.post(stage, {"to": "chosen", "board": "1"}, headers={"hx-request": "true"})
    assert b'id="ideas"' in moved.content
    assert place(brand, idea) == "chosen"
    asked = as_alba.post(stage, {"to": "aside", "board": "1"}, headers={"hx-request": "true"})
    assert asked["HX-Redirect"].endswith(f"/ideas/{idea.pk}/#aside")
    kept = as_alba.post(stage, {"to": "aside", "because": ""})
    assert kept.status_code == 422
    written = as_alba.post(stage, {"to": "post", "board": "1"}, headers={"hx-request": "true"})
    assert b"Contar la espera" in as_alba.get(written["HX-Redirect"]).content
    content = as_alba.get(reverse("publishing:ideas_export", args=[brand.slug])).content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(content), delimiter=";"))
    assert [row[0] for row in rows[1:]] == ["Masa madre", "'=Pan de ayer"]


def test_a_removed_pillar_leaves_its_ideas(brand, alba, idea):
    pillar = Pillar(brand=brand, name="El oficio")
    ideas.keep_pillar(pillar=pillar, by=alba, at=NOON)
    ideas.change(idea=idea, pillar=pillar, by=alba, at=NOON)
    ideas.remove_pillar(pillar=pillar, by=alba, at=NOON)
    assert Idea.objects.get().pillar is None
