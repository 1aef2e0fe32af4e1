"""Real worker processes on a real database, with a fake network beside them; prints what happened as JSON.

    rig.py kills    embedded|broker  <kills> [workers]   they are killed at random and started again; with three of
                                                   a broker's, that is emptied again and again
    rig.py restarts embedded|broker  <times>       PostgreSQL is stopped, killed and started under two workers, and
                                                   their connections are cut
    rig.py lateness embedded|broker  <jobs>        jobs due at 83 a second, answers at 20; 20 ms each
    rig.py rush     embedded|broker  <answers>     answers that are all due at once, until the inbox knows of all
    rig.py posts    embedded|broker  <posts> <workers>   posts due within a minute over 50 accounts, a worker killed
                                                   every two seconds; how late each was claimed
    rig.py stop     embedded|broker  <answers>     several workers, a clock, and a polite request to stop

A process of its own, because it forks its workers: from one that has everything imported but holds no connection, so
that starting one again takes milliseconds. The environment says which database and which broker.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Collection
from datetime import timedelta
from importlib import import_module
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
os.environ["DJANGO_SETTINGS_MODULE"] = "tertulia.project.settings"
os.environ.setdefault("TERTULIA_LOG_LEVEL", "ERROR")
os.environ["TERTULIA_ALLOWED_ADDRESSES"] = "127.0.0.0/8"


def with_database() -> Any:
    """On PostgreSQL a database of this run's own, which is returned for dropping."""
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        os.environ.pop("DATABASE_URL", None)
        return None
    psycopg = import_module("psycopg")
    name = f"tertulia_rig_{os.getpid()}"
    base = urlsplit(url)
    admin = psycopg.connect(base._replace(path="/postgres").geturl(), autocommit=True)
    admin.execute(f"DROP DATABASE IF EXISTS {name}")
    admin.execute(f"CREATE DATABASE {name}")
    os.environ["DATABASE_URL"] = base._replace(path=f"/{name}").geturl()
    return lambda: admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


cluster = import_module("proofs.cluster").Cluster() if "restarts" in sys.argv[1:2] else None
if cluster:
    os.environ["DATABASE_URL"] = cluster.url
drop_database = None if cluster else with_database()
if "broker" not in sys.argv[2:3]:
    os.environ.pop("TERTULIA_BROKER_URL", None)

import django  # noqa: E402

django.setup()

import invented_networks  # noqa: E402
from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402
from django.urls import get_resolver  # noqa: E402

from tertulia.brand.models import Brand  # noqa: E402
from tertulia.channels.models import Account, Delivery, Message  # noqa: E402
from tertulia.connectors.contract import Author, Envelope  # noqa: E402
from tertulia.core import clock, jobs, wake, worker  # noqa: E402
from tertulia.core.backup.databases import migrate  # noqa: E402
from tertulia.core.http import http  # noqa: E402
from tertulia.core.models import Activity, Job  # noqa: E402
from tertulia.flows import inbound, outbound, polling, schedule  # noqa: E402
from tertulia.inbox import actions  # noqa: E402
from tertulia.inbox.models import Conversation  # noqa: E402
from tertulia.project.sorry import Sorry  # noqa: E402
from tertulia.publishing import actions as publishing  # noqa: E402
from tertulia.publishing.saying import Piece, Wanted  # noqa: E402
from tertulia.team.models import Membership, User  # noqa: E402

KINDS = ("tests-keyed", "tests-readable", "tests-blind")
READ = "read"
"""The account whose messages are read while workers die."""
random.seed()


def note_line(file: str, line: str) -> None:
    with open(settings.HOME / file, "a") as lines:  # one write of one line: appended whole
        lines.write(line + "\n")


@jobs.task("rig.note", attempts=50)
def note(*, number: int, due: float = 0.0) -> None:
    note_line("jobs.txt", f"{number} {time.time() - due}")
    time.sleep(0.02)


def use_short_leases() -> None:
    """Tests must end; a lease stays longer than any call to the network, as in life."""
    lease = timedelta(seconds=3)
    jobs.LEASE = outbound.LEASE = polling.LEASE = lease
    outbound.LOOK_AGAIN = timedelta(seconds=0.3)
    outbound.REPEAT_AFTER = timedelta(seconds=0.5)
    outbound.AFTER_SILENCE = timedelta(seconds=0.1)
    jobs.FIRST_WAIT = timedelta(seconds=0.3)
    worker.RENEW_SECONDS = 1.0


