"""A local server that speaks the Bot API, written from its documentation (10.1), with the people of its chats.

`messages` is the true list. Where aiogram is installed, every method call it takes and every update it gives is held
against aiogram's types, which are generated from the documentation. Telegram keeps updates for 24 hours, tells of no
deletion, and answers nobody who asks for updates while it calls a webhook.
"""

from __future__ import annotations

import json
import re
import threading
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.parser import BytesParser
from importlib import import_module
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

from fakes import network
from fakes.speaker import Seen, Speaker
from tertulia.connectors.contract import Target
from tertulia.connectors.telegram.connector import Telegram

BOT = 7000000001
TOKEN = f"{BOT}:AAH-that_nobody_may_see_3f9c1e77aa02"
SECRET = "secret-88bb31-that-nobody-may-see"
GROUP, BASIC, ANA = -1001234567890, -4001, 501
KEPT = timedelta(hours=24)
AIOGRAM = import_module("aiogram") if find_spec("aiogram") else None


def check_call(method: str, said: dict[str, Any]) -> None:
    """Raises when Telegram's documentation knows no such call."""
    if AIOGRAM:
        kind = getattr(import_module("aiogram.methods"), method[0].upper() + method[1:])
        assert not said.keys() - kind.model_fields.keys(), (method, said.keys() - kind.model_fields.keys())
        check_all_known(kind.model_validate(said))


def check_update(update: dict[str, Any]) -> None:
    if AIOGRAM:
        check_all_known(import_module("aiogram.types").Update.model_validate(update))


def check_all_known(model: Any) -> None:
    """Nothing of it is unknown to the types, however deep."""
    assert not getattr(model, "model_extra", None), (type(model).__name__, model.model_extra)
    for value in (getattr(model, name) for name in type(model).model_fields):
        for one in value if isinstance(value, list) else [value]:
            if hasattr(one, "model_fields_set"):
                check_all_known(one)


