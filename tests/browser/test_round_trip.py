"""From the bare command to the customer who reads the answer, in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from browser.conftest import PASSWORD, SAMPLE, finger, middle, serious, too_wide
from film_cast import FILMS


def write_as_customer(page, company, text: str) -> None:
    page.goto(f"{company.url}/shop/{SAMPLE}/")
    page.locator("button.fab").click()
    if page.locator("dialog input[type=email]").is_visible():
        page.locator("dialog input[autocomplete=name]").fill("Diego Sanz")
        page.locator("dialog input[type=email]").fill("diego@example.com")
    page.locator("dialog textarea").fill(text)
    page.locator("dialog button.send").click()
    expect(page.locator("dialog .visitor").filter(has_text=text)).to_be_visible()


def row_of(page, text: str):
    return page.locator(".row").filter(has_text=text).first


def open_row(page, text: str) -> None:
    row_of(page, text).locator(".row__link").click()
    expect(page.locator(".message__text").filter(has_text=text)).to_be_visible()


def test_the_set_up_link_works_once(company, chromium):
    context = chromium.new_context()  # a browser of its own: the 404 it ends in is meant
    answer = context.new_page().goto(company.set_up_link)
    assert answer.status in {404, 410}
    context.close()


def test_a_customer_writes_and_reads_the_answer_and_two_agents_never_both_answer(company, sign_in, visit, watch):
    alba, bruno, customer = sign_in("alba"), sign_in("bruno"), visit()
    question = "¿Tenéis roscón sin gluten para el sábado?"
    write_as_customer(customer, company, question)

    expect(row_of(alba, question)).to_be_visible(timeout=5_000)  # without reloading
    for page in (alba, bruno):
        open_row(page, question)

    bruno.locator("textarea[name=text]").fill("Claro que sí, te lo apartamos.")
    alba.locator("textarea[name=text]").fill("Sí, resérvalo con un día.")
    expect(alba.get_by_text("Bruno Díaz está respondiendo", exact=False)).to_be_visible()

    alba.keyboard.press("Control+Enter")
    expect(alba.locator(".message--out").filter(has_text="Sí, resérvalo con un día.")).to_be_visible()
    bruno.keyboard.press("Control+Enter")
    expect(bruno.get_by_text("Alba Ruiz acaba de responder", exact=False)).to_be_visible()
    expect(bruno.locator("textarea[name=text]")).to_have_value("Claro que sí, te lo apartamos.")
    watch.complaints = [line for line in watch.complaints if "409" not in line]  # Chromium notes every refusal

    alba.get_by_role("button", name="Deshacer").click()
    expect(alba.locator("textarea[name=text]")).to_have_value("Sí, resérvalo con un día.")
    expect(alba.locator(".message--out").filter(has_text="Sí, resérvalo")).to_have_count(0)

    alba.locator("textarea[name=text]").fill("Sí: sin gluten y recién hecho. Te lo apartamos.")
    alba.keyboard.press("Control+Enter")
    answer = customer.locator("dialog .item").filter(has_text="Te lo apartamos.")
    expect(answer).to_be_visible(timeout=25_000)  # after the undo window, live
    expect(customer.locator("dialog .item").filter(has_text="Claro que sí")).to_have_count(0)
    expect(customer.locator("dialog .item").filter(has_text="resérvalo")).to_have_count(0)

    customer.reload()
    customer.locator("button.fab").click()
    expect(customer.locator("dialog .item").filter(has_text="Te lo apartamos.")).to_be_visible()


def test_news_that_arrive_meanwhile_do_not_swallow_what_was_taken_back(company, sign_in, visit):
    alba, customer = sign_in("alba"), visit()
    write_as_customer(customer, company, "¿Hacéis pan de espelta?")
    open_row(alba, "¿Hacéis pan de espelta?")

    def slowly(route):  # the answer to «Deshacer» comes late; news were on their way, and are asked for again
        alba.evaluate("htmx.trigger('[data-news]', 'news')")
        answer = route.fetch()
        alba.evaluate("document.querySelector('t-conversation').news()")
        alba.wait_for_timeout(600)
        route.fulfill(response=answer)

    alba.route(re.compile("/withdrawal/"), slowly)
    alba.locator("textarea[name=text]").fill("Los martes.")
    alba.keyboard.press("Control+Enter")
    alba.get_by_role("button", name="Deshacer").click()
    expect(alba.locator("textarea[name=text]")).to_have_value("Los martes.")


def test_what_a_customer_writes_never_runs(company, sign_in, visit):
    customer, alba = visit(), sign_in("alba")
    hostile = "<img src=x onerror=\"document.title='gotcha'\"><script>document.title='gotcha'</script> {{ 7*7 }} hola"
    write_as_customer(customer, company, hostile)
    open_row(alba, "onerror")
    for page in (alba, customer):
        assert "gotcha" not in page.title()
        assert page.locator("img[src=x]").count() == 0


def test_the_whole_day_by_keyboard(company, sign_in, visit):
    write_as_customer(visit(), company, "Pregunta para el teclado")
    alba = sign_in("alba")
    expect(alba.get_by_text("Pregunta para el teclado").first).to_be_visible()
    rows = alba.locator(".row").all_inner_texts()
    place = next(
        n for n, text in enumerate(rows, 1) if "Pregunta para el teclado" in text
    )  # what is urgent stands above
    for _ in range(place):
        alba.keyboard.press("j")
    alba.keyboard.press("Enter")
    expect(alba.locator(".message__text").filter(has_text="Pregunta para el teclado")).to_be_visible()
    alba.keyboard.press("n")
    expect(alba.locator("textarea[name=text]")).to_be_focused()
    alba.keyboard.type("Mirar el horno")
    alba.keyboard.press("Control+Enter")
    expect(alba.locator(".note").filter(has_text="Mirar el horno")).to_be_visible()
    alba.keyboard.press("Escape")
    alba.keyboard.press("?")
    expect(alba.locator("#shortcuts")).to_be_visible()
    alba.keyboard.press("Escape")
    expect(alba.locator("#shortcuts")).to_be_hidden()


def test_the_arrows_move_in_a_menu_and_the_focus_is_back_after_an_act(company, sign_in):
    alba = sign_in("alba")
    alba.keyboard.press("j")
    alba.keyboard.press("Enter")
    assign, people = alba.locator("[data-key=a]"), alba.locator("details:has([data-key=a]) .menu__item")
    expect(assign).to_be_visible()
    alba.keyboard.press("a")
    expect(people.nth(0)).to_be_focused()
    alba.keyboard.press("ArrowDown")
    expect(people.nth(1)).to_be_focused()
    alba.keyboard.press("ArrowUp")
    expect(people.nth(0)).to_be_focused()
    alba.keyboard.press("Escape")
    expect(assign).to_be_focused()
    alba.keyboard.press("a")
    expect(people.nth(0)).to_be_focused()
    alba.keyboard.press("ArrowUp")  # from the first round to the last
    expect(people.last).to_be_focused()
    alba.keyboard.press("Enter")
    expect(people.first).to_be_hidden()
    expect(assign).to_be_focused()


def test_after_a_close_j_goes_on_where_the_closed_one_stood(company, sign_in):
    alba = sign_in("alba")
    links = alba.locator(".row__link")
    first, second = (links.nth(at).get_attribute("href") for at in (0, 1))
    alba.keyboard.press("j")
    expect(links.first).to_be_focused()
    alba.keyboard.press("Enter")
    expect(alba.locator("[data-key=e]")).to_be_visible()
    alba.keyboard.press("e")
    expect(alba.locator("details:has([data-key=e]) .menu__item").first).to_be_focused()
    alba.keyboard.press("Enter")
    expect(alba.locator("[data-key=u]")).to_be_focused()
    expect(links.first).to_have_attribute("href", second)
    alba.keyboard.press("j")
    expect(links.first).to_be_focused()
    assert first != second


def test_beside_a_conversation_stands_what_is_running(company, sign_in, visit):
    alba = sign_in("alba")
    alba.goto(f"{company.url}/b/{SAMPLE}/posts/actions/beginning/")
    alba.locator("input[name=title]").fill("Marquesinas de Atocha")
    alba.locator("form.card .button--primary").click()
    expect(alba.locator("textarea[name=words]")).to_have_value("marquesinas\natocha")
    text = "He visto lo de la marquesina, ¿sigue?"
    write_as_customer(visit(), company, text)
    alba.goto(f"{company.url}/b/{SAMPLE}/inbox/")
    row = row_of(alba, text)
    expect(row).to_be_visible(timeout=5_000)
    open_row(alba, text)
    running = alba.locator("#person section").filter(has=alba.locator("h3", has_text="Qué está en marcha"))
    expect(running.get_by_text("Marquesinas de Atocha")).to_be_visible()
    assert not serious(alba)


@pytest.fixture
def without_script(company, chromium):
    """Alba at a browser that runs no script."""
    context = chromium.new_context(java_script_enabled=False, locale="es-ES", timezone_id="Europe/Madrid")
    page = context.new_page()
    page.goto(f"{company.url}/accounts/login/")
    page.locator("input[type=email]").fill("alba@example.com")
    page.locator("input[type=password]").fill(PASSWORD)
    page.locator("input[type=password]").press("Enter")
    page.wait_for_url("**/inbox/**")
    yield page
    context.close()


def understood_as(page):
    """The menu of the newest message's reading: its summary, and a way to find a choice in it."""
    reading = page.locator("details.reading").last
    return reading.locator("summary"), lambda says: reading.locator(f"button[value='{says}']")


