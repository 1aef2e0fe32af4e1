"""What falls under a rule leaves only in the words that were approved, whoever tries and by whatever way."""

from datetime import time, timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from publishing_cast import *  # noqa: F403

from conftest import NOON, person
from tertulia.channels.models import Delivery
from tertulia.connectors.contract import Poll
from tertulia.core import clock, jobs
from tertulia.core.models import Job
from tertulia.flows import outbound, ticks
from tertulia.publishing import actions, approval, evergreen, ideas, library, queries, series
from tertulia.publishing.models import (
    ApprovalDecision,
    ApprovalRequest,
    ApprovalRule,
    GuestPass,
    Idea,
    Pillar,
    Post,
)
from tertulia.publishing.problems import NotApproved, NotHere, Problem
from tertulia.publishing.saying import Piece, Shown, Wanted
from tertulia.team.models import Notification
from tertulia.understanding import lessons
from tertulia.understanding.learning import NOTHING
from tertulia.understanding.models import Topic

pytestmark = pytest.mark.django_db
AGENCY = "marta@agencia.example"


@pytest.fixture
def rule_of(brand, alba):
    def make(*steps, **said) -> ApprovalRule:
        rule = ApprovalRule(brand=brand, **said)
        actions.save_rule(rule=rule, steps=steps, by=alba, at=NOON)
        return rule

    return make


@pytest.fixture
def draft_of(brand, account_of):
    """`draft_of(elsa, "Pan")`: a draft of hers for one o'clock."""

    def write(by, text="Pan de pueblo") -> Post:
        account = Account.objects.filter(brand=brand, kind="fake-keyed").first() or account_of()  # noqa: F405
        versions = {account.pk: Wanted()}
        post = actions.create(brand=brand, by=by, at=NOON, pieces=[Piece(text)], versions=versions)
        actions.plan(post=post, wall=ONE_O_CLOCK, by=by, at=NOON)  # noqa: F405
        return Post.objects.get(pk=post.pk)

    return write


@pytest.fixture
def elsa(brand):
    return person("Elsa", brand, role="expert")


def edit(post: Post, text: str, by) -> None:
    post = Post.objects.get(pk=post.pk)
    versions = {one.account_id: Wanted() for one in post.versions.all()}
    actions.save(post=post, seen=post.revision, by=by, at=NOON, pieces=[Piece(text)], versions=versions)


def test_under_a_rule_nothing_leaves_unapproved_and_with_the_last_approval_it_is_scheduled(
    network, rule_of, draft_of, elsa, alba, bruno, go_on
):
    rule_of({"users": [alba]}, {"users": [bruno]})
    post = draft_of(elsa)
    for leave in (actions.schedule, actions.publish_now):
        with pytest.raises(NotApproved):
            leave(post=post, by=alba, at=NOON)
    request = approval.ask(post=post, by=elsa, at=NOON)
    with pytest.raises(NotHere):
        actions.approve(request=request, is_approved=True, by=bruno, at=NOON)  # it isn't his turn yet
    actions.approve(request=request, is_approved=True, by=alba, at=NOON)
    assert (state(post), deliveries(post)) == ("approval", [])  # noqa: F405
    actions.approve(request=request, is_approved=True, by=bruno, at=NOON)
    assert state(post) == "scheduled"  # noqa: F405
    go_on(NOON, hours=2)
    assert [one["text"] for one in network.posts] == ["Pan de pueblo"]


def test_an_approved_post_that_is_edited_is_taken_back_and_has_to_be_approved_again(
    network, rule_of, draft_of, elsa, alba, go_on
):
    rule_of({"users": [alba]})
    post = draft_of(elsa)
    actions.approve(request=approval.ask(post=post, by=elsa, at=NOON), is_approved=True, by=alba, at=NOON)
    actions.plan(post=post, wall=ONE_O_CLOCK + timedelta(minutes=30), by=elsa, at=NOON)  # noqa: F405
    assert state(post) == "scheduled", "another time is no other text"  # noqa: F405
    edit(post, "Pan de otro pueblo", elsa)
    assert (state(post), deliveries(post)) == ("draft", [])  # noqa: F405
    go_on(NOON, hours=2)
    assert network.posts == []
    kept = ApprovalRequest.objects.get()
    assert kept.said[0]["parts"][0]["text"] == "Pan de pueblo", "what was approved is kept"
    assert (kept.revision, kept.outcome) == (post.revision, "approved")


