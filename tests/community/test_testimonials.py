"""What people say of a brand: whether it may be quoted, where it was, and what happens once it may not be any more."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import translation

from conftest import NOON, envelope, person
from tertulia.channels.models import Account, Message, RemotePost
from tertulia.community import actions, testimonials
from tertulia.community import models as people
from tertulia.connectors.contract import Author
from tertulia.core import clock, jobs, sentences
from tertulia.core.models import Activity
from tertulia.flows import inbound, personal, processing
from tertulia.flows import testimonials as flow
from tertulia.inbox import actions as inbox
from tertulia.inbox import joining
from tertulia.inbox.models import Conversation
from tertulia.publishing import actions as publishing
from tertulia.publishing import checks, writing
from tertulia.publishing.models import Part, Post
from tertulia.publishing.rights import Unallowed
from tertulia.publishing.saying import Piece, Wanted
from tertulia.team.models import Notification

pytestmark = pytest.mark.django_db

WORDS = "El pan de centeno es el mejor que he comido en Madrid en muchos años, y la gente es un encanto."
TODAY = date(2026, 11, 23)
DAY = timedelta(days=1)
PAGES = "/b/horno-candela/testimonials/"
ANA = Author(remote_id="ana", name="Ana Prados", email="ana.prados@correo.example")


@pytest.fixture(autouse=True)
def _noon(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOON)


@pytest.fixture
def kept(brand, alba):
    """`kept(text, consent="given")`: a testimonial of Ana's, with a source."""

    def keep(text: str = WORDS, *, consent: str = "given", until: date | None = None, **fields) -> people.Testimonial:
        said = {"said_by": "Ana", "said_on": TODAY, "source": "https://resenas.example/7", **fields}
        one = people.Testimonial(brand=brand, text=text, created_by_id=alba.pk, created_at=NOON, **said)
        actions.keep_testimonial(testimonial=one, by=alba, at=NOON)
        settle(one, consent, alba, until=until)
        return one

    return keep


def settle(one, consent, by, *, until=None, at=NOON):
    actions.settle_consent(
        testimonial=one, consent=consent, on=TODAY, wording="Sí, por correo", until=until, by=by, at=at
    )


@pytest.fixture
def post_of(brand, alba, settings, tmp_path):
    """`post_of(text)`: a post for a platform by hand, not scheduled yet."""
    settings.MEDIA_ROOT = tmp_path / "media"
    board = Account.objects.create(brand=brand, kind="manual", name="Tablón", created_at=NOON)

    def write(text: str) -> Post:
        return publishing.create(brand=brand, by=alba, at=NOON, pieces=[Piece(text)], versions={board.pk: Wanted()})

    return write


def scheduled(post, alba, *, days: int = 1) -> Post:
    publishing.plan(post=post, wall=(NOON + days * DAY).replace(tzinfo=None), by=alba, at=NOON)
    return publishing.schedule(post=post, by=alba, at=NOON)


def wrote(account, text: str = WORDS, **fields) -> Conversation:
    fields = {"thread": "ana", "author": ANA, **fields}
    inbound.intake(account, [envelope(text, **fields)], at=NOON)
    return Conversation.objects.get(account=account, thread_id=fields["thread"])


def uses(one) -> list[tuple[int | None, int]]:
    return list(one.uses.order_by("pk").values_list("post_id", "revision"))


# What may be quoted.


@pytest.mark.parametrize(
    ("consent", "until", "on", "why"),
    [
        ("given", None, TODAY, ""),
        ("given", TODAY, TODAY, ""),
        ("given", TODAY, TODAY + DAY, "until 23/11/2026 only"),
        ("unneeded", None, TODAY, ""),
        ("unasked", None, TODAY, "has not been asked"),
        ("asked", None, TODAY, "has not said yes"),
        ("refused", None, TODAY, "does not want"),
        ("withdrawn", None, TODAY, "does not agree any more"),
    ],
)
def test_consent_decides_what_may_be_quoted_and_says_why_not(brand, kept, consent, until, on, why):
    one = kept(consent=consent, until=until)
    with translation.override("en"):
        says = testimonials.forbids(testimonials.of(brand.pk).get(), on)
    assert (why in says) if why else says == ""
    assert testimonials.forbidden(brand.pk, on).filter(pk=one.pk).exists() is bool(why)


