"""What a bot can do with a message or its writer."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tertulia.connectors.contract import Act, Refused, Target, Unsupported

from . import texts
from .bot import Bot
from .message import RIGHTS

SILENT = {"can_send_messages": False}
"""What is not named is not allowed either."""
LIKE = [{"type": "emoji", "emoji": "👍"}]
_NUMBER = re.compile(r"-?\d{1,16}")
_CHAT = re.compile(r"-?\d{1,16}|@\w{1,40}", re.ASCII)


def do(bot: Bot, act: Act, on: Target, *, undo: bool) -> None:
    doing = _ACTS.get((act, undo))
    if doing is None:
        raise Unsupported(act)
    doing(bot, on)


def where(to: Target) -> tuple[str, int, int]:
    """The chat, by its number or its @name, the topic and the message; without hints, as far as the thread tells."""
    chat, _, rest = to.thread_id.partition(":")
    chat, topic = to.hints.get("chat", chat), to.hints.get("topic", rest.partition(":")[0] if rest else "0")
    message = to.hints.get("message") or to.remote_id.partition(":")[2] or "0"
    if not _CHAT.fullmatch(chat) or not all(_NUMBER.fullmatch(number) for number in (topic, message)):
        raise Refused(texts.NO_CHAT)
    return chat, int(topic), int(message)


def chat_of(said: str) -> int | str:
    """What people write for a group or a channel: its number, its @name or its address."""
    said = said.strip().removeprefix("https://t.me/")
    return int(said) if _NUMBER.fullmatch(said) else "@" + said.removeprefix("@")


def rights(bot: Bot, groups: Any) -> dict[str, list[str]]:
    """What the bot may do in each of these groups, by the group's number."""
    found: dict[str, list[str]] = {}
    for group in groups if isinstance(groups, list) else ():
        try:
            chat = bot.ask("getChat", chat_id=chat_of(group))
            member = bot.ask("getChatMember", chat_id=chat["id"], user_id=bot.id)
        except Refused:
            found[str(group)] = []
            continue
        found[str(chat["id"])] = [right for right in RIGHTS if member.get(right) is True]
    return found


def _like(bot: Bot, on: Target) -> None:
    _react(bot, on, LIKE)


def _unlike(bot: Bot, on: Target) -> None:
    _react(bot, on, [])


def _react(bot: Bot, on: Target, reaction: list[dict[str, str]]) -> None:
    chat, _topic, message = where(on)
    bot.do_in(chat, "setMessageReaction", message_id=message, reaction=reaction)


def _delete(bot: Bot, on: Target) -> None:
    chat, _topic, message = where(on)
    others = [int(one) for one in on.hints.get("others", "").split() if one.isdecimal()]
    for number in (message, *others):
        try:
            bot.do_in(chat, "deleteMessage", message_id=number)
        except Refused as refused:
            if "message to delete not found" not in refused.why:  # it is gone already
                raise


def _restrict(bot: Bot, on: Target) -> None:
    bot.do_in(where(on)[0], "restrictChatMember", user_id=_person(on), permissions=SILENT)


def _lift(bot: Bot, on: Target) -> None:
    """Back to what everybody may do in the group."""
    chat = where(on)[0]
    told = bot.ask("getChat", chat_id=int(chat))
    allowed = told.get("permissions") if isinstance(told, dict) else None
    bot.do_in(chat, "restrictChatMember", user_id=_person(on), permissions=allowed or {"can_send_messages": True})


def _kick(bot: Bot, on: Target) -> None:
    """Out, but free to come back. In a supergroup that is what lifting a ban does to a member; in a basic group nobody
    is kept from coming back."""
    method = "banChatMember" if on.hints.get("type") == "group" else "unbanChatMember"
    bot.do_in(where(on)[0], method, user_id=_person(on))


def _ban(bot: Bot, on: Target) -> None:
    chat, person = where(on)[0], _person(on)
    if person < 0:
        bot.do_in(chat, "banChatSenderChat", sender_chat_id=person)
    else:
        bot.do_in(chat, "banChatMember", user_id=person)


def _unban(bot: Bot, on: Target) -> None:
    chat, person = where(on)[0], _person(on)
    if person < 0:
        bot.do_in(chat, "unbanChatSenderChat", sender_chat_id=person)
    else:
        bot.do_in(chat, "unbanChatMember", user_id=person, only_if_banned=True)


def _person(on: Target) -> int:
    if not _NUMBER.fullmatch(on.person_id):
        raise Refused(texts.NO_CHAT)
    return int(on.person_id)


_ACTS: dict[tuple[Act, bool], Callable[[Bot, Target], None]] = {
    ("like", False): _like,
    ("like", True): _unlike,
    ("delete", False): _delete,
    ("remove", False): _delete,
    ("restrict", False): _restrict,
    ("restrict", True): _lift,
    ("kick", False): _kick,
    ("ban", False): _ban,
    ("ban", True): _unban,
}