def test_it_leaves_with_the_description_that_was_approved_whatever_the_library_says_by_then(
    rule_of, account_of, brand, alba, bruno, elsa, picture
):
    rule_of({"users": [alba]})
    account, show = account_of(), Piece("Pan", pictures=(Shown(picture.pk),))
    post = actions.create(brand=brand, by=elsa, at=NOON, pieces=[show], versions={account.pk: Wanted()})
    request = approval.ask(post=post, by=elsa, at=NOON)
    actions.approve(request=request, is_approved=True, by=alba, at=NOON)
    library.describe(media=picture, by=alba, at=NOON, alt="Otra cosa")
    actions.plan(post=post, wall=ONE_O_CLOCK, by=alba, at=NOON)  # noqa: F405
    rule_of({"users": [bruno]})
    again = approval.ask(post=post, by=elsa, at=NOON)
    actions.approve(request=again, is_approved=True, by=bruno, at=NOON)
    actions.plan(post=post, wall=ONE_O_CLOCK + timedelta(minutes=5), by=elsa, at=NOON)  # noqa: F405
    (laid_out,) = deliveries(post)  # noqa: F405
    (asked,) = again.said[0]["parts"]
    assert [said["pictures"][0]["alt"] for said in (asked, laid_out.post.draft)] == ["Un pan de pueblo"] * 2
    edit(post, "Pan de hoy", elsa)
    fresh = Post.objects.get(pk=post.pk).versions.get()
    assert approval.spoken(fresh)[0]["text"] == "Pan de hoy", "other words, which nobody has approved yet"


def test_a_change_overtakes_the_request_and_an_approval_of_the_old_words_counts_for_nothing(
    rule_of, draft_of, elsa, alba
):
    rule_of({"users": [alba]})
    post = draft_of(elsa)
    request = approval.ask(post=post, by=elsa, at=NOON)
    edit(post, "Otra cosa", elsa)
    with pytest.raises(Problem):
        actions.approve(request=request, is_approved=True, by=alba, at=NOON)
    assert (ApprovalRequest.objects.get().outcome, state(post)) == ("overtaken", "draft")  # noqa: F405


def test_all_of_a_step_means_all_and_changes_wanted_say_what(rule_of, draft_of, elsa, alba, bruno):
    rule_of({"users": [alba, bruno], "needs_all": True})
    post = draft_of(elsa)
    request = approval.ask(post=post, by=elsa, at=NOON)
    actions.approve(request=request, is_approved=True, by=bruno, at=NOON)
    assert state(post) == "approval"  # noqa: F405
    with pytest.raises(Problem):
        actions.approve(request=request, is_approved=False, by=alba, at=NOON)
    actions.approve(request=request, is_approved=False, by=alba, at=NOON, comment="Falta el precio")
    assert state(post) == "changes"  # noqa: F405
    assert approval.ask(post=post, by=elsa, at=NOON).pk != request.pk


def test_who_asks_does_not_approve_it_unless_the_rule_lets_them(rule_of, draft_of, alba, bruno):
    rule = rule_of({"users": [alba], "role": "approver"})
    post = draft_of(alba)
    with pytest.raises(Problem):
        approval.ask(post=post, by=alba, at=NOON)
    rule.allows_own = True
    actions.save_rule(rule=rule, steps=[{"users": [alba]}], by=alba, at=NOON)
    request = approval.ask(post=post, by=alba, at=NOON)
    actions.approve(request=request, is_approved=True, by=alba, at=NOON)
    assert state(post) == "scheduled"  # noqa: F405


def test_neither_who_wrote_it_nor_who_changed_it_approves_it_whoever_asks(rule_of, draft_of, elsa, alba, bruno, brand):
    carlos = person("Carlos", brand, role="manager")
    rule_of({"users": [alba, bruno, elsa, carlos]})
    post = draft_of(bruno)
    edit(post, "Pan de centeno", elsa)
    request = approval.ask(post=post, by=carlos, at=NOON)
    assert approval.place_of(request).users == {alba.pk}
    approval.follow_roles(request=request, at=NOON)
    for one in (bruno, elsa, carlos):
        with pytest.raises(NotHere):
            actions.approve(request=request, is_approved=True, by=one, at=NOON)
    actions.approve(request=request, is_approved=True, by=alba, at=NOON)
    edit(post, "Pan de espelta", alba)  # who changed what was approved before may look at the next words
    again = approval.ask(post=Post.objects.get(pk=post.pk), by=carlos, at=NOON)
    assert approval.place_of(again).users == {elsa.pk}


