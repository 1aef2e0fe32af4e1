"""What the documentation says is so."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tertulia.connectors import registry

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "tertulia"
SHIPPED = [key for key, one in registry.all_connectors().items() if one.__module__.startswith("tertulia.")]


def code() -> str:
    return "\n".join(path.read_text() for path in SOURCE.rglob("*.py"))


def test_every_setting_is_documented_and_every_documented_one_exists():
    read = set(re.findall(r"""env(?:_bool|_int|_list|_path|_secret)?\(\s*["']([A-Z_]+)["']""", code()))
    documented = set(re.findall(r"^\| `([A-Z_]+)`", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE))
    assert read == documented


NOT_FOR_COMPOSE = {
    "TERTULIA_HOME": "the image has it: where the volume is",
    "TERTULIA_HOST": "the image has it",
    "TERTULIA_PORT": "the image has it, and its health check asks there; the machine's own stands under ports",
    "TERTULIA_LOG_FORMAT": "the image has it",
    "TERTULIA_LOG_FILE": "the container's log is kept by who runs it, and no other place can be written to",
    "TERTULIA_BREACHED_PASSWORDS": "it needs a volume of its own, and whoever adds that names it there",
}


def test_compose_hands_every_setting_on_and_a_file_for_each_secret_alone():
    settings = (ROOT / "docs" / "settings.md").read_text()
    documented = set(re.findall(r"^\| `([A-Z_]+)`", settings, re.MULTILINE))
    secret = set(re.findall(r"^\| `([A-Z_]+)` \*secret\*", settings, re.MULTILINE))
    compose = (ROOT / "deploy" / "compose.yaml").read_text()
    lines = compose.split("  environment:\n")[1].split("  secrets:")[0]
    handed = dict(re.findall(r"^    ([A-Z_]+):(.*)$", lines, re.MULTILINE))
    files = {name.removesuffix("_FILE") for name, value in handed.items() if value.startswith(" /run/secrets/")}
    assert {name for name in handed if name.endswith("_FILE")} == {f"{name}_FILE" for name in files}
    assert files == secret - {"TERTULIA_BROKER_URL"}  # which names a container of the same file, without a password
    assert files | (set(handed) - {f"{name}_FILE" for name in files}) == documented - set(NOT_FOR_COMPOSE)
    made = set(re.findall(r"^  ([a-z_]+): \{file: secrets/\1\}$", compose, re.MULTILINE))
    assert set(re.findall(r"/run/secrets/([a-z_]+)", compose)) == made
    told = (ROOT / "docs" / "running.md").read_text().split("## In containers")[1].split("## ")[0]
    assert [name for name in made if name not in told] == []


def test_what_is_deployed_names_only_settings_and_commands_that_exist():
    documented = set(re.findall(r"^\| `([A-Z_]+)`", (ROOT / "docs" / "settings.md").read_text(), re.MULTILINE))
    told = "\n".join(path.read_text() for path in (ROOT / "deploy").iterdir() if path.is_file())
    named = set(re.findall(r"\b((?:TERTULIA|DATABASE)_[A-Z_]+?)(?:_FILE)?\b(?=[=:])", told))
    assert len(named) > 10
    assert named - documented == set()
    commands = set(re.findall(r"(?:bin/tertulia|command:) (\w+)$", told, re.MULTILINE))
    assert commands == {"start", "setup", "web", "work"}


def test_every_dependency_has_its_reason():
    pyproject = (ROOT / "pyproject.toml").read_text()
    names = re.findall(r'^  "([A-Za-z0-9-]+)', pyproject.split("dependencies = [")[1].split("]\n")[0], re.MULTILINE)
    reasons = (ROOT / "docs" / "dependencies.md").read_text().lower()
    assert [name for name in names if name.lower() not in reasons] == []


@pytest.mark.parametrize("room", [path.name for path in sorted(SOURCE.iterdir()) if (path / "__init__.py").exists()])
def test_every_room_says_what_it_is_for(room):
    assert (SOURCE / room / "__init__.py").read_text().strip().startswith('"""')


@pytest.mark.parametrize("key", SHIPPED)
def test_every_connector_is_explained_in_both_languages(key):
    """Spanish first, then English, each with as many parts."""
    spanish, mark, english = (ROOT / "docs" / "connectors" / f"{key}.md").read_text().partition("\n## In English\n")
    assert spanish.startswith("# ")
    assert mark
    parts = len(re.findall(r"^## ", spanish, re.MULTILINE))
    assert len(re.findall(r"^(?:### |\*\*[^*]+\.\*\* )", english, re.MULTILINE)) == parts > 1


def test_no_connector_is_explained_that_is_not_there():
    explained = {path.stem for path in (ROOT / "docs" / "connectors").glob("*.md")}
    assert explained == set(SHIPPED)


def test_links_between_documents_lead_somewhere():
    for document in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)", document.read_text()):
            if "://" not in target and not target.startswith("mailto:"):
                assert (document.parent / target).exists(), f"{document.name} → {target}"


def test_no_address_of_a_package_index_is_committed():
    # Written apart, so that this file does not hold what it looks for.
    words = ["pypi" + ".org", "pythonhosted" + ".org", "npmjs" + ".org", "debian" + ".org"]
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("only a clone, with git, knows what is committed")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    paths = [ROOT / name for name in listed.decode().split("\0") if name]
    texts = {path: path.read_bytes() for path in paths if path.is_file()}
    assert ROOT / "Makefile" in texts
    named = [path for path, text in texts.items() if b"\0" not in text and any(word.encode() in text for word in words)]
    assert named == []