def test_what_was_understood_is_put_right_by_mouse_and_by_keyboard(company, sign_in, visit):
    write_as_customer(visit(), company, "Os dejo mi opinión del obrador")
    alba = sign_in("alba")
    open_row(alba, "Os dejo mi opinión del obrador")
    summary, choice = understood_as(alba)
    summary.click()
    was = choice("kind=question").get_attribute("aria-pressed")
    choice("kind=spam").click()  # nothing the model may have read
    expect(choice("kind")).to_have_count(1)
    expect(summary).to_contain_text("Spam")

    summary.focus()
    alba.keyboard.press("Enter")
    expect(choice("sentiment=positive")).to_be_visible()
    for _ in range(40):
        if choice("sentiment=positive").evaluate("button => button === document.activeElement"):
            break
        alba.keyboard.press("Tab")
    alba.keyboard.press("Enter")
    expect(choice("sentiment")).to_have_count(1)
    expect(summary).to_contain_text("Contento")

    summary.click()
    expect(choice("kind=spam")).to_have_attribute("aria-pressed", "true")
    choice("kind").click()  # takes the correction back
    expect(choice("kind")).to_have_count(0)
    expect(summary).not_to_contain_text("Spam")
    summary.click()
    expect(choice("kind=question")).to_have_attribute("aria-pressed", was)
    expect(choice("sentiment")).to_be_visible()  # the other stands