@pytest.mark.parametrize("is_planned", [True, False])
def test_who_wrote_what_a_repetition_is_made_of_does_not_approve_it(
    rule_of, draft_of, elsa, alba, bruno, brand, is_planned
):  # fmt: skip
    carlos = person("Carlos", brand, role="manager")
    rule_of({"users": [alba, bruno, elsa, carlos]})
    post = draft_of(elsa)
    if not is_planned:
        actions.plan(post=post, wall=None, by=elsa, at=NOON)
    pooled = evergreen.add(post=Post.objects.get(pk=post.pk), by=bruno, at=NOON, rest_days=1)
    assert (pooled.origin_id is not None) == is_planned
    edit(pooled.model, "Pan de centeno", carlos)
    wall = ONE_O_CLOCK + timedelta(days=9)  # noqa: F405
    repeated = evergreen.repeat(evergreen=pooled, wall=wall, by=bruno, at=NOON)
    request = approval.ask(post=repeated, by=bruno, at=NOON)
    assert approval.place_of(request).users == {alba.pk}


def test_who_changed_what_a_series_says_does_not_approve_its_days(rule_of, draft_of, elsa, alba, bruno, brand):
    carlos = person("Carlos", brand, role="manager")
    rule_of({"users": [alba, bruno, elsa, carlos]})
    post = draft_of(elsa)
    actions.plan(post=post, wall=None, by=elsa, at=NOON)
    edit(post, "Pan de centeno", bruno)
    rule = series.Rule(time=time(9), zone="Europe/Madrid", starts_on=NOON.date(), then="schedule", most=2)
    series.begin(brand=brand, post=Post.objects.get(pk=post.pk), rule=rule, by=carlos, at=NOON)
    request = ApprovalRequest.objects.order_by("pk")[0]
    assert (request.asked_by, approval.place_of(request).users) == (carlos, {alba.pk})


def test_who_wrote_what_a_copy_says_does_not_approve_the_copy(rule_of, draft_of, elsa, alba, bruno, brand):
    carlos = person("Carlos", brand, role="manager")
    rule_of({"users": [alba, bruno, elsa, carlos]})
    post = draft_of(elsa)
    edit(post, "Pan de centeno", bruno)
    once = evergreen.copy(post, by=carlos, at=NOON)
    twice = evergreen.copy(once, by=carlos, at=NOON)
    for each in (once, twice):
        assert approval.place_of(approval.ask(post=each, by=carlos, at=NOON)).users == {alba.pk}


def test_who_wrote_a_post_with_a_day_does_not_approve_the_days_of_a_series_made_of_it(
    rule_of, draft_of, elsa, alba, bruno, brand
):  # fmt: skip
    carlos = person("Carlos", brand, role="manager")
    rule_of({"users": [alba, bruno, elsa, carlos]})
    post = draft_of(elsa)
    edit(post, "Pan de centeno", bruno)
    rule = series.Rule(time=time(9), zone="Europe/Madrid", starts_on=NOON.date(), then="schedule", most=2)
    made = series.begin(brand=brand, post=Post.objects.get(pk=post.pk), rule=rule, by=carlos, at=NOON)
    assert made.model_id != post.pk
    request = ApprovalRequest.objects.exclude(post=post).order_by("pk")[0]
    assert (request.asked_by, approval.place_of(request).users) == (carlos, {alba.pk})


def test_where_only_writers_could_approve_it_asking_says_so_unless_the_rule_lets_them(rule_of, draft_of, elsa, alba):
    rule = rule_of({"users": [elsa]})
    post = draft_of(elsa)
    with pytest.raises(Problem):
        approval.ask(post=post, by=alba, at=NOON)
    rule.delete()
    rule_of({"users": [elsa]}, allows_own=True)
    assert approval.place_of(approval.ask(post=post, by=alba, at=NOON)).users == {elsa.pk}


