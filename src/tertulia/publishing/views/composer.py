"""The composer: a post is written, looked at before it leaves, and handed in."""

from __future__ import annotations

import re
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from tertulia.brand.models import Brand
from tertulia.community import testimonials
from tertulia.core import clock
from tertulia.strategy import queries as strategy
from tertulia.team.access import brand_required

from .. import (
    checks,
    composer,
    evergreen,
    experiments,
    handles,
    ideas,
    leaving,
    library,
    looking,
    pieces,
    queries,
    rhythm,
    rights,
    series,
    writing,
)
from ..access import RoomRequest
from ..forms import LibraryFilter
from ..models import ApprovalRule, Draft, Post, SavedPiece
from ..problems import Changed, Problem, Unseen
from ..writing import Then, Writing

THEN: dict[str, Then] = {"schedule": "schedule", "now": "now", "ask": "ask", "queue": "queue"}
MOST_TRIES = 10
"""So often a page asks how its links stand; after that, whoever types asks again."""
_LOOK = re.compile(r"([0-9]{1,18})(?:\.(B|[0-9]{1,2}))?")


@require_http_methods(["GET", "HEAD", "POST"])
@brand_required("publishing.write")
def begin(request: RoomRequest, brand: Brand) -> HttpResponse:
    """A new post; `?on=2026-11-24` for that day, `&time=09:00` at that hour, `&account=7` there, `&campaign=7`
    for that campaign, `?piece=7` with that saved piece added, `?testimonial=7` with that quote (and, with `&source=1`,
    its link), `?media=7` with that picture."""
    return _hand_in(request, brand, None) if request.method == "POST" else _show(request, brand, None)


@require_http_methods(["GET", "HEAD", "POST"])
@brand_required("publishing.write")
def change(request: RoomRequest, brand: Brand, post_id: int) -> HttpResponse:
    """Another text of a post; `?media=7&place=.5-1` hangs that picture on the second part of account 5, and
    `&instead=3` in the place of another."""
    post = get_object_or_404(queries.whole(brand), pk=post_id)
    return _hand_in(request, brand, post) if request.method == "POST" else _show(request, brand, post)


@require_POST
@brand_required("publishing.write")
def copy(request: RoomRequest, brand: Brand, post_id: int) -> HttpResponse:
    """A new post that says the same, to go on with."""
    post = get_object_or_404(Post.objects.select_related("brand"), pk=post_id, brand=brand)
    try:
        made = evergreen.copy(post, by=request.user, at=clock.now())
    except Problem as problem:
        messages.error(request, str(problem))
        return redirect("publishing:post", brand.slug, post.pk)
    return redirect("publishing:text", brand.slug, made.pk)


@require_POST
@brand_required("publishing.write")
def keep_new_draft(request: RoomRequest, brand: Brand) -> HttpResponse:
    return _keep_draft(request, brand, None)


@require_POST
@brand_required("publishing.write")
def keep_draft(request: RoomRequest, brand: Brand, post_id: int) -> HttpResponse:
    return _keep_draft(request, brand, get_object_or_404(queries.whole(brand), pk=post_id))


@require_POST
@brand_required("publishing.write")
def discard_new_draft(request: RoomRequest, brand: Brand) -> HttpResponse:
    writing.discard_draft(brand=brand, post=None, by=request.user)
    return redirect("publishing:posts", brand.slug)


@require_POST
@brand_required("publishing.write")
def discard_draft(request: RoomRequest, brand: Brand, post_id: int) -> HttpResponse:
    post = get_object_or_404(Post, pk=post_id, brand=brand)
    writing.discard_draft(brand=brand, post=post, by=request.user)
    return redirect("publishing:post", brand.slug, post.pk)


def _show(request: RoomRequest, brand: Brand, post: Post | None) -> HttpResponse:
    draft = writing.draft_of(brand, request.user, post)
    if draft:
        written = writing.from_plain(draft.written)
    else:
        written = writing.from_post(post) if post else Writing(zone=brand.time_zone)
    if not post and (on := request.GET.get("on", "")):
        written.on, written.time = on[:10], request.GET.get("time", written.time)[:5]
        asked = [one.pk for one in queries.accounts(brand) if str(one.pk) == request.GET.get("account")]
        written.accounts += [one for one in asked if one not in written.accounts]
    if not post and (campaign := request.GET.get("campaign", "")).isdecimal() and len(campaign) < 10:
        written.campaign = int(campaign)
    asked_for = request.GET.get("piece", "")
    chosen = (
        SavedPiece.objects.filter(brand=brand, pk=asked_for) if asked_for.isdecimal() and len(asked_for) < 19 else ()
    )
    for piece in chosen:
        written.add(*pieces.filled([piece.text], brand))
    if quote := testimonials.chosen(
        brand, request.GET.get("testimonial", ""), with_source=request.GET.get("source") == "1", at=clock.now()
    ):
        written.add(quote)
    _hang(request, brand, written)
    return _page(request, brand, post, written, draft=draft)


