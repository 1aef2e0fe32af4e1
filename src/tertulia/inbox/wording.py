"""Texts with variables in braces, as somebody wrote them once for many people; and addresses in answers."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Protocol

from tertulia.channels.models import Message

from .models import Conversation


class Links(Protocol):
    """Own links of a brand, which the room beside this one keeps."""

    def in_answer(self, text: str, *, answer: Message, by: int | None, at: datetime) -> str: ...

    def as_written(self, text: str, *, answer: Message) -> str: ...


_links: list[Links] = []


def offer(links: Links) -> None:
    """Let what somebody answers have links that know it."""
    _links.append(links)


def with_links(text: str, *, answer: Message, by: int, at: datetime) -> str:
    """An answer as it is kept and leaves. Asked again, it makes no link anew."""
    for links in _links:
        text = links.in_answer(text, answer=answer, by=by, at=at)
    return text


def as_written(answer: Message) -> str:
    """What somebody wrote, its addresses as long as they were."""
    text = answer.text
    for links in _links:
        text = links.as_written(text, answer=answer)
    return text


def emptied(text: str, *, conversation: Conversation, agent: str) -> str:
    """An answer as a text to start from: the person's first name and that of whoever answered become variables."""
    name = "" if "@" in conversation.member_name else conversation.member_name.split(" ")[0]
    for said, variable in ((agent, "{agente}"), (agent.split(" ")[0], "{agente}"), (name, "{nombre}")):
        if said:
            text = re.sub(rf"(?<!\w){re.escape(said)}(?!\w)", variable, text)
    return text


def filled(text: str, *, conversation: Conversation, **more: str) -> str:
    """With the variables filled, {nombre} {name} {marca} {brand} and `more`; one that is unknown stays, to be seen."""
    # Who left no name is called by their address, which is no greeting.
    name = "" if "@" in conversation.member_name else conversation.member_name.split(" ")[0]
    values = {"nombre": name, "name": name, "marca": conversation.brand.name, "brand": conversation.brand.name, **more}
    filled = re.sub(r"\{(\w+)\}", lambda found: values.get(found[1].lower(), found[0]), text)
    # «Hola, :» greets nobody well when the name is not known.
    return re.sub(r"\s*,\s*(?=[,:.!])", "", filled) if not name else filled
