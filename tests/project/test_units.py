"""The units of deploy/ under a real systemd, installed by the lines of docs/running.md on a Debian of their own.

TERTULIA_TEST_UNITS names a folder for that Debian, which is made there the first time; five minutes. Needs root,
debootstrap and systemd-nspawn. It shares the network with this machine, whose Redis and PostgreSQL it uses where the
environment names them.
"""

from __future__ import annotations

import io
import os
import re
import secrets
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from http.cookiejar import CookieJar
from pathlib import Path
from shutil import which
from urllib.parse import urlencode, urlsplit

import pytest
from PIL import Image

from fakes.mail import DIEGO, Post, settings_of
from fakes.mail import PASSWORD as BOX_PASSWORD
from fakes.mail import running as listening

from .conftest import free_port, wait_for

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNITS = ("tertulia.service", "tertulia-web.service", "tertulia-work@.service")
WORKERS = ("tertulia-work@1", "tertulia-work@2")
RUN = ("tertulia", "tertulia-web", *WORKERS)
BROKER = os.environ.get("TERTULIA_TEST_BROKER_URL", "")
FOLDER = os.environ.get("TERTULIA_TEST_UNITS", "")
NEEDS = ("debootstrap", "systemd-nspawn", "nsenter")
RELEASE = "bookworm"
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
PASSWORD = "un café con leche largo"
TERTULIA = "/var/lib/tertulia/venv/bin/tertulia"