@pytest.mark.parametrize(
    ("words", "text", "holds"),
    [
        ("sorteo", "¡Sorteos de Navidad!", True), ("oferta flash", "Ofertas flash hoy", True),
        ("luz", "Luces de Navidad", True), ("pan", "Una panadería", False), ("sorteo", "Sin nada", False),
    ],
)  # fmt: skip
def test_a_word_of_a_rule_holds_for_its_plural_too(rule_of, draft_of, elsa, alba, words, text, holds):
    rule_of({"users": [alba]}, words=words)
    assert approval.lacks(draft_of(elsa, text)) is holds


def test_a_rule_holds_for_its_account_its_author_and_its_words(brand, rule_of, draft_of, elsa, alba, bruno, account_of):
    rule_of({"users": [alba]}, words="sorteo\npromoción", author=elsa, account=account_of("fake-blind"))
    post = draft_of(elsa, "Gran Sorteo, hoy")
    assert not approval.lacks(post)  # another account
    rule_of({"users": [alba]}, words="sorteo\npromoción", author=elsa)
    assert approval.lacks(post)
    assert approval.lacks(draft_of(elsa, "¡PROMOCION!"))
    assert not approval.lacks(draft_of(elsa, "Un sorteador"))
    assert not approval.lacks(draft_of(bruno, "Gran Sorteo, hoy"))


def test_a_rule_holds_for_what_a_post_is_about_by_the_model_or_by_the_brands_own_name_for_it(
    brand, rule_of, draft_of, elsa, alba
):
    topic = Topic.objects.create(brand=brand, slug="obrador-nuevo", name="Obrador nuevo", at=NOON)
    rule_of({"users": [alba]}, topic="price")
    rule_of({"users": [alba]}, topic=topic.slug)
    texts = ("Hemos subido el precio de la barra a 1,40 €", "Visita el OBRADOR nuevo", "Feliz Navidad a todos")
    posts = [draft_of(elsa, text) for text in texts]
    found = [[one.topic for one in approval.rules_for(post)] for post in posts]
    assert found == [["price"], [topic.slug], []]
    with pytest.raises(NotApproved):
        actions.schedule(post=posts[0], by=elsa, at=NOON)


def test_a_topic_in_one_part_of_a_thread_is_enough_and_one_that_was_taught_counts(
    brand, rule_of, account_of, elsa, alba, monkeypatch
):
    rule_of({"users": [alba]}, topic="price")
    texts = ["Feliz Navidad a todos. " * 20, "Hemos subido el precio de la barra"]
    pieces = [Piece(text) for text in texts]
    post = actions.create(brand=brand, by=elsa, at=NOON, pieces=pieces, versions={account_of().pk: Wanted()})
    assert approval.lacks(post)
    asked = []
    monkeypatch.setattr(approval.layers, "of_one", lambda of: asked.append(of) or NOTHING)
    assert approval.lacks(post)
    assert asked == [brand.pk]


def test_a_rule_about_a_topic_that_was_removed_holds_whatever_a_post_is_about(
    brand, rule_of, draft_of, elsa, alba, as_alba
):
    topic = lessons.add_topic(brand=brand, name="Alérgenos", by=alba.pk, at=NOON)
    rule = rule_of({"users": [alba]}, topic=topic.slug)
    post = draft_of(elsa, "Feliz Navidad a todos")
    assert not approval.lacks(post)
    lessons.remove_topic(topic=topic, by=alba.pk, at=NOON)
    assert approval.lacks(post)
    address = reverse("publishing:approval_rules", args=[brand.slug])
    assert "sobre «Alérgenos» → Alba" in as_alba.get(address).content.decode()
    address = reverse("publishing:approval_rule", args=[brand.slug, rule.pk])
    assert as_alba.post(address, {"users0": [alba.pk], "topic": topic.slug}).status_code == 302
    lessons.restore_topic(topic=topic, by=alba.pk, at=NOON)
    assert not approval.lacks(post)


def test_a_rule_holds_for_the_pillar_of_a_posts_idea_which_then_stays(brand, rule_of, draft_of, elsa, alba, as_alba):
    pillar = Pillar.objects.create(brand=brand, name="Oficio")
    rule = rule_of({"users": [alba]}, pillar=pillar)
    post, other = draft_of(elsa, "Pan"), draft_of(elsa, "Pan")
    idea = {"brand": brand, "title": "Pan", "created_at": NOON, "changed_at": NOON}
    Idea.objects.create(post=post, pillar=pillar, **idea)
    assert (approval.lacks(post), approval.lacks(other)) == (True, False)
    page = as_alba.post(reverse("publishing:pillar_removal", args=[brand.slug, pillar.pk]), follow=True)
    assert "Hay una regla de aprobación" in page.content.decode()
    actions.remove_rule(rule=rule, by=alba, at=NOON)
    as_alba.post(reverse("publishing:pillar_removal", args=[brand.slug, pillar.pk]))
    assert not Pillar.objects.exists()


