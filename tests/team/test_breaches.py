"""Passwords are held against a file of those that were stolen elsewhere."""

from __future__ import annotations

from hashlib import sha1
from pathlib import Path

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import translation

from conftest import NOON, PASSWORD
from tertulia.project import doctor
from tertulia.team import breaches
from tertulia.team.models import User

STOLEN = [f"frase robada {number}" for number in range(5_000)]


def hash_of(password: str) -> str:
    return sha1(password.encode()).hexdigest().upper()


def written(path: Path, lines: list[str], *, end: str = "\r\n") -> Path:
    path.write_bytes((end.join(lines) + end).encode())
    return path


@pytest.fixture(autouse=True)
def english():
    with translation.override("en"):
        yield


@pytest.fixture(scope="module")
def ordered() -> list[str]:
    return [f"{each}:{number + 1}" for number, each in enumerate(sorted(map(hash_of, STOLEN)))]


@pytest.fixture
def stolen(tmp_path, settings, ordered) -> Path:
    settings.BREACHED_PASSWORDS = written(tmp_path / "pwned.txt", ordered)
    return settings.BREACHED_PASSWORDS


def codes(password: str) -> list[str]:
    try:
        validate_password(password)
    except ValidationError as refused:
        return [error.code for error in refused.error_list]
    return []


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_each_of_the_file_is_found_and_no_other(tmp_path, ordered, end):
    file = written(tmp_path / "pwned.txt", ordered, end=end)
    assert [password for password in STOLEN if not breaches.has(file, password)] == []
    assert [number for number in range(5_000) if breaches.has(file, f"frase propia {number}")] == []


def test_the_last_line_may_lack_its_end_and_a_number_may_be_missing(tmp_path, ordered):
    file = tmp_path / "pwned.txt"
    file.write_bytes("\n".join(line.partition(":")[0].lower() for line in ordered).encode())
    assert all(breaches.has(file, password) for password in STOLEN)
    breaches.check(file)


def test_a_stolen_password_is_refused(db, stolen):
    assert codes(STOLEN[17]) == ["password_breached"]
    assert codes(PASSWORD) == []


def test_who_changes_theirs_is_told_so_in_spanish(alba, stolen):
    client = Client()
    client.post("/accounts/login/", {"login": alba.email, "password": PASSWORD})
    page = client.post("/accounts/password/", {"oldpassword": PASSWORD, "password1": STOLEN[3], "password2": STOLEN[3]})
    assert "contraseñas robadas en otros sitios" in page.content.decode()
    assert User.objects.get().check_password(PASSWORD)


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"\x00" * 9_000)])
def test_while_the_file_cannot_be_read_no_password_is_taken(db, stolen, damage):
    damage(stolen)
    assert codes(PASSWORD) == ["password_not_looked_up"]


def test_without_a_file_nothing_is_looked_up(db, settings):
    settings.BREACHED_PASSWORDS = None
    assert codes(STOLEN[0]) == []
    assert doctor.passwords(NOON).is_ok


def test_the_doctor_knows_the_file(stolen):
    found = doctor.passwords(NOON)
    assert (found.is_ok, str(stolen) in found.says) == (True, True)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda lines: [], "empty"),
        (lambda lines: lines[::-1], "ordered by hash"),
        (lambda lines: sorted(lines, key=lambda line: -int(line.partition(":")[2])), "ordered by hash"),
        (lambda lines: lines[:3_000], "isn't whole"),
        (lambda lines: lines[2_000:], "isn't whole"),
        (lambda lines: [line[:32] for line in lines], "SHA-1"),
        (lambda lines: STOLEN, "SHA-1"),
    ],
)
def test_the_doctor_says_what_is_wrong_with_another_file(stolen, ordered, spoil, says):
    stolen.write_text("\n".join(spoil(ordered)))
    found = doctor.passwords(NOON)
    assert (found.is_ok, says in found.says) == (False, True)


def test_the_doctor_says_that_there_is_none(stolen):
    stolen.unlink()
    assert "No such file" in doctor.passwords(NOON).says
