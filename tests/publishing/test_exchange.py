"""Posts from a table and into one; the calendar in other calendars; what happens outside of the networks."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import given
from hypothesis import strategies as st
from publishing_cast import *  # noqa: F403
from publishing_cast import state
from time_machine import travel

from conftest import NOON
from tertulia.core import jobs, tables
from tertulia.publishing import actions, exchange, feed, initiatives, library
from tertulia.publishing.models import ApprovalRule, Feed, Import, Initiative, Post
from tertulia.publishing.saying import Piece, Wanted
from tertulia.strategy.models import Campaign
from tertulia.team.models import Membership

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def at_noon():
    with travel(NOON, tick=False):
        yield


@pytest.fixture
def home(brand) -> str:
    return f"/b/{brand.slug}/posts/"


@pytest.fixture
def hand_in(as_alba, home):
    """Upload a table, let it be taken in, and give back how that ended."""

    def bring(content: bytes | str, *, starts: bool = True, **form) -> Import:
        content = content.encode() if isinstance(content, str) else content
        answer = as_alba.post(f"{home}imports/", {"file": SimpleUploadedFile("plan.csv", content), **form})
        assert answer.status_code == 302, answer.content.decode()
        if starts:
            as_alba.post(f"{answer['Location']}beginning/")
            jobs.run_due(NOON)
        return Import.objects.latest("pk")

    return bring


def test_a_table_from_excel_becomes_posts_and_the_bad_rows_come_back(
    network, account_of, picture, hand_in, as_alba, home, brand, alba
):
    account_of(name="Mastodon")
    account_of(name="Bluesky, la nuestra")
    campaign = Campaign.objects.create(brand=brand, name="Navidad", tag="navidad", created_by_id=1, created_at=NOON)
    rows = [
        "Título;Texto;Cuentas;Día;Hora;Zona horaria;Enlace;Imagen;Campaña;Precio",
        'Roscón;"Roscón: 12 €\n---\nY mañana más";Mastodon|Bluesky, la nuestra;24/11/2026;9:30;;https://h.example/;'
        f"{picture.name};navidad;5",
        "Pan;=1+1;mastodon;2026-11-25;10:00;America/Santiago;;;;",
        "Sin cuenta;Hola;Facebook;2026-11-25;10:00;;;;;",
        "Ayer;Hola;Mastodon;22/11/2026;10:00;;;;;",
        "Raro;Hola;Mastodon;31/02/2027;10:00;;;;;",
        "Media;Hola;Mastodon;2026-12-01;;;;;;",
        "Nada;;Mastodon;2026-12-01;10:00;;;;;",
        "Zona;Hola;Mastodon;2026-12-01;10:00;Marte/Base;;;;",
        "Foto;Hola;Mastodon;2026-12-01;10:00;;;otra.png;;",
        "Suelto;Algún día;;;;;;;;",
    ]
    brought = hand_in("\r\n".join(rows).encode("cp1252"))
    assert (brought.state, brought.total, brought.added, brought.known) == ("done", 10, 3, 0)
    assert [line for line, _why in brought.problems] == [6, 7, 8, 9, 10, 11, 12]
    roll, bread, loose = Post.objects.order_by("pk")
    assert [part.text for part in roll.parts.order_by("number")] == ["Roscón: 12 €", "Y mañana más\nhttps://h.example/"]
    assert (roll.publish_at, roll.campaign, state(roll)) == (
        datetime(2026, 11, 24, 8, 30, tzinfo=UTC),
        campaign,
        "draft",
    )
    assert sorted(one.account.name for one in roll.versions.all()) == ["Bluesky, la nuestra", "Mastodon"]
    assert (bread.parts.get().text, bread.zone, bread.publish_at.hour) == ("=1+1", "America/Santiago", 13)
    assert loose.publish_at is None
    page = as_alba.get(f"{home}imports/{brought.pk}/").content.decode()
    assert "Precio" in page
    assert "Facebook" in page
    back = as_alba.get(f"{home}imports/{brought.pk}/problems/").content.decode("utf-8-sig")
    lines = list(csv.reader(io.StringIO(back), delimiter=";"))
    assert [line[0] for line in lines[1:]] == ["6", "7", "8", "9", "10", "11", "12"]
    assert lines[1][2:6] == ["Sin cuenta", "Hola", "Facebook", "2026-11-25"]


def test_bringing_it_again_adds_nothing_and_mended_rows_are_added(network, account_of, hand_in, as_alba, home):
    account_of(name="Mastodon")
    table = "Texto;Cuentas\nUno;Mastodon\nDos;Facebook\nUno;Mastodon\n"
    first = hand_in(table)
    assert (first.added, first.known, len(first.problems)) == (1, 1, 1)
    again = hand_in(table)
    assert (again.added, again.known, len(again.problems)) == (0, 2, 1)
    back = as_alba.get(f"{home}imports/{again.pk}/problems/").content
    mended = hand_in(back.decode("utf-8-sig").replace("Facebook", "Mastodon").encode())
    assert (mended.added, Post.objects.count()) == (1, 2)


def test_looking_a_file_through_imports_nothing_and_running_twice_adds_nothing(hand_in, alba):
    brought = hand_in("Texto\nUno\nDos\n", starts=False)
    assert Post.objects.count() == 0
    exchange.start(brought=brought, by=alba, at=NOON)
    exchange.take_in(import_id=brought.pk, at=NOON)
    exchange.take_in(import_id=brought.pk, at=NOON)
    assert Post.objects.count() == 2


def test_an_import_that_was_interrupted_goes_on_where_it_stopped(hand_in, alba, monkeypatch):
    monkeypatch.setattr(exchange, "BATCH", 2)
    brought = hand_in("Texto\n" + "\n".join(f"Pan {n}" for n in range(7)), starts=False)
    exchange.start(brought=brought, by=alba, at=NOON)
    real, count = actions.create, iter(range(100))

    def failing(**said):
        if next(count) == 5:
            raise RuntimeError("power cut")
        return real(**said)

    monkeypatch.setattr(actions, "create", failing)
    with pytest.raises(RuntimeError):
        exchange.take_in(import_id=brought.pk, at=NOON)
    assert (Post.objects.count(), Import.objects.get().next_row) == (4, 4)
    exchange.take_in(import_id=brought.pk, at=NOON)
    assert (Post.objects.count(), Import.objects.get().added) == (7, 7)


def test_ten_thousand_rows_are_looked_through_with_a_bounded_number_of_statements(
    network, account_of, picture, brand, django_assert_max_num_queries
):
    account_of(name="Mastodon")
    days = [f"{'nunca' if number % 10 == 0 else '2026-12-01'};09:00;Mastodon;pan.png" for number in range(10_000)]
    rows = "\n".join(f"Pan {number};{rest}" for number, rest in enumerate(days))
    table = tables.read(f"Texto;Día;Hora;Cuentas;Imagen\n{rows}\n".encode())
    with django_assert_max_num_queries(40):
        found = exchange.check(table, brand=brand, schedules=True, at=NOON)
    assert [line for line, _why in found.problems] == list(range(2, 10_002, 10))
    assert (len(found.rows), found.known) == (10_000, frozenset())


def test_rows_are_scheduled_only_where_they_fit_and_by_who_may(network, account_of, hand_in, as_bruno, home):
    account_of(name="Mastodon")
    table = f"Texto;Cuentas;Día;Hora\nUno;Mastodon;2026-12-01;09:00\n{'n' * 301};Mastodon;2026-12-02;09:00\n"
    denied = as_bruno.post(f"{home}imports/", {"file": SimpleUploadedFile("a.csv", table.encode()), "schedules": "on"})
    assert denied.status_code == 403
    brought = hand_in(table, schedules="on")
    assert (brought.added, [line for line, _why in brought.problems]) == (1, [3])
    assert state(Post.objects.get()) == "scheduled"


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04\0\0", b"a;b\n1;2\n", b"Texto\n", b'Texto\n"abc', b"Texto;text\na;b"]
)
def test_a_file_that_can_not_be_read_says_why_and_leaves_everything(as_alba, home, content):
    answer = as_alba.post(f"{home}imports/", {"file": SimpleUploadedFile("plan.csv", content)})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert (Import.objects.count(), Post.objects.count()) == (0, 0)


def test_what_is_exported_can_be_imported_elsewhere(
    network, account_of, picture, as_alba, home, brand, alba, other_brand, carla
):
    texts = ["@candela: =1+1", "Y;\n«más»", "- pan"]
    post = actions.create(
        brand=brand, by=alba, at=NOON, title="-5 grados", versions={account_of(name="Tablón").pk: Wanted()},
        pieces=[Piece(text) for text in texts] + [Piece("+ info", "comment")],
    )  # fmt: skip
    actions.plan(post=post, wall=datetime(2026, 11, 30, 9, 30), zone="America/Santiago", by=alba, at=NOON)
    content = as_alba.get(f"{home}export/?since=2026-11-01&until=2026-11-30").content
    (line,) = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))
    assert line["Título"] == "'-5 grados"
    assert line["Estado"] == "borrador"
    account_of(of=other_brand, name="Tablón")
    brought = exchange.bring(brand=other_brand, name="x", content=content, schedules=False, by=carla, at=NOON)
    exchange.start(brought=brought, by=carla, at=NOON)
    exchange.take_in(import_id=brought.pk, at=NOON)
    copy = Post.objects.get(brand=other_brand)
    assert [part.text for part in copy.parts.order_by("number")] == [*texts, "+ info"]
    assert (copy.title, copy.wall, copy.zone, copy.publish_at) == (post.title, *_when(post))


def _when(post: Post):
    post.refresh_from_db()
    return post.wall, post.zone, post.publish_at


def test_files_are_forgotten_and_their_rows_are_not(hand_in):
    hand_in("Texto\nUno\n")
    exchange.forget_files(at=NOON + timedelta(days=15))
    assert Import.objects.count() == 0
    assert hand_in("Texto\nUno\n").added == 0


# The feed, read by a parser as strict as the standard.

_LINE = re.compile(r"(?P<name>[A-Z][A-Z0-9-]*)(?P<params>(?:;[A-Z-]+=[^;:,\"]+)*):(?P<value>.*)", re.DOTALL)
_MOMENT = re.compile(r"\d{8}T\d{6}Z")


def parsed(content: bytes) -> list[dict[str, str]]:
    """The events of a calendar; fails on whatever RFC 5545 doesn't allow."""
    assert content.endswith(b"\r\n")
    assert b"\n" not in content.replace(b"\r\n", b"")
    lines = content[:-2].split(b"\r\n")
    assert all(0 < len(line) <= 75 for line in lines)
    for line in lines:
        line.decode()  # no letter is cut in two
    unfolded = re.sub(r"\r\n[ \t]", "", content[:-2].decode()).split("\r\n")
    assert (unfolded[0], unfolded[-1]) == ("BEGIN:VCALENDAR", "END:VCALENDAR")
    events: list[dict[str, str]] = []
    inside = False
    for line in unfolded[1:-1]:
        found = _LINE.fullmatch(line)
        assert found, line
        assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f]", line), line
        if line == "BEGIN:VEVENT":
            assert not inside
            events.append({})
            inside = True
        elif line == "END:VEVENT":
            inside = False
        elif inside:
            assert found["name"] not in events[-1], "once in an event"
            events[-1][found["name"]] = found["value"]
            if found["name"] in {"SUMMARY", "DESCRIPTION", "LOCATION"}:
                assert re.fullmatch(r"(?:[^\\;,]|\\[\\;,n])*", found["value"]), line
    assert not inside
    for event in events:
        assert {"UID", "DTSTAMP", "DTSTART", "SUMMARY"} <= event.keys()
        assert _MOMENT.fullmatch(event["DTSTAMP"])
    assert len({event["UID"] for event in events}) == len(events)
    return events


