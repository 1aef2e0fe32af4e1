"""What somebody writes on the composer's page: read from its form, from a post or from a draft, and handed in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, time
from typing import Any, Literal

from django.db import transaction
from django.http import QueryDict
from django.utils.translation import gettext as _

from tertulia.brand.models import Brand
from tertulia.connectors.contract import Poll
from tertulia.core.html import tidy
from tertulia.strategy.models import Campaign
from tertulia.team.models import User

from . import actions, addresses, approval, queries, rhythm, saying, shortening
from .models import Draft, Media, Part, Post
from .problems import Problem
from .saying import Piece, Shown, Wanted

COMMON = 0
"""The sheet that all accounts share; any other is that of the account with this number."""
Then = Literal["keep", "schedule", "now", "ask", "queue"]
_CHANGE = re.compile(r"([a-z]+)(?:\.(\d{1,18}))?(?:-(\d{1,4}))?(?:-(\d{1,18}))?")
_NEXT_PART = re.compile(r"^---[ \t]*$\n?", re.MULTILINE)


@dataclass(slots=True)
class Sheet:
    """One text as it is written: its parts with their pictures, and the first comment."""

    pieces: list[Piece] = field(default_factory=lambda: [Piece("")])
    comment: str = ""

    def said(self) -> tuple[Piece, ...]:
        """As it is published: a line of three dashes begins a further part, and empty ones fall away."""
        said = [one for piece in self.pieces for one in _split(piece) if one.text or one.pictures]
        said = [Piece(one.text, Part.Kind.PART if n else Part.Kind.POST, one.pictures) for n, one in enumerate(said)]
        if said and (comment := self.comment.strip()):
            said.append(Piece(comment, Part.Kind.COMMENT))
        return tuple(said)


def _split(piece: Piece) -> Iterator[Piece]:
    for number, text in enumerate(_NEXT_PART.split(piece.text)):
        yield Piece(text.strip(), pictures=piece.pictures if not number else ())


@dataclass(slots=True)
class Writing:
    """All of the composer's page. Day and time stay as they were typed until somebody asks for `wall`."""

    title: str = ""
    accounts: list[int] = field(default_factory=list)
    sheets: dict[int, Sheet] = field(default_factory=lambda: {COMMON: Sheet()})
    hints: dict[int, dict[str, str]] = field(default_factory=dict)
    on: str = ""
    time: str = ""
    zone: str = ""
    campaign: int = 0
    """0: none."""
    seen: int = 0
    """The revision of the post that it was begun from."""
    links: dict[str, bool] = field(default_factory=dict)
    """Addresses that were decided to be shortened, or not to be."""
    poll: Poll | None = None
    """Asked with the first text of every account whose network has polls."""

    @property
    def pieces(self) -> tuple[Piece, ...]:
        return self._asking(self.sheets[COMMON].said() or ((Piece("", Part.Kind.POST),) if self.poll else ()))

    def _asking(self, pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
        return (replace(pieces[0], poll=self.poll), *pieces[1:]) if pieces and self.poll else pieces

    @property
    def versions(self) -> dict[int, Wanted]:
        return {id: Wanted(self._own(id), tuple(self.hints.get(id, {}).items())) for id in self.accounts}

    def said_on(self, account_id: int) -> tuple[Piece, ...]:
        return self._own(account_id) or self.pieces

    def _own(self, account_id: int) -> tuple[Piece, ...]:
        return self._asking(self.sheets[account_id].said()) if account_id in self.sheets else ()

    @property
    def texts(self) -> list[str]:
        """Each text that would be published, once."""
        ids = self.accounts or [COMMON]
        return list(dict.fromkeys(piece.text for id in ids for piece in self.said_on(id)))

    @property
    def words(self) -> list[str]:
        """All that anybody would read or hear of it: its texts, what polls offer, pictures tell and hints say. The
        description that a picture has in the library isn't known here."""
        ids = self.accounts or [COMMON]
        said = [piece for id in ids for piece in self.said_on(id)]
        more = [one.alt for piece in said for one in piece.pictures]
        more += [one for piece in said if piece.poll for one in piece.poll.options]
        more += [value for id in ids for value in self.hints.get(id, {}).values()]
        return list(dict.fromkeys([*self.texts, *more]))

    @property
    def is_blank(self) -> bool:
        """Neither a place nor anything to say there."""
        return not self.accounts and not self.pieces

    def wall(self) -> datetime | None:
        """When it is to leave, on the wall; None when nothing was said of it. Raises `Problem`."""
        if not self.on and not self.time:
            return None
        try:
            wall = datetime.combine(date.fromisoformat(self.on), time.fromisoformat(self.time).replace(tzinfo=None))
        except ValueError:
            raise Problem(_("Say on which day and at what time.")) from None
        if wall.year not in actions.YEARS:
            raise Problem(_("Choose a day of this century or the next."))
        return wall

    def leaves_as(self, post: Post) -> bool:
        """Its time is the post's own, to the minute: no form shows the second at which something was published."""
        wall = post.wall and post.wall.replace(second=0, microsecond=0)
        return (self.wall(), self.zone) == (wall, post.zone)

    def change(self, asked: str) -> bool:
        """What a button of the page changes without keeping anything: "part.7" begins a part on the sheet of account 7,
        "drop-1" removes the second one, "own.7" gives the account a text of its own and "common.7" takes it away,
        "use-0-12" puts picture 12 on the first part and "take-0-12" removes it; "options.7" writes the options of the
        poll into the text of account 7, "option" gives the poll one more. False for anything else.
        """
        if asked == "option":
            return True
        if not (found := _CHANGE.fullmatch(asked)):
            return False
        verb, scope, number, media = found[1], int(found[2] or COMMON), int(found[3] or 0), int(found[4] or 0)
        if verb in {"own", "options"} and scope:
            common = self.sheets[COMMON]
            own = self.sheets.setdefault(scope, Sheet(list(common.pieces), common.comment))
            if verb == "options" and self.poll:
                own.pieces[0] = replace(own.pieces[0], text=with_options(own.pieces[0].text, self.poll))
        elif verb == "common" and scope:
            self.sheets.pop(scope, None)
        elif sheet := self.sheets.get(scope):
            return _change_sheet(sheet, verb, number, media)
        return verb in {"own", "common", "options"}

    def add(self, text: str) -> None:
        """Behind the first part that all accounts share."""
        first, *others = self.sheets[COMMON].pieces
        text = f"{first.text}\n{text}" if first.text else text
        self.sheets[COMMON].pieces = [replace(first, text=text), *others]

    def swap(self, old: int, new: int) -> None:
        """Another picture in the place of one, wherever it hangs."""
        for sheet in self.sheets.values():
            sheet.pieces = [
                replace(piece, pictures=tuple(
                    Shown(new if one.media == old else one.media, one.alt) for one in piece.pictures
                ))
                for piece in sheet.pieces
            ]  # fmt: skip

    def plain(self) -> dict[str, Any]:
        """For the database."""
        return asdict(self)


def with_options(text: str, poll: Poll) -> str:
    """A text with the options of a poll below it, for a network without polls."""
    options = "\n".join(f"{number}. {one}" for number, one in enumerate(poll.options, 1))
    first, dashes, rest = text.partition("\n---")
    return f"{first.rstrip()}\n\n{options}".lstrip() + (f"\n{dashes}{rest}" if dashes else "")


def _change_sheet(sheet: Sheet, verb: str, number: int, media: int) -> bool:
    if verb == "part":
        if len(sheet.pieces) < actions.MOST_PARTS:
            sheet.pieces.append(Piece(""))
    elif verb in {"drop", "use", "take"} and number < len(sheet.pieces):
        piece = sheet.pieces[number]
        others = tuple(one for one in piece.pictures if one.media != media)
        if verb == "drop":
            sheet.pieces[number : number + 1] = [] if len(sheet.pieces) > 1 else [Piece("")]
        else:
            shown = (*others, Shown(media)) if verb == "use" else others
            sheet.pieces[number] = Piece(piece.text, piece.kind, shown)
    else:
        return False
    return True


# Where it comes from.


def from_plain(plain: Mapping[str, Any]) -> Writing:
    sheets = {
        int(id): Sheet([_piece(one) for one in sheet["pieces"]], sheet["comment"])
        for id, sheet in plain["sheets"].items()
    }
    hints = {int(id): dict(some) for id, some in plain["hints"].items()}
    return Writing(**{**plain, "sheets": sheets, "hints": hints, "poll": saying.poll_of(plain.get("poll"))})


def _piece(plain: Mapping[str, Any]) -> Piece:
    return Piece(plain["text"], plain["kind"], tuple(Shown(**one) for one in plain["pictures"]))


def from_post(post: Post) -> Writing:
    """A post as it stands; one of `queries.whole`."""
    parts = list(post.parts.all())
    sheets = {COMMON: Sheet()}
    for id, version in [(COMMON, None), *((one.account_id, one) for one in post.versions.all())]:
        mine = saying.pieces_of(part for part in parts if part.version_id == (version and version.pk))
        if mine:
            comments = [one.text for one in mine if one.kind == Part.Kind.COMMENT]
            pieces = [one for one in mine if one.kind != Part.Kind.COMMENT]
            sheets[id] = Sheet([replace(one, poll=None) for one in pieces] or [Piece("")], "\n\n".join(comments))
    return Writing(
        title=post.title, accounts=[one.account_id for one in post.versions.all()], sheets=sheets,
        hints={one.account_id: dict(one.hints) for one in post.versions.all() if one.hints},
        campaign=post.campaign_id or 0,
        on=post.on.isoformat() if post.on else "", time=f"{post.time:%H:%M}" if post.time else "", zone=post.zone,
        seen=post.revision, links=shortening.choices_of(post),
        poll=next((saying.poll_of(part.poll) for part in parts if part.poll), None),
    )  # fmt: skip


def from_form(form: QueryDict, brand: Brand) -> Writing:
    """What was sent from the page. Accounts and pictures that aren't the brand's are left out."""
    mine = [account.pk for account in queries.accounts(brand)]
    wanted = set(form.getlist("accounts"))
    media = _pictures(form, brand)
    own = [id for id in mine if str(id) in form.getlist("own")]
    written = Writing(
        title=_text(form, "title").strip()[:200], accounts=[id for id in mine if str(id) in wanted],
        sheets={id: _sheet(form, f".{id}" if id else "", media) for id in [COMMON, *own]},
        hints={id: some for id in mine if (some := _hints(form, id))},
        campaign=_number(form, "campaign"),
        on=_text(form, "on")[:10], time=_text(form, "time")[:8], zone=_text(form, "zone")[:64] or brand.time_zone,
        seen=_number(form, "seen"), poll=_poll(form),
    )  # fmt: skip
    written.links = _links(form, brand, written)
    return written


def _links(form: QueryDict, brand: Brand, written: Writing) -> dict[str, bool]:
    """Of the addresses that the page listed, and that still stand in a text, those that are to be treated otherwise
    than the brand treats them."""
    listed = dict.fromkeys(form.getlist("link")[:200])
    if not listed:
        return {}
    texts = [text for sheet in written.sheets.values() for text in (*(p.text for p in sheet.pieces), sheet.comment)]
    found = {one for text in texts for one in addresses.listed(text) if addresses.may_lead_to(one)}
    there = {addresses.plain(one) for one in found}
    ticked, default = set(form.getlist("short")), shortening.settings_of(brand.pk).shortens
    return {one: one in ticked for one in listed if one in there and (one in ticked) is not default}


MOST_OPTIONS, LONGEST_OPTION, A_DAY = 20, 200, 86_400


def _poll(form: QueryDict) -> Poll | None:
    options = [tidy(one).strip()[:LONGEST_OPTION] for one in form.getlist("option")[:MOST_OPTIONS]]
    if not (said := tuple(filter(None, options))):
        return None
    return Poll(said, _number(form, "poll_seconds") or A_DAY, multiple="poll_multiple" in form)


def _text(form: QueryDict, name: str) -> str:
    return tidy(form.get(name, "").replace("\r\n", "\n"))


def _number(form: QueryDict, name: str) -> int:
    return int(said) if (said := _text(form, name)).isdecimal() and len(said) < 10 else 0


def _hints(form: QueryDict, account_id: int) -> dict[str, str]:
    given = {name: _text(form, f"{name}.{account_id}").strip()[:300] for name in saying.HINTS}
    return {name: value for name, value in given.items() if value}


def _sheet(form: QueryDict, scope: str, media: Mapping[int, Media]) -> Sheet:
    texts = form.getlist(f"text{scope}") or [""]
    pieces = []
    for number, text in enumerate(texts[: actions.MOST_PARTS]):
        shown = []
        for at, id in _places(form, scope):
            if at == number and id in media:
                alt = _text(form, f"alt{scope}-{number}-{id}").strip()
                shown.append(Shown(id, "" if alt == media[id].alt else alt[:1500]))
        pieces.append(Piece(tidy(text.replace("\r\n", "\n")), pictures=tuple(shown)))
    return Sheet(pieces, _text(form, f"comment{scope}"))


def _places(form: QueryDict, scope: str) -> Sequence[tuple[int, int]]:
    """Which picture hangs on which part: "0-12"."""
    found = [re.fullmatch(r"(\d{1,4})-(\d{1,18})", one) for one in form.getlist(f"picture{scope}")]
    return list(dict.fromkeys((int(one[1]), int(one[2])) for one in found if one))


def _pictures(form: QueryDict, brand: Brand) -> dict[int, Media]:
    scopes = {name[7:] for name in form if name.startswith("picture")}
    ids = {id for scope in scopes for _number, id in _places(form, scope)}
    return queries.pictures(brand).in_bulk(ids)


# What becomes of it.


def draft_of(brand: Brand, user: User, post: Post | None) -> Draft | None:
    return Draft.objects.filter(brand=brand, user=user, post=post).first()


def keep_draft(*, brand: Brand, post: Post | None, writing: Writing, by: User, at: datetime) -> Draft:
    """So that it is still there when the tab is closed. Nobody else sees it."""
    draft, _is_new = Draft.objects.update_or_create(
        brand=brand, user=by, post=post, defaults={"written": writing.plain(), "at": at}
    )
    return draft


def leaves(writing: Writing, post: Post) -> bool:
    """Keeping it changes what leaves by itself, or schedules it anew. Raises `Problem`."""
    return Post.State.SCHEDULED in queries.standing(post).versions.values() or reschedules(writing, post)


def reschedules(writing: Writing, post: Post) -> bool:
    """Keeping it would schedule anew what missed its time: that is for those who may publish. Raises `Problem`."""
    is_missed = queries.standing(post).state in {Post.State.MISSED, Post.State.PARTLY}
    return is_missed and not writing.leaves_as(post)


def discard_draft(*, brand: Brand, post: Post | None, by: User) -> None:
    Draft.objects.filter(brand=brand, user=by, post=post).delete()


@transaction.atomic
def hand_in(
    *, brand: Brand, post: Post | None, writing: Writing, then: Then, by: User, at: datetime
) -> tuple[Post, Literal["", "skipped", "twice"]]:  # fmt: skip
    """`keep` what stands on somebody's page, of which no draft is left then."""
    kept = keep(brand=brand, post=post, writing=writing, then=then, by=by, at=at)
    discard_draft(brand=brand, post=post, by=by)
    return kept


@transaction.atomic
def keep(
    *, brand: Brand, post: Post | None, writing: Writing, by: User, at: datetime, then: Then = "keep"
) -> tuple[Post, Literal["", "skipped", "twice"]]:  # fmt: skip
    """Make a post of it, or change the one it was begun from; and keep it as a draft, schedule it, put it into the
    queue, publish it now or ask for its approval: what has to be approved is not scheduled, but asked for.

    Tells what clocks do with its time, as `actions.plan`. Raises `Problem` and then has changed nothing.
    """
    said: dict[str, Any] = {
        "title": writing.title,
        "pieces": writing.pieces,
        "versions": writing.versions,
        "links": writing.links,
        "by": by,
        "at": at,
    }
    kept = actions.save(post=post, seen=writing.seen, **said) if post else actions.create(brand=brand, **said)
    if writing.campaign != (kept.campaign_id or 0):
        campaign = Campaign.objects.filter(brand=brand, pk=writing.campaign).first()
        if writing.campaign and not campaign:
            raise Problem(_("This campaign is closed, or isn't here."))
        actions.count_for(post=kept, campaign=campaign, by=by, at=at)
    wall, odd = writing.wall(), ""
    if then not in {"now", "queue"} and not writing.leaves_as(kept):
        odd = actions.plan(post=kept, wall=wall, zone=writing.zone, by=by, at=at)
    if then == "ask":
        approval.ask(post=kept, by=by, at=at)
    elif then == "schedule":
        actions.schedule_or_ask(post=kept, by=by, at=at)
    elif then == "now":
        actions.publish_now(post=kept, by=by, at=at)
    elif then == "queue":
        rhythm.enqueue(post=kept, by=by, at=at)
        kept.refresh_from_db()
    return kept, odd  # type: ignore[return-value]
