"""An OpenAI-compatible server that misbehaves on request. It keeps all it was sent."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class FakeBrain(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.heard: list[tuple[str, str]] = []
        """Path, and whole body, of each request."""
        self.keys: list[str] = []
        self.fault = ""
        self.says: dict[str, Any] = {"kind": "complaint"}
        """What it reads in every text."""
        self.translation: Any = "Do you open on Sunday morning?"
        self.obeys = False
        """Whether it does for every text what any of them orders between braces."""
        self.tokens = 42

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: FakeBrain

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        self.server.heard.append((self.path, body))
        self.server.keys.append(self.headers.get("authorization", ""))
        data = json.loads(json.loads(body)["messages"][1]["content"])
        asked = data.get("messages", [])
        readings: Any = [{"id": each["id"], **self.server.says} for each in asked]
        if self.server.obeys:
            orders = [json.loads(found) for each in asked for found in re.findall(r"\{.*?\}", each["text"])]
            readings = [{"id": number, **order} for order in orders for number in range(len(asked) + 50)] or readings
        match self.server.fault:
            case "500" | "429" | "401":
                return self._answer(int(self.server.fault), b"{}")
            case "no json mode" if "response_format" in body:
                return self._answer(400, b"{}")
            case "slow":
                time.sleep(3)
            case "html":
                return self._answer(200, b"<html>Bad gateway</html>")
            case "prose":
                return self._say("I am sorry, I can't do that.")
            case "fenced":
                return self._say("Sure!\n```json\n" + json.dumps({"readings": readings}) + "\n```\nAnything else?")
            case "wrong ids":
                readings = [{**each, "id": each["id"] + 50} for each in readings] + [
                    {**each, "id": "0"} for each in readings
                ]
            case "not a list":
                readings = {"0": self.server.says}
            case "no choices":
                return self._answer(200, b'{"choices": []}')
            case "nested":
                return self._say("{" * 5_000 + "[" * 100_000)
            case "huge":
                return self._say("x" * 5_000_000)
            case "endless":
                return self._endless()
        told = {"translation": self.server.translation} if "text" in data else {"readings": readings}
        return self._say(json.dumps(told))

    def _say(self, content: str) -> None:
        said = {"choices": [{"message": {"content": content}}], "usage": {"total_tokens": self.server.tokens}}
        self._answer(200, json.dumps(said).encode())

    def _answer(self, status: int, body: bytes) -> None:
        try:
            self.send_response(status)
            if status == 429:
                self.send_header("Retry-After", "120")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            pass  # nobody waited for it

    def _endless(self) -> None:
        try:
            self.send_response(200)
            self.end_headers()
            while True:
                self.wfile.write(b" " * 1000)
                time.sleep(0.01)
        except OSError:
            pass  # they have hung up

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def brain() -> Iterator[FakeBrain]:
    server = FakeBrain()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
