"""The chat on somebody else's page: another origin, the strictest policy a page can have, a bad line."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import expect

CREATE = """
from datetime import UTC, datetime
from tertulia.brand.models import Brand
from tertulia.channels.models import Account
from tertulia.connectors import registry
now = datetime.now(UTC)
brand, made = Brand.objects.get_or_create(slug="tienda", defaults={{"name": "Tienda", "created_at": now}})
account = Account.objects.create(
    brand=brand, kind="site", name="Web", created_at=now, settings={{"origins": ["{origin}"]}},
    secrets=registry.get("site").generated_secrets(),
)
print("KEY=" + account.public_key)
"""


@pytest.fixture(scope="module")
def page_of_another(desk):
    """A page of another origin that embeds the chat; its address."""

    class Page(BaseHTTPRequestHandler):
        html = b""

        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            policy = f"default-src 'none'; img-src data:; script-src {desk.url}; connect-src {desk.url}"
            self.send_header("Content-Security-Policy", f"{policy}; require-trusted-types-for 'script'")
            self.end_headers()
            self.wfile.write(self.html)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    origin = f"http://127.0.0.1:{server.server_port}"
    key = desk.tertulia("manage", "shell", "-c", CREATE.format(origin=origin)).split("KEY=")[1].split()[0]
    Page.html = (
        '<!doctype html><html lang="es"><link rel="icon" href="data:,"><title>Otra</title>'
        f'<script src="{desk.url}/site/widget.js" data-account="{key}" defer></script></html>'
    ).encode()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield origin
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def visitor(chromium):
    context = chromium.new_context(locale="es-ES", viewport={"width": 1100, "height": 800})
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.complaints = []
    page.on("console", lambda said: said.type in {"error", "warning"} and page.complaints.append(said.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    yield page
    context.close()


def test_it_runs_under_the_strictest_policy_on_another_origin(page_of_another, visitor):
    visitor.goto(page_of_another)
    visitor.locator("button.fab").click()
    visitor.locator("dialog textarea").fill('<img src=x onerror="alert(1)"> https://example.com/a. fin')
    visitor.locator("dialog button.send").click()
    expect(visitor.locator(".visitor .by time")).to_be_visible()
    assert visitor.locator(".visitor .text").inner_text() == '<img src=x onerror="alert(1)"> https://example.com/a. fin'
    assert visitor.locator(".visitor a").get_attribute("href") == "https://example.com/a"
    assert visitor.complaints == []


def test_an_unsent_text_and_a_failed_message_survive_a_reload_and_go_once(page_of_another, visitor):
    visitor.goto(page_of_another)
    visitor.locator("button.fab").click()
    visitor.route("**/messages?*", lambda route: route.abort())
    visitor.locator("dialog textarea").fill("¿Abrís el domingo?")
    visitor.locator("dialog button.send").click()
    expect(visitor.locator(".visitor .by.bad")).to_contain_text("No se ha enviado")
    visitor.locator("dialog textarea").fill("Otra cosa")
    visitor.unroute("**/messages?*")
    visitor.reload()
    visitor.locator("button.fab").click()
    expect(visitor.locator("dialog textarea")).to_have_value("Otra cosa")
    visitor.get_by_role("button", name="Reintentar").click()
    expect(visitor.locator(".visitor .by time")).to_be_visible()
    visitor.reload()
    visitor.locator("button.fab").click()
    expect(visitor.locator(".visitor")).to_have_count(1)


def test_it_is_worked_by_keyboard_and_gives_the_focus_back(page_of_another, visitor):
    visitor.goto(page_of_another)
    opener = visitor.locator("button.fab")
    opener.press("Enter")
    expect(visitor.locator("dialog")).to_have_attribute("aria-label", "Tienda")
    expect(visitor.locator("dialog input[autocomplete=name]")).to_be_focused()
    visitor.keyboard.press("Escape")
    expect(visitor.locator("dialog")).not_to_be_visible()
    expect(opener).to_be_focused()


def test_without_storage_it_works_all_the_same(page_of_another, visitor):
    visitor.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError') } })"
    )
    visitor.goto(page_of_another)
    visitor.locator("button.fab").click()
    visitor.locator("dialog textarea").fill("Hola")
    visitor.locator("dialog button.send").click()
    expect(visitor.locator(".visitor .by time")).to_be_visible()
    assert visitor.complaints == []


def test_a_page_without_https_can_send_as_well(page_of_another, visitor):
    # A browser keeps it back from pages by plain http, except from this machine's own.
    visitor.add_init_script("delete Crypto.prototype.randomUUID")
    visitor.goto(page_of_another)
    visitor.locator("button.fab").click()
    visitor.locator("dialog textarea").fill("Hola")
    visitor.locator("dialog button.send").click()
    expect(visitor.locator(".visitor .by time")).to_be_visible()
    visitor.reload()
    visitor.locator("button.fab").click()
    expect(visitor.locator(".visitor")).to_have_count(1)
    assert visitor.complaints == []


def test_it_asks_for_name_and_mail_only_when_nobody_is_there(page_of_another, visitor):
    with visitor.expect_response("**/hello?*") as first:
        visitor.goto(page_of_another)
    said = {**first.value.json(), "opens_at": None}
    anybody = {"Access-Control-Allow-Origin": "*"}
    visitor.route("**/hello?*", lambda route: route.fulfill(json=said, headers=anybody))
    name, mail = visitor.get_by_label("Nombre"), visitor.get_by_label("Correo")
    says = visitor.locator("dialog header p")
    said["is_open"] = True
    visitor.reload()
    visitor.locator("button.fab").click()
    expect(says).to_have_text("Hay alguien al otro lado")
    expect(name).to_be_hidden()
    expect(mail).to_be_hidden()
    said["is_open"] = False
    visitor.reload()
    visitor.locator("button.fab").click()
    expect(says).to_contain_text("Ahora mismo no hay nadie")
    expect(name).to_be_visible()
    expect(mail).to_be_visible()


def test_a_page_that_isnt_on_the_list_shows_no_chat(page_of_another, visitor):
    visitor.goto(page_of_another.replace("127.0.0.1", "localhost"))
    visitor.wait_for_timeout(500)
    assert visitor.locator("button.fab").count() == 0
