"""The reading list: what the brand's feeds published, and what each person has read and kept of it."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conftest import NOON, envelope
from tertulia.channels.models import Account, Message
from tertulia.connectors.contract import Author
from tertulia.flows import inbound
from tertulia.listening import queries
from tertulia.listening.models import Mark

pytestmark = pytest.mark.django_db
READING = "/b/horno-candela/reading/"


def feed(brand, name: str) -> Account:
    return Account.objects.create(brand=brand, kind="feed", name=name, created_at=NOON)


def publish(account: Account, title: str, *, minutes: int = 0, text: str = "", **said) -> Message:
    author = Author("by eva", name="Eva")
    article = envelope(
        text or f"Cuerpo de {title}", remote_id=title, thread="articles", subject=title, kind="article", author=author,
        minutes=minutes, **said,
    )  # fmt: skip
    inbound.intake(account, [article], at=NOON + timedelta(minutes=minutes))
    return Message.objects.get(account=account, remote_id=title)


@pytest.fixture
def trade(brand) -> Account:
    return feed(brand, "Gremio")


@pytest.fixture
def paper(brand) -> Account:
    return feed(brand, "Diario")


def shown(client, query: str = "") -> list[str]:
    """The titles, in the order of the page."""
    html = client.get(f"{READING}{query}").content.decode()
    return re.findall(r'class="row__link"[^>]*><bdi>(.*?)</bdi>', html)


def test_articles_of_all_sources_stand_newest_first(as_alba, trade, paper):
    for minutes, (account, title) in enumerate([(trade, "Uno"), (paper, "Dos"), (trade, "Tres")]):
        publish(account, title, minutes=minutes)
    assert shown(as_alba) == ["Tres", "Dos", "Uno"]
    assert shown(as_alba, f"?source={trade.pk}") == ["Tres", "Uno"]


def test_pages_follow_one_another_without_gap_or_double(as_alba, trade, paper):
    for minutes in range(queries.PAGE * 2 + 5):
        publish([trade, paper][minutes % 2], f"N.º {minutes}", minutes=minutes // 3)  # some at the same moment
    seen, query = [], ""
    while True:
        html = as_alba.get(f"{READING}{query}").content.decode()
        seen += re.findall(r"<bdi>N\.º (\d+)</bdi>", html)
        more = re.search(r'hx-get="(\?[^"]+)"', html)
        if not more:
            break
        query = more[1].replace("&amp;", "&")
    assert [int(number) for number in seen] == list(range(queries.PAGE * 2 + 4, -1, -1))


@pytest.mark.parametrize("query", ["?after=x", "?after=9-", f"?after={'9' * 40}-1", "?source=ñ", "?only=x", "?q=%00"])
def test_an_odd_address_is_no_harm(as_alba, trade, query):
    publish(trade, "Uno")
    assert as_alba.get(f"{READING}{query}").status_code == 200


def test_a_page_takes_the_same_number_of_statements_however_many_sources(as_alba, brand):
    counts = []
    for number in range(12):
        publish(feed(brand, f"Blog {number}"), f"Título {number}", minutes=number)
        if number in {1, 11}:
            as_alba.get(READING)
            with CaptureQueriesContext(
                connection,
            ) as asked:
                as_alba.get(READING)
            counts.append(len(asked))
    assert counts[0] == counts[1]


def test_more_sources_than_one_statement_joins_are_all_read(brand, alba, monkeypatch):
    monkeypatch.setattr(queries, "TOGETHER", 2)
    sources = [feed(brand, f"Blog {number}") for number in range(5)]
    for number, source in enumerate(sources):
        publish(source, f"Título {number}", minutes=number)
    rows = queries.shelf(brand, alba, sources, queries.Filters()).rows
    assert [row.article.subject for row in rows] == [f"Título {number}" for number in range(4, -1, -1)]


def test_what_one_opens_is_read_by_oneself_alone(as_alba, as_bruno, trade):
    article = publish(trade, "Uno", text="Hola")
    publish(trade, "Dos", minutes=1)
    assert "Hola" in as_alba.get(f"{READING}{article.pk}/").content.decode()
    assert shown(as_alba, "?only=unread") == ["Dos"]
    assert shown(as_bruno, "?only=unread") == ["Dos", "Uno"]


def test_everything_is_marked_as_read_at_once_and_what_comes_later_is_not(as_alba, trade, time_machine):
    publish(trade, "Uno")
    time_machine.move_to(NOON + timedelta(minutes=5), tick=False)
    as_alba.post(f"{READING}catching-up/")
    publish(trade, "Dos", minutes=10)
    assert shown(as_alba, "?only=unread") == ["Dos"]
    assert shown(as_alba) == ["Dos", "Uno"]


def test_a_star_is_put_on_and_taken_off(as_alba, as_bruno, trade):
    article = publish(trade, "Uno")
    publish(trade, "Dos", minutes=1)
    answer = as_alba.post(f"{READING}{article.pk}/star/", headers={"HX-Request": "true"})
    assert 'aria-pressed="true"' in answer.content.decode()
    as_alba.post(f"{READING}{article.pk}/star/")
    assert (shown(as_alba, "?only=starred"), shown(as_bruno, "?only=starred")) == (["Uno"], [])
    assert as_alba.post(f"{READING}{article.pk}/star/removal/").status_code == 302
    assert shown(as_alba, "?only=starred") == []
    assert Mark.objects.get().read_at is None


def test_articles_are_found_by_their_words_and_other_messages_are_not(as_alba, trade, paper, site):
    publish(trade, "La feria de la panadería", text="En mayo")
    publish(paper, "Panaderías que cierran", minutes=1)
    inbound.intake(site, [envelope("¿Es esto una panadería?")], at=NOON)
    assert shown(as_alba, "?q=panaderias") == ["Panaderías que cierran", "La feria de la panadería"]
    assert shown(as_alba, f"?q=panaderia+mayo&source={trade.pk}") == ["La feria de la panadería"]
    assert shown(as_alba, "?q=horno") == []


def test_an_article_runs_nothing_and_loads_nothing(as_alba, trade):
    html = '<p>Hola <a href="javascript:alert(1)">x</a><img src="https://t.example/p.gif"><script>alert(1)</script></p>'
    article = publish(trade, "<b>Uno</b>", html=html, url="https://blog.example/1")
    page = as_alba.get(f"{READING}{article.pk}/").content.decode()
    body = page.split('class="article__text">')[1].split("</article>")[0]
    assert not re.search(r"<script|<img|javascript:", body)
    assert "&lt;b&gt;Uno&lt;/b&gt;" in page
    assert 'href="https://blog.example/1"' in page


def test_another_brands_articles_are_not_there(as_alba, other_brand, trade):
    article = publish(feed(other_brand, "Ajeno"), "Secreto")
    publish(trade, "Uno")
    assert shown(as_alba) == ["Uno"]
    assert shown(as_alba, f"?source={article.account_id}") == []
    assert as_alba.get(f"{READING}{article.pk}/").status_code == 404
    assert as_alba.post(f"{READING}{article.pk}/star/").status_code == 404


def test_a_conversations_message_is_no_article(as_alba, site):
    inbound.intake(site, [envelope("Hola")], at=NOON)
    assert as_alba.get(f"{READING}{Message.objects.get().pk}/").status_code == 404
    assert "Nothing to read yet" in as_alba.get(READING, headers={"Accept-Language": "en"}).content.decode()