@dataclass
class Bots:
    url: str = ""
    messages: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)
    posts: list[dict[str, Any]] = field(default_factory=list)
    acts: list[tuple[str, bool]] = field(default_factory=list)
    faults: deque[str] = field(default_factory=deque)
    """For calls that change something; `reading_faults` for the others."""
    reading_faults: deque[str] = field(default_factory=deque)
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    hang_seconds: float = 2.2
    honours_keys: bool = False
    updates: list[tuple[datetime, dict[str, Any]]] = field(default_factory=list)
    webhook: dict[str, Any] = field(default_factory=dict)
    rights: dict[int, list[str]] = field(default_factory=dict)
    blocked: set[int] = field(default_factory=set)
    moved: dict[int, int] = field(default_factory=dict)
    reads_all: bool = True
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0) - timedelta(days=1))
    _ids: int = 10
    _updates: int = 900
    _lock: threading.RLock = field(default_factory=threading.RLock)

    # What people do there; each returns the update Telegram tells.

    def write(self, text: str = "", *, chat: int = GROUP, by: int = ANA, **more: Any) -> dict[str, Any]:
        with self._lock:
            self._ids += 1
            self.now += timedelta(seconds=1)
            said = {"text": text} if text else {}
            message = {"message_id": self._ids, "date": int(self.now.timestamp()), "chat": self.chat(chat),
                       "from": user(by), **said, **more}  # fmt: skip
            self.messages[chat, self._ids] = message
            return self._tell("message", message)

    def edit(self, chat: int, id: int, text: str) -> dict[str, Any]:
        with self._lock:
            self.now += timedelta(seconds=1)
            message = {**self.messages[chat, id], "text": text, "edit_date": int(self.now.timestamp())}
            self.messages[chat, id] = message
            return self._tell("edited_message", message)

    def grow(self, old: int, new: int) -> None:
        """A basic group becomes a supergroup."""
        self.moved[old] = new
        self.write(chat=old, migrate_to_chat_id=new)
        self.write(chat=new, migrate_from_chat_id=old)

    def chat(self, id: int) -> dict[str, Any]:
        if id > 0:
            return {"id": id, "type": "private", "first_name": user(id)["first_name"]}
        kind = "supergroup" if str(id).startswith("-100") else "group"
        return {"id": id, "type": kind, "title": "Amigos del Horno"}

    def _tell(self, name: str, message: dict[str, Any]) -> dict[str, Any]:
        self._updates += 1
        update = {"update_id": self._updates, name: message}
        check_update(update)
        self.updates.append((self.now, update))
        return update

    # What the bot asks. Each answers (status, result or error).

    def call(self, method: str, said: dict[str, Any]) -> tuple[int, Any]:
        told = {name: "file" if isinstance(value, bytes) else value for name, value in said.items()}
        check_call(method, {name: value for name, value in told.items() if not re.fullmatch(r"p\d", name)})
        with self._lock:
            name = re.sub("[A-Z]", lambda letter: "_" + letter[0].lower(), method)
            doing = getattr(self, f"_{name}", None)
            return doing(said) if doing else (404, error(404, "Not Found"))

    def _get_me(self, said: dict[str, Any]) -> tuple[int, Any]:
        return 200, {**user(BOT), "can_read_all_group_messages": self.reads_all}

    def _get_updates(self, said: dict[str, Any]) -> tuple[int, Any]:
        if self.webhook.get("url"):
            words = "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook first"
            return 409, error(409, words)
        offset = said.get("offset", 0)
        self.updates = [(at, one) for at, one in self.updates if one["update_id"] >= offset and self.now - at < KEPT]
        return 200, [one for _at, one in self.updates if _asked(one, said)][: said.get("limit", 100)]

    def _get_webhook_info(self, said: dict[str, Any]) -> tuple[int, Any]:
        nothing = {"url": "", "has_custom_certificate": False, "pending_update_count": len(self.updates)}
        return 200, {**nothing, **{name: self.webhook[name] for name in self.webhook if name != "secret_token"}}

    def _set_webhook(self, said: dict[str, Any]) -> tuple[int, Any]:
        self.webhook = said
        return 200, True

    def _delete_webhook(self, said: dict[str, Any]) -> tuple[int, Any]:
        self.webhook = {}
        return 200, True

    def _get_chat(self, said: dict[str, Any]) -> tuple[int, Any]:
        id = _number(said["chat_id"])
        if not isinstance(id, int):
            return 400, error(400, "Bad Request: chat not found")
        return 200, {**self.chat(id), "permissions": {"can_send_messages": True, "can_send_photos": True}}

    def _get_chat_member(self, said: dict[str, Any]) -> tuple[int, Any]:
        granted = dict.fromkeys(self.rights.get(said["chat_id"], ()), True)
        return 200, {"status": "administrator" if granted else "member", "user": user(said["user_id"]), **granted}

    def _send_message(self, said: dict[str, Any]) -> tuple[int, Any]:
        said = {**said, "chat_id": _number(said["chat_id"])}
        chat = said["chat_id"]
        if chat in self.moved:
            words = "Bad Request: group chat was upgraded to a supergroup chat"
            return 400, error(400, words, migrate_to_chat_id=self.moved[chat])
        if chat in self.blocked:
            return 403, error(403, "Forbidden: bot was blocked by the user")
        self._ids += 1
        message = {"message_id": self._ids, "date": int(self.now.timestamp()), "chat": self.chat(chat),
                   "from": user(BOT), "text": said["text"]}  # fmt: skip
        self.posts.append({**message, "said": said})
        self.messages[chat, self._ids] = message
        return 200, message

    def _send_photo(self, said: dict[str, Any]) -> tuple[int, Any]:
        return self._send_message({**said, "text": said.get("caption", ""), "pictures": 1})

    def _send_video(self, said: dict[str, Any]) -> tuple[int, Any]:
        assert said["supports_streaming"]
        assert said["width"] > 0 < said["height"]
        return self._send_message({**said, "text": said.get("caption", ""), "pictures": 1, "films": 1})

    def _send_poll(self, said: dict[str, Any]) -> tuple[int, Any]:
        options = [one["text"] for one in said["options"]]
        asked = (options, said["open_period"], said["allows_multiple_answers"])
        return self._send_message({**said, "text": said["question"], "poll": asked})

    def _send_media_group(self, said: dict[str, Any]) -> tuple[int, Any]:
        album = said["media"]
        assert all(one["media"].removeprefix("attach://") in said for one in album)
        sent = [
            self._send_message(
                {**said, "text": one.get("caption", ""), "pictures": 1, "films": int(one["type"] == "video")}
            )[1]
            for one in album
        ]
        return 200, sent

    def _delete_message(self, said: dict[str, Any]) -> tuple[int, Any]:
        one = self.messages.get((_number(said["chat_id"]), said["message_id"]))
        if one is None:
            return 400, error(400, "Bad Request: message to delete not found")
        if self.now.timestamp() - one["date"] > 48 * 3600:
            return 400, error(400, "Bad Request: message can't be deleted for everyone")
        del self.messages[_number(said["chat_id"]), said["message_id"]]
        self.posts = [post for post in self.posts if post["message_id"] != said["message_id"]]
        return self._done("delete" if one["from"]["id"] == BOT else "remove")

    def _set_message_reaction(self, said: dict[str, Any]) -> tuple[int, Any]:
        return self._done("like", is_undo=not said["reaction"])

    def _restrict_chat_member(self, said: dict[str, Any]) -> tuple[int, Any]:
        return self._member("restrict", said, is_undo=said["permissions"]["can_send_messages"])

    def _ban_chat_member(self, said: dict[str, Any]) -> tuple[int, Any]:
        return self._member("ban" if str(said["chat_id"]).startswith("-100") else "kick", said)

    def _unban_chat_member(self, said: dict[str, Any]) -> tuple[int, Any]:
        only = said.get("only_if_banned", False)
        return self._member("ban" if only else "kick", said, is_undo=only)

    def _ban_chat_sender_chat(self, said: dict[str, Any]) -> tuple[int, Any]:
        return self._member("ban", said)

    def _unban_chat_sender_chat(self, said: dict[str, Any]) -> tuple[int, Any]:
        return self._member("ban", said, is_undo=True)

    def _member(self, act: str, said: dict[str, Any], *, is_undo: bool = False) -> tuple[int, Any]:
        if said["chat_id"] in self.moved:
            words = "Bad Request: group chat was upgraded to a supergroup chat"
            return 400, error(400, words, migrate_to_chat_id=self.moved[said["chat_id"]])
        if self.rights.get(said["chat_id"]) == []:
            return 400, error(400, "Bad Request: not enough rights to restrict/unrestrict chat member")
        return self._done(act, is_undo=is_undo)

    def _done(self, act: str, *, is_undo: bool = False) -> tuple[int, Any]:
        self.acts.append((act, is_undo))
        return 200, True