def meant(value: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], value)


@pytest.fixture
def subscribed(as_alba, home):
    def subscribe() -> str:
        page = as_alba.post(f"{home}feed/").content.decode()
        return re.search(r"data-secret>https?://[^/]+(/calendar/[\w-]{43}\.ics)<", page)[1]

    return subscribe


def test_the_calendar_is_read_by_others_with_posts_and_actions(
    network, account_of, post_on, subscribed, client, brand, alba
):
    post_on(account_of(name="Mastodon; el nuestro"), texts=("Pan, «queso»; y\\vino\nmañana " + "🥖" * 80,))
    winter = actions.create(brand=brand, by=alba, at=NOON, pieces=[Piece("Verano")])
    actions.plan(post=winter, wall=datetime(2027, 7, 1, 9), by=alba, at=NOON)
    initiatives.add(
        brand=brand, by=alba, at=NOON, title="Feria, de pan", kind="fair", starts_on=date(2026, 12, 5),
        ends_on=date(2026, 12, 8), place="Recinto; ferial",
    )  # fmt: skip
    answer = client.get(subscribed())
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    bread, summer, fair = parsed(answer.content)
    assert bread["DTSTART"] == "20261123T120000Z"
    assert summer["DTSTART"] == "20270701T070000Z"
    assert (bread["STATUS"], summer["STATUS"]) == ("CONFIRMED", "TENTATIVE")
    assert "Mastodon; el nuestro" in meant(bread["DESCRIPTION"])
    assert meant(bread["DESCRIPTION"]).endswith("🥖" * 80)
    assert (fair["DTSTART"], fair["DTEND"], meant(fair["LOCATION"])) == ("20261205", "20261209", "Recinto; ferial")


