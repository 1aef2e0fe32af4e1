"""What is said in a channel, or in a group, to everybody there."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from tertulia.connectors.contract import (
    Account,
    Draft,
    Films,
    Look,
    Names,
    Picture,
    Pictures,
    Poll,
    Polls,
    Publishes,
    Receipt,
    Refused,
    Unknown,
)

from . import texts
from .bot import Bot
from .message import link
from .moderation import chat_of, where

PUBLISHES = Publishes(
    kinds=frozenset({"post", "part", "comment"}),
    counted="utf16",
    longest=4_096,
    caption=1_024,
    pictures=Pictures(
        most=10, types=frozenset({"image/jpeg", "image/png", "image/webp"}), largest=10 * 1024 * 1024, uploads=False
    ),
    films=Films(most=10, largest=50 * 1024 * 1024, mixes=True),
    deletes=True,
    polls=Polls(most=12, longest=100, shortest_time=5, longest_time=2_628_000),
    names=Names(r"[A-Za-z]\w{3,31}", "@lola_obrador"),
    look=Look("bubble", tint="blue", grid="album", card=True),
)
LONGEST_QUESTION = 300
"""The text of a poll (Bot API, sendPoll)."""
_ADDRESS = re.compile(r"https?://t\.me/(?:s/)?(?:(?!c/)(\w{1,40})|c/(\d{1,13}))/(\d{1,16})(?:\?.*)?", re.ASCII)


def publish(bot: Bot, account: Account, draft: Draft) -> Receipt:
    """By one call, pictures included: the network knows no key, and nothing that was said can be looked for."""
    params: dict[str, Any] = {"chat_id": _chat(account, draft)}
    if draft.above:
        params["reply_parameters"] = {"message_id": where(draft.above)[2], "allow_sending_without_reply": True}
    if draft.poll:
        return _receipt([bot.do("sendPoll", **params, question=draft.text, **_asked(draft.poll))])
    files = [(f"p{number}", one.name, one.type, one.content) for number, one in enumerate(draft.pictures)]
    if not files:
        return _receipt([bot.do("sendMessage", **params, text=draft.text)])
    film = draft.pictures[0]
    if len(files) == 1 and film.is_film:
        return _receipt(
            [bot.do_with("sendVideo", [("video", *files[0][1:])], **params, caption=draft.text, **_measured(film))]
        )
    if len(files) == 1:
        return _receipt([bot.do_with("sendPhoto", [("photo", *files[0][1:])], **params, caption=draft.text)])
    album: list[dict[str, Any]] = [
        {"media": f"attach://{name}", **({"type": "video", **_measured(one)} if one.is_film else {"type": "photo"})}
        for (name, *_), one in zip(files, draft.pictures, strict=True)
    ]
    album[0]["caption"] = draft.text
    made = bot.do_with("sendMediaGroup", files, **params, media=json.dumps(album))
    return _receipt(made if isinstance(made, list) else [])


def named(account: Account, url: str) -> Receipt | None:
    """A message of the account's own channel: public ones are called by name, others by number."""
    chat = chat_of(str(account.settings.get("channel") or ""))
    found = _ADDRESS.fullmatch(url)
    if not found or chat == "@":
        return None
    name, number, id = found.groups()
    is_other = chat != int(f"-100{number}") if number else isinstance(chat, str) and chat.lower() != f"@{name}".lower()
    return None if is_other else Receipt(f"{chat}:{id}", url=url, hints={"chat": str(chat), "message": id})


def _measured(film: Picture) -> dict[str, Any]:
    """So that it can be played while it is loaded, and at its right size from the start."""
    size = {"width": film.width, "height": film.height, "supports_streaming": True}
    return size | ({"duration": round(film.seconds)} if film.seconds else {})


def _asked(poll: Poll) -> dict[str, Any]:
    """Nobody sees who voted what: a channel takes no other poll."""
    options = [{"text": one} for one in poll.options]
    return {"options": options, "allows_multiple_answers": poll.multiple, "open_period": poll.seconds}


def _chat(account: Account, draft: Draft) -> int | str:
    if draft.above:
        return chat_of(where(draft.above)[0])
    named = account.settings.get("channel")
    if not isinstance(named, str) or not named.strip():
        raise Refused(texts.NO_CHANNEL)
    return chat_of(named)


def _receipt(made: list[Any]) -> Receipt:
    """Of several pictures the first carries the text; the others go with it."""
    try:
        (first, *others) = [(one["chat"], int(one["chat"]["id"]), int(one["message_id"])) for one in made]
        at = datetime.fromtimestamp(made[0]["date"], UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        raise Unknown(texts.NOT_READABLE) from None
    chat, chat_id, id = first
    hints = {"chat": str(chat_id), "message": str(id), "others": " ".join(str(other) for _, _, other in others)}
    return Receipt(f"{chat_id}:{id}", at=at, url=link(chat, chat_id, id), hints={k: v for k, v in hints.items() if v})
