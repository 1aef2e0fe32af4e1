from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import sha256

from tertulia.connectors.contract import (
    Account,
    Act,
    Author,
    ByHand,
    Can,
    Capabilities,
    Connector,
    Draft,
    Envelope,
    Field,
    Films,
    Health,
    Kind,
    Look,
    Names,
    Noted,
    Pictures,
    Publishes,
    Receipt,
    Target,
    Text,
    Unsupported,
)
from tertulia.core.counting import utf8, utf16, x_weighted

from . import texts

PUBLIC: tuple[Kind, ...] = ("comment", "mention", "review")
KINDS: dict[str, tuple[Kind, ...]] = {
    "public": PUBLIC,
    "private": ("direct",),
    "both": (*PUBLIC, "direct"),
}
"""What can be written down, by how people write to us there."""
LONGEST_ID = 255
LOOKS = {
    "instagram": Look(tint="rose", grid="carousel", signs=125),
    "facebook": Look(tint="blue", grid="album", card=True, signs=477),
    "linkedin": Look(tint="blue", grid="album", card=True, lines=3, over=3),
    "x": Look(tint="sky", card=True, signs=280),
}
"""How posts of the platforms that many carry by hand look; as seen there, none of it is documented."""
PICTURES = Pictures(most=50, alt=1_500, uploads=False)
PICTURES_ON: Mapping[str, Pictures] = {
    "x": replace(PICTURES, most=4, alt=1_000),
    "tiktok": replace(PICTURES, most=35),
    "instagram": replace(PICTURES, most=20),
}
"""docs.x.com, OpenAPI and Media best practices; developers.tiktok.com, Content posting; of Instagram's app what makers
of tools tell, its own pages say 10 for programs."""
FILMS = Films(
    most=50, types=frozenset({"video/mp4", "video/quicktime", "video/webm"}), alt=1_500, mixes=True
)  # fmt: skip
FILMS_ON: Mapping[str, Films] = {
    "x": replace(
        FILMS, most=1, types=frozenset({"video/mp4", "video/quicktime"}), largest=512_000_000, longest=140, mixes=False
    ),
    "tiktok": replace(FILMS, most=1, largest=4_000_000_000, mixes=False),
}
"""docs.x.com, Media best practices; developers.tiktok.com, Content posting. Of the others nothing is documented that
holds for what a person posts there."""

LONGEST_ON: Mapping[str, int] = {
    "x": 280, "threads": 500, "instagram": 2_200, "tiktok": 2_200, "linkedin": 3_000, "youtube": 5_000,
    "facebook": 63_206,
}  # fmt: skip
BARE_ON: Mapping[str, Text] = {
    "instagram": texts.NO_PICTURE, "tiktok": texts.NO_PICTURE, "youtube": texts.NO_FILM,
}  # fmt: skip
"""What has to hang on a post there. Whoever publishes it may take it on the spot: that it lacks is told and no more."""
HASHTAGS_ON: Mapping[str, int] = {"instagram": 5}
"""Instagram took 30; a vendor's page of 2026 says 5."""
HASHTAG = re.compile(r"(?<![\w/])#\w*[^\W\d_]\w*")
COUNTED_ON: Mapping[str, Callable[[str], int]] = {"x": x_weighted, "tiktok": utf16, "youtube": utf8}
"""Others count characters, as far as is known. Only X documents how it counts."""


