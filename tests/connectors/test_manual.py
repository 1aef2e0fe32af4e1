"""What is particular about a platform that lets no program in."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fakes.manual import COMMENT, account
from tertulia.connectors.contract import About, ByHand, Draft, Noted, Picture, Refused, Target, Unsupported
from tertulia.connectors.manual import texts
from tertulia.connectors.manual.connector import Manual

AT = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)
POST = "https://www.tiktok.example/@hornocandela/video/7"


def written(person="@marina", *, kind="comment", post="", to=None, **facts):
    about = About(post, url=post) if post else None
    noted = Noted("key", person, kind, "¿Lleva almendra?", AT, about=about, **facts)
    return Manual(None).write_down(to or account(), noted)


def asked_to_do(target, **settings):
    with pytest.raises(ByHand) as task:
        Manual(None).reply(account(**settings), target, "Sí, lleva.", "key")
    return task.value


def test_each_person_under_each_post_is_a_talk_of_their_own():
    talks = {written(person, post=post).thread_id for person in ("@marina", "@toni") for post in (POST, f"{POST}1", "")}
    assert len(talks) == 6
    assert written(post=POST).thread_id == written(post=POST, kind="mention").thread_id


def test_what_is_private_never_stands_beside_what_everybody_reads():
    assert written(kind="direct").thread_id != written(kind="comment").thread_id


def test_a_long_address_still_names_one_talk():
    long = f"https://forum.example/{'x' * 400}"
    threads = {written(post=long).thread_id, written("@toni", post=long).thread_id}
    assert len(threads) == 2
    assert all(len(thread) <= 255 for thread in threads)


@pytest.mark.parametrize(
    ("openness", "kinds"),
    [
        ("public", ("comment", "mention", "review")),
        ("private", ("direct",)),
        ("both", ("comment", "mention", "review", "direct")),
        ("nonsense", ("comment", "mention", "review", "direct")),
    ],
)
def test_an_account_takes_what_its_form_says(openness, kinds):
    there = account(openness=openness)
    assert Manual(None).noted_kinds(there) == kinds
    for kind in {"comment", "mention", "review", "direct"} - set(kinds):
        with pytest.raises(Unsupported):
            written(kind=kind, to=there)


def test_the_task_leads_to_the_message_else_to_the_post_else_to_our_profile():
    assert asked_to_do(Target("t", url=COMMENT)).url == COMMENT
    assert asked_to_do(Target("t", hints={"post": POST})).url == POST
    assert asked_to_do(Target("t")).url == "https://www.tiktok.example/@hornocandela"
    assert asked_to_do(Target("t"), profile="").url == ""
    assert asked_to_do(Target("t")).text == "Sí, lleva."


@pytest.mark.parametrize(
    ("settings", "text", "length", "longest"),
    [
        ({"platform": "X"}, "🥖 https://hornocandela.example/un/pan/de/pueblo", 26, 280),
        ({"platform": " twitter "}, "パン", 4, 280),
        ({"platform": "X", "longest": 25_000}, "パン", 4, 25_000),
        ({"platform": "X", "longest": 0}, "pan", 3, 280),
        ({"platform": "TikTok", "longest": None}, "🥖", 2, 2_200),
        ({"platform": "YouTube"}, "año", 4, 5_000),
        ({"platform": "Instagram"}, "año", 3, 2_200),
        ({"platform": "El tablón"}, "año", 3, None),
        ({"platform": "El tablón", "longest": 40}, "año", 3, 40),
    ],
)
def test_a_post_is_counted_as_its_platform_counts_up_to_what_the_account_may(settings, text, length, longest):
    there, draft = account(**settings), Draft(text)
    asked = Manual(None)
    assert (asked.post_length(there, draft), asked.longest_post(there, draft)) == (length, longest)


def test_nine_hundred_characters_for_x_are_too_many():
    there = account(platform="X")
    assert [one.code for one in Manual(None).misfits(there, Draft("pan " * 225))] == ["long"]
    with pytest.raises(Refused):
        Manual(None).publish(there, Draft("pan " * 225), "key")
    assert Manual(None).misfits(there, Draft("pan " * 70)) == []


def pictures(count: int, *, alt: str = "", kind: str = "image/png") -> tuple[Picture, ...]:
    return tuple(Picture(f"pan-{number}", kind, 9, 2, 3, alt) for number in range(count))


@pytest.mark.parametrize(
    ("platform", "hung", "codes"),
    [
        ("X", pictures(4, alt="a" * 1_000), []),
        ("Twitter", pictures(5), ["many"]),
        ("X", pictures(1, alt="a" * 1_001), ["alt"]),
        ("TikTok", pictures(35), []),
        ("TikTok", pictures(36), ["many"]),
        ("Instagram", pictures(21), ["many"]),
        ("El tablón", pictures(50, alt="a" * 1_500), []),
    ],
)
def test_pictures_are_those_that_the_platform_takes(platform, hung, codes):
    misfits = Manual(None).misfits(account(platform=platform), Draft("Pan", pictures=hung))
    assert [one.code for one in misfits] == codes


@pytest.mark.parametrize(
    ("platform", "draft", "doubts"),
    [
        ("Instagram", Draft("Pan"), [texts.NO_PICTURE]),
        ("Instagram", Draft("Pan", pictures=pictures(1)), []),
        ("Instagram", Draft("Pan", kind="comment"), []),
        ("TikTok", Draft("Pan", pictures=pictures(1, kind="video/mp4")), []),
        ("YouTube", Draft("Pan", pictures=pictures(1)), [texts.NO_FILM]),
        ("YouTube", Draft("Pan", pictures=pictures(1, kind="video/mp4")), []),
        ("Facebook", Draft("Pan"), []),
    ],
)
def test_what_a_platform_shows_no_post_without_is_told_and_not_refused(platform, draft, doubts):
    there = account(platform=platform)
    assert Manual(None).doubts(there, draft) == doubts
    assert Manual(None).misfits(there, draft) == []


@pytest.mark.parametrize(
    ("said", "count", "is_told"),
    [
        ({"platform": "Instagram"}, 5, False),
        ({"platform": "Instagram"}, 6, True),
        ({"platform": "Instagram", "hashtags": 8}, 8, False),
        ({"platform": "Facebook", "hashtags": 2}, 3, True),
        ({"platform": "Facebook"}, 40, False),
    ],
)
def test_more_hashtags_than_are_advised_are_told(said, count, is_told):
    text = "Pan nº #1 de https://pan.example/#masa " + " ".join(f"#pan{number}" for number in range(count))
    found = Manual(None).doubts(account(**said), Draft(text, pictures=pictures(1)))
    assert [one["es"].split()[1] for one in found] == ([str(count)] if is_told else [])
