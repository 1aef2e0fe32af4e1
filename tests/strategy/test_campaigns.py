"""Campaigns: what belongs to one, how it ends, and a launch that lays one out."""

from datetime import date, timedelta

import pytest
from django.urls import reverse

from conftest import NOON, person
from fakes.connector import KINDS
from tertulia.channels.models import Account
from tertulia.connectors import registry
from tertulia.flows import launching
from tertulia.inbox.models import SavedReply
from tertulia.publishing import actions as publishing
from tertulia.publishing import campaigns, clicks, conversions, linking, writing
from tertulia.publishing.models import Post
from tertulia.publishing.problems import NotHere
from tertulia.publishing.saying import Piece
from tertulia.strategy import actions
from tertulia.strategy.models import Campaign

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign(brand, alba):
    return actions.begin(brand=brand, by=alba, at=NOON, name="Torrijas de Pascua", starts_on=date(2027, 3, 1))


def test_a_tag_is_made_of_the_name_and_is_the_brands_alone(brand, other_brand, alba, carla, campaign):
    again = actions.begin(brand=brand, by=alba, at=NOON, name="¡Torrijas de Pascua!")
    elsewhere = actions.begin(brand=other_brand, by=carla, at=NOON, name="Torrijas de Pascua")
    tags = (campaign.tag, again.tag, elsewhere.tag)
    assert tags == ("torrijas-de-pascua", "torrijas-de-pascua-2", "torrijas-de-pascua")
    actions.change(campaign=campaign, by=alba, at=NOON, name="Torrijas")
    assert Campaign.objects.get(pk=campaign.pk).tag == "torrijas-de-pascua"  # links that are out carry it


def test_closing_freezes_its_results_and_asks_what_was_learned(client, brand, alba, campaign):
    client.force_login(alba)
    post = publishing.create(brand=brand, by=alba, at=NOON, pieces=[Piece("Pan")])
    publishing.count_for(post=post, campaign=campaign, by=alba, at=NOON)
    closure = reverse("publishing:campaign_closure", args=[brand.slug, campaign.pk])
    answer = client.post(closure, {"learned": " "})
    assert (answer.status_code, Campaign.objects.get(pk=campaign.pk).closed_at) == (422, None)
    client.post(closure, {"learned": "Mejor por la mañana"})
    publishing.count_for(post=post, campaign=None, by=alba, at=NOON)
    closed = Campaign.objects.get(pk=campaign.pk)
    assert closed.results == [{"what": "posts", "value": 1}, {"what": "published", "value": 0}]
    assert campaigns.results(closed)[0]["value"] == 0
    page = client.get(reverse("publishing:campaign", args=[brand.slug, campaign.pk])).content.decode()
    assert "Mejor por la mañana" in page
    with pytest.raises(NotHere):
        publishing.count_for(post=post, campaign=closed, by=alba, at=NOON)
    with pytest.raises(actions.Problem):
        actions.change(campaign=closed, by=alba, at=NOON, name="Otra")
    client.post(reverse("publishing:campaign_closure_removal", args=[brand.slug, campaign.pk]))
    opened = Campaign.objects.get(pk=campaign.pk)
    assert (opened.closed_at, opened.learned, opened.results[0]["value"]) == (None, "Mejor por la mañana", 1)


def test_its_results_count_links_orders_and_reactions_and_nothing_that_nobody_counts(brand, alba, campaign):
    link = linking.make(
        brand=brand, target="https://tienda.example/", name="Tienda", by=alba, at=NOON, campaign=campaign
    )
    whats = [one["what"] for one in campaigns.results(campaign)]
    assert whats == ["posts", "published", "people", "orders"]
    for browser in ("Firefox", "Firefox", "Chrome"):
        clicks.record(link, method="GET", headers={"User-Agent": browser}, address="192.0.2.1", at=NOON)
    order = conversions.Order("A1", 1250, "EUR", NOON, utm="utm_campaign=torrijas-de-pascua")
    conversions.record(brand=brand, order=order, kind=conversions.Kind.API, by=alba, at=NOON)
    found = {one["what"]: one["value"] for one in campaigns.results(campaign)}
    assert (found["people"], found["orders"]) == (2, 1)
    assert "12" in found["value"]