def test_nobody_whose_data_is_restricted_is_quoted(brand, alba, site, kept):
    member = wrote(site, "Hola").member
    kept(member=member)
    actions.restrict(member=member, because="", by=alba, at=NOON)
    with translation.override("en"):
        assert "restricted" in testimonials.forbids(testimonials.of(brand.pk).get(), TODAY)
    [offered] = testimonials.offered(brand, NOON)
    assert (offered.quote, offered.with_source) == ("", "")


def test_the_database_keeps_no_consent_without_its_proof(kept):
    one = kept()
    for broken in (
        {"consent": "given", "consent_wording": ""}, {"consent": "given", "consent_on": None},
        {"consent": "unneeded", "source": ""}, {"stars": 5}, {"kind": "review", "stars": 6},
    ):  # fmt: skip
        with pytest.raises(IntegrityError), transaction.atomic():
            people.Testimonial.objects.filter(pk=one.pk).update(**broken)


# What a text quotes.


@pytest.mark.parametrize(
    ("text", "is_quoted"),
    [
        (WORDS, True),
        (f"Lo dice Ana: «{WORDS.upper()}»", True),
        ("Como dice Ana, el pan de centeno es el mejor que he comido en Madrid en muchos años…", True),
        ("El pan de centeno es el mejor, dice Ana", False),
        ("Hoy hay pan de centeno y la gente es un encanto", False),
        ("", False),
    ],
)
def test_a_long_testimonial_is_known_by_ten_of_its_words_in_a_row(brand, kept, text, is_quoted):
    one = kept()
    assert testimonials.quoted([text], testimonials.of(brand.pk)) == ([one] if is_quoted else [])


@pytest.mark.parametrize(
    ("quote", "text", "is_quoted"),
    [
        ("¡Riquísimo!", "Un pan riquísimo para hoy", False),
        ("¡Riquísimo!", "«Riquísimo», dice Ana", True),
        ("¡Riquísimo!", 'Ana: "¡riquísimo!"', True),
        ("Muchas gracias por todo", "Muchas gracias por todo, un saludo", True),
        ("…", "«…»", False),
    ],
)
def test_a_short_one_is_known_whole_or_between_quotation_marks(brand, kept, quote, text, is_quoted):
    kept(quote)
    assert bool(testimonials.quoted([text], testimonials.of(brand.pk))) is is_quoted


def test_what_is_put_in_is_known_again_whatever_its_length(brand, kept):
    for text in ("¡Riquísimo!", "Muy buen pan", WORDS):
        kept(text)
    for offered in testimonials.offered(brand, NOON):
        assert testimonials.quoted([offered.with_source], testimonials.of(brand.pk)) == [offered.testimonial]


# Posts. The acceptance check first.


def test_an_inserted_proof_keeps_its_source_link_and_consent(as_alba, alba, brand, kept, post_of):
    one = kept(until=date(2027, 1, 31))
    form = as_alba.get(f"/b/horno-candela/posts/beginning/?testimonial={one.pk}&source=1").content.decode()
    inserted = f"«{WORDS}» — Ana\nhttps://resenas.example/7"
    assert inserted in form
    post = post_of(inserted)
    [use] = one.uses.all()
    assert (use.post_id, use.revision, use.title, use.by_id, use.at) == (post.pk, 1, post.title, alba.pk, NOON)
    then = {"state": "given", "on": "2026-11-23", "wording": "Sí, por correo", "until": "2027-01-31"}
    assert (use.source, use.consent) == ("https://resenas.example/7", then)
    # What is said of it later changes nothing of what was.
    settle(one, "withdrawn", alba)
    one.source = ""
    actions.keep_testimonial(testimonial=one, by=alba, at=NOON)
    use.refresh_from_db()
    assert (use.source, use.consent) == ("https://resenas.example/7", then)
    page = as_alba.get(f"{PAGES}{one.pk}/").content.decode()
    assert f"/posts/{post.pk}/" in page
    assert "https://resenas.example/7" in page


