"""Rights that end between scheduling and sending: the post stays here, says why, and harms nothing else."""

from datetime import date, timedelta

import pytest
from django.utils import translation
from publishing_cast import *  # noqa: F403

from conftest import NOON
from tertulia.channels.models import Delivery
from tertulia.community import actions as community
from tertulia.community import models as people
from tertulia.core import jobs, sentences
from tertulia.core.models import Activity
from tertulia.publishing import actions, library, rights
from tertulia.publishing.models import Post
from tertulia.publishing.saying import Piece, Shown, Wanted
from tertulia.team.models import Notification

pytestmark = pytest.mark.django_db
YESTERDAY, TODAY = date(2026, 11, 22), date(2026, 11, 23)


def until(picture, alba, day, **said):
    library.describe(media=picture, by=alba, at=NOON, alt=picture.alt, rights_until=day, **said)


def test_a_post_whose_pictures_rights_have_ended_does_not_leave_and_others_do(
    network, account_of, post_on, picture, alba, go_on
):
    account = account_of()
    held, free = post_on(account, pictures=[Shown(picture.pk)]), post_on(account, texts=("Sin foto",))
    until(picture, alba, YESTERDAY)
    go_on(DUE, minutes=5)  # noqa: F405
    assert [one["text"] for one in network.posts] == ["Sin foto"]
    assert (state(held), state(free)) == ("failed", "published")  # noqa: F405
    [row] = deliveries(held)  # noqa: F405
    assert (row.why, row.in_doubt_since) == ("pan.png may be used until 22/11/2026 only.", None)
    with translation.override("es"):
        assert sentences.told(row.why) == "pan.png solo se puede usar hasta el 22/11/2026."
    jobs.run_due(DUE + timedelta(days=1))  # noqa: F405
    assert Notification.objects.filter(user=alba, reason="post").count() == 1
    assert Activity.objects.get(type="post.refused").data["why"] == row.why


def test_on_their_last_day_it_leaves_and_a_permission_that_was_withdrawn_holds_it(
    network, account_of, post_on, picture, alba, go_on
):
    until(picture, alba, TODAY)
    post = post_on(account_of(), pictures=[Shown(picture.pk)])
    until(picture, alba, TODAY, is_customers=True)
    go_on(DUE, minutes=1)  # noqa: F405
    assert (state(post), network.posts) == ("failed", [])  # noqa: F405
    until(picture, alba, TODAY, is_customers=True, permission="Lucía, por carta")
    actions.retry(delivery=deliveries(post)[0], by=alba, at=DUE)  # noqa: F405
    go_on(DUE + timedelta(minutes=2), minutes=1)  # noqa: F405
    assert (state(post), len(network.posts)) == ("published", 1)  # noqa: F405


def test_a_thread_does_not_begin_when_its_last_picture_may_not_be_shown(
    network, account_of, brand, picture, alba, go_on
):
    pieces = [Piece("Uno"), Piece("Dos", pictures=(Shown(picture.pk),))]
    versions = {account_of().pk: Wanted()}
    post = actions.create(brand=brand, by=alba, at=NOON, pieces=pieces, versions=versions)
    actions.plan(post=post, wall=ONE_O_CLOCK, by=alba, at=NOON)  # noqa: F405
    actions.schedule(post=post, by=alba, at=NOON)
    until(picture, alba, YESTERDAY)
    go_on(DUE, minutes=2)  # noqa: F405
    assert (network.posts, [row.state for row in deliveries(post)]) == ([], ["refused", "waiting"])  # noqa: F405


