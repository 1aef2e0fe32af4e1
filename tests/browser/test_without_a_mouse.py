"""A post from its first word to its place in the calendar with the keyboard alone, and with a finger alone."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from browser.conftest import SAMPLE, finger, middle, serious, too_wide

# What has the focus and can't be seen: nothing of it lies on top where it is, nor does its label.
OUT_OF_SIGHT = """() => {
  const focused = document.activeElement;
  if (!focused || focused === document.body) return "nothing has the focus";
  const isSeen = (element) => [...element.getClientRects()].some(({ left, top, right, bottom }) => {
    const corners = [[left + 2, top + 2], [right - 2, top + 2], [left + 2, bottom - 2], [right - 2, bottom - 2]];
    return [...corners, [(left + right) / 2, (top + bottom) / 2]].some((point) => {
      const there = document.elementFromPoint(...point);
      return element.contains(there);
    });
  });
  return [focused, ...(focused.labels ?? [])].some(isSeen) ? "" : focused.outerHTML.slice(0, 200);
}"""
SMALL_TARGETS = """() => [...document.querySelectorAll("main :is(button, a.button, summary, label:has(input))")]
  .filter((one) => one.checkVisibility() && !one.closest(".visually-hidden"))
  .filter((one) => { const box = one.getBoundingClientRect(); return box.width < 24 || box.height < 24; })
  .map((one) => one.outerHTML.slice(0, 120))"""


def a_picture() -> dict[str, object]:
    held = BytesIO()
    Image.new("RGB", (800, 600), (176, 94, 39)).save(held, "PNG")
    return {"name": "hogaza.png", "mimeType": "image/png", "buffer": held.getvalue()}


def go_to(page: Page, place, *, key: str = "Tab", steps: int = 150) -> None:
    """Presses the key until `place` has the focus, and sees all that had it on the way."""
    for _ in range(steps):
        page.keyboard.press(key)
        assert page.evaluate(OUT_OF_SIGHT) == ""
        if place.evaluate("element => element === document.activeElement"):
            return
    pytest.fail(f"{steps} times {key} don't lead to {place}")


@pytest.mark.parametrize("width", [1440, 390])
def test_a_post_is_written_scheduled_and_moved_by_the_keyboard_alone(company, sign_in, width):
    posts = f"{company.url}/b/{SAMPLE}/posts/"
    page = sign_in("alba", width=width)
    page.goto(posts)
    page.keyboard.press("p")
    page.wait_for_url("**/posts/beginning/**")

    text = page.locator("textarea[name=text]")
    go_to(page, text.first)
    page.keyboard.type(f"Hogaza del {width}")
    tools = page.locator(".part__tools").first
    go_to(page, tools.locator("summary").first)
    page.keyboard.press("Enter")
    expect(tools.locator("input[type=file]")).to_be_focused()
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    chooser.value.set_files(a_picture())
    described = page.locator(".shown textarea")
    expect(described).to_be_focused()
    page.keyboard.type("Una hogaza redonda sobre la mesa")

    go_to(page, page.locator("button[value=part]"))
    page.keyboard.press("Enter")
    expect(text.nth(1)).to_be_focused()
    page.keyboard.type("Desde el martes")
    go_to(page, page.locator(".comment summary").first)
    page.keyboard.press("Enter")
    go_to(page, page.locator("textarea[name=comment]"))
    page.keyboard.type("Por encargo también los lunes")

    account = page.locator("[name=accounts]").first
    go_to(page, account)
    if not account.is_checked():
        page.keyboard.press("Space")
    expect(account).to_be_checked()
    go_to(page, page.locator("#on"))
    page.keyboard.type("06062031")  # whichever of day and month comes first
    expect(page.locator("#on")).to_have_value("2031-06-06")
    go_to(page, page.locator("#time"))
    page.keyboard.type("1030")
    page.keyboard.type("a")  # where clocks have twelve hours
    expect(page.locator("#time")).to_have_value("10:30")
    expect(page.locator("[data-saved]")).to_be_visible()
    assert serious(page) == []
    go_to(page, page.locator(".writer__foot [value=schedule]"))
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "beginning" not in url)
    expect(page.locator("main")).to_contain_text(f"Hogaza del {width}")
    expect(page.locator("main")).to_contain_text("Desde el martes")
    expect(page.locator("main img[alt='Una hogaza redonda sobre la mesa']").first).to_be_visible()

    page.goto(f"{posts}?on=2031-06-06")
    go_to(page, page.locator("[data-day='2031-06-06'] .entry a", has_text=f"Hogaza del {width}"))
    for key, day in (("Alt+ArrowRight", "2031-06-07"), ("Alt+ArrowDown", "2031-06-14")):
        page.keyboard.press(key)
        moved = page.locator(f"[data-day='{day}'] .entry a", has_text=f"Hogaza del {width}")
        expect(moved).to_be_focused()
        assert page.evaluate(OUT_OF_SIGHT) == ""
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text(f"Hogaza del {width}")


@pytest.mark.parametrize("width", [390, 1024])
def test_a_post_is_written_scheduled_and_moved_by_a_finger_alone(company, sign_in, width):
    posts = f"{company.url}/b/{SAMPLE}/posts/"
    page = sign_in("alba", width=width, touch=True)
    page.goto(posts)
    page.locator(".page__head .button--primary").tap()
    page.wait_for_url("**/posts/beginning/**")

    page.locator("textarea[name=text]").first.tap()
    page.keyboard.type(f"Rosquillas del {width}")
    tools = page.locator(".part__tools").first
    tools.locator("summary").first.tap()
    with page.expect_file_chooser() as chooser:
        tools.locator("input[type=file]").tap()
    chooser.value.set_files(a_picture())
    page.locator(".shown textarea").tap()
    page.keyboard.type("Una bandeja de rosquillas")
    page.locator("button[value=part]").tap()
    page.locator("textarea[name=text]").nth(1).tap()
    page.keyboard.type("Tontas y listas")
    account = page.locator(".writer__account .writer__choice").first
    if not account.locator("input").is_checked():
        account.tap()
    expect(account.locator("input")).to_be_checked()
    page.locator("#on").fill("2031-07-09")  # what a phone's own calendar and clock leave there
    page.locator("#time").fill("11:15")
    assert page.evaluate(SMALL_TARGETS) == []
    assert too_wide(page) <= 0
    page.locator(".writer__foot [value=schedule]").tap()
    page.wait_for_url(lambda url: "beginning" not in url)
    expect(page.locator("main")).to_contain_text("Tontas y listas")

    page.goto(f"{posts}?view=month&on=2031-07-09")
    assert page.evaluate(SMALL_TARGETS) == []
    entry, touch = page.locator(".entry", has_text=f"Rosquillas del {width}"), finger(page)
    entry.scroll_into_view_if_needed()
    touch("touchStart", *middle(entry))
    expect(page.locator(".shadow")).to_be_visible()
    target = page.locator("[data-day='2031-07-08']")
    expect(target).to_be_visible()
    for _ in range(3):
        touch("touchMove", *middle(target))
    expect(target).to_have_attribute("data-over", "")
    touch("touchEnd")
    moved = target.locator(".entry", has_text=f"Rosquillas del {width}")
    expect(moved).to_contain_text("11:15")
    page.wait_for_timeout(500)  # a tap right after letting go would be the end of the same movement
    moved.locator("a").tap()
    expect(page.locator("h1")).to_contain_text(f"Rosquillas del {width}")
