"""What can be done with a comment. Its state is read first: so an act that is repeated changes nothing."""

from __future__ import annotations

from typing import Any

from tertulia.connectors.contract import Act, Refused

from . import texts
from .client import Blog

STATES: dict[Act, tuple[str, str]] = {
    "approve": ("approved", "hold"),
    "hold": ("hold", "approved"),
    "spam": ("spam", "unspam"),
    "remove": ("trash", "untrash"),
}
"""What each act makes of a comment, and what takes it back."""


def moderate(blog: Blog, act: Act, id: str, *, undo: bool) -> str:
    """The state it is in afterwards."""
    comment = blog.comment(id)
    done, undone = STATES[act]
    if (comment.get("status") == done) is not undo:
        return str(comment.get("status"))  # brought back from the trash twice, an approved one would end up waiting
    if act == "remove" and not undo:
        blog.delete(id)
        return done
    return set_status(blog, comment, undone if undo else done)


def set_status(blog: Blog, comment: dict[str, Any], status: str) -> str:
    """With the writer's address and browser, which WordPress would replace by ours."""
    kept = {name: comment[name] for name in ("author_ip", "author_user_agent") if comment.get(name)}
    made = blog.ask("POST", f"comments/{comment['id']}", {"status": status, **kept})
    became = made.get("status") if isinstance(made, dict) else None
    if became == comment.get("status") or (became != status and not status.startswith("un")):
        raise Refused(texts.NOT_DONE)  # a status it doesn't know is answered with 200, and ignored
    return str(became)
