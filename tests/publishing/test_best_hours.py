"""Best hours on made-up posts: a planted peak is found, none is invented, and too few say nothing."""

import math
import random
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from conftest import NOON
from tertulia.channels import reactions
from tertulia.channels.models import Account, RemotePost
from tertulia.publishing import best_hours

MADRID = ZoneInfo("Europe/Madrid")
SLOTS = [(day, hour) for day in range(5) for hour in (9, 13, 18)]
PEAK = (2, 18)


def made(rng, *, posts: int, peak: float = 1.0, growth: float = 1.0, slots=SLOTS):
    """Posts at hours in turn, shuffled, with reactions as heavy-tailed as they are: most about ten, some a hundred."""
    order = [slots[number % len(slots)] for number in range(posts)]
    rng.shuffle(order)
    for number, slot in enumerate(order):
        level = 10 * growth ** (number / posts) * (peak if slot == PEAK else 1.0)
        yield slot, round(level * math.exp(rng.gauss(0, 0.6)))


@pytest.mark.parametrize("growth", [1.0, 4.0], ids=["steady", "growing"])
def test_a_planted_peak_is_found(growth):
    found = 0
    for seed in range(40):
        hours = best_hours.judge(list(made(random.Random(seed), posts=120, peak=3.0, growth=growth)))
        found += hours.is_known and (hours.best[0].weekday, hours.best[0].hour) == PEAK
    assert found >= 36


@pytest.mark.parametrize(("posts", "growth"), [(45, 1.0), (120, 1.0), (120, 4.0), (300, 1.0)])
def test_where_there_is_no_peak_one_is_rarely_invented(posts, growth):
    invented = sum(
        best_hours.judge(list(made(random.Random(seed), posts=posts, growth=growth))).is_known for seed in range(100)
    )
    assert invented <= 10  # of a hundred; five are expected, and more than ten come once in a hundred


def test_one_post_that_went_round_crowns_no_hour():
    posts = list(made(random.Random(1), posts=60))
    posts[7] = (PEAK, 5_000)
    assert not best_hours.judge(posts).is_known


def test_the_peak_is_told_with_its_posts_and_an_interval_that_holds_what_was_planted():
    held = 0
    for seed in range(40):
        hours = best_hours.judge(list(made(random.Random(seed), posts=300, peak=3.0)))
        best = hours.best[0]
        assert best.posts == 20
        usual = 3.0 / math.exp(math.log(3.0) / len(SLOTS))  # against the mean of all, which holds the peak too
        held += best.low <= usual <= best.high
        assert 1.0 < best.low < best.times < best.high
    assert held >= 34


@pytest.mark.parametrize("posts", [0, 1, 19])
def test_under_twenty_posts_nothing_is_known(posts):
    hours = best_hours.judge([(PEAK if number % 2 else (0, 9), 100 * (number % 2)) for number in range(posts)])
    assert (hours.why, hours.best, hours.posts) == ("few", [], posts)


def test_an_hour_with_two_posts_is_never_named():
    posts = [((0, 9), 10), ((1, 9), 12)] * 15 + [(PEAK, 900)] * 2
    hours = best_hours.judge(posts)
    assert PEAK not in {(one.weekday, one.hour) for one in hours.hours}
    assert hours.counts[PEAK] == 2


def test_one_hour_alone_has_nothing_to_be_compared_with():
    assert best_hours.judge([(PEAK, number) for number in range(40)]).why == "few"


def test_posts_all_alike_are_even_and_nothing_breaks():
    assert best_hours.judge([(slot, 0) for slot in SLOTS] * 4).why == "even"


@pytest.mark.django_db
def test_it_reads_the_accounts_own_posts_at_one_age_in_the_brands_clock(brand):
    account = Account.objects.create(brand=brand, kind="manual", name="Red", created_at=NOON)
    rng, first = random.Random(3), datetime(2026, 3, 2, tzinfo=MADRID)  # over the change of the clock
    for number, (slot, value) in enumerate(made(rng, posts=90, peak=4.0)):
        on = first + timedelta(weeks=number // 15, days=slot[0])
        moment = datetime(on.year, on.month, on.day, slot[1], 20, tzinfo=MADRID)
        post = RemotePost.objects.create(account=account, remote_id=f"p{number}", published_at=moment)
        reactions.keep(post=post, values={"likes": value}, at=moment + timedelta(hours=25), how="hand")
        reactions.keep(post=post, values={"likes": value * 9}, at=moment + timedelta(days=20), how="hand")
    hours = best_hours.of(account, NOON)
    assert (hours.why, hours.posts, hours.age) == ("", 90, timedelta(hours=24))
    assert (hours.best[0].weekday, hours.best[0].hour) == PEAK


@pytest.mark.django_db
def test_a_post_without_figures_is_none_without_reactions(brand):
    account = Account.objects.create(brand=brand, kind="manual", name="Red", created_at=NOON)
    for number in range(30):
        RemotePost.objects.create(account=account, remote_id=f"p{number}", published_at=NOON - timedelta(days=number))
    hours = best_hours.of(account, NOON + timedelta(days=1))
    assert (hours.why, hours.posts) == ("few", 0)
