from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any

from tertulia.connectors.contract import (
    Account,
    Act,
    Can,
    Capabilities,
    Connector,
    Draft,
    Field,
    Health,
    Page,
    Picture,
    Receipt,
    Refused,
    Target,
    Unknown,
    Unsupported,
)

from . import counts, publishing, texts
from .client import PER_PAGE, Blog, code_of
from .comment import MARK, Comment
from .moderation import STATES, moderate, set_status
from .place import Place
from .reading import deletion, known_page, threads_of, told

MAX_BYTES = 65_525
"""Of a comment's text as it is stored."""
LOCAL_TIME = timedelta(hours=1)
"""WordPress compares with the blog's own clock, which is put back in autumn."""
LOOK_BACK = 10
"""Pages of our own comments in which one is looked for."""
NEEDED = ("moderate_comments", "edit_others_posts")


class WordPress(Connector):
    """The comments of a blog, each beside its post."""

    key = "wordpress"
    name = {"en": "WordPress", "es": "WordPress"}
    about = {
        "en": "The comments of your blog, and articles that leave from here.",
        "es": "Los comentarios de tu blog, y artículos que salen desde aquí.",
    }
    fields = (
        Field("url", texts.URL_LABEL, kind="url", help=texts.URL_HELP),
        Field("user", texts.USER_LABEL, help=texts.USER_HELP),
        Field("password", texts.PASSWORD_LABEL, kind="secret", help=texts.PASSWORD_HELP),
    )
    capabilities = Capabilities(
        reads=frozenset({"comment"}),
        can=(
            Can("reply", note=texts.REPLY),
            Can("approve", undoes=True),
            Can("hold", undoes=True, note=texts.HOLD),
            Can("spam", undoes=True, note=texts.SPAM),
            Can("remove", undoes=True, note=texts.REMOVE),
            Can("delete", whose="ours", note=texts.DELETE),
        ),
        cannot={
            "like": texts.NO_LIKES,
            "hide": texts.HIDE_IS_HOLD,
            "block": texts.NO_BLOCKING,
            "ban": texts.NO_BLOCKING,
            "report": texts.NOBODY_TO_TELL,
        },
        max_text=MAX_BYTES,
        polls=True,
        poll_seconds=60,
        finds=True,
        history=timedelta(days=3_650),
        publishes=publishing.PUBLISHES,
        tells=counts.TELLS,
    )
    statuses = texts.STATUSES
    sentences = texts.SENTENCES
    facts = {"user_name": {"en": "User there", "es": "Usuario allí"}}

    def check(self, account: Account) -> Health:
        user = Blog(self.http, account).user()
        can = user.get("capabilities")
        if not isinstance(can, dict) or not all(can.get(name) is True for name in NEEDED):
            return Health(is_ok=False, says=texts.NOT_A_MODERATOR)
        roles = [role for role in user.get("roles") or () if isinstance(role, str)]
        return Health(
            is_ok=True, says=texts.FINE, scopes=roles, facts={"user_id": user["id"], "user_name": str(user.get("name"))}
        )

    # Reading.

    def fetch(self, account: Account, cursor: str) -> Page:
        """What is new, and of what is known a page or two to see what was edited or deleted."""
        blog, now = Blog(self.http, account), datetime.now(UTC)
        place = Place.read(cursor) if cursor else Place.at_first(blog.comments(per_page="1").total, now=now)
        newest = known_page(blog, place.begins_at, place.last)
        pages = [newest]
        if newest.is_last and (sweep := place.next_sweep()) is not None:
            pages.append(blog.comments(offset=str(sweep)))
        news = [one for page in pages for one in place.changes(page)]
        missing = [id for page in pages for id in place.missing(page)]
        gone = [id for id in blog.gone(missing) if place.forget(id)] if missing else []
        place.end(newest)
        return Page(
            [*told(blog, place, news, now=now), *(deletion(id, now=now) for id in gone)],
            str(place),
            more=not newest.is_last,
            unread=[unread for page in pages for unread in page.unread],
        )

    def reread(self, account: Account, since: datetime, until: datetime, cursor: str) -> Page:
        blog = Blog(self.http, account)
        offset, last = map(int, cursor.split()) if cursor else (0, 0)
        stretch = {
            "after": _said(since - LOCAL_TIME - timedelta(seconds=1)),
            "before": _said(until + LOCAL_TIME + timedelta(seconds=1)),
        }
        page = known_page(blog, max(0, offset - 1), last, with_posts=True, **stretch)
        wanted = [
            one for one in page.comments if one.id > last and since <= one.sent_at <= until and not one.is_in_trash
        ]
        me = blog.me()
        threads = threads_of(blog, wanted, me=me)
        newest = max([last, *(one.id for one in page.comments)])
        return Page(
            [one.envelope(threads[one.id], me=me) for one in wanted],
            f"{page.ends_at} {newest}",
            more=not page.is_last,
            unread=page.unread,
        )

    def gone(self, account: Account, missing: Sequence[Target]) -> Iterator[str]:
        blog, ids = Blog(self.http, account), [int(one.remote_id) for one in missing]
        for begin in range(0, len(ids), PER_PAGE):
            yield from map(str, blog.gone(ids[begin : begin + PER_PAGE]))

    # Writing.

    def reply(self, account: Account, to: Target, text: str, key: str) -> Receipt:
        if self.text_length(account, text) > MAX_BYTES:
            raise Unsupported(texts.TOO_LONG)
        blog = Blog(self.http, account)
        above = blog.comment(to.remote_id)
        if above.get("status") == "hold":
            raise Refused(texts.IS_HELD)
        if above.get("status") != "approved":
            raise Refused(texts.IS_HIDDEN)
        said = {
            "post": above.get("post"),
            "parent": above["id"],
            "content": escape(text, quote=False),  # an editor's HTML is taken as it is, scripts included
            "author_user_agent": MARK + key,
        }
        made = self._made(account, blog, said, key)
        receipt = _receipt(made)
        if made.get("status") != "approved":  # a filter took us for spam: we are the ones who decide
            set_status(blog, made, "approved")
        return receipt

    def publish(self, account: Account, draft: Draft, key: str) -> Receipt:
        self.check_fit(account, draft)
        return publishing.receipt(Blog(self.http, account).ask("POST", "posts", publishing.said(draft, key)))

    def attach(self, account: Account, picture: Picture, key: str) -> str:
        """Its number there, and where it is shown."""
        made = Blog(self.http, account).upload(picture.name, picture.type, picture.content, picture.alt)
        return f"{made['id']} {made['source_url']}"

    def find_post(self, account: Account, draft: Draft, key: str) -> Receipt | None:
        """The post at the address that the key gives, whatever has become of it since."""
        asked = {"slug": publishing.slug(draft, key), "status": "publish,future,draft,pending,private"}
        found = Blog(self.http, account).ask("GET", "posts", context="edit", _fields="id,date_gmt,link", **asked)
        posts = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
        return publishing.receipt(posts[0]) if posts else None

    def figures(self, account: Account, posts: Sequence[Target]) -> Mapping[str, Mapping[str, int]]:
        return dict(counts.of_posts(Blog(self.http, account), [one.remote_id for one in posts]))

    def home(self, account: Account) -> str:
        return str(account.settings.get("url") or "")

    def post_length(self, account: Account, draft: Draft) -> int:
        return len(draft.text)

    def _made(self, account: Account, blog: Blog, said: dict[str, Any], key: str) -> Any:
        """The blog refuses the same words twice. If they are there because of this very key, all is well."""
        try:
            return blog.ask("POST", "comments", said)
        except Refused as refused:
            if code_of(refused) != "comment_duplicate":
                raise
        found = self.find(account, key)
        if found is None:
            raise Refused(texts.SAID_ALREADY)
        return blog.comment(found.remote_id)

    def find(self, account: Account, key: str) -> Receipt | None:
        """The comment that carries the key, among our own newest ones."""
        blog = Blog(self.http, account)
        me = blog.me()
        for number in range(1, LOOK_BACK + 1):
            page = blog.ask(
                "GET", "comments", context="edit", status="any", author=str(me), orderby="id", order="desc",
                per_page=str(PER_PAGE), page=str(number), _fields="id,date_gmt,link,author_user_agent",
            )  # fmt: skip
            for item in page if isinstance(page, list) else ():
                if isinstance(item, dict) and item.get("author_user_agent") == MARK + key:
                    return _receipt(item)
            if not isinstance(page, list) or len(page) < PER_PAGE:
                break
        return None

    def act(
        self, account: Account, act: Act, on: Target, key: str, *, undo: bool = False, because: str = ""
    ) -> Receipt:
        blog = Blog(self.http, account)
        if act == "delete" and on.kind == "post":
            blog.trash_post(on.remote_id.removeprefix("post:"))
            return Receipt(on.remote_id)
        if act == "delete" and not undo:
            blog.delete(on.remote_id, force="true")
            return Receipt(on.remote_id)
        if act not in STATES:
            raise Unsupported(act)
        return Receipt(on.remote_id, hints={"status": moderate(blog, act, on.remote_id, undo=undo)})

    def text_length(self, account: Account, text: str) -> int:
        return len(escape(text, quote=False).encode(errors="replace"))


def _receipt(made: Any) -> Receipt:
    try:
        comment = {"content": {}, "status": "", "post": 0, **made}
        read = Comment.read(comment)
    except (ValueError, TypeError):
        raise Unknown(texts.NOT_READABLE) from None
    return Receipt(str(read.id), at=read.sent_at, url=read.url)


def _said(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


connector = WordPress
