"""The inbox knows what runs: a message that speaks of a campaign or an action outside is linked to it, and shows it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.urls import reverse

from conftest import NOON, envelope
from tertulia.channels.models import Account, Message
from tertulia.community import actions as community
from tertulia.core import clock, jobs
from tertulia.flows import inbound, launching, personal
from tertulia.inbox.models import Conversation
from tertulia.publishing import actions as publishing
from tertulia.publishing import initiatives, spoken
from tertulia.publishing.models import Initiative, SpokenOf
from tertulia.strategy import actions as strategy
from tertulia.strategy import wording
from tertulia.strategy.models import Campaign

pytestmark = pytest.mark.django_db

TODAY = NOON.date()
DAY = timedelta(days=1)
SEEN = "Buenas, he visto lo de la MARQUESINA de Atocha, ¿qué es?"


@pytest.fixture(autouse=True)
def at_noon(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOON)


@pytest.fixture
def advert(brand, alba) -> Initiative:
    return act(brand, alba)


def act(brand, by, title="Marquesinas de Atocha", first=TODAY, last=TODAY, **said) -> Initiative:
    return initiatives.add(brand=brand, by=by, at=NOON, title=title, starts_on=first, ends_on=last, **said)


def write(account, text=SEEN, thread="diego", number=1, **more) -> Conversation:
    """Taken in and gone through in the background."""
    new = envelope(text, thread=thread, remote_id=f"{thread}{number}", minutes=number, **more)
    [id] = inbound.intake(account, [new], at=NOON)
    jobs.run_due(NOON)
    return Conversation.objects.get(pk=id)


def linked() -> list[tuple[str, str]]:
    rows = SpokenOf.objects.select_related("message", "initiative", "campaign").order_by("message__sent_at", "pk")
    return [(row.message.remote_id, str(row.initiative or row.campaign)) for row in rows]


def test_a_message_about_an_offline_ad_is_linked_to_it_once(brand, site, alba, advert):
    conversation = write(site)
    write(site, "¿Abrís el domingo?", number=2)
    inbound.process(conversation_ids=[conversation.pk])
    assert linked() == [("diego1", "Marquesinas de Atocha")]
    initiatives.change(initiative=advert, by=alba, at=NOON, words="periódico")
    inbound.process(conversation_ids=[conversation.pk])
    assert linked() == [("diego1", "Marquesinas de Atocha")]  # for good


def test_campaigns_are_known_too_by_their_own_words_and_by_each_message_what_it_speaks_of(brand, site, alba, advert):
    strategy.begin(brand=brand, by=alba, at=NOON, name="Navidad", words="cesta\npan de reyes", starts_on=TODAY)
    write(site, "¿Las cestas se pueden enviar? Vi la marquesina")
    write(site, "El pan de los reyes", number=2)
    write(site, "¿Y un pan de reyes?", number=3)
    assert sorted(linked()) == [("diego1", "Marquesinas de Atocha"), ("diego1", "Navidad"), ("diego3", "Navidad")]


@pytest.mark.parametrize(
    ("first", "last", "sent", "is_linked"),
    [
        (TODAY - 10 * DAY, TODAY - 7 * DAY, NOON, True),
        (TODAY - 10 * DAY, TODAY - 8 * DAY, NOON, False),
        (TODAY + DAY, TODAY + DAY, NOON, False),
        (TODAY, TODAY, NOON - DAY, False),  # written before, read now
        (TODAY, TODAY, NOON - timedelta(hours=11.5), True),  # half past midnight in Madrid
    ],
)
def test_it_counts_while_it_runs_and_a_week_longer(brand, site, alba, first, last, sent, is_linked):
    act(brand, alba, first=first, last=last)
    write(site, sent_at=sent)
    assert bool(linked()) is is_linked


@pytest.mark.parametrize(
    ("said", "runs"),
    [
        ({}, False),
        ({"starts_on": TODAY - 400 * DAY}, True),
        ({"ends_on": TODAY + 400 * DAY}, True),
        ({"starts_on": TODAY - 9 * DAY, "ends_on": TODAY - 8 * DAY}, False),
    ],
)
def test_a_campaign_runs_by_the_days_it_has_until_a_week_after_it_is_closed(brand, alba, said, runs):
    one = strategy.begin(brand=brand, by=alba, at=NOON, name="Navidad", **said)
    assert bool(spoken.running([brand], at=NOON)) is runs
    Campaign.objects.filter(pk=one.pk).update(closed_at=NOON - 8 * DAY)
    assert not spoken.running([brand], at=NOON)


def test_what_came_before_anybody_said_so_is_linked_too(brand, other_brand, site, alba, carla):
    write(site, sent_at=NOON - 5 * DAY)
    write(site, sent_at=NOON - DAY, number=2)
    write(site, "Lo del periódico", number=3)
    act(other_brand, carla, first=TODAY - DAY)
    advert = act(brand, alba, first=TODAY - DAY)
    publishing.begin_campaign(brand=brand, by=alba, at=NOON, name="Periódico", starts_on=TODAY - DAY)
    jobs.run_due(NOON)
    assert linked() == [("diego2", "Marquesinas de Atocha"), ("diego3", "Periódico")]
    initiatives.change(initiative=advert, by=alba, at=NOON, words="periódico\nmarquesina")
    jobs.run_due(NOON)
    assert linked()[2:] == [("diego3", "Marquesinas de Atocha")]


def test_a_launch_finds_what_was_written_of_its_product_already(brand, site, alba):
    write(site, "¿Qué es el Roscón Atocha?", sent_at=NOON - DAY)
    sheet = launching.Sheet(name="Roscón Atocha", what="De avellana", on=TODAY)
    launching.launch(brand=brand, sheet=sheet, accounts=[], by=alba, at=NOON)
    jobs.run_due(NOON)
    assert linked() == [("diego1", "Roscón Atocha")]


def test_nothing_is_linked_across_brands(brand, other_brand, site, alba, carla):
    act(other_brand, carla, "Lo de la Ferretería", words="marquesina")
    act(brand, alba, "Roscón")
    theirs = Account.objects.create(brand=other_brand, kind="site", name="Página", created_at=NOON)
    for account in (site, theirs):
        inbound.intake(account, [envelope(SEEN, thread="diego", remote_id=f"a{account.pk}")], at=NOON)
    inbound.process(conversation_ids=list(Conversation.objects.values_list("pk", flat=True)))
    assert linked() == [(f"a{theirs.pk}", "Lo de la Ferretería")]


def test_neither_machines_nor_restricted_people_nor_what_we_write_count(brand, site, alba, advert):
    write(site, is_automatic=True)
    member = write(site, "Hola", thread="ana").member
    community.restrict(member=member, because="", by=alba, at=NOON)
    write(site, thread="ana", number=2)
    assert linked() == []


def test_an_order_to_restrict_and_a_deletion_take_it_off_the_page(brand, site, alba, advert):
    one, other = write(site), write(site, thread="ana")
    assert spoken.conversations(initiative=advert)[0] == 2
    community.restrict(member=one.member, because="", by=alba, at=NOON)
    count, [message] = spoken.conversations(initiative=advert)
    assert (count, message.thread_id) == (1, other.thread_id)
    Message.objects.update(deleted_at=NOON)
    assert spoken.conversations(initiative=advert) == (0, [])


@pytest.mark.parametrize(
    ("line", "text", "is_there"),
    [
        ("marquesinas", "La Marquesina", True),
        ("marquesina", "las marquesinas", True),
        ("cupones", "¿Vale el cupón?", True),
        ("luces", "la luz de la calle", True),
        ("periodico", "el PERIÓDICO de hoy", True),
        ("tren", "entrené ayer", False),
        ("feria del pan", "la feria, ¿del pan?", True),
        ("feria del pan", "pan de la feria", False),
        ("2x1", "¿Sigue el 2x1?", True),
        ("Horno Candela", "Hola, Horno Candela", False),
        ("candelas", "Hola, Candelas", False),
        ("candela", "Hola, Candela", False),
        ("cena candela", "¿Hay sitio en la cena Candela?", True),
        ("¡!", "¡!", False),
    ],
)
def test_words_are_found_whole_in_either_number_and_never_the_name_alone(line, text, is_there, brand):
    assert wording.speaks(wording.said(text), wording.entries(line, brand)) is is_there


def test_a_new_one_begins_with_the_telling_words_of_its_title(brand, other_brand, site, alba):
    for number in range(10):
        inbound.intake(site, [envelope("¿Tenéis pan?", thread=f"t{number}", remote_id=f"a{number}")], at=NOON - DAY)
    assert act(brand, alba, "Feria del pan en el Horno Candela").words == "feria"
    assert act(brand, alba, "El pan de los panes").words == "El pan de los panes"
    assert act(other_brand, alba, "Feria del pan").words == "feria\npan"  # nobody there says it all the time
    assert act(brand, alba, "Feria del pan", first=TODAY - DAY).words == "feria\npan"  # nor before it began
    assert act(brand, alba, "Horno Candela").words == ""
    assert act(brand, alba, "Feria", words="recinto").words == "recinto"
    assert strategy.begin(brand=brand, by=alba, at=NOON, name="Reyes en Atocha").words == "reyes\natocha"


@pytest.mark.parametrize("kind", ["actions", "campaigns"])
def test_the_forms_take_words_and_refuse_the_name_alone(as_alba, brand, alba, kind):
    address = {
        "actions": "/b/horno-candela/posts/actions/beginning/",
        "campaigns": "/b/horno-candela/campaigns/beginning/",
    }
    form = {"title": "Feria", "name": "Feria", "kind": "fair", "starts_on": "2026-11-23", "currency": "EUR"}
    answer = as_alba.post(address[kind], {**form, "words": "recinto\nHorno Candela"})
    assert answer.status_code == 422
    assert "Horno Candela" in str(answer.context["form"].errors["words"])
    assert as_alba.post(address[kind], {**form, "words": "recinto\n\nla carpa"}).status_code == 302
    model = Initiative if kind == "actions" else Campaign
    assert wording.entries(model.objects.get().words, brand) == wording.entries("recinto\nla carpa", brand)


def test_beside_the_conversation_stands_what_runs_what_they_speak_of_first(
    brand, other_brand, site, as_alba, alba, carla
):
    campaign = strategy.begin(brand=brand, by=alba, at=NOON, name="Navidad", starts_on=TODAY - 20 * DAY)
    older = act(brand, alba, first=TODAY - 30 * DAY, last=TODAY)
    act(other_brand, carla, "De otros")
    act(brand, alba, "Lo de octubre", first=date(2026, 10, 1), last=date(2026, 10, 2))
    conversation = write(site)
    address = reverse("running", args=[brand.slug, conversation.pk])
    assert address in as_alba.get(reverse("inbox:conversation", args=[brand.slug, conversation.pk])).content.decode()
    for headers in ({}, {"HX-Request": "true"}):
        page = as_alba.get(address, headers=headers).content.decode()
        at = page.index(reverse("publishing:initiative", args=[brand.slug, older.pk]))
        assert at < page.index("lo menciona") < page.index(f"/campaigns/{campaign.pk}/")
        assert "De otros" not in page
        assert "octubre" not in page
        assert page.count("lo menciona") == 1


def test_where_nothing_runs_nothing_stands_there(brand, site, as_alba):
    address = reverse("running", args=[brand.slug, write(site).pk])
    assert as_alba.get(address, headers={"HX-Request": "true"}).content.strip() == b""
    assert "Ahora mismo no hay nada en marcha." in as_alba.get(address).content.decode()


def test_their_pages_show_how_many_conversations_speak_of_them_and_the_newest(brand, site, as_alba, alba, advert):
    campaign = strategy.begin(brand=brand, by=alba, at=NOON, name="Atocha", starts_on=TODAY)
    for number in range(7):
        write(site, thread=f"t{number}", number=number)
    write(site, "Otra vez lo de Atocha", thread="t0", number=9)
    newest = Message.objects.get(remote_id="t09")
    for name, one in (("initiative", advert), ("campaign", campaign)):
        page = as_alba.get(reverse(f"publishing:{name}", args=[brand.slug, one.pk])).content.decode()
        assert "7 conversaciones" in page
        assert reverse("inbox:message", args=[brand.slug, newest.pk]) in page
        assert page.count(f"/b/{brand.slug}/messages/") == spoken.SHOWN
        assert as_alba.get(reverse("inbox:message", args=[brand.slug, newest.pk])).status_code == 302


def test_erasing_somebody_takes_the_links_along(brand, site, alba, advert):
    member = write(site).member
    write(site, thread="ana")
    personal.ask_erasure(member=member, why="", by=alba, at=NOON)
    jobs.run_due(NOON)
    assert linked() == [("ana1", "Marquesinas de Atocha")]


def test_what_runs_is_asked_for_once_whatever_the_batch(brand, site, alba, advert, django_assert_num_queries):
    threads = {}
    for number in range(8):
        conversation = write(site, "¿Abrís?", thread=f"t{number}", number=number)
        threads[conversation.account_id, conversation.thread_id] = brand
    with django_assert_num_queries(3):
        spoken.note(threads, at=NOON)
    initiatives.remove(initiative=advert, by=alba, at=NOON)
    with django_assert_num_queries(2):
        spoken.note(threads, at=NOON)
