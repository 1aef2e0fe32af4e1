"""A stand-in for Mastodon 4.6 on 127.0.0.1: mastodon_mock from PyPI, with a database of its own for each start."""

from __future__ import annotations

import shutil
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .ground import LAB, Unavailable, alone, end, free_port, install, listens, run, start, wait_for
from .mastodon_api import Lab, sent_to

VERSION = "mastodon_mock==0.6.1"
NAME = "mastodon_mock"
HOME = LAB / NAME
PROGRAM = HOME / "venv/bin/mastodon_mock"
PEOPLE = {"tienda": "", "ana": "", "luis": "", "trol": "", "carmen": "otro.test"}

CONFIG = """
[server]
host = "127.0.0.1"
port = {port}
[database]
path = "{home}/data.sqlite"
[streaming]
heartbeat_seconds = 1
"""
ACCOUNT = (
    '[[seed.accounts]]\nusername = "{name}"\ndisplay_name = "{name}"\nrole = "user"\naccess_token = "{name}-token"\n'
)


@contextmanager
def running() -> Iterator[Lab]:
    """The server, started anew and empty. Raises `Unavailable`."""
    prepare()
    with alone(NAME):
        yield from _running()


def prepare() -> None:
    with alone(NAME):
        install(NAME, VERSION, _make)


def _running() -> Iterator[Lab]:
    port = free_port()
    (HOME / "data.sqlite").unlink(missing_ok=True)
    accounts = [ACCOUNT.format(name=name) + (f'domain = "{home}"\n' if home else "") for name, home in PEOPLE.items()]
    (HOME / "server.toml").write_text(CONFIG.format(port=port, home=HOME) + "".join(accounts))
    said = ["--config", str(HOME / "server.toml"), "--domain", f"127.0.0.1:{port}", "--log-level", "warning"]
    process = start([str(PROGRAM), "serve", *said], HOME / "server.log")
    try:
        wait_for(lambda: listens(port) or process.poll() is not None, 60, "mastodon_mock")
        if process.poll() is not None:
            raise Unavailable(f"mastodon_mock ends at once; see {HOME / 'server.log'}")
        yield Lab(
            "mastodon_mock",
            f"http://127.0.0.1:{port}",
            "@tienda",
            _sign_in,
            tokens={name: f"{name}-token" for name in PEOPLE},
            lacks={
                "a blocked person stays out": "mastodon_mock lets them write on",
                "a poll": "mastodon_mock reads polls in JSON alone, and not in a form as Mastodon documents them",
                "a poll's votes, of here and of another server, counted": "mastodon_mock took no poll",
            },
        )
    finally:
        end(process)


def _make() -> None:
    shutil.rmtree(HOME / "venv", ignore_errors=True)
    run([sys.executable, "-m", "venv", str(HOME / "venv")])
    pinned = Path(__file__).with_name("mastodon_mock.txt")
    run([str(HOME / "venv/bin/pip"), "install", "-q", "--disable-pip-version-check", "-c", str(pinned), VERSION])


def _sign_in(url: str, who: str) -> str:
    """It asks for no password: one chooses who one is."""
    page = urllib.parse.urlsplit(url)
    asked = dict(urllib.parse.parse_qsl(page.query))
    form = urllib.parse.urlencode({**asked, "username": who}).encode()
    return sent_to(urllib.request.Request(f"{page.scheme}://{page.netloc}{page.path}", form))
