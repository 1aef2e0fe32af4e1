"""The command that reads a text a line."""

from __future__ import annotations

import json
import subprocess
import sys

COMMAND = [sys.executable, "-m", "tertulia", "understand"]
FIELDS = {
    "language", "sentiment", "kind", "urgency", "offensive", "spam", "needs_answer", "topics", "questions",
    "confidence", "why",
}  # fmt: skip


def test_a_line_in_is_an_object_out(tmp_path):
    lines = "¿Abrís hoy?\n\nMuchas gracias por todo\r\n".encode() + b"\xff\xfe no UTF-8\n" + b"sin salto final"
    done = subprocess.run(COMMAND, input=lines, capture_output=True, check=True, timeout=60, cwd=tmp_path)
    said = [json.loads(line) for line in done.stdout.splitlines()]

    assert len(said) == 5
    assert all(set(each) == FIELDS for each in said)
    assert said[0]["kind"] == "question"
    assert said[2]["kind"] == "praise"
    assert done.stderr == b""
    assert list(tmp_path.iterdir()) == []


def test_each_line_is_answered_before_the_next_is_asked():
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        for text in ("¿Abrís hoy?", "Gracias"):
            process.stdin.write(f"{text}\n".encode())
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["language"] == "es"
        process.stdin.close()
        assert process.wait(10) == 0