def _hang(request: RoomRequest, brand: Brand, written: Writing) -> None:
    """The picture that the address names."""
    asked = {name: request.GET.get(name, "") for name in ("media", "instead")}
    ids = {name: int(said) for name, said in asked.items() if said.isdecimal() and said.isascii() and len(said) < 19}
    known = queries.pictures(brand).in_bulk(ids.values()) if ids else {}
    media, instead = ids.get("media", 0), ids.get("instead", 0)
    if media in known and instead:
        written.swap(instead, media)
    elif media in known:
        written.change(f"use{_place(request)}-{media}")


def _place(request: RoomRequest) -> str:
    """The part that a picture is chosen for: the first one unless the address says another."""
    place = request.GET.get("place", "")
    return place if composer.place_of(f"file{place}") else "-0"


def _keep_draft(request: RoomRequest, brand: Brand, post: Post | None) -> HttpResponse:
    """Keep what stands on the page, with what a button asked to change in it, and answer what is amiss by now."""
    written, asked = writing.from_form(request.POST, brand), request.POST.get("do", "")
    is_changed, problem = written.change(asked), _take_files(request, brand, written)
    if asked == "over" and post:
        written.seen, is_changed = post.revision, True
    draft = writing.keep_draft(brand=brand, post=post, writing=written, by=request.user, at=clock.now())
    looking.ask(written.texts, brand, draft=draft, at=clock.now())
    if not request.htmx:
        if problem:
            messages.error(request, problem)
        return redirect(_address("beginning", "text", brand, post))
    if is_changed or problem or request.FILES:
        return _page(request, brand, post, written, fresh=asked, problem=problem)
    found = leaving.check(request, brand, post, written)
    return render(request, "publishing/_checked.html", {
        "checked": found, "is_kept": True, "poll_times": composer.poll_times(),
        "draft_url": _address("new_draft", "draft", brand, post),
    })  # fmt: skip


@require_GET
@brand_required("publishing.write")
def show_looks(request: RoomRequest, brand: Brand) -> HttpResponse:
    """How links that waited to be asked stand by now: `?look=7&look=8.B`, the second one of wording B; `clean` when
    nothing else was amiss."""
    asked = [found for one in request.GET.getlist("look") if (found := _LOOK.fullmatch(one))]
    tries = request.GET.get("tries", "0")
    looks = looking.waiting([(int(one[1]), one[2] or "") for one in asked], brand, at=clock.now())
    is_clean = request.GET.get("clean") == "1" and not any(one.tone == "soon" for one in looks)
    context = {
        "looks": looks, "waiting": any(one.is_waiting for one in looks), "is_clean": is_clean,
        "tries": min(int(tries), MOST_TRIES) + 1 if tries.isdecimal() and len(tries) < 4 else MOST_TRIES,
        "most_tries": MOST_TRIES,
    }  # fmt: skip
    return render(request, "publishing/_looks.html", context)


@require_GET
@brand_required("publishing.write")
def offer_pictures(request: RoomRequest, brand: Brand) -> HttpResponse:
    """Pictures of the library for a part of a post, `?post=7&place=-1`: `&q=` looks for words, `&before=9` goes on."""
    id = request.GET.get("post", "")
    is_id = id.isdecimal() and id.isascii() and len(id) < 19
    post = get_object_or_404(Post, pk=id, brand=brand) if is_id else None
    form = LibraryFilter(request.GET)
    asked = form.cleaned_data if form.is_valid() else {}
    context = _shelf(brand, post, q=asked.get("q") or "", before=asked.get("before")) | {
        "room": "publishing", "place": _place(request), "post": post, "q": asked.get("q") or "",
        "draft_url": _address("new_draft", "draft", brand, post),
    }  # fmt: skip
    if request.htmx:
        return render(request, "publishing/_picture_choice.html", context)
    context["compose_url"] = _address("beginning", "text", brand, post)
    return render(request, "publishing/picture_choice.html", context)


