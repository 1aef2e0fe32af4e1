"""A PostgreSQL server of one's own, to be stopped, killed and started as one likes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from shutil import rmtree, which

import psycopg


def binaries() -> Path | None:
    """Where `initdb` and `postgres` are, the newest; None where they aren't installed."""
    if found := which("initdb"):
        return Path(found).resolve().parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    return installed[-1].parent if installed else None


class Cluster:
    """Runs from the start until `end`; as the user `postgres` where we are root, whom the server refuses."""

    def __init__(self) -> None:
        where = binaries()
        if where is None:
            raise SystemExit("This needs PostgreSQL's own programs (Debian: apt install postgresql).")
        self._where = where
        self._folder = Path(tempfile.mkdtemp(prefix="tertulia-cluster-"))
        self._as = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        if self._as:
            import pwd

            os.chown(self._folder, pwd.getpwnam("postgres").pw_uid, -1)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.url = f"postgres://postgres@127.0.0.1:{self._port}/postgres"
        self._run("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8")
        self._server: subprocess.Popen[bytes] | None = None
        self.start()

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._where / program), "--pgdata", str(self._folder / "data"), *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd="/", **self._as)  # type: ignore[call-overload]

    def start(self) -> None:
        """Returns once it answers."""
        settings = {
            "listen_addresses": "127.0.0.1", "port": self._port, "unix_socket_directories": "", "max_connections": 200,
            "recovery_init_sync_method": "syncfs",  # else each start after a kill opens every file there is
        }  # fmt: skip
        command = [str(self._where / "postgres"), "-D", str(self._folder / "data")]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        self._server = subprocess.Popen(
            command, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **self._as
        )  # type: ignore[call-overload]
        deadline = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self.url, connect_timeout=2).close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: whoever is connected is thrown out ("fast"). SIGQUIT: nothing is written any more ("immediate")."""
        if self._server:
            self._server.send_signal(how)
            self._server.wait(60)
            self._server = None

    def throw_out(self, some: float) -> int:
        """End this share of the connections to it, by chance; returns how many."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            ended = connection.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND random() < %s",
                [some],
            ).fetchone()
        return ended[0] if ended else 0

    def end(self) -> None:
        self.stop(signal.SIGQUIT)
        rmtree(self._folder, ignore_errors=True)
