"""Reads the tables of docs/security.md and docs/bad-input.md, and counts them.

    python tests/evidence.py        writes the counts at the top of both anew

A row is `| id | … | how it stands | shown by |`; what it is shown by names tests as `file.py::test_name`.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = {"security": ROOT / "docs" / "security.md", "bad-input": ROOT / "docs" / "bad-input.md"}
STANDS = ("test", "in part", "note", "not met", "not applicable")
COUNTS = re.compile(r"(?<=<!-- counts -->\n\n).*?(?=\n\n<!-- end -->)", re.DOTALL)
_TEST = re.compile(r"`([\w/]+\.py)::(test_\w+)`")


@dataclass(frozen=True, slots=True)
class Row:
    id: str
    level: str
    """Of ASVS, "1" or "2"; empty for bad input."""
    stands: str
    shown: str

    @property
    def tests(self) -> list[tuple[str, str]]:
        return _TEST.findall(self.shown)


def rows(document: str) -> list[Row]:
    found = []
    for line in DOCUMENTS[document].read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if re.match(r"\| (V\d+\.\d+\.\d+|[A-K]\d\d) \|", line):
            level = cells[1] if document == "security" else ""
            found.append(Row(cells[0], level, cells[-2].strip("*"), cells[-1]))
    return found


def counts(document: str) -> str:
    """The table that stands at the top."""
    found = rows(document)
    levels = sorted({row.level for row in found})
    lines = [f"| | {' | '.join(STANDS)} | all |", "|---" * (len(STANDS) + 2) + "|"]
    for level in levels:
        of = Counter(row.stands for row in found if row.level == level)
        name = f"level {level}" if level else "cases"
        lines.append(f"| {name} | {' | '.join(str(of[stands]) for stands in STANDS)} | {of.total()} |")
    return "\n".join(lines)


@cache
def names_in(file: Path) -> frozenset[str]:
    return frozenset(node.name for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.FunctionDef))


def main() -> None:
    for name, file in DOCUMENTS.items():
        file.write_text(COUNTS.sub(lambda _old, name=name: counts(name), file.read_text()))


if __name__ == "__main__":
    main()
