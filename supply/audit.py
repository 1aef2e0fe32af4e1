"""Asks whether any pinned package has a published advisory, with pip-audit, which asks the package index.

    python -m supply.audit [FILE]

Ends with 0 when there is none, 1 when there is one, and 2, saying so, when that could not be found out: an index that
hands out packages but no advisories (many mirrors do) must not pass for good news.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from .sbom import ROOT

ASK = (sys.executable, "-m", "pip_audit", "--disable-pip", "--format", "json", "--progress-spinner", "off")


def verdict(said: str) -> tuple[int, list[str]]:
    """What pip-audit's JSON comes to: the code to end with, and the lines to print."""
    try:
        packages = json.loads(said)["dependencies"]
    except (ValueError, LookupError, TypeError):
        return 2, ["Not audited: no source of advisories could be reached from here."]
    unknown = [f"{one['name']}: {one['skip_reason']}" for one in packages if "skip_reason" in one]
    found = [
        f"{one['name']} {one['version']}: {flaw['id']}, mended in {', '.join(flaw['fix_versions']) or 'no version yet'}"
        for one in packages
        for flaw in one.get("vulns", [])
    ]
    if found:
        return 1, [*found, *unknown]
    if unknown or not packages:
        return 2, [f"Not audited: the index told nothing of {len(unknown)} of {len(packages)} packages.", *unknown[:5]]
    return 0, [f"No known advisory for {len(packages)} packages."]


def main() -> int:
    file = sys.argv[1] if len(sys.argv) > 1 else str(Path(ROOT) / "requirements.txt")
    asked = subprocess.run([*ASK, "--requirement", file], capture_output=True, text=True, timeout=600, check=False)
    code, lines = verdict(asked.stdout)
    print("\n".join(lines))
    if not asked.stdout:
        print(asked.stderr.strip().rpartition("\n")[2], file=sys.stderr)
    return code


if __name__ == "__main__":
    raise SystemExit(main())
