"""Looking for posts: by account, campaign, state and words, in every view of the calendar and among all there are."""

from datetime import datetime, timedelta

import pytest
from publishing_cast import *  # noqa: F403
from publishing_cast import DUE
from time_machine import travel

from conftest import NOON
from tertulia.channels.models import Account
from tertulia.publishing import actions, calendar, finding, queries
from tertulia.publishing.models import Post
from tertulia.publishing.saying import Piece, Wanted
from tertulia.strategy.models import Campaign

pytestmark = pytest.mark.django_db
NINE = datetime(2026, 11, 24, 9)


@pytest.fixture(autouse=True)
def at_noon():
    with travel(NOON, tick=False):
        yield


@pytest.fixture
def home(brand) -> str:
    return f"/b/{brand.slug}/posts/"


@pytest.fixture
def accounts(brand) -> list[Account]:
    return [
        Account.objects.create(brand=brand, kind="manual", name=name, created_at=NOON) for name in ("Tablón", "Feria")
    ]


@pytest.fixture
def write(brand, alba):
    def write(text: str, *accounts: Account, wall: datetime | None = NINE, title: str = "") -> Post:
        versions = {one.pk: Wanted() for one in accounts}
        post = actions.create(
            brand=brand, by=alba, at=NOON, title=title, pieces=[Piece(text)], versions=versions
        )  # fmt: skip
        if wall:
            actions.plan(post=post, wall=wall, by=alba, at=NOON)
        return post

    return write


def shown(page) -> list[str]:
    """The posts that a view has drawn, in the order of the page."""
    context = page.context
    if context["view"] == "board":
        entries = [entry for column in context["columns"] for entry, _when in column.entries]
    elif context["view"] == "all":
        entries = [entry for entry, _when in context["found"]]
    else:
        days = context["days"] if context["view"] == "list" else [day for week in context["weeks"] for day in week]
        entries = [entry for day in days for entry in day.entries]
    return [entry.title for entry in entries]


@pytest.mark.parametrize("view", calendar.VIEWS)
def test_every_view_shows_only_what_is_looked_for(write, accounts, brand, alba, as_alba, home, view):
    campaign = Campaign.objects.create(brand=brand, name="Feria", tag="feria", created_by_id=alba.pk, created_at=NOON)
    rye, spelt, other = (
        write("Pan de centeno", accounts[0], title="Uno"), write("Pan de espelta", accounts[1], title="Dos"),
        write("Tarta", accounts[1], title="Tres"),
    )  # fmt: skip
    Post.objects.filter(pk=spelt.pk).update(campaign=campaign)
    actions.schedule(post=other, by=alba, at=NOON)

    def found(asked: str) -> set[str]:
        return set(shown(as_alba.get(f"{home}?view={view}&on=2026-11-23&{asked}")))

    assert found("") == {"Uno", "Dos", "Tres"}
    assert found(f"account={accounts[1].pk}") == {"Dos", "Tres"}
    assert found(f"campaign={campaign.pk}") == {"Dos"}
    assert found("state=draft") == {"Uno", "Dos"}
    assert found("state=approval") == set()  # no row of the database tells these from drafts
    assert found("state=scheduled") == {"Tres"}
    assert found("q=CENTENO pan") == {"Uno"}
    assert found("q=dos") == {"Dos"}
    assert found(f"q=pan&account={accounts[1].pk}") == {"Dos"}
    assert found("q=nada") == set()
    assert rye.title == "Uno"


def test_a_day_counts_only_those_that_stand_so(write, accounts, alba, as_alba, home):
    for minute in range(6):
        post = write(f"Pan {minute}", accounts[0], wall=NINE + timedelta(minutes=minute))
        if minute:
            actions.schedule(post=post, by=alba, at=NOON)
    weeks = as_alba.get(f"{home}?view=month&state=scheduled").context["weeks"]
    [day] = [day for week in weeks for day in week if day.on == "2026-11-24"]
    assert (len(day.entries), day.more) == (4, 1)
    assert "state=scheduled" in day.more_url


@pytest.mark.parametrize("state", finding.STAGES)
def test_what_stands_in_a_stage_is_found_and_nothing_else(network, account_of, post_on, write, go_on, alba, state):
    left, missed = post_on(account_of()), post_on(account_of(name="otra"))
    write("Borrador", account_of(name="tercera"))
    actions.cancel(post=post_on(account_of(name="cuarta")), by=alba, at=NOON)
    late = actions.schedule(post=write("Luego", account_of(name="quinta")), by=alba, at=NOON)
    queries.deliveries(left.brand).filter(account__name="otra").update(state="missed")
    go_on(DUE, minutes=1)
    by_state = {
        "draft": ["Borrador"], "scheduled": [late.title], "stuck": [missed.title], "published": [left.title],
        "cancelled": [left.title],
    }  # fmt: skip
    found, _after = finding.Filters(state=state).page(queries.posts(left.brand), 10)
    titles = [queries.posts(left.brand).get(pk=id).title for id in found]
    assert titles == by_state.get(state, [])


