"""What an update says, as an envelope."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from tertulia.connectors.contract import About, Act, Author, Envelope, Verb

from . import texts
from .entities import to_html

FILES = ("photo", "animation", "document", "video", "video_note", "audio", "voice", "sticker")
OTHERS = ("story", "game", "checklist", "paid_media", "live_photo", "rich_message", "invoice", "giveaway", "gift",
          "unique_gift", "successful_payment")  # fmt: skip
SERVICE = {
    "new_chat_members", "left_chat_member", "chat_owner_left", "chat_owner_changed", "new_chat_title",
    "new_chat_photo", "delete_chat_photo", "group_chat_created", "supergroup_chat_created", "channel_chat_created",
    "message_auto_delete_timer_changed", "migrate_to_chat_id", "migrate_from_chat_id", "pinned_message",
    "refunded_payment", "users_shared", "chat_shared", "connected_website", "write_access_allowed", "passport_data",
    "proximity_alert_triggered", "boost_added", "chat_background_set", "checklist_tasks_done",
    "checklist_tasks_added", "direct_message_price_changed", "forum_topic_created", "forum_topic_edited",
    "forum_topic_closed", "forum_topic_reopened", "general_forum_topic_hidden", "general_forum_topic_unhidden",
    "giveaway_created", "giveaway_winners", "giveaway_completed", "managed_bot_created", "paid_message_price_changed",
    "poll_option_added", "poll_option_deleted", "suggested_post_approved", "suggested_post_approval_failed",
    "suggested_post_declined", "suggested_post_paid", "suggested_post_refunded", "video_chat_scheduled",
    "video_chat_started", "video_chat_ended", "video_chat_participants_invited", "web_app_data",
    "community_chat_added", "community_chat_removed", "community_chat_joined",
}  # fmt: skip
"""What Telegram itself writes into a chat."""
VERBS: dict[str, Verb] = {"message": "created", "edited_message": "edited"}
RIGHTS: dict[str, tuple[Act, ...]] = {
    "can_delete_messages": ("remove",),
    "can_restrict_members": ("restrict", "ban", "kick"),
}
_LARGEST = 2**53
_MICROSECONDS = 1_000_000


def number_of(update: Any) -> int:
    """Raises `ValueError`."""
    if not isinstance(update, dict):
        raise ValueError("not an update")
    return _int(update.get("update_id"))


def moved_from(update: Any) -> tuple[int, int] | None:
    """The new and the old number of a group that has become a supergroup, where an update says so."""
    try:
        message = update["message"]
        here, old, new = message["chat"]["id"], message.get("migrate_from_chat_id"), message.get("migrate_to_chat_id")
        if type(old) is int:
            return _int(here), old
        return (_int(new), _int(here)) if type(new) is int else None
    except (KeyError, TypeError, AttributeError, ValueError):
        return None


def read(update: Any, *, bot: int, rights: Any = None, moved: Mapping[str, str] | None = None) -> Envelope | None:
    """None for what nobody wrote. Raises `ValueError`."""
    number = number_of(update)
    name = next((name for name in VERBS if name in update), "")
    if not name:
        return None
    try:
        return _envelope(update[name], number, VERBS[name], bot, rights, moved or {})
    except (KeyError, TypeError, AttributeError, OverflowError, OSError):
        raise ValueError("not a message") from None


def _envelope(
    message: dict[str, Any], number: int, verb: Verb, bot: int, rights: Any, moved: Mapping[str, str]
) -> Envelope | None:
    chat, id = message["chat"], _int(message["message_id"])
    chat_id, chat_type = _int(chat["id"]), _text(chat["type"])[:20]
    if message.get("is_automatic_forward") or (not _has_content(message) and SERVICE & message.keys()):
        return None
    if not _has_content(message):
        raise ValueError("not known what it holds")
    text = _text(message.get("text") or message.get("caption"))
    marks = message.get("entities" if message.get("text") else "caption_entities")
    author, is_person = _author(message)
    sent_at = datetime.fromtimestamp(_int(message["date"], least=1), UTC)
    above = message.get("reply_to_message")
    above = above if isinstance(above, dict) else {}
    opening = above.get("forum_topic_created")  # what is written in a topic "answers" its opening
    above = {} if opening else above
    topic = _int(message["message_thread_id"]) if message.get("is_topic_message") is True else 0
    home = moved.get(str(chat_id), str(chat_id))
    is_private = chat_type == "private"
    files = _files(message)
    file_id = next((file["file_id"] for file in files if file["file_id"]), "")
    return Envelope(
        remote_id=f"{chat_id}:{id}",
        thread_id=home if is_private else f"{home}:{topic}:{author.remote_id}",
        sent_at=sent_at,
        author=author,
        kind="direct" if is_private else "comment" if _answers_us(above, bot) else "mention",
        verb=verb,
        text=text or _described(message),
        html=to_html(text, marks),
        in_reply_to=f"{chat_id}:{_int(above['message_id'])}" if above else "",
        changed_at=_changed(message, number) if verb == "edited" else None,
        url=link(chat, chat_id, id),
        attachments=[{name: value for name, value in file.items() if name != "file_id"} for file in files],
        raw=message,
        quoted=_text((message.get("quote") or {}).get("text")),
        hints=_hints({"chat": chat_id, "message": id, "topic": topic, "type": chat_type, "file_id": file_id}),
        about=None if is_private else _about(chat, chat_id, above, opening),
        cannot=_cannot(chat_id, chat_type, is_person, rights),
        is_automatic=_is_automatic(message, text),
    )


def _author(message: dict[str, Any]) -> tuple[Author, bool]:
    """Who wrote it; False when they wrote in the name of a channel or the group."""
    if isinstance(sender := message.get("sender_chat"), dict):
        return Author(str(_int(sender["id"])), _text(sender.get("title")), handle=_text(sender.get("username"))), False
    user = message["from"]
    name = " ".join(filter(None, (_text(user.get("first_name")), _text(user.get("last_name")))))
    handle, language = _text(user.get("username")), _text(user.get("language_code"))[:12]
    return Author(str(_int(user["id"])), name, handle=handle, language=language), True


def _answers_us(above: dict[str, Any], bot: int) -> bool:
    """Whether it answers the bot, or stands under a post of the channel that the group belongs to."""
    writer = above.get("from")
    is_bots = isinstance(writer, dict) and writer.get("id") == bot
    return is_bots or above.get("is_automatic_forward") is True


def _about(chat: dict[str, Any], chat_id: int, above: dict[str, Any], opening: Any) -> About:
    """The message it answers, or else the group and its topic."""
    title = _text(chat.get("title"))
    if isinstance(opening, dict):
        title = f"{title} · {_text(opening.get('name'))}"
    if not above:
        return About(str(chat_id), title=title)
    said = _text(above.get("text") or above.get("caption"))
    return About(f"{chat_id}:{_int(above['message_id'])}", title, link(chat, chat_id, above["message_id"]), said[:500])


def _changed(message: dict[str, Any], number: int) -> datetime:
    """Telegram counts whole seconds; of two edits in one the later update is the later edit."""
    seconds = datetime.fromtimestamp(_int(message["edit_date"], least=1), UTC)
    return seconds + timedelta(microseconds=number % _MICROSECONDS)


def _cannot(chat_id: int, chat_type: str, is_person: bool, rights: Any) -> dict[Act, str]:
    cannot: dict[Act, str] = {}
    if not is_person:
        cannot |= {"restrict": "channel", "kick": "channel"}
    if chat_type == "group":
        cannot["restrict"] = "basic"
    granted = rights.get(str(chat_id)) if isinstance(rights, dict) else None
    if isinstance(granted, list):
        for right, acts in RIGHTS.items():
            if right not in granted:
                cannot |= dict.fromkeys(acts, "rights")
    return cannot


def _is_automatic(message: dict[str, Any], text: str) -> bool:
    """Another bot's, or the word Telegram itself sends when somebody opens the bot."""
    writer = message.get("from")
    is_bot = isinstance(writer, dict) and writer.get("is_bot") is True and "sender_chat" not in message
    return is_bot or text.split(" ")[0] == "/start"


