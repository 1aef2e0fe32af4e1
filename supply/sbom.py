"""Writes the bill of materials of a release: CycloneDX 1.6 as JSON, one component for each pinned package.

    python -m supply.sbom FILE

Names, versions and hashes come from `requirements.txt`, licences from the metadata of what is installed. The same
inputs give the same bytes. Ends with 1, and says why, when a licence isn't known to go together with the AGPL.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
COMPATIBLE = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "LGPL-3.0-only", "MIT", "MIT-0", "MIT-CMU",
    "MPL-2.0", "PSF-2.0", "Zlib",
}  # fmt: skip
"""What may be part of a work under AGPL-3.0-or-later (SPDX ids)."""
ELSEWHERE = {"async-timeout": "Apache-2.0", "colorama": "BSD-3-Clause", "httpx2-jsfetch": ""}
"""Pinned for other systems, so perhaps not installed here. The last is for browsers only, where Tertulia doesn't run:
it is never installed, and its licence was not looked at."""
READ_BY_HAND = {
    "amqp": "BSD-3-Clause", "billiard": "BSD-3-Clause", "click-plugins": "BSD-3-Clause", "django-csp": "BSD-3-Clause",
    "fido2": "BSD-2-Clause AND Apache-2.0 AND MPL-2.0", "jinja2": "BSD-3-Clause", "prompt-toolkit": "BSD-3-Clause",
    "python-dateutil": "Apache-2.0 OR BSD-3-Clause", "qrcode": "BSD-3-Clause", "sqlparse": "BSD-3-Clause",
    "vine": "BSD-3-Clause",
}  # fmt: skip
"""Their metadata says "BSD" or "dual" and leaves open which; this is what the text of their licence is."""
CLASSIFIERS = {
    "MIT License": "MIT",
    "Apache Software License": "Apache-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}


@dataclass(frozen=True, slots=True)
class Pin:
    name: str
    version: str
    marker: str
    """For which systems; empty for all."""
    hashes: tuple[str, ...]

    @property
    def purl(self) -> str:
        return f"pkg:pypi/{self.name}@{self.version}"


def pins(file: Path = ROOT / "requirements.txt") -> Iterator[Pin]:
    for entry in re.split(r"(?<!\\)\n", file.read_text()):
        said, *hashes = re.split(r"\s*\\\n\s*--hash=sha256:", entry.strip())
        if said and not said.startswith("#"):
            wanted = Requirement(said)
            version = str(wanted.specifier).removeprefix("==")
            yield Pin(canonicalize_name(wanted.name), version, str(wanted.marker or ""), tuple(hashes))


def licence(name: str) -> str:
    """An SPDX expression; empty when nothing says so."""
    if name in READ_BY_HAND:
        return READ_BY_HAND[name]
    try:
        told = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return ELSEWHERE.get(name, "")
    given = told.get("License-Expression") or told.get("License") or ""
    if _parts(given) <= COMPATIBLE and given:
        return given
    classified = {line.rpartition(" :: ")[2] for line in told.get_all("Classifier", []) if line.startswith("License")}
    return " AND ".join(sorted(CLASSIFIERS[one] for one in classified)) if classified <= set(CLASSIFIERS) else given


def _parts(expression: str) -> set[str]:
    return set(re.split(r" AND | OR ", expression.replace("(", "").replace(")", "")))


def unsuited() -> list[str]:
    """Each package whose licence isn't known to go together with ours, with what it says."""
    found = {pin.name: licence(pin.name) for pin in pins()}
    browsers_only = {name for name, known in ELSEWHERE.items() if not known}
    return [f"{name}: {text or 'no licence'}" for name, text in found.items()
            if not _parts(text) <= COMPATIBLE and name not in browsers_only]  # fmt: skip


def bill() -> dict[str, Any]:
    own = metadata.metadata("tertulia")
    root = f"pkg:pypi/tertulia@{own['Version']}"
    needed = {
        canonicalize_name(Requirement(line).name) for line in own.get_all("Requires-Dist", []) if "extra" not in line
    }
    listed = list(pins())
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application", "bom-ref": root, "name": "tertulia", "version": own["Version"], "purl": root,
                "licenses": [{"license": {"id": own["License-Expression"]}}],
            }
        },
        "components": [_component(pin) for pin in listed],
        "dependencies": [{"ref": root, "dependsOn": sorted({pin.purl for pin in listed if pin.name in needed})}],
    }  # fmt: skip


def _component(pin: Pin) -> dict[str, Any]:
    said = {
        "type": "library", "bom-ref": pin.purl, "name": pin.name, "version": pin.version, "purl": pin.purl,
        "scope": "optional" if pin.marker else "required",
        "externalReferences": [
            {"type": "distribution", "url": pin.purl, "hashes": [{"alg": "SHA-256", "content": each}]}
            for each in pin.hashes
        ],
    }  # fmt: skip
    if text := licence(pin.name):
        is_known = _parts(text) <= COMPATIBLE
        said["licenses"] = [{"expression": text} if is_known else {"license": {"name": text}}]
    if pin.marker:
        said["properties"] = [{"name": "tertulia:marker", "value": pin.marker}]
    return said


def main() -> int:
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(bill(), indent=1, ensure_ascii=False) + "\n")
    print(f"{target}: {len(bill()['components'])} packages")
    for line in (wrong := unsuited()):
        print(f"Not known to go together with the AGPL: {line}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
