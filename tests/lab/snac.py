"""Two real fediverse servers on 127.0.0.1 that deliver to each other: snac, tienda.test and otro.test.

They are Debian's package, unpacked (not installed) below the lab's folder. A relay stands for names and the network: it
carries what one writes to the other, lets nothing out of the machine, and shows http://tienda.test to programs as an
address of 127.0.0.1.
"""

from __future__ import annotations

import http.client
import json
import re
import shutil
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tertulia.connectors.mastodon.connector import Mastodon
from tertulia.core.http import Door

from .ground import LAB, Unavailable, alone, end, free_port, install, listens, run, start, wait_for
from .mastodon_api import Lab, sent_to

SUITE, VERSION = "trixie-backports", "2.96-1~bpo13+1"
NAME = "snac"
HOME = LAB / NAME
SNAC = HOME / "root/usr/bin/snac"
SITES = {"tienda.test": ["tienda", "ana"], "otro.test": ["carmen", "trol"]}


@contextmanager
def running() -> Iterator[Lab]:
    """Both servers, started anew and empty. Raises `Unavailable`."""
    prepare()
    with alone(NAME):
        yield from _running()


def prepare() -> None:
    with alone(NAME):
        install(NAME, VERSION, _unpack)


def _running() -> Iterator[Lab]:
    backs, fronts = ({name: free_port() for name in SITES} for _ in range(2))
    relay, opened, processes = free_port(), [], []
    passwords: dict[str, str] = {}
    shutil.rmtree(HOME / "sites", ignore_errors=True)
    (HOME / "sites").mkdir()
    try:
        for name, people in SITES.items():
            passwords |= _found(name, backs[name], people)
        opened.append(_serve(relay, partial(_between, backs)))
        for name in SITES:
            opened.append(_serve(fronts[name], partial(_front, name, backs[name], fronts)))
            through = {"http_proxy": f"http://127.0.0.1:{relay}", "https_proxy": f"http://127.0.0.1:{relay}"}
            command = [str(SNAC), "httpd", str(HOME / "sites" / name)]
            log = HOME / "sites" / f"{name}.log"
            processes.append(start(command, log, no_proxy="", USER=f"lab-{backs[name]}", **through))
            wait_for(partial(listens, backs[name]), 20, name)
        urls = {name: f"http://127.0.0.1:{port}" for name, port in fronts.items()}
        lab = Lab(
            "snac",
            urls["tienda.test"],
            "@tienda@tienda.test",
            partial(_sign_in, passwords),
            homes={person: urls[name] for name, people in SITES.items() for person in people},
            lacks={
                "one key makes one answer": "snac knows no keys: after silence a person decides",
                "one key makes one post": "snac knows no keys: after silence a person decides",
                "held back by the server's policy, and read": "snac has no notification policy",
                "told at once": "snac has no streaming",
                "report": "snac takes no reports",
                "mute": "snac has no muting",
            },
            seconds=30,
        )
        lab.tokens = {person: _token(lab, person) for person in passwords}
        yield lab
    finally:
        for process in processes:
            end(process)
        for server in opened:
            server.shutdown()
            server.server_close()


