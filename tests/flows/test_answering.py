"""Own links in answers: what is kept and sent, how long it may be, taking it back, what is held of whoever got them."""

import io
import json
import zipfile

import pytest

from conftest import NOON, envelope
from tertulia.channels.models import Delivery, Message
from tertulia.core import clock, jobs
from tertulia.flows import inbound, personal
from tertulia.inbox import actions
from tertulia.inbox.models import Conversation, Draft
from tertulia.publishing import addresses, clicks, conversions
from tertulia.publishing.models import Click, Conversion, Link, LinkSettings

pytestmark = pytest.mark.django_db

SHOP = "https://tienda.example/pan"
LONG = f"{SHOP}?q={'a' * 100}"


@pytest.fixture
def conversation(site, monkeypatch) -> Conversation:
    monkeypatch.setattr(clock, "now", lambda: NOON)
    inbound.intake(site, [envelope("¿Dónde lo compro?")], at=NOON)
    return Conversation.objects.get()


@pytest.fixture
def shortened(brand):
    return LinkSettings.objects.create(brand=brand, shortens_answers=True)


@pytest.fixture
def answered(conversation, alba):
    def answer(text: str) -> Delivery:
        conversation.refresh_from_db()
        return actions.reply(conversation=conversation, text=text, by=alba, turn=conversation.turn, at=NOON)

    return answer


def test_an_answers_addresses_become_links_that_know_it_and_earn_for_it(shortened, answered, brand, alba):
    shortened.adds_utm = True
    shortened.save()
    answer = answered(f"Aquí ({SHOP}) o aquí: {SHOP}. Antes: http://viejo.example").message
    link = Link.objects.get()
    short = addresses.short(link.code)
    assert answer.text == f"Aquí ({short}) o aquí: {short}. Antes: http://viejo.example"
    assert Message.objects.get(pk=answer.pk).text == answer.text
    assert (link.reply_id, link.target, link.created_by_id) == (answer.pk, SHOP, alba.pk)
    assert link.content == f"answer-{answer.pk}"
    click = Click.objects.create(link=link, at=NOON, on=NOON.date(), is_robot=False)
    order = conversions.Order("7", 500, "EUR", NOON, token=clicks.token(click.pk))
    found, _is_new = conversions.record(brand=brand, order=order, kind=Conversion.Kind.API, by=None, at=NOON)
    assert found.link == link


@pytest.mark.parametrize("is_set_for_posts", [False, True])
def test_nothing_becomes_of_them_unless_the_brand_wants_it(answered, brand, is_set_for_posts):
    LinkSettings.objects.create(brand=brand, shortens=is_set_for_posts, adds_utm=is_set_for_posts)
    assert answered(SHOP).message.text == SHOP
    assert not Link.objects.exists()


def test_a_double_click_sends_once_and_makes_no_other_link(shortened, conversation, alba):
    texts = [f"Aquí: {SHOP}"] * 2
    sent = [actions.reply(conversation=conversation, text=text, by=alba, turn=1, at=NOON) for text in texts]
    assert (sent[0], Link.objects.count()) == (sent[1], 1)
    with pytest.raises(actions.Answered):
        actions.reply(conversation=conversation, text=f"{SHOP}/otro", by=alba, turn=1, at=NOON)
    assert Link.objects.count() == 1


def test_a_double_click_sends_once_though_the_brand_changed_its_mind_between(shortened, conversation, alba):
    sent = actions.reply(conversation=conversation, text=SHOP, by=alba, turn=1, at=NOON)
    LinkSettings.objects.update(shortens_answers=False)
    assert actions.reply(conversation=conversation, text=SHOP, by=alba, turn=1, at=NOON) == sent


def test_the_limit_is_that_of_the_text_that_leaves(shortened, conversation, answered):
    limit = conversation.account.capabilities.max_text
    short = len(addresses.short("x" * 7))
    with pytest.raises(actions.TooLong):
        answered(f"{'ñ' * (limit - short)} https://a.es")
    assert (Link.objects.count(), Delivery.objects.count()) == (0, 0)
    assert len(answered(f"{'ñ' * (limit - short - 1)} {LONG}").message.text) == limit


def test_taken_back_the_address_is_as_long_as_it_was_and_sent_again_it_knows_the_new_answer(shortened, answered, alba):
    first = answered(f"Aquí: {LONG}")
    assert actions.withdraw(delivery=first, by=alba, at=NOON) == f"Aquí: {LONG}"
    again = answered(Draft.objects.get().text)
    assert [link.reply_id for link in Link.objects.order_by("pk")] == [first.message_id, again.message_id]
    assert addresses.short(Link.objects.last().code) in again.message.text


def test_an_answer_that_becomes_a_saved_reply_leaves_its_links_behind(shortened, answered, as_alba, brand):
    answer = answered(f"Aquí: {SHOP}").message
    page = as_alba.get(f"/b/{brand.slug}/settings/saved-replies/?of={answer.pk}").content.decode()
    assert SHOP in page
    assert "/l/" not in page


def test_a_person_gets_to_know_what_they_clicked_and_once_erased_no_link_knows_them(
    shortened, answered, conversation, as_alba, brand, alba
):
    answer = answered(SHOP).message
    link = Link.objects.get()
    Click.objects.create(link=link, at=NOON, on=NOON.date(), is_robot=False, visitor="v", referrer="correo.example")
    assert f"/messages/{answer.pk}/" in as_alba.get(f"/b/{brand.slug}/links/{link.pk}/").content.decode()
    with zipfile.ZipFile(io.BytesIO(personal.written(conversation.member, at=NOON))) as archive:
        told = {each["kind"]: each["rows"] for each in json.loads(archive.read("data.json"))["own"]}
    assert told["publishing.Link"][0]["target"] == SHOP
    assert (told["publishing.Click"][0]["referrer"], len(told["publishing.Click"])) == ("correo.example", 1)
    Delivery.objects.update(state="sent")
    personal.ask_erasure(member=conversation.member, why="", by=alba, at=NOON)
    jobs.run_due(NOON)
    link.refresh_from_db()
    assert (link.reply_id, Click.objects.get().referrer) == (None, "")