def only_tick() -> None:
    jobs.periodics.clear()
    jobs.periodic("rig.tick", seconds=1)(tick)


def tick() -> None:
    note_line("ticks.txt", str(int(time.time())))


# ── workers ────────────────────────────────────────────────────────────────


class Workers:
    """Starts, kills and stops worker processes through a process that only forks."""

    def __init__(self, way: str, *, notes_claims: bool = False) -> None:
        self._ask, answer = Pipe()
        self._forker = os.fork()
        if self._forker == 0:
            self._ask.close()
            if notes_claims:
                note_claims()
            fork_on_request(answer, way)
        answer.close()

    def _do(self, what: str, pid: int = 0) -> Any:
        self._ask.send((what, pid))
        return self._ask.recv()

    def start(self) -> int:
        return self._do("start")

    def kill(self, pid: int) -> None:
        self._do("kill", pid)

    def stop(self, pid: int) -> float:
        """Ask it to stop; returns how many seconds it took."""
        return self._do("stop", pid)

    def end(self) -> None:
        self._ask.send(("end", 0))
        os.waitpid(self._forker, 0)


def fork_on_request(answer: Connection, way: str) -> None:
    get_resolver().url_patterns  # noqa: B018 — `tertulia start`, too, loads all pages before it forks
    alive: set[int] = set()
    while True:
        try:
            what, pid = answer.recv()
        except EOFError:
            what, pid = "end", 0
        if what == "start":
            if (pid := os.fork()) == 0:
                answer.close()
                try:
                    be_worker(way)
                except Exception:  # noqa: BLE001 — not up to where the run's database is dropped
                    traceback.print_exc()
                finally:
                    os._exit(0)
            alive.add(pid)
            answer.send(pid)
        elif what == "end":
            for pid in alive:
                os.kill(pid, signal.SIGKILL)
            os._exit(0)
        else:
            began = time.monotonic()
            os.kill(pid, signal.SIGKILL if what == "kill" else signal.SIGTERM)
            os.waitpid(pid, 0)
            alive.discard(pid)
            answer.send(time.monotonic() - began)


def be_worker(way: str) -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    if way == "broker":
        import_module("tertulia.project.celery").work(stop)
    elif way == "web":
        be_desk()
    else:
        schedule.work(stop)


def be_desk() -> None:
    while True:
        try:
            import_module("tertulia.project.serve").web(None)
        except Sorry:  # the port is still, or for the length of somebody's call, taken
            time.sleep(0.2)
        else:
            return


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# ── the network and what there is to do ────────────────────────────────────


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Network:
    def __init__(self, seconds: float, *, messages: int = 0, more: tuple[float, ...] = ()) -> None:
        port = free_port()
        self.url, self.messages = f"http://127.0.0.1:{port}", messages
        command = [sys.executable, HERE / "fake_server.py", *map(str, (port, seconds, messages, *more))]
        self._process = subprocess.Popen(command)
        wait_for(self.posts, lambda posts: posts == [])

    def posts(self) -> list[dict[str, Any]] | None:
        answer = http.request("GET", f"{self.url}/posts")
        return answer.json()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