pytestmark = [
    pytest.mark.skipif(not FOLDER, reason="TERTULIA_TEST_UNITS names no folder for a Debian with systemd"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root boots a container"),
    pytest.mark.skipif(not all(map(which, NEEDS)), reason=f"not all of {', '.join(NEEDS)} are installed"),
]


class Machine:
    """A Debian that was booted; commands are run in it as root."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.start()

    def start(self) -> None:
        command = ["systemd-nspawn", "--register=no", "--keep-unit", "--boot", "--machine=tertulia", "--directory"]
        with (self.root.parent / "console").open("a") as log:
            self._process = subprocess.Popen([*command, self.root], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            self._boots()
        except AssertionError:
            self.power_off()
            raise

    def _boots(self) -> None:
        """Whoever stands below the container's own process at first is not yet the one that boots."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")

        def is_up() -> bool:
            self._first = children.read_text().strip()
            return self.run("systemctl", "is-system-running").stdout.strip() in {"running", "degraded"}

        wait_for(is_up, 90)

    def run(self, *command: str, check: bool = False) -> subprocess.CompletedProcess[str]:
        inside = ["nsenter", "--target", self._first, "--mount", "--uts", "--ipc", "--pid", "--root", "--wd", *command]
        return subprocess.run(inside, capture_output=True, text=True, check=check, timeout=300)

    def systemctl(self, *words: str) -> float:
        """Returns the seconds it took."""
        began = time.monotonic()
        done = self.run("systemctl", *words)
        assert done.returncode == 0, done.stderr + self.journal()
        return time.monotonic() - began

    def shown(self, unit: str, *names: str) -> list[str]:
        said = self.run("systemctl", "show", unit, *(f"--property={name}" for name in names)).stdout
        found = dict(line.split("=", 1) for line in said.splitlines())
        return [found[name] for name in names]

    def journal(self) -> str:
        return self.run("journalctl", "--no-pager", "--output=cat", "--lines=300").stdout

    def inside(self, *command: str, unit: str = "tertulia.service") -> subprocess.CompletedProcess[str]:
        """A command with the settings, the user and all the limits of a unit, as docs/running.md does it."""
        service = (DEPLOY / unit).read_text().partition("[Service]")[2].partition("[Install]")[0]
        limits = re.findall(r"^(?!Exec|Restart|Timeout|Kill|OOM)\w+=.*", service, re.MULTILINE)
        given = [f"--property={each}" for each in limits]
        return self.run("systemd-run", "--pipe", "--wait", "--quiet", *given, *command)

    def set(self, lines: Mapping[str, str]) -> None:
        file = self.root / "etc" / "tertulia.env"
        file.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
        file.chmod(0o600)

    def power_off(self) -> None:
        self.run("systemctl", "poweroff")
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise


def install(root: Path) -> None:
    """The lines of docs/running.md. The packages stay there for the next time."""
    inside, given = ["chroot", str(root)], root / "srv"
    wheel = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*wheel, "--no-build-isolation", "--wheel-dir", given, ROOT], check=True)
    shutil.copy(ROOT / "requirements.txt", given)
    shutil.copy(AUTHORITIES, root / AUTHORITIES[1:])  # whom this machine trusts, the way to the packages may need
    if not (root / "var/lib/tertulia").exists():
        user = ["useradd", "--system", "--create-home", "--home-dir", "/var/lib/tertulia", "tertulia"]
        subprocess.run([*inside, *user], check=True)
    pip = "venv/bin/pip install --quiet --disable-pip-version-check"
    for line in (
        "python3 -m venv venv",
        f"{pip} --require-hashes --only-binary :all: -r /srv/requirements.txt",
        f"{pip} --no-deps --force-reinstall /srv/tertulia-*.whl",
    ):
        as_user = ["runuser", "-u", "tertulia", "--", "sh", "-c", f"cd /var/lib/tertulia && {line}"]
        subprocess.run([*inside, *as_user], check=True)
    for unit in UNITS:
        shutil.copy(DEPLOY / unit, root / "etc/systemd/system" / unit)


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    folder = Path(FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    root = folder / RELEASE
    if not (root / "sbin" / "init").exists():
        packages = "systemd,systemd-sysv,dbus,python3-venv,ca-certificates"
        subprocess.run(["debootstrap", "--variant=minbase", f"--include={packages}", RELEASE, root], check=True)
    install(root)
    here = Machine(root)
    yield here
    here.power_off()


@pytest.fixture(scope="module")
def post() -> Iterator[Post]:
    """Takes the mails that the desk sends."""
    with listening(Post()) as post:
        yield post


@pytest.fixture
def setting(machine, post) -> Iterator[dict[str, str]]:
    """What /etc/tertulia.env says, in the place of its example; nothing runs yet, and there is no data folder."""
    machine.run("systemctl", "disable", "--now", *RUN)  # what a run left that was cut short
    machine.run("rm", "-rf", "/var/lib/tertulia/data")
    port = free_port()
    mail = urlsplit(post.url)
    yield {
        "TERTULIA_HOME": "/var/lib/tertulia/data", "TERTULIA_PORT": str(port), "TERTULIA_LOG_FORMAT": "json",
        "TERTULIA_URL": f"http://127.0.0.1:{port}",
        "TERTULIA_SMTP_HOST": str(mail.hostname), "TERTULIA_SMTP_PORT": str(mail.port), "TERTULIA_SMTP_TLS": "no",
        "TERTULIA_ALLOWED_ADDRESSES": "127.0.0.0/8", "TERTULIA_MAIL_FROM": "Horno Candela <desk@example.com>",
    }  # fmt: skip
    machine.run("systemctl", "disable", "--now", *RUN)


class Visitor:
    """Somebody with a browser that keeps cookies."""

    def __init__(self, url: str) -> None:
        self.url, self.cookies = url, CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def get_bytes(self, path: str) -> bytes:
        with self._opener.open(self.url + path, timeout=30) as answer:
            return answer.read()

    def get(self, path: str) -> str:
        return self.get_bytes(path).decode()

    def post(self, path: str, content: bytes, kind: str = "application/x-www-form-urlencoded") -> str:
        token = next(each.value for each in self.cookies if each.name == "csrf")
        headers = {"Content-Type": kind, "X-CSRFToken": token, "Origin": self.url}
        with self._opener.open(urllib.request.Request(self.url + path, content, headers), timeout=60) as answer:
            return answer.read().decode()

    def hand_in(self, path: str, **fields: str) -> str:
        self.get(path)
        return self.post(path, urlencode(fields).encode())

    def bring(self, path: str, name: str, content: bytes) -> str:
        edge = secrets.token_hex(8)
        head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        return self.post(
            path, head.encode() + content + f"\r\n--{edge}--\r\n".encode(), f"multipart/form-data; boundary={edge}"
        )


def picture() -> bytes:
    file = io.BytesIO()
    Image.effect_noise((900, 600), 60).save(file, "PNG")
    return file.getvalue()


def is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


# ── what is tried ──────────────────────────────────────────────────────────

BOX = """
from django.utils.timezone import now
from tertulia.brand.models import Brand
from tertulia.channels.models import Account
Account.objects.create(
    brand=Brand.objects.get(is_sample=False), kind="mail", name="Correo", created_at=now(), next_poll_at=now(),
    settings={settings}, secrets={secrets},
)
"""


def set_up(machine: Machine, url: str) -> Visitor:
    """By the link in the journal, with the sample company beside."""
    link = re.findall(rf"{url}(/setup/[\w-]+/)", machine.journal())[-1]
    visitor = Visitor(url)
    visitor.hand_in(
        link, name="Uno", language="es", treatment="tu", time_zone="Europe/Madrid", country="ES", region="MD",
        person_name="Alba", email="alba@uno.example", password=PASSWORD, wants_sample="on",
    )  # fmt: skip
    assert "Horno Candela" in visitor.get("/b/horno-candela/inbox/")
    return visitor


def use(machine: Machine, visitor: Visitor, post: Post) -> None:
    """What the limits of a unit could be in the way of: files, mails out and in, processes of their own."""
    visitor.bring("/b/uno/media/", "pan.png", picture())
    [small] = set(re.findall(r'src="(/b/uno/media/\d+/small/)', visitor.get("/b/uno/media/")))
    assert visitor.get_bytes(small)
    visitor.hand_in("/b/uno/team/invitations/", email="bruno@uno.example", role="expert")
    wait_for(lambda: [each for each in post.posts if each["to"] == "bruno@uno.example"], 60)
    post.write(DIEGO, "¿Tenéis pan de espelta?", subject="Pan de espelta")
    said = BOX.format(settings=settings_of(post), secrets={"password": BOX_PASSWORD, "signing": "s" * 43})
    done = machine.inside(TERTULIA, "manage", "shell", "-c", said)
    assert done.returncode == 0, done.stdout + done.stderr
    wait_for(lambda: "espelta" in visitor.get("/b/uno/inbox/?view=all"), 60)
    visitor.post("/b/uno/settings/backups/making/", b"")
    backups = machine.root / "var/lib/tertulia/data/backups"
    wait_for(lambda: list(backups.glob("tertulia-*.zip")), 90)
    checked = machine.inside(TERTULIA, "check")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def processes(machine: Machine, name: str) -> list[str]:
    found = machine.run("sh", "-c", f"grep -lx 'tertulia {name}' /proc/[0-9]*/comm").stdout
    return re.findall(r"/proc/(\d+)/comm", found)


def ask_for_pages(url: str, over: threading.Event) -> None:
    while not over.is_set():
        try:
            urllib.request.urlopen(f"{url}/accounts/login/", timeout=5).read()
        except OSError:
            over.wait(0.05)


def stopped_under_load(machine: Machine, url: str, *units: str) -> float:
    over = threading.Event()
    for _ in range(4):
        threading.Thread(target=ask_for_pages, args=(url, over), daemon=True).start()
    time.sleep(2)
    seconds = machine.systemctl("stop", *units)
    over.set()
    print(f"{', '.join(units)}: stopped under load in {seconds:.1f} s")
    return seconds


def test_systemd_finds_nothing_amiss_in_them(machine):
    verified = machine.run("systemd-analyze", "verify", *(f"/etc/systemd/system/{unit}" for unit in UNITS))
    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")
    for unit in UNITS:
        rated = machine.run("systemd-analyze", "security", "--threshold=20", unit.replace("@", "@1"))
        assert rated.returncode == 0, rated.stdout


def test_a_desk_in_one_unit_is_used_killed_stopped_and_there_after_power_is_back(machine, setting, post):
    machine.set(setting)
    url = setting["TERTULIA_URL"]
    machine.systemctl("enable", "--now", "tertulia")
    wait_for(lambda: is_ready(url), 300)
    visitor = set_up(machine, url)
    use(machine, visitor, post)

    before = processes(machine, "work")
    machine.run("sh", "-c", f"kill -9 {' '.join(before)}", check=True)
    wait_for(lambda: processes(machine, "work") and not set(before) & set(processes(machine, "work")), 30)
    wait_for(lambda: is_ready(url), 60)
    machine.systemctl("kill", "--signal=KILL", "--kill-whom=main", "tertulia")
    wait_for(lambda: machine.shown("tertulia", "NRestarts", "ActiveState") == ["1", "active"], 60)
    wait_for(lambda: is_ready(url), 300)
    assert machine.systemctl("restart", "tertulia") < 15
    wait_for(lambda: is_ready(url), 300)
    assert machine.shown("tertulia", "MemoryMax") == [str(512 * 1024**2)]
    assert stopped_under_load(machine, url, "tertulia") < 10
    assert machine.shown("tertulia", "Result", "ExecMainStatus") == ["success", "0"]

    machine.power_off()
    machine.start()
    wait_for(lambda: is_ready(url), 300)
    assert "Horno Candela" in visitor.get("/b/horno-candela/inbox/")


@pytest.mark.skipif(not BROKER, reason="TERTULIA_TEST_BROKER_URL names no broker")
def test_pages_and_work_in_units_of_their_own_on_postgresql(machine, setting, post, own_database):
    if not own_database:
        pytest.skip("DATABASE_URL names no PostgreSQL")
    machine.set(setting | {"DATABASE_URL": own_database, "TERTULIA_BROKER_URL": BROKER})
    url = setting["TERTULIA_URL"]
    machine.systemctl("enable", "--now", "tertulia-web", *WORKERS)
    wait_for(lambda: is_ready(url), 300)
    use(machine, set_up(machine, url), post)

    machine.systemctl("kill", "--signal=KILL", WORKERS[0])
    wait_for(lambda: machine.shown(WORKERS[0], "NRestarts", "ActiveState") == ["1", "active"], 60)
    wait_for(lambda: is_ready(url), 60)
    assert stopped_under_load(machine, url, "tertulia-web", "tertulia-work@*") < 10
    for unit in ("tertulia-web", *WORKERS):
        assert machine.shown(unit, "ActiveState", "Result") == ["inactive", "success"]
