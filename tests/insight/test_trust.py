"""Trust over time: the same figures by other means, and nothing said of what isn't known."""

from __future__ import annotations

import csv
import io
import random
from datetime import UTC, date, datetime, timedelta
from statistics import fmean
from zoneinfo import ZoneInfo

import pytest

from conftest import NOON, envelope
from tertulia.channels.models import Delivery, Message
from tertulia.community import actions as community
from tertulia.community import models as people
from tertulia.connectors.contract import Author
from tertulia.core import clock
from tertulia.flows import inbound, ticks
from tertulia.inbox import actions
from tertulia.inbox.models import Conversation, Promise, PromiseOutcome
from tertulia.insight import trust
from tertulia.understanding import actions as understanding
from tertulia.understanding.models import MessageReading

pytestmark = pytest.mark.django_db

PAGE = "/b/horno-candela/trust/"
MADRID = ZoneInfo("Europe/Madrid")
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _noon(monkeypatch):
    monkeypatch.setattr(clock, "now", lambda: NOON)


@pytest.fixture
def said(site):
    """`said(at, "positive")`: what somebody wrote then, with what was read of it."""

    def say(at: datetime, sentiment: str, *, spam: bool = False, **fields) -> Message:
        number = Message.objects.count()
        fields = {"remote_id": f"m{number}", "thread": f"t{number}", "sent_at": at, **fields}
        inbound.intake(site, [envelope("Hola", **fields)], at=at)
        message = Message.objects.get(account=site, remote_id=fields["remote_id"])
        MessageReading.objects.create(
            message=message, brand=site.brand, language="es", sentiment=sentiment, kind="other", urgency=0,
            offensive=False, spam=spam, needs_answer=False, by="test", at=at,
        )  # fmt: skip
        return message

    return say


@pytest.fixture
def reviewed(brand, alba):
    def review(on: date, stars: int | None, *, kind: str = "review", **fields) -> people.Testimonial:
        return people.Testimonial.objects.create(
            brand=brand, kind=kind, text="Muy buen pan", stars=stars, said_on=on, created_by_id=alba.pk,
            created_at=NOON, **fields,
        )  # fmt: skip

    return review


def ended(brand, at: datetime, *, is_kept: bool, conversation: Conversation) -> PromiseOutcome:
    return PromiseOutcome.objects.create(
        brand=brand, conversation=conversation, which="first_response", due_at=at, ended_at=at, is_kept=is_kept
    )


def standings(brand, at: datetime = NOON) -> dict[str, trust.Standing]:
    return {one.month.key: one for one in trust.standings(brand, trust.months(brand, at))}


# The acceptance check.


def test_the_indicator_comes_out_the_same_from_the_raw_rows(brand, said, reviewed):
    """Rows of a year made up at random, and every figure once more in plain Python, row by row."""
    dice = random.Random(7)
    conversation = None
    for _n in range(700):
        at = NOON - timedelta(minutes=dice.randrange(400 * 24 * 60))
        message = said(at, dice.choice(["positive", "positive", "negative", "neutral"]), spam=dice.random() < 0.05)
        conversation = conversation or Conversation.objects.get(thread_id=message.thread_id)
    for _n in range(250):
        at = NOON - timedelta(seconds=dice.randrange(400 * 24 * 3600))
        ended(brand, at, is_kept=dice.random() < 0.8, conversation=conversation)
    for _n in range(90):
        reviewed((NOON - timedelta(days=dice.randrange(400))).date(), dice.choice([None, 1, 3, 4, 5, 5]))

    found, known = standings(brand), 0
    assert list(found) == [f"{2025 + (nth > 0)}-{(nth + 11) % 12 + 1:02}" for nth in range(12)]
    for key, one in found.items():
        feelings = [
            row.sentiment
            for row in MessageReading.objects.select_related("message")
            if f"{row.message.sent_at.astimezone(MADRID):%Y-%m}" == key and not row.spam and row.sentiment != "neutral"
        ]
        kept = [
            row.is_kept for row in PromiseOutcome.objects.all() if f"{row.ended_at.astimezone(MADRID):%Y-%m}" == key
        ]
        stars = [row.stars for row in people.Testimonial.objects.all() if f"{row.said_on:%Y-%m}" == key and row.stars]
        parts = []
        if len(feelings) >= 20:
            parts.append(100 * feelings.count("positive") / len(feelings))
        if len(kept) >= 10:
            parts.append(100 * sum(kept) / len(kept))
        if len(stars) >= 5:
            parts.append(100 * (fmean(stars) - 1) / 4)
        again = fmean(parts) if len(parts) >= 2 else None
        raw = {name: (part.good, part.of) for name, part in one.parts.items()}
        assert raw == {
            "feeling": (feelings.count("positive"), len(feelings)), "promises": (sum(kept), len(kept)),
            "reviews": (sum(stars), len(stars)),
        }  # fmt: skip
        assert one.indicator == (None if again is None else pytest.approx(again, abs=1e-9))
        known += again is not None
        rows = {name: trust.rows(brand, name, one.month).count() for name in trust.PARTS}
        assert rows == {name: part.of for name, part in one.parts.items()}  # each figure leads to its rows
    assert known >= 10


