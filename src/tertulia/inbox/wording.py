"""Texts with variables in braces, as somebody wrote them once for many people."""

from __future__ import annotations

import re

from .models import Conversation


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
