from __future__ import annotations

import hmac
import json
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

from tertulia.connectors.contract import (
    Account,
    Act,
    BadPayload,
    Can,
    Capabilities,
    Connector,
    Draft,
    Envelope,
    Field,
    Health,
    Inbound,
    Kind,
    Look,
    Page,
    Receipt,
    Reconnect,
    Retry,
    Target,
    Unknown,
    Unread,
    Unsupported,
)

from . import moderation, publishing, texts
from .bot import API, Bot, Conflict, bot_id
from .entities import units
from .message import RIGHTS, VERBS, moved_from, number_of, read
from .place import Place
from .texts import CANNOT, REASONS

MAX_TEXT = 4_096
MOST = 100
"""Updates at once."""
WAIT = 5
"""Seconds a reading waits at Telegram's for news."""
TWO_DAYS = timedelta(hours=48)
IN_GROUPS: frozenset[Kind] = frozenset({"comment", "mention"})
IN_PRIVATE: frozenset[Kind] = frozenset({"direct"})


class Telegram(Connector):
    """A bot in groups and private chats."""

    key = "telegram"
    name = {"en": "Telegram", "es": "Telegram"}
    about = {
        "en": "Groups, channels and private talks, through a bot of yours.",
        "es": "Grupos, canales y conversaciones privadas, con un bot tuyo.",
    }
    fields = (
        Field("token", texts.TOKEN_LABEL, kind="secret", help=texts.TOKEN_HELP),
        Field(
            "mode",
            texts.MODE_LABEL,
            kind="choice",
            help=texts.MODE_HELP,
            default="ask",
            choices=(("ask", texts.ASK), ("webhook", texts.BE_CALLED)),
        ),
        Field("webhook", texts.WEBHOOK_LABEL, kind="url", help=texts.WEBHOOK_HELP, is_required=False, is_rare=True),
        Field("groups", texts.GROUPS_LABEL, kind="lines", help=texts.GROUPS_HELP, is_required=False),
        Field("channel", texts.CHANNEL_LABEL, help=texts.CHANNEL_HELP, is_required=False),
        Field("api", texts.API_LABEL, kind="url", help=texts.API_HELP, default=API, is_required=False, is_rare=True),
        Field("secret", texts.SECRET_LABEL, kind="secret", is_generated=True),
    )
    reasons = REASONS
    sentences = texts.SENTENCES
    facts = {"bot": {"en": "The bot's name", "es": "Nombre del bot"}}
    capabilities = Capabilities(
        reads=frozenset({"direct", "comment", "mention"}),
        can=(
            Can("reply"),
            Can("like", undoes=True, note=texts.LIKE),
            Can("delete", whose="ours", within=TWO_DAYS),
            Can("remove", on=IN_GROUPS, note=texts.REMOVE),
            Can("remove", on=IN_PRIVATE, within=TWO_DAYS, note=texts.REMOVE_PRIVATE),
            Can("restrict", on=IN_GROUPS, undoes=True, note=texts.RESTRICT),
            Can("kick", on=IN_GROUPS, note=texts.MEMBERS),
            Can("ban", on=IN_GROUPS, undoes=True, note=texts.MEMBERS),
        ),
        cannot=CANNOT,
        max_text=MAX_TEXT,
        webhook=True,
        polls=True,
        poll_seconds=3,
        send_gap=0.1,
        publishes=publishing.PUBLISHES,
    )

    def check(self, account: Account) -> Health:
        """Who the bot is, whether it hears everything, and what it may do in the groups it looks after."""
        bot = Bot(self.http, account)
        me = bot.ask("getMe")
        if not isinstance(me, dict):
            raise BadPayload(texts.NOT_READABLE)
        rights = moderation.rights(bot, account.settings.get("groups"))
        says = texts.FINE if me.get("can_read_all_group_messages") is True else texts.SEES_LITTLE
        if any(len(granted) < len(RIGHTS) for granted in rights.values()):
            says = texts.LACKS_RIGHTS
        facts = {"bot": str(me.get("username", "")), "rights": rights}
        return Health(is_ok=True, says=says, facts=facts, who=str(me.get("id", "")))

    # Reading.

    def fetch(self, account: Account, cursor: str) -> Page:
        bot, place = Bot(self.http, account), Place.read(cursor)
        if account.settings.get("mode") == "webhook":
            self._keep_webhook(bot, account, place)
            return Page([], str(place))
        try:
            updates = bot.ask("getUpdates", **place.after(), limit=MOST, timeout=WAIT, allowed_updates=list(VERBS))
        except Conflict:
            _leave_webhook(bot, account)
            return Page([], cursor, more=True)
        if not isinstance(updates, list):
            raise BadPayload(texts.NOT_READABLE)
        envelopes, unread = _read_all(updates, account, place)
        return Page(envelopes, str(place), more=len(updates) >= MOST and str(place) != cursor, unread=unread)

    def receive(self, account: Account, inbound: Inbound) -> list[Envelope]:
        secret = account.secrets.get("secret", "")
        given = inbound.headers.get("x-telegram-bot-api-secret-token", "")
        if not secret or not hmac.compare_digest(secret.encode(), given.encode(errors="replace")):
            raise BadPayload(texts.FORGED, forged=True)
        try:
            update = json.loads(inbound.body, parse_constant=_no_number)
            found = read(update, bot=_own(account), rights=account.settings.get("rights"))
        except (ValueError, RecursionError):
            raise BadPayload(texts.ODD_MESSAGE) from None
        return [found] if found else []

    def _keep_webhook(self, bot: Bot, account: Account, place: Place) -> None:
        """See to it that Telegram calls us, with the secret of today, and say so when it can't."""
        address, secret = str(account.settings.get("webhook") or ""), account.secrets.get("secret", "")
        if not address or not secret:
            raise Reconnect(texts.NO_WEBHOOK)
        mark = sha256(f"{address} {secret}".encode()).hexdigest()[:16]
        if not place.is_time_to_look(mark):
            return
        info = bot.ask("getWebhookInfo")
        info = info if isinstance(info, dict) else {}
        if info.get("url") != address or place.webhook != mark:
            bot.do("setWebhook", url=address, secret_token=secret, allowed_updates=list(VERBS))
        elif info.get("pending_update_count") and place.is_recent(info.get("last_error_date")):
            raise Retry(texts.WEBHOOK_FAILS)
        place.looked(mark)

    # Writing.

    def reply(self, account: Account, to: Target, text: str, key: str) -> Receipt:
        if units(text) > MAX_TEXT:
            raise Unsupported(texts.TOO_LONG)
        chat, topic, message = moderation.where(to)
        said: dict[str, Any] = {"text": text}
        if topic:
            said["message_thread_id"] = topic
        if message and to.kind != "direct":
            said["reply_parameters"] = {"message_id": message, "allow_sending_without_reply": True}
        made = Bot(self.http, account).do_in(chat, "sendMessage", **said)
        try:
            sent = read({"update_id": 0, "message": made}, bot=0)
        except ValueError:
            sent = None
        if sent is None:
            raise Unknown(texts.NOT_READABLE)
        return Receipt(sent.remote_id, at=sent.sent_at, url=sent.url)

    def publish(self, account: Account, draft: Draft, key: str) -> Receipt:
        self.check_fit(account, draft)
        return publishing.publish(Bot(self.http, account), account, draft)

    def act(
        self, account: Account, act: Act, on: Target, key: str, *, undo: bool = False, because: str = ""
    ) -> Receipt:
        moderation.do(Bot(self.http, account), act, on, undo=undo)
        return Receipt(on.remote_id)

    def longest_post(self, account: Account, draft: Draft) -> int | None:
        return publishing.LONGEST_QUESTION if draft.poll else super().longest_post(account, draft)

    def named(self, account: Account, url: str) -> Receipt | None:
        return publishing.named(account, url)

    def home(self, account: Account) -> str:
        chat = moderation.chat_of(str(account.settings.get("channel") or ""))
        return f"https://t.me/{chat[1:]}" if isinstance(chat, str) and chat != "@" else ""

    def look(self, account: Account) -> Look:
        named = str(account.settings.get("channel") or "")
        return replace(publishing.PUBLISHES.look, handle=named if named.startswith("@") else "")

    def text_length(self, account: Account, text: str) -> int:
        return units(text)


def _read_all(updates: list[Any], account: Account, place: Place) -> tuple[list[Envelope], list[Unread]]:
    envelopes, unread = [], []
    for update in updates:
        try:
            place.passed(number_of(update))
            if moved := moved_from(update):
                place.note_move(*moved)
            found = read(update, bot=_own(account), rights=account.settings.get("rights"), moved=place.moved)
        except ValueError:
            unread.append(Unread(update, texts.ODD_MESSAGE))
            continue
        if found:
            envelopes.append(found)
    return envelopes, unread


def _leave_webhook(bot: Bot, account: Account) -> None:
    """Telegram answers nobody who asks while it calls somebody. If that is us, no more."""
    info = bot.ask("getWebhookInfo")
    address = info.get("url") if isinstance(info, dict) else ""
    if not address:
        raise Conflict(texts.ANOTHER_READER)
    if address != account.settings.get("webhook"):
        raise Reconnect(texts.WEBHOOK_ELSEWHERE)
    bot.do("deleteWebhook", drop_pending_updates=False)


def _own(account: Account) -> int:
    return bot_id(account.secrets.get("token", ""))


def _no_number(said: str) -> None:
    raise ValueError(said)


connector = Telegram