def _unpack() -> None:
    """The mirror this machine already uses, with folders of apt's own, so that nothing of the system changes."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise Unavailable("apt-get and dpkg-deb are needed (Debian)")
    apt = HOME / "apt"
    for folder in ("lists/partial", "cache/archives/partial", "parts"):
        (apt / folder).mkdir(parents=True, exist_ok=True)
    targets = run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(ORIGIN) $(LABEL)", "Created-By: Packages"])
    mirrors = [line.split()[0] for line in targets.splitlines() if line.split()[1:] == ["Debian", "Debian"]]
    if not mirrors:
        raise Unavailable("no Debian mirror is known here (apt-get update)")
    signed = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
    (apt / "sources.list").write_text(f"deb {signed} {mirrors[0]} {SUITE} main\n")
    own = {
        "Dir::Etc::SourceList": apt / "sources.list",
        "Dir::Etc::SourceParts": apt / "parts",
        "Dir::State::Lists": apt / "lists",
        "Dir::Cache": apt / "cache",
        "APT::Sandbox::User": "root",
    }
    options = [part for name, value in own.items() for part in ("-o", f"{name}={value}")]
    run(["apt-get", "-qq", *options, "update"])
    run(["apt-get", "-qq", *options, "download", f"snac2={VERSION}"], cwd=apt)
    for deb in apt.glob("snac2_*.deb"):
        run(["dpkg-deb", "-x", str(deb), str(HOME / "root")])
    if "not found" in run(["ldd", str(SNAC)]):
        raise Unavailable("snac needs libcurl4 (apt-get install libcurl4)")


def _found(name: str, port: int, people: list[str]) -> dict[str, str]:
    """A new site with its people, and the passwords snac chose."""
    site = HOME / "sites" / name
    run([str(SNAC), "init", str(site)], f"127.0.0.1\n{port}\n{name}\n\nadmin@{name}\n")
    settings = json.loads((site / "server.json").read_text())
    settings |= {"protocol": "http", "address": "127.0.0.1", "port": port, "disable_email_notifications": True}
    (site / "server.json").write_text(json.dumps(settings))
    said = {person: run([str(SNAC), "adduser", str(site), person]) for person in people}
    for person in people:  # otherwise it tells nobody how many follow them, and says zero
        file = site / "user" / person / "user.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | {"show_contact_metrics": True}))
    found = {person: re.search(r"^User password is (\S+)", text, re.MULTILINE) for person, text in said.items()}
    return {person: match[1] for person, match in found.items() if match}


# What stands for names and the network.


def _serve(port: int, carry: Any) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {k: v for k, v in self.headers.items() if k.lower() not in {"content-length", "connection"}}
            status, said, body = carry(self.command, self.path, headers, body)
            self.send_response(status)
            for header, value in said.items():
                if header.lower() not in {"content-length", "connection", "transfer-encoding", "server", "date"}:
                    self.send_header(header, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_PUT = do_DELETE = do_PATCH = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return server


Said = tuple[int, dict[str, str], bytes]


def _ask(port: int, method: str, path: str, headers: dict[str, str], body: bytes) -> Said:
    caller = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        caller.request(method, path, body, headers)
        answer = caller.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        caller.close()


def _between(backs: dict[str, int], method: str, path: str, headers: dict[str, str], body: bytes) -> Said:
    """From one server to the other, and to nobody else."""
    address = urllib.parse.urlsplit(path)
    if address.hostname not in backs:
        return 502, {"Content-Type": "text/plain"}, b"not in this lab\n"
    inner = address.path + (f"?{address.query}" if address.query else "")
    return _ask(backs[address.hostname], method, inner, {**headers, "Host": address.hostname}, body)


def _front(
    name: str, back: int, fronts: dict[str, int], method: str, path: str, headers: dict[str, str], body: bytes
) -> Said:
    """What programs see: the same, with addresses that lead somewhere."""
    inward = {f"http://127.0.0.1:{port}": f"http://{site}" for site, port in fronts.items()}
    for ours, theirs in inward.items():
        body = body.replace(ours.encode(), theirs.encode())
    status, said, body = _ask(back, method, path, {**headers, "Host": name}, body)
    for ours, theirs in inward.items():
        said = {header: value.replace(theirs, ours) for header, value in said.items()}
        body = body.replace(theirs.encode(), ours.encode())
    return status, said, body


# Signing in, as people do.


class _Form(HTMLParser):
    """The first form of a page: where it goes and what it already holds."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action, self.fields = "", dict[str, str]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = self.action or said["action"]
        elif tag == "input" and said.get("name"):
            self.fields.setdefault(said["name"], said.get("value", ""))


def _sign_in(passwords: dict[str, str], url: str, who: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        form = _Form(answer.read().decode())
    said = {**form.fields, "login": who, "passwd": passwords[who]}
    action = urllib.parse.urljoin(url, form.action)
    return sent_to(urllib.request.Request(action, urllib.parse.urlencode(said).encode()))


def _token(lab: Lab, who: str) -> str:
    """People's own programs sign in as ours does."""
    back, connector = "http://127.0.0.1:9/back", Mastodon(Door())
    here: Any = type("Here", (), {"id": 1, "settings": {"server": lab.homes[who]}, "secrets": {}})()
    consent = connector.begin_consent(here, back, "state")
    code = urllib.parse.parse_qs(urllib.parse.urlsplit(lab.sign_in(consent.url, who)).query)["code"][0]
    return connector.finish_consent(here, back, consent.kept, code).secrets["token"]