def test_what_was_understood_is_put_right_without_a_script(company, without_script):
    page = without_script
    page.goto(f"{company.url}/b/{SAMPLE}/inbox/")
    page.locator(".row__link").first.click()
    summary, choice = understood_as(page)
    summary.click()
    choice("kind=spam").click()
    expect(summary).to_contain_text("Spam")
    summary.click()
    choice("kind").click()
    expect(choice("kind")).to_have_count(0)


def test_what_people_say_is_put_into_a_post_once_and_only_where_it_may_be(company, sign_in):
    page = sign_in("alba")
    page.goto(f"{company.url}/b/{SAMPLE}/posts/beginning/")
    page.locator("t-pieces summary").first.click()
    choice = page.locator("t-pieces [data-insert*='https://resenas.example']").first
    quote = choice.get_attribute("data-insert")
    choice.click()
    expect(page.locator("textarea[name=text]")).to_have_value(quote)
    page.locator("t-pieces summary").first.click()
    expect(page.locator("t-pieces [aria-disabled]").first).to_be_visible()  # somebody was asked, and hasn't said yes


PAGES = [
    "posts/", "posts/?view=week", "posts/?view=list", "posts/?view=board", "posts/?view=all&q=a", "posts/rhythm/",
    "posts/beginning/",
    "posts/series/", "posts/series/beginning/", "posts/pieces/", "ideas/", "ideas/?stage=new", "ideas/new/",
    "ideas/pillars/", "shares/", "shares/?state=asked", "shares/new/", "posts/relays/",
    "posts/actions/beginning/", "posts/exchange/",
    "campaigns/", "campaigns/beginning/", "campaigns/launch/", "experiments/", "plans/", "plans/beginning/",
    "links/", "links/new/", "links/settings/", "coupons/", "conversions/", "settings/names/",
    "posts/reactions/", "posts/reactions/file/",
    "inbox/", "inbox/?view=waiting", "inbox/?q=pan", "people/", "team/", "notifications/", "phone/new/",
    "settings/labels/", "settings/saved-replies/", "settings/promises/", "settings/rules/", "settings/api/",
    "settings/automatic-answers/", "settings/learning/", "settings/models/",
    "channels/", "channels/new/", "channels/new/mail/", "settings/", "settings/backups/", "settings/personal-data/",
    "settings/approval/", "topics/", "questions/", "trust/",
    "testimonials/", "testimonials/new/", "guarantees/", "media/", "newsletters/", "messages/new/",
]  # fmt: skip