def test_each_version_of_a_post_that_quotes_is_kept_and_one_without_is_not(alba, kept, post_of):
    one, post = kept(), post_of(f"«{WORDS}»")
    for text in ("Sin cita", f"Otra vez: {WORDS}"):
        post.refresh_from_db()
        [version] = post.versions.all()
        publishing.save(
            post=post, seen=post.revision, by=alba, at=NOON, pieces=[Piece(text)],
            versions={version.account_id: Wanted()},
        )  # fmt: skip
    assert uses(one) == [(post.pk, 1), (post.pk, 3)]


@pytest.mark.parametrize("consent", ["unasked", "asked", "refused", "withdrawn"])
def test_a_post_that_quotes_without_consent_is_not_scheduled_however_the_words_came(alba, kept, post_of, consent):
    kept(consent=consent)
    post = post_of(f"Pegado a mano: {WORDS}")
    with pytest.raises(Unallowed, match="Ana"):
        scheduled(post, alba)
    assert not post.versions.filter(sendings__isnull=False).exists()


def test_the_day_it_leaves_counts_and_not_the_day_it_is_scheduled(alba, kept, post_of):
    kept(until=TODAY + DAY)
    scheduled(post_of(WORDS), alba, days=1)
    with pytest.raises(Unallowed, match="24/11/2026"):
        scheduled(post_of(WORDS), alba, days=2)


def test_the_list_before_leaving_says_it_while_one_writes(alba, brand, kept, post_of):
    one, post = kept(consent="asked"), post_of(WORDS)
    written = writing.from_post(post)
    found = checks.check(written, brand=brand, post=post, at=NOON)
    assert found.stops
    assert any("Ana" in line.says for line in found.lines if line.tone == "late")
    settle(one, "given", alba, until=TODAY + 3 * DAY)
    found = checks.check(written, brand=brand, post=post, at=NOON)
    assert not any("Ana" in line.says for line in found.lines if line.tone == "late")
    assert any("26/11/2026" in line.says for line in found.lines if line.tone == "soon")


def test_what_may_not_be_quoted_is_offered_to_nobody_and_says_why(as_alba, kept, site):
    one = kept(consent="refused")
    page = as_alba.get("/b/horno-candela/posts/pieces/choice/").content.decode()
    assert "data-insert" not in page
    assert "no quiere que se cite" in page
    assert WORDS not in as_alba.get(f"/b/horno-candela/posts/beginning/?testimonial={one.pk}").content.decode()
    conversation = wrote(site, "Hola", thread="leo", author=Author("leo", name="Leo"))
    asked = f"/b/horno-candela/inbox/{conversation.pk}/"
    assert WORDS not in as_alba.get(f"{asked}?testimonial={one.pk}").content.decode()
    page = as_alba.get(f"{asked}saved-replies/").content.decode()
    assert "data-insert" not in page
    assert "no quiere que se cite" in page


def test_a_post_whose_consent_ends_while_it_waits_is_told_at_once_and_once(alba, kept, post_of):
    one, post, draft = kept(), post_of(WORDS), post_of(WORDS)
    scheduled(post, alba)
    assert flow.tell_ended(at=NOON) == 0
    settle(one, "withdrawn", alba)
    assert [flow.tell_ended(at=NOON), flow.tell_ended(at=NOON)] == [1, 0]
    assert [line.on_id for line in Activity.objects.filter(type="post.quote_ended")] == [post.pk] != [draft.pk]
    jobs.run_due(NOON)
    told = Notification.objects.filter(user=alba, reason="quote").order_by("pk")
    assert [one.url for one in told] == [f"{PAGES}{one.pk}/", f"/b/horno-candela/posts/{post.pk}/"]
    settle(one, "given", alba)
    settle(one, "withdrawn", alba)
    assert flow.tell_ended(at=NOON) == 1  # anew


def test_a_consent_for_a_time_is_told_when_its_last_day_is_over_where_the_brand_is(alba, kept, post_of):
    kept(until=TODAY)
    post_of(WORDS)
    late = NOON.replace(hour=22, minute=59)
    assert [flow.tell_ended(at=late), flow.tell_ended(at=late + timedelta(minutes=1))] == [0, 1]