def test_who_has_the_calendar_already_is_sent_nothing(subscribed, client, brand, alba):
    address = subscribed()
    mark = client.get(address)["ETag"]
    assert client.get(address)["ETag"] == mark
    again = client.get(address, HTTP_IF_NONE_MATCH=f'"x", W/{mark}')
    assert (again.status_code, again.content) == (304, b"")
    post = actions.create(brand=brand, by=alba, at=NOON, pieces=[Piece("Pan")])
    actions.plan(post=post, wall=datetime(2026, 12, 1, 9), by=alba, at=NOON)
    assert client.get(address, HTTP_IF_NONE_MATCH=mark).status_code == 200


def test_an_address_ends_with_its_owners_right_and_with_a_new_one(subscribed, client, alba, as_alba, home):
    first = subscribed()
    second = subscribed()
    assert (client.get(first).status_code, client.get(second).status_code) == (404, 200)
    assert second.split("/")[-1].removesuffix(".ics") not in Feed.objects.get().token_hash
    Membership.objects.filter(user=alba).delete()
    assert client.get(second).status_code == 404
    Membership.objects.create(user=alba, brand_id=Feed.objects.get().brand_id, role="reader", created_at=NOON)
    assert client.get(second).status_code == 200
    type(alba).objects.filter(pk=alba.pk).update(is_active=False)
    assert client.get(second).status_code == 404
    type(alba).objects.filter(pk=alba.pk).update(is_active=True)
    as_alba.post(f"{home}feed/removal/")
    assert client.get(second).status_code == 404