@pytest.mark.parametrize(
    ("width", "scheme", "language"), [(1440, "light", "es-ES"), (390, "dark", "en-GB"), (390, "light", "es-ES")]
)
def test_every_page_is_quiet_and_accessible(company, sign_in, width, scheme, language):
    page = sign_in("alba", width=width, scheme=scheme, language=language)
    found = {}
    for path in PAGES:
        answer = page.goto(f"{company.url}/b/{SAMPLE}/{path}")
        assert answer.ok, (path, answer.status)
        if problems := serious(page):
            found[path] = problems
        assert too_wide(page) <= 0, path
    page.goto(f"{company.url}/b/{SAMPLE}/inbox/")
    page.locator(".row__link").first.click()
    page.wait_for_selector(".message__text")
    if problems := serious(page):
        found["conversation"] = problems
    assert found == {}


OWN_PAGES = [
    "profile/", "accounts/password/", "accounts/second-step/", "accounts/second-step/app/", "accounts/passkeys/",
    "accounts/passkeys/new/", "accounts/sessions/", "accounts/logout/",
]  # fmt: skip
"""Of whoever is signed in, under no brand."""
OPEN_PAGES = ["accounts/login/", "accounts/password/forgotten/", "accounts/password/forgotten/sent/", "nowhere/"]


@pytest.mark.parametrize(
    ("width", "scheme", "language"), [(1440, "dark", "es-ES"), (390, "dark", "en-GB"), (390, "light", "es-ES")]
)
def test_ones_own_pages_and_those_before_signing_in_are_quiet_and_accessible(
    company, sign_in, visit, watch, width, scheme, language
):
    options = {"width": width, "scheme": scheme, "language": language}
    found = {}
    for page, paths in ((visit(**options), OPEN_PAGES), (sign_in("bruno", **options), OWN_PAGES)):
        for path in paths:
            answer = page.goto(f"{company.url}/{path}")
            assert answer.ok or path == "nowhere/", (path, answer.status)
            if "again" in page.url:  # the password once more, before what is kept secret
                page.locator("input[type=password]").fill(PASSWORD)
                page.keyboard.press("Enter")
                page.wait_for_url(f"**/{path}")
            if problems := serious(page):
                found[path] = problems
            assert too_wide(page) <= 0, path
    watch.complaints = [line for line in watch.complaints if "nowhere" not in line]  # Chromium notes every 404
    assert found == {}


