"""Takes the pictures of README.md again, into docs/images: `make screenshots`.

Two desks with the sample company are started, one in Spanish by day and one in English at night. Needs Chromium and
ImageMagick's `convert`.
"""

from __future__ import annotations

import subprocess
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, Page, sync_playwright

from browser.conftest import CHROMIUM, FLAGS, set_up, started

IMAGES = Path(__file__).parents[2] / "docs" / "images"
SIZES = {"": (1440, 900, 1), "-phone": (390, 844, 2)}
"""By what the name of a picture ends in: width and height in CSS pixels, and how many of the picture's make one."""
SCHEMES = {"es-ES": "light", "en-GB": "dark"}
PERSON = "Daniel Ortiz"
"""Whose conversation stands open."""
POST = {
    "es-ES": (
        "Roscón de naranja",
        "Este sábado hay roscón de naranja, recién hecho a las ocho, con la masa reposada desde el viernes y la "
        "naranja confitada en casa.\n\n¿Te guardamos uno? Escríbenos y dinos para cuántos sois. #roscón",
    ),
    "en-GB": (
        "Orange cake",
        "Orange cake this Saturday, out of the oven at eight, with dough that rests from Friday and oranges that we "
        "candy ourselves.\n\nShall we keep one for you? Write to us and say how many you are. #cake",
    ),
}


def take_all(browser: Browser, brand: str, language: str, state: Path) -> None:
    """Each page of the brand at each size, named after what it shows, its language and its scheme."""
    for ending, (width, height, scale) in SIZES.items():
        context = browser.new_context(
            viewport={"width": width, "height": height}, device_scale_factor=scale, locale=language,
            timezone_id="Europe/Madrid", color_scheme=SCHEMES[language], storage_state=state,
        )  # fmt: skip
        page = context.new_page()
        for name, show in (("inbox", show_inbox), ("composer", show_composer), ("calendar", show_calendar)):
            show(page, brand, language)
            page.wait_for_timeout(1_000)  # for what fades in
            path = IMAGES / f"{name}-{language[:2]}-{SCHEMES[language]}{ending}.png"
            page.screenshot(path=path)
            subprocess.run(["convert", path, "+dither", "-colors", "256", "-strip", f"PNG8:{path}"], check=True)
        context.close()


def show_inbox(page: Page, brand: str, _language: str) -> None:
    page.goto(f"{brand}inbox/")
    if page.viewport_size["width"] > SIZES["-phone"][0]:  # there, list and conversation are two pages
        page.locator(".row__link", has_text=PERSON).first.click()
        page.locator(".message__text").first.wait_for()
        page.mouse.move(0, 0)


def show_composer(page: Page, brand: str, language: str) -> None:
    address = f"{brand}posts/beginning/?on={date.today() + timedelta(days=5)}&time=09:00"
    page.goto(address)
    if page.locator("[formaction*=removal]").count():  # the draft of the picture before
        page.locator("[formaction*=removal]").click()
        page.goto(address)
    for account in page.locator("[name=accounts]").all():
        account.check()
    title, text = POST[language]
    page.locator("[name^='title.']").first.fill(title)
    page.locator("textarea[name=text]").first.fill(text)
    page.locator(".preview[data-shape=page]", has_text=title).wait_for()
    page.evaluate("document.activeElement.blur()")


def show_calendar(page: Page, brand: str, _language: str) -> None:
    page.goto(f"{brand}posts/?view=month")


def main() -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for language in SCHEMES:
            with TemporaryDirectory() as folder, started(Path(folder)) as desk:
                context = browser.new_context(locale=language, timezone_id="Europe/Madrid")
                page = context.new_page()
                set_up(page, desk.set_up_link)
                state = Path(folder) / "signed-in.json"
                context.storage_state(path=state)
                take_all(browser, page.url.partition("inbox/")[0], language, state)
        browser.close()


if __name__ == "__main__":
    main()
