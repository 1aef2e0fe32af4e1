"""What a stranger's bytes can do to a parser; called by name in a process of its own."""

import os
import re
import signal
import sys
import time

KEPT: list[bytes] = []


def read(payload: bytes) -> object:
    word, _, rest = payload.decode().partition(" ")
    if word == "sleep":
        time.sleep(float(rest))
    if word == "spin":
        while True:
            pass
    if word == "backtrack":
        return bool(re.match(r"(a+)+$", "a" * 60 + "b"))
    if word == "hoard":
        KEPT.append(bytes(10**10))
    if word == "deep":
        return read(payload)
    if word == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if word == "leave":
        sys.exit(0)
    if word == "shout":
        return "x" * int(rest)
    if word == "unsayable":
        return object()
    if word == "print":
        print("noise" * 10_000)
    if word == "write":
        with open(rest, "w") as file:
            file.write("x" * 10_000)
    if word == "look":
        return [sorted(os.environ), "django" in sys.modules, os.getpid(), resident()]
    return {"said": payload.decode(), "half": "\ud800"}


def resident() -> int:
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))