@pytest.mark.parametrize("path", ["settings/backups/", "settings/promises/", "media/"])
def test_on_a_phone_the_page_one_is_on_is_in_view_among_its_neighbours(company, sign_in, path):
    page = sign_in("alba", width=390)
    page.goto(f"{company.url}/b/{SAMPLE}/{path}")
    expect(page.locator(".side-nav [aria-current], .tabs [aria-current]").first).to_be_in_viewport(ratio=0.9)


def test_a_post_survives_a_closed_tab_and_is_moved_by_keyboard_and_mouse(company, sign_in):
    posts = f"{company.url}/b/{SAMPLE}/posts/"
    page = sign_in("alba")
    page.goto(f"{posts}beginning/?on=2031-03-12")
    page.locator("#time").fill("10:00")
    page.locator("textarea[name=text]").fill("Pan de centeno con nueces")
    page.close()
    page = sign_in("alba")
    page.goto(f"{posts}beginning/")
    expect(page.locator("textarea[name=text]")).to_have_value("Pan de centeno con nueces")
    page.locator("button[value=part]").click()
    expect(page.locator("textarea[name=text]").nth(1)).to_be_focused()
    page.keyboard.type("Y roscones")
    expect(page.locator("[data-saved]")).to_be_visible()
    page.locator(".writer__foot [value=keep]").click()
    page.goto(f"{posts}?on=2031-03-12")
    entry = page.locator(".entry a", has_text="Pan de centeno")
    entry.focus()
    for key, day in (("Alt+ArrowRight", "2031-03-13"), ("Alt+ArrowDown", "2031-03-20")):
        page.keyboard.press(key)
        moved = page.locator(f"[data-day='{day}'] .entry a")
        expect(moved).to_be_focused()
    page.locator(".entry").drag_to(page.locator("[data-day='2031-03-05']"))
    expect(page.locator("[data-day='2031-03-05'] .entry")).to_contain_text("10:00")


def test_a_post_is_handed_in_once_its_draft_on_the_way_is_kept_and_the_next_one_begins_empty(company, sign_in):
    page = sign_in("alba")
    page.goto(f"{company.url}/b/{SAMPLE}/posts/beginning/")
    asked = []

    def late(route):
        asked.append("draft")
        page.wait_for_timeout(700)
        route.continue_()

    page.route("**/posts/beginning/draft/", late)
    page.on("requestfinished", lambda request: asked.append("kept") if request.url.endswith("/draft/") else None)
    page.on("request", lambda request: asked.append("handed in") if _is_handed_in(request) else None)
    with page.expect_request("**/draft/"):
        page.locator("textarea[name=text]").first.fill("Pan que no vuelve")
    page.locator(".writer__foot [value=keep]").click()
    page.wait_for_url(lambda url: "beginning" not in url)
    assert asked == ["draft", "kept", "handed in"]
    page.goto(f"{company.url}/b/{SAMPLE}/posts/beginning/")
    expect(page.locator("textarea[name=text]").first).to_have_value("")


def _is_handed_in(request) -> bool:
    return request.method == "POST" and request.is_navigation_request()


@pytest.mark.parametrize("view", ["week", "month"])
def test_a_finger_that_rests_on_a_post_moves_it_and_one_that_does_not_scrolls(company, sign_in, view):
    posts, day = f"{company.url}/b/{SAMPLE}/posts/", 16 if view == "week" else 23
    page = sign_in("alba", width=390, touch=True)
    page.goto(f"{posts}beginning/?on=2031-04-{day}&time=10:00")
    page.locator("textarea[name=text]").first.fill(f"Pan del {view}")
    page.locator(".writer__foot [value=keep]").click()
    page.goto(f"{posts}?view={view}&on=2031-04-{day}")
    entry, touch = page.locator(".entry", has_text=f"Pan del {view}"), finger(page)
    entry.scroll_into_view_if_needed()
    page.evaluate("scrollTo(0, 0)")

    if view == "week":  # whose seven days are taller than a phone
        x, y = middle(entry)
        touch("touchStart", x, y)
        for step in range(1, 9):
            touch("touchMove", x, y - step * 20)
        touch("touchEnd")
        page.wait_for_timeout(800)  # until it has rolled out
        assert page.evaluate("scrollY") > 60
        expect(page.locator(f"[data-day='2031-04-{day}'] .entry")).to_have_count(1)

    page.evaluate("scrollTo({ top: 0, behavior: 'instant' })")
    touch("touchStart", *middle(entry))
    expect(page.locator(".shadow")).to_be_visible()
    target = page.locator(f"[data-day='2031-04-{day - 1}']")
    expect(target).to_be_visible()
    for _ in range(3):
        touch("touchMove", *middle(target))
    expect(target).to_have_attribute("data-over", "")
    touch("touchEnd")
    expect(target.locator(".entry")).to_contain_text("10:00")
    expect(page.locator(".shadow")).to_have_count(0)
    assert f"view={view}" in page.url, "letting go follows no link"