# What counts.


def test_what_somebody_corrected_counts_as_corrected(brand, said, alba):
    message = said(NOON, "negative")
    understanding.correct(message=message, field="sentiment", value="positive", by=alba.pk, at=NOON)
    part = standings(brand)["2026-11"].parts["feeling"]
    assert (part.good, part.of) == (1, 1)


def test_spam_machines_deleted_neutral_and_restricted_words_do_not_count(brand, said, alba):
    counted = said(NOON, "positive")
    said(NOON, "neutral")
    said(NOON, "negative", spam=True)
    said(NOON, "negative", is_automatic=True)
    gone, hidden = said(NOON, "negative"), said(NOON, "negative")
    Message.objects.filter(pk=gone.pk).update(deleted_at=NOON)
    member = Conversation.objects.get(thread_id=hidden.thread_id).member
    community.restrict(member=member, because="", by=alba, at=NOON)
    november = trust.months(brand, NOON)[-1]
    assert [row.pk for row in trust.rows(brand, "feeling", november)] == [counted.pk]


def test_reviews_count_whether_they_may_be_quoted_or_not_and_nothing_else_has_stars(brand, reviewed):
    for stars, consent in ((5, "unasked"), (1, "refused"), (None, "unasked")):
        reviewed(NOON.date(), stars, consent=consent)
    reviewed(NOON.date(), None, kind="testimonial")
    part = standings(brand)["2026-11"].parts["reviews"]
    assert (part.good, part.of, part.average) == (6, 2, 3.0)


def test_a_month_begins_where_the_brands_clock_says(brand, said, reviewed):
    said(datetime(2026, 10, 31, 22, 59, tzinfo=UTC), "positive")  # 23:59 in Madrid
    said(datetime(2026, 10, 31, 23, 0, tzinfo=UTC), "positive")
    reviewed(date(2026, 10, 31), 5)
    reviewed(date(2026, 11, 1), 4)
    found = standings(brand)
    assert [found[key].parts["feeling"].of for key in ("2026-10", "2026-11")] == [1, 1]
    assert [found[key].parts["reviews"].good for key in ("2026-10", "2026-11")] == [5, 4]


def test_nothing_of_another_brand_counts(other_brand, said, reviewed):
    said(NOON, "positive")
    reviewed(NOON.date(), 5)
    assert not any(part.of for one in standings(other_brand).values() for part in one.parts.values())


# What isn't known.


