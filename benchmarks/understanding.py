"""How fast messages are understood on one core: language, feeling, kind, urgency and the rest, all together; and how
fast a period's messages are grouped."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

from training import corpus

from tertulia.understanding import asked
from tertulia.understanding.grouping import Said, group
from tertulia.understanding.reading import read

from .figures import Figure, percentile

TEXTS = 5_000
PERIOD = 20_000
"""Messages of a period that the page of topics looks at, at most."""
ODD = {
    "nothing": "",
    "blanks": " \n\t ",
    "a letter": "a",
    "a word": "Hola",
    "emoji": "😀😀😀",
    "a megabyte": "Hola, ¿qué tal? " * 65_536,
    "a megabyte without a blank": "a" * (1 << 20),
    "a megabyte of signs": "¿" * (1 << 20),
    "at signs": "@" * 100_000,
    "links": "www." * 50_000,
    "hyphens": "a-" * 100_000,
    "digits": "0" * 100_000,
    "lines": "\n" * 100_000,
    "marks": "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L" * 5_000,
    "zero width": "\u200b".join("gracias" * 500),
    "half a sign": "hola \ud800 qué tal",
    "no character": "\x00\uffff\ufffe",
    "private use": "\ue000\ue001\ue005 hola",
    "mixed": "Hola, thank you so much, bis morgen, à bientôt",
    "another writing": "привет, как дела?",
    "right to left": "مرحبا، متى تفتحون؟",
    "capitals": "ESTO ES UNA VERGÜENZA Y NADIE ME CONTESTA",
    "irony": "(¡!) Sí, claro... \"genial\" ;-)",
    "elongation": "Graaaaaaaaaaaaaaacias, qué bieeeeeeeeeen",
    "hearts": "❤️❤️",
    "laughing": "😂😂😂",
    "many emoji": "😂🤮❤️👏🙏🎉" * 700,
    "ten of ten": "10/10",
    "Telugu": "మీరు ఆదివారం తెరుస్తారా?",
    "Khmer": "តើអ្នកបើកនៅថ្ងៃអាទិត្យទេ?",
    "Cherokee": "ᎣᏏᏲ, ᏙᎯᏧ?",
    "one sign that is eighteen": "ﷺ" * 4_000,
    "words of a letter": "a b " * 2_000,
    "questions": "¿Y? " * 2_000,
    "other words each": " ".join(f"palabra{n:x}" for n in range(2_000)),
}  # fmt: skip
"""Texts written to break what reads them."""
_ALONE = """
import time
from pathlib import Path

def megabytes():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6

before, began = megabytes(), time.perf_counter()
from tertulia.understanding.reading import read
read(["¿Abrís hoy?"] * 256)
print(time.perf_counter() - began, megabytes() - before)
"""


def run(size: str = "0", scale: str = "quick") -> Iterator[Figure]:
    said = subprocess.run([sys.executable, "-c", _ALONE], capture_output=True, text=True, check=True).stdout.split()
    yield Figure("understanding: until the first reading is there", float(said[0]), "s", 0.5)
    yield Figure("understanding: memory it adds to Python", float(said[1]), "MB", 120)
    written = [row.text for row in corpus.own("aside")]
    texts = (written * (TEXTS // len(written) + 1))[:TEXTS]
    read(texts[:300])
    began = time.perf_counter()
    read(texts)
    yield Figure("understanding, in batches", TEXTS / (time.perf_counter() - began), "messages/s", 2_000, "more")
    alone = [_seconds(text) * 1000 for text in texts[:500]]
    yield Figure("understanding, a single message: p50", percentile(alone, 0.5), "ms")
    yield Figure("understanding, a single message: p99", percentile(alone, 0.99), "ms", 5)
    odd = max(min(_seconds(text) for _ in range(3)) for text in ODD.values()) * 1000
    yield Figure("understanding, the slowest of the odd texts", odd, "ms", 50)
    yield from _period()


def _period() -> Iterator[Figure]:
    """Of a core's own time: others may be at work, and a page waits for this alone."""
    written = [row.text for row in corpus.own()]
    texts = (written * (PERIOD // len(written) + 1))[:PERIOD]
    readings = read(texts)
    said = [
        Said(text, n, r.topics, r.sentiment, r.language)
        for n, (text, r) in enumerate(zip(texts, readings, strict=True))
    ]
    began = time.process_time()
    group(said)
    yield Figure("topics of 20,000 messages", time.process_time() - began, "s", 5)
    asking = [asked.Asked(text, n, n, r.language) for n, r in enumerate(readings) for text in r.questions]
    began = time.process_time()
    asked.repeated(asking)
    yield Figure("repeated questions of 20,000 messages", time.process_time() - began, "s", 5)


def _seconds(text: str) -> float:
    began = time.perf_counter()
    read([text])
    return time.perf_counter() - began
