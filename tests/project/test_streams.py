"""Holding streams open: who may, how many, until when. What they carry is in test_news and test_live."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from tertulia.project import live, news
from tertulia.project.doors import Place


class Exchange:
    def __init__(self):
        self.status, self.sent = 0, b""

    def response_stream(self, status, headers):
        self.status = status
        return self

    def response_bytes(self, status, headers, body):
        self.status, self.sent = status, body

    async def send_bytes(self, data):
        self.sent += data


class Slow(Exchange):
    async def send_bytes(self, data):
        await asyncio.sleep(60)


class Scope:
    method, path, query_string = "GET", "/live/desk/horno-candela/", ""
    headers: dict[str, str] = {}


class Reader:
    """Finds the same bit of news at every look."""

    def look(self, threads, at):
        return news.News({7: b"event: activity\n\n"})


class Alba:
    may_listen = True


@pytest.fixture
def streams(monkeypatch) -> live.Streams:
    place = Place("desk", "user 1", 7, lambda at: Alba.may_listen)
    monkeypatch.setattr(live.doors, "knock", lambda *args: place)
    monkeypatch.setattr(live.news, "Reader", Reader)
    monkeypatch.setattr(live.news, "sign_of_life", lambda *args: None)
    monkeypatch.setattr(live, "_in_a_page_thread", lambda *args: None)
    monkeypatch.setattr(live, "RECHECK", 0.1)
    monkeypatch.setattr(live, "LOOK", 0.02)
    return live.Streams()


def run(streams, story):
    async def whole():
        with ThreadPoolExecutor(1) as pages:
            streams.open(asyncio.get_running_loop(), pages)
            return await asyncio.wait_for(story(), 5)

    return asyncio.run(whole())


def test_an_open_stream_ends_soon_after_its_right_to_listen(streams, monkeypatch):
    async def story():
        exchange = Exchange()
        held = asyncio.create_task(streams.answer(Scope, exchange))
        await asyncio.sleep(0.3)
        assert b"bye" not in exchange.sent
        monkeypatch.setattr(Alba, "may_listen", False)
        await held
        return exchange

    exchange = run(streams, story)
    assert exchange.status == 200
    assert exchange.sent.startswith(b"retry: 2000\nevent: hello\n")
    assert exchange.sent.endswith(b"event: bye\ndata: {}\n\n")


def test_a_mistake_while_looking_for_news_is_logged_and_the_next_look_goes_on(streams, monkeypatch, caplog):
    pause = asyncio.sleep
    monkeypatch.setattr(live.asyncio, "sleep", lambda seconds: pause(min(seconds, 0.02)))
    mistakes = [KeyError("oops")]

    class Stumbling(Reader):
        def look(self, threads, at):
            if mistakes:
                raise mistakes.pop()
            return super().look(threads, at)

    monkeypatch.setattr(live.news, "Reader", Stumbling)

    async def story():
        exchange = Exchange()
        held = asyncio.create_task(streams.answer(Scope, exchange))
        await pause(0.3)
        streams.close()
        await held
        return exchange

    assert b"event: activity" in run(streams, story).sent
    assert "oops" in caplog.text


def test_nobody_holds_more_streams_than_allowed(streams, monkeypatch):
    monkeypatch.setattr(live, "MOST_EACH", {"desk": 2, "site": 1})

    async def story():
        exchanges = [Exchange() for _ in range(3)]
        held = [asyncio.create_task(streams.answer(Scope, each)) for each in exchanges]
        await asyncio.sleep(0.2)
        streams.close()
        await asyncio.gather(*held)
        return [each.status for each in exchanges]

    assert sorted(run(streams, story)) == [200, 200, 429]


def test_a_reader_who_does_not_read_is_let_go(streams, monkeypatch):
    monkeypatch.setattr(live, "BACKLOG", 5)

    async def story():
        held = asyncio.create_task(streams.answer(Scope, Slow()))
        await asyncio.sleep(0.5)
        (stream,) = streams._streams
        held.cancel()
        return stream

    stream = run(streams, story)
    assert not stream.is_open
    assert stream.queue.qsize() <= 5


def test_only_get_is_answered(streams):
    class Post(Scope):
        method = "POST"

    exchange = Exchange()
    run(streams, lambda: streams.answer(Post, exchange))
    assert exchange.status == 405
