"""Telegram's formatted text: plain text, and marks on stretches of it counted in UTF-16 units."""

from __future__ import annotations

from html import escape
from typing import Any

_TAGS = {
    "bold": "b", "italic": "i", "underline": "u", "strikethrough": "s", "code": "code", "pre": "pre",
    "blockquote": "blockquote", "expandable_blockquote": "blockquote",
}  # fmt: skip


def units(text: str) -> int:
    """How long Telegram counts a text."""
    return len(text.encode("utf-16-le", errors="surrogatepass")) // 2


def to_html(text: str, entities: Any) -> str:
    """The text with its marks as HTML; "" when it has none. Marks that make no sense are left out."""
    marks = sorted(
        (mark for one in (entities if isinstance(entities, list) else []) if (mark := _mark(one))),
        key=lambda mark: (mark[0], -mark[1]),
    )
    if not marks:
        return ""
    coded = text.encode("utf-16-le", errors="replace")
    out: list[str] = []
    open_until: list[tuple[int, str]] = []
    place, total = 0, len(coded) // 2

    def write(to: int) -> None:
        nonlocal place
        plain = coded[place * 2 : to * 2].decode("utf-16-le", errors="ignore")
        out.append(escape(plain).replace("\n", "<br>"))
        place = max(place, to)

    def close(until: int) -> None:
        while open_until and open_until[-1][0] <= until:
            end, tag = open_until.pop()
            write(end)
            out.append(f"</{tag}>")

    for start, length, tag, attribute in marks:
        end = min(start + length, total, open_until[-1][0] if open_until and open_until[-1][0] > start else total)
        if start >= total or end <= start:
            continue
        close(start)
        write(start)
        out.append(f"<{tag}{attribute}>")
        open_until.append((end, tag))
    close(total)
    write(total)
    return "".join(out)


def _mark(entity: Any) -> tuple[int, int, str, str] | None:
    if not isinstance(entity, dict):
        return None
    start, length, kind = entity.get("offset"), entity.get("length"), entity.get("type")
    if type(start) is not int or type(length) is not int or start < 0 or not 0 < length < 100_000:
        return None
    if kind == "text_link" and isinstance(url := entity.get("url"), str):
        return start, length, "a", f' href="{escape(url.replace(chr(0), "").encode(errors="ignore").decode())}"'
    return (start, length, _TAGS[kind], "") if isinstance(kind, str) and kind in _TAGS else None
