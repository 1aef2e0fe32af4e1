"""Newsletters: asked for twice, left with one press, and each letter sent once whatever the mail server does."""

from __future__ import annotations

import random
import re
from collections import Counter
from datetime import datetime, timedelta

import pytest
from django.test import Client

from conftest import NOON
from fakes import mail
from fakes.connector import KINDS
from publishing.publishing_cast import lost, png
from tertulia.brand import actions as brands
from tertulia.channels import models as channels
from tertulia.channels.models import Account, Delivery, Message
from tertulia.connectors import registry
from tertulia.connectors.contract import Author, Envelope
from tertulia.core import clock, jobs
from tertulia.core.activity import Activity
from tertulia.core.http import Door
from tertulia.flows import inbound, limits, outbound, restored
from tertulia.flows import mailing as flow
from tertulia.publishing import (
    actions,
    approval,
    dealing,
    experiments,
    library,
    mailing,
    queries,
    reminders,
    rights,
    verdicts,
)
from tertulia.publishing.models import (
    ApprovalRule,
    Click,
    Experiment,
    Letter,
    Link,
    LinkSettings,
    Sending,
    Subscriber,
)
from tertulia.publishing.problems import Problem, TooLate
from tertulia.publishing.saying import Piece, Shown, Wanted
from tertulia.team import notices
from tertulia.team.models import Membership, Notification

pytestmark = pytest.mark.django_db
BACK = NOON + timedelta(hours=5)
"""When a backup is put back."""
BEFORE_MIDNIGHT = NOON + timedelta(hours=11, minutes=50)
"""In Madrid."""
FILE = "El mostrador, firma en la hoja de altas de 2025"


@pytest.fixture(autouse=True)
def _fresh_limits():
    limits.writes.forget()


