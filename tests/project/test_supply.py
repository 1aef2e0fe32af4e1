"""What a release is made of is written down, and nothing in it forbids what the AGPL asks for."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from supply import audit, sbom

ROOT = Path(__file__).parents[2]
PINNED = re.findall(r"^([\w.-]+)(?:\[.*\])?==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)


def test_every_pinned_package_is_in_the_bill_with_its_hashes():
    components = sbom.bill()["components"]
    assert {(one["name"], one["version"]) for one in components} == set(PINNED)
    assert len(components) == len(PINNED) > 60
    hashes = [file["hashes"][0]["content"] for one in components for file in one["externalReferences"]]
    assert sorted(hashes) == sorted(re.findall(r"sha256:([0-9a-f]{64})", (ROOT / "requirements.txt").read_text()))


def test_the_bill_is_what_its_format_asks_for_and_the_same_each_time():
    bill = sbom.bill()
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    for one in (bill["metadata"]["component"], *bill["components"]):
        assert {"type", "name", "version", "bom-ref", "purl"} <= set(one)
        assert all(set(each) in ({"expression"}, {"license"}) for each in one.get("licenses", []))
    names = [one["bom-ref"] for one in bill["components"]]
    assert len(names) == len(set(names))
    assert set(bill["dependencies"][0]["dependsOn"]) <= set(names)
    assert json.dumps(sbom.bill()) == json.dumps(bill)


def test_every_licence_goes_together_with_ours():
    assert sbom.unsuited() == []


def test_a_licence_that_does_not_is_named(monkeypatch):
    monkeypatch.setattr(sbom, "licence", lambda name: "SSPL-1.0" if name == "django" else "MIT")
    assert sbom.unsuited() == ["django: SSPL-1.0"]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ([{"name": "a", "version": "1", "vulns": []}], 0),
        ([{"name": "a", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["2"]}]}], 1),
        ([{"name": "a", "version": "1", "vulns": []}, {"name": "b", "skip_reason": "not found"}], 2),
        ([], 2),
    ],
)
def test_what_could_not_be_asked_about_is_no_good_news(said, code):
    assert audit.verdict(json.dumps({"dependencies": said}))[0] == code
    assert audit.verdict("")[0] == 2
