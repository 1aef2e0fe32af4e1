"""Before it leaves: links are asked in the background, words and names are the brand's, and the hour is everybody's."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from publishing_cast import *  # noqa: F403
from time_machine import travel

from conftest import NOON
from tertulia.brand import actions as brands
from tertulia.channels.models import Account
from tertulia.connectors.contract import Card
from tertulia.core.http import Door
from tertulia.flows.schedule import run_due
from tertulia.publishing import checks, heads, linking, looking, pieces
from tertulia.publishing.looking import Found
from tertulia.publishing.models import Draft, LinkLook, SavedPiece
from tertulia.publishing.preflight import Line
from tertulia.publishing.writing import Piece, Sheet, Writing
from tertulia.team.models import Membership

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def home(brand) -> str:
    return f"/b/{brand.slug}/posts/"


def told(brand, text: str, *, tone: str = "", post=None, **writing) -> list[str]:
    kinds = {name: writing.pop(name) for name in ("others", "here", "at") if name in writing}
    written = Writing(sheets={0: Sheet([Piece(text)])}, zone=brand.time_zone, **writing)
    found = checks.check(written, brand=brand, post=post, **{"at": NOON, **kinds})
    return [line.says for line in found.lines if tone in ("", line.tone) and not line.says.startswith("Elige dónde")]


# Links.


@pytest.fixture
def web(monkeypatch):
    """A server whose addresses say their status: /404, /200; /hop goes to /200, /loop to itself; /page says what it is,
    at great length, /stream never ends."""

    class Handler(BaseHTTPRequestHandler):
        asked: list[str] = []

        def do_GET(self) -> None:
            self.asked.append(f"{self.command} {self.path}")
            name = self.path.strip("/")
            is_hop = name in {"hop", "loop", "lost"}
            self.send_response(302 if is_hop else int(name) if name.isdecimal() else 200)
            if is_hop:
                self.send_header("location", {"hop": "/200", "loop": "/loop", "lost": "http://["}[name])
            content = PAGE.encode() + b"<p>x" * 100_000 if name == "page" else b""
            self.send_header("content-type", "text/html; charset=utf-8")
            if name != "stream":
                self.send_header("content-length", str(len(content)))
            self.end_headers()
            with suppress(ConnectionError):
                self.wfile.write(content)
                for _second in range(5 if name == "stream" else 0):
                    self.wfile.write(b"<title>Radio</title>")
                    time.sleep(1)

        def log_message(self, *args) -> None:
            pass

    Handler.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    numbers = lambda host, port: ["10.0.0.1" if host.startswith("inside") else "127.0.0.1"]  # noqa: E731
    monkeypatch.setattr(looking, "door", Door(connect=1, total=2, largest=256 * 1024, resolve=numbers))
    server.url, server.asked = f"http://horno.example:{server.server_port}", Handler.asked
    yield server
    server.shutdown()
    server.server_close()


PAGE = """<!doctype html><html><head><title>Pan &amp; cafés — Horno</title>
<meta name="description" content="De masa madre, cada mañana."><meta property="og:title" content=""></head><body>"""


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/200", Found(200)),
        ("/404", Found(404)),
        ("/hop", Found(200)),
        ("/loop", Found(0, looking.TOO_MANY)),
        ("/403", Found(403)),
        ("/page", Found(200, "", "Pan & cafés — Horno", "De masa madre, cada mañana.")),
    ],
)
def test_an_address_answers_with_what_stands_behind_it(web, path, found):
    assert looking.answer_of(f"{web.url}{path}") == found


def test_what_never_ends_answers_all_the_same(web, monkeypatch):
    monkeypatch.setattr(looking.door, "total", 1.0)
    assert looking.answer_of(f"{web.url}/stream") == Found(200, "", "Radio")


def test_a_redirect_to_what_is_no_address_is_no_answer(web):
    assert looking.answer_of(f"{web.url}/lost").status == 0


@pytest.mark.parametrize(
    ("page", "title", "about"),
    [
        (b"", "", ""),
        (b"<title>Uno</title><svg><title>Dos</title></svg>", "Uno", ""),
        (b'<meta charset="latin-1"><title>Caf\xe9</title>', "Café", ""),
        (b'<meta charset="no-such"><title>Pan\xff</title>', "Pan\N{REPLACEMENT CHARACTER}", ""),
        (b'<meta property="og:title" content="Para redes"><title>De la pagina</title>', "Para redes", ""),
        (b"<title>" + b"x" * 400 + b"</title>", "x" * 299 + "…", ""),
        (b'<meta charset="idna"><title>Pan\xc3\xa9</title>', "Pané", ""),
        (b"<title>cut of", "cut of", ""),
        (b'<title>a\x00\xe2\x80\xaeb</title><meta name=DESCRIPTION content="c\n\td">', "a b", "c d"),
        (b"\x00\xff<meta <meta content><<<title", "", ""),
    ],
)
def test_what_a_page_says_of_itself_is_one_clean_line_each(page, title, about):
    assert heads.said(page) == (title, about)


def test_the_card_of_a_post_is_that_of_its_first_link_and_keeps_the_link_as_written(brand, alba, settings):
    settings.PUBLIC_URL = "https://horno.example"
    link = linking.make(brand=brand, target="https://tienda.example/", name="Tienda", by=alba, at=NOON)
    LinkLook.objects.create(brand=brand, target="https://tienda.example/", status=200, title="Tienda", about="De pan")
    short = f"https://horno.example/l/{link.code}"
    assert looking.card_of(f"Ven: {short} o https://otra.example", brand.pk) == Card(short, "Tienda", "De pan")
    tagged = "https://tienda.example/?utm_source=bluesky&utm_medium=social"
    assert looking.card_of(f"Ven: {tagged}", brand.pk) == Card(tagged, "Tienda", "De pan")
    assert looking.card_of("Ven: https://otra.example y https://tienda.example/", brand.pk) is None
    assert looking.card_of("Ven", brand.pk) is None


def test_nobody_there_is_not_a_dead_link_and_no_address_inside_is_asked(web):
    found = looking.answer_of(f"http://inside.example:{web.server_port}/200")
    assert (found.status, "private" in found.trouble) == (0, True)
    assert looking.answer_of("http://horno.example:1/").status == 0
    assert not web.asked


def test_links_are_asked_after_the_page_was_answered_and_told_when_they_are(web, as_alba, brand, home, monkeypatch):
    form = {"text": f"Pan: {web.url}/200 y {web.url}/404", "zone": "Europe/Madrid"}
    with travel(NOON, tick=False):
        page = as_alba.post(f"{home}beginning/draft/", form, **HTMX).content.decode()
        assert page.count("aún sin mirar") == 2
        assert not web.asked
    with travel(NOON + timedelta(seconds=5), tick=False):
        run_due(NOON + timedelta(seconds=5))
        page = as_alba.post(f"{home}beginning/draft/", form, **HTMX).content.decode()
        assert "no hay nada (404" in page
        assert "responde (" in page
        seen = len(web.asked)
        run_due(NOON + timedelta(minutes=5))
        ids = "&".join(f"look={id}" for id in LinkLook.objects.values_list("pk", flat=True))
        assert "no hay nada (404" in as_alba.get(f"{home}looks/?{ids}").content.decode()
    assert len(web.asked) == seen
    with travel(NOON + timedelta(days=1, minutes=1), tick=False):
        as_alba.post(f"{home}beginning/draft/", form, **HTMX)
        run_due(NOON + timedelta(days=1, minutes=2))
    assert len(web.asked) > seen


def test_an_address_half_typed_is_never_asked(web, as_alba, home):
    with travel(NOON, tick=False):
        as_alba.post(f"{home}beginning/draft/", {"text": f"Pan: {web.url}/20"}, **HTMX)
        as_alba.post(f"{home}beginning/draft/", {"text": f"Pan: {web.url}/200"}, **HTMX)
        run_due(NOON + timedelta(seconds=10))
    assert [one.target for one in LinkLook.objects.all()] == [f"{web.url}/200"]
    assert web.asked == ["GET /200"]


def test_a_dead_link_stops_the_hand_once_and_our_own_is_judged_by_its_target(
    web, network, account_of, as_alba, alba, brand, home, settings
):
    settings.PUBLIC_URL = "https://horno.example"
    link = linking.make(brand=brand, target="https://tienda.example/", name="Tienda", by=alba, at=NOON)
    LinkLook.objects.create(brand=brand, target="https://tienda.example/", asked_at=NOON, status=404)
    form = {
        "text": f"Pan: {settings.PUBLIC_URL}/l/{link.code}", "accounts": [account_of().pk], "on": "2026-11-23",
        "time": "13:00", "do": "schedule",
    }  # fmt: skip
    with travel(NOON, tick=False):
        answer = as_alba.post(f"{home}beginning/", form)
        assert answer.status_code == 422
        known = answer.content.decode().split('name="known" value="')[1].split('"')[0]
        assert as_alba.post(f"{home}beginning/", form | {"known": known}).status_code == 302
    linking.end(link=link, by=alba, at=NOON)
    seen = looking.seen([form["text"]], brand, at=NOON)
    assert [(one.tone, "no lleva" in one.says) for one in seen] == [("soon", True)]


def test_anothers_looks_are_not_shown(as_carla, other_brand, brand):
    look = LinkLook.objects.create(brand=brand, target="https://tienda.example/", asked_at=NOON, status=404)
    assert "tienda.example" not in as_carla.get(f"/b/{other_brand.slug}/posts/looks/?look={look.pk}").content.decode()


# Words and names.


def test_words_the_brand_avoids_and_the_wrong_treatment_are_told(brand):
    brands.avoid(brand=brand, words=[("barato", "asequible")], at=NOON)
    says = told(brand, "Pan barato. Reserve su mesa: https://tienda.example/barato")
    assert says == [
        "La marca evita «barato»: dice «asequible».",
        "La marca trata de «tú», y aquí se lee otra cosa: «Reserve».",
    ]
    assert told(brand, "Ven a por tu pan: https://tienda.example/barato") == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Ven a Ferretería Ruiz", "Ferreteria Ruiz"),
        ("ven a ferreteria ruiz", "ferreteria ruiz"),
        ("Todo en #FerreteríaRuiz", "#FerreteriaRuiz"),
        ("Pregunta a @ruiz.example.social", "@ruiz.example.social"),
        ("Mira www.ruiz.example/ofertas", "ruiz.example"),
        ("Las Ferreterías y los Ruiz del barrio", ""),
        ("Escribe a noruiz.example", ""),
        ("Ven al Horno Candela", ""),
    ],
)
def test_another_brand_of_the_writers_is_told_by_name_handle_and_page(brand, other_brand, alba, text, named):
    Account.objects.create(
        brand=other_brand, kind="bluesky", name="Ruiz", created_at=NOON, settings={"handle": "ruiz.example.social"}
    )
    page = {"profile": "https://www.ruiz.example/"}
    Account.objects.create(brand=other_brand, kind="manual", name="Ruiz", created_at=NOON, settings=page)
    says = " ".join(told(brand, text, others=[other_brand]))
    assert (f"{named} (Ferretería Ruiz)" in says) if named else not says
    assert not told(brand, text, others=[])


def test_the_composer_knows_which_brands_are_its_writers(as_alba, alba, brand, other_brand, home):
    form = {"text": "Ven a Ferretería Ruiz"}
    assert "otra de tus marcas" not in as_alba.post(f"{home}beginning/draft/", form, **HTMX).content.decode()
    Membership.objects.create(user=alba, brand=other_brand, role="manager", created_at=NOON)
    assert "otra de tus marcas" in as_alba.post(f"{home}beginning/draft/", form, **HTMX).content.decode()


def test_a_brand_named_by_one_common_word_is_meant_with_its_capital_alone(brand, other_brand):
    other_brand.name = "Candil"
    assert told(brand, "Un candil de barro", others=[other_brand]) == []
    assert "Candil (Candil)" in told(brand, "Candil abre mañana", others=[other_brand])[0]
    other_brand.name = "Candela"
    assert told(brand, "Horno Candela abre mañana", others=[other_brand]) == []


# The hour.


@pytest.mark.parametrize(
    ("on", "time", "zone", "here", "says"),
    [
        ("2026-11-24", "10:00", "Europe/Madrid", "", []),
        ("2026-11-24", "10:00", "Europe/Madrid", "Europe/Paris", []),
        ("2026-11-24", "10:00", "Europe/Madrid", "no/zone", []),
        ("2026-11-24", "10:00", "Europe/Madrid", "America/Bogota", ["10:00 (Europe/Madrid)", "04:00 (America/Bogota)"]),
        ("2026-11-24", "20:00", "America/Bogota", "", ["20:00 (America/Bogota)", "02:00 (Europe/Madrid)", "duerme"]),
        ("2026-11-24", "23:00", "Europe/Madrid", "", ["23:00", "duerme"]),
        ("2026-11-24", "07:00", "Europe/Madrid", "", []),
        ("2027-03-28", "02:30", "Europe/Madrid", "", ["03:00 (Europe/Madrid)", "01:00 (UTC)", "se salta"]),
        (
            "2027-10-31",
            "02:30",
            "Europe/Madrid",
            "Atlantic/Canary",
            ["02:30 (Europe/Madrid)", "01:30 (Atlantic/Canary)"],
        ),
    ],
)
def test_the_moment_is_told_where_readers_and_writers_are(brand, on, time, zone, here, says):
    written = Writing(sheets={0: Sheet([Piece("Pan")])}, on=on, time=time, zone=zone)
    found = checks.check(written, brand=brand, post=None, at=NOON, here=here)
    lines = " ".join(line.says for line in found.lines[1:])
    assert all(one in lines for one in says) if says else not lines, lines


# Saved pieces.


def test_a_piece_is_kept_offered_filled_and_put_into_a_post(
    as_alba, as_carla, alba, brand, other_brand, home, settings
):
    link = linking.make(brand=brand, target="https://tienda.example/", name="Tienda", by=alba, at=NOON)
    text = "{marca} {enlace:tienda} {enlace:nada} {otra}"
    assert as_alba.post(f"{home}pieces/", {"title": "Firma", "kind": "signature", "text": text}).status_code == 302
    piece = SavedPiece.objects.get()
    filled = f"Horno Candela {settings.PUBLIC_URL}/l/{link.code} {{enlace:nada}} {{otra}}"
    assert pieces.filled([piece.text], brand) == [filled]
    assert f'data-insert="{filled}"' in as_alba.get(f"{home}pieces/choice/", **HTMX).content.decode()
    assert filled in as_alba.get(f"{home}beginning/?piece={piece.pk}").content.decode()
    elsewhere = f"/b/{other_brand.slug}/posts/"
    assert "Firma" not in as_carla.get(f"{elsewhere}pieces/choice/").content.decode()
    assert "Horno" not in as_carla.get(f"{elsewhere}beginning/?piece={piece.pk}").content.decode()
    assert as_alba.post(f"{home}pieces/", {"title": "Firma", "kind": "text", "text": "x"}).status_code == 422
    as_alba.post(f"{home}pieces/{piece.pk}/", {"title": "Firma 2", "kind": "text", "text": "x"})
    assert SavedPiece.objects.get().title == "Firma 2"
    as_alba.post(f"{home}pieces/{piece.pk}/removal/")
    assert not SavedPiece.objects.exists()


def test_a_piece_comes_behind_what_the_draft_holds(as_alba, brand, home):
    SavedPiece.objects.create(brand=brand, title="Firma", text="Hasta mañana")
    as_alba.post(f"{home}beginning/draft/", {"text": "Pan de higos"}, **HTMX)
    page = as_alba.get(f"{home}beginning/?piece={SavedPiece.objects.get().pk}").content.decode()
    assert "Pan de higos\nHasta mañana" in page
    assert "Hasta" not in str(Draft.objects.get().written)


def test_what_a_platform_by_hand_shows_no_post_without_is_told_before_it_is_scheduled(brand):
    account = Account.objects.create(
        brand=brand, kind="manual", name="El insta", created_at=NOON, settings={"platform": "Instagram"}
    )
    written = Writing(accounts=[account.pk], sheets={0: Sheet([Piece("Pan")])}, zone=brand.time_zone)
    found = checks.check(written, brand=brand, post=None, at=NOON)
    assert [line.tone for line in found.lines if line.says.startswith("El insta: ")] == ["soon"]
    assert (found.stops, found.is_clean) == (False, False)


def test_who_has_seen_more_has_seen_less_and_nothing_new_passes_as_seen():
    def checked(*says):
        return checks.Checked([], [Line("soon", one) for one in says] + [Line("note", "Nada")])

    both, one, other = checked("a", "b"), checked("b"), checked("b", "c")
    assert (one.is_seen(both.known), both.is_seen(both.known), checked().is_seen("")) == (True, True, True)
    assert (both.is_seen(one.known), other.is_seen(both.known), one.is_seen("")) == (False, False, False)