def test_one_that_is_used_nowhere_ends_in_silence(kept):
    kept(consent="withdrawn")
    assert flow.tell_ended(at=NOON) == 0


# Answers.


def test_an_answer_quotes_with_consent_and_the_use_is_kept(as_alba, alba, site, kept):
    one = kept()
    conversation = wrote(site, "¿Qué tal vuestro pan?", thread="leo", author=Author("leo", name="Leo"))
    page = as_alba.get(f"/b/horno-candela/inbox/{conversation.pk}/?testimonial={one.pk}&source=1").content.decode()
    assert f"«{WORDS}» — Ana\nhttps://resenas.example/7" in page
    delivery = inbox.reply(conversation=conversation, text=f"Mira: «{WORDS}» — Ana", by=alba, turn=1, at=NOON)
    [use] = one.uses.all()
    assert (use.message_id, use.post_id, use.consent["state"]) == (delivery.message_id, None, "given")
    assert f"/messages/{delivery.message_id}/" in as_alba.get(f"{PAGES}{one.pk}/").content.decode()


def test_an_answer_without_consent_stays_in_the_composer(as_alba, site, kept):
    kept(consent="asked")
    conversation = wrote(site, "¿Qué tal?", thread="leo", author=Author("leo", name="Leo"))
    answer = as_alba.post(
        f"/b/horno-candela/inbox/{conversation.pk}/replies/", {"text": f"Mira: {WORDS}", "turn": 1, "seen": 1}
    )
    page = answer.content.decode()
    assert answer.status_code == 422
    assert f"Mira: {WORDS}" in page
    assert "no ha dicho que sí" in page
    assert not Message.objects.filter(direction="out").exists()


def test_whoever_said_it_may_be_told_their_own_words(alba, site, kept):
    conversation = wrote(site)
    kept(consent="unasked", member=conversation.member)
    inbox.reply(conversation=conversation, text=f"¿Podemos citar esto? «{WORDS}»", by=alba, turn=1, at=NOON)
    assert Message.objects.filter(direction="out").count() == 1


# Pages.

SAID = {"kind": "testimonial", "text": WORDS, "said_by": "Ana", "said_on": "2026-11-20", "stars": "", "source": "",
        "language": "es"}  # fmt: skip


def test_a_message_is_kept_as_a_testimonial_with_its_address_and_its_person(as_alba, site, brand):
    conversation = wrote(site, f"{WORDS}\n\nUn  saludo")
    Message.objects.update(url="https://red.example/ana/1")
    message = Message.objects.get()
    inboxed = as_alba.get(f"/b/horno-candela/inbox/{conversation.pk}/").content.decode()
    address = f"{PAGES}new/?message={message.pk}"
    assert f'href="{address}"' in inboxed
    page = as_alba.get(address).content.decode()
    assert f"{WORDS} Un saludo" in page
    assert 'value="https://red.example/ana/1"' in page
    assert 'value="Ana"' in page
    answer = as_alba.post(address, {**SAID, "source": "https://red.example/ana/1"})
    one = people.Testimonial.objects.get()
    assert answer.url == f"{PAGES}{one.pk}/"
    assert (one.message, one.member, one.source) == (message, conversation.member, "https://red.example/ana/1")
    assert (one.consent, Activity.objects.filter(type="testimonial.added", on_id=one.pk).count()) == ("unasked", 1)
    for where in (f"/b/horno-candela/people/{conversation.member_id}/", PAGES):
        assert f"{PAGES}{one.pk}/" in as_alba.get(where).content.decode()
    data = as_alba.get(f"/b/horno-candela/people/{conversation.member_id}/data/").content.decode()
    assert f"{PAGES}{one.pk}/" in data


