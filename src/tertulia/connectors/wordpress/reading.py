"""A page of comments, told as envelopes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from tertulia.connectors.contract import About, Author, Envelope, Verb

from .client import PER_PAGE, Blog, Listing
from .comment import Comment
from .place import OVERLAP, Place

DEEPEST = 10
"""WordPress nests answers no deeper."""
STEPS_BACK = 100


def known_page(blog: Blog, offset: int, last: int, *, with_posts: bool = False, **which: str) -> Listing:
    """The page at `offset`, or an earlier one when so many comments were deleted that some could be skipped: nothing
    lies unread before it when it begins no later than with `last`, the newest comment that was read (0: none was)."""
    for _step in range(STEPS_BACK):
        page = blog.comments(offset=str(offset), with_posts=with_posts, **which)
        if offset == 0 or not last or (page.comments and page.comments[0].id <= last):
            break
        offset = max(0, min(offset, page.total) - OVERLAP)
    return page


def told(blog: Blog, place: Place, news: Sequence[tuple[Comment, Verb]], *, now: datetime) -> Iterator[Envelope]:
    if not news:
        return
    me = blog.me()
    threads = threads_of(blog, [comment for comment, _verb in news], me=me)
    posts = posts_of(blog, [comment for comment, _verb in news])
    for comment, verb in news:
        changed_at = place.moment_of_change(now, comment.sent_at) if verb != "created" else None
        envelope = comment.envelope(threads[comment.id], me=me, verb=verb, changed_at=changed_at)
        yield replace(envelope, about=posts.get(comment.post, comment.about))


def posts_of(blog: Blog, comments: Iterable[Comment]) -> dict[int, About]:
    """What the comments stand under; asked of one comment for each post, since posts are of many types."""
    one_each = {comment.post: comment.id for comment in comments}
    if not one_each:
        return {}
    ids = ",".join(map(str, sorted(one_each.values())[-PER_PAGE:]))
    return {comment.post: comment.about for comment in blog.comments(with_posts=True, include=ids).comments}


def deletion(id: int, *, now: datetime) -> Envelope:
    """All that is left to say of it; whoever has the message knows the rest."""
    return Envelope(str(id), "", sent_at=now, author=Author(""), kind="comment", verb="deleted", changed_at=now)


def threads_of(blog: Blog, comments: Iterable[Comment], *, me: int) -> dict[int, str]:
    """The thread of each comment; of our own, that of the person they answer, or answer again."""
    tops = {comment.id: comment for comment in comments}
    known = dict(tops)
    for _level in range(DEEPEST):
        ours = {id: top for id, top in tops.items() if top.author == me and top.parent}
        unknown = sorted({top.parent for top in ours.values()} - set(known))
        if unknown:
            known |= {above.id: above for above in blog.comments(include=",".join(map(str, unknown))).comments}
        raised = {id: known[top.parent] for id, top in ours.items() if top.parent in known}
        if not raised:
            break
        tops |= raised
    return {id: top.thread for id, top in tops.items()}