def test_a_draft_is_drawn_into_the_queue_on_the_board_and_elsewhere_it_says_why_not(company, sign_in):
    page = sign_in("alba")
    page.goto(f"{company.url}/b/{SAMPLE}/posts/beginning/?on=2031-05-07&time=10:00")
    page.locator("textarea[name=text]").first.fill("Pan para el tablero")
    page.locator(".writer__foot [value=keep]").click()
    page.goto(f"{company.url}/b/{SAMPLE}/posts/?view=board")
    card = page.locator("[data-column=draft] .ticket", has_text="Pan para el tablero")
    top = {"x": 40, "y": 16}  # its head is in sight, however many cards hang below
    card.drag_to(page.locator("[data-column=published]"), target_position=top)
    expect(page.locator(".toast")).to_contain_text("Cuenta como publicada cuando la red la tiene")
    card.drag_to(page.locator("[data-column=scheduled]"), target_position=top)
    expect(page.locator(".toast").last).to_contain_text("Elige antes dónde")
    expect(card).to_have_count(1)


def test_the_shop_and_its_chat_are_accessible(company, visit):
    for width, scheme in ((1440, "light"), (390, "dark")):
        page = visit(width=width, scheme=scheme)
        page.goto(f"{company.url}/shop/{SAMPLE}/")
        assert serious(page) == []
        page.locator("button.fab").click()
        expect(page.locator("dialog textarea")).to_be_visible()
        assert serious(page) == []


def test_a_film_of_the_library_is_looked_for_beside_the_text_and_hung_on_it(company, sign_in):
    home = f"{company.url}/b/{SAMPLE}/"
    page = sign_in("alba")
    page.goto(f"{home}media/")
    page.locator("#file").set_input_files(FILMS / "pan.mov")
    page.locator(".drop button").click()
    page.wait_for_url("**/details/")
    page.goto(f"{home}posts/beginning/")
    page.locator("textarea[name=text]").first.fill("Pan en marcha")
    page.locator(".part__tools summary").first.click()
    offered, search = page.locator(".pictures__one"), page.locator(".pictures__search")
    expect(offered.first).to_be_visible()
    search.fill("nadie")
    expect(offered).to_have_count(0)
    search.press("Enter")
    search.fill("pan")
    expect(offered.first).to_be_visible()
    assert page.url == f"{home}posts/beginning/"
    offered.first.click()
    expect(page.locator(".shown")).to_have_count(1)
    expect(page.locator("textarea[name=text]").first).to_have_value("Pan en marcha")
    page.locator(".shown button").click()
    expect(page.locator(".shown")).to_have_count(0)


def test_a_browser_takes_the_picture_that_stands_for_a_film(company, sign_in):
    library = f"{company.url}/b/{SAMPLE}/media/"
    page = sign_in("alba", width=390)
    page.goto(library)
    page.locator("#file").set_input_files(FILMS / "pan.webm")
    with page.expect_response(lambda answer: "/poster/" in answer.url) as given:
        page.locator(".drop button").click()
    assert given.value.status == 204
    film = page.locator("video")
    expect(film).to_be_visible()
    expect(page.locator("[data-done]")).to_be_visible()
    assert serious(page) == []
    assert too_wide(page) <= 0
    assert film.evaluate("film => [film.videoWidth, film.videoHeight]") == [160, 90]
    film.evaluate("film => new Promise((done) => { film.onseeked = done; film.currentTime = 0.5; })")
    page.goto(library)
    shown = page.locator(".shelf__one", has_text="pan.webm").locator("img")
    small = page.request.get(f"{company.url}{shown.get_attribute('src')}")
    assert small.headers["content-type"] == "image/webp"
    page.locator("#file").set_input_files([FILMS / "pan.mp4", FILMS / "dron.mp4"])
    page.locator(".drop button").click()
    expect(page.locator("t-poster")).to_have_count(0)  # those of the list have theirs, too
    assert serious(page) == []


