"""A real Matrix homeserver on 127.0.0.1: Synapse with SQLite, the cast as its users, two rooms.

Nothing outside is contacted: no federation, no key servers, no link previews. What it needs is installed once into a
folder under `$TERTULIA_LAB_DIR`; the data are made anew on every start.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .ground import LAB, Unavailable, alone, end, free_port, install, run

VERSION = "matrix-synapse==1.163.2"
NAME = "synapse"
HOME = LAB / NAME
PYTHON = HOME / "venv/bin/python"
REGISTRATION = "lab-registration-secret"
PEOPLE = {"horno": "Horno Candela", "diego": "Diego", "elena": "Elena", "trol": "xX_trol_Xx", "admin": "Administración"}

CONFIG = """
server_name: lab.test
public_baseurl: http://127.0.0.1:{port}/
pid_file: {data}/unused.pid
listeners:
  - port: {port}
    bind_addresses: ['127.0.0.1']
    tls: false
    type: http
    resources: [{{names: [client], compress: false}}]
database: {{name: sqlite3, args: {{database: {data}/homeserver.db}}}}
log_config: {data}/log.yaml
media_store_path: {data}/media
signing_key_path: {data}/signing.key
registration_shared_secret: {registration}
macaroon_secret_key: lab-macaroon-secret
form_secret: lab-form-secret
bcrypt_rounds: 4
enable_registration: false
report_stats: false
federation_domain_whitelist: []
trusted_key_servers: []
suppress_key_server_warning: true
url_preview_enabled: false
ip_range_whitelist: ['127.0.0.1']
allow_public_rooms_without_auth: true
room_list_publication_rules: [{{action: allow}}]
rc_message: {{per_second: 1000, burst_count: 1000}}
rc_registration: {{per_second: 1000, burst_count: 1000}}
rc_login:
  address: {{per_second: 1000, burst_count: 1000}}
  account: {{per_second: 1000, burst_count: 1000}}
  failed_attempts: {{per_second: 1000, burst_count: 1000}}
rc_admin_redaction: {{per_second: 1000, burst_count: 1000}}
rc_joins: {{local: {{per_second: 1000, burst_count: 1000}}, remote: {{per_second: 1000, burst_count: 1000}}}}
rc_joins_per_room: {{per_second: 1000, burst_count: 1000}}
rc_invites:
  per_room: {{per_second: 1000, burst_count: 1000}}
  per_user: {{per_second: 1000, burst_count: 1000}}
  per_issuer: {{per_second: 1000, burst_count: 1000}}