@pytest.mark.parametrize(("messages", "is_known"), [(0, False), (19, False), (20, True)])
def test_a_part_is_known_from_its_least_number_on(messages, is_known):
    part = trust.Part("feeling", messages // 2, messages)
    assert (part.is_known, part.value is not None) == (is_known, is_known)


def test_of_one_part_there_is_no_indicator_and_of_two_their_mean():
    month = trust.Month(date(2026, 11, 1), date(2026, 12, 1), NOON, NOON)
    one = trust.Standing(month)
    one.parts["feeling"] = trust.Part("feeling", 15, 20)
    assert (one.indicator, one.known) == (None, ("feeling",))
    one.parts["reviews"] = trust.Part("reviews", 20, 5)
    assert (one.indicator, one.known) == (75.0, ("feeling", "reviews"))
    one.parts["promises"] = trust.Part("promises", 0, 9)
    assert one.indicator == 75.0


# Promises: each ends once.


@pytest.fixture
def hour(brand):
    return Promise.objects.create(
        brand=brand, first_response_minutes=60, resolution_minutes=600, in_business_hours=False
    )


def write(site, *, minutes: int = 0, thread: str = "diego") -> Conversation:
    at = NOON + minutes * MINUTE
    inbound.intake(site, [envelope("¿Abrís?", remote_id=f"{thread}{minutes}", thread=thread, minutes=minutes)], at=at)
    return Conversation.objects.get(account=site, thread_id=thread)


def answer(conversation, by, *, minutes: int, **fields):
    conversation.refresh_from_db()
    at = NOON + minutes * MINUTE
    return actions.reply(conversation=conversation, text="Sí", by=by, turn=conversation.turn, at=at, **fields)


def outcomes() -> list[tuple[str, bool]]:
    return list(PromiseOutcome.objects.order_by("pk").values_list("which", "is_kept"))


def test_an_answer_in_time_keeps_a_promise_and_each_wait_has_its_own(site, hour, alba):
    conversation = write(site)
    answer(conversation, alba, minutes=60)
    answer(conversation, alba, minutes=61)  # nobody waits any more
    write(site, minutes=100)
    answer(conversation, alba, minutes=110)
    assert outcomes() == [("first_response", True)] * 2


def test_a_broken_one_stays_broken_however_it_is_answered(site, hour, alba):
    conversation = write(site)
    for minutes in (60, 61):
        ticks.tell_broken(at=NOON + minutes * MINUTE)
    answer(conversation, alba, minutes=70)
    assert outcomes() == [("first_response", False)]
    late = write(site, thread="eva")
    answer(late, alba, minutes=61)  # before anybody told it
    assert outcomes() == [("first_response", False)] * 2


def test_an_answer_that_is_taken_back_kept_nothing(site, hour, alba):
    conversation = write(site)
    delivery = answer(conversation, alba, minutes=50, closes=True)
    assert outcomes() == [("first_response", True), ("resolution", True)]
    actions.withdraw(delivery=delivery, by=alba, at=NOON + 50 * MINUTE)
    assert outcomes() == []
    ticks.tell_broken(at=NOON + 60 * MINUTE)
    assert outcomes() == [("first_response", False)]


def test_an_answer_that_the_channel_refused_kept_nothing_once_its_time_is_over(site, hour, alba):
    delivery = answer(write(site), alba, minutes=50)
    Delivery.objects.filter(pk=delivery.pk).update(state="refused")
    delivery.refresh_from_db()
    actions.record_outcome(delivery=delivery, at=NOON + 51 * MINUTE)
    ticks.tell_broken(at=NOON + 60 * MINUTE)
    assert outcomes() == [("first_response", False)]


def test_closing_in_time_keeps_a_solution_and_opening_again_takes_it_back(site, hour, alba):
    conversation = write(site)
    answer(conversation, alba, minutes=10)
    actions.close(conversation=conversation, reason="answered", by=alba, at=NOON + 20 * MINUTE)
    assert outcomes() == [("first_response", True), ("resolution", True)]
    actions.reopen(conversation=conversation, by=alba, at=NOON + 30 * MINUTE)
    assert outcomes() == [("first_response", True)]


def test_what_was_closed_without_an_answer_was_no_promise(site, hour, alba):
    actions.close(conversation=write(site), reason="spam", by=alba, at=NOON)
    assert outcomes() == []


def test_an_answer_given_on_the_network_itself_keeps_it_too_and_an_older_one_does_not(site, hour):
    write(site)
    ours = {"is_ours": True, "author": Author("us"), "thread": "diego"}
    inbound.intake(site, [envelope("Ayer", remote_id="o0", minutes=-5, **ours)], at=NOON + MINUTE)
    assert outcomes() == []
    inbound.intake(site, [envelope("Sí", remote_id="o1", minutes=30, **ours)], at=NOON + 31 * MINUTE)
    assert outcomes() == [("first_response", True)]
    assert PromiseOutcome.objects.get().ended_at == NOON + 30 * MINUTE


def test_without_a_promise_nothing_ends(site, alba):
    answer(write(site), alba, minutes=10)
    assert outcomes() == []


# Pages.


def full(said, reviewed, brand) -> None:
    for nth in range(24):
        said(NOON - nth * MINUTE, "positive" if nth % 4 else "negative")
    for stars in (5, 5, 4, 3, 5):
        reviewed(NOON.date(), stars, said_by="Ana")
    for nth in range(4):
        ended(brand, NOON - nth * MINUTE, is_kept=True, conversation=Conversation.objects.first())


def test_the_page_draws_what_is_known_and_says_what_is_not(as_alba, brand, said, reviewed):
    full(said, reviewed, brand)
    page = as_alba.get(PAGE).content.decode()
    assert "18 de 24" in page
    assert "4 de 4" in page  # raw numbers stand there also where they are too few
    assert "22 estrellas en 5" in page
    assert "80,0" in page  # (75 + 85) / 2
    assert page.count("<circle") == 3
    assert "no se sabe" in page


def test_each_figure_leads_to_its_rows(as_alba, brand, said, reviewed):
    full(said, reviewed, brand)
    expected = {"feeling": (24, "/messages/"), "promises": (4, "/inbox/"), "reviews": (5, "/testimonials/")}
    page = as_alba.get(PAGE).content.decode()
    for part, (number, place) in expected.items():
        address = f"{PAGE}rows/?part={part}&month=2026-11"
        assert address.replace("&", "&amp;") in page
        rows = as_alba.get(address).content.decode().partition("<ul")[2].partition("</ul>")[0]
        assert (rows.count("<li>"), rows.count(f'href="/b/horno-candela{place}')) == (number, number)


def test_many_rows_go_on_on_a_next_page(as_alba, said):
    for nth in range(51):
        said(NOON - nth * MINUTE, "positive")
    address = f"{PAGE}rows/?part=feeling&month=2026-11"
    assert as_alba.get(address).content.decode().count("<li>\n") == 50
    assert as_alba.get(f"{address}&page=2").content.decode().count("<li>\n") == 1
    for odd in ("0", "x", "999999999", "9999"):
        assert as_alba.get(f"{address}&page={odd}").status_code == 200


@pytest.mark.parametrize(
    "asked", ["", "?part=feeling", "?month=2026-11", "?part=x&month=2026-11", "?part=feeling&month=2020-01",
              "?part=feeling&month=2026-13"]
)  # fmt: skip
def test_rows_of_nothing_are_not_there(as_alba, asked):
    assert as_alba.get(f"{PAGE}rows/{asked}").status_code == 404


def test_a_brand_without_anything_says_so(as_alba):
    page = as_alba.get(PAGE).content.decode()
    assert "Todavía no hay nada que contar" in page
    assert "<svg viewBox" not in page


def test_the_file_has_the_raw_numbers_and_empty_cells_for_what_is_not_known(as_alba, brand, said, reviewed):
    full(said, reviewed, brand)
    answer = as_alba.get(f"{PAGE}export/")
    assert answer["Content-Disposition"] == 'attachment; filename="horno-candela-trust.csv"'
    header, *months = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";")
    assert (len(header), len(months)) == (12, 12)
    assert months[-1][:11] == ["2026-11", "18", "6", "75.0000", "4", "0", "", "5", "22", "4.4000", "80.0000"]
    assert months[0][:11] == ["2025-12", "0", "0", "", "0", "0", "", "0", "0", "", ""]


def test_the_page_takes_a_few_statements_however_much_there_is(
    as_alba, brand, said, reviewed, django_assert_num_queries
):
    as_alba.get(PAGE)
    full(said, reviewed, brand)
    with django_assert_num_queries(3):
        trust.standings(brand, trust.months(brand, NOON))