class Manual(Connector):
    """A platform that lets no program in: people bring the messages and carry the answers."""

    key = "manual"
    name = {"en": "Any other platform (by hand)", "es": "Cualquier otra plataforma (a mano)"}
    named_by = "platform"
    about = {
        "en": "Instagram, Facebook, WhatsApp, TikTok, X, Google reviews…: you note what comes, and paste what leaves.",
        "es": "Instagram, Facebook, WhatsApp, TikTok, X, reseñas de Google…: apuntas lo que llega y pegas lo que sale.",
    }
    fields = (
        Field("platform", texts.PLATFORM, help=texts.PLATFORM_HELP),
        Field("profile", texts.PROFILE, kind="url", help=texts.PROFILE_HELP, is_required=False),
        Field(
            "openness",
            texts.OPENNESS,
            kind="choice",
            help=texts.OPENNESS_HELP,
            default="both",
            choices=(("both", texts.BOTH), ("public", texts.PUBLIC), ("private", texts.PRIVATE)),
        ),
        Field("longest", texts.LONGEST, kind="number", help=texts.LONGEST_HELP, is_required=False, is_rare=True),
        Field("hashtags", texts.HASHTAGS, kind="number", help=texts.HASHTAGS_HELP, is_required=False, is_rare=True),
    )
    capabilities = Capabilities(
        reads=frozenset(KINDS["both"]),
        can=(Can("reply", note=texts.REPLY_NOTE),),
        cannot=texts.CANNOT,
        by_hand=True,
        publishes=Publishes(
            kinds=frozenset({"post", "part", "comment"}),
            pictures=PICTURES,
            films=FILMS,
            deletes=True,
            names=Names(r"\w(?:[\w.-]{0,98}\w)?", "@lola"),
        ),
    )
    sentences = texts.SENTENCES

    def check(self, account: Account) -> Health:
        return Health(is_ok=True)

    def network(self, account: Account) -> str:
        return str(account.settings.get("platform") or "").strip() or self.key

    def text_length(self, account: Account, text: str) -> int:
        return COUNTED_ON.get(_platform(account), len)(text)

    def longest_post(self, account: Account, draft: Draft) -> int | None:
        """What the account says it may, else what its platform lets everybody."""
        return _own(account, "longest") or LONGEST_ON.get(_platform(account))

    def pictures_taken(self, account: Account) -> Pictures:
        return PICTURES_ON.get(_platform(account), PICTURES)

    def films_taken(self, account: Account) -> Films:
        return FILMS_ON.get(_platform(account), FILMS)

    def doubts(self, account: Account, draft: Draft) -> list[Text]:
        most = _own(account, "hashtags") or HASHTAGS_ON.get(_platform(account))
        count, found = len(HASHTAG.findall(draft.text)), list[Text]()
        if most and count > most:
            found.append({key: says.format(count, most) for key, says in texts.MANY_HASHTAGS.items()})
        lacks = BARE_ON.get(_platform(account))
        hangs = [one for one in draft.pictures if one.is_film or lacks is not texts.NO_FILM]
        if lacks and draft.kind == "post" and not hangs:
            found.append(lacks)
        return found

    def home(self, account: Account) -> str:
        return str(account.settings.get("profile") or "")

    def look(self, account: Account) -> Look:
        profile = str(account.settings.get("profile") or "")
        known = LOOKS.get(_platform(account), Look())
        last = profile.rstrip("/").rpartition("/")[2] if profile.count("/") > 2 else ""
        return replace(known, handle=f"@{last.removeprefix('@')}" if last else "")

    def noted_kinds(self, account: Account) -> tuple[Kind, ...]:
        return KINDS.get(str(account.settings.get("openness")), KINDS["both"])

    def write_down(self, account: Account, noted: Noted) -> Envelope:
        if noted.kind not in self.noted_kinds(account):
            raise Unsupported(texts.ODD_KIND.format(noted.kind))
        return Envelope(
            remote_id=f"note:{noted.key}",
            thread_id=_thread(noted),
            sent_at=noted.happened_at,
            author=Author(noted.person_id, name=noted.name, handle=noted.handle, email=noted.email, phone=noted.phone),
            kind=noted.kind,
            text=noted.text,
            url=noted.url,
            about=noted.about,
            is_ours=noted.is_ours,
            hints={"post": noted.about.url} if noted.about and noted.about.url else {},
            raw={"name": noted.name, "handle": noted.handle, "url": noted.url, "text": noted.text},
        )

    def reply(self, account: Account, to: Target, text: str, key: str) -> Receipt:
        url = to.url or to.hints.get("post", "") or str(account.settings.get("profile") or "")
        raise ByHand(texts.ANSWER_THERE, text=text, url=url)

    def publish(self, account: Account, draft: Draft, key: str) -> Receipt:
        self.check_fit(account, draft)
        url = draft.above.url if draft.above and draft.above.url else str(account.settings.get("profile") or "")
        raise ByHand(texts.PUBLISH_THERE, text=draft.text, url=url)

    def act(
        self, account: Account, act: Act, on: Target, key: str, *, undo: bool = False, because: str = ""
    ) -> Receipt:
        """Only what was published can be taken away, and a person does it."""
        if act != "delete" or on.kind != "post":
            raise Unsupported(act)
        raise ByHand(texts.DELETE_THERE, url=on.url or str(account.settings.get("profile") or ""))


def _platform(account: Account) -> str:
    name = str(account.settings.get("platform") or "").strip().casefold()
    return "x" if name == "twitter" else name


def _own(account: Account, name: str) -> int:
    """A number that the account's form says; 0 for none."""
    own = account.settings.get(name)
    return own if isinstance(own, int) and own > 0 else 0


def _thread(noted: Noted) -> str:
    """Under each post each person is a talk; what is private never stands beside what everybody reads."""
    post = (noted.about.url or noted.about.title) if noted.about else ""
    side = "private" if noted.kind == "direct" else "public"
    thread = f"{side} {post} {noted.person_id}"
    return thread if len(thread) <= LONGEST_ID else sha256(thread.encode()).hexdigest()


connector = Manual