@pytest.fixture
def post_office(monkeypatch, settings, tmp_path):
    """The mail server; `posts` is what it took."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.PUBLIC_URL = "https://desk.horno.example"
    installed = registry.all_connectors()
    monkeypatch.setattr(registry, "all_connectors", lambda: {**installed, **KINDS})
    monkeypatch.setattr(channels, "http", Door(total=1.5))
    with mail.running(mail.Post(hang_seconds=1.7)) as office:
        yield office


@pytest.fixture
def box(brand, post_office) -> Account:
    return Account.objects.create(
        brand=brand, kind="mail", name="Correo", created_at=NOON, settings=mail.settings_of(post_office),
        secrets={"password": mail.PASSWORD, "signing": mail.SIGNING},
    )  # fmt: skip


@pytest.fixture
def weekly(brand, box) -> Account:
    return Account.objects.create(
        brand=brand, kind="newsletter", name="El pan de la semana", created_at=NOON,
        settings={"footer": ["Horno Candela", "Calle del Molino, 12, 28012 Madrid"], "per_hour": "1000"},
        secrets={"signing": "k" * 43},
    )  # fmt: skip


@pytest.fixture
def people(weekly, alba):
    """`people(3)`: so many on the list."""

    def bring(n: int, start: int = 0, at=NOON) -> list[Subscriber]:
        rows = "\n".join(f"p{start + i}@clientes.example" for i in range(n))
        mailing.bring(list=weekly, content=f"Email\n{rows}".encode(), basis=FILE, by=alba, at=at)
        return [*Subscriber.objects.filter(list=weekly).order_by("pk")]

    return bring


@pytest.fixture
def bread(brand, alba, post_office):
    return library.add(brand=brand, name="pan.png", content=png(), by=alba, at=NOON, alt="Pan")


@pytest.fixture
def write(weekly, brand, alba):
    def draft(title="Roscones", text="Ya <b>están</b>\n\nhttps://horno.example/r", pictures=(), at=NOON):
        pieces = [Piece(text, pictures=tuple(Shown(one.pk) for one in pictures))]
        wanted = {weekly.pk: Wanted(hints=(("title", title),))}
        return actions.create(brand=brand, by=alba, at=at, pieces=pieces, versions=wanted)

    return draft


@pytest.fixture
def publish(write, alba):
    def now(at=NOON, **said):
        post = write(at=at, **said)
        actions.publish_now(post=post, by=alba, at=at)
        return post

    return now


@pytest.fixture
def go_on(monkeypatch):
    def run(since, *, step: int = 10, **span: float) -> None:
        for passed in range(0, int(timedelta(**span).total_seconds()) + 1, step):
            at = since + timedelta(seconds=passed)
            monkeypatch.setattr(clock, "now", lambda at=at: at)
            mailing.release(at=at)
            outbound.run_due(at)
            jobs.run_due(at)

    return run


def taken(office: mail.Post) -> Counter[str]:
    return Counter(one["to"] for one in office.posts)


def states() -> Counter[str]:
    return Counter(Letter.objects.filter(is_welcome=False).values_list("delivery__state", flat=True))


def test_a_test_goes_to_whoever_asks_and_to_nobody_on_the_list(
    post_office, weekly, brand, alba, as_alba, people, write, go_on
):  # fmt: skip
    people(2)
    post = write(text="Ya están https://horno.example/r")
    page = as_alba.get(f"/b/{brand.slug}/posts/{post.pk}/").content.decode()
    assert alba.email in page
    assert "<bdi>Roscones</bdi>" in page

    as_alba.post(f"/b/{brand.slug}/newsletters/versions/{post.versions.get().pk}/test/")
    began = clock.now()
    go_on(began, seconds=60)

    [sent] = post_office.posts
    letter = sent["mail"]
    assert (sent["to"], letter["Subject"]) == (alba.email, "Prueba: Roscones")
    assert (letter["List-Unsubscribe"], letter["List-Id"]) == (None, None)
    text = letter.get_body(("plain",)).get_content()
    assert "https://horno.example/r" in text
    assert "Esto es una prueba" in text
    actions.publish_now(post=post, by=alba, at=began + timedelta(minutes=2))
    go_on(began + timedelta(minutes=2), minutes=2)
    assert [(one.total, one.sent) for one in mailing.progress_of(post).values()] == [(2, 2)]
    assert taken(post_office) == {alba.email: 1, "p0@clientes.example": 1, "p1@clientes.example": 1}


def test_a_test_that_does_not_come_is_told_to_each_who_wanted_it(
    post_office, box, weekly, brand, alba, bruno, write, go_on
):  # fmt: skip
    post = write()
    post_office.faults.extend(["400", "400"])
    for person in (alba, bruno):
        mailing.try_out(version=post.versions.get(), by=person, at=NOON)
    go_on(NOON, seconds=60)
    for person in (alba, bruno):
        [told] = notices.lines(Notification.objects.filter(user=person))
        assert told.url == f"/b/{brand.slug}/posts/{post.pk}/"
        assert "550 5.7.1" in told.text


def test_a_test_that_comes_back_is_told_once(post_office, box, alba, write, go_on):
    mailing.try_out(version=write().versions.get(), by=alba, at=NOON)
    go_on(NOON, seconds=60)
    notice = Envelope(
        "n1", "t1", NOON, Author("mailer-daemon@x"), kind="email", verb="returned", text="5.2.2 Full",
        in_reply_to=Letter.objects.get().remote_id,
    )  # fmt: skip
    for _again in range(2):
        inbound.intake(box, [notice], at=NOON)
    go_on(NOON + timedelta(minutes=2), seconds=60)
    [told] = notices.lines(Notification.objects.filter(user=alba))
    assert "5.2.2 Full" in told.text


def test_a_test_that_could_not_leave_is_refused_at_once(box, weekly, brand, alba, write):
    def refused(why: str, **said):
        with pytest.raises(Problem, match=why):
            mailing.try_out(version=write(**said).versions.get(), by=alba, at=NOON)

    refused("título", title="")
    refused("nada que publicar", text="")
    actions.stop(brand=brand, by=alba, at=NOON)
    refused("parada")
    actions.resume(brand=brand, by=alba, at=NOON)
    Account.objects.filter(pk=box.pk).update(state=Account.State.PAUSED)
    refused("parada")
    box.delete()
    refused("buzón")
    assert not Delivery.objects.exists()


def test_a_test_of_who_has_left_the_team_goes_nowhere(post_office, alba, write, go_on):
    mailing.try_out(version=write().versions.get(), by=alba, at=NOON)
    Membership.objects.filter(user=alba).delete()
    go_on(NOON, seconds=60)
    assert (post_office.posts, Delivery.objects.get().state) == ([], "refused")


def test_old_tests_are_forgotten_with_the_next(post_office, alba, write, go_on):
    version = write().versions.get()
    mailing.try_out(version=version, by=alba, at=NOON)
    go_on(NOON, seconds=60)
    mailing.try_out(version=version, by=alba, at=NOON + timedelta(days=29))
    assert Letter.objects.count() == 2
    mailing.try_out(version=version, by=alba, at=NOON + timedelta(days=31))
    assert Letter.objects.filter(delivery__state="sent").count() == 0
    assert Letter.objects.count() == 2


def test_only_a_list_has_tests(weekly, brand, alba, as_alba, site):
    post = actions.create(brand=brand, by=alba, at=NOON, pieces=[Piece("Pan")], versions={site.pk: Wanted()})
    answer = as_alba.post(f"/b/{brand.slug}/newsletters/versions/{post.versions.get().pk}/test/")
    assert answer.status_code == 404
    assert not Delivery.objects.exists()


def test_a_letter_has_both_forms_its_pictures_and_one_press_to_leave(post_office, weekly, brand, alba, people, publish,
                                                                     go_on):  # fmt: skip
    picture = library.add(brand=brand, name="pan.png", content=png(), by=alba, at=NOON, alt="Un «pan»")
    [person] = people(1)
    post = publish(pictures=[picture])
    go_on(NOON, seconds=60)
    [sent] = post_office.posts
    letter = sent["mail"]
    text, html = letter.get_body(("plain",)).get_content(), letter.get_body(("html",)).get_content()
    [inline] = [part for part in letter.walk() if part.get_content_type() == "image/png"]
    leave = f"https://desk.horno.example/n/{person.token}/end/"
    assert (letter["Subject"], letter["List-Unsubscribe"]) == ("Roscones", f"<{leave}>")
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert letter["List-Id"].endswith(f"<{weekly.public_key.lower()}.newsletter.horno.example>")
    assert (letter["Precedence"], letter["Auto-Submitted"]) == ("bulk", "auto-generated")
    assert str(letter["From"]).startswith('"Horno Candela"') or "Horno Candela" in str(letter["From"])
    assert "Ya <b>están</b>" in text
    assert "[Imagen: Un «pan»]" in text
    assert "Ya &lt;b&gt;están&lt;/b&gt;" in html
    assert "Calle del Molino" in text
    assert "Calle del Molino" in html
    assert leave in text
    assert leave in html
    assert f'src="cid:{inline["Content-ID"].strip("<>")}"' in html
    assert inline.get_content() == png()
    assert queries.standing(post).state == "published"
    assert not Message.objects.exists()


FAULTS = ("", "", "", "accept_then_hang", "accept_then_cut", "accept_then_half", "429", "500", "503", "cut_before",
          "html_502")  # fmt: skip


def test_whatever_the_server_does_nobody_gets_two_and_nobody_is_lost(post_office, people, publish, go_on, alba):
    people(60)
    rng = random.Random(8)
    post_office.faults.extend(rng.choice(FAULTS) for _ in range(150))
    publish()
    go_on(NOON, minutes=5)
    post_office.faults.clear()
    go_on(NOON + timedelta(minutes=5), step=60, hours=3)
    unknown = [*Letter.objects.filter(delivery__state="unknown").select_related("subscriber", "delivery")]
    assert unknown, "some ended in silence"
    assert max(taken(post_office).values()) == 1
    assert set(states()) == {"sent", "unknown"}
    for letter in unknown:  # a person looks into the server's list, and says what is there
        arrived = letter.subscriber.address in taken(post_office)
        mailing.decide(letter=letter, was_sent=arrived, by=alba, at=NOON + timedelta(hours=4))
    go_on(NOON + timedelta(hours=4), minutes=2)
    assert states() == {"sent": 60}
    assert taken(post_office) == Counter({f"p{i}@clientes.example": 1 for i in range(60)})


def test_after_a_crash_in_the_middle_it_goes_on_and_repeats_nothing(post_office, people, publish, go_on, monkeypatch):
    people(12)
    publish()
    go_on(NOON, seconds=10)
    real = outbound.settle

    def dies(results, **said):
        """The mail is out and the process dies before it is written down."""
        raise KeyboardInterrupt

    monkeypatch.setattr(outbound, "settle", dies)
    with pytest.raises(KeyboardInterrupt):
        go_on(NOON + timedelta(seconds=20), seconds=30)
    assert post_office.posts
    monkeypatch.setattr(outbound, "settle", real)
    go_on(NOON + timedelta(minutes=2), step=30, minutes=40)
    assert max(taken(post_office).values()) == 1
    lost = Letter.objects.exclude(delivery__state="unknown").exclude(subscriber__address__in=taken(post_office))
    assert not lost.exists()
    assert states()["sent"] + states()["unknown"] == 12


def test_letters_are_written_once_however_often_the_job_runs(people, publish, go_on):
    people(5)
    publish()
    go_on(NOON, seconds=60)
    post = Letter.objects.first().post_id
    people(5, start=5, at=NOON + timedelta(minutes=2))  # too late for this one
    flow.write_letters(post_id=post)
    assert Letter.objects.count() == 5


def test_the_pace_is_kept_in_any_hour(post_office, weekly, people, publish, go_on):
    weekly.settings = {**weekly.settings, "per_hour": "4"}
    weekly.save()
    people(10)
    publish()
    go_on(NOON, step=60, minutes=59)
    assert len(post_office.posts) == 4
    go_on(NOON + timedelta(hours=1), step=60, hours=2)
    assert len(post_office.posts) == 10


def test_who_leaves_gets_nothing_any_more_not_even_what_waits(post_office, weekly, people, publish, go_on, alba):
    weekly.settings = {**weekly.settings, "per_hour": "1"}
    weekly.save()
    first, second = people(2)
    publish()
    go_on(NOON, seconds=60)
    client = Client(enforce_csrf_checks=True)
    address = f"/n/{second.token}/end/"
    assert client.get(address).status_code == 200
    second.refresh_from_db()
    assert second.state == "confirmed"  # a look changes nothing
    answer = client.post(address, "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded")
    assert (answer.status_code, len(answer.cookies)) == (200, 0)
    second.refresh_from_db()
    assert second.state == "left"
    found = mailing.bring(list=weekly, content=b"Correo\np1@CLIENTES.example", basis=FILE, by=alba, at=NOON)
    assert (found.added, found.gone) == (0, 1)
    go_on(NOON + timedelta(hours=1), step=60, hours=3)
    assert taken(post_office) == {"p0@clientes.example": 1}
    mailing.erase(subscriber=second, by=alba, at=NOON)
    assert mailing.bring(list=weekly, content=b"Correo\np1@clientes.example", basis=FILE, by=alba, at=NOON).gone == 1
    second.refresh_from_db()
    assert (second.address, second.consent) == ("", "")
    assert "p1@" not in mailing.taken_along(weekly).decode()


def test_who_leaves_just_before_the_mail_is_not_mailed(post_office, people, publish, go_on):
    [person] = people(1)
    publish()
    go_on(NOON, seconds=60)
    letter = Letter.objects.get()
    Delivery.objects.filter(pk=letter.delivery_id).update(state="queued", due_at=NOON, in_doubt_since=None)
    Subscriber.objects.filter(pk=person.pk).update(state="left")
    before = len(post_office.posts)
    go_on(NOON + timedelta(minutes=2), seconds=30)
    assert len(post_office.posts) == before
    assert Delivery.objects.get(pk=letter.delivery_id).state == "refused"


def test_the_form_asks_by_mail_and_only_a_press_puts_one_on_the_list(post_office, weekly, go_on, monkeypatch):
    client, form = Client(enforce_csrf_checks=True), f"/n/{weekly.public_key}/"

    def send(at, **said):
        monkeypatch.setattr(clock, "now", lambda: NOON)
        page = client.get(form).content.decode()
        ticket = re.search(r'name="ticket" value="([^"]+)"', page)[1]
        monkeypatch.setattr(clock, "now", lambda: at)
        return client.post(form, {"ticket": ticket, "address": "Marta@Correo.example", **said})

    later = NOON + timedelta(seconds=9)
    assert send(NOON).status_code == 422  # too fast
    assert send(later, website="x").status_code == 422
    assert send(later, address="marta").status_code == 422
    from_elsewhere = client.post(form, {"address": "marta@correo.example"})
    assert 'value="marta@correo.example"' in from_elsewhere.content.decode()
    assert not Subscriber.objects.exists()
    for _again in range(2):
        answer = send(later)
        assert (answer.status_code, len(answer.cookies)) == (200, 0)
    go_on(later, seconds=30)
    [sent] = post_office.posts
    person = Subscriber.objects.get()
    assert (person.state, sent["to"], sent["mail"]["List-Unsubscribe"]) == ("asked", "marta@correo.example", None)
    address = f"/n/{person.token}/confirmation/"
    assert f"https://desk.horno.example{address}" in sent["mail"].get_body(("plain",)).get_content()
    client.get(address)
    person.refresh_from_db()
    assert person.state == "asked"
    assert "Alta confirmada" in client.post(address).content.decode()
    person.refresh_from_db()
    assert (person.state, person.source) == ("confirmed", "form")
    assert "El pan de la semana" in person.consent
    client.post(f"/n/{person.token}/end/")
    assert "Alta confirmada" not in client.post(address).content.decode()
    person.refresh_from_db()
    assert person.state == "left"
    assert {"newsletter.joined", "newsletter.left"} <= set(Activity.objects.values_list("type", flat=True))


def test_nobody_can_flood_with_the_form(weekly, monkeypatch):
    client = Client()
    monkeypatch.setattr(clock, "now", lambda: NOON)
    page = client.get(f"/n/{weekly.public_key}/").content.decode()
    ticket = re.search(r'name="ticket" value="([^"]+)"', page)[1]
    monkeypatch.setattr(clock, "now", lambda: NOON + timedelta(seconds=9))
    said = [client.post(f"/n/{weekly.public_key}/", {"ticket": ticket, "address": f"a{n}@b.example"}).status_code
            for n in range(7)]  # fmt: skip
    assert said == [200] * 5 + [429] * 2


def test_an_address_that_is_not_there_gets_nothing_any_more(post_office, box, people, publish, go_on):
    people(3)
    post_office.faults.extend(["400"])  # 550 5.7.1: this mail is not liked, the address is there
    publish()
    go_on(NOON, minutes=2)
    assert states() == {"sent": 2, "refused": 1}
    assert Subscriber.objects.filter(state="confirmed").count() == 3
    letter = Letter.objects.filter(delivery__state="sent").first()
    notice = Envelope(
        "n1", "t1", NOON, Author("mailer-daemon@x"), kind="email", verb="returned", text="5.1.1 No such user",
        in_reply_to=letter.remote_id,
    )  # fmt: skip
    echo = Envelope("e1", "t2", NOON, Author(mail.ME), kind="email", is_ours=True, key=letter.delivery.key)
    for _again in range(2):
        inbound.intake(box, [notice, echo], at=NOON)
    person = Subscriber.objects.get(pk=letter.subscriber_id)
    assert (person.state, person.why) == ("bounced", "5.1.1 No such user")
    assert not Message.objects.exists()


def test_what_was_refused_is_sent_again_to_who_is_still_there(post_office, brand, alba, people, publish, go_on):
    people(3)
    post_office.faults.extend(["400"] * 3)
    publish()
    go_on(NOON, minutes=2)
    assert states() == {"refused": 3}
    mailing.leave(subscriber=Subscriber.objects.first(), at=NOON)
    post = Letter.objects.first().post_id
    assert mailing.again(brand=brand, post=post, by=alba, at=NOON) == 2
    go_on(NOON + timedelta(minutes=5), minutes=2)
    assert sorted(taken(post_office).values()) == [1, 1]
    with pytest.raises(Problem):
        mailing.again(brand=brand, post=post, by=alba, at=NOON)


def test_a_mailing_can_be_cut_off(post_office, weekly, brand, as_alba, people, publish, go_on):
    weekly.settings = {**weekly.settings, "per_hour": "2"}
    weekly.save()
    people(5)
    post = publish()
    go_on(NOON, seconds=60)
    leg = queries.standing(post).legs[post.versions.get().pk][0]
    as_alba.post(f"/b/{brand.slug}/posts/deliveries/{leg.delivery}/letters/removal/")
    go_on(NOON + timedelta(hours=1), step=60, hours=2)
    assert states() == {"sent": 2, "cancelled": 3}
    assert len(post_office.posts) == 2


def test_a_stop_holds_letters_too(post_office, weekly, brand, alba, people, publish, go_on):
    weekly.settings = {**weekly.settings, "per_hour": "1"}
    weekly.save()
    people(2)
    publish()
    go_on(NOON, seconds=60)
    actions.stop(brand=brand, by=alba, at=NOON)
    go_on(NOON + timedelta(hours=1), step=60, hours=1)
    assert len(post_office.posts) == 1
    actions.resume(brand=brand, by=alba, at=NOON)
    go_on(NOON + timedelta(hours=3), minutes=2)
    assert len(post_office.posts) == 2


def most_in_an_hour() -> int:
    left = sorted(Delivery.objects.filter(act="letter", state="sent").values_list("finished_at", flat=True))
    return max(sum(one <= other < one + timedelta(hours=1) for other in left) for one in left)


@pytest.mark.parametrize("why", ["stop", "mailbox", "work"])
@pytest.mark.parametrize("since", [timedelta(), timedelta(minutes=50)])
def test_after_a_pause_no_more_leave_in_an_hour_than_ever(
    post_office, weekly, box, brand, alba, people, publish, go_on, why, since
):  # fmt: skip
    """Three hours of stop, of a mailbox that needs attention, or of no work at all, since some were let go."""
    weekly.settings = {**weekly.settings, "per_hour": "2"}
    weekly.save()
    people(10)
    publish()
    go_on(NOON + timedelta(seconds=20), seconds=0)
    assert states() == {"queued": 2, "waiting": 8}
    if why == "stop":
        actions.stop(brand=brand, by=alba, at=NOON)
    elif why == "mailbox":
        Account.objects.filter(pk=box.pk).update(state=Account.State.ATTENTION)
    back = NOON + timedelta(hours=3) + since
    if why != "work":
        go_on(NOON + timedelta(minutes=1), step=180, seconds=(back - NOON).total_seconds() - 60)
    assert post_office.posts == []

    actions.resume(brand=brand, by=alba, at=back)
    Account.objects.filter(pk=box.pk).update(state=Account.State.ACTIVE)
    go_on(back, step=120, hours=5)

    assert (states(), most_in_an_hour()) == ({"sent": 10}, 2)
    assert set(taken(post_office).values()) == {1}


def test_a_newsletter_that_left_since_a_backup_goes_to_nobody_again(
    post_office, weekly, brand, alba, people, publish, go_on
):  # fmt: skip
    people(3)
    post = publish()
    with lost():
        go_on(NOON, minutes=2)
    [waiting] = restored.hold_everything(made_at=NOON, at=BACK)
    assert (waiting.newsletters, waiting.letters, waiting.doubtful) == (1, 0, 0)
    assert "1 boletín puede" in "\n".join(restored.told([waiting]))
    actions.resume(brand=brand, by=alba, at=BACK)
    go_on(BACK, step=60, hours=2)
    [stuck] = queries.waiting_for_people(brand)
    assert (stuck.state, len(post_office.posts)) == ("unknown", 3)
    actions.decide(delivery=stuck, was_sent=True, by=alba, at=BACK)
    go_on(BACK, step=60, hours=2)
    assert (queries.standing(post).state, len(post_office.posts)) == ("published", 3)


def test_mails_that_were_still_to_be_written_when_the_backup_was_made_are_not_written_by_themselves(
    post_office, weekly, brand, alba, people, publish, go_on, monkeypatch
):  # fmt: skip
    people(3)
    post = publish()
    monkeypatch.setattr(clock, "now", lambda: NOON)
    outbound.run_due(NOON + timedelta(seconds=20))  # it is out; the job that writes its letters waits
    assert queries.standing(post).state == "published"
    with lost():
        go_on(NOON + timedelta(seconds=20), minutes=2)
    assert len(post_office.posts) == 3
    restored.hold_everything(made_at=NOON, at=BACK)
    actions.resume(brand=brand, by=alba, at=BACK)
    go_on(BACK, step=60, hours=2)
    assert (queries.standing(post).state, len(post_office.posts)) == ("unknown", 3)


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_of_mails_that_waited_for_their_turn_a_person_is_asked_once(
    post_office, weekly, brand, alba, as_alba, people, publish, go_on, answer
):  # fmt: skip
    weekly.settings = {**weekly.settings, "per_hour": "2"}
    weekly.save()
    people(5)
    post = publish()
    go_on(NOON, seconds=60)
    assert states() == {"sent": 2, "waiting": 3}
    with lost():
        go_on(NOON + timedelta(minutes=2), step=60, hours=3)
    assert len(post_office.posts) == 5
    [waiting] = restored.hold_everything(made_at=NOON + timedelta(minutes=1), at=BACK)
    assert (waiting.newsletters, waiting.letters) == (0, 3)
    actions.resume(brand=brand, by=alba, at=BACK)
    go_on(BACK, step=60, hours=2)
    assert (states(), len(post_office.posts)) == ({"sent": 2, "unknown": 3}, 5)

    post_office.posts.clear()
    as_alba.force_login(alba)
    assert "Llegaron todos" in as_alba.get(f"/b/{brand.slug}/posts/{post.pk}/").content.decode()
    leg = queries.standing(post).legs[post.versions.get().pk][0]
    as_alba.post(f"/b/{brand.slug}/posts/deliveries/{leg.delivery}/letters/decision/", {"was_sent": answer})
    go_on(BACK + timedelta(hours=3), step=60, hours=3)
    assert states() == {"sent": 5}
    assert len(post_office.posts) == (3 if answer == "no" else 0)
    assert answer == "yes" or most_in_an_hour() == 2


def test_past_the_last_day_of_a_pictures_rights_no_letter_leaves_and_somebody_is_told(
    post_office, weekly, brand, alba, as_alba, people, publish, bread, go_on
):  # fmt: skip
    weekly.settings = {**weekly.settings, "per_hour": "2"}
    weekly.save()
    people(5)
    library.describe(media=bread, by=alba, at=NOON, alt=bread.alt, rights_until=NOON.date())
    post = publish(at=BEFORE_MIDNIGHT, pictures=[bread])
    go_on(BEFORE_MIDNIGHT, minutes=9)
    assert states() == {"sent": 2, "waiting": 3}
    go_on(BEFORE_MIDNIGHT + timedelta(minutes=55), step=30, hours=3)
    assert (states(), len(post_office.posts)) == ({"sent": 2, "refused": 3}, 2)
    assert set(Delivery.objects.filter(state="refused").values_list("why", flat=True)) == {
        "pan.png may be used until 23/11/2026 only."
    }
    [line] = Activity.objects.filter(type="newsletter.unallowed")
    assert line.data["letters"] == 3
    assert Notification.objects.get(user=alba, activity_id=line.pk).url == f"/b/{brand.slug}/posts/{post.pk}/"
    page = as_alba.get(f"/b/{brand.slug}/posts/{post.pk}/").content.decode()
    assert "pan.png solo se puede usar hasta el 23/11/2026." in page
    [sending] = Sending.objects.filter(version__post=post)
    with pytest.raises(rights.Unallowed):
        mailing.again(brand=brand, post=sending.remote_id, by=alba, at=BEFORE_MIDNIGHT + timedelta(hours=4))
    library.describe(media=bread, by=alba, at=NOON, alt=bread.alt, rights_until=None)
    mailing.again(brand=brand, post=sending.remote_id, by=alba, at=BEFORE_MIDNIGHT + timedelta(hours=4))
    go_on(BEFORE_MIDNIGHT + timedelta(hours=4), step=60, hours=3)
    assert states() == {"sent": 5}


def test_a_letter_in_a_workers_hands_stays_once_the_last_day_is_over(
    post_office, weekly, alba, people, publish, bread, go_on, monkeypatch
):  # fmt: skip
    people(1)
    library.describe(media=bread, by=alba, at=NOON, alt=bread.alt, rights_until=NOON.date())
    publish(at=BEFORE_MIDNIGHT, pictures=[bread])
    go_on(BEFORE_MIDNIGHT, step=10, seconds=10)
    mailing.release(at=BEFORE_MIDNIGHT + timedelta(minutes=1))
    midnight = BEFORE_MIDNIGHT + timedelta(minutes=10)
    monkeypatch.setattr(clock, "now", lambda: midnight)
    outbound.run_due(midnight)
    assert (states(), post_office.posts) == ({"queued": 1}, [])
    mailing.release(at=midnight)
    assert states() == {"refused": 1}


def test_a_list_that_nobody_could_send_refuses_before_anything_leaves(weekly, box, people, publish, go_on):
    people(1)
    box.delete()
    post = publish()
    go_on(NOON, seconds=60)
    assert queries.standing(post).state == "failed"
    assert not Letter.objects.exists()


def test_the_pages_show_the_people_and_how_a_mailing_goes(as_alba, brand, weekly, people, publish, go_on, post_office):
    people(3)
    post_office.faults.extend(["400", "accept_then_cut"])
    post = publish()
    go_on(NOON, minutes=12)
    page = as_alba.get(f"/b/{brand.slug}/posts/{post.pk}/").content.decode()
    assert "<strong>1</strong> de 3 correos enviados" in page
    stuck = Letter.objects.get(delivery__state="unknown")
    assert stuck.subscriber.address in page
    as_alba.post(f"/b/{brand.slug}/newsletters/letters/{stuck.pk}/decision/", {"was_sent": "yes"})
    assert states() == {"sent": 2, "refused": 1}
    listed = as_alba.get(f"/b/{brand.slug}/newsletters/{weekly.pk}/?q=p1@clientes").content.decode()
    assert "p1@clientes.example" in listed
    assert "p2@clientes.example" not in listed
    assert "p2@clientes.example" in as_alba.get(f"/b/{brand.slug}/newsletters/{weekly.pk}/export/").content.decode()
    assert "El pan de la semana" in as_alba.get(f"/b/{brand.slug}/newsletters/").content.decode()


# Two wordings.


@pytest.fixture
def trial(write, weekly, brand, alba):
    """Half of the list gets another subject and another text."""
    LinkSettings.objects.create(brand=brand, shortens=True)
    post = write()
    experiment = experiments.begin(
        post=post, account=weekly, by=alba, at=NOON, title="Roscones", hypothesis="Con la fecha se pincha más",
        measure="clicks", title_b="Roscones: hasta el 6", text_b="Hasta el 6: https://horno.example/r", pairs=20,
    )  # fmt: skip
    post.refresh_from_db()
    return experiment


def links_in(mail: dict) -> set[str]:
    return set(re.findall(r"https://desk\.horno\.example/l/\w+", mail["mail"].get_body(("plain",)).get_content()))


def test_each_person_gets_one_of_two_wordings_once_and_both_leave_together(
    trial, people, post_office, go_on, alba, weekly
):
    everybody = people(60)
    actions.publish_now(post=trial.post, by=alba, at=NOON)
    go_on(NOON, minutes=10)
    flow.write_letters(post_id=Letter.objects.first().post_id)
    go_on(NOON + timedelta(minutes=10), minutes=5)
    assert taken(post_office) == Counter({one.address: 1 for one in everybody})
    subjects = {one["to"]: one["mail"]["Subject"] for one in post_office.posts}
    says = {"a": "Roscones", "b": "Roscones: hasta el 6"}
    assert subjects == {one.address: says[dealing.group_of(trial.seed, one.token)] for one in everybody}
    assert min(Counter(subjects.values()).values()) > 15
    first = [one["mail"]["Subject"] for one in post_office.posts[:20]]
    assert len(set(first)) == 2, "neither waits for the other"
    of_a, of_b = (set().union(*(links_in(one) for one in post_office.posts if one["mail"]["Subject"] == said))
                  for said in says.values())  # fmt: skip
    assert (len(of_a), len(of_b), of_a & of_b) == (1, 1, set())


def test_what_was_refused_leaves_again_in_the_same_wording(trial, people, post_office, go_on, alba, brand):
    people(12)
    actions.publish_now(post=trial.post, by=alba, at=NOON)
    go_on(NOON, minutes=5)
    before = {one["to"]: one["mail"]["Subject"] for one in post_office.posts}
    people(30, start=12)
    post_office.posts.clear()
    letters = Letter.objects.filter(is_welcome=False)
    Delivery.objects.filter(pk__in=letters.values("delivery")).update(state="refused", why="450 4.2.2 Full")
    mailing.again(brand=brand, post=letters[0].post_id, by=alba, at=NOON + timedelta(hours=2))
    go_on(NOON + timedelta(hours=2), minutes=5)
    assert {one["to"]: one["mail"]["Subject"] for one in post_office.posts} == before


def test_a_test_comes_in_both_wordings(trial, post_office, go_on, alba, people):
    people(3)
    mailing.try_out(version=trial.post.versions.get(), by=alba, at=NOON)
    go_on(NOON, minutes=2)
    assert sorted(one["mail"]["Subject"] for one in post_office.posts) == [
        "Prueba: Roscones",
        "Prueba: Roscones: hasta el 6",
    ]
    assert taken(post_office) == Counter({alba.email: 2})


def test_who_approves_sees_both_wordings_and_a_rule_holds_for_the_words_of_either(trial, alba, bruno, brand):
    rule = ApprovalRule(brand=brand, words="hasta el 6")
    actions.save_rule(rule=rule, steps=[{"users": [bruno]}], by=alba, at=NOON)
    request = approval.ask(post=trial.post, by=alba, at=NOON)
    assert request.said[0]["parts"][0]["b"]["title"] == "Roscones: hasta el 6"
    approval.decide(request=request, is_approved=True, by=bruno, at=NOON)
    actions.publish_now(post=trial.post, by=alba, at=NOON)
    assert Delivery.objects.get(account=trial.account).post.draft["b"]["title"] == "Roscones: hasta el 6"


def test_the_list_before_leaving_looks_at_the_other_subject_and_text_too(trial, as_alba, brand):
    brands.avoid(brand=brand, words=[("hasta", "")], at=NOON)
    Experiment.objects.update(text_b="El 6: http://horno")
    page = as_alba.get(f"/b/{brand.slug}/posts/{trial.post_id}/").content.decode()
    assert page.count("Redacción B: La marca evita «hasta»") == 1
    assert "Redacción B: Este enlace parece roto: http://horno" in page


def test_it_begins_before_the_newsletter_is_scheduled_and_not_after(publish, weekly, alba, people):
    people(2)
    post = publish()
    said = {"title": "x", "hypothesis": "y", "measure": "leaves", "title_b": "Otro"}
    with pytest.raises(TooLate):
        experiments.begin(post=post, account=weekly, by=alba, at=NOON, **said)


@pytest.mark.parametrize(
    "said", [{}, {"title_b": "Roscones"}, {"text_b": "Ya <b>están</b>\n\nhttps://horno.example/r"}]
)
def test_b_has_to_differ(write, weekly, alba, said):
    with pytest.raises(Problem, match="B necesita otro asunto"):
        experiments.begin(
            post=write(), account=weekly, by=alba, at=NOON, title="x", hypothesis="y", measure="leaves", **said
        )  # fmt: skip


def test_closed_before_it_leaves_everybody_gets_a(trial, people, post_office, go_on, alba):
    people(12)
    actions.plan(post=trial.post, wall=datetime(2026, 11, 23, 14), by=alba, at=NOON)
    actions.schedule(post=trial.post, by=alba, at=NOON)
    with pytest.raises(TooLate):
        experiments.close(experiment=trial, learned="No", by=alba, at=NOON)
    actions.cancel(post=trial.post, by=alba, at=NOON)
    experiments.close(experiment=trial, learned="No", by=alba, at=NOON)
    trial.refresh_from_db()
    assert verdicts.of(trial, at=NOON).is_early
    trial.post.refresh_from_db()
    actions.publish_now(post=trial.post, by=alba, at=NOON)
    go_on(NOON, minutes=5)
    assert {one["mail"]["Subject"] for one in post_office.posts} == {"Roscones"}


@pytest.fixture
def read(trial, people, go_on, alba):
    """`read(a=5, b=30)`: it went to two hundred people, and so many of each half followed the link."""

    def follow(**clicked: int) -> None:
        people(200)
        actions.publish_now(post=trial.post, by=alba, at=NOON)
        go_on(NOON, minutes=15, step=60)
        for arm, link in (("a", Link.objects.get(arm="")), ("b", Link.objects.get(arm="b"))):
            for number in range(clicked[arm]):
                Click.objects.create(link=link, at=NOON + timedelta(hours=1), on=NOON.date(), visitor=f"{arm}{number}",
                                     is_robot=False)  # fmt: skip
            Click.objects.create(link=link, at=NOON + timedelta(hours=1), on=NOON.date(), is_robot=True)

    return follow


def test_who_clicks_decides_once_all_mails_are_old_enough(trial, read, as_alba, brand):
    read(a=5, b=30)
    assert verdicts.of(trial, at=NOON + timedelta(hours=20)).points[0].why == "waits"
    told = [reminders.tell_of_experiments(at=NOON + timedelta(hours=hours)) for hours in (20, 25, 26)]
    assert told == [0, 1, 0]
    found = verdicts.of(trial, at=NOON + timedelta(hours=25))
    assert (found.outcome, found.pairs, sum(found.sizes), list(found.sums)) == ("b", 35, 200, [5, 30])
    page = as_alba.get(f"/b/{brand.slug}/experiments/{trial.pk}/")
    assert page.status_code == 200
    assert "Roscones: hasta el 6" in page.content.decode()


def test_below_the_number_that_was_said_no_newsletter_wins(trial, read):
    read(a=0, b=15)
    found = verdicts.of(trial, at=NOON + timedelta(days=3))
    assert (found.chance < 0.01, found.outcome, found.more) == (True, "few", 5)


def test_where_leaving_is_counted_the_fewer_the_better(trial, read):
    Experiment.objects.update(measure="leaves")
    trial.refresh_from_db()
    read(a=0, b=0)
    of_b = [one for one in Subscriber.objects.all() if dealing.group_of(trial.seed, one.token) == "b"]
    for one in of_b[:25]:
        mailing.leave(subscriber=one, at=NOON + timedelta(hours=3))
    for one in of_b[25:30]:
        mailing.leave(subscriber=one, at=NOON + timedelta(days=9))
    found = verdicts.of(trial, at=NOON + timedelta(days=10))
    assert (found.outcome, list(found.sums)) == ("a", [0, 25])