def test_no_message_of_another_brand_nor_one_of_ours_is_taken(as_carla, as_alba, alba, site):
    conversation = wrote(site)
    inbox.reply(conversation=conversation, text="Gracias", by=alba, turn=1, at=NOON)
    theirs, ours = Message.objects.order_by("pk")
    other = as_carla.get(f"/b/ferreteria-ruiz/testimonials/new/?message={theirs.pk}").content.decode()
    assert WORDS not in other
    assert "Gracias" not in as_alba.get(f"{PAGES}new/?message={ours.pk}").content.decode()


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": " "}, {"text": "x" * 1001}, {"stars": "5"}, {"kind": "review", "stars": "6"},
        {"kind": "review", "stars": "0"}, {"source": "javascript:alert(1)"}, {"source": "sin dirección"},
        {"said_on": "2026-11-24"}, {"said_on": "ayer"}, {"kind": "cuento"}, {"language": "xx"},
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_not_kept_and_nothing_typed_is_lost(as_alba, wrong):
    answer = as_alba.post(f"{PAGES}new/", {**SAID, "said_by": "Ana de Chamberí", **wrong})
    assert (answer.status_code, people.Testimonial.objects.count()) == (422, 0)
    assert "Ana de Chamberí" in answer.content.decode()


@pytest.mark.parametrize(
    "wrong",
    [
        {"consent": "given"},
        {"consent": "given", "consent_on": "2026-11-20"},
        {"consent": "given", "consent_wording": "Sí"},
        {"consent": "given", "consent_on": "2026-11-24", "consent_wording": "Sí"},
        {"consent": "given", "consent_on": "2026-11-20", "consent_wording": "Sí", "consent_until": "2026-11-19"},
        {"consent": "refused", "consent_until": "2026-12-01"},
        {"consent": "unneeded"},
        {"consent": "unneeded", "consent_wording": "Está en su web"},  # without a link to it
        {"consent": "quizá"},
        {},
    ],
)
def test_a_consent_without_its_proof_is_not_written_down(as_alba, kept, wrong):
    one = kept(consent="asked", source="")
    answer = as_alba.post(f"{PAGES}{one.pk}/consent/", wrong)
    one.refresh_from_db()
    assert (answer.status_code, one.consent) == (422, "asked")


def test_none_is_asked_for_what_anybody_can_read_at_its_link_which_then_stays(as_alba, kept):
    one = kept(consent="asked", kind="review", stars=5)
    said = {"consent": "unneeded", "consent_wording": "Reseña pública, citada con su enlace"}
    assert as_alba.post(f"{PAGES}{one.pk}/consent/", said).status_code == 302
    one.refresh_from_db()
    assert (one.consent, Activity.objects.filter(type="testimonial.consent").last().data["consent"]) == (
        "unneeded", "unneeded",
    )  # fmt: skip
    changed = {**SAID, "kind": "review", "stars": "5", "source": ""}
    assert as_alba.post(f"{PAGES}{one.pk}/", changed).status_code == 422
    one.refresh_from_db()
    assert one.source == "https://resenas.example/7"


def test_other_words_need_another_consent_and_signs_alone_do_not(as_alba, kept):
    one = kept()
    as_alba.post(f"{PAGES}{one.pk}/", {**SAID, "text": WORDS.replace(",", " –")})
    one.refresh_from_db()
    assert one.consent == "given"
    as_alba.post(f"{PAGES}{one.pk}/", {**SAID, "text": WORDS.replace("mejor", "más caro")})
    one.refresh_from_db()
    assert one.consent == "unasked"


def test_what_is_in_use_is_not_removed_and_the_rest_is(as_alba, kept, post_of):
    used, free = kept(), kept("No lo usa nadie todavía, creo yo")
    post_of(WORDS)
    for one in (used, free):
        as_alba.post(f"{PAGES}{one.pk}/removal/")
    assert list(people.Testimonial.objects.all()) == [used]


def test_whoever_only_reads_changes_nothing(brand, kept):
    one, client = kept(consent="asked"), Client()
    client.force_login(person("Rosa", brand, "reader"))
    assert client.get(f"{PAGES}{one.pk}/").status_code == client.get(PAGES).status_code == 200
    for address, said in ((f"{one.pk}/", SAID), (f"{one.pk}/consent/", {"consent": "refused"}), ("new/", SAID)):
        assert client.post(f"{PAGES}{address}", said).status_code == 403
    one.refresh_from_db()
    assert one.consent == "asked"