def _shelf(brand: Brand, post: Post | None, *, q: str = "", before: int | None = None) -> dict[str, Any]:
    """Some pictures of the library, and where the others are."""
    today = rights.day_of(clock.now(), brand)
    choice_url = f"{reverse('publishing:media_choice', args=[brand.slug])}?post={post.pk if post else ''}"
    shelf = queries.shelf(brand, today=today, q=q, before=before, most=composer.OFFERED)
    return {"library": shelf, "choice_url": choice_url}


def _take_files(request: RoomRequest, brand: Brand, written: Writing) -> str:
    """Take what was chosen into the library, and hang it where it was chosen. Says what is neither picture nor film."""
    problems = []
    for name in request.FILES:
        found = composer.place_of(name)
        for file in request.FILES.getlist(name) if found else []:
            try:
                media = library.take(
                    brand=brand, name=file.name or "", file=library.file_of(file), by=request.user, at=clock.now()
                )
            except Problem as problem:
                problems.append(f"{file.name}: {problem}")
            else:
                written.change(f"use.{found[0]}-{found[1]}-{media.pk}")  # type: ignore[index]
    return " ".join(problems)


def _hand_in(request: RoomRequest, brand: Brand, post: Post | None) -> HttpResponse:
    """What can't be done comes back with the reason, and nothing of what was written lost."""
    written, then = writing.from_form(request.POST, brand), THEN.get(request.POST.get("do", ""), "keep")
    if problem := _take_files(request, brand, written):
        return _page(request, brand, post, written, status=422, problem=problem)
    if then not in {"keep", "ask"} and not request.membership.may("publishing.publish"):
        raise PermissionDenied
    try:
        if then != "keep" or (post and writing.leaves(written, post)):
            found = leaving.check(request, brand, post, written)
            if found.warns and not found.is_seen(request.POST.get("known", "")):
                raise Unseen
        if post and not request.membership.may("publishing.publish") and writing.reschedules(written, post):
            raise PermissionDenied
        kept, odd = writing.hand_in(
            brand=brand, post=post, writing=written, then=then, by=request.user, at=clock.now()
        )  # fmt: skip
    except Problem as problem:
        writing.keep_draft(brand=brand, post=post, writing=written, by=request.user, at=clock.now())
        status = 409 if isinstance(problem, Changed) else 422
        return _page(request, brand, post, written, status=status, problem=str(problem))
    series.follow(model=kept, at=clock.now())
    if odd:
        messages.info(request, checks.clock_says(odd))
    if then == "queue" and kept.wall:
        messages.info(request, rhythm.queued_says(kept.wall, brand, at=clock.now()))
    if request.POST.get("do") == "try":
        return redirect(f"{reverse('publishing:experiment_beginning', args=[brand.slug])}?post={kept.pk}")
    return redirect("publishing:post", brand.slug, kept.pk)


def _page(
    request: RoomRequest, brand: Brand, post: Post | None, written: Writing, *, draft: Draft | None = None,
    status: int = 200, problem: str = "", fresh: str = "",
) -> HttpResponse:  # fmt: skip
    looking.ask(written.texts, brand, draft=draft, at=clock.now())
    checked = leaving.check(request, brand, post, written)
    context: dict[str, Any] = {
        "room": "publishing", "post": post, "written": written, "checked": checked, "draft": draft, "problem": problem,
        "idea": ideas.of_post(post), "experiments": experiments.of_post(post, may=request.membership.may),
        "is_overtaken": bool(post and written.seen != post.revision), "stop": queries.stopped(brand),
        "has_slots": rhythm.has_slots(brand),
        "sheet": composer.common_sheet(written, brand, fresh=fresh),
        "accounts": composer.account_fields(written, brand, fresh=fresh),
        "has_rules": ApprovalRule.objects.filter(brand=brand).exists(),
        "campaigns": strategy.open_to(brand, written.campaign),
        **_shelf(brand, post), "zones": composer.zones(),
        "names": handles.handles(brand)[: composer.OFFERED_NAMES], "poll_times": composer.poll_times(),
        "poll_fields": composer.poll_fields(written, more=fresh == "option"),
        "save_url": _address("beginning", "text", brand, post),
        "draft_url": _address("new_draft", "draft", brand, post),
        "discard_url": _address("new_draft_removal", "draft_removal", brand, post),
    }  # fmt: skip
    template = "publishing/_writing.html" if request.htmx else "publishing/composer.html"
    return render(request, template, context, status=status)


def _address(new: str, of_post: str, brand: Brand, post: Post | None) -> str:
    if post is None:
        return reverse(f"publishing:{new}", args=[brand.slug])
    return reverse(f"publishing:{of_post}", args=[brand.slug, post.pk])
