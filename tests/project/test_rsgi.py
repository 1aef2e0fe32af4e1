"""From the web server to Django and back."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pytest

from tertulia.project import rsgi


class Scope:
    proto, http_version, scheme, method = "http", "1.1", "http", "POST"
    server, client, authority = "127.0.0.1:8000", "[::1]:40000", None
    path, query_string = "/señal/", "q=1"

    def __init__(self, *headers):
        self._headers = list(headers)
        self.headers = self

    def items(self):
        return self._headers

    def get(self, name):
        return dict(self._headers).get(name)


class Exchange:
    def __init__(self, *chunks: bytes):
        self.chunks, self.status, self.body = chunks, 0, b""

    async def __aiter__(self):
        for chunk in self.chunks:
            yield chunk

    def response_bytes(self, status, headers, body):
        self.status, self.headers, self.body = status, dict(headers), body

    def response_stream(self, status, headers):
        self.status = status
        return self

    async def send_bytes(self, data):
        self.body += data


class Answer(list):
    streaming = False

    def close(self):
        pass


def call(scope, exchange, page):
    desk = rsgi.Desk(page, None, threads=1)
    with ThreadPoolExecutor(1) as desk._pool:
        asyncio.run(desk.__rsgi__(scope, exchange))
    return exchange


def test_the_environment_is_what_wsgi_wants():
    body = BytesIO(b"a=1")
    given = rsgi.environ(
        Scope(("host", "desk.example"), ("cookie", "a=1"), ("cookie", "b=2"), ("content-type", "text/plain")), body
    )

    assert given["PATH_INFO"].encode("latin-1").decode() == "/señal/"
    assert (given["REMOTE_ADDR"], given["SERVER_NAME"], given["SERVER_PORT"]) == ("::1", "127.0.0.1", "8000")
    assert (given["HTTP_HOST"], given["HTTP_COOKIE"]) == ("desk.example", "a=1; b=2")
    assert (given["CONTENT_TYPE"], given["CONTENT_LENGTH"], given["wsgi.input"].read()) == ("text/plain", "3", b"a=1")


def test_a_header_with_an_underscore_passes_for_no_other():
    given = rsgi.environ(Scope(("x_forwarded_proto", "https"), ("x-forwarded-proto", "http")), BytesIO())
    assert given["HTTP_X_FORWARDED_PROTO"] == "http"


def test_a_body_in_pieces_arrives_whole():
    def page(environ, start):
        start("200 OK", [])
        return Answer([environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))])

    assert call(Scope(), Exchange(b"uno ", b"dos"), page).body == b"uno dos"


def test_a_long_body_waits_in_the_data_folder_for_tmp_may_be_memory(settings):
    def page(environ, start):
        start("200 OK", [])
        return Answer([os.readlink(f"/proc/self/fd/{environ['wsgi.input'].fileno()}").encode()])

    place = call(Scope(), Exchange(b"x" * (rsgi.IN_MEMORY + 1)), page).body.decode()

    assert place.startswith(f"{settings.HOME}/tmp/")
    assert settings.HOME / "tmp" == settings.FILE_UPLOAD_TEMP_DIR  # where Django puts what a form brings


def test_where_little_room_is_left_only_short_bodies_are_taken(monkeypatch):
    def page(environ, start):
        start("200 OK", [])
        return Answer([])

    monkeypatch.setattr(rsgi, "KEPT_FREE", 1 << 60)
    assert call(Scope(), Exchange(b"x" * rsgi.IN_MEMORY), page).status == 200
    assert call(Scope(), Exchange(b"x" * (rsgi.IN_MEMORY + 1)), None).status == 503


@pytest.mark.parametrize("headers", [[("content-length", str(rsgi.MAX_BODY + 1))], []])
def test_a_body_without_end_is_refused(headers, monkeypatch):
    monkeypatch.setattr(rsgi, "MAX_BODY", 1000)
    exchange = call(Scope(*headers), Exchange(*[b"x" * 600] * 2), None)
    assert exchange.status == 413


def test_only_a_form_of_the_teams_pages_may_bring_a_film(monkeypatch, settings):
    settings.LARGEST_FILM = 5_000
    monkeypatch.setattr(rsgi, "MAX_BODY", 1000)

    def page(environ, start):
        start("200 OK", [])
        return Answer([environ["CONTENT_LENGTH"].encode()])

    form, cookie = ("content-type", "multipart/form-data; boundary=x"), ("cookie", "sessionid=1")
    for headers, path, status in [
        ([form, cookie], "/b/horno/media/", 200), ([form, cookie], "/visitors/", 413), ([form], "/b/horno/media/", 413),
        ([("content-type", "application/json"), cookie], "/b/horno/media/", 413),
        ([form, cookie, ("content-length", "6001")], "/b/horno/media/", 413),
    ]:  # fmt: skip
        scope = Scope(*headers)
        scope.path = path
        exchange = call(scope, Exchange(*[b"x" * 600] * 9), page)
        assert exchange.status == status, (headers, path)


def test_a_body_that_never_comes_is_given_up(monkeypatch):
    monkeypatch.setattr(rsgi, "READING_SECONDS", 0.05)

    class Silent(Exchange):
        async def __aiter__(self):
            await asyncio.sleep(5)
            yield b""

    assert call(Scope(), Silent(), None).status == 408


def test_a_long_answer_leaves_in_pieces():
    class Long(Answer):
        streaming = True

    def page(environ, start):
        start("200 OK", [("Content-Length", str(rsgi.WHOLE * 2))])
        return Long([b"a" * rsgi.WHOLE, b"b" * rsgi.WHOLE])

    assert len(call(Scope(), Exchange(), page).body) == rsgi.WHOLE * 2


def test_a_long_answer_whose_reader_has_left_is_closed_with_its_request():
    closed, bodies = [], []

    class Long(Answer):
        streaming = True

        def close(self):
            closed.append(self)

    class Left(Exchange):
        def response_stream(self, status, headers):
            raise RuntimeError("gone")

    def page(environ, start):
        bodies.append(environ["wsgi.input"])
        start("200 OK", [("Content-Length", str(rsgi.WHOLE))])
        return Long([b"a" * rsgi.WHOLE])

    with pytest.raises(RuntimeError, match="gone"):
        call(Scope(), Left(), page)
    assert (len(closed), bodies[0].closed) == (1, True)


def test_an_accident_outside_of_django_is_an_answer(caplog):
    def page(environ, start):
        raise RuntimeError("boom")

    assert call(Scope(), Exchange(), page).status == 500
    assert "boom" in caplog.text


def test_answers_that_django_does_not_give_carry_the_headers_too(settings):
    settings.SECURE_HSTS_SECONDS, settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = 31_536_000, True
    exchange = Exchange()
    rsgi.plain(exchange, 413, "Too much")
    assert exchange.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
    assert exchange.headers["content-security-policy"].startswith("default-src 'none'")
    assert (exchange.headers["cache-control"], exchange.headers["x-content-type-options"]) == ("no-store", "nosniff")