def test_a_missed_one_is_not_tried_again_after_the_end_and_a_doubtful_one_not_repeated(
    network, account_of, post_on, picture, alba
):
    until(picture, alba, TODAY)
    post = post_on(account_of(), pictures=[Shown(picture.pk)])
    Delivery.objects.update(state="missed", finished_at=DUE)  # noqa: F405
    tomorrow = DUE + timedelta(days=1)  # noqa: F405
    with pytest.raises(rights.Unallowed):
        actions.retry(delivery=deliveries(post)[0], by=alba, at=tomorrow)  # noqa: F405
    assert deliveries(post)[0].state == "missed"  # noqa: F405
    Delivery.objects.update(state="unknown")
    with pytest.raises(rights.Unallowed):
        actions.decide(delivery=deliveries(post)[0], was_sent=False, by=alba, at=tomorrow)  # noqa: F405
    actions.decide(delivery=deliveries(post)[0], was_sent=True, by=alba, at=tomorrow)  # noqa: F405
    assert state(post) == "published"  # noqa: F405


def test_with_another_picture_in_its_place_it_can_be_sent_again(
    network, account_of, post_on, picture, brand, alba, go_on
):
    post = post_on(account_of(), pictures=[Shown(picture.pk)])
    until(picture, alba, YESTERDAY)
    go_on(DUE, minutes=1)  # noqa: F405
    other = library.add(brand=brand, name="otro.png", content=png(4, 4), by=alba, at=NOON, alt="Otro")  # noqa: F405
    now = Post.objects.get(pk=post.pk)
    pieces = [Piece("Pan de pueblo", pictures=(Shown(other.pk),))]
    versions = {one.account_id: Wanted() for one in now.versions.all()}
    actions.save(post=now, seen=now.revision, by=alba, at=DUE, pieces=pieces, versions=versions)  # noqa: F405
    actions.retry(delivery=deliveries(post)[0], by=alba, at=DUE)  # noqa: F405
    go_on(DUE + timedelta(minutes=2), minutes=1)  # noqa: F405
    assert (state(post), len(network.posts)) == ("published", 1)  # noqa: F405


QUOTE = "El pan de centeno es el mejor que he comido en Madrid en muchos años"


@pytest.fixture
def said(brand, alba):
    """What Ana said of the bread; `agrees("withdrawn")` is what she says of its being quoted."""
    one = people.Testimonial.objects.create(
        brand=brand, text=QUOTE, said_by="Ana", said_on=TODAY, created_by_id=alba.pk, created_at=NOON
    )

    def agrees(consent: str = "given", until: date | None = None) -> None:
        community.settle_consent(
            testimonial=one, consent=consent, on=TODAY, wording="Sí", until=until, by=alba, at=NOON
        )

    return agrees


def test_a_post_that_quotes_somebody_who_does_not_agree_any_more_does_not_leave_and_others_do(
    network, account_of, post_on, said, go_on, alba
):
    said()
    account = account_of()
    thread, free = post_on(account, texts=("Lo que nos dicen:", f"«{QUOTE}»")), post_on(account, texts=("Pan",))
    said("withdrawn")
    go_on(DUE, minutes=5)  # noqa: F405
    assert [one["text"] for one in network.posts] == ["Pan"]
    assert (state(thread), state(free)) == ("failed", "published")  # noqa: F405
    with translation.override("es"):
        assert sentences.told(deliveries(thread)[0].why).startswith("Ana ya no está de acuerdo")  # noqa: F405
    with pytest.raises(rights.Unallowed):
        actions.retry(delivery=deliveries(thread)[0], by=alba, at=DUE)  # noqa: F405
    said()
    actions.retry(delivery=deliveries(thread)[0], by=alba, at=DUE)  # noqa: F405
    go_on(DUE + timedelta(minutes=6), minutes=1)  # noqa: F405
    assert state(thread) == "published"  # noqa: F405


def test_a_consent_for_a_time_that_was_shortened_holds_the_post_too(network, account_of, post_on, said, go_on):
    said(until=TODAY)
    post = post_on(account_of(), texts=(QUOTE,))
    said(until=YESTERDAY)
    go_on(DUE, minutes=1)  # noqa: F405
    assert (state(post), network.posts) == ("failed", [])  # noqa: F405
    [row] = deliveries(post)  # noqa: F405
    assert row.why.endswith("until 22/11/2026 only.")