def test_the_list_finds_words_and_names_without_their_accents(as_alba, kept):
    kept(said_by="Íñigo")
    kept("La tarta de San Marcos estaba buenísima de verdad")
    page = as_alba.get(f"{PAGES}?q=inigo").content.decode()
    assert "centeno" in page
    assert "San Marcos" not in page
    assert "San Marcos" in as_alba.get(f"{PAGES}?q=BUENISIMA").content.decode()


# People.


def test_erasing_a_person_takes_their_testimonials_and_stops_what_would_quote_them(alba, site, brand, kept, post_of):
    member = wrote(site).member
    one, others = kept(member=member), kept("La tarta de San Marcos estaba buenísima de verdad", said_by="Leo")
    post, other = scheduled(post_of(f"«{WORDS}» — Ana"), alba), scheduled(post_of("Tartas nuevas"), alba)
    personal.ask_erasure(member=member, why="", by=alba, at=NOON)
    jobs.run_due(NOON)
    assert list(people.Testimonial.objects.all()) == [others]
    assert not people.TestimonialUse.objects.filter(testimonial_id=one.pk).exists()
    assert not Part.objects.filter(text__contains="centeno").exists()
    states = {
        each.pk: set(each.versions.values_list("sendings__remote__deliveries__state", flat=True))
        for each in (post, other)
    }
    assert states == {post.pk: {"cancelled"}, other.pk: {"queued"}}


def test_what_is_out_already_is_left_to_somebody(alba, site, kept, post_of):
    member = wrote(site).member
    kept(member=member)
    scheduled(post_of(WORDS), alba)
    RemotePost.objects.update(published_at=NOON)
    erasure = personal.ask_erasure(member=member, why="", by=alba, at=NOON)
    jobs.run_due(NOON)
    erasure.refresh_from_db()
    assert len(erasure.left["quotes"]) == 1
    with translation.override("en"):
        assert any("1 post that is out quotes them" in says for says in processing.left(erasure))


def test_a_copy_of_their_data_tells_what_they_said_and_what_they_agreed_to(site, kept, post_of):
    member = wrote(site, "Hola").member
    kept(member=member)
    post_of(WORDS)
    parcel = zipfile.ZipFile(io.BytesIO(personal.written(member, at=NOON)))
    data = json.loads(parcel.read("data.json"))
    own = {each["kind"]: each["rows"] for each in data["own"]}
    [said] = own["community.Testimonial"]
    assert (said["text"], said["consent"], said["consent_wording"]) == (WORDS, "given", "Sí, por correo")
    assert own["community.TestimonialUse"][0]["consent"]["state"] == "given"
    assert WORDS in parcel.read("index.html").decode()


def test_what_is_too_old_goes_unless_they_agreed_to_it(alba, site, kept):
    for number, consent in enumerate(("given", "asked")):
        old = {"remote_id": f"m{number}", "thread": f"t{number}", "author": Author(f"t{number}", name="Eva")}
        conversation = wrote(site, f"{WORDS} {number}", sent_at=NOON - timedelta(days=400), **old)
        message = Message.objects.get(remote_id=f"m{number}")
        kept(f"{WORDS} {number}", consent=consent, message=message, member=conversation.member)
        inbox.close(conversation=conversation, reason="no_answer", by=alba, at=NOON)
    personal.keep_for(account=site, months=12, by=alba, at=NOON)
    personal.forget()
    jobs.run_due(NOON)
    [one] = people.Testimonial.objects.all()
    assert (one.consent, one.text) == ("given", f"{WORDS} 0")


def test_testimonials_move_with_their_person_and_back(alba, site, kept):
    ana, eva = wrote(site).member, wrote(site, "Hola", remote_id="m2", thread="eva", author=Author("eva")).member
    one = kept(member=eva)
    joined = joining.join(kept=ana, other=eva, by=alba, at=NOON)
    one.refresh_from_db()
    assert one.member == ana
    other = joining.part(joining=joined, by=alba, at=NOON)
    one.refresh_from_db()
    assert one.member == other


def test_a_refusal_is_told_in_the_readers_language(brand, kept):
    kept(consent="withdrawn", said_by="Ana")
    with translation.override("en"):
        [why] = testimonials.against([WORDS], brand=brand.pk, on=TODAY)
    with translation.override("es"):
        assert sentences.told(why).startswith("Ana ya no está de acuerdo")
