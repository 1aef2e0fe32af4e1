"""The product as people meet it: its own processes, started by its own command, in headless Chromium.

All of it ends with the last test here: a Playwright that is open keeps an event loop running, which other tests start
for themselves.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), ""
)
NEEDS_CHROMIUM = pytest.mark.skipif(not CHROMIUM, reason="Chromium is not installed (apt install chromium)")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PASSWORD = "un café con leche largo"
SAMPLE = "horno-candela"


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(NEEDS_CHROMIUM)


@dataclass
class Desk:
    """A running installation."""

    url: str
    set_up_link: str
    environment: dict[str, str]

    def tertulia(self, *words: str, says: str = "") -> str:
        done = subprocess.run(
            [sys.executable, "-m", "tertulia", *words], env=self.environment, input=says, text=True,
            capture_output=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="package")
def own_database() -> Iterator[str]:
    """A database of this run's own when the suite runs on PostgreSQL; else empty, and the desk uses SQLite."""
    server = os.environ.get("DATABASE_URL", "")
    if not server.startswith("postgres"):
        yield ""
        return
    name = f"tertulia_browser_{secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="package")
def desk(tmp_path_factory, own_database) -> Iterator[Desk]:
    with started(tmp_path_factory.mktemp("home"), own_database) as desk:
        yield desk


@contextmanager
def started(home: Path, database: str = "") -> Iterator[Desk]:
    """A new installation in an empty folder, running until the end of the block; on SQLite without `database`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "TERTULIA_HOME": str(home), "TERTULIA_PORT": str(port), "PYTHONUNBUFFERED": "1"}
    environment["TERTULIA_BACKUPS"] = "yes"
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    environment.pop("DATABASE_URL", None)
    if database:
        environment["DATABASE_URL"] = database
    process = subprocess.Popen(
        [sys.executable, "-m", "tertulia", "start"], env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    said: list[str] = []
    for line in process.stdout:
        said.append(line)
        if found := re.search(r"http://\S+/setup/\S+", line):
            break
    else:
        pytest.fail("tertulia start ended: " + "".join(said))
    reader = threading.Thread(target=lambda: said.extend(process.stdout))
    reader.start()
    yield Desk(f"http://localhost:{port}", found[0], environment)
    process.send_signal(signal.SIGTERM)
    process.wait(15)
    reader.join()
    process.stdout.close()


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def set_up(page: Page, link: str) -> None:
    """The first person sets the desk up, with the sample company, and stands in the inbox."""
    page.goto(link)
    page.locator("[name=name]").fill("Librería Mayor")
    page.locator("[name=person_name]").fill("Alba Ruiz")
    page.locator("[name=email]").fill("alba@example.com")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[name=wants_sample]").check()
    page.locator("form .button--primary").click(timeout=120_000)  # the sample company takes its time
    page.wait_for_url("**/inbox/**", timeout=120_000)


LEFT_BEHIND = ("htmx:afterRequest", "htmx:sendAbort")
"""What htmx says of a request that is broken off because its page is left; one that fails says "htmx:sendError" too."""


@dataclass
class Watch:
    """What a page must not do: complain on the console, fail, or speak to another host."""

    host: str
    complaints: list[str] = field(default_factory=list)

    def over(self, context: BrowserContext) -> BrowserContext:
        context.on("console", self.hear)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.on("request", self.see)
        return context

    def hear(self, message) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(LEFT_BEHIND):
            self.complaints.append(f"{message.text} {message.location['url']}")

    def see(self, request) -> None:
        if urlsplit(request.url).scheme in {"http", "https"} and urlsplit(request.url).netloc != self.host:
            self.complaints.append(f"asked another host: {request.url}")


@pytest.fixture(scope="package")
def company(desk, chromium):
    """The first person sets the desk up, with the sample company; a colleague joins."""
    watch = Watch(urlsplit(desk.url).netloc)
    context = watch.over(chromium.new_context(locale="es-ES", timezone_id="Europe/Madrid"))
    page = context.new_page()
    page.goto(desk.set_up_link)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Tertulia")
    assert page.locator("html").get_attribute("lang") == "es"
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 844})
        assert serious(page) == []
        assert too_wide(page) <= 0
    set_up(page, desk.set_up_link)
    assert watch.complaints == []
    context.close()
    desk.tertulia(
        "user", "add", "bruno@example.com", "--name", "Bruno Díaz", "--brand", SAMPLE, "--role", "expert",
        "--password-file", "-", says=PASSWORD,
    )  # fmt: skip
    return desk


@pytest.fixture
def watch(desk) -> Iterator[Watch]:
    watch = Watch(urlsplit(desk.url).netloc)
    yield watch
    assert not watch.complaints, "\n".join(watch.complaints)


@pytest.fixture
def visit(chromium, watch):
    """Open a browser of one's own: `visit(width=390, language="en-GB", scheme="dark")`."""
    contexts = []

    def visit(*, width: int = 1440, language: str = "es-ES", scheme: str = "light", touch: bool = False) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": 844 if width < 600 else 900},
            locale=language, color_scheme=scheme, timezone_id="Europe/Madrid", has_touch=touch,
        )  # fmt: skip
        contexts.append(watch.over(context))
        page = context.new_page()
        page.set_default_timeout(15_000)
        return page

    yield visit
    for context in contexts:
        context.close()


@pytest.fixture
def sign_in(company, visit):
    def sign_in(who: str, **options):
        page = visit(**options)
        page.goto(f"{company.url}/accounts/login/")
        page.locator("input[type=email]").fill(f"{who}@example.com")
        page.locator("input[type=password]").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/inbox/**")
        page.goto(f"{company.url}/b/{SAMPLE}/inbox/")
        return page

    return sign_in


def finger(page):
    """`touch("touchStart", x, y)`: one finger on the page's screen."""
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *at: float) -> None:
        points = [{"x": at[0], "y": at[1]}] if at else []
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    return touch


def middle(locator) -> tuple[float, float]:
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def serious(page: Page) -> list[str]:
    """What axe-core finds on the page that hurts: serious and critical only."""
    found = Axe().run(page).response["violations"]
    return [
        f"{rule['id']}: {node['html'][:160]}"
        for rule in found
        if rule["impact"] in {"serious", "critical"}
        for node in rule["nodes"]
    ]


def too_wide(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