def test_every_draft_without_a_day_can_be_reached(write, as_alba, home, monkeypatch):
    monkeypatch.setattr("tertulia.publishing.calendar.A_LIST", 10)
    for number in range(25):
        write(f"Borrador {number}", wall=None)
    beside = as_alba.get(home).context
    assert len(beside["drafts"]) == calendar.DRAFTS
    address, seen = beside["drafts_url"], []
    while address:
        page = as_alba.get(address)
        seen += shown(page)
        address = page.context["later"]
    assert sorted(seen) == sorted(f"Borrador {number}" for number in range(25))
    assert "sin día" in page.content.decode()


def test_a_full_column_of_the_board_leads_to_all_of_its_posts(write, as_alba, home):
    for number in range(calendar.A_COLUMN + 1):
        write(f"Borrador {number}", wall=None)
    page = as_alba.get(f"{home}?view=board")
    [more] = [column.more_url for column in page.context["columns"] if column.more_url]
    assert more.replace("&", "&amp;") in page.content.decode()
    assert len(shown(as_alba.get(more))) == calendar.A_COLUMN + 1


def test_among_few_that_stand_so_the_next_page_goes_on_where_nobody_has_looked(write, brand, monkeypatch):
    monkeypatch.setattr(finding, "LOOKED_AT", 4)
    monkeypatch.setattr(finding, "AT_ONCE", 2)
    for number in range(5):
        write(f"Pan {number}", wall=None)
    posts = Post.objects.filter(brand=brand).order_by("pk")
    ids = [post.pk for post in posts]
    asked = finding.Filters(state="approval")
    assert asked.page(posts, 3) == ([], ids[3])
    assert asked.page(posts.filter(pk__gt=ids[3]), 3) == ([], None)
    assert finding.Filters(state="draft").page(posts, 3) == (ids[:3], ids[2])


def test_what_is_looked_for_stays_when_a_post_is_moved(write, accounts, as_alba, home):
    write("Pan", accounts[0])
    post = write("Tarta", accounts[1])
    moved = {"on": "2026-11-25", "view": "month", "shown": "2026-11-23", "account": accounts[1].pk}
    page = as_alba.post(f"{home}{post.pk}/time/", moved, HTTP_HX_REQUEST="true")
    assert shown(page) == ["Tarta"]
    assert f'data-account="{accounts[1].pk}"' in page.content.decode()


def test_what_is_looked_for_goes_along_to_other_views_and_days(write, accounts, as_alba, home):
    write("Pan", accounts[0])
    context = as_alba.get(f"{home}?view=week&q=pan y sal").context
    addresses = [context["before_url"], context["after_url"], *(address for _name, _label, address in context["views"])]
    assert all("q=pan+y+sal&view=" in address for address in addresses)


def test_the_calendar_asks_nothing_more_where_nothing_is_looked_for(
    write, as_alba, home, django_assert_max_num_queries
):  # fmt: skip
    write("Pan")
    with django_assert_max_num_queries(17):
        page = as_alba.get(home).content.decode()
    assert 'name="account"' not in page
    assert 'name="account"' in as_alba.get(f"{home}?sift=1").content.decode()


def test_an_entry_names_its_accounts_where_no_pointer_can_rest_on_it(write, accounts, as_alba, home):
    write("Pan", *accounts)
    assert '<span class="entry__accounts">Feria, Tablón</span>' in as_alba.get(home).content.decode()


@pytest.mark.parametrize("asked", ["account=9e9", "account=99999999999999999999", "state=otra", "campaign=-1", "q=%00"])
@pytest.mark.parametrize("view", calendar.VIEWS)
def test_odd_questions_look_for_nothing(write, as_alba, home, view, asked):
    write("Pan")
    assert shown(as_alba.get(f"{home}?view={view}&on=2026-11-23&{asked}")) == ["Pan"]


def test_another_brands_account_and_campaign_find_nothing_of_ours(write, accounts, as_carla, other_brand, home):
    write("Pan secreto", accounts[0])
    for view in calendar.VIEWS:
        address = f"/b/{other_brand.slug}/posts/?view={view}&on=2026-11-23&account={accounts[0].pk}&q=secreto&sift=1"
        page = as_carla.get(address)
        assert shown(page) == []
        assert accounts[0].name not in page.content.decode()
