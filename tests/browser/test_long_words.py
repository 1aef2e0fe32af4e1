"""Words without an end: nothing that people may write makes a page wider than the screen."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from browser.conftest import PASSWORD, too_wide

CREATE = """
from datetime import UTC, datetime
from tertulia.brand.models import Brand
from tertulia.channels.models import Account
from tertulia.connectors import registry
from tertulia.connectors.contract import Author, Envelope
from tertulia.flows import inbound
from tertulia.inbox.actions import add_label
from tertulia.inbox.models import Conversation, Label, SavedReply, SavedView
from tertulia.publishing import actions
from tertulia.publishing.saying import Piece, Wanted
from tertulia.team.models import Membership, User
now, on = datetime.now(UTC), datetime(2031, 3, 12, 10)
brand = Brand.objects.create(slug="larga", name="x" * 100, is_sample=True, created_at=now)
user = User.objects.create_user("larga@example.com", "{password}", name="x" * 100)
Membership.objects.create(brand=brand, user=user, role="manager", created_at=now)
site, other = (
    Account.objects.create(
        brand=brand, kind=kind, name="x" * 100, created_at=now, secrets=registry.get(kind).generated_secrets()
    )
    for kind in ("site", "manual")
)
mark = Label.objects.create(brand=brand, name="x" * 40)
SavedView.objects.create(brand=brand, user=None, name="x" * 60, filters={{"label": mark.pk}})
SavedReply.objects.create(brand=brand, title="x" * 80, text="x" * 2_000)
author = Author("v1", name="x" * 200, email="x" * 60 + "@example.com")
inbound.intake(site, [Envelope("m1", "v1", now, author=author, kind="chat", text="x" * 9_000)], at=now)
conversation = Conversation.objects.get(brand=brand)
add_label(conversation=conversation, label=mark, by=user, at=now)
post = actions.create(
    brand=brand, by=user, at=now, pieces=[Piece("x" * 5_000)], versions={{other.pk: Wanted(), site.pk: Wanted()}}
)
actions.plan(post=post, wall=on, zone="", by=user, at=now)
print("IDS=%d,%d,%d" % (conversation.pk, conversation.member_id, post.pk))
"""


@pytest.fixture(scope="module")
def pages(company) -> list[str]:
    """The paths of a brand in which all is one word, as long as it may be."""
    said = company.tertulia("manage", "shell", "-c", CREATE.format(password=PASSWORD))
    conversation, member, post = said.split("IDS=")[1].split()[0].split(",")
    inside = [
        "inbox/", f"inbox/{conversation}/", f"people/{member}/", "people/", "team/", "settings/labels/",
        "settings/saved-replies/", "channels/", "posts/?view=month&on=2031-03-12", "posts/?view=week&on=2031-03-12",
        "posts/?view=list&on=2031-03-12", "posts/?view=board", "posts/?view=all", f"posts/{post}/",
        f"posts/{post}/text/", "posts/rhythm/",
    ]  # fmt: skip
    return [*(f"b/larga/{path}" for path in inside), "profile/", "shop/larga/"]


@pytest.mark.parametrize("width", [1440, 390])
def test_words_without_an_end_make_no_page_wider(desk, visit, pages, width):
    page = visit(width=width)
    page.goto(f"{desk.url}/accounts/login/")
    page.locator("input[type=email]").fill("larga@example.com")
    page.locator("input[type=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/inbox/**")
    found = {}
    for path in pages:
        assert page.goto(f"{desk.url}/{path}").ok, path
        if (by := too_wide(page)) > 0:
            found[path] = by
    assert found == {}
    page.locator("button.fab").click()  # of the shop, where a visitor writes
    if page.locator("dialog input[type=email]").is_visible():  # nobody is there to answer at once
        page.locator("dialog input[autocomplete=name]").fill("x" * 200)
        page.locator("dialog input[type=email]").fill(f"{'x' * 60}@example.com")
    page.locator("dialog textarea").fill("x" * 9_000)
    page.locator("dialog button.send").click()
    written = page.locator("dialog .visitor").last
    expect(written).to_be_visible()
    assert written.evaluate("element => element.scrollWidth - element.clientWidth") <= 0
    assert too_wide(page) <= 0