PLAIN = {"chat_id", "reply_parameters", "media", "width", "height", "duration", "supports_streaming"}
"""What of a form is JSON, and no text."""


def user(id: int) -> dict[str, Any]:
    if id == BOT:
        return {"id": BOT, "is_bot": True, "first_name": "Horno Candela", "username": "hornocandela_bot"}
    return {"id": id, "is_bot": False, "first_name": f"Persona {id}", "language_code": "es"}


def error(code: int, words: str, **parameters: int) -> dict[str, Any]:
    more = {"parameters": parameters} if parameters else {}
    return {"ok": False, "error_code": code, "description": words, **more}


def _asked(update: dict[str, Any], said: dict[str, Any]) -> bool:
    return any(name in update for name in said.get("allowed_updates", ["message"]))


class _Handler(network._Handler):
    bots: Bots

    def do_POST(self) -> None:
        bots = self.bots
        said = self._said(self.rfile.read(int(self.headers["content-length"])))
        found = re.fullmatch(r"/bot([^/]+)/(\w+)", self.path)
        if not found or found[1] != TOKEN:
            return self._answer(401, error(401, "Unauthorized"))
        method = found[2]
        bots.requests.append((method, said))
        faults = bots.reading_faults if method.startswith("get") else bots.faults
        fault = faults.popleft() if faults else ""
        if fault == "429":
            return self._answer(429, error(429, "Too Many Requests: retry after 90", retry_after=90))
        if fault in network.FAULTS_BEFORE:
            return self._fail(fault)
        if fault.isdecimal():
            return self._answer(int(fault), error(int(fault), f"No {TOKEN}"))
        status, result = bots.call(method, said)
        body = result if status != 200 else {"ok": True, "result": result}
        if fault in network.FAULTS_AFTER:
            return self._fall_silent(fault, json.dumps(body).encode())
        return self._answer(status, body)

    def _said(self, body: bytes) -> dict[str, Any]:
        """A form with files says everything else as JSON, or as text."""
        kind = self.headers["content-type"]
        if "multipart" not in kind:
            return json.loads(body)
        form = BytesParser().parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
        said: dict[str, Any] = {}
        for part in form.get_payload():
            content = part.get_payload(decode=True)
            name = part.get_param("name", header="content-disposition")
            said[name] = content if part.get_filename() else self.plain(content.decode(), name)
        return said

    @staticmethod
    def plain(said: Any, name: str = "") -> Any:
        return json.loads(said) if name in PLAIN else said

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        self._say(status, json.dumps(body).encode())


@contextmanager
def running(bots: Bots):
    server = network._Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"bots": bots, "network": bots}))
    bots.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield bots
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def with_messages() -> Bots:
    """A person's message in a group, and one of ours."""
    bots = Bots()
    bots.write("¿Abrís el domingo?")
    bots.messages[GROUP, 12] = {"message_id": 12, "date": int(bots.now.timestamp()), "from": user(BOT)}
    bots._ids = 12
    return bots


def account(bots: Any, **settings: Any) -> Any:
    secrets = {"token": TOKEN, "secret": SECRET}
    return SimpleNamespace(
        id=1, settings={"api": bots.url, "mode": "ask", "channel": str(GROUP), **settings}, secrets=secrets
    )


def target(message: int = 11, *, chat: int = GROUP, person: int = ANA, **more: Any) -> Target:
    kind = "supergroup" if str(chat).startswith("-100") else "group"
    hints = {"chat": str(chat), "message": str(message), "type": kind}
    told = {"person_id": str(person), "hints": hints, "kind": "mention", **more}
    return Target(f"{chat}:0:{person}", remote_id=f"{chat}:{message}", **told)


def _number(chat: Any) -> Any:
    return GROUP if chat == "@amigosdelhorno" else chat


def _above(said: dict[str, Any]) -> str:
    answered = said.get("reply_parameters", {}).get("message_id")
    return f"{said['chat_id']}:{answered}" if answered else ""


SPEAKER = Speaker(
    Telegram,
    lambda: running(with_messages()),
    account,
    target(),
    (TOKEN, SECRET),
    targets={"delete": target(12, is_ours=True)},
    published=lambda bots: [
        Seen(
            post["text"],
            _above(post["said"]),
            [""] * post["said"].get("pictures", 0),
            post["said"].get("poll"),
            post["said"].get("films", 0),
        )
        for post in bots.posts
    ],
)