def test_what_comes_under_a_rule_by_its_ideas_new_pillar_is_taken_back_and_told(
    brand, rule_of, draft_of, elsa, alba, bruno
):  # fmt: skip
    pillar = Pillar.objects.create(brand=brand, name="Oficio")
    rule_of({"users": [alba]}, pillar=pillar)
    post = actions.schedule(post=draft_of(elsa), by=elsa, at=NOON)
    idea = Idea.objects.create(post=post, brand=brand, title="Pan", created_at=NOON, changed_at=NOON)
    ideas.change(idea=idea, title="Pan bueno", by=bruno, at=NOON)
    assert state(post) == "scheduled"  # noqa: F405
    ideas.change(idea=idea, pillar=pillar, by=bruno, at=NOON)
    assert (state(post), Delivery.objects.count()) == ("draft", 0)  # noqa: F405
    jobs.run_due(clock.now())
    assert Notification.objects.filter(user=elsa, reason="approval_told").count() == 1
    request = approval.ask(post=post, by=elsa, at=NOON)
    actions.approve(request=request, is_approved=True, by=alba, at=NOON)
    assert state(post) == "scheduled"  # noqa: F405


def test_what_comes_under_a_rule_by_what_was_learnt_is_taken_back_within_the_hour(
    brand, rule_of, draft_of, elsa, alba, bruno
):  # fmt: skip
    topic = lessons.add_topic(brand=brand, name="Alérgenos", by=alba.pk, at=NOON)
    rule_of({"users": [alba]}, topic=topic.slug)
    post = actions.schedule(post=draft_of(elsa), by=elsa, at=NOON)
    ticks.rules_tick()
    assert state(post) == "scheduled"  # noqa: F405
    lessons.remove_topic(topic=topic, by=alba.pk, at=NOON)  # whether it is about it nobody can tell any more
    ticks.rules_tick()
    assert (state(post), Delivery.objects.count()) == ("draft", 0)  # noqa: F405
    jobs.run_due(clock.now())
    assert Notification.objects.filter(user=elsa, reason="approval_told").count() == 1


def test_what_came_under_a_rule_just_now_does_not_leave_and_leaves_once_it_is_approved(
    network, brand, rule_of, draft_of, elsa, alba, go_on
):  # fmt: skip
    topic = lessons.add_topic(brand=brand, name="Alérgenos", by=alba.pk, at=NOON)
    rule_of({"users": [alba]}, topic=topic.slug)
    post = actions.schedule(post=draft_of(elsa), by=elsa, at=NOON)
    lessons.remove_topic(topic=topic, by=alba.pk, at=NOON)
    outbound.run_due(DUE)  # noqa: F405
    [held] = deliveries(post)  # noqa: F405
    assert (held.state, held.why, network.posts) == ("refused", outbound.UNAPPROVED, [])
    with pytest.raises(NotApproved):
        actions.retry(delivery=held, by=elsa, at=DUE)  # noqa: F405
    request = approval.ask(post=post, by=elsa, at=DUE)  # noqa: F405
    actions.approve(request=request, is_approved=True, by=alba, at=DUE)  # noqa: F405
    actions.retry(delivery=held, by=elsa, at=DUE)  # noqa: F405
    go_on(DUE, minutes=1)  # noqa: F405
    assert [one["text"] for one in network.posts] == ["Pan de pueblo"]


def test_topics_and_pillars_of_a_rule_are_those_of_the_brand(as_alba, brand, other_brand, alba):
    Topic.objects.create(brand=other_brand, slug="tornillos", name="Tornillos", at=NOON)
    theirs = Pillar.objects.create(brand=other_brand, name="Taller")
    mine = Pillar.objects.create(brand=brand, name="Oficio")
    address = reverse("publishing:approval_rules", args=[brand.slug])
    steps = {"users0": [alba.pk]}
    for wrong in ({"topic": "tornillos"}, {"pillar": theirs.pk}):
        assert as_alba.post(address, {**steps, **wrong}).status_code == 422
    assert as_alba.post(address, {**steps, "topic": "price", "pillar": mine.pk}).status_code == 302
    assert "sobre «precios», del pilar «Oficio» → Alba" in as_alba.get(address).content.decode()


