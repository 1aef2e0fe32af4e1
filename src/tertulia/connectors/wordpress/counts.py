"""How many comments stand under posts of ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tertulia.connectors.contract import Tells

from .client import Blog, count_of

TELLS = Tells(of_posts=frozenset({"replies"}), at_once=20)
"""One call for the posts and one for the comments of each: the blog counts none of its own accord."""


def of_posts(blog: Blog, names: Sequence[str]) -> Iterator[tuple[str, Mapping[str, int]]]:
    """A post that isn't public any more has none, and where nobody may comment nobody has stayed silent."""
    ids = [name.removeprefix("post:") for name in names if name.startswith("post:")]
    ids = [id for id in ids if id.isdecimal()]
    if not ids:
        return
    said = {"include": ",".join(ids), "per_page": "100", "status": "publish", "_fields": "id,comment_status"}
    found = blog.ask("GET", "posts", **said)
    shown = {
        str(one["id"]): one.get("comment_status")
        for one in (found if isinstance(found, list) else [])
        if isinstance(one, dict) and type(one.get("id")) is int
    }
    for id in ids:
        if id not in shown:
            continue
        count = count_of(blog, id)
        is_told = count is not None and (count > 0 or shown[id] == "open")
        yield f"post:{id}", {"replies": count} if count is not None and is_told else {}
