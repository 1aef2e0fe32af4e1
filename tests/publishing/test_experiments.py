"""Experiments: what has to be said before, whose turn it is, and a verdict that owns up to what it can't tell."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, time, timedelta

import numpy as np
import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import translation
from time_machine import travel

from conftest import NOON, person
from tertulia.brand import actions as brands
from tertulia.channels import reactions as facts
from tertulia.channels.models import Account, Delivery, RemotePost
from tertulia.core import jobs
from tertulia.core.models import Activity
from tertulia.flows import ticks
from tertulia.publishing import (
    actions,
    approval,
    checks,
    comparing,
    dealing,
    evergreen,
    experiments,
    queries,
    reminders,
    rhythm,
    sameness,
    series,
    verdicts,
    writing,
)
from tertulia.publishing.models import (
    ApprovalRule,
    Click,
    Experiment,
    Link,
    LinkLook,
    LinkSettings,
    Post,
    Sending,
    Series,
    Turn,
    Version,
)
from tertulia.publishing.problems import Problem, TooLate
from tertulia.publishing.saying import Piece, Wanted
from tertulia.publishing.series import Rule
from tertulia.publishing.verdicts import Point
from tertulia.team import notices
from tertulia.team.models import Membership, Notification, User

DAY = timedelta(days=1)
WORDS = {"title": "Preguntar", "hypothesis": "Una pregunta trae más respuestas", "measure": "replies"}


@pytest.fixture(autouse=True)
def at_noon_in_english():
    with travel(NOON, tick=False), translation.override("en"):
        yield


# What chance makes of it.


def counts(dice: np.random.Generator, pairs: int, times: float = 1.0) -> list[tuple[int, int]]:
    """Pairs of counts as posts have them: days differ far more than wordings do, and counts are spread wide."""
    days = dice.lognormal(3, 0.5, pairs)
    return [tuple(dice.poisson(day * dice.lognormal(0, 0.25, 2) * (1, times))) for day in days]


def test_without_a_difference_a_winner_is_named_in_one_of_twenty_experiments_at_most():
    dice, won, surely = np.random.default_rng(7), 0, 0
    for _run in range(400):
        pairs = [(int(a), int(b)) for a, b in counts(dice, 9)]
        found = comparing.compare(pairs)
        surely += found.chance <= comparing.SURE
        won += verdicts.judge(points_of(pairs), wanted=9, matters=0.01).outcome in "ab"
    assert won <= surely <= 0.05 * 400
    assert surely >= 4, "a test that never says anything proves nothing"


@pytest.mark.parametrize(("times", "winner"), [(2.0, "b"), (0.5, "a")])
def test_a_large_difference_is_found(times, winner):
    dice = np.random.default_rng(8)
    runs = [verdicts.judge(points_of(counts(dice, 9, times)), wanted=9, matters=0.2).outcome for _run in range(60)]
    assert runs.count(winner) >= 54
    assert runs.count("a" if winner == "b" else "b") == 0


def test_the_interval_holds_what_is_true_as_often_as_it_says():
    dice, held = np.random.default_rng(9), 0
    for _run in range(400):
        found = comparing.compare(counts(dice, 9, 1.5))
        held += found.low <= 1.5 <= (found.high or np.inf)
    assert held >= 0.93 * 400


@pytest.mark.parametrize("highest", [1, 3, 50])
def test_the_interval_leaves_out_no_difference_exactly_where_chance_is_small(highest):
    dice = np.random.default_rng(highest)
    for many in [*range(10)] * 20:
        check_both_ways([(int(a), int(b)) for a, b in dice.integers(0, highest + 1, (many, 2))])


def check_both_ways(pairs):
    found, other = comparing.compare(pairs), comparing.compare([(b, a) for a, b in pairs])
    high = np.inf if found.high is None else found.high
    assert (found.chance > comparing.SURE) == (found.low <= 1 <= high)
    assert found.chance == other.chance, "which one is called A is no matter"
    if found.ratio is not None:
        assert found.low <= found.ratio <= high


def test_exact_by_hand():
    six = [(1, 2), (2, 3), (1, 4), (3, 5), (2, 6), (4, 5)]  # each time B: 1 of 64 ways, on either side
    found = comparing.compare(six)
    assert (found.chance, found.ratio, found.low, found.high) == (2 / 64, 25 / 13, 5 / 4, 4.0)
    five = comparing.compare(six[:5])
    assert (five.chance, five.low, five.high) == (2 / 32, 0.0, None)
    nothing = comparing.compare([(0, 0)] * 9)
    assert (nothing.ratio, nothing.low, nothing.high, nothing.chance) == (None, 0.0, None, 1.0)
    assert comparing.compare([(0, 3)] * 6).ratio is None


def test_many_pairs_are_drawn_the_same_each_time():
    pairs = [(int(a), int(b)) for a, b in counts(np.random.default_rng(3), 40, 1.3)]
    assert comparing.compare(pairs) == comparing.compare(pairs)


def test_rates_are_exact_by_hand_and_name_a_winner_by_chance_seldom():
    found = comparing.rates(0, 100, 6, 100)
    assert (found.ratio, found.chance, found.high) == (None, pytest.approx(2 / 64), None)
    found = comparing.rates(10, 100, 10, 200)
    assert found.ratio == pytest.approx(0.5)
    assert found.low < 0.5 < found.high
    assert comparing.rates(0, 50, 0, 50).chance == 1.0
    dice = np.random.default_rng(6)
    runs = [comparing.rates(*(int(x) for x in (dice.binomial(500, 0.06), 500, dice.binomial(400, 0.06), 400)))
            for _run in range(400)]  # fmt: skip
    assert 1 <= sum(one.chance <= comparing.SURE for one in runs) <= 20
    assert all((one.chance <= comparing.SURE) == (not one.low <= 1 <= (one.high or np.inf)) for one in runs)


# The verdict.


def points_of(pairs) -> list[Point]:
    return [Point(2 * n + side, "ab"[side], None, int(pair[side])) for n, pair in enumerate(pairs) for side in (0, 1)]


def test_below_the_number_that_was_said_there_is_no_winner():
    clear = [(1, 9)] * 7
    found = verdicts.judge(points_of(clear), wanted=8, matters=0.2)
    assert (found.outcome, found.pairs, found.more) == ("few", 7, 1)
    assert verdicts.judge(points_of([*clear, (1, 9)]), wanted=8, matters=0.2).outcome == "b"


def test_what_comes_after_that_number_is_not_looked_at():
    pairs = [(5, 5)] * 8 + [(1, 99)] * 30
    found = verdicts.judge(points_of(pairs), wanted=8, matters=0.2)
    assert (found.pairs, found.sums, found.outcome) == (8, (40, 40), "same")


def test_a_difference_smaller_than_what_matters_is_none():
    pairs = [(100, 104), (200, 207), (300, 311), (400, 420), (500, 514), (600, 622), (100, 105), (150, 154)]
    found = verdicts.judge(points_of(pairs), wanted=8, matters=0.2)
    assert (found.chance < 0.01, found.outcome) == (True, "same")
    assert verdicts.judge(points_of(pairs), wanted=8, matters=0.01).outcome == "b"


def test_where_it_can_be_neither_told_nor_ruled_out_it_says_how_many_more():
    dice = np.random.default_rng(5)
    found = verdicts.judge(points_of(counts(dice, 8, 1.1)), wanted=8, matters=0.1)
    assert found.outcome == "few"
    assert 20 < found.more < 400


def test_a_turn_that_does_not_count_takes_its_pair_along():
    points = points_of([(1, 9)] * 8)
    points[3] = Point(3, "b", None, None, "gone")
    assert verdicts.judge(points, wanted=8, matters=0.2).pairs == 7


# Whose turn it is.


@pytest.mark.parametrize("seed", ["", "a", "b", "ñandú", "x" * 32])
def test_each_pair_has_both_wordings_in_an_order_of_its_own(seed):
    dealt = [dealing.arm_of(seed, number) for number in range(200)]
    assert all({dealt[n], dealt[n + 1]} == {"a", "b"} for n in range(0, 200, 2))
    assert dealt == [dealing.arm_of(seed, number) for number in range(200)]
    assert 20 < sum(first == "a" for first in dealt[::2]) < 80


@pytest.fixture
def account(brand):
    return Account.objects.create(brand=brand, kind="mastodon", name="Mastodon", created_at=NOON, settings={})


@pytest.fixture
def model(account, brand, alba):
    return actions.create(
        brand=brand, by=alba, at=NOON, pieces=[Piece("Hoy, pan de pueblo")], versions={account.pk: Wanted()}
    )


@pytest.fixture
def weekly(brand, alba, model) -> Series:
    rule = Rule(time=time(9), zone="Europe/Madrid", starts_on=date(2026, 11, 24), weekdays=[1, 3], ahead_days=30,
                texts=["Otra cosa"])  # fmt: skip
    return series.begin(brand=brand, post=model, rule=rule, by=alba, at=NOON)


def begin(post, by, **said) -> Experiment:
    wording = {"text_b": "¿Y si hoy pan de pueblo?", "pairs": 6}
    return experiments.begin(post=post, by=by, at=NOON, **{**WORDS, **wording, **said})


def laid_out(one: Series) -> list[tuple[str, str]]:
    """By day, the turn of each post and what it says."""
    found = []
    for each in one.occurrences.select_related("post").order_by("on"):
        turn = Turn.objects.filter(post=each.post).first()
        found.append((turn.arm if turn else "", experiments.wording_of(each.post)))
    return found


SAYS = {"a": "Hoy, pan de pueblo", "b": "¿Y si hoy pan de pueblo?"}


@pytest.mark.django_db
@pytest.mark.parametrize("lacking", ["hypothesis", "measure"])
def test_it_needs_a_hypothesis_and_a_measure_to_start(weekly, model, alba, as_alba, brand, lacking):
    with pytest.raises(Problem, match="Say first what you expect"):
        begin(model, alba, **{lacking: " "})
    said = {**WORDS, "text_b": "B", "pairs": 6, "expects": "b", "matters": 20, "hours": 24, "owner": alba.pk,
            lacking: ""}  # fmt: skip
    url = reverse("publishing:experiment_beginning", args=[brand.slug])
    assert as_alba.post(f"{url}?post={model.pk}", said).status_code == 422
    assert not Experiment.objects.exists()
    assert as_alba.post(f"{url}?post={model.pk}", {**said, lacking: WORDS[lacking]}).status_code == 302
    with pytest.raises(IntegrityError), transaction.atomic():
        Experiment.objects.update(**{lacking: ""})


@pytest.mark.django_db
def test_days_to_come_are_dealt_at_once_and_what_somebody_touched_is_not(weekly, model, alba):
    second = weekly.occurrences.order_by("on")[1].post
    said = {"pieces": [Piece("Pan de otro")], "versions": {version.account_id: Wanted() for version in
            second.versions.all()}}  # fmt: skip
    actions.save(post=second, seen=1, by=alba, at=NOON, **said)
    one = begin(model, alba)
    dealt = laid_out(weekly)
    assert dealt[1] == ("", "Pan de otro")
    rest = dealt[:1] + dealt[2:]
    assert [arm for arm, _text in rest] == [dealing.arm_of(one.seed, number) for number in range(len(rest))]
    assert [text for _arm, text in rest] == [SAYS[arm] for arm, _text in rest]


@pytest.mark.django_db
def test_what_was_dealt_stays_however_often_it_is_laid_out(weekly, model, alba):
    begin(model, alba)
    before = laid_out(weekly)
    for _again in range(3):
        series.lay_out(series=weekly, at=NOON)
        series.follow(model=model, at=NOON)
    assert laid_out(weekly) == before
    series.skip(series=weekly, on=date(2026, 12, 3), by=alba, at=NOON)
    series.take_up(series=weekly, on=date(2026, 12, 3), by=alba, at=NOON)
    assert sorted(laid_out(weekly)) == sorted(before), "a turn that came free is dealt again"


@pytest.mark.django_db
def test_a_crash_between_a_post_and_its_turn_leaves_neither(weekly, model, alba, monkeypatch):
    begin(model, alba)
    before = Post.objects.count(), Turn.objects.count()

    def dies(turn, post):
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(dealing, "take", dies)
        with pytest.raises(MemoryError):
            series.lay_out(series=weekly, at=NOON + 7 * DAY)
    assert (Post.objects.count(), Turn.objects.count()) == before
    series.lay_out(series=weekly, at=NOON + 7 * DAY)
    turns = list(Turn.objects.order_by("number").values_list("number", flat=True))
    assert turns == list(range(len(turns)))


@pytest.mark.django_db
def test_repetitions_of_a_text_that_does_not_age_take_turns_too(model, alba, brand):
    text = evergreen.add(post=model, rest_days=1, by=alba, at=NOON)
    one = begin(text.model, alba)
    for day in range(1, 9):
        post = evergreen.repeat(evergreen=text, wall=(NOON + day * DAY).replace(tzinfo=None), by=alba, at=NOON)
        assert experiments.wording_of(post) == SAYS[dealing.arm_of(one.seed, day - 1)]
    assert experiments.wording_of(text.model) == SAYS["a"]


@pytest.mark.django_db
def test_what_was_learned_stays_when_a_text_is_repeated_no_more(account, brand, alba):
    post = actions.create(brand=brand, by=alba, at=NOON, pieces=[Piece("Pan")], versions={account.pk: Wanted()})
    leave(post, at=NOON - DAY)
    text = evergreen.add(post=post, by=alba, at=NOON)
    one = begin(text.model, alba)
    experiments.close(experiment=one, learned="Nada", by=alba, at=NOON)
    evergreen.remove(evergreen=text, by=alba, at=NOON)
    assert Experiment.objects.get().learned == "Nada"


@pytest.mark.django_db
def test_whoever_wrote_wording_b_does_not_approve_it(weekly, model, alba, bruno, brand):
    boss = person("Diana", brand)
    rule = ApprovalRule(brand=brand, words="pan")
    actions.save_rule(rule=rule, steps=[{"users": [bruno, boss]}], by=alba, at=NOON)
    begin(model, bruno)
    post = Turn.objects.filter(arm="b").first().post
    request = approval.ask(post=post, by=alba, at=NOON)
    assert approval.place_of(request).users == {boss.pk}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"text_b": " Hoy, pan de pueblo "}, "has to say something else"),
        ({"measure": "clicks"}, "isn't known of Mastodon"),
        ({"measure": "views"}, "Say first what you expect"),
    ],
)
def test_what_can_not_be_compared_does_not_begin(weekly, model, alba, said, why):
    with pytest.raises(Problem, match=why):
        begin(model, alba, **said)
    assert not Experiment.objects.exists()


@pytest.mark.django_db
def test_clicks_are_a_measure_only_where_both_wordings_have_a_link_that_is_shortened(weekly, model, alba, brand):
    LinkSettings.objects.create(brand=brand, shortens=True)
    with pytest.raises(Problem, match="each wording needs an address"):
        begin(model, alba, measure="clicks")


@pytest.mark.django_db
def test_two_experiments_at_once_with_the_same_post_are_refused(weekly, model, alba):
    begin(model, alba)
    with pytest.raises(Problem, match="running already"):
        begin(model, alba)


# Before it leaves.


def amiss(post, brand, **said) -> list[tuple[str, str]]:
    """Of the list, the lines that are about one wording."""
    written = writing.from_post(queries.whole(brand).get(pk=post.pk))
    found = checks.check(written, brand=brand, post=post, at=NOON, **said)
    return [(line.tone, line.says) for line in found.lines if line.wording]


@pytest.fixture
def avoids(brand):
    brands.avoid(brand=brand, words=[("barato", "asequible")], at=NOON)


@pytest.mark.django_db
def test_each_wording_is_looked_at_like_the_common_text_and_named(weekly, model, alba, brand, avoids):
    Series.objects.update(texts=["Pan barato", "Pan " * 126, "Su pan le espera. Venga usted."])
    begin(model, alba, text_b="Pan barato en http://pan")
    assert amiss(model, brand) == [
        ("soon", "Wording B: This link looks broken: http://pan"),
        ("soon", "Wording B: The brand avoids “barato”: it says “asequible”."),
        ("soon", "Wording 2: The brand avoids “barato”: it says “asequible”."),
        ("late", "Wording 3: Mastodon: It is too long: 504 of 500."),
        ("soon", "Wording 4: The brand addresses people as «tú», and here they read otherwise: «usted»."),
    ]
    with translation.override("es"):
        assert amiss(model, brand)[1][1].startswith("Redacción B: La marca evita «barato»")


@pytest.mark.django_db
def test_a_wording_like_what_was_published_lately_is_told_but_for_its_own_series(weekly, model, alba, brand, account):
    said = {"brand": brand, "by": alba, "at": NOON, "versions": {account.pk: Wanted()}}
    other = actions.create(pieces=[Piece("Pan de pueblo recién hecho con masa madre, ya en el horno")], **said)
    own = weekly.occurrences.earliest("on").post
    own.parts.update(text="Otra cosa")
    for each in (other, own):
        publish(each, account)
    Series.objects.update(texts=["Pan de pueblo recién hecho con masa madre ya en el horno", "Otra cosa"])
    assert amiss(model, brand) == [
        ("soon", f"Wording 2: Very like “{other.title}”, published on {NOON - DAY:%d/%m/%Y}.")
    ]
    assert amiss(weekly.occurrences.latest("on").post, brand) == []


def publish(post, account) -> None:
    """Yesterday."""
    when = {"on": date(2026, 11, 22), "time": time(12), "zone": "Europe/Madrid"}
    Post.objects.filter(pk=post.pk).update(publish_at=NOON - DAY, **when)
    there = RemotePost.objects.create(account=account, published_at=NOON - DAY)
    Sending.objects.update_or_create(
        version=post.versions.get(), number=0, defaults={"remote": there, "revision": post.revision}
    )


@pytest.mark.django_db
def test_the_composer_draws_each_wording_wherever_it_is_said(weekly, model, alba, as_alba, brand, account):
    own = Account.objects.create(brand=brand, kind="mastodon", name="Otra", created_at=NOON, settings={})
    wanted = {account.pk: Wanted(), own.pk: Wanted((Piece("Aquí, otra cosa"),))}
    actions.save(post=model, seen=1, pieces=[Piece("Hoy, pan de pueblo")], versions=wanted, by=alba, at=NOON)
    Series.objects.update(texts=[])
    begin(model, alba)
    page = as_alba.get(reverse("publishing:text", args=[brand.slug, model.pk])).content.decode()
    usual, _, worded = page.partition('class="worded"')
    assert ('aria-label="Mastodon"' in usual, 'aria-label="Otra"' in usual) == (True, True)
    assert ("Redacción B</summary>" in worded, SAYS["b"] in worded, SAYS["b"] in usual) == (True, True, False)
    assert ('aria-label="Mastodon, Redacción B"' in worded, "Otra, Redacción B" in worded) == (True, False)


@pytest.mark.django_db
def test_on_an_account_with_a_text_of_its_own_no_wording_is_too_long(weekly, model, alba, brand, account):
    Series.objects.update(texts=["Pan " * 126])
    assert len(amiss(model, brand)) == 1
    own = {account.pk: Wanted((Piece("Aquí, otra cosa"),))}
    actions.save(post=model, seen=1, pieces=[Piece("Hoy, pan de pueblo")], versions=own, by=alba, at=NOON)
    assert amiss(model, brand) == []


@pytest.mark.django_db
def test_what_the_network_says_of_both_wordings_is_said_once_and_of_a_closed_one_nothing(weekly, model, alba, brand):
    Series.objects.update(texts=[])
    model.parts.update(text="Pan " * 126)
    one = begin(model, alba, text_b="Col " * 126)
    assert amiss(model, brand) == [], "that of the common text stands there already"
    brands.avoid(brand=brand, words=[("col", "")], at=NOON)
    assert len(amiss(model, brand)) == 1
    experiments.close(experiment=one, learned="Nada", by=alba, at=NOON)
    assert amiss(model, brand) == []


@pytest.mark.django_db
def test_a_dead_link_in_one_wording_is_asked_and_told_as_that_wording(weekly, model, alba, as_alba, brand):
    begin(model, alba, text_b="Pan: https://pan.example/no")
    page = reverse("publishing:series", args=[brand.slug, weekly.pk])
    as_alba.get(page)
    look = LinkLook.objects.get(target="https://pan.example/no")
    assert f"look={look.pk}.B" in as_alba.get(page).content.decode()
    LinkLook.objects.update(asked_at=NOON, status=404)
    says = "Redacción B, <bdi>https://pan.example/no</bdi>: no hay nada (404"
    assert says in as_alba.get(page).content.decode()
    looks = reverse("publishing:looks", args=[brand.slug])
    assert says in as_alba.get(f"{looks}?look={look.pk}.B&look=7.<b>&look=x").content.decode()


def known_in(answer) -> str:
    return answer.content.decode().split('name="known" value="')[1].split('"')[0]


@pytest.mark.django_db
def test_wording_b_is_looked_at_before_it_begins_and_stops_the_hand_once(weekly, model, alba, as_alba, brand, avoids):
    url = f"{reverse('publishing:experiment_beginning', args=[brand.slug])}?post={model.pk}"
    said = {**WORDS, "text_b": "Pan barato", "pairs": 6, "expects": "b", "matters": 20, "hours": 24, "owner": alba.pk}
    answer = as_alba.post(url, said)
    assert (answer.status_code, Experiment.objects.count()) == (422, 0)
    assert "Redacción B: La marca evita «barato»" in answer.content.decode()
    assert as_alba.post(url, {**said, "text_b": "Pan " * 126, "known": known_in(answer)}).status_code == 422
    assert not Experiment.objects.exists(), "what no network takes doesn't begin, and nobody could change it any more"
    assert as_alba.post(url, {**said, "known": known_in(answer)}).status_code == 302
    assert Experiment.objects.get().text_b == "Pan barato"


@pytest.mark.django_db
def test_other_wordings_of_what_leaves_by_itself_are_seen_before_they_are_kept(weekly, as_alba, brand, avoids):
    url = reverse("publishing:series", args=[brand.slug, weekly.pk])
    said = {
        "every": 1, "unit": "week", "weekdays": [1, 3], "month_day": 1, "time": "09:00", "zone": "Europe/Madrid",
        "starts_on": "2026-11-24", "ahead_days": 30, "then": "schedule", "texts": "Otra cosa\n---\nPan barato",
    }  # fmt: skip
    answer = as_alba.post(url, said)
    assert answer.status_code == 422
    assert "Redacción 3: La marca evita «barato»" in answer.content.decode()
    assert Series.objects.get().texts == ["Otra cosa"]
    assert as_alba.post(url, said | {"known": known_in(answer)}).status_code == 302
    assert Series.objects.get().texts == ["Otra cosa", "Pan barato"]


# What came of it.


def leave(post: Post, *, at, **figures: int) -> RemotePost:
    """It is out since then, and what stood under it a day later."""
    by = User.objects.get(pk=post.created_by_id)
    actions.publish_now(post=post, by=by, at=NOON)
    remote = RemotePost.objects.get(pk__in=post.versions.values("sendings__remote"), above__isnull=True)
    RemotePost.objects.filter(pk=remote.pk).update(published_at=at, remote_id=f"r{post.pk}")
    remote.refresh_from_db()
    facts.keep(post=remote, values=figures, at=at + DAY, how="network")
    return remote


@pytest.fixture
def tried(weekly, model, alba):
    """Twelve turns that were out, two weeks ago and before; B has three times the replies."""
    one = begin(model, alba)
    series.lay_out(series=weekly, at=NOON + 30 * DAY)
    for turn in one.turns.select_related("post").order_by("number")[:12]:
        replies = (4 + turn.number // 2) * (3 if turn.arm == "b" else 1)
        leave(turn.post, at=NOON - (60 - turn.number) * DAY, replies=replies)
    return one


@pytest.mark.django_db
def test_each_turn_counts_at_the_same_age_and_the_winner_goes_on(tried, weekly, model, alba, as_alba, brand):
    found = verdicts.of(tried, at=NOON)
    assert (found.outcome, found.pairs, found.ratio, found.chance) == ("b", 6, 3.0, 2 / 64)
    url = reverse("publishing:experiment", args=[brand.slug, tried.pk])
    assert as_alba.post(f"{url}winner/").status_code == 302
    model.refresh_from_db()
    assert experiments.wording_of(model) == SAYS["a"], "nothing wins before it is closed"
    assert as_alba.post(f"{url}closure/", {"learned": ""}).status_code == 422
    assert as_alba.post(f"{url}closure/", {"learned": "Preguntar funciona"}).status_code == 302
    assert {arm for arm, _text in laid_out(weekly)[12:]} == {""}, "days to come say the usual again"
    page = as_alba.get(url).content.decode()
    assert "Gana B" in page
    assert "Seguir con B" in page
    as_alba.post(f"{url}winner/")
    assert experiments.wording_of(Post.objects.get(pk=model.pk)) == SAYS["b"]
    assert {text for _arm, text in laid_out(weekly)[12:]} == {SAYS["b"]}
    assert Series.objects.get(pk=weekly.pk).texts == []
    assert [line.type for line in Activity.objects.filter(type__startswith="experiment.").order_by("pk")] == [
        "experiment.begun", "experiment.closed", "experiment.won",
    ]  # fmt: skip
    assert (
        "Preguntar funciona" in as_alba.get(reverse("publishing:series", args=[brand.slug, weekly.pk])).content.decode()
    )


@pytest.mark.django_db
def test_closed_its_result_stands_whatever_comes_in_later(tried, alba):
    experiments.close(experiment=tried, learned="Sí", by=alba, at=NOON)
    first = tried.turns.order_by("number").first()
    remote = RemotePost.objects.get(remote_id=f"r{first.post_id}")
    facts.keep(post=remote, values={"replies": 9_999}, at=remote.published_at + DAY, how="network")
    tried.refresh_from_db()
    assert verdicts.of(tried, at=NOON + DAY).ratio == 3.0
    with pytest.raises(Problem, match="closed this experiment already"):
        experiments.close(experiment=tried, learned="No", by=alba, at=NOON)


@pytest.mark.django_db
def test_closed_early_it_says_so_and_names_nobody(tried, alba, as_alba, brand):
    last = tried.turns.order_by("number")[11]
    RemotePost.objects.filter(remote_id=f"r{last.post_id}").update(published_at=NOON - timedelta(hours=2))
    assert verdicts.of(tried, at=NOON).points[11].why == "waits"
    experiments.close(experiment=tried, learned="Nada", by=alba, at=NOON)
    tried.refresh_from_db()
    found = verdicts.of(tried, at=NOON)
    assert (found.outcome, found.pairs, found.is_early) == ("few", 5, True)
    with pytest.raises(Problem, match="Neither wording has won"):
        experiments.go_on(experiment=tried, by=alba, at=NOON)
    page = as_alba.get(reverse("publishing:experiment", args=[brand.slug, tried.pk])).content.decode()
    assert "Se cerró antes de tiempo" in page


@pytest.mark.django_db
def test_a_post_that_says_something_else_or_was_deleted_or_that_nobody_counted_is_no_turn(tried, alba):
    first, second, third = (turn.post for turn in tried.turns.order_by("number")[:3])
    first.parts.update(text="Cambiado")
    RemotePost.objects.filter(remote_id=f"r{second.pk}").update(deleted_at=NOON)
    facts.PostMetric.objects.filter(post__remote_id=f"r{third.pk}").delete()
    found = verdicts.of(tried, at=NOON)
    assert [one.why for one in found.points[:4]] == ["changed", "gone", "unread", ""]
    assert found.pairs == 4


@pytest.mark.django_db
def test_clicks_count_people_within_the_time_and_no_robots(tried, model, alba, brand):
    turn = tried.turns.order_by("number").first()
    remote = RemotePost.objects.get(remote_id=f"r{turn.post_id}")
    version = Version.objects.get(post=turn.post)
    assert verdicts.figures([remote], "clicks", DAY) == {remote.pk: None}
    link = Link.objects.create(brand=brand, target="https://pan.example/", version=version, created_at=NOON)
    for hours, visitor, robot in ((1, "x", False), (2, "x", False), (3, "y", False), (4, "", True), (25, "z", False)):
        moment = remote.published_at + timedelta(hours=hours)
        Click.objects.create(link=link, at=moment, on=remote.published_at.date(), visitor=visitor, is_robot=robot)
    assert verdicts.figures([remote], "clicks", DAY) == {remote.pk: 2}


# That it is in.


def told() -> list[tuple[str, str]]:
    """Who was told that an experiment can be closed, and where it leads."""
    jobs.run_due(NOON + 9 * DAY)
    found = Notification.objects.filter(reason="experiment").order_by("user__name")
    return list(found.values_list("user__name", "url"))


def address(one: Experiment) -> str:
    return reverse("publishing:experiment", args=[one.brand.slug, one.pk])


@pytest.mark.django_db
def test_once_all_pairs_are_in_whoever_began_it_and_sees_to_it_are_told_and_never_twice(tried, alba, bruno):
    Experiment.objects.update(owner=bruno)
    last = tried.turns.order_by("number")[11]
    RemotePost.objects.filter(remote_id=f"r{last.post_id}").update(published_at=NOON - timedelta(hours=2))
    assert (reminders.tell_of_experiments(at=NOON), told()) == (0, [])
    RemotePost.objects.filter(remote_id=f"r{last.post_id}").update(published_at=NOON - 2 * DAY)
    late = RemotePost.objects.get(remote_id=f"r{last.post_id}")
    facts.keep(post=late, values={"replies": 27}, at=NOON - DAY, how="network")
    ticks.experiments_tick()
    assert told() == [("Alba", address(tried)), ("Bruno", address(tried))]
    for says, language in (("ya tiene todas sus cifras", "es"), ("has all its figures", "en")):
        with translation.override(language):
            found = notices.lines(Notification.objects.filter(reason="experiment"))
            assert all(says in one.text for one in found)
    last.post.parts.update(text="Cambiado")
    assert reminders.tell_of_experiments(at=NOON + DAY) == 0
    last.post.parts.update(text=SAYS[last.arm])
    assert reminders.tell_of_experiments(at=NOON + DAY) == 0, "in again, it was told already"
    assert len(told()) == 2


@pytest.mark.django_db
def test_of_what_is_closed_nobody_is_told(tried, alba):
    experiments.close(experiment=tried, learned="Sí", by=alba, at=NOON)
    assert (reminders.tell_of_experiments(at=NOON), told()) == (0, [])


@pytest.mark.django_db
def test_two_workers_at_once_tell_it_once(tried, monkeypatch):
    judge, again = verdicts.closing, [True]

    def overtaken(one, *, at):
        if again.pop() if again else False:
            assert reminders.tell_of_experiments(at=at) == 1, "another worker comes between"
        return judge(one, at=at)

    monkeypatch.setattr(verdicts, "closing", overtaken)
    assert reminders.tell_of_experiments(at=NOON) == 0
    assert Activity.objects.filter(type="experiment.ready").count() == 1


@pytest.mark.django_db
def test_only_who_may_close_it_is_told_else_who_manages_the_brand(tried, alba, bruno, brand):
    Experiment.objects.update(begun_by_id=bruno.pk)
    Membership.objects.filter(user=bruno).update(role="reader")
    reminders.tell_of_experiments(at=NOON)
    assert told() == [("Alba", address(tried))]


@pytest.mark.django_db
def test_what_leaves_by_itself_is_told_to_who_may_publish(tried, alba, bruno, brand):
    Membership.objects.filter(user=bruno).update(role="expert")
    Experiment.objects.update(begun_by_id=bruno.pk)
    Series.objects.update(then="schedule")
    reminders.tell_of_experiments(at=NOON)
    assert told() == [("Alba", address(tried))]


@pytest.mark.django_db
def test_of_something_new_it_is_told_once_its_figure_is_in(usual, thread, alba, account):
    usual(3)
    one = try_new(thread, alba, account)
    assert reminders.tell_of_experiments(at=NOON) == 0
    leave(thread, at=NOON - timedelta(hours=3), replies=4)
    assert reminders.tell_of_experiments(at=NOON) == 0
    assert reminders.tell_of_experiments(at=NOON + 2 * DAY) == 1
    assert told() == [("Alba", address(one))]


# Something new.


@pytest.fixture
def usual(brand, alba, account):
    """`usual(20)`: so many posts that have been out, with ten to fourteen replies after a day."""

    def publish(many: int) -> None:
        for number in range(many):
            said = {"pieces": [Piece(f"Pan {number}")], "versions": {account.pk: Wanted()}}
            post = actions.create(brand=brand, by=alba, at=NOON, **said)
            leave(post, at=NOON - (90 - number) * DAY, replies=10 + number % 5)

    return publish


def try_new(post, by, account, **said) -> Experiment:
    return experiments.begin(
        post=post, account=account, by=by, at=NOON, **{**WORDS, "format": "thread", **said}
    )  # fmt: skip


@pytest.fixture
def thread(brand, alba, account):
    pieces = [Piece("Uno"), Piece("Dos", "part")]
    return actions.create(brand=brand, by=alba, at=NOON, pieces=pieces, versions={account.pk: Wanted()})


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("before", "replies", "outcome", "more"),
    [(20, 40, "b", 0), (20, 14, "usual", 0), (20, 3, "usual", 0), (12, 40, "few", 7)],
)
def test_something_new_stands_beside_what_is_usual(usual, thread, alba, account, before, replies, outcome, more):
    usual(before)
    one = try_new(thread, alba, account)
    leave(thread, at=NOON - 2 * DAY, replies=replies)
    found = verdicts.of(one, at=NOON)
    assert (found.outcome, found.more, found.became) == (outcome, more, "")
    assert found.sums[1] == replies


@pytest.mark.django_db
def test_what_an_account_has_had_lately_is_not_new(usual, brand, alba, account):
    usual(3)
    post = actions.create(brand=brand, by=alba, at=NOON, pieces=[Piece("Pan")], versions={account.pk: Wanted()})
    assert "text" not in dict(experiments.formats_new_to(account, post))
    with pytest.raises(Problem, match="isn't new there"):
        try_new(post, alba, account, format="text")
    one = try_new(post, alba, account, format="film")
    leave(post, at=NOON - 2 * DAY, replies=99)
    found = verdicts.of(one, at=NOON)
    assert (found.outcome, found.became) == ("few", "text")


@pytest.mark.django_db
def test_what_is_out_is_no_longer_tried(thread, alba, account):
    leave(thread, at=NOON - DAY)
    Delivery.objects.update(state="sent")
    with pytest.raises(TooLate):
        try_new(thread, alba, account)


@pytest.mark.django_db
def test_pages_say_it_in_words(tried, as_alba, brand, thread, alba, account):
    try_new(thread, alba, account)
    listed = as_alba.get(reverse("publishing:experiments", args=[brand.slug])).content.decode()
    assert listed.count("<article") == 2
    assert "Preguntar" in listed
    page = as_alba.get(reverse("publishing:experiment", args=[brand.slug, tried.pk])).content.decode()
    assert page.count("<circle") == 13
    assert "3,00" in page
    post = as_alba.get(reverse("publishing:post", args=[brand.slug, thread.pk])).content.decode()
    assert "Preguntar" in post


# Where one begins, and why not.


def said_of(client, post, page: str = "post") -> str:
    return client.get(reverse(f"publishing:{page}", args=[post.brand.slug, post.pk])).content.decode()


@pytest.mark.django_db
def test_the_page_of_a_post_and_its_composer_lead_to_the_form_with_the_post_chosen(thread, as_alba, brand, account):
    form = f"{reverse('publishing:experiment_beginning', args=[brand.slug])}?post={thread.pk}"
    assert f'href="{form}"' in said_of(as_alba, thread)
    assert 'name="do" value="try"' in said_of(as_alba, thread, "text")
    said = {"text": "Uno más", "accounts": [account.pk], "seen": thread.revision, "do": "try", "zone": "Europe/Madrid"}
    answer = as_alba.post(reverse("publishing:text", args=[brand.slug, thread.pk]), said)
    assert (answer.status_code, answer["Location"]) == (302, form)
    assert experiments.wording_of(thread) == "Uno más"
    assert "Qué es nuevo ahí" in as_alba.get(form).content.decode()


@pytest.mark.django_db
def test_of_a_new_post_the_composer_keeps_a_draft_and_goes_on_to_the_form(as_alba, brand, account):
    url = reverse("publishing:beginning", args=[brand.slug])
    assert 'name="do" value="try"' in as_alba.get(url).content.decode()
    answer = as_alba.post(url, {"text": "Pan", "do": "try", "zone": "Europe/Madrid"})
    post = Post.objects.get()
    assert answer["Location"] == f"{reverse('publishing:experiment_beginning', args=[brand.slug])}?post={post.pk}"
    assert "Elige antes dónde se publica" in as_alba.get(answer["Location"]).content.decode()


WHYS = {
    "nowhere": "Elige antes dónde se publica",
    "out": "Ya ha salido.",
    "copy": "Se hizo a partir de algo que se repite",
    "ended": "Esta serie ha terminado.",
    "own": "Cada una de sus cuentas tiene un texto propio",
    "unknown": "Aquí aún no se puede juzgar nada",
    "worn": "Sus últimas publicaciones han sido de todos los tipos",
}


@pytest.fixture
def impossible(request, brand, alba, account, monkeypatch):
    """`impossible("out")`: a post with which no experiment can begin, for that reason."""

    def make(why: str) -> Post:
        said = {"pieces": [Piece("Pan")], "versions": {} if why == "nowhere" else {account.pk: Wanted()}}
        post = actions.create(brand=brand, by=alba, at=NOON, **said)
        if why == "out":
            leave(post, at=NOON - DAY)
            Delivery.objects.update(state="sent")
        elif why == "copy":
            weekly = request.getfixturevalue("weekly")
            post = weekly.occurrences.order_by("on")[0].post
        elif why == "ended":
            weekly, post = request.getfixturevalue("weekly"), request.getfixturevalue("model")
            series.end(series=weekly, by=alba, at=NOON)
        elif why == "own":
            post = request.getfixturevalue("weekly").model
            own = {account.pk: Wanted((Piece("Aquí, otra cosa"),))}
            actions.save(post=post, seen=1, pieces=[Piece("Hoy, pan")], versions=own, by=alba, at=NOON)
        elif why == "unknown":
            Account.objects.update(kind="telegram")
        elif why == "worn":
            names = sameness.formats()
            monkeypatch.setattr(sameness, "lately", lambda account, but: Counter(dict.fromkeys(names, 1)))
        return post

    return make


@pytest.mark.django_db
@pytest.mark.parametrize("why", WHYS)
def test_where_none_can_begin_the_pages_say_why_not(impossible, as_alba, brand, alba, account, why):
    post = impossible(why)
    form = f"{reverse('publishing:experiment_beginning', args=[brand.slug])}?post={post.pk}"
    page = said_of(as_alba, post)
    assert WHYS[why] in page
    assert "experiments/beginning/" not in page
    assert "<textarea" not in as_alba.get(form).content.decode().split("<main")[1]
    assert WHYS[why] in as_alba.get(form).content.decode()
    composer = said_of(as_alba, post, "text")
    assert WHYS[why] in composer
    assert 'value="try"' not in composer
    account.refresh_from_db()
    with pytest.raises(Problem):
        try_new(post, alba, account, text_b="Otra cosa", format="film")


@pytest.mark.django_db
def test_one_account_where_it_can_be_is_enough_and_is_the_one_the_form_begins_with(brand, alba, as_alba, account):
    silent = Account.objects.create(brand=brand, kind="telegram", name="A", created_at=NOON, settings={})
    wanted = {silent.pk: Wanted(), account.pk: Wanted()}
    post = actions.create(brand=brand, by=alba, at=NOON, pieces=[Piece("Pan")], versions=wanted)
    assert experiments.why_not(post, silent)
    assert experiments.why_not(post) == ""
    page = as_alba.get(f"{reverse('publishing:experiment_beginning', args=[brand.slug])}?post={post.pk}")
    assert page.context["account"] == account


@pytest.mark.django_db
def test_who_may_not_publish_is_told_why_they_begin_none_with_what_leaves_by_itself(weekly, model, as_bruno, bruno):
    Membership.objects.filter(user=bruno).update(role="expert")
    assert "experiments/beginning/" in said_of(as_bruno, model)
    Series.objects.update(then="schedule")
    page = said_of(as_bruno, model)
    assert "las elige quien puede publicar" in page
    assert "experiments/beginning/" not in page
    Membership.objects.filter(user=bruno).update(role="reader")
    assert "No se puede empezar" not in said_of(as_bruno, model)


# A place before there is a post.


@pytest.fixture
def thursdays(brand, alba, account):
    """The queue of the account: Thursdays at six."""
    own = rhythm.Rhythm(None, NOON.date(), [], frozenset({(3, time(18))}))
    rhythm.settle(account=account, rhythm=own, by=alba, at=NOON)
    return account


@pytest.mark.django_db
def test_a_free_slot_is_kept_for_something_new_and_the_queue_leaves_it_alone(thursdays, thread, alba, as_alba, brand):
    page, url = (reverse(f"publishing:{name}", args=[brand.slug]) for name in ("experiments", "experiment_slots"))
    chosen = f"{thursdays.pk}.2026-11-26T18:00"
    assert f'value="{chosen}"' in as_alba.get(page).content.decode()
    answer = as_alba.post(url, {"slot": chosen})
    post = Post.objects.get(title="Algo nuevo")
    assert answer["Location"] == f"{reverse('publishing:experiment_beginning', args=[brand.slug])}?post={post.pk}"
    assert (post.wall, list(post.versions.values_list("account", flat=True))) == (
        datetime(2026, 11, 26, 18),
        [thursdays.pk],
    )
    said = {**WORDS, "format": "film", "matters": 20, "hours": 24, "owner": alba.pk}
    assert as_alba.post(answer["Location"], said).status_code == 302
    assert Experiment.objects.get().post == post
    assert as_alba.get(reverse("publishing:posts", args=[brand.slug]) + "?on=2026-11-26").status_code == 200
    assert chosen not in as_alba.get(page).content.decode()
    assert rhythm.enqueue(post=thread, by=alba, at=NOON) == datetime(2026, 12, 3, 18)
    assert as_alba.post(url, {"slot": chosen}, follow=True).content.decode().count("Ese hueco ya no está libre") == 1
    assert Post.objects.count() == 2


@pytest.mark.django_db
def test_no_slot_is_kept_where_nothing_new_can_be_tried_nor_by_who_may_only_read(
    thursdays, as_alba, as_bruno, bruno, brand
):
    chosen = {"slot": f"{thursdays.pk}.2026-11-26T18:00"}
    url = reverse("publishing:experiment_slots", args=[brand.slug])
    Account.objects.update(kind="telegram")
    assert "no se puede juzgar nada" in as_alba.post(url, chosen, follow=True).content.decode()
    Membership.objects.filter(user=bruno).update(role="reader")
    assert as_bruno.post(url, chosen).status_code == 403
    assert (
        "Reservar este hueco" not in as_bruno.get(reverse("publishing:experiments", args=[brand.slug])).content.decode()
    )
    assert not Post.objects.exists()


@pytest.mark.django_db
def test_who_may_not_publish_words_nothing_that_leaves_by_itself(weekly, model, brand, as_bruno):
    url = f"{reverse('publishing:experiment_beginning', args=[brand.slug])}?post={model.pk}"
    assert as_bruno.get(url).status_code == 200
    Series.objects.update(then="schedule")
    assert as_bruno.get(url).status_code == 403