def test_a_new_rule_takes_back_what_is_scheduled_and_lets_what_is_missed_not_slip_through(
    network, rule_of, draft_of, elsa, alba, go_on
):
    scheduled, missed = draft_of(elsa, "Uno"), draft_of(elsa, "Dos")
    for post in (scheduled, missed):
        actions.schedule(post=post, by=alba, at=NOON)
    Delivery.objects.filter(post__in=missed.versions.values("sendings__remote")).update(state="missed")
    rule = ApprovalRule(brand=scheduled.brand)
    assert actions.save_rule(rule=rule, steps=[{"users": [alba]}], by=alba, at=NOON) == 1
    assert (state(scheduled), state(missed)) == ("draft", "missed")  # noqa: F405
    with pytest.raises(NotApproved):
        actions.retry(delivery=deliveries(missed)[0], by=alba, at=NOON)  # noqa: F405
    go_on(NOON, hours=2)
    assert network.posts == []


def test_what_was_approved_by_one_rule_waits_for_another_that_it_comes_under_later(
    network, rule_of, draft_of, elsa, alba, bruno, go_on
):
    rule_of({"users": [alba]})
    post = draft_of(elsa)
    actions.approve(request=approval.ask(post=post, by=elsa, at=NOON), is_approved=True, by=alba, at=NOON)
    assert state(post) == "scheduled"  # noqa: F405
    with pytest.raises(Problem, match="Está aprobada tal como está"):
        approval.ask(post=post, by=elsa, at=NOON)
    rule = rule_of({"users": [bruno]}, words="pueblo")
    assert (approval.lacks(post), deliveries(post)) == (True, [])  # noqa: F405
    request = approval.ask(post=post, by=elsa, at=NOON)
    assert [step["users"] for step in request.steps] == [[bruno.pk]], "whoever approved it isn't asked again"
    actions.approve(request=request, is_approved=False, by=bruno, at=NOON, comment="Legal dice que no")
    assert approval.lacks(post)
    actions.approve(request=approval.ask(post=post, by=elsa, at=NOON), is_approved=True, by=bruno, at=NOON)
    assert state(post) == "scheduled"  # noqa: F405
    actions.save_rule(rule=rule, steps=[{"users": [bruno]}, {"outside": [AGENCY]}], by=alba, at=NOON)
    assert approval.lacks(post), "whom the rule asks now hasn't seen it"
    go_on(NOON, hours=2)
    assert network.posts == []


def test_the_words_of_polls_pictures_and_hints_count_too(rule_of, brand, elsa, alba, account_of, picture):
    rule_of({"users": [alba]}, words="sorteo")
    account = account_of("fake-keyed")

    def lacks(piece: Piece, wanted: Wanted) -> bool:
        return approval.lacks(
            actions.create(brand=brand, by=elsa, at=NOON, pieces=[piece], versions={account.pk: wanted})
        )

    assert not lacks(Piece("Pan"), Wanted())
    assert lacks(Piece("¿Qué quieres?", poll=Poll(("Sorteo", "Pan"), 60)), Wanted())
    assert lacks(Piece("Pan", pictures=(Shown(picture.pk, "Cartel del sorteo"),)), Wanted())
    assert lacks(Piece("Pan"), Wanted(hints=(("title", "Gran sorteo"),)))