def wait_for(what: Any, until: Any, *, seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    value = None
    while time.monotonic() < deadline:
        try:
            if until(value := what()):
                return value
        except Exception as error:  # noqa: BLE001 — not up yet
            value = repr(error)
        time.sleep(0.05)
    raise TimeoutError(f"waited in vain, at last: {str(value)[:300]}")


def write_answers(network: Network, kinds: tuple[str, ...], per_kind: int, *, accounts: int = 4) -> list[Delivery]:
    """Answers of Alba's to as many customers, spread over some accounts of each kind; not yet due."""
    now = clock.now()
    brand, _ = Brand.objects.get_or_create(slug="rig", defaults={"name": "Rig", "created_at": now})
    alba, _ = User.objects.get_or_create(email="alba@rig.example", defaults={"name": "Alba"})
    Membership.objects.get_or_create(user=alba, brand=brand, defaults={"role": "manager", "created_at": now})
    written = []
    for kind in kinds:
        for number in range(accounts):
            account = Account.objects.create(
                brand=brand, kind=kind, name=f"{kind} {number}", settings={"server": network.url}, created_at=now
            )
            threads = [f"{account.id}-{index}" for index in range(number, per_kind, accounts)]
            envelopes = [Envelope(f"in-{t}", t, now, Author(t, name=t), text="¿Abrís?") for t in threads]
            inbound.intake(account, envelopes, at=now)
            for conversation in Conversation.objects.filter(account=account).select_related("account", "brand"):
                turn = conversation.turn
                written.append(actions.reply(conversation=conversation, text="Sí.", by=alba, turn=turn, at=now))
    Delivery.objects.update(due_at=now + timedelta(days=1))
    Job.objects.all().delete()
    return written


def spread(rows: list[Any], seconds: float, *, ahead: float = 1.0) -> dict[int, float]:
    """Give each row a random moment within so many seconds from then on; returns them as timestamps. `ahead` of them in
    seconds all are written: what comes due before its moment stands in the database can't be claimed in time."""
    start = clock.now() + timedelta(seconds=ahead)
    for row in rows:
        row.due_at = start + timedelta(seconds=random.uniform(0, seconds))
    type(rows[0]).objects.bulk_update(rows, ["due_at"], batch_size=200)
    return {row.pk: row.due_at.timestamp() for row in rows}


def is_over() -> bool:
    waiting = Delivery.objects.filter(state__in=["queued", "sending"]).exists()
    jobs = Job.objects.filter(state__in=["waiting", "running"], key=None)
    return not waiting and not jobs.exclude(task="connections.look_at").exists()  # those are spread over the hour


# ── what can be tried ──────────────────────────────────────────────────────


def kills(way: str, number: int) -> dict[str, Any]:
    """Some workers; one of them dies again and again, soon after it begins. There is work for all that time."""
    how_many = int(sys.argv[4]) if len(sys.argv) > 4 else 2
    between = (0.6, 2.4) if way == "broker" else (0.1, 0.5)  # Celery takes its time to begin
    workers, network, answers, enqueued = lay_out(way, number * sum(between) / 2, number)
    alive = [workers.start() for _ in range(how_many)]
    time.sleep(1.0)
    emptied = 0
    for turn in range(number):
        time.sleep(random.uniform(*between))
        victim = random.randrange(how_many)
        workers.kill(alive[victim])
        alive[victim] = workers.start()
        if way == "broker" and how_many > 2 and turn % 2:
            empty_broker()
            emptied += 1
    more = {"kills": number, "emptied": emptied}
    return come_to_an_end(workers, network, answers, enqueued, alive, wait=240 + number) | more


def restarts(way: str, number: int) -> dict[str, Any]:
    """Two workers lose their database again and again: stopped, killed, or only their connections cut."""
    workers, network, answers, enqueued = lay_out(way, number * 2.5, number)
    alive = [workers.start(), workers.start()]
    time.sleep(1.0)
    import_module("django.db").connection.close()
    cut = stopped = 0
    for turn in range(number):
        time.sleep(random.uniform(0.5, 2.0))
        if turn % 3 == 0:
            cut += cluster.throw_out(0.5)
            continue
        cluster.stop(signal.SIGINT if turn % 3 == 1 else signal.SIGQUIT)
        stopped += 1
        time.sleep(random.uniform(0, 1.0))
        cluster.start()
    more = {"kills": 0, "stopped": stopped, "cut": cut}
    return come_to_an_end(workers, network, answers, enqueued, alive, wait=120 + number) | more


def lay_out(way: str, seconds: float, number: int) -> tuple[Workers, Network, list[Delivery], int]:
    """Answers, jobs and messages for so many seconds, at least; last how many jobs, numbered from 0."""
    network = Network(0.03, messages=int(seconds * 20))
    workers = Workers(way)
    migrate(connection)
    answers = write_answers(network, KINDS, max(number * 6, 30))
    Account.objects.create(
        brand=Brand.objects.get(), kind="tests-readable", name=READ, settings={"server": network.url},
        created_at=clock.now(), next_poll_at=clock.now(),
    )  # fmt: skip
    spread(answers, seconds)
    enqueued = number * 5
    for index in range(enqueued):
        jobs.enqueue(note, number=index, due_at=clock.now() + timedelta(seconds=random.uniform(1, 1 + seconds)))
    return workers, network, answers, enqueued


def come_to_an_end(
    workers: Workers, network: Network, answers: list[Delivery], enqueued: int, alive: list[int], *, wait: float
) -> dict[str, Any]:
    expected = network.messages
    wait_for(lambda: what_is_left(expected - here()), lambda left: not left, seconds=wait)
    slowest = max(workers.stop(pid) for pid in alive)
    verdict = judge(network, answers, enqueued) | {
        "stop_seconds": round(slowest, 2),
        "messages": expected,
        "messages_lost": expected - len(set(read_here())),
        "messages_doubled": len(read_here()) - len(set(read_here())),
    }
    workers.end()
    network.close()
    return verdict


def what_is_left(messages_missing: int) -> dict[str, Any]:
    rows = Delivery.objects.filter(state__in=["queued", "sending"])
    jobs = Job.objects.filter(state__in=["waiting", "running"], key=None).exclude(task="connections.look_at")
    left = {
        "answers": sorted(set(rows.values_list("state", "why"))),
        "jobs": sorted(set(jobs.values_list("task", "state", "error"))),
        "messages": messages_missing,
    }
    return {name: what for name, what in left.items() if what}


def read_here() -> list[str]:
    rows = Message.objects.filter(account__name=READ, direction="in")
    return list(rows.values_list("remote_id", flat=True))


def here() -> int:
    return len(set(read_here()))


def empty_broker() -> None:
    import_module("redis").Redis.from_url(settings.BROKER_URL).flushdb()


def judge(network: Network, answers: list[Delivery], enqueued: int) -> dict[str, Any]:
    """What became of each answer that was written and of each job that was enqueued: a row that is gone is lost."""
    posted = Counter(str(post["key"]) for post in network.posts() or [])
    found = Delivery.objects.select_related("account", "message").in_bulk([answer.pk for answer in answers])
    states = Counter((row.account.kind, row.state) for row in found.values())
    done = {int(line.split()[0]) for line in (settings.HOME / "jobs.txt").read_text().splitlines()}
    return {
        "answers": len(answers),
        "sent": sum(row.state == "sent" for row in found.values()),
        "lost": sum(row.pk not in found or (found[row.pk].state == "sent" and not posted[row.key]) for row in answers),
        "doubled": sum(count > 1 for count in posted.values()),
        "unknown_of_networks_with_memory": sum(
            count for (kind, state), count in states.items() if state == "unknown" and kind != "tests-blind"
        ),
        "unknown_of_blind_networks": states["tests-blind", "unknown"],
        "other_states": sum(count for (_, state), count in states.items() if state not in {"sent", "unknown"}),
        "sent_without_a_name": sum(
            row.state == "sent" and row.message.remote_id.startswith("pending") for row in found.values()
        ),
        "told_wrongly": Activity.objects.filter(type__startswith="delivery.").count() - len(answers),
        "jobs": enqueued,
        "jobs_lost": len(set(range(enqueued)) - done),
        "jobs_not_done": enqueued - Job.objects.filter(task="rig.note", state="done").count(),
    }


def lateness(way: str, number: int) -> dict[str, Any]:
    """Jobs due at 83 a second, then answers at 20 a second, 20 ms of network each, one process."""
    network = Network(0.02)
    workers = Workers(way)
    migrate(connection)
    seconds = number / 83
    answers = write_answers(network, ("tests-keyed",), max(number // 4, 1), accounts=10)
    pid = workers.start()
    time.sleep(3)
    jobs_due = [Job(task="rig.note", due_at=clock.now(), created_at=clock.now()) for _ in range(number)]
    start = clock.now() + timedelta(seconds=1)
    for index, job in enumerate(jobs_due):
        job.due_at = start + timedelta(seconds=random.uniform(0, seconds))
        job.args = {"number": index, "due": job.due_at.timestamp()}
    Job.objects.bulk_create(jobs_due, batch_size=500)
    cpu, began = cpu_seconds(pid), time.monotonic()
    wait_for(is_jobs_over, bool, seconds=seconds + 60)
    jobs_cpu = (cpu_seconds(pid) - cpu) / (time.monotonic() - began)
    due = spread(answers, seconds)
    cpu, began = cpu_seconds(pid), time.monotonic()
    wait_for(is_over, bool, seconds=seconds + 60)
    answers_cpu = (cpu_seconds(pid) - cpu) / (time.monotonic() - began)
    cpu, began = cpu_seconds(pid), time.monotonic()
    time.sleep(10)
    idle = (cpu_seconds(pid) - cpu) / (time.monotonic() - began)
    memory = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    late = [float(line.split()[1]) for line in (settings.HOME / "jobs.txt").read_text().splitlines()]
    key_due = {answer.key: due[answer.pk] for answer in answers}
    answers_late = [post["at"] - key_due[post["key"]] for post in network.posts() or []]
    workers.stop(pid)
    workers.end()
    network.close()
    return {
        "jobs": milliseconds(late) | {"cpu": round(100 * jobs_cpu, 1)},
        "answers": milliseconds(answers_late) | {"cpu": round(100 * answers_cpu, 1)},
        "idle_cpu": round(100 * idle, 2),
        "memory_mb": round(int(memory.split()[1]) / 1024),
    }


def rush(way: str, number: int) -> dict[str, Any]:
    """Answers all due at once, through ten accounts of a network that is quick: one process does nothing else."""
    network = Network(0.001)
    workers = Workers(way)
    migrate(connection)
    answers = write_answers(network, ("tests-keyed",), number, accounts=10)
    pid = workers.start()
    time.sleep(3)
    cpu, began = cpu_seconds(pid), time.monotonic()
    Delivery.objects.update(due_at=clock.now())
    wake.ring()
    wait_for(is_over, bool, seconds=60 + number / 10)
    seconds = time.monotonic() - began
    cpu = cpu_seconds(pid) - cpu
    told = Activity.objects.filter(type="delivery.sent").count()
    workers.stop(pid)
    workers.end()
    network.close()
    return {
        "per_second": round(len(answers) / seconds, 1),
        "cpu_ms_each": round(1000 * cpu / len(answers), 2),
        "told": told,
        "answers": len(answers),
    }


def posts(way: str, number: int) -> dict[str, Any]:
    """Posts due at random moments of a minute, 20 ms of network each, and a worker is killed every two seconds."""
    how_many = int(sys.argv[4])
    network = Network(0.02)
    workers = Workers(way, notes_claims=True)
    migrate(connection)
    rows = write_posts(network, number)
    alive = [workers.start() for _ in range(how_many)]
    time.sleep(3)
    due = spread(rows, 60, ahead=5)
    began, kills = time.monotonic(), 0
    cpu = -sum(map(cpu_seconds, alive))
    while time.time() < max(due.values()):
        time.sleep(2)
        victim = random.randrange(len(alive))
        cpu += cpu_seconds(alive[victim])
        workers.kill(alive[victim])
        alive[victim] = workers.start()
        kills += 1
    cpu, seconds = cpu + sum(map(cpu_seconds, alive)), time.monotonic() - began
    on_the_way = Delivery.objects.filter(state__in=["queued", "sending"])  # counting them comes hours later
    wait_for(on_the_way.count, lambda left: left == 0, seconds=1_200)  # those in doubt are looked for four times
    for pid in alive:
        workers.stop(pid)
    workers.end()
    claims = [line.split() for line in (settings.HOME / "claims.txt").read_text().splitlines()]
    first: dict[int, float] = {}
    for id, at in claims:
        first[int(id)] = min(first.get(int(id), float(at)), float(at))
    became = judge_posts(network, due)
    network.close()
    return milliseconds([first[pk] - due[pk] for pk in first]) | {
        "posts": number,
        "kills": kills,
        "cpu": round(100 * cpu / seconds, 1),
        **became,
    }


def judge_posts(network: Network, ids: Collection[int]) -> dict[str, int]:
    """What became of each post, by the network's own list: one that was neither sent nor told to be unknown is lost."""
    there = Counter(str(post["key"]) for post in network.posts() or [])
    found = list(Delivery.objects.filter(pk__in=ids).select_related("account"))
    unknown = Counter(row.account.kind for row in found if row.state == "unknown")
    told = {row.pk for row in found if row.state == "unknown" or (row.state == "sent" and there[row.key])}
    return {
        "doubled": sum(count > 1 for count in there.values()),
        "lost": len(set(ids) - told),
        "missed": sum(row.state not in {"sent", "unknown"} for row in found),
        "unknown_of_networks_with_memory": unknown.total() - unknown["tests-blind"],
        "unknown_of_blind_networks": unknown["tests-blind"],
    }


def write_posts(network: Network, number: int, *, channels: int = 50) -> list[Delivery]:
    """Scheduled posts of one text each, over accounts of the three kinds; not yet due."""
    now = clock.now()
    brand = Brand.objects.create(slug="rig", name="Rig", created_at=now)
    alba = User.objects.create(email="alba@rig.example", name="Alba")
    Membership.objects.create(user=alba, brand=brand, role="manager", created_at=now)
    accounts = [
        Account.objects.create(
            brand=brand, kind=KINDS[place % 3], name=f"{place}", settings={"server": f"{network.url}/{place}"},
            created_at=now,
        )
        for place in range(channels)
    ]  # fmt: skip
    wall = (now + timedelta(days=1)).replace(tzinfo=None, microsecond=0)
    for place in range(number):
        versions = {accounts[place % channels].pk: Wanted()}
        post = publishing.create(brand=brand, by=alba, at=now, pieces=[Piece(f"Pan {place}")], versions=versions)
        publishing.plan(post=post, wall=wall, by=alba, at=now)
        publishing.schedule(post=post, by=alba, at=now)
    Job.objects.all().delete()
    Delivery.objects.update(late_at=now + timedelta(days=2))
    return list(Delivery.objects.all())


def note_claims() -> None:
    """Write down which delivery was claimed when, as soon as that stands in the database."""
    claim = outbound.claim

    def noted(**asked: Any) -> list[outbound.Claim]:
        claims = claim(**asked)
        at = time.time()
        if claims:
            note_line("claims.txt", "\n".join(f"{one.id} {at}" for one in claims))
        return claims

    outbound.claim = noted


def is_jobs_over() -> bool:
    return not Job.objects.filter(state__in=["waiting", "running"], task="rig.note").exists()


def milliseconds(late: list[float]) -> dict[str, Any]:
    ordered = sorted(late)
    at = {
        f"p{part}": round(1000 * ordered[min(int(len(ordered) * part / 100), len(ordered) - 1)], 1) for part in (50, 99)
    }
    return {
        "count": len(ordered),
        **at,
        "max": round(1000 * ordered[-1], 1),
        "early": sum(each < 0 for each in ordered),
    }


def stop(way: str, number: int) -> dict[str, Any]:
    """Three workers and a slow network; after three ticks all are asked to stop, in the middle of sending."""
    network = Network(0.2)
    workers = Workers(way)
    migrate(connection)
    write_answers(network, ("tests-blind",), number)
    alive = [workers.start() for _ in range(3)]
    wait_for(lambda: Job.objects.filter(task="rig.tick", state="done").count(), lambda ticks: ticks >= 3)
    Delivery.objects.update(due_at=clock.now())
    wait_for(network.posts, lambda posts: len(posts) >= 3)
    seconds = max(workers.stop(pid) for pid in alive)
    workers.end()
    posts = len(network.posts() or [])
    states = Counter(Delivery.objects.values_list("state", flat=True))
    network.close()
    ticks = Job.objects.filter(task="rig.tick", state="done")
    return {
        "seconds": round(seconds, 2),
        "posts": posts,
        "answers": number,
        "sent": states["sent"],
        "queued": states["queued"],
        "ticks": ticks.count(),
        "attempts": sorted(set(ticks.values_list("attempts", flat=True))),
        "runs": len((settings.HOME / "ticks.txt").read_text().split()),
    }


if __name__ == "__main__":
    scenario, way, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
    invented_networks.install()
    if scenario not in {"lateness", "rush"}:
        use_short_leases()
        only_tick()
    try:
        print(
            json.dumps(
                {
                    "kills": kills, "restarts": restarts, "lateness": lateness, "rush": rush, "posts": posts,
                    "stop": stop,
                }[scenario](way, number)
            )
        )  # fmt: skip
    finally:
        if drop_database:
            import_module("django.db").connection.close()
            drop_database()
        if cluster:
            cluster.end()