@given(st.text(max_size=200))
def test_any_text_survives_the_feed(text):
    line = f"SUMMARY:{feed._escaped(text)}"
    folded = [part.encode("utf-8", "surrogatepass") for part in feed._folded(line)]
    assert all(len(part) <= 75 for part in folded)
    whole = b"\r\n".join(folded).decode("utf-8", "surrogatepass").replace("\r\n ", "")
    kept = "".join(
        sign
        for sign in text.replace("\r\n", "\n").replace("\r", "\n")
        if sign in "\t\n" or sign >= " " and sign != "\x7f"
    )
    assert meant(whole.removeprefix("SUMMARY:")) == kept


# What happens outside.


def test_an_action_stands_on_each_of_its_days_until_it_is_removed(as_alba, as_bruno, home, alba):
    form = {
        "title": "Feria del pan", "kind": "fair", "starts_on": "2026-11-28", "ends_on": "2026-11-30",
        "place": "Madrid", "cost": "1200.50", "owner": alba.pk, "notes": "Llevar masa madre",
    }  # fmt: skip
    assert as_bruno.post(f"{home}actions/beginning/", form).status_code == 302
    one = Initiative.objects.get()
    month = as_alba.get(f"{home}?on=2026-11-01").content.decode()
    days = {
        day: month.split(f'data-day="{day}"')[1].split("</section>")[0]
        for day in ("2026-11-27", "2026-11-28", "2026-11-30", "2026-12-01")
    }
    assert ["Feria del pan" in text for text in days.values()] == [False, True, True, False]
    assert "Feria del pan" in as_alba.get(f"{home}?view=week&on=2026-11-30").content.decode()
    listed = as_alba.get(f"{home}?view=list&on=2026-11-29").content.decode()
    assert listed.count("Feria del pan") == 1
    as_alba.post(f"{home}actions/{one.pk}/completion/", {"result": "230 visitas"})
    one.refresh_from_db()
    assert (one.done_at, one.done_by_id, one.result) == (NOON, alba.pk, "230 visitas")
    as_alba.post(f"{home}actions/{one.pk}/removal/")
    assert "Feria del pan" not in as_alba.get(f"{home}?on=2026-11-01").content.decode()


