"""The sample company: three weeks of a bakery's inbox, through the ordinary doors."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from django.db.models import QuerySet

from conftest import NOON
from tertulia.brand.models import Brand
from tertulia.channels.models import Delivery, Message, RemotePost
from tertulia.community.models import Member
from tertulia.core import jobs
from tertulia.core.models import Activity
from tertulia.flows import first_run, notify, sample, sample_posts
from tertulia.flows import plans as planning
from tertulia.inbox import routing
from tertulia.inbox.models import Assignment, Conversation, ConversationLabel, Label, Note, SavedReply
from tertulia.publishing import campaigns
from tertulia.publishing.models import Click, Conversion, Post
from tertulia.publishing.queries import standings
from tertulia.strategy import plans
from tertulia.strategy.models import Campaign, Plan
from tertulia.team.models import Membership, Notification, User


@pytest.fixture(scope="module")
def _told_once(django_db_setup, django_db_blocker):
    """Telling it takes seconds: the tests of this module share one, each within a savepoint of its own."""
    with django_db_blocker.unblock(), transaction.atomic():
        brand = Brand.objects.create(name="Horno Candela", slug="horno", region="MD", created_at=NOON)
        alba = User.objects.create_user("alba@horno.example", name="Alba")
        Membership.objects.create(user=alba, brand=brand, role="manager", is_fallback=True, created_at=NOON)
        sample.fill(brand, at=NOON, by=alba)
        yield brand.pk
        transaction.set_rollback(True)


@pytest.fixture
def filled(_told_once, db) -> Brand:
    return Brand.objects.get(pk=_told_once)


def messages(brand) -> QuerySet[Message]:
    return Message.objects.filter(account__brand=brand)


def texts(brand) -> list[str]:
    return list(messages(brand).order_by("sent_at", "id").values_list("text", flat=True))


def test_both_languages_tell_the_same_story():
    def shape(language):
        return [(talk.channel, talk.key, talk.began, [(line.after, line.who, line.deed) for line in talk.lines])
                for talk in sample.talks(language)]  # fmt: skip

    spanish, english = shape("es"), shape("en")
    names = {"anonimo": "anonymous", "manolo-el-del-quiosco": "manolo-from-the-kiosk"}
    names["comunidad-de-calle-molino-14"] = "residents-of-calle-molino-14"

    assert [(channel, names.get(key, key), *rest) for channel, key, *rest in spanish] == english
    assert len(spanish) == 70


def test_there_are_conversations_in_every_state(filled):
    states = Counter(Conversation.objects.values_list("state", flat=True))

    assert states["closed"] >= 30
    assert states["snoozed"] == 2
    assert states["open"] >= 12
    assert Conversation.objects.filter(waiting_since__isnull=False).count() >= 8


def test_every_conversation_has_an_owner_and_the_routed_ones_a_reason(filled):
    assert not Conversation.objects.filter(owner__isnull=True).exists()
    routed = Assignment.objects.filter(by_id__isnull=True)
    assert routed.count() >= 50
    assert all(routing.sentence(each.because) for each in routed)


def test_nothing_happens_after_now_and_all_within_a_month(filled):
    moments = Message.objects.values_list("sent_at", flat=True)

    assert NOON - timedelta(days=31) < min(moments)
    assert max(moments) == NOON - timedelta(minutes=4)
    assert not Activity.objects.filter(at__gt=NOON).exists()


def test_nothing_is_left_to_send(filled):
    assert set(Delivery.objects.filter(due_at__lte=NOON).values_list("state", flat=True)) == {"sent"}
    assert not Message.objects.filter(remote_id__startswith="pending:").exists()


def test_it_publishes_has_days_ahead_and_drafts(filled):
    written = Post.objects.filter(brand=filled, evergreen=None)
    states = Counter(one.state for one in standings([*written]).values())

    assert states == {"published": 8, "scheduled": 4, "draft": 4}
    assert {told.accounts[0] for told in sample_posts.posts(_posts("en"))} == {"site", "instagram"}
    assert [(told.accounts, told.wall, told.figures) for told in sample_posts.posts(_posts("en"))] == [
        (told.accounts, told.wall, told.figures) for told in sample_posts.posts(_posts("es"))
    ]
    assert RemotePost.objects.filter(account__brand=filled, account__kind="site", published_at__lte=NOON).count() == 3


def test_its_campaign_is_measured_and_what_nobody_can_attribute_stays_so(filled):
    campaign = Campaign.objects.get(brand=filled)
    came = {one["what"]: one["value"] for one in campaigns.results(campaign)}

    assert (came["posts"], came["published"], came["people"], came["orders"]) == (3, 1, 45, 5)
    assert Counter(Conversion.objects.filter(brand=filled).values_list("campaign", flat=True)) == {
        campaign.pk: 5, None: 2,
    }  # fmt: skip
    clicks = Click.objects.filter(link__brand=filled)
    assert (clicks.filter(is_robot=True).count(), clicks.filter(at__gt=NOON).count()) == (2, 0)
    people = Counter(clicks.filter(is_robot=False).values_list("link__name", flat=True))
    assert sorted(people.values()) == [4, 8, 45]


def _posts(language: str) -> str:
    return (sample.FOLDER / f"posts_{language}.txt").read_text(encoding="utf-8")


def test_the_day_after_is_as_the_day_before_for_the_jobs_it_left(filled):
    before = list(Conversation.objects.order_by("id").values_list("id", "owner", "state", "labels"))
    jobs.run_due(NOON + timedelta(days=400))

    assert list(Conversation.objects.order_by("id").values_list("id", "owner", "state", "labels")) == before


def test_five_colleagues_of_different_roles_with_whom_nobody_can_sign_in(filled):
    colleagues = Membership.objects.filter(brand=filled).exclude(user__name="Alba").select_related("user")

    assert {each.role for each in colleagues} == {"manager", "expert", "approver", "director"}
    assert len(colleagues) == 5
    assert not any(each.user.has_usable_password() for each in colleagues)
    assert all(each.user.email.endswith(".example") for each in colleagues)


def test_labels_put_themselves_on(filled):
    used = Counter(ConversationLabel.objects.values_list("label__name", flat=True))

    assert set(used) == set(Label.objects.filter(brand=filled).values_list("name", flat=True))
    assert used["Alérgenos"] >= 6
    assert used["Quejas"] >= 6


def test_one_person_on_two_channels_is_one_member(filled):
    marta = Member.objects.get(brand=filled, name="Marta Gil")

    assert set(Conversation.objects.filter(member=marta).values_list("channel", flat=True)) == {"site", "phone"}


def test_whoever_has_it_made_is_given_one_to_begin_with(filled):
    alba = Membership.objects.get(brand=filled, user__name="Alba")
    given = Assignment.objects.filter(to=alba.user)

    assert (alba.capacity, alba.is_fallback) == (25, True)
    assert [each.at for each in given if each.by_id] == [NOON]
    assert all(each.at > NOON - timedelta(hours=7) for each in given)
    assert [note.mentions for note in Note.objects.filter(at=NOON)] == [[alba.user_id]]


def test_other_languages_go_to_those_who_speak_them(filled):
    catalan = Conversation.objects.get(member_name="Jordi Puig")
    english = Conversation.objects.get(member_name="Tom Becker")

    assert (catalan.owner.name, english.owner.name) == ("Nerea Soto", "Iker Aldana")


def test_notes_name_colleagues(filled):
    assert Note.objects.exclude(mentions=[]).count() >= 8


FAMILIAR = re.compile(
    r"\b(te|tu|tus|ti|os|contigo|tuy[oa]s?|tienes|eres|estás|puedes|quieres|vienes|llegas|avisas|dices|recuerdas|dinos|"
    r"dime|pide|perdona|pagas|encargas|seguís|conservas|notas|necesitas|compraste|pagaste|tendrás|recogerías)\b"
    r"|\b(haber|garantizar|decír|esperándo|llama|pása|déja|dí)(te|telo|me|nos|melo)\b",
    re.IGNORECASE,
)


@pytest.mark.parametrize("is_formal", [False, True])
def test_people_are_called_as_the_brand_calls_them(is_formal):
    answers = [
        line.text
        for talk in sample.talks("es", is_formal=is_formal)
        for line in talk.lines
        if line.deed == "answers" and not talk.language
    ]
    familiar = [text for text in answers if FAMILIAR.search(text)]
    assert (len(familiar) > 40) is not is_formal
    assert not is_formal or familiar == []
    assert not any(set(text) & set("{|}") for text in answers)


def test_the_first_run_brings_it_along_and_beside_a_brand_that_says_usted_it_says_usted(alba, brand):
    brand.treatment = "usted"
    brand.save()
    beside = first_run.add_sample(user=alba, at=NOON).brand

    assert beside.is_sample
    assert is_told(beside, NOON)
    assert User.objects.filter(memberships__brand=beside).count() == 6
    assert beside.treatment == "usted"
    assert "Apuntada, a su nombre. Un saludo a su padre." in texts(beside)
    saved = SavedReply.objects.get(brand=beside, title="Encargo apuntado")
    assert "Lo tendrá en la balda de encargos a su nombre" in saved.text
    assert "{nombre}" in saved.text


def test_it_is_the_same_every_time(filled, other_brand):
    sample.fill(other_brand, at=NOON)

    assert texts(other_brand) == texts(filled)


def test_it_fills_a_brand_once_and_never_one_that_works(filled):
    before = messages(filled).count()
    with pytest.raises(sample.AlreadyFilled):
        sample.fill(filled, at=NOON)

    assert messages(filled).count() == before


def is_told(brand, at: datetime) -> bool:
    """On any day, at any hour: the whole of it, and nothing that is still to come."""
    conversations = Conversation.objects.filter(brand=brand)
    return conversations.count() >= 50 and not messages(brand).filter(sent_at__gt=at).exists()


# Telling it takes seconds: each of those that are told anew shows more than one thing.


def test_it_is_told_on_a_sunday_at_dawn(brand):
    at = datetime(2026, 11, 22, 6, 12, tzinfo=UTC)
    sample.fill(brand, at=at)

    assert is_told(brand, at)


def test_english_brands_get_it_in_english_also_in_the_hour_that_the_clock_skips(brand):
    brand.language = "en"
    brand.save()
    at = datetime(2027, 3, 28, 1, 30, tzinfo=UTC)
    sample.fill(brand, at=at)

    assert is_told(brand, at)
    assert "Good morning, do you make bread without salt? It's for my father, doctor's orders." in texts(brand)
    assert Label.objects.filter(brand=brand, name="Complaints").exists()
    assert SavedReply.objects.filter(brand=brand, title="Opening hours").exists()
    assert not Conversation.objects.filter(brand=brand, owner__isnull=True).exists()


def test_everybody_finds_the_news_of_one_morning(filled):
    told = Notification.objects.filter(brand=filled)
    news = Counter(told.unread().values_list("user__name", flat=True))
    assert news["Alba"] == 2
    assert max(news.values()) <= 6
    assert told.exclude(read_at=None).count() > 40
    assert set(told.filter(reason="routed").unread().values_list("activity_id", flat=True)) <= set(
        Activity.objects.filter(
            type="conversation.routed",
            on_id__in=Conversation.objects.filter(waiting_since__isnull=False).values("pk"),
        ).values_list("pk", flat=True)
    )
    assert not told.filter(created_at__gt=NOON).exists()


def test_the_jobs_that_wait_for_the_news_tell_nothing_again(filled):
    told = Notification.objects.filter(brand=filled).count()
    notify.tell(activity_ids=list(Activity.objects.filter(brand_id=filled.pk).values_list("pk", flat=True)))
    assert Notification.objects.filter(brand=filled).count() == told


def test_its_plan_is_whole_and_waits_for_the_button(filled):
    plan = Plan.objects.get(brand=filled)
    assert all(plans.done(plan).values())
    assert plan.at_work_at is None
    lucia = User.objects.get(name="Lucía Ferrer")
    assert planning.put_to_work(plan=plan, by=lucia, at=NOON).added > 20
