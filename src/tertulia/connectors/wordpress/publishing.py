"""Posts of the blog: paragraphs, links and pictures of a plain text, under an address that its key gives."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from html import escape
from typing import Any

from tertulia.connectors.contract import Draft, Films, Look, Picture, Pictures, Publishes, Receipt, Unknown

from . import texts

PUBLISHES = Publishes(
    pictures=Pictures(most=20, largest=8 * 1024 * 1024, alt=1_500),
    films=Films(
        most=5,
        types=frozenset({"video/mp4", "video/quicktime", "video/webm"}),
        largest=64 * 1024 * 1024,
        alt=1_500,
        mixes=True,
    ),
    hints=frozenset({"title"}),
    needs=frozenset({"title"}),
    deletes=True,
    look=Look("page", tint="blue", grid="column"),
    finds=True,
)
_LINK = re.compile(r"https?://[^\s<>\"]*[^\s<>\"'.,;:!?()\[\]{}»”’…]")
LONGEST_SLUG = 60


def said(draft: Draft, key: str) -> dict[str, Any]:
    """What the blog is told of a post that is out at once: when it leaves is for the house to say."""
    return {
        "title": escape(draft.title, quote=False),
        "content": html(draft),
        "slug": slug(draft, key),
        "status": "publish",
    }


def slug(draft: Draft, key: str) -> str:
    """The end of the post's address: its title, and a mark by which it is found again."""
    plain = unicodedata.normalize("NFKD", draft.title.lower()).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:LONGEST_SLUG].strip("-")
    return f"{words or 'post'}-{sha256(key.encode()).hexdigest()[:10]}"


def html(draft: Draft) -> str:
    paragraphs = [one for one in re.split(r"\n\s*\n", draft.text.strip()) if one.strip()]
    return "\n\n".join([*(f"<p>{_lines(one)}</p>" for one in paragraphs), *map(_figure, draft.pictures)])


def _lines(text: str) -> str:
    parts, at = [], 0
    for link in _LINK.finditer(text):
        parts += [escape(text[at : link.start()], quote=False), f'<a href="{escape(link[0])}">{escape(link[0])}</a>']
        at = link.end()
    return "".join([*parts, escape(text[at:], quote=False)]).replace("\n", "<br />\n")


def _figure(picture: Picture) -> str:
    id, _, address = picture.id.partition(" ")
    if picture.is_film:
        said = f'<figcaption class="wp-element-caption">{escape(picture.alt, quote=False)}</figcaption>'
        film = f'<video controls src="{escape(address)}"></video>{said if picture.alt else ""}'
        return f'<!-- wp:video {{"id":{id}}} -->\n<figure class="wp-block-video">{film}</figure>\n<!-- /wp:video -->'
    image = f'<img src="{escape(address)}" alt="{escape(picture.alt)}" class="wp-image-{id}" />'
    return f'<figure class="wp-block-image">{image}</figure>'


def receipt(post: Mapping[str, Any]) -> Receipt:
    id, link = post.get("id"), post.get("link")
    if type(id) is not int or id <= 0:
        raise Unknown(texts.NOT_READABLE)
    return Receipt(f"post:{id}", at=_moment(post.get("date_gmt")), url=link if isinstance(link, str) else "")


def _moment(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(value).replace(tzinfo=UTC) if isinstance(value, str) else None
    except ValueError:
        return None