def test_an_answer_and_a_note_are_begun_side_by_side_and_brought_over(company, sign_in):
    page = sign_in("bruno")
    page.locator(".row__link").first.click()
    box = page.locator("t-composer textarea")
    box.fill("Hola, ya lo miro")
    page.locator("[name=kind][value=note]").check()
    expect(box).to_have_value("")
    expect(page.locator("[data-held=reply]")).to_be_visible()
    box.fill("Mirar el horno dos")
    page.locator("[name=kind][value=reply]").check()
    expect(box).to_have_value("Hola, ya lo miro")
    with page.expect_response(lambda answer: "miro." in (answer.request.post_data or "")):
        box.press_sequentially(".")
    page.reload()
    expect(box).to_have_value("Hola, ya lo miro.")
    page.locator("[name=kind][value=note]").check()
    expect(box).to_have_value("Mirar el horno dos")
    page.locator("[data-send].for-note").click()
    expect(page.locator(".note", has_text="Mirar el horno dos")).to_be_visible()
    expect(box).to_have_value("Hola, ya lo miro.")
    expect(page.locator("[data-held=note]")).to_be_hidden()
    page.locator("[name=kind][value=note]").check()
    page.locator("[data-bring]").click()
    expect(box).to_have_value("Hola, ya lo miro.")
    expect(page.locator("[data-held=reply]")).to_be_hidden()


def test_what_is_typed_and_sent_at_once_leaves_no_draft(company, sign_in):
    page = sign_in("bruno")
    page.locator(".row__link").nth(1).click()
    box = page.locator("t-composer textarea")
    box.press_sequentially("Anotado: dos hogazas")
    page.locator("[name=kind][value=note]").check()
    page.locator("[data-bring]").click()
    page.keyboard.press("Control+Enter")
    expect(page.locator(".note", has_text="Anotado: dos hogazas")).to_be_visible()
    page.reload()
    expect(box).to_have_value("")
    expect(page.locator("[data-held]:visible")).to_have_count(0)


def test_on_a_phone_the_calendar_begins_with_today(company, sign_in):
    page = sign_in("alba", width=390)
    page.goto(f"{company.url}/b/{SAMPLE}/posts/?view=week")
    expect(page.locator(".day").filter(visible=True).first).to_have_attribute("data-today", "")
    past = page.locator(".day[data-past]")
    expect(past.filter(visible=True)).to_have_count(0)
    if page.locator(".day[data-past]:not([data-free])").count():  # none on a Monday, nor where those days held nothing
        page.locator("[data-earlier]").click()
        expect(past.first).to_be_visible()


def test_a_form_of_address_is_asked_in_spanish_alone(company, sign_in):
    page = sign_in("alba")
    page.goto(f"{company.url}/b/{SAMPLE}/settings/")
    treatment = page.locator("fieldset:has([name=treatment])")
    expect(treatment).to_be_visible()
    page.locator("select[name=language]").select_option("en")
    expect(treatment).to_be_hidden()


def test_a_backup_is_made_from_its_page(company, sign_in):
    page = sign_in("alba")
    page.goto(f"{company.url}/b/{SAMPLE}/settings/backups/")
    button = page.get_by_role("button", name="Hacer una ahora")
    button.click()
    expect(page.locator("#backups-state progress")).to_be_visible()
    expect(button).to_be_enabled(timeout=120_000)
    expect(page.locator("#backups-state tbody tr").first).to_be_visible()
