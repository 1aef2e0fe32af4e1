"""The list before leaving, for pages: nothing leaves over a warning that whoever presses the button hasn't seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from django.db import transaction
from django.urls import reverse

from tertulia.brand.models import Brand
from tertulia.core import clock

from . import checks, dealing, looking, writing
from .access import RoomRequest
from .checks import Checked
from .dealing import Wording
from .models import Post
from .problems import Changed, Unseen
from .writing import Writing


def check(
    request: RoomRequest, brand: Brand, post: Post | None, written: Writing, *,
    wordings: Sequence[Wording] | None = None,
) -> Checked:  # fmt: skip
    """What is amiss with what somebody writes, and with what is said in its place, as they are to see it."""
    others = [one.brand for one in request.memberships if one.brand_id != brand.pk]
    here, at = request.COOKIES.get("zone", ""), clock.now()
    if wordings is None:
        wordings = dealing.wordings(post) if post else []
    looking.ask([one.text for one in wordings], brand, draft=None, at=at)
    return checks.check(
        written, brand=brand, post=post, at=at, others=others, here=here, by=request.user.pk, wordings=wordings
    )  # fmt: skip


def of_post(
    request: RoomRequest, brand: Brand, post: Post, *, wall: datetime | None, wordings: Sequence[Wording] | None = None
) -> Checked:  # fmt: skip
    """What is amiss with a post (of `queries.whole`) that would leave at `wall`, on the wall of its zone; None: now."""
    written = writing.from_post(post)
    written.on, written.time = (wall.date().isoformat(), f"{wall:%H:%M}") if wall else ("", "")
    looking.ask(written.texts, brand, draft=None, at=clock.now())
    return check(request, brand, post, written, wordings=wordings)


@contextmanager
def only_seen(
    request: RoomRequest, brand: Brand, post: Post, *, wall: datetime | None = None,
    wordings: Sequence[Wording] | None = None,
) -> Iterator[None]:  # fmt: skip
    """What is done inside lets the post leave, as in `of_post`. It is undone where something is amiss that wasn't on
    the page: then raises `Unseen`; or `Changed` where somebody has changed meanwhile what was looked at. What stands in
    its way is said before what could be better."""
    found = of_post(request, brand, post, wall=wall, wordings=wordings)
    with transaction.atomic():
        yield
        check_same(post)
        if found.warns and not found.is_seen(request.POST.get("known", "")):
            raise Unseen(wall)


def new_at(request: RoomRequest, brand: Brand, post: Post, *, wall: datetime) -> list[str]:
    """What may not be meant so once a post that is scheduled (of `queries.whole`) leaves at `wall`, and isn't amiss as
    it is."""
    before = {line.says for line in of_post(request, brand, post, wall=post.wall).lines}
    found = of_post(request, brand, post, wall=wall).lines
    return [line.says for line in found if line.tone == "soon" and line.says not in before]


def check_same(post: Post) -> None:
    """Raises `Changed` where a post doesn't say any more what it did when it was read."""
    if not Post.objects.filter(pk=post.pk, revision=post.revision).exists():
        raise Changed


def page_of(post: Post, brand: Brand, problem: Exception | None = None) -> str:
    """The address of a post's page; with the list that `problem` asks to look at, at the time that was wished."""
    address = reverse("publishing:post", args=[brand.slug, post.pk])
    if not isinstance(problem, Unseen):
        return address
    on, time = (f"{problem.wall:%Y-%m-%d}", f"{problem.wall:%H:%M}") if problem.wall else ("", "")
    return f"{address}?on={on}&time={time}#when"
