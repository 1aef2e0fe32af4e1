"""`python -m benchmarks.child PART [arguments]`: one part on the database of the environment; figures as JSON."""

from __future__ import annotations

import json
import sys
from importlib import import_module

import django

PARTS = (
    "limits",
    "intake",
    "lists",
    "counters",
    "thread",
    "search",
    "live",
    "calendar",
    "links",
    "memory",
    "lateness",
    "polling",
    "mail",
    "understanding",
)


def main(part: str, *args: str) -> None:
    django.setup()
    if part == "fill":
        fill(int(args[0]))
        return
    if part == "serve":
        import_module("benchmarks.lists").serve(*args)
        return
    if part not in PARTS:
        raise SystemExit(f"No part is called {part}.")
    figures = import_module(f"benchmarks.{part}").run(*args)
    sys.stdout.write(json.dumps([figure.as_dict() for figure in figures]))


def fill(conversations: int) -> None:
    for done in import_module("benchmarks.data").build(conversations):
        if done % 100_000 == 0:
            sys.stderr.write(f"{done:,} conversations\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