def test_somebody_without_an_account_sees_that_post_alone_and_decides_once(
    brand, rule_of, draft_of, elsa, picture, monkeypatch
):
    monkeypatch.setattr(settings, "EMAIL_HOST", "localhost")
    rule_of({"outside": [AGENCY]})
    post = draft_of(elsa)
    request = approval.ask(post=post, by=elsa, at=NOON)
    mailed = Job.objects.get(task="team.mail").args
    assert mailed["to"] == AGENCY
    token = mailed["text"].split("/approval/")[1].split("/")[0]
    assert token not in GuestPass.objects.get().token_hash
    guest, address = Client(), reverse("publishing:guest", args=[token])
    monkeypatch.setattr("tertulia.core.clock.now", lambda: NOON)
    page = guest.get(address)
    assert "Pan de pueblo" in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    other = reverse("publishing:guest_media", args=[token, picture.digest])
    assert guest.get(other).status_code == 404, "a picture of another post"
    assert guest.get(reverse("publishing:guest", args=["A" * 43])).status_code == 404
    assert guest.post(address, {"verdict": "no", "name": "Marta"}).status_code == 422
    answer = guest.post(address, {"verdict": "yes", "name": "Marta", "comment": "<b>Bien</b>"})
    assert answer.status_code == 200
    said = ApprovalDecision.objects.get()
    assert (said.address, said.name, said.is_approved) == (AGENCY, "Marta", True)
    assert state(post) == "scheduled"  # noqa: F405
    assert guest.post(address, {"verdict": "no", "name": "Marta", "comment": "No"}).status_code == 404
    assert ApprovalRequest.objects.get(pk=request.pk).outcome == "approved"


def test_a_guests_link_ends_by_time_by_a_new_one_and_by_a_change(rule_of, draft_of, elsa, monkeypatch):
    rule_of({"outside": [AGENCY]})
    post = draft_of(elsa)
    request = approval.ask(post=post, by=elsa, at=NOON)
    first, second = (approval.invite(request=request, address=AGENCY, at=NOON) for _ in range(2))
    tokens = [url.split("/approval/")[1].strip("/") for url in (first, second)]
    assert approval.guest_of(tokens[0], at=NOON) is None
    assert approval.guest_of(tokens[1], at=NOON)
    assert approval.guest_of(tokens[1], at=NOON + approval.PASS_LASTS) is None
    edit(post, "Otra cosa", elsa)
    assert approval.guest_of(tokens[1], at=NOON) is None
    with pytest.raises(NotHere):
        approval.invite(request=ApprovalRequest.objects.get(), address=AGENCY, at=NOON)


def test_the_composers_button_asks_and_those_who_are_asked_are_told(client, brand, rule_of, elsa, alba, account_of):
    rule_of({"users": [alba]})
    client.force_login(elsa)
    said = {"text": "Pan", "accounts": [account_of().pk], "on": "2031-03-12", "time": "10:00", "do": "ask"}
    client.post(reverse("publishing:beginning", args=[brand.slug]), said)
    request = ApprovalRequest.objects.get()
    jobs.run_due(NOON + timedelta(days=9999), raises=False)
    assert Notification.objects.filter(user=alba, reason="approval").count() == 1
    client.force_login(alba)
    assert request.post.title in client.get(reverse("publishing:posts", args=[brand.slug])).content.decode()
    client.post(reverse("publishing:approval_decision", args=[brand.slug, request.pk]), {"verdict": "yes"})
    assert queries.standing(request.post).state == "scheduled"


def test_a_rule_that_names_nobody_is_not_kept(client, brand, alba):
    client.force_login(alba)
    address = reverse("publishing:approval_rules", args=[brand.slug])
    assert client.post(address, {"words": "sorteo"}).status_code == 422
    assert client.post(address, {"outside0": "no es una dirección"}).status_code == 422
    assert not ApprovalRule.objects.exists()
    said = {"users0": [alba.pk], "all0": "1", "outside1": f"{AGENCY}\r\n{AGENCY}"}
    assert client.post(address, said).status_code == 302
    steps = list(ApprovalRule.objects.get().steps.order_by("number"))
    assert [(one.needs_all, one.outside) for one in steps] == [(True, []), (False, [AGENCY])]


def test_whoever_writes_reads_beforehand_who_has_to_approve_it(rule_of, account_of, as_alba, alba, bruno, brand):
    account = account_of()
    rule_of({"users": [bruno]}, words="oferta")
    draft = reverse("publishing:new_draft", args=[brand.slug])

    def told(text: str) -> str:
        said = {"text": text, "accounts": [account.pk]}
        return as_alba.post(draft, said, headers={"HX-Request": "true"}).content.decode()

    assert "Antes hay que aprobarla: con «oferta» → Bruno." in told("Oferta de otoño")
    assert "Antes hay que aprobarla" not in told("Pan de pueblo")
    rule_of({"users": [bruno]}, topic="price")
    assert "sobre «precios» → Bruno." in told("Hemos subido el precio de la barra")