def test_the_composer_lets_a_post_belong_to_one(client, brand, other_brand, alba, carla, campaign):
    client.force_login(alba)
    client.post(
        reverse("publishing:beginning", args=[brand.slug]), {"text": "Pan", "campaign": campaign.pk, "do": "keep"}
    )
    post = Post.objects.get()
    assert (post.campaign, writing.from_post(post).campaign) == (campaign, campaign.pk)
    foreign = actions.begin(brand=other_brand, by=carla, at=NOON, name="Ajena")
    said = {"text": "Pan", "campaign": foreign.pk, "do": "keep", "seen": post.revision}
    answer = client.post(reverse("publishing:text", args=[brand.slug, post.pk]), said)
    assert (answer.status_code, Post.objects.get().campaign) == (422, campaign)


def test_who_may_only_write_closes_none(client, brand, campaign):
    client.force_login(person("Elsa", brand, role="expert"))
    answer = client.post(reverse("publishing:campaign_closure", args=[brand.slug, campaign.pk]), {"learned": "x"})
    assert (answer.status_code, Campaign.objects.get(pk=campaign.pk).closed_at) == (403, None)


def test_one_sheet_launches_drafts_on_each_network_and_the_replies_with_one_tag(client, brand, alba, monkeypatch):
    installed = registry.all_connectors()
    monkeypatch.setattr(registry, "all_connectors", lambda: {**installed, **KINDS})
    kinds = ("fake-blind", "fake-keyed", "manual", "wordpress")
    accounts = [Account.objects.create(brand=brand, kind=kind, name=kind, created_at=NOON) for kind in kinds]
    SavedReply.objects.create(brand=brand, title="¿Qué es Pan de castañas?", text="El nuestro")
    client.force_login(alba)
    soon = (NOON + timedelta(days=3000)).date()
    answer = client.post(reverse("launch", args=[brand.slug]), {
        "name": "Pan de castañas", "what": "Un pan dulce de otoño. " * 9, "good": "Sin azúcar\n· De aquí",
        "price": "4,20 €",
        "on": soon.isoformat(), "url": "horno.example/castanas", "accounts_chosen": [one.pk for one in accounts],
        "answers": "¿Lleva gluten?\r\nSí, de trigo.\r\n\r\n¿Se puede congelar?\r\nSí, en rebanadas.",
    })  # fmt: skip
    campaign = Campaign.objects.get()
    assert answer.url == reverse("publishing:campaign", args=[brand.slug, campaign.pk])
    posts = list(campaigns.posts(campaign))
    assert [post.on for post in posts] == [soon - launching.AHEAD, soon, soon + launching.AHEAD]
    assert all({one.account for one in post.versions.all()} == set(accounts) for post in posts)
    here = writing.from_post(posts[1])
    assert "4,20 €" in here.said_on(accounts[3].pk)[0].text  # a blog takes all of it
    assert "· De aquí" not in here.said_on(accounts[0].pk)[0].text  # 300 signs
    assert all(len(here.said_on(one.pk)[0].text) <= 300 for one in accounts[:2])
    replies = dict(SavedReply.objects.values_list("title", "text"))
    assert replies["¿Lleva gluten?"] == "Sí, de trigo."
    assert replies["¿Qué es Pan de castañas?"] == "El nuestro"
    assert len(replies) == 6
    assert not any(post.versions.filter(sendings__isnull=False).exists() for post in posts)  # nothing leaves by itself


def test_a_question_without_an_answer_comes_back_with_all_that_was_written(client, brand, alba, phone):
    account = Account.objects.create(brand=brand, kind="manual", name="Tablón", created_at=NOON)
    client.force_login(alba)
    said = {"name": "Pan", "what": "Pan", "answers": "¿Lleva gluten?", "accounts_chosen": [account.pk]}
    answer = client.post(reverse("launch", args=[brand.slug]), said)
    assert answer.status_code == 422
    assert "¿Lleva gluten?" in answer.content.decode()
    assert not Campaign.objects.exists()