rc_room_creation: {{per_second: 1000, burst_count: 1000}}
rc_reports: {{per_second: 1000, burst_count: 1000}}
"""
LOGGING = """
version: 1
formatters: {{plain: {{format: '%(asctime)s %(levelname)s %(name)s %(message)s'}}}}
handlers: {{file: {{class: logging.FileHandler, formatter: plain, filename: '{data}/synapse.log', encoding: utf8}}}}
root: {{level: WARNING, handlers: [file]}}
disable_existing_loggers: false
"""


@dataclass
class Synapse:
    """The running server. `call` speaks for one of its people."""

    url: str
    tokens: dict[str, str] = field(default_factory=dict)
    rooms: dict[str, str] = field(default_factory=dict)

    def call(self, who: str, method: str, path: str, body: Any = None) -> dict[str, Any]:
        status, said = self.ask(who, method, path, body)
        assert status == 200, f"{method} {path}: {status} {said}"
        return said

    def ask(self, who: str, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        request.add_header("Content-Type", "application/json")
        if who:
            request.add_header("Authorization", f"Bearer {self.tokens[who]}")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"{}")

    def room(self, room: str) -> str:
        return f"/_matrix/client/v3/rooms/{quote(self.rooms.get(room, room), safe='')}"

    def say(self, who: str, room: str, content: Any, kind: str = "m.room.message") -> str:
        if isinstance(content, str):
            content = {"msgtype": "m.text", "body": content}
        id: str = self.call(who, "PUT", f"{self.room(room)}/send/{kind}/{uuid.uuid4().hex}", content)["event_id"]
        return id

    def correct(self, who: str, room: str, event: str, text: str) -> str:
        new = {"msgtype": "m.text", "body": text}
        relates = {"rel_type": "m.replace", "event_id": event}
        return self.say(who, room, {**new, "body": f"* {text}", "m.new_content": new, "m.relates_to": relates})

    def redact(self, who: str, room: str, event: str) -> None:
        self.call(who, "PUT", f"{self.room(room)}/redact/{quote(event, safe='')}/{uuid.uuid4().hex}", {})

    def event(self, who: str, room: str, event: str) -> dict[str, Any]:
        return self.call(who, "GET", f"{self.room(room)}/event/{quote(event, safe='')}")

    def begin_room(self, who: str, called: str, **said: Any) -> str:
        made: str = self.call(who, "POST", "/_matrix/client/v3/createRoom", said)["room_id"]
        self.rooms[called] = made
        return made

    def join(self, who: str, room: str) -> None:
        self.call(who, "POST", f"/_matrix/client/v3/join/{quote(self.rooms[room], safe='')}", {})


def user(name: str) -> str:
    return f"@{name}:lab.test"


def password(name: str) -> str:
    return f"{name}-clave-larga"


@contextmanager
def running() -> Iterator[Synapse]:
    """Started with fresh data. Raises `Unavailable`."""
    prepare()
    with alone(NAME):
        yield from _running()


def prepare() -> None:
    with alone(NAME):
        install(NAME, VERSION, _make)


def _running() -> Iterator[Synapse]:
    port = free_port()
    data = HOME / "data"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    (data / "homeserver.yaml").write_text(CONFIG.format(port=port, data=data, registration=REGISTRATION))
    (data / "log.yaml").write_text(LOGGING.format(data=data))
    command = [str(PYTHON), "-m", "synapse.app.homeserver", "-c", str(data / "homeserver.yaml")]
    # Its code lives in a virtual environment of its own and must not find the project's.
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "DJANGO"))}
    run([*command, "--generate-keys"], cwd=data, env=clean)
    with (data / "start.log").open("w") as log:
        process = subprocess.Popen(command, cwd=data, stdout=log, stderr=log, env=clean)
    try:
        server = Synapse(f"http://127.0.0.1:{port}")
        _wait_for(server, process, data / "start.log")
        _people(server)
        yield server
    finally:
        end(process)


def _make() -> None:
    run([sys.executable, "-m", "venv", "--clear", str(HOME / "venv")])
    run([str(PYTHON), "-m", "pip", "install", "-q", "-c", str(Path(__file__).with_name("synapse.txt")), VERSION])


def _wait_for(server: Synapse, process: subprocess.Popen[bytes], log: Path) -> None:
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up and process.poll() is None:
        try:
            server.ask("", "GET", "/_matrix/client/versions")
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise Unavailable(f"Synapse does not start: {log.read_text()[-300:]}")


def _people(server: Synapse) -> None:
    for name, shown in PEOPLE.items():
        nonce = server.call("", "GET", "/_synapse/admin/v1/register")["nonce"]
        role = "admin" if name == "admin" else "notadmin"
        mark = hmac.new(REGISTRATION.encode(), "\0".join([nonce, name, password(name), role]).encode(), hashlib.sha1)
        said = {"nonce": nonce, "username": name, "displayname": shown, "password": password(name)}
        said |= {"admin": role == "admin", "mac": mark.hexdigest()}
        server.tokens[name] = server.call("", "POST", "/_synapse/admin/v1/register", said)["access_token"]
    public = {"preset": "public_chat", "visibility": "public"}
    server.begin_room("horno", "plaza", name="Plaza del Horno", room_alias_name="plaza", **public)
    for name in ("diego", "elena", "trol"):
        server.join(name, "plaza")
