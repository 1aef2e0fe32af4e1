"""A network in a process of its own. It keeps the true list of what was posted, and is slow and moody on request.

Started with its port, how slow it is, how many messages people write there from the first look on, how many of them a
second (twenty), and how many times as fast as others its clock is from then on. What stands in front of /inbox names an
account with messages of its own; the posts of all are one list.
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

posts: list[dict[str, object]] = []
by_key: dict[str, int] = {}
lock = threading.Lock()
seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 0.02
messages = int(sys.argv[3]) if len(sys.argv) > 3 else 0
rate = float(sys.argv[4]) if len(sys.argv) > 4 else 20.0
speed = float(sys.argv[5]) if len(sys.argv) > 5 else 1.0
first_look: dict[str, float] = {}


def now() -> float:
    real = time.time()
    began = min(list(first_look.values()), default=real)
    return real + (real - began) * (speed - 1)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        arrived = now()
        sent = json.loads(self.rfile.read(int(self.headers["content-length"])))
        known_key = self.headers.get("idempotency-key")
        time.sleep(random.uniform(0, seconds))  # a caller may be killed before the deed
        with lock:
            number = by_key.get(known_key or "")
            if number is None:
                posts.append({**sent, "at": arrived})
                number = len(posts)
                if known_key:
                    by_key[known_key] = number
        time.sleep(random.uniform(0, seconds))  # or after it
        self._say({"id": number})

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        query = parse_qs(address.query)
        account, _, what = address.path.rpartition("/")
        if what == "inbox":
            self._say(self._inbox(account, int(query["after"][0])))
            return
        with lock:
            found = [{**post, "id": number} for number, post in enumerate(posts, 1)]
        self._say([post for post in found if post["key"] in query["key"]] if "key" in query else found)

    def _inbox(self, account: str, after: int) -> list[dict[str, object]]:
        began = first_look.setdefault(account, now())
        there = min(messages, int((now() - began) * rate))
        return [
            {"id": number, "thread": f"visitor {number % 40}", "at": began + number / rate, "text": "¿Abrís?"}
            for number in range(after + 1, min(there, after + 50) + 1)
        ]

    def _say(self, what: object) -> None:
        body = json.dumps(what).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 200
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        pass  # its caller was killed


def end_with_the_test(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(0)


threading.Thread(target=end_with_the_test, args=(os.getppid(),), daemon=True).start()
Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