def _has_content(message: dict[str, Any]) -> bool:
    return any(message.get(name) for name in ("text", *FILES, "location", "contact", "poll", "dice", *OTHERS))


def _files(message: dict[str, Any]) -> list[dict[str, Any]]:
    """What they are, without an address: the one Telegram gives for a file holds the bot's token."""
    found = []
    for name in FILES:
        file = message.get(name)
        if isinstance(file, list):  # a photo in several sizes, the largest last
            file = file[-1] if file else None
        if not isinstance(file, dict) or (name == "document" and "animation" in message):
            continue
        size = file.get("file_size")
        found.append({
            "name": _text(file.get("file_name")) or name,
            "type": _text(file.get("mime_type")) or ("image/jpeg" if name == "photo" else ""),
            "size": size if type(size) is int and 0 <= size < _LARGEST else 0,
            "file_id": _text(file.get("file_id")),
        })  # fmt: skip
    return found


def _described(message: dict[str, Any]) -> str:
    """A line for what has no text of its own and is no file."""
    if sticker := message.get("sticker"):
        return _text(sticker.get("emoji"))
    if place := message.get("location"):
        venue = message.get("venue") or {}
        where = f"{float(place['latitude'])}, {float(place['longitude'])}"
        return " ".join(filter(None, ("📍", _text(venue.get("title")), where)))
    if contact := message.get("contact"):
        return f"👤 {_text(contact.get('first_name'))} {_text(contact.get('phone_number'))}".strip()
    if poll := message.get("poll"):
        return f"📊 {_text(poll.get('question'))}"
    if dice := message.get("dice"):
        return f"{_text(dice.get('emoji'))} {_int(dice.get('value'))}"
    return next((f"[{name}]" for name in OTHERS if name in message), "")


def _hints(said: dict[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in said.items() if value}


def link(chat: dict[str, Any], chat_id: int, message_id: int) -> str:
    """Where to see it: only supergroups have addresses for their messages."""
    if chat.get("type") != "supergroup":
        return ""
    name = _text(chat.get("username"))
    inside = name if name.isalnum() or name.replace("_", "").isalnum() else "c/" + str(chat_id).removeprefix("-100")
    return f"https://t.me/{inside}/{message_id}"


def _int(value: object, least: int = -_LARGEST) -> int:
    if type(value) is not int or not least <= value < _LARGEST:
        raise ValueError(texts.ODD_MESSAGE)
    return value


def _text(value: object) -> str:
    """Without what no database takes."""
    return value.replace("\x00", "").encode(errors="ignore").decode() if isinstance(value, str) else ""