@pytest.mark.parametrize(
    "wrong", [{"ends_on": "2026-11-01"}, {"title": ""}, {"kind": "x"}, {"cost": "-1"}, {"starts_on": "1850-01-01"}]
)
def test_an_action_that_can_not_be_is_asked_for_again(as_alba, home, wrong):
    form = {"title": "Feria", "kind": "fair", "starts_on": "2026-11-28", "ends_on": "2026-11-30", **wrong}
    assert as_alba.post(f"{home}actions/beginning/", form).status_code == 422
    assert Initiative.objects.count() == 0


def test_a_list_with_many_posts_shows_each_action_once(as_alba, home, brand, alba, monkeypatch):
    monkeypatch.setattr("tertulia.publishing.calendar.A_LIST", 2)
    for day in (24, 24, 26, 28, 30):
        post = actions.create(brand=brand, by=alba, at=NOON, pieces=[Piece("Pan")])
        actions.plan(post=post, wall=datetime(2026, 11, day, 9), by=alba, at=NOON)
    for day in (23, 24, 25, 27, 29):
        initiatives.add(
            brand=brand,
            by=alba,
            at=NOON,
            title=f"Feria {day}",
            starts_on=date(2026, 11, day),
            ends_on=date(2026, 11, 30),
        )
    address, seen = f"{home}?view=list&on=2026-11-24", []
    while address:
        page = as_alba.get(address)
        seen += [one.title for day in page.context["days"] for one in day.outside]
        address = page.context["later"]
    assert seen == [f"Feria {day}" for day in (23, 24, 25, 27, 29)]


def test_rows_under_a_rule_are_asked_for_instead_of_refused(account_of, hand_in, alba, bruno, brand):
    account_of(name="Mastodon")
    actions.save_rule(rule=ApprovalRule(brand=brand), steps=[{"users": [bruno]}], by=alba, at=NOON)
    brought = hand_in("Texto;Cuentas;Día;Hora\nPan;Mastodon;2026-11-24;09:00\n", schedules="on")
    assert (brought.added, brought.problems, state(Post.objects.get())) == (1, [], "approval")


def test_before_rows_are_scheduled_the_page_says_what_may_not_be_meant_so(
    account_of, hand_in, as_alba, alba, home, brand, picture
):
    account_of(name="Mastodon")
    library.describe(media=picture, by=alba, at=NOON)
    table = (
        f"Texto;Cuentas;Día;Hora;Imagen\nPan;Mastodon;2026-11-24;09:00;{picture.name}\n"
        "Bien;Mastodon;2026-11-24;10:00;\nMira http://horno ya;Mastodon;2026-11-24;11:00;\n"
    )
    assert hand_in(table, starts=False).notes == []
    brought = hand_in(table, starts=False, schedules="on")
    assert [note.partition(":")[0] for note in brought.notes] == ["Línea 2", "Línea 4"]
    page = as_alba.get(f"{home}imports/{brought.pk}/").content.decode()
    assert (picture.name in page, "http://horno" in page) == (True, True)


def test_of_a_long_file_only_the_first_rows_are_looked_at_and_it_says_so(account_of, hand_in, monkeypatch):
    monkeypatch.setattr(exchange, "MOST_LOOKED_AT", 2)
    monkeypatch.setattr(exchange, "MOST_WARNINGS", 1)
    account_of(name="Mastodon")
    rows = "".join(f"Mira http://horno{n};Mastodon;2026-11-24;11:00\n" for n in range(3))
    notes = hand_in(f"Texto;Cuentas;Día;Hora\n{rows}", starts=False, schedules="on").notes
    assert [note[:8] for note in notes] == ["Línea 2:", "y 1 más", "Estos av"]
