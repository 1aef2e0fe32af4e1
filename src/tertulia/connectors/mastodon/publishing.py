"""What is said to everybody: statuses with their pictures, one below the other."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from tertulia.connectors.contract import (
    Draft,
    Films,
    Look,
    Names,
    Picture,
    Pictures,
    Polls,
    Publishes,
    StillAtIt,
    Unknown,
)
from tertulia.core import multipart

from . import texts
from .client import Server, in_path

PICTURES = Pictures(most=4, largest=16 * 1024 * 1024, most_pixels=33_177_600, alt=1_500)
FILMS = Films(
    types=frozenset({"video/mp4", "video/quicktime", "video/webm"}), largest=103_809_024, alt=1_500
)  # fmt: skip
"""One, and no pictures beside it (99 MB: docs.joinmastodon.org, Instance, and Posting, Media attachments)."""
POLLS = Polls(most=4, longest=50, shortest_time=300, longest_time=2_629_746)
"""A server of today, unless it says otherwise of itself (docs.joinmastodon.org, Instance)."""
PUBLISHES = Publishes(
    kinds=frozenset({"post", "part", "comment"}),
    counted="mastodon",
    longest=500,
    pictures=PICTURES,
    films=FILMS,
    hints=frozenset({"warning", "language", "visibility"}),
    visible=(("public", texts.SEEN_BY_ALL), ("unlisted", texts.SEEN_QUIETLY), ("private", texts.SEEN_BY_FOLLOWERS)),
    deletes=True,
    polls=POLLS,
    names=Names(r"\w+(?:[\w.-]*\w)?@\w[\w-]*(?:\.\w[\w-]*)+", "@lola@mastodon.social"),
    look=Look(tint="violet", card=True, lines=15, over=32),
    finds=True,
    repeats_safely=True,
    keys_live=3600,
)
LOOKS, LOOK_SECONDS = 8, 1.0
"""How long a picture or film is waited for that the server still works at; a lease is far longer."""
LOOK_AGAIN = timedelta(seconds=10)


def fields(draft: Draft) -> list[tuple[str, str]]:
    """The form of a status."""
    said = {
        "status": draft.text,
        "in_reply_to_id": in_path(draft.above.remote_id) if draft.above else "",
        "visibility": draft.visibility or (draft.above.hints.get("visibility", "") if draft.above else ""),
        "spoiler_text": draft.warning,
        "language": draft.language,
    }
    form = [(name, value) for name, value in said.items() if value]
    if poll := draft.poll:
        form += [("poll[options][]", one) for one in poll.options]
        form += [("poll[expires_in]", str(poll.seconds)), ("poll[multiple]", "true" if poll.multiple else "false")]
    return form + [("media_ids[]", one.id) for one in draft.pictures]


def upload(server: Server, picture: Picture, key: str) -> str:
    """The picture's or film's name there, once the server is done with it."""
    made: Any = {}
    id = picture.id
    if not id:
        file = ("file", picture.name, picture.type, picture.content)
        made = server.send("POST", "/api/v2/media", *multipart.encode({"description": picture.alt}, [file]), key)
        id = made.get("id")
        if not isinstance(id, str) or not id:
            raise Unknown(texts.NO_WHOLE_ANSWER)
    for _look in range(LOOKS):
        if isinstance(made.get("url"), str):
            return id
        time.sleep(LOOK_SECONDS)
        made = server.get(f"/api/v1/media/{in_path(id)}")
        if not isinstance(made, dict):
            break
    raise StillAtIt(texts.STILL_AT_IT, id, after=LOOK_AGAIN)


def rules(settings: Mapping[str, Any]) -> Pictures:
    """What this server takes, as it said when it was last asked."""
    said = settings.get("pictures")
    said = said if isinstance(said, dict) else {}
    known: dict[str, Any] = {
        name: value for name in ("most", "largest", "most_pixels", "alt") if isinstance(value := said.get(name), int)
    }
    types = said.get("types")
    if isinstance(types, list) and (fitting := PICTURES.types.intersection(filter(_is_text, types))):
        known["types"] = fitting
    return replace(PICTURES, **known)


def film_rules(settings: Mapping[str, Any]) -> Films:
    """As `rules`, for films."""
    said = settings.get("pictures")
    said = said if isinstance(said, dict) else {}
    largest, alt, types = said.get("film_largest"), said.get("alt"), said.get("types")
    known: dict[str, Any] = {"largest": largest} if isinstance(largest, int) else {}
    known |= {"alt": alt} if isinstance(alt, int) else {}
    if isinstance(types, list):
        known["types"] = FILMS.types.intersection(filter(_is_text, types))
    return replace(FILMS, **known)


def poll_rules(settings: Mapping[str, Any]) -> Polls:
    """As `rules`, for polls."""
    said = settings.get("polls")
    said = said if isinstance(said, dict) else {}
    names = ("most", "longest", "shortest_time", "longest_time")
    return replace(POLLS, **{name: value for name in names if type(value := said.get(name)) is int})


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def told(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """What a server says of pictures, for `rules`."""
    statuses, media = (configuration.get(name) for name in ("statuses", "media_attachments"))
    statuses, media = (part if isinstance(part, dict) else {} for part in (statuses, media))
    found = {
        "most": statuses.get("max_media_attachments"),
        "largest": media.get("image_size_limit"),
        "most_pixels": media.get("image_matrix_limit"),
        "alt": media.get("description_limit"),
        "film_largest": media.get("video_size_limit"),
    }
    types = media.get("supported_mime_types")
    numbers = {name: value for name, value in found.items() if type(value) is int and 0 < value < 10**12}
    return numbers | ({"types": [one for one in types if _is_text(one)][:100]} if isinstance(types, list) else {})


def told_of_polls(configuration: Mapping[str, Any]) -> dict[str, int]:
    """What a server says of polls, for `poll_rules`."""
    polls = configuration.get("polls")
    polls = polls if isinstance(polls, dict) else {}
    found = {
        "most": polls.get("max_options"),
        "longest": polls.get("max_characters_per_option"),
        "shortest_time": polls.get("min_expiration"),
        "longest_time": polls.get("max_expiration"),
    }
    return {name: value for name, value in found.items() if type(value) is int and 0 < value < 10**9}
