"""Live streams of a running installation, read as a browser reads them."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager

import pytest

from .conftest import Installation, wait_for

CAST = """
from importlib import import_module
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from tertulia.core import clock
from tertulia.brand.models import Brand
from tertulia.channels import actions as channels
from tertulia.team.models import Membership, User
at, answer = clock.now(), {}
for who, slug in (("alba", "horno-candela"), ("carla", "ferreteria-ruiz")):
    brand = Brand.objects.create(name=slug, slug=slug, created_at=at)
    user = User.objects.create_user(f"{who}@{slug}.example", "x", name=who.capitalize())
    Membership.objects.create(user=user, brand=brand, role="manager", created_at=at)
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY], session[BACKEND_SESSION_KEY] = str(user.pk), settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    site = channels.connect(brand=brand, kind="site", name="web", at=at)
    token = site.connector.welcome(site, "", at).token
    answer[who] = {"brand": brand.pk, "session": session.session_key, "site": site.public_key, "visitor": token,
                   "account": site.pk}
"""
HAPPEN = """
from tertulia.core.models import Activity
from tertulia.core import clock
answer = Activity.objects.create(brand_id={brand}, type="note.added", on_kind="inbox.conversation", on_id=7, by_id=1,
                                 at=clock.now(), data={{}}).pk
"""
ANSWER = """
from tertulia.channels.models import Account
from tertulia.connectors.contract import Author, Envelope
from tertulia.core import clock
from tertulia.flows import inbound, visitors
account = Account.objects.get(pk={account})
thread = visitors.recognise(account, "{visitor}")
at = clock.now()
inbound.intake(account, [Envelope(remote_id="{text}", thread_id=thread, sent_at=at, author=Author(remote_id=thread),
                                  kind="chat", text="{text}")], at=at)
answer = None
"""


@pytest.fixture(scope="module")
def desk(installation) -> Installation:
    installation.tertulia("setup")
    installation.cast = installation.ask(CAST)
    said = installation.start()
    assert "Ctrl+C" in said, said
    return installation


@asynccontextmanager
async def stream(desk, path: str, who: str = "", headers: str = ""):
    """Yields the status line and a function that reads the next event."""
    reader, writer = await asyncio.open_connection("127.0.0.1", desk.port)
    cookie = f"Cookie: session={desk.cast[who]['session']}\r\n" if who else ""
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost:{desk.port}\r\n{cookie}{headers}\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode()

    async def following(seconds: float = 5) -> tuple[str, dict]:
        """The next event that is no beat."""
        async with asyncio.timeout(seconds):
            while True:
                name, data = "", "{}"
                while (line := (await reader.readline()).decode().strip()) or not name:
                    if reader.at_eof():
                        return "end", {}
                    key, _, value = line.partition(": ")
                    name, data = (value if key == "event" else name), (value if key == "data" else data)
                if name not in {"beat", "hello"}:
                    return name, json.loads(data)

    try:
        yield head.splitlines()[0].split()[1], following
    finally:
        writer.close()


def test_every_one_of_many_readers_hears_within_a_second(desk):
    async def story():
        streams = [stream(desk, "/live/desk/horno-candela/", "alba") for _ in range(30)]
        opened = [await each.__aenter__() for each in streams]
        await asyncio.sleep(0.5)
        began = time.monotonic()
        id = await asyncio.to_thread(desk.ask, HAPPEN.format(brand=desk.cast["alba"]["brand"]))
        heard = await asyncio.gather(*(following() for status, following in opened if status == "200"))
        took = time.monotonic() - began
        for each in streams:
            await each.__aexit__(None, None, None)
        return id, heard, took

    id, heard, took = asyncio.run(story())
    assert len(heard) >= 20
    assert {json.dumps(each) for each in heard} == {
        json.dumps(
            ["activity", {"id": id, "type": "note.added", "kind": "inbox.conversation", "on": 7, "by": 1, "data": {}}]
        )
    }
    assert took < 1


def test_nothing_of_another_brand_is_heard(desk):
    async def story():
        async with stream(desk, "/live/desk/ferreteria-ruiz/", "carla") as (_, following):
            await asyncio.sleep(0.5)
            await asyncio.to_thread(desk.ask, HAPPEN.format(brand=desk.cast["alba"]["brand"]))
            own = await asyncio.to_thread(desk.ask, HAPPEN.format(brand=desk.cast["carla"]["brand"]))
            return own, await following()

    own, (name, data) = asyncio.run(story())
    assert (name, data["id"]) == ("activity", own)


@pytest.mark.parametrize(
    ("path", "who", "status"),
    [
        ("/live/desk/horno-candela/", "", "401"),
        ("/live/desk/horno-candela/", "carla", "404"),
        ("/live/desk/nowhere/", "alba", "404"),
        ("/live/elsewhere/", "alba", "404"),
        ("/live/site/nobody/?visitor=x", "", "404"),
        ("/live/site/SITE/?visitor=forged.token", "", "401"),
    ],
)
def test_strangers_stay_outside(desk, path, who, status):
    async def story():
        async with stream(desk, path.replace("SITE", desk.cast["alba"]["site"]), who) as (answered, _):
            return answered

    assert asyncio.run(story()) == status


def test_a_page_of_another_origin_may_not_use_the_chat(desk):
    cast = desk.cast["alba"]

    async def story():
        path = f"/live/site/{cast['site']}/?visitor={cast['visitor']}"
        async with stream(desk, path, headers="Origin: https://evil.example\r\n") as (status, _):
            return status

    assert asyncio.run(story()) == "403"


def test_a_visitor_hears_their_own_thread_and_no_other(desk):
    cast, other = desk.cast["alba"], desk.cast["carla"]

    async def story():
        async with stream(desk, f"/live/site/{cast['site']}/?visitor={cast['visitor']}") as (status, following):
            await asyncio.sleep(0.5)
            for each, text in ((other, "de otra marca"), (cast, "hola")):
                asked = ANSWER.format(account=each["account"], visitor=each["visitor"], text=text)
                await asyncio.to_thread(desk.ask, asked)
            return status, await following()

    status, (name, data) = asyncio.run(story())
    assert (status, name, data["text"], data["from"]) == ("200", "message", "hola", "visitor")


def test_what_was_missed_is_told_on_the_way_back(desk):
    brand = desk.cast["alba"]["brand"]
    first, second, third = (desk.ask(HAPPEN.format(brand=brand)) for _ in range(3))

    async def story():
        async with stream(desk, "/live/desk/horno-candela/", "alba", f"Last-Event-ID: {first}\r\n") as (_, following):
            heard = []  # what has only just happened may come as news as well, a second time
            while third not in heard:
                heard.append((await following())[1]["id"])
            return heard

    assert {second, third} <= set(asyncio.run(story())) <= {first, second, third}


def test_somebody_at_the_desk_shows_within_seconds(desk):
    name = f"desk:{desk.cast['carla']['brand']}"
    asked = f"from tertulia.core.models import Heartbeat\nanswer = Heartbeat.objects.filter(name='{name}').exists()"

    async def story():
        async with stream(desk, "/live/desk/ferreteria-ruiz/", "carla"):
            await asyncio.to_thread(wait_for, lambda: desk.ask(asked), 5)

    asyncio.run(story())


def test_open_streams_do_not_hold_up_the_end(desk):
    async def story():
        async with stream(desk, "/live/desk/horno-candela/", "alba") as (_, following):
            took = await asyncio.to_thread(desk.stop)
            return took, await following()

    took, (name, _) = asyncio.run(story())
    assert name == "end"
    assert took < 10
